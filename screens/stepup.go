// Step-up: before what matters most, the password is asked for again. The screen
// that was refused with core.CodeStepUp pushes this one and, when it comes back
// with proved, does again what was wanted.

package screens

import (
	"context"

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

// stepUp asks for the password again.
type stepUp struct {
	*tui.Form
	env      *Env
	why      string // a key of the dictionary: what the proof is for
	password string
}

var (
	_ tui.Screen   = (*stepUp)(nil)
	_ tui.Titled   = (*stepUp)(nil)
	_ tui.Helper   = (*stepUp)(nil)
	_ tui.Typer    = (*stepUp)(nil)
	_ tui.Cursored = (*stepUp)(nil)
)

// newStepUp returns the screen. why is the key of the sentence that says what
// the proof is for.
func newStepUp(env *Env, why string) tui.Screen {
	s := &stepUp{env: env, why: why}
	s.Form = tui.NewForm(env.Session, s.spec)
	return s
}

func (s *stepUp) spec() tui.FormSpec {
	e := s.env
	return tui.FormSpec{
		Pages: []tui.Page{{
			Text:   e.T(s.why) + " " + e.T("stepup.holds", "Span", e.Dict.Duration(core.StepUpFor)),
			Fields: []tui.Field{tui.Secret{Key: "password", Label: e.T("stepup.password"), Value: &s.password}},
		}},
		Submit: e.T("stepup.submit"), Busy: e.T("stepup.busy"),
		Do:    s.prove,
		Leave: func() tea.Cmd { s.password = ""; return tui.Pop() },
	}
}

func (s *stepUp) prove() tea.Cmd {
	signIn, actor, pw := s.env.Portal.SignIn, s.env.Actor(), s.password
	return call(s.env.Ctx, func(ctx context.Context) (core.StepUpResult, error) {
		return signIn.StepUp(ctx, actor, pw)
	})
}

// Update takes the core's answer. The password stays in no case.
func (s *stepUp) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	m, ok := msg.(answer[core.StepUpResult])
	if !ok {
		return s, s.Handle(msg)
	}
	s.password = ""
	if m.Err != nil {
		s.Refuse(ownRefusal(s.env, m.Err))
		return s, nil
	}
	return s, tea.Sequence(s.env.Renewed(m.Value), tui.PopWith(proved{}))
}

// ownRefusal is refusalOf for somebody who is signed in: there it is only the
// password that can be wrong.
func ownRefusal(e *Env, err error) tui.Refusal {
	r := refusalOf(e, err)
	if core.CodeOf(err) == core.CodeCredentials {
		r.Text = e.T("stepup.wrong")
	}
	return r
}

// Title is the screen's.
func (s *stepUp) Title() string { return s.env.T("stepup.title") }
