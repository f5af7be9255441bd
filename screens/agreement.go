// Agreements at sign-in: the screen of core.StepAgreement. It asks for one after
// the other; only when all are answered does the sign-in go on.

package screens

import (
	"context"
	"slices"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/core/text"
	"postern/tui"
)

// agreeing asks whether somebody agrees.
type agreeing struct {
	env    *Env
	ticket string
	asked  []core.OpenAgreement
	at     int      // the one that is asked for now
	agreed []string // the versions that were agreed to so far
	menu   menu
	busy   tui.Busy

	problem string
	w, h    int
}

// asked is what is asked for now, read again.
type askedAnew struct {
	asked []core.OpenAgreement
	err   error
}

// declined is what came of not agreeing.
type declined struct{ err error }

var (
	_ tui.Screen   = (*agreeing)(nil)
	_ tui.Titled   = (*agreeing)(nil)
	_ tui.Helper   = (*agreeing)(nil)
	_ tui.Numbered = (*agreeing)(nil)
)

// newAgreeing returns the screen of core.StepAgreement.
func newAgreeing(env *Env, p core.Progress) tui.Screen {
	s := &agreeing{env: env, ticket: p.Ticket, asked: p.Asked}
	s.menu = menu{env: env, ways: s.ways}
	s.turn(0)
	return s
}

// Init does nothing: what is asked for came with the step.
func (s *agreeing) Init() tea.Cmd { return nil }

// The lines of the menu.
const (
	idRead  = "read"
	idAgree = "agree"
	idNot   = "not"
)

// turn goes to an agreement. The mark begins where a second Enter from the screen
// before decides nothing.
func (s *agreeing) turn(to int) {
	s.at, s.menu.at = to, idRead
	if ways := s.ways(); !slices.ContainsFunc(ways, func(w menuItem) bool { return w.id == idRead }) {
		s.menu.at = idNot
	}
}

// now is the agreement that is asked for.
func (s *agreeing) now() core.OpenAgreement {
	if s.at >= len(s.asked) {
		return core.OpenAgreement{}
	}
	return s.asked[s.at]
}

func (s *agreeing) ways() []menuItem {
	e, a := s.env, s.now()
	var out []menuItem
	switch {
	case a.Text != "":
		out = append(out, menuItem{id: idRead, label: e.T("agreement.read"), note: e.T("agreement.read_note"), open: func() tea.Cmd {
			return tui.Push(newAgreementText(e, a.Agreement))
		}})
	case a.Link != "" && e.copies():
		out = append(out, menuItem{id: idRead, label: e.T("agreement.copy"), note: e.T("agreement.copy_note"), open: s.copy})
	}
	no := menuItem{id: idNot, label: e.T("agreement.not"), note: e.T("agreement.not_note"), open: s.decline}
	if !a.Mandatory {
		no = menuItem{id: idNot, label: e.T("agreement.skip"), note: e.T("agreement.skip_note"), open: func() tea.Cmd { return s.answered("") }}
	}
	return append(out, menuItem{id: idAgree, label: e.T("agreement.agree"), note: e.T("agreement.agree_note"), open: func() tea.Cmd {
		return s.answered(a.Ref())
	}}, no)
}

// copy sends the link to the terminal's clipboard.
func (s *agreeing) copy() tea.Cmd { return s.env.copyText(s.now().Link, "agreement.copied") }

// answered goes to the next agreement or, after the last one, on with the sign-in.
func (s *agreeing) answered(ref string) tea.Cmd {
	if s.busy.On() {
		return nil
	}
	s.problem = ""
	if ref != "" {
		s.agreed = append(s.agreed, ref)
	}
	if s.at+1 < len(s.asked) {
		s.turn(s.at + 1)
		return nil
	}
	signIn, actor, ticket, agreed := s.env.Portal.SignIn, s.env.Actor(), s.ticket, slices.Clone(s.agreed)
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("form.busy")),
		call(s.env.Ctx, func(ctx context.Context) (core.Progress, error) { return signIn.Agree(ctx, actor, ticket, agreed) }))
}

// decline ends the sign-in.
func (s *agreeing) decline() tea.Cmd {
	if s.busy.On() {
		return nil
	}
	ctx, signIn, actor, ticket := s.env.Ctx, s.env.Portal.SignIn, s.env.Actor(), s.ticket
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("form.busy")),
		func() tea.Msg { return declined{signIn.Decline(ctx, actor, ticket)} })
}

// Update takes keys and the core's answers.
func (s *agreeing) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case answer[core.Progress]:
		return s, s.went(msg)
	case askedAnew:
		s.busy.Stop()
		if msg.err != nil {
			return s, s.env.startOver(msg.err)
		}
		s.asked, s.agreed = msg.asked, nil
		s.turn(0)
		s.problem = s.env.T("agreement.changed")
	case declined:
		s.busy.Stop()
		if msg.err != nil {
			return s, s.env.startOver(msg.err)
		}
		return s, tea.Sequence(tui.Reset(NewWelcome(s.env)), tui.Toast(tui.Info, s.env.T("agreement.declined")))
	case tea.KeyPressMsg:
		switch k := msg.String(); {
		case s.busy.On():
		case k == "esc":
			return s, s.env.notSignedIn()
		case k == "ctrl+y" && s.env.copies() && s.now().Link != "":
			return s, s.copy()
		default:
			cmd, _ := s.menu.key(msg)
			return s, cmd
		}
	default:
		return s, s.busy.Handle(msg)
	}
	return s, nil
}

// went takes what came of agreeing. Where another version has come meanwhile,
// that is asked for.
func (s *agreeing) went(m answer[core.Progress]) tea.Cmd {
	s.busy.Stop()
	switch core.CodeOf(m.Err) {
	case "":
		return s.env.proceed(m.Value)
	case core.CodeAgreement:
		ctx, signIn, actor, ticket := s.env.Ctx, s.env.Portal.SignIn, s.env.Actor(), s.ticket
		return func() tea.Msg {
			asked, err := signIn.Asked(ctx, actor, ticket)
			return askedAnew{asked, err}
		}
	case core.CodeTicket, core.CodeOutOfOrder, core.CodeCredentials:
		return s.env.startOver(m.Err)
	}
	s.agreed = slices.DeleteFunc(s.agreed, func(ref string) bool { return ref == s.now().Ref() })
	s.problem = s.env.Sentence(m.Err)
	return nil
}

// SetSize takes the room of the page.
func (s *agreeing) SetSize(w, h int) { s.w, s.h = w, h }

// View draws what is asked for, as much of the text as there is room for, and
// the menu under it.
func (s *agreeing) View() string {
	e, t, a := s.env, s.env.Theme, s.now()
	width := min(s.w, tui.BodyWidth)
	head := []string{t.Heading.Render(tui.Wrap(e.agreementName(a.Agreement), width)), tui.Wrap(s.why(), width)}
	if a.Link != "" {
		head = append(head, t.Accent.Render(tui.Wrap(text.Escape(a.Link), width)))
	}
	var foot []string
	if s.problem != "" {
		foot = append(foot, "", t.Bad.Render(t.Signs.No)+" "+hanging(s.problem, width))
	}
	if busy := s.busy.View(t); busy != "" {
		foot = append(foot, "", busy)
	}
	foot = append(foot, "", s.menu.view(width))
	around := strings.Join(append(slices.Clone(head), foot...), "\n")
	if room := s.h - strings.Count(around, "\n") - 2; a.Text != "" && room >= leastExcerpt && !e.Caps.Lines {
		head = append(head, "", excerpt(e, a.Text, width, room))
	}
	return markedVisible(t, strings.Join(append(head, foot...), "\n"), s.h)
}

// leastExcerpt is how many lines of a text are worth showing.
const leastExcerpt = 3

// excerpt is the beginning of a text, with a sign where it goes on.
func excerpt(e *Env, written string, width, room int) string {
	lines := strings.Split(running(written, width), "\n")
	if len(lines) > room {
		lines = append(lines[:max(room-1, 0)], e.Theme.Muted.Render(e.Theme.Signs.Ellipsis))
	}
	return strings.Join(lines, "\n")
}

// why says why it is asked for now.
func (s *agreeing) why() string {
	e, a := s.env, s.now()
	said := e.T("agreement.new", "Portal", e.PortalName())
	if a.Before > 0 {
		said = e.T("agreement.again", "Version", a.Before)
	}
	if !a.Mandatory {
		said += " " + e.T("agreement.may")
	}
	return said
}

// agreementName is an agreement's name with its version.
func (e *Env) agreementName(a core.Agreement) string {
	return e.T("agreement.name", "Name", text.Escape(a.Name), "Version", a.Version)
}

// Title is the screen's; it says how many there are when it is more than one.
func (s *agreeing) Title() string {
	if len(s.asked) < 2 {
		return s.env.T("agreement.title")
	}
	return s.env.T("agreement.title_of", "N", s.at+1, "All", len(s.asked))
}

// Help returns the keys that work now.
func (s *agreeing) Help() []key.Binding {
	out := s.menu.help()
	if s.env.copies() && s.now().Link != "" {
		out = append(out, s.env.bind("ctrl+y", "agreement.key_copy"))
	}
	return append(out, s.env.bind("esc", "key.back"))
}

// Choices is how many lines the menu has.
func (s *agreeing) Choices() int { return len(s.ways()) }

// newAgreementText returns the page that shows an agreement in full.
func newAgreementText(e *Env, a core.Agreement) tui.Screen {
	p := &page{env: e, title: func() string { return e.agreementName(a) }}
	p.body = func(width int) string { return agreementBody(e, a, width) }
	p.keys = func() []key.Binding {
		var out []key.Binding
		if p.lines > p.h {
			out = append(out, e.bind("pgdown", "agreement.key_on"))
		}
		if e.copies() && a.Link != "" {
			out = append(out, e.bind("ctrl+y", "agreement.key_copy"))
		}
		return out
	}
	p.do = func(k string) tea.Cmd {
		if k == "ctrl+y" && e.copies() && a.Link != "" {
			return e.copyText(a.Link, "agreement.copied")
		}
		return nil
	}
	return p
}

// agreementBody is an agreement as people read it.
func agreementBody(e *Env, a core.Agreement, width int) string {
	parts := []string{e.Theme.Heading.Render(tui.Wrap(e.agreementName(a), width))}
	if a.Link != "" {
		parts = append(parts, e.Theme.Accent.Render(tui.Wrap(text.Escape(a.Link), width)))
	}
	if a.Text != "" {
		parts = append(parts, "", running(a.Text, width))
	}
	return strings.Join(parts, "\n")
}
