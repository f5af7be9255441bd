// Scripts that decide about delete requests: which there are, one of them with its
// versions, and what is done with it. The runs stand in admin_runs.go, the editor
// in admin_editor.go.

package screens

import (
	"context"
	"strconv"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/core/script"
	"postern/core/text"
	"postern/tui"
)

// scriptList is the menu of the scripts.
type scriptList struct {
	env  *Env
	menu menu
	busy tui.Busy
	list []core.Script
	now  time.Time
	read bool
	err  error
	w    int
}

// scriptsRead is what was read.
type scriptsRead struct {
	list []core.Script
	now  time.Time
	err  error
}

var (
	_ tui.Screen   = (*scriptList)(nil)
	_ tui.Titled   = (*scriptList)(nil)
	_ tui.Helper   = (*scriptList)(nil)
	_ tui.Numbered = (*scriptList)(nil)
)

// NewScripts returns the menu.
func NewScripts(env *Env) tui.Screen {
	s := &scriptList{env: env}
	s.menu = menu{env: env, ways: s.ways}
	return s
}

// Init reads which there are.
func (s *scriptList) Init() tea.Cmd {
	ctx, analysis, actor, clock := s.env.Ctx, s.env.Portal.Analysis, s.env.Actor(), s.env.Clock
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")), func() tea.Msg {
		list, err := analysis.List(ctx, actor)
		return scriptsRead{list, clock(), err}
	})
}

// writes says whether a script can be written here: in lines the editor cannot be
// left again, and a file is the better place.
func (s *scriptList) writes() bool { return s.env.may(core.OpAnalysis) && !s.env.Caps.Lines }

func (s *scriptList) ways() []menuItem {
	e := s.env
	var out []menuItem
	for _, x := range s.list {
		note := e.T("analysis.version", "Version", x.Version, "When", e.Dict.Relative(x.Saved, s.now))
		switch {
		case x.InUse:
			note += ", " + e.T("analysis.in_use")
		case !x.Retired.IsZero():
			note += ", " + e.T("analysis.retired")
		}
		out = append(out, menuItem{id: "/" + x.Name, label: x.Name, note: note, open: func() tea.Cmd { return tui.Push(newScriptPage(e, x.Name)) }})
	}
	if s.writes() {
		out = append(out, menuItem{id: "n", label: "n  " + e.T("analysis.new"), note: e.T("analysis.new_note"), group: true,
			open: func() tea.Cmd { return tui.Push(newEditor(e, core.Script{})) }})
	}
	return append(out, menuItem{id: "r", label: "r  " + e.T("analysis.runs"), note: e.T("analysis.runs_note"), group: !s.writes(),
		open: func() tea.Cmd { return tui.Push(NewRuns(e)) }})
}

// Update takes what was read, and keys.
func (s *scriptList) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch m := msg.(type) {
	case scriptsRead:
		s.busy.Stop()
		if s.err = m.err; m.err == nil {
			s.list, s.now, s.read = m.list, m.now, true
		}
		return s, nil
	case tui.BackMsg:
		if x, ok := m.Result.(core.Script); ok {
			return s, tea.Batch(s.Init(), tui.Toast(tui.Good, ScriptSavedText(s.env.Dict, x)))
		}
		return s, s.Init()
	case tea.KeyPressMsg:
		if m.String() == "esc" {
			return s, tui.Pop()
		}
		for _, w := range s.ways() {
			if w.id == m.String() {
				s.menu.at = w.id
				return s, w.open()
			}
		}
		cmd, _ := s.menu.key(m)
		return s, cmd
	}
	return s, s.busy.Handle(msg)
}

// SetSize takes the room of the page.
func (s *scriptList) SetSize(w, _ int) { s.w = w }

// Title names the page.
func (s *scriptList) Title() string { return s.env.T("analysis.title") }

// Choices is how many ways there are.
func (s *scriptList) Choices() int { return len(s.ways()) }

// View is what scripts are for, and the menu.
func (s *scriptList) View() string {
	w := min(s.w, tui.BodyWidth)
	switch {
	case s.err != nil && !s.read:
		return s.env.failure(s.err, w)
	case !s.read:
		return s.busy.View(s.env.Theme)
	}
	said := s.env.T("analysis.text")
	if s.env.Caps.Lines && s.env.may(core.OpAnalysis) {
		said += " " + s.env.T("analysis.by_verb")
	}
	return s.env.Theme.Muted.Render(tui.Wrap(said, w)) + "\n\n" + s.menu.view(w)
}

// Help returns the keys that work now.
func (s *scriptList) Help() []key.Binding {
	if !s.read {
		return s.env.waitingKeys(s.err)
	}
	return append(s.menu.help(), s.env.bind("esc", "key.back"))
}

// ScriptSavedText says whether what was saved is a new script or a version of one.
func ScriptSavedText(d *tui.Dict, x core.Script) string {
	if x.Version == 1 {
		return d.T("done.analysis_new", "Name", x.Name)
	}
	return d.T("done.analysis_save", "Name", x.Name, "Version", x.Version, "Before", x.Version-1)
}

// scriptPage shows a script with its lines numbered.
type scriptPage struct {
	*page
	name string
	busy tui.Busy
	have core.Script
	old  []core.Script
	err  error
}

// scriptRead is what was read.
type scriptRead struct {
	script core.Script
	old    []core.Script
	err    error
}

var (
	_ tui.Screen = (*scriptPage)(nil)
	_ tui.Titled = (*scriptPage)(nil)
	_ tui.Helper = (*scriptPage)(nil)
)

func newScriptPage(env *Env, name string) tui.Screen {
	s := &scriptPage{name: name}
	s.page = &page{env: env, title: func() string { return s.name }, body: s.body, keys: s.keys, do: s.do}
	return s
}

// Init reads the script.
func (s *scriptPage) Init() tea.Cmd {
	ctx, analysis, actor, name := s.env.Ctx, s.env.Portal.Analysis, s.env.Actor(), s.name
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")), func() tea.Msg {
		x, err := analysis.Get(ctx, actor, name, 0)
		if err != nil {
			return scriptRead{err: err}
		}
		old, err := analysis.Versions(ctx, actor, name)
		return scriptRead{x, old, err}
	})
}

// Update takes what was read, what other screens left behind, and keys.
func (s *scriptPage) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch m := msg.(type) {
	case scriptRead:
		s.busy.Stop()
		s.have, s.old, s.err = m.script, m.old, m.err
		return s, nil
	case tui.BackMsg:
		switch r := m.Result.(type) {
		case core.Script:
			return s, tea.Batch(s.Init(), tui.Toast(tui.Good, ScriptSavedText(s.env.Dict, r)))
		case core.Run:
			return s, tui.Push(newRunPage(s.env, r.ID))
		case retiredScript:
			return s, tea.Batch(s.Init(), tui.Toast(tui.Good, s.env.T("done.analysis_retire", "Name", s.name)))
		}
		return s, nil
	case tea.KeyPressMsg:
		_, cmd := s.page.Update(m)
		return s, cmd
	}
	return s, s.busy.Handle(msg)
}

// retiredScript is left behind when a script can be chosen no more.
type retiredScript struct{}

func (s *scriptPage) keys() []key.Binding {
	e := s.env
	if s.have.Name == "" || !e.may(core.OpAnalysis) {
		return nil
	}
	var out []key.Binding
	if !e.Caps.Lines {
		out = append(out, e.bind("e", "analysis.key_edit"))
	}
	out = append(out, e.bind("t", "analysis.key_try"))
	if s.have.Retired.IsZero() && !s.have.InUse {
		out = append(out, e.bind("x", "analysis.key_retire"))
	}
	return out
}

func (s *scriptPage) do(k string) tea.Cmd {
	if s.have.Name == "" || !s.env.may(core.OpAnalysis) {
		return nil
	}
	switch {
	case k == "e" && !s.env.Caps.Lines:
		return tui.Push(newEditor(s.env, s.have))
	case k == "t":
		return tui.Push(newDryRun(s.env, core.DryInput{Name: s.have.Name}))
	case k == "x" && s.have.Retired.IsZero() && !s.have.InUse:
		return tui.Push(s.retire())
	}
	return nil
}

func (s *scriptPage) retire() tui.Screen {
	e, name := s.env, s.name
	analysis, actor := e.Portal.Analysis, e.Actor()
	f := &deedForm{env: e, why: "analysis.why_proof", title: func() string { return e.T("analysis.key_retire") }}
	f.do = func() func(context.Context) (any, error) {
		return func(ctx context.Context) (any, error) { return retiredScript{}, analysis.Retire(ctx, actor, name) }
	}
	return newDeedForm(f, func() tui.FormSpec {
		return tui.FormSpec{Pages: []tui.Page{{Fields: []tui.Field{tui.Note{Text: e.T("analysis.retire_text", "Name", name)}}}},
			Submit: e.T("analysis.key_retire"), Busy: e.T("requests.busy"), Danger: true}
	})
}

// newDryRun asks on whom a script is to be tried out. It leaves the run behind.
func newDryRun(env *Env, in core.DryInput) tui.Screen {
	analysis, actor := env.Portal.Analysis, env.Actor()
	var user string
	f := &deedForm{env: env, why: "analysis.why_proof", title: func() string { return env.T("analysis.try_title") }}
	f.do = func() func(context.Context) (any, error) {
		in := in
		in.User = strings.TrimSpace(user)
		return func(ctx context.Context) (any, error) { return analysis.DryRun(ctx, actor, in) }
	}
	return newDeedForm(f, func() tui.FormSpec {
		return tui.FormSpec{Pages: []tui.Page{{Text: env.T("analysis.try_text"), Fields: []tui.Field{
			tui.Text{Key: "user", Label: env.T("people.user"), Value: &user, Hint: env.T("roles.user_hint")},
		}}}, Submit: env.T("analysis.key_try"), Busy: env.T("analysis.trying")}
	})
}

func (s *scriptPage) body(width int) string {
	e, t := s.env, s.env.Theme
	switch {
	case s.err != nil:
		return e.failure(s.err, width)
	case s.have.Name == "":
		return s.busy.View(t)
	}
	facts := []tui.Fact{{Name: e.T("agreements.version"), Value: strconv.Itoa(s.have.Version)}}
	for _, v := range s.old {
		who := orDash(text.Escape(v.ByName))
		if v.By == core.ActorConsole {
			who = e.T("activity.console")
		}
		line := e.Dict.DateTime(v.Saved) + ", " + who
		if v.Reason != "" {
			line += ": " + text.Escape(v.Reason)
		}
		facts = append(facts, tui.Fact{Name: "  " + strconv.Itoa(v.Version), Value: line})
	}
	return t.Facts(facts, width) + "\n\n" + numberedLines(t, s.have.Source)
}

// numberedLines is a text with its lines numbered.
func numberedLines(t *tui.Theme, source string) string {
	lines := strings.Split(strings.TrimSuffix(source, "\n"), "\n")
	digits := len(strconv.Itoa(len(lines)))
	for i, l := range lines {
		n := strconv.Itoa(i + 1)
		lines[i] = t.Muted.Render(strings.Repeat(" ", digits-len(n))+n) + "  " + text.Escape(strings.ReplaceAll(l, "\t", "    "))
	}
	return strings.Join(lines, "\n")
}

// problemText says what is wrong with a script, at its line.
func problemText(e *Env, p script.Problem) string {
	return e.T("analysis.problem", "Line", p.Line, "Column", p.Column, "Problem", text.Escape(p.Message))
}
