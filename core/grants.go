// Roles given and ended. access.go decides what a role may do; here is how
// somebody comes to one, until when, and how it ends. A permanent owner who can
// sign in always remains, whatever happens at the same moment.

package core

import (
	"context"
	"strings"
	"time"

	"postern/store"
)

// MaxGrantDays is how far ahead the end of a role may lie; what is to last longer
// is given for good.
const MaxGrantDays = 3650

// Access gives, changes, lists and ends roles on the portal.
type Access struct{ *base }

// Grant gives the account ref (user name, e-mail address or id) a role until a
// moment, or for good when until is zero. An owner gives every role, an admin
// only the lesser ones; nobody gives one to themselves, nor for longer than they
// hold their own. CodeDenied (field "role" for one above), CodeStepUp,
// CodeNotFound, CodeOwnRole and CodeNotActive (field "user"), CodeFormat and
// CodeHasRole (field "role"), CodeEndPast, CodeEndFar and CodeEndBeyond (field
// "until").
func (s *Access) Grant(ctx context.Context, actor Actor, ref string, role Role, until time.Time) (Grant, error) {
	id, err := s.ids.new(s.clock.Now())
	if err != nil {
		return Grant{}, asError(err)
	}
	var g Grant
	err = s.do(ctx, actor, ActGrant, "", func(t *txn) error {
		if err := t.may(OpManageRoles, ""); err != nil {
			return err
		}
		a, err := t.account(ref)
		if err != nil {
			return err
		}
		t.entry.About, t.entry.Target = a.ID, a.UserName
		if err := knownRole(role); err != nil {
			return err
		}
		if a.ID == actor.Account {
			return refuseField(CodeOwnRole, "user")
		}
		g = Grant{ID: id, App: AppPostern, Account: a.ID, Role: role, By: t.entry.Actor, Created: t.now, Until: wholeSecond(until)}
		if err := t.mayManage(g); err != nil {
			return err
		}
		if err := t.requireFresh(); err != nil {
			return err
		}
		if err := t.mayEndThen(g, false); err != nil {
			return err
		}
		if a.State != StateActive {
			return refuseField(CodeNotActive, "user")
		}
		held, err := t.rank(a.ID)
		if err != nil {
			return err
		}
		if held.roles[role] {
			return refuseField(CodeHasRole, "role")
		}
		t.entry.After = g.described()
		if err := grants.Insert(t, g.ID, g); err != nil {
			return err
		}
		return t.notify(a.ID, NoticeRoleGiven, g.words())
	})
	if err != nil {
		return Grant{}, err
	}
	return g, nil
}

// knownRole refuses what is no role on the portal with CodeFormat (field "role"),
// and names those that are (Rule).
func knownRole(r Role) error {
	if _, known := roleRank[r]; known {
		return nil
	}
	var names []string
	for _, r := range Roles() {
		names = append(names, string(r))
	}
	return &Error{Code: CodeFormat, Field: "role", Rule: strings.Join(names, ", ")}
}

// SetEnd lets a role end at another moment, or never when until is zero. Who may
// give the role may do it; of one's own the end only comes nearer. CodeLastOwner
// when it would leave no permanent owner; CodeSameEnd when it ends then already;
// CodeNotFound for a role that has ended; else the refusals of Grant.
func (s *Access) SetEnd(ctx context.Context, actor Actor, id string, until time.Time) (Grant, error) {
	var g Grant
	err := s.onGrant(ctx, actor, ActGrantChange, id, func(t *txn, held Grant) error {
		g = held
		g.Until = wholeSecond(until)
		if g.Until.Equal(held.Until) {
			return refuseField(CodeSameEnd, "until")
		}
		sooner := !g.Until.IsZero() && (held.Until.IsZero() || g.Until.Before(held.Until))
		if g.Account == actor.Account && !sooner {
			return refuseField(CodeOwnRole, "until")
		}
		if err := t.requireFresh(); err != nil {
			return err
		}
		if err := t.mayEndThen(g, sooner); err != nil {
			return err
		}
		if err := t.mayLose(held); err != nil {
			return err
		}
		t.entry.Before, t.entry.After = changes(held.described(), g.described())
		if err := grants.Put(t, g.ID, g); err != nil {
			return err
		}
		return t.notify(g.Account, NoticeRoleGiven, g.words())
	})
	if err != nil {
		return Grant{}, err
	}
	return g, nil
}

// End ends a role at once; why may be empty. Who may give the role may end it,
// and everybody ends their own. CodeDenied, CodeStepUp, CodeNotFound, CodeLastOwner
// when no permanent owner would be left, and the refusals of a text (field "reason").
func (s *Access) End(ctx context.Context, actor Actor, id, why string) error {
	return s.onGrant(ctx, actor, ActGrantEnd, id, func(t *txn, g Grant) error {
		if err := t.requireFresh(); err != nil {
			return err
		}
		why, err := cleanText("reason", why, MaxReason, false)
		if err != nil {
			return err
		}
		if err := t.mayLose(g); err != nil {
			return err
		}
		t.entry.Reason = why
		return t.endGrant(g, why)
	})
}

// onGrant runs an act on a role that is held on the portal, by somebody who may:
// it is their own, or they may give it.
func (s *Access) onGrant(ctx context.Context, actor Actor, action Action, id string, fn func(*txn, Grant) error) error {
	return s.do(ctx, actor, action, "", func(t *txn) error {
		g, err := grants.Get(t, id)
		if err == nil && (g.App != AppPostern || !g.active(t.now)) {
			err = store.ErrNotFound
		}
		if err != nil {
			if err := t.may(OpManageRoles, ""); err != nil { // others learn of no role
				return err
			}
			return notFound(err, "grant")
		}
		if g.Account != actor.Account {
			if err := t.mayManage(g); err != nil {
				return err
			}
		} else if err := t.may(OpSelf, g.Account); err != nil {
			return err
		}
		a, err := accounts.Get(t, g.Account)
		if err != nil {
			return err
		}
		t.entry.About, t.entry.Target = a.ID, a.UserName
		return fn(t, g)
	})
}

// endGrant writes down that a role has ended, and tells its holder.
func (t *txn) endGrant(g Grant, why string) error {
	t.entry.Before, t.entry.After = g.described(), map[string]string{"ended": t.now.Format(time.RFC3339)}
	g.Ended = t.now
	if err := grants.Put(t, g.ID, g); err != nil {
		return err
	}
	if g.App != AppPostern {
		return nil
	}
	words := g.words()
	words["RoleReason"] = why
	return t.notify(g.Account, NoticeRoleEnded, words)
}

// mayEndThen refuses an end of g that is no end (field "until"): one that is past,
// one so far away that it means for good, or, unless g ends sooner by it, one
// behind the end of what the actor gives it by.
func (t *txn) mayEndThen(g Grant, sooner bool) error {
	switch {
	case g.Until.IsZero():
	case !g.Until.After(t.now):
		return refuseField(CodeEndPast, "until")
	case g.Until.After(t.now.AddDate(0, 0, MaxGrantDays)):
		return &Error{Code: CodeEndFar, Field: "until", N: MaxGrantDays}
	}
	if sooner {
		return nil
	}
	ends, err := t.authority(g.Role)
	if err == nil && !ends.IsZero() && (g.Until.IsZero() || g.Until.After(ends)) {
		err = refuseField(CodeEndBeyond, "until")
	}
	return err
}

// mayManage refuses with CodeDenied unless the actor is above nobody's head with
// g: neither its holder's nor that of the role itself.
func (t *txn) mayManage(g Grant) error {
	if err := t.may(OpManageRoles, ""); err != nil {
		return err
	}
	if err := t.may(OpManageRoles, g.Account); err != nil {
		return err
	}
	_, err := t.authority(g.Role)
	return err
}

// authority returns until when the actor may give a role: zero is for good.
// CodeDenied (field "role") when not at all.
func (t *txn) authority(role Role) (ends time.Time, err error) {
	if t.actor.Console {
		return time.Time{}, nil
	}
	held, err := t.held(t.actor.Account)
	if err != nil {
		return time.Time{}, err
	}
	found := false
	for _, g := range held {
		switch {
		case g.App != AppPostern || !RoleGives(g.Role, role):
		case g.Until.IsZero():
			return time.Time{}, nil
		case !found || g.Until.After(ends):
			found, ends = true, g.Until
		}
	}
	if !found {
		t.denied = OpManageRoles
		return time.Time{}, refuseField(CodeDenied, "role")
	}
	return ends, nil
}

// mayLose refuses with CodeLastOwner when g is what keeps the portal an owner.
func (t *txn) mayLose(g Grant) error {
	if g.App != AppPostern || g.Role != RoleOwner || !g.Until.IsZero() {
		return nil
	}
	return t.requireOtherOwner(g.Account)
}

// requireOwnerBeside refuses with CodeLastOwner when the account is an owner and
// the portal could not do without it: for acts that take an account away.
func (t *txn) requireOwnerBeside(account string) error {
	held, err := t.rank(account)
	if err != nil || !held.roles[RoleOwner] {
		return err
	}
	return t.requireOtherOwner(account)
}

// held returns the grants of an account that count now, on every app.
func (t *txn) held(account string) ([]Grant, error) {
	var list []Grant
	err := eachRow(func(after string) ([]store.Row[Grant], error) {
		return grants.PageEq(t, "account", account, after, MaxPage)
	}, func(g Grant) error {
		if g.active(t.now) {
			list = append(list, g)
		}
		return nil
	})
	return list, err
}

// described is what the trail says of a grant.
func (g Grant) described() map[string]string {
	m := map[string]string{"role": string(g.Role)}
	if !g.Until.IsZero() {
		m["until"] = g.Until.Format(time.RFC3339)
	}
	return m
}

// words are what a notice says of a grant.
func (g Grant) words() map[string]string {
	m := map[string]string{"PortalRole": string(g.Role), "RoleUntil": ""}
	if !g.Until.IsZero() {
		m["RoleUntil"] = g.Until.Format(time.RFC3339)
	}
	return m
}

// wholeSecond is the moment that is kept: what a person is shown and what counts
// are the same.
func wholeSecond(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Second)
}
