// The sweep: what only time makes obsolete. Nothing depends on it for being
// refused; without it the store would grow with every failure and every
// forgotten session. What the policy keeps for a time of its own goes by retention,
// which can be counted before and is in the trail.

package core

import (
	"context"
	"time"

	"postern/store"
)

// sweepPage is how many records one transaction of a sweep looks at.
const sweepPage = 100

// Swept counts what a sweep did.
type Swept struct {
	Sessions int // marked as ended, because their time had come
	Attempts int // sign-ins that were begun and never finished, removed
	Guards   int // counts of failures that were long past, removed
	Codes    int // enrolments and sent codes that were never finished, removed
	Notices  int // notices that were read long ago, removed
	Grants   int // marked as ended, because their time had come
	Runs     int // of scripts, that a crash has left, marked as unknown, and removed when they ended long ago
	Keys     int // marked as ended, because their time had come
	Counts   int // counts of hours and days that nobody looks at any more, removed
}

// Sweep marks sessions, roles and keys as ended whose time has come, tells people
// of keys that end soon, and removes sign-ins that
// were never finished and failures that are forgotten, in small transactions, so
// that others can write meanwhile. Doors call it every hour; it may run at any
// time and stop at any point. A now that lies before the core's own clock is not
// believed. What it did before an error is counted.
func (p *Portal) Sweep(ctx context.Context, now time.Time) (Swept, error) {
	b := p.base
	if high := b.clock.Now(); now.Before(high) {
		now = high
	}
	now = now.UTC().Round(0)
	var s Swept
	var err error
	if s.Sessions, err = b.sweepSessions(ctx, now); err != nil {
		return s, err
	}
	if s.Grants, err = b.sweepGrants(ctx, now); err != nil {
		return s, err
	}
	if s.Keys, err = b.sweepKeys(ctx, now); err != nil {
		return s, err
	}
	s.Attempts, err = sweepTable(ctx, b, attempts, func(a attempt) bool { return !now.Before(a.Until) })
	if err != nil {
		return s, err
	}
	s.Guards, err = sweepTable(ctx, b, guardTable, func(r guardRecord) bool { return r.over(now) })
	if err != nil {
		return s, err
	}
	n, err := sweepTable(ctx, b, enrolments, func(e enrolment) bool { return !now.Before(e.Ends) })
	s.Codes += n
	if err != nil {
		return s, err
	}
	n, err = sweepTable(ctx, b, sentCodes, func(c sentCode) bool { return !now.Before(c.Until) })
	s.Codes += n
	if err != nil {
		return s, err
	}
	s.Notices, err = sweepTable(ctx, b, notices, func(n Notice) bool {
		return !n.Read.IsZero() && now.Sub(n.At) > noticeKept || now.Sub(n.At) > 2*noticeKept
	})
	if err != nil {
		return s, err
	}
	if s.Runs, err = b.resolveRuns(ctx); err != nil {
		return s, err
	}
	n, err = b.sweepRuns(ctx, now)
	s.Runs += n
	if err != nil {
		return s, err
	}
	s.Counts, err = b.sweepCounts(ctx, now)
	return s, err
}

// noticeKept is how long a notice that was read stays in an inbox; one that was
// not read stays twice as long.
const noticeKept = 180 * 24 * time.Hour

// sweepSessions marks the sessions that are over. Each has its own transaction
// and its own entry in the trail.
func (b *base) sweepSessions(ctx context.Context, now time.Time) (n int, err error) {
	for after := ""; ; {
		var rows []store.Row[sessionRecord]
		var over []string
		err := b.read(ctx, Actor{}, func(t *txn) (err error) {
			t.now = now
			rows, err = sessions.PageBy(t, "live", "", after, sweepPage)
			for _, r := range rows {
				done, err := t.over(r.Value)
				if err != nil {
					return err
				}
				if done {
					over = append(over, r.ID)
				}
			}
			return err
		})
		if err != nil {
			return n, err
		}
		for _, id := range over {
			if done, err := b.expire(ctx, id, now); err != nil {
				return n, err
			} else if done {
				n++
			}
		}
		if len(rows) < sweepPage {
			return n, nil
		}
		after = rows[len(rows)-1].Cursor
	}
}

// sweepTable removes the records of a table that are obsolete.
func sweepTable[T any](ctx context.Context, b *base, table *store.Table[T], obsolete func(T) bool) (n int, err error) {
	return sweepRows(ctx, b, table, obsolete, func(t *txn, id string, _ T) error { return table.Delete(t, id) })
}

// sweepRows is sweepTable of records that leave more than their place when they are
// removed.
func sweepRows[T any](ctx context.Context, b *base, table *store.Table[T], obsolete func(T) bool, remove func(t *txn, id string, v T) error) (n int, err error) {
	for after := ""; ; {
		var rows []store.Row[T]
		removed := 0
		err := b.db.Update(ctx, func(tx store.Tx) (err error) {
			removed = 0
			t := &txn{Tx: tx, base: b}
			if rows, err = table.Page(t, after, sweepPage); err != nil {
				return err
			}
			for _, r := range rows {
				if !obsolete(r.Value) {
					continue
				}
				if err := remove(t, r.ID, r.Value); err != nil {
					return err
				}
				removed++
			}
			return nil
		})
		if err != nil {
			return n, asError(err)
		}
		n += removed
		if len(rows) < sweepPage {
			return n, nil
		}
		after = rows[len(rows)-1].Cursor
	}
}
