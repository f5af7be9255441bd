// The acts of contacts and agreements, for the tests in which the store fails at
// any call and in which an act runs twice (fault_test.go, rerun_test.go).

package core_test

import (
	"testing"

	"postern/core"
	"postern/core/coretest"
)

// A sign-in of mara that asks for an agreement.
func atTheAgreement(t *testing.T, p *coretest.Place) (a core.Agreement, ticket string) {
	t.Helper()
	a = publish(t, p, terms(p))
	return a, begin(t, p, coretest.Local(), "mara", core.StepAgreement).Ticket
}

func legalFlows() []flow {
	local := coretest.Local()
	return []flow{
		{name: "set a contact", prepare: func(t *testing.T, p *coretest.Place) func() error {
			return func() error { return only(p.Contacts.Set(ctx, p.Owner, core.ContactDPO, officer())) }
		}},
		{name: "clear a contact", prepare: func(t *testing.T, p *coretest.Place) func() error {
			must(p.Contacts.Set(ctx, p.Owner, core.ContactDPO, officer()))(t)
			return func() error { return p.Contacts.Clear(ctx, p.Owner, core.ContactDPO) }
		}},
		{name: "publish an agreement", prepare: func(t *testing.T, p *coretest.Place) func() error {
			return func() error { return only(p.Agreements.Publish(ctx, p.Owner, terms(p))) }
		}},
		{name: "publish a version", prepare: func(t *testing.T, p *coretest.Place) func() error {
			publish(t, p, terms(p))
			return func() error { return only(p.Agreements.Publish(ctx, p.Owner, terms(p))) }
		}},
		{name: "withdraw an agreement", prepare: func(t *testing.T, p *coretest.Place) func() error {
			a := publish(t, p, terms(p))
			return func() error { return p.Agreements.Withdraw(ctx, p.Owner, a.ID) }
		}},
		{name: "sign in to an agreement", prepare: func(t *testing.T, p *coretest.Place) func() error {
			publish(t, p, terms(p))
			return func() error { return only(p.Portal.SignIn.Password(ctx, local, "mara", coretest.Password)) }
		}},
		{name: "agree", prepare: func(t *testing.T, p *coretest.Place) func() error {
			a, ticket := atTheAgreement(t, p)
			return func() error { return only(p.Portal.SignIn.Agree(ctx, local, ticket, []string{a.Ref()})) }
		}},
		{name: "agree to nothing", denied: true, prepare: func(t *testing.T, p *coretest.Place) func() error {
			_, ticket := atTheAgreement(t, p)
			return func() error { return only(p.Portal.SignIn.Agree(ctx, local, ticket, nil)) }
		}},
		{name: "decline", prepare: func(t *testing.T, p *coretest.Place) func() error {
			_, ticket := atTheAgreement(t, p)
			return func() error { return p.Portal.SignIn.Decline(ctx, local, ticket) }
		}},
		{name: "sign up and agree", prepare: func(t *testing.T, p *coretest.Place) func() error {
			in := coretest.Input("noor")
			in.Agreed = []string{publish(t, p, terms(p)).Ref()}
			return func() error { return only(p.Accounts.SignUp(ctx, local, in)) }
		}},
		{name: "sign up without agreeing", denied: true, prepare: func(t *testing.T, p *coretest.Place) func() error {
			publish(t, p, terms(p))
			return func() error { return only(p.Accounts.SignUp(ctx, local, coretest.Input("noor"))) }
		}},
		{name: "publish, not allowed", denied: true, prepare: func(t *testing.T, p *coretest.Place) func() error {
			me := p.SignIn("mara")
			return func() error { return only(p.Agreements.Publish(ctx, me, terms(p))) }
		}},
	}
}
