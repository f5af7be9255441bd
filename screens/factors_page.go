// A factor, a key or the recovery codes in full: what they are worth, and
// everything that is known of them.

package screens

import (
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// story says in a few sentences what a row is, and what it is worth.
func (s *factorList) story(row string) string {
	e := s.env
	parts := []string{}
	say := func(words string) { parts = append(parts, words) }
	f, isFactor := s.factor(row)
	k, isKey := s.linked(row)
	switch {
	case row == rowRecovery:
		say(e.T("factors.about_codes"))
	case isFactor && !f.Disabled.IsZero():
		say(e.Sentence(&core.Error{Code: core.CodeFactorOff}))
	case isFactor && !s.guards(row):
		say(e.T("factors.about_unused"))
	case isFactor:
		say(e.T("factors.about." + string(f.Kind)))
		if f.Default && len(s.have.Factors) > 1 {
			say(e.T("factors.about_default"))
		}
	case isKey && !k.Ended.IsZero():
		say(e.T("factors.about_ended"))
	case isKey && !s.have.KeysOn:
		say(e.T("factors.about_unused"))
	case isKey:
		say(e.T("factors.stands." + string(s.have.Keyed)))
		if strings.TrimPrefix(row, rowKey) == s.have.Here {
			say(e.T("factors.about_here"))
		}
	default:
		say(e.T("factors.was_gone"))
	}
	return strings.Join(parts, " ")
}

// facts are everything that is known of a row, with exact times.
func (s *factorList) facts(row string) []tui.Fact {
	e := s.env
	both := func(at time.Time) string {
		if at.IsZero() {
			return e.T("factors.never")
		}
		return e.both(at, s.now)
	}
	if row == rowRecovery {
		out := []tui.Fact{{Name: e.T("factors.codes"), Value: s.codesLeft()}}
		if made := s.have.Recovery.Made; !made.IsZero() {
			out = append(out, tui.Fact{Name: e.T("factors.made"), Value: e.both(made, s.now)})
		}
		return out
	}
	var out []tui.Fact
	add := func(name, value string) { out = append(out, tui.Fact{Name: e.T(name), Value: value}) }
	add("factors.what", s.kindOf(row))
	if f, ok := s.factor(row); ok {
		add("factors.name", escaped(f.Label))
		if f.Address != "" {
			add("factors.address", escaped(f.Address))
		}
		add("factors.added", both(f.Created))
		add("factors.used", both(f.LastUsed))
		if !f.Disabled.IsZero() {
			add("factors.off_since", both(f.Disabled))
		}
	}
	if k, ok := s.linked(row); ok {
		add("factors.name", orDash(escaped(k.Label)))
		add("factors.type", escaped(k.Type()))
		add("factors.fingerprint", escaped(k.Fingerprint))
		add("factors.added", both(k.Created))
		add("factors.used", both(k.LastUsed))
		if !k.Until.IsZero() {
			add("factors.until", both(k.Until))
		}
	}
	return out
}

// detail says more about the marked row: all of it where there is room beside
// the table, the story under it otherwise.
func (s *factorList) detail(r tui.Row, width int) string {
	story := tui.Wrap(s.story(r.ID), width)
	if s.w < tui.DetailWidth {
		return s.env.Theme.Muted.Render(story)
	}
	return story + "\n\n" + s.env.Theme.Facts(s.facts(r.ID), width)
}

// there says whether a row still is.
func (s *factorList) there(row string) bool {
	_, isFactor := s.factor(row)
	_, isKey := s.linked(row)
	return isFactor || isKey || row == rowRecovery
}

// page is one row in full. What can be done with it is left to the list.
func (s *factorList) page(row string) tui.Screen {
	e := s.env
	return &page{
		env:   e,
		title: func() string { return e.T("factors.one") },
		body: func(width int) string {
			if !s.there(row) {
				return tui.Wrap(e.T("factors.was_gone"), width)
			}
			return e.Theme.Facts(s.facts(row), width) + "\n\n" + tui.Wrap(s.story(row), width)
		},
		keys: func() []key.Binding {
			if !s.there(row) {
				return nil
			}
			return s.actions(row)
		},
		do: func(k string) tea.Cmd {
			if !s.there(row) || !s.offers(row, k) {
				return nil
			}
			return tui.PopWith(wantFactor{row, k})
		},
	}
}
