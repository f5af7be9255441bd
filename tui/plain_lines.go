// Reading lines: from a terminal that edits them itself, from one at the far end
// of an SSH connection that leaves that to us, or from a pipe.

package tui

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"
)

// cookedLine is the longest line, in bytes, that a terminal which edits lines
// itself is believed: Linux quietly cuts longer ones at 4095 (termios(3)).
const cookedLine = 4094

// Why a line is refused. Nothing of it is used.
var (
	errLineTooLong = errors.New("tui: line too long")
	errLineControl = errors.New("tui: control characters in a line")
	errInterrupted = errors.New("tui: interrupted")
)

// typed is a line, or why there is none.
type typed struct {
	text string
	err  error
}

// lineReader reads a line whenever it is asked for one, in a goroutine of its own.
type lineReader struct {
	ctx   context.Context
	asked chan bool // whether the line is a secret
	lines chan typed

	in    *bufio.Reader
	tty   term.File // nil: not a terminal
	modes *term.State
	max   int
	cr    bool // the last line ended with CR: an LF right after it belongs to it
}

func newLineReader(ctx context.Context, in io.Reader, out io.Writer, raw bool) *lineReader {
	l := &lineReader{ctx: ctx, asked: make(chan bool), lines: make(chan typed), in: bufio.NewReader(in), max: MaxPaste}
	if f, ok := in.(term.File); ok && !raw && term.IsTerminal(f.Fd()) {
		if modes, err := term.GetState(f.Fd()); err == nil {
			l.tty, l.modes, l.max = f, modes, cookedLine
		}
	}
	go func() {
		for {
			var line typed
			select {
			case secret := <-l.asked:
				switch {
				case secret && l.tty != nil:
					line = l.hidden(out)
				case raw:
					line = l.edited(out, secret)
				default:
					line = l.line()
				}
			case <-ctx.Done():
				return
			}
			select {
			case l.lines <- line:
			case <-ctx.Done():
				return
			}
		}
	}()
	return l
}

// ask has a line read. The one before must have come.
func (l *lineReader) ask(secret bool) {
	select {
	case l.asked <- secret:
	case <-l.ctx.Done():
	}
}

// restore gives the terminal its modes back. When the session is over a secret
// may still be being read; ctx has ended before.
func (l *lineReader) restore() {
	if l.tty != nil {
		_ = term.SetState(l.tty.Fd(), l.modes)
	}
}

// line reads a line that needs no echo. What is too long is thrown away as it comes.
func (l *lineReader) line() typed {
	var b []byte
	long := false
	for {
		chunk, err := l.in.ReadSlice('\n')
		if long = long || len(b)+len(chunk) > l.max+2; !long {
			b = append(b, chunk...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err != nil && (!errors.Is(err, io.EOF) || len(b) == 0 && !long):
			return typed{err: err}
		default:
			return l.judge(strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r"), long)
		}
	}
}

// judge refuses what no honest line holds.
func (l *lineReader) judge(s string, long bool) typed {
	switch {
	case long || len(s) > l.max:
		return typed{err: errLineTooLong}
	case !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl):
		return typed{err: errLineControl}
	}
	return typed{text: s}
}

// hidden reads a line from a terminal that is kept from showing it. That its
// keys come one by one meanwhile is so that each way to leave still works:
// term.ReadPassword takes no notice of ctrl+d.
func (l *lineReader) hidden(out io.Writer) typed {
	if _, err := term.MakeRaw(l.tty.Fd()); err != nil {
		return typed{err: err}
	}
	defer func() {
		l.restore()
		_, _ = io.WriteString(out, "\n")
	}()
	if err := l.ctx.Err(); err != nil { // whoever ended the session has restored already
		return typed{err: err}
	}
	return l.edited(io.Discard, true)
}

// The keys that edit a line in raw mode, as terminals send them.
const (
	ctrlC, ctrlD, ctrlU = 0x03, 0x04, 0x15
	backspace, del      = 0x08, 0x7f
)

// edited reads a line key by key and echoes it, unless it is a secret.
func (l *lineReader) edited(echo io.Writer, secret bool) typed {
	var line []rune
	size, long, bad := 0, false, false
	show := func(s string) {
		if !secret {
			_, _ = io.WriteString(echo, s)
		}
	}
	for {
		r, n, err := l.in.ReadRune()
		if err != nil {
			return typed{err: err}
		}
		after := l.cr
		if l.cr = r == '\r'; r == '\n' && after {
			continue
		}
		switch {
		case r == '\r' || r == '\n':
			_, _ = io.WriteString(echo, "\n")
			if bad {
				return typed{err: errLineControl}
			}
			return l.judge(string(line), long)
		case r == ctrlC || r == ctrlD && len(line) == 0:
			return typed{err: errInterrupted}
		case r == ctrlU || r == backspace || r == del:
			for len(line) > 0 {
				last := line[len(line)-1]
				line, size = line[:len(line)-1], size-utf8.RuneLen(last)
				show(strings.Repeat("\b \b", ansi.StringWidth(string(visible(last)))))
				if r != ctrlU {
					break
				}
			}
			if len(line) == 0 {
				bad, long = false, false
			}
		case unicode.IsControl(r) || r == utf8.RuneError && n == 1:
			bad = true
		case size+n > l.max:
			long = true
		default:
			line, size = append(line, r), size+n
			show(string(visible(r)))
		}
	}
}
