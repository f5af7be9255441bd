// A second factor, asked for: at sign-in, as the step StepFactor, and at step-up.
// Both find the ways a person has, send a code where the way needs one, and check
// what was typed; only what follows differs.

package core

import (
	"context"
	"time"

	"postern/core/otp"
	"postern/core/secret"
)

// proving says who proves who they are, and under which key a code that is sent
// waits. With a ticket it is the sign-in of that, else the actor's own session.
func (t *txn) proving(ticket string) (account, waits string, err error) {
	if ticket != "" {
		_, a, _, err := t.attempt(ticket, StepFactor)
		return a.ID, signInWaits(ticket), err
	}
	if err := t.may(OpSelf, t.actor.Account); err != nil {
		return "", "", err
	}
	return t.actor.Account, "stepup/" + t.actor.Account + "/" + t.actor.Session, nil
}

func signInWaits(ticket string) string { return "signin/" + secret.Hash(ticket) }

// StepUpWays returns how the actor can prove themselves again, the best first.
func (s *SignIn) StepUpWays(ctx context.Context, actor Actor) ([]Way, error) {
	return ofSelf(ctx, s.base, actor, (*txn).stepUpWays)
}

// SendCode sends a code to a factor, for the sign-in of a ticket or, with "",
// for a step-up. An earlier code of the same sign-in is dead. It returns how long
// it is until another can be sent. CodeWait, CodeAllowance (field: the service),
// CodeFactorOff, CodeMethodOff, CodeNotFound; CodeTicket, CodeOutOfOrder of a
// sign-in, and CodeWeakProof (field "factor") of a step-up.
func (s *SignIn) SendCode(ctx context.Context, actor Actor, ticket, factor string) (again time.Duration, err error) {
	code := s.newSentCode()
	err = s.do(ctx, actor, ActCodeSent, "", func(t *txn) error {
		account, waits, err := t.proving(ticket)
		t.entry.About = account
		if err != nil {
			return err
		}
		f, err := t.askable(account, ticket, factor)
		if err != nil {
			return err
		}
		service := serviceOf(f.Kind)
		if service == "" {
			return refuseField(CodeNotFound, "factor")
		}
		a, err := accounts.Get(t, account)
		if err != nil {
			return err
		}
		t.entry.Target, t.entry.After = f.Label, map[string]string{"address": f.hint()}
		if again, err = t.countSend(account, service); err != nil {
			return err
		}
		w, err := t.await(waits, code)
		if err != nil {
			return err
		}
		if err := sentCodes.Put(t, waits, sentCode{awaited: w, Account: account, Factor: f.ID}); err != nil {
			return err
		}
		_, err = t.enqueue(outgoing{account: a, service: service, to: f.Address, kind: MessageSignInCode, code: code, until: w.Until})
		return err
	})
	return again, err
}

// askable reads a factor that can be asked for now: at the sign-in of a ticket,
// or at a step-up, which a factor weaker than the password is no proof for.
func (t *txn) askable(account, ticket, id string) (factorRecord, error) {
	f, err := t.ownFactor(account, id)
	switch {
	case err != nil:
		return f, err
	case !t.policy.Factors.on(f.Kind):
		return f, refuseField(CodeMethodOff, "factor")
	case !f.Disabled.IsZero():
		return f, refuseField(CodeFactorOff, "factor")
	case ticket == "" && f.Kind.strength() < FactorPassword.strength():
		return f, refuseField(CodeWeakProof, "factor")
	}
	return f, nil
}

// Factor proves a factor by its code and goes on with the sign-in of a ticket.
// With the field "code": CodeCodeFormat, CodeCodeWrong (N tries left, when they
// are counted), CodeCodeUsed (Wait until the next), CodeCodeClock, CodeCodeOver. CodeWait after too many
// failures; CodeFactorOff after MaxCredentialFailures in a row; CodeMethodOff,
// CodeNotFound (field "factor"); CodeTicket, CodeOutOfOrder.
func (s *SignIn) Factor(ctx context.Context, actor Actor, ticket, factor, code string) (Progress, error) {
	var p Progress
	err := s.proveFactor(ctx, actor, ActSignInFactor, ticket, factor, code, func(t *txn, k FactorKind, sec secrets) (err error) {
		p, err = t.provedFactor(ticket, k, sec)
		return err
	})
	if err != nil {
		return Progress{}, err
	}
	return p, nil
}

// Recover proves a recovery code and goes on with the sign-in of a ticket.
// CodeCodeWrong (field "code"), CodeWait, CodeTicket, CodeOutOfOrder.
func (s *SignIn) Recover(ctx context.Context, actor Actor, ticket, code string) (Progress, error) {
	var p Progress
	err := s.proveRecovery(ctx, actor, ActSignInRecovery, ticket, code, func(t *txn, sec secrets) (err error) {
		p, err = t.provedFactor(ticket, FactorRecovery, sec)
		return err
	})
	if err != nil {
		return Progress{}, err
	}
	return p, nil
}

// provedFactor goes on with a sign-in whose factor was proved.
func (t *txn) provedFactor(ticket string, k FactorKind, sec secrets) (Progress, error) {
	at, a, c, err := t.attempt(ticket, StepFactor)
	if err != nil {
		return Progress{}, err
	}
	if err := attempts.Delete(t, secret.Hash(ticket)); err != nil {
		return Progress{}, err
	}
	at.Factor = k
	t.entry.Actor, t.entry.Name = a.ID, a.UserName
	return t.advance(a, c, at, sec)
}

// StepUpFactor is StepUp by a factor's code; it refuses as Factor does, and with
// CodeWeakProof (field "factor") for one that is weaker than the password.
func (s *SignIn) StepUpFactor(ctx context.Context, actor Actor, factor, code string) (StepUpResult, error) {
	result, hash := s.newToken(actor)
	err := s.proveFactor(ctx, actor, ActStepUp, "", factor, code, func(t *txn, _ FactorKind, _ secrets) error {
		return t.renew(actor.Session, hash)
	})
	if err != nil {
		return StepUpResult{}, err
	}
	return result, nil
}

// StepUpRecovery is StepUp by a recovery code; it refuses as Recover does.
func (s *SignIn) StepUpRecovery(ctx context.Context, actor Actor, code string) (StepUpResult, error) {
	result, hash := s.newToken(actor)
	err := s.proveRecovery(ctx, actor, ActStepUp, "", code, func(t *txn, _ secrets) error {
		return t.renew(actor.Session, hash)
	})
	if err != nil {
		return StepUpResult{}, err
	}
	return result, nil
}

// proveFactor checks a factor's code. It is looked at on a snapshot first, so
// that a wrong one is counted though the act is refused; and again in the act
// itself, where a step or a sent code is used up: of two doors, one wins.
func (s *SignIn) proveFactor(ctx context.Context, actor Actor, action Action, ticket, factor, typed string, then func(*txn, FactorKind, secrets) error) error {
	var account, waits string
	if _, err := s.look(ctx, actor, func(t *txn) (err error) {
		account, waits, err = t.proving(ticket)
		return err
	}); err != nil {
		return s.refused(ctx, actor, action, account, err)
	}
	typing := addressGuard(guardTyping, actor.Remote)
	keys := append([]guardKey{factorGuard(account)}, addressGuard(guardAddress, actor.Remote)...)
	release, err := s.enter(ctx, append(typing, keys...))
	if err != nil {
		return s.refused(ctx, actor, action, account, err)
	}
	defer release()
	code, six := otp.NormalizeCode(typed)
	if !six {
		return s.count(ctx, actor, action, account, typing, refuseField(CodeCodeFormat, "code"), nil)
	}
	sec, err := s.newSecrets()
	if err != nil {
		return asError(err)
	}
	others, leave := s.tryCode(waits)
	defer leave()
	_, wrong := s.look(ctx, actor, func(t *txn) error {
		f, err := t.askable(account, ticket, factor)
		if err == nil {
			_, err = t.checkCode(f, waits, code, others)
		}
		return err
	})
	if guessed(wrong) {
		return s.count(ctx, actor, action, account, keys, wrong, func(t *txn) error { return t.countWrong(account, factor, waits, code) })
	} else if CodeOf(wrong) == CodeCodeUsed {
		return s.count(ctx, actor, action, account, typing, wrong, nil) // a key pressed twice is no guess
	} else if wrong != nil {
		return s.refused(ctx, actor, action, account, wrong)
	}
	return s.do(ctx, actor, action, account, func(t *txn) error {
		again, waits, err := t.proving(ticket)
		if err != nil {
			return err
		}
		if again != account {
			return refuse(CodeTicket)
		}
		f, err := t.askable(account, ticket, factor)
		if err != nil {
			return err
		}
		if f, err = t.checkCode(f, waits, code, 0); err != nil {
			return err
		}
		f.Failures, f.LastUsed = 0, t.now
		if err := factors.Put(t, f.ID, f); err != nil {
			return err
		}
		spent := []guardKey{factorGuard(account)}
		if service := serviceOf(f.Kind); service != "" {
			if err := sentCodes.Delete(t, waits); err != nil {
				return err
			}
			spent = append(spent, sendGuard(account, service))
		}
		if err := t.clearFailures(spent); err != nil {
			return err
		}
		t.entry.Target = f.Label
		t.note("factor", string(f.Kind))
		return then(t, f.Kind, sec)
	})
}

// proveRecovery checks a recovery code and takes it out of its set.
func (s *SignIn) proveRecovery(ctx context.Context, actor Actor, action Action, ticket, typed string, then func(*txn, secrets) error) error {
	var account string
	if _, err := s.look(ctx, actor, func(t *txn) (err error) {
		account, _, err = t.proving(ticket)
		return err
	}); err != nil {
		return s.refused(ctx, actor, action, account, err)
	}
	keys := append([]guardKey{recoveryGuard(account)}, addressGuard(guardAddress, actor.Remote)...)
	release, err := s.enter(ctx, keys)
	if err != nil {
		return s.refused(ctx, actor, action, account, err)
	}
	defer release()
	sec, err := s.newSecrets()
	if err != nil {
		return asError(err)
	}
	_, wrong := s.look(ctx, actor, func(t *txn) error {
		_, _, err := t.findRecovery(account, typed)
		return err
	})
	if guessed(wrong) {
		return s.count(ctx, actor, action, account, keys, wrong, nil)
	} else if wrong != nil {
		return s.refused(ctx, actor, action, account, wrong)
	}
	return s.do(ctx, actor, action, account, func(t *txn) error {
		again, _, err := t.proving(ticket)
		if err != nil {
			return err
		}
		if again != account {
			return refuse(CodeTicket)
		}
		left, err := t.useRecovery(account, typed)
		if err != nil {
			return err
		}
		if err := t.clearFailures([]guardKey{recoveryGuard(account), factorGuard(account)}); err != nil {
			return err
		}
		t.note("factor", string(FactorRecovery))
		t.note("codes_left", itoa(left))
		return then(t, sec)
	})
}
