package tuitest

import (
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"postern/tui"
)

// Lines is a person at a session that is said and answered line by line.
type Lines struct {
	tb   testing.TB
	in   *io.PipeWriter
	done chan struct{}
	err  error

	mu    sync.Mutex
	out   strings.Builder
	heard int // where the answer to the last line begins
}

// OpenLines starts a plain session with first.
func OpenLines(t testing.TB, s *tui.Session, first tui.Screen, opts tui.PlainOptions) *Lines {
	t.Helper()
	r, w := io.Pipe()
	l := &Lines{tb: t, in: w, done: make(chan struct{})}
	go func() {
		defer close(l.done)
		l.err = tui.RunPlain(s, first, r, l, opts)
	}()
	t.Cleanup(func() {
		_ = w.Close()
		l.Ends()
	})
	return l
}

// Write takes what is said.
func (l *Lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.Write(b)
}

// Text returns everything that was said.
func (l *Lines) Text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.String()
}

// Since returns what was said after the last answer, as one line of words.
func (l *Lines) Since() string {
	return strings.Join(strings.Fields(l.Text()[l.heard:]), " ")
}

// wait fails the test when ok does not come true.
func (l *Lines) wait(what string, ok func() bool) {
	l.tb.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			l.tb.Fatalf("%s; this was said:\n%s", what, l.Text())
		}
	}
}

// Asked waits until something is asked.
func (l *Lines) Asked() *Lines {
	l.tb.Helper()
	l.wait("nothing is asked", func() bool { return strings.HasSuffix(l.Text()[l.heard:], " ") })
	return l
}

// Hears waits until each of words was said after the last answer.
func (l *Lines) Hears(words ...string) *Lines {
	l.tb.Helper()
	for _, w := range words {
		l.wait("never heard "+w, func() bool { return strings.Contains(l.Since(), w) })
	}
	return l
}

// Lacks fails if one of words was said after the last answer, once something is asked.
func (l *Lines) Lacks(words ...string) *Lines {
	l.tb.Helper()
	l.Asked()
	for _, w := range words {
		if strings.Contains(l.Since(), w) {
			l.tb.Fatalf("%q was said:\n%s", w, l.Text())
		}
	}
	return l
}

// Answer waits for each question and answers it with the next line.
func (l *Lines) Answer(lines ...string) *Lines {
	l.tb.Helper()
	for _, line := range lines {
		l.Asked().Send(line + "\n")
	}
	return l
}

// Send sends bytes as they are.
func (l *Lines) Send(bytes string) *Lines {
	l.tb.Helper()
	l.mu.Lock()
	l.heard = l.out.Len()
	l.mu.Unlock()
	if _, err := io.WriteString(l.in, bytes); err != nil {
		l.tb.Fatal(err)
	}
	return l
}

// HangUp ends the input.
func (l *Lines) HangUp() *Lines {
	_ = l.in.Close()
	return l
}

// Ends waits for the end of the session.
func (l *Lines) Ends() *Lines {
	l.tb.Helper()
	select {
	case <-l.done:
	case <-time.After(patience):
		l.tb.Fatalf("the session does not end; this was said:\n%s", l.Text())
	}
	if l.err != nil {
		l.tb.Errorf("the session failed: %v", l.err)
	}
	return l
}
