// Signing out: the session ends, the door forgets its secret, and the
// connection is a stranger's again.

package screens

import (
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// signedOut is the answer to signOut. A nil error means that the session is
// over; forgetful that the door could not wipe the secret, which is worth
// nothing now.
type signedOut struct {
	err       error
	forgetful bool
}

// signOut returns the command that ends the session that is signed in here.
func (e *Env) signOut() tea.Cmd {
	ctx, signIn, actor, remember := e.Ctx, e.Portal.SignIn, e.Actor(), e.Door.Remember
	leaving := &e.leaving
	return func() tea.Msg {
		leaving.Store(true)
		err := signIn.Out(ctx, actor)
		switch core.CodeOf(err) {
		case "", core.CodeSessionEnded, core.CodeNotFound: // over either way
		default:
			leaving.Store(false)
			return signedOut{err: err}
		}
		if remember == nil {
			return signedOut{}
		}
		return signedOut{forgetful: remember("") != nil}
	}
}

// left goes to the welcome page after signOut. What takes time of letting go is
// done by the command.
func (e *Env) left(out signedOut) tea.Cmd {
	live := e.live
	e.live = nil
	e.Leave()
	e.leaving.Store(false)
	release := func() tea.Msg {
		if live != nil {
			live.Close()
		}
		return nil
	}
	words := tui.Toast(tui.Good, e.T("ended."+string(core.EndSignedOut)))
	if out.forgetful {
		words = tui.Toast(tui.Warn, e.T("home.not_forgotten"))
	}
	return tea.Batch(release, tea.Sequence(tui.Reset(NewWelcome(e)), words))
}
