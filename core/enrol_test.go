// Enrolment of an app: whose it is, when it ends, and that it is nothing before
// its code was typed. Codes that are sent are in enrolsent_test.go.

package core_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

func TestNothingIsAFactorBeforeItsCode(t *testing.T) {
	p := coretest.Open(t)
	withMessages(p)
	me := p.SignUp("mara")
	e := must(p.Factors.Begin(ctx, me, "", core.FactorApp, ""))(t)
	must(p.Factors.Begin(ctx, me, "", core.FactorSMS, "+5511555500112"))(t)
	a := app{secret: secretOf(t, e)}
	none := func() {
		t.Helper()
		if n := records(p.Dump(), "factor"); n != 0 || len(must(p.Factors.Mine(ctx, me))(t).Factors) != 0 {
			t.Fatalf("there are %d factors", n)
		}
		p.SignIn("mara") // nothing is asked for
	}
	none()
	for _, c := range []struct {
		typed string
		want  core.Error
	}{
		{a.wrong(p), core.Error{Code: core.CodeCodeWrong, Field: "code"}},
		{a.at(p.Clock.Now().Add(5 * time.Minute)), core.Error{Code: core.CodeCodeClock, Field: "code", Rule: "ahead", N: 5}}, // ASVS 6.5.8
		{a.at(p.Clock.Now().Add(-10 * time.Minute)), core.Error{Code: core.CodeCodeClock, Field: "code", Rule: "behind", N: 10}},
		{"12345", core.Error{Code: core.CodeCodeFormat, Field: "code"}},
		{strings.Repeat("1", 10<<10), core.Error{Code: core.CodeCodeFormat, Field: "code"}},
	} {
		_, err := p.Factors.Confirm(ctx, me, "", e.ID, c.typed, "phone")
		says(t, err, c.want)
		none()
	}
	if list := told(t, p, me); len(list) != 0 {
		t.Errorf("told %v", list)
	}
	// The label is typed beside the code: a bad one costs nothing.
	code := a.at(p.Clock.Now())
	for label, want := range map[string]core.Code{"": core.CodeRequired, strings.Repeat("x", 33): core.CodeTooLong, "a\x1b[m": core.CodeCharacter, "\xff": core.CodeEncoding} {
		_, err := p.Factors.Confirm(ctx, me, "", e.ID, code, label)
		refused(t, err, want, "label")
		none()
	}
	must(p.Factors.Confirm(ctx, me, "", e.ID, code, "phone"))(t)
	_, err := p.Factors.Confirm(ctx, me, "", e.ID, code, "phone")
	refused(t, err, core.CodeNotFound, "enrolment") // once
	begin(t, p, here, "mara", core.StepFactor)
}

func TestTwoEnrolmentsAtOnceBothWork(t *testing.T) {
	p := coretest.Open(t)
	me := p.SignUp("mara")
	first := must(p.Factors.Begin(ctx, me, "", core.FactorApp, ""))(t)
	second := must(p.Factors.Begin(ctx, me, "", core.FactorApp, ""))(t)
	if first.Secret == second.Secret || first.ID == second.ID {
		t.Fatal("they are the same")
	}
	for i, e := range []core.Enrolment{second, first} {
		a := app{secret: secretOf(t, e)}
		done := must(p.Factors.Confirm(ctx, me, "", e.ID, a.at(p.Clock.Now()), fmt.Sprint("app ", i)))(t)
		if done.Factor.Default != (i == 0) {
			t.Errorf("%d: the default is %+v", i, done.Factor)
		}
	}
	if n := len(must(p.Factors.Mine(ctx, me))(t).Factors); n != 2 {
		t.Errorf("there are %d factors", n)
	}
}

// Of two who confirm one enrolment at once, one makes a factor.
func TestAnEnrolmentIsConfirmedOnce(t *testing.T) {
	p := coretest.Open(t)
	me := p.SignUp("mara")
	for i := range 5 {
		e := must(p.Factors.Begin(ctx, me, "", core.FactorApp, ""))(t)
		code := app{secret: secretOf(t, e)}.at(p.Clock.Now())
		parallel(20, func(int) { _, _ = p.Factors.Confirm(ctx, me, "", e.ID, code, "phone") })
		if n := records(p.Dump(), "factor"); n != i+1 {
			t.Fatalf("there are %d factors, want %d", n, i+1)
		}
	}
}

// Nobody goes on with what somebody else has begun: another session of the same
// account, another account, a sign-in, the console.
func TestAnEnrolmentIsItsSessionsOwn(t *testing.T) {
	p := coretest.Open(t)
	me, noor := p.SignUp("mara"), p.SignUp("noor")
	elsewhere := p.SignIn("mara")
	p.SignUp("ivo")
	p.Set("factors.enforce", "everybody")
	ticket := begin(t, p, here, "ivo", core.StepEnrol).Ticket
	other := begin(t, p, here, "ivo", core.StepEnrol).Ticket
	ours := must(p.Factors.Begin(ctx, me, "", core.FactorApp, ""))(t)
	theirs := must(p.Factors.Begin(ctx, here, ticket, core.FactorApp, ""))(t)
	code := func(e core.Enrolment) string { return app{secret: secretOf(t, e)}.at(p.Clock.Now()) }
	for what, try := range map[string]struct {
		actor  core.Actor
		ticket string
		e      core.Enrolment
	}{
		"another session":                  {elsewhere, "", ours},
		"another account":                  {noor, "", ours},
		"a sign-in":                        {here, ticket, ours},
		"another sign-in":                  {here, other, theirs},
		"a session with the ticket's":      {me, "", theirs},
		"a session with a ticket's ticket": {me, other, ours},
	} {
		before := substance(p.Dump())
		_, err := p.Factors.Confirm(ctx, try.actor, try.ticket, try.e.ID, code(try.e), "phone")
		if c := core.CodeOf(err); c != core.CodeNotFound && c != core.CodeTicket {
			t.Errorf("%s confirms: %v", what, err)
		}
		_, err = p.Factors.Resend(ctx, try.actor, try.ticket, try.e.ID)
		if c := core.CodeOf(err); c != core.CodeNotFound && c != core.CodeTicket {
			t.Errorf("%s has it sent: %v", what, err)
		}
		_ = p.Factors.Abandon(ctx, try.actor, try.ticket, try.e.ID)
		same(t, before, substance(p.Dump()))
	}
	for _, who := range []core.Actor{here, coretest.Console()} {
		_, err := p.Factors.Begin(ctx, who, "", core.FactorApp, "")
		refused(t, err, core.CodeDenied, "")
		_, err = p.Factors.Confirm(ctx, who, "", ours.ID, code(ours), "phone")
		refused(t, err, core.CodeDenied, "")
	}
	_, err := p.Factors.Begin(ctx, here, "no ticket", core.FactorApp, "")
	refused(t, err, core.CodeTicket, "")
	for _, id := range []string{"", "x", strings.Repeat("x", 1<<16)} {
		_, err = p.Factors.Confirm(ctx, me, "", id, "123456", "phone")
		refused(t, err, core.CodeNotFound, "enrolment")
	}
	must(p.Factors.Confirm(ctx, me, "", ours.ID, code(ours), "phone"))(t) // its own goes on
	stands(t, must(p.Factors.Confirm(ctx, here, ticket, theirs.ID, code(theirs), "phone"))(t).Progress, core.StepDone)
}

func TestAnEnrolmentEnds(t *testing.T) {
	p := coretest.Open(t)
	me := p.SignUp("mara")
	try := func(e core.Enrolment) error {
		_, err := p.Factors.Confirm(ctx, me, "", e.ID, app{secret: secretOf(t, e)}.at(p.Clock.Now()), "phone")
		return err
	}
	t.Run("by time", func(t *testing.T) {
		e := must(p.Factors.Begin(ctx, me, "", core.FactorApp, ""))(t)
		p.Clock.Advance(core.EnrolFor)
		refused(t, try(e), core.CodeNotFound, "enrolment")
	})
	must(p.Portal.SignIn.StepUp(ctx, me, coretest.Password))(t)
	t.Run("by its person", func(t *testing.T) {
		e := must(p.Factors.Begin(ctx, me, "", core.FactorApp, ""))(t)
		ok(t, p.Factors.Abandon(ctx, me, "", e.ID))
		refused(t, try(e), core.CodeNotFound, "enrolment")
		ok(t, p.Factors.Abandon(ctx, me, "", e.ID)) // one that is over is no error
	})
	t.Run("by too many wrong codes", func(t *testing.T) {
		e := must(p.Factors.Begin(ctx, me, "", core.FactorApp, ""))(t)
		wrong := app{secret: secretOf(t, e)}.wrong(p)
		for range 20 {
			_, err := p.Factors.Confirm(ctx, me, "", e.ID, wrong, "phone")
			refused(t, err, core.CodeCodeWrong, "code")
		}
		refused(t, try(e), core.CodeCodeOver, "code")
	})
	t.Run("with its session", func(t *testing.T) {
		other := p.SignIn("mara")
		e := must(p.Factors.Begin(ctx, other, "", core.FactorApp, ""))(t)
		ok(t, p.Sessions.End(ctx, me, other.Session))
		_, err := p.Factors.Confirm(ctx, other, "", e.ID, app{secret: secretOf(t, e)}.at(p.Clock.Now()), "phone")
		refused(t, err, core.CodeSessionEnded, "")
	})
	if n := records(p.Dump(), "factor"); n != 0 {
		t.Errorf("there are %d factors", n)
	}
	p.Clock.Advance(core.EnrolFor)
	swept := must(p.Sweep(ctx, p.Clock.Now()))(t)
	if n := records(p.Dump(), "enrolment"); n != 0 || swept.Codes == 0 {
		t.Errorf("a sweep leaves %d enrolments", n)
	}
}

// A step-up is needed to begin; the weakness: it was needed to confirm as well, so
// whoever took longer than five minutes to install an app had to begin anew.
// ASVS 7.5.1
func TestAStepUpIsNeededToBeginAndNotToConfirm(t *testing.T) {
	p := coretest.Open(t)
	me := p.SignUp("mara")
	e := must(p.Factors.Begin(ctx, me, "", core.FactorApp, ""))(t)
	p.Clock.Advance(core.StepUpFor + 1)
	before := substance(p.Dump())
	_, err := p.Factors.Begin(ctx, me, "", core.FactorApp, "")
	refused(t, err, core.CodeStepUp, "")
	same(t, before, substance(p.Dump()))
	p.Clock.Advance(core.EnrolFor - core.StepUpFor - 2)
	must(p.Factors.Confirm(ctx, me, "", e.ID, app{secret: secretOf(t, e)}.at(p.Clock.Now()), "phone"))(t)
	verb := must(p.Keys.Recognise(ctx, linked(t, p, "noor")))(t) // a key alone is no step-up
	_, err = p.Factors.Begin(ctx, verb, "", core.FactorApp, "")
	refused(t, err, core.CodeStepUp, "")
}

// linked is a visitor with a key that is linked to a new account.
func linked(t *testing.T, p *coretest.Place, name string) core.Actor {
	t.Helper()
	ok(t, p.Keys.Link(ctx, withKey(p.SignUp(name), "SHA256:"+name), ""))
	return withKey(here, "SHA256:"+name)
}

func TestHowManyAndWhich(t *testing.T) {
	p := coretest.Open(t)
	me := p.SignUp("mara")
	for range core.MaxFactors - 1 {
		enrolApp(t, p, me, "app")
	}
	last := must(p.Factors.Begin(ctx, me, "", core.FactorApp, ""))(t)
	more := must(p.Factors.Begin(ctx, me, "", core.FactorApp, ""))(t)
	confirm := func(e core.Enrolment) error {
		_, err := p.Factors.Confirm(ctx, me, "", e.ID, app{secret: secretOf(t, e)}.at(p.Clock.Now()), "app")
		return err
	}
	ok(t, confirm(last))
	full := core.Error{Code: core.CodeRange, Field: "factor", Rule: fmt.Sprint("0-", core.MaxFactors)}
	says(t, confirm(more), full)
	_, err := p.Factors.Begin(ctx, me, "", core.FactorApp, "")
	says(t, err, full)

	noor := p.SignUp("noor")
	for _, kind := range []core.FactorKind{core.FactorSMS, core.FactorEmail, core.FactorKey, core.FactorRecovery, core.FactorPassword, "", "palm", core.FactorKind(strings.Repeat("x", 1<<12))} {
		_, err := p.Factors.Begin(ctx, noor, "", kind, "+5511555500112")
		refused(t, err, core.CodeMethodOff, "factor")
	}
	e := must(p.Factors.Begin(ctx, noor, "", core.FactorApp, ""))(t)
	ok(t, change(p, true, "factors.app", "off")) // meanwhile
	_, err = p.Factors.Confirm(ctx, noor, "", e.ID, app{secret: secretOf(t, e)}.at(p.Clock.Now()), "app")
	refused(t, err, core.CodeMethodOff, "factor")
	_, err = p.Factors.Begin(ctx, noor, "", core.FactorApp, "")
	refused(t, err, core.CodeMethodOff, "factor")
}
