// Who looks after the portal beside its owner: one for good, one for a while, one
// not for long any more; and who is asked to come and do so.

package demo

import (
	"time"

	"postern/core"
)

// Those who hold a role. Each has a second factor, so that they are asked for it
// when the portal begins to demand one of everybody with a role.
const (
	adminOfAll = "priya" // for good
	helper     = "kofi"  // support, for some weeks yet
	lookingOn  = "leila" // auditor, for a few days more
)

// roles are given by the owner and, once there is one, by the admin.
func (s *story) roles(from time.Duration) {
	as := func(who string, at time.Duration, do func(core.Actor) error) {
		s.on(s.after(at), func() error {
			a, err := s.signIn(who, s.home[who][0])
			if err != nil {
				return err
			}
			return do(a)
		})
	}
	give := func(by string, at time.Duration, to string, role core.Role, until time.Time) {
		as(by, at, func(a core.Actor) error {
			_, err := s.portal.Access.Grant(s.ctx, a, to, role, until)
			return err
		})
	}
	give(Owner, from, adminOfAll, core.RoleAdmin, time.Time{})
	give(Owner, from+20*time.Hour, helper, core.RoleSupport, s.end.Add(45*day))
	give(adminOfAll, from+3*day, lookingOn, core.RoleAuditor, s.end.Add(9*day))
	as(adminOfAll, from+5*day, func(a core.Actor) error {
		_, _, err := s.portal.Invites.CreateWith(s.ctx, a, core.InviteInput{
			Uses: 2, Days: 30, Note: "Review of the year", Role: core.RoleAuditor, RoleUntil: s.end.Add(60 * day)})
		return err
	})
}
