// Package password knows what a password is worth and how it is kept: the rules
// a policy can ask for, evaluated at every key press; an estimate of how long it
// would withstand guessing; lists of passwords that everybody tries first; and
// Argon2id hashes, made by as many hands as the machine has. It imports nothing
// of ours, keeps no state but its queue, and says nothing in any language: rules,
// warnings and advice are stable identifiers.
package password

import (
	"errors"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MaxBytes is how long a normalized password may be. It leaves room for 64
// characters of any script, as NIST 800-63B and ASVS 6.2.9 ask, and nothing is
// ever cut off.
const MaxBytes = 256

var (
	// ErrInvalidUTF8 says that a password is not UTF-8. It is refused rather
	// than repaired: bytes replaced by U+FFFD would make different passwords equal.
	ErrInvalidUTF8 = errors.New("password: not valid UTF-8")
	// ErrTooLong says that a password has more than MaxBytes.
	ErrTooLong = errors.New("password: longer than 256 bytes")
	// ErrControl says that a password holds a control character, which not
	// every door and terminal lets its owner type again.
	ErrControl = errors.New("password: control character")
)

// Normalize returns the form in which a password is counted, scored, hashed and
// compared: NFC, so that the same keys make the same password on every system
// (NIST 800-63B, 3.1.1.2). Nothing else is changed: no trimming, no cutting, no
// case folding (ASVS 6.2.8). Its errors are ErrInvalidUTF8, ErrTooLong, ErrControl.
func Normalize(pw string) (string, error) {
	// Composition shortens by a bounded factor, so that a huge paste is refused
	// without being read.
	if len(pw) > 16*MaxBytes {
		return "", ErrTooLong
	}
	if !utf8.ValidString(pw) {
		return "", ErrInvalidUTF8
	}
	pw = norm.NFC.String(pw)
	if len(pw) > MaxBytes {
		return "", ErrTooLong
	}
	for _, r := range pw {
		if unicode.IsControl(r) {
			return "", ErrControl
		}
	}
	return pw, nil
}
