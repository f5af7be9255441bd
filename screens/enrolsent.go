// Enrolling a phone or an address: where codes shall go, and the first of them,
// which shows that it arrives. The same second half confirms the address that an
// account has.

package screens

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// ownAddress stands for the account's own e-mail address in the place of a kind
// of factor: it is confirmed and becomes none.
const ownAddress core.FactorKind = ""

// enrolSent leads through the enrolment of a phone or an address.
type enrolSent struct {
	env    *Env
	ticket string // of the sign-in that asks for a factor; "" for one's own account
	kind   core.FactorKind
	done   func(core.Enrolled) tea.Cmd

	ask     *tui.Form // where to
	enter   *tui.Form // the code
	code    codeEntry
	address string
	begun   core.Enrolment // no ID: no code was sent yet
	err     error          // why none can be sent to the account's own address
	busy    tui.Busy
	w       int
}

// sentTo is the account's own address, for an enrolment of it.
type sentTo struct{ address string }

var (
	_ tui.Screen   = (*enrolSent)(nil)
	_ tui.Titled   = (*enrolSent)(nil)
	_ tui.Helper   = (*enrolSent)(nil)
	_ tui.Typer    = (*enrolSent)(nil)
	_ tui.Cursored = (*enrolSent)(nil)
	_ tui.Asking   = (*enrolSent)(nil)
)

// newEnrolSent returns the screen for a phone (core.FactorSMS) or an address
// (core.FactorEmail). ticket and done are those of newEnrolApp.
func newEnrolSent(env *Env, ticket string, kind core.FactorKind, done func(core.Enrolled) tea.Cmd) tui.Screen {
	s := &enrolSent{env: env, ticket: ticket, kind: kind, done: done}
	s.ask = tui.NewForm(env.Session, s.askSpec)
	s.enter = tui.NewForm(env.Session, s.enterSpec)
	s.code = codeEntry{env: env, form: s.enter, lost: s.lost}
	return s
}

// newConfirmAddress returns the screen that confirms the account's own e-mail
// address. It leaves addressConfirmed behind.
func newConfirmAddress(env *Env) tui.Screen {
	return newEnrolSent(env, "", ownAddress, func(core.Enrolled) tea.Cmd {
		return tea.Sequence(tui.PopWith(addressConfirmed{}), tui.Toast(tui.Good, env.T("enrol.address_done")))
	})
}

// addressConfirmed is what newConfirmAddress leaves behind when it is done.
type addressConfirmed struct{}

// Init asks where to. The account's own address needs no asking, and is what
// most people mean by theirs.
func (s *enrolSent) Init() tea.Cmd {
	switch {
	case s.kind == ownAddress:
		return s.begin()
	case s.kind == core.FactorEmail && s.ticket == "":
		ctx, accounts, actor := s.env.Ctx, s.env.Portal.Accounts, s.env.Actor()
		return tea.Batch(s.ask.Init(), func() tea.Msg {
			p, err := accounts.Profile(ctx, actor)
			if err != nil {
				return nil // it is only a suggestion
			}
			return sentTo{p.Email}
		})
	}
	return s.ask.Init()
}

func (s *enrolSent) askSpec() tui.FormSpec {
	e := s.env
	field := tui.Text{Key: "address", Value: &s.address}
	heading, notice := "", ""
	switch s.kind {
	case core.FactorSMS:
		field.Label, field.Hint = e.T("enrol.number"), e.T("enrol.number_example")
		field.Below = func(width int) string { return e.Theme.Muted.Render(tui.Wrap(e.T("enrol.number_hint"), width)) }
		heading, notice = e.T("enrol.sms_text"), e.T("enrol.sms_notice")
	case core.FactorEmail:
		field.Label, field.Hint = e.T("enrol.email"), "ada@example.org"
		heading, notice = e.T("enrol.email_text"), e.T("enrol.email_notice")
	}
	return tui.FormSpec{
		Pages: []tui.Page{{Text: heading, Fields: []tui.Field{
			tui.Note{Show: func(width int) string { return e.warning(notice, width) + "\n" }}, field,
		}}},
		Back: e.T("enrol.not_now"), Submit: e.T("enrol.send"), Busy: e.T("enrol.sending"), Do: s.send,
	}
}

// warning is a sentence that should not be overlooked.
func (e *Env) warning(text string, width int) string {
	return e.Theme.Warn.Render("!") + " " + hangBy(2, tui.Wrap(text, width-2))
}

func (s *enrolSent) enterSpec() tui.FormSpec {
	e := s.env
	return tui.FormSpec{
		Pages: []tui.Page{{
			Text:   e.T("enrol.sent_to", "Address", escaped(s.begun.Address), "Minutes", int(core.SentCodeFor/time.Minute)),
			Fields: []tui.Field{s.code.field(e.T("enrol.the_code"))},
		}},
		Back: e.T("enrol.not_now"), Extra: s.code.buttons(), Submit: e.T("enrol.confirm"), Busy: e.T("enrol.busy"),
		Do: s.confirm, Leave: s.leave,
	}
}

// begin is send for the account's own address, which no form asks for.
func (s *enrolSent) begin() tea.Cmd {
	s.err = nil
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("enrol.sending")), s.send())
}

// send returns the command that has a code sent.
func (s *enrolSent) send() tea.Cmd {
	factors, actor, ticket := s.env.Portal.Factors, s.env.Actor(), s.ticket
	kind, address := s.kind, s.address
	return call(s.env.Ctx, func(ctx context.Context) (core.Enrolment, error) {
		if kind == ownAddress {
			return factors.BeginAddress(ctx, actor)
		}
		return factors.Begin(ctx, actor, ticket, kind, address)
	})
}

// confirm returns the command that ends the enrolment with the code.
func (s *enrolSent) confirm() tea.Cmd {
	factors, actor, ticket := s.env.Portal.Factors, s.env.Actor(), s.ticket
	id, code := s.begun.ID, s.code.typed
	return call(s.env.Ctx, func(ctx context.Context) (core.Enrolled, error) {
		return factors.Confirm(ctx, actor, ticket, id, code, "")
	})
}

// leave gives the enrolment up: back to where the address can be mended.
func (s *enrolSent) leave() tea.Cmd {
	left := s.env.abandon(s.ticket, s.begun.ID)
	s.wipe()
	if s.kind == ownAddress {
		return tea.Batch(left, tui.Pop())
	}
	return left
}

// wipe forgets the code and the enrolment it is for.
func (s *enrolSent) wipe() {
	s.begun = core.Enrolment{}
	s.code.wipe()
}

// sent says whether a code was.
func (s *enrolSent) sent() bool { return s.begun.ID != "" }

// form is the one that is asked now, nil for none.
func (s *enrolSent) form() *tui.Form {
	switch {
	case s.sent():
		return s.enter
	case s.kind == ownAddress:
		return nil
	}
	return s.ask
}

// Update takes the core's answers and hands the rest to the form.
func (s *enrolSent) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	if mine, cmd := s.code.handle(msg); mine {
		return s, cmd
	}
	switch m := msg.(type) {
	case sentTo:
		if s.address == "" && !s.sent() {
			s.address = m.address
			s.ask.Refresh()
		}
		return s, nil
	case answer[core.Enrolment]:
		return s, s.start(m)
	case answer[core.Enrolled]:
		return s, s.confirmed(m)
	case tui.BackMsg:
		return s, s.back(m)
	case tea.KeyPressMsg:
		if s.form() == nil {
			return s, s.waitingKey(m.String())
		}
		if s.busy.On() {
			return s, nil
		}
	case tea.PasteMsg:
		if s.busy.On() {
			return s, nil
		}
	}
	cmd := s.busy.Handle(msg)
	if f := s.form(); f != nil {
		return s, tea.Batch(cmd, f.Handle(msg))
	}
	return s, cmd
}

// waitingKey takes a key while there is no form.
func (s *enrolSent) waitingKey(k string) tea.Cmd {
	switch {
	case k == "esc":
		return tui.Pop()
	case k == "r" && s.err != nil:
		return s.begin()
	}
	return nil
}

// start takes what came of sending the first code.
func (s *enrolSent) start(m answer[core.Enrolment]) tea.Cmd {
	s.busy.Stop()
	code := core.CodeOf(m.Err)
	switch {
	case m.Err == nil:
		factors, actor, ticket, id := s.env.Portal.Factors, s.env.Actor(), s.ticket, m.Value.ID
		s.code.send = func(ctx context.Context) (time.Duration, error) { return factors.Resend(ctx, actor, ticket, id) }
		s.begun = m.Value
		s.code.begin(m.Value.Again)
		s.ask.Release()
		return s.enter.Init()
	case code == core.CodeStepUp:
		s.ask.Release() // a spinner that nobody sees would still turn
		return tui.Push(newStepUp(s.env, "stepup.why_factor"))
	case s.ticket != "" && lostSignIn(code):
		return s.env.startOver(m.Err)
	case s.kind == ownAddress && code == core.CodeConflict: // confirmed meanwhile
		return s.done(core.Enrolled{})
	case s.kind == ownAddress:
		s.err = m.Err
		return nil
	}
	r := s.code.notSent(m.Err)
	switch {
	case code == core.CodeFormat && s.kind == core.FactorSMS:
		r.Text = s.env.T("enrol.number_bad", "Example", s.env.T("enrol.number_example"))
	case code == core.CodeTaken:
		r.Text = s.env.T("enrol.have_it")
	case r.Field == "code":
		r.Field = "address"
	}
	s.ask.Refuse(r)
	return nil
}

// confirmed takes what the code came to.
func (s *enrolSent) confirmed(m answer[core.Enrolled]) tea.Cmd {
	if m.Err == nil {
		s.wipe()
		return s.done(m.Value)
	}
	if cmd := s.lost(m.Err); cmd != nil {
		return cmd
	}
	s.code.wipe()
	s.enter.Refuse(s.code.refusal(m.Err))
	return nil
}

// lost leaves an enrolment that can go on no more, nil for one that can.
func (s *enrolSent) lost(err error) tea.Cmd {
	code := core.CodeOf(err)
	switch {
	case s.ticket != "" && lostSignIn(code):
		s.wipe()
		return s.env.startOver(err)
	case lostEnrolment(err), s.kind == ownAddress && code == core.CodeConflict: // the address is another now
		s.wipe()
		say := tui.Toast(tui.Warn, s.env.T("enrol.over"))
		if s.kind == ownAddress {
			return tea.Sequence(tui.Pop(), say)
		}
		return say
	}
	return nil
}

// back sends the first code after a step-up. Without it what was typed stays.
func (s *enrolSent) back(m tui.BackMsg) tea.Cmd {
	if s.sent() || !isProved(m) {
		return nil
	}
	return s.begin()
}
