package cmd

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postern/core"
)

// signedIn signs ada in at this terminal and remembers it, as the screens would.
func (h *home) signedIn() (file string) {
	h.t.Helper()
	ctx := context.Background()
	s := settings{Data: h.data(), Hash: hashSettings{Memory: 19, Time: 2}}
	held, err := (&process{}).open(ctx, s, "test", true, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	defer held.close()
	p, err := held.portal.SignIn.Password(ctx, core.Actor{Door: core.DoorLocal}, "ada", goodPassword)
	if err != nil || p.Step != core.StepDone {
		h.t.Fatal(p.Step, err)
	}
	file = filepath.Join(h.dir, "state", "postern", "sessions", newTokenFile(held).name)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(p.SignedIn.Token+"\n"), 0o600); err != nil {
		h.t.Fatal(err)
	}
	return file
}

// ASVS 7.1.1: a local sign-in is remembered until the policy ends it, and then
// nothing that is kept on this machine opens anything.
func TestALocalSignInIsRememberedUntilItEnds(t *testing.T) {
	t.Parallel()
	h := settled(t)
	h.signedIn()
	x := h.inTerminal()
	x.sees("ada · ")
	// The console ends it: the open screen closes and says why.
	if out, errw, code := h.run("session", "end", "--all", "--user", "ada"); code != exitOK {
		t.Fatal(out, errw)
	}
	if code := x.ends(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	waitFor(t, "why it was ended", func() bool { return strings.Contains(x.bytes(), "people who run this portal") })
	again := h.inTerminal()
	again.sees("Sign in")
	if strings.Contains(again.text(), "ada · ") {
		t.Error("the ended session is still good")
	}
}

// A file that others could read or write is not trusted.
func TestATokenThatOthersMayReadIsNotUsed(t *testing.T) {
	t.Parallel()
	h := settled(t)
	if err := os.Chmod(h.signedIn(), 0o644); err != nil {
		t.Fatal(err)
	}
	x := h.inTerminal()
	x.sees("Sign in")
	if strings.Contains(x.text(), "ada · ") {
		t.Error("the token was used")
	}
}
