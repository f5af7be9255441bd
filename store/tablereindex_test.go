package store_test

import (
	"fmt"
	"testing"

	"postern/store"
)

// An index that comes later is filled from the records that are there.
func TestReindexFillsAnIndexThatCameLater(t *testing.T) {
	db := sealed(t)
	before := store.NewTable[member]("late", 1)
	after := store.NewTable("late", 1, store.Index[member]{Name: "note", Keys: func(m member) []string { return []string{m.Note} }})
	update(t, db, func(tx store.Tx) error {
		for i := range 25 {
			if err := before.Insert(tx, fmt.Sprintf("%02d", i), member{Note: fmt.Sprint("n", i%5)}); err != nil {
				return err
			}
		}
		return nil
	})
	parts := 0
	for cursor, done := "", false; !done; parts++ {
		update(t, db, func(tx store.Tx) (err error) {
			cursor, err = after.Reindex(tx, cursor, 10)
			done = cursor == ""
			return err
		})
	}
	if parts != 3 {
		t.Errorf("it took %d parts, not 3", parts)
	}
	update(t, db, func(tx store.Tx) error {
		if got := ids(after.PageEq(tx, "note", "n3", "", 10)); got != "03 08 13 18 23" {
			t.Errorf("the new index finds %q", got)
		}
		return after.Check(tx, func(problem string) { t.Error(problem) })
	})
}
