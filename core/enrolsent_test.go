// Enrolment of a phone or an address by a code that is sent there, and the
// account's own address.

package core_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

func TestACodeMakesAnAddressAFactor(t *testing.T) {
	for kind, c := range map[core.FactorKind]struct{ typed, to, label string }{
		core.FactorSMS:   {" 0055 (11) 5550-0112 ", "+551155500112", "+55 •• ••12"},
		core.FactorEmail: {" Ada.L@Example.NET ", "Ada.L@example.net", "A•••@example.net"},
	} {
		t.Run(string(kind), func(t *testing.T) {
			p := coretest.Open(t)
			withMessages(p)
			me := p.SignUp("mara")
			e := must(p.Factors.Begin(ctx, me, "", kind, c.typed))(t)
			if e.Kind != kind || e.Address != c.to || e.Secret != "" || e.URI != "" || e.Again != 30*time.Second {
				t.Fatalf("the enrolment is %+v", e)
			}
			if list := outbox(t, p, c.to); len(list) != 1 || list[0].Kind != core.MessageEnrolCode || list[0].Code != "" ||
				!list[0].Until.Equal(p.Clock.Now().Add(core.SentCodeFor)) {
				t.Fatalf("the outbox holds %+v", list)
			}
			code := codeTo(t, p, c.to)
			_, err := p.Factors.Confirm(ctx, me, "", e.ID, otherThan(code), "")
			says(t, err, core.Error{Code: core.CodeCodeWrong, Field: "code", N: 4})
			_, err = p.Factors.Confirm(ctx, me, "", e.ID, code[:5], "")
			refused(t, err, core.CodeCodeFormat, "code")
			f := must(p.Factors.Confirm(ctx, me, "", e.ID, code[:3]+" "+code[3:], ""))(t).Factor
			if f.Kind != kind || f.Address != c.to || f.Label != c.label || !f.Default {
				t.Errorf("the factor is %+v", f)
			}
			wasTold(t, p, me, core.NoticeFactorAdded)
			_, err = p.Factors.Confirm(ctx, me, "", e.ID, code, "")
			refused(t, err, core.CodeNotFound, "enrolment") // once
			p.Clock.Advance(time.Minute)
			_, err = p.Factors.Begin(ctx, me, "", kind, c.to)
			refused(t, err, core.CodeTaken, "address")
		})
	}
}

// ASVS 6.5.5, 6.6.3
func TestACodeToEnrolEnds(t *testing.T) {
	p := coretest.Open(t)
	withMessages(p)
	p.Set("session.idle_minutes", "0")
	me := p.SignUp("mara")
	const to = "+5511555500112"
	over := core.Error{Code: core.CodeCodeOver, Field: "code"}
	begin := func() (core.Enrolment, func(code string) error) {
		p.Clock.Advance(time.Hour)
		must(p.Portal.SignIn.StepUp(ctx, me, coretest.Password))(t)
		e := must(p.Factors.Begin(ctx, me, "", core.FactorSMS, to))(t)
		return e, func(code string) error { _, err := p.Factors.Confirm(ctx, me, "", e.ID, code, ""); return err }
	}
	_, try := begin()
	code := codeTo(t, p, to)
	p.Clock.Advance(core.SentCodeFor)
	says(t, try(code), over)

	_, try = begin()
	code = codeTo(t, p, to)
	for left := core.SentCodeTries - 1; left > 0; left-- {
		says(t, try(otherThan(code)), core.Error{Code: core.CodeCodeWrong, Field: "code", N: left})
	}
	says(t, try(otherThan(code)), core.Error{Code: core.CodeCodeOver, Field: "code", Rule: "tries"})
	says(t, try(code), over)

	e, try := begin()
	old := codeTo(t, p, to)
	p.Clock.Advance(time.Hour - 46*time.Minute)
	must(p.Factors.Resend(ctx, me, "", e.ID))(t)
	if code = codeTo(t, p, to); code != old {
		refused(t, try(old), core.CodeCodeWrong, "code") // the one before is dead
	}
	ok(t, try(code))
}

// Each further code waits longer, whatever it is for. ASVS 6.6.3, 6.6.4
func TestCodesAreSentAtGrowingWaits(t *testing.T) {
	p := coretest.Open(t)
	withMessages(p)
	p.Set("session.idle_minutes", "0", "session.lifetime", "12 months")
	me := p.SignUp("mara")
	const to = "+5511555500112"
	e := must(p.Factors.Begin(ctx, me, "", core.FactorSMS, to))(t)
	again, sent := e.Again, 1
	for _, want := range []time.Duration{30, 60, 120, 240, 480, 900, 900} {
		if want *= time.Second; again != want {
			t.Fatalf("told %v until the next, want %v", again, want)
		}
		p.Clock.Advance(want - time.Second)
		must(p.Portal.SignIn.StepUp(ctx, me, coretest.Password))(t)
		before := substance(p.Dump())
		wait := core.Error{Code: core.CodeWait, Field: "code", Wait: time.Second}
		_, err := p.Factors.Resend(ctx, me, "", e.ID)
		says(t, err, wait)
		_, err = p.Factors.Begin(ctx, me, "", core.FactorSMS, "+5511555500199") // nor elsewhere
		says(t, err, wait)
		same(t, before, substance(p.Dump()))
		p.Clock.Advance(time.Second)
		if want < core.EnrolFor {
			again = must(p.Factors.Resend(ctx, me, "", e.ID))(t)
		} else {
			e = must(p.Factors.Begin(ctx, me, "", core.FactorSMS, to))(t)
			again = e.Again
		}
		sent++
		if n := len(outbox(t, p, to)); n != sent {
			t.Fatalf("%d messages, want %d", n, sent)
		}
	}
	// Another service does not wait, and a code that was typed ends the waiting.
	must(p.Factors.Begin(ctx, me, "", core.FactorEmail, "ada@example.net"))(t)
	must(p.Factors.Confirm(ctx, me, "", e.ID, codeTo(t, p, e.Address), ""))(t)
	must(p.Portal.SignIn.SendCode(ctx, me, "", must(p.Factors.Mine(ctx, me))(t).Factors[0].ID))(t)
	_, err := p.Factors.Resend(ctx, me, "", must(p.Factors.Begin(ctx, me, "", core.FactorApp, ""))(t).ID)
	refused(t, err, core.CodeNotFound, "enrolment") // to an app nothing is sent
}

func TestWhatIsNoAddressIsSentNothing(t *testing.T) {
	p := coretest.Open(t)
	withMessages(p)
	me := p.SignUp("mara")
	for kind, list := range map[core.FactorKind][]string{
		core.FactorEmail: {"", " ", "ada", "ada@", "@example.net", "a b@example.net", "Ada <ada@example.net>", "ada@example.net,eve@example.net",
			"ada@example.net\r\nBcc: eve@example.net", "ada\r\n@example.net", "ada@exa\x00mple.net", "ada@\xff.net", strings.Repeat("a", 65) + "@example.net", strings.Repeat("x", 10<<10)},
		core.FactorSMS: {"", "5550112", "+", "+0115550112", "+55", "+551155501121234567", "+55 11 5550 x12", "tel:+551155500112", "+551155500112\r\n+5511555500199",
			"+551155500112\n", "+55\x0011555500112", "+5511\xff555500112", "++551155500112", strings.Repeat("1", 10<<10)},
	} {
		for _, address := range list {
			before := substance(p.Dump())
			e, err := p.Factors.Begin(ctx, me, "", kind, address)
			if err == nil {
				t.Fatalf("%.40q is sent a code, at %q", address, e.Address)
			}
			says(t, err, core.Error{Code: core.CodeFormat, Field: "address"})
			same(t, before, substance(p.Dump()))
		}
	}
}

func TestWithoutAnAllowanceNothingIsSent(t *testing.T) {
	p := coretest.Open(t)
	p.Set("factors.sms", "on", "messages.sms_allowance", "1")
	me, noor := p.SignUp("mara"), p.SignUp("noor")
	e := must(p.Factors.Begin(ctx, me, "", core.FactorSMS, "+5511555500112"))(t)
	before := substance(p.Dump())
	_, err := p.Factors.Begin(ctx, noor, "", core.FactorSMS, "+5511555500199")
	refused(t, err, core.CodeAllowance, "sms")
	same(t, before, substance(p.Dump()))
	p.Clock.Advance(time.Minute)
	_, err = p.Factors.Resend(ctx, me, "", e.ID)
	refused(t, err, core.CodeAllowance, "sms")
	must(p.Factors.Confirm(ctx, me, "", e.ID, codeTo(t, p, e.Address), ""))(t) // the one that was sent is good
}

func TestTheAccountsOwnAddressIsConfirmed(t *testing.T) {
	p := coretest.Open(t)
	withMessages(p)
	confirmed := func(a core.Actor) bool {
		return must(p.Accounts.CheckUp(ctx, a))(t).EmailConfirmed
	}
	update := func(a core.Actor, email string) {
		t.Helper()
		must(p.Accounts.UpdateProfile(ctx, a, core.ProfileInput{DisplayName: "M", Email: email}))(t)
	}
	t.Run("by a code to it", func(t *testing.T) {
		me := p.SignUp("mara")
		e := must(p.Factors.BeginAddress(ctx, me))(t)
		if list := outbox(t, p, "mara@example.org"); len(list) != 1 || list[0].Kind != core.MessageAddressCode || e.Address != "mara@example.org" {
			t.Fatalf("sent %+v", list)
		}
		_, err := p.Factors.Confirm(ctx, me, "", e.ID, otherThan(codeTo(t, p, e.Address)), "")
		refused(t, err, core.CodeCodeWrong, "code")
		if confirmed(me) {
			t.Error("it is confirmed before its code")
		}
		must(p.Factors.Confirm(ctx, me, "", e.ID, codeTo(t, p, e.Address), "no label is needed"))(t)
		if !confirmed(me) || records(p.Dump(), "factor") != 0 {
			t.Error("it is not confirmed, or became a factor")
		}
		_, err = p.Factors.BeginAddress(ctx, me)
		refused(t, err, core.CodeConflict, "email")
	})
	t.Run("by becoming a factor", func(t *testing.T) {
		me := p.SignUp("noor")
		enrolAddress(t, p, me, core.FactorEmail, "elsewhere@example.net")
		if confirmed(me) {
			t.Error("a code to another address confirms it")
		}
		p.Clock.Advance(time.Minute)
		enrolAddress(t, p, me, core.FactorEmail, "noor@example.org")
		if !confirmed(me) {
			t.Error("it is not confirmed")
		}
	})
	t.Run("not once it was changed", func(t *testing.T) {
		me := p.SignUp("ivo")
		e := must(p.Factors.BeginAddress(ctx, me))(t)
		update(me, "new@example.org")
		_, err := p.Factors.Confirm(ctx, me, "", e.ID, codeTo(t, p, "ivo@example.org"), "")
		refused(t, err, core.CodeConflict, "email")
		update(me, "")
		_, err = p.Factors.BeginAddress(ctx, me)
		refused(t, err, core.CodeRequired, "email")
	})
	// ASVS 6.3.7
	t.Run("and un-confirmed by a change, which the old one is told", func(t *testing.T) {
		me := p.SignUp("ada")
		e := must(p.Factors.BeginAddress(ctx, me))(t)
		must(p.Factors.Confirm(ctx, me, "", e.ID, codeTo(t, p, e.Address), ""))(t)
		update(me, "ada@new.example")
		if confirmed(me) {
			t.Error("nobody has shown that the new one is hers")
		}
		wasTold(t, p, me, core.NoticeEmailChanged)
		if list := outbox(t, p, "ada@example.org"); list[0].Kind != core.NoticeEmailChanged {
			t.Errorf("the old address was sent %+v", list[0])
		}
		if list := outbox(t, p, "ada@new.example"); len(list) != 0 {
			t.Errorf("the new address, which may be anybody's, was sent %+v", list)
		}
		update(me, "ada@third.example")
		if list := outbox(t, p, "ada@new.example"); slices.ContainsFunc(list, func(m core.Message) bool { return m.Kind == core.NoticeEmailChanged }) {
			t.Error("an address that was never confirmed was sent a notice")
		}
	})
}
