// The URI that an app reads from a QR code.

package otp

import (
	"net/url"
	"strings"
	"unicode"
)

// MaxURI is the most bytes that URI returns: what a QR code of version 5 holds
// at level L in byte mode (ISO/IEC 18004, table 7). Its 37 modules a side are the
// most that a terminal of 80x24 has room for, two to a cell.
const MaxURI = 106

const (
	leastIssuer   = 12 // bytes, encoded; the issuer stands there twice
	defaultIssuer = "Postern"

	uriScheme = "otpauth://totp/"
	uriSecret = "?secret="
	uriIssuer = "&issuer="
)

// URI returns the otpauth URI for secret, in the form that Google Authenticator
// began and every app reads: otpauth://totp/ISSUER:ACCOUNT?secret=…&issuer=ISSUER.
// Algorithm, digits and period are left out, because they are what apps assume.
//
// Both names are for people's eyes alone, and are cut so that the whole is never
// longer than MaxURI for a secret of up to SecretBytes: the issuer to what a whole
// account leaves, or to 12 encoded bytes if that is less, the account to what is
// then left, 18 or more. They are cut between runes. Colons, which part the two for an app, control characters and bytes
// that are not UTF-8 are left out; everything else but letters, digits and
// "-_.~" of ASCII is percent-encoded (RFC 3986 §2.1). Without an issuer it is "Postern".
func URI(issuer, account string, secret []byte) string {
	text := Text(secret)
	names := MaxURI - len(uriScheme) - len(":") - len(uriSecret) - len(text) - len(uriIssuer)
	issuer = label(issuer, max((names-len(label(account, names)))/2, leastIssuer))
	if issuer == "" {
		issuer = defaultIssuer
	}
	tail := uriSecret + text + uriIssuer + issuer
	head := uriScheme + issuer + ":"
	return head + label(account, MaxURI-len(head)-len(tail)) + tail
}

// label encodes s and cuts it at limit bytes, at the boundary of a rune. Spaces
// at its ends are left out.
func label(s string, limit int) string {
	var b strings.Builder
	end := 0 // of the last rune that is no space
	for _, r := range strings.ToValidUTF8(s, "") {
		space := unicode.IsSpace(r)
		if r == ':' || unicode.IsControl(r) || space && end == 0 {
			continue
		}
		enc := "%20"
		if r != ' ' {
			enc = url.QueryEscape(string(r))
		}
		if b.Len()+len(enc) > limit {
			break
		}
		b.WriteString(enc)
		if !space {
			end = b.Len()
		}
	}
	return b.String()[:end]
}
