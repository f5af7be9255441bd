package password

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var alice = []string{"aliddell", "Alice Liddell", "alice@wonderland.example", "Postern"}

func TestScoreOrdersPasswords(t *testing.T) {
	last := -1.0
	for _, pw := range []string{"password", "password1998", "Tr0ub4dor&3", "vexing marmots dance", "correct zebra lattice mumble quartz"} {
		s := Estimate(pw, nil)
		if s.Guesses <= last {
			t.Errorf("%q needs %g guesses, no more than the one before", pw, s.Guesses)
		}
		if s.Seconds != s.Guesses/1e4 {
			t.Errorf("%q: %g guesses, %g seconds", pw, s.Guesses, s.Seconds)
		}
		last = s.Guesses
	}
	if s := Estimate("correct zebra lattice mumble quartz", nil); s.Value != MaxScore || s.Warning != "" || s.Advice != nil {
		t.Errorf("%+v", s)
	}
}

func TestWeaknessIsNamed(t *testing.T) {
	for _, c := range []struct {
		pw      string
		warning Warning
		advice  Advice
	}{
		{"", "", AdviceUseWords},
		{"password", WarnTop10, AdviceMoreWords},
		{"letmein", WarnTop100, AdviceMoreWords},
		{"Letmein", WarnTop100, AdviceCapitals},
		{"LETMEIN", WarnTop100, AdviceAllCapitals},
		{"p4ssw0rd", WarnCommon, AdviceSubstitutions},
		{"drowssap", WarnCommon, AdviceReversed},
		{"aliddell", WarnPersonal, AdviceAvoidPersonal},
		{"wonderland", WarnPersonal, AdviceAvoidPersonal},
		{"aaaaaaaaaaaa", WarnRepeatedChar, AdviceAvoidRepeats},
		{"xqzxqzxqz", WarnRepeatedBlock, AdviceAvoidRepeats},
		{"6543210", WarnSequence, AdviceAvoidSequences},
		{"13.7.1984", WarnDate, AdviceAvoidDates},
		{"zxcvfr", WarnKeyPattern, AdviceLongerPattern},
		{"\xff", "", AdviceUseWords},
	} {
		s := Estimate(c.pw, alice)
		if s.Warning != c.warning || !slices.Contains(s.Advice, c.advice) || s.Value > 2 {
			t.Errorf("%q: %+v, want %q and %q", c.pw, s, c.warning, c.advice)
		}
	}
}

func TestOnlyTheBeginningOfALongPasswordIsScored(t *testing.T) {
	for _, more := range []string{"", "x", strings.Repeat("a", 10_000), strings.Repeat("日", 500)} {
		beginning := strings.Repeat("ab1 ", 16)
		if got, want := Estimate(beginning+more, nil), Estimate(beginning, nil); !reflect.DeepEqual(got, want) {
			t.Errorf("with %d bytes more: %+v, want %+v", len(more), got, want)
		}
	}
}

func TestScoreIsWithinItsRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		checkScore(t.Fatalf, drawPassword(t), []string{drawPassword(t), "alice"})
	})
}

func checkScore(fatalf func(string, ...any), pw string, personal []string) {
	s := Estimate(pw, personal)
	if s.Value < 0 || s.Value > MaxScore || s.Guesses < 0 || s.Guesses != s.Guesses || s.Seconds < 0 {
		fatalf("%q: %+v", pw, s)
	}
	if s.Value >= goodEnough != (s.Advice == nil) {
		fatalf("%q: score %d and advice %v", pw, s.Value, s.Advice)
	}
}

func FuzzEstimate(f *testing.F) {
	f.Add("Tr0ub4dor&3", "alice")
	f.Add("4@8({[<369!1|0$5+7%2", "")
	f.Add("aaaaabbbbb日日日日\U0001f511", "日")
	f.Add("1\u0660\u0661.\u0662.1999", "ſ")
	f.Fuzz(func(t *testing.T, pw, personal string) {
		checkScore(t.Fatalf, pw, []string{personal})
	})
}
