package screens

import (
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/tui/tuitest"
)

const newestPassword = "a heron counts nine umbrellas"

// typePasswords fills the form in, up to the choice about other sessions.
func typePasswords(v *tuitest.Terminal, current, next, again string) *tuitest.Terminal {
	return v.Type(current).Press("tab").Paste(next).Press("tab").Paste(again).Press("tab")
}

// ASVS 6.2.3: a change asks for the present password and a new one.
func TestChangingThePasswordEndsTheOtherSessions(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, e, in := p.ada(t)
	other := p.signIn(t, elsewhere("203.0.113.9"), "ada", otherPassword)
	w := p.enter(t, p.env(t), other).WaitFor("Security check-up")
	v.Press("w").WaitFor("at least 12 characters")
	token := e.Me().Token
	typePasswords(v, otherPassword, newestPassword, newestPassword).WaitFor("strong")
	v.Contains("✓ at least 12 characters", "✓ same").Burst("enter", "enter", "enter").WaitFor("Your password is changed.")
	v.Contains("All other sessions have ended.", "Security check-up")
	untilClosed(t, w, "Your password was changed elsewhere")
	if p.live(t, in) != 1 {
		t.Error("another session lives")
	}
	if e.Me().Token == token { // ASVS 7.2.4
		t.Error("the session kept its secret")
	}
	if n := p.acts(t, "ada", core.ActPassword, core.OutcomeDone); n != 1 {
		t.Errorf("changed %d times", n)
	}
	p.signIn(t, elsewhere("192.0.2.1"), "ada", newestPassword)
}

func TestTheOtherSessionsMayStay(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, in := p.ada(t)
	p.signIn(t, elsewhere("203.0.113.9"), "ada", otherPassword)
	v.Press("w").WaitFor("at least 12 characters")
	typePasswords(v, otherPassword, newestPassword, newestPassword).Press("right").Contains("● stay open").
		Press("enter").WaitFor("Your password is changed.")
	v.Lacks("have ended")
	if p.live(t, in) != 2 {
		t.Error("the other session ended")
	}
}

func TestRefusalsOfANewPassword(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ current, next, again, why string }{
		"wrong":     {"not this one", newestPassword, newestPassword, "That is not your present password."},
		"no":        {"", newestPassword, newestPassword, "Please fill this in."},
		"the same":  {otherPassword, otherPassword, otherPassword, "This is the password you have now."},
		"used once": {otherPassword, goodPassword, goodPassword, "You have used this password before."},
		"too short": {otherPassword, "heron", "heron", "Not yet: at least 12 characters."},
		"common":    {otherPassword, "password1234", "password1234", "Not yet:"},
		"personal":  {otherPassword, "ada ada ada ada", "ada ada ada ada", "Not yet:"},
		"differ":    {otherPassword, newestPassword, newestPassword + "!", "The two are not the same."},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			p.set(t, "password.history_last", "3")
			in := p.signUp(t, "ada", goodPassword)
			if _, err := p.Accounts.ChangePassword(t.Context(), as(in), goodPassword, otherPassword, false); err != nil {
				t.Fatal(err)
			}
			v := p.enter(t, p.env(t), in).WaitFor("Security check-up").Press("w").WaitFor("The last 3 you had cannot be used again.")
			typePasswords(v, tt.current, tt.next, tt.again).Press("enter").WaitFor(tt.why)
			p.signIn(t, elsewhere("192.0.2.1"), "ada", otherPassword)
			v.Press("esc").WaitFor("Security check-up")
			if content := v.Router().View().Content; strings.Contains(content, "heron") {
				t.Error("a password stands on the screen")
			}
		})
	}
}

// Nothing secret stays after the core has refused, nor for the next visit.
func TestSecretsDoNotStay(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, _ := p.ada(t)
	v.Press("w").WaitFor("at least 12 characters")
	typePasswords(v, "not this one", newestPassword, newestPassword).Press("enter").WaitFor("That is not your present password.")
	v.Lacks("•")
	v.Type("abc").Press("ctrl+r").Contains("abc").Press("esc").WaitFor("Security check-up").Press("w").WaitFor("at least 12 characters")
	v.Lacks("abc", "•")
}

func TestTooManyTriesWait(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, _ := p.ada(t)
	v.Press("w").WaitFor("at least 12 characters")
	for range 5 {
		typePasswords(v, "not this one", newestPassword, newestPassword).Press("enter").WaitFor("That is not your present password.")
	}
	typePasswords(v, otherPassword, newestPassword, newestPassword).Press("enter").WaitFor("Too many tries.")
	p.signIn(t, elsewhere("192.0.2.1"), "ada", otherPassword)
}

// ASVS 7.5.1: whoever has something stronger than a password proves it before
// the password changes; what was typed is sent again then, and once.
func TestAStrongerFactorComesBeforeANewPassword(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	in := p.signUp(t, "ada", otherPassword)
	key := p.appFactor(t, in)
	p.clock.Advance(core.StepUpFor + time.Minute)
	e := p.env(t)
	v := p.enter(t, e, in).WaitFor("Security check-up").Press("w").WaitFor("at least 12 characters")
	s := v.Router().Top().(*changePassword)
	typePasswords(v, otherPassword, newestPassword, newestPassword).Press("enter").WaitFor("Is it you?")
	waitToRead(v, `Open "My phone"`).Type(p.appCode(key)).Burst("enter", "enter").WaitFor("Your password is changed.")
	if s.current+s.password.typed+s.password.again != "" {
		t.Error("a password is still in the screen")
	}
	if n := p.acts(t, "ada", core.ActPassword, core.OutcomeDone); n != 1 {
		t.Errorf("changed %d times", n)
	}
	if r, err := p.SignIn.Password(t.Context(), elsewhere("192.0.2.1"), "ada", newestPassword); err != nil || r.Step != core.StepFactor {
		t.Fatalf("%s, %v", r.Step, err)
	}
}

// Whoever does not give the proof changes nothing, and nothing secret stays.
func TestAPasswordThatIsNotProvedDoesNotChange(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	in := p.signUp(t, "ada", otherPassword)
	key := p.appFactor(t, in)
	p.clock.Advance(core.StepUpFor + time.Minute)
	v := p.enter(t, p.env(t), in).WaitFor("Security check-up").Press("w").WaitFor("at least 12 characters")
	s := v.Router().Top().(*changePassword)
	typePasswords(v, otherPassword, newestPassword, newestPassword).Press("enter").WaitFor("Is it you?").Press("esc").WaitFor("at least 12 characters")
	v.Lacks("•")
	if s.current+s.password.typed+s.password.again != "" {
		t.Error("a password is still in the screen")
	}
	// A wrong present password is found after the proof, and nothing stays either.
	typePasswords(v, "not this one", newestPassword, newestPassword).Press("enter").WaitFor("Is it you?")
	waitToRead(v, `Open "My phone"`).Type(p.appCode(key)).Press("enter").WaitFor("That is not your present password.").Lacks("•")
	if r, err := p.SignIn.Password(t.Context(), elsewhere("192.0.2.1"), "ada", otherPassword); err != nil || r.Step != core.StepFactor {
		t.Fatalf("%s, %v", r.Step, err)
	}
}
