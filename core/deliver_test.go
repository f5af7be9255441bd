package core_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
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

// postOffice is a portal that sends mail through a real server.
type postOffice struct {
	*coretest.Place
	server *mailtest.Server
	stop   func()
}

// mailer is a sender for a test's server.
func mailer(t testing.TB, server *mailtest.Server) *mail.Sender {
	t.Helper()
	m := must(mail.NewSender(mail.Config{
		Host: "127.0.0.1", Port: server.Port(), CA: server.CAFile(t), From: "portal@lanterns.example", Timeout: 5 * time.Second,
	}))(t)
	t.Cleanup(func() { _ = m.Close() })
	return m
}

func withMail(t testing.TB, o mailtest.Options, more ...coretest.Option) *postOffice {
	t.Helper()
	server := mailtest.New(t, o)
	p := coretest.Open(t, append(more, coretest.WithProviders(mailer(t, server), nil))...)
	office := &postOffice{Place: p, server: server}
	return office
}

// deliver begins to deliver until the test ends, or until office.stop.
func (o *postOffice) deliver(t testing.TB) { o.stop = deliver(t, o.Place) }

func deliver(t testing.TB, p *coretest.Place) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); p.Messages.Deliver(ctx) }()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(stop)
	return stop
}

// test queues a test message and returns it.
func queue(t testing.TB, p *coretest.Place, actor core.Actor, service core.Service, to string) core.Message {
	t.Helper()
	return must(p.Messages.Test(ctx, actor, service, to))(t)
}

func stateOf(t testing.TB, p *coretest.Place, id string) core.Message {
	t.Helper()
	return must(p.Messages.Show(ctx, coretest.Console(), id))(t)
}

func becomes(t testing.TB, p *coretest.Place, id string, state core.MessageState) core.Message {
	t.Helper()
	eventually(t, string(state), func() bool { return stateOf(t, p, id).State == state })
	return stateOf(t, p, id)
}

func use(t testing.TB, p *coretest.Place, service core.Service) core.Use {
	t.Helper()
	for _, u := range must(p.Messages.Use(ctx, coretest.Console()))(t) {
		if u.Service == service {
			return u
		}
	}
	t.Fatal("no such service")
	return core.Use{}
}

func TestAMessageIsWrittenWithItsActAndSent(t *testing.T) {
	o := withMail(t, mailtest.Options{})
	me := o.SignUp("mara")
	enrolment := must(o.Factors.BeginAddress(ctx, me))(t)
	code := o.LastCode()
	o.deliver(t)
	got := o.server.Wait(t, 1)
	if got[0].To != "mara@example.org" || !strings.Contains(got[0].Text, code) || !strings.Contains(got[0].HTML, code) {
		t.Fatalf("%+v", got[0])
	}
	must(o.Factors.Confirm(ctx, me, "", enrolment.ID, code, ""))(t)
	m := becomes(t, o.Place, o.Outbox()[0].ID, core.MessageSent)
	if m.Done.IsZero() || m.Tries != 1 {
		t.Errorf("%+v", m)
	}
	if strings.Contains(fmt.Sprint(o.Dump()), code) {
		t.Error("the code is still stored after it was sent")
	}
	if u := use(t, o.Place, core.ServiceMail); u.Sent != 1 || u.Queued != 0 {
		t.Errorf("%+v", u)
	}
	// With a provider nobody else is shown a code.
	must(o.Factors.Begin(ctx, me, "", core.FactorApp, ""))(t)
}

func TestARefusedActSendsNothing(t *testing.T) {
	o := withMail(t, mailtest.Options{})
	me := o.SignUp("mara")
	o.ConfirmEmail(me)
	before := len(o.Outbox())
	_, err := o.Accounts.ChangePassword(ctx, me, "Wrong-Password-12-X", strong, false)
	refused(t, err, core.CodeCredentials, "current")
	if len(o.Outbox()) != before {
		t.Error("a refused change of the password was told")
	}
	must(o.Accounts.ChangePassword(ctx, me, coretest.Password, strong, false))(t)
	if list := o.Outbox(); len(list) != before+1 || list[0].Kind != core.NoticePasswordChanged {
		t.Errorf("%+v", list)
	}
}

func TestWithoutAProviderMessagesStayAndAreRead(t *testing.T) {
	p := coretest.Open(t)
	me := p.SignUp("mara")
	must(p.Factors.BeginAddress(ctx, me))(t)
	code := p.LastCode()
	deliver(t, p)() // returns at once: there is nobody to deliver
	m := p.Outbox()[0]
	if m.State != core.MessageQueued || m.Code != "" {
		t.Fatalf("%+v", m)
	}
	read := must(p.Messages.Read(ctx, p.Owner, m.ID))(t)
	if read.Body != code || read.Hidden {
		t.Fatalf("%+v", read)
	}
	if e := p.Trail()[0]; e.Action != core.ActMessageRead || e.Target != m.ID {
		t.Errorf("who read it is not in the trail: %+v", e)
	}
	_, err := p.Messages.Read(ctx, me, m.ID)
	refused(t, err, core.CodeDenied, "")
	_, err = p.Messages.List(ctx, me, "", "", 10)
	refused(t, err, core.CodeDenied, "")
}

// ASVS 6.6.1: a code is for its person's eyes.
func TestWithAProviderNobodyIsShownACode(t *testing.T) {
	o := withMail(t, mailtest.Options{})
	must(o.Factors.BeginAddress(ctx, o.SignUp("mara")))(t)
	read := must(o.Messages.Read(ctx, coretest.Console(), o.Outbox()[0].ID))(t)
	if code := o.LastCode(); !read.Hidden || strings.Contains(read.Body+read.Code, code) {
		t.Errorf("%+v", read)
	}
}

func TestAServerThatIsDownIsTriedAgainWithGrowingWaits(t *testing.T) {
	o := withMail(t, mailtest.Options{})
	o.server.Stop()
	m := queue(t, o.Place, coretest.Console(), core.ServiceMail, "mara@example.org")
	o.deliver(t)
	var waits []time.Duration
	for tries := 1; tries <= 4; tries++ {
		eventually(t, "a try", func() bool { return stateOf(t, o.Place, m.ID).Tries == tries })
		now := stateOf(t, o.Place, m.ID)
		if now.State != core.MessageQueued || now.Problem != "unreachable" {
			t.Fatalf("%+v", now)
		}
		waits = append(waits, now.Next.Sub(o.Clock.Now()))
		eventually(t, "a timer", func() bool { return o.Clock.Timers() > 0 })
		o.Clock.Set(now.Next)
	}
	if !slices.IsSorted(waits) || waits[0] != 30*time.Second || waits[3] != 4*time.Minute {
		t.Errorf("the waits are %v", waits)
	}
	o.server.Start(t)
	eventually(t, "sent", func() bool { o.Clock.Advance(time.Hour); return stateOf(t, o.Place, m.ID).State == core.MessageSent })
	o.server.Wait(t, 1)
}

func TestAMessageThatCannotBeSentIsKeptAsDead(t *testing.T) {
	o := withMail(t, mailtest.Options{RefuseRecipient: func(a string) *smtp.SMTPError {
		if strings.HasPrefix(a, "nobody@") {
			return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "\x1b[31mno such user"}
		}
		return nil
	}})
	bad := queue(t, o.Place, coretest.Console(), core.ServiceMail, "nobody@example.org")
	good := queue(t, o.Place, coretest.Console(), core.ServiceMail, "mara@example.org")
	o.deliver(t)
	if m := becomes(t, o.Place, bad.ID, core.MessageDead); m.Problem != "refused" {
		t.Errorf("%+v", m)
	}
	becomes(t, o.Place, good.ID, core.MessageSent)
	// Only what was handed over was counted.
	if u := use(t, o.Place, core.ServiceMail); u.Sent != 1 || u.Queued != 0 {
		t.Errorf("%+v", u)
	}
	dead := must(o.Messages.List(ctx, coretest.Console(), core.MessageDead, "", 10))(t)
	if len(dead.Messages) != 1 || dead.Messages[0].ID != bad.ID {
		t.Errorf("%+v", dead)
	}
	if !slices.ContainsFunc(o.Trail(), func(e core.Entry) bool { return e.Action == core.ActMessageDead && e.Target == bad.ID }) {
		t.Error("that it was given up is not in the trail")
	}
	o.server.Change(func(s *mailtest.Options) { s.RefuseRecipient = nil })
	ok(t, o.Messages.Retry(ctx, coretest.Console(), bad.ID))
	becomes(t, o.Place, bad.ID, core.MessageSent)
	refused(t, o.Messages.Retry(ctx, coretest.Console(), bad.ID), core.CodeConflict, "")
}

func TestACodeThatIsOverIsNotSent(t *testing.T) {
	o := withMail(t, mailtest.Options{})
	o.server.Stop()
	must(o.Factors.BeginAddress(ctx, o.SignUp("mara")))(t)
	m := o.Outbox()[0]
	o.Clock.Advance(core.SentCodeFor)
	o.server.Start(t)
	o.deliver(t)
	if m := becomes(t, o.Place, m.ID, core.MessageDead); m.Problem != "expired" || m.Tries != 0 {
		t.Errorf("%+v", m)
	}
	if n := len(o.server.Messages()); n != 0 {
		t.Errorf("%d messages were sent", n)
	}
	refused(t, o.Messages.Retry(ctx, coretest.Console(), m.ID), core.CodeConflict, "")
}

func TestAMessageIsGivenUpAfterThreeDays(t *testing.T) {
	o := withMail(t, mailtest.Options{})
	o.server.Stop()
	m := queue(t, o.Place, coretest.Console(), core.ServiceMail, "mara@example.org")
	o.deliver(t)
	eventually(t, "a try", func() bool { return stateOf(t, o.Place, m.ID).Tries == 1 })
	o.Clock.Advance(core.GiveUpAfter + time.Hour)
	if m := becomes(t, o.Place, m.ID, core.MessageDead); m.Problem != "unreachable" {
		t.Errorf("%+v", m)
	}
}

// One person's messages come in the order they were written, whatever is
// refused for the moment in between.
func TestOnePersonsMessagesKeepTheirOrder(t *testing.T) {
	var mu sync.Mutex
	refusals := 3
	o := withMail(t, mailtest.Options{RefuseRecipient: func(a string) *smtp.SMTPError {
		mu.Lock()
		defer mu.Unlock()
		if strings.HasPrefix(a, "a1@") && refusals > 0 {
			refusals--
			return &smtp.SMTPError{Code: 451, Message: "later"}
		}
		return nil
	}})
	var ids []string
	for i := 1; i <= 5; i++ { // all of one account: the owner's
		ids = append(ids, queue(t, o.Place, o.Owner, core.ServiceMail, fmt.Sprintf("a%d@example.org", i)).ID)
	}
	other := queue(t, o.Place, coretest.Console(), core.ServiceMail, "other@example.org")
	o.deliver(t)
	becomes(t, o.Place, other.ID, core.MessageSent) // who has nothing to do with it does not wait
	for _, id := range ids {
		if m := stateOf(t, o.Place, id); m.State != core.MessageQueued {
			t.Errorf("%s was sent before its turn: %+v", m.To, m)
		}
	}
	eventually(t, "all sent", func() bool {
		o.Clock.Advance(10 * time.Minute)
		return stateOf(t, o.Place, ids[4]).State == core.MessageSent
	})
	var order []string
	for _, m := range o.server.Messages() {
		if m.To != "other@example.org" {
			order = append(order, m.To)
		}
	}
	if want := "a1@example.org a2@example.org a3@example.org a4@example.org a5@example.org"; strings.Join(order, " ") != want {
		t.Errorf("they came as %v", order)
	}
}

// At least once: a server that took a message and could not say so gets it
// again, under the same id.
func TestAMessageWhoseAnswerWasLostIsSentAgain(t *testing.T) {
	o := withMail(t, mailtest.Options{CloseAfterData: 1})
	m := queue(t, o.Place, coretest.Console(), core.ServiceMail, "mara@example.org")
	o.deliver(t)
	eventually(t, "a try", func() bool { return stateOf(t, o.Place, m.ID).Tries == 1 })
	if now := stateOf(t, o.Place, m.ID); now.State != core.MessageQueued {
		t.Fatalf("%+v", now)
	}
	o.server.Change(func(s *mailtest.Options) { s.CloseAfterData = 0 })
	eventually(t, "sent", func() bool { o.Clock.Advance(time.Minute); return stateOf(t, o.Place, m.ID).State == core.MessageSent })
	if u := use(t, o.Place, core.ServiceMail); u.Sent != 1 {
		t.Errorf("it was counted %d times", u.Sent)
	}
}

func TestWhatIsInTheOutboxOutlivesTheProcess(t *testing.T) {
	server := mailtest.New(t, mailtest.Options{})
	p := coretest.Open(t, coretest.OnDisk())
	m := queue(t, p, coretest.Console(), core.ServiceMail, "mara@example.org")
	p.Close()
	again := coretest.New(t, coretest.WithStore(p.DB), coretest.WithClock(p.Clock), coretest.WithProviders(mailer(t, server), nil))
	deliver(t, again)
	becomes(t, again, m.ID, core.MessageSent)
	if got := server.Wait(t, 1); !strings.Contains(got[0].Header.Get("Message-ID"), m.ID) {
		t.Errorf("the message's id is not its record's: %v", got[0].Header)
	}
}

func TestTheAllowance(t *testing.T) {
	o := withMail(t, mailtest.Options{})
	o.Set("messages.mail_allowance", "5")
	for i := range 5 {
		queue(t, o.Place, coretest.Console(), core.ServiceMail, fmt.Sprintf("a%d@example.org", i))
	}
	_, err := o.Messages.Test(ctx, coretest.Console(), core.ServiceMail, "more@example.org")
	refused(t, err, core.CodeAllowance, "mail")
	var warned []string
	for _, n := range must(o.Notices.Mine(ctx, o.Owner, "", "", "", 10))(t).Notices {
		if n.Kind == core.NoticeAllowance {
			warned = append(warned, n.Args["Percent"])
		}
	}
	if !slices.Equal(warned, []string{"100", "80"}) {
		t.Errorf("owners were warned at %v", warned)
	}
	t.Run("a code is refused, and the act with it", func(t *testing.T) {
		before := o.Dump()
		_, err := o.Factors.BeginAddress(ctx, o.Owner)
		refused(t, err, core.CodeAllowance, "mail")
		same(t, substance(before), substance(o.Dump()))
	})
	t.Run("a notice is in the inbox all the same", func(t *testing.T) {
		must(o.Accounts.ChangePassword(ctx, o.Owner, coretest.Password, strong, false))(t)
		if n := must(o.Notices.Mine(ctx, o.Owner, "", "", "", 1))(t).Notices[0]; n.Kind != core.NoticePasswordChanged {
			t.Errorf("%+v", n)
		}
	})
	t.Run("a new month begins anew", func(t *testing.T) {
		o.Clock.Set(time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC))
		queue(t, o.Place, coretest.Console(), core.ServiceMail, "april@example.org")
		if u := use(t, o.Place, core.ServiceMail); u.Month != "2026-04" || u.Queued != 1 || u.Sent != 0 {
			t.Errorf("%+v", u)
		}
	})
}

// Of many who want the last messages of an allowance, exactly so many get one.
func TestTheAllowanceIsCountedOnce(t *testing.T) {
	p := coretest.Open(t)
	p.Set("messages.mail_allowance", "10")
	var mu sync.Mutex
	given := 0
	parallel(40, func(i int) {
		_, err := p.Messages.Test(ctx, coretest.Console(), core.ServiceMail, fmt.Sprintf("a%d@example.org", i))
		mu.Lock()
		defer mu.Unlock()
		if err == nil {
			given++
		} else if core.CodeOf(err) != core.CodeAllowance {
			t.Error(err)
		}
	})
	if given != 10 {
		t.Errorf("%d messages were queued", given)
	}
}

func texter(t testing.TB, server *smstest.Server) sms.Sender {
	t.Helper()
	s := must(sms.NewWebhook(sms.WebhookConfig{URL: server.URL() + "/sms", Secret: "sixteen bytes and more", Timeout: 5 * time.Second}))(t)
	t.Cleanup(s.Close)
	return s
}

func TestTextMessages(t *testing.T) {
	server := smstest.New(t, smstest.Options{})
	p := coretest.Open(t, coretest.WithProviders(nil, texter(t, server)))
	_, err := p.Messages.Test(ctx, coretest.Console(), core.ServiceSMS, "+5521987654321")
	refused(t, err, core.CodeAllowance, "sms") // nothing, until somebody has set one
	p.Set("messages.sms_allowance", "100", "factors.sms", "on")
	deliver(t, p)
	m := queue(t, p, coretest.Console(), core.ServiceSMS, "00 55 (21) 98765-4321")
	if m.To != "+5521987654321" {
		t.Errorf("the number is kept as %q", m.To)
	}
	becomes(t, p, m.ID, core.MessageSent)
	server.Change(func(o *smstest.Options) { o.Status = 400 })
	if m := becomes(t, p, queue(t, p, coretest.Console(), core.ServiceSMS, "+15005550001").ID, core.MessageDead); m.Problem != "refused" {
		t.Errorf("%+v", m)
	}
	server.Change(func(o *smstest.Options) { o.Status = 503 })
	m = queue(t, p, coretest.Console(), core.ServiceSMS, "+15005550002")
	eventually(t, "a try", func() bool { return stateOf(t, p, m.ID).Tries == 1 })
	server.Change(func(o *smstest.Options) { o.Status = 0 })
	eventually(t, "sent", func() bool { p.Clock.Advance(time.Minute); return stateOf(t, p, m.ID).State == core.MessageSent })
	for _, bad := range []string{"", "12", "+0123456789", "no number", "+55219876543210987", "+5521\r\n98765"} {
		_, err := p.Messages.Test(ctx, coretest.Console(), core.ServiceSMS, bad)
		refused(t, err, core.CodeFormat, "to")
	}
}

// ASVS 1.3.11: nothing that was typed reaches a header.
func TestAnAddressHoldsNoLineBreak(t *testing.T) {
	p := coretest.Open(t)
	for _, bad := range []string{"a@example.org\r\nBcc: b@example.org", "a\r\n@example.org", "a@example.org\x00", "<a@example.org>"} {
		_, err := p.Messages.Test(ctx, coretest.Console(), core.ServiceMail, bad)
		refused(t, err, core.CodeFormat, "to")
	}
}

// Old messages go by retention, which counts them before and writes down how many
// went; the sweep, which doors call every hour, leaves them to it.
func TestOldMessagesGoByRetention(t *testing.T) {
	o := withMail(t, mailtest.Options{})
	o.Set("retention.outbox_days", "7")
	m := queue(t, o.Place, coretest.Console(), core.ServiceMail, "mara@example.org")
	o.deliver(t)
	becomes(t, o.Place, m.ID, core.MessageSent)
	o.stop()
	o.Clock.Advance(6 * day)
	if _, got, err := o.Retention.Daily(ctx); err != nil || got.Messages != 0 {
		t.Errorf("too early: %+v %v", got, err)
	}
	o.Clock.Advance(2 * day)
	want := must(o.Retention.Preview(ctx, coretest.Console(), nil))(t)
	must(o.Sweep(ctx, o.Clock.Now()))(t)
	ran, got, err := o.Retention.Daily(ctx)
	if err != nil || !ran || want.Messages != 1 || got != want {
		t.Errorf("announced %+v, gone %+v %v", want, got, err)
	}
	if e := newest(t, o.Place, core.ActRetention); e.After["messages"] != "1" || e.Actor != core.ActorSystem {
		t.Errorf("the entry is %+v", e)
	}
	_, err = o.Messages.Show(ctx, coretest.Console(), m.ID)
	refused(t, err, core.CodeNotFound, "message")
}

// A message that nobody ever carried gives its place in the allowance back when it goes.
func TestAMessageThatGoesUnsentCostsNothing(t *testing.T) {
	p := coretest.Open(t)
	p.Set("retention.outbox_days", "1")
	queue(t, p, coretest.Console(), core.ServiceMail, "mara@example.org")
	queued := func() int {
		for _, u := range must(p.Messages.Use(ctx, coretest.Console()))(t) {
			if u.Service == core.ServiceMail {
				return u.Queued
			}
		}
		return -1
	}
	before := queued()
	p.Clock.Advance(2 * day)
	if got := must(p.Retention.Run(ctx, coretest.Console(), nil))(t); got.Messages != before || before < 1 {
		t.Errorf("%d were queued, gone %+v", before, got)
	}
	if n := queued(); n != 0 {
		t.Errorf("%d are still counted as queued", n)
	}
}

// A door that closes writes down what it has sent.
func TestDeliveryEndsWithItsDoor(t *testing.T) {
	o := withMail(t, mailtest.Options{Slow: 20 * time.Millisecond})
	for i := range 30 {
		queue(t, o.Place, coretest.Console(), core.ServiceMail, fmt.Sprintf("a%d@example.org", i))
	}
	o.deliver(t)
	o.server.Wait(t, 3)
	o.stop()
	sent := 0
	for _, m := range o.Outbox() {
		if m.State == core.MessageSent {
			sent++
		}
	}
	if came := len(o.server.Messages()); sent > came || came-sent > 1 {
		t.Errorf("%d came and %d are known as sent", came, sent)
	}
}

var errDown = errors.New("down")

// failing is a provider of which nothing is known but that it fails.
type failing struct{}

func (failing) Send(context.Context, sms.Message) error { return errDown }

func TestAnUnknownFailureIsTriedAgain(t *testing.T) {
	p := coretest.Open(t, coretest.WithProviders(nil, failing{}))
	p.Set("messages.sms_allowance", "100")
	deliver(t, p)
	m := queue(t, p, coretest.Console(), core.ServiceSMS, "+15005550002")
	eventually(t, "a try", func() bool { return stateOf(t, p, m.ID).Tries == 1 })
	if now := stateOf(t, p, m.ID); now.State != core.MessageQueued || now.Problem == "" {
		t.Errorf("%+v", now)
	}
}
