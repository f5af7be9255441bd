package screens

import (
	"testing"
	"time"

	"postern/core"
	"postern/tui/tuitest"
)

func TestWelcomeShowsTheWaysOn(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v := p.first(t, p.env(t)).Contains("Welcome to Lanterns", "Sign in", "Create an account", "takes a minute", "Lost password", "English", "Leave")
	v.Press("enter").Contains("Name or e-mail").Press("esc").Contains("Welcome to Lanterns")
	v.Press("down", "enter").Contains("User name").Press("esc")
	v.Press("down", "enter").Contains("one-time code").Press("esc").Contains("Welcome to Lanterns")
	if v.Press("esc", "esc"); v.Quit() || v.Router().Depth() != 1 {
		t.Fatal("esc left the first screen")
	}
	if !v.Press("end", "enter").Quit() {
		t.Fatal("leaving did not close the program")
	}
}

// Sign-up appears as what it is, and is hidden when nobody can sign up.
func TestWelcomeFollowsTheModeOfSignUp(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v := p.first(t, p.env(t))
	for mode, note := range map[core.SignUpMode]string{
		core.SignUpInvite: "you need an invitation", core.SignUpApproval: "an admin looks at it", core.SignUpOpen: "takes a minute",
	} {
		p.set(t, "sign_up.mode", string(mode))
		v.Press("home", "enter", "esc").Contains("Create an account", note) // coming back reads it again
	}
	p.set(t, "sign_up.mode", "closed")
	v.Press("enter", "esc").Lacks("Create an account")
	p.set(t, "sign_up.mode", "open", "sign_up.quota", "1")
	v.Press("enter", "esc").Lacks("Create an account")
	p.set(t, "sign_up.quota", "2")
	v.Press("enter", "esc").Contains("Create an account")
}

func TestLanguageAndColoursChangeOnTheFirstScreen(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	e := p.env(t)
	v := p.first(t, e).Press("down", "down", "down").Contains("English")
	seen := map[string]bool{}
	for range e.Catalog().Languages() {
		seen[e.Dict.Tag()] = true
		v.Press("right")
	}
	for tag, name := range map[string]string{"en": "English", "es": "Español", "pt-BR": "Português (Brasil)"} {
		if !seen[tag] {
			t.Errorf("%s was never chosen", tag)
		}
		v.WaitUntil(name, func(string) bool { return e.Dict.Tag() != "" })
		for e.Dict.Tag() != tag {
			v.Press("right")
		}
		v.Contains(name)
	}
	for e.Dict.Tag() != "es" {
		v.Press("left")
	}
	v.Contains(e.T("welcome.heading", "Portal", "Lanterns"), "Iniciar sesión")
	theme := e.Theme.Name
	if v.Press("down", "right"); e.Theme.Name == theme {
		t.Error("the colours stayed")
	}
	if v.Press("left"); e.Theme.Name != theme {
		t.Error("the colours did not come back")
	}
}

func TestWelcomeOfTheDemonstration(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	e := p.env(t)
	e.Demo, e.DemoName, e.DemoPassword = true, "lin", goodPassword
	v := p.first(t, e).Contains("To try it", "lin", goodPassword).Golden("80x24").Resize(60, 20).
		Contains("Leave", goodPassword, "Outbox").Golden("60x20")
	v.Press("down", "down", "down", "enter").WaitUntil("the outbox is open", func(string) bool { return v.Router().Depth() == 2 })
	v.Press("esc").WaitFor("Welcome to Lanterns")
}

// keyedFor is a connection that brought testKey.
func (p *place) keyedFor(t testing.TB, opts ...tuitest.Option) *Env {
	t.Helper()
	e := p.env(t, opts...)
	e.actor.Key, e.actor.KeyLine = testKey, keyLine
	return e
}

// Where a linked key stands for the password, who brings one goes on with it.
func TestAKeySignsInWithoutAPassword(t *testing.T) {
	t.Parallel()
	q := keyOnly(t)
	q.first(t, q.keyedFor(t)).Lacks("(SSH key)") // there it is a second factor only
	p := newPlace(t)
	p.set(t, "factors.key_stands", "password")
	p.linkedTestKey(t, p.signUp(t, "ada", otherPassword))
	p.first(t, p.env(t)).Lacks("(SSH key)") // this one brought none
	e := p.keyedFor(t)
	v := p.first(t, e).Contains("▸ Go on as ada (SSH key)", "and no password")
	v.Burst("enter", "enter", "esc")
	waitForHome(t, v, e, "ada")
	if n := p.acts(t, "ada", core.ActSignInKey, core.OutcomeDone); n != 1 {
		t.Errorf("signed in %d times", n)
	}
	v.Press("o").WaitFor("Welcome to Lanterns").Contains("Go on as ada")
}

// A key that stands for the password is not the second factor too.
func TestAKeyForThePasswordStillNeedsAFactor(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	in := p.signUp(t, "ada", otherPassword)
	p.linkedTestKey(t, in)
	key := p.appFactor(t, in)
	p.set(t, "factors.key_stands", "password")
	e := p.keyedFor(t)
	v := p.first(t, e).Press("enter")
	waitToRead(v, `Open "My phone"`).Press("esc").WaitFor("Welcome to Lanterns").Contains("You are not signed in.")
	p.clock.Advance(time.Minute)
	v.Press("enter")
	waitToRead(v, `Open "My phone"`).Type(p.appCode(key)).Press("enter")
	waitForHome(t, v, e, "ada")
}

// What a key opened a moment ago it may not open any more.
func TestAKeyThatStandsForNothingAnyMore(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.set(t, "factors.key_stands", "password")
	p.linkedTestKey(t, p.signUp(t, "ada", otherPassword))
	e := p.keyedFor(t)
	v := p.first(t, e).Contains("Go on as ada")
	p.set(t, "factors.key_stands", "factor")
	v.Press("enter").WaitFor("This key does not sign anybody in now.").Lacks("Go on as ada").Contains("▸ Sign in")
	if e.Me().UserName != "" {
		t.Fatal("signed in")
	}
}

func TestLookOfWelcomeWithAKey(t *testing.T) {
	t.Parallel()
	look(t, func(t *testing.T, e *Env, p *place) *tuitest.Terminal {
		if offer, err := p.SignIn.Offer(t.Context(), p.keyedFor(t).actor); err != nil {
			t.Fatal(err)
		} else if offer.UserName == "" {
			p.set(t, "factors.key_stands", "password")
			p.linkedTestKey(t, p.signUp(t, "ada", otherPassword))
		}
		e.actor.Key, e.actor.KeyLine = testKey, keyLine
		return p.first(t, e)
	})
}

func TestLookOfWelcome(t *testing.T) {
	t.Parallel()
	look(t, func(t *testing.T, e *Env, p *place) *tuitest.Terminal { return p.first(t, e) })
}

// look compares a screen with its goldens in every terminal and size, and in
// the other languages.
func look(t *testing.T, open func(*testing.T, *Env, *place) *tuitest.Terminal) {
	t.Helper()
	p := newPlace(t)
	for name, opts := range looks() {
		v := open(t, p.env(t, opts...), p)
		for _, s := range sizes() {
			v.Resize(s[0], s[1]).Golden(sizeName(name, s))
		}
		v.Sizes()
	}
	for _, lang := range []string{"es", "pt-BR"} {
		open(t, p.env(t, tuitest.Lang(lang)), p).Golden(lang+"-80x24").Resize(60, 20).Golden(lang + "-60x20")
	}
}
