package core_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
	"postern/store"
)

// overview reads it at the machine's own console, whose sessions do not end.
func overview(t testing.TB, p *coretest.Place, span core.OverviewSpan) core.Overview {
	t.Helper()
	return must(p.Overview.Show(ctx, coretest.Console(), span))(t)
}

// sum adds the bars of an overview up.
func sum(o core.Overview) (c core.Counts) {
	for _, b := range o.Bars {
		c.SignIns += b.SignIns
		c.Refused += b.Refused
		c.SignUps += b.SignUps
	}
	return c
}

// nothingFound fails the test when the check finds something.
func nothingFound(t *testing.T, p *coretest.Place) {
	t.Helper()
	for _, problem := range checked(t, p.Portal) {
		t.Error(problem)
	}
}

func TestASignInCountsOnceWhenItsSessionBegins(t *testing.T) {
	p := coretest.Open(t)
	mara := p.SignUp("mara")
	if got := sum(overview(t, p, core.OverviewHour)); got != (core.Counts{SignUps: 1}) {
		t.Fatalf("after a sign-up: %+v", got)
	}
	p.SignIn("mara")
	app := enrolApp(t, p, p.SignIn("mara"), "phone")
	// A password alone is half a sign-in.
	half := must(p.Portal.SignIn.Password(ctx, here, "mara", coretest.Password))(t)
	if half.Step != core.StepFactor {
		t.Fatal(half.Step)
	}
	if got := sum(overview(t, p, core.OverviewHour)); got.SignIns != 2 {
		t.Fatalf("half a sign-in counts: %+v", got)
	}
	p.Clock.Advance(time.Minute)
	signsIn(t, p, here, "mara", app)
	if got := sum(overview(t, p, core.OverviewHour)); got.SignIns != 3 {
		t.Fatalf("with a factor: %+v", got)
	}
	// One with a one-time code comes to its session by the new password.
	code := issue(t, p, "mara")
	progress := must(p.Portal.SignIn.Code(ctx, here, "mara", code))(t)
	p.Clock.Advance(time.Minute)
	_ = progress
	_, _ = p.TrySignIn(here, "mara", "wrong and wrong again")
	_, _ = p.TrySignIn(here, "nobody", "wrong and wrong again")
	_, _ = p.Portal.SignIn.StepUp(ctx, mara, "wrong and wrong again") // no sign-in
	if got := sum(overview(t, p, core.OverviewHour)); got.Refused != 2 || got.SignIns != 3 {
		t.Fatalf("after two refusals: %+v", got)
	}
	nothingFound(t, p)
}

func TestASignInByAForcedChangeCounts(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	progress := must(p.Portal.SignIn.Code(ctx, here, "mara", issue(t, p, "mara")))(t)
	if progress.Step != core.StepChangePassword {
		t.Fatal(progress.Step)
	}
	before := sum(overview(t, p, core.OverviewHour)).SignIns
	must(p.Portal.SignIn.ChangePassword(ctx, here, progress.Ticket, strong))(t)
	if got := sum(overview(t, p, core.OverviewHour)).SignIns; got != before+1 {
		t.Errorf("%d sign-ins, want %d", got, before+1)
	}
	// A password that is changed by somebody who is signed in is no sign-in.
	me := must(p.TrySignIn(here, "mara", strong))(t)
	must(p.Accounts.ChangePassword(ctx, here.With(me), strong, coretest.Password, true))(t)
	if got := sum(overview(t, p, core.OverviewHour)).SignIns; got != before+2 {
		t.Errorf("%d sign-ins, want %d", got, before+2)
	}
	nothingFound(t, p)
}

// Whatever the sweep has added up, and however often, the sums stay.
func TestTheSweepKeepsEveryCount(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	want := core.Counts{SignUps: 1}
	for range 30 {
		p.Clock.Advance(5 * time.Hour)
		p.SignIn("mara")
		want.SignIns++
		_, _ = p.TrySignIn(here, "mara", "wrong and wrong again")
		want.Refused++
		must(p.Sweep(ctx, p.Clock.Now()))(t)
		must(p.Sweep(ctx, p.Clock.Now()))(t)
		if got := sum(overview(t, p, core.OverviewDay)); got != want {
			t.Fatalf("days: %+v, want %+v", got, want)
		}
		if got := sum(overview(t, p, core.OverviewWeek)); got != want {
			t.Fatalf("weeks: %+v, want %+v", got, want)
		}
	}
	if got := sum(overview(t, p, core.OverviewHour)); got.SignIns != 5 {
		t.Errorf("the last 24 hours: %+v, want 5 sign-ins", got) // one every 5 hours, the present one among them
	}
	nothingFound(t, p)
	if n := records(p.Dump(), "count"); n > 16 {
		t.Errorf("%d records of hours that have gone", n)
	}
}

func TestCountsLieInTheirHourDayAndWeek(t *testing.T) {
	p := coretest.Open(t) // Monday 2 March 2026, 9:00 UTC
	p.SignUp("mara")
	p.Clock.Advance(14*time.Hour + 59*time.Minute) // Monday, 23:59
	p.SignIn("mara")
	p.Clock.Advance(time.Minute) // Tuesday, 0:00
	p.SignIn("mara")
	p.SignIn("mara")
	o := overview(t, p, core.OverviewHour)
	if n := len(o.Bars); n != 24 || o.Bars[23].SignIns != 2 || o.Bars[22].SignIns != 1 || o.Bars[8].SignUps != 1 {
		t.Errorf("hours: %+v", o.Bars)
	}
	o = overview(t, p, core.OverviewDay)
	if n := len(o.Bars); n != 14 || o.Bars[13].SignIns != 2 || o.Bars[12].SignIns != 1 {
		t.Errorf("days: %+v", o.Bars)
	}
	p.Clock.Advance(6 * 24 * time.Hour) // the next Monday
	p.SignIn("mara")
	o = overview(t, p, core.OverviewWeek)
	if n := len(o.Bars); n != 12 || o.Bars[11].SignIns != 1 || o.Bars[10].SignIns != 3 || o.Bars[11].Begin.Weekday() != time.Monday {
		t.Errorf("weeks: %+v", o.Bars)
	}
}

// Many writers of one hour would wait for each other at one record.
func TestAnHourIsSpreadOverSeveralRecords(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	for range 40 {
		p.SignIn("mara")
	}
	if n := records(p.Dump(), "count"); n < 4 || n > 8 {
		t.Errorf("%d records for one hour, want 8 or a few less", n)
	}
	var came atomic.Int64
	came.Store(40)
	parallel(20, func(int) {
		// Of many tries at one name at once some are told to come again.
		if _, err := p.TrySignIn(here, "mara", coretest.Password); err == nil {
			came.Add(1)
		}
	})
	if got := sum(overview(t, p, core.OverviewHour)).SignIns; int64(got) != came.Load() {
		t.Errorf("%d sign-ins, want %d", got, came.Load())
	}
	nothingFound(t, p)
}

func TestOldCountsAreDropped(t *testing.T) {
	p := coretest.Open(t)
	p.Clock.Advance(3 * time.Hour)
	must(p.Sweep(ctx, p.Clock.Now()))(t)
	p.SignUp("mara")
	p.Clock.Advance(3 * time.Hour)
	must(p.Sweep(ctx, p.Clock.Now()))(t)
	if records(p.Dump(), "count_hour") != 1 || records(p.Dump(), "count_day") != 1 {
		t.Fatal("not added up")
	}
	p.Clock.Advance(9 * 24 * time.Hour)
	if s := must(p.Sweep(ctx, p.Clock.Now()))(t); s.Counts != 1 || records(p.Dump(), "count_hour") != 0 {
		t.Errorf("after nine days %d are dropped", s.Counts)
	}
	p.Clock.Advance(392 * 24 * time.Hour)
	if s := must(p.Sweep(ctx, p.Clock.Now()))(t); s.Counts != 1 || records(p.Dump(), "count_day") != 0 {
		t.Errorf("after 401 days %d are dropped", s.Counts)
	}
}

func TestAccountsAreCountedByState(t *testing.T) {
	p := coretest.Open(t)
	for _, name := range []string{"mara", "noor", "bram"} {
		p.SignUp(name)
	}
	p.Set("sign_up.mode", "approval")
	for _, name := range []string{"kim", "ola", "uma"} {
		p.SignUp(name)
	}
	ok(t, p.Accounts.Approve(ctx, p.Owner, "kim"))
	ok(t, p.Accounts.Reject(ctx, p.Owner, "ola", "unknown"))
	ok(t, p.Accounts.Suspend(ctx, p.Owner, "bram", "away"))
	refused(t, p.Accounts.Suspend(ctx, p.Owner, "lin", ""), core.CodeLastOwner, "")
	got := fmt.Sprint(overview(t, p, core.OverviewHour).States)
	if want := "map[active:4 pending:1 rejected:1 suspended:1]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	ok(t, p.Accounts.Resume(ctx, p.Owner, "bram"))
	nothingFound(t, p)
}

// Random lives with factors: the counters say what a count of all records says.
func TestFactorsAreCountedWhateverHappens(t *testing.T) {
	p := coretest.Open(t)
	p.Set("factors.email", "on")
	dice := rand.New(rand.NewPCG(7, 7))
	names := []string{"mara", "noor", "bram", "kim"}
	for _, n := range names {
		p.SignUp(n)
	}
	for i := range 120 {
		p.Clock.Advance(time.Minute)
		p.Owner = p.SignIn("lin")
		name := names[dice.IntN(len(names))]
		switch dice.IntN(8) {
		case 0:
			if me, err := p.TrySignIn(here, name, coretest.Password); err == nil {
				e := must(p.Factors.Begin(ctx, here.With(me), "", core.FactorApp, ""))(t)
				a := app{secret: secretOf(t, e)}
				must(p.Factors.Confirm(ctx, here.With(me), "", e.ID, a.at(p.Clock.Now()), fmt.Sprint("app", i)))(t)
			}
		case 1:
			_, _ = p.Keys.AddTo(ctx, p.Owner, name, edLine(t), "")
		case 2:
			_, _ = p.Accounts.ResetFactors(ctx, p.Owner, name)
		case 3:
			_ = p.Accounts.Suspend(ctx, p.Owner, name, "")
		case 4:
			_ = p.Accounts.Resume(ctx, p.Owner, name)
		case 5:
			if d := must(p.Accounts.Show(ctx, p.Owner, name))(t); len(d.Keys) > 0 {
				ok(t, p.Keys.RemoveOf(ctx, p.Owner, name, d.Keys[0].Fingerprint))
			}
		case 6:
			_, _ = p.Keys.Until(p.Clock.Now().Add(time.Duration(dice.IntN(20)+1)*time.Minute)).AddTo(ctx, p.Owner, name, edLine(t), "")
		case 7:
			must(p.Sweep(ctx, p.Clock.Now()))(t)
		}
		if i%10 == 9 {
			nothingFound(t, p)
		}
	}
}

// The counters of data that an older program wrote are made when it is opened.
func TestOlderDataIsCountedWhenItIsOpened(t *testing.T) {
	p := coretest.Open(t)
	p.Clock.Advance(time.Minute)
	enrolApp(t, p, p.SignUp("mara"), "phone")
	ok(t, p.Keys.Link(ctx, withKey(p.SignUp("noor"), "SHA256:noor"), ""))
	ok(t, p.Accounts.Suspend(ctx, p.Owner, "noor", ""))
	p.SignUp("bram")
	ok(t, p.Site.BackUp(ctx, coretest.Console(), "b.bak", func() error { return nil }))
	p.Close()
	// What an older program does not have.
	ok(t, p.DB.Update(ctx, func(tx store.Tx) error {
		for _, table := range []string{"count", "count_hour", "count_day", "count_factor", "mark", "schema", "tally"} {
			pairs, err := tx.Scan([]byte(table+"\x00"), nil, 100)
			if err != nil {
				return err
			}
			for _, pair := range pairs {
				if err := tx.Delete(pair.Key); err != nil {
					return err
				}
			}
		}
		return nil
	}))
	q := coretest.New(t, coretest.WithStore(p.DB), coretest.WithClock(p.Clock))
	q.Owner = p.Owner
	q.Clock.Advance(2 * time.Hour)
	q.SignIn("bram")
	nothingFound(t, q)
	o := must(q.Overview.Show(ctx, coretest.Console(), core.OverviewHour))(t)
	if fmt.Sprint(o.Accounts, o.States) != "4 map[active:3 suspended:1]" {
		t.Errorf("%d accounts, %v", o.Accounts, o.States)
	}
	if fmt.Sprint(o.Factors) != "[{key 1} {app 1} {sms 0} {email 0}]" {
		t.Errorf("factors: %v", o.Factors)
	}
	if o.Backup.IsZero() || o.Since.IsZero() {
		t.Errorf("the last backup was %v; it is counted since %v", o.Backup, o.Since)
	}
}

func TestTheCheckFindsCountsThatAreWrong(t *testing.T) {
	for name, tt := range map[string]struct{ table, old, with, want string }{
		"hours":    {"count", `"sign_ups":1`, `"sign_ups":9`, "its trail"},
		"accounts": {"tally", `"active":`, `"rejected":`, "accounts (active)"},
		"factors":  {"count_factor", `"app":1`, `"sms":1`, "factors (app)"},
	} {
		t.Run(name, func(t *testing.T) {
			p := coretest.Open(t)
			enrolApp(t, p, p.SignUp("mara"), "phone")
			nothingFound(t, p)
			ok(t, p.DB.Update(ctx, func(tx store.Tx) error {
				for _, pair := range must(tx.Scan([]byte(tt.table+"\x00"), nil, 100))(t) {
					if changed := strings.Replace(string(pair.Value), tt.old, tt.with, 1); changed != string(pair.Value) {
						return tx.Put(pair.Key, []byte(changed))
					}
				}
				t.Fatalf("no %s in %s", tt.old, tt.table)
				return nil
			}))
			if found := strings.Join(checked(t, p.Portal), "\n"); !strings.Contains(found, tt.want) {
				t.Errorf("the check finds %q", found)
			}
		})
	}
}
