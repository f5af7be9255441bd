// How some of the people protect their accounts, and how they sign in then.

package demo

import (
	"encoding/base32"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"postern/core"
	"postern/core/otp"
)

// address is what somebody confirms who has no factor there.
const address core.FactorKind = "address"

// careful is somebody who protects their account beside the password.
type careful struct {
	user string
	with []core.FactorKind
}

// carefulOnes are they, in the order in which they do it.
func carefulOnes() []careful {
	app, phone, mailbox, paper := core.FactorApp, core.FactorSMS, core.FactorEmail, core.FactorRecovery
	return []careful{
		{Owner, []core.FactorKind{address}},
		{"priya", []core.FactorKind{app, address, paper}},
		{"tomas", []core.FactorKind{phone}},
		{"yusuf", []core.FactorKind{address}},
		{"kofi", []core.FactorKind{app, phone, address}},
		{"ines", []core.FactorKind{mailbox}},
		{"leila", []core.FactorKind{app}},
		{"anika", []core.FactorKind{address}},
		{"tendai", []core.FactorKind{app, paper}},
		{"rui", []core.FactorKind{phone}},
		{"wanjiru", []core.FactorKind{mailbox}},
		{"minh", []core.FactorKind{app}},
		{phoneless, []core.FactorKind{app, paper, address}},
		{"ravi", []core.FactorKind{address}},
	}
}

// errNoCode ends a sign-in whose person waits for a code that does not come.
var errNoCode = errors.New("no code came")

// protect lets them do it from a day on, one after the other.
func (s *story) protect(from time.Duration) {
	for i, who := range carefulOnes() {
		s.on(s.after(from+time.Duration(i)*11*time.Hour), func() error {
			a, err := s.signIn(who.user, s.home[who.user][0])
			for _, kind := range who.with {
				if err == nil {
					err = s.enrol(a, who.user, kind)
				}
			}
			return err
		})
	}
}

// reach is where somebody gets codes of a kind. The numbers are those that the
// United Kingdom keeps for invented people (Ofcom, "numbers for use in drama").
func reach(user string, kind core.FactorKind) string {
	if kind != core.FactorSMS {
		return email(person{user: user})
	}
	i := slices.IndexFunc(cast(), func(p person) bool { return p.user == user })
	return fmt.Sprintf("+447700900%03d", 100+i)
}

// enrol makes a factor, a set of recovery codes or a confirmed address.
func (s *story) enrol(a core.Actor, user string, kind core.FactorKind) error {
	var e core.Enrolment
	var err error
	label, to := "", reach(user, kind)
	switch kind {
	case core.FactorRecovery:
		return s.makeRecovery(a, user)
	case address:
		e, err = s.portal.Factors.BeginAddress(s.ctx, a)
	case core.FactorApp:
		label, to = "Phone", ""
		e, err = s.portal.Factors.Begin(s.ctx, a, "", kind, "")
	default:
		e, err = s.portal.Factors.Begin(s.ctx, a, "", kind, to)
	}
	if err != nil {
		return fmt.Errorf("%s enrols (%s): %w", user, kind, err)
	}
	code := ""
	if kind == core.FactorApp {
		if s.apps[user], err = base32.StdEncoding.DecodeString(strings.ReplaceAll(e.Secret, " ", "")); err != nil {
			return err
		}
		code = s.appCode(user)
	} else if code, err = s.read(to); err != nil {
		return err
	}
	s.guarded[user] = s.guarded[user] || kind != address
	_, err = s.portal.Factors.Confirm(s.ctx, a, "", e.ID, code, label)
	return err
}

func (s *story) makeRecovery(a core.Actor, user string) error {
	sheet, err := s.portal.Factors.BeginRecovery(s.ctx, a)
	if err != nil {
		return err
	}
	s.paper[user] = sheet.Codes
	return s.portal.Factors.SaveRecovery(s.ctx, a, sheet.Seed)
}

// appCode is what somebody's app shows now.
func (s *story) appCode(user string) string { return otp.Code(s.apps[user], otp.Step(s.clock.Now())) }

// read waits for a code at an address or number.
func (s *story) read(to string) (string, error) {
	if err := s.post.settle(s.ctx); err != nil {
		return "", err
	}
	code := s.post.code(to)
	if code == "" {
		return "", errNoCode
	}
	return code, nil
}

// prove is the second factor of a sign-in, by the first way that can be gone.
func (s *story) prove(user string, door core.Actor, p core.Progress) (core.Progress, error) {
	i := slices.IndexFunc(p.Ways, func(w core.Way) bool { return w.Blocked == "" })
	if i < 0 {
		return p, fmt.Errorf("%s has no way in", user)
	}
	var code string
	switch w := p.Ways[i]; w.Kind {
	case core.FactorApp:
		code = s.appCode(user)
	case core.FactorRecovery:
		return s.recover(user, door, p)
	default:
		_, err := s.portal.SignIn.SendCode(s.ctx, door, p.Ticket, w.ID)
		if err == nil {
			code, err = s.read(reach(user, w.Kind))
		}
		if err != nil {
			return p, err
		}
	}
	return s.portal.SignIn.Factor(s.ctx, door, p.Ticket, p.Ways[i].ID, code)
}

// recover uses one of somebody's recovery codes.
func (s *story) recover(user string, door core.Actor, p core.Progress) (core.Progress, error) {
	if len(s.paper[user]) == 0 {
		return p, fmt.Errorf("%s has no recovery code", user)
	}
	code := s.paper[user][0]
	s.paper[user] = s.paper[user][1:]
	return s.portal.SignIn.Recover(s.ctx, door, p.Ticket, code)
}

// comes is the door that somebody comes by. Whoever has linked a key and has
// nothing else that stands for a second factor brings it from then on.
func (s *story) comes(user string, door core.Actor) core.Actor {
	if !s.linked[user] || s.guarded[user] {
		return door
	}
	if i := slices.IndexFunc(s.home[user], func(d core.Actor) bool { return d.Key != "" }); i >= 0 {
		return s.home[user][i]
	}
	return door
}
