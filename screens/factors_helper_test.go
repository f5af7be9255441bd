package screens

import (
	"context"
	"encoding/base32"
	"reflect"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/core/otp"
	"postern/tui"
	"postern/tui/tuitest"
)

// publicKey is a key as it stands in a .pub file.
const publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIpT5i7n6Fp2dD1pNhVzX0wXGr6Xl3eS2jQyq4C0lY1f ada@laptop"

// openAbove opens a screen above home, for the one that a session belongs to.
func (p *place) openAbove(t testing.TB, e *Env, in core.SignedIn, above func(*Env) tui.Screen) *tuitest.Terminal {
	t.Helper()
	if _, err := First(context.Background(), e); err != nil {
		t.Fatal(err)
	}
	m := e.enter(context.Background(), e.Actor(), in)
	if m.err != nil {
		t.Fatal(m.err)
	}
	e.adopt(m)
	v := tuitest.Open(t, e.Session, &opener{NewHome(e, m.checkUp), above(e)})
	return v.WaitUntil("it is open", func(string) bool { return v.Router().Depth() > 1 })
}

// adaAbove is ada with a screen above home.
func (p *place) adaAbove(t testing.TB, above func(*Env) tui.Screen, opts ...tuitest.Option) (*tuitest.Terminal, *Env, core.SignedIn) {
	t.Helper()
	in := p.signUp(t, "ada", otherPassword)
	e := p.env(t, opts...)
	return p.openAbove(t, e, in, above), e, in
}

// adaAboveInLines is adaAbove, line by line.
func (p *place) adaAboveInLines(t testing.TB, above func(*Env) tui.Screen, opts ...tuitest.Option) (*tuitest.Lines, *Env, core.SignedIn) {
	t.Helper()
	in := p.signUp(t, "ada", otherPassword)
	e := p.env(t, append(opts, tuitest.Dumb())...)
	if _, err := First(context.Background(), e); err != nil {
		t.Fatal(err)
	}
	m := e.enter(context.Background(), e.Actor(), in)
	if m.err != nil {
		t.Fatal(m.err)
	}
	e.adopt(m)
	return tuitest.OpenLines(t, e.Session, &opener{NewHome(e, m.checkUp), above(e)}, tui.PlainOptions{Raw: true}), e, in
}

// onlyFactor is what a screen that enrols does when it is done: it goes back.
func onlyFactor(m core.Enrolled) tea.Cmd { return tui.PopWith(m.Factor) }

// anApp opens the enrolment of an app.
func anApp(e *Env) tui.Screen { return newEnrolApp(e, "", onlyFactor) }

// protection is how the account of a session is protected.
func (p *place) protection(t testing.TB, in core.SignedIn) core.Protection {
	t.Helper()
	have, err := p.Factors.Mine(context.Background(), as(in))
	if err != nil {
		t.Fatal(err)
	}
	return have
}

// enrolled gives the account of a session an app, and returns its secret.
func (p *place) enrolled(t testing.TB, in core.SignedIn, label string) (secret []byte) {
	t.Helper()
	begun, err := p.Factors.Begin(context.Background(), as(in), "", core.FactorApp, "")
	if err != nil {
		t.Fatal(err)
	}
	secret = secretOf(t, begun.Secret)
	if _, err := p.Factors.Confirm(context.Background(), as(in), "", begun.ID, p.codeOf(secret), label); err != nil {
		t.Fatal(err)
	}
	p.clock.Advance(otp.Period) // a step is accepted once
	return secret
}

// coded gives the account of a session recovery codes.
func (p *place) coded(t testing.TB, in core.SignedIn) core.RecoverySheet {
	t.Helper()
	sheet, err := p.Factors.BeginRecovery(context.Background(), as(in))
	if err == nil {
		err = p.Factors.SaveRecovery(context.Background(), as(in), sheet.Seed)
	}
	if err != nil {
		t.Fatal(err)
	}
	return sheet
}

// linkedBy links a key that a connection of the account proved.
func (p *place) linkedBy(t testing.TB, in core.SignedIn, fingerprint, line, label string) {
	t.Helper()
	actor := as(in)
	actor.Key, actor.KeyLine = fingerprint, line
	if err := p.Keys.Link(context.Background(), actor, label); err != nil {
		t.Fatal(err)
	}
}

// secretOf reads an app's key from its groups.
func secretOf(t testing.TB, groups string) []byte {
	t.Helper()
	b, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(groups, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// codeOf is the code that an app shows now.
func (p *place) codeOf(secret []byte) string { return otp.Code(secret, otp.Step(p.clock.Now())) }

// codeAt is the code that an app shows whose clock is off by that much.
func (p *place) codeAt(secret []byte, off time.Duration) string {
	return otp.Code(secret, otp.Step(p.clock.Now().Add(off)))
}

// wrongCode is a code that the app does not show for a long while.
func (p *place) wrongCode(secret []byte) string { return p.codeAt(secret, 24*time.Hour) }

// enrolling is the enrolment that the screen on top leads through.
func enrolling(t testing.TB, v *tuitest.Terminal) core.Enrolment {
	t.Helper()
	switch s := v.Router().Top().(type) {
	case *enrolApp:
		return s.begun
	case *enrolSent:
		return s.begun
	}
	t.Fatalf("nothing is being enrolled:\n%s", v.Text())
	return core.Enrolment{}
}

// clipboard runs what a key press does outside the program, and returns what went
// to the terminal's clipboard.
func clipboard(t testing.TB, v *tuitest.Terminal, k string) string {
	t.Helper()
	_, cmd := v.Router().Top().Update(tuitest.Key(k))
	copied := ""
	var run func(tea.Cmd)
	run = func(cmd tea.Cmd) {
		if cmd == nil {
			return
		}
		switch msg := cmd().(type) {
		case tea.BatchMsg:
			for _, c := range msg {
				run(c)
			}
		default:
			if text, ok := clipboardText(msg); ok {
				copied = text
			}
		}
	}
	run(cmd)
	return copied
}

// clipboardText is the text of bubbletea's unexported message for the clipboard.
func clipboardText(msg tea.Msg) (string, bool) {
	v := reflect.ValueOf(msg)
	if v.Kind() != reflect.String || v.Type() != reflect.TypeOf(tea.SetClipboard("")()) {
		return "", false
	}
	return v.String(), true
}

// waitInDialog waits until a sentence can be read in a box.
func waitInDialog(v *tuitest.Terminal, sentence string) *tuitest.Terminal {
	return v.WaitUntil("there is "+sentence, func(screen string) bool {
		return strings.Contains(flat(strings.ReplaceAll(screen, "│", " ")), sentence)
	})
}
