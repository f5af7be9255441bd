// The verb that takes accounts in from a file: `import people.csv` at the machine,
// `ssh host import - < people.jsonl` from elsewhere.

package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"postern/cmd/sshd"
	"postern/core"
	"postern/core/text"
)

// Bounds of what is said of refused lines, and of what may be piped in.
const (
	importSaid   = 20   // for people
	importListed = 1000 // for --json
	importPiped  = 1 << 20
)

// importShape is what became of an import. Error says why it was given up.
type importShape struct {
	ID              core.ImportID     `json:"id"` // the SHA-256 of what was read
	File            string            `json:"file,omitempty"`
	DryRun          bool              `json:"dry_run"`
	Imported        int               `json:"imported"` // in a dry run those that would be made
	Refused         int               `json:"refused"`
	Skipped         int               `json:"skipped"`          // lines that an earlier run is through with
	WithoutPassword int               `json:"without_password"` // of imported
	Line            int               `json:"line"`             // the last one that was looked at
	Complete        bool              `json:"complete"`
	Errors          []importLineShape `json:"errors"`
	More            int               `json:"more,omitempty"`        // refused lines that are not listed
	ErrorsFile      string            `json:"errors_file,omitempty"` // that has all of them
	Error           *errorShape       `json:"error,omitempty"`
}

// importLineShape is one line that was refused; a file of --errors has one a line.
type importLineShape struct {
	Line    int       `json:"line"`
	Field   string    `json:"field,omitempty"`
	Code    core.Code `json:"code"`
	Message string    `json:"message"`
}

// importFlags are what the verb is asked for.
type importFlags struct {
	format, errors string
	dry, progress  bool
}

// importAccounts reads the file in the process that holds the data, which is on
// the same machine. Whoever comes from afar pipes it in: no file here is theirs.
func (v verbSet) importAccounts() *cobra.Command {
	var f importFlags
	cmd := v.verb("import FILE", "import", 1, 1, func(ctx context.Context, c *Call, args []string) error {
		src, path, err := v.importSource(c, args[0])
		if err != nil {
			return err
		}
		defer src.Close()
		if f.format == "" {
			f.format = core.ImportJSONL
			if strings.EqualFold(filepath.Ext(path), ".csv") {
				f.format = core.ImportCSV
			}
		}
		return c.importFrom(ctx, src, path, f)
	})
	cmd.Flags().StringVar(&f.format, "format", "", v.flag("import_format"))
	cmd.Flags().BoolVar(&f.dry, "dry-run", false, v.flag("import_dry_run"))
	if !v.far {
		cmd.Flags().StringVar(&f.errors, "errors", "", v.flag("import_errors"))
	}
	return v.telling(cmd, &f.progress)
}

// heldSource is a source that holds nothing which must be closed.
type heldSource struct{ io.ReadSeeker }

// Close does nothing.
func (heldSource) Close() error { return nil }

// importSource opens what is to be imported; it is read twice.
func (v verbSet) importSource(c *Call, file string) (src io.ReadSeekCloser, path string, err error) {
	if file != "-" {
		if v.far {
			return nil, "", usage("import " + file + " (-)")
		}
		path = file
		if !filepath.IsAbs(path) {
			path = filepath.Join(c.Dir, path)
		}
		f, err := os.Open(path)
		if err != nil {
			return nil, path, fileUnread(err, path)
		}
		// A pipe or a terminal of this process is not what was meant at another one.
		if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
			_ = f.Close() // Nothing was written.
			return nil, path, fail("file_not_regular", "File", text.Escape(path))
		}
		return f, path, nil
	}
	if v.in == nil {
		f := fail("import_no_pipe")
		f.exit, f.code = exitUsage, "usage"
		return nil, "", f
	}
	if f, isFile := v.in.(*os.File); isFile {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			return heldSource{f}, "", nil
		}
		if term.IsTerminal(int(f.Fd())) {
			return nil, "", usage("import FILE")
		}
	}
	b, err := io.ReadAll(io.LimitReader(v.in, importPiped+1))
	if errors.Is(err, sshd.ErrInputTooLarge) || len(b) > importPiped {
		return nil, "", fail("import_too_much", "KiB", importPiped/1024)
	}
	if err != nil {
		return nil, "", fail("piped").because(err)
	}
	return heldSource{bytes.NewReader(b)}, "", nil
}

func fileUnread(err error, path string) error {
	detail := err.Error()
	var at *fs.PathError
	if errors.As(err, &at) {
		detail = at.Err.Error()
	}
	return fail("file_unread", "File", text.Escape(path), "Detail", text.Escape(detail)).because(err)
}

// importFrom imports, and says what became of it.
func (c *Call) importFrom(ctx context.Context, src io.ReadSeeker, path string, f importFlags) error {
	shape := importShape{File: path, DryRun: f.dry, Errors: []importLineShape{}}
	var log *saving
	var logged error
	if f.errors != "" {
		at := f.errors
		if !filepath.IsAbs(at) {
			at = filepath.Join(c.Dir, at)
		}
		var err error
		if log, err = beginFile(at); err != nil {
			return backupError(err, at)
		}
		defer log.Drop()
	}
	report := func(p core.ImportProblem) {
		line := importLineShape{Line: p.Line, Field: p.Err.Field, Code: p.Err.Code, Message: c.importWhy(p.Err)}
		if len(shape.Errors) < importListed {
			shape.Errors = append(shape.Errors, line)
		} else {
			shape.More++
		}
		if log != nil && logged == nil {
			var doc []byte
			if doc, logged = json.Marshal(line); logged == nil {
				_, logged = log.Write(append(text.JSON(doc), '\n'))
			}
		}
	}
	look, done := c.tell(f.progress, func(percent int64) string { return c.Dict.T("import.progress", "Percent", percent) })
	got, err := c.Portal.Imports.Import(ctx, c.Actor, src, core.ImportOptions{Format: f.format, Dry: f.dry}, report, look)
	done()
	if err != nil && got.Line == 0 && got.Skipped == 0 {
		return c.importRefused(err, f.format)
	}
	shape.ID, shape.Imported, shape.Refused, shape.Skipped = got.ID, got.Imported, got.Refused, got.Skipped
	shape.WithoutPassword, shape.Line, shape.Complete = got.NoPassword, got.Line, got.Complete
	if log != nil && logged == nil {
		shape.ErrorsFile, logged = log.Keep()
	}
	if err != nil {
		said, _ := explain(c.importRefused(err, f.format), c.Dict)
		if ctx.Err() != nil {
			said = errorShape{Code: "interrupted", Message: c.Dict.T("cmd.interrupted")}
		}
		shape.Error = &said
	}
	if bad := c.answer(shape, func(p *page) { c.importPage(p, shape) }); bad != nil {
		return bad
	}
	if logged != nil { // the accounts are there all the same
		if c.JSON {
			return errSaid
		}
		return backupError(logged, f.errors)
	}
	if err != nil || got.Refused > 0 {
		return errSaid
	}
	return nil
}

// importPage says it for people.
func (c *Call) importPage(p *page, s importShape) {
	done, without := "import.done", "import.no_password"
	if s.DryRun {
		done, without = "import.would", "import.would_no_password"
	}
	p.line(c.Dict.T(done, "Count", s.Imported))
	if s.WithoutPassword > 0 {
		p.line(c.Dict.T(without, "Count", s.WithoutPassword))
	}
	if s.Skipped > 0 {
		p.line(c.Dict.T("import.skipped", "Count", s.Skipped))
	}
	if s.Refused > 0 {
		p.line(c.Dict.T("import.refused", "Count", s.Refused))
		var rows [][]string
		for _, e := range s.Errors[:min(len(s.Errors), importSaid)] {
			rows = append(rows, []string{"  " + c.Dict.T("import.line", "Line", e.Line), e.Message})
		}
		p.table(nil, rows)
		if more := s.Refused - len(rows); more > 0 {
			p.line("  " + c.Dict.T("import.more", "Count", more))
		}
	}
	if s.ErrorsFile != "" {
		p.line(c.Dict.T("import.errors_file", "File", text.Escape(s.ErrorsFile)))
	}
	if s.Error != nil {
		p.line(s.Error.Message)
		if !s.DryRun {
			p.line(c.Dict.T("import.goes_on", "Line", s.Line))
		}
	}
}

// importWhy says what is wrong with a line, or with the titles: what a field looks
// like here is told more exactly than for one that is typed.
func (c *Call) importWhy(e *core.Error) string {
	for _, field := range []string{e.Field, "any"} {
		if key := "import.why." + string(e.Code) + "." + field; e.Rule != "column" && c.Dict.Has(key) || e.Rule == "column" && field == "any" && c.Dict.Has(key) {
			return c.Dict.T("cmd.about", "Field", text.Escape(e.Field), "Sentence", c.Dict.T(key, "N", e.N, "Columns", strings.Join(core.ImportColumns(), ", ")))
		}
	}
	return sentence(c.Dict, e)
}

// importRefused makes the refusal of a whole file.
func (c *Call) importRefused(err error, format string) error {
	var e *core.Error
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case e.Field == "format":
		return usage("--format " + format + " (" + strings.Join(core.ImportFormats(), ", ") + ")")
	case e.Field != "":
		return &failure{exit: exitOf(e.Code), code: string(e.Code), key: "cmd.verbatim", args: []any{"Text", c.importWhy(e)}, err: e}
	}
	return err
}
