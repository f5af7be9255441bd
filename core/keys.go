// SSH keys linked to accounts. A linked key lets `ssh host VERB` act for its
// account; only the key that the finished handshake proved can be linked.

package core

import (
	"context"
	"errors"
	"time"

	"postern/store"
)

// MaxKeys is how many keys one account may link.
const MaxKeys = 20

// LinkedKey is a public key that speaks for an account.
type LinkedKey struct {
	Fingerprint string    `json:"fingerprint"` // SHA256:…, as OpenSSH prints it
	Line        string    `json:"line"`        // authorized_keys form, without comment
	Account     string    `json:"account"`
	Created     time.Time `json:"created"`
	LastUsed    time.Time `json:"last_used,omitzero"`
}

// linkedKeys is keyed by fingerprint: a key speaks for one account only.
var linkedKeys = store.NewTable("key", 1,
	store.Index[LinkedKey]{Name: "account", Keys: func(k LinkedKey) []string { return []string{k.Account} }})

// Keys links and finds SSH keys.
type Keys struct{ *base }

func (t *txn) keysOf(account string) ([]LinkedKey, error) {
	rows, err := linkedKeys.PageEq(t, "account", account, "", MaxKeys)
	var list []LinkedKey
	for _, r := range rows {
		list = append(list, r.Value)
	}
	return list, err
}

// Mine returns the actor's linked keys.
func (s *Keys) Mine(ctx context.Context, actor Actor) ([]LinkedKey, error) {
	var list []LinkedKey
	err := s.read(ctx, actor, func(t *txn) (err error) {
		if err := t.may(OpSelf, actor.Account); err != nil {
			return err
		}
		list, err = t.keysOf(actor.Account)
		return err
	})
	return list, err
}

// Link links the key that this connection proved. CodeNoKey, CodeKeyInUse,
// CodeStepUp, CodeRange when there are MaxKeys already.
func (s *Keys) Link(ctx context.Context, actor Actor) error {
	return s.do(ctx, actor, ActKeyLink, actor.Account, func(t *txn) error {
		if err := t.may(OpSelf, actor.Account); err != nil {
			return err
		}
		if actor.Key == "" {
			return refuse(CodeNoKey)
		}
		if err := t.requireFresh(); err != nil {
			return err
		}
		have, err := t.keysOf(actor.Account)
		if err != nil {
			return err
		}
		if len(have) >= MaxKeys {
			return &Error{Code: CodeRange, Field: "key", Rule: "0-" + itoa(MaxKeys)}
		}
		t.entry.Target = actor.Key
		err = linkedKeys.Insert(t, actor.Key, LinkedKey{Fingerprint: actor.Key, Line: actor.KeyLine, Account: actor.Account, Created: t.now})
		if errors.Is(err, store.ErrExists) {
			return refuse(CodeKeyInUse)
		}
		return err
	})
}

// Remove unlinks one of the actor's keys. CodeNotFound, CodeStepUp.
func (s *Keys) Remove(ctx context.Context, actor Actor, fingerprint string) error {
	return s.do(ctx, actor, ActKeyRemove, actor.Account, func(t *txn) error {
		if err := t.may(OpSelf, actor.Account); err != nil {
			return err
		}
		if err := t.requireFresh(); err != nil {
			return err
		}
		k, err := linkedKeys.Get(t, fingerprint)
		if err != nil || k.Account != actor.Account {
			return notFound(err, "key")
		}
		t.entry.Target = fingerprint
		return linkedKeys.Delete(t, fingerprint)
	})
}

// keyUsedEvery is how often "last used" of a key is written at most.
const keyUsedEvery = time.Minute

// Recognise returns the actor as the account its proved key is linked to, for
// verbs. CodeDenied when the key is linked to none, or its account may not sign
// in: the actor returned is then a stranger.
func (s *Keys) Recognise(ctx context.Context, actor Actor) (Actor, error) {
	actor.Account, actor.Session, actor.Console = "", "", false
	if actor.Key == "" {
		return actor, refuse(CodeDenied)
	}
	var key LinkedKey
	err := s.read(ctx, Actor{}, func(t *txn) (err error) {
		key, err = t.keyOfActive(actor.Key)
		return err
	})
	if now := s.clock.Now(); err == nil && now.Sub(key.LastUsed) >= keyUsedEvery {
		err = asError(s.db.Update(ctx, func(tx store.Tx) error {
			t := &txn{Tx: tx, base: s.base, now: now}
			k, err := t.keyOfActive(actor.Key)
			if err != nil {
				return err
			}
			key, k.LastUsed = k, now
			return linkedKeys.Put(t, k.Fingerprint, k)
		}))
	}
	if CodeOf(err) == CodeDenied && key.Account != "" {
		err = s.turnedAway(ctx, actor, key.Account, err)
	}
	if err != nil {
		return actor, err
	}
	actor.Account = key.Account
	return actor, nil
}

// turnedAway records that a linked key was refused, since its account may not
// sign in, and returns why. An address that goes on asking is recorded no more
// than anybody who mistypes: nobody fills the trail.
func (s *Keys) turnedAway(ctx context.Context, actor Actor, account string, why error) error {
	typing := addressGuard(guardTyping, actor.Remote)
	release, err := s.enter(ctx, typing)
	if CodeOf(err) == CodeWait {
		return why
	} else if err != nil {
		return err
	}
	defer release()
	return s.count(ctx, actor, ActDenied, account, typing, why, func(t *txn) error {
		t.entry.Target = actor.Key
		return nil
	})
}

// keyOfActive finds a linked key whose account may sign in, or refuses with CodeDenied.
func (t *txn) keyOfActive(fingerprint string) (LinkedKey, error) {
	k, err := linkedKeys.Get(t, fingerprint)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrTooLarge) {
		return k, refuse(CodeDenied)
	} else if err != nil {
		return k, err
	}
	a, err := accounts.Get(t, k.Account)
	if err == nil && a.State != StateActive {
		err = refuse(CodeDenied)
	}
	return k, err
}
