// The demonstration: a portal full of invented people that is gone afterwards.

package cmd

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"postern/cmd/demo"
	"postern/core"
	"postern/screens"
)

func (p *process) demoCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "demo", Short: p.dict.T("verb.demo"), Long: p.dict.T("verb.demo_long"), Args: between(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return p.demo(cmd) },
	}
	cmd.Flags().String("ssh", "", p.dict.T("flag.demo_ssh"))
	cmd.Flags().Bool("plain", false, p.dict.T("flag.plain"))
	return cmd
}

// demo shows the demonstration in this terminal or, with --ssh, to visitors.
func (p *process) demo(cmd *cobra.Command) error {
	ctx := cmd.Context()
	s, err := p.settings(cmd.Flags())
	if err != nil {
		return err
	}
	// The address for the real portal, from file or environment, is not meant here.
	over := cmd.Flags().Changed("ssh")
	if !over {
		if err := p.needTerminal(s.Plain); err != nil {
			return err
		}
	}
	if over {
		if err := checkAddress(s.SSH); err != nil {
			return err
		}
	}
	errors := p.err
	if !over { // the terminal is full of screens, and nothing of this is worth a file
		if errors, err = os.OpenFile(os.DevNull, os.O_WRONLY, 0); err != nil {
			return err
		}
		defer errors.Close()
	}
	log, err := p.logger(s, errors)
	if err != nil {
		return err
	}
	d, end, err := p.openDemo(ctx, itself(log), log)
	if err != nil {
		return err
	}
	defer end()
	words := &demoWords{}
	if !over {
		return p.show(ctx, stage{portal: d.Portal, log: log, plain: s.Plain, door: core.DoorDemo, demo: words})
	}
	dir, err := os.MkdirTemp("", "postern-demo-*") // for the host key; made with mode 0700
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	server, err := p.listen(s.SSH, filepath.Join(dir, hostKeyFile), &reception{
		portal: d.Portal, catalog: p.catalog, log: log, demo: words,
	}, log)
	if err != nil {
		return err
	}
	p.welcome(server, p.dict.T("demo.nowhere"))
	return p.serveUntil(ctx, server, log)
}

// openDemo makes the demonstration and does in it what a door does by itself, until
// the returned function is called. Messages and posts stay where they can be read:
// the portal has nothing to send them with.
func (p *process) openDemo(ctx context.Context, analyst core.Analyst, log *slog.Logger) (d *demo.Demo, end func(), err error) {
	d, err = demo.New(ctx, demo.Options{Log: log, Writer: screens.Words{Catalog: p.catalog}, Analyst: analyst})
	if err != nil {
		return nil, nil, err
	}
	stop := keepHouse(ctx, d.Portal, log)
	return d, func() {
		stop()
		d.Close()
	}, nil
}

// demoWords says on every screen that nothing of it is real, and whom one may
// be. A nil one says nothing.
type demoWords struct{}

// dress makes an Env one of the demonstration.
func (w *demoWords) dress(env *screens.Env) {
	if w == nil {
		return
	}
	env.Demo, env.DemoName, env.DemoPassword = true, demo.Owner, demo.Password
	env.DemoMember = demo.Member
	env.Banner = func() string { return env.T("demo.banner") }
}
