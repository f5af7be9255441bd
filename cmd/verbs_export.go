// The verb that hands somebody's own data over: `ssh host export > me.json`.

package cmd

import (
	"context"
	"io"
	"path/filepath"

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
	cmd := v.verb("export", "export", 0, 0, func(ctx context.Context, c *Call, _ []string) error {
		if err := c.whose(user); err != nil {
			return err
		}
		write := func(w io.Writer) (core.Exported, error) {
			if user != "" {
				return c.Portal.Data.ExportOf(ctx, c.Actor, user, w, nil)
			}
			return c.Portal.Data.Export(ctx, c.Actor, w, nil)
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
