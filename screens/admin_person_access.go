// What one person may and must, for those who look after people: roles on the
// portal and on apps, each with its end, and the rules that apps bring.

package screens

import (
	"time"

	"postern/core"
	"postern/core/text"
	"postern/tui"
)

// personPart is a part of the page under its heading; nothing stands in it when it
// has no facts.
type personPart struct {
	title string
	facts []tui.Fact
}

// personAccess are the parts, as far as whoever looks may see them.
func (e *Env) personAccess(d core.AccountDetail, now time.Time) []personPart {
	sep := " " + e.Theme.Signs.Sep + " "
	roles, shares, rules := personPart{title: "roles.title"}, personPart{title: "people.shares"}, personPart{title: "apps.rules_heading"}
	for _, g := range d.Grants {
		ends := e.endWords(g.Until, now)
		if !g.Until.IsZero() && !g.Until.After(now.AddDate(0, 0, roleSoon)) {
			ends = "! " + ends // of a share its state says so
		}
		roles.facts = append(roles.facts, tui.Fact{Name: e.roleWord(g.Role), Value: ends + sep + e.T("people.given_by", "Who", e.giver(g))})
	}
	for _, x := range d.Shares {
		said := e.appRole(x) + sep + e.shareState(x.State) + sep
		if x.State == core.SharePending {
			said += e.T("people.begins", "When", e.both(x.From, now)) + sep
		}
		shares.facts = append(shares.facts, tui.Fact{Name: text.Escape(x.AppName), Value: said + e.endWords(x.Until, now)})
	}
	for _, r := range d.Rules {
		if r.From == "" {
			continue
		}
		set := settingByPath(r.Path)
		rules.facts = append(rules.facts, tui.Fact{Name: e.ruleTitle(r.Path), Value: e.T("people.rule_from",
			"Value", e.settingValue(set, r.Value), "App", text.Escape(r.From), "Portal", e.settingValue(set, r.Portal))})
	}
	return []personPart{roles, shares, rules}
}

// endWords says when a role or a share ends.
func (e *Env) endWords(until, now time.Time) string {
	if until.IsZero() {
		return e.T("roles.for_good")
	}
	return e.T("people.ends", "When", e.both(until, now))
}
