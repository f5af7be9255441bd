// Work that takes a while: a bar that moves, a key that gives it up, and what came
// of it. It is begun when the screen opens, and asks for a proof where one is due.

package screens

import (
	"context"
	"errors"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// workSpec is what is to be done. do returns what came of it, in lines.
type workSpec struct {
	title  string // words of the dictionary
	doing  string
	why    string // what the proof is for
	do     func(ctx context.Context, progress func(done, total int)) (workResult, error)
	result any // is left behind when it was done
	keys   func(workResult) []workKey
}

// workResult is what came of it.
type workResult struct {
	good  bool // nothing is wrong
	lines []string
	copy  string // what can be copied; "" for nothing
}

// workAgain is left behind by a screen that has changed what was worked out.
type workAgain struct{}

// workKey is a further key when the work is done.
type workKey struct {
	key, word string
	do        func() tea.Cmd
}

// work is the screen.
type work struct {
	*page
	spec  workSpec
	stop  context.CancelFunc
	steps chan workStep
	at    workStep
	done  workResult
	ready bool
	err   error
}

// workStep is how far the work is.
type workStep struct{ done, total int }

// workDone is its end.
type workDone struct {
	result workResult
	err    error
}

var (
	_ tui.Screen = (*work)(nil)
	_ tui.Titled = (*work)(nil)
	_ tui.Helper = (*work)(nil)
)

func newWork(env *Env, spec workSpec) tui.Screen {
	s := &work{spec: spec}
	s.page = &page{env: env, title: func() string { return env.T(spec.title) }, body: s.body, keys: s.keys, do: s.do}
	return s
}

// Init begins the work.
func (s *work) Init() tea.Cmd {
	if s.stop != nil {
		return nil
	}
	ctx, cancel := context.WithCancel(s.env.Ctx)
	steps := make(chan workStep, 1)
	s.stop, s.steps, s.at, s.err, s.ready = cancel, steps, workStep{}, nil, false
	do := s.spec.do
	return tea.Batch(func() tea.Msg {
		defer close(steps)
		defer cancel()
		result, err := do(ctx, func(done, total int) {
			select {
			case <-steps: // what nobody has looked at yet is old
			default:
			}
			steps <- workStep{done, total}
		})
		return workDone{result, err}
	}, s.wait())
}

func (s *work) wait() tea.Cmd {
	steps := s.steps
	return func() tea.Msg {
		if at, open := <-steps; open {
			return at
		}
		return nil
	}
}

// Update takes how far it is, its end, and keys.
func (s *work) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch m := msg.(type) {
	case workStep:
		s.at = m
		return s, s.wait()
	case workDone:
		s.stop = nil
		if core.CodeOf(m.err) == core.CodeStepUp {
			return s, tui.Push(newStepUp(s.env, s.spec.why))
		}
		s.done, s.err, s.ready = m.result, m.err, m.err == nil
		return s, nil
	case tui.BackMsg:
		if _, anew := m.Result.(workAgain); anew || isProved(m) {
			return s, s.Init()
		}
		if c, ok := m.Result.(tui.Confirmed); ok && c.Refused == "" {
			return s, tui.Replace(c.Result.(tui.Screen))
		}
		if !s.ready && s.err == nil {
			return s, tui.Pop() // no proof was given
		}
		return s, nil
	case tea.KeyPressMsg:
		if s.stop != nil {
			if m.String() == "esc" {
				s.stop()
			}
			return s, nil
		}
		if m.String() == "esc" && s.ready && s.spec.result != nil {
			return s, tui.PopWith(s.spec.result)
		}
		_, cmd := s.page.Update(m)
		return s, cmd
	}
	return s, nil
}

func (s *work) body(width int) string {
	e, t := s.env, s.env.Theme
	switch {
	case s.stop != nil:
		line := t.Bar(int64(s.at.done), int64(max(s.at.total, 1)), min(width, 30))
		if s.at.total > 0 {
			line += "  " + e.T("work.of", "Done", e.Dict.Number(int64(s.at.done)), "Total", e.Dict.Number(int64(s.at.total)))
		}
		return tui.Wrap(e.T(s.spec.doing), width) + "\n\n" + line
	case errors.Is(s.err, context.Canceled):
		return tui.Wrap(e.T("work.stopped"), width)
	case s.err != nil:
		return e.failure(s.err, width)
	}
	sign := t.Good.Render(t.Signs.OK)
	if !s.done.good {
		sign = t.Bad.Render(t.Signs.No)
	}
	lines := make([]string, len(s.done.lines))
	for i, l := range s.done.lines {
		if lines[i] = tui.Wrap(l, width); i == 0 || strings.HasPrefix(l, s.env.Theme.Signs.Bullet) {
			lines[i] = hanging(l, width)
		}
	}
	if len(lines) > 0 {
		lines[0] = sign + " " + lines[0]
	}
	return strings.Join(lines, "\n")
}

func (s *work) keys() []key.Binding {
	if s.stop != nil {
		return []key.Binding{s.env.bind("esc", "work.key_stop")}
	}
	var out []key.Binding
	if s.ready && s.spec.keys != nil {
		for _, k := range s.spec.keys(s.done) {
			out = append(out, s.env.bind(k.key, k.word))
		}
	}
	if s.ready && s.done.copy != "" && s.env.copies() {
		out = append(out, s.env.bind("y", "work.key_copy"))
	}
	return append(out, s.env.bind("r", "work.key_again"))
}

// Help leaves the way back to the key that gives up, while there is work.
func (s *work) Help() []key.Binding {
	if s.stop != nil {
		return s.keys()
	}
	return s.page.Help()
}

func (s *work) do(k string) tea.Cmd {
	switch {
	case k == "r":
		return s.Init()
	case k == "y" && s.ready && s.done.copy != "" && s.env.copies():
		return s.env.copyText(s.done.copy, "work.copied")
	case s.ready && s.spec.keys != nil:
		for _, w := range s.spec.keys(s.done) {
			if w.key == k {
				return w.do()
			}
		}
	}
	return nil
}
