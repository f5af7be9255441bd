// Verbs about the chain over the trail.

package cmd

import (
	"context"

	"github.com/spf13/cobra"

	"postern/core/text"
	"postern/screens"
)

// auditVerify walks the whole trail. What waits is sealed before, so that as much
// as can be is shown to be as it was. With --file it verifies an export instead.
func (v verbSet) auditVerify() *cobra.Command {
	var f verifyFlags
	cmd := v.verb("verify", "audit_verify", 0, 0, func(ctx context.Context, c *Call, _ []string) error {
		switch {
		case f.file != "":
			return c.verifyExport(ctx, f)
		case f.proof != "" || f.key != "":
			return usage("--file")
		}
		if _, err := c.Portal.Audit.Head(ctx, c.Actor); err != nil {
			return err
		}
		if _, err := c.Portal.Audit.SealNow(ctx); err != nil {
			return err
		}
		look, done := c.tell(f.progress, func(percent int64) string { return c.Dict.T("chain.progress", "Percent", percent) })
		r, err := c.Portal.Audit.Verify(ctx, c.Actor, f.head, func(done, total int) {
			if look != nil {
				look(int64(done), int64(total))
			}
		})
		done()
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
	cmd.Flags().StringVar(&f.head, "head", "", v.flag("audit_head"))
	if !v.far { // no file here is theirs
		cmd.Flags().StringVar(&f.file, "file", "", v.flag("audit_file"))
		cmd.Flags().StringVar(&f.proof, "proof", "", v.flag("audit_file_proof"))
		cmd.Flags().StringVar(&f.key, "key", "", v.flag("audit_key"))
	}
	return v.telling(cmd, &f.progress)
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

// auditAdopt says that a key was the host key before.
func (v verbSet) auditAdopt() *cobra.Command {
	return v.verb("adopt FINGERPRINT", "audit_adopt", 1, 1, func(ctx context.Context, c *Call, args []string) error {
		out, err := c.Portal.Audit.Adopt(ctx, c.Actor, args[0])
		if err != nil {
			return err
		}
		return c.answer(out, func(p *page) {
			p.line(c.Dict.T("done.audit_adopt", "Key", text.Escape(out.Fingerprint), "Block", c.Dict.Number(int64(out.Block)), "Count", out.Signed))
		})
	})
}
