// One request: whose it is, what would be lost, what happened to it, and the
// decision. What was decided elsewhere meanwhile is read again and said.

package screens

import (
	"context"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/core/names"
	"postern/core/text"
	"postern/tui"
)

// requestPage is the page of a request.
type requestPage struct {
	*page
	id      string
	busy    tui.Busy
	have    core.RequestDetail
	read    bool
	now     time.Time
	err     error
	decided bool // something was decided here: the queue is read again
}

// requestRead is what was read.
type requestRead struct {
	detail core.RequestDetail
	now    time.Time
	err    error
}

var (
	_ tui.Screen = (*requestPage)(nil)
	_ tui.Titled = (*requestPage)(nil)
	_ tui.Helper = (*requestPage)(nil)
)

func newRequestPage(env *Env, id string) tui.Screen {
	s := &requestPage{id: id}
	s.page = &page{env: env, title: s.title, body: s.body, keys: s.keys, do: s.do}
	return s
}

// Init reads the request.
func (s *requestPage) Init() tea.Cmd {
	ctx, requests, actor, clock, id := s.env.Ctx, s.env.Portal.Requests, s.env.Actor(), s.env.Clock, s.id
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")), func() tea.Msg {
		d, err := requests.Get(ctx, actor, id)
		return requestRead{d, clock(), err}
	})
}

// Update takes what was read, what forms left behind, and keys.
func (s *requestPage) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch m := msg.(type) {
	case requestRead:
		s.busy.Stop()
		if s.err = m.err; m.err == nil {
			s.have, s.now, s.read = m.detail, m.now, true
		}
		return s, nil
	case tui.BackMsg:
		if r, ok := m.Result.(core.Request); ok {
			s.decided = true
			return s, tea.Batch(s.Init(), tui.Toast(tui.Good, s.env.T("deletion.did."+string(r.State))))
		}
		return s, s.Init() // it may have been decided elsewhere
	case tea.KeyPressMsg:
		if m.String() == "esc" && s.decided {
			return s, tui.PopWith(requestDecided{s.have.Request})
		}
		_, cmd := s.page.Update(m)
		return s, cmd
	}
	return s, s.busy.Handle(msg)
}

func (s *requestPage) title() string {
	if !s.read {
		return s.env.T("requests.title")
	}
	return RequestWho(s.env.Dict, s.have.Request)
}

// decision is an act on a request, with its key.
type decision struct {
	key, word string // the word's place in the dictionary: "requests.act." + word
	must      bool   // a reason must be given
	plain     bool   // no reason is asked for
	now       bool   // it cannot be taken back: the user name is typed
	do        func(ctx context.Context, actor core.Actor, id string, typed ruling) (core.Request, error)
}

// ruling is what was typed about a decision.
type ruling struct{ reason, name string }

// because fits an act that takes a reason alone.
func because(act func(ctx context.Context, actor core.Actor, id, reason string) (core.Request, error)) func(context.Context, core.Actor, string, ruling) (core.Request, error) {
	return func(ctx context.Context, actor core.Actor, id string, typed ruling) (core.Request, error) {
		return act(ctx, actor, id, typed.reason)
	}
}

// decisions are those that can be taken now.
func (s *requestPage) decisions() []decision {
	r, requests := s.have.Request, s.env.Portal.Requests
	if !s.read || !r.State.Open() || !s.env.may(core.OpRequests) || r.Account == s.env.Actor().Account {
		return nil
	}
	var out []decision
	if r.State != core.RequestApproved {
		out = append(out, decision{key: "a", word: "approve", now: s.have.GoesBy.IsZero(),
			do: func(ctx context.Context, actor core.Actor, id string, typed ruling) (core.Request, error) {
				return requests.Approve(ctx, actor, id, typed.reason, typed.name)
			}})
	}
	out = append(out, decision{key: "n", word: "refuse", must: true, do: because(requests.Refuse)})
	if r.State != core.RequestHeld {
		out = append(out, decision{key: "p", word: "hold", must: true, do: because(requests.Hold)})
	}
	out = append(out, decision{key: "x", word: "cancel", do: because(requests.Cancel)})
	if r.State != core.RequestApproved {
		out = append(out, decision{key: "m", word: "move", plain: true, now: s.have.Terms.AtOnce(),
			do: func(ctx context.Context, actor core.Actor, id string, typed ruling) (core.Request, error) {
				return requests.Move(ctx, actor, id, typed.name)
			}})
	}
	return out
}

func (s *requestPage) keys() []key.Binding {
	if !s.read {
		return []key.Binding{s.env.bind("r", "page.refresh")}
	}
	var out []key.Binding
	for _, d := range s.decisions() {
		out = append(out, s.env.bind(d.key, "requests.key."+d.word))
	}
	if s.have.Run != "" && s.env.may(core.OpReadAnalysis) {
		out = append(out, s.env.bind("l", "requests.key_run"))
	}
	if s.have.Receipt != nil && s.env.copies() {
		out = append(out, s.env.bind("y", "deletion.key_copy"))
	}
	return append(out, s.env.bind("r", "page.refresh"))
}

func (s *requestPage) do(k string) tea.Cmd {
	if k == "r" {
		return s.Init()
	}
	if k == "l" && s.read && s.have.Run != "" && s.env.may(core.OpReadAnalysis) {
		return tui.Push(newRunPage(s.env, s.have.Run))
	}
	if k == "y" && s.read && s.have.Receipt != nil && s.env.copies() {
		return s.env.copyText(receiptText(*s.have.Receipt), "deletion.copied")
	}
	for _, d := range s.decisions() {
		if d.key == k {
			return tui.Push(s.form(d))
		}
	}
	return nil
}

// form asks for the reason of a decision, and takes it.
func (s *requestPage) form(d decision) tui.Screen {
	e, id := s.env, s.id
	actor, who := e.Actor(), RequestWho(e.Dict, s.have.Request)
	var typed ruling
	due := e.Dict.DateTime(s.have.GoesBy)
	f := &deedForm{env: e, why: "requests.why_proof", title: func() string { return e.T("requests.act." + d.word) }}
	f.do = func() func(context.Context) (any, error) {
		typed := ruling{strings.TrimSpace(typed.reason), strings.TrimSpace(typed.name)}
		return func(ctx context.Context) (any, error) { return d.do(ctx, actor, id, typed) }
	}
	return newDeedForm(f, func() tui.FormSpec {
		words := "requests.text." + d.word
		if d.now {
			words = "requests.text." + d.word + "_now"
		}
		fields := []tui.Field{tui.Note{Text: e.T(words, "Who", who, "Due", due)}}
		if !d.plain {
			fields = append(fields, tui.Text{Key: "reason", Label: e.T("people.reason"), Value: &typed.reason, Limit: core.MaxReason, Optional: !d.must,
				Hint: e.T("people.reason_hint")})
		}
		if d.now {
			fields = append(fields, tui.Text{Key: "user_name", Label: e.T("requests.text.type_name", "Who", who), Value: &typed.name, Limit: names.MaxUserName})
		}
		return tui.FormSpec{Pages: []tui.Page{{Fields: fields}}, Submit: e.T("requests.act." + d.word), Busy: e.T("requests.busy"), Danger: d.word == "approve" || d.now}
	})
}

func (s *requestPage) body(width int) string {
	e, t := s.env, s.env.Theme
	switch {
	case s.err != nil && !s.read:
		return e.failure(s.err, width)
	case !s.read:
		return s.busy.View(t)
	}
	d := s.have
	var parts []string
	if s.err != nil {
		parts = append(parts, t.Bad.Render(t.Signs.No)+" "+hanging(e.Sentence(s.err), width))
	}
	parts = append(parts, tui.Wrap(RequestText(e.Dict, d.Request), width), t.Facts(s.facts(), width), e.requestHistory(d.Request, s.now, width))
	switch {
	case d.Request.State.Open():
		parts = append(parts, e.lossesView("requests.would_go", d.Losses, width))
	case d.Lost != nil:
		parts = append(parts, e.lossesView("requests.has_gone", *d.Lost, width))
	}
	if d.Receipt != nil {
		parts = append(parts, e.receiptView(*d.Receipt, width))
	}
	return strings.Join(parts, "\n\n")
}

// facts are what is known of the request and its account.
func (s *requestPage) facts() []tui.Fact {
	e, d := s.env, s.have
	var out []tui.Fact
	add := func(key, value string) { out = append(out, tui.Fact{Name: e.T(key), Value: value}) }
	if d.DisplayName != "" {
		add("people.name", text.Escape(d.DisplayName))
	}
	if d.Email != "" {
		add("people.email", text.Escape(d.Email))
	}
	if d.State != "" {
		add("people.state", e.stateWord(d.State))
	}
	var roles []core.Role
	for _, g := range d.Roles {
		roles = append(roles, g.Role)
	}
	if len(roles) > 0 {
		add("people.role", e.roleWords(roles))
	}
	add("requests.process", e.T("request.process."+string(d.Process)))
	if d.Script != "" {
		add("requests.script", text.Escape(d.Script))
	}
	add("requests.asked", e.both(d.Created, s.now))
	if !d.Due.IsZero() {
		add("requests.due", e.both(d.Due, s.now))
	}
	add("requests.id", d.ID)
	return out
}
