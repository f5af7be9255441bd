package sshd

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/vt"
	"pgregory.net/rapid"
)

// paper is a terminal that painters draw on, without a network.
type paper struct {
	*vt.Emulator
	sent bytes.Buffer
}

func newPaper(t interface{ Cleanup(func()) }, width, height int) *paper {
	p := &paper{Emulator: vt.NewEmulator(width, height)}
	go func() { _, _ = io.Copy(io.Discard, p.Emulator) }()
	t.Cleanup(func() { _ = p.InputPipe().(io.Closer).Close() })
	return p
}

func (p *paper) Write(b []byte) (int, error) {
	p.sent.Write(b)
	return p.Emulator.Write(b)
}

func paintOn(p *paper, width, height int) *painter {
	painter := newPainter(make(canvases, 1), &newlines{to: p}, []string{"TERM=xterm-256color"}, colorprofile.ANSI256, size{width, height}, 60, nil)
	painter.frame = 0
	return painter
}

// Whatever was shown before, a view looks as it does on a fresh terminal.
func TestAViewLooksTheSameAfterAnyOther(t *testing.T) {
	line := rapid.StringOfN(rapid.SampledFrom([]rune("ab  ▰é─世x")), 0, 30, -1)
	content := rapid.Map(rapid.SliceOfN(line, 0, 10), func(lines []string) string { return strings.Join(lines, "\n") })
	styled := rapid.Map(content, func(s string) string { return "\x1b[1;38;5;33m" + s + "\x1b[0m" })
	rapid.Check(t, func(t *rapid.T) {
		width, height := rapid.IntRange(1, 40).Draw(t, "width"), rapid.IntRange(1, 12).Draw(t, "height")
		old := newPaper(t, width, height)
		painter := paintOn(old, width, height)
		var view tea.View
		for range rapid.IntRange(1, 6).Draw(t, "views") {
			view = tea.NewView(rapid.OneOf(content, styled).Draw(t, "content"))
			if rapid.Bool().Draw(t, "cursor") {
				view.Cursor = tea.NewCursor(rapid.IntRange(-1, 50).Draw(t, "x"), rapid.IntRange(-1, 20).Draw(t, "y"))
			}
			if err := painter.show(view); err != nil {
				t.Fatal(err)
			}
		}
		fresh := newPaper(t, width, height)
		if err := paintOn(fresh, width, height).show(view); err != nil {
			t.Fatal(err)
		}
		if old.String() != fresh.String() {
			t.Fatalf("painted over:\n%s\nfresh:\n%s", old.String(), fresh.String())
		}
	})
}

// A line that gets shorter behind a wide character: the renderer underneath
// cleared from the middle of it, and the character was gone.
func TestAWideCharacterOutlivesWhatStoodBehindIt(t *testing.T) {
	p := newPaper(t, 3, 1)
	painter := paintOn(p, 3, 1)
	for _, content := range []string{"\x1b[1ma世\x1b[0m", "\x1b[1m世\x1b[0m"} {
		if err := painter.show(tea.NewView(content)); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.TrimSpace(p.String()); got != "世" {
		t.Errorf("the terminal shows %q", got)
	}
}

func TestNothingIsSentWhenNothingChanged(t *testing.T) {
	p := newPaper(t, 40, 10)
	painter := paintOn(p, 40, 10)
	view := tea.NewView("hello")
	view.Cursor = tea.NewCursor(3, 0)
	for range 3 {
		view.Cursor = tea.NewCursor(3, 0) // another pointer, the same cursor
		if err := painter.show(view); err != nil {
			t.Fatal(err)
		}
		if p.sent.Len() == 0 {
			t.Fatal("nothing was sent at all")
		}
		p.sent.Truncate(1)
	}
	if p.sent.Len() != 1 {
		t.Errorf("%d bytes were sent for the same view", p.sent.Len())
	}
	view.Content = "hellO"
	if err := painter.show(view); err != nil || p.sent.Len() > 60 {
		t.Errorf("one letter took %d bytes, %v", p.sent.Len(), err)
	}
}

func TestATerminalIsGivenBackAsItWas(t *testing.T) {
	p := newPaper(t, 40, 10)
	painter := paintOn(p, 40, 10)
	view := tea.NewView("hello")
	view.MouseMode, view.ReportFocus, view.WindowTitle = tea.MouseModeAllMotion, true, "evil\x1b]0;\x07title"
	view.Cursor = tea.NewCursor(1, 1)
	view.Cursor.Shape = tea.CursorBar
	if err := painter.show(view); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(p.sent.String(), "\x1b]0;\x07") {
		t.Error("a title broke out of its sequence")
	}
	painter.close()
	sent := p.sent.String()
	for set, reset := range map[string]string{
		"\x1b[?1049h": "\x1b[?1049l", "\x1b[?2004h": "\x1b[?2004l", "\x1b[?1003h": "\x1b[?1003l", "\x1b[?1006h": "\x1b[?1006l",
		"\x1b[?1004h": "\x1b[?1004l", "\x1b[?25l": "\x1b[?25h", "\x1b[>1u": "\x1b[<1u", "\x1b[>4;2m": "\x1b[>4m",
	} {
		if !strings.Contains(sent, set) || strings.LastIndex(sent, reset) < strings.LastIndex(sent, set) {
			t.Errorf("%q is not undone by %q", set, reset)
		}
	}
	before := p.sent.Len()
	if err := painter.show(tea.NewView("later")); err != nil || p.sent.Len() != before {
		t.Error("a closed painter paints")
	}
}

// Of many changes within a frame's time the last is drawn, and it is drawn.
func TestAFloodOfViewsBecomesFrames(t *testing.T) {
	p := newPaper(t, 40, 10)
	painter := newPainter(make(canvases, 1), &newlines{to: p}, nil, colorprofile.ASCII, size{40, 10}, 60, nil)
	painter.frame = 50 * time.Millisecond
	for range 1000 {
		if err := painter.show(tea.NewView(rapid.StringMatching(`[a-z]{20}`).Example(1))); err != nil {
			t.Fatal(err)
		}
	}
	if err := painter.show(tea.NewView("the last one")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the last view", func() bool {
		painter.mu.Lock()
		defer painter.mu.Unlock()
		return strings.Contains(p.String(), "the last one")
	})
	painter.close()
}

// Weakness: bubbletea draws on a goroutine where nothing catches a panic, so
// that a view it cannot draw ends the process.
func TestAPanicWhilePaintingIsContained(t *testing.T) {
	failed := make(chan any, 1)
	broken := writerFunc(func([]byte) (int, error) { panic("broken terminal") })
	painter := newPainter(make(canvases, 1), broken, nil, colorprofile.ASCII, size{40, 10}, 60, func(reason any) { failed <- reason })
	painter.lastTime = time.Now()
	painter.frame = 10 * time.Millisecond
	if err := painter.show(tea.NewView("x")); err != nil {
		t.Fatal(err)
	}
	if reason := <-failed; reason != "broken terminal" {
		t.Error(reason)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func BenchmarkPaintOneLetter(b *testing.B) {
	painter := newPainter(make(canvases, 1), io.Discard, nil, colorprofile.ANSI256, size{100, 30}, 60, nil)
	painter.frame = 0
	body := strings.Repeat("a line of a form that does not change\n", 28)
	views := []tea.View{tea.NewView(body + "a"), tea.NewView(body + "b")}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := painter.show(views[i%2]); err != nil {
			b.Fatal(err)
		}
	}
}
