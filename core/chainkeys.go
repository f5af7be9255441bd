// Who signs the chain, and who signed it before. Only the key of today counts: what
// another has signed counts once somebody at the console has said that the key was
// this portal's, and then the key of today has signed it anew (decision 043).

package core

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"time"

	"postern/core/signature"
	"postern/store"
)

// noKey stands for the signer of what was not signed, or not as it is.
const noKey = "none"

// formerKey says that a key was the portal's up to a place of the chain.
type formerKey struct {
	Key  string    `json:"key"` // its public key
	Seq  uint64    `json:"seq"`
	Hash []byte    `json:"hash"`
	At   time.Time `json:"at"` // when that was said

	By        string `json:"by,omitempty"` // the public key that signed this
	Signature string `json:"signature,omitempty"`
}

func (k formerKey) statement(portal string) []byte {
	doc, _ := json.Marshal(struct { // of strings and numbers: it does not fail
		Kind   string    `json:"kind"`
		Portal string    `json:"portal"`
		Key    string    `json:"key"`
		Seq    uint64    `json:"seq"`
		Hash   string    `json:"hash"`
		At     time.Time `json:"at"`
	}{statementKey, portal, k.Key, k.Seq, hex.EncodeToString(k.Hash), k.At})
	return append(doc, '\n')
}

const statementKey = "audit-key"

// chainKeys are former keys. Earlier programs kept the key of today here, too, and
// signed nothing of it; such records say nothing.
var chainKeys = store.NewTable[formerKey]("chain_key", 2)

// adopted says whether a key is known to have signed up to a block.
func adopted(list []formerKey, key string, seq uint64) bool {
	return slices.ContainsFunc(list, func(k formerKey) bool { return k.Key == key && seq <= k.Seq })
}

// formerKeys reads those that the key of today vouches for.
func (b *base) formerKeys(tx store.Tx, portal string) (list []formerKey, err error) {
	if b.signer == nil {
		return nil, nil
	}
	err = eachRow(func(after string) ([]store.Row[formerKey], error) { return chainKeys.Page(tx, after, MaxPage) },
		func(k formerKey) error {
			if b.whose(k.By, k.Signature, k.statement(portal)) == "" {
				list = append(list, k)
			}
			return nil
		})
	return list, err
}

// whose says of a signature what is wrong with it: "", FoundForeign when it is
// another's than the portal's, or FoundSignature. A portal that has no key cannot
// tell.
func (b *base) whose(key, armored string, statement []byte) FindingKind {
	switch {
	case b.signer == nil:
		return ""
	case signature.Verify(key, signature.Audit, statement, armored) != nil:
		return FoundSignature
	case key != b.signer.PublicKey():
		return FoundForeign
	}
	return ""
}

// over says who signed a place that something is to go on from, when it is not who
// signs now: the public key, or noKey. What goes on has to say it, or else the key
// of today would vouch for what it has never seen.
func (b *base) over(tx store.Tx, kind string, h chainHead) (string, error) {
	if b.signer == nil || h.Seq == 0 {
		return "", nil
	}
	if own := b.ownHead.Load(); kind == statementHead && own != nil && own.same(h) {
		return "", nil
	}
	site, err := sites.Get(tx, siteID)
	if err != nil {
		return "", err
	}
	switch b.whose(h.Key, h.Signature, h.statement(kind, site.Name)) {
	case FoundForeign:
		return h.Key, nil
	case FoundSignature:
		return noKey, nil
	}
	return "", nil
}

func (h chainHead) same(o chainHead) bool {
	return h.Seq == o.Seq && equalHash(h.Hash, o.Hash) && h.Entries == o.Entries && h.At.Equal(o.At) && h.Key == o.Key && h.Signature == o.Signature
}

// signHead signs a head with the portal's key.
func (b *base) signHead(tx store.Tx, kind string, h chainHead) (chainHead, error) {
	h.Signature, h.Key = "", ""
	if b.signer == nil {
		return h, nil
	}
	site, err := sites.Get(tx, siteID)
	if err != nil {
		return h, err
	}
	h.Key = b.signer.PublicKey()
	h.Signature, err = b.signer.Sign(signature.Audit, h.statement(kind, site.Name))
	return h, err
}

// warnOfKey tells the operator that the host key is not the one that has signed the
// trail so far.
func (b *base) warnOfKey(ctx context.Context) error {
	if b.signer == nil {
		return nil
	}
	return b.db.View(ctx, func(tx store.Tx) error {
		head, err := readHead(tx)
		if unreadable(err) {
			return nil // whoever needs it says so
		}
		if err == nil && head.Seq > 0 && head.Key != b.signer.PublicKey() {
			b.log.Warn("the trail was signed by another host key so far; if that was this portal's, say so: postern audit adopt FINGERPRINT",
				slog.String("fingerprint", signature.Fingerprint(head.Key)), slog.Uint64("block", head.Seq))
		}
		return err
	})
}

// Adopted is what adopting a former key has come to.
type Adopted struct {
	Fingerprint string `json:"fingerprint"`
	Block       uint64 `json:"block"`  // up to which it counts
	Signed      int    `json:"signed"` // statements of the former key that were signed anew
}

// adoptPage is how many statements one transaction signs anew.
const adoptPage = 100

// Adopt says, by the fingerprint, that a key was the portal's host key before, up to
// where the chain ends now: what it has signed of the trail is signed anew by the key
// of today, as far as the former signature is valid. Nobody else can know it, since
// whoever has the file could have signed it with a key of their own; so it is for the
// machine's own operator alone. CodeDenied; CodeFormat (field "fingerprint") for what is no
// fingerprint of SHA-256; CodeKeyCurrent when it is the key of today; CodeNotFound when
// that key has signed nothing here.
func (a *Audit) Adopt(ctx context.Context, actor Actor, fingerprint string) (out Adopted, err error) {
	fingerprint = strings.TrimSpace(fingerprint)
	w := &adopting{base: a.base, ctx: ctx, fingerprint: fingerprint}
	_, err = a.look(ctx, actor, func(t *txn) error {
		w.portal = t.site.Name
		return w.may(t)
	})
	if err == nil {
		err = w.resign()
	}
	if err != nil {
		return out, a.refused(ctx, actor, ActTrailAdopt, "", asError(err))
	}
	err = a.do(ctx, actor, ActTrailAdopt, "", func(t *txn) error {
		t.entry.Target = fingerprint
		if err := w.may(t); err != nil {
			return err
		}
		out, err = w.settle(t)
		t.entry.After = map[string]string{"block": itoa(int(out.Block)), "signed": itoa(out.Signed)}
		return err
	})
	return out, err
}

// adopting is one adoption.
type adopting struct {
	*base
	ctx         context.Context
	portal      string
	fingerprint string
	key         string // its public key, once a statement of it has come by
	signed      int
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
	case w.fingerprint == signature.Fingerprint(w.signer.PublicKey()):
		return refuse(CodeKeyCurrent)
	}
	return nil
}

const base64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// by says whether a statement is the former key's.
func (w *adopting) by(key, armored string, statement []byte) bool {
	if key == "" || key != w.key && signature.Fingerprint(key) != w.fingerprint {
		return false
	}
	if w.whose(key, armored, statement) != FoundForeign {
		return false
	}
	w.key = key
	return true
}

// resign signs checkpoints, and what was taken out, anew: a page at a time, so that
// nobody waits for long. What was signed before it is interrupted needs it no more.
func (w *adopting) resign() error {
	err := resign(w, chainPoints, func(tx store.Tx, h chainHead) (chainHead, bool, error) {
		if !w.by(h.Key, h.Signature, h.statement(statementHead, w.portal)) {
			return h, false, nil
		}
		h, err := w.signHead(tx, statementHead, h)
		return h, true, err
	})
	if err != nil {
		return err
	}
	return resign(w, chainGone, func(_ store.Tx, gone removedEntries) (removedEntries, bool, error) {
		if !w.by(gone.Key, gone.Signature, gone.statement()) {
			return gone, false, nil
		}
		gone, err := w.signGone(gone)
		return gone, true, err
	})
}

// resign goes through a table.
func resign[T any](w *adopting, table *store.Table[T], anew func(store.Tx, T) (T, bool, error)) error {
	for after, more := "", true; more; {
		from, n := after, 0
		err := w.db.Update(w.ctx, func(tx store.Tx) error {
			n = 0
			rows, err := table.Page(tx, from, adoptPage)
			if err != nil {
				return err
			}
			for _, r := range rows {
				after = r.Cursor
				v, changed, err := anew(tx, r.Value)
				if err != nil {
					return err
				}
				if !changed {
					continue
				}
				n++
				if err := table.Put(tx, r.ID, v); err != nil {
					return err
				}
			}
			more = len(rows) == adoptPage
			return nil
		})
		if err != nil {
			return err
		}
		w.signed += n
	}
	return nil
}

// settle signs the two ends of the chain anew, with what was said of keys before,
// and keeps that the key was the portal's.
func (w *adopting) settle(t *txn) (out Adopted, err error) {
	signed := 0
	head, err := readHead(t)
	if err != nil {
		return out, err
	}
	if w.by(head.Key, head.Signature, head.statement(statementHead, w.portal)) {
		signed++
		if head, err = w.signHead(t, statementHead, head); err != nil {
			return out, err
		}
		if err := chainHeads.Put(t, chainNow, head); err != nil {
			return out, err
		}
	}
	n, err := w.settleCut(t)
	if err != nil {
		return out, err
	}
	signed += n
	if w.key == "" {
		if err := w.seams(t, head); err != nil {
			return out, err
		}
	}
	if w.key == "" {
		return out, refuseField(CodeNotFound, "fingerprint")
	}
	if n, err = w.settleFormer(t); err != nil {
		return out, err
	}
	k := formerKey{Key: w.key, Seq: head.Seq, Hash: head.Hash, At: t.now.UTC().Truncate(time.Millisecond)}
	if k, err = w.signFormer(k); err != nil {
		return out, err
	}
	out = Adopted{Fingerprint: w.fingerprint, Block: head.Seq, Signed: w.signed + signed + n}
	return out, chainKeys.Put(t, w.fingerprint, k)
}

// settleCut signs the stub anew when it is the former key's, and lets it go on from
// one of that key.
func (w *adopting) settleCut(t *txn) (signed int, err error) {
	cut, err := readCut(t)
	if err != nil || cut.Seq == 0 {
		return 0, err
	}
	theirs := w.by(cut.Key, cut.Signature, cut.statement(statementCut, w.portal))
	if !theirs && w.whose(cut.Key, cut.Signature, cut.statement(statementCut, w.portal)) != "" {
		return 0, nil
	}
	over := slices.DeleteFunc(slices.Clone(cut.Over), func(key string) bool { return signature.Fingerprint(key) == w.fingerprint })
	if len(over) < len(cut.Over) && w.key == "" {
		i := slices.IndexFunc(cut.Over, func(key string) bool { return signature.Fingerprint(key) == w.fingerprint })
		w.key = cut.Over[i]
	}
	if !theirs && len(over) == len(cut.Over) {
		return 0, nil
	}
	cut.Over = slices.Clip(over)
	if len(over) == 0 {
		cut.Over = nil
	}
	if cut, err = w.signHead(t, statementCut, cut); err != nil {
		return 0, err
	}
	return 1, chainCuts.Put(t, chainNow, cut)
}

// seams looks for the key among those that blocks were put on, when nothing that it
// has signed is left.
func (w *adopting) seams(t *txn, head chainHead) error {
	for after, more := "", true; more; {
		rows, err := chainBlocks.Page(t, after, 4)
		if err != nil {
			return err
		}
		for _, r := range rows {
			after = r.Cursor
			if key := r.Value.Over; key != "" && r.Value.Seq <= head.Seq && signature.Fingerprint(key) == w.fingerprint {
				w.key = key
				return nil
			}
		}
		more = len(rows) == 4
	}
	return nil
}

// settleFormer signs anew what the former key has vouched for.
func (w *adopting) settleFormer(t *txn) (signed int, err error) {
	rows, err := chainKeys.Page(t, "", MaxPage)
	if err != nil {
		return 0, err
	}
	for _, r := range rows {
		k := r.Value
		if !w.by(k.By, k.Signature, k.statement(w.portal)) {
			continue
		}
		if k, err = w.signFormer(k); err != nil {
			return signed, err
		}
		if err := chainKeys.Put(t, r.ID, k); err != nil {
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
