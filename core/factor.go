// Factors: what proves an account's person beside the password. An app, a phone
// and an address are records here; a linked SSH key is keys.go, recovery codes
// are recovery.go. How one is enrolled is enrol.go, how one is asked for prove.go.

package core

import (
	"context"
	"slices"
	"time"

	"postern/core/mail"
	"postern/core/otp"
	"postern/core/sms"
	"postern/store"
)

// FactorKind is a method of proof.
type FactorKind string

// The methods, the strongest first. A password is no second factor, but a proof
// at step-up where there is nothing stronger.
const (
	FactorKey      FactorKind = "key"      // a linked SSH key
	FactorApp      FactorKind = "app"      // an authenticator app (RFC 6238)
	FactorSMS      FactorKind = "sms"      // a code by text message
	FactorEmail    FactorKind = "email"    // a code by mail
	FactorRecovery FactorKind = "recovery" // one of a set of codes on paper
	FactorPassword FactorKind = "password"
)

// strength orders what can be proved at step-up. E-mail stands below the
// password: whoever reads somebody's mail can often reset that too (NIST SP
// 800-63B-4 §3.1.3.1, ASVS 6.3.6).
func (k FactorKind) strength() int {
	return slices.Index([]FactorKind{FactorEmail, FactorPassword, FactorSMS, FactorApp, FactorKey}, k)
}

// Bounds of factors.
const (
	MaxFactors     = 10 // of one account, keys and recovery codes not counted
	MaxFactorLabel = 32 // characters
)

// Factor is one enrolled factor, as its person may see it.
type Factor struct {
	ID       string     `json:"id"`
	Account  string     `json:"account"`
	Kind     FactorKind `json:"kind"`
	Label    string     `json:"label"`
	Address  string     `json:"address,omitempty"` // E.164 number or e-mail address
	Default  bool       `json:"default,omitempty"` // the one that is asked for first
	Created  time.Time  `json:"created"`
	LastUsed time.Time  `json:"last_used,omitzero"`
	Failures int        `json:"failures,omitempty"` // in a row
	Disabled time.Time  `json:"disabled,omitzero"`  // by MaxCredentialFailures in a row
}

// factorRecord adds what only the core needs.
type factorRecord struct {
	Factor
	Secret   []byte  `json:"secret,omitempty"` // of an app
	LastStep int64   `json:"last_step,omitempty"`
	Burned   []int64 `json:"burned,omitempty"` // steps that are never accepted
}

var factors = store.NewTable("factor", 1,
	store.Index[factorRecord]{Name: "account", Keys: func(f factorRecord) []string { return []string{f.Account} }})

// countsUnder says whether the factor can be used under a policy.
func (f factorRecord) countsUnder(p FactorPolicy) bool { return p.on(f.Kind) && f.Disabled.IsZero() }

// hint is what a challenge shows of the address: enough to know which it is.
func (f Factor) hint() string {
	switch f.Kind {
	case FactorSMS:
		return sms.Mask(f.Address)
	case FactorEmail:
		return mail.Mask(f.Address)
	}
	return ""
}

// masked is the factor as others may see it.
func (f Factor) masked() Factor {
	f.Address = f.hint()
	return f
}

// described is what the trail says of a factor.
func (f Factor) described() map[string]string {
	m := map[string]string{"kind": string(f.Kind), "label": f.Label}
	if f.Address != "" {
		m["address"] = f.hint()
	}
	return m
}

// Factors enrols, lists and removes factors.
type Factors struct{ *base }

// factorsOf reads the factors of an account, in the order they were enrolled.
func (t *txn) factorsOf(account string) ([]factorRecord, error) {
	rows, err := factors.PageEq(t, "account", account, "", MaxFactors)
	list := make([]factorRecord, len(rows))
	for i, r := range rows {
		list[i] = r.Value
	}
	return list, err
}

// protected says whether the account has a second factor that counts now.
func (t *txn) protected(account string) (bool, error) {
	list, err := t.factorsOf(account)
	if err != nil {
		return false, err
	}
	for _, f := range list {
		if f.countsUnder(t.policy.Factors) {
			return true, nil
		}
	}
	if !t.policy.Factors.on(FactorKey) {
		return false, nil
	}
	keys, err := t.liveKeysOf(account)
	return len(keys) > 0, err
}

// Protection is how an account is protected, and what the policy wants of it.
type Protection struct {
	Factors  []Factor
	Keys     []LinkedKey
	Recovery RecoveryState
	Methods  []FactorKind // that are switched on, for a new factor, the strongest first
	Keyed    KeyStanding  // what a linked key stands for; KeyStandsForNothing too when keys are off
	KeysOn   bool         // keys may be linked
	Here     string       // fingerprint of the key that this connection came with
	Must     bool         // the policy demands a factor
	By       time.Time    // until when, with Must
	Enough   bool         // there is one that counts
}

// Mine returns how the actor's own account is protected.
func (s *Factors) Mine(ctx context.Context, actor Actor) (Protection, error) {
	var p Protection
	err := s.read(ctx, actor, func(t *txn) error {
		if err := t.may(OpSelf, actor.Account); err != nil {
			return err
		}
		a, err := accounts.Get(t, actor.Account)
		if err != nil {
			return err
		}
		p, err = t.protection(a)
		return err
	})
	return p, err
}

// Of returns how an account is protected (ref: user name, address or id), for
// those who may read accounts: addresses are masked. CodeDenied, CodeNotFound.
func (s *Factors) Of(ctx context.Context, actor Actor, ref string) (Protection, error) {
	var p Protection
	err := s.read(ctx, actor, func(t *txn) error {
		if err := t.may(OpReadAccounts, ""); err != nil {
			return err
		}
		a, err := t.account(ref)
		if err != nil {
			return err
		}
		p, err = t.protection(a)
		for i, f := range p.Factors {
			p.Factors[i] = f.masked()
		}
		return err
	})
	return p, err
}

func (t *txn) protection(a Account) (Protection, error) {
	pol := t.policy.Factors
	p := Protection{Here: t.actor.Key, KeysOn: pol.Key, Keyed: KeyStandsForNothing}
	if pol.Key {
		p.Keyed = pol.KeyStands
	}
	for _, k := range []FactorKind{FactorApp, FactorSMS, FactorEmail} {
		if pol.on(k) {
			p.Methods = append(p.Methods, k)
		}
	}
	list, err := t.factorsOf(a.ID)
	if err != nil {
		return p, err
	}
	for _, f := range list {
		p.Factors = append(p.Factors, f.Factor)
	}
	if p.Keys, err = t.shownKeysOf(a.ID); err != nil {
		return p, err
	}
	if p.Recovery, err = t.recoveryState(a.ID); err != nil {
		return p, err
	}
	if p.Enough, err = t.protected(a.ID); err != nil {
		return p, err
	}
	p.By, p.Must, err = t.demanded(a)
	return p, err
}

// ownFactor reads a factor of an account, or refuses with CodeNotFound.
func (t *txn) ownFactor(account, id string) (factorRecord, error) {
	f, err := factors.Get(t, id)
	if err != nil || f.Account != account {
		return factorRecord{}, notFound(err, "factor")
	}
	return f, nil
}

// Rename gives one of the actor's factors another label. CodeNotFound, and with
// the field "label" CodeRequired, CodeTooLong, CodeCharacter, CodeEncoding.
func (s *Factors) Rename(ctx context.Context, actor Actor, id, label string) error {
	return s.do(ctx, actor, ActFactorChange, actor.Account, func(t *txn) error {
		if err := t.may(OpSelf, actor.Account); err != nil {
			return err
		}
		label, err := cleanText("label", label, MaxFactorLabel, true)
		if err != nil {
			return err
		}
		f, err := t.ownFactor(actor.Account, id)
		if err != nil {
			return err
		}
		t.entry.Target, t.entry.Before, t.entry.After = f.Label, map[string]string{"label": f.Label}, map[string]string{"label": label}
		f.Label = label
		return factors.Put(t, id, f)
	})
}

// SetDefault makes one of the actor's factors the one that is asked for first.
func (s *Factors) SetDefault(ctx context.Context, actor Actor, id string) error {
	return s.do(ctx, actor, ActFactorChange, actor.Account, func(t *txn) error {
		if err := t.may(OpSelf, actor.Account); err != nil {
			return err
		}
		f, err := t.ownFactor(actor.Account, id)
		if err != nil {
			return err
		}
		list, err := t.factorsOf(actor.Account)
		if err != nil {
			return err
		}
		for _, o := range list {
			if is := o.ID == id; o.Default != is {
				o.Default = is
				if err := factors.Put(t, o.ID, o); err != nil {
					return err
				}
			}
		}
		t.entry.Target, t.entry.After = f.Label, map[string]string{"default": f.Label}
		return nil
	})
}

// Remove removes one of the actor's factors. CodeStepUp, CodeNotFound, and
// CodeLastFactor while the policy demands one and this is the last that counts.
func (s *Factors) Remove(ctx context.Context, actor Actor, id string) error {
	return s.do(ctx, actor, ActFactorRemove, actor.Account, func(t *txn) error {
		if err := t.may(OpSelf, actor.Account); err != nil {
			return err
		}
		if err := t.requireFresh(); err != nil {
			return err
		}
		f, err := t.ownFactor(actor.Account, id)
		if err != nil {
			return err
		}
		return t.keepProtected(actor.Account, func() error { return t.removeFactor(f) })
	})
}

// RemoveOf removes a factor of somebody's account, for those who manage
// accounts. CodeDenied, CodeStepUp, CodeNotFound; of their own account it refuses
// as Remove does.
func (s *Factors) RemoveOf(ctx context.Context, actor Actor, ref, id string) error {
	return (&Accounts{s.base}).manage(ctx, actor, ActFactorRemove, ref, func(t *txn, a Account) error {
		if err := t.requireFresh(); err != nil {
			return err
		}
		f, err := t.ownFactor(a.ID, id)
		if err != nil {
			return err
		}
		if a.ID == actor.Account {
			return t.keepProtected(a.ID, func() error { return t.removeFactor(f) })
		}
		return t.removeFactor(f)
	})
}

// removeFactor removes a factor and says so.
func (t *txn) removeFactor(f factorRecord) error {
	t.entry.Target, t.entry.Before = f.Label, f.described()
	if err := t.deleteFactor(f); err != nil {
		return err
	}
	if f.Default {
		if err := t.nextDefault(f.Account); err != nil {
			return err
		}
	}
	if err := t.dropAttempts(f.Account); err != nil {
		return err
	}
	return t.notify(f.Account, NoticeFactorRemoved, map[string]string{"Kind": string(f.Kind), "Label": f.Label})
}

// keepProtected lets a factor or a key be removed, unless it was the last that
// counts and the policy demands one (CodeLastFactor). Whoever had none that
// counts loses nothing by it.
func (t *txn) keepProtected(account string, remove func() error) error {
	had, err := t.protected(account)
	if err != nil {
		return err
	}
	if err := remove(); err != nil || !had {
		return err
	}
	return t.requireProtected(account)
}

// requireProtected refuses with CodeLastFactor when the policy demands a factor
// of the account and none is left that counts.
func (t *txn) requireProtected(account string) error {
	a, err := accounts.Get(t, account)
	if err != nil {
		return err
	}
	_, must, err := t.demanded(a)
	if err != nil || !must {
		return err
	}
	if has, err := t.protected(account); err != nil || has {
		return err
	}
	return refuse(CodeLastFactor)
}

// nextDefault makes the strongest factor that is left the default.
func (t *txn) nextDefault(account string) error {
	list, err := t.factorsOf(account)
	if err != nil || len(list) == 0 {
		return err
	}
	best := slices.MaxFunc(list, func(a, b factorRecord) int {
		if a.Disabled.IsZero() != b.Disabled.IsZero() {
			return b.Disabled.Compare(a.Disabled) // one that failed too often comes last
		}
		return a.Kind.strength() - b.Kind.strength()
	})
	best.Default = true
	return factors.Put(t, best.ID, best)
}

// labelOr returns a label that was typed, or one that says what it is.
func labelOr(label, other string) (string, error) {
	clean, err := cleanText("label", label, MaxFactorLabel, false)
	if err == nil && clean == "" {
		clean = other
	}
	return clean, err
}

// untilNextCode is how long after now an app shows another code.
func untilNextCode(now time.Time) time.Duration {
	return otp.Period - time.Duration(now.UnixNano()%int64(otp.Period))
}
