// One app: what it is, its roles, its rules beside the portal's, and the ways to
// share, change, hand over and retire it. Its owner comes here from Access, without
// any role on the portal.

package screens

import (
	"context"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/core/text"
	"postern/tui"
)

// appPage shows one app.
type appPage struct {
	env   *Env
	ref   string
	page  *page
	busy  tui.Busy
	reads tui.Latest[appRead]
	app   core.AppDetail
	now   time.Time // when it was read; zero before the first reading
	err   error
	act   *deed
}

// appRead is what one reading brought.
type appRead struct {
	app core.AppDetail
	now time.Time
	err error
}

var (
	_ tui.Screen = (*appPage)(nil)
	_ tui.Titled = (*appPage)(nil)
	_ tui.Helper = (*appPage)(nil)
)

// newAppPage returns the page of the app with an id.
func newAppPage(env *Env, id string) tui.Screen {
	s := &appPage{env: env, ref: id}
	s.page = &page{env: env, title: s.Title, body: s.body, keys: s.keys, do: s.do}
	return s
}

// Init reads the app.
func (s *appPage) Init() tea.Cmd { return s.refresh() }

func (s *appPage) refresh() tea.Cmd {
	ctx, apps, actor, clock, ref := s.env.Ctx, s.env.Portal.Apps, s.env.Actor(), s.env.Clock, s.ref
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")), s.reads.Ask(func() appRead {
		d, err := apps.Show(ctx, actor, ref)
		return appRead{d, clock(), err}
	}))
}

// Update takes readings, what other screens left behind, and keys.
func (s *appPage) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	if m, fresh, mine, next := s.reads.Answer(msg); mine {
		if fresh {
			s.busy.Stop()
			if s.err = m.err; m.err == nil {
				s.app, s.now = m.app, m.now
			}
		}
		return s, next
	}
	switch msg := msg.(type) {
	case tui.BackMsg:
		result, done, cmd := s.act.back(msg)
		if !done {
			result = msg.Result
		}
		words := s.did(result)
		if _, moved := result.(movedApp); moved && !s.env.may(core.OpReadApps) { // it is theirs no more
			return s, tea.Sequence(tui.Pop(), tui.Toast(tui.Good, words))
		}
		if words != "" {
			return s, tea.Batch(cmd, s.refresh(), tui.Toast(tui.Good, words))
		}
		return s, tea.Batch(cmd, s.refresh())
	case deedDone:
		result, _, cmd := s.act.took(msg)
		if words := s.did(result); words != "" {
			return s, tea.Batch(s.refresh(), tui.Toast(tui.Good, words))
		}
		return s, tea.Batch(cmd, s.refresh())
	case tea.KeyPressMsg:
		_, cmd := s.page.Update(msg)
		return s, cmd
	}
	return s, s.busy.Handle(msg)
}

// retiredApp and movedApp are what came of acts on an app.
type (
	retiredApp struct{ ended int }
	movedApp   struct{ to string }
)

// did says what was done, "" for nothing.
func (s *appPage) did(result any) string {
	e := s.env
	switch r := result.(type) {
	case core.App:
		return e.T("apps.changed")
	case retiredApp:
		return e.T("apps.retired", "Count", r.ended)
	case movedApp:
		return e.T("apps.moved", "User", escaped(r.to))
	}
	return ""
}

// mayChange says whether to offer changes. The core decides.
func (s *appPage) mayChange() bool {
	return s.app.State == core.AppActive && (s.app.Mine || s.env.may(core.OpApps))
}

func (s *appPage) keys() []key.Binding {
	e := s.env
	if s.now.IsZero() {
		return nil
	}
	var out []key.Binding
	if s.app.State == core.AppActive {
		out = append(out, e.bind("s", "apps.key_sharing"))
	}
	if s.mayChange() {
		out = append(out, e.bind("e", "apps.key_edit"), e.bind("l", "apps.key_rules"), e.bind("o", "apps.key_move"), e.bind("x", "apps.key_retire"))
	}
	return append(out, e.bind("r", "page.refresh"))
}

func (s *appPage) do(k string) tea.Cmd {
	if k == "r" {
		return s.refresh()
	}
	if s.now.IsZero() || s.app.State != core.AppActive {
		return nil
	}
	if k == "s" {
		return tui.Push(newShares(s.env, s.app))
	}
	if !s.mayChange() {
		return nil
	}
	switch k {
	case "e":
		return tui.Push(newAppForm(s.env, &s.app))
	case "l":
		return tui.Push(newAppRules(s.env, s.app))
	case "o":
		return tui.Push(newAppMove(s.env, s.app))
	case "x":
		return s.askRetire()
	}
	return nil
}

// askRetire opens the dialog, which names who loses what.
func (s *appPage) askRetire() tea.Cmd {
	e, app, apps, actor := s.env, s.app, s.env.Portal.Apps, s.env.Actor()
	s.act = &deed{env: e, why: "apps.why_proof", do: func(ctx context.Context) (any, error) {
		n, err := apps.Retire(ctx, actor, app.ID)
		return retiredApp{n}, err
	}}
	return tui.Push(tui.NewConfirm(e.Session, func() tui.ConfirmSpec {
		name := text.Escape(app.Name)
		words := e.T("apps.retire_text", "App", name)
		if n := app.Loses.Count; n > 0 {
			words = e.T("apps.retire_loses", "App", name, "Count", n, "Users", e.loserNames(app.Loses.Names, n)) + " " + words
		}
		return tui.ConfirmSpec{Title: e.T("apps.retire_title"), Text: words, Name: name, Yes: e.T("apps.retire_yes"), Do: s.act.inDialog}
	}))
}

// loserNames lists the first of so many names.
func (e *Env) loserNames(names []string, of int) string {
	const most = 5
	shown := make([]string, 0, most+1)
	for _, n := range names[:min(len(names), most)] {
		shown = append(shown, escaped(n))
	}
	if more := of - len(shown); more > 0 {
		shown = append(shown, e.T("apps.more", "Count", more))
	}
	return e.Dict.List(shown)
}

// appFacts are what is known of an app but its rules.
func (e *Env) appFacts(a core.App, now time.Time) []tui.Fact {
	out := []tui.Fact{
		{Name: e.T("apps.name"), Value: text.Escape(a.Name)},
		{Name: e.T("apps.note"), Value: orDash(text.Escape(a.Note))},
		{Name: e.T("apps.owner"), Value: orDash(text.Escape(a.OwnerName))},
		{Name: e.T("apps.state"), Value: e.appState(a)},
		{Name: e.T("apps.created"), Value: e.both(a.Created, now)},
	}
	for _, r := range a.Roles {
		what := e.T("apps.no_permissions")
		if len(r.Permissions) > 0 {
			what = text.Escape(strings.Join(r.Permissions, " "))
		}
		out = append(out, tui.Fact{Name: e.T("apps.role_named", "Role", text.Escape(string(r.Name))), Value: what})
	}
	return out
}

// body is the page in full.
func (s *appPage) body(width int) string {
	e, th := s.env, s.env.Theme
	switch {
	case s.err != nil && s.now.IsZero():
		return e.failure(s.err, width)
	case s.now.IsZero():
		return s.busy.View(th)
	}
	parts := []string{th.Facts(e.appFacts(s.app.App, s.now), width)}
	if s.app.State == core.AppActive {
		parts = append(parts, tui.Wrap(e.T("apps.shared_with", "Count", s.app.Loses.Count), width))
	}
	parts = append(parts, th.Heading.Render(e.T("apps.rules_heading"))+"\n"+s.rules(width))
	if s.err != nil {
		parts = append(parts, th.Bad.Render(th.Signs.No+" "+tui.Wrap(e.Sentence(s.err), width-2)))
	}
	return strings.Join(parts, "\n\n")
}

// ruleTitle names a rule where it stands among others, outside its section.
func (e *Env) ruleTitle(path string) string {
	if path == "factors.enforce" {
		return e.T("apps.factor")
	}
	return e.settingTitle(path)
}

// rules are the app's own rules beside the portal's, and which one counts.
func (s *appPage) rules(width int) string {
	e, th := s.env, s.env.Theme
	var facts []tui.Fact
	for _, set := range core.AppSettings() {
		v := set.Get(s.app.Policy)
		if v == "" {
			continue
		}
		setting := settingByPath(set.Path)
		said := e.settingValue(setting, v)
		portal := setting.Get(s.app.Portal)
		switch {
		case portal == v:
			said = e.T("apps.rule_same", "Value", said)
		case set.Stricter(s.app.Policy, s.app.Portal):
			said = e.T("apps.rule_stricter", "Value", said, "Portal", e.settingValue(setting, portal))
		default:
			said = e.T("apps.rule_overtaken", "Value", said, "Portal", e.settingValue(setting, portal))
		}
		facts = append(facts, tui.Fact{Name: e.ruleTitle(set.Path), Value: said})
	}
	if facts == nil {
		return th.Muted.Render(tui.Wrap(e.T("apps.no_rules"), width))
	}
	return th.Facts(facts, width)
}

// SetSize takes the room of the page.
func (s *appPage) SetSize(w, h int) { s.page.SetSize(w, h) }

// View draws the page.
func (s *appPage) View() string { return s.page.View() }

// Title names the page.
func (s *appPage) Title() string {
	if s.now.IsZero() {
		return s.env.T("apps.one")
	}
	return text.Escape(s.app.Name)
}

// Help returns the keys that work now.
func (s *appPage) Help() []key.Binding { return s.page.Help() }
