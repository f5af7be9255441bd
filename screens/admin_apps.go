// Apps: all of them by name, with who owns each and how strict it is. From here
// they are made; everything else about one is on its own page (admin_app.go).

package screens

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/core/text"
	"postern/tui"
)

// appList lists apps.
type appList struct {
	listing
	env  *Env
	busy tui.Busy
	apps paged[core.App]
}

// appsRead is one page of them.
type appsRead struct{ pageRead[core.App] }

var (
	_ tui.Screen   = (*appList)(nil)
	_ tui.Titled   = (*appList)(nil)
	_ tui.Helper   = (*appList)(nil)
	_ tui.Typer    = (*appList)(nil)
	_ tui.Cursored = (*appList)(nil)
	_ tui.Mouser   = (*appList)(nil)
	_ tui.Numbered = (*appList)(nil)
)

// NewApps returns the screen.
func NewApps(env *Env) tui.Screen {
	s := &appList{env: env}
	s.apps.id = func(a core.App) string { return a.ID }
	s.table = tui.NewTable(env.Session, s.columns)
	s.table.Empty = func() string { return env.T("apps.empty") }
	s.table.Detail = s.drawn.once(s.detail)
	s.table.Open = func(r tui.Row) tea.Cmd { return tui.Push(newAppPage(env, r.ID)) }
	return s
}

// Init reads the first page.
func (s *appList) Init() tea.Cmd { return s.fetch("") }

func (s *appList) fetch(after string) tea.Cmd {
	w, ok := s.apps.want(after)
	if !ok {
		return nil
	}
	ctx, apps, actor, clock := s.env.Ctx, s.env.Portal.Apps, s.env.Actor(), s.env.Clock
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")), func() tea.Msg {
		page, err := apps.List(ctx, actor, "", w.after, listPage)
		return appsRead{pageRead[core.App]{w, page.Apps, page.Next, clock(), err}}
	})
}

// anew reads the list from its beginning: an app may have another name now.
func (s *appList) anew() tea.Cmd {
	s.apps.anew()
	return s.fetch("")
}

// Update takes pages, what other screens left behind, and keys.
func (s *appList) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case appsRead:
		return s, s.apps.arrived(msg.pageRead, &s.busy, s.table, s.fill, s.fetch)
	case tui.BackMsg:
		if a, made := msg.Result.(core.App); made {
			return s, tea.Batch(s.anew(), tui.Toast(tui.Good, s.env.T("apps.made", "App", text.Escape(a.Name))))
		}
		return s, s.anew()
	case tui.RestyleMsg:
		s.table.Handle(msg)
		s.fill()
		return s, nil
	case tea.KeyPressMsg, tea.PasteMsg, tea.MouseMsg:
		return s, s.apps.input(s.table, msg, s.fetch, s.key)
	}
	return s, s.busy.Handle(msg)
}

func (s *appList) key(k string) tea.Cmd {
	switch k {
	case "esc":
		return tui.Pop()
	case "r":
		return s.anew()
	case "n":
		if s.env.may(core.OpApps) {
			return tui.Push(newAppForm(s.env, nil))
		}
	}
	return nil
}

// View is the table and, under it, how much of the list it holds.
func (s *appList) View() string {
	p := &s.apps
	if said, unread := p.unread(s.env, &s.busy, s.w); unread {
		return said
	}
	said := ""
	if n := len(p.list); n > 0 {
		said = s.env.T("apps.count", "Count", n)
	}
	return withFoot(s.table.View(), p.foot(s.env, &s.busy, said, s.w), s.h)
}

func (s *appList) columns() []tui.Column {
	e := s.env
	return []tui.Column{
		{Title: e.T("apps.name"), Min: 10, Max: core.MaxAppName},
		{Title: e.T("apps.owner"), Min: 8, Max: 24},
		{Title: e.T("apps.rules"), Min: 12, Max: 24},
		{Title: e.T("apps.state"), Min: 8, Max: 14},
		{Title: e.T("apps.created"), Min: 8, Max: 16, Spare: true},
	}
}

// fill makes the rows anew.
func (s *appList) fill() {
	e := s.env
	rows := make([]tui.Row, len(s.apps.list))
	for i, a := range s.apps.list {
		rows[i] = tui.Row{ID: a.ID, Here: a.Owner == e.me.Account, Cells: []string{
			text.Escape(a.Name), orDash(text.Escape(a.OwnerName)), e.appStrictness(a), e.appState(a), e.Dict.Relative(a.Created, s.apps.now),
		}}
	}
	s.table.SetRows(rows)
	s.drawn.forget()
}

// appStrictness counts the rules of an app's own.
func (e *Env) appStrictness(a core.App) string {
	n := 0
	for _, s := range core.AppSettings() {
		if s.Get(a.Policy) != "" {
			n++
		}
	}
	if n == 0 {
		return e.T("apps.rules_portal")
	}
	return e.T("apps.rules_own", "Count", n)
}

func (e *Env) appState(a core.App) string {
	sign := e.Theme.Signs.OK
	if a.State != core.AppActive {
		sign = e.Theme.Signs.No
	}
	return sign + " " + e.T("apps.states."+string(a.State))
}

func (s *appList) detail(r tui.Row, width int) string {
	a, ok := s.apps.find(r.ID)
	if !ok {
		return ""
	}
	e := s.env
	if s.w < tui.DetailWidth {
		return e.Theme.Muted.Render(tui.Wrap(orDash(text.Escape(a.Note)), width))
	}
	return e.Theme.Facts(e.appFacts(*a, s.apps.now), width)
}

// Title names the page.
func (s *appList) Title() string { return s.env.T("apps.title") }

// Help returns the keys that work now.
func (s *appList) Help() []key.Binding {
	e := s.env
	switch {
	case s.table.Typing():
		return s.table.Help()
	case !s.apps.read:
		return e.waitingKeys(s.apps.err)
	}
	var out []key.Binding
	if e.may(core.OpApps) {
		out = append(out, e.bind("n", "apps.key_new"))
	}
	out = afterOpen(s.table.Help(), out...)
	return append(out, e.bind("r", "page.refresh"), e.bind("esc", "key.back"))
}
