// Enrolling an authenticator app: its key as a QR code and as text, a name for
// it, and a code that shows that the app has the key. Until that code came there
// is no factor.

package screens

import (
	"context"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// enrolApp leads through the enrolment of an app.
type enrolApp struct {
	env    *Env
	ticket string // of the sign-in that asks for a factor; "" for one's own account
	done   func(core.Enrolled) tea.Cmd

	form  *tui.Form
	code  codeEntry
	label string
	begun core.Enrolment // no ID: not begun yet, or over
	err   error          // why it could not be begun
	busy  tui.Busy

	invert, textOnly bool
	qr               []string // as it is drawn; nil: the key is shown as text alone
	fits             bool     // a QR code could be drawn
	why              string   // why it could not, in words
	w, h             int
}

var (
	_ tui.Screen   = (*enrolApp)(nil)
	_ tui.Titled   = (*enrolApp)(nil)
	_ tui.Tall     = (*enrolApp)(nil)
	_ tui.Helper   = (*enrolApp)(nil)
	_ tui.Typer    = (*enrolApp)(nil)
	_ tui.Cursored = (*enrolApp)(nil)
	_ tui.Asking   = (*enrolApp)(nil)
)

// newEnrolApp returns the screen. ticket is that of a sign-in that asks for a
// factor, or "" for the account that is signed in. done is what follows once
// there is a factor; a screen above another returns tui.PopWith.
func newEnrolApp(env *Env, ticket string, done func(core.Enrolled) tea.Cmd) tui.Screen {
	s := &enrolApp{env: env, ticket: ticket, done: done, label: env.T("enrol.my_phone"), code: codeEntry{env: env}}
	s.form = tui.NewForm(env.Session, s.spec)
	return s
}

// Init begins the enrolment.
func (s *enrolApp) Init() tea.Cmd { return s.begin() }

// begin returns the command that has a key made.
func (s *enrolApp) begin() tea.Cmd {
	factors, actor, ticket := s.env.Portal.Factors, s.env.Actor(), s.ticket
	s.wipe()
	s.err = nil
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("enrol.beginning")),
		call(s.env.Ctx, func(ctx context.Context) (core.Enrolment, error) {
			return factors.Begin(ctx, actor, ticket, core.FactorApp, "")
		}))
}

// ready says whether there is a key to be shown.
func (s *enrolApp) ready() bool { return s.begun.ID != "" }

func (s *enrolApp) spec() tui.FormSpec {
	e := s.env
	return tui.FormSpec{
		Pages: []tui.Page{{Fields: []tui.Field{
			tui.Note{Show: s.words},
			tui.Note{},
			tui.Text{Key: "label", Label: numbered(2, e.T("enrol.name")), Value: &s.label, Limit: core.MaxFactorLabel},
			s.code.field(numbered(3, e.T("enrol.code"))),
		}}},
		Back: e.T("enrol.not_now"), Submit: e.T("enrol.confirm"), Busy: e.T("enrol.busy"),
		Do: s.confirm, Leave: s.leave,
	}
}

// confirm returns the command that ends the enrolment with the code.
func (s *enrolApp) confirm() tea.Cmd {
	factors, actor, ticket := s.env.Portal.Factors, s.env.Actor(), s.ticket
	id, code, label := s.begun.ID, s.code.typed, s.label
	return call(s.env.Ctx, func(ctx context.Context) (core.Enrolled, error) {
		return factors.Confirm(ctx, actor, ticket, id, code, label)
	})
}

// leave gives the enrolment up.
func (s *enrolApp) leave() tea.Cmd {
	left := s.env.abandon(s.ticket, s.begun.ID)
	s.wipe()
	return tea.Batch(left, tui.Pop())
}

// abandon returns the command that ends an enrolment which its person has given
// up. What it comes to does not matter: an enrolment ends by itself.
func (e *Env) abandon(ticket, id string) tea.Cmd {
	if id == "" {
		return nil
	}
	ctx, factors, actor := e.Ctx, e.Portal.Factors, e.Actor()
	return func() tea.Msg {
		_ = factors.Abandon(ctx, actor, ticket, id)
		return nil
	}
}

// wipe forgets everything secret.
func (s *enrolApp) wipe() {
	s.begun, s.qr = core.Enrolment{}, nil
	s.code.wipe()
}

// Update takes the core's answers and keys.
func (s *enrolApp) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch m := msg.(type) {
	case answer[core.Enrolment]:
		return s, s.start(m)
	case answer[core.Enrolled]:
		return s, s.confirmed(m)
	case tui.BackMsg:
		return s, s.back(m)
	case tui.RestyleMsg:
		if !s.ready() {
			return s, nil
		}
		cmd := s.form.Handle(m)
		s.draw()
		return s, cmd
	case tea.KeyPressMsg:
		return s, s.key(m)
	}
	if !s.ready() {
		return s, s.busy.Handle(msg)
	}
	return s, s.form.Handle(msg)
}

// start takes the key that was made.
func (s *enrolApp) start(m answer[core.Enrolment]) tea.Cmd {
	s.busy.Stop()
	switch code := core.CodeOf(m.Err); {
	case m.Err == nil:
		s.begun = m.Value
		s.form = tui.NewForm(s.env.Session, s.spec) // another one: in lines, another key is said
		s.code.form = s.form
		cmd := s.form.Init()
		s.draw()
		return cmd
	case code == core.CodeStepUp:
		return tui.Push(newStepUp(s.env, "stepup.why_factor"))
	case s.ticket != "" && lostSignIn(code):
		return s.env.startOver(m.Err)
	}
	s.err = m.Err
	return nil
}

// lostSignIn says whether a sign-in cannot go on after such a refusal.
func lostSignIn(code core.Code) bool {
	return code == core.CodeTicket || code == core.CodeOutOfOrder || code == core.CodeCredentials
}

// lostEnrolment says whether an enrolment is over after such a refusal: it took too long.
func lostEnrolment(err error) bool {
	return core.CodeOf(err) == core.CodeNotFound && FieldOf(err) == "enrolment"
}

// confirmed takes what the code came to.
func (s *enrolApp) confirmed(m answer[core.Enrolled]) tea.Cmd {
	code := core.CodeOf(m.Err)
	switch {
	case m.Err == nil:
		s.wipe()
		return s.done(m.Value)
	case lostEnrolment(m.Err), code == core.CodeCodeOver:
		return tea.Batch(tui.Toast(tui.Warn, s.env.T("enrol.anew")), s.begin())
	case s.ticket != "" && lostSignIn(code):
		s.wipe()
		return s.env.startOver(m.Err)
	}
	r := s.code.refusal(m.Err)
	if r.Field == "label" { // nothing is wrong with the code
		if code == core.CodeCharacter { // the general sentence is about user names
			r.Text = s.env.T("profile.character")
		}
		s.form.Refuse(r)
		return nil
	}
	s.code.wipe()
	if s.narrow() {
		r.Field = "" // under the fields there is twice the room
	}
	s.form.Refuse(r)
	s.form.Focus("code")
	return nil
}

// back begins after a step-up. Without it nothing begins.
func (s *enrolApp) back(m tui.BackMsg) tea.Cmd {
	switch {
	case s.ready():
		return nil
	case isProved(m):
		return s.begin()
	}
	return tui.Pop()
}

// key takes the keys that work beside those of the form. None of them is a
// character that could be typed.
func (s *enrolApp) key(k tea.KeyPressMsg) tea.Cmd {
	switch {
	case !s.ready():
		switch {
		case k.String() == "esc":
			return tui.Pop()
		case k.String() == "r" && s.err != nil:
			return s.begin()
		}
		return nil
	case s.form.Busy():
		return nil
	}
	switch k.String() {
	case "ctrl+y":
		if s.env.copies() {
			return s.env.copyText(plainKey(s.begun.Secret), "enrol.copied")
		}
		return nil
	case "ctrl+n":
		if s.qr != nil {
			s.invert = !s.invert
			s.draw()
		}
		return nil
	case "ctrl+t":
		if s.fits {
			s.textOnly = !s.textOnly
			s.draw()
		}
		return nil
	}
	return s.form.Handle(k)
}

// copies says whether the terminal can be asked to take something into its
// clipboard. Nobody knows whether it then does.
func (e *Env) copies() bool { return !e.Caps.Dumb && !e.Caps.Lines }

// copyText returns the command that sends text to the terminal's clipboard (OSC
// 52) and says so; what is the key of the sentence.
func (e *Env) copyText(text, what string) tea.Cmd {
	return tea.Batch(tea.SetClipboard(text), tui.Toast(tui.Info, e.T(what)))
}

// Title names the page.
func (s *enrolApp) Title() string { return s.env.T("enrol.app_title") }

// Tall says that a QR code needs every row.
func (s *enrolApp) Tall() bool { return true }

// Help returns the keys that work now.
func (s *enrolApp) Help() []key.Binding {
	e := s.env
	if !s.ready() {
		return e.waitingKeys(s.err)
	}
	form := s.form.Help()
	if len(form) == 0 {
		return nil
	}
	var out []key.Binding
	if e.copies() {
		out = append(out, e.bind("ctrl+y", "enrol.key_copy"))
	}
	if s.qr != nil {
		out = append(out, e.bind("ctrl+n", "enrol.key_invert"), e.bind("ctrl+t", "enrol.key_text"))
	} else if s.fits {
		out = append(out, e.bind("ctrl+t", "enrol.key_qr"))
	}
	out = append(out, form[:len(form)-1]...)
	return append(out, e.bind("esc", "enrol.key_not_now"))
}

// Typing says whether keys are text now.
func (s *enrolApp) Typing() bool { return s.ready() && s.form.Typing() }

// Asking returns the form, once there is something to ask.
func (s *enrolApp) Asking() *tui.Form {
	if !s.ready() {
		return nil
	}
	return s.form
}
