package names

import (
	"errors"
	"os"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

func TestUserNameHasOneForm(t *testing.T) {
	for in, want := range map[string]string{
		"alice":                 "alice",
		"Alice":                 "alice",
		"  ALICE\n":             "alice",
		"ａｌｉｃｅ":                 "alice",
		"José":                  "josé",
		"jose\u0301":            "josé",
		"João.Silva_99-x":       "joão.silva_99-x",
		"1984":                  "1984",
		"x":                     "x",
		"Дмитрий":               "дмитрий",
		"ΑΛΕΞΗΣ":                "αλεξησ", // Its skeleton is that of "αλεξης".
		"山田たろう":                 "山田たろう",
		"ヤマダ":                   "ヤマダ",
		"김철수":                   "김철수",
		"राम":                   "राम",
		"محمد":                  "محمد",
		"สมชาย":                 "สมชาย",
		strings.Repeat("é", 32): strings.Repeat("é", 32),
	} {
		if got, err := UserName(in); got != want || err != nil {
			t.Errorf("UserName(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestUserNameIsRefused(t *testing.T) {
	for in, want := range map[string]error{
		"":                                ErrEmpty,
		" \t\n":                           ErrEmpty,
		"\xff":                            ErrInvalidUTF8,
		"bob\xc3":                         ErrInvalidUTF8,
		strings.Repeat("a", 33):           ErrTooLong,
		strings.Repeat("é", 33):           ErrTooLong,
		strings.Repeat("a", 64<<20):       ErrTooLong,
		"a b":                             ErrCharacter,
		"alice@example.org":               ErrCharacter,
		".alice":                          ErrCharacter,
		"_":                               ErrCharacter,
		"-rf":                             ErrCharacter,
		"a/b":                             ErrCharacter,
		"a\\b":                            ErrCharacter,
		"a:b":                             ErrCharacter,
		"a'b":                             ErrCharacter,
		"a,b":                             ErrCharacter,
		"$(id)":                           ErrCharacter,
		"a\x00b":                          ErrCharacter,
		"a\x1b[31m":                       ErrCharacter,
		"a\u009bb":                        ErrCharacter,
		"a\u200bb":                        ErrCharacter,
		"a\u200db":                        ErrCharacter,
		"क\u094d\u200dष":                  ErrCharacter, // PRECIS lets a joiner stand here
		"a\u00adb":                        ErrCharacter,
		"a\u202eb":                        ErrCharacter,
		"l\u00b7l":                        ErrCharacter,
		"🔑":                               ErrCharacter,
		"a\ue000":                         ErrCharacter,
		"ﬁne":                             ErrCharacter,
		"\u0301a":                         ErrCharacter,
		"a.\u0301":                        ErrCharacter,
		"q" + strings.Repeat("\u0323", 9): ErrCharacter,
		"p\u0430ypal":                     ErrMixedScripts, // Cyrillic а
		"alice\u03bf":                     ErrMixedScripts, // Greek ο
		"taro太郎":                          ErrMixedScripts,
		"ひらがな한글":                          ErrMixedScripts,
		"ram\u0966":                       ErrMixedScripts, // a Devanagari zero
		"\u0661a1":                        ErrCharacter,    // digits of two systems, and bidi
		"ꓐꓳꓐ":                             ErrMixedScripts, // Lisu, not in daily use
		"a_\u0323b":                       ErrCharacter,    // a mark on nothing
		"राम1०":                           ErrMixedScripts, // one and zero of two systems
		"admin":                           ErrReserved,
		"Admin":                           ErrReserved,
		"ADM1N":                           ErrReserved,
		"r00t":                            ErrReserved,
		"post.master":                     ErrReserved,
		"post_ern":                        ErrReserved,
		"no-reply":                        ErrReserved,
		"\u0430\u0501m\u0456n":            ErrMixedScripts, // Latin m among Cyrillic
	} {
		if got, err := UserName(in); got != "" || !errors.Is(err, want) {
			t.Errorf("UserName(%.40q) = %q, %v; want %v", in, got, err, want)
		}
	}
}

func TestTwinsHaveOneSkeleton(t *testing.T) {
	for _, twins := range [][]string{
		{"paypal", "p\u0430yp\u0430l", "PAYPAL", "paypa1", "PaypaI", "ｐａｙｐａｌ", "𝐩𝐚𝐲𝐩𝐚𝐥", "pay\u200bpal", "раураӏ"},
		{"rn", "m", "M", "RN"},
		{"0", "o", "O", "\u043e", "\u03bf"},
		{"1", "l", "I", "i", "|", "L", "\u0456"},
		{"w", "vv", "VV"},
		{"josé", "jose\u0301", "JOSÉ"},
		{"straße", "strasse", "STRASSE"},
		{"scope", "ѕсоре"},
	} {
		for _, twin := range twins {
			if got, want := Skeleton(twin), Skeleton(twins[0]); got != want {
				t.Errorf("Skeleton(%q) = %q; of %q it is %q", twin, got, twins[0], want)
			}
		}
	}
	seen := make(map[string]string)
	for _, name := range []string{"alice", "bob", "josé", "jose", "a.b", "a-b", "a_b", "ab", "日本", "日木", "anna", "ana", ""} {
		s := Skeleton(name)
		if other, ok := seen[s]; ok {
			t.Errorf("%q and %q are taken for twins", name, other)
		}
		seen[s] = name
	}
}

func TestReservedNamesAndTheirTwins(t *testing.T) {
	for _, name := range []string{"admin", "root", "postern", "support", "security", "abuse", "postmaster", "hostmaster",
		"webmaster", "system", "nobody", "guest", "owner", "console", "api", "help", "info", "noreply", "daemon", "www",
		"mail", "operator", "Administrator", "\u0430dmin", "adrnin", "supp0rt", "-root-", "www.data"} {
		if !Reserved(name) {
			t.Errorf("%q is free", name)
		}
	}
	for _, name := range []string{"", "alice", "administer", "rooted", "mia"} {
		if Reserved(name) {
			t.Errorf("%q is reserved", name)
		}
	}
}

func TestEmailHasOneForm(t *testing.T) {
	label := strings.Repeat("a", 63)
	for in, want := range map[string]string{
		"alice@example.org":                        "alice@example.org",
		" Alice@Example.ORG\n":                     "Alice@example.org",
		"a.b+tag@x.co":                             "a.b+tag@x.co",
		"o'hara@example.ie":                        "o'hara@example.ie",
		"root@localhost":                           "root@localhost",
		"x@xn--bcher-kva.example":                  "x@xn--bcher-kva.example",
		"x@1and1.com":                              "x@1and1.com",
		"!#$%&'*+-/=?^_`{|}~@x.org":                "!#$%&'*+-/=?^_`{|}~@x.org",
		strings.Repeat("l", 64) + "@example.org":   strings.Repeat("l", 64) + "@example.org",
		"x@" + strings.Repeat(label+".", 3) + "de": "x@" + strings.Repeat(label+".", 3) + "de",
	} {
		if got, err := Email(in); got != want || err != nil {
			t.Errorf("Email(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

// ASVS 1.3.11: nothing that could add a header or a second recipient.
func TestEmailIsRefused(t *testing.T) {
	label := strings.Repeat("a", 63)
	for in, want := range map[string]error{
		"":                                       ErrEmpty,
		" ":                                      ErrEmpty,
		"alice":                                  ErrEmail,
		"@example.org":                           ErrEmail,
		"alice@":                                 ErrDomain,
		"a@b@c.org":                              ErrDomain,
		"Alice <alice@example.org>":              ErrEmail,
		"<alice@example.org>":                    ErrEmail,
		"a@x.org, b@x.org":                       ErrDomain,
		"a@x.org\r\nBcc: b@x.org":                ErrDomain,
		"a\r\nb@x.org":                           ErrEmail,
		"a\x00@x.org":                            ErrEmail,
		"a b@x.org":                              ErrEmail,
		`"a b"@x.org`:                            ErrEmail,
		"a(comment)@x.org":                       ErrEmail,
		".a@x.org":                               ErrEmail,
		"a.@x.org":                               ErrEmail,
		"a..b@x.org":                             ErrEmail,
		"josé@x.org":                             ErrEmail,
		"a@[192.0.2.1]":                          ErrDomain,
		"a@192.0.2.1":                            ErrDomain,
		"a@-x.org":                               ErrDomain,
		"a@x-.org":                               ErrDomain,
		"a@x..org":                               ErrDomain,
		"a@x.org.":                               ErrDomain,
		"a@.org":                                 ErrDomain,
		"a@ex_ample.org":                         ErrDomain,
		"a@ex\u0430mple.org":                     ErrDomain,
		"a@x.org\u202e":                          ErrDomain,
		"a@" + label + "a.org":                   ErrDomain,
		"\xff@x.org":                             ErrInvalidUTF8,
		strings.Repeat("l", 65) + "@example.org": ErrTooLong,
		"abcdef@" + strings.Repeat(label+".", 3) + strings.Repeat("b", 56): ErrTooLong,
		strings.Repeat("a", 64<<20):                                        ErrTooLong,
	} {
		if got, err := Email(in); got != "" || !errors.Is(err, want) {
			t.Errorf("Email(%.60q) = %q, %v; want %v", in, got, err, want)
		}
	}
}

func TestEmailKeyIgnoresCase(t *testing.T) {
	if a, b := EmailKey("Alice@Example.org"), EmailKey("aLICE@eXAMPLE.ORG "); a != b || a != "alice@example.org" {
		t.Errorf("%q and %q", a, b)
	}
	if k := EmailKey("not an address"); k != "" {
		t.Errorf("%q", k)
	}
}

func TestDisplayNameHasOneForm(t *testing.T) {
	for in, want := range map[string]string{
		"Alice Liddell":         "Alice Liddell",
		"  Ana   María ":        "Ana María",
		"jose\u0301":            "josé",
		"山田\u3000太郎":            "山田 太郎",
		"Tarō 太郎":               "Tarō 太郎",
		"O'Hara, Jr. (she/her)": "O'Hara, Jr. (she/her)",
		"I \u2764\ufe0f tea":    "I \u2764 tea",
		"ﬁ":                     "fi",
		"שלום":                  "שלום",
		strings.Repeat("é", 64): strings.Repeat("é", 64),
	} {
		if got, err := DisplayName(in); got != want || err != nil {
			t.Errorf("DisplayName(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestDisplayNameIsRefused(t *testing.T) {
	for in, want := range map[string]error{
		"": ErrEmpty, " \u3000": ErrEmpty, "\ufe0f": ErrEmpty,
		"\xff":                             ErrInvalidUTF8,
		strings.Repeat("a", 65):            ErrTooLong,
		strings.Repeat("a", 64<<20):        ErrTooLong,
		"a\nb":                             ErrCharacter,
		"a\tb":                             ErrCharacter,
		"a\x1b]0;x\a":                      ErrCharacter,
		"a\u009b":                          ErrCharacter,
		"a\u202eb":                         ErrCharacter,
		"a\u200bb":                         ErrCharacter,
		"क\u094d\u200dष":                   ErrCharacter,
		"a\U000e0041":                      ErrCharacter,
		"a\ue000":                          ErrCharacter,
		"\u3164":                           ErrCharacter,
		"\u2800":                           ErrCharacter,
		"a\ufffd":                          ErrCharacter,
		"\u0301":                           ErrCharacter,
		"q" + strings.Repeat("\u0335", 20): ErrCharacter,
	} {
		if got, err := DisplayName(in); got != "" || !errors.Is(err, want) {
			t.Errorf("DisplayName(%.40q) = %q, %v; want %v", in, got, err, want)
		}
	}
}

// Code points alone and between letters, as a user name and a display name: all
// of them in the long suite, otherwise a sample of the large uniform blocks.
func TestNoInvisibleCharacterIsInAName(t *testing.T) {
	long := os.Getenv("POSTERN_LONG") != ""
	for r := rune(0); r <= unicode.MaxRune; r++ {
		uniform := r >= 0x3100 && r < 0xa000 || r >= 0xac00 && r < 0xf900 || r >= 0x10000 && r>>8 != 0xe00 && r>>8 != 0xe01
		if uniform && !long && r%61 != 0 {
			continue
		}
		for _, s := range []string{string(r), "a" + string(r) + "b"} {
			for kind, f := range map[string]func(string) (string, error){"user": UserName, "display": DisplayName} {
				name, err := f(s)
				if err != nil {
					continue
				}
				for _, c := range name {
					if !unicode.IsPrint(c) || unicode.In(c, unicode.C, unicode.Bidi_Control, unicode.Variation_Selector,
						unicode.Other_Default_Ignorable_Code_Point) {
						t.Fatalf("%U is in the %s name of %U", c, kind, r)
					}
				}
			}
		}
	}
}

func someName() *rapid.Generator[string] {
	parts := []string{"a", "A", "é", "e\u0301", "ß", "İ", "ǅ", "\u0430", "\u0456", "ο", "Σ", "ς", "日", "か", "カ", "ｶ\uff9e", "한", "\u1100", "\u1161",
		"म", "\u094d", "\u200d", "ع", "ש", "1", "٣", "०", ".", "_", "-", "@", " ", "\u3000", "rn", "m", "0", "l", "I", "\ufe0f", "🔑", "\xff", "\u212a", "\u0345", "\u1e9e", "ŉ", "ᾳ"}
	return rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOfN(rapid.SampledFrom(parts), 0, 10),
		func(p []string) string { return strings.Join(p, "") }))
}

func TestCanonicalFormsStay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { checkForms(t.Fatalf, someName().Draw(t, "s")) })
}

func checkForms(fatalf func(string, ...any), s string) {
	for kind, c := range map[string]struct {
		f    func(string) (string, error)
		most int
	}{"user name": {UserName, MaxUserName}, "display name": {DisplayName, MaxDisplayName}, "e-mail": {Email, MaxEmail}} {
		out, err := c.f(s)
		if err != nil {
			var code Error
			if out != "" || !errors.As(err, &code) || code.Code() == "" {
				fatalf("%s of %q: %q, %v", kind, s, out, err)
			}
			continue
		}
		if again, err := c.f(out); again != out || err != nil {
			fatalf("%s of %q is %q, and of that %q, %v", kind, s, out, again, err)
		}
		if n := utf8.RuneCountInString(out); n < 1 || n > c.most || !norm.NFC.IsNormalString(out) {
			fatalf("%s of %q is %q", kind, s, out)
		}
		if kind == "user name" && (Skeleton(out) != Skeleton(strings.TrimSpace(s)) || Skeleton(out) == "") {
			fatalf("skeleton of %q is %q, of %q it is %q", out, Skeleton(out), s, Skeleton(s))
		}
	}
	once := Skeleton(s)
	if again := Skeleton(once); again != once {
		fatalf("skeleton of %q is %q, and of that %q", s, once, again)
	}
	if k := EmailKey(s); EmailKey(k) != k {
		fatalf("key of %q", s)
	}
}

func FuzzNames(f *testing.F) {
	for _, s := range []string{"alice", "p\u0430ypal", "a@b.c", "İ\u0307", "ｶ\uff9e", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { checkForms(t.Fatalf, s) })
}

func BenchmarkUserName(b *testing.B) {
	for _, name := range []string{"alice.liddell", "дмитрий", "山田たろう"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := UserName(name); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSkeleton(b *testing.B) {
	for b.Loop() {
		Skeleton("alice.liddell")
	}
}
