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

// hardwareLine is a key that lives in a token.
const hardwareLine = "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIA=="

// armed is ada at the list of her factors, with two apps and two keys, one of
// them the one that she came with.
func (p *place) armed(t testing.TB, opts ...tuitest.Option) (*tuitest.Terminal, *Env, core.SignedIn) {
	t.Helper()
	in := p.signUp(t, "ada", otherPassword)
	p.enrolled(t, in, "Pixel 9")
	p.enrolled(t, in, "Tablet")
	p.linkedBy(t, in, testKey, "ssh-ed25519 AAAA", "laptop")
	p.linkedBy(t, in, "SHA256:9rQsTuVwXyZ0123456789k3PqAbCdEfGhIjKlMnOpabc", hardwareLine, "")
	e := p.env(t, opts...)
	e.actor.Key, e.actor.KeyLine = testKey, "ssh-ed25519 AAAA"
	v := p.openAbove(t, e, in, NewFactors).WaitFor("Pixel 9")
	return v, e, in
}

// mark marks the row that contains text.
func mark(t testing.TB, v *tuitest.Terminal, text string) *tuitest.Terminal {
	t.Helper()
	v.Press("home")
	for range 40 {
		for line := range strings.Lines(v.Text()) {
			if strings.Contains(line, text) && strings.Contains(line, v.Session().Theme.Signs.Mark) {
				return v
			}
		}
		v.Press("down")
	}
	t.Fatalf("no row with %q:\n%s", text, v.Text())
	return v
}

// rowLine is the line that contains text.
func rowLine(t testing.TB, v *tuitest.Terminal, text string) string {
	t.Helper()
	for line := range strings.Lines(v.Text()) {
		if strings.Contains(line, text) {
			return flat(line)
		}
	}
	t.Fatalf("no line with %q:\n%s", text, v.Text())
	return ""
}

func TestFactorsShowWhatIsKnownOfEach(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, _ := p.armed(t)
	for text, want := range map[string][]string{
		"Pixel 9":  {"Authenticator app", "default"},
		"Tablet":   {"Authenticator app"},
		"laptop":   {"●", "SSH key", "ed25519 k3PqAbCd", "never"},
		"9rQsTuVw": {"Hardware key", "sk-ed25519 9rQsTuVw", "never"},
		"Recovery": {"none left"},
	} {
		line := rowLine(t, v.Resize(100, 40), text)
		for _, w := range want {
			if !strings.Contains(line, w) {
				t.Errorf("%q lacks %q", line, w)
			}
		}
	}
	if strings.Contains(rowLine(t, v, "Tablet"), "default") {
		t.Error("two defaults")
	}
	v.Resize(80, 24).Contains("You have no recovery codes.")
	mark(t, v, "laptop").Press("enter").WaitFor("Fingerprint")
	v.Contains(testKey, "ssh-ed25519", "(22 Nov 2026, 12:01 UTC)", "It is the one you came with just now.")
	waitToRead(v, "whoever signs in with it needs no other second factor.")
	v.Press("esc").WaitFor("Tablet")
	marked(t, v, "laptop")
	v.Press("esc").WaitFor("Security check-up")
}

func TestAnEmptyListSaysHowToBegin(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, _ := p.adaAbove(t, NewFactors)
	v.WaitFor("Nothing but your password protects this account.").Lacks("recovery codes. They", "Recovery codes")
	v.Contains("Press a to add the first.").Press("a").WaitFor("What would you like to add?")
	v.Press("esc").WaitFor("Nothing but")
	p.set(t, "factors.app", "off", "factors.key", "off", "factors.sms", "off", "factors.email", "off")
	v.Press("r").WaitFor("This portal uses no second factors")
}

// ASVS 6.3.3: what the policy demands stands at the top, until it is met.
func TestWhatThePolicyDemandsStandsAtTheTop(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	in := p.signUp(t, "ada", otherPassword)
	p.set(t, "factors.enforce", "everybody", "factors.days", "7")
	v := p.openAbove(t, p.env(t), in, NewFactors)
	v.WaitFor("This portal asks you for a second factor by 29 Nov 2026 (in 7 days).")
	p.clock.Advance(2 * time.Minute)
	p.set(t, "factors.days", "0")
	v.Press("r").WaitFor("This portal asks you for a second factor now.")
	p.enrolled(t, in, "Pixel")
	v.Press("r").WaitFor("Pixel").Lacks("This portal asks")
}

// Adding leads through the choice to the enrolment and back to the list, which
// then has one more.
func TestAddingAnAppFromTheList(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, in := p.adaAbove(t, NewFactors)
	v.WaitFor("Nothing but")
	walk(t, v, "a", "What would you like to add?", "enter", "Scan this")
	walk(t, v, "esc", "What would you like to add?", "enter", "Scan this") // back to the choice
	secret := scanned(t, v)
	v.Press("enter").Type(p.codeOf(secret)).Press("enter").WaitFor("My phone can be used from now on.")
	v.Contains("Authenticator app", "You have no recovery codes.").Lacks("default")
	if v.Router().Depth() != 2 || len(p.protection(t, in).Factors) != 1 {
		t.Errorf("%d screens", v.Router().Depth())
	}
}

// ASVS 8.3.1, 6.6.1, 6.3.6: what the policy has switched off is not offered, and
// the weaker ways say what they are.
func TestOnlyWhatThePolicyAllowsIsOffered(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, e, _ := p.adaAbove(t, NewFactors)
	v.WaitFor("Nothing but")
	walk(t, v, "a", "What would you like to add?")
	v.Contains("Authenticator app", "Another SSH key", "Recovery codes").Lacks("SMS", "by e-mail", "came with")
	p.set(t, "messages.sms_allowance", "10", "factors.sms", "on", "factors.email", "on")
	e.actor.Key, e.actor.KeyLine = testKey, "ssh-ed25519 AAAA"
	walk(t, v, "esc", "Nothing but", "r", "Nothing but", "a", "Codes by SMS")
	v.Contains("the weaker way:", "NIST", "the weakest way:", "The SSH key you came with")
	p.set(t, "factors.app", "off", "factors.key", "off")
	walk(t, v, "esc", "Nothing but", "r", "Nothing but", "a", "Codes by SMS")
	v.Lacks("Authenticator app", "SSH key")
}

func TestRenamingAFactorAndAKey(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, in := p.armed(t)
	mark(t, v, "Tablet").Press("n").WaitFor("› Rename")
	clearField(v).Press("enter").WaitFor("Please fill this in.")
	v.Paste("kitchen\u202e").Press("enter").WaitFor("A character in here cannot be shown.")
	clearField(v).Type("Kitchen").Burst("enter", "enter").WaitFor("It has another name now.")
	v.Contains("Kitchen").Lacks("Tablet")
	mark(t, v, "laptop").Press("n").WaitFor("› Rename")
	clearField(v).Press("enter").WaitFor("k3PqAbCd") // a key needs no name
	v.Press("n").WaitFor("› Rename").Press("esc").WaitFor("Kitchen")
	have := p.protection(t, in)
	if have.Factors[1].Label != "Kitchen" || have.Keys[0].Label+have.Keys[1].Label != "" {
		t.Errorf("%+v, %+v", have.Factors, have.Keys)
	}
	if n := p.acts(t, "ada", core.ActFactorChange, core.OutcomeDone); n != 1 {
		t.Errorf("renamed %d times", n)
	}
}

func TestChoosingTheDefault(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, in := p.armed(t)
	mark(t, v, "Tablet").Press("d").WaitFor("Tablet is asked for first from now on.")
	if have := p.protection(t, in); have.Factors[0].Default || !have.Factors[1].Default {
		t.Errorf("%+v", have.Factors)
	}
	v.WaitUntil("the list says so", func(string) bool { return strings.Contains(rowLine(t, v, "Tablet"), "default") })
	// Neither the default itself nor a key can be made it.
	v.Press("d")
	mark(t, v, "laptop").Press("d").Settle()
	if n := p.acts(t, "ada", core.ActFactorChange, core.OutcomeDone); n != 1 {
		t.Errorf("changed %d times", n)
	}
}

// A dialog names what is lost, and only a yes removes it. ASVS 6.5.6.
func TestRemovingAFactor(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, in := p.armed(t)
	mark(t, v, "Tablet")
	walk(t, v, "x", "“Tablet” (Authenticator app) can no longer", "esc", "laptop", "x", "Remove it", "enter", "laptop")
	if len(p.protection(t, in).Factors) != 2 {
		t.Fatal("removed without a yes")
	}
	v.Press("x").WaitFor("“Tablet”").Lacks("your password alone").Press("tab").Burst("enter", "enter").WaitFor("It is removed.")
	v.WaitUntil("it has gone", func(s string) bool { return !strings.Contains(s, "Tablet") })
	if n := p.acts(t, "ada", core.ActFactorRemove, core.OutcomeDone); n != 1 || len(p.protection(t, in).Factors) != 1 {
		t.Errorf("removed %d times", n)
	}
}

// ASVS 7.5.1: a removal asks for the strongest proof there is, and then goes on.
func TestRemovingAsksForAProofAndGoesOn(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	in := p.signUp(t, "ada", otherPassword)
	secret := p.enrolled(t, in, "Pixel 9")
	p.clock.Advance(core.StepUpFor + time.Minute)
	v := p.openAbove(t, p.env(t), in, NewFactors).WaitFor("Pixel 9")
	remove := func() {
		v.Press("home", "x").WaitFor("Remove it")
		waitInDialog(v, "It is the last one that counts:")
		v.Press("tab", "enter").WaitFor("Is it you?")
	}
	remove()
	v.Press("esc").WaitFor("Pixel 9")
	if len(p.protection(t, in).Factors) != 1 {
		t.Fatal("removed without a proof")
	}
	v.Press("r").WaitFor("Pixel 9") // what was given up is not done later
	remove()
	v.Type(p.codeOf(secret)).Press("enter").WaitFor("Nothing but your password protects this account.")
	if len(p.protection(t, in).Factors) != 0 || p.acts(t, "ada", core.ActFactorRemove, core.OutcomeDone) != 1 {
		t.Error("not removed once")
	}
}

// ASVS 6.3.3: the last factor stays while the policy demands one.
func TestTheLastFactorThatIsDemandedStays(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	in := p.signUp(t, "ada", otherPassword)
	secret := p.enrolled(t, in, "Pixel 9")
	p.set(t, "factors.enforce", "everybody")
	v := p.openAbove(t, p.env(t), in, NewFactors).WaitFor("Pixel 9")
	v.Press("x").WaitFor("Remove it").Press("tab", "enter")
	waitInDialog(v, "This portal demands a second factor, and this is your last.")
	// And after a step-up, when the dialog has gone.
	v.Press("esc").WaitFor("Pixel 9")
	p.clock.Advance(core.StepUpFor + time.Minute)
	v.Press("x").WaitFor("Remove it").Press("tab", "enter").WaitFor("Is it you?")
	v.Type(p.codeOf(secret)).Press("enter")
	waitToRead(v, "✗ This portal demands a second factor, and this is your last.")
	v.Press("down").Lacks("This portal demands")
	if len(p.protection(t, in).Factors) != 1 {
		t.Error("removed")
	}
}

// The key that one came with is asked about once more.
func TestRemovingTheKeyOneCameWith(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, in := p.armed(t)
	mark(t, v, "laptop").Press("x").WaitFor("no longer speaks for your account")
	v.Press("tab", "enter")
	waitInDialog(v, "is the key that you came with just now.")
	v.Press("esc").WaitFor("Tablet")
	if len(p.protection(t, in).Keys) != 2 {
		t.Fatal("removed after one yes")
	}
	v.Press("x").WaitFor("no longer speaks").Press("tab", "enter")
	waitInDialog(v, "is the key that you came with just now.")
	v.Press("tab", "enter").WaitFor("It is removed.")
	mark(t, v, "9rQsTuVw").Press("x").WaitFor("no longer speaks").Press("tab", "enter").WaitFor("It is removed.")
	if len(p.protection(t, in).Keys) != 0 {
		t.Error("not removed")
	}
}

// What another window did meanwhile is said, and the list is right again.
func TestAFactorThatWasRemovedMeanwhile(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, in := p.armed(t)
	ctx := context.Background()
	mark(t, v, "Tablet").Press("x").WaitFor("Remove it")
	have := p.protection(t, in)
	if err := p.Factors.Remove(ctx, as(in), have.Factors[1].ID); err != nil {
		t.Fatal(err)
	}
	v.Press("tab", "enter").WaitFor("It is there no more.")
	v.WaitUntil("it has gone", func(s string) bool { return !strings.Contains(s, "Tablet") })
	mark(t, v, "Pixel 9").Press("n").WaitFor("› Rename")
	if err := p.Factors.Remove(ctx, as(in), have.Factors[0].ID); err != nil {
		t.Fatal(err)
	}
	v.Type("x").Press("enter").WaitFor("It is there no more.")
	v.WaitUntil("it has gone", func(s string) bool { return !strings.Contains(s, "Pixel") })
}

// What does not count says why.
func TestFactorsThatDoNotCount(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, _ := p.armed(t)
	off := core.PolicyChange{Values: map[string]string{"factors.key": "off", "factors.app": "off"}, Accept: true}
	if _, err := p.Policy.Set(context.Background(), core.ConsoleActor("test"), off); err != nil {
		t.Fatal(err)
	}
	v.Press("r").WaitFor("not in use")
	mark(t, v, "Tablet")
	waitToRead(v, "This portal does not use this method at the moment, so it does not count.")
	p.set(t, "factors.app", "on", "factors.key", "on", "factors.key_stands", "nothing")
	v.Press("r").WaitUntil("they count", func(s string) bool { return !strings.Contains(s, "not in use") })
	mark(t, v, "laptop")
	waitToRead(v, "With this key, ssh commands act for you.")
	v.Lacks("no other second factor")
	// Disabled by failures: as the core says it.
	have := v.Router().Top().(*factorList).have
	have.Factors[1].Disabled = p.clock.Now()
	v.Router().Top().(*factorList).take(factorsRead{have: have, now: p.clock.Now()})
	if line := rowLine(t, v, "Tablet"); !strings.HasSuffix(line, "off") {
		t.Error(line)
	}
	mark(t, v, "Tablet")
	waitToRead(v, "This factor was switched off after too many wrong codes.")
}

func TestRecoveryCodesAreCounted(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	in := p.signUp(t, "ada", otherPassword)
	p.enrolled(t, in, "Pixel 9")
	sheet := p.coded(t, in)
	e := p.env(t)
	v := p.openAbove(t, e, in, NewFactors).WaitFor("10 of 10 left")
	v.Lacks("recovery codes. They", "Press c to make")
	for i := range core.RecoveryCodes - core.RecoveryLow {
		if _, err := p.SignIn.StepUpRecovery(context.Background(), as(in), sheet.Codes[i]); err != nil {
			t.Fatal(err)
		}
	}
	v.Press("r").WaitFor("3 of 10 left").Contains("! Only 3 recovery codes are left. Press c to make new ones.", "few")
	mark(t, v, "Recovery codes").Press("enter").WaitFor("Each code works once")
	v.Press("c").WaitFor("With a recovery code you sign in")
	v.Press("esc").WaitFor("Pixel 9").Press("c").WaitFor("With a recovery code you sign in")
}

func TestTheListSaysThatThePortalCannotAnswer(t *testing.T) {
	t.Parallel()
	const busy = "The portal could not answer"
	p := newPlace(t)
	v, e, _ := p.armed(t)
	cut(e, true)
	walk(t, mark(t, v, "Tablet"), "x", "Remove it")
	v.Press("tab", "enter").WaitFor(busy).Press("esc")
	walk(t, v, "r", busy, "r", busy)
	cut(e, false)
	walk(t, v, "r", "Pixel 9")
	for name, screen := range map[string]func(*Env) tui.Screen{"app": anApp, "codes": newRecovery, "key": newAddKey} {
		cut(e, true)
		w := tuitest.Open(t, e.Session, screen(e)).WaitFor(busy)
		cut(e, false)
		w.Press("r").WaitUntil(name+" is there", func(screen string) bool { return !strings.Contains(screen, busy) })
	}
}

// Clicks go to the row under the pointer, however much stands above the list.
func TestClickingARow(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, _ := p.armed(t)
	v.Contains("You have no recovery codes.")
	for y, line := range strings.Split(v.Text(), "\n") {
		if strings.Contains(line, "Tablet") {
			v.Click(8, y)
		}
	}
	marked(t, v, "Tablet")
	v.Press("/").Type("Pi").WaitFor("1 of 5")
	if _, y, ok := v.Cursor(); !ok || !strings.Contains(strings.Split(v.Text(), "\n")[y], "Filter Pi") {
		t.Error("the cursor is not in the filter")
	}
	v.Type("x").Contains("Filter Pix", "1 of 5").Lacks("Remove it") // it is text there
}

func TestFactorsInLines(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	l, _, in := p.adaAboveInLines(t, NewFactors)
	l.Hears("Nothing but your password").Answer("a").Hears("1 Authenticator app", "Another SSH key").Answer("back")
	l.Hears("Nothing but").Asked()
	p.enrolled(t, in, "Pixel 9")
	p.coded(t, in)
	l.Answer("r").Hears("1 Pixel 9", "2 Recovery codes", "10 of 10 left").Answer("x 1").Hears("Pixel 9", "1 Cancel", "2 Remove it").Answer("2")
	l.Hears("1 Recovery codes", "It is removed.").Lacks("Pixel").Answer("d 1").Hears("That cannot be done with this one.")
	p.enrolled(t, in, "Pixel 8")
	p.enrolled(t, in, "Tablet")
	l.Answer("r").Hears("2 Tablet").Answer("d 2").Hears("Tablet is asked for first from now on.").Answer("n 1").Hears("Name [Pixel 8]")
	l.Answer("Old phone", "2").Hears("1 Old phone", "It has another name now.")
}

// ASVS 1.1.2: names of factors reach no terminal unescaped.
func TestNamesOfFactorsAreShownAndNotObeyed(t *testing.T) {
	t.Parallel()
	const bad = "\x1b[31mred\u202e"
	p := newPlace(t)
	v, _, _ := p.adaAbove(t, NewFactors)
	v.WaitFor("Nothing but")
	list := v.Router().Top().(*factorList)
	see := func() {
		t.Helper()
		for _, s := range []string{"\x1b[31mred", "\u202e"} {
			if strings.Contains(v.Router().View().Content, s) {
				t.Errorf("%q reached the terminal", s)
			}
		}
	}
	for _, size := range sizes() {
		v.Resize(size[0], size[1])
		for _, row := range []string{rowFactor + "1", rowKey + bad} {
			list.take(factorsRead{now: p.clock.Now(), have: core.Protection{Enough: true, KeysOn: true,
				Factors: []core.Factor{{ID: "1", Kind: core.FactorEmail, Label: bad, Address: bad, Created: p.clock.Now()}},
				Keys:    []core.LinkedKey{{Fingerprint: bad, Line: bad + " x", Label: bad, Created: p.clock.Now()}},
			}})
			list.table.Select(row)
			see()
			v.Press("x").WaitFor("Remove it")
			see()
			v.Press("esc").WaitFor("Nothing but") // it was read anew
		}
	}
}
