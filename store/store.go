// Package store is the contract between Postern's rules and whatever keeps the
// bytes: an ordered, transactional map from keys to values. It knows nothing of
// accounts. Engines live in store/bolt and store/memory; every engine passes
// storetest.Run, and nothing that uses a Store may lean on what only one engine
// promises (a single writer, for one).
package store

import (
	"context"
	"errors"
)

// MaxKey and MaxValue bound what an engine has to take, in bytes.
const (
	MaxKey   = 1024
	MaxValue = 4 << 20
)

var (
	// ErrNotFound says that a key, a record or an index entry is absent. An
	// empty value is present.
	ErrNotFound = errors.New("store: not found")
	// ErrExists says that Table.Insert met a record with the same id.
	ErrExists = errors.New("store: record exists")
	// ErrClosed says that the store was closed before the call.
	ErrClosed = errors.New("store: closed")
	// ErrReadOnly says that Put or Delete was called inside View.
	ErrReadOnly = errors.New("store: read-only transaction")
	// ErrTooLarge says that a key is empty or longer than MaxKey, or a value longer than MaxValue.
	ErrTooLarge = errors.New("store: key or value too large")
	// ErrCorrupt says that what was read is not what was written: a seal that
	// does not open, an index without its record. The operation is refused.
	ErrCorrupt = errors.New("store: corrupt data")
)

// Pair is one key and its value. Both slices belong to the caller.
type Pair struct {
	Key, Value []byte
}

// Tx is a transaction: a consistent view of all keys, and in Update the changes
// made so far. It is valid only inside the function it was handed to, and is
// not safe for use by several goroutines at once.
type Tx interface {
	// Get returns a copy of the value at key, or ErrNotFound.
	Get(key []byte) ([]byte, error)
	// Put sets key to a copy of value. An empty or nil value is kept as empty, and is not absent.
	Put(key, value []byte) error
	// Delete removes key. Deleting an absent key is not an error.
	Delete(key []byte) error
	// Scan returns at most n pairs whose keys begin with prefix and sort after
	// the key after (nil: from the first one), in ascending byte order. It sees
	// the transaction's own changes. Fewer than n pairs mean that there are no more.
	Scan(prefix, after []byte, n int) ([]Pair, error)
}

// Event says that the key was put or deleted by a committed transaction. The
// value is not carried: a watcher reads what it needs, under the rules that hold then.
type Event struct {
	Key     []byte
	Deleted bool
}

// Store is an ordered, transactional key-value store. All methods are safe for
// concurrent use. After Close every call returns ErrClosed.
type Store interface {
	// View runs fn on a consistent snapshot. Put and Delete return ErrReadOnly.
	View(ctx context.Context, fn func(Tx) error) error
	// Update runs fn and commits its changes durably, all or none: when Update
	// returns nil they survive a crash; when fn or the commit fails, nothing
	// changed. Transactions are serializable. fn must be pure but for its Tx,
	// since an engine may run it more than once; it must not call the Store, which
	// would wait for itself. A panic in fn, or the end of its goroutine, rolls back
	// and is the caller's.
	// A context that is done before the commit begins is answered with its error.
	Update(ctx context.Context, fn func(Tx) error) error
	// Watch sends an event for every committed change of a key with the prefix,
	// in commit order per key, until ctx is done; then the channel is closed.
	// A watcher that does not keep up loses events and then receives one Event
	// with a nil Key, which means "read everything anew".
	Watch(ctx context.Context, prefix []byte) (<-chan Event, error)
	// Close waits for running transactions, ends all watches and releases the store.
	Close() error
}
