// Sign-up: a stranger becomes an account.

package screens

import (
	"strconv"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/core/text"
	"postern/tui"
)

// Codes that the portal hands out have 19 characters; they may be typed with
// blanks, or pasted with whatever stands around them.
const (
	maxCode  = 64
	codeHint = "XXXX-XXXX-XXXX-XXXX"
)

// signUp asks for everything that makes an account, on as many pages as the
// policy needs: the invitation, the names, the custom fields, the password.
type signUp struct {
	*tui.Form
	env *Env

	invite   string
	person   personFields
	password newPassword
	fields   map[string]*string // the custom fields, by key
	agreed   map[string]*bool   // by core.Agreement.Ref
	texts    []core.Agreement   // what is to be agreed to, in full
	guide    core.PasswordGuide
	ear      rulesEar
}

var (
	_ tui.Screen   = (*signUp)(nil)
	_ tui.Titled   = (*signUp)(nil)
	_ tui.Paged    = (*signUp)(nil)
	_ tui.Helper   = (*signUp)(nil)
	_ tui.Typer    = (*signUp)(nil)
	_ tui.Cursored = (*signUp)(nil)
)

// NewSignUp returns the screen that makes an account.
func NewSignUp(env *Env) tui.Screen {
	s := &signUp{env: env, person: personFields{env: env}, fields: map[string]*string{}, agreed: map[string]*bool{}}
	s.password = newPassword{env: env, label: "signup.password"}
	s.password.feedback = newPasswordFeedback(env, func() core.PasswordGuide { return s.guide }, s.person.person)
	s.Form = tui.NewForm(env.Session, s.spec)
	return s
}

// Init reads the rules for passwords while the first page is filled in.
func (s *signUp) Init() tea.Cmd {
	return tea.Batch(s.Form.Init(), call(s.env.Ctx, s.env.Portal.Accounts.Guide), s.readTexts(), s.ear.open(s.env))
}

func (s *signUp) spec() tui.FormSpec {
	e, site := s.env, s.env.Site()
	var pages []tui.Page
	if site.SignUp == core.SignUpByInvite {
		pages = append(pages, tui.Page{Title: e.T("signup.invite_title"), Text: e.T("signup.invite_text"), Fields: []tui.Field{
			tui.Text{Key: "invite", Label: e.T("signup.invite"), Value: &s.invite, Limit: maxCode, Hint: codeHint},
		}})
	}
	who := tui.Page{Fields: s.person.fields(site.EmailRequired)}
	if site.SignUp == core.SignUpByApproval {
		who.Text = e.T("signup.approval_text")
	}
	pages = append(pages, who)
	if len(site.Fields) > 0 {
		pages = append(pages, tui.Page{Text: e.T("signup.fields_text", "Portal", e.PortalName()), Fields: s.custom(site.Fields)})
	}
	if len(site.Agreements) > 0 {
		pages = append(pages, tui.Page{Text: e.T("agreement.sign_up", "Portal", e.PortalName()), Fields: s.agreements(site.Agreements)})
	}
	// The password comes last: a refusal wipes it, and whatever else was refused
	// then lies on the way to where it is typed again.
	pages = append(pages, tui.Page{Text: e.T("signup.password_text"), Fields: s.password.fields()})
	return tui.FormSpec{
		Pages: pages, Submit: e.T("signup.submit"), Busy: e.T("signup.busy"),
		Do: s.send, Changed: s.changed, Keys: s.agreementKeys(site.Agreements),
		Leave: func() tea.Cmd { s.ear.shut(); s.wipe(); return tui.Pop() },
	}
}

// custom returns the fields that the policy defines. Their labels are an
// admin's words, the same in every language.
func (s *signUp) custom(defs []core.Field) []tui.Field {
	var out []tui.Field
	for _, d := range defs {
		if s.fields[d.Key] == nil {
			s.fields[d.Key] = new(string)
		}
		f := tui.Text{
			Key: core.FieldName(d.Key), Label: text.Escape(d.Label), Value: s.fields[d.Key],
			Limit: core.MaxFieldValue, Optional: !d.Required,
		}
		if !d.Required {
			f.Hint = s.env.T("signup.optional")
		}
		if d.Kind == core.FieldNumber {
			f.Check = func(v string) string {
				if _, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64); v != "" && err != nil {
					return s.env.T("signup.number")
				}
				return ""
			}
		}
		out = append(out, f)
	}
	return out
}

func (s *signUp) changed(field string) tea.Cmd {
	switch field {
	case "password":
		return s.password.judge()
	case "user_name", "display_name", "email":
		return tea.Batch(s.person.changed(field), s.password.judge())
	}
	return nil
}

// signedUp is the answer to a sign-up; site is what is asked for now, when that
// was refused.
type signedUp struct {
	result core.SignUpResult
	err    error
	site   core.SiteState
}

func (s *signUp) send() tea.Cmd {
	e, actor := s.env, s.env.Actor()
	in := s.person.input()
	in.Password, in.Invite, in.Fields = s.password.typed, s.invite, map[string]string{}
	site := e.Site()
	for _, d := range site.Fields {
		if v := s.fields[d.Key]; v != nil {
			in.Fields[d.Key] = *v
		}
	}
	in.Agreed = s.agreedTo(site.Agreements)
	return func() tea.Msg {
		m := signedUp{site: site}
		if m.result, m.err = e.Portal.Accounts.SignUp(e.Ctx, actor, in); m.err == nil {
			return m
		}
		// The policy may have changed while somebody was typing.
		if now, err := e.Portal.Site.State(e.Ctx); err == nil {
			m.site = now
		}
		return m
	}
}

// wipe forgets the secrets; everything else stays.
func (s *signUp) wipe() {
	s.invite = ""
	s.password.wipe()
}

// Update takes what comes back from the core and hands the rest to the form.
func (s *signUp) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	if mine, cmd := s.password.feedback.Update(msg); mine {
		return s, cmd
	}
	if mine, cmd := s.person.update(msg); mine {
		return s, cmd
	}
	switch msg := msg.(type) {
	case answer[core.PasswordGuide]:
		if msg.Err != nil {
			return s, tui.Toast(tui.Bad, s.env.Sentence(msg.Err))
		}
		s.guide = msg.Value
		return s, s.password.judge()
	case answer[[]core.Agreement]:
		if msg.Err == nil {
			s.texts = msg.Value
			s.Refresh()
		}
		return s, nil
	case tui.BackMsg:
		if isSolved(msg) {
			return s, s.Again()
		}
		return s, nil // from a text that was read
	case signedUp:
		return s, s.done(msg)
	case rulesChanged:
		return s, tea.Batch(msg.again(), call(s.env.Ctx, s.env.Portal.Accounts.Guide))
	case tea.KeyPressMsg:
		if msg.String() == "ctrl+t" && !s.Busy() {
			if a, ok := s.marked(); ok {
				return s, tui.Push(newAgreementText(s.env, a))
			}
		}
	}
	return s, s.Handle(msg)
}

func (s *signUp) done(m signedUp) tea.Cmd {
	s.env.Reloaded(m.site)
	if asksCaptcha(m.err) {
		return s.env.afterCaptcha(s.Form)
	}
	s.password.wipe()
	if m.err != nil {
		s.Refresh() // there may be other pages now
		r := refusalOf(s.env, m.err)
		if core.CodeOf(m.err) == core.CodeAgreement { // the general sentence is about a sign-in
			r.Text = s.env.T("agreement.must")
		}
		s.Refuse(r)
		// The rules may be others than those that were shown.
		return tea.Batch(call(s.env.Ctx, s.env.Portal.Accounts.Guide), s.readTexts())
	}
	s.wipe()
	s.ear.shut()
	if m.result.Pending {
		return tui.Replace(newWaiting(s.env))
	}
	return s.env.proceed(m.result.Progress)
}

// Title is the screen's; the form adds the page.
func (s *signUp) Title() string { return s.env.T("signup.title") }

// newWaiting returns the page of somebody whose account an admin has to approve.
func newWaiting(e *Env) tui.Screen {
	return &page{
		env:   e,
		title: func() string { return e.T("signup.title") },
		body: func(width int) string {
			return e.Theme.Heading.Render(e.T("signup.waiting_title")) + "\n\n" + tui.Wrap(e.T("signup.waiting_text"), width)
		},
		keys: func() []key.Binding { return []key.Binding{e.bind("enter", "key.continue")} },
		do: func(k string) tea.Cmd {
			if k == "enter" {
				return tui.Pop()
			}
			return nil
		},
	}
}
