package screens

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"postern/core"
	"postern/core/password"
	"postern/store"
	"postern/store/memory"
	"postern/tui"
	"postern/tui/tuitest"
)

// Passwords that the recommended policy accepts.
const (
	goodPassword  = "violet tram hums at dusk"
	otherPassword = "seven lamps under a quarry"
)

// testClock is the core's time, moved by the test alone.
type testClock struct {
	mu     sync.Mutex
	now    time.Time
	timers []*testTimer
}

type testTimer struct {
	at time.Time
	f  func()
}

var _ core.Clock = (*testClock)(nil)

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *testClock) AfterFunc(d time.Duration, f func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &testTimer{c.now.Add(d), f}
	c.timers = append(c.timers, t)
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		was := t.f != nil
		t.f = nil
		return was
	}
}

// Advance moves the time and runs what has become due.
func (c *testClock) Advance(d time.Duration) {
	c.mu.Lock()
	c.now = c.now.Add(d)
	var due []func()
	rest := c.timers[:0]
	for _, t := range c.timers {
		switch {
		case t.f == nil:
		case t.at.After(c.now):
			rest = append(rest, t)
		default:
			due, t.f = append(due, t.f), nil
		}
	}
	c.timers = rest
	c.mu.Unlock()
	for _, f := range due {
		go f()
	}
}

// place is a portal on a store in memory, with a hasher that costs nothing.
type place struct {
	*core.Portal
	db    store.Store
	clock *testClock
	owner core.SignedIn
}

// newSite makes a portal that is not set up.
func newSite(t testing.TB) *place {
	t.Helper()
	db := memory.New()
	hasher, err := password.NewInsecureHasher(password.CheapParams(), 2)
	if err != nil {
		t.Fatal(err)
	}
	clock := &testClock{now: tuitest.Now}
	portal, err := core.New(context.Background(), core.Config{Store: db, Hasher: hasher, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		portal.Close()
		if err := db.Close(); err != nil && !errors.Is(err, store.ErrClosed) {
			t.Error(err)
		}
	})
	return &place{Portal: portal, db: db, clock: clock}
}

// newPlace makes a portal named Lanterns under the recommended policy, open to
// everybody and without captchas, whose owner lin has goodPassword.
func newPlace(t testing.TB) *place {
	t.Helper()
	p := newSite(t)
	var err error
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

// letIn opens the portal to everybody, without captchas.
func (p *place) letIn(t testing.TB) {
	t.Helper()
	p.set(t, "sign_up.mode", "open", "captcha.sign_in", "off", "captcha.sign_up", "off")
}

// set changes settings of the policy: path, value, path, value.
func (p *place) set(t testing.TB, values ...string) {
	t.Helper()
	m := map[string]string{}
	for i := 0; i < len(values); i += 2 {
		m[values[i]] = values[i+1]
	}
	if _, err := p.Policy.Set(context.Background(), core.ConsoleActor("test"), core.PolicyChange{Values: m}); err != nil && core.CodeOf(err) != core.CodeUnchanged {
		t.Fatal(err)
	}
}

// signUp makes an account and signs it in from elsewhere.
func (p *place) signUp(t testing.TB, name, pw string) core.SignedIn {
	t.Helper()
	r, err := p.Accounts.SignUp(context.Background(), core.Actor{Door: core.DoorSSH, Remote: "192.0.2.7", Client: "OpenSSH_9.9"},
		core.SignUpInput{UserName: name, Email: name + "@example.org", Password: pw})
	if err != nil {
		t.Fatal(err)
	}
	return r.SignedIn
}

// env is a connection of a stranger over SSH.
func (p *place) env(t testing.TB, opts ...tuitest.Option) *Env {
	t.Helper()
	ui := tuitest.NewSession(t, opts...)
	ui.Clock, ui.Door = p.clock.Now, "ssh"
	ui.Ctx = &wireCtx{Context: ui.Ctx}
	e := NewEnv(ui, p.Portal, core.Actor{Door: core.DoorSSH, Remote: "198.51.100.4", Client: "OpenSSH_9.9"})
	t.Cleanup(e.Close)
	return e
}

// first opens what a connection sees first, which is what First returns.
func (p *place) first(t testing.TB, e *Env) *tuitest.Terminal {
	t.Helper()
	s, err := First(context.Background(), e)
	if err != nil {
		t.Fatal(err)
	}
	return tuitest.Open(t, e.Session, s)
}

// on opens a screen above welcome, as a stranger comes to it.
func (p *place) on(t testing.TB, e *Env, above func(*Env) tui.Screen) *tuitest.Terminal {
	t.Helper()
	below, err := First(context.Background(), e)
	if err != nil {
		t.Fatal(err)
	}
	v := tuitest.Open(t, e.Session, &opener{below, above(e)})
	return v.WaitUntil("it is open", func(string) bool { return v.Router().Depth() == 2 })
}

// enter opens the connection as the one that a session belongs to, at home.
func (p *place) enter(t testing.TB, e *Env, in core.SignedIn) *tuitest.Terminal {
	t.Helper()
	if _, err := First(context.Background(), e); err != nil {
		t.Fatal(err)
	}
	return tuitest.Open(t, e.Session, &arrival{env: e, in: in})
}

// opener stands for a screen until it has opened another above it.
type opener struct{ below, above tui.Screen }

func (o *opener) Init() tea.Cmd                            { return tea.Batch(o.below.Init(), tui.Push(o.above)) }
func (o *opener) View() string                             { return o.below.View() }
func (o *opener) SetSize(w, h int)                         { o.below.SetSize(w, h) }
func (o *opener) Update(msg tea.Msg) (tui.Screen, tea.Cmd) { return o.below.Update(msg) }

// looks are the terminals that every screen is looked at in.
func looks() map[string][]tuitest.Option {
	return map[string][]tuitest.Option{"colour": nil, "nocolor": {tuitest.NoColor()}, "dumb": {tuitest.Dumb()}}
}

// sizes are the sizes that every screen is looked at in.
func sizes() [][2]int { return [][2]int{{80, 24}, {60, 20}, {120, 40}} }

// sizeName names the golden of a look in a size.
func sizeName(look string, size [2]int) string {
	return fmt.Sprintf("%s-%dx%d", look, size[0], size[1])
}

// plainText is text without styles.
func plainText(s string) string { return ansi.Strip(s) }

// flat is a screen as one line of words, whichever way they were wrapped.
func flat(screen string) string { return strings.Join(strings.Fields(screen), " ") }

// waitToRead waits until a sentence can be read.
func waitToRead(v *tuitest.Terminal, sentence string) *tuitest.Terminal {
	return v.WaitUntil("there is "+sentence, func(screen string) bool { return strings.Contains(flat(screen), sentence) })
}

// wireCtx is the context of a connection whose calls can be made to fail for a while.
type wireCtx struct {
	context.Context
	dead atomic.Bool
}

func (l *wireCtx) Done() <-chan struct{} {
	if l.dead.Load() {
		over := make(chan struct{})
		close(over)
		return over
	}
	return l.Context.Done()
}

func (l *wireCtx) Err() error {
	if l.dead.Load() {
		return context.Canceled
	}
	return l.Context.Err()
}

// cut lets calls of the core fail from now on, or no more.
func cut(e *Env, dead bool) { e.Ctx.(*wireCtx).dead.Store(dead) }
