// One role: giving it, changing when it ends, ending it. Each stands behind a
// step-up where one is due.

package screens

import (
	"context"
	"slices"

	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// What the screens leave behind: a role was given, or its end changed.
type (
	roleGiven struct {
		user string
		role core.Role
	}
	roleChanged struct{}
)

// roleEnded is what came of ending a role.
type roleEnded struct {
	id  string
	own bool
	err error
}

// gives says whether the person may give and end a role, as far as their own go.
func (e *Env) gives(role core.Role) bool {
	return slices.ContainsFunc(e.roles, func(mine core.Role) bool { return core.RoleGives(mine, role) })
}

// checkEnd refuses what is no end; that it is past the core says.
func (e *Env) checkEnd(v string) string {
	if _, err := core.ParseEnd(v, e.Dict.Zone()); err != nil {
		return e.T("roles.end_format")
	}
	return ""
}

// endField asks until when.
func (e *Env) endField(value *string) tui.Field {
	return tui.Text{Key: "until", Label: e.T("roles.until"), Value: value, Optional: true, Limit: 40,
		Hint: e.T("roles.end_hint"), Check: e.checkEnd,
		Below: func(width int) string { return e.Theme.Muted.Render(tui.Wrap(e.T("roles.end_help"), width)) }}
}

// roleForm asks for a role: a new one, or with held for another end of one.
type roleForm struct {
	*tui.Form
	env               *Env
	held              *core.HeldGrant
	user, role, until string
}

var (
	_ tui.Screen   = (*roleForm)(nil)
	_ tui.Titled   = (*roleForm)(nil)
	_ tui.Helper   = (*roleForm)(nil)
	_ tui.Typer    = (*roleForm)(nil)
	_ tui.Cursored = (*roleForm)(nil)
	_ tui.Asking   = (*roleForm)(nil)
)

// newGiveRole returns the form that gives a role.
func newGiveRole(env *Env) tui.Screen {
	s := &roleForm{env: env}
	if given := s.given(); len(given) > 0 {
		s.role = string(given[len(given)-1]) // the least
	}
	s.Form = tui.NewForm(env.Session, s.spec)
	return s
}

// newGiveRoleTo returns the form with whom it is given to, "" for nobody yet.
func newGiveRoleTo(env *Env, user string) tui.Screen {
	s, _ := newGiveRole(env).(*roleForm)
	s.user = user
	return s
}

// newRoleEnd returns the form that changes the end of a role.
func newRoleEnd(env *Env, g core.HeldGrant) tui.Screen {
	s := &roleForm{env: env, held: &g, until: core.FormatEnd(g.Until, env.Dict.Zone())}
	s.Form = tui.NewForm(env.Session, s.spec)
	return s
}

// given are the roles that can be given.
func (s *roleForm) given() (out []core.Role) {
	for _, r := range core.Roles() {
		if s.env.gives(r) {
			out = append(out, r)
		}
	}
	return out
}

func (s *roleForm) spec() tui.FormSpec {
	e := s.env
	if s.held != nil {
		return tui.FormSpec{
			Pages: []tui.Page{{
				Text:   e.T("roles.change_text", "User", escaped(s.held.UserName), "Role", e.roleWord(s.held.Role)),
				Fields: []tui.Field{e.endField(&s.until)},
			}},
			Submit: e.T("roles.change_submit"), Busy: e.T("roles.busy"), Do: s.save,
		}
	}
	var roles []tui.Option
	for _, r := range s.given() {
		roles = append(roles, tui.Option{Value: string(r), Label: e.roleWord(r), Note: e.T("roles.means." + string(r))})
	}
	return tui.FormSpec{
		Pages: []tui.Page{{Text: e.T("roles.give_text"), Fields: []tui.Field{
			tui.Text{Key: "user", Label: e.T("roles.user"), Value: &s.user, Hint: e.T("roles.user_hint")},
			tui.Choice{Key: "role", Label: e.T("roles.role"), Value: &s.role, Options: roles},
			e.endField(&s.until),
		}}},
		Submit: e.T("roles.give_submit"), Busy: e.T("roles.busy"), Do: s.save,
	}
}

// save returns the command that gives the role or changes its end.
func (s *roleForm) save() tea.Cmd {
	access, actor, zone := s.env.Portal.Access, s.env.Actor(), s.env.Dict.Zone()
	user, role, typed, held := s.user, core.Role(s.role), s.until, s.held
	return call(s.env.Ctx, func(ctx context.Context) (core.Grant, error) {
		until, err := core.ParseEnd(typed, zone)
		switch {
		case err != nil:
			return core.Grant{}, err
		case held != nil:
			return access.SetEnd(ctx, actor, held.ID, until)
		}
		return access.Grant(ctx, actor, user, role, until)
	})
}

// Update takes the core's answer.
func (s *roleForm) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch m := msg.(type) {
	case answer[core.Grant]:
		return s, s.saved(m)
	case tui.BackMsg:
		if isProved(m) {
			return s, s.save()
		}
		s.Release()
		return s, nil
	}
	return s, s.Handle(msg)
}

func (s *roleForm) saved(m answer[core.Grant]) tea.Cmd {
	switch core.CodeOf(m.Err) {
	case "":
		if s.held != nil {
			return tui.PopWith(roleChanged{})
		}
		return tui.PopWith(roleGiven{s.user, m.Value.Role})
	case core.CodeStepUp:
		return tui.Push(newStepUp(s.env, "stepup.why_role"))
	case core.CodeNotFound:
		if s.held != nil {
			return tea.Sequence(tui.PopWith(roleChanged{}), tui.Toast(tui.Info, s.env.T("roles.was_gone")))
		}
	}
	r := refusalOf(s.env, m.Err)
	switch {
	case core.CodeOf(m.Err) == core.CodeNotFound:
		r.Text = s.env.T("roles.nobody")
	case core.CodeOf(m.Err) == core.CodeFormat && r.Field == "until":
		r.Text = s.env.T("roles.end_format")
	}
	s.Refuse(r)
	return nil
}

// Title is the screen's.
func (s *roleForm) Title() string {
	if s.held != nil {
		return s.env.T("roles.change_title")
	}
	return s.env.T("roles.give_title")
}

// change opens the form for another end.
func (s *roleList) change(id string) tea.Cmd {
	g, ok := s.held.find(id)
	switch {
	case !ok:
		return s.anew()
	case !s.mine(*g) && !s.env.gives(g.Role):
		return tui.Toast(tui.Info, s.env.T("roles.above"))
	}
	return tui.Push(newRoleEnd(s.env, *g))
}

// askEnd opens the dialog that ends a role. It names what is lost, and asks for
// the name of whose role it is; of one's own it says what that means.
func (s *roleList) askEnd(id string) tea.Cmd {
	e := s.env
	found, ok := s.held.find(id)
	switch {
	case !ok:
		return s.anew()
	case !s.mine(*found) && !e.gives(found.Role):
		return tui.Toast(tui.Info, e.T("roles.above"))
	}
	g := *found
	return tui.Push(tui.NewConfirm(e.Session, func() tui.ConfirmSpec {
		words := e.T("roles.lose", "User", escaped(g.UserName), "Role", e.roleWord(g.Role), "May", e.T("roles.means."+string(g.Role)))
		if s.mine(g) {
			words = e.T("roles.lose_own", "Role", e.roleWord(g.Role), "May", e.T("roles.means."+string(g.Role)))
		}
		return tui.ConfirmSpec{
			Title: e.T("roles.end_title"), Text: words, Name: escaped(g.UserName), Yes: e.T("roles.end_yes"),
			Do: func() tea.Cmd { return s.endInDialog(g.ID) },
		}
	}))
}

// end returns the command that ends a role.
func (s *roleList) end(id string) tea.Cmd {
	ctx, access, actor := s.env.Ctx, s.env.Portal.Access, s.env.Actor()
	g, ok := s.held.find(id)
	own := ok && s.mine(*g)
	return func() tea.Msg { return roleEnded{id, own, access.End(ctx, actor, id, "")} }
}

// endInDialog is end for the dialog, which closes for all that goes on somewhere
// else and stays for what it can only say.
func (s *roleList) endInDialog(id string) tea.Cmd {
	end, words := s.end(id), s.env.Dict
	return func() tea.Msg {
		done, _ := end().(roleEnded)
		switch core.CodeOf(done.err) {
		case "", core.CodeNotFound, core.CodeStepUp:
			return tui.Confirmed{Result: done}
		}
		return tui.Confirmed{Refused: sentence(words, done.err)}
	}
}

// ended takes what came of ending a role.
func (s *roleList) ended(m roleEnded) tea.Cmd {
	switch core.CodeOf(m.err) {
	case "":
		if m.own { // home says so, and closes what is open by it
			return s.anew()
		}
		return tea.Batch(s.anew(), tui.Toast(tui.Good, s.env.T("roles.ended")))
	case core.CodeNotFound:
		return tea.Batch(s.anew(), tui.Toast(tui.Info, s.env.T("roles.was_gone")))
	case core.CodeStepUp:
		s.wanted = func() tea.Cmd { return s.end(m.id) }
		return tui.Push(newStepUp(s.env, "stepup.why_role"))
	}
	return tea.Batch(s.anew(), tui.Toast(tui.Bad, s.env.Sentence(m.err)))
}
