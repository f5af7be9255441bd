// Meters and checklists: what a password is worth, and which rules it keeps.

package tui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// meterCells is how many cells a strength meter has: two for each step of a score of 0 to 4.
const meterCells = 8

// Meter draws a score from 0 to 4, the word for it, and a remark such as the
// time to guess, in at most width cells.
func (t *Theme) Meter(score int, word, remark string, width int) string {
	score = min(max(score, 0), 4)
	style := t.Bad
	switch {
	case score >= 3:
		style = t.Good
	case score == 2:
		style = t.Warn
	}
	if t.words != nil {
		return strings.TrimSuffix(word+", "+remark, ", ")
	}
	full := max(score*2, 1)
	bar := style.Render(strings.Repeat(t.Signs.Full, full)) + t.Rule.Render(strings.Repeat(t.Signs.Empty, meterCells-full))
	text := "  " + style.Render(word)
	if remark != "" {
		text += t.Muted.Render(" " + t.Signs.Sep + " " + remark)
	}
	return clip(bar+text, width)
}

// Check is how a rule of a checklist stands.
type Check int

// A rule is pending while it cannot be said yet.
const (
	Pending Check = iota
	Passed
	Failed
)

// Item is one rule of a checklist.
type Item struct {
	Check Check
	Text  string
}

// Checklist draws items with a sign each, in two columns where all of them fit
// in half of width, else one under the other.
func (t *Theme) Checklist(items []Item, width int) string {
	if t.words != nil {
		return t.checklistInWords(items, width)
	}
	half := (width - 2) / 2
	two := len(items) > 1
	for _, it := range items {
		two = two && ansi.StringWidth(it.Text)+2 <= half
	}
	cells := make([]string, len(items))
	for i, it := range items {
		sign, style := t.Signs.Pending, t.Muted
		switch it.Check {
		case Passed:
			sign, style = t.Signs.OK, t.Good
		case Failed:
			sign, style = t.Signs.No, t.Warn
		}
		cells[i] = style.Render(sign) + " " + strings.ReplaceAll(wrap(it.Text, width-2), "\n", "\n  ")
	}
	if !two {
		return strings.Join(cells, "\n")
	}
	var lines []string
	for i := 0; i < len(cells); i += 2 {
		line := cells[i]
		if i+1 < len(cells) {
			line = pad(line, half+2) + cells[i+1]
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// Fact is a name and its value, as on a page about one thing.
type Fact struct{ Name, Value string }

// Facts draws facts with their values aligned, wrapped in width cells.
func (t *Theme) Facts(facts []Fact, width int) string {
	wide := 0
	for _, f := range facts {
		wide = max(wide, ansi.StringWidth(f.Name))
	}
	wide = min(wide, width/2)
	var b strings.Builder
	for i, f := range facts {
		if i > 0 {
			b.WriteByte('\n')
		}
		indent := "\n" + strings.Repeat(" ", wide+2)
		b.WriteString(t.Muted.Render(pad(cut(f.Name, wide, t.Signs), wide)) + "  " +
			strings.ReplaceAll(wrap(f.Value, max(width-wide-2, 1)), "\n", indent))
	}
	return b.String()
}
