// The queue of requests to delete an account, for those who decide: what waits,
// what will be deleted when, and what was decided.

package screens

import (
	"slices"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// requestQueue lists requests.
type requestQueue struct {
	headed
	env   *Env
	busy  tui.Busy
	pages paged[core.Request]
	state string // core.StateOpen, one state, or "" for all
}

// requestDecided is what a page leaves behind when something was decided.
type requestDecided struct{ request core.Request }

var (
	_ tui.Screen   = (*requestQueue)(nil)
	_ tui.Titled   = (*requestQueue)(nil)
	_ tui.Helper   = (*requestQueue)(nil)
	_ tui.Typer    = (*requestQueue)(nil)
	_ tui.Cursored = (*requestQueue)(nil)
	_ tui.Mouser   = (*requestQueue)(nil)
	_ tui.Numbered = (*requestQueue)(nil)
)

// NewRequests returns the screen.
func NewRequests(env *Env) tui.Screen {
	s := &requestQueue{env: env, state: core.StateOpen}
	s.pages.id = func(r core.Request) string { return r.ID }
	s.table = tui.NewTable(env.Session, s.columns)
	s.table.Empty = func() string { return env.T("requests.empty." + s.stateKey()) }
	s.table.Detail = s.drawn.once(s.detail)
	s.table.Open = func(r tui.Row) tea.Cmd { return tui.Push(newRequestPage(env, r.ID)) }
	s.head, s.left = s.above, 1
	return s
}

func (s *requestQueue) stateKey() string {
	if s.state == core.StateOpen {
		return "open"
	}
	return "all"
}

// Init reads the first page.
func (s *requestQueue) Init() tea.Cmd { return s.fetch("") }

func (s *requestQueue) fetch(after string) tea.Cmd {
	w, ok := s.pages.want(after)
	if !ok {
		return nil
	}
	ctx, requests, actor, clock, state := s.env.Ctx, s.env.Portal.Requests, s.env.Actor(), s.env.Clock, s.state
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")), func() tea.Msg {
		p, err := requests.List(ctx, actor, state, w.after, listPage)
		return pageRead[core.Request]{w, p.Requests, p.Next, clock(), err}
	})
}

// Update takes pages, what other screens left behind, and keys.
func (s *requestQueue) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case pageRead[core.Request]:
		return s, s.pages.arrived(msg, &s.busy, s.table, s.fill, s.fetch)
	case tui.BackMsg:
		if m, ok := msg.Result.(requestDecided); ok {
			return s, tea.Batch(s.anew(), tui.Toast(tui.Good, s.env.T("deletion.did."+string(m.request.State))))
		}
		return s, nil
	case tui.RestyleMsg:
		s.handle(msg)
		s.fill()
		return s, nil
	case tea.KeyPressMsg, tea.PasteMsg, tea.MouseMsg:
		return s, s.pages.input(s.table, msg, s.fetch, s.key)
	}
	return s, s.busy.Handle(msg)
}

func (s *requestQueue) anew() tea.Cmd {
	s.pages.anew()
	return s.fetch("")
}

func (s *requestQueue) key(k string) tea.Cmd {
	switch k {
	case "esc":
		return tui.Pop()
	case "r":
		return s.anew()
	case "v":
		states := []string{core.StateOpen, "", string(core.RequestMade), string(core.RequestHeld), string(core.RequestApproved),
			string(core.RequestRefused), string(core.RequestCancelled), string(core.RequestDeleted)}
		s.state = states[(slices.Index(states, s.state)+1)%len(states)]
		s.fit()
		return s.anew()
	}
	return nil
}

// above says which are shown.
func (s *requestQueue) above() string {
	word := s.env.T("requests.shown.open")
	switch s.state {
	case core.StateOpen:
	case "":
		word = s.env.T("requests.shown.all")
	default:
		word = s.env.T("request.state." + s.state)
	}
	return s.env.Theme.Muted.Render(s.env.T("requests.shown_as", "State", word))
}

// View is the table and, under it, how much of the list it holds.
func (s *requestQueue) View() string {
	p := &s.pages
	if said, unread := p.unread(s.env, &s.busy, s.w); unread {
		return said
	}
	return withFoot(s.view(), p.foot(s.env, &s.busy, "", s.w), s.h)
}

func (s *requestQueue) columns() []tui.Column {
	e := s.env
	return []tui.Column{
		{Title: e.T("requests.who"), Min: 12, Max: 32},
		{Title: e.T("requests.state"), Min: 10, Max: 14},
		{Title: e.T("requests.process"), Min: 12, Max: 20},
		{Title: e.T("requests.asked"), Min: 10, Max: 16},
		{Title: e.T("requests.due"), Min: 10, Max: 18, Spare: true},
	}
}

func (s *requestQueue) fill() {
	d := s.env.Dict
	rows := make([]tui.Row, len(s.pages.list))
	for i, r := range s.pages.list {
		due := ""
		if !r.Due.IsZero() {
			due = d.Relative(r.Due, s.pages.now)
		}
		rows[i] = tui.Row{ID: r.ID, Cells: []string{RequestWho(d, r), s.env.requestState(r), d.T("request.process." + string(r.Process)),
			d.Relative(r.Created, s.pages.now), due}}
	}
	s.table.SetRows(rows)
	s.drawn.forget()
}

// requestState is a sign and a word for where a request stands.
func (e *Env) requestState(r core.Request) string {
	sign := e.Theme.Signs.Arrow
	switch r.State {
	case core.RequestRefused, core.RequestCancelled:
		sign = e.Theme.Signs.No
	case core.RequestDeleted:
		sign = e.Theme.Signs.OK
	}
	return sign + " " + e.T("request.state."+string(r.State))
}

// detail says more about the marked request.
func (s *requestQueue) detail(r tui.Row, width int) string {
	x, ok := s.pages.find(r.ID)
	if !ok {
		return ""
	}
	return tui.Wrap(RequestText(s.env.Dict, *x), width) + "\n\n" + s.env.requestHistory(*x, s.pages.now, width)
}

// Title names the page.
func (s *requestQueue) Title() string { return s.env.T("requests.title") }

// Help returns the keys that work now.
func (s *requestQueue) Help() []key.Binding {
	e := s.env
	switch {
	case s.table.Typing():
		return s.table.Help()
	case !s.pages.read:
		return e.waitingKeys(s.pages.err)
	}
	out := afterOpen(s.table.Help(), e.bind("v", "requests.key_view"))
	return append(out, e.bind("r", "page.refresh"), e.bind("esc", "key.back"))
}
