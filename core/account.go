// Accounts and their credentials as records.

package core

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"postern/core/names"
	"postern/store"
)

// State is where an account stands.
type State string

// The states of an account.
const (
	StateActive    State = "active"
	StatePending   State = "pending"   // signed up, waits for approval
	StateSuspended State = "suspended" // signs in no more until resumed
	StateRejected  State = "rejected"  // approval was refused; the name stays taken
)

// Account is one person's record. It holds no secret.
type Account struct {
	ID          string            `json:"id"`
	UserName    string            `json:"user_name"`
	DisplayName string            `json:"display_name"`
	Email       string            `json:"email,omitempty"`
	State       State             `json:"state"`
	Why         string            `json:"why,omitempty"` // of a suspension
	Created     time.Time         `json:"created"`
	LastSignIn  time.Time         `json:"last_sign_in,omitzero"`
	Language    string            `json:"language,omitempty"` // BCP 47; "": the visitor's
	Theme       string            `json:"theme,omitempty"`
	TimeZone    string            `json:"time_zone,omitempty"` // IANA name; "": UTC
	Fields      map[string]string `json:"fields,omitempty"`
	Invite      string            `json:"invite,omitempty"`  // the invitation it came by
	Imported    time.Time         `json:"imported,omitzero"` // when it came by an import; Created may lie long before

	EmailConfirmed time.Time `json:"email_confirmed,omitzero"` // when a code showed that Email is its person's
	Muted          []string  `json:"muted,omitempty"`          // notices that are not wanted, "KIND/CHANNEL"
}

var accounts = store.NewTable("account", 2,
	store.Index[Account]{Name: "name", Unique: true, Keys: func(a Account) []string { return []string{a.UserName} }},
	store.Index[Account]{Name: "skeleton", Unique: true, Keys: func(a Account) []string { return []string{names.Skeleton(a.UserName)} }},
	store.Index[Account]{Name: "email", Unique: true, Keys: func(a Account) []string {
		if a.Email == "" {
			return nil
		}
		return []string{names.EmailKey(a.Email)}
	}},
	// Only the few that are not active are listed by state; an entry for every
	// active account would cost a tenth of the file for nothing.
	store.Index[Account]{Name: "state", Keys: func(a Account) []string {
		if a.State == StateActive {
			return nil
		}
		return []string{string(a.State)}
	}})

// Credential is an account's password, kept apart so that listing accounts
// never reads a hash.
type Credential struct {
	Hash     string    `json:"hash"` // PHC string, Argon2id
	Changed  time.Time `json:"changed"`
	Expired  bool      `json:"expired,omitempty"` // must be changed at the next sign-in
	Failures int       `json:"failures,omitempty"`
	History  []OldHash `json:"history,omitempty"` // newest first, without the present one
	Trail    []byte    `json:"trail"`             // opens what the trail says of the account; 16 random bytes

	// A one-time code that stands for a lost password.
	CodeHash  string    `json:"code_hash,omitempty"`
	CodeUntil time.Time `json:"code_until,omitzero"`
	CodeTries int       `json:"code_tries,omitempty"`
}

// disabled says that the password no longer counts, and must be re-established.
func (c Credential) disabled() bool { return c.Failures >= MaxCredentialFailures }

// OldHash is a password that was in use once.
type OldHash struct {
	Hash  string    `json:"hash"`
	Until time.Time `json:"until"` // when it was replaced
}

// credentials is keyed by the account's id.
var credentials = store.NewTable[Credential]("credential", 1)

// accountByLogin finds an account by user name or e-mail address; ok is false
// when there is none.
func (t *txn) accountByLogin(login string) (a Account, ok bool, err error) {
	if name, nameErr := names.Lookup(login); nameErr == nil {
		_, a, err = accounts.Find(t, "name", name)
		if err == nil {
			return a, true, nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			return Account{}, false, err
		}
	}
	if email, emailErr := names.Email(login); emailErr == nil {
		_, a, err = accounts.Find(t, "email", names.EmailKey(email))
		if err == nil {
			return a, true, nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			return Account{}, false, err
		}
	}
	return Account{}, false, nil
}

// account finds an account by id, user name or e-mail address for those who may
// know of it; CodeNotFound.
func (t *txn) account(ref string) (Account, error) {
	a, err := accounts.Get(t, ref)
	if err == nil {
		return a, nil
	}
	if !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrTooLarge) {
		return Account{}, err
	}
	a, ok, err := t.accountByLogin(ref)
	if err == nil && !ok {
		err = refuseField(CodeNotFound, "user")
	}
	return a, err
}

// uniqueError says which field a unique index refused.
func uniqueError(err error) error {
	var u *store.UniqueError
	if !errors.As(err, &u) {
		return err
	}
	switch u.Index {
	case "email":
		return refuseField(CodeTaken, "email")
	default:
		return refuseField(CodeTaken, "user_name")
	}
}

// tally counts accounts, in the transactions that make and change them.
type tally struct {
	Accounts int           `json:"accounts"`
	States   map[State]int `json:"states,omitempty"`
}

var tallies = store.NewTable[tally]("tally", 1)

const tallyID = "accounts"

func (t *txn) tally() (tally, error) {
	n, err := tallies.Get(t, tallyID)
	if errors.Is(err, store.ErrNotFound) {
		return tally{}, nil
	}
	return n, err
}

// insertAccount writes a new account with its credential and counts it.
func (t *txn) insertAccount(a Account, c Credential) error {
	if len(c.Trail) != trailKeySize {
		return fmt.Errorf("core: account %q has no key for the trail", a.ID)
	}
	if err := t.requireNew(a.UserName); err != nil {
		return err
	}
	if err := accounts.Insert(t, a.ID, a); err != nil {
		return uniqueError(err)
	}
	if err := credentials.Insert(t, a.ID, c); err != nil {
		return err
	}
	return t.countAccount(a.ID, "", a.State)
}

// described is what the trail says of an account; never a secret.
func (a Account) described() map[string]string {
	m := map[string]string{"user_name": a.UserName, "display_name": a.DisplayName, "state": string(a.State)}
	if a.Email != "" {
		m["email"] = a.Email
	}
	for k, v := range a.Fields {
		m[FieldName(k)] = v
	}
	if len(a.Why) > 0 {
		m["why"] = a.Why
	}
	for k, v := range map[string]string{"language": a.Language, "theme": a.Theme, "time_zone": a.TimeZone} {
		if v != "" {
			m[k] = v
		}
	}
	return m
}

// changes leaves only what differs between two descriptions.
func changes(before, after map[string]string) (b, a map[string]string) {
	b, a = map[string]string{}, map[string]string{}
	for k, v := range before {
		if after[k] != v {
			b[k] = v
		}
	}
	for k, v := range after {
		if before[k] != v {
			a[k] = v
		}
	}
	return b, a
}

func itoa(n int) string { return strconv.Itoa(n) }
