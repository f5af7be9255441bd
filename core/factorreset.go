// Starting anew, for somebody who has lost whatever proves who they are.

package core

import "context"

// ResetFactors removes every factor, every linked key and all recovery codes of an
// account, for somebody who has lost them. Keys go whatever they stand for: a lost
// one that stands for the password, or carries verbs, is no less lost. The person
// is told. CodeDenied, CodeStepUp, CodeNotFound; CodeNoFactor when there is nothing
// to remove; of their own account CodeLastFactor while the policy demands one.
func (s *Accounts) ResetFactors(ctx context.Context, actor Actor, ref string) (removed int, err error) {
	return s.resetFactors(ctx, actor, ref, anybody)
}

func (s *Accounts) resetFactors(ctx context.Context, actor Actor, ref string, allowed func(*txn, Account) error) (removed int, err error) {
	err = s.manage(ctx, actor, ActFactorsReset, ref, func(t *txn, a Account) error {
		if err := allowed(t, a); err != nil {
			return err
		}
		if err := t.requireFresh(); err != nil {
			return err
		}
		reset := func() (err error) {
			removed, err = t.resetFactors(a)
			return err
		}
		if a.ID == actor.Account {
			return t.keepProtected(a.ID, reset)
		}
		return reset()
	})
	if err != nil {
		return 0, err
	}
	return removed, nil
}

// resetFactors removes whatever proves who an account's person is but the
// password, and says how much that was.
func (t *txn) resetFactors(a Account) (removed int, err error) {
	list, err := t.factorsOf(a.ID)
	if err != nil {
		return 0, err
	}
	for _, f := range list {
		if err := t.deleteFactor(f); err != nil {
			return 0, err
		}
		removed++
	}
	keys, err := t.keysOf(a.ID)
	if err != nil {
		return 0, err
	}
	for _, k := range keys {
		if err := t.deleteKey(k); err != nil {
			return 0, err
		}
		removed++
	}
	had, err := t.recoverySet(a.ID)
	if err != nil {
		return 0, err
	}
	if !had.Made.IsZero() || len(had.Pending) > 0 { // one that waits could still be called saved
		if err := recoverySets.Delete(t, a.ID); err != nil {
			return 0, err
		}
		removed++
	}
	if removed == 0 {
		return 0, refuse(CodeNoFactor)
	}
	t.entry.After = map[string]string{"removed": itoa(removed)}
	if err := t.dropAttempts(a.ID); err != nil {
		return 0, err
	}
	if err := t.clearFailures([]guardKey{factorGuard(a.ID), recoveryGuard(a.ID)}); err != nil {
		return 0, err
	}
	return removed, t.notify(a.ID, NoticeFactorsReset, nil)
}
