// The proof of an export: what shows, without the portal, that every line of a
// file stands in the chain over the trail as it was sealed (decision 042). It is
// made of rows, a JSON document a line, in the order in which they are needed:
//
//	begin    which portal, format and span of time
//	former   a key that signed before the one that signs now, as was said at the console
//	head     a place of the chain that was signed; blocks follow from there
//	block    the links of a block; its hash is what the one before has named
//	entry    a line of the file: its record, and the key to what that says
//	gone     an entry that was taken out of the trail by the rules
//	cut      where the trail began, what is older having been let go
//	end      how many lines there are and what they hash to, signed
//
// Of entries that are not in the file it has their ids and hashes, which is what
// blocks are made of.

package core

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"

	"postern/store"
)

// proofVersion rises when an older program would misread a proof.
const (
	proofVersion = 1
	proofFormer  = 2 // with keys that signed before
)

// proofMark begins every row of a proof, and no entry.
const proofMark = `{"proof":`

// proofRow is one row; one of its parts is there.
type proofRow struct {
	Proof proofPart `json:"proof"`
}

type proofPart struct {
	Begin *proofBegin `json:"begin,omitempty"`

	Former *formerKey `json:"former,omitempty"`

	Head  *chainHead  `json:"head,omitempty"`
	Block *chainBlock `json:"block,omitempty"`
	Entry *proofEntry `json:"entry,omitempty"`
	Gone  string      `json:"gone,omitempty"`
	Cut   *chainHead  `json:"cut,omitempty"`
	End   *proofEnd   `json:"end,omitempty"`
}

// proofBegin says what was exported.
type proofBegin struct {
	Version int       `json:"version"`
	Portal  string    `json:"portal"`
	Format  string    `json:"format"`
	Whole   bool      `json:"whole,omitempty"` // every entry of the span, and no choice among them
	From    time.Time `json:"from,omitzero"`
	To      time.Time `json:"to,omitzero"`
}

// proofEntry is a line of the file. Record is what was hashed. The name of who
// acted is in no record, since it is looked up when an entry is read; so is the
// name of another account that an entry refers to. Those are given here, and the
// signature of the end vouches for them.
type proofEntry struct {
	ID     string            `json:"id"`
	Record []byte            `json:"record"`
	Key    []byte            `json:"key,omitempty"` // opens this record and no other; none of a person who was deleted
	Name   string            `json:"name,omitempty"`
	Refs   map[string]string `json:"refs,omitempty"`
	Open   bool              `json:"open,omitempty"` // no block had it yet
}

// proofEnd is signed: it stands for the file and for every row before it.
type proofEnd struct {
	Lines  int       `json:"lines"`  // entries
	Digest []byte    `json:"digest"` // SHA-256 of the file, without rows of the proof among its lines
	Rows   []byte    `json:"rows"`   // SHA-256 of the rows before
	Head   string    `json:"head"`   // the end of the chain at that time
	At     time.Time `json:"at"`

	Key       string `json:"key,omitempty"`
	Signature string `json:"signature,omitempty"`
}

// statement is what is signed of an export.
func (e proofEnd) statement(portal string) []byte {
	doc, _ := json.Marshal(struct { // of strings and numbers: it does not fail
		Kind   string    `json:"kind"`
		Portal string    `json:"portal"`
		Lines  int       `json:"lines"`
		Digest string    `json:"digest"`
		Rows   string    `json:"rows"`
		Head   string    `json:"head"`
		At     time.Time `json:"at"`
	}{statementExport, portal, e.Lines, hex.EncodeToString(e.Digest), hex.EncodeToString(e.Rows), e.Head, e.At})
	return append(doc, '\n')
}

const statementExport = "audit-export"

// entry returns the entry as it was exported; store.ErrCorrupt when the record is
// none, or not of this entry.
func (p proofEntry) entry() (Entry, error) {
	s, err := trail.ReadRaw(p.Record)
	if err != nil || s.ID != p.ID {
		return Entry{}, fmt.Errorf("%w: entry of a proof", store.ErrCorrupt)
	}
	e := s.Entry
	if e.byAccount() {
		e.Name = p.Name
	}
	if len(s.Person) > 0 {
		if len(p.Key) == 0 {
			e.Erased = true
			return e, nil
		}
		part, err := openPart(p.Key, e.ID, s.Person)
		if err != nil {
			return Entry{}, err
		}
		e = e.with(part)
	}
	for _, m := range []map[string]string{e.Before, e.After} {
		if name := p.Refs[m["owner"]]; name != "" {
			m["owner"] = name
		}
	}
	return e, nil
}

// proofCover holds the links of the newest block that was told, and of those that
// were sealed late, until their entries come by: the writer of a proof and who
// verifies it go through it in the same steps.
type proofCover struct {
	pending []link // of one block, the newest first
	late    map[ulid.ULID]link
	lowest  ulid.ULID // of all that were pending
	any     bool
}

// add takes a block, and returns what was left of the one before. ok is false of
// a block whose links are none, or do not lie before those that came.
func (c *proofCover) add(b chainBlock) (left []link, ok bool) {
	left, c.pending = c.pending, nil
	entries, err := linksOf(b.Entries)
	if err != nil {
		return left, false
	}
	late, err := linksOf(b.Late)
	if err != nil || len(c.late)+len(late) > maxLate {
		return left, false
	}
	if n := len(entries); n > 0 {
		if c.any && entries[n-1].id.Compare(c.lowest) >= 0 {
			return left, false
		}
		c.lowest, c.any = entries[0].id, true
	}
	for i := len(entries) - 1; i >= 0; i-- {
		c.pending = append(c.pending, entries[i])
	}
	for _, l := range late {
		if c.late == nil {
			c.late = map[ulid.ULID]link{}
		}
		c.late[l.id] = l
	}
	return left, true
}

// take returns the link of an entry, and those that were passed on the way to it.
func (c *proofCover) take(id ulid.ULID) (l link, passed []link, ok bool) {
	if l, ok = c.late[id]; ok {
		delete(c.late, id)
		return l, nil, true
	}
	n := 0
	for n < len(c.pending) && c.pending[n].id.Compare(id) > 0 {
		n++
	}
	passed, c.pending = c.pending[:n], c.pending[n:]
	if len(c.pending) == 0 || c.pending[0].id != id {
		return link{}, passed, false
	}
	l, c.pending = c.pending[0], c.pending[1:]
	return l, passed, true
}

// rest returns what has not come by.
func (c *proofCover) rest() []link {
	left := c.pending
	for _, l := range c.late {
		left = append(left, l)
	}
	c.pending, c.late = nil, nil
	return left
}

// within says whether an entry lies in the span of an export.
func (b proofBegin) within(id ulid.ULID) bool {
	ms := id.Time()
	return ms >= auditMillis(b.From) && (b.To.IsZero() || ms < auditMillis(b.To))
}

// oldest is the first id that an entry of the span can have.
func (b proofBegin) oldest() (id ulid.ULID) {
	_ = id.SetTime(auditMillis(b.From)) // which no id is too small for
	return id
}

// lineDigest is the hash of a line as it stands in the file.
func lineDigest(line []byte) []byte {
	sum := sha256.Sum256(line)
	return sum[:]
}

// isProofRow says whether a line is a row of a proof.
func isProofRow(line []byte) bool { return bytes.HasPrefix(line, []byte(proofMark)) }
