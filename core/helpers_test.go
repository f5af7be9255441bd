package core_test

import (
	"context"
	"errors"
	"maps"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"postern/core"
	"postern/core/coretest"
	"postern/core/password"
	"postern/core/script"
)

// The test's own binary is the child of scripts, as the program is.
func TestMain(m *testing.M) {
	if script.IsChild(os.Args[1:]) {
		os.Exit(script.Child(os.Stdin, os.Stdout))
	}
	goleak.VerifyTestMain(m)
}

var ctx = context.Background()

// strong passes every rule of every preset, and is not coretest.Password.
const strong = "Walnut-Harbour-73-Quilt"

// refused fails the test unless err is a refusal with this code and field.
func refused(t testing.TB, err error, code core.Code, field string) {
	t.Helper()
	var e *core.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want the refusal %s (%s)", err, code, field)
	}
	if e.Code != code || e.Field != field {
		t.Fatalf("got %s (%s): %v, want %s (%s)", e.Code, e.Field, err, code, field)
	}
}

// forbidden shows that err names the rule that every password is under, and its bound.
func forbidden(t testing.TB, err error, field, rule string, n int) {
	t.Helper()
	refused(t, err, core.CodePassword, field)
	var e *core.Error
	if errors.As(err, &e); e.Rule != rule || e.N != n {
		t.Fatalf("got the rule %q (%d), want %q (%d)", e.Rule, e.N, rule, n)
	}
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// parallel runs fn n times at once.
func parallel(n int, fn func(i int)) {
	var begin, end sync.WaitGroup
	begin.Add(1)
	for i := range n {
		end.Go(func() {
			begin.Wait()
			fn(i)
		})
	}
	begin.Done()
	end.Wait()
}

// substance is a dump without what a refusal may add: the trail and its marks, the counts of
// failures and the counters of the overview.
func substance(dump map[string]string) map[string]string {
	kept := maps.Clone(dump)
	maps.DeleteFunc(kept, func(k, _ string) bool {
		return strings.HasPrefix(k, "audit") || strings.HasPrefix(k, "unsealed") || strings.HasPrefix(k, "guard") || strings.HasPrefix(k, "count\x00")
	})
	return kept
}

// same fails the test unless two dumps hold the same.
func same(t testing.TB, before, after map[string]string) {
	t.Helper()
	for k, v := range after {
		if old, there := before[k]; !there {
			t.Errorf("there is a new record %q", k)
		} else if old != v {
			t.Errorf("%q changed from %s to %s", k, old, v)
		}
	}
	for k := range before {
		if _, there := after[k]; !there {
			t.Errorf("the record %q is gone", k)
		}
	}
}

// ends fails the test unless the screen is told this reason within a second or
// so; the bound is loose for a busy machine.
func ends(t testing.TB, live *core.Live, why core.EndReason) {
	t.Helper()
	select {
	case got := <-live.Ended():
		if got != why {
			t.Fatalf("the screen was told %q, want %q", got, why)
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("the screen was not told that its session ended (%s)", why)
	}
}

// lives fails the test when the screen was told that its session ended.
func lives(t testing.TB, live *core.Live) {
	t.Helper()
	select {
	case why := <-live.Ended():
		t.Fatalf("the screen was told %q, though its session lives", why)
	case <-time.After(30 * time.Millisecond):
	}
}

// eventually waits until what holds, for a busy machine long enough.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for range 2000 {
		if holds() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("never came true: %s", what)
}

// grant gives a role for good.
func grant(t testing.TB, p *coretest.Place, account string, role core.Role) {
	t.Helper()
	ok(t, core.GrantRole(p.Portal, account, role, time.Time{}))
}

// slowHasher hashes one password at a time, in tens of milliseconds.
func slowHasher(t testing.TB) *password.Hasher {
	t.Helper()
	return must(password.NewHasher(password.MinParams(), 1))(t)
}
