// My data: everything that the portal holds about an account, as one JSON
// document (docs/my-data.md). It is written as it is read, a page at a time, so
// that it takes the same memory however long the trail is.

package core

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"postern/core/text"
	"postern/store"
)

// ArchiveVersion is the version of the document's form. It rises when something
// changes its meaning; new members may come without.
const ArchiveVersion = 1

// Archive gives people what is held about them.
type Archive struct{ *base }

// archiveReceipt is the document that is signed about an archive.
type archiveReceipt struct {
	Kind    string    `json:"kind"`
	Portal  string    `json:"portal"`
	Account string    `json:"account"`
	At      time.Time `json:"at"`
	SHA256  string    `json:"sha256"` // of the archive's bytes
	Bytes   int64     `json:"bytes"`
	Entries int       `json:"entries"` // of the trail
}

// Export writes the actor's archive to w and returns a receipt that names its
// bytes. progress, when not nil, is told how many entries of the trail were
// written. It asks for a proof that is fresh, which a verb by a linked key has
// just given; the machine's own console may say whose it is to be (ref: user name
// or id). It is in the trail, also when it failed on the way: what an export that
// returns an error has written is not whole. CodeDenied, CodeStepUp, CodeNotFound,
// CodeNotWritten when w fails, CodeUnavailable when ctx is done.
func (s *Archive) Export(ctx context.Context, actor Actor, ref string, w io.Writer, progress func(entries int)) (Receipt, error) {
	out := &archiveWriter{to: bufio.NewWriterSize(w, exportBuffer), sum: sha256.New()}
	var account Account
	var portal string
	now := s.clock.Now()
	mine := func(t *txn) (err error) {
		if actor.Console && ref != "" {
			account, err = t.account(ref)
			return err
		}
		if err := t.may(OpSelf, actor.Account); err != nil {
			return err
		}
		account, err = accounts.Get(t, actor.Account)
		return err
	}
	_, err := s.look(ctx, actor, func(t *txn) error {
		if err := mine(t); err != nil {
			return err
		}
		portal = t.site.Name
		return t.requireProof()
	})
	if err == nil {
		err = s.write(ctx, actor, out, &account, now, mine, progress)
	}
	if err == nil {
		var receipt Receipt
		receipt, err = s.sign(archiveReceipt{Kind: "export", Portal: portal, Account: account.ID, At: now,
			SHA256: hex.EncodeToString(out.sum.Sum(nil)), Bytes: out.bytes, Entries: out.entries})
		if err == nil {
			err = s.do(ctx, actor, ActDataExport, account.ID, func(t *txn) error {
				t.entry.Target = account.UserName
				t.entry.After = map[string]string{"bytes": fmt.Sprint(out.bytes), "entries": itoa(out.entries)}
				return mine(t)
			})
			return receipt, err
		}
	}
	e, idErr := s.newEntry(actor, ActDataExport, account.ID)
	if idErr == nil {
		s.recordRefusal(ctx, e, err)
	}
	return Receipt{}, asError(err)
}

// section is a part of the archive: a member of the document, and what is in it.
type section struct {
	name string
	read func(t *txn, account string) (any, error)
}

// archiveSections are the parts that are read at once; the trail comes after them.
func archiveSections() []section {
	return []section{
		{"account", func(t *txn, id string) (any, error) { return accounts.Get(t, id) }},
		{"password", archivedPassword},
		{"factors", archivedFactors},
		{"keys", func(t *txn, id string) (any, error) { return t.keysOf(id) }},
		{"recovery_codes", archivedRecovery},
		{"sessions", archivedSessions},
		{"grants", func(t *txn, id string) (any, error) { return archived(t, grants, "account", id, unchanged[Grant]) }},
		{"agreements", func(t *txn, id string) (any, error) {
			return archived(t, acceptances, "account", id, unchanged[Acceptance])
		}},
		{"notices", func(t *txn, id string) (any, error) { return archived(t, notices, "account", id, unchanged[Notice]) }},
		{"messages", func(t *txn, id string) (any, error) {
			return archived(t, messages, "account", id, func(m Message) Message { m.Code = ""; return m })
		}},
		{"known_places", archivedDevices},
		{"requests", func(t *txn, id string) (any, error) { return t.requestsOf(id) }},
		{"analyses", func(t *txn, id string) (any, error) { return archived(t, runs, "account", id, unchanged[Run]) }},
		{"posts", func(t *txn, id string) (any, error) { return archived(t, posts, "account", id, unchanged[Post]) }},
		{"hold", archivedOne(accountHolds)},
		{"inactive_warning", archivedOne(inactiveWarnings)},
		{"policy_draft", archivedOne(policyDrafts)},
	}
}

func unchanged[T any](v T) T { return v }

// archived reads what an index finds of an account.
func archived[T any](t *txn, table *store.Table[T], index, account string, clean func(T) T) ([]T, error) {
	list := []T{}
	err := eachRow(func(after string) ([]store.Row[T], error) {
		return table.PageEq(t, index, account, after, MaxPage)
	}, func(v T) error {
		list = append(list, clean(v))
		return nil
	})
	return list, err
}

// archivedOne reads a record that is kept under the account's id; null for none.
func archivedOne[T any](table *store.Table[T]) func(*txn, string) (any, error) {
	return func(t *txn, account string) (any, error) {
		v, err := table.Get(t, account)
		if errors.Is(err, store.ErrNotFound) {
			return nil, nil
		}
		return v, err
	}
}

func archivedPassword(t *txn, account string) (any, error) {
	c, err := credentials.Get(t, account)
	return struct {
		Changed  time.Time `json:"changed"`
		Expired  bool      `json:"expired"`
		Failures int       `json:"failures"`
		Earlier  int       `json:"earlier"` // that are kept as hashes, so that none comes back
	}{c.Changed, c.Expired, c.Failures, len(c.History)}, err
}

func archivedFactors(t *txn, account string) (any, error) {
	list, err := t.factorsOf(account)
	out := make([]Factor, len(list))
	for i, f := range list {
		out[i] = f.Factor
	}
	return out, err
}

func archivedRecovery(t *txn, account string) (any, error) {
	set, err := t.recoverySet(account)
	return struct {
		Left int       `json:"left"`
		Made time.Time `json:"made,omitzero"`
	}{len(set.Hashes), set.Made}, err
}

func archivedSessions(t *txn, account string) (any, error) {
	out := []Session{}
	for _, index := range []string{"live", "ended"} {
		list, err := archived(t, sessions, index, account, unchanged[sessionRecord])
		if err != nil {
			return nil, err
		}
		for _, s := range list {
			out = append(out, s.Session)
		}
	}
	return out, nil
}

func archivedDevices(t *txn, account string) (any, error) {
	d, err := devices.Get(t, account)
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return append([]device{}, d.Known...), err
}

// write writes the document. Whether it may still be read is asked for each part.
func (s *Archive) write(ctx context.Context, actor Actor, out *archiveWriter, account *Account, now time.Time, mine func(*txn) error, progress func(int)) error {
	out.member("version", ArchiveVersion)
	out.member("exported", now)
	for _, part := range archiveSections() {
		var v any
		_, err := s.look(ctx, actor, func(t *txn) (err error) {
			if err := mine(t); err != nil {
				return err
			}
			v, err = part.read(t, account.ID)
			return err
		})
		if err != nil {
			return err
		}
		out.member(part.name, v)
		if out.err != nil {
			return notWritten(out.err)
		}
	}
	out.list("trail")
	for after, more := "", true; more; {
		if err := ctx.Err(); err != nil {
			return asError(err)
		}
		var page AuditPage
		_, err := s.look(ctx, actor, func(t *txn) (err error) {
			if err := mine(t); err != nil {
				return err
			}
			page, err = pageTrail(t, account.ID, after, MaxPage)
			return err
		})
		if err != nil {
			return err
		}
		for _, e := range page.Entries {
			out.item(e)
		}
		if out.flush(); out.err != nil {
			return notWritten(out.err)
		}
		if progress != nil {
			progress(out.entries)
		}
		after = page.Next
		more = after != ""
	}
	if out.end(); out.err != nil {
		return notWritten(out.err)
	}
	return nil
}

// archiveWriter writes one JSON object, a member a line, and sums what it writes.
type archiveWriter struct {
	to      *bufio.Writer
	sum     hash.Hash
	bytes   int64
	entries int
	begun   bool
	err     error
}

func (w *archiveWriter) raw(b []byte) {
	if w.err != nil {
		return
	}
	n, err := w.to.Write(b)
	w.sum.Write(b[:n])
	w.bytes, w.err = w.bytes+int64(n), err
}

func (w *archiveWriter) json(v any) {
	doc, err := json.Marshal(v)
	if err != nil && w.err == nil {
		w.err = err
	}
	w.raw(text.JSON(doc))
}

func (w *archiveWriter) name(name string) {
	sep := ",\n"
	if !w.begun {
		sep, w.begun = "{\n", true
	}
	w.raw([]byte(sep + `"` + name + `": `))
}

func (w *archiveWriter) member(name string, v any) {
	w.name(name)
	w.json(v)
}

func (w *archiveWriter) list(name string) {
	w.name(name)
	w.raw([]byte("["))
}

func (w *archiveWriter) item(v any) {
	sep := ",\n"
	if w.entries == 0 {
		sep = "\n"
	}
	w.entries++
	w.raw([]byte(sep))
	w.json(v)
}

func (w *archiveWriter) end() {
	w.raw([]byte("\n]\n}\n"))
	w.flush()
}

func (w *archiveWriter) flush() {
	if err := w.to.Flush(); w.err == nil {
		w.err = err
	}
}
