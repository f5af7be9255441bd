// A menu: ways on, one under the other, each with a word about where it leads.
// Some of them are settings that left and right change on the spot.

package screens

import (
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"postern/tui"
)

// menuItem is one line of a menu.
type menuItem struct {
	id    string // names the line, so that the mark stays on it
	label string
	note  string // where it leads, or what it is
	value string // of a setting: what is chosen now
	group bool   // begins a group: a blank line stands before it where there is room
	// open is what enter does. turn is what left (-1) and right (1) do; enter
	// on a line without open turns right.
	open func() tea.Cmd
	turn func(by int) tea.Cmd
}

// menu is not a Screen: a screen holds one and gives it keys.
type menu struct {
	env  *Env
	ways func() []menuItem // asked anew each time, so that it follows language and state
	at   string            // the id of the marked line
}

// index returns the position of the marked line.
func (m *menu) index(ways []menuItem) int {
	for i, w := range ways {
		if w.id == m.at {
			return i
		}
	}
	return 0
}

// key does what k says; used is false when that is nothing.
func (m *menu) key(k tea.KeyPressMsg) (cmd tea.Cmd, used bool) {
	ways := m.ways()
	if len(ways) == 0 {
		return nil, false
	}
	i := m.index(ways)
	w := ways[i]
	move := func(to int) { m.at = ways[(to+len(ways))%len(ways)].id }
	switch k.String() {
	case "up", "shift+tab", "k":
		move(i - 1)
	case "down", "tab", "j":
		move(i + 1)
	case "home":
		move(0)
	case "end":
		move(len(ways) - 1)
	case "left", "right", "space":
		if w.turn == nil {
			return nil, false
		}
		by := 1
		if k.String() == "left" {
			by = -1
		}
		return w.turn(by), true
	case "enter":
		if w.open != nil {
			return w.open(), true
		}
		return w.turn(1), true
	default:
		return nil, false
	}
	return nil, true
}

// help returns the keys that work now.
func (m *menu) help() []key.Binding {
	e := m.env
	out := []key.Binding{e.bind(e.arrows(), "key.move")}
	if ways := m.ways(); len(ways) > 0 && ways[m.index(ways)].turn != nil {
		turn := "left/right"
		if e.Caps.UTF8 {
			turn = "← →"
		}
		return append(out, e.bind(turn, "key.change"))
	}
	return append(out, e.bind("enter", "key.open"))
}

// noteRoom is the least room beside the labels for notes to stand there.
const noteRoom = 40

// view draws the menu in width cells: the notes beside their lines where there
// is room for them, else the marked line's under the menu.
func (m *menu) view(width int) string { return m.draw(width, false) }

// draw is view, with a blank line before each group if groups is set.
func (m *menu) draw(width int, groups bool) string {
	t := m.env.Theme
	ways := m.ways()
	at := m.index(ways)
	wide := 0
	for _, w := range ways {
		wide = max(wide, ansi.StringWidth(w.label))
	}
	x := 2 + ansi.StringWidth(m.env.Number(0)) + wide + 4
	beside := width-x >= noteRoom
	var lines []string
	for i, w := range ways {
		if w.group && groups && i > 0 {
			lines = append(lines, "")
		}
		mark, label := "  ", t.Text
		if i == at {
			mark, label = t.Accent.Render(t.Signs.Mark)+" ", t.Selected
		}
		line := mark + m.env.Number(i) + label.Render(t.Pad(w.label, wide))
		switch {
		case w.turn != nil && i == at:
			line += "  " + t.Accent.Render(t.Signs.Left) + " " + t.Selected.Render(w.value) + " " + t.Accent.Render(t.Signs.Right)
		case w.turn != nil:
			line += "    " + t.Text.Render(w.value)
		case beside:
			indent := "\n" + strings.Repeat(" ", x)
			line += "    " + strings.ReplaceAll(t.Muted.Render(tui.Wrap(w.note, width-x)), "\n", indent)
		}
		lines = append(lines, line)
	}
	if !beside && len(ways) > 0 && ways[at].note != "" {
		lines = append(lines, "", t.Muted.Render(tui.Wrap(ways[at].note, width)))
	}
	return strings.Join(lines, "\n")
}
