package core_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
	"postern/core/mail"
	"postern/core/mail/mailtest"
)

// BenchmarkDrain compares, in one run, how long it takes to send 10,000 messages
// that are ready in memory over one connection with how long the courier takes
// for 10,000 that are queued in a sealed database on the disk, each written down as
// sent. "of-go-mail" is the speed beside go-mail's own client, "of-bare" beside the
// portal's sender without the outbox, each the median of the rounds; 0.9 is wanted.
func BenchmarkDrain(b *testing.B) {
	const n = 10_000
	var speeds, ofBare, ofGoMail []float64
	for b.Loop() {
		server := mailtest.New(b, mailtest.Options{})
		sender := mailer(b, server)
		ready := make([]mail.Message, n)
		for i := range ready {
			ready[i] = mail.Message{ID: fmt.Sprint("m", i), To: fmt.Sprintf("a%d@example.org", i), Subject: "test", Text: "test",
				HTML: mail.HTML("test", "test", "en"), Date: time.Now()}
		}
		client := server.GoMail(b)
		took := func(send func()) float64 {
			begun := time.Now()
			send()
			return time.Since(begun).Seconds()
		}
		bare := func() {
			for _, r := range sender.Send(ctx, ready) {
				if r.Err != nil {
					b.Fatal(r.Err)
				}
			}
		}
		goMail := func() {
			for part := range slices.Chunk(ready, 100) {
				client.Send(b, part)
			}
		}
		p := coretest.Open(b, coretest.OnDisk(), coretest.WithProviders(sender, nil))
		p.Set("messages.mail_allowance", "1000000")
		parallel(50, func(w int) {
			for i := range n / 50 {
				if _, err := p.Messages.Test(ctx, coretest.Console(), core.ServiceMail, fmt.Sprintf("a%d-%d@example.org", w, i)); err != nil {
					b.Error(err)
				}
			}
		})
		bareTook, goMailTook := took(bare), took(goMail)
		came := server.Count()
		begun := time.Now()
		stop := deliver(b, p)
		for server.Count()-came < n { // which costs the portal nothing
			time.Sleep(2 * time.Millisecond)
		}
		for use(b, p, core.ServiceMail).Sent < n {
			time.Sleep(time.Millisecond)
		}
		drained := time.Since(begun).Seconds()
		stop()
		if server.Count()-came != n {
			b.Fatalf("%d messages came", server.Count()-came)
		}
		goMailTook, bareTook = (goMailTook+took(goMail))/2, (bareTook+took(bare))/2
		speeds = append(speeds, n/drained)
		ofBare, ofGoMail = append(ofBare, bareTook/drained), append(ofGoMail, goMailTook/drained)
	}
	for unit, all := range map[string][]float64{"messages/s": speeds, "of-bare": ofBare, "of-go-mail": ofGoMail} {
		slices.Sort(all)
		b.ReportMetric(all[len(all)/2], unit)
	}
}
