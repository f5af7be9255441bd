// What may go from the trail, and leaves a proof that it went by the rules:
// retention cuts whole blocks from the oldest on, and the entries of a deleted
// account can be taken out one by one.

package core

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"postern/core/signature"
	"postern/store"
)

// chainCuts holds one record, the stub: the last block that was cut, with how many
// entries went in all.
var chainCuts = store.NewTable[chainHead]("chain_cut", 1)

func readCut(tx store.Tx) (chainHead, error) {
	c, err := chainCuts.Get(tx, chainNow)
	if errors.Is(err, store.ErrNotFound) {
		return chainHead{Hash: make([]byte, sha256.Size)}, nil
	}
	return c, err
}

// removedEntries are entries that were taken out of the trail since their account
// was deleted, a batch at a time.
type removedEntries struct {
	Account string    `json:"account"`
	Request string    `json:"request"`
	At      time.Time `json:"at"`
	IDs     []string  `json:"ids"`

	Signature string `json:"signature,omitempty"`
	Key       string `json:"key,omitempty"`
}

func (r removedEntries) statement() []byte {
	r.Signature, r.Key = "", ""
	doc, _ := json.Marshal(r)
	return append([]byte("audit-removed "), append(doc, '\n')...)
}

var chainGone = store.NewTable("chain_gone", 1,
	store.Index[removedEntries]{Name: "entry", Keys: func(r removedEntries) []string { return r.IDs }})

// oldestBlock returns the oldest block that is still there; found is false when
// there is none.
func oldestBlock(tx store.Tx) (b chainBlock, cut chainHead, found bool, err error) {
	if cut, err = readCut(tx); err != nil {
		return b, cut, false, err
	}
	b, err = chainBlocks.Get(tx, blockKey(cut.Seq+1))
	if errors.Is(err, store.ErrNotFound) {
		return b, cut, false, nil
	}
	return b, cut, err == nil, err
}

// newest is the time of the newest entry of a block.
func (b chainBlock) newest() (time.Time, error) {
	var last uint64
	for _, part := range [][]byte{b.Entries, b.Late} {
		links, err := linksOf(part)
		if err != nil {
			return time.Time{}, err
		}
		if len(links) > 0 {
			last = max(last, links[len(links)-1].id.Time())
		}
	}
	return ulid.Time(last).UTC(), nil
}

// cutBlock removes the oldest block with its entries, if all of them are older
// than before, and signs the stub. done is false when there is nothing to cut, or
// when the block is not the one that its neighbours name: that is for Verify to
// find, and not to be signed.
func (b *base) cutBlock(ctx context.Context, before time.Time) (n int, done bool, err error) {
	err = b.db.Update(ctx, func(tx store.Tx) error {
		n, done = 0, false
		block, cut, found, err := oldestBlock(tx)
		if err != nil || !found {
			return err
		}
		newest, err := block.newest()
		if err != nil || !newest.Before(before) {
			return err
		}
		hash := block.hash()
		linked, err := linked(tx, block, hash[:], cut)
		if err != nil {
			return err
		}
		if !linked {
			b.log.Error("the trail is not cut: a block of it is not the one that was sealed", slog.Uint64("block", block.Seq))
			return nil
		}
		over, err := b.over(tx, statementCut, cut)
		if err != nil {
			return err
		}
		if over != "" && !slices.Contains(cut.Over, over) {
			cut.Over = append(cut.Over, over)
		}
		for _, part := range [][]byte{block.Entries, block.Late} {
			links, err := linksOf(part)
			if err != nil {
				return err
			}
			for _, l := range links {
				if err := trail.Delete(tx, invert(l.id.String())); err != nil {
					return err
				}
				n++
			}
		}
		cut.Seq, cut.Hash, cut.At, cut.Entries = block.Seq, hash[:], newest, cut.Entries+uint64(n)
		if len(block.Entries) > 0 {
			copy(cut.Horizon[:], block.Entries[len(block.Entries)-linkSize:])
		}
		if cut, err = b.signHead(tx, statementCut, cut); err != nil {
			return err
		}
		if err := chainPoints.Delete(tx, blockKey(block.Seq)); err != nil {
			return err
		}
		if err := chainBlocks.Delete(tx, blockKey(block.Seq)); err != nil {
			return err
		}
		done = true
		return chainCuts.Put(tx, chainNow, cut)
	})
	return n, done, asError(err)
}

// linked says whether a block lies between the stub and the block that follows, or
// the head.
func linked(tx store.Tx, b chainBlock, hash []byte, cut chainHead) (bool, error) {
	if !equalHash(b.Prev, cut.Hash) {
		return false, nil
	}
	next, err := chainBlocks.Get(tx, blockKey(b.Seq+1))
	if err == nil {
		return equalHash(next.Prev, hash), nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return false, err
	}
	head, err := readHead(tx)
	return head.Seq == b.Seq && equalHash(head.Hash, hash), err
}

// cutTrail removes what is older than before, a block at a time, so that nobody
// waits for long. It stops at a block that has a younger entry; what is not sealed
// yet stays. progress, when not nil, is told after each block.
func (b *base) cutTrail(ctx context.Context, before time.Time, progress func(n int)) (n int, err error) {
	for {
		cut, done, err := b.cutBlock(ctx, before)
		n += cut
		if err != nil || !done {
			return n, err
		}
		if progress != nil {
			progress(n)
		}
	}
}

// forgetPage is how many entries one transaction takes out.
const forgetPage = 100

// forgetTrails takes the entries about deleted accounts out of the trail, where
// the policy wanted that. What such an account did to others stays, under its id.
func (a *Audit) forgetTrails(ctx context.Context) (n int, err error) {
	for {
		var account string
		err := a.db.View(ctx, func(tx store.Tx) error {
			rows, err := forgetting.Page(tx, "", 1)
			if len(rows) > 0 {
				account = rows[0].ID
			}
			return err
		})
		if err != nil || account == "" {
			return n, asError(err)
		}
		if _, err := a.SealNow(ctx); err != nil { // what no block has cannot be shown to have been there
			return n, err
		}
		for after, more := "", true; more; {
			var removed int
			if removed, after, more, err = a.forgetSome(ctx, account, after); err != nil {
				return n, asError(err)
			}
			n += removed
		}
	}
}

// forgetSome takes out some entries of an account, and ends with an entry that
// says how many there were.
func (a *Audit) forgetSome(ctx context.Context, account, after string) (n int, next string, more bool, err error) {
	e, err := a.newEntry(Actor{}, ActTrailForget, account)
	if err != nil {
		return 0, "", false, err
	}
	e.Actor, e.Outcome = ActorSystem, OutcomeDone
	err = a.db.Update(ctx, func(tx store.Tx) error {
		n, next, more = 0, after, false
		f, err := forgetting.Get(tx, account)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
		rows, err := trail.PageEq(tx, "account", account, after, forgetPage)
		if err != nil {
			return err
		}
		gone := removedEntries{Account: account, Request: f.Request, At: e.At}
		for _, r := range rows {
			next = r.Cursor
			switch v := r.Value; {
			case v.About != account, v.Action == ActAccountDelete, v.Action == ActTrailForget:
				continue
			default:
				gone.IDs = append(gone.IDs, v.ID)
			}
			if err := trail.Delete(tx, r.ID); err != nil {
				return err
			}
		}
		n, more = len(gone.IDs), len(rows) == forgetPage
		f.Entries += n
		if n > 0 {
			if err := a.keepGone(tx, e.ID, gone); err != nil {
				return err
			}
		}
		if more {
			return forgetting.Put(tx, account, f)
		}
		e := e
		e.Target, e.After = account, map[string]string{"entries": itoa(f.Entries), "request": f.Request}
		if err := writeEntry(tx, e); err != nil {
			return err
		}
		return forgetting.Delete(tx, account)
	})
	return n, next, more, err
}

// keepGone signs and keeps which entries were taken out.
func (b *base) keepGone(tx store.Tx, id string, gone removedEntries) (err error) {
	if b.signer != nil {
		if gone, err = b.signGone(gone); err != nil {
			return err
		}
	}
	return chainGone.Put(tx, id, gone)
}

func (b *base) signGone(gone removedEntries) (_ removedEntries, err error) {
	gone.Key = b.signer.PublicKey()
	gone.Signature, err = b.signer.Sign(signature.Audit, gone.statement())
	return gone, err
}

// accounted says whether an entry that is not there was taken out by the rules; f
// is what there is to find when it was not.
func (w *chainWalk) accounted(tx store.Tx, id string) (ok bool, f Finding, err error) {
	f = Finding{Kind: FoundDropped, Entry: id}
	_, gone, err := chainGone.Find(tx, "entry", id)
	if errors.Is(err, store.ErrNotFound) || unreadable(err) { // an index that names another batch, too
		return false, f, nil
	} else if err != nil {
		return false, f, err
	}
	switch w.whose(gone.Key, gone.Signature, gone.statement()) {
	case "":
		return true, f, nil
	case FoundForeign:
		f.Kind, f.Key = FoundForeignGone, signature.Fingerprint(gone.Key)
	}
	return false, f, nil
}

// equalHash compares hashes that are public.
func equalHash(a, b []byte) bool { return bytes.Equal(a, b) }
