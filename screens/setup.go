// The first run: the portal gets a name, rules to begin with, and an owner.

package screens

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// setup asks for what a portal begins with.
type setup struct {
	*tui.Form
	env *Env

	language, code, portal, preset string
	person                         personFields
	password                       newPassword
}

var (
	_ tui.Screen   = (*setup)(nil)
	_ tui.Titled   = (*setup)(nil)
	_ tui.Paged    = (*setup)(nil)
	_ tui.Helper   = (*setup)(nil)
	_ tui.Typer    = (*setup)(nil)
	_ tui.Cursored = (*setup)(nil)
)

// NewSetup returns the screen of a portal that has no owner yet.
func NewSetup(env *Env) tui.Screen {
	s := &setup{env: env, language: env.Dict.Tag(), preset: core.Presets()[0].ID, person: personFields{env: env}}
	s.password = newPassword{env: env, label: "signup.password"}
	s.password.feedback = newPasswordFeedback(env, s.guide, s.owner)
	s.Form = tui.NewForm(env.Session, s.spec)
	return s
}

// local says whether this is the machine's own terminal, where no code is needed.
func (s *setup) local() bool {
	switch s.env.Actor().Door {
	case core.DoorLocal, core.DoorConsole, core.DoorDemo:
		return true
	}
	return false
}

// policy is the one that the chosen preset begins with.
func (s *setup) policy() core.Policy {
	presets := core.Presets()
	for _, p := range presets {
		if p.ID == s.preset {
			return p.Policy
		}
	}
	return presets[0].Policy
}

func (s *setup) guide() core.PasswordGuide {
	return core.PasswordGuide{Rules: s.policy().Password.Rules()}
}

// owner is what may not be part of the password; the portal's name is not either.
func (s *setup) owner() core.Person {
	p := s.person.person()
	p.DisplayName = strings.TrimSpace(p.DisplayName + " " + s.portal)
	return p
}

func (s *setup) spec() tui.FormSpec {
	e := s.env
	var languages []tui.Option
	for _, l := range e.Catalog().Languages() {
		languages = append(languages, tui.Option{Value: l.Tag, Label: l.Name})
	}
	s.language = e.Dict.Tag()
	first := tui.Page{Title: e.T("setup.heading"), Text: e.T("setup.text"), Fields: []tui.Field{
		tui.Choice{Key: "language", Label: e.T("welcome.language"), Value: &s.language, Options: languages},
	}}
	if !s.local() {
		first.Text += "\n\n" + e.T("setup.code_text")
		first.Fields = append(first.Fields, tui.Text{Key: "setup_code", Label: e.T("setup.code"), Value: &s.code, Limit: maxCode, Hint: codeHint})
	}
	var presets []tui.Option
	for _, p := range core.Presets() {
		presets = append(presets, tui.Option{Value: p.ID, Label: e.T("setup.preset." + p.ID)})
	}
	portal := tui.Page{Text: e.T("setup.portal_text"), Fields: []tui.Field{
		tui.Text{Key: "portal", Label: e.T("setup.portal"), Value: &s.portal, Limit: core.MaxPortalName, Hint: e.T("setup.portal_hint")},
		tui.Choice{Key: "preset", Label: e.T("setup.rules"), Value: &s.preset, Options: presets, Below: s.means},
	}}
	return tui.FormSpec{
		Pages: []tui.Page{first, portal,
			{Title: e.T("setup.owner_heading"), Text: e.T("setup.owner_text"), Fields: s.person.fields(false)},
			{Text: e.T("signup.password_text"), Fields: s.password.fields()},
		},
		Submit: e.T("setup.submit"), Busy: e.T("setup.busy"),
		Do: s.send, Changed: s.changed,
		Leave: func() tea.Cmd { s.wipe(); return tui.Quit() },
	}
}

// means says what the chosen preset asks of people, from the preset itself.
func (s *setup) means(width int) string {
	e, p := s.env, s.policy()
	var rules []string
	for _, c := range s.guide().Check("", core.Person{}, nil) {
		rules = append(rules, e.RuleText(string(c.Rule), c.N))
	}
	facts := []tui.Fact{{Name: e.T("setup.means.password"), Value: e.Dict.List(rules)}}
	if p.Password.RotateDays > 0 {
		facts = append(facts, tui.Fact{Name: e.T("setup.means.rotation"), Value: e.T("setup.means.every", "Count", p.Password.RotateDays)})
	}
	if p.Password.HistoryDays > 0 {
		facts = append(facts, tui.Fact{Name: e.T("setup.means.history"), Value: e.T("setup.means.again", "Count", p.Password.HistoryDays)})
	}
	session := e.T("setup.means.after", "Span", e.spanText(p.Session.Lifetime))
	if p.Session.IdleMinutes > 0 {
		session = e.T("setup.means.idle", "Span", e.spanText(p.Session.Lifetime), "Idle", e.T("time.minute", "Count", p.Session.IdleMinutes))
	}
	facts = append(facts,
		tui.Fact{Name: e.T("setup.means.session"), Value: session},
		tui.Fact{Name: e.T("setup.means.signup"), Value: e.T("signup_mode." + string(p.SignUp.Mode))})
	return e.Theme.Facts(facts, width)
}

// spanText says a span of the policy: "12 h", "3 months".
func (e *Env) spanText(s core.Span) string {
	switch s.Unit {
	case core.Hours:
		return e.T("time.hour", "Count", s.N)
	case core.Weeks:
		return e.T("time.day", "Count", 7*s.N)
	case core.Months:
		return e.T("time.month", "Count", s.N)
	default:
		return e.T("time.day", "Count", s.N)
	}
}

func (s *setup) changed(field string) tea.Cmd {
	switch field {
	case "language":
		return s.env.SetLanguage(s.language)
	case "password", "portal", "preset":
		return s.password.judge()
	case "user_name", "display_name", "email":
		return tea.Batch(s.person.changed(field), s.password.judge())
	}
	return nil
}

// setUp is the answer to the setup, with what is to be known of the portal now.
type setUp struct {
	in   core.SignedIn
	site core.SiteState
	err  error
}

func (s *setup) send() tea.Cmd {
	e, actor := s.env, s.env.Actor()
	in := core.SetUpInput{Portal: s.portal, Preset: s.preset, Code: s.code, Owner: s.person.input()}
	in.Owner.Password = s.password.typed
	before := e.Site()
	return func() tea.Msg {
		m := setUp{site: before}
		m.in, m.err = e.Portal.Site.SetUp(e.Ctx, actor, in)
		if now, err := e.Portal.Site.State(e.Ctx); err == nil {
			m.site = now
		}
		return m
	}
}

// wipe forgets the secrets.
func (s *setup) wipe() {
	s.code = ""
	s.password.wipe()
}

// Update takes the core's answers.
func (s *setup) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	if mine, cmd := s.password.feedback.Update(msg); mine {
		return s, cmd
	}
	if mine, cmd := s.person.update(msg); mine {
		return s, cmd
	}
	m, ok := msg.(setUp)
	if !ok {
		return s, s.Handle(msg)
	}
	s.env.Reloaded(m.site)
	s.password.wipe()
	switch core.CodeOf(m.err) {
	case "":
		s.wipe()
		return s, s.env.Enter(m.in)
	case core.CodeSetUp: // somebody else was faster
		return s, s.env.startOver(m.err)
	case core.CodeSetupCode:
		s.code = ""
	}
	s.Refuse(refusalOf(s.env, m.err))
	return s, nil
}

// Title is the screen's; the form adds the page.
func (s *setup) Title() string { return s.env.T("setup.title") }
