package names

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"
)

// Lookup returns the canonical form of what somebody typed to find an account:
// the form that UserName returns, without the rules that only a new name must
// keep, since a list of reserved names that grows may lock nobody out. Errors:
// ErrEmpty, ErrTooLong, ErrInvalidUTF8, ErrCharacter.
func Lookup(s string) (string, error) {
	if err := readable(s); err != nil {
		return "", err
	}
	s = strings.TrimSpace(s)
	if s == "" {
		return "", ErrEmpty
	}
	name, err := enforce(precis.UsernameCaseMapped, s)
	if err != nil {
		return "", err
	}
	if utf8.RuneCountInString(name) > MaxUserName {
		return "", ErrTooLong
	}
	return name, nil
}
