// "My data": everything that the portal holds about one account as one JSON
// document (docs/my-data.md), written as it is read, with a signed receipt. What
// is in it is archiveparts.go, how it looks archiveshape.go.

package core

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"time"

	"postern/core/text"
	"postern/store"
)

// Kind and version of an archive, in its head. The version rises when a member
// changes its meaning or goes; new ones may come without that.
const (
	ArchiveKind    = "postern-archive"
	ArchiveVersion = 1
)

// Data hands people what is held about them.
type Data struct{ *base }

// ArchiveReceipt is the document of an export's receipt.
type ArchiveReceipt struct {
	Kind    string    `json:"kind"` // "export"
	Portal  string    `json:"portal"`
	Account string    `json:"account"` // the id
	At      time.Time `json:"at"`
	SHA256  string    `json:"sha256"` // of the archive's bytes, in hex
	Bytes   int64     `json:"bytes"`
	Entries int       `json:"entries"` // of the trail
}

// Exported is an export that was written whole.
type Exported struct {
	ArchiveReceipt
	Receipt
}

// exportRecord is the receipt of the last export, keyed by the account's id.
type exportRecord struct {
	At      time.Time `json:"at"`
	Receipt Receipt   `json:"receipt"`
}

var exports = store.NewTable[exportRecord]("export", 1)

// Export writes everything that is held about the actor to w, as one JSON
// document, and returns its receipt, which is kept until the next one. It holds a
// page at a time, each read in a transaction of its own, so that nobody waits for
// it; the trail ends with what was in it when the export began. progress, when not
// nil, is told after each page how many records were written and roughly which
// share of the whole that is, from 0 to 1.
//
// It is in the trail; also when it failed or was given up half-way. What an export
// that returns an error has written is not whole: callers discard it.
//
// It asks for a proof that is fresh, as a verb by a linked key has. CodeDenied for
// a stranger and the console, CodeStepUp, CodeNotWritten when w fails,
// CodeUnavailable when ctx is done.
func (d *Data) Export(ctx context.Context, actor Actor, w io.Writer, progress func(done int, share float64)) (Exported, error) {
	return d.export(ctx, actor, actor.Account, w, progress, func(t *txn) (Account, error) {
		if err := t.may(OpSelf, actor.Account); err != nil {
			return Account{}, err
		}
		if err := t.requireProof(); err != nil {
			return Account{}, err
		}
		return accounts.Get(t, actor.Account)
	})
}

// ExportOf is Export of somebody's account (ref: user name, e-mail address or id),
// for the machine's own console: nobody else hands out what is held about others.
// CodeDenied, CodeNotFound (field "user"), CodeNotWritten, CodeUnavailable.
func (d *Data) ExportOf(ctx context.Context, actor Actor, ref string, w io.Writer, progress func(done int, share float64)) (Exported, error) {
	return d.export(ctx, actor, "", w, progress, func(t *txn) (Account, error) {
		if !actor.Console {
			return Account{}, refuse(CodeDenied)
		}
		if err := t.may(OpSystem, ""); err != nil {
			return Account{}, err
		}
		return t.account(ref)
	})
}

func (d *Data) export(ctx context.Context, actor Actor, about string, w io.Writer, progress func(int, float64), allowed func(*txn) (Account, error)) (Exported, error) {
	a := &archive{base: d.base, actor: actor, at: d.clock.Now(), sum: sha256.New(), progress: progress}
	last, err := d.look(ctx, actor, func(t *txn) (err error) {
		a.account, err = allowed(t)
		a.portal = t.site.Name
		return err
	})
	if a.account.ID != "" {
		about = a.account.ID
	}
	var out Exported
	if err == nil {
		err = a.write(ctx, w)
	}
	if err == nil {
		out.ArchiveReceipt = ArchiveReceipt{Kind: "export", Portal: a.portal, Account: about, At: a.at,
			SHA256: hex.EncodeToString(a.sum.Sum(nil)), Bytes: a.bytes, Entries: a.entries}
		out.Receipt, err = d.sign(out.ArchiveReceipt)
	}
	if err == nil {
		err = d.do(ctx, actor, ActDataExport, about, func(t *txn) error {
			if _, err := accounts.Get(t, about); err != nil {
				return notFound(err, "user") // deleted meanwhile
			}
			t.entry.Target = a.account.UserName
			t.entry.After = map[string]string{"entries": itoa(a.entries), "sha256": out.SHA256}
			if actor.Account != about {
				return nil
			}
			return exports.Put(t, about, exportRecord{At: a.at, Receipt: out.Receipt})
		})
		if err != nil {
			return Exported{}, err
		}
		return out, nil
	}
	e, idErr := d.newEntry(actor, ActDataExport, about)
	if idErr != nil {
		return Exported{}, asError(idErr)
	}
	if last != nil && e.Name == "" {
		e.Name = last.entry.Name
	}
	e.Target = a.account.UserName
	if a.records > 0 {
		e.Reason = "records written: " + itoa(a.records)
	}
	err = asError(err)
	d.recordRefusal(ctx, e, err)
	return Exported{}, err
}

// Receipt returns the receipt of the actor's last export, and when that was.
// CodeDenied, CodeNotFound (field "receipt") when there was none.
func (d *Data) Receipt(ctx context.Context, actor Actor) (r Receipt, at time.Time, err error) {
	err = d.read(ctx, actor, func(t *txn) error {
		if err := t.may(OpSelf, actor.Account); err != nil {
			return err
		}
		last, err := exports.Get(t, actor.Account)
		if errors.Is(err, store.ErrNotFound) {
			return refuseField(CodeNotFound, "receipt")
		}
		r, at = last.Receipt, last.At
		return err
	})
	return r, at, err
}

// archive is one that is being written.
type archive struct {
	*base
	actor    Actor
	account  Account // as it was when the export began
	portal   string
	at       time.Time
	progress func(int, float64)

	out     *bufio.Writer
	to      io.Writer
	sum     hash.Hash
	bytes   int64
	records int
	entries int
	span    trailSpan
}

// Write counts and sums what goes out.
func (a *archive) Write(b []byte) (int, error) {
	n, err := a.to.Write(b)
	_, _ = a.sum.Write(b[:n])
	a.bytes += int64(n)
	return n, err
}

// archiveHead begins the document.
type archiveHead struct {
	Kind    string    `json:"kind"`
	Version int       `json:"version"`
	Portal  string    `json:"portal"`
	Account string    `json:"account_id"`
	At      time.Time `json:"at"`
}

// write writes the document: its head, its parts one after the other, and how many
// records each of them had.
func (a *archive) write(ctx context.Context, w io.Writer) error {
	a.to = w
	a.out = bufio.NewWriterSize(a, exportBuffer)
	head, err := json.Marshal(archiveHead{ArchiveKind, ArchiveVersion, a.portal, a.account.ID, a.at})
	if err != nil {
		return err
	}
	head = text.JSON(head)
	a.put(string(head[:len(head)-1])) // it goes on
	totals := map[string]int{}
	for i, p := range archiveParts {
		n, err := a.part(ctx, p, float64(i)/float64(len(archiveParts)))
		if err != nil {
			return err
		}
		totals[p.name] = n
	}
	foot, err := json.Marshal(totals)
	if err != nil {
		return err
	}
	a.put(",\n\"totals\":" + string(foot) + "}\n")
	if err := a.out.Flush(); err != nil {
		return notWritten(err)
	}
	a.tell(1)
	return nil
}

// put writes; what fails is found when the buffer is flushed.
func (a *archive) put(s string) { _, _ = a.out.WriteString(s) }

func (a *archive) tell(share float64) {
	if a.progress != nil {
		a.progress(a.records, share)
	}
}

// part writes one member of the document, page by page.
func (a *archive) part(ctx context.Context, p archivePart, begun float64) (n int, err error) {
	a.put(",\n\"" + p.name + "\":")
	if !p.one {
		a.put("[")
	}
	for after, more := "", true; more; more = after != "" {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		var items []any
		_, err := a.look(ctx, a.actor, func(t *txn) (err error) {
			items, after, err = p.page(t, a.account.ID, after)
			return err
		})
		if err != nil {
			return n, err
		}
		for _, item := range items {
			doc, err := json.Marshal(item)
			if err != nil {
				return n, err
			}
			if n++; n > 1 {
				a.put(",")
			}
			if !p.one {
				a.put("\n")
			}
			_, _ = a.out.Write(text.JSON(doc))
			a.records++
			if e, is := item.(Entry); is {
				a.entries++
				a.span.meet(e.At)
			}
		}
		if err := a.out.Flush(); err != nil { // a reader sees every page
			return n, notWritten(err)
		}
		if p.name == partTrail && after != "" {
			begun = partsBeforeTrail + (1-partsBeforeTrail)*a.span.share(a.account.Created)
			a.tell(begun)
		} else if p.name != partTrail {
			a.tell(begun * partsBeforeTrail)
		}
	}
	switch {
	case !p.one:
		a.put("]")
	case n == 0:
		a.put("null")
	}
	return n, nil
}

// partsBeforeTrail is the share that is said to be done when only the trail is
// left, which of an old account is nearly all there is.
const partsBeforeTrail = 0.1

// trailSpan is from when to when the trail has been read.
type trailSpan struct{ newest, back time.Time }

func (s *trailSpan) meet(at time.Time) {
	if s.newest.IsZero() {
		s.newest = at
	}
	s.back = at
}

// share is how much of the time since an account came has been read.
func (s *trailSpan) share(came time.Time) float64 {
	all := s.newest.Sub(came)
	if all <= 0 {
		return 0
	}
	return min(max(float64(s.newest.Sub(s.back))/float64(all), 0), 0.99)
}
