package secret

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
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

// ASVS 6.5.2: what is kept of a code tells nothing without the key, and a code of
// one kind is none of another.
func TestKeyedHashIsHMAC(t *testing.T) {
	// The zero byte is what parts the purpose from the code (HMAC: RFC 2104).
	mac := hmac.New(sha256.New, []byte("Jefe"))
	mac.Write([]byte("what do ya want\x00for nothing?"))
	if got, want := KeyedHash([]byte("Jefe"), "what do ya want", "for nothing?"), hex.EncodeToString(mac.Sum(nil)); got != want || len(got) != 64 {
		t.Errorf("%s, want %s", got, want)
	}
	key := []byte("0123456789abcdef0123456789abcdef")
	seen := map[string]string{}
	for what, hash := range map[string]string{
		"a code": KeyedHash(key, "recovery", "123456"), "another code": KeyedHash(key, "recovery", "123457"),
		"another purpose": KeyedHash(key, "signin", "123456"), "another key": KeyedHash(key[1:], "recovery", "123456"),
		"another boundary": KeyedHash(key, "recovery1", "23456"), "nothing": KeyedHash(key, "", ""), "no key": KeyedHash(nil, "recovery", "123456"),
	} {
		if same, there := seen[hash]; there {
			t.Errorf("%s has the hash of %s", what, same)
		}
		seen[hash] = what
	}
	if KeyedHash(key, "recovery", "123456") == Hash("123456") {
		t.Error("a plain hash")
	}
}

// ASVS 6.5.4: no digit is likelier than another.
func TestEveryDigitIsEquallyLikely(t *testing.T) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	code := Digits(bytes.NewReader(all), 250) // which is all that may be used of them
	for d := '0'; d <= '9'; d++ {
		if n := strings.Count(code, string(d)); n != 25 {
			t.Errorf("%q stands for %d of 250 bytes", d, n)
		}
	}
	if got := Digits(bytes.NewReader([]byte{250, 255, 7, 254, 19, 3, 249, 0, 0, 0, 0}), 4); got != "7939" {
		t.Errorf("bytes beyond the last multiple of ten give %q", got)
	}
	shape := regexp.MustCompile(`^[0-9]{6}$`)
	var count [6]map[byte]int
	for i := range count {
		count[i] = map[byte]int{}
	}
	const n = 20_000
	for range n {
		code := Digits(rand.Reader, 6)
		if !shape.MatchString(code) {
			t.Fatalf("%q", code)
		}
		for i := range count {
			count[i][code[i]]++
		}
	}
	for i, digits := range count {
		for d, got := range digits { // 2,000 each; seven standard deviations are 297
			if got < n/10-300 || got > n/10+300 {
				t.Errorf("%q stands %d times at %d", d, got, i)
			}
		}
	}
	if got := Digits(rand.Reader, 0); got != "" {
		t.Errorf("no digits are %q", got)
	}
}

// Whoever has key and seed writes the same code down again; nobody else does.
func TestADerivedCodeFollowsFromKeyPurposeAndSeed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(t, "key")
		purpose, seed := rapid.StringMatching(`[a-z ]{0,12}`).Draw(t, "purpose"), rapid.String().Draw(t, "seed")
		groups := rapid.IntRange(1, 8).Draw(t, "groups")
		code := Derive(key, purpose, seed, groups)
		if code != Derive(bytes.Clone(key), purpose, seed, groups) || len(code) != groups*(GroupLen+1)-1 || NormalizeCode(code) != code {
			t.Fatalf("%q", code)
		}
		if groups < 3 {
			return // of so few bits two may be the same
		}
		for _, other := range []string{Derive(append(bytes.Clone(key), 1), purpose, seed, groups), Derive(key, purpose+"x", seed, groups),
			Derive(key, purpose, seed+"x", groups), Derive(key, "", purpose+seed, groups)} {
			if other == code && purpose != "" {
				t.Fatalf("another one gives %q too", code)
			}
		}
	})
}
