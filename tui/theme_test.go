package tui_test

import (
	"image/color"
	"math"
	"slices"
	"strings"
	"testing"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"

	"postern/tui"
	"postern/tui/tuitest"
)

// luminance is WCAG 2.2's relative luminance.
func luminance(c color.Color) float64 {
	lin := func(v uint32) float64 {
		f := float64(v) / 0xffff
		if f <= 0.04045 {
			return f / 12.92
		}
		return math.Pow((f+0.055)/1.055, 2.4)
	}
	r, g, b, _ := c.RGBA()
	return 0.2126*lin(r) + 0.7152*lin(g) + 0.0722*lin(b)
}

func contrast(a, b color.Color) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// words are the styles that text is written in.
func words(t *tui.Theme) map[string]lipgloss.Style {
	return map[string]lipgloss.Style{
		"text": t.Text, "heading": t.Heading, "muted": t.Muted, "accent": t.Accent, "good": t.Good, "warn": t.Warn,
		"bad": t.Bad, "key": t.Key, "label": t.Label, "focused label": t.LabelFocus, "field": t.Field,
		"focused field": t.FieldFocus, "button": t.Button, "focused button": t.ButtonFocus, "danger": t.ButtonDanger, "selected": t.Selected,
	}
}

func none(c color.Color) bool {
	_, no := c.(lipgloss.NoColor)
	return c == nil || no
}

// TestTextCanBeRead holds text to 4.5:1 (WCAG 2.2, 1.4.3), the high contrast
// theme to 7:1 (1.4.6), and the default theme to 4.5:1 on black and on white.
func TestTextCanBeRead(t *testing.T) {
	black, white := color.Gray{0}, color.Gray{255}
	backgrounds := map[tui.ThemeName][]color.Color{
		tui.ThemeAuto:     {black, white},
		tui.ThemeDark:     {lipgloss.Color("#121212")},
		tui.ThemeLight:    {white},
		tui.ThemeContrast: {black},
	}
	for _, profile := range []colorprofile.Profile{colorprofile.TrueColor, colorprofile.ANSI256, colorprofile.ANSI} {
		for _, name := range tui.ThemeNames() {
			least := 4.5
			if name == tui.ThemeContrast {
				least = 7
			}
			bgs := backgrounds[name]
			if profile == colorprofile.ANSI && name == tui.ThemeDark {
				bgs = []color.Color{black}
			}
			for style, st := range words(tui.NewTheme(name, tui.Caps{Profile: profile, UTF8: true})) {
				fg := st.GetForeground()
				if none(fg) {
					if name != tui.ThemeAuto {
						t.Errorf("%s, %v: %s has no colour on a painted background", name, profile, style)
					}
					continue // the terminal's own
				}
				for _, bg := range bgs {
					if got := contrast(fg, bg); got < least {
						t.Errorf("%s, %v: %s has a contrast of %.2f on %v", name, profile, style, got, bg)
					}
				}
			}
		}
	}
}

func TestAutoFollowsTheBackground(t *testing.T) {
	for bg, against := range map[tui.Background]color.Color{tui.BackgroundDark: lipgloss.Color("#1e1e1e"), tui.BackgroundLight: lipgloss.Color("#fdf6e3")} {
		for style, st := range words(tui.NewTheme(tui.ThemeAuto, tui.Caps{Profile: colorprofile.ANSI256, Background: bg})) {
			if fg := st.GetForeground(); !none(fg) && contrast(fg, against) < 4.5 {
				t.Errorf("%s: %.2f", style, contrast(fg, against))
			}
		}
	}
}

// TestMeaningIsNotByColourAlone looks at the same page without colours.
func TestMeaningIsNotByColourAlone(t *testing.T) {
	s := tuitest.NewSession(t, tuitest.NoColor())
	v := tuitest.Open(t, s, newPeople(s)).Press("down")
	for y, line := range v.Cells() {
		for x, c := range line {
			if !none(c.Fg) || !none(c.Bg) {
				t.Fatalf("a colour at %d,%d", x, y)
			}
		}
	}
	if !v.CellOf("local").Bold {
		t.Error("the marked row is not bold")
	}
	v.Contains("▸  local", " ● here")
}

func TestDumbTerminalsGetNoEscapes(t *testing.T) {
	s := tuitest.NewSession(t, tuitest.Dumb())
	v := tuitest.Open(t, s, newSignUp(s))
	fill(v)
	content := v.Router().View().Content
	if strings.ContainsFunc(content, func(r rune) bool { return r > 126 || r < 32 && r != '\n' }) {
		t.Errorf("%q", content)
	}
}

func TestPaintedThemesPaintEverything(t *testing.T) {
	s := tuitest.NewSession(t)
	for _, name := range []tui.ThemeName{tui.ThemeDark, tui.ThemeLight, tui.ThemeContrast} {
		s.Theme = tui.NewTheme(name, s.Caps)
		v := tuitest.Open(t, s, newPeople(s))
		for y, line := range v.Cells() {
			for x, c := range line {
				if c.Text != "" && none(c.Bg) {
					t.Errorf("%s: %d,%d is not painted", name, x, y)
				}
			}
		}
	}
}

func TestCapabilities(t *testing.T) {
	for _, tt := range []struct {
		env     []string
		profile colorprofile.Profile
		utf8    bool
	}{
		{[]string{"TERM=xterm-256color"}, colorprofile.ANSI256, true},
		{[]string{"TERM=xterm", "LANG=C"}, colorprofile.ANSI, false},
		{[]string{"TERM=xterm-256color", "COLORTERM=truecolor", "LANG=de_DE.utf8"}, colorprofile.TrueColor, true},
		{[]string{"TERM=xterm-256color", "NO_COLOR=1", "LC_ALL=en_US.ISO-8859-1", "LANG=en_US.UTF-8"}, colorprofile.ASCII, false},
		{[]string{"TERM=dumb", "LANG=en_US.UTF-8"}, colorprofile.NoTTY, false},
		{nil, colorprofile.NoTTY, false},
	} {
		c := tui.DetectCaps(tt.env)
		if c.Profile != tt.profile || c.UTF8 != tt.utf8 {
			t.Errorf("%v: %v, UTF-8 %v", tt.env, c.Profile, c.UTF8)
		}
	}
	if !slices.Contains(tui.ThemeNames(), tui.NewTheme("of a newer version", tui.Caps{}).Name) {
		t.Error("an unknown theme is no theme")
	}
}
