// Screens with a few lines above their table.

package screens

import (
	"strings"

	tea "charm.land/bubbletea/v2"
)

// headed is a listing whose table stands under a head.
type headed struct {
	listing
	head func() string // asked at every view
	tied bool          // there is no blank line under the head
	left int           // lines at the bottom that are not the table's
}

// lines is how many lines stand above the table.
func (l *headed) lines() int {
	n := strings.Count(l.head(), "\n") + 1
	if !l.tied {
		n++
	}
	return n
}

// SetSize gives the table the room that is left to it.
func (l *headed) SetSize(w, h int) {
	l.w, l.h = w, h
	l.fit()
}

// fit is for when the room or the head has changed.
func (l *headed) fit() {
	l.drawn.forget()
	l.table.SetSize(l.w, max(l.h-l.left-l.lines(), 2))
}

// view is the head and the table.
func (l *headed) view() string {
	gap := "\n\n"
	if l.tied {
		gap = "\n"
	}
	return l.head() + gap + l.table.View()
}

// handle gives the table a message; the mouse is moved to where it sees itself.
func (l *headed) handle(msg tea.Msg) (cmd tea.Cmd, used bool) {
	switch m := msg.(type) {
	case tea.MouseClickMsg:
		m.Y -= l.lines()
		msg = m
	case tea.MouseWheelMsg:
		m.Y -= l.lines()
		msg = m
	}
	return l.table.Handle(msg)
}

// Cursor stands in the filter.
func (l *headed) Cursor() *tea.Cursor {
	c := l.table.Cursor()
	if c != nil {
		c.Y += l.lines()
	}
	return c
}
