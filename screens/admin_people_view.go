// How the list of people looks: the search above it, a row for each, and the
// details of the marked one.

package screens

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"postern/core"
	"postern/tui"
)

// View is the search, the table and, under it, how much was looked at.
func (s *people) View() string {
	switch {
	case s.err != nil && !s.read:
		return s.env.failure(s.err, s.w)
	case !s.read:
		return s.turning()
	}
	return withFoot(s.view(), s.foot(), s.h)
}

// searchRoom is the room for the text of the search, in cells.
const searchRoom = 28

// above is the search, and what else is asked for.
func (s *people) above() string {
	e, th := s.env, s.env.Theme
	label := e.T("people.search") + " "
	if e.Caps.Lines {
		return label + orDash(escaped(s.query.Text)) + "\n" + s.asked()
	}
	typed := ansi.TruncateLeft(escaped(s.search.Value()), max(ansi.StringWidth(escaped(s.search.Value()))-searchRoom, 0), "")
	line := th.Label.Render(label) + th.Field.Render(th.Pad(typed, searchRoom))
	if n := len(s.marked); n > 0 {
		line += "   " + th.Accent.Render(e.T("people.marked", "Count", n))
	}
	return line + "\n" + th.Muted.Render(th.Pad(s.asked(), s.w))
}

// asked says what else is asked for, and in which order people come.
func (s *people) asked() string {
	e := s.env
	var parts []string
	if s.query.State != "" {
		parts = append(parts, e.T("people.with_state", "State", e.T("state."+string(s.query.State))))
	}
	if s.query.Factor != "" {
		parts = append(parts, e.T("people.with_factor", "Factor", e.factorWord(s.query.Factor)))
	}
	if s.query.Role != "" {
		parts = append(parts, e.T("people.with_role", "Role", e.heldWord(s.query.Role)))
	}
	if s.seen != "" {
		parts = append(parts, e.T("people.with_seen", "Seen", e.T("people.seen."+s.seen)))
	}
	sorted := s.sorted
	if sorted == "" {
		sorted = core.SortName
	}
	return strings.Join(append(parts, e.T("people.sort."+string(sorted))), " "+e.Theme.Signs.Sep+" ")
}

// heldWord names a role that is looked for.
func (e *Env) heldWord(r core.Role) string {
	if r == core.RoleAny {
		return e.T("people.some_role")
	}
	return e.T("role." + string(r))
}

// factorWord names a factor, or that there is none, or one that is disabled.
func (e *Env) factorWord(k core.FactorKind) string {
	switch k {
	case core.FactorNone:
		return e.T("people.no_factor")
	case core.FactorMissing:
		return e.T("people.factor_missing")
	case core.FactorDisabled:
		return e.T("people.factor_disabled")
	}
	return e.T("factor." + string(k))
}

// Cursor stands in the search while it is typed.
func (s *people) Cursor() *tea.Cursor {
	if !s.typing || s.env.Caps.Lines {
		return nil
	}
	before := string([]rune(s.search.Value())[:s.search.Position()])
	return tea.NewCursor(ansi.StringWidth(s.env.T("people.search"))+1+min(ansi.StringWidth(escaped(before)), searchRoom-1), 0)
}

// empty says what would be here.
func (s *people) empty() string {
	_, more := s.window.after()
	switch {
	case more:
		return s.env.T("people.none_yet", "Count", s.looked)
	case s.filtered() && s.asCame():
		return s.env.T("people.none_now")
	case s.filtered():
		return s.env.T("people.none")
	}
	return s.env.T("people.empty")
}

// foot is how much of the list is held, or why no more could be read.
func (s *people) foot() string {
	e, th := s.env, s.env.Theme
	if s.err != nil {
		return th.Bad.Render(th.Pad(th.Signs.No+" "+e.Sentence(s.err), s.w))
	}
	if turning := s.turning(); turning != "" {
		return turning
	}
	n := len(s.window.list())
	_, more := s.window.after()
	said := ""
	switch {
	case n == 0:
	case more && !s.walks() && s.looked > 2*(n+s.window.before):
		said = e.T("people.looked", "Looked", s.looked, "Found", n+s.window.before)
	case s.window.before > 0:
		said = e.T("people.part", "From", s.window.before+1, "To", s.window.before+n)
	case more:
		said = e.T("people.more", "Count", n)
	default:
		said = e.T("people.all", "Count", n)
	}
	return th.Muted.Render(th.Pad(said, s.w))
}

// walkBar is the width of the bar of a walk, in cells.
const walkBar = 20

// turning says that a page is on its way, and how far it is where it takes a walk.
func (s *people) turning() string {
	e, th := s.env, s.env.Theme
	turning := s.busy.View(th)
	if turning == "" || s.walk.of == 0 {
		return turning
	}
	said := e.T("people.walking", "Looked", s.walk.looked, "Count", s.walk.of)
	if e.Caps.Lines {
		return said
	}
	return th.Bar(int64(s.walk.looked), int64(s.walk.of), min(walkBar, s.w/3)) + "  " + th.Muted.Render(th.Pad(said, max(s.w-walkBar-2, 0)))
}

func (s *people) columns() []tui.Column {
	e := s.env
	return []tui.Column{
		{Title: "", Min: 1, Max: 3},
		{Title: e.T("people.user"), Min: 10, Max: 32},
		{Title: e.T("people.name"), Min: 10, Max: 32},
		{Title: e.T("people.state"), Min: 8, Max: 20},
		{Title: e.T("people.last"), Min: 8, Max: 16},
		{Title: e.T("people.email"), Min: 12, Max: 36, Spare: true},
		{Title: e.T("people.created"), Min: 8, Max: 16, Spare: true},
	}
}

// fill makes the rows anew.
func (s *people) fill() {
	e := s.env
	list := s.window.list()
	rows := make([]tui.Row, len(list))
	for i, a := range list {
		mark := ""
		if _, ok := s.marked[a.ID]; ok {
			mark = e.Theme.Signs.OK
			if e.Caps.Lines {
				mark = "*"
			}
		}
		rows[i] = tui.Row{ID: a.ID, Here: a.ID == e.Actor().Account, Cells: []string{
			mark, escaped(a.UserName), escaped(a.DisplayName), e.stateWord(a.State), e.lastSeen(a, s.now),
			orDash(escaped(a.Email)), e.Dict.Relative(a.Created, s.now),
		}}
	}
	s.table.SetRows(rows)
	s.fit()
}

// stateWord says where an account stands; a sign goes with what is not as usual.
func (e *Env) stateWord(state core.State) string {
	word := e.T("state." + string(state))
	switch state {
	case core.StatePending:
		return e.Theme.Signs.Pending + " " + word
	case core.StateSuspended, core.StateRejected:
		return e.Theme.Signs.No + " " + word
	}
	return word
}

// detail says more about the marked row: all that was read of it beside the table,
// what no column says under it.
func (s *people) detail(r tui.Row, width int) string {
	a, ok := s.find(r.ID)
	if !ok {
		return ""
	}
	th := s.env.Theme
	if s.w < tui.DetailWidth {
		facts := slices.DeleteFunc(s.env.accountFacts(a, s.now)[2:], func(f tui.Fact) bool {
			return f.Name == s.env.T("people.state") || f.Name == s.env.T("people.last") // a column says it
		})
		return th.Facts(facts, width)
	}
	if s.shown.id != r.ID || s.shown.person.ID != r.ID {
		return th.Facts(s.env.accountFacts(a, s.now), width)
	}
	return th.Facts(s.env.personFacts(s.shown.person, s.now), width)
}
