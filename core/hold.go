// Holds: an account that is held is neither deleted nor removed by retention,
// whoever asks for it, until the hold is released or ends.

package core

import (
	"context"
	"errors"
	"time"

	"postern/store"
)

// Hold keeps an account. Until may be zero: until it is released.
type Hold struct {
	Account string    `json:"account"`
	Reason  string    `json:"reason"`
	By      string    `json:"by"`
	At      time.Time `json:"at"`
	Until   time.Time `json:"until,omitzero"`

	UserName string `json:"user_name,omitempty"` // looked up when it is read
	ByName   string `json:"by_name,omitempty"`
}

func (h Hold) over(now time.Time) bool { return !h.Until.IsZero() && !now.Before(h.Until) }

// accountHolds is keyed by the account's id.
var accountHolds = store.NewTable[Hold]("hold", 1)

// onHold returns the hold of an account; held is false when there is none, or it
// has ended.
func (t *txn) onHold(account string) (h Hold, held bool, err error) {
	h, err = accountHolds.Get(t, account)
	if errors.Is(err, store.ErrNotFound) {
		return h, false, nil
	}
	return h, err == nil && !h.over(t.now), err
}

// Retention removes what the policy keeps no longer, and holds accounts.
type Retention struct{ *base }

// Hold keeps an account (ref: user name, e-mail address or id) until a time, or
// for good with the zero time; one that is held already gets the new reason and
// end. A warning that the account goes is void from then on. The reason must be given. CodeDenied, CodeStepUp, CodeNotFound,
// CodeRequired (field "reason"), CodeEndPast (field "until").
func (s *Retention) Hold(ctx context.Context, actor Actor, ref, reason string, until time.Time) (Hold, error) {
	var h Hold
	err := s.hold(ctx, actor, ActHold, ref, func(t *txn, a Account) error {
		why, err := cleanText("reason", reason, MaxReason, true)
		if err != nil {
			return err
		}
		if !until.IsZero() && !until.After(t.now) {
			return refuseField(CodeEndPast, "until")
		}
		h = Hold{Account: a.ID, Reason: why, By: t.entry.Actor, At: t.now, Until: wholeSecond(until)}
		t.entry.Reason = why
		if !until.IsZero() {
			t.note("until", h.Until.Format(time.RFC3339))
		}
		if err := accountHolds.Put(t, a.ID, h); err != nil {
			return err
		}
		if err := inactiveWarnings.Delete(t, a.ID); err != nil { // what it told will not be
			return err
		}
		h.UserName = a.UserName
		h.ByName, err = t.nameOf(h.By)
		return err
	})
	if err != nil {
		return Hold{}, err
	}
	return h, nil
}

// Release ends the hold of an account. CodeNotFound (field "hold") when there is
// none; else as Hold.
func (s *Retention) Release(ctx context.Context, actor Actor, ref string) error {
	return s.hold(ctx, actor, ActRelease, ref, func(t *txn, a Account) error {
		h, err := accountHolds.Get(t, a.ID)
		if err != nil {
			return notFound(err, "hold")
		}
		t.entry.Before = map[string]string{"reason": h.Reason}
		return accountHolds.Delete(t, a.ID)
	})
}

func (s *Retention) hold(ctx context.Context, actor Actor, action Action, ref string, fn func(*txn, Account) error) error {
	return s.do(ctx, actor, action, "", func(t *txn) error {
		if err := t.may(OpRetention, ""); err != nil {
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
		if err := t.requireFresh(); err != nil {
			return err
		}
		return fn(t, a)
	})
}

// HoldPage is a page of holds; Next continues it.
type HoldPage struct {
	Holds []Hold
	Next  string
}

// Holds returns a page of the holds that count, by account. CodeDenied.
func (s *Retention) Holds(ctx context.Context, actor Actor, after string, n int) (HoldPage, error) {
	var page HoldPage
	err := s.read(ctx, actor, func(t *txn) error {
		page = HoldPage{}
		if err := t.may(OpReadAccounts, ""); err != nil {
			return err
		}
		n := pageSize(n)
		rows, err := accountHolds.Page(t, after, n)
		if err != nil {
			return err
		}
		for _, r := range rows {
			h := r.Value
			if h.over(t.now) {
				continue
			}
			if h.UserName, err = t.nameOf(h.Account); err != nil {
				return err
			}
			if h.ByName, err = t.nameOf(h.By); err != nil {
				return err
			}
			page.Holds = append(page.Holds, h)
		}
		if len(rows) == n {
			page.Next = rows[n-1].Cursor
		}
		return nil
	})
	return page, err
}
