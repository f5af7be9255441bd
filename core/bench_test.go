//go:build unix

package core_test

import (
	"crypto/rand"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/sys/unix"

	"postern/core"
	"postern/core/coretest"
	"postern/core/otp"
	"postern/core/password"
)

// benchPlace is a portal on a synced file with n accounts, "p0" and on, whose
// passwords are hashed as in earnest.
func benchPlace(b *testing.B, n int) (*coretest.Place, *password.Hasher) {
	b.Helper()
	quick := coretest.Open(b, coretest.OnDisk())
	hasher := must(password.NewHasher(password.DefaultParams(), 0))(b)
	phc := must(hasher.Hash(ctx, coretest.Password))(b)
	for i := range n {
		in := coretest.Input(fmt.Sprint("p", i))
		in.Email = ""
		out := must(quick.Accounts.SignUp(ctx, coretest.Local(), in))(b)
		ok(b, core.SetHash(quick.Portal, out.SignedIn.Account, phc))
	}
	quick.Close()
	return coretest.New(b, coretest.WithStore(quick.DB), coretest.WithHasher(hasher), coretest.WithClock(quick.Clock)), hasher
}

// raw is one Argon2id hash without anything around it.
func raw() {
	p := password.DefaultParams()
	argon2.IDKey([]byte(coretest.Password), []byte("0123456789abcdef"), p.Time, p.Memory, p.Parallelism, p.KeyLen)
}

// processorTime is what this process has used so far.
func processorTime(b *testing.B) time.Duration {
	var u unix.Rusage
	ok(b, unix.Getrusage(unix.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// spread runs total calls of fn on so many clients, and returns how long all
// and each of them took.
func spread(clients, total int, fn func(client int)) (all time.Duration, each []time.Duration) {
	var next atomic.Int64
	var mu sync.Mutex
	begin := time.Now()
	parallel(clients, func(c int) {
		for next.Add(1) <= int64(total) {
			t := time.Now()
			fn(c)
			d := time.Since(t)
			mu.Lock()
			each = append(each, d)
			mu.Unlock()
		}
	})
	return time.Since(begin), each
}

func p99(each []time.Duration) time.Duration {
	slices.Sort(each)
	return each[(len(each)*99)/100]
}

// BenchmarkSignIn measures sign-ins against raw Argon2id calls on as many cores
// as the queue has slots, and their latency against that of the bare queue, in
// turns within one run: metrics "of-raw" (1 is as fast as raw) and "p99-of-queue".
// On a machine that is busy with other things "cpu-of-raw" is the one to trust:
// the processor time of a raw hash as a share of that of a sign-in.
func BenchmarkSignIn(b *testing.B) {
	p, hasher := benchPlace(b, 100)
	slots := runtime.GOMAXPROCS(0)
	for _, clients := range []int{2, 16, 100} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			var portal, bare, queue, cpuPortal, cpuBare time.Duration
			var mine, theirs []time.Duration
			rounds := 0
			for b.Loop() {
				rounds++
				const most = 64
				n := max(most, clients)
				used := processorTime(b)
				d, each := spread(clients, n, func(c int) {
					if _, err := p.TrySignIn(coretest.Local(), fmt.Sprint("p", c), coretest.Password); err != nil {
						b.Error(err)
					}
				})
				portal, mine = portal+d, append(mine, each...)
				cpuPortal += processorTime(b) - used
				used = processorTime(b)
				d, _ = spread(slots, n, func(int) { raw() })
				bare += d
				cpuBare += processorTime(b) - used
				d, each = spread(clients, n, func(int) { ok(b, hasher.Burn(ctx, coretest.Password)) })
				queue, theirs = queue+d, append(theirs, each...)
			}
			b.ReportMetric(bare.Seconds()/portal.Seconds(), "of-raw")
			b.ReportMetric(cpuBare.Seconds()/cpuPortal.Seconds(), "cpu-of-raw")
			b.ReportMetric(queue.Seconds()/portal.Seconds(), "of-queue")
			b.ReportMetric(float64(p99(mine))/float64(p99(theirs)), "p99-of-queue")
			b.ReportMetric(p99(mine).Seconds()*1000, "p99-ms")
			b.ReportMetric(float64(len(mine))/portal.Seconds(), "sign-ins/s")
		})
	}
}

// BenchmarkThousandAtOnce lets 1,000 people sign in at once: metrics "peak-MB" of
// the heap, and "last-s", when the last one was in.
func BenchmarkThousandAtOnce(b *testing.B) {
	p, _ := benchPlace(b, 1000)
	var peak uint64
	var last time.Duration
	for b.Loop() {
		done := make(chan struct{})
		var sampled sync.WaitGroup
		sampled.Go(func() {
			for {
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapInuse+m.StackInuse)
				select {
				case <-done:
					return
				case <-time.After(20 * time.Millisecond):
				}
			}
		})
		last, _ = spread(1000, 1000, func(c int) {
			if _, err := p.TrySignIn(coretest.Local(), fmt.Sprint("p", c), coretest.Password); err != nil {
				b.Error(err)
			}
		})
		close(done)
		sampled.Wait()
	}
	b.ReportMetric(float64(peak)/(1<<20), "peak-MB")
	b.ReportMetric(last.Seconds(), "last-s")
}

// BenchmarkWithoutHash is what a sign-in costs besides the hash, on a file.
func BenchmarkWithoutHash(b *testing.B) {
	p := coretest.Open(b, coretest.OnDisk())
	b.ReportAllocs()
	for b.Loop() {
		p.SignIn("lin")
	}
}

// BenchmarkFactorCode is what checking an app's code costs, without the store: the
// whole window of steps is compared, whichever it is.
func BenchmarkFactorCode(b *testing.B) {
	secret := otp.NewSecret(rand.Reader)
	now := time.Now()
	code := otp.Code(secret, otp.Step(now))
	b.ReportAllocs()
	for b.Loop() {
		if v, _ := otp.Check(secret, code, now, 0, nil); v != otp.Accepted {
			b.Fatal(v)
		}
	}
}

// BenchmarkSignInWithFactor is a sign-in by password and app, both steps, without
// what the password's hash costs, on a store in memory.
func BenchmarkSignInWithFactor(b *testing.B) {
	p := coretest.Open(b)
	p.Set("session.max", "1") // else there are more and more to look at
	a := enrolApp(b, p, p.SignUp("mara"), "phone")
	b.ReportAllocs()
	for b.Loop() {
		signsIn(b, p, here, "mara", a)
	}
}

// BenchmarkTouch is what a key costs an open screen.
func BenchmarkTouch(b *testing.B) {
	p := coretest.Open(b)
	live := must(p.Sessions.Attach(ctx, p.Owner))(b)
	b.ReportAllocs()
	for b.Loop() {
		live.Touch()
	}
}
