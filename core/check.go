// The check of everything that must hold between records: what transactions
// promise, read back. The engine checks the file and the seals; this checks
// what they mean.

package core

import (
	"context"
	"errors"
	"fmt"

	"postern/store"
)

// Check reads every record of the portal, as it is at one moment, and calls
// report with a sentence for each thing that is not as it must be: records that
// cannot be read, indexes that disagree with them, credentials, sessions, keys
// and grants of accounts that are not there, accounts without a credential, a
// count that is wrong, a portal without an active owner. It holds a page of
// records at a time, however many there are. Its error says why it could not
// read on. The sentences are for operators, in English, and hold no secret.
func (p *Portal) Check(ctx context.Context, report func(string)) error {
	err := p.base.db.View(ctx, func(tx store.Tx) error {
		c := &checker{txn: &txn{Tx: tx, base: p.base, now: p.base.clock.Now()}, ctx: ctx, report: report}
		for _, step := range []func() error{
			c.tables, c.site, c.accounts, c.credentials, c.sessions, c.keys, c.grants, c.apps, c.policies, c.factors, c.counters, c.agreements,
			c.requests, c.chain, c.analysis,
		} {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	})
	return asError(err)
}

// checker is one check.
type checker struct {
	*txn
	ctx    context.Context
	report func(string)
}

func (c *checker) reportf(format string, args ...any) { c.report(fmt.Sprintf(format, args...)) }

// tables lets every table compare its records with its indexes.
func (c *checker) tables() error {
	for _, check := range []func(store.Tx, func(string)) error{
		sites.Check, tallies.Check, policies.Check, accounts.Check, credentials.Check, attempts.Check, sessions.Check,
		linkedKeys.Check, grants.Check, apps.Check, invites.Check, guardTable.Check, trail.Check,
		codeKeys.Check, schemas.Check, factors.Check, enrolments.Check, sentCodes.Check, recoverySets.Check, devices.Check,
		messages.Check, usages.Check, notices.Check,
		freshCounts.Check, hourCounts.Check, dayCounts.Check, factorCounts.Check, marks.Check,
		contacts.Check, agreements.Check, agreementVersions.Check, agreementCounts.Check, acceptances.Check,
		policyDrafts.Check, retiredNames.Check, requests.Check, forgetting.Check, accountHolds.Check, inactiveWarnings.Check,
		unsealed.Check, chainBlocks.Check, chainHeads.Check, chainPoints.Check, chainCuts.Check, chainGone.Check, chainKeys.Check,
		scripts.Check, scriptVersions.Check, runs.Check, posts.Check, exports.Check,
		scripts.Check, scriptVersions.Check, runs.Check, posts.Check, imports.Check,
	} {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		if err := check(c, c.report); err != nil {
			return err
		}
	}
	return nil
}

// each walks a table; a record that cannot be read was reported by its table.
func each[T any](c *checker, table *store.Table[T], fn func(id string, v T) error) error {
	for after := ""; ; {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		rows, err := table.Page(c, after, MaxPage)
		if unreadable(err) {
			return nil
		} else if err != nil {
			return err
		}
		for _, r := range rows {
			if err := fn(r.ID, r.Value); err != nil {
				return err
			}
		}
		if len(rows) < MaxPage {
			return nil
		}
		after = rows[len(rows)-1].Cursor
	}
}

func unreadable(err error) bool {
	return errors.Is(err, store.ErrCorrupt) || errors.Is(err, store.ErrNewer)
}

// holds says whether a table has a record, whether or not it can be read.
func holds[T any](c *checker, table *store.Table[T], id string) (bool, error) {
	_, err := table.Get(c, id)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if unreadable(err) {
		err = nil
	}
	return true, err
}

// owned reports something that belongs to an account which is not there.
func (c *checker) owned(what, id, account string) error {
	there, err := holds(c, accounts, account)
	if err == nil && !there {
		c.reportf("%s %q belongs to account %q, which is not there", what, id, account)
	}
	return err
}

// site looks for an active owner, once the portal is set up.
func (c *checker) site() error {
	site, err := sites.Get(c, siteID)
	if errors.Is(err, store.ErrNotFound) {
		none := true
		err := each(c, accounts, func(string, Account) error { none = false; return nil })
		if err == nil && !none {
			c.report("there are accounts, but the portal's own record is not there")
		}
		return err
	}
	if unreadable(err) {
		return nil
	} else if err != nil {
		return err
	}
	c.txn.site = site
	if err := c.owned("the portal", siteID, site.Owner); err != nil {
		return err
	}
	// An owner whom failures have shut out is no fault of the data.
	found, err := c.otherOwner("", func(a Account) (bool, error) { return a.State == StateActive, nil })
	switch {
	case err == nil && !found:
		c.report("no active account is an owner")
	case unreadable(err), errors.Is(err, store.ErrNotFound):
		return nil // reported by its table
	}
	return err
}

func (c *checker) accounts() error {
	n := 0
	err := each(c, accounts, func(id string, a Account) error {
		n++
		if a.ID != id {
			c.reportf("account %q says that its id is %q", id, a.ID)
		}
		switch a.State {
		case StateActive, StatePending, StateSuspended, StateRejected:
		default:
			c.reportf("account %q is in no known state (%q)", id, a.State)
		}
		there, err := holds(c, credentials, id)
		if err == nil && !there {
			c.reportf("account %q has no credential", id)
		}
		return err
	})
	if err != nil {
		return err
	}
	count, err := c.tally()
	if unreadable(err) {
		return nil
	}
	if err == nil && count.Accounts != n {
		c.reportf("%d accounts are counted, and %d are there", count.Accounts, n)
	}
	return err
}

func (c *checker) credentials() error {
	return each(c, credentials, func(id string, _ Credential) error { return c.owned("credential", id, id) })
}

func (c *checker) sessions() error {
	return each(c, sessions, func(id string, s sessionRecord) error {
		if s.ID != id {
			c.reportf("session %q says that its id is %q", id, s.ID)
		}
		if s.Ended.IsZero() && s.TokenHash == "" {
			c.reportf("session %q has not ended and has no token", id)
		}
		return c.owned("session", id, s.Account)
	})
}

func (c *checker) keys() error {
	return each(c, linkedKeys, func(id string, k LinkedKey) error {
		if k.Fingerprint != id {
			c.reportf("key %q says that its fingerprint is %q", id, k.Fingerprint)
		}
		if !k.Ended.IsZero() && (k.Until.IsZero() || k.Ended.Before(k.Until)) {
			c.reportf("key %q has ended before its time", id)
		}
		return c.owned("key", id, k.Account)
	})
}

func (c *checker) grants() error {
	return each(c, grants, func(id string, g Grant) error {
		if _, known := roleRank[g.Role]; g.App == AppPostern && !known {
			c.reportf("grant %q gives a role that is not known (%q)", id, g.Role)
		}
		if g.App != AppPostern {
			if there, err := holds(c, apps, g.App); err != nil {
				return err
			} else if !there {
				c.reportf("grant %q is on app %q, which is not there", id, g.App)
			}
		}
		if !g.Ended.IsZero() {
			return nil // its account may have been deleted since
		}
		return c.owned("grant", id, g.Account)
	})
}

// apps looks for an owner of every app that is in use, who holds the owner's role.
func (c *checker) apps() error {
	return each(c, apps, func(id string, a App) error {
		if a.ID != id {
			c.reportf("app %q says that its id is %q", id, a.ID)
		}
		if a.State != AppActive {
			return nil
		}
		if err := c.owned("app", id, a.Owner); err != nil {
			return err
		}
		held := 0
		err := c.eachShare(id, func(g Grant) error {
			if g.Role == RoleAppOwner && g.Account == a.Owner {
				held++
			}
			return nil
		})
		if err == nil && held != 1 {
			c.reportf("app %q: its owner holds the owner's role %d times", id, held)
		}
		return err
	})
}

// policies looks at the policy in force and for the version that it is.
func (c *checker) policies() error {
	if !c.txn.site.SetUp() {
		return nil
	}
	now, err := policies.Get(c, policyNow)
	if errors.Is(err, store.ErrNotFound) {
		c.report("there is no policy in force")
		return nil
	}
	if unreadable(err) {
		return nil
	} else if err != nil {
		return err
	}
	if err := now.Validate(); err != nil {
		c.reportf("the policy in force is out of its bounds: %v", err)
	}
	there, err := holds(c, policies, policyVersion(now.Version))
	if err == nil && !there {
		c.reportf("version %d of the policy, which is in force, was not kept", now.Version)
	}
	return err
}

// factors looks at what protects accounts, and at what tells their people.
func (c *checker) factors() error {
	if c.txn.site.SetUp() {
		if there, err := holds(c, codeKeys, codeKeyID); err != nil {
			return err
		} else if !there {
			c.report("the key of codes is not there: no code can be checked")
		}
	}
	err := each(c, factors, func(id string, f factorRecord) error {
		if f.ID != id {
			c.reportf("factor %q says that its id is %q", id, f.ID)
		}
		if f.Kind == FactorApp && len(f.Secret) == 0 {
			c.reportf("factor %q is an app and has no secret", id)
		}
		return c.owned("factor", id, f.Account)
	})
	if err != nil {
		return err
	}
	if err := each(c, recoverySets, func(id string, _ recoverySet) error { return c.owned("recovery set", id, id) }); err != nil {
		return err
	}
	if err := each(c, exports, func(id string, _ exportRecord) error { return c.owned("receipt of an export", id, id) }); err != nil {
		return err
	}
	return each(c, notices, func(id string, n Notice) error { return c.owned("notice", id, n.Account) })
}

// agreements looks at what was accepted, and whether it was counted right.
func (c *checker) agreements() error {
	counted := map[string]agreementCount{}
	err := each(c, acceptances, func(id string, a Acceptance) error {
		ref := agreementRef(a.Agreement, a.Version)
		if id != a.Account+"/"+ref {
			c.reportf("acceptance %q is that of account %q and agreement %q", id, a.Account, ref)
		}
		n := counted[ref]
		if a.Refused {
			n.Refused++
		} else {
			n.Accepted++
		}
		counted[ref] = n
		there, err := holds(c, agreementVersions, ref)
		if err == nil && !there {
			c.reportf("acceptance %q is of a version that was not kept", id)
		}
		if err != nil {
			return err
		}
		return c.owned("acceptance", id, a.Account)
	})
	if err != nil {
		return err
	}
	if err := each(c, agreements, func(id string, a Agreement) error {
		there, err := holds(c, agreementVersions, a.Ref())
		if err == nil && (!there || a.ID != id) {
			c.reportf("version %d of agreement %q was not kept", a.Version, id)
		}
		return err
	}); err != nil {
		return err
	}
	err = each(c, agreementCounts, func(ref string, n agreementCount) error {
		if n != counted[ref] {
			c.reportf("agreement %q: %d answers are counted, and %d are there", ref, n.Accepted+n.Refused, counted[ref].Accepted+counted[ref].Refused)
		}
		delete(counted, ref)
		return nil
	})
	for ref := range counted {
		c.reportf("agreement %q was answered and is not counted", ref)
	}
	return err
}
