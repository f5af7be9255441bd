package screens

import (
	"strconv"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
	"postern/tui/tuitest"
)

func restyled() tea.Msg { return tui.RestyleMsg{} }

// gallery is a portal with a person whose pages have something to show, and the
// way to each page.
func gallery(t testing.TB) (*place, func(e *Env) core.SignedIn) {
	t.Helper()
	p := newPlace(t)
	p.set(t, "sign_up.fields", "room:text::Room; desk:number::Desk", "password.history_last", "5")
	in := p.signUp(t, "ada", otherPassword)
	if _, err := p.Accounts.UpdateProfile(t.Context(), as(in), core.ProfileInput{DisplayName: "Ada Lovelace", Email: "ada@example.com", Fields: map[string]string{"room": "4 b"}}); err != nil {
		t.Fatal(err)
	}
	from := elsewhere("203.0.113.9")
	from.Key = testKey
	p.signIn(t, from, "ada", otherPassword)
	p.clock.Advance(10 * time.Minute)
	p.signIn(t, core.Actor{Door: core.DoorLocal, Client: "tty1"}, "ada", otherPassword)
	if _, err := p.SignIn.Password(t.Context(), elsewhere("2001:db8:0:7::66"), "ada", "wrong"); core.CodeOf(err) != core.CodeCredentials {
		t.Fatal(err)
	}
	p.clock.Advance(90 * time.Second)
	return p, func(e *Env) core.SignedIn {
		e.actor.Key, e.actor.KeyLine = "SHA256:9rQsTuVwXyZ0123456789k3PqAbCdEfGhIjKlMnOpabc", "ssh-ed25519 AAAA"
		return in
	}
}

// views are the ways from home to every page: a key, the dictionary's key of
// what is waited for after it, and so on.
func views() map[string][]string {
	return map[string][]string{
		"home":         {},
		"profile":      {"p", "profile.zone"},
		"password":     {"w", "advice.use_words"},
		"sessions":     {"s", "sessions.seen"},
		"session":      {"s", "sessions.seen", "enter", "sessions.client"},
		"end-session":  {"s", "sessions.seen", "x", "sessions.end_yes"},
		"end-others":   {"s", "sessions.seen", "X", "sessions.all_yes"},
		"end-own":      {"s", "sessions.seen", "end", "sessions.is_mine", "x", "sessions.out_yes"},
		"sessions-few": {"s", "sessions.seen", "/", "table.filter", "y", "sessions.seen"},
		"activity":     {"a", "activity.outcome"},
		"entry":        {"a", "activity.outcome", "down", "activity.outcome", "enter", "activity.client"},
		"link-key":     {"l", "home.link_yes"},
		"step-up":      {"l", "home.link_yes", "tab", "home.link_yes", "enter", "stepup.submit"},
	}
}

func openView(t testing.TB, p *place, person func(*Env) core.SignedIn, steps []string, opts ...tuitest.Option) *tuitest.Terminal {
	t.Helper()
	e := p.env(t, opts...)
	v := p.enter(t, e, person(e)).WaitFor(e.T("home.ways"))
	for i := 0; i+1 < len(steps); i += 2 {
		first, _, _ := strings.Cut(e.T(steps[i+1]), " ") // longer ones may be wrapped
		v.Press(steps[i]).WaitFor(first)
	}
	return v.Settle()
}

func TestLookOfTheAccountPages(t *testing.T) {
	t.Parallel()
	for view, steps := range views() {
		t.Run(view, func(t *testing.T) {
			t.Parallel()
			p, person := gallery(t)
			for look, opts := range looks() {
				v := openView(t, p, person, steps, opts...)
				for _, size := range sizes() {
					v.Resize(size[0], size[1]).Golden(sizeName(look, size))
				}
			}
			for _, lang := range []string{"es", "pt-BR"} {
				openView(t, p, person, steps, tuitest.Lang(lang)).Golden(lang+"-80x24").Resize(60, 20).Golden(lang + "-60x20")
			}
		})
	}
}

func TestEveryAccountPageFitsEverySize(t *testing.T) {
	t.Parallel()
	for view, steps := range views() {
		t.Run(view, func(t *testing.T) {
			t.Parallel()
			p, person := gallery(t)
			openView(t, p, person, steps).Sizes()
		})
	}
}

// counted counts the messages that reach a screen.
type counted struct {
	tui.Screen
	messages int
}

func (c *counted) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	c.messages++
	s, cmd := c.Screen.Update(msg)
	c.Screen = s
	return c, cmd
}

// Nothing is read, drawn or ticked while nobody does anything.
func TestIdlePagesAreStill(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(*Env) tui.Screen{
		"home":     func(e *Env) tui.Screen { return NewHome(e, core.CheckUp{}) },
		"profile":  NewProfile,
		"password": NewPassword,
		"sessions": NewSessions,
		"activity": NewActivity,
		"step-up":  func(e *Env) tui.Screen { return newStepUp(e, "stepup.why_key") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, person := gallery(t)
			e := p.env(t)
			m := e.enter(t.Context(), e.Actor(), person(e))
			if m.err != nil {
				t.Fatal(m.err)
			}
			e.adopt(m)
			c := &counted{Screen: open(e)}
			v := tuitest.Open(t, e.Session, c)
			// Longer than a spinner takes to show itself, so that the ticks of the
			// first reading are over.
			time.Sleep(300 * time.Millisecond)
			v.Settle()
			before, view := c.messages, c.View()
			time.Sleep(300 * time.Millisecond)
			if v.Settle(); c.messages != before {
				t.Errorf("%d messages while idle", c.messages-before)
			}
			if c.View() != view {
				t.Error("the view changed by itself")
			}
		})
	}
}

func FuzzAccountViews(f *testing.F) {
	p, person := gallery(f)
	var open []*tuitest.Terminal
	for _, steps := range views() {
		open = append(open, openView(f, p, person, steps))
	}
	for _, s := range sizes() {
		f.Add(s[0], s[1], "down")
	}
	f.Add(1, 1, "?")
	f.Add(500, 200, "end")
	f.Fuzz(func(t *testing.T, w, h int, key string) {
		w, h = 1+abs(w)%500, 1+abs(h)%200
		for _, v := range open {
			v.Resize(w, h)
			switch key {
			case "up", "down", "pgup", "pgdown", "home", "end", "tab", "?":
				v.Press(key)
			}
			tuitest.Fits(t, strconv.Itoa(w)+"x"+strconv.Itoa(h), v.Router(), w, h)
		}
	})
}

func abs(n int) int {
	if n < 0 {
		return -(n + 1)
	}
	return n
}

func BenchmarkSessionsView(b *testing.B) {
	p, person := gallery(b)
	for i := range 100 {
		p.signIn(b, elsewhere("198.18.0."+strconv.Itoa(i)), "ada", otherPassword)
	}
	for _, size := range sizes() {
		b.Run(sizeName("view", size), func(b *testing.B) {
			v := openView(b, p, person, views()["sessions"]).Resize(size[0], size[1])
			list := v.Router().Top()
			for b.Loop() {
				list.View()
			}
		})
	}
}

func BenchmarkHomeView(b *testing.B) {
	p, person := gallery(b)
	v := openView(b, p, person, nil)
	for b.Loop() {
		v.Router().Top().View()
	}
}
