// Who carries messages in the story, and where people read them.

package demo

import (
	"context"
	"fmt"
	"regexp"
	"sync"
	"time"

	"postern/core"
	"postern/core/mail"
	"postern/core/sms"
)

// postPatience bounds how long the story waits for a message to be carried. It is
// a matter of microseconds, and something is wrong if it takes that long.
const postPatience = time.Minute

// post carries mail and text messages while the story is told. When it is over
// there is no provider any more: what visitors cause stays in the outbox, where
// they can read it.
type post struct {
	portal *core.Portal
	stop   func() // nil: nothing is carried any more

	mu   sync.Mutex
	last map[string]string // the newest text at an address or number
	away bool              // the mail server does not answer
}

func newPost() *post { return &post{last: map[string]string{}} }

// open begins to carry the messages of a portal, until close.
func (p *post) open(ctx context.Context, portal *core.Portal) {
	ctx, cancel := context.WithCancel(ctx)
	var carrying sync.WaitGroup
	carrying.Go(func() { portal.Messages.Deliver(ctx) })
	p.portal, p.stop = portal, func() { cancel(); carrying.Wait() }
}

// close leaves what comes from now on in the outbox.
func (p *post) close() {
	if p.stop != nil {
		p.stop()
	}
	p.stop = nil
}

// settle waits until what is in the outbox was carried. Only then does time go
// on, so that the story is the same each time.
func (p *post) settle(ctx context.Context) error {
	return p.until(ctx, func(core.Message) bool { return false })
}

// until waits until done holds of the newest message that waits, or none does.
func (p *post) until(ctx context.Context, done func(core.Message) bool) error {
	if p.stop == nil {
		return nil
	}
	for end := time.Now().Add(postPatience); ; time.Sleep(20 * time.Microsecond) {
		page, err := p.portal.Messages.List(ctx, core.ConsoleActor("story"), core.MessageQueued, "", 1)
		if err != nil || len(page.Messages) == 0 || done(page.Messages[0]) {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("message %s was never carried", page.Messages[0].ID)
		}
	}
}

// answers says whether the mail server does.
func (p *post) answers(yes bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.away = !yes
}

var sixDigits = regexp.MustCompile(`\b[0-9]{6}\b`)

// code is what somebody reads who waits for a code at an address or number, and
// "" when none came.
func (p *post) code(to string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer delete(p.last, to)
	return sixDigits.FindString(p.last[to])
}

// letters and texts are the two services of a post.
type (
	letters struct{ *post }
	texts   struct{ *post }
)

var (
	_ core.Mailer = letters{}
	_ core.Texter = texts{}
)

// Send takes mail, or lets it wait in vain while the server is away.
func (l letters) Send(_ context.Context, messages []mail.Message) []mail.Result {
	l.mu.Lock()
	defer l.mu.Unlock()
	results := make([]mail.Result, len(messages))
	for i, m := range messages {
		if l.away {
			results[i].Err = context.DeadlineExceeded
			continue
		}
		l.last[m.To] = m.Text
	}
	return results
}

// Send takes a text message.
func (t texts) Send(_ context.Context, m sms.Message) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last[m.To] = m.Text
	return nil
}
