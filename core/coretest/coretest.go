package coretest

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/core/password"
	"postern/core/script"
	"postern/core/signature"
	"postern/store"
	"postern/store/bolt"
	"postern/store/memory"

	"golang.org/x/crypto/ssh"
)

// Start is what the clock of a new Place shows.
var Start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// Password is what everybody's password is who was not told otherwise. It
// passes the rules of every preset.
const Password = "Glacier-Umbrella-59-Tango"

// Place is a portal with what stands beneath it.
type Place struct {
	*core.Portal
	Clock *Clock
	DB    store.Store // as the core sees it
	Owner core.Actor  // whoever set the portal up, signed in

	t testing.TB
}

// Option changes what New builds.
type Option func(t testing.TB, c *core.Config)

// WithStore puts the portal on db, which stays the caller's to close.
func WithStore(db store.Store) Option {
	return func(_ testing.TB, c *core.Config) { c.Store = db }
}

// OnDisk puts the portal on a database file, sealed and synced.
func OnDisk() Option {
	return func(t testing.TB, c *core.Config) {
		db, err := bolt.Open(context.Background(), bolt.Options{Dir: filepath.Join(t.TempDir(), "data"), Command: "test"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		c.Store = db
	}
}

// WithHasher hashes for real.
func WithHasher(h *password.Hasher) Option {
	return func(_ testing.TB, c *core.Config) { c.Hasher = h }
}

// WithLog writes the operator's log.
func WithLog(l *slog.Logger) Option {
	return func(_ testing.TB, c *core.Config) { c.Log = l }
}

// WithClock sets the clock; a portal opened again on the same store keeps its time.
func WithClock(clock *Clock) Option {
	return func(_ testing.TB, c *core.Config) { c.Clock = clock }
}

// WithProviders hands messages over; either may be nil.
func WithProviders(m core.Mailer, t core.Texter) Option {
	return func(_ testing.TB, c *core.Config) { c.Mail, c.Text = m, t }
}

// WithAnalysis runs scripts and posts what they ask for; either may be nil.
func WithAnalysis(a core.Analyst, p core.Poster) Option {
	return func(_ testing.TB, c *core.Config) { c.Analyst, c.Poster = a, p }
}

// InProcess runs scripts by the real interpreter, but in this very process: for
// tests that are not about the child.
type InProcess struct{}

var _ core.Analyst = InProcess{}

// Run implements core.Analyst.
func (InProcess) Run(_ context.Context, in script.Input, limits script.Limits) script.Result {
	var log strings.Builder
	r := script.Evaluate(in, limits, func(s string) { log.WriteString(s + "\n") })
	r.Log = log.String()
	return r
}

// CheapHasher returns a hasher that costs next to nothing.
func CheapHasher(t testing.TB) *password.Hasher {
	t.Helper()
	h, err := password.NewInsecureHasher(password.CheapParams(), 2)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// New opens a portal that is not set up: on a sealed store in memory, with a
// cheap hasher and a Clock that shows Start, unless options say otherwise. It is
// closed when the test ends.
func New(t testing.TB, options ...Option) *Place {
	t.Helper()
	var c core.Config
	for _, o := range options {
		o(t, &c)
	}
	if c.Hasher == nil {
		c.Hasher = CheapHasher(t)
	}
	if c.Clock == nil {
		c.Clock = NewClock(Start)
	}
	if c.Store == nil {
		keys, err := store.NewKeyset(nil)
		if err != nil {
			t.Fatal(err)
		}
		db := store.Seal(memory.New(), keys)
		t.Cleanup(func() { _ = db.Close() })
		c.Store = db
	}
	if c.Analyst == nil {
		c.Analyst = InProcess{}
	}
	if c.Signer == nil {
		c.Signer = HostKey(t)
	}
	portal, err := core.New(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(portal.Close)
	p := &Place{Portal: portal, DB: c.Store, t: t}
	p.Clock, _ = c.Clock.(*Clock)
	return p
}

// Open is New with a portal that "lin" has set up under the recommended policy,
// open to everybody who wants to sign up, and without captchas.
func Open(t testing.TB, options ...Option) *Place {
	t.Helper()
	p := New(t, options...)
	p.SetUp("lin")
	p.LetIn()
	return p
}

// LetIn opens a portal to everybody, without captchas, and changes what else is
// given as Set does.
func (p *Place) LetIn(values ...string) {
	p.t.Helper()
	p.Set(append([]string{"sign_up.mode", "open", "captcha.sign_in", "off", "captcha.sign_up", "off"}, values...)...)
}

// Local is somebody at the machine's own terminal.
func Local() core.Actor { return core.Actor{Door: core.DoorLocal, Client: "test"} }

// From is a stranger who comes by SSH from an address.
func From(remote string) core.Actor {
	return core.Actor{Door: core.DoorSSH, Remote: remote, Client: "SSH-2.0-test"}
}

// Console is the machine's own operator.
func Console() core.Actor { return core.ConsoleActor("root") }

// SetUp sets the portal up with its first owner, who becomes Owner.
func (p *Place) SetUp(owner string) core.Actor {
	p.t.Helper()
	in, err := p.Site.SetUp(context.Background(), Local(), core.SetUpInput{
		Portal: "Lanterns", Owner: Input(owner),
	})
	if err != nil {
		p.t.Fatal(err)
	}
	p.Owner = Local().With(in)
	return p.Owner
}

// Input is a sign-up with everything in order: its e-mail address is NAME@example.org.
func Input(name string) core.SignUpInput {
	return core.SignUpInput{UserName: name, DisplayName: name, Email: name + "@example.org", Password: Password}
}

// SignUp makes an account in a portal that is open, and returns it signed in.
func (p *Place) SignUp(name string) core.Actor {
	p.t.Helper()
	out, err := p.Accounts.SignUp(context.Background(), Local(), Input(name))
	if err != nil {
		p.t.Fatalf("%s signs up: %v", name, err)
	}
	if out.Pending {
		return core.Actor{}
	}
	return Local().With(out.SignedIn)
}

// SignIn signs an account in with Password, from the machine itself.
func (p *Place) SignIn(name string) core.Actor {
	p.t.Helper()
	in, err := p.TrySignIn(Local(), name, Password)
	if err != nil {
		p.t.Fatalf("%s signs in: %v", name, err)
	}
	return Local().With(in)
}

// ErrStep says that a sign-in asked for a further step.
var ErrStep = errors.New("coretest: another step comes first")

// TrySignIn signs in as actor. The error is the core's, or ErrStep.
func (p *Place) TrySignIn(actor core.Actor, name, pw string) (core.SignedIn, error) {
	progress, err := p.Portal.SignIn.Password(context.Background(), actor, name, pw)
	if err == nil && progress.Step != core.StepDone {
		err = fmt.Errorf("%w: %s", ErrStep, progress.Step)
	}
	return progress.SignedIn, err
}

// Set changes settings of the policy from the console: path, value, path, value.
// They may be what they are already.
func (p *Place) Set(values ...string) {
	p.t.Helper()
	m := map[string]string{}
	for i := 0; i+1 < len(values); i += 2 {
		m[values[i]] = values[i+1]
	}
	if _, err := p.Policy.Set(context.Background(), Console(), core.PolicyChange{Values: m, Reason: "test"}); err != nil && core.CodeOf(err) != core.CodeUnchanged {
		p.t.Fatalf("policy %v: %v", m, err)
	}
}

// Trail returns the whole trail, newest first.
func (p *Place) Trail() []core.Entry {
	p.t.Helper()
	var all []core.Entry
	for after := ""; ; {
		page, err := p.Audit.List(context.Background(), Console(), "", after, core.MaxPage)
		if err != nil {
			p.t.Fatal(err)
		}
		all = append(all, page.Entries...)
		if after = page.Next; after == "" {
			return all
		}
	}
}

// Dump returns everything stored, as the core wrote it: keys and values in clear.
func (p *Place) Dump() map[string]string { return Dump(p.t, p.DB) }

// Dump returns everything in a store.
func Dump(t testing.TB, db store.Store) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := db.View(context.Background(), func(tx store.Tx) error {
		for after := []byte(nil); ; {
			pairs, err := tx.Scan(nil, after, 1000)
			if err != nil {
				return err
			}
			for _, kv := range pairs {
				all[string(kv.Key)] = string(kv.Value)
				after = kv.Key
			}
			if len(pairs) < 1000 {
				return nil
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// ConfirmEmail confirms the account's own address with the code that was sent.
func (p *Place) ConfirmEmail(actor core.Actor) {
	p.t.Helper()
	ctx := context.Background()
	e, err := p.Factors.BeginAddress(ctx, actor)
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.Factors.Confirm(ctx, actor, "", e.ID, p.LastCode(), ""); err != nil {
		p.t.Fatal(err)
	}
}

// LastCode returns the code in the newest message of the outbox that holds one. It
// is read where it is stored: with a provider nobody is shown it.
func (p *Place) LastCode() string {
	p.t.Helper()
	code, newest := "", ""
	for key, record := range p.Dump() {
		var kept struct {
			Record core.Message `json:"r"`
		}
		if !strings.HasPrefix(key, "message") || json.Unmarshal([]byte(record), &kept) != nil {
			continue
		}
		if m := kept.Record; m.Code != "" && m.ID > newest {
			code, newest = m.Code, m.ID
		}
	}
	if code == "" {
		p.t.Fatal("no message holds a code")
	}
	return code
}

// Outbox returns the whole outbox, newest first.
func (p *Place) Outbox() []core.Message {
	p.t.Helper()
	var all []core.Message
	for after := ""; ; {
		page, err := p.Messages.List(context.Background(), Console(), "", after, core.MaxPage)
		if err != nil {
			p.t.Fatal(err)
		}
		all = append(all, page.Messages...)
		if after = page.Next; after == "" {
			return all
		}
	}
}

// HostKey is the key that every Place signs with.
func HostKey(t testing.TB) *signature.Signer {
	t.Helper()
	key, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed([]byte("the host key of the coretest room")[:ed25519.SeedSize]))
	if err != nil {
		t.Fatal(err)
	}
	return signature.New(key)
}
