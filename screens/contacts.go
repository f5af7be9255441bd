// Contacts and agreements, for everybody: whom to write to about one's data and
// about security, what this portal asks to agree to, and what one has agreed to.

package screens

import (
	"context"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/core/text"
	"postern/tui"
)

// legal is the page.
type legal struct {
	*page
	busy tui.Busy
	have legalRead
	read bool
}

// legalRead is what the page shows.
type legalRead struct {
	contacts   []core.Contact
	agreements []core.Agreement
	mine       []core.Acceptance // of somebody who is signed in
	now        time.Time
	err        error
}

var (
	_ tui.Screen = (*legal)(nil)
	_ tui.Titled = (*legal)(nil)
	_ tui.Helper = (*legal)(nil)
)

// NewLegal returns the page.
func NewLegal(env *Env) tui.Screen {
	s := &legal{}
	s.page = &page{env: env, title: func() string { return env.T("legal.title") }, body: s.body, keys: s.keys, do: s.do}
	return s
}

// Init reads what there is.
func (s *legal) Init() tea.Cmd {
	e, actor := s.env, s.env.Actor()
	ctx, contacts, agreements, clock := e.Ctx, e.Portal.Contacts, e.Portal.Agreements, e.Clock
	return tea.Batch(s.busy.Start(e.Session, e.T("page.reading")), func() tea.Msg { return readLegal(ctx, actor, contacts, agreements, clock) })
}

func readLegal(ctx context.Context, actor core.Actor, contacts *core.Contacts, agreements *core.Agreements, clock func() time.Time) (m legalRead) {
	if m.contacts, m.err = contacts.List(ctx); m.err != nil {
		return m
	}
	if m.agreements, m.err = agreements.Current(ctx); m.err != nil {
		return m
	}
	if actor.Account != "" {
		m.mine, m.err = agreements.Mine(ctx, actor)
	}
	m.now = clock()
	return m
}

// Update takes what was read, and keys.
func (s *legal) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case legalRead:
		s.busy.Stop()
		if msg.err != nil && s.read {
			s.have.err = msg.err
			return s, nil
		}
		s.have, s.read = msg, msg.err == nil
		return s, nil
	case tea.KeyPressMsg:
		_, cmd := s.page.Update(msg)
		return s, cmd
	}
	return s, s.busy.Handle(msg)
}

func (s *legal) do(k string) tea.Cmd {
	switch {
	case k == "r":
		return s.Init()
	case k == "t" && len(s.have.agreements) > 0:
		return tui.Push(s.texts())
	}
	return nil
}

func (s *legal) keys() []key.Binding {
	var out []key.Binding
	if len(s.have.agreements) > 0 {
		out = append(out, s.env.bind("t", "legal.key_read"))
	}
	return append(out, s.env.bind("r", "page.refresh"))
}

// texts is the page with everything there is to agree to, one after the other.
func (s *legal) texts() tui.Screen {
	e, list := s.env, s.have.agreements
	return &page{env: e, title: func() string { return e.T("legal.agreements") }, body: func(width int) string {
		parts := make([]string, len(list))
		for i, a := range list {
			parts[i] = agreementBody(e, a, width)
		}
		return strings.Join(parts, "\n\n")
	}}
}

func (s *legal) body(width int) string {
	e, t := s.env, s.env.Theme
	switch {
	case s.have.err != nil && !s.read:
		return e.failure(s.have.err, width)
	case !s.read:
		return s.busy.View(t)
	}
	var parts []string
	if s.have.err != nil {
		parts = append(parts, t.Bad.Render(t.Signs.No)+" "+hanging(e.Sentence(s.have.err), width))
	}
	for _, c := range s.have.contacts {
		parts = append(parts, t.Heading.Render(e.T("contact.kind."+string(c.Kind)))+"\n"+t.Facts(e.contactFacts(c), width))
	}
	if len(s.have.agreements) > 0 {
		lines := []string{t.Heading.Render(e.T("legal.agreements"))}
		for _, a := range s.have.agreements {
			line := e.agreementName(a)
			if a.Link != "" {
				line += "  " + text.Escape(a.Link)
			}
			lines = append(lines, tui.Wrap(line, width))
		}
		parts = append(parts, strings.Join(lines, "\n"))
	}
	if len(s.have.mine) > 0 {
		lines := []string{t.Heading.Render(e.T("legal.mine"))}
		for _, a := range s.have.mine {
			lines = append(lines, s.accepted(a, width))
		}
		parts = append(parts, strings.Join(lines, "\n"))
	}
	if len(parts) == 0 {
		return tui.Wrap(e.T("legal.empty"), width)
	}
	return strings.Join(parts, "\n\n")
}

// accepted is one answer with when and from where.
func (s *legal) accepted(a core.Acceptance, width int) string {
	e, t := s.env, s.env.Theme
	sign := t.Good.Render(t.Signs.OK)
	if a.Refused {
		sign = t.Muted.Render(t.Signs.No)
	}
	where := e.doorWord(a.Door)
	for _, more := range []string{a.Remote, a.Client} {
		if more != "" {
			where += ", " + text.Escape(more)
		}
	}
	words := "legal.accepted"
	if a.Refused {
		words = "legal.refused"
	}
	name := e.agreementName(core.Agreement{Name: a.Name, Version: a.Version})
	return sign + " " + hangBy(2, tui.Wrap(e.T(words, "Name", name, "When", e.Dict.DateTime(a.At), "Where", where), width-2))
}

// contactFacts are how a contact is reached.
func (e *Env) contactFacts(c core.Contact) []tui.Fact {
	var out []tui.Fact
	add := func(key, value string) {
		if value != "" {
			out = append(out, tui.Fact{Name: e.T(key), Value: text.Escape(value)})
		}
	}
	add("contact.name", c.Name)
	add("contact.email", c.Email)
	add("contact.phone", c.Phone)
	add("contact.address", c.Address)
	return out
}
