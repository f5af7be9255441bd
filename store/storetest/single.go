package storetest

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"

	"postern/store"
)

func testCopies(t *testing.T, e Engine) {
	s := e.open(t)
	key, value := []byte("key"), []byte("value")
	update(t, s, func(tx store.Tx) error {
		if err := tx.Put(key, value); err != nil {
			return err
		}
		key[0], value[0] = 'X', 'X' // ours again
		return nil
	})
	want(t, s, "key", "value")
	key, value = []byte("key"), nil
	var pairs []store.Pair
	view(t, s, func(tx store.Tx) (err error) {
		if value, err = tx.Get(key); err != nil {
			return err
		}
		pairs, err = tx.Scan(nil, nil, 10)
		return err
	})
	put(t, s, "key", "other", "next", "another")
	if string(value) != "value" || len(pairs) != 1 || string(pairs[0].Value) != "value" || string(pairs[0].Key) != "key" {
		t.Errorf("after the transaction: %q, %q", value, pairs)
	}
	value[0], pairs[0].Key[0], pairs[0].Value[0] = 'X', 'X', 'X'
	want(t, s, "key", "other")
	update(t, s, func(tx store.Tx) error {
		v, err := tx.Get([]byte("key"))
		if err != nil {
			return err
		}
		v[0] = 'X'
		return tx.Put([]byte("own"), []byte("mine"))
	})
	want(t, s, "key", "other")
}

func testEmpty(t *testing.T, e Engine) {
	s := e.open(t)
	update(t, s, func(tx store.Tx) error {
		if err := tx.Put([]byte("nil"), nil); err != nil {
			return err
		}
		if v, err := tx.Get([]byte("nil")); err != nil || v == nil || len(v) != 0 {
			t.Errorf("own nil value is %v, %v", v, err)
		}
		return tx.Put([]byte("empty"), []byte{})
	})
	view(t, s, func(tx store.Tx) error {
		for _, key := range []string{"nil", "empty"} {
			if v, err := tx.Get([]byte(key)); err != nil || v == nil || len(v) != 0 {
				t.Errorf("%s value is %v, %v", key, v, err)
			}
		}
		wantScan(t, tx, "", "", 10, "empty= nil=")
		if _, err := tx.Get([]byte("absent")); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("absent: %v", err)
		}
		if _, err := tx.Get(nil); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Get(nil): %v", err)
		}
		return nil
	})
}

func testSizes(t *testing.T, e Engine) {
	s := e.open(t)
	long := bytes.Repeat([]byte{0xff}, store.MaxKey)
	large := bytes.Repeat([]byte{'v'}, store.MaxValue)
	update(t, s, func(tx store.Tx) error { return tx.Put(long, large) })
	view(t, s, func(tx store.Tx) error {
		if v, err := tx.Get(long); err != nil || !bytes.Equal(v, large) {
			t.Errorf("the longest key and value: %d bytes, %v", len(v), err)
		}
		if pairs, err := tx.Scan(nil, long, 10); err != nil || len(pairs) > 0 {
			t.Errorf("after the longest key: %d pairs, %v", len(pairs), err)
		}
		return nil
	})
	for name, p := range map[string]store.Pair{
		"empty key":  {},
		"long key":   {Key: append(long, 0)},
		"long value": {Key: []byte("k"), Value: append(large, make([]byte, store.SealOverhead+1)...)},
	} {
		err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Put(p.Key, p.Value) })
		if !errors.Is(err, store.ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func testReadOnly(t *testing.T, e Engine) {
	s := e.open(t)
	put(t, s, "a", "1")
	view(t, s, func(tx store.Tx) error {
		if err := tx.Put([]byte("a"), []byte("2")); !errors.Is(err, store.ErrReadOnly) {
			t.Errorf("Put: %v", err)
		}
		if err := tx.Delete([]byte("a")); !errors.Is(err, store.ErrReadOnly) {
			t.Errorf("Delete: %v", err)
		}
		return nil
	})
	if err := s.View(t.Context(), func(store.Tx) error { return errRefused }); !errors.Is(err, errRefused) {
		t.Errorf("View returns %v", err)
	}
	want(t, s, "a", "1")
}

// change overwrites, adds and deletes, for the tests of rolling back.
func change(tx store.Tx) error {
	return errors.Join(tx.Put([]byte("a"), []byte("2")), tx.Put([]byte("c"), []byte("3")), tx.Delete([]byte("b")))
}

func wantUnchanged(t *testing.T, s store.Store) {
	t.Helper()
	view(t, s, func(tx store.Tx) error {
		wantScan(t, tx, "", "", 10, "a=1 b=1")
		return nil
	})
	put(t, s, "d", "4") // and it works on
	want(t, s, "d", "4")
}

func testError(t *testing.T, e Engine) {
	s := e.open(t)
	put(t, s, "a", "1", "b", "1")
	err := s.Update(t.Context(), func(tx store.Tx) error {
		return errors.Join(change(tx), errRefused)
	})
	if !errors.Is(err, errRefused) {
		t.Errorf("Update returns %v", err)
	}
	wantUnchanged(t, s)
}

func testPanic(t *testing.T, e Engine) {
	s := e.open(t)
	put(t, s, "a", "1", "b", "1")
	func() {
		defer func() {
			if p := recover(); p != "mistake" {
				t.Errorf("the panic is %v", p)
			}
		}()
		_ = s.Update(t.Context(), func(tx store.Tx) error {
			_ = change(tx)
			panic("mistake")
		})
	}()
	wantUnchanged(t, s)
}

// A test that calls t.Fatal inside of a transaction ends its goroutine there.
func testGoexit(t *testing.T, e Engine) {
	s := e.open(t)
	put(t, s, "a", "1", "b", "1")
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Update(context.Background(), func(tx store.Tx) error {
			_ = change(tx)
			runtime.Goexit()
			return nil
		})
	}()
	<-done
	wantUnchanged(t, s)
}

func testEnded(t *testing.T, e Engine) {
	s := e.open(t)
	put(t, s, "a", "1")
	var kept store.Tx
	use := func() {
		t.Helper()
		if _, err := kept.Get([]byte("a")); err == nil {
			t.Error("Get works after the end")
		}
		if err := kept.Put([]byte("b"), nil); err == nil {
			t.Error("Put works after the end")
		}
		if _, err := kept.Scan(nil, nil, 1); err == nil {
			t.Error("Scan works after the end")
		}
	}
	update(t, s, func(tx store.Tx) error { kept = tx; return nil })
	use()
	view(t, s, func(tx store.Tx) error { kept = tx; return nil })
	use()
	want(t, s, "b", "(absent)")
}

func testCancelled(t *testing.T, e Engine) {
	s := e.open(t)
	put(t, s, "a", "1")
	done, cancel := context.WithCancel(t.Context())
	cancel()
	unreached := func(store.Tx) error { t.Error("fn runs"); return nil }
	if err := s.View(done, unreached); !errors.Is(err, context.Canceled) {
		t.Errorf("View: %v", err)
	}
	if err := s.Update(done, unreached); !errors.Is(err, context.Canceled) {
		t.Errorf("Update: %v", err)
	}
	if _, err := s.Watch(done, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Watch: %v", err)
	}
	// Cancelled before the commit begins.
	ctx, cancel := context.WithCancel(t.Context())
	err := s.Update(ctx, func(tx store.Tx) error {
		cancel()
		return tx.Put([]byte("a"), []byte("2"))
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Update: %v", err)
	}
	want(t, s, "a", "1")
	// Cancelled while another writer has its turn: it does not wait for that.
	inside, leave, left := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		left <- s.Update(context.Background(), func(tx store.Tx) error {
			close(inside)
			<-leave
			return nil
		})
	}()
	<-inside
	ctx, cancel = context.WithCancel(t.Context())
	waiting := make(chan error)
	go func() {
		waiting <- s.Update(ctx, func(tx store.Tx) error { return tx.Put([]byte("a"), []byte("3")) })
	}()
	cancel()
	if err := <-waiting; !errors.Is(err, context.Canceled) {
		t.Errorf("a waiting Update: %v", err)
	}
	close(leave)
	if err := <-left; err != nil {
		t.Errorf("the Update it waited for: %v", err)
	}
	want(t, s, "a", "1")
}

func testPaging(t *testing.T, e Engine) {
	s := e.open(t)
	put(t, s, "a", "0", "p", "1", "p\x00", "2", "p/1", "3", "p/2", "4", "p/3", "5", "p\xff", "6", "p\xff\xff", "7", "q", "8")
	view(t, s, func(tx store.Tx) error {
		wantScan(t, tx, "", "", 0, "")
		wantScan(t, tx, "", "", -1, "")
		wantScan(t, tx, "", "", 2, "a=0 p=1")
		wantScan(t, tx, "p/", "", 2, "p/1=3 p/2=4")
		wantScan(t, tx, "p/", "p/2", 2, "p/3=5")
		wantScan(t, tx, "p/", "p/3", 2, "")
		wantScan(t, tx, "p/", "p/1x", 5, "p/2=4 p/3=5") // after need not exist
		wantScan(t, tx, "p/", "a", 1, "p/1=3")          // before the prefix
		wantScan(t, tx, "p/", "p", 1, "p/1=3")
		wantScan(t, tx, "p/", "q", 9, "") // behind the prefix
		wantScan(t, tx, "p", "p", 1, "p\x00=2")
		wantScan(t, tx, "p\xff", "", 9, "p\xff=6 p\xff\xff=7")
		wantScan(t, tx, "x", "", 9, "")
		wantScan(t, tx, "", "q", 9, "")
		if pairs, err := tx.Scan(nil, []byte{}, 1); err != nil || len(pairs) != 1 {
			t.Errorf("after the empty key: %v, %v", pairs, err)
		}
		all, after := "", ""
		for {
			page, err := tx.Scan([]byte("p"), []byte(after), 2)
			if err != nil {
				return err
			}
			for _, p := range page {
				all += string(p.Value)
				after = string(p.Key)
			}
			if len(page) < 2 {
				break
			}
		}
		if all != "1234567" {
			t.Errorf("the pages are %s", all)
		}
		return nil
	})
}

func testOwnChanges(t *testing.T, e Engine) {
	s := e.open(t)
	put(t, s, "b", "1", "d", "1", "f", "1", "h", "1")
	update(t, s, func(tx store.Tx) error {
		err := errors.Join(
			tx.Put([]byte("a"), []byte("2")), tx.Put([]byte("d"), []byte("2")), tx.Put([]byte("e"), []byte("2")),
			tx.Put([]byte("i"), []byte("2")), tx.Delete([]byte("f")), tx.Delete([]byte("none")),
			tx.Put([]byte("g"), []byte("2")), tx.Delete([]byte("g")), tx.Delete([]byte("h")), tx.Put([]byte("h"), []byte("3")),
		)
		wantScan(t, tx, "", "", 99, "a=2 b=1 d=2 e=2 h=3 i=2")
		wantScan(t, tx, "", "b", 2, "d=2 e=2")
		wantScan(t, tx, "", "e", 1, "h=3")
		wantScan(t, tx, "f", "", 1, "")
		if _, err := tx.Get([]byte("f")); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a deleted key: %v", err)
		}
		return err
	})
	view(t, s, func(tx store.Tx) error {
		wantScan(t, tx, "", "", 99, "a=2 b=1 d=2 e=2 h=3 i=2")
		return nil
	})
}

func testSnapshot(t *testing.T, e Engine) {
	s := e.open(t)
	put(t, s, "a", "1")
	view(t, s, func(tx store.Tx) error {
		done := make(chan error)
		go func() { // another goroutine's transaction, which is not nested
			done <- s.Update(context.Background(), func(tx store.Tx) error {
				return errors.Join(tx.Put([]byte("a"), []byte("2")), tx.Put([]byte("b"), []byte(strings.Repeat("x", 1000))))
			})
		}()
		if err := <-done; err != nil {
			return err
		}
		wantScan(t, tx, "", "", 9, "a=1")
		return nil
	})
	want(t, s, "a", "2")
}

func testClosed(t *testing.T, e Engine) {
	s := e.open(t)
	put(t, s, "a", "1")
	events, err := s.Watch(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	nothing := func(store.Tx) error { return nil }
	_, watchErr := s.Watch(t.Context(), nil)
	for name, err := range map[string]error{
		"View": s.View(t.Context(), nothing), "Update": s.Update(t.Context(), nothing),
		"Watch": watchErr, "Close": s.Close(),
	} {
		if !errors.Is(err, store.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, open := <-events; open {
		t.Error("a watch outlives the store")
	}
}

func testReopen(t *testing.T, e Engine) {
	if e.Reopen == nil {
		t.Skip("the engine keeps nothing")
	}
	s := e.open(t)
	put(t, s, "a", "1", "b", "", "c", "3")
	update(t, s, func(tx store.Tx) error { return tx.Delete([]byte("c")) })
	s = e.Reopen(t, s)
	t.Cleanup(func() { _ = s.Close() })
	view(t, s, func(tx store.Tx) error {
		wantScan(t, tx, "", "", 9, "a=1 b=")
		return nil
	})
	put(t, s, "d", "4")
	want(t, s, "d", "4")
}
