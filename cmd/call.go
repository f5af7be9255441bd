// A verb is a function of a Call. The command line, the control socket and
// `ssh host VERB` make Calls and share everything after that.

package cmd

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"postern/core"
	"postern/core/text"
	"postern/store/bolt"
	"postern/tui"
)

// Call is one verb being carried out for somebody.
type Call struct {
	Portal *core.Portal
	Data   *bolt.Store // for maintenance; nil where that is not offered
	Actor  core.Actor
	Out    io.Writer
	Err    io.Writer
	JSON   bool // one document on Out instead of sentences
	Dict   *tui.Dict
	Dir    string    // what relative paths are relative to
	In     io.Reader // what was piped in; nil where nothing can be
}

// deed is what a verb does. args were counted already; flags are its own variables.
type deed func(ctx context.Context, c *Call, args []string) error

// runner decides what happens when a verb is called: it is carried out at once,
// or sent to the process that holds the data.
type runner func(cmd *cobra.Command, args []string, do deed) error

// verbSet makes verbs as commands. Commands belong to one parse, and so does a set.
type verbSet struct {
	dict *tui.Dict
	run  runner
	in   io.Reader // standard input, for verbs that read it; nil where there is none
	far  bool      // for `ssh host VERB`: no maintenance of the machine's files

	shown   bool // standard output is a terminal
	watched bool // somebody looks at standard error: long work says how far it is
}

// verb makes one command. Its words are verb.KEY; use names its arguments.
func (v verbSet) verb(use, key string, least, most int, do deed) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: v.dict.T("verb." + key), DisableFlagsInUseLine: true, Args: between(least, most),
		RunE: func(cmd *cobra.Command, args []string) error { return v.run(cmd, args, do) },
	}
}

// groupMark marks commands that only have others below them.
const groupMark = "group"

// group makes a command that only has others below it.
func (v verbSet) group(name, key string, verbs ...*cobra.Command) *cobra.Command {
	names := make([]string, len(verbs))
	for i, w := range verbs {
		names[i] = w.Name()
	}
	g := &cobra.Command{
		Use: name, Short: v.dict.T("verb." + key), Args: cobra.ArbitraryArgs, Annotations: map[string]string{groupMark: "yes"},
		RunE: func(cmd *cobra.Command, args []string) error {
			f := fail("which_verb", "Verb", name, "Verbs", strings.Join(names, ", "))
			f.exit, f.code = exitUsage, "usage"
			return f
		},
	}
	g.AddCommand(verbs...)
	return g
}

// between checks the number of arguments; most < 0 is any number.
func between(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || most >= 0 && len(args) > most {
			f := fail("arguments", "Use", cmd.UseLine())
			f.exit, f.code = exitUsage, "usage"
			return f
		}
		return nil
	}
}

// flag returns the description of a flag.
func (v verbSet) flag(name string) string { return v.dict.T("flag." + name) }

// all returns every verb that works on the portal.
func (v verbSet) all() []*cobra.Command {
	list := []*cobra.Command{
		v.whoami(), v.users(), v.sessions(), v.keys(), v.factors(), v.policy(), v.audit(), v.invites(), v.messages(), v.overview(), v.version(),
	}
	list = append(list, v.apps(), v.grants(), v.contacts(), v.agreements(), v.requests(), v.retention(), v.analysis(), v.export(), v.importAccounts())
	if !v.far {
		list = append(list, v.check(), v.backup(), v.keyset())
	}
	return list
}

// carryOut parses a verb's arguments and does it, here and now; it says every
// refusal itself and returns the exit code.
func carryOut(ctx context.Context, c *Call, far bool, args []string) int {
	root := &cobra.Command{Use: "postern", SilenceErrors: true, SilenceUsage: true, Args: cobra.ArbitraryArgs}
	root.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		return usage("unknown command " + strconv.Quote(args[0]))
	}
	root.PersistentFlags().BoolVar(&c.JSON, "json", false, c.Dict.T("flag.json"))
	set := verbSet{dict: c.Dict, far: far, in: c.In, run: func(cmd *cobra.Command, args []string, do deed) error {
		return do(cmd.Context(), c, args)
	}}
	root.AddCommand(set.all()...)
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetFlagErrorFunc(usageErrors)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { writeHelp(c.Dict, cmd, c.Out) })
	root.SetHelpCommand(&cobra.Command{Use: "help", Short: c.Dict.T("verb.help"), RunE: func(cmd *cobra.Command, args []string) error {
		about, _, err := root.Find(args)
		if err != nil {
			return usage(err.Error())
		}
		return about.Help()
	}})
	root.SetOut(c.Out)
	root.SetErr(c.Err)
	// Without arguments the parser would take those of this process, and carry
	// out or repeat what the operator typed when it was started.
	root.SetArgs(append([]string{}, args...))
	if asked := forShells(args); asked != "" {
		return report(usage("unknown command "+strconv.Quote(asked)), c.Dict, c.JSON, c.Out, c.Err)
	}
	err := root.ExecuteContext(ctx)
	if errors.Is(err, pflag.ErrHelp) {
		err = nil
	}
	if done := exited(0); errors.As(err, &done) {
		return int(done) // it has said what is wrong
	}
	c.JSON = c.JSON || asksForJSON(args) // a command line that cannot be parsed may still say it
	return report(err, c.Dict, c.JSON, c.Out, c.Err)
}

// forShells returns the parser's own command for completion that is among the
// arguments, wherever it would be found, or "". It is for shells on this machine.
func forShells(args []string) string {
	for _, a := range args {
		switch a {
		case "--":
			return ""
		case cobra.ShellCompRequestCmd, cobra.ShellCompNoDescRequestCmd:
			return a
		}
	}
	return ""
}

// writeHelp lists what can be asked for.
func writeHelp(d *tui.Dict, cmd *cobra.Command, w io.Writer) {
	p := &page{}
	p.line(cmd.UseLine())
	if cmd.Short != "" {
		p.line("  " + cmd.Short)
	}
	var rows [][]string
	for _, sub := range cmd.Commands() {
		if !sub.Hidden && sub.Name() != "help" {
			rows = append(rows, []string{"  " + sub.Name(), sub.Short})
		}
	}
	p.table(nil, rows)
	rows = nil
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			rows = append(rows, []string{"  --" + f.Name, f.Usage})
		}
	})
	if len(rows) > 0 {
		p.line("")
	}
	p.table(nil, rows)
	p.writeTo(w)
}

// answer writes the document when JSON was asked for, else what human draws.
func (c *Call) answer(document any, human func(p *page)) error {
	if c.JSON {
		return writeJSON(c.Out, document)
	}
	p := &page{}
	human(p)
	return p.writeTo(c.Out)
}

// when says a moment: exact, in the zone of whoever asks.
func (c *Call) when(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return c.Dict.DateTime(t)
}

// or returns a foreign string, escaped, or a dash.
func or(s string) string {
	if s == "" {
		return "-"
	}
	return text.Escape(s)
}

func plainNumber(n int) string { return strconv.Itoa(n) }
