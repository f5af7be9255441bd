// How a form looks: labels in a column, fields beside them, a word at the right
// edge, and under a field whatever is to be said about it.

package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// Widths of the columns, in cells.
const (
	labelMin = 12
	labelMax = 24
	asideMin = 16
	fieldMax = 48
)

// View draws the page that is shown, scrolled so that the focused field and
// what is said about it are visible.
func (f *Form) View() string {
	if f.huh == nil {
		return ""
	}
	t := f.s.Theme
	page := f.spec.Pages[f.page]
	var lines []string
	add := func(block string) { lines = append(lines, strings.Split(block, "\n")...) }
	if page.Title != "" {
		add(t.Heading.Render(cut(page.Title, f.w, t.Signs)))
	}
	if page.Text != "" {
		add(wrap(page.Text, f.w))
	}
	if len(lines) > 0 {
		add("")
	}
	f.cur = nil
	from, to := 0, 0
	label, aside := f.labelWidth(), f.asideWidth()
	ws := f.pages[f.page]
	for _, w := range ws {
		c := w.state()
		start := len(lines)
		switch w := w.(type) {
		case *note:
			add(w.draw(f.w))
		case *buttons:
			if f.note != "" {
				add("")
				add(t.reason(f.note, f.w))
			}
			add("")
			start = len(lines)
			if busy := f.busy.View(t); busy != "" {
				add(padLeft(busy, f.w))
			} else {
				add(w.draw(f.w))
			}
		default:
			x, block := f.row(w, label, aside)
			add(block)
			if at, ok := w.cursor(); ok && !f.busy.On() {
				f.cur = tea.NewCursor(x+at, start)
			}
		}
		if c.focused {
			from, to = start, len(lines)
		}
	}
	return f.scroll(lines, from, to)
}

// labelWidth is the width of the column of labels of this page.
func (f *Form) labelWidth() int {
	w := labelMin
	for _, wd := range f.pages[f.page] {
		w = max(w, ansi.StringWidth(wd.state().label))
	}
	return min(w, labelMax)
}

// asideWidth is the room at the right edge of this page's fields. All of them
// leave it as soon as one has something to say there, so that they end at one
// place, and it is kept while there is nothing to say: a field that changes its
// width under the hands of somebody typing is hard to read.
func (f *Form) asideWidth() int {
	w := 0
	for _, wd := range f.pages[f.page] {
		if aside := wd.state().aside; aside != nil {
			w = max(w, asideMin+1, ansi.StringWidth(aside())+1)
		}
	}
	return w
}

// row draws one field and returns where in it the value begins.
func (f *Form) row(w widget, labelWidth, reserved int) (x int, block string) {
	t, c := f.s.Theme, w.state()
	mark, style := "  ", t.Label
	if c.focused && !f.busy.On() {
		mark, style = t.Accent.Render(t.Signs.Mark)+" ", t.LabelFocus
	}
	x = 2 + labelWidth + 2
	labels := strings.Split(wrap(c.label, labelWidth), "\n")
	aside := ""
	if c.aside != nil {
		aside = c.aside()
	}
	room := f.w - x
	width := max(min(room-reserved, fieldMax), 8)
	value := w.draw(width)
	line := mark + style.Render(labels[0]) + strings.Repeat(" ", max(labelWidth-ansi.StringWidth(labels[0]), 0)) + "  " + value
	if aside != "" {
		gap := max(f.w-ansi.StringWidth(line)-ansi.StringWidth(aside), 1)
		line += strings.Repeat(" ", gap) + t.Muted.Render(aside)
	}
	lines := []string{line}
	for _, l := range labels[1:] {
		lines = append(lines, "  "+style.Render(l))
	}
	under := func(text string) {
		if text == "" {
			return
		}
		for l := range strings.SplitSeq(text, "\n") {
			lines = append(lines, strings.Repeat(" ", x)+l)
		}
	}
	if c.err != "" {
		under(t.reason(c.err, room))
	}
	if ch, ok := w.(*choice); ok && ch.note() != "" {
		under(t.Muted.Render(wrap(ch.note(), room)))
	}
	if c.below != nil {
		under(c.below(room))
	}
	return x, strings.Join(lines, "\n")
}

// reason is a refusal: a sign, then the sentence, wrapped beside it.
func (t *Theme) reason(text string, w int) string {
	lines := strings.Split(wrap(text, w-2), "\n")
	for i, l := range lines {
		sign := "  "
		if i == 0 {
			sign = t.Signs.No + " "
		}
		lines[i] = t.Bad.Render(sign + l)
	}
	return strings.Join(lines, "\n")
}

// scroll keeps lines from..to in the form's height, and moves the cursor along.
func (f *Form) scroll(lines []string, from, to int) string {
	if len(lines) <= f.h || f.h <= 0 {
		return strings.Join(lines, "\n")
	}
	top := 0
	if to > f.h {
		top = min(to-f.h, from)
	}
	bottom := min(top+f.h, len(lines))
	if f.cur != nil {
		f.cur.Y -= top
		if f.cur.Y < 0 || f.cur.Y >= f.h {
			f.cur = nil
		}
	}
	shown := append([]string(nil), lines[top:bottom]...)
	edge := func(i int, sign string) {
		shown[i] = pad(clip(shown[i], f.w-2), f.w-1) + f.s.Theme.Accent.Render(sign)
	}
	if top > 0 {
		edge(0, f.s.Theme.Signs.Up)
	}
	if bottom < len(lines) {
		edge(len(shown)-1, f.s.Theme.Signs.Down)
	}
	return strings.Join(shown, "\n")
}
