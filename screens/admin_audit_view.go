// How the trail of the portal looks: what is asked for, the entries as rows, and
// each in full with what was before and after side by side.

package screens

import (
	"maps"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"postern/core"
	"postern/core/text"
	"postern/tui"
)

// View is what is asked for, the table and, under it, how much of the trail it holds.
func (s *auditLog) View() string {
	p := &s.entries
	if said, unread := p.unread(s.env, &s.busy, s.w); unread {
		return said
	}
	return withFoot(s.view(), p.foot(s.env, &s.busy, s.said(), s.w), s.h)
}

// said is how far the list goes and, on the right, where the chain over the trail
// ends: whoever notes that can tell later whether the trail was cut.
func (s *auditLog) said() string {
	reach := s.reach()
	if s.chain.Seq == 0 {
		return reach
	}
	chain := s.env.T("audit.chain", "Head", s.chain.Short())
	gap := s.w - ansi.StringWidth(reach) - ansi.StringWidth(chain)
	if gap < 2 {
		return chain // the list shows by itself how far it goes
	}
	return reach + strings.Repeat(" ", gap) + chain
}

// reach says how far the list goes.
func (s *auditLog) reach() string {
	n, e := len(s.entries.list), s.env
	switch {
	case s.entries.next == "" && n > 0:
		return e.T("activity.all", "Count", n)
	case s.entries.next == "":
		return ""
	case n < listPage && !s.back.IsZero():
		return e.T("audit.looked", "Count", n, "When", e.Dict.DateTime(s.back))
	}
	return e.T("activity.more", "Count", n)
}

// empty says why nothing is here.
func (s *auditLog) empty() string {
	switch {
	case s.entries.next != "":
		return s.env.T("audit.empty_yet")
	case s.ask != (auditAsk{}):
		return s.env.T("audit.empty_filter")
	}
	return s.env.T("audit.empty")
}

// above is what is asked for, and whether the trail is followed.
func (s *auditLog) above() string {
	e, th := s.env, s.env.Theme
	said := e.T("audit.everything")
	if parts := s.ask.said(e); len(parts) > 0 {
		said = strings.Join(parts, " · ")
		if !e.Caps.UTF8 {
			said = strings.Join(parts, "; ")
		}
	}
	lines := th.Heading.Render(th.Pad(said, s.w))
	if s.follow.stop == nil {
		return lines
	}
	if s.follow.behind && s.scrolled() {
		return lines + "\n" + th.Warn.Render(th.Pad(th.Signs.Pending+" "+e.T("audit.paused"), s.w))
	}
	return lines + "\n" + th.Good.Render(th.Pad(th.Signs.On+" "+e.T("audit.following"), s.w))
}

func (s *auditLog) columns() []tui.Column {
	e := s.env
	outcome := 0 // never cut
	for _, o := range []core.Outcome{core.OutcomeDone, core.OutcomeRefused} {
		outcome = max(outcome, ansi.StringWidth(s.rows.outcome(core.Entry{Outcome: o})))
	}
	room := s.w
	if room >= tui.DetailWidth { // the detail beside it takes two fifths
		room -= room*2/5 + 3
	}
	narrow := room < auditWide // where there is room cells are cut rather than columns
	return []tui.Column{
		{Title: e.T("activity.when"), Min: 8, Max: 14},
		{Title: e.T("activity.who"), Min: 6, Max: 18},
		{Title: e.T("activity.what"), Min: 12, Max: 34},
		{Title: e.T("activity.target"), Min: 8, Max: 24, Spare: narrow},
		{Title: e.T("activity.from"), Min: 12, Max: 39, Spare: narrow},
		{Title: e.T("activity.outcome"), Min: outcome},
	}
}

// fill makes the rows anew.
func (s *auditLog) fill() {
	s.rows.now = s.entries.now
	rows := make([]tui.Row, len(s.entries.list))
	for i, x := range s.entries.list {
		rows[i] = tui.Row{ID: x.ID, Here: x.Session != "" && x.Session == s.env.Actor().Session, Cells: []string{
			s.env.Dict.Relative(x.At, s.entries.now), s.rows.who(x), s.rows.action(x), dash(text.Escape(x.Target)), s.rows.from(x), s.rows.outcome(x),
		}}
	}
	s.table.SetRows(rows)
	s.fit()
}

// dash stands for what there is not.
func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// facts are everything that the trail says of an entry, but what has changed.
func (s *auditLog) facts(x core.Entry) []tui.Fact {
	e := s.env
	out := []tui.Fact{{Name: e.T("activity.when"), Value: e.both(x.At, s.entries.now)}}
	add := func(key, value string) {
		if value != "" {
			out = append(out, tui.Fact{Name: e.T(key), Value: value})
		}
	}
	add("activity.who", s.rows.whoInFull(x))
	add("activity.outcome", s.rows.outcome(x))
	add("activity.reason", s.rows.reason(x))
	add("activity.target", text.Escape(x.Target))
	add("activity.said", text.Escape(x.Reason))
	add("activity.left_out", s.rows.erased(x))
	add("activity.from", s.rows.from(x))
	if x.Remote != "" && x.Door != "" {
		add("activity.door", e.doorWord(x.Door))
	}
	add("activity.client", text.Escape(x.Client))
	return out
}

// identity are the ids of an entry, which nobody reads and some copy.
func (s *auditLog) identity(x core.Entry) []tui.Fact {
	e := s.env
	var out []tui.Fact
	for _, f := range []tui.Fact{
		{Name: e.T("audit.id_entry"), Value: x.ID}, {Name: e.T("audit.id_actor"), Value: x.Actor},
		{Name: e.T("audit.id_about"), Value: x.About}, {Name: e.T("audit.id_session"), Value: x.Session},
	} {
		if f.Value != "" {
			f.Value = text.Escape(f.Value)
			out = append(out, f)
		}
	}
	return out
}

// detail says more about the marked row.
func (s *auditLog) detail(r tui.Row, width int) string {
	x, ok := s.entries.find(r.ID)
	if !ok {
		return ""
	}
	facts := s.facts(*x)
	if s.w < tui.DetailWidth { // who it was and what came of it stands in the row
		kept := 1
		if x.ByDeleted() {
			kept = 2 // a narrow row cuts the id
		}
		facts = append(facts[:kept:kept], facts[3:]...)
		return s.env.Theme.Facts(append(s.rows.changes(*x), facts...), width)
	}
	if changes := s.compare(*x, width); changes != "" {
		return s.env.Theme.Facts(facts, width) + "\n\n" + changes
	}
	return s.env.Theme.Facts(facts, width)
}

// page is one entry in full.
func (s *auditLog) page(id string) tui.Screen {
	x, ok := s.entries.find(id)
	if !ok {
		return &page{env: s.env, title: s.Title, body: func(width int) string { return tui.Wrap(s.env.T("activity.gone"), width) }}
	}
	entry := *x // it may leave the list while it is read
	return &page{
		env:   s.env,
		title: func() string { return s.rows.action(entry) },
		body: func(width int) string {
			th := s.env.Theme
			out := th.Facts(s.facts(entry), width)
			if changes := s.compare(entry, width); changes != "" {
				out += "\n\n" + changes
			}
			return out + "\n\n" + th.Muted.Render(th.Facts(s.identity(entry), width))
		},
	}
}

// auditWide is the width from which the table has all its columns.
const auditWide = 72

// Bounds of the comparison, in cells: narrower than sideLeast it stands in lines.
const (
	sideLeast = 44
	sideName  = 20
)

// compare draws the properties before and after side by side. What has become of
// each is a sign and a word, for colour alone would not say it.
func (s *auditLog) compare(x core.Entry, width int) string {
	names := slices.Sorted(maps.Keys(x.Before))
	for _, k := range slices.Sorted(maps.Keys(x.After)) {
		if !slices.Contains(names, k) {
			names = append(names, k)
		}
	}
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	e, th := s.env, s.env.Theme
	type change struct{ name, before, after, sign, word string }
	var rows []change
	wide, words := 0, 0
	for _, k := range names {
		before, had := x.Before[k]
		after, has := x.After[k]
		c := change{name: s.rows.property(k), before: "-", after: "-"}
		if had {
			c.before = s.rows.value(k, before)
		}
		if has {
			c.after = s.rows.value(k, after)
		}
		switch {
		case had && has && before == after:
			c.sign, c.word = " ", e.T("audit.same")
		case had && has:
			c.sign, c.word = "~", e.T("audit.changed")
		case has:
			c.sign, c.word = "+", e.T("audit.added")
		default:
			c.sign, c.word = "-", e.T("audit.removed")
		}
		wide = min(max(wide, ansi.StringWidth(c.name)), sideName)
		words = max(words, ansi.StringWidth(c.word))
		rows = append(rows, c)
	}
	if width < sideLeast || e.Caps.Lines {
		var facts []tui.Fact
		for _, c := range rows {
			facts = append(facts, tui.Fact{Name: c.sign + " " + c.name, Value: c.word + ": " + c.before + " " + th.Signs.Arrow + " " + c.after})
		}
		return th.Facts(facts, width)
	}
	side := (width - 2 - wide - words - 6) / 2
	line := func(cells ...string) string {
		room := []int{2 + wide, side, side, words}
		split := make([][]string, len(cells))
		high := 0
		for i, c := range cells {
			split[i] = strings.Split(ansi.Wrap(c, room[i], ""), "\n")
			high = max(high, len(split[i]))
		}
		var out []string
		for row := range high {
			var parts []string
			for i := range split {
				cell := ""
				if row < len(split[i]) {
					cell = split[i][row]
				}
				parts = append(parts, th.Pad(cell, room[i]))
			}
			out = append(out, strings.TrimRight(strings.Join(parts, "  "), " "))
		}
		return strings.Join(out, "\n")
	}
	lines := []string{th.Muted.Render(line("", e.T("audit.before"), e.T("audit.after"), ""))}
	for _, c := range rows {
		style := th.Text
		switch c.sign {
		case "+":
			style = th.Good
		case "-":
			style = th.Bad
		case "~":
			style = th.Accent
		}
		lines = append(lines, style.Render(line(c.sign+" "+c.name, c.before, c.after, c.word)))
	}
	return strings.Join(lines, "\n")
}
