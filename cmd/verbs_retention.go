// Verbs about what is kept and what goes.

package cmd

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"postern/core"
	"postern/core/text"
	"postern/screens"
)

func (v verbSet) retention() *cobra.Command {
	return v.group("retention", "retention", v.retentionRun("preview", "retention_preview", (*core.Retention).Preview),
		v.retentionRun("run", "retention_run", (*core.Retention).Run), v.retentionHolds(), v.retentionHold(), v.retentionRelease())
}

// retentionRun counts what would go, or lets it go.
func (v verbSet) retentionRun(name, key string, do func(*core.Retention, context.Context, core.Actor, func(int, int)) (core.RetentionCount, error)) *cobra.Command {
	return v.verb(name, key, 0, 0, func(ctx context.Context, c *Call, _ []string) error {
		n, err := do(c.Portal.Retention, ctx, c.Actor, nil)
		if err != nil {
			return err
		}
		return c.answer(n, func(p *page) {
			p.line(c.Dict.T("done." + key))
			for _, said := range screens.RetentionText(c.Dict, n) {
				p.line(said)
			}
		})
	})
}

func (v verbSet) retentionHolds() *cobra.Command {
	var pg paging
	cmd := v.verb("holds", "retention_holds", 0, 0, func(ctx context.Context, c *Call, _ []string) error {
		if err := pg.check(); err != nil {
			return err
		}
		list, err := c.Portal.Retention.Holds(ctx, c.Actor, pg.after, pg.limit)
		if err != nil {
			return err
		}
		shape := holdsShape{Holds: list.Holds, Next: list.Next}
		if shape.Holds == nil {
			shape.Holds = []core.Hold{}
		}
		return c.answer(shape, func(p *page) {
			rows := make([][]string, len(list.Holds))
			for i, h := range list.Holds {
				by := text.Escape(h.ByName)
				if h.By == core.ActorConsole {
					by = c.Dict.T("roles.by_console")
				}
				rows[i] = []string{or(h.UserName), c.when(h.At), c.end(h.Until), or(by), text.Escape(h.Reason)}
			}
			if len(rows) == 0 {
				p.line(c.Dict.T("retention.no_holds"))
			} else {
				p.table(c.titles("user", "since", "until", "who", "reason"), rows)
			}
			c.more(p, list.Next)
		})
	})
	return v.paged(cmd, &pg)
}

// holdsShape is a page of holds; Next is for --after.
type holdsShape struct {
	Holds []core.Hold `json:"holds"`
	Next  string      `json:"next,omitempty"`
}

func (v verbSet) retentionHold() *cobra.Command {
	var why, until string
	cmd := v.verb("hold USER", "retention_hold", 1, 1, func(ctx context.Context, c *Call, args []string) error {
		var end time.Time
		if until != "" {
			var err error
			if end, err = core.ParseEnd(until, c.Dict.Zone()); err != nil {
				return err
			}
		}
		h, err := c.Portal.Retention.Hold(ctx, c.Actor, args[0], why, end)
		if err != nil {
			return err
		}
		return c.answer(h, func(p *page) {
			p.line(c.Dict.T("done.retention_hold", "User", text.Escape(h.UserName), "Until", c.end(h.Until)))
		})
	})
	cmd.Flags().StringVar(&why, "reason", "", v.flag("reason"))
	cmd.Flags().StringVar(&until, "until", "", v.flag("hold_until"))
	return cmd
}

func (v verbSet) retentionRelease() *cobra.Command {
	return v.verb("release USER", "retention_release", 1, 1, func(ctx context.Context, c *Call, args []string) error {
		if err := c.Portal.Retention.Release(ctx, c.Actor, args[0]); err != nil {
			return err
		}
		return c.answer(doneShape{Done: "retention release", ID: args[0]}, func(p *page) {
			p.line(c.Dict.T("done.retention_release", "User", text.Escape(args[0])))
		})
	})
}
