// One person, for those who look after people: everything that is known of the
// account, its sessions, the last of its trail, and what can be done about it.

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

// personTrail is how many entries of the trail stand on a person's page.
const personTrail = 8

// person is the page.
type person struct {
	*page
	env  *Env
	id   string
	busy tui.Busy
	have personAll
	read bool
	err  error
	acts bool // something was done from here
}

// personAll is everything that is read for the page.
type personAll struct {
	person   core.AccountDetail
	sessions []core.Session
	trail    []core.Entry
	trailed  bool // the trail may be read
	now      time.Time
	err      error
}

// personSeen is what the page leaves behind when something was done from it.
type personSeen struct{}

var (
	_ tui.Screen = (*person)(nil)
	_ tui.Titled = (*person)(nil)
	_ tui.Helper = (*person)(nil)
)

// newPerson returns the page of the account with an id.
func newPerson(env *Env, id string) tui.Screen {
	s := &person{env: env, id: id}
	s.page = &page{env: env, title: s.title, body: s.body, keys: s.keys, do: s.do}
	return s
}

func (s *person) title() string {
	if !s.read {
		return s.env.T("people.one")
	}
	return escaped(s.have.person.UserName)
}

// Init reads the person.
func (s *person) Init() tea.Cmd {
	ctx, portal, actor, clock, id, trailed := s.env.Ctx, s.env.Portal, s.env.Actor(), s.env.Clock, s.id, s.env.may(core.OpReadAudit)
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")), func() tea.Msg {
		m := personAll{trailed: trailed, now: clock()}
		if m.person, m.err = portal.Accounts.Show(ctx, actor, id); m.err != nil {
			return m
		}
		if m.sessions, m.err = portal.Sessions.List(ctx, actor, id); m.err != nil || !trailed {
			return m
		}
		var page core.AuditPage
		page, m.err = portal.Audit.List(ctx, actor, id, "", personTrail)
		m.trail = page.Entries
		return m
	})
}

// Update takes what was read, what other screens left behind, and keys.
func (s *person) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case personAll:
		s.busy.Stop()
		if s.err = msg.err; msg.err == nil {
			s.have, s.read = msg, true
		}
		return s, nil
	case tui.BackMsg:
		switch msg.Result.(type) {
		case peopleActed, codeIssued:
			s.acts = true
			return s, s.Init()
		}
		return s, s.Init() // roles may have been given or ended
	case tea.KeyPressMsg:
		if msg.String() == "esc" && s.acts {
			return s, tui.PopWith(personSeen{})
		}
		if msg.String() == "g" { // to the page it is the way to its top
			return s, s.do("g")
		}
		_, cmd := s.page.Update(msg)
		return s, cmd
	}
	return s, s.busy.Handle(msg)
}

// personKeys are the acts of the page, by their keys; the page offers those that
// fit the state the account is in.
func (s *person) personKeys() []struct {
	key  string
	kind core.BulkKind
} {
	type act = struct {
		key  string
		kind core.BulkKind
	}
	var out []act
	switch s.have.person.State {
	case core.StateActive:
		out = append(out, act{"s", core.BulkSuspend})
	case core.StateSuspended:
		out = append(out, act{"s", core.BulkResume})
	case core.StatePending:
		out = append(out, act{"y", core.BulkApprove}, act{"n", core.BulkReject})
	case core.StateRejected:
		out = append(out, act{"y", core.BulkApprove})
	}
	if s.have.person.Failures > 0 {
		out = append(out, act{"u", core.BulkUnlock})
	}
	if len(s.have.sessions) > 0 {
		out = append(out, act{"x", core.BulkEndSessions})
	}
	if len(s.have.person.Factors)+len(s.have.person.Keys)+s.have.person.Recovery.Left > 0 {
		out = append(out, act{"f", core.BulkResetFactors})
	}
	out = append(out, act{"e", core.BulkExpire})
	if s.env.may(core.OpRequests) {
		out = append(out, act{"d", core.BulkDelete})
	}
	return out
}

func (s *person) keys() []key.Binding {
	if !s.read {
		return []key.Binding{s.env.bind("r", "page.refresh")}
	}
	var out []key.Binding
	if s.env.may(core.OpManageAccounts) {
		for _, a := range s.personKeys() {
			out = append(out, s.env.bind(a.key, "people.key."+string(a.kind)))
		}
		if s.have.person.State == core.StateActive {
			out = append(out, s.env.bind("c", "people.key_code"))
		}
	}
	if s.env.may(core.OpManageRoles) && s.have.person.State == core.StateActive {
		out = append(out, s.env.bind("g", "people.key_role"))
	}
	if len(s.have.person.Grants) > 0 {
		out = append(out, s.env.bind("o", "people.key_roles"))
	}
	return append(out, s.env.bind("r", "page.refresh"))
}

func (s *person) do(k string) tea.Cmd {
	if k == "r" {
		return s.Init()
	}
	if k == "g" && s.read && s.env.may(core.OpManageRoles) && s.have.person.State == core.StateActive {
		return tui.Push(newGiveRoleTo(s.env, s.have.person.UserName))
	}
	if k == "o" && s.read && len(s.have.person.Grants) > 0 {
		return tui.Push(newRolesOf(s.env, s.have.person.UserName))
	}
	if !s.read || !s.env.may(core.OpManageAccounts) {
		return nil
	}
	for _, a := range s.personKeys() {
		if a.key == k {
			return tui.Push(newPeopleAsk(s.env, a.kind, map[string]string{s.id: s.have.person.UserName}))
		}
	}
	if k == "c" && s.have.person.State == core.StateActive {
		return tui.Push(newIssueCode(s.env, s.id, s.have.person.UserName))
	}
	return nil
}

func (s *person) body(width int) string {
	e, th := s.env, s.env.Theme
	switch {
	case s.err != nil:
		return e.failure(s.err, width)
	case !s.read:
		return s.busy.View(th)
	}
	part := func(title string, lines []string) string {
		return "\n\n" + th.Heading.Render(e.T(title)) + "\n" + strings.Join(lines, "\n")
	}
	out := th.Facts(e.personFacts(s.have.person, s.have.now), width)
	for _, p := range e.personAccess(s.have.person, s.have.now) {
		if len(p.facts) > 0 {
			out += part(p.title, []string{th.Facts(p.facts, width)})
		}
	}
	var lines []string
	for _, x := range s.have.sessions {
		lines = append(lines, th.Pad("  "+e.T("people.session", "Door", e.doorWord(x.Door), "From", orDash(escaped(x.Remote)),
			"Client", orDash(escaped(x.Client)), "Seen", e.Dict.Relative(x.LastSeen, s.have.now)), width))
	}
	if len(lines) == 0 {
		lines = []string{th.Muted.Render("  " + e.T("people.no_sessions"))}
	}
	out += part("sessions.title", lines)
	if !s.have.trailed {
		return out
	}
	lines = nil
	for _, x := range s.have.trail {
		what := e.T("action." + string(x.Action))
		if x.Outcome == core.OutcomeRefused {
			what += " " + e.Theme.Signs.Sep + " " + e.T("outcome.refused")
		}
		by := escaped(x.Name)
		switch {
		case x.Actor == s.id:
			by = ""
		case x.ByDeleted():
			by = e.deletedAccount(x.Actor)
		}
		line := "  " + th.Pad(e.Dict.Relative(x.At, s.have.now), 14) + "  " + what
		if by != "" {
			line += ", " + by
		}
		lines = append(lines, th.Pad(line, width))
	}
	return out + part("people.trail", lines)
}

// lastSeen says when an account signed in last.
func (e *Env) lastSeen(a core.Account, now time.Time) string {
	if a.LastSignIn.IsZero() {
		return e.T("people.never")
	}
	return e.Dict.Relative(a.LastSignIn, now)
}

// accountFacts are what every account has.
func (e *Env) accountFacts(a core.Account, now time.Time) []tui.Fact {
	email := orDash(escaped(a.Email))
	if a.Email != "" && a.EmailConfirmed.IsZero() {
		email += " " + e.Theme.Signs.Sep + " " + e.T("people.unconfirmed")
	}
	last := e.T("people.never")
	if !a.LastSignIn.IsZero() {
		last = e.both(a.LastSignIn, now)
	}
	out := []tui.Fact{
		{Name: e.T("people.user"), Value: escaped(a.UserName)},
		{Name: e.T("people.name"), Value: escaped(a.DisplayName)},
		{Name: e.T("people.email"), Value: email},
		{Name: e.T("people.state"), Value: e.stateWord(a.State)},
	}
	if a.Why != "" {
		out = append(out, tui.Fact{Name: e.T("people.reason"), Value: escaped(a.Why)})
	}
	return append(out, tui.Fact{Name: e.T("people.last"), Value: last}, tui.Fact{Name: e.T("people.created"), Value: e.both(a.Created, now)})
}

// personFacts are everything that those who look after people see of one.
func (e *Env) personFacts(d core.AccountDetail, now time.Time) []tui.Fact {
	out := e.accountFacts(d.Account, now)
	add := func(name, value string) { out = append(out, tui.Fact{Name: e.T(name), Value: value}) }
	if len(d.Roles) > 0 {
		add("people.role", e.roleWords(d.Roles))
	}
	password := e.both(d.PasswordChanged, now)
	switch {
	case d.Locked:
		password = e.Theme.Signs.No + " " + e.T("people.locked")
	case d.Failures > 0:
		password += " " + e.Theme.Signs.Sep + " " + e.T("people.failures", "Count", d.Failures)
	}
	add("people.password", password)
	var factors []string
	for _, f := range d.Factors {
		word := e.factorWord(f.Kind) + " (" + escaped(f.Label) + ")"
		if !f.Disabled.IsZero() {
			word += " " + e.Theme.Signs.No
		}
		factors = append(factors, word)
	}
	for _, k := range d.Keys {
		word := e.factorWord(core.FactorKey) + " (" + escaped(k.Label+" "+shortPrint(k.Fingerprint)) + ")"
		switch {
		case !k.Ended.IsZero():
			word += " " + e.Theme.Signs.No
		case !k.Until.IsZero():
			word += " " + e.T("people.key_until", "When", e.Dict.Date(k.Until))
		}
		factors = append(factors, word)
	}
	if len(factors) == 0 {
		factors = []string{e.T("people.no_factor")}
	}
	add("people.factors", strings.Join(factors, ", "))
	if d.Recovery.Left > 0 {
		add("people.recovery", e.Dict.Number(int64(d.Recovery.Left)))
	}
	add("sessions.title", e.Dict.Number(int64(d.Sessions)))
	return out
}

// issueCode makes a one-time code and shows it once.
type issueCode struct {
	env      *Env
	id, name string
	form     *tui.Form // asks whether it is meant
	code     string
	until    time.Time
	w        int
}

// issuedCode is what came of it.
type issuedCode struct {
	code  string
	until time.Time
}

// codeIssued is what the screen leaves behind when there is a code.
type codeIssued struct{}

var (
	_ tui.Screen = (*issueCode)(nil)
	_ tui.Titled = (*issueCode)(nil)
	_ tui.Helper = (*issueCode)(nil)
	_ tui.Asking = (*issueCode)(nil)
)

func newIssueCode(env *Env, id, name string) tui.Screen {
	s := &issueCode{env: env, id: id, name: name}
	s.form = tui.NewForm(env.Session, func() tui.FormSpec {
		return tui.FormSpec{
			Pages: []tui.Page{{Text: env.T("people.code_text", "User", escaped(name)), Fields: []tui.Field{tui.Note{}}}},
			Back:  env.T("confirm.cancel"), Submit: env.T("people.code_submit"), Danger: true, Do: s.make,
		}
	})
	return s
}

// Init builds the question.
func (s *issueCode) Init() tea.Cmd { return s.form.Init() }

func (s *issueCode) make() tea.Cmd {
	accounts, actor, id := s.env.Portal.Accounts, s.env.Actor(), s.id
	return call(s.env.Ctx, func(ctx context.Context) (issuedCode, error) {
		code, until, err := accounts.IssueCode(ctx, actor, id)
		return issuedCode{code, until}, err
	})
}

// Update takes the code. It is forgotten when the page is left.
func (s *issueCode) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case answer[issuedCode]:
		switch core.CodeOf(msg.Err) {
		case "":
			s.code, s.until = msg.Value.code, msg.Value.until
		case core.CodeStepUp:
			s.form.Release()
			return s, tui.Push(newStepUp(s.env, "people.why_proof"))
		default:
			s.form.Refuse(refusalOf(s.env, msg.Err))
		}
		return s, nil
	case tui.BackMsg:
		if isProved(msg) {
			return s, s.make()
		}
		return s, nil
	case tea.KeyPressMsg:
		if s.code == "" {
			break
		}
		switch msg.String() {
		case "esc": // not enter: whoever presses that twice would have seen no code
			s.code = ""
			return s, tui.PopWith(codeIssued{})
		case "ctrl+y":
			if s.env.copies() {
				return s, s.env.copyText(s.code, "people.copied")
			}
		}
		return s, nil
	}
	return s, s.form.Handle(msg)
}

// Asking returns the question, or nil when the code is there.
func (s *issueCode) Asking() *tui.Form {
	if s.code != "" {
		return nil
	}
	return s.form
}

// SetSize takes the room of the screen.
func (s *issueCode) SetSize(w, h int) {
	s.w = w
	s.form.SetSize(w, h)
}

// View is the question, or the code.
func (s *issueCode) View() string {
	if s.code == "" {
		return s.form.View()
	}
	e, w := s.env, min(s.w, tui.BodyWidth)
	return e.Theme.Heading.Render(s.code) + "\n\n" +
		tui.Wrap(e.T("people.code_shown", "User", escaped(s.name), "Until", e.Dict.DateTime(s.until)), w)
}

// Title is the screen's.
func (s *issueCode) Title() string { return s.env.T("people.code_title") }

// Typing says that keys are no text here.
func (s *issueCode) Typing() bool { return false }

// Help returns the keys that work now.
func (s *issueCode) Help() []key.Binding {
	if s.code == "" {
		return s.form.Help()
	}
	var out []key.Binding
	if s.env.copies() {
		out = append(out, s.env.bind("ctrl+y", "people.key_copy"))
	}
	return append(out, s.env.bind("esc", "key.back"))
}
