// Adopting a former host key: what it has signed of the chain is signed anew by the
// key of today, once somebody at the console has said that it was the portal's
// (decision 043).

package core

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"postern/core/signature"
	"postern/store"
)

// Adopted is what adopting a former key has come to.
type Adopted struct {
	Fingerprint string `json:"fingerprint"`
	Block       uint64 `json:"block"`  // up to which it counts
	Signed      int    `json:"signed"` // statements of the former key that were signed anew
}

// Adopt says, by the fingerprint, that a key was the portal's host key before, up to
// where the chain ends now: what it has signed of the trail is signed anew by the key
// of today, as far as the former signature is valid. Nobody else can know it, since
// whoever has the file could have signed it with a key of their own; so it is for the
// machine's own operator alone. That it was said comes first, in the trail too; what
// is interrupted then is finished by saying it again. CodeDenied; CodeFormat (field
// "fingerprint") for what is no fingerprint of SHA-256; CodeKeyCurrent when it is the
// key of today; CodeNotFound when that key has signed nothing here.
func (a *Audit) Adopt(ctx context.Context, actor Actor, fingerprint string) (out Adopted, err error) {
	w := &adopting{base: a.base, ctx: ctx, fingerprint: strings.TrimSpace(fingerprint)}
	_, err = a.look(ctx, actor, func(t *txn) error {
		w.portal = t.site.Name
		return w.may(t)
	})
	if err == nil {
		err = w.find()
	}
	if err != nil {
		return out, a.refused(ctx, actor, ActTrailAdopt, "", asError(err))
	}
	err = a.do(ctx, actor, ActTrailAdopt, "", func(t *txn) error {
		t.entry.Target = w.fingerprint
		if err := w.may(t); err != nil {
			return err
		}
		if out, err = w.keep(t); err != nil {
			return err
		}
		t.entry.After = map[string]string{"block": strconv.FormatUint(out.Block, 10)}
		return nil
	})
	if err != nil {
		return out, err
	}
	n, err := w.resign()
	out.Signed += n
	return out, asError(err)
}

// adopting is one adoption.
type adopting struct {
	*base
	ctx         context.Context
	portal      string
	fingerprint string
	key         string // the public key
}

func (w *adopting) may(t *txn) error {
	if err := t.may(OpSystem, ""); err != nil {
		return err
	}
	switch digest, ok := strings.CutPrefix(w.fingerprint, "SHA256:"); {
	case !t.actor.Console || w.signer == nil:
		return refuse(CodeDenied)
	case !ok || len(digest) != 43 || strings.Trim(digest, base64Digits) != "":
		return refuseField(CodeFormat, "fingerprint")
	case w.is(w.signer.PublicKey()):
		return refuse(CodeKeyCurrent)
	}
	return nil
}

const base64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// is says whether a public key is the one that is meant.
func (w *adopting) is(key string) bool {
	return key != "" && (key == w.key || signature.Fingerprint(key) == w.fingerprint)
}

// by says whether a statement is the former key's.
func (w *adopting) by(key, armored string, statement []byte) bool {
	return w.is(key) && w.whose(key, armored, statement) == FoundForeign
}

// The statements that it can have signed.
func (w *adopting) signedHead(h chainHead) bool {
	return w.by(h.Key, h.Signature, h.statement(statementHead, w.portal))
}

func (w *adopting) signedCut(h chainHead) bool {
	return w.by(h.Key, h.Signature, h.statement(statementCut, w.portal))
}

func (w *adopting) signedGone(r removedEntries) bool {
	return w.by(r.Key, r.Signature, r.statement())
}

func (w *adopting) signedFormer(k formerKey) bool {
	return w.by(k.By, k.Signature, k.statement(w.portal))
}

// find looks for the key, of which only the fingerprint is known: by what it has
// signed, or where something went on from that.
func (w *adopting) find() error {
	err := w.db.View(w.ctx, func(tx store.Tx) error {
		head, err := readHead(tx)
		if err != nil {
			return err
		}
		cut, err := readCut(tx)
		if err != nil {
			return err
		}
		switch {
		case w.signedHead(head):
			w.key = head.Key
		case w.signedCut(cut):
			w.key = cut.Key
		}
		if i := slices.IndexFunc(cut.Over, w.is); i >= 0 {
			w.key = cut.Over[i]
		}
		return nil
	})
	for _, look := range []func() error{
		func() error {
			return seek(w, chainPoints, adoptPage, func(h chainHead) (string, bool) { return h.Key, w.signedHead(h) })
		},
		func() error {
			return seek(w, chainGone, adoptPage, func(r removedEntries) (string, bool) { return r.Key, w.signedGone(r) })
		},
		func() error {
			return seek(w, chainBlocks, 4, func(b chainBlock) (string, bool) { return b.Over, w.is(b.Over) })
		},
	} {
		if err != nil || w.key != "" {
			return err
		}
		err = look()
	}
	if err == nil && w.key == "" {
		return refuseField(CodeNotFound, "fingerprint")
	}
	return err
}

// seek looks through a table for the key, a page at a time.
func seek[T any](w *adopting, table *store.Table[T], page int, key func(T) (string, bool)) error {
	for after, more := "", true; more && w.key == ""; {
		var rows []store.Row[T]
		err := w.db.View(w.ctx, func(tx store.Tx) (err error) {
			rows, err = table.Page(tx, after, page)
			return err
		})
		if err != nil {
			return err
		}
		for _, r := range rows {
			after = r.Cursor
			if found, its := key(r.Value); its {
				w.key = found
			}
		}
		more = len(rows) == page
	}
	return nil
}

// keep keeps that the key was the portal's, and signs anew what there is one of:
// the two ends of the chain, and what the key has vouched for in its turn.
func (w *adopting) keep(t *txn) (out Adopted, err error) {
	out.Fingerprint = w.fingerprint
	head, err := readHead(t)
	if err != nil {
		return out, err
	}
	if w.signedHead(head) {
		out.Signed++
		if head, err = w.signHead(t, statementHead, head); err != nil {
			return out, err
		}
		if err := chainHeads.Put(t, chainNow, head); err != nil {
			return out, err
		}
	}
	n, err := w.keepCut(t)
	if err != nil {
		return out, err
	}
	out.Signed += n
	if n, err = w.keepFormer(t); err != nil {
		return out, err
	}
	out.Signed += n
	out.Block = head.Seq
	k, err := w.signFormer(formerKey{Key: w.key, Seq: head.Seq, Hash: head.Hash, At: t.now.UTC().Truncate(time.Millisecond)})
	if err != nil {
		return out, err
	}
	return out, chainKeys.Put(t, w.fingerprint, k)
}

// keepCut signs the stub anew when it is the former key's, or goes on from one that
// is.
func (w *adopting) keepCut(t *txn) (signed int, err error) {
	cut, err := readCut(t)
	if err != nil || cut.Seq == 0 {
		return 0, err
	}
	theirs := w.signedCut(cut)
	if !theirs && w.whose(cut.Key, cut.Signature, cut.statement(statementCut, w.portal)) != "" {
		return 0, nil
	}
	var over []string
	for _, key := range cut.Over {
		if !w.is(key) {
			over = append(over, key)
		}
	}
	if !theirs && len(over) == len(cut.Over) {
		return 0, nil
	}
	cut.Over = over
	if cut, err = w.signHead(t, statementCut, cut); err != nil {
		return 0, err
	}
	return 1, chainCuts.Put(t, chainNow, cut)
}

// keepFormer signs anew what the former key has said of those before it.
func (w *adopting) keepFormer(t *txn) (signed int, err error) {
	var list []formerKey
	err = eachRow(func(after string) ([]store.Row[formerKey], error) { return chainKeys.Page(t, after, MaxPage) },
		func(k formerKey) error {
			if w.signedFormer(k) {
				list = append(list, k)
			}
			return nil
		})
	if err != nil {
		return 0, err
	}
	for _, k := range list {
		if k, err = w.signFormer(k); err != nil {
			return signed, err
		}
		if err := chainKeys.Put(t, signature.Fingerprint(k.Key), k); err != nil {
			return signed, err
		}
		signed++
	}
	return signed, nil
}

func (w *adopting) signFormer(k formerKey) (_ formerKey, err error) {
	k.By = w.signer.PublicKey()
	k.Signature, err = w.signer.Sign(signature.Audit, k.statement(w.portal))
	return k, err
}

// adoptPage is how many statements one transaction signs anew.
const adoptPage = 100

// resign signs checkpoints, and what was taken out, anew: a page at a time, so that
// nobody waits for long.
func (w *adopting) resign() (n int, err error) {
	n, err = resign(w, chainPoints, func(tx store.Tx, h chainHead) (chainHead, bool, error) {
		if !w.signedHead(h) {
			return h, false, nil
		}
		h, err := w.signHead(tx, statementHead, h)
		return h, true, err
	})
	if err != nil {
		return n, err
	}
	more, err := resign(w, chainGone, func(_ store.Tx, gone removedEntries) (removedEntries, bool, error) {
		if !w.signedGone(gone) {
			return gone, false, nil
		}
		gone, err := w.signGone(gone)
		return gone, true, err
	})
	return n + more, err
}

// resign goes through a table, and returns how many records were signed anew.
func resign[T any](w *adopting, table *store.Table[T], anew func(store.Tx, T) (T, bool, error)) (n int, err error) {
	for after, more := "", true; more; {
		next, signed := after, 0
		err := w.db.Update(w.ctx, func(tx store.Tx) error {
			signed = 0
			rows, err := table.Page(tx, after, adoptPage)
			if err != nil {
				return err
			}
			for _, r := range rows {
				next = r.Cursor
				v, changed, err := anew(tx, r.Value)
				if err != nil {
					return err
				}
				if !changed {
					continue
				}
				signed++
				if err := table.Put(tx, r.ID, v); err != nil {
					return err
				}
			}
			more = len(rows) == adoptPage
			return nil
		})
		if err != nil {
			return n, err
		}
		n, after = n+signed, next
	}
	return n, nil
}
