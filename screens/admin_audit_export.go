// Handing the trail over as a file, at the local door; from elsewhere the verb
// does it, and this page says how.

package screens

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/core/text"
	"postern/tui"
)

// auditExport asks for a format and a name, and then shows how far the export is.
type auditExport struct {
	*tui.Form
	env          *Env
	ask          auditAsk
	format, name string
	proved       bool // with a proof beside it

	stop  context.CancelFunc // of the export under way; nil when there is none
	steps chan exportStep
	at    exportStep
	w     int
}

// exportStep is how far an export is.
type exportStep struct {
	done  int
	share float64
}

// exported is the end of one.
type exported struct {
	n    int
	path string
	err  error
}

// auditSaved is what the screen leaves behind when a file was written.
type auditSaved struct{ said string }

var (
	_ tui.Screen   = (*auditExport)(nil)
	_ tui.Titled   = (*auditExport)(nil)
	_ tui.Helper   = (*auditExport)(nil)
	_ tui.Typer    = (*auditExport)(nil)
	_ tui.Cursored = (*auditExport)(nil)
	_ tui.Asking   = (*auditExport)(nil)
)

// newAuditExport returns the form for what is asked for; where no file can be
// written, a page that says how to get one.
func newAuditExport(env *Env, ask auditAsk) tui.Screen {
	if env.Door.Create == nil {
		return &page{env: env, title: func() string { return env.T("audit.export_title") }, body: func(width int) string {
			return tui.Wrap(env.T("audit.export_verb"), width) + "\n\n  " + env.Theme.Accent.Render(ansiWrap(exportVerb(env, ask), width-2))
		}}
	}
	s := &auditExport{env: env, ask: ask, format: core.AuditCSV, name: "trail.csv"}
	s.Form = tui.NewForm(env.Session, s.spec)
	return s
}

// ansiWrap breaks a command where it is too long for the page, and indents what follows.
func ansiWrap(command string, width int) string {
	return strings.ReplaceAll(tui.Wrap(command, width), "\n", "\n  ")
}

// exportVerb is the command that exports what is asked for.
func exportVerb(e *Env, ask auditAsk) string {
	reach := e.Door.Reach
	if reach == "" {
		reach = "ssh " + e.T("audit.host")
	}
	out := reach + " audit export --format csv"
	for _, f := range [][2]string{
		{"from", ask.from}, {"to", ask.to}, {"actor", ask.actor}, {"about", ask.about}, {"action", ask.action},
		{"target", ask.target}, {"outcome", ask.outcome}, {"address", ask.address},
	} {
		if f[1] != "" {
			out += " --" + f[0] + "=" + shellWord(text.Escape(f[1]))
		}
	}
	return out + " > trail.csv"
}

// shellWord quotes a value for a shell; over SSH there are two to get through,
// and the verb's own reading of quotes takes the second's part.
func shellWord(s string) string {
	plain := strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-:/@", r))
	}) < 0
	if plain {
		return s
	}
	return `"'` + strings.NewReplacer(`'`, ``, `"`, ``, "`", ``, `$`, ``, `\`, ``).Replace(s) + `'"`
}

// Asking returns the form, or nil while a file is written.
func (s *auditExport) Asking() *tui.Form {
	if s.stop != nil {
		return nil
	}
	return s.Form
}

func (s *auditExport) spec() tui.FormSpec {
	e := s.env
	var formats []tui.Option
	for _, f := range []string{core.AuditCSV, core.AuditJSONL} {
		formats = append(formats, tui.Option{Value: f, Label: e.T("audit.format." + f), Note: e.T("audit.format_note." + f)})
	}
	what := e.T("audit.everything")
	if parts := s.ask.said(e); len(parts) > 0 {
		what = e.Dict.List(parts)
	}
	fields := []tui.Field{tui.Choice{Key: "format", Label: e.T("audit.format_label"), Value: &s.format, Options: formats}}
	if e.may(core.OpReadAccounts) { // a proof shows all that there is of an entry
		fields = append(fields, tui.Toggle{Key: "proof", Label: e.T("audit.proof"), Value: &s.proved, Below: func(width int) string {
			return e.Theme.Muted.Render(tui.Wrap(e.T("audit.proof_note"), width))
		}})
	}
	fields = append(fields, tui.Text{Key: "file", Label: e.T("audit.file"), Value: &s.name, Limit: 64})
	return tui.FormSpec{
		Pages:  []tui.Page{{Text: e.T("audit.export_text", "What", what), Fields: fields}},
		Submit: e.T("audit.export_submit"), Do: s.begin,
		Changed: func(field string) tea.Cmd {
			if base, ok := strings.CutSuffix(s.name, "."+otherFormat(s.format)); field == "format" && ok {
				s.name = base + "." + s.format
				s.Refresh()
			}
			return nil
		},
	}
}

func otherFormat(format string) string {
	if format == core.AuditCSV {
		return core.AuditJSONL
	}
	return core.AuditCSV
}

// begin starts the export: one command writes, another waits for how far it is.
func (s *auditExport) begin() tea.Cmd {
	ctx, cancel := context.WithCancel(s.env.Ctx)
	steps := make(chan exportStep, 1)
	s.stop, s.steps, s.at = cancel, steps, exportStep{}
	audit, actor, clock, zone := s.env.Portal.Audit, s.env.Actor(), s.env.Clock, s.env.Dict.Zone()
	ask, format, name, proved, create := s.ask, s.format, s.name, s.proved, s.env.Door.Create
	write := func() (out exported) {
		defer close(steps)
		defer cancel()
		q, err := ask.query(clock(), zone)
		if err != nil {
			return exported{err: err}
		}
		file, err := create(name)
		if err != nil {
			return exported{path: name, err: err}
		}
		defer file.Drop()
		tell := func(done int, share float64) {
			select {
			case <-steps: // what nobody has looked at yet is old
			default:
			}
			steps <- exportStep{done, share}
		}
		if !proved {
			out.n, out.err = audit.Export(ctx, actor, q, format, file, tell)
		} else {
			out.n, out.err = exportProved(create, name+".proof", func(proof io.Writer) (int, error) {
				return audit.ExportProved(ctx, actor, q, format, file, proof, tell)
			})
		}
		if out.err == nil {
			out.path, out.err = file.Keep()
		}
		return out
	}
	return tea.Batch(func() tea.Msg { return write() }, s.wait())
}

// exportProved writes an export with its proof, which is kept before it.
func exportProved(create func(name string) (Saving, error), name string, export func(proof io.Writer) (int, error)) (n int, err error) {
	proof, err := create(name)
	if err != nil {
		return 0, err
	}
	defer proof.Drop()
	if n, err = export(proof); err != nil {
		return n, err
	}
	_, err = proof.Keep()
	return n, err
}

// wait returns the command that waits until the export is further.
func (s *auditExport) wait() tea.Cmd {
	steps := s.steps
	return func() tea.Msg {
		if at, open := <-steps; open {
			return at
		}
		return nil
	}
}

// Update takes how far it is, and its end.
func (s *auditExport) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch m := msg.(type) {
	case exportStep:
		s.at = m
		return s, s.wait()
	case exported:
		s.stop = nil
		return s, s.ended(m)
	case tui.BackMsg:
		if isProved(m) {
			s.Release()
			return s, s.begin()
		}
		s.Release()
		return s, nil
	case tea.KeyPressMsg:
		if s.stop != nil {
			if m.String() == "esc" {
				s.stop()
			}
			return s, nil
		}
	}
	return s, s.Handle(msg)
}

// ended says what came of it.
func (s *auditExport) ended(m exported) tea.Cmd {
	e := s.env
	var at *fs.PathError
	switch code := core.CodeOf(m.err); {
	case m.err == nil:
		return tui.PopWith(auditSaved{e.T("audit.saved", "Count", m.n, "Path", text.Escape(m.path))})
	case code == core.CodeStepUp:
		return tui.Push(newStepUp(e, "audit.why_step_up"))
	case code == core.CodeUnavailable && errors.Is(m.err, context.Canceled):
		s.Refuse(tui.Refusal{Text: e.T("audit.stopped")})
	case errors.Is(m.err, fs.ErrExist):
		s.Refuse(tui.Refusal{Field: "file", Text: e.T("audit.file_exists")})
	case errors.Is(m.err, fs.ErrInvalid):
		s.Refuse(tui.Refusal{Field: "file", Text: e.T("audit.file_name")})
	case code == core.CodeNotWritten || errors.As(m.err, &at):
		s.Refuse(tui.Refusal{Text: e.T("error.not_written")})
	default:
		s.Refuse(refusalOf(e, m.err))
	}
	return nil
}

// SetSize takes the room of the screen.
func (s *auditExport) SetSize(w, h int) {
	s.w = w
	s.Form.SetSize(w, h)
}

// View is the form, or how far the export is.
func (s *auditExport) View() string {
	if s.stop == nil {
		return s.Form.View()
	}
	e := s.env
	said := e.T("audit.written", "Count", s.at.done, "Percent", int(s.at.share*100))
	return tui.Wrap(e.T("audit.exporting"), s.w) + "\n\n" +
		e.Theme.Bar(int64(s.at.share*1000), 1000, min(s.w, 30)) + "  " + e.Theme.Text.Render(said)
}

// Title is the screen's.
func (s *auditExport) Title() string { return s.env.T("audit.export_title") }

// Typing says whether keys are text now.
func (s *auditExport) Typing() bool { return s.stop == nil && s.Form.Typing() }

// Cursor stands in the field.
func (s *auditExport) Cursor() *tea.Cursor {
	if s.stop != nil {
		return nil
	}
	return s.Form.Cursor()
}

// Help returns the keys that work now.
func (s *auditExport) Help() []key.Binding {
	if s.stop != nil {
		return []key.Binding{s.env.bind("esc", "audit.key_stop")}
	}
	return s.Form.Help()
}
