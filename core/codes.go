// Codes that the portal sends or hands out are kept as keyed hashes: six digits
// are found from a plain hash at once. The key is a record of its own, sealed
// like every value (docs/decisions/011).

package core

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"postern/core/secret"
	"postern/store"
)

// Bounds of codes that are sent (ASVS 6.5.5, 6.6.3).
const (
	SentCodeFor   = 10 * time.Minute
	SentCodeTries = 5
	firstResend   = 30 * time.Second // until a code can be sent again; doubles with each
	longestResend = 15 * time.Minute
)

// codeKeyRecord is the key of all hashes of codes, 256 bits.
type codeKeyRecord struct {
	Key []byte `json:"key"`
}

var codeKeys = store.NewTable[codeKeyRecord]("codekey", 1)

const codeKeyID = "now"

// newCodeKey draws a key.
func (b *base) newCodeKey() (codeKeyRecord, error) {
	key := make([]byte, 32)
	_, err := io.ReadFull(b.random, key)
	return codeKeyRecord{Key: key}, err
}

// ensureCodeKey gives a portal its key that was set up by an older program, which
// wrote no version of the schema. One that had a key and lost it gets no other:
// Check says so, and no code is taken in the meantime.
func (b *base) ensureCodeKey(ctx context.Context) error {
	missing := false
	err := b.db.View(ctx, func(tx store.Tx) error {
		if _, err := sites.Get(tx, siteID); errors.Is(err, store.ErrNotFound) {
			return nil // not set up: SetUp makes the key
		} else if err != nil {
			return err
		}
		if _, err := schemas.Get(tx, schemaID); err == nil || !errors.Is(err, store.ErrNotFound) {
			return err
		}
		_, err := codeKeys.Get(tx, codeKeyID)
		missing = errors.Is(err, store.ErrNotFound)
		if missing {
			err = nil
		}
		return err
	})
	if err != nil || !missing {
		return err
	}
	key, err := b.newCodeKey()
	if err != nil {
		return err
	}
	err = b.db.Update(ctx, func(tx store.Tx) error { return codeKeys.Insert(tx, codeKeyID, key) })
	if errors.Is(err, store.ErrExists) {
		err = nil // another process was faster
	}
	return err
}

// keyed returns the hash of a code as it is kept. purpose keeps codes of one
// kind from being taken for another's.
func (t *txn) keyed(purpose, code string) (string, error) {
	k, err := codeKeys.Get(t, codeKeyID)
	if err != nil {
		return "", fmt.Errorf("the key of codes: %w", err)
	}
	return secret.KeyedHash(k.Key, purpose, code), nil
}

// awaited is a code that was sent, until it is typed.
type awaited struct {
	Hash  string    `json:"hash,omitempty"`
	Until time.Time `json:"until,omitzero"`
	Tries int       `json:"tries,omitempty"`
}

// await begins to wait for a code.
func (t *txn) await(purpose, code string) (awaited, error) {
	hash, err := t.keyed(purpose, code)
	return awaited{Hash: hash, Until: t.now.Add(SentCodeFor)}, err
}

// judge compares what was typed: nil when it is the code, CodeCodeOver when the
// code has ended, CodeCodeWrong with the tries that are left.
func (t *txn) judge(w awaited, purpose, typed string) error {
	if w.Hash == "" || w.Tries >= SentCodeTries || !t.now.Before(w.Until) {
		return refuseField(CodeCodeOver, "code")
	}
	hash, err := t.keyed(purpose, typed)
	if err != nil {
		return err
	}
	if !secret.Equal(hash, w.Hash) {
		if left := SentCodeTries - w.Tries - 1; left > 0 {
			return &Error{Code: CodeCodeWrong, Field: "code", N: left}
		}
		return &Error{Code: CodeCodeOver, Field: "code", Rule: "tries"}
	}
	return nil
}

// tryCode counts a try of a code that was sent as under way until leave, and
// says how many others are: else a hundred tries at once would all be looked at
// before the first is counted.
func (b *base) tryCode(waits string) (others int, leave func()) {
	keys := []guardKey{{id: "sent/" + waits}}
	others = b.guards.add(keys)[0]
	return others, func() { b.guards.remove(keys) }
}

// room refuses with CodeWait while as many others try the code as it has tries left.
func (w awaited) room(others int) error {
	if others > 0 && w.Tries+others >= SentCodeTries {
		return &Error{Code: CodeWait, Wait: busyWait}
	}
	return nil
}

// sentDigits is how many digits a code has that is sent: 6, twenty bits (ASVS 6.5.4).
const sentDigits = 6

// newSentCode draws a code to be sent.
func (b *base) newSentCode() string { return secret.Digits(b.random, sentDigits) }

// sendGuard counts the codes that were sent to somebody by a service.
func sendGuard(account string, service Service) guardKey {
	return guardKey{id: string(guardSend) + "/" + string(service) + "/" + account, kind: guardSend}
}

// sendWait is how long to wait after that many codes.
func sendWait(sent int) time.Duration {
	wait := firstResend
	for range sent - 1 {
		if wait *= 2; wait >= longestResend {
			return longestResend
		}
	}
	return wait
}

// countSend counts a code that is about to be sent, or refuses with CodeWait. It
// returns how long until the next may be sent.
func (t *txn) countSend(account string, service Service) (again time.Duration, err error) {
	k := sendGuard(account, service)
	r, err := t.guard(k)
	if err != nil {
		return 0, err
	}
	if left := r.Until.Sub(t.now); left > 0 {
		return 0, &Error{Code: CodeWait, Field: "code", Wait: left}
	}
	r.Failures++
	r.Last = t.now
	again = sendWait(r.Failures)
	r.Until = t.now.Add(again)
	return again, guardTable.Put(t, k.id, r)
}

// serviceOf is the service that carries a factor's codes, "" for one without.
func serviceOf(k FactorKind) Service {
	switch k {
	case FactorSMS:
		return ServiceSMS
	case FactorEmail, confirmAddress:
		return ServiceMail
	}
	return ""
}
