package tui_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/tui"
	"postern/tui/tuitest"
)

// questions is a screen that asks one of everything.
type questions struct {
	*tui.Form
	name, secret, colour string
	number               int
	sure                 bool
	sent                 int
	changed              []string
	refuse               tui.Refusal
}

func newQuestions(s *tui.Session) *questions {
	q := &questions{colour: "red", number: 3}
	q.Form = tui.NewForm(s, func() tui.FormSpec {
		return tui.FormSpec{
			Pages: []tui.Page{
				{Title: "First", Text: "About you.", Fields: []tui.Field{
					tui.Note{Text: "A note."},
					tui.Text{Key: "name", Label: "Name", Value: &q.name, Limit: 5},
					tui.Secret{Key: "secret", Label: "Secret", Value: &q.secret, Optional: true},
				}},
				{Title: "Second", Fields: []tui.Field{
					tui.Number{Key: "number", Label: "Number of it", Value: &q.number, Min: 1, Max: 9},
					tui.Choice{Key: "colour", Label: "Colour", Value: &q.colour, Options: []tui.Option{
						{Value: "red", Label: "Red"}, {Value: "blue", Label: "Blue", Note: "as the sea"}}},
					tui.Toggle{Key: "sure", Label: "Sure", Value: &q.sure},
				}},
			},
			Do: func() tea.Cmd {
				q.sent++
				return func() tea.Msg { return "answer" }
			},
			Changed: func(field string) tea.Cmd {
				q.changed = append(q.changed, field)
				return nil
			},
		}
	})
	return q
}

func (q *questions) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	if msg != "answer" {
		return q, q.Handle(msg)
	}
	if q.refuse.Text != "" {
		q.Refuse(q.refuse)
		q.refuse = tui.Refusal{}
		return q, nil
	}
	return q, tui.Quit()
}

func plainSession(t *testing.T) *tui.Session { return tuitest.NewSession(t, tuitest.Dumb()) }

func TestAFormIsAskedFieldByField(t *testing.T) {
	s := plainSession(t)
	q := newQuestions(s)
	q.refuse = tui.Refusal{Field: "name", Text: "That name is taken."}
	l := tuitest.OpenLines(t, s, q, tui.PlainOptions{})
	l.Hears("First", "About you.", "A note.", "Name:").Answer("").Hears("Please fill this in.")
	l.Answer("Adelheid").Hears("At most 5 characters").Answer("Ada").Hears("Secret:").Answer("").Hears("1 Back 2 Continue", "Number [2]:")
	l.Answer("3").Hears("from 1 to 2").Answer("two").Hears("from 1 to 2").Answer("2")
	l.Hears("Second", "[3]").Answer("many").Hears("from 1 to 9", "[3]").Answer("10").Answer("4").Hears("2 Blue: as the sea")
	l.Answer("Blue").Hears("Sure (Yes/No) [No]:").Answer("maybe").Hears("Yes or No").Answer("y").Hears("Back").Answer("")
	l.Hears("First", "Name: That name is taken.", "Name [Ada]:").Answer("Bo", "").Answer("2", "", "", "").Answer("2").Ends()
	if q.name != "Bo" || q.number != 4 || q.colour != "blue" || !q.sure || q.sent != 2 {
		t.Errorf("%+v", q)
	}
	if got := strings.Join(q.changed, " "); got != "name number colour sure name" {
		t.Errorf("changed: %s", got)
	}
}

func TestWordsWorkInForms(t *testing.T) {
	s := plainSession(t)
	below := &page{name: "Below"}
	below.on = func(_ *page, msg tea.Msg) tea.Cmd {
		if k, ok := msg.(tea.KeyPressMsg); ok && k.String() == "enter" {
			return tui.Push(newQuestions(s))
		}
		return nil
	}
	l := tuitest.OpenLines(t, s, below, tui.PlainOptions{})
	l.Answer("enter").Hears("Name:").Answer("help").Hears("Secret:").Answer(":help").Hears("single hyphen", "Secret:")
	l.Answer("", "2").Hears("Second").Answer(":back").Hears("First", "[help]").Answer(":back").Hears("Below")
	l.Answer("enter").Hears("Name:").Answer(":quit").Ends()
}

// A screen that panics ends the session with a sentence and an id, in lines too.
func TestAPanicInLinesIsASentence(t *testing.T) {
	for name, p := range map[string]*page{
		"view":   {name: "x", view: func() string { panic("secret") }},
		"update": {name: "x", on: func(*page, tea.Msg) tea.Cmd { panic("secret") }},
		"command": {name: "x", on: func(*page, tea.Msg) tea.Cmd {
			return func() tea.Msg { panic("secret") }
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := plainSession(t)
			logged := make(chan string, 1)
			s.Log = func(id string, _ any, _ []byte) { logged <- id }
			l := tuitest.OpenLines(t, s, p, tui.PlainOptions{})
			if name != "view" {
				l.Answer("enter")
			}
			l.Ends()
			if id := <-logged; !strings.Contains(l.Text(), id) || strings.Contains(l.Text(), "secret") {
				t.Errorf("%q was said", l.Text())
			}
		})
	}
}

func TestEndingFromOutsideInterruptsTheWaitForALine(t *testing.T) {
	for name, secret := range map[string]bool{"a field": false, "a secret": true} {
		t.Run(name, func(t *testing.T) {
			s := plainSession(t)
			l := tuitest.OpenLines(t, s, newQuestions(s), tui.PlainOptions{Raw: true})
			if l.Asked(); secret {
				l.Answer("Ada").Hears("Secret:")
			}
			s.End("You were signed out.")
			l.Ends()
			if !strings.HasSuffix(l.Text(), "\n\nYou were signed out.\n") {
				t.Errorf("%q", l.Text())
			}
		})
	}
}

// What was being typed when the page changed is meant for the one before.
func TestALineForAnotherPageIsDropped(t *testing.T) {
	s := plainSession(t)
	next := &page{name: "Next"}
	next.on = func(_ *page, msg tea.Msg) tea.Cmd {
		if _, ok := msg.(tea.KeyPressMsg); ok {
			t.Errorf("pressed on the next page: %v", msg)
		}
		return nil
	}
	first := &page{name: "First"}
	first.on = func(_ *page, msg tea.Msg) tea.Cmd {
		if msg == "go" {
			return tui.Replace(next)
		}
		return nil
	}
	l := tuitest.OpenLines(t, s, first, tui.PlainOptions{Raw: true})
	l.Asked().Send("ent")
	s.Post("go")
	l.Hears("Next", "Press Enter to go on.").Send("er\r").Hears("Key, or help:")
	l.Answer("quit").Ends()
}

// listed is a page with lines that have numbers.
type listed struct {
	*page
	table *tui.Table
	did   []string
}

func (p *listed) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	cmd, used := p.table.Handle(msg)
	if k, ok := msg.(tea.KeyPressMsg); ok && !used {
		r, _ := p.table.Selected()
		p.did = append(p.did, k.String()+" "+r.ID)
	}
	return p, cmd
}

func (p *listed) View() string { return p.table.View() }
func (p *listed) Choices() int { return p.table.Choices() }
func (p *listed) Typing() bool { return p.table.Typing() }
func (p *listed) Help() []key.Binding {
	return append(p.table.Help(), key.NewBinding(key.WithKeys("x"), key.WithHelp("x", "end")))
}

func TestRowsAreChosenByNumber(t *testing.T) {
	s := plainSession(t)
	p := &listed{page: &page{}}
	p.table = tui.NewTable(s, func() []tui.Column { return []tui.Column{{Title: "Name"}} })
	p.table.SetRows([]tui.Row{{ID: "a", Cells: []string{"Ada"}}, {ID: "b", Cells: []string{"Bo"}}, {ID: "c", Cells: []string{"Cleo"}}})
	p.table.Open = func(r tui.Row) tea.Cmd {
		p.did = append(p.did, "open "+r.ID)
		return nil
	}
	l := tuitest.OpenLines(t, s, p, tui.PlainOptions{})
	l.Hears("1 Ada", "2 Bo", "3 Cleo", "x end").Lacks("up/down").Answer("3").Answer("x 2").Answer("4").Hears("from 1 to 3")
	l.Answer("/").Hears("Text:").Answer("cle").Hears("1 Cleo").Lacks("Ada").Answer("x 2").Hears("from 1 to 1").Answer("1")
	l.Answer("/").Answer("").Hears("2 Bo").Answer("help").Hears("presses the key on that line", "x end").Answer("quit").Ends()
	if got := strings.Join(p.did, ", "); got != "open c, x b, open c" {
		t.Errorf("did: %s", got)
	}
}

// fullWriter takes so many bytes.
type fullWriter struct{ left int }

func (w *fullWriter) Write(b []byte) (int, error) {
	if w.left -= len(b); w.left < 0 {
		return 0, errors.New("full")
	}
	return len(b), nil
}

func TestWhoCannotBeWrittenToIsLeft(t *testing.T) {
	r, w := io.Pipe()
	defer func() { _ = w.Close() }()
	s := plainSession(t)
	if err := tui.RunPlain(s, newQuestions(s), r, &fullWriter{10}, tui.PlainOptions{}); err == nil {
		t.Error("no error")
	}
}

// BenchmarkPlain asks and answers one field.
func BenchmarkPlain(b *testing.B) {
	for b.Loop() {
		s := tuitest.NewSession(b, tuitest.Dumb())
		var out bytes.Buffer
		if err := tui.RunPlain(s, newQuestions(s), strings.NewReader("Ada\n"), &out, tui.PlainOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
