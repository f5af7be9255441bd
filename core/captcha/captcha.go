// Package captcha draws letters that a person reads sooner than a machine, and
// compares what was read.
package captcha

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"
	"sync"

	"github.com/steambap/captcha"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/text/unicode/norm"
)

// Letters are what pictures show: capitals and digits of which none looks like
// another when there are few pixels.
const Letters = "ACDEFHJKLMNPRTUVWXY47"

// Length is how many letters a picture shows.
const Length = 5

// Width and Height are the size of a picture in pixels: three by six of them share
// a cell of a terminal, 76 cells wide and 12 high.
const (
	Width  = 228
	Height = 72
)

// maxAnswer is how many bytes of an answer are looked at.
const maxAnswer = 64

// inks are dark enough to be told from white with 16 colours and with one bit.
var inks = color.Palette{
	color.NRGBA{R: 0x10, G: 0x10, B: 0x50, A: 0xff},
	color.NRGBA{R: 0x60, G: 0x08, B: 0x08, A: 0xff},
	color.NRGBA{R: 0x06, G: 0x40, B: 0x10, A: 0xff},
	color.NRGBA{R: 0x48, G: 0x08, B: 0x58, A: 0xff},
	color.NRGBA{A: 0xff},
}

// font sets the library's one font for the whole program, once.
var font = sync.OnceValue(func() error { return captcha.LoadFont(gobold.TTF) })

// Picture is a picture and the text that it shows.
type Picture struct {
	Text  string
	Image image.Image
}

// Draw returns another picture of Length letters, dark on white. The library takes
// them from math/rand, whose top-level functions draw on the runtime's ChaCha8
// since Go 1.24, whatever somebody seeds.
func Draw() (Picture, error) {
	if err := font(); err != nil {
		return Picture{}, fmt.Errorf("captcha: font: %w", err)
	}
	data, err := captcha.New(Width, Height, func(o *captcha.Options) {
		o.BackgroundColor, o.Palette = color.White, inks
		o.CharPreset, o.TextLength = Letters, Length
		o.FontScale, o.CurveNumber, o.Noise = fontScale, curves, noise
	})
	if err != nil {
		return Picture{}, fmt.Errorf("captcha: %w", err)
	}
	// The library hands its picture out as a file only.
	var file bytes.Buffer
	if err := data.WriteImage(&file); err != nil {
		return Picture{}, fmt.Errorf("captcha: %w", err)
	}
	img, err := png.Decode(&file)
	if err != nil {
		return Picture{}, fmt.Errorf("captcha: %w", err)
	}
	if len(data.Text) != Length {
		return Picture{}, errors.New("captcha: a text of another length")
	}
	return Picture{Text: data.Text, Image: img}, nil
}

// How the letters are drawn: as large as five of them fit, with so many lines
// across, and a dot for every so many pixels.
const (
	fontScale = 0.66
	curves    = 4
	noise     = 0.6
)

// Normalize returns an answer as it is compared: capitals without blanks, full-width
// ones as plain ones. What could be no answer becomes "".
func Normalize(answer string) string {
	if len(answer) > maxAnswer {
		return ""
	}
	return strings.Join(strings.Fields(strings.ToUpper(norm.NFKC.String(answer))), "")
}
