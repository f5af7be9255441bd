// What keys do in a form.

package tui

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"charm.land/huh/v2"
)

// Handle takes a message of the screen that holds the form. Messages that are
// not the form's are ignored, so a screen can hand over everything it did not use.
func (f *Form) Handle(msg tea.Msg) tea.Cmd {
	if f.huh == nil {
		f.Init()
	}
	switch msg := msg.(type) {
	case RestyleMsg:
		f.restyle()
	case tea.KeyPressMsg:
		if !f.busy.On() {
			return f.key(msg)
		}
	case tea.PasteMsg:
		if !f.busy.On() {
			return f.edit(msg)
		}
	case lineMsg:
		if !f.busy.On() {
			return f.answered(msg.text)
		}
	default:
		return f.busy.Handle(msg)
	}
	return nil
}

func (f *Form) key(msg tea.KeyPressMsg) tea.Cmd {
	b, onButtons := f.focused().(*buttons)
	switch k := msg.String(); k {
	case "esc":
		return f.back()
	case "tab", "down":
		if onButtons && k == "tab" && b.step(1) {
			return nil
		}
		f.move(1)
		return nil
	case "shift+tab", "up":
		if onButtons && k == "shift+tab" && b.step(-1) {
			return nil
		}
		f.move(-1)
		return nil
	case "left", "right":
		if onButtons {
			b.step(map[string]int{"left": -1, "right": 1}[k])
			return nil
		}
	case "enter":
		if onButtons {
			return f.press(b.at)
		}
		if f.lastInput() {
			return f.forward()
		}
		f.move(1)
		return nil
	case "space":
		if onButtons {
			return f.press(b.at)
		}
	}
	return f.edit(msg)
}

// edit gives msg to the field that has focus, and tells the screen if that
// changed its value.
func (f *Form) edit(msg tea.Msg) tea.Cmd {
	w := f.focused()
	was := w.GetValue()
	_, cmd := f.huh.Update(msg)
	f.settle(cmd)
	if w.GetValue() == was {
		return nil
	}
	w.state().err = ""
	f.note = ""
	if f.spec.Changed == nil {
		return nil
	}
	return f.spec.Changed(w.GetKey())
}

// move goes to the next field that can have focus, round the page.
func (f *Form) move(by int) {
	ws := f.pages[f.page]
	i := f.index()
	for range ws {
		i = (i + by + len(ws)) % len(ws)
		if !ws[i].Skip() {
			if b, ok := ws[i].(*buttons); ok {
				b.enter(by)
			}
			f.focusOn(i)
			return
		}
	}
}

// index returns the position of the focused field on its page.
func (f *Form) index() int {
	for i, w := range f.pages[f.page] {
		if huh.Field(w) == f.huh.GetFocusedField() {
			return i
		}
	}
	return 0
}

// focusOn steps to field i of the page through huh, which blurs and focuses on
// the way. It never steps over an end, where huh would turn the page.
func (f *Form) focusOn(i int) {
	for range len(f.pages[f.page]) {
		at := f.index()
		switch {
		case at < i:
			f.settle(f.huh.NextField())
		case at > i:
			f.settle(f.huh.PrevField())
		default:
			w := f.pages[f.page][i]
			w.Focus()
			return
		}
	}
}

// lastInput says whether only buttons follow the focused field.
func (f *Form) lastInput() bool {
	ws := f.pages[f.page]
	for _, w := range ws[f.index()+1:] {
		if _, ok := w.(*buttons); !ok && !w.Skip() {
			return false
		}
	}
	return true
}

// press does what button i of the page says: Back first, Submit last.
func (f *Form) press(i int) tea.Cmd {
	b := f.pages[f.page][len(f.pages[f.page])-1].(*buttons)
	switch {
	case i == 0:
		return f.back()
	case i == len(b.labels)-1:
		return f.forward()
	default:
		return f.spec.Extra[i-1].Do()
	}
}

// back turns to the page before, or leaves.
func (f *Form) back() tea.Cmd {
	f.note = ""
	if n, _ := f.Page(); n > 1 {
		f.clear()
		f.focused().Blur()
		f.clear()
		f.settle(f.huh.PrevGroup())
		f.syncPage()
		f.focusOn(max(f.firstField(), 0))
		return nil
	}
	if f.spec.Leave != nil {
		return f.spec.Leave()
	}
	return Pop()
}

// forward validates the page. It stops at the first field that is refused,
// turns to the next page, or completes the form, once.
func (f *Form) forward() tea.Cmd {
	f.note = ""
	f.clear()
	bad := -1
	for i, w := range f.pages[f.page] {
		if w.state().validate(); w.state().err != "" && bad < 0 {
			bad = i
		}
	}
	if bad >= 0 {
		err := f.pages[f.page][bad].state().err
		f.focusOn(bad)
		f.pages[f.page][bad].state().err = err
		return nil
	}
	f.focused().Blur()
	f.settle(f.huh.NextGroup())
	if f.huh.State != huh.StateCompleted {
		f.syncPage()
		if i := f.firstField(); i >= 0 {
			f.focusOn(i)
		}
		return nil
	}
	// The completed form is dead to keys; it lives on in busy until the answer.
	busy := f.spec.Busy
	if busy == "" {
		busy = f.s.T("form.busy")
	}
	cmd := f.busy.Start(f.s, busy)
	if f.spec.Do == nil {
		return cmd
	}
	return tea.Batch(cmd, f.spec.Do())
}

// clear forgets every reason on the page.
func (f *Form) clear() {
	for _, w := range f.pages[f.page] {
		w.state().err = ""
	}
}

// buttons makes the row of buttons of a page.
func (f *Form) buttons(last bool) *buttons {
	d := f.s
	labels := []string{orElse(f.spec.Back, d.T("form.back"))}
	if !last {
		return newButtons(f.s, append(labels, d.T("form.continue")), false)
	}
	for _, b := range f.spec.Extra {
		labels = append(labels, b.Label)
	}
	return newButtons(f.s, append(labels, orElse(f.spec.Submit, d.T("form.continue"))), f.spec.Danger)
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// keyMap is huh's, with words from the dictionary and without the keys that
// would complete a form or leave the program behind the form's back.
func (f *Form) keyMap() *huh.KeyMap {
	k := huh.NewDefaultKeyMap()
	k.Quit.Unbind()
	k.Input.Next = key.NewBinding(key.WithKeys("tab", "down"), key.WithHelp("tab", f.s.T("key.next")))
	k.Input.Prev = key.NewBinding(key.WithKeys("shift+tab", "up"), key.WithHelp("shift+tab", f.s.T("key.back_field")))
	k.Input.Submit = key.NewBinding(key.WithKeys("enter"), key.WithHelp("enter", f.s.T("key.continue")))
	return k
}

// Help returns the keys that work now.
func (f *Form) Help() []key.Binding {
	if f.huh == nil || f.busy.On() {
		return nil
	}
	var out []key.Binding
	out = append(out, f.huh.KeyBinds()...)
	out = append(out, f.spec.Keys...)
	desc := f.s.T("key.back")
	if n, _ := f.Page(); n > 1 {
		desc = f.s.T("key.page_back")
	}
	return append(out, key.NewBinding(key.WithKeys("esc"), key.WithHelp("esc", desc)))
}
