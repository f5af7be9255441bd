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
	var r reasons
	for _, g := range held {
		if !g.active(c.now) {
			continue
		}
		if g.App == AppPostern {
			if r.held.roles == nil { // few hold one
				r.held.roles = map[Role]bool{}
			}
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

// askFew asks so many, one by one, and returns how many of them askOne says it of.
func (c *counter) askFew(few []string) (without int, err error) {
	shut := c.newShut()
	for _, account := range few {
		if cannot, err := shut.has(c.txn, account); err != nil {
			return without, err
		} else if cannot {
			continue
		}
		h, err := c.holdingOf(account)
		if err != nil {
			return without, err
		}
		if h.protects(c.next.Factors) {
			continue
		}
		held, err := c.held(account)
		if err != nil {
			return without, err
		}
		asked, err := c.askOne(h, held)
		if err != nil {
			return without, err
		}
		if asked {
			without++
		}
	}
	return without, c.ctx.Err()
}

// askOne looks at one account that can sign in and has no factor that counts under
// the new policy: whether a factor is asked of it for a reason of its own. If so it is
// counted, where the change means something to it.
func (c *counter) askOne(h holding, held []Grant) (asked bool, err error) {
	why := c.reasonsOf(held)
	if !why.any() || !h.protects(c.old.Factors) && c.staysAsked(why) {
		return why.any(), nil
	}
	a, err := accountGlimpses.Get(c, h.account)
	if err == nil {
		c.ask(Account(a), h, why)
	}
	return true, err
}

// staysAsked says that the change means nothing to an account without a factor,
// before it and after, because an app asks it for one. Whatever else does, that is by
// a day which is over, or which the change does not bring nearer: that of the app
// stays or is put off, and what the portal begins to ask comes Days from now. So most
// of those who share an app with everybody need not be read.
func (c *counter) staysAsked(why reasons) bool {
	old, next := c.old.Factors, c.next.Factors
	by, asked := old.appsDemand(why.apps)
	return asked && (!by.After(c.now) || next.Days >= old.Days && !by.After(c.now.AddDate(0, 0, next.Days)))
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
