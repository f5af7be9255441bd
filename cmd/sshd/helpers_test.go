package sshd

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/vt"
	"go.uber.org/goleak"
	gossh "golang.org/x/crypto/ssh"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// screen is a bare model that shows its size and what was typed into it.
type screen struct {
	width, height int
	typed         string
	sizes         int
}

func (m screen) Init() tea.Cmd { return nil }

func (m screen) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
		m.sizes++
	case tea.PasteMsg:
		m.typed += msg.Content
	case tea.KeyPressMsg:
		switch msg.String() {
		case "ctrl+c":
			return m, tea.Quit
		case "ctrl+p":
			panic("the screen's secret")
		case "ctrl+o":
			return m, tea.Sequence(func() tea.Msg { panic("the command's secret") })
		case "ctrl+t":
			return m, tea.Suspend
		}
		m.typed += msg.Text
	}
	return m, nil
}

func (m screen) View() tea.View {
	if strings.HasSuffix(m.typed, "viewpanic") {
		panic("the view's secret")
	}
	shown := m.typed
	if len(shown) > 20 {
		shown = shown[len(shown)-20:]
	}
	v := tea.NewView(fmt.Sprintf("size=%dx%d n=%d [%s]", m.width, m.height, len(m.typed), shown))
	v.AltScreen = true
	return v
}

// testHandler serves screens, and a few verbs that tests need.
type testHandler struct {
	mu       sync.Mutex
	visitors []Visitor
	ended    int
	model    tea.Model
	lines    func(ctx context.Context, in io.Reader, out io.Writer)
}

func (h *testHandler) Program(_ context.Context, v Visitor) Program {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.visitors = append(h.visitors, v)
	model := h.model
	if model == nil {
		model = screen{}
	}
	return Program{Model: model, Lines: h.lines, Ended: func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.ended++
	}}
}

func (h *testHandler) Verb(ctx context.Context, v Visitor, args []string, in io.Reader, out, errw io.Writer) int {
	switch args[0] {
	case "whoami":
		_, _ = fmt.Fprintf(out, "%s|%s|%s|%v|%v", v.User, v.KeyFingerprint, v.Remote, v.PTY, v.Env)
	case "args":
		_, _ = fmt.Fprintf(out, "%q", args)
	case "cat":
		if _, err := io.Copy(out, in); err != nil {
			_, _ = fmt.Fprintln(errw, err)
			return ExitRefused
		}
	case "flood":
		for ctx.Err() == nil {
			if _, err := out.Write(make([]byte, 32<<10)); err != nil {
				return 9
			}
		}
	case "wait":
		<-ctx.Done()
	case "panic":
		panic("the verb's secret")
	case "exit7":
		return 7
	default:
		_, _ = fmt.Fprintln(errw, "no such verb")
		return ExitUsage
	}
	return ExitOK
}

func (h *testHandler) Say(_ Visitor, line Line, _ string) string {
	if line == LineShutdown {
		return "Auf Wiedersehen."
	}
	return ""
}

var _ Handler = (*testHandler)(nil)

func (h *testHandler) endedCount() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ended
}

// logBuffer is a log that a test can read while it is written.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// door is a running server.
type door struct {
	*Server
	t       *testing.T
	handler *testHandler
	addr    string
	log     *logBuffer
	stop    func() error
}

func open(t *testing.T, limits Limits, change ...func(*Config)) *door {
	t.Helper()
	handler, log := &testHandler{}, &logBuffer{}
	config := Config{
		Addr: "127.0.0.1:0", HostKeyPath: filepath.Join(t.TempDir(), "host_key"), Limits: limits,
		Log: slog.New(slog.NewTextHandler(log, nil)),
	}
	for _, f := range change {
		f(&config)
	}
	server, err := New(config, handler)
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx) }()
	var once sync.Once
	d := &door{Server: server, t: t, handler: handler, addr: server.Addr().String(), log: log}
	d.stop = func() (err error) {
		once.Do(func() {
			cancel()
			err = <-served
		})
		return err
	}
	t.Cleanup(func() {
		if err := d.stop(); err != nil {
			t.Errorf("Serve: %v", err)
		}
		if st := d.Stats(); st.Connections != 0 || st.Sessions != 0 || st.Unauthenticated != 0 {
			t.Errorf("counts are left over: %+v", st)
		}
	})
	return d
}

// guestAuth comes in without a key, as OpenSSH does: no questions, no answers.
func guestAuth() gossh.AuthMethod {
	return gossh.KeyboardInteractive(func(string, string, []string, []bool) ([]string, error) { return nil, nil })
}

func newKey(t *testing.T) gossh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := gossh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func (d *door) dial(auth ...gossh.AuthMethod) (*gossh.Client, error) {
	if len(auth) == 0 {
		auth = []gossh.AuthMethod{guestAuth()}
	}
	return gossh.Dial("tcp", d.addr, &gossh.ClientConfig{
		User: "ada", Auth: auth, HostKeyCallback: gossh.FixedHostKey(d.HostKey()), Timeout: 10 * time.Second,
	})
}

func (d *door) client(auth ...gossh.AuthMethod) *gossh.Client {
	d.t.Helper()
	client, err := d.dial(auth...)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = client.Close() })
	return client
}

// terminal is an interactive session and everything it was sent.
type terminal struct {
	*gossh.Session
	t   *testing.T
	in  io.WriteCloser
	out *logBuffer

	mu   sync.Mutex
	view *vt.Emulator
}

func newTerminal(t *testing.T, sess *gossh.Session) *terminal {
	t.Helper()
	term := &terminal{Session: sess, t: t, out: &logBuffer{}, view: vt.NewEmulator(MaxWidth, MaxHeight)}
	sess.Stdout, sess.Stderr = term, term
	var err error
	if term.in, err = sess.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	// The emulator answers questions; nobody wants to know.
	go func() { _, _ = io.Copy(io.Discard, term.view) }()
	t.Cleanup(func() { _ = term.view.InputPipe().(io.Closer).Close() })
	return term
}

// Write takes what the server sent, for the record and for the eye.
func (s *terminal) Write(p []byte) (int, error) {
	_, _ = s.out.Write(p)
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = s.view.Write(p)
	return len(p), nil
}

// shows says whether the text is on the screen now.
func (s *terminal) shows(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(s.view.String(), text)
}

func (d *door) terminal(client *gossh.Client, width, height int) *terminal {
	d.t.Helper()
	sess, err := client.NewSession()
	if err != nil {
		d.t.Fatal(err)
	}
	term := newTerminal(d.t, sess)
	if err := sess.RequestPty("xterm-256color", height, width, nil); err != nil {
		d.t.Fatal(err)
	}
	if err := sess.Shell(); err != nil {
		d.t.Fatal(err)
	}
	return term
}

// see waits until the text is on the screen.
func (s *terminal) see(text string) {
	s.t.Helper()
	eventually(s.t, "the screen to show "+text, func() bool { return s.shows(text) })
}

func (s *terminal) typeKeys(keys string) {
	s.t.Helper()
	if _, err := io.WriteString(s.in, keys); err != nil {
		s.t.Fatal(err)
	}
}

// eventually waits for what is bound to happen; the time is only for a test that fails.
func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for range 1000 {
		if happened() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("waited in vain for %s", what)
}

// exitCode is the exit code of a session that is over.
func exitCode(t *testing.T, err error) int {
	t.Helper()
	if err == nil {
		return 0
	}
	exit, ok := err.(*gossh.ExitError)
	if !ok {
		t.Fatalf("the session ended without an exit code: %v", err)
	}
	return exit.ExitStatus()
}

// rawDial opens a bare connection.
func (d *door) rawDial() net.Conn {
	d.t.Helper()
	c, err := net.Dial("tcp", d.addr)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = c.Close() })
	return c
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }
