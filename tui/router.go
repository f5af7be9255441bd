// The router is the program's only tea.Model. It keeps the stack of screens,
// gives each its own messages, and is the one place where a paste is bounded, a
// panic ends, and a terminal that is too small is told so.

package tui

import (
	"fmt"
	"runtime/debug"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
)

// The smallest terminal in which screens are drawn.
const (
	MinWidth  = 60
	MinHeight = 20
)

// MaxPaste is how many bytes of a paste are looked at. A longer one is refused
// as a whole: half a key or half a password helps nobody.
const MaxPaste = 64 << 10

// Typer is a Screen that knows whether a key press is text now. While it is,
// `?` is a character and not a call for help.
type Typer interface {
	Typing() bool
}

// Cursored is a Screen that says where the terminal's own cursor belongs,
// relative to its view, or nil. A real cursor costs nothing while nobody types,
// and screen readers follow it.
type Cursored interface {
	Cursor() *tea.Cursor
}

// Mouser is a Screen that wants clicks and the wheel now. Elsewhere the mouse
// stays the terminal's, so that text can be selected and copied.
type Mouser interface {
	Mouse() bool
}

// Paged is a Screen of several pages; the header says which one this is. Forms
// know it of themselves.
type Paged interface {
	Page() (n, of int)
}

// entry is one screen on the stack.
type entry struct {
	id     int
	screen Screen
}

// Router is a stack of screens. It is made with NewRouter and handed to tea.NewProgram.
type Router struct {
	s             *Session
	stack         []entry
	nextID        int
	width, height int
	toast         *toast
	help          bool
	end           *string // the last sentence; the program is closing
	first         Screen
	frame         frameCache
}

var _ tea.Model = (*Router)(nil)

// NewRouter returns a router that begins with first.
func NewRouter(s *Session, first Screen) *Router {
	return &Router{s: s, first: first, width: 80, height: 24}
}

// Init opens the first screen, asks for the terminal's background and starts to
// listen to the session, which is always the first of a batch.
func (r *Router) Init() tea.Cmd {
	cmds := []tea.Cmd{r.s.listen}
	if !r.s.Caps.Dumb {
		cmds = append(cmds, tea.RequestBackgroundColor)
	}
	var cmd tea.Cmd
	if failed := r.guard(func() { cmd = r.push(r.first) }); failed != nil {
		return failed
	}
	return func() tea.Msg { return tea.BatchMsg(append(cmds, cmd)) }
}

// Top returns the screen that is shown now.
func (r *Router) Top() Screen { return r.stack[len(r.stack)-1].screen }

// Depth returns how many screens are on the stack.
func (r *Router) Depth() int { return len(r.stack) }

// Ended returns the sentence that the program closed with, if it was closed.
func (r *Router) Ended() (string, bool) {
	if r.end == nil {
		return "", false
	}
	return *r.end, true
}

// Update hands msg to whom it is for.
func (r *Router) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if r.end != nil {
		return r, tea.Quit
	}
	var cmd tea.Cmd
	if failed := r.guard(func() { cmd = r.route(msg) }); failed != nil {
		return r, failed
	}
	return r, cmd
}

// guard runs fn. A panic in it ends this session and no other: the person sees
// a sentence with an id, the log gets the rest.
func (r *Router) guard(fn func()) (failed tea.Cmd) {
	defer func() {
		if v := recover(); v != nil {
			failed = r.broken(crashMsg{v, debug.Stack()})
		}
	}()
	fn()
	return nil
}

// broken logs a panic and closes the program with a sentence.
func (r *Router) broken(c crashMsg) tea.Cmd {
	id := incident()
	r.s.Log(id, c.value, c.stack)
	return r.close(r.s.T("kit.crash", "Id", id))
}

func (r *Router) close(text string) tea.Cmd {
	r.end = &text
	return tea.Quit
}

func (r *Router) route(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		r.resize(msg.Width, msg.Height)
		return nil
	case tea.KeyPressMsg:
		r.s.Seen()
		return r.key(msg)
	case tea.PasteMsg:
		r.s.Seen()
		return r.paste(msg)
	case lineMsg: // from RunPlain
		r.s.Seen()
		r.toast = nil
		return r.update(len(r.stack)-1, msg)
	case tea.MouseMsg:
		return r.mouse(msg)
	case tea.BackgroundColorMsg:
		return r.background(msg)
	case crashMsg:
		return r.broken(msg)
	case toScreen:
		return r.deliver(msg)
	case postedMsg:
		return tea.Batch(r.s.listen, r.posted(msg.msg))
	case EndMsg: // from tea.Program.Send
		return r.close(msg.sentence(r.s.Dict))
	case tea.ClipboardMsg:
		return r.update(len(r.stack)-1, msg)
	default:
		return nil // what a terminal says of itself
	}
}

func (r *Router) posted(msg tea.Msg) tea.Cmd {
	if end, ok := msg.(EndMsg); ok {
		return r.close(end.sentence(r.s.Dict))
	}
	if t, ok := msg.(toastMsg); ok {
		r.toast = &t.toast
		return nil
	}
	return r.broadcast(msg)
}

// deliver takes a message that a screen's command produced: a request to the
// router, or something for that screen. What comes for a screen that has gone is dropped.
func (r *Router) deliver(m toScreen) tea.Cmd {
	// These stand whether or not the screen that asked is still there.
	switch msg := m.msg.(type) {
	case toastMsg:
		r.toast = &msg.toast
		return nil
	case quitMsg:
		return tea.Quit
	case EndMsg:
		return r.close(msg.sentence(r.s.Dict))
	case crashMsg:
		return r.broken(msg)
	case setThemeMsg, setLanguageMsg, setZoneMsg:
		return r.restyle(msg)
	}
	at := -1
	for i := range r.stack {
		if r.stack[i].id == m.id {
			at = i
		}
	}
	if at < 0 {
		return nil
	}
	top := at == len(r.stack)-1
	switch msg := m.msg.(type) {
	case pushMsg:
		if top {
			return r.push(msg.screen)
		}
	case replaceMsg:
		if top {
			r.stack = r.stack[:at]
			return r.push(msg.screen)
		}
	case popMsg:
		if top && at > 0 {
			r.stack[at] = entry{} // let go of what it holds
			r.stack = r.stack[:at]
			return r.update(at-1, BackMsg{msg.result})
		}
	case resetMsg:
		clear(r.stack)
		r.stack = r.stack[:0]
		return r.push(msg.screen)
	default:
		return r.update(at, msg)
	}
	return nil
}

func (r *Router) push(s Screen) tea.Cmd {
	r.nextID++
	r.help = false
	s.SetSize(r.bodySize(s))
	r.stack = append(r.stack, entry{r.nextID, s})
	return address(r.nextID, s.Init())
}

// restyle changes the session and tells every screen.
func (r *Router) restyle(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case setThemeMsg:
		r.s.Theme = NewTheme(msg.name, r.s.Caps)
	case setLanguageMsg:
		r.s.Dict = r.s.catalog.Dict(msg.tag).In(r.s.Dict.Zone())
	case setZoneMsg:
		r.s.Dict = r.s.Dict.In(msg.loc)
	}
	if r.s.Caps.Lines {
		r.s.Theme = r.s.Theme.worded(r.s.Dict)
	}
	return r.broadcast(RestyleMsg{})
}

// background takes the terminal's answer; only ThemeAuto looks different for it.
func (r *Router) background(msg tea.BackgroundColorMsg) tea.Cmd {
	r.s.Caps.Background = BackgroundLight
	if msg.IsDark() {
		r.s.Caps.Background = BackgroundDark
	}
	if r.s.Theme.Name != ThemeAuto {
		return nil
	}
	return r.restyle(setThemeMsg{ThemeAuto})
}

func (r *Router) resize(w, h int) {
	r.width, r.height = min(max(w, 1), 500), min(max(h, 1), 200)
	for _, e := range r.stack {
		e.screen.SetSize(r.bodySize(e.screen))
	}
}

// key handles what works everywhere and gives the rest to the screen on top.
func (r *Router) key(msg tea.KeyPressMsg) tea.Cmd {
	k := msg.String()
	if k == "ctrl+c" {
		return tea.Quit
	}
	if r.small() {
		return nil // nobody should act on what cannot be seen
	}
	r.toast = nil
	if r.help {
		r.help = false
		return nil
	}
	if k == "f1" || k == "?" && !r.typing() {
		r.help = true
		return nil
	}
	return r.update(len(r.stack)-1, msg)
}

func (r *Router) typing() bool {
	t, ok := r.Top().(Typer)
	return ok && t.Typing()
}

func (r *Router) paste(msg tea.PasteMsg) tea.Cmd {
	if r.small() || r.help {
		return nil
	}
	if len(msg.Content) > MaxPaste {
		r.toast = &toast{Warn, r.s.T("kit.paste_too_long", "KiB", MaxPaste>>10)}
		return nil
	}
	return r.update(len(r.stack)-1, msg)
}

// mouse gives clicks and the wheel to the screen on top, in its own coordinates.
func (r *Router) mouse(msg tea.MouseMsg) tea.Cmd {
	m, ok := r.Top().(Mouser)
	if !ok || !m.Mouse() || r.help || r.small() {
		return nil
	}
	x, y := r.bodyOrigin()
	switch e := msg.(type) {
	case tea.MouseClickMsg:
		e.X, e.Y = e.X-x, e.Y-y
		msg = e
	case tea.MouseWheelMsg:
		e.X, e.Y = e.X-x, e.Y-y
		msg = e
	default:
		return nil
	}
	return r.update(len(r.stack)-1, msg)
}

func (r *Router) broadcast(msg tea.Msg) tea.Cmd {
	cmds := make([]tea.Cmd, 0, len(r.stack))
	for i := range r.stack {
		cmds = append(cmds, r.update(i, msg))
	}
	return tea.Batch(cmds...)
}

func (r *Router) update(i int, msg tea.Msg) tea.Cmd {
	s, cmd := r.stack[i].screen.Update(msg)
	if s == nil {
		panic(fmt.Sprintf("tui: %T.Update returned no screen", r.stack[i].screen))
	}
	r.stack[i].screen = s
	return address(r.stack[i].id, cmd)
}

// bindings returns the keys of the screen on top.
func (r *Router) bindings() []key.Binding {
	if h, ok := r.Top().(Helper); ok {
		return h.Help()
	}
	return nil
}
