// Asking for one's own account to be deleted: what that means here, what would be
// lost, and what became of it. The request can be taken back until the last moment.

package screens

import (
	"context"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// myRequest is the page.
type myRequest struct {
	*page
	busy tui.Busy
	plan core.RequestPlan
	read bool
	err  error
	now  time.Time
	deed *deed // the act that a dialog was opened for
}

// requestPlanRead is what was read.
type requestPlanRead struct {
	plan core.RequestPlan
	now  time.Time
	err  error
}

var (
	_ tui.Screen = (*myRequest)(nil)
	_ tui.Titled = (*myRequest)(nil)
	_ tui.Helper = (*myRequest)(nil)
)

// newMyRequest returns the page.
func newMyRequest(env *Env) tui.Screen {
	s := &myRequest{}
	s.page = &page{env: env, title: func() string { return env.T("deletion.title") }, body: s.body, keys: s.keys, do: s.do}
	return s
}

// Init reads where things stand.
func (s *myRequest) Init() tea.Cmd {
	ctx, requests, actor, clock := s.env.Ctx, s.env.Portal.Requests, s.env.Actor(), s.env.Clock
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")), func() tea.Msg {
		p, err := requests.Plan(ctx, actor)
		return requestPlanRead{p, clock(), err}
	})
}

// Update takes what was read, what dialogs left behind, and keys.
func (s *myRequest) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch m := msg.(type) {
	case requestPlanRead:
		s.busy.Stop()
		if s.err = m.err; m.err == nil {
			s.plan, s.now, s.read = m.plan, m.now, true
		}
		return s, nil
	case deedDone:
		result, done, cmd := s.deed.took(m)
		return s, tea.Batch(cmd, s.after(result, done))
	case tui.BackMsg:
		result, done, cmd := s.deed.back(m)
		if !done {
			cmd = tea.Batch(cmd, s.Init()) // it may have been refused since something is other than it was shown
		}
		return s, tea.Batch(cmd, s.after(result, done))
	case tea.KeyPressMsg:
		_, cmd := s.page.Update(m)
		return s, cmd
	}
	return s, s.busy.Handle(msg)
}

// after goes on when a request was made or taken back.
func (s *myRequest) after(result any, done bool) tea.Cmd {
	if !done {
		return nil
	}
	r := result.(core.Request)
	if r.State == core.RequestDeleted {
		return s.env.gone(r)
	}
	return tea.Batch(s.Init(), tui.Toast(tui.Good, s.env.T("deletion.did."+string(r.State))))
}

func (s *myRequest) keys() []key.Binding {
	if !s.read {
		return []key.Binding{s.env.bind("r", "page.refresh")}
	}
	if _, open := s.plan.Open(); open {
		return []key.Binding{s.env.bind("x", "deletion.key_keep"), s.env.bind("r", "page.refresh")}
	}
	return []key.Binding{s.env.bind("d", "deletion.key_ask"), s.env.bind("r", "page.refresh")}
}

func (s *myRequest) do(k string) tea.Cmd {
	if k == "r" {
		return s.Init()
	}
	if !s.read {
		return nil
	}
	switch r, open := s.plan.Open(); {
	case k == "x" && open:
		return s.askKeep(r)
	case k == "d" && !open:
		return s.ask()
	}
	return nil
}

// ask opens the dialog that asks for the deletion; the user name must be typed.
func (s *myRequest) ask() tea.Cmd {
	e, p := s.env, s.plan
	requests, actor, leaving := e.Portal.Requests, e.Actor(), &e.leaving
	s.deed = &deed{env: e, why: "deletion.why_proof", do: func(ctx context.Context) (any, error) {
		// Where no days of grace are left, the session ends with the account: that
		// must not close the screen which says so.
		leaving.Store(true)
		r, err := requests.MakeAsShown(ctx, actor, p.UserName, p.DeletionTerms)
		if err != nil || r.State != core.RequestDeleted {
			leaving.Store(false)
		}
		return r, err
	}}
	d := s.deed
	return tui.Push(tui.NewConfirm(e.Session, func() tui.ConfirmSpec {
		return tui.ConfirmSpec{
			Title: e.T("deletion.ask_title"), Text: s.becomes(), Name: p.UserName, Yes: e.T("deletion.ask_yes"), Do: d.inDialog,
		}
	}))
}

// askKeep opens the dialog that takes a request back.
func (s *myRequest) askKeep(r core.Request) tea.Cmd {
	e := s.env
	requests, actor := e.Portal.Requests, e.Actor()
	s.deed = &deed{env: e, why: "deletion.why_proof", do: func(ctx context.Context) (any, error) { return requests.Cancel(ctx, actor, r.ID, "") }}
	d := s.deed
	return tui.Push(tui.NewConfirm(e.Session, func() tui.ConfirmSpec {
		return tui.ConfirmSpec{Title: e.T("deletion.keep_title"), Text: e.T("deletion.keep_text"), Yes: e.T("deletion.keep_yes"), Do: d.inDialog}
	}))
}

// becomes says what becomes of a request under the policy.
func (s *myRequest) becomes() string {
	e, p := s.env, s.plan
	if p.AtOnce() {
		return e.T("deletion.becomes.now")
	}
	said := e.T("deletion.becomes." + string(p.Process))
	if p.GraceDays > 0 {
		said += " " + e.T("deletion.grace", "Count", p.GraceDays)
	}
	return said
}

func (s *myRequest) body(width int) string {
	e, t := s.env, s.env.Theme
	switch {
	case s.err != nil && !s.read:
		return e.failure(s.err, width)
	case !s.read:
		return s.busy.View(t)
	}
	var parts []string
	if s.err != nil {
		parts = append(parts, t.Bad.Render(t.Signs.No)+" "+hanging(e.Sentence(s.err), width))
	}
	old := s.plan.Requests
	if r, open := s.plan.Open(); open {
		parts = append(parts, s.stands(r, width), e.requestHistory(r, s.now, width))
		old = old[1:]
	} else {
		parts = append(parts, tui.Wrap(s.becomes(), width), e.lossesView("deletion.lost", s.plan.Losses, width))
	}
	for _, r := range old {
		parts = append(parts, e.requestHistory(r, s.now, width))
	}
	return strings.Join(parts, "\n\n")
}

// stands says where an open request stands, to its person.
func (s *myRequest) stands(r core.Request, width int) string {
	e, t := s.env, s.env.Theme
	said := e.T("deletion.stands."+string(r.State), "Due", e.both(r.Due, s.now))
	return t.Warn.Render(t.Signs.Arrow) + " " + hanging(said, width) + "\n\n" + tui.Wrap(e.T("deletion.back"), width)
}

// Title names the page.
func (s *myRequest) Title() string { return s.page.Title() }

// lossesView lists what goes with an account under a title.
func (e *Env) lossesView(title string, l core.Losses, width int) string {
	lines := []string{e.Theme.Heading.Render(e.T(title))}
	for _, said := range LossesText(e.Dict, l) {
		lines = append(lines, e.Theme.Signs.Bullet+" "+hanging(said, width))
	}
	return strings.Join(lines, "\n")
}

// requestHistory is what happened to a request, a line a step.
func (e *Env) requestHistory(r core.Request, now time.Time, width int) string {
	lines := []string{e.Theme.Heading.Render(e.T("deletion.history", "When", e.Dict.Date(r.Created)))}
	for _, s := range r.History {
		line := e.Dict.DateTime(s.At) + "  " + e.T("request.state."+string(s.State)) + ", " + RequestBy(e.Dict, s, r.Account)
		if why := RequestReason(e.Dict, s); why != "" {
			line += ": " + why
		}
		lines = append(lines, "  "+hanging(line, width))
	}
	return strings.Join(lines, "\n")
}

// gone leaves the session of an account that is no more, and shows its receipt.
func (e *Env) gone(r core.Request) tea.Cmd {
	live, remember := e.live, e.Door.Remember
	e.live = nil
	e.Leave()
	e.leaving.Store(false)
	release := func() tea.Msg {
		if live != nil {
			live.Close()
		}
		if remember != nil {
			_ = remember("") // it opens nothing any more
		}
		return nil
	}
	return tea.Batch(release, tui.Reset(newGoodbye(e, r)))
}
