package core_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

// BenchmarkOverview reads the overview of a portal on a file with 100,000
// accounts, or as many as POSTERN_BENCH_ACCOUNTS says, and of one with a
// thousand: "of-small" is how many times longer the big one takes. Wanted with
// 1,000,000: under 50 ms, and about 1.
func BenchmarkOverview(b *testing.B) {
	count := 100_000
	if v, err := strconv.Atoi(os.Getenv("POSTERN_BENCH_ACCOUNTS")); err == nil {
		count = v
	}
	small, big := overviewPlace(b, 1000), overviewPlace(b, count)
	for _, span := range core.OverviewSpans() {
		b.Run(string(span), func(b *testing.B) {
			var slow, quick time.Duration
			b.ReportAllocs()
			for b.Loop() {
				at := time.Now()
				must(small.Overview.Show(ctx, coretest.Console(), span))(b)
				quick += time.Since(at)
				at = time.Now()
				must(big.Overview.Show(ctx, coretest.Console(), span))(b)
				slow += time.Since(at)
			}
			b.ReportMetric(slow.Seconds()/quick.Seconds(), "of-small")
			b.ReportMetric(slow.Seconds()*1000/float64(b.N), "overview-ms")
		})
	}
}

// overviewPlace is a portal on a file with n accounts more than its owner's, and
// twelve weeks of signing in.
func overviewPlace(b *testing.B, n int) *coretest.Place {
	b.Helper()
	p := coretest.Open(b, coretest.OnDisk())
	ok(b, core.ManyAccounts(p.Portal, n))
	for range 12 * 7 {
		p.Clock.Advance(24 * time.Hour)
		for range 3 {
			p.SignIn("lin")
			_, _ = p.TrySignIn(here, fmt.Sprint("nobody", n), strong)
		}
		must(p.Sweep(ctx, p.Clock.Now()))(b)
	}
	return p
}
