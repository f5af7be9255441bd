package cmd

import (
	"bytes"
	"crypto/ed25519"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"postern/core"
	"postern/core/coretest"
	"postern/core/signature"
	"postern/tui"
)

// From afar the proof comes among the lines, and no file of the machine is read
// or written. ASVS 8.3.1
func TestAProofFromAfar(t *testing.T) {
	p := coretest.Open(t)
	catalog, err := tui.LoadCatalog()
	if err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("-----BEGIN"), 0o600); err != nil {
		t.Fatal(err)
	}
	call := func(far bool, args ...string) (code int, out, errs string) {
		var o, e stream
		c := &Call{Portal: p.Portal, Actor: coretest.Console(), Out: &o, Err: &e, Dict: catalog.Dict("en"), Dir: t.TempDir()}
		code = carryOut(t.Context(), c, far, append([]string{"audit"}, args...))
		return code, o.String(), e.String()
	}
	code, out, _ := call(true, "export", "--proof", "-")
	if code != exitOK {
		t.Fatal(code)
	}
	r, err := core.VerifyExport(core.ExportToVerify{File: strings.NewReader(out), Proof: strings.NewReader(out), Among: true, Key: coretest.HostKey(t).PublicKey()})
	if err != nil || r.Found != 0 || !r.Signed {
		t.Errorf("%+v, %v", r, err)
	}
	for _, args := range [][]string{
		{"verify", "--file", secret}, {"verify", "--key", secret}, {"verify", "--proof", secret}, {"export", "--proof", secret + ".proof"}, {"export", "--proof", "-", "--format", "csv"},
	} {
		if code, out, errs := call(true, args...); code != exitUsage || out != "" || strings.Contains(errs, "BEGIN") {
			t.Errorf("%v: %d, %q, %q", args, code, out, errs)
		}
	}
	if _, err := os.Stat(secret + ".proof"); err == nil {
		t.Error("a file was written for somebody from afar")
	}
	// Here, what is given as a key is not repeated when it is none.
	if code, _, errs := call(false, "verify", "--file", secret, "--key", secret); code != exitRefused || strings.Contains(errs, "BEGIN") {
		t.Errorf("%d, %q", code, errs)
	}
	// Long work tells how far it is, where somebody looks on, and what it was by the fingerprint.
	code, out, errs := call(false, "verify", "--progress")
	if code != exitOK || !strings.Contains(errs, "% of the trail") || !strings.Contains(out, "SHA256:") || strings.Contains(out, "ssh-ed25519") {
		t.Errorf("%d, %q, %q", code, out, errs)
	}
}

// A former host key is adopted at the machine, never from afar, and what verifying
// says leads there.
func TestAFormerHostKeyIsAdoptedByAVerb(t *testing.T) {
	p := coretest.Open(t)
	if _, err := p.Audit.SealNow(t.Context()); err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	later := coretest.New(t, coretest.WithStore(p.DB), coretest.WithClock(p.Clock), func(_ testing.TB, c *core.Config) { c.Signer = signature.New(key) })
	former := coretest.HostKey(t).Fingerprint()
	console := coretest.Console()
	for range 2 { // before and after more is sealed
		if out, _, code := asks(t, later.Portal, console, "", "audit", "verify"); code != exitRefused ||
			!strings.Contains(out, "it is signed by "+former+", which is not the key of this portal.") || !strings.Contains(out, "postern audit adopt "+former) {
			t.Errorf("%d, %s", code, out)
		}
	}
	if out, _, code := asks(t, later.Portal, p.Owner, "", "audit", "adopt", former); code == exitOK || strings.Contains(out, "counts as") {
		t.Errorf("from afar: %d, %s", code, out)
	}
	for _, c := range [][2]string{
		{"SHA256:x", "fingerprint: A fingerprint is written SHA256:"}, {signature.New(key).Fingerprint(), "This is the host key of today."},
		{"SHA256:" + strings.Repeat("A", 43), "Nothing in the trail is signed by that key."},
	} {
		if _, errw, code := asks(t, later.Portal, console, "", "audit", "adopt", c[0]); code != exitRefused || !strings.Contains(errw, c[1]) {
			t.Errorf("%s: %d, %s", c[0], code, errw)
		}
	}
	if out, errw, code := asks(t, later.Portal, console, "", "audit", "adopt", former); code != exitOK || !strings.Contains(out, former+" counts as the host key up to block ") {
		t.Errorf("%d, %s%s", code, out, errw)
	}
	if out, _, code := asks(t, later.Portal, console, "", "audit", "verify"); code != exitOK || !strings.Contains(out, "the host key was "+former+", as was said at the console on") {
		t.Errorf("%d, %s", code, out)
	}
}
