// Roles whose time has come. They count for nothing from that moment, whoever
// looks; here it is written down, once, and open screens are told.

package core

import (
	"context"
	"errors"
	"time"

	"postern/store"
)

// grantKept is how long an ended grant stays on record; the trail has it for ever.
const grantKept = 90 * 24 * time.Hour

// sweepGrants writes down which roles have lapsed, each in its own transaction
// and with its own entry in the trail, and forgets what ended long ago.
func (b *base) sweepGrants(ctx context.Context, now time.Time) (n int, err error) {
	for {
		var due []string
		err := b.read(ctx, Actor{}, func(t *txn) error {
			rows, err := grants.PageBy(t, "until", "", "", sweepPage)
			for _, r := range rows {
				if r.Value.over(now) {
					due = append(due, r.ID)
				}
			}
			return err
		})
		if err != nil {
			return n, err
		}
		for _, id := range due {
			done, err := b.lapse(ctx, id, now)
			if err != nil {
				return n, err
			}
			if done {
				n++
			}
		}
		if len(due) < sweepPage {
			break
		}
	}
	_, err = sweepTable(ctx, b, grants, func(g Grant) bool { return !g.Ended.IsZero() && now.Sub(g.Ended) > grantKept })
	return n, err
}

// lapse writes down that a grant has come to its end, and tells its holder. It
// says whether it was this call that did.
func (b *base) lapse(ctx context.Context, id string, now time.Time) (done bool, err error) {
	e, err := b.newEntry(Actor{}, ActGrantLapsed, "")
	if err != nil {
		return false, asError(err)
	}
	err = b.db.Update(ctx, func(tx store.Tx) error {
		done = false
		t := &txn{Tx: tx, base: b, now: now, entry: e}
		if err := t.load(); err != nil {
			return err
		}
		g, err := grants.Get(t, id)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
		if !g.Ended.IsZero() || !g.over(now) {
			return nil
		}
		a, err := accounts.Get(t, g.Account)
		if errors.Is(err, store.ErrNotFound) {
			return grants.Delete(t, id) // nobody is left to hold it
		} else if err != nil {
			return err
		}
		t.entry.Actor, t.entry.Outcome, t.entry.About, t.entry.Target = ActorSystem, OutcomeDone, a.ID, a.UserName
		if g.App == AppPostern {
			err = t.endGrant(g, "")
		} else {
			err = t.endAppGrant(g)
		}
		if err != nil {
			return err
		}
		done = true
		return t.record(t.entry)
	})
	return done, asError(err)
}
