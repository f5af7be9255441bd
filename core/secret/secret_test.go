package secret

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// ASVS 6.5.3, 7.2.3.
func TestTokenHas256RandomBits(t *testing.T) {
	seen := make(map[string]bool)
	for range 1000 {
		token := Token(rand.Reader)
		raw, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil || len(raw) != 32 || seen[token] {
			t.Fatalf("%q: %v", token, err)
		}
		seen[token] = true
	}
	if got := Token(bytes.NewReader(make([]byte, 32))); got != strings.Repeat("A", 43) {
		t.Errorf("bits are not taken from the source: %q", got)
	}
}

func TestCodeIsWrittenInGroupsWithoutLookAlikes(t *testing.T) {
	shape := regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4})*$`)
	for groups := -1; groups <= 6; groups++ {
		code := Code(rand.Reader, groups)
		if want := max(groups, 1); !shape.MatchString(code) || strings.Count(code, "-") != want-1 {
			t.Errorf("Code(%d) = %q", groups, code)
		}
	}
}

// ASVS 6.5.4: every character carries five bits.
func TestEveryCharacterIsEquallyLikely(t *testing.T) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	code := Code(bytes.NewReader(all), 64)
	for _, c := range alphabet {
		if n := strings.Count(code, string(c)); n != 8 {
			t.Errorf("%q stands for %d of 256 bytes", c, n)
		}
	}
}

func TestAFailingSourceMakesNoSecret(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a secret was made of nothing")
		}
	}()
	Token(bytes.NewReader(make([]byte, 31)))
}

func TestCodeIsReadAsPeopleTypeIt(t *testing.T) {
	for in, want := range map[string]string{
		"7KQM-2XRP":               "7KQM-2XRP",
		"7kqm2xrp":                "7KQM-2XRP",
		" 7kqm 2xrp\n":            "7KQM-2XRP",
		"7KQM–2XRP":               "7KQM-2XRP",
		"7K-QM-2X-RP":             "7KQM-2XRP",
		"７ＫＱＭ－２ＸＲＰ":               "7KQM-2XRP",
		"7KQM\u200b2XRP\u00a0":    "7KQM-2XRP",
		"oOiI-lL01":               "0011-1101",
		"":                        "",
		"- -":                     "",
		"7KQM2XR":                 "7KQM-2XR",
		"7KQM-2XRP!":              "7KQM-2XRP-!",
		"UUUU":                    "UUUU",
		strings.Repeat("A", 2000): "",
		"\xff":                    "?",
	} {
		if got := NormalizeCode(in); got != want {
			t.Errorf("NormalizeCode(%.40q) = %q, want %q", in, got, want)
		}
	}
}

func TestACodeIsItsOwnForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SliceOfN(rapid.Byte(), 24, 24).Draw(t, "raw")
		code := Code(bytes.NewReader(raw), 6)
		for _, typed := range []string{code, strings.ToLower(code), strings.ReplaceAll(code, "-", ""), strings.ReplaceAll(code, "0", "o"),
			strings.ReplaceAll(code, "1", "l"), strings.ReplaceAll(code, "-", " ")} {
			if got := NormalizeCode(typed); got != code {
				t.Fatalf("%q is read as %q, not %q", typed, got, code)
			}
		}
	})
}

func FuzzNormalizeCode(f *testing.F) {
	f.Add("7kqm 2xrp")
	f.Add("ı\u2014ſ\xff")
	f.Fuzz(func(t *testing.T, s string) {
		once := NormalizeCode(s)
		if again := NormalizeCode(once); again != once {
			t.Fatalf("%q is read as %q, and that as %q", s, once, again)
		}
	})
}

func TestHashIsSHA256(t *testing.T) {
	if got := Hash("abc"); got != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" {
		t.Error(got)
	}
}

func TestEqual(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.String().Draw(t, "a"), rapid.String().Draw(t, "b")
		if Equal(a, b) != (a == b) || !Equal(a, a) {
			t.Fatalf("Equal(%q, %q)", a, b)
		}
	})
}
