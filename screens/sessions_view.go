// How sessions look: as rows, and each in full.

package screens

import (
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/core/text"
	"postern/tui"
)

// View is the table, or why there is none.
func (s *sessionList) View() string {
	switch {
	case s.err != nil:
		return s.env.failure(s.err, s.w)
	case s.first == nil:
		return s.busy.View(s.env.Theme)
	}
	return withFoot(s.table.View(), s.busy.View(s.env.Theme), s.h)
}

func (s *sessionList) columns() []tui.Column {
	e := s.env
	return []tui.Column{
		{Title: e.T("sessions.where"), Min: 8, Max: 24},
		{Title: e.T("sessions.from"), Min: 8, Max: 39}, // the longest IPv6 address
		{Title: e.T("sessions.key"), Min: 5, Max: 12, Spare: true},
		{Title: e.T("sessions.seen"), Min: 8, Max: 16},
		{Title: e.T("sessions.ends"), Min: 6, Max: 16},
		{Title: e.T("sessions.since"), Min: 8, Max: 16, Spare: true},
		{Title: e.T("sessions.client"), Min: 8, Max: 24, Spare: true},
	}
}

// fill makes the rows anew, from what was read last.
func (s *sessionList) fill() {
	d := s.env.Dict
	rows := make([]tui.Row, len(s.list))
	for i, x := range s.list {
		where := s.door(x)
		if x.Mine {
			where = s.env.T("sessions.here", "Where", where)
		}
		rows[i] = tui.Row{
			ID: x.ID, Here: x.Mine,
			Cells: []string{
				where, orDash(text.Escape(x.Remote)), s.shortKey(x), d.Relative(x.LastSeen, s.now),
				d.Relative(x.Ends, s.now), d.Relative(x.Created, s.now), orDash(text.Escape(x.Client)),
			},
		}
		if !s.first[x.ID] {
			rows[i].Note = s.env.T("sessions.new")
		}
	}
	s.table.SetRows(rows)
	s.drawn.forget()
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// door says which way a session came in: "ssh"; "local, tty1".
func (s *sessionList) door(x core.Session) string {
	door := s.env.doorWord(x.Door)
	if tty := terminal(x); tty != "" && x.Door == core.DoorLocal {
		return s.env.T("sessions.door_client", "Door", door, "Client", tty)
	}
	return door
}

// terminal is the beginning of what a client says of itself: at a machine's own
// door that is the line it is on, before the kind of terminal.
func terminal(x core.Session) string {
	tty, _, _ := strings.Cut(x.Client, " ")
	return text.Escape(tty)
}

// doorWord names a door, seen from somewhere else.
func (e *Env) doorWord(d core.Door) string {
	if key := "sessions.door." + string(d); e.Dict.Has(key) {
		return e.T(key)
	}
	return text.Escape(string(d))
}

// name says which session is meant in a sentence: "ssh from 203.0.113.9".
func (s *sessionList) name(x core.Session) string {
	door := s.env.doorWord(x.Door)
	switch {
	case x.Remote != "":
		return s.env.T("sessions.name", "Door", door, "Address", text.Escape(x.Remote))
	case x.Client != "":
		return s.env.T("sessions.name_at", "Door", door, "Client", terminal(x))
	}
	return door
}

// fingerprint is how OpenSSH begins the fingerprints of keys.
const fingerprint = "SHA256:"

// shortKey is the beginning of a key's fingerprint, for a column.
func (s *sessionList) shortKey(x core.Session) string {
	switch {
	case x.Key != "":
		fp := []rune(text.Escape(strings.TrimPrefix(x.Key, fingerprint)))
		return string(fp[:min(len(fp), 8)])
	case x.Door == core.DoorSSH:
		return s.env.T("sessions.no_key")
	}
	return "-"
}

// story says in a sentence what a session is.
func (s *sessionList) story(x core.Session) string {
	how := ""
	if key := "sessions.by." + x.Method; s.env.Dict.Has(key) {
		how = s.env.T(key)
	}
	return s.env.T("sessions.story", "Session", s.name(x), "When", s.env.Dict.Relative(x.Created, s.now), "How", how)
}

// advice says what to do about a session.
func (s *sessionList) advice(x core.Session) string {
	if x.Mine {
		return s.env.T("sessions.is_mine")
	}
	return s.env.T("sessions.not_you")
}

// facts are everything that is known of a session, with exact times.
func (s *sessionList) facts(x core.Session) []tui.Fact {
	e := s.env
	where := s.door(x)
	if x.Mine {
		where = e.T("sessions.here", "Where", where)
	}
	keyName := text.Escape(x.Key)
	if x.Key == "" {
		keyName = s.shortKey(x)
	}
	out := []tui.Fact{
		{Name: e.T("sessions.where"), Value: where},
		{Name: e.T("sessions.from"), Value: orDash(text.Escape(x.Remote))},
		{Name: e.T("sessions.client"), Value: orDash(text.Escape(x.Client))},
		{Name: e.T("sessions.key"), Value: keyName},
		{Name: e.T("sessions.since"), Value: e.both(x.Created, s.now)},
		{Name: e.T("sessions.seen"), Value: e.both(x.LastSeen, s.now)},
		{Name: e.T("sessions.ends"), Value: e.both(x.Ends, s.now)},
	}
	for _, r := range s.rules {
		if r.From != "" && strings.HasPrefix(r.Path, "session.") {
			out = append(out, tui.Fact{Name: e.ruleTitle(r.Path), Value: e.T("access.value_from",
				"Value", e.settingValue(settingByPath(r.Path), r.Value), "App", text.Escape(r.From))})
		}
	}
	return out
}

// detail says more about the marked row: all of it where there is room beside
// the table, the story under it otherwise.
func (s *sessionList) detail(r tui.Row, width int) string {
	x, ok := s.find(r.ID)
	if !ok {
		return ""
	}
	th := s.env.Theme
	if s.w < tui.DetailWidth {
		return tui.Wrap(s.story(x), width) + "\n" + th.Muted.Render(tui.Wrap(s.advice(x), width))
	}
	return tui.Wrap(s.story(x), width) + "\n\n" + th.Facts(s.facts(x), width) + "\n\n" +
		th.Muted.Render(tui.Wrap(s.advice(x), width))
}

// page is one session in full. It follows the list: when the session ends
// meanwhile, it says so.
func (s *sessionList) page(id string) tui.Screen {
	e := s.env
	return &page{
		env:   e,
		title: func() string { return e.T("sessions.one") },
		body: func(width int) string {
			x, ok := s.find(id)
			if !ok {
				return tui.Wrap(e.T("sessions.was_over"), width)
			}
			return tui.Wrap(s.story(x), width) + "\n\n" + e.Theme.Facts(s.facts(x), width) + "\n\n" +
				e.Theme.Muted.Render(tui.Wrap(s.advice(x), width))
		},
		keys: func() []key.Binding {
			if _, ok := s.find(id); !ok {
				return nil
			}
			return []key.Binding{e.bind("x", "sessions.key_end")}
		},
		do: func(k string) tea.Cmd {
			if _, ok := s.find(id); !ok || k != "x" {
				return nil
			}
			return tui.PopWith(wantEnd{id})
		},
	}
}
