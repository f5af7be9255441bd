// Invitations that bring a role.
package core_test

import (
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

// join signs somebody up by an invitation.
func join(p *coretest.Place, name, code string) error {
	in := coretest.Input(name)
	in.Invite = code
	_, err := p.Accounts.SignUp(ctx, coretest.Local(), in)
	return err
}

func TestAnInvitationBringsARole(t *testing.T) {
	for _, mode := range []string{"invite", "open", "approval"} {
		t.Run(mode, func(t *testing.T) {
			p := coretest.Open(t)
			p.Set("sign_up.mode", mode)
			until := p.Clock.Now().AddDate(0, 0, 10)
			inv, code, err := p.Invites.CreateWith(ctx, p.Owner, core.InviteInput{Uses: 2, Days: 30, Role: core.RoleSupport, RoleUntil: until})
			ok(t, err)
			if !inv.Until.Equal(until) {
				t.Errorf("it ends %v, and its role %v", inv.Until, until)
			}
			ok(t, join(p, "mara", code))
			d := must(p.Accounts.Show(ctx, p.Owner, "mara"))(t)
			if len(d.Roles) != 1 || d.Roles[0] != core.RoleSupport {
				t.Errorf("mara holds %v", d.Roles)
			}
			grants := 0
			for _, e := range p.Trail() {
				if e.Action == core.ActGrant && e.About == d.ID {
					grants++
					if e.After["role"] != "support" || e.After["invite"] != inv.ID || e.After["by"] != p.Owner.Account {
						t.Errorf("the trail says %v", e.After)
					}
				}
			}
			if grants != 1 {
				t.Errorf("%d grants in the trail", grants)
			}
			left := must(p.Invites.List(ctx, p.Owner, "", 10))(t)[0]
			if left.Uses != 1 || left.Of != 2 || left.ByName != "lin" || left.Role != core.RoleSupport {
				t.Errorf("the list says %+v", left)
			}
			p.Clock.Advance(10 * 24 * time.Hour)
			p.Owner = p.SignIn("lin")
			if d := must(p.Accounts.Show(ctx, p.Owner, "mara"))(t); len(d.Roles) != 0 {
				t.Errorf("after its end mara holds %v", d.Roles)
			}
		})
	}
}

// Nobody gives by an invitation what they could not give themselves, and nobody
// rises by one of somebody who has lost the role. ASVS 8.2.1
func TestAnInvitationGivesNoMoreThanItsMaker(t *testing.T) {
	p := coretest.Open(t)
	mara := p.SignUp("mara")
	ok(t, core.GrantRole(p.Portal, mara.Account, core.RoleAdmin, p.Clock.Now().Add(time.Minute)))
	make := func(who core.Actor, role core.Role) (string, error) {
		_, code, err := p.Invites.CreateWith(ctx, who, core.InviteInput{Uses: 5, Days: 1, Role: role})
		return code, err
	}
	for _, role := range []core.Role{core.RoleOwner, core.RoleAdmin} {
		_, err := make(mara, role)
		refused(t, err, core.CodeDenied, "role")
		must(make(p.Owner, role))(t)
		must(make(coretest.Console(), role))(t)
	}
	_, err := make(mara, core.RoleSupport) // for good, while mara's own role ends
	refused(t, err, core.CodeEndBeyond, "until")
	_, code, err := p.Invites.CreateWith(ctx, mara, core.InviteInput{Uses: 5, Days: 1, Role: core.RoleAuditor, RoleUntil: p.Clock.Now().Add(time.Minute)})
	ok(t, err)
	_, err = make(p.Owner, "king")
	refused(t, err, core.CodeFormat, "role")
	_, _, err = p.Invites.CreateWith(ctx, p.Owner, core.InviteInput{Uses: 1, Days: 1, Role: core.RoleAuditor, RoleUntil: p.Clock.Now()})
	refused(t, err, core.CodeEndPast, "until")
	p.Set("sign_up.mode", "invite")
	ok(t, join(p, "noor", code))
	ok(t, p.Accounts.Suspend(ctx, p.Owner, "mara", ""))
	refused(t, join(p, "otto", code), core.CodeInvite, "invite")
	p.Clock.Advance(core.StepUpFor + time.Second)
	_, err = make(p.Owner, core.RoleSupport)
	refused(t, err, core.CodeStepUp, "")
	must(make(p.Owner, ""))(t)
}
