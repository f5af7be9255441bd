// Invitations: codes that let somebody sign up while sign-up is by invitation.

package core

import (
	"context"
	"errors"
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
	Uses     int       `json:"uses"` // how many may still come by it
}

var invites = store.NewTable("invite", 1,
	store.Index[Invite]{Name: "code", Unique: true, Keys: func(i Invite) []string { return []string{i.CodeHash} }})

// Invites makes, lists and revokes invitations.
type Invites struct{ *base }

// Create makes an invitation for uses sign-ups within days days, and returns
// its code, which is never shown again. CodeDenied; CodeRange (fields "uses",
// "days"), CodeTooLong, CodeCharacter, CodeEncoding (field "note").
func (s *Invites) Create(ctx context.Context, actor Actor, uses, days int, note string) (Invite, string, error) {
	code := secret.Code(s.random, 4)
	id, err := s.ids.new(s.clock.Now())
	if err != nil {
		return Invite{}, "", asError(err)
	}
	inv := Invite{ID: id, Uses: uses}
	err = s.do(ctx, actor, ActInvite, "", func(t *txn) error {
		if err := t.may(OpInvite, ""); err != nil {
			return err
		}
		if uses < 1 || uses > MaxInviteUses {
			return &Error{Code: CodeRange, Field: "uses", Rule: "1-" + itoa(MaxInviteUses)}
		}
		if days < 1 || days > MaxInviteDays {
			return &Error{Code: CodeRange, Field: "days", Rule: "1-" + itoa(MaxInviteDays)}
		}
		var err error
		if inv.CodeHash, err = t.keyed(invitePurpose, secret.NormalizeCode(code)); err != nil {
			return err
		}
		if inv.Note, err = cleanText("note", note, MaxReason, false); err != nil {
			return err
		}
		inv.By, inv.Created, inv.Until = t.entry.Actor, t.now, t.now.AddDate(0, 0, days)
		t.entry.Target = inv.ID
		t.entry.After = map[string]string{"uses": itoa(uses), "until": inv.Until.Format(time.RFC3339)}
		return invites.Insert(t, inv.ID, inv)
	})
	if err != nil {
		return Invite{}, "", err
	}
	inv.CodeHash = ""
	return inv, code, nil
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
	if inv.Uses < 1 || !t.now.Before(inv.Until) {
		return inv, refuseField(CodeInvite, "invite")
	}
	return inv, nil
}

// useInvite takes one use from an invitation.
func (t *txn) useInvite(id string) error {
	inv, err := invites.Get(t, id)
	if err != nil {
		return err
	}
	inv.Uses--
	return invites.Put(t, id, inv)
}

// notFound turns an absent record into a refusal about what was looked for.
func notFound(err error, what string) error {
	if err == nil || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrTooLarge) {
		return refuseField(CodeNotFound, what)
	}
	return err
}
