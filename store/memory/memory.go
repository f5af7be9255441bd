// Package memory is a store.Store that keeps everything in the process: for
// tests, and for a demonstration that must leave nothing behind. A transaction
// reads an immutable version of the whole map, so readers never wait.
package memory

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"

	"postern/store"
	"postern/store/internal/overlay"
)

// Store is the engine. Make one with New.
type Store struct {
	hub     store.Hub
	current atomic.Pointer[overlay.Map]

	writer chan struct{} // holds one token; whoever has it may commit

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
}

var _ store.Store = (*Store)(nil)

// New returns an empty store.
func New() *Store {
	s := &Store{writer: make(chan struct{}, 1)}
	s.writer <- struct{}{}
	s.current.Store(&overlay.Map{})
	return s
}

// begin counts a transaction in, so that Close can wait for it.
func (s *Store) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return store.ErrClosed
	}
	s.running.Add(1)
	return nil
}

// View implements store.Store.
func (s *Store) View(ctx context.Context, fn func(store.Tx) error) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.running.Done()
	tx := overlay.NewTx(nothing{}, *s.current.Load(), false)
	defer tx.End()
	return fn(tx)
}

// Update implements store.Store. Writers take turns; a waiting one leaves when
// its context is done.
func (s *Store) Update(ctx context.Context, fn func(store.Tx) error) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	defer s.running.Done()
	select {
	case <-s.writer:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { s.writer <- struct{}{} }()
	tx := overlay.NewTx(nothing{}, *s.current.Load(), true)
	defer tx.End()
	if err := fn(tx); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	next := tx.Map()
	for _, e := range tx.Events() {
		if e.Deleted {
			next = next.Delete(string(e.Key)) // nothing lies below that would need the mark
		}
	}
	s.current.Store(&next)
	s.hub.Publish(tx.Events())
	return nil
}

// Watch implements store.Store.
func (s *Store) Watch(ctx context.Context, prefix []byte) (<-chan store.Event, error) {
	return s.hub.Watch(ctx, bytes.Clone(prefix))
}

// Close implements store.Store. Everything stored is gone. Closing again returns ErrClosed.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return store.ErrClosed
	}
	s.closed = true
	s.mu.Unlock()
	s.running.Wait()
	s.hub.Close()
	return nil
}

// nothing is the empty base under the map.
type nothing struct{}

func (nothing) Get([]byte) ([]byte, bool, error) { return nil, false, nil }

func (nothing) Seek(string, string, func(k, v []byte) bool) error { return nil }
