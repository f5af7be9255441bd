// The verb that hands the trail over, with a proof if it is wanted.

package cmd

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"postern/core"
	"postern/core/text"
)

// auditExport writes to a file, or to standard output: `ssh host audit export > trail.csv`.
func (v verbSet) auditExport() *cobra.Command {
	var f auditFlags
	var format, out, proof string
	cmd := v.verb("export", "audit_export", 0, 0, func(ctx context.Context, c *Call, _ []string) error {
		q, err := c.auditQuery(f)
		if err != nil {
			return err
		}
		if v.far && proof != "" && proof != "-" {
			return usage("--proof " + text.Escape(proof) + " (-)")
		}
		if proof == "-" && format == core.AuditCSV {
			return usage("--proof - (--format " + core.AuditJSONL + ")")
		}
		x := exporting{}
		defer x.drop()
		if err := x.open(c, out, proof); err != nil {
			return err
		}
		var w io.Writer = c.Out
		if x.file != nil {
			w = x.file
		}
		var n int
		switch {
		case x.proof != nil:
			n, err = c.Portal.Audit.ExportProved(ctx, c.Actor, q, format, w, x.proof, nil)
		case proof == "-":
			n, err = c.Portal.Audit.ExportProved(ctx, c.Actor, q, format, w, nil, nil)
		default:
			n, err = c.Portal.Audit.Export(ctx, c.Actor, q, format, w, nil)
		}
		var at *fs.PathError
		if x.file != nil && errors.As(err, &at) {
			return backupError(err, x.file.path)
		} else if err != nil {
			return exportUsage(err, format, f)
		}
		if err := x.keep(); err != nil || x.file == nil {
			return err
		}
		shape := exportShape{File: x.file.path, Format: format, Entries: n}
		if x.proof != nil {
			shape.Proof = x.proof.path
		}
		return c.answer(shape, func(p *page) {
			p.line(c.Dict.T("done.audit_export", "Count", n, "File", text.Escape(shape.File)))
			if shape.Proof != "" {
				p.line(c.Dict.T("done.audit_proof", "File", text.Escape(shape.Proof)))
			}
		})
	})
	cmd.Flags().StringVar(&format, "format", core.AuditJSONL, v.flag("audit_format"))
	if !v.far {
		cmd.Flags().StringVar(&out, "out", "", v.flag("audit_out"))
		cmd.Flags().StringVar(&proof, "proof", "", v.flag("audit_proof"))
	} else {
		cmd.Flags().StringVar(&proof, "proof", "", v.flag("audit_proof_far"))
	}
	v.auditFlags(cmd, &f, true)
	return cmd
}

// exportUsage says which flag of an export cannot be meant.
func exportUsage(err error, format string, f auditFlags) error {
	var refusal *core.Error
	if errors.As(err, &refusal) && refusal.Field == "format" {
		return usage("--format " + text.Escape(format) + " (" + strings.Join(core.AuditFormats(), ", ") + ")")
	}
	return auditUsage(err, f)
}

// exportShape is an export that was written to a file.
type exportShape struct {
	File    string `json:"file"`
	Format  string `json:"format"`
	Entries int    `json:"entries"`
	Proof   string `json:"proof,omitempty"`
}

// exporting holds the files of an export, until both are whole.
type exporting struct {
	file, proof *saving // nil: standard output, or none
}

func (x *exporting) open(c *Call, file, proof string) error {
	for _, f := range []struct {
		path string
		to   **saving
	}{{file, &x.file}, {proof, &x.proof}} {
		if f.path == "" || f.path == "-" {
			continue
		}
		path := f.path
		if !filepath.IsAbs(path) {
			path = filepath.Join(c.Dir, path)
		}
		var err error
		if *f.to, err = beginFile(path); err != nil {
			return backupError(err, path)
		}
	}
	return nil
}

// keep keeps the proof before the file that it is of.
func (x *exporting) keep() error {
	for _, f := range []*saving{x.proof, x.file} {
		if f == nil {
			continue
		}
		if _, err := f.Keep(); err != nil {
			return backupError(err, f.path)
		}
	}
	return nil
}

func (x *exporting) drop() {
	for _, f := range []*saving{x.proof, x.file} {
		if f != nil {
			f.Drop()
		}
	}
}
