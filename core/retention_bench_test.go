//go:build unix

package core_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

// BenchmarkRetention removes a trail of POSTERN_BENCH_ENTRIES entries that is too
// old, while somebody else writes. "of-engine" is its speed as a share of the
// engine's own, which deletes as many such entries, as many at once, and signs
// nothing; "waits-ms" is the longest act of the other meanwhile, and "waits-alone-ms"
// that of as many acts with nothing beside them.
func BenchmarkRetention(b *testing.B) {
	n := benchEntries(b)
	for b.Loop() {
		b.StopTimer()
		p, _ := longTrail(b, n)
		ok(b, core.MarkTrail(p.Portal))
		must(p.Audit.SealNow(ctx))(b)
		bare, _ := longTrail(b, n)
		p.Set("retention.audit_days", "7")
		p.Clock.Advance(8 * 24 * time.Hour)
		someone := p.SignIn("p1")
		acts := 0
		write := func() time.Duration {
			acts++
			begun := time.Now()
			ok(b, p.Accounts.SetPreferences(ctx, someone, core.Preferences{Language: []string{"en", "es"}[acts%2]}))
			return time.Since(begun)
		}
		b.StartTimer()

		begun := time.Now()
		ok(b, core.DropTrail(ctx, bare.Portal, n, core.BlockEntries))
		engine := time.Since(begun)

		var waits, alone []time.Duration
		stop := make(chan struct{})
		var beside sync.WaitGroup
		beside.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(20 * time.Millisecond):
					waits = append(waits, write())
				}
			}
		})
		begun = time.Now()
		gone := must(p.Retention.Run(ctx, coretest.Console(), nil))(b)
		ours := time.Since(begun)
		close(stop)
		beside.Wait()
		for range waits {
			time.Sleep(time.Millisecond)
			alone = append(alone, write())
		}
		if gone.Entries < n {
			b.Fatalf("%d of %d have gone", gone.Entries, n)
		}
		b.ReportMetric(float64(gone.Entries)/ours.Seconds(), "entries/s")
		b.ReportMetric(engine.Seconds()/float64(n)/(ours.Seconds()/float64(gone.Entries)), "of-engine")
		if len(waits) > 0 {
			b.ReportMetric(slices.Max(waits).Seconds()*1000, "waits-ms")
			b.ReportMetric(slices.Max(alone).Seconds()*1000, "waits-alone-ms")
		}
	}
}
