// Who is asked for a factor by a change of the policy, who loses the last one, and
// who could not sign in any more.

package core

import (
	"slices"

	"postern/store"
)

// factors counts who is asked for a factor, who loses the last one and who could
// not sign in any more.
func (c *counter) factors() error {
	var has int // of those who can sign in, who have a factor that counts under the new policy
	methods := c.old.Factors
	methods.Enforce, methods.Days = c.next.Factors.Enforce, c.next.Factors.Days
	if !sameMethods(methods, c.next.Factors) || c.next.Factors.Enforce == EnforceEverybody {
		var err error
		if has, err = c.protections(); err != nil {
			return err
		}
	}
	var err error
	switch c.next.Factors.Enforce {
	case EnforceAdmins:
		err = c.askAdmins()
	case EnforceEverybody:
		err = c.askEverybody(has)
	}
	if err != nil {
		return err
	}
	if c.out.Asked.Count > 0 && !slices.ContainsFunc(c.base.enrollable(c.next.Factors, alone), func(k FactorKind) bool { return k != FactorKey }) {
		c.out.NoWay = c.out.Asked
	}
	return c.owners()
}

// protections walks everybody who holds a factor or a key, and returns how many
// of them have one that counts under the new policy. Whoever cannot sign in is
// taken off afterwards, since they are few: an account is read only for its name.
func (c *counter) protections() (has int, err error) {
	old, next := c.old.Factors, c.next.Factors
	loses := func(h holding) bool { return h.protects(old) && !h.protects(next) }
	looked := 0
	err = c.holders(func(h holding) error {
		if looked++; looked%MaxPage == 0 {
			if err := c.looked(MaxPage); err != nil {
				return err
			}
		}
		if h.protects(next) {
			has++
		}
		if loses(h) {
			if err := c.touchedActive(&c.out.Losing, h.account); err != nil {
				return err
			}
		}
		shut := h.keys > 0 && old.keyStandsFor(KeyStandsForPassword) && !next.keyStandsFor(KeyStandsForPassword)
		if !shut && (!h.guards(next) || c.proves(next, h, helped)) {
			return nil
		}
		a, err := accounts.Get(c, h.account)
		if err != nil || a.State != StateActive {
			return err
		}
		return c.shutOut(a, h)
	})
	if err != nil {
		return has, err
	}
	return has, c.eachClosed(func(a Account) error {
		h, err := c.holdingOf(a.ID)
		if h.protects(next) {
			has--
		}
		if loses(h) {
			c.out.Losing.Count--
		}
		return err
	})
}

// touchedActive counts an account as touched, and names it if it is one of the
// first and can sign in; whoever cannot is taken off later.
func (c *counter) touchedActive(a *Affected, account string) error {
	a.Count++
	if len(a.Names) >= MaxNames {
		return nil
	}
	of, err := accounts.Get(c, account)
	if err == nil && of.State == StateActive {
		a.Names = append(a.Names, of.UserName)
	}
	return err
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

// askAdmins counts those who hold a role on the portal.
func (c *counter) askAdmins() error {
	c.out.AskBy = c.next.Factors.AdminsSince.AddDate(0, 0, c.next.Factors.Days)
	return c.eachAdmin(func(a Account, h holding) error {
		by, _, err := c.demandedUnder(c.next.Factors, a)
		if err != nil || h.protects(c.next.Factors) {
			return err
		}
		before, must, err := c.demandedUnder(c.old.Factors, a)
		switch {
		case err != nil:
			return err
		case !must || h.protects(c.old.Factors):
			c.out.Asked.add(a.UserName)
		case by.Before(before):
			c.out.Sooner++
		}
		return nil
	})
}

// askEverybody counts those without a factor. That is everybody but those who
// hold one, so that nobody else has to be read.
func (c *counter) askEverybody(has int) error {
	old, next := c.old.Factors, c.next.Factors
	c.out.AskBy = next.EverybodySince.AddDate(0, 0, next.Days)
	without := c.out.Accounts - has
	switch old.Enforce {
	case EnforceEverybody:
		c.out.Asked = c.out.Losing
		if before := old.EverybodySince.AddDate(0, 0, old.Days); before.After(c.now) && c.out.AskBy.Before(before) {
			c.out.Sooner = without - c.out.Asked.Count
		}
	default:
		asked, err := c.askedAlready()
		if err != nil {
			return err
		}
		c.out.Asked.Count = max(without-len(asked), 0)
		if c.out.Asked.Count > 0 {
			if c.out.Asked.Names, err = c.firstWithout(next, asked); err != nil {
				return err
			}
		}
	}
	return nil
}

// askedAlready finds the administrators who are asked for a factor now, and have
// none either way. They are few: those who run the portal.
func (c *counter) askedAlready() (map[string]bool, error) {
	asked := map[string]bool{}
	if c.old.Factors.Enforce != EnforceAdmins {
		return asked, nil
	}
	err := c.eachAdmin(func(a Account, h holding) error {
		if !h.protects(c.old.Factors) && !h.protects(c.next.Factors) {
			asked[a.ID] = true
		}
		return nil
	})
	return asked, err
}

// eachAdmin calls fn once for everybody who holds a role on the portal and can
// sign in.
func (c *counter) eachAdmin(fn func(Account, holding) error) error {
	seen := map[string]bool{}
	return eachRow(func(after string) ([]store.Row[Grant], error) {
		return grants.PageBy(c, "role", AppPostern+"/", after, MaxPage)
	}, func(g Grant) error {
		if seen[g.Account] || !g.active(c.now) {
			return c.ctx.Err()
		}
		seen[g.Account] = true
		a, err := accounts.Get(c, g.Account)
		if err != nil || a.State != StateActive {
			return err
		}
		h, err := c.holdingOf(a.ID)
		if err != nil {
			return err
		}
		return fn(a, h)
	})
}

// nameSearch bounds how many accounts are looked at for the names of those who
// have no factor: where nearly everybody has one, fewer are named.
const nameSearch = 10 * MaxPage

// firstWithout names the first who have no factor that counts, but for some.
func (c *counter) firstWithout(p FactorPolicy, but map[string]bool) ([]string, error) {
	var names []string
	after := ""
	for seen := 0; seen < nameSearch && len(names) < MaxNames; {
		if err := c.ctx.Err(); err != nil {
			return nil, err
		}
		rows, err := accounts.Page(c, after, MaxNames)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			if r.Value.State != StateActive || but[r.ID] || len(names) == MaxNames {
				continue
			}
			h, err := c.holdingOf(r.ID)
			if err != nil {
				return nil, err
			}
			if !h.protects(p) {
				names = append(names, r.Value.UserName)
			}
		}
		if len(rows) < MaxNames {
			break
		}
		seen, after = seen+len(rows), rows[len(rows)-1].Cursor
	}
	return names, nil
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
