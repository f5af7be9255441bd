//go:build unix

package core_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

// BenchmarkVerify verifies a trail of POSTERN_BENCH_ENTRIES entries in a sealed
// file. Metrics: seconds for a million of them, and the most memory that was in
// use more than before, in MiB.
func BenchmarkVerify(b *testing.B) {
	n := benchEntries(b)
	p, _ := longTrail(b, n)
	ok(b, core.MarkTrail(p.Portal))
	begun := time.Now()
	must(p.Audit.SealNow(ctx))(b)
	sealing := time.Since(begun)
	most := uint64(0)
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var took []time.Duration
	for b.Loop() {
		pages := 0
		begun := time.Now()
		r, err := p.Audit.Verify(ctx, coretest.Console(), "", func(int, int) {
			if pages++; pages%200 == 0 {
				runtime.ReadMemStats(&now)
				most = max(most, now.HeapInuse-min(now.HeapInuse, before.HeapInuse))
			}
		})
		took = append(took, time.Since(begun))
		if err != nil || r.Found != 0 || r.Entries < n {
			b.Fatal(r, err)
		}
	}
	slices.Sort(took)
	million := 1e6 / float64(n)
	b.ReportMetric(took[len(took)/2].Seconds()*million, "s/million")
	b.ReportMetric(sealing.Seconds()*million, "s-to-seal/million")
	b.ReportMetric(float64(most)/(1<<20), "MiB")
}

// BenchmarkSealing compares how many acts 100 writers do in a second with and
// without the sealer beside them, in turns. "of-unsealed" is the ratio of the
// medians; 0.97 is wanted.
func BenchmarkSealing(b *testing.B) {
	const writers, span, turns = 100, 2 * time.Second, 7
	p := coretest.Open(b, coretest.OnDisk(), func(_ testing.TB, c *core.Config) { c.Clock = core.SystemClock{} })
	who := make([]core.Actor, writers)
	for i := range who {
		who[i] = p.SignUp(fmt.Sprint("crew", i))
	}
	work := func() float64 {
		var done atomic.Int64
		begun := time.Now()
		var running sync.WaitGroup
		for i := range writers {
			running.Go(func() {
				for n := 0; time.Since(begun) < span; n++ {
					if err := p.Accounts.SetPreferences(ctx, who[i], core.Preferences{Language: []string{"en", "es"}[n%2]}); err != nil {
						b.Error(err)
						return
					}
					done.Add(1)
				}
			})
		}
		running.Wait()
		return float64(done.Load()) / time.Since(begun).Seconds()
	}
	sealed := func() float64 {
		sealing, stop := context.WithCancel(ctx)
		over := make(chan struct{})
		go func() { defer close(over); p.Audit.Seal(sealing) }()
		n := work()
		stop()
		<-over
		return n
	}
	for b.Loop() {
		var with, without []float64
		work()
		for range turns {
			must(p.Audit.SealNow(ctx))(b)
			without = append(without, work())
			must(p.Audit.SealNow(ctx))(b)
			with = append(with, sealed())
		}
		slices.Sort(with)
		slices.Sort(without)
		b.ReportMetric(with[turns/2], "acts/s")
		b.ReportMetric(with[turns/2]/without[turns/2], "of-unsealed")
	}
}
