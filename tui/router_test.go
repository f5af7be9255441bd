package tui_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"postern/tui"
	"postern/tui/tuitest"
)

// page is a screen that notes what it gets.
type page struct {
	name string
	got  []tea.Msg
	init tea.Cmd
	on   func(p *page, msg tea.Msg) tea.Cmd
	view func() string
	w, h int
}

func (p *page) Init() tea.Cmd    { return p.init }
func (p *page) SetSize(w, h int) { p.w, p.h = w, h }
func (p *page) Title() string    { return p.name }

func (p *page) View() string {
	if p.view != nil {
		return p.view()
	}
	return "page " + p.name
}

func (p *page) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	p.got = append(p.got, msg)
	if p.on != nil {
		return p, p.on(p, msg)
	}
	return p, nil
}

type word string

func say(w string) tea.Cmd { return func() tea.Msg { return word(w) } }

func (p *page) words() string {
	var out []string
	for _, m := range p.got {
		if w, ok := m.(word); ok {
			out = append(out, string(w))
		}
	}
	return strings.Join(out, " ")
}

func TestAnswersGoToTheScreenThatAsked(t *testing.T) {
	release := make(chan struct{})
	above := &page{name: "above"}
	below := &page{name: "below"}
	below.on = func(_ *page, msg tea.Msg) tea.Cmd {
		if k, ok := msg.(tea.KeyPressMsg); ok && k.String() == "x" {
			late := func() tea.Msg { <-release; return word("late") }
			return tea.Batch(
				tea.Sequence(say("one"), tea.Batch(say("two"), tea.Sequence(say("three"), say("four"))), tui.Push(above)),
				late,
			)
		}
		return nil
	}
	v := tuitest.Open(t, tuitest.NewSession(t), below).Press("x")
	v.WaitFor("page above")
	close(release)
	v.WaitUntil("the late answer arrived", func(string) bool { return strings.Contains(below.words(), "late") })
	for _, w := range []string{"one", "two", "three", "four", "late"} {
		if !strings.Contains(below.words(), w) {
			t.Errorf("%s got lost: %s", w, below.words())
		}
	}
	if above.words() != "" {
		t.Errorf("the screen above heard %s", above.words())
	}
}

func TestLateAnswersOfScreensThatHaveGoneAreDropped(t *testing.T) {
	release := make(chan struct{})
	asked := &page{name: "asked", init: func() tea.Msg { <-release; return word("late") }}
	asked.on = func(_ *page, msg tea.Msg) tea.Cmd {
		if _, ok := msg.(tea.KeyPressMsg); ok {
			return tea.Sequence(tui.PopWith("done"), tui.Toast(tui.Good, "Saved"), tui.Push(&page{name: "ghost"}))
		}
		return nil
	}
	list := &page{name: "list"}
	list.init = tui.Push(asked)
	v := tuitest.Open(t, tuitest.NewSession(t), list).WaitFor("page asked").Press("x").WaitFor("page list").Contains("Saved")
	close(release)
	time.Sleep(5 * time.Millisecond)
	v.Settle().Lacks("ghost")
	if asked.words() != "" || list.words() != "" {
		t.Errorf("heard: asked %q, list %q", asked.words(), list.words())
	}
	if b, ok := list.got[len(list.got)-1].(tui.BackMsg); !ok || b.Result != "done" {
		t.Errorf("no result came back: %v", list.got)
	}
	v.Press("j").Lacks("Saved")
}

// hundred runs fn in a hundred programs, ten at a time.
func hundred(t *testing.T, fn func(t *testing.T)) {
	for i := range 10 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			for range 10 {
				fn(t)
			}
		})
	}
}

func TestAnImpatientDoubleEnterOpensOneScreen(t *testing.T) {
	hundred(t, func(t *testing.T) {
		s := tuitest.NewSession(t)
		p := newPeople(s)
		v := tuitest.Open(t, s, p).Burst("enter", "enter", "enter")
		if d := v.Router().Depth(); d != 2 {
			t.Fatalf("%d screens are open", d)
		}
		if u := v.Router().Top().(*signUp); u.sent != 0 {
			t.Fatal("the next screen's form was sent")
		}
	})
}

func TestADoubleEnterSendsAFormOnce(t *testing.T) {
	hundred(t, func(t *testing.T) {
		s := tuitest.NewSession(t)
		u := newSignUp(s)
		after := newSignUp(s)
		after.name, after.password, after.again = "eve", "x", "x"
		u.answer = func(int) tea.Msg { return sentMsg{} }
		v := tuitest.Open(t, s, &page{name: "root", init: tui.Push(u)}).WaitFor("User name")
		v.Type("ada").Press("tab", "tab").Type("secret").Press("tab").Type("secret").Press("enter")
		v.Burst("tab", "tab", "enter", "enter", "enter", "enter")
		if u.sent != 1 {
			t.Fatalf("sent %d times", u.sent)
		}
		v.WaitFor("Welcome, ada")
	})
}

func TestKeysThatWorkEverywhere(t *testing.T) {
	s := tuitest.NewSession(t)
	u := newSignUp(s)
	v := tuitest.Open(t, s, u)
	v.Press("tab").Type("a?").Contains("a?") // a character in a field
	v.Press("f1").Contains("Keys that work here", "shift+tab", "leave at once").Press("esc").Contains("a?")
	if v.Press("esc").Quit() || v.Router().Depth() != 1 {
		t.Fatal("esc on the first screen did something")
	}
	if !v.Press("ctrl+c").Quit() {
		t.Fatal("ctrl+c did not close the program")
	}
}

func TestSmallTerminalsKeepWhatWasTyped(t *testing.T) {
	s := tuitest.NewSession(t)
	u := newSignUp(s)
	v := tuitest.Open(t, s, u).Type("ada")
	v.Resize(40, 10).Contains("60 x 20").Type("zzz").Paste("zzz")
	v.Resize(1, 1).Resize(14, 2).Contains("60 x 20").Resize(80, 24).Contains("ada").Lacks("zzz")
	if u.name != "ada" {
		t.Errorf("the name is %q", u.name)
	}
}

func TestResizeStorm(t *testing.T) {
	s := tuitest.NewSession(t)
	v := tuitest.Open(t, s, newPeople(s)).Press("enter").Type("ada")
	rapid.Check(t, func(rt *rapid.T) {
		w, h := rapid.IntRange(-1, 600).Draw(rt, "w"), rapid.IntRange(-1, 300).Draw(rt, "h")
		v.Send(tea.WindowSizeMsg{Width: w, Height: h})
		tuitest.Fits(t, fmt.Sprintf("%dx%d", w, h), v.Router(), min(max(w, 1), 500), min(max(h, 1), 200))
	})
	v.Resize(80, 24).Contains("ada")
}

func TestSizesAreSetAndNeverForwarded(t *testing.T) {
	p := &page{name: "p"}
	v := tuitest.Open(t, tuitest.NewSession(t), p)
	v.Resize(120, 40)
	if p.w != 116 || p.h != 35 {
		t.Errorf("%dx%d", p.w, p.h)
	}
	if v.Resize(10, 10); p.w != 56 || p.h != 16 {
		t.Errorf("%dx%d in a terminal that is too small", p.w, p.h)
	}
	for _, m := range p.got {
		if _, ok := m.(tea.WindowSizeMsg); ok {
			t.Error("a raw size reached a screen")
		}
	}
}

// tallPage is a page that wants every row.
type tallPage struct{ page }

func (p *tallPage) Tall() bool { return true }

func (p *tallPage) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	_, cmd := p.page.Update(msg)
	return p, cmd
}

func (p *tallPage) Cursor() *tea.Cursor { return tea.NewCursor(0, 0) }

func TestAScreenMayHaveTheRowThatIsBlank(t *testing.T) {
	tall := &tallPage{page{name: "tall"}}
	low := &page{name: "low"}
	on := func(next tui.Screen) func(*page, tea.Msg) tea.Cmd {
		return func(_ *page, msg tea.Msg) tea.Cmd {
			if k, ok := msg.(tea.KeyPressMsg); ok {
				switch k.String() {
				case "n":
					return tui.Push(next)
				case "r":
					return tui.Replace(next)
				case "p":
					return tui.Pop()
				}
			}
			return nil
		}
	}
	over := &page{name: "over"}
	low.on, tall.on, over.on = on(tall), on(over), on(tall)
	v := tuitest.Open(t, tuitest.NewSession(t), low)
	body := func(name string, row, height int) {
		t.Helper()
		lines := strings.Split(v.Text(), "\n")
		if lines[row] != "  page "+name {
			t.Errorf("%s does not begin in row %d:\n%s", name, row, v.Text())
		}
		p, ok := v.Router().Top().(*page)
		if !ok {
			p = &tall.page
		}
		if p.h != height {
			t.Errorf("%s has %d rows, not %d", name, p.h, height)
		}
		if n := strings.Count(v.Router().View().Content, "\n"); n != 23 {
			t.Errorf("%s: %d lines", name, n+1)
		}
	}
	body("low", 3, 19)
	v.Press("n")
	body("tall", 2, 20)
	if _, y, _ := v.Cursor(); y != 2 {
		t.Errorf("the cursor stands in row %d", y)
	}
	v.Press("n") // a page over it has its blank row
	body("over", 3, 19)
	v.Resize(100, 30).Resize(80, 24) // each is given its own size, on top or not
	if tall.h != 20 || low.h != 19 || over.h != 19 {
		t.Errorf("tall %d, low %d, over %d", tall.h, low.h, over.h)
	}
	v.Press("p")
	body("tall", 2, 20)
	v.Press("r")
	body("over", 3, 19)
	v.Press("r")
	body("tall", 2, 20)
	v.Press("p")
	body("low", 3, 19)
	if v.Resize(80, 23); low.h != 19 {
		t.Errorf("there is a blank row in a terminal of 23: %d", low.h)
	}
}

func TestThemeAndLanguageReachEveryScreen(t *testing.T) {
	s := tuitest.NewSession(t)
	below := &page{name: "below"}
	u := newSignUp(s)
	below.on = func(_ *page, msg tea.Msg) tea.Cmd {
		if m, ok := msg.(word); ok && m == "go" {
			return s.SetLanguage("pt_BR")
		}
		return nil
	}
	below.init = tea.Sequence(tui.Push(u), func() tea.Msg { time.Sleep(time.Millisecond); return word("go") })
	v := tuitest.Open(t, s, below).WaitFor("Continuar")
	v.Contains("pt-BR")
	restyled := false
	for _, m := range below.got {
		_, ok := m.(tui.RestyleMsg)
		restyled = restyled || ok
	}
	if !restyled {
		t.Error("the covered screen was not told")
	}
	v.Send(tea.BackgroundColorMsg{Color: s.Theme.Bad.GetForeground()}) // any colour will do
	if s.Caps.Background == tui.BackgroundUnknown {
		t.Error("the terminal's answer was not taken")
	}
}

func TestPastesAreBounded(t *testing.T) {
	s := tuitest.NewSession(t)
	u := newSignUp(s)
	v := tuitest.Open(t, s, u)
	v.Paste(strings.Repeat("x", tui.MaxPaste+1)).Contains("That paste is too long")
	v.Paste(strings.Repeat("x", 33)).Contains("At most 32 characters")
	v.Paste("ada\x1b[31m\x07\u009b\n").Contains("ada[31m")
	if u.name != "ada[31m" {
		t.Errorf("the name is %q", u.name)
	}
	v.Press("tab", "tab").Paste("tab\there").Contains("cannot be typed")
	v.Paste("bad \xff").Contains("cannot be typed").Paste("good one\r\n")
	if u.password != "good one" {
		t.Errorf("the password is %q", u.password)
	}
	v.Paste(strings.Repeat("p", 10000)).Contains("At most 256 characters")
	if u.password != "good one" {
		t.Error("a part of a paste was taken")
	}
}

// ASVS 16.5.4: a panic ends one session with a sentence, and the rest is logged.
func TestAPanicEndsOnlyThisSession(t *testing.T) {
	bang := func() tea.Msg { panic("boom") }
	for name, p := range map[string]*page{
		"update":   {name: "p", on: func(*page, tea.Msg) tea.Cmd { panic("boom") }},
		"command":  {name: "p", on: func(*page, tea.Msg) tea.Cmd { return bang }},
		"batch":    {name: "p", on: func(*page, tea.Msg) tea.Cmd { return tea.Batch(bang, bang) }},
		"sequence": {name: "p", on: func(*page, tea.Msg) tea.Cmd { return tea.Sequence(say("a"), bang, say("b")) }},
		"view":     nil,
	} {
		t.Run(name, func(t *testing.T) {
			if p == nil {
				armed := false
				p = &page{name: "p"}
				p.on = func(*page, tea.Msg) tea.Cmd { armed = true; return nil }
				p.view = func() string {
					if armed {
						panic("boom")
					}
					return ""
				}
			}
			s := tuitest.NewSession(t)
			var ids []string
			s.Log = func(id string, v any, stack []byte) {
				ids = append(ids, id)
				if v != "boom" || !strings.Contains(string(stack), "router_test") {
					t.Errorf("logged %v %s", v, stack)
				}
			}
			v := tuitest.Open(t, s, p).Press("x").WaitUntil("it says so", func(screen string) bool {
				return len(ids) > 0 && strings.Contains(screen, ids[0])
			})
			v.WaitUntil("the program closed", func(string) bool { return v.Quit() })
			if strings.Contains(v.Text(), "boom") {
				t.Error("the person was shown the panic")
			}
		})
	}
}

func TestTheDoorCanEndASession(t *testing.T) {
	s := tuitest.NewSession(t)
	v := tuitest.Open(t, s, newSignUp(s))
	s.End("This session was ended from another terminal.")
	v.WaitFor("ended from another terminal").WaitUntil("the program closed", func(string) bool { return v.Quit() })
	if text, ended := v.Router().Ended(); !v.Quit() || !ended || !strings.Contains(text, "another terminal") {
		t.Error("still open")
	}
}

// TestAProgramLeavesNothingBehind runs the real program over pipes: nothing is
// sent while nothing changes, ctrl+c restores the terminal, no goroutine stays.
func TestAProgramLeavesNothingBehind(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s := tui.NewSession(ctx, catalog(t), []string{"TERM=xterm-256color"})
	in, keys := io.Pipe()
	out := &counter{}
	p := tea.NewProgram(tui.NewRouter(s, newSignUp(s)), tea.WithContext(ctx), tea.WithInput(in), tea.WithOutput(out),
		tea.WithoutSignals(), tea.WithWindowSize(80, 24), tea.WithEnvironment([]string{"TERM=xterm-256color"}))
	done := make(chan error)
	go func() { _, err := p.Run(); done <- err }()
	out.waitFor(t, "User name")
	if _, err := keys.Write([]byte("ada\tada@example.org\t")); err != nil {
		t.Fatal(err)
	}
	out.waitFor(t, "free")
	time.Sleep(100 * time.Millisecond)
	n := out.len()
	time.Sleep(300 * time.Millisecond)
	if m := out.len(); m != n {
		t.Errorf("an idle session sent %d bytes", m-n)
	}
	if _, err := keys.Write([]byte{3}); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for _, seq := range []string{"\x1b[?1049l", "\x1b[?2004l", "\x1b[?25h"} {
		if !strings.Contains(out.String(), seq) {
			t.Errorf("%q was not sent", seq)
		}
	}
	keys.Close()
}

// counter collects what a program sends.
type counter struct {
	mu sync.Mutex
	b  strings.Builder
}

func (c *counter) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.b.Write(p)
}

func (c *counter) String() string { c.mu.Lock(); defer c.mu.Unlock(); return c.b.String() }
func (c *counter) len() int       { c.mu.Lock(); defer c.mu.Unlock(); return c.b.Len() }

func (c *counter) waitFor(t *testing.T, text string) {
	t.Helper()
	for range 1000 {
		if strings.Contains(c.String(), text) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("never sent %q: %q", text, c.String())
}
