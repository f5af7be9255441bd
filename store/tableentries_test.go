package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"postern/store"
)

// An index is walked a page at a time without its records, from any value on.
func TestEntriesOfAnIndex(t *testing.T) {
	table, s := members(), sealed(t)
	update(t, s, func(tx store.Tx) error {
		return errors.Join(
			table.Insert(tx, "1", member{Name: "bob", Tags: []string{"x", "x\x00y"}}),
			table.Insert(tx, "2", member{Name: "alice", Tags: []string{"x", ""}}),
			table.Insert(tx, "3", member{Name: "carol", Tags: []string{"x", "y"}}))
	})
	all := []store.Entry{{Value: "", ID: "2"}, {Value: "x", ID: "1"}, {Value: "x", ID: "2"}, {Value: "x", ID: "3"}, {Value: "x\x00y", ID: "1"}, {Value: "y", ID: "3"}}
	update(t, s, func(tx store.Tx) error {
		for n := 1; n <= len(all)+1; n++ {
			var got []store.Entry
			for after := (store.Entry{}); ; after = got[len(got)-1] {
				page, err := table.Entries(tx, "tag", after, n)
				if err != nil {
					return err
				}
				if got = append(got, page...); len(page) < n {
					break
				}
			}
			want(t, fmt.Sprintf("in pages of %d", n), fmt.Sprint(got), fmt.Sprint(all))
		}
		for i, after := range []store.Entry{{}, {Value: "a"}, {Value: "x", ID: "1"}, {Value: "x", ID: "2"}, {Value: "x\x00"}, {Value: "x\x00z"}, {Value: "y", ID: "3"}} {
			got, err := table.Entries(tx, "tag", after, 99)
			if err != nil {
				return err
			}
			want(t, fmt.Sprintf("after %q", after), fmt.Sprint(got), fmt.Sprint(all[i:]))
		}
		if _, err := table.Entries(tx, "none", store.Entry{}, 1); err == nil {
			t.Error("an index that there is not has entries")
		}
		return nil
	})
}

// The record of an entry is the one that has the value, or none.
func TestTheRecordOfAnEntry(t *testing.T) {
	table, s := members(), sealed(t)
	update(t, s, func(tx store.Tx) error {
		if err := table.Insert(tx, "1", member{Name: "bob"}); err != nil {
			return err
		}
		got, err := table.At(tx, "name", store.Entry{Value: "bob", ID: "1"})
		want(t, "bob", got.Name, "bob")
		for _, e := range []store.Entry{{Value: "bo", ID: "1"}, {Value: "bob", ID: "2"}} {
			if _, err := table.At(tx, "name", e); !errors.Is(err, store.ErrCorrupt) {
				t.Errorf("%q is read with %v", e, err)
			}
		}
		if _, err := table.At(tx, "none", store.Entry{Value: "bob", ID: "1"}); err == nil || errors.Is(err, store.ErrCorrupt) {
			t.Errorf("of an index that there is not: %v", err)
		}
		return err
	})
}

// noteOnly is a member of which only the length of the record is read.
type noteOnly struct{ has bool }

func (n *noteOnly) ReadPart(record []byte) error {
	n.has = bytes.Contains(record, []byte(`"note":"`))
	if !n.has {
		return errors.New("no note, but a name: alice")
	}
	return nil
}

// A record can be read in part, and what is no such record is corrupt, without a
// word of what is in it.
func TestARecordIsReadInPart(t *testing.T) {
	table, s := members(), sealed(t)
	notes := store.NewTable[noteOnly]("member", 1)
	update(t, s, func(tx store.Tx) error {
		if err := errors.Join(table.Insert(tx, "1", member{Name: "bob", Note: "here"}), table.Insert(tx, "2", member{Name: "alice"})); err != nil {
			return err
		}
		n, err := notes.Get(tx, "1")
		if !n.has {
			t.Error("the note is not seen")
		}
		if _, err := notes.Get(tx, "2"); !errors.Is(err, store.ErrCorrupt) || bytes.Contains([]byte(err.Error()), []byte("alice")) {
			t.Errorf("a record without what is wanted is read with %v", err)
		}
		return err
	})
}
