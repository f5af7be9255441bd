// Screens that live: they hear when a session of the account begins, ends or is
// seen anew. Hearing is a goroutine that sleeps on a channel; nothing ticks.

package screens

import (
	"context"

	tea "charm.land/bubbletea/v2"
)

// ear is what a screen listens with. The zero value hears nothing.
type ear struct{ close context.CancelFunc }

// heard says that a session may have changed. The first one comes as soon as
// somebody listens, so that what is read after it misses nothing.
type heard struct {
	ctx     context.Context
	changes <-chan struct{}
}

// open returns the command that begins to listen, until the ear is shut or the
// session is let go of.
func (l *ear) open(e *Env) tea.Cmd {
	parent := e.visit
	if parent == nil {
		parent = e.Ctx
	}
	ctx, cancel := context.WithCancel(parent)
	l.close = cancel
	sessions, actor := e.Portal.Sessions, e.Actor()
	return func() tea.Msg { return heard{ctx, sessions.Changes(ctx, actor)} }
}

// shut lets go, when the screen leaves.
func (l *ear) shut() {
	if l.close != nil {
		l.close()
	}
}

// again returns the command that waits for the next change.
func (h heard) again() tea.Cmd {
	return func() tea.Msg {
		select {
		case <-h.changes:
			return h
		case <-h.ctx.Done():
			return nil
		}
	}
}
