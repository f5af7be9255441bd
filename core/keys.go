// SSH keys linked to accounts. A linked key lets `ssh host VERB` act for its
// account and, by policy, stands for a second factor or the password at sign-in.
// Whose key a connection brought is known from the finished handshake alone.

package core

import (
	"context"
	"errors"
	"strings"
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
	Label       string    `json:"label,omitempty"`
	Created     time.Time `json:"created"`
	LastUsed    time.Time `json:"last_used,omitzero"`
	Until       time.Time `json:"until,omitzero"` // zero: it has no end

	// Ended is when its end was written down, or that end itself where it was not
	// yet. It then stands for nothing, and stays on the list until it is removed.
	Ended time.Time `json:"ended,omitzero"`
	// Warned is when its person was told that it ends soon.
	Warned time.Time `json:"warned,omitzero"`
}

// Type is the key's algorithm: "ssh-ed25519".
func (k LinkedKey) Type() string {
	kind, _, _ := strings.Cut(k.Line, " ")
	return kind
}

// Hardware says whether the key lives in a hardware token (FIDO).
func (k LinkedKey) Hardware() bool { return strings.HasPrefix(k.Type(), "sk-") }

// linkedKeys is keyed by fingerprint: a key speaks for one account only.
var linkedKeys = store.NewTable("key", 2,
	store.Index[LinkedKey]{Name: "account", Keys: func(k LinkedKey) []string { return []string{k.Account} }},
	store.Index[LinkedKey]{Name: "until", Keys: func(k LinkedKey) []string {
		if k.Until.IsZero() || !k.Ended.IsZero() {
			return nil
		}
		return []string{k.Until.UTC().Format(time.RFC3339)}
	}})

// Keys links and finds SSH keys.
type Keys struct {
	*base
	until time.Time // of keys that are linked; see Until
}

// keysOf reads all keys of an account, also those that have ended.
func (t *txn) keysOf(account string) ([]LinkedKey, error) {
	rows, err := linkedKeys.PageEq(t, "account", account, "", MaxKeys)
	var list []LinkedKey
	for _, r := range rows {
		list = append(list, r.Value)
	}
	return list, err
}

// Mine returns the actor's linked keys, those that have ended too.
func (s *Keys) Mine(ctx context.Context, actor Actor) ([]LinkedKey, error) {
	return ofSelf(ctx, s.base, actor, (*txn).shownKeysOf)
}

// Link links the key that this connection proved, under a label ("" for none).
// CodeNoKey, CodeKeyInUse, CodeMethodOff, CodeStepUp, CodeRange when there are
// MaxKeys already; with the field "label" CodeTooLong, CodeCharacter, CodeEncoding.
// A key of the account that has ended is linked anew.
func (s *Keys) Link(ctx context.Context, actor Actor, label string) error {
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
		return t.linkKey(actor.Account, pastedKey{fingerprint: actor.Key, line: actor.KeyLine}, label, s.until)
	})
}

// Add links a public key that was pasted to the actor's own account. Its comment
// is the label if none is given. It refuses as Link does, and with the field
// "key" CodeEmpty, CodeTooLong, CodeFormat, CodeKeyType, CodeKeyPrivate.
func (s *Keys) Add(ctx context.Context, actor Actor, pasted, label string) (LinkedKey, error) {
	var added LinkedKey
	err := s.do(ctx, actor, ActKeyLink, actor.Account, func(t *txn) error {
		if err := t.may(OpSelf, actor.Account); err != nil {
			return err
		}
		if err := t.requireFresh(); err != nil {
			return err
		}
		var err error
		added, err = t.addKey(actor.Account, pasted, label, s.until)
		return err
	})
	return added, err
}

// AddTo is Add for somebody's account, by those who manage accounts.
func (s *Keys) AddTo(ctx context.Context, actor Actor, ref, pasted, label string) (LinkedKey, error) {
	var added LinkedKey
	err := (&Accounts{s.base}).manage(ctx, actor, ActKeyLink, ref, func(t *txn, a Account) error {
		if err := t.requireFresh(); err != nil {
			return err
		}
		var err error
		added, err = t.addKey(a.ID, pasted, label, s.until)
		return err
	})
	return added, err
}

func (t *txn) addKey(account, pasted, label string, until time.Time) (LinkedKey, error) {
	k, err := parseKey(pasted)
	if err != nil {
		return LinkedKey{}, err
	}
	if label == "" {
		label = k.comment
	}
	if err := t.linkKey(account, k, label, until); err != nil {
		return LinkedKey{}, err
	}
	return linkedKeys.Get(t, k.fingerprint)
}

// linkKey makes a key speak for an account until a moment, zero for good, and
// tells its person.
func (t *txn) linkKey(account string, pasted pastedKey, label string, until time.Time) error {
	if pasted.fingerprint == "" {
		return refuse(CodeNoKey)
	}
	if !t.policy.Factors.Key {
		return refuseField(CodeMethodOff, "key")
	}
	label, err := labelOr(label, "")
	if err != nil {
		return err
	}
	k := LinkedKey{Fingerprint: pasted.fingerprint, Line: pasted.line, Account: account, Label: label, Created: t.now}
	if err := t.keyEnds(&k, until); err != nil {
		return err
	}
	have, err := t.keysOf(account)
	if err != nil {
		return err
	}
	t.entry.Target = k.Fingerprint
	for i, old := range have {
		if old.Fingerprint == k.Fingerprint && old.over(t.now) {
			if err := t.deleteKey(old); err != nil {
				return err
			}
			have = append(have[:i:i], have[i+1:]...)
			break
		}
	}
	if len(have) >= MaxKeys {
		return &Error{Code: CodeRange, Field: "key", Rule: "0-" + itoa(MaxKeys)}
	}
	err = t.insertKey(k)
	if errors.Is(err, store.ErrExists) {
		return refuse(CodeKeyInUse)
	} else if err != nil {
		return err
	}
	words := map[string]string{"Label": label, "Key": k.Fingerprint}
	if !k.Until.IsZero() {
		words["KeyUntil"] = k.Until.Format(time.RFC3339)
		t.note("until", words["KeyUntil"])
	}
	return t.notify(account, NoticeKeyAdded, words)
}

// Rename gives one of the actor's keys another label. CodeNotFound, and with the
// field "label" CodeTooLong, CodeCharacter, CodeEncoding.
func (s *Keys) Rename(ctx context.Context, actor Actor, fingerprint, label string) error {
	return s.do(ctx, actor, ActKeyChange, actor.Account, func(t *txn) error {
		if err := t.may(OpSelf, actor.Account); err != nil {
			return err
		}
		k, err := linkedKeys.Get(t, fingerprint)
		if err != nil || k.Account != actor.Account {
			return notFound(err, "key")
		}
		t.entry.Target, t.entry.Before = fingerprint, map[string]string{"label": k.Label}
		if k.Label, err = labelOr(label, ""); err != nil {
			return err
		}
		t.entry.After = map[string]string{"label": k.Label}
		return linkedKeys.Put(t, fingerprint, k)
	})
}

// Remove unlinks one of the actor's keys. The one that this connection came
// with is removed only by somebody who is sure (else CodeKeyPresent).
// CodeNotFound, CodeStepUp; CodeLastFactor while the policy demands a factor
// and this is the last.
func (s *Keys) Remove(ctx context.Context, actor Actor, fingerprint string, sure bool) error {
	return s.do(ctx, actor, ActKeyRemove, actor.Account, func(t *txn) error {
		if err := t.may(OpSelf, actor.Account); err != nil {
			return err
		}
		if err := t.requireFresh(); err != nil {
			return err
		}
		return t.keepProtected(actor.Account, func() error { return t.unlinkKey(actor.Account, fingerprint, sure) })
	})
}

// RemoveOf unlinks a key of somebody's account, for those who manage accounts.
// CodeDenied, CodeStepUp, CodeNotFound, and of their own account CodeLastFactor.
func (s *Keys) RemoveOf(ctx context.Context, actor Actor, ref, fingerprint string) error {
	return (&Accounts{s.base}).manage(ctx, actor, ActKeyRemove, ref, func(t *txn, a Account) error {
		if err := t.requireFresh(); err != nil {
			return err
		}
		if a.ID == actor.Account {
			return t.keepProtected(a.ID, func() error { return t.unlinkKey(a.ID, fingerprint, true) })
		}
		return t.unlinkKey(a.ID, fingerprint, true)
	})
}

func (t *txn) unlinkKey(account, fingerprint string, sure bool) error {
	k, err := linkedKeys.Get(t, fingerprint)
	if err != nil || k.Account != account {
		return notFound(err, "key")
	}
	t.entry.Target = fingerprint
	if fingerprint == t.actor.Key && !sure {
		return refuseField(CodeKeyPresent, "key")
	}
	if err := t.deleteKey(k); err != nil {
		return err
	}
	return t.notify(account, NoticeKeyRemoved, map[string]string{"Label": k.Label, "Key": fingerprint})
}

// keyUsed notes that a linked key was used.
func (t *txn) keyUsed(fingerprint string) error {
	k, err := linkedKeys.Get(t, fingerprint)
	if err != nil || t.now.Sub(k.LastUsed) < keyUsedEvery {
		return err
	}
	k.LastUsed = t.now
	return linkedKeys.Put(t, fingerprint, k)
}

// KeyOffer is whom the key of a connection may sign in without a password.
type KeyOffer struct {
	UserName string // "" for nobody
}

// Offer says whether the key that this connection proved stands for somebody's
// password. It tells nothing to who cannot prove the key.
func (s *SignIn) Offer(ctx context.Context, actor Actor) (KeyOffer, error) {
	var offer KeyOffer
	err := s.read(ctx, Actor{}, func(t *txn) error {
		k, err := t.keyForPassword(actor.Key)
		if CodeOf(err) == CodeCredentials {
			return nil
		} else if err != nil {
			return err
		}
		a, err := accounts.Get(t, k.Account)
		offer.UserName = a.UserName
		return err
	})
	return offer, err
}

// keyForPassword finds the linked key that stands for its account's password, or
// refuses with CodeCredentials, whatever the reason.
func (t *txn) keyForPassword(fingerprint string) (LinkedKey, error) {
	if fingerprint == "" || !t.policy.Factors.keyStandsFor(KeyStandsForPassword) {
		return LinkedKey{}, refuse(CodeCredentials)
	}
	k, err := t.keyOfActive(fingerprint)
	if CodeOf(err) == CodeDenied {
		err = refuse(CodeCredentials)
	}
	return k, err
}

// Key begins a sign-in with the key that this connection proved, where the
// policy lets it stand for the password. A second factor is asked for as after a
// password. CodeCredentials.
func (s *SignIn) Key(ctx context.Context, actor Actor) (Progress, error) {
	var k LinkedKey
	_, err := s.look(ctx, Actor{}, func(t *txn) (err error) {
		k, err = t.keyForPassword(actor.Key)
		return err
	})
	if err != nil {
		return Progress{}, s.refused(ctx, actor, ActSignInKey, "", err)
	}
	return s.proved(ctx, actor, ActSignInKey, attempt{Account: k.Account, Method: "key"}, func(t *txn, _ *Credential) error {
		now, err := t.keyForPassword(actor.Key)
		if err != nil {
			return err
		}
		if now.Account != k.Account {
			return refuse(CodeCredentials)
		}
		t.entry.Target = actor.Key
		return t.keyUsed(actor.Key)
	})
}

// keyUsedEvery is how often "last used" of a key is written at most.
const keyUsedEvery = time.Minute

// Recognise returns the actor as the account its proved key is linked to, for
// verbs. CodeDenied when the key is linked to none, or its account may not sign
// in: the actor returned is then a stranger. CodeAgreement while its person has
// agreements open, which are accepted on the screens, and CodeFactorDue while the
// policy demands a factor of it that is due and missing. A key that stands for one
// is one.
func (s *Keys) Recognise(ctx context.Context, actor Actor) (Actor, error) {
	actor.Account, actor.Session, actor.Console = "", "", false
	if actor.Key == "" {
		return actor, refuse(CodeDenied)
	}
	var key LinkedKey
	err := s.read(ctx, Actor{}, func(t *txn) (err error) {
		if key, err = t.keyOfActive(actor.Key); err != nil {
			return err
		}
		if err := t.requireEnrolled(key.Account); err != nil {
			return err
		}
		return t.requireAgreements(key.Account)
	})
	if now := s.clock.Now(); err == nil && now.Sub(key.LastUsed) >= keyUsedEvery {
		err = asError(s.db.Update(ctx, func(tx store.Tx) error {
			t := &txn{Tx: tx, base: s.base, now: now}
			if err := t.load(); err != nil {
				return err
			}
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

// keyOfActive finds a linked key that has not ended and whose account may sign in,
// or refuses with CodeDenied.
func (t *txn) keyOfActive(fingerprint string) (LinkedKey, error) {
	k, err := linkedKeys.Get(t, fingerprint)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrTooLarge) {
		return k, refuse(CodeDenied)
	} else if err != nil {
		return k, err
	}
	a, err := accounts.Get(t, k.Account)
	if err == nil && (a.State != StateActive || !t.policy.Factors.Key || k.over(t.now)) {
		err = refuse(CodeDenied)
	}
	return k, err
}
