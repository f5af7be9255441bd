// Open screens follow what their person holds: a role that is given, changed,
// ended or over is known on them within a second, while the session lives on.

package core

import (
	"time"

	"postern/store"
)

// RolesChanged wakes its receiver when what the session's account holds may have
// changed. Who has not looked yet is not woken twice.
func (l *Live) RolesChanged() <-chan struct{} { return l.roles }

func (l *Live) tellRoles() {
	select {
	case l.roles <- struct{}{}:
	default:
	}
}

// armRoles sets the timer for the next end of what the account holds, at least
// after least. Zero: nothing of it ends.
func (l *Live) armRoles(ends time.Time, least time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopRoles != nil {
		l.stopRoles()
		l.stopRoles = nil
	}
	if ends.IsZero() || l.over.Load() {
		return
	}
	l.stopRoles = l.hub.clock.AfterFunc(max(ends.Sub(l.hub.clock.Now()), least), l.rolesDue)
}

// rolesDue runs when something that the account holds should be over: that is
// written down, which wakes all its screens.
func (l *Live) rolesDue() {
	h := l.hub
	if !h.begin() {
		return
	}
	defer h.working.Done()
	least := time.Duration(0) // what is over by now ended while this was running
	if err := h.lapseOf(l.account); err != nil {
		least = rearmAfter
		if h.ctx.Err() == nil {
			h.log.Error("end of a role not written down", "error", err) // the sweep will
		}
	}
	h.reviewRoles(l.account, least)
}

// lapseOf writes down what has lapsed of all that an account holds.
func (h *liveHub) lapseOf(account string) error {
	now := h.clock.Now()
	var due []string
	err := h.read(h.ctx, Actor{}, func(t *txn) error {
		rows, err := grants.PageEq(t, "account", account, "", MaxPage)
		for _, r := range rows {
			if r.Value.over(now) {
				due = append(due, r.ID)
			}
		}
		return err
	})
	for _, id := range due {
		if err == nil {
			_, err = h.lapse(h.ctx, id, now)
		}
	}
	return err
}

// granted looks at a grant that was written.
func (h *liveHub) granted(id string) {
	if len(h.holders("")) == 0 {
		return
	}
	account := "" // of one that cannot be read, it may be anybody's
	_ = h.read(h.ctx, Actor{}, func(t *txn) error {
		g, err := grants.Get(t, id)
		account = g.Account
		return err
	})
	h.reviewRoles(account, 0)
}

// holders returns the open screens of an account, or of all of them for "".
func (h *liveHub) holders(account string) map[string][]*Live {
	h.mu.Lock()
	defer h.mu.Unlock()
	open := map[string][]*Live{}
	for _, set := range h.lives {
		for l := range set {
			if account == "" || l.account == account {
				open[l.account] = append(open[l.account], l)
			}
		}
	}
	return open
}

// reviewRoles wakes the screens of an account, or all of them for "", and sets
// their timers to run for at least least.
func (h *liveHub) reviewRoles(account string, least time.Duration) {
	for account, open := range h.holders(account) {
		h.armAll(account, open, least)
		for _, l := range open {
			l.tellRoles()
			h.review(l.id, least) // an app that is shared brings its rules along
		}
	}
}

// armAll sets the timers of an account's screens. Reading and setting are one
// step, or a slower reader would replace the timer of a newer one.
func (h *liveHub) armAll(account string, open []*Live, least time.Duration) {
	h.arming.Lock()
	defer h.arming.Unlock()
	ends := h.nextEnd(account)
	for _, l := range open {
		l.armRoles(ends, least)
	}
}

// nextEnd returns when the next of all that an account holds ends, which may be
// past when that is not written down yet; zero when nothing does, or when it
// cannot be read: then screens find out by themselves.
func (h *liveHub) nextEnd(account string) (next time.Time) {
	err := h.read(h.ctx, Actor{}, func(t *txn) error {
		return eachRow(func(after string) ([]store.Row[Grant], error) {
			return grants.PageEq(t, "account", account, after, MaxPage)
		}, func(g Grant) error {
			if g.Ended.IsZero() && !g.Until.IsZero() && (next.IsZero() || g.Until.Before(next)) {
				next = g.Until
			}
			return nil
		})
	})
	if err != nil && h.ctx.Err() == nil {
		h.log.Error("roles of an open screen not read", "error", err)
	}
	return next
}
