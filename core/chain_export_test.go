package core

import (
	"context"
	"time"

	"postern/store"
)

// Tamper changes the store under the core, as somebody would who has the file and
// its keys.
func Tamper(p *Portal, change func(tx store.Tx) error) error {
	return p.base.db.Update(context.Background(), change)
}

// EditEntry changes an entry where it lies.
func EditEntry(tx store.Tx, id string, change func(*Entry)) error {
	s, err := trail.Get(tx, invert(id))
	if err != nil {
		return err
	}
	change(&s.Entry)
	return trail.Put(tx, invert(id), s)
}

// DropEntry removes an entry, and its mark if it has one.
func DropEntry(tx store.Tx, id string) error {
	if err := unsealed.Delete(tx, id); err != nil {
		return err
	}
	return trail.Delete(tx, invert(id))
}

// InsertEntry puts an entry in, without a mark.
func InsertEntry(tx store.Tx, e Entry) error {
	return trail.Insert(tx, invert(e.ID), storedEntry{Entry: e})
}

// SwapEntries lets two entries take each other's place.
func SwapEntries(tx store.Tx, a, b string) error {
	x, err := trail.Get(tx, invert(a))
	if err != nil {
		return err
	}
	y, err := trail.Get(tx, invert(b))
	if err != nil {
		return err
	}
	x.ID, y.ID = y.ID, x.ID
	if err := trail.Put(tx, invert(a), y); err != nil {
		return err
	}
	return trail.Put(tx, invert(b), x)
}

// CutTail takes the newest blocks and their entries away and lets the chain end
// before them, with the signature that the head had there when there is one.
func CutTail(tx store.Tx, to uint64) error {
	for {
		h, err := readHead(tx)
		if err != nil || h.Seq <= to {
			return err
		}
		b, err := chainBlocks.Get(tx, blockKey(h.Seq))
		if err != nil {
			return err
		}
		links, err := linksOf(b.Entries)
		if err != nil {
			return err
		}
		for _, l := range links {
			if err := trail.Delete(tx, invert(l.id.String())); err != nil {
				return err
			}
		}
		if err := chainBlocks.Delete(tx, blockKey(h.Seq)); err != nil {
			return err
		}
		if err := chainPoints.Delete(tx, blockKey(h.Seq)); err != nil {
			return err
		}
		h.Seq, h.Hash, h.Entries = h.Seq-1, b.Prev, h.Entries-uint64(len(links))
		if prev, err := chainBlocks.Get(tx, blockKey(h.Seq)); err == nil && len(prev.Entries) > 0 {
			copy(h.Horizon[:], prev.Entries[len(prev.Entries)-linkSize:])
		}
		if p, err := chainPoints.Get(tx, blockKey(h.Seq)); err == nil {
			h.Signature, h.At = p.Signature, p.At
		}
		if err := chainHeads.Put(tx, chainNow, h); err != nil {
			return err
		}
	}
}

// EditBlock changes a block.
func EditBlock(tx store.Tx, seq uint64, change func(entries, prev []byte) (e, p []byte)) error {
	b, err := chainBlocks.Get(tx, blockKey(seq))
	if err != nil {
		return err
	}
	b.Entries, b.Prev = change(b.Entries, b.Prev)
	return chainBlocks.Put(tx, blockKey(seq), b)
}

// DropBlock removes a block.
func DropBlock(tx store.Tx, seq uint64) error { return chainBlocks.Delete(tx, blockKey(seq)) }

// EditHead changes the head.
func EditHead(tx store.Tx, change func(hash []byte, signature *string)) error {
	h, err := readHead(tx)
	if err != nil {
		return err
	}
	change(h.Hash, &h.Signature)
	return chainHeads.Put(tx, chainNow, h)
}

// EditCut changes what the stub says was cut.
func EditCut(tx store.Tx, entries uint64) error {
	c, err := readCut(tx)
	if err != nil {
		return err
	}
	c.Entries = entries
	return chainCuts.Put(tx, chainNow, c)
}

// WriteLate writes an entry with an id of the past, as a slow transaction does.
func WriteLate(p *Portal, e Entry) error {
	return p.base.db.Update(context.Background(), func(tx store.Tx) error { return writeEntry(tx, e) })
}

// NewEntryID makes an id of the time of the core's clock.
func NewEntryID(p *Portal) (string, error) { return p.base.ids.new(p.base.clock.Now()) }

// CutTrail cuts what is older.
func CutTrail(p *Portal, before time.Time) (int, error) {
	return p.base.cutTrail(context.Background(), before, nil)
}

// ForgetTrails takes out what is about deleted accounts.
func ForgetTrails(p *Portal) (int, error) { return p.Audit.forgetTrails(context.Background()) }

// MarkTrail lets every entry be sealed that was written past the core.
func MarkTrail(p *Portal) error {
	for after := ""; ; {
		err := p.base.db.Update(context.Background(), func(tx store.Tx) (err error) {
			after, err = markTrail(tx, after)
			return err
		})
		if err != nil || after == "" {
			return err
		}
	}
}

// BlockEntries is how many entries a block has, at most.
const BlockEntries = blockEntries
