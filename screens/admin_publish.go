// Publishing an agreement: what it is called, where it can be read, its text, and
// a look at it as people will see it.

package screens

import (
	"context"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/core/text"
	"postern/tui"
)

// publishing asks for a new agreement, or for a new version of one.
type publishing struct {
	*tui.Form
	env  *Env
	id   string // of the agreement of which it is a version; "" for a new one
	old  core.Agreement
	read bool
	err  error
	in   core.AgreementInput
	w    int
}

var (
	_ tui.Screen   = (*publishing)(nil)
	_ tui.Titled   = (*publishing)(nil)
	_ tui.Paged    = (*publishing)(nil)
	_ tui.Helper   = (*publishing)(nil)
	_ tui.Typer    = (*publishing)(nil)
	_ tui.Cursored = (*publishing)(nil)
)

// newPublish returns the screen for a new agreement.
func newPublish(env *Env, begin core.Agreement) tui.Screen {
	s := &publishing{env: env, read: true}
	s.begin(begin)
	s.in.New = true
	s.Form = tui.NewForm(env.Session, s.spec)
	return s
}

// newPublishVersion returns the screen for a new version of an agreement. It
// begins with what is in force.
func newPublishVersion(env *Env, id string) tui.Screen {
	s := &publishing{env: env, id: id}
	s.Form = tui.NewForm(env.Session, s.spec)
	return s
}

// begin takes what is in force.
func (s *publishing) begin(a core.Agreement) {
	s.old = a
	s.in = core.AgreementInput{ID: a.ID, From: a.Version, Name: a.Name, Link: a.Link, Text: a.Text, Mandatory: a.Mandatory}
}

// Init reads what is in force, for a new version.
func (s *publishing) Init() tea.Cmd {
	if s.read {
		return s.Form.Init()
	}
	return tea.Batch(s.Form.Init(), readAgreement(s.env, s.id))
}

func (s *publishing) spec() tui.FormSpec {
	e := s.env
	what := tui.Page{Text: e.T("publish.text"), Fields: []tui.Field{
		tui.Text{Key: "name", Label: e.T("agreements.name"), Value: &s.in.Name, Limit: core.MaxAgreementName},
		tui.Text{Key: "link", Label: e.T("agreements.link"), Value: &s.in.Link, Limit: core.MaxAgreementLink, Optional: true, Hint: "https://"},
		tui.Toggle{Key: "mandatory", Label: e.T("publish.mandatory"), Value: &s.in.Mandatory},
		tui.Note{Show: s.written},
	}}
	look := tui.Page{Title: e.T("publish.preview"), Fields: []tui.Field{tui.Note{Show: s.preview}}}
	return tui.FormSpec{
		Pages: []tui.Page{what, look}, Submit: e.T("publish.submit"), Busy: e.T("publish.busy"), Do: s.send,
		Keys: s.keys(), Leave: s.leave,
	}
}

// keys are those about the text. In lines there is no editor.
func (s *publishing) keys() []key.Binding {
	e := s.env
	out := []key.Binding{e.bind("ctrl+t", "publish.key_read"), e.bind("ctrl+x", "publish.key_drop")}
	if e.Caps.Lines {
		return out
	}
	return append([]key.Binding{e.bind("ctrl+o", "publish.key_write")}, out...)
}

// leave goes back, and asks when there is a text that was not published: a name is
// soon typed again, and a text is not.
func (s *publishing) leave() tea.Cmd {
	if s.in.Text == s.old.Text {
		return tui.Pop()
	}
	return s.env.askDiscard()
}

// written says how long the text is, and how another one gets there.
func (s *publishing) written(width int) string {
	e := s.env
	said := e.T("publish.no_text")
	if s.in.Text != "" {
		said = e.T("publish.has_text", "Count", countLines(s.in.Text))
	}
	how := e.T("publish.paste")
	if e.Caps.Lines {
		how = e.T("publish.by_verb")
	}
	return "\n" + tui.Wrap(said+" "+how, width)
}

// previewLines is how much of a text the preview shows; ctrl+t shows all of it.
const previewLines = 8

// preview shows the agreement as people will see it.
func (s *publishing) preview(width int) string {
	e := s.env
	a := s.next()
	lines := []string{e.Theme.Heading.Render(tui.Wrap(e.agreementName(a), width))}
	if a.Link != "" {
		lines = append(lines, e.Theme.Accent.Render(tui.Wrap(text.Escape(a.Link), width)))
	}
	if a.Text != "" {
		lines = append(lines, "", excerpt(e, a.Text, width, previewLines))
	}
	asked := "publish.asked_new"
	if s.old.Version > 0 {
		asked = "publish.asked_again"
	}
	said := e.T(asked)
	if !a.Mandatory {
		said += " " + e.T("publish.may")
	}
	return strings.Join(append(lines, "", e.Theme.Warn.Render(tui.Wrap(said, width))), "\n")
}

// next is what will be published.
func (s *publishing) next() core.Agreement {
	return core.Agreement{ID: s.in.ID, Version: s.old.Version + 1, Name: s.in.Name, Link: s.in.Link, Text: s.in.Text, Mandatory: s.in.Mandatory}
}

func (s *publishing) send() tea.Cmd {
	agreements, actor, in := s.env.Portal.Agreements, s.env.Actor(), s.in
	return call(s.env.Ctx, func(ctx context.Context) (core.Agreement, error) { return agreements.Publish(ctx, actor, in) })
}

// Update takes the core's answers. A paste of several lines is the text, wherever
// the cursor stands: no field here takes lines.
func (s *publishing) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	switch m := msg.(type) {
	case answer[core.AgreementStatus]:
		if s.err = m.Err; m.Err == nil {
			s.begin(m.Value.Agreement)
			s.read = true
			s.Refresh()
		}
		return s, nil
	case answer[core.Agreement]:
		return s, s.published(m)
	case tui.BackMsg:
		if isProved(m) {
			return s, s.send()
		}
		if isDiscarded(m) {
			return s, tui.Pop()
		}
		if w, ok := m.Result.(writtenText); ok {
			s.in.Text = w.text
		}
		s.Release()
		return s, nil
	case tea.PasteMsg:
		if strings.ContainsAny(strings.TrimRight(m.Content, "\r\n"), "\r\n") && !s.Busy() {
			return s, s.paste(m.Content)
		}
	case tea.KeyPressMsg:
		if !s.read {
			if m.String() == "esc" {
				return s, tui.Pop()
			}
			return s, nil
		}
		switch m.String() {
		case "ctrl+t":
			return s, tui.Push(newAgreementText(s.env, s.next()))
		case "ctrl+o":
			if !s.env.Caps.Lines && !s.Busy() {
				return s, tui.Push(newWriting(s.env, s.in.Name, s.in.Text))
			}
			return s, nil
		case "ctrl+x":
			s.in.Text = ""
			return s, nil
		}
	}
	return s, s.Handle(msg)
}

func (s *publishing) paste(content string) tea.Cmd {
	if len(content) > core.MaxAgreementText {
		return tui.Toast(tui.Bad, s.env.T("publish.too_long", "N", core.MaxAgreementText/1024))
	}
	s.in.Text = lineEnds(content)
	return tui.Toast(tui.Info, s.env.T("publish.pasted", "Count", countLines(s.in.Text)))
}

// countLines counts the lines of a text; blank ones at its end are not kept.
func countLines(written string) int { return strings.Count(strings.TrimRight(written, "\n"), "\n") + 1 }

func (s *publishing) published(m answer[core.Agreement]) tea.Cmd {
	switch core.CodeOf(m.Err) {
	case "":
		return tui.PopWith(agreementPublished{m.Value})
	case core.CodeStepUp:
		return tui.Push(newStepUp(s.env, "legal.why_proof"))
	}
	r := refusalOf(s.env, m.Err)
	switch code := core.CodeOf(m.Err); {
	case r.Field == "link" && code == core.CodeRequired:
		r.Text = s.env.T("publish.nothing")
	case r.Field == "name" && code == core.CodeRange:
		r.Text = s.env.T("publish.too_many", "N", core.MaxAgreements)
	case code == core.CodeTaken && s.in.New:
		r.Text = s.env.T("publish.name_taken")
	case code == core.CodeTaken:
		r.Text = s.env.T("policy.field_taken")
	case r.Field == "text":
		r = tui.Refusal{Text: s.env.agreementProblem(s.in.Text)}
	case code == core.CodeCharacter:
		r.Text = s.env.T("profile.character")
	}
	s.Refuse(r)
	return nil
}

// SetSize gives the form its room.
func (s *publishing) SetSize(w, h int) {
	s.w = w
	s.Form.SetSize(w, h)
}

// View is the form, once it is known what is in force.
func (s *publishing) View() string {
	switch {
	case s.err != nil:
		return s.env.failure(s.err, s.w)
	case !s.read:
		return s.env.Theme.Muted.Render(s.env.T("page.reading"))
	}
	return s.Form.View()
}

// Title is the screen's; the form adds the page.
func (s *publishing) Title() string {
	if s.id == "" {
		return s.env.T("publish.title")
	}
	return s.env.T("publish.title_version")
}

// Asking returns the form, once it is known what is in force.
func (s *publishing) Asking() *tui.Form {
	if !s.read {
		return nil
	}
	return s.Form
}
