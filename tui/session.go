// One Session stands for one person at one terminal: what that terminal can do,
// which words and colours that person reads, and how the program around the
// screens is told that something is over.

package tui

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
)

// Session is what every screen of one connection shares. A door makes one with
// NewSession and fills in the functions it can answer; the Router changes Theme
// and Dict when a screen asks for it. All fields belong to the goroutine that
// runs the Router, once it runs; Post and End may be called from anywhere.
type Session struct {
	// Ctx ends when the connection does. Commands hand it to whatever they call.
	Ctx context.Context
	// Theme and Dict are replaced, never changed in place.
	Theme *Theme
	Dict  *Dict
	Caps  Caps
	// Clock tells the time; tests set it.
	Clock func() time.Time
	// PortalName stands at the left of the header.
	PortalName func() string
	// Who stands at the right of the header: the account that is signed in, or "".
	Who func() string
	// Door says how the person came in ("ssh"); it follows Who in the header.
	Door string
	// Banner is said on every screen, such as that everything here is invented.
	Banner func() string
	// Seen is called at every key press, paste and click. It must cost next to nothing.
	Seen func()
	// Log takes what must not reach the person: the value and the stack of a
	// panic, under the id that the person was shown.
	Log func(id string, v any, stack []byte)

	catalog *Catalog
	post    chan tea.Msg
}

// Caps says what the terminal of a session can show.
type Caps struct {
	// Profile is how many colours there are.
	Profile colorprofile.Profile
	// UTF8 allows signs outside ASCII.
	UTF8 bool
	// Dumb means no cursor addressing: TERM=dumb, or a person who asked for
	// plain lines. The ordinary router still works with ASCII signs and no styles.
	Dumb bool
	// Lines means that the session is said and answered line by line, by RunPlain.
	Lines bool
	// Background is what the terminal said of its own background.
	Background Background
}

// Background is what is known of the terminal's own background colour.
type Background int

// A terminal may never say what its background is.
const (
	BackgroundUnknown Background = iota
	BackgroundDark
	BackgroundLight
)

// DetectCaps reads the capabilities from a connection's environment (TERM,
// COLORTERM, NO_COLOR, LC_ALL, LC_CTYPE, LANG), never from the process's own.
func DetectCaps(env []string) Caps {
	get := environ(env)
	term := get("TERM")
	c := Caps{Profile: colorprofile.Env(env), Dumb: term == "dumb" || term == ""}
	locale := get("LC_ALL")
	if locale == "" {
		locale = get("LC_CTYPE")
	}
	if locale == "" {
		locale = get("LANG")
	}
	l := strings.ToLower(strings.ReplaceAll(locale, "-", ""))
	// A client that sends no locale at all is far more often a modern terminal
	// than one without UTF-8. One that says C, POSIX or Latin-1 means it.
	c.UTF8 = locale == "" || strings.Contains(l, "utf8")
	if term == "linux" {
		c.UTF8 = c.UTF8 && locale != ""
	}
	if c.Dumb {
		c.UTF8 = false
		c.Profile = colorprofile.NoTTY
	}
	return c
}

// environ returns a look-up in a list of NAME=value pairs; the last one wins.
func environ(env []string) func(string) string {
	return func(name string) string {
		for i := len(env) - 1; i >= 0; i-- {
			if v, ok := strings.CutPrefix(env[i], name+"="); ok {
				return v
			}
		}
		return ""
	}
}

// NewSession makes a session for the terminal that env describes, in the
// language that env asks for. Functions that the door does not set say nothing.
func NewSession(ctx context.Context, catalog *Catalog, env []string) *Session {
	caps := DetectCaps(env)
	return &Session{
		Ctx:        ctx,
		Theme:      NewTheme(ThemeAuto, caps),
		Dict:       catalog.Dict(catalog.Match(env)),
		Caps:       caps,
		Clock:      time.Now,
		PortalName: func() string { return "Postern" },
		Who:        func() string { return "" },
		Banner:     func() string { return "" },
		Seen:       func() {},
		Log:        func(string, any, []byte) {},
		catalog:    catalog,
		post:       make(chan tea.Msg, 16),
	}
}

// Catalog returns the words that the session's languages are chosen from.
func (s *Session) Catalog() *Catalog { return s.catalog }

// T is short for s.Dict.T.
func (s *Session) T(key string, args ...any) string { return s.Dict.T(key, args...) }

// Post hands msg to the router from any goroutine. EndMsg closes the program;
// everything else goes to every screen on the stack. Post waits while 16
// messages are waiting, and does nothing when the session is over.
func (s *Session) Post(msg tea.Msg) {
	select {
	case s.post <- msg:
	case <-s.Ctx.Done():
	}
}

// End shows text as the last thing this terminal sees and closes the program.
func (s *Session) End(text string) { s.Post(EndMsg{Text: text}) }

// EndWith is End with the sentence that the dictionary has for key, in the
// language that is spoken when it is shown. It may be called from anywhere.
func (s *Session) EndWith(key string) { s.Post(EndMsg{Key: key}) }

// SetTheme returns a command that changes the theme. Every screen then gets RestyleMsg.
func (s *Session) SetTheme(name ThemeName) tea.Cmd {
	return func() tea.Msg { return setThemeMsg{name} }
}

// SetLanguage returns a command that changes the language to the catalog's
// closest to tag. Every screen then gets RestyleMsg.
func (s *Session) SetLanguage(tag string) tea.Cmd {
	return func() tea.Msg { return setLanguageMsg{tag} }
}

// SetZone returns a command that shows times in loc from now on. Every screen
// then gets RestyleMsg.
func (s *Session) SetZone(loc *time.Location) tea.Cmd {
	return func() tea.Msg { return setZoneMsg{loc} }
}

// listen is a command that waits for the next posted message. It sleeps on a
// channel: an idle session costs a parked goroutine and no time.
func (s *Session) listen() tea.Msg {
	select {
	case msg := <-s.post:
		return postedMsg{msg}
	case <-s.Ctx.Done():
		return nil
	}
}

// incident returns a short id that ties the sentence a person sees to a line in the log.
func incident() string {
	return strings.ToLower(rand.Text()[:8])
}
