// Package tuitest drives screens in tests the way a person does: type, press,
// paste, resize, and read what is there. A screen runs under the real router;
// its commands run for real, each in a goroutine; what it draws is read back
// from a virtual terminal, so that a stray escape sequence is seen as the mess
// it would make.
package tuitest

import (
	"context"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"postern/tui"
)

// patience is how long WaitFor waits; only a failing test waits so long.
const patience = 30 * time.Second

// grace is how long a command may run before it counts as one that waits for
// something: a timer, a watch, a slow hash. Those are waited for with WaitFor.
const grace = 60 * time.Millisecond

// Now is the time that NewSession's clock shows: a Sunday noon.
var Now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// Option changes what NewSession describes.
type Option func(*options)

type options struct {
	env  []string
	lang string
}

// Env adds variables to the terminal's environment, such as "NO_COLOR=1".
func Env(vars ...string) Option { return func(o *options) { o.env = append(o.env, vars...) } }

// Lang chooses the language; the default is English.
func Lang(tag string) Option { return func(o *options) { o.lang = tag } }

// Dumb is a terminal that can do nothing: no colours, no UTF-8.
func Dumb() Option { return Env("TERM=dumb", "LANG=C") }

// NoColor is an ordinary terminal of somebody who does not want colours.
func NoColor() Option { return Env("NO_COLOR=1") }

var catalog = sync.OnceValues(func() (*tui.Catalog, error) {
	c, err := tui.LoadCatalog()
	if err == nil {
		c.Strict = true
	}
	return c, err
})

// NewSession makes a session in a terminal with 256 colours and UTF-8, at the
// moment Now. It ends with the test, and a panic in it fails the test.
func NewSession(t testing.TB, opts ...Option) *tui.Session {
	t.Helper()
	o := options{env: []string{"TERM=xterm-256color", "LC_CTYPE=C.UTF-8"}, lang: "en"}
	for _, opt := range opts {
		opt(&o)
	}
	c, err := catalog()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	s := tui.NewSession(ctx, c, o.env)
	s.Dict = c.Dict(o.lang)
	s.Clock = func() time.Time { return Now }
	s.Log = func(id string, v any, stack []byte) { t.Errorf("incident %s: %v\n%s", id, v, stack) }
	return s
}

// Terminal is a person's view of a running program.
type Terminal struct {
	tb   testing.TB
	s    *tui.Session
	r    *tui.Router
	w, h int
	msgs chan tea.Msg
	done chan struct{}
	quit bool

	mu      sync.Mutex
	running map[int]time.Time // commands and when they began; zero: not yet
	nextCmd int
	ended   chan struct{} // a command has ended
}

// Open starts a program with first in a terminal of 80x24.
func Open(t testing.TB, s *tui.Session, first tui.Screen) *Terminal {
	t.Helper()
	v := &Terminal{
		tb: t, s: s, r: tui.NewRouter(s, first), w: 80, h: 24,
		msgs: make(chan tea.Msg), done: make(chan struct{}), running: map[int]time.Time{}, ended: make(chan struct{}, 1),
	}
	t.Cleanup(func() { close(v.done) })
	if batch, ok := v.r.Init()().(tea.BatchMsg); ok {
		// The first is the one that listens to the session as long as it lasts:
		// nobody has to wait for it.
		v.start(batch[0], time.Now().Add(-grace))
		for _, cmd := range batch[1:] {
			v.exec(cmd)
		}
	}
	return v.Resize(80, 24)
}

// exec runs a command in a goroutine, as Bubble Tea does. Its time begins when
// it really runs: a busy machine may keep it waiting for longer than any grace.
func (v *Terminal) exec(cmd tea.Cmd) { v.start(cmd, time.Time{}) }

func (v *Terminal) start(cmd tea.Cmd, began time.Time) {
	if cmd == nil {
		return
	}
	v.mu.Lock()
	id := v.nextCmd
	v.nextCmd++
	v.running[id] = began
	v.mu.Unlock()
	go func() {
		if began.IsZero() {
			v.mu.Lock()
			v.running[id] = time.Now()
			v.mu.Unlock()
		}
		defer func() {
			v.mu.Lock()
			delete(v.running, id)
			v.mu.Unlock()
			select {
			case v.ended <- struct{}{}:
			default:
			}
		}()
		v.run(cmd)
	}()
}

// run takes a command's message apart: batches all at once, sequences in order.
func (v *Terminal) run(cmd tea.Cmd) {
	msg := cmd()
	if msg == nil {
		return
	}
	if batch, ok := msg.(tea.BatchMsg); ok {
		for _, c := range batch {
			v.exec(c)
		}
		return
	}
	if rv := reflect.ValueOf(msg); rv.Kind() == reflect.Slice && rv.Type().Elem() == reflect.TypeFor[tea.Cmd]() {
		for i := range rv.Len() {
			if c, _ := rv.Index(i).Interface().(tea.Cmd); c != nil {
				v.run(c)
			}
		}
		return
	}
	select {
	case v.msgs <- msg:
	case <-v.done:
	}
}

// take gives one message to the program.
func (v *Terminal) take(msg tea.Msg) {
	if v.quit {
		return
	}
	if _, ok := msg.(tea.QuitMsg); ok {
		v.quit = true
		return
	}
	_, cmd := v.r.Update(msg)
	v.r.View() // Bubble Tea draws after every message
	v.exec(cmd)
}

// busy says whether a command runs that has not run long.
func (v *Terminal) busy() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, began := range v.running {
		if began.IsZero() || time.Since(began) < grace {
			return true
		}
	}
	return false
}

// Settle takes messages until nothing is on its way any more.
func (v *Terminal) Settle() *Terminal {
	for {
		select {
		case msg := <-v.msgs:
			v.take(msg)
			continue
		default:
		}
		if !v.busy() {
			return v
		}
		select {
		case msg := <-v.msgs:
			v.take(msg)
		case <-v.ended:
		case <-time.After(grace / 5):
		}
	}
}

// Send gives any message to the program.
func (v *Terminal) Send(msg tea.Msg) *Terminal {
	v.take(msg)
	return v.Settle()
}

// Type types text, character by character.
func (v *Terminal) Type(text string) *Terminal {
	for _, r := range text {
		v.take(Key(string(r)))
		v.Settle()
	}
	return v
}

// Press presses keys by name: "enter", "shift+tab", "ctrl+r", "x".
func (v *Terminal) Press(keys ...string) *Terminal {
	for _, k := range keys {
		v.take(Key(k))
		v.Settle()
	}
	return v
}

// Burst presses keys faster than anything is answered.
func (v *Terminal) Burst(keys ...string) *Terminal {
	for _, k := range keys {
		v.take(Key(k))
	}
	return v.Settle()
}

// Paste pastes text.
func (v *Terminal) Paste(text string) *Terminal { return v.Send(tea.PasteMsg{Content: text}) }

// Click presses the left button on a cell.
func (v *Terminal) Click(x, y int) *Terminal {
	return v.Send(tea.MouseClickMsg{X: x, Y: y, Button: tea.MouseLeft})
}

// Resize changes the size of the terminal.
func (v *Terminal) Resize(w, h int) *Terminal {
	v.w, v.h = w, h
	return v.Send(tea.WindowSizeMsg{Width: w, Height: h})
}

// WaitFor takes messages until the screen contains text, and fails if it never does.
func (v *Terminal) WaitFor(text string) *Terminal {
	v.tb.Helper()
	return v.WaitUntil("there is "+text, func(screen string) bool { return strings.Contains(screen, text) })
}

// WaitUntil takes messages until ok accepts the screen, and fails if it never does.
func (v *Terminal) WaitUntil(what string, ok func(screen string) bool) *Terminal {
	v.tb.Helper()
	deadline := time.After(patience)
	for !ok(v.Text()) {
		select {
		case msg := <-v.msgs:
			v.take(msg)
		case <-deadline:
			v.tb.Fatalf("waited in vain until %s:\n%s", what, v.Text())
		}
	}
	return v
}

// Contains fails unless the screen contains every one of texts.
func (v *Terminal) Contains(texts ...string) *Terminal {
	v.tb.Helper()
	screen := v.Text()
	for _, text := range texts {
		if !strings.Contains(screen, text) {
			v.tb.Fatalf("no %q on the screen:\n%s", text, screen)
		}
	}
	return v
}

// Lacks fails if the screen contains any of texts.
func (v *Terminal) Lacks(texts ...string) *Terminal {
	v.tb.Helper()
	screen := v.Text()
	for _, text := range texts {
		if strings.Contains(screen, text) {
			v.tb.Fatalf("%q is on the screen:\n%s", text, screen)
		}
	}
	return v
}

// Quit says whether the program has closed.
func (v *Terminal) Quit() bool { return v.quit }

// Router returns the router, for its depth and its screens.
func (v *Terminal) Router() *tui.Router { return v.r }

// Session returns the session.
func (v *Terminal) Session() *tui.Session { return v.s }
