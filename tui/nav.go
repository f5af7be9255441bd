// What a screen can ask of the program around it: other screens, a word at the
// edge, another theme or language, the end. Each is a command, so that a screen
// under test is asked for nothing but its messages.

package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"
)

// BackMsg reaches a screen when the one above it has gone. Result is what that
// one left behind with PopWith, or nil: nothing happened.
type BackMsg struct{ Result any }

// RestyleMsg reaches every screen after the theme, the language or the time
// zone has changed. Whatever was rendered or translated ahead must be made again.
type RestyleMsg struct{}

// EndMsg closes the program after showing a whole sentence. Doors post it
// with Session.End when a session was ended from elsewhere.
type EndMsg struct {
	Text string
	// Key, if set, is the dictionary's key of the sentence: whoever posts from
	// another goroutine does not know what language is spoken by then.
	Key string
}

// sentence is what is shown.
func (m EndMsg) sentence(d *Dict) string {
	if m.Key != "" {
		return d.T(m.Key)
	}
	return m.Text
}

// ToastKind says what a toast means; a sign goes with each, so that colour is
// never the only difference.
type ToastKind int

// Kinds of toasts.
const (
	Info ToastKind = iota
	Good
	Warn
	Bad
)

type (
	pushMsg        struct{ screen Screen }
	popMsg         struct{ result any }
	replaceMsg     struct{ screen Screen }
	resetMsg       struct{ screen Screen }
	toastMsg       struct{ toast toast }
	quitMsg        struct{}
	setThemeMsg    struct{ name ThemeName }
	setLanguageMsg struct{ tag string }
	setZoneMsg     struct{ loc *time.Location }
	postedMsg      struct{ msg tea.Msg }
)

// toast is one sentence at the right of the footer.
type toast struct {
	kind ToastKind
	text string
}

// Push opens s above the current screen. Only the screen on top navigates: the
// second push of an impatient double Enter finds its screen covered, and is dropped.
func Push(s Screen) tea.Cmd { return func() tea.Msg { return pushMsg{s} } }

// Pop goes back to the screen below, which gets a BackMsg without a result. On
// the last screen nothing happens.
func Pop() tea.Cmd { return PopWith(nil) }

// PopWith goes back and hands result to the screen below in its BackMsg.
func PopWith(result any) tea.Cmd { return func() tea.Msg { return popMsg{result} } }

// Replace puts s in the place of the current screen.
func Replace(s Screen) tea.Cmd { return func() tea.Msg { return replaceMsg{s} } }

// Reset clears the stack down to s alone, as after signing in or out. It works
// from a covered screen too.
func Reset(s Screen) tea.Cmd { return func() tea.Msg { return resetMsg{s} } }

// Toast says text at the right of the footer until the next key press. It is
// shown even if the screen that said it has gone, so that Sequence(Pop(), Toast(…)) works.
func Toast(kind ToastKind, text string) tea.Cmd {
	return func() tea.Msg { return toastMsg{toast{kind, text}} }
}

// Quit closes the program and restores the terminal.
func Quit() tea.Cmd { return func() tea.Msg { return quitMsg{} } }
