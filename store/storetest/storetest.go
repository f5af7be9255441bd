// Package storetest is the contract of store.Store as tests. An engine passes
// when Run does. It also has Faulty, a store that fails where a test wants it to.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"postern/store"
)

// Engine makes the stores that Run works with. Every method is called from the
// test's own goroutine.
type Engine struct {
	// New returns an empty store. Run closes it.
	New func(t *testing.T) store.Store
	// Reopen closes the store and opens it again. An engine that keeps nothing leaves it nil.
	Reopen func(t *testing.T, s store.Store) store.Store
}

// Run tests an engine against the contract in the comments of package store.
// Reopen may be nil, for an engine that keeps nothing.
func Run(t *testing.T, newStore func(t *testing.T) store.Store, reopen func(t *testing.T, s store.Store) store.Store) {
	e := Engine{New: newStore, Reopen: reopen}
	for _, c := range []struct {
		name string
		test func(*testing.T, Engine)
	}{
		{"values are copies", testCopies},
		{"an empty value is not absent", testEmpty},
		{"sizes", testSizes},
		{"a view cannot write", testReadOnly},
		{"an error rolls back", testError},
		{"a panic rolls back", testPanic},
		{"the end of a goroutine rolls back", testGoexit},
		{"a transaction ends", testEnded},
		{"a cancelled context", testCancelled},
		{"scans are paged", testPaging},
		{"a scan sees own changes", testOwnChanges},
		{"a view is a snapshot", testSnapshot},
		{"100 goroutines count to 100", testCounter},
		{"a race for a unique value has one winner", testRace},
		{"readers never see half", testInvariant},
		{"watch", testWatch},
		{"watch overflows", testWatchOverflow},
		{"watch ends", testWatchEnds},
		{"closed", testClosed},
		{"data is kept", testReopen},
		{"a random history", testHistory},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, e) })
	}
}

// open returns a store that is closed when the test ends.
func (e Engine) open(t *testing.T) store.Store {
	t.Helper()
	s := e.New(t)
	t.Cleanup(func() { _ = s.Close() }) // a test may have closed it
	return s
}

// errRefused is what functions of these tests fail with.
var errRefused = errors.New("refused")

func update(t *testing.T, s store.Store, fn func(store.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), fn); err != nil {
		t.Fatalf("Update: %v", err)
	}
}

func put(t *testing.T, s store.Store, pairs ...string) {
	t.Helper()
	update(t, s, func(tx store.Tx) error {
		for i := 0; i < len(pairs); i += 2 {
			if err := tx.Put([]byte(pairs[i]), []byte(pairs[i+1])); err != nil {
				return err
			}
		}
		return nil
	})
}

// get returns the value at key, or "(absent)".
func get(t *testing.T, s store.Store, key string) (value string) {
	t.Helper()
	err := s.View(t.Context(), func(tx store.Tx) error {
		v, err := tx.Get([]byte(key))
		if errors.Is(err, store.ErrNotFound) {
			value = "(absent)"
			return nil
		}
		value = string(v)
		return err
	})
	if err != nil {
		t.Fatalf("Get %q: %v", key, err)
	}
	return value
}

func want(t *testing.T, s store.Store, key, value string) {
	t.Helper()
	if got := get(t, s, key); got != value {
		t.Errorf("%s is %q, want %q", key, got, value)
	}
}

// scan returns the pairs as one string, "a=1 b=2".
func scan(tx store.Tx, prefix, after string, n int) (string, error) {
	var from []byte
	if after != "" {
		from = []byte(after)
	}
	pairs, err := tx.Scan([]byte(prefix), from, n)
	out := ""
	for _, p := range pairs {
		out += fmt.Sprintf(" %s=%s", p.Key, p.Value)
	}
	return out, err
}

func wantScan(t *testing.T, tx store.Tx, prefix, after string, n int, pairs string) {
	t.Helper()
	got, err := scan(tx, prefix, after, n)
	if err != nil {
		t.Errorf("Scan: %v", err)
	}
	if pairs != "" {
		pairs = " " + pairs
	}
	if got != pairs {
		t.Errorf("Scan(%q, %q, %d) is%s, want%s", prefix, after, n, got, pairs)
	}
}

func view(t *testing.T, s store.Store, fn func(store.Tx) error) {
	t.Helper()
	if err := s.View(context.Background(), fn); err != nil {
		t.Fatalf("View: %v", err)
	}
}
