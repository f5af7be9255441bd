package cmd

import (
	"os"
	"os/signal"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestFirstStartShowsTheSetup(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	x := h.inTerminal()
	x.sees("This portal is new")
	x.types("\x03")
	if code := x.ends(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	for _, file := range []string{"postern.db", "keyset.json", "postern.marker"} {
		info, err := os.Stat(filepath.Join(h.data(), file))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", file, info, err)
		}
	}
	if info, err := os.Stat(h.data()); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the data directory: %v, %v", info, err)
	}
}

// Whatever ends the program, the terminal is as it was: its modes, the ordinary
// screen, a cursor to see, no mouse and no bracketed paste.
func TestTheTerminalIsRestored(t *testing.T) {
	t.Parallel()
	catchIgnored(t, os.Interrupt, syscall.SIGHUP)
	ends := map[string]func(x *terminal){
		"ctrl+c":  func(x *terminal) { x.types("\x03") },
		"SIGINT":  func(x *terminal) { x.signal(os.Interrupt) },
		"SIGTERM": func(x *terminal) { x.signal(syscall.SIGTERM) },
		"SIGHUP":  func(x *terminal) { x.signal(syscall.SIGHUP) },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHome(t)
			x := h.inTerminal()
			x.sees("Postern")
			if reflect.DeepEqual(x.modes(), x.was) {
				t.Error("the program never took the terminal over")
			}
			end(x)
			if code := x.ends(); code != exitOK {
				t.Errorf("exit code %d", code)
			}
			if now := x.modes(); !reflect.DeepEqual(now, x.was) {
				t.Errorf("the terminal's modes are %+v, and were %+v", now, x.was)
			}
			waitFor(t, "the ordinary screen", func() bool { return strings.Contains(x.bytes(), "\x1b[?1049l") })
			out := x.bytes()
			for on, off := range map[string]string{
				"\x1b[?1049h": "\x1b[?1049l", "\x1b[?2004h": "\x1b[?2004l", "\x1b[?25l": "\x1b[?25h",
				"\x1b[?1002h": "\x1b[?1002l", "\x1b[?1006h": "\x1b[?1006l",
			} {
				if strings.LastIndex(out, off) < strings.LastIndex(out, on) {
					t.Errorf("%q was not taken back", on)
				}
			}
			if _, _, code := h.run("check"); code != exitOK {
				t.Error("the data is not in order afterwards")
			}
		})
	}
}

// catchIgnored catches signals that the tests were started without, as nohup and
// some runners do: the programs that they start would ignore them too, as they
// should, and a caught signal is an ordinary one to a child.
func catchIgnored(t *testing.T, signals ...os.Signal) {
	signals = slices.DeleteFunc(signals, func(s os.Signal) bool { return !signal.Ignored(s) })
	if len(signals) == 0 {
		return
	}
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, signals...)
	t.Cleanup(func() { signal.Stop(caught) })
}

func (x *terminal) signal(s os.Signal) {
	x.t.Helper()
	if err := x.cmd.Process.Signal(s); err != nil {
		x.t.Fatal(err)
	}
}

func TestNoTerminalIsSaidPolitely(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	for _, args := range [][]string{nil, {"demo"}} {
		out, errw, code := h.run(args...)
		if code != exitUsage || out != "" || !strings.Contains(errw, "no terminal") {
			t.Errorf("%v: code %d, out %q, err %q", args, code, out, errw)
		}
	}
	if _, err := os.Stat(h.data()); !os.IsNotExist(err) {
		t.Error("data was made for nobody to see")
	}
}

func TestASecondStartSaysWhoHoldsTheData(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	s := h.serve()
	x := h.inTerminal()
	if code := x.ends(); code != exitRefused {
		t.Errorf("exit code %d", code)
	}
	port := s.addr[strings.LastIndex(s.addr, ":")+1:]
	for _, want := range []string{"process " + plainNumber(s.cmd.Process.Pid), "serve, since ", "ssh -p " + port + " localhost"} {
		waitFor(t, want, func() bool { return strings.Contains(x.bytes(), want) })
	}
}

func TestDemoSaysThatItIsOneAndWhomOneMayBe(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	x := h.inTerminal("demo")
	for _, want := range []string{"Harbour Lab", "Demo: all invented", "lin (owner) or ada (member)", "otter-brisk-lamp"} {
		x.sees(want)
	}
	x.types("\x03")
	if code := x.ends(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	if _, err := os.Stat(h.data()); !os.IsNotExist(err) {
		t.Error("the demonstration left data behind")
	}
}

// The same portal in lines: for screen readers, serial lines, TERM=dumb and pipes.
func TestThePlainDoorSpeaksInLines(t *testing.T) {
	t.Parallel()
	h := settled(t)
	h.env = append(h.env, "TERM=dumb")
	x := h.inTerminal()
	x.sees("Lab")
	x.sees("Sign in")
	if out := x.bytes(); strings.Contains(out, "\x1b") {
		t.Errorf("escape sequences for a dumb terminal: %q", out)
	}
	x.signal(syscall.SIGTERM)
	if code := x.ends(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	if now := x.modes(); !reflect.DeepEqual(now, x.was) {
		t.Error("the terminal's modes were not restored")
	}
	out, errw, code := h.run("--plain") // its input is at its end
	if code != exitOK || !strings.Contains(out, "Lab") {
		t.Errorf("code %d, out %q, err %q", code, out, errw)
	}
}
