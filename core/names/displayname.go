package names

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"
)

// MaxDisplayName is how many runes a display name may have.
const MaxDisplayName = 64

// DisplayName returns the canonical form of what a person is called on screens:
// PRECIS Nickname (RFC 8266), so NFKC with single spaces and none at the ends,
// case and scripts as they were typed. It may hold letters, marks, digits, signs
// and emoji, but nothing invisible. A display name is not unique and identifies
// nobody. Errors: ErrEmpty, ErrTooLong, ErrInvalidUTF8, ErrCharacter.
func DisplayName(s string) (string, error) {
	if err := readable(s); err != nil {
		return "", err
	}
	// Phones add the choice between two pictures of an emoji unasked; the
	// profile knows it only as an invisible character.
	s = strings.NewReplacer("\ufe0e", "", "\ufe0f", "").Replace(s)
	if strings.TrimSpace(s) == "" {
		return "", ErrEmpty
	}
	name, err := enforce(precis.Nickname, s)
	if err != nil {
		return "", err
	}
	marks := maxMarks
	for _, r := range name {
		if unicode.IsMark(r) {
			marks++
		} else {
			marks = 0
		}
		if marks > maxMarks || invisible(r) {
			return "", ErrCharacter
		}
	}
	if utf8.RuneCountInString(name) > MaxDisplayName {
		return "", ErrTooLong
	}
	return name, nil
}
