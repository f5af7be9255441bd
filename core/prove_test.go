// A second factor at sign-in: when it is asked for, what is counted, and that
// nothing leads past it. Codes that are sent are in provesent_test.go, keys in
// keystands_test.go, step-up in stepup_test.go.

package core_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

// ASVS 2.3.1, 6.3.4
func TestTheFactorComesBeforeEverythingElse(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("noor")
	a := enrolApp(t, p, p.SignUp("mara"), "phone")
	ok(t, p.Accounts.ExpirePassword(ctx, p.Owner, "mara"))
	progress := begin(t, p, here, "mara", core.StepFactor)
	ticket := progress.Ticket
	before := substance(p.Dump())
	for what, try := range map[string]func() error{
		"a new password": func() error { _, err := p.Portal.SignIn.ChangePassword(ctx, here, ticket, strong); return err },
		"later":          func() error { _, err := p.Portal.SignIn.Later(ctx, here, ticket); return err },
		"another factor": func() error { _, err := p.Factors.Begin(ctx, here, ticket, core.FactorApp, ""); return err },
		"a key": func() error {
			_, err := p.Portal.SignIn.EnrolKey(ctx, withKey(here, "SHA256:eve"), ticket, "")
			return err
		},
	} {
		if err := try(); core.CodeOf(err) != core.CodeOutOfOrder {
			t.Errorf("%s: %v", what, err)
		}
	}
	same(t, before, substance(p.Dump()))
	// A ticket is good for its own account, door and address only.
	for what, actor := range map[string]core.Actor{
		"another address": coretest.From("192.0.2.2"), "another door": {Door: core.DoorLocal, Remote: here.Remote},
	} {
		_, err := p.Portal.SignIn.Factor(ctx, actor, ticket, a.ID, a.next(p))
		if core.CodeOf(err) != core.CodeTicket {
			t.Errorf("from %s: %v", what, err)
		}
	}
	for _, other := range []string{"", "x", p.Owner.Session, string(make([]byte, 4096))} {
		_, err := p.Portal.SignIn.Factor(ctx, here, other, a.ID, a.next(p))
		if c := core.CodeOf(err); c != core.CodeTicket && c != core.CodeDenied {
			t.Errorf("with %.20q: %v", other, err)
		}
	}
	progress = must(p.Portal.SignIn.Factor(ctx, here, ticket, a.ID, a.next(p)))(t)
	stands(t, progress, core.StepChangePassword)
	_, err := p.Portal.SignIn.Factor(ctx, here, ticket, a.ID, a.next(p))
	refused(t, err, core.CodeTicket, "") // used once
	_, err = p.Portal.SignIn.Factor(ctx, here, progress.Ticket, a.ID, a.next(p))
	refused(t, err, core.CodeOutOfOrder, "") // and asked for once
	progress = must(p.Portal.SignIn.ChangePassword(ctx, here, progress.Ticket, strong))(t)
	stands(t, progress, core.StepDone)
	if s := must(p.Sessions.Mine(ctx, here.With(progress.SignedIn)))(t)[0]; s.Factor != core.FactorApp {
		t.Errorf("the session says %q", s.Factor)
	}

	ticket = begin(t, p, here, "noor", core.StepDone).Ticket
	_, err = p.Portal.SignIn.Factor(ctx, here, ticket, a.ID, a.next(p))
	refused(t, err, core.CodeDenied, "")
}

// A code for a lost password stands for that alone. ASVS 6.4.3
func TestALostPasswordIsNoWayPastTheFactor(t *testing.T) {
	p := coretest.Open(t)
	a := enrolApp(t, p, p.SignUp("mara"), "phone")
	progress := must(p.Portal.SignIn.Code(ctx, here, "mara", issue(t, p, "mara")))(t)
	stands(t, progress, core.StepFactor)
	_, err := p.Portal.SignIn.ChangePassword(ctx, here, progress.Ticket, strong)
	refused(t, err, core.CodeOutOfOrder, "")
	progress = must(p.Portal.SignIn.Factor(ctx, here, progress.Ticket, a.ID, a.next(p)))(t)
	if stands(t, progress, core.StepChangePassword); progress.Why != "code" {
		t.Errorf("asked for a new password since %q", progress.Why)
	}
	stands(t, must(p.Portal.SignIn.ChangePassword(ctx, here, progress.Ticket, strong))(t), core.StepDone)
}

// ASVS 6.3.1, 6.6.3
func TestWrongCodesWait(t *testing.T) {
	p := coretest.Open(t)
	me := p.SignUp("mara")
	a := enrolApp(t, p, me, "phone")
	p.Clock.Advance(time.Minute)
	for i := range 5 { // from anywhere, at new sign-ins: it is the account that waits
		err := tries(t, p, coretest.From(fmt.Sprintf("192.0.2.%d", i)), "mara", a.ID, a.wrong(p))
		says(t, err, core.Error{Code: core.CodeCodeWrong, Field: "code"})
	}
	for _, wait := range []time.Duration{30, 60, 120, 240, 480, 900, 900} {
		wait *= time.Second
		progress := begin(t, p, here, "mara", core.StepFactor) // the password alone still gets so far
		before := len(p.Trail())
		_, err := p.Portal.SignIn.Factor(ctx, here, progress.Ticket, a.ID, a.at(p.Clock.Now()))
		says(t, err, core.Error{Code: core.CodeWait, Wait: wait})
		if n := len(p.Trail()) - before; n != 0 {
			t.Errorf("a wait is written down %d times", n)
		}
		p.Clock.Advance(wait)
		refused(t, tries(t, p, here, "mara", a.ID, a.wrong(p)), core.CodeCodeWrong, "code")
	}
	p.Clock.Advance(15 * time.Minute)
	ok(t, tries(t, p, here, "mara", a.ID, a.at(p.Clock.Now())))
	p.Clock.Advance(time.Minute)
	for range 4 { // forgotten by a success
		refused(t, tries(t, p, here, "mara", a.ID, a.wrong(p)), core.CodeCodeWrong, "code")
	}
	ok(t, tries(t, p, here, "mara", a.ID, a.at(p.Clock.Now())))
	refused(t, tries(t, p, here, "mara", me.Account, "123456"), core.CodeNotFound, "factor")
}

// Of a hundred guesses at once only as many are looked at as one after the other.
func TestParallelCodesAreBounded(t *testing.T) {
	p := coretest.Open(t)
	p.Set("lockout.address_failures", "10000")
	a := enrolApp(t, p, p.SignUp("mara"), "phone")
	ticket := begin(t, p, here, "mara", core.StepFactor).Ticket
	var looked, waited atomic.Int32
	wrong := a.wrong(p)
	parallel(100, func(int) {
		_, err := p.Portal.SignIn.Factor(ctx, here, ticket, a.ID, wrong)
		switch core.CodeOf(err) {
		case core.CodeCodeWrong:
			looked.Add(1)
		case core.CodeWait:
			waited.Add(1)
		default:
			t.Errorf("answered %v", err)
		}
	})
	if n := looked.Load(); n < 1 || n > 5 || n+waited.Load() != 100 {
		t.Errorf("%d were looked at, %d told to wait", n, waited.Load())
	}
	if n := p.UnderWay(); n != 0 {
		t.Errorf("%d tries are still counted as under way", n)
	}
}

// After 100 failures in a row a factor counts no more, and its person is told. It
// goes on to guard: failing is no way in. ASVS 6.3.1; NIST SP 800-63B-4 §3.2.2
func TestHundredFailuresDisableAFactor(t *testing.T) {
	p := coretest.Open(t)
	p.Set("session.idle_minutes", "0", "session.lifetime", "12 months", "lockout.failures", "50", "lockout.wait_seconds", "1", "lockout.max_wait_minutes", "1",
		"lockout.address_failures", "10000")
	me := p.SignUp("mara")
	a := enrolApp(t, p, me, "phone")
	codes := save(t, p, me)
	fail := func(n int) {
		t.Helper()
		for range n {
			p.Clock.Advance(2 * time.Minute)
			refused(t, tries(t, p, here, "mara", a.ID, a.wrong(p)), core.CodeCodeWrong, "code")
		}
	}
	fail(core.MaxCredentialFailures - 1)
	p.Clock.Advance(time.Minute)
	signsIn(t, p, here, "mara", a) // in a row
	fail(core.MaxCredentialFailures - 1)
	if list := told(t, p, me); slices.Contains(list, core.NoticeFactorDisabled) {
		t.Fatalf("told %v already", list)
	}
	fail(1)
	wasTold(t, p, me, core.NoticeFactorDisabled)
	if e := p.Trail()[0]; e.After["disabled"] != "phone" || e.About != me.Account || e.Code != core.CodeCodeWrong {
		t.Errorf("the trail says %+v", e)
	}
	if f := must(p.Factors.Mine(ctx, me))(t); f.Factors[0].Disabled.IsZero() || f.Enough || must(p.Accounts.CheckUp(ctx, me))(t).FactorsOff != 1 {
		t.Errorf("its person sees %+v", f)
	}
	if w := warns(t, p, core.WarnFactorsOff); len(w) != 1 || found(t, p, w[0]) != "mara" {
		t.Errorf("those who look after people are led by %+v", w)
	}
	p.Clock.Advance(25 * time.Hour)
	progress := begin(t, p, here, "mara", core.StepFactor)
	if got := kinds(progress.Ways); got != "app(factor_off) recovery" {
		t.Errorf("the ways are %s", got)
	}
	for _, code := range []string{a.next(p), a.wrong(p)} {
		_, err := p.Portal.SignIn.Factor(ctx, here, progress.Ticket, a.ID, code)
		refused(t, err, core.CodeFactorOff, "factor")
	}
	// The weakness: at step-up the password was enough then. ASVS 6.3.4
	_, err := p.Portal.SignIn.StepUp(ctx, me, coretest.Password)
	refused(t, err, core.CodeWeakProof, "")
	if got := kinds(must(p.Portal.SignIn.StepUpWays(ctx, me))(t)); got != "app(factor_off) recovery" {
		t.Errorf("the ways to step up are %s", got)
	}
	ok(t, p.Accounts.Unlock(ctx, coretest.Console(), "mara")) // which is for passwords and waits
	_, err = p.Portal.SignIn.Factor(ctx, here, progress.Ticket, a.ID, a.next(p))
	refused(t, err, core.CodeFactorOff, "factor")
	progress = must(p.Portal.SignIn.Recover(ctx, here, progress.Ticket, codes[0]))(t)
	stands(t, progress, core.StepDone)
	again := here.With(progress.SignedIn) // and is re-established by enrolling anew
	ok(t, p.Factors.Remove(ctx, again, a.ID))
	signsIn(t, p, here, "mara", enrolApp(t, p, again, "phone"))
}

// Whoever is suspended, or whose method is switched off, between the password and
// the code is not let in by it.
func TestWhatChangesBetweenPasswordAndCode(t *testing.T) {
	p := coretest.Open(t)
	withMessages(p)
	me := p.SignUp("mara")
	a := enrolApp(t, p, me, "phone")
	number := enrolAddress(t, p, me, core.FactorSMS, "+5511555500112")
	ticket := begin(t, p, here, "mara", core.StepFactor).Ticket
	ok(t, p.Accounts.Suspend(ctx, p.Owner, "mara", ""))
	_, err := p.Portal.SignIn.Factor(ctx, here, ticket, a.ID, a.next(p))
	refused(t, err, core.CodeTicket, "")
	ok(t, p.Accounts.Resume(ctx, p.Owner, "mara"))
	_, err = p.Portal.SignIn.Factor(ctx, here, ticket, a.ID, a.next(p))
	refused(t, err, core.CodeTicket, "")

	ticket = begin(t, p, here, "mara", core.StepFactor).Ticket
	p.Set("factors.app", "off")
	_, err = p.Portal.SignIn.Factor(ctx, here, ticket, a.ID, a.next(p))
	refused(t, err, core.CodeMethodOff, "factor")
	progress := begin(t, p, here, "mara", core.StepFactor)
	if got := kinds(progress.Ways); got != "sms" {
		t.Errorf("the ways are %s", got)
	}
	must(p.Portal.SignIn.SendCode(ctx, here, progress.Ticket, number.ID))(t)
	p.Set("factors.app", "on")
	ok(t, change(p, true, "factors.sms", "off"))
	_, err = p.Portal.SignIn.Factor(ctx, here, progress.Ticket, number.ID, codeTo(t, p, number.Address))
	refused(t, err, core.CodeMethodOff, "factor")
	_, err = p.Portal.SignIn.SendCode(ctx, here, progress.Ticket, number.ID)
	refused(t, err, core.CodeMethodOff, "factor")
	stands(t, must(p.Portal.SignIn.Factor(ctx, here, progress.Ticket, a.ID, a.next(p)))(t), core.StepDone)

	ok(t, change(p, true, "factors.app", "off")) // Losing named her: now the password is enough
	begin(t, p, here, "mara", core.StepDone)
}
