// Counters: what the overview says, kept as it happens, in the transaction of
// the act itself, so that no screen ever reads a million records. What the trail
// says is counted by the hour; many writers share an hour, so it is spread over
// a few records that the sweep adds up when the hour has gone. Times are in UTC.

package core

import (
	"context"
	"errors"
	"time"

	"postern/store"
)

// Counts is what happened in a time.
type Counts struct {
	SignIns int `json:"sign_ins,omitempty"` // that came to a session
	Refused int `json:"refused,omitempty"`  // sign-ins that were refused
	SignUps int `json:"sign_ups,omitempty"` // new accounts, those that wait for approval too
}

func (c Counts) plus(o Counts) Counts {
	return Counts{c.SignIns + o.SignIns, c.Refused + o.Refused, c.SignUps + o.SignUps}
}

// How long counts are kept: hours for the plots of hours, days for those of
// weeks and a year's comparison.
const (
	hoursKept = 8 * 24 * time.Hour
	daysKept  = 400 * 24 * time.Hour
)

// countShards is over how many records an hour is spread while it is written.
const countShards = 8

// The keys of hours and days ascend with time.
const (
	hourForm = "2006010215"
	dayForm  = "20060102"
)

var (
	// freshCounts are hours that may still be written, keyed by hour and shard.
	freshCounts = store.NewTable[Counts]("count", 1)
	hourCounts  = store.NewTable[Counts]("count_hour", 1)
	dayCounts   = store.NewTable[Counts]("count_day", 1)
)

// mark is a moment to remember.
type mark struct {
	At time.Time `json:"at"`
}

var marks = store.NewTable[mark]("mark", 1)

const (
	markBackup = "backup" // the last backup
	markCount  = "count"  // from when on it is counted, where older data was brought up to date
)

func (t *txn) mark(id string) (time.Time, error) {
	m, err := marks.Get(t, id)
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return m.At, err
}

// counts is what an entry of the trail adds to its hour. A sign-in counts when
// its session begins, not at each of its steps; what only the store or the
// machine has refused is nobody's failure.
func (e Entry) counts() (c Counts) {
	switch {
	case e.Outcome == OutcomeDone && e.SignedIn:
		c.SignIns = 1
	case e.Outcome == OutcomeDone && e.Action == ActSignUp:
		c.SignUps = 1
	case e.Outcome == OutcomeRefused && e.Code != CodeInternal && e.Code != CodeUnavailable:
		switch e.Action {
		case ActSignIn, ActSignInCode, ActSignInKey, ActSignInFactor, ActSignInRecovery:
			c.Refused = 1
		}
	}
	return c
}

// shardOf spreads ids evenly.
func shardOf(id string) string {
	if id == "" {
		return "0"
	}
	return itoa(int(id[len(id)-1]) % countShards)
}

// writeEntry writes an entry of the trail and counts it. Nothing is written to
// the trail from anywhere else.
func writeEntry(tx store.Tx, e Entry) error {
	kept, err := sealPerson(tx, e)
	if err != nil {
		return err
	}
	if err := trail.Insert(tx, invert(e.ID), kept); err != nil {
		return err
	}
	if err := unsealed.Put(tx, e.ID, struct{}{}); err != nil {
		return err
	}
	if e.Action == ActBackup && e.Outcome == OutcomeDone {
		if err := marks.Put(tx, markBackup, mark{e.At}); err != nil {
			return err
		}
	}
	n := e.counts()
	if n == (Counts{}) {
		return nil
	}
	return addCounts(tx, freshCounts, e.At.UTC().Format(hourForm)+"/"+shardOf(e.ID), n)
}

func addCounts(tx store.Tx, table *store.Table[Counts], id string, n Counts) error {
	old, err := table.Get(tx, id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return table.Put(tx, id, old.plus(n))
}

// hourOf is the hour of a key of freshCounts or hourCounts.
func hourOf(id string) (time.Time, error) {
	at, err := time.Parse(hourForm, id[:min(len(id), len(hourForm))])
	if err != nil {
		err = store.ErrCorrupt
	}
	return at, err
}

// eachFresh walks what the sweep has not added up yet.
func (t *txn) eachFresh(fn func(hour time.Time, c Counts) error) error {
	for after := ""; ; {
		rows, err := freshCounts.Page(t, after, MaxPage)
		if err != nil {
			return err
		}
		for _, r := range rows {
			at, err := hourOf(r.ID)
			if err != nil {
				return err
			}
			if err := fn(at, r.Value); err != nil {
				return err
			}
		}
		if len(rows) < MaxPage {
			return nil
		}
		after = rows[len(rows)-1].Cursor
	}
}

// sweepCounts adds up the hours that have gone, and removes what is older than
// anybody looks at. An entry that comes late is added at the next sweep.
func (b *base) sweepCounts(ctx context.Context, now time.Time) (removed int, err error) {
	done := now.Add(-2 * time.Hour) // an act of the last hour may still be under way
	for after := ""; ; {
		var rows []store.Row[Counts]
		err := b.db.Update(ctx, func(tx store.Tx) (err error) {
			if rows, err = freshCounts.Page(tx, after, sweepPage); err != nil {
				return err
			}
			for _, r := range rows {
				at, err := hourOf(r.ID)
				if err != nil {
					return err
				}
				if !at.Before(done) {
					continue
				}
				if err := addCounts(tx, hourCounts, at.Format(hourForm), r.Value); err != nil {
					return err
				}
				if err := addCounts(tx, dayCounts, at.Format(dayForm), r.Value); err != nil {
					return err
				}
				if err := freshCounts.Delete(tx, r.ID); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return 0, asError(err)
		}
		if len(rows) < sweepPage {
			break
		}
		after = rows[len(rows)-1].Cursor
	}
	n, err := dropBefore(ctx, b, hourCounts, now.Add(-hoursKept).Format(hourForm))
	removed += n
	if err != nil {
		return removed, err
	}
	n, err = dropBefore(ctx, b, dayCounts, now.Add(-daysKept).Format(dayForm))
	return removed + n, err
}

// dropBefore removes the counts whose key lies before id. They come first.
func dropBefore(ctx context.Context, b *base, table *store.Table[Counts], id string) (n int, err error) {
	for {
		removed := 0
		err := b.db.Update(ctx, func(tx store.Tx) error {
			removed = 0
			rows, err := table.Page(tx, "", sweepPage)
			if err != nil {
				return err
			}
			for _, r := range rows {
				if r.ID >= id {
					break
				}
				if err := table.Delete(tx, r.ID); err != nil {
					return err
				}
				removed++
			}
			return nil
		})
		if n += removed; err != nil || removed < sweepPage {
			return n, asError(err)
		}
	}
}

// countAccount counts an account that came (from ""), that went (to "") or that
// is in another state now.
func (t *txn) countAccount(account string, from, to State) error {
	if from == to {
		return nil
	}
	n, err := t.tally()
	if err != nil {
		return err
	}
	for state, by := range map[State]int{from: -1, to: 1} {
		if state != "" {
			n.Accounts += by
			addTo(&n.States, state, by)
		}
	}
	if err := tallies.Put(t, tallyID, n); err != nil || from == "" || from != StateActive && to != StateActive {
		return err
	}
	bits, err := t.heldBits(account)
	if err != nil || bits == 0 {
		return err
	}
	return t.changeFactorCount(account, func(c *factorCount) {
		c.Moved++
		if from == StateActive {
			moveHeld(c, bits, 0)
		} else {
			moveHeld(c, 0, bits)
		}
	})
}

// countAll is the step that counts the accounts and factors of older data, a
// part at a time.
func countAll(tx store.Tx, after string) (next string, err error) {
	t := &txn{Tx: tx}
	if after == "" {
		for i := range countShards {
			if err := factorCounts.Delete(t, itoa(i)); err != nil {
				return "", err
			}
		}
		if err := tallies.Put(t, tallyID, tally{}); err != nil {
			return "", err
		}
	}
	rows, err := accounts.Page(t, after, migratePart)
	if err != nil {
		return "", err
	}
	n, err := t.tally()
	if err != nil {
		return "", err
	}
	for _, r := range rows {
		n.Accounts++
		addTo(&n.States, r.Value.State, 1)
		if err := t.countHolder(r.Value); err != nil {
			return "", err
		}
	}
	if err := tallies.Put(t, tallyID, n); err != nil || len(rows) < migratePart {
		return "", err
	}
	return rows[len(rows)-1].Cursor, nil
}

// countHolder counts what one account of older data holds.
func (t *txn) countHolder(a Account) error {
	list, err := t.factorsOf(a.ID)
	if err != nil {
		return err
	}
	keys, err := t.keysOf(a.ID)
	if err != nil || len(list) == 0 && len(keys) == 0 {
		return err
	}
	bits, err := t.heldBits(a.ID)
	if err != nil {
		return err
	}
	return t.changeFactorCount(a.ID, func(c *factorCount) {
		for _, f := range list {
			c.addFactor(f, 1)
		}
		if len(keys) > 0 {
			addTo(&c.In, FactorKey, len(keys))
		}
		if a.State == StateActive {
			moveHeld(c, 0, bits)
		}
	})
}

// countFromNow is the step that notes from when on the trail is counted, and
// looks for the last backup among what it says of the last month.
func countFromNow(tx store.Tx, after string) (next string, err error) {
	rows, err := trail.Page(tx, after, migratePart)
	if err != nil || len(rows) == 0 {
		return "", err
	}
	if after == "" {
		if err := marks.Put(tx, markCount, mark{rows[0].Value.At}); err != nil {
			return "", err
		}
	}
	since, err := marks.Get(tx, markCount)
	if err != nil {
		return "", err
	}
	for _, r := range rows {
		switch e := r.Value.Entry; {
		case since.At.Sub(e.At) > 31*24*time.Hour:
			return "", nil
		case e.Action == ActBackup && e.Outcome == OutcomeDone:
			return "", marks.Put(tx, markBackup, mark{e.At})
		}
	}
	if len(rows) < migratePart {
		return "", nil
	}
	return rows[len(rows)-1].Cursor, nil
}
