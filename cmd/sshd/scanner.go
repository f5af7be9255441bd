package sshd

import (
	"time"
	"unicode/utf8"
)

// The scanner cuts what a terminal sends into tokens. It stands in front of
// bubbletea's own reader, because that one keeps an unfinished or unknown
// sequence for as long as bytes keep coming and reads all of it again with each
// of them, and keeps a paste without an end whole. The scanner looks at every
// byte once and holds at most MaxEscape, or one paste of MaxPaste.

// tokenKind is what a token is.
type tokenKind int

const (
	tokenText     tokenKind = iota // printable UTF-8
	tokenControl                   // one control character
	tokenSequence                  // one escape sequence, or ESC alone, or ESC and a character (alt)
	tokenPaste                     // the content of one bracketed paste
)

// token is a piece of input. Its data is valid until the scanner's next call.
type token struct {
	kind tokenKind
	data []byte
}

const (
	esc = 0x1b
	// escapeWait is how long after ESC a sequence may still go on; then it was the key.
	escapeWait = 50 * time.Millisecond
	// sequenceWait is how long a longer beginning may wait for its rest, which a
	// network may hold up. Then it is dropped.
	sequenceWait = time.Second
	// pasteWait is how long a paste may stand still before it is taken as ended.
	pasteWait = 10 * time.Second
)

// scanState is where in the grammar of ECMA-48 the scanner is.
type scanState int

const (
	inGround    scanState = iota
	inRune                // a UTF-8 character of several bytes
	inEscape              // ESC
	inCSI                 // ESC [ … final
	inFunction            // ESC [ [ and one character: the Linux console's F1 to F5
	inMouse               // ESC [ M and three bytes
	inSS3                 // ESC O … final
	inString              // OSC, DCS, APC, PM or SOS, up to BEL or ST
	inStringESC           // ESC inside of such a string
	inPaste               // between ESC [ 200 ~ and ESC [ 201 ~
)

const pasteBegin, pasteEnd = "\x1b[200~", "\x1b[201~"

// scanner holds what is unfinished. It is not safe for several goroutines at once.
type scanner struct {
	emit func(token)

	state   scanState
	held    []byte // the unfinished sequence or character
	over    bool   // held grew too long: the rest of it is dropped
	need    int    // bytes still missing of a character or a mouse report
	text    []byte
	paste   []byte
	matched int // bytes of pasteEnd seen

	allowance float64
	burst     float64
	rate      float64 // bytes a second
	last      time.Time
}

// newScanner makes a scanner that lets burst bytes through at once and rate
// bytes a second after that; tokens beyond are dropped.
func newScanner(burst, rate int, now time.Time, emit func(token)) *scanner {
	return &scanner{
		emit: emit, burst: float64(burst), allowance: float64(burst),
		rate: float64(rate), last: now, text: make([]byte, 0, 64), held: make([]byte, 0, 32),
	}
}

// take draws n bytes from the allowance.
func (s *scanner) take(n int) bool {
	if s.allowance < float64(n) {
		return false
	}
	s.allowance -= float64(n)
	return true
}

// refill tops the allowance up. A clock that jumps back gives nothing.
func (s *scanner) refill(now time.Time) {
	if elapsed := now.Sub(s.last); elapsed > 0 {
		s.allowance = min(s.burst, s.allowance+elapsed.Seconds()*s.rate)
	}
	s.last = now
}

// wait is how long to wait for more before calling expire, 0 for no need to.
func (s *scanner) wait() time.Duration {
	switch {
	case s.state == inGround:
		return 0
	case s.state == inPaste:
		return pasteWait
	case s.state != inRune && len(s.held) <= 2 && !s.over:
		return escapeWait
	}
	return sequenceWait
}

// expire says that nothing came for the time of wait.
func (s *scanner) expire() {
	switch {
	case s.state == inPaste:
		s.endPaste()
	case s.state != inRune && len(s.held) > 0 && len(s.held) <= 2 && !s.over:
		s.sequence()
	}
	s.reset()
}

// write scans p, which arrived at now.
func (s *scanner) write(p []byte, now time.Time) {
	if s.state != inGround && s.last.Add(s.wait()).Before(now) {
		s.expire() // The timer was late.
	}
	s.refill(now)
	for _, b := range p {
		// A byte that ends a malformed sequence is looked at once more, from the ground.
		if !s.step(b) {
			s.reset()
			s.step(b)
		}
	}
	s.flush()
}

// step takes one byte. It returns false if the byte cannot go on what is held.
func (s *scanner) step(b byte) bool {
	switch s.state {
	case inGround:
		s.ground(b)
		return true
	case inPaste:
		s.pasted(b)
		return true
	case inRune:
		if b&0xc0 != 0x80 {
			return false
		}
		s.hold(b)
		if s.need--; s.need == 0 {
			s.endRune()
		}
		return true
	case inMouse:
		s.hold(b)
		if s.need--; s.need == 0 {
			s.sequence()
		}
		return true
	case inString, inStringESC:
		return s.string(b)
	}
	return s.escape(b)
}

func (s *scanner) ground(b byte) {
	switch {
	case b == esc:
		s.flush()
		s.hold(b)
		s.state = inEscape
	case b < ' ' || b == 0x7f:
		s.flush()
		if s.take(1) {
			s.emit(token{tokenControl, []byte{b}})
		}
	case b < 0x80:
		if s.take(1) {
			s.text = append(s.text, b)
		}
	default:
		s.lead(b)
	}
}

// lead begins a UTF-8 character, or drops a byte that cannot begin one.
func (s *scanner) lead(b byte) {
	switch {
	case b >= 0xc2 && b <= 0xdf:
		s.need = 1
	case b >= 0xe0 && b <= 0xef:
		s.need = 2
	case b >= 0xf0 && b <= 0xf4:
		s.need = 3
	default:
		s.reset()
		return
	}
	s.hold(b)
	s.state = inRune
}

// endRune passes a character on if it is one, and no C1 control.
func (s *scanner) endRune() {
	alt := len(s.held) > 0 && s.held[0] == esc
	r, n := utf8.DecodeLastRune(s.held)
	whole := n == len(s.held) || alt && n == len(s.held)-1
	switch {
	case !whole || r == utf8.RuneError && n <= 1 || r < 0xa0:
	case alt:
		s.sequence()
	case s.take(n):
		s.text = append(s.text, s.held...)
	}
	s.reset()
}

func (s *scanner) escape(b byte) bool {
	switch s.state {
	case inEscape:
		switch {
		case b == esc && len(s.held) == 2:
			s.sequence() // ESC pressed again and again
			s.hold(b)
			s.state = inEscape
		case b == esc:
			s.hold(b)
		case b == '[':
			s.hold(b)
			s.state = inCSI
		case b == 'O':
			s.hold(b)
			s.state = inSS3
		case b == ']' || b == 'P' || b == 'X' || b == '^' || b == '_':
			s.hold(b)
			s.state = inString
		case b < 0x80:
			s.hold(b)
			s.sequence()
		default:
			s.lead(b)
		}
		return true
	case inFunction:
		s.hold(b)
		s.sequence()
		return true
	}
	return s.control(b)
}

// control goes on with a CSI or SS3 sequence.
func (s *scanner) control(b byte) bool {
	first := s.held[len(s.held)-1] == '[' && s.state == inCSI && !s.over
	switch {
	case b >= 0x20 && b <= 0x3f:
		s.hold(b)
	case b == '[' && first:
		s.hold(b)
		s.state = inFunction
	case b == 'M' && first:
		s.hold(b)
		s.state, s.need = inMouse, 3
	case b >= 0x40 && b <= 0x7e:
		s.hold(b)
		switch {
		case s.over:
			s.reset()
		case string(s.held) == pasteBegin:
			s.reset()
			s.state = inPaste
		case string(s.held) == pasteEnd:
			s.reset()
		default:
			s.sequence()
		}
	default:
		return false
	}
	return true
}

// string goes on with a string that BEL or ST ends and CAN, SUB or another
// sequence breaks off.
func (s *scanner) string(b byte) bool {
	switch {
	case s.state == inStringESC && b == '\\', s.state == inString && b == 0x07:
		s.hold(b)
		if s.over {
			s.reset()
		} else {
			s.sequence()
		}
	case s.state == inStringESC:
		s.reset()
		s.hold(esc)
		s.state = inEscape
		return s.escape(b)
	case b == esc:
		s.hold(b)
		s.state = inStringESC
	case b == 0x18 || b == 0x1a:
		s.reset()
	default:
		s.hold(b)
	}
	return true
}

// pasted takes a byte of a paste. Of the control characters only tabs and line
// breaks are content; an ESC that does not end the paste is dropped.
func (s *scanner) pasted(b byte) {
	if b == pasteEnd[s.matched] {
		if s.matched++; s.matched == len(pasteEnd) {
			s.endPaste()
			s.reset()
		}
		return
	}
	if s.matched > 0 {
		for _, content := range []byte(pasteEnd[1:s.matched]) {
			s.content(content)
		}
		s.matched = 0
		if b == esc {
			s.matched = 1
			return
		}
	}
	s.content(b)
}

func (s *scanner) content(b byte) {
	control := b < ' ' && b != '\t' && b != '\n' && b != '\r' || b == 0x7f
	if !control && len(s.paste) < MaxPaste && s.take(1) {
		s.paste = append(s.paste, b)
	}
}

// endPaste passes a paste on, without what is not UTF-8 in it: bad bytes, C1
// controls, and a character that the bound cut in two.
func (s *scanner) endPaste() {
	kept := s.paste[:0]
	for rest := s.paste; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		if (r != utf8.RuneError || n > 1) && (r < 0x7f || r >= 0xa0) {
			kept = append(kept, rest[:n]...)
		}
		rest = rest[n:]
	}
	s.emit(token{tokenPaste, kept})
	s.paste = nil // A paste is rare and large.
}

// hold keeps a byte of an unfinished sequence, as long as it is not too long.
func (s *scanner) hold(b byte) {
	if len(s.held) >= MaxEscape {
		s.over = true
	}
	if !s.over {
		s.held = append(s.held, b)
	}
}

// sequence passes on what is held, and returns to the ground.
func (s *scanner) sequence() {
	if s.take(len(s.held)) {
		s.emit(token{tokenSequence, s.held})
	}
	s.reset()
}

// flush passes on the text so far.
func (s *scanner) flush() {
	if len(s.text) > 0 {
		s.emit(token{tokenText, s.text})
		s.text = s.text[:0]
	}
}

// reset returns to the ground and forgets what is held.
func (s *scanner) reset() {
	if cap(s.held) > 256 {
		s.held = make([]byte, 0, 32)
	}
	s.state, s.held, s.over, s.need, s.matched = inGround, s.held[:0], false, 0, 0
}
