// The acts of second factors, for the tests in which the store fails at any call
// and in which an act runs twice (fault_test.go, rerun_test.go).

package core_test

import (
	"slices"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

// only drops what an act returns beside its error.
func only[T any](_ T, err error) error { return err }

// mara, an app, its next code, and a sign-in that asks for it.
func atTheFactor(t *testing.T, p *coretest.Place) (me core.Actor, a app, code, ticket string) {
	t.Helper()
	me = p.SignIn("mara")
	a = enrolApp(t, p, me, "phone")
	code = a.next(p)
	return me, a, code, begin(t, p, coretest.Local(), "mara", core.StepFactor).Ticket
}

// mara, her phone, and a code that was sent there for a sign-in.
func withSentCode(t *testing.T, p *coretest.Place) (phone core.Factor, code, ticket string) {
	t.Helper()
	withMessages(p)
	phone = enrolAddress(t, p, p.SignIn("mara"), core.FactorSMS, maraPhone)
	ticket = begin(t, p, coretest.Local(), "mara", core.StepFactor).Ticket
	must(p.Portal.SignIn.SendCode(ctx, coretest.Local(), ticket, phone.ID))(t)
	return phone, codeTo(t, p, maraPhone), ticket
}

// A sign-in of mara that must enrol.
func atEnrolment(t *testing.T, p *coretest.Place, days string) (ticket string) {
	t.Helper()
	p.Set("factors.enforce", "everybody", "factors.days", days)
	return begin(t, p, coretest.Local(), "mara", core.StepEnrol).Ticket
}

func factorFlows() []flow {
	return slices.Concat(enrolFlows(), proveFlows(), protectionFlows(), deniedFactorFlows())
}

func enrolFlows() []flow {
	local := coretest.Local()
	return []flow{
		{name: "begin an app", prepare: func(_ *testing.T, p *coretest.Place) func() error {
			return func() error { return only(p.Factors.Begin(ctx, p.Owner, "", core.FactorApp, "")) }
		}},
		{name: "begin a phone", prepare: func(_ *testing.T, p *coretest.Place) func() error {
			p.Set("factors.sms", "on", "messages.sms_allowance", "1") // so that owners are warned
			return func() error { return only(p.Factors.Begin(ctx, p.Owner, "", core.FactorSMS, maraPhone)) }
		}},
		{name: "confirm an app", prepare: func(t *testing.T, p *coretest.Place) func() error {
			confirm(t, p, p.Owner)
			e := must(p.Factors.Begin(ctx, p.Owner, "", core.FactorApp, ""))(t)
			code := app{secret: secretOf(t, e)}.at(p.Clock.Now())
			return func() error { return only(p.Factors.Confirm(ctx, p.Owner, "", e.ID, code, "phone")) }
		}},
		{name: "confirm an address as a factor", prepare: func(t *testing.T, p *coretest.Place) func() error {
			withMessages(p)
			e := must(p.Factors.Begin(ctx, p.Owner, "", core.FactorEmail, "lin@example.org"))(t)
			code := codeTo(t, p, "lin@example.org")
			return func() error { return only(p.Factors.Confirm(ctx, p.Owner, "", e.ID, code, "")) }
		}},
		{name: "confirm one's own address", prepare: func(t *testing.T, p *coretest.Place) func() error {
			e := must(p.Factors.BeginAddress(ctx, p.Owner))(t)
			code := codeTo(t, p, "lin@example.org")
			return func() error { return only(p.Factors.Confirm(ctx, p.Owner, "", e.ID, code, "")) }
		}},
		{name: "begin one's own address", prepare: func(_ *testing.T, p *coretest.Place) func() error {
			return func() error { return only(p.Factors.BeginAddress(ctx, p.Owner)) }
		}},
		{name: "send again", prepare: func(t *testing.T, p *coretest.Place) func() error {
			e := must(p.Factors.BeginAddress(ctx, p.Owner))(t)
			p.Clock.Advance(time.Minute)
			return func() error { return only(p.Factors.Resend(ctx, p.Owner, "", e.ID)) }
		}},
		{name: "abandon", prepare: func(t *testing.T, p *coretest.Place) func() error {
			e := must(p.Factors.Begin(ctx, p.Owner, "", core.FactorApp, ""))(t)
			return func() error { return p.Factors.Abandon(ctx, p.Owner, "", e.ID) }
		}},
		{name: "begin in a sign-in", prepare: func(t *testing.T, p *coretest.Place) func() error {
			ticket := atEnrolment(t, p, "0")
			return func() error { return only(p.Factors.Begin(ctx, local, ticket, core.FactorApp, "")) }
		}},
		{name: "confirm in a sign-in", prepare: func(t *testing.T, p *coretest.Place) func() error {
			ticket := atEnrolment(t, p, "0")
			e := must(p.Factors.Begin(ctx, local, ticket, core.FactorApp, ""))(t)
			code := app{secret: secretOf(t, e)}.at(p.Clock.Now())
			return func() error { return only(p.Factors.Confirm(ctx, local, ticket, e.ID, code, "phone")) }
		}},
		{name: "link a key in a sign-in", prepare: func(t *testing.T, p *coretest.Place) func() error {
			ticket := atEnrolment(t, p, "0")
			return func() error {
				return only(p.Portal.SignIn.EnrolKey(ctx, withKey(local, "SHA256:mara"), ticket, ""))
			}
		}},
		{name: "put it off", prepare: func(t *testing.T, p *coretest.Place) func() error {
			ticket := atEnrolment(t, p, "7")
			return func() error { return only(p.Portal.SignIn.Later(ctx, local, ticket)) }
		}},
		{name: "sign up and enrol", prepare: func(_ *testing.T, p *coretest.Place) func() error {
			p.Set("factors.enforce", "everybody", "factors.days", "0")
			return func() error { return only(p.Accounts.SignUp(ctx, here, coretest.Input("noor"))) }
		}},
	}
}

func proveFlows() []flow {
	local := coretest.Local()
	return []flow{
		{name: "sign in, up to the factor", prepare: func(t *testing.T, p *coretest.Place) func() error {
			enrolApp(t, p, p.SignIn("mara"), "phone")
			return func() error {
				progress, err := p.Portal.SignIn.Password(ctx, local, "mara", coretest.Password)
				if err != nil && progress.Ticket == "" && progress.Step == "" {
					return err
				}
				stands(t, progress, core.StepFactor)
				return err
			}
		}},
		{name: "sign in by an app", prepare: func(t *testing.T, p *coretest.Place) func() error {
			_, a, code, ticket := atTheFactor(t, p)
			return func() error { return only(p.Portal.SignIn.Factor(ctx, local, ticket, a.ID, code)) }
		}},
		{name: "send a code", prepare: func(t *testing.T, p *coretest.Place) func() error {
			phone, _, ticket := withSentCode(t, p)
			p.Clock.Advance(time.Minute)
			return func() error { return only(p.Portal.SignIn.SendCode(ctx, local, ticket, phone.ID)) }
		}},
		{name: "sign in by a sent code", prepare: func(t *testing.T, p *coretest.Place) func() error {
			phone, code, ticket := withSentCode(t, p)
			return func() error { return only(p.Portal.SignIn.Factor(ctx, local, ticket, phone.ID, code)) }
		}},
		{name: "sign in by a recovery code", prepare: func(t *testing.T, p *coretest.Place) func() error {
			me, _, _, ticket := atTheFactor(t, p)
			codes := save(t, p, me)
			return func() error { return only(p.Portal.SignIn.Recover(ctx, local, ticket, codes[0])) }
		}},
		{name: "sign in with a key", prepare: func(t *testing.T, p *coretest.Place) func() error {
			ok(t, p.Keys.Link(ctx, withKey(p.SignIn("mara"), "SHA256:mara"), ""))
			return func() error { return only(p.TrySignIn(withKey(local, "SHA256:mara"), "mara", coretest.Password)) }
		}},
		{name: "sign in by a key", prepare: func(t *testing.T, p *coretest.Place) func() error {
			p.Set("factors.key_stands", "password")
			ok(t, p.Keys.Link(ctx, withKey(p.SignIn("mara"), "SHA256:mara"), ""))
			return func() error { return only(p.Portal.SignIn.Key(ctx, withKey(local, "SHA256:mara"))) }
		}},
		{name: "offer a key", prepare: func(t *testing.T, p *coretest.Place) func() error {
			p.Set("factors.key_stands", "password")
			ok(t, p.Keys.Link(ctx, withKey(p.SignIn("mara"), "SHA256:mara"), ""))
			return func() error {
				offer, err := p.Portal.SignIn.Offer(ctx, withKey(local, "SHA256:mara"))
				if err != nil && offer.UserName != "" {
					return nil
				}
				return err
			}
		}},
		{name: "sign in from somewhere new", prepare: func(t *testing.T, p *coretest.Place) func() error {
			confirm(t, p, p.Owner)
			return func() error { return only(p.TrySignIn(here, "lin", coretest.Password)) }
		}},
		{name: "step up by an app", prepare: func(t *testing.T, p *coretest.Place) func() error {
			me, a, code, _ := atTheFactor(t, p)
			return func() error { return only(p.Portal.SignIn.StepUpFactor(ctx, me, a.ID, code)) }
		}},
		{name: "step up by a recovery code", prepare: func(t *testing.T, p *coretest.Place) func() error {
			me, _, _, _ := atTheFactor(t, p)
			codes := save(t, p, me)
			return func() error { return only(p.Portal.SignIn.StepUpRecovery(ctx, me, codes[0])) }
		}},
		{name: "the ways to step up", prepare: func(t *testing.T, p *coretest.Place) func() error {
			me, _, _, _ := atTheFactor(t, p)
			return func() error {
				ways, err := p.Portal.SignIn.StepUpWays(ctx, me)
				if len(ways) > 0 && ways[0].Kind == core.FactorPassword {
					t.Error("the password is asked for")
				}
				return err
			}
		}},
	}
}

func protectionFlows() []flow {
	return []flow{
		{name: "remove a factor", prepare: func(t *testing.T, p *coretest.Place) func() error {
			confirm(t, p, p.Owner)
			a := enrolApp(t, p, p.Owner, "phone")
			enrolApp(t, p, p.Owner, "tablet")
			begin(t, p, coretest.Local(), "lin", core.StepFactor)
			p.Set("factors.enforce", "everybody")
			return func() error { return p.Factors.Remove(ctx, p.Owner, a.ID) }
		}},
		{name: "rename a factor", prepare: func(t *testing.T, p *coretest.Place) func() error {
			a := enrolApp(t, p, p.Owner, "phone")
			return func() error { return p.Factors.Rename(ctx, p.Owner, a.ID, "old phone") }
		}},
		{name: "another default", prepare: func(t *testing.T, p *coretest.Place) func() error {
			enrolApp(t, p, p.Owner, "phone")
			a := enrolApp(t, p, p.Owner, "tablet")
			return func() error { return p.Factors.SetDefault(ctx, p.Owner, a.ID) }
		}},
		{name: "remove somebody's factor", prepare: func(t *testing.T, p *coretest.Place) func() error {
			a := enrolApp(t, p, p.SignIn("mara"), "phone")
			return func() error { return p.Factors.RemoveOf(ctx, p.Owner, "mara", a.ID) }
		}},
		{name: "reset factors", prepare: func(t *testing.T, p *coretest.Place) func() error {
			me, _, _, _ := atTheFactor(t, p)
			save(t, p, me)
			ok(t, p.Keys.Link(ctx, withKey(me, "SHA256:mara"), ""))
			return func() error { return only(p.Accounts.ResetFactors(ctx, p.Owner, "mara")) }
		}},
		{name: "show recovery codes", prepare: func(_ *testing.T, p *coretest.Place) func() error {
			return func() error {
				sheet, err := p.Factors.BeginRecovery(ctx, p.Owner)
				if err != nil && sheet.Codes != nil {
					return nil
				}
				return err
			}
		}},
		{name: "fetch recovery codes", prepare: func(t *testing.T, p *coretest.Place) func() error {
			sheet := must(p.Factors.BeginRecovery(ctx, p.Owner))(t)
			return func() error {
				codes, err := p.Factors.FetchRecovery(ctx, p.Owner, sheet.Seed)
				if err != nil && codes != nil {
					return nil
				}
				return err
			}
		}},
		{name: "save recovery codes", prepare: func(t *testing.T, p *coretest.Place) func() error {
			confirm(t, p, p.Owner)
			sheet := must(p.Factors.BeginRecovery(ctx, p.Owner))(t)
			return func() error { return p.Factors.SaveRecovery(ctx, p.Owner, sheet.Seed) }
		}},
		{name: "add a key", prepare: func(t *testing.T, p *coretest.Place) func() error {
			line := edLine(t)
			return func() error { return only(p.Keys.Add(ctx, p.Owner, line, "laptop")) }
		}},
		{name: "rename a key", prepare: func(t *testing.T, p *coretest.Place) func() error {
			ok(t, p.Keys.Link(ctx, withKey(p.Owner, "SHA256:lin"), ""))
			return func() error { return p.Keys.Rename(ctx, p.Owner, "SHA256:lin", "laptop") }
		}},
		{name: "remove a key", prepare: func(t *testing.T, p *coretest.Place) func() error {
			enrolApp(t, p, p.Owner, "phone")
			ok(t, p.Keys.Link(ctx, withKey(p.Owner, "SHA256:lin"), ""))
			p.Set("factors.enforce", "admins")
			return func() error { return p.Keys.Remove(ctx, p.Owner, "SHA256:lin", false) }
		}},
		{name: "mute a notice", prepare: func(_ *testing.T, p *coretest.Place) func() error {
			return func() error {
				return p.Notices.SetWish(ctx, p.Owner, core.NoticeNewDevice, core.ChannelMail, false)
			}
		}},
		{name: "mark as read", prepare: func(t *testing.T, p *coretest.Place) func() error {
			enrolApp(t, p, p.Owner, "phone")
			return func() error { return p.Notices.MarkRead(ctx, p.Owner) }
		}},
		{name: "the inbox", prepare: func(t *testing.T, p *coretest.Place) func() error {
			enrolApp(t, p, p.Owner, "phone")
			return func() error { return only(p.Notices.Mine(ctx, p.Owner, "", "", "", 9)) }
		}},
		{name: "one's own protection", prepare: func(t *testing.T, p *coretest.Place) func() error {
			enrolApp(t, p, p.Owner, "phone")
			p.Set("factors.enforce", "everybody")
			return func() error { return only(p.Factors.Mine(ctx, p.Owner)) }
		}},
		{name: "switch a method off", prepare: func(t *testing.T, p *coretest.Place) func() error {
			enrolApp(t, p, p.SignIn("mara"), "phone")
			return func() error {
				return only(p.Policy.Set(ctx, p.Owner, core.PolicyChange{Values: map[string]string{"factors.app": "off"}, Accept: true}))
			}
		}},
		{name: "who loses", prepare: func(t *testing.T, p *coretest.Place) func() error {
			enrolApp(t, p, p.SignIn("mara"), "phone")
			return func() error {
				lost, err := p.Policy.Losing(ctx, p.Owner, map[string]string{"factors.app": "off"})
				if err == nil && lost.Count != 1 {
					t.Errorf("%d lose it", lost.Count)
				}
				return err
			}
		}},
	}
}
