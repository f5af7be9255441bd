// Accounts without a sign-in: their people are warned, and when they do not sign
// in after that, the account is deleted like any other. A warning holds for the
// time that it was told for, and no longer (decision 044).

package core

import (
	"errors"
	"time"

	"postern/store"
)

// inactiveWarning remembers that an account's person was warned, and until when
// they can sign in; keyed by the account's id.
type inactiveWarning struct {
	At    time.Time `json:"at"`
	Until time.Time `json:"until"`
}

// warningStands is for how long after its time is over a warning is acted on. The
// daily run acts within a day; what it did not get to by then, since the rule was
// off or the portal was, is told anew.
const warningStands = 3 * 24 * time.Hour

// stands says whether a warning may be acted on when its time is over: its person
// has not come since, and it is not long past.
func (w inactiveWarning) stands(a Account, now time.Time) bool {
	return !w.At.Before(a.used()) && now.Before(w.Until.Add(warningStands))
}

var inactiveWarnings = store.NewTable[inactiveWarning]("inactive", 1)

// ProcessRetention is the process of an account that goes because nobody signed in.
const ProcessRetention DeletionProcess = "retention"

// used is when an account was used last.
func (a Account) used() time.Time {
	return later(later(a.LastSignIn, a.Created), a.Imported)
}

// inactiveDeed is what retention does to one account.
type inactiveDeed int

const (
	leaveIt   inactiveDeed = iota
	waitForIt              // its person was warned, and has days left
	warnIt
	deleteIt
	heldBack // it would go, and is held
)

// inactive decides about an account. Whoever looks after the portal or owns an app
// does not go by themselves, nor does one that a request is open for.
func (t *txn) inactive(a Account) (inactiveDeed, error) {
	p := t.policy.Retention
	if p.InactiveDays == 0 || a.State != StateActive && a.State != StateSuspended || !a.used().Before(daysBefore(t.now, p.InactiveDays)) {
		return leaveIt, nil
	}
	if here, err := t.usedSince(a.ID, daysBefore(t.now, p.InactiveDays)); err != nil || here {
		return leaveIt, err
	}
	held, err := t.held(a.ID)
	if err != nil {
		return leaveIt, err
	}
	for _, g := range held {
		if g.App == AppPostern || g.Role == RoleAppOwner {
			return leaveIt, nil
		}
	}
	if _, open, err := t.openRequest(a.ID); err != nil || open {
		return leaveIt, err
	}
	if _, kept, err := t.onHold(a.ID); err != nil || kept {
		return heldBack, err
	}
	w, err := inactiveWarnings.Get(t, a.ID)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && !w.stands(a, t.now):
		return warnIt, nil
	case err != nil:
		return leaveIt, err
	case t.now.Before(w.Until):
		return waitForIt, nil
	}
	return deleteIt, nil
}

// void says whether the warning of an account counts no more: the rule leaves the
// account alone, or a hold keeps it. When it is due again, its person is warned anew.
func (t *txn) void(account string) (bool, error) {
	a, err := accounts.Get(t, account)
	if errors.Is(err, store.ErrNotFound) {
		return true, nil
	} else if err != nil {
		return false, err
	}
	deed, err := t.inactive(a)
	return deed == leaveIt || deed == heldBack, err
}

// usedSince says whether an account was used without a new sign-in: in a session
// that goes on, or by a verb with a linked key.
func (t *txn) usedSince(account string, since time.Time) (bool, error) {
	list, err := t.liveSessions(account)
	if err != nil {
		return false, err
	}
	for _, s := range list {
		if !s.LastSeen.Before(since) {
			return true, nil
		}
	}
	keys, err := t.keysOf(account)
	for _, k := range keys {
		if !k.LastUsed.Before(since) {
			return true, nil
		}
	}
	return false, err
}

// warnings forgets those that are void. That is no act of its own: what made them
// void is in the trail, or is that somebody came.
func (r *retentionRun) warnings() error {
	if r.dry {
		return nil // they make no difference to what would go now
	}
	for after := ""; ; {
		var rows []store.Row[inactiveWarning]
		var void []string
		err := r.read(r.ctx, Actor{}, func(t *txn) (err error) {
			void = nil
			if rows, err = inactiveWarnings.Page(t, after, MaxPage); err != nil {
				return err
			}
			for _, row := range rows {
				is, err := t.void(row.ID)
				if err != nil {
					return err
				}
				if is {
					void = append(void, row.ID)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if len(void) > 0 {
			if err := r.forgetWarnings(void); err != nil {
				return err
			}
		}
		if len(rows) < MaxPage {
			return nil
		}
		after = rows[len(rows)-1].Cursor
	}
}

// forgetWarnings forgets those of some accounts, if they are still void.
func (r *retentionRun) forgetWarnings(of []string) error {
	now := r.clock.Now()
	return r.db.Update(r.ctx, func(tx store.Tx) error {
		t := &txn{Tx: tx, base: r.base, now: now}
		if err := t.load(); err != nil {
			return err
		}
		for _, id := range of {
			is, err := t.void(id)
			if err == nil && is {
				err = inactiveWarnings.Delete(t, id)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// accounts looks at every account, a page at a time.
func (r *retentionRun) accounts() error {
	if r.policy.InactiveDays == 0 {
		return nil
	}
	before := daysBefore(r.now, r.policy.InactiveDays)
	for after := ""; ; {
		var rows []store.Row[Account]
		var due []string
		err := r.read(r.ctx, Actor{}, func(t *txn) (err error) {
			due = nil
			t.now, t.policy.Retention = r.now, r.policy
			if rows, err = accounts.Page(t, after, MaxPage); err != nil {
				return err
			}
			for _, row := range rows {
				if !row.Value.used().Before(before) {
					continue
				}
				deed, err := t.inactive(row.Value)
				if err != nil {
					return err
				}
				r.count(deed, r.dry || deed == heldBack)
				if deed == warnIt || deed == deleteIt {
					due = append(due, row.ID)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, id := range due {
			if r.dry {
				break
			}
			if err := r.actOn(id); err != nil {
				return err
			}
		}
		r.tell(len(rows))
		if len(rows) < MaxPage {
			return nil
		}
		after = rows[len(rows)-1].Cursor
	}
}

func (r *retentionRun) count(deed inactiveDeed, yes bool) {
	switch {
	case !yes:
	case deed == warnIt:
		r.out.Warned++
	case deed == deleteIt:
		r.out.Accounts++
	case deed == heldBack:
		r.out.Held++
	}
}

// actOn warns one person or deletes one account, in a transaction of its own that
// decides anew.
func (r *retentionRun) actOn(id string) error {
	request, err := r.ids.new(r.clock.Now())
	if err != nil {
		return err
	}
	e, err := r.newEntry(Actor{}, ActInactiveWarn, "")
	if err != nil {
		return err
	}
	e.Actor, e.Outcome = ActorSystem, OutcomeDone
	var deed inactiveDeed
	err = r.db.Update(r.ctx, func(tx store.Tx) error {
		t := &txn{Tx: tx, base: r.base, now: e.At, entry: e}
		if err := t.load(); err != nil {
			return err
		}
		a, err := accounts.Get(t, id)
		if errors.Is(err, store.ErrNotFound) {
			deed = leaveIt
			return nil
		} else if err != nil {
			return err
		}
		t.entry.About, t.entry.Target = a.ID, a.UserName
		if deed, err = t.inactive(a); err != nil {
			return err
		}
		switch deed {
		case warnIt:
			return t.warnInactive(a)
		case deleteIt:
			t.entry.Action = ActRequestCarryOut
			q := Request{ID: request, Account: a.ID, Process: ProcessRetention, Created: t.now, By: ActorSystem}
			q = q.step(t, RequestMade, "", "").step(t, RequestApproved, "", "")
			if err := inactiveWarnings.Delete(t, a.ID); err != nil {
				return err
			}
			if _, err := t.carryOut(q, a); err != nil {
				return err
			}
			return t.record(t.entry)
		}
		return nil
	})
	if err == nil {
		r.count(deed, true)
	}
	return err
}

// warnInactive tells a person that their account will go unless they sign in.
func (t *txn) warnInactive(a Account) error {
	w := inactiveWarning{At: t.now, Until: t.now.Add(time.Duration(t.policy.Retention.WarnDays) * 24 * time.Hour)}
	if err := inactiveWarnings.Put(t, a.ID, w); err != nil {
		return err
	}
	t.note("until", w.Until.Format(time.RFC3339))
	if err := t.notify(a.ID, NoticeInactive, map[string]string{"Due": w.Until.Format(time.RFC3339)}); err != nil {
		return err
	}
	return t.record(t.entry)
}
