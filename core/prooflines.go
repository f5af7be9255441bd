// The lines of an export, held against the rows of its proof: both go from the
// newest entry to the oldest, so that a line that is missing, or one too many, is
// known by the next one.

package core

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"slices"

	"github.com/oklog/ulid/v2"
)

// maxProofLine bounds what is held of a line of a file or of a proof, in bytes. No
// portal writes a longer one.
const maxProofLine = 4 << 20

// lineReader reads lines with their ends, and counts them.
type lineReader struct {
	r     *bufio.Reader
	skip  func(line []byte) bool // lines that are another's; nil: none are
	sum   hash.Hash              // of all that are not; nil: nobody asks
	read  int                    // how many were read
	ahead []numbered             // of those, the ones that nobody has taken
	n     int                    // the number of the one that was taken last
}

type numbered struct {
	line []byte
	n    int
}

// peek returns the line that comes next, or for 1 the one after it; io.EOF when
// there is none.
func (l *lineReader) peek(which int) ([]byte, error) {
	for len(l.ahead) <= which {
		line, err := l.one()
		if err != nil {
			return nil, err
		}
		if l.read++; l.skip != nil && l.skip(line) {
			continue
		}
		if l.sum != nil {
			_, _ = l.sum.Write(line)
		}
		l.ahead = append(l.ahead, numbered{line, l.read})
	}
	return l.ahead[which].line, nil
}

// one reads a line. Of one that is too long it returns the beginning, which is no
// entry and no row.
func (l *lineReader) one() (line []byte, err error) {
	for {
		part, err := l.r.ReadSlice('\n')
		if len(line) <= maxProofLine {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(line) > 0:
			return line, nil
		default:
			return line, err
		}
	}
}

// take goes past the next line, which peek has returned.
func (l *lineReader) take() {
	l.n = l.ahead[0].n
	l.ahead = slices.Delete(l.ahead, 0, 1)
}

// next reads a line and goes past it.
func (l *lineReader) next() ([]byte, error) {
	line, err := l.peek(0)
	if err == nil {
		l.take()
	}
	return line, err
}

// lineID is the id of the entry of a line.
func (v *exportCheck) lineID(line []byte) (id ulid.ULID, ok bool) {
	var said struct {
		ID string `json:"id"`
	}
	const begins = `{"id":"`
	switch rest, plain := bytes.CutPrefix(line, []byte(begins)); {
	case v.said.Format == AuditCSV:
		first, _, _ := bytes.Cut(line, []byte(","))
		said.ID = string(first)
	case plain && len(rest) > ulid.EncodedSize && rest[ulid.EncodedSize] == '"':
		said.ID = string(rest[:ulid.EncodedSize])
	case json.Unmarshal(line, &said) != nil:
		return id, false
	}
	id, err := ulid.ParseStrict(said.ID)
	return id, err == nil && id.String() == said.ID
}

// entry holds the row of an entry against the chain and against its line.
func (v *exportCheck) entry(p proofEntry) error {
	id, err := ulid.ParseStrict(p.ID)
	if err != nil || id.String() != p.ID || v.any && id.Compare(v.last) >= 0 {
		v.badRow()
		return nil
	}
	v.last, v.any = id, true
	l, passed, sealed := v.cover.take(id)
	v.passed(passed)
	want, erased := v.expected(p)
	line, found, err := v.find(id)
	if err != nil {
		return err
	}
	if !found {
		v.miss(id, want)
	}
	at := v.file.n
	switch {
	case want == nil, sealed && sha256.Sum256(p.Record) != l.digest, found && !equalHash(lineDigest(line), want):
		v.out.find(ExportFinding{Kind: FoundEdited, Line: at, Entry: p.ID})
		return nil
	case !found:
		return nil
	case !sealed && !p.Open:
		v.out.find(ExportFinding{Kind: FoundStray, Line: at, Entry: p.ID})
		return nil
	case !sealed:
		if v.out.Open++; v.out.OpenLine == 0 {
			v.out.OpenLine = at
		}
	default:
		v.out.Sealed++
	}
	if erased {
		v.out.Erased++
	}
	return nil
}

// expected is the hash of the line that an entry must have; nil when its row
// cannot be read.
func (v *exportCheck) expected(p proofEntry) (digest []byte, erased bool) {
	e, err := p.entry()
	if err != nil {
		return nil, false
	}
	line, err := v.lines.render(e)
	if err != nil {
		return nil, false
	}
	return lineDigest(line), e.Erased
}

// find goes on to the line of an entry. Lines of newer ones on the way are too
// many; so is one of an older entry that stands right before it. When it does not
// come there, it is missing or somewhere else.
func (v *exportCheck) find(id ulid.ULID) (line []byte, found bool, err error) {
	for {
		line, err := v.file.peek(0)
		if errors.Is(err, io.EOF) {
			return nil, false, nil
		} else if err != nil {
			return nil, false, err
		}
		of, ok := v.lineID(line)
		switch order := of.Compare(id); {
		case ok && order == 0:
			v.taken()
			return line, true, nil
		case ok && order < 0:
			after, err := v.file.peek(1)
			if err != nil && !errors.Is(err, io.EOF) {
				return nil, false, err
			}
			if next, ok := v.lineID(after); !ok || next != id || len(v.early) >= maxLate {
				return nil, false, nil
			}
			v.taken()
			v.early[of] = strayLine{v.file.n, lineDigest(line)}
		default:
			v.taken()
			v.tooMany(of, ok, line)
		}
	}
}

func (v *exportCheck) taken() {
	v.file.take()
	v.out.Lines++
}

// strayLine is a line that was not in its place, or the place of one that has not
// come: then it is the number of the line before it.
type strayLine struct {
	n      int
	digest []byte
}

// miss judges an entry whose line is not in its place: it may have come too early,
// or come later.
func (v *exportCheck) miss(id ulid.ULID, want []byte) {
	if was, early := v.early[id]; early {
		delete(v.early, id)
		v.elsewhere(id, was.n, equalHash(was.digest, want))
		return
	}
	if _, err := v.file.peek(0); err != nil { // the file is over
		if v.short++; v.short == 1 {
			v.shortAfter = v.file.n
		}
		return
	}
	if len(v.lost) >= maxLate {
		v.out.find(ExportFinding{Kind: FoundDropped, Line: v.file.n, Entry: id.String()})
		return
	}
	v.lost[id] = strayLine{v.file.n, want}
}

// elsewhere tells of a line that stands in another place than its own.
func (v *exportCheck) elsewhere(id ulid.ULID, n int, same bool) {
	f := ExportFinding{Kind: FoundMoved, Line: n, Entry: id.String()}
	if !same {
		f.Kind = FoundEdited
	}
	v.out.find(f)
}

// tooMany judges a line that is not awaited there; ok says that it has an id.
func (v *exportCheck) tooMany(of ulid.ULID, ok bool, line []byte) {
	if !ok {
		v.out.find(ExportFinding{Kind: FoundUnreadable, Line: v.file.n})
		return
	}
	if was, lost := v.lost[of]; lost {
		delete(v.lost, of)
		v.elsewhere(of, v.file.n, equalHash(lineDigest(line), was.digest))
		return
	}
	v.out.find(ExportFinding{Kind: FoundInserted, Line: v.file.n, Entry: of.String()})
}

// remaining judges what is left of the file when the proof has no more entries,
// and which lines have not come at all.
func (v *exportCheck) remaining() error {
	for {
		line, err := v.file.peek(0)
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		v.taken()
		of, ok := v.lineID(line)
		v.tooMany(of, ok, line)
	}
	for _, of := range newestFirst(v.early) {
		v.out.find(ExportFinding{Kind: FoundInserted, Line: v.early[of].n, Entry: of.String()})
	}
	for _, id := range newestFirst(v.lost) {
		v.out.find(ExportFinding{Kind: FoundDropped, Line: v.lost[id].n, Entry: id.String()})
	}
	if v.short > 0 {
		v.out.find(ExportFinding{Kind: FoundEnds, Line: v.shortAfter, Count: v.short})
	}
	return nil
}

func newestFirst(m map[ulid.ULID]strayLine) []ulid.ULID {
	ids := make([]ulid.ULID, 0, len(m))
	for id := range m {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b ulid.ULID) int { return b.Compare(a) })
	return ids
}
