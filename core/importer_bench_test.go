package core_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

// BenchmarkImport imports a file of 20,000 lines, or as many as
// POSTERN_BENCH_LINES says, into a sealed database file: first as a dry run, then
// for good, then once more over lines that are through. Every hundredth line is
// bad. peak-MiB is what the heap grew to above what was there, with garbage.
func BenchmarkImport(b *testing.B) {
	count := 20_000
	if v, err := strconv.Atoi(os.Getenv("POSTERN_BENCH_LINES")); err == nil {
		count = v
	}
	path := filepath.Join(b.TempDir(), "people.jsonl")
	f := must(os.Create(path))(b)
	w := bufio.NewWriter(f)
	for i := range count {
		email := fmt.Sprintf("p%07d@example.org", i)
		if i%100 == 99 {
			email = "nowhere"
		}
		fmt.Fprintf(w, `{"user_name":"p%07d","display_name":"Person %d","email":%q,"email_confirmed":true,"created":"2019-05-06T07:08:09Z","language":"en","time_zone":"Europe/Lisbon","password_hash":%q}`+"\n",
			i, i, email, hashes["bcrypt"])
	}
	ok(b, w.Flush())
	ok(b, f.Close())
	p := coretest.Open(b, coretest.OnDisk())
	for _, c := range []struct {
		name string
		dry  bool
	}{{"dry", true}, {"once", false}, {"again", false}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				in := must(os.Open(path))(b)
				runtime.GC()
				var before, now runtime.MemStats
				runtime.ReadMemStats(&before)
				var peak uint64
				calls := 0
				begin := time.Now()
				got, err := p.Imports.Import(ctx, coretest.Console(), in, core.ImportOptions{Format: core.ImportJSONL, Dry: c.dry}, nil, func(int64, int64) {
					if calls++; calls%20 != 0 {
						return
					}
					if runtime.ReadMemStats(&now); now.HeapInuse > before.HeapInuse {
						peak = max(peak, now.HeapInuse-before.HeapInuse)
					}
				})
				took := time.Since(begin)
				ok(b, err)
				ok(b, in.Close())
				if got.Imported+got.Refused+got.Skipped != count {
					b.Fatalf("%+v", got)
				}
				b.ReportMetric(float64(count)/took.Seconds(), "lines/s")
				b.ReportMetric(float64(peak)/(1<<20), "peak-MiB")
			}
		})
	}
}
