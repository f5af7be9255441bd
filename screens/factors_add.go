// What can be added to an account: every method that the policy has switched on,
// with what it is worth.

package screens

import (
	"slices"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// addFactor is the choice of a new factor.
type addFactor struct {
	env  *Env
	have core.Protection
	menu menu
	w    int
}

var (
	_ tui.Screen   = (*addFactor)(nil)
	_ tui.Titled   = (*addFactor)(nil)
	_ tui.Helper   = (*addFactor)(nil)
	_ tui.Numbered = (*addFactor)(nil)
)

// newAddFactor returns the screen for an account with that protection. It leaves
// behind whatever the screen of the choice did.
func newAddFactor(env *Env, have core.Protection) tui.Screen {
	s := &addFactor{env: env, have: have}
	s.menu = menu{env: env, ways: s.ways}
	return s
}

// ways are what can be added: first the app, which everybody can have, then the
// others by their strength.
func (s *addFactor) ways() []menuItem {
	e := s.env
	item := func(id string, open func() tui.Screen) menuItem {
		return menuItem{id: id, label: e.T("factors.add." + id), note: e.T("factors.add_note." + id),
			open: func() tea.Cmd { return tui.Push(open()) }}
	}
	enrolled := func(m core.Enrolled) tea.Cmd { return tui.PopWith(m.Factor) }
	var out []menuItem
	if s.have.KeysOn {
		here := s.have.Here
		if here != "" && !slices.ContainsFunc(s.have.Keys, func(k core.LinkedKey) bool { return k.Fingerprint == here && k.Ended.IsZero() }) {
			out = append(out, item("here", func() tui.Screen { return newLinkKey(e) }))
		}
		out = append(out, item("paste", func() tui.Screen { return newAddKey(e) }))
	}
	for _, kind := range s.have.Methods {
		switch kind {
		case core.FactorApp:
			out = append([]menuItem{item("app", func() tui.Screen { return newEnrolApp(e, "", enrolled) })}, out...)
		case core.FactorSMS, core.FactorEmail:
			out = append(out, item(string(kind), func() tui.Screen { return newEnrolSent(e, "", kind, enrolled) }))
		}
	}
	return append(out, item("codes", func() tui.Screen { return newRecovery(e) }))
}

// Init does nothing.
func (s *addFactor) Init() tea.Cmd { return nil }

// Update takes keys. Once something was added the choice has been made.
func (s *addFactor) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch m := msg.(type) {
	case tui.BackMsg:
		if m.Result != nil {
			return s, tui.PopWith(m.Result)
		}
	case tea.KeyPressMsg:
		if m.String() == "esc" {
			return s, tui.Pop()
		}
		cmd, _ := s.menu.key(m)
		return s, cmd
	}
	return s, nil
}

// Choices is how many ways on there are.
func (s *addFactor) Choices() int { return len(s.ways()) }

// SetSize takes the room of the page.
func (s *addFactor) SetSize(w, _ int) { s.w = w }

// View draws the choice.
func (s *addFactor) View() string {
	w := min(s.w, tui.BodyWidth)
	return tui.Wrap(s.env.T("factors.add_text"), w) + "\n\n" + s.menu.view(w)
}

// Title names the page.
func (s *addFactor) Title() string { return s.env.T("factors.add_title") }

// Help returns the keys that work now.
func (s *addFactor) Help() []key.Binding { return append(s.menu.help(), s.env.bind("esc", "key.back")) }
