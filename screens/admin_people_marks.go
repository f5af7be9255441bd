// Marks on the list of people, and what is done to those who are marked.

package screens

import (
	"maps"
	"slices"

	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// mark marks the row, or takes its mark away, and goes on to the next.
func (s *people) mark() tea.Cmd {
	r, ok := s.table.Selected()
	if !ok {
		return nil
	}
	if _, was := s.marked[r.ID]; was {
		delete(s.marked, r.ID)
	} else if a, ok := s.find(r.ID); ok && len(s.marked) < core.MaxBulk {
		s.marked[r.ID] = a.UserName
	}
	s.fill()
	s.table.Handle(tea.KeyPressMsg{Code: tea.KeyDown})
	return tea.Batch(s.readOn(), s.look())
}

// markAll marks everybody who is held but oneself, or nobody when all of them are:
// whoever means themselves says so.
func (s *people) markAll() {
	mine := func(a core.Account) bool { return a.ID == s.env.Me().Account }
	list := slices.DeleteFunc(s.window.list(), mine)
	all := !slices.ContainsFunc(list, func(a core.Account) bool { return s.marked[a.ID] == "" })
	for _, a := range list {
		if all {
			delete(s.marked, a.ID)
		} else if len(s.marked) < core.MaxBulk {
			s.marked[a.ID] = a.UserName
		}
	}
	s.fill()
}

// act opens what can be done to those who are marked, or to the one whose row it
// is: a menu for "", else the act itself.
func (s *people) act(kind core.BulkKind) tea.Cmd {
	who := maps.Clone(s.marked)
	if r, ok := s.table.Selected(); ok && len(who) == 0 {
		if a, ok := s.find(r.ID); ok {
			who = map[string]string{a.ID: a.UserName}
		}
	}
	if len(who) == 0 {
		return tui.Toast(tui.Info, s.env.T("people.nobody"))
	}
	if kind == "" {
		return tui.Push(newPeopleActs(s.env, who))
	}
	return tui.Push(newPeopleAsk(s.env, kind, who))
}
