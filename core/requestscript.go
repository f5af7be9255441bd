// Requests that a script decides about: each is analysed once, and whatever goes
// wrong holds it for somebody to look at.

package core

import (
	"context"
	"errors"

	"postern/core/script"
	"postern/store"
)

// runScripts lets scripts decide about the requests that wait for them, the
// oldest first.
func (s *Requests) runScripts(ctx context.Context) error {
	for {
		var waiting []Request
		err := s.read(ctx, Actor{}, func(t *txn) error {
			waiting = nil
			rows, err := requests.PageBy(t, "script", "", "", sweepPage)
			for _, r := range rows {
				waiting = append(waiting, r.Value)
			}
			return err
		})
		if err != nil || len(waiting) == 0 {
			return err
		}
		for _, r := range waiting {
			if err := s.analyseRequest(ctx, r); err != nil {
				return err
			}
		}
	}
}

// analyseRequest lets the script decide about one request. That it is analysed is
// written into the request together with the run, before the script begins: a
// request with a run is never taken up again by itself.
func (s *Requests) analyseRequest(ctx context.Context, r Request) error {
	_, err := s.analyse(ctx, analysisRun{
		analysisInput: analysisInput{RequestID: r.ID, Account: r.Account, Script: r.Script, Asked: r.Created, Note: r.Reason},
		Again:         true, // one that was moved back to the script begins anew
		begin: func(t *txn, run Run) error {
			q, err := t.request(r.ID)
			if err != nil {
				return err
			}
			if q.State != RequestMade || q.Run != "" {
				return refuse(CodeRequestOver)
			}
			q.Run = run.ID
			return t.putRequest(q)
		},
		settle: func(t *txn, run Run) error {
			q, err := t.request(r.ID)
			if err != nil {
				return err
			}
			if q.State != RequestMade || q.Run != run.ID {
				return refuse(CodeRequestOver)
			}
			return t.obey(q, run)
		},
	})
	switch CodeOf(err) {
	case CodeRequestOver, CodeNotFound:
		return nil // decided, taken back or gone meanwhile
	case CodeConflict: // an earlier run of it is unknown: a person has to say what that meant
		return s.system(ctx, ActRequestHold, r.ID, func(t *txn, q Request, a Account) error {
			if q.State != RequestMade {
				return errNothingDue
			}
			_, err := t.holdRequest(q, a, HeldUnknown, "")
			return err
		})
	}
	return err
}

// obey does what a run has decided about a request.
func (t *txn) obey(q Request, run Run) error {
	a, err := accounts.Get(t, q.Account)
	if err != nil {
		return err
	}
	switch {
	case run.Outcome == script.NotRun && run.Version == 0:
		_, err = t.holdRequest(q, a, HeldNoScript, "")
	case run.Outcome != script.Decided:
		_, err = t.holdRequest(q, a, HeldFailed, "")
	default:
		err = t.verdict(q, a, run, HeldByScript, given)
	}
	return err
}

// verdict carries out what was decided about a request: by a script, or by
// whoever said what its run meant.
func (t *txn) verdict(q Request, a Account, run Run, held HeldWhy, sure consent) error {
	switch run.Verdict {
	case script.Approve:
		switch err := t.requireOwnerBeside(a.ID); CodeOf(err) {
		case "":
			_, err = t.approve(q, a, run.Reason, sure)
			return err
		case CodeLastOwner:
			_, err = t.holdRequest(q, a, HeldLastOwner, run.Reason)
			return err
		default:
			return err
		}
	case script.Reject:
		_, err := t.refuseRequest(q, a, run.Reason)
		return err
	}
	_, err := t.holdRequest(q, a, held, run.Reason)
	return err
}

// runChanged is called in the transaction in which a run has become unknown
// (r.State), or in which somebody has resolved it (r.Resolved): its request is
// held, or goes on as they said.
func (t *txn) runChanged(r Run, sure consent) error {
	if r.Request == "" {
		return nil
	}
	q, err := t.request(r.Request)
	if CodeOf(err) == CodeNotFound {
		return nil
	} else if err != nil {
		return err
	}
	a, err := accounts.Get(t, q.Account)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	switch {
	case q.Run != r.ID:
	case r.State == RunUnknown && q.State == RequestMade:
		_, err = t.holdRequest(q, a, HeldUnknown, "")
	case !r.Resolved.IsZero() && q.State == RequestHeld && q.Why == HeldUnknown:
		if r.Verdict != script.Hold {
			if err := t.mayDecide(a.ID); err != nil {
				return err
			}
		}
		err = t.verdict(q, a, r, HeldByHand, sure)
	}
	return err
}

// requireScript refuses a policy whose script there is not.
func (t *txn) requireScript(next Policy) error {
	if next.Deletion.Process != ProcessAnalysis {
		return nil
	}
	s, err := t.scriptVersion(next.Deletion.Script, 0)
	if CodeOf(err) == CodeNotFound || err == nil && !s.Retired.IsZero() {
		return refuseField(CodeNotFound, scriptSetting)
	}
	return err
}

// runsAndPosts forgets what runs and posts say of the account. A post that waits
// is still sent, as the clean-up that it is, and forgotten then (endPost).
func (r *removal) runsAndPosts() error {
	_, err := take(r, runs, "account", func(id string, x Run) error { return forgetRun(r, id, x) })
	if err == nil {
		_, err = take(r, posts, "account", func(id string, p Post) error {
			if p.State == PostQueued || p.State == PostSending {
				return nil
			}
			return posts.Put(r, id, p.forgotten())
		})
	}
	return err
}

// forgetRun forgets what a run says of its person; one that only tried something
// out goes.
func forgetRun(tx store.Tx, id string, r Run) error {
	if r.Dry {
		return runs.Delete(tx, id)
	}
	return runs.Put(tx, id, r.forgotten())
}

// forgotten is a run without what it says of its person.
func (r Run) forgotten() Run {
	r.User, r.Reason, r.Detail, r.Log, r.Effects = "", "", "", "", nil
	return r
}

// ofWhoIsThere returns a run as it may be written down: without what it says of its
// person when they were deleted meanwhile, since nothing of a deletion is undone.
func (t *txn) ofWhoIsThere(r Run) (Run, error) {
	_, err := accounts.Get(t, r.Account)
	if errors.Is(err, store.ErrNotFound) {
		return r.forgotten(), nil
	}
	return r, err
}

// forgotten is a post without what it said, and to which host it went.
func (p Post) forgotten() Post {
	p.Body, p.URL = "", script.Host(p.URL)
	return p
}
