package gallery_test

import (
	"encoding/xml"
	"errors"
	"image/color"
	"io"
	"strings"
	"testing"

	"postern/docs/gallery"
	"postern/tui/tuitest"
)

// draw draws one line of text, a cell for each character.
func draw(text string, style tuitest.Cell) string {
	var line []tuitest.Cell
	for _, r := range text {
		c := style
		c.Text = string(r)
		line = append(line, c)
	}
	return string(gallery.SVG(gallery.Picture{Title: text, Cells: [][]tuitest.Cell{line}, Paper: color.Black, Ink: color.White}))
}

func contains(t *testing.T, svg string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(svg, p) {
			t.Errorf("no %s in\n%s", p, svg)
		}
	}
}

func TestWordsKeepToTheGrid(t *testing.T) {
	svg := draw("to be  or", tuitest.Cell{})
	contains(t, svg, `<text x="0" y="15" textLength="18"`, `<text x="27" y="15" textLength="18"`, `<text x="63" y="15" textLength="18"`)
}

func TestSignsAreShapesAndARuleIsOneLine(t *testing.T) {
	svg := draw("──── ▰▱ ✓", tuitest.Cell{})
	if contains(t, svg, `M0 10h36`); strings.Contains(svg, "<text") {
		t.Errorf("a sign was left to the reader's font:\n%s", svg)
	}
}

func TestReversedTextChangesInkAndPaper(t *testing.T) {
	red := color.RGBA{R: 0xff, A: 0xff}
	svg := draw("a\u00a0b", tuitest.Cell{Fg: red, Reverse: true})
	contains(t, svg, `rx="8" fill="#ff0000"`, `fill="#000000">a`)
}

// GitHub shows pictures without scripts, fonts or images from elsewhere.
func TestAPictureIsWellFormedAndNeedsNothingElse(t *testing.T) {
	svg := draw(`<script href="x">&amp; ]]> ‹é世 \u0001`, tuitest.Cell{Bold: true, Underline: true})
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, svg)
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch e.Name.Local {
		case "svg", "title", "g", "rect", "text", "path":
		default:
			t.Errorf("an element <%s>", e.Name.Local)
		}
		for _, a := range e.Attr {
			if a.Name.Local == "href" || strings.Contains(a.Value, "url(") {
				t.Errorf("<%s> fetches %s", e.Name.Local, a.Value)
			}
		}
	}
}
