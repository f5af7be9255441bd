package password

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Fold brings together what people take for the same word when they choose a
// password: case, accents, full-width letters, and digits and signs that stand
// for letters. "P@sswörd", "passw0rd" and "PASSWORD" are one.
func Fold(s string) string {
	if !ascii(s) {
		s = cases.Fold().String(norm.NFKD.String(s))
	}
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		if r >= utf8.RuneSelf && unicode.IsMark(r) {
			continue
		}
		b.WriteRune(unleet(unicode.ToLower(r)))
	}
	return b.String()
}

// unleet maps the signs of one letter to that letter. Different digits stay
// different, so that numbers are not taken for one another; the two letters that
// "1" stands for cannot be.
func unleet(r rune) rune {
	switch r {
	case '4', '@':
		return 'a'
	case '8':
		return 'b'
	case '3', '€':
		return 'e'
	case '6', '9':
		return 'g'
	case '1', '!', '|', 'l':
		return 'i'
	case '0':
		return 'o'
	case '5', '$':
		return 's'
	case '7', '+':
		return 't'
	case '2':
		return 'z'
	}
	return r
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
