// Screens that ask for a new password judge it by the rules in force, also when
// these change while it is typed: they hear of a new policy and read them again.

package screens

import (
	"context"

	tea "charm.land/bubbletea/v2"
)

// rulesEar is what such a screen listens with. The zero value hears nothing.
type rulesEar struct{ close context.CancelFunc }

// rulesChanged says that a policy was put in force.
type rulesChanged struct{ changes <-chan struct{} }

// open returns the command that begins to listen, until the ear is shut or the
// connection is over.
func (l *rulesEar) open(e *Env) tea.Cmd {
	l.shut()
	ctx, cancel := context.WithCancel(e.Ctx)
	l.close = cancel
	policies := e.Portal.Policy
	return func() tea.Msg {
		changes, err := policies.Changes(ctx)
		if err != nil {
			return nil // the portal closes
		}
		return rulesChanged{changes}.again()()
	}
}

// shut lets go, when the screen leaves.
func (l *rulesEar) shut() {
	if l.close != nil {
		l.close()
		l.close = nil
	}
}

// again returns the command that waits for the next change.
func (r rulesChanged) again() tea.Cmd {
	return func() tea.Msg {
		if _, ok := <-r.changes; !ok {
			return nil
		}
		return r
	}
}
