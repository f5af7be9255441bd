// The work on requests that nobody waits for: accounts are deleted when their
// time has come, and scripts decide where the policy says so.

package core

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"postern/store"
)

// carryOut deletes the account of an approved request, in the transaction of the
// act that it is part of, and leaves what remains of it: the account's id, what
// was decided when, and a receipt.
func (t *txn) carryOut(r Request, a Account) (Request, error) {
	id, err := t.base.ids.new(t.now)
	if err != nil {
		return r, err
	}
	lost, err := t.deleteAccount(a)
	if err != nil {
		return r, err
	}
	due := r
	r = r.step(t, RequestDeleted, "", "").forgotten()
	r.Lost = &lost
	receipt, err := t.base.sign(deletionReceipt{
		Kind: "deletion", Portal: t.site.Name, Request: r.ID, Account: a.ID, Requested: r.Created, Approved: t.now,
		Deleted: t.now, Process: r.Process, Trail: t.policy.Deletion.Trail, Removed: lost,
	}.decidedAt(due))
	if err != nil {
		return r, err
	}
	r.Receipt = &receipt
	if err := t.putRequest(r); err != nil {
		return r, err
	}
	e := t.entry
	e.ID, e.Action, e.Outcome = id, ActAccountDelete, OutcomeDone
	e.Before, e.Reason, e.Target, e.SignedIn = nil, "", "", false
	e.About, e.Target, e.After = a.ID, a.ID, lost.described()
	e.After["request"] = r.ID
	if err := t.record(e); err != nil {
		return r, err
	}
	if t.policy.Deletion.Trail == TrailRemove {
		if err := forgetting.Put(t, a.ID, forgottenTrail{Since: t.now, Request: r.ID}); err != nil {
			return r, err
		}
	}
	return r, t.farewell(a, r)
}

// deletionReceipt is the document that is signed.
type deletionReceipt struct {
	Kind      string          `json:"kind"`
	Portal    string          `json:"portal"`
	Request   string          `json:"request"`
	Account   string          `json:"account"` // the id, which names nobody any more
	Requested time.Time       `json:"requested"`
	Approved  time.Time       `json:"approved"`
	Deleted   time.Time       `json:"deleted"`
	Process   DeletionProcess `json:"process"`
	Trail     TrailOfDeleted  `json:"trail"`
	Removed   Losses          `json:"removed"`
}

// decidedAt takes the time of the decision from the history.
func (d deletionReceipt) decidedAt(r Request) deletionReceipt {
	for _, s := range r.History {
		if s.State == RequestApproved {
			d.Approved = s.At
		}
	}
	return d
}

// farewell mails the receipt to the address that the account had. That mail is the
// last thing that names its person, and is forgotten once it is sent or given up.
// Without a way for mail to leave it would stay for ever, so there is none.
func (t *txn) farewell(a Account, r Request) error {
	address := a.confirmedEmail()
	if address == "" || !t.base.carries(ServiceMail) {
		return nil
	}
	_, err := t.enqueue(outgoing{
		account: Account{Language: a.Language, TimeZone: a.TimeZone}, service: ServiceMail, to: address, kind: MessageFarewell, once: true,
		args: map[string]string{"Name": a.DisplayName, "Request": r.ID, "When": t.now.Format(time.RFC3339), "Account": a.ID,
			"Document": r.Receipt.Document, "Signature": r.Receipt.Signature, "Key": r.Receipt.Key},
	})
	if CodeOf(err) == CodeAllowance {
		return nil // the receipt is kept with the request
	}
	return err
}

// Work deletes accounts when their time has come and lets scripts decide, until
// ctx is done. A door runs it for as long as it holds the data.
func (s *Requests) Work(ctx context.Context) {
	changed, err := s.db.Watch(ctx, requests.Prefix())
	if err != nil {
		if ctx.Err() == nil {
			s.log.Error("requests are not worked on", slog.Any("error", err))
		}
		return
	}
	for {
		next, err := s.RunDue(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			s.log.Error("requests were not worked on", slog.Any("error", err))
			next = s.clock.Now().Add(firstRetry)
		}
		if !s.wait(ctx, changed, next) {
			return
		}
	}
}

// wait waits for a change of the requests or for a time (zero: for none). False
// when it is over.
func (b *base) wait(ctx context.Context, changed <-chan store.Event, until time.Time) bool {
	due, stop := b.alarm(until)
	defer stop()
	select {
	case <-ctx.Done():
		return false
	case <-due:
		return true
	case _, open := <-changed:
		return open
	}
}

// alarm returns a channel that is closed at a time; zero: never. What is late
// already rings after a moment of the machine's own time, so that it is not tried
// again without a pause, whatever the portal's clock does.
func (b *base) alarm(at time.Time) (due <-chan struct{}, stop func() bool) {
	rings := make(chan struct{})
	if at.IsZero() {
		return rings, func() bool { return true }
	}
	left := at.Sub(b.clock.Now())
	if left <= 0 {
		return rings, time.AfterFunc(time.Millisecond, func() { close(rings) }).Stop
	}
	ring := sync.OnceFunc(func() { close(rings) })
	stop = b.clock.AfterFunc(left, ring)
	if !b.clock.Now().Before(at) { // the clock was set while the alarm was
		ring()
	}
	return rings, stop
}

// RunDue does what is due now, and returns when the next deletion is (zero: none
// waits). It may stop at any point.
func (s *Requests) RunDue(ctx context.Context) (next time.Time, err error) {
	if _, err := (&Audit{s.base}).forgetTrails(ctx); err != nil {
		return next, err
	}
	if err := s.runScripts(ctx); err != nil {
		return next, err
	}
	for {
		now := s.clock.Now()
		var due []Request
		more := false
		err := s.read(ctx, Actor{}, func(t *txn) error {
			rows, err := requests.PageBy(t, "due", "", "", sweepPage)
			if err != nil {
				return err
			}
			next = time.Time{}
			for _, r := range rows {
				if r.Value.Due.After(now) {
					next = r.Value.Due
					break
				}
				due = append(due, r.Value)
			}
			more = len(due) == sweepPage
			return nil
		})
		if err != nil {
			return next, err
		}
		for _, r := range due {
			if err := s.deleteDue(ctx, r.ID); err != nil {
				return next, err
			}
		}
		if !more {
			return next, nil
		}
	}
}

// deleteDue deletes one account whose time has come. Where that cannot be, the
// request is held for somebody to look at.
func (s *Requests) deleteDue(ctx context.Context, id string) error {
	err := s.system(ctx, ActRequestCarryOut, id, func(t *txn, r Request, a Account) error {
		if r.State != RequestApproved || r.Due.After(t.now) {
			return errNothingDue
		}
		_, err := t.carryOut(r, a)
		return err
	})
	why, held := map[Code]HeldWhy{CodeLastOwner: HeldLastOwner, CodeHeld: HeldRetained}[CodeOf(err)]
	if !held {
		return err
	}
	return s.system(ctx, ActRequestHold, id, func(t *txn, r Request, a Account) error {
		if r.State != RequestApproved {
			return errNothingDue
		}
		_, err := t.holdRequest(r, a, why, "")
		return err
	})
}

// errNothingDue says that somebody else was faster.
var errNothingDue = errors.New("core: nothing is due")

// system runs an act of the portal itself on a request. What is no longer there,
// or no longer to be done, is passed over.
func (s *Requests) system(ctx context.Context, action Action, id string, fn func(*txn, Request, Account) error) error {
	e, err := s.newEntry(Actor{}, action, "")
	if err != nil {
		return asError(err)
	}
	e.Actor = ActorSystem
	err = s.db.Update(ctx, func(tx store.Tx) error {
		t := &txn{Tx: tx, base: s.base, now: e.At, entry: e}
		if err := t.load(); err != nil {
			return err
		}
		r, err := t.request(id)
		if CodeOf(err) == CodeNotFound {
			return errNothingDue
		} else if err != nil {
			return err
		}
		a, err := accounts.Get(t, r.Account)
		if errors.Is(err, store.ErrNotFound) {
			return errNothingDue
		} else if err != nil {
			return err
		}
		t.entry.About, t.entry.Target = a.ID, a.UserName
		t.note("request", r.ID)
		if err := fn(t, r, a); err != nil {
			return err
		}
		t.entry.Outcome = OutcomeDone
		return t.record(t.entry)
	})
	if errors.Is(err, errNothingDue) {
		return nil
	}
	return asError(err)
}

// forgottenTrail is an account whose entries are to be removed from the trail, in
// small transactions.
type forgottenTrail struct {
	Since   time.Time `json:"since"`
	Request string    `json:"request"`
	Entries int       `json:"entries,omitempty"` // taken out so far
}

// forgetting is keyed by the account's id.
var forgetting = store.NewTable[forgottenTrail]("forget", 1)
