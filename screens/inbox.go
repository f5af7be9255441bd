// The inbox: what the portal has told this account's person, the newest first.

package screens

import (
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// inbox lists the notices of the account.
type inbox struct {
	listing
	env     *Env
	busy    tui.Busy
	notices paged[core.NoticeRead]
	unread  int // at most core.MaxPage
}

// inboxRead is one page of the inbox, and how much of the whole is unread.
type inboxRead struct {
	pageRead[core.NoticeRead]
	unread int
}

// markedRead says that a notice was marked as read; id "" is all of them.
type markedRead struct {
	id  string
	at  time.Time
	err error
}

var (
	_ tui.Screen   = (*inbox)(nil)
	_ tui.Titled   = (*inbox)(nil)
	_ tui.Helper   = (*inbox)(nil)
	_ tui.Typer    = (*inbox)(nil)
	_ tui.Cursored = (*inbox)(nil)
	_ tui.Mouser   = (*inbox)(nil)
	_ tui.Numbered = (*inbox)(nil)
)

// NewInbox returns the screen.
func NewInbox(env *Env) tui.Screen {
	s := &inbox{env: env}
	s.notices.id = func(n core.NoticeRead) string { return n.ID }
	s.table = tui.NewTable(env.Session, s.columns)
	s.table.Empty = func() string { return env.T("inbox.empty") }
	s.table.Detail = s.drawn.once(s.detail)
	s.table.Open = s.open
	return s
}

// Init reads the newest page.
func (s *inbox) Init() tea.Cmd { return s.fetch("") }

// fetch returns the command that reads the page after a place, in the language
// and the zone of this moment, or nil while one is on its way.
func (s *inbox) fetch(after string) tea.Cmd {
	w, ok := s.notices.want(after)
	if !ok {
		return nil
	}
	ctx, notices, actor, clock := s.env.Ctx, s.env.Portal.Notices, s.env.Actor(), s.env.Clock
	lang, zone := s.env.Dict.Tag(), s.env.Dict.Zone().String()
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")), func() tea.Msg {
		page, err := notices.Mine(ctx, actor, lang, zone, w.after, listPage)
		return inboxRead{pageRead[core.NoticeRead]{w, page.Notices, page.Next, clock(), err}, page.Unread}
	})
}

// Update takes pages, what was marked, and keys.
func (s *inbox) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case inboxRead:
		if !s.notices.take(msg.pageRead) {
			return s, nil
		}
		s.busy.Stop()
		if msg.err == nil {
			s.unread = msg.unread
			s.fill()
		}
		return s, s.notices.readOn(s.table, s.fetch)
	case markedRead:
		return s, s.marked(msg)
	case tui.RestyleMsg:
		// The notices are in words already: others are asked for.
		s.table.Handle(msg)
		s.fill()
		s.notices.anew()
		return s, s.fetch("")
	case tea.KeyPressMsg, tea.PasteMsg, tea.MouseMsg:
		return s, s.notices.input(s.table, msg, s.fetch, s.key)
	}
	return s, s.busy.Handle(msg)
}

func (s *inbox) key(k string) tea.Cmd {
	switch k {
	case "esc":
		return tui.Pop()
	case "r":
		return s.fetch("")
	case "u":
		if s.unread == 0 {
			return tui.Toast(tui.Info, s.env.T("inbox.nothing_unread"))
		}
		return s.mark("")
	case "n":
		return tui.Push(newWishes(s.env))
	}
	return nil
}

// open shows a notice in full; with that it is read.
func (s *inbox) open(r tui.Row) tea.Cmd {
	n, ok := s.notices.find(r.ID)
	if !ok || !n.Read.IsZero() {
		return tui.Push(s.page(r.ID))
	}
	return tea.Batch(tui.Push(s.page(r.ID)), s.mark(r.ID))
}

// mark returns the command that marks a notice as read, or with "" all of them.
func (s *inbox) mark(id string) tea.Cmd {
	ctx, notices, actor, clock := s.env.Ctx, s.env.Portal.Notices, s.env.Actor(), s.env.Clock
	var ids []string
	if id != "" {
		ids = []string{id}
	}
	return func() tea.Msg { return markedRead{id, clock(), notices.MarkRead(ctx, actor, ids...)} }
}

// marked shows what is read now.
func (s *inbox) marked(m markedRead) tea.Cmd {
	if m.err != nil {
		return tui.Toast(tui.Bad, s.env.Sentence(m.err))
	}
	for i := range s.notices.list {
		n := &s.notices.list[i]
		if !n.Read.IsZero() || m.id != "" && m.id != n.ID {
			continue
		}
		if n.Read = m.at; s.unread > 0 && s.unread < core.MaxPage {
			s.unread--
		}
	}
	if m.id != "" {
		s.fill()
		return nil
	}
	s.unread = 0
	s.fill()
	return tui.Toast(tui.Good, s.env.T("inbox.all_read"))
}

// Title names the page.
func (s *inbox) Title() string { return s.env.T("inbox.title") }

// Help returns the keys that work now.
func (s *inbox) Help() []key.Binding {
	if s.table.Typing() {
		return s.table.Help()
	}
	e := s.env
	var out []key.Binding
	if s.unread > 0 {
		out = append(out, e.bind("u", "inbox.key_all"))
	}
	out = afterOpen(s.table.Help(), append(out, e.bind("n", "inbox.key_wishes"))...)
	return append(out, e.bind("r", "page.refresh"), e.bind("esc", "key.back"))
}
