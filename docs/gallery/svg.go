// Package gallery makes the project's pictures: screens of a real portal, as
// they stand in a terminal, written as SVG. The scenes are in its test, which
// also holds that docs/pictures shows what the screens show now.
package gallery

//go:generate go test . -run TestPicturesAreCurrent -update

import (
	"encoding/xml"
	"fmt"
	"image/color"
	"strings"

	"postern/tui/tuitest"
)

// A cell is cellW by cellH; the text in it stands on baseline. Whole numbers let
// lines of neighbouring cells meet without a seam.
const (
	cellW, cellH = 9, 20
	baseline     = 15
	border       = 14
)

// Picture is a terminal to be drawn.
type Picture struct {
	Title  string
	Cells  [][]tuitest.Cell
	Cursor func() (x, y int, ok bool) // nil: none
	Paper  color.Color                // where cells have no background of their own
	Ink    color.Color                // where text has no colour of its own
}

// look is how a run of cells is drawn.
type look struct {
	ink, paper      string
	bold, underline bool
}

// SVG draws the picture. It needs nothing from outside: signs that many fonts
// lack are drawn as shapes, and every word has its own place and length, so that
// the grid holds whatever monospaced font a reader has. Equal pictures are equal
// bytes.
func SVG(p Picture) []byte {
	rows := len(p.Cells)
	w, h := 2*border+cellW*len(p.Cells[0]), 2*border+cellH*rows
	// A theme that paints the whole screen paints its surroundings too.
	paper := p.look(p.Cells[0][0]).paper
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">`+"\n", w, h, w, h)
	fmt.Fprintf(&b, "<title>%s</title>\n", escape(p.Title))
	fmt.Fprintf(&b, `<rect x=".5" y=".5" width="%d" height="%d" rx="8" fill="%s" stroke="#808080"/>`+"\n", w-1, h-1, paper)
	fmt.Fprintf(&b, `<g transform="translate(%d %d)" font-size="15" font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace">`+"\n", border, border)
	for y, line := range p.Cells {
		for x := 0; x < len(line); {
			l := p.look(line[x])
			end := x + 1
			for end < len(line) && p.look(line[end]) == l {
				end++
			}
			l.draw(&b, line[x:end], x*cellW, y*cellH, paper)
			x = end
		}
	}
	if p.Cursor != nil {
		if x, y, ok := p.Cursor(); ok {
			fmt.Fprintf(&b, `<rect x="%d" y="%d" width="2" height="%d" fill="%s"/>`+"\n", x*cellW, y*cellH+1, cellH-2, p.look(p.Cells[y][x]).ink)
		}
	}
	b.WriteString("</g>\n</svg>\n")
	return []byte(b.String())
}

func (p *Picture) look(c tuitest.Cell) look {
	ink, paper := p.Ink, p.Paper
	if c.Fg != nil {
		ink = c.Fg
	}
	if c.Bg != nil {
		paper = c.Bg
	}
	if c.Reverse {
		ink, paper = paper, ink
	}
	return look{hex(ink), hex(paper), c.Bold, c.Underline}
}

// draw writes a run of cells that look alike: what lies under it, its words, its signs.
func (l look) draw(b *strings.Builder, cells []tuitest.Cell, x, y int, paper string) {
	if l.paper != paper {
		fmt.Fprintf(b, `<rect x="%d" y="%d" width="%d" height="%d" fill="%s"/>`+"\n", x, y, len(cells)*cellW, cellH, l.paper)
	}
	weight, stroke := "", "1.2"
	if l.bold {
		weight, stroke = ` font-weight="700"`, "1.8"
	}
	var lines, areas strings.Builder
	if l.underline {
		fmt.Fprintf(&lines, "M%d %dh%d", x, y+baseline+3, len(cells)*cellW)
	}
	for i := 0; i < len(cells); {
		at, text, end := x+i*cellW, cells[i].Text, i+1
		switch {
		case text == "─": // a rule is one line
			for end < len(cells) && cells[end].Text == text {
				end++
			}
			fmt.Fprintf(&lines, "M%d %dh%d", at, y+cellH/2, (end-i)*cellW)
		case stroked[text] != "":
			fmt.Fprintf(&lines, "M%d %d%s", at, y, stroked[text])
		case filled[text] != "":
			fmt.Fprintf(&areas, "M%d %d%s", at, y, filled[text])
		case isWord(text):
			for ; end < len(cells) && isWord(cells[end].Text); end++ {
				text += cells[end].Text
			}
			fmt.Fprintf(b, `<text x="%d" y="%d" textLength="%d" fill="%s"%s>%s</text>`+"\n", at, y+baseline, (end-i)*cellW, l.ink, weight, escape(text))
		}
		i = end
	}
	if lines.Len() > 0 {
		fmt.Fprintf(b, `<path d="%s" fill="none" stroke="%s" stroke-width="%s"/>`+"\n", lines.String(), l.ink, stroke)
	}
	if areas.Len() > 0 {
		fmt.Fprintf(b, `<path d="%s" fill="%s"/>`+"\n", areas.String(), l.ink)
	}
}

// isWord says whether a cell is drawn with a font. A blank is not, nor is the
// second half of a wide character, which is empty.
func isWord(cell string) bool {
	return strings.TrimSpace(cell) != "" && cell != "─" && stroked[cell] == "" && filled[cell] == ""
}

// The signs of tui.Signs as shapes in a cell, from its upper left corner.
var (
	stroked = map[string]string{
		"│": "m4.5 0v20", "┌": "m9 10h-4.5v10", "┐": "m0 10h4.5v10", "└": "m4.5 0v10h4.5", "┘": "m4.5 0v10h-4.5",
		"✓": "m1 10.5l2.5 4 4.5-9", "✗": "m1.5 6l6 8m0-8l-6 8", "▱": "m1 14l2.5-8h4.5l-2.5 8z",
		"○": "m4.5 7a3 3 0 1 0 .01 0z", "‹": "m6 6.5l-3 3.5 3 3.5", "›": "m3 6.5l3 3.5-3 3.5",
		"→": "m0 10h8m-3-3l3 3-3 3", "←": "m9 10h-8m3-3l-3 3 3 3", "↑": "m4.5 15v-10m-3 3l3-3 3 3", "↓": "m4.5 5v10m-3-3l3 3 3-3",
	}
	filled = map[string]string{
		"▰": "m1 14l2.5-8h4.5l-2.5 8z", "▸": "m1.5 5.5l6 4.5-6 4.5z", "●": "m4.5 6.5a3.5 3.5 0 1 0 .01 0z",
		"•": "m4.5 7.5a2.5 2.5 0 1 0 .01 0z", "·": "m4.5 9a1.2 1.2 0 1 0 .01 0z",
	}
)

// hex writes a colour as SVG wants it.
func hex(c color.Color) string {
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder never fails
	return b.String()
}
