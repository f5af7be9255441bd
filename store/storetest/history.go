package storetest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"postern/store"
)

// testHistory runs random transactions against the engine and against a map. The
// keys are few and prefixes of each other, so that they meet often.
func testHistory(t *testing.T, e Engine) {
	s := e.open(t)
	defer func() { _ = s.Close() }()
	rapid.Check(t, func(r *rapid.T) {
		clearAll(t, s)
		h := &history{s: s, committed: map[string]string{}}
		actions := map[string]func(*rapid.T){
			"commit": func(r *rapid.T) { h.transaction(r, nil) },
			"fail":   func(r *rapid.T) { h.transaction(r, errRefused) },
			"read":   h.read,
			"":       h.compare,
		}
		if e.Reopen != nil {
			actions["reopen"] = func(r *rapid.T) {
				if rapid.IntRange(0, 9).Draw(r, "seldom") == 0 {
					s = e.Reopen(t, h.s)
					h.s = s
				}
			}
		}
		r.Repeat(actions)
	})
}

// history is a store and what must be in it.
type history struct {
	s         store.Store
	committed map[string]string
}

func drawKey(r *rapid.T) string {
	return rapid.StringOfN(rapid.RuneFrom([]rune("ab\x00\x01/")), 1, 3, -1).Draw(r, "key")
}

// transaction makes random changes, looks at them from inside, and commits or fails.
func (h *history) transaction(r *rapid.T, outcome error) {
	var model map[string]string
	type step struct {
		key, value string
		deleted    bool
	}
	steps := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) step {
		return step{drawKey(r), rapid.StringN(0, 8, 64).Draw(r, "value"), rapid.Bool().Draw(r, "delete")}
	}), 0, 12).Draw(r, "steps")
	prefix, after, n := drawScan(r)
	err := h.s.Update(context.Background(), func(tx store.Tx) error {
		model = maps.Clone(h.committed)
		for _, s := range steps {
			if s.deleted {
				delete(model, s.key)
				if err := tx.Delete([]byte(s.key)); err != nil {
					return err
				}
				continue
			}
			model[s.key] = s.value
			if err := tx.Put([]byte(s.key), []byte(s.value)); err != nil {
				return err
			}
		}
		compareScan(r, tx, model, prefix, after, n)
		return outcome
	})
	if !errors.Is(err, outcome) {
		r.Fatalf("Update returns %v, want %v", err, outcome)
	}
	if outcome == nil {
		h.committed = model
	}
}

// read compares one key and one page.
func (h *history) read(r *rapid.T) {
	key := drawKey(r)
	prefix, after, n := drawScan(r)
	err := h.s.View(context.Background(), func(tx store.Tx) error {
		got, err := tx.Get([]byte(key))
		value, ok := h.committed[key]
		if ok && (err != nil || string(got) != value) || !ok && !errors.Is(err, store.ErrNotFound) {
			r.Fatalf("Get(%q) is %q, %v; want %q, %v", key, got, err, value, ok)
		}
		compareScan(r, tx, h.committed, prefix, after, n)
		return nil
	})
	if err != nil {
		r.Fatalf("View: %v", err)
	}
}

// compare is the invariant: everything is as the model says.
func (h *history) compare(r *rapid.T) {
	err := h.s.View(context.Background(), func(tx store.Tx) error {
		compareScan(r, tx, h.committed, "", nil, 1000)
		return nil
	})
	if err != nil {
		r.Fatalf("View: %v", err)
	}
}

func drawScan(r *rapid.T) (prefix string, after []byte, n int) {
	prefix = rapid.StringOfN(rapid.RuneFrom([]rune("ab\x00\x01/")), 0, 2, -1).Draw(r, "prefix")
	if rapid.Bool().Draw(r, "paged") {
		after = []byte(drawKey(r))
	}
	return prefix, after, rapid.IntRange(0, 5).Draw(r, "n")
}

func compareScan(r *rapid.T, tx store.Tx, model map[string]string, prefix string, after []byte, n int) {
	pairs, err := tx.Scan([]byte(prefix), after, n)
	if err != nil {
		r.Fatalf("Scan: %v", err)
	}
	var wanted []string
	for _, key := range slices.Sorted(maps.Keys(model)) {
		if strings.HasPrefix(key, prefix) && (after == nil || key > string(after)) && len(wanted) < n {
			wanted = append(wanted, key)
		}
	}
	var got []string
	for _, p := range pairs {
		got = append(got, string(p.Key))
		if model[string(p.Key)] != string(p.Value) {
			r.Fatalf("%q is %q, want %q", p.Key, p.Value, model[string(p.Key)])
		}
	}
	if !slices.Equal(got, wanted) {
		r.Fatalf("Scan(%q, %q, %d) is %q, want %q", prefix, after, n, got, wanted)
	}
}

// clearAll empties the store between two histories.
func clearAll(t *testing.T, s store.Store) {
	update(t, s, func(tx store.Tx) error {
		pairs, err := tx.Scan(nil, nil, 1000)
		for _, p := range pairs {
			err = errors.Join(err, tx.Delete(p.Key))
		}
		return err
	})
}
