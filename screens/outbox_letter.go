// One message of the outbox. Its text is shown when it is asked for and not
// before, since reading it is written down, and it may hold a code.

package screens

import (
	"context"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// letter is a page about one message.
type letter struct {
	*page
	box *outbox
	id  string

	busy    tui.Busy
	reading core.Reading
	read    bool
	err     error
}

var (
	_ tui.Screen = (*letter)(nil)
	_ tui.Titled = (*letter)(nil)
	_ tui.Helper = (*letter)(nil)
)

// newLetter returns the page of a message that box has listed.
func newLetter(box *outbox, id string) tui.Screen {
	s := &letter{box: box, id: id}
	s.page = &page{env: box.env, title: s.title, body: s.body, keys: s.keys, do: s.do}
	return s
}

// message is the message as it was read last.
func (s *letter) message() (core.Message, bool) {
	if s.read {
		return s.reading.Message, true
	}
	m, ok := s.box.messages.find(s.id)
	if !ok {
		return core.Message{}, false
	}
	return *m, true
}

func (s *letter) title() string {
	m, _ := s.message()
	return s.env.kindWord(m.Kind)
}

// Update takes the text, and keys. It is forgotten when the page is left.
func (s *letter) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case answer[core.Reading]:
		s.busy.Stop()
		if s.err = msg.Err; msg.Err == nil {
			s.reading, s.read = msg.Value, true
		}
		return s, nil
	case tea.KeyPressMsg:
		_, cmd := s.page.Update(msg)
		if msg.String() == "esc" {
			s.reading, s.read = core.Reading{}, false
		}
		return s, cmd
	}
	return s, s.busy.Handle(msg)
}

func (s *letter) keys() []key.Binding {
	if _, ok := s.message(); !ok || s.read {
		return nil
	}
	return []key.Binding{s.env.bind("enter", "outbox.key_read")}
}

// do reads the text.
func (s *letter) do(k string) tea.Cmd {
	if k != "enter" || s.read || s.busy.On() {
		return nil
	}
	messages, actor, id := s.env.Portal.Messages, s.env.Actor(), s.id
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")),
		call(s.env.Ctx, func(ctx context.Context) (core.Reading, error) { return messages.Read(ctx, actor, id) }))
}

// body is what is known of the message, and its text once that was asked for.
func (s *letter) body(width int) string {
	e, th := s.env, s.env.Theme
	m, ok := s.message()
	if !ok {
		return tui.Wrap(e.T("outbox.gone"), width)
	}
	said := func(key string) string { return th.Muted.Render(tui.Wrap(e.T(key), width)) + "\n" }
	if s.read {
		out := th.Facts(s.box.facts(m)[1:5], width) + "\n\n"
		switch {
		case s.reading.Hidden:
			out += said("outbox.hidden") + "\n"
		case holdsCode(m) && m.State != core.MessageQueued:
			out += said("outbox.forgotten") + "\n"
		}
		if s.reading.Subject != "" {
			out += th.Heading.Render(running(s.reading.Subject, width)) + "\n\n"
		}
		return out + running(s.reading.Body, width)
	}
	out := th.Facts(s.box.facts(m), width) + "\n\n"
	if s.err != nil {
		return out + th.Bad.Render(tui.Wrap(th.Signs.No+" "+e.Sentence(s.err), width))
	}
	if turning := s.busy.View(th); turning != "" {
		return out + turning
	}
	if holdsCode(m) {
		out += said("outbox.may_hold_code")
	}
	return out + said("outbox.written_down")
}

// testMessage asks where a test is to go. What comes back from it is the message
// that was queued.
type testMessage struct {
	*tui.Form
	env         *Env
	service, to string
}

var (
	_ tui.Screen   = (*testMessage)(nil)
	_ tui.Titled   = (*testMessage)(nil)
	_ tui.Helper   = (*testMessage)(nil)
	_ tui.Typer    = (*testMessage)(nil)
	_ tui.Cursored = (*testMessage)(nil)
)

// newTestMessage returns the form.
func newTestMessage(env *Env) tui.Screen {
	s := &testMessage{env: env, service: string(core.ServiceMail)}
	s.Form = tui.NewForm(env.Session, s.spec)
	return s
}

func (s *testMessage) spec() tui.FormSpec {
	e := s.env
	carried := map[core.Service]bool{}
	for _, service := range e.Portal.Messages.Providers() {
		carried[service] = true
	}
	var services []tui.Option
	for _, service := range core.Services() {
		o := tui.Option{Value: string(service), Label: e.serviceWord(service)}
		if !carried[service] {
			o.Note = e.T("outbox.no_provider", "Services", o.Label)
		}
		services = append(services, o)
	}
	return tui.FormSpec{
		Pages: []tui.Page{{
			Text: e.T("outbox.test_text"),
			Fields: []tui.Field{
				tui.Choice{Key: "service", Label: e.T("outbox.by"), Value: &s.service, Options: services},
				tui.Text{Key: "to", Label: e.T("outbox.to"), Value: &s.to, Hint: e.T("outbox.to_hint")},
			},
		}},
		Submit: e.T("outbox.test_submit"), Busy: e.T("outbox.test_busy"), Do: s.send,
	}
}

func (s *testMessage) send() tea.Cmd {
	messages, actor, service, to := s.env.Portal.Messages, s.env.Actor(), core.Service(s.service), s.to
	return call(s.env.Ctx, func(ctx context.Context) (core.Message, error) { return messages.Test(ctx, actor, service, to) })
}

// Update takes the core's answer.
func (s *testMessage) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	m, ok := msg.(answer[core.Message])
	if !ok {
		return s, s.Handle(msg)
	}
	if m.Err == nil {
		return s, tui.PopWith(m.Value)
	}
	r := refusalOf(s.env, m.Err)
	switch {
	case core.CodeOf(m.Err) == core.CodeAllowance:
		r = tui.Refusal{Text: s.env.T("outbox.used_up_refused")}
	case r.Field == "to" && s.service == string(core.ServiceSMS):
		r.Text = s.env.T("outbox.no_number")
	case r.Field == "to":
		r.Text = s.env.T("outbox.no_address")
	}
	s.Refuse(r)
	return s, nil
}

// Title is the screen's.
func (s *testMessage) Title() string { return s.env.T("outbox.test_title") }
