// What became of messages is written down: which were sent, which wait, which are
// given up, and what that makes of the allowance.

package core

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"postern/store"
)

const (
	firstRewrite   = time.Second // doubles with each try
	longestRewrite = time.Minute
)

// kept is what was handed over and could not be written down. Nothing more is sent
// of the service before it is: else all of it would go out again.
type kept struct {
	tried    []tried
	failures int
	err      error     // of the last try to write it
	next     time.Time // when it is tried again

	failing atomic.Bool // for the one who hands over
}

func (k *kept) any() bool { return len(k.tried) > 0 }

// writeDown writes down what became of messages, all that is known at a time.
func (c *courier) writeDown(ctx context.Context, results <-chan tried) {
	for done := range results {
		all := []tried{done}
		for more := true; more; {
			select {
			case done, more = <-results:
				if more {
					all = append(all, done)
				}
			default:
				more = false
			}
		}
		c.keep(ctx, all)
	}
}

// keep writes down what became of messages, or remembers it.
func (c *courier) keep(ctx context.Context, all []tried) {
	wait := c.kept.any()
	c.kept.tried = append(c.kept.tried, all...)
	if !wait {
		_ = c.writeKept(ctx) // remembered with it
	}
}

// writeKept writes down what was remembered, if there is anything.
func (c *courier) writeKept(ctx context.Context) error {
	k := &c.kept
	if !k.any() {
		return nil
	}
	if k.err = c.settle(ctx, k.tried); k.err != nil {
		k.failures++
		k.next = c.clock.Now().Add(growing(firstRewrite, longestRewrite, k.failures))
		k.failing.Store(true)
		return k.err
	}
	k.tried, k.failures, k.next = nil, 0, time.Time{}
	k.failing.Store(false)
	return nil
}

// leave tries a last time to write down what was remembered. What cannot be is sent
// again by whoever delivers next.
func (c *courier) leave(ctx context.Context) {
	if err := c.writeKept(ctx); err != nil {
		c.log.Error("what was sent could not be written down", slog.String("service", string(c.service)), slog.Any("error", err))
	}
}

// tried is what became of a part of the queue.
type tried struct {
	due      []Message
	outcomes []outcome // of due
	over     []Message // not worth sending any more
	resume   time.Time // when the service is tried again; zero when it is not down
}

// settle writes down what became of messages, also when the door closes meanwhile.
func (c *courier) settle(ctx context.Context, all []tried) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleGrace)
	defer cancel()
	now := c.clock.Now()
	return asError(c.db.Update(ctx, func(tx store.Tx) error {
		t := &txn{Tx: tx, base: c.base, now: now}
		if err := t.load(); err != nil {
			return err
		}
		s := settlement{txn: t, sent: map[string]int{}, dead: map[string]int{}}
		for _, done := range all {
			if err := s.add(done); err != nil {
				return err
			}
		}
		for _, month := range s.months {
			if err := t.settle(c.service, month, s.sent[month], s.dead[month]); err != nil {
				return err
			}
		}
		return nil
	}))
}

// settlement counts, by month, what a transaction settles.
type settlement struct {
	*txn
	sent, dead map[string]int
	months     []string
}

func (s *settlement) add(done tried) error {
	for _, m := range done.over {
		problem := problemExpire
		if m.Until.IsZero() && m.Problem != "" {
			problem = m.Problem
		}
		if err := s.one(m.ID, outcome{problem: problem, permanent: true}, time.Time{}, false); err != nil {
			return err
		}
	}
	for i, o := range done.outcomes {
		if o.held {
			continue
		}
		if err := s.one(done.due[i].ID, o, done.resume, true); err != nil {
			return err
		}
	}
	return nil
}

// errSettled says that a message is settled already.
var errSettled = errors.New("core: the message is settled")

// one writes down what became of one message. One that waits for the service alone
// waits until resume.
func (s *settlement) one(id string, o outcome, resume time.Time, tried bool) error {
	gone := false
	err := messages.Change(s, invert(id), func(m Message) (Message, error) {
		if m.State != MessageQueued {
			return m, errSettled
		}
		if tried {
			m.Tries++
		}
		gone = m.Once && (o.problem == "" || o.permanent)
		switch {
		case o.problem == "":
			s.count(s.sent, m.Month)
			return m.closed(MessageSent, "", s.now), nil
		case o.permanent:
			s.count(s.dead, m.Month)
			return m.closed(MessageDead, o.problem, s.now), s.also(ActMessageDead, func(e *Entry) {
				e.Actor, e.At, e.About, e.Target, e.Reason = ActorSystem, s.now, m.Account, m.ID, o.problem
			})
		}
		m.Problem, m.Next = o.problem, s.now.Add(retryWait(m.Tries))
		if o.down && !resume.IsZero() {
			m.Next = resume
		}
		return m, nil
	})
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, errSettled) {
		return nil // gone, or settled by somebody else, meanwhile
	}
	if err == nil && gone {
		return messages.Delete(s, invert(id))
	}
	return err
}

func (s *settlement) count(of map[string]int, month string) {
	of[month]++
	if !slices.Contains(s.months, month) {
		s.months = append(s.months, month)
	}
}
