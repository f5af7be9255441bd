// Sign-up: a stranger becomes an account.

package core

import (
	"context"
	"errors"

	"postern/core/names"
	"postern/core/secret"
	"postern/store"
)

// SignUpInput is what sign-up asks for.
type SignUpInput struct {
	UserName, DisplayName, Email string
	Password                     string
	Invite                       string            // the code, in mode invite
	Fields                       map[string]string // the policy's custom fields, by key
	Language                     string            // the one it was asked in (BCP 47), kept for the account; may be ""
	Agreed                       []string          // the versions (Agreement.Ref) that were agreed to
}

// SignUpResult is a new account: signed in, or waiting for approval.
type SignUpResult struct {
	Pending  bool
	Progress Progress // unless Pending: signed in, or what the policy asks for first
	SignedIn SignedIn // of Progress
}

// NameFree says whether a user name could be had: nil, or the refusal that
// sign-up would give (CodeTaken, CodeReserved, CodeCharacter, …). Whether it is
// taken is told only while everybody may sign up, since only then would sign-up
// tell it to everybody too; who asks too often is told to wait (CodeWait).
func (s *Accounts) NameFree(ctx context.Context, actor Actor, name string) error {
	clean, err := cleanUserName(name)
	if err != nil {
		return err
	}
	typing := addressGuard(guardTyping, actor.Remote)
	release, err := s.enter(ctx, typing)
	if err != nil {
		return err
	}
	defer release()
	err = s.read(ctx, Actor{}, func(t *txn) error {
		if m := t.policy.SignUp.Mode; t.site.SetUp() && m != SignUpOpen && m != SignUpApproval {
			return nil
		}
		return t.nameFree(clean)
	})
	if CodeOf(err) != CodeTaken || len(typing) == 0 {
		return err
	}
	e := s.db.Update(ctx, func(tx store.Tx) error {
		t := &txn{Tx: tx, base: s.base, now: s.clock.Now()}
		if err := t.load(); err != nil {
			return err
		}
		return t.countFailure(typing)
	})
	if e != nil {
		return asError(e)
	}
	return err
}

func (t *txn) nameFree(name string) error {
	for _, look := range [][2]string{{"name", name}, {"skeleton", names.Skeleton(name)}} {
		_, _, err := accounts.Find(t, look[0], look[1])
		if err == nil {
			return refuseField(CodeTaken, "user_name")
		}
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return t.requireNew(name)
}

// SignUp makes an account. CodeConflict when the policy changed meanwhile, CodeClosed, CodeFull, CodeInvite (field "invite"),
// CodeWait, CodeCaptcha where one is to be solved first, CodeNotSetUp; with a field: CodeEmpty, CodeTooLong, CodeCharacter,
// CodeEncoding, CodeMixedScripts, CodeReserved, CodeTaken, CodeFormat,
// CodeRequired, CodePassword with the rule that fails, and CodeAgreement (field
// AgreementField) when a mandatory agreement is not accepted in its newest version.
func (s *Accounts) SignUp(ctx context.Context, actor Actor, in SignUpInput) (SignUpResult, error) {
	var out SignUpResult
	err := s.limited(ctx, actor, func() error {
		return s.human(ctx, actor, atSignUp, func() (err error) {
			out, err = s.signUp(ctx, actor, in)
			return err
		})
	})
	return out, err
}

func (s *Accounts) signUp(ctx context.Context, actor Actor, in SignUpInput) (SignUpResult, error) {
	var guide PasswordGuide
	var pol Policy
	// What can be refused cheaply is refused before the password is hashed.
	err := s.read(ctx, actor, func(t *txn) error {
		guide, pol = t.guide(), t.policy
		if _, err := t.admit(in.Invite); err != nil {
			return err
		}
		asked, err := t.currentAgreements()
		if err != nil {
			return err
		}
		return requireAgreed(asked, in.Agreed)
	})
	if err != nil {
		return SignUpResult{}, s.refused(ctx, actor, ActSignUp, "", err)
	}
	acc, cred, err := s.draft(ctx, guide, in, pol.SignUp)
	if err != nil {
		return SignUpResult{}, s.refused(ctx, actor, ActSignUp, "", err)
	}
	sec, err := s.newSecrets()
	if err != nil {
		return SignUpResult{}, asError(err)
	}
	grant, err := s.ids.new(s.clock.Now())
	if err != nil {
		return SignUpResult{}, asError(err)
	}
	var out SignUpResult
	err = s.do(ctx, actor, ActSignUp, "", func(t *txn) error {
		invite, err := t.admit(in.Invite)
		if err != nil {
			return err
		}
		if t.policy.Version != pol.Version {
			return refuse(CodeConflict) // it may demand more than was looked at
		}
		asked, err := t.currentAgreements()
		if err != nil {
			return err
		}
		if err := requireAgreed(asked, in.Agreed); err != nil {
			return err
		}
		acc, cred := acc, cred
		acc.Created, cred.Changed = t.now, t.now
		if t.policy.SignUp.Mode == SignUpApproval {
			acc.State = StatePending
		}
		acc.Invite = invite
		if err := t.insertAccount(acc, cred); err != nil {
			return err
		}
		if err := t.keepAgreed(acc.ID, asked, in.Agreed); err != nil {
			return err
		}
		if invite != "" {
			if err := t.useInvite(invite, acc.ID, grant); err != nil {
				return err
			}
		}
		out = SignUpResult{Pending: acc.State == StatePending}
		if !out.Pending {
			// A new account has its days to enrol a factor like everybody.
			at := attempt{Account: acc.ID, Method: "signup", Later: true}
			if out.Progress, err = t.advance(acc, cred, at, sec); err != nil {
				return err
			}
			out.SignedIn = out.Progress.SignedIn
		}
		t.entry.About, t.entry.Actor, t.entry.Name, t.entry.Target = acc.ID, acc.ID, acc.UserName, acc.UserName
		t.entry.After = acc.described()
		t.noteAgreed(asked, in.Agreed)
		return nil
	})
	if err != nil {
		return SignUpResult{}, err
	}
	return out, nil
}

// admit decides whether somebody with this invitation may sign up now, and
// returns the invitation's id.
func (t *txn) admit(code string) (invite string, err error) {
	if !t.site.SetUp() {
		return "", refuse(CodeNotSetUp)
	}
	p := t.policy.SignUp
	if p.Quota > 0 {
		n, err := t.tally()
		if err != nil {
			return "", err
		}
		if n.Accounts >= p.Quota {
			return "", refuse(CodeFull)
		}
	}
	switch p.Mode {
	case SignUpClosed:
		return "", refuse(CodeClosed)
	case SignUpInvite:
		inv, err := t.invite(code)
		return inv.ID, err
	default:
		if secret.NormalizeCode(code) == "" {
			return "", nil
		}
		// Nobody needs an invitation, but one may bring a role. What is none is passed
		// over, as anything else that was not asked for.
		inv, err := t.invite(code)
		if CodeOf(err) == CodeInvite {
			return "", nil
		}
		return inv.ID, err
	}
}

// draft validates everything that was typed and hashes the password.
func (b *base) draft(ctx context.Context, guide PasswordGuide, in SignUpInput, pol SignUpPolicy) (acc Account, cred Credential, err error) {
	if acc.UserName, err = cleanUserName(in.UserName); err != nil {
		return acc, cred, err
	}
	if acc.DisplayName, err = cleanDisplayName(in.DisplayName, acc.UserName); err != nil {
		return acc, cred, err
	}
	if acc.Email, err = cleanEmail(in.Email, pol.EmailRequired); err != nil {
		return acc, cred, err
	}
	if acc.Fields, err = checkFields(pol.Fields, in.Fields, false); err != nil {
		return acc, cred, err
	}
	if !validLanguage.MatchString(in.Language) {
		return acc, cred, refuseField(CodeFormat, "language")
	}
	// A taken name is found before the costly hash; the insert decides for good.
	if err = b.read(ctx, Actor{}, func(t *txn) error { return t.nameFree(acc.UserName) }); err != nil {
		return acc, cred, err
	}
	normal, err := b.judge(guide, in.Password, acc.person(), "password")
	if err != nil {
		return acc, cred, err
	}
	if cred.Hash, err = b.hasher.Hash(ctx, normal); err != nil {
		return acc, cred, asError(err)
	}
	if cred.Trail, err = b.newTrailKey(); err != nil {
		return acc, cred, asError(err)
	}
	acc.ID, err = b.ids.new(b.clock.Now())
	acc.State, acc.Language = StateActive, in.Language
	return acc, cred, asError(err)
}
