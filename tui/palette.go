// The colours. Each token has one colour for each kind of terminal, chosen and
// not computed, because what a renderer rounds to is rarely what can be read.
// theme_test.go holds every text colour to a contrast of 4.5:1 (WCAG 2.2, 1.4.3).

package tui

import (
	"image/color"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"
)

// shade is one colour three times: as sRGB, as one of the 256 and as one of the
// 16. "" is the terminal's own colour.
type shade struct{ rgb, c256, c16 string }

// pick returns the colour that a terminal with profile p should be sent, or nil
// for its own.
func (s shade) pick(p colorprofile.Profile) color.Color {
	v := ""
	switch p {
	case colorprofile.TrueColor:
		v = s.rgb
	case colorprofile.ANSI256:
		v = s.c256
	case colorprofile.ANSI:
		v = s.c16
	}
	if v == "" {
		return nil
	}
	return lipgloss.Color(v)
}

// The colours of a QR code are no theme's. Of the 256 these two stand in the
// cube that colour schemes leave alone; of the 16 they are the furthest apart.
var (
	qrBlack = shade{"#000000", "16", "0"}
	qrWhite = shade{"#ffffff", "231", "15"}
)

// palette gives the tokens their colours. bg and fg are set only by themes that
// paint the whole screen.
type palette struct {
	bg, fg                         shade
	muted, accent, good, warn, bad shade
	rule                           shade
}

// anyPalette reads on black and on white alike: its colours have a luminance
// between 0.175 and 0.183, the only band that is 4.5:1 from both. Where the 256
// or the 16 have none in that band, the terminal's own colour stays, and bold tells.
func anyPalette() palette {
	return palette{
		muted:  shade{"#767676", "243", ""},
		accent: shade{"#0075dc", "63", ""},
		good:   shade{"#00882d", "29", ""},
		warn:   shade{"#a56800", "", ""},
		bad:    shade{"#e32822", "131", ""},
		rule:   shade{"#767676", "243", ""},
	}
}

func darkPalette() palette {
	return palette{
		bg:     shade{"#121212", "233", "0"},
		fg:     shade{"#e4e4e4", "254", "7"},
		muted:  shade{"#a8a8a8", "248", "7"},
		accent: shade{"#5fafff", "75", "14"},
		good:   shade{"#5fd787", "78", "10"},
		warn:   shade{"#ffd75f", "221", "11"},
		bad:    shade{"#ff8787", "210", "9"},
		rule:   shade{"#585858", "240", "8"},
	}
}

func lightPalette() palette {
	return palette{
		bg:     shade{"#ffffff", "231", "15"},
		fg:     shade{"#1c1c1c", "234", "0"},
		muted:  shade{"#585858", "240", "0"},
		accent: shade{"#005faf", "25", "4"},
		good:   shade{"#005f00", "22", "0"},
		warn:   shade{"#875f00", "94", "0"},
		bad:    shade{"#af0000", "124", "1"},
		rule:   shade{"#bcbcbc", "250", "8"},
	}
}

// contrastPalette keeps every text colour at 7:1 and more (WCAG 2.2, 1.4.6).
func contrastPalette() palette {
	return palette{
		bg:     shade{"#000000", "16", "0"},
		fg:     shade{"#ffffff", "231", "15"},
		muted:  shade{"#ffffff", "231", "15"},
		accent: shade{"#ffff00", "226", "11"},
		good:   shade{"#5fff5f", "83", "10"},
		warn:   shade{"#ffd700", "220", "11"},
		bad:    shade{"#ffafaf", "217", "15"},
		rule:   shade{"#ffffff", "231", "15"},
	}
}
