// Invitations, for those who may invite: which there are, how many may still come
// by each, and until when.

package screens

import (
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// invitations lists them.
type invitations struct {
	listing
	env  *Env
	busy tui.Busy
	list paged[core.Invite]
}

// invitesRead is a page of invitations.
type invitesRead struct{ pageRead[core.Invite] }

// inviteRevoked is what came of revoking one.
type inviteRevoked struct{}

var (
	_ tui.Screen   = (*invitations)(nil)
	_ tui.Titled   = (*invitations)(nil)
	_ tui.Helper   = (*invitations)(nil)
	_ tui.Typer    = (*invitations)(nil)
	_ tui.Cursored = (*invitations)(nil)
	_ tui.Mouser   = (*invitations)(nil)
	_ tui.Numbered = (*invitations)(nil)
)

// NewInvitations returns the screen.
func NewInvitations(env *Env) tui.Screen {
	s := &invitations{env: env}
	s.list.id = func(i core.Invite) string { return i.ID }
	s.table = tui.NewTable(env.Session, s.columns)
	s.table.Empty = func() string { return env.T("invites.empty") }
	s.table.Detail = s.drawn.once(s.detail)
	return s
}

// Init reads the first page.
func (s *invitations) Init() tea.Cmd { return s.fetch("") }

func (s *invitations) fetch(after string) tea.Cmd {
	w, ok := s.list.want(after)
	if !ok {
		return nil
	}
	ctx, invites, actor, clock := s.env.Ctx, s.env.Portal.Invites, s.env.Actor(), s.env.Clock
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")), func() tea.Msg {
		m := invitesRead{pageRead[core.Invite]{wanted: w, now: clock()}}
		if m.list, m.err = invites.List(ctx, actor, after, listPage); len(m.list) == listPage {
			m.next = m.list[listPage-1].ID
		}
		return m
	})
}

// Update takes pages, what other screens left behind, and keys.
func (s *invitations) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case invitesRead:
		return s, s.list.arrived(msg.pageRead, &s.busy, s.table, s.fill, s.fetch)
	case tui.BackMsg:
		switch r := msg.Result.(type) {
		case inviteMade:
			s.list.anew()
			return s, s.fetch("")
		case tui.Confirmed:
			if _, ok := r.Result.(inviteRevoked); ok {
				s.list.anew()
				return s, tea.Batch(s.fetch(""), tui.Toast(tui.Good, s.env.T("invites.revoked")))
			}
		}
		return s, nil
	case tui.RestyleMsg:
		s.table.Handle(msg)
		s.fill()
		return s, nil
	case tea.KeyPressMsg, tea.PasteMsg, tea.MouseMsg:
		return s, s.list.input(s.table, msg, s.fetch, s.key)
	}
	return s, s.busy.Handle(msg)
}

func (s *invitations) key(k string) tea.Cmd {
	switch k {
	case "esc":
		return tui.Pop()
	case "r":
		s.list.anew()
		return s.fetch("")
	case "n":
		return tui.Push(newInvite(s.env))
	case "x":
		if r, ok := s.table.Selected(); ok {
			return s.askRevoke(r.ID)
		}
	}
	return nil
}

// askRevoke opens the dialog that ends an invitation.
func (s *invitations) askRevoke(id string) tea.Cmd {
	found, ok := s.list.find(id)
	if !ok {
		return nil
	}
	e, inv := s.env, *found
	ctx, invites, actor, words := e.Ctx, e.Portal.Invites, e.Actor(), e.Dict
	return tui.Push(tui.NewConfirm(e.Session, func() tui.ConfirmSpec {
		return tui.ConfirmSpec{
			Title: e.T("invites.revoke_title"),
			Text:  e.T("invites.revoke_text", "Note", orDash(escaped(inv.Note)), "Count", max(inv.Uses, 0)),
			Yes:   e.T("invites.revoke_yes"),
			Do: func() tea.Cmd {
				return func() tea.Msg {
					err := invites.Revoke(ctx, actor, id)
					if err != nil && core.CodeOf(err) != core.CodeNotFound { // gone already is what was wanted
						return tui.Confirmed{Refused: sentence(words, err)}
					}
					return tui.Confirmed{Result: inviteRevoked{}}
				}
			},
		}
	}))
}

// View is the table and, under it, how many there are.
func (s *invitations) View() string {
	p := &s.list
	if said, unread := p.unread(s.env, &s.busy, s.w); unread {
		return said
	}
	said := ""
	if n := len(p.list); n > 0 {
		said = s.env.T("invites.all", "Count", n)
	}
	return withFoot(s.table.View(), p.foot(s.env, &s.busy, said, s.w), s.h)
}

func (s *invitations) columns() []tui.Column {
	e := s.env
	return []tui.Column{
		{Title: e.T("invites.note"), Min: 12, Max: 36},
		{Title: e.T("invites.left"), Min: 6, Max: 14, Right: true},
		{Title: e.T("invites.ends"), Min: 8, Max: 16},
		{Title: e.T("invites.role"), Min: 6, Max: 16},
		{Title: e.T("invites.by"), Min: 6, Max: 20, Spare: true},
		{Title: e.T("invites.made"), Min: 8, Max: 16, Spare: true},
	}
}

// fill makes the rows anew.
func (s *invitations) fill() {
	d := s.env.Dict
	rows := make([]tui.Row, len(s.list.list))
	for i, inv := range s.list.list {
		rows[i] = tui.Row{ID: inv.ID, Cells: []string{
			orDash(escaped(inv.Note)), s.left(inv), s.ends(inv, s.list.now), s.env.invitedRole(inv), s.by(inv), d.Relative(inv.Created, s.list.now),
		}}
	}
	s.table.SetRows(rows)
	s.drawn.forget()
}

// left says how many may still come, of how many.
func (s *invitations) left(inv core.Invite) string {
	if inv.Of == 0 {
		return s.env.Dict.Number(int64(inv.Uses))
	}
	return s.env.T("invites.left_of", "Left", inv.Uses, "Of", inv.Of)
}

func (s *invitations) ends(inv core.Invite, now time.Time) string {
	if inv.Over(now) {
		return s.env.Theme.Signs.No + " " + s.env.T("invites.over")
	}
	return s.env.Dict.Relative(inv.Until, now)
}

func (s *invitations) by(inv core.Invite) string {
	if inv.By == core.ActorConsole {
		return s.env.T("sessions.door.console")
	}
	return orDash(escaped(inv.ByName))
}

// invitedRole names the role that an invitation brings, or none.
func (e *Env) invitedRole(inv core.Invite) string {
	if inv.Role == "" {
		return "-"
	}
	return e.T("role." + string(inv.Role))
}

// detail says more about the marked row.
func (s *invitations) detail(r tui.Row, width int) string {
	inv, ok := s.list.find(r.ID)
	if !ok {
		return ""
	}
	e, now := s.env, s.list.now
	facts := []tui.Fact{
		{Name: e.T("invites.ends"), Value: e.both(inv.Until, now)},
		{Name: e.T("invites.by"), Value: s.by(*inv)},
		{Name: e.T("invites.made"), Value: e.both(inv.Created, now)},
	}
	if inv.Role != "" {
		role := e.invitedRole(*inv)
		if !inv.RoleUntil.IsZero() {
			role = e.T("invites.role_until", "Role", role, "Until", e.Dict.DateTime(inv.RoleUntil))
		}
		facts = append([]tui.Fact{{Name: e.T("invites.role"), Value: role}}, facts...)
	}
	return e.Theme.Facts(facts, width)
}

// Title names the page.
func (s *invitations) Title() string { return s.env.T("invites.title") }

// Help returns the keys that work now.
func (s *invitations) Help() []key.Binding {
	e := s.env
	switch {
	case s.table.Typing():
		return s.table.Help()
	case !s.list.read:
		return e.waitingKeys(s.list.err)
	}
	out := []key.Binding{e.bind("n", "invites.key_new")}
	if len(s.list.list) > 0 {
		out = append(out, e.bind("x", "invites.key_revoke"))
	}
	out = append(out, s.table.Help()...)
	return append(out, e.bind("r", "page.refresh"), e.bind("esc", "key.back"))
}
