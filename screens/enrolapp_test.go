package screens

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/core/otp"
	"postern/tui"
	"postern/tui/tuitest"
)

// scanned reads the QR code on the screen as an app does, and returns the key.
func scanned(t testing.TB, v *tuitest.Terminal) []byte {
	t.Helper()
	text, err := v.QR()
	if err != nil {
		t.Fatalf("%v\n%s", err, v.Text())
	}
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return secretOf(t, u.Query().Get("secret"))
}

func TestEnrollingAnApp(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, in := p.adaAbove(t, anApp)
	v.WaitFor("Scan this")
	secret := scanned(t, v)
	clearField(v).Type("Pixel 9").Press("enter")
	code := p.codeOf(secret)
	v.Type(code[:3]+" "+code[3:]).Burst("enter", "enter", "enter").WaitFor("Security check-up")
	have := p.protection(t, in)
	if len(have.Factors) != 1 || have.Factors[0].Label != "Pixel 9" || !have.Enough {
		t.Fatalf("enrolled %+v", have.Factors)
	}
	if n := p.acts(t, "ada", core.ActFactorAdd, core.OutcomeDone); n != 1 {
		t.Errorf("enrolled %d times", n)
	}
	if _, err := p.SignIn.StepUpFactor(context.Background(), as(in), have.Factors[0].ID, code); core.CodeOf(err) != core.CodeCodeUsed {
		t.Errorf("the code of the enrolment, used again: %v", err) // ASVS 6.5.1
	}
}

// The name that is suggested is as good as one that was typed.
func TestTheSuggestedNameIsEnough(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, in := p.adaAbove(t, anApp)
	v.WaitFor("Scan this").Press("enter").Type(p.codeOf(scanned(t, v))).Press("tab", "enter").WaitFor("Security check-up")
	if have := p.protection(t, in); len(have.Factors) != 1 || have.Factors[0].Label != "My phone" {
		t.Errorf("enrolled %+v", have.Factors)
	}
}

// What is drawn is exactly what the core made, in every theme, on a dark and on a
// light terminal, and inverted too.
func TestTheQRCodeHoldsExactlyTheLink(t *testing.T) {
	t.Parallel()
	for _, theme := range tui.ThemeNames() {
		for _, profile := range []string{"TERM=xterm-256color", "TERM=xterm", "COLORTERM=truecolor"} {
			p := newPlace(t)
			v, e, _ := p.adaAbove(t, anApp, tuitest.Env(profile))
			e.Theme = tui.NewTheme(theme, e.Caps)
			v.WaitFor("Scan this").Router().Top().Update(restyled())
			begun := enrolling(t, v)
			if got, err := v.QR(); err != nil || got != begun.URI {
				t.Errorf("%s, %s: %q, %v", theme, profile, got, err)
			}
			if key := plainKey(begun.Secret); !strings.Contains(begun.URI, "secret="+key+"&") {
				t.Errorf("the link holds another key than the text: %s", begun.URI)
			}
			v.Press("ctrl+n")
			if got, err := v.InvertedQR(); err != nil || got != begun.URI {
				t.Errorf("%s, %s, inverted: %q, %v", theme, profile, got, err)
			}
		}
	}
}

// The longest names still leave room for the code in the least window for it.
func TestTheQRCodeFitsWhateverOneIsCalled(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	name := strings.Repeat("n", 32)
	in := p.signUp(t, name, otherPassword)
	v := p.openAbove(t, p.env(t), in, anApp).WaitFor("Scan this")
	if got, err := v.QR(); err != nil || got != enrolling(t, v).URI || len(got) != otp.MaxURI {
		t.Errorf("%q, %v", got, err)
	}
}

// Where no QR code can be, the key and the link are there as text, and what would
// show it is said.
func TestTheKeyIsTextWhereNoQRCodeCanBe(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		opts []tuitest.Option
		w, h int
		why  string
	}{
		"small":       {nil, 60, 20, "A window of 80 x 24 shows a QR code here."},
		"not wide":    {nil, 79, 24, "A window of 80 x 24 shows a QR code here."},
		"not high":    {nil, 80, 23, "A window of 80 x 24 shows a QR code here."},
		"no colours":  {[]tuitest.Option{tuitest.NoColor()}, 80, 24, "A terminal with colours and UTF-8 shows a QR code here."},
		"ASCII":       {[]tuitest.Option{tuitest.Env("LC_CTYPE=", "LANG=C")}, 80, 24, "A terminal with colours and UTF-8 shows a QR code here."},
		"dumb":        {[]tuitest.Option{tuitest.Dumb()}, 80, 24, "A terminal with colours and UTF-8 shows a QR code here."},
		"large, dumb": {[]tuitest.Option{tuitest.Dumb()}, 120, 40, "A terminal with colours and UTF-8 shows a QR code here."},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			v, e, in := p.adaAbove(t, anApp, tt.opts...)
			v.Resize(tt.w, tt.h).WaitFor("Type this key")
			begun := enrolling(t, v)
			if _, err := v.QR(); err == nil {
				t.Error("there is a QR code all the same")
			}
			groups := strings.Fields(begun.Secret)
			v.Contains(strings.Join(groups[:4], " "), strings.Join(groups[4:], " "), tt.why)
			if screen := strings.Join(strings.Fields(v.Text()), ""); !strings.Contains(screen, begun.URI) {
				t.Errorf("no link on the screen:\n%s", v.Text())
			}
			for _, b := range v.Router().Top().(tui.Helper).Help() {
				if k := b.Help().Key; k == "ctrl+n" || k == "ctrl+t" || k == "ctrl+y" && e.Caps.Dumb {
					t.Errorf("%s is offered", k)
				}
			}
			if v.Press("ctrl+n", "ctrl+t"); v.Text() == "" || !strings.Contains(v.Text(), "Type this key") {
				t.Error("a key that is not offered did something")
			}
			v.Press("enter").Type(p.codeOf(secretOf(t, begun.Secret))).Press("enter").WaitFor("Security check-up")
			if len(p.protection(t, in).Factors) != 1 {
				t.Error("not enrolled")
			}
		})
	}
}

// Growing and shrinking, the code comes and goes; the fields keep what was typed.
func TestTheQRCodeFollowsTheWindow(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, _ := p.adaAbove(t, anApp)
	v.WaitFor("Scan this").Press("enter").Type("12")
	uri := enrolling(t, v).URI
	for range 2 {
		v.Resize(60, 20).Contains("Type this key", "12").Resize(120, 40)
		if got, err := v.QR(); err != nil || got != uri {
			t.Errorf("at 120x40: %q, %v", got, err)
		}
		v.Resize(80, 24).Contains("Scan this", "12")
		if got, err := v.QR(); err != nil || got != uri {
			t.Errorf("at 80x24: %q, %v", got, err)
		}
	}
	v.Press("ctrl+t").Contains("Type this key", "12").Lacks("A window of").Press("ctrl+t").Contains("Scan this", "12")
}

// In lines everything is said, and the keys for a screen are not needed.
func TestEnrollingAnAppInLines(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	l, _, in := p.adaAboveInLines(t, anApp)
	l.Hears("Type this key into your app:", "otpauth://totp/Lanterns:ada?secret=", "Name it [My phone]").Lacks("QR code", "█", "ctrl+")
	text := strings.Join(strings.Fields(l.Text()), "")
	_, rest, _ := strings.Cut(text, "?secret=")
	secret := secretOf(t, rest[:32])
	l.Answer("Radio").Hears("Its code (six digits)").Answer("12345").Hears("A code has six digits.").Answer(p.wrongCode(secret))
	l.Hears("2 Confirm").Answer("").Hears("That code is not right. Look at it again.")
	l.Answer(p.codeOf(secret)).Hears("2 Confirm").Answer("2").Hears("Security check-up")
	if have := p.protection(t, in); len(have.Factors) != 1 || have.Factors[0].Label != "Radio" {
		t.Errorf("enrolled %+v", have.Factors)
	}
}

// A refused code goes, its reason stands beside the field, the name stays.
func TestCodesThatAreNotRight(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, in := p.adaAbove(t, anApp)
	v.WaitFor("Scan this")
	secret := scanned(t, v)
	clearField(v).Type("Pixel").Press("enter")
	for code, why := range map[string]string{
		"12345": "A code has six digits.", "12345x": "A code has six digits.", "": "Please fill this in.",
		p.wrongCode(secret):             "That code is not right. Look at it again.",
		p.codeAt(secret, 5*time.Minute): "That code belongs to another time: the clock of your phone, or of this portal, is about 5 min wrong.",
		p.codeAt(secret, -time.Minute):  "is about 1 min wrong. Set your phone's time to automatic;",
	} {
		v.Type(code).Press("enter")
		waitToReadBeside(v, why)
		v.Contains("Pixel")
		if len(code) == 6 && !strings.Contains(code, "x") {
			v.Contains("six digits") // the field is empty again
		}
		clearField(v)
	}
	// What cannot come from this clock: a code of the present that was used.
	v.Router().Top().Update(answer[core.Enrolled]{Err: &core.Error{Code: core.CodeCodeUsed, Field: "code", Wait: 12 * time.Second}})
	waitToReadBeside(v, "That code was used already. Wait for the next one (12 s).")
	if len(p.protection(t, in).Factors) != 0 {
		t.Fatal("enrolled by a wrong code")
	}
	v.Type(p.codeOf(secret)).Press("enter").WaitFor("Security check-up")
	if have := p.protection(t, in); len(have.Factors) != 1 || have.Factors[0].Label != "Pixel" {
		t.Errorf("enrolled %+v", have.Factors)
	}
}

// waitToReadBeside waits until a sentence can be read in the column at the right
// of a QR code.
func waitToReadBeside(v *tuitest.Terminal, sentence string) {
	v.WaitUntil("there is "+sentence, func(screen string) bool {
		var right strings.Builder
		for line := range strings.Lines(screen) {
			if cells := []rune(line); len(cells) > 42 {
				right.WriteString(string(cells[42:]) + " ")
			}
		}
		return strings.Contains(flat(right.String()), sentence)
	})
}

// ASVS 2.3.3: an enrolment that was given up leaves nothing behind.
func TestEscLeavesNoFactor(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, in := p.adaAbove(t, anApp)
	v.WaitFor("Scan this")
	s, begun := v.Router().Top().(*enrolApp), enrolling(t, v)
	v.Press("enter").Type("123").Press("esc").WaitFor("Security check-up")
	v.WaitUntil("it is given up", func(string) bool { return p.acts(t, "ada", core.ActEnrolLeft, core.OutcomeDone) == 1 })
	if len(p.protection(t, in).Factors) != 0 {
		t.Error("there is a factor")
	}
	code := p.codeOf(secretOf(t, begun.Secret))
	if _, err := p.Factors.Confirm(context.Background(), as(in), "", begun.ID, code, "late"); core.CodeOf(err) != core.CodeNotFound {
		t.Errorf("the enrolment goes on: %v", err)
	}
	if s.begun.Secret != "" || s.begun.URI != "" || s.code.typed != "" || s.qr != nil {
		t.Error("the screen that was left still knows the key")
	}
}

// ASVS 7.5.1: the proof is asked for before there is a key; whoever does not give
// it comes back to where they were.
func TestAnEnrolmentAsksForAProofAndGoesOn(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	in := p.signUp(t, "ada", otherPassword)
	p.clock.Advance(core.StepUpFor + time.Minute)
	v := p.openAbove(t, p.env(t), in, anApp).WaitFor("Is it you?")
	v.Press("esc").WaitFor("Security check-up")
	v = p.openAbove(t, p.env(t), in, anApp).WaitFor("Is it you?")
	v.Type(otherPassword).Burst("enter", "enter").WaitFor("Scan this")
	v.Press("enter").Type(p.codeOf(scanned(t, v))).Press("enter").WaitFor("Security check-up")
	if len(p.protection(t, in).Factors) != 1 {
		t.Error("not enrolled after the proof")
	}
}

// An enrolment that took too long begins anew, with another key.
func TestAnEnrolmentThatTookTooLong(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, in := p.adaAbove(t, anApp)
	v.WaitFor("Scan this")
	old := scanned(t, v)
	p.clock.Advance(core.EnrolFor + time.Second)
	v.Press("enter").Type(p.codeOf(old)).Press("enter").WaitFor("Is it you?")
	v.Contains("That took too long")
	v.Type(otherPassword).Press("enter").WaitFor("Scan this")
	fresh := scanned(t, v)
	if string(fresh) == string(old) {
		t.Fatal("the same key again")
	}
	v.Press("enter").Type(p.codeOf(fresh)).Press("enter").WaitFor("Security check-up")
	if len(p.protection(t, in).Factors) != 1 {
		t.Error("not enrolled")
	}
}

func TestAMethodThatIsSwitchedOff(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.set(t, "factors.app", "off")
	v, _, in := p.adaAbove(t, anApp)
	v.WaitFor("This portal does not use this method.")
	p.set(t, "factors.app", "on")
	v.Press("r").WaitFor("Scan this")
	p.set(t, "factors.app", "off") // while somebody scans
	v.Press("enter").Type(p.codeOf(scanned(t, v))).Press("enter")
	waitToReadBeside(v, "This portal does not use this method.")
	if len(p.protection(t, in).Factors) != 0 {
		t.Error("enrolled though it is off")
	}
	v.Press("esc").WaitFor("Security check-up")
}

func TestANameThatCannotBeShown(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, in := p.adaAbove(t, anApp)
	v.WaitFor("Scan this")
	code := p.codeOf(scanned(t, v))
	clearField(v).Paste("my\u202ephone").Press("enter").Type(code).Press("enter")
	v.WaitUntil("it is refused", func(s string) bool { return strings.Contains(flat(s), "cannot be") })
	v.Contains(code) // nothing was wrong with it
	clearField(v).Type("mine").Press("enter", "enter").WaitFor("Security check-up")
	if have := p.protection(t, in); len(have.Factors) != 1 || have.Factors[0].Label != "mine" {
		t.Errorf("enrolled %+v", have.Factors)
	}
}

// What is copied is the key as apps take it, and what is said is no more than
// anybody knows.
func TestCopyingTheKey(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, _, _ := p.adaAbove(t, anApp)
	v.WaitFor("Scan this")
	if got := clipboard(t, v, "ctrl+y"); got != plainKey(enrolling(t, v).Secret) || len(got) != 32 {
		t.Errorf("copied %q", got)
	}
	v.Press("ctrl+y").Contains("Sent to the terminal's clipboard, if it allows that.")
	dumb, _, _ := newPlace(t).adaAbove(t, anApp, tuitest.Dumb())
	dumb.WaitFor("Type this key")
	if got := clipboard(t, dumb, "ctrl+y"); got != "" {
		t.Error("an escape sequence for a terminal that knows none")
	}
}

// A sign-in that asks for a factor goes on once there is one. ASVS 6.3.3.
func TestEnrollingDuringASignIn(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	in := p.signUp(t, "ada", otherPassword)
	p.set(t, "factors.enforce", "everybody", "factors.days", "0")
	e := p.env(t)
	progress, err := p.SignIn.Password(context.Background(), e.Actor(), "ada", otherPassword)
	if err != nil || progress.Step != core.StepEnrol {
		t.Fatalf("%s, %v", progress.Step, err)
	}
	v := p.on(t, e, func(e *Env) tui.Screen {
		return newEnrolApp(e, progress.Ticket, func(m core.Enrolled) tea.Cmd { return e.proceed(m.Progress) })
	})
	v.WaitFor("Scan this").Press("enter").Type(p.codeOf(scanned(t, v))).Press("enter").WaitFor("Security check-up")
	if e.Me().UserName != "ada" || len(p.protection(t, in).Factors) != 1 {
		t.Error("not signed in, or not enrolled")
	}
}

func TestASignInThatIsOverWhileOneScans(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	in := p.signUp(t, "ada", otherPassword)
	p.set(t, "factors.enforce", "everybody", "factors.days", "0")
	e := p.env(t)
	progress, err := p.SignIn.Password(context.Background(), e.Actor(), "ada", otherPassword)
	if err != nil {
		t.Fatal(err)
	}
	v := p.on(t, e, func(e *Env) tui.Screen {
		return newEnrolApp(e, progress.Ticket, func(m core.Enrolled) tea.Cmd { return e.proceed(m.Progress) })
	})
	v.WaitFor("Scan this")
	secret := scanned(t, v)
	p.clock.Advance(core.AttemptFor + time.Second)
	v.Press("enter").Type(p.codeOf(secret)).Press("enter").WaitFor("Welcome to Lanterns")
	v.Contains("That took too long. Please sign in again.")
	if e.Me().UserName != "" || len(p.protection(t, in).Factors) != 0 {
		t.Error("signed in, or enrolled")
	}
}

// BenchmarkEnrolToFirstQR measures what the program works between the core's
// answer and the frame that shows the code.
func BenchmarkEnrolToFirstQR(b *testing.B) {
	p := newPlace(b)
	v, _, _ := p.adaAbove(b, anApp)
	v.WaitFor("Scan this")
	s, begun := v.Router().Top().(*enrolApp), enrolling(b, v)
	for b.Loop() {
		s.wipe()
		s.Update(answer[core.Enrolment]{Value: begun})
		v.Router().View()
	}
	if s.qr == nil {
		b.Fatal("no code was drawn")
	}
}

// BenchmarkEnrolKeyToFrame is a key press while the code stands there.
func BenchmarkEnrolKeyToFrame(b *testing.B) {
	p := newPlace(b)
	v, _, _ := p.adaAbove(b, anApp)
	v.WaitFor("Scan this").Press("enter")
	for b.Loop() {
		v.Router().Update(tuitest.Key("7"))
		v.Router().View()
		v.Router().Update(tuitest.Key("backspace"))
		v.Router().View()
	}
}

// Too many wrong codes end an enrolment: there is another key, and in lines too it
// is said from the beginning.
func TestTooManyWrongCodesBeginAnew(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	l, _, in := p.adaAboveInLines(t, anApp)
	keyIn := func() []byte {
		_, rest, ok := strings.Cut(strings.Join(strings.Fields(l.Since()), ""), "?secret=")
		if !ok {
			t.Fatalf("no key was said:\n%s", l.Text())
		}
		return secretOf(t, rest[:32])
	}
	l.Hears("Name it [My phone]").Asked()
	old := keyIn()
	l.Answer("")
	for range 20 {
		l.Hears("Its code").Answer(p.wrongCode(old)).Hears("2 Confirm").Answer("2").Asked()
	}
	l.Answer(p.codeOf(old)).Hears("2 Confirm").Answer("2").Hears("Here is a new key", "Name it [My phone]").Asked()
	fresh := keyIn()
	if string(fresh) == string(old) {
		t.Fatal("the same key again")
	}
	l.Answer("", p.codeOf(fresh), "2").Hears("Security check-up")
	if len(p.protection(t, in).Factors) != 1 {
		t.Error("not enrolled")
	}
}
