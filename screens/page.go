// A page shows one thing in full: a session, an entry of the trail. It is made
// of facts and scrolls where they do not fit.

package screens

import (
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/tui"
)

// page is a screen to read. body is asked at every view, so that it follows the
// language and whatever the screen below learns meanwhile.
type page struct {
	env   *Env
	title func() string
	body  func(width int) string
	// keys are further ones than those that scroll and go back; do is what they do.
	keys func() []key.Binding
	do   func(key string) tea.Cmd

	w, h, top, lines int
}

var (
	_ tui.Screen = (*page)(nil)
	_ tui.Titled = (*page)(nil)
	_ tui.Helper = (*page)(nil)
)

func (p *page) Init() tea.Cmd    { return nil }
func (p *page) SetSize(w, h int) { p.w, p.h = w, h }
func (p *page) Title() string    { return p.title() }

func (p *page) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	k, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return p, nil
	}
	switch name := k.String(); name {
	case "esc":
		return p, tui.Pop()
	case "up", "k":
		p.top--
	case "down", "j":
		p.top++
	case "pgup":
		p.top -= p.h - 1
	case "pgdown", "space":
		p.top += p.h - 1
	case "home", "g":
		p.top = 0
	case "end", "G":
		p.top = p.lines
	default:
		if p.do != nil {
			return p, p.do(name)
		}
	}
	p.top = max(min(p.top, p.lines-p.h), 0)
	return p, nil
}

func (p *page) View() string {
	lines := strings.Split(p.body(min(p.w, tui.BodyWidth)), "\n")
	p.lines = len(lines)
	top := max(min(p.top, p.lines-p.h), 0)
	return strings.Join(lines[top:min(top+p.h, p.lines)], "\n")
}

func (p *page) Help() []key.Binding {
	var out []key.Binding
	if p.keys != nil {
		out = append(out, p.keys()...)
	}
	if p.lines > p.h {
		out = append(out, p.env.bind(p.env.arrows(), "key.move"))
	}
	return append(out, p.env.bind("esc", "key.back"))
}

// bind returns a binding for the footer: the key's name, and what it does by
// the dictionary.
func (e *Env) bind(name, desc string) key.Binding {
	return key.NewBinding(key.WithKeys(name), key.WithHelp(name, e.T(desc)))
}

// arrows names the keys that go up and down.
func (e *Env) arrows() string {
	if e.Caps.UTF8 {
		return "↑ ↓"
	}
	return "up/down"
}

// both says a time relative to now and exactly.
func (e *Env) both(t, now time.Time) string {
	return e.T("page.time", "Relative", e.Dict.Relative(t, now), "Exact", e.Dict.DateTime(t))
}

// failure is what stands in the place of what could not be read.
func (e *Env) failure(err error, width int) string {
	return e.Theme.Bad.Render(e.Theme.Signs.No+" "+tui.Wrap(e.Sentence(err), width-2)) + "\n\n" +
		e.Theme.Muted.Render(tui.Wrap(e.T("page.again"), width))
}

// waitingKeys are the keys that work while something is read, or could not be.
func (e *Env) waitingKeys(err error) []key.Binding {
	if err == nil {
		return []key.Binding{e.bind("esc", "key.back")}
	}
	return []key.Binding{e.bind("r", "page.refresh"), e.bind("esc", "key.back")}
}

// withFoot sets foot into the last of h lines, under body.
func withFoot(body, foot string, h int) string {
	if foot == "" {
		return body
	}
	return body + strings.Repeat("\n", max(h-1-strings.Count(body, "\n"), 1)) + foot
}

// drawn keeps the last of the details that a table asks for at every view.
type drawn struct {
	id    string
	width int
	text  string
}

// once returns draw with its last answer kept, until forget.
func (d *drawn) once(draw func(tui.Row, int) string) func(tui.Row, int) string {
	return func(r tui.Row, width int) string {
		if d.text == "" || d.id != r.ID || d.width != width {
			*d = drawn{r.ID, width, draw(r, width)}
		}
		return d.text
	}
}

// forget is for when rows, words, colours or the size have changed.
func (d *drawn) forget() { *d = drawn{} }
