// How the trail looks: as rows, and each entry in full.

package screens

import (
	"maps"
	"slices"
	"strings"
	"time"

	"postern/core"
	"postern/core/text"
	"postern/tui"
)

// View is the table and, under it, how much of the trail it holds.
func (s *activity) View() string {
	th := s.env.Theme
	switch {
	case s.err != nil && !s.read:
		return s.env.failure(s.err, s.w)
	case !s.read:
		return s.busy.View(th)
	case len(s.entries) == 0:
		return s.table.View()
	}
	foot := s.env.T("activity.all", "Count", len(s.entries))
	if s.next != "" {
		foot = s.env.T("activity.more", "Count", len(s.entries))
	}
	foot = th.Muted.Render(th.Pad(foot, s.w))
	if busy := s.busy.View(th); busy != "" {
		foot = busy
	}
	if s.err != nil {
		foot = th.Bad.Render(th.Pad(th.Signs.No+" "+s.env.Sentence(s.err), s.w))
	}
	return withFoot(s.table.View(), foot, s.h)
}

func (s *activity) columns() []tui.Column {
	e := s.env
	return []tui.Column{
		{Title: e.T("activity.when"), Min: 8, Max: 16},
		{Title: e.T("activity.what"), Min: 16, Max: 36},
		{Title: e.T("activity.outcome"), Min: 10, Max: 12},
		{Title: e.T("activity.from"), Min: 8, Max: 39, Spare: true},
		{Title: e.T("activity.who"), Min: 6, Max: 20, Spare: true},
	}
}

// fill makes the rows anew.
func (s *activity) fill() {
	rows := make([]tui.Row, len(s.entries))
	for i, x := range s.entries {
		rows[i] = tui.Row{ID: x.ID, Cells: []string{
			s.env.Dict.Relative(x.At, s.now), s.action(x), s.outcome(x), s.from(x), s.who(x),
		}}
	}
	s.table.SetRows(rows)
	s.drawn.forget()
}

// action says what was done. A kind of act that this version has no words for
// is shown by its name.
func (s *activity) action(x core.Entry) string {
	if key := "action." + string(x.Action); s.env.Dict.Has(key) {
		return s.env.T(key)
	}
	return text.Escape(string(x.Action))
}

// outcome carries a sign with a refusal, so that it is seen in passing.
func (s *activity) outcome(x core.Entry) string {
	sign := s.env.Theme.Signs.OK
	if x.Outcome == core.OutcomeRefused {
		sign = s.env.Theme.Signs.No
	}
	if key := "outcome." + string(x.Outcome); s.env.Dict.Has(key) {
		return sign + " " + s.env.T(key)
	}
	return text.Escape(string(x.Outcome))
}

// from is the address, or the door where there is none.
func (s *activity) from(x core.Entry) string {
	if x.Remote != "" {
		return text.Escape(x.Remote)
	}
	return s.env.doorWord(x.Door)
}

// shownOfID is how much of an id stands in a row: its end, since accounts that were
// made on the same day begin alike.
const shownOfID = 6

// deletedAccount is what a row says in the place of a name that is gone.
func (e *Env) deletedAccount(id string) string {
	end := text.Escape(id[max(0, len(id)-shownOfID):])
	return e.T("activity.deleted", "Id", e.Theme.Signs.Ellipsis+end)
}

// who did it. To those who may read the trail of the portal a deleted account is
// its id; to a person it was one of those who look after the portal.
func (s *activity) who(x core.Entry) string {
	e := s.env
	switch {
	case x.Actor == e.Actor().Account:
		return e.T("activity.you")
	case x.Actor == core.ActorSystem:
		return e.T("activity.portal")
	case x.Actor == core.ActorConsole:
		return e.T("activity.console")
	case x.Name != "":
		return text.Escape(x.Name)
	case x.Actor == "":
		return e.T("activity.somebody")
	case s.office:
		return e.deletedAccount(x.Actor)
	}
	return e.T("activity.staff")
}

// whoInFull is who, with the whole id of a deleted account.
func (s *activity) whoInFull(x core.Entry) string {
	if s.office && x.ByDeleted() {
		return s.env.T("activity.deleted_account", "Id", text.Escape(x.Actor))
	}
	return s.who(x)
}

// erased says why an entry does not tell what it told; "" of every other.
func (s *activity) erased(x core.Entry) string {
	if !x.Erased {
		return ""
	}
	return s.env.T("activity.erased")
}

// reason says why an act was refused; "" when it was not.
func (s *activity) reason(x core.Entry) string {
	if x.Code == "" {
		return ""
	}
	if key := "activity.why." + string(x.Code); s.env.Dict.Has(key) {
		return s.env.T(key)
	}
	if key := "error." + string(x.Code); s.env.Dict.Has(key) {
		return s.env.T(key)
	}
	return text.Escape(string(x.Code))
}

// property names what was changed.
func (s *activity) property(name string) string {
	if key := "activity.property." + name; s.env.Dict.Has(key) {
		return s.env.T(key)
	}
	return text.Escape(strings.TrimPrefix(name, core.FieldName("")))
}

// value is a property's value, with times as the reader writes them.
func (s *activity) value(name, v string) string {
	switch {
	case v == "":
		return s.env.T("activity.nothing")
	case name == "door":
		return s.env.doorWord(core.Door(v))
	}
	if at, err := time.Parse(time.RFC3339, v); err == nil {
		return s.env.Dict.DateTime(at)
	}
	return text.Escape(v)
}

// facts are everything that the trail says of an entry.
func (s *activity) facts(x core.Entry) []tui.Fact {
	e := s.env
	out := []tui.Fact{{Name: e.T("activity.when"), Value: e.both(x.At, s.now)}}
	add := func(name, value string) {
		if value != "" {
			out = append(out, tui.Fact{Name: name, Value: value})
		}
	}
	add(e.T("activity.outcome"), s.outcome(x))
	add(e.T("activity.reason"), s.reason(x))
	add(e.T("activity.who"), s.who(x))
	add(e.T("activity.from"), s.from(x))
	if x.Remote != "" {
		add(e.T("activity.door"), e.doorWord(x.Door))
	}
	add(e.T("activity.client"), text.Escape(x.Client))
	if x.Target != e.Me().UserName {
		add(e.T("activity.target"), text.Escape(x.Target))
	}
	add(e.T("activity.said"), text.Escape(x.Reason))
	add(e.T("activity.left_out"), s.erased(x))
	return append(out, s.changes(x)...)
}

// changes are the properties before and after.
func (s *activity) changes(x core.Entry) []tui.Fact {
	names := map[string]bool{}
	for k := range x.Before {
		names[k] = true
	}
	for k := range x.After {
		names[k] = true
	}
	var out []tui.Fact
	for _, k := range slices.Sorted(maps.Keys(names)) {
		before, had := x.Before[k]
		after, has := x.After[k]
		v := s.value(k, before)
		switch {
		case had && has:
			v += " " + s.env.Theme.Signs.Arrow + " " + s.value(k, after)
		case has && x.Before != nil && len(x.Before) > 0:
			v = s.env.T("activity.nothing") + " " + s.env.Theme.Signs.Arrow + " " + s.value(k, after)
		case has:
			v = s.value(k, after)
		}
		out = append(out, tui.Fact{Name: s.property(k), Value: v})
	}
	return out
}

// detail says more about the marked row.
func (s *activity) detail(r tui.Row, width int) string {
	x, ok := s.find(r.ID)
	if !ok {
		return ""
	}
	facts := s.facts(x)
	if s.w < tui.DetailWidth {
		outcome := s.env.T("activity.outcome") // it stands in the row
		facts = slices.DeleteFunc(facts, func(f tui.Fact) bool { return f.Name == outcome })
	}
	return s.env.Theme.Facts(facts, width)
}

// page is one entry in full.
func (s *activity) page(id string) tui.Screen {
	e := s.env
	return &page{
		env: e,
		title: func() string {
			x, _ := s.find(id)
			return s.action(x)
		},
		body: func(width int) string {
			x, ok := s.find(id)
			if !ok {
				return tui.Wrap(e.T("activity.gone"), width)
			}
			return e.Theme.Facts(s.facts(x), width)
		},
	}
}
