package cmd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	gossh "golang.org/x/crypto/ssh"

	"postern/core"
	"postern/core/coretest"
	"postern/tui"
)

// piped runs `ssh host VERB < in`.
func piped(t testing.TB, c *gossh.Client, line, in string) (said string, code int) {
	t.Helper()
	session, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	var o, e bytes.Buffer
	session.Stdin, session.Stdout, session.Stderr = strings.NewReader(in), &o, &e
	err = session.Run(line)
	var exit *gossh.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitStatus()
	} else if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return o.String() + e.String(), code
}

// While the portal is served: a file of this machine goes through the control
// socket, a pipe over SSH; a member may not, and no file of the machine is read
// for anybody who comes from afar.
func TestAnImportWhileThePortalIsServed(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	adas, adaLine, adaPrint := newKey(t)
	if err := settle(h.data(), adaLine, adaPrint); err != nil {
		t.Fatal(err)
	}
	s := h.serve()
	lins, linLine, _ := newKey(t)
	add := h.command("key", "add", "--user", "lin")
	add.Stdin = strings.NewReader(linLine + "\n")
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "people.jsonl"), []byte(`{"user_name":"noor"}`+"\n"+`{"user_name":"bad name"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	at := h.command("import", "people.jsonl", "--errors", "refused.jsonl")
	at.Dir = dir
	out, err := at.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "1 account was imported") || !strings.Contains(string(out), "line 2") {
		t.Errorf("%v\n%s", err, out)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "refused.jsonl")); err != nil || !strings.Contains(string(b), `"code":"character"`) {
		t.Errorf("%s, %v", b, err)
	}
	pipe := h.command("import", "-")
	pipe.Stdin = strings.NewReader(`{"user_name":"mio"}`)
	if out, err := pipe.CombinedOutput(); err == nil || !strings.Contains(string(out), "postern import FILE") {
		t.Errorf("%v\n%s", err, out)
	}

	lin, ada := s.dial(lins), s.dial(adas)
	for _, c := range []struct {
		who      *gossh.Client
		line, in string
		says     string
		code     int
	}{
		{lin, "import - --dry-run", `{"user_name":"zoe"}`, "1 account would be imported", exitOK},
		{lin, "import -", `{"user_name":"zoe"}`, "1 account was imported", exitOK},
		{lin, "import - --format csv", "user_name\nkim\n", "1 account was imported", exitOK},
		{lin, "import -", `{"user_name":"zoe"}` + "\n", "already", exitRefused},
		{lin, "import -", strings.Repeat(" ", importPiped+1), "1,024 KiB", exitRefused},
		{lin, "import /etc/passwd", "", "import /etc/passwd (-)", exitUsage},
		{lin, "import - --errors x", "", "unknown flag: --errors", exitUsage},
		{ada, "import -", `{"user_name":"eve"}`, "not yours", exitNoAccess},
		{ada, "import - --dry-run", `{"user_name":"lin"}`, "not yours", exitNoAccess},
	} {
		if said, code := piped(t, c.who, c.line, c.in); code != c.code || !strings.Contains(said, c.says) {
			t.Errorf("%s < %.30q: exit %d\n%s", c.line, c.in, code, said)
		}
	}
	list, _, _ := verb(t, lin, "user list")
	for name, want := range map[string]bool{"noor": true, "zoe": true, "kim": true, "mio": false, "eve": false} {
		if strings.Contains(list, name) != want {
			t.Errorf("%s: %v\n%s", name, !want, list)
		}
	}
}

// More lines than are said are counted, in words and as data, and whoever looks on
// is told how far it is, on one line that is gone at the end.
func TestManyRefusedLinesAreSummedUp(t *testing.T) {
	p := coretest.Open(t)
	path := filepath.Join(t.TempDir(), "people.csv")
	file := "user_name\nnoor\n" + strings.Repeat("bad name\n", 1100)
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	catalog, err := tui.LoadCatalog()
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range []string{"en", "pt-BR", "es"} {
		var out, errw bytes.Buffer
		c := &Call{Portal: p.Portal, Actor: coretest.Console(), Out: &out, Err: &errw, Dict: catalog.Dict(lang), Dir: "/"}
		if code := carryOut(t.Context(), c, false, []string{"import", path, "--dry-run", "--progress"}); code != exitRefused {
			t.Errorf("exit %d", code)
		}
		if !strings.Contains(out.String(), "--errors FILE") || strings.Count(out.String(), "user_name: ") != importSaid || strings.Contains(out.String(), "⟦") {
			t.Errorf("%s:\n%s", lang, out.String())
		}
		if said := errw.String(); !strings.Contains(said, "100 %") || !strings.HasSuffix(said, " \r") || strings.Contains(said, "\n") {
			t.Errorf("%s: %q", lang, said)
		}
	}
	out, _, code := asks(t, p.Portal, coretest.Console(), "", "import", path, "--json")
	var shape importShape
	if err := json.Unmarshal([]byte(out), &shape); err != nil {
		t.Fatal(err)
	}
	if code != exitRefused || shape.Imported != 1 || shape.Refused != 1100 || len(shape.Errors) != importListed || shape.More != 100 || shape.Errors[0].Line != 3 || len(shape.ID) != 64 {
		t.Errorf("exit %d, %+v", code, shape.Imported)
	}
}

// A quota that is used up ends the import, says where, and that it goes on there.
func TestAnImportThatIsGivenUpSaysWhere(t *testing.T) {
	p := coretest.Open(t)
	p.Set("sign_up.quota", "2")
	path := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(path, fmt.Appendf(nil, "user_name\nnoor\nmio\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, errw, code := asks(t, p.Portal, coretest.Console(), "", "import", path)
	if code != exitRefused || errw != "" || !strings.Contains(out, "1 account was imported") || !strings.Contains(out, "come to line 2") {
		t.Errorf("exit %d\n%s%s", code, out, errw)
	}
	p.Set("sign_up.quota", "3")
	if out, _, code := asks(t, p.Portal, coretest.Console(), "", "import", path); code != exitOK || !strings.Contains(out, "1 line was passed over") {
		t.Errorf("exit %d\n%s", code, out)
	}
	if _, err := p.Accounts.Show(t.Context(), coretest.Console(), "mio"); err != nil {
		t.Error(core.CodeOf(err))
	}
}
