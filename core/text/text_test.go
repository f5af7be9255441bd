package text

import (
	"encoding/csv"
	"errors"
	"math"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

func TestCleanBringsALineIntoOneForm(t *testing.T) {
	for in, want := range map[string]string{
		"":                        "",
		"   ":                     "",
		"Ana":                     "Ana",
		"  Ana  Maria\n":          "Ana  Maria",
		"e\u0301":                 "é",
		"non\u00a0breaking":       "non breaking",
		"日本\u3000語":               "日本 語",
		"I \u2764\ufe0f it":       "I \u2764 it",
		"Zoë d'Ávila-Núñez (3rd)": "Zoë d'Ávila-Núñez (3rd)",
		"שלום":                    "שלום",
		"นํ้า":                    "นํ้า",
		"🔑":                       "🔑",
	} {
		if got, err := Clean(in, math.MaxInt); got != want || err != nil {
			t.Errorf("Clean(%q) without a limit = %q, %v", in, got, err)
		}
		if got, err := Clean(in, 64); got != want || err != nil {
			t.Errorf("Clean(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

// ASVS 1.1.1, 2.2.1: what a field does not expect is refused, not repaired.
func TestCleanRefuses(t *testing.T) {
	for in, want := range map[string]error{
		"\xff":                             ErrInvalid,
		"caf\xe9":                          ErrInvalid,
		"\xed\xa0\x80":                     ErrInvalid, // a surrogate
		"\xc0\xaf":                         ErrInvalid, // overlong
		"damaged \ufffd":                   ErrInvalid,
		"two\nlines":                       ErrControl,
		"two\u2028lines":                   ErrControl,
		"a\tb":                             ErrControl,
		"\x1b[31mred":                      ErrControl,
		"\u009b31mred":                     ErrControl,
		"nul\x00":                          ErrControl,
		"del\x7f":                          ErrControl,
		"user\u202egnp.exe":                ErrControl, // override
		"\u2066isolate\u2069":              ErrControl,
		"mark\u200f":                       ErrControl,
		"zero\u200bwidth":                  ErrControl,
		"join\u200der":                     ErrControl,
		"\ufeffbom":                        ErrControl,
		"soft\u00adhyphen":                 ErrControl,
		"tag \U000e0041":                   ErrControl,
		"variation \U000e0100":             ErrControl,
		"private \ue000":                   ErrControl,
		"private \U0010fffd":               ErrControl,
		"unassigned \u0378":                ErrControl,
		"noncharacter \ufdd0":              ErrControl,
		"filler \u3164":                    ErrControl,
		"filler \u115f":                    ErrControl,
		"blank \u2800":                     ErrControl,
		"object \ufffc":                    ErrControl,
		"\u0301first":                      ErrMarks,
		"z" + strings.Repeat("\u0335", 20): ErrMarks,
		strings.Repeat("a", 65):            ErrTooLong,
		strings.Repeat("a", 64<<20):        ErrTooLong,
	} {
		if got, err := Clean(in, 64); got != "" || !errors.Is(err, want) {
			t.Errorf("Clean(%.40q) = %q, %v; want %v", in, got, err, want)
		}
	}
}

func TestRequiredRefusesWhatIsLeftEmpty(t *testing.T) {
	for _, in := range []string{"", " ", "\n", "\u3000", "\ufe0f"} {
		if _, err := Required(in, 64); !errors.Is(err, ErrEmpty) {
			t.Errorf("Required(%q): %v", in, err)
		}
	}
	if got, err := Required(" a ", 1); got != "a" || err != nil {
		t.Errorf("Required = %q, %v", got, err)
	}
}

func TestEscapeShowsWhatCannotBeSeen(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                           "plain",
		"é 日本 🔑":                          "é 日本 🔑",
		"\x1b]0;title\a":                  "␛]0;title␇",
		"\x1b]8;;http://evil\x1b\\x":      "␛]8;;http://evil␛\\x",
		"a\r\nb\t":                        "a␍␊b␉",
		"\x7f\x00":                        "␡␀",
		"\u009b31m":                       `\u{9b}31m`,
		"\x9b31m":                         `\x{9b}31m`,
		"\u202egnp":                       `\u{202e}gnp`,
		"z\u200bw":                        `z\u{200b}w`,
		"\U000e0041":                      `\u{e0041}`,
		"\u00a0":                          " ",
		"\xff\xfe":                        `\x{ff}\x{fe}`,
		"\u0301x":                         "\u25cc\u0301x",
		"a" + strings.Repeat("\u0335", 5): "a" + strings.Repeat("\u0335", 4) + `\u{335}`,
		"\ufffd":                          "\ufffd",
	} {
		if got := Escape(in); got != want {
			t.Errorf("Escape(%q) = %q, want %q", in, got, want)
		}
	}
}

// ASVS 1.2.10.
func TestFormulasAreCellsOfText(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", "": "", "a=b": "a=b",
		"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)",
		" =1": "' =1", "\u00a0=1": "' =1", "＝1": "'＝1", "＋1": "'＋1", "－1": "'－1", "＠x": "'＠x", "−1": "'−1",
		"\t=1": "␉=1", "\r=1": "␍=1", "\x00=1": "␀=1", "\ufeff=1": `\u{feff}=1`,
		"=cmd|'/C calc'!A0": "'=cmd|'/C calc'!A0",
	} {
		if got := CSV(in); got != want {
			t.Errorf("CSV(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestTruncateCountsCells(t *testing.T) {
	for _, c := range []struct {
		in    string
		cells int
		want  string
	}{
		{"short", 10, "short"}, {"exact", 5, "exact"}, {"too long", 5, "too …"}, {"x", 0, ""}, {"x", -1, ""},
		{"long", 1, "…"}, {"日本語", 4, "日…"}, {"日本語", 6, "日本語"}, {"日本語", 1, "…"},
		{"👩🏽\u200d🚀👩🏽\u200d🚀", 3, "👩🏽\u200d🚀…"},
	} {
		if got := Truncate(c.in, c.cells); got != c.want {
			t.Errorf("Truncate(%q, %d) = %q, want %q", c.in, c.cells, got, c.want)
		}
	}
}

func foreign() *rapid.Generator[string] {
	nasty := []string{"\x1b", "\x1b]8;;", "\x1b\\", "\a", "\u009b", "\x9b", "\u202e", "\u2066", "\u200b", "\u200d",
		"\ufeff", "\ufe0f", "\u0301", "\u0335", "\u3164", "\U000e0041", "\ue000", "\u0378", "\xff", "\xed\xa0\x80", "\n", "\r", "\x00",
		" ", "\u00a0", "=", "+", "＝", "'", "日", "é", "👩🏽", "x", "\u1100", "\u1161", "\u0f73"}
	return rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOfN(rapid.SampledFrom(nasty), 0, 12),
		func(parts []string) string { return strings.Join(parts, "") }))
}

func TestNothingUnseenSurvivesEscape(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { checkEscape(t.Fatalf, foreign().Draw(t, "s")) })
}

func checkEscape(fatalf func(string, ...any), s string) {
	out := Escape(s)
	if !utf8.ValidString(out) {
		fatalf("Escape(%q) is not UTF-8: %q", s, out)
	}
	for _, r := range out {
		if unicode.In(r, unicode.C, unicode.Zl, unicode.Zp, unicode.Bidi_Control, unicode.Variation_Selector) || !Visible(r) {
			fatalf("%U survives Escape(%q)", r, s)
		}
	}
	if stripped := ansi.Strip(out); stripped != out {
		fatalf("Escape(%q) still holds a sequence: %q", s, out)
	}
	if again := Escape(out); again != out {
		fatalf("Escape(%q) = %q, and again %q", s, out, again)
	}
	if runaway(out) {
		fatalf("marks run away from Escape(%q): %q", s, out)
	}
	cell := CSV(s)
	if again := CSV(cell); again != cell {
		fatalf("CSV(%q) = %q, and again %q", s, cell, again)
	}
	if strings.ContainsAny(strings.TrimLeft(cell, " ")[:min(1, len(strings.TrimLeft(cell, " ")))], "=+-@\t\r\x00") {
		fatalf("CSV(%q) = %q begins a formula", s, cell)
	}
	for _, cells := range []int{0, 1, 2, 7, 80} {
		if w := ansi.StringWidth(Truncate(out, cells)); w > cells {
			fatalf("Truncate(%q, %d) is %d cells wide", out, cells, w)
		}
	}
}

func TestCleanTextNeedsNoEscape(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		checkClean(t.Fatalf, foreign().Draw(t, "s"), rapid.IntRange(0, 20).Draw(t, "max"))
	})
}

func checkClean(fatalf func(string, ...any), s string, most int) {
	out, err := Clean(s, most)
	if err != nil {
		if out != "" {
			fatalf("Clean(%q) = %q with %v", s, out, err)
		}
		return
	}
	if again, err := Clean(out, most); again != out || err != nil {
		fatalf("Clean(%q) = %q, and again %q, %v", s, out, again, err)
	}
	if utf8.RuneCountInString(out) > most || !norm.NFC.IsNormalString(out) || strings.TrimSpace(out) != out {
		fatalf("Clean(%q) = %q is not canonical", s, out)
	}
	if Escape(out) != out {
		fatalf("Clean(%q) = %q has to be escaped", s, out)
	}
}

// A table written with the standard writer is read back cell by cell.
func TestCellsSurviveTheWriter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		row := []string{CSV(foreign().Draw(t, "a")), CSV(foreign().Draw(t, "b"))}
		var b strings.Builder
		w := csv.NewWriter(&b)
		if err := w.Write(row); err != nil {
			t.Fatal(err)
		}
		w.Flush()
		got, err := csv.NewReader(strings.NewReader(b.String())).Read()
		if err != nil || got[0] != row[0] || got[1] != row[1] {
			t.Fatalf("%q came back as %q, %v", row, got, err)
		}
	})
}

func FuzzEscape(f *testing.F) {
	f.Add("\x1b]0;owned\a")
	f.Add("\xff\u202e\u0301")
	f.Fuzz(func(t *testing.T, s string) { checkEscape(t.Fatalf, s) })
}

func FuzzClean(f *testing.F) {
	f.Add("e\u0301\ufe0f", 10)
	f.Fuzz(func(t *testing.T, s string, most int) { checkClean(t.Fatalf, s, most) })
}

func BenchmarkEscape(b *testing.B) {
	for b.Loop() {
		Escape("Ana María Núñez \x1b]0;x\a from 2001:db8::1")
	}
}
