package screens

import (
	"context"
	"testing"
)

// When nothing can be reached, every page says so, nothing is half done, and
// whoever is there stays where they are.
func TestPagesSayThatThePortalCannotAnswer(t *testing.T) {
	const busy = "The portal could not answer"
	p := newPlace(t)
	v, e, in := p.ada(t)
	p.signIn(t, elsewhere("203.0.113.9"), "ada", otherPassword)
	reachable := e.Ctx
	gone, cancel := context.WithCancel(context.Background())
	cancel()

	walk(t, v, "s", "203.0.113.9")
	e.Ctx = gone
	walk(t, v, "x", "End it")
	v.Press("tab", "enter").WaitFor(busy)
	walk(t, v, "esc", "Last seen", "X", "End them")
	v.Press("tab", "enter").WaitFor(busy)
	walk(t, v, "esc", "Last seen", "r", busy)
	e.Ctx = reachable
	walk(t, v, "r", "Last seen", "esc", "Security check-up", "p", "You are ada")

	e.Ctx = gone
	v.Type("x").Press("tab", "tab", "tab", "tab", "enter").WaitFor(busy)
	v.Contains("adax").Press("esc").WaitFor("Security check-up")
	walk(t, v, "a", busy)
	e.Ctx = reachable
	walk(t, v, "r", "That is all.")
	e.Ctx = gone
	walk(t, v, "r", busy, "esc", "Security check-up")
	walk(t, v, "o", busy)
	if e.Me().Account == "" || v.Quit() {
		t.Error("signed out though the session could not be ended")
	}
	e.Ctx = reachable
	walk(t, v, "r", "Security check-up", "w", "at least 12 characters")
	e.Ctx = gone
	typePasswords(v, otherPassword, newestPassword, newestPassword).Press("enter").WaitFor(busy)
	e.Ctx = reachable
	p.signIn(t, elsewhere("203.0.113.9"), "ada", otherPassword)
	if got := p.profile(t, in); got.DisplayName != "ada" {
		t.Errorf("half saved: %+v", got.Account)
	}
}
