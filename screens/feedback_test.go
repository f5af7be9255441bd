package screens

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"pgregory.net/rapid"

	"postern/core"
	"postern/core/password"
)

// feedback returns the feedback of the portal's policy on ada's new password.
func (p *place) feedback(t testing.TB, values ...string) *passwordFeedback {
	t.Helper()
	p.set(t, values...)
	guide, err := p.Accounts.Guide(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return newPasswordFeedback(p.env(t), func() core.PasswordGuide { return guide },
		func() core.Person {
			return core.Person{UserName: "ada", DisplayName: "Ada Lovelace", Email: "ada@example.org"}
		})
}

// typed runs what Ask returned until nothing is left to do.
func typed(t testing.TB, f *passwordFeedback, cmd tea.Cmd) {
	t.Helper()
	for cmd != nil {
		var mine bool
		if mine, cmd = f.Update(cmd()); !mine {
			t.Fatal("a score that is nobody's")
		}
	}
}

func TestFeedbackSaysEveryRuleOfThePolicyAtEveryKey(t *testing.T) {
	t.Parallel()
	f := newPlace(t).feedback(t, "password.special", "on", "password.upper_lower", "on", "password.letters_digits", "on")
	for _, c := range []struct{ pw, want string }{ // a sign and a rule, or plain words
		{"", "· min_length|· upper_lower|· letters_digits|· special|· common|· personal|· min_score"},
		{"password", "✗ min_length|✗ upper_lower|✗ letters_digits|✗ special|✗ common|✗ min_score"},
		{"my name is Lovelace 7", "✓ min_length|✓ upper_lower|✓ letters_digits|✓ special|✓ common|✗ personal"},
		{"lanterns-lanterns", "✗ personal"},
		{"Violet tram hums at dusk 7", "✓ min_length|✓ upper_lower|✓ letters_digits|✓ special|✓ common|✓ personal|✓ min_score"},
	} {
		typed(t, f, f.Ask(c.pw))
		panel := plainText(f.Below(60))
		for want := range strings.SplitSeq(c.want, "|") {
			sign, rule, _ := strings.Cut(want, " ")
			if want := sign + " " + f.env.RuleText(rule, 12); !strings.Contains(panel, want) {
				t.Errorf("%q: no %q in\n%s", c.pw, want, panel)
			}
		}
	}
}

// The panel must not push the fields under it about.
func TestFeedbackKeepsItsHeightWhileOneTypes(t *testing.T) {
	t.Parallel()
	f := newPlace(t).feedback(t)
	height := strings.Count(f.Below(60), "\n")
	for i := range goodPassword {
		typed(t, f, f.Ask(goodPassword[:i]))
		if n := strings.Count(f.Below(60), "\n"); n != height {
			t.Errorf("%q: %d lines instead of %d:\n%s", goodPassword[:i], n+1, height+1, f.Below(60))
		}
	}
}

func TestTheNewestPasswordIsTheOneThatIsScored(t *testing.T) {
	t.Parallel()
	f := newPlace(t).feedback(t)
	first := f.Ask("a")
	if f.Ask("password") != nil || f.Ask(goodPassword) != nil {
		t.Fatal("scored beside another score")
	}
	mine, second := f.Update(first())
	if !mine || second == nil || f.scored != nil {
		t.Fatal("the score of an old password was taken")
	}
	if mine, third := f.Update(second()); !mine || third != nil || f.scored == nil || f.scored.Value != password.MaxScore {
		t.Fatalf("the newest password's score is %+v", f.scored)
	}
}

func TestAWipedPasswordIsForgotten(t *testing.T) {
	t.Parallel()
	f := newPlace(t).feedback(t)
	late := f.Ask(goodPassword)
	f.Forget()
	if mine, next := f.Update(late()); !mine || next != nil || f.scored != nil {
		t.Fatal("a score came back after the password was wiped")
	}
	if text := plainText(f.Below(60)); strings.Contains(text, "✓") {
		t.Fatalf("still judged:\n%s", text)
	}
}

func TestFeedbackWaitsForTheRules(t *testing.T) {
	t.Parallel()
	var guide core.PasswordGuide
	p := newPlace(t)
	f := newPasswordFeedback(p.env(t), func() core.PasswordGuide { return guide }, func() core.Person { return core.Person{} })
	if f.Ask("x") != nil || f.Below(60) != "" || f.Refusal("x") != "" {
		t.Fatal("judged without rules")
	}
	guide, _ = p.Accounts.Guide(context.Background())
	typed(t, f, f.Ask("x"))
	if f.Below(60) == "" || f.Refusal("x") == "" {
		t.Fatal("the rules came and nothing is said")
	}
}

// What the field refuses, the core refuses, and the other way round: the panel
// never promises what a press of Enter does not hold.
func TestFeedbackAgreesWithTheCore(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	f := p.feedback(t, "password.letters_digits", "on")
	names := 0
	rapid.Check(t, func(r *rapid.T) {
		pw := rapid.OneOf(
			rapid.StringOfN(rapid.RuneFrom([]rune("abcdefgh 12345!ÄßADA漢")), 1, 40, -1),
			rapid.SampledFrom([]string{"password1234", "Lovelace-1815-math", "qwertyuiop12", "correct horse 7 battery", "zebra crossing 44 moons"}),
		).Draw(r, "password")
		names++
		in := core.SignUpInput{UserName: "ada" + strconv.Itoa(names), DisplayName: "Ada Lovelace", Password: pw}
		// The same person for both: only the names above are known to the feedback.
		f.person = func() core.Person { return core.Person{UserName: in.UserName, DisplayName: in.DisplayName} }
		typed(t, f, f.Ask(pw))
		here := f.Refusal(pw)
		_, err := p.Accounts.SignUp(context.Background(), core.Actor{Door: core.DoorLocal}, in)
		var refusal *core.Error
		there := errors.As(err, &refusal) && refusal.Field == "password"
		if (here != "") != there {
			r.Fatalf("%q: the field says %q, the core %v", pw, here, err)
		}
	})
}

// A warning and its advice are two things to know, not one said twice.
func TestAdviceDoesNotTurnTheWarningRound(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		warning password.Warning
		advice  []password.Advice
		want    password.Advice
	}{
		{"", nil, ""},
		{"", []password.Advice{password.AdviceMoreWords}, password.AdviceMoreWords},
		{password.WarnPersonal, []password.Advice{password.AdviceMoreWords, password.AdviceAvoidPersonal}, password.AdviceMoreWords},
		{
			password.WarnPersonal,
			[]password.Advice{password.AdviceMoreWords, password.AdviceAvoidPersonal, password.AdviceCapitals},
			password.AdviceCapitals,
		},
		{password.WarnCommon, []password.Advice{password.AdviceMoreWords, password.AdviceReversed}, password.AdviceReversed},
	} {
		if got := helpful(&password.Score{Warning: tt.warning, Advice: tt.advice}); got != tt.want {
			t.Errorf("%q with %q: %q", tt.warning, tt.advice, got)
		}
	}
}
