// Drafts of the policy: what somebody wants to change and has not put in force
// yet. One for each who may change it, sealed as everything is.

package core

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"postern/store"
)

// PolicyDraft is a change that was put aside.
type PolicyDraft struct {
	Base   int               `json:"base"` // the version that it was made from
	Values map[string]string `json:"values"`
	Reason string            `json:"reason,omitempty"`
	Saved  time.Time         `json:"saved"`
}

// policyDrafts is keyed by the account's id, or ActorConsole.
var policyDrafts = store.NewTable[PolicyDraft]("policydraft", 1)

// maxDraftValue bounds a value in a draft, in bytes.
const maxDraftValue = 16 << 10

func draftOf(a Actor) string {
	if a.Account == "" {
		return ActorConsole
	}
	return a.Account
}

// SaveDraft puts a change aside for whoever makes it, in the place of an earlier
// one. The rules between settings are not checked: a draft need not be finished.
// CodeDenied; CodeNotFound for an unknown path; CodeTooLong and the other
// refusals of a reason.
func (s *Policies) SaveDraft(ctx context.Context, actor Actor, d PolicyDraft) error {
	return s.do(ctx, actor, ActPolicyDraft, "", func(t *txn) error {
		if err := t.may(OpChangePolicy, ""); err != nil {
			return err
		}
		reason, err := cleanText("reason", d.Reason, MaxReason, false)
		if err != nil {
			return err
		}
		for _, path := range slices.Sorted(maps.Keys(d.Values)) {
			if _, err := settingByPath(path); err != nil {
				return err
			}
			if len(d.Values[path]) > maxDraftValue {
				return &Error{Code: CodeTooLong, Field: path, N: maxDraftValue}
			}
		}
		if d.Base < 1 || d.Base > t.policy.Version {
			return refuseField(CodeNotFound, "version")
		}
		t.entry.Target = policyVersion(d.Base)
		return policyDrafts.Put(t, draftOf(actor), PolicyDraft{Base: d.Base, Values: maps.Clone(d.Values), Reason: reason, Saved: t.now})
	})
}

// Draft returns the actor's own draft; found is false when there is none.
// CodeDenied.
func (s *Policies) Draft(ctx context.Context, actor Actor) (d PolicyDraft, found bool, err error) {
	err = s.read(ctx, actor, func(t *txn) error {
		if err := t.may(OpChangePolicy, ""); err != nil {
			return err
		}
		d, err = policyDrafts.Get(t, draftOf(actor))
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		found = err == nil
		return err
	})
	return d, found, err
}

// DropDraft throws the actor's own draft away. CodeDenied, CodeNotFound.
func (s *Policies) DropDraft(ctx context.Context, actor Actor) error {
	return s.do(ctx, actor, ActPolicyDraft, "", func(t *txn) error {
		if err := t.may(OpChangePolicy, ""); err != nil {
			return err
		}
		d, err := policyDrafts.Get(t, draftOf(actor))
		if err != nil {
			return notFound(err, "draft")
		}
		t.entry.Before = d.Values
		return policyDrafts.Delete(t, draftOf(actor))
	})
}
