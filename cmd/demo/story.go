// What happened here in the last nine weeks.

package demo

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	gossh "golang.org/x/crypto/ssh"

	"postern/core"
)

const (
	storyLength = 63 * 24 * time.Hour
	day         = 24 * time.Hour
)

// Those to whom something happened.
const (
	hammered  = "bram"    // somebody has guessed at this password for a day
	expired   = "mateus"  // must choose a new password
	away      = "katya"   // suspended
	back      = "nils"    // was suspended for a day
	forgetful = "idris"   // has been given a one-time code
	phoneless = "noor"    // left the phone with the app at home
	unlucky   = "mei"     // waited for a code while no mail came
	turned    = "stefan"  // was turned away
	newcomers = 5         // of the last weeks wait for approval
	seed      = 0x9057e24 // of all that is left to chance
)

// scene is something that happens at a time.
type scene struct {
	at time.Time
	do func() error
}

// story tells itself through a portal.
type story struct {
	ctx    context.Context
	portal *core.Portal
	clock  *clock
	post   *post
	begin  time.Time
	end    time.Time
	dice   *rand.Rand
	scenes []scene
	home   map[string][]core.Actor // the doors somebody comes in by

	// What somebody has to prove who they are, as it came about.
	linked  map[string]bool     // a key
	guarded map[string]bool     // something else beside the password
	apps    map[string][]byte   // the secret of an app
	paper   map[string][]string // recovery codes
}

// tell lets everything happen in its order.
func tell(ctx context.Context, p *core.Portal, c *clock, post *post, now time.Time) error {
	s := &story{
		ctx: ctx, portal: p, clock: c, post: post, begin: now.Add(-storyLength), end: now,
		dice: rand.New(rand.NewPCG(seed, seed)), home: map[string][]core.Actor{},
		linked: map[string]bool{}, guarded: map[string]bool{}, apps: map[string][]byte{}, paper: map[string][]string{},
	}
	people := cast()
	for i, who := range people {
		s.home[who.user] = s.doors(i)
	}
	s.opening(people[0])
	for i, who := range people[1:] {
		s.life(i+1, len(people), who)
	}
	s.episodes()
	s.privacy()
	s.appsShared(storyLength - 20*day)
	s.roles(53 * day)
	slices.SortStableFunc(s.scenes, func(a, b scene) int { return a.at.Compare(b.at) })
	for _, next := range s.scenes {
		c.move(next.at)
		err := next.do()
		if err == nil {
			err = post.settle(ctx)
		}
		if err != nil {
			return fmt.Errorf("demo: %s before the end: %w", now.Sub(next.at).Round(time.Minute), err)
		}
	}
	return nil
}

// on adds a scene. Nothing happens after the present.
func (s *story) on(at time.Time, do func() error) {
	if at.Before(s.end) {
		s.scenes = append(s.scenes, scene{at, do})
	}
}

// after is a time of the story.
func (s *story) after(d time.Duration) time.Time { return s.begin.Add(d) }

// doors makes up to three ways in for somebody: a terminal of the place, a
// laptop with a key, something older from elsewhere. The addresses are those
// set aside for documentation (RFC 5737, RFC 3849).
func (s *story) doors(i int) []core.Actor {
	key, line := keyOf(i)
	list := []core.Actor{
		{Door: core.DoorLocal, Client: fmt.Sprintf("pts/%d xterm-256color", i%7)},
		{Door: core.DoorSSH, Remote: fmt.Sprintf("203.0.113.%d", 10+i*3%200), Client: "OpenSSH_10.0", Key: key, KeyLine: line},
		{Door: core.DoorSSH, Remote: fmt.Sprintf("2001:db8:%x::%x", 0x40+i, 0x10+i), Client: "PuTTY_Release_0.83"},
	}
	return list[:1+(i+2)%3]
}

// keyOf makes the SSH key of person i, the same each time.
func keyOf(i int) (fingerprint, line string) {
	var s [ed25519.SeedSize]byte
	binary.BigEndian.PutUint64(s[:], seed+uint64(i))
	public, err := gossh.NewPublicKey(ed25519.NewKeyFromSeed(s[:]).Public())
	if err != nil {
		return "", ""
	}
	return gossh.FingerprintSHA256(public), strings.TrimSpace(string(gossh.MarshalAuthorizedKey(public)))
}

// opening sets the portal up and lets people in: by invitation at first, then
// everybody, and lately with the owner's approval.
func (s *story) opening(owner person) {
	s.on(s.begin, func() error {
		_, err := s.portal.Site.SetUp(s.ctx, s.home[owner.user][0], core.SetUpInput{
			Portal: PortalName, Preset: "nist",
			Owner: core.SignUpInput{UserName: owner.user, DisplayName: owner.name, Email: email(owner), Password: Password},
		})
		return err
	})
	s.policy(20*time.Minute, "Sessions that last a working month", map[string]string{"session.lifetime": "1 month", "session.idle_minutes": "0"})
	s.policy(6*time.Hour, "Everybody of the lab may come", map[string]string{"sign_up.mode": "open"})
	s.policy(38*day, "Not everybody has an app", map[string]string{"factors.sms": "on", "factors.email": "on", "messages.sms_allowance": "500"})
	s.policy(58*day, "Whoever looks after others needs a second factor", map[string]string{"factors.enforce": "admins", "factors.days": "14"})
	s.policy(51*day, "Too many people we do not know", map[string]string{"sign_up.mode": "approval"})
	s.asOwner(55*day, func(a core.Actor) error {
		_, _, err := s.portal.Invites.Create(s.ctx, a, 10, 30, "Summer school")
		return err
	})
	for at := 3 * day; at < storyLength; at += 4*day + 5*time.Hour {
		s.asOwner(at, func(core.Actor) error { return nil })
	}
	s.asOwner(storyLength-50*time.Minute, func(core.Actor) error { return nil })
}

// policy changes settings as the owner.
func (s *story) policy(at time.Duration, why string, values map[string]string) {
	s.asOwner(at, func(a core.Actor) error {
		_, err := s.portal.Policy.Set(s.ctx, a, core.PolicyChange{Values: values, Reason: why})
		return err
	})
}

// asOwner signs the owner in and lets them do something.
func (s *story) asOwner(at time.Duration, do func(core.Actor) error) {
	s.on(s.after(at), func() error {
		doors := s.home[Owner]
		a, err := s.signIn(Owner, doors[s.dice.IntN(len(doors))])
		if err != nil {
			return err
		}
		return do(a)
	})
}

// signIn signs somebody in by a door, through whatever is asked for. Those who
// must enrol a factor put that off.
func (s *story) signIn(user string, door core.Actor) (core.Actor, error) {
	door = s.comes(user, door)
	p, err := s.types(user, door, Password)
	if err == nil && p.Step == core.StepFactor {
		p, err = s.prove(user, door, p)
	}
	if err == nil && p.Step == core.StepEnrol {
		p, err = s.portal.SignIn.Later(s.ctx, door, p.Ticket)
	}
	if err == nil && p.Step == core.StepAgreement {
		p, err = s.agree(door, p)
	}
	if err == nil && p.Step != core.StepDone {
		err = fmt.Errorf("%s is asked for", p.Step)
	}
	if err != nil {
		return door, fmt.Errorf("%s signs in: %w", user, err)
	}
	return door.With(p.SignedIn), nil
}

// types types a password, after a captcha where one is asked.
func (s *story) types(user string, door core.Actor, pw string) (core.Progress, error) {
	p, err := s.portal.SignIn.Password(s.ctx, door, user, pw)
	if core.CodeOf(err) != core.CodeCaptcha {
		return p, err
	}
	if door, err = s.solve(door); err != nil {
		return core.Progress{}, err
	}
	return s.portal.SignIn.Password(s.ctx, door, user, pw)
}

// solve solves a captcha, in the time that it takes a person.
func (s *story) solve(door core.Actor) (core.Actor, error) {
	asked, err := s.portal.Captchas.Ask(s.ctx, door, core.CaptchaSum)
	if err != nil {
		return door, err
	}
	s.clock.move(s.clock.Now().Add(4 * time.Second))
	door.Pass, err = s.portal.Captchas.Solve(s.ctx, door, asked.ID, strconv.Itoa(asked.Numbers[0]+asked.Numbers[1]))
	return door, err
}

func email(p person) string { return p.user + "@harbour.example" }

// life is one person's: they come, come back now and then, mistype sometimes,
// link a key, and stay signed in or leave.
func (s *story) life(i, of int, who person) {
	came := day + time.Duration(i)*(48*day)/time.Duration(of) + time.Duration(s.dice.IntN(int(8*time.Hour)))
	if i == 1 {
		came = 7 * time.Hour // the one whom visitors of the demonstration look at has been here for long
	}
	waits := i >= of-newcomers || who.user == turned // for approval, which newer ones need
	if waits {
		came = 58*day + time.Duration(i)*37*time.Minute
	}
	doors := s.home[who.user]
	s.on(s.after(came), func() error {
		agreed, err := s.agreed()
		if err != nil {
			return err
		}
		door, err := s.solve(doors[0])
		if err != nil {
			return err
		}
		_, err = s.portal.Accounts.SignUp(s.ctx, door, core.SignUpInput{
			UserName: who.user, DisplayName: who.name, Email: email(who), Password: Password, Agreed: agreed,
		})
		return err
	})
	if waits {
		return
	}
	linked := false
	for at := came + time.Duration(2+s.dice.IntN(20))*time.Hour; at < storyLength; at += time.Duration(6*24+s.dice.IntN(12*24)) * time.Hour {
		door, typo, leaves := doors[s.dice.IntN(len(doors))], s.dice.IntN(7) == 0, s.dice.IntN(3) == 0
		link := door.Key != "" && !linked
		linked = linked || link
		if who.user == away && at > 40*day || who.user == back && at > 44*day || who.user == hammered && at > 59*day || who.user == expired && at > 60*day {
			return
		}
		s.visit(who.user, door, s.after(at), typo, link, leaves)
	}
	if i%4 == 1 { // some have only just come back
		s.visit(who.user, doors[len(doors)-1], s.end.Add(-time.Duration(1+i*3)*time.Minute), false, false, false)
	}
}

// visit is one sign-in and what comes of it.
func (s *story) visit(user string, door core.Actor, at time.Time, typo, link, leaves bool) {
	if typo {
		s.on(at.Add(-20*time.Second), func() error { return s.mistype(user, door) })
	}
	var here core.Actor
	s.on(at, func() (err error) {
		here, err = s.signIn(user, door)
		if errors.Is(err, errNoCode) {
			return nil // no use in waiting
		}
		if err == nil && link {
			s.linked[user] = true
			err = s.portal.Keys.Link(s.ctx, here, "Laptop")
		}
		if err == nil && leaves { // whoever has the time to sign out reads what the portal says
			err = s.portal.Notices.MarkRead(s.ctx, here)
		}
		return err
	})
	if leaves {
		s.on(at.Add(25*time.Minute), func() error {
			if here.Session == "" {
				return nil
			}
			return s.portal.SignIn.Out(s.ctx, here)
		})
	}
}

// mistype is a refused sign-in.
func (s *story) mistype(user string, door core.Actor) error {
	_, err := s.types(user, door, "otter-brisk-lamb")
	switch core.CodeOf(err) {
	case core.CodeCredentials, core.CodeWait:
		return nil
	}
	return fmt.Errorf("a wrong password of %s: %w", user, err)
}
