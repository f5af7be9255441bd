// Time and ids, both injectable.

package core

import (
	"io"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
)

// Clock is the core's only source of time.
type Clock interface {
	// Now returns the present time.
	Now() time.Time
	// AfterFunc runs f in its own goroutine once d has passed, unless stop was
	// called before.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// SystemClock is the machine's clock.
type SystemClock struct{}

var _ Clock = SystemClock{}

// Now returns the machine's time.
func (SystemClock) Now() time.Time { return time.Now() }

// AfterFunc is time.AfterFunc.
func (SystemClock) AfterFunc(d time.Duration, f func()) func() bool {
	return time.AfterFunc(d, f).Stop
}

// steadyClock never goes back: what has expired stays expired when the machine's
// clock is set back. New sets it to the newest time in the trail, so that a
// restart changes nothing about it.
type steadyClock struct {
	Clock
	mu   sync.Mutex
	high time.Time
}

func (c *steadyClock) atLeast(high time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.high.Before(high) {
		c.high = high
	}
}

func (c *steadyClock) Now() time.Time {
	now := c.Clock.Now().UTC().Round(0)
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Before(c.high) {
		return c.high
	}
	c.high = now
	return now
}

// idSource makes ULIDs that ascend even within a millisecond.
type idSource struct {
	mu      sync.Mutex
	entropy *ulid.MonotonicEntropy
}

func newIDSource(random io.Reader) *idSource {
	return &idSource{entropy: ulid.Monotonic(random, 0)}
}

// new returns a ULID for the time. Ids made in one process ascend.
func (s *idSource) new(at time.Time) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, err := ulid.New(ulid.Timestamp(at), s.entropy)
	if err != nil {
		return "", &Error{Code: CodeInternal, Err: err}
	}
	return id.String(), nil
}

// invert maps a ULID to one that sorts the other way round, and back: tables
// kept under inverted ids page from the newest to the oldest.
func invert(id string) string {
	u, err := ulid.ParseStrict(id)
	if err != nil {
		return ""
	}
	for i := range u {
		u[i] = ^u[i]
	}
	return u.String()
}
