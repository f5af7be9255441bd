// Fields in lines: each says what it asks for, and takes a line for an answer.

package tui

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// lined is a widget that can be asked for in a line.
type lined interface {
	// ask returns what is said before the question, and the question.
	ask() (before []string, prompt string)
	// answer takes a line. An empty one keeps what is there; one that is refused
	// changes nothing and leaves its reason.
	answer(line string)
}

// RunAccessible is huh's own way to ask in lines. Forms are asked by RunPlain,
// where a session can end and an answer can be looked up meanwhile.
func (c *common) RunAccessible(io.Writer, io.Reader) error { return nil }

// Asking returns the form itself, so that screens which embed one are Asking.
func (f *Form) Asking() *Form { return f }

// answered takes a line for the widget that has focus.
func (f *Form) answered(line string) tea.Cmd {
	w := f.focused()
	was := w.GetValue()
	f.note = ""
	w.state().err = ""
	w.answer(line)
	if b, ok := w.(*buttons); ok {
		if b.err != "" {
			return nil
		}
		return f.press(b.at)
	}
	if w.GetValue() == was || f.spec.Changed == nil {
		return nil
	}
	return f.spec.Changed(w.GetKey())
}

// problems are the reasons why the page that is shown does not stand.
func (f *Form) problems() []string {
	var out []string
	if f.note != "" {
		out = append(out, f.note)
	}
	for _, w := range f.pages[f.page] {
		if c := w.state(); c.err != "" {
			out = append(out, strings.TrimPrefix(c.label+": "+c.err, ": "))
		}
	}
	return out
}

func (c *common) ask() (before []string, prompt string) { return nil, c.label }
func (c *common) answer(string)                         {}

// ask shows what is there; of a secret, only that there is one.
func (in *input) ask() ([]string, string) {
	prompt := in.label
	for _, more := range []string{in.hint, in.unit} {
		if more != "" {
			prompt += " (" + more + ")"
		}
	}
	switch v := in.edit.Value(); {
	case v == "":
	case in.secret:
		prompt += " [" + in.s.T("plain.typed") + "]"
	default:
		prompt += " [" + in.echo([]rune(v)) + "]"
	}
	return nil, prompt
}

// answer replaces what is there. A hyphen empties what may be empty.
func (in *input) answer(line string) {
	if line == "" {
		return
	}
	was := in.edit.Value()
	put := func(v string) {
		in.edit.SetValue(v)
		in.edit.CursorEnd()
		in.set(v)
	}
	put("")
	if line == "-" && !in.secret {
		if in.validate(); in.err == "" {
			return
		}
		in.err = ""
	}
	in.Focus()
	in.paste(line)
	if in.err == "" && in.edit.Value() == "" { // nothing of it can stand here
		in.validate()
	}
	if in.edit.Value() == "" {
		put(was)
	}
}

// ask lists the options by number.
func (c *choice) ask() ([]string, string) {
	before := []string{c.label + ":"}
	for i, o := range c.options {
		line := fmt.Sprintf("%3d  %s", i+1, o.Label)
		if o.Note != "" {
			line += ": " + o.Note
		}
		before = append(before, strings.ReplaceAll(wrap(line, BodyWidth), "\n", "\n     "))
	}
	return before, numberPrompt(c.s, c.at)
}

func numberPrompt(s *Session, at int) string {
	return s.T("plain.number") + " [" + strconv.Itoa(at+1) + "]"
}

// answer chooses by number, or by an option's words.
func (c *choice) answer(line string) {
	labels := make([]string, len(c.options))
	for i, o := range c.options {
		labels[i] = o.Label
	}
	if i, ok := c.pick(line, c.at, labels); ok {
		c.at = i
		c.set(c.options[i].Value)
	}
}

// pick finds the one of labels that line means; an empty line means the one at at.
func (c *common) pick(line string, at int, labels []string) (int, bool) {
	line = strings.TrimSpace(line)
	if n, err := strconv.Atoi(line); err == nil && n >= 1 && n <= len(labels) {
		return n - 1, true
	}
	for i, l := range labels {
		if line == "" && i == at || strings.EqualFold(line, l) {
			return i, true
		}
	}
	c.err = c.s.T("form.range", "Min", 1, "Max", len(labels))
	return 0, false
}

// ask says the two answers and which one stands.
func (t *toggle) ask() ([]string, string) {
	now := t.no
	if *t.value {
		now = t.yes
	}
	return nil, fmt.Sprintf("%s (%s/%s) [%s]", t.label, t.yes, t.no, now)
}

// answer takes either answer, or its beginning.
func (t *toggle) answer(line string) {
	line = strings.ToLower(strings.TrimSpace(line))
	yes, no := strings.HasPrefix(strings.ToLower(t.yes), line), strings.HasPrefix(strings.ToLower(t.no), line)
	switch {
	case line == "":
	case yes != no:
		*t.value = yes
	default:
		t.err = t.s.T("plain.either", "Yes", t.yes, "No", t.no)
	}
}

// ask lists the ways on by number.
func (b *buttons) ask() ([]string, string) {
	before := []string{""}
	for i, l := range b.labels {
		before = append(before, fmt.Sprintf("%3d  %s", i+1, l))
	}
	return before, numberPrompt(b.s, b.at)
}

// answer chooses a button.
func (b *buttons) answer(line string) {
	if i, ok := b.pick(line, b.at, b.labels); ok {
		b.at = i
	}
}

// Number is what stands before line i of a list, from 0, where lines are chosen
// by number; "" elsewhere.
func (s *Session) Number(i int) string {
	if !s.Caps.Lines {
		return ""
	}
	return fmt.Sprintf("%3d  ", i+1)
}

// worded returns the theme with words for what is otherwise a sign or a bar.
func (t *Theme) worded(d *Dict) *Theme {
	copied := *t
	copied.words = map[Check]string{
		Pending: d.T("plain.check.pending"), Passed: d.T("plain.check.passed"), Failed: d.T("plain.check.failed"),
	}
	return &copied
}

// checklistInWords says items one under the other.
func (t *Theme) checklistInWords(items []Item, width int) string {
	lines := make([]string, len(items))
	for i, it := range items {
		lines[i] = ansi.Wrap(t.words[it.Check]+": "+it.Text, width, "")
	}
	return strings.Join(lines, "\n")
}
