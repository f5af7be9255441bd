package e2e

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"postern/core"
	"postern/tui/tuitest"
)

// visitor is a person at the other end of an SSH connection.
type visitor struct {
	*tuitest.Wire
	t       testing.TB
	client  *ssh.Client
	session *ssh.Session
}

// newKey makes a key of the visitor's own.
func newKey(t testing.TB) ssh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// dial connects as a guest, or with a key.
func dial(t testing.TB, addr string, key ssh.Signer) *ssh.Client {
	t.Helper()
	auth := []ssh.AuthMethod{ssh.KeyboardInteractive(func(_, _ string, questions []string, _ []bool) ([]string, error) {
		if len(questions) > 0 {
			return nil, errors.New("a guest is asked nothing")
		}
		return nil, nil
	})}
	if key != nil {
		auth = []ssh.AuthMethod{ssh.PublicKeys(key)}
	}
	client, err := ssh.Dial("tcp", addr, &ssh.ClientConfig{User: "visitor", Auth: auth, HostKeyCallback: ssh.InsecureIgnoreHostKey()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// visit opens a terminal of w by h cells.
func visit(t testing.TB, addr string, key ssh.Signer, w, h int) *visitor {
	t.Helper()
	client := dial(t, addr, key)
	session, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	in, err := session.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	// A person's terminal shows both streams.
	out, both := io.Pipe()
	session.Stdout, session.Stderr = both, both
	for name, value := range map[string]string{"LANG": "en_US.UTF-8", "COLORTERM": "truecolor"} {
		if err := session.Setenv(name, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := session.RequestPty("xterm-256color", h, w, ssh.TerminalModes{}); err != nil {
		t.Fatal(err)
	}
	if err := session.Shell(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = session.Wait()
		_ = both.Close()
	}()
	return &visitor{Wire: tuitest.NewWire(t, in, out, w, h), t: t, client: client, session: session}
}

// leave hangs up.
func (v *visitor) leave() { _ = v.client.Close() }

// choose opens the line of a menu that says label, whether a letter for it
// stands before or not.
func (v *visitor) choose(label string) {
	v.t.Helper()
	v.WaitFor(label)
	marked := func(screen string) bool {
		for _, line := range strings.Split(screen, "\n") {
			_, marked, ok := strings.Cut(line, "▸")
			if ok && strings.Contains("  "+strings.TrimSpace(marked)+"  ", "  "+label+"  ") {
				return true
			}
		}
		return false
	}
	for range 20 {
		before := v.drawn(nil)
		if marked(before) {
			v.Press("enter")
			return
		}
		v.Press("down")
		v.drawn(&before)
	}
	v.t.Fatalf("no line %q in the menu:\n%s", label, v.Text())
}

// drawn waits until the screen is whole, and another than it was, and returns it.
// Half drawn, a screen has no mark, or two.
func (v *visitor) drawn(before *string) (screen string) {
	v.t.Helper()
	if err := v.Until(func(s string) bool {
		screen = s
		return strings.Count(s, "▸") == 1 && (before == nil || s != *before)
	}); err != nil {
		v.t.Fatalf("the screen stands still: %v\n%s", err, v.Text())
	}
	return screen
}

// fill types into one field after the other.
func (v *visitor) fill(values ...string) {
	for _, value := range values {
		v.Type(value)
		v.Press("enter")
	}
}

// Passwords that the policies of the tests accept.
const (
	ownerPassword = "Violet tram hums at 7 dusks!"
	userPassword  = "Seven lamps & 1 quiet quarry"
	nextPassword  = "Copper heron, 4 slow rivers."
)

// knock types name and password, and stays at what is asked next.
func (v *visitor) knock(login, password string) {
	v.t.Helper()
	v.choose("Sign in")
	v.WaitFor("Name or e-mail")
	v.fill(login, password)
}

// setUp goes through the first run with the code that serve printed.
func setUp(t testing.TB, s *server) *visitor {
	t.Helper()
	v := visit(t, s.addr, nil, 80, 24)
	v.WaitFor("This portal is new", "Setup code")
	v.Press("enter") // the language stays
	v.fill(s.code())
	v.WaitFor("What people will see")
	v.fill("Lanterns")
	v.Press("enter") // the recommended rules
	v.WaitFor("The owner", "User name")
	v.fill("lin", "Lin Ahn", "lin@example.org")
	v.WaitFor("Password", "Again")
	v.fill(ownerPassword, ownerPassword)
	v.WaitFor("Hello, Lin Ahn")
	return v
}

// signUp makes an account and arrives at home.
func (v *visitor) signUp(name, display, password string) {
	v.t.Helper()
	v.apply(name, display, password)
	v.arrive("Hello, " + display)
}

// apply fills in all that makes an account.
func (v *visitor) apply(name, display, password string) {
	v.t.Helper()
	v.choose("Create an account")
	v.WaitFor("User name")
	v.fill(name, display, name+"@example.org")
	v.WaitFor("Again")
	v.fill(password, password)
}

// arrive waits for words, and solves a captcha that is asked before.
func (v *visitor) arrive(words string) {
	v.t.Helper()
	asked := false
	if err := v.Until(func(s string) bool {
		asked = strings.Contains(s, "Not a program?") && strings.Contains(s, "In the picture")
		return asked || strings.Contains(s, words)
	}); err != nil {
		v.t.Fatalf("neither %q nor a captcha: %v\n%s", words, err, v.Text())
	}
	if asked {
		v.solve()
	}
	v.WaitFor(words)
}

// numbers are those that a captcha in words is made of, from one on.
var numbers = strings.Fields("one two three four five six seven eight nine ten eleven twelve thirteen fourteen " +
	"fifteen sixteen seventeen eighteen nineteen twenty")

var sum = regexp.MustCompile(`How much is (\w+) and (\w+), in digits\?`)

// solve solves a captcha in words, since pictures are hard for programs.
func (v *visitor) solve() {
	v.t.Helper()
	v.Press("ctrl+t")
	v.WaitFor("Together", "How much is")
	asked := sum.FindStringSubmatch(v.Text())
	if asked == nil {
		v.t.Fatalf("no question in words:\n%s", v.Text())
	}
	time.Sleep(core.CaptchaSoon + 100*time.Millisecond) // sooner than that nobody can have read it
	v.fill(strconv.Itoa(slices.Index(numbers, asked[1]) + slices.Index(numbers, asked[2]) + 2))
}

// signIn arrives at home.
func (v *visitor) signIn(login, password, display string) {
	v.t.Helper()
	v.knock(login, password)
	v.arrive("Hello, " + display)
}

// remote runs `ssh host VERB`.
func remote(t testing.TB, addr string, key ssh.Signer, command string) (out string, exit int) {
	t.Helper()
	session, err := dial(t, addr, key).NewSession()
	if err != nil {
		t.Fatal(err)
	}
	both, err := session.CombinedOutput(command)
	var status *ssh.ExitError
	switch {
	case errors.As(err, &status):
		exit = status.ExitStatus()
	case err != nil:
		t.Fatal(fmt.Errorf("%s: %w\n%s", command, err, both))
	}
	return string(both), exit
}
