// The outbox: every message that leaves the portal is a record first, written in
// the transaction of the act that it is about. deliver.go hands it over;
// allowance.go counts it. Without a provider it stays here, to be read.

package core

import (
	"context"
	"maps"
	"time"

	"postern/core/mail"
	"postern/core/sms"
	"postern/store"
)

// Service is a way for messages to leave.
type Service string

// The services.
const (
	ServiceMail Service = "mail"
	ServiceSMS  Service = "sms"
)

// Services returns all of them.
func Services() []Service { return []Service{ServiceMail, ServiceSMS} }

// MessageKind says what a message is about; the Writer has the words.
type MessageKind string

// The messages that are no notices. A notice's message has the notice's kind.
const (
	MessageSignInCode  MessageKind = "code_sign_in" // a code to sign in or step up with
	MessageEnrolCode   MessageKind = "code_enrol"   // a code that confirms an address as a factor
	MessageAddressCode MessageKind = "code_address" // a code that confirms an e-mail address
	MessageTest        MessageKind = "test"
	MessageFarewell    MessageKind = "farewell" // the receipt of a deletion
)

// MessageState is where a message stands.
type MessageState string

// The states of a message.
const (
	MessageQueued MessageState = "queued" // waits to be handed over, perhaps again
	MessageSent   MessageState = "sent"   // the provider took it
	MessageDead   MessageState = "dead"   // given up; Problem says why
)

// Message is one message of the outbox.
type Message struct {
	ID       string            `json:"id"` // ULID; messages ascend
	Account  string            `json:"account,omitempty"`
	Service  Service           `json:"service"`
	To       string            `json:"to"`
	Kind     MessageKind       `json:"kind"`
	Language string            `json:"language,omitempty"`
	Zone     string            `json:"zone,omitempty"`
	Args     map[string]string `json:"args,omitempty"`
	Code     string            `json:"code,omitempty"` // a one-time code; forgotten when the message is sent or given up
	State    MessageState      `json:"state"`
	Month    string            `json:"month"`          // whose allowance it counts in
	Until    time.Time         `json:"until,omitzero"` // not worth sending after this
	Created  time.Time         `json:"created"`
	Done     time.Time         `json:"done,omitzero"` // when it was sent or given up
	Next     time.Time         `json:"next,omitzero"` // not before
	Tries    int               `json:"tries,omitempty"`
	Problem  string            `json:"problem,omitempty"` // of the last try: "unreachable", "refused", "expired", …

	// About is somebody else whom it names, and with whose account it goes.
	About string `json:"about,omitempty"`
	// Once says that it is forgotten as soon as it is sent or given up: its person
	// has no account any more.
	Once bool `json:"once,omitempty"`
}

// messages is kept under inverted ids: a page begins with the newest. The queue
// goes the other way, by service, and begins with what has waited longest.
var messages = store.NewTable("message", 1,
	store.Index[Message]{Name: "queued", Keys: func(m Message) []string {
		if m.State != MessageQueued {
			return nil
		}
		return []string{string(m.Service) + "/" + m.ID}
	}},
	store.Index[Message]{Name: "dead", Keys: func(m Message) []string {
		if m.State != MessageDead {
			return nil
		}
		return []string{string(m.Service)}
	}},
	store.Index[Message]{Name: "account", Keys: func(m Message) []string { return keyIf(m.Account) }},
	store.Index[Message]{Name: "about", Keys: func(m Message) []string { return keyIf(m.About) }})

// message reads one by its id.
func (t *txn) message(id string) (Message, error) {
	if inverted := invert(id); inverted != "" {
		return messages.Get(t, inverted)
	}
	return Message{}, store.ErrNotFound
}

func (t *txn) putMessage(m Message) error { return messages.Put(t, invert(m.ID), m) }

// Wording is what a message or a notice is to say.
type Wording struct {
	Kind     MessageKind
	Service  Service // "" in the inbox
	Portal   string
	Language string // BCP 47, "" for the portal's own
	Zone     string // IANA name, "" for UTC
	Args     map[string]string
	Code     string
}

// Text is a message in words. Body is plain text, its paragraphs parted by empty lines.
type Text struct{ Subject, Body string }

// Writer says messages in a person's language. Args are foreign: it escapes them.
type Writer interface{ Write(Wording) Text }

// bareWriter is for a core without words: kinds and codes, for tests.
type bareWriter struct{}

func (bareWriter) Write(w Wording) Text {
	if w.Code == "" {
		return Text{Subject: string(w.Kind), Body: string(w.Kind)}
	}
	return Text{Subject: string(w.Kind), Body: w.Code}
}

// outgoing is a message to be put into the outbox.
type outgoing struct {
	account Account // whose language it is in; ID "" for nobody's
	service Service
	to      string
	kind    MessageKind
	args    map[string]string
	code    string
	until   time.Time
	about   string
	once    bool
}

// enqueue puts a message into the outbox and takes it from the allowance.
// CodeAllowance when that is used up.
func (t *txn) enqueue(o outgoing) (Message, error) {
	month, err := t.reserve(o.service)
	if err != nil {
		return Message{}, err
	}
	id, err := t.base.ids.new(t.now)
	if err != nil {
		return Message{}, err
	}
	m := Message{
		ID: id, Account: o.account.ID, Service: o.service, To: o.to, Kind: o.kind, Language: o.account.Language,
		Zone: o.account.TimeZone, Args: o.args, Code: o.code, State: MessageQueued, Month: month,
		Until: o.until, Created: t.now, About: o.about, Once: o.once,
	}
	return m, messages.Insert(t, invert(id), m)
}

// closed returns a message as sent or given up. Its code is forgotten: nobody
// needs it any more.
func (m Message) closed(state MessageState, problem string, now time.Time) Message {
	m.State, m.Problem, m.Done, m.Next, m.Code = state, problem, now, time.Time{}, ""
	return m
}

// dropMessage removes a message by its key. One that still waited is not sent, and
// so costs nothing.
func (t *txn) dropMessage(key string, m Message) error {
	if m.State == MessageQueued {
		if err := t.settle(m.Service, m.Month, 0, 1); err != nil {
			return err
		}
	}
	return messages.Delete(t, key)
}

// Messages reads the outbox and steers it.
type Messages struct{ *base }

// MessagePage is a page of the outbox, newest first; Next continues it.
type MessagePage struct {
	Messages []Message // without their codes
	Next     string
}

// mayMessages lets those in who run the messages; in a demonstration, everybody.
func (t *txn) mayMessages() error {
	if t.base.openOutbox {
		return nil
	}
	return t.may(OpMessages, "")
}

// List returns a page of the outbox, newest first; those that are queued by
// service, and what has waited longest first. state may be "" for all of them; a
// page may be shorter than n though there is more. Codes are left out: only Read
// shows one. CodeDenied, CodeFormat (field "state").
func (s *Messages) List(ctx context.Context, actor Actor, state MessageState, after string, n int) (MessagePage, error) {
	var page MessagePage
	err := s.read(ctx, actor, func(t *txn) error {
		if err := t.mayMessages(); err != nil {
			return err
		}
		n := pageSize(n)
		var rows []store.Row[Message]
		var err error
		switch state {
		case "", MessageSent:
			rows, err = messages.Page(t, after, n)
		case MessageQueued:
			rows, err = messages.PageBy(t, "queued", "", after, n)
		case MessageDead:
			rows, err = messages.PageBy(t, "dead", "", after, n)
		default:
			return refuseField(CodeFormat, "state")
		}
		for _, r := range rows {
			if state != "" && r.Value.State != state {
				continue
			}
			r.Value.Code = ""
			page.Messages = append(page.Messages, r.Value)
		}
		if len(rows) == n {
			page.Next = rows[n-1].Cursor
		}
		return err
	})
	return page, err
}

// Reading is one message in full.
type Reading struct {
	Message
	Text
	// Hidden says that it holds a code that is not shown, since a provider is
	// there to carry it to its person.
	Hidden bool
}

// Read returns a message in words, and writes down who read it: it may hold a
// code. With a provider for its service the code is not shown. CodeDenied,
// CodeNotFound.
func (s *Messages) Read(ctx context.Context, actor Actor, id string) (Reading, error) {
	var out Reading
	err := s.do(ctx, actor, ActMessageRead, "", func(t *txn) error {
		if err := t.mayMessages(); err != nil {
			return err
		}
		m, err := t.message(id)
		if err != nil {
			return notFound(err, "message")
		}
		t.entry.Target, t.entry.About = id, m.Account
		out = Reading{Message: m}
		if m.Code != "" && s.carries(m.Service) {
			out.Hidden, m.Code = true, "······"
		}
		out.Text = s.writer.Write(m.wording(t.site.Name))
		out.Message.Code = ""
		return nil
	})
	return out, err
}

func (m Message) wording(portal string) Wording {
	return Wording{Kind: m.Kind, Service: m.Service, Portal: portal, Language: m.Language, Zone: m.Zone, Args: maps.Clone(m.Args), Code: m.Code}
}

// Retry queues a message that was given up, to be sent at once. It counts in
// this month's allowance. CodeDenied, CodeNotFound, CodeAllowance; CodeConflict
// for one that is not given up, or held a code that is long over.
func (s *Messages) Retry(ctx context.Context, actor Actor, id string) error {
	return s.do(ctx, actor, ActMessageRetry, "", func(t *txn) error {
		if err := t.may(OpMessages, ""); err != nil {
			return err
		}
		m, err := t.message(id)
		if err != nil {
			return notFound(err, "message")
		}
		t.entry.Target, t.entry.About = id, m.Account
		if m.State != MessageDead || !m.Until.IsZero() {
			return refuse(CodeConflict)
		}
		if m.Month, err = t.reserve(m.Service); err != nil {
			return err
		}
		m.State, m.Problem, m.Tries, m.Done, m.Created = MessageQueued, "", 0, time.Time{}, t.now
		return t.putMessage(m)
	})
}

// Test queues a message that says that messages arrive, to an address or a
// number. CodeDenied, CodeFormat (field "to"), CodeAllowance.
func (s *Messages) Test(ctx context.Context, actor Actor, service Service, to string) (Message, error) {
	var m Message
	err := s.do(ctx, actor, ActMessageTest, "", func(t *txn) error {
		if err := t.may(OpMessages, ""); err != nil {
			return err
		}
		clean, err := cleanRecipient(service, to)
		if err != nil {
			return err
		}
		var me Account
		if actor.Account != "" {
			if me, err = accounts.Get(t, actor.Account); err != nil {
				return err
			}
		}
		t.entry.After = map[string]string{"service": string(service)}
		m, err = t.enqueue(outgoing{account: me, service: service, to: clean, kind: MessageTest})
		t.entry.Target = m.ID
		return err
	})
	return m, err
}

// Show returns a message as it stands, without words and code.
func (s *Messages) Show(ctx context.Context, actor Actor, id string) (Message, error) {
	var m Message
	err := s.read(ctx, actor, func(t *txn) (err error) {
		if err := t.mayMessages(); err != nil {
			return err
		}
		m, err = t.message(id)
		if err != nil {
			return notFound(err, "message")
		}
		m.Code = ""
		return nil
	})
	return m, err
}

// cleanRecipient validates where a message goes.
func cleanRecipient(service Service, to string) (string, error) {
	switch service {
	case ServiceMail:
		addr, err := cleanEmail(to, true)
		if err != nil {
			return "", refuseField(CodeFormat, "to")
		}
		return addr, nil
	case ServiceSMS:
		number, err := sms.Number(to)
		if err != nil {
			return "", refuseField(CodeFormat, "to")
		}
		return number, nil
	}
	return "", refuseField(CodeFormat, "service")
}

// Mailer hands mail over, in order; core/mail.Sender is the real one.
type Mailer interface {
	Send(ctx context.Context, messages []mail.Message) []mail.Result
}

// Texter hands a text message over; those of core/sms are the real ones.
type Texter interface {
	Send(ctx context.Context, m sms.Message) error
}

// carries says whether there is a provider for a service.
func (b *base) carries(service Service) bool {
	if service == ServiceMail {
		return b.mailer != nil
	}
	return b.texter != nil
}

// Providers says for which services there is a provider.
func (s *Messages) Providers() []Service {
	var out []Service
	for _, service := range Services() {
		if s.carries(service) {
			out = append(out, service)
		}
	}
	return out
}
