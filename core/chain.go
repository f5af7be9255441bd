// The chain over the trail: every entry is sealed into a block, and every block
// holds the hash of the one before, so that an entry that was edited, dropped or
// put in later is found (chainverify.go). Who writes an entry only leaves a mark
// beside it; the sealer takes the marks in, so that writers wait for no hash
// (decision 030).

package core

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"postern/store"
)

// Sizes of the chain.
const (
	blockEntries  = 250         // entries of one block, at most
	pointBlocks   = 64          // a signed checkpoint is kept every so many blocks,
	pointEvery    = time.Hour   // or when the last one is so old
	sealGather    = time.Second // how long marks are gathered before they are sealed
	linkSize      = len(ulid.ULID{}) + sha256.Size
	minHeadDigits = 16 // hexadecimal digits of a hash in a head that was noted
)

// unsealed marks the entries that no block has yet, by their ids.
var unsealed = store.NewTable[struct{}]("unsealed", 1)

// chainBlock is a block. Entries and Late are made of links: the 16 bytes of an
// entry's id and the SHA-256 of its record, one after the other, the ids
// ascending. Those in Late were written with an id that the block before had
// passed already.
type chainBlock struct {
	Seq     uint64    `json:"seq"` // 1 is the first
	Prev    []byte    `json:"prev"`
	At      time.Time `json:"at"`
	Entries []byte    `json:"entries,omitempty"`
	Late    []byte    `json:"late,omitempty"`

	// Over is who signed the head that this block was put on, when it was not who
	// signs this one: a public key, or noKey (decision 043).
	Over string `json:"over,omitempty"`
}

// hash is that of the block: SHA-256 over a fixed encoding, so that it can be
// computed anywhere.
func (b chainBlock) hash() [sha256.Size]byte {
	h := sha256.New()
	var n [8]byte
	number := func(v uint64) {
		binary.BigEndian.PutUint64(n[:], v)
		_, _ = h.Write(n[:])
	}
	_, _ = h.Write([]byte("postern chain 1\x00"))
	number(b.Seq)
	_, _ = h.Write(b.Prev)
	number(uint64(b.At.UnixMilli()))
	for _, links := range [][]byte{b.Entries, b.Late} {
		number(uint64(len(links) / linkSize))
		_, _ = h.Write(links)
	}
	_, _ = h.Write([]byte(b.Over)) // all before says how long it is
	var sum [sha256.Size]byte
	h.Sum(sum[:0])
	return sum
}

// link is one entry of a block.
type link struct {
	id     ulid.ULID
	digest [sha256.Size]byte
}

// linksOf reads links; store.ErrCorrupt when they are not whole or do not ascend.
func linksOf(b []byte) ([]link, error) {
	if len(b)%linkSize != 0 {
		return nil, store.ErrCorrupt
	}
	list := make([]link, len(b)/linkSize)
	for i := range list {
		part := b[i*linkSize:]
		copy(list[i].id[:], part)
		copy(list[i].digest[:], part[len(ulid.ULID{}):linkSize])
		if i > 0 && bytes.Compare(list[i-1].id[:], list[i].id[:]) >= 0 {
			return nil, store.ErrCorrupt
		}
	}
	return list, nil
}

func (l link) appendTo(b []byte) []byte { return append(append(b, l.id[:]...), l.digest[:]...) }

// blockKey orders blocks from the newest to the oldest, as the trail is.
func blockKey(seq uint64) string { return fmt.Sprintf("%016x", ^seq) }

var chainBlocks = store.NewTable[chainBlock]("chain", 1)

// chainHead is the end of the chain, or a place of it that was signed.
type chainHead struct {
	Seq     uint64    `json:"seq"`
	Hash    []byte    `json:"hash"`
	Horizon ulid.ULID `json:"horizon"` // the greatest id that is sealed
	Entries uint64    `json:"entries"` // sealed since the chain began
	At      time.Time `json:"at"`

	Over []string `json:"over,omitempty"` // of a stub: who signed those that it goes on from, as chainBlock.Over

	Signature string `json:"signature,omitempty"`
	Key       string `json:"key,omitempty"` // the public key that signed
}

// statement is what is signed of a head.
func (h chainHead) statement(kind, portal string) []byte {
	doc, _ := json.Marshal(struct { // of strings and numbers: it does not fail
		Kind    string    `json:"kind"`
		Portal  string    `json:"portal"`
		Seq     uint64    `json:"seq"`
		Hash    string    `json:"hash"`
		Entries uint64    `json:"entries"`
		At      time.Time `json:"at"`
		Over    []string  `json:"over,omitempty"`
	}{kind, portal, h.Seq, hex.EncodeToString(h.Hash), h.Entries, h.At, h.Over})
	return append(doc, '\n')
}

// Kinds of statements.
const (
	statementHead = "audit-head"
	statementCut  = "audit-cut"
)

var (
	chainHeads  = store.NewTable[chainHead]("chain_head", 1)
	chainPoints = store.NewTable[chainHead]("chain_point", 1) // checkpoints, keyed like blocks
)

const chainNow = "now"

// ChainHead names the end of the chain: the number of the newest block and the
// beginning of its hash. Who notes it can tell later whether the trail was cut or
// written anew.
type ChainHead struct {
	Seq  uint64
	Hash string // hexadecimal; whole, or its first 16 digits or more
}

// String writes "SEQ-HASH", which ParseChainHead reads; "" for no chain.
func (h ChainHead) String() string {
	if h.Seq == 0 {
		return ""
	}
	return strconv.FormatUint(h.Seq, 10) + "-" + h.Hash
}

// Short is String with the fewest digits that count.
func (h ChainHead) Short() string {
	h.Hash = h.Hash[:min(len(h.Hash), minHeadDigits)]
	return h.String()
}

// ParseChainHead reads a head that was noted. CodeFormat (field "head").
func ParseChainHead(s string) (ChainHead, error) {
	seq, hash, ok := strings.Cut(strings.ToLower(strings.TrimSpace(s)), "-")
	n, err := strconv.ParseUint(seq, 10, 64)
	digits := strings.Trim(hash, "0123456789abcdef") == ""
	if !ok || err != nil || n == 0 || !digits || len(hash) < minHeadDigits || len(hash) > 2*sha256.Size {
		return ChainHead{}, refuseField(CodeFormat, "head")
	}
	return ChainHead{Seq: n, Hash: hash}, nil
}

func (h chainHead) public() ChainHead {
	return ChainHead{Seq: h.Seq, Hash: hex.EncodeToString(h.Hash)}
}

// head reads the end of the chain; the zero head when there is none.
func readHead(tx store.Tx) (chainHead, error) {
	h, err := chainHeads.Get(tx, chainNow)
	if errors.Is(err, store.ErrNotFound) {
		return chainHead{Hash: make([]byte, sha256.Size)}, nil
	}
	return h, err
}

// Head returns the end of the chain, for people to note. CodeDenied.
func (a *Audit) Head(ctx context.Context, actor Actor) (ChainHead, error) {
	var out ChainHead
	err := a.read(ctx, actor, func(t *txn) error {
		if err := t.may(OpReadAudit, ""); err != nil {
			return err
		}
		h, err := readHead(t)
		if h.Seq > 0 {
			out = h.public()
		}
		return err
	})
	return out, err
}

// Seal seals entries as they come, until ctx is done, and what is left then. A
// door runs it for as long as it holds the data.
func (a *Audit) Seal(ctx context.Context) {
	defer func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleGrace)
		defer cancel()
		if _, err := a.SealNow(last); err != nil {
			a.log.Error("the trail was not sealed to its end", slog.Any("error", err))
		}
	}()
	changed, err := a.db.Watch(ctx, unsealed.Prefix())
	if err != nil {
		if ctx.Err() == nil {
			a.log.Error("the trail is not sealed", slog.Any("error", err))
		}
		return
	}
	for {
		if _, err := a.SealNow(ctx); err != nil && ctx.Err() == nil {
			a.log.Error("the trail was not sealed", slog.Any("error", err))
		}
		// Its own deletions of marks wake it once more, to find nothing.
		if !a.wait(ctx, changed, time.Time{}) || !a.pause(ctx, sealGather) {
			return
		}
		drained(changed)
	}
}

// pause waits for a while. False when ctx is done.
func (b *base) pause(ctx context.Context, d time.Duration) bool {
	due := make(chan struct{})
	stop := b.clock.AfterFunc(d, func() { close(due) })
	defer stop()
	select {
	case <-ctx.Done():
		return false
	case <-due:
		return true
	}
}

// drained takes what has come meanwhile.
func drained(events <-chan store.Event) {
	for {
		select {
		case _, open := <-events:
			if !open {
				return
			}
		default:
			return
		}
	}
}

// SealNow seals every entry that has a mark, and says how many there were.
func (a *Audit) SealNow(ctx context.Context) (n int, err error) {
	for {
		sealed, err := a.sealBlock(ctx)
		if err != nil {
			return n, asError(err)
		}
		n += sealed
		if sealed < blockEntries {
			return n, nil
		}
	}
}

// sealBlock makes one block. An entry whose mark is there and that is not itself
// gets a digest that nothing has: verifying finds that it was dropped.
func (a *Audit) sealBlock(ctx context.Context) (n int, err error) {
	idle := false // the common case costs no writing transaction
	err = a.db.View(ctx, func(tx store.Tx) error {
		rows, err := unsealed.RawPage(tx, "", 1)
		idle = len(rows) == 0
		return err
	})
	if err != nil || idle {
		return 0, err
	}
	now := a.clock.Now()
	var sealed chainHead
	err = a.db.Update(ctx, func(tx store.Tx) error {
		n = 0
		rows, err := unsealed.RawPage(tx, "", blockEntries)
		if err != nil || len(rows) == 0 {
			return err
		}
		head, err := readHead(tx)
		if err != nil {
			return err
		}
		block := chainBlock{Seq: head.Seq + 1, Prev: head.Hash, At: now.UTC().Truncate(time.Millisecond)}
		if block.Over, err = a.over(tx, statementHead, head); err != nil {
			return err
		}
		for _, r := range rows {
			var l link
			if l.id, err = ulid.ParseStrict(r.ID); err != nil {
				return store.ErrCorrupt
			}
			raw, err := trail.Raw(tx, invert(r.ID))
			switch {
			case err == nil:
				l.digest = sha256.Sum256(raw)
			case !errors.Is(err, store.ErrNotFound):
				return err
			}
			if l.id.Compare(head.Horizon) > 0 {
				block.Entries = l.appendTo(block.Entries)
			} else {
				block.Late = l.appendTo(block.Late)
			}
			if err := unsealed.Delete(tx, r.ID); err != nil {
				return err
			}
		}
		n = len(rows)
		if len(block.Entries) > 0 {
			last := block.Entries[len(block.Entries)-linkSize:]
			copy(head.Horizon[:], last)
		}
		hash := block.hash()
		head.Seq, head.Hash, head.At, head.Entries = block.Seq, hash[:], block.At, head.Entries+uint64(n)
		if err := chainBlocks.Insert(tx, blockKey(block.Seq), block); err != nil {
			return err
		}
		if head, err = a.signHead(tx, statementHead, head); err != nil {
			return err
		}
		if err := keepPoint(tx, head); err != nil {
			return err
		}
		sealed = head
		return chainHeads.Put(tx, chainNow, head)
	})
	if err == nil && n > 0 {
		a.ownHead.Store(&sealed)
	}
	return n, err
}

// keepPoint keeps a head as a checkpoint, now and then.
func keepPoint(tx store.Tx, h chainHead) error {
	last, err := chainPoints.Page(tx, "", 1)
	if err != nil {
		return err
	}
	if len(last) > 0 && h.Seq-last[0].Value.Seq < pointBlocks && h.At.Sub(last[0].Value.At) < pointEvery {
		return nil
	}
	return chainPoints.Put(tx, blockKey(h.Seq), h)
}

// markTrail is the step that lets the trail of an older program be sealed.
func markTrail(tx store.Tx, after string) (next string, err error) {
	rows, err := trail.RawPage(tx, after, migratePart)
	if err != nil {
		return "", err
	}
	for _, r := range rows {
		if err := unsealed.Put(tx, invert(r.ID), struct{}{}); err != nil {
			return "", err
		}
	}
	if len(rows) < migratePart {
		return "", nil
	}
	return rows[len(rows)-1].ID, nil
}
