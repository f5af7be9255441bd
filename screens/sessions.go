// The sessions of one's own account, live: a new sign-in appears by itself, an
// ended one goes. Ending one closes its screen within a second.

package screens

import (
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// sessionList lists the live sessions of the account.
type sessionList struct {
	listing
	env   *Env
	busy  tui.Busy
	ear   ear
	reads tui.Latest[sessionsRead]

	list  []core.Session
	now   time.Time       // when list was read
	first map[string]bool // the sessions of the first reading; nil before it
	rules []core.RuleSource
	err   error // why the last reading failed
}

// sessionsRead is what one reading brought, with its time.
type sessionsRead struct {
	list  []core.Session
	now   time.Time
	rules []core.RuleSource // by which they end, and where those come from
	err   error
}

// endedSessions is the result of a confirmed end: how many, and whether this
// screen's own was the one.
type endedSessions struct {
	count int
	mine  bool
	out   signedOut
}

// wantEnd is what a session's own page leaves behind for the list.
type wantEnd struct{ id string }

var (
	_ tui.Screen   = (*sessionList)(nil)
	_ tui.Titled   = (*sessionList)(nil)
	_ tui.Helper   = (*sessionList)(nil)
	_ tui.Typer    = (*sessionList)(nil)
	_ tui.Cursored = (*sessionList)(nil)
	_ tui.Mouser   = (*sessionList)(nil)
	_ tui.Numbered = (*sessionList)(nil)
)

// NewSessions returns the screen.
func NewSessions(env *Env) tui.Screen {
	s := &sessionList{env: env}
	s.table = tui.NewTable(env.Session, s.columns)
	s.table.Empty = func() string { return env.T("sessions.empty") }
	s.table.Detail = s.drawn.once(s.detail)
	s.table.Open = func(r tui.Row) tea.Cmd { return tui.Push(s.page(r.ID)) }
	return s
}

// Init begins to listen; the first reading follows from that.
func (s *sessionList) Init() tea.Cmd {
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")), s.ear.open(s.env))
}

// read returns the command that reads the list, or nil while one is on its way.
func (s *sessionList) read() tea.Cmd {
	ctx, sessions, accounts, actor, clock := s.env.Ctx, s.env.Portal.Sessions, s.env.Portal.Accounts, s.env.Actor(), s.env.Clock
	return s.reads.Ask(func() sessionsRead {
		list, err := sessions.Mine(ctx, actor)
		if err != nil {
			return sessionsRead{err: err}
		}
		rules, err := accounts.Rules(ctx, actor)
		return sessionsRead{list: list, now: clock(), rules: rules, err: err}
	})
}

// Update takes readings, changes and keys.
func (s *sessionList) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	if m, fresh, mine, next := s.reads.Answer(msg); mine {
		if fresh {
			s.busy.Stop()
			s.take(m)
		}
		return s, next
	}
	switch msg := msg.(type) {
	case heard:
		return s, tea.Batch(msg.again(), s.read())
	case tui.BackMsg:
		return s, s.back(msg)
	case tui.RestyleMsg:
		s.table.Handle(msg)
		s.fill()
		return s, nil
	case tea.KeyPressMsg, tea.PasteMsg, tea.MouseMsg:
		cmd, used := s.table.Handle(msg)
		if k, ok := msg.(tea.KeyPressMsg); ok && !used {
			return s, s.key(k.String())
		}
		return s, cmd
	}
	return s, s.busy.Handle(msg)
}

func (s *sessionList) take(m sessionsRead) {
	if s.err = m.err; m.err != nil {
		return
	}
	s.list, s.now, s.rules = m.list, m.now, m.rules
	if s.first == nil {
		s.first = map[string]bool{}
		for _, x := range m.list {
			s.first[x.ID] = true
		}
	}
	s.fill()
}

func (s *sessionList) key(k string) tea.Cmd {
	switch k {
	case "esc":
		s.ear.shut()
		return tui.Pop()
	case "r":
		return tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")), s.read())
	case "x":
		if r, ok := s.table.Selected(); ok {
			return s.askEnd(r.ID)
		}
	case "X":
		return s.askEndOthers()
	}
	return nil
}

// back takes what a dialog or a page left behind.
func (s *sessionList) back(msg tui.BackMsg) tea.Cmd {
	switch r := msg.Result.(type) {
	case wantEnd:
		return s.askEnd(r.id)
	case tui.Confirmed:
		done, ok := r.Result.(endedSessions)
		switch {
		case !ok:
			return nil
		case done.mine:
			s.ear.shut()
			return s.env.left(done.out)
		case done.count == 0:
			return tea.Batch(s.read(), tui.Toast(tui.Info, s.env.T("sessions.was_over")))
		}
		return tea.Batch(s.read(), tui.Toast(tui.Good, s.env.T("sessions.ended", "Count", done.count)))
	}
	return nil
}

// askEnd opens the dialog that ends one session.
func (s *sessionList) askEnd(id string) tea.Cmd {
	x, ok := s.find(id)
	if !ok {
		return tui.Toast(tui.Info, s.env.T("sessions.was_over"))
	}
	e := s.env
	return tui.Push(tui.NewConfirm(e.Session, func() tui.ConfirmSpec {
		if x.Mine {
			return tui.ConfirmSpec{
				Title: e.T("sessions.out_title"), Text: e.T("sessions.out_text"), Yes: e.T("sessions.out_yes"),
				Do: s.endMine,
			}
		}
		return tui.ConfirmSpec{
			Title: e.T("sessions.end_title"),
			Text:  e.T("sessions.end_text", "Session", s.name(x), "When", e.Dict.Relative(x.Created, s.now)),
			Yes:   e.T("sessions.end_yes"), Do: func() tea.Cmd { return s.end(id) },
		}
	}))
}

// askEndOthers opens the dialog that ends all sessions but this one.
func (s *sessionList) askEndOthers() tea.Cmd {
	e := s.env
	var names []string
	for _, x := range s.list {
		if !x.Mine {
			names = append(names, s.name(x))
		}
	}
	const most = 3 // names in the sentence
	n := len(names)
	if n == 0 {
		return tui.Toast(tui.Info, e.T("sessions.no_others"))
	}
	return tui.Push(tui.NewConfirm(e.Session, func() tui.ConfirmSpec {
		who := e.Dict.List(names)
		if n > most {
			who = e.Dict.List(append(append([]string{}, names[:most]...), e.T("sessions.more", "Count", n-most)))
		}
		return tui.ConfirmSpec{
			Title: e.T("sessions.all_title"), Text: e.T("sessions.all_text", "Count", n, "Sessions", who),
			Yes: e.T("sessions.all_yes"), Do: s.endOthers,
		}
	}))
}

// end returns the command that ends a session. One that is over already is what
// was wanted.
func (s *sessionList) end(id string) tea.Cmd {
	ctx, sessions, actor, words := s.env.Ctx, s.env.Portal.Sessions, s.env.Actor(), s.env.Dict
	return func() tea.Msg {
		err := sessions.End(ctx, actor, id)
		switch core.CodeOf(err) {
		case "":
			return tui.Confirmed{Result: endedSessions{count: 1}}
		case core.CodeNotFound:
			return tui.Confirmed{Result: endedSessions{}}
		}
		return tui.Confirmed{Refused: sentence(words, err)}
	}
}

// endMine returns the command that signs out.
func (s *sessionList) endMine() tea.Cmd {
	out, words := s.env.signOut(), s.env.Dict
	return func() tea.Msg {
		done, _ := out().(signedOut)
		if done.err != nil {
			return tui.Confirmed{Refused: sentence(words, done.err)}
		}
		return tui.Confirmed{Result: endedSessions{mine: true, out: done}}
	}
}

// endOthers returns the command that ends all sessions but this one.
func (s *sessionList) endOthers() tea.Cmd {
	ctx, sessions, actor, words := s.env.Ctx, s.env.Portal.Sessions, s.env.Actor(), s.env.Dict
	return func() tea.Msg {
		n, err := sessions.EndOthers(ctx, actor)
		if err != nil {
			return tui.Confirmed{Refused: sentence(words, err)}
		}
		return tui.Confirmed{Result: endedSessions{count: n}}
	}
}

func (s *sessionList) find(id string) (core.Session, bool) {
	for _, x := range s.list {
		if x.ID == id {
			return x, true
		}
	}
	return core.Session{}, false
}

// Title names the page.
func (s *sessionList) Title() string { return s.env.T("sessions.title") }

// Help returns the keys that work now.
func (s *sessionList) Help() []key.Binding {
	if s.table.Typing() {
		return s.table.Help()
	}
	e := s.env
	var out []key.Binding
	if len(s.list) > 0 {
		out = append(out, e.bind("x", "sessions.key_end"))
	}
	if len(s.list) > 1 {
		out = append(out, e.bind("X", "sessions.key_end_all"))
	}
	out = append(out, s.table.Help()...)
	return append(out, e.bind("r", "page.refresh"), e.bind("esc", "key.back"))
}
