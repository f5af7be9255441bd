package tuitest

import (
	"fmt"
	"image/color"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"
	"github.com/charmbracelet/x/vt"

	"postern/tui"
)

// emulate draws the program's view in a virtual terminal of its size, with the
// colours that the session's terminal has.
func (v *Terminal) emulate() *vt.Emulator {
	e := vt.NewEmulator(v.w, v.h)
	content := strings.ReplaceAll(v.r.View().Content, "\n", "\r\n")
	w := &colorprofile.Writer{Forward: e, Profile: v.s.Caps.Profile}
	if _, err := w.Write([]byte(content)); err != nil {
		v.tb.Fatal(err)
	}
	return e
}

// Text returns what can be read: the lines of the terminal without styles and
// without blanks at their ends.
func (v *Terminal) Text() string {
	e := v.emulate()
	var b strings.Builder
	for y := range v.h {
		var line strings.Builder
		for x := range v.w {
			c := e.CellAt(x, y)
			switch {
			case c == nil || c.Width == 1 && c.Content == "":
				line.WriteByte(' ')
			default:
				line.WriteString(c.Content)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// Cell is one place of the terminal. Nil colours are the terminal's own.
type Cell struct {
	Text                     string
	Fg, Bg                   color.Color
	Bold, Underline, Reverse bool
}

// Cells returns the whole terminal, line by line. The second half of a wide
// character has no text.
func (v *Terminal) Cells() [][]Cell {
	e := v.emulate()
	lines := make([][]Cell, v.h)
	for y := range lines {
		lines[y] = make([]Cell, v.w)
		for x := range lines[y] {
			if c := e.CellAt(x, y); c != nil {
				lines[y][x] = Cell{
					Text: c.Content, Fg: c.Style.Fg, Bg: c.Style.Bg, Underline: c.Style.Underline != 0,
					Bold: c.Style.Attrs&uv.AttrBold != 0, Reverse: c.Style.Attrs&uv.AttrReverse != 0,
				}
			}
		}
	}
	return lines
}

// Cell returns what stands at column x of row y, from 0.
func (v *Terminal) Cell(x, y int) Cell { return v.Cells()[y][x] }

// CellOf returns the cell where text begins on the screen.
func (v *Terminal) CellOf(text string) Cell {
	v.tb.Helper()
	for y, line := range strings.Split(v.Text(), "\n") {
		if before, _, ok := strings.Cut(line, text); ok {
			return v.Cell(ansi.StringWidth(before), y)
		}
	}
	v.tb.Fatalf("no %q on the screen:\n%s", text, v.Text())
	return Cell{}
}

// Cursor returns where the terminal's cursor stands, if it is shown.
func (v *Terminal) Cursor() (x, y int, ok bool) {
	c := v.r.View().Cursor
	if c == nil {
		return 0, 0, false
	}
	return c.X, c.Y, true
}

// Golden compares the screen with testdata/<test>/<name>.golden beside the
// calling test. `go test -update` writes the file.
func (v *Terminal) Golden(name string) *Terminal {
	v.tb.Helper()
	Golden(v.tb, name, v.Text())
	return v
}

// Golden compares text with testdata/<test>/<name>.golden.
func Golden(tb testing.TB, name, text string) {
	tb.Helper()
	t, ok := tb.(*testing.T)
	if !ok {
		return
	}
	t.Run(name, func(t *testing.T) { golden.RequireEqual(t, text) })
}

// Sizes draws the program at sizes from 1x1 to 500x200 and fails if a view is
// larger than its terminal. The program then has 80x24 again.
func (v *Terminal) Sizes() *Terminal {
	v.tb.Helper()
	for _, w := range []int{1, 2, 5, 13, 40, 59, 60, 61, 79, 80, 119, 120, 132, 500} {
		for _, h := range []int{1, 2, 5, 19, 20, 21, 24, 40, 200} {
			v.w, v.h = w, h
			v.r.Update(tea.WindowSizeMsg{Width: w, Height: h})
			Fits(v.tb, fmt.Sprintf("%dx%d", w, h), v.r, w, h)
		}
	}
	return v.Resize(80, 24)
}

// Fits fails if r draws more than h lines or a line wider than w cells.
func Fits(tb testing.TB, what string, r *tui.Router, w, h int) {
	tb.Helper()
	lines := strings.Split(r.View().Content, "\n")
	if len(lines) > h {
		tb.Errorf("%s: %d lines", what, len(lines))
	}
	for i, l := range lines {
		if n := ansi.StringWidth(l); n > w {
			tb.Errorf("%s: line %d has %d cells: %q", what, i, n, ansi.Strip(l))
		}
	}
}
