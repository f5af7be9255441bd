package e2e

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postern/core"
)

// A stranger is asked a captcha when they make an account, and whoever guesses when
// they go on; a wrong answer is in the trail, and nothing that was typed is lost.
func TestCaptchasOverSSH(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "portal")
	s := serve(t, data)
	setUp(t, s)
	mustVerb(t, data, "policy", "set", "sign_up.mode=open")

	ada := visit(t, s.addr, nil, 80, 24)
	ada.apply("ada", "Ada Byron", userPassword)
	ada.WaitFor("Not a program?", "Which 5 letters and digits are these", "In the picture", "▀▀▀▀▀▀▀▀")
	time.Sleep(core.CaptchaSoon + 100*time.Millisecond)
	ada.fill("b0b")
	ada.WaitFor("That was something else")
	ada.solve()
	ada.WaitFor("Hello, Ada Byron")
	if out := mustVerb(t, data, "audit", "list", "--action", "captcha.answer", "--json"); strings.Count(out, `"captcha.answer"`) != 1 || !strings.Contains(out, `"refused"`) {
		t.Errorf("the trail says:\n%s", out)
	}

	guess := visit(t, s.addr, nil, 60, 20)
	guess.knock("ada", "not this")
	for range 2 {
		guess.WaitFor("That did not work")
		guess.Type("nor this") // which takes the words away
		if err := guess.Until(func(s string) bool { return !strings.Contains(s, "That did not work") }); err != nil {
			t.Fatal(err)
		}
		guess.Press("enter")
	}
	guess.WaitFor("That did not work")
	guess.fill(userPassword)
	guess.WaitFor("Not a program?", "In the picture")
	guess.solve()
	guess.WaitFor("Hello, Ada Byron")

	// Whoever switches it off is asked no more, at once.
	mustVerb(t, data, "policy", "set", "captcha.sign_up=off", "captcha.sign_in=off")
	mara := visit(t, s.addr, nil, 80, 24)
	mara.apply("mara", "Mara Voss", userPassword)
	mara.WaitFor("Hello, Mara Voss")
}
