package bolt

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

// walker verifies the structure of a bbolt file by reading it, page by page,
// without trusting a single number in it: bbolt has no checksums, and its own
// check faults on a file bad enough. What it proves, for one header: every page
// below the high water mark is a header, free, or reachable exactly once;
// elements fill their page without gaps or overlaps; keys ascend, within a page
// and across the tree. So no pair can be missing, doubled or out of reach; that
// keys and values are what was written is for their seals to prove.
type walker struct {
	r        io.ReaderAt
	h        header
	seen     []bool
	problems int
	problem  func(string)
	err      error // of reading
}

const (
	flagBranch   = 0x01
	flagLeaf     = 0x02
	flagFreelist = 0x10
	flagBucket   = 0x01 // of a leaf element
	element      = 16   // size of a branch or leaf element
	bucketHeader = 16   // root and sequence

	maxDepth    = 64  // a tree of two keys a page would still hold 2^64
	maxProblems = 100 // nobody reads more
)

// walk verifies the file under a header and calls problem, with a sentence, for
// all it finds wrong. The error is that of reading.
func walk(r io.ReaderAt, h header, problem func(string)) error {
	w := &walker{r: r, h: h, seen: make([]bool, h.pages), problem: problem}
	w.seen[0], w.seen[1] = true, true
	w.tree(h.root, bounds{}, 0)
	w.freelist()
	for id, ok := range w.seen {
		if !ok {
			w.report("page %d is neither used nor free", id)
		}
	}
	return w.err
}

func (w *walker) report(format string, args ...any) {
	if w.problems++; w.problems <= maxProblems && w.err == nil {
		w.problem(fmt.Sprintf(format, args...))
	}
}

// page returns the bytes of a page with its overflow pages, and marks them seen.
func (w *walker) page(id uint64) []byte {
	if id < 2 || id >= w.h.pages {
		w.report("page %d is outside of the file", id)
		return nil
	}
	size := int64(w.h.pageSize)
	b := make([]byte, size)
	if _, err := w.r.ReadAt(b, int64(id)*size); err != nil {
		w.err = err
		return nil
	}
	overflow := uint64(binary.NativeEndian.Uint32(b[12:]))
	if binary.NativeEndian.Uint64(b) != id || overflow >= w.h.pages-id {
		w.report("page %d has a bad header", id)
		return nil
	}
	for i := id; i <= id+overflow; i++ {
		if w.seen[i] {
			w.report("page %d is used twice", i)
			return nil
		}
		w.seen[i] = true
	}
	if overflow > 0 {
		b = make([]byte, size*int64(overflow+1))
		if _, err := w.r.ReadAt(b, int64(id)*size); err != nil {
			w.err = err
			return nil
		}
	}
	return b
}

// bounds are the keys a subtree must stay in: at or after lo, before hi when bounded.
type bounds struct {
	lo, hi  []byte
	bounded bool
}

// tree verifies a page and everything below it.
func (w *walker) tree(id uint64, within bounds, depth int) {
	if depth > maxDepth {
		w.report("page %d is too deep", id)
		return
	}
	if b := w.page(id); b != nil && w.err == nil {
		w.node(fmt.Sprintf("page %d", id), b, within, depth)
	}
}

// node verifies a branch or leaf page in b, which may be an inline one.
func (w *walker) node(name string, b []byte, within bounds, depth int) {
	if len(b) < pageHeader {
		w.report("%s is cut off", name)
		return
	}
	ne := binary.NativeEndian
	flags, count := ne.Uint16(b[8:]), int(ne.Uint16(b[10:]))
	if flags != flagBranch && flags != flagLeaf || flags == flagBranch && count == 0 {
		w.report("%s is of no known kind", name)
		return
	}
	next := pageHeader + element*count // where the next element's bytes must begin
	if next > len(b) {
		w.report("%s has too many elements", name)
		return
	}
	type child struct {
		id  uint64
		key []byte
	}
	var children []child
	last := within.lo
	for i := range count {
		at := pageHeader + element*i
		e := b[at : at+element]
		var elementFlags, pos, ksize, vsize uint32
		if flags == flagLeaf {
			elementFlags, pos, ksize, vsize = ne.Uint32(e), ne.Uint32(e[4:]), ne.Uint32(e[8:]), ne.Uint32(e[12:])
		} else {
			pos, ksize = ne.Uint32(e), ne.Uint32(e[4:])
		}
		end := uint64(next) + uint64(ksize) + uint64(vsize)
		if uint64(at)+uint64(pos) != uint64(next) || ksize == 0 || elementFlags > flagBucket || end > uint64(len(b)) {
			w.report("%s: element %d is misplaced", name, i)
			return
		}
		key := b[next : next+int(ksize)]
		value := b[next+int(ksize) : end]
		next = int(end)
		if c := bytes.Compare(key, last); c < 0 || c == 0 && i > 0 || within.bounded && bytes.Compare(key, within.hi) >= 0 {
			w.report("%s: key %d is out of order", name, i)
			return
		}
		last = key
		switch {
		case flags == flagBranch:
			children = append(children, child{ne.Uint64(e[8:]), key})
		case elementFlags == flagBucket:
			w.bucket(name, value, depth)
		}
	}
	for i, c := range children {
		below := bounds{lo: c.key, hi: within.hi, bounded: within.bounded}
		if i+1 < len(children) {
			below.hi, below.bounded = children[i+1].key, true
		}
		w.tree(c.id, below, depth+1)
	}
}

// bucket verifies the tree of a bucket, or the page inside its value.
func (w *walker) bucket(name string, value []byte, depth int) {
	if len(value) < bucketHeader {
		w.report("%s: a bucket is cut off", name)
		return
	}
	if root := binary.NativeEndian.Uint64(value); root != 0 {
		w.tree(root, bounds{}, depth+1)
		return
	}
	w.node(name+", inline bucket", value[bucketHeader:], bounds{}, depth+1)
}

// freelist marks the pages that are free. A page that is free and used would be
// overwritten by the next change.
func (w *walker) freelist() {
	if w.h.freelist == noFreelist {
		w.report("the list of free pages is missing")
		return
	}
	b := w.page(w.h.freelist)
	if b == nil || w.err != nil {
		return
	}
	ne := binary.NativeEndian
	ids, count := b[pageHeader:], uint64(ne.Uint16(b[10:]))
	if count == 0xFFFF && len(ids) >= 8 {
		ids, count = ids[8:], ne.Uint64(ids)
	}
	if ne.Uint16(b[8:]) != flagFreelist || count > uint64(len(ids)/8) {
		w.report("the list of free pages is damaged")
		return
	}
	for i := range count {
		id := ne.Uint64(ids[8*i:])
		if id < 2 || id >= w.h.pages || w.seen[id] {
			w.report("page %d is used and free", id)
			continue
		}
		w.seen[id] = true
	}
}
