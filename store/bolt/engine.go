package bolt

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"go.etcd.io/bbolt"

	"postern/store"
	"postern/store/internal/overlay"
)

// maxBatch is how many transactions share one commit at most, so that none waits
// for an endless one.
const maxBatch = 256

// ErrInDoubt says that a commit failed so late that the disk may or may not have
// it. The engine takes no more changes until it is opened anew, which settles it.
var ErrInDoubt = errors.New("bolt: a commit failed at its last step; stop, look at the disk, and start again")

// engine is a store.Store over a bbolt database.
//
// Writers share a commit. One of them leads: it runs its own function, then gives
// every writer that waits its turn, one after the other, each above the changes
// of those before it, and then one transaction of bbolt makes all of them
// durable. It never waits for more to come: whoever arrives while a commit is
// being synced is in the next one, which the first of them leads. A function that
// fails leaves no trace, since its changes are a version of an immutable map that
// is dropped. Functions run in the goroutines that called Update, so that a panic
// or runtime.Goexit is that caller's alone.
type engine struct {
	db     *bbolt.DB
	hub    store.Hub
	lead   chan struct{} // holds one token; whoever has it may write to db
	queue  chan *request
	broken atomic.Pointer[error] // set once, when no more changes can be taken

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
}

var _ store.Store = (*engine)(nil)

// request is an Update that waits for its turn.
type request struct {
	claimed atomic.Bool      // by a leader, or by the caller that gives up or leads itself
	turn    chan *turn       // from the leader: run now
	ran     chan *overlay.Tx // to the leader: the changes, or nil when there are none to take over
	done    chan error       // from the leader: the outcome of the commit
}

// turn is what a function runs on.
type turn struct {
	base    overlay.Base
	changes overlay.Map
}

// newEngine returns the engine on an open database that has the buckets.
func newEngine(db *bbolt.DB) *engine {
	e := &engine{db: db, lead: make(chan struct{}, 1), queue: make(chan *request, maxBatch)}
	e.lead <- struct{}{}
	return e
}

// begin counts a transaction in, so that Close can wait for it.
func (e *engine) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return store.ErrClosed
	}
	e.running.Add(1)
	return nil
}

// View implements store.Store.
func (e *engine) View(ctx context.Context, fn func(store.Tx) error) error {
	if err := e.begin(ctx); err != nil {
		return err
	}
	defer e.running.Done()
	var btx *bbolt.Tx
	if err := guard(func() (err error) { btx, err = e.db.Begin(false); return err }); err != nil {
		return err
	}
	defer btx.Rollback()
	b, err := bucketsOf(btx)
	if err != nil {
		return err
	}
	tx := overlay.NewTx(b, overlay.Map{}, false)
	defer tx.End()
	return fn(tx)
}

// Update implements store.Store.
func (e *engine) Update(ctx context.Context, fn func(store.Tx) error) error {
	if err := e.begin(ctx); err != nil {
		return err
	}
	defer e.running.Done()
	select {
	case <-e.lead:
		return e.batch(ctx, fn)
	default:
	}
	r := &request{turn: make(chan *turn, 1), ran: make(chan *overlay.Tx, 1), done: make(chan error, 1)}
	select {
	case e.queue <- r:
	case <-e.lead:
		return e.batch(ctx, fn)
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case t := <-r.turn:
		return r.follow(ctx, t, fn)
	case <-e.lead: // no leader has claimed the request, or it would still have the token
		r.claimed.Store(true)
		return e.batch(ctx, fn)
	case <-ctx.Done():
		if r.claimed.CompareAndSwap(false, true) {
			return ctx.Err()
		}
		return r.follow(ctx, <-r.turn, fn)
	}
}

// follow runs fn on its turn in another writer's batch and waits for the outcome.
func (r *request) follow(ctx context.Context, t *turn, fn func(store.Tx) error) error {
	err := r.run(ctx, t, fn)
	if err != nil && t.changes.Len() == 0 {
		return err
	}
	// A refusal may rest on what an earlier function in this batch did, so it too
	// waits until that is durable.
	if outcome := <-r.done; outcome != nil {
		return outcome
	}
	return err
}

// run calls fn and hands the changes to the leader, or nothing when fn fails,
// panics or ends its goroutine.
func (r *request) run(ctx context.Context, t *turn, fn func(store.Tx) error) (err error) {
	tx := overlay.NewTx(t.base, t.changes, true)
	var result *overlay.Tx
	defer func() {
		tx.End()
		r.ran <- result
	}()
	if err = fn(tx); err == nil {
		err = ctx.Err()
	}
	if err == nil {
		result = tx
	}
	return err
}

// batch runs fn and the functions that wait, and commits what they did. The
// caller has the token, which batch gives back.
func (e *engine) batch(ctx context.Context, fn func(store.Tx) error) error {
	defer func() { e.lead <- struct{}{} }()
	var btx *bbolt.Tx
	var base buckets
	err := guard(func() (err error) {
		if broken := e.broken.Load(); broken != nil {
			return *broken
		}
		if btx, err = e.db.Begin(true); err != nil {
			return err
		}
		base, err = bucketsOf(btx)
		return err
	})
	undone := btx != nil
	defer func() {
		if undone { // nothing was changed
			_ = guard(btx.Rollback)
		}
	}()
	if err != nil {
		return err
	}
	own := overlay.NewTx(base, overlay.Map{}, true)
	defer own.End()
	if err := fn(own); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	own.End()
	changes, committed, followers := e.gather(base, own)
	if changes.Len() > 0 {
		undone = false
		err = e.commit(btx, base, changes)
	}
	if err == nil && e.hub.Watched() {
		for _, tx := range committed {
			e.hub.Publish(tx.Events())
		}
	}
	for _, r := range followers {
		r.done <- err
	}
	return err
}

// gather gives the writers that wait their turns, above the changes of the
// leader, and returns all changes, the transactions that made them, and who has
// to be told of the outcome.
func (e *engine) gather(base buckets, own *overlay.Tx) (changes overlay.Map, committed []*overlay.Tx, followers []*request) {
	changes, committed = own.Map(), append(committed, own)
	for len(followers) < maxBatch {
		var r *request
		select {
		case r = <-e.queue:
		default:
			return changes, committed, followers
		}
		if !r.claimed.CompareAndSwap(false, true) {
			continue // it has left
		}
		r.turn <- &turn{base, changes}
		if tx := <-r.ran; tx != nil && tx.Changed() {
			changes = tx.Map()
			committed = append(committed, tx)
		}
		followers = append(followers, r)
	}
	return changes, committed, followers
}

// Watch implements store.Store.
func (e *engine) Watch(ctx context.Context, prefix []byte) (<-chan store.Event, error) {
	return e.hub.Watch(ctx, prefix)
}

// Close implements store.Store.
func (e *engine) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return store.ErrClosed
	}
	e.closed = true
	e.mu.Unlock()
	e.running.Wait()
	e.hub.Close()
	return e.db.Close()
}

// commit applies the changes and makes them durable.
func (e *engine) commit(btx *bbolt.Tx, b buckets, changes overlay.Map) error {
	id := btx.ID()
	applied := false
	err := guard(func() error {
		if err := b.apply(changes); err != nil {
			return err
		}
		applied = true
		return btx.Commit()
	})
	if err == nil {
		return nil
	}
	if !applied {
		_ = guard(btx.Rollback)
		return fmt.Errorf("bolt: change: %w", err)
	}
	if errors.Is(err, store.ErrCorrupt) { // a panic in the middle of the commit
		_ = guard(btx.Rollback)
		e.broken.Store(&err)
		return err
	}
	if now, readErr := e.lastID(); readErr != nil || now >= id {
		doubt := fmt.Errorf("%w: %w", ErrInDoubt, err)
		e.broken.Store(&doubt)
		return doubt
	}
	return fmt.Errorf("bolt: commit refused: %w", err)
}

// lastID returns the id of the newest transaction that a reader sees.
func (e *engine) lastID() (id int, err error) {
	err = guard(func() error {
		return e.db.View(func(tx *bbolt.Tx) error {
			id = tx.ID()
			return nil
		})
	})
	return id, err
}
