// The agreements that sign-up asks for: one switch each, and their texts to read.

package screens

import (
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/core/text"
	"postern/tui"
)

// readTexts returns the command that reads what is to be agreed to in full, or nil
// where there is nothing.
func (s *signUp) readTexts() tea.Cmd {
	if len(s.env.Site().Agreements) == 0 {
		return nil
	}
	return call(s.env.Ctx, s.env.Portal.Agreements.Current)
}

// agreements returns the switches. All are off until somebody turns them on.
func (s *signUp) agreements(asked []core.Agreement) []tui.Field {
	e := s.env
	var out []tui.Field
	for _, a := range asked {
		if s.agreed[a.Ref()] == nil {
			s.agreed[a.Ref()] = new(bool)
		}
		f := tui.Toggle{
			Key: core.AgreementField(a.ID), Label: text.Escape(a.Name), Value: s.agreed[a.Ref()], Yes: e.T("agreement.agree"),
			Below: func(width int) string { return s.about(a, width) },
		}
		if a.Mandatory {
			f.Check = func(v bool) string {
				if !v {
					return e.T("agreement.must")
				}
				return ""
			}
		}
		out = append(out, f)
	}
	return out
}

// about says where an agreement can be read; in lines, where no page can be opened
// beside a form, the text itself.
func (s *signUp) about(a core.Agreement, width int) string {
	e := s.env
	said := e.T("agreement.version", "Version", a.Version)
	if a.Link != "" {
		said += " · " + text.Escape(a.Link)
	}
	if !a.Mandatory {
		said += " · " + e.T("agreement.may")
	}
	lines := []string{e.Theme.Muted.Render(tui.Wrap(said, width))}
	if full, ok := s.full(a.Ref()); ok && full.Text != "" && e.Caps.Lines {
		lines = append(lines, running(full.Text, width))
	}
	return strings.Join(lines, "\n")
}

// full finds an agreement with its text.
func (s *signUp) full(ref string) (core.Agreement, bool) {
	for _, a := range s.texts {
		if a.Ref() == ref {
			return a, true
		}
	}
	return core.Agreement{}, false
}

// marked is the agreement of the switch that has focus.
func (s *signUp) marked() (core.Agreement, bool) {
	for _, a := range s.env.Site().Agreements {
		if s.Focused() == core.AgreementField(a.ID) {
			full, ok := s.full(a.Ref())
			return full, ok
		}
	}
	return core.Agreement{}, false
}

// agreedTo are the versions that were agreed to.
func (s *signUp) agreedTo(asked []core.Agreement) []string {
	var refs []string
	for _, a := range asked {
		if v := s.agreed[a.Ref()]; v != nil && *v {
			refs = append(refs, a.Ref())
		}
	}
	return refs
}

// agreementKeys is the key that shows a text, on the page with the switches.
func (s *signUp) agreementKeys(asked []core.Agreement) []key.Binding {
	if len(asked) == 0 || s.env.Caps.Lines {
		return nil
	}
	read := s.env.bind("ctrl+t", "agreement.key_read")
	return []key.Binding{read}
}
