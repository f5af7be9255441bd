package screens

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/tui"
	"postern/tui/tuitest"
)

// town is a place with people of every kind: fourteen that signed up, of whom two
// wait for approval, one is suspended, one supports, and one is called like a formula.
func town(t testing.TB) *place {
	t.Helper()
	p := newPlace(t)
	console := core.ConsoleActor("test")
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	join := func(name, display string) {
		_, err := p.Accounts.SignUp(t.Context(), elsewhere("192.0.2.7"), core.SignUpInput{
			UserName: name, DisplayName: display, Email: name + "@example.org", Password: otherPassword})
		ok(err)
		p.clock.Advance(time.Hour)
	}
	for i, name := range []string{"ada", "bea", "carl", "dora", "emil", "fay", "gus", "hal", "ida", "jon"} {
		join(name, []string{"Ada Lovelace", "=SUM(A1:A9)", "@Carl", "-Dora", "Emil", "Fay 界隈", "Gus", "Hal", "Ida", "Jon"}[i])
	}
	p.set(t, "sign_up.mode", "approval")
	join("kim", "Kim")
	join("leo", "Leo")
	ok(p.Accounts.Suspend(t.Context(), console, "gus", "left the club"))
	_, err := p.Access.Grant(t.Context(), console, "hal", core.RoleSupport, time.Time{})
	ok(err)
	p.owner = p.signIn(t, elsewhere("198.51.100.4"), "lin", goodPassword)
	return p
}

// peopleOf is somebody at the list of people.
func (p *place) peopleOf(t testing.TB, in core.SignedIn, opts ...tuitest.Option) *tuitest.Terminal {
	t.Helper()
	return p.at(t, p.env(t, opts...), in, NewPeople)
}

// stateOf is where an account stands.
func (p *place) stateOf(t testing.TB, name string) core.State {
	t.Helper()
	d, err := p.Accounts.Show(context.Background(), core.ConsoleActor("test"), name)
	if err != nil {
		t.Fatal(err)
	}
	return d.State
}

func TestPeopleAreSearchedAndFiltered(t *testing.T) {
	t.Parallel()
	p := town(t)
	v := p.peopleOf(t, p.owner)
	v.WaitFor("13 people. That is all.").Contains("=SUM(A1:A9)", "@Carl", "-Dora", "✗ suspended", "by user name")
	v.Press("/").Type("lovel").WaitFor("1 person.").Contains("ada").Lacks("carl")
	v.Press("esc").WaitFor("13 people.")
	v.Press("/").Type("zzz").WaitFor("Nobody is like that").Press("enter", "esc").WaitFor("13 people.")
	v.Press("end").Contains("· waits for approval").Press("home")
	v.Press("s").WaitFor("the oldest first").Press("s", "s", "s").WaitFor("by user name")
	v.Press("f").WaitFor("All that is chosen must hold").Press("right", "right", "enter", "enter", "enter", "enter", "enter").
		WaitFor("2 people.").Contains("kim", "leo", "State: waits for approval").Lacks("ada")
	v.Press("esc").WaitFor("13 people.")
}

// New sign-ups are let in or turned away where they are found.
func TestSignUpsAreApproved(t *testing.T) {
	t.Parallel()
	p := town(t)
	v := p.peopleOf(t, p.owner)
	v.WaitFor("13 people.").Press("/").Type("kim").WaitFor("1 person.").Press("enter")
	v.WaitFor("approve").Press("y").WaitFor("This concerns kim.").Press("tab").Burst("enter", "enter").WaitFor("1 account is approved.")
	v.Press("esc").WaitFor("13 people.").Press("/").Type("leo").WaitFor("1 person.").Press("enter", "n").WaitFor("Reason")
	v.Type("who is this").Press("enter").WaitFor("1 account is turned away.")
	if p.stateOf(t, "kim") != core.StateActive || p.stateOf(t, "leo") != core.StateRejected {
		t.Error("not as it was chosen")
	}
}

// What is done to a marked set is counted, and what was refused says why.
func TestManyAreSuspendedFromTheList(t *testing.T) {
	t.Parallel()
	p := town(t)
	v := p.peopleOf(t, p.owner)
	v.WaitFor("13 people.").Press("a").Contains("12 marked").Press("a").Lacks("marked")
	v.Press("a", "/").Type("lin").WaitFor("1 person.").Press("enter", "space").Contains("13 marked").Press("m")
	v.WaitFor("This concerns 13 people: ada, bea, carl and 10 more.")
	v.Press("enter").WaitFor("Do it to 13").Press("enter").Lacks("suspended.").Type("closing").Press("enter").WaitFor("9 accounts are suspended.")
	v.Contains("4 were refused:", "gus", "its state does not allow it", "lin", "is you, and it would shut you out")
	v.Press("esc").WaitFor("1 person.").Press("esc").WaitFor("13 people.").Lacks("marked")
	if p.stateOf(t, "ada") != core.StateSuspended || p.stateOf(t, "kim") != core.StatePending {
		t.Error("not as it says")
	}
	// Nothing is done by esc.
	v.Press("home", "space", "m").WaitFor("This concerns ada.").Press("down", "enter").WaitFor("They can sign in again.").Press("esc").WaitFor("1 marked")
	if p.stateOf(t, "ada") != core.StateSuspended {
		t.Error("something was done")
	}
}

// Removing what proves who somebody is asks for a proof first.
func TestResettingFactorsAsksForAProof(t *testing.T) {
	t.Parallel()
	p := town(t)
	v := p.peopleOf(t, p.owner)
	p.clock.Advance(core.StepUpFor + time.Second)
	v.WaitFor("13 people.").Press("space", "space", "m").WaitFor("This concerns 2 people: ada and bea.")
	v.Press("end", "up", "up", "up", "up", "enter").WaitFor("All second factors").Press("tab", "enter").WaitFor("Is it you?")
	v.Type(goodPassword).Press("enter").WaitFor("2 were refused:").Contains("has none")
}

// Support sees everybody and manages those without a role; an auditor only looks.
func TestWhoMayActOnPeople(t *testing.T) {
	t.Parallel()
	p := town(t)
	hal := p.signIn(t, elsewhere("198.51.100.9"), "hal", otherPassword)
	v := p.peopleOf(t, hal)
	v.WaitFor("13 people.").Press("/").Type("lin").WaitFor("1 person.").Press("enter", "m").WaitFor("This concerns lin.")
	v.Press("enter").WaitFor("Reason").Type("why not").Press("enter").WaitFor("1 was refused:").Contains("not yours to do").Press("esc")
	if _, err := p.Access.Grant(t.Context(), core.ConsoleActor("test"), "ida", core.RoleAuditor, time.Time{}); err != nil {
		t.Fatal(err)
	}
	ida := p.signIn(t, elsewhere("198.51.100.9"), "ida", otherPassword)
	w := p.peopleOf(t, ida)
	w.WaitFor("13 people.").Lacks("space mark").Press("space", "m", "a").Lacks("marked").Press("enter").WaitFor("Latest of the trail").Lacks("suspend")
}

func TestOnePersonsPage(t *testing.T) {
	t.Parallel()
	p := town(t)
	p.signIn(t, elsewhere("203.0.113.9"), "ada", otherPassword)
	v := p.peopleOf(t, p.owner)
	v.Resize(120, 40).WaitFor("13 people.").Press("down", "up").WaitFor("Password changed").Press("enter").WaitFor("Latest of the trail")
	v.Contains("Ada Lovelace", "not confirmed", "203.0.113.9", "sign-in with a password", "s suspend", "x end sessions")
	v.Press("s").WaitFor("Reason").Type("=cmd").Press("enter").WaitFor("1 account is suspended.")
	v.WaitFor("✗ suspended").Contains("=cmd", "suspension, lin", "s end suspension").Lacks("203.0.113.9  ")
	v.Press("s").WaitFor("They can sign in again").Press("tab", "enter").WaitFor("1 account can sign in again.")
	v.Press("c").WaitFor("Make a code").Press("tab", "enter").WaitFor("Give this code to ada.")
	code := strings.Fields(v.Text()[strings.Index(v.Text(), "\n\n"):])[0]
	v.Press("esc").WaitFor("Latest of the trail").Lacks(code)
	v.Press("esc").WaitFor("13 people.")
}

// hired gives hal a role that ends, and an app whose rules are stricter.
func (p *place) hired(t testing.TB) {
	t.Helper()
	console := core.ConsoleActor("test")
	_, err := p.Access.Grant(t.Context(), console, "hal", core.RoleAuditor, p.clock.Now().AddDate(0, 0, 5))
	if err == nil {
		_, err = p.Apps.Create(t.Context(), console, core.AppInput{Name: "Archive", Owner: "ida", Roles: core.ParseRoles("reader: view, editor: view edit"),
			Policy: map[string]string{"password.min_length": "20", "session.lifetime": "2 hours"}})
	}
	if err == nil {
		_, err = p.Apps.Share(t.Context(), console, "Archive", core.ShareInput{User: "hal", Role: "reader", Until: p.clock.Now().AddDate(0, 2, 0)})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// halOf is the owner at the page of hal.
func halOf(v *tuitest.Terminal) *tuitest.Terminal {
	return v.WaitFor("lin").Press("/").Type("hal").WaitUntil("hal is found", func(text string) bool { return !strings.Contains(text, "carl") }).Press("enter", "enter")
}

// Why somebody lives under a stricter rule, and which roles they hold until when,
// stands on their page; from there a role is changed and ended.
func TestOnePersonsPageSaysWhatTheyMayAndMust(t *testing.T) {
	t.Parallel()
	p := town(t)
	p.hired(t)
	v := p.peopleOf(t, p.owner)
	halOf(v.Resize(120, 40)).WaitFor("Latest of the trail")
	v.Contains("support", "for good · given by the console", "auditor", "! ends in 5 days", "Archive", "reader", "Stricter than the portal",
		"20, from the app Archive; the portal: 12", "o roles")
	v.Press("o").WaitFor("2 roles. That is all.").Lacks("owner")
	marked(t, v, "hal")
	v.Press("down", "x").WaitFor("hal is no longer auditor").Type("hal").Press("enter").WaitFor("The role has ended.").WaitFor("1 role. That is all.")
	v.Press("n").WaitFor("Whoever gets it").Contains("hal").Press("esc").WaitFor("1 role.")
	v.Press("esc").WaitFor("Latest of the trail").WaitUntil("it is read anew", func(text string) bool { return !strings.Contains(text, "ends in 5 days") })
	// Support sees neither roles nor apps, and why a rule is stricter.
	hal := p.signIn(t, elsewhere("198.51.100.9"), "hal", otherPassword)
	w := halOf(p.peopleOf(t, hal).Resize(120, 40))
	w.WaitFor("Stricter than the portal").Lacks("o roles", "given by", "✓ active").Press("o").Lacks("That is all.")
}

func TestAWindowHoldsAFewPagesOfAny(t *testing.T) {
	t.Parallel()
	const pages = 10_000
	all := make([]core.Account, 0, pages)
	for i := range pages {
		all = append(all, core.Account{ID: fmt.Sprint(i)})
	}
	var w peopleWindow
	w.reset()
	read := func(i int) {
		next := ""
		if i+1 < pages {
			next = fmt.Sprint("c", i+1)
		}
		w.take(i, all[i:i+1], next)
	}
	held := func() (out []string) {
		for _, a := range w.list() {
			out = append(out, a.ID)
		}
		return out
	}
	for {
		i, more := w.after()
		if !more {
			break
		}
		read(i)
		if len(w.list()) > windowPages {
			t.Fatalf("%d are held", len(w.list()))
		}
	}
	if got := held(); got[len(got)-1] != "9999" || w.before != pages-windowPages {
		t.Errorf("at the end: %v, after %d", got, w.before)
	}
	for {
		i, more := w.back()
		if !more {
			break
		}
		read(i)
	}
	if got := held(); !slices.Equal(got, []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}) || w.before != 0 {
		t.Errorf("at the beginning again: %v, after %d", got, w.before)
	}
	w.take(3, nil, "") // the list has become shorter
	if i, more := w.after(); more || len(w.list()) != 3 {
		t.Errorf("%d are held, and there is page %d", len(w.list()), i)
	}
}

// An invitation with a role: made, shown once, used, revoked.
func TestAnInvitationIsMadeAndShownOnce(t *testing.T) {
	t.Parallel()
	p := town(t)
	e := p.env(t)
	e.Door.Reach = "ssh -p 2222 lanterns.example.org"
	v := p.at(t, e, p.owner, NewInvitations).WaitFor("Press n to make one")
	v.Resize(120, 40).Press("n").WaitFor("Whoever has its code").Type("=helpers").Press("enter", "enter", "enter", "right", "right", "right", "enter").
		Type("2026-13-40").Press("enter").WaitFor("✗ Write a day").Press("ctrl+u").Type("2026-12-31").Press("enter", "enter").WaitFor("The code is shown only now")
	v.Contains("ssh -p 2222 lanterns.example.org", "Each holds the role support")
	letter, err := v.QR()
	if err != nil {
		t.Fatal(err)
	}
	code := strings.TrimSuffix(strings.Fields(letter[strings.Index(letter, "Code:"):])[1], ".")
	v.Contains(code)
	if _, err := p.Accounts.SignUp(t.Context(), elsewhere("192.0.2.7"), core.SignUpInput{UserName: "mia", Password: otherPassword, Invite: code}); err != nil {
		t.Fatal(err)
	}
	v.Press("esc").WaitFor("=helpers").Lacks(code).Contains("0 of 1", "✗ over", "support, until 1 Jan 2027", "lin")
	v.Press("x").WaitFor("Accounts that came by it stay").Press("tab", "enter").WaitFor("The invitation is revoked.").WaitFor("Press n to make one")
}

// An admin is not offered to give what is not below an admin, and a role asks for a proof.
func TestAnInvitationOffersOnlyWhatMayBeGiven(t *testing.T) {
	t.Parallel()
	p := town(t)
	if _, err := p.Access.Grant(t.Context(), core.ConsoleActor("test"), "ida", core.RoleAdmin, time.Time{}); err != nil {
		t.Fatal(err)
	}
	v := p.at(t, p.env(t), p.signIn(t, elsewhere("198.51.100.9"), "ida", otherPassword), NewInvitations)
	p.clock.Advance(core.StepUpFor + time.Second)
	v.Press("n").WaitFor("Whoever has its code").Press("enter", "enter", "enter")
	for range 4 {
		v.Press("right").Lacks("owner", "‹ admin")
	}
	v.Press("right", "enter", "enter", "enter").WaitFor("Is it you?")
	v.Press("esc").WaitFor("Whoever has its code")
}

// Both lists can be gone through line by line.
func TestPeopleInLines(t *testing.T) {
	t.Parallel()
	p := town(t)
	e := p.env(t, tuitest.Dumb())
	if _, err := First(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	m := e.enter(t.Context(), e.Actor(), p.owner)
	if m.err != nil {
		t.Fatal(m.err)
	}
	e.adopt(m)
	NewHome(e, m.checkUp) // which tells of the roles
	l := tuitest.OpenLines(t, e.Session, NewPeople(e), tui.PlainOptions{Raw: true})
	l.Hears("Ada Lovelace", "13 people").Answer("/").Answer("kim").Hears("Search kim").Answer("space 1").Hears("1 * kim")
	l.Answer("y").Hears("This concerns kim.").Answer("2").Hears("1 account is approved.")
	if p.stateOf(t, "kim") != core.StateActive {
		t.Error("not approved")
	}
}

// peopleViews are the pages, for those who look at all of them.
func peopleViews() map[string]func(testing.TB, ...tuitest.Option) *tuitest.Terminal {
	at := func(open func(*Env) tui.Screen, keys ...string) func(testing.TB, ...tuitest.Option) *tuitest.Terminal {
		return func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			p := town(t)
			if _, _, err := p.Invites.CreateWith(t.Context(), core.ConsoleActor("test"), core.InviteInput{
				Uses: 5, Days: 14, Note: "=helpers", Role: core.RoleSupport, RoleUntil: p.clock.Now().AddDate(0, 3, 0)}); err != nil {
				t.Fatal(err)
			}
			v := p.at(t, p.env(t, opts...), p.owner, open).Settle()
			for _, k := range keys {
				v.Press(k).Settle()
			}
			return v
		}
	}
	access := func(keys ...string) func(testing.TB, ...tuitest.Option) *tuitest.Terminal {
		return func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			p := town(t)
			p.hired(t)
			v := halOf(p.peopleOf(t, p.owner, opts...)).Settle()
			for _, k := range keys {
				v.Press(k).Settle()
			}
			return v
		}
	}
	return map[string]func(testing.TB, ...tuitest.Option) *tuitest.Terminal{
		"people":         at(NewPeople, "down", "space", "space"),
		"people-filter":  at(NewPeople, "f"),
		"people-acts":    at(NewPeople, "space", "space", "m"),
		"people-ask":     at(NewPeople, "space", "space", "m", "enter"),
		"people-refused": at(NewPeople, "a", "m", "down", "enter", "tab", "enter"),
		"person":         at(NewPeople, "enter"),
		"person-access":  access("pgdown"),
		"person-roles":   access("o"),
		"person-code":    at(NewPeople, "enter", "c"),
		"invitations":    at(NewInvitations),
		"invite":         at(NewInvitations, "n"),
	}
}

func TestPeopleLook(t *testing.T) {
	t.Parallel()
	for name, open := range peopleViews() {
		t.Run(name, func(t *testing.T) {
			for look, opts := range looks() {
				v := open(t, opts...)
				for _, size := range sizes() {
					v.Resize(size[0], size[1]).Settle().Golden(sizeName(look, size))
				}
			}
			for _, lang := range []string{"pt-BR", "es"} {
				open(t, tuitest.Lang(lang)).Golden(lang+"-80x24").Resize(60, 20).Settle().Golden(lang + "-60x20")
			}
		})
	}
}

// While it goes on there is a bar, and esc stops it without a lie about what was done.
func TestAnActOnManyShowsHowFarItIs(t *testing.T) {
	t.Parallel()
	p := town(t)
	e := p.env(t)
	s := newPeopleRun(e, core.BulkAct{Kind: core.BulkUnlock}, map[string]string{"1": "ada", "2": "bea", "3": "carl"}).(*peopleRun)
	stopped := false
	s.stop = func() { stopped = true }
	s.SetSize(76, 18)
	s.Update(peopleStep{done: 2, total: 3})
	if view := plainText(s.View()); !strings.Contains(view, "2 of 3") || !strings.Contains(view, strings.Repeat("▰", 20)+"▱") {
		t.Errorf("it says %q", view)
	}
	s.Update(tuitest.Key("esc"))
	if view := plainText(s.View()); !stopped || !strings.Contains(view, "Stopping") {
		t.Errorf("it says %q", view)
	}
	s.Update(peopleOver{result: core.BulkResult{Done: 1, Refused: []core.BulkRefusal{{User: "2", Code: core.CodeWait}}, Left: 1}})
	if view := flat(plainText(s.View())); !strings.Contains(view, "1 account is unlocked.") || !strings.Contains(view, "1 was not begun.") || !strings.Contains(view, "bea Too many tries") {
		t.Errorf("it says %q", view)
	}
}

// Names that look like formulas, escape sequences or text from right to left are
// harmless wherever they stand. ASVS 1.2.1
func TestNamesAreHarmlessInEveryColumn(t *testing.T) {
	t.Parallel()
	p := town(t)
	e := p.env(t)
	nasty := "=cmd|'/c'!A1\x1b]0;owned\x07\u202e\x9b31m\x00"
	a := core.Account{ID: "1", UserName: nasty, DisplayName: nasty, Email: nasty, Why: nasty, State: core.StateActive, Fields: map[string]string{"x": nasty}}
	detail := core.AccountDetail{Profile: core.Profile{Account: a}, Factors: []core.Factor{{Kind: core.FactorApp, Label: nasty}},
		Keys: []core.LinkedKey{{Fingerprint: nasty, Label: nasty}}}
	list := NewPeople(e).(*people)
	list.Update(peopleRead{page: core.PeoplePage{Accounts: []core.Account{a}}, now: e.Clock()})
	list.marked["1"] = nasty
	list.shown = personRead{id: "1", person: detail}
	one := newPerson(e, "1").(*person)
	one.Update(personAll{person: detail, trailed: true, now: e.Clock(), sessions: []core.Session{{Door: core.DoorSSH, Remote: nasty, Client: nasty}},
		trail: []core.Entry{{Action: core.ActSuspend, Name: nasty, Target: nasty}}})
	run := newPeopleRun(e, core.BulkAct{Kind: core.BulkSuspend}, list.marked).(*peopleRun)
	run.Update(peopleOver{result: core.BulkResult{Refused: []core.BulkRefusal{{User: "1", Code: core.CodeDenied}}}})
	invites := NewInvitations(e).(*invitations)
	w, _ := invites.list.want("")
	invites.Update(invitesRead{pageRead[core.Invite]{wanted: w, list: []core.Invite{{ID: "1", Note: nasty, ByName: nasty, Uses: 1}}, now: e.Clock()}})
	code := newIssueCode(e, "1", nasty).(*issueCode)
	code.Update(answer[issuedCode]{Value: issuedCode{code: "ABCD"}})
	for what, s := range map[string]tui.Screen{"people": list, "person": one, "run": run, "acts": newPeopleActs(e, list.marked), "ask": newPeopleAsk(e, core.BulkExpire, list.marked),
		"invitations": invites, "code": code} {
		if s, ok := s.(*peopleAsk); ok {
			s.Init()
		}
		for _, size := range sizes() {
			s.SetSize(size[0]-4, size[1]-4)
			if view := plainText(s.View()); strings.ContainsAny(view, "\x1b\x07\x00\u202e\u009b") || !strings.Contains(view, "=cmd") {
				t.Errorf("%s in %v: %q", what, size, view)
			}
		}
		if titled, ok := s.(tui.Titled); ok && strings.ContainsAny(titled.Title(), "\x1b\x07\x00\u202e\u009b") {
			t.Errorf("the title of %s is %q", what, titled.Title())
		}
	}
}

func TestPeopleFitEverySize(t *testing.T) {
	t.Parallel()
	for name, open := range peopleViews() {
		t.Run(name, func(t *testing.T) { open(t).Sizes() })
	}
}
