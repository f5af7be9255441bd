// Measures of text. A cell is what a terminal moves its cursor by: never a byte
// and never a rune.

package tui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// pad fills s with blanks to w cells. Longer text is left as it is.
func pad(s string, w int) string {
	if n := w - ansi.StringWidth(s); n > 0 {
		return s + strings.Repeat(" ", n)
	}
	return s
}

// padLeft fills s with blanks at its left to w cells.
func padLeft(s string, w int) string {
	if n := w - ansi.StringWidth(s); n > 0 {
		return strings.Repeat(" ", n) + s
	}
	return s
}

// clip cuts s at w cells without a sign. Styles stay closed.
func clip(s string, w int) string {
	if w <= 0 {
		return ""
	}
	if ansi.StringWidth(s) <= w {
		return s
	}
	return ansi.Truncate(s, w, "")
}

// cut cuts s at w cells and says so with an ellipsis where there is room for one.
func cut(s string, w int, signs Signs) string {
	if w <= 0 {
		return ""
	}
	if ansi.StringWidth(s) <= w {
		return s
	}
	tail := signs.Ellipsis
	if ansi.StringWidth(tail) >= w {
		tail = ""
	}
	return ansi.Truncate(s, w, tail)
}

// wrap breaks s between words, and inside one only if it is wider than w.
func wrap(s string, w int) string {
	if w <= 0 {
		return ""
	}
	return ansi.Wrap(s, w, "")
}

// fit makes s exactly h lines of w cells.
func fit(s string, w, h int) string {
	lines := strings.Split(s, "\n")
	out := make([]string, h)
	for i := range out {
		line := ""
		if i < len(lines) {
			line = clip(lines[i], w)
		}
		out[i] = pad(line, w)
	}
	return strings.Join(out, "\n")
}

// Wrap sets s as running text, at most BodyWidth wide.
func Wrap(s string, width int) string { return wrap(s, min(width, BodyWidth)) }

// Pad fills s with blanks to w cells; longer text is cut with an ellipsis.
func (t *Theme) Pad(s string, w int) string { return pad(cut(s, w, t.Signs), w) }
