// Removing a factor or a key: a dialog that names what is lost, a step-up where
// one is due, and once more when it is the key that one came with.

package screens

import (
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// removedFactor is what came of removing the factor or key of a row. sure says
// that it may be the key of this connection.
type removedFactor struct {
	row  string
	sure bool
	err  error
}

// askRemove opens the dialog. sure is for the key of this connection, about which
// was asked already.
func (s *factorList) askRemove(row string, sure bool) tea.Cmd {
	e := s.env
	f, isFactor := s.factor(row)
	k, isKey := s.linked(row)
	if !isFactor && !isKey {
		return s.read()
	}
	name, text := s.keyName(k), "factors.lose_key"
	switch {
	case isFactor:
		name, text = escaped(f.Label), "factors.lose"
	case sure:
		text = "factors.lose_present"
	case !k.Ended.IsZero():
		text = "factors.lose_ended"
	case s.have.Keyed == core.KeyStandsForFactor:
		text = "factors.lose_guard"
	case s.have.Keyed == core.KeyStandsForPassword:
		text = "factors.lose_entry"
	}
	last := s.last(row)
	return tui.Push(tui.NewConfirm(e.Session, func() tui.ConfirmSpec {
		words := e.T(text, "Name", name, "Kind", s.kindOf(row))
		if last {
			words += " " + e.T("factors.lose_last")
		}
		return tui.ConfirmSpec{
			Title: e.T("factors.remove_title"), Text: words, Yes: e.T("factors.remove_yes"),
			Do: func() tea.Cmd { return s.removeInDialog(row, sure) },
		}
	}))
}

// last says whether nothing that guards the account would be left without a row.
func (s *factorList) last(row string) bool {
	left := 0
	guards := s.guards(row)
	for _, f := range s.have.Factors {
		if s.guards(rowFactor + f.ID) {
			left++
		}
	}
	for _, k := range s.have.Keys {
		if s.guards(rowKey + k.Fingerprint) {
			left++
		}
	}
	return guards && left == 1
}

// remove returns the command that removes the factor or key of a row.
func (s *factorList) remove(row string, sure bool) tea.Cmd {
	ctx, factors, keys, actor := s.env.Ctx, s.env.Portal.Factors, s.env.Portal.Keys, s.env.Actor()
	f, isFactor := s.factor(row)
	k, _ := s.linked(row)
	return func() tea.Msg {
		if isFactor {
			return removedFactor{row, sure, factors.Remove(ctx, actor, f.ID)}
		}
		return removedFactor{row, sure, keys.Remove(ctx, actor, k.Fingerprint, sure)}
	}
}

// removeInDialog is remove for the dialog, which closes for all that goes on
// somewhere else and stays for what it can only say.
func (s *factorList) removeInDialog(row string, sure bool) tea.Cmd {
	remove, words := s.remove(row, sure), s.env.Dict
	return func() tea.Msg {
		done, _ := remove().(removedFactor)
		switch core.CodeOf(done.err) {
		case "", core.CodeNotFound, core.CodeStepUp, core.CodeKeyPresent:
			return tui.Confirmed{Result: done}
		}
		return tui.Confirmed{Refused: sentence(words, done.err)}
	}
}

// removed takes what came of removing.
func (s *factorList) removed(m removedFactor) tea.Cmd {
	s.busy.Stop()
	switch core.CodeOf(m.err) {
	case "":
		return tea.Batch(s.read(), tui.Toast(tui.Good, s.env.T("factors.removed")))
	case core.CodeNotFound:
		return tea.Batch(s.read(), tui.Toast(tui.Info, s.env.T("factors.was_gone")))
	case core.CodeStepUp:
		s.wanted = m
		return tui.Push(newStepUp(s.env, "stepup.why_factor"))
	case core.CodeKeyPresent:
		return s.askRemove(m.row, true)
	}
	s.say(s.env.Sentence(m.err))
	return s.read()
}
