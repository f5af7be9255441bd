// What is looked for in the trail.

package screens

import (
	"context"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/core/text"
	"postern/tui"
)

// auditAsk is what is asked for, as it was typed: "7d" goes on meaning the last
// seven days for as long as it stands there.
type auditAsk struct {
	from, to, actor, about, action, target, outcome, address string
}

// query reads what was typed.
func (a auditAsk) query(now time.Time, zone *time.Location) (q core.AuditQuery, err error) {
	q = core.AuditQuery{Actor: a.actor, About: a.about, Action: core.Action(a.action), Target: a.target,
		Outcome: core.Outcome(a.outcome), Address: strings.TrimSpace(a.address)}
	q.From, q.To, err = core.ParseAuditSpan(a.from, a.to, now, zone)
	return q, err
}

// said is what is asked for in words, a part each.
func (a auditAsk) said(e *Env) []string {
	var out []string
	add := func(key, value string) {
		if value != "" {
			out = append(out, e.T(key, "Value", text.Escape(value)))
		}
	}
	add("audit.is_from", a.from)
	add("audit.is_to", a.to)
	add("audit.is_actor", a.actor)
	add("audit.is_about", a.about)
	if a.action != "" {
		add("audit.is_action", (&activity{env: e}).action(core.Entry{Action: core.Action(a.action)}))
	}
	add("audit.is_target", a.target)
	if a.outcome != "" {
		out = append(out, e.T("outcome."+a.outcome))
	}
	add("audit.is_address", a.address)
	return out
}

// auditFilter asks for it.
type auditFilter struct {
	*tui.Form
	env *Env
	ask auditAsk
}

var (
	_ tui.Screen   = (*auditFilter)(nil)
	_ tui.Titled   = (*auditFilter)(nil)
	_ tui.Helper   = (*auditFilter)(nil)
	_ tui.Typer    = (*auditFilter)(nil)
	_ tui.Cursored = (*auditFilter)(nil)
	_ tui.Asking   = (*auditFilter)(nil)
)

// newAuditFilter returns the form with what is asked for now.
func newAuditFilter(env *Env, ask auditAsk) tui.Screen {
	s := &auditFilter{env: env, ask: ask}
	s.Form = tui.NewForm(env.Session, s.spec)
	return s
}

// Asking returns the form.
func (s *auditFilter) Asking() *tui.Form { return s.Form }

func (s *auditFilter) spec() tui.FormSpec {
	e := s.env
	words := &activity{env: e}
	var actions []tui.Option
	for _, a := range core.Actions() {
		actions = append(actions, tui.Option{Value: string(a), Label: words.action(core.Entry{Action: a})})
	}
	slices.SortStableFunc(actions, func(a, b tui.Option) int {
		return strings.Compare(strings.ToLower(a.Label), strings.ToLower(b.Label))
	})
	any := tui.Option{Label: e.T("audit.any")}
	actions = append([]tui.Option{any}, actions...)
	outcomes := []tui.Option{any}
	for _, o := range []core.Outcome{core.OutcomeDone, core.OutcomeRefused} {
		outcomes = append(outcomes, tui.Option{Value: string(o), Label: e.T("outcome." + string(o))})
	}
	line := func(key, label, hint string, value *string) tui.Field {
		return tui.Text{Key: key, Label: e.T(label), Value: value, Hint: hint, Limit: core.MaxAuditWord, Optional: true}
	}
	return tui.FormSpec{
		Pages: []tui.Page{{Text: e.T("audit.filter_text"), Fields: []tui.Field{
			line("from", "audit.since", e.T("audit.time_hint"), &s.ask.from),
			line("to", "audit.until", e.T("audit.time_hint"), &s.ask.to),
			line("actor", "activity.who", e.T("audit.actor_hint"), &s.ask.actor),
			line("about", "audit.about", e.T("audit.about_hint"), &s.ask.about),
			tui.Choice{Key: "action", Label: e.T("activity.what"), Value: &s.ask.action, Options: actions},
			line("target", "activity.target", e.T("audit.target_hint"), &s.ask.target),
			tui.Choice{Key: "outcome", Label: e.T("activity.outcome"), Value: &s.ask.outcome, Options: outcomes},
			line("address", "audit.address", "192.0.2.7", &s.ask.address),
		}}},
		Submit: e.T("audit.filter_submit"), Busy: e.T("page.reading"), Do: s.try,
	}
}

// try lets the core read what was typed, so that what cannot be meant is said
// beside its field.
func (s *auditFilter) try() tea.Cmd {
	audit, actor, clock, zone, ask := s.env.Portal.Audit, s.env.Actor(), s.env.Clock, s.env.Dict.Zone(), s.ask
	return call(s.env.Ctx, func(ctx context.Context) (auditAsk, error) {
		q, err := ask.query(clock(), zone)
		if err == nil {
			q.N = 1
			_, err = audit.Search(ctx, actor, q)
		}
		return ask, err
	})
}

// Update takes the core's answer.
func (s *auditFilter) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	m, ok := msg.(answer[auditAsk])
	if !ok {
		return s, s.Handle(msg)
	}
	if m.Err == nil {
		return s, tui.PopWith(m.Value)
	}
	r := refusalOf(s.env, m.Err)
	switch {
	case core.CodeOf(m.Err) == core.CodeFormat && (r.Field == "from" || r.Field == "to"):
		r.Text = s.env.T("audit.no_time")
	case core.CodeOf(m.Err) == core.CodeRange && r.Field == "to":
		r.Text = s.env.T("audit.no_span")
	case core.CodeOf(m.Err) == core.CodeFormat && r.Field == "address":
		r.Text = s.env.T("audit.no_address")
	}
	s.Refuse(r)
	return s, nil
}

// Title is the screen's.
func (s *auditFilter) Title() string { return s.env.T("audit.filter_title") }
