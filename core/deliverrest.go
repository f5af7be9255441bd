// The rest of a service that is down: the queue stays as it is, and now and then one
// message is tried, so that an outage costs neither tries nor a queue of timeouts.

package core

import (
	"context"
	"time"

	"postern/store"
)

const (
	// doubtAt is with how many different recipients in a row something must fail
	// that may be theirs, until it is held to be the service's.
	doubtAt = 3
	// probeAgain is how often somebody who waits may have a service tried that is down.
	probeAgain = time.Minute
)

// outcome is what became of one try.
type outcome struct {
	problem   string // "" when it was handed over
	permanent bool
	held      bool // not tried
	down      bool // it was the service, not this message
}

// doubtful says that it may have been this message or the service: it did not answer
// for one recipient, or answered what it would also answer to a wrong password.
func (o outcome) doubtful() bool {
	switch o.problem {
	case "unreachable", "timeout", "tls", "auth", "closed":
		return !o.down
	}
	return false
}

// rest is what a courier knows of a service that is down, or may be.
type rest struct {
	failures int       // of the service in a row, each at the end of a rest; 0: it is not down
	until    time.Time // the end of this one; zero: when there is something to try
	tried    time.Time // when it was last tried
	awaited  bool      // somebody has queued a message since
	codes    time.Time // until when a code that is queued is worth sending

	doubted map[string]bool // recipients that failed in a row, perhaps by themselves
	excused map[string]bool // messages that wait for nothing but the service
}

func (r *rest) down() bool { return r.failures > 0 }

// wakes is when a service that is down is tried again.
func (r *rest) wakes() time.Time {
	if soon := r.tried.Add(probeAgain); r.awaited || r.codes.After(soon) {
		return sooner(r.until, soon)
	}
	return r.until
}

// judge notes what a try says of the service. The last word counts.
func (r *rest) judge(now time.Time, due []Message, outcomes []outcome) {
	said, down := false, false
	excused := map[string]bool{}
	for i, o := range outcomes {
		if o.held {
			continue
		}
		delete(r.excused, due[i].ID)
		said = true
		switch {
		case o.down:
			down, excused[due[i].ID] = true, true
		case o.doubtful():
			if r.doubted == nil {
				r.doubted = map[string]bool{}
			}
			r.doubted[due[i].To] = true
			down = len(r.doubted) >= doubtAt
		default:
			down = false
			clear(r.doubted)
			clear(excused)
		}
	}
	switch {
	case !said:
		return
	case !down:
		r.failures, r.until, r.awaited, r.codes = 0, time.Time{}, false, time.Time{}
		return
	}
	if r.excused == nil {
		r.excused = map[string]bool{}
	}
	for id := range excused {
		r.excused[id] = true
	}
	r.tried, r.awaited = now, false
	if !now.Before(r.until) { // who could not wait makes the rest no longer
		r.failures++
		r.until = now.Add(retryWait(r.failures))
	}
}

// postpone says that a service that is down could not be tried now, and when that
// may be otherwise; zero: when somebody queues a message.
func (r *rest) postpone(now, until time.Time) { r.tried, r.awaited, r.until = now, false, until }

// heed notes a change of the outbox while the service is down, if it is a message
// that somebody has queued.
func (c *courier) heed(ctx context.Context, e store.Event) {
	if c.rest.awaited || e.Deleted {
		return
	}
	if e.Key == nil { // some changes were lost: there may have been one
		c.rest.awaited = true
		return
	}
	id, ok := messages.ID(e.Key)
	if !ok {
		return
	}
	_ = c.base.read(ctx, Actor{}, func(t *txn) error { // of no use is what cannot be read
		m, err := messages.Get(t, id)
		c.rest.awaited = err == nil && m.Service == c.service && m.State == MessageQueued && m.Tries == 0 && !m.Created.Before(c.rest.tried)
		return err
	})
}

// probe tries a service that is down with the one message that can say most, and
// gives up what is not worth sending any more.
func (c *courier) probe(ctx context.Context) error {
	var best *Message
	var next time.Time
	done, portal := tried{}, ""
	waits := map[string]bool{}
	c.rest.codes = time.Time{}
	begun := c.clock.Now()
	for after, more := "", true; more; {
		p, err := c.page(ctx, after)
		if err != nil {
			return err
		}
		due, over, soonest := c.look(p, waits)
		done.over, next, portal = append(done.over, over...), sooner(next, soonest), p.portal
		for _, m := range p.queue {
			if m.Until.After(p.now) && m.Until.After(c.rest.codes) {
				c.rest.codes = m.Until
			}
		}
		for i, m := range due {
			if m.Account != "" {
				if waits[m.Account] {
					continue
				}
				waits[m.Account] = true // one person's messages keep their order
			}
			if best == nil || c.rest.rather(m, *best) {
				best = &due[i]
			}
		}
		after, more = p.last, p.last != ""
	}
	if best != nil {
		over := done.over
		done = c.try(ctx, portal, []Message{*best})
		done.over = over
	} else {
		c.rest.postpone(begun, next) // there is nothing to try it with
	}
	if len(done.due)+len(done.over) == 0 {
		return nil
	}
	c.keep(ctx, []tried{done})
	return c.kept.err
}

// rather says whether a message is a better one to try a service with than another
// that has waited longer: not to somebody who may be the trouble, a code before what
// nobody waits for.
func (r *rest) rather(m, than Message) bool {
	if a, b := r.doubted[m.To], r.doubted[than.To]; a || b {
		return !a || b && m.Tries < than.Tries
	}
	return !m.Until.IsZero() && than.Until.IsZero()
}
