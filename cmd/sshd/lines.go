package sshd

import (
	"context"
	"io"
	"time"
)

// lines runs a program that is said and answered in lines. It returns the id of
// a panic. The end of the input ends the program, and so does the channel's.
func (s *Server) lines(ch *channel, p Program) (id string) {
	stop := s.closeAtEnd(ch) // a program that hangs in a write comes loose there
	defer stop()
	in := &paced{ctx: ch.ctx, from: ch, burst: s.limits.InputBurst, rate: s.limits.InputRate, left: s.limits.InputBurst, last: time.Now()}
	return s.guard("a program in lines", func() { p.Lines(ch, in, &newlines{to: ch.Channel}) })
}

// paced reads no faster than Limits allow. A person waits for what is read; the
// client of somebody who sends more has to wait as well.
type paced struct {
	ctx               context.Context
	from              io.Reader
	burst, rate, left int // bytes, bytes a second, bytes
	last              time.Time
}

var _ io.Reader = (*paced)(nil)

// Read returns as much as is allowed now, after waiting if that is nothing.
func (r *paced) Read(p []byte) (int, error) {
	const step = 50 * time.Millisecond
	for {
		now := time.Now()
		if more := int(now.Sub(r.last).Seconds() * float64(r.rate)); more > 0 {
			r.left, r.last = min(r.left+more, r.burst), now
		}
		if r.left > 0 || len(p) == 0 {
			break
		}
		select {
		case <-time.After(step):
		case <-r.ctx.Done():
			return 0, r.ctx.Err()
		}
	}
	n, err := r.from.Read(p[:min(len(p), r.left)])
	r.left -= n
	return n, err
}
