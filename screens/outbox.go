// The outbox, for those who run the messages: how much of the month's allowance
// is used, what has left, what waits and what was given up. In a demonstration
// everybody may look, also before signing in.

package screens

import (
	"slices"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// outbox lists messages, of one state or of all.
type outbox struct {
	headed
	env      *Env
	busy     tui.Busy
	messages paged[core.Message]
	state    core.MessageState // the one that is shown; "" is all of them
	uses     []core.Use
	test     core.Message // the test that was sent from here, as it stood last
}

// outboxRead is one page of the outbox. With the newest comes the use of the
// allowances, and how the test fares.
type outboxRead struct {
	pageRead[core.Message]
	uses   []core.Use
	tested string // the id of the test that was asked for
	test   core.Message
}

// retried is what became of a message that is to be tried again.
type retried struct {
	message core.Message
	err     error
}

var (
	_ tui.Screen   = (*outbox)(nil)
	_ tui.Titled   = (*outbox)(nil)
	_ tui.Helper   = (*outbox)(nil)
	_ tui.Typer    = (*outbox)(nil)
	_ tui.Cursored = (*outbox)(nil)
	_ tui.Mouser   = (*outbox)(nil)
	_ tui.Numbered = (*outbox)(nil)
)

// NewOutbox returns the screen.
func NewOutbox(env *Env) tui.Screen {
	s := &outbox{env: env}
	s.messages.id = func(m core.Message) string { return m.ID }
	s.table = tui.NewTable(env.Session, s.columns)
	s.table.Empty = s.empty
	s.table.Detail = s.drawn.once(s.detail)
	s.table.Open = func(r tui.Row) tea.Cmd { return tui.Push(newLetter(s, r.ID)) }
	s.head, s.tied, s.left = s.above, true, 1
	return s
}

// outboxStates are what can be shown, in the order of the key that goes through
// them.
func outboxStates() []core.MessageState {
	return []core.MessageState{"", core.MessageQueued, core.MessageSent, core.MessageDead}
}

// Init reads the newest page.
func (s *outbox) Init() tea.Cmd { return s.fetch("") }

// fetch returns the command that reads the page after a place, or nil while one
// is on its way.
func (s *outbox) fetch(after string) tea.Cmd {
	w, ok := s.messages.want(after)
	if !ok {
		return nil
	}
	ctx, messages, actor, clock := s.env.Ctx, s.env.Portal.Messages, s.env.Actor(), s.env.Clock
	state, test := s.state, s.test.ID
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")), func() tea.Msg {
		m := outboxRead{pageRead: pageRead[core.Message]{wanted: w}, tested: test}
		var page core.MessagePage
		page, m.err = messages.List(ctx, actor, state, after, listPage)
		m.list, m.next, m.now = page.Messages, page.Next, clock()
		if m.err != nil || after != "" {
			return m
		}
		if m.uses, m.err = messages.Use(ctx, actor); m.err != nil || test == "" {
			return m
		}
		m.test, m.err = messages.Show(ctx, actor, test)
		if core.CodeOf(m.err) == core.CodeNotFound { // older than what is kept
			m.err = nil
		}
		return m
	})
}

// Update takes pages, what other screens left behind, and keys.
func (s *outbox) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case outboxRead:
		return s, s.take(msg)
	case retried:
		return s, s.retried(msg)
	case tui.BackMsg:
		if m, ok := msg.Result.(core.Message); ok { // a test was queued
			s.test = m
			s.fit()
			return s, tea.Batch(s.fetch(""), tui.Toast(tui.Good, s.env.T("outbox.test_queued")))
		}
		return s, nil
	case tui.RestyleMsg:
		s.table.Handle(msg)
		s.fill()
		return s, nil
	case tea.KeyPressMsg, tea.PasteMsg, tea.MouseMsg:
		cmd, used := s.handle(msg)
		if used {
			return s, tea.Batch(cmd, s.messages.readOn(s.table, s.fetch))
		}
		if k, ok := msg.(tea.KeyPressMsg); ok {
			return s, s.key(k.String())
		}
		return s, nil
	}
	return s, s.busy.Handle(msg)
}

func (s *outbox) take(m outboxRead) tea.Cmd {
	if !s.messages.take(m.pageRead) {
		return nil
	}
	s.busy.Stop()
	if m.err == nil && m.after == "" {
		s.uses = m.uses
		if m.tested == s.test.ID { // no other was sent meanwhile
			s.test = m.test
		}
	}
	s.fill()
	return s.messages.readOn(s.table, s.fetch)
}

func (s *outbox) key(k string) tea.Cmd {
	switch k {
	case "esc":
		return tui.Pop()
	case "r":
		return s.fetch("")
	case "f":
		states := outboxStates()
		s.state = states[(slices.Index(states, s.state)+1)%len(states)]
		s.messages.anew()
		return s.fetch("")
	case "t":
		if r, ok := s.table.Selected(); ok && s.runs() {
			return s.retry(r.ID)
		}
	case "T":
		if s.runs() {
			return tui.Push(newTestMessage(s.env))
		}
	}
	return nil
}

// runs says whether somebody is here who may run the messages, and not only look
// at a demonstration. The core decides; this keeps keys from strangers that would
// do nothing for them.
func (s *outbox) runs() bool { return s.env.Actor().Account != "" }

// retry returns the command that queues a message that was given up again.
func (s *outbox) retry(id string) tea.Cmd {
	m, ok := s.messages.find(id)
	switch {
	case !ok || m.State != core.MessageDead:
		return tui.Toast(tui.Info, s.env.T("outbox.not_given_up"))
	case !canRetry(*m):
		return tui.Toast(tui.Info, s.env.T("outbox.code_over"))
	}
	ctx, messages, actor := s.env.Ctx, s.env.Portal.Messages, s.env.Actor()
	return func() tea.Msg {
		if err := messages.Retry(ctx, actor, id); err != nil {
			return retried{err: err}
		}
		m, err := messages.Show(ctx, actor, id)
		return retried{m, err}
	}
}

// retried shows that a message waits again. Where only those are listed that
// were given up it stays in its place until the list is read anew.
func (s *outbox) retried(r retried) tea.Cmd {
	switch core.CodeOf(r.err) {
	case "":
		if m, ok := s.messages.find(r.message.ID); ok {
			*m = r.message
		}
		s.fill()
		return tea.Batch(s.fetch(""), tui.Toast(tui.Good, s.env.T("outbox.queued_again")))
	case core.CodeAllowance:
		return tui.Toast(tui.Bad, s.env.T("outbox.used_up_refused"))
	case core.CodeConflict, core.CodeNotFound:
		return tea.Batch(s.fetch(""), tui.Toast(tui.Info, s.env.T("outbox.not_given_up")))
	}
	return tui.Toast(tui.Bad, s.env.Sentence(r.err))
}

// holdsCode says whether a message was written for a code. Such a message is
// worth nothing after a time, and cannot be tried again.
func holdsCode(m core.Message) bool { return !m.Until.IsZero() }

func canRetry(m core.Message) bool { return m.State == core.MessageDead && !holdsCode(m) }

// Title names the page.
func (s *outbox) Title() string { return s.env.T("outbox.title") }

// Help returns the keys that work now.
func (s *outbox) Help() []key.Binding {
	e := s.env
	switch {
	case s.table.Typing():
		return s.table.Help()
	case !s.messages.read:
		return e.waitingKeys(s.messages.err)
	}
	out := []key.Binding{e.bind("f", "outbox.key_state")}
	if s.runs() {
		if slices.ContainsFunc(s.messages.list, canRetry) {
			out = append(out, e.bind("t", "outbox.key_retry"))
		}
		out = append(out, e.bind("T", "outbox.key_test"))
	}
	out = afterOpen(s.table.Help(), out...)
	return append(out, e.bind("r", "page.refresh"), e.bind("esc", "key.back"))
}
