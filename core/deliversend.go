// The providers are asked to take messages.

package core

import (
	"context"
	"log/slog"
	"sync"

	"postern/core/mail"
	"postern/core/sms"
)

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
			outcomes[i] = outcome{problem: mail.Describe(r.Err), permanent: mail.Permanent(r.Err), down: mail.Down(r.Err)}
			s.log.Warn("a mail was not taken", slog.String("id", batch[i].ID), slog.String("problem", outcomes[i].problem))
		}
	}
	return outcomes
}

// sendTexts hands text messages over, a few at once; those of one person in order.
// When the service turns out to be down, those that were not begun are held.
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
	var so soFar
	slots := make(chan struct{}, smsAtOnce)
	var running sync.WaitGroup
	for _, lane := range order {
		slots <- struct{}{}
		running.Go(func() {
			defer func() { <-slots }()
			held := false
			for _, i := range lanes[lane] {
				if held = held || so.over() || ctx.Err() != nil; held {
					outcomes[i] = outcome{held: true}
					continue
				}
				outcomes[i] = s.sendText(ctx, portal, batch[i])
				so.note(batch[i], outcomes[i])
				held = outcomes[i].problem != "" && !outcomes[i].permanent
			}
		})
	}
	running.Wait()
	return outcomes
}

// sendText hands one text message over.
func (s *Messages) sendText(ctx context.Context, portal string, m Message) outcome {
	text := s.writer.Write(m.wording(portal))
	err := s.texter.Send(ctx, sms.Message{ID: m.ID, To: m.To, Text: text.Body})
	if err == nil {
		return outcome{}
	}
	o := outcome{problem: sms.Describe(err), permanent: sms.Permanent(err), down: sms.Down(err)}
	s.log.Warn("a text message was not taken", slog.String("id", m.ID), slog.String("problem", o.problem))
	return o
}

// soFar is a batch of which some are tried at once, judged as it goes.
type soFar struct {
	mu      sync.Mutex
	doubted map[string]bool
	down    bool
}

func (s *soFar) note(m Message, o outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case o.down:
		s.down = true
	case !o.doubtful():
		s.doubted = nil
	case s.doubted == nil:
		s.doubted = map[string]bool{m.To: true}
	default:
		s.doubted[m.To] = true
	}
}

// over says that it is in vain to go on.
func (s *soFar) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.down || len(s.doubted) >= doubtAt
}
