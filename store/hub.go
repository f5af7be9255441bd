package store

import (
	"bytes"
	"context"
	"sync"
)

// watchBuffer is how many events a watcher may lag behind before it is told to
// read everything anew.
const watchBuffer = 256

// Hub hands the events of committed transactions to watchers. Engines that have
// no change feed of their own use it: they call Publish after every commit, in
// commit order. The zero Hub is ready to use.
type Hub struct {
	mu       sync.Mutex
	watchers map[*watcher]struct{}
	closed   bool
}

// watcher is one Watch call. Its channel has one place more than watchBuffer,
// kept free for the event with a nil key, so that telling of a loss never waits
// for a reader.
type watcher struct {
	prefix []byte
	events chan Event
	lost   bool
	stop   func() bool
}

// Watch registers a watcher, as Store.Watch describes. It returns ErrClosed
// after Close, and the error of a context that is done already.
func (h *Hub) Watch(ctx context.Context, prefix []byte) (<-chan Event, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, ErrClosed
	}
	w := &watcher{prefix: bytes.Clone(prefix), events: make(chan Event, watchBuffer+1)}
	if h.watchers == nil {
		h.watchers = make(map[*watcher]struct{})
	}
	h.watchers[w] = struct{}{}
	w.stop = context.AfterFunc(ctx, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.remove(w)
	})
	return w.events, nil
}

// Watched says whether anybody watches, so that an engine can spare itself the events.
func (h *Hub) Watched() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.watchers) > 0
}

// Publish hands the events of one committed transaction to the watchers. It
// never waits for them.
func (h *Hub) Publish(events []Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for w := range h.watchers {
		for _, e := range events {
			if bytes.HasPrefix(e.Key, w.prefix) {
				w.send(e)
			}
		}
	}
}

// send queues the event, or records the loss. While a loss is being told the
// nil event is the last one queued, and what comes meanwhile may be dropped: the
// watcher has not begun to read anew, so it will see those changes too.
func (w *watcher) send(e Event) {
	if w.lost {
		if len(w.events) > 0 {
			return
		}
		w.lost = false
	}
	if len(w.events) < watchBuffer {
		w.events <- Event{Key: bytes.Clone(e.Key), Deleted: e.Deleted}
		return
	}
	w.lost = true
	w.events <- Event{}
}

// Close ends every watch.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for w := range h.watchers {
		h.remove(w)
	}
}

// remove ends one watch; it may come from its context and from Close.
func (h *Hub) remove(w *watcher) {
	if _, ok := h.watchers[w]; !ok {
		return
	}
	delete(h.watchers, w)
	w.stop()
	close(w.events)
}
