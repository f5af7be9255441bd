// How the inbox looks: as rows, and each notice in full.

package screens

import (
	"strings"

	"postern/core"
	"postern/core/text"
	"postern/tui"
)

// View is the table and, under it, how much of the inbox it holds.
func (s *inbox) View() string {
	p := &s.notices
	if said, unread := p.unread(s.env, &s.busy, s.w); unread {
		return said
	}
	said := ""
	if len(p.list) > 0 {
		said = s.said()
	}
	return withFoot(s.table.View(), p.foot(s.env, &s.busy, said, s.w), s.h)
}

// said says how many notices there are, and how many of them are unread.
func (s *inbox) said() string {
	e, n := s.env, len(s.notices.list)
	out := e.T("inbox.all", "Count", n)
	if s.notices.next != "" {
		out = e.T("inbox.more", "Count", n)
	}
	switch {
	case s.unread >= core.MaxPage:
		out = e.T("inbox.unread_least", "N", s.unread) + " " + out
	case s.unread > 0:
		out = e.T("inbox.unread", "Count", s.unread) + " " + out
	}
	return out
}

func (s *inbox) columns() []tui.Column {
	e := s.env
	return []tui.Column{
		{Title: e.T("inbox.state"), Min: 6, Max: 14},
		{Title: e.T("inbox.notice"), Min: 20, Max: 60},
		{Title: e.T("inbox.when"), Min: 8, Max: 16},
		{Title: e.T("inbox.from"), Min: 8, Max: 39, Spare: true},
	}
}

// fill makes the rows anew.
func (s *inbox) fill() {
	rows := make([]tui.Row, len(s.notices.list))
	for i, n := range s.notices.list {
		rows[i] = tui.Row{ID: n.ID, Cells: []string{
			s.state(n), text.Escape(n.Subject), s.env.Dict.Relative(n.At, s.notices.now), s.from(n),
		}}
	}
	s.table.SetRows(rows)
	s.drawn.forget()
}

// state is a sign and a word for what was not read yet.
func (s *inbox) state(n core.NoticeRead) string {
	if !n.Read.IsZero() {
		return s.env.T("inbox.read")
	}
	return s.env.Theme.Signs.On + " " + s.env.T("inbox.new")
}

// from is where what a notice tells of was done: an address, or a door.
func (s *inbox) from(n core.NoticeRead) string {
	if remote := n.Args["Remote"]; remote != "" {
		return text.Escape(remote)
	}
	return orDash(s.env.doorWord(core.Door(n.Args["Door"])))
}

// running sets what a core.Writer wrote. Each of its lines is escaped, whoever
// the writer was.
func running(written string, width int) string {
	var out []string
	for line := range strings.SplitSeq(written, "\n") {
		out = append(out, tui.Wrap(text.Escape(line), width))
	}
	return strings.Join(out, "\n")
}

// detail says more about the marked row: all of it where there is room beside
// the table, as much as fits under it otherwise.
func (s *inbox) detail(r tui.Row, width int) string {
	n, ok := s.notices.find(r.ID)
	if !ok {
		return ""
	}
	if s.w < tui.DetailWidth {
		return running(strings.ReplaceAll(n.Body, "\n\n", "\n"), width)
	}
	return s.full(*n, width)
}

// full is a notice with its subject and when it came.
func (s *inbox) full(n core.NoticeRead, width int) string {
	e := s.env
	return e.Theme.Heading.Render(running(n.Subject, width)) + "\n" +
		e.Theme.Muted.Render(tui.Wrap(e.both(n.At, s.notices.now), width)) + "\n\n" + running(n.Body, width)
}

// page is one notice in full.
func (s *inbox) page(id string) tui.Screen {
	e := s.env
	return &page{
		env: e,
		title: func() string {
			if n, ok := s.notices.find(id); ok {
				return text.Escape(n.Subject)
			}
			return ""
		},
		body: func(width int) string {
			n, ok := s.notices.find(id)
			if !ok {
				return tui.Wrap(e.T("inbox.gone"), width)
			}
			return s.full(*n, width)
		},
	}
}
