package store

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
)

// ErrCursor says that a cursor is not one that a page of this kind gave out.
var ErrCursor = errors.New("store: bad cursor")

// Row is a record on a page. Cursor is handed back to the same paging method to
// go on after this row; it is printable when the id is.
type Row[T any] struct {
	ID     string
	Value  T
	Cursor string
}

// Find returns the first record, by id, that has exactly this value in the
// index, or ErrNotFound.
func (t *Table[T]) Find(tx Tx, index, value string) (id string, v T, err error) {
	rows, err := t.PageEq(tx, index, value, "", 1)
	if err != nil {
		return "", v, err
	}
	if len(rows) == 0 {
		return "", v, ErrNotFound
	}
	return rows[0].ID, rows[0].Value, nil
}

// Page returns at most n records by ascending id, after the id or cursor given
// (empty: from the first). Fewer than n mean that there are no more.
func (t *Table[T]) Page(tx Tx, after string, n int) ([]Row[T], error) {
	prefix := t.Prefix()
	var from []byte
	if after != "" {
		from = append(slices.Clone(prefix), after...)
	}
	pairs, err := tx.Scan(prefix, from, n)
	if err != nil {
		return nil, err
	}
	rows := make([]Row[T], 0, len(pairs))
	for _, p := range pairs {
		v, err := t.decode(p.Value)
		if err != nil {
			return nil, err
		}
		id := string(p.Key[len(prefix):])
		rows = append(rows, Row[T]{ID: id, Value: v, Cursor: id})
	}
	return rows, nil
}

// RawRow is a record as it is kept: the bytes that stand for it, which are the
// same as long as nobody writes the record anew.
type RawRow struct {
	ID    string
	Bytes []byte
}

// RawPage is Page without reading the records.
func (t *Table[T]) RawPage(tx Tx, after string, n int) ([]RawRow, error) {
	prefix := t.Prefix()
	var from []byte
	if after != "" {
		from = append(slices.Clone(prefix), after...)
	}
	pairs, err := tx.Scan(prefix, from, n)
	if err != nil {
		return nil, err
	}
	rows := make([]RawRow, len(pairs))
	for i, p := range pairs {
		rows[i] = RawRow{ID: string(p.Key[len(prefix):]), Bytes: p.Value}
	}
	return rows, nil
}

// Raw returns the bytes that stand for a record, or ErrNotFound.
func (t *Table[T]) Raw(tx Tx, id string) ([]byte, error) {
	key, err := t.key(id)
	if err != nil {
		return nil, err
	}
	return tx.Get(key)
}

// ReadRaw reads the bytes that Raw or RawPage has returned.
func (t *Table[T]) ReadRaw(b []byte) (T, error) { return t.decode(b) }

// PageBy returns at most n records of which a value in the index begins with
// prefix (empty: all that are in the index), ordered by value and then by id,
// after the cursor given (empty: from the first). A record with several values
// that match is returned once for each. Fewer than n mean that there are no more.
func (t *Table[T]) PageBy(tx Tx, index, prefix, after string, n int) ([]Row[T], error) {
	return t.pageIndex(tx, index, escape(prefix), after, n)
}

// PageEq returns at most n records with exactly this value in the index, ordered
// by id, after the cursor given (empty: from the first).
func (t *Table[T]) PageEq(tx Tx, index, value, after string, n int) ([]Row[T], error) {
	return t.pageIndex(tx, index, escape(value)+valueEnd, after, n)
}

// pageIndex pages through the entries of an index whose escaped form begins with match.
func (t *Table[T]) pageIndex(tx Tx, index, match, after string, n int) ([]Row[T], error) {
	x, err := t.index(index)
	if err != nil {
		return nil, err
	}
	base := t.entryPrefix(index)
	var from []byte
	if after != "" {
		rest, err := base64.RawURLEncoding.DecodeString(after)
		if err != nil || len(rest) == 0 {
			return nil, ErrCursor
		}
		from = append([]byte(base), rest...)
	}
	pairs, err := tx.Scan([]byte(base+match), from, n)
	if err != nil {
		return nil, err
	}
	rows := make([]Row[T], 0, len(pairs))
	for _, p := range pairs {
		rest := p.Key[len(base):]
		value, id, ok := splitEntry(string(rest))
		if !ok {
			return nil, fmt.Errorf("%w: entry of index %s.%s", ErrCorrupt, t.name, index)
		}
		v, err := t.at(tx, x, Entry{Value: value, ID: id})
		if err != nil {
			return nil, err
		}
		rows = append(rows, Row[T]{ID: id, Value: v, Cursor: base64.RawURLEncoding.EncodeToString(rest)})
	}
	return rows, nil
}

// index returns the index of that name.
func (t *Table[T]) index(name string) (Index[T], error) {
	for _, x := range t.indexes {
		if x.Name == name {
			return x, nil
		}
	}
	return Index[T]{}, fmt.Errorf("store: table %s has no index %q", t.name, name)
}
