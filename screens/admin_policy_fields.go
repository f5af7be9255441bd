// The custom fields of sign-up: a setting that is a list, with a page and a form
// of its own.

package screens

import (
	"regexp"
	"slices"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/core/text"
	"postern/tui"
)

// policyFields is the list of the fields.
type policyFields struct {
	work   *policyWork
	set    core.Setting
	fields []core.Field
	menu   menu
	w, h   int
}

// fieldTyped is what the form of a field leaves behind; at is its place.
type fieldTyped struct {
	at    int
	field core.Field
}

var (
	_ tui.Screen   = (*policyFields)(nil)
	_ tui.Titled   = (*policyFields)(nil)
	_ tui.Helper   = (*policyFields)(nil)
	_ tui.Numbered = (*policyFields)(nil)
)

func newPolicyFields(w *policyWork, set core.Setting) tui.Screen {
	s := &policyFields{work: w, set: set}
	if p, err := w.base.With(map[string]string{set.Path: w.value(set)}); err == nil || FieldOf(err) != set.Path {
		s.fields = slices.Clone(p.SignUp.Fields)
	}
	s.menu = menu{env: w.env, ways: s.ways}
	return s
}

// Init has nothing to read.
func (s *policyFields) Init() tea.Cmd { return nil }

const wayAddField = "add"

func (s *policyFields) ways() []menuItem {
	e := s.work.env
	var out []menuItem
	for i, f := range s.fields {
		note := e.T("policy.field_kind." + string(f.Kind))
		if f.Required {
			note = e.T("policy.field_required", "Kind", note)
		}
		out = append(out, menuItem{id: f.Key, label: text.Escape(f.Label), note: note,
			open: func() tea.Cmd { return tui.Push(newPolicyField(s, i)) }})
	}
	if len(s.fields) < core.MaxFields {
		out = append(out, menuItem{id: wayAddField, label: e.T("policy.field_add"), note: e.T("policy.field_add_note"), group: true,
			open: func() tea.Cmd { return tui.Push(newPolicyField(s, len(s.fields))) }})
	}
	return out
}

// Update takes fields that were typed, and keys.
func (s *policyFields) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch m := msg.(type) {
	case tui.BackMsg:
		if r, ok := m.Result.(fieldTyped); ok {
			if r.at == len(s.fields) {
				s.fields = append(s.fields, r.field)
			}
			s.fields[r.at] = r.field
			s.menu.at = r.field.Key
		}
	case tea.KeyPressMsg:
		switch m.String() {
		case "esc":
			return s, tui.PopWith(policyTyped{s.set.Path, core.FormatFields(s.fields)})
		case "x":
			ways := s.ways()
			if i := s.menu.index(ways); i < len(s.fields) {
				s.fields = slices.Delete(s.fields, i, i+1)
			}
		default:
			cmd, _ := s.menu.key(m)
			return s, cmd
		}
	}
	return s, nil
}

// SetSize takes the room of the page.
func (s *policyFields) SetSize(w, h int) { s.w, s.h = w, h }

// Title names the page.
func (s *policyFields) Title() string { return s.work.env.settingTitle(s.set.Path) }

// Choices is how many lines the list has.
func (s *policyFields) Choices() int { return len(s.ways()) }

// View is what the fields are for, and the list.
func (s *policyFields) View() string {
	e := s.work.env
	return e.Theme.Muted.Render(tui.Wrap(e.T("policy."+s.set.Path+".help"), s.w)) + "\n\n" + s.menu.draw(s.w, true)
}

// Help returns the keys that work now.
func (s *policyFields) Help() []key.Binding {
	out := s.menu.help()
	if len(s.fields) > 0 {
		out = append(out, s.work.env.bind("x", "policy.key_remove"))
	}
	return append(out, s.work.env.bind("esc", "key.back"))
}

// policyField is the form of one field.
type policyField struct {
	*tui.Form
	list             *policyFields
	at               int
	key, label, kind string
	required         bool
}

var (
	_ tui.Screen   = (*policyField)(nil)
	_ tui.Titled   = (*policyField)(nil)
	_ tui.Helper   = (*policyField)(nil)
	_ tui.Typer    = (*policyField)(nil)
	_ tui.Cursored = (*policyField)(nil)
)

func newPolicyField(list *policyFields, at int) tui.Screen {
	s := &policyField{list: list, at: at, kind: string(core.FieldText)}
	if at < len(list.fields) {
		f := list.fields[at]
		s.key, s.label, s.kind, s.required = f.Key, f.Label, string(f.Kind), f.Required
	}
	s.Form = tui.NewForm(list.work.env.Session, s.spec)
	return s
}

func (s *policyField) spec() tui.FormSpec {
	e := s.list.work.env
	var kinds []tui.Option
	for _, k := range []core.FieldKind{core.FieldText, core.FieldNumber, core.FieldHidden} {
		kinds = append(kinds, tui.Option{Value: string(k), Label: e.T("policy.field_kind." + string(k)), Note: e.T("policy.field_about." + string(k))})
	}
	return tui.FormSpec{
		Pages: []tui.Page{{Fields: []tui.Field{
			tui.Text{Key: "label", Label: e.T("policy.field_label"), Value: &s.label, Limit: core.MaxFieldLabel, Check: s.checkLabel},
			tui.Text{Key: "key", Label: e.T("policy.field_key"), Value: &s.key, Limit: core.MaxFieldLabel, Check: s.checkKey, Hint: e.T("policy.field_key_hint")},
			tui.Choice{Key: "kind", Label: e.T("policy.field_what"), Value: &s.kind, Options: kinds},
			tui.Toggle{Key: "required", Label: e.T("policy.field_must"), Value: &s.required, Check: func(v bool) string {
				if v && s.kind == string(core.FieldHidden) {
					return e.T("policy.field_hidden_must")
				}
				return ""
			}},
		}}},
		Submit: e.T("policy.take"),
		Do: func() tea.Cmd {
			return tui.PopWith(fieldTyped{s.at, core.Field{Key: s.key, Label: strings.TrimSpace(s.label), Kind: core.FieldKind(s.kind), Required: s.required}})
		},
	}
}

var fieldKey = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

func (s *policyField) checkKey(v string) string {
	taken := slices.ContainsFunc(s.list.fields, func(f core.Field) bool { return f.Key == v })
	if own := s.at < len(s.list.fields) && s.list.fields[s.at].Key == v; taken && !own {
		return s.list.work.env.T("policy.field_taken")
	}
	if !fieldKey.MatchString(v) {
		return s.list.work.env.T("policy.field_key_rule")
	}
	return ""
}

// checkLabel refuses what would end the field where fields are written in a line.
func (s *policyField) checkLabel(v string) string {
	if strings.Contains(v, ";") || strings.TrimSpace(v) == "" {
		return s.list.work.env.T("policy.field_label_rule")
	}
	return ""
}

// Update hands everything to the form.
func (s *policyField) Update(msg tea.Msg) (tui.Screen, tea.Cmd) { return s, s.Handle(msg) }

// Title names the page.
func (s *policyField) Title() string { return s.list.work.env.T("policy.field") }
