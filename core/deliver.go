// Delivery: what is in the outbox is handed over by a courier for each service
// that has a provider. It goes over the queue in order, in batches; while one
// batch is handed over, the one before is written down as sent. A process that
// dies in between sends some again: at least once, never not at all.

package core

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"postern/core/mail"
	"postern/core/sms"
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

// retryWait is how long to wait after that many tries.
func retryWait(tries int) time.Duration {
	wait := firstRetry
	for range tries - 1 {
		if wait *= 2; wait >= longestRetry {
			return longestRetry
		}
	}
	return wait
}

// outcome is what became of one try.
type outcome struct {
	problem   string // "" when it was handed over
	permanent bool
	held      bool // not tried, since an earlier one to the same person failed
}

// down says that it is the service that cannot be reached, and not this message:
// the others then wait with it and are not tried one by one.
func (o outcome) down() bool {
	return slices.Contains([]string{"unreachable", "timeout", "tls", "auth"}, o.problem)
}

// courier hands the messages of one service over.
type courier struct {
	*base
	service Service
	batch   int
	send    func(ctx context.Context, portal string, batch []Message) []outcome

	downFor int // failures of the service itself in a row
	resume  time.Time
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
	for {
		next, err := c.pass(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			c.log.Error("messages were not delivered", slog.String("service", string(c.service)), slog.Any("error", err))
			next = c.clock.Now().Add(firstRetry)
		}
		if !c.sleep(ctx, changed, next) {
			return
		}
	}
}

// sleep waits for a change of the outbox or for a time (zero: for none). While
// the service is down, only time counts. False when it is over.
func (c *courier) sleep(ctx context.Context, changed <-chan store.Event, until time.Time) bool {
	if c.resume.After(c.clock.Now()) {
		until = c.resume
	}
	due, stop := c.alarm(until)
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-due:
			return true
		case _, open := <-changed:
			if !open {
				return false
			}
			if c.resume.After(c.clock.Now()) {
				continue
			}
			return true
		}
	}
}

// pass goes over the queue once, from the message that has waited longest, and
// returns when the next of those that must wait is due (zero: none waits). One
// goroutine reads ahead, one hands over, one writes down.
func (c *courier) pass(ctx context.Context) (next time.Time, err error) {
	parts, results := make(chan part, 1), make(chan tried, settleAhead)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { defer close(parts); return c.read(ctx, parts) })
	g.Go(func() (err error) {
		defer close(results)
		next, err = c.handOver(ctx, parts, results)
		return err
	})
	g.Go(func() error { return c.writeDown(ctx, results) })
	err = g.Wait()
	if errors.Is(err, errDown) {
		err = nil
	}
	return next, err
}

// errDown ends a pass whose service cannot be reached.
var errDown = errors.New("core: the service is down")

// part is a part of the queue, as it was read.
type part struct {
	portal string
	queue  []Message
	now    time.Time
}

// read reads the queue, a part at a time.
func (c *courier) read(ctx context.Context, parts chan<- part) error {
	for after := ""; ; {
		var p part
		full := false
		err := c.base.read(ctx, Actor{}, func(t *txn) error {
			p = part{portal: t.site.Name, now: t.now}
			rows, err := messages.PageBy(t, "queued", string(c.service)+"/", after, c.batch)
			for _, r := range rows {
				p.queue = append(p.queue, r.Value)
				after = r.Cursor
			}
			full = len(rows) == c.batch
			return err
		})
		if err != nil {
			return err
		}
		select {
		case parts <- p:
		case <-ctx.Done():
			return ctx.Err()
		}
		if !full {
			return nil
		}
	}
}

// handOver sends what is due of each part. Whoever has an earlier message that
// must wait, waits with the later ones too.
func (c *courier) handOver(ctx context.Context, parts <-chan part, results chan<- tried) (next time.Time, err error) {
	waits := map[string]bool{}
	for p := range parts {
		var done tried
		for _, m := range p.queue {
			switch {
			case !m.Until.IsZero() && !p.now.Before(m.Until), p.now.Sub(m.Created) > GiveUpAfter:
				done.over = append(done.over, m)
			case m.Account != "" && waits[m.Account]:
			case p.now.Before(m.Next):
				waits[m.Account] = true
				if next.IsZero() || m.Next.Before(next) {
					next = m.Next
				}
			default:
				done.due = append(done.due, m)
			}
		}
		done.outcomes = c.send(ctx, p.portal, done.due)
		for i, o := range done.outcomes {
			if o.held || o.problem != "" && !o.permanent {
				waits[done.due[i].Account] = true
			}
		}
		// The service's rest begins before anybody can see that it failed: whoever
		// sees it may let the clock go on.
		down := c.judgeService(done.outcomes)
		results <- done // is always taken, also when the door closes
		if down {
			return next, errDown
		}
		if ctx.Err() != nil {
			return next, ctx.Err()
		}
	}
	return next, nil
}

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

// judgeService notes whether the service itself failed, and for how long it is
// then left alone.
func (c *courier) judgeService(outcomes []outcome) (down bool) {
	for _, o := range outcomes {
		if o.held {
			continue
		}
		if !o.down() {
			c.downFor, c.resume = 0, time.Time{}
			return false
		}
		down = true
	}
	if down {
		c.downFor++
		c.resume = c.clock.Now().Add(retryWait(c.downFor))
	}
	return down
}

// tried is what became of a part of the queue.
type tried struct {
	due      []Message
	outcomes []outcome // of due
	over     []Message // not worth sending any more
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
		if err := s.one(m.ID, outcome{problem: problem, permanent: true}, false); err != nil {
			return err
		}
	}
	told := false
	for i, o := range done.outcomes {
		if o.held || o.down() && told {
			continue // not this message's failure
		}
		told = told || o.down()
		if err := s.one(done.due[i].ID, o, true); err != nil {
			return err
		}
	}
	return nil
}

// errSettled says that a message is settled already.
var errSettled = errors.New("core: the message is settled")

// one writes down what became of one message.
func (s *settlement) one(id string, o outcome, tried bool) error {
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

// sendMail hands mail over.
func (s *Messages) sendMail(ctx context.Context, portal string, batch []Message) []outcome {
	if len(batch) == 0 {
		return nil
	}
	out := make([]mail.Message, len(batch))
	for i, m := range batch {
		text := s.writer.Write(m.wording(portal))
		out[i] = mail.Message{ID: m.ID, To: m.To, Subject: text.Subject, Text: text.Body,
			HTML: mail.HTML(text.Subject, text.Body, m.Language), Date: m.Created, Lane: m.Account}
	}
	outcomes := make([]outcome, len(batch))
	for i, r := range s.mailer.Send(ctx, out) {
		switch {
		case r.Held:
			outcomes[i] = outcome{held: true}
		case r.Err != nil:
			outcomes[i] = outcome{problem: mail.Describe(r.Err), permanent: mail.Permanent(r.Err)}
			s.log.Warn("a mail was not taken", slog.String("id", batch[i].ID), slog.String("problem", outcomes[i].problem))
		}
	}
	return outcomes
}

// sendTexts hands text messages over, a few at once; those of one person in order.
func (s *Messages) sendTexts(ctx context.Context, portal string, batch []Message) []outcome {
	outcomes := make([]outcome, len(batch))
	lanes := map[string][]int{}
	var order []string
	for i, m := range batch {
		lane := m.Account
		if lane == "" {
			lane = m.ID
		}
		if lanes[lane] == nil {
			order = append(order, lane)
		}
		lanes[lane] = append(lanes[lane], i)
	}
	slots := make(chan struct{}, smsAtOnce)
	var running sync.WaitGroup
	for _, lane := range order {
		slots <- struct{}{}
		running.Go(func() {
			defer func() { <-slots }()
			for n, i := range lanes[lane] {
				text := s.writer.Write(batch[i].wording(portal))
				err := s.texter.Send(ctx, sms.Message{ID: batch[i].ID, To: batch[i].To, Text: text.Body})
				if err == nil {
					continue
				}
				outcomes[i] = outcome{problem: sms.Describe(err), permanent: sms.Permanent(err)}
				s.log.Warn("a text message was not taken", slog.String("id", batch[i].ID), slog.String("problem", outcomes[i].problem))
				if outcomes[i].permanent {
					continue
				}
				for _, later := range lanes[lane][n+1:] {
					outcomes[later] = outcome{held: true}
				}
				return
			}
		})
	}
	running.Wait()
	return outcomes
}
