// Package core holds Postern's rules: accounts, credentials, sign-in, sessions,
// the policy and the trail. It knows the store's contract and no terminal. Every
// method that acts takes a context and an Actor, and everything an act changes
// (records, indexes, its audit entry) is one transaction.
package core

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"postern/core/password"
	"postern/core/signature"
	"postern/store"
)

// Config is what a Portal stands on. Store and Hasher are required.
type Config struct {
	Store  store.Store
	Hasher *password.Hasher
	Clock  Clock        // nil: the machine's
	Random io.Reader    // nil: crypto/rand
	Log    *slog.Logger // nil: discards

	// Breached, when set, is a file of breached passwords that are refused as common ones.
	Breached *password.Breached

	// Mail and Text hand messages over. nil: messages of that service stay in
	// the outbox, to be read there.
	Mail Mailer
	Text Texter
	// Writer says messages and notices in words. nil: kinds and codes, for tests.
	Writer Writer
	// Signer signs receipts and checkpoints of the trail. nil: nothing is signed.
	Signer Signer
	// Analyst runs the scripts of delete requests. nil: none is run, and every
	// request that asks for one is held.
	Analyst Analyst
	// Poster sends what scripts post. nil: it stays queued.
	Poster Poster
	// OpenOutbox lets everybody read the outbox, codes too: for a demonstration.
	OpenOutbox bool
}

// Signer signs documents with the portal's host key, as `ssh-keygen -Y sign`
// does (package signature). Its public key is a line of authorized_keys.
type Signer interface {
	PublicKey() string
	Sign(namespace string, doc []byte) (armored string, err error)
}

// Portal is the core, opened on a store. It has no method but Close: what it
// does hangs on its services.
type Portal struct {
	Site     *Site
	Accounts *Accounts
	SignIn   *SignIn
	Captchas *Captchas
	Sessions *Sessions
	Policy   *Policies
	Audit    *Audit
	Keys     *Keys
	Invites  *Invites
	Factors  *Factors
	Messages *Messages
	Notices  *Notices
	Overview *Overviews
	Contacts *Contacts
	Apps     *Apps

	Agreements *Agreements
	Access     *Access
	Requests   *Requests
	Retention  *Retention
	Data       *Data
	Analysis   *Analysis
	Imports    *Imports

	base *base
}

// base is what all services share.
type base struct {
	db       store.Store
	clock    Clock
	random   io.Reader
	ids      *idSource
	hasher   hasher
	breached *password.Breached
	log      *slog.Logger
	live     *liveHub
	trails   trailHub
	guards   *guards
	captchas *captchaShelf // that are out
	passes   *captchaShelf // that were solved

	mailer     Mailer
	texter     Texter
	writer     Writer
	signer     Signer
	ownHead    atomic.Pointer[chainHead] // the end of the chain that was sealed last, here
	openOutbox bool

	analyst  Analyst
	poster   Poster
	analyses *analyses
}

var _ Signer = (*signature.Signer)(nil)

// hasher is what the core asks of a password.Hasher, which is the only one
// outside of tests.
type hasher interface {
	Hash(ctx context.Context, pw string) (phc string, err error)
	Verify(ctx context.Context, pw, phc string) (ok, weaker bool, err error)
	Burn(ctx context.Context, pw string) error
	MatchesAny(ctx context.Context, pw string, phcs []string) (bool, error)
}

var _ hasher = (*password.Hasher)(nil)

// lockedReader lets many goroutines share one random source.
type lockedReader struct {
	mu sync.Mutex
	r  io.Reader
}

func (l *lockedReader) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return io.ReadFull(l.r, p)
}

// New opens the core on a store. A store that holds nothing yet is a portal
// that is not set up: only Site.State and Site.SetUp do something then.
// Records of a newer schema are refused by the store's tables as they are met.
func New(ctx context.Context, c Config) (*Portal, error) {
	if c.Store == nil || c.Hasher == nil {
		return nil, errors.New("core: Config needs a Store and a Hasher")
	}
	if c.Clock == nil {
		c.Clock = SystemClock{}
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Writer == nil {
		c.Writer = bareWriter{}
	}
	random := &lockedReader{r: c.Random}
	clock := &steadyClock{Clock: c.Clock}
	b := &base{
		db: c.Store, clock: clock, random: random, ids: newIDSource(random),
		hasher: c.Hasher, breached: c.Breached, log: c.Log, guards: newGuards(), captchas: newCaptchaShelf(CaptchaFor), passes: newCaptchaShelf(passFor),
		mailer: c.Mail, texter: c.Text, writer: c.Writer, signer: c.Signer, openOutbox: c.OpenOutbox,
		analyst: c.Analyst, poster: c.Poster, analyses: newAnalyses(),
	}
	last, err := b.lastKnown(ctx)
	if err != nil {
		return nil, asError(err)
	}
	if now := c.Clock.Now(); now.Before(last) {
		b.log.Warn("the machine's clock is behind the trail; time stands still until it has caught up",
			"clock", now, "trail", last)
	}
	clock.atLeast(last)
	if err := b.ensureCodeKey(ctx); err != nil {
		return nil, asError(err)
	}
	if err := b.migrate(ctx); err != nil {
		return nil, asError(err)
	}
	if err := b.warnOfKey(ctx); err != nil {
		return nil, asError(err)
	}
	if lost, err := b.resolveRuns(ctx); err != nil {
		return nil, asError(err)
	} else if lost > 0 {
		b.log.Warn("a crash came between: nobody knows what became of some analyses or posts", slog.Int("count", lost))
	}
	if err := newLiveHub(ctx, b); err != nil {
		return nil, asError(err)
	}
	return &Portal{
		Site: &Site{base: b}, Accounts: &Accounts{b}, SignIn: &SignIn{b}, Captchas: &Captchas{b}, Sessions: &Sessions{b},
		Policy: &Policies{b}, Audit: &Audit{b}, Keys: &Keys{base: b}, Invites: &Invites{b},
		Factors: &Factors{b}, Messages: &Messages{b}, Notices: &Notices{b}, Overview: &Overviews{b},
		Contacts: &Contacts{b}, Apps: &Apps{b}, Agreements: &Agreements{b}, Access: &Access{b}, Requests: &Requests{b}, Retention: &Retention{b}, Analysis: &Analysis{b}, Data: &Data{b}, Imports: &Imports{b}, base: b,
	}, nil
}

// lastKnown returns the time of the newest entry in the trail.
func (b *base) lastKnown(ctx context.Context) (last time.Time, err error) {
	err = b.db.View(ctx, func(tx store.Tx) error {
		rows, err := trail.Page(tx, "", 1)
		if err == nil && len(rows) > 0 {
			last = rows[0].Value.At
		}
		return err
	})
	return last, err
}

// Close ends the background work. The store is its opener's to close.
func (p *Portal) Close() { p.base.live.close() }
