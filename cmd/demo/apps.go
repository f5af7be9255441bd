// What the lab shares beside the portal itself: a wiki that leaves all rules to
// the portal, and a cluster whose owner is stricter.

package demo

import (
	"time"

	"postern/core"
)

// Who owns what. Neither holds a role on the portal.
const (
	wikiOwner    = "ines"
	clusterOwner = "joaquin"
)

// appsShared lets the owner make two apps, and those who own them share them.
func (s *story) appsShared(from time.Duration) {
	s.on(s.after(from), func() error {
		a, err := s.signIn(Owner, s.home[Owner][0])
		if err != nil {
			return err
		}
		for _, in := range []core.AppInput{
			{Name: "Wiki", Note: "What the lab knows, written down", Owner: wikiOwner,
				Roles: core.ParseRoles("reader: view, editor: view edit, moderator: view edit delete")},
			{Name: "Cluster", Note: "Sixteen machines in the cellar", Owner: clusterOwner,
				Roles:  core.ParseRoles("user: login submit, operator: login submit drain"),
				Policy: map[string]string{"password.min_length": "16", "password.history_last": "5", "session.lifetime": "1 week"}},
		} {
			if _, err := s.portal.Apps.Create(s.ctx, a, in); err != nil {
				return err
			}
		}
		return nil
	})
	for i, sh := range []struct {
		app, user, role string
		from, until     time.Duration // from the end of the story; 0: at once, for good
	}{
		{"Wiki", Member, "editor", 0, 0},
		{"Wiki", "mei", "reader", 0, 0},
		{"Wiki", "kofi", "moderator", 0, 0},
		{"Wiki", "olena", "reader", 0, 12 * day},
		{"Wiki", "dario", "editor", 0, -2 * day}, // is over by now
		{"Cluster", "priya", "operator", 0, 0},
		{"Cluster", "olena", "user", 0, 0},
		{"Cluster", "ravi", "user", 0, 6 * day},
		{"Cluster", "amina", "user", 3 * day, 40 * day},
	} {
		s.on(s.after(from+time.Duration(i+1)*7*time.Hour), func() error {
			owner := wikiOwner
			if sh.app == "Cluster" {
				owner = clusterOwner
			}
			a, err := s.signIn(owner, s.home[owner][0])
			if err != nil {
				return err
			}
			in := core.ShareInput{User: sh.user, Role: core.Role(sh.role)}
			if sh.from != 0 {
				in.From = s.end.Add(sh.from)
			}
			if sh.until != 0 {
				in.Until = s.end.Add(sh.until)
			}
			_, err = s.portal.Apps.Share(s.ctx, a, sh.app, in)
			return err
		})
	}
}
