package screens

import (
	"crypto/sha256"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"postern/tui"
	"postern/tui/tuitest"
)

// program runs a router as Bubble Tea does, without its 60 Hz tick: a message,
// then a frame, while commands work in goroutines.
type program struct {
	r    *tui.Router
	msgs chan tea.Msg
}

func newProgram(r *tui.Router) *program {
	p := &program{r, make(chan tea.Msg, 4096)}
	p.exec(r.Init())
	p.step(tea.WindowSizeMsg{Width: 80, Height: 24})
	return p
}

func (p *program) exec(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	go func() {
		switch msg := cmd().(type) {
		case nil:
		case tea.BatchMsg:
			for _, c := range msg {
				p.exec(c)
			}
		default:
			p.msgs <- msg
		}
	}()
}

// step takes one message and draws, and returns how long the program had to
// work for that.
func (p *program) step(msg tea.Msg) time.Duration {
	began := time.Now()
	_, cmd := p.r.Update(msg)
	p.r.View()
	took := time.Since(began)
	p.exec(cmd)
	return took
}

// drain takes the messages that have come in.
func (p *program) drain() (took []time.Duration) {
	for {
		select {
		case msg := <-p.msgs:
			took = append(took, p.step(msg))
		default:
			return took
		}
	}
}

// BenchmarkSignUpKeyToFrame measures a key press in the field for a new password
// up to the finished frame, as fast as keys can come, for inputs that grow to
// 256 characters; what was typed before is scored beside it. The frames that
// bring scores are measured too, and beside them a piece of work that always
// takes the same: what its 99th percentile is above its 50th, the machine adds.
func BenchmarkSignUpKeyToFrame(b *testing.B) {
	for _, input := range []struct{ name, text string }{
		{"words", strings.Repeat("violet tram hums at dusk, ", 10)},
		{"repeats", strings.Repeat("aB1!", 64)},
		{"dates", strings.Repeat("1999-12-31", 26)},
		{"wide", strings.Repeat("漢ä🙂x", 64)},
	} {
		b.Run(input.name, func(b *testing.B) {
			env := newPlace(b).env(b)
			p := newProgram(tui.NewRouter(env.Session, NewSignUp(env)))
			for _, k := range []string{"a", "d", "a", "enter", "enter", "enter"} {
				p.step(tuitest.Key(k))
				time.Sleep(time.Millisecond)
				p.drain()
			}
			text := []rune(input.text)[:256]
			keys, scores, same := make([]time.Duration, 0, b.N), []time.Duration{}, make([]time.Duration, 0, b.N)
			block := make([]byte, 256<<10)
			b.ResetTimer()
			for i := range b.N {
				if i%len(text) == 0 {
					p.step(tuitest.Key("ctrl+u"))
				}
				keys = append(keys, p.step(tuitest.Key(string(text[i%len(text)]))))
				scores = append(scores, p.drain()...)
				began := time.Now()
				sha256.Sum256(block)
				same = append(same, time.Since(began))
			}
			b.StopTimer()
			report(b, "key", keys)
			report(b, "score", scores)
			report(b, "same", same)
		})
	}
}

// report adds the 50th and 99th percentile of times to a benchmark.
func report(b *testing.B, what string, times []time.Duration) {
	if len(times) == 0 {
		return
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Microseconds()), what+"-p50-µs")
	b.ReportMetric(float64(times[len(times)*99/100].Microseconds()), what+"-p99-µs")
}
