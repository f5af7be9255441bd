// Package coretest helps tests that need a whole portal: a clock that is moved
// by hand, a store in memory or in a file, a hasher that costs nothing, and
// people who sign up and in. Only tests import it.
package coretest

import (
	"sync"
	"time"

	"postern/core"
)

// Clock is a core.Clock that moves only when told to. It is safe for concurrent use.
type Clock struct {
	mu     sync.Mutex
	now    time.Time
	timers map[*timer]bool
}

type timer struct {
	at time.Time
	f  func()
}

var _ core.Clock = (*Clock)(nil)

// NewClock returns a clock that shows at.
func NewClock(at time.Time) *Clock {
	return &Clock{now: at, timers: map[*timer]bool{}}
}

// Now implements core.Clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// AfterFunc implements core.Clock. A timer whose time has come already runs at once.
func (c *Clock) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &timer{at: c.now.Add(d), f: f}
	if d <= 0 {
		go f()
		return func() bool { return false }
	}
	c.timers[t] = true
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		waiting := c.timers[t]
		delete(c.timers, t)
		return waiting
	}
}

// Advance moves the clock on and starts every timer whose time has come.
func (c *Clock) Advance(d time.Duration) { c.Set(c.Now().Add(d)) }

// Set moves the clock to a time, which may lie before the one it shows, and
// starts every timer whose time has come.
func (c *Clock) Set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = at
	for t := range c.timers {
		if !t.at.After(at) {
			delete(c.timers, t)
			go t.f()
		}
	}
}

// Timers returns how many timers wait.
func (c *Clock) Timers() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.timers)
}
