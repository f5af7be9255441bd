// The envelope. Bubble Tea hands a command's message to the model as it is,
// whoever asked; a stack of screens has to remember. Without envelopes the
// messages of a form that has gone reach the form that follows it.

package tui

import (
	"reflect"
	"runtime/debug"

	tea "charm.land/bubbletea/v2"
)

// toScreen carries a message back to the screen whose command produced it.
type toScreen struct {
	id  int
	msg tea.Msg
}

// crashMsg says that a command panicked.
type crashMsg struct {
	value any
	stack []byte
}

var (
	cmdsType   = reflect.TypeFor[[]tea.Cmd]()
	teaPackage = reflect.TypeFor[tea.QuitMsg]().PkgPath()
)

// address makes every message that cmd produces return to screen id, through
// Batch and Sequence too. Bubble Tea's own messages, which ask something of the
// program (quit, clipboard, window size), pass as they are. A panic becomes a
// message, since the command runs where nobody else would catch it quietly.
func address(id int, cmd tea.Cmd) tea.Cmd {
	if cmd == nil {
		return nil
	}
	return func() (msg tea.Msg) {
		defer func() {
			if v := recover(); v != nil {
				msg = toScreen{id, crashMsg{v, debug.Stack()}}
			}
		}()
		switch msg := cmd().(type) {
		case nil:
			return nil
		default:
			if cmds, ok := commands(msg); ok {
				wrapped := make([]tea.Cmd, len(cmds))
				for i, c := range cmds {
					wrapped[i] = address(id, c)
				}
				return reflect.ValueOf(wrapped).Convert(reflect.TypeOf(msg)).Interface()
			}
			if reflect.TypeOf(msg).PkgPath() == teaPackage {
				return msg
			}
			return toScreen{id, msg}
		}
	}
}

// commands returns the commands inside tea.BatchMsg and Bubble Tea's unexported
// message for sequences.
func commands(msg tea.Msg) ([]tea.Cmd, bool) {
	v := reflect.ValueOf(msg)
	if v.Kind() != reflect.Slice || !v.Type().ConvertibleTo(cmdsType) {
		return nil, false
	}
	return v.Convert(cmdsType).Interface().([]tea.Cmd), true
}
