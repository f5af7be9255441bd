package core_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"postern/core"
	"postern/core/coretest"
)

// searchAll returns all that a query means, page by page.
func searchAll(t testing.TB, p *coretest.Place, q core.AuditQuery) []core.Entry {
	t.Helper()
	var all []core.Entry
	for {
		page := must(p.Audit.Search(ctx, coretest.Console(), q))(t)
		all = append(all, page.Entries...)
		if q.After = page.Next; q.After == "" {
			return all
		}
	}
}

// lively is a portal where several people have done things over three days.
func lively(t testing.TB) *coretest.Place {
	p := coretest.Open(t)
	for day := range 3 {
		for i, name := range []string{"mara", "noor", "ilse"} {
			who := coretest.From(fmt.Sprint("192.0.2.", i+1))
			if day == 0 {
				p.SignUp(name)
			}
			p.Clock.Advance(time.Hour)
			must(p.TrySignIn(who, name, coretest.Password))(t)
			p.Clock.Advance(time.Minute)
			if _, err := p.TrySignIn(who, name, "wrong "+strong); err == nil {
				t.Fatal("a wrong password is taken")
			}
		}
		p.Owner = p.SignIn("lin")
		ok(t, p.Accounts.Suspend(ctx, p.Owner, "mara", "for now"))
		ok(t, p.Accounts.Resume(ctx, coretest.Console(), "mara"))
		p.Clock.Advance(20 * time.Hour)
	}
	return p
}

// Whatever is asked for, the answer is what reading the whole trail would find,
// in its order, whatever the size of the pages.
func TestASearchFindsWhatReadingFinds(t *testing.T) {
	p := lively(t)
	trail := p.Trail()
	mara := must(p.Accounts.Show(ctx, coretest.Console(), "mara"))(t).ID
	rapid.Check(t, func(r *rapid.T) {
		pick := func(name string, from ...string) string { return rapid.SampledFrom(append(from, "", "")).Draw(r, name) }
		moment := func(name string) time.Time {
			if rapid.Bool().Draw(r, name) {
				return time.Time{}
			}
			return coretest.Start.Add(time.Duration(rapid.IntRange(-60, 5000).Draw(r, name+" minute")) * time.Minute)
		}
		q := core.AuditQuery{
			From: moment("from"), To: moment("to"), N: rapid.IntRange(1, 40).Draw(r, "n"),
			Actor: pick("actor", "mara", core.ActorConsole, core.ActorStranger), About: pick("about", "mara", mara), Account: pick("account", "mara"),
			Action:  core.Action(pick("action", string(core.ActSignIn), string(core.ActSuspend))),
			Outcome: core.Outcome(pick("outcome", "done", "refused")), Code: core.Code(pick("code", "credentials")),
			Address: pick("address", "192.0.2.1", "::ffff:192.0.2.2", "198.51.100.1"), Target: pick("target", "MARA", "a"),
		}
		if !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To) {
			q.To = time.Time{}
		}
		id := func(ref string) string {
			if ref == "mara" {
				return mara
			}
			return strings.TrimPrefix(ref, core.ActorStranger)
		}
		var want []string
		for _, e := range trail {
			if (q.From.IsZero() || !e.At.Before(q.From)) && (q.To.IsZero() || e.At.Before(q.To)) &&
				(q.Actor == "" || e.Actor == id(q.Actor)) && (q.About == "" || e.About == mara) &&
				(q.Account == "" || e.Actor == mara || e.About == mara) && (q.Action == "" || e.Action == q.Action) &&
				(q.Outcome == "" || e.Outcome == q.Outcome) && (q.Code == "" || e.Code == q.Code) &&
				(q.Address == "" || e.Remote == strings.TrimPrefix(q.Address, "::ffff:")) &&
				strings.Contains(strings.ToLower(e.Target), strings.ToLower(q.Target)) {
				want = append(want, e.ID)
			}
		}
		var got []string
		for {
			page, err := p.Audit.Search(ctx, coretest.Console(), q)
			if err != nil {
				r.Fatal(err)
			}
			if len(page.Entries) > q.N {
				r.Fatalf("%d entries on a page of %d", len(page.Entries), q.N)
			}
			for _, e := range page.Entries {
				got = append(got, e.ID)
			}
			if q.After = page.Next; q.After == "" {
				break
			}
		}
		if !slices.Equal(got, want) {
			r.Fatalf("%+v: %d entries, want %d", q, len(got), len(want))
		}
	})
}

// What is rare among much is looked for so far a page, and then further: no page
// costs more than another, however long the trail is.
func TestAPageLooksSoFarAndNoFurther(t *testing.T) {
	p := coretest.Open(t)
	const all = 3*core.AuditLook + 10
	ok(t, core.WriteTrail(ctx, p.Portal, all, p.Clock.Now(), time.Hour, func(i int) core.Entry {
		e := core.Entry{Action: core.ActSignIn, Outcome: core.OutcomeDone, Target: "hay", Door: core.DoorSSH}
		if i == 5 {
			e.Target = "The Needle"
		}
		return e
	}))
	q := core.AuditQuery{Target: "needle", N: 10}
	pages := 0
	for found := false; !found; pages++ {
		page := must(p.Audit.Search(ctx, coretest.Console(), q))(t)
		if page.Looked > core.AuditLook || page.Back.IsZero() {
			t.Fatalf("%d looked at, back to %v", page.Looked, page.Back)
		}
		found = len(page.Entries) > 0
		if q.After = page.Next; q.After == "" && !found {
			t.Fatal("the needle is not found")
		}
	}
	if pages != 4 {
		t.Errorf("found on page %d", pages)
	}
	// An action that an index finds needs no looking.
	page := must(p.Audit.Search(ctx, coretest.Console(), core.AuditQuery{Action: core.ActSetUp}))(t)
	if len(page.Entries) != 1 || page.Looked != 1 || page.Next != "" {
		t.Errorf("%d found, %d looked at", len(page.Entries), page.Looked)
	}
}

// ASVS 2.2.1: what cannot be meant is refused with the field it stands in.
func TestASearchThatMeansNothingIsRefused(t *testing.T) {
	p := coretest.Open(t)
	long := strings.Repeat("x", 10<<10)
	for name, c := range map[string]struct {
		q     core.AuditQuery
		code  core.Code
		field string
	}{
		"10 kB":                 {core.AuditQuery{Target: long}, core.CodeTooLong, "target"},
		"a control character":   {core.AuditQuery{Target: "a\x1b[2Jb"}, core.CodeCharacter, "target"},
		"not text":              {core.AuditQuery{Target: "\xff"}, core.CodeEncoding, "target"},
		"10 kB of a name":       {core.AuditQuery{Actor: long}, core.CodeTooLong, "actor"},
		"a steering name":       {core.AuditQuery{About: "a\x9b"}, core.CodeEncoding, "about"},
		"nobody":                {core.AuditQuery{Account: "nobody-here"}, core.CodeNotFound, "user"},
		"an unknown action":     {core.AuditQuery{Action: "cake.bake"}, core.CodeFormat, "action"},
		"an unknown outcome":    {core.AuditQuery{Outcome: "perhaps"}, core.CodeFormat, "outcome"},
		"a long code":           {core.AuditQuery{Code: core.Code(long)}, core.CodeTooLong, "code"},
		"no address":            {core.AuditQuery{Address: "300.1.2.3"}, core.CodeFormat, "address"},
		"no place in the trail": {core.AuditQuery{After: "../../etc"}, core.CodeFormat, "after"},
		"an end before":         {core.AuditQuery{From: coretest.Start, To: coretest.Start}, core.CodeRange, "to"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := p.Audit.Search(ctx, coretest.Console(), c.q)
			refused(t, err, c.code, c.field)
		})
	}
}

// Times that no id can have are places at the ends of the trail.
func TestASearchAtTheEndsOfTime(t *testing.T) {
	p := coretest.Open(t)
	all := len(p.Trail())
	far, early := time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		q    core.AuditQuery
		want int
	}{
		"until far":   {core.AuditQuery{To: far}, all},
		"until early": {core.AuditQuery{To: early}, 0},
		"since early": {core.AuditQuery{From: early}, all},
		"since far":   {core.AuditQuery{From: far}, 0},
	} {
		if got := len(searchAll(t, p, c.q)); got != c.want {
			t.Errorf("%s: %d entries, want %d", name, got, c.want)
		}
	}
}

// ASVS 8.2.1: only who may read the trail searches, follows or exports it.
func TestWhoMaySearchTheTrail(t *testing.T) {
	p := coretest.Open(t)
	me := p.SignUp("mara")
	_, err := p.Audit.Search(ctx, me, core.AuditQuery{})
	refused(t, err, core.CodeDenied, "")
	_, err = p.Audit.Follow(ctx, me)
	refused(t, err, core.CodeDenied, "")
	_, err = p.Audit.Search(ctx, coretest.From("192.0.2.1"), core.AuditQuery{})
	refused(t, err, core.CodeDenied, "")
	if page := must(p.Audit.Search(ctx, p.Owner, core.AuditQuery{N: 1}))(t); len(page.Entries) != 1 {
		t.Error("the owner sees nothing")
	}
}

// Whoever follows is woken by what is new, by much at once no more than by one,
// and let go of when they leave or may no longer read.
func TestFollowingTheTrail(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	follow, leave := context.WithCancel(ctx)
	woken := must(p.Audit.Follow(follow, p.Owner))(t)
	await := func(what string) bool {
		t.Helper()
		select {
		case _, open := <-woken:
			return open
		case <-time.After(20 * time.Second):
			t.Fatal("waited in vain for " + what)
			return false
		}
	}
	ok(t, p.Accounts.Suspend(ctx, p.Owner, "mara", ""))
	if !await("an entry") {
		t.Fatal("it is over")
	}
	second, leaveSecond := context.WithCancel(ctx)
	other := must(p.Audit.Follow(second, coretest.Console()))(t)
	if n := core.TrailListeners(p.Portal); n != 2 {
		t.Fatalf("%d listeners", n)
	}
	leaveSecond()
	for range other { // until it is closed
	}
	leave()
	for await("the end") {
	}
	for end := time.Now().Add(20 * time.Second); core.TrailListeners(p.Portal) > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("somebody is still listened for")
		}
	}

	// The session ends: so does the following, at the latest with the next entry.
	again := p.SignIn("lin")
	woken = must(p.Audit.Follow(ctx, again))(t)
	ok(t, p.Sessions.End(ctx, p.Owner, again.Session))
	for await("the end of the right") {
	}
	before := len(p.Trail())
	ok(t, p.Accounts.Resume(ctx, coretest.Console(), "mara"))
	if n := len(p.Trail()); n != before+1 {
		t.Errorf("%d new entries: following writes some of its own", n-before)
	}
}

func TestClosingEndsFollowing(t *testing.T) {
	p := coretest.Open(t)
	woken := must(p.Audit.Follow(ctx, p.Owner))(t)
	p.Close()
	for range woken {
	}
	_, err := p.Audit.Follow(ctx, coretest.Console())
	refused(t, err, core.CodeUnavailable, "")
}

func TestSpansOfTime(t *testing.T) {
	zone := time.FixedZone("", 2*60*60)
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	day := time.Date(2026, 3, 1, 22, 0, 0, 0, time.UTC) // the 2nd begins, where it is two hours later
	for in, want := range map[[2]string][2]time.Time{
		{"", ""}:                               {},
		{"2026-03-02", "2026-03-02"}:           {day, day.Add(24 * time.Hour)},
		{"2026-03-02 08:30", ""}:               {day.Add(8*time.Hour + 30*time.Minute), {}},
		{"", "2026-03-02T08:30"}:               {{}, day.Add(8*time.Hour + 31*time.Minute)},
		{"2026-03-02t08:30:01z", ""}:           {time.Date(2026, 3, 2, 8, 30, 1, 0, time.UTC), {}},
		{" 24h ", "30m"}:                       {now.Add(-24 * time.Hour), now.Add(-30 * time.Minute)},
		{"2w", "7d"}:                           {now.AddDate(0, 0, -14), now.AddDate(0, 0, -7)},
		{"2026-03-02T08:30:00.5+01:00", "now"}: {},
	} {
		from, to, err := core.ParseAuditSpan(in[0], in[1], now, zone)
		if in[1] == "now" {
			refused(t, err, core.CodeFormat, "to")
			continue
		}
		if err != nil || !from.Equal(want[0]) || !to.Equal(want[1]) {
			t.Errorf("%q: %v to %v, %v", in, from, to, err)
		}
	}
	for _, bad := range []string{"yesterday", "0h", "-1h", "99999d", "2026-13-01", "0000-01-01", "1h1h", "h", strings.Repeat("1", 100), "2026-03-02 08:30:61"} {
		_, _, err := core.ParseAuditSpan(bad, "", now, zone)
		refused(t, err, core.CodeFormat, "from")
	}
	_, _, err := core.ParseAuditSpan("1h", "2h", now, zone)
	refused(t, err, core.CodeRange, "to")
}

// FuzzAuditSpan feeds what is typed as times: it is refused, or a span that has
// an inside and is searched.
func FuzzAuditSpan(f *testing.F) {
	f.Add("2026-03-02", "7d")
	f.Add("2026-03-02 14:30", "2026-03-02T14:30:00Z")
	f.Add("65535w", "1m")
	f.Add("", "9999-12-31")
	p := coretest.Open(f)
	f.Fuzz(func(t *testing.T, from, to string) {
		begin, end, err := core.ParseAuditSpan(from, to, coretest.Start, time.UTC)
		if err != nil {
			if code := core.CodeOf(err); code != core.CodeFormat && code != core.CodeRange {
				t.Fatalf("%q, %q: %v", from, to, err)
			}
			return
		}
		if !begin.IsZero() && !end.IsZero() && !begin.Before(end) {
			t.Fatalf("%q, %q: from %v to %v", from, to, begin, end)
		}
		if _, err := p.Audit.Search(ctx, coretest.Console(), core.AuditQuery{From: begin, To: end, N: 1}); err != nil {
			t.Fatalf("%q, %q: %v", from, to, err)
		}
	})
}
