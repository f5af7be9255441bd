// The things that happened to somebody in particular.

package demo

import (
	"fmt"
	"time"

	"postern/core"
)

// episodes put people into every state there is.
func (s *story) episodes() {
	people := s.portal.Accounts
	s.asOwner(44*day+3*time.Hour, func(a core.Actor) error { return people.Suspend(s.ctx, a, back, "Laptop lost on a train") })
	s.asOwner(45*day+2*time.Hour, func(a core.Actor) error { return people.Resume(s.ctx, a, back) })
	s.visit(back, s.home[back][0], s.after(45*day+6*time.Hour), true, false, false)
	s.asOwner(60*day, func(a core.Actor) error { return people.Suspend(s.ctx, a, away, "Left the lab") })
	s.asOwner(60*day+4*time.Hour, func(a core.Actor) error { return people.ExpirePassword(s.ctx, a, expired) })
	s.asOwner(61*day, func(a core.Actor) error {
		_, _, err := people.IssueCode(s.ctx, a, forgetful)
		return err
	})
	s.asOwner(61*day+time.Hour, func(a core.Actor) error { return people.Reject(s.ctx, a, turned, "Nobody here knows this person") })
	s.hammer()
	s.profile()
	s.protect(39 * day)
	s.legal()
	s.outage()
	s.lost()
	s.lately()
}

// hammer guesses at one password until it counts no more: from many addresses,
// as often as the growing waits allow.
func (s *story) hammer() {
	const from = 60 * day
	for i := range core.MaxCredentialFailures + 3 {
		door := core.Actor{Door: core.DoorSSH, Remote: fmt.Sprintf("198.51.100.%d", 1+i*7%250), Client: "Go"}
		s.on(s.after(from+time.Duration(i)*16*time.Minute), func() error { return s.mistype(hammered, door) })
	}
}

// outage is three quarters of an hour in which no mail leaves: a code that was
// waited for comes too late to be of use, and is given up.
func (s *story) outage() {
	s.on(s.after(50*day), func() error {
		a, err := s.signIn(unlucky, s.home[unlucky][0])
		if err != nil {
			return err
		}
		s.post.answers(false)
		if _, err := s.portal.Factors.BeginAddress(s.ctx, a); err != nil {
			return err
		}
		if err := s.post.until(s.ctx, func(m core.Message) bool { return m.Tries > 0 }); err != nil {
			return err
		}
		s.clock.move(s.clock.Now().Add(45 * time.Minute))
		s.post.answers(true)
		_, err = s.portal.Messages.Test(s.ctx, core.ConsoleActor("root"), core.ServiceMail, "root@harbour.example")
		return err
	})
}

// lost is somebody without their phone, who has the codes on paper.
func (s *story) lost() {
	s.on(s.after(57*day+2*time.Hour), func() error {
		door := s.home[phoneless][0]
		p, err := s.types(phoneless, door, Password)
		if err == nil {
			p, err = s.recover(phoneless, door, p)
		}
		if err == nil && p.Step == core.StepAgreement {
			_, err = s.agree(door, p)
		}
		return err
	})
}

// lately is since when no messages are carried any more: what then waits, a
// visitor finds in the outbox.
func (s *story) lately() {
	const quiet = storyLength - 2*time.Hour
	s.on(s.after(quiet), func() error {
		s.post.close()
		return nil
	})
	s.on(s.after(quiet+40*time.Minute), func() error {
		a, err := s.signIn("priya", s.home["priya"][0])
		if err != nil {
			return err
		}
		return s.makeRecovery(a, "priya")
	})
	s.asOwner(quiet+65*time.Minute, func(a core.Actor) error {
		_, err := s.portal.Messages.Test(s.ctx, a, core.ServiceMail, email(person{user: Owner}))
		return err
	})
	s.visit("rui", s.home["rui"][0], s.end.Add(-4*time.Minute), false, false, false)
}

// profile is what the one whom visitors look at has changed about herself.
func (s *story) profile() {
	s.on(s.after(20*day), func() error {
		a, err := s.signIn(Member, s.home[Member][0])
		if err != nil {
			return err
		}
		if err := s.portal.Accounts.SetPreferences(s.ctx, a, core.Preferences{TimeZone: "Europe/Lisbon"}); err != nil {
			return err
		}
		_, err = s.portal.Accounts.UpdateProfile(s.ctx, a, core.ProfileInput{DisplayName: "Ada Okonjo", Email: "ada.okonjo@harbour.example"})
		return err
	})
	// A door that she does not know: something for the security check-up to say.
	s.visit(Member, core.Actor{Door: core.DoorSSH, Remote: "192.0.2.77", Client: "OpenSSH_8.4"}, s.end.Add(-3*time.Hour), true, false, false)
}
