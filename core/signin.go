// Sign-in: the proof of who one is. What comes after it, the forced steps, is
// steps.go. Unknown, wrong, locked and suspended get one answer at one cost.

package core

import (
	"context"
	"errors"
	"time"

	"postern/core/password"
	"postern/core/secret"
	"postern/store"
)

// Bounds of one-time codes that stand for a lost password.
const (
	MaxCodeTries = 5
	MaxLogin     = 256 // bytes of a name or address that is looked up
)

// lostPurpose is what the hash of a code for a lost password is for.
const lostPurpose = "lost password"

// SignIn signs people in and out.
type SignIn struct{ *base }

// SignedIn is a session that has just begun, or was found again.
type SignedIn struct {
	Account, Session string
	// Token is the session's secret, for a door that remembers it. It is shown
	// to nobody and kept nowhere else.
	Token                 string
	UserName, DisplayName string
	Language, Theme, Zone string
}

// Password begins a sign-in with a user name or e-mail address and a password.
// CodeCredentials for everything that is not right; CodeWait after too many
// failures; CodeCaptcha where one is to be solved first; CodePassword for what
// cannot be a password at all, with the rule "max_bytes", "control" or "encoding".
func (s *SignIn) Password(ctx context.Context, actor Actor, login, pw string) (Progress, error) {
	keys := guardKeys(actor, guardLogin, login)
	release, err := s.enter(ctx, append(addressGuard(guardTyping, actor.Remote), keys...))
	if err != nil {
		return Progress{}, s.refused(ctx, actor, ActSignIn, "", err)
	}
	defer release()
	var p Progress
	err = s.human(ctx, actor, atSignIn(keys), func() (err error) {
		p, err = s.password(ctx, actor, login, pw, keys)
		return err
	})
	return p, err
}

// password judges a password; keys are what a failure counts under.
func (s *SignIn) password(ctx context.Context, actor Actor, login, pw string, keys []guardKey) (Progress, error) {
	normal, err := password.Normalize(pw)
	if err != nil {
		return Progress{}, s.count(ctx, actor, ActSignIn, "", addressGuard(guardTyping, actor.Remote), passwordError("password", err), nil)
	}
	acc, cred, known, err := s.find(ctx, login)
	if err != nil {
		return Progress{}, s.refused(ctx, actor, ActSignIn, "", err)
	}
	var ok, weaker bool
	if known && cred.Hash != "" {
		ok, weaker, err = s.hasher.Verify(ctx, normal, cred.Hash)
	} else {
		err = s.hasher.Burn(ctx, normal)
	}
	if err != nil {
		return Progress{}, s.refused(ctx, actor, ActSignIn, acc.ID, asError(err))
	}
	usable := known && acc.State == StateActive && !cred.disabled()
	if !ok || !usable {
		return Progress{}, s.failed(ctx, actor, ActSignIn, acc.ID, keys, known && !ok)
	}
	rehash := ""
	if weaker {
		if rehash, err = s.hasher.Hash(ctx, normal); err != nil {
			return Progress{}, s.refused(ctx, actor, ActSignIn, acc.ID, asError(err))
		}
	}
	return s.proved(ctx, actor, ActSignIn, attempt{Account: acc.ID, Method: "password"}, func(t *txn, c *Credential) error {
		if c.Hash != cred.Hash || c.disabled() {
			return refuse(CodeCredentials) // changed while this one was checked
		}
		c.Failures = 0
		if rehash != "" {
			c.Hash = rehash
			if err := t.also(ActRehash, func(*Entry) {}); err != nil {
				return err
			}
		}
		return t.clearFailures(keys)
	})
}

// Code signs in with the one-time code that an admin issued for a lost
// password; the next step is a new password. It is counted apart from
// passwords, so that its owner gets in while others hammer the account.
// CodeCredentials, CodeWait, CodeCaptcha.
func (s *SignIn) Code(ctx context.Context, actor Actor, login, code string) (Progress, error) {
	keys := guardKeys(actor, guardCode, login)
	release, err := s.enter(ctx, keys)
	if err != nil {
		return Progress{}, s.refused(ctx, actor, ActSignInCode, "", err)
	}
	defer release()
	var p Progress
	err = s.human(ctx, actor, atSignIn(keys), func() (err error) {
		p, err = s.code(ctx, actor, login, code, keys)
		return err
	})
	return p, err
}

// code judges such a code; keys are what a failure counts under.
func (s *SignIn) code(ctx context.Context, actor Actor, login, code string, keys []guardKey) (Progress, error) {
	acc, cred, known, err := s.find(ctx, login)
	if err != nil {
		return Progress{}, s.refused(ctx, actor, ActSignInCode, "", err)
	}
	var hash string
	if _, err := s.look(ctx, Actor{}, func(t *txn) (err error) {
		hash, err = t.keyed(lostPurpose, secret.NormalizeCode(code))
		return err
	}); err != nil {
		return Progress{}, s.refused(ctx, actor, ActSignInCode, "", err)
	}
	matches := func(c Credential) bool {
		return c.CodeHash != "" && c.CodeTries < MaxCodeTries && s.clock.Now().Before(c.CodeUntil) && secret.Equal(hash, c.CodeHash)
	}
	if !known || acc.State != StateActive || !matches(cred) {
		return Progress{}, s.failed(ctx, actor, ActSignInCode, acc.ID, keys, false)
	}
	return s.proved(ctx, actor, ActSignInCode, attempt{Account: acc.ID, Method: "code"}, func(t *txn, c *Credential) error {
		if !matches(*c) {
			return refuse(CodeCredentials) // another door used it a moment ago
		}
		// The old password stays disabled, if it was, until the new one is there.
		c.CodeHash, c.CodeUntil, c.CodeTries = "", time.Time{}, 0
		c.Expired = true
		return t.clearFailures(keys)
	})
}

// find reads the account and the credential behind a login.
func (b *base) find(ctx context.Context, login string) (acc Account, cred Credential, known bool, err error) {
	if len(login) > MaxLogin {
		return acc, cred, false, nil
	}
	err = b.read(ctx, Actor{}, func(t *txn) error {
		if !t.site.SetUp() {
			return refuse(CodeNotSetUp)
		}
		if acc, known, err = t.accountByLogin(login); err != nil || !known {
			return err
		}
		cred, err = credentials.Get(t, acc.ID)
		if errors.Is(err, store.ErrNotFound) {
			err = nil
		}
		return err
	})
	return acc, cred, known, err
}

// failed counts a wrong guess and returns the one answer for all of them.
// onCredential counts it against the password too.
func (b *base) failed(ctx context.Context, actor Actor, action Action, about string, keys []guardKey, onCredential bool) error {
	return b.count(ctx, actor, action, about, keys, refuse(CodeCredentials), func(t *txn) error {
		if about == "" {
			return nil
		}
		c, err := credentials.Get(t, about)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
		switch {
		case onCredential && !c.disabled():
			if c.Failures++; c.disabled() {
				if err := t.notify(about, NoticeAccountLocked, nil); err != nil {
					return err
				}
			}
		case action == ActSignInCode && c.CodeHash != "" && c.CodeTries < MaxCodeTries:
			c.CodeTries++
		default:
			return nil
		}
		return credentials.Put(t, about, c)
	})
}

// count counts a refused try under the keys, lets change note it elsewhere, and
// writes its entry, in one transaction; it returns answer. It does so even when
// the caller has gone: hanging up does not undo a failure.
func (b *base) count(ctx context.Context, actor Actor, action Action, about string, keys []guardKey, answer error, change func(*txn) error) error {
	ctx = context.WithoutCancel(ctx)
	e, err := b.newEntry(actor, action, about)
	if err != nil {
		return asError(err)
	}
	e.Outcome, e.Code = OutcomeRefused, CodeOf(answer)
	err = b.db.Update(ctx, func(tx store.Tx) error {
		t := &txn{Tx: tx, base: b, actor: actor, now: e.At, entry: e}
		if err := t.load(); err != nil {
			return err
		}
		if err := t.countFailure(keys); err != nil {
			return err
		}
		if change != nil {
			if err := change(t); err != nil {
				return err
			}
		}
		return t.record(t.entry)
	})
	if err != nil {
		b.log.Error("failure not counted", "id", e.ID, "error", err)
		return asError(err)
	}
	return answer
}

// proved runs after a successful proof: it lets change alter the credential,
// and goes on to the forced steps or to a session, all in one transaction.
func (b *base) proved(ctx context.Context, actor Actor, action Action, at attempt, change func(*txn, *Credential) error) (Progress, error) {
	secrets, err := b.newSecrets()
	if err != nil {
		return Progress{}, asError(err)
	}
	var p Progress
	err = b.do(ctx, actor, action, at.Account, func(t *txn) error {
		acc, err := accounts.Get(t, at.Account)
		if err != nil {
			return err
		}
		if acc.State != StateActive {
			return refuse(CodeCredentials)
		}
		c, err := credentials.Get(t, acc.ID)
		if err != nil {
			return err
		}
		t.entry.Actor, t.entry.Name = acc.ID, acc.UserName
		before := c
		if err := change(t, &c); err != nil {
			return err
		}
		if c.Hash != before.Hash || c.Failures != before.Failures || c.CodeHash != before.CodeHash || c.Expired != before.Expired {
			if err := credentials.Put(t, acc.ID, c); err != nil {
				return err
			}
		}
		p, err = t.advance(acc, c, at, secrets)
		return err
	})
	if err != nil {
		return Progress{}, err
	}
	return p, nil
}

// Resume finds the session of a token that a door remembered. CodeSessionEnded
// when it is over or unknown.
func (s *SignIn) Resume(ctx context.Context, actor Actor, token string) (SignedIn, error) {
	var in SignedIn
	overdue := ""
	err := s.read(ctx, Actor{}, func(t *txn) error {
		id, r, err := sessions.Find(t, "token", secret.Hash(token))
		if errors.Is(err, store.ErrNotFound) {
			return refuse(CodeSessionEnded)
		} else if err != nil {
			return err
		}
		if over, err := t.over(r); err != nil {
			return err
		} else if over {
			overdue = id
		}
		t.actor = Actor{Account: r.Account, Session: id}
		if err := t.requireLive(); err != nil {
			return err
		}
		acc, err := accounts.Get(t, r.Account)
		in = acc.signedIn(id, token)
		return err
	})
	if overdue != "" {
		// Its time has come and somebody has seen it: now it stays so.
		if _, err := s.expire(ctx, overdue, s.clock.Now()); err != nil {
			s.log.Error("session not expired", "error", err)
		}
	}
	if err != nil {
		return SignedIn{}, err
	}
	return in, nil
}

// Out ends the actor's own session.
func (s *SignIn) Out(ctx context.Context, actor Actor) error {
	return (&Sessions{s.base}).End(ctx, actor, actor.Session)
}

func (a Account) signedIn(session, token string) SignedIn {
	return SignedIn{
		Account: a.ID, Session: session, Token: token, UserName: a.UserName, DisplayName: a.DisplayName,
		Language: a.Language, Theme: a.Theme, Zone: a.TimeZone,
	}
}
