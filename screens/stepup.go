// Step-up: before what matters most, somebody who is signed in shows again that
// it is them, by the strongest they have. The screen that was refused with
// core.CodeStepUp pushes this one and, when it comes back with proved, does again
// what was wanted.

package screens

import (
	"context"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// proved is the result that a stepUp leaves behind when it was the person.
type proved struct{}

// isProved says whether a step-up came back and it was the person.
func isProved(msg tui.BackMsg) bool {
	_, ok := msg.Result.(proved)
	return ok
}

// stepUp asks for a proof again.
type stepUp struct {
	env    *Env
	why    string // a key of the dictionary: what the proof is for
	prover *prover
	err    error // why the ways could not be read
	w      int
}

var (
	_ tui.Screen   = (*stepUp)(nil)
	_ tui.Titled   = (*stepUp)(nil)
	_ tui.Helper   = (*stepUp)(nil)
	_ tui.Typer    = (*stepUp)(nil)
	_ tui.Cursored = (*stepUp)(nil)
	_ tui.Asking   = (*stepUp)(nil)
	_ tui.Numbered = (*stepUp)(nil)
	_ proving      = (*stepUp)(nil)
)

// newStepUp returns the screen. why is the key of the sentence that says what
// the proof is for.
func newStepUp(env *Env, why string) tui.Screen {
	s := &stepUp{env: env, why: why}
	s.prover = newProver(env, s)
	return s
}

// Init reads how the person can prove who they are.
func (s *stepUp) Init() tea.Cmd {
	signIn, actor := s.env.Portal.SignIn, s.env.Actor()
	return call(s.env.Ctx, func(ctx context.Context) ([]core.Way, error) { return signIn.StepUpWays(ctx, actor) })
}

// Update takes the core's answers.
func (s *stepUp) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch m := msg.(type) {
	case answer[[]core.Way]:
		if s.err = m.Err; m.Err == nil {
			return s, s.prover.start(m.Value)
		}
		if s.prover.started() { // reading them anew has failed
			s.prover.rereads = false
			return s, s.prover.refuse(m.Err)
		}
		return s, nil
	case answer[core.StepUpResult]:
		if m.Err != nil {
			return s, s.prover.refuse(m.Err)
		}
		s.prover.wipe()
		return s, tea.Sequence(s.env.Renewed(m.Value), tui.PopWith(proved{}))
	case tea.KeyPressMsg:
		if s.prover.started() {
			break
		}
		switch k := m.String(); {
		case k == "esc":
			return s, tui.Pop()
		case k == "r" && s.err != nil:
			s.err = nil
			return s, s.Init()
		}
	}
	return s, s.prover.handle(msg)
}

func (s *stepUp) intro() (heading, text string) {
	e := s.env
	return "", e.T(s.why) + " " + e.T("stepup.holds", "Span", e.Dict.Duration(core.StepUpFor))
}

func (s *stepUp) submit() string { return s.env.T("stepup.submit") }

// stuck is never needed: where nothing else proves who one is, the password does.
func (s *stepUp) stuck() string { return "" }

// blocked reads the ways again: the password may be enough now.
func (s *stepUp) blocked() tea.Cmd { return s.Init() }

func (s *stepUp) send(factor string) func(context.Context) (time.Duration, error) {
	signIn, actor := s.env.Portal.SignIn, s.env.Actor()
	return func(ctx context.Context) (time.Duration, error) { return signIn.SendCode(ctx, actor, "", factor) }
}

func (s *stepUp) prove(w core.Way, typed string) tea.Cmd {
	signIn, actor := s.env.Portal.SignIn, s.env.Actor()
	return call(s.env.Ctx, func(ctx context.Context) (core.StepUpResult, error) {
		switch w.Kind {
		case core.FactorPassword:
			return signIn.StepUp(ctx, actor, typed)
		case core.FactorRecovery:
			return signIn.StepUpRecovery(ctx, actor, typed)
		}
		return signIn.StepUpFactor(ctx, actor, w.ID, typed)
	})
}

// over is for a password that is not enough any more: another door has just
// enrolled something stronger, which is asked for then.
func (s *stepUp) over(err error) (taken bool, cmd tea.Cmd) {
	if core.CodeOf(err) != core.CodeWeakProof {
		return false, nil
	}
	s.prover.problem = s.env.Sentence(err)
	return true, s.Init()
}

func (s *stepUp) leave() tea.Cmd { return tui.Pop() }

// ownRefusal is refusalOf for somebody who is signed in: there it is only the
// password that can be wrong.
func ownRefusal(e *Env, err error) tui.Refusal {
	r := refusalOf(e, err)
	if core.CodeOf(err) == core.CodeCredentials {
		r.Text = e.T("stepup.wrong")
	}
	return r
}

// SetSize takes the room of the screen.
func (s *stepUp) SetSize(w, h int) {
	s.w = w
	s.prover.setSize(w, h)
}

// View draws the way that is asked for, or the list of them; until they are
// known, what the proof is for.
func (s *stepUp) View() string {
	e := s.env
	switch {
	case s.err != nil && !s.prover.started():
		return e.failure(s.err, s.w)
	case !s.prover.started():
		_, text := s.intro()
		return tui.Wrap(text, s.w) + "\n\n" + e.Theme.Muted.Render(e.T("page.reading"))
	}
	return s.prover.view()
}

// Title is the screen's.
func (s *stepUp) Title() string { return s.env.T("stepup.title") }

// Help returns the keys that work now.
func (s *stepUp) Help() []key.Binding {
	if !s.prover.started() {
		return s.env.waitingKeys(s.err)
	}
	return s.prover.help()
}

// Typing says whether keys are text now.
func (s *stepUp) Typing() bool { return s.prover.asking() != nil && s.prover.form.Typing() }

// Cursor stands in the field.
func (s *stepUp) Cursor() *tea.Cursor { return s.prover.cursor() }

// Asking returns the form of the way that is asked for, or nil while there is none.
func (s *stepUp) Asking() *tui.Form { return s.prover.asking() }

// Choices is how many lines the list of ways has.
func (s *stepUp) Choices() int { return s.prover.choices() }
