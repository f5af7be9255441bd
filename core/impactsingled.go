// Those of whom a factor is asked for a reason of their own: they hold a role on the
// portal, or an app that demands one is shared with them. Everybody else is counted
// by what is asked of all (impactfactors.go); these are looked at one by one.

package core

import (
	"maps"
	"slices"
	"time"

	"postern/store"
)

// reasons are what a factor can be asked of an account for, beside what is asked of
// everybody.
type reasons struct {
	held standing
	apps []ruling // that demand one
}

func (r reasons) any() bool { return r.held.top > 0 || len(r.apps) > 0 }

// demand is demandedUnder for an account of which the reasons are known.
func (r reasons) demand(p FactorPolicy, a Account) (by time.Time, must bool) {
	by, must = p.demands(a, r.held)
	at, demand := p.appsDemand(r.apps)
	return soonest(by, must, at, demand)
}

// reasonsOf finds them among the grants of an account.
func (c *counter) reasonsOf(held []Grant) reasons {
	r := reasons{held: standing{roles: map[Role]bool{}}}
	for _, g := range held {
		if !g.active(c.now) {
			continue
		}
		if g.App == AppPostern {
			r.held.add(g)
		} else if a, demands := c.demanding[g.App]; demands {
			r.apps = append(r.apps, ruling{a, g})
		}
	}
	return r
}

// fewSingled is up to how many accounts are read one by one. Where there are more,
// as with an app that everybody has, walking all grants takes less.
const fewSingled = 2000

// askSingled counts those of them who are asked and must have a factor sooner, and
// returns how many have none that counts under the new policy.
func (c *counter) askSingled() (without int, err error) {
	if err := c.findDemanding(); err != nil {
		return 0, err
	}
	judge := func(h holding) error {
		why := c.reasonsOf(h.grants)
		if !why.any() {
			return nil
		}
		a, err := accounts.Get(c, h.account)
		if err == nil && a.State == StateActive && !h.protects(c.next.Factors) {
			without++
			c.ask(a, h, why)
		}
		return err
	}
	few, all, err := c.singled()
	if err != nil {
		return 0, err
	}
	if all {
		for _, account := range few {
			h, err := c.holdingOf(account)
			if err == nil {
				h.grants, err = c.held(account)
			}
			if err == nil {
				err = judge(h)
			}
			if err != nil {
				return without, err
			}
		}
		return without, c.ctx.Err()
	}
	looked := 0
	return without, c.holders(true, func(h holding) error {
		if looked++; looked%MaxPage == 0 {
			if err := c.looked(MaxPage); err != nil {
				return err
			}
		}
		return judge(h)
	})
}

// ask counts an account that has no factor which counts under the new policy.
func (c *counter) ask(a Account, h holding, why reasons) {
	by, must := why.demand(c.next.Factors, a)
	if !must {
		return
	}
	before, asked := why.demand(c.old.Factors, a)
	switch {
	case !asked || h.protects(c.old.Factors):
		c.out.Asked.add(a.UserName)
	case before.After(c.now) && by.Before(before):
		c.out.Sooner++
	default:
		return
	}
	if by = later(by, c.now); c.out.AskBy.IsZero() || by.Before(c.out.AskBy) {
		c.out.AskBy = by
	}
}

// findDemanding reads which apps demand a factor. Apps are few.
func (c *counter) findDemanding() error {
	c.demanding = map[string]App{}
	return eachRow(func(after string) ([]store.Row[App], error) {
		return apps.Page(c, after, MaxPage)
	}, func(a App) error {
		if a.State == AppActive && a.Policy.Factor {
			c.demanding[a.ID] = a
		}
		return c.ctx.Err()
	})
}

// singled returns the accounts that hold a role or have such an app, each once and
// in the order of their ids; all is false when they are too many to be returned.
func (c *counter) singled() (list []string, all bool, err error) {
	found := map[string]bool{}
	for _, app := range append([]string{AppPostern}, slices.Sorted(maps.Keys(c.demanding))...) {
		for after := ""; ; {
			rows, err := grants.PageBy(c, "role", app+"/", after, MaxPage)
			if err != nil {
				return nil, false, err
			}
			for _, r := range rows {
				if r.Value.active(c.now) {
					found[r.Value.Account] = true
				}
			}
			if len(found) > c.few {
				return nil, false, c.ctx.Err()
			}
			if len(rows) < MaxPage {
				break
			}
			after = rows[len(rows)-1].Cursor
		}
	}
	return slices.Sorted(maps.Keys(found)), true, nil
}
