// The forced change of a password: the step of a sign-in whose password has
// expired, is too old under the policy, or was lost.

package screens

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// forced asks for a new password before a sign-in goes on.
type forced struct {
	*tui.Form
	env      *Env
	progress core.Progress
	password newPassword
	guide    core.PasswordGuide
	ear      rulesEar
}

var (
	_ tui.Screen   = (*forced)(nil)
	_ tui.Titled   = (*forced)(nil)
	_ tui.Helper   = (*forced)(nil)
	_ tui.Typer    = (*forced)(nil)
	_ tui.Cursored = (*forced)(nil)
)

// newForced returns the screen of core.StepChangePassword.
func newForced(env *Env, p core.Progress) tui.Screen {
	s := &forced{env: env, progress: p}
	s.password = newPassword{env: env, label: "forced.password"}
	s.password.feedback = newPasswordFeedback(env, func() core.PasswordGuide { return s.guide },
		func() core.Person { return p.Person })
	s.Form = tui.NewForm(env.Session, s.spec)
	return s
}

// Init reads the rules in force.
func (s *forced) Init() tea.Cmd {
	return tea.Batch(s.Form.Init(), s.rules(), s.ear.open(s.env))
}

// rules returns the command that reads the rules that the account lives under.
func (s *forced) rules() tea.Cmd {
	signIn, actor, ticket := s.env.Portal.SignIn, s.env.Actor(), s.progress.Ticket
	return call(s.env.Ctx, func(ctx context.Context) (core.PasswordGuide, error) { return signIn.Guide(ctx, actor, ticket) })
}

func (s *forced) spec() tui.FormSpec {
	e := s.env
	why := "forced.why." + s.progress.Why
	if !e.Dict.Has(why) {
		why = "forced.why.expired"
	}
	return tui.FormSpec{
		Pages:  []tui.Page{{Title: e.T("forced.heading"), Text: e.T(why), Fields: s.password.fields()}},
		Submit: e.T("forced.submit"), Busy: e.T("forced.busy"),
		Do: s.send,
		Changed: func(field string) tea.Cmd {
			if field == "password" {
				return s.password.judge()
			}
			return nil
		},
		Leave: func() tea.Cmd {
			s.ear.shut()
			s.password.wipe()
			return tea.Sequence(tui.Pop(), tui.Toast(tui.Info, e.T("forced.left")))
		},
	}
}

func (s *forced) send() tea.Cmd {
	signIn, actor, ticket, pw := s.env.Portal.SignIn, s.env.Actor(), s.progress.Ticket, s.password.typed
	return call(s.env.Ctx, func(ctx context.Context) (core.Progress, error) {
		return signIn.ChangePassword(ctx, actor, ticket, pw)
	})
}

// Update takes the core's answers.
func (s *forced) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	if mine, cmd := s.password.feedback.Update(msg); mine {
		return s, cmd
	}
	switch msg := msg.(type) {
	case answer[core.PasswordGuide]:
		if msg.Err != nil {
			return s, tui.Toast(tui.Bad, s.env.Sentence(msg.Err))
		}
		s.guide = msg.Value
		return s, s.password.judge()
	case rulesChanged:
		return s, tea.Batch(msg.again(), s.rules())
	case answer[core.Progress]:
		s.password.wipe()
		switch core.CodeOf(msg.Err) {
		case "":
			s.ear.shut()
			return s, s.env.proceed(msg.Value)
		case core.CodeTicket, core.CodeOutOfOrder, core.CodeCredentials:
			// This sign-in cannot go on: too late, or the account was suspended.
			s.ear.shut()
			return s, s.env.startOver(msg.Err)
		}
		s.Refuse(refusalOf(s.env, msg.Err))
		return s, s.rules()
	}
	return s, s.Handle(msg)
}

// Title is the screen's.
func (s *forced) Title() string { return s.env.T("forced.title") }
