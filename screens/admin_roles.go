// Roles: who looks after the portal, as what and until when. Giving, changing and
// ending one are in admin_role.go.

package screens

import (
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// roleSoon is within how many days of its end a role is marked as ending.
const roleSoon = 30

// roleList lists the roles that are held.
type roleList struct {
	headed
	env    *Env
	busy   tui.Busy
	held   paged[core.HeldGrant]
	user   string         // whose alone are listed; "" for everybody's
	ending bool           // only those that end soon are shown
	wanted func() tea.Cmd // what a step-up stands before
}

// rolesPage is a page of roles.
type rolesPage = pageRead[core.HeldGrant]

var (
	_ tui.Screen   = (*roleList)(nil)
	_ tui.Titled   = (*roleList)(nil)
	_ tui.Helper   = (*roleList)(nil)
	_ tui.Typer    = (*roleList)(nil)
	_ tui.Cursored = (*roleList)(nil)
	_ tui.Mouser   = (*roleList)(nil)
	_ tui.Numbered = (*roleList)(nil)
)

// NewRoles returns the screen.
func NewRoles(env *Env) tui.Screen {
	s := &roleList{env: env}
	s.held.id = func(g core.HeldGrant) string { return g.ID }
	s.table = tui.NewTable(env.Session, s.columns)
	s.table.Empty = func() string { return s.env.T("roles.empty") }
	s.table.Detail = s.drawn.once(s.detail)
	s.table.Open = func(r tui.Row) tea.Cmd { return tui.Push(s.page(r.ID)) }
	s.head, s.left = s.above, 1
	return s
}

// newRolesOf returns the screen with the roles of one person.
func newRolesOf(env *Env, user string) tui.Screen {
	s, _ := NewRoles(env).(*roleList)
	s.user = user
	s.table.Empty = func() string { return env.T("people.no_role", "User", escaped(user)) }
	return s
}

// Init reads the first page.
func (s *roleList) Init() tea.Cmd { return s.fetch("") }

// fetch returns the command that reads the page after a place, or nil while one
// is on its way.
func (s *roleList) fetch(after string) tea.Cmd {
	w, ok := s.held.want(after)
	if !ok {
		return nil
	}
	ctx, access, actor, clock := s.env.Ctx, s.env.Portal.Access, s.env.Actor(), s.env.Clock
	q := core.GrantQuery{User: s.user, After: after, N: listPage}
	if s.ending {
		q.Days = roleSoon
	}
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")), func() tea.Msg {
		page, err := access.List(ctx, actor, q)
		return rolesPage{wanted: w, list: page.Grants, next: page.Next, now: clock(), err: err}
	})
}

// Update takes pages, what other screens left behind, and keys.
func (s *roleList) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case rolesPage:
		return s, s.take(msg)
	case roleEnded:
		return s, s.ended(msg)
	case tui.BackMsg:
		return s, s.back(msg)
	case rolesRead: // one's own may be in the list
		return s, s.fetch("")
	case tui.RestyleMsg:
		s.table.Handle(msg)
		s.fill()
		return s, nil
	case tea.KeyPressMsg, tea.PasteMsg, tea.MouseMsg:
		cmd, used := s.handle(msg)
		if used {
			return s, tea.Batch(cmd, s.held.readOn(s.table, s.fetch))
		}
		if k, ok := msg.(tea.KeyPressMsg); ok {
			return s, s.key(k.String())
		}
		return s, nil
	}
	return s, s.busy.Handle(msg)
}

func (s *roleList) take(m rolesPage) tea.Cmd {
	if !s.held.take(m) {
		return nil
	}
	s.busy.Stop()
	s.fill()
	return s.held.readOn(s.table, s.fetch)
}

// anew reads the list again from its beginning: a role may have come anywhere in it.
func (s *roleList) anew() tea.Cmd {
	s.held.anew()
	return s.fetch("")
}

func (s *roleList) key(k string) tea.Cmd {
	r, marked := s.table.Selected()
	switch {
	case k == "esc":
		return tui.Pop()
	case k == "r":
		return s.anew()
	case k == "f":
		s.ending = !s.ending
		return s.anew()
	case k == "n" && s.env.may(core.OpManageRoles):
		return tui.Push(newGiveRoleTo(s.env, s.user))
	case k == "c" && marked:
		return s.change(r.ID)
	case k == "x" && marked:
		return s.askEnd(r.ID)
	}
	return nil
}

// back takes what the screens above left behind.
func (s *roleList) back(msg tui.BackMsg) tea.Cmd {
	switch m := msg.Result.(type) {
	case roleGiven:
		return tea.Batch(s.anew(), tui.Toast(tui.Good, s.env.T("roles.given", "User", escaped(m.user), "Role", s.env.roleWord(m.role))))
	case roleChanged:
		return tea.Batch(s.anew(), tui.Toast(tui.Good, s.env.T("roles.changed")))
	case tui.Confirmed:
		if done, ok := m.Result.(roleEnded); ok {
			return s.ended(done)
		}
	case proved:
		if do := s.wanted; do != nil {
			s.wanted = nil
			return do()
		}
	}
	return nil
}

// Title names the page.
func (s *roleList) Title() string { return s.env.T("roles.title") }

// Help returns the keys that work now.
func (s *roleList) Help() []key.Binding {
	e := s.env
	switch {
	case s.table.Typing():
		return s.table.Help()
	case !s.held.read:
		return e.waitingKeys(s.held.err)
	}
	var out []key.Binding
	if e.may(core.OpManageRoles) {
		out = append(out, e.bind("n", "roles.key_give"))
	}
	if g, ok := s.marked(); ok {
		out = append(out, s.acts(g)...)
	}
	out = afterOpen(s.table.Help(), append(out, e.bind("f", "roles.key_soon"))...)
	return append(out, e.bind("r", "page.refresh"), e.bind("esc", "key.back"))
}

// acts are the keys of what can be done with a role.
func (s *roleList) acts(g core.HeldGrant) (out []key.Binding) {
	if s.mine(g) || s.env.gives(g.Role) {
		out = append(out, s.env.bind("c", "roles.key_change"), s.env.bind("x", "roles.key_end"))
	}
	return out
}

func (s *roleList) mine(g core.HeldGrant) bool { return g.Account == s.env.Me().Account }

func (s *roleList) marked() (core.HeldGrant, bool) {
	r, _ := s.table.Selected()
	g, ok := s.held.find(r.ID)
	if !ok {
		return core.HeldGrant{}, false
	}
	return *g, true
}

// View is what is listed, the table and, under it, how much of it is there.
func (s *roleList) View() string {
	p := &s.held
	if said, unread := p.unread(s.env, &s.busy, s.w); unread {
		return said
	}
	said := ""
	if n := len(p.list); n > 0 {
		said = s.env.T("roles.all", "Count", n)
		if p.next != "" {
			said = s.env.T("roles.more", "Count", n)
		}
	}
	return withFoot(s.view(), p.foot(s.env, &s.busy, said, s.w), s.h)
}

// above says what is listed: all, or those that end soon.
func (s *roleList) above() string {
	e, th := s.env, s.env.Theme
	words := []string{e.T("roles.show_all"), e.T("roles.show_soon", "Days", roleSoon)}
	shown := 0
	if s.ending {
		shown = 1
	}
	if e.Caps.Lines {
		return e.T("roles.shown", "What", words[shown])
	}
	for i, word := range words {
		if i == shown {
			words[i] = th.Selected.Render(th.Signs.On + " " + word)
		} else {
			words[i] = th.Muted.Render(th.Signs.Off + " " + word)
		}
	}
	return th.Pad(strings.Join(words, "  "), s.w)
}

func (s *roleList) columns() []tui.Column {
	e := s.env
	return []tui.Column{
		{Title: e.T("roles.who"), Min: 12, Max: 34},
		{Title: e.T("roles.role"), Min: 8, Max: 14},
		{Title: e.T("roles.until"), Min: 14, Max: 28},
		{Title: e.T("roles.by"), Min: 10, Max: 24, Spare: true},
		{Title: e.T("roles.since"), Min: 10, Max: 16, Spare: true},
	}
}

// fill makes the rows anew.
func (s *roleList) fill() {
	rows := make([]tui.Row, len(s.held.list))
	for i, g := range s.held.list {
		who := escaped(g.UserName)
		if g.State != core.StateActive {
			who += " (" + s.env.T("state."+string(g.State)) + ")"
		}
		rows[i] = tui.Row{ID: g.ID, Here: s.mine(g), Cells: []string{
			who, s.env.roleWord(g.Role), s.until(g), s.env.giver(g), s.env.Dict.Relative(g.Created, s.held.now),
		}}
	}
	s.table.SetRows(rows)
	s.fit()
}

// until says when a role ends; one that ends soon is marked.
func (s *roleList) until(g core.HeldGrant) string {
	switch {
	case g.Until.IsZero():
		return s.env.T("roles.for_good")
	case g.Until.After(s.held.now.AddDate(0, 0, roleSoon)):
		return s.env.Dict.Date(g.Until.Add(-time.Second)) // the last day of it
	}
	return "! " + s.env.Dict.Relative(g.Until, s.held.now)
}

// giver says who gave a role.
func (e *Env) giver(g core.HeldGrant) string {
	switch g.ByName {
	case "":
		return e.T("roles.by_portal")
	case core.ActorConsole:
		return e.T("roles.by_console")
	}
	return escaped(g.ByName)
}

// facts are everything that is known of a role.
func (s *roleList) facts(g core.HeldGrant) []tui.Fact {
	e := s.env
	until := e.T("roles.for_good")
	if !g.Until.IsZero() {
		until = e.both(g.Until, s.held.now)
	}
	return []tui.Fact{
		{Name: e.T("roles.who"), Value: escaped(g.UserName)},
		{Name: e.T("roles.name"), Value: escaped(g.DisplayName)},
		{Name: e.T("roles.state"), Value: e.T("state." + string(g.State))},
		{Name: e.T("roles.role"), Value: e.roleWord(g.Role)},
		{Name: e.T("roles.may"), Value: e.T("roles.means." + string(g.Role))},
		{Name: e.T("roles.until"), Value: until},
		{Name: e.T("roles.by"), Value: e.giver(g)},
		{Name: e.T("roles.since"), Value: e.both(g.Created, s.held.now)},
	}
}

// detail says more about the marked row: all of it where there is room beside
// the table, under it what no column says.
func (s *roleList) detail(r tui.Row, width int) string {
	g, ok := s.held.find(r.ID)
	if !ok {
		return ""
	}
	facts := s.facts(*g)
	if s.w < tui.DetailWidth {
		facts = []tui.Fact{facts[1], facts[4], facts[5], facts[6]}
	}
	return s.env.Theme.Facts(facts, width)
}

// page is one role in full.
func (s *roleList) page(id string) tui.Screen {
	e := s.env
	p := &page{env: e}
	p.title = func() string { return e.T("roles.one") }
	p.body = func(width int) string {
		g, ok := s.held.find(id)
		if !ok {
			return tui.Wrap(e.T("roles.gone"), width)
		}
		return e.Theme.Facts(s.facts(*g), width)
	}
	return p
}
