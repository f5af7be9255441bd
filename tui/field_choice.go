// The widgets that are chosen rather than typed: Choice, Toggle, Note, and the
// row of buttons that ends every page.

package tui

import (
	"strings"
	"unicode/utf8"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"charm.land/huh/v2"
	"github.com/charmbracelet/x/ansi"
)

// choice is one of several options.
type choice struct {
	common
	options []Option
	at      int
	set     func(string)
	change  key.Binding
}

var _ widget = (*choice)(nil)

func (c Choice) widget(s *Session) widget {
	w := &choice{options: c.Options, set: func(v string) { *c.Value = v }}
	w.common = common{s: s, self: w, key: c.Key, label: c.Label, aside: c.Aside, below: c.Below}
	w.change = key.NewBinding(key.WithKeys("left", "right", "space"),
		key.WithHelp(leftRight(s), s.T("key.choose")))
	for i, o := range c.Options {
		if o.Value == *c.Value {
			w.at = i
		}
	}
	if len(c.Options) > 0 {
		w.set(c.Options[w.at].Value)
	}
	return w
}

// leftRight names the two keys that change a choice.
func leftRight(s *Session) string {
	if s.Caps.UTF8 {
		return "← →"
	}
	return "left/right"
}

func (c *choice) Update(msg tea.Msg) (huh.Model, tea.Cmd) {
	k, ok := msg.(tea.KeyPressMsg)
	if !ok || len(c.options) == 0 {
		return c, nil
	}
	n := len(c.options)
	switch k.String() {
	case "left":
		c.at = (c.at + n - 1) % n
	case "right", "space":
		c.at = (c.at + 1) % n
	case "home":
		c.at = 0
	case "end":
		c.at = n - 1
	default:
		c.seek(k.Text)
	}
	c.set(c.options[c.at].Value)
	return c, nil
}

// seek goes to the next option whose label begins with text.
func (c *choice) seek(text string) {
	if text == "" {
		return
	}
	for i := range c.options {
		j := (c.at + 1 + i) % len(c.options)
		if strings.HasPrefix(strings.ToLower(c.options[j].Label), strings.ToLower(text)) {
			c.at = j
			return
		}
	}
}

func (c *choice) GetValue() any { return c.at }

func (c *choice) KeyBinds() []key.Binding {
	return append([]key.Binding{c.change}, c.common.KeyBinds()...)
}

func (c *choice) draw(width int) string {
	t := c.s.Theme
	if len(c.options) == 0 {
		return ""
	}
	label := cut(c.options[c.at].Label, width-4, t.Signs)
	if !c.focused {
		return t.Text.Render(label)
	}
	return t.Accent.Render(t.Signs.Left+" ") + t.Selected.Render(label) + t.Accent.Render(" "+t.Signs.Right)
}

// note returns the sentence about the chosen option.
func (c *choice) note() string {
	if len(c.options) == 0 {
		return ""
	}
	return c.options[c.at].Note
}

// toggle is yes or no.
type toggle struct {
	common
	value   *bool
	yes, no string
	change  key.Binding
}

var _ widget = (*toggle)(nil)

func (t Toggle) widget(s *Session) widget {
	w := &toggle{value: t.Value, yes: orElse(t.Yes, s.T("form.yes")), no: orElse(t.No, s.T("form.no"))}
	w.common = common{s: s, self: w, key: t.Key, label: t.Label, aside: t.Aside, below: t.Below}
	w.change = key.NewBinding(key.WithKeys("left", "right", "space"), key.WithHelp(s.T("key.space"), s.T("key.change")))
	if t.Check != nil {
		w.check = func() string { return t.Check(*t.Value) }
	}
	return w
}

func (t *toggle) Update(msg tea.Msg) (huh.Model, tea.Cmd) {
	if k, ok := msg.(tea.KeyPressMsg); ok {
		switch k.String() {
		case "left", "right", "space":
			*t.value = !*t.value
		default:
			switch first, _ := utf8.DecodeRuneInString(strings.ToLower(k.Text)); {
			case k.Text == "":
			case strings.HasPrefix(strings.ToLower(t.yes), string(first)):
				*t.value = true
			case strings.HasPrefix(strings.ToLower(t.no), string(first)):
				*t.value = false
			}
		}
	}
	return t, nil
}

func (t *toggle) GetValue() any { return *t.value }

func (t *toggle) KeyBinds() []key.Binding {
	return append([]key.Binding{t.change}, t.common.KeyBinds()...)
}

func (t *toggle) draw(width int) string {
	th := t.s.Theme
	item := func(on bool, label string) string {
		if !on {
			return th.Muted.Render(th.Signs.Off + " " + label)
		}
		if t.focused {
			return th.Selected.Render(th.Signs.On + " " + label)
		}
		return th.Text.Render(th.Signs.On + " " + label)
	}
	return clip(item(*t.value, t.yes)+"   "+item(!*t.value, t.no), width)
}

// note is words between fields.
type note struct {
	common
	text string
	show func(width int) string
}

var _ widget = (*note)(nil)

func (n Note) widget(s *Session) widget {
	w := &note{text: n.Text, show: n.Show}
	w.common = common{s: s, self: w}
	return w
}

func (n *note) Update(tea.Msg) (huh.Model, tea.Cmd) { return n, nil }
func (n *note) Skip() bool                          { return true }
func (n *note) GetValue() any                       { return nil }
func (n *note) KeyBinds() []key.Binding             { return nil }

func (n *note) draw(width int) string {
	if n.show != nil {
		return n.show(width)
	}
	return wrap(n.text, width)
}

// buttons is the row that ends a page.
type buttons struct {
	common
	labels []string
	at     int
	danger bool
}

var _ widget = (*buttons)(nil)

func newButtons(s *Session, labels []string, danger bool) *buttons {
	w := &buttons{labels: labels, danger: danger}
	w.common = common{s: s, self: w}
	w.enter(1)
	return w
}

// enter chooses the button that a person meets first: the safe one of a row
// that destroys something, the last one otherwise.
func (b *buttons) enter(int) {
	b.at = len(b.labels) - 1
	if b.danger {
		b.at = 0
	}
}

// step goes along the row and says whether there was a button to go to.
func (b *buttons) step(by int) bool {
	if at := b.at + by; at >= 0 && at < len(b.labels) {
		b.at = at
		return true
	}
	return false
}

func (b *buttons) Update(tea.Msg) (huh.Model, tea.Cmd) { return b, nil }
func (b *buttons) GetValue() any                       { return b.at }

func (b *buttons) KeyBinds() []key.Binding {
	press := key.NewBinding(key.WithKeys("enter"), key.WithHelp("enter", b.labels[b.at]))
	return []key.Binding{press, b.keys.Next, b.keys.Prev}
}

func (b *buttons) draw(width int) string {
	t := b.s.Theme
	parts := make([]string, len(b.labels))
	for i, l := range b.labels {
		text := "[ " + l + " ]"
		switch {
		case !b.focused || i != b.at:
			parts[i] = " " + t.Button.Render(text)
		case b.danger && i == len(b.labels)-1:
			parts[i] = t.ButtonDanger.Render(t.Signs.Mark + text)
		default:
			parts[i] = t.ButtonFocus.Render(t.Signs.Mark + text)
		}
	}
	row := strings.Join(parts, "  ")
	if ansi.StringWidth(row) > width {
		return clip(strings.Join(parts, ""), width)
	}
	return padLeft(row, width)
}
