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
