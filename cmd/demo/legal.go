// Whom people of the portal write to, and what they have agreed to.

package demo

import (
	"strings"
	"time"

	"postern/core"
)

// houseRules are what everybody here has to accept.
const houseRules = `1. The machines are for the work of the lab.
2. Whoever leaves a job running overnight puts a name on it.
3. What others have stored is theirs. Ask before you look.
4. An account is for one person. Nobody lends it, not even for a moment.
5. Tell us when something looks wrong. Nobody is blamed for asking.

What we keep about you, and for how long, stands on the page behind the link.`

// legal names the contacts, all but one, and later publishes the rules of the
// house: most have been here since, and have accepted them.
func (s *story) legal() {
	for kind, c := range map[core.ContactKind]core.Contact{
		core.ContactDPO:      {Name: "Ines Duarte", Email: "privacy@harbour.example", Phone: "+44 20 7946 0018", Address: "Harbour Lab, 4 Quay Street, Lisbon"},
		core.ContactSecurity: {Name: "The people on call", Email: "security@harbour.example", Address: "https://harbour.example/security"},
	} {
		s.asOwner(12*day+time.Duration(len(kind))*time.Minute, func(a core.Actor) error {
			_, err := s.portal.Contacts.Set(s.ctx, a, kind, c)
			return err
		})
	}
	s.asOwner(46*day+2*time.Hour, func(a core.Actor) error {
		_, err := s.portal.Agreements.Publish(s.ctx, a, core.AgreementInput{
			Name: "House rules", Link: "https://harbour.example/rules", Text: strings.TrimSpace(houseRules), Mandatory: true,
		})
		return err
	})
}

// agree accepts whatever a sign-in asks for.
func (s *story) agree(door core.Actor, p core.Progress) (core.Progress, error) {
	var refs []string
	for _, a := range p.Asked {
		refs = append(refs, a.Ref())
	}
	return s.portal.SignIn.Agree(s.ctx, door, p.Ticket, refs)
}

// agreed is what somebody who signs up accepts.
func (s *story) agreed() ([]string, error) {
	list, err := s.portal.Agreements.Current(s.ctx)
	var refs []string
	for _, a := range list {
		refs = append(refs, a.Ref())
	}
	return refs, err
}
