// Runs of scripts: what was run on whom, and one of them with its output, its
// outcome, and what became of what it asked for.

package screens

import (
	"context"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/core/names"
	"postern/core/script"
	"postern/core/text"
	"postern/tui"
)

// runList lists runs.
type runList struct {
	listing
	env   *Env
	busy  tui.Busy
	pages paged[core.Run]
}

var (
	_ tui.Screen   = (*runList)(nil)
	_ tui.Titled   = (*runList)(nil)
	_ tui.Helper   = (*runList)(nil)
	_ tui.Typer    = (*runList)(nil)
	_ tui.Cursored = (*runList)(nil)
	_ tui.Mouser   = (*runList)(nil)
	_ tui.Numbered = (*runList)(nil)
)

// NewRuns returns the list.
func NewRuns(env *Env) tui.Screen {
	s := &runList{env: env}
	s.pages.id = func(r core.Run) string { return r.ID }
	s.table = tui.NewTable(env.Session, s.columns)
	s.table.Empty = func() string { return env.T("analysis.no_runs") }
	s.table.Open = func(r tui.Row) tea.Cmd { return tui.Push(newRunPage(env, r.ID)) }
	return s
}

// Init reads the first page.
func (s *runList) Init() tea.Cmd { return s.fetch("") }

func (s *runList) fetch(after string) tea.Cmd {
	w, ok := s.pages.want(after)
	if !ok {
		return nil
	}
	ctx, analysis, actor, clock := s.env.Ctx, s.env.Portal.Analysis, s.env.Actor(), s.env.Clock
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")), func() tea.Msg {
		p, err := analysis.Runs(ctx, actor, "", w.after, listPage)
		return pageRead[core.Run]{w, p.Runs, p.Next, clock(), err}
	})
}

// Update takes pages, and keys.
func (s *runList) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case pageRead[core.Run]:
		return s, s.pages.arrived(msg, &s.busy, s.table, s.fill, s.fetch)
	case tui.BackMsg:
		s.pages.anew() // one may have been resolved
		return s, s.fetch("")
	case tui.RestyleMsg:
		s.table.Handle(msg)
		s.fill()
		return s, nil
	case tea.KeyPressMsg, tea.PasteMsg, tea.MouseMsg:
		return s, s.pages.input(s.table, msg, s.fetch, s.key)
	}
	return s, s.busy.Handle(msg)
}

func (s *runList) key(k string) tea.Cmd {
	switch k {
	case "esc":
		return tui.Pop()
	case "r":
		s.pages.anew()
		return s.fetch("")
	}
	return nil
}

func (s *runList) columns() []tui.Column {
	e := s.env
	return []tui.Column{
		{Title: e.T("requests.script"), Min: 10, Max: 32}, {Title: e.T("requests.who"), Min: 8, Max: 24},
		{Title: e.T("analysis.ended"), Min: 14, Max: 28}, {Title: e.T("analysis.began"), Min: 10, Max: 16, Spare: true},
	}
}

func (s *runList) fill() {
	rows := make([]tui.Row, len(s.pages.list))
	for i, r := range s.pages.list {
		rows[i] = tui.Row{ID: r.ID, Cells: []string{text.Escape(r.Script), orDash(text.Escape(r.User)), s.env.runEnded(r), s.env.Dict.Relative(r.Began, s.pages.now)}}
	}
	s.table.SetRows(rows)
	s.drawn.forget()
}

// runEnded says what a run has decided, or how it ended.
func (e *Env) runEnded(r core.Run) string {
	said := e.T("analysis.state." + string(r.State))
	switch {
	case r.State != core.RunDone:
	case r.Outcome != script.Decided && r.Resolved.IsZero():
		said = e.T("analysis.outcome." + string(r.Outcome))
	default:
		said = e.T("analysis.verdict." + string(r.Verdict))
	}
	if r.Dry {
		said += ", " + e.T("analysis.dry")
	}
	return said
}

// View is the table and, under it, how much of the list it holds.
func (s *runList) View() string {
	p := &s.pages
	if said, unread := p.unread(s.env, &s.busy, s.w); unread {
		return said
	}
	return withFoot(s.table.View(), p.foot(s.env, &s.busy, "", s.w), s.h)
}

// Title names the page.
func (s *runList) Title() string { return s.env.T("analysis.runs") }

// Help returns the keys that work now.
func (s *runList) Help() []key.Binding {
	if s.table.Typing() {
		return s.table.Help()
	}
	if !s.pages.read {
		return s.env.waitingKeys(s.pages.err)
	}
	return append(s.table.Help(), s.env.bind("r", "page.refresh"), s.env.bind("esc", "key.back"))
}

// runPage shows one run.
type runPage struct {
	*page
	id   string
	busy tui.Busy
	have core.RunDetail
	now  time.Time
	err  error
}

// runRead is what was read.
type runRead struct {
	detail core.RunDetail
	now    time.Time
	err    error
}

var (
	_ tui.Screen = (*runPage)(nil)
	_ tui.Titled = (*runPage)(nil)
	_ tui.Helper = (*runPage)(nil)
)

func newRunPage(env *Env, id string) tui.Screen {
	s := &runPage{id: id}
	s.page = &page{env: env, title: func() string { return env.T("analysis.run_title") }, body: s.body, keys: s.keys, do: s.do}
	return s
}

// Init reads the run.
func (s *runPage) Init() tea.Cmd {
	ctx, analysis, actor, clock, id := s.env.Ctx, s.env.Portal.Analysis, s.env.Actor(), s.env.Clock, s.id
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")), func() tea.Msg {
		d, err := analysis.Show(ctx, actor, id)
		return runRead{d, clock(), err}
	})
}

// Update takes the run, and keys.
func (s *runPage) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch m := msg.(type) {
	case runRead:
		s.busy.Stop()
		s.have, s.now, s.err = m.detail, m.now, m.err
		return s, nil
	case tui.BackMsg:
		return s, s.Init()
	case tea.KeyPressMsg:
		_, cmd := s.page.Update(m)
		return s, cmd
	}
	return s, s.busy.Handle(msg)
}

// unknown says whether somebody has to say what the run meant.
func (s *runPage) unknown() bool {
	return s.have.State == core.RunUnknown && s.env.may(core.OpAnalysis)
}

func (s *runPage) keys() []key.Binding {
	if s.unknown() {
		return []key.Binding{s.env.bind("a", "analysis.verdict.approve"), s.env.bind("n", "analysis.verdict.reject"), s.env.bind("p", "analysis.verdict.hold")}
	}
	return nil
}

func (s *runPage) do(k string) tea.Cmd {
	verdict, known := map[string]script.Verdict{"a": script.Approve, "n": script.Reject, "p": script.Hold}[k]
	if !known || !s.unknown() {
		return nil
	}
	e, id := s.env, s.id
	analysis, actor := e.Portal.Analysis, e.Actor()
	var reason, name string
	now := verdict == script.Approve && s.have.AtOnce
	who := text.Escape(s.have.User)
	f := &deedForm{env: e, why: "analysis.why_proof", title: func() string { return e.T("analysis.verdict." + string(verdict)) }}
	f.do = func() func(context.Context) (any, error) {
		reason, name := strings.TrimSpace(reason), strings.TrimSpace(name)
		return func(ctx context.Context) (any, error) { return analysis.Resolve(ctx, actor, id, verdict, reason, name) }
	}
	return tui.Push(newDeedForm(f, func() tui.FormSpec {
		fields := []tui.Field{
			tui.Text{Key: "reason", Label: e.T("people.reason"), Value: &reason, Limit: core.MaxReason, Hint: e.T("people.reason_hint")},
		}
		if now {
			fields = append([]tui.Field{tui.Note{Text: e.T("requests.text.approve_now", "Who", who)}}, fields...)
			fields = append(fields, tui.Text{Key: "user_name", Label: e.T("requests.text.type_name", "Who", who), Value: &name, Limit: names.MaxUserName})
		}
		return tui.FormSpec{Pages: []tui.Page{{Text: e.T("analysis.resolve_text"), Fields: fields}},
			Submit: e.T("analysis.verdict." + string(verdict)), Busy: e.T("requests.busy"), Danger: true}
	}))
}

func (s *runPage) body(width int) string {
	e, t := s.env, s.env.Theme
	switch {
	case s.err != nil:
		return e.failure(s.err, width)
	case s.have.ID == "":
		return s.busy.View(t)
	}
	return e.runView(s.have, s.now, width)
}

// runView is a run in full.
func (e *Env) runView(d core.RunDetail, now time.Time, width int) string {
	t := e.Theme
	var facts []tui.Fact
	add := func(key, value string) {
		if value != "" {
			facts = append(facts, tui.Fact{Name: e.T(key), Value: value})
		}
	}
	add("requests.script", text.Escape(d.Script))
	add("requests.who", text.Escape(d.User))
	add("analysis.began", e.both(d.Began, now))
	add("analysis.ended", e.runEnded(d.Run))
	add("people.reason", text.Escape(d.Reason))
	if d.Detail != "" {
		add("analysis.wrong", problemText(e, script.Problem{Line: d.Line, Column: 1, Message: d.Detail}))
	}
	out := t.Facts(facts, width)
	var lines []string
	for _, f := range d.Effects {
		lines = append(lines, hanging(e.T("analysis.effect."+string(f.Kind), "To", text.Escape(f.To+f.URL), "Text", text.Escape(f.Text+f.Body)), width))
	}
	for _, p := range d.Posts {
		lines = append(lines, hanging(e.T("analysis.post", "ID", p.ID, "URL", text.Escape(p.URL), "State", e.T("analysis.post_state."+string(p.State))), width))
	}
	if len(lines) > 0 {
		out += "\n\n" + strings.Join(lines, "\n")
	}
	if d.Log != "" {
		out += "\n\n" + t.Heading.Render(e.T("analysis.output")) + "\n" + numberedLines(t, d.Log)
	}
	return out
}
