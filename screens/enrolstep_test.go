package screens

import (
	"encoding/base32"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/tui/tuitest"
)

const day = 24 * time.Hour

// demanded signs ada in as far as the demand for a second factor.
func (p *place) demanded(t testing.TB, e *Env) (*enrolStep, *tuitest.Terminal) {
	t.Helper()
	v := p.on(t, e, NewSignIn)
	fill(v, "ada", otherPassword).Press("enter")
	return demandOn(t, v)
}

// demandOn waits until a second factor is demanded.
func demandOn(t testing.TB, v *tuitest.Terminal) (*enrolStep, *tuitest.Terminal) {
	t.Helper()
	v.WaitUntil("a second factor is demanded", func(string) bool {
		_, ok := v.Router().Top().(*enrolStep)
		return ok
	})
	return v.Router().Top().(*enrolStep), v.Settle()
}

// newDemand is a portal that has just begun to demand a second factor of
// everybody within seven days, and ada has none.
func newDemand(t testing.TB) *place {
	t.Helper()
	p := newPlace(t)
	p.signUp(t, "ada", otherPassword)
	p.set(t, "factors.enforce", "everybody", "factors.days", "7")
	return p
}

// setUpApp goes through the enrolment of an app that is open.
func setUpApp(t testing.TB, p *place, v *tuitest.Terminal) {
	t.Helper()
	v.WaitUntil("there is a key", func(string) bool {
		s, ok := v.Router().Top().(*enrolApp)
		return ok && s.ready()
	})
	s := v.Router().Top().(*enrolApp)
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(s.begun.Secret, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	for s.form.Focused() != "code" {
		v.Press("tab")
	}
	v.Type(p.appCode(key)).Press("enter")
}

// ASVS 6.3.3: whoever must have a second factor is told until when, and may put
// it off until then.
func TestADemandCanBePutOffWhileThereIsTime(t *testing.T) {
	t.Parallel()
	p := newDemand(t)
	p.clock.Advance(2 * day)
	e := p.env(t)
	s, v := p.demanded(t, e)
	waitToRead(v, "Set one up by 29 Nov 2026, 12:00 UTC (in 5 days)").Contains("Authenticator app", "SSH key (not now)", "Later")
	if s.progress.Why != "soon" {
		t.Fatalf("asked because it is %s", s.progress.Why)
	}
	v.Press("end").Burst("enter", "enter", "esc")
	waitForHome(t, v, e, "ada")
	waitToRead(v, "This portal demands a second factor by 29 Nov 2026.")
	if n := p.acts(t, "ada", core.ActSignInStep, core.OutcomeDone); n != 1 {
		t.Errorf("put off %d times", n)
	}
}

func TestAFactorIsSetUpWhenItIsAskedFor(t *testing.T) {
	t.Parallel()
	p := newDemand(t)
	e := p.env(t)
	_, v := p.demanded(t, e)
	v.Press("enter").WaitUntil("an app is set up", func(string) bool { return v.Router().Depth() == 3 })
	v.Press("esc").WaitUntil("the demand is back", func(string) bool { return v.Router().Depth() == 2 }) // not this one
	v.Press("enter").WaitUntil("an app is set up", func(string) bool { return v.Router().Depth() == 3 })
	setUpApp(t, p, v)
	waitForHome(t, v, e, "ada")
	waitToRead(v, "A second factor protects this account.")
	waitToRead(v, "You have no recovery codes.")
}

// When the days are over nothing but a factor leads on.
func TestADemandThatIsDue(t *testing.T) {
	t.Parallel()
	p := newDemand(t)
	p.set(t, "factors.email", "on")
	p.clock.Advance(8 * day)
	e := p.env(t)
	_, v := p.demanded(t, e)
	waitToRead(v, "lets nobody in without a second factor").Lacks("Later", "Set one up by")
	v.Press("down", "enter").WaitUntil("an address is asked for", func(string) bool { return v.Router().Depth() == 3 })
	v.Press("esc").WaitUntil("the demand is back", func(string) bool { return v.Router().Depth() == 2 })
	if e.Me().UserName != "" {
		t.Fatal("signed in")
	}
}

// The last day ends while somebody looks at the page: the core does not put it off.
func TestTheTimeRunsOutOnThePage(t *testing.T) {
	t.Parallel()
	p := newDemand(t)
	p.clock.Advance(7*day - 5*time.Minute)
	e := p.env(t)
	_, v := p.demanded(t, e)
	waitToRead(v, "(in 5 min)")
	p.clock.Advance(6 * time.Minute)
	v.Press("end", "enter").WaitFor("Welcome to Lanterns")
	waitToRead(v, "Something else comes first.")
	if e.Me().UserName != "" {
		t.Fatal("signed in")
	}
}

func TestEscLeavesTheDemandAndTheSignIn(t *testing.T) {
	t.Parallel()
	p := newDemand(t)
	p.clock.Advance(8 * day)
	e := p.env(t)
	_, v := p.demanded(t, e)
	v.Press("esc").WaitFor("Welcome to Lanterns").Contains("You are not signed in.")
	if e.Me().UserName != "" {
		t.Fatal("signed in")
	}
}

// Without a key it is said how to come with one; with one it takes a yes.
func TestTheKeyOneCameWithBecomesTheFactor(t *testing.T) {
	t.Parallel()
	p := newDemand(t)
	p.clock.Advance(8 * day)
	_, v := p.demanded(t, p.env(t))
	v.Press("end", "enter")
	waitToRead(v, "✗ You came without an SSH key. Leave, and connect with one, such as with: ssh -i KEYFILE.")

	e := p.env(t)
	e.actor.Key, e.actor.KeyLine = testKey, keyLine
	_, v = p.demanded(t, e)
	v.Contains("▸ SSH key", "the one you came with").Press("enter").WaitFor("will be your second factor").Contains(testKey[:20])
	v.Press("enter").WaitUntil("it was not a yes", func(string) bool { return v.Router().Depth() == 2 })
	if n := len(p.linked(t, "ada")); n != 0 {
		t.Fatal("linked without a yes")
	}
	v.Press("enter").WaitFor("will be your second factor").Press("tab").Burst("enter", "enter")
	waitForHome(t, v, e, "ada")
	if n := len(p.linked(t, "ada")); n != 1 {
		t.Errorf("%d keys are linked", n)
	}
}

// linked is the keys of an account.
func (p *place) linked(t testing.TB, name string) []core.LinkedKey {
	t.Helper()
	prot, err := p.Factors.Of(t.Context(), core.ConsoleActor("test"), name)
	if err != nil {
		t.Fatal(err)
	}
	return prot.Keys
}

func TestAKeyThatIsLinkedToSomebodyElse(t *testing.T) {
	t.Parallel()
	p := newDemand(t)
	p.clock.Advance(8 * day)
	e := p.env(t)
	e.actor.Key, e.actor.KeyLine = testKey, keyLine
	_, v := p.demanded(t, e)
	p.linkedTestKey(t, p.signUp(t, "noor", otherPassword)) // while it is offered here
	v.Press("enter").WaitFor("will be your second factor").Press("tab", "enter")
	waitToRead(v, "✗ This key is linked to an account already.")
	if e.Me().UserName != "" {
		t.Fatal("signed in")
	}
}

func TestADemandThatTookTooLong(t *testing.T) {
	t.Parallel()
	p := newDemand(t)
	e := p.env(t)
	_, v := p.demanded(t, e)
	p.clock.Advance(core.AttemptFor + time.Second)
	v.Press("end", "enter").WaitFor("Welcome to Lanterns")
	waitToRead(v, "That took too long.")
}

// With no days left a new account enrols before it comes in.
func TestSignUpWhereAFactorIsDemandedAtOnce(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.set(t, "factors.enforce", "everybody", "factors.days", "0")
	s, v := p.signingUp(t)
	fill(v, "ada").Press("tab", "tab", "enter")
	fill(v, goodPassword, goodPassword).Press("enter")
	demandOn(t, v)
	waitToRead(v, "lets nobody in without a second factor").Lacks("Later")
	if s.env.Me().UserName != "" {
		t.Fatal("signed in")
	}
	v.Press("enter")
	setUpApp(t, p, v)
	waitForHome(t, v, s.env, "ada")
	if r, err := p.SignIn.Password(t.Context(), elsewhere("192.0.2.1"), "ada", goodPassword); err != nil || r.Step != core.StepFactor {
		t.Fatalf("%s, %v", r.Step, err)
	}
}

// With days to go a new account comes in and has them.
func TestSignUpWhereAFactorIsDemandedSoon(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.set(t, "factors.enforce", "everybody", "factors.days", "7")
	s, v := p.signingUp(t)
	fill(v, "ada").Press("tab", "tab", "enter")
	fill(v, goodPassword, goodPassword).Press("enter")
	waitForHome(t, v, s.env, "ada")
	waitToRead(v, "This portal demands a second factor by 29 Nov 2026.")
}

func TestADemandInLines(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "pt-BR", "es"} {
		t.Run(lang, func(t *testing.T) {
			p := newDemand(t)
			e, l := p.inLines(t, core.DoorSSH, tuitest.Lang(lang))
			words := e.Dict // of this goroutine's own
			say := func(key string, args ...any) string {
				return strings.Join(strings.Fields(words.T(key, args...)), " ")
			}
			l.Answer("1", "ada", otherPassword, "3")
			l.Hears(say("enrolstep.heading"), "1 "+say("factor.app"), "3 "+say("enrolstep.later")).Answer("2")
			l.Hears(say("enrolstep.come_with_key")).Answer("3")
			l.Hears("Lanterns (ada").Answer("quit").Ends()
		})
	}
}

func TestLookOfTheDemand(t *testing.T) {
	t.Parallel()
	for name, due := range map[string]bool{"soon": false, "due": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			open := func(opts ...tuitest.Option) *tuitest.Terminal {
				p := newDemand(t)
				p.set(t, "factors.email", "on", "factors.sms", "on", "messages.sms_allowance", "9")
				if due {
					p.clock.Advance(8 * day)
				}
				_, v := p.demanded(t, p.env(t, opts...))
				return v
			}
			for look, opts := range looks() {
				v := open(opts...)
				for _, size := range sizes() {
					v.Resize(size[0], size[1]).Golden(sizeName(look, size))
				}
				v.Press("down", "down", "down", "enter").Resize(60, 20).Golden("key-" + sizeName(look, [2]int{60, 20})).Sizes()
			}
			for _, lang := range []string{"es", "pt-BR"} {
				open(tuitest.Lang(lang)).Golden(lang+"-80x24").Resize(60, 20).Golden(lang + "-60x20")
			}
		})
	}
}
