// Import: accounts that were made elsewhere come in from a file, line by line. A
// batch of lines is one act with one entry in the trail; where it has come to is
// written in the same transaction, so that the same file goes on from there.

package core

import (
	"context"
	"errors"
	"hash/maphash"
	"io"
	"slices"
	"time"

	"postern/store"
)

// The formats of an import.
const (
	ImportJSONL = "jsonl" // one JSON object a line
	ImportCSV   = "csv"   // RFC 4180 with a line of titles; a record never spans lines
)

// ImportFormats returns both.
func ImportFormats() []string { return []string{ImportJSONL, ImportCSV} }

// Bounds of an import.
const (
	MaxImportLine    = 64 << 10 // bytes of one line
	importBatch      = 200      // lines of one transaction
	importBatchBytes = 1 << 20  // bytes of them, so that long lines take no more memory
)

// ImportID names a file by what is in it: the SHA-256 in hexadecimal.
type ImportID string

// Short is the ID as it is shown and written in the trail.
func (id ImportID) Short() string { return string(id[:min(len(id), 16)]) }

// importRecord says how far a file has been imported; keyed by its ImportID. It
// names nobody.
type importRecord struct {
	ID      ImportID  `json:"id"`
	Format  string    `json:"format"`
	Begun   time.Time `json:"begun"`
	At      time.Time `json:"at"`   // of the last batch
	Line    int       `json:"line"` // the last one that was taken or refused
	Lines   int       `json:"lines"`
	Added   int       `json:"imported"`
	Refused int       `json:"refused"`
}

var imports = store.NewTable[importRecord]("import", 1)

// Imports takes accounts in from files.
type Imports struct{ *base }

// ImportOptions say how a file is imported.
type ImportOptions struct {
	Format string // ImportJSONL or ImportCSV
	Dry    bool   // find every error, and change nothing
}

// ImportProblem is one line that was refused. Err's field is the column; it
// repeats nothing of the line.
type ImportProblem struct {
	Line int // counted from 1, titles and empty lines too
	Err  *Error
}

// ImportResult is what became of an import, also of one that was given up.
type ImportResult struct {
	ID         ImportID
	Dry        bool
	Imported   int  // accounts; in a dry run those that would be made
	Refused    int  // lines
	Skipped    int  // lines that an earlier run of the same file is through with
	NoPassword int  // of Imported: they sign in by a one-time code first
	Line       int  // the last line that was looked at
	Complete   bool // the whole file is through
}

// errFileChanged says that a file is not what it was when the import began.
var errFileChanged = errors.New("core: the file changed while it was imported")

// Import makes an account of each line of src, which is read twice from its
// beginning: to know it by its hash, and for its lines. Each line is held to what
// sign-up asks for; one that is refused is reported and stops no other. It comes
// with the hash of a password that another program made (password.Scheme), or with
// none; then no password counts until a one-time code was used. Agreements are
// asked at the first sign-in, and nobody is sent anything.
//
// What an earlier run of the same file is through with is passed over. When ctx is
// done it ends after the batch that was begun. report and progress (bytes) may be
// nil. It holds one batch in memory; a dry run up to 150 bytes a line more, by which
// it knows doubles within the file.
//
// CodeDenied and CodeStepUp; CodeFormat for the format (field "format"); of a CSV
// file's titles CodeNotFound with the unknown column (Rule "column"), CodeSame for
// one that is there twice and CodeRequired for "user_name" that is missing: then
// nothing was done. With what was done until then: CodeFull when the quota of
// accounts is used up, CodeConflict (field "file") when the file changed or is
// imported by somebody else at this moment, CodeUnavailable, CodeSessionEnded.
func (s *Imports) Import(ctx context.Context, actor Actor, src io.ReadSeeker, opt ImportOptions, report func(ImportProblem), progress func(done, total int64)) (ImportResult, error) {
	if !slices.Contains(ImportFormats(), opt.Format) {
		return ImportResult{}, &Error{Code: CodeFormat, Field: "format", Rule: ImportJSONL + ", " + ImportCSV}
	}
	r := &importRun{base: s.base, ctx: ctx, actor: actor, opt: opt, report: report, progress: progress,
		out: ImportResult{Dry: opt.Dry}, zones: map[string]bool{"": true}, seed: maphash.MakeSeed(), seen: map[uint64]struct{}{}}
	_, err := s.look(ctx, actor, func(t *txn) error { return t.mayImport() })
	if err == nil {
		err = r.prepare(src)
	}
	if err != nil {
		return r.out, s.refused(ctx, actor, ActImport, "", asError(err))
	}
	err = r.lines()
	return r.out, asError(err)
}

// mayImport is asked once: an import takes longer than a proof is fresh.
func (t *txn) mayImport() error {
	if err := t.may(OpImport, ""); err != nil {
		return err
	}
	return t.requireProof()
}
