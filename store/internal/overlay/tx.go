// Package overlay is the transaction that the engines share: changes in an
// immutable sorted map above a base that is only read. Nothing has to be undone
// when a transaction fails, since its changes are simply not taken over.
package overlay

import (
	"bytes"
	"errors"
	"iter"
	"slices"
	"strings"

	"postern/store"
	"postern/store/internal/ordered"
)

// Change is the state of one key above the base.
type Change struct {
	Value   []byte
	Deleted bool
}

// Map holds changes by key.
type Map = ordered.Map[Change]

// Base is what lies under the changes.
type Base interface {
	// Get returns a copy of the value at key and whether it is there.
	Get(key []byte) ([]byte, bool, error)
	// Seek yields the pairs at and after start whose keys begin with prefix, in
	// ascending order, until yield returns false. The slices need not outlive the
	// call of yield.
	Seek(prefix, start string, yield func(key, value []byte) bool) error
}

// ErrEnded says that a transaction was used after the function it was handed to had returned.
var ErrEnded = errors.New("store: transaction has ended")

// Tx implements store.Tx.
type Tx struct {
	base     Base
	changes  Map
	writable bool
	ended    bool
	touched  map[string]struct{}
}

var _ store.Tx = (*Tx)(nil)

// NewTx returns a transaction that sees changes above base.
func NewTx(base Base, changes Map, writable bool) *Tx {
	return &Tx{base: base, changes: changes, writable: writable}
}

// End makes every later call return ErrEnded.
func (tx *Tx) End() { tx.ended = true }

// Map returns the changes, those it began with included.
func (tx *Tx) Map() Map { return tx.changes }

// Changed says whether the transaction put or deleted anything itself.
func (tx *Tx) Changed() bool { return len(tx.touched) > 0 }

// Events returns an event for every key the transaction changed, in key order.
func (tx *Tx) Events() []store.Event {
	events := make([]store.Event, 0, len(tx.touched))
	for key := range tx.touched {
		c, _ := tx.changes.Get(key)
		events = append(events, store.Event{Key: []byte(key), Deleted: c.Deleted})
	}
	slices.SortFunc(events, func(a, b store.Event) int { return bytes.Compare(a.Key, b.Key) })
	return events
}

// Get implements store.Tx.
func (tx *Tx) Get(key []byte) ([]byte, error) {
	if tx.ended {
		return nil, ErrEnded
	}
	if c, ok := tx.changes.Get(string(key)); ok {
		if c.Deleted {
			return nil, store.ErrNotFound
		}
		return slices.Clone(c.Value), nil
	}
	v, ok, err := tx.base.Get(key)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, store.ErrNotFound
	}
	return v, nil
}

// Put implements store.Tx.
func (tx *Tx) Put(key, value []byte) error {
	if len(key) == 0 || len(key) > store.MaxKey || len(value) > store.MaxValue+store.SealOverhead {
		return store.ErrTooLarge
	}
	return tx.change(key, Change{Value: own(value)})
}

// Delete implements store.Tx.
func (tx *Tx) Delete(key []byte) error {
	if tx.writable && !tx.ended {
		switch _, err := tx.Get(key); {
		case errors.Is(err, store.ErrNotFound):
			return nil
		case err != nil:
			return err
		}
	}
	return tx.change(key, Change{Deleted: true})
}

// change records a change of the transaction's own.
func (tx *Tx) change(key []byte, c Change) error {
	switch {
	case tx.ended:
		return ErrEnded
	case !tx.writable:
		return store.ErrReadOnly
	}
	if tx.touched == nil {
		tx.touched = make(map[string]struct{})
	}
	k := string(key)
	tx.touched[k] = struct{}{}
	tx.changes = tx.changes.Put(k, c)
	return nil
}

// Scan implements store.Tx: it merges the changes with the base, of which a
// change hides the pair with the same key.
func (tx *Tx) Scan(prefix, after []byte, n int) ([]store.Pair, error) {
	if tx.ended {
		return nil, ErrEnded
	}
	if n <= 0 {
		return nil, nil
	}
	start := string(prefix)
	if after != nil {
		start = max(start, string(after)+"\x00") // the least key after it
	}
	next := func() (string, Change, bool) { return "", Change{}, false }
	if tx.changes.Len() > 0 {
		pull, stop := iter.Pull2(tx.changes.From(start))
		defer stop()
		next = pull
	}
	var pairs []store.Pair
	key, c, more := next()
	within := func(k string) bool { return strings.HasPrefix(k, string(prefix)) }
	takeChange := func() {
		if !c.Deleted {
			pairs = append(pairs, store.Pair{Key: []byte(key), Value: slices.Clone(c.Value)})
		}
		key, c, more = next()
	}
	err := tx.base.Seek(string(prefix), start, func(k, v []byte) bool {
		for more && key < string(k) && within(key) && len(pairs) < n {
			takeChange()
		}
		if len(pairs) >= n {
			return false
		}
		if more && key == string(k) {
			takeChange()
		} else {
			pairs = append(pairs, store.Pair{Key: slices.Clone(k), Value: own(v)})
		}
		return len(pairs) < n
	})
	if err != nil {
		return nil, err
	}
	for more && within(key) && len(pairs) < n {
		takeChange()
	}
	return pairs, nil
}

// own returns a copy that is never nil, so that empty is not mistaken for absent.
func own(b []byte) []byte { return append([]byte{}, b...) }
