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

// adaElsewhere is ada at the list of her sessions, with one more from 203.0.113.9
// and one at a local terminal.
func (p *place) adaElsewhere(t testing.TB, opts ...tuitest.Option) (v *tuitest.Terminal, here, ssh, local core.SignedIn) {
	t.Helper()
	v, _, here = p.ada(t, opts...)
	from := elsewhere("203.0.113.9")
	from.Key = testKey
	ssh = p.signIn(t, from, "ada", otherPassword)
	local = p.signIn(t, core.Actor{Door: core.DoorLocal, Client: "tty1"}, "ada", otherPassword)
	p.clock.Advance(40 * time.Second)
	v.Press("s").WaitFor("203.0.113.9")
	return v, here, ssh, local
}

// marked fails unless the row that contains text is the marked one.
func marked(t testing.TB, v *tuitest.Terminal, text string) {
	t.Helper()
	for line := range strings.Lines(v.Text()) {
		if strings.Contains(line, text) && strings.Contains(line, v.Session().Theme.Signs.Mark) {
			return
		}
	}
	t.Fatalf("%q is not marked:\n%s", text, v.Text())
}

func TestSessionsShowWhatIsKnownOfEach(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, _, _ := p.adaElsewhere(t)
	v.Contains("● here, ssh", "192.0.2.7", "none", "k3PqAbCd", "local, tty1", "40 s ago", "in 29 min")
	v.Resize(120, 40).Press("down").Contains("OpenSSH_9.9", testKey[:30], "(22 Nov 2026, 12:00 UTC)", "ssh from 203.0.113.9, signed in 40 s ago")
	v.Resize(80, 24).Press("enter").WaitFor("One session")
	v.Contains(testKey, "22 Nov 2026, 12:30 UTC", "If this was not you").Press("esc").WaitFor("tty1")
	marked(t, v, "203.0.113.9")
	v.Press("esc").WaitFor("Security check-up")
	v.Press("home").Contains("Security check-up")
}

// A new sign-in appears by itself and says that it is new; one that ended goes;
// the mark stays where it was.
func TestTheListOfSessionsIsLive(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, here, ssh, _ := p.adaElsewhere(t)
	v.Press("down").Lacks("new")
	marked(t, v, "203.0.113.9")
	p.signIn(t, elsewhere("2001:db8::7"), "ada", otherPassword)
	v.WaitFor("2001:db8::7").Contains("new")
	marked(t, v, "203.0.113.9")
	if err := p.Sessions.End(context.Background(), as(here), ssh.Session); err != nil {
		t.Fatal(err)
	}
	v.WaitUntil("the ended one has gone", func(s string) bool { return !strings.Contains(s, "203.0.113.9") })
}

// ASVS 7.4.2, 7.5.2: a person ends any of their sessions, and its screen closes.
func TestEndingASessionClosesItsScreenAndSaysWhy(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, ssh, _ := p.adaElsewhere(t)
	e := p.env(t, tuitest.Lang("pt-BR"))
	w := p.enter(t, e, ssh).WaitFor(e.T("home.check"))
	w.Press("p").WaitFor(e.T("profile.title")) // whatever screen is open
	v.Press("down", "x").WaitFor("End this session")
	v.Contains("ssh from 203.0.113.9, signed in 40 s ago", "what was not saved there is lost")
	v.Press("tab").Burst("enter", "enter").WaitFor("1 session has ended.")
	v.Lacks("203.0.113.9")
	untilClosed(t, w, e.T("ended.elsewhere"))
	if n := p.acts(t, "ada", core.ActSessionEnd, core.OutcomeDone); n != 1 {
		t.Errorf("ended %d times", n)
	}
}

func TestEscEndsNothing(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, here, _, _ := p.adaElsewhere(t)
	walk(t, v, "x", "End it", "esc", "tty1 ", "X", "End them", "esc", "tty1 ", "x", "End it", "enter", "tty1 ",
		"X", "End them", "enter", "tty1 ", "enter", "One session", "x", "End it", "esc", "Last seen")
	if p.live(t, here) != 3 {
		t.Error("something ended")
	}
}

// ASVS 7.4.3, 7.5.2: all other sessions end at once.
func TestEndingAllOthers(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, here, ssh, local := p.adaElsewhere(t)
	w := p.enter(t, p.env(t), ssh).WaitFor("Security check-up")
	x := p.enter(t, p.env(t), local).WaitFor("Security check-up")
	v.Press("X").WaitFor("2 sessions end: local at tty1 and ssh from 203.0.113.9.")
	v.Press("tab").Burst("enter", "enter").WaitFor("2 sessions have ended.")
	untilClosed(t, w, "ended from another one of yours")
	untilClosed(t, x, "ended from another one of yours")
	if p.live(t, here) != 1 {
		t.Error("not all others ended")
	}
	if v.Press("X").WaitFor("There are no others."); v.Router().Depth() != 2 {
		t.Error("a dialog about nothing")
	}
}

func TestManySessionsAreCountedInTheDialog(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, _, _ := p.adaElsewhere(t)
	for i := range 4 {
		p.signIn(t, elsewhere(fmt.Sprintf("198.18.0.%d", i)), "ada", otherPassword)
	}
	v.WaitFor("198.18.0.3").Press("X").WaitFor("6 sessions end:")
	v.Contains("198.18.0.3", "3 more").Lacks("tty1")
}

// Ending one's own session is signing out.
func TestEndingTheSessionOneSitsIn(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, ssh, _ := p.adaElsewhere(t)
	v.Press("end", "x").WaitFor("This is the session you are using.")
	v.Press("tab").Burst("enter", "enter").WaitFor("Welcome to Lanterns")
	v.Contains("You have signed out.")
	if p.live(t, ssh) != 2 || v.Quit() {
		t.Error("more ended than this one")
	}
}

// What ended while one was about to end it is as good as ended.
func TestASessionThatEndedMeanwhile(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, here, ssh, _ := p.adaElsewhere(t)
	walk(t, v.Press("down"), "enter", "One session", "x", "End this session")
	if err := p.Sessions.End(context.Background(), as(here), ssh.Session); err != nil {
		t.Fatal(err)
	}
	v.Press("tab", "enter").WaitFor("That session has ended.")
	v.Lacks("203.0.113.9")
}

func TestAPageOfASessionSaysWhenItEnds(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, here, ssh, _ := p.adaElsewhere(t)
	v.Press("down", "enter").WaitFor("One session")
	if err := p.Sessions.End(context.Background(), as(here), ssh.Session); err != nil {
		t.Fatal(err)
	}
	v.WaitFor("That session has ended.").Press("x").WaitFor("That session has ended.")
	v.Press("esc").WaitFor("tty1")
}

func TestFilteringSessions(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, _, _ := p.adaElsewhere(t)
	v.Press("/").Type("tty").Contains("local, tty1", "1 of 3").Lacks("203.0.113.9")
	v.Press("enter", "x").WaitFor("local at tty1, signed in") // x is a key again
	walk(t, v, "esc", "1 of 3", "esc", "203.0.113.9", "esc", "Security check-up")
}

// ASVS 7.3.1, 7.3.2, 7.4.2: what ends by itself or by others closes as well, each
// with its own reason.
func TestEveryEndOfASessionClosesItsScreen(t *testing.T) {
	t.Parallel()
	ctx, console := context.Background(), core.ConsoleActor("test")
	for name, tt := range map[string]struct {
		end func(*testing.T, *place, core.SignedIn)
		why string
	}{
		"idle": {func(_ *testing.T, p *place, _ core.SignedIn) { p.clock.Advance(31 * time.Minute) }, "nothing was typed for a while"},
		"expired": {func(t *testing.T, p *place, _ core.SignedIn) {
			p.set(t, "session.idle_minutes", "0")
			p.clock.Advance(13 * time.Hour)
		}, "has reached its end"},
		"suspended": {func(t *testing.T, p *place, _ core.SignedIn) {
			if err := p.Accounts.Suspend(ctx, console, "ada", "left the club"); err != nil {
				t.Fatal(err)
			}
		}, "Your account was suspended"},
		"by admin": {func(t *testing.T, p *place, in core.SignedIn) {
			if err := p.Sessions.End(ctx, console, in.Session); err != nil {
				t.Fatal(err)
			}
		}, "by the people who run this portal"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			v, _, in := p.ada(t)
			v.Press("s").WaitFor("here, ssh")
			tt.end(t, p, in)
			untilClosed(t, v, tt.why)
		})
	}
}

// ASVS 1.1.2: what strangers say of themselves reaches no terminal unescaped.
func TestForeignStringsAreShownAndNotObeyed(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, _ := p.ada(t)
	bad := core.Actor{Door: core.DoorLocal, Remote: "\x1b]0;gotcha\a203", Client: "\u202eevil\x1b[2J\u200b", Key: "SHA256:\x1b[31mred"}
	p.signIn(t, bad, "ada", otherPassword)
	v.Press("s").WaitFor("203")
	see := func() {
		t.Helper()
		content := v.Router().View().Content
		for _, s := range []string{"\x1b]0", "\x1b[2J", "\x1b[31mred", "\u202e", "\u200b", "\a"} {
			if strings.Contains(content, s) {
				t.Errorf("%q reached the terminal", s)
			}
		}
	}
	for _, size := range sizes() {
		see()
		v.Resize(size[0], size[1])
		v.Press("enter").WaitFor("One session")
		see()
		v.Press("x").WaitFor("End it")
		see()
		v.Press("esc").WaitFor("Last seen")
	}
	walk(t, v, "esc", "Security check-up", "a", "That is all.")
	see()
	v.Press("enter").WaitFor("Outcome")
	see()
}
