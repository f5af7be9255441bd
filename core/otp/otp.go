// Package otp makes and checks the time-based one-time codes of authenticator
// apps (RFC 6238) with the parameters that every app knows: HMAC-SHA-1, six
// digits, steps of thirty seconds. It holds no state: which step was accepted
// last is the caller's to keep, in the same transaction that accepts the next.
// The package imports nothing of ours.
package otp

import (
	"encoding/base32"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/pquerna/otp/hotp"
)

// The parameters. The first three are those that apps assume when a URI names
// none; another value would need another URI.
const (
	// Digits is how long a code is: 20 bits almost (ASVS 6.5.4).
	Digits = 6
	// Period is how long a step lasts (RFC 6238 §5.2).
	Period = 30 * time.Second
	// SecretBytes is the length of a secret: 160 bits, as RFC 4226 §4 (R6)
	// recommends, and as long as what HMAC-SHA-1 gives.
	SecretBytes = 20
	// Skew is how many steps before and after the present one are accepted, for
	// clocks that differ a little and for people who need a moment (RFC 6238 §5.2).
	Skew = 1
	// ClockSteps is how far from the present step, ten minutes, a code is still
	// recognised: as one of an app whose clock is wrong, and not accepted.
	ClockSteps = 20
)

// base32Text is how apps write secrets: RFC 4648 §6 without padding.
var base32Text = base32.StdEncoding.WithPadding(base32.NoPadding)

// NewSecret returns SecretBytes random bytes. A random source that fails is a
// panic: there is no secret to go on with. In a running portal the source is
// crypto/rand.Reader, which never fails.
func NewSecret(random io.Reader) []byte {
	b := make([]byte, SecretBytes)
	if _, err := io.ReadFull(random, b); err != nil {
		panic("otp: the random source failed: " + err.Error())
	}
	return b
}

// Text returns the secret in base 32 (RFC 4648 §6) without padding, as it is
// copied into an app.
func Text(secret []byte) string { return base32Text.EncodeToString(secret) }

// Groups returns the secret in base 32 in groups of four, such as
// "JBSW Y3DP EHPK 3PXP", as it is read from a screen and typed into an app. Apps
// ignore the spaces.
func Groups(secret []byte) string {
	const size = 4
	var b strings.Builder
	for rest := Text(secret); rest != ""; {
		n := min(size, len(rest))
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(rest[:n])
		rest = rest[n:]
	}
	return b.String()
}

// Step returns the number of the step that t lies in: T of RFC 6238 §4.2 with
// T0 = 0. Steps before 1970 are negative.
func Step(t time.Time) int64 {
	const seconds = int64(Period / time.Second)
	s := t.Unix()
	if s < 0 {
		s -= seconds - 1 // division rounds towards zero, a step begins before
	}
	return s / seconds
}

// Code returns the code of one step: HOTP with the step as its counter (RFC 4226
// §5.3), always Digits ASCII digits.
func Code(secret []byte, step int64) string { return code(Text(secret), step) }

func code(text string, step int64) string {
	c, err := hotp.GenerateCode(text, uint64(step))
	if err != nil {
		panic("otp: " + err.Error()) // it refuses nothing but text that is not base 32
	}
	return c
}

// maxTyped is how many bytes of input are looked at.
const maxTyped = 1 << 10

// NormalizeCode returns the one form of a code that a person has typed or
// pasted: Digits ASCII digits. Spaces, dashes and invisible characters are
// dropped; full-width digits and those of other scripts (Unicode's category Nd)
// are read as what they stand for. ok is false when something else stands in it,
// when there are more or fewer digits, and at once for more than 1 KiB.
// Normalizing twice changes nothing.
func NormalizeCode(s string) (normal string, ok bool) {
	if len(s) > maxTyped {
		return "", false
	}
	digits := make([]byte, 0, Digits)
	for _, r := range s {
		if unicode.IsSpace(r) || unicode.In(r, unicode.Dash, unicode.Cf) || unicode.IsControl(r) {
			continue
		}
		v, isDigit := digit(r)
		if !isDigit || len(digits) == Digits {
			return "", false
		}
		digits = append(digits, '0'+v)
	}
	if len(digits) != Digits {
		return "", false
	}
	return string(digits), true
}

// digit returns the value of a decimal digit of any script. Unicode keeps the
// ten digits of a set together and in order, so the place in a range of Nd tells.
func digit(r rune) (value byte, ok bool) {
	if '0' <= r && r <= '9' {
		return byte(r - '0'), true
	}
	for _, set := range unicode.Nd.R16 {
		if rune(set.Lo) <= r && r <= rune(set.Hi) {
			return byte((r - rune(set.Lo)) % 10), true
		}
	}
	for _, set := range unicode.Nd.R32 {
		if rune(set.Lo) <= r && r <= rune(set.Hi) {
			return byte((r - rune(set.Lo)) % 10), true
		}
	}
	return 0, false
}
