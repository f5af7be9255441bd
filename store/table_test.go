package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"postern/store"
	"postern/store/memory"
	"postern/store/storetest"
)

// member is a record with a unique name, several tags, and a note in no index.
type member struct {
	Name string   `json:"name"`
	Tags []string `json:"tags,omitempty"`
	Note string   `json:"note,omitempty"`
}

func members() *store.Table[member] {
	return store.NewTable("member", 1,
		store.Index[member]{Name: "name", Unique: true, Keys: func(m member) []string {
			if m.Name == "" {
				return nil
			}
			return []string{m.Name}
		}},
		store.Index[member]{Name: "tag", Keys: func(m member) []string { return m.Tags }},
	)
}

// sealed returns an empty store as the program uses it.
func sealed(t testing.TB) store.Store {
	t.Helper()
	s := store.Seal(memory.New(), newKeyset(t))
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func update(t testing.TB, s store.Store, fn func(tx store.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), fn); err != nil {
		t.Fatalf("Update: %v", err)
	}
}

// ids lists the ids on a page.
func ids(rows []store.Row[member], err error) string {
	if err != nil {
		return err.Error()
	}
	var all []string
	for _, r := range rows {
		all = append(all, r.ID)
	}
	return strings.Join(all, " ")
}

func want(t testing.TB, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestTableInsertPutDelete(t *testing.T) {
	s, table := sealed(t), members()
	update(t, s, func(tx store.Tx) error {
		if _, err := table.Get(tx, "1"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("an absent record: %v", err)
		}
		if err := table.Insert(tx, "1", member{Name: "alice", Tags: []string{"a", "b"}}); err != nil {
			return err
		}
		if err := table.Insert(tx, "1", member{Name: "bob"}); !errors.Is(err, store.ErrExists) {
			t.Errorf("the same id: %v", err)
		}
		var taken *store.UniqueError
		if err := table.Insert(tx, "2", member{Name: "alice"}); !errors.As(err, &taken) || taken.Index != "name" || taken.Table != "member" {
			t.Errorf("the same name: %v", err)
		}
		if err := table.Put(tx, "2", member{Name: "alice"}); !errors.As(err, &taken) {
			t.Errorf("the same name by Put: %v", err)
		}
		return table.Put(tx, "2", member{Name: "bob", Tags: []string{"b", "b", "c"}})
	})
	update(t, s, func(tx store.Tx) error {
		want(t, "tag b", ids(table.PageEq(tx, "tag", "b", "", 9)), "1 2")
		id, m, err := table.Find(tx, "name", "bob")
		if err != nil || id != "2" || m.Name != "bob" {
			t.Errorf("Find: %q, %+v, %v", id, m, err)
		}
		// A new name frees the old one; the same record may keep its own.
		if err := table.Put(tx, "1", member{Name: "carol", Tags: []string{"c"}}); err != nil {
			return err
		}
		if err := table.Put(tx, "1", member{Name: "carol", Tags: []string{"c"}, Note: "again"}); err != nil {
			return err
		}
		if err := table.Put(tx, "2", member{Name: "alice"}); err != nil {
			return err
		}
		if _, _, err := table.Find(tx, "name", "bob"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("an old name: %v", err)
		}
		want(t, "tag b", ids(table.PageEq(tx, "tag", "b", "", 9)), "")
		want(t, "tag c", ids(table.PageEq(tx, "tag", "c", "", 9)), "1")
		if err := table.Delete(tx, "1"); err != nil {
			return err
		}
		want(t, "all", ids(table.Page(tx, "", 9)), "2")
		want(t, "tag c", ids(table.PageEq(tx, "tag", "c", "", 9)), "")
		return table.Delete(tx, "1")
	})
}

func TestTablePaging(t *testing.T) {
	s, table := sealed(t), members()
	update(t, s, func(tx store.Tx) error {
		for i, name := range []string{"b", "a", "ab", "a\x00", "a\x00b", "a\u00ff", "", "a/b"} {
			if err := table.Insert(tx, fmt.Sprint(i), member{Name: name}); err != nil {
				return err
			}
		}
		for _, m := range []member{{Name: "a\xff"}, {Tags: []string{"\xc3"}}} {
			if err := table.Put(tx, "9", m); !errors.Is(err, store.ErrUnfaithful) {
				t.Errorf("a value that is not UTF-8: %v", err)
			}
		}
		want(t, "by name", ids(table.PageBy(tx, "name", "", "", 99)), "1 3 4 7 2 5 0")
		want(t, "a...", ids(table.PageBy(tx, "name", "a", "", 99)), "1 3 4 7 2 5")
		want(t, "a NUL...", ids(table.PageBy(tx, "name", "a\x00", "", 99)), "3 4")
		want(t, "exactly a", ids(table.PageEq(tx, "name", "a", "", 99)), "1")
		want(t, "exactly nothing", ids(table.PageEq(tx, "name", "", "", 99)), "")
		after, all := "", ""
		for {
			rows, err := table.PageBy(tx, "name", "a", after, 2)
			if err != nil {
				return err
			}
			all += ids(rows, nil) + "|"
			if len(rows) < 2 {
				break
			}
			after = rows[1].Cursor
		}
		want(t, "pages", all, "1 3|4 7|2 5||")
		rows, err := table.Page(tx, "2", 2)
		want(t, "after 2", ids(rows, err), "3 4")
		want(t, "after its cursor", ids(table.Page(tx, rows[1].Cursor, 1)), "5")
		if _, err := table.PageBy(tx, "name", "", "not a cursor!", 1); !errors.Is(err, store.ErrCursor) {
			t.Errorf("a bad cursor: %v", err)
		}
		if _, err := table.PageBy(tx, "none", "", "", 1); err == nil {
			t.Error("an index that is not there has a page")
		}
		return nil
	})
}

// An index value, or an id, is never taken for another one or for a part of the
// key, whatever bytes it has. ASVS 1.2.4
func TestTableHoldsAnyBytes(t *testing.T) {
	table := members()
	bytesGen := rapid.Custom(func(r *rapid.T) string {
		return string(rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 2, 'a', '/', 0xfe, 0xff}), 1, 4).Draw(r, "bytes"))
	})
	rapid.Check(t, func(r *rapid.T) {
		s := memory.New()
		defer s.Close()
		model := map[string]string{} // id to name
		err := s.Update(t.Context(), func(tx store.Tx) error {
			for range rapid.IntRange(1, 12).Draw(r, "records") {
				id, name := bytesGen.Draw(r, "id"), bytesGen.Draw(r, "name")
				taken := false
				for other, n := range model {
					taken = taken || n == name && other != id
				}
				err := table.Put(tx, id, member{Name: jsonSafe(name), Tags: []string{jsonSafe(name[:1])}})
				var unique *store.UniqueError
				if taken != errors.As(err, &unique) {
					r.Fatalf("Put(%q, %q) with %q: %v", id, name, model, err)
				}
				if !taken {
					model[id] = name
				}
			}
			for id, name := range model {
				found, _, err := table.Find(tx, "name", jsonSafe(name))
				if err != nil || found != id {
					r.Fatalf("Find(%q) is %q, %v; want %q", name, found, err, id)
				}
			}
			rows, err := table.PageBy(tx, "name", "", "", 99)
			if err != nil || len(rows) != len(model) {
				r.Fatalf("%d rows, %v; want %d", len(rows), err, len(model))
			}
			if !slices.IsSortedFunc(rows, func(a, b store.Row[member]) int { return strings.Compare(a.Value.Name, b.Value.Name) }) {
				r.Fatalf("the rows are out of order: %q", rows)
			}
			return table.Check(tx, func(p string) { r.Error(p) })
		})
		if err != nil {
			r.Fatal(err)
		}
	})
}

// jsonSafe maps bytes to runes in order, so that JSON keeps them and NUL stays NUL.
func jsonSafe(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		b.WriteRune(rune(c))
	}
	return b.String()
}

func TestTableRefusesNewerAndDamaged(t *testing.T) {
	s := memory.New()
	defer s.Close()
	newer := store.NewTable[member]("member", 2)
	table := store.NewTable[member]("member", 1)
	update(t, s, func(tx store.Tx) error {
		if err := newer.Put(tx, "1", member{Name: "alice"}); err != nil {
			return err
		}
		if _, err := table.Get(tx, "1"); !errors.Is(err, store.ErrNewer) {
			t.Errorf("Get: %v", err)
		}
		if err := table.Put(tx, "1", member{}); !errors.Is(err, store.ErrNewer) {
			t.Errorf("Put over it: %v", err)
		}
		if err := table.Delete(tx, "1"); !errors.Is(err, store.ErrNewer) {
			t.Errorf("Delete: %v", err)
		}
		for _, b := range []string{"", "{}", `{"v":1}`, `{"v":1,"r":}`, `{"v":0,"r":{}}`, `{"v":-1,"r":{}}`, `{"v":1,"r":{"name":7}}`, `{"v":1,"r":{}`} {
			if err := tx.Put([]byte("member\x002"), []byte(b)); err != nil {
				return err
			}
			if _, err := table.Get(tx, "2"); !errors.Is(err, store.ErrCorrupt) {
				t.Errorf("%q: %v", b, err)
			}
		}
		// What is older is read.
		if err := table.Put(tx, "3", member{Name: "bob"}); err != nil {
			return err
		}
		_, err := newer.Get(tx, "3")
		return err
	})
}

func TestTableRefusesSizes(t *testing.T) {
	s, table := sealed(t), members()
	long := strings.Repeat("x", store.MaxKey)
	for what, fn := range map[string]func(tx store.Tx) error{
		"no id":         func(tx store.Tx) error { return table.Put(tx, "", member{}) },
		"a long id":     func(tx store.Tx) error { return table.Put(tx, long, member{}) },
		"a long value":  func(tx store.Tx) error { return table.Put(tx, "1", member{Name: long}) },
		"a large value": func(tx store.Tx) error { return table.Put(tx, "1", member{Note: strings.Repeat("x", store.MaxValue)}) },
	} {
		if err := s.Update(t.Context(), fn); !errors.Is(err, store.ErrTooLarge) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Check finds each way in which records and entries can disagree, and reading
// through the index refuses it.
func TestTableCheck(t *testing.T) {
	table := members()
	for what, damage := range map[string]func(tx store.Tx) error{
		"a record without its entry": func(tx store.Tx) error { return tx.Delete([]byte("member\x01name\x00alice\x00\x011")) },
		"an entry without a record":  func(tx store.Tx) error { return tx.Delete([]byte("member\x001")) },
		"an entry to another record": func(tx store.Tx) error { return tx.Put([]byte("member\x01name\x00zoe\x00\x011"), nil) },
		"two of a unique value":      func(tx store.Tx) error { return tx.Put([]byte("member\x01name\x00alice\x00\x012"), nil) },
		"an entry that is none":      func(tx store.Tx) error { return tx.Put([]byte("member\x01name\x00alice"), nil) },
		"a record that is none":      func(tx store.Tx) error { return tx.Put([]byte("member\x001"), []byte("{}")) },
	} {
		s := sealed(t)
		update(t, s, func(tx store.Tx) error {
			if err := errors.Join(table.Insert(tx, "1", member{Name: "alice"}), table.Insert(tx, "2", member{Name: "bob"})); err != nil {
				return err
			}
			return table.Check(tx, func(p string) { t.Errorf("%s: before: %s", what, p) })
		})
		update(t, s, func(tx store.Tx) error {
			if err := damage(tx); err != nil {
				return err
			}
			problems := 0
			if err := table.Check(tx, func(string) { problems++ }); err != nil || problems == 0 {
				t.Errorf("%s: Check finds %d problems, %v", what, problems, err)
			}
			_, err := table.PageBy(tx, "name", "", "", 9)
			if what != "a record without its entry" && !errors.Is(err, store.ErrCorrupt) {
				t.Errorf("%s: reading: %v", what, err)
			}
			return nil
		})
	}
}

// An injected fault at any call is an error to the caller, and leaves the table whole.
func TestTableSurvivesFaults(t *testing.T) {
	table := members()
	flow := func(s store.Store) error {
		return s.Update(t.Context(), func(tx store.Tx) error {
			if err := table.Put(tx, "1", member{Name: "carol", Tags: []string{"x"}}); err != nil {
				return err
			}
			if err := table.Insert(tx, "3", member{Name: "dave"}); err != nil {
				return err
			}
			if _, _, err := table.Find(tx, "name", "carol"); err != nil {
				return err
			}
			return table.Delete(tx, "2")
		})
	}
	prepare := func() (*storetest.Faulty, store.Store) {
		f := storetest.NewFaulty(sealed(t))
		update(t, f, func(tx store.Tx) error {
			return errors.Join(table.Insert(tx, "1", member{Name: "alice", Tags: []string{"x", "y"}}), table.Insert(tx, "2", member{Name: "bob"}))
		})
		f.FailAt(0)
		return f, f
	}
	f, s := prepare()
	if err := flow(s); err != nil {
		t.Fatal(err)
	}
	calls := f.Calls()
	if calls < 10 {
		t.Fatalf("the flow makes %d calls", calls)
	}
	for n := 1; n <= calls; n++ {
		f, s := prepare()
		f.FailAt(n)
		if err := flow(s); !errors.Is(err, storetest.ErrInjected) {
			t.Errorf("call %d: %v", n, err)
		}
		f.FailAt(0)
		update(t, s, func(tx store.Tx) error {
			want(t, fmt.Sprintf("after a fault at call %d", n), ids(table.PageBy(tx, "name", "", "", 9)), "1 2")
			return table.Check(tx, func(p string) { t.Errorf("call %d: %s", n, p) })
		})
	}
}

func TestTableWatch(t *testing.T) {
	s, table := sealed(t), members()
	events, err := s.Watch(t.Context(), table.Prefix())
	if err != nil {
		t.Fatal(err)
	}
	update(t, s, func(tx store.Tx) error { return table.Insert(tx, "1", member{Name: "alice"}) })
	e := <-events
	if id, ok := table.ID(e.Key); !ok || id != "1" {
		t.Errorf("the event's id is %q, %v", id, ok)
	}
	for _, key := range []string{"member\x01name\x00alice\x00\x011", "member\x00", "members\x001", ""} {
		if id, ok := table.ID([]byte(key)); ok {
			t.Errorf("%q has the id %q", key, id)
		}
	}
}

func TestTableMistakesPanic(t *testing.T) {
	keys := func(member) []string { return nil }
	for what, make := range map[string]func(){
		"no name":         func() { store.NewTable[member]("", 1) },
		"NUL in the name": func() { store.NewTable[member]("a\x00", 1) },
		"version 0":       func() { store.NewTable[member]("a", 0) },
		"the same index": func() {
			store.NewTable("a", 1, store.Index[member]{Name: "x", Keys: keys}, store.Index[member]{Name: "x", Keys: keys})
		},
		"no function":      func() { store.NewTable("a", 1, store.Index[member]{Name: "x"}) },
		"a mark in a name": func() { store.NewTable("a", 1, store.Index[member]{Name: "x\x01", Keys: keys}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", what)
				}
			}()
			make()
		}()
	}
}

func TestChangeReadsOnceAndWritesWhatItMakes(t *testing.T) {
	db, table := sealed(t), members()
	stop := errors.New("stop")
	update(t, db, func(tx store.Tx) error {
		if err := table.Change(tx, "1", func(m member) (member, error) { return m, nil }); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("of nothing: %v", err)
		}
		if err := table.Insert(tx, "1", member{Name: "ada", Tags: []string{"old"}}); err != nil {
			return err
		}
		if err := table.Insert(tx, "2", member{Name: "mara"}); err != nil {
			return err
		}
		if err := table.Change(tx, "1", func(m member) (member, error) {
			m.Tags = []string{"new"}
			return m, nil
		}); err != nil {
			return err
		}
		if got := ids(table.PageEq(tx, "tag", "old", "", 5)) + "|" + ids(table.PageEq(tx, "tag", "new", "", 5)); got != "|1" {
			t.Errorf("found by its tags: %s", got)
		}
		if err := table.Change(tx, "1", func(m member) (member, error) { m.Note = "lost"; return m, stop }); !errors.Is(err, stop) {
			t.Errorf("stopped: %v", err)
		}
		var taken *store.UniqueError
		if err := table.Change(tx, "1", func(m member) (member, error) { m.Name = "mara"; return m, nil }); !errors.As(err, &taken) {
			t.Errorf("a name that is taken: %v", err)
		}
		if m, err := table.Get(tx, "1"); err != nil || m.Note != "" || m.Name != "ada" {
			t.Errorf("%+v, %v", m, err)
		}
		return table.Check(tx, func(problem string) { t.Error(problem) })
	})
}
