package core_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
	"postern/store/memory"
	"postern/store/storetest"
)

// flow is one act. prepare makes what it needs, and returns it.
type flow struct {
	name    string
	fresh   bool // begins with a portal that is not set up
	prepare func(t *testing.T, p *coretest.Place) func() error
	denied  bool // it is refused in any case
	grows   bool // each try, also one that fails, adds to what it reads: every one begins anew
}

func flows() []flow {
	local := coretest.Local()
	return append([]flow{
		{name: "setup", fresh: true, prepare: func(_ *testing.T, p *coretest.Place) func() error {
			return func() error {
				_, err := p.Site.SetUp(ctx, coretest.From("192.0.2.1"), core.SetUpInput{Portal: "Lanterns", Code: setupCode(p), Owner: coretest.Input("lin")})
				return err
			}
		}},
		{name: "sign-up", prepare: func(_ *testing.T, p *coretest.Place) func() error {
			return func() error {
				_, err := p.Accounts.SignUp(ctx, coretest.From("192.0.2.1"), coretest.Input("noor"))
				return err
			}
		}},
		{name: "sign-up by invitation", prepare: func(t *testing.T, p *coretest.Place) func() error {
			p.Set("sign_up.mode", "invite", "sign_up.quota", "10")
			_, code, err := p.Invites.Create(ctx, p.Owner, 1, 1, "")
			ok(t, err)
			in := coretest.Input("noor")
			in.Invite = code
			return func() error { _, err := p.Accounts.SignUp(ctx, local, in); return err }
		}},
		{name: "sign-in", prepare: func(_ *testing.T, p *coretest.Place) func() error {
			p.Set("session.max", "1")
			_, _ = p.TrySignIn(local, "mara", strong)
			return func() error { _, err := p.TrySignIn(local, "mara", coretest.Password); return err }
		}},
		{name: "sign-in, wrong", denied: true, prepare: func(_ *testing.T, p *coretest.Place) func() error {
			return func() error { _, err := p.TrySignIn(coretest.From("192.0.2.1"), "mara", strong); return err }
		}},
		{name: "sign-in, suspended", denied: true, prepare: func(t *testing.T, p *coretest.Place) func() error {
			ok(t, p.Accounts.Suspend(ctx, p.Owner, "mara", ""))
			return func() error { _, err := p.TrySignIn(local, "mara", coretest.Password); return err }
		}},
		{name: "sign-in, to wait", denied: true, prepare: func(_ *testing.T, p *coretest.Place) func() error {
			for range 6 {
				_, _ = p.TrySignIn(local, "mara", strong)
			}
			return func() error { _, err := p.TrySignIn(local, "mara", coretest.Password); return err }
		}},
		{name: "captcha, wrong", denied: true, prepare: func(t *testing.T, p *coretest.Place) func() error {
			from := coretest.From("192.0.2.1")
			asked := must(p.Captchas.Ask(ctx, from, core.CaptchaSum))(t)
			return func() error { _, err := p.Captchas.Solve(ctx, from, asked.ID, "0"); return err }
		}},
		{name: "sign-in after a captcha", prepare: func(_ *testing.T, p *coretest.Place) func() error {
			p.Set("captcha.sign_in", "always")
			return func() error {
				from := coretest.From("192.0.2.1")
				asked, err := p.Captchas.Ask(ctx, from, core.CaptchaSum)
				if err != nil {
					return err
				}
				p.Clock.Advance(2 * time.Second)
				if from.Pass, err = p.Captchas.Solve(ctx, from, asked.ID, p.CaptchaAnswer(asked.ID)); err != nil {
					return err
				}
				_, err = p.TrySignIn(from, "mara", coretest.Password)
				return err
			}
		}},
		{name: "one-time code", prepare: func(t *testing.T, p *coretest.Place) func() error {
			code := issue(t, p, "mara")
			return func() error { _, err := p.Portal.SignIn.Code(ctx, local, "mara", code); return err }
		}},
		{name: "one-time code, wrong", denied: true, prepare: func(t *testing.T, p *coretest.Place) func() error {
			issue(t, p, "mara")
			return func() error { _, err := p.Portal.SignIn.Code(ctx, local, "mara", "AAAA-BBBB"); return err }
		}},
		{name: "forced change", prepare: func(t *testing.T, p *coretest.Place) func() error {
			progress := must(p.Portal.SignIn.Code(ctx, local, "mara", issue(t, p, "mara")))(t)
			return func() error {
				_, err := p.Portal.SignIn.ChangePassword(ctx, local, progress.Ticket, strong)
				return err
			}
		}},
		{name: "step-up", prepare: func(_ *testing.T, p *coretest.Place) func() error {
			_, _ = p.Portal.SignIn.StepUp(ctx, p.Owner, strong)
			return func() error { _, err := p.Portal.SignIn.StepUp(ctx, p.Owner, coretest.Password); return err }
		}},
		{name: "change", prepare: func(_ *testing.T, p *coretest.Place) func() error {
			p.SignIn("lin")
			return func() error {
				_, err := p.Accounts.ChangePassword(ctx, p.Owner, coretest.Password, strong, true)
				return err
			}
		}},
		{name: "profile", prepare: func(_ *testing.T, p *coretest.Place) func() error {
			return func() error {
				_, err := p.Accounts.UpdateProfile(ctx, p.Owner, core.ProfileInput{DisplayName: "Lin", Email: "new@example.org"})
				return err
			}
		}},
		{name: "end a session", prepare: func(_ *testing.T, p *coretest.Place) func() error {
			other := p.SignIn("lin")
			return func() error { return p.Sessions.End(ctx, p.Owner, other.Session) }
		}},
		{name: "end the others", prepare: func(_ *testing.T, p *coretest.Place) func() error {
			p.SignIn("lin")
			p.SignIn("lin")
			return func() error { _, err := p.Sessions.EndOthers(ctx, p.Owner); return err }
		}},
		{name: "end another's session, not allowed", denied: true, prepare: func(_ *testing.T, p *coretest.Place) func() error {
			me := p.SignIn("mara")
			return func() error { return p.Sessions.End(ctx, me, p.Owner.Session) }
		}},
		{name: "suspend", prepare: func(t *testing.T, p *coretest.Place) func() error {
			p.SignIn("mara")
			must(p.Portal.SignIn.Code(ctx, local, "mara", issue(t, p, "mara")))(t)
			return func() error { return p.Accounts.Suspend(ctx, p.Owner, "mara", "for now") }
		}},
		{name: "suspend the last owner", denied: true, prepare: func(_ *testing.T, p *coretest.Place) func() error {
			return func() error { return p.Accounts.Suspend(ctx, p.Owner, "lin", "") }
		}},
		{name: "suspend, not allowed", denied: true, prepare: func(_ *testing.T, p *coretest.Place) func() error {
			me := p.SignIn("mara")
			return func() error { return p.Accounts.Suspend(ctx, me, "lin", "") }
		}},
		{name: "policy", prepare: func(_ *testing.T, p *coretest.Place) func() error {
			return func() error {
				_, err := p.Policy.Set(ctx, p.Owner, core.PolicyChange{Values: map[string]string{"password.min_length": "14"}, Reason: "longer"})
				return err
			}
		}},
		{name: "invite", prepare: func(_ *testing.T, p *coretest.Place) func() error {
			return func() error {
				_, code, err := p.Invites.Create(ctx, p.Owner, 1, 1, "")
				if err != nil && code != "" {
					return nil // a refused invitation that has a code was allowed
				}
				return err
			}
		}},
		{name: "issue a code", prepare: func(_ *testing.T, p *coretest.Place) func() error {
			return func() error {
				_, code, err := noTime(p.Accounts.IssueCode(ctx, p.Owner, "mara"))
				if err != nil && code != "" {
					return nil
				}
				return err
			}
		}},
		{name: "unlock", prepare: func(_ *testing.T, p *coretest.Place) func() error {
			_, _ = p.TrySignIn(local, "mara", strong)
			return func() error { return p.Accounts.Unlock(ctx, p.Owner, "mara") }
		}},
		{name: "link a key", prepare: func(_ *testing.T, p *coretest.Place) func() error {
			return func() error { return p.Keys.Link(ctx, withKey(p.Owner, "SHA256:lin"), "") }
		}},
		{name: "recognise a key", prepare: func(t *testing.T, p *coretest.Place) func() error {
			ok(t, p.Keys.Link(ctx, withKey(p.Owner, "SHA256:lin"), ""))
			return func() error {
				a, err := p.Keys.Recognise(ctx, withKey(local, "SHA256:lin"))
				if err != nil && a.Account != "" {
					return nil
				}
				return err
			}
		}},
		{name: "read without a role", denied: true, prepare: func(_ *testing.T, p *coretest.Place) func() error {
			me := p.SignIn("mara")
			return func() error { _, err := p.Audit.List(ctx, me, "", "", 1); return err }
		}},
		{name: "recognise a suspended key", denied: true, prepare: func(t *testing.T, p *coretest.Place) func() error {
			ok(t, p.Keys.Link(ctx, withKey(p.SignIn("mara"), "SHA256:mara"), ""))
			ok(t, p.Accounts.Suspend(ctx, p.Owner, "mara", ""))
			return func() error {
				_, err := p.Keys.Recognise(ctx, withKey(coretest.From("192.0.2.1"), "SHA256:mara"))
				return err
			}
		}},
		{name: "the overview", prepare: func(_ *testing.T, p *coretest.Place) func() error {
			return func() error { _, err := p.Overview.Show(ctx, p.Owner, core.OverviewWeek); return err }
		}},
		{name: "resume", prepare: func(t *testing.T, p *coretest.Place) func() error {
			in := must(p.TrySignIn(local, "mara", coretest.Password))(t)
			return func() error {
				in, err := p.Portal.SignIn.Resume(ctx, local, in.Token)
				if err != nil && in != (core.SignedIn{}) {
					return nil
				}
				return err
			}
		}},
		{name: "resume, expired", denied: true, prepare: func(t *testing.T, p *coretest.Place) func() error {
			in := must(p.TrySignIn(local, "mara", coretest.Password))(t)
			p.Clock.Advance(time.Hour)
			return func() error { _, err := p.Portal.SignIn.Resume(ctx, local, in.Token); return err }
		}},
	}, slices.Concat(factorFlows(), legalFlows(), grantFlows(), appFlows(), auditFlows(), policyFlows(), peopleFlows(), requestFlows(), retentionFlows(), analysisFlows(), keyEndFlows(), dataFlows(), importFlows())...)
}

// setupCode makes a setup code; it needs no store.
func setupCode(p *coretest.Place) string {
	code, err := p.Site.SetupCode()
	if err != nil {
		panic(err)
	}
	return code
}

func noTime(code string, _ time.Time, err error) (struct{}, string, error) {
	return struct{}{}, code, err
}

// faultyPlace is a portal on a store of which calls may fail; unless fresh, it
// is set up and mara has an account.
func faultyPlace(t *testing.T, fresh bool) (*coretest.Place, *storetest.Faulty) {
	db := memory.New()
	t.Cleanup(func() { _ = db.Close() })
	faulty := storetest.NewFaulty(db)
	p := coretest.New(t, coretest.WithStore(faulty))
	if !fresh {
		p.SetUp("lin")
		p.LetIn()
		p.SignUp("mara")
	}
	return p, faulty
}

// The store fails at any one call of any flow: it is denied, nothing is half
// done, and afterwards it works. ASVS 16.5.2, 16.5.3
func TestTheStoreFailsAtAnyCall(t *testing.T) {
	for _, f := range flows() {
		if f.denied {
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			p, faulty := faultyPlace(t, f.fresh)
			run := f.prepare(t, p)
			before, done := substance(p.Dump()), countDone(p, f.fresh)
			for n := 1; ; n++ {
				if f.grows && n > 1 {
					p, faulty = faultyPlace(t, f.fresh)
					run = f.prepare(t, p)
					before, done = substance(p.Dump()), countDone(p, f.fresh)
				}
				faulty.FailAt(n)
				err := run()
				calls := faulty.Calls()
				faulty.FailAt(0)
				if calls < n { // no call failed this time: it works, whatever went before
					ok(t, err)
					if n < 4 {
						t.Fatalf("the flow makes only %d calls", calls)
					}
					return
				}
				refused(t, err, core.CodeInternal, "")
				same(t, before, substance(p.Dump()))
				if t.Failed() {
					t.Fatalf("call %d left something behind", n)
				}
				if p.UnderWay() != 0 {
					t.Fatalf("call %d: a try is still counted as under way", n)
				}
				if got := countDone(p, f.fresh); got != done {
					t.Fatalf("call %d failed, and the trail says that it was done", n)
				}
			}
		})
	}
}

// countDone counts what the trail says was done by anybody but the clock.
func countDone(p *coretest.Place, fresh bool) (n int) {
	if fresh {
		return 0 // nobody may read it before there is an owner
	}
	for _, e := range p.Trail() {
		if e.Outcome == core.OutcomeDone && e.Actor != core.ActorSystem {
			n++
		}
	}
	return n
}

// What is to be refused is refused whichever call fails.
func TestAFailingStoreLetsNobodyIn(t *testing.T) {
	for _, f := range flows() {
		if !f.denied {
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			for n, calls := 1, 1; n <= calls; n++ {
				p, faulty := faultyPlace(t, false)
				run := f.prepare(t, p)
				before := countDone(p, false)
				faulty.FailAt(n)
				err := run()
				calls = faulty.Calls()
				faulty.FailAt(0)
				var e *core.Error
				if !errors.As(err, &e) {
					t.Fatalf("call %d fails: %v is no refusal", n, err)
				}
				if countDone(p, false) != before {
					t.Fatalf("call %d fails, and the trail says that it was done", n)
				}
				p.Close()
			}
		})
	}
}

// Whatever fails while a portal is opened, it is not opened.
func TestOpeningFails(t *testing.T) {
	for n := 1; n <= 4; n++ {
		faulty := storetest.NewFaulty(memory.New())
		faulty.FailAt(n)
		p, err := core.New(ctx, core.Config{Store: faulty, Hasher: coretest.CheapHasher(t)})
		if err == nil {
			p.Close()
			t.Errorf("call %d fails, and the portal opens", n)
		}
	}
	_, err := core.New(ctx, core.Config{})
	if err == nil {
		t.Error("a portal without a store opens")
	}
}

// A screen whose session cannot be looked at is closed.
func TestAScreenInDoubtIsClosed(t *testing.T) {
	db := memory.New()
	t.Cleanup(func() { _ = db.Close() })
	faulty := storetest.NewFaulty(db)
	p := coretest.New(t, coretest.WithStore(faulty))
	p.SetUp("lin")
	live := must(p.Sessions.Attach(ctx, p.Owner))(t)
	p.Clock.Advance(29 * time.Minute)
	faulty.FailAt(1)
	p.Clock.Advance(time.Minute)
	select {
	case <-live.Ended(): // whichever look at it failed
	case <-time.After(20 * time.Second):
		t.Fatal("the screen stays open")
	}
	faulty.FailAt(0)
	_, err := p.Accounts.Profile(ctx, p.Owner)
	refused(t, err, core.CodeSessionEnded, "")
}
