// How the overview looks: plots, facts and what needs somebody, under each other
// at 80 cells, beside each other at 120. Every plot says its numbers in words, and
// where nothing can be drawn those stand alone.

package screens

import (
	"slices"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/NimbleMarkets/ntcharts/v2/sparkline"
	"github.com/charmbracelet/x/ansi"

	"postern/core"
	"postern/tui"
)

// Heights of a plot in lines, and the most cells that one bar has.
const (
	plotTall  = 5 // where there is room beside it
	plotLow   = 2
	plotLeast = 1
	plotRoomy = 3 // from here on a blank line stands above each
	barMost   = 4
)

// View is the whole page, with the marked need in sight.
func (s *overview) View() string {
	e := s.env
	switch {
	case s.err != nil && !s.read:
		return e.failure(s.err, s.w)
	case !s.read:
		return s.busy.View(e.Theme)
	}
	foot := s.busy.View(e.Theme)
	if s.err != nil {
		foot = e.Theme.Bad.Render(e.Theme.Pad(e.Theme.Signs.No+" "+e.Sentence(s.err), s.w))
	}
	return withFoot(s.body(), foot, s.h)
}

func (s *overview) body() string {
	if s.w >= tui.DetailWidth {
		half := (s.w - 4) / 2
		rows := max(min((s.h-10)/3-2, plotTall), plotLeast)
		left := slices.Concat(s.plots(half, rows), []string{""}, s.facts(half))
		right, _ := s.needsView(half)
		return lipgloss.JoinHorizontal(lipgloss.Top, lipgloss.NewStyle().Width(half+4).Render(strings.Join(left, "\n")),
			strings.Join(s.around(right, s.h), "\n"))
	}
	w := min(s.w, tui.BodyWidth)
	facts := s.facts(w)
	needs, _ := s.needsView(w)
	if s.env.Caps.Lines {
		return strings.Join(slices.Concat(s.plots(w, 0), []string{""}, needs, []string{""}, facts), "\n")
	}
	for _, try := range []struct {
		rows  int
		blank bool
	}{{plotTall, true}, {plotRoomy, true}, {plotLow, true}, {plotLow, false}, {plotLeast, true}, {plotLeast, false}} {
		lines := s.plots(w, try.rows)
		if try.blank {
			lines = slices.Concat(lines, []string{""}, needs, []string{""}, facts)
		} else {
			lines = slices.Concat(lines, needs, facts)
		}
		if len(lines) <= s.h-1 {
			return strings.Join(lines, "\n")
		}
	}
	// The plots stay, and what needs somebody is seen around the mark.
	plots := s.plots(w, plotLeast)
	room := max(s.h-1-len(plots), 2)
	if rest := room - len(facts); rest >= 4 {
		return strings.Join(slices.Concat(plots, s.around(needs, rest), facts), "\n")
	}
	return strings.Join(slices.Concat(plots, s.around(slices.Concat(needs, facts), room)), "\n")
}

// around cuts lines to a height so that the marked need stays in sight; what is
// left out above and below is said at the edge.
func (s *overview) around(lines []string, h int) []string {
	if len(lines) <= h {
		return lines
	}
	_, at := s.needsView(min(s.w, tui.BodyWidth))
	if s.w >= tui.DetailWidth {
		_, at = s.needsView((s.w - 4) / 2)
	}
	th := s.env.Theme
	body, h := lines[1:], max(h-2, 1) // the heading stays, and a line says that there is more
	top := max(min(at-1-h/2, len(body)-h), 0)
	if s.marked() == len(s.needs)-1 { // what stands under them is seen from the last one
		top = max(len(body)-h, 0)
	}
	more := ""
	if top > 0 {
		more += " " + th.Signs.Up
	}
	if top+h < len(body) {
		more += " " + th.Signs.Down
	}
	return slices.Concat(lines[:1], body[top:top+h], []string{th.Muted.Render(" " + more)})
}

// plots draws the spans and the three plots, each with its numbers in words.
// They are kept until something has changed.
func (s *overview) plots(w, rows int) []string {
	if s.drawn != nil && s.room == [2]int{w, rows} {
		return s.drawn
	}
	e, th := s.env, s.env.Theme
	lines := []string{s.spans(w)}
	for _, p := range []struct {
		name string
		of   func(core.Bar) int
	}{
		{"overview.sign_ins", func(b core.Bar) int { return b.SignIns }},
		{"overview.refused", func(b core.Bar) int { return b.Refused }},
		{"overview.sign_ups", func(b core.Bar) int { return b.SignUps }},
	} {
		values := make([]int, len(s.data.Bars))
		sum := 0
		for i, b := range s.data.Bars {
			values[i] = p.of(b)
			sum += values[i]
		}
		said := e.T("overview.in."+string(s.data.Span), "Count", sum)
		if sum > 0 {
			most := slices.Max(values)
			said += e.T("overview.most", "N", most, "When", s.moment(s.data.Bars[slices.Index(values, most)].Begin))
		}
		if e.Caps.Lines {
			lines = append(lines, tui.Wrap(e.T(p.name)+": "+said, w))
			continue
		}
		if rows >= plotRoomy {
			lines = append(lines, "")
		}
		lines = append(lines, th.Heading.Render(e.T(p.name))+"  "+th.Text.Render(ansi.Truncate(said, w-ansi.StringWidth(e.T(p.name))-2, th.Signs.Ellipsis)))
		for _, l := range s.bars(values, w, rows) {
			lines = append(lines, th.Accent.Render(l))
		}
	}
	if !e.Caps.Lines {
		lines = append(lines, s.axis(w))
	}
	s.drawn, s.room = lines, [2]int{w, rows}
	return lines
}

// spans are the spans that can be shown, with a sign before the one that is.
func (s *overview) spans(w int) string {
	e, th := s.env, s.env.Theme
	if e.Caps.Lines {
		return e.T("overview.shown", "Span", e.T("overview.span."+string(s.data.Span)))
	}
	var parts []string
	for _, span := range core.OverviewSpans() {
		if word := e.T("overview.span." + string(span)); span == s.data.Span {
			parts = append(parts, th.Selected.Render(th.Signs.On+" "+word))
		} else {
			parts = append(parts, th.Muted.Render(th.Signs.Off+" "+word))
		}
	}
	return th.Pad(strings.Join(parts, "  "), w)
}

// moment names the beginning of a bar: an hour in the person's zone, a day or a
// week as it is counted, in UTC.
func (s *overview) moment(begin time.Time) string {
	if s.data.Span == core.OverviewHour {
		return begin.In(s.env.Dict.Zone()).Format("15:04")
	}
	return s.env.Dict.In(time.UTC).Date(begin)
}

// barCells is how wide one bar is, with the blank after it where there is one.
func barCells(n, w int) int { return max(min(w/max(n, 1), barMost), 1) }

// axis names the beginning of the first bar and the end of the last.
func (s *overview) axis(w int) string {
	wide := len(s.data.Bars) * barCells(len(s.data.Bars), w)
	from, to := s.moment(s.data.Bars[0].Begin), s.env.T("overview.now")
	gap := max(wide-ansi.StringWidth(from)-ansi.StringWidth(to), 1)
	return s.env.Theme.Muted.Render(s.env.Theme.Pad(from+strings.Repeat(" ", gap)+to, w))
}

// bars draws values as columns, rows lines high; the highest fills them. What is
// not nothing is seen, however small it is beside the others.
func (s *overview) bars(values []int, w, rows int) []string {
	if rows <= 0 || len(values) == 0 {
		return nil
	}
	cells, top := barCells(len(values), w), max(slices.Max(values), 1)
	if !s.env.Caps.UTF8 {
		return asciiBars(values, cells, rows, top)
	}
	var heights []float64
	for _, v := range values {
		high := float64(v)
		if v > 0 {
			high = max(high, float64(top)/float64(8*rows)) // an eighth of a cell
		}
		for c := range cells {
			if cells > 1 && c == cells-1 {
				high = 0 // the blank between two
			}
			heights = append(heights, high)
		}
	}
	m := sparkline.New(len(heights), rows, sparkline.WithMaxValue(float64(top)), sparkline.WithNoAutoMaxValue(), sparkline.WithData(heights))
	m.Draw()
	lines := strings.Split(ansi.Strip(m.View()), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return lines
}

// asciiBars is the twin of bars for terminals without block signs.
func asciiBars(values []int, cells, rows, top int) []string {
	lines := make([]string, rows)
	for i := range lines {
		var line strings.Builder
		for _, v := range values {
			sign := " "
			// A bar reaches into a line when it fills at least half of it; the lowest
			// line has whatever is not nothing.
			if level := rows - i - 1; v > 0 && (level == 0 || 2*v*rows >= top*(2*level+1)) {
				sign = "#"
			}
			wide := max(cells-1, 1)
			line.WriteString(strings.Repeat(sign, wide) + strings.Repeat(" ", cells-wide))
		}
		lines[i] = strings.TrimRight(line.String(), " ")
	}
	return lines
}

// needsView draws what needs somebody, and returns the line of the marked one.
func (s *overview) needsView(w int) (lines []string, at int) {
	e, th := s.env, s.env.Theme
	lines = []string{th.Heading.Render(e.T("overview.needs"))}
	if len(s.needs) == 0 {
		return append(lines, "  "+th.Good.Render(th.Signs.OK)+" "+e.T("overview.none")), 0
	}
	for i, n := range s.needs {
		mark, style, sign := "  ", th.Text, th.Accent
		if n.bad {
			sign = th.Warn
		}
		if i == s.marked() && !e.Caps.Lines {
			mark, style, at = th.Accent.Render(th.Signs.Mark)+" ", th.Selected, len(lines)
		}
		indent := 2 + ansi.StringWidth(e.Number(i)) + ansi.StringWidth(n.sign) + 1
		for j, l := range strings.Split(tui.Wrap(n.text, w-indent), "\n") {
			if j == 0 {
				lines = append(lines, mark+e.Number(i)+sign.Render(n.sign)+" "+style.Render(l))
			} else {
				lines = append(lines, strings.Repeat(" ", indent)+style.Render(l))
			}
		}
	}
	return lines, at
}

// facts are the numbers that have no plot.
func (s *overview) facts(w int) []string {
	e, d := s.env, s.env.Dict
	o := s.data
	var states, factors, messages []string
	for _, state := range []core.State{core.StateActive, core.StatePending, core.StateSuspended, core.StateRejected} {
		if n := o.States[state]; n > 0 {
			states = append(states, e.T("overview.state."+string(state), "Count", n))
		}
	}
	for _, f := range o.Factors {
		if f.N > 0 {
			factors = append(factors, e.T("overview.factor."+string(f.Kind), "Count", f.N))
		}
	}
	if o.FactorsOff > 0 {
		factors = append(factors, e.T("overview.factors_off", "Count", o.FactorsOff))
	}
	if len(factors) == 0 {
		factors = []string{e.T("overview.no_factors")}
	}
	for _, u := range o.Uses {
		if u.Allowance > 0 {
			messages = append(messages, e.serviceWord(u.Service)+" "+e.T("overview.used", "Used", u.Sent+u.Queued, "Allowance", u.Allowance))
		}
	}
	if o.Dead > 0 {
		messages = append(messages, e.T("overview.dead", "Count", o.Dead))
	}
	backup := e.T("overview.never")
	if !o.Backup.IsZero() {
		backup = d.Relative(o.Backup, o.Now)
	}
	facts := []tui.Fact{
		{Name: e.T("overview.accounts"), Value: d.Number(int64(o.Accounts)) + ": " + strings.Join(states, ", ")},
		{Name: e.T("overview.factors"), Value: strings.Join(factors, ", ")},
	}
	if len(messages) > 0 {
		facts = append(facts, tui.Fact{Name: e.T("overview.messages"), Value: strings.Join(messages, ", ")})
	}
	facts = append(facts, tui.Fact{Name: e.T("overview.backup"), Value: backup})
	if !o.Since.IsZero() && len(o.Bars) > 0 && o.Since.After(o.Bars[0].Begin) {
		facts = append(facts, tui.Fact{Name: e.T("overview.since"), Value: d.DateTime(o.Since)})
	}
	return strings.Split(e.Theme.Facts(facts, w), "\n")
}
