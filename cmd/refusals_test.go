// What is refused, and what can be done, in sentences that are so.

package cmd

import (
	"path/filepath"
	"strings"
	"testing"

	"postern/core/coretest"
)

// A refusal says which state something is in, which values there are, or what is
// missing, and never that somebody else changed something when nobody did.
func TestARefusalSaysHowThingsAre(t *testing.T) {
	p := coretest.Open(t)
	p.Set("sign_up.mode", "approval")
	if _, err := p.Accounts.SignUp(t.Context(), coretest.Local(), coretest.Input("kim")); err != nil {
		t.Fatal(err)
	}
	p.LetIn()
	console := coretest.Console()
	done := func(args ...string) {
		t.Helper()
		if out, errw, code := asks(t, p.Portal, console, "", args...); code != exitOK {
			t.Fatalf("%v: exit %d\n%s%s", args, code, out, errw)
		}
	}
	p.SignUp("noor")
	done("user", "suspend", "noor")
	done("app", "create", "Archive", "--owner", "lin")
	done("app", "retire", "archive")
	out := filepath.Join(t.TempDir(), "trail.jsonl")
	done("audit", "export", "--out", out)
	for _, c := range []struct {
		args       []string
		code, says string
	}{
		{[]string{"user", "reject", "lin"}, "state", "This account is active: nobody has to let it in. To keep its person out, suspend it."},
		{[]string{"user", "resume", "lin"}, "state", "This account is active"},
		{[]string{"user", "suspend", "kim"}, "state", "This account waits to be let in. Approve or reject it first."},
		{[]string{"user", "code", "kim"}, "state", "This account waits to be let in."},
		{[]string{"user", "suspend", "noor"}, "state", "This account is suspended. Resume it first."},
		{[]string{"app", "set", "archive", "--note", "old"}, "retired", "This app is retired for good"},
		{[]string{"app", "share", "archive", "lin", "member"}, "retired", "This app is retired for good"},
		{[]string{"grant", "give", "noor", "boss"}, "format", "Expected: owner, admin, support, auditor."},
		{[]string{"invite", "create", "--role", "boss"}, "format", "Expected: owner, admin, support, auditor."},
		{[]string{"invite", "create", "--role-until", "2026-12-31"}, "no_role", "Name the role too, or leave the end out."},
		{[]string{"audit", "export", "--out", out}, "file_exists", "nothing is ever written over a file"},
	} {
		_, errw, code := asks(t, p.Portal, console, "", c.args...)
		if code != exitRefused || !strings.Contains(errw, c.says) || strings.Contains(errw, "meantime") {
			t.Errorf("%v: exit %d, %s", c.args, code, errw)
		}
		if said, _, _ := asks(t, p.Portal, console, "", append(c.args, "--json")...); !strings.Contains(said, `"`+c.code+`"`) {
			t.Errorf("%v: %s", c.args, said)
		}
	}
}
