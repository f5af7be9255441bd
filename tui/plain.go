// The plain door: the same router and the same screens, said and answered line
// by line. Screen readers, serial lines and TERM=dumb come in this way. Nothing
// is drawn and nothing moves: what is new is said once, below what was said before.

package tui

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// The room that screens are given. Lines roll away upwards, so there may be more
// of them than a terminal of this width commonly has.
const (
	plainWidth  = 80
	plainHeight = 40
)

// How long a command may take before a page, or the next question, is said
// without its answer. Those that wait for something to happen are known by it. A
// page is said again when it has changed; what is worked out about a field is
// not, and so gets more time.
const (
	plainGrace = 100 * time.Millisecond
	fieldGrace = 300 * time.Millisecond
)

// PlainOptions say what RunPlain cannot find out by itself.
type PlainOptions struct {
	// Raw says that whoever is at the other end sends every key by itself and
	// sees only what is sent back, as over SSH: RunPlain then echoes and edits.
	Raw bool
}

// Asking is a Screen that asks with a form. Screens that embed a *Form are; one
// that holds a form returns it, or nil while there is nothing to ask.
type Asking interface {
	Asking() *Form
}

// Numbered is a Screen of lines to choose from: home goes to the first, down to
// the next, enter opens. In lines they are chosen by number.
type Numbered interface {
	// Choices returns how many lines there are now.
	Choices() int
}

// errLeft ends a plain session without having failed.
var errLeft = errors.New("tui: left")

// errMoved says that another page came while a line was awaited.
var errMoved = errors.New("tui: another page")

// lineMsg answers the field of a form that has focus.
type lineMsg struct{ text string }

// event is what a command brought, and which command is done with it.
type event struct {
	msg  tea.Msg
	done int
}

// place is a page that was said. The field that is asked next belongs to it.
type place struct {
	entry, page int
	form        *Form
}

// plain runs a session. Everything but commands and the reading of lines happens
// in the goroutine of RunPlain.
type plain struct {
	s      *Session
	r      *Router
	ctx    context.Context
	out    io.Writer
	failed error // why nothing can be written any more

	events chan event
	active map[int]time.Time // commands under way, and when they began
	nextID int
	quit   bool

	lines   *lineReader
	waiting bool // a line is being read
	stale   bool // and was meant for a page that is gone

	here    place
	said    string // the page as it was said last
	banner  string
	toast   *toast
	busy    string // what is said to be under way
	at      int    // the field that is asked next
	taught  bool   // how to answer a form was said
	pressed bool   // a button was chosen; what came of it is not yet said
}

// RunPlain runs a session beginning with first over lines read from in, and
// returns when the person leaves, the input ends, s.Ctx ends or the session was
// ended from elsewhere, after its sentence was said. Its error is that of out.
// It marks s as one of lines. Reading in is not interrupted: whoever called
// closes it, or ends the process.
func RunPlain(s *Session, first Screen, in io.Reader, out io.Writer, opts PlainOptions) error {
	s.Caps.Dumb, s.Caps.Lines, s.Caps.UTF8 = true, true, false
	s.Theme = NewTheme(s.Theme.Name, s.Caps).worded(s.Dict)
	ctx, cancel := context.WithCancel(s.Ctx)
	defer cancel()
	locked := &lockedWriter{w: out}
	p := &plain{
		s: s, r: NewRouter(s, first), ctx: ctx, out: locked,
		events: make(chan event), active: map[int]time.Time{}, lines: newLineReader(ctx, in, locked, opts.Raw),
	}
	p.update(tea.WindowSizeMsg{Width: plainWidth, Height: plainHeight})
	if batch, ok := p.r.Init()().(tea.BatchMsg); ok {
		p.exec(batch[0], time.Time{}) // listens to the session, as long as it lasts
		p.handle(event{msg: batch[1:]})
	}
	for !p.over() {
		if crashed := p.r.guard(func() { p.step() }); crashed != nil {
			break
		}
	}
	cancel()
	p.lines.restore()
	if text, ok := p.r.Ended(); ok {
		p.say("", wrap(text, BodyWidth))
	}
	return p.failed
}

// over says whether the session is.
func (p *plain) over() bool {
	_, ended := p.r.Ended()
	return ended || p.quit || p.failed != nil || p.ctx.Err() != nil
}

// step says what there is to say and takes one answer.
func (p *plain) step() {
	p.settle()
	if p.over() {
		return
	}
	if b := p.s.Banner(); b != p.banner {
		p.banner = b
		p.say("", wrap(b, BodyWidth))
	}
	var err error
	if f := p.form(); f != nil {
		err = p.ask(f)
	} else {
		err = p.turn()
	}
	if errors.Is(err, errLeft) {
		p.quit = true
	}
}

// form returns the form that is asked now, or nil.
func (p *plain) form() *Form {
	if a, ok := p.r.Top().(Asking); ok {
		if f := a.Asking(); f != nil && f.huh != nil {
			return f
		}
	}
	return nil
}

// place returns where the person is now.
func (p *plain) place() place {
	at := place{entry: p.r.stack[len(p.r.stack)-1].id, form: p.form()}
	if at.form != nil {
		at.page = at.form.page
	}
	return at
}

// say writes lines of text, without styles and without blanks at their ends.
func (p *plain) say(lines ...string) {
	var b strings.Builder
	for _, text := range lines {
		for line := range strings.SplitSeq(ansi.Strip(text), "\n") {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
		}
	}
	p.write(b.String())
}

func (p *plain) write(text string) {
	if _, err := io.WriteString(p.out, text); err != nil && p.failed == nil {
		p.failed = err
	}
}

// notices says what the footer of a screen would: a toast.
func (p *plain) notices() {
	if t := p.r.toast; t != nil && t != p.toast {
		_, sign := p.s.Theme.kind(t.kind)
		p.say(wrap(sign+" "+t.text, BodyWidth))
	}
	p.toast = p.r.toast
}

// read asks for a line. Until it is there, the session goes on: changed is called
// whenever something happened, and errMoved returned when the page is another.
func (p *plain) read(prompt string, secret bool, changed func()) (string, error) {
	if p.waiting { // for a line that was meant for another page
		p.write(p.s.T("plain.moved") + " ")
	} else {
		p.write(prompt + ": ")
		p.waiting = true
		p.lines.ask(secret)
	}
	here := p.place()
	for {
		select {
		case <-p.ctx.Done():
			p.write("\n")
			return "", errLeft
		case ev := <-p.events:
			p.handle(ev)
			if p.settle(); p.over() {
				p.write("\n")
				return "", errLeft
			}
			if p.place() != here {
				p.write("\n")
				p.stale = true
				return "", errMoved
			}
			if changed != nil {
				changed()
			}
		case line := <-p.lines.lines:
			p.waiting = false
			stale := p.stale
			p.stale = false
			switch {
			case errors.Is(line.err, errLineTooLong):
				p.say(p.s.T("plain.too_long", "KiB", MaxPaste>>10))
			case errors.Is(line.err, errLineControl):
				p.say(p.s.T("plain.control"))
			case line.err != nil:
				p.write("\n")
				return "", errLeft
			case !stale:
				return line.text, nil
			}
			return "", errMoved // asked again by the next step
		}
	}
}

// update gives msg to the router and runs what it wants.
func (p *plain) update(msg tea.Msg) {
	if len(p.r.stack) == 0 { // before Init
		p.r.resize(plainWidth, plainHeight)
		return
	}
	_, cmd := p.r.Update(msg)
	p.exec(cmd, time.Now())
}

// handle takes what a command brought.
func (p *plain) handle(ev event) {
	delete(p.active, ev.done)
	switch msg := ev.msg.(type) {
	case nil:
	case tea.QuitMsg:
		p.quit = true
	case tea.BatchMsg:
		for _, cmd := range msg {
			p.exec(cmd, time.Now())
		}
	default:
		p.update(msg)
	}
}

// exec runs a command in a goroutine of its own, as Bubble Tea does.
func (p *plain) exec(cmd tea.Cmd, began time.Time) {
	if cmd == nil {
		return
	}
	p.nextID++
	id := p.nextID
	p.active[id] = began
	go func() {
		p.bring(cmd)
		p.send(event{done: id})
	}()
}

// bring runs a command and sends what it brought. The parts of a sequence come
// one after the other, and a batch among them is waited for, as Bubble Tea does.
func (p *plain) bring(cmd tea.Cmd) {
	msg := cmd()
	if _, batch := msg.(tea.BatchMsg); !batch {
		if cmds, ok := commands(msg); ok {
			for _, c := range cmds {
				p.inOrder(c)
			}
			return
		}
	}
	p.send(event{msg: msg})
}

func (p *plain) inOrder(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	msg := cmd()
	cmds, ok := commands(msg)
	if !ok {
		p.send(event{msg: msg})
		return
	}
	for _, c := range cmds {
		p.inOrder(c)
	}
}

func (p *plain) send(ev event) {
	select {
	case p.events <- ev:
	case <-p.ctx.Done():
	}
}

// settle waits until what was begun has been answered, or takes longer than the
// grace and is not what a form waits for.
func (p *plain) settle() {
	for !p.over() {
		f := p.form()
		grace := plainGrace
		if f != nil {
			grace = fieldGrace
		}
		wait := time.Duration(0)
		now := time.Now()
		for _, began := range p.active {
			wait = max(wait, grace-now.Sub(began))
		}
		busy := f != nil && f.Busy()
		switch {
		case !busy:
			p.busy = ""
		case f.busy.shown && f.busy.text != p.busy:
			p.busy = f.busy.text
			p.say(p.busy)
		}
		if wait <= 0 && !busy {
			return
		}
		var over <-chan time.Time
		if wait > 0 {
			over = time.After(wait)
		}
		select {
		case ev := <-p.events:
			p.handle(ev)
		case <-over:
		case <-p.ctx.Done():
		}
	}
}

// lockedWriter lets the echo of what is typed and the session write at once.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

var _ io.Writer = (*lockedWriter)(nil)

// Write writes b in one piece.
func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}
