package screens

import (
	"context"
	"testing"
	"time"

	"postern/core"
	"postern/tui/tuitest"
)

// forcing signs ada in, whose password has expired, up to the forced change.
func (p *place) forcing(t testing.TB, opts ...tuitest.Option) (*forced, *tuitest.Terminal) {
	t.Helper()
	_, v := p.signingIn(t, opts...)
	fill(v, "ada", goodPassword).Press("enter").WaitUntil("a new password is asked for", func(string) bool {
		_, ok := v.Router().Top().(*forced)
		return ok
	})
	s := v.Router().Top().(*forced)
	// The checklist comes with the rules in force.
	v.WaitUntil("the rules are known", func(string) bool { return s.feedbackNow().known() })
	return s, v
}

// newExpired is a portal where ada's password has expired.
func newExpired(t testing.TB) *place {
	t.Helper()
	p := newPlace(t)
	p.signUp(t, "ada", goodPassword)
	if err := p.Accounts.ExpirePassword(context.Background(), core.ConsoleActor("test"), "ada"); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAnExpiredPasswordIsChangedAtSignIn(t *testing.T) {
	t.Parallel()
	p := newExpired(t)
	s, v := p.forcing(t)
	waitToRead(v, v.Session().T("forced.why.expired"))
	v.Type("seven").Contains("✗ at least 12 characters").Type(otherPassword[5:]).WaitFor("strong")
	fill(v.Press("tab"), otherPassword).Contains("✓ same").Burst("enter", "enter", "esc")
	waitForHome(t, v, s.env, "ada")
	if s.password.typed+s.password.again != "" {
		t.Error("the password is still in the screen")
	}
}

func TestAnOldPasswordIsChangedByRotation(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.signUp(t, "ada", goodPassword)
	p.set(t, "password.rotate_days", "45", "password.history_days", "135")
	p.clock.Advance(46 * 24 * time.Hour)
	s, v := p.forcing(t)
	waitToRead(v, v.Session().T("forced.why.rotation"))
	fill(v, goodPassword, goodPassword).Press("enter")
	waitToRead(v, v.Session().T("error.same")).Contains("✗")
	fill(v, otherPassword, otherPassword).Press("enter")
	waitForHome(t, v, s.env, "ada")
}

func TestForcedChangeRefusesBesideTheField(t *testing.T) {
	t.Parallel()
	p := newExpired(t)
	for name, c := range map[string]struct{ pw, again, want string }{
		"nothing":    {"", "", "Please fill this in."},
		"short":      {"short", "short", "at least 12 characters."},
		"one's name": {"the ada@example.org way", "the ada@example.org way", "Not yet"}, // the core knows the address
		"differs":    {otherPassword, goodPassword, "The two are not the same."},
	} {
		t.Run(name, func(t *testing.T) {
			s, v := p.forcing(t)
			fill(v, c.pw, c.again).Press("enter")
			waitToRead(v, c.want)
			if s.env.Me().UserName != "" {
				t.Fatal("signed in")
			}
		})
	}
}

func TestEscLeavesTheForcedChangeAndTheSignIn(t *testing.T) {
	t.Parallel()
	p := newExpired(t)
	s, v := p.forcing(t)
	fill(v, otherPassword).Press("esc").Contains("Welcome to Lanterns")
	waitToRead(v, "Your password was not changed.")
	if s.password.typed != "" || s.env.Me().UserName != "" {
		t.Error("something is left of the sign-in")
	}
	p.forcing(t) // the old password still leads here
}

func TestAForcedChangeThatTookTooLong(t *testing.T) {
	t.Parallel()
	p := newExpired(t)
	s, v := p.forcing(t)
	p.clock.Advance(core.AttemptFor + time.Second)
	fill(v, otherPassword, otherPassword).Press("enter").WaitFor("Welcome to Lanterns")
	waitToRead(v, "sign in again")
	if s.env.Me().UserName != "" {
		t.Error("signed in")
	}
}

// A step that has no screen yet ends the sign-in; it never counts as done.
func TestAnUnknownStepDenies(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	e := p.env(t)
	v := p.on(t, e, NewSignIn)
	v.Router().Top().Update(answer[core.Progress]{Value: core.Progress{Step: "captcha", Ticket: "x"}})
	if e.Me().UserName != "" || v.Router().Depth() > 2 {
		t.Fatal("an unknown step let somebody in")
	}
}

func TestLookOfForced(t *testing.T) {
	t.Parallel()
	p := newExpired(t)
	for name, opts := range looks() {
		for _, size := range sizes() {
			name := sizeName(name, size)
			_, v := p.forcing(t, opts...)
			v.Resize(size[0], size[1]).Golden("empty-" + name)
			typeScored(v, "seven").Golden("weak-" + name)
		}
	}
	for _, lang := range []string{"es", "pt-BR"} {
		_, v := p.forcing(t, tuitest.Lang(lang))
		v.Resize(60, 20).Golden("empty-" + lang)
		typeScored(v, "seven").Golden("weak-" + lang).Sizes()
	}
}
