// Guards bound guessing: failures are counted per login and per address, and
// from a limit on each further failure doubles a wait. A login counts whether or
// not an account answers to it, so that a wait tells nothing about accounts.

package core

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"time"

	"postern/core/names"
	"postern/store"
)

// guardForget is how long after the last failure a count is forgotten. The count
// of an address also leaks away, its limit in that time: behind one address
// there may be a whole school that mistypes every day.
const guardForget = 24 * time.Hour

// busyWait is what somebody is told who tries while an earlier try of the same
// login is still being checked and no further one is allowed.
const busyWait = time.Second

// guardRecord is the count of one guard.
type guardRecord struct {
	Failures int       `json:"failures"`
	Last     time.Time `json:"last"`
	Leaked   time.Time `json:"leaked,omitzero"` // up to when the count has leaked
	Until    time.Time `json:"until,omitzero"`  // no try before
}

var guardTable = store.NewTable[guardRecord]("guard", 1)

// guardKind says what a guard counts, and so when it waits.
type guardKind string

// The kinds of guards.
const (
	guardLogin   guardKind = "login"   // wrong passwords for a login
	guardCode    guardKind = "code"    // wrong one-time codes for a login
	guardSession guardKind = "session" // wrong passwords of somebody who is signed in
	guardAddress guardKind = "address" // guesses from an address
	guardTyping  guardKind = "typing"  // what is refused from an address and helps nobody to guess

	guardFactor   guardKind = "factor"   // wrong codes for an account's factors
	guardRecovery guardKind = "recovery" // wrong recovery codes for an account
	guardSend     guardKind = "send"     // codes that were sent to an account
)

// typingSlack is how many refusals of what was typed weigh as much as one guess.
// They are bounded too, since each one is written into the trail.
const typingSlack = 10

// guardKey is what is counted.
type guardKey struct {
	id   string
	kind guardKind
}

// shared says that many people may stand behind the key.
func (k guardKey) shared() bool { return k.kind == guardAddress || k.kind == guardTyping }

// loginGuard returns the key of a login, in whichever way it was spelled: else
// every spelling of a name would have tries of its own.
func loginGuard(kind guardKind, login string) guardKey {
	canonical := "?" // nothing that could be looked up
	if len(login) <= MaxLogin {
		canonical = strings.ToLower(strings.TrimSpace(login))
		if name, err := names.Lookup(login); err == nil {
			canonical = name
		} else if email := names.EmailKey(login); email != "" {
			canonical = email
		}
	}
	sum := sha256.Sum256([]byte(canonical))
	return guardKey{id: string(kind) + "/" + hex.EncodeToString(sum[:]), kind: kind}
}

// addressGuard returns the key of a peer address: IPv4 as it is, also when
// mapped into IPv6, IPv6 by its /64. The machine itself is not counted.
func addressGuard(kind guardKind, remote string) []guardKey {
	addr, err := netip.ParseAddr(remote)
	if err != nil {
		return nil
	}
	addr = addr.Unmap().WithZone("")
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	prefix, err := addr.Prefix(bits)
	if err != nil {
		return nil
	}
	return []guardKey{{id: string(kind) + "/" + prefix.String(), kind: kind}}
}

// guardKeys are the keys under which a guess by the actor counts.
func guardKeys(actor Actor, kind guardKind, login string) []guardKey {
	return append([]guardKey{loginGuard(kind, login)}, addressGuard(guardAddress, actor.Remote)...)
}

func (p LockoutPolicy) limit(k guardKey) int {
	switch k.kind {
	case guardAddress:
		return p.AddressFailures
	case guardTyping:
		return p.AddressFailures * typingSlack
	default:
		return p.Failures
	}
}

// wait is how long to wait after that many failures.
func (p LockoutPolicy) wait(failures, limit int) time.Duration {
	if failures < limit {
		return 0
	}
	most := time.Duration(p.MaxWaitMinutes) * time.Minute
	wait := time.Duration(p.WaitSeconds) * time.Second
	for range failures - limit {
		if wait *= 2; wait >= most {
			return most
		}
	}
	return min(wait, most)
}

// fresh forgets failures that are long past.
func (r guardRecord) fresh(k guardKey, limit int, now time.Time) guardRecord {
	if now.Sub(r.Last) > guardForget {
		return guardRecord{Leaked: now}
	}
	if k.shared() {
		every := guardForget / time.Duration(max(limit, 1))
		if n := int(now.Sub(r.Leaked) / every); n > 0 {
			r.Failures = max(0, r.Failures-n)
			r.Leaked = r.Leaked.Add(time.Duration(n) * every)
		}
	}
	return r
}

// over says whether the record tells nothing any more.
func (r guardRecord) over(now time.Time) bool {
	return now.Sub(r.Last) > guardForget && !now.Before(r.Until)
}

// guard reads the count of a key.
func (t *txn) guard(k guardKey) (guardRecord, error) {
	r, err := guardTable.Get(t, k.id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return guardRecord{}, err
	}
	return r.fresh(k, t.policy.Lockout.limit(k), t.now), nil
}

// guards knows the tries under way in this process: without it a hundred
// parallel tries would all pass before the first failure is counted.
type guards struct {
	mu       sync.Mutex
	underWay map[string]int
}

func newGuards() *guards { return &guards{underWay: map[string]int{}} }

// add counts a try as under way, and returns how many others are.
func (g *guards) add(keys []guardKey) (others []int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	others = make([]int, len(keys))
	for i, k := range keys {
		others[i] = g.underWay[k.id]
		g.underWay[k.id]++
	}
	return others
}

func (g *guards) remove(keys []guardKey) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, k := range keys {
		if g.underWay[k.id]--; g.underWay[k.id] <= 0 {
			delete(g.underWay, k.id)
		}
	}
}

// enter refuses with CodeWait, or counts a try as under way until release. It
// counts the try first and looks at the failures then: whoever was under way
// before has either failed by now, and is read, or is among the others.
func (b *base) enter(ctx context.Context, keys []guardKey) (release func(), err error) {
	others := b.guards.add(keys)
	err = b.read(ctx, Actor{}, func(t *txn) error {
		for i, k := range keys {
			r, err := t.guard(k)
			if err != nil {
				return err
			}
			if left := r.Until.Sub(t.now); left > 0 {
				return &Error{Code: CodeWait, Wait: left}
			}
			limit := t.policy.Lockout.limit(k)
			crowded := !k.shared() && r.Failures+others[i] >= limit
			if others[i] > 0 && (crowded || r.Failures >= limit) {
				return &Error{Code: CodeWait, Wait: busyWait}
			}
		}
		return nil
	})
	if err != nil {
		b.guards.remove(keys)
		return nil, err
	}
	return func() { b.guards.remove(keys) }, nil
}

// countFailure counts one failure under every key.
func (t *txn) countFailure(keys []guardKey) error {
	for _, k := range keys {
		r, err := t.guard(k)
		if err != nil {
			return err
		}
		limit := t.policy.Lockout.limit(k)
		r.Failures++
		r.Last = t.now
		if wait := t.policy.Lockout.wait(r.Failures, limit); wait > 0 {
			r.Until = t.now.Add(wait)
		}
		if err := guardTable.Put(t, k.id, r); err != nil {
			return err
		}
	}
	return nil
}

// clearFailures forgets the failures of a login after a success. Those of an
// address stay: else one's own account would be a way to go on guessing others.
func (t *txn) clearFailures(keys []guardKey) error {
	for _, k := range keys {
		if k.shared() {
			continue
		}
		if _, err := guardTable.Get(t, k.id); errors.Is(err, store.ErrNotFound) {
			continue // the common case costs no write
		} else if err != nil {
			return err
		}
		if err := guardTable.Delete(t, k.id); err != nil {
			return err
		}
	}
	return nil
}

// tells says whether a refusal tells a guesser something; what others say only helps
// with typing.
func (c Code) tells() bool {
	switch c {
	case CodeCredentials, CodeInvite, CodeSetupCode, CodeTaken:
		return true
	}
	return false
}

// limited runs a submission of a stranger that has no login, such as a sign-up:
// what is refused counts against the address it came from.
func (b *base) limited(ctx context.Context, actor Actor, try func() error) error {
	guess, typing := addressGuard(guardAddress, actor.Remote), addressGuard(guardTyping, actor.Remote)
	if len(guess) == 0 {
		return try()
	}
	release, err := b.enter(ctx, append(guess, typing...))
	if err != nil {
		return err
	}
	defer release()
	err = try()
	keys := typing
	switch code := CodeOf(err); {
	case code == "", code == CodeInternal, code == CodeUnavailable, code == CodeWait, code == CodeCaptcha:
		return err
	case code.tells():
		keys = guess
	}
	e := b.db.Update(context.WithoutCancel(ctx), func(tx store.Tx) error {
		t := &txn{Tx: tx, base: b, now: b.clock.Now()}
		if err := t.load(); err != nil {
			return err
		}
		return t.countFailure(keys)
	})
	if e != nil {
		b.log.Error("failure not counted", "error", e)
		return asError(e)
	}
	return err
}
