package text

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// Escape makes a foreign string harmless for a terminal, a log line or a
// terminal title, as the last step before it is written (ASVS 1.1.2). What can
// be seen stays as it is; everything else is shown: C0 controls and DEL by their
// pictures (ESC is "␛", a line break "␊"), spaces of other widths as U+0020, other characters as "\u{202e}", bytes
// that are not UTF-8 as "\x{9b}". The result is one line of valid UTF-8 in which
// every rune is Visible, and Escape leaves it unchanged. A mark at the beginning
// gets a dotted circle to stand on, and marks beyond MaxMarks in a row are shown
// as code points, so that nothing is drawn over its surroundings.
//
// Escape is not reversible: a string that spells out an escape looks like one.
func Escape(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	marks := MaxMarks // No base yet.
	for i, w := 0, 0; i < len(s); i += w {
		var r rune
		r, w = utf8.DecodeRuneInString(s[i:])
		mark := unicode.Is(unicode.M, r)
		switch {
		case r == utf8.RuneError && w == 1:
			notation(&b, 'x', rune(s[i]))
		case r < 0x20:
			b.WriteRune('\u2400' + r)
		case r == 0x7f:
			b.WriteRune('\u2421')
		case unicode.Is(unicode.Zs, r):
			b.WriteByte(' ')
		case !Visible(r) || mark && i > 0 && marks >= MaxMarks:
			notation(&b, 'u', r)
		default:
			if mark && i == 0 {
				b.WriteRune('\u25cc')
				marks = 0
			}
			b.WriteRune(r)
		}
		if mark {
			marks++
		} else {
			marks = 0
		}
	}
	return b.String()
}

// plain says whether s is printable ASCII, which is most of what is ever shown.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

func notation(b *strings.Builder, kind byte, r rune) {
	b.WriteByte('\\')
	b.WriteByte(kind)
	b.WriteByte('{')
	b.WriteString(strconv.FormatInt(int64(r), 16))
	b.WriteByte('}')
}

// CSV makes a foreign string harmless as a cell of a table that a spreadsheet
// may open: it is escaped, and a cell that would be taken for a formula gets an
// apostrophe before it, which spreadsheets show as plain text (ASVS 1.2.10).
// Quotes and separators are the CSV writer's affair.
func CSV(s string) string {
	s = Escape(s)
	// Some spreadsheets skip spaces before they look for a formula, and fold
	// full-width signs into their ASCII twins.
	r, _ := utf8.DecodeRuneInString(strings.TrimLeftFunc(s, unicode.IsSpace))
	if strings.ContainsRune("=+-@＝＋－＠−﹢﹣﹦﹫", r) {
		return "'" + s
	}
	return s
}

// Truncate cuts s to at most that many terminal cells and then ends it with an
// ellipsis, which counts. It never cuts a grapheme in two. Styles set by
// escape sequences are kept and closed, so a foreign string has to be escaped first.
func Truncate(s string, cells int) string {
	if cells <= 0 {
		return ""
	}
	return ansi.Truncate(s, cells, "…")
}
