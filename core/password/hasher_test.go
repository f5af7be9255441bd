package password

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func cheap(t testing.TB, slots int) *Hasher {
	t.Helper()
	h, err := NewInsecureHasher(CheapParams(), slots)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestPasswordMatchesItsHashAndNoOther(t *testing.T) {
	h := cheap(t, 2)
	ctx := t.Context()
	rapid.Check(t, func(t *rapid.T) {
		pw, other := rapid.StringN(0, 40, 200).Draw(t, "pw"), rapid.StringN(0, 40, 200).Draw(t, "other")
		normal, err := Normalize(pw)
		phc, hashErr := h.Hash(ctx, pw)
		if err != nil {
			if !errors.Is(hashErr, err) {
				t.Fatalf("Hash(%q): %v, Normalize: %v", pw, hashErr, err)
			}
			return
		}
		if hashErr != nil {
			t.Fatal(hashErr)
		}
		if ok, weaker, err := h.Verify(ctx, pw, phc); !ok || weaker || err != nil {
			t.Fatalf("Verify(own hash) = %v, %v, %v", ok, weaker, err)
		}
		otherNormal, err := Normalize(other)
		same := err == nil && otherNormal == normal
		if ok, _, err := h.Verify(ctx, other, phc); ok != same || err != nil {
			t.Fatalf("Verify(%q, hash of %q) = %v, %v", other, pw, ok, err)
		}
	})
}

// The same keys make the same password on systems that compose differently.
func TestDecomposedPasswordIsTheSame(t *testing.T) {
	h := cheap(t, 1)
	phc, err := h.Hash(t.Context(), "cafe\u0301 au lait")
	if err != nil {
		t.Fatal(err)
	}
	if ok, _, err := h.Verify(t.Context(), "caf\u00e9 au lait", phc); !ok || err != nil {
		t.Fatalf("composed form refused: %v", err)
	}
}

// ASVS 6.2.8: no trimming, no folding, no cutting off.
func TestPasswordIsVerifiedExactlyAsReceived(t *testing.T) {
	h := cheap(t, 1)
	pw := " Correct Horse " + strings.Repeat("x", 200)
	phc, err := h.Hash(t.Context(), pw)
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{strings.TrimSpace(pw), strings.ToLower(pw), pw[:len(pw)-1], pw + "x", pw[:72]} {
		if ok, _, _ := h.Verify(t.Context(), other, phc); ok {
			t.Errorf("%q is taken for %q", other, pw)
		}
	}
}

func TestUnusablePasswordIsWrongAndNoError(t *testing.T) {
	h := cheap(t, 1)
	phc, err := h.Hash(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, pw := range []string{"\xff", strings.Repeat("a", 10_000), "a\x00b"} {
		if ok, _, err := h.Verify(t.Context(), pw, phc); ok || err != nil {
			t.Errorf("Verify(%.10q) = %v, %v", pw, ok, err)
		}
		if err := h.Burn(t.Context(), pw); err != nil {
			t.Errorf("Burn(%.10q): %v", pw, err)
		}
	}
}

func TestEachHashHasItsOwnSalt(t *testing.T) {
	h := cheap(t, 1)
	a, _ := h.Hash(t.Context(), "correct horse")
	b, _ := h.Hash(t.Context(), "correct horse")
	if a == b {
		t.Error("two hashes of one password are equal")
	}
}

func TestHashMadeWithLowerCostsIsWeaker(t *testing.T) {
	now := Params{Memory: 64, Time: 2, Parallelism: 1, SaltLen: 16, KeyLen: 32}
	h, err := NewInsecureHasher(now, 1)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*Params)
		weaker bool
	}{
		"same":         {func(*Params) {}, false},
		"more memory":  {func(p *Params) { p.Memory = 128 }, false},
		"more of all":  {func(p *Params) { *p = Params{128, 3, 2, 32, 64} }, false},
		"less memory":  {func(p *Params) { p.Memory = 32 }, true},
		"fewer passes": {func(p *Params) { p.Time = 1 }, true},
		"shorter salt": {func(p *Params) { p.SaltLen = 8 }, true},
		"shorter key":  {func(p *Params) { p.KeyLen = 16 }, true},
		"traded":       {func(p *Params) { p.Memory, p.Time = 32, 8 }, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := now
			c.change(&p)
			old, err := NewInsecureHasher(p, 1)
			if err != nil {
				t.Fatal(err)
			}
			phc, err := old.Hash(t.Context(), "correct horse")
			if err != nil {
				t.Fatal(err)
			}
			if ok, weaker, err := h.Verify(t.Context(), "correct horse", phc); !ok || weaker != c.weaker || err != nil {
				t.Errorf("Verify = %v, %v, %v; want weaker %v", ok, weaker, err, c.weaker)
			}
		})
	}
}

func TestParametersHaveBounds(t *testing.T) {
	for _, p := range []Params{DefaultParams(), MinParams(), MaxParams()} {
		if err := p.Validate(); err != nil {
			t.Errorf("%+v: %v", p, err)
		}
	}
	for _, p := range []Params{
		{}, CheapParams(),
		{18 << 10, 10, 1, 16, 32}, {64 << 10, 1, 1, 16, 32}, {64 << 10, 3, 0, 16, 32},
		{64 << 10, 3, 1, 8, 32}, {64 << 10, 3, 1, 16, 8},
		{1 << 30, 3, 1, 16, 32}, {64 << 10, 100, 1, 16, 32}, {64 << 10, 3, 255, 16, 32},
	} {
		if _, err := NewHasher(p, 1); !errors.Is(err, ErrParams) {
			t.Errorf("NewHasher(%+v): %v", p, err)
		}
	}
}

// A stored string is not trusted: it can neither stop the process nor eat its
// memory, and it is no password's hash.
func TestHostileStoredHashIsRefused(t *testing.T) {
	h := cheap(t, 1)
	const salt, key = "c29tZXNhbHRzb21lc2FsdA", "RdescudvJCsgt3ub+b+dWRWJTmaaJObG"
	for _, phc := range []string{
		"", "$", "argon2id", strings.Repeat("$", 300), strings.Repeat("A", 1<<20),
		"$argon2d$v=19$m=64,t=1,p=1$" + salt + "$" + key,
		"$argon2id$v=16$m=64,t=1,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=64,t=0,p=1$" + salt + "$" + key,          // panics beneath
		"$argon2id$v=19$m=64,t=1,p=0$" + salt + "$" + key,          // panics beneath
		"$argon2id$v=19$m=4294967295,t=1,p=1$" + salt + "$" + key,  // 4 TiB
		"$argon2id$v=19$m=64,t=4294967295,p=1$" + salt + "$" + key, // for ever
		"$argon2id$v=19$m=64,t=1,p=1$" + salt + "$",                // every password's key
		"$argon2id$v=19$m=64,t=1,p=1$$" + key,
		"$argon2id$v=19$m=64,t=1,p=1garbage$" + salt + "$" + key,
		"$argon2id$v=19$m=64,t=1,p=1$" + salt + "\n$" + key,
		"$argon2id$v=19$m=064,t=1,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + key + "$",
	} {
		if ok, _, err := h.Verify(t.Context(), "", phc); ok || !errors.Is(err, ErrHash) {
			t.Errorf("Verify(%.60q) = %v, %v", phc, ok, err)
		}
	}
}

func TestHistoryIsSearched(t *testing.T) {
	h := cheap(t, 1)
	var history []string
	for _, pw := range []string{"first password", "second password"} {
		phc, err := h.Hash(t.Context(), pw)
		if err != nil {
			t.Fatal(err)
		}
		history = append(history, phc)
	}
	for pw, want := range map[string]bool{"second password": true, "first password": true, "third password": false} {
		if got, err := h.MatchesAny(t.Context(), pw, history); got != want || err != nil {
			t.Errorf("MatchesAny(%q) = %v, %v", pw, got, err)
		}
	}
	if _, err := h.MatchesAny(t.Context(), "third password", append(history, "broken")); !errors.Is(err, ErrHash) {
		t.Errorf("a broken history passes: %v", err)
	}
}

// occupy takes every slot of h until the returned function is called.
func occupy(h *Hasher) (free func()) {
	_ = h.slots.Acquire(context.Background(), h.memory)
	return func() { h.slots.Release(h.memory) }
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("never: " + what)
		}
	}
}

func TestWaitingEndsWithItsContext(t *testing.T) {
	h := cheap(t, 1)
	free := occupy(h)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { _, err := h.Hash(ctx, "correct horse"); done <- err }()
	waitFor(t, "one waits", func() bool { return h.Waiting() == 1 })
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
	if n := h.Waiting(); n != 0 {
		t.Errorf("%d still wait", n)
	}
	free()
	if _, err := h.Hash(t.Context(), "correct horse"); err != nil {
		t.Errorf("the slot was lost: %v", err)
	}
}

func TestTurnsComeInTheOrderOfArrival(t *testing.T) {
	h := cheap(t, 1)
	free := occupy(h)
	var wg sync.WaitGroup
	var order []int
	for i := range 20 {
		wg.Go(func() {
			_ = h.do(t.Context(), h.params.Memory, func() error { order = append(order, i); return nil })
		})
		waitFor(t, "it waits", func() bool { return h.Waiting() == i+1 })
	}
	free()
	wg.Wait()
	for i, got := range order {
		if got != i {
			t.Fatalf("order of service: %v", order)
		}
	}
}

func TestNeverMoreThanSlotsAtOnce(t *testing.T) {
	const slots = 3
	h := cheap(t, slots)
	var now, most atomic.Int64
	var wg sync.WaitGroup
	for i := range 200 {
		memory := h.params.Memory
		if i%10 == 0 {
			memory *= 100 // One that needs all there is has to run alone.
		}
		wg.Go(func() {
			_ = h.do(t.Context(), memory, func() error {
				n := now.Add(1)
				if memory > h.params.Memory && n != 1 {
					t.Errorf("a hash as large as all slots runs beside %d others", n-1)
				}
				for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				}
				runtime.Gosched()
				now.Add(-1)
				return nil
			})
		})
	}
	wg.Wait()
	if m := most.Load(); m > slots {
		t.Errorf("%d at once, %d slots", m, slots)
	}
	if n := h.Waiting(); n != 0 {
		t.Errorf("%d still wait", n)
	}
}

func FuzzVerifyArbitraryHash(f *testing.F) {
	h := cheap(f, 1)
	phc, err := h.Hash(f.Context(), "correct horse")
	if err != nil {
		f.Fatal(err)
	}
	f.Add("correct horse", phc)
	f.Add("", "$argon2id$v=19$m=8,t=0,p=0$$")
	f.Fuzz(func(t *testing.T, pw, phc string) {
		if p, err := decode(phc); err == nil && (p.Memory > 1024 || p.Time > 2) {
			t.Skip("valid and slow")
		}
		ok, _, err := h.Verify(t.Context(), pw, phc)
		if err != nil && (ok || !errors.Is(err, ErrHash)) {
			t.Fatalf("Verify = %v, %v", ok, err)
		}
	})
}

// ASVS 6.3.8: who does not exist costs what a hash made now costs, by taking the
// same way with the same parameters.
func TestNobodyCostsWhatEverybodyCosts(t *testing.T) {
	for _, p := range []Params{DefaultParams(), MinParams()} {
		h, err := NewHasher(p, 1)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := decode(h.nobody); got != p || err != nil {
			t.Errorf("nobody's hash costs %+v, %v; want %+v", got, err, p)
		}
	}
	h := cheap(t, 1)
	for _, pw := range []string{"", "password", "correct horse"} {
		if ok, _, err := h.Verify(t.Context(), pw, h.nobody); ok || err != nil {
			t.Errorf("%q is nobody's password: %v", pw, err)
		}
	}
	free := occupy(h)
	defer free()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.Burn(ctx, "correct horse"); !errors.Is(err, context.Canceled) {
		t.Errorf("Burn takes no place in the queue: %v", err)
	}
}

func TestAllSlotsTogetherFitTheMemory(t *testing.T) {
	for _, p := range []Params{DefaultParams(), MinParams(), MaxParams()} {
		h, err := NewHasher(p, 0)
		if err != nil {
			t.Fatal(err)
		}
		if h.memory > memoryBudget || h.memory < int64(p.Memory) {
			t.Errorf("%+v: %d KiB in all", p, h.memory)
		}
	}
}
