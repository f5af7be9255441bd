// The agreements, for those who publish them: which are in force, in which
// version, and how many have accepted that.

package screens

import (
	"context"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/core/text"
	"postern/tui"
)

// agreementList lists agreements, those that were withdrawn too.
type agreementList struct {
	listing
	env   *Env
	busy  tui.Busy
	pages paged[core.AgreementStatus]
	again string // what is withdrawn again after a proof
}

// agreementWithdrawn is what came of withdrawing.
type agreementWithdrawn struct {
	id  string
	err error
}

// agreementPublished is what the form leaves behind when it was published.
type agreementPublished struct{ agreement core.Agreement }

var (
	_ tui.Screen   = (*agreementList)(nil)
	_ tui.Titled   = (*agreementList)(nil)
	_ tui.Helper   = (*agreementList)(nil)
	_ tui.Typer    = (*agreementList)(nil)
	_ tui.Cursored = (*agreementList)(nil)
	_ tui.Mouser   = (*agreementList)(nil)
	_ tui.Numbered = (*agreementList)(nil)
)

// NewAgreements returns the screen.
func NewAgreements(env *Env) tui.Screen {
	s := &agreementList{env: env}
	s.pages.id = func(a core.AgreementStatus) string { return a.ID }
	s.table = tui.NewTable(env.Session, s.columns)
	s.table.Empty = func() string { return env.T("agreements.empty") }
	s.table.Detail = s.drawn.once(s.detail)
	s.table.Open = func(r tui.Row) tea.Cmd { return tui.Push(newAgreementPage(s, r.ID)) }
	return s
}

// Init reads the first page.
func (s *agreementList) Init() tea.Cmd { return s.fetch("") }

func (s *agreementList) fetch(after string) tea.Cmd {
	w, ok := s.pages.want(after)
	if !ok {
		return nil
	}
	ctx, agreements, actor, clock := s.env.Ctx, s.env.Portal.Agreements, s.env.Actor(), s.env.Clock
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")), func() tea.Msg {
		list, next, err := agreements.List(ctx, actor, w.after, listPage)
		return pageRead[core.AgreementStatus]{w, list, next, clock(), err}
	})
}

// Update takes pages, what other screens left behind, and keys.
func (s *agreementList) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case pageRead[core.AgreementStatus]:
		return s, s.pages.arrived(msg, &s.busy, s.table, s.fill, s.fetch)
	case agreementWithdrawn:
		return s, s.withdrawn(msg)
	case tui.BackMsg:
		return s, s.back(msg)
	case tui.RestyleMsg:
		s.table.Handle(msg)
		s.fill()
		return s, nil
	case tea.KeyPressMsg, tea.PasteMsg, tea.MouseMsg:
		return s, s.pages.input(s.table, msg, s.fetch, s.key)
	}
	return s, s.busy.Handle(msg)
}

// anew reads the list from its beginning.
func (s *agreementList) anew() tea.Cmd {
	s.pages.anew()
	return s.fetch("")
}

func (s *agreementList) back(msg tui.BackMsg) tea.Cmd {
	switch m := msg.Result.(type) {
	case agreementPublished:
		return tea.Batch(s.anew(), tui.Toast(tui.Good, s.env.T("agreements.published", "Name", s.env.agreementName(m.agreement))))
	case tui.Confirmed:
		if done, ok := m.Result.(agreementWithdrawn); ok {
			return s.withdrawn(done)
		}
	case proved:
		return s.withdraw(s.again)
	}
	return nil
}

// manages says whether the person may publish. The core decides anew.
func (s *agreementList) manages() bool { return s.env.may(core.OpAgreements) }

func (s *agreementList) key(k string) tea.Cmd {
	r, marked := s.table.Selected()
	switch {
	case k == "esc":
		return tui.Pop()
	case k == "r":
		return s.anew()
	case !s.manages():
	case k == "n":
		return tui.Push(newPublish(s.env, core.Agreement{Mandatory: true}))
	case k == "v" && marked:
		return tui.Push(newPublishVersion(s.env, r.ID))
	case k == "x" && marked:
		return s.askWithdraw(r.ID)
	}
	return nil
}

// askWithdraw opens the dialog; the name must be typed.
func (s *agreementList) askWithdraw(id string) tea.Cmd {
	e := s.env
	a, ok := s.pages.find(id)
	if !ok || !a.Withdrawn.IsZero() {
		return tui.Toast(tui.Info, e.T("agreements.was_withdrawn"))
	}
	name, accepted := text.Escape(a.Name), a.Accepted
	withdraw, words := s.withdraw(id), e.Dict
	return tui.Push(tui.NewConfirm(e.Session, func() tui.ConfirmSpec {
		return tui.ConfirmSpec{
			Title: e.T("agreements.withdraw_title"), Text: e.T("agreements.withdraw_text", "Name", name, "Count", accepted),
			Name: name, Yes: e.T("agreements.withdraw_yes"), Do: func() tea.Cmd { return inDialog(withdraw, words) },
		}
	}))
}

// withdraw returns the command that has an agreement asked of nobody.
func (s *agreementList) withdraw(id string) tea.Cmd {
	ctx, agreements, actor := s.env.Ctx, s.env.Portal.Agreements, s.env.Actor()
	return func() tea.Msg { return agreementWithdrawn{id, agreements.Withdraw(ctx, actor, id)} }
}

func (s *agreementList) withdrawn(m agreementWithdrawn) tea.Cmd {
	switch core.CodeOf(m.err) {
	case "":
		return tea.Batch(s.anew(), tui.Toast(tui.Good, s.env.T("agreements.withdrawn")))
	case core.CodeStepUp:
		s.again = m.id
		return tui.Push(newStepUp(s.env, "legal.why_proof"))
	case core.CodeConflict, core.CodeNotFound:
		return tea.Batch(s.anew(), tui.Toast(tui.Info, s.env.T("agreements.was_withdrawn")))
	}
	return tui.Toast(tui.Bad, s.env.Sentence(m.err))
}

// View is the table and, under it, how much of the list it holds.
func (s *agreementList) View() string {
	p := &s.pages
	if said, unread := p.unread(s.env, &s.busy, s.w); unread {
		return said
	}
	return withFoot(s.table.View(), p.foot(s.env, &s.busy, "", s.w), s.h)
}

func (s *agreementList) columns() []tui.Column {
	e := s.env
	return []tui.Column{
		{Title: e.T("agreements.name"), Min: 16, Max: 40},
		{Title: e.T("agreements.version"), Min: 7, Max: 8, Right: true},
		{Title: e.T("agreements.state"), Min: 12, Max: 16},
		{Title: e.T("agreements.accepted"), Min: 8, Max: 12, Right: true},
		{Title: e.T("agreements.published_at"), Min: 8, Max: 16, Spare: true},
	}
}

// fill makes the rows anew.
func (s *agreementList) fill() {
	d := s.env.Dict
	rows := make([]tui.Row, len(s.pages.list))
	for i, a := range s.pages.list {
		rows[i] = tui.Row{ID: a.ID, Cells: []string{
			text.Escape(a.Name), d.Number(int64(a.Version)), s.state(a), d.Number(int64(a.Accepted)), d.Relative(a.Published, s.pages.now),
		}}
	}
	s.table.SetRows(rows)
	s.drawn.forget()
}

// state is a sign and a word for where an agreement stands.
func (s *agreementList) state(a core.AgreementStatus) string {
	e := s.env
	switch {
	case !a.Withdrawn.IsZero():
		return e.Theme.Signs.No + " " + e.T("agreements.is_withdrawn")
	case a.Mandatory:
		return e.Theme.Signs.OK + " " + e.T("agreements.mandatory")
	}
	return e.Theme.Signs.OK + " " + e.T("agreements.optional")
}

// facts are everything that is known of an agreement, but its text.
func (s *agreementList) facts(a core.AgreementStatus) []tui.Fact {
	e := s.env
	out := []tui.Fact{{Name: e.T("agreements.accepted"), Value: e.T("agreements.people", "Count", a.Accepted)}}
	add := func(key, value string) { out = append(out, tui.Fact{Name: e.T(key), Value: value}) }
	if !a.Mandatory {
		add("agreements.not_wanted", e.T("agreements.people", "Count", a.Refused))
	}
	if a.Link != "" {
		add("agreements.link", text.Escape(a.Link))
	}
	add("agreements.published_at", e.both(a.Published, s.pages.now))
	if !a.Withdrawn.IsZero() {
		add("agreements.withdrawn_at", e.both(a.Withdrawn, s.pages.now))
	}
	return out
}

// detail says more about the marked agreement.
func (s *agreementList) detail(r tui.Row, width int) string {
	a, ok := s.pages.find(r.ID)
	if !ok {
		return ""
	}
	return s.env.Theme.Facts(s.facts(*a), width)
}

// Title names the page.
func (s *agreementList) Title() string { return s.env.T("agreements.title") }

// Help returns the keys that work now.
func (s *agreementList) Help() []key.Binding {
	e := s.env
	switch {
	case s.table.Typing():
		return s.table.Help()
	case !s.pages.read:
		return e.waitingKeys(s.pages.err)
	}
	var mine []key.Binding
	if s.manages() {
		mine = append(mine, e.bind("n", "agreements.key_new"))
		if len(s.pages.list) > 0 {
			mine = append(mine, e.bind("v", "agreements.key_version"), e.bind("x", "agreements.key_withdraw"))
		}
	}
	out := afterOpen(s.table.Help(), mine...)
	return append(out, e.bind("r", "page.refresh"), e.bind("esc", "key.back"))
}

// agreementPage shows one agreement with its text.
type agreementPage struct {
	*page
	list *agreementList
	id   string
	full core.AgreementStatus
	busy tui.Busy
	err  error
}

var (
	_ tui.Screen = (*agreementPage)(nil)
	_ tui.Titled = (*agreementPage)(nil)
	_ tui.Helper = (*agreementPage)(nil)
)

// newAgreementPage returns the page of an agreement that list has listed.
func newAgreementPage(list *agreementList, id string) tui.Screen {
	s := &agreementPage{list: list, id: id}
	s.page = &page{env: list.env, title: s.title, body: s.body}
	return s
}

// Init reads the text.
func (s *agreementPage) Init() tea.Cmd {
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")), readAgreement(s.env, s.id))
}

// readAgreement returns the command that reads an agreement in full.
func readAgreement(e *Env, id string) tea.Cmd {
	agreements, actor := e.Portal.Agreements, e.Actor()
	return call(e.Ctx, func(ctx context.Context) (core.AgreementStatus, error) { return agreements.Status(ctx, actor, id) })
}

// Update takes the text, and keys.
func (s *agreementPage) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case answer[core.AgreementStatus]:
		s.busy.Stop()
		s.full, s.err = msg.Value, msg.Err
		return s, nil
	case tea.KeyPressMsg:
		_, cmd := s.page.Update(msg)
		return s, cmd
	}
	return s, s.busy.Handle(msg)
}

func (s *agreementPage) title() string {
	if a, ok := s.list.pages.find(s.id); ok {
		return text.Escape(a.Name)
	}
	return s.env.T("agreements.title")
}

func (s *agreementPage) body(width int) string {
	switch {
	case s.err != nil:
		return s.env.failure(s.err, width)
	case s.full.ID == "":
		return s.busy.View(s.env.Theme)
	}
	return strings.Join([]string{s.list.state(s.full), s.env.Theme.Facts(s.list.facts(s.full), width), "", agreementBody(s.env, s.full.Agreement, width)}, "\n")
}
