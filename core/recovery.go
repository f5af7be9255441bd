// Recovery codes: ten codes on paper, for somebody who has lost every other
// factor. A new set counts only after "I saved them", and is the death of the
// old one. What is kept of a code is its keyed hash.

package core

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"postern/core/secret"
	"postern/store"
)

// Bounds of recovery codes.
const (
	RecoveryCodes  = 10
	RecoveryGroups = 4 // of secret.GroupBits: 80 bits a code
	RecoveryLow    = 3 // so few left are worth a warning
	// RecoveryPendingFor is how long a new set waits to be called saved.
	RecoveryPendingFor = 30 * time.Minute
)

// recoverySet is the codes of one account.
type recoverySet struct {
	Hashes []string  `json:"hashes,omitempty"` // of the codes that may still be used
	Made   time.Time `json:"made,omitzero"`

	// A set that was shown and not yet called saved.
	Pending      []string  `json:"pending,omitempty"`
	PendingUntil time.Time `json:"pending_until,omitzero"`
}

// recoverySets is keyed by the account's id.
var recoverySets = store.NewTable[recoverySet]("recovery", 1)

// RecoveryState is what a person sees of their set.
type RecoveryState struct {
	Left int
	Made time.Time // zero: there is none
}

// RecoverySheet is a new set, as it is shown once.
type RecoverySheet struct {
	Codes []string
	// Seed fetches the same codes again while they are not called saved, for a
	// door that cannot write a file: `ssh HOST factor codes SEED > codes.txt`.
	Seed  string
	Until time.Time
}

const recoveryPurpose = "recovery"

func (t *txn) recoverySet(account string) (recoverySet, error) {
	r, err := recoverySets.Get(t, account)
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return r, err
}

func (t *txn) recoveryState(account string) (RecoveryState, error) {
	r, err := t.recoverySet(account)
	return RecoveryState{Left: len(r.Hashes), Made: r.Made}, err
}

// sheet derives the codes of a seed, and their hashes.
func (t *txn) sheet(account, seed string) (codes, hashes []string, err error) {
	k, err := codeKeys.Get(t, codeKeyID)
	if err != nil {
		return nil, nil, err
	}
	for i := range RecoveryCodes {
		code := secret.Derive(k.Key, "recovery sheet", account+"/"+seed+"/"+strconv.Itoa(i), RecoveryGroups)
		codes = append(codes, code)
		hashes = append(hashes, secret.KeyedHash(k.Key, recoveryPurpose+"/"+account, code))
	}
	return codes, hashes, nil
}

// BeginRecovery makes a new set of the actor's recovery codes and returns it,
// once. The present set stays valid until SaveRecovery. CodeStepUp.
func (s *Factors) BeginRecovery(ctx context.Context, actor Actor) (RecoverySheet, error) {
	out := RecoverySheet{Seed: secret.Code(s.random, RecoveryGroups)}
	err := s.do(ctx, actor, ActRecoveryShown, actor.Account, func(t *txn) error {
		if err := t.may(OpSelf, actor.Account); err != nil {
			return err
		}
		if err := t.requireFresh(); err != nil {
			return err
		}
		r, err := t.recoverySet(actor.Account)
		if err != nil {
			return err
		}
		if out.Codes, r.Pending, err = t.sheet(actor.Account, out.Seed); err != nil {
			return err
		}
		r.PendingUntil = t.now.Add(RecoveryPendingFor)
		out.Until = r.PendingUntil
		return recoverySets.Put(t, actor.Account, r)
	})
	if err != nil {
		return RecoverySheet{}, err
	}
	return out, nil
}

// FetchRecovery returns the codes of a set that was shown and is not yet called
// saved, to somebody who has its seed and acts for its account: with a linked
// key at `ssh HOST`. CodeNotFound (field "codes") for any other.
func (s *Factors) FetchRecovery(ctx context.Context, actor Actor, seed string) ([]string, error) {
	var codes []string
	err := s.do(ctx, actor, ActRecoveryShown, actor.Account, func(t *txn) error {
		if err := t.may(OpSelf, actor.Account); err != nil {
			return err
		}
		var err error
		codes, err = t.pendingSheet(actor.Account, seed)
		return err
	})
	if err != nil {
		return nil, err
	}
	return codes, nil
}

// pendingSheet returns the codes of a seed if they are the set that waits.
func (t *txn) pendingSheet(account, seed string) ([]string, error) {
	r, err := t.recoverySet(account)
	if err != nil {
		return nil, err
	}
	codes, hashes, err := t.sheet(account, secret.NormalizeCode(seed))
	if err != nil {
		return nil, err
	}
	if len(r.Pending) == 0 || !t.now.Before(r.PendingUntil) || !slices.Equal(hashes, r.Pending) {
		return nil, refuseField(CodeNotFound, "codes")
	}
	return codes, nil
}

// SaveRecovery puts the set of the seed in force: the person has saved it. The
// old set is dead. CodeNotFound (field "codes") when it waited too long, or
// another was made meanwhile.
func (s *Factors) SaveRecovery(ctx context.Context, actor Actor, seed string) error {
	return s.do(ctx, actor, ActRecoveryMade, actor.Account, func(t *txn) error {
		if err := t.may(OpSelf, actor.Account); err != nil {
			return err
		}
		if _, err := t.pendingSheet(actor.Account, seed); err != nil {
			return err
		}
		r, err := t.recoverySet(actor.Account)
		if err != nil {
			return err
		}
		t.entry.After = map[string]string{"codes": itoa(len(r.Pending))}
		err = recoverySets.Put(t, actor.Account, recoverySet{Hashes: r.Pending, Made: t.now})
		if err != nil {
			return err
		}
		return t.notify(actor.Account, NoticeRecoveryMade, nil)
	})
}

// useRecovery takes a code out of an account's set; CodeCodeWrong when it is not
// in it. Of any number of tries with one code exactly one takes it.
func (t *txn) useRecovery(account, typed string) (left int, err error) {
	at, r, err := t.findRecovery(account, typed)
	if err != nil {
		return 0, err
	}
	r.Hashes = slices.Delete(slices.Clone(r.Hashes), at, at+1)
	if err := recoverySets.Put(t, account, r); err != nil {
		return 0, err
	}
	return len(r.Hashes), t.notify(account, NoticeRecoveryUsed, map[string]string{"Left": itoa(len(r.Hashes))})
}

// lineNumber is what stands before a code on a sheet, as it is printed or was
// written by hand: "  1  ", "10. ", "3)".
var lineNumber = regexp.MustCompile(`^\s*[0-9]{1,2}(\s+|[.)]\s*)`)

// recoveryCode is the one form of a recovery code that was typed, or copied with
// the number of its line. The number goes only where a code's length is left, so
// that it is never the beginning of a code.
func recoveryCode(typed string) string {
	const length = RecoveryGroups*(secret.GroupLen+1) - 1
	if number := lineNumber.FindString(typed); number != "" {
		if code := secret.NormalizeCode(typed[len(number):]); utf8.RuneCountInString(code) == length {
			return code
		}
	}
	return secret.NormalizeCode(typed)
}

// findRecovery says which of an account's codes was typed.
func (t *txn) findRecovery(account, typed string) (at int, r recoverySet, err error) {
	if r, err = t.recoverySet(account); err != nil {
		return 0, r, err
	}
	hash, err := t.keyed(recoveryPurpose+"/"+account, recoveryCode(typed))
	if err != nil {
		return 0, r, err
	}
	at = -1
	for i, h := range r.Hashes { // all of them, whichever it is
		if secret.Equal(h, hash) {
			at = i
		}
	}
	if at < 0 {
		return 0, r, refuseField(CodeCodeWrong, "code")
	}
	return at, r, nil
}
