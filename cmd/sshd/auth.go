package sshd

import (
	"crypto/rsa"
	"errors"
	"slices"
	"strings"

	"charm.land/ssh"
	gossh "golang.org/x/crypto/ssh"
)

// minRSABits is the shortest RSA modulus that counts as proof of anything (NIST SP 800-131A).
const minRSABits = 2048

// errWeakKey answers the offer of a key that proves too little; the client goes on to its next one.
var errWeakKey = errors.New("sshd: key of a kind that is not accepted")

// provedKey is where the finished handshake leaves the visitor's key, in the
// ExtraData of its permissions.
type provedKey struct{}

// serverConfig is the handshake of one connection. The algorithms are listed
// rather than left to the library, so that an upgrade changes nothing unseen:
// no SHA-1, no CBC, no finite-field Diffie-Hellman (dear to the server), only
// MACs in encrypt-then-MAC form. The library always offers strict key exchange.
// ASVS 11.2.3, 12.1.2 for SSH; RFC 9142.
func serverConfig(authenticated func()) *gossh.ServerConfig {
	config := &gossh.ServerConfig{
		MaxAuthTries:  6,
		ServerVersion: "SSH-2.0-Postern",
		PublicKeyAuthAlgorithms: []string{
			gossh.KeyAlgoED25519, gossh.KeyAlgoSKED25519, gossh.KeyAlgoSKECDSA256,
			gossh.KeyAlgoECDSA256, gossh.KeyAlgoECDSA384, gossh.KeyAlgoECDSA521,
			gossh.KeyAlgoRSASHA512, gossh.KeyAlgoRSASHA256,
		},
		PublicKeyCallback:           offeredKey,
		VerifiedPublicKeyCallback:   verifiedKey,
		KeyboardInteractiveCallback: guest,
		AuthLogCallback: func(_ gossh.ConnMetadata, _ string, err error) {
			if err == nil {
				authenticated()
			}
		},
	}
	config.KeyExchanges = []string{
		gossh.KeyExchangeMLKEM768X25519, gossh.KeyExchangeCurve25519,
		gossh.KeyExchangeECDHP256, gossh.KeyExchangeECDHP384, gossh.KeyExchangeECDHP521,
	}
	config.Ciphers = []string{
		gossh.CipherChaCha20Poly1305, gossh.CipherAES256GCM, gossh.CipherAES128GCM,
		gossh.CipherAES256CTR, gossh.CipherAES192CTR, gossh.CipherAES128CTR,
	}
	config.MACs = []string{gossh.HMACSHA256ETM, gossh.HMACSHA512ETM}
	return config
}

// offeredKey answers whether the client may try to prove a key. An offer proves
// nothing and leaves no trace: whoever knows a public key can offer it.
func offeredKey(_ gossh.ConnMetadata, key gossh.PublicKey) (*gossh.Permissions, error) {
	if !acceptableKey(key) {
		return nil, errWeakKey
	}
	return &gossh.Permissions{}, nil
}

// verifiedKey is called after the client has signed with the key. Only here the
// key becomes the visitor's.
func verifiedKey(_ gossh.ConnMetadata, key gossh.PublicKey, _ *gossh.Permissions, _ string) (*gossh.Permissions, error) {
	return &gossh.Permissions{ExtraData: map[any]any{provedKey{}: key}}, nil
}

// guest lets in a visitor without a key, asking nothing. "none" is refused
// before it, because a client that may enter with "none" never shows its keys.
func guest(gossh.ConnMetadata, gossh.KeyboardInteractiveChallenge) (*gossh.Permissions, error) {
	return &gossh.Permissions{}, nil
}

// acceptableKey says whether a key's kind and size prove anything. Certificates
// are refused, so that a client goes on to offer the plain key inside.
func acceptableKey(key gossh.PublicKey) bool {
	switch key.Type() {
	case gossh.KeyAlgoED25519, gossh.KeyAlgoSKED25519, gossh.KeyAlgoSKECDSA256,
		gossh.KeyAlgoECDSA256, gossh.KeyAlgoECDSA384, gossh.KeyAlgoECDSA521:
		return true
	case gossh.KeyAlgoRSA:
		crypto, ok := key.(gossh.CryptoPublicKey)
		if !ok {
			return false
		}
		public, ok := crypto.CryptoPublicKey().(*rsa.PublicKey)
		return ok && public.N.BitLen() >= minRSABits
	}
	return false
}

// visitor describes the peer of a finished handshake and what its session asked for.
func visitor(ch *channel, sess ssh.Session) Visitor {
	c, sshConn := ch.conn, ch.sshConn
	v := Visitor{
		Remote: c.remote.Addr(),
		Port:   c.remote.Port(),
		User:   clean(sshConn.User(), 64),
		Client: clean(strings.TrimPrefix(string(sshConn.ClientVersion()), "SSH-2.0-"), 100),
		Env:    sess.Environ(),
	}
	if p := sshConn.Permissions; p != nil {
		if key, ok := p.ExtraData[provedKey{}].(gossh.PublicKey); ok {
			v.Key = key
			v.KeyFingerprint = gossh.FingerprintSHA256(key)
			v.KeyLine = strings.TrimSpace(string(gossh.MarshalAuthorizedKey(key)))
		}
	}
	if pty, _, ok := sess.Pty(); ok {
		v.PTY, v.Term = true, pty.Term
		window := ch.size() // It may have changed since the pty-req.
		v.Width, v.Height = window.width, window.height
		v.Env = slices.DeleteFunc(v.Env, func(e string) bool { return strings.HasPrefix(e, "TERM=") })
		v.Env = append(v.Env, "TERM="+pty.Term)
	}
	return v
}
