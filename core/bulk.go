// The same act for many people at once. It is as many acts as there are people,
// each with its own transaction and entry in the trail, so that one which is
// refused stops no other; they run side by side, so that they share the commits
// of the store (docs/decisions/003).

package core

import (
	"context"
	"slices"
	"strings"
	"sync"
)

// Bounds of acts on many.
const (
	MaxBulk     = 10_000
	bulkWorkers = 64
)

// BulkKind is what is done to each of many accounts.
type BulkKind string

// The kinds.
const (
	BulkSuspend      BulkKind = "suspend"
	BulkResume       BulkKind = "resume"
	BulkUnlock       BulkKind = "unlock"
	BulkExpire       BulkKind = "expire"
	BulkResetFactors BulkKind = "reset-factors"
	BulkEndSessions  BulkKind = "end-sessions"
	BulkApprove      BulkKind = "approve"
	BulkReject       BulkKind = "reject"
	BulkDelete       BulkKind = "delete" // asks for it, by the policy's process
)

// BulkKinds returns every kind, in the order of the screens.
func BulkKinds() []BulkKind {
	return []BulkKind{BulkSuspend, BulkResume, BulkUnlock, BulkExpire, BulkResetFactors, BulkEndSessions, BulkApprove, BulkReject, BulkDelete}
}

// Reasoned says whether an act can be given a reason.
func (k BulkKind) Reasoned() bool { return k == BulkSuspend || k == BulkReject || k == BulkDelete }

// proved says whether an act asks for a proof that is fresh.
func (k BulkKind) proved() bool { return k == BulkResetFactors || k == BulkDelete }

// shutsOut says whether an act takes from its account the way in, so that whoever
// did it to themselves among others would be gone in the middle of it, or could
// not come back to what it left. The others may be done to oneself: sessions end
// but the actor's own, and an expired password is asked for with a new one.
func (k BulkKind) shutsOut() bool {
	return k == BulkSuspend || k == BulkResetFactors || k == BulkDelete
}

// BulkAct is an act on many accounts; Reason goes with those that are Reasoned.
type BulkAct struct {
	Kind   BulkKind
	Reason string
	// Confirm is typed where a deletion is at once and for good: the user name of the
	// one account, or how many there are.
	Confirm string
}

// BulkRefusal is one account to which it was not done, and why.
type BulkRefusal struct {
	User string `json:"user"` // as it was given
	Code Code   `json:"code"`
}

// BulkResult is what became of an act on many.
type BulkResult struct {
	Done    int
	Refused []BulkRefusal // in the order given
	Left    int           // that were not begun when it was stopped
}

// Each does act to every account of refs (user names, addresses or ids), each
// once, at most MaxBulk. Among several, what would shut the actor out is refused for
// their own account (CodeOwnAccount); alone it is what it would be without Each.
// progress, if not nil, is told after each how many are through; never by two at
// once. When ctx is done no more are begun, and those that were are finished: the
// result says exactly what was done, and there is no error.
// CodeDenied and CodeStepUp when the actor may do it to nobody, CodeNotFound for an
// unknown kind (field "act"), CodeRange for too many ("users"), CodeConfirm ("users",
// the rule is how many) for another Confirm where it is needed, and for a reason what
// Suspend refuses it with: then nothing was done. CodeSessionEnded and
// CodeUnavailable when it had to be given up on the way, with what was done.
func (s *Accounts) Each(ctx context.Context, actor Actor, act BulkAct, refs []string, progress func(done, total int)) (BulkResult, error) {
	if len(refs) > MaxBulk {
		return BulkResult{}, &Error{Code: CodeRange, Field: "users", Rule: "1-" + itoa(MaxBulk), N: MaxBulk}
	}
	refs = once(refs)
	sure := byNumber(act.Confirm, len(refs))
	if len(refs) == 1 {
		sure = byName(act.Confirm)
	}
	allowed := anybody
	if len(refs) > 1 && act.Kind.shutsOut() {
		allowed = notOneself
	}
	do, err := s.bulk(actor, act, sure, allowed)
	if err != nil {
		return BulkResult{}, err
	}
	err = s.read(ctx, actor, func(t *txn) error {
		if err := t.may(OpManageAccounts, ""); err != nil {
			return err
		}
		if _, err := cleanText("reason", act.Reason, MaxReason, false); err != nil {
			return err
		}
		if act.Kind == BulkDelete {
			if err := t.may(OpRequests, ""); err != nil {
				return err
			}
		}
		if act.Kind.proved() {
			if err := t.requireFresh(); err != nil {
				return err
			}
		}
		if act.Kind == BulkDelete && len(refs) > 1 && t.policy.Deletion.terms().AtOnce() {
			return sure(Account{})
		}
		return nil
	})
	if err != nil {
		return BulkResult{}, err
	}
	b := &bulkRun{refs: refs, progress: progress}
	var workers sync.WaitGroup
	for range min(bulkWorkers, len(b.refs)) {
		workers.Go(func() { b.work(ctx, do) })
	}
	workers.Wait()
	return b.result()
}

// anybody and notOneself are whom an act may be done to.
func anybody(*txn, Account) error { return nil }

func notOneself(t *txn, a Account) error {
	if t.actor.Account == a.ID {
		return refuse(CodeOwnAccount)
	}
	return nil
}

// bulk returns what is done to each of those who are allowed. Only acts that shut
// out ask that, and only a deletion asks whether whoever does it is sure.
func (s *Accounts) bulk(actor Actor, act BulkAct, sure consent, allowed func(*txn, Account) error) (func(ctx context.Context, ref string) error, error) {
	plain := map[BulkKind]func(context.Context, Actor, string) error{
		BulkResume: s.Resume, BulkUnlock: s.Unlock, BulkExpire: s.ExpirePassword, BulkApprove: s.Approve,
		BulkResetFactors: func(ctx context.Context, actor Actor, ref string) error {
			_, err := s.resetFactors(ctx, actor, ref, allowed)
			return err
		},
		BulkEndSessions: func(ctx context.Context, actor Actor, ref string) error {
			_, err := (&Sessions{s.base}).EndAll(ctx, actor, ref)
			return err
		},
		BulkSuspend: func(ctx context.Context, actor Actor, ref string) error {
			return s.suspend(ctx, actor, ref, act.Reason, allowed)
		},
		BulkReject: func(ctx context.Context, actor Actor, ref string) error { return s.Reject(ctx, actor, ref, act.Reason) },
		BulkDelete: func(ctx context.Context, actor Actor, ref string) error {
			_, err := (&Requests{s.base}).makeFor(ctx, actor, ref, act.Reason, sure, allowed)
			return err
		},
	}
	do, ok := plain[act.Kind]
	if !ok {
		return nil, refuseField(CodeNotFound, "act")
	}
	return func(ctx context.Context, ref string) error { return do(ctx, actor, ref) }, nil
}

// byNumber is the consent of whoever types how many go for good: CodeConfirm (field
// "users") for another number.
func byNumber(typed string, n int) consent {
	return func(Account) error {
		if strings.TrimSpace(typed) != itoa(n) {
			return &Error{Code: CodeConfirm, Field: "users", Rule: itoa(n)}
		}
		return nil
	}
}

// once returns refs without those that were given twice.
func once(refs []string) []string {
	seen := make(map[string]bool, len(refs))
	return slices.DeleteFunc(slices.Clone(refs), func(ref string) bool {
		was := seen[ref]
		seen[ref] = true
		return was
	})
}

// bulkRun is an act on many that is under way.
type bulkRun struct {
	refs     []string
	progress func(done, total int)

	mu      sync.Mutex
	next    int // the first that was not begun
	through int
	failed  error // why it is given up
	refused map[int]Code
}

// work does it to one after the other until there is none left.
func (b *bulkRun) work(ctx context.Context, do func(context.Context, string) error) {
	for {
		b.mu.Lock()
		i := b.next
		if i >= len(b.refs) || ctx.Err() != nil || b.failed != nil {
			b.mu.Unlock()
			return
		}
		b.next++
		b.mu.Unlock()
		// What has begun is finished, or nobody could say whether it was done.
		b.finished(i, do(context.WithoutCancel(ctx), b.refs[i]))
	}
}

// finished notes what became of one.
func (b *bulkRun) finished(i int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.through++
	if err != nil {
		code := CodeOf(err)
		if b.refused == nil {
			b.refused = map[int]Code{}
		}
		b.refused[i] = code
		if b.failed == nil && (code == CodeSessionEnded || code == CodeUnavailable || code == CodeInternal) {
			b.failed = err
		}
	}
	if b.progress != nil {
		b.progress(b.through, len(b.refs))
	}
}

func (b *bulkRun) result() (BulkResult, error) {
	out := BulkResult{Done: b.through - len(b.refused), Left: len(b.refs) - b.next}
	for i, ref := range b.refs {
		if code, ok := b.refused[i]; ok {
			out.Refused = append(out.Refused, BulkRefusal{ref, code})
		}
	}
	return out, b.failed
}
