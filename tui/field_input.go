// The widget behind Text, Secret and Number. bubbles' text input edits; what it
// would do with time (a blinking cursor) and with the machine (reading the
// clipboard of the server) is taken from it, and it is drawn here, so that the
// terminal's own cursor can stand where it belongs.

package tui

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
	"charm.land/huh/v2"
	"github.com/charmbracelet/x/ansi"
)

// input is a line that is typed.
type input struct {
	common
	edit   textinput.Model
	set    func(string)
	hint   string
	unit   string
	secret bool
	shown  bool // a secret that is revealed
	limit  int
	filter func(rune) rune
	offset int // the first cell that is drawn
	curX   int
	reveal key.Binding
}

var _ widget = (*input)(nil)

func newInput(s *Session, c common, value string, limit int, set func(string)) *input {
	if limit <= 0 {
		limit = MaxInput
	}
	in := &input{common: c, limit: limit, set: set, edit: textinput.New()}
	in.s, in.self = s, in
	in.edit.Prompt = ""
	in.edit.SetVirtualCursor(false)
	in.edit.CharLimit = limit
	k := &in.edit.KeyMap
	for _, b := range []*key.Binding{&k.Paste, &k.AcceptSuggestion, &k.NextSuggestion, &k.PrevSuggestion} {
		b.Unbind()
	}
	in.edit.SetValue(value)
	in.edit.CursorEnd()
	return in
}

func (t Text) widget(s *Session) widget {
	in := newInput(s, common{key: t.Key, label: t.Label, aside: t.Aside, below: t.Below}, *t.Value, t.Limit,
		func(v string) { *t.Value = v })
	in.hint, in.filter = t.Hint, t.Filter
	in.check = func() string { return checkText(s, *t.Value, t.Optional, t.Check) }
	return in
}

func (t Secret) widget(s *Session) widget {
	in := newInput(s, common{key: t.Key, label: t.Label, aside: t.Aside, below: t.Below}, *t.Value, t.Limit,
		func(v string) { *t.Value = v })
	in.secret = true
	in.edit.EchoMode = textinput.EchoPassword
	in.reveal = key.NewBinding(key.WithKeys("ctrl+r"), key.WithHelp("ctrl+r", s.T("key.show")))
	in.check = func() string { return checkText(s, *t.Value, t.Optional, t.Check) }
	if t.Aside == nil && !s.Caps.Lines {
		in.aside = func() string {
			if !in.focused {
				return ""
			}
			return in.reveal.Help().Key + " " + in.reveal.Help().Desc
		}
	}
	return in
}

func (t Number) widget(s *Session) widget {
	digits := len(strconv.Itoa(t.Max))
	if t.Min < 0 {
		digits = max(digits, len(strconv.Itoa(t.Min)))
	}
	text := strconv.Itoa(*t.Value)
	in := newInput(s, common{key: t.Key, label: t.Label, aside: t.Aside, below: t.Below}, text, max(digits, len(text)), nil)
	in.unit = t.Unit
	in.filter = func(r rune) rune {
		if r >= '0' && r <= '9' || r == '-' && t.Min < 0 {
			return r
		}
		return -1
	}
	in.set = func(v string) {
		if n, err := strconv.Atoi(v); err == nil {
			*t.Value = n
		}
	}
	in.check = func() string {
		n, err := strconv.Atoi(in.edit.Value())
		if err != nil || n < t.Min || n > t.Max {
			return s.T("form.range", "Min", t.Min, "Max", t.Max)
		}
		return ""
	}
	return in
}

func checkText(s *Session, v string, optional bool, check func(string) string) string {
	if strings.TrimSpace(v) == "" {
		if optional && v == "" {
			return ""
		}
		if !optional {
			return s.T("form.required")
		}
	}
	if check != nil {
		return check(v)
	}
	return ""
}

// Focus makes the text input take keys.
func (in *input) Focus() tea.Cmd {
	in.focused = true
	in.edit.Focus()
	return nil
}

// Blur looks at what was typed, unless nothing was: nobody is told that a field
// is missing while still on the way to it. A revealed secret hides again.
func (in *input) Blur() tea.Cmd {
	was := in.focused
	in.focused = false
	in.edit.Blur()
	in.show(false)
	if was && in.err == "" && in.edit.Value() != "" {
		in.validate()
	}
	return nil
}

func (in *input) show(on bool) {
	if !in.secret {
		return
	}
	in.shown = on
	in.edit.EchoMode = textinput.EchoPassword
	desc := in.s.T("key.show")
	if on {
		in.edit.EchoMode = textinput.EchoNormal
		desc = in.s.T("key.hide")
	}
	in.reveal.SetHelp("ctrl+r", desc)
}

// Update edits. What would not fit is refused as a whole and said, because a
// password that was cut without a word is one that never works again.
func (in *input) Update(msg tea.Msg) (huh.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.KeyPressMsg:
		if in.secret && key.Matches(msg, in.reveal) {
			in.show(!in.shown)
			return in, nil
		}
		if msg.Text != "" {
			in.insert(msg.Text)
			return in, nil
		}
		in.err = ""
		in.edit, _ = in.edit.Update(msg)
		in.set(in.edit.Value())
	case tea.PasteMsg:
		in.paste(msg.Content)
	}
	return in, nil
}

// paste takes a paste as one line: line ends at its end come from copying, others are blanks.
func (in *input) paste(s string) {
	s = strings.TrimRight(s, "\r\n")
	if !utf8.ValidString(s) {
		in.err = in.s.T("form.not_text")
		return
	}
	if len(s) > 4*utf8.UTFMax*in.limit { // not worth walking through
		in.err = in.s.T("form.too_long", "Count", in.limit)
		return
	}
	if in.secret {
		// Nothing in a secret is changed quietly.
		if strings.ContainsFunc(s, unicode.IsControl) {
			in.err = in.s.T("form.not_text")
			return
		}
	} else {
		s = strings.Map(func(r rune) rune {
			switch {
			case r == '\n' || r == '\t':
				return ' '
			case unicode.IsControl(r):
				return -1
			}
			return r
		}, strings.TrimSpace(s))
	}
	in.insert(s)
}

// insert puts s at the cursor if all of it fits.
func (in *input) insert(s string) {
	in.err = ""
	if in.filter != nil {
		s = strings.Map(in.filter, s)
	}
	if utf8.RuneCountInString(in.edit.Value())+utf8.RuneCountInString(s) > in.limit {
		in.err = in.s.T("form.too_long", "Count", in.limit)
		return
	}
	in.edit, _ = in.edit.Update(tea.PasteMsg{Content: s})
	in.set(in.edit.Value())
}

// GetValue returns what was typed, for noticing changes. Forms keep no values:
// the key under which huh would keep this one is dropped with the form.
func (in *input) GetValue() any { return in.edit.Value() }

// KeyBinds adds the key that reveals.
func (in *input) KeyBinds() []key.Binding {
	keys := in.common.KeyBinds()
	if in.secret {
		return append([]key.Binding{in.reveal}, keys...)
	}
	return keys
}

func (in *input) cursor() (int, bool) { return in.curX, in.focused }

// draw shows the part of the text around the cursor in width cells.
func (in *input) draw(width int) string {
	t := in.s.Theme
	if in.unit != "" {
		width = min(width, in.limit+1)
	}
	style := t.Field
	if in.focused {
		style = t.FieldFocus
	}
	value := []rune(in.edit.Value())
	text, before := in.echo(value), in.echo(value[:min(in.edit.Position(), len(value))])
	at := ansi.StringWidth(before)
	all := ansi.StringWidth(text)
	switch {
	case all < width:
		in.offset = 0
	case at < in.offset:
		in.offset = at
	case at >= in.offset+width:
		in.offset = at - width + 1
	}
	if !in.focused {
		in.offset = 0
	}
	in.curX = at - in.offset
	shown := ansi.Cut(text, in.offset, in.offset+width)
	if len(value) == 0 && in.hint != "" {
		shown = cut(in.hint, width, t.Signs)
		return t.Hint.Render(shown) + style.Render(strings.Repeat(t.Signs.Blank, max(width-ansi.StringWidth(shown), 0)))
	}
	out := style.Render(shown + strings.Repeat(t.Signs.Blank, max(width-ansi.StringWidth(shown), 0)))
	if in.unit != "" {
		out += " " + in.unit
	}
	return out
}

// echo is how text looks: masked one sign a character, or with characters that
// a terminal would obey or hide made visible.
func (in *input) echo(value []rune) string {
	if in.secret && !in.shown {
		return strings.Repeat(string(in.s.Theme.Signs.Mask), len(value))
	}
	return strings.Map(visible, string(value))
}

// visible replaces what has no look of its own: controls, direction marks,
// zero-width characters. The value keeps them, and core says what is wrong with it.
func visible(r rune) rune {
	if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == utf8.RuneError {
		return '?'
	}
	return r
}
