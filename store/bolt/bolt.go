// Package bolt is the store.Store on one file, through bbolt: for everything
// that has to outlive the process. A data directory holds
//
//	postern.db       the database, every value sealed
//	keyset.json      the keys to it (elsewhere, if the options say so)
//	postern.marker   which database belongs here, so that a lost one is noticed
//	postern.lock     who has it open
//
// all of mode 0600 in a directory of mode 0700. Open refuses what is not in
// order with an *OpenError, whose code says why and whose text says what to do,
// and never makes a new database where there may have been one.
//
// A transaction must not begin another one on the same store: bbolt has one
// writer, which would wait for itself. Long View functions keep old pages from
// being used again and may hold up a writer that makes the file grow.
package bolt

import (
	"context"

	"go.etcd.io/bbolt"

	"postern/store"
)

// The names of the files in a data directory.
const (
	DatabaseFile = "postern.db"
	KeysetFile   = "keyset.json"
	MarkerFile   = "postern.marker"
	LockFile     = "postern.lock"
)

// Store is an open data directory: a sealed store, and what only a file has.
type Store struct {
	store.Store // sealed

	engine *engine
	lock   *lock
	keys   *store.Keyset
	id     string
	path   string
}

var _ store.Store = (*Store)(nil)

// Keys returns the keyset that the database is sealed with.
func (s *Store) Keys() *store.Keyset { return s.keys }

// ID returns the id that the database was given when it was made. A restored
// backup keeps it.
func (s *Store) ID() string { return s.id }

// Path returns the path of the database file.
func (s *Store) Path() string { return s.path }

// Size returns the bytes of the file that are in use, free pages included.
func (s *Store) Size(ctx context.Context) (size int64, err error) {
	err = s.snapshot(ctx, func(tx *bbolt.Tx) error {
		size = tx.Size()
		return nil
	})
	return size, err
}

// Close waits for running transactions, closes the file and gives the directory up.
func (s *Store) Close() error {
	err := s.Store.Close()
	if err != store.ErrClosed {
		s.lock.release()
	}
	return err
}

// Rotate makes new keys, saves them in the keyset file, and then seals
// everything anew with them, while others go on reading and writing. Progress,
// when not nil, is told how many keys were looked at. When it is interrupted,
// the old keys stay, and Rotate can be run again.
func (s *Store) Rotate(ctx context.Context, progress func(done int)) error {
	if err := s.keys.Rotate(); err != nil {
		return err
	}
	if err := s.engine.maintain(ctx, func(tx *bbolt.Tx) error {
		return putCanary(tx, s.keys, s.id)
	}); err != nil {
		return err
	}
	return store.Reseal(ctx, s.Store, progress)
}

// snapshot runs fn on a consistent view of the whole file.
func (s *Store) snapshot(ctx context.Context, fn func(tx *bbolt.Tx) error) error {
	if err := s.engine.begin(ctx); err != nil {
		return err
	}
	defer s.engine.running.Done()
	return s.engine.db.View(fn)
}

// maintain changes what the engine knows about itself, between two batches.
func (e *engine) maintain(ctx context.Context, fn func(tx *bbolt.Tx) error) error {
	if err := e.begin(ctx); err != nil {
		return err
	}
	defer e.running.Done()
	select {
	case <-e.lead:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { e.lead <- struct{}{} }()
	if broken := e.broken.Load(); broken != nil {
		return *broken
	}
	return e.db.Update(fn)
}
