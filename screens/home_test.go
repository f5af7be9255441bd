package screens

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/tui/tuitest"
)

func TestHomeLeadsEverywhere(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, _ := p.ada(t)
	for key, title := range map[string]string{
		"p": "› Profile", "w": "› Password", "s": "› Sessions", "a": "› Activity",
		"f": "› Second factors", "i": "› Inbox", "e": "› Confirm your address",
	} {
		v.Press(key).WaitFor(title)
		v.Press("esc").WaitFor("Security check-up")
	}
	v.Press("home", "down", "enter").WaitFor("› Password")
	walk(t, v, "esc", "Security check-up", "esc", "Security check-up") // the first screen stays
	if v.Burst("s", "s", "p", "enter"); v.Router().Depth() != 2 {
		t.Errorf("%d screens for keys pressed at once", v.Router().Depth())
	}
}

// Every finding has its sentence, and where something can be mended, the key of
// the way there.
func TestTheCheckUpSaysWhatIsWell(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	ctx := context.Background()
	v, e, in := p.ada(t)
	v.Contains("! Your e-mail address is not confirmed.  e", "! No second factor protects this account.  f", "✓ You are signed in nowhere else.", "✓ No refused sign-ins this week.").
		Lacks("SSH key you", "waits for approval")

	if _, err := p.Accounts.UpdateProfile(ctx, as(in), core.ProfileInput{DisplayName: "Ada"}); err != nil {
		t.Fatal(err)
	}
	p.signIn(t, elsewhere("203.0.113.9"), "ada", otherPassword)
	if _, err := p.SignIn.Password(ctx, elsewhere("203.0.113.66"), "ada", "wrong"); core.CodeOf(err) != core.CodeCredentials {
		t.Fatal(err)
	}
	v.Press("r").WaitFor("! No e-mail address is on file.  p")
	v.Contains("Hello, Ada", "! 1 session is open from elsewhere. Is it yours?  s", "! 1 refused sign-in this week. Was it you?  a")

	// The end of a password comes nearer, and is here.
	p.set(t, "password.rotate_days", "45", "session.lifetime", "12 months", "session.idle_minutes", "0")
	v.Press("r").WaitFor("Your password is good until")
	p.clock.Advance(40 * 24 * time.Hour)
	v.Press("r").WaitFor("! A new password is due in 5 days.  w")
	p.clock.Advance(6 * 24 * time.Hour)
	v.Press("r").WaitFor("! A new password is due now.  w")
	_ = e
}

// What protects the account beside its password, and what is left to do about it.
func TestTheCheckUpSaysWhatProtectsTheAccount(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, in := p.ada(t)
	v.Contains("! No second factor protects this account.  f").Lacks("codes are", "no recovery")
	p.confirmEmail(t, in)
	v.Press("r").WaitFor("✓ Your e-mail address is confirmed.").Lacks("Confirm your e-mail")

	p.appFactor(t, in)
	v.Press("r").WaitFor("✓ A second factor protects this account.").Contains("! You have no recovery codes.  f")
	codes := p.recoveryCodes(t, in)
	v.Press("r").WaitFor("✓ 10 recovery codes are left.")
	spend := func(codes ...string) {
		for _, c := range codes {
			r, err := p.SignIn.Password(t.Context(), as(in), "ada", otherPassword)
			if err == nil {
				_, err = p.SignIn.Recover(t.Context(), as(in), r.Ticket, c)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	spend(codes[:7]...)
	v.Press("r").WaitFor("! Only 3 recovery codes are left.  f")
	spend(codes[7:9]...)
	v.Press("r").WaitFor("! Only 1 recovery code is left.  f")
	spend(codes[9])
	v.Press("r").WaitFor("! All your recovery codes are used.  f")

	// A portal without any method says nothing of it.
	p.set(t, "factors.key", "off")
	if _, err := p.Policy.Set(t.Context(), core.ConsoleActor("test"), core.PolicyChange{Values: map[string]string{"factors.app": "off"}, Accept: true}); err != nil {
		t.Fatal(err)
	}
	v.Press("r").WaitUntil("it is not spoken of", func(screen string) bool { return !strings.Contains(screen, "second factor protects") })
}

// ASVS 6.3.3: what the policy demands is said, and until when.
func TestTheCheckUpSaysWhatIsDemanded(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, in := p.ada(t)
	p.set(t, "factors.enforce", "everybody", "factors.days", "7", "session.lifetime", "12 months", "session.idle_minutes", "0")
	v.Press("r").WaitFor("! This portal demands a second factor by 29 Nov 2026.  f")
	p.clock.Advance(7 * day)
	v.Press("r").WaitFor("! This portal demands a second factor now.  f")
	in = p.signInAgain(t, in)
	p.appFactor(t, in)
	v.Press("r").WaitFor("✓ A second factor protects this account.").Lacks("demands")
}

// signInAgain proves anew who a session belongs to.
func (p *place) signInAgain(t testing.TB, in core.SignedIn) core.SignedIn {
	t.Helper()
	r, err := p.SignIn.StepUp(t.Context(), as(in), otherPassword)
	if err != nil {
		t.Fatal(err)
	}
	in.Token = r.Token
	return in
}

// What was not read yet is counted beside the inbox.
func TestHomeCountsWhatIsUnread(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, in := p.ada(t)
	v.Contains("i  Inbox  ")
	p.appFactor(t, in)
	p.recoveryCodes(t, in)
	v.Press("r").WaitFor("i  Inbox (2)")
	if err := p.Notices.MarkRead(t.Context(), as(in)); err != nil {
		t.Fatal(err)
	}
	v.Press("r").WaitUntil("all is read", func(screen string) bool { return !strings.Contains(screen, "Inbox (") })
}

// The outbox is shown to those who run the messages, and in a demonstration to all.
func TestWhoIsShownTheOutbox(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, in := p.ada(t)
	v.Lacks("Outbox").Press("m").Contains("Security check-up")
	demo := p.env(t)
	demo.Demo = true
	p.enter(t, demo, in).WaitFor("Security check-up").Contains("m  Outbox")
	walk(t, p.enter(t, p.env(t), p.owner).WaitFor("d  Administration").Lacks("Outbox"), "d", "m  Outbox", "m", "› Outbox", "esc", "m  Outbox", "esc", "Security check-up")
}

// A message that was given up is told to those who can do something about it.
func TestMessagesThatWereGivenUpAreTold(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	in := o.signUp(t, "ada", otherPassword)
	m := o.write(t, core.ServiceMail, "x@nowhere.example")
	defer o.deliver(t)()
	o.becomes(t, m.ID, "given up", func(m core.Message) bool { return m.State == core.MessageDead })
	o.enter(t, o.env(t), o.owner).WaitFor("! 1 message could not be sent and was given up.  d")
	o.enter(t, o.env(t), in).WaitFor("Security check-up").Lacks("given up")
}

// However much there is to say, the ways on stay where they can be seen.
func TestHomeFitsWhateverThereIsToSay(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	e := p.env(t)
	e.Demo = true
	e.Door.Remember = func(string) error { return nil }
	v := p.enter(t, e, p.owner).WaitFor("Security check-up")
	s := v.Router().Top().(*home)
	v.Settle()
	s.check = core.CheckUp{
		UserName: "lin", DisplayName: "Lin Ahn", HasEmail: true, PasswordAge: day, Sessions: 3, OtherDoors: 2, Refused: 4, KeyProved: true,
		Pending: 3, Guardable: true, Factors: 2, FactorsOff: 1, Recovery: core.RecoveryState{Left: 2, Made: tuitest.Now}, Must: true,
		MustBy: tuitest.Now.Add(day), Unread: core.MaxPage, MessagesDead: 2, Roles: []core.Role{core.RoleOwner},
	}
	for _, size := range sizes() {
		v.Resize(size[0], size[1]).Golden(sizeName("much", size))
		for _, way := range s.ways() {
			v.Contains(way.label)
		}
		if size[1] > 20 {
			v.Contains("demands a second factor")
		}
	}
	v.Sizes()
}

// The check-up changes by itself when somebody signs in.
func TestTheCheckUpIsLive(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, _ := p.ada(t)
	v.Contains("✓ You are signed in nowhere else.")
	p.signIn(t, elsewhere("203.0.113.9"), "ada", otherPassword)
	v.WaitFor("1 session is open from elsewhere")
}

func TestNewAccountsWaitForThoseWhoMayApprove(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.set(t, "sign_up.mode", "approval")
	p.signUp(t, "ada", otherPassword)
	p.signUp(t, "bob", otherPassword)
	v := p.enter(t, p.env(t), p.owner).WaitFor("2 new accounts wait for approval.")
	if err := p.Accounts.Approve(context.Background(), core.ConsoleActor("test"), "ada"); err != nil {
		t.Fatal(err)
	}
	v.Press("r").WaitFor("1 new account waits for approval.")
	in := p.signIn(t, elsewhere("192.0.2.1"), "ada", otherPassword)
	p.enter(t, p.env(t), in).WaitFor("Security check-up").Lacks("approval")
}

// keyed is ada's connection that proved an SSH key.
func (p *place) keyed(t testing.TB) (*tuitest.Terminal, core.SignedIn) {
	t.Helper()
	in := p.signUp(t, "ada", otherPassword)
	e := p.env(t)
	e.actor.Key, e.actor.KeyLine = testKey, "ssh-ed25519 AAAA"
	return p.enter(t, e, in).WaitFor("! The SSH key you came with is not linked.  l"), in
}

func (p *place) keys(t testing.TB, in core.SignedIn) int {
	t.Helper()
	list, err := p.Keys.Mine(context.Background(), as(in))
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

func TestLinkingTheKeyOneCameWith(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, in := p.keyed(t)
	walk(t, v, "l", testKey[:20], "esc", "Security check-up")
	walk(t, v, "l", "only if nobody else", "enter", "Security check-up") // the safe button has the focus
	if p.keys(t, in) != 0 {
		t.Fatal("linked without a yes")
	}
	v.Press("l").WaitFor("only if nobody else").Press("tab").Burst("enter", "enter").WaitFor("You came with an SSH key that is linked")
	v.Lacks("Link your SSH key")
	if p.keys(t, in) != 1 || p.acts(t, "ada", core.ActKeyLink, core.OutcomeDone) != 1 {
		t.Error("not linked once")
	}
}

// ASVS 7.5.1: before a key is linked the password is asked for again.
func TestLinkingAKeyAsksForAProofAndGoesOn(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, in := p.keyed(t)
	p.clock.Advance(core.StepUpFor + time.Minute)
	link := func() { v.Press("l").WaitFor("only if nobody else").Press("tab", "enter").WaitFor("Is it you?") }
	link()
	v.Press("esc").WaitFor("Security check-up")
	if p.keys(t, in) != 0 {
		t.Fatal("linked though the proof was not given")
	}
	link()
	v.Type("wrong").Press("enter").WaitFor("That is not your present password.")
	v.Lacks("•••")
	v.Type(otherPassword).Burst("enter", "enter", "enter").WaitFor("You came with an SSH key that is linked")
	if p.keys(t, in) != 1 {
		t.Error("not linked after the proof")
	}
}

func TestAKeyThatIsSomebodyElses(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, in := p.keyed(t)
	theirs := as(p.owner)
	theirs.Key, theirs.KeyLine = testKey, "ssh-ed25519 AAAA"
	if err := p.Keys.Link(context.Background(), theirs, ""); err != nil {
		t.Fatal(err)
	}
	v.Press("l").WaitFor("only if nobody else").Press("tab", "enter").WaitFor("linked to an account already")
	if p.keys(t, in) != 0 {
		t.Error("one key speaks for two accounts")
	}
}

func TestSigningOut(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	in := p.signUp(t, "ada", otherPassword)
	other := p.signIn(t, elsewhere("203.0.113.9"), "ada", otherPassword)
	e := p.env(t)
	kept := ""
	e.Door.Remember = func(token string) error { kept = token; return nil }
	v := p.enter(t, e, in).WaitFor("Security check-up")
	if kept == "" {
		t.Fatal("the door remembers nothing")
	}
	v.Burst("o", "o", "enter").WaitFor("Welcome to Lanterns")
	v.Contains("You have signed out.")
	if kept != "" {
		t.Error("the door still knows the secret")
	}
	if e.Me().Account != "" || e.Actor().Session != "" {
		t.Error("the connection is still somebody's")
	}
	if p.live(t, other) != 1 {
		t.Error("the session goes on, or another ended with it")
	}
	if p.acts(t, "ada", core.ActSignOut, core.OutcomeDone) != 1 {
		t.Error("not signed out once")
	}
	if v.Quit() {
		t.Error("the program closed")
	}
}

func TestADoorThatCannotForgetSaysSo(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	in := p.signUp(t, "ada", otherPassword)
	e := p.env(t)
	e.Door.Remember = func(token string) error {
		if token == "" {
			return errors.New("read-only")
		}
		return nil
	}
	p.enter(t, e, in).WaitFor("Security check-up").Press("o").WaitFor("could not wipe")
}

// Where the door remembers, one can leave and stay signed in.
func TestLeavingIsNotSigningOut(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, in := p.ada(t)
	v.Lacks("stay signed in").Press("q").Contains("Security check-up")
	e := p.env(t)
	e.Door.Remember = func(string) error { return nil }
	w := p.enter(t, e, in).WaitFor("Security check-up")
	if !w.Press("q").Quit() || p.live(t, in) != 1 {
		t.Error("leaving did not leave, or ended the session")
	}
}

// Two windows can share a remembered session. Signing out in one closes the other.
func TestSigningOutClosesTheOtherWindowOfTheSession(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, in := p.ada(t)
	w := p.enter(t, p.env(t), in).WaitFor("Security check-up")
	v.Press("o").WaitFor("Welcome to Lanterns")
	untilClosed(t, w, "You have signed out.")
}
