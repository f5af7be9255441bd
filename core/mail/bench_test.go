package mail_test

import (
	"testing"

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
	client := server.GoMail(b)
	messages := benchLetters()
	b.ResetTimer()
	for n := 0; n < b.N; n += batch {
		client.Send(b, messages[:min(batch, b.N-n)])
	}
	b.StopTimer()
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
