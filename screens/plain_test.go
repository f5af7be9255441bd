package screens

import (
	"context"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/tui"
	"postern/tui/tuitest"
)

// inLines opens a connection in lines at what it sees first.
func (p *place) inLines(t testing.TB, door core.Door, opts ...tuitest.Option) (*Env, *tuitest.Lines) {
	t.Helper()
	e := p.env(t, append(opts, tuitest.Dumb())...)
	e.actor.Door, e.Session.Door = door, string(door)
	first, err := First(context.Background(), e)
	if err != nil {
		t.Fatal(err)
	}
	return e, tuitest.OpenLines(t, e.Session, first, tui.PlainOptions{Raw: door == core.DoorSSH})
}

// The whole way of a person, in lines: from an empty portal to an account of one's own.
func TestAPortalLivesInLines(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "pt-BR", "es"} {
		t.Run(lang, func(t *testing.T) {
			p := newSite(t)
			e, l := p.inLines(t, core.DoorLocal, tuitest.Lang(lang))
			words := e.Dict // of this goroutine's own
			say := func(key string, args ...any) string {
				return strings.Join(strings.Fields(words.T(key, args...)), " ")
			}
			number := say("plain.number")

			// Setup: language, name and rules, owner, password.
			l.Hears(say("setup.heading"), say("welcome.language")+":").Answer("", "2")
			l.Hears(say("setup.portal")).Answer("", "Lanterns").Hears("NIST").Answer("7").
				Hears(say("form.range", "Min", 1, "Max", 3)).Answer("1", "")
			l.Hears(say("signup.user_name")).Answer("root").Hears("x ").Answer("lin").Hears(say("signup.free")).Answer("")
			l.Hears(say("signup.email")).Answer("not an address").Hears("x ").Answer("-").Hears(number).Answer("")
			l.Hears(say("signup.password")).Answer("password").Hears(
				say("plain.check.failed")+": "+say("rule.common"), say("plain.check.passed")+": ", say("warn.top10"))
			l.Hears(say("plain.typed")).Answer(goodPassword).Hears(say("plain.check.passed")+": "+say("rule.common"), say("feedback.again"))
			l.Answer("another").Hears(say("feedback.not_same")).Answer(goodPassword).Hears(say("feedback.same")).Answer("")

			// Home, and the session that one is in.
			l.Hears("Lanterns (lin", say("home.check")).Answer("4")
			l.Hears(say("sessions.title")).Answer("1").Hears(say("sessions.is_mine")).Answer("back").Answer("x 1")
			l.Hears(say("sessions.out_text"), number+" [1]").Answer("").Hears(say("sessions.is_mine")).Answer("esc")

			// Out; an account for somebody else; out and in again.
			p.set(t, "sign_up.mode", "open")
			l.Hears(say("home.check")).Answer("o").Hears(say("welcome.text"), say("ended.signed_out")).Answer("2")
			l.Hears(say("signup.user_name")).Answer("lin").Hears(say("signup.taken")).Answer("ada", "", "ada@example.org", "")
			l.Hears(say("signup.password")).Answer(otherPassword, otherPassword, "2").Hears(say("captcha.sum_label"))
			p.clock.Advance(2 * time.Second)
			l.Answer(sumIn(t, words, l.Text()), "3").Hears("Lanterns (ada").Answer("o").Hears(say("welcome.text")).Answer("1")
			l.Hears(say("signin.login")).Answer("ada@example.org", "wrong", "3").Hears(say("error.credentials"), say("signin.password"))
			l.Answer(otherPassword, "3").Hears("Lanterns (ada").Answer(say("plain.word.quit")).Ends()

			if text := l.Text(); strings.ContainsAny(text, "\x1b│─┌▸✓") {
				t.Errorf("something was drawn:\n%s", text)
			}
			for _, secret := range []string{goodPassword, otherPassword} {
				if strings.Contains(l.Text(), secret) {
					t.Errorf("a password was said:\n%s", l.Text())
				}
			}
		})
	}
}

func TestLinesThatMeanNothingAreAnsweredKindly(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	e, l := p.inLines(t, core.DoorLocal)
	for line, want := range map[string]string{
		"frobnicate": "no key", "0": "from 1 to", "99": "from 1 to", "enter 99": "from 1 to", "z": "no key",
		"ctrl+": "no key", "\x1b[A": "cannot be typed", "\xff": "cannot be typed", strings.Repeat("x", 70<<10): "too long",
		"x y z": "no key", "": "Welcome to Lanterns", "help": "Type the name of a key",
		":help": "Type the name of a key", "?": "Type the name of a key",
	} {
		l.Answer(line).Hears(want)
	}
	if e.Me().UserName != "" {
		t.Error("somebody was signed in")
	}
	l.Answer("QUIT").Ends()
}

func TestASessionEndedElsewhereClosesItsLines(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	ada := p.signUp(t, "ada", otherPassword)
	_, l := p.inLines(t, core.DoorSSH)
	l.Answer("1", "ada", otherPassword, "3").Hears("(ada").Asked()
	other := core.Actor{Door: core.DoorSSH, Remote: "192.0.2.7"}.With(ada)
	if _, err := p.Sessions.EndOthers(context.Background(), other); err != nil {
		t.Fatal(err)
	}
	l.Hears("ended").Ends()
}

// A change is said while a line is awaited.
func TestANewSignInIsSaidInLines(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.signUp(t, "ada", otherPassword)
	_, l := p.inLines(t, core.DoorSSH)
	l.Answer("1", "ada", otherPassword, "3").Hears("(ada").Answer("s").Hears("2 ").Asked()
	if _, err := p.SignIn.Password(context.Background(), core.Actor{Door: core.DoorSSH, Remote: "203.0.113.9"}, "ada", otherPassword); err != nil {
		t.Fatal(err)
	}
	l.Hears("203.0.113.9", "new")
}

func TestTheEndOfTheInputLeavesFromEverywhere(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.signUp(t, "ada", otherPassword)
	way := []string{"1", "ada", otherPassword, "3", "4", "x 1", "1", "p", "-", "", "", "", "2"}
	for n := range len(way) + 1 {
		_, l := p.inLines(t, core.DoorSSH)
		l.Answer(way[:n]...).Asked()
		switch n % 4 {
		case 0:
			l.HangUp()
		case 1:
			l.Send("half a line").HangUp()
		case 2:
			l.Send("\x03")
		case 3:
			l.Send("\x04")
		}
		l.Ends()
	}
}
