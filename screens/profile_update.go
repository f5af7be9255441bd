// What the profile does with answers and keys.

package screens

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// Update takes the core's answers, and hands the rest to the form.
func (s *profile) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	if z, fresh, mine, next := s.zones.Answer(msg); mine {
		if fresh {
			s.local = z
		}
		return s, next
	}
	switch m := msg.(type) {
	case answer[profileRead]:
		s.busy.Stop()
		if s.err = m.Err; m.Err != nil {
			return s, nil
		}
		s.env.Reloaded(m.Value.site)
		return s, s.begin(m.Value)
	case answer[profileSaved]:
		return s, s.saved(m)
	case tui.BackMsg:
		if isProved(m) { // what was wanted before the step-up
			return s, tea.Batch(s.busy.Start(s.env.Session, s.env.T("profile.busy")), s.save())
		}
		return s, nil
	}
	if s.busy.On() && s.ready {
		switch msg.(type) {
		case tea.KeyPressMsg, tea.PasteMsg:
			return s, nil
		}
		return s, tea.Batch(s.busy.Handle(msg), s.form.Handle(msg))
	}
	if s.ready {
		return s, s.form.Handle(msg)
	}
	if k, ok := msg.(tea.KeyPressMsg); ok {
		switch k.String() {
		case "esc":
			return s, tui.Pop()
		case "r":
			if s.err != nil {
				s.err = nil
				return s, s.Init()
			}
		}
	}
	return s, s.busy.Handle(msg)
}

// saved takes what came of a save. Whatever was saved before a refusal is kept
// from now on, so that esc does not pretend otherwise.
func (s *profile) saved(m answer[profileSaved]) tea.Cmd {
	e := s.env
	s.busy.Stop()
	s.kept = m.Value.profile
	switch core.CodeOf(m.Err) {
	case "":
	case core.CodeStepUp:
		s.form.Release() // a spinner that nobody sees would still turn
		return tui.Push(newStepUp(e, "stepup.why_email"))
	default:
		r := refusalOf(e, m.Err)
		switch {
		case r.Field == "time_zone":
			r.Text = e.T("profile.zone_refused")
		case core.CodeOf(m.Err) == core.CodeCharacter: // the general sentence is about user names
			r.Text = e.T("profile.character")
		}
		s.form.Refuse(r)
		return nil
	}
	prefs := m.Value.prefs
	e.me.DisplayName = s.kept.DisplayName
	e.me.Language, e.me.Theme, e.me.Zone = prefs.Language, prefs.Theme, prefs.TimeZone
	return tea.Sequence(e.Apply(core.Preferences{
		Language: s.tongue(prefs.Language), Theme: orAuto(prefs.Theme), TimeZone: orUTC(prefs.TimeZone),
	}), tui.Pop(), s.said())
}

// said says that it is saved, in the language that was chosen.
func (s *profile) said() tea.Cmd {
	words := s.env.Catalog().Dict(s.tongue(s.kept.Language)).T("profile.saved")
	return tui.Toast(tui.Good, words)
}

// orUTC is the zone that "" stands for.
func orUTC(zone string) string {
	if zone == "" {
		return "UTC"
	}
	return zone
}

// SetSize gives the form its room.
func (s *profile) SetSize(w, h int) {
	s.w = w
	s.form.SetSize(w, h)
}

// View is the form, once the profile is known.
func (s *profile) View() string {
	switch {
	case s.err != nil:
		return s.env.failure(s.err, s.w)
	case !s.ready:
		return s.busy.View(s.env.Theme)
	}
	if busy := s.busy.View(s.env.Theme); busy != "" {
		return s.form.View() + "\n" + busy
	}
	return s.form.View()
}

// Title names the page.
func (s *profile) Title() string { return s.env.T("profile.title") }

// Help returns the keys that work now.
func (s *profile) Help() []key.Binding {
	if s.ready {
		return s.form.Help()
	}
	return s.env.waitingKeys(s.err)
}

// Typing says whether keys are text now.
func (s *profile) Typing() bool { return s.ready && s.form.Typing() }

// Asking returns the form, once the profile is known.
func (s *profile) Asking() *tui.Form {
	if !s.ready {
		return nil
	}
	return s.form
}

// Cursor stands in the focused field.
func (s *profile) Cursor() *tea.Cursor {
	if !s.ready {
		return nil
	}
	return s.form.Cursor()
}
