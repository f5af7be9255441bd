// The entries of the trail, held against the links of the blocks: which are missing,
// edited or strays, and which went by the rules.

package core

import (
	"crypto/sha256"
	"errors"

	"github.com/oklog/ulid/v2"

	"postern/store"
)

// entry looks for an entry that a block has among those that are there.
func (w *chainWalk) entry(l link) error {
	for {
		row, id, ok, err := w.peek()
		if err != nil {
			return err
		}
		switch order := id.Compare(l.id); {
		case ok && order > 0: // not this block's
			if err := w.stray(row, id); err != nil {
				return err
			}
			w.rows = w.rows[1:]
		case ok && order == 0:
			w.compare(row, l)
			w.rows = w.rows[1:]
			return nil
		default:
			w.missing(l)
			return nil
		}
	}
}

// compare compares an entry with what was sealed.
func (w *chainWalk) compare(row store.RawRow, l link) {
	w.out.Entries++
	if sha256.Sum256(row.Bytes) != l.digest {
		w.out.find(Finding{Kind: FoundEdited, Entry: l.id.String()})
	}
}

// missing notes an entry that is not there.
func (w *chainWalk) missing(l link) {
	w.nLost++
	if len(w.lost) < maxLate {
		w.lost = append(w.lost, Finding{Kind: FoundDropped, Entry: l.id.String()})
	}
}

// peek returns the next entry of the trail; ok is false after the oldest.
func (w *chainWalk) peek() (row store.RawRow, id ulid.ULID, ok bool, err error) {
	if len(w.rows) == 0 && !w.ended {
		err = w.look(func(t *txn) (err error) {
			w.rows, err = trail.RawPage(t, w.after, verifyPage)
			return err
		})
		if err != nil {
			return row, id, false, err
		}
		if n := len(w.rows); n > 0 {
			w.after = w.rows[n-1].ID
		}
		w.ended = len(w.rows) < verifyPage
	}
	if len(w.rows) == 0 {
		return row, id, false, nil
	}
	row = w.rows[0]
	u, err := ulid.ParseStrict(row.ID)
	if err != nil {
		return row, id, false, store.ErrCorrupt
	}
	for i := range u {
		id[i] = ^u[i]
	}
	return row, id, true, nil
}

// stray judges an entry that no block of its place has: one that was sealed late,
// waits to be sealed, or was sealed since; or else was put in.
func (w *chainWalk) stray(row store.RawRow, id ulid.ULID) error {
	if l, late := w.late[id]; late {
		delete(w.late, id)
		w.compare(row, l)
		return nil
	}
	return w.look(func(t *txn) error {
		_, err := unsealed.Raw(t, id.String())
		if err == nil {
			w.out.Unsealed++
			return nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		since, err := w.sealedSince(t, id)
		if err == nil && !since {
			w.out.find(Finding{Kind: FoundInserted, Entry: id.String()})
		}
		return err
	})
}

// sealedSince looks for an entry in the blocks that came after the walk began.
func (w *chainWalk) sealedSince(t *txn, id ulid.ULID) (bool, error) {
	now, err := readHead(t)
	if err != nil {
		return false, err
	}
	for seq := now.Seq; seq > w.head.Seq; seq-- {
		b, err := chainBlocks.Get(t, blockKey(seq))
		if errors.Is(err, store.ErrNotFound) {
			continue
		} else if err != nil {
			return false, err
		}
		for _, part := range [][]byte{b.Entries, b.Late} {
			links, err := linksOf(part)
			if err != nil {
				return false, err
			}
			for _, l := range links {
				if l.id == id {
					return true, nil
				}
			}
		}
	}
	return false, nil
}

// newerThanSealed judges what is newer than the newest block.
func (w *chainWalk) newerThanSealed() error {
	for {
		row, id, ok, err := w.peek()
		if err != nil || !ok || w.head.Seq > 0 && id.Compare(w.head.Horizon) <= 0 {
			return err
		}
		if err := w.stray(row, id); err != nil {
			return err
		}
		w.rows = w.rows[1:]
	}
}

// olderThanSealed judges what is older than the oldest block.
func (w *chainWalk) olderThanSealed() error {
	for {
		row, id, ok, err := w.peek()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		if err := w.stray(row, id); err != nil {
			return err
		}
		w.rows = w.rows[1:]
	}
	for _, l := range w.late {
		w.missing(l)
	}
	w.tell()
	return nil
}

// cutMeanwhile says whether a block was cut since the walk began.
func (w *chainWalk) cutMeanwhile(seq uint64) (gone bool, err error) {
	err = w.look(func(t *txn) error {
		now, err := readCut(t)
		gone = seq <= now.Seq
		return err
	})
	return gone, err
}

// settleLost tells entries that were dropped from those that went by the rules.
func (w *chainWalk) settleLost() error {
	for len(w.lost) > 0 {
		some := w.lost[:min(len(w.lost), verifyPage)]
		w.lost = w.lost[len(some):]
		err := w.look(func(t *txn) error {
			now, err := readCut(t)
			if err != nil {
				return err
			}
			for _, f := range some {
				id, err := ulid.ParseStrict(f.Entry)
				if err != nil {
					return err
				}
				if now.Seq > w.cut.Seq && id.Compare(now.Horizon) <= 0 {
					continue // retention has run meanwhile
				}
				ok, f, err := w.accounted(t, f.Entry)
				if err != nil {
					return err
				}
				if ok {
					w.out.Removed++
				} else {
					w.out.find(f)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
