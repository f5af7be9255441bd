package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"postern/cmd/control"
)

// A holder that is suspended is not waited for without a word, and whoever reads it
// knows what to type.
func TestASuspendedHolderIsSaid(t *testing.T) {
	t.Parallel()
	h := settled(t)
	s := h.serve()
	pid := s.cmd.Process.Pid
	if err := s.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	_, errw, code := h.run("user", "list")
	if code != exitRefused || !strings.Contains(errw, "may be suspended. Nothing was done. Let it go on (kill -CONT "+plainNumber(pid)+")") {
		t.Errorf("exit %d: %s", code, errw)
	}
	if out, _, code := h.run("user", "list", "--json"); code != exitRefused || !strings.Contains(out, `"code": "control_silent"`) {
		t.Errorf("exit %d: %s", code, out)
	}
	if x := h.inTerminal(); x.ends() != exitRefused || !strings.Contains(x.bytes(), "may be suspended") {
		t.Errorf("the screens: %s", x.text())
	}
	if err := s.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if out, errw, code := h.run("user", "list"); code != exitOK {
		t.Errorf("exit %d: %s%s", code, out, errw)
	}
}

// One that has its hands full says so, and is not taken for one that cannot be asked.
func TestABusyHolderIsSaid(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	if err := os.MkdirAll(h.data(), 0o700); err != nil {
		t.Fatal(err)
	}
	server, err := control.Listen(h.data(), control.Greeting{PID: os.Getpid()}, func(ctx context.Context, _ control.Peer, _ control.Request, out, _ io.Writer) int {
		_, _ = io.WriteString(out, "here")
		<-ctx.Done()
		return 0
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	var held sync.WaitGroup
	defer held.Wait()
	defer cancel()
	for {
		c, err := control.Dial(ctx, h.data())
		if errors.Is(err, control.ErrBusy) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		said := &lockedBuffer{}
		held.Go(func() {
			defer c.Close()
			_, _ = c.Do(ctx, control.Request{Dir: "/"}, said, io.Discard) // it is stopped
		})
		waitFor(t, "a verb", func() bool { return said.String() != "" })
	}
	if _, errw, code := h.run("user", "list"); code != exitRefused || !strings.Contains(errw, "as many verbs as it does at once. Nothing was done.") {
		t.Errorf("exit %d: %s", code, errw)
	}
}

// One that is suspended while it carries a verb out is given up after a while.
func TestAHolderThatIsSuspendedMeanwhileIsSaid(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for as long as an operator would")
	}
	t.Parallel()
	h := settled(t)
	s := h.serve()
	var said lockedBuffer
	cmd := h.command("audit", "follow")
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "an entry", func() bool {
		_, _, _ = h.run("session", "end", "nothing") // each refusal is written to the trail
		return said.String() != ""
	})
	if err := s.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // its code tells
	want := fmt.Sprintf("Nothing has been heard for 30 seconds of the process that holds the data; it may be suspended. Let it go on (kill -CONT %d)", s.cmd.Process.Pid)
	if code := cmd.ProcessState.ExitCode(); code != exitRefused || !strings.Contains(said.String(), want) {
		t.Errorf("exit %d: %s", code, said.String())
	}
}

// Ctrl-C stops a verb wherever it is carried out, and one that does many things
// says how far it has come.
func TestAVerbThatIsStoppedSaysTheSameWithAServer(t *testing.T) {
	t.Parallel()
	catchIgnored(t, os.Interrupt)
	h := settled(t)
	stopped := func() (string, int) {
		args := []string{"user", "unlock", "ada"}
		for i := range 9_000 {
			args = append(args, fmt.Sprintf("somebody-%05d", i))
		}
		cmd := h.command(args...)
		var said bytes.Buffer
		cmd.Stdout, cmd.Stderr = &said, &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		h.written(10) // it is at it, and long before its end, which takes hundreds
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // its code tells
		return said.String(), cmd.ProcessState.ExitCode()
	}
	for _, where := range []string{"alone", "served"} {
		if where == "served" {
			h.serve()
		}
		said, code := stopped()
		if code != exitRefused || !strings.Contains(said, "1 account is unlocked.") || !strings.Contains(said, "not begun") {
			t.Errorf("%s: exit %d\n%.300s", where, code, said[max(0, len(said)-300):])
		}
	}
	if out, errw, code := h.run("user", "list"); code != exitOK {
		t.Errorf("the holder afterwards: exit %d\n%s%s", code, out, errw)
	}
}

// written waits until the data has been seen to change so many times.
func (h *home) written(times int) {
	h.t.Helper()
	var last time.Time
	waitFor(h.t, "what is written", func() bool {
		info, err := os.Stat(filepath.Join(h.data(), "postern.db"))
		if err != nil {
			h.t.Fatal(err)
		}
		if !info.ModTime().Equal(last) {
			last = info.ModTime()
			times--
		}
		return times < 0 // what it was at first is no change
	})
}

// A reader who has seen enough ends a verb as it ends any program, without words.
func TestAReaderWhoHasGoneEndsAVerbSilently(t *testing.T) {
	t.Parallel()
	h := settled(t)
	for _, where := range []string{"alone", "served"} {
		if where == "served" {
			h.serve()
		}
		for _, line := range [][]string{{"audit", "list"}, {"audit", "export"}, {"user", "list", "--json"}, {"user", "show", "nobody", "--json"}} {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			cmd := h.command(line...)
			var said bytes.Buffer
			cmd.Stdout, cmd.Stderr = w, &said
			_ = r.Close()
			_ = cmd.Run() // its signal tells
			_ = w.Close()
			status := cmd.ProcessState.Sys().(syscall.WaitStatus)
			if said.Len() > 0 || status.Signal() != syscall.SIGPIPE {
				t.Errorf("%s: %v: %v\n%s", where, line, cmd.ProcessState, said.String())
			}
		}
	}
}

// What is piped in reaches the verb, whoever carries it out.
func TestWhatIsPipedInComesThrough(t *testing.T) {
	t.Parallel()
	h := settled(t)
	_, key, _ := newKey(t)
	script := "def decide(request):\n    return \"approve\"\n"
	h.serve()
	for _, c := range []struct {
		args []string
		in   string
		code int
		says string
	}{
		{[]string{"key", "add", "--user", "ada"}, key + "\n", exitOK, "SHA256:"},
		{[]string{"key", "add", "--user", "ada", "-"}, "no\x00key", exitRefused, "key: "},
		{[]string{"key", "add", "--user", "ada", "-"}, strings.Repeat("k", 9_000), exitRefused, "8,192"},
		{[]string{"agreement", "publish", "--name", "Rules", "--text", "-"}, strings.Repeat("Be kind. ü\n", 1_300), exitOK, "Rules"},
		{[]string{"analysis", "check", "--file", "-"}, script, exitOK, "It can be run."},
		{[]string{"import", "-"}, "{}", exitUsage, "postern import FILE"},
	} {
		cmd := h.command(c.args...)
		cmd.Stdin = strings.NewReader(c.in)
		out, _ := cmd.CombinedOutput() // its code tells
		if code := cmd.ProcessState.ExitCode(); code != c.code || !strings.Contains(string(out), c.says) {
			t.Errorf("%v: exit %d\n%.400s", c.args, code, out)
		}
	}
}
