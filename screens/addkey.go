// Linking an SSH key: one that is pasted, or the one that the connection came
// with. What a linked key means is said before, since it can change how one
// signs in.

package screens

import (
	"context"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/core/text"
	"postern/tui"
)

// addKey links a key to the account that is signed in.
type addKey struct {
	env  *Env
	here bool // the key that the connection came with; else one that is pasted

	form *tui.Form
	busy tui.Busy
	have core.Protection
	read bool  // have is known
	err  error // why it is not
	w    int

	pasted, label string
	until         string // when it ends, as it was typed
	suggested     string // what the label was when nobody had typed one
}

// linkedKey is what addKey leaves behind when a key was linked.
type linkedKey struct{}

// keyAdded is what came of linking.
type keyAdded struct{ err error }

var (
	_ tui.Screen   = (*addKey)(nil)
	_ tui.Titled   = (*addKey)(nil)
	_ tui.Helper   = (*addKey)(nil)
	_ tui.Typer    = (*addKey)(nil)
	_ tui.Cursored = (*addKey)(nil)
	_ tui.Asking   = (*addKey)(nil)
)

// newAddKey returns the screen that links a key which is pasted. It leaves
// linkedKey behind.
func newAddKey(env *Env) tui.Screen { return newKeyScreen(env, false) }

// newLinkKey returns the screen that links the key that the connection came
// with. It leaves linkedKey behind.
func newLinkKey(env *Env) tui.Screen { return newKeyScreen(env, true) }

func newKeyScreen(env *Env, here bool) tui.Screen {
	s := &addKey{env: env, here: here}
	s.form = tui.NewForm(env.Session, s.spec)
	return s
}

// Init reads what a key will stand for.
func (s *addKey) Init() tea.Cmd {
	s.err = nil
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")), s.env.protection())
}

// protection returns the command that reads how the account is protected; its
// message is an answer[core.Protection].
func (e *Env) protection() tea.Cmd {
	factors, actor := e.Portal.Factors, e.Actor()
	return call(e.Ctx, func(ctx context.Context) (core.Protection, error) { return factors.Mine(ctx, actor) })
}

func (s *addKey) spec() tui.FormSpec {
	e := s.env
	label := tui.Text{Key: "label", Label: e.T("addkey.label"), Value: &s.label, Limit: core.MaxFactorLabel,
		Optional: true, Hint: e.T("addkey.label_hint")}
	until := tui.Text{Key: "until", Label: e.T("addkey.until"), Value: &s.until, Limit: 40, Optional: true,
		Hint: e.T("addkey.until_hint"), Check: e.checkEnd}
	fields := []tui.Field{tui.Note{Show: s.meaning}}
	if !s.here {
		fields = append(fields, tui.Text{Key: "key", Label: e.T("addkey.key"), Value: &s.pasted, Limit: core.MaxKeyLine,
			Hint: "ssh-ed25519 AAAA" + e.Theme.Signs.Ellipsis, Below: s.where, Check: s.single})
	}
	return tui.FormSpec{
		Pages: []tui.Page{{Fields: append(fields, label, until)}},
		Back:  e.T("confirm.cancel"), Submit: e.T("home.link_yes"), Busy: e.T("addkey.busy"),
		// Whoever came here by a key pressed in passing meets the safe button.
		Danger: s.here,
		Do:     s.link, Changed: s.changed, Leave: s.leave,
	}
}

// single refuses several keys that were pasted at once: a field holds one line, so
// the second would be taken for the comment of the first. All keys begin with the
// length of their type's name (RFC 4253 §6.6), which reads AAAA.
func (s *addKey) single(pasted string) string {
	keys := slices.DeleteFunc(strings.Fields(pasted), func(w string) bool { return !strings.HasPrefix(w, "AAAA") })
	if len(keys) > 1 {
		return s.env.T("addkey.several")
	}
	return ""
}

// changed looks at what was pasted: its comment is a name for it, and a private
// key must not stay on the screen for a moment.
func (s *addKey) changed(field string) tea.Cmd {
	if field != "key" {
		return nil
	}
	if strings.Contains(s.pasted, "PRIVATE KEY") {
		s.pasted = ""
		s.form.Refuse(tui.Refusal{Field: "key", Text: s.env.Sentence(&core.Error{Code: core.CodeKeyPrivate})})
		return nil
	}
	if comment := keyComment(s.pasted); comment != s.suggested {
		if s.label == s.suggested {
			s.label = comment
			s.form.Refresh()
		}
		s.suggested = comment
	}
	return nil
}

// keyComment is the comment of a public key, such as "ada@laptop", if it could be
// a label.
func keyComment(pasted string) string {
	words := strings.Fields(pasted)
	if len(words) < 3 {
		return ""
	}
	comment, err := text.Clean(strings.Join(words[2:], " "), core.MaxFactorLabel)
	if err != nil {
		return ""
	}
	return comment
}

// link returns the command that links the key.
func (s *addKey) link() tea.Cmd {
	ctx, keys, actor := s.env.Ctx, s.env.Portal.Keys, s.env.Actor()
	here, pasted, label, typed, zone := s.here, s.pasted, s.label, s.until, s.env.Dict.Zone()
	return func() tea.Msg {
		until, err := core.ParseEnd(typed, zone)
		if err != nil {
			return keyAdded{err}
		}
		keys := keys.Until(until)
		if here {
			return keyAdded{keys.Link(ctx, actor, label)}
		}
		_, err = keys.Add(ctx, actor, pasted, label)
		return keyAdded{err}
	}
}

func (s *addKey) leave() tea.Cmd {
	s.pasted = ""
	return tui.Pop()
}

// Update takes the core's answers and hands the rest to the form.
func (s *addKey) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch m := msg.(type) {
	case answer[core.Protection]:
		s.busy.Stop()
		if s.err = m.Err; m.Err != nil {
			return s, nil
		}
		s.have, s.read = m.Value, true
		cmd := s.form.Init()
		if s.here {
			s.form.Focus("") // the buttons
		}
		return s, cmd
	case keyAdded:
		return s, s.added(m.err)
	case tui.BackMsg:
		return s, s.back(m)
	case tea.KeyPressMsg:
		if !s.read {
			return s, s.waitingKey(m.String())
		}
		if s.busy.On() {
			return s, nil
		}
	case tea.PasteMsg:
		if s.busy.On() {
			return s, nil
		}
	}
	if !s.read {
		return s, s.busy.Handle(msg)
	}
	return s, tea.Batch(s.busy.Handle(msg), s.form.Handle(msg))
}

// waitingKey takes a key while it is not known what a key stands for.
func (s *addKey) waitingKey(k string) tea.Cmd {
	switch {
	case k == "esc":
		return tui.Pop()
	case k == "r" && s.err != nil:
		return s.Init()
	}
	return nil
}

// added takes what came of linking. When a proof is asked for first, linking is
// tried again after it.
func (s *addKey) added(err error) tea.Cmd {
	s.busy.Stop()
	switch core.CodeOf(err) {
	case "":
		s.pasted = ""
		return tui.PopWith(linkedKey{})
	case core.CodeStepUp:
		s.form.Release() // a spinner that nobody sees would still turn
		return tui.Push(newStepUp(s.env, "stepup.why_key"))
	case core.CodeKeyPrivate:
		s.pasted = ""
	}
	r := refusalOf(s.env, err)
	switch core.CodeOf(err) {
	case core.CodeKeyInUse:
		if !s.here {
			r.Field = "key"
		}
	case core.CodeFormat:
		if r.Text = s.env.T("addkey.format"); r.Field == "until" {
			r.Text = s.env.T("roles.end_format")
		}
	case core.CodeRange:
		r.Text = s.env.T("addkey.full", "Count", core.MaxKeys)
	case core.CodeCharacter: // the general sentence is about user names
		r.Text = s.env.T("profile.character")
	}
	s.form.Refuse(r)
	return nil
}

// back goes on after a step-up. Without it the key that the connection came with
// is not linked, and there is nothing to mend; what was pasted stays.
func (s *addKey) back(m tui.BackMsg) tea.Cmd {
	switch {
	case isProved(m):
		return tea.Batch(s.busy.Start(s.env.Session, s.env.T("addkey.busy")), s.link())
	case s.here:
		return tui.Pop()
	}
	return nil
}
