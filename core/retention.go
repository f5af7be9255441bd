// Retention: what the policy keeps no longer goes, every day and by hand, in small
// transactions, so that nobody waits for it; it may stop at any point and goes on
// the next time. What would go can be counted before.

package core

import (
	"context"
	"errors"
	"time"

	"postern/store"
)

// RetentionPolicy says how long things are kept.
type RetentionPolicy struct {
	OutboxDays  int `json:"outbox_days"`  // messages that were sent or given up
	AuditDays   int `json:"audit_days"`   // entries of the trail
	SessionDays int `json:"session_days"` // sessions that have ended
	// InactiveDays is after how many days without a sign-in an account goes; 0: never.
	// Its person is warned first, and has WarnDays to sign in.
	InactiveDays int `json:"inactive_days"`
	WarnDays     int `json:"inactive_warn_days"`
}

func retentionSettings() []Setting {
	return []Setting{
		number("retention.outbox_days", 1, maxDays, func(p *Policy) *int { return &p.Retention.OutboxDays }),
		number("retention.audit_days", 7, maxDays, func(p *Policy) *int { return &p.Retention.AuditDays }),
		number("retention.session_days", 1, maxDays, func(p *Policy) *int { return &p.Retention.SessionDays }),
		number("retention.inactive_days", 0, maxDays, func(p *Policy) *int { return &p.Retention.InactiveDays }),
		number("retention.inactive_warn_days", 1, 90, func(p *Policy) *int { return &p.Retention.WarnDays }),
	}
}

// daysBefore is the moment before which something is old.
func daysBefore(now time.Time, days int) time.Time {
	return now.Add(-time.Duration(days) * 24 * time.Hour)
}

// RetentionCount counts what goes, or has gone.
type RetentionCount struct {
	Entries  int `json:"entries"`  // of the trail
	Sessions int `json:"sessions"` // that have ended
	Messages int `json:"messages"`
	Warned   int `json:"warned"`   // people who are told that their account will go
	Accounts int `json:"accounts"` // without a sign-in
	Held     int `json:"held"`     // accounts that would go and are kept by a hold

	// Oldest is the oldest entry of the trail that would go; zero for none.
	Oldest time.Time `json:"oldest,omitzero"`
}

// Nothing says that nothing goes.
func (c RetentionCount) Nothing() bool {
	return c.Entries+c.Sessions+c.Messages+c.Warned+c.Accounts == 0
}

func (c RetentionCount) described() map[string]string {
	m := map[string]string{}
	for k, n := range map[string]int{"entries": c.Entries, "sessions": c.Sessions, "messages": c.Messages,
		"warned": c.Warned, "accounts": c.Accounts, "held": c.Held} {
		if n > 0 {
			m[k] = itoa(n)
		}
	}
	return m
}

// Preview counts what would go now. progress, when not nil, is told how many
// accounts and blocks of the trail of how many were looked at. CodeDenied,
// CodeUnavailable when ctx is done.
func (s *Retention) Preview(ctx context.Context, actor Actor, progress func(done, total int)) (RetentionCount, error) {
	err := s.read(ctx, actor, func(t *txn) error { return t.may(OpRetention, "") })
	if err != nil {
		return RetentionCount{}, err
	}
	r := &retentionRun{Retention: s, ctx: ctx, dry: true, progress: progress}
	err = r.run()
	return r.out, err
}

// Run removes what is to go now, and says how much that was; what it did before an
// error is counted and written down. CodeDenied, CodeStepUp.
func (s *Retention) Run(ctx context.Context, actor Actor, progress func(done, total int)) (RetentionCount, error) {
	_, err := s.look(ctx, actor, func(t *txn) error {
		if err := t.may(OpRetention, ""); err != nil {
			return err
		}
		return t.requireFresh()
	})
	if err != nil {
		return RetentionCount{}, s.refused(ctx, actor, ActRetention, "", err)
	}
	r := &retentionRun{Retention: s, ctx: ctx, progress: progress}
	failed := r.run()
	err = s.do(context.WithoutCancel(ctx), actor, ActRetention, "", func(t *txn) error {
		t.entry.After = r.out.described()
		if failed != nil {
			t.entry.Reason = string(CodeOf(failed))
		}
		return errors.Join(t.may(OpRetention, ""), marks.Put(t, markRetention, mark{t.now}))
	})
	if failed != nil {
		err = failed
	}
	return r.out, err
}

// Daily runs retention when it has not been for a day. Doors call it every hour.
func (s *Retention) Daily(ctx context.Context) (ran bool, out RetentionCount, err error) {
	var last time.Time
	now := s.clock.Now()
	err = s.read(ctx, Actor{}, func(t *txn) (err error) {
		if !t.site.SetUp() {
			last = now
			return nil
		}
		last, err = t.mark(markRetention)
		return err
	})
	if err != nil || now.Sub(last) < 24*time.Hour {
		return false, out, err
	}
	r := &retentionRun{Retention: s, ctx: ctx}
	failed := r.run()
	e, err := s.newEntry(Actor{}, ActRetention, "")
	if err != nil {
		return true, r.out, asError(err)
	}
	e.Actor, e.Outcome, e.After = ActorSystem, OutcomeDone, r.out.described()
	if failed != nil {
		e.Reason = string(CodeOf(failed))
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditGrace)
	defer cancel()
	err = s.db.Update(ctx, func(tx store.Tx) error {
		if !r.out.Nothing() || failed != nil { // an entry every day would say nothing
			if err := writeEntry(tx, e); err != nil {
				return err
			}
		}
		if failed != nil {
			return nil // again in an hour
		}
		return marks.Put(tx, markRetention, mark{now})
	})
	return true, r.out, errors.Join(failed, asError(err))
}

// markRetention is when retention ran last.
const markRetention = "retention"

// retentionRun is one run, or its preview.
type retentionRun struct {
	*Retention
	ctx      context.Context
	dry      bool
	progress func(done, total int)

	proposed *RetentionPolicy // counted under this one; nil: under the policy that is in force

	policy      RetentionPolicy
	now         time.Time
	done, total int
	out         RetentionCount
}

func (r *retentionRun) run() error {
	var head, cut chainHead
	r.now = r.clock.Now()
	err := r.read(r.ctx, Actor{}, func(t *txn) error {
		if r.policy = t.policy.Retention; r.proposed != nil {
			r.policy = *r.proposed
		}
		n, err := t.tally()
		if err != nil {
			return err
		}
		if r.policy.InactiveDays > 0 {
			r.total = n.Accounts
		}
		if head, err = readHead(t); err != nil {
			return err
		}
		cut, err = readCut(t)
		r.total += int(head.Seq - cut.Seq)
		return err
	})
	for _, step := range []func() error{r.entries, r.sessions, r.messages, r.warnings, r.accounts} {
		if err != nil {
			break
		}
		err = step()
	}
	if err == nil {
		r.tell(r.total - r.done)
	}
	return asError(err)
}

// tell adds to what was looked at.
func (r *retentionRun) tell(n int) {
	r.done += n
	if r.progress != nil {
		r.progress(min(r.done, r.total), r.total)
	}
}

// entries cuts the trail from its oldest block on.
func (r *retentionRun) entries() (err error) {
	before := daysBefore(r.now, r.policy.AuditDays)
	if !r.dry {
		last := 0
		r.out.Entries, err = r.cutTrail(r.ctx, before, func(n int) { r.tell(1); last = n })
		r.out.Entries = max(r.out.Entries, last)
		return err
	}
	// Only blocks are read: what an entry says is of no matter.
	for seq, more := uint64(0), true; more; {
		err := r.read(r.ctx, Actor{}, func(t *txn) error {
			if seq == 0 {
				cut, err := readCut(t)
				if err != nil {
					return err
				}
				seq = cut.Seq
			}
			for range 16 {
				b, err := chainBlocks.Get(t, blockKey(seq+1))
				if errors.Is(err, store.ErrNotFound) {
					more = false
					return nil
				} else if err != nil {
					return err
				}
				newest, err := b.newest()
				if err != nil {
					return err
				}
				if more = newest.Before(before); !more {
					return nil
				}
				if r.out.Oldest.IsZero() {
					r.out.Oldest = newest
				}
				seq++
				r.out.Entries += (len(b.Entries) + len(b.Late)) / linkSize
			}
			return nil
		})
		if err != nil {
			return err
		}
		r.tell(16)
	}
	return nil
}

func (r *retentionRun) sessions() (err error) {
	before := daysBefore(r.now, r.policy.SessionDays)
	old := func(s sessionRecord) bool { return !s.Ended.IsZero() && s.Ended.Before(before) }
	if r.dry {
		r.out.Sessions, err = countOld(r, sessions, old)
	} else {
		r.out.Sessions, err = sweepTable(r.ctx, r.base, sessions, old)
	}
	return err
}

func (r *retentionRun) messages() (err error) {
	old := r.messageOld(r.policy, r.now)
	if r.dry {
		r.out.Messages, err = countOld(r, messages, old)
	} else {
		r.out.Messages, err = sweepRows(r.ctx, r.base, messages, old, (*txn).dropMessage)
	}
	return err
}

// messageOld says which messages are kept no longer: those that were sent or given
// up, and those that nobody ever carried.
func (b *base) messageOld(p RetentionPolicy, now time.Time) func(Message) bool {
	before := daysBefore(now, p.OutboxDays)
	return func(m Message) bool {
		if m.State == MessageQueued {
			return !b.carries(m.Service) && m.Created.Before(before)
		}
		return m.Done.Before(before)
	}
}

// countOld counts what is old in a table.
func countOld[T any](r *retentionRun, table *store.Table[T], old func(T) bool) (n int, err error) {
	for after := ""; ; {
		var rows []store.Row[T]
		err := r.read(r.ctx, Actor{}, func(t *txn) (err error) {
			rows, err = table.Page(t, after, MaxPage)
			return err
		})
		if err != nil {
			return n, err
		}
		for _, row := range rows {
			if old(row.Value) {
				n++
			}
		}
		if len(rows) < MaxPage {
			return n, nil
		}
		after = rows[len(rows)-1].Cursor
	}
}
