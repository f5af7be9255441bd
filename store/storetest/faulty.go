package storetest

import (
	"context"
	"errors"
	"sync"

	"postern/store"
)

// ErrInjected is the error of a call that Faulty lets fail.
var ErrInjected = errors.New("storetest: injected fault")

// Faulty is a Store of which one chosen call fails. A call is a View, an Update,
// a Watch, a Get, Put, Delete or Scan inside of a transaction, and the commit of
// an Update, counted from 1 in the order in which they come. To let every call of
// a flow fail in turn: run it once to learn Calls, then for n from 1 to that
// number begin with a fresh store, call FailAt(n), run it, and look.
type Faulty struct {
	inner store.Store

	mu    sync.Mutex
	calls int
	fail  int
}

var _ store.Store = (*Faulty)(nil)

// NewFaulty wraps a store. No call fails until FailAt.
func NewFaulty(s store.Store) *Faulty { return &Faulty{inner: s} }

// FailAt begins to count anew, and lets the nth call fail with ErrInjected: once.
// With 0 none fails.
func (f *Faulty) FailAt(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls, f.fail = 0, n
}

// Calls returns the number of calls since NewFaulty or the last FailAt.
func (f *Faulty) Calls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

// call counts one call and says how it ends.
func (f *Faulty) call() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	if f.calls == f.fail {
		return ErrInjected
	}
	return nil
}

// View implements store.Store.
func (f *Faulty) View(ctx context.Context, fn func(store.Tx) error) error {
	if err := f.call(); err != nil {
		return err
	}
	return f.inner.View(ctx, func(tx store.Tx) error { return fn(faultyTx{tx, f}) })
}

// Update implements store.Store. A commit that is to fail fails as a function
// would whose changes are all made: nothing is kept.
func (f *Faulty) Update(ctx context.Context, fn func(store.Tx) error) error {
	if err := f.call(); err != nil {
		return err
	}
	return f.inner.Update(ctx, func(tx store.Tx) error {
		if err := fn(faultyTx{tx, f}); err != nil {
			return err
		}
		return f.call()
	})
}

// Watch implements store.Store.
func (f *Faulty) Watch(ctx context.Context, prefix []byte) (<-chan store.Event, error) {
	if err := f.call(); err != nil {
		return nil, err
	}
	return f.inner.Watch(ctx, prefix)
}

// Close implements store.Store. It is not counted.
func (f *Faulty) Close() error { return f.inner.Close() }

// faultyTx counts what happens inside of a transaction.
type faultyTx struct {
	inner store.Tx
	f     *Faulty
}

var _ store.Tx = faultyTx{}

func (tx faultyTx) Get(key []byte) ([]byte, error) {
	if err := tx.f.call(); err != nil {
		return nil, err
	}
	return tx.inner.Get(key)
}

func (tx faultyTx) Put(key, value []byte) error {
	if err := tx.f.call(); err != nil {
		return err
	}
	return tx.inner.Put(key, value)
}

func (tx faultyTx) Delete(key []byte) error {
	if err := tx.f.call(); err != nil {
		return err
	}
	return tx.inner.Delete(key)
}

func (tx faultyTx) Scan(prefix, after []byte, n int) ([]store.Pair, error) {
	if err := tx.f.call(); err != nil {
		return nil, err
	}
	return tx.inner.Scan(prefix, after, n)
}
