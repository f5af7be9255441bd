// A person's own account: profile, preferences, security check-up.

package core

import (
	"context"
	"errors"
	"regexp"
	"time"

	"postern/store"
)

// Profile is what a person sees of their own account.
type Profile struct {
	Account
	PasswordChanged time.Time
	PasswordDue     time.Time // zero: no rotation
	Roles           []Role    // on the portal, the highest first
}

// ProfileInput is what a person may change of it. Fields holds the custom
// fields that are shown; hidden ones stay as they are.
type ProfileInput struct {
	DisplayName, Email string
	Fields             map[string]string
}

// Preferences are how a person wants the portal to speak and look.
type Preferences struct {
	Language string // BCP 47, "" as the visitor's
	Theme    string // "", "auto", "light", "dark", "contrast"
	TimeZone string // IANA name, "" for UTC
}

// Accounts makes, shows and changes accounts.
type Accounts struct{ *base }

// Profile returns the actor's own account. CodeSessionEnded, CodeDenied.
func (s *Accounts) Profile(ctx context.Context, actor Actor) (Profile, error) {
	return ofSelf(ctx, s.base, actor, (*txn).ownProfile)
}

// ownProfile is a profile for its own person.
func (t *txn) ownProfile(id string) (Profile, error) {
	p, err := t.profile(id)
	shown := map[string]string{}
	for k, v := range p.Fields {
		if t.policy.SignUp.shows(k) {
			shown[k] = v
		}
	}
	p.Fields = shown
	return p, err
}

func (t *txn) profile(id string) (Profile, error) {
	a, err := accounts.Get(t, id)
	if err != nil {
		return Profile{}, err
	}
	c, err := credentials.Get(t, id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return Profile{}, err
	}
	p := Profile{Account: a, PasswordChanged: c.Changed}
	rules, err := t.policyFor(id)
	if err != nil {
		return Profile{}, err
	}
	if days := rules.Password.RotateDays; days > 0 {
		p.PasswordDue = c.Changed.AddDate(0, 0, days)
	}
	held, err := t.rank(id)
	for _, r := range []Role{RoleOwner, RoleAdmin, RoleSupport, RoleAuditor} {
		if held.roles[r] {
			p.Roles = append(p.Roles, r)
		}
	}
	return p, err
}

// UpdateProfile changes the actor's display name, e-mail address and custom
// fields. A new address asks for a step-up. CodeStepUp, CodeTaken and the
// field refusals of SignUp.
func (s *Accounts) UpdateProfile(ctx context.Context, actor Actor, in ProfileInput) (Profile, error) {
	var p Profile
	err := s.do(ctx, actor, ActProfile, actor.Account, func(t *txn) error {
		if err := t.may(OpSelf, actor.Account); err != nil {
			return err
		}
		old, err := accounts.Get(t, actor.Account)
		if err != nil {
			return err
		}
		a := old
		if a.DisplayName, err = cleanDisplayName(in.DisplayName, a.UserName); err != nil {
			return err
		}
		if a.Email, err = cleanEmail(in.Email, t.policy.SignUp.EmailRequired); err != nil {
			return err
		}
		if a.Fields, err = checkFields(t.policy.SignUp.Fields, in.Fields, false); err != nil {
			return err
		}
		for _, d := range t.policy.SignUp.Fields {
			if v := old.Fields[d.Key]; d.Kind == FieldHidden && v != "" {
				a.Fields[d.Key] = v
			}
		}
		if a.Email != old.Email {
			if err := t.requireFresh(); err != nil {
				return err
			}
			a.EmailConfirmed = time.Time{}
		}
		if err := t.putAccount(old, a); err != nil {
			return err
		}
		if a.Email != old.Email && old.Email != "" {
			// To the old address: whoever took the account over does not read that.
			if err := t.notifyAt(a, old.confirmedEmail(), NoticeEmailChanged, nil); err != nil {
				return err
			}
		}
		p, err = t.ownProfile(a.ID)
		return err
	})
	return p, err
}

// validLanguage is the shape of a language tag (RFC 5646 §2.1, §4.4.1), or "".
var validLanguage = regexp.MustCompile(`^([A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8}){0,6})?$`)

// SetPreferences changes language, theme and time zone. CodeFormat (fields
// "language", "theme", "time_zone").
func (s *Accounts) SetPreferences(ctx context.Context, actor Actor, in Preferences) error {
	return s.do(ctx, actor, ActProfile, actor.Account, func(t *txn) error {
		if err := t.may(OpSelf, actor.Account); err != nil {
			return err
		}
		if !validLanguage.MatchString(in.Language) {
			return refuseField(CodeFormat, "language")
		}
		switch in.Theme {
		case "", "auto", "light", "dark", "contrast":
		default:
			return refuseField(CodeFormat, "theme")
		}
		if !validZone(in.TimeZone) {
			return refuseField(CodeFormat, "time_zone")
		}
		old, err := accounts.Get(t, actor.Account)
		if err != nil {
			return err
		}
		a := old
		a.Language, a.Theme, a.TimeZone = in.Language, in.Theme, in.TimeZone
		return t.putAccount(old, a)
	})
}

// maxZone is longer than any name of a time zone.
const maxZone = 64

// validZone says whether a name is that of a time zone, or "".
func validZone(name string) bool {
	if len(name) > maxZone || name == "Local" {
		return false
	}
	_, err := time.LoadLocation(name)
	return err == nil
}

// putAccount writes a changed account, counts it and notes what changed.
func (t *txn) putAccount(old, a Account) error {
	t.entry.Target = a.UserName
	t.entry.Before, t.entry.After = changes(old.described(), a.described())
	if err := accounts.Put(t, a.ID, a); err != nil {
		return uniqueError(err)
	}
	return t.countAccount(a.ID, old.State, a.State)
}

// CheckUp is the security check-up of home: what is well and what is not.
type CheckUp struct {
	UserName, DisplayName string
	HasEmail              bool
	PasswordAge           time.Duration
	PasswordDue           time.Time // zero: no rotation
	Sessions              int       // live ones, this one included
	OtherDoors            int       // live ones from another address or key than this one's
	Refused               int       // refused sign-ins in the last week, at most MaxPage
	KeyProved             bool      // this connection proved an SSH key
	KeyLinked             bool      // and it is linked to this account
	Keys                  int
	Pending               int // sign-ups that wait, for those who may approve them

	EmailConfirmed bool
	Protected      bool          // there is a second factor that counts
	Guardable      bool          // the policy lets people have one
	Factors        int           // apps, phones and addresses
	FactorsOff     int           // of them, disabled by failures
	KeysGuard      bool          // linked keys stand for a second factor
	Recovery       RecoveryState // codes
	Must           bool          // the policy demands a factor
	MustBy         time.Time     // until when, with Must
	Unread         int           // notices, at most MaxPage
	MessagesDead   int           // given up, for those who run the messages; at most MaxPage
	Roles          []Role

	Apps int // that are shared with this account or its own, those that begin later too

	Legal           bool // there is a contact or an agreement to be read
	ContactsMissing int  // for those who may set them

	Request  Request // to delete this account, when one is open
	Asked    bool    // there is such a request
	Requests int     // that wait for a decision, for those who decide; at most MaxPage
}

// CheckUp looks over the actor's account.
func (s *Accounts) CheckUp(ctx context.Context, actor Actor) (CheckUp, error) {
	var c CheckUp
	err := s.read(ctx, actor, func(t *txn) error {
		if err := t.may(OpSelf, actor.Account); err != nil {
			return err
		}
		p, err := t.profile(actor.Account)
		if err != nil {
			return err
		}
		c = CheckUp{UserName: p.UserName, DisplayName: p.DisplayName, HasEmail: p.Email != "",
			PasswordAge: t.now.Sub(p.PasswordChanged), PasswordDue: p.PasswordDue, Roles: p.Roles, KeyProved: actor.Key != ""}
		list, err := t.liveSessions(actor.Account)
		if err != nil {
			return err
		}
		c.Sessions = len(list)
		for _, o := range list {
			if !o.Mine && (o.Remote != actor.Remote || o.Key != actor.Key) {
				c.OtherDoors++
			}
		}
		keys, err := t.liveKeysOf(actor.Account)
		if err != nil {
			return err
		}
		c.Keys = len(keys)
		for _, k := range keys {
			c.KeyLinked = c.KeyLinked || k.Fingerprint == actor.Key
		}
		page, err := pageTrail(t, actor.Account, "", MaxPage)
		if err != nil {
			return err
		}
		for _, e := range page.Entries {
			if t.now.Sub(e.At) > 7*24*time.Hour {
				break
			}
			if e.Outcome == OutcomeRefused && (e.Action == ActSignIn || e.Action == ActSignInCode) {
				c.Refused++
			}
		}
		if err := t.checkProtection(&c, p.Account); err != nil {
			return err
		}
		shared, err := t.sharesOf(actor.Account)
		if err != nil {
			return err
		}
		c.Apps = len(shared)
		if err := t.legal(&c, actor.Account); err != nil {
			return err
		}
		if c.Request, c.Asked, err = t.openRequest(actor.Account); err != nil {
			return err
		}
		if t.may(OpRequests, "") == nil {
			if c.Requests, err = t.waitingRequests(); err != nil {
				return err
			}
		}
		if t.may(OpManageAccounts, "") == nil {
			pending, err := accounts.PageEq(t, "state", string(StatePending), "", MaxPage)
			if err != nil {
				return err
			}
			c.Pending = len(pending)
		}
		return nil
	})
	return c, err
}

// checkProtection adds what the check-up says of factors, inbox and outbox.
func (t *txn) checkProtection(c *CheckUp, a Account) error {
	p, err := t.protection(a)
	if err != nil {
		return err
	}
	c.EmailConfirmed = a.confirmedEmail() != ""
	c.Protected, c.Factors, c.Recovery, c.Must, c.MustBy = p.Enough, len(p.Factors), p.Recovery, p.Must, p.By
	c.Guardable, c.KeysGuard = t.policy.Factors.any(), t.policy.Factors.on(FactorKey)
	for _, f := range p.Factors {
		if !f.Disabled.IsZero() {
			c.FactorsOff++
		}
	}
	if c.Unread, err = t.unread(a.ID); err != nil {
		return err
	}
	if t.may(OpMessages, "") == nil {
		dead, err := messages.PageBy(t, "dead", "", "", MaxPage)
		if err != nil {
			return err
		}
		c.MessagesDead = len(dead)
	}
	return nil
}
