// Who has asked to be deleted, and what became of it.

package demo

import (
	"strings"
	"time"

	"postern/core"
)

// Those who have asked.
const (
	leaving  = "gwen"    // waits for a decision
	departed = "henrik"  // goes in a few days
	kept     = "claudia" // was refused
	stays    = "ravi"    // has thought better of it
	disputed = "dario"   // is held
)

// leavers is a script that the owner wrote, and that the policy does not name.
const leavers = `
# Whoever still has a part in something hands it over first.
if account.roles:
    hold("looks after the portal")
elif grants:
    notify("person", "Please hand over what is shared with you.")
    hold("has a part in %d apps" % len(grants))
else:
    notify("owner", account.user_name + " has left")
    approve()
`

// privacy is who asks to be deleted, and how the owner decides.
func (s *story) privacy() {
	requests := s.portal.Requests
	for user, at := range map[string]time.Duration{stays: 49 * day, kept: 52 * day, departed: 59 * day, leaving: 62 * day} {
		s.as(user, at, func(a core.Actor) error {
			_, err := requests.Make(s.ctx, a, user)
			return err
		})
	}
	s.as(stays, 50*day, func(a core.Actor) error {
		r, err := s.asked(stays)
		if err == nil {
			_, err = requests.Cancel(s.ctx, a, r, "")
		}
		return err
	})
	s.as(Owner, 53*day+time.Hour, func(a core.Actor) error {
		r, err := s.asked(kept)
		if err == nil {
			_, err = requests.Refuse(s.ctx, a, r, "The key of the clean room is still with you")
		}
		return err
	})
	s.as(Owner, 60*day+time.Hour, func(a core.Actor) error {
		r, err := s.asked(departed)
		if err == nil {
			_, err = requests.Approve(s.ctx, a, r, "All is handed over", "")
		}
		return err
	})
	s.as(Owner, 54*day, func(a core.Actor) error {
		_, err := s.portal.Analysis.Save(s.ctx, a, core.ScriptInput{Name: "leavers", Source: strings.TrimSpace(leavers) + "\n", Reason: "For the end of term"})
		return err
	})
	s.as(Owner, 56*day, func(a core.Actor) error {
		_, err := s.portal.Retention.Hold(s.ctx, a, disputed, "Who broke the microscope is not settled", s.end.Add(90*day))
		return err
	})
}

// as signs somebody in by their first door and lets them do something.
func (s *story) as(user string, at time.Duration, do func(core.Actor) error) {
	s.on(s.after(at), func() error {
		a, err := s.signIn(user, s.home[user][0])
		if err != nil {
			return err
		}
		return do(a)
	})
}

// asked is the open request of somebody.
func (s *story) asked(user string) (id string, err error) {
	page, err := s.portal.Requests.List(s.ctx, core.ConsoleActor("story"), core.StateOpen, "", core.MaxPage)
	for _, r := range page.Requests {
		if r.UserName == user {
			id = r.ID
		}
	}
	return id, err
}
