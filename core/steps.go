// The forced steps of a sign-in, as a state machine. Between the proof and the
// session there may be things that come first; what has been done so far is a
// record here and not the screen's word, so no step can be left out. A later
// step is one line in stepRules, its method, and a screen.

package core

import (
	"context"
	"errors"
	"time"

	"postern/core/secret"
	"postern/store"
)

// Step is what a sign-in asks for next.
type Step string

// The steps, in their order.
const (
	StepFactor         Step = "factor"          // a second factor, or a recovery code
	StepChangePassword Step = "change_password" // expired, or signed in by a one-time code
	StepEnrol          Step = "enrol"           // the policy demands a factor, and there is none
	StepAgreement      Step = "agreement"       // an agreement is new, or was published anew
	StepDone           Step = "done"            // signed in
)

// AttemptFor is how long a sign-in that was begun may take.
const AttemptFor = 10 * time.Minute

// Progress is where a sign-in stands.
type Progress struct {
	Step     Step
	Ticket   string          // for the next call, unless Step is StepDone
	Why      string          // "expired", "rotation", "code"; "soon", "due": for the sentence
	Person   Person          // whose sign-in it is, for the feedback on a new password
	Ways     []Way           // with StepFactor: the ways to prove it, the default first
	Demand   Demand          // with StepEnrol
	Asked    []OpenAgreement // with StepAgreement
	SignedIn SignedIn        // with StepDone
}

// attempt is a sign-in under way, keyed by the hash of its ticket.
type attempt struct {
	Account string `json:"account"`
	Method  string `json:"method"`
	// Factor is the second factor that was proved, "" for none yet.
	Factor FactorKind `json:"factor,omitempty"`
	// Later says that enrolling a factor was put off, as long as it may be.
	Later bool `json:"later,omitempty"`

	Until  time.Time `json:"until"`
	Door   Door      `json:"door"`
	Remote string    `json:"remote"`
}

var attempts = store.NewTable("attempt", 2,
	store.Index[attempt]{Name: "account", Keys: func(a attempt) []string { return []string{a.Account} }})

// dropAttempts ends every sign-in of an account that is under way.
func (t *txn) dropAttempts(account string) error {
	for {
		rows, err := attempts.PageEq(t, "account", account, "", MaxPage)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := attempts.Delete(t, r.ID); err != nil {
				return err
			}
		}
		if len(rows) < MaxPage {
			return nil
		}
	}
}

// stepRule says when a step is due.
type stepRule struct {
	step Step
	due  func(t *txn, a Account, c Credential, at attempt) (why string, due bool, err error)
}

// stepRules are all forced steps, in order. Captcha and the
// confirmation of an address belong here when they come.
var stepRules = []stepRule{
	{StepFactor, func(t *txn, a Account, _ Credential, at attempt) (string, bool, error) {
		if at.Factor != "" {
			return "", false, nil
		}
		guarded, err := t.guarded(a.ID)
		return "", guarded, err
	}},
	{StepChangePassword, func(t *txn, a Account, c Credential, at attempt) (string, bool, error) {
		switch {
		case at.Method == "code" && c.Expired:
			return "code", true, nil
		case c.Expired:
			return "expired", true, nil
		default:
			p, err := t.policyFor(a.ID)
			return "rotation", c.due(p.Password, t.now), err
		}
	}},
	{StepEnrol, (*txn).enrolDue},
	{StepAgreement, (*txn).agreementDue},
}

// next returns the first step that is due.
func (t *txn) next(a Account, c Credential, at attempt) (Step, string, error) {
	for _, r := range stepRules {
		if why, due, err := r.due(t, a, c, at); err != nil || due {
			return r.step, why, err
		}
	}
	return StepDone, "", nil
}

// secrets are made before a transaction, since that may run more than once.
type secrets struct {
	ticket, token string
	session       string // the id of a new session
}

func (b *base) newSecrets() (s secrets, err error) {
	s.ticket, s.token = secret.Token(b.random), secret.Token(b.random)
	s.session, err = b.ids.new(b.clock.Now())
	return s, err
}

// advance goes on to the next forced step or, when none is left, to a session.
func (t *txn) advance(a Account, c Credential, at attempt, s secrets) (Progress, error) {
	if err := t.countKey(a.ID, &at); err != nil {
		return Progress{}, err
	}
	step, why, err := t.next(a, c, at)
	if err != nil {
		return Progress{}, err
	}
	p := Progress{Step: step, Why: why, Person: a.person()}
	switch step {
	case StepFactor:
		p.Ways, err = t.signInWays(a.ID)
	case StepEnrol:
		p.Demand, err = t.demand(a)
	case StepAgreement:
		p.Asked, err = t.askedAgreements(a.ID)
	}
	if err != nil {
		return Progress{}, err
	}
	if step != StepDone {
		p.Ticket = s.ticket
		at.Until, at.Door, at.Remote = t.now.Add(AttemptFor), t.actor.Door, t.actor.Remote
		t.note("next", string(step))
		return p, attempts.Insert(t, secret.Hash(s.ticket), at)
	}
	in, err := t.beginSession(a, at.Method, at.Factor, s)
	p.SignedIn = in
	return p, err
}

// countKey notes the key that this connection proved as the second factor of a
// sign-in, where the policy says that it stands for one. A sign-in by that very
// key needs another.
func (t *txn) countKey(account string, at *attempt) error {
	if at.Factor != "" || !t.policy.Factors.on(FactorKey) {
		return nil
	}
	brought, err := t.broughtKey(account)
	if err != nil || !brought {
		return err
	}
	at.Factor = FactorKey
	return t.keyUsed(t.actor.Key)
}

// beginSession makes a session and, when the policy bounds their number, ends the oldest.
func (t *txn) beginSession(a Account, method string, factor FactorKind, s secrets) (SignedIn, error) {
	if most := t.policy.Session.Max; most > 0 {
		list, err := t.liveSessions(a.ID)
		if err != nil {
			return SignedIn{}, err
		}
		for i := most - 1; i < len(list); i++ {
			r, err := sessions.Get(t, list[i].ID)
			if err != nil {
				return SignedIn{}, err
			}
			if err := t.endSession(r, EndLimit); err != nil {
				return SignedIn{}, err
			}
		}
		if n := len(list) - (most - 1); n > 0 {
			t.note("sessions_ended", itoa(n))
		}
	}
	proved, err := t.signInProves(a.ID, method, factor)
	if err != nil {
		return SignedIn{}, err
	}
	r := sessionRecord{TokenHash: secret.Hash(s.token), Session: Session{
		ID: s.session, Account: a.ID, Door: t.actor.Door, Remote: t.actor.Remote, Client: t.actor.Client,
		Key: t.actor.Key, Method: method, Factor: factor, Created: t.now, LastSeen: t.now,
	}}
	if proved {
		r.Proved = t.now
	}
	if err := sessions.Insert(t, r.ID, r); err != nil {
		return SignedIn{}, err
	}
	if err := t.meetDevice(a); err != nil {
		return SignedIn{}, err
	}
	a.LastSignIn = t.now
	if err := accounts.Put(t, a.ID, a); err != nil {
		return SignedIn{}, err
	}
	t.entry.Session, t.entry.SignedIn = r.ID, method != "signup"
	return a.signedIn(r.ID, s.token), nil
}

// attempt reads the sign-in of a ticket and refuses when another step comes first.
func (t *txn) attempt(ticket string, step Step) (at attempt, a Account, c Credential, err error) {
	at, err = attempts.Get(t, secret.Hash(ticket))
	if errors.Is(err, store.ErrNotFound) {
		return at, a, c, refuse(CodeTicket)
	} else if err != nil {
		return at, a, c, err
	}
	if !t.now.Before(at.Until) || at.Door != t.actor.Door || at.Remote != t.actor.Remote {
		return at, a, c, refuse(CodeTicket)
	}
	if a, err = accounts.Get(t, at.Account); err != nil {
		return at, a, c, err
	}
	if a.State != StateActive {
		return at, a, c, refuse(CodeCredentials)
	}
	if c, err = credentials.Get(t, at.Account); err != nil {
		return at, a, c, err
	}
	due, _, err := t.next(a, c, at)
	if err == nil && due != step {
		err = refuse(CodeOutOfOrder)
	}
	return at, a, c, err
}

// ChangePassword is the forced step StepChangePassword. All other sessions of
// the account end. CodeTicket, CodeOutOfOrder, CodeConflict, CodeCredentials
// when the account was suspended meanwhile; CodePassword, CodeEmpty, CodeReused,
// CodeSame (field "password").
func (s *SignIn) ChangePassword(ctx context.Context, actor Actor, ticket, next string) (Progress, error) {
	var ch change
	err := s.read(ctx, actor, func(t *txn) (err error) {
		if _, ch.account, ch.cred, err = t.attempt(ticket, StepChangePassword); err != nil {
			return err
		}
		ch.guide, ch.policy, err = t.guideFor(ch.account.ID)
		return err
	})
	if err != nil {
		return Progress{}, s.refused(ctx, actor, ActSignInStep, ch.account.ID, err)
	}
	hash, err := s.fresh(ctx, ch, next, "password")
	if err != nil {
		return Progress{}, s.refused(ctx, actor, ActPassword, ch.account.ID, err)
	}
	sec, err := s.newSecrets()
	if err != nil {
		return Progress{}, asError(err)
	}
	var p Progress
	err = s.do(ctx, actor, ActPassword, ch.account.ID, func(t *txn) error {
		at, a, _, err := t.attempt(ticket, StepChangePassword)
		if err != nil {
			return err
		}
		c, err := t.replacePassword(ch, hash)
		if err != nil {
			return err
		}
		n, err := t.endSessions(a.ID, "", EndPassword)
		if err != nil {
			return err
		}
		if err := t.notify(a.ID, NoticePasswordChanged, nil); err != nil {
			return err
		}
		t.entry.Actor, t.entry.Name, t.entry.Target = a.ID, a.UserName, a.UserName
		t.note("sessions_ended", itoa(n))
		p, err = t.advance(a, c, at, sec)
		return err
	})
	if err != nil {
		return Progress{}, err
	}
	return p, nil
}
