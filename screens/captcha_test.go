package screens

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/tui"
	"postern/tui/tuitest"
)

// asksAlways makes a portal that asks everybody a captcha.
func asksAlways(t testing.TB) *place {
	t.Helper()
	p := newPlace(t)
	p.signUp(t, "ada", otherPassword)
	p.set(t, "captcha.sign_in", "always", "captcha.sign_up", "always")
	return p
}

// captchaOf waits for a captcha to be asked and returns its page.
func captchaOf(t testing.TB, v *tuitest.Terminal) *captchaPage {
	t.Helper()
	var s *captchaPage
	v.WaitUntil("a captcha", func(string) bool {
		var there bool
		s, there = v.Router().Top().(*captchaPage)
		return there && s.asked.ID != ""
	})
	return s
}

// solves reads the sum and answers it, as soon as a person could have.
func (p *place) solves(t testing.TB, v *tuitest.Terminal) {
	t.Helper()
	v.WaitUntil("a question in words", func(string) bool { return captchaOf(t, v).kind == core.CaptchaSum })
	answer := sumIn(t, v.Session().Dict, v.Text())
	p.clock.Advance(2 * time.Second)
	v.Type(answer).Press("enter")
}

// sumIn reads the question in words, and returns its answer.
func sumIn(t testing.TB, d *tui.Dict, said string) string {
	t.Helper()
	question := strings.ReplaceAll(regexp.QuoteMeta(d.T("captcha.sum", "One", "#", "Other", "#")), "#", `(\S+)`)
	found := regexp.MustCompile(question).FindAllStringSubmatch(strings.Join(strings.Fields(said), " "), -1)
	if len(found) == 0 {
		t.Fatalf("no question in words is asked:\n%s", said)
	}
	sum := 0
	for _, word := range found[len(found)-1][1:] {
		for n := 1; ; n++ {
			if n > core.MaxCaptchaNumber {
				t.Fatalf("%q is no number", word)
			}
			if d.T("captcha.number."+strconv.Itoa(n)) == word {
				sum += n
				break
			}
		}
	}
	return strconv.Itoa(sum)
}

// Nothing that was typed is lost: the captcha comes, and the sign-in goes on.
func TestASignInGoesOnAfterACaptcha(t *testing.T) {
	t.Parallel()
	p := asksAlways(t)
	s, v := p.signingIn(t)
	v.Type("ada").Press("enter").Type(otherPassword).Press("enter")
	page := captchaOf(t, v)
	if page.kind != core.CaptchaPicture || page.drawn == "" {
		t.Errorf("a %s is asked", page.kind)
	}
	v.Contains("Which 5 letters and digits", "[ Another ]", "[ In words ]", "small letters will do")
	v.Press("ctrl+t")
	p.solves(t, v)
	waitForHome(t, v, s.env, "ada")
	if s.password != "" {
		t.Error("the password is still in the screen")
	}
}

func TestACaptchaThatWasNotSolvedIsAskedAnew(t *testing.T) {
	t.Parallel()
	p := asksAlways(t)
	_, v := p.signingIn(t)
	v.Type("ada").Press("enter").Type(otherPassword).Press("enter")
	first := captchaOf(t, v).asked.ID
	p.clock.Advance(2 * time.Second)
	v.Type("no").Press("enter").WaitFor("That was something else")
	second := captchaOf(t, v)
	if second.asked.ID == first || second.typed != "" {
		t.Error("it is the same one, or its answer is still there")
	}
	v.Type("acdef").Press("enter").WaitFor("sooner than anybody can read")
	captchaOf(t, v)
	p.clock.Advance(core.CaptchaFor)
	v.Type("acdef").Press("enter").WaitFor("That one is over")
	// Another picture, and another.
	for range 2 {
		was := captchaOf(t, v).asked.ID
		v.Press("ctrl+n")
		v.WaitUntil("another picture", func(string) bool { return captchaOf(t, v).asked.ID != was })
	}
}

// Whoever leaves the captcha is where they were, and their password is not kept.
func TestACaptchaIsLeft(t *testing.T) {
	t.Parallel()
	p := asksAlways(t)
	s, v := p.signingIn(t)
	v.Type("ada").Press("enter").Type(otherPassword).Press("enter")
	captchaOf(t, v)
	v.Press("esc").WaitFor("Lost password")
	if s.password != "" || s.login != "ada" {
		t.Errorf("left are %q and a password of %d bytes", s.login, len(s.password))
	}
}

// After failures it is asked of the next guess, and not of the first ones.
func TestTypingWrongLeadsToACaptcha(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.set(t, "captcha.sign_in", "after_failures")
	s, v := p.signingIn(t, tuitest.NoColor())
	v.Type("lin").Press("enter")
	for range 3 {
		v.Type(otherPassword).Press("enter").WaitFor("That did not work")
	}
	v.Type(goodPassword).Press("enter")
	page := captchaOf(t, v)
	if strings.Contains(page.drawn, "\x1b") || !strings.Contains(page.drawn, "█") {
		t.Errorf("without colours:\n%s", page.drawn)
	}
	v.Press("ctrl+t")
	p.solves(t, v)
	waitForHome(t, v, s.env, "lin")
}

func TestASignUpGoesOnAfterACaptcha(t *testing.T) {
	t.Parallel()
	p := asksAlways(t)
	e := p.env(t)
	v := p.on(t, e, NewSignUp)
	v.Type("noor").Press("enter", "enter", "enter", "enter").WaitFor("Again")
	v.Type(goodPassword).Press("enter").Type(goodPassword).Press("enter", "enter")
	captchaOf(t, v)
	v.Press("ctrl+t")
	p.solves(t, v)
	waitForHome(t, v, e, "noor")
}

// A code for a lost password is guessed no sooner than a password.
func TestALostPasswordIsAskedACaptcha(t *testing.T) {
	t.Parallel()
	p := asksAlways(t)
	v := p.on(t, p.env(t), func(e *Env) tui.Screen { return newLost(e, "ada") })
	v.Type("XXXX-XXXX-XXXX-XXXX").Press("enter")
	captchaOf(t, v)
	v.Press("ctrl+t")
	p.solves(t, v)
	v.WaitFor("That did not work. Check the name and the code")
}

// Where no picture can be shown it is asked in words, and nothing else is offered.
func TestACaptchaInLines(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "pt-BR", "es"} {
		p := asksAlways(t)
		e, l := p.inLines(t, core.DoorSSH, tuitest.Lang(lang))
		l.Answer("1", "ada", otherPassword, "3").Hears(e.T("captcha.sum_label"))
		p.clock.Advance(2 * time.Second)
		l.Lacks(e.T("captcha.as_picture")).Answer("none", "3").Hears(e.T("captcha.refused.wrong"), e.T("captcha.sum_label"))
		p.clock.Advance(2 * time.Second)
		l.Answer(sumIn(t, e.Dict, l.Text()), "3").Hears("(ada")
	}
}

// A picture is drawn as large as there is room.
func TestACaptchaInEverySize(t *testing.T) {
	t.Parallel()
	p := asksAlways(t)
	for look, opts := range looks() {
		e := p.env(t, opts...)
		v := p.on(t, e, newCaptcha)
		s := captchaOf(t, v)
		for _, size := range append(sizes(), [2]int{76, 24}) {
			v.Resize(size[0], size[1])
			v.Settle()
			tuitest.Fits(t, sizeName(look, size), v.Router(), size[0], size[1])
			switch rows := strings.Split(plainText(s.drawn), "\n"); {
			case look == "dumb":
				if s.kind != core.CaptchaSum || s.drawn != "" {
					t.Errorf("%s: a %s", look, s.kind)
				}
			case len(rows) < 9 || len([]rune(rows[0])) < 52:
				t.Errorf("%s %v: %d rows of %d", look, size, len(rows), len([]rune(rows[0])))
			case !slices.Contains(strings.Split(v.Text(), "\n"), strings.TrimRight("  "+rows[4], " ")) && look == "nocolor":
				t.Errorf("%v: the picture is not on the screen:\n%s", size, v.Text())
			}
		}
	}
}

// The question in words looks the same in every size.
func TestLookOfACaptchaInWords(t *testing.T) {
	t.Parallel()
	p := asksAlways(t)
	for look, opts := range looks() {
		e := p.env(t, opts...)
		v := p.on(t, e, newCaptcha)
		s := captchaOf(t, v)
		s.kind, s.asked.Numbers, s.asked.Picture, s.drawn = core.CaptchaSum, [2]int{7, 12}, nil, ""
		s.Refresh()
		for _, size := range sizes() {
			v.Resize(size[0], size[1]).Golden("captcha/" + sizeName(look, size))
		}
	}
}
