package gallery_test

import (
	"bytes"
	"context"
	"encoding/base32"
	"flag"
	"fmt"
	"image/color"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"postern/cmd/demo"
	"postern/core"
	"postern/core/otp"
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
		{name: "enrol", title: "Enrolling an app, from the QR code in the terminal", play: enrol},
		{name: "enrol-ascii", title: "The same where no QR code can be drawn", options: []tuitest.Option{tuitest.Env("NO_COLOR=1", "LC_ALL=C")}, play: func(v *visitor) {
			v.alone().Press("f").WaitFor("first").Press("a").WaitFor("would you like").Press("enter").WaitFor("otpauth")
		}},
		{name: "recovery", title: "Recovery codes, shown once", play: recover},
		{name: "challenge", title: "The second factor at sign-in, and the other ways", play: challenge},
		{name: "inbox", title: "What the portal has told somebody", play: func(v *visitor) { v.as(demo.Member).Press("i").WaitFor("unread") }},
		{name: "outbox", title: "The outbox: what leaves, and how much of it may", play: func(v *visitor) { v.as(demo.Owner).Press("d", "m").WaitFor("this month") }},
		{name: "overview", title: "The overview: what happens, and what needs somebody", wide: true, play: func(v *visitor) { v.office("o", "Needs you") }},
		{name: "people", title: "People", play: func(v *visitor) { v.office("p", "60 people") }},
		{name: "policy", title: "Whom a change of the policy touches, before it is put in force", play: func(v *visitor) {
			v.office("l", "is in force since").Press("down", "down", "down", "down", "down", "enter").WaitFor("Who must have one").
				Press("down", "down", "down", "down", "down", "right").WaitFor("everybody").Press("esc").WaitFor("History").Press("s").WaitFor("were counted")
		}},
		{name: "apps", title: "Apps, with rules of their own", play: func(v *visitor) { v.office("a", "Owner") }},
		{name: "requests", title: "Requests to be deleted, and where each stands", play: func(v *visitor) { v.office("d", "gwen").Press("v").WaitFor("claudia") }},
		{name: "script", title: "A script that decides about them, checked while it is written", play: func(v *visitor) {
			v.office("s", "leavers").Press("enter").WaitFor("Version").Press("e").WaitFor("It can be run")
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
		Type("grace@harbour.example").WaitFor("free").Press("enter").WaitFor("I agree").Press("space", "enter").WaitFor("Again").Paste(typed).WaitFor("to guess")
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

// office is the owner at a screen of the administration.
func (v *visitor) office(way, shows string) *visitor {
	v.as(demo.Owner).Press("d").WaitFor("look after this portal").Press(way).WaitFor(shows)
	return v
}

// alone is somebody in a portal of their own, whose secrets are the same in every
// picture.
func (v *visitor) alone() *visitor {
	db := memory.New()
	hasher, err := password.NewInsecureHasher(password.CheapParams(), 1)
	v.check(err)
	v.portal, err = core.New(context.Background(), core.Config{Store: db, Hasher: hasher, Random: rand.NewChaCha8([32]byte{7}), Clock: still{}})
	v.check(err)
	v.t.Cleanup(func() { v.portal.Close(); _ = db.Close() })
	actor := v.env.Actor()
	actor.Door = core.DoorLocal
	in, err := v.portal.Site.SetUp(context.Background(), actor, core.SetUpInput{Portal: demo.PortalName, Owner: core.SignUpInput{
		UserName: "grace", DisplayName: "Grace Okafor", Email: "grace@harbour.example", Password: "seven lamps under a quarry"}})
	v.check(err)
	v.env = screens.NewEnv(v.env.Session, v.portal, actor)
	v.env.Door.Token = in.Token
	return v.open()
}

// still is a clock that stands.
type still struct{}

func (still) Now() time.Time { return tuitest.Now }
func (still) AfterFunc(time.Duration, func()) func() bool {
	return func() bool { return true }
}

func enrol(v *visitor) {
	v.alone().Press("f").WaitFor("first").Press("a").WaitFor("would you like").Press("enter").WaitFor("Scan this").Press("enter").Type("402")
}

func recover(v *visitor) {
	v.alone().Press("f").WaitFor("first").Press("c").WaitFor("Show new").Press("enter").WaitFor("shown this once")
}

// challenge enrols an app, and comes again.
func challenge(v *visitor) {
	v.alone()
	ctx, me := context.Background(), v.env.Actor()
	e, err := v.portal.Factors.Begin(ctx, me, "", core.FactorApp, "")
	v.check(err)
	key, err := base32.StdEncoding.DecodeString(strings.ReplaceAll(e.Secret, " ", ""))
	v.check(err)
	_, err = v.portal.Factors.Confirm(ctx, me, "", e.ID, otp.Code(key, otp.Step(tuitest.Now)), "Work phone")
	v.check(err)
	sheet, err := v.portal.Factors.BeginRecovery(ctx, me)
	v.check(err)
	v.check(v.portal.Factors.SaveRecovery(ctx, me, sheet.Seed))
	v.env.Close()
	v.env = screens.NewEnv(v.env.Session, v.portal, core.Actor{Door: core.DoorLocal})
	v.open().Press("enter").WaitFor("Password").Type("grace").Press("enter").Type("seven lamps under a quarry").Press("enter").WaitFor("Work phone")
}

// newSession looks at the sessions while another one is made.
func newSession(v *visitor, name string) {
	v.as(name).Press("s").WaitFor("203.0.113.40")
	door := core.Actor{Door: core.DoorSSH, Remote: "198.51.100.24", Client: "OpenSSH_9.2"}
	v.comes(door, name)
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

// comes signs somebody in by a door. The owner, who must have a second factor
// soon, puts that off.
func (v *visitor) comes(door core.Actor, name string) core.SignedIn {
	p, err := v.portal.SignIn.Password(context.Background(), door, name, demo.Password)
	v.check(err)
	if p.Step == core.StepEnrol {
		p, err = v.portal.SignIn.Later(context.Background(), door, p.Ticket)
		v.check(err)
	}
	return p.SignedIn
}

// as comes in as somebody with a session from before.
func (v *visitor) as(name string) *visitor {
	v.env.Door.Token = v.comes(v.env.Actor(), name).Token
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
			t.Parallel()
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
