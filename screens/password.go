// A new password for one's own account, with live feedback. The present one is
// asked for, which counts as a step-up where nothing stronger can be asked for;
// else the stronger proof comes first. The other sessions end if one likes.

package screens

import (
	"context"
	"strings"

	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// changePassword changes the password of the account that is signed in.
type changePassword struct {
	*tui.Form
	env       *Env
	password  newPassword
	rules     passwordRules
	current   string
	endOthers bool
	busy      tui.Busy // it is sent again, after a step-up
	ear       rulesEar
}

// passwordRules is what is read before a new password can be judged.
type passwordRules struct {
	guide  core.PasswordGuide
	person core.Person
	from   []core.RuleSource // where each rule comes from
}

var (
	_ tui.Screen   = (*changePassword)(nil)
	_ tui.Titled   = (*changePassword)(nil)
	_ tui.Helper   = (*changePassword)(nil)
	_ tui.Typer    = (*changePassword)(nil)
	_ tui.Cursored = (*changePassword)(nil)
)

// NewPassword returns the screen. The other sessions end unless one says
// otherwise: whoever changes a password often does so because somebody else
// knows it (ASVS 7.4.3).
func NewPassword(env *Env) tui.Screen {
	s := &changePassword{env: env, endOthers: true}
	s.password = newPassword{env: env, label: "password.new"}
	s.password.feedback = newPasswordFeedback(env,
		func() core.PasswordGuide { return s.rules.guide }, func() core.Person { return s.rules.person })
	s.Form = tui.NewForm(env.Session, s.spec)
	return s
}

// Init reads the rules in force, and what of the person may not be in a password.
func (s *changePassword) Init() tea.Cmd {
	return tea.Batch(s.Form.Init(), s.readRules(), s.ear.open(s.env))
}

// readRules returns the command that reads them.
func (s *changePassword) readRules() tea.Cmd {
	accounts, actor := s.env.Portal.Accounts, s.env.Actor()
	return call(s.env.Ctx, func(ctx context.Context) (passwordRules, error) {
		guide, err := accounts.MyGuide(ctx, actor)
		if err != nil {
			return passwordRules{}, err
		}
		from, err := accounts.Rules(ctx, actor)
		if err != nil {
			return passwordRules{}, err
		}
		p, err := accounts.Profile(ctx, actor)
		return passwordRules{guide, core.Person{UserName: p.UserName, DisplayName: p.DisplayName, Email: p.Email}, from}, err
	})
}

func (s *changePassword) spec() tui.FormSpec {
	e := s.env
	fields := []tui.Field{
		tui.Secret{Key: "current", Label: e.T("password.current"), Value: &s.current},
		tui.Note{},
	}
	fields = append(fields, s.password.fields()...)
	fields = append(fields, tui.Note{},
		tui.Toggle{
			Key: "end_others", Label: e.T("password.others"), Value: &s.endOthers,
			Yes: e.T("password.others_end"), No: e.T("password.others_stay"),
		},
		tui.Note{Show: s.history})
	return tui.FormSpec{
		Pages:  []tui.Page{{Fields: fields}},
		Submit: e.T("password.submit"), Busy: e.T("password.busy"),
		Do: s.send,
		Changed: func(field string) tea.Cmd {
			if field == "password" {
				return s.password.judge()
			}
			return nil
		},
		Leave: func() tea.Cmd { s.ear.shut(); s.wipe(); return tui.Pop() },
	}
}

// history says what only the core can check: which old passwords are refused.
func (s *changePassword) history(width int) string {
	var lines []string
	if n := s.rules.guide.HistoryLast; n > 0 {
		lines = append(lines, tui.Wrap(s.env.T("password.history_last", "Count", n), width))
	}
	if n := s.rules.guide.HistoryDays; n > 0 {
		lines = append(lines, tui.Wrap(s.env.T("password.history_days", "Count", n), width))
	}
	if notes := s.env.ruleNotes(s.rules.from, "password", width); notes != "" {
		lines = append(lines, notes)
	}
	if lines == nil {
		return ""
	}
	return "\n" + s.env.Theme.Muted.Render(strings.Join(lines, "\n"))
}

func (s *changePassword) send() tea.Cmd {
	accounts, actor := s.env.Portal.Accounts, s.env.Actor()
	current, next, others := s.current, s.password.typed, s.endOthers
	return call(s.env.Ctx, func(ctx context.Context) (core.StepUpResult, error) {
		return accounts.ChangePassword(ctx, actor, current, next, others)
	})
}

// wipe forgets everything secret.
func (s *changePassword) wipe() {
	s.current = ""
	s.password.wipe()
}

// Update takes the core's answers. Nothing secret stays after a refusal, unless
// that only asks for a proof first: then it is sent again when that is given.
func (s *changePassword) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	if mine, cmd := s.password.feedback.Update(msg); mine {
		return s, cmd
	}
	switch m := msg.(type) {
	case answer[passwordRules]:
		if m.Err != nil {
			return s, tui.Toast(tui.Bad, s.env.Sentence(m.Err))
		}
		s.rules = m.Value
		return s, s.password.judge()
	case rulesChanged:
		return s, tea.Batch(m.again(), s.readRules())
	case answer[core.StepUpResult]:
		return s, s.answered(m)
	case tui.BackMsg:
		if isProved(m) {
			return s, tea.Batch(s.busy.Start(s.env.Session, s.env.T("password.busy")), s.send())
		}
		s.wipe()
		s.Refresh()
		s.Focus("current")
		return s, s.password.judge()
	case tea.KeyPressMsg, tea.PasteMsg:
		if s.busy.On() {
			return s, nil
		}
	}
	return s, tea.Batch(s.busy.Handle(msg), s.Handle(msg))
}

func (s *changePassword) answered(m answer[core.StepUpResult]) tea.Cmd {
	s.busy.Stop()
	if core.CodeOf(m.Err) == core.CodeStepUp {
		s.Release() // a spinner that nobody sees would still turn
		return tui.Push(newStepUp(s.env, "stepup.why_password"))
	}
	s.wipe()
	if m.Err != nil {
		s.Refuse(ownRefusal(s.env, m.Err))
		return s.readRules() // they may be others than those that were shown
	}
	s.ear.shut()
	words := s.env.T("password.changed")
	if s.endOthers {
		words = s.env.T("password.changed_ended")
	}
	return tea.Sequence(s.env.Renewed(m.Value), tui.Pop(), tui.Toast(tui.Good, words))
}

// View is the form, and under it that it is sent again.
func (s *changePassword) View() string {
	if busy := s.busy.View(s.env.Theme); busy != "" {
		return s.Form.View() + "\n" + busy
	}
	return s.Form.View()
}

// Title is the screen's.
func (s *changePassword) Title() string { return s.env.T("password.title") }
