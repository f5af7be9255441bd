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

// steppingUp is a step-up above ada's home, when the last proof is long ago.
func (p *place) steppingUp(t testing.TB, in core.SignedIn, opts ...tuitest.Option) (*stepUp, *tuitest.Terminal) {
	t.Helper()
	p.clock.Advance(core.StepUpFor + time.Minute)
	v := p.at(t, p.env(t, opts...), in, func(e *Env) tui.Screen { return newStepUp(e, "stepup.why_factor") })
	s, ok := v.Router().Top().(*stepUp)
	if !ok {
		t.Fatalf("%T is on top", v.Router().Top())
	}
	return s, v
}

// fresh says whether an act that asks for a proof is allowed now.
func (p *place) fresh(t testing.TB, in core.SignedIn) bool {
	t.Helper()
	_, err := p.Factors.BeginRecovery(context.Background(), as(in))
	switch core.CodeOf(err) {
	case "":
		return true
	case core.CodeStepUp:
		return false
	}
	t.Fatal(err)
	return false
}

// provedNow waits until the step-up is over and worked, once. The session has a
// new secret then (ASVS 7.2.4).
func (p *place) provedNow(t testing.TB, s *stepUp, v *tuitest.Terminal, in core.SignedIn) {
	t.Helper()
	v.WaitUntil("home is back", func(string) bool { return v.Router().Depth() == 1 })
	if !p.fresh(t, in) {
		t.Error("nothing was proved")
	}
	if s.env.Me().Token == in.Token {
		t.Error("the session kept its secret")
	}
	if n := p.acts(t, "ada", core.ActStepUp, core.OutcomeDone); n != 1 {
		t.Errorf("proved %d times", n)
	}
	if s.prover.secret != "" {
		t.Error("something that was typed is left in the screen")
	}
}

func TestAStepUpByPassword(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	in := p.signUp(t, "ada", otherPassword)
	s, v := p.steppingUp(t, in)
	v.Contains("Is it you?", "You will not be asked again for 5 min.", "Password").Lacks("Another way")
	v.Type("wrong").Press("enter").WaitFor("That is not your present password.").Lacks("•••")
	if p.fresh(t, in) {
		t.Fatal("a wrong password was enough")
	}
	v.Type(otherPassword).Burst("enter", "enter", "esc", "enter")
	p.provedNow(t, s, v, in)
}

// ASVS 7.5.1: whoever has something stronger than a password is asked for it.
func TestAStepUpByTheStrongestFactor(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.sms(t)
	in := p.signUp(t, "ada", otherPassword)
	p.sentFactor(t, in, core.FactorSMS, testNumber) // the default at sign-in
	key := p.appFactor(t, in)
	codes := p.recoveryCodes(t, in)

	t.Run("app", func(t *testing.T) {
		s, v := p.steppingUp(t, in)
		v.Contains("Second factors decide", `Open "My phone"`).Lacks("Password").Type("000000").Press("enter")
		waitToRead(v, "That code is not right.").Lacks("000000")
		v.Type(p.appCode(key)).Burst("enter", "enter", "enter")
		p.provedNow(t, s, v, in)
		in.Token = s.env.Me().Token
	})
	t.Run("sms", func(t *testing.T) {
		s, v := p.steppingUp(t, in)
		v.Press("tab", "left", "enter").Contains("How will you show", "Authenticator app: My phone", "SMS: ", "Recovery code").Lacks("Password")
		v.Press("esc").Contains("Open").Press("tab", "left", "enter", "down", "enter")
		waitToRead(v, "A code goes by SMS to "+testMask)
		v.WaitUntil("the code is sent", func(string) bool { return s.prover.sentTo != "" })
		v.Type(p.sentCode(t)).Press("enter").WaitUntil("home is back", func(string) bool { return v.Router().Depth() == 1 })
		if !p.fresh(t, in) || s.env.Me().Token == in.Token {
			t.Error("nothing was proved, or the session kept its secret")
		}
		in.Token = s.env.Me().Token
	})
	t.Run("recovery code", func(t *testing.T) {
		s, v := p.steppingUp(t, in)
		v.Press("tab", "left", "enter", "end", "enter").Type("nonsense").Press("enter")
		waitToRead(v, "That code is not right.").Lacks("nonsense")
		v.Paste(codes[0]).Press("enter").WaitUntil("home is back", func(string) bool { return v.Router().Depth() == 1 })
		if !p.fresh(t, in) || s.env.Me().Token == in.Token {
			t.Error("nothing was proved, or the session kept its secret")
		}
	})
}

// E-mail stands below the password, which is asked for then (ASVS 6.3.6).
func TestMailIsNoStepUp(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.set(t, "factors.email", "on")
	in := p.signUp(t, "ada", otherPassword)
	p.sentFactor(t, in, core.FactorEmail, "ada@example.org")
	s, v := p.steppingUp(t, in)
	v.Contains("Password").Lacks("e-mail", "Another way").Type(otherPassword).Press("enter")
	p.provedNow(t, s, v, in)
}

// usedUp is a step-up by SMS, of which no more can be sent since one was.
func usedUp(t *testing.T) (*place, core.SignedIn, *stepUp, *tuitest.Terminal) {
	p := newPlace(t)
	p.sms(t)
	in := p.signUp(t, "ada", otherPassword)
	p.sentFactor(t, in, core.FactorSMS, testNumber)
	s, v := p.steppingUp(t, in)
	waitToRead(v, "A code goes by SMS")
	p.set(t, "messages.sms_allowance", "1")
	p.clock.Advance(time.Minute)
	return p, in, s, v
}

// No other code can be sent, and the one in hand still counts. The password is
// enough by now, too.
func TestAStepUpWithoutMessages(t *testing.T) {
	t.Parallel()
	p, in, s, v := usedUp(t)
	code := p.sentCode(t)
	v.Press("tab", "left", "enter")
	waitToRead(v, "This month's messages are used up").WaitFor("Another way").Contains("This month's messages are used up")
	v.Press("tab", "left", "enter").Contains("Password", "SMS: "+testMask).Lacks("(not now)").Press("esc")
	waitToRead(v, "A code goes by SMS").Type(code).Press("enter")
	p.provedNow(t, s, v, in)
}

// No code can be sent any more when the page is there already, and there is
// nothing else: then the password is enough, and it is said why.
func TestAStepUpByThePasswordWithoutMessages(t *testing.T) {
	t.Parallel()
	p, in, s, v := usedUp(t)
	v.Press("tab", "left", "enter").WaitFor("Another way")
	v.Press("tab", "left", "enter").Contains("Password").Press("up", "enter").Contains("Password").Type(otherPassword).Press("enter")
	p.provedNow(t, s, v, in)
}

// Another door enrols something stronger while the password is being typed.
func TestAFactorThatIsEnrolledMeanwhile(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	in := p.signUp(t, "ada", otherPassword)
	s, v := p.steppingUp(t, in)
	v.Contains("Password")
	key := p.appFactor(t, p.signIn(t, elsewhere("203.0.113.9"), "ada", otherPassword))
	v.Type(otherPassword).Press("enter")
	waitToRead(v, "You have a factor that proves more than a password.").Contains("Open")
	v.Type(p.appCode(key)).Press("enter")
	p.provedNow(t, s, v, in)
}

func TestEscLeavesAStepUpAsItWas(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	in := p.signUp(t, "ada", otherPassword)
	s, v := p.steppingUp(t, in)
	v.Type("abc").Press("esc").WaitUntil("home is back", func(string) bool { return v.Router().Depth() == 1 })
	if p.fresh(t, in) || s.prover.secret != "" {
		t.Error("proved, or what was typed stayed")
	}
}

func TestTooManyWrongProofsWait(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	key := p.appFactor(t, p.signUp(t, "ada", otherPassword))
	s, v := p.steppingUp(t, p.signInFully(t, key))
	for range 5 {
		v.Paste("000000").Press("enter")
		waitToRead(v, "That code is not right.")
	}
	v.Paste("000000").Press("enter")
	waitToRead(v, "Too many tries. Wait 30 s, then try again.")
	v.Paste(strings.Repeat("9", 10<<10)).Contains("At most 64 characters.")
	if s.prover.entry(s.prover.ways[0]).typed != "" {
		t.Error("something that was typed is left in the screen")
	}
}

// The first frame says what is wanted, before it is known how.
func TestAStepUpIsNeverEmpty(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	e := p.env(t)
	s := newStepUp(e, "stepup.why_key")
	s.SetSize(76, 19)
	if view := flat(plainText(s.View())); !strings.Contains(view, "A linked key can act for you") || !strings.Contains(view, "Looking it up") {
		t.Errorf("the first frame is %q", view)
	}
}

// When nothing can be reached the page says so, and what was wanted can wait.
func TestAStepUpThatCannotBeRead(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	in := p.signUp(t, "ada", otherPassword)
	e := p.env(t)
	v := p.at(t, e, in, func(e *Env) tui.Screen {
		gone, cancel := context.WithCancel(context.Background())
		cancel()
		reachable := e.Ctx
		e.Ctx = gone
		t.Cleanup(func() { e.Ctx = reachable })
		return newStepUp(e, "stepup.why_key")
	})
	v.WaitFor("The portal could not answer")
	e.Ctx = t.Context()
	v.Press("r").WaitFor("Password").Press("esc").WaitUntil("home is back", func(string) bool { return v.Router().Depth() == 1 })
}

func TestLookOfStepUp(t *testing.T) {
	t.Parallel()
	open := map[string]func(t *testing.T, opts ...tuitest.Option) *tuitest.Terminal{
		"app": func(t *testing.T, opts ...tuitest.Option) *tuitest.Terminal {
			p := newPlace(t)
			p.sms(t)
			in := p.signUp(t, "ada", otherPassword)
			p.sentFactor(t, in, core.FactorSMS, testNumber)
			p.appFactor(t, in)
			_, v := p.steppingUp(t, in, opts...)
			return v
		},
		"sms": func(t *testing.T, opts ...tuitest.Option) *tuitest.Terminal {
			p := newPlace(t)
			p.sms(t)
			in := p.signUp(t, "ada", otherPassword)
			p.sentFactor(t, in, core.FactorSMS, testNumber)
			p.recoveryCodes(t, in)
			s, v := p.steppingUp(t, in, opts...)
			return v.WaitUntil("the code is sent", func(string) bool { return s.prover.sentTo != "" })
		},
	}
	for name, open := range open {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for look, opts := range looks() {
				v := open(t, opts...)
				for _, size := range sizes() {
					v.Resize(size[0], size[1]).Golden(sizeName(look, size))
				}
				v.Sizes()
			}
			for _, lang := range []string{"es", "pt-BR"} {
				open(t, tuitest.Lang(lang)).Golden(lang+"-80x24").Resize(60, 20).Golden(lang + "-60x20")
			}
		})
	}
}
