// Enrolment: an app, a phone or an address becomes a factor once a code has shown
// that its person has it. Until then there is no factor, only an enrolment under
// way, which ends by itself: a process that dies in between leaves no half factor.

package core

import (
	"context"
	"errors"
	"slices"
	"time"

	"postern/core/names"
	"postern/core/otp"
	"postern/core/secret"
	"postern/store"
)

// confirmAddress is the enrolment that only confirms an account's own address.
const confirmAddress FactorKind = "address"

// EnrolFor is how long an enrolment may take.
const EnrolFor = 20 * time.Minute

// enrolTries bounds wrong codes of an app: a person who mistypes does not reach
// it, and nobody fills the trail.
const enrolTries = 20

// enrolment is one under way.
type enrolment struct {
	awaited
	Account string     `json:"account"`
	For     string     `json:"for"` // the session, or the hash of the ticket, that began it
	Kind    FactorKind `json:"kind"`
	Address string     `json:"address,omitempty"`
	Secret  []byte     `json:"secret,omitempty"`
	Ends    time.Time  `json:"ends"`
}

var enrolments = store.NewTable("enrolment", 1,
	store.Index[enrolment]{Name: "account", Keys: func(e enrolment) []string { return []string{e.Account} }})

// Enrolment is what a screen needs to lead through one.
type Enrolment struct {
	ID      string
	Kind    FactorKind
	Secret  string        // of an app, in groups of four
	URI     string        // of an app: otpauth://…, for the QR code
	Address string        // where a code went
	Again   time.Duration // until another code can be sent
	Ends    time.Time
}

// Enrolled is what an enrolment came to.
type Enrolled struct {
	Factor   Factor
	Progress Progress // of a sign-in that asked for it
}

// enrolling says whose enrolment it is. With a ticket it is that of a sign-in
// that stands at StepEnrol, else of the actor's own session, freshly proved.
func (t *txn) enrolling(ticket string) (a Account, who string, err error) {
	if ticket != "" {
		_, a, _, err = t.attempt(ticket, StepEnrol)
		return a, "signin/" + secret.Hash(ticket), err
	}
	if err := t.may(OpSelf, t.actor.Account); err != nil {
		return a, "", err
	}
	a, err = accounts.Get(t, t.actor.Account)
	return a, "session/" + t.actor.Session, err
}

// Begin begins to enrol an app, a phone or an address. ticket is that of a sign-in
// at StepEnrol, or "" for the actor's own account. address is the number or the
// e-mail address a code goes to. CodeStepUp; CodeMethodOff; CodeRange (field
// "factor") at MaxFactors; with the field "address" CodeFormat, CodeTaken when the account has that
// factor already; CodeWait, CodeAllowance (field: the service); CodeTicket,
// CodeOutOfOrder.
func (s *Factors) Begin(ctx context.Context, actor Actor, ticket string, kind FactorKind, address string) (Enrolment, error) {
	return s.begin(ctx, actor, ticket, kind, address)
}

// BeginAddress sends a code to the actor's own e-mail address, to confirm it.
// CodeRequired (field "email") without an address, CodeConflict when it is
// confirmed, CodeWait, CodeAllowance.
func (s *Factors) BeginAddress(ctx context.Context, actor Actor) (Enrolment, error) {
	return s.begin(ctx, actor, "", confirmAddress, "")
}

func (s *Factors) begin(ctx context.Context, actor Actor, ticket string, kind FactorKind, address string) (Enrolment, error) {
	id, err := s.ids.new(s.clock.Now())
	if err != nil {
		return Enrolment{}, asError(err)
	}
	code, key := s.newSentCode(), otp.NewSecret(s.random)
	var out Enrolment
	err = s.do(ctx, actor, ActEnrolBegun, "", func(t *txn) error {
		a, who, err := t.enrolling(ticket)
		t.entry.About = a.ID
		if err != nil {
			return err
		}
		t.entry.Target = string(kind)
		e := enrolment{Account: a.ID, For: who, Kind: kind, Ends: t.now.Add(EnrolFor)}
		if kind == confirmAddress {
			if e.Address, err = a.unconfirmed(); err != nil {
				return err
			}
		} else if e.Address, err = t.newFactorAt(a.ID, ticket == "", kind, address); err != nil {
			return err
		}
		out = Enrolment{ID: id, Kind: kind, Address: e.Address, Ends: e.Ends}
		if kind == FactorApp {
			e.Secret = key
			out.Secret, out.URI = otp.Groups(key), otp.URI(t.site.Name, a.UserName, key)
		} else if out.Again, err = t.sendEnrolCode(a, id, &e, code); err != nil {
			return err
		}
		return enrolments.Insert(t, id, e)
	})
	if err != nil {
		return Enrolment{}, err
	}
	return out, nil
}

// unconfirmed is the account's own address, to be confirmed.
func (a Account) unconfirmed() (string, error) {
	switch {
	case a.Email == "":
		return "", refuseField(CodeRequired, "email")
	case a.confirmedEmail() != "":
		return "", refuseField(CodeConflict, "email")
	}
	return a.Email, nil
}

// confirmedEmail is the account's address if it was confirmed, else "".
func (a Account) confirmedEmail() string {
	if a.EmailConfirmed.IsZero() {
		return ""
	}
	return a.Email
}

// newFactorAt decides whether an account may have one more factor of this kind,
// and returns its address in the form that is kept. fresh asks for a step-up: to
// begin, and not again to confirm, which may well come later than StepUpFor.
func (t *txn) newFactorAt(account string, fresh bool, kind FactorKind, address string) (string, error) {
	if !slices.Contains([]FactorKind{FactorApp, FactorSMS, FactorEmail}, kind) || !t.policy.Factors.on(kind) {
		return "", refuseField(CodeMethodOff, "factor")
	}
	if fresh {
		if err := t.requireFresh(); err != nil {
			return "", err
		}
	}
	list, err := t.factorsOf(account)
	if err != nil {
		return "", err
	}
	if len(list) >= MaxFactors {
		return "", &Error{Code: CodeRange, Field: "factor", Rule: "0-" + itoa(MaxFactors)}
	}
	service := serviceOf(kind)
	if service == "" {
		return "", nil
	}
	clean, err := cleanRecipient(service, address)
	if err != nil {
		return "", refuseField(CodeFormat, "address")
	}
	if slices.ContainsFunc(list, func(f factorRecord) bool { return f.Kind == kind && sameAddress(f.Address, clean) }) {
		return "", refuseField(CodeTaken, "address")
	}
	return clean, nil
}

// sameAddress compares numbers, or addresses as their mailboxes do.
func sameAddress(a, b string) bool {
	return a == b || names.EmailKey(a) != "" && names.EmailKey(a) == names.EmailKey(b)
}

// sendEnrolCode puts a code into the outbox and begins to wait for it.
func (t *txn) sendEnrolCode(a Account, id string, e *enrolment, code string) (again time.Duration, err error) {
	service, kind := serviceOf(e.Kind), MessageEnrolCode
	if e.Kind == confirmAddress {
		kind = MessageAddressCode
	}
	if again, err = t.countSend(a.ID, service); err != nil {
		return 0, err
	}
	if e.awaited, err = t.await("enrol/"+id, code); err != nil {
		return 0, err
	}
	_, err = t.enqueue(outgoing{account: a, service: service, to: e.Address, kind: kind, code: code, until: e.Until})
	return again, err
}

// enrolment reads one that the actor, or the sign-in of a ticket, has begun.
// CodeNotFound (field "enrolment") when it is over or another's.
func (t *txn) enrolment(ticket, id string) (enrolment, Account, error) {
	a, who, err := t.enrolling(ticket)
	if err != nil {
		return enrolment{}, a, err
	}
	e, err := enrolments.Get(t, id)
	if err != nil || e.For != who || e.Account != a.ID || !t.now.Before(e.Ends) {
		return enrolment{}, a, notFound(err, "enrolment")
	}
	return e, a, nil
}

// Resend sends another code for an enrolment; the one before is dead. CodeWait,
// CodeAllowance, CodeNotFound (field "enrolment").
func (s *Factors) Resend(ctx context.Context, actor Actor, ticket, id string) (again time.Duration, err error) {
	code := s.newSentCode()
	err = s.do(ctx, actor, ActCodeSent, "", func(t *txn) error {
		e, a, err := t.enrolment(ticket, id)
		t.entry.About = a.ID
		if err != nil {
			return err
		}
		t.entry.Target = string(e.Kind)
		if serviceOf(e.Kind) == "" {
			return refuseField(CodeNotFound, "enrolment")
		}
		if again, err = t.sendEnrolCode(a, id, &e, code); err != nil {
			return err
		}
		e.Ends = t.now.Add(EnrolFor)
		return enrolments.Put(t, id, e)
	})
	return again, err
}

// Abandon ends an enrolment that its person has given up. One that is over is no error.
func (s *Factors) Abandon(ctx context.Context, actor Actor, ticket, id string) error {
	err := s.do(ctx, actor, ActEnrolLeft, "", func(t *txn) error {
		e, a, err := t.enrolment(ticket, id)
		t.entry.About = a.ID
		if err != nil {
			return err
		}
		t.entry.Target = string(e.Kind)
		return enrolments.Delete(t, id)
	})
	if CodeOf(err) == CodeNotFound {
		return nil
	}
	return err
}

// Confirm ends an enrolment with the code that the app shows or that was sent:
// now there is a factor, under a label (of a phone or address "" becomes its
// masked address). With a ticket the sign-in goes on. With the field "code":
// CodeCodeFormat, CodeCodeWrong, CodeCodeUsed, CodeCodeClock, CodeCodeOver; with
// "label" CodeRequired, CodeTooLong, CodeCharacter, CodeEncoding; CodeNotFound (field "enrolment")
// when it took too long; CodeMethodOff, CodeRange; CodeTicket, CodeOutOfOrder;
// CodeWait when one code is tried many times at once.
func (s *Factors) Confirm(ctx context.Context, actor Actor, ticket, id, typed, label string) (Enrolled, error) {
	var account string
	code, six := otp.NormalizeCode(typed)
	others, leave := s.tryCode("enrol/" + id)
	defer leave()
	_, wrong := s.look(ctx, actor, func(t *txn) error {
		e, a, err := t.enrolment(ticket, id)
		account = a.ID
		if err != nil {
			return err
		}
		if !six {
			return refuseField(CodeCodeFormat, "code")
		}
		if err := e.room(others); err != nil {
			return err
		}
		_, err = t.checkEnrolment(e, id, code)
		return err
	})
	if guessed(wrong) {
		// Counted at the enrolment: nobody but its own person can reach it.
		return Enrolled{}, s.count(ctx, actor, ActFactorAdd, account, nil, wrong, func(t *txn) error {
			e, err := enrolments.Get(t, id)
			if errors.Is(err, store.ErrNotFound) {
				return nil
			} else if err != nil {
				return err
			}
			e.Tries++
			return enrolments.Put(t, id, e)
		})
	} else if wrong != nil {
		return Enrolled{}, s.refused(ctx, actor, ActFactorAdd, account, wrong)
	}
	factorID, err := s.ids.new(s.clock.Now())
	if err != nil {
		return Enrolled{}, asError(err)
	}
	sec, err := s.newSecrets()
	if err != nil {
		return Enrolled{}, asError(err)
	}
	var out Enrolled
	err = s.do(ctx, actor, ActFactorAdd, account, func(t *txn) error {
		e, a, err := t.enrolment(ticket, id)
		if err != nil {
			return err
		}
		step, err := t.checkEnrolment(e, id, code)
		if err != nil {
			return err
		}
		if err := enrolments.Delete(t, id); err != nil {
			return err
		}
		if service := serviceOf(e.Kind); service != "" {
			if err := t.clearFailures([]guardKey{sendGuard(a.ID, service)}); err != nil {
				return err
			}
		}
		if e.Kind == confirmAddress {
			t.entry.Action = ActEmailConfirmed
			return t.confirmEmail(a, e.Address)
		}
		f, err := t.addFactor(a, e, factorID, label, step)
		if err != nil {
			return err
		}
		out.Factor = f.Factor
		if ticket != "" {
			out.Progress, err = t.enrolledStep(ticket, f.Kind, sec)
		}
		return err
	})
	if err != nil {
		return Enrolled{}, err
	}
	return out, nil
}

// checkEnrolment compares a code; step is the app's step that is used up by it.
func (t *txn) checkEnrolment(e enrolment, id, code string) (step int64, err error) {
	if e.Kind != FactorApp {
		return 0, t.judge(e.awaited, "enrol/"+id, code)
	}
	if e.Tries >= enrolTries {
		return 0, refuseField(CodeCodeOver, "code")
	}
	v, step := otp.Check(e.Secret, code, t.now, 0, nil)
	return step, verdictError(v, step, t.now)
}

// addFactor makes the factor of an enrolment.
func (t *txn) addFactor(a Account, e enrolment, id, label string, step int64) (factorRecord, error) {
	address, err := t.newFactorAt(a.ID, false, e.Kind, e.Address)
	if err != nil {
		return factorRecord{}, err
	}
	f := factorRecord{Secret: e.Secret, LastStep: step, Factor: Factor{
		ID: id, Account: a.ID, Kind: e.Kind, Address: address, Created: t.now, LastUsed: t.now}}
	if f.Label, err = labelOr(label, f.hint()); err != nil {
		return f, err
	}
	if f.Label == "" {
		return f, refuseField(CodeRequired, "label")
	}
	list, err := t.factorsOf(a.ID)
	if err != nil {
		return f, err
	}
	f.Default = !slices.ContainsFunc(list, func(o factorRecord) bool { return o.Default })
	if err := t.insertFactor(f); err != nil {
		return f, err
	}
	t.entry.Target, t.entry.After = f.Label, f.described()
	if e.Kind == FactorEmail && address == a.Email && a.confirmedEmail() == "" {
		a.EmailConfirmed = t.now // the same code has shown it
		if err := accounts.Put(t, a.ID, a); err != nil {
			return f, err
		}
	}
	return f, t.notify(a.ID, NoticeFactorAdded, map[string]string{"Kind": string(f.Kind), "Label": f.Label})
}

// confirmEmail notes that the account's address is its person's.
func (t *txn) confirmEmail(a Account, address string) error {
	if a.Email != address {
		return refuseField(CodeConflict, "email") // it was changed meanwhile
	}
	a.EmailConfirmed = t.now
	t.entry.Target, t.entry.After = a.UserName, map[string]string{"email": a.Email}
	return accounts.Put(t, a.ID, a)
}
