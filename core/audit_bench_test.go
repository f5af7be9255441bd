//go:build unix

package core_test

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

// benchEntries is how many entries the long trail has: POSTERN_BENCH_ENTRIES,
// or few enough for a quick run.
func benchEntries(b *testing.B) int {
	n, err := strconv.Atoi(os.Getenv("POSTERN_BENCH_ENTRIES"))
	if err != nil {
		return 50_000
	}
	return max(n, 1000)
}

// longTrail is a portal on a file whose trail has n entries of the last 90 days,
// of 200 accounts and 200 addresses; one in 500 is a change of the policy.
func longTrail(b *testing.B, n int) (p *coretest.Place, someone string) {
	b.Helper()
	p = coretest.Open(b, coretest.OnDisk())
	var ids []string
	for i := range 20 {
		ids = append(ids, p.SignUp(fmt.Sprint("p", i)).Account)
	}
	p.Clock.Advance(90 * 24 * time.Hour)
	ok(b, core.WriteTrail(ctx, p.Portal, n, p.Clock.Now(), 90*24*time.Hour, func(i int) core.Entry {
		e := core.Entry{
			Action: core.ActSignIn, Outcome: core.OutcomeDone, Actor: ids[i%len(ids)], Name: fmt.Sprint("p", i%len(ids)), Door: core.DoorSSH,
			Remote: fmt.Sprint("192.0.2.", i%200), Client: "SSH-2.0-OpenSSH_9.9", About: ids[i%len(ids)],
			After: map[string]string{"door": "ssh"},
		}
		if i%500 == 0 {
			e.Action, e.Target = core.ActPolicy, "password"
		}
		return e
	}))
	return p, "p7"
}

// BenchmarkAuditPage compares a page of a long trail with one of 1,000 entries:
// by time, action, address and actor, the newest and from the middle. The metrics
// are the 99th percentile of each in milliseconds, and their ratio "p99-of-1000";
// on a machine that is busy with other things the ratio of the medians,
// "p50-of-1000", is the one to trust.
func BenchmarkAuditPage(b *testing.B) {
	short, who := longTrail(b, 1000)
	long, _ := longTrail(b, benchEntries(b))
	middle := long.Clock.Now().Add(-45 * 24 * time.Hour)
	for _, c := range []struct {
		name string
		q    core.AuditQuery
	}{
		{"newest", core.AuditQuery{}},
		{"time", core.AuditQuery{To: middle}},
		{"action", core.AuditQuery{Action: core.ActSignIn, To: middle}},
		{"address", core.AuditQuery{Address: "192.0.2.7", To: middle}},
		{"actor", core.AuditQuery{Actor: who, To: middle}},
		{"actor-newest", core.AuditQuery{Actor: who}},
	} {
		b.Run(c.name, func(b *testing.B) {
			var few, many []time.Duration
			look := func(p *coretest.Place, q core.AuditQuery, each []time.Duration) []time.Duration {
				begin := time.Now()
				page, err := p.Audit.Search(ctx, coretest.Console(), q)
				took := time.Since(begin)
				if err != nil || len(page.Entries) == 0 {
					b.Fatal(len(page.Entries), err)
				}
				return append(each, took)
			}
			c.q.N = 2 // as many as the short trail has of an address before the middle
			for b.Loop() {
				for range 50 {
					few = look(short, c.q, few)
					many = look(long, c.q, many)
				}
			}
			b.ReportMetric(p99(few).Seconds()*1000, "p99-1000-ms")
			b.ReportMetric(p99(many).Seconds()*1000, "p99-ms")
			b.ReportMetric(float64(p99(many))/float64(p99(few)), "p99-of-1000")
			b.ReportMetric(many[len(many)/2].Seconds()*1000, "p50-ms") // p99 has sorted them
			b.ReportMetric(float64(many[len(many)/2])/float64(few[len(few)/2]), "p50-of-1000")
		})
	}
}

// BenchmarkAuditExport is what handing over an entry costs.
func BenchmarkAuditExport(b *testing.B) {
	p, _ := longTrail(b, 10_000)
	for _, format := range core.AuditFormats() {
		b.Run(format, func(b *testing.B) {
			n := 0
			begin := time.Now()
			for b.Loop() {
				n += must(p.Audit.Export(ctx, coretest.Console(), core.AuditQuery{}, format, io.Discard, nil))(b)
			}
			b.ReportMetric(float64(n)/time.Since(begin).Seconds(), "entries/s")
		})
	}
}
