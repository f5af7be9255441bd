// Invitations: codes that let somebody sign up while sign-up is by invitation.

package core

import (
	"context"
	"errors"
	"slices"
	"time"

	"postern/core/secret"
	"postern/store"
)

// Bounds of invitations.
const (
	MaxInviteUses = 10_000
	MaxInviteDays = 365
)

// invitePurpose is what the hash of an invitation's code is for.
const invitePurpose = "invite"

// Invite is an invitation. Its code is shown once and kept as a hash.
type Invite struct {
	ID       string    `json:"id"`
	CodeHash string    `json:"code_hash,omitempty"`
	Note     string    `json:"note,omitempty"`
	By       string    `json:"by"`
	Created  time.Time `json:"created"`
	Until    time.Time `json:"until"`
	Uses     int       `json:"uses"`         // how many may still come by it
	Of       int       `json:"of,omitempty"` // how many it was made for; 0 where it was made before that was kept

	// Role is granted to whoever comes by it, until RoleUntil (zero: for good).
	Role      Role      `json:"role,omitempty"`
	RoleUntil time.Time `json:"role_until,omitzero"`

	// ByName is who made it, computed when it is read: a user name, or "" for the console.
	ByName string `json:"by_name,omitempty"`
}

// Over says whether nobody can come by it any more.
func (i Invite) Over(now time.Time) bool { return i.Uses < 1 || !now.Before(i.Until) }

var invites = store.NewTable("invite", 1,
	store.Index[Invite]{Name: "code", Unique: true, Keys: func(i Invite) []string { return []string{i.CodeHash} }})

// Invites makes, lists and revokes invitations.
type Invites struct{ *base }

// InviteInput is what an invitation is made of.
type InviteInput struct {
	Uses, Days int
	Note       string
	Role       Role      // "" for none
	RoleUntil  time.Time // zero: for good
}

// Create makes an invitation without a role; see CreateWith.
func (s *Invites) Create(ctx context.Context, actor Actor, uses, days int, note string) (Invite, string, error) {
	return s.CreateWith(ctx, actor, InviteInput{Uses: uses, Days: days, Note: note})
}

// CreateWith makes an invitation and returns its code, which is never shown
// again. It ends no later than the role it brings. CodeDenied; CodeStepUp for one
// with a role; CodeRange (fields "uses", "days"), CodeTooLong, CodeCharacter,
// CodeEncoding (field "note"). For the role and its end it refuses what
// Access.Grant does: CodeDenied and CodeFormat (field "role"), CodeNoRole for an
// end without a role, CodeEndPast, CodeEndFar and CodeEndBeyond (field "until").
func (s *Invites) CreateWith(ctx context.Context, actor Actor, in InviteInput) (Invite, string, error) {
	code := secret.Code(s.random, 4)
	id, err := s.ids.new(s.clock.Now())
	if err != nil {
		return Invite{}, "", asError(err)
	}
	inv := Invite{ID: id, Uses: in.Uses, Of: in.Uses, Role: in.Role, RoleUntil: in.RoleUntil}
	err = s.do(ctx, actor, ActInvite, "", func(t *txn) error {
		if err := t.may(OpInvite, ""); err != nil {
			return err
		}
		if in.Uses < 1 || in.Uses > MaxInviteUses {
			return &Error{Code: CodeRange, Field: "uses", Rule: "1-" + itoa(MaxInviteUses)}
		}
		if in.Days < 1 || in.Days > MaxInviteDays {
			return &Error{Code: CodeRange, Field: "days", Rule: "1-" + itoa(MaxInviteDays)}
		}
		var err error
		if inv.CodeHash, err = t.keyed(invitePurpose, secret.NormalizeCode(code)); err != nil {
			return err
		}
		if inv.Note, err = cleanText("note", in.Note, MaxReason, false); err != nil {
			return err
		}
		inv.By, inv.Created, inv.Until = t.entry.Actor, t.now, t.now.AddDate(0, 0, in.Days)
		if err := t.checkInvitedRole(&inv); err != nil {
			return err
		}
		t.entry.Target = inv.ID
		t.entry.After = inv.described()
		return invites.Insert(t, inv.ID, inv)
	})
	if err != nil {
		return Invite{}, "", err
	}
	inv.CodeHash = ""
	return inv, code, nil
}

// described is what the trail says of an invitation.
func (i Invite) described() map[string]string {
	m := map[string]string{"uses": itoa(i.Uses), "until": i.Until.Format(time.RFC3339)}
	if i.Role != "" {
		m["role"] = string(i.Role)
	}
	if !i.RoleUntil.IsZero() {
		m["role_until"] = i.RoleUntil.Format(time.RFC3339)
	}
	return m
}

// checkInvitedRole decides whether the actor may give the role of an invitation.
// Whoever could use it in their own place would else rise by it.
func (t *txn) checkInvitedRole(inv *Invite) error {
	if inv.Role == "" && inv.RoleUntil.IsZero() {
		return nil
	}
	if inv.Role == "" {
		return refuseField(CodeNoRole, "role")
	}
	if err := knownRole(inv.Role); err != nil {
		return err
	}
	inv.RoleUntil = wholeSecond(inv.RoleUntil)
	if _, err := t.authority(inv.Role); err != nil {
		return err
	}
	if err := t.requireFresh(); err != nil {
		return err
	}
	if err := t.mayEndThen(Grant{App: AppPostern, Role: inv.Role, Until: inv.RoleUntil}, false); err != nil {
		return err
	}
	if !inv.RoleUntil.IsZero() && inv.RoleUntil.Before(inv.Until) {
		inv.Until = inv.RoleUntil
	}
	return nil
}

// stillGives says whether whoever made an invitation may still give its role.
func (t *txn) stillGives(inv Invite) (bool, error) {
	if inv.Role == "" || inv.By == ActorConsole {
		return true, nil
	}
	a, err := accounts.Get(t, inv.By)
	if errors.Is(err, store.ErrNotFound) || err == nil && a.State != StateActive {
		return false, nil
	} else if err != nil {
		return false, err
	}
	held, err := t.held(inv.By)
	return slices.ContainsFunc(held, func(g Grant) bool { return g.App == AppPostern && RoleGives(g.Role, inv.Role) }), err
}

// List returns a page of invitations, without their codes.
func (s *Invites) List(ctx context.Context, actor Actor, after string, n int) ([]Invite, error) {
	var list []Invite
	err := s.read(ctx, actor, func(t *txn) error {
		if err := t.may(OpInvite, ""); err != nil {
			return err
		}
		rows, err := invites.Page(t, after, pageSize(n))
		for _, r := range rows {
			r.Value.CodeHash = ""
			if r.Value.By != ActorConsole {
				by, err := accounts.Get(t, r.Value.By)
				if err != nil && !errors.Is(err, store.ErrNotFound) {
					return err
				}
				r.Value.ByName = by.UserName
			}
			list = append(list, r.Value)
		}
		return err
	})
	return list, err
}

// Revoke ends an invitation. CodeNotFound, CodeDenied.
func (s *Invites) Revoke(ctx context.Context, actor Actor, id string) error {
	return s.do(ctx, actor, ActInviteRevoke, "", func(t *txn) error {
		if err := t.may(OpInvite, ""); err != nil {
			return err
		}
		if _, err := invites.Get(t, id); err != nil {
			return notFound(err, "invite")
		}
		t.entry.Target = id
		return invites.Delete(t, id)
	})
}

// invite finds the invitation of a code that may still be used.
func (t *txn) invite(code string) (Invite, error) {
	if secret.NormalizeCode(code) == "" {
		return Invite{}, refuseField(CodeInvite, "invite")
	}
	hash, err := t.keyed(invitePurpose, secret.NormalizeCode(code))
	if err != nil {
		return Invite{}, err
	}
	_, inv, err := invites.Find(t, "code", hash)
	if errors.Is(err, store.ErrNotFound) {
		// One that was made before codes were keyed.
		_, inv, err = invites.Find(t, "code", secret.Hash(secret.NormalizeCode(code)))
	}
	if errors.Is(err, store.ErrNotFound) {
		return inv, refuseField(CodeInvite, "invite")
	} else if err != nil {
		return inv, err
	}
	if inv.Over(t.now) {
		return inv, refuseField(CodeInvite, "invite")
	}
	if may, err := t.stillGives(inv); err != nil {
		return inv, err
	} else if !may { // whoever made it has lost their own role since
		return inv, refuseField(CodeInvite, "invite")
	}
	return inv, nil
}

// useInvite takes one use from an invitation, and gives the account the role that
// it brings, as the grant with an id. The trail has the grant as an act of its own.
func (t *txn) useInvite(id, account, grant string) error {
	inv, err := invites.Get(t, id)
	if err != nil {
		return err
	}
	inv.Uses--
	if err := invites.Put(t, id, inv); err != nil || inv.Role == "" {
		return err
	}
	g := Grant{ID: grant, App: AppPostern, Account: account, Role: inv.Role, By: inv.By, Created: t.now, Until: inv.RoleUntil}
	if err := grants.Insert(t, g.ID, g); err != nil {
		return err
	}
	if err := t.notify(account, NoticeRoleGiven, g.words()); err != nil {
		return err
	}
	return t.also(ActGrant, func(e *Entry) {
		e.Actor, e.About, e.Target, e.After = account, account, inv.ID, g.described()
		e.After["invite"], e.After["by"] = inv.ID, inv.By
	})
}

// notFound turns an absent record into a refusal about what was looked for.
func notFound(err error, what string) error {
	if err == nil || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrTooLarge) {
		return refuseField(CodeNotFound, what)
	}
	return err
}
