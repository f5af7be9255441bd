package tuitest

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/vt"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// QR reads the QR code on the screen as a phone would. It fails unless a
// terminal with a dark background of its own and one with a light can both be read.
func (v *Terminal) QR() (string, error) { return onBoth(v.emulate(), DecodeQR) }

// InvertedQR is QR for a code in white on black.
func (v *Terminal) InvertedQR() (string, error) { return onBoth(v.emulate(), DecodeInvertedQR) }

// QR reads the QR code on the screen as a phone would. It fails unless a
// terminal with a dark background of its own and one with a light can both be read.
func (t *Wire) QR() (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return onBoth(t.emu, DecodeQR)
}

// onBoth reads screen on a terminal of either background.
func onBoth(screen *vt.Emulator, decode func(*vt.Emulator, color.Color) (string, error)) (string, error) {
	dark, err := decode(screen, color.Black)
	if err != nil {
		return "", fmt.Errorf("on a dark terminal: %w", err)
	}
	light, err := decode(screen, color.White)
	if err != nil {
		return "", fmt.Errorf("on a light terminal: %w", err)
	}
	if dark != light {
		return "", fmt.Errorf("%q on a dark terminal, %q on a light one", dark, light)
	}
	return dark, nil
}

// DecodeQR returns the text of the QR code on screen, dark on light. The whole
// screen is looked at, with the colours that its cells really have; background
// is the terminal's own, where a cell has none. Nobody may write to the screen
// meanwhile.
func DecodeQR(screen *vt.Emulator, background color.Color) (string, error) {
	return decodeQR(screen, background, false)
}

// DecodeInvertedQR is DecodeQR for a code light on dark.
func DecodeInvertedQR(screen *vt.Emulator, background color.Color) (string, error) {
	return decodeQR(screen, background, true)
}

// decodeQR holds the phone in four ways. In a single picture of exact squares
// the reader misjudges about one code in three hundred by a module, whichever
// program made it; hardly ever the same one from two sides. A phone takes
// thirty pictures a second and none of them is exact.
func decodeQR(screen *vt.Emulator, background color.Color, inverted bool) (text string, err error) {
	img := photograph(screen, background)
	for range 4 {
		if text, err = readQR(img, inverted); err == nil {
			return text, nil
		}
		img = turned(img)
	}
	return "", err
}

func readQR(img image.Image, inverted bool) (string, error) {
	source := gozxing.NewLuminanceSourceFromImage(img)
	if inverted {
		source = gozxing.NewInvertedLuminanceSource(source)
	}
	bitmap, err := gozxing.NewBinaryBitmap(gozxing.NewHybridBinarizer(source))
	if err != nil {
		return "", err
	}
	found, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil {
		return "", fmt.Errorf("no QR code can be read: %w", err)
	}
	return found.GetText(), nil
}

// turned returns img a quarter further.
func turned(img *image.Gray) *image.Gray {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	out := image.NewGray(image.Rect(0, 0, h, w))
	for y := range h {
		for x := range w {
			out.SetGray(h-1-y, x, img.GrayAt(x, y))
		}
	}
	return out
}

// pixels is how many pixels a module has: half as many as a cell is high.
const pixels = 4

// photograph paints the screen. Cells are twice as high as wide. Of the
// characters only half blocks are drawn as they are; others are a blot in their
// colour, so that words beside a code disturb as they would.
func photograph(screen *vt.Emulator, background color.Color) *image.Gray {
	img := image.NewGray(image.Rect(0, 0, screen.Width()*pixels, screen.Height()*2*pixels))
	for y := range screen.Height() {
		for x := range screen.Width() {
			content, fg, bg := look(screen.CellAt(x, y), background)
			cell := image.Rect(x*pixels, y*2*pixels, (x+1)*pixels, (y+1)*2*pixels)
			ink := cell
			switch content {
			case "", " ":
				ink = image.Rectangle{}
			case "█":
			case "▀":
				ink.Max.Y -= pixels
			case "▄":
				ink.Min.Y += pixels
			default:
				ink = cell.Inset(pixels / 4)
			}
			draw.Draw(img, cell, image.NewUniform(bg), image.Point{}, draw.Src)
			draw.Draw(img, ink, image.NewUniform(fg), image.Point{}, draw.Src)
		}
	}
	return img
}

// look returns what a cell shows in which colours, on a terminal whose own
// background is that, and whose text is the opposite.
func look(c *uv.Cell, background color.Color) (content string, fg, bg color.Color) {
	fg, bg = color.White, background
	if color.GrayModel.Convert(background).(color.Gray).Y > 0x7f {
		fg = color.Black
	}
	if c == nil {
		return "", fg, bg
	}
	if c.Style.Fg != nil {
		fg = c.Style.Fg
	}
	if c.Style.Bg != nil {
		bg = c.Style.Bg
	}
	if c.Style.Attrs&uv.AttrReverse != 0 {
		fg, bg = bg, fg
	}
	return c.Content, fg, bg
}
