//go:build unix

package password

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"
)

// BenchmarkSignIns measures verifications by waiting clients against as many raw
// Argon2id calls by one goroutine a core, in the same run and taking turns, so
// that both see the same machine. "ratio" is the Hasher's throughput over the
// raw one's, "cpu-ratio" the same by processor time, which other programs on the
// machine disturb less, "p99/fair" the 99th percentile of a client's wait over what a
// perfectly fair queue gives everyone: clients / cores hashes.
func BenchmarkSignIns(b *testing.B) {
	p := DefaultParams()
	cores := runtime.GOMAXPROCS(0)
	for _, clients := range []int{2, 16, 100} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			h, err := NewHasher(p, 0)
			if err != nil {
				b.Fatal(err)
			}
			phc, err := h.Hash(b.Context(), "correct horse battery staple")
			if err != nil {
				b.Fatal(err)
			}
			salt := make([]byte, p.SaltLen)
			var raw, ours, rawCPU, oursCPU time.Duration
			var waits []time.Duration
			for b.Loop() {
				const rounds = 2
				n := max(clients, 8*cores)
				for range rounds {
					began := cpuTime(b)
					raw += together(cores, n, func(int) {
						argon2.IDKey([]byte("correct horse battery staple"), salt, p.Time, p.Memory, p.Parallelism, p.KeyLen)
					})
					rawCPU += cpuTime(b) - began
					began = cpuTime(b)
					each := make([]time.Duration, n)
					ours += together(clients, n, func(i int) {
						start := time.Now()
						if ok, _, err := h.Verify(b.Context(), "correct horse battery staple", phc); !ok || err != nil {
							b.Error(ok, err)
						}
						each[i] = time.Since(start)
					})
					oursCPU += cpuTime(b) - began
					waits = append(waits, each...)
				}
			}
			slices.Sort(waits)
			one := raw / time.Duration(len(waits)) * time.Duration(cores)
			fair := one * time.Duration(max(clients, cores)) / time.Duration(cores)
			b.ReportMetric(float64(raw)/float64(ours), "ratio")
			b.ReportMetric(float64(rawCPU)/float64(oursCPU), "cpu-ratio")
			b.ReportMetric(float64(waits[len(waits)*99/100])/float64(fair), "p99/fair")
			b.ReportMetric(float64(one.Milliseconds()), "ms/hash")
		})
	}
}

// cpuTime returns the processor time that this process has taken.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// together runs fn n times on that many workers and returns how long it took.
func together(workers, n int, fn func(i int)) time.Duration {
	var next atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for range workers {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				fn(int(i))
			}
		})
	}
	wg.Wait()
	return time.Since(start)
}

// BenchmarkThousandAtOnce measures the memory of the process while a thousand
// clients wait, after the time their hashes take.
func BenchmarkThousandAtOnce(b *testing.B) {
	h, err := NewHasher(DefaultParams(), 0)
	if err != nil {
		b.Fatal(err)
	}
	var peak uint64
	for b.Loop() {
		stop := make(chan struct{})
		var watch sync.WaitGroup
		watch.Go(func() {
			for {
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak = max(peak, m.Sys-m.HeapReleased)
				select {
				case <-stop:
					return
				case <-time.After(20 * time.Millisecond):
				}
			}
		})
		together(1000, 1000, func(int) {
			if err := h.Burn(b.Context(), "correct horse battery staple"); err != nil {
				b.Error(err)
			}
		})
		close(stop)
		watch.Wait()
	}
	b.ReportMetric(float64(peak)/(1<<20), "peak-MiB")
}
