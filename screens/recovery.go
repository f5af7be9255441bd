// New recovery codes: ten codes for paper, for when every other factor is lost.
// They are shown once and count only when their person says that they are saved;
// until then those before stay in force.

package screens

import (
	"context"
	"errors"
	"io/fs"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// recovery makes a new set of recovery codes.
type recovery struct {
	env *Env

	explain *tui.Form // what they are
	codes   *tui.Form // the codes themselves
	busy    tui.Busy
	have    core.Protection
	read    bool  // have is known
	err     error // why it is not
	sheet   core.RecoverySheet
	note    string // where the codes were written to
	bad     bool   // or why they were not
	w       int
}

// recoveryMade is what the screen leaves behind when new codes are in force.
type recoveryMade struct{}

// recoveryKept is what came of calling the codes saved.
type recoveryKept struct{ err error }

// recoveryWritten is what came of writing them to a file.
type recoveryWritten struct {
	path string
	err  error
}

var (
	_ tui.Screen = (*recovery)(nil)
	_ tui.Titled = (*recovery)(nil)
	_ tui.Tall   = (*recovery)(nil)
	_ tui.Helper = (*recovery)(nil)
	_ tui.Asking = (*recovery)(nil)
)

// newRecovery returns the screen. It leaves recoveryMade behind.
func newRecovery(env *Env) tui.Screen {
	s := &recovery{env: env}
	s.explain = tui.NewForm(env.Session, s.explainSpec)
	s.codes = tui.NewForm(env.Session, s.codesSpec)
	return s
}

// Init reads which codes there are.
func (s *recovery) Init() tea.Cmd {
	s.err = nil
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")), s.env.protection())
}

// shown says whether codes stand on the screen.
func (s *recovery) shown() bool { return len(s.sheet.Codes) > 0 }

func (s *recovery) explainSpec() tui.FormSpec {
	e := s.env
	return tui.FormSpec{
		Pages: []tui.Page{{Fields: []tui.Field{tui.Note{Show: s.meaning}}}},
		Back:  e.T("enrol.not_now"), Submit: e.T("recovery.show"), Busy: e.T("recovery.making"), Do: s.begin,
	}
}

func (s *recovery) codesSpec() tui.FormSpec {
	e := s.env
	spec := tui.FormSpec{
		Pages: []tui.Page{{Fields: []tui.Field{tui.Note{Show: s.paper}, tui.Note{Show: s.ways}}}},
		Back:  e.T("enrol.not_now"), Submit: e.T("recovery.saved"), Busy: e.T("recovery.keeping"),
		// The codes before are dead afterwards, and whoever presses Enter twice has
		// saved nothing: the focus begins at the button that changes nothing.
		Danger: true,
		Do:     s.keep, Leave: s.leave,
	}
	switch {
	case e.Door.Save != nil:
		spec.Extra = []tui.Button{{Label: e.T("recovery.write"), Do: s.write}}
	case e.copies():
		spec.Extra = []tui.Button{{Label: e.T("recovery.copy"), Do: s.copy}}
	}
	return spec
}

// begin returns the command that has codes made.
func (s *recovery) begin() tea.Cmd {
	factors, actor := s.env.Portal.Factors, s.env.Actor()
	return call(s.env.Ctx, func(ctx context.Context) (core.RecoverySheet, error) { return factors.BeginRecovery(ctx, actor) })
}

// keep returns the command that puts the codes in force.
func (s *recovery) keep() tea.Cmd {
	ctx, factors, actor, seed := s.env.Ctx, s.env.Portal.Factors, s.env.Actor(), s.sheet.Seed
	return func() tea.Msg { return recoveryKept{factors.SaveRecovery(ctx, actor, seed)} }
}

// write returns the command that writes the codes to a file.
func (s *recovery) write() tea.Cmd {
	save, name, content := s.env.Door.Save, "postern-recovery-"+s.env.Me().UserName+".txt", s.file()
	return func() tea.Msg {
		path, err := save(name, []byte(content))
		return recoveryWritten{path, err}
	}
}

// copy returns the command that sends the codes to the terminal's clipboard.
func (s *recovery) copy() tea.Cmd { return s.env.copyText(s.file(), "enrol.copied") }

// leave says that nothing has changed.
func (s *recovery) leave() tea.Cmd {
	words := s.env.T("recovery.left_none")
	if s.have.Recovery.Left > 0 {
		words = s.env.T("recovery.left_old")
	}
	s.wipe()
	return tea.Sequence(tui.Pop(), tui.Toast(tui.Info, words))
}

// wipe forgets the codes.
func (s *recovery) wipe() {
	clear(s.sheet.Codes)
	s.sheet, s.note, s.bad = core.RecoverySheet{}, "", false
}

// Update takes the core's answers and hands the rest to the form.
func (s *recovery) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch m := msg.(type) {
	case answer[core.Protection]:
		s.busy.Stop()
		if s.err = m.Err; m.Err != nil {
			return s, nil
		}
		s.have, s.read = m.Value, true
		return s, s.explain.Init()
	case answer[core.RecoverySheet]:
		return s, s.made(m)
	case recoveryWritten:
		return s, s.written(m)
	case recoveryKept:
		return s, s.kept(m.err)
	case tui.BackMsg:
		if isProved(m) && s.read && !s.shown() {
			return s, tea.Batch(s.busy.Start(s.env.Session, s.env.T("recovery.making")), s.begin())
		}
		return s, nil
	case tea.KeyPressMsg:
		if !s.read {
			return s, s.waitingKey(m.String())
		}
		if s.busy.On() {
			return s, nil
		}
		if m.String() == "ctrl+y" && s.shown() && s.env.copies() && !s.codes.Busy() {
			return s, s.copy()
		}
	}
	if !s.read {
		return s, s.busy.Handle(msg)
	}
	return s, tea.Batch(s.busy.Handle(msg), s.form().Handle(msg))
}

// waitingKey takes a key while it is not known which codes there are.
func (s *recovery) waitingKey(k string) tea.Cmd {
	switch {
	case k == "esc":
		return tui.Pop()
	case k == "r" && s.err != nil:
		return s.Init()
	}
	return nil
}

// made takes the new codes. When a proof is asked for first, they are asked for
// again after it.
func (s *recovery) made(m answer[core.RecoverySheet]) tea.Cmd {
	s.busy.Stop()
	s.explain.Release()
	switch core.CodeOf(m.Err) {
	case "":
		s.sheet = m.Value
		return s.codes.Init()
	case core.CodeStepUp:
		return tui.Push(newStepUp(s.env, "stepup.why_recovery"))
	}
	s.explain.Refuse(tui.Refusal{Text: s.env.Sentence(m.Err)})
	return nil
}

// written says where the codes are now, or why they are not there.
func (s *recovery) written(m recoveryWritten) tea.Cmd {
	if !s.shown() {
		return nil // left meanwhile
	}
	kind, words := tui.Bad, "recovery.not_written"
	switch {
	case m.err == nil:
		kind, words = tui.Good, "recovery.written"
	case errors.Is(m.err, fs.ErrExist):
		words = "recovery.exists"
	}
	s.note, s.bad = s.env.T(words, "Path", escaped(m.path)), kind == tui.Bad
	if s.env.Caps.Lines { // what stands above the buttons was said already
		return tui.Toast(kind, s.note)
	}
	return nil
}

// kept takes what came of calling the codes saved.
func (s *recovery) kept(err error) tea.Cmd {
	if err == nil {
		s.wipe()
		return tea.Sequence(tui.PopWith(recoveryMade{}), tui.Toast(tui.Good, s.env.T("recovery.done")))
	}
	if core.CodeOf(err) == core.CodeNotFound {
		s.wipe() // they will never count
		s.explain.Refuse(tui.Refusal{Text: s.env.T("recovery.over", "Span", s.env.Dict.Duration(core.RecoveryPendingFor))})
		return nil
	}
	s.codes.Refuse(tui.Refusal{Text: s.env.Sentence(err)})
	return nil
}

// form is the one that is shown.
func (s *recovery) form() *tui.Form {
	if s.shown() {
		return s.codes
	}
	return s.explain
}

// SetSize gives the forms their room.
func (s *recovery) SetSize(w, h int) {
	s.w = w
	s.explain.SetSize(w, h)
	s.codes.SetSize(w, h)
}

// View is the form, once it is known which codes there are.
func (s *recovery) View() string {
	busy := s.busy.View(s.env.Theme)
	switch {
	case s.err != nil:
		return s.env.failure(s.err, s.w)
	case !s.read:
		return busy
	case busy != "":
		return s.form().View() + "\n" + busy
	}
	return s.form().View()
}

// Title names the page.
func (s *recovery) Title() string { return s.env.T("recovery.title") }

// Tall says that ten codes need every row of a small terminal.
func (s *recovery) Tall() bool { return true }

// Help returns the keys that work now.
func (s *recovery) Help() []key.Binding {
	if !s.read {
		return s.env.waitingKeys(s.err)
	}
	help := s.form().Help()
	if s.shown() && s.env.copies() && len(help) > 0 {
		help = append([]key.Binding{s.env.bind("ctrl+y", "enrol.key_copy")}, help...)
	}
	return help
}

// Asking returns the form, once there is something to ask.
func (s *recovery) Asking() *tui.Form {
	if !s.read {
		return nil
	}
	return s.form()
}
