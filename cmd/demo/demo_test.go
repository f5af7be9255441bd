package demo

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"postern/core"
)

func open(t testing.TB) *Demo {
	t.Helper()
	d, err := New(context.Background(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

func everybody(t *testing.T, d *Demo) map[string]core.Account {
	t.Helper()
	list, err := d.Portal.Accounts.List(context.Background(), core.ConsoleActor("test"), core.AccountQuery{N: core.MaxPage})
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]core.Account{}
	for _, a := range list.Accounts {
		byName[a.UserName] = a
	}
	return byName
}

func TestDemoHoldsSixtyPeopleInEveryState(t *testing.T) {
	d := open(t)
	people := everybody(t, d)
	if len(people) != 60 {
		t.Fatalf("%d people, want 60", len(people))
	}
	states := map[core.State]int{}
	for _, a := range people {
		states[a.State]++
	}
	for _, want := range []core.State{core.StateActive, core.StatePending, core.StateSuspended, core.StateRejected} {
		if states[want] == 0 {
			t.Errorf("nobody is %s: %v", want, states)
		}
	}
	show := func(name string) core.AccountDetail {
		a, err := d.Portal.Accounts.Show(context.Background(), core.ConsoleActor("test"), name)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	if !show(hammered).Locked {
		t.Errorf("%s is not locked: %d failures", hammered, show(hammered).Failures)
	}
	if len(show(Owner).Roles) != 1 || show(Owner).Roles[0] != core.RoleOwner {
		t.Errorf("%s holds %v", Owner, show(Owner).Roles)
	}
	if n := show(Member).Sessions; n < 2 {
		t.Errorf("%s has %d sessions", Member, n)
	}
}

// There is every role, for good and until a day, one that ends soon, and somebody
// who is asked to take one; the one whom visitors look at holds none.
func TestDemoHasEveryRole(t *testing.T) {
	d := open(t)
	ctx, console := context.Background(), core.ConsoleActor("test")
	page, err := d.Portal.Access.List(ctx, console, core.GrantQuery{N: core.MaxPage})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	var got []string
	for _, g := range page.Grants {
		got = append(got, g.UserName+" "+string(g.Role))
		if ends := !g.Until.IsZero(); ends != (g.Role == core.RoleSupport || g.Role == core.RoleAuditor) {
			t.Errorf("%s is %s until %s", g.UserName, g.Role, g.Until)
		}
		guard, err := d.Portal.Factors.Of(ctx, console, g.UserName)
		if err != nil || guard.Enough == (g.UserName == Owner) {
			t.Errorf("%s, %s: a second factor %t, %v", g.UserName, g.Role, guard.Enough, err)
		}
	}
	if want := []string{"lin owner", "priya admin", "kofi support", "leila auditor"}; !slices.Equal(got, want) {
		t.Errorf("held are %v, want %v", got, want)
	}
	o, err := d.Portal.Overview.Show(ctx, console, core.OverviewDay)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(o.Ending, func(e core.Ending) bool {
		return e.App == core.AppPostern && e.UserName == lookingOn && e.Until.After(now)
	}) {
		t.Errorf("the overview says of what ends %+v", o.Ending)
	}
	invited, err := d.Portal.Invites.List(ctx, console, "", core.MaxPage)
	if err != nil || !slices.ContainsFunc(invited, func(i core.Invite) bool { return i.Role == core.RoleAuditor }) {
		t.Errorf("invitations are %+v, %v", invited, err)
	}
}

func TestDemoPeopleSignInWithTheirPassword(t *testing.T) {
	d := open(t)
	door := core.Actor{Door: core.DoorDemo}
	p, err := d.Portal.SignIn.Password(context.Background(), door, Member, Password)
	if err != nil || p.Step != core.StepDone {
		t.Errorf("%s: %v, %v", Member, p.Step, err)
	}
	// The owner must have a second factor soon, and can put it off.
	p, err = d.Portal.SignIn.Password(context.Background(), door, Owner, Password)
	if err != nil || p.Step != core.StepEnrol || !p.Demand.Later {
		t.Errorf("%s: %v, %v", Owner, p, err)
	}
	if left := time.Until(p.Demand.By); left < 7*day || left > 14*day {
		t.Errorf("%s has %s left", Owner, left)
	}
	if p, err = d.Portal.SignIn.Later(context.Background(), door, p.Ticket); err != nil || p.Step != core.StepDone {
		t.Errorf("%s cannot put it off: %v, %v", Owner, p.Step, err)
	}
	p, err = d.Portal.SignIn.Password(context.Background(), door, expired, Password)
	if err != nil || p.Step != core.StepChangePassword {
		t.Errorf("%s must choose a new password: %v, %v", expired, p.Step, err)
	}
	for _, name := range []string{hammered, away, turned} {
		if _, err := d.Portal.SignIn.Password(context.Background(), door, name, Password); core.CodeOf(err) != core.CodeCredentials && core.CodeOf(err) != core.CodeWait {
			t.Errorf("%s got in: %v", name, err)
		}
	}
}

// What is not carried to anybody is for a visitor to read.
func TestDemoCodesAreReadInTheOutbox(t *testing.T) {
	d := open(t)
	ctx, door := context.Background(), core.Actor{Door: core.DoorDemo}
	p, err := d.Portal.SignIn.Password(ctx, door, "tomas", Password)
	if err != nil || p.Step != core.StepFactor || p.Ways[0].Kind != core.FactorSMS {
		t.Fatalf("%+v, %v", p, err)
	}
	if _, err := d.Portal.SignIn.SendCode(ctx, door, p.Ticket, p.Ways[0].ID); err != nil {
		t.Fatal(err)
	}
	page, err := d.Portal.Messages.List(ctx, door, "", "", 1)
	if err != nil {
		t.Fatal(err)
	}
	m, err := d.Portal.Messages.Read(ctx, door, page.Messages[0].ID)
	if err != nil || m.Hidden {
		t.Fatalf("%+v, %v", m, err)
	}
	if p, err = d.Portal.SignIn.Factor(ctx, door, p.Ticket, p.Ways[0].ID, sixDigits.FindString(m.Body)); err != nil || p.Step != core.StepDone {
		t.Errorf("%s, %v", p.Step, err)
	}
}

func TestDemoHasFactorsNoticesAndMessagesOfEveryKind(t *testing.T) {
	d := open(t)
	ctx, console := context.Background(), core.ConsoleActor("test")
	kinds, recovery := map[core.FactorKind]int{}, 0
	for name := range everybody(t, d) {
		guard, err := d.Portal.Factors.Of(ctx, console, name)
		if err != nil {
			t.Fatal(err)
		}
		if name == Member && guard.Enough {
			t.Errorf("%s cannot sign in with the password alone", name)
		}
		for _, f := range guard.Factors {
			kinds[f.Kind]++
		}
		if len(guard.Keys) > 0 {
			kinds[core.FactorKey]++
		}
		if guard.Recovery.Left > 0 {
			recovery++
		}
	}
	if recovery == 0 || kinds[core.FactorApp] == 0 || kinds[core.FactorSMS] == 0 || kinds[core.FactorEmail] == 0 || kinds[core.FactorKey] == 0 {
		t.Errorf("%v, recovery codes of %d", kinds, recovery)
	}
	for _, state := range []core.MessageState{core.MessageQueued, core.MessageSent, core.MessageDead} {
		page, err := d.Portal.Messages.List(ctx, core.Actor{}, state, "", core.MaxPage)
		if err != nil || len(page.Messages) == 0 {
			t.Errorf("nothing is %s: %v", state, err)
		}
	}
	if p := d.Portal.Messages.Providers(); len(p) != 0 {
		t.Errorf("in the present, %v would hide codes", p)
	}
	door := core.Actor{Door: core.DoorDemo}
	p, err := d.Portal.SignIn.Password(ctx, door, Member, Password)
	if err != nil {
		t.Fatal(err)
	}
	inbox, err := d.Portal.Notices.Mine(ctx, door.With(p.SignedIn), "", "", "", core.MaxPage)
	if err != nil || inbox.Unread == 0 {
		t.Errorf("%s has no news: %+v, %v", Member, inbox, err)
	}
}

func TestDemoTrailReachesWeeksBackAndEndsNow(t *testing.T) {
	d := open(t)
	var entries []core.Entry
	for after := ""; ; {
		page, err := d.Portal.Audit.List(context.Background(), core.ConsoleActor("test"), "", after, core.MaxPage)
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, page.Entries...)
		if after = page.Next; after == "" {
			break
		}
	}
	if len(entries) < 300 {
		t.Errorf("only %d entries", len(entries))
	}
	if age := time.Since(entries[0].At); age < 0 || age > time.Hour {
		t.Errorf("the newest entry is %s old", age)
	}
	if age := time.Since(entries[len(entries)-1].At); age < 60*day {
		t.Errorf("the oldest entry is only %s old", age)
	}
}

// The story goes through the core, so what must hold there holds here.
func TestDemoPassesTheCheck(t *testing.T) {
	d := open(t)
	if err := d.Portal.Check(context.Background(), func(problem string) { t.Error(problem) }); err != nil {
		t.Fatal(err)
	}
}

// The same people do the same things each time.
func TestDemoIsTheSameEachTime(t *testing.T) {
	now := time.Date(2026, 3, 29, 12, 0, 0, 0, time.UTC)
	trail := func() (lines []string) {
		d, err := New(context.Background(), Options{Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		page, err := d.Portal.Audit.List(context.Background(), core.ConsoleActor("test"), "", "", core.MaxPage)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Entries {
			lines = append(lines, e.At.String()+string(e.Action)+e.Name+e.Remote)
		}
		slices.Sort(lines) // what happens at one moment has no order
		return lines
	}
	one, two := trail(), trail()
	for i := range one {
		if one[i] != two[i] {
			t.Fatalf("entry %d: %s, then %s", i, one[i], two[i])
		}
	}
}

func BenchmarkDemo(b *testing.B) {
	for b.Loop() {
		d, err := New(context.Background(), Options{})
		if err != nil {
			b.Fatal(err)
		}
		d.Close()
	}
}

// All contacts are there but one, and most people have accepted the rules.
func TestDemoHasContactsAndAnAgreement(t *testing.T) {
	d := open(t)
	ctx := context.Background()
	missing, err := d.Portal.Contacts.Missing(ctx)
	if err != nil || !slices.Equal(missing, []core.ContactKind{core.ContactEEA}) {
		t.Errorf("missing are %v, %v", missing, err)
	}
	list, _, err := d.Portal.Agreements.List(ctx, core.ConsoleActor("test"), "", 10)
	if err != nil || len(list) != 1 {
		t.Fatalf("%+v, %v", list, err)
	}
	if n, all := list[0].Accepted, len(everybody(t, d)); n < all/2 || n == all {
		t.Errorf("%d of %d have accepted it", n, all)
	}
}

func TestDemoSharesApps(t *testing.T) {
	d := open(t)
	ctx, console := context.Background(), core.ConsoleActor("test")
	list, err := d.Portal.Apps.List(ctx, console, "", "", 10)
	if err != nil || len(list.Apps) != 2 {
		t.Fatalf("%v, %v", list, err)
	}
	states := map[core.ShareState]int{}
	for _, a := range list.Apps {
		page, err := d.Portal.Apps.Shares(ctx, console, a.ID, "", "", 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range page.Shares {
			states[s.State]++
		}
	}
	if states[core.ShareActive] < 5 || states[core.ShareEnding] != 2 || states[core.SharePending] != 1 {
		t.Errorf("they stand %v", states)
	}
	rules, err := d.Portal.Accounts.RulesOf(ctx, console, "priya")
	if err != nil || rules[0].From != "Cluster" {
		t.Errorf("%v, %v", rules, err)
	}
}

// The plots have something to show, in every span, and something needs somebody.
func TestDemoHasAnOverviewWithLifeInIt(t *testing.T) {
	d := open(t)
	for _, span := range core.OverviewSpans() {
		o, err := d.Portal.Overview.Show(context.Background(), core.ConsoleActor("test"), span)
		if err != nil {
			t.Fatal(err)
		}
		var busy, refused, came int
		for _, b := range o.Bars {
			if b.SignIns > 0 {
				busy++
			}
			refused += b.Refused
			came += b.SignUps
		}
		if busy < len(o.Bars)/4 || refused == 0 || span == core.OverviewWeek && came < 20 {
			t.Errorf("%s: %d of %d have sign-ins, %d refused, %d sign-ups", span, busy, len(o.Bars), refused, came)
		}
		if len(o.Warnings) == 0 || o.States[core.StatePending] == 0 || len(o.Factors) == 0 {
			t.Errorf("%s: %+v", span, o)
		}
	}
}

// Requests stand in every way there is, an account is held, and a script is at hand.
func TestDemoHasRequestsAHoldAndAScript(t *testing.T) {
	d := open(t)
	ctx, console := context.Background(), core.ConsoleActor("test")
	stands := map[string]core.RequestState{}
	page, err := d.Portal.Requests.List(ctx, console, "", "", core.MaxPage)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range page.Requests {
		stands[r.UserName] = r.State
	}
	want := map[string]core.RequestState{leaving: core.RequestMade, departed: core.RequestApproved, kept: core.RequestRefused, stays: core.RequestCancelled}
	if !maps.Equal(stands, want) {
		t.Errorf("they stand %v", stands)
	}
	if list, err := d.Portal.Retention.Holds(ctx, console, "", 10); err != nil || len(list.Holds) != 1 || list.Holds[0].UserName != disputed {
		t.Errorf("%+v, %v", list, err)
	}
	if list, err := d.Portal.Analysis.List(ctx, console); err != nil || len(list) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
}
