// Verbs about the chain over the trail.

package cmd

import (
	"context"

	"github.com/spf13/cobra"

	"postern/core"
	"postern/core/text"
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
		err = c.answer(r, func(p *page) { c.verified(p, r) })
		if err == nil && r.Found > 0 {
			return errSaid
		}
		return err
	})
	cmd.Flags().StringVar(&head, "head", "", v.flag("audit_head"))
	return cmd
}

func (c *Call) verified(p *page, r core.VerifyReport) {
	p.line(c.Dict.T("chain.looked", "Count", r.Entries, "Blocks", r.Blocks))
	for _, n := range []struct {
		key string
		n   int
	}{{"chain.unsealed", r.Unsealed}, {"chain.removed", r.Removed}, {"chain.cut", int(r.Cut)}} {
		if n.n > 0 {
			p.line(c.Dict.T(n.key, "Count", n.n))
		}
	}
	if r.Signed {
		p.line(c.Dict.T("chain.signed", "Key", text.Escape(r.Key)))
	} else {
		p.line(c.Dict.T("chain.not_signed"))
	}
	if r.Noted != "" {
		p.line(c.Dict.T("chain.noted." + r.Noted))
	}
	for _, f := range r.Findings {
		p.line(c.Dict.T("chain.finding."+string(f.Kind), "Entry", text.Escape(f.Entry), "Block", plainNumber(int(f.Block))))
	}
	switch {
	case r.Found > len(r.Findings):
		p.line(c.Dict.T("chain.more", "Count", r.Found-len(r.Findings)))
	case r.Found == 0:
		p.line(c.Dict.T("chain.holds"))
	}
	if r.Head != "" {
		p.line(c.Dict.T("chain.head", "Head", r.Head))
	}
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
