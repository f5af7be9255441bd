// How linking a key looks: what it means, and the form.

package screens

import (
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// where says which file the key is in.
func (s *addKey) where(width int) string {
	return s.env.Theme.Muted.Render(tui.Wrap(s.env.T("addkey.where"), width))
}

// meaning says what linking means, and what is wise to do with it.
func (s *addKey) meaning(width int) string {
	e := s.env
	var parts []string
	if s.here {
		parts = append(parts, tui.Wrap(e.T("home.link_text", "Key", escaped(e.Actor().Key)), width))
	} else {
		parts = append(parts, tui.Wrap(e.T("addkey.text"), width))
	}
	switch s.have.Keyed {
	case core.KeyStandsForFactor:
		parts = append(parts, e.warning(e.T("addkey.guards"), width))
	case core.KeyStandsForPassword:
		parts = append(parts, e.warning(e.T("addkey.opens"), width))
	case core.KeyStandsForNothing:
	}
	if s.have.Keyed == core.KeyStandsForFactor && s.have.Recovery.Left == 0 {
		parts = append(parts, tui.Wrap(e.T("addkey.codes"), width))
	}
	return strings.Join(parts, "\n\n") + "\n"
}

// SetSize gives the form its room.
func (s *addKey) SetSize(w, h int) {
	s.w = w
	s.form.SetSize(w, h)
}

// View is the form, once it is known what a key stands for.
func (s *addKey) View() string {
	busy := s.busy.View(s.env.Theme)
	switch {
	case s.err != nil:
		return s.env.failure(s.err, s.w)
	case !s.read:
		return busy
	case busy != "":
		return s.form.View() + "\n" + busy
	}
	return s.form.View()
}

// Title names the page.
func (s *addKey) Title() string {
	if s.here {
		return s.env.T("home.link")
	}
	return s.env.T("addkey.title")
}

// Help returns the keys that work now.
func (s *addKey) Help() []key.Binding {
	if !s.read {
		return s.env.waitingKeys(s.err)
	}
	return s.form.Help()
}

// Typing says whether keys are text now.
func (s *addKey) Typing() bool { return s.read && s.form.Typing() }

// Asking returns the form, once there is something to ask.
func (s *addKey) Asking() *tui.Form {
	if !s.read {
		return nil
	}
	return s.form
}

// Cursor stands in the focused field.
func (s *addKey) Cursor() *tea.Cursor {
	if !s.read {
		return nil
	}
	return s.form.Cursor()
}
