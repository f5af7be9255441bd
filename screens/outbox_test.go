package screens

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/core/mail/mailtest"
	"postern/tui/tuitest"
)

// isDead and tried are where a message stands.
func isDead(m core.Message) bool { return m.State == core.MessageDead }
func isSent(m core.Message) bool { return m.State == core.MessageSent }
func tried(m core.Message) bool  { return m.Tries > 0 && m.State == core.MessageQueued }

// mixed is an office whose outbox has a message of every state: one sent, one
// given up, one that could not be handed over yet and one that waits with it.
func mixed(t testing.TB) *office {
	t.Helper()
	o := newOffice(t)
	o.set(t, "messages.mail_allowance", "5")
	stop := o.deliver(t)
	sent := o.write(t, core.ServiceMail, "ada@example.org")
	o.becomes(t, sent.ID, "sent", isSent)
	o.clock.Advance(time.Minute)
	dead := o.write(t, core.ServiceMail, "grace@nowhere.example")
	o.becomes(t, dead.ID, "given up", isDead)
	o.clock.Advance(time.Minute)
	o.server.Stop()
	waits := o.write(t, core.ServiceMail, "mara@example.org")
	o.becomes(t, waits.ID, "tried", tried)
	stop()
	o.clock.Advance(10 * time.Second)
	ada := o.signUp(t, "ada", otherPassword)
	if _, err := o.Factors.BeginAddress(t.Context(), as(ada)); err != nil {
		t.Fatal(err)
	}
	o.clock.Advance(15 * time.Second)
	return o
}

// outboxOf is the owner at the outbox.
func (p *place) outboxOf(t testing.TB, opts ...tuitest.Option) (*tuitest.Terminal, *Env) {
	t.Helper()
	e := p.env(t, opts...)
	return p.at(t, e, p.owner, NewOutbox), e
}

func TestTheOutboxSaysWhereEveryMessageStands(t *testing.T) {
	t.Parallel()
	o := mixed(t)
	v, _ := o.outboxOf(t)
	v.WaitFor("4 messages. That is all.")
	for _, want := range []string{
		"15 s ago ada@example.org Code for an address · queued", "25 s ago mara@example.org Test · queued",
		"1 min ago grace@nowhere.example Test ✗ given up", "2 min ago ada@example.org Test ✓ sent",
	} {
		if !strings.Contains(flat(v.Text()), want) {
			t.Errorf("it does not say %q:\n%s", want, v.Text())
		}
	}
	v.Press("down").Contains("Tries", "Next try", "just now", "the service cannot be reached").
		Press("down").Contains("it was refused", "22 Nov 2026, 12:01 UTC")
	v.Press("f").WaitFor("● queued").WaitFor("2 messages.").Lacks("✓ sent", "✗ given up")
	v.Press("f").WaitFor("● sent").WaitFor("1 message.").Lacks("mara@")
	v.Press("f").WaitFor("● given up").WaitFor("grace@").Lacks("mara@")
	v.Press("f").WaitFor("● all").WaitFor("4 messages.")
	v.Press("esc").WaitFor("Security check-up")
}

// gauges are the lines of the allowances.
func gauges(s *outbox) []string {
	return strings.Split(plainText(s.above()), "\n")[:len(s.uses)]
}

func TestTheAllowanceIsAGaugeWithNumbers(t *testing.T) {
	t.Parallel()
	e := newPost(t, nil).env(t)
	s := NewOutbox(e).(*outbox)
	s.SetSize(76, 19)
	for _, tt := range []struct {
		sent, queued, allowance int
		want                    string
	}{
		{0, 0, 1000, "▱▱▱▱▱▱▱▱▱▱▱▱▱▱▱▱▱▱▱▱▱▱▱▱  0 of 1,000 this month, 0 %"},
		{400, 100, 1000, "▰▰▰▰▰▰▰▰▰▰▰▰▱▱▱▱▱▱▱▱▱▱▱▱  500 of 1,000 this month, 50 %"},
		{799, 0, 1000, "▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▱▱▱▱▱  799 of 1,000 this month, 79 %"},
		{800, 0, 1000, "▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▱▱▱▱▱  ! 800 of 1,000 this month, 80 %"},
		{1000, 0, 1000, "▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰  ! 1,000 of 1,000 this month, 100 %, used up"},
		{9, 0, 5, "▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰▰  ! 9 of 5 this month, 180 %, used up"}, // it was lowered meanwhile
		{3, 0, 0, "none: the policy allows no messages of this kind"},
	} {
		s.uses = []core.Use{{Service: core.ServiceMail, Sent: tt.sent, Queued: tt.queued, Allowance: tt.allowance, Provider: true}}
		if got := gauges(s)[0]; got != "e-mail  "+tt.want {
			t.Errorf("%d of %d: %q", tt.sent+tt.queued, tt.allowance, got)
		}
	}
	s.uses = append(s.uses, core.Use{Service: core.ServiceSMS, Sent: 999999, Allowance: 1000000, Provider: true})
	s.SetSize(56, 16)
	if got := gauges(s)[1]; got != "SMS     ▰▰▰▰▰▰▱  ! 999,999 of 1,000,000 this month, 99 %" {
		t.Errorf("in little room: %q", got)
	}
}

func TestAMessageIsOpenedKnowinglyAndThatIsWrittenDown(t *testing.T) {
	t.Parallel()
	o := newPost(t, nil)
	ada := o.signUp(t, "ada", otherPassword)
	if _, err := o.Factors.BeginAddress(t.Context(), as(ada)); err != nil {
		t.Fatal(err)
	}
	v, _ := o.outboxOf(t)
	v.Press("enter").WaitFor("› Code for an address")
	waitToRead(v, "It was written for a code, and may still hold it. Its text has not been opened yet. Whoever opens it is written down in the trail.")
	v.Lacks("With this code").Press("esc").WaitFor("1 message.")
	if n := o.acts(t, "ada", core.ActMessageRead, core.OutcomeDone); n != 0 {
		t.Errorf("looking at the list was written down %d times", n)
	}
	v.Press("enter").WaitFor("› Code for an address").Press("enter").WaitFor("Confirm your e-mail address at Lanterns")
	v.Contains("It holds for 10 minutes")
	if n := o.acts(t, "ada", core.ActMessageRead, core.OutcomeDone); n != 1 {
		t.Errorf("reading was written down %d times", n)
	}
	code := o.sentCode(t)
	v.Contains(code)
	l := v.Router().Top().(*letter)
	v.Press("esc").WaitFor("1 message.")
	if strings.Contains(fmt.Sprintf("%+v", l.reading), code) {
		t.Error("the code stays in a page that was left")
	}
	if text := v.Press("enter").WaitFor("› Code for an address").Text(); strings.Contains(text, code) {
		t.Errorf("the code is shown without being asked for:\n%s", text)
	}
}

// With a provider a code is its person's alone; when it has left, it is forgotten.
func TestCodesThatAreCarriedAreNotShown(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ada := o.signUp(t, "ada", otherPassword)
	if _, err := o.Factors.BeginAddress(t.Context(), as(ada)); err != nil {
		t.Fatal(err)
	}
	v, _ := o.outboxOf(t)
	v.Press("enter", "enter").WaitFor("Confirm your e-mail address at Lanterns")
	waitToRead(v, "The code is hidden: there is a provider that carries it to its person, and nobody else needs it.")
	v.Contains("······").Press("esc").WaitFor("1 message.")
	o.deliver(t)
	got := o.server.Wait(t, 1)
	o.becomes(t, o.newest(t).ID, "sent", isSent)
	v.Press("r").WaitFor("✓ sent")
	v.Press("enter", "enter").WaitFor("Confirm your e-mail address at Lanterns")
	waitToRead(v, "The code is no longer here: it is forgotten as soon as the message has left or was given up.")
	code := ""
	for _, line := range strings.Split(got[0].Text, "\n") {
		if line = strings.TrimSpace(line); len(line) == 6 && strings.Trim(line, "0123456789") == "" {
			code = line
		}
	}
	if code == "" || strings.Contains(v.Text(), code) {
		t.Errorf("%q of %q on\n%s", code, got[0].Text, v.Text())
	}
}

func TestWhatWasGivenUpIsTriedAgain(t *testing.T) {
	t.Parallel()
	o := mixed(t)
	v, e := o.outboxOf(t)
	v.WaitFor("4 messages.").Press("t").WaitFor("Only what was given up can be tried again.")
	dead := o.newest(t, core.MessageDead)
	o.server.Start(t)
	o.server.Change(func(c *mailtest.Options) { c.RefuseRecipient = nil })
	v.Press("f", "f", "f").WaitFor("● given up").WaitFor("grace@").Press("t").WaitFor("It waits to be sent again.")
	v.WaitFor(e.T("outbox.empty_state")).Press("f").WaitFor("4 messages.").Lacks("given up  ")
	o.deliver(t)
	o.becomes(t, dead.ID, "sent", isSent)
	v.Press("r").WaitUntil("it is sent", func(string) bool { return strings.Contains(lineOf(t, v, "grace@"), "✓ sent") })
	if n := o.acts(t, "", core.ActMessageRetry, core.OutcomeDone); n != 1 {
		t.Errorf("the trail has %d new tries", n)
	}
}

// What held a code is over with it; whoever needs one asks for a new one.
func TestACodeThatWasGivenUpIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	ada := o.signUp(t, "ada", otherPassword)
	if _, err := o.Factors.BeginAddress(t.Context(), as(ada)); err != nil {
		t.Fatal(err)
	}
	o.clock.Advance(core.SentCodeFor)
	o.deliver(t)
	o.becomes(t, o.newest(t).ID, "given up", isDead)
	v, _ := o.outboxOf(t)
	v.WaitFor("✗ given up")
	v.Contains("its time was over before it left").Press("t").WaitFor("Its code is over.")
	v.Press("enter", "enter").WaitFor("Confirm your e-mail")
	waitToRead(v, "The code is no longer here")
}

func TestATestIsSentAndFollowed(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	v, e := o.outboxOf(t)
	waitToRead(v, e.T("outbox.empty"))
	v.Press("T").WaitFor("Send a test").Press("tab").Type("nobody at home").Press("enter").WaitFor("This is not an e-mail address.")
	v.Press("ctrl+u").Type("grace@nowhere.example").Press("enter").WaitFor("The test is queued.")
	v.WaitFor("Test to grace@nowhere.example: · queued").Contains("1 message.")
	o.deliver(t)
	o.becomes(t, o.newest(t).ID, "given up", isDead)
	v.Press("r").WaitFor("Test to grace@nowhere.example: ✗ given up: it was refused")
	if n := o.acts(t, "lin", core.ActMessageTest, core.OutcomeDone); n != 1 {
		t.Errorf("the trail has %d tests", n)
	}
	v.Press("T").WaitFor("Send a test").Press("esc").WaitFor("1 message.")
}

// A number needs its country; a service without an allowance sends nothing.
func TestATestBySMS(t *testing.T) {
	t.Parallel()
	o := newPost(t, nil)
	v, e := o.outboxOf(t)
	v.Press("T").WaitFor("Send a test").Press("right", "tab").Type("0171 123").Press("enter").WaitFor(e.T("outbox.no_number"))
	waitToRead(v, e.T("outbox.no_provider", "Services", "SMS"))
	v.Press("ctrl+u").Type("+44 20 7946 0018").Press("enter").WaitFor("This month's messages of this service are used up.")
	o.set(t, "messages.sms_allowance", "5")
	v.Press("tab", "enter").WaitFor("Test to +442079460018: · queued")
	v.Contains("1 of 5 this month, 20 %").Press("enter", "enter").WaitFor("Lanterns: a test. Text messages arrive.")
}

// ASVS 8.2.1: without the permission nothing is seen, and a demonstration shows
// everything to a stranger but acts for none.
func TestWhoSeesTheOutbox(t *testing.T) {
	t.Parallel()
	p := newPost(t, nil)
	ada := p.signUp(t, "ada", otherPassword)
	waitToRead(p.at(t, p.env(t), ada, NewOutbox), "This is not yours to do.")
	waitToRead(p.on(t, p.env(t), NewOutbox), "This is not yours to do.")

	p = newPost(t, func(c *core.Config) { c.OpenOutbox = true })
	ada = p.signUp(t, "ada", otherPassword)
	if _, err := p.Factors.BeginAddress(t.Context(), as(ada)); err != nil {
		t.Fatal(err)
	}
	v := p.on(t, p.env(t), NewOutbox).WaitFor("1 message.")
	waitToRead(v, "No provider for e-mail: messages stay here to be read.")
	v.Press("t", "T").Lacks("Send a test", "send a test")
	v.Press("enter", "enter").WaitFor("Confirm your e-mail address at Lanterns").Contains(p.sentCode(t))
	v.Press("esc", "esc").WaitFor("Welcome to Lanterns")

	w := p.at(t, p.env(t), ada, NewOutbox).WaitFor("1 message.")
	w.Press("T").WaitFor("Send a test").Press("tab").Type("ada@example.org").Press("enter")
	waitToRead(w, "This is not yours to do.")
}
