package core_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

// BenchmarkPeople fills a sealed file with 100,000 accounts, or as many as
// POSTERN_BENCH_ACCOUNTS says, and measures the search for people: the 99th
// percentile of the first page, of a page somewhere in the middle, of how a name
// begins, of how an address begins, and of pages that look at all they may and find
// nothing (by the last sign-in, by a display name, without a factor). "page-KB" is
// what such a page allocates. Wanted with 1,000,000: the first four under 20 ms.
func BenchmarkPeople(b *testing.B) {
	count := 100_000
	if v, err := strconv.Atoi(os.Getenv("POSTERN_BENCH_ACCOUNTS")); err == nil {
		count = v
	}
	p := coretest.Open(b, coretest.OnDisk())
	r := rand.New(rand.NewPCG(1, 2))
	letters := func(n int) string {
		out := make([]byte, n)
		for i := range out {
			out[i] = 'a' + byte(r.IntN(26))
		}
		return string(out)
	}
	ok(b, core.FillPeople(p.Portal, count, func(i int, a *core.Account) {
		a.UserName = letters(3) + fmt.Sprintf("%06d", i)
		a.Email = letters(3) + fmt.Sprintf("%06d@example.org", i)
	}))
	middle := func() string { // a place far into the list
		page := must(p.Accounts.Search(ctx, p.Owner, core.PeopleQuery{Text: letters(2), N: 1}))(b)
		return page.Next
	}
	for b.Loop() {
		for _, c := range []struct {
			name string
			runs int
			q    func() core.PeopleQuery
		}{
			{"first", 500, func() core.PeopleQuery { return core.PeopleQuery{} }},
			{"next", 500, func() core.PeopleQuery { return core.PeopleQuery{After: middle()} }},
			{"prefix", 500, func() core.PeopleQuery { return core.PeopleQuery{Text: letters(2)} }},
			{"email", 500, func() core.PeopleQuery { return core.PeopleQuery{Text: fmt.Sprintf("%s%02d", letters(3), r.IntN(100))} }},
			{"seen", 100, func() core.PeopleQuery { return core.PeopleQuery{SeenAfter: coretest.Start.AddDate(1, 0, 0)} }},
			{"display", 100, func() core.PeopleQuery { return core.PeopleQuery{Text: "zzzzzz"} }},
			{"factor", 100, func() core.PeopleQuery { return core.PeopleQuery{Factor: core.FactorNone, Text: "zzzzzz"} }},
			{"none", 100, func() core.PeopleQuery { return core.PeopleQuery{Factor: core.FactorNone} }},
		} {
			var each []time.Duration
			var before, after runtime.MemStats
			for range c.runs {
				q := c.q()
				q.N = 100
				start := time.Now()
				must(p.Accounts.Search(ctx, p.Owner, q))(b)
				each = append(each, time.Since(start))
			}
			q := c.q()
			runtime.ReadMemStats(&before)
			must(p.Accounts.Search(ctx, p.Owner, q))(b)
			runtime.ReadMemStats(&after)
			b.ReportMetric(p99(each).Seconds()*1000, c.name+"-p99-ms")
			b.ReportMetric(float64(each[len(each)/2].Microseconds())/1000, c.name+"-p50-ms")
			b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/1024, c.name+"-page-KB")
		}
	}
}

// BenchmarkPeopleByLastSignIn fills a sealed file as BenchmarkPeople does and
// measures what has no index: metrics "first-s" and "next-s", how long a page of
// those who signed in last takes and the one after it, "filtered-s" of those of
// them who have no second factor, "live-MB", what is held at most in the middle of
// a walk beside what was held before, and "first-look-ms", until something can be
// said of how far it is. Wanted: the same memory at 1,000,000 as at 100,000.
func BenchmarkPeopleByLastSignIn(b *testing.B) {
	count := 100_000
	if v, err := strconv.Atoi(os.Getenv("POSTERN_BENCH_ACCOUNTS")); err == nil {
		count = v
	}
	p := coretest.Open(b, coretest.OnDisk())
	r := rand.New(rand.NewPCG(3, 4))
	ok(b, core.FillPeople(p.Portal, count, func(_ int, a *core.Account) {
		if r.IntN(10) > 0 {
			a.LastSignIn = coretest.Start.Add(-time.Duration(r.IntN(1e9)) * time.Millisecond)
		}
	}))
	live := func() float64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc) / (1 << 20)
	}
	for b.Loop() {
		q := core.PeopleQuery{Sort: core.SortSeen, N: 100}
		began, look := time.Now(), time.Duration(0)
		page := must(p.Accounts.SearchWatched(ctx, p.Owner, q, func(int, int) {
			if look == 0 {
				look = time.Since(began)
			}
		}))(b)
		b.ReportMetric(time.Since(began).Seconds(), "first-s")
		b.ReportMetric(look.Seconds()*1000, "first-look-ms")
		if page.Looked < count || len(page.Accounts) != 100 {
			b.Fatalf("%d of %d, and %d are shown", page.Looked, count, len(page.Accounts))
		}
		q.After = page.Next
		began = time.Now()
		must(p.Accounts.Search(ctx, p.Owner, q))(b)
		b.ReportMetric(time.Since(began).Seconds(), "next-s")
		began = time.Now()
		must(p.Accounts.Search(ctx, p.Owner, core.PeopleQuery{Sort: core.SortSeen, Factor: core.FactorNone, N: 100}))(b)
		b.ReportMetric(time.Since(began).Seconds(), "filtered-s")
		before, most, looks := live(), 0.0, 0
		must(p.Accounts.SearchWatched(ctx, p.Owner, q, func(int, int) {
			if looks++; looks%50 == 0 {
				most = max(most, live()-before)
			}
		}))(b)
		b.ReportMetric(most, "live-MB")
	}
}

// BenchmarkBulk suspends and resumes 2,000 people on a sealed and synced file, one
// act after the other and as one act on many: metrics "alone/s", "bulk/s", and
// "bulk-of-alone". Wanted: at least 3 times as fast.
func BenchmarkBulk(b *testing.B) {
	p := coretest.Open(b, coretest.OnDisk())
	const n = 2000
	ok(b, core.FillPeople(p.Portal, n, nil))
	refs := make([]string, n)
	for i := range refs {
		refs[i] = fmt.Sprintf("p%07d", i)
	}
	var alone, bulk time.Duration
	rounds := 0
	for b.Loop() {
		rounds++
		start := time.Now()
		for _, ref := range refs {
			ok(b, p.Accounts.Suspend(ctx, p.Owner, ref, "bench"))
		}
		alone += time.Since(start)
		start = time.Now()
		got := must(p.Accounts.Each(ctx, p.Owner, core.BulkAct{Kind: core.BulkResume}, refs, nil))(b)
		bulk += time.Since(start)
		if got.Done != n {
			b.Fatalf("%+v", got)
		}
	}
	each := float64(n * rounds)
	b.ReportMetric(each/alone.Seconds(), "alone/s")
	b.ReportMetric(each/bulk.Seconds(), "bulk/s")
	b.ReportMetric(alone.Seconds()/bulk.Seconds(), "bulk-of-alone")
}
