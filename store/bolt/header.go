package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
)

// header is one of the two meta pages of a bbolt file. It is read here, before
// bbolt maps the file, because bbolt faults on a file that is shorter than its
// header says and quietly falls back to the older header when the newer one is
// damaged, which would lose the last transaction without a word.
type header struct {
	pageSize uint32
	root     uint64
	freelist uint64
	pages    uint64 // the number of pages in use, free ones among them
	txid     uint64
}

const (
	boltMagic   = 0xED0CDAED
	boltVersion = 2
	pageHeader  = 16 // id, flags, count, overflow
	metaSum     = 56 // offset of the checksum in a meta
	noFreelist  = ^uint64(0)

	minPageSize = 1 << 10
	maxPageSize = 1 << 24
)

// parseHeader reads a meta page; damaged says that it is one, but not intact.
func parseHeader(b []byte) (h header, damaged, ok bool) {
	if len(b) < pageHeader+metaSum+8 {
		return h, false, false
	}
	b = b[pageHeader:]
	le := binary.NativeEndian
	if le.Uint32(b) != boltMagic {
		return h, false, false
	}
	sum := fnv.New64a()
	sum.Write(b[:metaSum])
	if le.Uint32(b[4:]) != boltVersion || le.Uint64(b[metaSum:]) != sum.Sum64() {
		return h, true, false
	}
	h = header{
		pageSize: le.Uint32(b[8:]),
		root:     le.Uint64(b[16:]),
		freelist: le.Uint64(b[32:]),
		pages:    le.Uint64(b[40:]),
		txid:     le.Uint64(b[48:]),
	}
	size := h.pageSize
	if size < minPageSize || size > maxPageSize || size&(size-1) != 0 || h.root < 2 || h.root >= h.pages {
		return h, true, false
	}
	return h, false, true
}

// readHeaders returns both headers of a bbolt file, newest first. It reports
// whether one of the two is damaged. Without a valid one, it returns the Code
// for what the file is.
func readHeaders(r io.ReaderAt, size int64) (found []header, damaged bool, code Code) {
	if size == 0 {
		return nil, false, CodeEmptied
	}
	seen := 0
	look := func(offset int64) {
		b := make([]byte, pageHeader+metaSum+8)
		if n, err := r.ReadAt(b, offset); err != nil && !errors.Is(err, io.EOF) || n < len(b) {
			return
		}
		h, bad, ok := parseHeader(b)
		if bad || ok {
			seen++
		}
		if ok {
			found = append(found, h)
		}
	}
	look(0)
	if len(found) == 1 {
		look(int64(found[0].pageSize))
	} else {
		for offset := int64(minPageSize); offset <= maxPageSize && len(found) == 0; offset <<= 1 {
			look(offset)
		}
	}
	if len(found) == 0 {
		switch {
		case blank(r, size):
			return nil, false, CodeEmptied
		case seen == 0:
			return nil, false, CodeForeign
		}
		return nil, true, CodeDamaged
	}
	if len(found) == 2 && found[1].txid > found[0].txid {
		found[0], found[1] = found[1], found[0]
	}
	return found, len(found) < 2, ""
}

// blank says whether the beginning of the file is all zeros.
func blank(r io.ReaderAt, size int64) bool {
	b := make([]byte, min(size, 1<<16))
	n, err := r.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return false
	}
	for _, c := range b[:n] {
		if c != 0 {
			return false
		}
	}
	return true
}

// inspect looks at a database file before bbolt opens it. It returns the newest
// header, or an OpenError. A damaged header is refused unless salvage is set:
// then the other one counts, and with it the last change may be lost.
func inspect(path string, salvage bool) (header, error) {
	f, err := os.Open(path)
	if err != nil {
		return header{}, unreadable(path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return header{}, unreadable(path, err)
	}
	refuse := func(code Code, detail string) (header, error) {
		return header{}, &OpenError{Code: code, Path: path, Detail: detail, Fix: fixes[code]}
	}
	if !info.Mode().IsRegular() {
		return refuse(CodeForeign, "it is not a file")
	}
	found, damaged, code := readHeaders(f, info.Size())
	if code != "" {
		return refuse(code, details[code])
	}
	h := found[0]
	if need := int64(h.pages) * int64(h.pageSize); h.pages > 1<<40 || info.Size() < need {
		return refuse(CodeTruncated, fmt.Sprintf("the file has %d bytes of %d", info.Size(), need))
	}
	if damaged && !salvage {
		return refuse(CodeDamaged, "one of its two headers is damaged, so the last change may be missing")
	}
	return h, nil
}

var details = map[Code]string{
	CodeEmptied: "the database file has been emptied",
	CodeForeign: "this is not a Postern database",
	CodeDamaged: "both headers of the database are damaged",
}

var fixes = map[Code]string{
	CodeEmptied:   "restore a backup, or put the file back",
	CodeForeign:   "put the right file back, or choose another directory with --data",
	CodeTruncated: "restore a backup, or put the whole file back",
	CodeDamaged:   "keep the file, run postern check, and restore a backup",
}
