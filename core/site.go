// The portal itself: its name, its first owner, and what a stranger may know of it.

package core

import (
	"context"
	"errors"
	"sync"
	"time"

	"postern/core/secret"
	"postern/store"
)

// siteRecord is the portal's own record; a store without it is not set up.
type siteRecord struct {
	Name    string    `json:"name"`
	Created time.Time `json:"created"`
	Owner   string    `json:"owner"` // the first one
}

// SetUp says whether the portal has been set up.
func (s siteRecord) SetUp() bool { return !s.Created.IsZero() }

var sites = store.NewTable[siteRecord]("portal", 1)

const siteID = "portal"

// Site sets the portal up and tells what it is.
type Site struct {
	*base
	mu        sync.Mutex
	setupHash string
}

// SignUpState says whether a stranger can sign up, and how.
type SignUpState string

// The states of sign-up: the policy's mode, or full.
const (
	SignUpIsOpen     SignUpState = "open"
	SignUpByInvite   SignUpState = "invite"
	SignUpByApproval SignUpState = "approval"
	SignUpIsClosed   SignUpState = "closed"
	SignUpIsFull     SignUpState = "full" // the quota is used up; the way is hidden
)

// SiteState is what everybody may know.
type SiteState struct {
	SetUp         bool
	Name          string
	SignUp        SignUpState
	EmailRequired bool
	Fields        []Field     // what sign-up asks for besides; hidden ones left out
	Agreements    []Agreement // what sign-up asks to agree to, without the texts
	Contacts      int         // how many legal contacts there are
}

// State tells what everybody may know.
func (s *Site) State(ctx context.Context) (SiteState, error) {
	var st SiteState
	err := s.read(ctx, Actor{}, func(t *txn) error {
		st = SiteState{SetUp: t.site.SetUp(), Name: t.site.Name, SignUp: SignUpState(t.policy.SignUp.Mode), EmailRequired: t.policy.SignUp.EmailRequired}
		for _, f := range t.policy.SignUp.Fields {
			if f.Kind != FieldHidden {
				st.Fields = append(st.Fields, f)
			}
		}
		if q := t.policy.SignUp.Quota; q > 0 {
			n, err := t.tally()
			if err != nil {
				return err
			}
			if n.Accounts >= q {
				st.SignUp = SignUpIsFull
			}
		}
		reach, err := t.contacts()
		if err != nil {
			return err
		}
		st.Contacts = len(reach)
		st.Agreements, err = t.currentAgreements()
		return err
	})
	return st, err
}

// SetupCode makes a new one-time code for setting the portal up from elsewhere
// than this machine. An earlier one counts no more.
func (s *Site) SetupCode() (string, error) {
	code := secret.Code(s.random, 4)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setupHash = secret.Hash(secret.NormalizeCode(code))
	return code, nil
}

func (s *Site) setupCodeIs(code string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.setupHash != "" && secret.Equal(secret.Hash(secret.NormalizeCode(code)), s.setupHash)
}

// SetUpInput is what the first run asks for.
type SetUpInput struct {
	Portal string // the portal's name
	Preset string // the policy to begin with
	Code   string // the setup code, unless at this machine
	Owner  SignUpInput
}

// SetUp makes the portal: its name, the policy, the first owner, signed in. At
// the machine's own terminal no code is needed; from anywhere else the code
// that serve printed is. CodeSetUp when that was done already, CodeSetupCode,
// CodeWait, and what SignUp refuses with.
func (s *Site) SetUp(ctx context.Context, actor Actor, in SetUpInput) (SignedIn, error) {
	var out SignedIn
	err := s.limited(ctx, actor, func() (err error) {
		out, err = s.setUp(ctx, actor, in)
		return err
	})
	return out, err
}

func (s *Site) setUp(ctx context.Context, actor Actor, in SetUpInput) (SignedIn, error) {
	name, pol, acc, cred, err := s.plan(ctx, actor, in)
	if err != nil {
		return SignedIn{}, s.refused(ctx, actor, ActSetUp, "", err)
	}
	sec, err := s.newSecrets()
	if err != nil {
		return SignedIn{}, asError(err)
	}
	grantID, err := s.ids.new(s.clock.Now())
	if err != nil {
		return SignedIn{}, asError(err)
	}
	codeKey, err := s.newCodeKey()
	if err != nil {
		return SignedIn{}, asError(err)
	}
	var out SignedIn
	err = s.do(ctx, actor, ActSetUp, "", func(t *txn) error {
		acc, cred, pol := acc, cred, pol
		if t.site.SetUp() {
			return refuse(CodeSetUp)
		}
		acc.Created, cred.Changed = t.now, t.now
		site := siteRecord{Name: name, Created: t.now, Owner: acc.ID}
		if err := sites.Insert(t, siteID, site); err != nil {
			if errors.Is(err, store.ErrExists) {
				return refuse(CodeSetUp)
			}
			return err
		}
		if err := codeKeys.Insert(t, codeKeyID, codeKey); err != nil {
			return err
		}
		if err := schemas.Insert(t, schemaID, schemaRecord{Version: schemaNow()}); err != nil {
			return err
		}
		pol.Version, pol.Changed = 1, t.now
		if err := t.putPolicy(pol); err != nil {
			return err
		}
		t.policy = pol
		if err := t.insertAccount(acc, cred); err != nil {
			return err
		}
		if err := grants.Insert(t, grantID, Grant{ID: grantID, App: AppPostern, Account: acc.ID, Role: RoleOwner, Created: t.now}); err != nil {
			return err
		}
		var err error
		if out, err = t.beginSession(acc, "signup", "", sec); err != nil {
			return err
		}
		t.entry.About, t.entry.Actor, t.entry.Name, t.entry.Target = acc.ID, acc.ID, acc.UserName, name
		t.entry.After = map[string]string{"owner": acc.UserName, "preset": pol.Preset}
		return nil
	})
	if err != nil {
		return SignedIn{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setupHash = "" // used
	return out, nil
}

// plan decides whether the portal may be set up by this actor, and validates
// what was typed.
func (s *Site) plan(ctx context.Context, actor Actor, in SetUpInput) (name string, pol Policy, acc Account, cred Credential, err error) {
	st, err := s.State(ctx)
	if err != nil {
		return name, pol, acc, cred, err
	}
	if st.SetUp {
		return name, pol, acc, cred, refuse(CodeSetUp)
	}
	home := actor.Door == DoorLocal || actor.Door == DoorConsole || actor.Door == DoorDemo
	if !home && !s.setupCodeIs(in.Code) {
		return name, pol, acc, cred, refuseField(CodeSetupCode, "setup_code")
	}
	if pol, err = presetByID(in.Preset); err != nil {
		return name, pol, acc, cred, err
	}
	if name, err = cleanText("portal", in.Portal, MaxPortalName, true); err != nil {
		return name, pol, acc, cred, err
	}
	guide := PasswordGuide{Rules: pol.Password.Rules(), words: []string{name, "postern"}}
	acc, cred, err = s.draft(ctx, guide, in.Owner, SignUpPolicy{})
	return name, pol, acc, cred, err
}
