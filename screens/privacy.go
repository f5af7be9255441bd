// Privacy: what somebody can do about their own data.

package screens

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/tui"
)

// privacy is the menu.
type privacy struct {
	env  *Env
	menu menu
	w    int
}

var (
	_ tui.Screen   = (*privacy)(nil)
	_ tui.Titled   = (*privacy)(nil)
	_ tui.Helper   = (*privacy)(nil)
	_ tui.Numbered = (*privacy)(nil)
)

// NewPrivacy returns the menu.
func NewPrivacy(env *Env) tui.Screen {
	s := &privacy{env: env}
	s.menu = menu{env: env, ways: s.ways}
	return s
}

// privacyWays are the ways, in the order of the page: the key, two words of the
// dictionary, and what opens it.
func privacyWays() []struct {
	key, title, note string
	open             func(*Env) tui.Screen
} {
	return []struct {
		key, title, note string
		open             func(*Env) tui.Screen
	}{
		{"m", "mydata.title", "mydata.note", newMyData},
		{"c", "legal.title", "legal.note", NewLegal},
		{"d", "deletion.title", "deletion.note", newMyRequest},
	}
}

func (s *privacy) ways() []menuItem {
	var out []menuItem
	for _, w := range privacyWays() {
		out = append(out, menuItem{id: w.key, label: w.key + "  " + s.env.T(w.title), note: s.env.T(w.note),
			open: func() tea.Cmd { return tui.Push(w.open(s.env)) }})
	}
	return out
}

// Init has nothing to read.
func (s *privacy) Init() tea.Cmd { return nil }

// Update opens a way by its own key, before the menu sees it.
func (s *privacy) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
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
func (s *privacy) SetSize(w, _ int) { s.w = w }

// Title names the page.
func (s *privacy) Title() string { return s.env.T("privacy.title") }

// Choices is how many ways there are.
func (s *privacy) Choices() int { return len(s.ways()) }

// View is the menu.
func (s *privacy) View() string {
	w := min(s.w, tui.BodyWidth)
	return s.env.Theme.Muted.Render(tui.Wrap(s.env.T("privacy.text"), w)) + "\n\n" + s.menu.view(w)
}

// Help returns the keys that work now.
func (s *privacy) Help() []key.Binding { return append(s.menu.help(), s.env.bind("esc", "key.back")) }
