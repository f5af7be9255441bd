// The trail of the whole portal, for those who may read it: looked through by
// what is asked for, the newest first, followed live, and handed over as a file.

package screens

import (
	"context"
	"slices"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// trailPause is how long a busy trail is let be before it is read again while it
// is followed, so that a thousand acts a second are no thousand readings.
const trailPause = 100 * time.Millisecond

// followHead is how many lines stand above the table while the trail is followed.
const followHead = 3

// auditLog lists the trail.
type auditLog struct {
	headed
	env     *Env
	busy    tui.Busy
	rows    *activity // says an entry's parts in words
	entries paged[core.Entry]
	ask     auditAsk       // what is asked for, as typed
	back    time.Time      // what was looked back to
	chain   core.ChainHead // the end of the chain over the trail, to be noted

	follow auditFollow
}

// auditRead is one page of the trail.
type auditRead struct {
	pageRead[core.Entry]
	back  time.Time
	chain core.ChainHead
}

// auditFollow is what a screen follows the trail with.
type auditFollow struct {
	stop   context.CancelFunc // nil: it is not followed
	turn   int                // counts beginnings
	behind bool               // there is more than is shown
}

// auditNews says that there is something new, or that following is over.
type auditNews struct {
	turn  int
	ctx   context.Context
	woken <-chan struct{}
	first bool // it has just begun
	over  bool
	err   error
}

var (
	_ tui.Screen   = (*auditLog)(nil)
	_ tui.Titled   = (*auditLog)(nil)
	_ tui.Helper   = (*auditLog)(nil)
	_ tui.Typer    = (*auditLog)(nil)
	_ tui.Cursored = (*auditLog)(nil)
	_ tui.Mouser   = (*auditLog)(nil)
	_ tui.Numbered = (*auditLog)(nil)
)

// NewAudit returns the screen.
func NewAudit(env *Env) tui.Screen {
	s := &auditLog{env: env, rows: &activity{env: env, office: true}}
	s.entries.id = func(e core.Entry) string { return e.ID }
	s.table = tui.NewTable(env.Session, s.columns)
	s.table.Empty = s.empty
	s.table.Detail = s.drawn.once(s.detail)
	s.table.Open = func(r tui.Row) tea.Cmd { return tui.Push(s.page(r.ID)) }
	s.head, s.left = s.above, 1
	return s
}

// Init reads the newest page.
func (s *auditLog) Init() tea.Cmd { return s.fetch("") }

// fetch returns the command that reads the page after a place, or nil while one
// is on its way.
func (s *auditLog) fetch(after string) tea.Cmd {
	w, ok := s.entries.want(after)
	if !ok {
		return nil
	}
	ctx, audit, actor, clock, zone, ask := s.env.Ctx, s.env.Portal.Audit, s.env.Actor(), s.env.Clock, s.env.Dict.Zone(), s.ask
	if after == "" {
		s.follow.behind = false
	}
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")), func() tea.Msg {
		m := auditRead{pageRead: pageRead[core.Entry]{wanted: w, now: clock()}}
		var q core.AuditQuery
		if q, m.err = ask.query(m.now, zone); m.err != nil {
			return m
		}
		q.After, q.N = after, listPage
		var page core.AuditPage
		page, m.err = audit.Search(ctx, actor, q)
		m.list, m.next, m.back = page.Entries, page.Next, page.Back
		if m.err == nil {
			m.chain, m.err = audit.Head(ctx, actor)
		}
		return m
	})
}

// Update takes pages, news, what other screens left behind, and keys.
func (s *auditLog) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case auditRead:
		return s, s.take(msg)
	case auditNews:
		return s, s.news(msg)
	case tui.BackMsg:
		return s, s.returned(msg)
	case tui.RestyleMsg:
		s.table.Handle(msg)
		s.fill()
		return s, nil
	case tea.KeyPressMsg:
		if k := msg.String(); k == "/" { // the trail is longer than the rows that are here
			return s, s.key("f")
		}
		return s, s.handled(msg)
	case tea.PasteMsg, tea.MouseMsg:
		return s, s.handled(msg)
	}
	return s, s.busy.Handle(msg)
}

// handled gives the table a message first, and then looks whether there is
// something to be read at either end.
func (s *auditLog) handled(msg tea.Msg) tea.Cmd {
	cmd, used := s.handle(msg)
	if used {
		return tea.Batch(cmd, s.readOn())
	}
	if k, ok := msg.(tea.KeyPressMsg); ok {
		return s.key(k.String())
	}
	return nil
}

// returned takes what a screen above has left behind.
func (s *auditLog) returned(msg tui.BackMsg) tea.Cmd {
	switch r := msg.Result.(type) {
	case auditAsk:
		s.ask = r
		s.entries.anew()
		s.fit()
		return s.fetch("")
	case auditSaved:
		return tui.Toast(tui.Good, r.said)
	}
	return nil
}

func (s *auditLog) key(k string) tea.Cmd {
	switch k {
	case "esc":
		s.unfollow()
		return tui.Pop()
	case "r":
		return s.fetch("")
	case "f":
		return tui.Push(newAuditFilter(s.env, s.ask))
	case "c":
		if s.ask != (auditAsk{}) {
			return s.returned(tui.BackMsg{Result: auditAsk{}})
		}
	case "n":
		if s.entries.next != "" {
			return s.fetch(s.entries.next)
		}
	case "l":
		return s.toggle()
	case "x":
		return tui.Push(newAuditExport(s.env, s.ask))
	case "v":
		return tui.Push(newVerifyAsk(s.env, ""))
	}
	return nil
}

// take joins a page to what is there. Whoever stands at the newest entry stays
// at the newest; any other row stays marked.
func (s *auditLog) take(m auditRead) tea.Cmd {
	atTop := s.marked() == 0
	if m.after == "" && len(m.list) == 0 {
		s.entries.replace = true // nothing of what is there stands in it
	}
	if !s.entries.take(m.pageRead) {
		return nil
	}
	s.busy.Stop()
	if m.err == nil {
		s.chain = m.chain
	}
	if m.err == nil && (m.after != "" || len(s.entries.list) <= len(m.list)) {
		s.back = m.back
	}
	if s.err() != nil {
		s.unfollow()
	}
	s.fill()
	if atTop && m.after == "" && len(s.entries.list) > 0 && s.follow.stop != nil {
		s.table.Select(s.entries.list[0].ID)
	}
	if m.after != "" && len(m.list) == 0 {
		return nil // to look further still is for the person to say
	}
	return s.readOn()
}

func (s *auditLog) err() error { return s.entries.err }

// marked is the place of the marked row in the list.
func (s *auditLog) marked() int {
	r, ok := s.table.Selected()
	if !ok {
		return 0
	}
	for i, e := range s.entries.list {
		if e.ID == r.ID {
			return i
		}
	}
	return 0
}

// scrolled says whether the newest entries are out of sight: then nothing is
// read, so that what is looked at stays where it is.
func (s *auditLog) scrolled() bool {
	room := s.h - s.left - followHead - 1
	if s.w < tui.DetailWidth { // the detail stands under the rows
		room -= 7
	}
	return s.marked() >= max(room, 1)
}

// readOn reads what has come meanwhile when the newest are in sight again, or on
// at the other end.
func (s *auditLog) readOn() tea.Cmd {
	if s.follow.stop != nil && s.follow.behind && !s.scrolled() {
		return s.fetch("")
	}
	if after, ok := s.entries.further(s.table); ok && s.marked() > 0 {
		return s.fetch(after)
	}
	return nil
}

// toggle begins to follow, or stops.
func (s *auditLog) toggle() tea.Cmd {
	if s.follow.stop != nil {
		s.unfollow()
		return nil
	}
	parent := s.env.visit
	if parent == nil {
		parent = s.env.Ctx
	}
	ctx, cancel := context.WithCancel(parent)
	s.follow = auditFollow{stop: cancel, turn: s.follow.turn + 1}
	s.fit()
	audit, actor, turn := s.env.Portal.Audit, s.env.Actor(), s.follow.turn
	return func() tea.Msg {
		woken, err := audit.Follow(ctx, actor)
		return auditNews{turn: turn, ctx: ctx, woken: woken, first: true, over: err != nil, err: err}
	}
}

func (s *auditLog) unfollow() {
	if s.follow.stop != nil {
		s.follow.stop()
		s.follow = auditFollow{turn: s.follow.turn}
		s.fit()
	}
}

// news reads what is new, unless the newest entries are out of sight.
func (s *auditLog) news(m auditNews) tea.Cmd {
	if m.turn != s.follow.turn || s.follow.stop == nil {
		return nil
	}
	if m.over {
		s.unfollow()
		if m.err != nil {
			return tui.Toast(tui.Bad, s.env.Sentence(m.err))
		}
		return tui.Toast(tui.Warn, s.env.T("audit.follow_over"))
	}
	s.follow.behind = true
	cmds := []tea.Cmd{m.again()}
	if !s.scrolled() {
		cmds = append(cmds, s.fetch("")) // while one is on its way, take comes back to it
	}
	return tea.Batch(cmds...)
}

// again returns the command that waits for what is new next.
func (m auditNews) again() tea.Cmd {
	return func() tea.Msg {
		pause := time.NewTimer(trailPause)
		defer pause.Stop()
		select {
		case <-pause.C:
		case <-m.ctx.Done():
			return nil
		}
		_, open := <-m.woken // closed when ctx is done
		if m.ctx.Err() != nil {
			return nil
		}
		return auditNews{turn: m.turn, ctx: m.ctx, woken: m.woken, over: !open}
	}
}

// Title names the page.
func (s *auditLog) Title() string { return s.env.T("audit.title") }

// Help returns the keys that work now.
func (s *auditLog) Help() []key.Binding {
	e := s.env
	if !s.entries.read {
		return e.waitingKeys(s.entries.err)
	}
	out := []key.Binding{e.bind("/", "key.filter")} // its own, in the place of the table's
	if s.ask != (auditAsk{}) {
		out = append(out, e.bind("c", "audit.key_clear"))
	}
	follow := "audit.key_follow"
	if s.follow.stop != nil {
		follow = "audit.key_unfollow"
	}
	out = append(out, e.bind("l", follow), e.bind("x", "audit.key_export"), e.bind("v", "chain.key_verify"))
	if s.entries.next != "" && len(s.entries.list) < listPage {
		out = append(out, e.bind("n", "audit.key_further"))
	}
	rows := slices.DeleteFunc(s.table.Help(), func(b key.Binding) bool { return b.Help().Key == "/" })
	out = afterOpen(rows, out...)
	return append(out, e.bind("r", "page.refresh"), e.bind("esc", "key.back"))
}
