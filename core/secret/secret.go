// Package secret makes the secrets that the portal hands out itself: tokens that
// machines keep and codes that people read and type. Only their hashes are to be
// stored: Hash for a Token, which nobody can guess; for a Code, whose few bits
// could be tried one by one, a keyed hash.
package secret

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"io"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// TokenBytes is how many random bytes a Token has: 256 bits.
const TokenBytes = 32

// Token returns 256 random bits as 43 characters of base64url without padding
// (ASVS 7.2.3). A random source that fails is a panic: there is no secret to go
// on with. In a running portal the source is crypto/rand.Reader, which never fails.
func Token(random io.Reader) string {
	return base64.RawURLEncoding.EncodeToString(draw(random, TokenBytes))
}

// alphabet is Douglas Crockford's base 32: digits and capitals without I, L, O
// and U, so that no two look alike and few words come up.
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// GroupLen and GroupBits say how long a group of a Code is and what it is worth.
const (
	GroupLen  = 4
	GroupBits = 5 * GroupLen
)

// Code returns a code of that many groups, such as "7KQM-2XRP": each group adds
// GroupBits random bits. One group is the least that ASVS 6.5.4 allows, and four
// (80 bits) are the least for a code that stays valid for long. Fewer than one
// group count as one.
func Code(random io.Reader, groups int) string {
	groups = max(groups, 1)
	var b strings.Builder
	b.Grow(groups * (GroupLen + 1))
	for i, r := range draw(random, groups*GroupLen) {
		if i > 0 && i%GroupLen == 0 {
			b.WriteByte('-')
		}
		// 256 is a multiple of 32: every character is equally likely.
		b.WriteByte(alphabet[r%32])
	}
	return b.String()
}

// NormalizeCode returns the one form of a code that a person has typed or
// pasted: capitals in groups of GroupLen, look-alikes read as what they stand
// for (O as 0, I and L as 1), full-width characters narrowed, spaces, dashes and
// invisible characters dropped. Whatever else was typed is kept, so that a wrong
// code stays wrong. Normalizing twice changes nothing.
func NormalizeCode(s string) string {
	// A code is short: what is longer is none, and is read as empty.
	const maxBytes, maxRunes = 1024, 128
	if len(s) > maxBytes {
		return ""
	}
	var b strings.Builder
	n := 0
	for _, r := range width.Fold.String(strings.ToValidUTF8(s, "?")) {
		if unicode.IsSpace(r) || unicode.In(r, unicode.Dash, unicode.Cf) || unicode.IsControl(r) {
			continue
		}
		switch r = unicode.ToUpper(r); r {
		case 'O':
			r = '0'
		case 'I', 'L':
			r = '1'
		}
		if n == maxRunes {
			return ""
		}
		if n > 0 && n%GroupLen == 0 {
			b.WriteByte('-')
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}

// Hash returns the SHA-256 of a token in hexadecimal, as it is stored and looked
// up. A token's 256 bits need no salt and no slow hash.
func Hash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// Equal compares two secrets in a time that depends on neither's content, nor
// on the length of the one that was expected.
func Equal(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

func draw(random io.Reader, n int) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(random, b); err != nil {
		panic("secret: the random source failed: " + err.Error())
	}
	return b
}

// KeyedHash returns the HMAC-SHA-256 of a code under a key, in hexadecimal, for
// codes whose few bits could be tried one by one against a plain hash (ASVS
// 6.5.2). The purpose is part of what is hashed.
func KeyedHash(key []byte, purpose, code string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(purpose))
	mac.Write([]byte{0})
	mac.Write([]byte(code))
	return hex.EncodeToString(mac.Sum(nil))
}

// Digits returns a code of that many decimal digits, each equally likely: six
// have 19.9 bits, the least that ASVS 6.5.4 allows for a code that is sent.
func Digits(random io.Reader, n int) string {
	b := make([]byte, 0, n)
	for len(b) < n {
		for _, r := range draw(random, n-len(b)) {
			if r < 250 { // the largest multiple of ten: no digit is likelier than another
				b = append(b, '0'+r%10)
			}
		}
	}
	return string(b)
}

// Derive returns a code of that many groups that follows from a key and a seed:
// who has both can write it down again, and nobody else can.
func Derive(key []byte, purpose, seed string, groups int) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(purpose))
	mac.Write([]byte{0})
	mac.Write([]byte(seed))
	return Code(bytes.NewReader(mac.Sum(nil)), groups)
}
