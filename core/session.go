// Sessions: made at sign-in, ended by the person, by an admin or by the policy.
// A session's end is computed from the policy in force, and written down as soon
// as anybody sees it has come: what has expired stays expired.

package core

import (
	"context"
	"sort"
	"time"

	"postern/core/secret"
	"postern/store"
)

// EndReason says why a session ended; the dictionary has the words ("ended." + reason).
type EndReason string

// The reasons for which a session ends.
const (
	EndSignedOut EndReason = "signed_out" // by its own person, here
	EndElsewhere EndReason = "elsewhere"  // by its own person, from another session
	EndByAdmin   EndReason = "by_admin"
	EndSuspended EndReason = "suspended"
	EndPassword  EndReason = "password" // the password was changed
	EndExpired   EndReason = "expired"
	EndIdle      EndReason = "idle"
	EndLimit     EndReason = "limit"   // a newer one took its place
	EndGone      EndReason = "gone"    // its record is no more
	EndDeleted   EndReason = "deleted" // nor is its account
)

// Session is one signed-in session, as people may see it.
type Session struct {
	ID      string `json:"id"`
	Account string `json:"account"`
	Door    Door   `json:"door"`
	Remote  string `json:"remote,omitempty"`
	Client  string `json:"client,omitempty"`
	Key     string `json:"key,omitempty"`
	Method  string `json:"method"` // how it signed in: "password", "code", "signup", "key"
	// Factor is the second factor that was proved at sign-in, "" for none.
	Factor   FactorKind `json:"factor,omitempty"`
	Created  time.Time  `json:"created"`
	LastSeen time.Time  `json:"last_seen"`
	// Proved is the last proof of who it is, for step-up; zero for a session that
	// began with less than a step-up asks for, and has given none since.
	Proved    time.Time `json:"proved,omitzero"`
	Ended     time.Time `json:"ended,omitzero"`
	EndReason EndReason `json:"end_reason,omitempty"`

	// Ends and Mine are computed when it is read.
	Ends time.Time `json:"ends,omitzero"`
	Mine bool      `json:"mine,omitempty"`
}

// sessionRecord adds what only the core needs.
type sessionRecord struct {
	Session
	TokenHash string `json:"token_hash"`
}

var sessions = store.NewTable("session", 2,
	store.Index[sessionRecord]{Name: "token", Unique: true, Keys: func(s sessionRecord) []string {
		if !s.Ended.IsZero() {
			return nil
		}
		return []string{s.TokenHash}
	}},
	store.Index[sessionRecord]{Name: "live", Keys: func(s sessionRecord) []string {
		if !s.Ended.IsZero() {
			return nil
		}
		return []string{s.Account}
	}},
	store.Index[sessionRecord]{Name: "ended", Keys: func(s sessionRecord) []string {
		if s.Ended.IsZero() {
			return nil
		}
		return []string{s.Account}
	}})

// StepUpFor is how long a proof of who one is holds for what asks for it anew.
const StepUpFor = 5 * time.Minute

// ended says whether the session is over under the policy.
func (s sessionRecord) ended(p SessionPolicy, now time.Time) bool {
	ends, _ := p.Ends(s.Created, s.LastSeen)
	return !s.Ended.IsZero() || !now.Before(ends)
}

// Sessions lists and ends sessions.
type Sessions struct{ *base }

// Mine returns the actor's live sessions, the newest first, its own marked.
func (s *Sessions) Mine(ctx context.Context, actor Actor) ([]Session, error) {
	return ofSelf(ctx, s.base, actor, (*txn).liveSessions)
}

// List returns the live sessions of an account (ref: user name or id), for
// those who may read accounts. CodeDenied, CodeNotFound.
func (s *Sessions) List(ctx context.Context, actor Actor, ref string) ([]Session, error) {
	return ofAccount(ctx, s.base, actor, ref, (*txn).liveSessions, OpReadAccounts)
}

func (t *txn) liveSessions(account string) ([]Session, error) {
	var list []Session
	p, err := t.policyFor(account)
	if err != nil {
		return nil, err
	}
	err = t.eachLive(account, func(r sessionRecord) error {
		if over, err := t.over(r); err != nil || over {
			return err
		}
		v := r.Session
		v.LastSeen = t.base.live.lastSeen(v.ID, v.LastSeen)
		v.Ends, _ = p.Session.Ends(v.Created, v.LastSeen)
		v.Mine = v.ID == t.actor.Session
		list = append(list, v)
		return nil
	})
	sort.SliceStable(list, func(i, j int) bool { return list[i].ID > list[j].ID })
	return list, err
}

// eachLive walks the sessions of an account that are not marked as ended.
func (t *txn) eachLive(account string, fn func(sessionRecord) error) error {
	return eachRow(func(after string) ([]store.Row[sessionRecord], error) {
		return sessions.PageEq(t, "live", account, after, MaxPage)
	}, fn)
}

// End ends one session: the actor's own, or any for those who manage accounts.
// CodeNotFound when there is no such live session that the actor may know of.
func (s *Sessions) End(ctx context.Context, actor Actor, id string) error {
	return s.do(ctx, actor, ActSessionEnd, "", func(t *txn) error {
		r, err := sessions.Get(t, id)
		if err != nil {
			return notFound(err, "session")
		}
		if over, err := t.over(r); err != nil {
			return err
		} else if over {
			return refuseField(CodeNotFound, "session")
		}
		t.entry.About, t.entry.Target = r.Account, id
		why := EndElsewhere
		switch {
		case r.Account == actor.Account && !actor.Console:
			if err := t.may(OpSelf, r.Account); err != nil {
				return err
			}
			if r.ID == actor.Session {
				why = EndSignedOut
				t.entry.Action = ActSignOut
			}
		default:
			if err := t.may(OpManageAccounts, r.Account); CodeOf(err) == CodeDenied {
				return refuseField(CodeNotFound, "session") // others learn nothing of it
			} else if err != nil {
				return err
			}
			why = EndByAdmin
		}
		t.entry.Before = r.described()
		return t.endSession(r, why)
	})
}

// EndOthers ends all of the actor's sessions but this one, and says how many.
func (s *Sessions) EndOthers(ctx context.Context, actor Actor) (int, error) {
	var n int
	err := s.do(ctx, actor, ActSessionEndAll, actor.Account, func(t *txn) (err error) {
		if err := t.may(OpSelf, actor.Account); err != nil {
			return err
		}
		n, err = t.endSessions(actor.Account, actor.Session, EndElsewhere)
		t.entry.After = map[string]string{"sessions_ended": itoa(n)}
		return err
	})
	return n, err
}

// EndAll ends every live session of somebody's account, for those who manage
// accounts, and says how many; the one that the actor acts in stays. CodeDenied,
// CodeNotFound.
func (s *Sessions) EndAll(ctx context.Context, actor Actor, ref string) (int, error) {
	var n int
	err := (&Accounts{s.base}).manage(ctx, actor, ActSessionsEnd, ref, func(t *txn, a Account) (err error) {
		n, err = t.endSessions(a.ID, actor.Session, EndByAdmin)
		t.entry.After = map[string]string{"sessions_ended": itoa(n)}
		return err
	})
	return n, err
}

// endSessions ends every live session of an account but keep ("": none kept),
// and says how many.
func (t *txn) endSessions(account, keep string, why EndReason) (int, error) {
	var doomed []sessionRecord
	err := t.eachLive(account, func(r sessionRecord) error {
		over, err := t.over(r)
		if r.ID != keep && !over { // what is over already keeps its own reason
			doomed = append(doomed, r)
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, r := range doomed {
		if err := t.endSession(r, why); err != nil {
			return 0, err
		}
	}
	return len(doomed), nil
}

// endSession marks one session as ended.
func (t *txn) endSession(r sessionRecord, why EndReason) error {
	r.LastSeen = t.base.live.lastSeen(r.ID, r.LastSeen)
	r.Ended, r.EndReason, r.TokenHash = t.now, why, ""
	return sessions.Put(t, r.ID, r)
}

func (s Session) described() map[string]string {
	m := map[string]string{"door": string(s.Door), "created": s.Created.Format(time.RFC3339)}
	for k, v := range map[string]string{"remote": s.Remote, "client": s.Client, "key": s.Key} {
		if v != "" {
			m[k] = v
		}
	}
	return m
}

// newToken makes a new secret for the actor's session; only its hash is kept.
// Without a session there is none.
func (b *base) newToken(actor Actor) (result StepUpResult, hash string) {
	if actor.Session == "" {
		return StepUpResult{}, ""
	}
	token := secret.Token(b.random)
	return StepUpResult{Token: token}, secret.Hash(token)
}

// renew gives a session a new secret and a fresh proof. Without a session (a
// console, a verb) there is nothing to renew.
func (t *txn) renew(id, tokenHash string) error {
	return t.renewed(id, tokenHash, func(r *sessionRecord) { r.Proved = t.now })
}

// renewToken gives a session a new secret, and no proof.
func (t *txn) renewToken(id, tokenHash string) error {
	return t.renewed(id, tokenHash, func(*sessionRecord) {})
}

func (t *txn) renewed(id, tokenHash string, change func(*sessionRecord)) error {
	if id == "" {
		return nil
	}
	r, err := sessions.Get(t, id)
	if err != nil {
		return err
	}
	r.TokenHash, r.LastSeen = tokenHash, t.now
	change(&r)
	return sessions.Put(t, id, r)
}

// requireFresh refuses with CodeStepUp unless the actor proved itself within
// StepUpFor. The console needs no proof: it is the machine's own operator.
func (t *txn) requireFresh() error {
	if t.actor.Console {
		return nil
	}
	if t.actor.Session == "" {
		return refuse(CodeStepUp)
	}
	r, err := sessions.Get(t, t.actor.Session)
	if err != nil {
		return err
	}
	if t.now.Sub(r.Proved) > StepUpFor {
		return refuse(CodeStepUp)
	}
	return nil
}

// requireProof is requireFresh for what a verb may do by a linked key: that was
// proved by this very connection.
func (t *txn) requireProof() error {
	if t.actor.Session == "" && t.actor.Key != "" && t.actor.Door == DoorVerb {
		return nil
	}
	return t.requireFresh()
}
