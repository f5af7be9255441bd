// Waiting. Most answers come before anybody could read that they are awaited,
// so a spinner shows only after a moment, and it is the only thing in the kit
// that ticks, and only while something is being done.

package tui

import (
	"strings"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"
)

// How long nothing is said, and how often the spinner turns after that.
const (
	busyAfter = 150 * time.Millisecond
	busyTurn  = 120 * time.Millisecond
)

// Busy says that something is being done. The zero value is not busy.
type Busy struct {
	on, shown bool
	text      string
	id        uint64
	turn      int
	still     bool
}

// busyID tells waits apart, so that the tick of one that ended moves no other.
var busyID atomic.Uint64

// busyMsg is a tick for one wait.
type busyMsg struct{ id uint64 }

// Start begins to wait. The command must be run.
func (b *Busy) Start(s *Session, text string) tea.Cmd {
	*b = Busy{on: true, text: text, id: busyID.Add(1), still: s.Caps.Dumb}
	return b.tick(busyAfter)
}

// Stop ends the wait.
func (b *Busy) Stop() { *b = Busy{} }

// On says whether something is being done.
func (b *Busy) On() bool { return b.on }

// Handle takes the wait's own ticks and ignores everything else.
func (b *Busy) Handle(msg tea.Msg) tea.Cmd {
	m, ok := msg.(busyMsg)
	if !ok || !b.on || m.id != b.id {
		return nil
	}
	if b.shown {
		b.turn++
	}
	b.shown = true
	if b.still {
		return nil
	}
	return b.tick(busyTurn)
}

func (b *Busy) tick(d time.Duration) tea.Cmd {
	id := b.id
	return tea.Tick(d, func(time.Time) tea.Msg { return busyMsg{id} })
}

// View is the spinner and its sentence, or "" while there is nothing to say.
func (b *Busy) View(t *Theme) string {
	if !b.shown {
		return ""
	}
	return t.Accent.Render(t.Signs.Spinner[b.turn%len(t.Signs.Spinner)]) + " " + t.Muted.Render(b.text)
}

// Bar draws how much of total is done in width cells.
func (t *Theme) Bar(done, total int64, width int) string {
	width = max(width, 0)
	full := width
	if total > 0 {
		full = int(float64(min(max(done, 0), total)) / float64(total) * float64(width))
	}
	return t.Accent.Render(strings.Repeat(t.Signs.Full, full)) + t.Rule.Render(strings.Repeat(t.Signs.Empty, width-full))
}
