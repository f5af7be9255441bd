// QR codes: two modules to a cell, black on white on whatever background.

package tui

import (
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/colorprofile"
	"github.com/mdp/qrterminal/v3"
)

// quietZone is how many modules of white belong around a code (ISO/IEC 18004).
// Readers cope with fewer; the tests hold the drawing to one that reads the least.
const quietZone = 4

// maxQRText is how many bytes the largest code holds, version 40 at level L in
// byte mode (ISO/IEC 18004, table 7). The encoder does not survive longer text.
const maxQRText = 2953

// QR draws text as a QR code of half blocks at level L, black on white whatever
// the theme; invert makes it white on black. It returns at most height lines of
// the same width, of at most width cells.
//
// Around the code is as much white as there is room for, up to the four modules
// of ISO/IEC 18004. Two modules share a row, so that at the bottom, where a code
// ends in the middle of a row, there is an odd number of them, from one to five.
//
// ok is false when the code does not fit, which QRSize tells beforehand, and when
// the terminal cannot show it: without UTF-8, without cursor addressing, line by
// line, or with fewer than 16 colours, where nobody knows what would be drawn on
// what. Callers always offer the text too.
//
// It is pure but not free: a screen keeps what was drawn and does not draw it
// anew at every key.
func QR(t *Theme, caps Caps, text string, width, height int, invert bool) (drawn string, ok bool) {
	if !caps.UTF8 || caps.Dumb || caps.Lines || caps.Profile < colorprofile.ANSI {
		return "", false
	}
	core := qrCore(text)
	w, h := qrRoom(core)
	if len(core) == 0 || width < w || height < h {
		return "", false
	}
	style := t.QR
	if invert {
		style = style.Foreground(t.QR.GetBackground()).Background(t.QR.GetForeground())
	}
	// core brings one module of white at its left, right and bottom.
	left := min(quietZone-1, (width-w)/2)
	right := min(quietZone-1, width-w-left)
	above := min((height-len(core)+1)/2, quietZone/2)
	below := min(height-len(core)-above, quietZone/2)
	blank := style.Render(strings.Repeat(" ", left+w+right))
	lines := make([]string, 0, above+len(core)+below)
	for range above {
		lines = append(lines, blank)
	}
	for _, line := range core {
		lines = append(lines, style.Render(strings.Repeat(" ", left)+line+strings.Repeat(" ", right)))
	}
	for range below {
		lines = append(lines, blank)
	}
	return strings.Join(lines, "\n"), true
}

// QRSize returns the cells that QR needs at least for text, with one module of
// white at the sides and two or one above and below. It returns 0, 0 when no
// code holds text, or text is empty.
func QRSize(text string) (width, height int) { return qrRoom(qrCore(text)) }

// qrRoom is the least room for a code: one more row, above it.
func qrRoom(core []string) (width, height int) {
	if len(core) == 0 {
		return 0, 0
	}
	return utf8.RuneCountInString(core[0]), len(core) + 1
}

// qrCore returns the rows of text's code, without styles, with one module of
// white at the left, the right and the bottom.
func qrCore(text string) []string {
	if text == "" || len(text) > maxQRText {
		return nil
	}
	var b strings.Builder
	qrterminal.GenerateWithConfig(text, qrterminal.Config{
		Level: qrterminal.L, Writer: &b, HalfBlocks: true, QuietZone: 1,
		WhiteChar: " ", BlackChar: "█", BlackWhiteChar: "▀", WhiteBlackChar: "▄",
	})
	// The first row is the quiet zone's only module and, above it, one that is
	// not the code's: it would be black.
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	return lines[1:]
}
