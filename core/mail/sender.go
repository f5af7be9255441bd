// The sender: batches one after another, a connection kept between them for a
// moment, and one more chance when it breaks.

package mail

import (
	"context"
	"crypto/tls"
	"time"

	netmail "net/mail"
)

// defaultIdle is how long a connection is kept for the next call of Send. Servers end
// it themselves after minutes; a burst of messages comes within seconds.
const defaultIdle = 5 * time.Second

// Sender hands messages to one server. It is safe for concurrent use: batches go
// one after another.
type Sender struct {
	config Config
	tls    *tls.Config
	from   netmail.Address
	idle   time.Duration

	life context.Context // ends with Close
	end  context.CancelFunc

	// turn is held by whoever uses what is below.
	turn  chan struct{}
	conn  *conn // kept from the last batch, or nil
	clock *time.Timer
}

// NewSender checks a configuration. Nothing is connected yet: a server that is
// down must not keep a portal from starting. Errors are *ConfigError.
func NewSender(c Config) (*Sender, error) {
	c, err := c.checked()
	if err != nil {
		return nil, err
	}
	s := &Sender{config: c, from: netmail.Address{Name: c.FromName, Address: c.From}, idle: defaultIdle, turn: make(chan struct{}, 1)}
	if s.tls, err = c.tlsConfig(); err != nil {
		return nil, err
	}
	s.life, s.end = context.WithCancel(context.Background())
	return s, nil
}

// Send hands messages over, in order, on one connection, and returns one result
// for each. A message that the server refuses does not harm the others.
//
// When the connection breaks, the message on its way fails for the moment, and
// the rest goes over a new connection. When that one cannot be opened, or breaks
// before it has taken anything, or refuses our own address twice in a row, the rest
// is held with its error: a server that is down costs one timeout, not one for each
// message.
//
// A message may have reached the server although its result is "timeout" or
// "closed": its answer was lost. That is what ID is for.
func (s *Sender) Send(ctx context.Context, messages []Message) []Result {
	results := make([]Result, len(messages))
	if len(messages) == 0 {
		return results
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.life, cancel)()
	if err := s.take(ctx); err != nil {
		for i := range results {
			results[i] = Result{Err: interrupted(err), Held: true}
		}
		return results
	}
	b := batch{Sender: s, ctx: ctx}
	b.resume()
	held := map[string]bool{}
	for i, m := range messages {
		if m.Lane != "" && held[m.Lane] {
			results[i].Held = true
			continue
		}
		if results[i] = b.send(m); results[i].Err != nil && !Permanent(results[i].Err) {
			held[m.Lane] = true
		}
	}
	b.keep()
	<-s.turn
	return results
}

// take waits for the turn. It returns why it did not get it.
func (s *Sender) take(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	// Both may have been ready, and Close ends ctx a moment after the life.
	err := ctx.Err()
	if err == nil {
		err = s.life.Err()
	}
	if err != nil {
		<-s.turn
	}
	return err
}

// batch is one call of Send that has the turn.
type batch struct {
	*Sender
	ctx     context.Context
	over    error // why nothing more is tried
	broken  bool  // a connection has broken in this batch
	unknown bool  // the server has refused our address to the message before
}

// resume takes up the connection of the batch before, if it still is one.
func (b *batch) resume() {
	if b.clock != nil {
		b.clock.Stop()
	}
	if b.conn == nil {
		return
	}
	b.conn.hold(b.ctx)
	if !b.conn.alive() {
		b.conn.drop()
		b.conn = nil
	}
}

// keep leaves the connection for the next batch.
func (b *batch) keep() {
	if b.conn == nil {
		return
	}
	if !b.conn.let() {
		b.conn.drop()
		b.conn = nil
		return
	}
	b.clock = time.AfterFunc(b.idle, b.expire)
}

// send hands over one message.
func (b *batch) send(m Message) Result {
	msg, err := b.compose(m)
	if err != nil {
		return Result{Err: err}
	}
	if err := b.ctx.Err(); err != nil {
		return Result{Err: interrupted(err), Held: true}
	}
	if b.over != nil {
		return Result{Err: b.over, Held: true}
	}
	if b.conn == nil {
		if b.conn, b.over = b.open(b.ctx); b.over != nil {
			b.conn = nil
			return Result{Err: b.over}
		}
	}
	at, usable, err := b.conn.deliver(b.from.Address, m.To, msg)
	if err != nil {
		err = b.because(b.ctx, at, err)
	}
	if usable {
		again := Down(err)
		if again && b.unknown {
			b.over = err
		}
		b.unknown = again
	} else {
		// A server that closes after so many messages may go on doing so; one
		// that does not answer, or takes nothing at all, is not asked a third time.
		if b.broken && (b.conn.taken == 0 || Describe(err) == codeTimeout) {
			b.over = err
		}
		b.broken = true
		b.conn.drop()
		b.conn = nil
	}
	return Result{Err: err}
}

// expire ends a connection that nobody has used for a while. When somebody has
// the turn, it is in use.
func (s *Sender) expire() {
	select {
	case s.turn <- struct{}{}:
		s.leave()
		<-s.turn
	default:
	}
}

// leave says good-bye to the server. The caller has the turn.
func (s *Sender) leave() {
	if s.conn != nil {
		s.conn.quit()
		s.conn = nil
	}
}

// Close ends the connection, and a Send that is under way: what it has not
// handed over fails for the moment. After Close nothing is sent any more.
func (s *Sender) Close() error {
	s.end()
	s.turn <- struct{}{}
	if s.clock != nil {
		s.clock.Stop()
	}
	s.leave()
	<-s.turn
	return nil
}
