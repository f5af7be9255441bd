package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
)

// SealOverhead is the most bytes a seal adds to a value. Engines take values of
// MaxValue and this, so that a sealed store takes MaxValue.
const SealOverhead = 64

// sealed is a Store whose values are sealed before the engine sees them.
type sealed struct {
	inner Store
	keys  *Keyset
}

var _ Store = (*sealed)(nil)

// Seal returns a Store that encrypts and authenticates every value, bound to its
// key, and keeps it in s. Reading anything that was not sealed so, for that very
// key, returns ErrCorrupt. Keys themselves are authenticated but not hidden: the
// engine needs their order.
func Seal(s Store, keys *Keyset) Store {
	return &sealed{inner: s, keys: keys}
}

// View implements Store.
func (s *sealed) View(ctx context.Context, fn func(Tx) error) error {
	return s.inner.View(ctx, func(tx Tx) error { return fn(sealedTx{tx, s.keys}) })
}

// Update implements Store.
func (s *sealed) Update(ctx context.Context, fn func(Tx) error) error {
	return s.inner.Update(ctx, func(tx Tx) error { return fn(sealedTx{tx, s.keys}) })
}

// Watch implements Store.
func (s *sealed) Watch(ctx context.Context, prefix []byte) (<-chan Event, error) {
	return s.inner.Watch(ctx, prefix)
}

// Close implements Store.
func (s *sealed) Close() error { return s.inner.Close() }

// sealedTx seals what is put and opens what is read.
type sealedTx struct {
	inner Tx
	keys  *Keyset
}

var _ Tx = sealedTx{}

// Get implements Tx.
func (tx sealedTx) Get(key []byte) ([]byte, error) {
	b, err := tx.inner.Get(key)
	if err != nil {
		return nil, err
	}
	return tx.keys.open(b, key)
}

// Put implements Tx.
func (tx sealedTx) Put(key, value []byte) error {
	if len(value) > MaxValue {
		return ErrTooLarge
	}
	b, err := tx.keys.seal(value, key)
	if err != nil {
		return fmt.Errorf("store: seal: %w", err)
	}
	return tx.inner.Put(key, b)
}

// Delete implements Tx.
func (tx sealedTx) Delete(key []byte) error { return tx.inner.Delete(key) }

// Scan implements Tx.
func (tx sealedTx) Scan(prefix, after []byte, n int) ([]Pair, error) {
	pairs, err := tx.inner.Scan(prefix, after, n)
	if err != nil {
		return nil, err
	}
	for i, p := range pairs {
		if pairs[i].Value, err = tx.keys.open(p.Value, p.Key); err != nil {
			return nil, err
		}
	}
	return pairs, nil
}

// resealPage is how many keys one transaction of Reseal looks at.
const resealPage = 200

// Reseal brings every value that an older key sealed over to the primary key of
// the keyset, in small transactions, so that others can write meanwhile. The
// store must come from Seal. Progress, when not nil, is called with the number
// of keys looked at so far. It stops with the context's error, or ErrCorrupt at
// a seal that does not open, and can be run again. Watchers see the keys it
// changes as put.
func Reseal(ctx context.Context, s Store, progress func(done int)) error {
	st, ok := s.(*sealed)
	if !ok {
		return errors.New("store: reseal: the store is not sealed")
	}
	var after []byte
	for done := 0; ; {
		var page []Pair
		err := st.inner.Update(ctx, func(tx Tx) (err error) {
			page, err = tx.Scan(nil, after, resealPage)
			if err != nil {
				return err
			}
			return st.resealPage(tx, page)
		})
		if err != nil {
			return err
		}
		done += len(page)
		if progress != nil {
			progress(done)
		}
		if len(page) < resealPage {
			return nil
		}
		after = bytes.Clone(page[len(page)-1].Key)
	}
}

// resealPage seals anew what an older key sealed.
func (s *sealed) resealPage(tx Tx, page []Pair) error {
	for _, p := range page {
		if s.keys.current(p.Value) {
			continue
		}
		value, err := s.keys.open(p.Value, p.Key)
		if err != nil {
			return err
		}
		if err := (sealedTx{tx, s.keys}).Put(p.Key, value); err != nil {
			return err
		}
	}
	return nil
}
