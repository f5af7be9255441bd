package tui_test

import (
	"image/color"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"pgregory.net/rapid"

	"postern/tui"
	"postern/tui/tuitest"
)

// fill types a first page that is accepted and stops before its last enter.
func fill(v *tuitest.Terminal) *tuitest.Terminal {
	return v.Type("ada").Press("tab", "tab").Type("secret").Press("tab").Type("secret")
}

func TestWhatIsRefusedStaysAndSaysWhy(t *testing.T) {
	s := tuitest.NewSession(t)
	u := newSignUp(s)
	u.answer = func(n int) tea.Msg {
		if n == 1 {
			return sentMsg{[]tui.Refusal{{Field: "name", Text: "That name is taken. Try another."}, {Text: "Nothing was saved."}}}
		}
		return sentMsg{}
	}
	v := tuitest.Open(t, s, &page{name: "root", init: tui.Push(u)}).WaitFor("User name")
	fill(v).Press("enter", "tab", "tab", "enter").WaitFor("That name is taken.").Contains("Nothing was saved", "1 of 2")
	if u.Focused() != "name" || u.password != "secret" || u.again != "secret" {
		t.Errorf("focus on %q, password %q", u.Focused(), u.password)
	}
	v.Type("2").Lacks("taken", "Nothing was saved")
	v.Press("tab", "tab", "tab", "enter", "tab", "tab", "enter").WaitFor("Welcome, ada2")
	if u.sent != 2 {
		t.Errorf("sent %d times", u.sent)
	}
}

func TestAFormIsHeldAtItsFirstWrongField(t *testing.T) {
	s := tuitest.NewSession(t)
	u := newSignUp(s)
	v := tuitest.Open(t, s, u)
	v.Press("tab", "tab").Type("secret").Press("tab").Type("other").Press("enter").Contains("Please fill this in.", "The two are not the same.")
	if u.Focused() != "name" || u.sent != 0 {
		t.Errorf("focus on %q, sent %d times", u.Focused(), u.sent)
	}
	v.Type("ada").Lacks("Please fill this in.")
}

func TestNothingIsTakenWhileAnAnswerIsAwaited(t *testing.T) {
	s := tuitest.NewSession(t)
	u := newSignUp(s)
	release := make(chan struct{})
	u.answer = func(int) tea.Msg { <-release; return sentMsg{[]tui.Refusal{{Text: "The disk is full."}}} }
	v := tuitest.Open(t, s, &page{name: "root", init: tui.Push(u)}).WaitFor("User name")
	fill(v).Press("enter", "tab", "tab", "enter").WaitFor("One moment")
	v.Type("zzz").Paste("zzz").Press("enter", "tab", "esc", "enter")
	if u.sent != 1 || v.Router().Depth() != 2 || u.Typing() {
		t.Fatalf("sent %d times, %d screens", u.sent, v.Router().Depth())
	}
	if _, _, shown := v.Cursor(); shown {
		t.Error("a cursor invites to type")
	}
	close(release)
	v.WaitFor("The disk is full.").Lacks("One moment", "zzz")
}

func TestEscGoesBackAndNothingHappened(t *testing.T) {
	s := tuitest.NewSession(t)
	u := newSignUp(s)
	root := &page{name: "root", init: tui.Push(u)}
	v := tuitest.Open(t, s, root).WaitFor("User name")
	fill(v).Press("enter").Contains("2 of 2").Press("esc").Contains("1 of 2", "ada")
	v.Press("esc").WaitFor("page root")
	if b := root.got[len(root.got)-1].(tui.BackMsg); b.Result != nil || u.sent != 0 {
		t.Errorf("something happened: %v, sent %d times", b.Result, u.sent)
	}
}

func TestATabIsTakenBeforeWhatFollowsIt(t *testing.T) {
	for range 20 {
		s := tuitest.NewSession(t)
		u := newSignUp(s)
		tuitest.Open(t, s, u).Burst("a", "tab", "b", "tab", "c", "shift+tab", "d", "tab", "tab", "e")
		if u.name != "a" || u.mail != "bd" || u.password != "c" || u.again != "e" {
			t.Fatalf("%q %q %q %q", u.name, u.mail, u.password, u.again)
		}
	}
}

func TestTheCursorStandsWhereTypingGoes(t *testing.T) {
	s := tuitest.NewSession(t)
	u := newSignUp(s)
	v := tuitest.Open(t, s, u).Press("tab")
	at := func(want int) {
		t.Helper()
		if x, y, ok := v.Cursor(); !ok || x != 18+want || y != 4 {
			t.Errorf("the cursor is at %d,%d (%v), want %d,4:\n%s", x, y, ok, 18+want, v.Text())
		}
	}
	at(0)
	v.Type("ab日本")
	at(6)
	v.Press("left")
	at(4)
	v.Press("home")
	at(0)
	v.Press("end").Type(strings.Repeat("x", 100))
	at(42)
	v.Press("home").Contains("ab日本")
	at(0)
}

func TestSecretsAreShownOnlyOnRequest(t *testing.T) {
	s := tuitest.NewSession(t)
	u := newSignUp(s)
	v := tuitest.Open(t, s, u).Press("tab", "tab").Type("hunter2").Lacks("hunter2").Contains("•••••••", "ctrl+r show")
	v.Press("ctrl+r").Contains("hunter2", "ctrl+r hide").Press("tab").Lacks("hunter2").Press("shift+tab").Lacks("hunter2")
	v.Press("ctrl+v").Press("left", "backspace")
	if u.password != "hunte2" {
		t.Errorf("the password is %q", u.password)
	}
}

func TestALongerNewerQuestionWins(t *testing.T) {
	s := tuitest.NewSession(t)
	u := newSignUp(s)
	v := tuitest.Open(t, s, u).Burst("r", "o", "o", "t").WaitFor("taken")
	v.Burst("1").WaitFor("free").Lacks("taken")

	var l tui.Latest[int]
	asked := 0
	ask := func(n int) func() int { return func() int { asked++; return n } }
	first := l.Ask(ask(1))
	if l.Ask(ask(2)) != nil || l.Ask(ask(3)) != nil {
		t.Fatal("two questions at once")
	}
	_, fresh, mine, next := l.Answer(first())
	if fresh || !mine || next == nil {
		t.Fatal("an old answer counted")
	}
	if n, fresh, _, next := l.Answer(next()); !fresh || n != 3 || next != nil || asked != 2 {
		t.Fatalf("%d %v, asked %d", n, fresh, asked)
	}
	if _, _, mine, _ := l.Answer(word("x")); mine {
		t.Fatal("took somebody else's message")
	}
	last := l.Ask(ask(4))
	l.Forget()
	if _, fresh, _, _ := l.Answer(last()); fresh {
		t.Fatal("a forgotten answer counted")
	}
}

func TestLanguageChangesUnderAHalfFilledForm(t *testing.T) {
	s := tuitest.NewSession(t)
	u := newSignUp(s)
	v := tuitest.Open(t, s, u)
	fill(v).Press("enter", "tab", "space")
	s.Dict = s.Catalog().Dict("es")
	v.Send(tui.RestyleMsg{}) // not addressed: dropped, as it should be
	s.Post(tui.RestyleMsg{})
	v.WaitFor("Continuar").Contains("2 de 2", "● Sí")
	if u.Focused() != "news" {
		t.Errorf("focus went to %q", u.Focused())
	}
}

// lone is a form and nothing else.
type lone struct{ *tui.Form }

func (l *lone) Update(msg tea.Msg) (tui.Screen, tea.Cmd) { return l, l.Handle(msg) }

// The weakness: a terminal that told its colours late took a refusal away before
// anybody had read it, and the focus from a button.
func TestALateWordAboutColoursTakesNothingAway(t *testing.T) {
	s := tuitest.NewSession(t)
	secret := ""
	var f *tui.Form
	f = tui.NewForm(s, func() tui.FormSpec {
		return tui.FormSpec{
			Pages:  []tui.Page{{Fields: []tui.Field{tui.Text{Key: "code", Label: "Code", Value: &secret}}}},
			Submit: "Go", Do: func() tea.Cmd {
				secret = ""
				f.Refuse(tui.Refusal{Field: "code", Text: "not right"})
				return nil
			},
		}
	})
	v := tuitest.Open(t, s, &lone{f})
	v.Type("12").Press("enter").WaitFor("not right")
	v.Send(tea.BackgroundColorMsg{Color: color.Black})
	v.Settle()
	v.Contains("not right")
	v.Press("tab").WaitFor("▸[ Go ]")
	v.Send(tea.BackgroundColorMsg{Color: color.White})
	v.Settle()
	v.Contains("▸[ Go ]")
}

// TestAnythingCanBeTyped is a random person at a form: whatever is pressed, the
// view fits, values keep their limits, and nothing is sent that a rule refuses.
func TestAnythingCanBeTyped(t *testing.T) {
	keys := []string{"tab", "shift+tab", "enter", "esc", "up", "down", "left", "right", "home", "end", "backspace",
		"delete", "ctrl+u", "ctrl+k", "ctrl+w", "ctrl+r", "ctrl+a", "ctrl+v", "alt+b", "space", "pgup", "f1", "a", "ß", "日", "-", "7", "?"}
	rapid.Check(t, func(rt *rapid.T) {
		s := tuitest.NewSession(t)
		u := newSignUp(s)
		v := tuitest.Open(t, s, u)
		for range rapid.IntRange(1, 60).Draw(rt, "n") {
			if rapid.IntRange(0, 9).Draw(rt, "paste") == 0 {
				v.Send(tea.PasteMsg{Content: rapid.StringN(0, 40, -1).Draw(rt, "text")})
			} else {
				v.Burst(rapid.SampledFrom(keys).Draw(rt, "key"))
			}
			tuitest.Fits(t, "80x24", v.Router(), 80, 24)
		}
		if n := len([]rune(u.name)); n > 32 {
			rt.Fatalf("a name of %d characters", n)
		}
		if u.sent > 0 && (strings.TrimSpace(u.name) == "" || u.password == "" || u.again != u.password || u.age < 1 || u.age > 150) {
			rt.Fatalf("sent %q %q %q %d", u.name, u.password, u.again, u.age)
		}
	})
}

// BenchmarkFormKeyToFrame is one key press in a form as full as any: from the
// message to the view, with 256 characters in every field.
func BenchmarkFormKeyToFrame(b *testing.B) {
	s := tuitest.NewSession(b)
	u := newSignUp(s)
	long := strings.Repeat("correct horse ", 19)[:255]
	u.name, u.mail, u.password, u.again = long[:31], long, long, long
	r := tui.NewRouter(s, u)
	r.Init()
	r.Update(tea.WindowSizeMsg{Width: 80, Height: 24})
	r.Update(tuitest.Key("tab"))
	r.Update(tuitest.Key("tab"))
	var took []time.Duration
	press := []tea.KeyPressMsg{tuitest.Key("x"), tuitest.Key("backspace")}
	i := 0
	for b.Loop() {
		began := time.Now()
		r.Update(press[i%2])
		_ = r.View()
		took = append(took, time.Since(began))
		i++
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}

func BenchmarkHugePaste(b *testing.B) {
	s := tuitest.NewSession(b)
	r := tui.NewRouter(s, newSignUp(s))
	r.Init()
	for name, n := range map[string]int{"10k": 10_000, "64MiB": 64 << 20} {
		text := strings.Repeat("x", n)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				r.Update(tea.PasteMsg{Content: text})
				_ = r.View()
			}
		})
	}
}
