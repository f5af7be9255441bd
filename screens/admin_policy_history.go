// What the policy was: its versions with who, when and why, each with what it
// changed, to be put back; and presets, looked at as a change before they are taken.

package screens

import (
	"context"
	"strconv"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// policyHistory lists the versions.
type policyHistory struct {
	listing
	env      *Env
	may      bool // put one back
	busy     tui.Busy
	versions paged[core.PolicyVersion]
}

// wantVersion is what a version's page leaves behind: it is to be put back.
type wantVersion struct{ version int }

var (
	_ tui.Screen   = (*policyHistory)(nil)
	_ tui.Titled   = (*policyHistory)(nil)
	_ tui.Helper   = (*policyHistory)(nil)
	_ tui.Typer    = (*policyHistory)(nil)
	_ tui.Cursored = (*policyHistory)(nil)
	_ tui.Mouser   = (*policyHistory)(nil)
	_ tui.Numbered = (*policyHistory)(nil)
)

func newPolicyHistory(env *Env, may bool) tui.Screen {
	s := &policyHistory{env: env, may: may}
	s.versions.id = func(v core.PolicyVersion) string { return strconv.Itoa(v.Version) }
	s.table = tui.NewTable(env.Session, s.columns)
	s.table.Empty = func() string { return env.T("policy.no_versions") }
	s.table.Detail = s.drawn.once(s.detail)
	s.table.Open = func(r tui.Row) tea.Cmd { return tui.Push(s.page(r.ID)) }
	return s
}

// Init reads the newest versions.
func (s *policyHistory) Init() tea.Cmd { return s.fetch("") }

func (s *policyHistory) fetch(after string) tea.Cmd {
	w, ok := s.versions.want(after)
	if !ok {
		return nil
	}
	ctx, policies, actor, clock := s.env.Ctx, s.env.Portal.Policy, s.env.Actor(), s.env.Clock
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")), func() tea.Msg {
		m := pageRead[core.PolicyVersion]{wanted: w}
		from, _ := strconv.Atoi(after)
		m.list, m.err = policies.Versions(ctx, actor, from, listPage)
		m.now = clock()
		if len(m.list) == listPage {
			m.next = strconv.Itoa(m.list[listPage-1].Version)
		}
		return m
	})
}

// Update takes pages, what other screens left behind, and keys.
func (s *policyHistory) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch m := msg.(type) {
	case pageRead[core.PolicyVersion]:
		if !s.versions.take(m) {
			return s, nil
		}
		s.busy.Stop()
		s.fill()
		return s, s.versions.readOn(s.table, s.fetch)
	case answer[map[string]string]:
		s.busy.Stop()
		if m.Err != nil {
			return s, tui.Toast(tui.Bad, s.env.policyRefusal(m.Err))
		}
		if len(m.Value) == 0 {
			return s, tui.Toast(tui.Info, s.env.T("policy.as_it_is"))
		}
		return s, tui.PopWith(policyTaken{values: m.Value, review: true})
	case tui.BackMsg:
		if r, ok := m.Result.(wantVersion); ok {
			return s, s.putBack(r.version)
		}
		return s, nil
	case tui.RestyleMsg:
		s.table.Handle(msg)
		s.fill()
		return s, nil
	case tea.KeyPressMsg, tea.PasteMsg, tea.MouseMsg:
		return s, s.versions.input(s.table, msg, s.fetch, s.key)
	}
	return s, s.busy.Handle(msg)
}

func (s *policyHistory) key(k string) tea.Cmd {
	switch k {
	case "esc":
		return tui.Pop()
	case "r":
		return s.fetch("")
	case "u":
		if r, ok := s.table.Selected(); ok && s.may {
			n, _ := strconv.Atoi(r.ID)
			return s.putBack(n)
		}
	}
	return nil
}

// putBack reads what has to change for the policy to be as it was.
func (s *policyHistory) putBack(version int) tea.Cmd {
	policies, actor := s.env.Portal.Policy, s.env.Actor()
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")), call(s.env.Ctx, func(ctx context.Context) (map[string]string, error) {
		return policies.RevertValues(ctx, actor, version)
	}))
}

func (s *policyHistory) columns() []tui.Column {
	e := s.env
	return []tui.Column{
		{Title: e.T("policy.version"), Min: 7, Max: 8, Right: true},
		{Title: e.T("policy.when"), Min: 10, Max: 16},
		{Title: e.T("policy.who"), Min: 8, Max: 24},
		{Title: e.T("policy.settings"), Min: 8, Max: 12, Right: true},
		{Title: e.T("policy.why"), Min: 12, Max: 60},
	}
}

func (s *policyHistory) fill() {
	d := s.env.Dict
	rows := make([]tui.Row, len(s.versions.list))
	for i, v := range s.versions.list {
		rows[i] = tui.Row{ID: strconv.Itoa(v.Version), Here: i == 0, Cells: []string{
			d.Number(int64(v.Version)), d.Relative(v.Changed, s.versions.now), s.who(v), d.Number(int64(len(v.Changes))), orDash(escaped(v.Reason)),
		}}
	}
	s.drawn.forget()
	s.table.SetRows(rows)
}

// who names whoever made a version.
func (s *policyHistory) who(v core.PolicyVersion) string {
	switch {
	case v.Name != "":
		return escaped(v.Name)
	case v.By == "":
		return s.env.T("policy.setup")
	case v.By == core.ActorConsole:
		return s.env.T("policy.console")
	}
	return escaped(v.By)
}

// detail is what a version changed.
func (s *policyHistory) detail(r tui.Row, width int) string {
	v, ok := s.versions.find(r.ID)
	if !ok {
		return ""
	}
	lines := s.env.changeLines(v.Changes, width)
	if len(lines) == 0 {
		return s.env.Theme.Muted.Render(tui.Wrap(s.env.T("policy.first"), width))
	}
	if s.w < tui.DetailWidth && len(lines) > 3 {
		lines = append(lines[:2], s.env.Theme.Muted.Render(s.env.T("policy.and_more", "Count", len(v.Changes)-2)))
	}
	return strings.Join(lines, "\n")
}

// page shows a version in full.
func (s *policyHistory) page(id string) tui.Screen {
	e := s.env
	n, _ := strconv.Atoi(id)
	return &page{
		env:   e,
		title: func() string { return e.T("policy.version_n", "Version", n) },
		body: func(width int) string {
			v, ok := s.versions.find(id)
			if !ok {
				return ""
			}
			facts := []tui.Fact{{Name: e.T("policy.when"), Value: e.both(v.Changed, s.versions.now)}, {Name: e.T("policy.who"), Value: s.who(*v)}}
			if v.Reason != "" {
				facts = append(facts, tui.Fact{Name: e.T("policy.why"), Value: escaped(v.Reason)})
			}
			lines := e.changeLines(v.Changes, width)
			if len(lines) == 0 {
				lines = []string{e.T("policy.first")}
			}
			return e.Theme.Facts(facts, width) + "\n\n" + strings.Join(lines, "\n") + "\n\n" + diffText(e, v.Changes)
		},
		keys: func() []key.Binding {
			if !s.may {
				return nil
			}
			return []key.Binding{e.bind("u", "policy.key_back_to")}
		},
		do: func(k string) tea.Cmd {
			if k == "u" && s.may {
				return tui.PopWith(wantVersion{n})
			}
			return nil
		},
	}
}

// Title names the page.
func (s *policyHistory) Title() string { return s.env.T("policy.history") }

// View is the table and, under it, how much of it was read.
func (s *policyHistory) View() string {
	p := &s.versions
	if said, unread := p.unread(s.env, &s.busy, s.w); unread {
		return said
	}
	return withFoot(s.table.View(), p.foot(s.env, &s.busy, "", s.w), s.h)
}

// Help returns the keys that work now.
func (s *policyHistory) Help() []key.Binding {
	e := s.env
	switch {
	case s.table.Typing():
		return s.table.Help()
	case !s.versions.read:
		return e.waitingKeys(s.versions.err)
	}
	var own []key.Binding
	if s.may {
		own = append(own, e.bind("u", "policy.key_back_to"))
	}
	return append(afterOpen(s.table.Help(), own...), e.bind("r", "page.refresh"), e.bind("esc", "key.back"))
}

// policyPresets offers presets; each is seen as a change before it is taken.
type policyPresets struct {
	env  *Env
	work *policyWork
	menu menu
	busy tui.Busy
	w, h int
}

// presetRead is what a preset would change.
type presetRead struct {
	id     string
	values map[string]string
	err    error
}

var (
	_ tui.Screen   = (*policyPresets)(nil)
	_ tui.Titled   = (*policyPresets)(nil)
	_ tui.Helper   = (*policyPresets)(nil)
	_ tui.Numbered = (*policyPresets)(nil)
)

func newPolicyPresets(w *policyWork) tui.Screen {
	s := &policyPresets{env: w.env, work: w}
	s.menu = menu{env: w.env, ways: s.ways}
	return s
}

// Init has nothing to read.
func (s *policyPresets) Init() tea.Cmd { return nil }

func (s *policyPresets) ways() []menuItem {
	e := s.env
	var out []menuItem
	for _, p := range core.Presets() {
		out = append(out, menuItem{id: p.ID, label: e.T("setup.preset." + p.ID), note: e.T("policy.preset." + p.ID), open: func() tea.Cmd {
			policies, actor := e.Portal.Policy, e.Actor()
			return tea.Batch(s.busy.Start(e.Session, e.T("page.reading")), func() tea.Msg {
				values, err := policies.PresetValues(e.Ctx, actor, p.ID)
				return presetRead{p.ID, values, err}
			})
		}})
	}
	return out
}

// Update takes what a preset would change, what its page left behind, and keys.
func (s *policyPresets) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch m := msg.(type) {
	case presetRead:
		s.busy.Stop()
		if m.err != nil {
			return s, tui.Toast(tui.Bad, s.env.policyRefusal(m.err))
		}
		return s, tui.Push(s.page(m))
	case tui.BackMsg:
		if r, ok := m.Result.(policyTaken); ok {
			return s, tui.PopWith(r)
		}
		return s, nil
	case tea.KeyPressMsg:
		if m.String() == "esc" {
			return s, tui.Pop()
		}
		cmd, _ := s.menu.key(m)
		return s, cmd
	}
	return s, s.busy.Handle(msg)
}

// page shows a preset as a change.
func (s *policyPresets) page(m presetRead) tui.Screen {
	e := s.env
	base := s.work.base
	var list []core.SettingChange
	for _, set := range core.Settings() {
		if v, named := m.values[set.Path]; named {
			list = append(list, core.SettingChange{Path: set.Path, Old: set.Get(base), New: v})
		}
	}
	return &page{
		env:   e,
		title: func() string { return e.T("setup.preset." + m.id) },
		body: func(width int) string {
			if len(list) == 0 {
				return tui.Wrap(e.T("policy.preset_same"), width)
			}
			return tui.Wrap(e.T("policy.preset_text"), width) + "\n\n" + strings.Join(e.changeLines(list, width), "\n")
		},
		keys: func() []key.Binding {
			if len(list) == 0 {
				return nil
			}
			return []key.Binding{e.bind("enter", "policy.key_take")}
		},
		do: func(k string) tea.Cmd {
			if k == "enter" && len(list) > 0 {
				return tui.PopWith(policyTaken{values: m.values})
			}
			return nil
		},
	}
}

// SetSize takes the room of the page.
func (s *policyPresets) SetSize(w, h int) { s.w, s.h = w, h }

// Title names the page.
func (s *policyPresets) Title() string { return s.env.T("policy.presets") }

// Choices is how many presets there are.
func (s *policyPresets) Choices() int { return len(s.ways()) }

// View is the presets.
func (s *policyPresets) View() string {
	e := s.env
	return withFoot(e.Theme.Muted.Render(tui.Wrap(e.T("policy.presets_text"), s.w))+"\n\n"+s.menu.view(s.w), s.busy.View(e.Theme), s.h)
}

// Help returns the keys that work now.
func (s *policyPresets) Help() []key.Binding {
	return append(s.menu.help(), s.env.bind("esc", "key.back"))
}
