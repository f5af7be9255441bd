package store

import (
	"bytes"
	"strings"
	"testing"
)

// The bytes of entries keep the order of values and then of ids, and give both
// back: no two different pairs share them. ASVS 1.2.4
func FuzzEntry(f *testing.F) {
	f.Add("a", "1", "ab", "1")
	f.Add("a\x00", "1", "a", "\x00\x011")
	f.Add("\x00\xff", "x", "\x00", "\xffx")
	f.Add("", "1", "\x00", "1")
	f.Fuzz(func(t *testing.T, value1, id1, value2, id2 string) {
		if id1 == "" || id2 == "" {
			return
		}
		e1, e2 := escape(value1)+valueEnd+id1, escape(value2)+valueEnd+id2
		if value, id, ok := splitEntry(e1); !ok || value != value1 || id != id1 {
			t.Errorf("%q, %q comes back as %q, %q, %v", value1, id1, value, id, ok)
		}
		wanted := strings.Compare(value1, value2)
		if wanted == 0 {
			wanted = strings.Compare(id1, id2)
		}
		if got := strings.Compare(e1, e2); got != wanted {
			t.Errorf("%q, %q and %q, %q are in order %d, want %d", value1, id1, value2, id2, got, wanted)
		}
		if strings.HasPrefix(escape(value2), escape(value1)) != strings.HasPrefix(value2, value1) {
			t.Errorf("%q and %q differ in being a prefix", value1, value2)
		}
	})
}

// splitEntry takes any bytes, and only accepts what escape wrote.
func FuzzSplitEntry(f *testing.F) {
	f.Add("a\x00\x01b")
	f.Add("a\x00\x02b")
	f.Add("\x00")
	f.Fuzz(func(t *testing.T, rest string) {
		if value, id, ok := splitEntry(rest); ok && escape(value)+valueEnd+id != rest {
			t.Errorf("%q is read as %q, %q", rest, value, id)
		}
	})
}

// decode takes any bytes, and what it accepts survives a round trip.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"v":1,"r":{"a":1}}`))
	f.Add([]byte(`{"v":2,"r":{}}`))
	f.Add([]byte(`{"v":1,"r":{}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var v map[string]any
		if decode(1, b, &v) != nil {
			return
		}
		again, err := encode(1, v)
		if err != nil {
			t.Fatal(err)
		}
		var w map[string]any
		if err := decode(1, again, &w); err != nil {
			t.Errorf("%s: %v", again, err)
		}
		if third, err := encode(1, w); err != nil || !bytes.Equal(again, third) {
			t.Errorf("%s becomes %s, %v", again, third, err)
		}
	})
}
