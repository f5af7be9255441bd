package sms

import (
	"errors"
	"strings"
	"unicode"
)

// ErrNumber says that a string is not a telephone number with its country.
var ErrNumber = errors.New("sms: not a telephone number with its country")

// The limits of ITU-T E.164 §6: fifteen digits at most, country and all. Below
// seven there is none that takes messages.
const (
	minDigits = 7
	maxDigits = 15
	maxTyped  = 64 // bytes of what is read at all
)

// Number returns the international form of a telephone number that a person has
// typed (ITU-T E.164): "+", the country's digits and the rest, ^\+[1-9]\d{6,14}$.
// It may be written with spaces, dashes, dots and parentheses, with full-width
// digits, and with "00" instead of "+". A number without its country, longer
// than 64 bytes, or with anything else in it is ErrNumber: guessing would send
// a code to a stranger. A second call leaves the result unchanged.
//
// That a number is well-formed does not say that it exists: only a code sent
// there shows it.
func Number(s string) (string, error) {
	if len(s) > maxTyped {
		return "", ErrNumber
	}
	var b strings.Builder
	plus := false
	for _, r := range s {
		if r >= '！' && r <= '～' { // full-width twins of "!" to "~"
			r -= '！' - '!'
		}
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case r == '+' && !plus && b.Len() == 0:
			plus = true
		case r == '.', r == '(', r == ')', unicode.Is(unicode.Zs, r), unicode.Is(unicode.Dash, r):
		default:
			return "", ErrNumber
		}
	}
	digits := b.String()
	if !plus {
		var international bool
		if digits, international = strings.CutPrefix(digits, "00"); !international {
			return "", ErrNumber
		}
	}
	if number := "+" + digits; canonical(number) {
		return number, nil
	}
	return "", ErrNumber
}

// canonical says whether s is as Number returns it.
func canonical(s string) bool {
	digits, ok := strings.CutPrefix(s, "+")
	return ok && len(digits) >= minDigits && len(digits) <= maxDigits && digits[0] != '0' &&
		!strings.ContainsFunc(digits, func(r rune) bool { return r < '0' || r > '9' })
}

// Mask returns as much of a number as its owner needs to know it again: the
// beginning of its country, and the last two digits, "+55 •• ••12". Of what is
// no number nothing is shown.
func Mask(number string) string {
	const dots = "•• ••"
	if !canonical(number) {
		return dots
	}
	country := number[:3]
	if number[1] == '1' || number[1] == '7' { // the two countries of one digit
		country = number[:2]
	}
	return country + " " + dots + number[len(number)-2:]
}
