// People in the order of their last sign-in. No index has it (see
// docs/decisions/038): a page is found by one walk through everybody who is
// looked for, in small looks at the store, that keeps the best it has met.

package core

import (
	"context"
	"slices"
	"strings"
	"time"

	"postern/store"
)

// seen says whether an order is one by last sign-in.
func (s PeopleSort) seen() bool { return s == SortSeen || s == SortUnseen }

// SearchWatched is Search for whoever shows how far it is: progress, when not
// nil, is told after each look at the store how many people were looked at, and
// of how many, 0 when that is not known. Only the orders by last sign-in take
// more than one look. Such a page costs a walk through everybody who may be
// meant, in constant memory; it ends early when ctx does (CodeUnavailable), and
// when the actor's right to read accounts does.
//
// Who signs in between two pages moves to another place: they may then be on no
// page or on two, but never twice with the same sign-in.
func (s *Accounts) SearchWatched(ctx context.Context, actor Actor, q PeopleQuery, progress func(looked, of int)) (PeoplePage, error) {
	if !q.Sort.seen() {
		return s.Search(ctx, actor, q)
	}
	var f finder
	var best bestSeen
	of := 0
	err := s.read(ctx, actor, func(t *txn) (err error) {
		if err := t.may(OpReadAccounts, ""); err != nil {
			return err
		}
		if f, err = q.clean(); err != nil {
			return err
		}
		best = bestSeen{newest: f.Sort == SortSeen, most: f.N + 1}
		if best.after, err = f.seenCursor(); err != nil {
			return err
		}
		all, err := t.tally()
		of = all.Accounts
		return err
	})
	if err != nil {
		return PeoplePage{}, err
	}
	w := f.oneWalk()
	if !w.scan {
		of = 0
	}
	page := PeoplePage{Sort: f.Sort}
	if page.Looked, err = s.walkSeen(ctx, actor, f, w, &best, func(looked int) {
		if progress != nil {
			progress(looked, of)
		}
	}); err != nil {
		return PeoplePage{}, err
	}
	page.Accounts = best.list
	if len(page.Accounts) > f.N {
		page.Accounts = page.Accounts[:f.N]
		page.Next = f.Sort.cursorAt(page.Accounts[f.N-1])
	}
	return page, nil
}

// walkSeen shows best everybody on a way who is looked for, and returns how many
// were looked at.
func (s *Accounts) walkSeen(ctx context.Context, actor Actor, f finder, w walk, best *bestSeen, told func(looked int)) (looked int, err error) {
	step := searchMost
	if f.Factor != "" {
		step = factorMost
	}
	for after, more := "", true; more; {
		if err := ctx.Err(); err != nil {
			return looked, asError(err)
		}
		var rows []store.Row[Account]
		var found []Account
		err := s.read(ctx, actor, func(t *txn) (err error) {
			found = nil
			if err := t.may(OpReadAccounts, ""); err != nil {
				return err
			}
			if rows, err = w.page(t, after, step); err != nil {
				return err
			}
			for _, r := range rows {
				if r.Value.ID == "" || !best.wants(r.Value) {
					continue
				}
				if is, err := t.finds(f, w, r.Value); err != nil {
					return err
				} else if is {
					found = append(found, r.Value)
				}
			}
			return nil
		})
		if err != nil {
			return looked, err
		}
		best.take(found)
		if more = len(rows) == step; more {
			after = rows[len(rows)-1].Cursor
		}
		looked += len(rows)
		told(looked)
	}
	return looked, nil
}

// oneWalk is a way on which everybody is whom the query can mean, each once.
func (f finder) oneWalk() walk {
	if ways := f.walks(); len(ways) == 1 && !ways[0].scan {
		return ways[0]
	}
	return f.everybody()
}

// place is where an account stands in an order by last sign-in.
type place struct {
	at time.Time // zero: never
	id string
}

// cursorAt is where the page after an account begins: its order, its last
// sign-in and its id.
func (s PeopleSort) cursorAt(a Account) string {
	return string(s) + "@" + a.LastSignIn.UTC().Format(time.RFC3339Nano) + "/" + a.ID
}

// seenCursor reads such a place; without one, the walk is for the first page.
func (f finder) seenCursor() (*place, error) {
	if f.After == "" {
		return nil, nil
	}
	rest, ours := strings.CutPrefix(f.After, string(f.Sort)+"@")
	when, id, whole := strings.Cut(rest, "/")
	at, err := time.Parse(time.RFC3339Nano, when)
	if !ours || !whole || err != nil || id == "" || len(id) > store.MaxKey {
		return nil, store.ErrCursor
	}
	return &place{at, id}, nil
}

// bestSeen keeps the first accounts of an order that come after a place, at most
// so many of all that it is shown.
type bestSeen struct {
	newest bool // who signed in last comes first; else last, and never before all
	after  *place
	most   int
	list   []Account // in order
}

func (b *bestSeen) compare(a Account, p place) int {
	c := a.LastSignIn.Compare(p.at)
	if b.newest {
		c = -c
	}
	if c == 0 {
		c = strings.Compare(a.ID, p.id)
	}
	return c
}

// wants says whether an account has a place among them.
func (b *bestSeen) wants(a Account) bool {
	if b.after != nil && b.compare(a, *b.after) <= 0 {
		return false
	}
	if len(b.list) < b.most {
		return true
	}
	last := b.list[len(b.list)-1]
	return b.compare(a, place{last.LastSignIn, last.ID}) < 0
}

// take puts accounts in their places. One that a walk by an index meets again,
// since it has changed meanwhile, takes the place of what it was.
func (b *bestSeen) take(found []Account) {
	if len(found) == 0 {
		return
	}
	now := make(map[string]bool, len(found))
	for _, a := range found {
		now[a.ID] = true
	}
	b.list = slices.DeleteFunc(b.list, func(o Account) bool { return now[o.ID] })
	b.list = append(b.list, found...)
	slices.SortFunc(b.list, func(x, y Account) int { return b.compare(x, place{y.LastSignIn, y.ID}) })
	if len(b.list) > b.most {
		clear(b.list[b.most:]) // what is let go is not held on to
		b.list = b.list[:b.most]
	}
}
