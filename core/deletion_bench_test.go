//go:build unix

package core_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

// BenchmarkDeletion deletes an account that 100,000 entries of the trail are about
// while another account's sign-ins are refused as fast as they come. Metrics: how
// long the deletion took ("ms"; under 2,000 is wanted), the longest that one of the
// others' acts took meanwhile ("ms-others-worst"; under 50), and, for comparison in
// the same run, the longest when nothing was deleted ("ms-others-alone").
func BenchmarkDeletion(b *testing.B) {
	p := coretest.Open(b, coretest.OnDisk())
	p.Set("lockout.failures", "50", "lockout.address_failures", "10000", "lockout.wait_seconds", "1", "lockout.max_wait_minutes", "1")
	atOnce(b, p, "0")
	other := p.SignUp("noor")
	var took, during, alone []time.Duration
	for i := range b.N {
		me := p.SignUp(fmt.Sprint("mara", i))
		const entries = 100_000
		ok(b, core.WriteTrail(ctx, p.Portal, entries, p.Clock.Now(), 24*time.Hour, func(n int) core.Entry {
			return core.Entry{Action: core.ActProfile, Outcome: core.OutcomeDone, Actor: me.Account, About: me.Account, Door: core.DoorSSH,
				Remote: "192.0.2.1", Target: fmt.Sprint("mara", i), After: map[string]string{"display_name": fmt.Sprint("Mara ", n)}}
		}))
		p.Clock.Advance(time.Second)
		act := func(stop *atomic.Bool) (worst time.Duration) {
			for n := 0; !stop.Load(); n++ {
				begun := time.Now()
				if err := p.Accounts.SetPreferences(ctx, other, core.Preferences{Language: []string{"en", "es"}[n%2]}); err != nil {
					b.Error(err)
					return 0
				}
				worst = max(worst, time.Since(begun))
			}
			return worst
		}
		run := func(work func()) time.Duration {
			var stop atomic.Bool
			worst := make(chan time.Duration)
			go func() { worst <- act(&stop) }()
			work()
			stop.Store(true)
			return <-worst
		}
		alone = append(alone, run(func() { time.Sleep(200 * time.Millisecond) }))
		during = append(during, run(func() {
			begun := time.Now()
			_, err := p.Requests.Make(ctx, me, fmt.Sprint("mara", i))
			took = append(took, time.Since(begun))
			ok(b, err)
		}))
	}
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	slices.Sort(took)
	b.ReportMetric(ms(took[len(took)/2]), "ms")
	b.ReportMetric(ms(slices.Max(during)), "ms-others-worst")
	b.ReportMetric(ms(slices.Max(alone)), "ms-others-alone")
}
