// The overview, for those who hold a role: what happens, as plots; how many
// accounts and factors there are; and what needs somebody, each with its way.

package screens

import (
	"slices"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/core/text"
	"postern/tui"
)

// overview is the page. It is read when it is shown and on demand; nothing ticks.
type overview struct {
	env   *Env
	span  core.OverviewSpan
	data  core.Overview // what was read last
	read  bool
	err   error // why the last reading failed
	reads tui.Latest[overviewRead]
	busy  tui.Busy
	needs []need   // what needs somebody, made of data
	at    string   // the id of the marked one
	drawn []string // the plots, as they were drawn last
	room  [2]int   // width and rows that they were drawn for
	w, h  int
}

// overviewRead is what one reading brought.
type overviewRead struct {
	data core.Overview
	err  error
}

// need is one thing that needs somebody. It is mended by a way of administration,
// or as mend says.
type need struct {
	id   string
	sign string // before it: what is wrong, or what only waits
	bad  bool
	text string
	way  string            // the key of the way; "" for none
	to   func() tui.Screen // where on it; nil: its first page
	mend string            // what to do, said where the way is not open to this person
}

var (
	_ tui.Screen   = (*overview)(nil)
	_ tui.Titled   = (*overview)(nil)
	_ tui.Helper   = (*overview)(nil)
	_ tui.Numbered = (*overview)(nil)
)

// NewOverview returns the screen.
func NewOverview(env *Env) tui.Screen { return &overview{env: env, span: core.OverviewDay} }

// Init reads it.
func (s *overview) Init() tea.Cmd { return s.fetch() }

// fetch returns the command that reads it anew.
func (s *overview) fetch() tea.Cmd {
	ctx, service, actor, span := s.env.Ctx, s.env.Portal.Overview, s.env.Actor(), s.span
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")), s.reads.Ask(func() overviewRead {
		o, err := service.Show(ctx, actor, span)
		return overviewRead{o, err}
	}))
}

// overviewKeys choose the span.
func overviewKeys() map[string]core.OverviewSpan {
	return map[string]core.OverviewSpan{"h": core.OverviewHour, "d": core.OverviewDay, "w": core.OverviewWeek}
}

// Update takes readings, what other screens left behind, and keys.
func (s *overview) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	if m, fresh, mine, next := s.reads.Answer(msg); mine {
		if fresh {
			s.take(m)
		}
		return s, next
	}
	switch msg := msg.(type) {
	case tui.BackMsg: // it may have been mended there
		return s, s.fetch()
	case tui.RestyleMsg:
		s.fill()
		return s, nil
	case tea.KeyPressMsg:
		return s, s.key(msg.String())
	}
	return s, s.busy.Handle(msg)
}

func (s *overview) take(m overviewRead) {
	s.busy.Stop()
	if s.err = m.err; m.err == nil {
		s.data, s.read = m.data, true
	}
	s.fill()
}

// fill says anew what was read, in the words and colours of now.
func (s *overview) fill() {
	s.needs, s.drawn = nil, nil
	if s.read {
		s.needs = s.findNeeds()
	}
}

func (s *overview) key(k string) tea.Cmd {
	if span, ok := overviewKeys()[k]; ok {
		if span == s.span {
			return nil
		}
		s.span = span
		return s.fetch()
	}
	move := func(to int) {
		if n := len(s.needs); n > 0 {
			s.at = s.needs[(to+n)%n].id
		}
	}
	switch k {
	case "esc":
		return tui.Pop()
	case "r":
		return s.fetch()
	case "up", "k", "shift+tab":
		move(s.marked() - 1)
	case "down", "j", "tab":
		move(s.marked() + 1)
	case "home", "g":
		move(0)
	case "end", "G":
		move(-1)
	case "enter":
		if len(s.needs) > 0 {
			return s.mend(s.needs[s.marked()])
		}
	}
	return nil
}

// marked is the position of the marked need.
func (s *overview) marked() int {
	return max(slices.IndexFunc(s.needs, func(n need) bool { return n.id == s.at }), 0)
}

// mend opens the way to mend something or, where there is none for this person,
// a page that says who does it and how.
func (s *overview) mend(n need) tea.Cmd {
	if i := slices.IndexFunc(adminWays(), func(w adminWay) bool { return w.key == n.way && s.env.may(w.op) }); i >= 0 {
		if n.to != nil {
			return tui.Push(n.to())
		}
		return tui.Push(adminWays()[i].open(s.env))
	}
	e := s.env
	return tui.Push(&page{env: e, title: func() string { return e.T("overview.mend_title") },
		body: func(width int) string { return tui.Wrap(n.text, width) + "\n\n" + tui.Wrap(n.mend, width) }})
}

// The ways of administration that mend something, by their keys.
var remedyWays = map[core.Remedy]string{
	core.RemedyOutbox: keyMessages, core.RemedyPolicy: "l", core.RemedyPeople: "p", core.RemedyRoles: "r", core.RemedyContacts: "c",
	core.RemedyRequests: "d", core.RemedyScripts: "s",
}

// findNeeds says what needs somebody: what is wrong, the gravest first, then who
// waits, then what ends soon.
func (s *overview) findNeeds() []need {
	e, signs := s.env, s.env.Theme.Signs
	var out []need
	for _, w := range s.data.Warnings {
		n := need{id: string(w.Code) + "/" + w.Target, sign: "!", bad: true, way: remedyWays[w.Remedy]}
		n.text, n.mend = WarningWords(e.Dict, w)
		switch {
		case w.Setting != "":
			n.to = func() tui.Screen { return newPolicyAt(e, w.Setting) }
		case w.Remedy == core.RemedyPeople:
			n.to = func() tui.Screen { return newPeopleAt(e, w.Find) }
		case w.Remedy == core.RemedyContacts:
			n.to = func() tui.Screen { return newContactsAt(e, core.ContactKind(w.Target)) }
		}
		out = append(out, n)
	}
	if c := s.data.States[core.StatePending]; c > 0 {
		out = append(out, need{id: "pending", sign: signs.Arrow, text: e.T("overview.pending", "Count", c),
			to:  func() tui.Screen { return newPeopleAt(e, core.PeopleQuery{State: core.StatePending}) },
			way: remedyWays[core.RemedyPeople], mend: e.T("overview.mend.people")})
	}
	for _, g := range s.data.Ending {
		if k := g.Key; k.Fingerprint != "" {
			out = append(out, need{id: rowKey + k.Fingerprint, sign: signs.Arrow, way: remedyWays[core.RemedyPeople],
				to: func() tui.Screen { return newPerson(e, k.Account) }, mend: e.T("overview.mend.people"),
				text: e.T("overview.ending_key", "Name", text.Escape(g.UserName), "Key", text.Escape(k.Name()), "When", e.Dict.Relative(k.Until, s.data.Now))})
			continue
		}
		n := need{id: "grant/" + g.ID, sign: signs.Arrow, way: remedyWays[core.RemedyRoles], mend: e.T("overview.mend.roles")}
		args := []any{"Name", text.Escape(g.UserName), "Role", e.roleWord(g.Role), "App", text.Escape(g.AppName), "When", e.Dict.Relative(g.Until, s.data.Now)}
		if n.text = e.T("overview.ending", args...); g.App != core.AppPostern {
			n.text, n.way = e.T("overview.ending_app", args...), "a"
		}
		out = append(out, n)
	}
	if s.data.MoreEnding {
		out = append(out, need{id: "ending", sign: signs.Arrow, text: e.T("overview.more_ending", "Count", core.MaxEnding),
			way: remedyWays[core.RemedyRoles], mend: e.T("overview.mend.roles")})
	}
	return out
}

// roleWord names a role; one that an app has made itself is its own name.
func (e *Env) roleWord(r core.Role) string {
	if key := "role." + string(r); e.Dict.Has(key) {
		return e.T(key)
	}
	return text.Escape(string(r))
}

// WarningWords says what is wrong, and how it is mended.
func WarningWords(d *tui.Dict, w core.Warning) (wrong, mend string) {
	target := text.Escape(w.Target)
	for _, key := range []string{"service." + w.Target, "overview.contact." + w.Target} {
		if w.Target != "" && d.Has(key) {
			target = d.T(key)
		}
	}
	mend = d.T("overview.mend."+string(w.Remedy), "Setting", w.Setting)
	if w.Remedy == core.RemedyMachine {
		mend = d.T("overview.mend." + string(w.Code))
	}
	if w.AtMost {
		return d.T("overview.at_most."+string(w.Code), "Count", w.N), mend
	}
	return d.T("overview.warn."+string(w.Code), "Count", w.N, "Service", target, "Contact", target), mend
}

// Title names the page.
func (s *overview) Title() string { return s.env.T("overview.title") }

// Choices is how many things need somebody.
func (s *overview) Choices() int { return len(s.needs) }

// SetSize takes the room of the page.
func (s *overview) SetSize(w, h int) { s.w, s.h = w, h }

// Help returns the keys that work now.
func (s *overview) Help() []key.Binding {
	e := s.env
	if !s.read {
		return e.waitingKeys(s.err)
	}
	var out []key.Binding
	if len(s.needs) > 0 {
		out = append(out, e.bind("enter", "overview.key_mend"))
	}
	out = append(out, e.bind("h", "overview.span.hour"), e.bind("d", "overview.span.day"), e.bind("w", "overview.span.week"))
	if len(s.needs) > 1 {
		out = append(out, e.bind(e.arrows(), "key.move"))
	}
	return append(out, e.bind("r", "page.refresh"), e.bind("esc", "key.back"))
}
