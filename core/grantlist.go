// Who holds what: one's own grants, and the roles on the portal for those who
// look after them.

package core

import (
	"context"
	"errors"
	"slices"
	"strings"

	"postern/store"
)

// HeldGrant is a role with who holds it, for those who look after roles.
type HeldGrant struct {
	Grant
	UserName, DisplayName string
	State                 State  // a role counts for nothing while its holder cannot sign in
	ByName                string // the user name of whoever gave it, ActorConsole, or "" for the portal itself
}

// GrantQuery asks for a page of roles on the portal, the highest first. With User
// (user name, e-mail address or id) only that account's are listed, with Role
// only those of that role, with Days only those that end within so many days,
// the soonest first.
type GrantQuery struct {
	User  string
	Role  Role
	Days  int
	After string
	N     int
}

// GrantPage is a page of roles; Next continues it, "" when there is no more. A
// page may be shorter than it was asked for though there is more.
type GrantPage struct {
	Grants []HeldGrant
	Next   string
}

// Mine returns what the actor holds, on the portal and on other apps.
// CodeSessionEnded, CodeDenied for a stranger.
func (s *Access) Mine(ctx context.Context, actor Actor) ([]Grant, error) {
	return ofSelf(ctx, s.base, actor, (*txn).held)
}

// List returns a page of the roles on the portal that count now. CodeDenied,
// CodeNotFound (field "user"), CodeFormat (fields "role", "after"), CodeRange
// (field "days").
func (s *Access) List(ctx context.Context, actor Actor, q GrantQuery) (GrantPage, error) {
	var page GrantPage
	err := s.read(ctx, actor, func(t *txn) error {
		if err := t.may(OpReadRoles, ""); err != nil {
			return err
		}
		if q.Role != "" {
			if err := knownRole(q.Role); err != nil {
				return err
			}
		}
		if q.Days < 0 || q.Days > MaxGrantDays {
			return &Error{Code: CodeRange, Field: "days", Rule: "1-" + itoa(MaxGrantDays)}
		}
		found, next, err := t.pageGrants(q)
		if err != nil {
			return err
		}
		page.Next = next
		for _, g := range found {
			h, err := t.heldGrant(g)
			if err != nil {
				return err
			}
			page.Grants = append(page.Grants, h)
		}
		return nil
	})
	return page, err
}

// pageGrants finds the roles that q asks for.
func (t *txn) pageGrants(q GrantQuery) (found []Grant, next string, err error) {
	n := pageSize(q.N)
	latest := t.now.AddDate(0, 0, q.Days)
	wanted := func(g Grant) bool {
		return g.App == AppPostern && g.active(t.now) && (q.Role == "" || g.Role == q.Role) &&
			(q.Days == 0 || !g.Until.IsZero() && !g.Until.After(latest))
	}
	var rows []store.Row[Grant]
	switch {
	case q.User != "":
		a, err := t.account(q.User)
		if err != nil {
			return nil, "", err
		}
		if rows, err = grants.PageEq(t, "account", a.ID, q.After, n); err != nil {
			return nil, "", err
		}
	case q.Days > 0:
		if rows, err = grants.PageBy(t, "until", "", q.After, n); err != nil {
			return nil, "", err
		}
	default:
		return t.pageByRole(q, n, wanted)
	}
	for _, r := range rows {
		if wanted(r.Value) {
			found = append(found, r.Value)
		}
	}
	over := q.Days > 0 && q.User == "" && len(rows) > 0 && rows[len(rows)-1].Value.Until.After(latest)
	if len(rows) == n && !over {
		next = rows[n-1].Cursor
	}
	return found, next, nil
}

// pageByRole goes through the roles, the highest first. Its cursor names the role
// that a page ended in.
func (t *txn) pageByRole(q GrantQuery, n int, wanted func(Grant) bool) (found []Grant, next string, err error) {
	begun := q.After == ""
	at, after, ok := strings.Cut(q.After, ".")
	if !begun && (!ok || roleRank[Role(at)] == 0) {
		return nil, "", refuseField(CodeFormat, "after")
	}
	for _, role := range Roles() {
		if begun = begun || string(role) == at; !begun || q.Role != "" && role != q.Role {
			continue
		}
		left := n - len(found)
		rows, err := grants.PageEq(t, "role", AppPostern+"/"+string(role), after, left)
		if err != nil {
			return nil, "", err
		}
		for _, r := range rows {
			if wanted(r.Value) {
				found = append(found, r.Value)
			}
		}
		if len(rows) == left {
			return found, string(role) + "." + rows[left-1].Cursor, nil
		}
		after = ""
	}
	return found, "", nil
}

// portalRoles returns the roles that an account holds on the portal, the highest first.
func (t *txn) portalRoles(account string) ([]HeldGrant, error) {
	held, err := t.held(account)
	if err != nil {
		return nil, err
	}
	var list []HeldGrant
	for _, g := range held {
		if g.App != AppPostern {
			continue
		}
		h, err := t.heldGrant(g)
		if err != nil {
			return nil, err
		}
		list = append(list, h)
	}
	slices.SortStableFunc(list, func(a, b HeldGrant) int { return roleRank[b.Role] - roleRank[a.Role] })
	return list, nil
}

// heldGrant adds to a role who holds it and who gave it.
func (t *txn) heldGrant(g Grant) (HeldGrant, error) {
	a, err := accounts.Get(t, g.Account)
	if err != nil {
		return HeldGrant{}, err
	}
	h := HeldGrant{Grant: g, UserName: a.UserName, DisplayName: a.DisplayName, State: a.State}
	switch g.By {
	case "", ActorConsole, ActorSystem:
		h.ByName = g.By
	default:
		by, err := accounts.Get(t, g.By)
		if errors.Is(err, store.ErrNotFound) {
			return h, nil // deleted since
		} else if err != nil {
			return h, err
		}
		h.ByName = by.UserName
	}
	return h, nil
}
