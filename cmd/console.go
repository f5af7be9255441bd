// Verbs typed at the machine. Whoever holds the data carries them out: this
// process, or the one that serves, which is reached through its control socket.

package cmd

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/user"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"postern/cmd/control"
	"postern/core"
	"postern/store/bolt"
	"postern/tui"
)

// verbs are the verbs of the command line.
func (p *process) verbs() []*cobra.Command {
	set := verbSet{dict: p.dict, run: p.atConsole, in: p.in, shown: term.IsTerminal(int(p.out.Fd())), watched: term.IsTerminal(int(p.err.Fd()))}
	return append(set.all(), p.restore(), p.compact())
}

// atConsole carries out a verb at the machine's own command line. Who one is there
// can be said without any data; with it, where the trail ends is said too.
func (p *process) atConsole(cmd *cobra.Command, args []string, do deed) error {
	if !needsNoData(cmd) {
		err := p.withData(cmd, args, do)
		var closed *bolt.OpenError
		if cmd.Name() != "whoami" || !errors.As(err, &closed) {
			return err
		}
	}
	return do(cmd.Context(), p.call(), args)
}

// call is a call of the console, with no data.
func (p *process) call() *Call {
	return &Call{Out: outlet{p.out}, Err: p.err, JSON: p.wantsJSON(), Dict: p.dict, Actor: core.ConsoleActor(userName(os.Getuid()))}
}

// withData hands a verb to whoever holds the data, or opens them for it.
func (p *process) withData(cmd *cobra.Command, args []string, do deed) error {
	c := p.call()
	s, err := p.settings(cmd.Flags())
	if err != nil {
		return err
	}
	done, code, err := p.send(cmd, args, s)
	if err != nil {
		return err
	}
	if done {
		return said(code)
	}
	if c.Dir, err = os.Getwd(); err != nil {
		return err
	}
	log, err := p.logger(s, p.err)
	if err != nil {
		return err
	}
	h, err := p.open(cmd.Context(), s, strings.TrimPrefix(cmd.CommandPath(), "postern "), true, log)
	var closed *bolt.OpenError
	if errors.As(err, &closed) && closed.Code == bolt.CodeLocked {
		// Its holder may have been starting while we looked.
		if done, code, err := p.send(cmd, args, s); err != nil {
			return err
		} else if done {
			return said(code)
		}
	}
	if err != nil {
		return err
	}
	defer h.close()
	if path := cmd.CommandPath(); path == "postern message test" || path == "postern message retry" {
		// No door holds the data: whoever waits for a message sends it meanwhile.
		defer deliver(cmd.Context(), h.portal)()
	}
	c.Portal, c.Data = h.portal, h.data
	return do(cmd.Context(), c, args)
}

// needsNoData says that a verb works where there is no portal at all.
func needsNoData(cmd *cobra.Command) bool {
	switch cmd.CommandPath() {
	case "postern version":
		return true
	case "postern audit verify":
		return cmd.Flags().Changed("file") || cmd.Flags().Changed("proof") || cmd.Flags().Changed("key")
	}
	return false
}

// errSaid ends a verb with exit code 1 when it has said what is wrong.
const errSaid = exited(exitRefused)

// said ends a verb that was carried out elsewhere.
func said(code int) error {
	if code == exitOK {
		return nil
	}
	return exited(code)
}

// send hands the verb to the process that holds the data. done is false when
// there is none.
func (p *process) send(cmd *cobra.Command, args []string, s settings) (done bool, code int, err error) {
	client, err := control.Dial(cmd.Context(), s.Data)
	switch {
	case err == nil:
	case errors.Is(err, control.ErrProtocol):
		return false, 0, fail("control_version").because(err)
	case errors.Is(err, control.ErrBusy):
		return false, 0, fail("control_busy").because(err)
	case errors.Is(err, control.ErrSilent):
		return false, 0, silent(err)
	case errors.Is(err, context.Canceled):
		return false, 0, err
	default:
		return false, 0, nil // opening the data will say what there is to say
	}
	defer client.Close()
	dir, err := os.Getwd()
	if err != nil {
		return false, 0, err
	}
	q := control.Request{Args: commandLine(cmd, args), Dir: dir, Language: p.dict.Tag(), Zone: zoneName()}
	code, err = client.Do(cmd.Context(), q, outlet{p.out}, p.err)
	var unwritten *outputError
	switch {
	case err == nil:
		return true, code, nil
	case errors.Is(err, context.Canceled), errors.As(err, &unwritten):
		return false, 0, err
	case errors.Is(err, control.ErrTooMuch):
		return false, 0, fail("too_much", "KiB", control.MaxRequest>>10).because(err)
	}
	if errors.Is(err, control.ErrSilent) {
		return false, 0, silent(err)
	}
	return false, 0, fail("control_lost").because(err)
}

// silent says that the process that holds the data is not heard of, and how it is
// told to go on.
func silent(err error) error {
	code, pid := "control_silent", "PID"
	var at *control.SilentError
	if errors.As(err, &at) && at.PID > 0 {
		pid = plainNumber(at.PID)
	}
	if at != nil && at.Sent {
		code = "control_stuck"
	}
	return fail(code, "PID", pid, "Seconds", int(control.Silence/time.Second)).because(err)
}

// commandLine is a parsed verb as arguments again, without the settings of this
// process, which are none of the other's business. A flag that may be given several
// times is given as often again: its value as a whole is not how one is written.
func commandLine(cmd *cobra.Command, args []string) []string {
	line := strings.Fields(cmd.CommandPath())[1:]
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if cmd.InheritedFlags().Lookup(f.Name) != nil && f.Name != "json" {
			return
		}
		values := []string{f.Value.String()}
		if several, is := f.Value.(pflag.SliceValue); is {
			values = several.GetSlice()
		}
		for _, value := range values {
			line = append(line, "--"+f.Name+"="+value)
		}
	})
	return append(append(line, "--"), args...)
}

// zoneName is the IANA name of this machine's time zone, "" when it has none.
func zoneName() string {
	name := time.Local.String()
	if _, err := time.LoadLocation(name); err != nil || name == "Local" {
		return ""
	}
	return name
}

// userName is the name of a system account, or its number.
func userName(uid int) string {
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return u.Username
	}
	return strconv.Itoa(uid)
}

// listen opens the control socket of the data that this process holds. Without
// it the portal still works, so that a failure is a warning.
func (h *holding) listen(catalog *tui.Catalog, command, sshAddr string, log *slog.Logger) (stop func()) {
	greeting := control.Greeting{PID: os.Getpid(), Command: command, Since: time.Now().UTC(), SSH: sshAddr}
	server, err := control.Listen(h.dir, greeting, func(ctx context.Context, peer control.Peer, q control.Request, out, errw io.Writer) int {
		d := catalog.Dict(q.Language).In(time.Local)
		if zone, err := time.LoadLocation(q.Zone); err == nil && q.Zone != "" {
			d = d.In(zone)
		}
		uid := peer.UID
		if uid < 0 {
			uid = os.Getuid() // the socket's mode lets nobody else in
		}
		return carryOut(ctx, &Call{
			Portal: h.portal, Data: h.data, Actor: core.ConsoleActor(userName(uid)), Out: out, Err: errw,
			Dict: d, Dir: q.Dir,
		}, false, q.Args)
	}, log)
	if err != nil {
		log.Warn("no control socket: verbs cannot reach this process", slog.Any("error", err))
		return func() {}
	}
	return server.Close
}
