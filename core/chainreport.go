// What verifying the chain finds, and how it is told.

package core

import "time"

// FindingKind says what is wrong; the dictionary has the words ("chain.finding." + kind).
type FindingKind string

// What verifying finds.
const (
	FoundEdited    FindingKind = "edited"    // an entry is not as it was sealed; also two that were swapped
	FoundDropped   FindingKind = "dropped"   // an entry was sealed and is not there
	FoundInserted  FindingKind = "inserted"  // an entry is there that was never sealed
	FoundBlock     FindingKind = "block"     // a block is missing, or is not the one that the next one names
	FoundSignature FindingKind = "signature" // a signature is not valid
	FoundForeign   FindingKind = "foreign"   // it is valid, but by a key that is not the portal's, and was not adopted
	FoundRewritten FindingKind = "rewritten" // the chain is not the one whose head was noted
	FoundCutTail   FindingKind = "cut_tail"  // the chain ends before the head that was noted

	FoundForeignGone FindingKind = "foreign_gone" // an entry is not there, and that it went by the rules is signed by such a key
)

// Finding is one thing that is wrong. Entry, Block and Key, the fingerprint of
// whose signature it is, are set where they apply.
type Finding struct {
	Kind  FindingKind `json:"kind"`
	Entry string      `json:"entry,omitempty"`
	Block uint64      `json:"block,omitempty"`
	Key   string      `json:"key,omitempty"`
}

// FormerKey is a key of which somebody at the console has said that it was the
// portal's, up to a block, and when.
type FormerKey struct {
	Fingerprint string    `json:"fingerprint"`
	Block       uint64    `json:"block"`
	At          time.Time `json:"at"`
}

// MaxFindings bounds how many findings a report lists; Found counts them all.
const MaxFindings = 100

// maxLate bounds how many entries may have been sealed out of order: a chain that
// names more is not one that the sealer has made.
const maxLate = 1 << 20

// VerifyReport is what verifying has found.
type VerifyReport struct {
	Head        string    `json:"head"` // to note; "" of a trail that was never sealed
	Entries     int       `json:"entries"`
	Blocks      int       `json:"blocks"`
	Unsealed    int       `json:"unsealed"`              // entries that no block has yet
	Removed     int       `json:"removed"`               // taken out since their account was deleted
	Cut         uint64    `json:"cut"`                   // removed by retention
	CutUntil    time.Time `json:"cut_until,omitzero"`    // the newest of those
	Signed      bool      `json:"signed"`                // the head is signed, by the key of this portal
	Key         string    `json:"key,omitempty"`         // that key
	Fingerprint string    `json:"fingerprint,omitempty"` // of that key
	Noted       string    `json:"noted,omitempty"`       // of the head that was given: "held", "older" than what is kept, or "" for none
	Found       int       `json:"found"`
	Findings    []Finding `json:"findings,omitempty"`

	Former []FormerKey `json:"former,omitempty"` // keys that signed before
}

// What can be said of a head that was noted.
const (
	NotedHeld  = "held"
	NotedOlder = "older"
)

func (r *VerifyReport) find(f Finding) {
	r.Found++
	if len(r.Findings) < MaxFindings {
		r.Findings = append(r.Findings, f)
	}
}
