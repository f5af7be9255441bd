package mailtest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"testing"

	gomail "github.com/wneessen/go-mail"

	"postern/core/mail"
)

// GoMail is go-mail's own client on one connection to a server: what there is
// without the sender, for benchmarks to compare with.
type GoMail struct{ client *gomail.Client }

// GoMail connects to the server, and leaves it when the benchmark ends.
func (s *Server) GoMail(t testing.TB) GoMail {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(s.authority.pem)
	client, err := gomail.NewClient(s.Host(), gomail.WithPort(s.Port()), gomail.WithTLSPolicy(gomail.TLSMandatory),
		gomail.WithTLSConfig(&tls.Config{RootCAs: pool, ServerName: s.Host(), MinVersion: tls.VersionTLS12}))
	if err != nil {
		t.Fatal(err)
	}
	if err := client.DialWithContext(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() }) // the good-bye comes too late when it has lain idle
	return GoMail{client}
}

// Send hands messages over, as the sender would write them.
func (g GoMail) Send(t testing.TB, messages []mail.Message) {
	t.Helper()
	out := make([]*gomail.Msg, 0, len(messages))
	for _, m := range messages {
		msg := gomail.NewMsg()
		if err := msg.FromFormat("Lab portal", "portal@lab.example"); err != nil {
			t.Fatal(err)
		}
		if err := msg.To(m.To); err != nil {
			t.Fatal(err)
		}
		msg.Subject(m.Subject)
		msg.SetMessageIDWithValue(m.ID + "@lab.example")
		msg.SetDateWithValue(m.Date)
		msg.SetBodyString(gomail.TypeTextPlain, m.Text)
		if m.HTML != "" {
			msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
		}
		out = append(out, msg)
	}
	if err := g.client.Send(out...); err != nil {
		t.Fatal(err)
	}
}
