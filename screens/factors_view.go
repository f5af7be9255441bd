// How second factors look: what the policy wants above, and below it the rows.

package screens

import (
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// SetSize gives the table what is left under the head.
func (s *factorList) SetSize(w, h int) {
	s.w, s.h = w, h
	s.fit()
}

// fit makes the head anew and gives it room.
func (s *factorList) fit() {
	s.head = s.headline()
	s.drawn.forget()
	s.table.SetSize(s.w, max(s.h-1-len(s.head), 1))
}

// headline is what one should know before the list: what was just refused, what
// the policy wants, what is missing.
func (s *factorList) headline() []string {
	e, th := s.env, s.env.Theme
	w := min(s.w, tui.BodyWidth)
	var out []string
	if s.problem != "" {
		out = append(out, th.Bad.Render(th.Signs.No)+" "+hangBy(2, tui.Wrap(s.problem, w-2)))
	}
	have := s.have
	switch {
	case !have.Must || have.Enough:
	case have.By.After(s.now):
		out = append(out, e.warning(e.T("factors.demand_by", "Date", e.Dict.Date(have.By), "When", e.Dict.Relative(have.By, s.now)), w))
	default:
		out = append(out, e.warning(e.T("factors.demand_now"), w))
	}
	switch left := have.Recovery.Left; {
	case !have.Enough || left > core.RecoveryLow:
	case left == 0:
		out = append(out, e.warning(e.T("factors.no_codes"), w))
	default:
		out = append(out, e.warning(e.T("factors.few_codes", "Count", left), w))
	}
	if out == nil {
		return nil
	}
	return strings.Split(strings.Join(out, "\n")+"\n", "\n")
}

// View is the list under its head, or why there is none.
func (s *factorList) View() string {
	switch {
	case s.err != nil:
		return s.env.failure(s.err, s.w)
	case s.now.IsZero():
		return s.busy.View(s.env.Theme)
	}
	body := strings.Join(append(slices.Clone(s.head), s.table.View()), "\n")
	return withFoot(body, s.busy.View(s.env.Theme), s.h)
}

// Cursor stands in the filter, under the head.
func (s *factorList) Cursor() *tea.Cursor {
	cur := s.listing.Cursor()
	if cur == nil {
		return nil
	}
	return tea.NewCursor(cur.X, cur.Y+len(s.head))
}

func (s *factorList) columns() []tui.Column {
	e := s.env
	return []tui.Column{
		{Title: e.T("factors.name"), Min: 8, Max: core.MaxFactorLabel},
		{Title: e.T("factors.what"), Min: 6, Max: 20},
		{Title: e.T("factors.which"), Min: 8, Max: 28, Spare: true},
		{Title: e.T("factors.used"), Min: 8, Max: 16},
		{Title: e.T("factors.added"), Min: 8, Max: 16, Spare: true},
	}
}

// empty says what would be here, and how to begin.
func (s *factorList) empty() string {
	if len(s.have.Methods) == 0 && !s.have.KeysOn {
		return s.env.T("factors.empty_off")
	}
	return s.env.T("factors.empty")
}

// fill makes the rows anew, from what was read last.
func (s *factorList) fill() {
	e := s.env
	var rows []tui.Row
	for _, f := range s.have.Factors {
		row := rowFactor + f.ID
		rows = append(rows, tui.Row{ID: row, Note: s.note(row), Cells: []string{
			escaped(f.Label), s.kindOf(row), orDash(escaped(f.Address)), s.when(f.LastUsed), e.Dict.Relative(f.Created, s.now),
		}})
	}
	for _, k := range s.have.Keys {
		row := rowKey + k.Fingerprint
		rows = append(rows, tui.Row{ID: row, Here: k.Fingerprint == s.have.Here, Note: s.note(row), Cells: []string{
			s.keyName(k), s.kindOf(row), keyType(k) + " " + shortPrint(k.Fingerprint), s.when(k.LastUsed), e.Dict.Relative(k.Created, s.now),
		}})
	}
	if made := s.have.Recovery.Made; rows != nil || !made.IsZero() {
		added := "-"
		if !made.IsZero() {
			added = e.Dict.Relative(made, s.now)
		}
		rows = append(rows, tui.Row{ID: rowRecovery, Note: s.note(rowRecovery), Cells: []string{
			e.T("factors.codes"), s.codesLeft(), "-", "-", added,
		}})
	}
	s.table.SetRows(rows)
	s.fit()
}

// when says when something was used last.
func (s *factorList) when(at time.Time) string {
	if at.IsZero() {
		return s.env.T("factors.never")
	}
	return s.env.Dict.Relative(at, s.now)
}

// note is the word after a row.
func (s *factorList) note(row string) string {
	f, isFactor := s.factor(row)
	k, _ := s.linked(row)
	switch {
	case row == rowRecovery:
		if left := s.have.Recovery.Left; left > 0 && left <= core.RecoveryLow {
			return s.env.T("factors.note_few")
		}
	case isFactor && !f.Disabled.IsZero():
		return s.env.T("factors.note_off")
	case isFactor && !s.guards(row), !isFactor && !s.have.KeysOn && k.Ended.IsZero():
		return s.env.T("factors.note_unused")
	case !k.Ended.IsZero():
		return s.env.T("factors.note_ended")
	case k.EndsSoon(s.now):
		return s.env.T("factors.note_ends", "When", s.env.Dict.Relative(k.Until, s.now))
	case f.Default && len(s.have.Factors) > 1:
		return s.env.T("factors.note_default")
	}
	return ""
}

// guards says whether what stands in a row counts as a second factor now.
func (s *factorList) guards(row string) bool {
	if f, ok := s.factor(row); ok {
		return f.Disabled.IsZero() && slices.Contains(s.have.Methods, f.Kind)
	}
	k, ok := s.linked(row)
	return ok && k.Ended.IsZero() && s.have.Keyed == core.KeyStandsForFactor
}

// kindOf says in a word or two what stands in a row.
func (s *factorList) kindOf(row string) string {
	if f, ok := s.factor(row); ok {
		return s.env.T("factor." + string(f.Kind))
	}
	if k, ok := s.linked(row); ok && k.Hardware() {
		return s.env.T("factors.hardware")
	}
	return s.env.T("factor." + string(core.FactorKey))
}

func (s *factorList) codesLeft() string {
	if s.have.Recovery.Left == 0 {
		return s.env.T("factors.none")
	}
	return s.env.T("factors.left", "Count", s.have.Recovery.Left, "All", core.RecoveryCodes)
}

// keyName is what a key is called: its label, or else the beginning of its
// fingerprint.
func (s *factorList) keyName(k core.LinkedKey) string {
	if k.Label != "" {
		return escaped(k.Label)
	}
	return shortPrint(k.Fingerprint)
}

// keyType is a key's algorithm as people call it: "ed25519", "sk-ed25519".
func keyType(k core.LinkedKey) string {
	name := strings.TrimSuffix(k.Type(), "@openssh.com")
	if rest, ok := strings.CutPrefix(name, "sk-ssh-"); ok {
		name = "sk-" + rest
	}
	return escaped(strings.TrimPrefix(name, "ssh-"))
}

// shortPrint is the beginning of a fingerprint.
func shortPrint(fp string) string {
	short := []rune(escaped(strings.TrimPrefix(fp, fingerprint)))
	return string(short[:min(len(short), 8)])
}
