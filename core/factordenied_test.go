// The acts of second factors that are refused, whatever fails.

package core_test

import (
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

func deniedFactorFlows() []flow {
	local := coretest.Local()
	return []flow{
		{name: "sign in by an app, wrong", denied: true, prepare: func(t *testing.T, p *coretest.Place) func() error {
			_, a, _, ticket := atTheFactor(t, p)
			wrong := a.wrong(p)
			return func() error { return only(p.Portal.SignIn.Factor(ctx, local, ticket, a.ID, wrong)) }
		}},
		{name: "sign in by an app, used", denied: true, prepare: func(t *testing.T, p *coretest.Place) func() error {
			_, a, code, ticket := atTheFactor(t, p)
			ok(t, tries(t, p, local, "mara", a.ID, code))
			return func() error { return only(p.Portal.SignIn.Factor(ctx, local, ticket, a.ID, code)) }
		}},
		{name: "sign in by an app, of another time", denied: true, prepare: func(t *testing.T, p *coretest.Place) func() error {
			_, a, _, ticket := atTheFactor(t, p)
			code := a.at(p.Clock.Now().Add(5 * time.Minute))
			return func() error { return only(p.Portal.SignIn.Factor(ctx, local, ticket, a.ID, code)) }
		}},
		{name: "sign in by an app, the hundredth failure", denied: true, prepare: func(t *testing.T, p *coretest.Place) func() error {
			_, a, _, _ := atTheFactor(t, p)
			p.Set("lockout.failures", "50", "lockout.wait_seconds", "1", "lockout.max_wait_minutes", "1")
			for range core.MaxCredentialFailures - 1 {
				p.Clock.Advance(2 * time.Minute)
				_ = tries(t, p, local, "mara", a.ID, a.wrong(p))
			}
			p.Clock.Advance(2 * time.Minute)
			ticket, wrong := begin(t, p, local, "mara", core.StepFactor).Ticket, a.wrong(p)
			return func() error { return only(p.Portal.SignIn.Factor(ctx, local, ticket, a.ID, wrong)) }
		}},
		{name: "sign in by a sent code, wrong", denied: true, prepare: func(t *testing.T, p *coretest.Place) func() error {
			phone, code, ticket := withSentCode(t, p)
			return func() error { return only(p.Portal.SignIn.Factor(ctx, local, ticket, phone.ID, otherThan(code))) }
		}},
		{name: "sign in by a recovery code, wrong", denied: true, prepare: func(t *testing.T, p *coretest.Place) func() error {
			me, _, _, ticket := atTheFactor(t, p)
			save(t, p, me)
			return func() error { return only(p.Portal.SignIn.Recover(ctx, local, ticket, "AAAA-BBBB-CCCC-DDDD")) }
		}},
		{name: "sign in by a key of nobody", denied: true, prepare: func(_ *testing.T, p *coretest.Place) func() error {
			p.Set("factors.key_stands", "password")
			return func() error { return only(p.Portal.SignIn.Key(ctx, withKey(local, "SHA256:eve"))) }
		}},
		{name: "step up by the password beside an app", denied: true, prepare: func(t *testing.T, p *coretest.Place) func() error {
			me, _, _, _ := atTheFactor(t, p)
			return func() error { return only(p.Portal.SignIn.StepUp(ctx, me, coretest.Password)) }
		}},
		{name: "change the password beside an app", denied: true, prepare: func(t *testing.T, p *coretest.Place) func() error {
			me, _, _, _ := atTheFactor(t, p)
			p.Clock.Advance(core.StepUpFor + 1)
			return func() error { return only(p.Accounts.ChangePassword(ctx, me, coretest.Password, strong, false)) }
		}},
		{name: "put off what is due", denied: true, prepare: func(t *testing.T, p *coretest.Place) func() error {
			ticket := atEnrolment(t, p, "0")
			return func() error { return only(p.Portal.SignIn.Later(ctx, local, ticket)) }
		}},
		{name: "confirm with a wrong code", denied: true, prepare: func(t *testing.T, p *coretest.Place) func() error {
			e := must(p.Factors.Begin(ctx, p.Owner, "", core.FactorApp, ""))(t)
			wrong := app{secret: secretOf(t, e)}.wrong(p)
			return func() error { return only(p.Factors.Confirm(ctx, p.Owner, "", e.ID, wrong, "phone")) }
		}},
		{name: "confirm another's", denied: true, prepare: func(t *testing.T, p *coretest.Place) func() error {
			e := must(p.Factors.Begin(ctx, p.Owner, "", core.FactorApp, ""))(t)
			code, me := app{secret: secretOf(t, e)}.at(p.Clock.Now()), p.SignIn("mara")
			return func() error { return only(p.Factors.Confirm(ctx, me, "", e.ID, code, "phone")) }
		}},
		{name: "remove the last factor", denied: true, prepare: func(t *testing.T, p *coretest.Place) func() error {
			a := enrolApp(t, p, p.Owner, "phone")
			p.Set("factors.enforce", "everybody")
			return func() error { return p.Factors.Remove(ctx, p.Owner, a.ID) }
		}},
		{name: "save codes of another seed", denied: true, prepare: func(t *testing.T, p *coretest.Place) func() error {
			must(p.Factors.BeginRecovery(ctx, p.Owner))(t)
			return func() error { return p.Factors.SaveRecovery(ctx, p.Owner, "AAAA-BBBB-CCCC-DDDD") }
		}},
		{name: "switch a method off that somebody needs", denied: true, prepare: func(t *testing.T, p *coretest.Place) func() error {
			enrolApp(t, p, p.SignIn("mara"), "phone")
			return func() error {
				return only(p.Policy.Set(ctx, p.Owner, core.PolicyChange{Values: map[string]string{"factors.app": "off"}}))
			}
		}},
		{name: "mute a security notice", denied: true, prepare: func(_ *testing.T, p *coretest.Place) func() error {
			return func() error {
				return p.Notices.SetWish(ctx, p.Owner, core.NoticeFactorAdded, core.ChannelMail, false)
			}
		}},
	}
}
