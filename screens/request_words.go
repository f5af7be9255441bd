// Requests to delete an account, and what goes by retention, in words: for the
// screens and the verbs alike.

package screens

import (
	"postern/core"
	"postern/core/text"
	"postern/tui"
)

// countedThings says how many there are of some things, those of which there are none
// left out.
func countedThings(d *tui.Dict, key func(what string) string, things []countedThing) []string {
	var out []string
	for _, t := range things {
		if t.n > 0 {
			out = append(out, d.T(key(t.what), "Count", t.n))
		}
	}
	return out
}

// countedThing is a kind of thing and how many there are.
type countedThing struct {
	what string
	n    int
}

// LossesText lists what goes with an account, a line each. The account itself and
// its name go in any case.
func LossesText(d *tui.Dict, l core.Losses) []string {
	return append([]string{d.T("request.lose.account")}, countedThings(d, func(what string) string { return "request.lose." + what }, []countedThing{
		{"roles", l.Roles}, {"apps", l.Apps}, {"shares", l.Shares}, {"factors", l.Factors}, {"keys", l.Keys}, {"recovery", l.Recovery},
		{"sessions", l.Sessions}, {"fields", l.Fields}, {"notices", l.Notices}, {"messages", l.Messages}, {"agreements", l.Agreements},
		{"devices", l.Devices},
	})...)
}

// RetentionText lists what goes by retention, a line each.
func RetentionText(d *tui.Dict, n core.RetentionCount) []string {
	out := countedThings(d, func(what string) string { return "retention.goes." + what }, []countedThing{
		{"entries", n.Entries}, {"sessions", n.Sessions}, {"messages", n.Messages}, {"warned", n.Warned}, {"accounts", n.Accounts}, {"held", n.Held},
	})
	if len(out) == 0 {
		return []string{d.T("retention.goes.nothing")}
	}
	return out
}

// RequestText says in a sentence where a request stands.
func RequestText(d *tui.Dict, r core.Request) string {
	args := []any{"Who", RequestWho(d, r), "When", d.DateTime(r.Created), "Due", d.DateTime(r.Due), "Reason", text.Escape(r.Reason)}
	if r.State == core.RequestHeld {
		why := d.T("request.held." + string(r.Why))
		if r.Why == core.HeldByHand && r.Reason != "" {
			why = text.Escape(r.Reason)
		}
		args = append(args, "HeldWhy", why)
	}
	return d.T("request.stands."+string(r.State), args...)
}

// RequestWho names whose account it is about; of one that is deleted, its id.
func RequestWho(d *tui.Dict, r core.Request) string {
	if r.UserName == "" {
		return d.T("request.deleted_account", "Account", text.Escape(r.Account))
	}
	return text.Escape(r.UserName)
}

// RequestBy says who took a step.
func RequestBy(d *tui.Dict, s core.RequestStep, account string) string {
	switch {
	case s.By == core.ActorSystem:
		return d.T("activity.portal")
	case s.By == core.ActorConsole:
		return d.T("activity.console")
	case s.ByName != "":
		return text.Escape(s.ByName)
	case s.By == account:
		return d.T("request.person")
	}
	return d.T("activity.staff")
}

// RequestReason says why a step was taken; "" when nobody said.
func RequestReason(d *tui.Dict, s core.RequestStep) string {
	reason := text.Escape(s.Reason)
	if s.State != core.RequestHeld || s.Why == core.HeldByHand {
		return reason
	}
	why := d.T("request.held." + string(s.Why))
	if reason == "" {
		return why
	}
	return d.T("request.held_reason", "Why", why, "Reason", reason)
}
