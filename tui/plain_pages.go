// What is said of a page in lines, and what a line means there: a field's value,
// the number of a line, the name of a key, or one of three words.

package tui

import (
	"slices"
	"strconv"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// The words that are understood everywhere, in English and in the person's
// language. On a form they follow a colon; with it they are shorter than any
// password, so that no secret can be meant by them.
const (
	wordHelp = "help"
	wordQuit = "quit"
	wordBack = "back"
)

// heading says where one is, and as whom.
func (p *plain) heading() string {
	text := strings.Join(p.r.crumbs(), " "+p.s.Theme.Signs.Crumb+" ")
	if who := p.r.standing(); who != "" {
		text += " (" + who + ")"
	}
	return text
}

// page says the page if it is not the one that was said last, and its keys.
func (p *plain) page() {
	body := closeUp(ansi.Strip(p.r.Top().View()))
	keys := p.s.Theme.Keys(p.pageKeys(), 1<<10)
	if text := p.heading() + "\n" + body + "\n" + keys; text != p.said {
		p.said = text
		p.say("", p.heading(), "", body, "")
		if keys != "" {
			p.say(wrap(p.s.T("plain.keys", "Keys", keys), BodyWidth))
		}
	}
	p.notices()
}

// closeUp leaves no more than one blank line at a place: more of them keep room
// on a screen, and are silence to somebody who listens.
func closeUp(text string) string {
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimRight(line, " ")
		if line != "" || len(lines) > 0 && lines[len(lines)-1] != "" {
			lines = append(lines, line)
		}
	}
	return strings.TrimSuffix(strings.Join(lines, "\n"), "\n")
}

// pageKeys are the bindings that mean something in lines: not those that move a
// mark, where lines have numbers.
func (p *plain) pageKeys() []key.Binding {
	_, numbered := p.r.Top().(Numbered)
	var out []key.Binding
	for _, b := range p.r.bindings() {
		moves := strings.HasPrefix(b.Help().Key, "up") || numbered && slices.Contains([]string{"enter", "left/right"}, b.Help().Key)
		if b.Enabled() && b.Help().Key != "" && !moves {
			out = append(out, b)
		}
	}
	return out
}

// turn says a page that is not a form and does what is answered.
func (p *plain) turn() error {
	p.here = p.place()
	p.page()
	if t, ok := p.r.Top().(Typer); ok && t.Typing() { // such as a filter
		line, err := p.read(p.s.T("plain.text"), false, nil)
		if err != nil {
			return err
		}
		p.press("end", "ctrl+u")
		p.update(tea.PasteMsg{Content: line})
		p.press("enter")
		return nil
	}
	choices, prompt := p.choices(), p.s.T("plain.key")
	if choices > 0 {
		prompt = p.s.T("plain.choice")
	}
	line, err := p.read(prompt, false, func() {
		was := p.said
		if p.page(); p.said != was {
			p.write(prompt + ": ")
		}
	})
	if err != nil {
		return err
	}
	line = strings.TrimPrefix(strings.TrimSpace(line), ":")
	switch p.word(line) {
	case wordQuit:
		return errLeft
	case wordHelp:
		p.help()
		return nil
	case wordBack:
		p.press("esc")
		return nil
	}
	if line == "" { // say it again
		p.said = ""
		return nil
	}
	name, number, two := strings.Cut(line, " ")
	if !two {
		if _, err := strconv.Atoi(line); err == nil && choices > 0 {
			name, number, two = "enter", line, true
		}
	}
	if two && choices > 0 && p.known(name) {
		n, err := strconv.Atoi(strings.TrimSpace(number))
		if err != nil || n < 1 || n > p.choices() {
			p.say(p.s.T("form.range", "Min", 1, "Max", p.choices()))
			return nil
		}
		p.press("home")
		for range n - 1 {
			p.press("down")
		}
		p.press(name)
		return nil
	}
	if two || !p.known(line) {
		p.noSuch(line)
		return nil
	}
	p.press(line)
	return nil
}

func (p *plain) noSuch(line string) {
	p.say(p.s.T("plain.no_such", "Line", cut(strings.Map(visible, line), 40, p.s.Theme.Signs)))
}

// choices returns how many numbered lines the page has.
func (p *plain) choices() int {
	if n, ok := p.r.Top().(Numbered); ok {
		return n.Choices()
	}
	return 0
}

// word returns which of the words line is, in English or in the person's language.
func (p *plain) word(line string) string {
	line = strings.ToLower(line)
	if line == "?" || line == "f1" {
		return wordHelp
	}
	for _, w := range []string{wordHelp, wordQuit, wordBack} {
		if line == w || line == strings.ToLower(p.s.T("plain.word."+w)) {
			return w
		}
	}
	return ""
}

// known says whether name is that of a key that may do something here.
func (p *plain) known(name string) bool {
	if _, ok := ParseKey(name); !ok {
		return false
	}
	for _, b := range p.r.bindings() {
		if b.Enabled() && (b.Help().Key == name || slices.Contains(b.Keys(), name)) {
			return true
		}
	}
	return slices.Contains([]string{"enter", "esc", "space", "up", "down", "left", "right", "pgup", "pgdown", "home", "end"}, name)
}

// press presses keys by their names.
func (p *plain) press(names ...string) {
	for _, name := range names {
		if k, ok := ParseKey(name); ok && !p.over() {
			p.update(k)
		}
	}
}

// help says what can be answered here.
func (p *plain) help() {
	words := []any{"Help", p.s.T("plain.word.help"), "Quit", p.s.T("plain.word.quit"), "Back", p.s.T("plain.word.back")}
	switch {
	case p.form() != nil:
		p.say(wrap(p.s.T("plain.help_form", words...), BodyWidth))
	case p.choices() > 0:
		p.say(wrap(p.s.T("plain.help_numbers"), BodyWidth))
		fallthrough
	default:
		p.say(wrap(p.s.T("plain.help_page", words...), BodyWidth))
		for _, b := range p.pageKeys() {
			p.say("  " + pad(b.Help().Key, 8) + "  " + b.Help().Desc)
		}
	}
}

// ask says the page of a form, if it is new, and asks for its next field.
func (p *plain) ask(f *Form) error {
	here := p.place()
	fresh := here != p.here
	p.here = here
	p.formHead(f)
	if fresh {
		p.at = 0
	}
	problems := f.problems()
	if p.pressed || fresh {
		for _, text := range problems {
			p.say(wrap(p.s.Theme.Signs.No+" "+text, BodyWidth))
		}
		switch {
		case len(problems) > 0:
			p.at = f.index()
		case !fresh: // nothing came of it: the buttons again
			p.at = len(f.pages[f.page]) - 1
		}
		p.pressed = false
	}
	p.notices()
	p.at = min(p.at, len(f.pages[f.page])-1)
	w := f.pages[f.page][p.at]
	if n, ok := w.(*note); ok {
		p.say(n.draw(BodyWidth))
		p.at++
		return nil
	}
	f.focusOn(p.at)
	before, prompt := w.ask()
	if len(before) > 0 {
		p.say(before...)
	}
	in, _ := w.(*input)
	line, err := p.read(prompt, in != nil && in.secret, nil)
	if err != nil {
		return err
	}
	if name, ok := strings.CutPrefix(line, ":"); ok {
		switch p.word(name) {
		case wordQuit:
			return errLeft
		case wordHelp:
			p.help()
			return nil
		case wordBack:
			p.press("esc")
			p.pressed = true
			return nil
		}
	}
	p.update(lineMsg{line})
	p.settle()
	if b, ok := w.(*buttons); ok {
		if b.err != "" {
			p.say(b.err)
		} else {
			p.pressed = true
		}
		return nil
	}
	if p.over() || p.place() != here || p.at >= len(f.pages[f.page]) {
		return nil
	}
	if p.verdict(f.pages[f.page][p.at].state()) {
		p.at++
	}
	return nil
}

// formHead says where one is and what a form's page is about, when it is new.
func (p *plain) formHead(f *Form) {
	page := f.spec.Pages[f.page]
	text := p.heading()
	for _, part := range []string{page.Title, page.Text} {
		if part != "" {
			text += "\n\n" + wrap(part, BodyWidth)
		}
	}
	if text == p.said {
		return
	}
	p.said = text
	p.say("", text, "")
	if !p.taught {
		p.taught = true
		p.say(wrap(p.s.T("plain.form", "Help", p.s.T("plain.word.help"), "Back", p.s.T("plain.word.back")), BodyWidth))
	}
}

// verdict says what there is to say about the answer to a field, and whether it
// stands. It is asked after the session has settled: whatever is looked up or
// worked out about an answer is known by then.
func (p *plain) verdict(c *common) bool {
	for _, about := range []func() string{c.aside, func() string {
		if c.below == nil {
			return ""
		}
		return c.below(BodyWidth)
	}} {
		if about == nil {
			continue
		}
		if text := strings.TrimSpace(ansi.Strip(about())); text != "" {
			p.say(text)
		}
	}
	if c.err == "" {
		c.validate()
	}
	if c.err != "" {
		p.say(wrap(p.s.Theme.Signs.No+" "+c.err, BodyWidth))
	}
	return c.err == ""
}
