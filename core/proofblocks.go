// The blocks of a proof: found by walking down the chain beside the trail, and
// hung from the nearest place above that was signed.

package core

import (
	"bytes"

	"github.com/oklog/ulid/v2"
)

// has says whether a block lists an entry in its place.
func (b chainBlock) has(id ulid.ULID) bool {
	for part := b.Entries; len(part) >= linkSize; part = part[linkSize:] {
		if bytes.Equal(part[:len(id)], id[:]) {
			return true
		}
	}
	return false
}

// first is the oldest entry of a block that is in its place.
func (b chainBlock) first() (id ulid.ULID, ok bool) {
	return id, len(b.Entries) >= linkSize && copy(id[:], b.Entries) == len(id)
}

// reach walks down to the block that an entry would lie in. On its way it writes
// blocks that list late entries, which may be asked for later, and of a whole span
// every block.
func (p *proofWriter) reach(id ulid.ULID) error {
	for {
		if first, ok := p.at.first(); ok && first.Compare(id) <= 0 {
			return nil
		}
		next, ok, err := p.older()
		if err != nil || !ok {
			return err
		}
		p.at = next
		first, inPlace := next.first()
		if len(next.Late) > 0 || p.said.Whole && (p.below > 0 || inPlace && p.reaches(first)) {
			if err := p.show(next); err != nil {
				return err
			}
		}
	}
}

// reaches says whether a block that begins with an entry reaches into the span.
func (p *proofWriter) reaches(first ulid.ULID) bool {
	return p.said.To.IsZero() || first.Time() < auditMillis(p.said.To)
}

// older returns the next block down; ok is false when there is none. One that is
// missing is passed over, which who verifies finds.
func (p *proofWriter) older() (b chainBlock, ok bool, err error) {
	seq := p.head.Seq
	if p.at.Seq > 0 {
		seq = p.at.Seq - 1
	}
	for ; seq > p.walk.cut.Seq && !p.bottom; seq-- {
		if len(p.read) == 0 || p.read[0].Seq != seq {
			if p.read, err = p.walk.blocks(seq); err != nil {
				return b, false, err
			}
		}
		if len(p.read) > 0 {
			b, p.read = p.read[0], p.read[1:]
			return b, true, nil
		}
		if p.bottom, err = p.walk.cutMeanwhile(seq); err != nil {
			return b, false, err
		}
	}
	p.bottom = true
	return b, false, nil
}

// show writes a block, and what links it to a place that was signed.
func (p *proofWriter) show(b chainBlock) error {
	from := p.below // the next one down is
	if from == 0 || from > b.Seq+1 && !p.said.Whole {
		place, err := p.signedAbove(b.Seq)
		if err != nil {
			return err
		}
		if from == 0 || place.Seq < from-1 {
			if err := p.put(proofPart{Head: &place}); err != nil {
				return err
			}
			from = place.Seq + 1
		}
	}
	for seq := from - 1; seq > b.Seq; {
		list, err := p.walk.blocks(seq)
		if err != nil {
			return err
		}
		if len(list) == 0 { // who verifies finds that it is missing
			break
		}
		for _, between := range list {
			if between.Seq != seq || seq == b.Seq {
				break
			}
			if err := p.block(between); err != nil {
				return err
			}
			seq--
		}
	}
	return p.block(b)
}

func (p *proofWriter) block(b chainBlock) error {
	p.below = b.Seq
	left, _ := p.cover.add(b)
	if err := p.gone(left); err != nil {
		return err
	}
	return p.put(proofPart{Block: &b})
}

// signedAbove returns the lowest place from a block on that was signed by the key
// that signs today: a checkpoint, or the head.
func (p *proofWriter) signedAbove(seq uint64) (place chainHead, err error) {
	place = p.head
	if p.head.Signature == "" || p.head.Seq <= seq {
		return place, nil
	}
	err = p.walk.look(func(t *txn) error {
		// Checkpoints are at most so many blocks apart, the newest first.
		rows, err := chainPoints.Page(t, blockKey(min(seq+pointBlocks+1, p.head.Seq)), pointBlocks+1)
		for _, r := range rows {
			if h := r.Value; h.Seq >= seq && h.Seq < place.Seq && h.Signature != "" && h.Key == p.head.Key {
				place = h
			}
		}
		return err
	})
	return place, err
}
