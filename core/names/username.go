package names

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"
)

// MaxUserName is how many runes a user name may have.
const MaxUserName = 32

// maxMarks is how many combining marks may follow one another (UTS 39, 5.4).
const maxMarks = 4

// maxBytes bounds what is looked at at all, so that a huge paste costs nothing.
const maxBytes = 4096

// UserName returns the canonical form of a user name: PRECIS UsernameCaseMapped,
// so in lower case, NFC, full-width letters narrowed, without spaces around it.
// It holds 1 to MaxUserName letters, digits and the signs ". _ -", begins with a
// letter or digit, keeps to one script or set of scripts in daily use
// and is not Reserved. Errors: ErrEmpty, ErrTooLong, ErrInvalidUTF8,
// ErrCharacter, ErrMixedScripts, ErrReserved.
//
// Being unique is not decided by the canonical form but by its Skeleton.
func UserName(s string) (string, error) {
	name, err := Lookup(s)
	if err != nil {
		return "", err
	}
	if err := userCharacters(name); err != nil {
		return "", err
	}
	if !oneScript(name) {
		return "", ErrMixedScripts
	}
	if Reserved(name) {
		return "", ErrReserved
	}
	return name, nil
}

func readable(s string) error {
	if len(s) > maxBytes {
		return ErrTooLong
	}
	if !utf8.ValidString(s) {
		return ErrInvalidUTF8
	}
	return nil
}

// enforce applies a profile until it changes nothing more, since a single pass
// is not always idempotent (RFC 8264, section 7).
func enforce(p *precis.Profile, s string) (string, error) {
	for range 4 {
		out, err := p.String(s)
		if err != nil {
			return "", ErrCharacter
		}
		if out == s {
			return out, nil
		}
		s = out
	}
	return "", ErrCharacter
}

// userCharacters allows letters, marks on letters, decimal digits and ". _ -"
// after the first character.
func userCharacters(name string) error {
	marks := maxMarks // There is nothing yet that a mark could stand on.
	for i, r := range name {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r):
			marks = 0
		case unicode.IsMark(r) && marks < maxMarks:
			marks++
		case i > 0 && (r == '.' || r == '_' || r == '-'):
			marks = maxMarks
		default:
			return ErrCharacter
		}
		if invisible(r) {
			return ErrCharacter
		}
	}
	return nil
}

// invisible says whether r is drawn as nothing or steers what is around it.
func invisible(r rune) bool {
	return unicode.In(r, unicode.C, unicode.Zl, unicode.Zp,
		unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) ||
		r == '\u2800' || r == '\ufffc' || r == '\ufffd'
}
