// Several factors of one account: labels, the default, removal, and who may see them.

package core_test

import (
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

func TestSeveralAppsTheDefaultFirst(t *testing.T) {
	p := coretest.Open(t)
	withMessages(p)
	me := p.SignUp("mara")
	phone, tablet := enrolApp(t, p, me, "phone"), enrolApp(t, p, me, "tablet")
	number := enrolAddress(t, p, me, core.FactorSMS, "+55 11 5550-0112")
	order := func() (labels string) {
		t.Helper()
		ways := begin(t, p, here, "mara", core.StepFactor).Ways
		for i, w := range ways {
			if w.Default != (i == 0) {
				t.Errorf("the default is %+v", ways)
			}
			labels += w.Label + " "
		}
		return labels
	}
	if got, want := order(), "phone tablet "+number.Label+" "; got != want {
		t.Errorf("asked for %q, want %q", got, want)
	}
	ok(t, p.Factors.SetDefault(ctx, me, number.ID))
	if got, want := order(), number.Label+" phone tablet "; got != want {
		t.Errorf("asked for %q, want %q", got, want)
	}
	// The code of one is none of the other.
	p.Clock.Advance(time.Minute)
	says(t, tries(t, p, here, "mara", tablet.ID, phone.at(p.Clock.Now())), core.Error{Code: core.CodeCodeWrong, Field: "code"})
	ok(t, tries(t, p, here, "mara", tablet.ID, tablet.at(p.Clock.Now())))
	ok(t, tries(t, p, here, "mara", phone.ID, phone.at(p.Clock.Now())))

	must(p.Portal.SignIn.StepUpFactor(ctx, me, phone.ID, phone.next(p)))(t)
	ok(t, p.Factors.Remove(ctx, me, number.ID)) // the strongest that is left becomes the default
	if got := order(); got != "phone tablet " {
		t.Errorf("asked for %q", got)
	}
}

func TestLabels(t *testing.T) {
	p := coretest.Open(t)
	me, other := p.SignUp("mara"), p.SignUp("noor")
	a := enrolApp(t, p, me, "phone")
	for label, code := range map[string]core.Code{
		"": core.CodeRequired, "  ": core.CodeRequired, strings.Repeat("x", core.MaxFactorLabel+1): core.CodeTooLong,
		"a\x1b[2Jb": core.CodeCharacter, "a\nb": core.CodeCharacter, "a\xffb": core.CodeEncoding, strings.Repeat("x", 10<<10): core.CodeTooLong,
	} {
		before := substance(p.Dump())
		refused(t, p.Factors.Rename(ctx, me, a.ID, label), code, "label")
		same(t, before, substance(p.Dump()))
	}
	ok(t, p.Factors.Rename(ctx, me, a.ID, "  old phone "))
	ok(t, p.Factors.Rename(ctx, me, a.ID, strings.Repeat("é", core.MaxFactorLabel)))
	ok(t, p.Factors.Rename(ctx, me, a.ID, "old phone"))
	if f := must(p.Factors.Mine(ctx, me))(t).Factors[0]; f.Label != "old phone" {
		t.Errorf("it is called %q", f.Label)
	}
	for _, who := range []core.Actor{other, p.Owner} { // another's is none
		refused(t, p.Factors.Rename(ctx, who, a.ID, "mine"), core.CodeNotFound, "factor")
		refused(t, p.Factors.SetDefault(ctx, who, a.ID), core.CodeNotFound, "factor")
		refused(t, p.Factors.Remove(ctx, who, a.ID), core.CodeNotFound, "factor")
	}
	for _, id := range []string{"", "x", strings.Repeat("x", 1<<16), me.Account} {
		refused(t, p.Factors.Rename(ctx, me, id, "mine"), core.CodeNotFound, "factor")
		refused(t, p.Factors.SetDefault(ctx, me, id), core.CodeNotFound, "factor")
		refused(t, p.Factors.Remove(ctx, me, id), core.CodeNotFound, "factor")
	}
	refused(t, p.Factors.Rename(ctx, coretest.Console(), a.ID, "mine"), core.CodeDenied, "")
	refused(t, p.Factors.Rename(ctx, here, a.ID, "mine"), core.CodeDenied, "")
}

// Any factor can be revoked, and what was begun before that ends. ASVS 6.5.6, 7.5.1
func TestRemovingAFactor(t *testing.T) {
	p := coretest.Open(t)
	me := p.SignUp("mara")
	a := enrolApp(t, p, me, "phone")
	p.Clock.Advance(core.StepUpFor + 1)
	before := substance(p.Dump())
	refused(t, p.Factors.Remove(ctx, me, a.ID), core.CodeStepUp, "")
	same(t, before, substance(p.Dump()))
	under := begin(t, p, here, "mara", core.StepFactor)
	must(p.Portal.SignIn.StepUpFactor(ctx, me, a.ID, a.next(p)))(t)
	ok(t, p.Factors.Remove(ctx, me, a.ID))
	wasTold(t, p, me, core.NoticeFactorRemoved)
	_, err := p.Portal.SignIn.Factor(ctx, here, under.Ticket, a.ID, a.next(p))
	refused(t, err, core.CodeTicket, "")
	p.SignIn("mara")
	if dump := p.Dump(); records(dump, "factor") != 0 {
		t.Error("its record is still there")
	}
}

// The weakness: whoever had only what does not count, a lost key or a factor whose
// method is off, could not even remove that while the policy demanded a factor.
func TestWhatDoesNotCountCanAlwaysBeRemoved(t *testing.T) {
	p := coretest.Open(t)
	withMessages(p)
	me := withKey(p.SignUp("mara"), "SHA256:mara")
	ok(t, p.Keys.Link(ctx, me, "lost"))
	number := enrolAddress(t, p, me, core.FactorSMS, "+5511555500112")
	p.Set("factors.key_stands", "nothing")
	ok(t, change(p, true, "factors.sms", "off", "factors.enforce", "everybody"))
	ok(t, p.Keys.Remove(ctx, me, "SHA256:mara", true))
	ok(t, p.Factors.Remove(ctx, me, number.ID))
}

// ASVS 6.3.3
func TestTheLastFactorStaysWhileOneIsDemanded(t *testing.T) {
	p := coretest.Open(t)
	p.Set("session.idle_minutes", "0")
	me, stranger := withKey(p.SignUp("mara"), "SHA256:mara"), p.SignUp("noor")
	phone, tablet := enrolApp(t, p, me, "phone"), enrolApp(t, p, me, "tablet")
	p.Set("factors.enforce", "everybody")
	ok(t, p.Factors.Remove(ctx, me, tablet.ID))
	before := substance(p.Dump())
	refused(t, p.Factors.Remove(ctx, me, phone.ID), core.CodeLastFactor, "")
	same(t, before, substance(p.Dump()))
	ok(t, p.Keys.Link(ctx, me, ""))
	ok(t, p.Factors.Remove(ctx, me, phone.ID)) // a key that stands for one is one
	before = substance(p.Dump())
	refused(t, p.Keys.Remove(ctx, me, "SHA256:mara", true), core.CodeLastFactor, "")
	same(t, before, substance(p.Dump()))
	p.Set("factors.enforce", "admins")
	ok(t, p.Keys.Remove(ctx, me, "SHA256:mara", true))

	// The weakness: whoever manages accounts took their own last one away by that.
	own := enrolApp(t, p, p.Owner, "phone")
	ok(t, p.Keys.Link(ctx, withKey(p.Owner, "SHA256:lin"), ""))
	ok(t, p.Factors.RemoveOf(ctx, p.Owner, "lin", own.ID))
	refused(t, p.Keys.RemoveOf(ctx, p.Owner, "lin", "SHA256:lin"), core.CodeLastFactor, "")
	own = enrolApp(t, p, p.Owner, "phone")
	ok(t, p.Keys.RemoveOf(ctx, p.Owner, "lin", "SHA256:lin"))
	refused(t, p.Factors.RemoveOf(ctx, p.Owner, "lin", own.ID), core.CodeLastFactor, "")

	// The weakness: a reset of all of them did what removing the last may not.
	save(t, p, p.Owner)
	before = substance(p.Dump())
	_, err := p.Accounts.ResetFactors(ctx, p.Owner, "lin")
	refused(t, err, core.CodeLastFactor, "")
	same(t, before, substance(p.Dump()))

	// Of others they may all the same: their person enrols anew.
	a := enrolApp(t, p, me, "phone")
	p.Set("factors.enforce", "everybody", "factors.days", "0")
	refused(t, p.Factors.RemoveOf(ctx, stranger, "mara", a.ID), core.CodeDenied, "")
	refused(t, p.Factors.RemoveOf(ctx, p.Owner, "noor", a.ID), core.CodeNotFound, "factor")
	ok(t, p.Factors.RemoveOf(ctx, p.Owner, "mara", a.ID))
	begin(t, p, here, "mara", core.StepEnrol)
	p.Set("factors.enforce", "nobody") // then it is one's own affair
	must(p.Accounts.ResetFactors(ctx, p.Owner, "lin"))(t)
}

// Whoever has lost everything starts anew. ASVS 6.4.4, 6.5.6
func TestResettingFactors(t *testing.T) {
	p := coretest.Open(t)
	withMessages(p)
	me, support := p.SignUp("mara"), p.SignUp("sue")
	grant(t, p, support.Account, core.RoleSupport)
	_, err := p.Accounts.ResetFactors(ctx, support, "mara")
	refused(t, err, core.CodeNoFactor, "")
	enrolApp(t, p, me, "phone")
	enrolAddress(t, p, me, core.FactorEmail, "mara@example.org")
	ok(t, p.Keys.Link(ctx, withKey(me, "SHA256:mara"), ""))
	save(t, p, me)
	under := begin(t, p, here, "mara", core.StepFactor)
	for _, who := range []core.Actor{me, here} {
		_, err = p.Accounts.ResetFactors(ctx, who, "mara")
		refused(t, err, core.CodeDenied, "")
	}
	_, err = p.Accounts.ResetFactors(ctx, support, "lin") // above
	refused(t, err, core.CodeDenied, "")
	p.Clock.Advance(core.StepUpFor + 1)
	_, err = p.Accounts.ResetFactors(ctx, support, "mara")
	refused(t, err, core.CodeStepUp, "")
	must(p.Portal.SignIn.StepUp(ctx, support, coretest.Password))(t)
	if n := must(p.Accounts.ResetFactors(ctx, support, "mara"))(t); n != 4 {
		t.Errorf("%d things were removed", n)
	}
	wasTold(t, p, me, core.NoticeFactorsReset)
	_, err = p.Portal.SignIn.Factor(ctx, here, under.Ticket, "x", "123456")
	refused(t, err, core.CodeTicket, "")
	p.SignIn("mara")
	if d := must(p.Accounts.Show(ctx, p.Owner, "mara"))(t); len(d.Factors)+len(d.Keys)+d.Recovery.Left != 0 {
		t.Errorf("left are %+v %+v %+v", d.Factors, d.Keys, d.Recovery)
	}
}

// The weakness: a lost key that stood for the password stayed, and opened the
// account alone when the app was gone. ASVS 6.4.4, 6.5.6
func TestAResetTakesKeysWhateverTheyStandFor(t *testing.T) {
	for _, stands := range []string{"nothing", "factor", "password", "off"} {
		for what, withApp := range map[string]bool{"a key": false, "a key and an app": true} {
			t.Run(stands+", "+what, func(t *testing.T) {
				p := coretest.Open(t)
				me, want := p.SignUp("mara"), 1
				if withApp {
					enrolApp(t, p, me, "phone")
					want = 2
				}
				ok(t, p.Keys.Link(ctx, withKey(me, "SHA256:lost"), ""))
				if stands == "off" {
					ok(t, change(p, true, "factors.key", "off"))
				} else if err := change(p, true, "factors.key_stands", stands); core.CodeOf(err) != core.CodeUnchanged { // "factor" is so already
					ok(t, err)
				}
				if n := must(p.Accounts.ResetFactors(ctx, p.Owner, "mara"))(t); n != want {
					t.Errorf("%d things were removed, want %d", n, want)
				}
				wasTold(t, p, me, core.NoticeFactorsReset)
				p.Set("factors.key", "on")
				lost := withKey(here, "SHA256:lost")
				_, err := p.Portal.SignIn.Key(ctx, lost)
				refused(t, err, core.CodeCredentials, "")
				_, err = p.Keys.Recognise(ctx, lost)
				refused(t, err, core.CodeDenied, "")
				begin(t, p, here, "mara", core.StepDone)
			})
		}
	}
}

// The weakness: recovery codes that were on somebody's screen when everything was
// reset could still be put in force.
func TestAResetTakesCodesThatWaitToo(t *testing.T) {
	p := coretest.Open(t)
	me := p.SignUp("mara")
	sheet := must(p.Factors.BeginRecovery(ctx, me))(t)
	must(p.Accounts.ResetFactors(ctx, p.Owner, "mara"))(t)
	refused(t, p.Factors.SaveRecovery(ctx, me, sheet.Seed), core.CodeNotFound, "codes")
}

// Others see which factors somebody has, and not the address. ASVS 14.2.6
func TestWhatOthersSeeOfFactors(t *testing.T) {
	p := coretest.Open(t)
	withMessages(p)
	me, support := p.SignUp("mara"), p.SignUp("sue")
	grant(t, p, support.Account, core.RoleSupport)
	enrolAddress(t, p, me, core.FactorSMS, "+5511555500112")
	enrolAddress(t, p, me, core.FactorEmail, "ada@example.net")
	ways := begin(t, p, here, "mara", core.StepFactor).Ways // whoever has the password alone
	shown := must(p.Factors.Of(ctx, support, "mara"))(t)
	detail := must(p.Accounts.Show(ctx, support, "mara"))(t)
	for i, want := range []string{"+55 •• ••12", "a•••@example.net"} {
		if got := ways[i].Hint; got != want {
			t.Errorf("a sign-in shows %q, want %q", got, want)
		}
		if a, b := shown.Factors[i].Address, detail.Factors[i].Address; a != want || b != want {
			t.Errorf("support sees %q and %q, want %q", a, b, want)
		}
	}
	own := must(p.Factors.Mine(ctx, me))(t)
	if own.Factors[0].Address != "+5511555500112" || own.Factors[1].Address != "ada@example.net" || !own.Enough || own.Must {
		t.Errorf("its person sees %+v", own)
	}
	_, err := p.Factors.Of(ctx, me, "lin")
	refused(t, err, core.CodeDenied, "")
	_, err = p.Factors.Of(ctx, support, "nobody")
	refused(t, err, core.CodeNotFound, "user")
	_, err = p.Factors.Mine(ctx, coretest.Console())
	refused(t, err, core.CodeDenied, "")
}
