// A second factor that the policy demands: of whom, by when, and what a sign-in
// does until then and after.

package core_test

import (
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

const day = 24 * time.Hour

// long lets sessions live through a test that takes weeks.
func long(p *coretest.Place) { p.Set("session.idle_minutes", "0", "session.lifetime", "12 months") }

// demanded says what an account's own page says of the demand.
func demanded(t testing.TB, p *coretest.Place, a core.Actor) (by time.Time, demand bool) {
	t.Helper()
	mine := must(p.Factors.Mine(ctx, a))(t)
	check := must(p.Accounts.CheckUp(ctx, a))(t)
	if check.Must != mine.Must || !check.MustBy.Equal(mine.By) {
		t.Errorf("the check-up says %v, %v; the page %v, %v", check.Must, check.MustBy, mine.Must, mine.By)
	}
	return mine.By, mine.Must
}

// Days are counted from when a factor was demanded of somebody. ASVS 6.3.3
func TestWhoMustHaveAFactorAndByWhen(t *testing.T) {
	p := coretest.Open(t)
	long(p)
	old := p.SignUp("old")
	p.Clock.Advance(100 * day)
	want := func(what string, a core.Actor, by time.Time) {
		t.Helper()
		if got, demand := demanded(t, p, a); demand == by.IsZero() || !got.Equal(by) {
			t.Errorf("%s: demanded %v by %v, want %v", what, demand, got, by)
		}
	}
	never := time.Time{}
	want("nobody: a person", old, never)
	want("nobody: an owner", p.Owner, never)

	admins := p.Clock.Now()
	p.Set("factors.enforce", "admins")
	want("admins: a person", old, never)
	want("admins: an owner", p.Owner, admins.Add(7*day))
	p.Clock.Advance(30 * day)
	promoted := p.SignUp("promoted")
	ok(t, core.GrantRole(p.Portal, promoted.Account, core.RoleAuditor, p.Clock.Now().Add(200*day)))
	want("admins: a new auditor", promoted, p.Clock.Now().Add(7*day))
	p.Set("factors.days", "3") // counts at once, for everybody
	want("fewer days: an owner", p.Owner, admins.Add(3*day))
	want("fewer days: a new auditor", promoted, p.Clock.Now().Add(3*day))
	byRole := p.Clock.Now()

	p.Clock.Advance(10 * day)
	everybody := p.Clock.Now()
	p.Set("factors.enforce", "everybody")
	want("everybody: a person", old, everybody.Add(3*day))
	want("everybody: an owner, of whom it was demanded before", p.Owner, admins.Add(3*day))
	want("everybody: an auditor, of whom it was demanded before", promoted, byRole.Add(3*day))
	p.Clock.Advance(10 * day)
	young := p.SignUp("young")
	want("everybody: a new account", young, p.Clock.Now().Add(3*day))
	p.Set("password.min_length", "13", "factors.days", "10") // other changes begin nothing anew
	want("everybody: a person, later", old, everybody.Add(10*day))

	p.Set("factors.enforce", "admins")
	want("admins again: a person", old, never)
	want("admins again: an owner", p.Owner, admins.Add(10*day))
	p.Set("factors.enforce", "nobody")
	want("nobody again", p.Owner, never)
	p.Set("factors.enforce", "everybody")
	want("everybody again: counted anew", old, p.Clock.Now().Add(10*day))
	want("everybody again: an owner", p.Owner, p.Clock.Now().Add(10*day))
	p.Clock.Advance(200 * day) // a role that ended demands nothing
	p.Set("factors.enforce", "admins")
	want("a role that is over", promoted, never)
}

func TestTheDemandCountsDownAndCanBePutOff(t *testing.T) {
	p := coretest.Open(t)
	long(p)
	p.SignUp("mara")
	p.SignUp("noor")
	by := p.Clock.Now().Add(7 * day)
	p.Set("factors.enforce", "everybody", "factors.email", "on")
	for range 2 { // at each sign-in
		progress := begin(t, p, here, "mara", core.StepEnrol)
		d := progress.Demand
		if progress.Why != "soon" || !d.Later || !d.By.Equal(by) || d.Key {
			t.Errorf("asked for %+v, %s", d, progress.Why)
		}
		if got := methods(d); got != "key app email" {
			t.Errorf("the methods are %s", got)
		}
		done := must(p.Portal.SignIn.Later(ctx, here, progress.Ticket))(t)
		stands(t, done, core.StepDone)
		_, err := p.Portal.SignIn.Later(ctx, here, progress.Ticket)
		refused(t, err, core.CodeTicket, "")
		p.Clock.Advance(7*day - time.Second - p.Clock.Now().Sub(coretest.Start))
	}
	// It ends while the screen is open.
	progress := begin(t, p, here, "mara", core.StepEnrol)
	p.Clock.Advance(time.Second)
	_, err := p.Portal.SignIn.Later(ctx, here, progress.Ticket)
	refused(t, err, core.CodeOutOfOrder, "")
	if progress = begin(t, p, here, "mara", core.StepEnrol); progress.Why != "due" || progress.Demand.Later {
		t.Errorf("asked for %+v, %s", progress.Demand, progress.Why)
	}
	p.Set("factors.days", "8") // changed days act at once, on what is under way too
	stands(t, must(p.Portal.SignIn.Later(ctx, here, progress.Ticket))(t), core.StepDone)
}

// The weakness: a key that was no factor did by verbs all that the sign-in kept its
// person from. ASVS 6.3.3
func TestALinkedKeyWaitsForTheFactorThatIsDue(t *testing.T) {
	for _, stands := range []string{"nothing", "password", "factor"} {
		t.Run(stands, func(t *testing.T) {
			p := coretest.Open(t)
			long(p)
			p.Set("factors.key_stands", stands)
			me := p.SignUp("mara")
			ok(t, p.Keys.Link(ctx, withKey(me, "SHA256:mara"), ""))
			verb := withKey(here, "SHA256:mara")
			verb.Door = core.DoorVerb
			must(p.Keys.Recognise(ctx, verb))(t)
			p.Set("factors.enforce", "everybody", "factors.days", "7")
			must(p.Keys.Recognise(ctx, verb))(t) // there is time
			p.Clock.Advance(7*day - time.Second)
			must(p.Keys.Recognise(ctx, verb))(t)
			p.Clock.Advance(time.Second)
			if stands == "factor" { // it is one
				must(p.Sessions.Mine(ctx, must(p.Keys.Recognise(ctx, verb))(t)))(t)
				return
			}
			actor, err := p.Keys.Recognise(ctx, verb)
			refused(t, err, core.CodeFactorDue, "")
			if actor.Account != "" {
				t.Error("the key speaks for its account all the same")
			}

			// Its person comes in and enrols one; the key speaks again.
			progress := begin(t, p, here, "mara", core.StepEnrol)
			e := must(p.Factors.Begin(ctx, here, progress.Ticket, core.FactorApp, ""))(t)
			must(p.Factors.Confirm(ctx, here, progress.Ticket, e.ID, app{secret: secretOf(t, e)}.at(p.Clock.Now()), "phone"))(t)
			must(p.Sessions.Mine(ctx, must(p.Keys.Recognise(ctx, verb))(t)))(t)
		})
	}
}

// When it is due, a sign-in leads through enrolment and nowhere else. ASVS 6.3.3, 2.3.1
func TestADueDemandLeadsThroughEnrolment(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	p.Set("factors.enforce", "everybody", "factors.days", "0")
	ok(t, p.Accounts.ExpirePassword(ctx, p.Owner, "mara"))
	progress := begin(t, p, here, "mara", core.StepChangePassword) // the password comes first
	_, err := p.Factors.Begin(ctx, here, progress.Ticket, core.FactorApp, "")
	refused(t, err, core.CodeOutOfOrder, "")
	progress = must(p.Portal.SignIn.ChangePassword(ctx, here, progress.Ticket, strong))(t)
	if stands(t, progress, core.StepEnrol); progress.Why != "due" {
		t.Errorf("asked since %q", progress.Why)
	}
	ticket := progress.Ticket
	before := substance(p.Dump())
	for what, try := range map[string]func() error{
		"later":           func() error { _, err := p.Portal.SignIn.Later(ctx, here, ticket); return err },
		"a code":          func() error { _, err := p.Portal.SignIn.Factor(ctx, here, ticket, "x", "123456"); return err },
		"a recovery code": func() error { _, err := p.Portal.SignIn.Recover(ctx, here, ticket, "AAAA"); return err },
		"a new password": func() error {
			_, err := p.Portal.SignIn.ChangePassword(ctx, here, ticket, "Another-Lantern-84-Fig")
			return err
		},
		"a code to be sent": func() error { _, err := p.Portal.SignIn.SendCode(ctx, here, ticket, "x"); return err },
	} {
		if err := try(); core.CodeOf(err) != core.CodeOutOfOrder {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err = p.Portal.SignIn.EnrolKey(ctx, here, ticket, "")
	refused(t, err, core.CodeNoKey, "")
	_, err = p.Factors.Begin(ctx, coretest.From("192.0.2.2"), ticket, core.FactorApp, "")
	refused(t, err, core.CodeTicket, "")
	same(t, before, substance(p.Dump()))

	e := must(p.Factors.Begin(ctx, here, ticket, core.FactorApp, ""))(t)
	a := app{secret: secretOf(t, e)}
	_, err = p.Factors.Confirm(ctx, here, ticket, e.ID, a.wrong(p), "phone")
	refused(t, err, core.CodeCodeWrong, "code")
	done := must(p.Factors.Confirm(ctx, here, ticket, e.ID, a.at(p.Clock.Now()), "phone"))(t)
	stands(t, done.Progress, core.StepDone) // its code was just typed: it is not asked for again
	if s := must(p.Sessions.Mine(ctx, here.With(done.Progress.SignedIn)))(t)[0]; s.Factor != core.FactorApp {
		t.Errorf("the session says %q", s.Factor)
	}
	if e := p.Trail()[0]; e.Action != core.ActFactorAdd || e.Actor != done.Progress.SignedIn.Account || e.Session != done.Progress.SignedIn.Session {
		t.Errorf("the trail says %+v", e)
	}
	_, err = p.Portal.SignIn.Password(ctx, here, "mara", strong)
	ok(t, err)
}

func TestADemandedKeyIsTheOneOfTheConnection(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	p.Set("factors.enforce", "everybody", "factors.days", "0")
	actor := withKey(here, "SHA256:mara")
	progress := begin(t, p, actor, "mara", core.StepEnrol)
	if !progress.Demand.Key {
		t.Error("it is not said that the key could be linked")
	}
	_, err := p.Portal.SignIn.EnrolKey(ctx, actor, progress.Ticket, "a\x1b")
	refused(t, err, core.CodeCharacter, "label")
	done := must(p.Portal.SignIn.EnrolKey(ctx, actor, progress.Ticket, "laptop"))(t)
	stands(t, done, core.StepDone)
	me := actor.With(done.SignedIn)
	// The weakness: the trail did not say which key it was.
	if e := p.Trail()[0]; e.Action != core.ActKeyLink || e.Target != "SHA256:mara" || e.Actor != me.Account || e.About != me.Account || e.Session != me.Session {
		t.Errorf("the trail says %+v", e)
	}
	if k := must(p.Keys.Mine(ctx, me))(t); len(k) != 1 || k[0].Label != "laptop" || k[0].Line != actor.KeyLine {
		t.Errorf("linked are %+v", k)
	}
	if s := must(p.Sessions.Mine(ctx, me))(t)[0]; s.Factor != core.FactorKey {
		t.Errorf("the session says %q", s.Factor)
	}
	ok(t, change(p, true, "factors.key_stands", "nothing")) // hers, though it is linked, is a factor no more
	progress = begin(t, p, actor, "mara", core.StepEnrol)
	if d := progress.Demand; d.Key || methods(d) != "app" {
		t.Errorf("asked for %+v", d)
	}
	_, err = p.Portal.SignIn.EnrolKey(ctx, actor, progress.Ticket, "")
	refused(t, err, core.CodeMethodOff, "factor")
}

// Whoever signs up has the days that everybody has, and with none enrols at once.
func TestSigningUpWhereAFactorIsDemanded(t *testing.T) {
	p := coretest.Open(t)
	p.Set("factors.enforce", "everybody")
	out := must(p.Accounts.SignUp(ctx, here, coretest.Input("mara")))(t)
	stands(t, out.Progress, core.StepDone)
	begin(t, p, here, "mara", core.StepEnrol)

	p.Set("factors.days", "0")
	out = must(p.Accounts.SignUp(ctx, here, coretest.Input("noor")))(t)
	if stands(t, out.Progress, core.StepEnrol); out.SignedIn != (core.SignedIn{}) || out.Pending || out.Progress.Why != "due" {
		t.Fatalf("signed up as %+v", out)
	}
	e := must(p.Factors.Begin(ctx, here, out.Progress.Ticket, core.FactorApp, ""))(t)
	done := must(p.Factors.Confirm(ctx, here, out.Progress.Ticket, e.ID, app{secret: secretOf(t, e)}.at(p.Clock.Now()), "phone"))(t)
	stands(t, done.Progress, core.StepDone)
	if s := must(p.Sessions.Mine(ctx, here.With(done.Progress.SignedIn)))(t)[0]; s.Method != "signup" || s.Factor != core.FactorApp {
		t.Errorf("the session is %+v", s)
	}
	p.Set("sign_up.mode", "approval")
	if out = must(p.Accounts.SignUp(ctx, here, coretest.Input("ivo")))(t); !out.Pending || out.Progress.Ticket != "" {
		t.Errorf("signed up as %+v", out)
	}
}

// A factor that counts no more, by failures or by policy, is none. ASVS 6.3.3
func TestARecoveredSignInEnrolsAnewWhenNothingCounts(t *testing.T) {
	p := coretest.Open(t)
	withMessages(p)
	long(p)
	p.Set("lockout.failures", "50", "lockout.wait_seconds", "1", "lockout.max_wait_minutes", "1", "lockout.address_failures", "10000")
	me := p.SignUp("mara")
	a, codes := enrolApp(t, p, me, "phone"), save(t, p, me)
	p.Set("factors.enforce", "everybody", "factors.days", "0")
	for range core.MaxCredentialFailures {
		p.Clock.Advance(2 * time.Minute)
		_ = tries(t, p, here, "mara", a.ID, a.wrong(p))
	}
	p.Clock.Advance(25 * time.Hour)
	progress := begin(t, p, here, "mara", core.StepFactor)
	progress = must(p.Portal.SignIn.Recover(ctx, here, progress.Ticket, codes[0]))(t)
	if stands(t, progress, core.StepEnrol); progress.Why != "due" {
		t.Errorf("asked since %q", progress.Why)
	}
	e := must(p.Factors.Begin(ctx, here, progress.Ticket, core.FactorSMS, maraPhone))(t)
	done := must(p.Factors.Confirm(ctx, here, progress.Ticket, e.ID, codeTo(t, p, maraPhone), ""))(t)
	stands(t, done.Progress, core.StepDone)
	ok(t, p.Factors.Remove(ctx, here.With(done.Progress.SignedIn), a.ID)) // the disabled one is no loss
	refused(t, p.Factors.Remove(ctx, here.With(done.Progress.SignedIn), done.Factor.ID), core.CodeLastFactor, "")
}

func methods(d core.Demand) (all string) {
	for i, m := range d.Methods {
		if i > 0 {
			all += " "
		}
		all += string(m)
	}
	return all
}
