// The policy: its sections, what is in force in each and what is to be changed.
// Nothing takes effect here; changes are gathered, looked over on the page of
// review (admin_policy_review.go) and put in force there. Whoever leaves before
// finds them again as a draft.

package screens

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// policyWork is a change under way: what it began from and what it wants.
type policyWork struct {
	env    *Env
	base   core.Policy
	values map[string]string // only what differs from base
	reason string
	saved  time.Time // when it was put aside; zero for never
	dirty  bool      // something was changed since
}

// policySections are the sections in the order of the settings.
func policySections() []string {
	var out []string
	for _, s := range core.Settings() {
		if section, _, _ := strings.Cut(s.Path, "."); !slices.Contains(out, section) {
			out = append(out, section)
		}
	}
	return out
}

// settingsOf are the settings of a section.
func settingsOf(section string) []core.Setting {
	return slices.DeleteFunc(core.Settings(), func(s core.Setting) bool { return !strings.HasPrefix(s.Path, section+".") })
}

// value is what a setting would be.
func (w *policyWork) value(s core.Setting) string {
	if v, changed := w.values[s.Path]; changed {
		return v
	}
	return s.Get(w.base)
}

// set changes a setting; what is as it was is no change.
func (w *policyWork) set(s core.Setting, v string) {
	w.dirty = true
	if one, err := w.base.With(map[string]string{s.Path: v}); err == nil {
		v = s.Get(one) // as the core writes it
	}
	if v == s.Get(w.base) {
		delete(w.values, s.Path)
		return
	}
	w.values[s.Path] = v
}

// take changes several settings.
func (w *policyWork) take(values map[string]string) {
	for _, s := range core.Settings() {
		if v, named := values[s.Path]; named {
			w.set(s, v)
		}
	}
}

// rebase goes on from another version of the policy.
func (w *policyWork) rebase(p core.Policy, values map[string]string) {
	w.base, w.values = p, map[string]string{}
	w.take(values)
}

// changed is how many settings of a section are changed.
func (w *policyWork) changed(section string) (n int) {
	for path := range w.values {
		if strings.HasPrefix(path, section+".") {
			n++
		}
	}
	return n
}

// problem is why the change as a whole could not be put in force, as far as can
// be told without the data.
func (w *policyWork) problem() error {
	_, err := w.base.With(w.values)
	return err
}

// policyEdit is the page of the sections.
type policyEdit struct {
	env  *Env
	work *policyWork
	menu menu
	busy tui.Busy
	read bool
	err  error
	// first is the path of the setting that is opened once the policy was read; ""
	// for none.
	first string
	// merging says that the page waits for how one's draft goes on top of what
	// somebody else has put in force meanwhile.
	merging bool
	// leaving says that the page closes as soon as the draft is kept.
	leaving bool
	w, h    int
}

// policyRead is the policy in force and one's own draft. When the policy has
// changed since the draft was made, merge says how.
type policyRead struct {
	policy core.Policy
	draft  core.PolicyDraft
	found  bool
	merge  core.Merge
	stale  bool
}

// What the pages above leave behind.
type (
	policySaved struct{ policy core.Policy } // it is in force
	policyTaken struct {                     // a preset, or a version to go back to
		values map[string]string
		review bool
	}
	policyPut struct{ err error } // the draft was put aside, or thrown away
)

var (
	_ tui.Screen   = (*policyEdit)(nil)
	_ tui.Titled   = (*policyEdit)(nil)
	_ tui.Helper   = (*policyEdit)(nil)
	_ tui.Numbered = (*policyEdit)(nil)
)

// NewPolicy returns the screen.
func NewPolicy(env *Env) tui.Screen {
	s := &policyEdit{env: env, work: &policyWork{env: env, values: map[string]string{}}}
	s.menu = menu{env: env, ways: s.ways}
	return s
}

// newPolicyAt returns the screen, on which one setting is opened.
func newPolicyAt(env *Env, setting string) tui.Screen {
	s, _ := NewPolicy(env).(*policyEdit)
	s.first = setting
	return s
}

// goFirst returns the command that opens the setting one came for, once.
func (s *policyEdit) goFirst() tea.Cmd {
	path := s.first
	s.first = ""
	section, _, named := strings.Cut(path, ".")
	if !named || !slices.Contains(policySections(), section) {
		return nil
	}
	s.menu.at = section
	page, _ := newPolicySection(s, section).(*policySection)
	page.menu.at = path
	return tui.Push(page)
}

// Init reads the policy in force.
func (s *policyEdit) Init() tea.Cmd {
	policies, actor, may := s.env.Portal.Policy, s.env.Actor(), s.mayChange()
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")),
		call(s.env.Ctx, func(ctx context.Context) (m policyRead, err error) {
			if m.policy, err = policies.Current(ctx, actor); err != nil || !may {
				return m, err
			}
			if m.draft, m.found, err = policies.Draft(ctx, actor); err != nil || !m.found {
				return m, err
			}
			if m.stale = m.draft.Base != m.policy.Version; m.stale {
				m.merge, err = policies.Merge(ctx, actor, m.draft.Base, m.draft.Values)
			}
			return m, err
		}))
}

// mayChange says whether the person may change the policy; who may not reads it.
func (s *policyEdit) mayChange() bool { return s.env.may(core.OpChangePolicy) }

// The ways of the page besides its sections.
const (
	wayReview  = "review"
	wayPresets = "presets"
	wayHistory = "history"
	wayDrop    = "drop"
)

func (s *policyEdit) ways() []menuItem {
	e := s.env
	var out []menuItem
	for _, section := range policySections() {
		note := e.T("policy.about." + section)
		if n := s.work.changed(section); n > 0 {
			note = e.T("policy.changed", "Count", n)
		}
		out = append(out, menuItem{id: section, label: e.T("policy." + section), note: note,
			open: func() tea.Cmd { return tui.Push(newPolicySection(s, section)) }})
	}
	group := len(out)
	if n := len(s.work.values); n > 0 {
		out = append(out, menuItem{id: wayReview, label: e.T("policy.review"), note: e.T("policy.changed", "Count", n), open: s.review},
			menuItem{id: wayDrop, label: e.T("policy.drop"), note: e.T("policy.drop_note"), open: s.drop})
	}
	if s.mayChange() {
		out = append(out, menuItem{id: wayPresets, label: e.T("policy.presets"), note: e.T("policy.presets_note"),
			open: func() tea.Cmd { return tui.Push(newPolicyPresets(s.work)) }})
	}
	out = append(out, menuItem{id: wayHistory, label: e.T("policy.history"), note: e.T("policy.history_note"),
		open: func() tea.Cmd { return tui.Push(newPolicyHistory(e, s.mayChange())) }})
	out[group].group = true
	return out
}

// Update takes what was read, what other pages left behind, and keys.
func (s *policyEdit) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch m := msg.(type) {
	case answer[policyRead]:
		s.busy.Stop()
		if s.err = m.Err; m.Err != nil {
			return s, nil
		}
		return s, s.take(m.Value)
	case policyPut:
		return s, s.put(m)
	case tui.BackMsg:
		return s, s.back(m)
	case tea.KeyPressMsg:
		return s, s.key(m)
	}
	return s, s.busy.Handle(msg)
}

func (s *policyEdit) take(m policyRead) tea.Cmd {
	s.read = true
	s.work.saved, s.work.reason = time.Time{}, ""
	s.work.rebase(m.policy, nil)
	s.work.dirty = false
	if !m.found {
		return s.goFirst()
	}
	s.work.saved, s.work.reason = m.draft.Saved, m.draft.Reason
	if s.merging = m.stale; m.stale {
		return tui.Push(newPolicyMerge(s.work, policyClash{m.policy, m.merge}))
	}
	s.work.rebase(m.policy, m.draft.Values)
	s.work.dirty = false
	return s.goFirst()
}

func (s *policyEdit) back(m tui.BackMsg) tea.Cmd {
	merging := s.merging
	s.merging = false
	switch r := m.Result.(type) {
	case policySaved:
		return s.Init()
	case policyMerged:
		s.work.rebase(r.policy, r.values)
		return s.goFirst()
	case policyTaken:
		s.work.take(r.values)
		if r.review {
			return s.review()
		}
	default:
		if merging {
			// Whoever decided nothing keeps the draft as it is. To go on here without it
			// would be to put another in its place.
			return tea.Sequence(tui.Pop(), tui.Toast(tui.Info, s.env.T("policy.kept")))
		}
	}
	return nil
}

func (s *policyEdit) key(k tea.KeyPressMsg) tea.Cmd {
	name := k.String()
	switch {
	case name == "esc":
		return s.leave()
	case !s.read:
		if name == "r" {
			s.err = nil
			return s.Init()
		}
		return nil
	case name == "s" && len(s.work.values) > 0:
		return s.review()
	case name == "p" && s.mayChange():
		return tui.Push(newPolicyPresets(s.work))
	case name == "h":
		return tui.Push(newPolicyHistory(s.env, s.mayChange()))
	case name == "d" && len(s.work.values) > 0:
		return tui.Push(newPolicyDiff(s.work))
	}
	cmd, _ := s.menu.key(k)
	return cmd
}

func (s *policyEdit) review() tea.Cmd { return tui.Push(newPolicyReview(s.work)) }

// leave puts what was changed aside, and goes back when that is done. Whoever
// could not be helped to a draft leaves with a second press.
func (s *policyEdit) leave() tea.Cmd {
	if !s.work.dirty || s.leaving || len(s.work.values) == 0 && s.work.saved.IsZero() {
		return tui.Pop()
	}
	s.leaving = true
	return s.work.put()
}

// put takes what came of putting a draft aside, or throwing it away.
func (s *policyEdit) put(m policyPut) tea.Cmd {
	switch {
	case m.err != nil:
		return tui.Toast(tui.Bad, s.env.Sentence(m.err))
	case s.leaving:
		return tea.Sequence(tui.Pop(), tui.Toast(tui.Info, s.env.T("policy.kept")))
	}
	return nil
}

// put returns the command that keeps the change as a draft; one that changes
// nothing is thrown away.
func (w *policyWork) put() tea.Cmd {
	ctx, policies, actor := w.env.Ctx, w.env.Portal.Policy, w.env.Actor()
	d := core.PolicyDraft{Base: w.base.Version, Values: maps.Clone(w.values), Reason: w.reason}
	return func() tea.Msg {
		if len(d.Values) > 0 {
			return policyPut{policies.SaveDraft(ctx, actor, d)}
		}
		err := policies.DropDraft(ctx, actor)
		if core.CodeOf(err) == core.CodeNotFound {
			err = nil
		}
		return policyPut{err}
	}
}

// drop forgets every change, the draft too.
func (s *policyEdit) drop() tea.Cmd {
	s.work.rebase(s.work.base, nil)
	s.work.reason, s.work.saved, s.work.dirty = "", time.Time{}, false
	return s.work.put()
}

// SetSize takes the room of the page.
func (s *policyEdit) SetSize(w, h int) { s.w, s.h = w, h }

// Title names the page.
func (s *policyEdit) Title() string { return s.env.T("policy.title") }

// Choices is how many ways there are.
func (s *policyEdit) Choices() int {
	if !s.read {
		return 0
	}
	return len(s.ways())
}

// View is which version is in force, and the sections.
func (s *policyEdit) View() string {
	e, w := s.env, min(s.w, tui.BodyWidth)
	switch {
	case s.err != nil:
		return e.failure(s.err, s.w)
	case !s.read:
		return s.busy.View(e.Theme)
	}
	head := e.T("policy.in_force", "Version", s.work.base.Version, "When", e.Dict.DateTime(s.work.base.Changed))
	out := e.Theme.Muted.Render(tui.Wrap(head, w))
	if n := len(s.work.values); n > 0 {
		out += "\n" + e.Theme.Accent.Render(tui.Wrap(s.standing(n), w))
	}
	if err := s.work.problem(); err != nil {
		out += "\n" + e.Theme.Bad.Render(e.Theme.Signs.No+" "+tui.Wrap(e.policyRefusal(err), w-2))
	}
	return out + "\n\n" + s.menu.draw(s.w, s.h > roomy)
}

// standing says that nothing of the change is in force.
func (s *policyEdit) standing(n int) string {
	if !s.work.saved.IsZero() && !s.work.dirty {
		return s.env.T("policy.is_draft", "Count", n, "When", s.env.Dict.DateTime(s.work.saved))
	}
	return s.env.T("policy.not_yet", "Count", n)
}

// Help returns the keys that work now.
func (s *policyEdit) Help() []key.Binding {
	e := s.env
	if !s.read {
		return e.waitingKeys(s.err)
	}
	out := s.menu.help()
	if len(s.work.values) > 0 {
		out = append(out, e.bind("s", "policy.key_review"), e.bind("d", "policy.key_diff"))
	}
	if s.mayChange() {
		out = append(out, e.bind("p", "policy.key_presets"))
	}
	return append(out, e.bind("h", "policy.key_history"), e.bind("esc", "key.back"))
}
