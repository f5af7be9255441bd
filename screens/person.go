// Who an account belongs to: the fields that sign-up and the setup share.

package screens

import (
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/core/names"
	"postern/tui"
)

// personFields are the fields that say whose account it is to be.
type personFields struct {
	env                          *Env
	userName, displayName, email string

	free  tui.Latest[error]
	known bool  // whether the name as it stands was looked at
	err   error // why it cannot be had
}

func (p *personFields) fields(emailRequired bool) []tui.Field {
	e := p.env
	hint := ""
	if !emailRequired {
		hint = e.T("signup.optional")
	}
	return []tui.Field{
		tui.Text{Key: "user_name", Label: e.T("signup.user_name"), Value: &p.userName, Limit: names.MaxUserName, Aside: p.aside, Check: p.check},
		tui.Text{Key: "display_name", Label: e.T("signup.display_name"), Value: &p.displayName, Limit: names.MaxDisplayName,
			Optional: true, Hint: e.T("signup.display_name_hint"), Check: p.likely(names.DisplayName)},
		tui.Text{Key: "email", Label: e.T("signup.email"), Value: &p.email, Limit: names.MaxEmail,
			Optional: !emailRequired, Hint: hint, Check: p.likely(names.Email)},
	}
}

// likely returns a Check that finds what the core would refuse anyway, before
// the next page is turned to.
func (p *personFields) likely(clean func(string) (string, error)) func(string) string {
	return func(v string) string {
		if _, err := clean(v); v != "" && err != nil {
			return p.env.Sentence(&core.Error{Code: core.CodeFormat})
		}
		return ""
	}
}

// changed asks whether the name is free; of several questions only the newest counts.
func (p *personFields) changed(field string) tea.Cmd {
	if field != "user_name" {
		return nil
	}
	p.known = false
	if p.userName == "" {
		p.free.Forget()
		return nil
	}
	e, actor, name := p.env, p.env.Actor(), p.userName
	return p.free.Ask(func() error { return e.Portal.Accounts.NameFree(e.Ctx, actor, name) })
}

// update takes the answer about the name.
func (p *personFields) update(msg tea.Msg) (mine bool, cmd tea.Cmd) {
	err, fresh, mine, next := p.free.Answer(msg)
	if fresh {
		p.err = err
		switch core.CodeOf(err) {
		case core.CodeInternal, core.CodeUnavailable:
			// Nothing is known of the name; sign-up itself will tell.
			p.known = false
		default:
			p.known = true
		}
	}
	return mine, next
}

func (p *personFields) aside() string {
	t := p.env.Theme
	switch {
	case !p.known || p.userName == "":
		return ""
	case p.err == nil:
		return t.Good.Render(t.Signs.OK + " " + p.env.T("signup.free"))
	case core.CodeOf(p.err) == core.CodeTaken:
		return t.Bad.Render(t.Signs.No + " " + p.env.T("signup.taken"))
	default:
		return t.Bad.Render(t.Signs.No + " " + p.env.T("signup.not_possible"))
	}
}

func (p *personFields) check(string) string {
	if !p.known || p.err == nil {
		return ""
	}
	return p.env.Sentence(p.err)
}

func (p *personFields) person() core.Person {
	return core.Person{UserName: p.userName, DisplayName: p.displayName, Email: p.email}
}

func (p *personFields) input() core.SignUpInput {
	in := core.SignUpInput{UserName: p.userName, DisplayName: p.displayName, Email: p.email}
	// The terminal's own language needs no keeping; another one was chosen here.
	if tag := p.env.Dict.Tag(); tag != p.env.visitor {
		in.Language = tag
	}
	return in
}
