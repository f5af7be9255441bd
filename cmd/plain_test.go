package cmd

import (
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// hears waits until the program has written the words, after what was heard before.
func (x *terminal) hears(words string) {
	x.t.Helper()
	for end := time.Now().Add(patience); !strings.Contains(x.bytes(), words); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			x.t.Fatalf("never heard %q:\n%s", words, x.bytes())
		}
	}
}

// Screen readers and serial lines get prompts, a password is not echoed, and
// whatever ends the program the terminal is as it was.
func TestTheLocalDoorInLines(t *testing.T) {
	for name, end := range map[string]func(x *terminal){
		"ctrl+c":  func(x *terminal) { x.types("\x03") },
		"ctrl+d":  func(x *terminal) { x.types("\x04") },
		":quit":   func(x *terminal) { x.types(":quit\r") },
		"SIGTERM": func(x *terminal) { x.signal(syscall.SIGTERM) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHome(t)
			args := []string{"--plain"}
			if name == "ctrl+c" {
				h.env, args = slices.Replace(h.env, 3, 4, "TERM=dumb"), nil
			}
			x := h.inTerminal(args...)
			x.hears("Number [1]: ")
			x.types("\r")
			x.hears("Number [2]: ")
			x.types("\r")
			x.hears("Name (such as your club, lab or host): ")
			x.types("Lanterns\r")
			x.hears("Rules:")
			x.types("\r")
			x.hears("Continue\r\nNumber [2]: ")
			x.hears("hard enough to guess")
			x.types("\r")
			x.hears("User name: ")
			x.types("lin\r")
			x.hears("Shown as")
			x.types("\r")
			x.hears("E-mail")
			x.types("\r")
			x.types("\r")
			x.hears("Password: ")
			for end := time.Now().Add(patience); reflect.DeepEqual(x.modes(), x.was) && time.Now().Before(end); {
				time.Sleep(time.Millisecond) // until the echo is off
			}
			x.types("seven lamps under a quarry\r")
			x.hears("Again: ")
			end(x)
			if code := x.ends(); code != exitOK {
				t.Errorf("exit code %d:\n%s", code, x.bytes())
			}
			if now := x.modes(); !reflect.DeepEqual(now, x.was) {
				t.Errorf("the terminal's modes are %+v, and were %+v", now, x.was)
			}
			if out := x.bytes(); strings.Contains(out, "\x1b") || strings.Contains(out, "seven") {
				t.Errorf("drawn, or a secret said: %q", out)
			}
		})
	}
}
