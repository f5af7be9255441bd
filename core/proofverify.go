// Verifying an export away from its portal: the proof is read row by row beside
// the file, and neither is held in memory, however long they are.

package core

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"slices"
	"strings"

	"github.com/oklog/ulid/v2"

	"postern/core/signature"
)

// VerifyExport says whether a file is what a portal has exported, from its proof
// alone: no portal is asked. CodeFormat with the field "key", "head", "version" (a
// proof by a newer program, or of something else) or "proof" (none at all);
// CodeInternal when a file cannot be read.
func VerifyExport(in ExportToVerify) (ExportReport, error) {
	v := &exportCheck{rows: sha256.New(), sum: sha256.New(), lost: map[ulid.ULID]strayLine{}, early: map[ulid.ULID]strayLine{}, told: map[FindingKind]bool{}}
	v.file = &lineReader{r: bufio.NewReaderSize(in.File, exportBuffer), sum: v.sum}
	v.proof = &lineReader{r: bufio.NewReaderSize(in.Proof, exportBuffer)}
	if in.Among {
		v.file.skip, v.proof.skip = isProofRow, func(line []byte) bool { return !isProofRow(line) }
	}
	var err error
	if in.Key != "" {
		if v.given, err = signature.Canonical(in.Key); err != nil {
			return v.out, refuseField(CodeFormat, "key")
		}
		v.out.Given = true
	}
	if in.Noted != "" {
		if v.noted, err = ParseChainHead(in.Noted); err != nil {
			return v.out, err
		}
		v.out.Noted = NotedAbsent
	}
	if err = v.begin(); err == nil {
		err = v.run()
	}
	if err != nil {
		return v.out, asError(err)
	}
	if v.out.Key != "" {
		v.out.Fingerprint = signature.Fingerprint(v.out.Key)
	}
	slices.SortStableFunc(v.out.Findings, func(a, b ExportFinding) int {
		return cmp.Or(a.Line-b.Line, -strings.Compare(a.Entry, b.Entry))
	})
	return v.out, nil
}

// exportCheck is one verification.
type exportCheck struct {
	file, proof *lineReader
	rows, sum   hash.Hash
	given       string // the key that must have signed; "" for any
	noted       ChainHead
	said        proofBegin
	lines       *entryWriter
	out         ExportReport

	cover   proofCover
	seq     uint64 // the number of the block that must come next
	expects []byte // and its hash; nil: a head comes first
	heads   int
	cut     *chainHead
	former  []formerKey
	last    ulid.ULID // of the last entry of the proof
	any     bool
	told    map[FindingKind]bool // that are said once

	lost       map[ulid.ULID]strayLine // entries whose lines have not come in their places
	early      map[ulid.ULID]strayLine // lines that came before their entries
	short      int                     // entries that were awaited when the file was over
	shortAfter int                     // its last line
}

// begin reads the first row, and the line above a table.
func (v *exportCheck) begin() error {
	raw, err := v.proof.next()
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	var row proofRow
	if err != nil || json.Unmarshal(raw, &row) != nil || row.Proof.Begin == nil {
		return refuseField(CodeFormat, "proof")
	}
	v.said = *row.Proof.Begin
	if v.said.Version != proofVersion && v.said.Version != proofFormer || !slices.Contains(AuditFormats(), v.said.Format) {
		return refuseField(CodeFormat, "version")
	}
	_, _ = v.rows.Write(raw)
	v.out.Portal, v.out.Whole, v.out.From, v.out.To = v.said.Portal, v.said.Whole, v.said.From, v.said.To
	v.lines = newEntryWriter(v.said.Format, nil)
	head, err := v.lines.head()
	if err != nil || head == nil {
		return err
	}
	line, err := v.file.peek(0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if !bytes.Equal(line, head) {
		v.out.find(ExportFinding{Kind: FoundEdited, Line: 1})
	}
	if _, entry := v.lineID(line); len(line) > 0 && !entry { // else it is the head that is missing
		v.file.take()
	}
	return nil
}

// run goes through the rows.
func (v *exportCheck) run() error {
	for {
		raw, err := v.proof.next()
		if errors.Is(err, io.EOF) {
			v.out.find(ExportFinding{Kind: FoundCutShort})
			return nil // nothing can be said of the lines that follow
		} else if err != nil {
			return err
		}
		var row proofRow
		if json.Unmarshal(raw, &row) != nil {
			v.badRow()
			return nil
		}
		if end := row.Proof.End; end != nil {
			if err := v.remaining(); err != nil {
				return err
			}
			return v.end(*end)
		}
		_, _ = v.rows.Write(raw)
		if err := v.row(row.Proof); err != nil {
			return err
		}
	}
}

func (v *exportCheck) badRow() { v.out.find(ExportFinding{Kind: FoundProof, Line: v.proof.n}) }

func (v *exportCheck) row(p proofPart) error {
	switch {
	case p.Former != nil:
		if k := *p.Former; v.signed(k.By, k.Signature, k.statement(v.said.Portal), k.Seq) {
			v.former = append(v.former, k)
		}
	case p.Head != nil:
		v.head(*p.Head)
	case p.Block != nil:
		v.block(*p.Block)
	case p.Entry != nil:
		return v.entry(*p.Entry)
	case p.Gone != "":
		id, err := ulid.ParseStrict(p.Gone)
		if err != nil {
			v.badRow()
			return nil
		}
		_, passed, found := v.cover.take(id)
		v.passed(passed)
		if v.out.Gone++; !found {
			v.badRow()
		}
	case p.Cut != nil:
		v.cut = p.Cut
		if v.signed(p.Cut.Key, p.Cut.Signature, p.Cut.statement(statementCut, v.said.Portal), p.Cut.Seq) {
			for _, key := range p.Cut.Over {
				v.foreign(key, p.Cut.Seq)
			}
		}
	default:
		v.badRow()
	}
	return nil
}

// passed judges entries that blocks have and the proof has passed over: of a
// choice of entries that is as it should be.
func (v *exportCheck) passed(left []link) {
	for _, l := range left {
		if v.said.Whole && v.said.within(l.id) {
			v.out.find(ExportFinding{Kind: FoundDropped, Entry: l.id.String(), Line: v.file.n})
		}
	}
}

// head begins anew at a place that was signed.
func (v *exportCheck) head(h chainHead) {
	if v.heads++; v.heads > 1 && (v.said.Whole || h.Signature == "") || len(h.Hash) != sha256.Size {
		v.out.find(ExportFinding{Kind: FoundBlock, Block: h.Seq}) // something lies between
	}
	v.expects, v.seq = h.Hash, h.Seq
	v.isNoted(h.public())
	v.signed(h.Key, h.Signature, h.statement(statementHead, v.said.Portal), h.Seq)
}

// signed judges a signature. That there is none, or that it is another's, is said once.
func (v *exportCheck) signed(key, armored string, statement []byte, block uint64) bool {
	if armored == "" {
		v.findOnce(FoundUnsigned)
		return false
	}
	canonical, err := signature.Canonical(key)
	if err != nil {
		v.out.find(ExportFinding{Kind: FoundSignature, Block: block})
		return false
	}
	if v.out.Key == "" {
		v.out.Key = canonical
	}
	if v.given != "" && canonical != v.given || canonical != v.out.Key {
		v.findOnce(FoundKey)
		return false
	}
	if signature.Verify(canonical, signature.Audit, statement, armored) != nil {
		v.out.find(ExportFinding{Kind: FoundSignature, Block: block})
		return false
	}
	return true
}

// foreign says that a place was signed by another's key, or by none.
func (v *exportCheck) foreign(key string, block uint64) {
	if key == noKey {
		v.out.find(ExportFinding{Kind: FoundSignature, Block: block})
		return
	}
	v.out.find(ExportFinding{Kind: FoundForeign, Block: block, Key: signature.Fingerprint(key)})
}

func (v *exportCheck) findOnce(kind FindingKind) {
	if !v.told[kind] {
		v.told[kind] = true
		v.out.find(ExportFinding{Kind: kind})
	}
}

// isNoted compares a place of the chain with the head that was noted, until it was
// met.
func (v *exportCheck) isNoted(h ChainHead) {
	if v.out.Noted != NotedAbsent || h.Seq != v.noted.Seq {
		return
	}
	if v.out.Noted = NotedHeld; !strings.HasPrefix(h.Hash, v.noted.Hash) {
		v.out.Noted = ""
		v.out.find(ExportFinding{Kind: FoundRewritten, Block: h.Seq})
	}
}

// block takes the next block down.
func (v *exportCheck) block(b chainBlock) {
	hash := b.hash()
	v.out.Blocks++
	if v.expects == nil || b.Seq != v.seq || !equalHash(hash[:], v.expects) {
		v.out.find(ExportFinding{Kind: FoundBlock, Block: b.Seq})
	}
	v.isNoted(chainHead{Seq: b.Seq, Hash: hash[:]}.public())
	v.expects, v.seq = b.Prev, b.Seq-1
	if b.Over != "" && !adopted(v.former, b.Over, v.seq) {
		v.foreign(b.Over, v.seq)
	}
	left, ok := v.cover.add(b)
	v.passed(left)
	if !ok {
		v.out.find(ExportFinding{Kind: FoundBlock, Block: b.Seq})
	}
}

// end compares with what the portal has counted and signed.
func (v *exportCheck) end(e proofEnd) error {
	v.out.At, v.out.Head = e.At, e.Head
	v.passed(v.cover.rest())
	v.judgeBottom()
	if h, err := ParseChainHead(e.Head); err == nil && h.Seq < v.noted.Seq {
		v.out.Noted = ""
		v.out.find(ExportFinding{Kind: FoundCutTail, Block: v.noted.Seq})
	}
	rows := bytes.Equal(e.Rows, v.rows.Sum(nil))
	if !rows {
		v.out.find(ExportFinding{Kind: FoundAltered})
	}
	same := bytes.Equal(e.Digest, v.sum.Sum(nil)) && e.Lines == v.out.Lines
	if !same && !slices.ContainsFunc(v.out.Findings, ExportFinding.ofLine) { // else it is said more exactly
		v.out.find(ExportFinding{Kind: FoundTotal})
	}
	v.out.Signed = v.signed(e.Key, e.Signature, e.statement(v.said.Portal), 0) && rows && same
	if _, err := v.proof.next(); !errors.Is(err, io.EOF) {
		v.badRow()
	}
	return nil
}

// ofLine says that a finding tells which line of the file is wrong.
func (f ExportFinding) ofLine() bool {
	switch f.Kind {
	case FoundEdited, FoundMoved, FoundInserted, FoundUnreadable, FoundEnds:
		return true
	case FoundDropped:
		return f.Line > 0
	}
	return false
}

// judgeBottom says whether the blocks reach down to where the span begins, or to
// where retention has cut the chain.
func (v *exportCheck) judgeBottom() {
	if v.cut != nil {
		v.out.CutUntil = v.cut.At
		v.isNoted(v.cut.public())
	}
	if v.expects == nil {
		return
	}
	v.isNoted(chainHead{Seq: v.seq, Hash: v.expects}.public())
	cut := v.cut != nil && (v.cut.Seq > v.seq || v.cut.Seq == v.seq && equalHash(v.cut.Hash, v.expects))
	if v.said.Whole && v.seq > 0 && !cut && !(v.cover.any && v.cover.lowest.Compare(v.said.oldest()) <= 0) {
		v.out.find(ExportFinding{Kind: FoundBlock, Block: v.seq})
	}
}
