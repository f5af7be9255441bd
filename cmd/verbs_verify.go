// Verbs about the chain over the trail.

package cmd

import (
	"context"

	"github.com/spf13/cobra"

	"postern/screens"
)

// auditVerify walks the whole trail. What waits is sealed before, so that as much
// as can be is shown to be as it was.
func (v verbSet) auditVerify() *cobra.Command {
	var head string
	cmd := v.verb("verify", "audit_verify", 0, 0, func(ctx context.Context, c *Call, _ []string) error {
		if _, err := c.Portal.Audit.Head(ctx, c.Actor); err != nil {
			return err
		}
		if _, err := c.Portal.Audit.SealNow(ctx); err != nil {
			return err
		}
		r, err := c.Portal.Audit.Verify(ctx, c.Actor, head, nil)
		if err != nil {
			return err
		}
		err = c.answer(r, func(p *page) {
			for _, said := range screens.VerifyText(c.Dict, r) {
				p.line(said)
			}
		})
		if err == nil && r.Found > 0 {
			return errSaid
		}
		return err
	})
	cmd.Flags().StringVar(&head, "head", "", v.flag("audit_head"))
	return cmd
}

// headShape is the end of the chain, to be noted.
type headShape struct {
	Head string `json:"head"`
}

func (v verbSet) auditHead() *cobra.Command {
	return v.verb("head", "audit_head", 0, 0, func(ctx context.Context, c *Call, _ []string) error {
		h, err := c.Portal.Audit.Head(ctx, c.Actor)
		if err != nil {
			return err
		}
		return c.answer(headShape{h.String()}, func(p *page) { p.line(or(h.String())) })
	})
}
