// How the outbox looks: the allowances as gauges, the messages as rows, and each
// of them in full but for its text.

package screens

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"postern/core"
	"postern/core/text"
	"postern/tui"
)

// View is the allowances, the table and, under it, how much of the outbox it holds.
func (s *outbox) View() string {
	p := &s.messages
	if said, unread := p.unread(s.env, &s.busy, s.w); unread {
		return said
	}
	n, said := len(p.list), ""
	switch {
	case n > 0 && p.next != "":
		said = s.env.T("outbox.more", "Count", n)
	case n > 0:
		said = s.env.T("outbox.all", "Count", n)
	}
	return withFoot(s.view(), p.foot(s.env, &s.busy, said, s.w), s.h)
}

// empty says what would be here.
func (s *outbox) empty() string {
	if s.state != "" {
		return s.env.T("outbox.empty_state")
	}
	return s.env.T("outbox.empty")
}

// above is what stands above the table: the allowances, for which services there
// is nobody to hand messages to, the test, and which states are shown.
func (s *outbox) above() string {
	e, th := s.env, s.env.Theme
	wide := 0
	for _, u := range s.uses {
		wide = max(wide, ansi.StringWidth(e.serviceWord(u.Service)))
	}
	var lines, without []string
	for _, u := range s.uses {
		lines = append(lines, s.gauge(u, wide))
		if !u.Provider && u.Allowance > 0 {
			without = append(without, e.serviceWord(u.Service))
		}
	}
	if len(without) > 0 {
		lines = append(lines, th.Muted.Render(tui.Wrap(e.T("outbox.no_provider", "Services", e.Dict.List(without)), s.w)))
	}
	if s.test.ID != "" {
		said := e.T("outbox.test_stands", "Address", text.Escape(s.test.To), "State", s.stateWord(s.test))
		if s.test.Problem != "" {
			said += ": " + e.problemWord(s.test.Problem)
		}
		lines = append(lines, th.Accent.Render(th.Pad(said, s.w)))
	}
	if s.h > roomy {
		lines = append(lines, "")
	}
	return strings.Join(append(lines, s.states()), "\n")
}

// roomy is the height from which a blank line parts the allowances from the rest.
const roomy = 24

// Bounds of a gauge, in cells, and the percentage from which it warns, which is
// that from which owners are told.
const (
	gaugeLeast = 6
	gaugeMost  = 24
	gaugeWarn  = 80
)

// gauge draws how much of a service's allowance is used: a bar where there is
// room for one, and always the numbers.
func (s *outbox) gauge(u core.Use, wide int) string {
	e, th := s.env, s.env.Theme
	said, style := e.T("outbox.none_allowed"), th.Muted
	used := u.Sent + u.Queued
	if u.Allowance > 0 {
		percent := used * 100 / u.Allowance
		said, style = e.T("outbox.used", "Used", used, "Allowance", u.Allowance, "Percent", percent), th.Text
		switch {
		case percent >= 100:
			said, style = "! "+said+", "+e.T("outbox.used_up"), th.Bad
		case percent >= gaugeWarn:
			said, style = "! "+said, th.Warn
		}
	}
	if e.Caps.Lines {
		return e.serviceWord(u.Service) + ": " + said
	}
	line := th.Text.Render(th.Pad(e.serviceWord(u.Service), wide)) + "  "
	if room := min(s.w-wide-4-ansi.StringWidth(said), gaugeMost); u.Allowance > 0 && room >= gaugeLeast {
		line += th.Bar(int64(used), int64(u.Allowance), room) + "  "
	}
	return line + style.Render(said)
}

// states are the states that can be shown, with a sign before the one that is.
func (s *outbox) states() string {
	e, th := s.env, s.env.Theme
	if e.Caps.Lines {
		return e.T("outbox.shown", "State", e.T(stateKey(s.state)))
	}
	var parts []string
	for _, state := range outboxStates() {
		if word := e.T(stateKey(state)); state == s.state {
			parts = append(parts, th.Selected.Render(th.Signs.On+" "+word))
		} else {
			parts = append(parts, th.Muted.Render(th.Signs.Off+" "+word))
		}
	}
	return th.Pad(strings.Join(parts, "  "), s.w)
}

// stateKey is the dictionary's key of a state; "" is all of them.
func stateKey(state core.MessageState) string {
	if state == "" {
		state = "any"
	}
	return "outbox.state." + string(state)
}

// stateWord is a sign and a word for where a message stands.
func (s *outbox) stateWord(m core.Message) string {
	sign := s.env.Theme.Signs.Pending
	switch m.State {
	case core.MessageSent:
		sign = s.env.Theme.Signs.OK
	case core.MessageDead:
		sign = s.env.Theme.Signs.No
	}
	if key := stateKey(m.State); s.env.Dict.Has(key) {
		return sign + " " + s.env.T(key)
	}
	return text.Escape(string(m.State))
}

// serviceWord names a service.
func (e *Env) serviceWord(service core.Service) string {
	if key := "service." + string(service); e.Dict.Has(key) {
		return e.T(key)
	}
	return text.Escape(string(service))
}

// kindWord says in a few words what a message or a notice is about.
func (e *Env) kindWord(k core.MessageKind) string {
	if key := "outbox.kind." + string(k); e.Dict.Has(key) {
		return e.T(key)
	}
	return text.Escape(string(k))
}

// problemWord says why a message was not taken.
func (e *Env) problemWord(code string) string {
	if key := "problem." + code; e.Dict.Has(key) {
		return e.T(key)
	}
	return text.Escape(code)
}

func (s *outbox) columns() []tui.Column {
	e := s.env
	stands := 0 // the widest of them: where a message stands is never cut
	for _, state := range outboxStates() {
		stands = max(stands, ansi.StringWidth(s.stateWord(core.Message{State: state})))
	}
	return []tui.Column{
		{Title: e.T("outbox.when"), Min: 10, Max: 16},
		{Title: e.T("outbox.to"), Min: 10, Max: 40},
		{Title: e.T("outbox.what"), Min: 10, Max: 32},
		{Title: e.T("outbox.stands"), Min: stands},
		{Title: e.T("outbox.tries"), Min: 5, Max: 8, Right: true, Spare: true},
		{Title: e.T("outbox.next"), Min: 8, Max: 16, Spare: true},
		{Title: e.T("outbox.problem"), Min: 12, Max: 44, Spare: true},
	}
}

// fill makes the rows anew.
func (s *outbox) fill() {
	d := s.env.Dict
	rows := make([]tui.Row, len(s.messages.list))
	for i, m := range s.messages.list {
		tries, next, problem := "-", "-", "-"
		if m.Tries > 0 {
			tries = d.Number(int64(m.Tries))
		}
		if !m.Next.IsZero() {
			next = d.Relative(m.Next, s.messages.now)
		}
		if m.Problem != "" {
			problem = s.env.problemWord(m.Problem)
		}
		rows[i] = tui.Row{ID: m.ID, Cells: []string{
			d.Relative(m.Created, s.messages.now), text.Escape(m.To), s.env.kindWord(m.Kind), s.stateWord(m), tries, next, problem,
		}}
	}
	s.table.SetRows(rows)
	s.fit()
}

// facts are everything that is known of a message, but its text.
func (s *outbox) facts(m core.Message) []tui.Fact {
	e, now := s.env, s.messages.now
	out := []tui.Fact{
		{Name: e.T("outbox.what"), Value: e.kindWord(m.Kind)},
		{Name: e.T("outbox.to"), Value: text.Escape(m.To)},
		{Name: e.T("outbox.by"), Value: e.serviceWord(m.Service)},
		{Name: e.T("outbox.when"), Value: e.both(m.Created, now)},
		{Name: e.T("outbox.stands"), Value: s.stateWord(m)},
	}
	add := func(key, value string) { out = append(out, tui.Fact{Name: e.T(key), Value: value}) }
	if m.Problem != "" {
		add("outbox.problem", e.problemWord(m.Problem))
	}
	if m.Tries > 0 {
		add("outbox.tries", e.Dict.Number(int64(m.Tries)))
	}
	if !m.Next.IsZero() {
		add("outbox.next", e.both(m.Next, now))
	}
	if !m.Done.IsZero() {
		add("outbox.done", e.both(m.Done, now))
	}
	if holdsCode(m) && m.State == core.MessageQueued {
		add("outbox.until", e.both(m.Until, now))
	}
	return out
}

// detail says more about the marked row: all of it where there is room beside
// the table, under it what no column says.
func (s *outbox) detail(r tui.Row, width int) string {
	m, ok := s.messages.find(r.ID)
	if !ok {
		return ""
	}
	facts := s.facts(*m)
	if s.w < tui.DetailWidth {
		facts = facts[2:]
	}
	return s.env.Theme.Facts(facts, width)
}
