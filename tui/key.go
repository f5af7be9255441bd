// Keys by their names, for doors where nobody presses any.

package tui

import (
	"strings"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
)

// ParseKey returns the message for a key by its name, as Bubble Tea spells it:
// "a", "X", "enter", "ctrl+r", "shift+tab".
func ParseKey(name string) (msg tea.KeyPressMsg, ok bool) {
	var k tea.Key
	rest := name
	for {
		mod, after, found := strings.Cut(rest, "+")
		if !found || after == "" {
			break
		}
		bits, known := map[string]tea.KeyMod{"ctrl": tea.ModCtrl, "shift": tea.ModShift, "alt": tea.ModAlt}[mod]
		if !known {
			return msg, false
		}
		k.Mod |= bits
		rest = after
	}
	named := map[string]rune{
		"enter": tea.KeyEnter, "tab": tea.KeyTab, "esc": tea.KeyEscape, "backspace": tea.KeyBackspace,
		"delete": tea.KeyDelete, "up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft, "right": tea.KeyRight,
		"home": tea.KeyHome, "end": tea.KeyEnd, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "f1": tea.KeyF1,
	}
	switch code, found := named[rest]; {
	case found:
		k.Code = code
	case rest == "space" || rest == " ":
		k.Code, k.Text = tea.KeySpace, " "
	default:
		r, n := utf8.DecodeRuneInString(rest)
		if n == 0 || n != len(rest) {
			return msg, false
		}
		k.Code = r
		if k.Mod&(tea.ModCtrl|tea.ModAlt) == 0 {
			k.Text = rest
		}
	}
	return tea.KeyPressMsg(k), true
}
