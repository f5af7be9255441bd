package screens

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"postern/core"
	"postern/core/mail"
	"postern/core/mail/mailtest"
	"postern/core/password"
	"postern/store"
	"postern/store/memory"
	"postern/tui"
	"postern/tui/tuitest"
)

// newPost is newPlace with a portal that writes in words; with, when not nil,
// changes what it stands on.
func newPost(t testing.TB, with func(*core.Config)) *place {
	t.Helper()
	db := memory.New()
	hasher, err := password.NewInsecureHasher(password.CheapParams(), 2)
	if err != nil {
		t.Fatal(err)
	}
	clock := &testClock{now: tuitest.Now}
	c := core.Config{Store: db, Hasher: hasher, Clock: clock, Writer: Words{tuitest.NewSession(t).Catalog()}}
	if with != nil {
		with(&c)
	}
	portal, err := core.New(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		portal.Close()
		if err := db.Close(); err != nil && !errors.Is(err, store.ErrClosed) {
			t.Error(err)
		}
	})
	p := &place{Portal: portal, db: db, clock: clock}
	p.owner, err = p.Site.SetUp(context.Background(), core.Actor{Door: core.DoorLocal}, core.SetUpInput{
		Portal: "Lanterns", Preset: "nist",
		Owner: core.SignUpInput{UserName: "lin", DisplayName: "Lin Ahn", Email: "lin@example.org", Password: goodPassword},
	})
	if err != nil {
		t.Fatal(err)
	}
	p.letIn(t)
	return p
}

// at opens a screen above home, for the one that a session belongs to.
func (p *place) at(t testing.TB, e *Env, in core.SignedIn, above func(*Env) tui.Screen) *tuitest.Terminal {
	t.Helper()
	if _, err := First(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	m := e.enter(t.Context(), e.Actor(), in)
	if m.err != nil {
		t.Fatal(m.err)
	}
	e.adopt(m)
	v := tuitest.Open(t, e.Session, &opener{NewHome(e, m.checkUp), above(e)})
	return v.WaitUntil("it is open", func(string) bool { return v.Router().Depth() >= 2 }).Settle()
}

// somethingNew gives ada notices: a sign-in from elsewhere, a key, another password.
func (p *place) somethingNew(t testing.TB) core.SignedIn {
	t.Helper()
	ada := p.signUp(t, "ada", otherPassword)
	p.clock.Advance(time.Minute)
	p.signIn(t, elsewhere("203.0.113.9"), "ada", otherPassword)
	p.clock.Advance(time.Minute)
	keyed := as(ada)
	keyed.Key, keyed.KeyLine = testKey, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHaK"
	if err := p.Keys.Link(t.Context(), keyed, "work"); err != nil {
		t.Fatal(err)
	}
	p.clock.Advance(time.Minute)
	if _, err := p.Accounts.ChangePassword(t.Context(), as(ada), otherPassword, newestPassword, false); err != nil {
		t.Fatal(err)
	}
	p.clock.Advance(10 * time.Minute)
	return ada
}

// inboxOf returns the notices of an account, the newest first, in English.
func (p *place) inboxOf(t testing.TB, in core.SignedIn) core.NoticePage {
	t.Helper()
	page, err := p.Notices.Mine(t.Context(), as(in), "en", "", "", core.MaxPage)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// sentCode is the six digits of the newest message.
func (p *place) sentCode(t testing.TB) string {
	t.Helper()
	console := core.ConsoleActor("test")
	r, err := p.Messages.Read(t.Context(), console, p.newest(t).ID)
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile(`\b\d{6}\b`).FindString(r.Body)
	if code == "" {
		t.Fatalf("no code in %q", r.Body)
	}
	return code
}

// confirmEmail confirms the address of an account.
func (p *place) confirmEmail(t testing.TB, in core.SignedIn) {
	t.Helper()
	e, err := p.Factors.BeginAddress(t.Context(), as(in))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Factors.Confirm(t.Context(), as(in), "", e.ID, p.sentCode(t), ""); err != nil {
		t.Fatal(err)
	}
}

// office is a place whose mail goes to a real server of this machine.
type office struct {
	*place
	server *mailtest.Server
}

// newOffice returns one whose server refuses addresses at nowhere.example.
func newOffice(t testing.TB) *office {
	t.Helper()
	server := mailtest.New(t, mailtest.Options{RefuseRecipient: func(address string) *smtp.SMTPError {
		if strings.HasSuffix(address, "@nowhere.example") {
			return &smtp.SMTPError{Code: 550, Message: "no such person"}
		}
		return nil
	}})
	sender, err := mail.NewSender(mail.Config{
		Host: "127.0.0.1", Port: server.Port(), CA: server.CAFile(t), From: "portal@lanterns.example", Timeout: 5 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sender.Close() })
	return &office{newPost(t, func(c *core.Config) { c.Mail = sender }), server}
}

// deliver hands messages over until it is stopped or the test ends.
func (o *office) deliver(t testing.TB) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); o.Messages.Deliver(ctx) }()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(stop)
	return stop
}

// write queues a test message of the owner's.
func (p *place) write(t testing.TB, service core.Service, to string) core.Message {
	t.Helper()
	m, err := p.Messages.Test(t.Context(), as(p.owner), service, to)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// show is a message as it stands.
func (p *place) show(t testing.TB, id string) core.Message {
	t.Helper()
	m, err := p.Messages.Show(t.Context(), core.ConsoleActor("test"), id)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// becomes waits until a message stands as ok wants it.
func (p *place) becomes(t testing.TB, id, what string, ok func(core.Message) bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(p.show(t, id)); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until it is %s: %+v", what, p.show(t, id))
		}
	}
}

// newest is the message that was written last, of those in a state if one is named.
func (p *place) newest(t testing.TB, state ...core.MessageState) core.Message {
	t.Helper()
	page, err := p.Messages.List(t.Context(), core.ConsoleActor("test"), append(state, "")[0], "", 1)
	if err != nil || len(page.Messages) == 0 {
		t.Fatalf("no message: %v", err)
	}
	return page.Messages[0]
}
