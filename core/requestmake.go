// Asking for a deletion, and taking that back.

package core

import (
	"context"
	"errors"
	"strings"
	"time"

	"postern/store"
)

// Losses tells the actor what would go with their account. CodeDenied for a stranger.
func (s *Requests) Losses(ctx context.Context, actor Actor) (Losses, error) {
	var l Losses
	err := s.read(ctx, actor, func(t *txn) error {
		if err := t.may(OpSelf, actor.Account); err != nil {
			return err
		}
		a, err := accounts.Get(t, actor.Account)
		if err != nil {
			return err
		}
		l, err = t.losses(a)
		return err
	})
	return l, err
}

// DeletionTerms are what becomes of a request under a policy.
type DeletionTerms struct {
	Process   DeletionProcess
	GraceDays int
}

// AtOnce says whether an account goes for good as soon as it is asked for.
func (d DeletionTerms) AtOnce() bool { return d.Process == ProcessOnce && d.GraceDays == 0 }

// terms are those of a policy.
func (p DeletionPolicy) terms() DeletionTerms { return DeletionTerms{p.Process, p.GraceDays} }

// RequestPlan is what somebody should know before they ask to be deleted, and of
// what they asked for before.
type RequestPlan struct {
	UserName string
	DeletionTerms
	Losses   Losses
	Requests []Request // the actor's own, newest first
}

// Open returns the open request, if there is one.
func (p RequestPlan) Open() (Request, bool) {
	if len(p.Requests) > 0 && p.Requests[0].State.Open() {
		return p.Requests[0], true
	}
	return Request{}, false
}

// Plan tells the actor what would become of a request, and of those they made.
// CodeDenied for a stranger.
func (s *Requests) Plan(ctx context.Context, actor Actor) (RequestPlan, error) {
	var p RequestPlan
	err := s.read(ctx, actor, func(t *txn) error {
		if err := t.may(OpSelf, actor.Account); err != nil {
			return err
		}
		a, err := accounts.Get(t, actor.Account)
		if err != nil {
			return err
		}
		p = RequestPlan{UserName: a.UserName, DeletionTerms: t.policy.Deletion.terms()}
		if p.Losses, err = t.losses(a); err != nil {
			return err
		}
		p.Requests, err = t.requestsOf(a.ID)
		return err
	})
	return p, err
}

// Make asks for the actor's own account to be deleted. typed is the user name, to
// confirm it. What comes back says what becomes of it: with the process
// ProcessOnce and no days of grace, the account is deleted already and the
// request has its receipt.
//
// CodeConfirm (field "user_name") for another name, CodeStepUp, CodeRequestOpen
// when there is one already, CodeLastOwner.
func (s *Requests) Make(ctx context.Context, actor Actor, typed string) (Request, error) {
	return s.makeOwn(ctx, actor, typed, nil)
}

// MakeAsShown is Make for somebody who was shown what becomes of the request:
// CodeConflict (field "process") when the policy says otherwise by now.
func (s *Requests) MakeAsShown(ctx context.Context, actor Actor, typed string, shown DeletionTerms) (Request, error) {
	return s.makeOwn(ctx, actor, typed, &shown)
}

func (s *Requests) makeOwn(ctx context.Context, actor Actor, typed string, shown *DeletionTerms) (Request, error) {
	return s.make(ctx, actor, actor.Account, "", given, func(t *txn, a Account) error {
		if err := t.may(OpSelf, a.ID); err != nil {
			return err
		}
		if err := t.requireProof(); err != nil {
			return err
		}
		if shown != nil && *shown != t.policy.Deletion.terms() {
			return refuseField(CodeConflict, "process")
		}
		return byName(typed)(a)
	})
}

// consent says whether it was confirmed that an account goes for good. It is asked
// where an act of somebody deletes it there and then, with nothing to take back.
type consent func(Account) error

// given is the consent to what was confirmed before, or decided by the process that
// the policy has consented to.
func given(Account) error { return nil }

// byName is the consent of whoever types the user name: CodeConfirm (field
// "user_name") for another one.
func byName(typed string) consent {
	return func(a Account) error {
		if !strings.EqualFold(strings.TrimSpace(typed), a.UserName) {
			return &Error{Code: CodeConfirm, Field: "user_name", Rule: a.UserName}
		}
		return nil
	}
}

// MakeFor asks for somebody's account to be deleted, by the process of the policy
// (ref: user name, e-mail address or id). Where that deletes it at once, typed is
// the user name, to confirm it: CodeConfirm (field "user_name") for another one.
// CodeDenied, CodeStepUp, CodeNotFound, CodeRequestOpen, CodeLastOwner; CodeTooLong
// and CodeCharacter for the reason.
func (s *Requests) MakeFor(ctx context.Context, actor Actor, ref, reason, typed string) (Request, error) {
	return s.makeFor(ctx, actor, ref, reason, byName(typed), anybody)
}

func (s *Requests) makeFor(ctx context.Context, actor Actor, ref, reason string, sure consent, allowed func(*txn, Account) error) (Request, error) {
	return s.make(ctx, actor, ref, reason, sure, func(t *txn, a Account) error {
		if err := t.may(OpRequests, ""); err != nil {
			return err
		}
		if err := allowed(t, a); err != nil {
			return err
		}
		if err := t.mayDecide(a.ID); err != nil {
			return err
		}
		return t.requireFresh()
	})
}

func (s *Requests) make(ctx context.Context, actor Actor, ref, reason string, sure consent, allowed func(*txn, Account) error) (Request, error) {
	var out Request
	id, err := s.ids.new(s.clock.Now())
	if err != nil {
		return out, asError(err)
	}
	about := ""
	if ref == actor.Account {
		about = ref
	}
	err = s.do(ctx, actor, ActRequestMake, about, func(t *txn) error {
		if ref == "" {
			return t.may(OpSelf, "")
		}
		if ref != actor.Account {
			if err := t.may(OpRequests, ""); err != nil {
				return err
			}
		}
		a, err := t.account(ref)
		if err != nil {
			return err
		}
		t.entry.About, t.entry.Target = a.ID, a.UserName
		if err := allowed(t, a); err != nil {
			return err
		}
		why, err := cleanText("reason", reason, MaxReason, false)
		if err != nil {
			return err
		}
		if err := t.requireOwnerBeside(a.ID); err != nil {
			return err
		}
		p := t.policy.Deletion
		r := Request{ID: id, Account: a.ID, Process: p.Process, Created: t.now, By: t.entry.Actor}
		if p.Process == ProcessAnalysis {
			r.Script = p.Script
		}
		t.entry.Reason = why
		t.note("process", string(p.Process))
		t.note("request", r.ID)
		r = r.step(t, RequestMade, "", why)
		err = requests.Insert(t, invert(r.ID), r)
		var taken *store.UniqueError
		if errors.As(err, &taken) {
			return refuse(CodeRequestOpen)
		} else if err != nil {
			return err
		}
		if err := t.notify(a.ID, NoticeDeleteAsked, map[string]string{"Process": string(p.Process)}); err != nil {
			return err
		}
		if out, err = t.begin(r, a, sure); err != nil {
			return err
		}
		out, err = t.nameRequest(out)
		return err
	})
	if err != nil {
		return Request{}, err
	}
	return out, nil
}

// begin lets the process of a new or moved request begin.
func (t *txn) begin(r Request, a Account, sure consent) (Request, error) {
	switch r.Process {
	case ProcessOnce:
		return t.approve(r, a, "", sure)
	case ProcessMail:
		return r, t.tellDeciders(r, a, NoticeRequestMade)
	}
	return r, nil // the script's turn: Work
}

// tellDeciders tells those who decide about the request of an account.
func (t *txn) tellDeciders(r Request, a Account, k NoticeKind) error {
	owners, err := t.deciders(a.ID)
	if err != nil {
		return err
	}
	for _, id := range owners {
		err := t.notifyOf(id, a.ID, k, map[string]string{"Who": a.UserName, "Request": r.ID, "Process": string(r.Process), "Why": string(r.Why)})
		if err != nil {
			return err
		}
	}
	return nil
}

// Cancel takes a request back: one's own, or for those who decide about requests,
// somebody's. It can be done until the account is deleted. CodeNotFound (field
// "request"), CodeRequestOver, CodeDenied.
func (s *Requests) Cancel(ctx context.Context, actor Actor, id, reason string) (Request, error) {
	return s.decide(ctx, actor, ActRequestCancel, id, func(t *txn, r Request, a Account) (Request, error) {
		if r.Account != actor.Account {
			if err := t.may(OpRequests, ""); err != nil {
				return r, err
			}
			if err := t.mayDecide(r.Account); err != nil {
				return r, err
			}
		}
		why, err := cleanText("reason", reason, MaxReason, false)
		if err != nil {
			return r, err
		}
		r = r.step(t, RequestCancelled, "", why)
		t.entry.Reason = why
		if err := t.putRequest(r); err != nil {
			return r, err
		}
		if err := t.notify(a.ID, NoticeDeleteCancelled, nil); err != nil || r.Process == ProcessOnce {
			return r, err
		}
		return r, t.tellDeciders(r, a, NoticeRequestGone)
	})
}

// approve decides that an account is deleted: after the days of grace, or now when
// there are none; whoever does that must be sure.
func (t *txn) approve(r Request, a Account, reason string, sure consent) (Request, error) {
	if _, held, err := t.onHold(a.ID); err != nil {
		return r, err
	} else if held {
		return t.holdRequest(r, a, HeldRetained, reason)
	}
	r = r.step(t, RequestApproved, "", reason)
	r.Due = t.policy.Deletion.due(t.now)
	if !t.now.Before(r.Due) {
		if err := sure(a); err != nil {
			return r, err
		}
		return t.carryOut(r, a)
	}
	if err := t.putRequest(r); err != nil {
		return r, err
	}
	t.note("due", r.Due.Format(time.RFC3339))
	return r, t.notify(a.ID, NoticeDeleteApproved, map[string]string{"Due": r.Due.Format(time.RFC3339)})
}
