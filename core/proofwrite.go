// Writing the proof of an export beside it, a page at a time: who reads the trail
// on is followed by a walk over the chain, and a block is written when the first
// entry of it is.

package core

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"hash"
	"io"

	"github.com/oklog/ulid/v2"

	"postern/core/signature"
	"postern/store"
)

// ExportProved is Export with a proof, which is written to proof or, when that is
// nil, among the lines: such a file shows by itself that it is whole. What waits
// is sealed before, and what comes after that is not exported. Besides what Export
// refuses with: CodeFormat with the field "proof" for a table that is to have rows
// of a proof among its own. It asks for OpReadAccounts besides OpReadAudit, since
// records and their keys show all that there is of an entry.
func (a *Audit) ExportProved(ctx context.Context, actor Actor, q AuditQuery, format string, w, proof io.Writer, progress func(done int, share float64)) (int, error) {
	if proof == nil && format == AuditCSV {
		return 0, refuseField(CodeFormat, "proof")
	}
	return a.export(ctx, actor, q, format, w, &proofWriter{
		walk: &chainWalk{Audit: a, ctx: ctx, actor: actor}, to: proof, said: proofBegin{Format: format},
	}, progress)
}

// proofWriter writes one proof. A nil one writes none.
type proofWriter struct {
	walk *chainWalk // reads the chain
	to   io.Writer
	said proofBegin

	out   *bufio.Writer
	lines *entryWriter
	rows  hash.Hash
	head  chainHead // what the first blocks hang from
	cover proofCover

	read   []chainBlock // read ahead
	at     chainBlock   // the block that the walk is at; its Seq is 0 before the first
	below  uint64       // the number of the oldest block that was written; 0: none
	bottom bool         // there is no older one
}

// begin seals what waits, and writes where the chain ends. The plan then ends
// there, too, so that all it finds is sealed.
func (p *proofWriter) begin(plan *auditPlan, lines *entryWriter) error {
	if p == nil {
		return nil
	}
	if _, err := p.walk.SealNow(p.walk.ctx); err != nil {
		return err
	}
	if err := p.walk.begin(""); err != nil {
		return err
	}
	q := plan.query
	p.lines, p.rows, lines.sum = lines, sha256.New(), sha256.New()
	p.said.Version, p.said.Portal, p.said.From, p.said.To = proofVersion, p.walk.portal, q.From, q.To
	p.said.Whole = plan.index == "" && len(plan.match) == 0 && q.After == ""
	if p.out = lines.buffer; p.to != nil {
		p.out = bufio.NewWriterSize(p.to, exportBuffer)
	}
	if p.head = p.walk.head; p.head.Seq == 0 {
		plan.nothing = true
	}
	plan.begin = max(plan.begin, invert(following(p.head.Horizon).String()))
	if len(p.walk.former) > 0 {
		p.said.Version = proofFormer
	}
	if err := p.put(proofPart{Begin: &p.said}); err != nil {
		return err
	}
	for _, k := range p.walk.former {
		if err := p.put(proofPart{Former: &k}); err != nil {
			return err
		}
	}
	return nil
}

// following is the id after another, which is not the last that there can be.
func following(id ulid.ULID) ulid.ULID {
	for i := len(id) - 1; i >= 0; i-- {
		if id[i]++; id[i] != 0 {
			break
		}
	}
	return id
}

func (p *proofWriter) put(part proofPart) error {
	doc, err := json.Marshal(proofRow{part})
	if err != nil {
		return err
	}
	doc = append(doc, '\n')
	_, _ = p.rows.Write(doc)
	if _, err := p.out.Write(doc); err != nil {
		return notWritten(err)
	}
	return nil
}

// gather makes the rows of a page while its transaction lasts.
func (p *proofWriter) gather(t *txn, page []Entry) (rows []proofEntry, err error) {
	if p == nil {
		return nil, nil
	}
	rows = make([]proofEntry, len(page))
	for i, e := range page {
		if rows[i], err = p.evidence(t, e); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// evidence is what an entry can be made of again, without the portal.
func (p *proofWriter) evidence(t *txn, e Entry) (row proofEntry, err error) {
	row.ID = e.ID
	if row.Record, err = trail.Raw(t, invert(e.ID)); err != nil {
		return row, err
	}
	s, err := trail.ReadRaw(row.Record)
	if err != nil {
		return row, err
	}
	if e.byAccount() {
		row.Name = e.Name
	}
	if len(s.Person) > 0 && !e.Erased {
		key, err := t.reader().key(e.About)
		if err != nil {
			return row, err
		}
		row.Key = entryKey(key, e.ID)
	}
	kept, err := row.entry()
	if err != nil {
		return row, err
	}
	for _, m := range [][2]map[string]string{{kept.Before, e.Before}, {kept.After, e.After}} {
		if ref, name := m[0]["owner"], m[1]["owner"]; name != ref {
			if row.Refs == nil {
				row.Refs = map[string]string{}
			}
			row.Refs[ref] = name
		}
	}
	return row, nil
}

// entry writes the row of an entry, and the blocks that it takes.
func (p *proofWriter) entry(row proofEntry) error {
	id, err := ulid.ParseStrict(row.ID)
	if err != nil {
		return asError(store.ErrCorrupt)
	}
	if err := p.reach(id); err != nil {
		return err
	}
	if p.at.has(id) && (p.below == 0 || p.at.Seq < p.below) {
		if err := p.show(p.at); err != nil {
			return err
		}
	}
	_, passed, found := p.cover.take(id)
	if err := p.gone(passed); err != nil {
		return err
	}
	if !found {
		if row.Open, err = p.open(id); err != nil {
			return err
		}
	}
	return p.put(proofPart{Entry: &row})
}

// open says whether an entry that no block of the proof has is one that came by
// an honest way: it waits to be sealed, or was since, or its block has just gone.
func (p *proofWriter) open(id ulid.ULID) (open bool, err error) {
	err = p.walk.look(func(t *txn) error {
		open = false
		cut, err := readCut(t)
		if err != nil {
			return err
		}
		_, err = unsealed.Raw(t, id.String())
		switch {
		case err == nil, cut.Seq > p.walk.cut.Seq && id.Compare(cut.Horizon) <= 0:
			open = true
			return nil
		case !errors.Is(err, store.ErrNotFound):
			return err
		}
		open, err = p.walk.sealedSince(t, id)
		return err
	})
	return open, err
}

// gone writes of entries that are no lines which of them went by the rules. Of a
// choice of entries nothing is said about the others.
func (p *proofWriter) gone(left []link) error {
	if !p.said.Whole {
		return nil
	}
	for _, l := range left {
		if !p.said.within(l.id) {
			continue
		}
		ruled := false
		err := p.walk.look(func(t *txn) error {
			cut, err := readCut(t)
			if err == nil {
				ruled, _, err = p.walk.accounted(t, l.id.String())
			}
			ruled = ruled || cut.Seq > p.walk.cut.Seq && l.id.Compare(cut.Horizon) <= 0
			return err
		})
		if err != nil {
			return err
		}
		if !ruled {
			continue
		}
		if err := p.put(proofPart{Gone: l.id.String()}); err != nil {
			return err
		}
	}
	return nil
}

// end writes what follows the last entry, and signs it all.
func (p *proofWriter) end(n int) error {
	if p == nil {
		return nil
	}
	if p.said.Whole {
		if err := p.reach(p.said.oldest()); err != nil {
			return err
		}
	}
	if err := p.gone(p.cover.rest()); err != nil {
		return err
	}
	if p.said.Whole && p.bottom {
		if err := p.cut(); err != nil {
			return err
		}
	}
	end := proofEnd{Lines: n, Digest: p.lines.sum.Sum(nil), Rows: p.rows.Sum(nil), Head: p.head.public().String(), At: p.walk.clock.Now().UTC()}
	if s := p.walk.signer; s != nil {
		var err error
		end.Key = s.PublicKey()
		if end.Signature, err = s.Sign(signature.Audit, end.statement(p.said.Portal)); err != nil {
			return asError(err)
		}
	}
	if err := p.put(proofPart{End: &end}); err != nil {
		return err
	}
	if err := p.out.Flush(); err != nil {
		return notWritten(err)
	}
	return nil
}

// cut writes what retention has left in the place of the oldest blocks, as it is:
// who verifies judges it.
func (p *proofWriter) cut() error {
	var cut chainHead
	err := p.walk.look(func(t *txn) (err error) {
		cut, err = readCut(t)
		return err
	})
	if err != nil || cut.Seq == 0 {
		return err
	}
	return p.put(proofPart{Cut: &cut})
}
