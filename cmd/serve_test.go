package cmd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	gossh "golang.org/x/crypto/ssh"

	"crypto/ed25519"
	"crypto/rand"
)

// newKey makes a visitor's key.
func newKey(t testing.TB) (signer gossh.Signer, line, fingerprint string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err = gossh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	line = strings.TrimSpace(string(gossh.MarshalAuthorizedKey(signer.PublicKey())))
	return signer, line, gossh.FingerprintSHA256(signer.PublicKey())
}

// dial connects as somebody with a key, or with none.
func (s *server) dial(signer gossh.Signer) *gossh.Client {
	s.h.t.Helper()
	config := &gossh.ClientConfig{
		User: "anybody", Timeout: patience,
		HostKeyCallback: func(_ string, _ net.Addr, key gossh.PublicKey) error {
			if got := gossh.FingerprintSHA256(key); got != s.hostKey {
				return fmt.Errorf("host key %s, printed was %s", got, s.hostKey)
			}
			return nil
		},
		Auth: []gossh.AuthMethod{gossh.KeyboardInteractive(func(string, string, []string, []bool) ([]string, error) { return nil, nil })},
	}
	if signer != nil {
		config.Auth = append([]gossh.AuthMethod{gossh.PublicKeys(signer)}, config.Auth...)
	}
	c, err := gossh.Dial("tcp", s.addr, config)
	if err != nil {
		s.h.t.Fatal(err)
	}
	s.h.t.Cleanup(func() { _ = c.Close() })
	return c
}

// verb runs `ssh host VERB`.
func verb(t testing.TB, c *gossh.Client, line string) (out, errw string, code int) {
	t.Helper()
	session, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	var o, e bytes.Buffer
	session.Stdout, session.Stderr = &o, &e
	err = session.Run(line)
	var exit *gossh.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitStatus()
	} else if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return o.String(), e.String(), code
}

// keepOpen gives a session an input that does not end: with its end the visitor is gone.
func keepOpen(t testing.TB, session *gossh.Session) {
	t.Helper()
	if _, err := session.StdinPipe(); err != nil {
		t.Fatal(err)
	}
}

// served is a portal that is set up and served; ada's key is linked.
func served(t testing.TB) (*server, gossh.Signer) {
	t.Helper()
	h := newHome(t)
	signer, line, fingerprint := newKey(t)
	if err := settle(h.data(), line, fingerprint); err != nil {
		t.Fatal(err)
	}
	return h.serve(), signer
}

func TestServePrintsWhereItIsAndTheSetupCodeOnce(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	s := h.serve()
	if !strings.HasPrefix(s.hostKey, "SHA256:") || !strings.Contains(s.said(), "ssh -p ") {
		t.Errorf("it said:\n%s", s.said())
	}
	first, code := s.hostKey, s.setupCode()
	if code := s.stop(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	again := h.serve()
	if again.hostKey != first {
		t.Error("the host key is another one after a restart")
	}
	if again.setupCode() == code {
		t.Error("the setup code is that of an earlier start")
	}
	for _, file := range []string{"postern.db", "keyset.json", hostKeyFile, "control.sock"} {
		info, err := os.Stat(filepath.Join(h.data(), file))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", file, info.Mode(), err)
		}
	}
	settledHome := settled(t)
	settledServer := settledHome.serve()
	if settledServer.stop(); strings.Contains(settledServer.said(), "needs this code") {
		t.Error("a setup code is printed for a portal that is set up")
	}
}

// A linked key speaks for its own account, and for nothing else.
func TestVerbsOverSSHActForTheLinkedAccount(t *testing.T) {
	t.Parallel()
	s, signer := served(t)
	c := s.dial(signer)
	tests := []struct {
		line string
		code int
		out  string // contained in standard output
		err  string // contained in standard error
	}{
		{"whoami", 0, "ada", ""},
		{"whoami --json", 0, `"user_name": "ada"`, ""},
		{"version", 0, "postern ", ""},
		{"help", 0, "whoami", ""},
		{"session list --json", 0, `"remote": "203.0.113.9"`, ""},
		{"key list", 0, "SHA256:", ""},
		{"audit list", 0, "sign-up", ""},
		{"session end --all", 0, "1 session ended", ""},
		// A member may not look after others, nor at the trail of all.
		{"user list", 3, "", "not yours to do"},
		{"user list --json", 3, `"code": "denied"`, ""},
		{"user suspend bob", 3, "", "not yours to do"},
		{"policy show", 3, "", ""},
		{"policy set session.max=1", 3, "", ""},
		{"session list bob", 3, "", ""},
		{"audit list --everybody", 3, "", ""},
		{"invite create", 3, "", ""},
		// The machine's own verbs are not offered, nor the shell's.
		{"backup /tmp/stolen", 2, "", "not understood"},
		{"check", 2, "", "not understood"},
		{"keyset rotate", 2, "", "not understood"},
		{"serve", 2, "", "not understood"},
		{"__complete user ''", 2, "", "not understood"},
		{"/bin/sh -c id", 2, "", "not understood"},
		{"user", 2, "", "Say what"},
		{"nonsense --json", 2, `"code": "usage"`, ""},
	}
	for _, tt := range tests {
		out, errw, code := verb(t, c, tt.line)
		if code != tt.code || !strings.Contains(out, tt.out) || !strings.Contains(errw, tt.err) {
			t.Errorf("%s: code %d\nout: %s\nerr: %s", tt.line, code, out, errw)
		}
	}
}

func TestAKeyThatIsNotLinkedMayNothing(t *testing.T) {
	t.Parallel()
	s, _ := served(t)
	stranger, _, _ := newKey(t)
	for name, signer := range map[string]gossh.Signer{"another key": stranger, "no key": nil} {
		c := s.dial(signer)
		for _, line := range []string{"whoami", "session list", "user list", "nonsense"} {
			if out, errw, code := verb(t, c, line); code != exitNoAccess || out != "" || !strings.Contains(errw, "linked to no account") {
				t.Errorf("%s: %s: code %d, out %q, err %q", name, line, code, out, errw)
			}
		}
		out, _, code := verb(t, c, "whoami --json")
		if code != exitNoAccess || !strings.Contains(out, `"code": "denied"`) {
			t.Errorf("%s: code %d, %s", name, code, out)
		}
		if _, _, code := verb(t, c, "version"); code != exitOK {
			t.Errorf("%s: version ends with %d", name, code)
		}
	}
}

func TestASuspendedAccountLosesItsVerbsAtOnce(t *testing.T) {
	t.Parallel()
	s, signer := served(t)
	c := s.dial(signer)
	if _, _, code := verb(t, c, "whoami"); code != exitOK {
		t.Fatalf("code %d", code)
	}
	if out, errw, code := s.h.run("user", "suspend", "ada"); code != exitOK {
		t.Fatal(out, errw)
	}
	if _, _, code := verb(t, c, "whoami"); code != exitNoAccess {
		t.Errorf("code %d after the suspension", code)
	}
}

// Whoever must have a factor by now, and has none, is told what to do.
func TestAKeyWaitsForTheFactorThatIsDue(t *testing.T) {
	t.Parallel()
	s, signer := served(t)
	c := s.dial(signer)
	set := func(line ...string) {
		t.Helper()
		if out, errw, code := s.h.run(append([]string{"policy", "set", "--yes"}, line...)...); code != exitOK {
			t.Fatal(out, errw)
		}
	}
	set("factors.enforce=everybody", "factors.days=0")
	if _, errw, code := verb(t, c, "whoami"); code != exitOK {
		t.Errorf("the key is a factor: code %d, %s", code, errw)
	}
	set("factors.key_stands=nothing")
	if out, errw, code := verb(t, c, "whoami"); code != exitNoAccess || out != "" || !strings.Contains(errw, "Sign in on the screens and enrol one there.") {
		t.Errorf("code %d, out %q, err %q", code, out, errw)
	}
	if out, _, code := verb(t, c, "user list --json"); code != exitNoAccess || !strings.Contains(out, `"code": "factor_due"`) {
		t.Errorf("code %d, %s", code, out)
	}
}

// Verbs of the console go through the process that serves, while others work.
func TestBackupUnderLoadAndRestoreElsewhere(t *testing.T) {
	t.Parallel()
	s, signer := served(t)
	var stop atomic.Bool
	var load sync.WaitGroup
	for range 2 {
		c := s.dial(signer)
		load.Go(func() {
			for !stop.Load() {
				session, err := c.NewSession()
				if err != nil {
					return
				}
				_ = session.Run("session end nothing") // each refusal is written to the trail
				_ = session.Close()
			}
		})
	}
	file := filepath.Join(s.h.dir, "under-load.backup")
	out, errw, code := s.h.run("backup", "under-load.backup", "--json")
	stop.Store(true)
	load.Wait()
	if code != exitOK {
		t.Fatal(out, errw)
	}
	var shape backupShape
	if err := json.Unmarshal([]byte(out), &shape); err != nil || shape.File != file || shape.Records == 0 {
		t.Errorf("%s: %v", out, err)
	}
	if out, errw, code := s.h.run("check"); code != exitOK {
		t.Error(out, errw)
	}
	if code := s.stop(); code != exitOK {
		t.Errorf("serve ends with %d", code)
	}
	elsewhere := filepath.Join(s.h.dir, "elsewhere")
	if out, errw, code := s.h.run("restore", file, "--data", elsewhere, "--keyset", filepath.Join(s.h.data(), "keyset.json")); code != exitOK {
		t.Fatal(out, errw)
	}
	if out, errw, code := s.h.run("check", "--data", elsewhere); code != exitOK {
		t.Fatal(out, errw)
	}
	if out, _, _ := s.h.run("user", "list", "--data", elsewhere); !strings.Contains(out, "ada") {
		t.Error(out)
	}
}

// trailEnd is where the chain over the trail ends, which a server moves on meanwhile.
var trailEnd = regexp.MustCompile(`(?m)^Trail ends with.*\n|,\n *"audit_head".*$`)

// What the console says and answers is the same, whoever carries it out.
func TestVerbsAnswerTheSameWithAndWithoutAServer(t *testing.T) {
	t.Parallel()
	h := settled(t)
	lines := [][]string{
		{"whoami"}, {"whoami", "--json"}, {"user", "list"}, {"user", "show", "nobody", "--json"}, {"user", "show"},
		{"policy", "show"}, {"policy", "set", "password.min_length=1"}, {"session", "list"}, {"invite", "list", "--json"}, {"user", "nonsense"},
		{"user", "show", "--", "-x"}, {"user", "list", "--limit", "1", "--prefix", "b"},
	}
	type answer struct {
		out, errw string
		code      int
	}
	run := func() (all []answer) {
		for _, args := range lines {
			out, errw, code := h.run(args...)
			all = append(all, answer{trailEnd.ReplaceAllString(out, ""), errw, code})
		}
		return all
	}
	alone := run()
	s := h.serve()
	for i, got := range run() {
		if got != alone[i] {
			t.Errorf("%v:\nalone:  %+v\nserved: %+v", lines[i], alone[i], got)
		}
	}
	if strings.Contains(s.said(), "panic") {
		t.Error(s.said())
	}
}

// kill -9 leaves a lock and a socket that keep nobody out.
func TestAfterAKillTheDataIsFree(t *testing.T) {
	t.Parallel()
	h := settled(t)
	s := h.serve()
	if err := s.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = s.cmd.Wait()
	if out, errw, code := h.run("check"); code != exitOK {
		t.Error(out, errw)
	}
	h.serve()
}

// The screens of a visitor: a terminal over SSH, and the end of it.
func TestAVisitorSeesTheWelcomeAndAGoodbye(t *testing.T) {
	t.Parallel()
	s, signer := served(t)
	c := s.dial(signer)
	session, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	var out, errw lockedBuffer
	session.Stdout, session.Stderr = &out, &errw
	keepOpen(t, session)
	if err := session.RequestPty("xterm-256color", 24, 80, gossh.TerminalModes{}); err != nil {
		t.Fatal(err)
	}
	if err := session.Shell(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the welcome", func() bool { return strings.Contains(out.String(), "Lab") })
	if code := s.stop(); code != exitOK {
		t.Errorf("serve ends with %d", code)
	}
	_ = session.Wait()
	if !strings.Contains(errw.String()+out.String(), "shutting down") {
		t.Errorf("no goodbye: %q", errw.String())
	}
	if !strings.Contains(out.String(), "\x1b[?1049l") {
		t.Error("the visitor's terminal was not restored")
	}
}

// A terminal that can only be written to gets the same portal in lines.
func TestADumbTerminalOverSSHGetsLines(t *testing.T) {
	t.Parallel()
	s, signer := served(t)
	session, err := s.dial(signer).NewSession()
	if err != nil {
		t.Fatal(err)
	}
	var out lockedBuffer
	session.Stdout = &out
	keepOpen(t, session)
	if err := session.RequestPty("dumb", 24, 80, gossh.TerminalModes{}); err != nil {
		t.Fatal(err)
	}
	if err := session.Shell(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the welcome", func() bool { return strings.Contains(out.String(), "Sign in") })
	if strings.Contains(out.String(), "\x1b") {
		t.Errorf("escape sequences for a dumb terminal: %q", out.String())
	}
	if code := s.stop(); code != exitOK {
		t.Errorf("serve ends with %d", code)
	}
}

func TestTheDemonstrationIsServedToo(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	s := &server{h: h, cmd: h.command("demo", "--ssh", "127.0.0.1:0")}
	s.start()
	c := s.dial(nil)
	session, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	var out lockedBuffer
	session.Stdout = &out
	keepOpen(t, session)
	if err := session.RequestPty("xterm", 24, 80, gossh.TerminalModes{}); err != nil {
		t.Fatal(err)
	}
	if err := session.Shell(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the banner", func() bool { return strings.Contains(out.String(), "otter-brisk-lamp") })
	if code := s.stop(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	left, err := filepath.Glob(filepath.Join(h.dir, "*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestTwoServersDoNotShareADoor(t *testing.T) {
	t.Parallel()
	h, other := settled(t), settled(t)
	s := h.serve()
	if _, errw, code := h.run("serve", "--ssh", "127.0.0.1:0"); code != exitRefused || !strings.Contains(errw, "in use by process") {
		t.Errorf("the same data: code %d, %s", code, errw)
	}
	if _, errw, code := other.run("serve", "--ssh", s.addr); code != exitRefused || !strings.Contains(errw, "Nobody can come in at "+s.addr) {
		t.Errorf("the same address: code %d, %s", code, errw)
	}
}
