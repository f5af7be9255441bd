package screens

import (
	"slices"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/core/otp"
)

func TestSomebodySignsInWithAnApp(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	key := p.appFactor(t, p.signUp(t, "ada", otherPassword))
	for name, typed := range map[string]func(string) string{
		"as it is":     func(c string) string { return c },
		"with a space": func(c string) string { return c[:3] + " " + c[3:] },
		"full width": func(c string) string {
			return strings.Map(func(r rune) rune { return r - '0' + '０' }, c)
		},
		"pasted with an end": func(c string) string { return "  " + c + "\n" },
	} {
		t.Run(name, func(t *testing.T) {
			s, v := p.challenged(t)
			v.Contains("Second factor", `Open "My phone"`).Lacks("Another way", "Another code", "Outbox")
			v.Paste(typed(p.appCode(key))).Press("enter")
			waitForHome(t, v, s.env, "ada")
			s.clean(t)
		})
	}
	list, err := p.Sessions.Mine(t.Context(), as(p.signInFully(t, key)))
	if err != nil || list[0].Factor != core.FactorApp && !slices.ContainsFunc(list, func(o core.Session) bool { return o.Factor == core.FactorApp }) {
		t.Errorf("no session says by which factor: %v", err)
	}
}

// ASVS 6.5.1, 6.5.8.
func TestACodeThatIsNotAcceptedSaysWhy(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	key := p.appFactor(t, p.signUp(t, "ada", otherPassword))
	s, v := p.challenged(t)
	used := p.appCode(key)
	v.Type(used).Press("enter")
	waitForHome(t, v, s.env, "ada")

	s, v = p.challenged(t)
	v.Type(used).Press("enter")
	waitToRead(v, "That code was used already. Wait for the next one (30 s).").Lacks(used)
	v.Type("x").Lacks("used already").Press("backspace") // what was said goes when one tries again
	v.Type(otp.Code(key, otp.Step(p.clock.Now())+8)).Press("enter")
	waitToRead(v, "about 4 min wrong")
	v.Type("12345").Press("enter")
	waitToRead(v, "A code has six digits.").Contains("12345") // said here; nothing was counted
	v.Press("backspace", "backspace", "backspace", "backspace", "backspace")
	v.Press("enter").Contains("Please fill this in.")
	v.Type("000000").Press("enter")
	waitToRead(v, "That code is not right.").Lacks("000000", "left")
	s.clean(t)
	if s.env.Me().UserName != "" {
		t.Fatal("signed in")
	}
	v.Type(p.appCode(key)).Press("enter")
	waitForHome(t, v, s.env, "ada")
}

// ASVS 6.6.3: after five wrong codes there is a wait, and it is said how long.
func TestFiveWrongCodesHaveToWait(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.set(t, "lockout.wait_seconds", "90", "lockout.max_wait_minutes", "5")
	key := p.appFactor(t, p.signUp(t, "ada", otherPassword))
	s, v := p.challenged(t)
	for range 5 {
		v.Paste("000000").Press("enter")
		waitToRead(v, "That code is not right.")
	}
	code := p.appCode(key) // thirty of ninety seconds
	v.Paste(code).Press("enter")
	waitToRead(v, "Too many tries. Wait 1 min, then try again.")
	p.clock.Advance(61 * time.Second)
	v.Paste(p.appCode(key)).Press("enter")
	waitForHome(t, v, s.env, "ada")
}

// ASVS 6.6.2: a code that was sent counts in its own sign-in, and only the newest.
func TestACodeIsSentByItselfAndAgain(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.sms(t)
	p.sentFactor(t, p.signUp(t, "ada", otherPassword), core.FactorSMS, testNumber)
	s, v := p.challenged(t)
	waitToRead(v, "A code goes by SMS to "+testMask+". It holds for 10 min.").Lacks(testNumber)
	waitToRead(v, "Another code can be sent after 30 s.")
	if n := p.sent(t, core.MessageSignInCode); n != 1 {
		t.Fatalf("%d codes were sent", n)
	}
	first := p.sentCode(t)
	v.Type(first[:3]).Press("tab", "left", "enter")
	waitToRead(v, "Another one can be sent in 30 s.").Contains(first[:3])
	p.clock.Advance(31 * time.Second)
	v.Press("tab", "left").Burst("enter", "enter", "enter")
	waitToRead(v, "Only the newest counts.").Contains("six digits")
	waitToRead(v, "Another code can be sent after 1 min.")
	if n := p.sent(t, core.MessageSignInCode); n != 2 {
		t.Fatalf("%d codes were sent", n)
	}
	second := p.sentCode(t)
	if first != second { // one in a million
		v.Type(first).Press("enter")
		waitToRead(v, "That code is not right. Look at it again. 4 tries are left with this code.")
	}
	v.Type(second).Press("enter")
	waitForHome(t, v, s.env, "ada")
	s.clean(t)
}

// ASVS 6.6.3: a code that was sent ends after five tries, and another is asked for.
func TestACodeThatWasSentEnds(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.sms(t)
	p.set(t, "lockout.failures", "10")
	p.sentFactor(t, p.signUp(t, "ada", otherPassword), core.FactorSMS, testNumber)
	s, v := p.challenged(t)
	right := p.sentCode(t)
	wrong := "000000"
	if right == wrong {
		wrong = "111111"
	}
	for _, left := range []string{"4 tries are left", "3 tries are left", "2 tries are left", "1 try is left", "This code has ended."} {
		v.Paste(wrong).Press("enter")
		waitToRead(v, left)
	}
	v.Paste(right).Press("enter")
	waitToRead(v, "This code has ended. Ask for a new one.")
	p.clock.Advance(time.Minute)
	v.Press("tab", "left", "enter")
	waitToRead(v, "Only the newest counts.")
	p.clock.Advance(core.SentCodeFor - time.Second) // the sign-in has ended by now, not the code
	v.Paste(p.sentCode(t)).Press("enter").WaitFor("Welcome to Lanterns")
	waitToRead(v, "That took too long.")
	s.clean(t)
}

func TestARecoveryCodeLetsSomebodyIn(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	in := p.signUp(t, "ada", otherPassword)
	p.appFactor(t, in)
	codes := p.recoveryCodes(t, in)
	s, v := p.challenged(t)
	v.Press("tab", "left", "enter").Contains("How will you show that it is you?", "Authenticator app: My phone", "Recovery code")
	v.Press("esc").Contains("Open").Press("tab", "left", "enter", "down", "enter").Contains("one of the recovery codes")
	v.Type("AAAA-BBBB").Press("enter")
	waitToRead(v, "That code is not right.").Lacks("AAAA")
	v.Paste(strings.ToLower(strings.ReplaceAll(codes[3], "-", " "))).Press("enter")
	waitForHome(t, v, s.env, "ada")
	s.clean(t)
	prot, err := p.Factors.Mine(t.Context(), s.env.Actor())
	if err != nil || prot.Recovery.Left != core.RecoveryCodes-1 {
		t.Fatalf("%d codes are left, %v", prot.Recovery.Left, err)
	}
	_, v = p.challenged(t)
	v.Press("tab", "left", "enter", "down", "enter").Paste(codes[3]).Press("enter") // ASVS 6.5.1
	waitToRead(v, "That code is not right.")
}

// keyOnly is a portal where ada's second factor is an SSH key.
func keyOnly(t testing.TB) *place {
	t.Helper()
	p := newPlace(t)
	p.linkedTestKey(t, p.signUp(t, "ada", otherPassword))
	return p
}

func TestWhoBringsTheKeyIsAskedNothingMore(t *testing.T) {
	t.Parallel()
	p := keyOnly(t)
	e := p.env(t)
	e.actor.Key, e.actor.KeyLine = testKey, keyLine
	v := p.on(t, e, NewSignIn)
	fill(v, "ada", otherPassword).Press("enter")
	waitForHome(t, v, e, "ada")
}

// Without the key there is no way, and what to do is said.
func TestWhenEveryWayIsBlocked(t *testing.T) {
	t.Parallel()
	p := keyOnly(t)
	s, v := p.challenged(t)
	v.Contains("None of your ways", "Ask the people who run this portal", "SSH key: work (not now)")
	waitToRead(v, "ssh -i KEYFILE")
	v.Press("enter", "x", "enter")
	waitToRead(v, "✗ You came without this key.")
	v.Paste("123456").Press("esc").WaitFor("Welcome to Lanterns").Contains("You are not signed in.")
	if s.env.Me().UserName != "" {
		t.Fatal("signed in")
	}
	s.clean(t)
}

// Whoever has only recovery codes left is shown first why they are asked for one.
func TestOnlyRecoveryCodesAreLeft(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	in := p.signUp(t, "ada", otherPassword)
	codes := p.recoveryCodes(t, in)
	p.linkedTestKey(t, in)
	s, v := p.challenged(t)
	v.Contains("SSH key: work (not now)", "▸ Recovery code").Press("enter")
	v.Paste(codes[0]).Press("enter")
	waitForHome(t, v, s.env, "ada")
}

// No messages are left for another code: the one in hand still counts. The
// weakness: the way was blocked, and whoever had no other was kept out with a code
// that was good.
func TestTheCodeInHandCountsWhenNoOtherCanBeSent(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(*place, core.SignedIn){
		"it is the only way": func(*place, core.SignedIn) {},
		"one of two":         func(p *place, in core.SignedIn) { p.appFactor(t, in) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.sms(t)
			in := p.signUp(t, "ada", otherPassword)
			p.sentFactor(t, in, core.FactorSMS, testNumber)
			prepare(p, in)
			s, v := p.challenged(t)
			code := p.sentCode(t)
			p.set(t, "messages.sms_allowance", "1")
			p.clock.Advance(31 * time.Second)
			v.Type(code[:2]).Press("tab", "left")
			if len(s.progress.Ways) > 1 {
				v.Press("left")
			}
			v.Press("enter")
			waitToRead(v, "This month's messages are used up").Lacks("(not now)", "None of your ways").Contains(code[:2])
			if len(s.progress.Ways) > 1 { // to the list and back
				v.Press("tab", "left", "enter").Contains("SMS: " + testMask).Lacks("(not now)").Press("esc")
				v.Type(code)
			} else {
				v.Type(code[2:])
			}
			v.Press("enter")
			waitForHome(t, v, s.env, "ada")
			s.clean(t)
		})
	}
}

// No messages are left for the first code: the way is blocked, another one is offered.
func TestTheAllowanceIsUsedUp(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.sms(t)
	in := p.signUp(t, "ada", otherPassword)
	p.sentFactor(t, in, core.FactorSMS, testNumber)
	key := p.appFactor(t, in)
	if err := p.Factors.SetDefault(t.Context(), as(in), p.protection(t, in).Factors[1].ID); err != nil {
		t.Fatal(err)
	}
	s, v := p.challenged(t) // asks for the app
	p.set(t, "messages.sms_allowance", "1")
	p.clock.Advance(time.Minute)
	v.Press("tab", "left", "enter", "down", "enter")
	waitToRead(v, "✗ This month's messages are used up").Contains("SMS: "+testMask+" (not now)", "▸ Authenticator app: My phone").Lacks("None of your ways")
	v.Press("enter").Contains("Open").Type(p.appCode(key)).Press("enter")
	waitForHome(t, v, s.env, "ada")

	s, v = p.challenged(t) // now it asks for the app by itself
	v.Contains("Open").Press("tab", "left", "enter").Contains("(not now)")
	s.clean(t)
}

// A hundred wrong codes in a row switch a factor off; it still guards.
func TestAFactorThatIsSwitchedOffBlocksItsWay(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	in := p.signUp(t, "ada", otherPassword)
	p.appFactor(t, in)
	codes := p.recoveryCodes(t, in)
	from := elsewhere("203.0.113.66")
	for range core.MaxCredentialFailures - 1 {
		p.clock.Advance(16 * time.Minute) // longer than anybody has to wait
		r, err := p.SignIn.Password(t.Context(), from, "ada", otherPassword)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = p.SignIn.Factor(t.Context(), from, r.Ticket, r.Ways[0].ID, "000000"); core.CodeOf(err) != core.CodeCodeWrong {
			t.Fatal(err)
		}
	}
	p.clock.Advance(16 * time.Minute)
	_, v := p.challenged(t)
	v.Type("000000").Press("enter")
	waitToRead(v, "That code is not right.")
	v.Type("000000").Press("enter")
	waitToRead(v, "Too many tries.")
	p.clock.Advance(9 * time.Minute)
	v.Press("esc")
	p.clock.Advance(7 * time.Minute)
	s, v := p.challenged(t)
	waitToRead(v, "✗ This factor was switched off").Contains("Authenticator app: My phone (not now)")
	v.Press("enter").Paste(codes[0]).Press("enter")
	waitForHome(t, v, s.env, "ada")
	waitToRead(v, "1 second factor was switched off after too many wrong codes.")
}

func TestASignInThatTookTooLong(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	key := p.appFactor(t, p.signUp(t, "ada", otherPassword))
	s, v := p.challenged(t)
	p.clock.Advance(core.AttemptFor + time.Second)
	v.Type(p.appCode(key)).Press("enter").WaitFor("Welcome to Lanterns")
	waitToRead(v, "That took too long.")
	s.clean(t)

	// Sending another code finds it out too.
	p.sms(t)
	p.sentFactor(t, p.signInFully(t, key), core.FactorSMS, testNumber)
	s, v = p.challenged(t)
	p.clock.Advance(core.AttemptFor + time.Second)
	v.Press("tab", "left", "enter", "down", "enter").WaitFor("Welcome to Lanterns")
	waitToRead(v, "That took too long.")
	if s.env.Me().UserName != "" {
		t.Fatal("signed in")
	}
}

// A second sign-in right after the first finds that a code has just left.
func TestACodeThatIsSentTooEarly(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.sms(t)
	p.sentFactor(t, p.signUp(t, "ada", otherPassword), core.FactorSMS, testNumber)
	_, v := p.challenged(t)
	v.Press("esc").WaitFor("Welcome to Lanterns")
	p.clock.Advance(10 * time.Second)
	s, v := p.challenged(t)
	waitToRead(v, "The last code left a moment ago. Another one can be sent in 20 s.")
	p.clock.Advance(20 * time.Second)
	v.Press("tab", "left", "enter")
	waitToRead(v, "Only the newest counts.")
	v.Type(p.sentCode(t)).Press("enter")
	waitForHome(t, v, s.env, "ada")
}

// Going back to a way whose code is under way sends no other.
func TestAWayIsComeBackToWithoutAnotherCode(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.set(t, "factors.email", "on")
	p.sms(t)
	in := p.signUp(t, "ada", otherPassword)
	p.sentFactor(t, in, core.FactorSMS, testNumber)
	p.sentFactor(t, in, core.FactorEmail, "ada@example.org")
	p.clock.Advance(time.Hour)
	s, v := p.challenged(t)
	waitToRead(v, "by SMS to "+testMask)
	code := p.sentCode(t)
	v.Press("tab", "left", "enter", "enter")
	if n := p.sent(t, core.MessageSignInCode); n != 1 {
		t.Fatalf("%d codes", n)
	}
	v.Type(code[:2]).Press("tab", "left", "enter", "end", "enter")
	waitToRead(v, "by e-mail to a•••@example.org").Contains("six digits") // nothing is typed
	if n := p.sent(t, core.MessageSignInCode); n != 2 {
		t.Fatalf("%d codes", n)
	}
	v.Type(p.sentCode(t)).Press("enter")
	waitForHome(t, v, s.env, "ada")
}

// A code that cannot be sent is no matter any more to who asks by another way.
func TestARefusalThatComesLate(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.sms(t)
	in := p.signUp(t, "ada", otherPassword)
	p.sentFactor(t, in, core.FactorSMS, testNumber)
	key := p.appFactor(t, in)
	for name, err := range map[string]error{
		"too early":   &core.Error{Code: core.CodeWait, Field: "code", Wait: time.Minute},
		"used up":     &core.Error{Code: core.CodeAllowance, Field: "sms"},
		"out of date": &core.Error{Code: core.CodeUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			p.clock.Advance(time.Hour)
			s, v := p.challenged(t)
			late := s.prover.entry(s.progress.Ways[0])
			v.Press("tab", "left", "enter", "down", "enter").Contains("Open").Type("12")
			if _, cmd := s.Update(sentAgain{to: late, first: true, err: err}); cmd != nil {
				v.Send(cmd())
			}
			v.Contains("Open", "12").Lacks("✗").Press("backspace", "backspace").Type(p.appCode(key)).Press("enter")
			waitForHome(t, v, s.env, "ada")
		})
	}
}

// A second factor comes before whatever else a sign-in asks for.
func TestAFactorComesBeforeAForcedChange(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	key := p.appFactor(t, p.signUp(t, "ada", otherPassword))
	if err := p.Accounts.ExpirePassword(t.Context(), core.ConsoleActor("test"), "ada"); err != nil {
		t.Fatal(err)
	}
	s, v := p.challenged(t)
	v.Type(p.appCode(key)).Press("enter")
	waitToRead(v, v.Session().T("forced.why.expired"))
	if v.Router().Depth() != 2 {
		t.Errorf("%d screens", v.Router().Depth())
	}
	fill(v, newestPassword, newestPassword).Press("enter")
	waitForHome(t, v, s.env, "ada")
}

// Who lost the password gets in by a code from an admin, and still proves the factor.
func TestALostPasswordDoesNotReplaceTheFactor(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	key := p.appFactor(t, p.signUp(t, "ada", otherPassword))
	code, _, err := p.Accounts.IssueCode(t.Context(), core.ConsoleActor("test"), "ada")
	if err != nil {
		t.Fatal(err)
	}
	s, v := p.signingIn(t)
	lostTo(v, "ada", code)
	waitToRead(v, `Open "My phone"`).Type(p.appCode(key)).Press("enter")
	waitToRead(v, v.Session().T("forced.why.code"))
	fill(v, newestPassword, newestPassword).Press("enter")
	waitForHome(t, v, s.env, "ada")
}

func TestADoubleEnterProvesOnce(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	key := p.appFactor(t, p.signUp(t, "ada", otherPassword))
	s, v := p.challenged(t)
	v.Type(p.appCode(key)).Burst("enter", "enter", "esc", "enter", "tab", "x", "enter")
	waitForHome(t, v, s.env, "ada")
	if n := p.acts(t, "ada", core.ActSignInFactor, core.OutcomeDone); n != 1 {
		t.Errorf("proved %d times", n)
	}
	if n := p.acts(t, "ada", core.ActSignInFactor, core.OutcomeRefused); n != 0 {
		t.Errorf("refused %d times", n)
	}
}

func TestEscLeavesTheChallengeAndTheSignIn(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.appFactor(t, p.signUp(t, "ada", otherPassword))
	s, v := p.challenged(t)
	v.Type("123").Press("esc").WaitFor("Welcome to Lanterns").Contains("You are not signed in.")
	s.clean(t)
	if s.env.Me().UserName != "" {
		t.Fatal("signed in")
	}
}

func TestAHugePasteIsRefusedInWords(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	key := p.appFactor(t, p.signUp(t, "ada", otherPassword))
	s, v := p.challenged(t)
	v.Paste(strings.Repeat("1", 10<<10))
	waitToRead(v, "At most 64 characters. Nothing was added.")
	v.Paste("\xff\xfe").Contains("✗")
	v.Resize(40, 10).Resize(60, 20).Resize(500, 200).Resize(80, 24)
	v.Paste(p.appCode(key)).Press("enter")
	waitForHome(t, v, s.env, "ada")
}

// ASVS 2.3.1: whatever a screen sends, the core's order of steps holds.
func TestAStepCannotBeLeftOut(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.appFactor(t, p.signUp(t, "ada", otherPassword))
	s, v := p.challenged(t)
	for name, skip := range map[string]func() (core.Progress, error){
		"a later step": func() (core.Progress, error) {
			return p.SignIn.ChangePassword(t.Context(), s.env.Actor(), s.progress.Ticket, newestPassword)
		},
		"not now": func() (core.Progress, error) {
			return p.SignIn.Later(t.Context(), s.env.Actor(), s.progress.Ticket)
		},
	} {
		got, err := skip()
		if core.CodeOf(err) != core.CodeOutOfOrder {
			t.Errorf("%s: %v", name, err)
		}
		v.Router().Top().Update(answer[core.Progress]{got, err})
	}
	if s.env.Me().UserName != "" {
		t.Fatal("signed in")
	}
}

// In a demonstration the code can be read where the messages are.
func TestTheDemonstrationOpensTheOutbox(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.sms(t)
	p.sentFactor(t, p.signUp(t, "ada", otherPassword), core.FactorSMS, testNumber)
	e := p.env(t)
	e.Demo = true
	_, v := p.challengedOn(t, e)
	v.Contains("[ Outbox ]").Type("12").Press("tab", "left", "enter").WaitUntil("the outbox is open", func(string) bool { return v.Router().Depth() == 3 })
	v.Press("esc").WaitUntil("it is closed", func(string) bool { return v.Router().Depth() == 2 }).Contains("12")
	v.Resize(60, 20).Lacks("[ Outbox ]").Contains("12", "[ Sign in ]")
}
