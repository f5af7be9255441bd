package names

import (
	"strings"
)

// The limits of RFC 5321, section 4.5.3.1, in octets. A path of 256 includes its
// angle brackets.
const (
	MaxLocalPart = 64
	MaxEmail     = 254
	maxDomain    = 253
	maxLabel     = 63
)

// Email returns the canonical form of the address of one mailbox: without spaces
// around it, the local part as it was typed, the domain in lower case. It
// accepts the dot-string form of RFC 5321 in ASCII, which every mail system can
// deliver to: no display name, no comment, no quoted local part, no address
// literal. A domain with letters beyond ASCII is to be given in its "xn--" form.
// Errors: ErrEmpty, ErrTooLong, ErrInvalidUTF8, ErrEmail, ErrDomain.
//
// That an address is well-formed does not say that it exists: only a code sent
// there shows it.
func Email(s string) (string, error) {
	if err := readable(s); err != nil {
		return "", err
	}
	s = strings.TrimSpace(s)
	if s == "" {
		return "", ErrEmpty
	}
	local, domain, ok := strings.Cut(s, "@")
	if !ok || !dotString(local) {
		return "", ErrEmail
	}
	domain = asciiLower(domain)
	if !hostName(domain) {
		return "", ErrDomain
	}
	if len(local) > MaxLocalPart || len(s) > MaxEmail {
		return "", ErrTooLong
	}
	return local + "@" + domain, nil
}

// EmailKey returns the form under which an address is unique: Email without
// regard to case. RFC 5321 lets a host tell cases apart in the local part, yet
// none in use does, and two accounts must not share a mailbox that way. Of what
// is no address it returns the empty string.
func EmailKey(s string) string {
	email, err := Email(s)
	if err != nil {
		return ""
	}
	return asciiLower(email)
}

// dotString says whether s is atoms joined by dots (RFC 5321, Dot-string).
func dotString(s string) bool {
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" || strings.ContainsFunc(atom, func(r rune) bool { return !atext(r) }) {
			return false
		}
	}
	return true
}

// atext is RFC 5322's set of characters of an atom.
func atext(r rune) bool {
	return alphanumeric(r) || r < 0x80 && strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
}

// hostName says whether s is a domain name of letters, digits and hyphens
// (RFC 1123, section 2.1). One label is enough: a closed network may have no
// dots. A last label of digits would be an IPv4 address.
func hostName(s string) bool {
	if len(s) > maxDomain {
		return false
	}
	last := ""
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.ContainsFunc(label, func(r rune) bool { return r != '-' && !alphanumeric(r) }) {
			return false
		}
		last = label
	}
	return strings.Trim(last, "0123456789") != ""
}

func alphanumeric(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
