package e2e

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// trailEntry is what the tests read of an entry as JSON.
type trailEntry struct {
	ID, Action, Actor, Name, Outcome, Door, Target string
	After                                          map[string]string
}

// trailOf reads the trail at the machine, newest first.
func trailOf(t testing.TB, data string, more ...string) []trailEntry {
	t.Helper()
	var list struct{ Entries []trailEntry }
	out := mustVerb(t, data, append([]string{"audit", "list", "--json", "--limit", "200"}, more...)...)
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return list.Entries
}

// line waits for a line that says all of it, and returns it.
func (h *heard) line(t testing.TB, says ...string) string {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
	next:
		for line := range strings.Lines(h.String()) {
			for _, s := range says {
				if !strings.Contains(line, s) || !strings.HasSuffix(line, "\n") {
					continue next
				}
			}
			return line
		}
		if time.Now().After(end) {
			t.Fatalf("no line says %q: %q", says, h.String())
		}
	}
}

// follows waits until whoever writes to h follows the trail: an entry that is
// made comes back. What happens from then on is told.
func (h *heard) follows(t testing.TB, data string) {
	t.Helper()
	for range 100 {
		mustVerb(t, data, "invite", "create")
		for range 10 {
			if strings.Contains(h.String(), `"invite.create"`) {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	t.Fatalf("nobody follows: %q", h.String())
}

// linkAtConsole links a new key to somebody's account.
func linkAtConsole(t testing.TB, data, user string) ssh.Signer {
	t.Helper()
	key := newKey(t)
	mustVerb(t, data, "key", "add", "--user", user, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key.PublicKey()))))
	return key
}

// An admin follows the trail over SSH by a linked key: a sign-in elsewhere comes
// as a line, and when the role ends the stream ends by itself (ASVS 8.3.2).
// Whoever has no role is not let near it.
func TestTheTrailIsFollowedOverSSHUntilTheRoleEnds(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "portal")
	s := serve(t, data)
	setUp(t, s).leave()
	mustVerb(t, data, "policy", "set", "sign_up.mode=open")
	visit(t, s.addr, nil, 80, 24).signUp("ada", "Ada Byron", userPassword)
	visit(t, s.addr, nil, 80, 24).signUp("mara", "Mara Voss", userPassword)
	key, plain := linkAtConsole(t, data, "ada"), linkAtConsole(t, data, "mara")
	mustVerb(t, data, "grant", "give", "ada", "admin")

	for _, command := range []string{"audit follow --json", "audit export --format csv"} {
		if out, exit := remote(t, s.addr, plain, command); exit != 3 || strings.Contains(out, "portal.setup") {
			t.Errorf("%s without a role: exit %d, want 3\n%s", command, exit, out)
		}
	}

	session, err := dial(t, s.addr, key).NewSession()
	if err != nil {
		t.Fatal(err)
	}
	var out heard
	session.Stdout, session.Stderr = &out, &out
	if err := session.Start("audit follow --json"); err != nil {
		t.Fatal(err)
	}
	out.follows(t, data)
	visit(t, s.addr, nil, 80, 24).signIn("lin", ownerPassword, "Lin Ahn")
	var e trailEntry
	if line := out.line(t, `"signin.password"`); json.Unmarshal([]byte(line), &e) != nil || e.Name != "lin" || e.Outcome != "done" || e.Door != "ssh" {
		t.Errorf("the line %q is %+v", line, e)
	}

	ended := make(chan error, 1)
	go func() { ended <- session.Wait() }()
	select {
	case err := <-ended:
		t.Fatalf("it ends though the role is held: %v\n%s", err, out.String())
	default:
	}
	var held struct {
		Grants []struct{ ID string }
	}
	said := mustVerb(t, data, "grant", "list", "--user", "ada", "--json")
	if err := json.Unmarshal([]byte(said), &held); err != nil || len(held.Grants) != 1 {
		t.Fatalf("%v\n%s", err, said)
	}
	mustVerb(t, data, "grant", "end", held.Grants[0].ID)
	var status *ssh.ExitError
	if err := <-ended; !errors.As(err, &status) || status.ExitStatus() != 3 {
		t.Errorf("it ended with %v, want exit 3\n%s", err, out.String())
	}
	if strings.Contains(out.String(), `"grant.end"`) {
		t.Errorf("it was told what came after the role:\n%s", out.String())
	}
}

// The whole trail is handed over as a file by `ssh HOST audit export`, and that
// is in the trail.
func TestTheTrailIsExportedOverSSH(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "portal")
	s := serve(t, data)
	setUp(t, s).leave()
	key := linkAtConsole(t, data, "lin")
	before := trailOf(t, data)
	file, exit := remote(t, s.addr, key, "audit export --format csv")
	if exit != 0 {
		t.Fatalf("exit %d\n%s", exit, file)
	}
	exportHas(t, file, before)
	exports := trailOf(t, data, "--action", "audit.export")
	if len(exports) != 1 || exports[0].Name != "lin" || exports[0].Outcome != "done" || exports[0].Door != "verb" ||
		!strings.Contains(exports[0].Target, "csv") {
		t.Errorf("the trail says %+v", exports)
	}
}

// exportHas says whether an export as CSV has exactly these entries.
func exportHas(t testing.TB, file string, want []trailEntry) {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(file)).ReadAll()
	if err != nil || len(rows) != len(want)+1 {
		t.Fatalf("%d lines for %d entries: %v\n%s", len(rows), len(want), err, file)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	for i, e := range want {
		if row := rows[i+1]; row[column["id"]] != e.ID || row[column["action"]] != e.Action {
			t.Errorf("line %d is %q, want %+v", i+2, row, e)
		}
	}
}

// At the machine, while the portal serves, both go through the control socket:
// following ends well when it is interrupted, and a file is written where
// whoever asked stands.
func TestTheTrailThroughTheControlSocket(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "portal")
	s := serve(t, data)
	setUp(t, s).leave()

	follow := exec.Command(binary, "audit", "follow", "--json", "--data", data)
	follow.Env = environment(filepath.Dir(data))
	var out heard
	follow.Stdout, follow.Stderr = &out, &out
	if err := follow.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = follow.Process.Kill() })
	out.follows(t, data)
	visit(t, s.addr, nil, 80, 24).signIn("lin", ownerPassword, "Lin Ahn")
	out.line(t, `"signin.password"`, `"lin"`)
	if err := follow.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := follow.Wait(); err != nil {
		t.Errorf("interrupted, it ends with %v\n%s", err, out.String())
	}
	for line := range strings.Lines(out.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("this is no entry: %q", line)
		}
	}

	before := trailOf(t, data)
	exportHas(t, mustVerb(t, data, "audit", "export", "--format", "csv"), before)
	before = trailOf(t, data)
	path := filepath.Join(t.TempDir(), "trail.csv")
	mustVerb(t, data, "audit", "export", "--format", "csv", "--out", path)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	exportHas(t, string(file), before)
	if exports := trailOf(t, data, "--action", "audit.export"); len(exports) != 2 || exports[0].Door != "console" || exports[1].Door != "console" {
		t.Errorf("the trail says %+v", exports)
	}
}
