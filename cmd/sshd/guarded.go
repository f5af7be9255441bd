package sshd

import (
	"reflect"
	"sync"

	tea "charm.land/bubbletea/v2"
)

// guarded runs a model for a session: it has its views painted, and its panics, and those of its commands, end its session
// with an id in the log. bubbletea catches them as well, but prints them on the
// server's own standard error, where no id leads to them.
type guarded struct {
	server  *Server
	model   tea.Model
	painter *painter
	view    tea.View
	sized   bool // the model knows the terminal's size

	gone func() // ends a session whose terminal takes nothing any more

	mu sync.Mutex
	id string
}

// failed is the id of the first panic, empty if there was none.
func (g *guarded) failed() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.id
}

// fail is deferred; it records a panic.
func (g *guarded) fail(where string, then func()) {
	reason := recover()
	if reason == nil {
		return
	}
	g.blame(g.server.failure(where, reason))
	then()
}

// blame keeps the id of the first panic.
func (g *guarded) blame(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.id == "" {
		g.id = id
	}
}

// Init calls the model's Init.
func (g *guarded) Init() (cmd tea.Cmd) {
	defer g.fail("Init", func() { cmd = tea.Quit })
	return g.command(g.model.Init())
}

// Update calls the model's Update. A model that failed is asked nothing more.
func (g *guarded) Update(msg tea.Msg) (next tea.Model, cmd tea.Cmd) {
	defer g.fail("Update", func() { next, cmd = g, tea.Quit })
	if g.failed() != "" {
		return g, tea.Quit
	}
	var clicked tea.Cmd
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		g.painter.resize(size{msg.Width, msg.Height})
		g.sized = true
	case tea.ColorProfileMsg, tea.ModeReportMsg:
		g.painter.learn(msg)
	case tea.MouseMsg:
		if g.view.OnMouse != nil {
			clicked = g.view.OnMouse(msg)
		}
	}
	if reflect.TypeOf(msg) == clearScreen {
		g.painter.clear()
	}
	model, c := g.model.Update(msg)
	g.model = model
	if clicked != nil {
		c = tea.Batch(c, clicked)
	}
	return g, g.command(c)
}

// clearScreen is the type of the message of tea.ClearScreen, which has no public name.
var clearScreen = reflect.TypeOf(tea.ClearScreen())

// View has the model's view painted. The first waits for the model to know the
// size, so that nobody sees a screen laid out for none. What is returned goes
// to bubbletea's renderer, which is switched off.
func (g *guarded) View() (view tea.View) {
	defer g.fail("View", func() {
		view = tea.View{}
		g.gone()
	})
	if g.failed() != "" || !g.sized {
		return tea.View{}
	}
	g.view = g.model.View()
	if err := g.painter.show(g.view); err != nil {
		g.gone()
	}
	return tea.View{}
}

var _ tea.Model = (*guarded)(nil)

// cmdType is the type of the elements of a batch or a sequence.
var cmdType = reflect.TypeFor[tea.Cmd]()

// command guards a command, and those that it turns out to consist of.
func (g *guarded) command(cmd tea.Cmd) tea.Cmd {
	if cmd == nil {
		return nil
	}
	return func() (msg tea.Msg) {
		defer g.fail("a command", func() { msg = tea.QuitMsg{} })
		msg = cmd()
		// A batch is a []tea.Cmd by a public name, a sequence by a private one.
		if list := reflect.ValueOf(msg); list.Kind() == reflect.Slice && list.Type().Elem() == cmdType {
			for i := range list.Len() {
				if c, ok := list.Index(i).Interface().(tea.Cmd); ok && c != nil {
					list.Index(i).Set(reflect.ValueOf(g.command(c)))
				}
			}
		}
		return msg
	}
}
