package tui_test

import (
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/tui"
)

// signUp is a screen as rich as any: text, secrets, panels that change while
// typing, questions that are answered later, two pages.
type signUp struct {
	*tui.Form
	s *tui.Session

	name, mail, password, again string
	lang                        string
	news                        bool
	age                         int

	free    tui.Latest[string]
	freeMsg string
	sent    int
	answer  func(n int) tea.Msg // what the submitted form gets
	changed []string
}

type sentMsg struct{ refusals []tui.Refusal }

func newSignUp(s *tui.Session) *signUp {
	u := &signUp{s: s, lang: "en", age: 30}
	u.Form = tui.NewForm(s, u.spec)
	return u
}

func (u *signUp) spec() tui.FormSpec {
	return tui.FormSpec{
		Pages: []tui.Page{
			{Fields: []tui.Field{
				tui.Text{Key: "name", Label: "User name", Value: &u.name, Limit: 32, Aside: func() string { return u.freeMsg }},
				tui.Text{Key: "mail", Label: "E-mail", Value: &u.mail, Optional: true, Hint: "so that you can be helped"},
				tui.Note{},
				tui.Secret{Key: "password", Label: "Password", Value: &u.password, Below: u.strength},
				tui.Secret{Key: "again", Label: "Again", Value: &u.again, Aside: u.same, Check: func(v string) string {
					if v != u.password {
						return "The two are not the same."
					}
					return ""
				}},
			}},
			{Title: "A few things more", Fields: []tui.Field{
				tui.Choice{Key: "lang", Label: "Language", Value: &u.lang, Options: []tui.Option{
					{Value: "en", Label: "English"}, {Value: "es", Label: "Español", Note: "Con todas las palabras."}, {Value: "pt", Label: "Português"},
				}},
				tui.Toggle{Key: "news", Label: "Notices", Value: &u.news},
				tui.Number{Key: "age", Label: "Age", Value: &u.age, Min: 1, Max: 150, Unit: "years"},
			}},
		},
		Do:      u.send,
		Changed: u.check,
	}
}

func (u *signUp) send() tea.Cmd {
	u.sent++
	n := u.sent
	return func() tea.Msg {
		if u.answer == nil {
			return sentMsg{}
		}
		return u.answer(n)
	}
}

func (u *signUp) check(field string) tea.Cmd {
	u.changed = append(u.changed, field)
	if field != "name" {
		return nil
	}
	name := u.name
	u.freeMsg = ""
	return u.free.Ask(func() string {
		if name == "root" {
			return "taken"
		}
		return "free"
	})
}

func (u *signUp) same() string {
	if u.again != "" && u.again == u.password {
		return u.s.Theme.Signs.OK + " same"
	}
	return ""
}

func (u *signUp) strength(width int) string {
	if u.password == "" {
		return ""
	}
	t := u.s.Theme
	long, special := tui.Failed, tui.Failed
	if len(u.password) >= 12 {
		long = tui.Passed
	}
	if strings.ContainsAny(u.password, "@!&") {
		special = tui.Passed
	}
	score := min(len(u.password)/4, 4)
	return t.Meter(score, "good", u.s.Dict.Guess(3*365*24*3600), width) + "\n" + t.Checklist([]tui.Item{
		{Check: long, Text: "at least 12 characters"},
		{Check: tui.Passed, Text: "not a common password"},
		{Check: tui.Pending, Text: "not your name or e-mail"},
		{Check: special, Text: "a special character"},
	}, width) + "\n" + t.Muted.Render("Add a word you would not find beside the others.")
}

func (u *signUp) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	if v, fresh, mine, next := u.free.Answer(msg); mine {
		if fresh {
			u.freeMsg = u.s.Theme.Signs.OK + " " + v
		}
		return u, next
	}
	if m, ok := msg.(sentMsg); ok {
		if len(m.refusals) > 0 {
			u.Refuse(m.refusals...)
			return u, nil
		}
		return u, tea.Sequence(tui.Pop(), tui.Toast(tui.Good, "Welcome, "+u.name))
	}
	return u, u.Handle(msg)
}

func (u *signUp) Title() string { return "Create an account" }

// people is a list that opens sign-ups.
type people struct {
	*tui.Table
	s    *tui.Session
	back []any
	next func() tui.Screen
}

func newPeople(s *tui.Session) *people {
	p := &people{s: s}
	p.Table = tui.NewTable(s, func() []tui.Column {
		return []tui.Column{{Title: "Where", Min: 8}, {Title: "From", Min: 10}, {Title: "Key", Min: 4, Max: 20, Spare: true}, {Title: "Last seen", Min: 6}, {Title: "Ends", Right: true}}
	})
	p.Empty = func() string { return "Nobody has signed in yet. Invite somebody." }
	p.Detail = func(r tui.Row, width int) string {
		return tui.Wrap("signed in from "+r.Cells[1]+". If this was not you: end it, then change your password.", width)
	}
	p.Open = func(tui.Row) tea.Cmd { return tui.Push(p.next()) }
	p.next = func() tui.Screen { return newSignUp(s) }
	p.SetRows([]tui.Row{
		{ID: "a", Here: true, Cells: []string{"here, ssh", "10.0.4.12", "ed25519 k3Pq", "now", "in 11 h"}},
		{ID: "b", Cells: []string{"local, tty1", "-", "-", "2 h ago", "in 9 h"}},
		{ID: "c", Cells: []string{"ssh", "203.0.113.9", "none", "just now", "in 12 h"}, Note: "new"},
		{ID: "d", Cells: []string{"日本語", "10.0.4.80", "-", "yesterday", "in 89 d"}},
	})
	return p
}

func (p *people) Init() tea.Cmd { return nil }

func (p *people) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	if b, ok := msg.(tui.BackMsg); ok {
		p.back = append(p.back, b.Result)
	}
	cmd, used := p.Handle(msg)
	if used {
		return p, cmd
	}
	if k, ok := msg.(tea.KeyPressMsg); ok {
		switch k.String() {
		case "esc":
			return p, tui.Pop()
		case "x":
			return p, tui.Push(tui.NewConfirm(p.s, func() tui.ConfirmSpec {
				return tui.ConfirmSpec{
					Title: "Delete this account", Text: "ada loses: 4 sessions, 2 factors, 3 keys, 2 roles. Names are not reused.",
					Name: "ada", Yes: "Delete", Do: func() tea.Cmd { return func() tea.Msg { return tui.Confirmed{Result: "gone"} } },
				}
			}))
		}
	}
	return p, nil
}

func (p *people) Title() string { return "Sessions" }

func (p *people) Help() []key.Binding {
	return append(p.Table.Help(), key.NewBinding(key.WithKeys("x"), key.WithHelp("x", "end")))
}
