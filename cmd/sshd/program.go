package sshd

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/ssh"
	"github.com/charmbracelet/colorprofile"
)

// endGrace is how long a program may take to end by itself before its channel
// is closed under it.
const endGrace = 2 * time.Second

// programs is the middleware that runs an interactive session. It takes the
// place of wish's own, which turns a closed channel into a loop that never
// rests, and reads input with no bounds.
func (s *Server) programs(ssh.Handler) ssh.Handler {
	return func(sess ssh.Session) {
		ch := channelOf(sess)
		v := visitor(ch, sess)
		if !v.PTY {
			s.leaveWith(sess, ch, s.say(v, LineNoTerminal, ""), ExitUsage)
			return
		}
		var p Program
		id := s.guard("making a program", func() { p = s.handler.Program(ch, v) })
		if id == "" && p.Model == nil && p.Lines == nil {
			id = s.failure("making a program", "the handler made no model")
		}
		if p.Ended != nil {
			defer s.guard("ending a program", p.Ended)
		}
		switch {
		case id != "":
		case p.Lines != nil:
			id = s.lines(ch, p)
		default:
			id = s.run(ch, v, p)
		}
		if id != "" {
			s.leaveWith(sess, ch, s.say(v, LinePanic, id), ExitRefused)
			return
		}
		text, code := s.lastWords(ch, v)
		if text == "" && p.Farewell != nil {
			s.guard("saying farewell", func() { text = p.Farewell() })
		}
		s.leaveWith(sess, ch, text, code)
	}
}

// run runs the program until it ends or has to. It returns the id of a panic.
func (s *Server) run(ch *channel, v Visitor, p Program) (id string) {
	// killed ends the program without its consent. ch itself does not, so that
	// a program that has to end can restore the terminal first.
	killed, kill := context.WithCancel(context.WithoutCancel(ch))
	defer kill()
	out := &newlines{to: ch.Channel}
	model := &guarded{server: s, model: p.Model, gone: func() { ch.cancel(ended{}) }}
	program := tea.NewProgram(model, append(p.Options, s.options(killed, ch, v, out, p.Filter)...)...)
	model.painter = newPainter(s.canvases, out, v.Env, colorprofile.Env(v.Env), size{v.Width, v.Height}, s.config.FPS, func(reason any) {
		model.blame(s.failure("painting", reason))
		program.Quit()
	})
	finished := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		defer s.contain("watching a session")
		s.watch(ch, program, kill, finished)
	}()
	go s.pump(ch, program)
	if p.Started != nil {
		id = s.guard("starting a program", func() { p.Started(program) })
	}
	if id == "" {
		_, err := program.Run()
		s.guard("leaving the screen", model.painter.close)
		id = model.failed()
		if id == "" && errors.Is(err, tea.ErrProgramPanic) {
			id = s.failure("a program", err)
		}
	}
	close(finished)
	<-watched
	return id
}

// idleFPS is how often bubbletea looks for what it has to send besides views:
// questions to the terminal and clipboard contents. The views are the painter's.
const idleFPS = 4

// options are the door's own options of a program.
func (s *Server) options(ctx context.Context, ch *channel, v Visitor, out io.Writer, filter func(tea.Model, tea.Msg) tea.Msg) []tea.ProgramOption {
	return []tea.ProgramOption{
		tea.WithContext(ctx),
		// Input comes by the pump; a reader that is at its end keeps bubbletea's
		// own from starting, and still lets it ask the terminal questions.
		tea.WithInput(noInput{}),
		tea.WithOutput(out),
		tea.WithEnvironment(v.Env),
		tea.WithColorProfile(colorprofile.Env(v.Env)),
		tea.WithWindowSize(v.Width, v.Height),
		tea.WithoutRenderer(),
		tea.WithFPS(idleFPS),
		// Signals are for the process, not for one of its thousand sessions.
		tea.WithoutSignalHandler(),
		tea.WithFilter(func(m tea.Model, msg tea.Msg) tea.Msg {
			switch msg.(type) {
			case tea.SuspendMsg:
				msg = tea.ResumeMsg{} // A suspension would stop the whole server.
			case tea.WindowSizeMsg:
				// bubbletea sends the first size from a goroutine, which a newer size
				// may overtake: whatever comes, the size is the one of now.
				window := ch.size()
				msg = tea.WindowSizeMsg{Width: window.width, Height: window.height}
			}
			if filter != nil {
				return filter(m, msg)
			}
			return msg
		}),
	}
}

// watch tells the program about the window and ends it when the session's
// context does. It returns when the program is over.
func (s *Server) watch(ch *channel, program *tea.Program, kill context.CancelFunc, finished <-chan struct{}) {
	for {
		select {
		case <-finished:
			return
		case <-ch.changed:
			// Send waits for the program; changes in the meantime become one.
			window := ch.size()
			sent := make(chan struct{})
			go func() {
				program.Send(tea.WindowSizeMsg{Width: window.width, Height: window.height})
				close(sent)
			}()
			select {
			case <-sent:
			case <-ch.Done():
			case <-finished:
			}
			continue
		case <-ch.Done():
		}
		break
	}
	go program.Quit()
	grace := time.NewTimer(endGrace)
	defer grace.Stop()
	select {
	case <-finished:
		return
	case <-grace.C:
	}
	kill()
	// A program that hangs in a write to a client that does not read comes loose here.
	_ = ch.Channel.Close()
	<-finished
}

// noInput is a reader at its end.
type noInput struct{}

// Read returns io.EOF.
func (noInput) Read([]byte) (int, error) { return 0, io.EOF }

// newlines writes to a terminal in raw mode, where a line break needs its
// carriage return. What one call writes stays together.
type newlines struct {
	mu sync.Mutex
	to io.Writer
}

// Write turns a lone \n into \r\n.
func (w *newlines) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if bytes.IndexByte(p, '\n') < 0 {
		return w.to.Write(p)
	}
	out := make([]byte, 0, len(p)+len(p)/16+8)
	for i, c := range p {
		if c == '\n' && (i == 0 || p[i-1] != '\r') {
			out = append(out, '\r')
		}
		out = append(out, c)
	}
	if _, err := w.to.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}

var (
	_ io.Reader = noInput{}
	_ io.Writer = (*newlines)(nil)
)
