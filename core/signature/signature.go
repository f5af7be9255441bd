// Package signature signs documents with the portal's host key and verifies
// them, in the format of `ssh-keygen -Y` (SSHSIG, PROTOCOL.sshsig of OpenSSH).
// It knows no store and no terminal.
package signature

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

// Namespaces keep a signature of one kind from being taken for another.
const (
	Receipt = "postern-receipt" // of a deletion or an export
	Audit   = "postern-audit"   // of a place in the chain over the audit trail, or of an export of it
)

// ErrInvalid says that a document was not signed by the key, or not as it is.
var ErrInvalid = errors.New("signature: not valid")

// Signer signs with one SSH key. It is safe for concurrent use when the key is,
// as keys of files are.
type Signer struct {
	key    ssh.Signer
	random io.Reader
}

// New makes a signer of a key.
func New(key ssh.Signer) *Signer { return &Signer{key: key, random: rand.Reader} }

// PublicKey returns the public key as a line of authorized_keys, without a comment.
func (s *Signer) PublicKey() string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(s.key.PublicKey())))
}

// Fingerprint returns the SHA-256 fingerprint of the public key.
func (s *Signer) Fingerprint() string { return ssh.FingerprintSHA256(s.key.PublicKey()) }

// Canonical returns the one public key of a text as PublicKey does: of a file in the
// format of authorized_keys or known_hosts. ErrInvalid when there is none in it, or
// more than one, or when it is marked there as revoked or as an authority.
func Canonical(text string) (string, error) {
	key, _, _, rest, err := ssh.ParseAuthorizedKey([]byte(text))
	if err != nil {
		var marker string
		if marker, _, key, _, rest, err = ssh.ParseKnownHosts([]byte(text)); err != nil || marker != "" {
			return "", fmt.Errorf("%w: the key cannot be read", ErrInvalid)
		}
	}
	if len(bytes.TrimSpace(rest)) > 0 {
		return "", fmt.Errorf("%w: more than one key", ErrInvalid)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))), nil
}

// Fingerprint returns the SHA-256 fingerprint of a public key, a line of
// authorized_keys; "" of what is none.
func Fingerprint(publicKey string) string {
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(publicKey))
	if err != nil {
		return ""
	}
	return ssh.FingerprintSHA256(key)
}

// Sign returns the armored signature of a document.
func (s *Signer) Sign(namespace string, doc []byte) (string, error) {
	sig, err := sshsig.SignWithRand(bytes.NewReader(doc), s.random, s.key, sshsig.HashSHA512, namespace)
	if err != nil {
		return "", fmt.Errorf("signature: %w", err)
	}
	return string(sshsig.Armor(sig)), nil
}

// Verify says whether armored is the signature of a document by a public key, a
// line of authorized_keys. ErrInvalid when it is not, or when either cannot be read.
func Verify(publicKey, namespace string, doc []byte, armored string) error {
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(publicKey))
	if err != nil {
		return fmt.Errorf("%w: the key cannot be read", ErrInvalid)
	}
	sig, err := sshsig.Unarmor([]byte(armored))
	if err != nil {
		return fmt.Errorf("%w: the signature cannot be read", ErrInvalid)
	}
	if err := sshsig.Verify(bytes.NewReader(doc), sig, key, sig.HashAlgorithm, namespace); err != nil {
		return fmt.Errorf("%w: %s", ErrInvalid, err)
	}
	return nil
}
