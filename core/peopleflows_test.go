package core_test

import (
	"testing"

	"postern/core"
	"postern/core/coretest"
)

// peopleFlows are the acts on people and the invitations that bring a role.
func peopleFlows() []flow {
	return []flow{
		{name: "end all sessions", prepare: func(_ *testing.T, p *coretest.Place) func() error {
			p.SignIn("mara")
			p.SignIn("mara")
			return func() error { return only(p.Sessions.EndAll(ctx, p.Owner, "mara")) }
		}},
		{name: "invite with a role", prepare: func(_ *testing.T, p *coretest.Place) func() error {
			return func() error {
				_, code, err := p.Invites.CreateWith(ctx, p.Owner, core.InviteInput{Uses: 1, Days: 1, Role: core.RoleSupport})
				if err != nil && code != "" {
					return nil // a refused invitation that has a code was allowed
				}
				return err
			}
		}},
		{name: "invite above oneself", denied: true, prepare: func(t *testing.T, p *coretest.Place) func() error {
			me := p.SignIn("mara")
			grant(t, p, me.Account, core.RoleAdmin)
			return func() error {
				_, _, err := p.Invites.CreateWith(ctx, me, core.InviteInput{Uses: 1, Days: 1, Role: core.RoleOwner})
				return err
			}
		}},
	}
}
