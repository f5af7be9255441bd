// Verifying the chain: blocks and entries are walked together, from the newest to
// the oldest, a page at a time, so that it takes the same memory however long the
// trail is, and nobody waits for it. Entries that are written meanwhile are left
// to the next time.

package core

import (
	"context"

	"github.com/oklog/ulid/v2"

	"postern/core/signature"
	"postern/store"
)

// Verify walks the whole trail and says whether it is as it was sealed. noted is a
// head that was noted earlier, or "". progress, when not nil, is told after each
// page how many of how many entries were looked at. Both that it was done and
// what it found are in the trail. CodeDenied, CodeFormat (field "head"),
// CodeUnavailable when ctx is done.
func (a *Audit) Verify(ctx context.Context, actor Actor, noted string, progress func(done, total int)) (VerifyReport, error) {
	w := &chainWalk{Audit: a, ctx: ctx, actor: actor, progress: progress, late: map[ulid.ULID]link{}}
	err := w.begin(noted)
	if err == nil {
		err = w.run()
	}
	target := w.noted.Short()
	if err != nil {
		e, idErr := a.newEntry(actor, ActAuditVerify, "")
		if idErr == nil {
			e.Target = target
			a.recordRefusal(ctx, e, err)
		}
		return w.out, asError(err)
	}
	err = a.do(ctx, actor, ActAuditVerify, "", func(t *txn) error {
		t.entry.Target = target
		t.entry.After = map[string]string{"head": w.out.Head, "entries": itoa(w.out.Entries), "found": itoa(w.out.Found)}
		return t.may(OpReadAudit, "")
	})
	return w.out, err
}

// chainWalk is one verification.
type chainWalk struct {
	*Audit
	ctx      context.Context
	actor    Actor
	progress func(done, total int)
	noted    ChainHead

	portal string
	head   chainHead
	cut    chainHead
	former []formerKey // that signed before, as was said at the console
	out    VerifyReport

	late    map[ulid.ULID]link // sealed late by a newer block, and not met yet
	rows    []store.RawRow     // of the trail, the newest first
	after   string
	ended   bool
	lost    []Finding // entries that are not there; they may have gone meanwhile
	nLost   int
	expects []byte // the hash that the next older block must have
	points  pointWalk
}

const verifyPage = 1000

// look runs one step on a snapshot; whether the actor may is asked each time.
func (w *chainWalk) look(fn func(t *txn) error) error {
	_, err := w.base.look(w.ctx, w.actor, func(t *txn) error {
		if err := t.may(OpReadAudit, ""); err != nil {
			return err
		}
		return fn(t)
	})
	return err
}

// begin reads where the chain ends and begins, and which keys have signed for it.
func (w *chainWalk) begin(noted string) (err error) {
	if noted != "" {
		if w.noted, err = ParseChainHead(noted); err != nil {
			return err
		}
	}
	return w.look(func(t *txn) (err error) {
		w.portal = t.site.Name
		if w.head, err = readHead(t); err != nil {
			return err
		}
		if w.cut, err = readCut(t); err != nil {
			return err
		}
		w.former, err = w.formerKeys(t, w.portal)
		return err
	})
}

// signed judges the signature of a place of the chain.
func (w *chainWalk) signed(h chainHead, kind string) bool {
	found := w.whose(h.Key, h.Signature, h.statement(kind, w.portal))
	switch found {
	case FoundForeign:
		w.foreign(h.Key, h.Seq)
	case FoundSignature:
		w.foreign(noKey, h.Seq)
	}
	return found == ""
}

// foreign says that a place was signed by another's key, or by none.
func (w *chainWalk) foreign(key string, seq uint64) {
	if key == noKey {
		w.out.find(Finding{Kind: FoundSignature, Block: seq})
		return
	}
	w.out.find(Finding{Kind: FoundForeign, Block: seq, Key: signature.Fingerprint(key)})
}

func (w *chainWalk) run() error {
	w.out.Head, w.out.Cut = w.head.public().String(), w.cut.Entries
	if w.cut.Seq > 0 {
		w.out.CutUntil = w.cut.At
		if w.signed(w.cut, statementCut) {
			for _, key := range w.cut.Over { // adopting takes it away: to have adopted is not enough
				w.foreign(key, w.cut.Seq)
			}
		}
	}
	if w.head.Seq > 0 && w.signer != nil {
		w.out.Signed = w.signed(w.head, statementHead)
		w.out.Key, w.out.Fingerprint = w.head.Key, signature.Fingerprint(w.head.Key)
	}
	for _, k := range w.former {
		w.out.Former = append(w.out.Former, FormerKey{Fingerprint: signature.Fingerprint(k.Key), Block: k.Seq, At: k.At})
	}
	w.judgeNoted()
	w.expects = w.head.Hash
	if err := w.newerThanSealed(); err != nil {
		return err
	}
	for seq := w.head.Seq; seq > w.cut.Seq; {
		blocks, err := w.blocks(seq)
		if err != nil {
			return err
		}
		if len(blocks) == 0 {
			gone, err := w.cutMeanwhile(seq)
			if err != nil {
				return err
			}
			if !gone {
				w.out.find(Finding{Kind: FoundBlock, Block: seq})
				w.expects = nil
			}
			seq--
			continue
		}
		for _, b := range blocks {
			if b.Seq != seq { // one is missing in between, which the next round says
				break
			}
			if err := w.block(b); err != nil {
				return err
			}
			seq--
		}
	}
	if w.expects != nil && !equalHash(w.expects, w.cut.Hash) {
		w.out.find(Finding{Kind: FoundBlock, Block: w.cut.Seq})
	}
	if err := w.olderThanSealed(); err != nil {
		return err
	}
	return w.settleLost()
}

// judgeNoted compares with a head that was noted, as far as that needs no walk.
func (w *chainWalk) judgeNoted() {
	switch n := w.noted; {
	case n.Seq == 0:
	case n.Seq > w.head.Seq:
		w.out.find(Finding{Kind: FoundCutTail, Block: n.Seq})
	case n.Seq < w.cut.Seq:
		w.out.Noted = NotedOlder
	case n.Seq == w.cut.Seq:
		w.isNoted(w.cut.public())
	}
}

// isNoted compares a place of the chain with the head that was noted.
func (w *chainWalk) isNoted(h ChainHead) {
	if h.Seq != w.noted.Seq {
		return
	}
	if h.Hash[:len(w.noted.Hash)] == w.noted.Hash {
		w.out.Noted = NotedHeld
	} else {
		w.out.find(Finding{Kind: FoundRewritten, Block: h.Seq})
	}
}

// blocks reads some blocks, from seq down.
func (w *chainWalk) blocks(seq uint64) (list []chainBlock, err error) {
	const page = 4
	err = w.look(func(t *txn) error {
		list = nil
		after := ""
		if seq < ^uint64(0) {
			after = blockKey(seq + 1)
		}
		rows, err := chainBlocks.Page(t, after, page)
		if unreadable(err) {
			return nil // as good as missing
		}
		for _, r := range rows {
			if r.ID != blockKey(r.Value.Seq) {
				break
			}
			list = append(list, r.Value)
		}
		return err
	})
	if len(list) > 0 && list[0].Seq != seq {
		list = nil
	}
	return list, err
}

// block verifies one block with its entries.
func (w *chainWalk) block(b chainBlock) error {
	hash := b.hash()
	if w.expects != nil && !equalHash(hash[:], w.expects) {
		w.out.find(Finding{Kind: FoundBlock, Block: b.Seq})
	}
	w.expects = b.Prev
	w.out.Blocks++
	w.isNoted(chainHead{Seq: b.Seq, Hash: hash[:]}.public())
	if b.Over != "" && w.signer != nil && !adopted(w.former, b.Over, b.Seq-1) {
		w.foreign(b.Over, b.Seq-1)
	}
	if err := w.point(b.Seq, hash[:]); err != nil {
		return err
	}
	entries, err := linksOf(b.Entries)
	if err == nil {
		var late []link
		if late, err = linksOf(b.Late); err == nil {
			for _, l := range late {
				w.late[l.id] = l
			}
		}
	}
	if err != nil || len(w.late) > maxLate {
		w.out.find(Finding{Kind: FoundBlock, Block: b.Seq})
		return nil
	}
	for i := len(entries) - 1; i >= 0; i-- {
		if err := w.entry(entries[i]); err != nil {
			return err
		}
	}
	w.tell()
	return nil
}

func (w *chainWalk) tell() {
	if w.progress != nil {
		total := int(w.head.Entries - w.cut.Entries)
		w.progress(min(w.out.Entries, total), total)
	}
}

// pointWalk reads checkpoints, the newest first.
type pointWalk struct {
	list  []store.Row[chainHead]
	after string
	begun bool
	told  map[string]bool // keys of others, of which one checkpoint was found
}

// point compares a block with the checkpoint that was signed of it, if there is one.
func (w *chainWalk) point(seq uint64, hash []byte) error {
	p := &w.points
	for {
		if len(p.list) == 0 {
			if p.begun && p.after == "" {
				return nil
			}
			err := w.look(func(t *txn) (err error) {
				p.list, err = chainPoints.Page(t, p.after, MaxPage)
				return err
			})
			if err != nil {
				return err
			}
			p.begun, p.after = true, ""
			if len(p.list) == MaxPage {
				p.after = p.list[MaxPage-1].Cursor
			}
			if len(p.list) == 0 {
				return nil
			}
		}
		h := p.list[0].Value
		if p.list[0].ID < blockKey(seq) { // of a newer block
			p.list = p.list[1:]
			continue
		}
		if h.Seq != seq {
			return nil
		}
		p.list = p.list[1:]
		if !equalHash(h.Hash, hash) {
			w.out.find(Finding{Kind: FoundBlock, Block: seq})
		}
		if h.Signature != "" && !p.told[h.Key] && !w.signed(h, statementHead) {
			if p.told == nil {
				p.told = map[string]bool{}
			}
			if h.Key != w.signer.PublicKey() && len(p.told) < MaxFindings {
				p.told[h.Key] = true
			}
		}
		return nil
	}
}
