// From a proof to a session: the core says which step of a sign-in is due, and
// here is which screen asks for it.

package screens

import (
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// stepScreens returns the screen for every forced step. A step that the core
// learns (a captcha) is one more line here and a screen
// that ends in Env.proceed; no other screen knows of it.
func stepScreens() map[core.Step]func(*Env, core.Progress) tui.Screen {
	return map[core.Step]func(*Env, core.Progress) tui.Screen{
		core.StepFactor:         newChallenge,
		core.StepChangePassword: newForced,
		core.StepEnrol:          newEnrolStep,
		core.StepAgreement:      newAgreeing,
	}
}

// proceed returns the command that goes where a sign-in stands: home, or to the
// screen of the step that is due, which takes the place of the present one.
func (e *Env) proceed(p core.Progress) tea.Cmd {
	if p.Step == core.StepDone {
		return e.Enter(p.SignedIn)
	}
	open, ok := stepScreens()[p.Step]
	if !ok { // a core that is ahead of its screens denies
		return e.startOver(&core.Error{Code: core.CodeInternal})
	}
	return tui.Replace(open(e, p))
}

// startOver returns the command that leaves a sign-in that cannot go on, and
// says why.
func (e *Env) startOver(why error) tea.Cmd {
	return tea.Sequence(tui.Reset(NewWelcome(e)), tui.Toast(tui.Bad, e.Sentence(why)))
}
