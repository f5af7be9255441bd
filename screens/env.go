// Package screens holds the portal's pages, one file each. It knows the core
// and the kit, and never a database. What every page shares is Env.
package screens

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/core/text"
	"postern/tui"
)

// Door is what the way somebody came in can do besides showing screens. The
// zero Door can do nothing of it.
type Door struct {
	// Remember keeps a session's secret for the next start; the local door
	// writes it to a file. "" forgets it.
	Remember func(token string) error
	// Token is what Remember kept, "" when there is nothing.
	Token string
	// Save writes a file for the person who sits here, for their eyes alone, and
	// returns where it is. It never writes over a file: then its error is
	// fs.ErrExist, and the path that of the file that is there.
	Save func(name string, content []byte) (path string, err error)
	// Create begins such a file that is written bit by bit. What is there already
	// is found out when it is kept.
	Create func(name string) (Saving, error)
	// Reach is the command with which people come in by SSH, for invitations; ""
	// where it is not known.
	Reach string
}

// Saving is a file that is being written. Nothing of it is to be seen under its
// name before it is kept, whole; what is dropped leaves nothing behind.
type Saving interface {
	io.Writer
	// Keep finishes the file and returns where it is. Like Save, it never writes
	// over one.
	Keep() (path string, err error)
	Drop()
}

// Env is one connection: its terminal, the core behind it, and who is here. It
// belongs to the goroutine that runs the router; commands copy what they need.
type Env struct {
	*tui.Session
	Portal *core.Portal
	Door   Door
	Demo   bool
	// DemoName and DemoPassword are an invented account to try, with Demo.
	DemoName, DemoPassword string
	// DemoMember is one without a role, with the same password.
	DemoMember string

	site  core.SiteState
	offer core.KeyOffer // whom the key of this connection signs in, as last read
	actor core.Actor
	me    core.SignedIn
	roles []core.Role    // that the person holds, as last read
	desk  core.Operation // what the open screens need a role for; "" when they need none
	live  *core.Live
	stop  context.CancelFunc // of what watches the session
	visit context.Context    // ends when the session is let go of; nil for a stranger

	visitor string // the language that the terminal asked for

	// leaving says that it is here that the session is being signed out of.
	leaving atomic.Bool
}

// NewEnv makes the ground for a connection that begins as a stranger.
func NewEnv(ui *tui.Session, portal *core.Portal, stranger core.Actor) *Env {
	e := &Env{Session: ui, Portal: portal, actor: stranger, visitor: ui.Dict.Tag()}
	ui.Who = func() string { return text.Escape(e.me.UserName) }
	ui.PortalName = func() string {
		if e.site.Name == "" {
			return "Postern"
		}
		return text.Escape(e.site.Name)
	}
	ui.Seen = func() {
		if e.live != nil {
			e.live.Touch()
		}
	}
	return e
}

// Actor is who acts now. Commands take a copy when they are made.
func (e *Env) Actor() core.Actor { return e.actor }

// Me is who is signed in; the zero value when nobody is.
func (e *Env) Me() core.SignedIn { return e.me }

// Site is what everybody may know of the portal, as last read.
func (e *Env) Site() core.SiteState { return e.site }

// Close lets go of the session when the connection is over. It does not end it.
func (e *Env) Close() {
	if e.live != nil {
		e.live.Close()
		e.live = nil
	}
	if e.stop != nil {
		e.stop()
		e.stop = nil
	}
}

// answer is what a call of the core brought.
type answer[T any] struct {
	Value T
	Err   error
}

// call makes a command of a call of the core; its message is an answer[T]. A
// screen with several calls of one type tells them apart by a type of its own.
func call[T any](ctx context.Context, fn func(ctx context.Context) (T, error)) tea.Cmd {
	return func() tea.Msg {
		v, err := fn(ctx)
		return answer[T]{v, err}
	}
}

// Enter returns the command that makes the connection a signed-in one: it takes
// hold of the session and opens home. A screen returns it when a sign-in is done.
func (e *Env) Enter(in core.SignedIn) tea.Cmd { return tui.Reset(&arrival{env: e, in: in}) }

// enter takes hold of a session, outside Update.
func (e *Env) enter(ctx context.Context, actor core.Actor, in core.SignedIn) entered {
	actor = actor.With(in)
	m := entered{in: in}
	if m.live, m.err = e.Portal.Sessions.Attach(ctx, actor); m.err != nil {
		return m
	}
	if m.checkUp, m.err = e.Portal.Accounts.CheckUp(ctx, actor); m.err != nil {
		m.live.Close()
		return m
	}
	if e.Door.Remember != nil {
		m.forgetful = e.Door.Remember(in.Token) != nil
	}
	return m
}

// entered is a session taken hold of.
type entered struct {
	in        core.SignedIn
	live      *core.Live
	checkUp   core.CheckUp
	forgetful bool // the door could not keep the session's secret
	err       error
}

// adopt makes an entered session this connection's own.
func (e *Env) adopt(m entered) tea.Cmd {
	e.Close()
	e.actor, e.me, e.live = e.actor.With(m.in), m.in, m.live
	ctx, cancel := context.WithCancel(e.Ctx)
	e.stop, e.visit = cancel, ctx
	go e.follow(ctx, e.actor, m.live)
	cmds := []tea.Cmd{e.Apply(core.Preferences{Language: m.in.Language, Theme: m.in.Theme, TimeZone: m.in.Zone})}
	if m.forgetful {
		cmds = append(cmds, tui.Toast(tui.Warn, e.T("env.forgetful")))
	}
	return tea.Batch(cmds...)
}

// arrival stands on the stack for the moment between a sign-in and home.
type arrival struct {
	env *Env
	in  core.SignedIn
}

func (a *arrival) Init() tea.Cmd {
	env, actor, in := a.env, a.env.Actor(), a.in
	return func() tea.Msg { return env.enter(env.Ctx, actor, in) }
}

func (a *arrival) Update(msg tea.Msg) (tui.Screen, tea.Cmd) {
	m, ok := msg.(entered)
	if !ok {
		return a, nil
	}
	if m.err != nil {
		return a, tea.Sequence(tui.Reset(NewWelcome(a.env)), tui.Toast(tui.Bad, a.env.Sentence(m.err)))
	}
	home := newHome(a.env, m.checkUp)
	home.tells = m.checkUp.Asked
	return a, tea.Sequence(a.env.adopt(m), tui.Reset(home))
}

func (a *arrival) View() string     { return "" }
func (a *arrival) SetSize(int, int) {}

// First reads what the first screen of a connection needs and returns it: setup,
// welcome, or home when the door remembered a session. Doors call it before the
// program starts, so that the first frame is already the right one.
func First(ctx context.Context, e *Env) (tui.Screen, error) {
	site, err := e.Portal.Site.State(ctx)
	if err != nil {
		return nil, err
	}
	e.site = site
	if !site.SetUp {
		return NewSetup(e), nil
	}
	if e.offer, err = e.Portal.SignIn.Offer(ctx, e.actor); err != nil {
		return nil, err
	}
	if e.Door.Token == "" {
		return NewWelcome(e), nil
	}
	in, err := e.Portal.SignIn.Resume(ctx, e.actor, e.Door.Token)
	if core.CodeOf(err) == core.CodeSessionEnded {
		return NewWelcome(e), nil
	} else if err != nil {
		return nil, err
	}
	return &arrival{env: e, in: in}, nil
}

// Reload returns the command that reads again what everybody may know of the
// portal; its message is an answer[core.SiteState], to be handed to Reloaded.
func (e *Env) Reload() tea.Cmd { return call(e.Ctx, e.Portal.Site.State) }

// Reloaded takes what Reload brought.
func (e *Env) Reloaded(site core.SiteState) { e.site = site }

// follow closes the screens when the session ends, and says why. While it lives,
// what changes about the person's roles is told to them (roles.go).
func (e *Env) follow(ctx context.Context, actor core.Actor, live *core.Live) {
	for {
		select {
		case why := <-live.Ended():
			// Who signs out here goes to the welcome page; another window that shares
			// the session closes.
			here := (why == core.EndSignedOut || why == core.EndDeleted || why == core.EndGone) && e.leaving.Load()
			if !here && ctx.Err() == nil {
				e.EndWith("ended." + string(why))
			}
			return
		case <-live.RolesChanged():
			check, err := e.Portal.Accounts.CheckUp(ctx, actor)
			if ctx.Err() == nil && core.CodeOf(err) != core.CodeSessionEnded {
				e.Post(rolesRead{check, err})
			}
		case <-ctx.Done():
			return
		}
	}
}

// Leave makes the connection a stranger's again.
func (e *Env) Leave() {
	e.Close()
	e.me, e.roles, e.desk = core.SignedIn{}, nil, ""
	e.actor.Account, e.actor.Session = "", ""
}

// Renewed keeps the new secret that a step-up or a changed password brought.
func (e *Env) Renewed(r core.StepUpResult) tea.Cmd {
	e.me.Token = r.Token
	if e.Door.Remember == nil || r.Token == "" {
		return nil
	}
	remember, words := e.Door.Remember, e.T("env.forgetful")
	return func() tea.Msg {
		if err := remember(r.Token); err != nil {
			return tui.Toast(tui.Warn, words)()
		}
		return nil
	}
}

// Apply returns the command that puts a person's preferences into force.
func (e *Env) Apply(p core.Preferences) tea.Cmd {
	var cmds []tea.Cmd
	if p.Language != "" {
		cmds = append(cmds, e.SetLanguage(p.Language))
	}
	if p.Theme != "" {
		cmds = append(cmds, e.SetTheme(tui.ThemeName(p.Theme)))
	}
	if p.TimeZone != "" {
		cmds = append(cmds, func() tea.Msg { // finding a zone reads a file
			zone, err := time.LoadLocation(p.TimeZone)
			if err != nil {
				return nil // one that this machine does not know: times stay as they are
			}
			return e.SetZone(zone)()
		})
	}
	return tea.Batch(cmds...)
}

// Sentence says a refusal in the person's words: what happened and what to do.
func (e *Env) Sentence(err error) string { return sentence(e.Dict, err) }

// sentence is Sentence for commands, which take their dictionary along.
func sentence(d *tui.Dict, err error) string {
	var refusal *core.Error
	if !errors.As(err, &refusal) {
		return d.T("error.internal")
	}
	if refusal.Code == core.CodePassword {
		return d.T("error.password", "Rule", d.T("rule."+refusal.Rule, "N", refusal.N))
	}
	if refusal.Code == core.CodeState {
		return d.T("state_is." + refusal.Rule)
	}
	return d.T("error."+string(refusal.Code),
		"N", refusal.N, "Rule", refusal.Rule, "Wait", wait(d, refusal.Wait))
}

// wait says how long to wait, to the second and never too short: "1 min 30 s".
func wait(d *tui.Dict, dur time.Duration) string {
	dur = (dur + time.Second - 1).Truncate(time.Second)
	if rest := dur % time.Minute; dur > time.Minute && rest > 0 {
		return d.Duration(dur-rest) + " " + d.Duration(rest)
	}
	return d.Duration(dur)
}

// RuleText says a rule for passwords ("at least 12 characters").
func (e *Env) RuleText(rule string, n int) string { return e.T("rule."+rule, "N", n) }

// FieldOf returns the input that a refusal is about, or "".
func FieldOf(err error) string {
	var refusal *core.Error
	if errors.As(err, &refusal) {
		return refusal.Field
	}
	return ""
}
