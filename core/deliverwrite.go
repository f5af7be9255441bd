// What became of messages is written down: which were sent, which wait, which are
// given up, and what that makes of the allowance.

package core

import (
	"context"
	"errors"
	"slices"
	"time"

	"postern/store"
)

// writeDown writes down what became of messages, all that is known at a time.
func (c *courier) writeDown(ctx context.Context, results <-chan tried) error {
	var failed error
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
		if failed == nil {
			failed = c.settle(ctx, all)
		}
	}
	return failed
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
