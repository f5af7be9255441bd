// Writing the text of an agreement. Nothing is published here: what is written goes
// back to the form that asked for it, and is seen there as people will see it.

package screens

import (
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/core/text"
	"postern/tui"
)

// writingFoot is how many lines stand under the text: a blank one, how much there
// is, and what is wrong with it.
const writingFoot = 4

// writing is the screen.
type writing struct {
	*editing
	name  string
	wrong string // what is wrong with the text, or ""
}

// writtenText is what the screen leaves behind.
type writtenText struct{ text string }

var (
	_ tui.Screen   = (*writing)(nil)
	_ tui.Titled   = (*writing)(nil)
	_ tui.Helper   = (*writing)(nil)
	_ tui.Typer    = (*writing)(nil)
	_ tui.Cursored = (*writing)(nil)
)

// newWriting returns the screen for the text of an agreement of a name.
func newWriting(env *Env, name, written string) tui.Screen {
	s := &writing{editing: newEditing(env, written, core.MaxAgreementText), name: name}
	s.wrong = env.agreementProblem(s.text())
	return s
}

// agreementProblem says why a text cannot be that of an agreement, and in which
// line; "" when it can.
func (e *Env) agreementProblem(written string) string {
	line, err := core.CheckAgreementText(written)
	switch code := core.CodeOf(err); {
	case err == nil:
		return ""
	case line == 0:
		return e.T("publish.too_long", "N", core.MaxAgreementText/1024)
	case code == core.CodeTooLong:
		return e.T("publish.line_too_long", "Line", line, "N", core.MaxAgreementLine)
	}
	return e.T("publish.characters", "Line", line)
}

// Init does nothing: the text is there.
func (s *writing) Init() tea.Cmd { return nil }

// Update takes keys and pastes.
func (s *writing) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch m := msg.(type) {
	case tui.RestyleMsg:
		s.style()
		s.wrong = s.env.agreementProblem(s.text())
		return s, nil
	case tui.BackMsg:
		if isDiscarded(m) {
			return s, tui.Pop()
		}
		return s, nil
	case tea.KeyPressMsg:
		switch m.String() {
		case "esc":
			return s, s.leave()
		case "ctrl+s":
			return s, s.keep()
		}
	}
	cmd, changed := s.input(msg)
	if changed {
		s.wrong = s.env.agreementProblem(s.text())
	}
	return s, cmd
}

// keep hands the text over. One that could not be published stays here, where it
// can be mended.
func (s *writing) keep() tea.Cmd {
	if s.wrong != "" {
		return tui.Toast(tui.Bad, s.wrong)
	}
	written := s.text()
	if strings.TrimSpace(written) == "" {
		written = ""
	}
	return tui.PopWith(writtenText{written})
}

// SetSize takes the room of the screen: no line is wider than people read it.
func (s *writing) SetSize(w, h int) { s.size(min(w, tui.BodyWidth), h-writingFoot) }

// View is the text, how much of it there is, and what is wrong with it.
func (s *writing) View() string {
	t := s.env.Theme
	out := s.area.View() + "\n\n" + t.Muted.Render(s.counted())
	if s.wrong != "" {
		out += "\n" + s.foot(t.Bad.Render(t.Signs.No), s.wrong, writingFoot-2)
	}
	return out
}

// Title names the agreement, or what is written where it has no name yet.
func (s *writing) Title() string {
	if s.name == "" {
		return s.env.T("publish.write_title")
	}
	return text.Escape(s.name)
}

// Help returns the keys that work now.
func (s *writing) Help() []key.Binding {
	return []key.Binding{s.env.bind("ctrl+s", "publish.key_keep"), s.env.bind("esc", "key.back")}
}
