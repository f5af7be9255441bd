package screens

import (
	"context"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/core/script"
	"postern/tui"
	"postern/tui/tuitest"
)

// An agreement is written on the screen, seen as people will see it, and published.
func TestAnAgreementIsWrittenOnTheScreen(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v := p.at(t, p.env(t), p.justIn(t, "lin", goodPassword), NewAgreements).WaitFor("Nothing is asked for yet.").Press("n").WaitFor("There is no text.").Type("House rules")
	v.Press("ctrl+o").WaitFor("1 line, 0 of 16,384 bytes").Contains("House rules").Type("Be kind.").Press("enter").Type("Tidy up.")
	v.WaitFor("2 lines, 17 of 16,384 bytes")
	v.Press("esc").WaitFor("Leave without saving?").Press("esc").WaitFor("Tidy up.").Contains("2 lines")
	v.Press("ctrl+s").WaitFor("The text has 2 lines.")
	// What was taken over is not lost quietly either, nor asked about in vain.
	v.Press("esc").WaitFor("Leave without saving?").Press("esc").WaitFor("The text has 2 lines.")
	v.Press("ctrl+o").WaitFor("Tidy up.").Press("esc").WaitFor("The text has 2 lines.")
	v.Press("ctrl+o").WaitFor("Tidy up.").Type("x").Press("esc").WaitFor("Leave without saving?").Press("tab", "enter").WaitFor("The text has 2 lines.")
	v.Press("tab", "tab", "tab", "enter").WaitFor("This is how people see it").Contains("Be kind.", "Tidy up.").Lacks("xBe")
	v.Press("tab", "enter").WaitFor("House rules, version 1 is in force.")
	list, _, err := p.Agreements.List(context.Background(), core.ConsoleActor("root"), "", 0)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	a, err := p.Agreements.Status(context.Background(), core.ConsoleActor("root"), list[0].ID)
	if err != nil || a.Text != "Be kind.\nTidy up." {
		t.Fatalf("%q, %v", a.Text, err)
	}
	// A version begins with the text there is, and is left at once when nothing changed.
	v.Press("v").WaitFor("The text has 2 lines.").Press("ctrl+o").WaitFor("2 lines, 17 of").Contains("Tidy up.").Press("ctrl+s").WaitFor("The text has 2 lines.")
	v.Press("esc").WaitFor("Published")
}

// What core would refuse is said while it is written, with its line, and stays in
// the editor; what is too long is not added.
func TestATextIsCheckedWhileItIsWritten(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v := p.at(t, p.env(t), p.justIn(t, "lin", goodPassword), NewAgreements).WaitFor("Nothing is asked for yet.").Press("n").WaitFor("There is no text.").Press("ctrl+o")
	v.WaitFor("Text of the agreement").Type("One.").Press("enter").Paste("t\u202ewo").WaitFor("✗ Line 2: a character cannot be used.")
	v.Press("ctrl+s").Settle().Contains("2 lines").Press("ctrl+u").Settle().Lacks("✗")
	v.Paste(strings.Repeat("long ", 401)).WaitFor("Line 2 is too long: 2,000 characters at most.").Press("ctrl+u").Settle().Lacks("✗")
	v.Paste(strings.Repeat("long line\r\n", 1600)).WaitFor("1,602 lines, 16,005 of").Paste(strings.Repeat("line\r", 100)).WaitFor("Nothing was added.").Contains("16,005 of")
	// A key that does not fit is refused as a paste is; what is marked makes room.
	v.Paste(strings.Repeat("x", 16384-16005)).WaitFor("16,384 of 16,384").Type("y").Press("enter", "tab").WaitFor("16,384 of 16,384")
	v.Press("ctrl+g").Paste("Anew.").WaitFor("1 line, 5 of").Press("ctrl+s").WaitFor("The text has 1 line.")
}

// The keys that would read and write a clipboard mean that of the machine that the
// portal runs on, which is not theirs who write: they do nothing.
func TestTheEditorLeavesTheMachinesClipboardAlone(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	s := newEditing(p.env(t), "secret", 100)
	s.size(40, 10)
	s.area.SelectAll()
	for _, k := range []string{"ctrl+v", "ctrl+shift+c"} {
		msg, ok := tui.ParseKey(k)
		if !ok {
			msg = tea.KeyPressMsg{Code: 'c', Mod: tea.ModCtrl | tea.ModShift}
		}
		if cmd, changed := s.input(msg); cmd != nil || changed {
			t.Errorf("%s did something", k)
		}
	}
}

// The cursor stands where the text is, behind numbers of several digits too.
func TestTheEditorsCursorStandsInTheText(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	s := newEditing(p.env(t), strings.Repeat("a line\n", 1200)+"the end", script.MaxSource)
	s.size(60, 12)
	end, _ := tui.ParseKey("ctrl+end")
	s.area.View()
	if _, changed := s.input(end); changed {
		t.Error("going to the end has changed the text")
	}
	c := s.Cursor()
	lines := strings.Split(plainText(s.area.View()), "\n")
	if c == nil || c.Y >= len(lines) || strings.TrimRight(lines[c.Y], " ") != " 1201 the end" || c.X != len(" 1201 the end") {
		t.Fatalf("%+v in\n%s", c, strings.Join(lines, "\n"))
	}
	if s.kept != s.text() || strings.Count(s.text(), "\n") != 1200 {
		t.Error("the text is another one")
	}
}

// In lines nobody is led into an editor, which no line would lead out of again.
func TestNoEditorInLines(t *testing.T) {
	t.Parallel()
	p := scripted(t)
	e := p.env(t, tuitest.Dumb())
	if _, err := First(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	m := e.enter(t.Context(), e.Actor(), p.justIn(t, "lin", goodPassword))
	if m.err != nil {
		t.Fatal(m.err)
	}
	e.adopt(m)
	l := tuitest.OpenLines(t, e.Session, &opener{NewHome(e, m.checkUp), NewScripts(e)}, tui.PlainOptions{Raw: true})
	l.Hears("postern analysis save").Answer("n").Hears("no key")
	if strings.Contains(l.Text(), "New script") {
		t.Error("it is offered")
	}
	undrawn(t, l)
}

// editorViews are the pages where something is written, and those around scripts.
func editorViews() map[string]func(testing.TB, ...tuitest.Option) *tuitest.Terminal {
	type opener = func(testing.TB, ...tuitest.Option) *tuitest.Terminal
	scripts := func(keys ...string) opener {
		return func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			p := scripted(t)
			ctx, lin := context.Background(), core.ConsoleActor("root")
			for _, in := range []core.ScriptInput{
				{Name: "leavers", Source: firstScript, Reason: "as agreed in March"},
				{Name: "leavers", Source: firstScript + "print(account.user_name)\n", Reason: "says whom it is about", From: 1},
				{Name: "members", Source: "approve()\n"},
			} {
				if _, err := p.Analysis.Save(ctx, lin, in); err != nil {
					t.Fatal(err)
				}
			}
			for _, in := range []core.DryInput{{Name: "leavers", User: "mara"}, {Name: "draft", User: "noor", Source: "fail('no such thing')\n"}} {
				if _, err := p.Analysis.DryRun(ctx, lin, in); err != nil {
					t.Fatal(err)
				}
			}
			v := p.at(t, p.env(t, opts...), p.justIn(t, "lin", goodPassword), NewScripts).Settle()
			for _, k := range keys {
				v.Press(k).Settle()
			}
			return v
		}
	}
	agreement := func(text string, keys ...string) opener {
		return func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			p := newPlace(t)
			p.publish(t, core.AgreementInput{Name: "Terms of use", Text: termsText, Mandatory: true})
			v := p.at(t, p.env(t, opts...), p.owner, NewAgreements).Settle().Press("v").Settle().Press("ctrl+o").Settle()
			v.Paste(text)
			for _, k := range keys {
				v.Press(k).Settle()
			}
			return v.Settle()
		}
	}
	return map[string]opener{
		"scripts": scripts(), "script": scripts("home", "enter"), "runs": scripts("r"), "run": scripts("r", "end", "enter"), "run-failed": scripts("r", "enter"),
		"editor": scripts("home", "enter", "e"), "editor-wrong": scripts("n", "(", "enter"), "editor-leave": scripts("n", "x", "esc"), "editor-save": scripts("n", "ctrl+s"),
		"writing": agreement(""), "writing-wrong": agreement("\u202e"), "writing-leave": agreement("x", "esc"),
	}
}

func TestLookOfEditors(t *testing.T) {
	t.Parallel()
	for view, open := range editorViews() {
		t.Run(view, func(t *testing.T) {
			t.Parallel()
			looksOf(t, open)
		})
	}
}
