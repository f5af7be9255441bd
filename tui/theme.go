// A theme turns a palette into the styles that widgets use. It is built once
// for a session and never changes: another theme is another value.

package tui

import (
	"strings"

	"charm.land/huh/v2"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"
)

// ThemeName names a theme; it is what a person's choice is kept as.
type ThemeName string

// The themes there are. ThemeAuto takes the terminal's own background and text
// colours, and reads on dark and light ones even if the terminal never says
// which it has. The others paint the whole screen.
const (
	ThemeAuto     ThemeName = "auto"
	ThemeDark     ThemeName = "dark"
	ThemeLight    ThemeName = "light"
	ThemeContrast ThemeName = "contrast"
)

// ThemeNames returns every theme, in the order to offer them.
func ThemeNames() []ThemeName {
	return []ThemeName{ThemeAuto, ThemeDark, ThemeLight, ThemeContrast}
}

// Theme is a set of styles for one terminal. Meaning is never by colour alone:
// without colours the same styles are bold, underlined or reversed.
type Theme struct {
	Name  ThemeName
	Signs Signs

	Text    lipgloss.Style // plain words
	Heading lipgloss.Style // the name of a page or a column
	Muted   lipgloss.Style // asides and hints
	Accent  lipgloss.Style // what matters now
	Good    lipgloss.Style
	Warn    lipgloss.Style
	Bad     lipgloss.Style
	Rule    lipgloss.Style // lines between areas
	Key     lipgloss.Style // the name of a key in the footer

	Label        lipgloss.Style // beside a field
	LabelFocus   lipgloss.Style
	Field        lipgloss.Style // the room where something is typed
	FieldFocus   lipgloss.Style
	Hint         lipgloss.Style // what could be typed, in a field that is empty
	Button       lipgloss.Style
	ButtonFocus  lipgloss.Style
	ButtonDanger lipgloss.Style // a focused button that destroys something
	Selected     lipgloss.Style // the marked row of a list

	// QR is black on white in every theme: readers look for dark on light.
	// Without colours it is plain, and QR draws nothing.
	QR lipgloss.Style

	huh  *huh.Styles
	base string // the SGR sequence that paints text and background, or ""
	bare bool   // no escape sequences at all

	words map[Check]string // said in the place of signs and bars, in lines; else nil
}

// NewTheme builds the theme called name for a terminal with caps. An unknown
// name is ThemeAuto, so that a choice kept by a newer version does no harm.
func NewTheme(name ThemeName, caps Caps) *Theme {
	var p palette
	paint := false
	switch name {
	case ThemeDark:
		p, paint = darkPalette(), true
	case ThemeLight:
		p, paint = lightPalette(), true
	case ThemeContrast:
		p, paint = contrastPalette(), true
	default:
		name = ThemeAuto
		switch caps.Background {
		case BackgroundDark:
			p = darkPalette()
		case BackgroundLight:
			p = lightPalette()
		default:
			p = anyPalette()
		}
		p.bg, p.fg = shade{}, shade{}
	}
	t := &Theme{Name: name, Signs: asciiSigns(), bare: caps.Dumb}
	if caps.UTF8 {
		t.Signs = unicodeSigns()
	}
	t.style(p, caps)
	if paint && !t.bare {
		t.base = baseSGR(p, caps.Profile)
	}
	t.huh = t.huhStyles()
	return t
}

// style fills the tokens in.
func (t *Theme) style(p palette, caps Caps) {
	if t.bare {
		plain := lipgloss.NewStyle()
		for _, s := range []*lipgloss.Style{
			&t.Text, &t.Heading, &t.Muted, &t.Accent, &t.Good, &t.Warn, &t.Bad, &t.Rule, &t.Key, &t.Label,
			&t.LabelFocus, &t.Field, &t.FieldFocus, &t.Hint, &t.Button, &t.ButtonFocus, &t.ButtonDanger, &t.Selected,
			&t.QR,
		} {
			*s = plain
		}
		return
	}
	ink := func(s shade) lipgloss.Style {
		st := lipgloss.NewStyle()
		if c := s.pick(caps.Profile); c != nil {
			st = st.Foreground(c)
		}
		return st
	}
	t.Text = ink(p.fg)
	t.Heading = ink(p.fg).Bold(true)
	t.Muted = ink(p.muted)
	t.Accent = ink(p.accent).Bold(true)
	t.Good = ink(p.good)
	t.Warn = ink(p.warn).Bold(true)
	t.Bad = ink(p.bad).Bold(true)
	t.Rule = ink(p.rule)
	t.Key = ink(p.accent).Bold(p.accent.pick(caps.Profile) == nil)
	t.Label = ink(p.fg)
	t.LabelFocus = ink(p.accent).Bold(true)
	t.Field = ink(p.fg).Underline(true)
	t.FieldFocus = ink(p.fg).Underline(true)
	t.Hint = ink(p.muted).Underline(true)
	t.Button = ink(p.fg)
	t.ButtonFocus = ink(p.accent).Bold(true).Reverse(true)
	t.ButtonDanger = ink(p.bad).Bold(true).Reverse(true)
	t.Selected = ink(p.accent).Bold(true)
	if black, white := qrBlack.pick(caps.Profile), qrWhite.pick(caps.Profile); black != nil && white != nil {
		t.QR = lipgloss.NewStyle().Foreground(black).Background(white)
	}
}

// baseSGR returns the sequence that sets the palette's own text and background.
func baseSGR(p palette, profile colorprofile.Profile) string {
	st := lipgloss.NewStyle()
	fg, bg := p.fg.pick(profile), p.bg.pick(profile)
	if fg == nil || bg == nil {
		return ""
	}
	sample := st.Foreground(fg).Background(bg).Render("x")
	sgr, _, _ := strings.Cut(sample, "x")
	return sgr
}

// Paint gives every cell of content the theme's own colours. content must be
// padded to the width of the screen. Styles inside it end with a reset, which
// would fall back to the terminal's colours: Paint puts the theme's after each.
func (t *Theme) Paint(content string) string {
	if t.base == "" {
		return content
	}
	content = strings.ReplaceAll(content, "\x1b[m", "\x1b[m"+t.base)
	return t.base + strings.ReplaceAll(content, "\n", "\x1b[m\n"+t.base) + "\x1b[m"
}

// Huh returns the theme for huh's forms, made once: huh asks three times a view.
func (t *Theme) Huh() huh.Theme {
	return huh.ThemeFunc(func(bool) *huh.Styles { return t.huh })
}

// huhStyles derives huh's styles. The fields of this package draw themselves;
// what is left to huh is spacing.
func (t *Theme) huhStyles() *huh.Styles {
	s := huh.ThemeBase(true)
	none := lipgloss.NewStyle()
	s.FieldSeparator = none.SetString("\n")
	s.Group.Title, s.Group.Description = t.Heading, t.Muted
	for f, title := range map[*huh.FieldStyles]lipgloss.Style{&s.Focused: t.LabelFocus, &s.Blurred: t.Label} {
		f.Base, f.Card = none, none
		f.Title, f.NoteTitle, f.Description = title, title, t.Muted
		f.ErrorMessage, f.ErrorIndicator = t.Bad, t.Bad
		f.TextInput.Text, f.TextInput.Prompt = t.Field, t.Muted
		f.FocusedButton, f.BlurredButton = t.ButtonFocus, t.Button
	}
	return s
}

// kind returns the style and the sign for a kind of toast.
func (t *Theme) kind(k ToastKind) (lipgloss.Style, string) {
	switch k {
	case Good:
		return t.Good, t.Signs.OK
	case Warn:
		return t.Warn, "!"
	case Bad:
		return t.Bad, t.Signs.No
	default:
		return t.Accent, t.Signs.Bullet
	}
}
