package tui_test

import (
	"strings"
	"testing"

	"postern/tui/tuitest"
)

// A click marks the row under it, where the row is drawn, and a click on the
// marked row opens it; a click elsewhere does nothing.
func TestAClickFindsTheRowUnderIt(t *testing.T) {
	s := tuitest.NewSession(t)
	p := newPeople(s)
	v := tuitest.Open(t, s, p).WaitFor("203.0.113.9")
	row := func(text string) int {
		for y, line := range strings.Split(v.Text(), "\n") {
			if strings.Contains(line, text) {
				return y
			}
		}
		t.Fatalf("no row says %q:\n%s", text, v.Text())
		return 0
	}
	at := row("203.0.113.9  none")
	v.Click(10, at)
	if r, ok := p.Selected(); !ok || r.ID != "c" {
		t.Fatalf("the click marked %+v", r)
	}
	v.Click(10, 0).Click(10, 23)
	if r, _ := p.Selected(); r.ID != "c" || v.Router().Depth() != 1 {
		t.Fatalf("a click beside the table did something: %+v, %d screens", r, v.Router().Depth())
	}
	if v.Click(10, at); v.Router().Depth() != 2 {
		t.Fatal("a click on the marked row did not open it")
	}
}
