// Deciding about requests: those who may, and what they decide.

package core

import (
	"context"
)

// mayDecide is the rank rule of requests: nobody decides about an account above
// their own, nor about their own.
func (t *txn) mayDecide(account string) error {
	if t.actor.Account != "" && t.actor.Account == account {
		t.denied = OpRequests
		return refuse(CodeDenied)
	}
	return t.may(OpManageAccounts, account)
}

// decide runs an act on an open request.
func (s *Requests) decide(ctx context.Context, actor Actor, action Action, id string, fn func(*txn, Request, Account) (Request, error)) (Request, error) {
	var out Request
	err := s.do(ctx, actor, action, "", func(t *txn) error {
		if actor.Account == "" && !actor.Console {
			return t.may(OpRequests, "")
		}
		r, err := t.request(id)
		if err != nil && CodeOf(err) != CodeNotFound {
			return err
		}
		if err != nil || r.Account != actor.Account {
			// Whether there is such a request is no stranger's to know.
			if denied := t.may(OpRequests, ""); denied != nil {
				return denied
			}
		}
		if err != nil {
			return err
		}
		t.entry.About = r.Account
		t.note("request", r.ID)
		if !r.State.Open() {
			return refuse(CodeRequestOver)
		}
		a, err := accounts.Get(t, r.Account)
		if err != nil {
			return err
		}
		t.entry.Target = a.UserName
		if out, err = fn(t, r, a); err != nil {
			return err
		}
		if out, err = t.nameRequest(out); err == nil && actor.Account == out.Account {
			out = out.forPerson()
		}
		return err
	})
	if err != nil {
		return Request{}, err
	}
	return out, nil
}

// judge runs an act of those who decide; it asks for a proof that is fresh.
func (s *Requests) judge(ctx context.Context, actor Actor, action Action, id, reason string, fn func(t *txn, r Request, a Account, why string) (Request, error)) (Request, error) {
	return s.decide(ctx, actor, action, id, func(t *txn, r Request, a Account) (Request, error) {
		if err := t.may(OpRequests, ""); err != nil {
			return r, err
		}
		if err := t.mayDecide(a.ID); err != nil {
			return r, err
		}
		why, err := cleanText("reason", reason, MaxReason, false)
		if err != nil {
			return r, err
		}
		if err := t.requireFresh(); err != nil {
			return r, err
		}
		t.entry.Reason = why
		return fn(t, r, a, why)
	})
}

// Approve decides that the account is deleted, after the days of grace that the
// policy has now; one that a hold keeps is put aside instead. With no days of grace
// nothing can be taken back, so the user name is typed to confirm it: CodeConfirm
// (field "user_name") for another one. CodeConflict when that was decided already,
// CodeRequestOver, CodeDenied, CodeStepUp, CodeNotFound, CodeLastOwner; with the
// field "reason", what a text is refused with.
func (s *Requests) Approve(ctx context.Context, actor Actor, id, reason, typed string) (Request, error) {
	return s.judge(ctx, actor, ActRequestApprove, id, reason, func(t *txn, r Request, a Account, why string) (Request, error) {
		if r.State == RequestApproved {
			return r, refuse(CodeConflict)
		}
		if err := t.requireOwnerBeside(a.ID); err != nil {
			return r, err
		}
		return t.approve(r, a, why, byName(typed))
	})
}

// Refuse ends a request without a deletion; the reason is told to its person, and
// must be given (CodeRequired). Else as Approve.
func (s *Requests) Refuse(ctx context.Context, actor Actor, id, reason string) (Request, error) {
	return s.judge(ctx, actor, ActRequestRefuse, id, reason, func(t *txn, r Request, a Account, why string) (Request, error) {
		if why == "" {
			return r, refuseField(CodeRequired, "reason")
		}
		return t.refuseRequest(r, a, why)
	})
}

func (t *txn) refuseRequest(r Request, a Account, why string) (Request, error) {
	r = r.step(t, RequestRefused, "", why)
	if err := t.putRequest(r); err != nil {
		return r, err
	}
	return r, t.notify(a.ID, NoticeDeleteRefused, map[string]string{"Reason": why})
}

// Hold puts a request aside until it is approved or refused; a deletion that was
// decided is put off. The reason must be given. Else as Approve.
func (s *Requests) Hold(ctx context.Context, actor Actor, id, reason string) (Request, error) {
	return s.judge(ctx, actor, ActRequestHold, id, reason, func(t *txn, r Request, a Account, why string) (Request, error) {
		if why == "" {
			return r, refuseField(CodeRequired, "reason")
		}
		if r.State == RequestHeld {
			return r, refuse(CodeConflict)
		}
		return t.holdRequest(r, a, HeldByHand, why)
	})
}

// holdRequest puts a request aside. Its person is told that it takes longer, and
// those who decide when it was not one of them.
func (t *txn) holdRequest(r Request, a Account, why HeldWhy, reason string) (Request, error) {
	r = r.step(t, RequestHeld, why, reason)
	if err := t.putRequest(r); err != nil {
		return r, err
	}
	if err := t.notify(a.ID, NoticeDeleteHeld, nil); err != nil || why == HeldByHand {
		return r, err
	}
	return r, t.tellDeciders(r, a, NoticeRequestHeld)
}

// Move lets an open request that waits begin anew under the process that the
// policy has now: a change of the policy by itself moves none. Its person is told.
// CodeConflict for one that is decided, or of that process already. Else as Approve,
// also in what is typed where the process deletes at once.
func (s *Requests) Move(ctx context.Context, actor Actor, id, typed string) (Request, error) {
	return s.judge(ctx, actor, ActRequestMove, id, "", func(t *txn, r Request, a Account, _ string) (Request, error) {
		p := t.policy.Deletion
		same := r.Process == p.Process && (p.Process != ProcessAnalysis || r.Script == p.Script && r.Run == "")
		if r.State == RequestApproved || same && r.State == RequestMade {
			return r, refuse(CodeConflict)
		}
		if err := t.requireOwnerBeside(a.ID); err != nil {
			return r, err
		}
		t.entry.Before = map[string]string{"process": string(r.Process)}
		t.note("process", string(p.Process))
		r.Process, r.Script, r.Run = p.Process, "", ""
		if p.Process == ProcessAnalysis {
			r.Script = p.Script
		}
		r = r.step(t, RequestMade, "", "")
		if err := t.putRequest(r); err != nil {
			return r, err
		}
		if err := t.notify(a.ID, NoticeDeleteAsked, map[string]string{"Process": string(r.Process)}); err != nil {
			return r, err
		}
		return t.begin(r, a, byName(typed))
	})
}
