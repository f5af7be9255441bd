package screens

import (
	"context"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
	"postern/tui/tuitest"
)

// sending is a portal that sends codes by SMS and mail.
func sending(t testing.TB) *place {
	t.Helper()
	p := newPlace(t)
	p.set(t, "messages.sms_allowance", "100", "factors.sms", "on", "factors.email", "on")
	return p
}

func aPhone(e *Env) tui.Screen    { return newEnrolSent(e, "", core.FactorSMS, onlyFactor) }
func anAddress(e *Env) tui.Screen { return newEnrolSent(e, "", core.FactorEmail, onlyFactor) }

// ASVS 6.6.1: the weaker way says so before it is chosen, and a number counts once
// a code has arrived there.
func TestEnrollingAPhone(t *testing.T) {
	t.Parallel()
	p := sending(t)
	v, _, in := p.adaAbove(t, aPhone)
	waitToRead(v, "This is the weaker way: messages can be read on their way, and numbers taken over. NIST restricts it")
	v.Type("+49 (151) 234-567 89").Burst("enter", "enter").WaitFor("A code is on its way to +4915123456789.")
	if len(p.protection(t, in).Factors) != 0 {
		t.Fatal("a factor before its code came")
	}
	v.Type(p.sentCode(t)).Burst("enter", "enter").WaitFor("Security check-up")
	have := p.protection(t, in)
	if len(have.Factors) != 1 || have.Factors[0].Address != "+4915123456789" || have.Factors[0].Kind != core.FactorSMS {
		t.Errorf("enrolled %+v", have.Factors)
	}
	if n := p.acts(t, "ada", core.ActEnrolBegun, core.OutcomeDone); n != 1 {
		t.Errorf("%d codes were sent", n)
	}
}

func TestNumbersThatCannotBeReached(t *testing.T) {
	t.Parallel()
	p := sending(t)
	v, _, _ := p.adaAbove(t, aPhone)
	v.WaitFor("Number")
	for number, why := range map[string]string{
		"": "Please fill this in.", "0151 23456789": "This is no number with its country.", "+49 phone": "This is no number with its country.",
		"+1": "This is no number with its country.",
	} {
		clearField(v).Type(number).Press("enter")
		waitToRead(v, why)
		v.Contains(number)
	}
	clearField(v).Type("+4915123456789").Press("enter").WaitFor("A code is on its way")
	v.Type(p.sentCode(t)).Press("enter").WaitFor("Security check-up")
	w := p.openAbove(t, p.env(t), p.signInByCode(t, "ada", otherPassword), aPhone).WaitFor("Number")
	p.clock.Advance(time.Minute)
	w.Type("0049 151 23456789").Press("enter").WaitFor("You have this one already.")
}

// signInByCode is another session of an account with a phone: its factor is not asked
// for here, since the session is made by hand.
func (p *place) signInByCode(t testing.TB, name, pw string) core.SignedIn {
	t.Helper()
	progress, err := p.SignIn.Password(context.Background(), elsewhere("198.51.100.4"), name, pw)
	if err != nil || progress.Step != core.StepFactor {
		t.Fatalf("%s, %v", progress.Step, err)
	}
	p.clock.Advance(time.Minute)
	if _, err := p.SignIn.SendCode(context.Background(), elsewhere("198.51.100.4"), progress.Ticket, progress.Ways[0].ID); err != nil {
		t.Fatal(err)
	}
	progress, err = p.SignIn.Factor(context.Background(), elsewhere("198.51.100.4"), progress.Ticket, progress.Ways[0].ID, p.sentCode(t))
	if err != nil || progress.Step != core.StepDone {
		t.Fatalf("%s, %v", progress.Step, err)
	}
	return progress.SignedIn
}

// ASVS 6.3.6: an address as a factor is the account's own by suggestion, and the
// weakest way.
func TestEnrollingAnAddress(t *testing.T) {
	t.Parallel()
	p := sending(t)
	v, _, in := p.adaAbove(t, anAddress)
	waitToRead(v, "This is the weakest way: whoever reads your mail can often change your password too.")
	v.WaitFor("ada@example.org").Press("enter").WaitFor("A code is on its way to ada@example.org.")
	v.Paste(" " + p.sentCode(t) + "\n").Press("enter").WaitFor("Security check-up")
	if have := p.protection(t, in); len(have.Factors) != 1 || have.Factors[0].Label != "a•••@example.org" {
		t.Errorf("enrolled %+v", have.Factors)
	}
}

// Back from the code leads to the address, which can be mended; the code of the
// first one is dead.
func TestAnAddressThatWasMistyped(t *testing.T) {
	t.Parallel()
	p := sending(t)
	v, _, in := p.adaAbove(t, anAddress)
	v.WaitFor("ada@example.org")
	clearField(v).Type("ada@example.net").Press("enter").WaitFor("A code is on its way to ada@example.net.")
	dead := p.sentCode(t)
	v.Press("esc").WaitFor("Send a code").Contains("ada@example.net")
	clearField(v).Type("ada@example.com").Press("enter")
	waitToRead(v, "The last code left a moment ago. Another one can be sent in 30 s.")
	p.clock.Advance(31 * time.Second)
	v.Press("enter").WaitFor("A code is on its way to ada@example.com.")
	v.Type(dead).Press("enter")
	waitToRead(v, "That code is not right.")
	v.Type(p.sentCode(t)).Press("enter").WaitFor("Security check-up")
	if have := p.protection(t, in); len(have.Factors) != 1 || have.Factors[0].Address != "ada@example.com" {
		t.Errorf("enrolled %+v", have.Factors)
	}
}

// ASVS 6.6.3: five tries with one code, then another is needed, which can be had.
func TestACodeThatWasSentAgain(t *testing.T) {
	t.Parallel()
	p := sending(t)
	v, _, in := p.adaAbove(t, aPhone)
	v.WaitFor("Number").Type("+4915123456789").Press("enter").WaitFor("A code is on its way")
	first := p.sentCode(t)
	wrong := "000000"
	if first == wrong {
		wrong = "000001"
	}
	v.Type(wrong).Press("enter")
	waitToRead(v, "That code is not right. Look at it again. 4 tries are left with this code.")
	v.Press("tab", "shift+tab").Contains("[ Another code ]")
	another := func() { v.Press("tab", "left", "enter").Settle() }
	another()
	waitToRead(v, "Another one can be sent in 30 s.")
	p.clock.Advance(31 * time.Second)
	another()
	waitToRead(v, "Another code is on its way.")
	for range core.SentCodeTries {
		v.Type(wrong).Press("enter").Settle()
	}
	waitToRead(v, "This code has ended. Ask for a new one.")
	p.clock.Advance(2 * time.Minute)
	another()
	v.Type(p.sentCode(t)).Press("enter").WaitFor("Security check-up")
	if len(p.protection(t, in).Factors) != 1 {
		t.Error("not enrolled")
	}
}

func TestEscFromAPhoneLeavesNothing(t *testing.T) {
	t.Parallel()
	p := sending(t)
	v, _, in := p.adaAbove(t, aPhone)
	v.WaitFor("Number").Type("+4915123456789").Press("enter").WaitFor("A code is on its way")
	v.Press("esc").WaitFor("Send a code").Press("esc").WaitFor("Security check-up")
	v.WaitUntil("it is given up", func(string) bool { return p.acts(t, "ada", core.ActEnrolLeft, core.OutcomeDone) == 1 })
	if len(p.protection(t, in).Factors) != 0 {
		t.Error("there is a factor")
	}
}

// ASVS 7.5.1: a phone asks for a proof, and what was typed stays.
func TestAPhoneAsksForAProofAndGoesOn(t *testing.T) {
	t.Parallel()
	p := sending(t)
	v, _, in := p.adaAbove(t, aPhone)
	p.clock.Advance(core.StepUpFor + time.Minute)
	v.WaitFor("Number").Type("+4915123456789").Press("enter").WaitFor("Is it you?")
	v.Press("esc").WaitFor("+4915123456789").Press("enter").WaitFor("Is it you?")
	v.Type(otherPassword).Press("enter").WaitFor("A code is on its way")
	v.Type(p.sentCode(t)).Press("enter").WaitFor("Security check-up")
	if len(p.protection(t, in).Factors) != 1 {
		t.Error("not enrolled")
	}
}

// Messages that are used up are no dead end: the sentence says what to do.
func TestNoMessagesAreLeft(t *testing.T) {
	t.Parallel()
	p := sending(t)
	p.set(t, "messages.sms_allowance", "1")
	v, _, in := p.adaAbove(t, aPhone)
	v.WaitFor("Number").Type("+4915123456789").Press("enter").WaitFor("A code is on its way")
	p.clock.Advance(time.Minute)
	code := p.sentCode(t)
	v.Press("tab", "left", "enter")
	waitToRead(v, "This month's messages are used up, so no code can be sent.")
	v.Type(code).Press("enter").WaitFor("Security check-up") // which was good all along
	if len(p.protection(t, in).Factors) != 1 {
		t.Error("not enrolled")
	}

	p = sending(t)
	p.set(t, "messages.sms_allowance", "1")
	v, _, _ = p.adaAbove(t, aPhone)
	v.WaitFor("Number").Type("+4915123456789").Press("enter").WaitFor("A code is on its way")
	p.clock.Advance(time.Minute)
	v.Press("esc").WaitFor("Send a code").Press("enter")
	waitToRead(v, "This month's messages are used up, so no code can be sent.")
}

func TestAnEnrolmentOfAPhoneThatTookTooLong(t *testing.T) {
	t.Parallel()
	p := sending(t)
	v, _, _ := p.adaAbove(t, aPhone)
	v.WaitFor("Number").Type("+4915123456789").Press("enter").WaitFor("A code is on its way")
	p.clock.Advance(core.EnrolFor + time.Second)
	v.Type("123456").Press("enter").WaitFor("Send a code")
	v.Contains("That took too long. Please begin again.", "+4915123456789")
}

// The account's own address is confirmed by the code that goes there.
func TestConfirmingTheOwnAddress(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, e, in := p.adaAbove(t, newConfirmAddress)
	v.WaitFor("A code is on its way to ada@example.org.")
	v.Type(p.sentCode(t)).Burst("enter", "enter").WaitFor("Your e-mail address is confirmed.")
	check, err := p.Accounts.CheckUp(context.Background(), as(in))
	if err != nil || !check.EmailConfirmed || check.Factors != 0 {
		t.Errorf("%+v, %v", check, err)
	}
	// It is nothing to be done twice.
	v = tuitest.Open(t, e.Session, &opener{NewHome(e, check), newConfirmAddress(e)})
	v.WaitFor("Your e-mail address is confirmed.")
}

func TestConfirmingAnAddressThatThereIsNot(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	in := p.signUp(t, "ada", otherPassword)
	if _, err := p.Accounts.UpdateProfile(context.Background(), as(in), core.ProfileInput{DisplayName: "Ada"}); err != nil {
		t.Fatal(err)
	}
	v := p.openAbove(t, p.env(t), in, newConfirmAddress)
	v.WaitFor("Please fill it in.").Press("esc").WaitFor("Security check-up")
}

func TestLeavingTheConfirmation(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, in := p.adaAbove(t, newConfirmAddress)
	v.WaitFor("A code is on its way").Press("esc").WaitFor("Security check-up")
	// The address became another one meanwhile.
	p.clock.Advance(time.Minute)
	w := p.openAbove(t, p.env(t), in, newConfirmAddress).WaitFor("A code is on its way")
	code := p.sentCode(t)
	if _, err := p.SignIn.StepUp(context.Background(), as(in), otherPassword); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Accounts.UpdateProfile(context.Background(), as(in), core.ProfileInput{Email: "ada@example.com"}); err != nil {
		t.Fatal(err)
	}
	w.Type(code).Press("enter").WaitFor("Security check-up").Contains("That took too long. Please begin again.")
}

func TestEnrollingAPhoneInLines(t *testing.T) {
	t.Parallel()
	p := sending(t)
	l, _, in := p.adaAboveInLines(t, aPhone)
	l.Hears("This is the weaker way", "Number (+49 151 23456789)").Answer("0151", "2").Hears("This is no number with its country.")
	l.Answer("+4915123456789", "2").Hears("A code is on its way to +4915123456789.", "Code (six digits)").Asked()
	l.Answer(p.sentCode(t)).Hears("1 Not now", "2 Another code", "3 Confirm").Answer("3").Hears("Security check-up")
	if len(p.protection(t, in).Factors) != 1 {
		t.Error("not enrolled")
	}
}

// During a sign-in nobody's address is known to the screen.
func TestEnrollingAnAddressDuringASignIn(t *testing.T) {
	t.Parallel()
	p := sending(t)
	in := p.signUp(t, "ada", otherPassword)
	p.set(t, "factors.enforce", "everybody", "factors.days", "0")
	e := p.env(t)
	progress, err := p.SignIn.Password(context.Background(), e.Actor(), "ada", otherPassword)
	if err != nil || progress.Step != core.StepEnrol {
		t.Fatalf("%s, %v", progress.Step, err)
	}
	v := p.on(t, e, func(e *Env) tui.Screen {
		return newEnrolSent(e, progress.Ticket, core.FactorEmail, func(m core.Enrolled) tea.Cmd { return e.proceed(m.Progress) })
	})
	v.WaitFor("Send a code")
	if strings.Contains(flat(v.Text()), "[ada@") {
		t.Error("it is known who signs in")
	}
	clearField(v).Type("ada@example.org").Press("enter").WaitFor("A code is on its way")
	v.Type(p.sentCode(t)).Press("enter").WaitFor("Security check-up")
	if e.Me().UserName != "ada" || len(p.protection(t, in).Factors) != 1 {
		t.Error("not signed in, or not enrolled")
	}
}
