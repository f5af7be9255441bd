// Changing an app: by those who look after apps, and by its own owner.

package core

import (
	"context"
	"strings"
)

// appOwner finds who is to own an app: an active account.
func (t *txn) appOwner(ref string) (Account, error) {
	if ref == "" {
		ref = t.actor.Account
	}
	if ref == "" {
		return Account{}, refuseField(CodeRequired, "owner")
	}
	a, err := t.sharedWith(ref)
	if CodeOf(err) == CodeNotFound {
		err = refuseField(CodeNotFound, "owner")
	}
	if err == nil && a.State != StateActive {
		err = refuseField(CodeConflict, "owner")
	}
	return a, err
}

// change runs an act on an app.
func (s *Apps) change(ctx context.Context, actor Actor, action Action, ref string, fn func(*txn, App) error) error {
	return s.do(ctx, actor, action, "", func(t *txn) error {
		a, err := t.appFor(OpApps, ref)
		if err != nil {
			return err
		}
		t.entry.Target = a.Name
		if err := t.requireFresh(); err != nil {
			return err
		}
		if a.State != AppActive {
			return refuseField(CodeRetired, "app")
		}
		return fn(t, a)
	})
}

// Update changes an app: its owner may, and who manages apps. A role that somebody
// holds stays: CodeRoleInUse (field "roles") with the role and how many hold it.
// CodeConflict for another version, CodeRetired for a retired app; the refusals of Create;
// CodeWeaker with the setting for a rule that is weaker than the portal's.
func (s *Apps) Update(ctx context.Context, actor Actor, ref string, c AppChange) (App, error) {
	var a App
	err := s.change(ctx, actor, ActAppChange, ref, func(t *txn, old App) (err error) {
		a = old
		if c.Version != 0 && c.Version != a.Version {
			return refuse(CodeConflict)
		}
		if c.Name != nil {
			if a.Name, err = cleanAppName(*c.Name); err != nil {
				return err
			}
		}
		if c.Note != nil {
			if a.Note, err = cleanText("note", *c.Note, MaxAppNote, false); err != nil {
				return err
			}
		}
		if c.Roles != nil {
			if a.Roles, err = cleanRoles(c.Roles); err != nil {
				return err
			}
			if err := t.requireUnused(old, a); err != nil {
				return err
			}
		}
		if a.Policy, err = a.Policy.with(t.policy, c.Policy, t.now); err != nil {
			return err
		}
		a.Version++
		t.entry.Before, t.entry.After = changes(old.described(""), a.described(""))
		if err := apps.Put(t, a.ID, a); err != nil {
			return appNameError(err)
		}
		t.rulesChanged()
		list := []App{a}
		err = t.nameOwners(list)
		a = list[0]
		return err
	})
	if err != nil {
		return App{}, err
	}
	return a, nil
}

// requireUnused refuses to take away a role that is held.
func (t *txn) requireUnused(old, next App) error {
	held := map[Role]int{}
	err := t.eachShare(old.ID, func(g Grant) error {
		if !g.over(t.now) {
			held[g.Role]++
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, r := range old.Roles {
		if n := held[r.Name]; n > 0 && !next.role(r.Name) {
			return &Error{Code: CodeRoleInUse, Field: "roles", Rule: string(r.Name), N: n}
		}
	}
	return nil
}

// Transfer makes another account the app's owner (ref: user name, e-mail address or
// id). The one before keeps no role by it. Both are told. CodeConflict when it is
// that account's already, or that account is not active (field "owner");
// CodeNotFound (field "owner").
func (s *Apps) Transfer(ctx context.Context, actor Actor, ref, to string) error {
	id, err := s.ids.new(s.clock.Now())
	if err != nil {
		return asError(err)
	}
	return s.change(ctx, actor, ActAppTransfer, ref, func(t *txn, a App) error {
		if strings.TrimSpace(to) == "" {
			return refuseField(CodeRequired, "owner")
		}
		next, err := t.appOwner(to)
		if err != nil {
			return err
		}
		if next.ID == a.Owner {
			return refuseField(CodeConflict, "owner")
		}
		t.entry.About = next.ID
		t.entry.Before = map[string]string{"owner": reference(a.Owner)}
		t.entry.After = map[string]string{"owner": reference(next.ID)}
		return t.transfer(a, next, id)
	})
}

// transfer gives an app to an owner, who holds its owner's role by a grant with
// the id. The one before loses theirs.
func (t *txn) transfer(a App, next Account, id string) error {
	var gone []Grant
	err := t.eachShare(a.ID, func(g Grant) error {
		if g.Role == RoleAppOwner {
			gone = append(gone, g)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, g := range gone {
		if err := t.endShare(a, g); err != nil {
			return err
		}
	}
	a.Owner = next.ID
	a.Version++
	if err := apps.Put(t, a.ID, a); err != nil {
		return err
	}
	g := Grant{ID: id, App: a.ID, Account: next.ID, Role: RoleAppOwner, By: t.entry.Actor, Created: t.now}
	if err := t.insertShare(g); err != nil {
		return err
	}
	return t.tellShare(a, g)
}

// Retire ends an app for good, with every role on it, in one transaction; everybody
// who loses one is told. It says how many grants ended.
func (s *Apps) Retire(ctx context.Context, actor Actor, ref string) (int, error) {
	n := 0
	err := s.change(ctx, actor, ActAppRetire, ref, func(t *txn, a App) error {
		n = 0
		var all []Grant
		if err := t.eachShare(a.ID, func(g Grant) error { all = append(all, g); return nil }); err != nil {
			return err
		}
		for _, g := range all {
			if err := t.endShare(a, g); err != nil {
				return err
			}
			if g.Role != RoleAppOwner && !g.over(t.now) {
				n++
			}
		}
		a.State = AppRetired
		a.Version++
		t.entry.About = a.Owner
		t.entry.Before = map[string]string{"state": string(AppActive)}
		t.entry.After = map[string]string{"state": string(AppRetired), "shares_ended": itoa(n)}
		return apps.Put(t, a.ID, a)
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}
