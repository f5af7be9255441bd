// The hub of live sessions: it follows the store and tells open screens and
// listeners what concerns them.

package core

import (
	"context"
	"errors"
	"sync"
	"time"

	"postern/store"
)

// liveHub knows the sessions that are open on some screen of this process.
type liveHub struct {
	*base
	ctx     context.Context // done when the portal closes
	cancel  context.CancelFunc
	done    chan struct{}
	working sync.WaitGroup // timers and writes under way
	arming  sync.Mutex     // of the timers for the ends of roles

	mu        sync.Mutex
	closed    bool
	lives     map[string]map[*Live]bool // by session id
	listeners map[string]map[chan struct{}]bool
}

// newLiveHub makes b.live and starts to follow the store.
func newLiveHub(ctx context.Context, b *base) error {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	h := &liveHub{base: b, ctx: ctx, cancel: cancel, done: make(chan struct{}),
		lives: map[string]map[*Live]bool{}, listeners: map[string]map[chan struct{}]bool{}}
	changed, err := b.db.Watch(ctx, sessions.Prefix())
	if err != nil {
		cancel()
		return err
	}
	policy, err := b.db.Watch(ctx, policies.Prefix())
	if err != nil {
		cancel()
		return err
	}
	granted, err := b.db.Watch(ctx, grants.Prefix())
	if err != nil {
		cancel()
		return err
	}
	ruled, err := b.db.Watch(ctx, apps.Prefix())
	if err != nil {
		cancel()
		return err
	}
	b.live = h
	go h.run(changed, policy, granted, ruled)
	return nil
}

// close stops all timers and waits for what is under way. Screens that are
// still open are not told: their door closes them.
func (h *liveHub) close() {
	h.mu.Lock()
	h.closed = true
	var open []*Live
	for _, set := range h.lives {
		for l := range set {
			open = append(open, l)
		}
	}
	h.mu.Unlock()
	h.cancel()
	for _, l := range open {
		l.disarm()
	}
	<-h.done
	h.working.Wait()
}

// begin counts work in, so that close waits for it; false when it is too late.
func (h *liveHub) begin() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.working.Add(1)
	}
	return !h.closed
}

func (h *liveHub) add(l *Live) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	if h.lives[l.id] == nil {
		h.lives[l.id] = map[*Live]bool{}
	}
	h.lives[l.id][l] = true
	return true
}

func (h *liveHub) drop(l *Live) {
	l.disarm()
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.lives[l.id], l)
	if len(h.lives[l.id]) == 0 {
		delete(h.lives, l.id)
	}
}

func (h *liveHub) open(id string) []*Live {
	h.mu.Lock()
	defer h.mu.Unlock()
	var open []*Live
	for l := range h.lives[id] {
		open = append(open, l)
	}
	return open
}

// lastSeen returns when a session was last seen: on a screen that is open here,
// or else as it is stored, which may be up to touchEvery behind.
func (h *liveHub) lastSeen(id string, stored time.Time) time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.lives[id] {
		if at := time.Unix(0, l.seen.Load()).UTC(); at.After(stored) {
			stored = at
		}
	}
	return stored
}

// run follows the store until the portal closes.
func (h *liveHub) run(changed, policy, granted, ruled <-chan store.Event) {
	defer close(h.done)
	for changed != nil || policy != nil || granted != nil || ruled != nil {
		select {
		case e, ok := <-changed:
			switch {
			case !ok:
				changed = nil
			case e.Key == nil:
				h.reviewAll()
			default:
				if id, ok := sessions.ID(e.Key); ok {
					h.review(id, 0)
				}
			}
		case _, ok := <-policy:
			if !ok {
				policy = nil
				continue
			}
			h.reviewAll() // a policy takes effect in open screens too
		case _, ok := <-ruled:
			if !ok {
				ruled = nil
				continue
			}
			h.reviewAll() // and so do the rules of an app
		case e, ok := <-granted:
			switch {
			case !ok:
				granted = nil
			case e.Key == nil:
				h.reviewRoles("", 0)
			default:
				if id, ok := grants.ID(e.Key); ok {
					h.granted(id)
				}
			}
		}
	}
}

func (h *liveHub) reviewAll() {
	h.mu.Lock()
	ids := make([]string, 0, len(h.lives))
	for id := range h.lives {
		ids = append(ids, id)
	}
	h.mu.Unlock()
	for _, id := range ids {
		h.review(id, 0)
	}
	h.tell("")
}

// review looks at a session that may have changed and tells whom it concerns.
// Its timer then runs for at least least.
func (h *liveHub) review(id string, least time.Duration) {
	h.mu.Lock()
	concerned := len(h.lives[id]) > 0 || len(h.listeners) > 0
	h.mu.Unlock()
	if !concerned {
		return
	}
	var r sessionRecord
	var pol Policy
	var rules ruled
	err := h.read(h.ctx, Actor{}, func(t *txn) (err error) {
		r, err = sessions.Get(t, id)
		if errors.Is(err, store.ErrNotFound) {
			err = refuse(CodeNotFound)
		}
		if err != nil {
			return err
		}
		if pol, err = t.policyFor(r.Account); err != nil {
			return err
		}
		rules, err = t.rulings(r.Account)
		return err
	})
	if h.ctx.Err() != nil {
		return
	}
	if err == nil {
		h.tell(r.Account)
	}
	for _, l := range h.open(id) {
		switch {
		case err != nil:
			l.end(h.whyGone(l.account)) // when in doubt, closed
		case !r.Ended.IsZero():
			l.end(r.EndReason)
		default:
			l.arm(r, pol.Session, rules.next, least)
		}
	}
}

// whyGone says why a session that cannot be read any more is over.
func (h *liveHub) whyGone(account string) EndReason {
	err := h.read(h.ctx, Actor{}, func(t *txn) error {
		if _, err := accounts.Get(t, account); err != nil {
			return notFound(err, "account")
		}
		return nil
	})
	if CodeOf(err) == CodeNotFound {
		return EndDeleted
	}
	return EndGone
}

// tell wakes the listeners of an account, or all of them for "". A listener
// that has not looked yet is not woken twice.
func (h *liveHub) tell(account string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for of, set := range h.listeners {
		if account != "" && of != account {
			continue
		}
		for ch := range set {
			select {
			case ch <- struct{}{}:
			default:
			}
		}
	}
}

func (h *liveHub) listen(ctx context.Context, account string) <-chan struct{} {
	ch := make(chan struct{}, 1)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.listeners[account] == nil {
		h.listeners[account] = map[chan struct{}]bool{}
	}
	h.listeners[account][ch] = true
	context.AfterFunc(ctx, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.listeners[account], ch)
		if len(h.listeners[account]) == 0 {
			delete(h.listeners, account)
		}
	})
	return ch
}
