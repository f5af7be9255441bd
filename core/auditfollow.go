// Following the trail: whoever looks at it is woken when there is something new.

package core

import (
	"context"
	"sync"
)

// trailHub wakes those who follow the trail. It watches the store only while
// somebody does, once for all of them. The zero value is ready to use.
type trailHub struct {
	mu        sync.Mutex
	listeners map[chan struct{}]bool
	stop      context.CancelFunc // of the watch
}

// listen returns a channel that is woken after entries were written, until leave
// is called. One that has not looked yet is not woken twice.
func (h *trailHub) listen(b *base) (woken chan struct{}, leave func(), err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.listeners) == 0 {
		ctx, cancel := context.WithCancel(b.live.ctx)
		events, err := b.db.Watch(ctx, trail.Prefix())
		if err != nil {
			cancel()
			return nil, nil, err
		}
		h.stop, h.listeners = cancel, map[chan struct{}]bool{}
		go func() {
			for range events {
				h.tell()
			}
		}()
	}
	woken = make(chan struct{}, 1)
	h.listeners[woken] = true
	return woken, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.listeners, woken)
		if len(h.listeners) == 0 {
			h.stop()
		}
	}, nil
}

func (h *trailHub) tell() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for ch := range h.listeners {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}

// Follow returns a channel that is woken after the trail has got new entries,
// which Search then finds; many at once wake it once. It is closed when ctx is
// done, when the portal closes, and at the first new entry after the actor's
// right to read the trail has ended. CodeDenied.
func (a *Audit) Follow(ctx context.Context, actor Actor) (<-chan struct{}, error) {
	mayRead := func(t *txn) error { return t.may(OpReadAudit, "") }
	if err := a.read(ctx, actor, mayRead); err != nil {
		return nil, err
	}
	if !a.live.begin() {
		return nil, refuse(CodeUnavailable)
	}
	woken, leave, err := a.trails.listen(a.base)
	if err != nil {
		a.live.working.Done()
		return nil, asError(err)
	}
	out := make(chan struct{}, 1)
	go func() {
		defer a.live.working.Done()
		defer close(out)
		defer leave()
		for {
			select {
			case <-woken:
			case <-ctx.Done():
				return
			case <-a.live.ctx.Done():
				return
			}
			// A refusal is not written down here: it would wake whoever was refused.
			if _, err := a.look(ctx, actor, mayRead); err != nil {
				return
			}
			select {
			case out <- struct{}{}:
			default:
			}
		}
	}()
	return out, nil
}
