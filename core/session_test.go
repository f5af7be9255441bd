package core_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"postern/core"
	"postern/core/coretest"
)

func TestSpansAreCountedAsPeopleDo(t *testing.T) {
	day := func(s string) time.Time { return must(time.Parse(time.DateTime, s))(t) }
	for _, c := range []struct{ begin, span, end string }{
		{"2026-03-01 10:00:00", "12 hours", "2026-03-01 22:00:00"},
		{"2026-12-31 23:00:00", "1 day", "2027-01-01 23:00:00"},
		{"2026-02-20 10:00:00", "2 weeks", "2026-03-06 10:00:00"},
		{"2026-01-31 10:00:00", "1 month", "2026-02-28 10:00:00"},
		{"2028-01-31 10:00:00", "1 month", "2028-02-29 10:00:00"},
		{"2026-11-30 10:00:00", "3 months", "2027-02-28 10:00:00"},
		{"2026-08-31 10:00:00", "1 month", "2026-09-30 10:00:00"},
		{"2026-05-15 10:00:00", "12 months", "2027-05-15 10:00:00"},
		{"2028-02-29 10:00:00", "12 months", "2029-02-28 10:00:00"},
	} {
		span := must(core.ParseSpan(c.span))(t)
		if got := span.After(day(c.begin)); !got.Equal(day(c.end)) {
			t.Errorf("%s after %s is %v, want %s", c.span, c.begin, got, c.end)
		}
	}
}

func TestSpanProperties(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		begin := time.Unix(rapid.Int64Range(0, 4e9).Draw(r, "begin"), 0).UTC()
		s := core.Span{N: rapid.IntRange(1, 12).Draw(r, "n"), Unit: rapid.SampledFrom([]core.SpanUnit{core.Hours, core.Days, core.Weeks, core.Months}).Draw(r, "unit")}
		end := s.After(begin)
		if !end.After(begin) {
			r.Fatalf("%v after %v is %v", s, begin, end)
		}
		if s.Unit == core.Months {
			if months := int(end.Month()) + 12*end.Year() - int(begin.Month()) - 12*begin.Year(); months != s.N || end.Day() > begin.Day() {
				r.Fatalf("%v after %v is %v", s, begin, end)
			}
		}
		var back core.Span
		text, _ := s.MarshalText()
		if err := back.UnmarshalText(text); err != nil || back != s {
			r.Fatalf("%s reads back as %v, %v", text, back, err)
		}
	})
}

// ASVS 7.3.1, 7.3.2
func TestSessionsEndByPolicy(t *testing.T) {
	for span, most := range map[string]time.Duration{
		"5 hours": 5 * time.Hour, "3 days": 72 * time.Hour, "2 weeks": 14 * 24 * time.Hour,
		"1 month": 31 * 24 * time.Hour, // from 2 March to 2 April
	} {
		t.Run(span, func(t *testing.T) {
			p := coretest.Open(t)
			p.Set("session.lifetime", span, "session.idle_minutes", "0")
			me := p.SignUp("mara")
			list := must(p.Sessions.Mine(ctx, me))(t)
			if want := coretest.Start.Add(most); !list[0].Ends.Equal(want) {
				t.Fatalf("ends %v, want %v", list[0].Ends, want)
			}
			p.Clock.Advance(most - 1)
			must(p.Accounts.Profile(ctx, me))(t)
			p.Clock.Advance(1)
			_, err := p.Accounts.Profile(ctx, me)
			refused(t, err, core.CodeSessionEnded, "")
			refused(t, p.Accounts.SetPreferences(ctx, me, core.Preferences{}), core.CodeSessionEnded, "")
		})
	}
	t.Run("idle", func(t *testing.T) {
		p := coretest.Open(t)
		in := must(p.Accounts.SignUp(ctx, coretest.Local(), coretest.Input("mara")))(t).SignedIn
		p.Clock.Advance(30*time.Minute - 1)
		must(p.Portal.SignIn.Resume(ctx, coretest.Local(), in.Token))(t)
		p.Clock.Advance(1)
		_, err := p.Portal.SignIn.Resume(ctx, coretest.Local(), in.Token)
		refused(t, err, core.CodeSessionEnded, "")
	})
}

// What has expired stays expired when the clock jumps back, also in a process
// that begins after the jump.
func TestTheClockJumpsBack(t *testing.T) {
	p := coretest.Open(t)
	in := must(p.Accounts.SignUp(ctx, coretest.Local(), coretest.Input("mara")))(t).SignedIn
	begun := p.Clock.Now()
	p.Clock.Advance(31 * time.Minute)
	_, err := p.Portal.SignIn.Resume(ctx, coretest.Local(), in.Token)
	refused(t, err, core.CodeSessionEnded, "")
	p.Clock.Set(begun)
	_, err = p.Portal.SignIn.Resume(ctx, coretest.Local(), in.Token)
	refused(t, err, core.CodeSessionEnded, "")
	again := coretest.New(t, coretest.WithStore(p.DB), coretest.WithClock(coretest.NewClock(begun)))
	_, err = again.Portal.SignIn.Resume(ctx, coretest.Local(), in.Token)
	refused(t, err, core.CodeSessionEnded, "")

	// A one-time code too, though nobody saw it expire: the trail knows the time.
	p.Clock.Set(begun.Add(31 * time.Minute))
	code := issue(t, p, "mara")
	until := p.Clock.Now().Add(core.CodeFor)
	p.Clock.Advance(core.CodeFor + time.Hour)
	_, _ = p.TrySignIn(coretest.Local(), "nobody", strong)
	third := coretest.New(t, coretest.WithStore(p.DB), coretest.WithClock(coretest.NewClock(until.Add(-time.Hour))))
	_, err = third.Portal.SignIn.Code(ctx, coretest.Local(), "mara", code)
	refused(t, err, core.CodeCredentials, "")
}

func TestTheOldestSessionsMakeRoom(t *testing.T) {
	p := coretest.Open(t)
	p.Set("session.max", "2")
	first := p.SignUp("mara")
	screen := must(p.Sessions.Attach(ctx, first))(t)
	p.Clock.Advance(time.Second)
	second := p.SignIn("mara")
	p.Clock.Advance(time.Second)
	third := p.SignIn("mara")
	ends(t, screen, core.EndLimit)
	list := must(p.Sessions.Mine(ctx, third))(t)
	if len(list) != 2 || list[0].ID != third.Session || list[1].ID != second.Session || !list[0].Mine {
		t.Errorf("left are %+v", list)
	}
	if e := p.Trail()[0]; e.Action != core.ActSignIn || e.After["sessions_ended"] != "1" {
		t.Errorf("the trail says %+v", e)
	}
}

func TestEndingSessions(t *testing.T) {
	p := coretest.Open(t)
	me, phone, old := p.SignUp("mara"), p.SignIn("mara"), p.SignIn("mara")
	other := p.SignUp("noor")
	screen := must(p.Sessions.Attach(ctx, phone))(t)
	mine := must(p.Sessions.Attach(ctx, me))(t)

	for _, id := range []string{"", "nothing", strings.Repeat("x", 5000), other.Session} {
		refused(t, p.Sessions.End(ctx, me, id), core.CodeNotFound, "session")
	}
	refused(t, p.Sessions.End(ctx, core.Actor{}, me.Session), core.CodeNotFound, "session")
	ok(t, p.Sessions.End(ctx, me, phone.Session))
	ends(t, screen, core.EndElsewhere)
	refused(t, p.Sessions.End(ctx, me, phone.Session), core.CodeNotFound, "session")
	refused(t, p.Accounts.SetPreferences(ctx, phone, core.Preferences{}), core.CodeSessionEnded, "")

	if n := must(p.Sessions.EndOthers(ctx, me))(t); n != 1 {
		t.Errorf("%d others ended, want 1", n)
	}
	_, err := p.Sessions.Mine(ctx, old)
	refused(t, err, core.CodeSessionEnded, "")
	lives(t, mine)
	must(p.Sessions.Mine(ctx, other))(t)

	ok(t, p.Portal.SignIn.Out(ctx, me))
	ends(t, mine, core.EndSignedOut)
	theirs := must(p.Sessions.Attach(ctx, other))(t)
	ok(t, p.Sessions.End(ctx, p.Owner, other.Session))
	ends(t, theirs, core.EndByAdmin)
	refused(t, p.Portal.SignIn.Out(ctx, coretest.Local()), core.CodeNotFound, "session")
}

func TestResumeByToken(t *testing.T) {
	p := coretest.Open(t)
	in := must(p.Accounts.SignUp(ctx, coretest.Local(), coretest.Input("mara")))(t).SignedIn
	me := coretest.Local().With(in)
	ok(t, p.Accounts.SetPreferences(ctx, me, core.Preferences{Language: "pt-BR", Theme: "dark", TimeZone: "UTC"}))
	got := must(p.Portal.SignIn.Resume(ctx, coretest.Local(), in.Token))(t)
	want := in
	want.Language, want.Theme, want.Zone = "pt-BR", "dark", "UTC"
	if got != want {
		t.Errorf("found %+v, want %+v", got, want)
	}
	for _, token := range []string{"", "x", in.Token + "x", in.Token[1:], strings.Repeat("x", 1<<20)} {
		_, err := p.Portal.SignIn.Resume(ctx, coretest.Local(), token)
		refused(t, err, core.CodeSessionEnded, "")
	}
	ok(t, p.Accounts.Suspend(ctx, p.Owner, "mara", ""))
	ok(t, p.Accounts.Resume(ctx, p.Owner, "mara"))
	_, err := p.Portal.SignIn.Resume(ctx, coretest.Local(), in.Token)
	refused(t, err, core.CodeSessionEnded, "")
}

func TestScreensAreToldByTheClock(t *testing.T) {
	t.Run("expired", func(t *testing.T) {
		p := coretest.Open(t)
		me := p.SignUp("mara")
		live := must(p.Sessions.Attach(ctx, me))(t)
		for range 24 { // keys all the time: 12 hours are the most
			p.Clock.Advance(29 * time.Minute)
			live.Touch()
		}
		lives(t, live)
		p.Clock.Advance(24 * time.Minute)
		ends(t, live, core.EndExpired)
	})
	t.Run("idle", func(t *testing.T) {
		p := coretest.Open(t)
		me := p.SignUp("mara")
		live := must(p.Sessions.Attach(ctx, me))(t)
		p.Clock.Advance(20 * time.Minute)
		live.Touch()
		p.Clock.Advance(29 * time.Minute)
		lives(t, live)
		must(p.Accounts.Profile(ctx, me))(t)
		p.Clock.Advance(time.Minute)
		ends(t, live, core.EndIdle)
		live.Touch() // a key brings nothing back
		_, err := p.Accounts.Profile(ctx, me)
		refused(t, err, core.CodeSessionEnded, "")
		live.Close()
		if e := p.Trail()[0]; e.Action != core.ActSessionExpired || e.Actor != core.ActorSystem || e.About != me.Account || e.After["reason"] != "idle" {
			// The refused profile was a read; the expiry is the newest act.
			t.Errorf("the trail says %+v", e)
		}
	})
	t.Run("idle for one minute", func(t *testing.T) {
		p := coretest.Open(t)
		p.Set("session.idle_minutes", "1")
		me := p.SignUp("mara")
		live := must(p.Sessions.Attach(ctx, me))(t)
		for range 300 { // a key a second; "last seen" is written once a minute only
			p.Clock.Advance(time.Second)
			live.Touch()
			if _, err := p.Accounts.Profile(ctx, me); err != nil {
				t.Fatalf("refused amid typing: %v", err)
			}
		}
		lives(t, live)
	})
	t.Run("tightened", func(t *testing.T) {
		p := coretest.Open(t)
		live := must(p.Sessions.Attach(ctx, p.SignUp("mara")))(t)
		p.Clock.Advance(20 * time.Minute)
		p.Set("session.idle_minutes", "10")
		ends(t, live, core.EndIdle)
	})
	t.Run("loosened", func(t *testing.T) {
		p := coretest.Open(t)
		live := must(p.Sessions.Attach(ctx, p.SignUp("mara")))(t)
		p.Set("session.idle_minutes", "60")
		p.Clock.Advance(59 * time.Minute)
		lives(t, live)
		p.Clock.Advance(time.Minute)
		ends(t, live, core.EndIdle)
	})
	t.Run("suspended", func(t *testing.T) {
		p := coretest.Open(t)
		live := must(p.Sessions.Attach(ctx, p.SignUp("mara")))(t)
		ok(t, p.Accounts.Suspend(ctx, p.Owner, "mara", "left the club"))
		ends(t, live, core.EndSuspended)
	})
	t.Run("the clock stands still", func(t *testing.T) {
		p := coretest.Open(t)
		live := must(p.Sessions.Attach(ctx, p.SignUp("mara")))(t)
		p.Clock.Advance(10 * time.Minute)
		p.Clock.Advance(-9 * time.Minute)
		p.Clock.Advance(29*time.Minute - 1)
		lives(t, live)
		p.Clock.Advance(1)
		ends(t, live, core.EndIdle)
	})
}

func TestLastSeenIsWrittenOnceAMinute(t *testing.T) {
	p := coretest.Open(t)
	me := p.SignUp("mara")
	changes, cancel := context.WithCancel(ctx)
	defer cancel()
	events := must(p.DB.Watch(changes, []byte("session")))(t)
	live := must(p.Sessions.Attach(ctx, me))(t)
	for range 600 { // ten minutes, ten keys a second
		for range 10 {
			live.Touch()
		}
		p.Clock.Advance(time.Second)
		time.Sleep(50 * time.Microsecond)
	}
	eventually(t, "what was written is seen", func() bool {
		return must(p.Sessions.Mine(ctx, me))(t)[0].LastSeen.After(coretest.Start.Add(9 * time.Minute))
	})
	live.Close()
	writes := 0
	for {
		select {
		case <-events:
			writes++
			continue
		case <-time.After(50 * time.Millisecond):
		}
		break
	}
	if writes < 2 || writes > 11 {
		t.Errorf("written %d times in ten minutes", writes)
	}
}

func TestChangesWakeListeners(t *testing.T) {
	p := coretest.Open(t)
	me, other := p.SignUp("mara"), p.SignUp("noor")
	watching, stop := context.WithCancel(ctx)
	mine, theirs := p.Sessions.Changes(watching, me), p.Sessions.Changes(watching, other)
	for quiet := false; !quiet; { // what came before
		select {
		case <-mine:
		case <-theirs:
		case <-time.After(100 * time.Millisecond):
			quiet = true
		}
	}
	phone := p.SignIn("mara")
	woken := func() {
		t.Helper()
		select {
		case <-mine:
		case <-time.After(20 * time.Second):
			t.Fatal("the list was not told")
		}
	}
	woken()
	ok(t, p.Sessions.End(ctx, me, phone.Session))
	woken()
	select {
	case <-theirs:
		t.Error("somebody else was told")
	case <-time.After(30 * time.Millisecond):
	}
	stop()
	eventually(t, "no listener is left", func() bool { _, n := p.OpenScreens(); return n == 0 })
}

func TestScreensAreLetGo(t *testing.T) {
	p := coretest.Open(t)
	me := p.SignUp("mara")
	for range 100 {
		must(p.Sessions.Attach(ctx, me))(t).Close()
	}
	a, b := must(p.Sessions.Attach(ctx, me))(t), must(p.Sessions.Attach(ctx, me))(t)
	ok(t, p.Portal.SignIn.Out(ctx, me))
	ends(t, a, core.EndSignedOut)
	ends(t, b, core.EndSignedOut)
	eventually(t, "nothing is held", func() bool { n, _ := p.OpenScreens(); return n == 0 && p.Clock.Timers() == 0 })
	_, err := p.Sessions.Attach(ctx, me)
	refused(t, err, core.CodeSessionEnded, "")
	_, err = p.Sessions.Attach(ctx, coretest.Local())
	refused(t, err, core.CodeDenied, "")

	open := must(p.Sessions.Attach(ctx, p.Owner))(t)
	p.Close()
	if n := p.Clock.Timers(); n != 0 {
		t.Errorf("%d timers wait after the portal has closed", n)
	}
	_, err = p.Sessions.Attach(ctx, p.Owner)
	refused(t, err, core.CodeUnavailable, "")
	open.Touch()
	open.Close()
}

// The sweep marks what is over and removes what nobody needs, and nothing else.
func TestSweep(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	issued := issue(t, p, "mara")
	must(p.Portal.SignIn.Code(ctx, coretest.Local(), "mara", issued))(t)
	for i := range 250 {
		_, _ = p.TrySignIn(coretest.Local(), strings.Repeat("x", i+1), strong)
	}
	if s := must(p.Sweep(ctx, p.Clock.Now()))(t); s != (core.Swept{}) {
		t.Errorf("swept %+v though nothing is over", s)
	}
	for range 120 {
		p.SignIn("lin")
	}
	p.Clock.Advance(25 * time.Hour)
	fresh := p.SignIn("lin")
	_, _ = p.TrySignIn(coretest.Local(), "nobody", strong)
	if s := must(p.Sweep(ctx, time.Time{}))(t); s != (core.Swept{Sessions: 122, Attempts: 1, Guards: 250}) {
		t.Errorf("swept %+v", s)
	}
	must(p.Accounts.Profile(ctx, fresh))(t)
	for k := range p.Dump() {
		if strings.HasPrefix(k, "attempt") {
			t.Errorf("%q is left", k)
		}
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	_, err := p.Sweep(gone, p.Clock.Now())
	refused(t, err, core.CodeUnavailable, "")
}

// The same on a file: a portal that is opened again knows everybody, and what is
// written there is sealed.
func TestOnDisk(t *testing.T) {
	p := coretest.Open(t, coretest.OnDisk())
	in := must(p.Accounts.SignUp(ctx, coretest.Local(), coretest.Input("mara")))(t).SignedIn
	live := must(p.Sessions.Attach(ctx, coretest.Local().With(in)))(t)
	phone := p.SignIn("mara")
	p.Close()
	again := coretest.New(t, coretest.WithStore(p.DB), coretest.WithClock(p.Clock))
	live.Close()
	got := must(again.Portal.SignIn.Resume(ctx, coretest.Local(), in.Token))(t)
	if got != in {
		t.Errorf("found %+v, want %+v", got, in)
	}
	screen := must(again.Sessions.Attach(ctx, phone))(t)
	if n := must(again.Sessions.EndOthers(ctx, coretest.Local().With(got)))(t); n != 1 {
		t.Errorf("%d others ended", n)
	}
	ends(t, screen, core.EndElsewhere)
	var faults []string
	ok(t, again.Check(ctx, func(s string) { faults = append(faults, s) }))
	if len(faults) > 0 {
		t.Errorf("the check finds %v", faults)
	}
}
