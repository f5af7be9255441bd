// How a table looks.

package tui

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// detailLines is how much room details get under a table.
const detailLines = 6

// beside says whether details stand beside the table.
func (t *Table) beside() bool { return t.Detail != nil && t.w >= DetailWidth }

// widths returns the room of the table and of the details.
func (t *Table) widths() (table, detail int) {
	if t.beside() {
		detail = t.w * 2 / 5
		return t.w - detail - 3, detail
	}
	return t.w, min(t.w, BodyWidth) - 3
}

// below says whether details stand under the table: where both fit.
func (t *Table) below() bool { return t.Detail != nil && !t.beside() && t.h >= detailLines+6 }

// lines is how many rows are visible at once.
func (t *Table) lines() int {
	n := t.h - 1
	if t.asking || t.filter.Value() != "" {
		n -= 2
	}
	if t.below() {
		n -= detailLines + 1
	}
	return max(n, 1)
}

// View draws the table, its filter and its details.
func (t *Table) View() string {
	th := t.s.Theme
	tw, dw := t.widths()
	if len(t.rows) == 0 {
		text := ""
		if t.Empty != nil {
			text = t.Empty()
		}
		return wrap(text, min(t.w, BodyWidth))
	}
	if t.layout == nil {
		t.layout = t.fit(tw)
	}
	var lines []string
	if t.asking || t.filter.Value() != "" {
		label := t.s.T("table.filter") + " "
		line := th.Label.Render(label) + th.Field.Render(pad(strings.Map(visible, t.filter.Value()), 24)) + "  " +
			th.Muted.Render(t.s.T("table.matches", "Count", len(t.shown), "All", len(t.rows)))
		lines = append(lines, clip(line, tw), "")
	}
	lines = append(lines, th.Muted.Render("   "+pad("", ansi.StringWidth(t.s.Number(0)))+t.line(t.titles(), "", th)))
	t.header = len(lines)
	n := t.lines()
	t.top = min(max(t.top, t.at-n+1), t.at)
	t.top = max(min(t.top, len(t.shown)-n), 0)
	for i := t.top; i < min(t.top+n, len(t.shown)); i++ {
		lines = append(lines, t.rowView(i, tw))
	}
	if len(t.shown) == 0 {
		lines = append(lines, "   "+th.Muted.Render(t.s.T("table.no_match")))
	}
	t.edges(lines, n, tw)
	detail := ""
	if r, ok := t.Selected(); ok && t.Detail != nil {
		detail = t.Detail(r, dw)
	}
	switch {
	case t.beside():
		return besides(lines, strings.Split(detail, "\n"), tw, t.h, th)
	case t.below() && detail != "":
		block := strings.Split(detail, "\n")
		lines = append(lines, "")
		for _, l := range block[:min(len(block), detailLines)] {
			lines = append(lines, "   "+l)
		}
	}
	return strings.Join(lines, "\n")
}

// Cursor stands in the filter while it is typed.
func (t *Table) Cursor() *tea.Cursor {
	if !t.asking {
		return nil
	}
	before := string([]rune(t.filter.Value())[:t.filter.Position()])
	return tea.NewCursor(min(ansi.StringWidth(t.s.T("table.filter"))+1+ansi.StringWidth(before), t.w-1), 0)
}

func (t *Table) titles() []string {
	cols := t.Columns()
	out := make([]string, len(cols))
	for i, c := range cols {
		out[i] = c.Title
	}
	return out
}

// fit gives every column its width: as wide as its widest cell, then less,
// the widest first, and at last without the spare ones.
func (t *Table) fit(room int) []int {
	cols := t.Columns()
	widths := make([]int, len(cols))
	note := 0
	for i, c := range cols {
		widths[i] = max(c.Min, ansi.StringWidth(c.Title))
	}
	for _, r := range t.rows {
		for i := range min(len(cols), len(r.Cells)) {
			widths[i] = max(widths[i], ansi.StringWidth(r.Cells[i]))
		}
		note = max(note, ansi.StringWidth(r.Note))
	}
	for i, c := range cols {
		if c.Max > 0 {
			widths[i] = min(widths[i], max(c.Max, c.Min))
		}
	}
	room -= 3 + note + ansi.StringWidth(t.s.Number(0))
	total := func() int {
		n := 0
		for _, w := range widths {
			if w > 0 {
				n += w + 2
			}
		}
		return n
	}
	for i := len(cols) - 1; i >= 0 && total() > room; i-- {
		if cols[i].Spare {
			widths[i] = 0
		}
	}
	for total() > room {
		widest := 0
		for i := range widths {
			if widths[i]-cols[i].Min > widths[widest]-cols[widest].Min {
				widest = i
			}
		}
		if widths[widest] <= max(cols[widest].Min, 1) {
			break
		}
		widths[widest]--
	}
	return widths
}

// line sets cells into the columns.
func (t *Table) line(cells []string, note string, th *Theme) string {
	cols := t.Columns()
	var b strings.Builder
	for i, w := range t.layout {
		if w == 0 || i >= len(cols) {
			continue
		}
		cell := ""
		if i < len(cells) {
			cell = cut(cells[i], w, th.Signs)
		}
		if cols[i].Right {
			b.WriteString(padLeft(cell, w))
		} else {
			b.WriteString(pad(cell, w))
		}
		b.WriteString("  ")
	}
	return strings.TrimRight(b.String()+note, " ")
}

// rowView draws row i of those shown behind two signs: the mark, and whether it
// is about the person looking.
func (t *Table) rowView(i, w int) string {
	th, r, marked := t.s.Theme, t.rows[t.shown[i]], i == t.at
	mark, here, style := " ", " ", th.Text
	if marked {
		mark, style = th.Signs.Mark, th.Selected
	}
	if r.Here {
		here = th.Signs.Here
	}
	return style.Render(clip(mark+here+" "+t.s.Number(i)+t.line(r.Cells, r.Note, th), w))
}

// edges shows that there are rows above or below the visible ones.
func (t *Table) edges(lines []string, n, w int) {
	th := t.s.Theme
	mark := func(i int, sign string) {
		if i >= 0 && i < len(lines) {
			lines[i] = pad(clip(lines[i], w-2), w-1) + th.Accent.Render(sign)
		}
	}
	if t.top > 0 {
		mark(t.header, th.Signs.Up)
	}
	if t.top+n < len(t.shown) {
		mark(len(lines)-1, th.Signs.Down)
	}
}

// besides sets two blocks beside each other with a rule between them, which
// goes down to the end of the body as the rules above and below go to its sides.
func besides(left, right []string, w, h int, th *Theme) string {
	out := make([]string, max(h, 1))
	at := func(s []string, i int) string {
		if i < len(s) {
			return s[i]
		}
		return ""
	}
	for i := range out {
		out[i] = pad(clip(at(left, i), w), w) + th.Rule.Render(" "+th.Signs.Bar+" ") + at(right, i)
	}
	return strings.Join(slices.Clip(out), "\n")
}
