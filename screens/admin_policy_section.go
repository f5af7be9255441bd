// One section of the policy: its settings with their values, and what is to be
// known of the marked one beside them or below. Switches and choices turn in
// place; what is typed has a form that tells its bounds.

package screens

import (
	"slices"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"postern/core"
	"postern/core/script"
	"postern/tui"
)

// policySection is the page of a section.
type policySection struct {
	env     *Env
	edit    *policyEdit
	work    *policyWork
	section string
	menu    menu
	w, h    int
}

// policyTyped is what the form of a setting leaves behind.
type policyTyped struct{ path, value string }

var (
	_ tui.Screen   = (*policySection)(nil)
	_ tui.Titled   = (*policySection)(nil)
	_ tui.Helper   = (*policySection)(nil)
	_ tui.Numbered = (*policySection)(nil)
)

func newPolicySection(edit *policyEdit, section string) tui.Screen {
	s := &policySection{env: edit.env, edit: edit, work: edit.work, section: section}
	s.menu = menu{env: edit.env, ways: s.ways}
	return s
}

// Init has nothing to read.
func (s *policySection) Init() tea.Cmd { return nil }

func (s *policySection) ways() []menuItem {
	var out []menuItem
	for _, set := range settingsOf(s.section) {
		item := menuItem{id: set.Path, label: s.env.settingTitle(set.Path), value: s.env.settingValue(set, s.work.value(set))}
		switch {
		case !s.edit.mayChange():
			item.open = func() tea.Cmd { return nil }
		case set.Kind == core.KindBool, set.Kind == core.KindChoice:
			item.turn = func(by int) tea.Cmd { s.turn(set, by); return nil }
		case set.Kind == core.KindFields:
			item.open = func() tea.Cmd { return tui.Push(newPolicyFields(s.work, set)) }
		default:
			item.open = func() tea.Cmd { return tui.Push(newPolicyValue(s.work, set)) }
		}
		out = append(out, item)
	}
	return out
}

// turn goes to the next value of a switch or a choice.
func (s *policySection) turn(set core.Setting, by int) {
	values := set.Choices
	if set.Kind == core.KindBool {
		values = []string{"off", "on"}
	}
	i := slices.Index(values, s.work.value(set))
	s.work.set(set, values[(i+by+len(values))%len(values)])
}

// Update takes what was typed, and keys.
func (s *policySection) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch m := msg.(type) {
	case tui.BackMsg:
		if r, ok := m.Result.(policyTyped); ok {
			s.work.set(settingByPath(r.path), r.value)
		}
	case tea.KeyPressMsg:
		switch k := m.String(); {
		case k == "esc":
			return s, tui.Pop()
		case k == "s" && len(s.work.values) > 0:
			return s, tea.Sequence(tui.PopWith(policyTaken{review: true}))
		case k == "u" && s.edit.mayChange():
			ways := s.ways()
			delete(s.work.values, ways[s.menu.index(ways)].id)
			s.work.dirty = true
		default:
			cmd, _ := s.menu.key(m)
			return s, cmd
		}
	}
	return s, nil
}

// SetSize takes the room of the page.
func (s *policySection) SetSize(w, h int) { s.w, s.h = w, h }

// Title names the page.
func (s *policySection) Title() string { return s.env.T("policy." + s.section) }

// Choices is how many settings there are.
func (s *policySection) Choices() int { return len(s.ways()) }

// View is the settings, and the help of the marked one.
func (s *policySection) View() string {
	e := s.env
	ways := s.ways()
	at := s.menu.index(ways)
	set := settingsOf(s.section)[at]
	beside := s.w >= tui.DetailWidth
	width := s.w
	if beside {
		width = s.w * 3 / 5
	}
	help := s.help(set, map[bool]int{true: s.w - width - 3, false: min(s.w, tui.BodyWidth)}[beside])
	room := s.h
	if !beside {
		room = max(s.h-strings.Count(help, "\n")-2, 3)
	}
	rows := s.rows(ways, at, width)
	from := max(min(at-room/2, len(rows)-room), 0)
	rows = rows[from:min(from+room, len(rows))]
	if !beside {
		return strings.Join(rows, "\n") + "\n\n" + help
	}
	side := strings.Split(help, "\n")
	th := e.Theme
	for len(rows) < len(side) {
		rows = append(rows, "")
	}
	for i := range rows {
		line := ""
		if i < len(side) {
			line = side[i]
		}
		rows[i] = th.Pad(rows[i], width) + " " + th.Rule.Render(th.Signs.Bar) + " " + line
	}
	return strings.Join(rows, "\n")
}

// rows draws the settings.
func (s *policySection) rows(ways []menuItem, at, width int) []string {
	e, th := s.env, s.env.Theme
	wide := 0
	for _, w := range ways {
		wide = max(wide, ansi.StringWidth(w.label))
	}
	wide = min(wide, width/2)
	settings := settingsOf(s.section)
	out := make([]string, len(ways))
	for i, w := range ways {
		mark, label, left, right := "  ", th.Text, " ", " "
		if i == at {
			mark, label = th.Accent.Render(th.Signs.Mark)+" ", th.Selected
			if w.turn != nil {
				left, right = th.Accent.Render(th.Signs.Left), th.Accent.Render(th.Signs.Right)
			}
		}
		line := mark + e.Number(i) + label.Render(th.Pad(w.label, wide)) + "  " + left + " "
		set := settings[i]
		note := ""
		_, changed := s.work.values[set.Path]
		if changed {
			note = e.T("policy.was", "Value", e.settingValue(set, set.Get(s.work.base)))
		} else if s.work.value(set) == usual(set) {
			note = e.T("policy.is_usual")
		}
		rest := width - ansi.StringWidth(line) - 2
		value := th.Pad(w.value, min(ansi.StringWidth(w.value), rest))
		style := th.Text
		if changed {
			style = th.Accent
		}
		line += style.Render(value) + " " + right
		if left := width - ansi.StringWidth(line) - 2; left > 6 && note != "" {
			line += " " + th.Muted.Render(th.Pad(note, min(ansi.StringWidth(note), left)))
		}
		out[i] = line
	}
	return out
}

// help is what is to be known of a setting, and why it cannot be as it is.
func (s *policySection) help(set core.Setting, width int) string {
	e, th := s.env, s.env.Theme
	out := th.Heading.Render(th.Pad(e.settingTitle(set.Path), min(width, ansi.StringWidth(e.settingTitle(set.Path))))) + "\n" + e.settingHelp(set, width)
	if err := s.work.problem(); err != nil {
		out += "\n" + th.Bad.Render(th.Signs.No+" "+hangBy(2, tui.Wrap(e.policyRefusal(err), width-2)))
	}
	return out
}

// Help returns the keys that work now.
func (s *policySection) Help() []key.Binding {
	e := s.env
	var out []key.Binding
	if s.edit.mayChange() {
		out = s.menu.help()
		if len(s.work.values) > 0 {
			out = append(out, e.bind("s", "policy.key_review"), e.bind("u", "policy.key_undo"))
		}
	} else {
		out = append(out, e.bind(e.arrows(), "key.move"))
	}
	return append(out, e.bind("esc", "key.back"))
}

// policyValue is the form of one setting that is typed.
type policyValue struct {
	*tui.Form
	work  *policyWork
	set   core.Setting
	typed string
}

var (
	_ tui.Screen   = (*policyValue)(nil)
	_ tui.Titled   = (*policyValue)(nil)
	_ tui.Helper   = (*policyValue)(nil)
	_ tui.Typer    = (*policyValue)(nil)
	_ tui.Cursored = (*policyValue)(nil)
)

// maxTypedValue is longer than any number or span.
const maxTypedValue = 24

// maxTypedURLs is room for as many prefixes as there may be, each of a length that
// people type.
const maxTypedURLs = 200 * script.MaxPrefixes

func newPolicyValue(w *policyWork, set core.Setting) tui.Screen {
	s := &policyValue{work: w, set: set, typed: w.value(set)}
	s.Form = tui.NewForm(w.env.Session, s.spec)
	return s
}

func (s *policyValue) spec() tui.FormSpec {
	e := s.work.env
	return tui.FormSpec{
		Pages: []tui.Page{{Fields: []tui.Field{
			tui.Note{Show: func(width int) string { return e.settingHelp(s.set, width) + "\n" }},
			s.field(),
		}}},
		Submit: e.T("policy.take"),
		Do:     func() tea.Cmd { return tui.PopWith(policyTyped{s.set.Path, strings.TrimSpace(s.typed)}) },
	}
}

// field asks for the value. What is text may be empty, and as long as the setting
// lets it be.
func (s *policyValue) field() tui.Field {
	f := tui.Text{Key: "value", Label: s.work.env.settingTitle(s.set.Path), Value: &s.typed, Limit: maxTypedValue, Check: s.check}
	switch s.set.Kind {
	case core.KindText:
		f.Limit, f.Optional = s.set.Max, true
	case core.KindURLs:
		f.Limit, f.Optional = maxTypedURLs, true
	}
	return f
}

// check tells the bounds; rules between settings are told on the page below,
// where the other one can be changed too.
func (s *policyValue) check(v string) string {
	_, err := s.work.base.With(map[string]string{s.set.Path: strings.TrimSpace(v)})
	if code := core.CodeOf(err); FieldOf(err) != s.set.Path || code != core.CodeRange && code != core.CodeFormat {
		return ""
	}
	if strings.HasPrefix(ruleOf(err), "≥") {
		return ""
	}
	return s.work.env.settingBounds(s.set)
}

// Update hands everything to the form.
func (s *policyValue) Update(msg tea.Msg) (tui.Screen, tea.Cmd) { return s, s.Handle(msg) }

// Title names the page.
func (s *policyValue) Title() string { return s.work.env.settingTitle(s.set.Path) }
