// Administration: the ways of those who hold a role. Each way is one line of
// adminWays, with the operation of the core it stands for; nobody is shown a way
// that the core would refuse.

package screens

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// adminWay is one way of administration.
type adminWay struct {
	key         string                // opens it; no two have the same
	title, note string                // of the dictionary
	open        func(*Env) tui.Screen // makes its first screen
	op          core.Operation        // what the role must allow for it to be there
}

// adminWays are all ways, in the order of the page.
func adminWays() []adminWay {
	return []adminWay{
		{"o", "overview.title", "overview.note", NewOverview, core.OpOverview},
		{"p", "people.title", "people.note", NewPeople, core.OpReadAccounts},
		{"n", "invites.title", "invites.note_way", NewInvitations, core.OpInvite},
		{"l", "policy.title", "policy.note", NewPolicy, core.OpReadPolicy},
		{"d", "requests.title", "requests.note", NewRequests, core.OpReadRequests},
		{"s", "analysis.title", "analysis.note", NewScripts, core.OpReadAnalysis},
		{"t", "retention.title", "retention.note", NewRetention, core.OpRetention},
		{"r", "roles.title", "roles.note", NewRoles, core.OpReadRoles},
		{"u", "audit.title", "audit.note", NewAudit, core.OpReadAudit},
		{keyMessages, "outbox.title", "home.outbox_note", NewOutbox, core.OpMessages},
		{"a", "apps.title", "apps.way_note", NewApps, core.OpReadApps},
		{"c", "contact.title", "contact.note", NewContacts, core.OpContacts},
		{"g", "agreements.title", "agreements.note", NewAgreements, core.OpReadPolicy},
	}
}

// admin is the menu of the ways.
type admin struct {
	env  *Env
	menu menu
	w, h int
}

var (
	_ tui.Screen   = (*admin)(nil)
	_ tui.Titled   = (*admin)(nil)
	_ tui.Helper   = (*admin)(nil)
	_ tui.Numbered = (*admin)(nil)
)

// NewAdmin returns the screen.
func NewAdmin(env *Env) tui.Screen {
	s := &admin{env: env}
	s.menu = menu{env: env, ways: s.ways}
	return s
}

// Init does nothing: what is shown depends on the roles alone.
func (s *admin) Init() tea.Cmd { return nil }

// ways returns the ways that the person may go. The id of each is its key.
func (s *admin) ways() []menuItem {
	var out []menuItem
	for _, w := range adminWays() {
		if s.env.may(w.op) {
			out = append(out, menuItem{id: w.key, label: w.key + "  " + s.env.T(w.title), note: s.env.T(w.note),
				open: func() tea.Cmd { s.env.desk = w.op; return tui.Push(w.open(s.env)) }})
		}
	}
	return out
}

// Update opens a way by its own key, before the menu sees it.
func (s *admin) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	if _, ok := msg.(tui.BackMsg); ok {
		s.env.desk = deskAny
	}
	k, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return s, nil
	}
	if k.String() == "esc" {
		return s, tui.Pop()
	}
	for _, w := range s.ways() {
		if w.id == k.String() {
			s.menu.at = w.id
			return s, w.open()
		}
	}
	cmd, _ := s.menu.key(k)
	return s, cmd
}

// SetSize takes the room of the page.
func (s *admin) SetSize(w, h int) { s.w, s.h = w, h }

// Title names the page.
func (s *admin) Title() string { return s.env.T("admin.title") }

// Choices is how many ways there are.
func (s *admin) Choices() int { return len(s.ways()) }

// View is the person's roles, and the ways.
func (s *admin) View() string {
	e, w := s.env, min(s.w, tui.BodyWidth)
	head := e.T("profile.roles", "Roles", e.roleWords(e.roles))
	return e.Theme.Muted.Render(tui.Wrap(head, w)) + "\n\n" + s.menu.view(w)
}

// Help returns the keys that work now.
func (s *admin) Help() []key.Binding { return append(s.menu.help(), s.env.bind("esc", "key.back")) }
