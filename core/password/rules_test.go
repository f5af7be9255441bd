package password

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

var allRules = Rules{
	UpperLower: true, LettersDigits: true, Special: true, MinLength: 12, MinScore: 3,
	RefuseCommon: true, RefusePersonal: true,
}

func states(checks []Check) map[Rule]State {
	m := make(map[Rule]State)
	for _, c := range checks {
		m[c.Rule] = c.State
	}
	return m
}

func TestRulesTick(t *testing.T) {
	for _, c := range []struct {
		pw   string
		rule Rule
		want State
	}{
		{"elevenchars", RuleMinLength, Fail},
		{"twelve chars", RuleMinLength, Pass},
		{"日本語のパスワードは長い", RuleMinLength, Pass},                               // 12 characters, 36 bytes
		{"e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301", RuleMinLength, Fail}, // 6 after NFC
		{"lower only", RuleUpperLower, Fail},
		{"UPPER ONLY", RuleUpperLower, Fail},
		{"Both", RuleUpperLower, Pass},
		{"Ünïcode", RuleUpperLower, Pass},
		{"Éü", RuleUpperLower, Pass},
		{"letters", RuleLettersDigits, Fail},
		{"12345", RuleLettersDigits, Fail},
		{"a1", RuleLettersDigits, Pass},
		{"й٣", RuleLettersDigits, Pass},
		{"plain1", RuleSpecial, Fail},
		{"with space", RuleSpecial, Pass},
		{"sign!", RuleSpecial, Pass},
		{"🔑", RuleSpecial, Pass},
		{"q\u0307", RuleSpecial, Fail}, // a mark is part of its letter
		{"", RuleCommon, Pending},
		{"password", RuleCommon, Fail},
		{"PassW0rd", RuleCommon, Fail},
		{"P@$$word", RuleCommon, Fail},
		{"qwertyuiop", RuleCommon, Fail},
		{"vexing marmots", RuleCommon, Pass},
		{"", RulePersonal, Pending},
		{"", RuleMinScore, Pending},
	} {
		got := states(allRules.Evaluate(Input{Password: c.pw}))
		if got[c.rule] != c.want {
			t.Errorf("%s of %q is %v, want %v", c.rule, c.pw, got[c.rule], c.want)
		}
	}
}

// ASVS 6.2.4.
func TestMostUsedPasswordsAreCommon(t *testing.T) {
	for _, pw := range []string{"123456", "password", "12345678", "qwerty", "letmein", "iloveyou", "PASSWORD", "pássword", "ｐａｓｓｗｏｒｄ"} {
		if !Common(pw) {
			t.Errorf("%q is not common", pw)
		}
	}
	for _, pw := range []string{"", "\n", "vexing marmots dance", "zzzzzzzzzzzzzzzzzzzzzzzz\u00ff", "\x00", "~~~~~~~~~"} {
		if Common(pw) {
			t.Errorf("%q is common", pw)
		}
	}
}

func TestEveryLineOfTheListIsFound(t *testing.T) {
	lines := strings.Split(strings.TrimSuffix(commonList, "\n"), "\n")
	if !slices.IsSorted(lines) || len(lines) < 45_000 {
		t.Fatalf("%d lines, sorted: %v", len(lines), slices.IsSorted(lines))
	}
	for _, line := range lines {
		if Fold(line) != line {
			t.Errorf("%q is not folded", line)
		}
		if !Common(line) {
			t.Errorf("%q is not found", line)
		}
	}
}

// ASVS 6.2.11.
func TestPersonalWordsAreRefused(t *testing.T) {
	who := []string{"alice.liddell", "Alice Pleasance Liddell", "white-rabbit@wonderland.example", "Postern", "João", "Li"}
	for pw, want := range map[string]bool{
		"AliceInChains":       true,
		"my l1dd3ll password": true,
		"l|dd3ll":             true,
		"lleddil backwards":   true,
		"wonderland4ever":     true,
		"xx_rabbit_xx":        true,
		"whiterabbit99":       true,
		"p0st3rn!":            true,
		"joao e maria":        true,
		"JOÃO!":               true,
		"ALICELIDDELL":        true,
		"easan":               true, // it is in "Pleasance"
		"lily of the valley":  false,
		"ali":                 false,
		"vexing marmots":      false,
		"":                    false,
	} {
		if got := Personal(pw, who); got != want {
			t.Errorf("Personal(%q) = %v", pw, got)
		}
	}
}

func TestUnusablePasswordFailsOnlyThatLineInAddition(t *testing.T) {
	for pw, rule := range map[string]Rule{
		"good enough\xff":          RuleEncoding,
		strings.Repeat("ab", 200):  RuleMaxBytes,
		strings.Repeat("a", 1<<20): RuleMaxBytes,
		"tab\tin the middle":       RuleControl,
		"C1 \u009b control":        RuleControl,
	} {
		checks := Rules{}.Evaluate(Input{Password: pw})
		if len(checks) != 2 || checks[0].Rule != rule || checks[0].State != Fail || checks[1] != (Check{RuleMinLength, Pass, 8}) {
			t.Errorf("%.20q: %+v", pw, checks)
		}
	}
}

// ASVS 6.2.5: without composition rules, any long enough password passes.
func TestWithoutCompositionRulesAnyLongPasswordPasses(t *testing.T) {
	rules := Rules{MinLength: 15, RefuseCommon: true, RefusePersonal: true}
	for _, pw := range []string{"xkqjvzwpmfhbgtr", "               ", "日本語日本語日本語日本語日本語", strings.Repeat("é", 64)} {
		if checks := rules.Evaluate(Input{Password: pw, Personal: []string{"alice"}}); !Passed(checks) {
			t.Errorf("%q: %+v", pw, checks)
		}
	}
}

// ASVS 6.2.9: 64 characters of any script fit.
func TestSixtyFourCharactersOfAnyScriptFit(t *testing.T) {
	for _, c := range []string{"a", "é", "日", "🔑"} {
		if _, err := Normalize(strings.Repeat(c, 64)); err != nil {
			t.Errorf("64 of %q: %v", c, err)
		}
	}
}

func TestScoreNotKnownYetIsPendingAndNotAccepted(t *testing.T) {
	rules := Rules{MinScore: 3}
	in := Input{Password: "vexing marmots dance"}
	if c := rules.Evaluate(in); states(c)[RuleMinScore] != Pending || Passed(c) {
		t.Errorf("%+v", c)
	}
	for value, want := range map[int]State{0: Fail, 2: Fail, 3: Pass, 4: Pass} {
		in.Score = &Score{Value: value}
		if got := states(rules.Evaluate(in))[RuleMinScore]; got != want {
			t.Errorf("score %d: %v", value, got)
		}
	}
}

func TestRulesOutOfBoundsAreRefusedAndHarmless(t *testing.T) {
	for _, r := range []Rules{{}, {MinLength: 7}, {MinLength: 65}, {MinLength: 8, MinScore: 5}, {MinLength: 8, MinScore: -1}} {
		if r.Validate() == nil {
			t.Errorf("%+v is valid", r)
		}
	}
	if err := allRules.Validate(); err != nil {
		t.Error(err)
	}
	for set, want := range map[int]int{-5: 8, 0: 8, 8: 8, 15: 15, 64: 64, 1000: 64} {
		if got := (Rules{MinLength: set}).Evaluate(Input{})[0].N; got != want {
			t.Errorf("MinLength %d asks for %d", set, got)
		}
	}
}

func drawRules(t *rapid.T) Rules {
	return Rules{
		UpperLower: rapid.Bool().Draw(t, "upper_lower"), LettersDigits: rapid.Bool().Draw(t, "letters_digits"),
		Special: rapid.Bool().Draw(t, "special"), MinLength: rapid.IntRange(0, 70).Draw(t, "min_length"),
		MinScore: rapid.IntRange(0, 4).Draw(t, "min_score"), RefuseCommon: rapid.Bool().Draw(t, "common"),
		RefusePersonal: rapid.Bool().Draw(t, "personal"),
	}
}

func drawPassword(t *rapid.T) string {
	return rapid.OneOf(rapid.String(), rapid.StringN(0, 80, 400), rapid.SampledFrom([]string{"password", "Tr0ub4dor&3", "\xff\xfe", "alice1234"}),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "password")
}

func TestEvaluateIsPureAndItsOrderStable(t *testing.T) {
	order := []Rule{RuleEncoding, RuleMaxBytes, RuleControl, RuleMinLength, RuleUpperLower, RuleLettersDigits,
		RuleSpecial, RuleCommon, RulePersonal, RuleMinScore}
	rapid.Check(t, func(t *rapid.T) {
		rules, in := drawRules(t), Input{Password: drawPassword(t), Personal: []string{"alice", drawPassword(t)}}
		personal := slices.Clone(in.Personal)
		checks := rules.Evaluate(in)
		if !reflect.DeepEqual(checks, rules.Evaluate(in)) || !slices.Equal(personal, in.Personal) {
			t.Fatal("two evaluations differ, or the input was changed")
		}
		last := -1
		for _, c := range checks {
			at := slices.Index(order, c.Rule)
			if at <= last {
				t.Fatalf("order: %+v", checks)
			}
			last = at
		}
	})
}

// What composition and length ask for is not lost by typing on.
func TestTypingOnNeverBreaksWhatItReached(t *testing.T) {
	positive := []Rule{RuleMinLength, RuleUpperLower, RuleLettersDigits, RuleSpecial}
	rapid.Check(t, func(t *rapid.T) {
		pw := rapid.StringMatching(`[a-zA-Z0-9 é日!]{0,80}`).Draw(t, "password")
		more := pw + rapid.StringMatching(`[a-zA-Z0-9 !]{1,20}`).Draw(t, "more")
		rules := drawRules(t)
		before, after := states(rules.Evaluate(Input{Password: pw})), states(rules.Evaluate(Input{Password: more}))
		for _, rule := range positive {
			if before[rule] == Pass && after[rule] != Pass {
				t.Fatalf("%s passes for %q and not for %q", rule, pw, more)
			}
		}
	})
}

// A stricter policy accepts nothing that a laxer one refuses.
func TestStricterRulesAcceptNoMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lax := drawRules(t)
		strict := lax
		strict.UpperLower, strict.Special, strict.RefuseCommon, strict.RefusePersonal = true, true, true, true
		strict.MinLength += rapid.IntRange(0, 10).Draw(t, "longer")
		strict.MinScore = min(4, lax.MinScore+rapid.IntRange(0, 4).Draw(t, "stronger"))
		in := Input{Password: drawPassword(t), Personal: []string{"alice"}, Score: &Score{Value: rapid.IntRange(0, 4).Draw(t, "score")}}
		if Passed(strict.Evaluate(in)) && !Passed(lax.Evaluate(in)) {
			t.Fatalf("%+v accepts %q, %+v does not", strict, in.Password, lax)
		}
	})
}

func TestNormalizingTwiceChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		once, err := Normalize(drawPassword(t))
		if err != nil {
			return
		}
		if twice, err := Normalize(once); twice != once || err != nil {
			t.Fatalf("Normalize(%q) = %q, %v", once, twice, err)
		}
		if !utf8.ValidString(once) || len(once) > MaxBytes || !norm.NFC.IsNormalString(once) {
			t.Fatalf("not normal: %q", once)
		}
	})
}

func FuzzEvaluate(f *testing.F) {
	f.Add("correct horse battery staple", "alice@example.org")
	f.Add("\xff\xfe\x00", "")
	f.Add(strings.Repeat("\u0300", 300), strings.Repeat("a\u0300", 2000))
	f.Fuzz(func(t *testing.T, pw, personal string) {
		checks := allRules.Evaluate(Input{Password: pw, Personal: []string{personal}})
		if _, err := Normalize(pw); err != nil && Passed(checks) {
			t.Fatal("an unusable password passes")
		}
	})
}

func BenchmarkEvaluate(b *testing.B) {
	personal := []string{"alice", "Alice Pleasance Liddell", "alice.liddell@wonderland.example", "Postern"}
	for _, c := range []struct{ name, pw string }{
		{"words", "correct horse battery staple"},
		{"unicode256", strings.Repeat("é日", 51)},
		{"paste64MiB", strings.Repeat("a", 64<<20)},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				allRules.Evaluate(Input{Password: c.pw, Personal: personal})
			}
		})
	}
}
