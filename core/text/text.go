// Package text is the one place for strings that came from outside: names,
// comments of keys, TERM, client versions, mail, the output of scripts, words of
// an overriding dictionary. Clean is for the way in: it brings a line into one
// canonical form or refuses it. Escape is for the way out: the last step before
// a screen, a log or a terminal title, and CSV before a spreadsheet. The
// renderer is no sanitizer: it lets OSC 8, bidi overrides, zero-width characters
// and C1 controls through.
package text

import (
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Error is a rule that a string broke. The values are stable: a caller adds the
// field and lets the dictionary say the sentence.
type Error string

const (
	// ErrInvalid says that the string is not UTF-8, or holds U+FFFD, which
	// says that it was damaged on its way here.
	ErrInvalid Error = "invalid_utf8"
	// ErrControl says that the string holds a character that cannot be seen or
	// that steers the terminal: a control, line break, bidi or zero-width
	// character, a tag, a private, unassigned or blank code point.
	ErrControl Error = "control_character"
	// ErrMarks says that combining marks stand at the beginning, or more than
	// MaxMarks in a row: they would be drawn over what stands beside them.
	ErrMarks Error = "too_many_marks"
	// ErrTooLong says that the string has more runes than allowed.
	ErrTooLong Error = "too_long"
	// ErrEmpty says that nothing is left of the string.
	ErrEmpty Error = "empty"
)

// Error implements error.
func (e Error) Error() string { return "text: " + string(e) }

// Code returns the rule's stable identifier.
func (e Error) Code() string { return string(e) }

var _ error = Error("")

// MaxMarks is how many combining marks may follow one another. UTS 39, section
// 5.4, names four as what no orthography exceeds.
const MaxMarks = 4

// bytesPerRune bounds how much longer a string may be than the canonical form
// it is to have: no character is composed from more bytes. It keeps the cost of
// refusing a huge paste at reading its length.
const bytesPerRune = 16

// slack is how many runes more may be spaces around the text.
const slack = 64

// Clean returns the canonical form of one line of text: NFC, without spaces at
// its ends, every kind of space as U+0020, without the emoji presentation
// selectors U+FE0E and U+FE0F. It refuses what is not UTF-8 (ErrInvalid), what
// cannot be seen (ErrControl), stacked marks (ErrMarks) and more than maxRunes
// runes (ErrTooLong). Nothing else is changed or dropped, so what a person sees
// later is what was typed. The empty string is clean: whether a field may be
// empty is decided by whoever owns it (see Required).
//
// ASVS 1.1.1: input is decoded into a canonical form once, before validation.
func Clean(s string, maxRunes int) (string, error) {
	if len(s)/bytesPerRune > min(max(maxRunes, 0), math.MaxInt-slack)+slack {
		return "", ErrTooLong
	}
	if !utf8.ValidString(s) {
		return "", ErrInvalid
	}
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range norm.NFC.String(strings.TrimSpace(s)) {
		switch {
		case unicode.Is(unicode.Zs, r):
			b.WriteByte(' ')
		case r == '\ufe0e' || r == '\ufe0f':
			// Which of two pictures an emoji is drawn with carries no meaning,
			// and phones add it unasked.
		case r == utf8.RuneError:
			return "", ErrInvalid
		case !Visible(r):
			return "", ErrControl
		default:
			b.WriteRune(r)
		}
	}
	// Dropping a selector can bring two characters together that compose.
	out := norm.NFC.String(strings.Trim(b.String(), " "))
	if runaway(out) {
		return "", ErrMarks
	}
	if utf8.RuneCountInString(out) > maxRunes {
		return "", ErrTooLong
	}
	return out, nil
}

// Required is Clean for a field that must not be empty: it returns ErrEmpty when
// nothing is left.
func Required(s string, maxRunes int) (string, error) {
	out, err := Clean(s, maxRunes)
	if err == nil && out == "" {
		return "", ErrEmpty
	}
	return out, err
}

// Visible says whether r leaves something to see where it is printed, alone and
// with no effect on what follows: an assigned letter, mark, number, punctuation,
// symbol or the space U+0020. Bidi controls, zero-width characters, variation
// selectors, tags, fillers, private use and every control are not visible.
func Visible(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= 0x20 && r < 0x7f
	}
	return unicode.IsPrint(r) && !unicode.In(r,
		unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) && !blank(r)
}

// blank says whether r is assigned to be drawn, but as nothing.
func blank(r rune) bool {
	switch r {
	case '\u2800', // BRAILLE PATTERN BLANK
		'\ufffc',     // OBJECT REPLACEMENT CHARACTER
		'\U0001d159': // MUSICAL SYMBOL NULL NOTEHEAD
		return true
	}
	return false
}

// runaway says whether s begins with a combining mark or stacks more than
// MaxMarks of them.
func runaway(s string) bool {
	run := MaxMarks
	for _, r := range s {
		if !unicode.Is(unicode.M, r) {
			run = 0
		} else if run++; run > MaxMarks {
			return true
		}
	}
	return false
}
