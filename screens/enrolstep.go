// The demand for a second factor: the screen of core.StepEnrol. While there is
// time it can be put off; after that nothing else leads on.

package screens

import (
	"context"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// enrolStep asks which second factor it is to be.
type enrolStep struct {
	env      *Env
	progress core.Progress
	now      time.Time // when the page was opened; zero until that is known
	menu     menu
	busy     tui.Busy
	problem  string // why a method is of no use now, or nothing came of it
	w, h     int
}

// opened says when a page was opened.
type opened struct{ at time.Time }

var (
	_ tui.Screen   = (*enrolStep)(nil)
	_ tui.Titled   = (*enrolStep)(nil)
	_ tui.Helper   = (*enrolStep)(nil)
	_ tui.Numbered = (*enrolStep)(nil)
)

// newEnrolStep returns the screen of core.StepEnrol.
func newEnrolStep(env *Env, p core.Progress) tui.Screen {
	s := &enrolStep{env: env, progress: p}
	s.menu = menu{env: env, ways: s.ways}
	return s
}

// open says whether a method can be set up from here.
func (s *enrolStep) open(k core.FactorKind) bool {
	return k != core.FactorKey || s.progress.Demand.Key
}

// Init looks at the clock, to say how much time is left.
func (s *enrolStep) Init() tea.Cmd {
	clock := s.env.Clock
	return func() tea.Msg { return opened{clock()} }
}

// idLater is the line that puts the demand off.
const idLater = "later"

// ways are the methods, those last that cannot be set up from here, and the way
// to put them off while there is one.
func (s *enrolStep) ways() []menuItem {
	e, d := s.env, s.progress.Demand
	var out, shut []menuItem
	for _, k := range d.Methods {
		item := menuItem{id: string(k), label: e.T("factor." + string(k)), note: e.T("enrolstep.note." + string(k))}
		switch {
		case !s.open(k):
			why := e.T("enrolstep.come_with_key")
			item.label, item.note = e.T("prove.blocked", "Way", item.label), e.T("prove.note.key")
			item.open = func() tea.Cmd { s.problem = why; return nil }
			shut = append(shut, item)
			continue
		case k == core.FactorKey:
			item.open = s.askKey
		case k == core.FactorApp:
			item.open = func() tea.Cmd { return tui.Push(newEnrolApp(e, s.progress.Ticket, s.enrolled)) }
		default:
			item.open = func() tea.Cmd { return tui.Push(newEnrolSent(e, s.progress.Ticket, k, s.enrolled)) }
		}
		out = append(out, item)
	}
	out = append(out, shut...)
	if d.Later {
		out = append(out, menuItem{id: idLater, group: true, label: e.T("enrolstep.later"), note: e.T("enrolstep.later_note"), open: s.later})
	}
	return out
}

// enrolled goes on with the sign-in once there is a factor.
func (s *enrolStep) enrolled(f core.Enrolled) tea.Cmd { return s.env.proceed(f.Progress) }

// later puts the demand off, once.
func (s *enrolStep) later() tea.Cmd {
	if s.busy.On() {
		return nil
	}
	signIn, actor, ticket := s.env.Portal.SignIn, s.env.Actor(), s.progress.Ticket
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("form.busy")),
		call(s.env.Ctx, func(ctx context.Context) (core.Progress, error) { return signIn.Later(ctx, actor, ticket) }))
}

// askKey asks before the key that was proved becomes the factor.
func (s *enrolStep) askKey() tea.Cmd {
	e := s.env
	signIn, actor, ticket := e.Portal.SignIn, e.Actor(), s.progress.Ticket
	return tui.Push(tui.NewConfirm(e.Session, func() tui.ConfirmSpec {
		return tui.ConfirmSpec{
			Title: e.T("enrolstep.key"), Text: e.T("enrolstep.key_text", "Key", escaped(actor.Key)), Yes: e.T("enrolstep.key_yes"),
			Do: func() tea.Cmd {
				return func() tea.Msg {
					p, err := signIn.EnrolKey(e.Ctx, actor, ticket, "")
					return tui.Confirmed{Result: answer[core.Progress]{p, err}}
				}
			},
		}
	}))
}

// Update takes keys and the core's answers.
func (s *enrolStep) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case opened:
		s.now = msg.at
	case answer[core.Progress]:
		return s, s.answered(msg)
	case tui.BackMsg:
		if done, ok := msg.Result.(tui.Confirmed); ok {
			if m, ok := done.Result.(answer[core.Progress]); ok {
				return s, s.answered(m)
			}
		}
	case tea.KeyPressMsg:
		switch {
		case s.busy.On():
		case msg.String() == "esc":
			return s, s.env.notSignedIn()
		default:
			cmd, _ := s.menu.key(msg)
			return s, cmd
		}
	default:
		return s, s.busy.Handle(msg)
	}
	return s, nil
}

func (s *enrolStep) answered(m answer[core.Progress]) tea.Cmd {
	s.busy.Stop()
	switch core.CodeOf(m.Err) {
	case "":
		return s.env.proceed(m.Value)
	case core.CodeTicket, core.CodeOutOfOrder, core.CodeCredentials:
		return s.env.startOver(m.Err)
	}
	s.problem = s.env.Sentence(m.Err)
	return nil
}

// SetSize takes the room of the page.
func (s *enrolStep) SetSize(w, h int) { s.w, s.h = w, h }

// View draws what is demanded, and the methods under it.
func (s *enrolStep) View() string {
	e, t := s.env, s.env.Theme
	width := min(s.w, tui.BodyWidth)
	parts := []string{t.Heading.Render(tui.Wrap(e.T("enrolstep.heading"), width)), "", tui.Wrap(s.demand(), width), ""}
	if s.problem != "" {
		parts = append(parts, t.Bad.Render(t.Signs.No)+" "+hanging(s.problem, width), "")
	}
	if busy := s.busy.View(t); busy != "" {
		parts = append(parts, busy, "")
	}
	return markedVisible(t, strings.Join(append(parts, s.menu.draw(width, true)), "\n"), s.h)
}

// demand says until when there must be a second factor.
func (s *enrolStep) demand() string {
	e, by := s.env, s.progress.Demand.By
	if s.progress.Why != "soon" {
		return e.T("enrolstep.due")
	}
	if s.now.IsZero() {
		return e.T("enrolstep.soon", "When", e.Dict.DateTime(by))
	}
	return e.T("enrolstep.soon", "When", e.T("enrolstep.until", "Exact", e.Dict.DateTime(by), "Relative", e.Dict.Relative(by, s.now)))
}

// Title is the screen's.
func (s *enrolStep) Title() string { return s.env.T("challenge.title") }

// Help returns the keys that work now.
func (s *enrolStep) Help() []key.Binding { return append(s.menu.help(), s.env.bind("esc", "key.back")) }

// Choices is how many lines the menu has.
func (s *enrolStep) Choices() int { return len(s.ways()) }
