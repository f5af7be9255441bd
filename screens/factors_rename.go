// What changes about a factor or a key: which one is asked for first, names, and
// when a key ends.

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

// keyEndSet is what is left behind when a key ends at another moment.
type keyEndSet struct{}

// changeEnd opens the form that lets a key end at another moment.
func (s *factorList) changeEnd(row string) tea.Cmd {
	e, keys, actor := s.env, s.env.Portal.Keys, s.env.Actor()
	k, ok := s.linked(row)
	if !ok {
		return s.read()
	}
	typed := core.FormatEnd(k.Until, e.Dict.Zone())
	return tui.Push(newDeedForm(&deedForm{
		env: e, why: "stepup.why_key", title: func() string { return e.T("factors.end_title") },
		do: func() func(context.Context) (any, error) {
			typed, zone := typed, e.Dict.Zone()
			return func(ctx context.Context) (any, error) {
				until, err := core.ParseEnd(typed, zone)
				if err != nil {
					return nil, err
				}
				_, err = keys.SetEnd(ctx, actor, k.Fingerprint, until)
				return keyEndSet{}, err
			}
		},
		refusal: func(err error) tui.Refusal {
			r := refusalOf(e, err)
			switch core.CodeOf(err) {
			case core.CodeFormat:
				r.Text = e.T("roles.end_format")
			case core.CodeNotFound:
				r.Text = e.T("factors.was_gone")
			}
			return r
		},
	}, func() tui.FormSpec {
		return tui.FormSpec{
			Pages: []tui.Page{{
				Text:   e.T("factors.end_text", "Name", s.keyName(k)),
				Fields: []tui.Field{e.endField(&typed)},
			}},
			Submit: e.T("factors.end_submit"), Busy: e.T("factors.end_busy"),
		}
	}))
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
