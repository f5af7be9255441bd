// How the enrolment of an app looks: the QR code at the left with all the height
// it needs, the words and fields beside it. Where it has no room, or the terminal
// cannot show one, the key and the link stand there as text.

package screens

import (
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"postern/tui"
)

// The room beside a QR code, in cells. A code of 39 cells and its words are as
// wide as the body of a terminal of 80.
const (
	qrGap   = 3
	qrWords = 34
)

// What the frame takes of a terminal around a tall screen, in cells.
const (
	frameWidth  = 4
	frameHeight = 4
)

// How far the words of a step stand from the left: its number begins where the
// labels of fields do.
const (
	indentNumber = 2
	indentWords  = indentNumber + 3
)

// numbered is a step with its number.
func numbered(n int, words string) string { return strconv.Itoa(n) + "  " + words }

// plainKey is an app's key without the spaces that it is read with.
func plainKey(groups string) string { return strings.ReplaceAll(groups, " ", "") }

// SetSize takes the room of the page.
func (s *enrolApp) SetSize(w, h int) {
	s.w, s.h = w, h
	s.draw()
}

// draw draws the QR code anew, and gives the form the room beside it. It is done
// whenever size, colours or wishes change, and at no key.
func (s *enrolApp) draw() {
	s.qr, s.fits, s.why = nil, false, ""
	width := min(s.w, tui.BodyWidth)
	if s.ready() {
		drawn, ok := tui.QR(s.env.Theme, s.env.Caps, s.begun.URI, s.w-qrWords-qrGap, s.h, s.invert)
		if s.fits = ok; ok && !s.textOnly {
			s.qr = strings.Split(drawn, "\n")
			width = s.w - s.qrWidth() - qrGap
		}
		if !ok {
			s.why = s.env.whyNoQR(s.begun.URI)
		}
	}
	s.form.SetSize(width, s.h)
}

// qrWidth is the width of the code that is drawn, with the white around it.
func (s *enrolApp) qrWidth() int {
	if s.qr == nil {
		return 0
	}
	return ansi.StringWidth(s.qr[0])
}

// narrow says whether the fields stand in a column beside the code.
func (s *enrolApp) narrow() bool { return s.qr != nil && s.w-s.qrWidth()-qrGap < 2*qrWords }

// View draws the page.
func (s *enrolApp) View() string {
	switch {
	case s.err != nil:
		return s.env.failure(s.err, s.w)
	case !s.ready():
		return s.busy.View(s.env.Theme)
	}
	if s.qr == nil {
		return s.form.View()
	}
	words := strings.Split(s.form.View(), "\n")
	blank := strings.Repeat(" ", s.qrWidth())
	gap := strings.Repeat(" ", qrGap)
	lines := make([]string, max(len(s.qr), len(words)))
	for i := range lines {
		left, right := blank, ""
		if i < len(s.qr) {
			left = s.qr[i]
		}
		if i < len(words) {
			right = words[i]
		}
		lines[i] = left + gap + right
	}
	return strings.Join(lines, "\n")
}

// Cursor stands in the focused field.
func (s *enrolApp) Cursor() *tea.Cursor {
	if !s.ready() {
		return nil
	}
	cur := s.form.Cursor()
	if cur == nil || s.qr == nil {
		return cur
	}
	return tea.NewCursor(cur.X+s.qrWidth()+qrGap, cur.Y)
}

// words are the first step: what an app scans, or what is typed into it.
func (s *enrolApp) words(width int) string {
	e, th := s.env, s.env.Theme
	blank := strings.Repeat(" ", indentWords)
	wrap := func(words string) string { return hangBy(indentWords, tui.Wrap(words, width-indentWords)) }
	first := func(words string) string {
		return strings.Repeat(" ", indentNumber) + th.Accent.Render("1") + "  " + wrap(words)
	}
	key := func(perLine int) string {
		return blank + th.Heading.Render(hangBy(indentWords, keyLines(s.begun.Secret, perLine)))
	}
	if s.qr != nil {
		return first(e.T("enrol.scan")) + "\n\n" + key(2)
	}
	lines := []string{
		first(e.T("enrol.type")), key(4), blank + wrap(e.T("enrol.link")),
		blank + hangBy(indentWords, ansi.Hardwrap(s.begun.URI, max(width-indentWords, 1), true)),
	}
	if s.why != "" {
		lines = append(lines, blank+th.Muted.Render(wrap(s.why)))
	}
	return strings.Join(lines, "\n")
}

// hangBy moves all lines but the first by some cells.
func hangBy(cells int, lines string) string {
	return strings.ReplaceAll(lines, "\n", "\n"+strings.Repeat(" ", cells))
}

// keyLines sets the groups of an app's key into lines.
func keyLines(secret string, perLine int) string {
	var lines []string
	groups := strings.Fields(secret)
	for i := 0; i < len(groups); i += perLine {
		lines = append(lines, strings.Join(groups[i:min(i+perLine, len(groups))], " "))
	}
	return strings.Join(lines, "\n")
}

// whyNoQR says why a QR code of text could not be drawn, and what would show it.
// In lines nothing is missing.
func (e *Env) whyNoQR(text string) string {
	w, h := tui.QRSize(text)
	if e.Caps.Lines || w == 0 {
		return ""
	}
	if _, ok := tui.QR(e.Theme, e.Caps, text, w, h, false); !ok { // with all the room it needs
		return e.T("enrol.no_colours")
	}
	return e.T("enrol.no_room", "Width", w+qrGap+qrWords+frameWidth, "Height", h+frameHeight)
}
