// Whoever comes by SSH: a session of screens, or a verb.

package cmd

import (
	"context"
	"io"
	"log/slog"
	"time"

	tea "charm.land/bubbletea/v2"

	"postern/cmd/sshd"
	"postern/core"
	"postern/screens"
	"postern/tui"
)

// reception is what stands behind the SSH door.
type reception struct {
	portal  *core.Portal
	catalog *tui.Catalog
	log     *slog.Logger
	demo    *demoWords // nil: not a demonstration
	reach   string     // the command with which people come in, for invitations
}

var _ sshd.Handler = (*reception)(nil)

// stranger is the actor of a visitor who has not signed in. Its key is the one
// that the finished handshake proved.
func stranger(v sshd.Visitor, door core.Door) core.Actor {
	return core.Actor{
		Door: door, Remote: v.Remote.String(), Client: v.Client, Key: v.KeyFingerprint, KeyLine: v.KeyLine,
	}
}

// Program makes the screens of one visitor.
func (r *reception) Program(ctx context.Context, v sshd.Visitor) sshd.Program {
	ui := tui.NewSession(ctx, r.catalog, v.Env)
	ui.Door = ui.T("door." + string(core.DoorSSH))
	ui.Log = logPanic(r.log)
	env := screens.NewEnv(ui, r.portal, stranger(v, core.DoorSSH))
	env.Door.Reach = r.reach
	r.demo.dress(env)
	first, err := screens.First(ctx, env)
	if err != nil {
		r.log.Error("no first screen", slog.Any("error", err))
		first = farewell{env.Sentence(err)}
	}
	if ui.Caps.Dumb {
		return sshd.Program{Ended: env.Close, Lines: func(_ context.Context, in io.Reader, out io.Writer) {
			if err := tui.RunPlain(ui, first, in, out, tui.PlainOptions{Raw: true}); err != nil {
				r.log.Info("a session in lines ended", slog.Any("error", err))
			}
		}}
	}
	router := tui.NewRouter(ui, first)
	return sshd.Program{Model: router, Ended: env.Close, Farewell: func() string {
		said, _ := router.Ended()
		return said
	}}
}

// Verb carries out a verb for the account that the visitor's key is linked to.
func (r *reception) Verb(ctx context.Context, v sshd.Visitor, args []string, in io.Reader, out, errw io.Writer) int {
	c := &Call{
		Portal: r.portal, In: in, Out: out, Err: errw, Dict: r.dict(v), Dir: "/",
	}
	if len(args) > 0 && (args[0] == "version" || args[0] == "help") {
		return carryOut(ctx, c, true, args) // anybody may know
	}
	actor, err := r.portal.Keys.Recognise(ctx, stranger(v, core.DoorVerb))
	if err != nil {
		c.JSON = c.JSON || asksForJSON(args)
		if core.CodeOf(err) == core.CodeDenied {
			f := fail("unknown_key")
			f.exit, f.code = exitNoAccess, string(core.CodeDenied)
			err = f
		}
		return report(err, c.Dict, c.JSON, out, errw)
	}
	c.Actor = actor
	if me, err := r.portal.Accounts.Profile(ctx, actor); err == nil {
		if me.Language != "" {
			c.Dict = r.catalog.Dict(me.Language)
		}
		if zone, err := time.LoadLocation(me.TimeZone); err == nil {
			c.Dict = c.Dict.In(zone)
		}
	}
	return carryOut(ctx, c, true, args)
}

// Say is what the door itself has to say, in the visitor's language.
func (r *reception) Say(v sshd.Visitor, line sshd.Line, id string) string {
	keys := map[sshd.Line]string{
		sshd.LineNoTerminal: "no_terminal", sshd.LineShutdown: "shutdown", sshd.LineIdle: "idle", sshd.LineExpired: "expired",
		sshd.LinePanic: "panic", sshd.LineFull: "full", sshd.LineBadCommand: "bad_command",
	}
	key, ok := keys[line]
	if !ok {
		return "" // the door's own English
	}
	return r.dict(v).T("ssh."+key, "Id", id)
}

func (r *reception) dict(v sshd.Visitor) *tui.Dict { return r.catalog.Dict(r.catalog.Match(v.Env)) }

// farewell is the only screen of a visitor for whom there is no first one.
type farewell struct{ text string }

var _ tui.Screen = farewell{}

// Init says the sentence and closes the program.
func (f farewell) Init() tea.Cmd { return func() tea.Msg { return tui.EndMsg{Text: f.text} } }

// Update does nothing.
func (f farewell) Update(tea.Msg) (tui.Screen, tea.Cmd) { return f, nil }

// View is the sentence.
func (f farewell) View() string { return f.text }

// SetSize does nothing.
func (f farewell) SetSize(int, int) {}
