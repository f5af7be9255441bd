// The frame: where I am and who I am above, which keys work below, and between
// two rules the body of the screen on top.

package tui

import (
	"runtime/debug"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// BodyWidth is the widest that running text and forms are set. Lists may use
// all the room that SetSize gives.
const BodyWidth = 76

// margin is the room at both sides of the body.
const margin = 2

// airy is the least height at which a blank row stands above the body.
const airy = 24

// frameCache keeps the last rule, which is as wide as the screen.
type frameCache struct {
	rule  string
	width int
	theme *Theme
}

// bodySize returns the room for the screen s. It is never less than what a
// terminal of the least size gives, so that screens need not think about smaller ones.
func (r *Router) bodySize(s Screen) (w, h int) {
	return max(r.width, MinWidth) - 2*margin, max(r.height, MinHeight) - 4 - r.air(s)
}

// air is how many blank rows stand between the upper rule and the body of s.
func (r *Router) air(s Screen) int {
	if tall, ok := s.(Tall); r.height < airy || ok && tall.Tall() {
		return 0
	}
	return 1
}

// bodyOrigin returns the cell where the body of the screen on top begins.
func (r *Router) bodyOrigin() (x, y int) {
	return margin, 2 + r.air(r.Top())
}

// small says whether the terminal is too small to draw screens in.
func (r *Router) small() bool { return r.width < MinWidth || r.height < MinHeight }

// View draws the screen on top in its frame.
func (r *Router) View() (v tea.View) {
	defer func() {
		if p := recover(); p != nil {
			// View cannot return a command. The next message would find the
			// program ended; this one makes sure that there is a next message.
			r.broken(crashMsg{p, debug.Stack()})
			select {
			case r.s.post <- EndMsg{Text: *r.end}:
			default:
			}
			v = tea.NewView(wrap(*r.end, r.width))
		}
	}()
	if r.end != nil {
		// Out of the alternate screen, so that the sentence is still there afterwards.
		return tea.NewView(wrap(*r.end, r.width) + "\n")
	}
	if len(r.stack) == 0 {
		return tea.NewView("")
	}
	v = tea.NewView("")
	v.AltScreen = !r.s.Caps.Dumb
	if r.small() {
		v.SetContent(r.s.Theme.Paint(fit(r.tooSmall(), r.width, r.height)))
		return v
	}
	top := r.Top()
	body := top.View()
	if r.help {
		body = r.helpView()
	} else {
		if c, ok := top.(Cursored); ok {
			if cur := c.Cursor(); cur != nil {
				x, y := r.bodyOrigin()
				cur.X, cur.Y = cur.X+x, cur.Y+y
				cur.Blink = false
				v.Cursor = cur
			}
		}
		if m, ok := top.(Mouser); ok && m.Mouse() {
			v.MouseMode = tea.MouseModeCellMotion
		}
	}
	v.SetContent(r.s.Theme.Paint(r.draw(body)))
	return v
}

// draw puts header and footer around body, every line padded to the width.
func (r *Router) draw(body string) string {
	bw, bh := r.bodySize(r.Top())
	var b strings.Builder
	b.WriteString(pad(" "+r.header(r.width-2), r.width))
	b.WriteString("\n" + r.upperRule() + "\n")
	b.WriteString(strings.Repeat(pad("", r.width)+"\n", r.air(r.Top())))
	rest := body
	for range bh {
		line, tail, _ := strings.Cut(rest, "\n")
		rest = tail
		b.WriteString(pad(strings.Repeat(" ", margin)+clip(line, bw), r.width) + "\n")
	}
	b.WriteString(r.rule() + "\n")
	b.WriteString(pad(" "+r.footer(r.width-2), r.width))
	return b.String()
}

func (r *Router) rule() string {
	if c := &r.frame; c.width != r.width || c.theme != r.s.Theme {
		*c = frameCache{r.s.Theme.Rule.Render(strings.Repeat(r.s.Theme.Signs.Rule, r.width)), r.width, r.s.Theme}
	}
	return r.frame.rule
}

// upperRule is the rule under the header. A banner stands in it, where it is
// seen on every screen and takes no row from any.
func (r *Router) upperRule() string {
	banner := r.s.Banner()
	if banner == "" {
		return r.rule()
	}
	t := r.s.Theme
	banner = cut(banner, r.width-2*margin, t.Signs)
	rest := max(r.width-margin-ansi.StringWidth(banner)-1, 0)
	return t.Rule.Render(t.Signs.Rule) + " " + t.Warn.Render(banner) + " " + t.Rule.Render(strings.Repeat(t.Signs.Rule, rest))
}

// header is the portal's name, the way to here, and who stands here.
func (r *Router) header(w int) string {
	t := r.s.Theme
	right := cut(r.standing(), w/2, t.Signs)
	left := crumbsFit(r.crumbs(), w-ansi.StringWidth(right)-2, t.Signs)
	gap := max(w-ansi.StringWidth(left)-ansi.StringWidth(right), 0)
	return t.Heading.Render(left) + strings.Repeat(" ", gap) + t.Muted.Render(right)
}

// standing is who stands here, and by which door.
func (r *Router) standing() string {
	who := r.s.Who()
	if r.s.Door != "" {
		if who != "" {
			who += " " + r.s.Theme.Signs.Sep + " "
		}
		who += r.s.Door
	}
	return who
}

// crumbs is the way to here.
func (r *Router) crumbs() []string {
	crumbs := []string{r.s.PortalName()}
	for _, e := range r.stack {
		if titled, ok := e.screen.(Titled); ok {
			if title := titled.Title(); title != "" {
				crumbs = append(crumbs, title)
			}
		}
	}
	if p, ok := r.Top().(Paged); ok {
		if n, of := p.Page(); of > 1 {
			crumbs[len(crumbs)-1] += " " + r.s.Theme.Signs.Sep + " " + r.s.T("kit.step", "Page", n, "Of", of)
		}
	}
	return crumbs
}

// crumbsFit joins the way to here, leaving out its middle when it is too long:
// where one is matters most, and where one began.
func crumbsFit(crumbs []string, w int, signs Signs) string {
	sep := " " + signs.Crumb + " "
	for drop := 0; drop < len(crumbs); drop++ {
		parts := crumbs
		if drop > 0 && drop+1 < len(crumbs) {
			parts = append([]string{crumbs[0], signs.Ellipsis}, crumbs[drop+1:]...)
		}
		if s := strings.Join(parts, sep); ansi.StringWidth(s) <= w {
			return s
		}
	}
	return cut(crumbs[len(crumbs)-1], w, signs)
}

// footer is the keys that work now, and at the right a toast or the language.
func (r *Router) footer(w int) string {
	t := r.s.Theme
	right := t.Muted.Render(r.s.Dict.Tag())
	if r.toast != nil {
		style, sign := t.kind(r.toast.kind)
		right = style.Render(cut(sign+" "+r.toast.text, w, t.Signs))
	}
	room := w - ansi.StringWidth(right) - 2
	left := t.Keys(append(r.bindings(), r.helpKey()), room)
	gap := max(w-ansi.StringWidth(left)-ansi.StringWidth(right), 0)
	return left + strings.Repeat(" ", gap) + right
}

// helpKey is `?` where that is not a character, F1 where it is.
func (r *Router) helpKey() key.Binding {
	if r.typing() {
		return key.NewBinding(key.WithKeys("f1"), key.WithHelp("F1", r.s.T("key.help")))
	}
	return key.NewBinding(key.WithKeys("?"), key.WithHelp("?", r.s.T("key.help")))
}

// Keys writes enabled bindings in a line of at most w cells: "tab next · esc
// back". Bindings that no longer fit are left out, the last two at last.
func (t *Theme) Keys(bindings []key.Binding, w int) string {
	type item struct {
		text  string
		width int
	}
	var items []item
	for _, b := range bindings {
		if h := b.Help(); b.Enabled() && h.Key != "" {
			items = append(items, item{
				t.Key.Render(h.Key) + " " + t.Muted.Render(h.Desc),
				ansi.StringWidth(h.Key) + 1 + ansi.StringWidth(h.Desc),
			})
		}
	}
	if len(items) == 0 {
		return ""
	}
	// The way back and the way to all the others stay, however little room there is.
	keep := items[max(len(items)-2, 0):]
	used := 0
	for _, it := range keep {
		used += it.width + 3
	}
	for len(keep) > 0 && used-3 > w {
		used -= keep[0].width + 3
		keep = keep[1:]
	}
	var parts []string
	for _, it := range items[:max(len(items)-2, 0)] {
		if used += it.width + 3; used-3 > w {
			break
		}
		parts = append(parts, it.text)
	}
	for _, it := range keep {
		parts = append(parts, it.text)
	}
	return strings.Join(parts, t.Rule.Render(" "+t.Signs.Sep+" "))
}

// tooSmall asks for more room in as few words as there is room for.
func (r *Router) tooSmall() string {
	text := r.s.T("kit.too_small", "Width", MinWidth, "Height", MinHeight, "HaveWidth", r.width, "HaveHeight", r.height)
	if len(strings.Split(wrap(text, r.width), "\n")) > r.height {
		text = r.s.T("kit.too_small_short", "Width", MinWidth, "Height", MinHeight)
	}
	return wrap(text, r.width)
}

// helpView lists every key that works on the screen on top.
func (r *Router) helpView() string {
	t := r.s.Theme
	var b strings.Builder
	b.WriteString(t.Heading.Render(r.s.T("kit.help_title")) + "\n\n")
	all := append(r.bindings(),
		key.NewBinding(key.WithKeys("f1"), key.WithHelp("? F1", r.s.T("key.help"))),
		key.NewBinding(key.WithKeys("ctrl+c"), key.WithHelp("ctrl+c", r.s.T("key.quit"))))
	wide := 0
	for _, k := range all {
		if k.Enabled() {
			wide = max(wide, ansi.StringWidth(k.Help().Key))
		}
	}
	for _, k := range all {
		if h := k.Help(); k.Enabled() && h.Key != "" {
			b.WriteString("  " + t.Key.Render(pad(h.Key, wide)) + "  " + h.Desc + "\n")
		}
	}
	b.WriteString("\n" + t.Muted.Render(r.s.T("kit.help_close")))
	return b.String()
}
