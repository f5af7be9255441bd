package store

import (
	"errors"
	"fmt"
	"slices"
)

// Entry is a place in an index: a value, and the id of a record that has it.
type Entry struct {
	Value, ID string
}

// Entries returns at most n entries of an index, ordered by value and then by id,
// after the one given: without an id it stands before the first of its value, and
// empty before all. Fewer than n mean that there are no more. The records are not
// read, which is what most of a page costs: At reads one.
func (t *Table[T]) Entries(tx Tx, index string, after Entry, n int) ([]Entry, error) {
	if _, err := t.index(index); err != nil {
		return nil, err
	}
	base := t.entryPrefix(index)
	pairs, err := tx.Scan([]byte(base), []byte(base+escape(after.Value)+valueEnd+after.ID), n)
	if err != nil {
		return nil, err
	}
	entries := make([]Entry, len(pairs))
	for i, p := range pairs {
		value, id, ok := splitEntry(string(p.Key[len(base):]))
		if !ok {
			return nil, fmt.Errorf("%w: entry of index %s.%s", ErrCorrupt, t.name, index)
		}
		entries[i] = Entry{Value: value, ID: id}
	}
	return entries, nil
}

// At returns the record that an entry of an index is of, or ErrCorrupt when there
// is none, or one that has not this value.
func (t *Table[T]) At(tx Tx, index string, e Entry) (T, error) {
	x, err := t.index(index)
	if err != nil {
		var none T
		return none, err
	}
	return t.at(tx, x, e)
}

// at is At of an index that is known.
func (t *Table[T]) at(tx Tx, x Index[T], e Entry) (T, error) {
	v, err := t.Get(tx, e.ID)
	if errors.Is(err, ErrNotFound) {
		return v, fmt.Errorf("%w: index %s.%s points to no record", ErrCorrupt, t.name, x.Name)
	}
	if err == nil && !slices.Contains(x.Keys(v), e.Value) {
		err = fmt.Errorf("%w: index %s.%s points to another record", ErrCorrupt, t.name, x.Name)
	}
	return v, err
}
