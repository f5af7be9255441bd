// Accounts as those see them who look after the portal.

package core

import (
	"context"
	"strings"
	"time"

	"postern/core/secret"
	"postern/store"
)

// CodeFor is how long an issued one-time code may be used.
const CodeFor = 24 * time.Hour

// AccountQuery asks for a page of accounts. Prefix looks at the user name; with
// a State only those in it are listed; a page may then be shorter than N though
// there is more, and all but the active ones are ordered by id instead of name.
type AccountQuery struct {
	Prefix string
	State  State
	After  string
	N      int
}

// AccountPage is a page of accounts; Next continues it, "" when there is no more.
type AccountPage struct {
	Accounts []Account
	Next     string
}

// AccountDetail is what those who look after the portal see of one account.
type AccountDetail struct {
	Profile
	Sessions int
	Locked   bool // its password no longer counts: too many failures in a row
	Failures int
	Keys     []LinkedKey
	Factors  []Factor // addresses masked
	Recovery RecoveryState

	// Grants are the roles held on the portal, the highest first, for those who may
	// read roles; Shares those on apps, for those who may read apps. Rules are what
	// the account lives under of all that apps may be stricter about.
	Grants []HeldGrant
	Shares []Share
	Rules  []RuleSource
}

// List returns a page of accounts, ordered by user name. CodeDenied; CodeFormat
// for an unknown state or a cursor of another listing (field "state", "after").
func (s *Accounts) List(ctx context.Context, actor Actor, q AccountQuery) (AccountPage, error) {
	var page AccountPage
	err := s.read(ctx, actor, func(t *txn) error {
		if err := t.may(OpReadAccounts, ""); err != nil {
			return err
		}
		n := pageSize(q.N)
		prefix := strings.ToLower(strings.TrimSpace(q.Prefix))
		var rows []store.Row[Account]
		var err error
		switch q.State {
		case "", StateActive:
			rows, err = accounts.PageBy(t, "name", prefix, q.After, n)
		case StatePending, StateSuspended, StateRejected:
			rows, err = accounts.PageEq(t, "state", string(q.State), q.After, n)
		default:
			return refuseField(CodeFormat, "state")
		}
		for _, r := range rows {
			if (q.State == "" || r.Value.State == q.State) && strings.HasPrefix(r.Value.UserName, prefix) {
				page.Accounts = append(page.Accounts, r.Value)
			}
		}
		if len(rows) == n {
			page.Next = rows[n-1].Cursor
		}
		return err
	})
	return page, err
}

// Show returns one account (ref: user name, e-mail address or id). CodeDenied, CodeNotFound.
func (s *Accounts) Show(ctx context.Context, actor Actor, ref string) (AccountDetail, error) {
	var d AccountDetail
	err := s.read(ctx, actor, func(t *txn) error {
		if err := t.may(OpReadAccounts, ""); err != nil {
			return err
		}
		a, err := t.account(ref)
		if err != nil {
			return err
		}
		if d.Profile, err = t.profile(a.ID); err != nil {
			return err
		}
		c, err := credentials.Get(t, a.ID)
		if err != nil {
			return err
		}
		d.Failures, d.Locked = c.Failures, c.disabled()
		list, err := t.liveSessions(a.ID)
		if err != nil {
			return err
		}
		d.Sessions = len(list)
		if d.Keys, err = t.shownKeysOf(a.ID); err != nil {
			return err
		}
		factors, err := t.factorsOf(a.ID)
		if err != nil {
			return err
		}
		for _, f := range factors {
			d.Factors = append(d.Factors, f.masked())
		}
		if d.Recovery, err = t.recoveryState(a.ID); err != nil {
			return err
		}
		return t.showAccess(&d)
	})
	return d, err
}

// showAccess adds what an account may and must, as far as the actor may see it.
func (t *txn) showAccess(d *AccountDetail) error {
	roles, err := t.allows(OpReadRoles)
	if err != nil {
		return err
	}
	if roles {
		if d.Grants, err = t.portalRoles(d.ID); err != nil {
			return err
		}
	}
	shares, err := t.allows(OpReadApps)
	if err != nil {
		return err
	}
	if shares {
		if d.Shares, err = t.sharesOf(d.ID); err != nil {
			return err
		}
	}
	d.Rules, err = t.rulesOf(d.ID)
	return err
}

// manage runs an act on somebody's account.
func (s *Accounts) manage(ctx context.Context, actor Actor, action Action, ref string, fn func(*txn, Account) error) error {
	return s.do(ctx, actor, action, "", func(t *txn) error {
		if err := t.may(OpManageAccounts, ""); err != nil {
			return err
		}
		a, err := t.account(ref)
		if err != nil {
			return err
		}
		t.entry.About, t.entry.Target = a.ID, a.UserName
		if err := t.may(OpManageAccounts, a.ID); err != nil {
			return err
		}
		return fn(t, a)
	})
}

// moveTo puts an account into another state, from one of those named: CodeState.
func (t *txn) moveTo(a Account, to State, why string, from ...State) error {
	allowed := false
	for _, f := range from {
		allowed = allowed || a.State == f
	}
	if !allowed {
		return &Error{Code: CodeState, Rule: string(a.State)}
	}
	old := a
	a.State, a.Why = to, why
	t.entry.Reason = why
	return t.putAccount(old, a)
}

// Suspend keeps an account from signing in and ends its sessions at once. It
// is refused for the last owner (CodeLastOwner) and for one in another state (CodeState).
func (s *Accounts) Suspend(ctx context.Context, actor Actor, ref, why string) error {
	return s.suspend(ctx, actor, ref, why, anybody)
}

func (s *Accounts) suspend(ctx context.Context, actor Actor, ref, why string, allowed func(*txn, Account) error) error {
	return s.manage(ctx, actor, ActSuspend, ref, func(t *txn, a Account) error {
		if err := allowed(t, a); err != nil {
			return err
		}
		why, err := cleanText("reason", why, MaxReason, false)
		if err != nil {
			return err
		}
		if err := t.requireOwnerBeside(a.ID); err != nil {
			return err
		}
		if err := t.moveTo(a, StateSuspended, why, StateActive); err != nil {
			return err
		}
		if err := t.dropAttempts(a.ID); err != nil {
			return err
		}
		n, err := t.endSessions(a.ID, "", EndSuspended)
		t.entry.After["sessions_ended"] = itoa(n)
		return err
	})
}

// Resume lets a suspended account sign in again.
func (s *Accounts) Resume(ctx context.Context, actor Actor, ref string) error {
	return s.manage(ctx, actor, ActResume, ref, func(t *txn, a Account) error {
		return t.moveTo(a, StateActive, "", StateSuspended)
	})
}

// Approve lets a new account in that waits for it.
func (s *Accounts) Approve(ctx context.Context, actor Actor, ref string) error {
	return s.manage(ctx, actor, ActApprove, ref, func(t *txn, a Account) error {
		return t.moveTo(a, StateActive, "", StatePending, StateRejected)
	})
}

// Reject turns a new account away. Its name stays taken.
func (s *Accounts) Reject(ctx context.Context, actor Actor, ref, why string) error {
	return s.manage(ctx, actor, ActReject, ref, func(t *txn, a Account) error {
		why, err := cleanText("reason", why, MaxReason, false)
		if err != nil {
			return err
		}
		return t.moveTo(a, StateRejected, why, StatePending)
	})
}

// Unlock forgets the failures of an account and its waits. A password that no
// longer counted, after MaxCredentialFailures, counts for one sign-in more: it
// must then be changed. Nobody unlocks their own account (CodeDenied): whoever
// took over an open session or a linked key could guess its password for ever.
func (s *Accounts) Unlock(ctx context.Context, actor Actor, ref string) error {
	return s.manage(ctx, actor, ActUnlock, ref, func(t *txn, a Account) error {
		if a.ID == actor.Account {
			return refuse(CodeDenied)
		}
		c, err := credentials.Get(t, a.ID)
		if err != nil {
			return err
		}
		t.entry.Before = map[string]string{"failures": itoa(c.Failures)}
		t.entry.After = map[string]string{"failures": "0"}
		c.Expired = c.Expired || c.disabled()
		c.Failures = 0
		if err := credentials.Put(t, a.ID, c); err != nil {
			return err
		}
		for _, kind := range []guardKind{guardLogin, guardCode} {
			for _, login := range []string{a.UserName, a.Email} {
				if login != "" {
					if err := t.clearFailures([]guardKey{loginGuard(kind, login)}); err != nil {
						return err
					}
				}
			}
		}
		return t.clearFailures([]guardKey{factorGuard(a.ID), recoveryGuard(a.ID)})
	})
}

// ExpirePassword makes the next sign-in ask for a new password.
func (s *Accounts) ExpirePassword(ctx context.Context, actor Actor, ref string) error {
	return s.manage(ctx, actor, ActPasswordExpire, ref, func(t *txn, a Account) error {
		c, err := credentials.Get(t, a.ID)
		if err != nil {
			return err
		}
		c.Expired = true
		if err := t.dropAttempts(a.ID); err != nil {
			return err
		}
		return credentials.Put(t, a.ID, c)
	})
}

// IssueCode makes a one-time code with which the account's person signs in once
// and chooses a new password. It takes the place of an earlier one, and is
// shown once. The code has 80 bits; it holds for CodeFor.
func (s *Accounts) IssueCode(ctx context.Context, actor Actor, ref string) (code string, until time.Time, err error) {
	code = secret.Code(s.random, 4)
	err = s.manage(ctx, actor, ActCodeIssued, ref, func(t *txn, a Account) error {
		if err := t.requireFresh(); err != nil {
			return err
		}
		if a.State != StateActive {
			return &Error{Code: CodeState, Rule: string(a.State)}
		}
		c, err := credentials.Get(t, a.ID)
		if err != nil {
			return err
		}
		until = t.now.Add(CodeFor)
		hash, err := t.keyed(lostPurpose, secret.NormalizeCode(code))
		if err != nil {
			return err
		}
		c.CodeHash, c.CodeUntil, c.CodeTries = hash, until, 0
		t.entry.After = map[string]string{"until": until.Format(time.RFC3339)}
		// Whoever began to sign in with the password that is given up may not go on.
		if err := t.dropAttempts(a.ID); err != nil {
			return err
		}
		return credentials.Put(t, a.ID, c)
	})
	if err != nil {
		return "", time.Time{}, err
	}
	return code, until, nil
}
