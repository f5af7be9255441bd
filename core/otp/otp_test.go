package otp

import (
	"bytes"
	"crypto/rand"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/text/unicode/runenames"
	"pgregory.net/rapid"
)

// rfcSecret is the secret of the test vectors of RFC 4226 and RFC 6238.
var rfcSecret = []byte("12345678901234567890")

// ASVS 6.5.4.
func TestCodesOfRFC4226(t *testing.T) { // appendix D
	for counter, want := range []string{
		"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489",
	} {
		if got := Code(rfcSecret, int64(counter)); got != want {
			t.Errorf("counter %d: %s, want %s", counter, got, want)
		}
	}
}

func TestCodesOfRFC6238(t *testing.T) { // appendix B, SHA-1; the last six of eight digits
	for _, v := range []struct {
		unix int64
		step int64
		code string
	}{
		{59, 0x1, "94287082"},
		{1111111109, 0x23523EC, "07081804"},
		{1111111111, 0x23523ED, "14050471"},
		{1234567890, 0x273EF07, "89005924"},
		{2000000000, 0x3F940AA, "69279037"},
		{20000000000, 0x27BC86AA, "65353130"},
	} {
		step := Step(time.Unix(v.unix, 0))
		if step != v.step {
			t.Errorf("%d lies in step %#x, not %#x", v.unix, step, v.step)
		}
		if got, want := Code(rfcSecret, step), v.code[len(v.code)-Digits:]; got != want {
			t.Errorf("%d: %s, want %s", v.unix, got, want)
		}
	}
}

func TestStepsLastThirtySeconds(t *testing.T) {
	for unix, want := range map[int64]int64{0: 0, 29: 0, 30: 1, 59: 1, 60: 2, -1: -1, -30: -1, -31: -2} {
		if got := Step(time.Unix(unix, 0)); got != want {
			t.Errorf("second %d lies in step %d, not %d", unix, got, want)
		}
	}
	zone := time.FixedZone("", 5*3600+1800)
	now := time.Unix(1234567890, 999_999_999)
	if Step(now) != Step(now.In(zone)) {
		t.Error("the step depends on the time zone")
	}
}

// ASVS 6.5.3.
func TestSecretsHave160RandomBits(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		s := NewSecret(rand.Reader)
		if len(s) != 20 || seen[string(s)] {
			t.Fatalf("%x", s)
		}
		seen[string(s)] = true
	}
	if got := NewSecret(bytes.NewReader(rfcSecret)); !bytes.Equal(got, rfcSecret) {
		t.Errorf("bits are not taken from the source: %x", got)
	}
}

func TestAFailingSourceMakesNoSecret(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a secret was made of nothing")
		}
	}()
	NewSecret(bytes.NewReader(make([]byte, SecretBytes-1)))
}

func TestSecretsAreReadInGroupsOfFour(t *testing.T) {
	// RFC 4648 §10, and the example that every description of the format has.
	for in, want := range map[string][2]string{
		"":                       {"", ""},
		"f":                      {"MY", "MY"},
		"foo":                    {"MZXW6", "MZXW 6"},
		"foobar":                 {"MZXW6YTBOI", "MZXW 6YTB OI"},
		"Hello!\xde\xad\xbe\xef": {"JBSWY3DPEHPK3PXP", "JBSW Y3DP EHPK 3PXP"},
	} {
		if got := [2]string{Text([]byte(in)), Groups([]byte(in))}; got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if g := Groups(rfcSecret); strings.Count(g, " ") != 7 || strings.ReplaceAll(g, " ", "") != Text(rfcSecret) {
		t.Error(g)
	}
}

func TestCodesAreReadAsPeopleTypeThem(t *testing.T) {
	for in, want := range map[string]string{
		"402113":             "402113",
		"000000":             "000000",
		" 402 113\n":         "402113",
		"402-113":            "402113",
		"402\u2013113":       "402113",
		"402\u00a0113\u202f": "402113",
		"\u200e402\u200b113": "402113",
		"\uff14\uff10\uff12\u3000\uff11\uff11\uff13":                   "402113", // full width
		"\u0664\u0660\u0662\u0661\u0661\u0663":                         "402113", // Arabic
		"\u06f4\u06f0\u06f2\u06f1\u06f1\u06f3":                         "402113", // Persian
		"\u096a\u0966\u0968\u0967\u0967\u0969":                         "402113", // Devanagari
		"\U0001d7d2\U0001d7ce\U0001d7d0\U0001d7e3\U0001d7ed\U0001d7f9": "402113", // mathematical
		"":                                     "",
		"40211":                                "",
		"4021133":                              "",
		"40211O":                               "",
		"402.113":                              "",
		"+402113":                              "",
		"\u00b2\u00b2\u00b2\u00b2\u00b2\u00b2": "", // superscripts are no decimal digits
		"402113\xff":                           "",
		"402113" + strings.Repeat(" ", maxTyped-6): "402113",
		"402113" + strings.Repeat(" ", maxTyped-5): "",
	} {
		if got, ok := NormalizeCode(in); got != want || ok != (want != "") {
			t.Errorf("NormalizeCode(%.40q) = %q, %v, want %q", in, got, ok, want)
		}
	}
}

// TestDigitsOfEveryScript asks Unicode's own names what each digit is worth.
func TestDigitsOfEveryScript(t *testing.T) {
	words := strings.Fields("ZERO ONE TWO THREE FOUR FIVE SIX SEVEN EIGHT NINE")
	seen := 0
	for r := rune(0); r <= unicode.MaxRune; r++ {
		v, ok := digit(r)
		if ok != unicode.Is(unicode.Nd, r) {
			t.Fatalf("%U: a digit is %v", r, ok)
		}
		if name := runenames.Name(r); ok && name != "" {
			seen++
			if !strings.HasSuffix(name, " "+words[v]) {
				t.Errorf("%U %s is read as %d", r, name, v)
			}
		}
	}
	if seen < 500 {
		t.Errorf("only %d digits have names", seen)
	}
}

func TestACodeIsItsOwnForm(t *testing.T) {
	digits := rapid.StringMatching(`[0-9]{6}`)
	noise := rapid.StringOfN(rapid.SampledFrom([]rune(" -\t\u00a0\u2013\u2212\u200b\u3000")), 0, 3, -1)
	// A raised minus is a sign, and a dash all the same.
	letters := rapid.RuneFrom(nil, unicode.L, unicode.No, unicode.S).Filter(func(r rune) bool { return !unicode.Is(unicode.Dash, r) })
	rapid.Check(t, func(t *rapid.T) {
		code := digits.Draw(t, "code")
		var typed strings.Builder
		for _, c := range code {
			typed.WriteString(noise.Draw(t, "noise"))
			if rapid.Bool().Draw(t, "wide") {
				c += '\uff10' - '0'
			}
			typed.WriteRune(c)
		}
		typed.WriteString(noise.Draw(t, "noise"))
		if got, ok := NormalizeCode(typed.String()); got != code || !ok {
			t.Fatalf("%q is read as %q, not %q", typed.String(), got, code)
		}
		letter := letters.Draw(t, "letter")
		if got, ok := NormalizeCode(code + string(letter)); ok {
			t.Fatalf("%q is read as %q", code+string(letter), got)
		}
	})
}

func FuzzNormalizeCode(f *testing.F) {
	f.Add("402 113")
	f.Add("\uff14\u0660\u2212\u0968\u0967\u0967\u0969\xff")
	f.Fuzz(func(t *testing.T, s string) {
		once, ok := NormalizeCode(s)
		if !ok {
			if once != "" {
				t.Fatalf("%q is refused and read as %q", s, once)
			}
			return
		}
		if len(once) != Digits || strings.Trim(once, "0123456789") != "" {
			t.Fatalf("%q is read as %q", s, once)
		}
		if again, ok := NormalizeCode(once); again != once || !ok {
			t.Fatalf("%q is read as %q, and that as %q", s, once, again)
		}
	})
}
