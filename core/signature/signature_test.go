package signature_test

import (
	"crypto/ed25519"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"postern/core/signature"
)

func signer(t testing.TB, seed byte) *signature.Signer {
	t.Helper()
	key, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed([]byte(strings.Repeat(string(rune(seed)), ed25519.SeedSize))))
	if err != nil {
		t.Fatal(err)
	}
	return signature.New(key)
}

// What was signed verifies; another document, key or namespace does not.
func TestOnlyTheSignedDocumentVerifies(t *testing.T) {
	s, other := signer(t, 'a'), signer(t, 'b')
	doc := []byte(`{"account":"01J"}` + "\n")
	sig, err := s.Sign(signature.Receipt, doc)
	if err != nil {
		t.Fatal(err)
	}
	if err := signature.Verify(s.PublicKey(), signature.Receipt, doc, sig); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"another document":  signature.Verify(s.PublicKey(), signature.Receipt, append(doc, ' '), sig),
		"another key":       signature.Verify(other.PublicKey(), signature.Receipt, doc, sig),
		"another namespace": signature.Verify(s.PublicKey(), signature.Audit, doc, sig),
		"no signature":      signature.Verify(s.PublicKey(), signature.Receipt, doc, "none"),
		"no key":            signature.Verify("none", signature.Receipt, doc, sig),
		"a changed letter":  signature.Verify(s.PublicKey(), signature.Receipt, doc, strings.Replace(sig, "U1NIU0lH", "U1NIU0lI", 1)),
	} {
		if !errors.Is(err, signature.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// OpenSSH's own program accepts what was signed.
func TestOpenSSHAccepts(t *testing.T) {
	keygen, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Skip("no ssh-keygen on this machine")
	}
	s := signer(t, 'a')
	doc := "a receipt\n"
	sig, err := s.Sign(signature.Receipt, []byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"signers": "portal " + s.PublicKey() + "\n", "sig": sig} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(keygen, "-Y", "verify", "-f", filepath.Join(dir, "signers"), "-I", "portal", "-n", signature.Receipt, "-s", filepath.Join(dir, "sig"))
	cmd.Stdin = strings.NewReader(doc)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// A key is read from what people have at hand, and only when it is one.
func TestCanonical(t *testing.T) {
	s := signer(t, 'a')
	key := s.PublicKey()
	for _, given := range []string{key, key + " root@lab\n", "lab.example " + key, "[lab.example]:2222 " + key + "\n", "# a note\n" + key} {
		if got, err := signature.Canonical(given); err != nil || got != key {
			t.Errorf("%q is read as %q, %v", given, got, err)
		}
	}
	for _, given := range []string{"", "x", key + "\n" + key, "@revoked lab " + key, "@cert-authority * " + key, key[:40]} {
		if got, err := signature.Canonical(given); !errors.Is(err, signature.ErrInvalid) {
			t.Errorf("%q is read as %q, %v", given, got, err)
		}
	}
	if got := signature.Fingerprint(key); got != s.Fingerprint() || signature.Fingerprint("x") != "" {
		t.Errorf("the fingerprint is %q", got)
	}
}
