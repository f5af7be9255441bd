// Fields, as a screen writes them down. Each is a plain value; the form makes
// the widget that draws it and remembers its focus.

package tui

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"charm.land/huh/v2"
)

// MaxInput is how many characters a field takes unless it says otherwise.
const MaxInput = 256

// Field is one of Text, Secret, Number, Choice, Toggle and Note.
type Field interface {
	widget(s *Session) widget
}

// Text asks for a line of text.
type Text struct {
	Key   string // names the field; never its value
	Label string
	Value *string
	Hint  string // shown faintly while the field is empty
	// Limit is how many characters fit; 0 is MaxInput. More is refused, never cut.
	Limit    int
	Optional bool // may stay empty
	// Check returns why a value is refused, as a sentence, or "".
	Check func(string) string
	// Aside is a short word at the right of the row, or "".
	Aside func() string
	// Below is a panel under the row, at most width cells wide, or "".
	Below func(width int) string
	// Upper, Digits and the like: Filter drops characters as they are typed. Nil keeps all.
	Filter func(rune) rune
}

// Secret asks for something that shoulders must not read. It can be revealed,
// pasted, and is otherwise like Text. Its value is never logged, and stays after
// a refusal unless the screen wipes it.
type Secret struct {
	Key      string
	Label    string
	Value    *string
	Limit    int
	Optional bool
	Check    func(string) string
	Aside    func() string // "" says that ctrl+r shows it
	Below    func(width int) string
}

// Number asks for a whole number from Min to Max.
type Number struct {
	Key      string
	Label    string
	Value    *int
	Min, Max int
	Unit     string // stands after the number
	Aside    func() string
	Below    func(width int) string
}

// Option is one answer to a Choice.
type Option struct {
	Value string
	Label string
	Note  string // a sentence about it, shown while it is chosen
}

// Choice asks for one of a few things; left and right go through them, a letter
// goes to the next that begins with it.
type Choice struct {
	Key     string
	Label   string
	Value   *string
	Options []Option
	Aside   func() string
	Below   func(width int) string
}

// Toggle asks for yes or no.
type Toggle struct {
	Key     string
	Label   string
	Value   *bool
	Yes, No string // "" are the dictionary's
	Check   func(bool) string
	Aside   func() string
	Below   func(width int) string
}

// Note says something between fields. It takes no focus.
type Note struct {
	Text string
	// Show draws something instead of Text: a table, a picture, a code.
	Show func(width int) string
}

var (
	_ Field = Text{}
	_ Field = Secret{}
	_ Field = Number{}
	_ Field = Choice{}
	_ Field = Toggle{}
	_ Field = Note{}
)

// widget is a field at work: huh's contract and how it stands in a form.
type widget interface {
	huh.Field
	state() *common
	// draw returns the value in at most width cells.
	draw(width int) string
	// cursor returns the cell of the drawn value where the cursor stands.
	cursor() (x int, ok bool)
	lined
}

// common is what all widgets share, and most of huh's contract.
type common struct {
	s       *Session
	self    huh.Field
	key     string
	label   string
	aside   func() string
	below   func(width int) string
	check   func() string
	err     string
	focused bool
	width   int
	keys    huh.InputKeyMap
}

func (c *common) state() *common { return c }

// validate asks the field's own rules.
func (c *common) validate() {
	c.err = ""
	if c.check != nil {
		c.err = c.check()
	}
}

// refused makes a sentence an error for huh.
type refused string

func (r refused) Error() string { return string(r) }

// Error is what huh holds a page back for. Errors are kept until the value
// changes or the form is sent again.
func (c *common) Error() error {
	if c.err == "" {
		return nil
	}
	return refused(c.err)
}

func (c *common) Init() tea.Cmd                 { return nil }
func (c *common) Focus() tea.Cmd                { c.focused = true; return nil }
func (c *common) Blur() tea.Cmd                 { c.focused = false; return nil }
func (c *common) Run() error                    { return huh.Run(c.self) }
func (c *common) Skip() bool                    { return false }
func (c *common) Zoom() bool                    { return false }
func (c *common) WithTheme(huh.Theme) huh.Field { return c.self }
func (c *common) WithHeight(int) huh.Field      { return c.self }
func (c *common) GetKey() string                { return c.key }
func (c *common) cursor() (int, bool)           { return 0, false }

// View is what huh lays out after every message, into a viewport that nobody
// sees. A form draws its rows itself, so this costs nothing and moves nothing.
func (c *common) View() string { return c.label }

func (c *common) WithKeyMap(k *huh.KeyMap) huh.Field {
	c.keys = k.Input
	return c.self
}

func (c *common) WithWidth(w int) huh.Field {
	c.width = w
	return c.self
}

func (c *common) WithPosition(p huh.FieldPosition) huh.Field {
	c.keys.Prev.SetEnabled(!p.IsFirst())
	return c.self
}

// KeyBinds returns the keys that work while the field has focus.
func (c *common) KeyBinds() []key.Binding {
	return []key.Binding{c.keys.Next, c.keys.Prev, c.keys.Submit}
}
