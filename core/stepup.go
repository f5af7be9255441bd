// Step-up: somebody who is signed in proves anew who they are, before an act
// that an open screen alone must not be enough for.

package core

import (
	"context"
	"errors"

	"postern/core/password"
)

// StepUpResult carries the session's new secret after a rise of privilege.
type StepUpResult struct{ Token string }

// StepUp proves by the password anew who the actor is; for StepUpFor, acts that
// ask for it are allowed. The session gets a new secret. CodeWeakProof when a
// stronger proof can be given (StepUpWays); CodeCredentials, CodeWait,
// CodePassword for what cannot be a password at all, CodeConflict when the
// password was changed at the same moment.
func (s *SignIn) StepUp(ctx context.Context, actor Actor, pw string) (StepUpResult, error) {
	if _, err := s.look(ctx, actor, func(t *txn) error { return t.requireWeak(actor.Account) }); err != nil {
		return StepUpResult{}, s.refused(ctx, actor, ActStepUp, actor.Account, err)
	}
	p, err := s.prove(ctx, actor, ActStepUp, pw, "password")
	if err != nil {
		return StepUpResult{}, err
	}
	result, hash := s.newToken(actor)
	err = s.do(ctx, actor, ActStepUp, p.account.ID, func(t *txn) error {
		if err := t.requireWeak(p.account.ID); err != nil {
			return err
		}
		c, err := t.honour(p)
		if err != nil {
			return err
		}
		if c.Failures > 0 {
			c.Failures = 0
			if err := credentials.Put(t, p.account.ID, c); err != nil {
				return err
			}
		}
		return t.renew(actor.Session, hash)
	})
	if err != nil {
		return StepUpResult{}, err
	}
	return result, nil
}

// requireWeak refuses with CodeWeakProof when a password is not the strongest
// that the account can be asked for.
func (t *txn) requireWeak(account string) error {
	if err := t.may(OpSelf, account); err != nil {
		return err
	}
	enough, err := t.passwordProves(account)
	if err == nil && !enough {
		err = refuse(CodeWeakProof)
	}
	return err
}

// proof is a password that was found right, outside a transaction.
type proof struct {
	account Account
	cred    Credential
	keys    []guardKey
}

// honour accepts a proof inside the act it is for, unless the password was
// changed or given up meanwhile, and forgets the failures before it.
func (t *txn) honour(p proof) (Credential, error) {
	c, err := credentials.Get(t, p.account.ID)
	if err != nil {
		return c, err
	}
	if c.Hash != p.cred.Hash || c.disabled() {
		return c, refuse(CodeConflict)
	}
	return c, t.clearFailures(p.keys)
}

// prove checks the password of an actor who is signed in. Its failures wait
// like those of a sign-in, but by the session: nobody else can use them up. They
// count against the password all the same, so that an open screen that was
// stolen is no way to guess for ever.
func (b *base) prove(ctx context.Context, actor Actor, action Action, pw, field string) (proof, error) {
	var p proof
	err := b.read(ctx, actor, func(t *txn) (err error) {
		if err := t.may(OpSelf, actor.Account); err != nil {
			return err
		}
		if p.account, err = accounts.Get(t, actor.Account); err != nil {
			return err
		}
		p.cred, err = credentials.Get(t, actor.Account)
		return err
	})
	if err != nil {
		return p, b.refused(ctx, actor, action, actor.Account, err)
	}
	who := actor.Session
	if who == "" {
		who = actor.Account
	}
	p.keys = []guardKey{loginGuard(guardSession, who)}
	release, err := b.enter(ctx, p.keys)
	if err != nil {
		return p, b.refused(ctx, actor, action, p.account.ID, err)
	}
	defer release()
	normal, err := password.Normalize(pw)
	if err != nil {
		return p, b.refused(ctx, actor, action, p.account.ID, passwordError(field, err))
	}
	ok := false
	if p.cred.Hash == "" { // it came by an import that had none
		err = b.hasher.Burn(ctx, normal)
	} else {
		ok, _, err = b.hasher.Verify(ctx, normal, p.cred.Hash)
	}
	if err != nil {
		return p, b.refused(ctx, actor, action, p.account.ID, asError(err))
	}
	if ok && !p.cred.disabled() {
		return p, nil
	}
	err = b.failed(ctx, actor, action, p.account.ID, p.keys, !ok)
	var refusal *Error
	if errors.As(err, &refusal) && refusal.Code == CodeCredentials {
		refusal.Field = field
	}
	return p, err
}
