// Passwords: the policy's rules applied, history, rotation and change.

package core

import (
	"context"
	"time"

	"postern/core/password"
)

// PasswordGuide is what a screen needs to judge a password while it is typed:
// the rules in force and the words that are too close to the person. Check is
// pure and cheap; Estimate is slow and belongs in a command.
type PasswordGuide struct {
	Rules password.Rules
	// HistoryDays and HistoryLast say which old passwords will be refused; only
	// the core can check that, when the password is submitted.
	HistoryDays, HistoryLast int
	words                    []string
}

// Person is what is typed beside a password and may not be part of it.
type Person struct {
	UserName, DisplayName, Email string
}

func (g PasswordGuide) personal(p Person) []string {
	return append(append([]string{}, g.words...), p.UserName, p.DisplayName, p.Email)
}

// Check judges a password by every rule that is on. score may be nil: not yet known.
func (g PasswordGuide) Check(pw string, p Person, score *password.Score) []password.Check {
	return g.Rules.Evaluate(password.Input{Password: pw, Personal: g.personal(p), Score: score})
}

// Estimate scores a password; it may take milliseconds.
func (g PasswordGuide) Estimate(pw string, p Person) password.Score {
	return password.Estimate(pw, g.personal(p))
}

// guide is the guide for somebody who has no account yet.
func (t *txn) guide() PasswordGuide { return t.guideUnder(t.policy) }

func (t *txn) guideUnder(p Policy) PasswordGuide {
	return PasswordGuide{
		Rules: p.Password.Rules(), HistoryDays: p.Password.HistoryDays,
		HistoryLast: p.Password.HistoryLast, words: []string{t.site.Name, "postern"},
	}
}

// guideFor is the guide for an account, and the policy that it lives under.
func (t *txn) guideFor(account string) (PasswordGuide, Policy, error) {
	p, err := t.policyFor(account)
	return t.guideUnder(p), p, err
}

// MyGuide returns the guide for a new password of the actor's own account, whose
// apps may demand more than the portal.
func (s *Accounts) MyGuide(ctx context.Context, actor Actor) (PasswordGuide, error) {
	var g PasswordGuide
	err := s.read(ctx, actor, func(t *txn) (err error) {
		if err := t.may(OpSelf, actor.Account); err != nil {
			return err
		}
		g, _, err = t.guideFor(actor.Account)
		return err
	})
	return g, err
}

// Guide returns the guide for the password of the forced step StepChangePassword.
// CodeTicket, CodeOutOfOrder, CodeCredentials.
func (s *SignIn) Guide(ctx context.Context, actor Actor, ticket string) (PasswordGuide, error) {
	var g PasswordGuide
	err := s.read(ctx, actor, func(t *txn) error {
		_, a, _, err := t.attempt(ticket, StepChangePassword)
		if err != nil {
			return err
		}
		g, _, err = t.guideFor(a.ID)
		return err
	})
	return g, err
}

// Guide returns the guide for the first password of a new account, under the
// portal's policy.
func (s *Accounts) Guide(ctx context.Context) (PasswordGuide, error) {
	var g PasswordGuide
	err := s.read(ctx, Actor{}, func(t *txn) error { g = t.guide(); return nil })
	return g, err
}

// judge normalises a password and applies every rule, scoring it for real. It is
// done outside the transaction because it is slow; field names the input.
func (b *base) judge(g PasswordGuide, pw string, p Person, field string) (string, error) {
	pw, err := password.Normalize(pw)
	if err != nil {
		return "", passwordError(field, err)
	}
	if pw == "" {
		return "", refuseField(CodeEmpty, field)
	}
	score := g.Estimate(pw, p)
	for _, c := range g.Check(pw, p, &score) {
		if c.State != password.Pass {
			return "", &Error{Code: CodePassword, Field: field, Rule: string(c.Rule), N: c.N}
		}
	}
	if g.Rules.RefuseCommon && b.breached != nil {
		found, err := b.breached.Contains(pw)
		if err != nil {
			return "", asError(err)
		}
		if found {
			return "", &Error{Code: CodePassword, Field: field, Rule: string(password.RuleCommon)}
		}
	}
	return pw, nil
}

// covers says whether the history of the policy forbids the i-th last password,
// counted from 0 and without the present one.
func (p PasswordPolicy) covers(i int, h OldHash, now time.Time) bool {
	return i < p.HistoryLast-1 || p.HistoryDays > 0 && h.Until.After(now.AddDate(0, 0, -p.HistoryDays))
}

// forbidden returns the hashes that a new password may not match: the present
// one, and those that the history of the policy still covers.
func (c Credential) forbidden(p PasswordPolicy, now time.Time) (present string, old []string) {
	for i, h := range c.History {
		if p.covers(i, h, now) {
			old = append(old, h.Hash)
		}
	}
	return c.Hash, old
}

// maxHistory bounds how many old hashes are kept, and so what a change may cost.
const maxHistory = 50

// replace puts a new hash in force, with all failures and a one-time code
// forgotten. Of the old hashes it keeps those that the history may ask for: what
// no rule needs is only there to be stolen.
func (c Credential) replace(hash string, p PasswordPolicy, now time.Time) Credential {
	var history []OldHash
	for i, h := range append([]OldHash{{Hash: c.Hash, Until: now}}, c.History...) {
		if h.Hash != "" && p.covers(i, h, now) && len(history) < maxHistory {
			history = append(history, h)
		}
	}
	return Credential{Hash: hash, Changed: now, History: history, Trail: c.Trail}
}

// due says whether the password must be changed before anything else.
func (c Credential) due(p PasswordPolicy, now time.Time) bool {
	return c.Expired || (p.RotateDays > 0 && !now.Before(c.Changed.AddDate(0, 0, p.RotateDays)))
}

// change is what a new password needs, read on one snapshot.
type change struct {
	account Account
	cred    Credential
	guide   PasswordGuide
	policy  Policy
}

// fresh judges a new password, checks it against the history and hashes it, all
// outside a transaction.
func (b *base) fresh(ctx context.Context, ch change, pw, field string) (hash string, err error) {
	normal, err := b.judge(ch.guide, pw, ch.account.person(), field)
	if err != nil {
		return "", err
	}
	present, old := ch.cred.forbidden(ch.policy.Password, b.clock.Now())
	if present != "" {
		same, err := b.hasher.MatchesAny(ctx, normal, []string{present})
		if err != nil {
			return "", asError(err)
		}
		if same {
			return "", refuseField(CodeSame, field)
		}
	}
	reused, err := b.hasher.MatchesAny(ctx, normal, old)
	if err != nil {
		return "", asError(err)
	}
	if reused {
		return "", refuseField(CodeReused, field)
	}
	hash, err = b.hasher.Hash(ctx, normal)
	return hash, asError(err)
}

// replacePassword puts a new hash in force, unless it or the policy changed while the new
// password was hashed. What was begun with the old one may not go on.
func (t *txn) replacePassword(ch change, hash string) (Credential, error) {
	c, err := credentials.Get(t, ch.account.ID)
	if err != nil {
		return c, err
	}
	p, err := t.policyFor(ch.account.ID)
	if err != nil {
		return c, err
	}
	if c.Hash != ch.cred.Hash || p.Version != ch.policy.Version || p.Password != ch.policy.Password {
		return c, refuse(CodeConflict)
	}
	if err := t.dropAttempts(ch.account.ID); err != nil {
		return c, err
	}
	c = c.replace(hash, p.Password, t.now)
	return c, credentials.Put(t, ch.account.ID, c)
}

func (a Account) person() Person {
	return Person{UserName: a.UserName, DisplayName: a.DisplayName, Email: a.Email}
}

// ChangePassword replaces the actor's password. It asks for the present one,
// which counts as a step-up where nothing stronger can be asked for; else the
// step-up has to come first (CodeStepUp). It ends the other sessions when
// endOthers is set. CodeCredentials (field "current"), CodeWait, CodeConflict, CodeEmpty, CodeReused,
// CodeSame (field "password"), and CodePassword (of both fields) with the rule that fails.
func (s *Accounts) ChangePassword(ctx context.Context, actor Actor, current, next string, endOthers bool) (StepUpResult, error) {
	var weak bool
	_, err := s.look(ctx, actor, func(t *txn) (err error) {
		weak, err = t.mayChangePassword(actor.Account)
		return err
	})
	if err != nil {
		return StepUpResult{}, s.refused(ctx, actor, ActPassword, actor.Account, err)
	}
	p, err := s.prove(ctx, actor, ActPassword, current, "current")
	if err != nil {
		return StepUpResult{}, err
	}
	ch := change{account: p.account, cred: p.cred}
	err = s.read(ctx, actor, func(t *txn) (err error) {
		ch.guide, ch.policy, err = t.guideFor(ch.account.ID)
		return err
	})
	if err != nil {
		return StepUpResult{}, s.refused(ctx, actor, ActPassword, ch.account.ID, err)
	}
	hash, err := s.fresh(ctx, ch, next, "password")
	if err != nil {
		return StepUpResult{}, s.refused(ctx, actor, ActPassword, ch.account.ID, err)
	}
	result, tokenHash := s.newToken(actor)
	err = s.do(ctx, actor, ActPassword, ch.account.ID, func(t *txn) error {
		if weak, err = t.mayChangePassword(ch.account.ID); err != nil {
			return err
		}
		if _, err := t.honour(p); err != nil {
			return err
		}
		if _, err := t.replacePassword(ch, hash); err != nil {
			return err
		}
		t.entry.Target = ch.account.UserName
		if err := t.notify(ch.account.ID, NoticePasswordChanged, nil); err != nil {
			return err
		}
		renew := t.renew
		if !weak {
			renew = t.renewToken // the password alone is no proof of the rest
		}
		if err := renew(actor.Session, tokenHash); err != nil || !endOthers {
			return err
		}
		n, err := t.endSessions(ch.account.ID, actor.Session, EndPassword)
		t.entry.After = map[string]string{"sessions_ended": itoa(n)}
		return err
	})
	if err != nil {
		return StepUpResult{}, err
	}
	return result, nil
}

// mayChangePassword says whether the present password is enough of a proof to
// change it; otherwise a fresh one of a factor is required.
func (t *txn) mayChangePassword(account string) (weak bool, err error) {
	if err := t.may(OpSelf, account); err != nil {
		return false, err
	}
	if weak, err = t.passwordProves(account); err != nil || weak {
		return weak, err
	}
	return false, t.requireFresh()
}

// refused records a refusal that was found outside a transaction, and returns it.
func (b *base) refused(ctx context.Context, actor Actor, action Action, about string, cause error) error {
	e, err := b.newEntry(actor, action, about)
	if err != nil {
		return asError(err)
	}
	b.recordRefusal(ctx, e, cause)
	return cause
}
