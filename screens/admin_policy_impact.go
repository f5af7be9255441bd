// The impact of a change in words, for the page of review.

package screens

import (
	"strings"

	"postern/core"
	"postern/core/text"
	"postern/tui"
)

// changes are the settings that change, from what to what.
func (s *policyReview) changes(width int) string {
	list := s.work.changesOf()
	if len(list) == 0 {
		return s.env.Theme.Muted.Render(s.env.T("policy.nothing"))
	}
	return strings.Join(s.env.changeLines(list, width), "\n")
}

// effects is whom the change touches, or how far the count has come.
func (s *policyReview) effects(width int) string {
	e, th := s.env, s.env.Theme
	switch {
	case s.counting():
		said := e.T("page.reading")
		if s.total > 0 {
			said = e.T("policy.counting", "Done", s.done, "Total", s.total)
		}
		if e.Caps.Lines {
			return "\n" + said + "\n"
		}
		return "\n" + th.Bar(int64(s.done), int64(max(s.total, 1)), 30) + "  " + th.Muted.Render(said) + "\n"
	case s.err != nil:
		return "\n" + th.Bad.Render(th.Signs.No+" "+hangBy(2, tui.Wrap(e.policyRefusal(s.err), width-2))) + "\n"
	case !s.known:
		return "\n" + th.Muted.Render(tui.Wrap(e.T("policy.not_counted"), width)) + "\n"
	}
	return "\n" + strings.Join(e.impactLines(s.impact, width), "\n") + "\n"
}

// impactLine is one thing that a change does.
type impactLine struct {
	text    string
	warning bool // something that somebody will not like
	names   core.Affected
}

// ImpactText says an impact in sentences, for doors that show no pages. A
// sentence about people is followed by the names of all that were counted by name.
func ImpactText(d *tui.Dict, i core.Impact) []string {
	var out []string
	for _, l := range impactOf(d, i) {
		said := l.text
		if names := firstNames(d, l.names, core.MaxNames); names != "" {
			said += ": " + names
		}
		out = append(out, said)
	}
	return out
}

// impactOf says an impact in sentences.
func impactOf(e *tui.Dict, i core.Impact) []impactLine {
	var out []impactLine
	say := func(a core.Affected, warning bool, key string, args ...any) {
		if a.Count > 0 {
			out = append(out, impactLine{e.T(key, append([]any{"Count", a.Count}, args...)...), warning, a})
		}
	}
	if i.EveryOwner {
		out = append(out, impactLine{text: e.T("policy.impact.owners"), warning: true})
	}
	say(i.LockedOut, true, "policy.impact.locked_out")
	for _, own := range []struct {
		is  bool
		key string
	}{
		{i.Me.LockedOut, "policy.impact.me_locked_out"}, {i.Me.SessionEnds, "policy.impact.me_session"},
		{i.Me.Loses, "policy.impact.me_loses"}, {i.Me.Enrol, "policy.impact.me_enrol"}, {i.Me.Password, "policy.impact.me_password"},
	} {
		if own.is {
			out = append(out, impactLine{text: e.T(own.key), warning: true})
		}
	}
	say(i.Password, false, "policy.impact.password")
	say(core.Affected{Count: i.Strength}, false, "policy.impact.strength")
	say(i.Asked, false, "policy.impact.asked", "Date", e.Date(i.AskBy))
	say(i.NoWay, true, "policy.impact.no_way")
	say(core.Affected{Count: i.Sooner}, false, "policy.impact.sooner", "Date", e.Date(i.AskBy))
	say(i.Losing, true, "policy.impact.losing")
	say(i.SessionsEnd, false, "policy.impact.sessions")
	say(i.SessionsCut, false, "policy.impact.sessions_cut")
	if !i.Retention.Nothing() {
		out = append(out, impactLine{text: e.T("policy.impact.retention", "What", strings.Join(RetentionText(e, i.Retention), "; ")), warning: true})
	}
	if i.SignUpBefore != i.SignUpAfter {
		out = append(out, impactLine{text: e.T("policy.impact.sign_up",
			"Before", e.T("signup_mode."+string(i.SignUpBefore)), "After", e.T("signup_mode."+string(i.SignUpAfter)))})
	}
	if out == nil {
		out = append(out, impactLine{text: e.T("policy.impact.nobody")})
	}
	return append(out, impactLine{text: e.T("policy.impact.counted", "Count", i.Accounts)})
}

// impactLines draws an impact, with the first names of each.
func (e *Env) impactLines(i core.Impact, width int) []string {
	th := e.Theme
	var out []string
	list := impactOf(e.Dict, i)
	for n, l := range list {
		style, sign := th.Text, th.Signs.Bullet
		if l.warning {
			style, sign = th.Warn, "!"
		}
		if n == len(list)-1 {
			style, sign = th.Muted, th.Signs.OK
		}
		out = append(out, style.Render(sign+" "+hangBy(2, tui.Wrap(l.text, width-2))))
		if names := firstNames(e.Dict, l.names, namesShown); names != "" {
			out = append(out, "  "+th.Muted.Render(th.Pad(names, width-2)))
		}
	}
	return out
}

// namesShown is how many names stand under a line of the impact.
const namesShown = 5

// firstNames lists the first n of those affected, and how many there are besides.
func firstNames(e *tui.Dict, a core.Affected, n int) string {
	if len(a.Names) == 0 {
		return ""
	}
	var names []string
	for _, name := range a.Names[:min(n, len(a.Names))] {
		names = append(names, text.Escape(name))
	}
	if more := a.Count - len(names); more > 0 {
		return e.T("policy.impact.and_more", "Names", strings.Join(names, ", "), "Count", more)
	}
	return e.List(names)
}
