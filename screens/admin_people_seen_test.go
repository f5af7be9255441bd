package screens

import (
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/tui/tuitest"
)

// Whoever looks for accounts that nobody uses goes through the orders by one key.
func TestPeopleAreSortedByTheirLastSignIn(t *testing.T) {
	t.Parallel()
	p := town(t)
	p.clock.Advance(time.Hour)
	p.owner = p.signIn(t, elsewhere("198.51.100.4"), "lin", goodPassword)
	p.clock.Advance(time.Minute)
	p.signIn(t, elsewhere("192.0.2.7"), "emil", otherPassword)
	v := p.peopleOf(t, p.owner)
	first := func(name string) {
		t.Helper()
		for line := range strings.Lines(v.Text()) {
			if strings.Contains(line, "▸") {
				if !strings.Contains(line, name) {
					t.Errorf("the first is not %s:\n%s", name, v.Text())
				}
				return
			}
		}
		t.Errorf("no row is marked:\n%s", v.Text())
	}
	v.WaitFor("13 people. That is all.").Press("s").WaitFor("the oldest first").Press("home")
	first("lin")
	v.Press("s").WaitFor("latest sign-in first").Press("home")
	first("emil")
	v.Press("s").WaitFor("never or longest ago first").Press("home")
	first("kim") // waits for approval and has never signed in
	// What is done from here leaves the mark where it is.
	v.Press("down", "down", "m").WaitFor("This concerns ada.").Press("enter").WaitFor("Reason").Type("away").Press("enter").
		WaitFor("1 account is suspended.").WaitFor("✗ suspended")
	v.WaitFor("never or longest ago first").Contains("13 people. That is all.")
	v.Press("s").WaitFor("by user name")
}

// A walk through everybody says how far it is; whoever asks for something else,
// or leaves, does not make the portal go on with it.
func TestAWalkThroughPeopleShowsHowFarItIs(t *testing.T) {
	t.Parallel()
	p := town(t)
	e := p.env(t)
	s := NewPeople(e).(*people)
	s.SetSize(76, 18)
	s.query.Sort = core.SortSeen
	s.fetch(0)
	ended := 0
	s.stop = func() { ended++ }
	s.Update(s.busy.Start(e.Session, "reading")()) // long enough for somebody to wonder
	s.Update(peopleWalk{turn: s.turn, looked: 250_000, of: 1_000_000})
	if view := plainText(s.View()); !strings.Contains(view, "250,000 of 1,000,000 people") || !strings.Contains(view, strings.Repeat("▰", 5)+"▱") {
		t.Errorf("it says %q", view)
	}
	before := s.turn
	s.Update(tuitest.Key("s"))
	if ended != 1 || s.turn == before {
		t.Errorf("what was asked before goes on: %d", ended)
	}
	s.Update(peopleWalk{turn: before, looked: 900_000, of: 1_000_000})
	if s.walk.looked != 0 {
		t.Error("how far the older one is counts for the newer")
	}
	s.stop = func() { ended++ }
	s.Update(tuitest.Key("esc"))
	if ended != 2 {
		t.Error("after esc it goes on")
	}
}

// Where a page costs a walk, an act makes the list read one page anew, not all.
func TestAWindowLetsGoOfAllPagesButOne(t *testing.T) {
	t.Parallel()
	var w peopleWindow
	w.reset()
	for i, next := range []string{"c1", "c2", "c3"} {
		w.take(i, []core.Account{{ID: next + "a"}, {ID: next + "b"}}, next)
	}
	w.only("c2b")
	if list := w.list(); len(list) != 2 || list[0].ID != "c2a" || w.before != 2 || w.first != 1 {
		t.Errorf("%v is held from page %d, %d before", list, w.first, w.before)
	}
	if page, more := w.after(); page != 2 || !more {
		t.Errorf("then comes %d, %v", page, more)
	}
	w.take(0, []core.Account{{ID: "c1a"}, {ID: "c1b"}}, "c1")
	if w.before != 0 || len(w.list()) != 4 {
		t.Errorf("%d are before the first", w.before)
	}
}
