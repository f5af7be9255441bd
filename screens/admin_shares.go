// With whom an app is shared: who has which role, from when and until when. What
// begins later and what ends soon is marked, and can be looked at by itself.

package screens

import (
	"context"
	"slices"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/core/text"
	"postern/tui"
)

// shareList lists the shares of one app.
type shareList struct {
	headed
	env    *Env
	app    core.AppDetail
	busy   tui.Busy
	shares paged[core.Share]
	state  core.ShareState // the one that is shown; "" is all of them
	act    *deed
}

// sharesRead is one page of them.
type sharesRead struct{ pageRead[core.Share] }

// revokedShare is a share that was ended.
type revokedShare struct{ user string }

var (
	_ tui.Screen   = (*shareList)(nil)
	_ tui.Titled   = (*shareList)(nil)
	_ tui.Helper   = (*shareList)(nil)
	_ tui.Typer    = (*shareList)(nil)
	_ tui.Cursored = (*shareList)(nil)
	_ tui.Mouser   = (*shareList)(nil)
	_ tui.Numbered = (*shareList)(nil)
)

// newShares returns the screen.
func newShares(env *Env, app core.AppDetail) tui.Screen {
	s := &shareList{env: env, app: app}
	s.shares.id = func(x core.Share) string { return x.ID }
	s.table = tui.NewTable(env.Session, s.columns)
	s.table.Empty = s.empty
	s.table.Detail = s.drawn.once(s.detail)
	s.head, s.tied, s.left = s.states, true, 1
	return s
}

func shareStates() []core.ShareState {
	return []core.ShareState{"", core.ShareActive, core.SharePending, core.ShareEnding}
}

// Init reads the first page.
func (s *shareList) Init() tea.Cmd { return s.fetch("") }

func (s *shareList) fetch(after string) tea.Cmd {
	w, ok := s.shares.want(after)
	if !ok {
		return nil
	}
	ctx, apps, actor, clock := s.env.Ctx, s.env.Portal.Apps, s.env.Actor(), s.env.Clock
	id, state := s.app.ID, s.state
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")), func() tea.Msg {
		page, err := apps.Shares(ctx, actor, id, state, w.after, listPage)
		return sharesRead{pageRead[core.Share]{w, page.Shares, page.Next, clock(), err}}
	})
}

func (s *shareList) anew() tea.Cmd {
	s.shares.anew()
	return s.fetch("")
}

// Update takes pages, what other screens left behind, and keys.
func (s *shareList) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case sharesRead:
		return s, s.shares.arrived(msg.pageRead, &s.busy, s.table, s.fill, s.fetch)
	case deedDone:
		result, _, cmd := s.act.took(msg)
		return s, tea.Batch(cmd, s.did(result), s.anew())
	case tui.BackMsg:
		result, done, cmd := s.act.back(msg)
		if !done {
			result = msg.Result
		}
		return s, tea.Batch(cmd, s.did(result), s.anew())
	case tui.RestyleMsg:
		s.table.Handle(msg)
		s.fill()
		return s, nil
	case tea.KeyPressMsg, tea.PasteMsg, tea.MouseMsg:
		cmd, used := s.handle(msg)
		if used {
			return s, tea.Batch(cmd, s.shares.readOn(s.table, s.fetch))
		}
		if k, ok := msg.(tea.KeyPressMsg); ok {
			return s, s.key(k.String())
		}
		return s, nil
	}
	return s, s.busy.Handle(msg)
}

// did says what was done.
func (s *shareList) did(result any) tea.Cmd {
	e := s.env
	switch r := result.(type) {
	case core.Share:
		return tui.Toast(tui.Good, e.T("apps.shared", "User", text.Escape(r.UserName), "Role", e.appRole(r)))
	case endedAt:
		return tui.Toast(tui.Good, e.T("apps.end_changed"))
	case revokedShare:
		return tui.Toast(tui.Good, e.T("apps.revoked", "User", text.Escape(r.user)))
	}
	return nil
}

// mayChange says whether to offer changes. The core decides.
func (s *shareList) mayChange() bool { return s.app.Mine || s.env.may(core.OpApps) }

func (s *shareList) key(k string) tea.Cmd {
	switch k {
	case "esc":
		return tui.Pop()
	case "r":
		return s.anew()
	case "f":
		states := shareStates()
		s.state = states[(slices.Index(states, s.state)+1)%len(states)]
		return s.anew()
	}
	if !s.mayChange() || !s.shares.read {
		return nil
	}
	if k == "n" {
		return tui.Push(newShare(s.env, s.app))
	}
	r, ok := s.table.Selected()
	x, found := s.shares.find(r.ID)
	if !ok || !found || k != "u" && k != "x" {
		return nil
	}
	if x.Role == core.RoleAppOwner {
		return tui.Toast(tui.Info, s.env.T("apps.owner_stays"))
	}
	if k == "u" {
		return tui.Push(newShareEnd(s.env, *x))
	}
	return s.askRevoke(*x)
}

// askRevoke opens the dialog, which names what is lost.
func (s *shareList) askRevoke(x core.Share) tea.Cmd {
	e, apps, actor := s.env, s.env.Portal.Apps, s.env.Actor()
	s.act = &deed{env: e, why: "apps.why_proof", do: func(ctx context.Context) (any, error) {
		return revokedShare{x.UserName}, apps.Revoke(ctx, actor, x.ID)
	}}
	return tui.Push(tui.NewConfirm(e.Session, func() tui.ConfirmSpec {
		may := e.T("apps.no_permissions")
		if len(x.Permissions) > 0 {
			may = text.Escape(strings.Join(x.Permissions, " "))
		}
		return tui.ConfirmSpec{
			Title: e.T("apps.revoke_title"),
			Text:  e.T("apps.revoke_text", "User", text.Escape(x.UserName), "App", text.Escape(x.AppName), "Role", e.appRole(x), "May", may),
			Yes:   e.T("apps.revoke_yes"), Do: s.act.inDialog,
		}
	}))
}

// View is the states, the table and, under it, how much of the list it holds.
func (s *shareList) View() string {
	p := &s.shares
	if said, unread := p.unread(s.env, &s.busy, s.w); unread {
		return said
	}
	said := ""
	if n := len(p.list); n > 0 {
		said = s.env.T("apps.shares", "Count", n)
	}
	return withFoot(s.view(), p.foot(s.env, &s.busy, said, s.w), s.h)
}

// states are the states that can be shown, with a sign before the one that is.
func (s *shareList) states() string {
	e, th := s.env, s.env.Theme
	word := func(state core.ShareState) string {
		if state == "" {
			state = "any"
		}
		return e.T("apps.stands." + string(state))
	}
	if e.Caps.Lines {
		return e.T("outbox.shown", "State", word(s.state))
	}
	var parts []string
	for _, state := range shareStates() {
		if state == s.state {
			parts = append(parts, th.Selected.Render(th.Signs.On+" "+word(state)))
		} else {
			parts = append(parts, th.Muted.Render(th.Signs.Off+" "+word(state)))
		}
	}
	return th.Pad(strings.Join(parts, "  "), s.w)
}

func (s *shareList) empty() string {
	if s.state != "" {
		return s.env.T("apps.empty_state")
	}
	return s.env.T("apps.empty_shares")
}

func (s *shareList) columns() []tui.Column {
	e := s.env
	return []tui.Column{
		{Title: e.T("apps.user"), Min: 8, Max: 32},
		{Title: e.T("apps.role"), Min: 8, Max: 24},
		{Title: e.T("apps.state"), Min: 10, Max: 20},
		{Title: e.T("apps.ends"), Min: 8, Max: 20},
		{Title: e.T("apps.begins"), Min: 8, Max: 20, Spare: true},
	}
}

// appRole names a role on an app: its own word, but for the owner's.
func (e *Env) appRole(x core.Share) string {
	if x.Role == core.RoleAppOwner {
		return e.T("apps.role_owner")
	}
	return text.Escape(string(x.Role))
}

// shareState is a sign and a word for how a share stands.
func (e *Env) shareState(state core.ShareState) string {
	sign := e.Theme.Signs.OK
	switch state {
	case core.SharePending:
		sign = e.Theme.Signs.Pending
	case core.ShareEnding:
		sign = "!"
	}
	return sign + " " + e.T("apps.stands."+string(state))
}

// fill makes the rows anew.
func (s *shareList) fill() {
	e, now := s.env, s.shares.now
	rows := make([]tui.Row, len(s.shares.list))
	for i, x := range s.shares.list {
		ends, begins := e.T("apps.for_good"), x.Created
		if !x.Until.IsZero() {
			ends = e.Dict.Relative(x.Until, now)
		}
		if !x.From.IsZero() {
			begins = x.From
		}
		rows[i] = tui.Row{ID: x.ID, Here: x.Account == e.me.Account, Cells: []string{
			text.Escape(x.UserName), e.appRole(x), e.shareState(x.State), ends, e.Dict.Relative(begins, now),
		}}
	}
	s.table.SetRows(rows)
	s.fit()
}

// shareFacts are everything that is known of a share, with exact times.
func (e *Env) shareFacts(x core.Share, p *paged[core.Share]) []tui.Fact {
	now := p.now
	may := e.T("apps.no_permissions")
	switch {
	case x.Role == core.RoleAppOwner:
		may = e.T("apps.owner_may")
	case len(x.Permissions) > 0:
		may = text.Escape(strings.Join(x.Permissions, " "))
	}
	ends, begins := e.T("apps.for_good"), x.Created
	if !x.Until.IsZero() {
		ends = e.both(x.Until, now)
	}
	if !x.From.IsZero() {
		begins = x.From
	}
	by := text.Escape(x.ByName)
	if x.ByName == core.ActorConsole {
		by = e.T("door.console")
	}
	return []tui.Fact{
		{Name: e.T("apps.role"), Value: e.appRole(x)},
		{Name: e.T("apps.may"), Value: may},
		{Name: e.T("apps.begins"), Value: e.both(begins, now)},
		{Name: e.T("apps.ends"), Value: ends},
		{Name: e.T("apps.by"), Value: orDash(by)},
	}
}

func (s *shareList) detail(r tui.Row, width int) string {
	x, ok := s.shares.find(r.ID)
	if !ok {
		return ""
	}
	return s.env.Theme.Facts(s.env.shareFacts(*x, &s.shares), width)
}

// Title names the page.
func (s *shareList) Title() string {
	return s.env.T("apps.sharing_title")
}

// Help returns the keys that work now.
func (s *shareList) Help() []key.Binding {
	e := s.env
	switch {
	case s.table.Typing():
		return s.table.Help()
	case !s.shares.read:
		return e.waitingKeys(s.shares.err)
	}
	var out []key.Binding
	if s.mayChange() {
		out = append(out, e.bind("n", "apps.key_share"))
		if len(s.shares.list) > 0 {
			out = append(out, e.bind("u", "apps.key_end"), e.bind("x", "apps.key_revoke"))
		}
	}
	out = append(out, e.bind("f", "apps.key_state"))
	out = append(out, s.table.Help()...)
	return append(out, e.bind("r", "page.refresh"), e.bind("esc", "key.back"))
}
