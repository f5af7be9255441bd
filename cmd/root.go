// The commands of the program.

package cmd

import (
	"io"
	"log/slog"
	"strconv"

	charmlog "charm.land/log/v2"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"postern/core/password"
)

// root makes the whole tree. Without a verb the program is the local door.
func (p *process) root() *cobra.Command {
	root := &cobra.Command{
		Use: "postern", Short: p.dict.T("verb.postern"), Long: p.dict.T("verb.postern_long"),
		Example: "postern\npostern serve --data /srv/postern --ssh :2222\npostern demo\npostern user list --json",
		Version: versionLine(),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage("unknown command " + strconv.Quote(args[0]))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return p.local(cmd) },
	}
	root.SetFlagErrorFunc(usageErrors)
	shared := root.PersistentFlags()
	shared.String("config", "", p.dict.T("flag.config"))
	shared.String("data", "", p.dict.T("flag.data"))
	shared.String("log-level", "info", p.dict.T("flag.log_level"))
	shared.Bool("json", false, p.dict.T("flag.json"))
	root.Flags().Bool("plain", false, p.dict.T("flag.plain"))
	p.hashFlags(root.Flags())

	root.AddCommand(p.serveCommand(), p.demoCommand())
	root.AddCommand(p.verbs()...)
	return root
}

// hashFlags are the settings of those doors that store passwords.
func (p *process) hashFlags(flags *pflag.FlagSet) {
	d := password.DefaultParams()
	flags.Int("hash-memory", int(d.Memory/1024), p.dict.T("flag.hash_memory"))
	flags.Int("hash-time", int(d.Time), p.dict.T("flag.hash_time"))
	flags.Int("hash-slots", 0, p.dict.T("flag.hash_slots"))
	flags.String("breached", "", p.dict.T("flag.breached"))
}

// level is the log level of the settings.
func (s *settings) level() (charmlog.Level, error) { return charmlog.ParseLevel(s.Log.Level) }

// logger writes what an operator should know to w.
func (p *process) logger(s settings, w io.Writer) (*slog.Logger, error) {
	level, err := s.level()
	if err != nil {
		return nil, err
	}
	return slog.New(charmlog.NewWithOptions(w, charmlog.Options{
		Level: level, ReportTimestamp: true, TimeFormat: "2006-01-02 15:04:05",
	})), nil
}
