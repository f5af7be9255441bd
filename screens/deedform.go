// A form that does one thing: it is sent, a proof is asked for where one is due,
// and it is sent again. What it says is its maker's.

package screens

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// deedForm is such a form. What do returns is the result that it leaves behind.
type deedForm struct {
	*tui.Form
	env     *Env
	title   func() string
	do      func() func(ctx context.Context) (any, error) // copies what was typed
	refusal func(error) tui.Refusal                       // nil: as anywhere else
	why     string                                        // what the proof is for, in the dictionary
}

// deedDone is what came of it.
type deedDone struct {
	result any
	err    error
}

var (
	_ tui.Screen   = (*deedForm)(nil)
	_ tui.Titled   = (*deedForm)(nil)
	_ tui.Helper   = (*deedForm)(nil)
	_ tui.Typer    = (*deedForm)(nil)
	_ tui.Cursored = (*deedForm)(nil)
	_ tui.Asking   = (*deedForm)(nil)
)

// newDeedForm returns the form that spec describes, but for Do.
func newDeedForm(s *deedForm, spec func() tui.FormSpec) tui.Screen {
	s.Form = tui.NewForm(s.env.Session, func() tui.FormSpec {
		f := spec()
		f.Do = s.send
		return f
	})
	return s
}

func (s *deedForm) send() tea.Cmd {
	ctx, do := s.env.Ctx, s.do()
	return func() tea.Msg {
		result, err := do(ctx)
		return deedDone{result, err}
	}
}

// Update takes the answer.
func (s *deedForm) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch m := msg.(type) {
	case deedDone:
		switch {
		case m.err == nil:
			return s, tui.PopWith(m.result)
		case core.CodeOf(m.err) == core.CodeStepUp:
			return s, tui.Push(newStepUp(s.env, s.why))
		case s.refusal != nil:
			s.Refuse(s.refusal(m.err))
		default:
			s.Refuse(refusalOf(s.env, m.err))
		}
		return s, nil
	case tui.BackMsg:
		if isProved(m) {
			return s, s.send()
		}
		s.Release()
		return s, nil
	}
	return s, s.Handle(msg)
}

// Title is the screen's.
func (s *deedForm) Title() string { return s.title() }

// deed is an act that a dialog confirms, and that may ask for a proof first.
type deed struct {
	env    *Env
	do     func(ctx context.Context) (any, error)
	why    string
	wanted bool // it waits for a proof
}

// inDialog is the act for a dialog, which closes for a proof and stays for what it
// can only say.
func (d *deed) inDialog() tea.Cmd {
	ctx, do, words := d.env.Ctx, d.do, d.env.Dict
	return func() tea.Msg {
		result, err := do(ctx)
		if err != nil && core.CodeOf(err) != core.CodeStepUp {
			return tui.Confirmed{Refused: sentence(words, err)}
		}
		return tui.Confirmed{Result: deedDone{result, err}}
	}
}

// back takes what a dialog or a proof left behind. done says that the act was
// done, with its result.
func (d *deed) back(msg tui.BackMsg) (result any, done bool, cmd tea.Cmd) {
	if d == nil {
		return nil, false, nil
	}
	if c, ok := msg.Result.(tui.Confirmed); ok {
		if m, ok := c.Result.(deedDone); ok {
			return d.took(m)
		}
	}
	if isProved(msg) && d.wanted {
		d.wanted = false
		ctx, do := d.env.Ctx, d.do
		return nil, false, func() tea.Msg {
			result, err := do(ctx)
			return deedDone{result, err}
		}
	}
	d.wanted = false
	return nil, false, nil
}

// took takes what came of the act.
func (d *deed) took(m deedDone) (result any, done bool, cmd tea.Cmd) {
	switch core.CodeOf(m.err) {
	case "":
		return m.result, true, nil
	case core.CodeStepUp:
		d.wanted = true
		return nil, false, tui.Push(newStepUp(d.env, d.why))
	}
	return nil, false, tui.Toast(tui.Bad, d.env.Sentence(m.err))
}
