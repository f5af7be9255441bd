// Questions that a person outruns while typing: is this name free, how strong
// is this password. Only the answer to the newest one counts.

package tui

import tea "charm.land/bubbletea/v2"

// Latest asks one question at a time and keeps only the newest that waits.
// However fast somebody types, one answer is being worked out, at most one more
// is wanted, and an answer to an older question is never shown. The zero value
// is ready. It belongs to the screen's goroutine; only fn runs elsewhere.
type Latest[T any] struct {
	seq     uint64
	running bool
	waiting func() T
}

// answerMsg carries what fn returned, and for which Latest and question.
type answerMsg[T any] struct {
	to    *Latest[T]
	seq   uint64
	value T
}

// Ask returns the command that runs fn, or nil while an older question is being
// worked out: fn then starts when that answer arrives.
func (l *Latest[T]) Ask(fn func() T) tea.Cmd {
	l.seq++
	if l.running {
		l.waiting = fn
		return nil
	}
	return l.start(fn)
}

// Forget makes sure that no answer to anything asked so far counts.
func (l *Latest[T]) Forget() {
	l.seq++
	l.waiting = nil
}

// Pending says whether an answer is still to come.
func (l *Latest[T]) Pending() bool { return l.running }

func (l *Latest[T]) start(fn func() T) tea.Cmd {
	l.running, l.waiting = true, nil
	seq := l.seq
	return func() tea.Msg { return answerMsg[T]{l, seq, fn()} }
}

// Answer looks whether msg answers this Latest. mine says that it does; fresh
// that value is the newest question's. next must be run whenever it is not nil:
// it starts the question that was waiting.
func (l *Latest[T]) Answer(msg tea.Msg) (value T, fresh, mine bool, next tea.Cmd) {
	a, ok := msg.(answerMsg[T])
	if !ok || a.to != l {
		return value, false, false, nil
	}
	l.running = false
	if l.waiting != nil {
		return value, false, true, l.start(l.waiting)
	}
	return a.value, a.seq == l.seq, true, nil
}
