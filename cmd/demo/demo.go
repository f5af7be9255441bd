// Package demo makes a throw-away portal with invented people: for the curious,
// for tests that want a lived-in place, for pictures. Everything that happened
// there happened through the core's own methods, under a clock that was moved
// along, so that nothing in it could not have come about by itself.
package demo

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"postern/core"
	"postern/core/password"
	"postern/core/signature"
	"postern/store"
	"postern/store/memory"
)

// Owner and Member are two of the people, to sign in as; Password is everybody's.
const (
	Owner    = "lin"
	Member   = "ada"
	Password = "otter-brisk-lamp"
)

// PortalName is what the portal calls itself.
const PortalName = "Harbour Lab"

// Options choose what is made. The zero Options are the demonstration that
// `postern demo` shows.
type Options struct {
	// Store holds the data; nil is a store in memory, which Close closes.
	Store store.Store
	// Now is the present, at which the story ends; nil is the machine's clock.
	// Its clock goes on from there.
	Now func() time.Time
	// Log is the portal's; nil discards.
	Log *slog.Logger
	// Writer says messages and notices in words; nil: kinds and codes, for tests.
	Writer core.Writer
	// Analyst runs scripts for visitors; nil: none is run. In the story none is.
	Analyst core.Analyst
}

// Demo is a portal full of people.
type Demo struct {
	Portal *core.Portal
	store  store.Store // ours to close, or nil
}

// New makes the portal and lets weeks pass in it. The same people do the same
// things each time; only their secrets differ. What a portal does by itself is not
// begun: a door does that, and whatever it does, nothing leaves, since there is
// nothing here to send mail, text messages or posts with.
func New(ctx context.Context, o Options) (*Demo, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	d := &Demo{}
	if o.Store == nil {
		d.store = memory.New()
		o.Store = d.store
	}
	// Passwords in here protect nothing, and so may cost nothing.
	hasher, err := password.NewInsecureHasher(password.CheapParams(), 0)
	if err != nil {
		return nil, err
	}
	clock := &clock{now: o.Now, at: o.Now().Add(-storyLength)}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	key, err := ssh.NewSignerFromKey(private)
	if err != nil {
		return nil, err
	}
	config := core.Config{Store: o.Store, Hasher: hasher, Clock: clock, Writer: o.Writer, Signer: signature.New(key)}
	if err := past(ctx, config, clock, o.Now()); err != nil {
		d.Close()
		return nil, err
	}
	clock.arrive()
	// Nobody carries messages here: codes that visitors cause are read in the outbox.
	config.Log, config.OpenOutbox, config.Analyst = o.Log, true, o.Analyst
	if d.Portal, err = core.New(ctx, config); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// past tells the story, in a portal whose messages are carried.
func past(ctx context.Context, config core.Config, clock *clock, now time.Time) error {
	post := newPost()
	config.Mail, config.Text = letters{post}, texts{post}
	portal, err := core.New(ctx, config)
	if err != nil {
		return err
	}
	defer portal.Close()
	post.open(ctx, portal)
	defer post.close()
	return tell(ctx, portal, clock, post, now)
}

// Close ends the portal. What was in a store of its own is gone.
func (d *Demo) Close() {
	if d.Portal != nil {
		d.Portal.Close()
	}
	if d.store != nil {
		_ = d.store.Close() // memory only
	}
}

// clock is moved by hand until the story arrives at the present.
type clock struct {
	now func() time.Time

	mu      sync.Mutex
	at      time.Time
	arrived bool
	waiting map[*alarm]bool
}

// alarm is something that is to happen at a time of the story.
type alarm struct {
	at time.Time
	f  func()
}

var _ core.Clock = (*clock)(nil)

// Now returns the story's time, and then the present.
func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.arrived {
		return c.now()
	}
	return c.at
}

// AfterFunc waits by the story's time, and then by the machine's clock.
func (c *clock) AfterFunc(d time.Duration, f func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.arrived || d <= 0 {
		return time.AfterFunc(d, f).Stop
	}
	a := &alarm{c.at.Add(d), f}
	if c.waiting == nil {
		c.waiting = map[*alarm]bool{}
	}
	c.waiting[a] = true
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		waited := c.waiting[a]
		delete(c.waiting, a)
		return waited
	}
}

// move goes on to a time of the story, and lets happen what is due by then. It
// never goes back.
func (c *clock) move(to time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if to.After(c.at) {
		c.at = to
	}
	for a := range c.waiting {
		if !a.at.After(c.at) {
			delete(c.waiting, a)
			go a.f()
		}
	}
}

// arrive ends the story. Whatever still waits does so by the machine's clock.
func (c *clock) arrive() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.arrived = true
	for a := range c.waiting {
		delete(c.waiting, a)
		time.AfterFunc(max(a.at.Sub(c.now()), 0), a.f)
	}
}
