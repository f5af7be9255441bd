// One act, one transaction: the frame in which every change happens. It checks
// that the actor's session still lives, hands out the policy in force, and
// writes the audit entry together with the change; a refusal is written too,
// in a transaction of its own, after everything else was rolled back.

package core

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"postern/store"
)

// auditGrace bounds how long a refusal's entry may take once its caller has gone.
const auditGrace = 5 * time.Second

// txn is a transaction with what every act needs.
type txn struct {
	store.Tx
	base   *base
	actor  Actor
	now    time.Time
	policy Policy
	site   siteRecord
	entry  Entry
	denied Operation        // what may refused last
	opened *trailReader     // of the trail, once something of it was read
	ruled  map[string]ruled // what apps demand of accounts, as read in this transaction
}

// do runs one act: fn inside an Update, with an audit entry about the account
// about ("" when it concerns none). fn may run more than once, and returns a
// *Error to refuse, errAgain or errUnchanged.
func (b *base) do(ctx context.Context, actor Actor, action Action, about string, fn func(*txn) error) error {
	entry, err := b.newEntry(actor, action, about)
	if err != nil {
		return asError(err)
	}
	var last *txn
	err = b.db.Update(ctx, func(tx store.Tx) error {
		t := &txn{Tx: tx, base: b, actor: actor, now: entry.At, entry: entry}
		last = t
		if err := t.load(); err != nil {
			return err
		}
		if err := t.requireLive(); err != nil {
			return err
		}
		if err := fn(t); err != nil {
			return err
		}
		t.entry.Outcome = OutcomeDone
		return t.record(t.entry)
	})
	if err == nil || errors.Is(err, errAgain) || errors.Is(err, errUnchanged) {
		return err
	}
	err = asError(err)
	if last != nil {
		entry = entry.tried(last.entry)
	}
	b.recordRefusal(ctx, entry, err)
	return err
}

// tried returns the entry of an act that was refused: with what its last run
// found out about the matter, but not with what came to be only by it, since
// that was rolled back. Nobody becomes the actor by trying.
func (e Entry) tried(last Entry) Entry {
	e.Action, e.Target, e.Reason = last.Action, last.Target, last.Reason
	if last.Actor == e.Actor {
		e.Name = last.Name
	}
	if last.Outcome == "" {
		e.About = last.About
	}
	return e
}

// read runs fn on a snapshot, after the same check of the actor's session. An
// account that may not read what it asks for is in the trail (ASVS 16.3.2); a
// stranger is not, who could fill it with questions.
func (b *base) read(ctx context.Context, actor Actor, fn func(*txn) error) error {
	last, err := b.look(ctx, actor, fn)
	if actor.Account == "" || last == nil || CodeOf(err) != CodeDenied {
		return err
	}
	e, idErr := b.newEntry(actor, ActDenied, "")
	if idErr != nil {
		return asError(idErr)
	}
	e.Name, e.Target = last.entry.Name, string(last.denied)
	b.recordRefusal(ctx, e, err)
	return err
}

// ofSelf reads what there is about the actor's own account.
func ofSelf[T any](ctx context.Context, b *base, actor Actor, get func(t *txn, account string) (T, error)) (out T, err error) {
	err = b.read(ctx, actor, func(t *txn) (err error) {
		if err := t.may(OpSelf, actor.Account); err != nil {
			return err
		}
		out, err = get(t, actor.Account)
		return err
	})
	return out, err
}

// ofAccount reads what there is about an account (ref: user name, e-mail address or
// id), for those who may do all of some operations. CodeDenied, CodeNotFound.
func ofAccount[T any](ctx context.Context, b *base, actor Actor, ref string, get func(t *txn, account string) (T, error), ops ...Operation) (out T, err error) {
	err = b.read(ctx, actor, func(t *txn) error {
		for _, op := range ops {
			if err := t.may(op, ""); err != nil {
				return err
			}
		}
		a, err := t.account(ref)
		if err != nil {
			return err
		}
		out, err = get(t, a.ID)
		return err
	})
	return out, err
}

// look is read for an act that records its refusal itself. It also returns the
// last transaction that was begun, for what that found out.
func (b *base) look(ctx context.Context, actor Actor, fn func(*txn) error) (last *txn, err error) {
	now := b.clock.Now()
	err = asError(b.db.View(ctx, func(tx store.Tx) error {
		t := &txn{Tx: tx, base: b, actor: actor, now: now}
		last = t
		if err := t.load(); err != nil {
			return err
		}
		if err := t.requireLive(); err != nil {
			return err
		}
		return fn(t)
	}))
	if CodeOf(err) == CodeInternal {
		b.log.Error("read failed", slog.Any("error", err))
	}
	return last, err
}

// load reads the documents that most acts consult.
func (t *txn) load() (err error) {
	if t.site, err = sites.Get(t, siteID); errors.Is(err, store.ErrNotFound) {
		t.policy, err = presetByID("")
		return err
	} else if err != nil {
		return err
	}
	t.policy, err = policies.Get(t, policyNow)
	return err
}

// requireLive refuses an actor whose session has ended meanwhile. One that acts
// for an account without a session does so by a linked key, which must still be
// linked to it and not have ended.
func (t *txn) requireLive() error {
	if t.actor.Account == "" && t.actor.Session == "" {
		return nil
	}
	if t.actor.Session == "" {
		k, err := linkedKeys.Get(t, t.actor.Key)
		if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrTooLarge) {
			return refuse(CodeSessionEnded)
		} else if err != nil {
			return err
		}
		if k.Account != t.actor.Account || !t.policy.Factors.Key || k.over(t.now) {
			return refuse(CodeSessionEnded)
		}
		return t.requireActive(k.Account)
	}
	s, err := sessions.Get(t, t.actor.Session)
	if errors.Is(err, store.ErrNotFound) {
		return refuse(CodeSessionEnded)
	} else if err != nil {
		return err
	}
	if s.Account != t.actor.Account {
		return refuse(CodeSessionEnded)
	}
	if over, err := t.over(s); err != nil {
		return err
	} else if over {
		return refuse(CodeSessionEnded)
	}
	return t.requireActive(s.Account)
}

// requireActive refuses when the actor's account may not sign in, and notes its
// name for the trail.
func (t *txn) requireActive(account string) error {
	a, err := accounts.Get(t, account)
	if err != nil {
		return err
	}
	if a.State != StateActive {
		return refuse(CodeSessionEnded)
	}
	t.entry.Name = a.UserName
	return nil
}

// over says whether a session has ended, or its time has come. What an open
// screen has seen of it counts, though it may not be written down yet.
func (t *txn) over(s sessionRecord) (bool, error) {
	if !s.Ended.IsZero() {
		return true, nil
	}
	p, err := t.policyFor(s.Account)
	s.LastSeen = t.base.live.lastSeen(s.ID, s.LastSeen)
	return s.ended(p.Session, t.now), err
}

// note adds to what the entry says of the state after the act.
func (t *txn) note(key, value string) {
	if t.entry.After == nil {
		t.entry.After = map[string]string{}
	}
	t.entry.After[key] = value
}

// record writes one audit entry, and counts what it says.
func (t *txn) record(e Entry) error { return writeEntry(t, e) }

// also writes a further entry in the same transaction, for an act that is two:
// a changed password that ended five sessions.
func (t *txn) also(action Action, change func(*Entry)) error {
	id, err := t.base.ids.new(t.now)
	if err != nil {
		return err
	}
	e := t.entry
	e.ID, e.Action, e.Outcome = id, action, OutcomeDone
	e.Before, e.After, e.SignedIn = nil, nil, false
	change(&e)
	return t.record(e)
}

// recordRefusal writes the entry of an act that was refused. When even that
// fails, the log says so; the act stays refused.
func (b *base) recordRefusal(ctx context.Context, e Entry, cause error) {
	code := CodeOf(cause)
	if code == CodeInternal || code == CodeUnavailable {
		b.log.Error("act failed", slog.String("id", e.ID), slog.String("action", string(e.Action)), slog.Any("error", cause))
	}
	if e.ID == "" || code == CodeWait {
		// The failures that led to a wait are in the trail: whoever is told to wait
		// must not fill it.
		return
	}
	e.Outcome, e.Code = OutcomeRefused, code
	e.Before, e.After = nil, nil
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditGrace)
	defer cancel()
	err := b.db.Update(ctx, func(tx store.Tx) error { return writeEntry(tx, e) })
	if err != nil {
		b.log.Error("refusal not recorded", slog.String("id", e.ID), slog.Any("error", err))
	}
}
