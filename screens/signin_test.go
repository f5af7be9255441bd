package screens

import (
	"context"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/tui/tuitest"
)

// signingIn is the sign-in screen.
func (p *place) signingIn(t testing.TB, opts ...tuitest.Option) (*signIn, *tuitest.Terminal) {
	t.Helper()
	v := p.on(t, p.env(t, opts...), NewSignIn)
	s, ok := v.Router().Top().(*signIn)
	if !ok {
		t.Fatalf("%T is on top", v.Router().Top())
	}
	return s, v
}

// waitForHome waits until somebody is signed in, and nothing is under home.
func waitForHome(t testing.TB, v *tuitest.Terminal, e *Env, name string) {
	t.Helper()
	v.WaitUntil(name+" is at home", func(string) bool {
		_, there := v.Router().Top().(*home)
		return there && e.Me().UserName == name && v.Router().Depth() == 1
	})
}

func TestSomebodySignsInByNameOrAddress(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	for _, login := range []string{"lin", "LIN", " lin", "lin@example.org", "Lin@EXAMPLE.org"} {
		s, v := p.signingIn(t)
		v.Paste(login)
		v.Press("enter").Type(goodPassword[:6]).Lacks("violet").Contains("••••••")
		v.Press("ctrl+r").Contains("violet").Press("ctrl+r")
		v.Type(goodPassword[6:]).Press("enter")
		waitForHome(t, v, s.env, "lin")
		if s.password != "" {
			t.Error("the password is still in the screen")
		}
	}
}

// ASVS 6.3.8: whatever was wrong, the answer is the same.
func TestEveryWrongSignInGetsTheSameAnswer(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.signUp(t, "sue", goodPassword)
	if err := p.Accounts.Suspend(context.Background(), core.ConsoleActor("test"), "sue", ""); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string][2]string{
		"wrong password": {"lin", otherPassword}, "unknown": {"nobody", goodPassword}, "suspended": {"sue", goodPassword},
		"an impossible name": {"\u202e", goodPassword}, "a huge name": {strings.Repeat("x", 256), goodPassword},
	} {
		t.Run(name, func(t *testing.T) {
			s, v := p.signingIn(t)
			fill(v, c[0], c[1]).Press("enter")
			waitToRead(v, v.Session().T("error.credentials"))
			if s.password != "" || s.login != c[0] {
				t.Errorf("kept the password %t, the name %q", s.password != "", s.login)
			}
			if s.Focused() != "password" {
				t.Errorf("focus on %q", s.Focused())
			}
			v.Type("x").Lacks("✗") // what was said goes when one tries again
		})
	}
}

func TestSignInWithNothing(t *testing.T) {
	t.Parallel()
	_, v := newPlace(t).signingIn(t)
	v.Press("enter", "enter").Contains("Please fill this in.").Press("esc").Contains("Welcome to Lanterns")
}

func TestTooManyTriesHaveToWaitAndAreToldHowLong(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.set(t, "lockout.wait_seconds", "90", "lockout.max_wait_minutes", "15")
	s, v := p.signingIn(t)
	v.Type("lin").Press("tab")
	for range 5 {
		v.Paste("wrong").Press("enter")
		waitToRead(v, v.Session().T("error.credentials"))
	}
	v.Paste(goodPassword).Press("enter")
	waitToRead(v, "1 min 30 s")
	p.clock.Advance(91 * time.Second)
	v.Paste(goodPassword).Press("enter")
	waitForHome(t, v, s.env, "lin")
}

func TestADoubleEnterSignsInOnce(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	s, v := p.signingIn(t)
	fill(v, "lin", goodPassword).Burst("enter", "enter", "esc", "enter", "tab", "x", "enter")
	waitForHome(t, v, s.env, "lin")
	list, err := p.Sessions.Mine(context.Background(), s.env.Actor())
	if err != nil || len(list) != 2 { // the owner's, from the setup, and this one
		t.Fatalf("%d sessions, %v", len(list), err)
	}
}

func TestEscLeavesSignInWithoutATrace(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	s, v := p.signingIn(t)
	fill(v, "lin", goodPassword).Press("esc").Contains("Welcome to Lanterns")
	if s.password != "" {
		t.Error("the password is still in the screen")
	}
	v.Press("enter").Lacks("lin@").Lacks("••")
}

// lostTo goes from sign-in to the page for a lost password and types a code.
func lostTo(v *tuitest.Terminal, login, code string) *tuitest.Terminal {
	v.Type(login).Press("tab", "tab", "left", "enter").Contains("one-time code")
	return v.Paste(code).Press("enter")
}

func TestALostPasswordIsReplacedWithACode(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.signUp(t, "ada", goodPassword)
	code, _, err := p.Accounts.IssueCode(context.Background(), core.ConsoleActor("test"), "ada")
	if err != nil {
		t.Fatal(err)
	}
	s, v := p.signingIn(t)
	lostTo(v, "ada", "AAAA-BBBB-CCCC-DDDD")
	waitToRead(v, v.Session().T("lost.refused")).Lacks("AAAA")
	v.Paste(strings.ToLower(code)).Press("enter").WaitFor("Choose a new password").Contains("used up now")
	fill(v, goodPassword, goodPassword).Press("enter")
	waitToRead(v, v.Session().T("error.same"))
	fill(v, otherPassword, otherPassword).Press("enter")
	waitForHome(t, v, s.env, "ada")

	again, w := p.signingIn(t)
	fill(w, "ada", otherPassword).Press("enter")
	waitForHome(t, w, again.env, "ada")
}

func TestEscLeavesTheLostPassword(t *testing.T) {
	t.Parallel()
	_, v := newPlace(t).signingIn(t)
	v.Type("lin").Press("tab", "tab", "left", "enter").Contains("one-time code").Type("XX")
	v.Press("esc").Contains("Sign in", "lin").Press("esc").Contains("Welcome to Lanterns")
}

func TestLookOfSignIn(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	for name, opts := range looks() {
		for _, size := range sizes() {
			name := sizeName(name, size)
			_, v := p.signingIn(t, opts...)
			v.Resize(size[0], size[1])
			fill(v, "lin", "wrong").Golden("typed-" + name).Press("enter")
			waitToRead(v, v.Session().T("error.credentials")).Golden("refused-" + name)
			v.Press("tab", "left", "enter").Golden("lost-" + name)
			p.clock.Advance(time.Hour)
		}
	}
	for _, lang := range []string{"es", "pt-BR"} {
		_, v := p.signingIn(t, tuitest.Lang(lang))
		v.Resize(60, 20).Golden("empty-"+lang).Type("lin").Press("tab", "tab", "left", "enter").Golden("lost-" + lang).Sizes()
	}
}
