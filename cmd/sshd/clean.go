package sshd

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// clean keeps the printable characters of a foreign string, at most n of them.
// Control, format (bidi, zero-width) and private characters go, and so does
// what is not UTF-8.
func clean(s string, n int) string {
	var b strings.Builder
	for _, r := range s {
		if n == 0 {
			break
		}
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			continue
		}
		b.WriteRune(r)
		n--
	}
	return b.String()
}

// cleanTerm returns a terminal type that is safe to look up and to print.
// "dumb" stands for what is not one.
func cleanTerm(s string) string {
	if s == "" || len(s) > 64 {
		return "dumb"
	}
	for _, r := range s {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		case strings.ContainsRune("-+._", r):
		default:
			return "dumb"
		}
	}
	return s
}

// allowedEnv says whether a variable of the client is taken: those which tell
// about its terminal and its language, in printable ASCII.
func allowedEnv(name, value string) bool {
	if len(name)+1+len(value) > MaxEnvBytes {
		return false
	}
	switch {
	case name == "TERM", name == "COLORTERM", name == "NO_COLOR", name == "LANG":
	case strings.HasPrefix(name, "LC_") && len(name) > 3:
	default:
		return false
	}
	for _, s := range []string{name, value} {
		for i := range len(s) {
			if s[i] < ' ' || s[i] > '~' {
				return false
			}
		}
	}
	return !strings.Contains(name, "=")
}
