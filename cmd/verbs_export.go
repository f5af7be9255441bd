// The verbs that hand somebody's own data over: `ssh host export > me.json`, and the
// receipt of that: `ssh host export receipt > me.json.receipt`.

package cmd

import (
	"context"
	"io"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"postern/core"
	"postern/core/text"
)

// archiveShape is an archive that was written to a file.
type archiveShape struct {
	File      string `json:"file"`
	Receipt   string `json:"receipt"`
	Signature string `json:"signature,omitempty"`
}

// export writes the archive to standard output, or to a file with its receipt
// beside it. The machine's own console says whose it is to be.
func (v verbSet) export() *cobra.Command {
	var out, user string
	var watched bool
	cmd := v.verb("export", "export", 0, 0, func(ctx context.Context, c *Call, _ []string) error {
		if err := c.whose(user); err != nil {
			return err
		}
		write := func(w io.Writer) (core.Exported, error) {
			look, done := c.tell(watched, func(percent int64) string { return c.Dict.T("mydata.progress", "Percent", percent) })
			defer done()
			progress := func(_ int, share float64) {
				if look != nil {
					look(int64(share*100), 100)
				}
			}
			if user != "" {
				return c.Portal.Data.ExportOf(ctx, c.Actor, user, w, progress)
			}
			return c.Portal.Data.Export(ctx, c.Actor, w, progress)
		}
		if out == "" {
			_, err := write(c.Out)
			return err
		}
		path := out
		if !filepath.IsAbs(path) {
			path = filepath.Join(c.Dir, path)
		}
		file, err := beginFile(path)
		if err != nil {
			return backupError(err, path)
		}
		defer file.Drop()
		r, err := write(file)
		if err != nil {
			return err
		}
		shape := archiveShape{File: path, Receipt: path + ".receipt"}
		if err := keepText(shape.Receipt, r.Document); err != nil {
			return backupError(err, shape.Receipt)
		}
		if r.Signature != "" {
			shape.Signature = shape.Receipt + ".sig"
			if err := keepText(shape.Signature, r.Signature); err != nil {
				return backupError(err, shape.Signature)
			}
		}
		if _, err := file.Keep(); err != nil {
			return backupError(err, path)
		}
		return c.answer(shape, func(p *page) {
			p.line(c.Dict.T("done.export", "File", text.Escape(path), "Receipt", text.Escape(shape.Receipt)))
		})
	})
	if !v.far {
		cmd.Flags().StringVar(&out, "out", "", v.flag("export_out"))
		cmd.Flags().StringVar(&user, "user", "", v.flag("export_user"))
	}
	if v.shown { // what is written to the terminal itself is not written over
		given := cmd.RunE
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			watched = watched && out != ""
			return given(cmd, args)
		}
	}
	cmd.AddCommand(v.exportReceipt())
	return v.telling(cmd, &watched)
}

// exportedShape is the receipt of an export, and when that was.
type exportedShape struct {
	At time.Time `json:"at"`
	core.Receipt
}

// exportReceipt writes the document of one's own last export as it was signed, or
// its signature, so that ssh-keygen can verify it.
func (v verbSet) exportReceipt() *cobra.Command {
	var signature bool
	cmd := v.verb("receipt", "export_receipt", 0, 0, func(ctx context.Context, c *Call, _ []string) error {
		r, at, err := c.Portal.Data.Receipt(ctx, c.Actor)
		if err != nil {
			return err
		}
		if c.JSON {
			return writeJSON(c.Out, exportedShape{at, r})
		}
		doc := r.Document
		if signature {
			doc = r.Signature
		}
		_, err = io.WriteString(c.Out, doc)
		return err
	})
	cmd.Flags().BoolVar(&signature, "signature", false, v.flag("request_signature"))
	return cmd
}

// keepText writes a small file that was not there before.
func keepText(path, content string) error {
	file, err := beginFile(path)
	if err != nil {
		return err
	}
	defer file.Drop()
	if _, err := io.WriteString(file, content); err != nil {
		return err
	}
	_, err = file.Keep()
	return err
}
