package core

import (
	"context"
	"sync/atomic"
	"time"

	"postern/core/password"
	"postern/store"
)

// HashCounter counts the hash operations of a portal.
type HashCounter struct {
	inner *password.Hasher
	n     atomic.Int64
}

var _ hasher = (*HashCounter)(nil)

// CountHashes puts a counter in front of the portal's hasher.
func (p *Portal) CountHashes() *HashCounter {
	c := &HashCounter{inner: p.base.hasher.(*password.Hasher)}
	p.base.hasher = c
	return c
}

// Taken returns the number of operations since the last call.
func (c *HashCounter) Taken() int { return int(c.n.Swap(0)) }

func (c *HashCounter) Hash(ctx context.Context, pw string) (string, error) {
	c.n.Add(1)
	return c.inner.Hash(ctx, pw)
}

func (c *HashCounter) Verify(ctx context.Context, pw, phc string) (bool, bool, error) {
	c.n.Add(1)
	return c.inner.Verify(ctx, pw, phc)
}

func (c *HashCounter) Burn(ctx context.Context, pw string) error {
	c.n.Add(1)
	return c.inner.Burn(ctx, pw)
}

func (c *HashCounter) MatchesAny(ctx context.Context, pw string, phcs []string) (bool, error) {
	c.n.Add(int64(len(phcs)))
	return c.inner.MatchesAny(ctx, pw, phcs)
}

// UnderWay returns how many guarded tries the portal counts as under way.
func (p *Portal) UnderWay() int {
	p.base.guards.mu.Lock()
	defer p.base.guards.mu.Unlock()
	return len(p.base.guards.underWay)
}

// OpenScreens returns how many live sessions and listeners the hub knows.
func (p *Portal) OpenScreens() (lives, listeners int) {
	h := p.base.live
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.lives), len(h.listeners)
}

// GrantRole gives an account a role on the portal; until may be zero.
func GrantRole(p *Portal, account string, role Role, until time.Time) error {
	b := p.base
	id, err := b.ids.new(b.clock.Now())
	if err != nil {
		return err
	}
	return b.db.Update(context.Background(), func(tx store.Tx) error {
		return grants.Insert(tx, id, Grant{ID: id, App: AppPostern, Account: account, Role: role, Created: b.clock.Now(), Until: until})
	})
}

// SetHash puts a hash of other parameters in force.
func SetHash(p *Portal, account, phc string) error {
	return p.base.db.Update(context.Background(), func(tx store.Tx) error {
		c, err := credentials.Get(tx, account)
		if err != nil {
			return err
		}
		c.Hash = phc
		return credentials.Put(tx, account, c)
	})
}

// CredentialOf reads a credential.
func CredentialOf(p *Portal, account string) (c Credential, err error) {
	err = p.base.db.View(context.Background(), func(tx store.Tx) (err error) {
		c, err = credentials.Get(tx, account)
		return err
	})
	return c, err
}

// ParseKey reads a public key as Keys.Add does.
func ParseKey(pasted string) (fingerprint, line, comment string, err error) {
	k, err := parseKey(pasted)
	return k.fingerprint, k.line, k.comment, err
}

// hookedHasher runs something before a password is compared.
type hookedHasher struct {
	hasher
	before func()
}

func (h hookedHasher) Verify(ctx context.Context, pw, phc string) (bool, bool, error) {
	h.before()
	return h.hasher.Verify(ctx, pw, phc)
}

// OnVerify lets something happen while a password is being compared.
func (p *Portal) OnVerify(before func()) { p.base.hasher = hookedHasher{p.base.hasher, before} }

// testTrailKey is the key of accounts that tests write past the core.
var testTrailKey = make([]byte, trailKeySize)

// Analysed is a request that is analysed, as the process of requests has it.
type Analysed struct {
	Request, Account, Script, Note string
	Version                        int
	Again                          bool
	Begin, Settle                  func(Run) error // in the transactions
}

// Analyse runs the analysis of a request.
func Analyse(ctx context.Context, p *Portal, a Analysed) (Run, error) {
	hook := func(fn func(Run) error) func(*txn, Run) error {
		if fn == nil {
			return nil
		}
		return func(_ *txn, r Run) error { return fn(r) }
	}
	b := p.base
	result, err := b.analyse(ctx, analysisRun{
		analysisInput: analysisInput{RequestID: a.Request, Account: a.Account, Script: a.Script, Version: a.Version, Asked: b.clock.Now(), Note: a.Note},
		Again:         a.Again, begin: hook(a.Begin), settle: hook(a.Settle),
	})
	return result.Run, err
}

// SendPosts sends what waits, once.
func SendPosts(ctx context.Context, p *Portal) error {
	_, err := p.Analysis.sendPosts(ctx)
	return err
}

// SetPoster has a portal post by another one.
func SetPoster(p *Portal, poster Poster) { p.base.poster = poster }

// Alarm is a channel that is closed at a time.
func (p *Portal) Alarm(at time.Time) <-chan struct{} {
	rings, _ := p.base.alarm(at)
	return rings
}
