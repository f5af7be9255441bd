package password

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// leastWord is the least length, in runes, of a personal word that counts:
// shorter ones occur in good passwords by chance.
const leastWord = 4

// maxPersonal bounds how much of each personal string is looked at, in bytes.
const maxPersonal = 512

// Personal says whether pw is made of what is known about the person: whether
// one of the words, or a part of one between signs or spaces, occurs in it, or
// it in one of them. Case, accents, digits standing for letters and the
// direction of writing make no difference. Words of fewer than four characters
// do not count. ASVS 6.2.11.
func Personal(pw string, words []string) bool { return personal(Fold(pw), words) }

func personal(pw string, words []string) bool {
	if utf8.RuneCountInString(pw) < leastWord {
		return false
	}
	back := reverse(pw)
	for _, word := range words {
		for _, part := range parts(word) {
			if strings.Contains(pw, part) || strings.Contains(back, part) ||
				strings.Contains(part, pw) || strings.Contains(part, back) {
				return true
			}
		}
	}
	return false
}

// parts returns the folded forms of s that count: the whole, the whole without
// its signs and spaces, and each piece between them.
func parts(s string) []string {
	if len(s) > maxPersonal {
		s = strings.ToValidUTF8(s[:maxPersonal], "")
	}
	// Signs part words before they are taken for letters.
	all := pieces(s)
	all = append(all, strings.Join(all, ""), s)
	out := all[:0]
	for _, p := range all {
		if p = Fold(p); utf8.RuneCountInString(p) >= leastWord && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// pieces returns what stands between signs and spaces in s.
func pieces(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
}

func reverse(s string) string {
	runes := []rune(s)
	slices.Reverse(runes)
	return string(runes)
}
