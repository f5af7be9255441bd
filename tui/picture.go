// Pictures: half blocks in colour, or in one bit where there are none.

package tui

import (
	"image"
	"image/color"
	"strings"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
	"golang.org/x/image/draw"
)

// lightest is the brightness, of 255, from which a point is none where there are no
// colours. It lies above the middle: a thin line that shares its point with white is
// still to be seen.
const lightest = 180

// halves are the four cells of two points: none, the upper, the lower, both.
var halves = [4]string{" ", "▀", "▄", "█"}

// Pictures says whether the terminal can show one: not without UTF-8, without cursor
// addressing, or line by line. There something else is offered.
func (c Caps) Pictures() bool { return c.UTF8 && !c.Dumb && !c.Lines }

// Picture draws an image of width by height cells, two points to a cell, one above
// the other. Without colours a point is there where the image is dark. It returns ""
// where there is no room, and where there are no Pictures.
//
// It is pure but not free: a screen keeps what was drawn.
func Picture(caps Caps, img image.Image, width, height int) string {
	if !caps.Pictures() || width < 1 || height < 1 {
		return ""
	}
	points := image.NewRGBA(image.Rect(0, 0, width, 2*height))
	draw.BiLinear.Scale(points, points.Bounds(), img, img.Bounds(), draw.Src, nil)
	cell := inColour
	if caps.Profile < colorprofile.ANSI {
		cell = inOneBit
	}
	lines := make([]string, height)
	for y := range lines {
		var line strings.Builder
		for x := range width {
			line.WriteString(cell(points.At(x, 2*y), points.At(x, 2*y+1)))
		}
		lines[y] = line.String()
	}
	return strings.Join(lines, "\n")
}

// inColour is a cell of two points in their colours.
func inColour(upper, lower color.Color) string {
	return ansi.Style{}.ForegroundColor(upper).BackgroundColor(lower).Styled(halves[1])
}

// inOneBit is a cell of two points without colours.
func inOneBit(upper, lower color.Color) string {
	cell := 0
	for bit, point := range []color.Color{upper, lower} {
		if color.GrayModel.Convert(point).(color.Gray).Y < lightest {
			cell |= 1 << bit
		}
	}
	return halves[cell]
}
