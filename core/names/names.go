// Package names decides what people and accounts may be called: user names by
// PRECIS (RFC 8265) and Unicode's security mechanisms (UTS 39), display names by
// PRECIS (RFC 8266), and e-mail addresses by RFC 5321. Every function returns the
// canonical form, which is what is stored, shown and compared; a second call
// leaves it unchanged. The package imports nothing of ours.
package names

// Error is the rule that a name broke. The values are stable: a caller adds the
// field and lets the dictionary say the sentence.
type Error string

const (
	ErrEmpty        Error = "empty"         // nothing is left of the name
	ErrTooLong      Error = "too_long"      // more than the limit of that kind of name
	ErrInvalidUTF8  Error = "invalid_utf8"  // not UTF-8
	ErrCharacter    Error = "character"     // a character that is not allowed, or not there
	ErrMixedScripts Error = "mixed_scripts" // letters or digits of scripts that do not go together
	ErrReserved     Error = "reserved"      // a reserved name, or one that looks like one
	ErrEmail        Error = "email"         // not the address of one mailbox
	ErrDomain       Error = "domain"        // the part after "@" is no domain name
)

// Error implements error.
func (e Error) Error() string { return "names: " + string(e) }

// Code returns the rule's stable identifier.
func (e Error) Code() string { return string(e) }

var _ error = Error("")
