// Package cmd is the doors and the verbs: who comes in, and how. It reads
// settings, opens the data, and hands a Portal to screens (this terminal, SSH)
// or to verbs (the command line, `ssh host VERB`).
package cmd

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"charm.land/fang/v2"
	"github.com/spf13/cobra"

	"postern/core/script"
	"postern/tui"
)

// Exit codes of every verb and door; they are the same over SSH.
const (
	exitOK       = 0
	exitRefused  = 1 // refused, or failed
	exitUsage    = 2 // not understood
	exitNoAccess = 3 // whoever asks may not
)

// process is one start of the program: its arguments, environment and streams,
// and the words of the person who started it.
type process struct {
	args    []string // without the program's name
	env     []string
	in      *os.File
	out     *os.File
	err     *os.File
	catalog *tui.Catalog
	dict    *tui.Dict
}

// Main runs the program and returns its exit code.
func Main() int {
	if script.IsChild(os.Args[1:]) { // of this very program: it runs one script, and knows nothing else
		return script.Child(os.Stdin, os.Stdout)
	}
	catalog, err := tui.LoadCatalog()
	if err != nil {
		_, _ = io.WriteString(os.Stderr, err.Error()+"\n")
		return exitRefused
	}
	env := os.Environ()
	p := &process{
		args: os.Args[1:], env: env, in: os.Stdin, out: os.Stdout, err: os.Stderr,
		catalog: catalog, dict: catalog.Dict(catalog.Match(env)).In(time.Local),
	}
	return p.run()
}

// run parses the arguments and does what they say. Signals end the context, and
// whoever works under it cleans up: that is how a terminal is restored.
func (p *process) run() int {
	ctx, stop := signal.NotifyContext(context.Background(), endings()...)
	defer stop()
	root := p.commands()
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetArgs(p.args)
	root.SetOut(outlet{p.out})
	root.SetErr(p.err)
	return p.leave(root.ExecuteContext(ctx))
}

// commands are all commands of the program, those of its libraries too.
func (p *process) commands() *cobra.Command {
	root := p.root()
	root.AddCommand(&cobra.Command{
		Use: "man", Short: p.dict.T("verb.man"), Args: between(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return p.styled(cmd.Context(), "man") },
	})
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		path := strings.Fields(cmd.CommandPath())[1:]
		if err := p.styled(cmd.Context(), append(path, "--help")...); err != nil {
			writeHelp(p.dict, cmd, p.out)
		}
	})
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "help", "completion":
			c.Short = p.dict.T("verb." + c.Name())
		}
	}
	return root
}

// endings are the signals that end the program. One that was ignored when it was
// started stays ignored: that is what nohup asks for.
func endings() []os.Signal {
	list := []os.Signal{syscall.SIGTERM}
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			list = append(list, s)
		}
	}
	return list
}

// styled runs the commands under fang, which draws help and manual pages. Only
// these go through it: at every error it asks the terminal for its colours,
// and a terminal that does not answer keeps the person waiting.
func (p *process) styled(ctx context.Context, args ...string) error {
	root := p.root()
	root.SetArgs(args)
	root.SetOut(p.out)
	root.SetErr(p.err)
	return fang.Execute(ctx, root, fang.WithVersion(versionLine()),
		fang.WithErrorHandler(func(io.Writer, fang.Styles, error) {}))
}

// leave says an error and returns the exit code for it.
func (p *process) leave(err error) int {
	var done exited
	if errors.As(err, &done) {
		return int(done)
	}
	return report(err, p.dict, p.wantsJSON(), p.out, p.err)
}

// wantsJSON looks for --json by itself, since arguments that cannot be parsed
// are answered in JSON as well.
func (p *process) wantsJSON() bool { return asksForJSON(p.args) }

// asksForJSON says whether a command line asks for JSON, parsed or not: the last
// --json counts, and what stands behind -- is no flag.
func asksForJSON(args []string) (asks bool) {
	for _, a := range args {
		value, given := strings.CutPrefix(a, "--json=")
		switch {
		case a == "--":
			return asks
		case a == "--json":
			asks = true
		case given:
			asks, _ = strconv.ParseBool(value) // what is neither is refused elsewhere
		}
	}
	return asks
}

// exited is the end of a verb that has said everything already.
type exited int

// Error implements error; nobody reads it.
func (exited) Error() string { return "exited" }

var _ error = exited(0)

// usageErrors makes cobra's own complaints ours.
func usageErrors(c *cobra.Command, err error) error {
	return usage(err.Error())
}
