package sshd

import (
	"bytes"
	"sync"
	"time"
	"unicode"

	tea "charm.land/bubbletea/v2"
	uv "github.com/charmbracelet/ultraviolet"
)

// pump reads a session's input and sends it to its program, until either ends.
// The end of the input ends the session: the terminal at the other side is gone.
func (s *Server) pump(ch *channel, program *tea.Program) {
	defer ch.cancel(ended{})
	defer s.contain("reading input")
	in := &input{server: s, send: program.Send}
	in.scan = newScanner(s.limits.InputBurst, s.limits.InputRate, s.now(), in.token)
	defer in.stop()
	buf := make([]byte, 1024)
	for {
		n, err := ch.Read(buf)
		if n > 0 {
			in.write(buf[:n])
		}
		if err != nil {
			return
		}
	}
}

// input turns bytes into messages. It is safe for the pump and the timer.
type input struct {
	server  *Server
	send    func(tea.Msg)
	decoder uv.EventDecoder

	mu    sync.Mutex
	scan  *scanner
	timer *time.Timer
	turn  uint64 // counts writes, so that a timer that comes late does nothing
	done  bool
}

// write takes bytes as they came. It waits for the program to take the
// messages, and so the client in turn waits for it.
func (in *input) write(p []byte) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.turn++
	in.scan.write(p, in.server.now())
	in.arm()
}

// arm sets a timer if the scanner holds something unfinished.
func (in *input) arm() {
	if in.timer != nil {
		in.timer.Stop()
		in.timer = nil
	}
	wait := in.scan.wait()
	if wait == 0 || in.done {
		return
	}
	turn := in.turn
	in.timer = time.AfterFunc(wait, func() {
		defer in.server.contain("ending an escape sequence")
		in.mu.Lock()
		defer in.mu.Unlock()
		if in.turn == turn && !in.done {
			in.scan.expire()
		}
	})
}

func (in *input) stop() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.done = true
	if in.timer != nil {
		in.timer.Stop()
	}
}

// token sends the messages of a token. The decoder reads foreign bytes, and
// must not be able to end more than the token.
func (in *input) token(t token) {
	var msgs []tea.Msg
	in.server.guard("decoding input", func() { msgs = in.decode(t) })
	for _, msg := range msgs {
		in.send(msg)
	}
}

func (in *input) decode(t token) (msgs []tea.Msg) {
	switch t.kind {
	case tokenPaste:
		return []tea.Msg{tea.PasteStartMsg{}, tea.PasteMsg{Content: string(t.data)}, tea.PasteEndMsg{}}
	case tokenSequence:
		if key, ok := consoleKey(t.data); ok {
			return []tea.Msg{tea.KeyPressMsg(key)}
		}
		_, event := in.decoder.Decode(t.data)
		return harmless(msgs, event)
	}
	for rest := t.data; len(rest) > 0; {
		n, event := in.decoder.Decode(rest)
		if n <= 0 {
			break
		}
		msgs = harmless(msgs, event)
		rest = rest[n:]
	}
	return msgs
}

// harmless appends the events that a terminal's input may cause. A size is not
// among them: told in the input it would pass by the bounds of window-change.
func harmless(msgs []tea.Msg, event uv.Event) []tea.Msg {
	switch event := event.(type) {
	case uv.MultiEvent:
		for _, e := range event {
			msgs = harmless(msgs, e)
		}
		return msgs
	case uv.KeyPressEvent:
		event.Text = printable(event.Text)
		return append(msgs, event)
	case uv.MouseEvent:
		if m := event.Mouse(); m.X < 0 || m.Y < 0 || m.X >= MaxWidth || m.Y >= MaxHeight {
			return msgs
		}
		return append(msgs, event)
	case uv.KeyReleaseEvent, uv.FocusEvent, uv.BlurEvent, uv.CursorPositionEvent,
		uv.ForegroundColorEvent, uv.BackgroundColorEvent, uv.CursorColorEvent,
		uv.ModeReportEvent, uv.CapabilityEvent, uv.TerminalVersionEvent, uv.KeyboardEnhancementsEvent:
		return append(msgs, event)
	}
	return msgs
}

// printable is the text of a key, or nothing if it holds a control character,
// which the kitty keyboard protocol could bring in.
func printable(text string) string {
	for _, r := range text {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return ""
		}
	}
	return text
}

// consoleKey knows the keys that the decoder leaves to a table: the function
// keys of the Linux console and the modified arrows of rxvt.
func consoleKey(seq []byte) (uv.Key, bool) {
	if len(seq) == 4 && bytes.HasPrefix(seq, []byte("\x1b[[")) && seq[3] >= 'A' && seq[3] <= 'E' {
		return uv.Key{Code: uv.KeyF1 + rune(seq[3]-'A')}, true
	}
	if len(seq) == 3 && seq[2] >= 'a' && seq[2] <= 'd' {
		arrow := []rune{uv.KeyUp, uv.KeyDown, uv.KeyRight, uv.KeyLeft}[seq[2]-'a']
		switch seq[1] {
		case '[':
			return uv.Key{Code: arrow, Mod: uv.ModShift}, true
		case 'O':
			return uv.Key{Code: arrow, Mod: uv.ModCtrl}, true
		}
	}
	return uv.Key{}, false
}
