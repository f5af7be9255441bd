package tui_test

import (
	"fmt"
	"testing"

	"postern/tui"
	"postern/tui/tuitest"
)

// looks are the terminals that every view is looked at in.
func looks() map[string][]tuitest.Option {
	return map[string][]tuitest.Option{"colour": nil, "nocolor": {tuitest.NoColor()}, "dumb": {tuitest.Dumb()}}
}

func TestLookOfForms(t *testing.T) {
	for look, opts := range looks() {
		for _, size := range [][2]int{{80, 24}, {60, 20}, {120, 40}} {
			s := tuitest.NewSession(t, opts...)
			s.Door = "ssh"
			v := tuitest.Open(t, s, newSignUp(s)).Resize(size[0], size[1])
			name := fmt.Sprintf("%s-%dx%d", look, size[0], size[1])
			v.Golden("empty-" + name)
			v.Type("ada").Press("tab").Type("ada@example.org").Press("tab").Type("correct horse!").Press("tab").Type("correct horse!")
			v.Golden("typed-" + name)
			v.Press("enter").Golden("second-" + name)
			v.Press("right", "tab", "space", "tab").Type("x").Golden("chosen-" + name)
			v.Press("f1").Golden("help-" + name)
		}
	}
}

func TestLookOfTablesAndDialogs(t *testing.T) {
	for look, opts := range looks() {
		for _, size := range [][2]int{{80, 24}, {60, 20}, {120, 40}} {
			s := tuitest.NewSession(t, opts...)
			s.Door, s.Who = "ssh", func() string { return "ada" }
			s.Banner = func() string { return "Everything here is invented." }
			v := tuitest.Open(t, s, newPeople(s)).Resize(size[0], size[1])
			name := fmt.Sprintf("%s-%dx%d", look, size[0], size[1])
			v.Press("down", "down").Golden("table-" + name)
			v.Press("/").Type("10.0").Golden("filter-" + name)
			v.Type("zzz").Golden("nothing-" + name)
			v.Press("esc", "x").Type("eve").Press("tab", "right", "enter").Golden("confirm-" + name)
		}
	}
}

func TestLookInLanguages(t *testing.T) {
	for _, lang := range []string{"en", "pt-BR", "es"} {
		s := tuitest.NewSession(t, tuitest.Lang(lang))
		v := tuitest.Open(t, s, newSignUp(s))
		v.Press("enter", "enter", "enter", "enter", "enter").Golden("required-" + lang)
	}
}

func TestNothingIsLargerThanItsTerminal(t *testing.T) {
	for _, opts := range looks() {
		s := tuitest.NewSession(t, opts...)
		v := tuitest.Open(t, s, newPeople(s)).Sizes()
		v.Press("f1").Sizes().Press("esc")
		v.Press("/").Type("10").Sizes().Press("esc")
		v.Press("x").Sizes().Press("esc")
		v.Press("enter").Type("ada").Press("enter", "enter").Type("secret").Sizes()
		v.Send(tui.EndMsg{Text: "Your session was ended."})
		if !v.Quit() {
			t.Fatal("still open")
		}
	}
}
