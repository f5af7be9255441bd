package sshd

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// copier is a model that copies something when a key is pressed.
type copier struct{ screen }

func (m copier) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if k, ok := msg.(tea.KeyPressMsg); ok && k.String() == "ctrl+y" {
		return m, tea.SetClipboard("JBSWY3DP")
	}
	next, cmd := m.screen.Update(msg)
	m.screen, _ = next.(screen)
	return m, cmd
}

// The views are the painter's, and bubbletea's renderer is switched off; what is
// copied reaches the visitor's terminal all the same, as OSC 52, in one piece.
func TestWhatIsCopiedReachesTheTerminal(t *testing.T) {
	d := open(t, Limits{})
	d.handler.model = copier{}
	term := d.terminal(d.client(), 80, 24)
	term.see("size=80x24")
	term.typeKeys("\x19")
	want := ansi.SetSystemClipboard("JBSWY3DP")
	eventually(t, "the clipboard", func() bool { return strings.Contains(term.out.String(), want) })
	term.typeKeys("a")
	term.see("[a]") // and the screen goes on
}
