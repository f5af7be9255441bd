package store

// Reindex writes the index entries that records lack, since an index came later
// than they did: at most n records after the id or cursor given (empty: from the
// first). It returns the cursor to go on from, "" when that was the last. What an
// index no longer wants is left where it is, to be found by Check.
func (t *Table[T]) Reindex(tx Tx, after string, n int) (next string, err error) {
	rows, err := t.Page(tx, after, n)
	if err != nil {
		return "", err
	}
	for _, r := range rows {
		entries, err := t.entriesOf(r.ID, r.Value)
		if err != nil {
			return "", err
		}
		for _, e := range entries {
			if err := tx.Put([]byte(e), nil); err != nil {
				return "", err
			}
		}
	}
	if len(rows) < n {
		return "", nil
	}
	return rows[len(rows)-1].Cursor, nil
}
