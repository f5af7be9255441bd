package store

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
)

// Table keeps records of one type under ids, with indexes over their values. It
// holds no state of its own: every method works inside the transaction it is
// handed, so records and index entries change together or not at all. Ids are
// any non-empty bytes.
//
// Methods return ErrTooLarge when an id or an index value makes a key longer
// than MaxKey, ErrNewer when a record was written by a newer program, and
// ErrCorrupt when a record and its index entries do not agree.
type Table[T any] struct {
	name    string
	version int
	indexes []Index[T]
}

// Index finds records by values other than their id.
type Index[T any] struct {
	// Name of the index, unique in its table, of the letters a to z, digits, - and _.
	Name string
	// Unique refuses a second record with the same value.
	Unique bool
	// Keys returns the values a record is found by: none, one or several, of any
	// bytes. It must be a pure function of the record.
	Keys func(v T) []string
}

// UniqueError says that another record has the same value in a unique index.
// The value is left out, since it may be personal.
type UniqueError struct {
	Table, Index string
}

// Error implements error.
func (e *UniqueError) Error() string {
	return fmt.Sprintf("store: %s.%s is taken", e.Table, e.Index)
}

// ErrUnfaithful says that a record was not stored because it would not come back
// as it is: a value it is found by is no valid UTF-8, or is not part of its JSON.
var ErrUnfaithful = errors.New("store: record does not survive its encoding")

var validName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)

// NewTable describes a table. The version is that of the record type, from 1; it
// rises when an older program must no longer write the records. Names that are
// not valid, repeat, or an index without Keys are mistakes of the program, and panic.
func NewTable[T any](name string, version int, indexes ...Index[T]) *Table[T] {
	if !validName.MatchString(name) || version < 1 {
		panic(fmt.Sprintf("store: bad table %q version %d", name, version))
	}
	seen := make(map[string]bool)
	for _, x := range indexes {
		if !validName.MatchString(x.Name) || seen[x.Name] || x.Keys == nil {
			panic(fmt.Sprintf("store: bad index %q of table %q", x.Name, name))
		}
		seen[x.Name] = true
	}
	return &Table[T]{name: name, version: version, indexes: slices.Clone(indexes)}
}

// Prefix returns the prefix of all record keys, for Store.Watch.
func (t *Table[T]) Prefix() []byte { return []byte(t.name + recordMark) }

// ID returns the id in the key of a record, as an Event carries it, and false
// for a key that is not one of this table's records.
func (t *Table[T]) ID(key []byte) (string, bool) {
	id, ok := bytes.CutPrefix(key, t.Prefix())
	return string(id), ok && len(id) > 0
}

// Get returns the record with the id, or ErrNotFound.
func (t *Table[T]) Get(tx Tx, id string) (T, error) {
	var v T
	key, err := t.key(id)
	if err != nil {
		return v, err
	}
	b, err := tx.Get(key)
	if err != nil {
		return v, err
	}
	return t.decode(b)
}

// Insert adds a record. It returns ErrExists when the id is in use and a
// *UniqueError when a value of a unique index is.
func (t *Table[T]) Insert(tx Tx, id string, v T) error {
	key, err := t.key(id)
	if err != nil {
		return err
	}
	if _, err := tx.Get(key); err == nil {
		return ErrExists
	} else if !errors.Is(err, ErrNotFound) {
		return err
	}
	return t.write(tx, key, id, nil, v)
}

// Put adds or replaces a record. It returns a *UniqueError when a value of a
// unique index belongs to another record.
func (t *Table[T]) Put(tx Tx, id string, v T) error {
	key, err := t.key(id)
	if err != nil {
		return err
	}
	old, err := t.entries(tx, key, id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	return t.write(tx, key, id, old, v)
}

// Change replaces a record by what change makes of it: Get and Put with one
// reading. It returns ErrNotFound when there is none, and change's own error,
// with which nothing is written.
func (t *Table[T]) Change(tx Tx, id string, change func(T) (T, error)) error {
	key, err := t.key(id)
	if err != nil {
		return err
	}
	b, err := tx.Get(key)
	if err != nil {
		return err
	}
	v, err := t.decode(b)
	if err != nil {
		return err
	}
	old, err := t.entriesOf(id, v)
	if err != nil {
		return err
	}
	if v, err = change(v); err != nil {
		return err
	}
	return t.write(tx, key, id, old, v)
}

// Delete removes a record and its index entries. Deleting an absent record is no error.
func (t *Table[T]) Delete(tx Tx, id string) error {
	key, err := t.key(id)
	if err != nil {
		return err
	}
	old, err := t.entries(tx, key, id)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range old {
		if err := tx.Delete([]byte(e)); err != nil {
			return err
		}
	}
	return tx.Delete(key)
}

// write stores the record and turns the old index entries into the new ones.
func (t *Table[T]) write(tx Tx, key []byte, id string, old []string, v T) error {
	b, err := encode(t.version, v)
	if err != nil {
		return err
	}
	entries, err := t.entriesOf(id, v)
	if err != nil {
		return err
	}
	if err := t.survives(b, id, entries); err != nil {
		return err
	}
	for _, x := range t.indexes {
		if !x.Unique {
			continue
		}
		for _, value := range x.Keys(v) {
			if err := t.free(tx, x.Name, value, id); err != nil {
				return err
			}
		}
	}
	for _, e := range old {
		if !slices.Contains(entries, e) {
			if err := tx.Delete([]byte(e)); err != nil {
				return err
			}
		}
	}
	for _, e := range entries {
		if !slices.Contains(old, e) {
			if err := tx.Put([]byte(e), nil); err != nil {
				return err
			}
		}
	}
	return tx.Put(key, b)
}

// survives refuses a record that would come back with other index values than it
// was written with, as one does whose text is not UTF-8: it could then be found
// by neither.
func (t *Table[T]) survives(b []byte, id string, entries []string) error {
	if len(t.indexes) == 0 {
		return nil
	}
	back, err := t.decode(b)
	if err != nil {
		return err
	}
	again, err := t.entriesOf(id, back)
	if err != nil {
		return err
	}
	if !slices.Equal(entries, again) {
		return fmt.Errorf("%w: table %s", ErrUnfaithful, t.name)
	}
	return nil
}

// free returns a *UniqueError when a record other than id has the value.
func (t *Table[T]) free(tx Tx, index, value, id string) error {
	prefix := t.entryPrefix(index) + escape(value) + valueEnd
	pairs, err := tx.Scan([]byte(prefix), nil, 1)
	if err != nil {
		return err
	}
	if len(pairs) > 0 && string(pairs[0].Key[len(prefix):]) != id {
		return &UniqueError{Table: t.name, Index: index}
	}
	return nil
}

// entries returns the index entries of the stored record, or ErrNotFound.
func (t *Table[T]) entries(tx Tx, key []byte, id string) ([]string, error) {
	b, err := tx.Get(key)
	if err != nil {
		return nil, err
	}
	v, err := t.decode(b)
	if err != nil {
		return nil, err
	}
	return t.entriesOf(id, v)
}

// entriesOf returns the keys of all index entries of a record, each once.
func (t *Table[T]) entriesOf(id string, v T) ([]string, error) {
	var entries []string
	for _, x := range t.indexes {
		for _, value := range x.Keys(v) {
			e := t.entryPrefix(x.Name) + escape(value) + valueEnd + id
			if len(e) > MaxKey {
				return nil, fmt.Errorf("%w: value of index %s.%s", ErrTooLarge, t.name, x.Name)
			}
			if !slices.Contains(entries, e) {
				entries = append(entries, e)
			}
		}
	}
	return entries, nil
}

// key returns the key of the record with the id.
func (t *Table[T]) key(id string) ([]byte, error) {
	if id == "" || len(t.name)+len(recordMark)+len(id) > MaxKey {
		return nil, fmt.Errorf("%w: id in table %s", ErrTooLarge, t.name)
	}
	return []byte(t.name + recordMark + id), nil
}

// entryPrefix returns what the keys of all entries of an index begin with.
func (t *Table[T]) entryPrefix(index string) string {
	return t.name + indexMark + index + nameEnd
}

// decode reads a stored record.
func (t *Table[T]) decode(b []byte) (T, error) {
	var v T
	if err := decode(t.version, b, &v); err != nil {
		return v, fmt.Errorf("table %s: %w", t.name, err)
	}
	return v, nil
}
