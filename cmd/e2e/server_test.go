package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// binary is the real program, built once for the whole suite.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "postern-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(dir, "postern")
	out, err := exec.Command("go", "build", "-o", binary, "postern").CombinedOutput()
	if err != nil {
		fmt.Fprintf(os.Stderr, "building the program: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// long says whether the long suites run too.
func long() bool { return os.Getenv("POSTERN_LONG") != "" }

// server is a running `postern serve`.
type server struct {
	t      testing.TB
	data   string
	addr   string
	setup  string // the setup code it printed, "" when it is set up
	cmd    *exec.Cmd
	mu     sync.Mutex
	said   bytes.Buffer
	exited chan struct{}
}

var (
	listening = regexp.MustCompile(`127\.0\.0\.1:\d+`)
	setupCode = regexp.MustCompile(`[0-9A-Z]{4}(-[0-9A-Z]{4}){3}`)
)

// environment is what the program sees: nothing of whoever runs the tests.
func environment(home string, more ...string) []string {
	return append([]string{
		"HOME=" + home, "PATH=" + os.Getenv("PATH"), "LANG=en_US.UTF-8", "TERM=xterm-256color",
		"XDG_DATA_HOME=" + filepath.Join(home, "data"), "XDG_STATE_HOME=" + filepath.Join(home, "state"), "XDG_CONFIG_HOME=" + filepath.Join(home, "config"),
	}, more...)
}

// serve starts the SSH door on data, with more in its environment, and waits
// until it listens.
func serve(t testing.TB, data string, more ...string) *server {
	t.Helper()
	s := &server{t: t, data: data, exited: make(chan struct{})}
	s.cmd = exec.Command(binary, "serve", "--data", data, "--ssh", "127.0.0.1:0")
	s.cmd.Env = environment(filepath.Dir(data), more...)
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.cmd.Stderr = lockedWriter{s}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan struct{})
	go func() {
		defer close(s.exited)
		lines := bufio.NewScanner(out)
		told := false
		for lines.Scan() {
			line := lines.Text()
			_, _ = lockedWriter{s}.Write([]byte(line + "\n"))
			s.mu.Lock()
			if s.addr == "" {
				s.addr = listening.FindString(line)
			}
			if code := setupCode.FindString(line); code != "" && !strings.Contains(line, "SHA256:") {
				s.setup = code
			}
			// The way in is the last thing that is always said.
			if !told && s.addr != "" && strings.Contains(line, "ssh -p") {
				told = true
				close(ready)
			}
			s.mu.Unlock()
		}
		_ = s.cmd.Wait()
	}()
	t.Cleanup(s.kill)
	select {
	case <-ready:
	case <-s.exited:
		t.Fatalf("serve has ended:\n%s", s.output())
	case <-time.After(time.Minute):
		t.Fatalf("serve does not listen:\n%s", s.output())
	}
	return s
}

type lockedWriter struct{ s *server }

func (w lockedWriter) Write(p []byte) (int, error) {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	return w.s.said.Write(p)
}

func (s *server) output() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said.String()
}

// code waits for the setup code, which is printed after the address.
func (s *server) code() string {
	s.t.Helper()
	for range 600 {
		s.mu.Lock()
		code := s.setup
		s.mu.Unlock()
		if code != "" {
			return code
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.t.Fatalf("no setup code:\n%s", s.output())
	return ""
}

// kill is kill -9: nothing is flushed, closed or said.
func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	<-s.exited
}

// verb runs a verb at the machine's own command line.
func verb(t testing.TB, data string, args ...string) (out string, exit int) {
	t.Helper()
	cmd := exec.Command(binary, append(args, "--data", data)...)
	cmd.Env = environment(filepath.Dir(data))
	var both bytes.Buffer
	cmd.Stdout, cmd.Stderr = &both, &both
	err := cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return both.String(), cmd.ProcessState.ExitCode()
}

// mustVerb is verb for what has to work.
func mustVerb(t testing.TB, data string, args ...string) string {
	t.Helper()
	out, exit := verb(t, data, args...)
	if exit != 0 {
		t.Fatalf("postern %s: exit %d\n%s", strings.Join(args, " "), exit, out)
	}
	return out
}
