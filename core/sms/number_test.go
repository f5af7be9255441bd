package sms_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"postern/core/sms"
)

func TestANumberIsReadHoweverItIsWritten(t *testing.T) {
	for s, want := range map[string]string{
		"+5511987654321": number, "+55 (11) 98765-4321": number, "+55.11.98765.4321": number, "0055 11 98765 4321": number,
		"00 55 11987654321": number, " +55 11 98765‑4321 ": number, "＋５５　１１　９８７６５－４３２１": number, "(+55) 11 98765–4321": number,
		"+1234567": "+1234567", "+123456789012345": "+123456789012345",
		"": "", "   ": "", "+": "", "+123456": "", "+1234567890123456": "", "11987654321": "", "+0511987654321": "", "000511987654321": "", "+00 55 11987654321": "",
		"++5511987654321": "", "55+11987654321": "", "+5511987654321x12": "", "+55119876ABCD": "", "+55\t11987654321": "", "+55\n11987654321": "", "+5511987654321\x00": "",
		"+٥٥١١٩٨٧٦٥٤٣٢١": "", "+55\u202e11987654321": "", "+55\xff11987654321": "", "ada@example.org": "", "+55/11987654321": "",
		"+55 11 98765 4321" + strings.Repeat(" ", 60): "", strings.Repeat("9", 1<<20): "",
	} {
		got, err := sms.Number(s)
		if got != want || (err == nil) != (want != "") || err != nil && !errors.Is(err, sms.ErrNumber) {
			t.Errorf("%.80q: %q, %v; want %q", s, got, err, want)
		}
	}
}

func FuzzNumber(f *testing.F) {
	for _, s := range []string{"+55 (11) 98765-4321", "0055", "＋５５", "+", "((((", "+1 \u2028", "\xff", "+000000000"} {
		f.Add(s)
	}
	shape := regexp.MustCompile(`^\+[1-9]\d{6,14}$`)
	f.Fuzz(func(t *testing.T, s string) {
		got, err := sms.Number(s)
		if err != nil {
			if got != "" || !errors.Is(err, sms.ErrNumber) {
				t.Fatalf("%q: %q, %v", s, got, err)
			}
			return
		}
		if !shape.MatchString(got) || len(s) > 64 {
			t.Fatalf("%q: %q", s, got)
		}
		if again, err := sms.Number(got); err != nil || again != got {
			t.Fatalf("%q is read again as %q, %v", got, again, err)
		}
		// No digit is lost, and none comes in.
		var digits strings.Builder
		for _, r := range s {
			if r >= '０' && r <= '９' {
				r -= '０' - '0'
			}
			if r >= '0' && r <= '9' {
				digits.WriteRune(r)
			}
		}
		if strings.TrimPrefix(digits.String(), "00") != got[1:] {
			t.Fatalf("%q became %q", s, got)
		}
		if masked := sms.Mask(got); strings.Contains(masked, got[3:]) {
			t.Fatalf("%q is no mask of %q", masked, got)
		}
	})
}

// ASVS 14.2.6.
func TestAMaskedNumberShowsNoMoreThanItsOwnerNeeds(t *testing.T) {
	for s, want := range map[string]string{
		"+5511987654312": "+55 •• ••12", "+14155550123": "+1 •• ••23", "+79161234567": "+7 •• ••67", "+351912345678": "+35 •• ••78",
		"": "•• ••", "5511987654312": "•• ••", "+55\x1b": "•• ••",
	} {
		if got := sms.Mask(s); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}
