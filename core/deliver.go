// Delivery: what is in the outbox is handed over by a courier for each service
// that has a provider. It goes over the queue in order, in batches; while one
// batch is handed over, the one before is written down as sent. A process that
// dies in between sends some again: at least once, never not at all.
//
// deliversend.go asks the providers, deliverrest.go waits for a service that is
// down, deliverwrite.go writes down what became of messages.

package core

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"postern/store"
)

// Bounds of delivery.
const (
	mailBatch     = 200
	smsBatch      = 16
	smsAtOnce     = 4
	settleAhead   = 4                // batches that may be sent and not yet written down
	firstRetry    = 30 * time.Second // doubles with each try
	longestRetry  = time.Hour
	GiveUpAfter   = 72 * time.Hour // a message that could not be handed over for so long is dead
	settleGrace   = 10 * time.Second
	problemExpire = "expired"
)

// growing is how long to wait after something has failed so many times.
func growing(first, longest time.Duration, times int) time.Duration {
	wait := first
	for range times - 1 {
		if wait *= 2; wait >= longest {
			return longest
		}
	}
	return wait
}

// retryWait is how long to wait after that many tries.
func retryWait(tries int) time.Duration { return growing(firstRetry, longestRetry, tries) }

// courier hands the messages of one service over.
type courier struct {
	*base
	service Service
	batch   int
	send    func(ctx context.Context, portal string, batch []Message) []outcome
	rest    rest
	kept    kept
}

// Deliver hands messages over until ctx is done, for the services that have a
// provider. A door runs it for as long as it holds the data; one process at a
// time keeps the order of one person's messages. It returns when what was sent is
// written down.
func (s *Messages) Deliver(ctx context.Context) {
	var running sync.WaitGroup
	if s.mailer != nil {
		running.Go((&courier{base: s.base, service: ServiceMail, batch: mailBatch, send: s.sendMail}).runner(ctx))
	}
	if s.texter != nil {
		running.Go((&courier{base: s.base, service: ServiceSMS, batch: smsBatch, send: s.sendTexts}).runner(ctx))
	}
	running.Wait()
}

func (c *courier) runner(ctx context.Context) func() { return func() { c.run(ctx) } }

// run makes a pass over the queue whenever there may be something to do.
func (c *courier) run(ctx context.Context) {
	changed, err := c.db.Watch(ctx, messages.Prefix())
	if err != nil {
		if ctx.Err() == nil {
			c.log.Error("messages are not delivered", slog.String("service", string(c.service)), slog.Any("error", err))
		}
		return
	}
	defer c.leave(ctx)
	for {
		next, err := c.pass(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			c.log.Error("messages were not delivered", slog.String("service", string(c.service)), slog.Any("error", err))
			now := c.clock.Now()
			next = now.Add(firstRetry)
			if c.rest.down() && !c.kept.any() {
				c.rest.postpone(now, next)
			}
		}
		if !c.sleep(ctx, changed, next) {
			return
		}
	}
}

// sleep waits for a change of the outbox or for a time (zero: for none). While
// the service is down, a change only brings the time nearer, and while nothing can
// be written down, it does not. False when it is over.
func (c *courier) sleep(ctx context.Context, changed <-chan store.Event, next time.Time) bool {
	for {
		due, stop := c.alarm(c.wakes(next))
		select {
		case <-ctx.Done():
			stop()
			return false
		case <-due:
			return true
		case e, open := <-changed:
			stop()
			if !open {
				return false
			}
			switch {
			case c.kept.any():
			case c.rest.down():
				c.heed(ctx, e)
			default:
				return true
			}
		}
	}
}

// wakes is when a courier goes on that would go on at next by itself.
func (c *courier) wakes(next time.Time) time.Time {
	switch {
	case c.kept.any():
		return c.kept.next
	case c.rest.down():
		return c.rest.wakes()
	}
	return next
}

// pass goes over the queue once, from the message that has waited longest, and
// returns when the next of those that must wait is due (zero: none waits). A
// service that is down is tried with one message first, and nothing is sent before
// what was sent is written down.
func (c *courier) pass(ctx context.Context) (next time.Time, err error) {
	if err := c.writeKept(ctx); err != nil {
		return time.Time{}, err
	}
	if c.rest.down() {
		if err := c.probe(ctx); err != nil || c.rest.down() {
			return time.Time{}, err
		}
	}
	return c.drain(ctx)
}

// drain hands over what is due. One goroutine reads ahead, one hands over, one
// writes down.
func (c *courier) drain(ctx context.Context) (next time.Time, err error) {
	parts, results := make(chan part, 1), make(chan tried, settleAhead)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { defer close(parts); return c.read(ctx, parts) })
	g.Go(func() (err error) {
		defer close(results)
		next, err = c.handOver(ctx, parts, results)
		return err
	})
	g.Go(func() error { c.writeDown(ctx, results); return nil })
	err = g.Wait()
	if errors.Is(err, errDown) || errors.Is(err, errKept) {
		err = nil
	}
	return next, errors.Join(err, c.kept.err)
}

var (
	// errDown ends a pass whose service cannot be reached.
	errDown = errors.New("core: the service is down")
	// errKept ends a pass whose work cannot be written down.
	errKept = errors.New("core: what was sent could not be written down")
)

// part is a part of the queue, as it was read.
type part struct {
	portal string
	queue  []Message
	now    time.Time
	last   string // where the next part begins; "" when there is none
}

// page reads the part of the queue that begins after a cursor.
func (c *courier) page(ctx context.Context, after string) (p part, err error) {
	err = c.base.read(ctx, Actor{}, func(t *txn) error {
		p = part{portal: t.site.Name, now: t.now}
		rows, err := messages.PageBy(t, "queued", string(c.service)+"/", after, c.batch)
		for _, r := range rows {
			p.queue = append(p.queue, r.Value)
		}
		if len(rows) == c.batch {
			p.last = rows[len(rows)-1].Cursor
		}
		return err
	})
	return p, err
}

// read reads the queue, a part at a time.
func (c *courier) read(ctx context.Context, parts chan<- part) error {
	for after, more := "", true; more; {
		p, err := c.page(ctx, after)
		if err != nil {
			return err
		}
		select {
		case parts <- p:
		case <-ctx.Done():
			return ctx.Err()
		}
		after, more = p.last, p.last != ""
	}
	return nil
}

// look says which messages of a part are due, which are not worth sending any
// more, and when the next of the others is. Whoever has an earlier message that
// must wait, which waits remembers, waits with the later ones too.
func (c *courier) look(p part, waits map[string]bool) (due, over []Message, next time.Time) {
	for _, m := range p.queue {
		switch {
		case !m.Until.IsZero() && !p.now.Before(m.Until), p.now.Sub(m.Created) > GiveUpAfter:
			over = append(over, m)
		case m.Account != "" && waits[m.Account]:
		case p.now.Before(m.Next) && !c.rest.excused[m.ID]:
			waits[m.Account] = true
			next = sooner(next, m.Next)
		default:
			due = append(due, m)
		}
	}
	return due, over, next
}

// sooner is the first of two times, of which a zero one never comes.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// handOver sends what is due of each part.
func (c *courier) handOver(ctx context.Context, parts <-chan part, results chan<- tried) (next time.Time, err error) {
	waits := map[string]bool{}
	for p := range parts {
		if c.kept.failing.Load() {
			return next, errKept
		}
		due, over, soonest := c.look(p, waits)
		next = sooner(next, soonest)
		done := c.try(ctx, p.portal, due)
		done.over = over
		for i, o := range done.outcomes {
			if o.held || o.problem != "" && !o.permanent {
				waits[done.due[i].Account] = true
			}
		}
		results <- done // is always taken, also when the door closes
		if c.rest.down() {
			return next, errDown
		}
		if ctx.Err() != nil {
			return next, ctx.Err()
		}
	}
	return next, nil
}

// try sends messages and judges what that says of the service. Its rest begins
// before anybody can see that it failed: whoever sees it may let the clock go on.
func (c *courier) try(ctx context.Context, portal string, due []Message) tried {
	done := tried{due: due, outcomes: c.send(ctx, portal, due)}
	c.rest.judge(c.clock.Now(), due, done.outcomes)
	done.resume = c.rest.until
	return done
}
