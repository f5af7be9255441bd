// How the asking for a proof looks: what each way asks for in words, and the list
// of the ways: which there are, which of them are of no use now, why, and what to
// do then.

package screens

import (
	"slices"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"postern/core"
	"postern/tui"
)

// show lists the ways, marking one that can be gone.
func (p *prover) show() {
	p.wipe()
	p.listed = true
	at := p.at
	if at < 0 || p.ways[at].Blocked != "" {
		p.at = -1
		at = slices.IndexFunc(p.ways, func(w core.Way) bool { return w.Blocked == "" })
	}
	if at >= 0 {
		p.list.at = wayID(p.ways[at])
	}
}

// wayID names a way in the list: a factor's id, or its kind where there is one.
func wayID(w core.Way) string {
	if w.ID != "" {
		return w.ID
	}
	return string(w.Kind)
}

// lines are the lines of the list.
func (p *prover) lines() []menuItem {
	e := p.env
	var out []menuItem
	for i, w := range p.ways {
		name := e.T("factor." + string(w.Kind))
		if w.Label != "" {
			name = e.T("prove.way", "Kind", name, "Label", e.masked(w.Label))
		}
		item := menuItem{id: wayID(w), label: name, note: e.T("prove.note."+string(w.Kind), "Address", e.masked(w.Hint)),
			open: func() tea.Cmd { return p.open(i) }}
		if w.Blocked != "" {
			why := p.why(w)
			item.label = e.T("prove.blocked", "Way", name)
			if w.Blocked != core.CodeNoKey {
				item.note = why
			}
			item.open = func() tea.Cmd { p.problem = why; return nil }
		}
		out = append(out, item)
	}
	if e.Demo {
		out = append(out, menuItem{id: "outbox", label: e.T("outbox.title"), note: e.T("prove.outbox_note"), open: p.outbox})
	}
	return out
}

// said is what a way asks for, in a sentence; of a password its field says it.
func (p *prover) said(w core.Way) string {
	e := p.env
	switch w.Kind {
	case core.FactorApp:
		return e.T("prove.app", "Label", e.masked(w.Label))
	case core.FactorSMS, core.FactorEmail:
		return e.T("prove.by."+string(w.Kind), "Address", e.masked(w.Hint), "Span", e.Dict.Duration(core.SentCodeFor))
	case core.FactorRecovery:
		return e.T("prove.recovery")
	}
	return ""
}

// masked is how an address of which the middle is left out reaches the screen,
// or a label that may be one.
func (e *Env) masked(s string) string {
	return strings.ReplaceAll(escaped(s), "•", string(e.Theme.Signs.Mask))
}

// why says why a way cannot be gone now, and what to do; "" of one that can.
func (p *prover) why(w core.Way) string {
	switch w.Blocked {
	case "":
		return ""
	case core.CodeNoKey:
		return p.env.T("prove.come_with_key")
	}
	return p.env.Sentence(&core.Error{Code: w.Blocked})
}

// usable says whether there is any way at all.
func (p *prover) usable() bool {
	return slices.ContainsFunc(p.ways, func(w core.Way) bool { return w.Blocked == "" })
}

// back goes from the list to the way that was asked for, or away.
func (p *prover) back() tea.Cmd {
	if p.at < 0 {
		return p.away()
	}
	return p.open(p.at)
}

// listView draws the list, and above it what is to be known of it.
func (p *prover) listView() string {
	e, t := p.env, p.env.Theme
	width := min(p.w, tui.BodyWidth)
	var head []string
	if p.problem != "" {
		head = append(head, t.Bad.Render(t.Signs.No)+" "+hanging(p.problem, width), "")
	}
	if p.usable() {
		head = append(head, t.Heading.Render(tui.Wrap(e.T("prove.which"), width)), "")
	} else {
		head = append(head, tui.Wrap(p.what.stuck(), width), "")
	}
	return markedVisible(t, strings.Join(append(head, p.list.view(width)), "\n"), p.h)
}

// hanging wraps a sentence beside a sign of one cell. A command in it that is to
// be typed is not broken at its hyphen.
func hanging(text string, width int) string {
	const command, whole = "ssh -i ", "ssh\u00a0\u2011i\u00a0"
	text = tui.Wrap(strings.ReplaceAll(text, command, whole), width-2)
	return strings.ReplaceAll(strings.ReplaceAll(text, whole, command), "\n", "\n  ")
}

// markedVisible cuts a page that ends in a menu to h lines: blank ones go first,
// from the top, as many as must; then what is furthest from the marked line.
func markedVisible(t *tui.Theme, page string, h int) string {
	lines := strings.Split(page, "\n")
	if len(lines) <= h {
		return page
	}
	over := len(lines) - h
	lines = slices.DeleteFunc(lines, func(l string) bool {
		gone := over > 0 && l == ""
		if gone {
			over--
		}
		return gone
	})
	if len(lines) <= h {
		return strings.Join(lines, "\n")
	}
	marked := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(ansi.Strip(l), t.Signs.Mark+" ") })
	top := max(min(marked-h/2, len(lines)-h), 0)
	return strings.Join(lines[top:min(top+h, len(lines))], "\n")
}

// choices returns how many lines the list has.
func (p *prover) choices() int {
	if !p.listed {
		return 0
	}
	return len(p.lines())
}

// setSize takes the room of the screen.
func (p *prover) setSize(w, h int) {
	narrow := func(w int) bool { return w < outboxRoom }
	changed := narrow(w) != narrow(p.w)
	p.w, p.h = w, h
	p.form.SetSize(w, h)
	if changed && p.env.Demo && p.started() && !p.listed && !p.form.Busy() {
		p.form.Refresh()
	}
}

// view draws the form or the list.
func (p *prover) view() string {
	if p.listed {
		return p.listView()
	}
	return p.form.View()
}

// help returns the keys that work now.
func (p *prover) help() []key.Binding {
	if !p.listed {
		return p.form.Help()
	}
	return append(p.list.help(), p.env.bind("esc", "key.back"))
}

// asking returns the form, unless the list is shown.
func (p *prover) asking() *tui.Form {
	if p.listed || !p.started() {
		return nil
	}
	return p.form
}

// cursor returns where the terminal's cursor belongs.
func (p *prover) cursor() *tea.Cursor {
	if p.asking() == nil {
		return nil
	}
	return p.form.Cursor()
}
