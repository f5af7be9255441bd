package cmd

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// TestMain makes the test binary answer to the name postern as well: what the
// tests start is the program itself.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"postern": func() { os.Exit(Main()) }})
}

// patience bounds waits for what happens in another process; it says nothing
// about how fast that should be.
const patience = 20 * time.Second

// home is the world of one test: its directories and environment.
type home struct {
	t   testing.TB
	dir string
	env []string
}

func newHome(t testing.TB) *home {
	t.Helper()
	dir := t.TempDir()
	return &home{t: t, dir: dir, env: []string{
		"HOME=" + dir, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + dir, "TERM=xterm-256color", "LANG=en_US.UTF-8", "TZ=UTC",
		"XDG_DATA_HOME=" + dir + "/data", "XDG_STATE_HOME=" + dir + "/state", "XDG_CONFIG_HOME=" + dir + "/config",
		// Hashes as cheap as the program allows: the tests are not about them.
		"POSTERN_HASH_MEMORY=19", "POSTERN_HASH_TIME=2",
	}}
}

func (h *home) data() string { return filepath.Join(h.dir, "data", "postern") }

func (h *home) command(args ...string) *exec.Cmd {
	cmd := exec.Command("postern", args...)
	cmd.Env, cmd.Dir = h.env, h.dir
	return cmd
}

// run runs a verb and returns what it wrote and its exit code.
func (h *home) run(args ...string) (out, errw string, code int) {
	h.t.Helper()
	cmd := h.command(args...)
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	err := cmd.Run()
	if cmd.ProcessState == nil {
		h.t.Fatal(err)
	}
	return o.String(), e.String(), cmd.ProcessState.ExitCode()
}

// terminal is the program in a terminal of 80x24.
type terminal struct {
	t    testing.TB
	cmd  *exec.Cmd
	pty  *os.File // what a terminal emulator holds
	tty  *os.File // what the program holds
	was  *unix.Termios
	done chan struct{}

	mu    sync.Mutex
	emu   *vt.Emulator
	raw   bytes.Buffer
	began time.Time
}

// inTerminal starts the program in a terminal.
func (h *home) inTerminal(args ...string) *terminal {
	return startIn(h.t, h.command(args...))
}

func startIn(t testing.TB, cmd *exec.Cmd) *terminal {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(master, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t, cmd: cmd, pty: master, tty: slave, done: make(chan struct{}), emu: vt.NewEmulator(80, 24)}
	term.was = term.modes()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	term.began = time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { // the emulator answers the program's questions
		_, _ = io.Copy(master, term.emu)
	}()
	go func() {
		buf := make([]byte, 32<<10)
		for {
			n, err := master.Read(buf)
			term.mu.Lock()
			term.raw.Write(buf[:n])
			_, _ = term.emu.Write(buf[:n])
			term.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	go func() {
		_ = cmd.Wait()
		close(term.done)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-term.done
		_ = slave.Close()
		_ = master.Close()
	})
	return term
}

// modes are the terminal's settings: echo, line editing, signals.
func (x *terminal) modes() *unix.Termios {
	x.t.Helper()
	m, err := unix.IoctlGetTermios(int(x.tty.Fd()), unix.TCGETS)
	if err != nil {
		x.t.Fatal(err)
	}
	return m
}

// text is what can be read on the screen.
func (x *terminal) text() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	var b strings.Builder
	for y := range 24 {
		var line strings.Builder
		for col := range 80 {
			if c := x.emu.CellAt(col, y); c == nil || c.Content == "" {
				line.WriteByte(' ')
			} else {
				line.WriteString(c.Content)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}

// bytes are all that the program has written.
func (x *terminal) bytes() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.raw.String()
}

// sees waits until the screen shows the words.
func (x *terminal) sees(words string) {
	x.t.Helper()
	for end := time.Now().Add(patience); !strings.Contains(x.text(), words); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			x.t.Fatalf("never saw %q; the screen is:\n%s", words, x.text())
		}
	}
}

// types sends keys as bytes.
func (x *terminal) types(keys string) {
	x.t.Helper()
	if _, err := x.pty.WriteString(keys); err != nil {
		x.t.Fatal(err)
	}
}

// ends waits for the program's end, and until all that it has written is read; it
// returns the exit code. A byte that no program writes tells where its words end.
func (x *terminal) ends() int {
	x.t.Helper()
	select {
	case <-x.done:
	case <-time.After(patience):
		x.t.Fatalf("the program does not end; the screen is:\n%s", x.text())
	}
	if _, err := x.tty.Write([]byte{0}); err != nil {
		x.t.Fatal(err)
	}
	waitFor(x.t, "the program's last words", func() bool { return strings.HasSuffix(x.bytes(), "\x00") })
	return x.cmd.ProcessState.ExitCode()
}

// server is a running `postern serve`.
type server struct {
	h       *home
	cmd     *exec.Cmd
	addr    string
	hostKey string

	mu  sync.Mutex
	out bytes.Buffer
}

// serve starts the SSH door on a free port and waits until it listens.
func (h *home) serve(args ...string) *server {
	h.t.Helper()
	s := &server{h: h, cmd: h.command(append([]string{"serve", "--ssh", "127.0.0.1:0"}, args...)...)}
	s.start()
	return s
}

func (s *server) start() {
	t := s.h.t
	t.Helper()
	r, w := io.Pipe()
	s.cmd.Stdout, s.cmd.Stderr = w, w
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := r.Read(buf)
			s.mu.Lock()
			s.out.Write(buf[:n])
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
		_ = w.Close()
		if t.Failed() {
			t.Logf("the server said:\n%s", s.said())
		}
	})
	for end := time.Now().Add(patience); !strings.Contains(s.said(), "Come in:"); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the server does not listen:\n%s", s.said())
		}
	}
	for line := range strings.Lines(s.said()) {
		line = strings.TrimSpace(line)
		if after, ok := strings.CutPrefix(line, "Postern listens on "); ok {
			s.addr, _, _ = strings.Cut(after, ". ")
		}
		if after, ok := strings.CutPrefix(line, "Host key: "); ok {
			s.hostKey, _, _ = strings.Cut(after, " ")
		}
	}
}

// setupCode waits for the code that is printed last, where nobody has set the portal up.
func (s *server) setupCode() string {
	s.h.t.Helper()
	var code string
	waitFor(s.h.t, "the setup code", func() bool {
		_, after, _ := strings.Cut(s.said(), "needs this code, once: ")
		line, _, whole := strings.Cut(after, "\n")
		code = strings.TrimSpace(line)
		return whole && code != ""
	})
	return code
}

func (s *server) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.String()
}

// stop asks the server to end and returns its exit code.
func (s *server) stop() int {
	s.h.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.h.t.Fatal(err)
	}
	_ = s.cmd.Wait()
	return s.cmd.ProcessState.ExitCode()
}

// lockedBuffer is a buffer that one goroutine writes and another reads.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// waitFor waits until something is so.
func waitFor(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s never came", what)
		}
	}
}
