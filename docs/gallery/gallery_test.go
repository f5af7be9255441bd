package gallery_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"postern/cmd/demo"
	"postern/core"
	"postern/core/password"
	"postern/docs/gallery"
	"postern/screens"
	"postern/store/memory"
	"postern/tui"
	"postern/tui/tuitest"
)

// pictures is where they are kept.
const pictures = "../pictures"

// The colours that the terminal itself has in a picture.
var (
	paper = color.Gray{0x16}
	ink   = color.Gray{0xe4}
)

// scene is a screen worth a picture.
type scene struct {
	name, title string
	options     []tuitest.Option
	wide        bool // 120x40, and not 80x24
	play        func(*visitor)
}

// visitor is somebody in front of a terminal whose screen becomes the picture.
type visitor struct {
	*tuitest.Terminal
	t      *testing.T
	portal *core.Portal
	env    *screens.Env
}

func scenes() []scene {
	signIn := func(v *visitor) { v.as(demo.Member) }
	return []scene{
		{name: "welcome", title: "The first screen of a visitor", play: func(v *visitor) { v.open() }},
		{name: "signup", title: "Signing up, with the password judged at every key", play: func(v *visitor) { signUp(v, "correcthorse") }},
		{name: "signin", title: "Signing in", play: func(v *visitor) {
			v.open().Press("enter").WaitFor("Password").Type(demo.Member).Press("enter").Type(demo.Password)
		}},
		{name: "setup", title: "The first run: rules to begin with", play: setUp},
		{name: "home", title: "Home, with the security check-up", play: signIn},
		{name: "sessions", title: "Sessions; a new one has just appeared", play: func(v *visitor) { newSession(v, demo.Member) }},
		{name: "sessions-wide", title: "Sessions at 120x40, with all that is known of one beside the list", wide: true, play: func(v *visitor) { newSession(v, demo.Owner) }},
		{name: "activity", title: "One's own trail", play: func(v *visitor) {
			v.as(demo.Member).Press("a").WaitFor("WET").Press("down", "down")
		}},
		{name: "profile", title: "The profile", play: func(v *visitor) { v.as(demo.Member).Press("p").WaitFor("12:00 WET") }},
		{name: "password", title: "Changing the password", play: func(v *visitor) {
			v.as(demo.Member).Press("w").WaitFor("Current password").Type(demo.Password).Press("enter").Paste("seven lamps under a quarry").WaitFor("to guess")
		}},
		{name: "help", title: "The keys of a screen", play: func(v *visitor) { v.as(demo.Member).Press("s").WaitFor("192.0.2.77").Press("?") }},
		{name: "home-pt-BR", title: "Home in Brazilian Portuguese", options: []tuitest.Option{tuitest.Lang("pt-BR")}, play: signIn},
		{name: "signup-light", title: "Signing up in the light theme", play: func(v *visitor) { v.dress(tui.ThemeLight); signUp(v, "harbour2026") }},
		{name: "sessions-contrast", title: "Sessions in the theme of high contrast", play: func(v *visitor) { v.dress(tui.ThemeContrast); newSession(v, demo.Member) }},
		{name: "signup-ascii", title: "Signing up without colours and without UTF-8", options: []tuitest.Option{tuitest.Env("NO_COLOR=1", "LC_ALL=C")}, play: func(v *visitor) { signUp(v, "correcthorse") }},
	}
}

// signUp stops in the middle of a password. It is pasted, since the judgement of
// every other beginning would be shown for a moment.
func signUp(v *visitor, typed string) {
	v.open().Press("down", "enter").WaitFor("User name").Type("grace").Press("enter").Type("Grace Okafor").Press("enter").
		Type("grace@harbour.example").WaitFor("free").Press("enter").WaitFor("Again").Paste(typed).WaitFor("to guess")
}

// setUp stops at the choice of a preset, in a portal that has just begun.
func setUp(v *visitor) {
	db := memory.New()
	hasher, err := password.NewInsecureHasher(password.CheapParams(), 1)
	v.check(err)
	v.portal, err = core.New(context.Background(), core.Config{Store: db, Hasher: hasher})
	v.check(err)
	v.t.Cleanup(func() { v.portal.Close(); _ = db.Close() })
	v.env = screens.NewEnv(v.env.Session, v.portal, core.Actor{Door: core.DoorLocal})
	v.env.Session.Door = v.env.T("door." + string(core.DoorLocal))
	v.open().Press("enter").WaitFor("Rules").Type(demo.PortalName).Press("enter").Press("right", "right")
}

// newSession looks at the sessions while another one is made.
func newSession(v *visitor, name string) {
	v.as(name).Press("s").WaitFor("203.0.113.40")
	door := core.Actor{Door: core.DoorSSH, Remote: "198.51.100.24", Client: "OpenSSH_9.2"}
	_, err := v.portal.SignIn.Password(context.Background(), door, name, demo.Password)
	v.check(err)
	v.WaitFor("198.51.100.24")
	v.Press("home")
	for range 10 {
		if strings.Contains(line(v.Text(), "198.51.100.24"), v.env.Theme.Signs.Mark) {
			return
		}
		v.Press("down")
	}
	v.t.Fatalf("the new session cannot be marked:\n%s", v.Text())
}

// line is the line of a screen that text is in.
func line(screen, text string) string {
	for l := range strings.Lines(screen) {
		if strings.Contains(l, text) {
			return l
		}
	}
	return ""
}

// open begins with the first screen.
func (v *visitor) open() *visitor {
	first, err := screens.First(context.Background(), v.env)
	v.check(err)
	v.Terminal = tuitest.Open(v.t, v.env.Session, first)
	v.Send(tea.BackgroundColorMsg{Color: paper})
	return v
}

// as comes in as somebody with a session from before.
func (v *visitor) as(name string) *visitor {
	p, err := v.portal.SignIn.Password(context.Background(), v.env.Actor(), name, demo.Password)
	v.check(err)
	v.env.Door.Token = p.SignedIn.Token
	v.open().WaitFor(v.env.T("home.ways"))
	return v
}

// dress chooses a theme before the first screen.
func (v *visitor) dress(name tui.ThemeName) { v.env.Theme = tui.NewTheme(name, v.env.Caps) }

func (v *visitor) check(err error) {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
}

// shoot plays a scene in a portal of its own and takes the picture.
func shoot(t *testing.T, s scene) []byte {
	now := func() time.Time { return tuitest.Now }
	d, err := demo.New(context.Background(), demo.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	ui := tuitest.NewSession(t, append([]tuitest.Option{tuitest.Env("COLORTERM=truecolor")}, s.options...)...)
	ui.Door = ui.T("door." + string(core.DoorSSH))
	actor := core.Actor{Door: core.DoorSSH, Remote: "203.0.113.40", Client: "OpenSSH_10.0"}
	v := &visitor{t: t, portal: d.Portal, env: screens.NewEnv(ui, d.Portal, actor)}
	s.play(v)
	t.Cleanup(v.env.Close)
	if s.wide {
		v.Resize(120, 40)
	}
	v.Settle()
	return gallery.SVG(gallery.Picture{Title: "Postern: " + s.title, Cells: v.Cells(), Cursor: v.Cursor, Paper: paper, Ink: ink})
}

// The pictures in docs/pictures are what the screens show now: `go generate
// ./docs/...` makes them anew, and then somebody looks at them.
func TestPicturesAreCurrent(t *testing.T) {
	known := map[string]bool{}
	for _, s := range scenes() {
		file := filepath.Join(pictures, s.name+".svg")
		known[file] = true
		t.Run(s.name, func(t *testing.T) {
			current(t, file, shoot(t, s))
		})
	}
	t.Run("README", func(t *testing.T) { current(t, filepath.Join(pictures, "README.md"), page()) })
	files, err := filepath.Glob(filepath.Join(pictures, "*.svg"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !known[f] {
			t.Errorf("%s is a picture of no scene", f)
		}
	}
}

// current fails unless got is what the file holds. With -update it is written.
func current(t *testing.T, file string, got []byte) {
	t.Helper()
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s does not show what there is now: go generate ./docs/...", file)
	}
}

// page is the page of all pictures.
func page() []byte {
	var b bytes.Buffer
	b.WriteString("# Screens\n\nMade by `go generate ./docs/...` from the real screens, in a portal with invented people.\n")
	for _, s := range scenes() {
		fmt.Fprintf(&b, "\n## %s\n\n![%s](%s.svg)\n", s.title, s.title, s.name)
	}
	return b.Bytes()
}
