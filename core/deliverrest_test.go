package core_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"postern/core"
	"postern/core/coretest"
	"postern/core/mail"
	"postern/core/mail/mailtest"
	"postern/core/sms"
	"postern/core/sms/smstest"
)

// textTo queues a text message to the nth number that nobody has.
func textTo(t testing.TB, p *coretest.Place, n int) core.Message {
	t.Helper()
	return queue(t, p, coretest.Console(), core.ServiceSMS, fmt.Sprintf("+1500555%04d", n))
}

// tried waits until a message was tried so many times.
func tried(t testing.TB, p *coretest.Place, id string, n int) core.Message {
	t.Helper()
	eventually(t, fmt.Sprintf("try %d", n), func() bool { return stateOf(t, p, id).Tries >= n })
	return stateOf(t, p, id)
}

// goesOn lets the clock go on a little at a time, so that what happens in between
// happens at about its time.
func goesOn(p *coretest.Place, d time.Duration) {
	for end := p.Clock.Now().Add(d); p.Clock.Now().Before(end); {
		p.Clock.Advance(10 * time.Second)
		time.Sleep(2 * time.Millisecond)
	}
}

// impatient sends text messages to a server that has little time to answer.
func impatient(t testing.TB, url string) sms.Sender {
	t.Helper()
	s := must(sms.NewWebhook(sms.WebhookConfig{URL: url + "/sms", Secret: "sixteen bytes and more", Timeout: 300 * time.Millisecond}))(t)
	t.Cleanup(s.Close)
	return s
}

// A server that never answers for one recipient keeps nobody else's mail.
func TestOneSlowRecipientKeepsNobodyElseWaiting(t *testing.T) {
	stall := make(chan struct{})
	server := mailtest.New(t, mailtest.Options{RefuseRecipient: func(to string) *smtp.SMTPError {
		if strings.HasPrefix(to, "slow@") {
			<-stall
		}
		return nil
	}})
	t.Cleanup(func() { close(stall) })
	m := must(mail.NewSender(mail.Config{Host: "127.0.0.1", Port: server.Port(), CA: server.CAFile(t), From: "portal@lanterns.example", Timeout: time.Second}))(t)
	t.Cleanup(func() { _ = m.Close() })
	p := coretest.Open(t, coretest.WithProviders(m, nil))
	me := p.SignUp("mara")
	slow := queue(t, p, coretest.Console(), core.ServiceMail, "slow@example.org")
	deliver(t, p)
	for try := 1; try <= 3; try++ {
		now := tried(t, p, slow.ID, try)
		if now.Problem != "timeout" || now.State != core.MessageQueued {
			t.Fatalf("%+v", now)
		}
		if try < 3 {
			p.Clock.Set(now.Next)
		}
	}
	must(p.Factors.BeginAddress(ctx, me))(t) // a code that mara waits for
	code := p.Outbox()[0]
	if got := becomes(t, p, code.ID, core.MessageSent); got.Tries != 1 || got.Done.Sub(got.Created) != 0 {
		t.Errorf("%+v", got)
	}
	if now := stateOf(t, p, slow.ID); now.Tries != 3 || now.Next.Sub(p.Clock.Now()) != 2*time.Minute {
		t.Errorf("the slow one was tried with it: %+v", now)
	}
}

// What a service answers to one number, or does not, is that number's.
func TestOneNumberKeepsNobodyElsesTextsWaiting(t *testing.T) {
	for name, o := range map[string]smstest.Options{
		"no answer": {Slow: time.Hour}, "hangs up": {Close: true}, "401": {Status: 401}, "403": {Status: 403}, "404": {Status: 404},
	} {
		t.Run(name, func(t *testing.T) {
			o.Only = "+15005550001"
			server := smstest.New(t, o)
			p := coretest.Open(t, coretest.WithProviders(nil, impatient(t, server.URL())))
			p.Set("messages.sms_allowance", "100")
			bad := textTo(t, p, 1)
			deliver(t, p)
			p.Clock.Set(tried(t, p, bad.ID, 1).Next)
			p.Clock.Set(tried(t, p, bad.ID, 2).Next)
			if now := tried(t, p, bad.ID, 3); now.Next.Sub(p.Clock.Now()) != 2*time.Minute {
				t.Errorf("%+v", now)
			}
			becomes(t, p, textTo(t, p, 2).ID, core.MessageSent) // though the clock stands still
			if now := stateOf(t, p, bad.ID); now.Tries != 3 {
				t.Errorf("it was tried again: %+v", now)
			}
		})
	}
}

// The weakness: of a batch in which something was sent, the second and later ones
// that failed were not counted, and tried again at once.
func TestEveryTryIsCounted(t *testing.T) {
	server := smstest.New(t, smstest.Options{Only: "+15005550", Status: 401})
	p := coretest.Open(t, coretest.WithProviders(nil, impatient(t, server.URL())))
	p.Set("messages.sms_allowance", "100")
	bad := []core.Message{textTo(t, p, 1), textTo(t, p, 2)}
	good := queue(t, p, coretest.Console(), core.ServiceSMS, "+5521987654321")
	deliver(t, p)
	becomes(t, p, good.ID, core.MessageSent)
	becomes(t, p, queue(t, p, coretest.Console(), core.ServiceSMS, "+5521987654322").ID, core.MessageSent)
	for _, m := range bad {
		if now := stateOf(t, p, m.ID); now.Tries != 1 || now.Next.Sub(p.Clock.Now()) != 30*time.Second || now.Problem != "auth" {
			t.Errorf("%+v", now)
		}
	}
	if n := len(server.Requests()); n != 4 {
		t.Errorf("%d requests for 2 that were taken and 2 that were not", n)
	}
}

// What different people meet in a row is the service's: it rests, is tried with one
// message at a time, and when it takes that one the others follow at once.
func TestWhatEverybodyMeetsIsTheService(t *testing.T) {
	server := smstest.New(t, smstest.Options{Status: 401})
	p := coretest.Open(t, coretest.WithProviders(nil, impatient(t, server.URL())))
	p.Set("messages.sms_allowance", "100")
	var all []core.Message
	for i := range 40 {
		all = append(all, textTo(t, p, i))
	}
	count := func() (tries, most int) {
		for _, m := range all {
			now := stateOf(t, p, m.ID)
			tries, most = tries+now.Tries, max(most, now.Tries)
		}
		return tries, most
	}
	deliver(t, p)
	eventually(t, "a rest", func() bool { tries, _ := count(); return tries >= 3 })
	goesOn(p, time.Hour)
	if tries, most := count(); tries > 16 || most > 2 { // at most 6 at once, and 7 rests in an hour
		t.Errorf("%d tries, %d of one message", tries, most)
	}
	server.Change(func(o *smstest.Options) { o.Status = 0 })
	for _, m := range all {
		eventually(t, "sent", func() bool { p.Clock.Advance(10 * time.Second); return stateOf(t, p, m.ID).State == core.MessageSent })
	}
	if late := stateOf(t, p, all[39].ID); late.Done.Sub(late.Created) > 3*time.Hour {
		t.Errorf("the last was sent after %v", late.Done.Sub(late.Created))
	}
}

// While a service is down, whoever waits for a code has it tried once a minute, and
// a new message once; nobody else does, and the rest grows as before.
func TestANewMessageTriesAServiceThatIsDown(t *testing.T) {
	free := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	_ = free.Close()
	server := smstest.New(t, smstest.Options{})
	road := &detour{to: impatient(t, "http://"+free.Addr().String())}
	p := coretest.Open(t, coretest.WithProviders(nil, road))
	p.Set("messages.sms_allowance", "100", "factors.sms", "on")
	first := textTo(t, p, 1)
	deliver(t, p)
	for n := 1; n <= 6; n++ {
		now := tried(t, p, first.ID, n)
		if n < 6 {
			p.Clock.Set(now.Next)
			continue
		}
		if now.Next.Sub(p.Clock.Now()) != 16*time.Minute {
			t.Fatalf("%+v", now)
		}
	}
	resume := stateOf(t, p, first.ID).Next
	before := road.count()
	second := textTo(t, p, 2)
	time.Sleep(50 * time.Millisecond)
	if n := road.count() - before; n != 0 {
		t.Errorf("it was tried %d times within a minute", n)
	}
	p.Clock.Advance(time.Minute)
	eventually(t, "a try", func() bool { return road.count() == before+1 })
	goesOn(p, 3*time.Minute)
	if n := road.count() - before; n != 1 {
		t.Errorf("one message that nobody waits for had it tried %d times", n)
	}
	me := p.SignUp("mara")
	must(p.Factors.Begin(ctx, me, "", core.FactorSMS, "+5521987654321"))(t)
	code := p.Outbox()[0]
	before = road.count()
	goesOn(p, 4*time.Minute)
	if n := road.count() - before; n < 3 || n > 5 {
		t.Errorf("it was tried %d times in 4 minutes for a code", n)
	}
	if at := stateOf(t, p, code.ID).Next; !at.Equal(resume) {
		t.Errorf("the rest ends at %v, and not any more at %v", at, resume)
	}
	road.change(impatient(t, server.URL()))
	begun := p.Clock.Now()
	eventually(t, "sent", func() bool {
		p.Clock.Advance(10 * time.Second)
		return stateOf(t, p, code.ID).State == core.MessageSent
	})
	if took := stateOf(t, p, code.ID).Done.Sub(begun); took > 90*time.Second {
		t.Errorf("the code was sent %v after the service was back", took)
	}
	// Who waited only for the service does not wait for anything else.
	if !p.Clock.Now().Before(resume) {
		t.Fatal("the rest is over")
	}
	becomes(t, p, first.ID, core.MessageSent)
	becomes(t, p, second.ID, core.MessageSent)
}

// detour is a provider that can be another one, and counts.
type detour struct {
	mu sync.Mutex
	to sms.Sender
	n  int
}

func (d *detour) Send(ctx context.Context, m sms.Message) error {
	d.mu.Lock()
	d.n++
	to := d.to
	d.mu.Unlock()
	return to.Send(ctx, m)
}

func (d *detour) change(to sms.Sender) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.to = to
}

func (d *detour) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.n
}
