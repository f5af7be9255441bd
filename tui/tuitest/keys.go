package tuitest

import (
	tea "charm.land/bubbletea/v2"

	"postern/tui"
)

// Key returns the message for a key by its name, as Bubble Tea spells it.
func Key(name string) tea.KeyPressMsg {
	k, ok := tui.ParseKey(name)
	if !ok {
		panic("tuitest: no such key: " + name)
	}
	return k
}
