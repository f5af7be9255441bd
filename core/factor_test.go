// An app's codes: which are accepted, once, and which never are.

package core_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
	"postern/core/otp"
)

func TestAnAppIsAskedForOnceItIsEnrolled(t *testing.T) {
	p := coretest.Open(t)
	me := p.SignUp("mara")
	e := must(p.Factors.Begin(ctx, me, "", core.FactorApp, ""))(t)
	secret := secretOf(t, e)
	if e.Kind != core.FactorApp || e.Address != "" || e.Again != 0 || len(secret) != otp.SecretBytes ||
		e.URI != otp.URI("Lanterns", "mara", secret) || !e.Ends.Equal(p.Clock.Now().Add(core.EnrolFor)) {
		t.Fatalf("the enrolment is %+v", e)
	}
	a := app{secret: secret}
	done := must(p.Factors.Confirm(ctx, me, "", e.ID, a.at(p.Clock.Now()), "My phone"))(t)
	a.Factor = done.Factor
	if a.Kind != core.FactorApp || a.Label != "My phone" || a.Account != me.Account || !a.Default || !a.Created.Equal(p.Clock.Now()) ||
		done.Progress.Step != "" {
		t.Fatalf("the factor is %+v", done)
	}
	wasTold(t, p, me, core.NoticeFactorAdded)

	progress := begin(t, p, here, "mara", core.StepFactor)
	if len(progress.Ways) != 1 || progress.Ways[0] != (core.Way{Kind: core.FactorApp, ID: a.ID, Label: "My phone", Default: true}) {
		t.Errorf("the ways are %+v", progress.Ways)
	}
	progress = must(p.Portal.SignIn.Factor(ctx, here, progress.Ticket, a.ID, a.next(p)))(t)
	stands(t, progress, core.StepDone)
	session := must(p.Sessions.Mine(ctx, here.With(progress.SignedIn)))(t)[0]
	if session.Method != "password" || session.Factor != core.FactorApp {
		t.Errorf("the session was begun by %q and %q", session.Method, session.Factor)
	}
	if f := must(p.Factors.Mine(ctx, me))(t).Factors[0]; !f.LastUsed.Equal(p.Clock.Now()) || f.Failures != 0 {
		t.Errorf("the factor was used %v", f.LastUsed)
	}
}

// ASVS 6.5.1
func TestAStepIsAcceptedOnce(t *testing.T) {
	p := coretest.Open(t)
	me := p.SignUp("mara")
	a := enrolApp(t, p, me, "phone")
	enrolled := a.at(p.Clock.Now())
	p.Clock.Advance(12 * time.Second)
	until := core.Error{Code: core.CodeCodeUsed, Field: "code", Wait: 18 * time.Second}
	says(t, tries(t, p, here, "mara", a.ID, enrolled), until) // its own enrolment used it
	_, err := p.Portal.SignIn.StepUpFactor(ctx, me, a.ID, enrolled)
	says(t, err, until)
	p.Clock.Advance(18 * time.Second)
	says(t, tries(t, p, here, "mara", a.ID, enrolled), core.Error{Code: core.CodeCodeUsed, Field: "code", Wait: otp.Period}) // in its skew

	code := a.at(p.Clock.Now())
	ok(t, tries(t, p, here, "mara", a.ID, code))
	refused(t, tries(t, p, here, "mara", a.ID, code), core.CodeCodeUsed, "code")
	_, err = p.Portal.SignIn.StepUpFactor(ctx, me, a.ID, code)
	refused(t, err, core.CodeCodeUsed, "code")
	must(p.Portal.SignIn.StepUpFactor(ctx, me, a.ID, a.next(p)))(t)
	refused(t, tries(t, p, here, "mara", a.ID, a.at(p.Clock.Now())), core.CodeCodeUsed, "code")
	// A code that was used is no guess: nobody waits for pressing a key twice.
	for range 20 {
		refused(t, tries(t, p, here, "mara", a.ID, code), core.CodeCodeUsed, "code")
	}
	ok(t, tries(t, p, here, "mara", a.ID, a.next(p)))
	// Within the skew, the step before and the next are as good, each once.
	p.Clock.Advance(4 * otp.Period)
	for _, d := range []time.Duration{-otp.Period, 0, otp.Period} {
		ok(t, tries(t, p, here, "mara", a.ID, a.at(p.Clock.Now().Add(d))))
	}
	for _, d := range []time.Duration{-otp.Period, 0, otp.Period} {
		refused(t, tries(t, p, here, "mara", a.ID, a.at(p.Clock.Now().Add(d))), core.CodeCodeUsed, "code")
	}
}

// Of any number who type one code at once, at two doors, one gets in. ASVS 6.5.1
func TestFiftyRacersForOneStepHaveOneWinner(t *testing.T) {
	p := coretest.Open(t)
	p.Set("lockout.failures", "50", "lockout.address_failures", "10000", "session.idle_minutes", "0")
	me := p.SignUp("mara")
	a := enrolApp(t, p, me, "phone")
	other := coretest.New(t, coretest.WithStore(p.DB), coretest.WithClock(p.Clock))
	for range 5 {
		const racers = 50
		var tickets [racers]string
		for i := range tickets {
			tickets[i] = begin(t, p, here, "mara", core.StepFactor).Ticket
		}
		code := a.next(p)
		var won, lost atomic.Int32
		parallel(racers, func(i int) {
			door, err := p, error(nil)
			if i%2 == 1 {
				door = other
			}
			if i%5 == 0 { // some prove themselves again with it
				_, err = door.Portal.SignIn.StepUpFactor(ctx, me, a.ID, code)
			} else {
				_, err = door.Portal.SignIn.Factor(ctx, here, tickets[i], a.ID, code)
			}
			switch core.CodeOf(err) {
			case "":
				won.Add(1)
			case core.CodeCodeUsed:
				lost.Add(1)
			default:
				t.Errorf("answered %v", err)
			}
		})
		if won.Load() != 1 || lost.Load() != racers-1 {
			t.Fatalf("%d won, %d were told that it was used", won.Load(), lost.Load())
		}
	}
	if n := p.UnderWay() + other.UnderWay(); n != 0 {
		t.Errorf("%d tries are still counted as under way", n)
	}
}

func TestACodeIsReadAsPeopleTypeIt(t *testing.T) {
	p := coretest.Open(t)
	a := enrolApp(t, p, p.SignUp("mara"), "phone")
	for _, typed := range []func(string) string{
		func(c string) string { return c[:3] + " " + c[3:] },
		func(c string) string { return "  " + c + "\r\n" },
		func(c string) string { return c[:2] + "\u2011" + c[2:4] + "-" + c[4:] },
		func(c string) string {
			return strings.Map(func(r rune) rune { return r - '0' + '０' }, c) // full-width
		},
		func(c string) string { return strings.Map(func(r rune) rune { return r - '0' + '٠' }, c) }, // Arabic-Indic
	} {
		ok(t, tries(t, p, here, "mara", a.ID, typed(a.next(p))))
	}
	code := a.next(p)
	for _, typed := range []string{
		"", " ", code[:5], code + "0", code + code, "x" + code, code[:5] + "O", "\xff" + code, code + "\xff", "+" + code, strings.Repeat(code, 10<<10/6),
		strings.Repeat(" ", 10<<10) + code,
	} {
		err := tries(t, p, here, "mara", a.ID, typed)
		says(t, err, core.Error{Code: core.CodeCodeFormat, Field: "code"})
	}
	ok(t, tries(t, p, here, "mara", a.ID, code)) // none of them was a guess, and none made anybody wait
	if f := must(p.Factors.Mine(ctx, signsIn(t, p, here, "mara", a)))(t).Factors[0]; f.Failures != 0 {
		t.Errorf("%d failures", f.Failures)
	}
}

// ASVS 6.5.8
func TestAWrongClockIsToldAndNeverAccepted(t *testing.T) {
	p := coretest.Open(t)
	p.Set("lockout.failures", "50", "lockout.address_failures", "10000")
	a := enrolApp(t, p, p.SignUp("mara"), "phone")
	p.Clock.Advance(time.Hour)
	for off, want := range map[time.Duration]core.Error{
		time.Minute: {Rule: "ahead", N: 1}, 90 * time.Second: {Rule: "ahead", N: 2}, 10 * time.Minute: {Rule: "ahead", N: 10},
		-time.Minute: {Rule: "behind", N: 1}, -5 * time.Minute: {Rule: "behind", N: 5}, -10 * time.Minute: {Rule: "behind", N: 10},
	} {
		want.Code, want.Field = core.CodeCodeClock, "code"
		says(t, tries(t, p, here, "mara", a.ID, a.at(p.Clock.Now().Add(off))), want)
	}
	for _, off := range []time.Duration{-time.Hour, -11 * time.Minute, 11 * time.Minute, 24 * time.Hour} {
		says(t, tries(t, p, here, "mara", a.ID, a.at(p.Clock.Now().Add(off))), core.Error{Code: core.CodeCodeWrong, Field: "code"})
	}
	ok(t, tries(t, p, here, "mara", a.ID, a.at(p.Clock.Now())))
}

// The weakness: the hint that a clock is ahead told a guesser with which code to
// come back. A step that got the hint is never accepted. ASVS 6.5.8
func TestTheHintAboutTheClockIsWorthNothing(t *testing.T) {
	p := coretest.Open(t)
	a := enrolApp(t, p, p.SignUp("mara"), "phone")
	p.Set("lockout.failures", "50")
	its := p.Clock.Now().Add(5 * time.Minute)
	guessed := a.at(its)
	refused(t, tries(t, p, here, "mara", a.ID, guessed), core.CodeCodeClock, "code")
	for p.Clock.Now().Before(its) { // again and again, until it is time
		code := core.CodeOf(tries(t, p, here, "mara", a.ID, guessed))
		if code != core.CodeCodeClock && code != core.CodeCodeUsed {
			t.Fatalf("answered %q", code)
		}
		p.Clock.Advance(otp.Period)
	}
	refused(t, tries(t, p, here, "mara", a.ID, guessed), core.CodeCodeUsed, "code")
	ok(t, tries(t, p, here, "mara", a.ID, a.next(p))) // the step after it is as good as ever
	refused(t, tries(t, p, here, "mara", a.ID, guessed), core.CodeCodeUsed, "code")
}

// ASVS 6.5.1, 6.5.8
func TestAUsedStepStaysUsedWhenTheClockGoesBack(t *testing.T) {
	p := coretest.Open(t)
	a := enrolApp(t, p, p.SignUp("mara"), "phone")
	p.Clock.Advance(time.Hour)
	used := p.Clock.Now()
	ok(t, tries(t, p, here, "mara", a.ID, a.at(used)))
	for _, back := range []time.Duration{otp.Period, 10 * time.Minute, 24 * time.Hour} {
		p.Clock.Set(used.Add(-back))
		again := coretest.New(t, coretest.WithStore(p.DB), coretest.WithClock(coretest.NewClock(used.Add(-back))))
		for _, door := range []*coretest.Place{p, again} { // and in a process that begins after it
			for _, when := range []time.Time{used, used.Add(-otp.Period)} {
				refused(t, tries(t, door, here, "mara", a.ID, a.at(when)), core.CodeCodeUsed, "code")
			}
		}
	}
	p.Clock.Set(used)
	ok(t, tries(t, p, here, "mara", a.ID, a.next(p)))
}
