package store

import "encoding/base64"

// CursorEq returns the cursor with which PageEq goes on after an id, in the
// index and with the value that the cursor is made for. There need not be such a
// record: whoever keeps records under ids that say something, a time for one,
// can begin a page anywhere.
func (t *Table[T]) CursorEq(value, id string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(escape(value) + valueEnd + id))
}
