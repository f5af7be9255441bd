package tuitest

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"
)

// Wire is a terminal at the other end of a wire: a pseudo-terminal or an SSH
// channel with the real program behind it. It types bytes and reads its screen.
// All methods but Close are safe while the program draws.
type Wire struct {
	tb testing.TB
	in io.Writer

	mu      sync.Mutex
	emu     *vt.Emulator
	changed chan struct{}
	closed  chan struct{}
}

// wirePatience is how long a screen may take to show what is expected. It is only
// ever used up by a test that fails, so it suits the slowest machine.
const wirePatience = 60 * time.Second

// NewWire returns a terminal of w by h cells that shows what out delivers and
// types into in, until out ends.
func NewWire(tb testing.TB, in io.Writer, out io.Reader, w, h int) *Wire {
	t := &Wire{tb: tb, in: in, emu: vt.NewEmulator(w, h), changed: make(chan struct{}, 1), closed: make(chan struct{})}
	// The emulator answers questions about itself on its own reader; unread,
	// those answers would block it.
	go func() { _, _ = io.Copy(in, t.emu) }()
	go t.listen(out)
	return t
}

func (t *Wire) listen(out io.Reader) {
	defer close(t.closed)
	buf := make([]byte, 32<<10)
	for {
		n, err := out.Read(buf)
		t.mu.Lock()
		_, _ = t.emu.Write(buf[:n])
		t.mu.Unlock()
		select {
		case t.changed <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// Text returns what the screen shows, without styles.
func (t *Wire) Text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return ansi.Strip(t.emu.Render())
}

// WaitFor waits until the screen shows every one of texts, and fails the test
// with a picture of the screen when it does not.
func (t *Wire) WaitFor(texts ...string) {
	t.tb.Helper()
	if err := t.Until(func(screen string) bool {
		for _, want := range texts {
			if !strings.Contains(screen, want) {
				return false
			}
		}
		return true
	}); err != nil {
		t.tb.Fatalf("waiting for %q: %v\n%s", texts, err, t.Text())
	}
}

// Until waits until the screen satisfies ok. It returns an error when the wire
// ends first, or when the patience does.
func (t *Wire) Until(ok func(screen string) bool) error {
	deadline := time.After(wirePatience)
	for {
		if ok(t.Text()) {
			return nil
		}
		select {
		case <-t.changed:
		case <-t.closed:
			if ok(t.Text()) {
				return nil
			}
			return fmt.Errorf("the wire has ended")
		case <-deadline:
			return fmt.Errorf("not within %s", wirePatience)
		}
	}
}

// Closed delivers once the far end has closed the wire.
func (t *Wire) Closed() <-chan struct{} { return t.closed }

// Type types text as a person would, without a paste's brackets.
func (t *Wire) Type(text string) {
	t.tb.Helper()
	if _, err := io.WriteString(t.in, text); err != nil {
		t.tb.Fatalf("typing: %v\n%s", err, t.Text())
	}
}

// wireKeys are the bytes that a terminal sends for keys without a character.
var wireKeys = map[string]string{
	"enter": "\r", "tab": "\t", "shift+tab": "\x1b[Z", "esc": "\x1b", "backspace": "\x7f",
	"up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D",
	"ctrl+c": "\x03", "ctrl+n": "\x0e", "ctrl+r": "\x12", "ctrl+t": "\x14", "ctrl+u": "\x15", "space": " ",
}

// Press presses keys by their names, or single characters.
func (t *Wire) Press(keys ...string) {
	t.tb.Helper()
	for _, k := range keys {
		if b, ok := wireKeys[k]; ok {
			k = b
		}
		t.Type(k)
	}
}
