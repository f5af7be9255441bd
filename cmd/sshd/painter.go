package sshd

import (
	"bytes"
	"fmt"
	"image/color"
	"io"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
)

// painter draws a session's views on its terminal. It stands in for
// bubbletea's own renderer, for three reasons: that one wakes up sixty times a
// second for every session whether anything changed or not, which costs half a
// core with a thousand idle sessions; it waits for its next tick before a key
// shows; and it draws on a goroutine where a panic ends the process. The
// painter draws when a view changed, at once, and no more often than its frame
// rate; and a panic in it ends its session.
//
// A session always has the whole screen: views are drawn on the alternate
// screen, and tea.Println prints nothing.
type painter struct {
	frame    time.Duration // the least time between two frames
	failed   func(reason any)
	canvases canvases

	mu       sync.Mutex
	out      io.Writer
	buf      bytes.Buffer // what the renderer underneath writes
	screen   *uv.TerminalRenderer
	width    int
	height   int
	method   ansi.Method
	synced   bool
	shown    tea.View // what the terminal shows
	began    bool
	redraw   bool
	next     tea.View // what it should show, if waiting
	waiting  bool
	lastTime time.Time
	timer    *time.Timer
	closed   bool
}

// canvases are what sessions draw on and give back, so that a session at rest
// holds the cells of its screen once and not twice. Few are kept, and none of
// the largest; a sync.Pool would lose them at every garbage collection.
type canvases chan *uv.ScreenBuffer

const (
	keptCanvases  = 16
	keptCanvasMax = 200 * 60 // cells
)

// get returns a canvas of a size, with anything on it.
func (c canvases) get(width, height int) *uv.ScreenBuffer {
	for range len(c) {
		select {
		case canvas := <-c:
			if canvas.Width() == width && canvas.Height() == height {
				return canvas
			}
		default:
		}
	}
	canvas := uv.NewScreenBuffer(width, height)
	return &canvas
}

// put keeps a canvas for the next one to draw.
func (c canvases) put(canvas *uv.ScreenBuffer) {
	if canvas.Width()*canvas.Height() > keptCanvasMax {
		return
	}
	select {
	case c <- canvas:
	default:
	}
}

func newPainter(canvases canvases, out io.Writer, env []string, profile colorprofile.Profile, window size, fps int, failed func(any)) *painter {
	p := &painter{
		frame: time.Second / time.Duration(min(max(fps, 1), 120)), failed: failed, canvases: canvases, out: out,
		width: window.width, height: window.height, method: ansi.WcWidth,
	}
	p.screen = uv.NewTerminalRenderer(&p.buf, env)
	p.screen.SetColorProfile(profile)
	p.screen.SetFullscreen(true)
	p.screen.SetRelativeCursor(false)
	p.screen.SetTabStops(-1)
	p.screen.SetMapNewline(true) // The writer turns \n into \r\n.
	p.screen.SetScrollOptim(true)
	p.screen.Erase()
	return p
}

// show makes the terminal show a view: now, or when the next frame is due.
func (p *painter) show(view tea.View) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.next, p.waiting = view, true
	wait := p.frame - time.Since(p.lastTime)
	if wait <= 0 {
		return p.draw()
	}
	if p.timer == nil {
		p.timer = time.AfterFunc(wait, p.due)
	}
	return nil
}

// due draws the frame that waited.
func (p *painter) due() {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer func() {
		if reason := recover(); reason != nil {
			p.closed = true
			go p.failed(reason)
		}
	}()
	p.timer = nil
	if p.waiting && !p.closed {
		_ = p.draw()
	}
}

// resize says that the terminal has another size. Its content is lost.
func (p *painter) resize(window size) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.width == window.width && p.height == window.height {
		return
	}
	p.width, p.height = window.width, window.height
	p.erase()
}

// clear draws the next frame from nothing.
func (p *painter) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.screen.MoveTo(0, 0)
	p.erase()
}

func (p *painter) erase() {
	p.screen.Erase()
	p.redraw = true
}

// learn takes what the terminal said about itself.
func (p *painter) learn(msg tea.Msg) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch msg := msg.(type) {
	case tea.ColorProfileMsg:
		p.screen.SetColorProfile(msg.Profile)
		p.redraw = true
	case tea.ModeReportMsg:
		known := msg.Value == ansi.ModeReset || msg.Value == ansi.ModeSet || msg.Value == ansi.ModePermanentlySet
		switch {
		case msg.Mode == ansi.ModeSynchronizedOutput && msg.Value == ansi.ModeReset:
			p.synced = true
		case msg.Mode == ansi.ModeUnicodeCore && known && p.method != ansi.GraphemeWidth:
			p.method = ansi.GraphemeWidth
			_, _ = p.screen.WriteString(ansi.SetModeUnicodeCore)
			p.redraw = true
		}
	}
}

// draw sends the difference between what is shown and what should be. The lock is held.
func (p *painter) draw() error {
	p.waiting = false
	p.lastTime = time.Now()
	view := p.next
	view.WindowTitle = clean(view.WindowTitle, 200)
	if p.began && !p.redraw && same(&p.shown, &view) {
		return nil
	}
	// Where a wide character stands before the cells that a line loses, the
	// renderer underneath clears from inside of it. Such views are drawn anew.
	if p.began && (wide(p.shown.Content) || wide(view.Content)) {
		p.screen.Erase()
	}
	p.modes(&view)
	canvas := p.canvases.get(p.width, p.height)
	canvas.Method = p.method
	canvas.Clear() // This also marks every line as one to compare.
	uv.NewStyledString(view.Content).Draw(canvas, canvas.Bounds())
	p.screen.Render(canvas.RenderBuffer)
	p.canvases.put(canvas)
	if c := view.Cursor; c != nil {
		p.screen.MoveTo(min(max(c.X, 0), p.width-1), min(max(c.Y, 0), p.height-1))
	}
	if err := p.screen.Flush(); err != nil {
		return err
	}
	err := p.send(&view)
	p.shown, p.began, p.redraw = view, true, false
	return err
}

// wide says whether a text may hold characters of two cells: none of them lies
// before Hangul Jamo.
func wide(content string) bool {
	return strings.IndexFunc(content, func(r rune) bool { return r >= 0x1100 && ansi.StringWidth(string(r)) > 1 }) >= 0
}

// send writes the frame in one piece: as a synchronized update where the
// terminal knows it, else with the cursor hidden while it moves about.
func (p *painter) send(view *tea.View) error {
	defer p.buf.Reset()
	hadCursor, hasCursor := p.began && p.shown.Cursor != nil, view.Cursor != nil
	var out bytes.Buffer
	if !p.began {
		out.WriteString(ansi.SetModeAltScreenSaveCursor)
	}
	if p.synced && p.buf.Len() > 0 {
		out.WriteString(ansi.SetModeSynchronizedOutput)
	}
	if !p.began || hadCursor && (!hasCursor || p.buf.Len() > 0 && !p.synced) {
		out.WriteString(ansi.ResetModeTextCursorEnable)
	}
	out.Write(p.buf.Bytes())
	if hasCursor && (!p.began || !hadCursor || p.buf.Len() > 0 && !p.synced) {
		out.WriteString(ansi.SetModeTextCursorEnable)
	}
	if p.synced && p.buf.Len() > 0 {
		out.WriteString(ansi.ResetModeSynchronizedOutput)
	}
	if out.Len() == 0 {
		return nil
	}
	_, err := p.out.Write(out.Bytes())
	return err
}

// modes writes the changes between two views apart from their content. The
// terminal begins with none of them.
func (p *painter) modes(view *tea.View) {
	was := &p.shown
	write := func(s string) { _, _ = p.screen.WriteString(s) }
	flags := keyboardFlags(view.KeyboardEnhancements)
	if !p.began {
		was = &tea.View{DisableBracketedPasteMode: true}
		write(ansi.SetModifyOtherKeys2 + ansi.PushKittyKeyboard(flags) + ansi.RequestKittyKeyboard)
		write(ansi.RequestModeSynchronizedOutput + ansi.RequestModeUnicodeCore)
	} else if view.KeyboardEnhancements != was.KeyboardEnhancements {
		write(ansi.KittyKeyboard(flags, 1) + ansi.RequestKittyKeyboard)
	}
	toggle := func(was, is bool, set, reset string) {
		switch {
		case is && !was:
			write(set)
		case was && !is:
			write(reset)
		}
	}
	toggle(!was.DisableBracketedPasteMode, !view.DisableBracketedPasteMode, ansi.SetModeBracketedPaste, ansi.ResetModeBracketedPaste)
	toggle(was.ReportFocus, view.ReportFocus, ansi.SetModeFocusEvent, ansi.ResetModeFocusEvent)
	if was.MouseMode != view.MouseMode {
		if was.MouseMode != tea.MouseModeNone {
			write(ansi.ResetModeMouseButtonEvent + ansi.ResetModeMouseAnyEvent + ansi.ResetModeMouseExtSgr)
		}
		switch view.MouseMode {
		case tea.MouseModeCellMotion:
			write(ansi.SetModeMouseButtonEvent + ansi.SetModeMouseExtSgr)
		case tea.MouseModeAllMotion:
			write(ansi.SetModeMouseAnyEvent + ansi.SetModeMouseExtSgr)
		}
	}
	if was.WindowTitle != view.WindowTitle {
		write(ansi.SetWindowTitle(view.WindowTitle))
	}
	paint := func(was, is color.Color, set func(string) string, reset string) {
		if was == is {
			return
		}
		if is == nil {
			write(reset)
			return
		}
		r, g, b, _ := is.RGBA()
		write(set(fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)))
	}
	paint(was.ForegroundColor, view.ForegroundColor, ansi.SetForegroundColor, ansi.ResetForegroundColor)
	paint(was.BackgroundColor, view.BackgroundColor, ansi.SetBackgroundColor, ansi.ResetBackgroundColor)
	wasStyle, wasColor := cursorStyle(was.Cursor)
	style, cursorColor := cursorStyle(view.Cursor)
	paint(wasColor, cursorColor, ansi.SetCursorColor, ansi.ResetCursorColor)
	if style != wasStyle {
		write(ansi.SetCursorStyle(style))
	}
}

// close gives the terminal back as it was.
func (p *painter) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timer != nil {
		p.timer.Stop()
	}
	if p.closed = true; !p.began {
		return
	}
	p.buf.Reset()
	view := tea.View{DisableBracketedPasteMode: true, KeyboardEnhancements: p.shown.KeyboardEnhancements}
	p.modes(&view)
	_ = p.screen.Flush()
	if p.method == ansi.GraphemeWidth {
		p.buf.WriteString(ansi.ResetModeUnicodeCore)
	}
	p.buf.WriteString(ansi.ResetModifyOtherKeys + ansi.PopKittyKeyboard(1) +
		ansi.ResetModeAltScreenSaveCursor + ansi.SetModeTextCursorEnable)
	_, _ = p.out.Write(p.buf.Bytes())
}

// cursorStyle is the DECSCUSR parameter and the colour of a cursor, 0 and nil without one.
func cursorStyle(c *tea.Cursor) (int, color.Color) {
	if c == nil {
		return 0, nil
	}
	style := int(c.Shape)*2 + 1
	if !c.Blink {
		style++
	}
	return style, c.Color
}

func keyboardFlags(k tea.KeyboardEnhancements) int {
	flags := ansi.KittyDisambiguateEscapeCodes
	for flag, on := range map[int]bool{
		ansi.KittyReportEventTypes:           k.ReportEventTypes,
		ansi.KittyReportAlternateKeys:        k.ReportAlternateKeys,
		ansi.KittyReportAllKeysAsEscapeCodes: k.ReportAllKeysAsEscapeCodes,
		ansi.KittyReportAssociatedKeys:       k.ReportAssociatedText,
	} {
		if on {
			flags |= flag
		}
	}
	return flags
}

// same says whether two views look and behave alike.
func same(a, b *tea.View) bool {
	aStyle, aColor := cursorStyle(a.Cursor)
	bStyle, bColor := cursorStyle(b.Cursor)
	return a.Content == b.Content && a.WindowTitle == b.WindowTitle && a.MouseMode == b.MouseMode &&
		a.ReportFocus == b.ReportFocus && a.DisableBracketedPasteMode == b.DisableBracketedPasteMode &&
		a.ForegroundColor == b.ForegroundColor && a.BackgroundColor == b.BackgroundColor &&
		a.KeyboardEnhancements == b.KeyboardEnhancements && aStyle == bStyle && aColor == bColor &&
		(a.Cursor == nil || a.Cursor.X == b.Cursor.X && a.Cursor.Y == b.Cursor.Y)
}
