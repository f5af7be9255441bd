package tui_test

import (
	"image"
	"image/color"
	"image/draw"
	"strings"
	"testing"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"postern/tui"
)

// quarters is black at the upper left and at the lower right, and white elsewhere.
func quarters() image.Image {
	img := image.NewRGBA(image.Rect(0, 0, 40, 40))
	draw.Draw(img, img.Bounds(), image.White, image.Point{}, draw.Src)
	draw.Draw(img, image.Rect(0, 0, 20, 20), image.Black, image.Point{}, draw.Src)
	draw.Draw(img, image.Rect(20, 20, 40, 40), image.Black, image.Point{}, draw.Src)
	return img
}

func TestAPictureWithoutColours(t *testing.T) {
	got := tui.Picture(tui.Caps{UTF8: true, Profile: colorprofile.ASCII}, quarters(), 4, 1)
	if got != "▀▀▄▄" {
		t.Errorf("two points to a cell: %q", got)
	}
	got = tui.Picture(tui.Caps{UTF8: true, Profile: colorprofile.ASCII}, quarters(), 4, 2)
	if got != "██  \n  ██" {
		t.Errorf("larger: %q", got)
	}
}

func TestAPictureInColour(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 40, 40))
	draw.Draw(img, image.Rect(0, 0, 40, 20), image.NewUniform(color.RGBA{R: 0xc0, A: 0xff}), image.Point{}, draw.Src)
	draw.Draw(img, image.Rect(0, 20, 40, 40), image.NewUniform(color.RGBA{B: 0x80, A: 0xff}), image.Point{}, draw.Src)
	rows := strings.Split(tui.Picture(tui.Caps{UTF8: true, Profile: colorprofile.TrueColor}, img, 1, 4), "\n")
	if len(rows) != 4 || ansi.Strip(rows[0]) != "▀" || !strings.Contains(rows[0], "38;2;192;0;0;48;2;192;0;0") || !strings.Contains(rows[3], "48;2;0;0;128") {
		t.Errorf("%q", rows)
	}
}

// Where nothing can be drawn there is nothing, whatever is asked for.
func TestAPictureThatCannotBeShown(t *testing.T) {
	for what, caps := range map[string]tui.Caps{
		"without UTF-8": {Profile: colorprofile.TrueColor}, "dumb": {UTF8: true, Dumb: true}, "in lines": {UTF8: true, Lines: true},
	} {
		if caps.Pictures() || tui.Picture(caps, quarters(), 10, 10) != "" {
			t.Errorf("%s: it is drawn", what)
		}
	}
	for _, size := range [][2]int{{0, 5}, {5, 0}, {-1, -1}} {
		if tui.Picture(tui.Caps{UTF8: true}, quarters(), size[0], size[1]) != "" {
			t.Errorf("%v: it is drawn", size)
		}
	}
}
