// The check of what is counted: everything is counted anew and compared.

package core

import (
	"maps"
	"slices"
	"time"
)

// counters counts accounts, factors and keys anew, and what the trail says of
// the last week, and reports where the counters differ.
func (c *checker) counters() error {
	states := map[State]int{}
	want := factorCount{}
	err := each(c, accounts, func(id string, a Account) error {
		addTo(&states, a.State, 1)
		bits, err := c.heldBits(id)
		if err == nil && a.State == StateActive {
			moveHeld(&want, 0, bits)
		}
		return err
	})
	if unreadable(err) {
		return nil // reported by its table
	} else if err != nil {
		return err
	}
	if err := each(c, factors, func(_ string, f factorRecord) error { want.addFactor(f, 1); return nil }); err != nil {
		return err
	}
	if err := each(c, linkedKeys, func(_ string, k LinkedKey) error { want.addKey(k, 1); return nil }); err != nil {
		return err
	}
	n, err := c.tally()
	if unreadable(err) {
		return nil
	} else if err != nil {
		return err
	}
	differ(c, "accounts", states, n.States)
	got, err := c.factorTotals()
	if unreadable(err) {
		return nil
	} else if err != nil {
		return err
	}
	differ(c, "factors", want.In, got.In)
	differ(c, "accounts by what they hold", want.Held, got.Held)
	if want.Off != got.Off {
		c.reportf("%d disabled factors are counted, and %d are there", got.Off, want.Off)
	}
	return c.hours()
}

// differ reports the parts of two counts that are not the same.
func differ[K ~string | ~uint8](c *checker, what string, want, got map[K]int) {
	keys := slices.Collect(maps.Keys(want))
	for k := range got {
		if _, there := want[k]; !there {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for _, k := range keys {
		if want[k] != got[k] {
			c.reportf("%s (%v): %d are counted, and %d are there", what, k, got[k], want[k])
		}
	}
}

// hours counts the trail of the last week anew. The hour in which the counting
// of older data began is left out: it was not counted from its beginning.
func (c *checker) hours() error {
	begin := c.now.Add(-7 * 24 * time.Hour).Truncate(time.Hour).Add(time.Hour)
	since, err := c.mark(markCount)
	if unreadable(err) {
		return nil
	} else if err != nil {
		return err
	}
	if !since.IsZero() {
		begin = later(begin, since.Truncate(time.Hour).Add(time.Hour))
	}
	want := map[time.Time]Counts{}
	after := ""
	for more := true; more; {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		rows, err := trail.Page(c, after, MaxPage)
		if unreadable(err) {
			return nil
		} else if err != nil {
			return err
		}
		more = len(rows) == MaxPage
		for _, r := range rows {
			at := r.Value.At.UTC().Truncate(time.Hour)
			// Entries ascend by id; those of one moment may lie in any order about it.
			if at.Before(begin.Add(-time.Hour)) {
				more = false
				break
			}
			want[at] = want[at].plus(r.Value.counts())
		}
		if len(rows) > 0 {
			after = rows[len(rows)-1].Cursor
		}
	}
	got, err := c.hoursFrom(begin)
	if unreadable(err) {
		return nil
	} else if err != nil {
		return err
	}
	// Entries that were taken out with their account were counted when they came.
	gone, err := chainGone.RawPage(c, "", 1)
	if err != nil {
		return err
	}
	for at := begin; !at.After(c.now) && len(gone) == 0; at = at.Add(time.Hour) {
		if want[at] != got[at] {
			c.reportf("the hour of %s counts %+v, and its trail %+v", at.Format(time.RFC3339), got[at], want[at])
		}
	}
	return nil
}
