// The local door: the screens in this terminal.

package cmd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"postern/cmd/control"
	"postern/core"
	"postern/core/text"
	"postern/screens"
	"postern/store/bolt"
	"postern/tui"
)

// maxLog is the size at which the local door's log is begun anew, in bytes.
const maxLog = 1 << 20

// local opens the data and shows the portal in this terminal.
func (p *process) local(cmd *cobra.Command) error {
	s, err := p.settings(cmd.Flags())
	if err != nil {
		return err
	}
	if err := p.needTerminal(s.Plain); err != nil {
		return err
	}
	// The terminal is full of screens: what an operator should know goes to a file.
	logFile, err := openLog()
	if err != nil {
		return fail("state_dir", "Path", text.Escape(stateDir())).because(err)
	}
	defer logFile.Close()
	log, err := p.logger(s, logFile)
	if err != nil {
		return err
	}
	h, err := p.open(cmd.Context(), s, "postern", false, log)
	if err != nil {
		return p.held(cmd.Context(), s, err)
	}
	defer h.close()
	defer h.listen(p.catalog, "postern", "", log)()
	defer keepHouse(cmd.Context(), h.portal, log)()
	token := newTokenFile(h)
	return p.show(cmd.Context(), stage{
		portal: h.portal, log: log, plain: s.Plain, door: core.DoorLocal,
		hands: screens.Door{Token: token.read(), Remember: token.remember, Save: saveHere, Create: createHere},
	})
}

// needTerminal refuses politely where no screen can be shown. Lines, when they
// were asked for, go anywhere.
func (p *process) needTerminal(plain bool) error {
	if plain || term.IsTerminal(int(p.in.Fd())) && term.IsTerminal(int(p.out.Fd())) {
		return nil
	}
	f := fail("no_terminal")
	f.exit = exitUsage
	return f
}

// held adds the SSH door of the process that holds the data to its refusal, or says
// that it does not answer.
func (p *process) held(ctx context.Context, s settings, err error) error {
	var closed *bolt.OpenError
	if !errors.As(err, &closed) || closed.Code != bolt.CodeLocked {
		return err
	}
	client, dialErr := control.Dial(ctx, s.Data)
	if errors.Is(dialErr, control.ErrSilent) {
		return silent(dialErr)
	} else if dialErr != nil {
		return err
	}
	defer client.Close()
	g := client.Greeting()
	closed.Holder = &bolt.Holder{PID: g.PID, Command: g.Command, Since: g.Since}
	return &failure{exit: exitRefused, code: string(closed.Code), key: "cmd.verbatim",
		args: []any{"Text", openSentence(p.dict, closed, g.SSH)}, err: err}
}

// stage is what screens are shown on.
type stage struct {
	portal *core.Portal
	log    *slog.Logger
	plain  bool
	door   core.Door
	hands  screens.Door
	demo   *demoWords // nil: not a demonstration
}

// show runs the screens in this terminal until the person leaves, a signal
// comes or the session ends elsewhere, and gives the terminal back as it was.
func (p *process) show(ctx context.Context, st stage) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ui := p.session(ctx, st)
	actor := core.Actor{Door: st.door, Client: terminalName(p.in, lookup(p.env, "TERM"))}
	env := screens.NewEnv(ui, st.portal, actor)
	env.Door = st.hands
	st.demo.dress(env)
	defer env.Close()
	first, err := screens.First(ctx, env)
	if err != nil {
		return err
	}
	if st.plain || ui.Caps.Dumb {
		return tui.RunPlain(ui, first, p.in, p.out, tui.PlainOptions{})
	}
	router := tui.NewRouter(ui, first)
	// A context given to the program would kill it; Quit lets it restore the
	// terminal first, whichever signal it was.
	program := tea.NewProgram(router, tea.WithInput(p.in), tea.WithOutput(p.out), tea.WithEnvironment(p.env),
		tea.WithColorProfile(ui.Caps.Profile), tea.WithoutSignalHandler())
	stop := context.AfterFunc(ctx, program.Quit)
	defer stop()
	if _, err := program.Run(); err != nil {
		return err
	}
	if said, ended := router.Ended(); ended {
		_, _ = fmt.Fprintln(p.out, said)
	}
	return nil
}

// session is this terminal.
func (p *process) session(ctx context.Context, st stage) *tui.Session {
	ui := tui.NewSession(ctx, p.catalog, p.env)
	ui.Dict = p.dict
	ui.Door = ui.T("door." + string(st.door))
	ui.Log = logPanic(st.log)
	return ui
}

// logPanic logs the panic of a session under the id that its person saw.
func logPanic(log *slog.Logger) func(id string, v any, stack []byte) {
	return func(id string, v any, stack []byte) {
		log.Error("a session failed", slog.String("id", id), slog.Any("panic", v), slog.String("stack", string(stack)))
	}
}

// terminalName is the terminal's device and type, for the list of sessions.
func terminalName(f *os.File, kind string) string {
	name, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", f.Fd()))
	if err != nil || !strings.HasPrefix(name, "/dev/") {
		name = "/dev/tty"
	}
	name = strings.TrimPrefix(name, "/dev/")
	if kind != "" {
		name += " " + kind
	}
	cleaned, err := text.Clean(name, 100)
	if err != nil {
		return "tty"
	}
	return cleaned
}

// openLog opens the local door's log, for its owner alone, and begins it anew
// when it has grown.
func openLog() (*os.File, error) {
	dir, err := makeStateDir("")
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "postern.log")
	how := os.O_WRONLY | os.O_CREATE | os.O_APPEND
	if info, err := os.Stat(path); err == nil && info.Size() > maxLog {
		how |= os.O_TRUNC
	}
	return os.OpenFile(path, how, 0o600)
}
