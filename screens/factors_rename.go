// What changes about a factor or a key: which one is asked for first, and names.

package screens

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// defaultSet is what came of choosing the default.
type defaultSet struct {
	name string
	err  error
}

// setDefault returns the command that has a factor asked for first.
func (s *factorList) setDefault(row string) tea.Cmd {
	f, ok := s.factor(row)
	if !ok {
		return s.read()
	}
	ctx, factors, actor := s.env.Ctx, s.env.Portal.Factors, s.env.Actor()
	return func() tea.Msg { return defaultSet{f.Label, factors.SetDefault(ctx, actor, f.ID)} }
}

func (s *factorList) defaulted(m defaultSet) tea.Cmd {
	if m.err != nil {
		s.say(s.env.Sentence(m.err))
		return s.read()
	}
	return tea.Batch(s.read(), tui.Toast(tui.Good, s.env.T("factors.default_now", "Name", escaped(m.name))))
}

// rename opens the screen that gives a factor or a key another name.
func (s *factorList) rename(row string) tea.Cmd {
	factors, keys, actor := s.env.Portal.Factors, s.env.Portal.Keys, s.env.Actor()
	if f, ok := s.factor(row); ok {
		return tui.Push(newRename(s.env, f.Label, false, func(ctx context.Context, label string) error {
			return factors.Rename(ctx, actor, f.ID, label)
		}))
	}
	if k, ok := s.linked(row); ok {
		return tui.Push(newRename(s.env, k.Label, true, func(ctx context.Context, label string) error {
			return keys.Rename(ctx, actor, k.Fingerprint, label)
		}))
	}
	return s.read()
}

// rename asks for a name.
type rename struct {
	*tui.Form
	env      *Env
	label    string
	optional bool
	do       func(ctx context.Context, label string) error
}

// renamedFactor is what the screen leaves behind when there is another name.
type renamedFactor struct{}

// renamed is what came of it.
type renamed struct{ err error }

var (
	_ tui.Screen   = (*rename)(nil)
	_ tui.Titled   = (*rename)(nil)
	_ tui.Helper   = (*rename)(nil)
	_ tui.Typer    = (*rename)(nil)
	_ tui.Cursored = (*rename)(nil)
)

// newRename returns the screen for something that is called label now. do gives it
// the new name, which may be none if optional is set.
func newRename(env *Env, label string, optional bool, do func(ctx context.Context, label string) error) tui.Screen {
	s := &rename{env: env, label: label, optional: optional, do: do}
	s.Form = tui.NewForm(env.Session, s.spec)
	return s
}

func (s *rename) spec() tui.FormSpec {
	e := s.env
	return tui.FormSpec{
		Pages: []tui.Page{{Fields: []tui.Field{
			tui.Text{Key: "label", Label: e.T("factors.name"), Value: &s.label, Limit: core.MaxFactorLabel, Optional: s.optional},
		}}},
		Submit: e.T("factors.rename_submit"), Busy: e.T("factors.renaming"),
		Do: func() tea.Cmd {
			ctx, do, label := e.Ctx, s.do, s.label
			return func() tea.Msg { return renamed{do(ctx, label)} }
		},
	}
}

// Update takes the core's answer.
func (s *rename) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	m, ok := msg.(renamed)
	if !ok {
		return s, s.Handle(msg)
	}
	switch core.CodeOf(m.err) {
	case "":
		return s, tui.PopWith(renamedFactor{})
	case core.CodeNotFound:
		return s, tea.Sequence(tui.Pop(), tui.Toast(tui.Info, s.env.T("factors.was_gone")))
	}
	r := refusalOf(s.env, m.err)
	if core.CodeOf(m.err) == core.CodeCharacter { // the general sentence is about user names
		r.Text = s.env.T("profile.character")
	}
	s.Refuse(r)
	return s, nil
}

// Title is the screen's.
func (s *rename) Title() string { return s.env.T("factors.rename_title") }
