package core_test

import (
	"errors"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"postern/core"
	"postern/core/captcha"
	"postern/core/coretest"
)

// solve solves a captcha and returns the actor with what it earned.
func solve(t testing.TB, p *coretest.Place, actor core.Actor, kind core.CaptchaKind) core.Actor {
	t.Helper()
	asked := must(p.Captchas.Ask(ctx, actor, kind))(t)
	p.Clock.Advance(2 * time.Second)
	actor.Pass = must(p.Captchas.Solve(ctx, actor, asked.ID, p.CaptchaAnswer(asked.ID)))(t)
	return actor
}

// unsolved fails the test unless err says why an answer to a captcha did not do.
func unsolved(t testing.TB, err error, rule string) {
	t.Helper()
	refused(t, err, core.CodeCaptcha, "captcha")
	var e *core.Error
	if errors.As(err, &e); e.Rule != rule {
		t.Fatalf("the rule %q, want %q", e.Rule, rule)
	}
}

func TestACaptchaIsAskedAtSignInAlways(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	p.Set("captcha.sign_in", "always")
	hashes := p.CountHashes()
	before := len(p.Trail())
	for _, c := range []struct{ login, pw string }{{"mara", coretest.Password}, {"mara", strong}, {"nobody", strong}, {"", ""}} {
		_, err := p.TrySignIn(coretest.Local(), c.login, c.pw)
		refused(t, err, core.CodeCaptcha, "")
		_, err = p.Portal.SignIn.Code(ctx, coretest.Local(), c.login, "XXXX-XXXX-XXXX-XXXX")
		refused(t, err, core.CodeCaptcha, "")
	}
	if n := hashes.Taken(); n != 0 {
		t.Errorf("%d passwords were looked at before the captcha", n)
	}
	if n := len(p.Trail()); n != before {
		t.Errorf("%d entries for guesses that were none", n-before)
	}
	for _, kind := range []core.CaptchaKind{core.CaptchaPicture, core.CaptchaSum} {
		must(p.TrySignIn(solve(t, p, coretest.Local(), kind), "mara", coretest.Password))(t)
	}
	code, _, err := p.Accounts.IssueCode(ctx, coretest.Console(), "mara")
	ok(t, err)
	must(p.Portal.SignIn.Code(ctx, solve(t, p, coretest.Local(), core.CaptchaSum), "mara", code))(t)
}

// It tells nothing about accounts: failures of a login count whether or not there is
// one of that name.
func TestACaptchaIsAskedAfterFailures(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	p.Set("captcha.sign_in", "after_failures", "lockout.failures", "5", "lockout.address_failures", "20")
	for i, login := range []string{"mara", "nobody"} {
		actor := coretest.From("192.0.2." + strconv.Itoa(i+1))
		for range 3 {
			_, err := p.TrySignIn(actor, login, strong)
			refused(t, err, core.CodeCredentials, "")
		}
		_, err := p.TrySignIn(actor, login, strong)
		refused(t, err, core.CodeCaptcha, "")
		_, err = p.TrySignIn(coretest.From("198.51.100.7"), login, strong)
		refused(t, err, core.CodeCaptcha, "")
		_, err = p.TrySignIn(solve(t, p, actor, core.CaptchaSum), login, strong)
		refused(t, err, core.CodeCredentials, "")
	}
	// Whoever is right is asked no more.
	mara := coretest.From("192.0.2.1")
	must(p.TrySignIn(solve(t, p, mara, core.CaptchaPicture), "mara", coretest.Password))(t)
	must(p.TrySignIn(mara, "mara", coretest.Password))(t)

	// From one address, whatever the login.
	from := coretest.From("203.0.113.9")
	for i := range 10 {
		_, err := p.TrySignIn(from, "somebody"+strconv.Itoa(i), strong)
		refused(t, err, core.CodeCredentials, "")
	}
	_, err := p.TrySignIn(from, "lin", coretest.Password)
	refused(t, err, core.CodeCaptcha, "")
	must(p.TrySignIn(coretest.From("203.0.113.10"), "lin", coretest.Password))(t)

	// A wait comes before it: nobody solves one in vain.
	for range 2 {
		_, err = p.TrySignIn(solve(t, p, coretest.Local(), core.CaptchaSum), "nobody", strong)
	}
	refused(t, err, core.CodeWait, "")
	p.Set("captcha.sign_in", "off")
	_, err = p.TrySignIn(from, "somebody0", strong)
	refused(t, err, core.CodeCredentials, "")
}

func TestACaptchaIsAskedAtSignUp(t *testing.T) {
	p := coretest.Open(t)
	p.Set("captcha.sign_up", "always", "sign_up.mode", "invite")
	_, code, err := p.Invites.Create(ctx, p.Owner, 1, 1, "")
	ok(t, err)
	from := coretest.From("192.0.2.1")
	in := coretest.Input("mara")
	for _, in.Invite = range []string{"", code, "XXXX-XXXX-XXXX-XXXX"} { // which of them is none is not told
		_, err := p.Accounts.SignUp(ctx, from, in)
		refused(t, err, core.CodeCaptcha, "")
	}
	actor := solve(t, p, from, core.CaptchaPicture)
	// What is only typed wrong asks for no other captcha.
	in.Invite, in.Password = code, "short"
	_, err = p.Accounts.SignUp(ctx, actor, in)
	refused(t, err, core.CodePassword, "password")
	in.Password = coretest.Password
	// What tells a guesser something does.
	in.Invite = "XXXX-XXXX-XXXX-XXXX"
	_, err = p.Accounts.SignUp(ctx, actor, in)
	refused(t, err, core.CodeInvite, "invite")
	in.Invite = code
	_, err = p.Accounts.SignUp(ctx, actor, in)
	refused(t, err, core.CodeCaptcha, "")
	must(p.Accounts.SignUp(ctx, solve(t, p, from, core.CaptchaSum), in))(t)

	// Where nobody can sign up, nobody solves one in vain.
	p.Set("sign_up.mode", "closed")
	_, err = p.Accounts.SignUp(ctx, from, coretest.Input("noor"))
	refused(t, err, core.CodeClosed, "")
}

// A new portal asks strangers as the policy's plan says, and so does one whose
// policy was written before there were captchas.
func TestCaptchasOfANewPortal(t *testing.T) {
	for _, preset := range core.Presets() {
		if c := preset.Policy.Captcha; c.SignIn != core.CaptchaAfterFailures || c.SignUp != core.CaptchaAlways {
			t.Errorf("%s: %+v", preset.ID, c)
		}
	}
	var old core.Policy
	ok(t, old.UnmarshalJSON([]byte(`{"version":3}`)))
	if old.Captcha != core.Presets()[0].Policy.Captcha {
		t.Errorf("an older one: %+v", old.Captcha)
	}
	p := coretest.New(t)
	p.SetUp("lin") // nobody else is there yet: no captcha
	p.Set("sign_up.mode", "open")
	_, err := p.Accounts.SignUp(ctx, coretest.Local(), coretest.Input("mara"))
	refused(t, err, core.CodeCaptcha, "")
	refused(t, change(p, false, "captcha.sign_up", "after_failures"), core.CodeFormat, "captcha.sign_up")
}

// ASVS 2.4.2, 16.3.3: sooner than a person can read is too soon, and whatever did
// not do is in the trail.
func TestWhatSolvesACaptcha(t *testing.T) {
	p := coretest.Open(t)
	from := coretest.From("192.0.2.1")
	for _, c := range []struct {
		what  string
		spell func(string) string
		after time.Duration
		rule  string
	}{
		{"as it is", func(s string) string { return s }, 2 * time.Second, ""},
		{"small letters", strings.ToLower, 2 * time.Second, ""},
		{"blanks", func(s string) string { return " " + s[:2] + "\t" + s[2:] + "\n" }, 2 * time.Second, ""},
		{"full width", fullWidth, 2 * time.Second, ""},
		{"at the last moment", func(s string) string { return s }, core.CaptchaFor - time.Millisecond, ""},
		{"at once", func(s string) string { return s }, core.CaptchaSoon - time.Millisecond, core.CaptchaEarly},
		{"too late", func(s string) string { return s }, core.CaptchaFor, core.CaptchaOver},
		{"nothing", func(string) string { return "" }, 2 * time.Second, core.CaptchaWrong},
		{"less", func(s string) string { return s[1:] }, 2 * time.Second, core.CaptchaWrong},
		{"more", func(s string) string { return s + s }, 2 * time.Second, core.CaptchaWrong},
		{"10 kB", func(s string) string { return s + strings.Repeat(" ", 10_000) }, 2 * time.Second, core.CaptchaWrong},
		{"no UTF-8", func(string) string { return "\xff\xfe" }, 2 * time.Second, core.CaptchaWrong},
	} {
		asked := must(p.Captchas.Ask(ctx, from, core.CaptchaPicture))(t)
		want := p.CaptchaAnswer(asked.ID)
		p.Clock.Advance(c.after)
		pass, err := p.Captchas.Solve(ctx, from, asked.ID, c.spell(want))
		if c.rule == "" {
			if err != nil || pass == "" {
				t.Errorf("%s: %v", c.what, err)
			}
			continue
		}
		if pass != "" {
			t.Errorf("%s: a pass", c.what)
		}
		unsolved(t, err, c.rule)
		if e := p.Trail()[0]; e.Action != core.ActCaptcha || e.Outcome != core.OutcomeRefused || e.Code != core.CodeCaptcha || e.Remote != from.Remote {
			t.Errorf("%s: the trail says %+v", c.what, e)
		}
		// There is one answer to each.
		_, err = p.Captchas.Solve(ctx, from, asked.ID, want)
		unsolved(t, err, core.CaptchaOver)
	}
	_, err := p.Captchas.Ask(ctx, from, "riddle")
	refused(t, err, core.CodeNotFound, "captcha")
}

// fullWidth spells letters and digits as East Asian keyboards do.
func fullWidth(s string) string {
	return strings.Map(func(r rune) rune { return r - '!' + '！' }, s)
}

// Answers cannot be tried without end.
func TestCaptchasAreNotGuessedWithoutEnd(t *testing.T) {
	p := coretest.Open(t)
	p.Set("lockout.address_failures", "2")
	from := coretest.From("192.0.2.1")
	var err error
	for n := 0; core.CodeOf(err) != core.CodeWait; n++ {
		if n > 100 {
			t.Fatalf("after %d: %v", n, err)
		}
		asked := must(p.Captchas.Ask(ctx, from, core.CaptchaSum))(t)
		p.Clock.Advance(2 * time.Second)
		_, err = p.Captchas.Solve(ctx, from, asked.ID, "0")
	}
}

// What was solved counts where it was solved, once, and for a while.
func TestAPassIsOfOnePeerAndOneGuess(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	p.Set("captcha.sign_in", "always", "lockout.failures", "50", "lockout.address_failures", "10000")
	here := coretest.From("192.0.2.1")
	asked := must(p.Captchas.Ask(ctx, here, core.CaptchaSum))(t)
	p.Clock.Advance(2 * time.Second)
	elsewhere := coretest.From("192.0.2.2")
	_, err := p.Captchas.Solve(ctx, elsewhere, asked.ID, p.CaptchaAnswer(asked.ID))
	unsolved(t, err, core.CaptchaOver)

	mine := solve(t, p, here, core.CaptchaSum)
	elsewhere.Pass = mine.Pass
	_, err = p.TrySignIn(elsewhere, "mara", coretest.Password)
	refused(t, err, core.CodeCaptcha, "")
	_, err = p.TrySignIn(mine, "mara", strings.Repeat("x", 1000)) // no guess
	refused(t, err, core.CodePassword, "password")
	must(p.TrySignIn(mine, "mara", coretest.Password))(t)
	_, err = p.TrySignIn(mine, "mara", coretest.Password)
	refused(t, err, core.CodeCaptcha, "")

	late := solve(t, p, here, core.CaptchaSum)
	p.Clock.Advance(10 * time.Minute)
	_, err = p.TrySignIn(late, "mara", coretest.Password)
	refused(t, err, core.CodeCaptcha, "")

	// By many at once one guess is judged.
	all := solve(t, p, here, core.CaptchaSum)
	var judged atomic.Int32
	parallel(16, func(int) {
		if _, err := p.TrySignIn(all, "mara", coretest.Password); core.CodeOf(err) != core.CodeCaptcha && core.CodeOf(err) != core.CodeWait {
			judged.Add(1)
		}
	})
	if n := judged.Load(); n != 1 {
		t.Errorf("%d guesses for one captcha", n)
	}
}

// Whoever only asks costs no memory: the oldest ends early.
func TestCaptchasAreBounded(t *testing.T) {
	p := coretest.Open(t)
	_, most := p.CaptchasOut()
	first := must(p.Captchas.Ask(ctx, coretest.Local(), core.CaptchaSum))(t)
	answer := p.CaptchaAnswer(first.ID)
	p.Clock.Advance(time.Second)
	for range most {
		must(p.Captchas.Ask(ctx, coretest.Local(), core.CaptchaSum))(t)
	}
	if out, _ := p.CaptchasOut(); out != most {
		t.Errorf("%d are out", out)
	}
	_, err := p.Captchas.Solve(ctx, coretest.Local(), first.ID, answer)
	unsolved(t, err, core.CaptchaOver)
	p.Clock.Advance(core.CaptchaFor)
	must(p.Captchas.Ask(ctx, coretest.Local(), core.CaptchaSum))(t)
	if out, _ := p.CaptchasOut(); out != 1 {
		t.Errorf("%d are out when all but one are over", out)
	}
}

func TestAPictureIsAsBigAsPromised(t *testing.T) {
	p := coretest.Open(t)
	asked := must(p.Captchas.Ask(ctx, coretest.Local(), core.CaptchaPicture))(t)
	if b := asked.Picture.Bounds(); b.Dx() != captcha.Width || b.Dy() != captcha.Height {
		t.Errorf("the picture is %v", b)
	}
	for range 200 {
		asked := must(p.Captchas.Ask(ctx, coretest.Local(), core.CaptchaSum))(t)
		for _, n := range asked.Numbers {
			if n < 1 || n > core.MaxCaptchaNumber {
				t.Errorf("the number %d", n)
			}
		}
		if sum := strconv.Itoa(asked.Numbers[0] + asked.Numbers[1]); sum != p.CaptchaAnswer(asked.ID) {
			t.Errorf("%v is not %s", asked.Numbers, sum)
		}
	}
}
