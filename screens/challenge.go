// The second factor of a sign-in: the screen of core.StepFactor.

package screens

import (
	"context"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// challenge asks for a second factor before a sign-in goes on.
type challenge struct {
	env      *Env
	progress core.Progress
	prover   *prover
}

var (
	_ tui.Screen   = (*challenge)(nil)
	_ tui.Titled   = (*challenge)(nil)
	_ tui.Helper   = (*challenge)(nil)
	_ tui.Typer    = (*challenge)(nil)
	_ tui.Cursored = (*challenge)(nil)
	_ tui.Asking   = (*challenge)(nil)
	_ tui.Numbered = (*challenge)(nil)
	_ proving      = (*challenge)(nil)
)

// newChallenge returns the screen of core.StepFactor.
func newChallenge(env *Env, p core.Progress) tui.Screen {
	s := &challenge{env: env, progress: p}
	s.prover = newProver(env, s)
	return s
}

// Init asks for the way that the person prefers; a code leaves by itself.
func (s *challenge) Init() tea.Cmd { return s.prover.start(s.progress.Ways) }

// Update takes the core's answers.
func (s *challenge) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	m, ok := msg.(answer[core.Progress])
	if !ok {
		return s, s.prover.handle(msg)
	}
	if m.Err != nil {
		return s, s.prover.refuse(m.Err)
	}
	s.prover.wipe()
	return s, s.env.proceed(m.Value)
}

func (s *challenge) intro() (heading, text string) { return s.env.T("challenge.heading"), "" }
func (s *challenge) submit() string                { return s.env.T("signin.submit") }
func (s *challenge) stuck() string                 { return s.env.T("challenge.stuck") }
func (s *challenge) blocked() tea.Cmd              { return nil }

func (s *challenge) send(factor string) func(context.Context) (time.Duration, error) {
	signIn, actor, ticket := s.env.Portal.SignIn, s.env.Actor(), s.progress.Ticket
	return func(ctx context.Context) (time.Duration, error) { return signIn.SendCode(ctx, actor, ticket, factor) }
}

func (s *challenge) prove(w core.Way, typed string) tea.Cmd {
	signIn, actor, ticket := s.env.Portal.SignIn, s.env.Actor(), s.progress.Ticket
	return call(s.env.Ctx, func(ctx context.Context) (core.Progress, error) {
		if w.Kind == core.FactorRecovery {
			return signIn.Recover(ctx, actor, ticket, typed)
		}
		return signIn.Factor(ctx, actor, ticket, w.ID, typed)
	})
}

// over is for a sign-in that cannot go on: too late, or something of the account
// was changed meanwhile.
func (s *challenge) over(err error) (taken bool, cmd tea.Cmd) {
	switch core.CodeOf(err) {
	case core.CodeTicket, core.CodeOutOfOrder, core.CodeCredentials:
		return true, s.env.startOver(err)
	}
	return false, nil
}

func (s *challenge) leave() tea.Cmd { return s.env.notSignedIn() }

// notSignedIn returns the command that gives up a sign-in that was begun.
func (e *Env) notSignedIn() tea.Cmd {
	return tea.Sequence(tui.Pop(), tui.Toast(tui.Info, e.T("challenge.left")))
}

// SetSize takes the room of the screen.
func (s *challenge) SetSize(w, h int) { s.prover.setSize(w, h) }

// View draws the way that is asked for, or the list of them.
func (s *challenge) View() string { return s.prover.view() }

// Title is the screen's.
func (s *challenge) Title() string { return s.env.T("challenge.title") }

// Help returns the keys that work now.
func (s *challenge) Help() []key.Binding { return s.prover.help() }

// Typing says whether keys are text now.
func (s *challenge) Typing() bool { return !s.prover.listed && s.prover.form.Typing() }

// Cursor stands in the field for the code.
func (s *challenge) Cursor() *tea.Cursor { return s.prover.cursor() }

// Asking returns the form of the way that is asked for, or nil while ways are listed.
func (s *challenge) Asking() *tui.Form { return s.prover.asking() }

// Choices is how many lines the list of ways has.
func (s *challenge) Choices() int { return s.prover.choices() }
