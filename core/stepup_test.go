// Step-up where there is more than a password: the strongest proof that can be
// asked for, and nothing weaker.

package core_test

import (
	"sync"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

// ASVS 6.3.4, 6.3.6, 7.5.3
func TestTheStrongestProofIsAskedFor(t *testing.T) {
	p := coretest.Open(t)
	withMessages(p)
	p.Set("session.idle_minutes", "0")
	me := p.SignUp("mara")
	ways := func(want string) {
		t.Helper()
		if got := kinds(must(p.Portal.SignIn.StepUpWays(ctx, me))(t)); got != want {
			t.Errorf("asked for %s, want %s", got, want)
		}
	}
	ways("password")
	mail := enrolAddress(t, p, me, core.FactorEmail, "ada@example.net")
	ways("password") // e-mail is the weaker of the two
	codes := save(t, p, me)
	ways("password")
	must(p.Portal.SignIn.StepUp(ctx, me, coretest.Password))(t)
	p.Clock.Advance(time.Minute)
	number := enrolAddress(t, p, me, core.FactorSMS, maraPhone)
	ways("sms recovery")
	_, err := p.Portal.SignIn.StepUp(ctx, me, coretest.Password)
	refused(t, err, core.CodeWeakProof, "")
	a := enrolApp(t, p, me, "phone")
	ok(t, p.Factors.SetDefault(ctx, me, mail.ID)) // which is for sign-in
	ways("app sms recovery")
	before := substance(p.Dump())
	_, err = p.Portal.SignIn.StepUp(ctx, me, coretest.Password)
	refused(t, err, core.CodeWeakProof, "")
	same(t, before, substance(p.Dump()))

	// The weakness: a code by mail, weaker than the password that was refused, was
	// accepted all the same.
	p.Clock.Advance(time.Minute)
	_, err = p.Portal.SignIn.SendCode(ctx, me, "", mail.ID)
	refused(t, err, core.CodeWeakProof, "factor")
	_, err = p.Portal.SignIn.StepUpFactor(ctx, me, mail.ID, "123456")
	refused(t, err, core.CodeWeakProof, "factor")
	progress := begin(t, p, here, "mara", core.StepFactor)
	must(p.Portal.SignIn.SendCode(ctx, here, progress.Ticket, mail.ID))(t) // it signs in
	stands(t, must(p.Portal.SignIn.Factor(ctx, here, progress.Ticket, mail.ID, codeTo(t, p, "ada@example.net")))(t), core.StepDone)

	for what, prove := range map[string]func() (core.StepUpResult, error){
		"app": func() (core.StepUpResult, error) { return p.Portal.SignIn.StepUpFactor(ctx, me, a.ID, a.next(p)) },
		"sms": func() (core.StepUpResult, error) {
			must(p.Portal.SignIn.SendCode(ctx, me, "", number.ID))(t)
			return p.Portal.SignIn.StepUpFactor(ctx, me, number.ID, codeTo(t, p, maraPhone))
		},
		"recovery": func() (core.StepUpResult, error) { return p.Portal.SignIn.StepUpRecovery(ctx, me, codes[0]) },
	} {
		p.Clock.Advance(core.StepUpFor + time.Minute)
		_, err := p.Factors.BeginRecovery(ctx, me)
		refused(t, err, core.CodeStepUp, "")
		result := must(prove())(t)
		must(p.Factors.BeginRecovery(ctx, me))(t)
		if in, err := p.Portal.SignIn.Resume(ctx, here, result.Token); err != nil || in.Session != me.Session { // ASVS 7.2.4
			t.Errorf("%s: the new secret opens %+v, %v", what, in, err)
		}
	}
}

func TestARiseOfPrivilegeEndsTheOldSecret(t *testing.T) {
	p := coretest.Open(t)
	me := p.SignUp("mara")
	a := enrolApp(t, p, me, "phone")
	progress := begin(t, p, here, "mara", core.StepFactor)
	in := must(p.Portal.SignIn.Factor(ctx, here, progress.Ticket, a.ID, a.next(p)))(t).SignedIn
	result := must(p.Portal.SignIn.StepUpFactor(ctx, here.With(in), a.ID, a.next(p)))(t)
	_, err := p.Portal.SignIn.Resume(ctx, here, in.Token)
	refused(t, err, core.CodeSessionEnded, "")
	must(p.Portal.SignIn.Resume(ctx, here, result.Token))(t)
	if _, err := p.Portal.SignIn.StepUpFactor(ctx, here.With(in), a.ID, a.wrong(p)); core.CodeOf(err) != core.CodeCodeWrong {
		t.Fatal(err)
	}
	must(p.Portal.SignIn.Resume(ctx, here, result.Token))(t) // a wrong code changes nothing
	for _, who := range []core.Actor{here, coretest.Console(), p.Owner} {
		if _, err := p.Portal.SignIn.StepUpFactor(ctx, who, a.ID, a.next(p)); err == nil {
			t.Errorf("%+v proves with another's factor", who)
		}
	}
}

// With an app, the password alone changes nothing, and is no proof of the rest.
// ASVS 6.3.4, 7.5.1
func TestChangingThePasswordWithAnApp(t *testing.T) {
	p := coretest.Open(t)
	p.Set("session.idle_minutes", "0")
	me := p.SignUp("mara")
	a := enrolApp(t, p, me, "phone")
	change := func() error {
		_, err := p.Accounts.ChangePassword(ctx, me, coretest.Password, strong, false)
		return err
	}
	p.Clock.Advance(core.StepUpFor + 1)
	before := substance(p.Dump())
	refused(t, change(), core.CodeStepUp, "")
	same(t, before, substance(p.Dump()))
	must(p.Portal.SignIn.StepUpFactor(ctx, me, a.ID, a.next(p)))(t)
	_, err := p.Accounts.ChangePassword(ctx, me, strong, "Another-Lantern-84-Fig", false)
	refused(t, err, core.CodeCredentials, "current") // which is asked for as well
	p.Clock.Advance(core.StepUpFor - time.Minute)
	ok(t, change())
	wasTold(t, p, me, core.NoticePasswordChanged)
	p.Clock.Advance(time.Minute + 1)
	_, err = p.Factors.BeginRecovery(ctx, me)
	refused(t, err, core.CodeStepUp, "") // it did not count as a proof
}

// Without one it does, as ever.
func TestChangingThePasswordWithoutAFactor(t *testing.T) {
	p := coretest.Open(t)
	me := p.SignUp("mara")
	p.Clock.Advance(core.StepUpFor + 1)
	must(p.Accounts.ChangePassword(ctx, me, coretest.Password, strong, false))(t)
	must(p.Factors.BeginRecovery(ctx, me))(t)
}

// A factor that is enrolled while a password is being compared counts. ASVS 6.3.4
func TestAFactorThatComesInBetweenCounts(t *testing.T) {
	for what, try := range map[string]func(*testing.T, *coretest.Place, core.Actor){
		"a step-up": func(t *testing.T, p *coretest.Place, me core.Actor) {
			_, err := p.Portal.SignIn.StepUp(ctx, me, coretest.Password)
			refused(t, err, core.CodeWeakProof, "")
		},
		"a sign-in": func(t *testing.T, p *coretest.Place, _ core.Actor) { begin(t, p, here, "mara", core.StepFactor) },
		"a change of the password": func(t *testing.T, p *coretest.Place, me core.Actor) {
			_, err := p.Accounts.ChangePassword(ctx, me, coretest.Password, strong, false)
			refused(t, err, core.CodeStepUp, "")
		},
	} {
		t.Run(what, func(t *testing.T) {
			p := coretest.Open(t)
			me := p.SignUp("mara")
			e := must(p.Factors.Begin(ctx, me, "", core.FactorApp, ""))(t)
			p.Clock.Advance(core.StepUpFor + 1)
			code := app{secret: secretOf(t, e)}.at(p.Clock.Now())
			once := sync.OnceFunc(func() { must(p.Factors.Confirm(ctx, me, "", e.ID, code, "phone"))(t) })
			p.OnVerify(once)
			before := substance(p.Dump())
			try(t, p, me)
			if len(substance(p.Dump())) == len(before) {
				t.Fatal("it did not come in between")
			}
		})
	}
}

// The weakness: every sign-in was a fresh proof, so that the password and a look
// into the mail were enough to remove the app. A sign-in is one where it proved
// what a step-up would ask for. ASVS 6.3.4, 7.5.3
func TestASignInByLessThanTheStrongestIsNoStepUp(t *testing.T) {
	const key = "SHA256:mara"
	for what, c := range map[string]struct {
		stands string
		have   []core.FactorKind
		in     core.FactorKind // what the sign-in proves beside the password; key: it is brought
		fresh  bool
	}{
		"the password, and there is nothing else": {"factor", nil, "", true},
		"a code by mail":                         {"factor", []core.FactorKind{core.FactorEmail}, core.FactorEmail, true},
		"a code by mail, where there is an app":  {"factor", []core.FactorKind{core.FactorEmail, core.FactorApp}, core.FactorEmail, false},
		"a code by mail, where there is a phone": {"factor", []core.FactorKind{core.FactorEmail, core.FactorSMS}, core.FactorEmail, false},
		"a text message":                         {"factor", []core.FactorKind{core.FactorEmail, core.FactorSMS}, core.FactorSMS, true},
		"a text message, where there is an app":  {"factor", []core.FactorKind{core.FactorSMS, core.FactorApp}, core.FactorSMS, false},
		"the app":                                {"factor", []core.FactorKind{core.FactorSMS, core.FactorApp}, core.FactorApp, true},
		"a key":                                  {"factor", nil, core.FactorKey, true},
		"a key, where there is an app":           {"factor", []core.FactorKind{core.FactorApp}, core.FactorKey, false},
		"a recovery code":                        {"factor", []core.FactorKind{core.FactorSMS, core.FactorApp}, core.FactorRecovery, true},
		"a key and no password":                  {"password", nil, core.FactorKey, false},
		"a key and a code by mail":               {"password", []core.FactorKind{core.FactorEmail}, core.FactorEmail, false},
		"a key and the app":                      {"password", []core.FactorKind{core.FactorApp}, core.FactorApp, true},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			p := coretest.Open(t)
			withMessages(p)
			me := p.SignUp("mara")
			byFactor := map[core.FactorKind]core.Factor{}
			var a app
			for _, k := range c.have {
				switch k {
				case core.FactorApp:
					a = enrolApp(t, p, me, "phone")
					byFactor[k] = a.Factor
				case core.FactorSMS:
					byFactor[k] = enrolAddress(t, p, me, k, maraPhone)
				case core.FactorEmail:
					byFactor[k] = enrolAddress(t, p, me, k, "ada@example.net")
				}
			}
			codes := save(t, p, me)
			from := here
			if c.in == core.FactorKey || c.stands == "password" {
				ok(t, p.Keys.Link(ctx, withKey(me, key), ""))
				from = withKey(here, key)
			}
			if err := change(p, true, "factors.key_stands", c.stands); core.CodeOf(err) != core.CodeUnchanged { // "factor" is so already
				ok(t, err)
			}
			p.Clock.Advance(time.Minute)

			var progress core.Progress
			if c.stands == "password" {
				progress = must(p.Portal.SignIn.Key(ctx, from))(t)
			} else {
				progress = must(p.Portal.SignIn.Password(ctx, from, "mara", coretest.Password))(t)
			}
			switch id := byFactor[c.in].ID; c.in {
			case core.FactorApp:
				progress = must(p.Portal.SignIn.Factor(ctx, from, progress.Ticket, id, a.next(p)))(t)
			case core.FactorSMS, core.FactorEmail:
				must(p.Portal.SignIn.SendCode(ctx, from, progress.Ticket, id))(t)
				progress = must(p.Portal.SignIn.Factor(ctx, from, progress.Ticket, id, codeTo(t, p, byFactor[c.in].Address)))(t)
			case core.FactorRecovery:
				progress = must(p.Portal.SignIn.Recover(ctx, from, progress.Ticket, codes[0]))(t)
			}
			stands(t, progress, core.StepDone)
			in := from.With(progress.SignedIn)

			act := func() error {
				if a.ID != "" {
					return p.Factors.Remove(ctx, in, a.ID)
				}
				return only(p.Factors.BeginRecovery(ctx, in))
			}
			if c.fresh {
				ok(t, act())
				if c.in == core.FactorRecovery { // whoever has lost the phone has a new one
					enrolApp(t, p, in, "new phone")
				}
				return
			}
			before := substance(p.Dump())
			refused(t, act(), core.CodeStepUp, "")
			same(t, before, substance(p.Dump()))
			if a.ID != "" {
				must(p.Portal.SignIn.StepUpFactor(ctx, in, a.ID, a.next(p)))(t)
			} else if byFactor[core.FactorSMS].ID != "" {
				p.Clock.Advance(time.Minute)
				must(p.Portal.SignIn.SendCode(ctx, in, "", byFactor[core.FactorSMS].ID))(t)
				must(p.Portal.SignIn.StepUpFactor(ctx, in, byFactor[core.FactorSMS].ID, codeTo(t, p, maraPhone)))(t)
			} else {
				must(p.Portal.SignIn.StepUp(ctx, in, coretest.Password))(t)
			}
			ok(t, act())
		})
	}
}

// What a sign-in had to enrol was proved by that: one may go on at once.
func TestAnEnrolmentAtSignInIsAProof(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	p.Set("factors.enforce", "everybody", "factors.days", "0")
	progress := begin(t, p, here, "mara", core.StepEnrol)
	e := must(p.Factors.Begin(ctx, here, progress.Ticket, core.FactorApp, ""))(t)
	done := must(p.Factors.Confirm(ctx, here, progress.Ticket, e.ID, app{secret: secretOf(t, e)}.at(p.Clock.Now()), "phone"))(t)
	stands(t, done.Progress, core.StepDone)
	save(t, p, here.With(done.Progress.SignedIn))
}

// A factor that failed too often is not passed over for the password.
func TestAFactorThatIsOffLeavesTheRecoveryCode(t *testing.T) {
	p := coretest.Open(t)
	withMessages(p)
	me := p.SignUp("mara")
	mail := enrolAddress(t, p, me, core.FactorEmail, "ada@example.net")
	a := enrolApp(t, p, me, "phone")
	codes := save(t, p, me)
	p.Set("lockout.failures", "50")
	for range core.MaxCredentialFailures {
		progress := begin(t, p, here, "mara", core.StepFactor)
		_, _ = p.Portal.SignIn.Factor(ctx, here, progress.Ticket, a.ID, a.wrong(p))
		p.Clock.Advance(time.Hour)
	}
	progress := begin(t, p, here, "mara", core.StepFactor)
	must(p.Portal.SignIn.SendCode(ctx, here, progress.Ticket, mail.ID))(t)
	progress = must(p.Portal.SignIn.Factor(ctx, here, progress.Ticket, mail.ID, codeTo(t, p, "ada@example.net")))(t)
	in := here.With(progress.SignedIn)
	if got := kinds(must(p.Portal.SignIn.StepUpWays(ctx, in))(t)); got != "app(factor_off) recovery" {
		t.Fatalf("asked for %s", got)
	}
	refused(t, p.Factors.Remove(ctx, in, a.ID), core.CodeStepUp, "")
	must(p.Portal.SignIn.StepUpRecovery(ctx, in, codes[0]))(t)
	ok(t, p.Factors.Remove(ctx, in, a.ID))
}
