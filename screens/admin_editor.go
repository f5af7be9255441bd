// The editor of a script: its lines numbered, and what is wrong with it said at
// its line while it is typed.

package screens

import (
	"context"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/core/script"
	"postern/tui"
)

// editorFoot is how many lines stand under the text: a blank one, and what is wrong.
const editorFoot = 3

// editor is the screen.
type editor struct {
	*editing
	from  core.Script // what it began with; no name: a new one
	check tui.Latest[[]script.Problem]
	wrong []script.Problem
}

var (
	_ tui.Screen   = (*editor)(nil)
	_ tui.Titled   = (*editor)(nil)
	_ tui.Helper   = (*editor)(nil)
	_ tui.Typer    = (*editor)(nil)
	_ tui.Cursored = (*editor)(nil)
)

// firstScript is what a new script begins with.
const firstScript = `# request, account, sessions and grants say whom it is about.
if not grants:
    approve()
else:
    hold("holds a role")
`

func newEditor(env *Env, from core.Script) tui.Screen {
	if from.Name == "" {
		from.Source = firstScript
	}
	return &editor{editing: newEditing(env, from.Source, script.MaxSource), from: from}
}

// Init checks what there is.
func (s *editor) Init() tea.Cmd { return s.look() }

// look returns the command that checks what is typed.
func (s *editor) look() tea.Cmd {
	source := script.Normal(s.text())
	return s.check.Ask(func() []script.Problem { return script.Check(source) })
}

// Update takes what is wrong, what other screens left behind, and keys.
func (s *editor) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	if wrong, fresh, mine, next := s.check.Answer(msg); mine {
		if fresh {
			s.wrong = wrong
		}
		return s, next
	}
	switch m := msg.(type) {
	case tui.RestyleMsg:
		s.style()
		return s, nil
	case tui.BackMsg:
		switch r := m.Result.(type) {
		case core.Script:
			return s, tui.PopWith(r)
		case core.Run:
			return s, tui.Push(newRunPage(s.env, r.ID))
		}
		if isDiscarded(m) {
			return s, tui.Pop()
		}
		return s, nil
	case tea.KeyPressMsg:
		switch m.String() {
		case "esc":
			return s, s.leave()
		case "ctrl+s":
			return s, tui.Push(s.saving())
		case "ctrl+t":
			return s, tui.Push(newDryRun(s.env, core.DryInput{Name: s.name(), Source: s.text()}))
		}
	}
	cmd, changed := s.input(msg)
	if changed {
		return s, tea.Batch(cmd, s.look())
	}
	return s, cmd
}

// name is what a run of the unsaved text is called.
func (s *editor) name() string {
	if s.from.Name == "" {
		return "draft"
	}
	return s.from.Name
}

// saving asks for the reason, and for the name of a new one.
func (s *editor) saving() tui.Screen {
	e, from, source := s.env, s.from, s.text()
	analysis, actor := e.Portal.Analysis, e.Actor()
	name, reason := from.Name, ""
	f := &deedForm{env: e, why: "analysis.why_proof", title: func() string { return e.T("analysis.save_title") }}
	f.do = func() func(context.Context) (any, error) {
		in := core.ScriptInput{Name: strings.TrimSpace(name), Source: source, Reason: strings.TrimSpace(reason), From: from.Version, New: from.Name == ""}
		return func(ctx context.Context) (any, error) { return analysis.Save(ctx, actor, in) }
	}
	f.refusal = func(err error) tui.Refusal {
		r := refusalOf(e, err)
		if core.CodeOf(err) == core.CodeTaken {
			r.Text = e.T("analysis.name_taken")
		}
		return r
	}
	return newDeedForm(f, func() tui.FormSpec {
		var fields []tui.Field
		if from.Name == "" {
			fields = append(fields, tui.Text{Key: "name", Label: e.T("analysis.name"), Value: &name, Limit: core.MaxScriptName, Hint: e.T("analysis.name_hint")})
		}
		fields = append(fields, tui.Text{Key: "reason", Label: e.T("people.reason"), Value: &reason, Limit: core.MaxReason, Optional: true, Hint: e.T("people.reason_hint")})
		return tui.FormSpec{Pages: []tui.Page{{Fields: fields}}, Submit: e.T("apps.save"), Busy: e.T("requests.busy")}
	})
}

// SetSize takes the room of the screen.
func (s *editor) SetSize(w, h int) { s.size(w, h-editorFoot) }

// View is the text, and what is wrong with it.
func (s *editor) View() string {
	e, t := s.env, s.env.Theme
	sign, said := t.Good.Render(t.Signs.OK), e.T("done.analysis_check")
	if len(s.wrong) > 0 {
		sign, said = t.Bad.Render(t.Signs.No), problemText(e, s.wrong[0])
	}
	return s.area.View() + "\n\n" + s.foot(sign, said, editorFoot-1)
}

// Title names the screen.
func (s *editor) Title() string {
	if s.from.Name == "" {
		return s.env.T("analysis.new")
	}
	return s.from.Name
}

// Help returns the keys that work now.
func (s *editor) Help() []key.Binding {
	e := s.env
	return []key.Binding{e.bind("ctrl+s", "analysis.key_save"), e.bind("ctrl+t", "analysis.key_try"), e.bind("esc", "key.back")}
}
