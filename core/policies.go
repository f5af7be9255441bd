// The policy in force and its versions: read, checked as a whole, replaced.

package core

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"postern/store"
)

var policies = store.NewTable[Policy]("policy", 2)

// policyNow is the id of the policy in force; versions lie beside it.
const policyNow = "now"

func policyVersion(n int) string { return fmt.Sprintf("v%08d", n) }

// Policies reads and changes the policy.
type Policies struct{ *base }

// Current returns the policy in force, for those who may read it.
func (s *Policies) Current(ctx context.Context, actor Actor) (Policy, error) {
	var p Policy
	err := s.read(ctx, actor, func(t *txn) error {
		if err := t.may(OpReadPolicy, ""); err != nil {
			return err
		}
		var err error
		p, err = t.named(t.policy)
		return err
	})
	return p, err
}

// PolicyChange is what somebody wants of the policy.
type PolicyChange struct {
	Values  map[string]string // settings by their paths
	Version int               // the one that the change was made from; 0: whichever is in force
	Reason  string
	// Accept says that whoever changes it knows that people lose their last factor
	// or cannot sign in any more.
	Accept bool
	// Confirm is ConfirmOnce, typed by whoever switches on that accounts are
	// deleted at once.
	Confirm string
}

// Set changes settings and puts the policy in force at once. CodeUnchanged, which is
// in no trail, when it has these values already. CodeConflict when
// another version has taken the place of the one it was made from. CodeNotFound
// for an unknown path, CodeFormat and CodeRange with the rule, CodeNoMethod and
// CodeNoAllowance for methods that could not be used, CodeDenied, CodeStepUp;
// CodeLosesFactor with the number of people who would be left without a factor
// (Losing names them) and CodeLocksOut with that of those who could not sign in
// any more (Impact names them), unless that was accepted; CodeConfirm with
// what must be typed (Rule) when accounts would be deleted at once; CodeNotOwner
// for a decider who is none; CodeLockout when no owner could sign in. Whom a
// change of methods touches is counted before anything is written, so that nobody
// waits for it; CodeConflict with the field "factors" when factors went on changing
// each time it was.
func (s *Policies) Set(ctx context.Context, actor Actor, c PolicyChange) (Policy, error) {
	for try := 1; ; try++ {
		seen, err := s.foresee(ctx, actor, c)
		if err != nil {
			return Policy{}, err
		}
		next, err := s.put(ctx, actor, c, seen, try == foreseeTries)
		switch {
		case errors.Is(err, errUnchanged):
			return Policy{}, refuseField(CodeUnchanged, "policy")
		case !errors.Is(err, errAgain):
			return next, err
		}
	}
}

// change is the policy that a change makes of the one in force, and its reason, or
// a refusal of it.
func (t *txn) change(c PolicyChange) (next Policy, reason string, err error) {
	if err := t.may(OpChangePolicy, ""); err != nil {
		return next, "", err
	}
	if reason, err = cleanText("reason", c.Reason, MaxReason, false); err != nil {
		return next, "", err
	}
	if err := t.requireFresh(); err != nil {
		return next, "", err
	}
	if c.Version != 0 && c.Version != t.policy.Version {
		return next, "", refuse(CodeConflict)
	}
	if next, err = t.changed(c.Values); err != nil {
		return next, "", err
	}
	next.Factors.demandedSince(t.policy.Factors, t.now)
	return next, reason, t.consented(next, c.Confirm)
}

// errUnchanged ends a change that changes nothing: no version comes of it, and no
// entry in the trail.
var errUnchanged = errors.New("core: nothing would change")

// put is Set with what was foreseen of it. errAgain when that holds no more,
// unless it is the last try.
func (s *Policies) put(ctx context.Context, actor Actor, c PolicyChange, seen foreseen, last bool) (Policy, error) {
	var next Policy
	err := s.do(ctx, actor, ActPolicy, "", func(t *txn) error {
		var reason string
		var err error
		if next, reason, err = t.change(c); err != nil {
			return err
		}
		if len(diff(t.policy, next)) == 0 {
			return errUnchanged
		}
		if err := t.bearable(ctx, next, c.Accept, seen, last); err != nil {
			return err
		}
		next.Version, next.Changed, next.By, next.Reason = t.policy.Version+1, t.now, t.entry.Actor, reason
		t.entry.Target, t.entry.Reason = policyVersion(next.Version), reason
		t.entry.Before, t.entry.After = changes(t.policy.described(), next.described())
		if err := policyDrafts.Delete(t, draftOf(actor)); err != nil { // what it became is in force
			return err
		}
		old := t.policy.Messages
		if err := t.putPolicy(next); err != nil {
			return err
		}
		t.policy = next // it is in force: what it causes keeps to it
		return t.warnOfPolicy(old, next.Messages)
	})
	if err != nil {
		return Policy{}, err
	}
	return next, nil
}

// with returns the policy with settings changed, checked as a whole.
func (p Policy) with(values map[string]string) (Policy, error) {
	p.SignUp.Fields = slices.Clone(p.SignUp.Fields)
	for _, path := range slices.Sorted(maps.Keys(values)) {
		s, err := settingByPath(path)
		if err != nil {
			return p, err
		}
		if err := s.set(&p, values[path]); err != nil {
			return p, err
		}
	}
	return p, p.Validate()
}

// Validate checks every setting against its bounds, and the rules between them.
func (p Policy) Validate() error {
	for _, s := range Settings() {
		copied := p
		if err := s.set(&copied, s.Get(p)); err != nil {
			return err
		}
	}
	if p.Lockout.MaxWaitMinutes*60 < p.Lockout.WaitSeconds {
		return &Error{Code: CodeRange, Field: "lockout.max_wait_minutes", Rule: "≥ lockout.wait_seconds"}
	}
	if p.Password.RotateDays > 0 && p.Password.HistoryDays > 0 && p.Password.HistoryDays < p.Password.RotateDays {
		// Else the password that was forced out could come straight back.
		return &Error{Code: CodeRange, Field: "password.history_days", Rule: "≥ password.rotate_days"}
	}
	if err := p.validateDeletion(); err != nil {
		return err
	}
	return p.validateFactors()
}

// described is the policy as settings, for the trail and for diffs.
func (p Policy) described() map[string]string {
	m := map[string]string{}
	for _, s := range Settings() {
		m[s.Path] = s.Get(p)
	}
	return m
}

// putPolicy puts a policy in force and keeps it as a version.
func (t *txn) putPolicy(p Policy) error {
	if err := policies.Insert(t, policyVersion(p.Version), p); err != nil {
		if errors.Is(err, store.ErrExists) {
			return refuse(CodeConflict)
		}
		return err
	}
	return policies.Put(t, policyNow, p)
}
