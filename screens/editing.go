// A text of several lines that is written on a screen: what keys and pastes do to
// it, how long it may be, and the question before something is lost. Screens embed
// it, and say what the text is for.

package screens

import (
	"strings"

	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/textarea"
	tea "charm.land/bubbletea/v2"

	"postern/tui"
)

// maxEditLines is how many lines a text has at most: the numbers before them have
// room for four digits, and a text that is pasted would be cut beyond it.
const maxEditLines = 9999

// editing is such a text.
type editing struct {
	env  *Env
	area textarea.Model
	kept string // the text as it is kept elsewhere
	most int    // bytes
	w    int
}

// discarded is the answer of the dialog about leaving what was not kept.
type discarded struct{}

func newEditing(env *Env, written string, most int) *editing {
	s := &editing{env: env, area: textarea.New(), most: most}
	// The width of the numbers is that of MaxHeight; with none it would be one digit,
	// and the cursor would stand wrong from the tenth line on. Without a bound of its
	// own the content would be held to MaxHeight.
	s.area.Prompt, s.area.ShowLineNumbers, s.area.MaxHeight, s.area.MaxContentHeight = "", true, maxEditLines, 1<<30
	s.area.SetVirtualCursor(false)
	// The clipboard that these keys mean is that of the machine that the portal runs
	// on: whoever sits at the other end must neither read nor write it.
	for _, b := range []*key.Binding{&s.area.KeyMap.Paste, &s.area.KeyMap.CopySelection} {
		b.Unbind()
	}
	s.area.SetValue(lineEnds(written))
	s.kept = s.area.Value()
	s.area.MoveToBegin()
	s.area.Focus()
	s.style()
	return s
}

// lineEnds makes the ends of lines those that the text is kept with: a terminal
// pastes others.
func lineEnds(s string) string { return strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s) }

// style gives the text the colours of the theme.
func (s *editing) style() {
	t := s.env.Theme
	styles := s.area.Styles()
	for _, state := range []*textarea.StyleState{&styles.Focused, &styles.Blurred} {
		state.Base, state.Text, state.CursorLine, state.EndOfBuffer = t.Text, t.Text, t.Text, t.Muted
		state.LineNumber, state.CursorLineNumber, state.Placeholder, state.Prompt = t.Muted, t.Accent, t.Muted, t.Muted
		state.Selection = t.Selected.Reverse(true) // seen without colours too
	}
	s.area.SetStyles(styles)
}

// text is what is written.
func (s *editing) text() string { return s.area.Value() }

// input gives the text a key or a paste, and says whether that changed it. What
// would not fit is refused as a whole and said, since nobody sees that a text was
// cut at its end.
func (s *editing) input(msg tea.Msg) (cmd tea.Cmd, changed bool) {
	before := s.area.Value()
	added := ""
	switch m := msg.(type) {
	case tea.PasteMsg:
		m.Content = strings.ReplaceAll(lineEnds(m.Content), "\t", "    ")
		msg, added = m, m.Content
	case tea.KeyPressMsg:
		switch added = m.Text; m.String() {
		case "tab":
			added = "    "
			msg = tea.PasteMsg{Content: added}
		case "enter", "ctrl+m":
			added = "\n"
		}
	default:
		return nil, false
	}
	gone := s.area.SelectedText() // what is added takes its place
	lines := strings.Count(before, "\n") - strings.Count(gone, "\n") + strings.Count(added, "\n") + 1
	if added != "" && (len(before)-len(gone)+len(added) > s.most || lines > maxEditLines) {
		return tui.Toast(tui.Bad, s.env.T("edit.too_long", "N", s.most>>10)), false
	}
	s.area, cmd = s.area.Update(msg)
	return cmd, s.area.Value() != before
}

// counted says how much is written, of how much there may be.
func (s *editing) counted() string {
	d, now := s.env.Dict, s.area.Value()
	return s.env.T("edit.counted", "Count", s.area.LineCount(), "Bytes", d.Number(int64(len(now))), "Most", d.Number(int64(s.most)))
}

// leave goes back, and asks when something was not kept.
func (s *editing) leave() tea.Cmd {
	if s.area.Value() == s.kept {
		return tui.Pop()
	}
	return s.env.askDiscard()
}

// askDiscard asks whether what was typed may be lost. A yes comes back as
// discarded.
func (e *Env) askDiscard() tea.Cmd {
	return tui.Push(tui.NewConfirm(e.Session, func() tui.ConfirmSpec {
		return tui.ConfirmSpec{Title: e.T("edit.leave_title"), Text: e.T("edit.leave_text"), Yes: e.T("edit.leave_yes"),
			Do: func() tea.Cmd { return func() tea.Msg { return tui.Confirmed{Result: discarded{}} } }}
	}))
}

// isDiscarded says whether somebody said that what was typed may be lost.
func isDiscarded(msg tui.BackMsg) bool {
	c, _ := msg.Result.(tui.Confirmed)
	_, ok := c.Result.(discarded)
	return ok
}

// size gives the text its room.
func (s *editing) size(w, h int) {
	s.w = w
	s.area.SetWidth(w)
	s.area.SetHeight(max(h, 3))
}

// foot is what stands under the text, in so many lines: a sign and a sentence.
func (s *editing) foot(sign, said string, lines int) string {
	out := strings.Split(sign+" "+hanging(said, s.w), "\n")
	return strings.Join(out[:min(len(out), lines)], "\n")
}

// Typing says that keys are text.
func (s *editing) Typing() bool { return true }

// Cursor stands in the text. It looks as the terminal's does elsewhere: the colour
// that the kit would give it cannot be seen on every theme.
func (s *editing) Cursor() *tea.Cursor {
	c := s.area.Cursor()
	if c == nil {
		return nil
	}
	return tea.NewCursor(c.X, c.Y)
}
