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
// sent. "of-bare" is the speed beside the bare sender's, the median of the rounds;
// 0.9 is wanted.
func BenchmarkDrain(b *testing.B) {
	const n = 10_000
	var speeds, ratios []float64
	for b.Loop() {
		server := mailtest.New(b, mailtest.Options{})
		sender := mailer(b, server)
		ready := make([]mail.Message, n)
		for i := range ready {
			ready[i] = mail.Message{ID: fmt.Sprint("m", i), To: fmt.Sprintf("a%d@example.org", i), Subject: "test", Text: "test",
				HTML: mail.HTML("test", "test", "en"), Date: time.Now()}
		}
		bare := func() time.Duration {
			begun := time.Now()
			for _, r := range sender.Send(ctx, ready) {
				if r.Err != nil {
					b.Fatal(r.Err)
				}
			}
			return time.Since(begun)
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
		before := bare()
		came := server.Count()
		begun := time.Now()
		stop := deliver(b, p)
		for server.Count()-came < n { // which costs the portal nothing
			time.Sleep(2 * time.Millisecond)
		}
		for use(b, p, core.ServiceMail).Sent < n {
			time.Sleep(time.Millisecond)
		}
		drained := time.Since(begun)
		stop()
		if server.Count()-came != n {
			b.Fatalf("%d messages came", server.Count()-came)
		}
		after := bare()
		speeds = append(speeds, float64(n)/drained.Seconds())
		ratios = append(ratios, (before+after).Seconds()/2/drained.Seconds())
	}
	slices.Sort(speeds)
	slices.Sort(ratios)
	b.ReportMetric(speeds[len(speeds)/2], "messages/s")
	b.ReportMetric(ratios[len(ratios)/2], "of-bare")
}
