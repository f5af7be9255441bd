// Forms. A Form is the part of a screen that asks: pages of fields, each a row
// with its label, what is typed, and a word about it. huh keeps the order of
// fields and pages, what has focus, and when the whole is complete; the fields
// draw themselves, because huh's can neither keep still nor stand in a row.

package tui

import (
	"reflect"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"charm.land/huh/v2"
)

// FormSpec says what a form asks. It is made anew after every change of
// language or theme and after every refusal, so it must be cheap, and what is
// typed lives in the screen, behind the Value pointers of its fields.
type FormSpec struct {
	// Pages are shown one at a time.
	Pages []Page
	// Submit is the label of the last button; "" says "Continue".
	Submit string
	// Back is the label of the first button; "" says "Back".
	Back string
	// Extra buttons stand between Back and Submit, on the last page.
	Extra []Button
	// Danger draws the last button as one that destroys something.
	Danger bool
	// Busy is said while the answer to Do is awaited; "" says "One moment".
	Busy string
	// Do is called once, when the last page is complete. Until the screen calls
	// Refuse, Release or leaves, the form takes no keys.
	Do func() tea.Cmd
	// Changed is called after a key or a paste changed the value of field.
	Changed func(field string) tea.Cmd
	// Leave is what Back does on the first page; nil pops the screen.
	Leave func() tea.Cmd
	// Keys are further bindings of the screen, for the footer and the help.
	Keys []key.Binding
}

// Page is one page of a form.
type Page struct {
	Title  string // a heading above the fields, or ""
	Text   string // a sentence under it, or ""
	Fields []Field
	Hidden func() bool // nil shows the page always
}

// Button is a further way on from a form's last page. It does not validate.
type Button struct {
	Label string
	Do    func() tea.Cmd
}

// Refusal is a reason why what was asked for did not happen. Field "" concerns
// the form as a whole.
type Refusal struct{ Field, Text string }

// Form is not a Screen by itself: a screen embeds or holds one, hands its
// messages to Handle, and decides what the answers mean.
type Form struct {
	s     *Session
	build func() FormSpec
	spec  FormSpec
	pages [][]widget
	huh   *huh.Form
	page  int
	w, h  int
	busy  Busy
	note  string // a refusal of the form as a whole
	cur   *tea.Cursor

	spoken string // the language that the form was last built in
}

// NewForm returns a form that asks what build says.
func NewForm(s *Session, build func() FormSpec) *Form {
	return &Form{s: s, build: build, w: BodyWidth, h: 16}
}

// Init builds the form and focuses its first field.
func (f *Form) Init() tea.Cmd {
	f.note = ""
	f.busy.Stop()
	f.rebuild(0, "")
	return nil
}

// SetSize takes the room of the screen. A form is never wider than BodyWidth.
func (f *Form) SetSize(w, h int) {
	f.w, f.h = min(w, BodyWidth), h
	if f.huh != nil {
		f.huh.WithWidth(f.w)
	}
}

// Busy says whether an answer is awaited.
func (f *Form) Busy() bool { return f.busy.On() }

// Page returns the number of the page shown, from 1, and how many there are now.
func (f *Form) Page() (n, of int) {
	for i, p := range f.spec.Pages {
		if p.Hidden != nil && p.Hidden() {
			continue
		}
		of++
		if i <= f.page {
			n++
		}
	}
	return n, of
}

// Focused returns the key of the field that has focus; "" is a button.
func (f *Form) Focused() string {
	if f.huh == nil {
		return ""
	}
	return f.huh.GetFocusedField().GetKey()
}

// Typing says whether a key press is text now.
func (f *Form) Typing() bool {
	if f.huh == nil || f.busy.On() {
		return false
	}
	_, ok := f.focused().(*input)
	return ok
}

// Cursor returns where the terminal's cursor belongs, as View last drew it.
func (f *Form) Cursor() *tea.Cursor { return f.cur }

// Release takes keys again without having refused anything.
func (f *Form) Release() {
	f.busy.Stop()
	f.note = ""
	f.rebuild(f.page, f.Focused())
}

// Again does once more what the form asks for, after Release: what it lacked is
// there now.
func (f *Form) Again() tea.Cmd { return f.forward() }

// Refuse takes keys again, with every reason beside its field and the focus on
// the first of them. What was typed stays.
func (f *Form) Refuse(refusals ...Refusal) {
	f.busy.Stop()
	f.note = ""
	page, field := f.page, f.Focused()
	for i := len(refusals) - 1; i >= 0; i-- {
		if p, ok := f.find(refusals[i].Field); ok {
			page, field = p, refusals[i].Field
		}
	}
	f.rebuild(page, field)
	for _, r := range refusals {
		if w := f.widget(r.Field); w != nil {
			w.state().err = r.Text
		} else {
			f.note = r.Text
		}
	}
}

// Focus moves to field, if it is on the page that is shown.
func (f *Form) Focus(field string) {
	for i, w := range f.pages[f.page] {
		if w.GetKey() == field && !w.Skip() {
			f.focusOn(i)
		}
	}
}

// Refresh makes the fields show values that the screen changed behind them.
func (f *Form) Refresh() { f.rebuild(f.page, f.Focused()) }

// restyle shows the form in other colours or words. The focus stays where it is,
// on a button too, and so do the reasons that stand beside fields, unless they
// are in a language that is no longer spoken. A terminal's answer about its
// colours comes when it comes, and must not take a reason away unread.
func (f *Form) restyle() {
	if f.huh == nil {
		return
	}
	note, reasons := f.note, map[string]string{}
	for _, ws := range f.pages {
		for _, w := range ws {
			if key := w.GetKey(); key != "" {
				reasons[key] = w.state().err
			}
		}
	}
	same := f.spoken == f.s.Dict.Tag()
	at, button := f.index(), -1
	if b, ok := f.focused().(*buttons); ok {
		button = b.at
	}
	f.rebuild(f.page, f.Focused())
	if at < len(f.pages[f.page]) {
		f.focusOn(at)
		if b, ok := f.focused().(*buttons); ok && button >= 0 && button < len(b.labels) {
			b.at = button
		}
	}
	f.note = note
	if !same {
		return
	}
	for key, reason := range reasons {
		if w := f.widget(key); w != nil {
			w.state().err = reason
		}
	}
}

// rebuild makes a fresh huh form, since a completed one is dead, and goes back
// to page and field.
func (f *Form) rebuild(page int, field string) {
	f.spec, f.spoken = f.build(), f.s.Dict.Tag()
	f.pages = f.pages[:0]
	keys := f.keyMap()
	groups := make([]*huh.Group, 0, len(f.spec.Pages))
	last := f.lastPage()
	for i, p := range f.spec.Pages {
		ws := make([]widget, 0, len(p.Fields)+1)
		for _, spec := range p.Fields {
			ws = append(ws, spec.widget(f.s))
		}
		ws = append(ws, f.buttons(i == last))
		f.pages = append(f.pages, ws)
		fields := make([]huh.Field, len(ws))
		for j, w := range ws {
			fields[j] = w
		}
		g := huh.NewGroup(fields...).WithTheme(f.s.Theme.Huh())
		if p.Hidden != nil {
			g = g.WithHideFunc(p.Hidden)
		}
		groups = append(groups, g)
	}
	// Without a width and a height a form that starts late never gets any.
	f.huh = huh.NewForm(groups...).WithAccessible(false).WithShowHelp(false).WithShowErrors(false).
		WithTheme(f.s.Theme.Huh()).WithKeyMap(keys).WithWidth(f.w).WithHeight(max(f.h, 1))
	f.page = 0
	f.settle(f.huh.Init())
	f.syncPage()
	for f.page < min(page, len(f.pages)-1) {
		was := f.page
		f.settle(f.huh.NextGroup())
		if f.syncPage(); f.page == was || f.huh.State != huh.StateNormal {
			break
		}
	}
	if i := f.firstField(); i >= 0 {
		f.focusOn(i)
	}
	if field != "" {
		f.Focus(field)
	}
}

// lastPage returns the index of the last page that is not hidden.
func (f *Form) lastPage() int {
	for i := len(f.spec.Pages) - 1; i >= 0; i-- {
		if h := f.spec.Pages[i].Hidden; h == nil || !h() {
			return i
		}
	}
	return 0
}

// syncPage finds the page that huh went to by the field that has focus.
func (f *Form) syncPage() {
	now := f.huh.GetFocusedField()
	for i, ws := range f.pages {
		for _, w := range ws {
			if huh.Field(w) == now {
				f.page = i
				return
			}
		}
	}
}

func (f *Form) firstField() int {
	for i, w := range f.pages[f.page] {
		if !w.Skip() {
			return i
		}
	}
	return -1
}

func (f *Form) focused() widget {
	w, _ := f.huh.GetFocusedField().(widget)
	return w
}

// find returns the page that field is on.
func (f *Form) find(field string) (page int, ok bool) {
	for i, ws := range f.pages {
		for _, w := range ws {
			if field != "" && w.GetKey() == field {
				return i, true
			}
		}
	}
	return 0, false
}

func (f *Form) widget(field string) widget {
	if p, ok := f.find(field); ok {
		for _, w := range f.pages[p] {
			if w.GetKey() == field {
				return w
			}
		}
	}
	return nil
}

// settle runs huh's own commands here and now. huh sends itself messages to
// move focus; taking them one after the other keeps a key that follows a tab
// from landing in the field before. Fields of this package return no others.
func (f *Form) settle(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	msg := cmd()
	if msg == nil {
		return
	}
	if cmds, ok := commands(msg); ok {
		for _, c := range cmds {
			f.settle(c)
		}
		return
	}
	if reflect.TypeOf(msg).PkgPath() == huhPackage {
		_, next := f.huh.Update(msg)
		f.settle(next)
	}
}

var huhPackage = reflect.TypeFor[huh.Form]().PkgPath()
