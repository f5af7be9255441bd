// The step of a sign-in that leads through enrolment, when the policy demands a
// factor and there is none.

package core

import (
	"context"
	"errors"
	"time"

	"postern/core/secret"
	"postern/store"
)

// enrolledStep goes on with a sign-in that has enrolled what was demanded.
func (t *txn) enrolledStep(ticket string, k FactorKind, sec secrets) (Progress, error) {
	hash := secret.Hash(ticket)
	at, err := attempts.Get(t, hash)
	if err != nil {
		return Progress{}, err
	}
	a, err := accounts.Get(t, at.Account)
	if err != nil {
		return Progress{}, err
	}
	c, err := credentials.Get(t, at.Account)
	if err != nil {
		return Progress{}, err
	}
	if err := attempts.Delete(t, hash); err != nil {
		return Progress{}, err
	}
	at.Factor = k // its code was just typed
	t.entry.Actor, t.entry.Name = a.ID, a.UserName
	return t.advance(a, c, at, sec)
}

// Demand is what the policy asks of somebody who has no factor yet.
type Demand struct {
	By      time.Time    // until when
	Later   bool         // it can still be put off (SignIn.Later)
	Methods []FactorKind // what can be enrolled, the strongest first
	Key     bool         // this connection brought a key that could be linked
}

// demand is what StepEnrol shows.
func (t *txn) demand(a Account) (Demand, error) {
	p, err := t.protection(a)
	if err != nil {
		return Demand{}, err
	}
	d := Demand{By: p.By, Later: t.now.Before(p.By), Methods: p.Methods}
	if t.policy.Factors.on(FactorKey) {
		d.Methods = append([]FactorKind{FactorKey}, d.Methods...)
		if d.Key, err = t.mayEnrolKey(a.ID); err != nil {
			return d, err
		}
	}
	return d, nil
}

// mayEnrolKey says whether this connection brought a key that is nobody else's.
func (t *txn) mayEnrolKey(account string) (bool, error) {
	if t.actor.Key == "" {
		return false, nil
	}
	k, err := linkedKeys.Get(t, t.actor.Key)
	if errors.Is(err, store.ErrNotFound) {
		return true, nil
	}
	return err == nil && k.Account == account, err
}

// enrolDue is the rule of StepEnrol: the policy demands a factor, there is none,
// and the person has not put it off while that is possible.
func (t *txn) enrolDue(a Account, _ Credential, at attempt) (why string, due bool, err error) {
	by, must, err := t.demanded(a)
	if err != nil || !must {
		return "", false, err
	}
	if has, err := t.protected(a.ID); err != nil || has {
		return "", false, err
	}
	if t.now.Before(by) {
		return "soon", !at.Later, nil
	}
	return "due", true, nil
}

// requireEnrolled refuses with CodeFactorDue when a sign-in of the account would lead
// through enrolment and nowhere else. It is for those who come without a sign-in,
// by a linked key.
func (t *txn) requireEnrolled(account string) error {
	a, err := accounts.Get(t, account)
	if err != nil {
		return err
	}
	_, due, err := t.enrolDue(a, Credential{}, attempt{Later: true})
	if err == nil && due {
		err = refuse(CodeFactorDue)
	}
	return err
}

// Later puts off the enrolment that a sign-in asks for, while the policy leaves
// time. CodeTicket; CodeOutOfOrder when there is none left.
func (s *SignIn) Later(ctx context.Context, actor Actor, ticket string) (Progress, error) {
	return s.step(ctx, actor, ticket, StepEnrol, func(t *txn, a Account, at *attempt) error {
		by, _, err := t.demanded(a)
		if err == nil && !t.now.Before(by) {
			err = refuse(CodeOutOfOrder)
		}
		at.Later = true
		return err
	})
}

// EnrolKey links the key that this connection proved, as the factor that a
// sign-in asks for. CodeTicket, CodeOutOfOrder, and what Keys.Link refuses with.
func (s *SignIn) EnrolKey(ctx context.Context, actor Actor, ticket, label string) (Progress, error) {
	return s.step(ctx, actor, ticket, StepEnrol, func(t *txn, a Account, at *attempt) error {
		if !t.policy.Factors.on(FactorKey) {
			return refuseField(CodeMethodOff, "factor")
		}
		at.Factor = FactorKey
		t.entry.Action = ActKeyLink // the trail names the key
		return t.linkKey(a.ID, pastedKey{fingerprint: t.actor.Key, line: t.actor.KeyLine}, label, time.Time{})
	})
}

// step performs a forced step that needs nothing but the person's word, and goes on.
func (s *SignIn) step(ctx context.Context, actor Actor, ticket string, step Step, do func(*txn, Account, *attempt) error) (Progress, error) {
	sec, err := s.newSecrets()
	if err != nil {
		return Progress{}, asError(err)
	}
	var p Progress
	err = s.do(ctx, actor, ActSignInStep, "", func(t *txn) error {
		at, a, c, err := t.attempt(ticket, step)
		t.entry.About = a.ID
		if err != nil {
			return err
		}
		t.entry.Target = string(step)
		if err := do(t, a, &at); err != nil {
			return err
		}
		if err := attempts.Delete(t, secret.Hash(ticket)); err != nil {
			return err
		}
		t.entry.Actor, t.entry.Name = a.ID, a.UserName
		p, err = t.advance(a, c, at, sec)
		return err
	})
	if err != nil {
		return Progress{}, err
	}
	return p, nil
}
