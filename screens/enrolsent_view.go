// How the enrolment of a phone or an address looks: two forms, one after the other.

package screens

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// SetSize gives the forms their room.
func (s *enrolSent) SetSize(w, h int) {
	s.w = w
	s.ask.SetSize(w, h)
	s.enter.SetSize(w, h)
}

// View is the form, or why there is none.
func (s *enrolSent) View() string {
	busy := s.busy.View(s.env.Theme)
	switch f := s.form(); {
	case s.err != nil:
		return s.env.failure(s.err, s.w)
	case f == nil:
		return busy
	case busy != "":
		return f.View() + "\n" + busy
	default:
		return f.View()
	}
}

// Title names the page.
func (s *enrolSent) Title() string {
	switch s.kind {
	case core.FactorSMS:
		return s.env.T("enrol.sms_title")
	case core.FactorEmail:
		return s.env.T("enrol.email_title")
	}
	return s.env.T("enrol.address_title")
}

// Help returns the keys that work now.
func (s *enrolSent) Help() []key.Binding {
	if f := s.form(); f != nil {
		return f.Help()
	}
	return s.env.waitingKeys(s.err)
}

// Typing says whether keys are text now.
func (s *enrolSent) Typing() bool { f := s.form(); return f != nil && f.Typing() }

// Asking returns the form that is asked now.
func (s *enrolSent) Asking() *tui.Form { return s.form() }

// Cursor stands in the focused field.
func (s *enrolSent) Cursor() *tea.Cursor {
	if f := s.form(); f != nil {
		return f.Cursor()
	}
	return nil
}
