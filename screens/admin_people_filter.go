// What people are looked for by, besides a text.

package screens

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/tui"
)

// peopleFilter asks for it.
type peopleFilter struct {
	*tui.Form
	env                             *Env
	state, factor, role, seen, sort string
}

// peopleFiltered is what the screen leaves behind.
type peopleFiltered struct {
	query core.PeopleQuery
	seen  string
}

var (
	_ tui.Screen   = (*peopleFilter)(nil)
	_ tui.Titled   = (*peopleFilter)(nil)
	_ tui.Helper   = (*peopleFilter)(nil)
	_ tui.Typer    = (*peopleFilter)(nil)
	_ tui.Cursored = (*peopleFilter)(nil)
)

// newPeopleFilter returns the form with what is asked for now.
func newPeopleFilter(env *Env, q core.PeopleQuery, seen string) tui.Screen {
	s := &peopleFilter{env: env, state: string(q.State), factor: string(q.Factor), role: string(q.Role), seen: seen, sort: string(q.Sort)}
	s.Form = tui.NewForm(env.Session, s.spec)
	return s
}

// seenChoices are the ranges of the last sign-in, in days: within them, or not
// within them with a "-" before. "never" is nobody's sign-in at all.
func seenChoices() []string { return []string{"7", "30", "-30", "-90", "-365", "never"} }

// seenRange is a choice as a range of the last sign-in.
func seenRange(choice string, now time.Time) (after, before time.Time) {
	days := map[string]int{"7": 7, "30": 30, "-30": 30, "-90": 90, "-365": 365}[choice]
	switch {
	case choice == "never":
		return time.Time{}, time.Unix(0, 0)
	case days == 0:
		return time.Time{}, time.Time{}
	case choice[0] == '-':
		return time.Time{}, now.AddDate(0, 0, -days)
	}
	return now.AddDate(0, 0, -days), time.Time{}
}

func (s *peopleFilter) spec() tui.FormSpec {
	e := s.env
	anyone := tui.Option{Value: "", Label: e.T("people.any")}
	states, factors, roles, seen := []tui.Option{anyone}, []tui.Option{anyone}, []tui.Option{anyone}, []tui.Option{anyone}
	for _, v := range []core.State{core.StateActive, core.StatePending, core.StateSuspended, core.StateRejected} {
		states = append(states, tui.Option{Value: string(v), Label: e.T("state." + string(v))})
	}
	for _, v := range []core.FactorKind{core.FactorNone, core.FactorMissing, core.FactorApp, core.FactorKey, core.FactorSMS, core.FactorEmail, core.FactorDisabled} {
		factors = append(factors, tui.Option{Value: string(v), Label: e.factorWord(v)})
	}
	for _, v := range append(core.Roles(), core.RoleAny) {
		roles = append(roles, tui.Option{Value: string(v), Label: e.heldWord(v)})
	}
	for _, v := range seenChoices() {
		seen = append(seen, tui.Option{Value: v, Label: e.T("people.seen." + v)})
	}
	var sorts []tui.Option
	for _, v := range core.PeopleSorts() {
		sorts = append(sorts, tui.Option{Value: string(v), Label: e.T("people.sort." + string(v))})
	}
	return tui.FormSpec{
		Pages: []tui.Page{{Text: e.T("people.filter_text"), Fields: []tui.Field{
			tui.Choice{Key: "state", Label: e.T("people.state"), Value: &s.state, Options: states},
			tui.Choice{Key: "factor", Label: e.T("people.factor"), Value: &s.factor, Options: factors},
			tui.Choice{Key: "role", Label: e.T("people.role"), Value: &s.role, Options: roles},
			tui.Choice{Key: "seen", Label: e.T("people.last"), Value: &s.seen, Options: seen},
			tui.Choice{Key: "sort", Label: e.T("people.order"), Value: &s.sort, Options: sorts},
		}}},
		Submit: e.T("people.filter_submit"), Do: s.done,
	}
}

func (s *peopleFilter) done() tea.Cmd {
	q := core.PeopleQuery{State: core.State(s.state), Factor: core.FactorKind(s.factor), Role: core.Role(s.role), Sort: core.PeopleSort(s.sort)}
	seen, clock := s.seen, s.env.Clock
	return func() tea.Msg {
		q.SeenAfter, q.SeenBefore = seenRange(seen, clock())
		return tui.PopWith(peopleFiltered{q, seen})()
	}
}

// Update hands everything to the form.
func (s *peopleFilter) Update(msg tea.Msg) (tui.Screen, tea.Cmd) { return s, s.Handle(msg) }

// Title is the screen's.
func (s *peopleFilter) Title() string { return s.env.T("people.filter_title") }
