// The allowance: how many messages of a service may leave in a calendar month.
// One is taken when a message is queued and given back when the message is given
// up, so that in the end only what was handed over has been counted.

package core

import (
	"context"
	"errors"
	"time"

	"postern/store"
)

// usage counts one service in one month.
type usage struct {
	Queued int `json:"queued"`
	Sent   int `json:"sent"`
	Told   int `json:"told,omitempty"` // the highest percentage that owners were warned of
	Of     int `json:"of,omitempty"`   // the allowance it is a percentage of; 0 in older data: whichever it is
}

// warn notes which percentage owners are to be warned of now, 0 for none. An
// allowance that was changed begins anew.
func (u *usage) warn(most int) (percent int) {
	if u.Of != most {
		if u.Of != 0 {
			u.Told = 0
		}
		u.Of = most
	}
	for _, p := range warnAt {
		if u.Told < p && most > 0 && (u.Queued+u.Sent)*100 >= most*p {
			u.Told, percent = p, p
		}
	}
	return percent
}

// usages is keyed by service and month: "sms/2026-11".
var usages = store.NewTable[usage]("usage", 1)

// warnAt are the percentages at which owners are warned.
var warnAt = []int{80, 100}

func monthOf(at time.Time) string { return at.UTC().Format("2006-01") }

func (p MessagePolicy) allowance(s Service) int {
	if s == ServiceSMS {
		return p.SMSAllowance
	}
	return p.MailAllowance
}

func (t *txn) usage(s Service, month string) (usage, error) {
	u, err := usages.Get(t, string(s)+"/"+month)
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return u, err
}

// reserve takes one message from this month's allowance, or refuses with
// CodeAllowance. Owners are warned as the allowance ends.
func (t *txn) reserve(s Service) (month string, err error) {
	month = monthOf(t.now)
	u, err := t.usage(s, month)
	if err != nil {
		return "", err
	}
	most := t.policy.Messages.allowance(s)
	if u.Queued+u.Sent >= most {
		return "", refuseField(CodeAllowance, string(s))
	}
	u.Queued++
	return month, t.putWarned(s, month, u, most)
}

// putWarned writes what is used of an allowance, and warns owners as it ends.
func (t *txn) putWarned(s Service, month string, u usage, most int) error {
	percent := u.warn(most)
	// Written before the warning, which may be a message of the same service.
	if err := usages.Put(t, string(s)+"/"+month, u); err != nil || percent == 0 {
		return err
	}
	return t.notifyOwners(NoticeAllowance, map[string]string{
		"Service": string(s), "Percent": itoa(percent), "Allowance": itoa(most),
	})
}

// warnOfPolicy warns owners when a policy that has taken the place of another leaves
// less of an allowance than they should be warned of: below what is used, nothing
// could be queued any more, and nothing would warn them.
func (t *txn) warnOfPolicy(old, now MessagePolicy) error {
	month := monthOf(t.now)
	for _, s := range Services() {
		most := now.allowance(s)
		if most == old.allowance(s) {
			continue
		}
		u, err := t.usage(s, month)
		if err != nil {
			return err
		}
		if u.Queued+u.Sent == 0 {
			continue // nobody is using it
		}
		u.Told, u.Of = 0, most
		if err := t.putWarned(s, month, u, most); err != nil {
			return err
		}
	}
	return nil
}

// settle ends reservations of a month: so many messages were handed over, and so
// many given up.
func (t *txn) settle(s Service, month string, sent, dead int) error {
	u, err := t.usage(s, month)
	if err != nil {
		return err
	}
	u.Queued = max(u.Queued-sent-dead, 0)
	u.Sent += sent
	return usages.Put(t, string(s)+"/"+month, u)
}

// Use is how much of an allowance is used.
type Use struct {
	Service   Service
	Month     string // "2026-11"
	Allowance int
	Sent      int
	Queued    int
	Provider  bool // there is one; else messages stay in the outbox
}

// Use returns this month's use of every service. CodeDenied.
func (s *Messages) Use(ctx context.Context, actor Actor) ([]Use, error) {
	var list []Use
	err := s.read(ctx, actor, func(t *txn) error {
		if err := t.mayMessages(); err != nil {
			return err
		}
		for _, service := range Services() {
			u, err := t.usage(service, monthOf(t.now))
			if err != nil {
				return err
			}
			list = append(list, Use{Service: service, Month: monthOf(t.now), Allowance: t.policy.Messages.allowance(service),
				Sent: u.Sent, Queued: u.Queued, Provider: s.carries(service)})
		}
		return nil
	})
	return list, err
}
