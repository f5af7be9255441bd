// Package tui is the kit that screens are made of: a router, forms, a theme, a
// dictionary and widgets. It knows terminals and people's eyes; it knows no
// accounts, and imports nothing of ours.
package tui

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
)

// Screen is one page of the program. It is not a tea.Model: its View is a
// string sized to fit the area it was last given. Update and View are pure: no
// I/O, no clock, no store; whatever takes time is a tea.Cmd whose message comes
// back to this screen and to no other.
type Screen interface {
	Init() tea.Cmd
	Update(msg tea.Msg) (Screen, tea.Cmd)
	View() string
	SetSize(width, height int)
}

// Titled is a Screen with a name for the header's breadcrumb.
type Titled interface {
	Title() string
}

// Tall is a Screen that may want every row there is: the blank row above the
// body is left out for it. It is asked whenever the screen gets a size and
// whenever it is drawn, so its answer must not change while the screen is open.
type Tall interface {
	Tall() bool
}

// Helper is a Screen that says which keys work on it now. The footer shows
// them, and the help overlay shows all of them.
type Helper interface {
	Help() []key.Binding
}
