package core

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"postern/store"
)

// FewRead says how many accounts an impact reads one by one: all, or none.
type FewRead int

// How many those of whom a factor is asked for a reason of their own may be.
const (
	ReadAll  FewRead = fewSingled
	ReadNone FewRead = 0
)

// ImpactBy is Policies.Impact that reads so many accounts one by one.
func ImpactBy(ctx context.Context, p *Portal, actor Actor, values map[string]string, few FewRead) (Impact, error) {
	return p.Policy.impact(ctx, actor, values, nil, int(few))
}

// FactorImpact is what an impact says of factors.
type FactorImpact struct{ Asked, Sooner, Losing int }

// CountOneByOne asks of every account what a change means for it.
func CountOneByOne(ctx context.Context, p *Portal, actor Actor, values map[string]string) (out FactorImpact, err error) {
	err = p.base.read(ctx, actor, func(t *txn) error {
		next, err := t.changed(values)
		if err != nil {
			return err
		}
		next.Factors.demandedSince(t.policy.Factors, t.now)
		return eachRow(func(after string) ([]store.Row[Account], error) { return accounts.Page(t, after, MaxPage) }, func(a Account) error {
			h, err := t.holdingOf(a.ID)
			if err != nil || a.State != StateActive {
				return err
			}
			before, asked, err := t.demandedUnder(t.policy.Factors, a)
			if err != nil {
				return err
			}
			by, must, err := t.demandedUnder(next.Factors, a)
			was, is := h.protects(t.policy.Factors), h.protects(next.Factors)
			if was && !is {
				out.Losing++
			}
			switch {
			case is || !must:
			case !asked || was:
				out.Asked++
			case before.After(t.now) && by.Before(before):
				out.Sooner++
			}
			return err
		})
	})
	return out, err
}

// RandomPortal puts people of every kind into a portal, apps that demand a factor
// and others, and a policy in force since some time.
func RandomPortal(ctx context.Context, p *Portal, r *rand.Rand) error {
	b := p.base
	return b.db.Update(ctx, func(tx store.Tx) error {
		now := b.clock.Now()
		t := &txn{Tx: tx, base: b, now: now}
		ago := func(days int) time.Time { return now.Add(-time.Duration(r.IntN(days*24)) * time.Hour) }
		var appIDs []string
		for i := range r.IntN(4) {
			a := App{ID: fmt.Sprint("app", i), Name: fmt.Sprint("App", i), Created: now, State: AppActive}
			if r.IntN(3) > 0 {
				a.Policy.Factor, a.Policy.FactorSince = true, ago(40)
			} else if r.IntN(2) == 0 {
				a.Policy.MinLength = 20
			}
			if r.IntN(5) == 0 {
				a.State = AppRetired
			}
			appIDs = append(appIDs, a.ID)
			if err := apps.Insert(t, a.ID, a); err != nil {
				return err
			}
		}
		for i := range r.IntN(30) {
			if err := t.randomPerson(r, i, ago, appIDs); err != nil {
				return err
			}
		}
		pol, err := policies.Get(t, policyNow)
		if err != nil {
			return err
		}
		f := &pol.Factors
		f.App, f.Key, f.Email = r.IntN(4) > 0, r.IntN(2) == 0, r.IntN(2) == 0
		f.KeyStands = []KeyStanding{KeyStandsForNothing, KeyStandsForFactor, KeyStandsForPassword}[r.IntN(3)]
		pol.Messages.MailAllowance = 100
		f.Days = r.IntN(20)
		if f.any() {
			f.Enforce = []Enforcement{EnforceNobody, EnforceAdmins, EnforceEverybody}[r.IntN(3)]
		}
		f.AdminsSince, f.EverybodySince = time.Time{}, time.Time{}
		if f.Enforce != EnforceNobody {
			f.AdminsSince = ago(30)
		}
		if f.Enforce == EnforceEverybody {
			f.EverybodySince = later(f.AdminsSince, ago(30))
		}
		return policies.Put(t, policyNow, pol)
	})
}

func (t *txn) randomPerson(r *rand.Rand, i int, ago func(days int) time.Time, appIDs []string) error {
	came := ago(40)
	id, err := t.base.ids.new(came)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("p%07d", i)
	a := Account{ID: id, UserName: name, DisplayName: name, State: StateActive, Created: came}
	if r.IntN(3) == 0 {
		a.Created, a.Imported = came.AddDate(-1, 0, 0), came
	}
	if r.IntN(6) == 0 {
		a.State = StateSuspended
	}
	if err := t.insertAccount(a, Credential{Hash: "x", Changed: came, Trail: testTrailKey}); err != nil {
		return err
	}
	for _, k := range []FactorKind{FactorApp, FactorEmail} {
		if r.IntN(4) > 0 {
			continue
		}
		f := factorRecord{Factor: Factor{ID: fmt.Sprint(k, id), Account: id, Kind: k, Created: came}, Secret: make([]byte, 20)}
		if r.IntN(5) == 0 {
			f.Disabled = came
		}
		if err := factors.Insert(t, f.ID, f); err != nil {
			return err
		}
	}
	if r.IntN(4) == 0 {
		k := LinkedKey{Fingerprint: "SHA256:" + id, Account: id, Line: "ssh-ed25519 " + id, Created: came}
		if r.IntN(4) == 0 {
			k.Ended = came
		}
		if err := linkedKeys.Insert(t, k.Fingerprint, k); err != nil {
			return err
		}
	}
	for n := range r.IntN(4) {
		g := Grant{ID: fmt.Sprint("g", n, id), App: AppPostern, Account: id, Role: Roles()[r.IntN(4)], Created: ago(40)}
		if len(appIDs) > 0 && r.IntN(4) > 0 {
			g.App, g.Role = appIDs[r.IntN(len(appIDs))], "member"
		}
		switch r.IntN(8) {
		case 0:
			g.From = t.now.Add(time.Hour)
		case 1:
			g.Until = ago(40) // over, and nobody wrote it down
		case 2:
			g.Ended = ago(40)
		}
		if err := grants.Insert(t, g.ID, g); err != nil {
			return err
		}
	}
	return nil
}

// ShareWithEverybody makes an app that demands a factor, and gives it to all.
func ShareWithEverybody(ctx context.Context, p *Portal) error {
	b := p.base
	now := b.clock.Now()
	app := App{ID: "everybodys", Name: "Everybody's", Created: now, State: AppActive, Policy: AppPolicy{Factor: true, FactorSince: now}}
	if err := b.db.Update(ctx, func(tx store.Tx) error { return apps.Insert(tx, app.ID, app) }); err != nil {
		return err
	}
	for after, more := "", true; more; {
		err := b.db.Update(ctx, func(tx store.Tx) error {
			rows, err := accounts.Page(tx, after, 10*MaxPage)
			for _, r := range rows {
				g := Grant{ID: "E" + r.ID, App: app.ID, Account: r.ID, Role: RoleMember, Created: now}
				if err := grants.Insert(tx, g.ID, g); err != nil {
					return err
				}
				after = r.Cursor
			}
			more = len(rows) == 10*MaxPage
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
