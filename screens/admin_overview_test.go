package screens

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/tui/tuitest"
)

// busyPlace is a portal with four weeks of life, of which something needs somebody.
func busyPlace(t testing.TB) *place {
	t.Helper()
	p := newPlace(t)
	ctx := context.Background()
	people := []string{"ada", "bram", "kim"}
	for i, name := range people {
		p.clock.Advance(time.Duration(i) * 26 * time.Hour)
		p.signUp(t, name, otherPassword)
	}
	from := core.Actor{Door: core.DoorSSH, Remote: "192.0.2.7", Client: "OpenSSH_9.9"}
	for i := range 40 {
		p.clock.Advance(13 * time.Hour)
		for n := range 1 + i%4 {
			if _, err := p.SignIn.Password(ctx, from, people[n%3], otherPassword); err != nil {
				t.Fatal(err)
			}
		}
		if i%7 == 3 {
			_, _ = p.SignIn.Password(ctx, from, "ada", "not her password")
		}
	}
	p.set(t, "sign_up.mode", "approval", "factors.email", "on")
	for _, name := range []string{"noor", "mei"} {
		p.signUp(t, name, otherPassword)
	}
	if err := p.Accounts.Suspend(ctx, core.ConsoleActor("test"), "bram", ""); err != nil {
		t.Fatal(err)
	}
	in, err := p.SignIn.Password(ctx, from, "lin", goodPassword)
	if err != nil {
		t.Fatal(err)
	}
	p.owner = in.SignedIn
	return p
}

// overviewOf is the owner at the overview, when it has been read.
func (p *place) overviewOf(t testing.TB, opts ...tuitest.Option) (*tuitest.Terminal, *Env) {
	t.Helper()
	e := p.env(t, opts...)
	v := p.at(t, e, p.owner, NewOverview)
	v.WaitFor(e.T("overview.needs"))
	return v, e
}

func TestTheOverviewSaysWhatHappensAndWhatNeedsSomebody(t *testing.T) {
	t.Parallel()
	v, _ := busyPlace(t).overviewOf(t)
	v.Resize(120, 40)
	v.Contains("● days", "Sign-ins", "in 14 days, most", "Needs you", "! Codes are to go by e-mail", "2 new accounts wait for approval.",
		"6: 3 active, 2 wait, 1 suspended")
}

func TestHoursDaysAndWeeksAreChosen(t *testing.T) {
	t.Parallel()
	v, _ := busyPlace(t).overviewOf(t)
	v.Press("h").WaitFor("in 24 hours")
	v.Contains("● hours", "○ days")
	v.Press("w").WaitFor("in 12 weeks")
	v.Press("d").WaitFor("in 14 days")
}

func TestAWarningLeadsToWhereItIsMended(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _ := p.overviewOf(t)
	v.Contains("! Everybody may sign up, without any limit.", "! No backup has been made.")
	v.Contains("▸ ! 1 person with a role").Press("enter").WaitFor("Overview › Policy › ")
	marked(t, v.WaitFor("Days to comply"), "Who must have one")
	v.Press("esc").WaitFor("is in force since").Press("esc").WaitFor("Needs you")
	v.Press("home", "down", "down").Contains("▸ ! Everybody may sign up, without any limit.").Press("enter").WaitFor("Accounts at most")
	marked(t, v, "Accounts at most")
	v.Press("enter").WaitFor("Take it").Press("esc").WaitFor("Accounts at most").Press("esc").WaitFor("is in force since").Press("esc").WaitFor("Needs you")
	v.Press("end").WaitFor("▸ ! There is no address of a contact for security").Press("enter").WaitFor("Overview › Legal contacts")
	marked(t, v, "Security")
	v.Press("esc").WaitFor("Needs you").Press("home")
	v.Press("down").Contains("▸ ! No backup").Press("enter").WaitFor("To mend it")
	v.Contains("postern backup FILE").Press("esc").WaitFor("Needs you")
	p.set(t, "sign_up.quota", "10")
	v.Press("r").WaitUntil("it is mended", func(text string) bool { return !strings.Contains(text, "without any limit") })
}

// People whom something concerns are listed, and not everybody; from there it goes
// straight back.
func TestWhatNeedsPeopleListsThem(t *testing.T) {
	t.Parallel()
	p := busyPlace(t)
	p.set(t, "factors.enforce", "admins", "factors.days", "0")
	v, _ := p.overviewOf(t)
	v.Resize(120, 40).Press("end")
	marked(t, v, "2 new accounts wait for approval.")
	v.Press("enter").WaitFor("2 people. That is all.").Contains("State: waits for approval", "noor", "mei").Lacks("ada")
	v.Press("s").WaitFor("the oldest first").Press("esc").WaitFor("Needs you").Press("home")
	marked(t, v, "Codes are to go")
	v.Press("down")
	marked(t, v, "1 person has no second factor")
	v.Press("enter").WaitFor("1 person. That is all.").Contains("second factor: none that counts", "role: some role", "lin").Lacks("ada")
	// What one looks for besides is cleared first.
	v.Press("/").Type("ada").WaitFor("Nobody is like that.").Press("enter", "esc").WaitFor("6 people.").Press("esc").WaitFor("Needs you")
	for _, name := range []string{"noor", "mei"} {
		if err := p.Accounts.Approve(t.Context(), core.ConsoleActor("test"), name); err != nil {
			t.Fatal(err)
		}
	}
	v.Press("end", "enter").WaitFor("Nobody is like that now.").Press("esc").WaitFor("Needs you").Lacks("wait for approval")
}

// Who may not mend it is told who does.
func TestAnAuditorIsToldWhoMendsIt(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	ada := p.signUp(t, "ada", otherPassword)
	if _, err := p.Access.Grant(t.Context(), core.ConsoleActor("test"), "ada", core.RoleAuditor, time.Time{}); err != nil {
		t.Fatal(err)
	}
	p.owner = ada
	v, _ := p.overviewOf(t)
	v.Press("end").WaitFor("▸ ! There is no address").Press("enter").WaitFor("To mend it")
	waitToRead(v, "Owners and admins write down whom people turn to.")
}

// When somebody comes back it is read anew: it may have been mended there.
func TestTheOverviewIsReadAgainWhenOneComesBack(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _ := p.overviewOf(t)
	v.Contains("without any limit")
	v.Press("down", "enter").WaitFor("To mend it")
	p.set(t, "sign_up.quota", "10")
	v.Press("esc").WaitUntil("it is read", func(text string) bool {
		return strings.Contains(text, "Needs you") && !strings.Contains(text, "without any limit")
	})
}

// Without blocks and colours the numbers are in words, and bars of plain signs.
func TestPlotsHaveATwinOfPlainSigns(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		values []int
		cells  int
		rows   int
		want   string
	}{
		{[]int{0, 1, 2, 4}, 1, 2, "   #/ ###"},
		{[]int{1, 100}, 2, 2, "  #/# #"}, // what is not nothing is seen
		{[]int{0, 0}, 2, 1, ""},
	} {
		got := strings.Join(asciiBars(tt.values, tt.cells, tt.rows, max(1, tt.values[len(tt.values)-1])), "/")
		if got != tt.want {
			t.Errorf("%v: %q, want %q", tt.values, got, tt.want)
		}
	}
	e := newPlace(t).env(t)
	s := NewOverview(e).(*overview)
	if got := fmt.Sprintf("%q", s.bars([]int{0, 1, 1000}, 6, 2)); got != `["    █" "  ▁ █"]` {
		t.Errorf("drawn: %s", got)
	}
}

// overviewViews are the pages, for those who look at all of them.
func overviewViews() map[string]func(testing.TB, ...tuitest.Option) *tuitest.Terminal {
	return map[string]func(testing.TB, ...tuitest.Option) *tuitest.Terminal{
		"busy": func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			v, _ := busyPlace(t).overviewOf(t, opts...)
			return v.Press("down").Settle()
		},
		"hours": func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			v, _ := busyPlace(t).overviewOf(t, opts...)
			return v.Press("h").Settle()
		},
		"new": func(t testing.TB, opts ...tuitest.Option) *tuitest.Terminal {
			v, _ := newPlace(t).overviewOf(t, opts...)
			return v.Settle()
		},
	}
}

func TestLookOfTheOverview(t *testing.T) {
	t.Parallel()
	for view, open := range overviewViews() {
		t.Run(view, func(t *testing.T) {
			t.Parallel()
			for look, opts := range looks() {
				v := open(t, opts...)
				for _, size := range sizes() {
					v.Resize(size[0], size[1]).Golden(sizeName(look, size))
				}
			}
			for _, lang := range []string{"es", "pt-BR"} {
				open(t, tuitest.Lang(lang)).Golden(lang+"-80x24").Resize(60, 20).Golden(lang + "-60x20")
			}
		})
	}
}

func TestTheOverviewFitsEverySize(t *testing.T) {
	t.Parallel()
	for view, open := range overviewViews() {
		t.Run(view, func(t *testing.T) {
			t.Parallel()
			open(t).Sizes()
		})
	}
}

// Nothing is read, drawn or ticked while nobody does anything.
func TestAnIdleOverviewIsStill(t *testing.T) {
	t.Parallel()
	p := busyPlace(t)
	e := p.env(t)
	m := e.enter(t.Context(), e.Actor(), p.owner)
	if m.err != nil {
		t.Fatal(m.err)
	}
	e.adopt(m)
	c := &counted{Screen: NewOverview(e)}
	v := tuitest.Open(t, e.Session, c)
	time.Sleep(300 * time.Millisecond) // longer than a spinner takes to show itself
	v.Settle()
	before, view := c.messages, c.View()
	time.Sleep(300 * time.Millisecond)
	if v.Settle(); c.messages != before || c.View() != view {
		t.Errorf("%d messages while idle", c.messages-before)
	}
}

// In lines there are no plots: the numbers say it all, and a number opens a way.
func TestTheOverviewIsSaidInLines(t *testing.T) {
	t.Parallel()
	p := busyPlace(t)
	_, l := p.inLines(t, core.DoorSSH)
	l.Answer("1", "lin", goodPassword, "3").Hears("Lanterns (lin").Answer("d").Hears("Administration").Answer("1")
	l.Hears("Overview", "Shown: days", "Sign-ins: 66 in 14 days, most 7", "Refused: 4 in 14 days", "Needs you",
		"! Codes are to go by e-mail", "Accounts 6: 3 active").Answer("h").Hears("Shown: hours", "in 24 hours").Answer("3").Hears("To mend it")
	if text := l.Text(); strings.ContainsAny(text, "█▁▸") {
		t.Errorf("something was drawn:\n%s", text)
	}
}
