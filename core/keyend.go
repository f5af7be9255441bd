// The end of a linked key. From that moment it stands for nothing, whoever looks:
// neither for the password nor for a second factor nor for the account's verbs.
// The sweep writes it down, and tells its person a week before and when it is so.

package core

import (
	"context"
	"errors"
	"time"

	"postern/store"
)

// KeyEndsSoon is how long before the end of a key its person is told.
const KeyEndsSoon = 7 * 24 * time.Hour

// over says whether the key's time has come, whether or not that was written down.
func (k LinkedKey) over(now time.Time) bool {
	return !k.Ended.IsZero() || !k.Until.IsZero() && !now.Before(k.Until)
}

// Name is what the key is called: its label, or else its fingerprint.
func (k LinkedKey) Name() string {
	if k.Label != "" {
		return k.Label
	}
	return k.Fingerprint
}

// EndsSoon says whether the key has an end within KeyEndsSoon and has not come to it.
func (k LinkedKey) EndsSoon(now time.Time) bool {
	return !k.over(now) && !k.Until.IsZero() && k.Until.Sub(now) <= KeyEndsSoon
}

// liveKeysOf are the keys of an account that stand for something.
func (t *txn) liveKeysOf(account string) ([]LinkedKey, error) {
	list, err := t.keysOf(account)
	var live []LinkedKey
	for _, k := range list {
		if !k.over(t.now) {
			live = append(live, k)
		}
	}
	return live, err
}

// shownKeysOf are the keys of an account as people see them: one that is over has
// ended, though that may not be written down yet.
func (t *txn) shownKeysOf(account string) ([]LinkedKey, error) {
	list, err := t.keysOf(account)
	for i, k := range list {
		if k.Ended.IsZero() && k.over(t.now) {
			list[i].Ended = k.Until
		}
	}
	return list, err
}

// Until returns Keys of which Link, Add and AddTo give a key this end; zero for
// none. They refuse one that is past with CodeEndPast, and one beyond MaxGrantDays
// with CodeEndFar, both with the field "until".
func (s *Keys) Until(end time.Time) *Keys { return &Keys{s.base, end} }

// keyEnds gives a key an end. Whoever chooses one that is near is not told of it
// once more.
func (t *txn) keyEnds(k *LinkedKey, until time.Time) error {
	k.Until, k.Warned = wholeSecond(until), time.Time{}
	switch {
	case k.Until.IsZero():
	case !k.Until.After(t.now):
		return refuseField(CodeEndPast, "until")
	case k.Until.After(t.now.AddDate(0, 0, MaxGrantDays)):
		return &Error{Code: CodeEndFar, Field: "until", N: MaxGrantDays}
	case k.EndsSoon(t.now):
		k.Warned = t.now
	}
	return nil
}

// SetEnd lets one of the actor's keys end at another moment, or never when until
// is zero. CodeStepUp, CodeNotFound; CodeKeyEnded for one that has ended, which is
// linked anew instead; CodeSameEnd, CodeEndPast and CodeEndFar (field "until").
func (s *Keys) SetEnd(ctx context.Context, actor Actor, fingerprint string, until time.Time) (LinkedKey, error) {
	var k LinkedKey
	err := s.do(ctx, actor, ActKeyChange, actor.Account, func(t *txn) error {
		if err := t.may(OpSelf, actor.Account); err != nil {
			return err
		}
		if err := t.requireFresh(); err != nil {
			return err
		}
		var err error
		k, err = t.moveKeyEnd(actor.Account, fingerprint, until)
		return err
	})
	if err != nil {
		return LinkedKey{}, err
	}
	return k, nil
}

// SetEndOf is SetEnd for a key of somebody's account, by those who manage accounts.
// CodeDenied as well.
func (s *Keys) SetEndOf(ctx context.Context, actor Actor, ref, fingerprint string, until time.Time) (LinkedKey, error) {
	var k LinkedKey
	err := (&Accounts{s.base}).manage(ctx, actor, ActKeyChange, ref, func(t *txn, a Account) error {
		if err := t.requireFresh(); err != nil {
			return err
		}
		var err error
		k, err = t.moveKeyEnd(a.ID, fingerprint, until)
		return err
	})
	if err != nil {
		return LinkedKey{}, err
	}
	return k, nil
}

func (t *txn) moveKeyEnd(account, fingerprint string, until time.Time) (LinkedKey, error) {
	k, err := linkedKeys.Get(t, fingerprint)
	if err != nil || k.Account != account {
		return k, notFound(err, "key")
	}
	t.entry.Target = fingerprint
	if k.over(t.now) {
		return k, refuseField(CodeKeyEnded, "key")
	}
	was := k.Until
	if err := t.keyEnds(&k, until); err != nil {
		return k, err
	}
	if k.Until.Equal(was) {
		return k, refuseField(CodeSameEnd, "until")
	}
	t.entry.Before, t.entry.After = map[string]string{"until": endOf(was)}, map[string]string{"until": endOf(k.Until)}
	if err := linkedKeys.Put(t, fingerprint, k); err != nil {
		return k, err
	}
	return k, t.notify(account, NoticeKeyTerm, k.words())
}

// endOf is an end in the trail and in what a notice is told; "" for none.
func endOf(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.Format(time.RFC3339)
}

// words are what a notice about its end says of a key.
func (k LinkedKey) words() map[string]string {
	return map[string]string{"Label": k.Label, "Key": k.Fingerprint, "KeyUntil": endOf(k.Until)}
}

// sweepKeys writes down which keys have ended, each in its own transaction and with
// its own entry in the trail, and tells people of those that end soon. It counts
// the former.
func (b *base) sweepKeys(ctx context.Context, now time.Time) (n int, err error) {
	for after, more := "", true; more; {
		var due []string
		err := b.read(ctx, Actor{}, func(t *txn) error {
			due = nil
			rows, err := linkedKeys.PageBy(t, "until", "", after, sweepPage)
			more = len(rows) == sweepPage
			for _, r := range rows {
				after = r.Cursor
				switch k := r.Value; {
				case k.over(now) || k.EndsSoon(now) && k.Warned.IsZero():
					due = append(due, r.ID)
				case !k.EndsSoon(now):
					more = false // they come by their end
				}
			}
			return err
		})
		if err != nil {
			return n, err
		}
		for _, fingerprint := range due {
			done, err := b.keyDue(ctx, fingerprint, now)
			if err != nil {
				return n, err
			}
			if done {
				n++
			}
		}
	}
	return n, nil
}

// keyDue writes down that a key has come to its end, or that its person was told
// that it soon will, and tells them. It says whether it was this call that ended it.
func (b *base) keyDue(ctx context.Context, fingerprint string, now time.Time) (ended bool, err error) {
	e, err := b.newEntry(Actor{}, ActKeyLapsed, "")
	if err != nil {
		return false, asError(err)
	}
	err = b.db.Update(ctx, func(tx store.Tx) error {
		ended = false
		t := &txn{Tx: tx, base: b, now: now, entry: e}
		if err := t.load(); err != nil {
			return err
		}
		k, err := linkedKeys.Get(t, fingerprint)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
		switch {
		case !k.Ended.IsZero():
			return nil
		case k.over(now):
			ended = true
			t.entry.Actor, t.entry.Outcome, t.entry.About, t.entry.Target = ActorSystem, OutcomeDone, k.Account, fingerprint
			t.entry.Before = map[string]string{"until": endOf(k.Until)}
			t.entry.After = map[string]string{"ended": endOf(now)}
			if err := t.endKey(k); err != nil {
				return err
			}
			if err := t.notify(k.Account, NoticeKeyEnded, k.words()); err != nil {
				return err
			}
			return t.record(t.entry)
		case k.EndsSoon(now) && k.Warned.IsZero():
			k.Warned = now
			if err := linkedKeys.Put(t, fingerprint, k); err != nil {
				return err
			}
			return t.notify(k.Account, NoticeKeyEnding, k.words())
		}
		return nil
	})
	return ended, asError(err)
}
