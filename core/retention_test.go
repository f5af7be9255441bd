package core_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"postern/core"
	"postern/core/coretest"
)

// yearLater is a portal in which something of everything has become old: a trail,
// an ended session, a message, and people who no longer sign in.
func yearLater(t testing.TB) (p *coretest.Place, away, here core.Actor) {
	t.Helper()
	p = coretest.Open(t)
	p.Set("retention.audit_days", "180", "retention.session_days", "30", "retention.outbox_days", "30",
		"retention.inactive_days", "300", "retention.inactive_warn_days", "14", "session.idle_minutes", "30")
	away = p.SignUp("mara")
	p.SignUp("noor")
	p.ConfirmEmail(away)
	must(p.Audit.SealNow(ctx))(t)
	p.Clock.Advance(364 * day)
	here = p.SignIn("noor")
	must(p.Portal.SignIn.StepUp(ctx, p.SignIn("lin"), coretest.Password))(t)
	must(p.Sweep(ctx, p.Clock.Now()))(t)
	p.Clock.Advance(day)
	must(p.Audit.SealNow(ctx))(t)
	return p, away, here
}

// What would go is counted, and just that goes; nothing that is younger.
func TestRetentionAfterAYear(t *testing.T) {
	p, away, _ := yearLater(t)
	owner := p.SignIn("lin")
	seen := 0
	want := must(p.Retention.Preview(ctx, owner, func(done, total int) { seen = total - done }))(t)
	if want.Entries == 0 || want.Sessions != 0 || want.Warned != 1 || want.Accounts != 0 || want.Oldest.IsZero() || seen != 0 {
		t.Fatalf("the preview is %+v, %d were not looked at", want, seen)
	}
	before := p.Dump()
	again := must(p.Retention.Preview(ctx, owner, nil))(t)
	if again != want {
		t.Errorf("counted again: %+v", again)
	}
	same(t, substance(before), substance(p.Dump()))
	got := must(p.Retention.Run(ctx, owner, nil))(t)
	if want.Oldest = (time.Time{}); got != want {
		t.Errorf("announced %+v, gone %+v", want, got)
	}
	for _, e := range p.Trail() {
		if p.Clock.Now().Sub(e.At) > 181*day {
			t.Errorf("still there: %+v", e)
		}
	}
	if r := verify(t, p, ""); r.Found != 0 || r.Cut != uint64(want.Entries) {
		t.Errorf("the chain after it: %+v", r)
	}
	e := newest(t, p, core.ActRetention)
	if e.After["entries"] != itoa(want.Entries) || e.After["warned"] != "1" || e.Actor != owner.Account {
		t.Errorf("the entry is %+v", e)
	}
	if w := newest(t, p, core.ActInactiveWarn); w.About != away.Account || w.Actor != core.ActorSystem {
		t.Errorf("the warning is %+v", w)
	}
	whole(t, p)
}

// A person who is warned and signs in stays; one who does not is deleted when the
// days are over, not a day earlier, with a receipt.
func TestInactiveAccountsAreWarnedFirst(t *testing.T) {
	p, away, _ := yearLater(t)
	must(p.Retention.Run(ctx, coretest.Console(), nil))(t)
	for range 13 {
		p.Clock.Advance(day)
		if got := must(p.Retention.Run(ctx, coretest.Console(), nil))(t); got.Warned+got.Accounts != 0 {
			t.Fatalf("too early: %+v", got)
		}
	}
	again := p.SignIn("mara")
	wasTold(t, p, again, core.NoticeInactive)
	p.Clock.Advance(30 * day)
	if got := must(p.Retention.Run(ctx, coretest.Console(), nil))(t); got.Warned+got.Accounts != 0 || gone(t, p, away.Account) {
		t.Fatalf("signed in, and all the same: %+v", got)
	}
	p.Clock.Advance(290 * day)
	if got := must(p.Retention.Run(ctx, coretest.Console(), nil))(t); got.Warned != 2 {
		t.Fatalf("warned anew: %+v", got)
	}
	p.Clock.Advance(14 * day)
	if got := must(p.Retention.Run(ctx, coretest.Console(), nil))(t); got.Accounts != 2 || !gone(t, p, away.Account) {
		t.Fatalf("when the days are over: %+v", got)
	}
	r := must(p.Requests.List(ctx, coretest.Console(), "deleted", "", 10))(t).Requests
	if len(r) != 2 || r[0].Process != core.ProcessRetention || r[0].Receipt == nil || r[0].By != core.ActorSystem {
		t.Errorf("what is left: %+v", r)
	}
	if gone(t, p, p.Owner.Account) {
		t.Error("the owner has gone as well")
	}
	whole(t, p)
}

// A warning is acted on when the time that it told is over, and at no other: whatever
// kept retention from it then, people are warned anew and get all their days again.
// What is counted before is what happens.
func TestAnOldWarningIsNotActedOn(t *testing.T) {
	console := coretest.Console()
	hold := func(until time.Duration) func(*testing.T, *coretest.Place) {
		return func(t *testing.T, p *coretest.Place) {
			end := time.Time{}
			if until > 0 {
				end = p.Clock.Now().Add(until)
			}
			must(p.Retention.Hold(ctx, console, "mara", "court", end))(t)
		}
	}
	release := func(t *testing.T, p *coretest.Place) { ok(t, p.Retention.Release(ctx, console, "mara")) }
	rule := func(days string) func(*testing.T, *coretest.Place) {
		return func(_ *testing.T, p *coretest.Place) { p.Set("retention.inactive_days", days) }
	}
	run := func(t *testing.T, p *coretest.Place) { must(p.Retention.Run(ctx, console, nil))(t) }
	wait := func(days int) func(*testing.T, *coretest.Place) {
		return func(_ *testing.T, p *coretest.Place) { p.Clock.Advance(time.Duration(days) * day) }
	}
	daily := func(days int) func(*testing.T, *coretest.Place) {
		return func(t *testing.T, p *coretest.Place) {
			for range days {
				wait(1)(t, p)
				run(t, p)
			}
		}
	}
	asked := func(t *testing.T, p *coretest.Place) { must(p.Requests.MakeFor(ctx, console, "mara", "", ""))(t) }
	taken := func(t *testing.T, p *coretest.Place) {
		r := must(p.Requests.List(ctx, console, core.StateOpen, "", 1))(t).Requests[0]
		must(p.Requests.Cancel(ctx, console, r.ID, ""))(t)
	}
	var role core.Grant
	auditor := func(t *testing.T, p *coretest.Place) { role = give(t, p, console, "mara", core.RoleAuditor) }
	retires := func(t *testing.T, p *coretest.Place) { ok(t, p.Access.End(ctx, console, role.ID, "")) }
	const anew, acted, kept = "warned anew", "deleted", "kept"
	type steps []func(*testing.T, *coretest.Place)
	for name, c := range map[string]struct {
		then steps
		want string
	}{
		"nothing between":                   {steps{wait(30)}, acted},
		"every day a run":                   {steps{daily(29), wait(1)}, acted},
		"a run is late by two days":         {steps{wait(32)}, acted},
		"a run is late by three days":       {steps{wait(33)}, anew},
		"the portal was off for two months": {steps{wait(60)}, anew},
		"off, and on much later":            {steps{rule("0"), daily(2), wait(500), run, rule("365")}, anew},
		"off, and on much later, no run":    {steps{rule("0"), wait(500), rule("365")}, anew},
		"off over its end":                  {steps{rule("0"), daily(30), rule("100")}, anew},
		"off and on the same day":           {steps{rule("0"), wait(0), rule("100"), daily(29), wait(1)}, acted},
		"raised over its end":               {steps{rule("200"), daily(99), rule("100")}, anew},
		"raised, and due again":             {steps{rule("200"), daily(98), wait(2)}, anew},
		"raised, and it is not due":         {steps{rule("200"), daily(29), wait(1)}, kept},
		"raised and lowered the same day":   {steps{rule("200"), rule("100"), daily(29), wait(1)}, acted},
		"lowered":                           {steps{rule("50"), daily(29), wait(1)}, acted},
		"more days to warn":                 {steps{func(_ *testing.T, p *coretest.Place) { p.Set("retention.inactive_warn_days", "60") }, wait(30)}, acted},
		"held":                              {steps{hold(0), wait(30)}, kept},
		"held and released much later":      {steps{hold(0), daily(3), wait(300), release}, anew},
		"held and released, no run":         {steps{hold(0), wait(31), release}, anew},
		"held and released in its days":     {steps{hold(0), wait(1), release, wait(29)}, anew},
		"a hold that ends":                  {steps{hold(20 * day), wait(30)}, anew},
		"asked for and taken back":          {steps{asked, daily(30), taken}, anew},
		"held a role":                       {steps{auditor, daily(30), retires}, anew},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := coretest.Open(t)
			long(p)
			mara := p.SignUp("mara")
			ok(t, p.Portal.Sessions.End(ctx, mara, mara.Session))
			p.Set("retention.inactive_days", "100", "retention.inactive_warn_days", "30", "retention.audit_days", "730")
			runs := func() string {
				want := must(p.Retention.Preview(ctx, console, nil))(t)
				got := must(p.Retention.Run(ctx, console, nil))(t)
				if got != want {
					t.Errorf("announced %+v, done %+v", want, got)
				}
				switch {
				case got.Warned == 1 && got.Accounts == 0 && !gone(t, p, mara.Account):
					return anew
				case got.Warned == 0 && got.Accounts == 1 && gone(t, p, mara.Account):
					return acted
				}
				return kept
			}
			p.Clock.Advance(101 * day)
			if got := runs(); got != anew {
				t.Fatal("not warned at all:", got)
			}
			for _, step := range c.then {
				step(t, p)
			}
			if got := runs(); got != c.want {
				t.Fatalf("%s, want %s", got, c.want)
			}
			if c.want == anew {
				daily(29)(t, p)
				if gone(t, p, mara.Account) {
					t.Fatal("deleted before its days were over")
				}
				p.Clock.Advance(day)
				if got := runs(); got != acted {
					t.Errorf("%s when its days were over", got)
				}
			}
			whole(t, p)
		})
	}
}

// No setting of retention removes what its preview does not count: dry runs have
// days of their own.
func TestDryRunsHaveDaysOfTheirOwn(t *testing.T) {
	p := coretest.Open(t, coretest.WithAnalysis(coretest.InProcess{}, nil))
	p.Set("retention.outbox_days", "1")
	p.SignUp("mara")
	saved(t, p, "check", "hold('later')")
	must(p.Analysis.DryRun(ctx, coretest.Console(), core.DryInput{Name: "check", User: "mara"}))(t)
	for _, c := range []struct{ after, want int }{{29, 1}, {2, 0}} {
		p.Clock.Advance(time.Duration(c.after) * day)
		must(p.Sweep(ctx, p.Clock.Now()))(t)
		if n := len(must(p.Analysis.Runs(ctx, coretest.Console(), "", "", 10))(t).Runs); n != c.want {
			t.Errorf("%d runs are left, want %d", n, c.want)
		}
	}
}

// A session that goes on, and a key that is used, are signs of life.
func TestWhoIsStillThereIsNotInactive(t *testing.T) {
	p := coretest.Open(t)
	p.Set("retention.inactive_days", "30", "session.lifetime", "12 months", "session.idle_minutes", "0")
	mara := p.SignUp("mara")
	live := must(p.Sessions.Attach(ctx, mara))(t)
	p.Clock.Advance(40 * day)
	live.Touch()
	live.Close()
	if got := must(p.Retention.Run(ctx, coretest.Console(), nil))(t); got.Warned != 0 {
		t.Errorf("%+v", got)
	}
}

// A hold keeps an account from retention and from every kind of deletion.
func TestAHoldKeeps(t *testing.T) {
	p, away, _ := yearLater(t)
	console := coretest.Console()
	_, err := p.Retention.Hold(ctx, console, "mara", " ", time.Time{})
	refused(t, err, core.CodeRequired, "reason")
	_, err = p.Retention.Hold(ctx, console, "mara", "court", p.Clock.Now())
	refused(t, err, core.CodeEndPast, "until")
	_, err = p.Retention.Hold(ctx, p.SignIn("noor"), "mara", "court", time.Time{})
	refused(t, err, core.CodeDenied, "")
	h := must(p.Retention.Hold(ctx, console, "mara", "court", p.Clock.Now().Add(100*day)))(t)
	if h.UserName != "mara" || h.By != core.ActorConsole {
		t.Errorf("%+v", h)
	}
	if got := must(p.Retention.Run(ctx, console, nil))(t); got.Held != 1 || got.Warned != 0 {
		t.Errorf("%+v", got)
	}
	r := must(p.Requests.MakeFor(ctx, console, "mara", "", ""))(t)
	if r = must(p.Requests.Approve(ctx, console, r.ID, "", "mara"))(t); r.State != core.RequestHeld || r.Why != core.HeldRetained {
		t.Errorf("approved: %+v", r)
	}
	must(p.Requests.Cancel(ctx, console, r.ID, ""))(t)
	atOnce(t, p, "0")
	if r = must(p.Requests.MakeFor(ctx, console, "mara", "", ""))(t); r.State != core.RequestHeld || gone(t, p, away.Account) {
		t.Errorf("at once: %+v", r)
	}
	if list := must(p.Retention.Holds(ctx, console, "", 10))(t).Holds; len(list) != 1 || list[0].Reason != "court" {
		t.Errorf("%+v", list)
	}
	ok(t, p.Retention.Release(ctx, console, "mara"))
	refused(t, p.Retention.Release(ctx, console, "mara"), core.CodeNotFound, "hold")
	must(p.Requests.Approve(ctx, console, r.ID, "", "mara"))(t)
	if !gone(t, p, away.Account) {
		t.Error("released, and still kept")
	}
	whole(t, p)
}

// A hold that ends by itself keeps no longer, also when it begins while the days
// of grace run.
func TestAHoldEnds(t *testing.T) {
	p := coretest.Open(t)
	long(p)
	atOnce(t, p, "7")
	mara := p.SignUp("mara")
	r := asksDeletion(t, p, mara, "mara")
	must(p.Retention.Hold(ctx, coretest.Console(), "mara", "audit", p.Clock.Now().Add(30*day)))(t)
	p.Clock.Advance(8 * day)
	must(p.Requests.RunDue(ctx))(t)
	if r = must(p.Requests.Get(ctx, coretest.Console(), r.ID))(t).Request; r.State != core.RequestHeld || r.Why != core.HeldRetained {
		t.Fatalf("%+v", r)
	}
	p.Clock.Advance(30 * day)
	must(p.Requests.Approve(ctx, coretest.Console(), r.ID, "", "mara"))(t)
	p.Clock.Advance(8 * day)
	must(p.Requests.RunDue(ctx))(t)
	if !gone(t, p, mara.Account) {
		t.Error("kept though the hold has ended")
	}
}

// Retention runs by itself once a day, also when the portal is opened anew.
func TestRetentionRunsDaily(t *testing.T) {
	p, _, _ := yearLater(t)
	ran, got, err := p.Retention.Daily(ctx)
	if err != nil || !ran || got.Warned != 1 || got.Entries == 0 {
		t.Fatalf("%t %+v %v", ran, got, err)
	}
	if e := newest(t, p, core.ActRetention); e.Actor != core.ActorSystem || e.After["warned"] != "1" {
		t.Errorf("the entry is %+v", e)
	}
	again := coretest.New(t, coretest.WithStore(p.DB), coretest.WithClock(p.Clock))
	for range 23 {
		p.Clock.Advance(time.Hour)
		if ran, _, err := again.Retention.Daily(ctx); ran || err != nil {
			t.Fatalf("ran again within a day: %v", err)
		}
	}
	p.Clock.Advance(time.Hour)
	entries := len(p.Trail())
	if ran, got, err := again.Retention.Daily(ctx); !ran || err != nil || !got.Nothing() {
		t.Errorf("%t %+v %v", ran, got, err)
	}
	if len(p.Trail()) != entries {
		t.Error("a run that did nothing is in the trail")
	}
}

// Interrupted at any point, retention goes on the next time to the same end.
func TestRetentionMayBeInterrupted(t *testing.T) {
	whole := func(interrupt int) (map[string]string, core.RetentionCount) {
		p, _, _ := yearLater(t)
		for range 30 {
			acts(t, p, p.SignIn("noor"), 9)
			must(p.Audit.SealNow(ctx))(t)
		}
		p.Clock.Advance(200 * day)
		must(p.Audit.SealNow(ctx))(t)
		n := 0
		stopped, stop := context.WithCancel(ctx)
		defer stop()
		_, err := p.Retention.Run(stopped, coretest.Console(), func(int, int) {
			if n++; n == interrupt {
				stop()
			}
		})
		if interrupt > 0 && n >= interrupt && err == nil && n < 30 {
			t.Error("not interrupted")
		}
		got, err := p.Retention.Run(ctx, coretest.Console(), nil)
		ok(t, err)
		if r := verify(t, p, ""); r.Found != 0 {
			t.Errorf("after %d: %+v", interrupt, r)
		}
		var faults []string
		ok(t, p.Check(ctx, func(s string) { faults = append(faults, s) }))
		if len(faults) > 0 {
			t.Errorf("after %d: %v", interrupt, faults)
		}
		left := map[string]string{}
		for _, e := range p.Trail() {
			if e.Action != core.ActRetention && e.Action != core.ActAuditVerify {
				left[fmt.Sprint(e.At.Unix(), e.Action)] = ""
			}
		}
		return left, got
	}
	want, _ := whole(0)
	for _, n := range []int{1, 2, 7, 20} {
		got, _ := whole(n)
		if len(got) != len(want) {
			t.Errorf("interrupted at %d: %d are left, want %d", n, len(got), len(want))
		}
	}
}

// Nothing goes that is a day too young, and nothing stays in a block that is old.
func TestRetentionKeepsWhatIsYoung(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := coretest.Open(t)
		long(p)
		days := rapid.IntRange(7, 60).Draw(rt, "days")
		p.Set("retention.audit_days", itoa(days))
		me := p.SignUp("mara")
		for range rapid.IntRange(1, 8).Draw(rt, "blocks") {
			acts(t, p, me, rapid.IntRange(1, 5).Draw(rt, "entries"))
			must(p.Audit.SealNow(ctx))(t)
			p.Clock.Advance(time.Duration(rapid.IntRange(1, 20).Draw(rt, "apart")) * day)
		}
		young := 0
		limit := p.Clock.Now().Add(-time.Duration(days) * day)
		for _, e := range p.Trail() {
			if !e.At.Before(limit) {
				young++
			}
		}
		must(p.Retention.Run(ctx, coretest.Console(), nil))(t)
		left := 0
		for _, e := range p.Trail() {
			if e.Action != core.ActRetention && !e.At.Before(limit) {
				left++
			}
			if e.At.Before(limit.Add(-time.Minute)) {
				rt.Fatalf("older than %d days: %v", days, e.At)
			}
		}
		if left != young {
			rt.Fatalf("%d were young, %d are left", young, left)
		}
	})
}

func retentionFlows() []flow {
	return []flow{
		{name: "hold an account", prepare: func(_ *testing.T, p *coretest.Place) func() error {
			return func() error { _, err := p.Retention.Hold(ctx, p.Owner, "mara", "court", time.Time{}); return err }
		}},
		{name: "release an account", prepare: func(t *testing.T, p *coretest.Place) func() error {
			must(p.Retention.Hold(ctx, p.Owner, "mara", "court", time.Time{}))(t)
			return func() error { return p.Retention.Release(ctx, p.Owner, "mara") }
		}},
		{name: "hold an account, not allowed", denied: true, prepare: func(_ *testing.T, p *coretest.Place) func() error {
			me := p.SignIn("mara")
			return func() error { _, err := p.Retention.Hold(ctx, me, "lin", "why", time.Time{}); return err }
		}},
	}
}
