// Sign-in by password, by the one-time code that stands for a lost one, and by
// the key of the connection where that stands for a password.

package screens

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// signIn asks who one is and for the password.
type signIn struct {
	*tui.Form
	env             *Env
	login, password string
}

var (
	_ tui.Screen   = (*signIn)(nil)
	_ tui.Titled   = (*signIn)(nil)
	_ tui.Helper   = (*signIn)(nil)
	_ tui.Typer    = (*signIn)(nil)
	_ tui.Cursored = (*signIn)(nil)
)

// NewSignIn returns the screen that signs somebody in.
func NewSignIn(env *Env) tui.Screen {
	s := &signIn{env: env}
	s.Form = tui.NewForm(env.Session, s.spec)
	return s
}

func (s *signIn) spec() tui.FormSpec {
	e := s.env
	return tui.FormSpec{
		Pages: []tui.Page{{Fields: []tui.Field{
			tui.Text{Key: "login", Label: e.T("signin.login"), Value: &s.login},
			tui.Secret{Key: "password", Label: e.T("signin.password"), Value: &s.password},
		}}},
		Submit: e.T("signin.submit"), Busy: e.T("signin.busy"),
		Extra: []tui.Button{{Label: e.T("signin.lost"), Do: s.lost}},
		Do:    s.send,
		Leave: func() tea.Cmd { s.wipe(); return tui.Pop() },
	}
}

func (s *signIn) send() tea.Cmd {
	e, actor, login, pw := s.env, s.env.Actor(), s.login, s.password
	return func() tea.Msg {
		p, err := e.Portal.SignIn.Password(e.Ctx, actor, login, pw)
		return answer[core.Progress]{p, err}
	}
}

func (s *signIn) lost() tea.Cmd {
	s.wipe()
	s.Refresh()
	return tui.Push(newLost(s.env, s.login))
}

// wipe forgets the secret; the name stays.
func (s *signIn) wipe() { s.password = "" }

// Update takes the core's answer. What was wrong is not told: there is one
// sentence for all of it, and a wait says how long.
func (s *signIn) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch m := msg.(type) {
	case answer[core.Progress]:
		if asksCaptcha(m.Err) {
			return s, s.env.afterCaptcha(s.Form)
		}
		s.wipe()
		if m.Err == nil {
			return s, s.env.proceed(m.Value)
		}
		s.Refuse(refusalOf(s.env, m.Err))
		s.Focus("password")
		return s, nil
	case tui.BackMsg:
		if isSolved(m) {
			return s, s.Again()
		}
		s.wipe()
		s.Refresh()
		return s, nil
	}
	return s, s.Handle(msg)
}

// Title is the screen's.
func (s *signIn) Title() string { return s.env.T("signin.title") }

// refusalOf says an error of the core beside the field it is about; a form that
// has no such field says it as a whole.
func refusalOf(e *Env, err error) tui.Refusal {
	return tui.Refusal{Field: FieldOf(err), Text: e.Sentence(err)}
}

// lost asks for the one-time code that an admin issued.
type lost struct {
	*tui.Form
	env         *Env
	login, code string
}

var (
	_ tui.Screen = (*lost)(nil)
	_ tui.Titled = (*lost)(nil)
)

// newLost returns the screen for a lost password; login is what was typed
// already, or "".
func newLost(env *Env, login string) tui.Screen {
	s := &lost{env: env, login: login}
	s.Form = tui.NewForm(env.Session, s.spec)
	return s
}

func (s *lost) spec() tui.FormSpec {
	e := s.env
	return tui.FormSpec{
		Pages: []tui.Page{{Title: e.T("lost.heading"), Text: e.T("lost.text"), Fields: []tui.Field{
			tui.Text{Key: "login", Label: e.T("signin.login"), Value: &s.login},
			tui.Text{Key: "code", Label: e.T("lost.code"), Value: &s.code, Limit: maxCode, Hint: codeHint},
		}}},
		Busy:  e.T("signin.busy"),
		Do:    s.send,
		Leave: func() tea.Cmd { s.code = ""; return tui.Pop() },
	}
}

// Init puts the cursor where something is missing.
func (s *lost) Init() tea.Cmd {
	cmd := s.Form.Init()
	if s.login != "" {
		s.Focus("code")
	}
	return cmd
}

func (s *lost) send() tea.Cmd {
	e, actor, login, code := s.env, s.env.Actor(), s.login, s.code
	return func() tea.Msg {
		p, err := e.Portal.SignIn.Code(e.Ctx, actor, login, code)
		return answer[core.Progress]{p, err}
	}
}

// Update takes the core's answer.
func (s *lost) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	if m, ok := msg.(tui.BackMsg); ok && isSolved(m) {
		return s, s.Again()
	}
	m, ok := msg.(answer[core.Progress])
	switch {
	case !ok:
		return s, s.Handle(msg)
	case asksCaptcha(m.Err):
		return s, s.env.afterCaptcha(s.Form)
	}
	s.code = ""
	switch {
	case m.Err == nil:
		return s, s.env.proceed(m.Value)
	case core.CodeOf(m.Err) == core.CodeCredentials:
		s.Refuse(tui.Refusal{Text: s.env.T("lost.refused")})
	default:
		s.Refuse(refusalOf(s.env, m.Err))
	}
	s.Focus("code")
	return s, nil
}

// Title is the screen's.
func (s *lost) Title() string { return s.env.T("lost.title") }

// keySignIn stands there for the moment in which the core looks at the key. What
// follows takes its place.
type keySignIn struct {
	env  *Env
	busy tui.Busy
}

var (
	_ tui.Screen = (*keySignIn)(nil)
	_ tui.Titled = (*keySignIn)(nil)
)

// newKeySignIn returns the screen that signs somebody in with the key that the
// connection proved.
func newKeySignIn(env *Env) tui.Screen { return &keySignIn{env: env} }

// Init begins the sign-in.
func (s *keySignIn) Init() tea.Cmd {
	signIn, actor := s.env.Portal.SignIn, s.env.Actor()
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("signin.busy")),
		call(s.env.Ctx, func(ctx context.Context) (core.Progress, error) { return signIn.Key(ctx, actor) }))
}

// Update takes the core's answer. A key that stands for nothing any more leads
// back to where a password is asked for.
func (s *keySignIn) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	m, ok := msg.(answer[core.Progress])
	if !ok {
		return s, s.busy.Handle(msg)
	}
	if m.Err == nil {
		return s, s.env.proceed(m.Value)
	}
	words := s.env.Sentence(m.Err)
	if core.CodeOf(m.Err) == core.CodeCredentials {
		words = s.env.T("welcome.key_refused")
	}
	return s, tea.Sequence(tui.Pop(), tui.Toast(tui.Bad, words))
}

// View says what is under way.
func (s *keySignIn) View() string {
	if busy := s.busy.View(s.env.Theme); busy != "" {
		return busy
	}
	return s.env.Theme.Muted.Render(s.env.T("signin.busy"))
}

// Title is the screen's.
func (s *keySignIn) Title() string { return s.env.T("signin.title") }

func (s *keySignIn) SetSize(int, int) {}
