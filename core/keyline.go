// Reading a public key that somebody pastes (sshd(8), AUTHORIZED_KEYS FILE FORMAT).

package core

import (
	"crypto/rsa"
	"strings"

	"golang.org/x/crypto/ssh"

	"postern/core/text"
)

// Bounds of keys that are pasted.
const (
	MaxKeyLine = 16 << 10 // bytes; an RSA key of 16,384 bits takes 2,800
	minRSABits = 2048     // NIST SP 800-131A
	maxRSABits = 16384
)

// KeyTypes names the kinds of keys that can be linked, for help and refusals.
const KeyTypes = "ssh-ed25519, sk-ssh-ed25519@openssh.com, sk-ecdsa-sha2-nistp256@openssh.com, ecdsa-sha2-nistp256|384|521, ssh-rsa ≥ 2048"

// pastedKey is a public key as it was read.
type pastedKey struct {
	fingerprint, line, comment string
}

// parseKey reads one public key with nothing before it, of a kind and size that
// prove something. With the field "key": CodeEmpty, CodeTooLong, CodeFormat,
// CodeKeyType, CodeKeyPrivate. Whatever else was pasted is in no error.
func parseKey(pasted string) (pastedKey, error) {
	pasted = strings.TrimSpace(pasted)
	switch {
	case pasted == "":
		return pastedKey{}, refuseField(CodeEmpty, "key")
	case len(pasted) > MaxKeyLine:
		return pastedKey{}, &Error{Code: CodeTooLong, Field: "key", N: MaxKeyLine}
	case strings.Contains(pasted, "PRIVATE KEY"):
		return pastedKey{}, refuseField(CodeKeyPrivate, "key")
	case strings.ContainsAny(pasted, "\r\n"):
		// The parser passes over lines it cannot read: of two keys of which the first
		// is damaged it would take the second.
		return pastedKey{}, refuseField(CodeFormat, "key")
	}
	key, comment, options, rest, err := ssh.ParseAuthorizedKey([]byte(pasted))
	if err != nil || len(options) > 0 || strings.TrimSpace(string(rest)) != "" {
		return pastedKey{}, refuseField(CodeFormat, "key")
	}
	if !acceptedKey(key) {
		return pastedKey{}, &Error{Code: CodeKeyType, Field: "key", Rule: KeyTypes}
	}
	clean, err := text.Clean(comment, MaxFactorLabel)
	if err != nil {
		clean = "" // a comment is a nicety: one that cannot be shown is left out
	}
	return pastedKey{
		fingerprint: ssh.FingerprintSHA256(key), line: strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))), comment: clean,
	}, nil
}

// acceptedKey says whether a key's kind and size prove anything, as the SSH door
// does. Certificates and DSA are none of them.
func acceptedKey(key ssh.PublicKey) bool {
	switch key.Type() {
	case ssh.KeyAlgoED25519, ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521:
		return true
	case ssh.KeyAlgoRSA:
		held, ok := key.(ssh.CryptoPublicKey)
		if !ok {
			return false
		}
		public, ok := held.CryptoPublicKey().(*rsa.PublicKey)
		return ok && public.N.BitLen() >= minRSABits && public.N.BitLen() <= maxRSABits
	}
	return false
}
