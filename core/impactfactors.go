// Who is asked for a factor by a change of the policy, who loses the last one, and
// who could not sign in any more.

package core

import (
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"postern/store"
)

// factors counts who is asked for a factor, who loses the last one and who could
// not sign in any more.
func (c *counter) factors() error {
	methods := c.old.Factors
	methods.Enforce, methods.Days = c.next.Factors.Enforce, c.next.Factors.Days
	protected := !sameMethods(methods, c.next.Factors) || c.next.Factors.Enforce == EnforceEverybody
	has, singled, err := c.walkFactors(protected)
	if err == nil && c.next.Factors.Enforce == EnforceEverybody {
		err = c.askEverybody(has, singled)
	}
	if err != nil {
		return err
	}
	if c.out.Asked.Count > 0 && !slices.ContainsFunc(c.base.enrollable(c.next.Factors, alone), func(k FactorKind) bool { return k != FactorKey }) {
		c.out.NoWay = c.out.Asked
	}
	return c.owners()
}

// walkFactors looks at those whom a change of factors can touch, in one walk where
// that is nearly everybody. protected says that it matters who holds a factor. It
// returns how many do that can sign in, and of those of whom a factor is asked for a
// reason of their own how many have none; both under the new policy.
func (c *counter) walkFactors(protected bool) (has, without int, err error) {
	if err := c.findDemanding(); err != nil {
		return 0, 0, err
	}
	few, all, err := c.singled()
	if err != nil {
		return 0, 0, err
	}
	if all {
		if protected {
			if has, err = c.protections(); err != nil {
				return 0, 0, err
			}
		}
		without, err = c.askFew(few)
		return has, without, err
	}
	err = c.holders(true, func(h holding, b *possessions) error {
		if protected {
			if err := c.protection(h); err != nil {
				return err
			}
		}
		if h.protects(c.next.Factors) {
			has++
			return nil
		}
		held, err := b.granted(c.txn, h.account)
		if err != nil {
			return err
		}
		asked, err := c.askOne(h, held)
		if asked {
			without++
		}
		return err
	})
	return has, without, err
}

// protections walks everybody who holds a factor or a key, and returns how many of
// those who can sign in have one that counts under the new policy.
func (c *counter) protections() (has int, err error) {
	err = c.holders(false, func(h holding, _ *possessions) error {
		if h.protects(c.next.Factors) {
			has++
		}
		return c.protection(h)
	})
	return has, err
}

// protection counts an account that can sign in, if it loses its last factor or could
// not sign in any more. It is read only for its name, or where that is in question.
func (c *counter) protection(h holding) error {
	old, next := c.old.Factors, c.next.Factors
	if h.protects(old) && !h.protects(next) {
		if err := c.touched(&c.out.Losing, 1, h.account); err != nil {
			return err
		}
	}
	barred := h.keys > 0 && old.keyStandsFor(KeyStandsForPassword) && !next.keyStandsFor(KeyStandsForPassword)
	if !barred && (!h.guards(next) || c.proves(next, h, helped)) {
		return nil
	}
	a, err := accounts.Get(c, h.account)
	if err != nil {
		return err
	}
	return c.shutOut(a, h)
}

// shutOut counts an account that can sign in now, if it could not any more.
func (c *counter) shutOut(a Account, h holding) error {
	could, err := c.mayEnter(c.old, a, h, helped)
	if err != nil || !could {
		return err
	}
	can, err := c.mayEnter(c.next, a, h, helped)
	if err == nil && !can {
		c.out.LockedOut.add(a.UserName)
	}
	return err
}

// askEverybody counts those without a factor of whom nothing but the common demand
// asks for one; the others are counted already. That is everybody but those who hold
// one, so that nobody else has to be read.
func (c *counter) askEverybody(has, singled int) error {
	old, next := c.old.Factors, c.next.Factors
	c.out.AskBy = later(next.EverybodySince.AddDate(0, 0, next.Days), c.now)
	without := max(c.out.Accounts-has-singled, 0)
	if old.Enforce != EnforceEverybody {
		if c.out.Asked.Count += without; without == 0 {
			return nil
		}
		return c.nameWithout()
	}
	without -= c.out.Losing.Count - c.out.Asked.Count // who keep having none
	c.out.Asked = c.out.Losing                        // everybody was asked already, and will be
	switch {
	case next.Days >= old.Days:
		return nil
	case old.EverybodySince.AddDate(0, 0, old.Days).After(c.now):
		c.out.Sooner += without
		return nil
	}
	return c.newcomersSooner()
}

// newcomersSooner counts those of whom nothing but the common demand asks for a
// factor, and for whom its time began when they came: it may still run where that
// of the others is over.
func (c *counter) newcomersSooner() error {
	old, next := c.old.Factors, c.next.Factors
	since := c.now.AddDate(0, 0, -old.Days)
	from, err := accountsFrom(since)
	if err != nil {
		return err
	}
	owned := possessionsFrom(from)
	return eachRow(func(after string) ([]store.Row[Account], error) {
		if after == "" {
			after = from
		}
		rows, err := accounts.Page(c, after, MaxPage)
		if err == nil {
			err = c.looked(len(rows))
		}
		return rows, err
	}, func(a Account) error {
		h, err := owned.of(c.txn, a.ID)
		if err != nil || a.State != StateActive || h.protects(old) || h.protects(next) {
			return err
		}
		held, err := owned.granted(c.txn, a.ID)
		if err != nil {
			return err
		}
		why := c.reasonsOf(held)
		if why.any() {
			return nil
		}
		by, _ := why.demand(next, a)
		if before, _ := why.demand(old, a); before.After(c.now) && by.Before(before) {
			c.out.Sooner++
		}
		return nil
	})
}

// idSlack is by how much the moment in an id and the one in its record may differ:
// the id is made first, and the act may be tried again.
const idSlack = time.Hour

// accountsFrom is where the accounts begin that were made since a moment, or
// imported since. Whoever walks from there looks at the moments in the records.
func accountsFrom(since time.Time) (string, error) {
	var id ulid.ULID
	err := id.SetTime(ulid.Timestamp(since.Add(-idSlack)))
	return id.String(), err
}

// nameSearch bounds how many accounts are looked at for the names of those who
// have no factor: where nearly everybody has one, fewer are named.
const nameSearch = 10 * MaxPage

// nameWithout goes on naming those who have no factor that counts and were not
// asked for one already.
func (c *counter) nameWithout() error {
	after := ""
	for seen := 0; seen < nameSearch && len(c.out.Asked.Names) < MaxNames; {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		rows, err := accounts.Page(c, after, MaxNames)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if r.Value.State != StateActive || len(c.out.Asked.Names) == MaxNames || slices.Contains(c.out.Asked.Names, r.Value.UserName) {
				continue
			}
			h, err := c.holdingOf(r.ID)
			if err != nil {
				return err
			}
			if h.protects(c.next.Factors) {
				continue
			}
			_, before, err := c.demandedUnder(c.old.Factors, r.Value)
			if err != nil {
				return err
			}
			if !before || h.protects(c.old.Factors) {
				c.out.Asked.Names = append(c.out.Asked.Names, r.Value.UserName)
			}
		}
		if len(rows) < MaxNames {
			break
		}
		seen, after = seen+len(rows), rows[len(rows)-1].Cursor
	}
	return nil
}

// owners looks whether the change would leave the portal without an owner who
// can sign in by themselves, where there is one now.
func (c *counter) owners() error {
	var could, can bool
	err := eachRow(func(after string) ([]store.Row[Grant], error) {
		return grants.PageEq(c, "role", AppPostern+"/"+string(RoleOwner), after, MaxPage)
	}, func(g Grant) error {
		if !g.active(c.now) {
			return nil
		}
		a, err := accounts.Get(c, g.Account)
		if err != nil {
			return err
		}
		h, err := c.holdingOf(a.ID)
		if err != nil {
			return err
		}
		was, err := c.mayEnter(c.old, a, h, alone)
		if err != nil || !was {
			return err
		}
		could = true
		is, err := c.mayEnter(c.next, a, h, alone)
		if err != nil || is {
			can = can || is
			return err
		}
		// Whoever could not even with help was counted already.
		if is, err = c.mayEnter(c.next, a, h, helped); is {
			c.out.LockedOut.add(a.UserName)
		}
		return err
	})
	c.out.EveryOwner = could && !can
	return err
}
