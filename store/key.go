package store

import (
	"strings"
)

// A table named T keeps the record with the id I at
//
//	T 0x00 I
//
// and, for every value V that its index X gives it, an empty entry at
//
//	T 0x01 X 0x00 esc(V) 0x00 0x01 I
//
// esc writes 0x00 as 0x00 0xFF and leaves other bytes alone. So the order of
// entries is the order of values and then of ids, a value that is a prefix of
// another sorts before it, and no value or id, whatever its bytes, can be taken
// for another (ASVS 1.2.4). The id is in the key so that an entry needs no value
// of its own, which keeps it small.
const (
	recordMark = "\x00"
	indexMark  = "\x01"
	nameEnd    = "\x00"
	valueEnd   = "\x00\x01"
	escaped    = "\x00\xff"
)

// escape makes value safe to be followed by valueEnd, and keeps the order.
func escape(value string) string {
	return strings.ReplaceAll(value, "\x00", escaped)
}

// splitEntry takes apart what follows the prefix of an index: the value and the
// id. It reports false for bytes that no entry has.
func splitEntry(rest string) (value, id string, ok bool) {
	var b strings.Builder
	for {
		i := strings.IndexByte(rest, 0)
		if i < 0 || i+1 >= len(rest) {
			return "", "", false
		}
		b.WriteString(rest[:i])
		mark := rest[i : i+2]
		rest = rest[i+2:]
		switch mark {
		case valueEnd:
			return b.String(), rest, rest != ""
		case escaped:
			b.WriteByte(0)
		default:
			return "", "", false
		}
	}
}
