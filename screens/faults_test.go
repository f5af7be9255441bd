package screens

import (
	"testing"
)

// When nothing can be reached, every page says so, nothing is half done, and
// whoever is there stays where they are.
func TestPagesSayThatThePortalCannotAnswer(t *testing.T) {
	t.Parallel()
	const busy = "The portal could not answer"
	p := newPlace(t)
	v, e, in := p.ada(t)
	p.signIn(t, elsewhere("203.0.113.9"), "ada", otherPassword)

	walk(t, v, "s", "203.0.113.9")
	cut(e, true)
	walk(t, v, "x", "End it")
	v.Press("tab", "enter").WaitFor(busy)
	walk(t, v, "esc", "Last seen", "X", "End them")
	v.Press("tab", "enter").WaitFor(busy)
	walk(t, v, "esc", "Last seen", "r", busy)
	cut(e, false)
	walk(t, v, "r", "Last seen", "esc", "Security check-up", "p", "You are ada")

	cut(e, true)
	v.Type("x").Press("tab", "tab", "tab", "tab", "enter").WaitFor(busy)
	v.Contains("adax").Press("esc").WaitFor("Security check-up")
	walk(t, v, "a", busy)
	cut(e, false)
	walk(t, v, "r", "That is all.")
	cut(e, true)
	walk(t, v, "r", busy, "esc", "Security check-up")
	walk(t, v, "o", busy)
	if e.Me().Account == "" || v.Quit() {
		t.Error("signed out though the session could not be ended")
	}
	cut(e, false)
	walk(t, v, "r", "Security check-up", "w", "at least 12 characters")
	cut(e, true)
	typePasswords(v, otherPassword, newestPassword, newestPassword).Press("enter").WaitFor(busy)
	cut(e, false)
	p.signIn(t, elsewhere("203.0.113.9"), "ada", otherPassword)
	if got := p.profile(t, in); got.DisplayName != "ada" {
		t.Errorf("half saved: %+v", got.Account)
	}
}
