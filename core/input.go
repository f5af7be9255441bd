// Validation of what people type: leaves return their own errors, here they
// become refusals with a field.

package core

import (
	"errors"

	"postern/core/names"
	"postern/core/password"
	"postern/core/text"
)

// Bounds of texts, in characters.
const (
	MaxDisplayName = 64
	MaxReason      = 200
	MaxPortalName  = 32
)

// fieldError turns a leaf's error into a refusal about a field. n is the bound
// to name when the text is too long.
func fieldError(field string, n int, err error) error {
	if err == nil {
		return nil
	}
	table := []struct {
		is   error
		code Code
	}{
		{names.ErrInvalidUTF8, CodeEncoding}, {text.ErrInvalid, CodeEncoding},
		{names.ErrEmpty, CodeEmpty}, {text.ErrEmpty, CodeEmpty},
		{names.ErrTooLong, CodeTooLong}, {text.ErrTooLong, CodeTooLong},
		{names.ErrMixedScripts, CodeMixedScripts}, {names.ErrReserved, CodeReserved},
		{names.ErrCharacter, CodeCharacter}, {text.ErrControl, CodeCharacter}, {text.ErrMarks, CodeCharacter},
		{names.ErrEmail, CodeFormat}, {names.ErrDomain, CodeFormat},
	}
	for _, row := range table {
		if errors.Is(err, row.is) {
			return &Error{Code: row.code, Field: field, N: n}
		}
	}
	return &Error{Code: CodeFormat, Field: field, Err: err}
}

// passwordError turns a refusal to normalise a password into one about a field.
// It names the rule that every password is under, whatever the policy asks: the
// bound is one of bytes, and a sentence about characters would be wrong.
func passwordError(field string, err error) error {
	refusal := &Error{Code: CodePassword, Field: field}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, password.ErrInvalidUTF8):
		refusal.Rule = string(password.RuleEncoding)
	case errors.Is(err, password.ErrTooLong):
		refusal.Rule, refusal.N = string(password.RuleMaxBytes), password.MaxBytes
	case errors.Is(err, password.ErrControl):
		refusal.Rule = string(password.RuleControl)
	default:
		return &Error{Code: CodeInternal, Err: err}
	}
	return refusal
}

// cleanUserName validates a name for a new account.
func cleanUserName(s string) (string, error) {
	name, err := names.UserName(s)
	if err != nil {
		return "", fieldError("user_name", names.MaxUserName, err)
	}
	return name, nil
}

// cleanDisplayName validates a display name; "" becomes the user name.
func cleanDisplayName(s, userName string) (string, error) {
	if s == "" {
		return userName, nil
	}
	name, err := names.DisplayName(s)
	if err != nil {
		return "", fieldError("display_name", MaxDisplayName, err)
	}
	return name, nil
}

// cleanEmail validates an address; "" is allowed unless required.
func cleanEmail(s string, required bool) (string, error) {
	if s == "" {
		if required {
			return "", refuseField(CodeRequired, "email")
		}
		return "", nil
	}
	addr, err := names.Email(s)
	if err != nil {
		return "", fieldError("email", names.MaxEmail, err)
	}
	return addr, nil
}

// cleanText validates a free text; required says that it may not be empty.
func cleanText(field, s string, most int, required bool) (string, error) {
	v, err := text.Clean(s, most)
	if err != nil {
		return "", fieldError(field, most, err)
	}
	if v == "" && required {
		return "", refuseField(CodeRequired, field)
	}
	return v, nil
}
