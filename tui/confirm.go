// The dialog before something is destroyed or cannot be taken back: it names
// what will be lost, and asks for the name of what it is about.

package tui

import (
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// ConfirmSpec says what is to be confirmed. Its words are asked for at every
// build, so that they follow the language.
type ConfirmSpec struct {
	Title string
	Text  string // what will be lost
	// Name must be typed before Do is called; "" asks for nothing but the button.
	Name string
	// Yes is the label of the button that does it.
	Yes string
	// Do does it. It answers with a message; the dialog takes Done or Refused.
	Do func() tea.Cmd
}

// Confirmed is the answer of ConfirmSpec.Do. With an empty Refused the dialog
// closes, and the screen below gets a BackMsg whose Result is this Confirmed; else
// the sentence is shown. A cancelled dialog leaves no Result.
type Confirmed struct {
	Refused string
	Result  any
}

// Confirm is the dialog, a Screen of its own.
type Confirm struct {
	s     *Session
	build func() ConfirmSpec
	spec  ConfirmSpec
	form  *Form
	typed string
	w, h  int
	cur   *tea.Cursor
}

var (
	_ Screen   = (*Confirm)(nil)
	_ Helper   = (*Confirm)(nil)
	_ Typer    = (*Confirm)(nil)
	_ Cursored = (*Confirm)(nil)
	_ Asking   = (*Confirm)(nil)
)

// NewConfirm returns a dialog. Push it.
func NewConfirm(s *Session, build func() ConfirmSpec) *Confirm {
	c := &Confirm{s: s, build: build}
	c.form = NewForm(s, c.ask)
	return c
}

func (c *Confirm) ask() FormSpec {
	c.spec = c.build()
	var fields []Field
	fields = append(fields, Note{Text: c.spec.Text})
	if c.spec.Name != "" {
		fields = append(fields, Note{Text: ""}, Text{
			Key: "name", Label: c.s.T("confirm.type", "Name", c.spec.Name), Value: &c.typed,
			Check: func(v string) string {
				if v != c.spec.Name {
					return c.s.T("confirm.other_name", "Name", c.spec.Name)
				}
				return ""
			},
		})
	}
	return FormSpec{
		Pages: []Page{{Fields: fields}}, Danger: true, Do: c.spec.Do,
		Back: c.s.T("confirm.cancel"), Submit: c.spec.Yes,
	}
}

// Init builds the dialog; nothing typed before counts.
func (c *Confirm) Init() tea.Cmd { return c.form.Init() }

// SetSize takes the room of the screen; the dialog stands in the middle of it.
func (c *Confirm) SetSize(w, h int) {
	c.w, c.h = w, h
	c.form.SetSize(min(w-4, 60), h-4)
}

// Update hands keys to the form and takes the answer.
func (c *Confirm) Update(msg tea.Msg) (Screen, tea.Cmd) {
	if done, ok := msg.(Confirmed); ok {
		if done.Refused != "" {
			c.form.Refuse(Refusal{Text: done.Refused})
			return c, nil
		}
		return c, PopWith(done)
	}
	return c, c.form.Handle(msg)
}

// Asking returns the form of the dialog.
func (c *Confirm) Asking() *Form { return c.form }

// Title is the dialog's.
func (c *Confirm) Title() string { return c.build().Title }

// Help returns the form's keys.
func (c *Confirm) Help() []key.Binding { return c.form.Help() }

// Typing says whether the name is being typed.
func (c *Confirm) Typing() bool { return c.form.Typing() }

// Cursor stands in the field for the name.
func (c *Confirm) Cursor() *tea.Cursor { return c.cur }

// View draws the form in a box in the middle.
func (c *Confirm) View() string {
	body := c.form.View()
	inner := min(c.w-4, 60)
	box := c.s.Theme.Box(c.spec.Title, body, inner)
	lines := strings.Split(box, "\n")
	left := max((c.w-inner-4)/2, 0)
	top := max((c.h-len(lines))/3, 0)
	c.cur = nil
	if cur := c.form.Cursor(); cur != nil {
		c.cur = tea.NewCursor(cur.X+left+2, cur.Y+top+1)
	}
	for i, l := range lines {
		lines[i] = strings.Repeat(" ", left) + l
	}
	return strings.Repeat("\n", top) + strings.Join(lines, "\n")
}

// Box draws body in a border with a title, inner cells wide inside.
func (t *Theme) Box(title, body string, inner int) string {
	s := t.Signs
	inner = max(inner, 1)
	title = cut(title, inner-2, s)
	fill := max(inner-ansi.StringWidth(title)-1, 0)
	var b strings.Builder
	b.WriteString(t.Rule.Render(s.TopLeft+s.Rule) + t.Heading.Render(title) + t.Rule.Render(strings.Repeat(s.Rule, fill+2)+s.TopRight))
	for line := range strings.SplitSeq(body, "\n") {
		b.WriteString("\n" + t.Rule.Render(s.Bar) + " " + pad(clip(line, inner), inner) + " " + t.Rule.Render(s.Bar))
	}
	b.WriteString("\n" + t.Rule.Render(s.BaseLeft+strings.Repeat(s.Rule, inner+2)+s.BaseRight))
	return b.String()
}
