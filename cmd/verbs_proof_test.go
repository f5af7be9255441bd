package cmd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postern/core"
	"postern/core/coretest"
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
