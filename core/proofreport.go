// What verifying an export has to say.

package core

import (
	"io"
	"time"
)

// What verifying an export finds, besides what Verify does; the dictionary has the
// words ("proof.finding." + kind).
const (
	FoundMoved      FindingKind = "moved"      // a line is not in its place
	FoundUnreadable FindingKind = "unreadable" // a line is no entry
	FoundEnds       FindingKind = "ends"       // the file ends too early: Count entries are missing
	FoundStray      FindingKind = "stray"      // a line is in no block, as Verify finds it inserted
	FoundKey        FindingKind = "key"        // signed by another key than was given
	FoundUnsigned   FindingKind = "unsigned"   // something has no signature
	FoundProof      FindingKind = "proof"      // a row of the proof that cannot be read or is out of place
	FoundCutShort   FindingKind = "cut_short"  // the proof has no end
	FoundAltered    FindingKind = "altered"    // the proof is not the one that was made
	FoundTotal      FindingKind = "total"      // the file is not the one that the proof was made of
)

// ExportFinding is one thing that is wrong with an export. Line is that of the
// file, for what is missing the one that it should follow, and for FoundProof
// that of the proof.
type ExportFinding struct {
	Kind  FindingKind `json:"kind"`
	Line  int         `json:"line,omitempty"`
	Entry string      `json:"entry,omitempty"`
	Block uint64      `json:"block,omitempty"`
	Count int         `json:"count,omitempty"`
	Key   string      `json:"key,omitempty"` // the fingerprint of whose signature it is
}

// ExportToVerify is a file, and what it is held against.
type ExportToVerify struct {
	File  io.Reader
	Proof io.Reader // the file once more when the proof is among its lines
	Among bool
	Key   string // of the portal: one line of authorized_keys or known_hosts; "": whichever signed
	Noted string // a head that was noted, or ""
}

// ExportReport is what verifying an export has found.
type ExportReport struct {
	Portal      string    `json:"portal,omitempty"`
	At          time.Time `json:"at,omitzero"`    // when it was made
	Head        string    `json:"head,omitempty"` // of the chain at that time, to note
	Whole       bool      `json:"whole"`          // it is to have every entry of its span, and no choice among them
	From        time.Time `json:"from,omitzero"`
	To          time.Time `json:"to,omitzero"`
	CutUntil    time.Time `json:"cut_until,omitzero"`    // what was as old as that had gone by its age
	Lines       int       `json:"lines"`                 // of entries in the file
	Sealed      int       `json:"sealed"`                // that are as a block has them
	Open        int       `json:"open"`                  // that no block had yet: the signature alone vouches for them
	OpenLine    int       `json:"open_line,omitempty"`   // the first of those
	Erased      int       `json:"erased"`                // about people who were deleted
	Gone        int       `json:"gone"`                  // taken out by the rules, and so not in the file
	Blocks      int       `json:"blocks"`                // that the proof has
	Signed      bool      `json:"signed"`                // the file and the proof are as the key has signed them
	Key         string    `json:"key,omitempty"`         // that key
	Fingerprint string    `json:"fingerprint,omitempty"` // of the key
	Given       bool      `json:"given"`                 // it was compared with a key that was given
	Noted       string    `json:"noted,omitempty"`       // of the head that was given: NotedHeld, or NotedAbsent from the proof

	Found    int             `json:"found"`
	Findings []ExportFinding `json:"findings,omitempty"`
}

// NotedAbsent says that a proof does not reach the block of the head that was noted.
const NotedAbsent = "absent"

func (r *ExportReport) find(f ExportFinding) {
	r.Found++
	if len(r.Findings) < MaxFindings {
		r.Findings = append(r.Findings, f)
	}
}
