package store

import (
	"errors"
	"fmt"
	"slices"
)

// checkPage is how many pairs Check holds in memory at once.
const checkPage = 500

// Check reads the whole table and calls problem, with a sentence, for every
// record that does not decode, every index entry that is missing, and every
// entry that points to no record, to one without the value, or to a second
// record in a unique index. Its error is that of the transaction; values are
// never quoted, ids are.
func (t *Table[T]) Check(tx Tx, problem func(string)) error {
	if err := t.checkRecords(tx, problem); err != nil {
		return err
	}
	for _, x := range t.indexes {
		if err := t.checkIndex(tx, x, problem); err != nil {
			return err
		}
	}
	return nil
}

// checkRecords decodes every record and looks up its index entries.
func (t *Table[T]) checkRecords(tx Tx, problem func(string)) error {
	prefix := t.Prefix()
	return scanAll(tx, prefix, func(p Pair) error {
		id := string(p.Key[len(prefix):])
		v, err := t.decode(p.Value)
		if err != nil {
			problem(fmt.Sprintf("record %q: %v", id, err))
			return nil
		}
		entries, err := t.entriesOf(id, v)
		if err != nil {
			problem(fmt.Sprintf("record %q: %v", id, err))
			return nil
		}
		for _, e := range entries {
			switch _, err := tx.Get([]byte(e)); {
			case errors.Is(err, ErrNotFound):
				problem(fmt.Sprintf("table %s: record %q lacks an index entry", t.name, id))
			case err != nil:
				return err
			}
		}
		return nil
	})
}

// checkIndex follows every entry of an index to its record.
func (t *Table[T]) checkIndex(tx Tx, x Index[T], problem func(string)) error {
	base := t.entryPrefix(x.Name)
	last, some := "", false
	return scanAll(tx, []byte(base), func(p Pair) error {
		value, id, ok := splitEntry(string(p.Key[len(base):]))
		if !ok {
			problem(fmt.Sprintf("index %s.%s: an entry has no value and id", t.name, x.Name))
			return nil
		}
		if x.Unique && some && value == last {
			problem(fmt.Sprintf("index %s.%s: record %q shares a unique value", t.name, x.Name, id))
		}
		last, some = value, true
		v, err := t.Get(tx, id)
		switch {
		case errors.Is(err, ErrNotFound):
			problem(fmt.Sprintf("index %s.%s: no record %q", t.name, x.Name, id))
		case errors.Is(err, ErrNewer), errors.Is(err, ErrCorrupt):
			problem(fmt.Sprintf("index %s.%s: record %q: %v", t.name, x.Name, id, err))
		case err != nil:
			return err
		case !slices.Contains(x.Keys(v), value):
			problem(fmt.Sprintf("index %s.%s: record %q has another value", t.name, x.Name, id))
		}
		return nil
	})
}

// scanAll calls each for every pair with the prefix.
func scanAll(tx Tx, prefix []byte, each func(Pair) error) error {
	var after []byte
	for {
		pairs, err := tx.Scan(prefix, after, checkPage)
		if err != nil {
			return err
		}
		for _, p := range pairs {
			if err := each(p); err != nil {
				return err
			}
		}
		if len(pairs) < checkPage {
			return nil
		}
		after = pairs[len(pairs)-1].Key
	}
}
