// What screens around one table have in common.

package screens

import (
	tea "charm.land/bubbletea/v2"

	"postern/tui"
)

// listing is the part of a screen that shows one table: a screen embeds it.
type listing struct {
	table *tui.Table
	drawn drawn // the detail beside or under the table
	w, h  int
}

// SetSize gives the table its room, but for the line that says what is loaded
// or awaited.
func (l *listing) SetSize(w, h int) {
	l.w, l.h = w, h
	l.drawn.forget()
	l.table.SetSize(w, h-1)
}

// Typing says whether the filter is being typed.
func (l *listing) Typing() bool { return l.table.Typing() }

// Cursor stands in the filter.
func (l *listing) Cursor() *tea.Cursor { return l.table.Cursor() }

// Choices is how many rows there are.
func (l *listing) Choices() int { return l.table.Choices() }

// Mouse says that rows can be clicked.
func (l *listing) Mouse() bool { return l.table.Mouse() }
