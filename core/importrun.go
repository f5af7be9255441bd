// An import that is under way: batch by batch, each in its transaction.

package core

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash/maphash"
	"io"
	"slices"

	"postern/core/names"
	"postern/store"
)

// importRun is an import that is under way.
type importRun struct {
	*base
	ctx      context.Context
	actor    Actor
	opt      ImportOptions
	report   func(ImportProblem)
	progress func(done, total int64)

	size   int64
	from   importRecord // what an earlier run did
	reader *importReader
	out    ImportResult
	zones  map[string]bool // time zones that were found to be ones

	seed  maphash.Seed
	seen  map[uint64]struct{} // names and addresses of a dry run
	fresh int                 // accounts that a dry run would have made
}

// prepare reads the file once, looks for an earlier run, and reads the titles.
func (r *importRun) prepare(src io.ReadSeeker) error {
	sum := sha256.New()
	if _, err := src.Seek(0, io.SeekStart); err != nil {
		return err
	}
	n, err := io.Copy(sum, &interruptible{r.ctx, src})
	if err != nil {
		return err
	}
	r.size, r.out.ID = n, ImportID(hex.EncodeToString(sum.Sum(nil)))
	if _, err := src.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err = r.look(r.ctx, Actor{}, func(t *txn) (err error) {
		r.from, err = imports.Get(t, string(r.out.ID))
		if errors.Is(err, store.ErrNotFound) || err == nil && r.from.Format != r.opt.Format {
			r.from, err = importRecord{}, nil
		}
		return err
	})
	if err != nil {
		return err
	}
	r.reader, err = newImportReader(io.LimitReader(&interruptible{r.ctx, src}, n), r.opt.Format)
	if err == nil {
		r.reader.past = r.from.Line
	}
	return err
}

// lines goes through the file, batch by batch.
func (r *importRun) lines() error {
	for {
		batch, read, end := r.batch()
		if end != nil && !errors.Is(end, io.EOF) {
			return end // what was read of this batch is read again by the next run
		}
		full := false
		if len(batch) > 0 {
			var err error
			if full, err = r.commit(batch); err != nil {
				return err
			}
		}
		if r.progress != nil {
			r.progress(read, r.size)
		}
		switch {
		case full:
			return refuse(CodeFull)
		case end != nil && ImportID(hex.EncodeToString(r.reader.sum.Sum(nil))) != r.out.ID:
			return &Error{Code: CodeConflict, Field: "file", Err: errFileChanged}
		case end != nil:
			r.out.Complete = true
			return nil
		case r.ctx.Err() != nil:
			return r.ctx.Err()
		}
	}
}

// batch reads on, over the lines that an earlier run is through with.
func (r *importRun) batch() (rows []importRow, read int64, end error) {
	bytes := 0
	for len(rows) < importBatch && bytes < importBatchBytes {
		line, in, err := r.reader.next()
		var refusal *Error
		if err != nil && !errors.As(err, &refusal) {
			return rows, r.reader.read, err
		}
		if line <= r.from.Line {
			r.out.Skipped++
			continue
		}
		row := importRow{line: line, err: refusal}
		if refusal == nil {
			row, err = r.row(line, in)
			if err != nil {
				return rows, r.reader.read, err
			}
		}
		rows, bytes = append(rows, row), bytes+r.reader.length
	}
	return rows, r.reader.read, nil
}

// commit makes the accounts of a batch, in one act. full says that the quota ended
// it before its end.
func (r *importRun) commit(batch []importRow) (full bool, err error) {
	var problems []ImportProblem
	var taken, bare, last int
	var keys []uint64
	work := func(t *txn) error {
		problems, taken, bare, last, full, keys = nil, 0, 0, r.from.Line, false, nil
		if err := t.may(OpImport, ""); err != nil {
			return err
		}
		for _, row := range batch {
			err := t.importRow(r, &row, taken, &keys)
			var refusal *Error
			switch {
			case CodeOf(err) == CodeFull:
				full = true
			case errors.As(err, &refusal) && refusal.Code != CodeInternal:
				problems = append(problems, ImportProblem{row.line, refusal})
			case err != nil:
				return err
			default:
				taken++
				if row.cred.Hash == "" {
					bare++
				}
			}
			if full {
				break
			}
			last = row.line
		}
		if full && taken+len(problems) == 0 {
			return refuse(CodeFull)
		}
		return nil
	}
	// What has begun is finished, or nobody could say how far it is.
	ctx := context.WithoutCancel(r.ctx)
	next := r.from
	if r.opt.Dry {
		err = r.read(ctx, r.actor, work)
	} else {
		err = r.do(ctx, r.actor, ActImport, "", func(t *txn) error {
			if err := work(t); err != nil {
				return err
			}
			next, err = t.noteImport(r, last, taken, len(problems))
			t.entry.Target = r.out.ID.Short()
			t.entry.After = map[string]string{"lines": itoa(batch[0].line) + "-" + itoa(last), "imported": itoa(taken),
				"refused": itoa(len(problems)), "no_password": itoa(bare)}
			return err
		})
	}
	if err != nil {
		return false, err
	}
	next.Line = last
	r.from, r.out.Line = next, last
	r.out.Imported, r.out.Refused, r.out.NoPassword = r.out.Imported+taken, r.out.Refused+len(problems), r.out.NoPassword+bare
	if r.opt.Dry {
		r.fresh += taken
		for _, k := range keys {
			r.seen[k] = struct{}{}
		}
	}
	if r.report != nil {
		for _, p := range problems {
			r.report(p)
		}
	}
	return full, nil
}

// noteImport writes how far the file is. CodeConflict when another run of it was
// quicker.
func (t *txn) noteImport(r *importRun, last, taken, refused int) (importRecord, error) {
	n, err := imports.Get(t, string(r.out.ID))
	if errors.Is(err, store.ErrNotFound) || err == nil && n.Format != r.opt.Format {
		n, err = importRecord{ID: r.out.ID, Format: r.opt.Format, Begun: t.now}, nil
	}
	if err != nil {
		return n, err
	}
	if n.Line != r.from.Line {
		return n, &Error{Code: CodeConflict, Field: "file"}
	}
	n.At, n.Line = t.now, last
	n.Lines, n.Added, n.Refused = n.Lines+taken+refused, n.Added+taken, n.Refused+refused
	return n, imports.Put(t, string(n.ID), n)
}

// importRow makes the account of one line, or only finds out whether it could.
// CodeFull when there is no room for it; taken is how many of the batch there are.
func (t *txn) importRow(r *importRun, row *importRow, taken int, keys *[]uint64) error {
	if row.err != nil {
		return row.err
	}
	p := t.policy.SignUp
	a := row.account
	var err error
	if a.Email == "" && p.EmailRequired {
		return refuseField(CodeRequired, "email")
	}
	if a.Fields, err = checkFields(p.Fields, row.fields, true); err != nil {
		return unknownField(err)
	}
	mine, err := t.importFree(r, a, *keys)
	if err != nil {
		return err
	}
	if r.opt.Dry {
		if err := t.room(r.fresh + taken); err != nil {
			return err
		}
		*keys = append(*keys, mine...)
		return nil
	}
	if err := t.room(0); err != nil {
		return err
	}
	c := row.cred
	a.Imported, c.Changed = t.now, t.now
	if a.Created.IsZero() {
		a.Created = t.now
	}
	if row.confirmed {
		a.EmailConfirmed = t.now
	}
	return t.insertAccount(a, c)
}

// room refuses with CodeFull when the quota leaves no place beside so many more.
func (t *txn) room(more int) error {
	if t.policy.SignUp.Quota == 0 {
		return nil
	}
	n, err := t.tally()
	if err == nil && n.Accounts+more >= t.policy.SignUp.Quota {
		err = refuse(CodeFull)
	}
	return err
}

// importFree refuses a name or an address that is in use, in a dry run also by an
// earlier line of the file: then keys are what those of this batch take, and what
// is returned is what this one would.
func (t *txn) importFree(r *importRun, a Account, keys []uint64) (mine []uint64, err error) {
	if err := t.nameFree(a.UserName); err != nil {
		return nil, err
	}
	if mine, err = r.doubled(colUserName, names.Skeleton(a.UserName), keys, mine); err != nil || a.Email == "" {
		return mine, err
	}
	_, _, err = accounts.Find(t, "email", names.EmailKey(a.Email))
	if err == nil {
		return nil, refuseField(CodeTaken, colEmail)
	} else if !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	return r.doubled(colEmail, names.EmailKey(a.Email), keys, mine)
}

// doubled refuses what an earlier line has taken in a dry run. It remembers hashes
// of 64 bits under a random seed: that two of a million lines are equal by chance
// happens once in millions of files.
func (r *importRun) doubled(column, value string, keys, mine []uint64) ([]uint64, error) {
	if !r.opt.Dry {
		return nil, nil
	}
	h := maphash.String(r.seed, column+"\x00"+value)
	if _, there := r.seen[h]; there || slices.Contains(keys, h) {
		return nil, refuseField(CodeTaken, column)
	}
	return append(mine, h), nil
}

// interruptible is a reader that ends with its context.
type interruptible struct {
	ctx  context.Context
	from io.Reader
}

// Read reads on while the context lives.
func (r *interruptible) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.from.Read(p)
}

var _ io.Reader = (*interruptible)(nil)

// blankLine says whether there is nothing on a line.
func blankLine(line []byte) bool { return len(bytes.TrimSpace(line)) == 0 }
