// The roles of whoever is here: what they allow to be shown, and what happens to
// open screens when one ends. No screen of administration needs to know of it:
// the menu that opens one notes what it is open by, and home, which lies at the
// bottom of the stack, takes them all away when that is no longer allowed.

package screens

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// rolesRead says that the person's roles may have changed, in the check-up that
// was read then. It is posted to every screen on the stack; home takes it.
type rolesRead struct {
	check core.CheckUp
	err   error
}

// deskAny is what the menu of administration is open by: any role at all.
const deskAny core.Operation = "any"

// may says whether the roles that the person holds, as last read, allow op. It
// decides what is shown; the core decides anew about every act.
func (e *Env) may(op core.Operation) bool {
	return slices.ContainsFunc(e.roles, func(r core.Role) bool { return op == deskAny || core.RoleMay(r, op) })
}

// rolesRead takes the roles that are held now. When they could not be read, there
// are none until they can.
func (s *home) rolesRead(m rolesRead) tea.Cmd {
	if m.err != nil {
		s.err = m.err
		s.check.Roles = nil
	} else {
		s.check = m.check
	}
	if cmd := s.holds(s.check.Roles); cmd != nil {
		return tea.Batch(cmd, s.read())
	}
	return s.read()
}

// holds makes roles those of the person. It returns the command that says what
// has changed, and closes what they no longer allow; nil when nothing has.
func (s *home) holds(roles []core.Role) tea.Cmd {
	e, had := s.env, s.env.roles
	e.roles = roles
	beside := func(of, those []core.Role) (rest []core.Role) {
		for _, r := range of {
			if !slices.Contains(those, r) {
				rest = append(rest, r)
			}
		}
		return rest
	}
	ended, given := beside(had, roles), beside(roles, had)
	var said tea.Cmd
	switch {
	case len(ended) > 0:
		said = tui.Toast(tui.Warn, e.T("admin.ended", "Roles", e.roleWords(ended)))
	case len(given) > 0:
		said = tui.Toast(tui.Info, e.T("admin.given", "Roles", e.roleWords(given)))
	}
	if e.desk == "" || e.may(e.desk) {
		return said
	}
	s.ear.shut()
	return tea.Batch(tui.Reset(NewHome(e, s.check)), said)
}

// roleWords says roles as a list in words.
func (e *Env) roleWords(roles []core.Role) string {
	words := make([]string, len(roles))
	for i, r := range roles {
		words[i] = e.T("role." + string(r))
	}
	return e.Dict.List(words)
}
