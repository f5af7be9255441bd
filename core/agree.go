// Agreeing: the step of a sign-in that asks for agreements, what sign-up keeps of
// them, and what somebody has accepted.

package core

import (
	"context"
	"errors"
	"slices"
	"strings"

	"postern/core/secret"
	"postern/store"
)

// OpenAgreement is an agreement that somebody has not answered in this version.
type OpenAgreement struct {
	Agreement
	Before int // the version that was accepted before; 0: none
}

// openAgreements are those in force that an account has not answered in their
// newest version, without their texts.
func (t *txn) openAgreements(account string) ([]Agreement, error) {
	now, err := t.currentAgreements()
	if err != nil {
		return nil, err
	}
	var open []Agreement
	for _, a := range now {
		_, err := acceptances.Get(t, acceptanceID(account, a))
		if errors.Is(err, store.ErrNotFound) {
			open = append(open, a)
		} else if err != nil {
			return nil, err
		}
	}
	return open, nil
}

// agreementDue is the rule of StepAgreement.
func (t *txn) agreementDue(a Account, _ Credential, _ attempt) (why string, due bool, err error) {
	open, err := t.openAgreements(a.ID)
	return "", len(open) > 0, err
}

// askedAgreements is what StepAgreement shows.
func (t *txn) askedAgreements(account string) ([]OpenAgreement, error) {
	open, err := t.openAgreements(account)
	if err != nil {
		return nil, err
	}
	full, err := t.withTexts(open)
	if err != nil {
		return nil, err
	}
	asked := make([]OpenAgreement, len(full))
	for i, a := range full {
		asked[i].Agreement = a
		for v := a.Version - 1; v > 0 && asked[i].Before == 0; v-- {
			had, err := acceptances.Get(t, account+"/"+agreementRef(a.ID, v))
			switch {
			case errors.Is(err, store.ErrNotFound):
			case err != nil:
				return nil, err
			case !had.Refused:
				asked[i].Before = v
			}
		}
	}
	return asked, nil
}

// requireAgreed refuses with CodeAgreement when a mandatory agreement is not among
// the versions that were agreed to.
func requireAgreed(asked []Agreement, agreed []string) error {
	for _, a := range asked {
		if a.Mandatory && !slices.Contains(agreed, a.Ref()) {
			return refuseField(CodeAgreement, AgreementField(a.ID))
		}
	}
	return nil
}

// keepAgreed records what an account answers to agreements, and counts it.
func (t *txn) keepAgreed(account string, asked []Agreement, agreed []string) error {
	for _, a := range asked {
		kept := Acceptance{
			Account: account, Agreement: a.ID, Version: a.Version, Name: a.Name, Refused: !slices.Contains(agreed, a.Ref()),
			At: t.now, Door: t.actor.Door, Remote: t.actor.Remote, Client: t.actor.Client,
		}
		if err := acceptances.Insert(t, acceptanceID(account, a), kept); err != nil {
			return err
		}
		n, err := agreementCounts.Get(t, a.Ref())
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if kept.Refused {
			n.Refused++
		} else {
			n.Accepted++
		}
		if err := agreementCounts.Put(t, a.Ref(), n); err != nil {
			return err
		}
	}
	return nil
}

// labels names agreements for the trail: those that were agreed to, and those not.
func labels(asked []Agreement, agreed []string) (yes, no string) {
	var y, n []string
	for _, a := range asked {
		if slices.Contains(agreed, a.Ref()) {
			y = append(y, a.label())
		} else {
			n = append(n, a.label())
		}
	}
	return strings.Join(y, ", "), strings.Join(n, ", ")
}

// noteAgreed says in the entry what was agreed to.
func (t *txn) noteAgreed(asked []Agreement, agreed []string) {
	yes, no := labels(asked, agreed)
	if yes != "" {
		t.note("agreed", yes)
	}
	if no != "" {
		t.note("not_agreed", no)
	}
}

// Agree is the forced step StepAgreement: agreed are the versions (Agreement.Ref)
// that the person accepts. One that is not mandatory and not among them is taken
// as a no. CodeAgreement (field AgreementField) when a mandatory one is missing,
// or was published anew meanwhile; CodeTicket, CodeOutOfOrder, CodeCredentials.
func (s *SignIn) Agree(ctx context.Context, actor Actor, ticket string, agreed []string) (Progress, error) {
	return s.step(ctx, actor, ticket, StepAgreement, func(t *txn, a Account, _ *attempt) error {
		t.entry.Action = ActAgree
		open, err := t.openAgreements(a.ID)
		if err != nil {
			return err
		}
		if err := requireAgreed(open, agreed); err != nil {
			return err
		}
		t.noteAgreed(open, agreed)
		return t.keepAgreed(a.ID, open, agreed)
	})
}

// Asked returns what a sign-in asks to agree to, as it is now: a version may have
// come since the step began. CodeTicket, CodeOutOfOrder, CodeCredentials.
func (s *SignIn) Asked(ctx context.Context, actor Actor, ticket string) ([]OpenAgreement, error) {
	var asked []OpenAgreement
	_, err := s.look(ctx, actor, func(t *txn) error {
		_, a, _, err := t.attempt(ticket, StepAgreement)
		if err != nil {
			return err
		}
		asked, err = t.askedAgreements(a.ID)
		return err
	})
	return asked, err
}

// Decline ends a sign-in whose person does not agree: it goes no further.
// CodeTicket, CodeOutOfOrder, CodeCredentials.
func (s *SignIn) Decline(ctx context.Context, actor Actor, ticket string) error {
	return s.do(ctx, actor, ActDecline, "", func(t *txn) error {
		_, a, _, err := t.attempt(ticket, StepAgreement)
		t.entry.About = a.ID
		if err != nil {
			return err
		}
		open, err := t.openAgreements(a.ID)
		if err != nil {
			return err
		}
		t.entry.Actor, t.entry.Name, t.entry.Target = a.ID, a.UserName, a.UserName
		t.noteAgreed(open, nil)
		return attempts.Delete(t, secret.Hash(ticket))
	})
}

// requireAgreements refuses with CodeAgreement while an account has mandatory
// agreements open. It is for those who come without a sign-in, by a linked key.
func (t *txn) requireAgreements(account string) error {
	open, err := t.openAgreements(account)
	if err != nil {
		return err
	}
	return requireAgreed(open, nil)
}

// Mine returns what the actor's account has answered to agreements, the newest
// first. CodeDenied, CodeSessionEnded.
func (s *Agreements) Mine(ctx context.Context, actor Actor) ([]Acceptance, error) {
	var list []Acceptance
	err := s.read(ctx, actor, func(t *txn) error {
		list = nil
		if err := t.may(OpSelf, actor.Account); err != nil {
			return err
		}
		return eachRow(func(after string) ([]store.Row[Acceptance], error) {
			return acceptances.PageEq(t, "account", actor.Account, after, MaxPage)
		}, func(a Acceptance) error {
			list = append(list, a)
			return nil
		})
	})
	slices.SortStableFunc(list, func(a, b Acceptance) int { return b.At.Compare(a.At) })
	return list, err
}

// legal adds what the check-up says of contacts and agreements.
func (t *txn) legal(c *CheckUp, account string) error {
	missing, err := t.missingContacts()
	if err != nil {
		return err
	}
	now, err := t.currentAgreements()
	if err != nil {
		return err
	}
	mine, err := acceptances.PageEq(t, "account", account, "", 1)
	if err != nil {
		return err
	}
	c.Legal = len(missing) < len(ContactKinds()) || len(now) > 0 || len(mine) > 0
	if t.may(OpContacts, "") == nil {
		c.ContactsMissing = len(missing)
	}
	return nil
}
