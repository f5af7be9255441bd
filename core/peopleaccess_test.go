// What somebody may and must is shown on their account to those who may see it.
package core_test

import (
	"testing"
	"time"

	"postern/core"
)

func TestAnAccountShowsItsRolesSharesAndRules(t *testing.T) {
	p, mara, _, _ := withArchive(t, "password.min_length", "20")
	until := p.Clock.Now().AddDate(0, 0, 5)
	must(p.Access.Grant(ctx, p.Owner, "noor", core.RoleAuditor, until))(t)
	must(p.Access.Grant(ctx, p.Owner, "noor", core.RoleSupport, time.Time{}))(t)
	share(t, p, mara, "noor", "reader", until)
	d := must(p.Accounts.Show(ctx, p.Owner, "noor"))(t)
	if g := d.Grants; len(g) != 2 || g[0].Role != core.RoleSupport || g[1].Role != core.RoleAuditor || !g[1].Until.Equal(until) || g[1].ByName != "lin" {
		t.Errorf("her roles are %+v", g)
	}
	if s := d.Shares; len(s) != 1 || s[0].AppName != "Archive" || s[0].Role != "reader" || !s[0].Until.Equal(until) {
		t.Errorf("her shares are %+v", s)
	}
	brought := 0
	for _, r := range d.Rules {
		if r.From != "" {
			brought++
			if r != (core.RuleSource{Path: "password.min_length", Value: "20", From: "Archive", Portal: "12"}) {
				t.Errorf("a rule is %+v", r)
			}
		}
	}
	if brought != 1 || len(d.Rules) != len(core.AppSettings()) {
		t.Errorf("%d of %d rules come from apps", brought, len(d.Rules))
	}
	// Support reads accounts, and neither roles nor apps: that is no refusal.
	grant(t, p, mara.Account, core.RoleSupport)
	before := len(p.Trail())
	d = must(p.Accounts.Show(ctx, mara, "noor"))(t)
	if len(d.Grants) != 0 || len(d.Shares) != 0 || len(d.Rules) == 0 || len(p.Trail()) != before {
		t.Errorf("support sees %+v, %+v and %d rules, and the trail has %d entries more", d.Grants, d.Shares, len(d.Rules), len(p.Trail())-before)
	}
}
