// Two people changed the policy at once: whoever comes second sees what the first
// has done, and decides where both changed the same setting.

package screens

import (
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// policyClash is a change that another has overtaken.
type policyClash struct {
	policy core.Policy // in force now
	merge  core.Merge
}

// policyMerged is what the page leaves behind: the change to go on with.
type policyMerged struct {
	policy core.Policy
	values map[string]string
}

// policyMerge is the page.
type policyMerge struct {
	env    *Env
	work   *policyWork
	clash  policyClash
	theirs map[string]bool // settings of both that stay as they are
	menu   menu
	w, h   int
}

var (
	_ tui.Screen   = (*policyMerge)(nil)
	_ tui.Titled   = (*policyMerge)(nil)
	_ tui.Helper   = (*policyMerge)(nil)
	_ tui.Numbered = (*policyMerge)(nil)
)

func newPolicyMerge(w *policyWork, c policyClash) tui.Screen {
	s := &policyMerge{env: w.env, work: w, clash: c, theirs: map[string]bool{}}
	for _, b := range c.merge.Both {
		s.theirs[b.Path] = true // what is in force stays unless somebody says otherwise
	}
	s.menu = menu{env: w.env, ways: s.ways}
	return s
}

// Init has nothing to read.
func (s *policyMerge) Init() tea.Cmd { return nil }

const wayGoOn = "go_on"

func (s *policyMerge) ways() []menuItem {
	e := s.env
	var out []menuItem
	for _, b := range s.clash.merge.Both {
		set := settingByPath(b.Path)
		value := e.T("policy.mine", "Value", e.settingValue(set, b.Mine))
		if s.theirs[b.Path] {
			value = e.T("policy.theirs", "Value", e.settingValue(set, b.Theirs))
		}
		out = append(out, menuItem{id: b.Path, label: e.settingTitle(b.Path), value: value,
			turn: func(int) tea.Cmd { s.theirs[b.Path] = !s.theirs[b.Path]; return nil }})
	}
	return append(out, menuItem{id: wayGoOn, label: e.T("policy.go_on"), note: e.T("policy.go_on_note"), open: s.goOn, group: true})
}

// goOn leaves the change behind, on top of what is in force.
func (s *policyMerge) goOn() tea.Cmd {
	values := map[string]string{}
	for _, c := range s.clash.merge.Mine {
		values[c.Path] = c.New
	}
	for _, b := range s.clash.merge.Both {
		if !s.theirs[b.Path] {
			values[b.Path] = b.Mine
		}
	}
	return tui.PopWith(policyMerged{s.clash.policy, values})
}

// Update takes keys.
func (s *policyMerge) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	k, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return s, nil
	}
	if k.String() == "esc" {
		return s, tui.Pop()
	}
	cmd, _ := s.menu.key(k)
	return s, cmd
}

// SetSize takes the room of the page.
func (s *policyMerge) SetSize(w, h int) { s.w, s.h = w, h }

// Title names the page.
func (s *policyMerge) Title() string { return s.env.T("policy.merge") }

// Choices is how many lines can be chosen from.
func (s *policyMerge) Choices() int { return len(s.ways()) }

// View is what the other has changed, and what both have.
func (s *policyMerge) View() string {
	e, th, w := s.env, s.env.Theme, min(s.w, tui.BodyWidth)
	m := s.clash.merge
	by := escaped(m.By)
	if m.By == core.ActorConsole {
		by = e.T("policy.console")
	}
	lines := []string{tui.Wrap(e.T("policy.overtaken", "Name", by, "Version", m.Version), w)}
	if m.Reason != "" {
		lines = append(lines, th.Muted.Render(tui.Wrap(e.T("policy.their_reason", "Reason", escaped(m.Reason)), w)))
	}
	lines = append(lines, "", th.Heading.Render(e.T("policy.they_changed")))
	room := max(s.h-len(m.Both)-10, 2)
	theirs := e.changeLines(m.Theirs, w)
	lines = append(lines, theirs[:min(room, len(theirs))]...)
	if more := len(theirs) - room; more > 0 {
		lines = append(lines, th.Muted.Render(e.T("policy.and_more", "Count", more)))
	}
	said := e.T("policy.no_clash", "Count", len(m.Mine))
	if len(m.Both) > 0 {
		said = e.T("policy.clash", "Count", len(m.Both))
	}
	return strings.Join(append(lines, "", tui.Wrap(said, w), ""), "\n") + "\n" + s.menu.view(w)
}

// Help returns the keys that work now.
func (s *policyMerge) Help() []key.Binding {
	return append(s.menu.help(), s.env.bind("esc", "key.back"))
}
