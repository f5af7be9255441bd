package core

import (
	"crypto/sha256"
	"encoding/hex"

	"postern/core/signature"
	"postern/store"
)

// Forger has the file and its keys, and a host key of their own.
type Forger struct {
	store.Tx
	By *signature.Signer
}

func (f Forger) sign(kind string, h chainHead) (chainHead, error) {
	return (&base{signer: f.By}).signHead(f.Tx, kind, h)
}

// Known puts the forger's key among those that have signed, as earlier programs
// kept them, and as this one does.
func (f Forger) Known() error {
	key := f.By.PublicKey()
	h, err := readHead(f.Tx)
	if err != nil {
		return err
	}
	k := formerKey{Key: key, Seq: h.Seq + 100, Hash: h.Hash, At: h.At, By: key}
	s, err := sites.Get(f.Tx, siteID)
	if err != nil {
		return err
	}
	if k.Signature, err = f.By.Sign(signature.Audit, k.statement(s.Name)); err != nil {
		return err
	}
	if err := chainKeys.Put(f.Tx, f.By.Fingerprint(), k); err != nil {
		return err
	}
	return KeepLegacyKey(f.Tx, key)
}

// KeepLegacyKey keeps a key as programs before decision 043 did.
func KeepLegacyKey(tx store.Tx, key string) error {
	sum := sha256.Sum256([]byte(key))
	return store.NewTable[mark]("chain_key", 1).Put(tx, hex.EncodeToString(sum[:]), mark{})
}

// Gone drops an entry and says that it went by the rules.
func (f Forger) Gone(id string) error {
	e, err := trail.Get(f.Tx, invert(id))
	if err != nil {
		return err
	}
	if err := trail.Delete(f.Tx, invert(id)); err != nil {
		return err
	}
	gone, err := (&base{signer: f.By}).signGone(removedEntries{Account: "x", Request: "y", At: e.At, IDs: []string{id}})
	if err != nil {
		return err
	}
	return chainGone.Put(f.Tx, id, gone)
}

// Cut cuts the oldest n blocks and leaves a stub.
func (f Forger) Cut(n uint64) error {
	var cut chainHead
	for seq := uint64(1); seq <= n; seq++ {
		b, err := chainBlocks.Get(f.Tx, blockKey(seq))
		if err != nil {
			return err
		}
		links, err := linksOf(b.Entries)
		if err != nil {
			return err
		}
		for _, l := range links {
			if err := trail.Delete(f.Tx, invert(l.id.String())); err != nil {
				return err
			}
			cut.Horizon = l.id
		}
		h := b.hash()
		cut.Seq, cut.Hash, cut.At, cut.Entries = seq, h[:], b.At, cut.Entries+uint64(len(links))
		if err := chainBlocks.Delete(f.Tx, blockKey(seq)); err != nil {
			return err
		}
		if err := chainPoints.Delete(f.Tx, blockKey(seq)); err != nil {
			return err
		}
	}
	cut, err := f.sign(statementCut, cut)
	if err != nil {
		return err
	}
	return chainCuts.Put(f.Tx, chainNow, cut)
}

// Point puts a checkpoint on a block.
func (f Forger) Point(seq uint64) error {
	b, err := chainBlocks.Get(f.Tx, blockKey(seq))
	if err != nil {
		return err
	}
	hash := b.hash()
	h, err := f.sign(statementHead, chainHead{Seq: seq, Hash: hash[:], At: b.At})
	if err != nil {
		return err
	}
	return chainPoints.Put(f.Tx, blockKey(seq), h)
}

// Head signs the end of the chain, and every checkpoint, as if the forger's had
// been the host key so far.
func (f Forger) Head() error {
	h, err := readHead(f.Tx)
	if err != nil {
		return err
	}
	if h, err = f.sign(statementHead, h); err != nil {
		return err
	}
	points, err := chainPoints.Page(f.Tx, "", MaxPage)
	if err != nil {
		return err
	}
	for _, p := range points {
		if p.Value, err = f.sign(statementHead, p.Value); err != nil {
			return err
		}
		if err := chainPoints.Put(f.Tx, p.ID, p.Value); err != nil {
			return err
		}
	}
	return chainHeads.Put(f.Tx, chainNow, h)
}

// Age lets the entries of a block, and itself, seem to be as old as the first
// entry that there can be, so that retention takes it.
func Age(tx store.Tx, seq uint64) error {
	b, err := chainBlocks.Get(tx, blockKey(seq))
	if err != nil {
		return err
	}
	b.Entries = make([]byte, linkSize)
	return chainBlocks.Put(tx, blockKey(seq), b)
}

// StealGone drops an entry and lets the index say that a batch which was taken out
// by the rules has it.
func StealGone(tx store.Tx, id string) error {
	if err := trail.Delete(tx, invert(id)); err != nil {
		return err
	}
	rows, err := chainGone.Page(tx, "", 1)
	if err != nil {
		return err
	}
	v := rows[0].Value
	v.IDs = append(v.IDs, id) // the index has it, and then the record has not
	if err := chainGone.Put(tx, rows[0].ID, v); err != nil {
		return err
	}
	return store.NewTable[removedEntries]("chain_gone", 1).Put(tx, rows[0].ID, rows[0].Value)
}

// Claim lets what was taken out seem to be signed by another's key.
func Claim(tx store.Tx, id, key string) error {
	return chainGone.Change(tx, id, func(r removedEntries) (removedEntries, error) {
		r.Key = key
		return r, nil
	})
}
