// What the policy says of factors and messages: which methods there are, who
// must have one and by when, and who would be left without.

package core

import (
	"context"
	"time"
)

// KeyStanding says what a linked SSH key, proved by the connection, stands for at sign-in.
type KeyStanding string

// What a linked key may stand for.
const (
	KeyStandsForNothing  KeyStanding = "nothing"
	KeyStandsForFactor   KeyStanding = "factor"   // the second factor: the password is asked for
	KeyStandsForPassword KeyStanding = "password" // the password: a second factor is still asked for, if there is one
)

// Enforcement says who must have a second factor.
type Enforcement string

// Who may be made to have one. Admins are all who hold a role on the portal.
const (
	EnforceNobody    Enforcement = "nobody"
	EnforceAdmins    Enforcement = "admins"
	EnforceEverybody Enforcement = "everybody"
)

// FactorPolicy says which second factors there are, and who must have one.
type FactorPolicy struct {
	App   bool `json:"app"`
	Key   bool `json:"key"`
	SMS   bool `json:"sms"`   // restricted by NIST SP 800-63B-4 §3.1.3.3: carries a notice
	Email bool `json:"email"` // the weakest: never counts as strong

	KeyStands KeyStanding `json:"key_stands"`
	Enforce   Enforcement `json:"enforce"`
	Days      int         `json:"days"` // to comply, from when it was demanded of somebody; 0: at once

	// Since when a factor is demanded. They are the core's own, no settings.
	AdminsSince    time.Time `json:"admins_since,omitzero"`
	EverybodySince time.Time `json:"everybody_since,omitzero"`
}

// MessagePolicy bounds what may be sent in a calendar month (UTC), by service. 0
// is nothing: an allowance is what somebody pays for.
type MessagePolicy struct {
	MailAllowance int `json:"mail_allowance"`
	SMSAllowance  int `json:"sms_allowance"`
}

// on says whether a method of proof is switched on.
func (p FactorPolicy) on(k FactorKind) bool {
	switch k {
	case FactorApp:
		return p.App
	case FactorSMS:
		return p.SMS
	case FactorEmail:
		return p.Email
	case FactorKey:
		return p.Key && p.KeyStands == KeyStandsForFactor
	}
	return false
}

// any says whether a person can have a second factor at all.
func (p FactorPolicy) any() bool {
	return p.on(FactorApp) || p.on(FactorSMS) || p.on(FactorEmail) || p.on(FactorKey)
}

// keyStandsFor says whether a linked key counts as that at sign-in.
func (p FactorPolicy) keyStandsFor(what KeyStanding) bool { return p.Key && p.KeyStands == what }

// validate checks the rules between settings of this section and of messages.
func (p Policy) validateFactors() error {
	if p.Factors.Enforce != EnforceNobody && !p.Factors.any() {
		return &Error{Code: CodeNoMethod, Field: "factors.enforce"}
	}
	for _, m := range []struct {
		on        bool
		allowance int
		method    string
		setting   string
	}{
		{p.Factors.SMS, p.Messages.SMSAllowance, "factors.sms", "messages.sms_allowance"},
		{p.Factors.Email, p.Messages.MailAllowance, "factors.email", "messages.mail_allowance"},
	} {
		if m.on && m.allowance == 0 {
			return &Error{Code: CodeNoAllowance, Field: m.method, Rule: m.setting}
		}
	}
	return nil
}

// demandedSince notes from when on a factor is demanded, as Enforce changes.
func (p *FactorPolicy) demandedSince(before FactorPolicy, now time.Time) {
	p.AdminsSince, p.EverybodySince = before.AdminsSince, before.EverybodySince
	switch p.Enforce {
	case EnforceNobody:
		p.AdminsSince, p.EverybodySince = time.Time{}, time.Time{}
	case EnforceAdmins:
		p.EverybodySince = time.Time{}
	case EnforceEverybody:
		if before.Enforce != EnforceEverybody {
			p.EverybodySince = now
		}
	}
	if p.Enforce != EnforceNobody && before.Enforce == EnforceNobody {
		p.AdminsSince = now
	}
}

// demanded says whether the account must have a second factor, and by when. The
// time is never copied into a record: a changed policy counts at once.
func (t *txn) demanded(a Account) (by time.Time, must bool, err error) {
	return t.demandedUnder(t.policy.Factors, a)
}

// demandedUnder is demanded under another policy of the portal than the one in
// force. The apps that are shared with the account count whatever that says.
func (t *txn) demandedUnder(p FactorPolicy, a Account) (by time.Time, must bool, err error) {
	by, must, err = t.portalDemands(p, a)
	if err != nil {
		return by, must, err
	}
	at, demand, err := t.appsDemand(p, a.ID)
	by, must = soonest(by, must, at, demand)
	return by, must, err
}

// soonest joins two demands of one account.
func soonest(by time.Time, must bool, at time.Time, demand bool) (time.Time, bool) {
	if demand && (!must || at.Before(by)) {
		return at, true
	}
	return by, must
}

// portalDemands is what the portal itself demands.
func (t *txn) portalDemands(p FactorPolicy, a Account) (by time.Time, must bool, err error) {
	if p.Enforce == EnforceNobody {
		return time.Time{}, false, nil
	}
	held, err := t.rank(a.ID)
	if err != nil {
		return time.Time{}, false, err
	}
	by, must = p.demands(a, held)
	return by, must, nil
}

// demands is what the portal demands of an account that holds these roles.
func (p FactorPolicy) demands(a Account, held standing) (by time.Time, must bool) {
	if p.Enforce == EnforceNobody {
		return time.Time{}, false
	}
	var since time.Time
	if held.top > 0 {
		since = later(p.AdminsSince, held.since)
	}
	if p.Enforce == EnforceEverybody {
		if all := later(later(p.EverybodySince, a.Created), a.Imported); held.top == 0 || all.Before(since) {
			since = all
		}
	} else if held.top == 0 {
		return time.Time{}, false
	}
	return since.AddDate(0, 0, p.Days), true
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Losing is who would be left without any second factor by a change of the policy.
type Losing struct {
	Count int
	Names []string // user names, the first MaxLosing of them
}

// MaxLosing is how many names a Losing holds.
const MaxLosing = 20

// Losing counts, on the data as it is, whose last usable factor would not count
// any more if these settings were in force. CodeDenied, and the refusals of a
// change.
func (s *Policies) Losing(ctx context.Context, actor Actor, values map[string]string) (Losing, error) {
	var out Losing
	err := s.read(ctx, actor, func(t *txn) (err error) {
		if err := t.may(OpChangePolicy, ""); err != nil {
			return err
		}
		next, err := t.changed(values)
		if err != nil {
			return err
		}
		c := &counter{txn: t, ctx: ctx, old: t.policy, next: next}
		if !c.losesMethods() {
			return nil
		}
		_, err = c.protections()
		out = Losing(c.out.Losing)
		return err
	})
	return out, err
}
