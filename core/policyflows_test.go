package core_test

import (
	"testing"

	"postern/core"
	"postern/core/coretest"
)

// policyFlows are the acts of drafts and versions, for the tests in which the
// store fails.
func policyFlows() []flow {
	draft := core.PolicyDraft{Base: 2, Values: map[string]string{"session.max": "3"}, Reason: "not yet"}
	return []flow{
		{name: "keep a draft", prepare: func(_ *testing.T, p *coretest.Place) func() error {
			return func() error { return p.Policy.SaveDraft(ctx, p.Owner, draft) }
		}},
		{name: "drop a draft", prepare: func(t *testing.T, p *coretest.Place) func() error {
			ok(t, p.Policy.SaveDraft(ctx, p.Owner, draft))
			return func() error { return p.Policy.DropDraft(ctx, p.Owner) }
		}},
		{name: "put a draft in force", prepare: func(t *testing.T, p *coretest.Place) func() error {
			ok(t, p.Policy.SaveDraft(ctx, p.Owner, draft))
			return func() error {
				_, err := p.Policy.Set(ctx, p.Owner, core.PolicyChange{Values: draft.Values, Version: 2})
				return err
			}
		}},
		{name: "put a version back", prepare: func(_ *testing.T, p *coretest.Place) func() error {
			p.Set("session.max", "9")
			return func() error {
				_, err := p.Policy.Revert(ctx, p.Owner, 2, core.PolicyChange{Reason: "too many"})
				return err
			}
		}},
		{name: "a policy that locks out every owner", denied: true, prepare: func(t *testing.T, p *coretest.Place) func() error {
			return func() error {
				_, err := p.Policy.Set(ctx, p.Owner, core.PolicyChange{Accept: true, Values: map[string]string{
					"factors.enforce": "everybody", "factors.app": "off", "factors.key": "off", "factors.email": "on"}})
				return err
			}
		}},
	}
}
