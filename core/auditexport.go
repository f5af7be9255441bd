// Handing the trail over as a file: JSON lines for programs, CSV for
// spreadsheets. It is read and written page by page, however much it is.

package core

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"postern/core/text"
)

// Formats of an export.
const (
	AuditJSONL = "jsonl" // a JSON object a line, as `audit list --json` has them
	AuditCSV   = "csv"   // RFC 4180, with a header line
)

// AuditFormats returns the formats of an export.
func AuditFormats() []string { return []string{AuditJSONL, AuditCSV} }

// exportBuffer is how much is written at once, in bytes.
const exportBuffer = 64 << 10

// Export writes every entry that the query means to w, newest first, and returns
// how many. It holds a page of them at a time. progress, when not nil, is told
// after each page how many were written and which share of the span asked for
// has been read, from 0 to 1. Cells of CSV that a spreadsheet would take for
// formulas, and characters that a terminal would obey, are made harmless.
//
// It is in the trail with the query and the count; also when it failed or was
// given up half-way, since what was written by then has been seen. What an
// export that returns an error has written is not whole: callers discard it.
//
// It asks for a proof that is fresh, which a verb by a linked key has just
// given: its connection began with it. CodeDenied, CodeStepUp, CodeFormat with
// the field "format", what Search refuses with, CodeNotWritten when w fails,
// CodeUnavailable when ctx is done.
func (a *Audit) Export(ctx context.Context, actor Actor, q AuditQuery, format string, w io.Writer, progress func(done int, share float64)) (n int, err error) {
	return a.export(ctx, actor, q, format, w, nil, progress)
}

// export writes entries, and their proof when there is a writer of one.
func (a *Audit) export(ctx context.Context, actor Actor, q AuditQuery, format string, w io.Writer, proof *proofWriter, progress func(int, float64)) (n int, err error) {
	typed := q // whom it was about is not repeated before it is known to be an account
	typed.Actor, typed.About, typed.Account = "", "", ""
	target := describeExport(typed, format, proof != nil)
	var p auditPlan
	last, err := a.look(ctx, actor, func(t *txn) error {
		if err := t.mayExport(proof != nil); err != nil {
			return err
		}
		if !slices.Contains(AuditFormats(), format) {
			return refuseField(CodeFormat, "format")
		}
		q.N = MaxPage
		if p, err = t.planAudit(q); err == nil {
			target = describeExport(p.query, format, proof != nil)
		}
		return err
	})
	if err == nil {
		n, err = a.writeTrail(ctx, actor, p, format, w, proof, progress)
	}
	if err == nil {
		err = a.do(ctx, actor, ActAuditExport, "", func(t *txn) error {
			t.entry.Target = target
			t.entry.After = map[string]string{"entries": itoa(n)}
			return t.may(OpReadAudit, "")
		})
		return n, err
	}
	e, idErr := a.newEntry(actor, ActAuditExport, "")
	if idErr != nil {
		return n, asError(idErr)
	}
	if last != nil {
		e.Name = last.entry.Name
	}
	if CodeOf(err) != CodeDenied { // whoever may not ask does not write into the trail what they like
		e.Target = target
	}
	if n > 0 {
		e.Reason = "entries written: " + itoa(n)
	}
	a.recordRefusal(ctx, e, err)
	return n, err
}

// mayExport is who may take the trail with them, having just shown who they are.
func (t *txn) mayExport(proved bool) error {
	if err := t.mayTake(proved); err != nil {
		return err
	}
	return t.requireProof()
}

// mayTake is who may read what is taken: a proof shows all that there is of an entry.
func (t *txn) mayTake(proved bool) error {
	if err := t.may(OpReadAudit, ""); err != nil || !proved {
		return err
	}
	return t.may(OpReadAccounts, "")
}

// writeTrail writes what a plan finds. Whether the actor may is asked anew for
// every page.
func (a *Audit) writeTrail(ctx context.Context, actor Actor, p auditPlan, format string, w io.Writer, proof *proofWriter, progress func(int, float64)) (n int, err error) {
	out := newEntryWriter(format, bufio.NewWriterSize(w, exportBuffer))
	if err := proof.begin(&p, out); err != nil {
		return 0, asError(err)
	}
	if err := out.begin(); err != nil {
		return 0, notWritten(err)
	}
	newest := time.Time{}
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return n, asError(err)
		}
		var page AuditPage
		var shown []proofEntry
		_, err := a.look(ctx, actor, func(t *txn) (err error) {
			if err := t.mayTake(proof != nil); err != nil {
				return err
			}
			if page, err = t.searchTrail(p); err == nil {
				shown, err = proof.gather(t, page.Entries)
			}
			return err
		})
		if err != nil {
			return n, err
		}
		for i, e := range page.Entries {
			if proof != nil {
				if err := proof.entry(shown[i]); err != nil {
					return n, asError(err)
				}
			}
			if err := out.write(e); err != nil {
				return n, notWritten(err)
			}
			n++
		}
		if err := out.flush(); err != nil {
			return n, notWritten(err)
		}
		if newest.IsZero() {
			newest = page.Back
			if len(page.Entries) > 0 {
				newest = page.Entries[0].At
			}
		}
		if more = page.Next != ""; more {
			p.begin = invert(page.Next)
		}
		if progress != nil {
			progress(n, p.share(newest, page.Back, more))
		}
	}
	return n, asError(proof.end(n))
}

// share is how much of the span of a plan has been read: it ends where the query
// says, or where the portal began.
func (p *auditPlan) share(newest, back time.Time, more bool) float64 {
	if !more {
		return 1
	}
	oldest := p.created
	if p.query.From.After(oldest) {
		oldest = p.query.From
	}
	all := newest.Sub(oldest)
	if all <= 0 {
		return 0
	}
	return min(max(float64(newest.Sub(back))/float64(all), 0), 0.99)
}

// notWritten says that the writer has failed.
func notWritten(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return asError(err)
	}
	return &Error{Code: CodeNotWritten, Err: err}
}

// describeExport says in one line what was asked for, for the trail. It is part
// of a query that may not have been validated yet.
func describeExport(q AuditQuery, format string, proved bool) string {
	parts := []string{format}
	if proved {
		parts = append(parts, "proof")
	}
	add := func(name, value string) {
		if value == "" {
			return
		}
		if v, err := text.Clean(value, MaxAuditWord); err == nil {
			parts = append(parts, name+"="+v)
		} else {
			parts = append(parts, name+"=?")
		}
	}
	for _, at := range []struct {
		name string
		at   time.Time
	}{{"from", q.From}, {"to", q.To}} {
		if !at.at.IsZero() {
			add(at.name, at.at.UTC().Format(time.RFC3339))
		}
	}
	add("actor", q.Actor)
	add("about", q.About)
	add("user", q.Account)
	add("action", string(q.Action))
	add("target", q.Target)
	add("outcome", string(q.Outcome))
	add("code", string(q.Code))
	add("address", q.Address)
	if v, err := text.Clean(strings.Join(parts, " "), MaxTarget); err == nil {
		return v
	}
	return "?"
}

// entryWriter writes entries in one format, a line each.
type entryWriter struct {
	buffer *bufio.Writer
	line   bytes.Buffer
	table  *csv.Writer // writes into line; nil: JSON lines
	sum    hash.Hash   // of what was written, when somebody wants to know
}

func newEntryWriter(format string, w *bufio.Writer) *entryWriter {
	e := &entryWriter{buffer: w}
	if format == AuditCSV {
		e.table = csv.NewWriter(&e.line)
	}
	return e
}

func (w *entryWriter) begin() error { return w.put(w.head()) }

// head is the line before the entries; nil when there is none.
func (w *entryWriter) head() ([]byte, error) {
	if w.table == nil {
		return nil, nil
	}
	return w.row([]string{"id", "at", "action", "outcome", "code", "actor", "name", "session", "door", "remote", "client",
		"about", "target", "before", "after", "reason"})
}

// row is a line of the table.
func (w *entryWriter) row(cells []string) ([]byte, error) {
	w.line.Reset()
	if err := w.table.Write(cells); err != nil {
		return nil, err
	}
	w.table.Flush()
	return w.line.Bytes(), w.table.Error()
}

// render is the line of an entry, until the next one is made.
func (w *entryWriter) render(e Entry) ([]byte, error) {
	if w.table == nil {
		doc, err := json.Marshal(e)
		if err != nil {
			return nil, err
		}
		return append(text.JSON(doc), '\n'), nil
	}
	cells := []string{e.ID, e.At.UTC().Format(time.RFC3339Nano), string(e.Action), string(e.Outcome), string(e.Code), e.Actor, e.Name, e.Session,
		string(e.Door), e.Remote, e.Client, e.About, e.Target, properties(e.Before), properties(e.After), e.Reason}
	for i, c := range cells {
		cells[i] = text.CSV(c)
	}
	return w.row(cells)
}

func (w *entryWriter) write(e Entry) error { return w.put(w.render(e)) }

func (w *entryWriter) put(line []byte, err error) error {
	if err != nil {
		return err
	}
	if w.sum != nil {
		_, _ = w.sum.Write(line)
	}
	_, err = w.buffer.Write(line)
	return err
}

// flush hands on what is buffered, so that a reader sees every page.
func (w *entryWriter) flush() error { return w.buffer.Flush() }

// properties writes properties as one cell, in the order of their names.
func properties(m map[string]string) string {
	parts := make([]string, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, k+"="+m[k])
	}
	return strings.Join(parts, "; ")
}
