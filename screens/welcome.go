// Welcome: what this place is, and the ways on for somebody who is not signed in.

package screens

import (
	"context"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"postern/core"
	"postern/tui"
)

// welcome is the first screen of a stranger.
type welcome struct {
	env  *Env
	menu menu
	w, h int
}

var (
	_ tui.Screen = (*welcome)(nil)
	_ tui.Helper = (*welcome)(nil)

	_ tui.Numbered = (*welcome)(nil)
)

// NewWelcome returns the screen that a stranger sees first, and that everybody
// comes back to after signing out.
func NewWelcome(env *Env) tui.Screen {
	w := &welcome{env: env}
	w.menu = menu{env: env, ways: w.ways}
	return w
}

// Init reads again whether sign-up is open, and whether a key is enough to sign
// in: both may have changed since.
func (w *welcome) Init() tea.Cmd {
	signIn, actor := w.env.Portal.SignIn, w.env.Actor()
	return tea.Batch(w.env.Reload(), call(w.env.Ctx, func(ctx context.Context) (core.KeyOffer, error) {
		return signIn.Offer(ctx, actor)
	}))
}

func (w *welcome) SetSize(width, height int) { w.w, w.h = width, height }

// Update takes keys for the menu.
func (w *welcome) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.KeyPressMsg:
		cmd, _ := w.menu.key(msg)
		return w, cmd
	case tui.BackMsg:
		return w, w.Init()
	case answer[core.KeyOffer]: // one that cannot be read is none; a password signs in all the same
		w.env.offer = msg.Value
	case answer[core.SiteState]:
		if msg.Err != nil {
			return w, tui.Toast(tui.Bad, w.env.Sentence(msg.Err))
		}
		w.env.Reloaded(msg.Value)
	}
	return w, nil
}

// Help returns the menu's keys.
func (w *welcome) Help() []key.Binding { return w.menu.help() }

// Choices is how many lines the menu has.
func (w *welcome) Choices() int { return len(w.ways()) }

// nameRoom is how much of a name stands in the menu: a longer one would leave no
// room for the settings beside it.
const nameRoom = 16

// ways are the lines of the menu. Sign-up is hidden while nobody can sign up.
func (w *welcome) ways() []menuItem {
	e := w.env
	push := func(open func(*Env) tui.Screen) func() tea.Cmd {
		return func() tea.Cmd { return tui.Push(open(e)) }
	}
	var ways []menuItem
	if name := e.offer.UserName; name != "" {
		ways = append(ways, menuItem{id: "key", label: e.T("welcome.key", "Name", ansi.Truncate(escaped(name), nameRoom, e.Theme.Signs.Ellipsis)), note: e.T("welcome.key_note"), open: push(newKeySignIn)})
	}
	ways = append(ways, menuItem{id: "signin", label: e.T("signin.title"), note: e.T("welcome.signin_note"), open: push(NewSignIn)})
	switch up := e.Site().SignUp; up {
	case core.SignUpIsOpen, core.SignUpByInvite, core.SignUpByApproval:
		ways = append(ways, menuItem{id: "signup", label: e.T("signup.title"), note: e.T("welcome.signup_note." + string(up)), open: push(NewSignUp)})
	}
	ways = append(ways, menuItem{id: "lost", label: e.T("lost.title"), note: e.T("welcome.lost_note"), open: push(func(e *Env) tui.Screen { return newLost(e, "") })})
	if site := e.Site(); site.Contacts > 0 || len(site.Agreements) > 0 {
		ways = append(ways, menuItem{id: "legal", label: e.T("legal.title"), note: e.T("legal.note"), open: push(NewLegal)})
	}
	if e.Demo {
		ways = append(ways, menuItem{id: "outbox", label: e.T("outbox.title"), note: e.T("prove.outbox_note"), open: push(NewOutbox)})
	}
	return append(ways, languageWay(e), themeWay(e),
		menuItem{id: "leave", group: true, label: e.T("welcome.leave"), note: e.T("welcome.leave_note"), open: tui.Quit})
}

// languageWay is the line that changes the language at once. Every language
// stands there in its own tongue.
func languageWay(e *Env) menuItem {
	languages := e.Catalog().Languages()
	at := 0
	for i, l := range languages {
		if l.Tag == e.Dict.Tag() {
			at = i
		}
	}
	return menuItem{id: "language", group: true, label: e.T("welcome.language"), value: languages[at].Name, note: e.T("welcome.language_note"),
		turn: func(by int) tea.Cmd {
			return e.SetLanguage(languages[(at+by+len(languages))%len(languages)].Tag)
		}}
}

// themeWay is the line that changes the colours at once.
func themeWay(e *Env) menuItem {
	names := tui.ThemeNames()
	at := 0
	for i, n := range names {
		if n == e.Theme.Name {
			at = i
		}
	}
	return menuItem{id: "theme", label: e.T("welcome.colours"), value: e.T("welcome.theme." + string(names[at])), note: e.T("welcome.colours_note"),
		turn: func(by int) tea.Cmd { return e.SetTheme(names[(at+by+len(names))%len(names)]) }}
}

// View draws what this is, and the menu under it; airy where there is room, and
// in a small terminal without blank lines.
func (w *welcome) View() string {
	if airy := w.draw(true); strings.Count(airy, "\n") < w.h {
		return airy
	}
	return markedVisible(w.env.Theme, w.draw(false), w.h)
}

func (w *welcome) draw(airy bool) string {
	e, t := w.env, w.env.Theme
	width := min(w.w, tui.BodyWidth)
	lines := []string{t.Heading.Render(t.Pad(e.T("welcome.heading", "Portal", e.PortalName()), width))}
	if airy {
		lines = append(lines, "")
	}
	lines = append(lines, tui.Wrap(e.T("welcome.text"), width), "")
	if e.Demo && e.DemoName != "" {
		lines = append(lines, t.Accent.Render(tui.Wrap(e.T("welcome.demo"), width)), t.Facts([]tui.Fact{
			{Name: e.T("signin.login"), Value: e.demoNames()}, {Name: e.T("signin.password"), Value: e.DemoPassword},
		}, width), "")
	}
	return strings.Join(append(lines, w.menu.draw(width, airy)), "\n")
}

// demoNames says whom one may be in a demonstration.
func (e *Env) demoNames() string {
	if e.DemoMember == "" {
		return e.DemoName
	}
	return e.T("welcome.demo_names", "Owner", e.DemoName, "Member", e.DemoMember)
}
