package cmd

import (
	"context"
	"os"
	"strings"
	"testing"

	"postern/tui"
)

// far carries out a verb as `ssh host VERB` does, for nobody, and returns what it says.
func far(t *testing.T, args []string) (said string, code int) {
	t.Helper()
	catalog, err := tui.LoadCatalog()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	code = carryOut(context.Background(), &Call{Out: &out, Err: &out, Dict: catalog.Dict("en"), Dir: "/"}, true, args)
	return out.String(), code
}

// The weakness: `ssh host ' '`, a command of blanks, was carried out with the
// arguments that the server itself was started with, and said what they were.
func TestAnEmptyCommandIsNotTheServersOwn(t *testing.T) {
	before := os.Args
	t.Cleanup(func() { os.Args = before })
	os.Args = []string{"postern", "version", "--only-the-operator-knows"}
	for _, args := range [][]string{nil, {}} {
		said, code := far(t, args)
		if code != exitOK || strings.Contains(said, "operator") || !strings.Contains(said, "whoami") {
			t.Errorf("%#v: exit %d, %q", args, code, said)
		}
	}
}

// The weakness: only the first word was looked at, and the parser's hidden
// command for shells answered behind a flag.
func TestCompletionIsForThisMachineOnly(t *testing.T) {
	for _, line := range []string{"__complete user", "--json __complete user", "--json=false __completeNoDesc user", "--none x __complete user"} {
		said, code := far(t, append(strings.Fields(line), ""))
		if code != exitUsage || strings.Contains(said, "suspend") {
			t.Errorf("%s: exit %d, %q", line, code, said)
		}
	}
}

// What stands behind -- asks for nothing, and a flag may be taken back.
func TestWhoAsksForJSON(t *testing.T) {
	for line, want := range map[string]bool{
		"user list --json": true, "--json user list": true, "user list --json=1": true, "user list --json=no": false,
		"user show -- --json": false, "user list --json --json=false": false, "user list": false,
	} {
		if got := asksForJSON(strings.Fields(line)); got != want {
			t.Errorf("%s: %v", line, got)
		}
	}
	if said, code := far(t, []string{"user", "nonsense", "--", "--json"}); code != exitUsage || strings.Contains(said, "{") {
		t.Errorf("exit %d: %s", code, said)
	}
	if said, code := far(t, []string{"user", "nonsense", "--json"}); code != exitUsage || !strings.Contains(said, `"code": "usage"`) {
		t.Errorf("exit %d: %s", code, said)
	}
}
