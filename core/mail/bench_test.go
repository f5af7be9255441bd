package mail_test

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"testing"

	gomail "github.com/wneessen/go-mail"

	"postern/core/mail"
	"postern/core/mail/mailtest"
)

// The two benchmarks hand the same messages to the same server, each over one
// connection that is kept open: what a sender costs beyond go-mail is their
// ratio in one run. One operation is one message.

const batch = 100

func BenchmarkSend(b *testing.B) {
	server := mailtest.New(b, mailtest.Options{})
	s := sender(b, reach(b, server))
	messages := benchLetters()
	b.ResetTimer()
	for n := 0; n < b.N; n += batch {
		for _, r := range s.Send(ctx, messages[:min(batch, b.N-n)]) {
			if r.Err != nil {
				b.Fatal(r.Err)
			}
		}
	}
	b.StopTimer()
	came(b, server)
}

func BenchmarkBareGoMail(b *testing.B) {
	server := mailtest.New(b, mailtest.Options{})
	pem, err := os.ReadFile(server.CAFile(b))
	if err != nil {
		b.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	client, err := gomail.NewClient(server.Host(), gomail.WithPort(server.Port()), gomail.WithTLSPolicy(gomail.TLSMandatory),
		gomail.WithTLSConfig(&tls.Config{RootCAs: pool, ServerName: server.Host(), MinVersion: tls.VersionTLS12}))
	if err != nil {
		b.Fatal(err)
	}
	if err := client.DialWithContext(ctx); err != nil {
		b.Fatal(err)
	}
	messages := benchLetters()
	b.ResetTimer()
	for n := 0; n < b.N; n += batch {
		var out []*gomail.Msg
		for _, m := range messages[:min(batch, b.N-n)] {
			msg := gomail.NewMsg()
			if err := msg.FromFormat("Lab portal", "portal@lab.example"); err != nil {
				b.Fatal(err)
			}
			if err := msg.To(m.To); err != nil {
				b.Fatal(err)
			}
			msg.Subject(m.Subject)
			msg.SetMessageIDWithValue(m.ID + "@lab.example")
			msg.SetDateWithValue(m.Date)
			msg.SetBodyString(gomail.TypeTextPlain, m.Text)
			msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
			out = append(out, msg)
		}
		if err := client.Send(out...); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	if err := client.Close(); err != nil {
		b.Error(err)
	}
	came(b, server)
}

func benchLetters() []mail.Message {
	out := letters(batch)
	for i := range out {
		out[i].HTML = mail.HTML(out[i].Subject, out[i].Text, "en")
	}
	return out
}

// came makes sure that both have done the same.
func came(b *testing.B, server *mailtest.Server) {
	b.Helper()
	if server.Count() != b.N || server.Connections() != 1 {
		b.Errorf("%d of %d came over %d connections", server.Count(), b.N, server.Connections())
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}
