// Access: what is shared with whoever looks, until when, and which rules that
// brings. An app of one's own is opened from here.

package screens

import (
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/core/text"
	"postern/tui"
)

// access lists what is shared with the account.
type access struct {
	listing
	env    *Env
	busy   tui.Busy
	reads  tui.Latest[accessRead]
	shares paged[core.Share]
	rules  []core.RuleSource
}

// accessRead is what one reading brought.
type accessRead struct {
	shares []core.Share
	rules  []core.RuleSource
	now    time.Time
	err    error
}

var (
	_ tui.Screen   = (*access)(nil)
	_ tui.Titled   = (*access)(nil)
	_ tui.Helper   = (*access)(nil)
	_ tui.Typer    = (*access)(nil)
	_ tui.Cursored = (*access)(nil)
	_ tui.Mouser   = (*access)(nil)
	_ tui.Numbered = (*access)(nil)
)

// NewAccess returns the screen.
func NewAccess(env *Env) tui.Screen {
	s := &access{env: env}
	s.shares.id = func(x core.Share) string { return x.ID }
	s.table = tui.NewTable(env.Session, s.columns)
	s.table.Empty = func() string { return env.T("access.empty") }
	s.table.Detail = s.drawn.once(s.detail)
	s.table.Open = s.open
	return s
}

// Init reads the list.
func (s *access) Init() tea.Cmd { return s.refresh() }

func (s *access) refresh() tea.Cmd {
	ctx, apps, accounts, actor, clock := s.env.Ctx, s.env.Portal.Apps, s.env.Portal.Accounts, s.env.Actor(), s.env.Clock
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")), s.reads.Ask(func() accessRead {
		m := accessRead{now: clock()}
		if m.shares, m.err = apps.Mine(ctx, actor); m.err == nil {
			m.rules, m.err = accounts.Rules(ctx, actor)
		}
		return m
	}))
}

// Update takes readings, what other screens left behind, and keys.
func (s *access) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	if m, fresh, mine, next := s.reads.Answer(msg); mine {
		if fresh {
			s.busy.Stop()
			if s.shares.err = m.err; m.err == nil {
				s.shares.list, s.shares.now, s.shares.read, s.rules = m.shares, m.now, true, m.rules
				s.fill()
			}
		}
		return s, next
	}
	switch msg := msg.(type) {
	case tui.BackMsg:
		return s, s.refresh()
	case tui.RestyleMsg:
		s.table.Handle(msg)
		s.fill()
		return s, nil
	case tea.KeyPressMsg, tea.PasteMsg, tea.MouseMsg:
		cmd, used := s.table.Handle(msg)
		if k, ok := msg.(tea.KeyPressMsg); ok && !used {
			switch k.String() {
			case "esc":
				return s, tui.Pop()
			case "r":
				return s, s.refresh()
			}
		}
		return s, cmd
	}
	return s, s.busy.Handle(msg)
}

// open shows a share in full, or the app itself to its owner.
func (s *access) open(r tui.Row) tea.Cmd {
	x, ok := s.shares.find(r.ID)
	if !ok {
		return nil
	}
	if x.Mine {
		return tui.Push(newAppPage(s.env, x.App))
	}
	e := s.env
	return tui.Push(&page{
		env:   e,
		title: func() string { return text.Escape(x.AppName) },
		body: func(width int) string {
			if x, ok := s.shares.find(r.ID); ok {
				return s.full(*x, width)
			}
			return tui.Wrap(e.T("access.gone"), width)
		},
	})
}

// View is the table and, under it, that it is read.
func (s *access) View() string {
	p := &s.shares
	if said, unread := p.unread(s.env, &s.busy, s.w); unread {
		return said
	}
	said := ""
	if n := len(p.list); n > 0 {
		said = s.env.T("access.count", "Count", n)
	}
	return withFoot(s.table.View(), p.foot(s.env, &s.busy, said, s.w), s.h)
}

func (s *access) columns() []tui.Column {
	e := s.env
	return []tui.Column{
		{Title: e.T("access.app"), Min: 10, Max: core.MaxAppName},
		{Title: e.T("apps.role"), Min: 8, Max: 24},
		{Title: e.T("apps.state"), Min: 10, Max: 20},
		{Title: e.T("apps.ends"), Min: 8, Max: 20},
		{Title: e.T("access.rules"), Min: 8, Max: 24, Spare: true},
	}
}

// rulesOf are the rules that one app brings.
func (s *access) rulesOf(x core.Share) []core.RuleSource {
	var out []core.RuleSource
	for _, r := range s.rules {
		if r.From == x.AppName {
			out = append(out, r)
		}
	}
	return out
}

// fill makes the rows anew.
func (s *access) fill() {
	e, now := s.env, s.shares.now
	rows := make([]tui.Row, len(s.shares.list))
	for i, x := range s.shares.list {
		ends, rules := e.T("apps.for_good"), "-"
		if !x.Until.IsZero() {
			ends = e.Dict.Relative(x.Until, now)
		}
		if n := len(s.rulesOf(x)); n > 0 {
			rules = e.T("access.brings", "Count", n)
		}
		rows[i] = tui.Row{ID: x.ID, Cells: []string{text.Escape(x.AppName), e.appRole(x), e.shareState(x.State), ends, rules}}
	}
	s.table.SetRows(rows)
	s.drawn.forget()
}

// ruleLines say which rules an app brings.
func (s *access) ruleLines(x core.Share, width int) string {
	e, rules := s.env, s.rulesOf(x)
	if len(rules) == 0 {
		return e.Theme.Muted.Render(tui.Wrap(e.T("access.no_rules"), width))
	}
	var facts []tui.Fact
	for _, r := range rules {
		facts = append(facts, tui.Fact{Name: e.ruleTitle(r.Path), Value: e.settingValue(settingByPath(r.Path), r.Value)})
	}
	return e.Theme.Heading.Render(e.T("access.rules_heading")) + "\n" + e.Theme.Facts(facts, width)
}

// full is a share with its rules.
func (s *access) full(x core.Share, width int) string {
	e := s.env
	parts := []string{}
	if x.AppNote != "" {
		parts = append(parts, tui.Wrap(text.Escape(x.AppNote), width))
	}
	parts = append(parts, e.Theme.Facts(e.shareFacts(x, &s.shares), width), s.ruleLines(x, width))
	return strings.Join(parts, "\n\n")
}

func (s *access) detail(r tui.Row, width int) string {
	x, ok := s.shares.find(r.ID)
	if !ok {
		return ""
	}
	if s.w < tui.DetailWidth {
		return s.ruleLines(*x, width)
	}
	return s.full(*x, width)
}

// Title names the page.
func (s *access) Title() string { return s.env.T("access.title") }

// Help returns the keys that work now.
func (s *access) Help() []key.Binding {
	e := s.env
	switch {
	case s.table.Typing():
		return s.table.Help()
	case !s.shares.read:
		return e.waitingKeys(s.shares.err)
	}
	return append(s.table.Help(), e.bind("r", "page.refresh"), e.bind("esc", "key.back"))
}

// ruleNotes says which of some rules come from apps and not from the portal, a line
// each, for the screens that obey them; "" when none does.
func (e *Env) ruleNotes(rules []core.RuleSource, section string, width int) string {
	var lines []string
	for _, r := range rules {
		if r.From == "" || !strings.HasPrefix(r.Path, section+".") {
			continue
		}
		lines = append(lines, tui.Wrap(e.T("access.from_app", "Rule", e.ruleTitle(r.Path),
			"Value", e.settingValue(settingByPath(r.Path), r.Value), "App", text.Escape(r.From)), width))
	}
	return strings.Join(lines, "\n")
}
