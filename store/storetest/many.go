package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"postern/store"
)

// together runs fn in n goroutines and waits for them.
func together(n int, fn func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			fn(i)
		})
	}
	close(start)
	wg.Wait()
}

func testCounter(t *testing.T, e Engine) {
	s := e.open(t)
	together(100, func(int) {
		err := s.Update(context.Background(), func(tx store.Tx) error {
			v, err := tx.Get([]byte("n"))
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			n, _ := strconv.Atoi(string(v))
			return tx.Put([]byte("n"), []byte(strconv.Itoa(n+1)))
		})
		if err != nil {
			t.Errorf("Update: %v", err)
		}
	})
	want(t, s, "n", "100")
}

// person is a record with a name that only one may have.
type person struct {
	Name string `json:"name"`
	Town string `json:"town"`
}

func testRace(t *testing.T, e Engine) {
	s := e.open(t)
	people := store.NewTable("person", 1, store.Index[person]{
		Name: "name", Unique: true, Keys: func(p person) []string { return []string{p.Name} },
	})
	for round := range 5 {
		name := fmt.Sprint("alice", round)
		var mu sync.Mutex
		winners := 0
		together(20, func(i int) {
			err := s.Update(context.Background(), func(tx store.Tx) error {
				return people.Insert(tx, fmt.Sprintf("%d-%d", round, i), person{Name: name})
			})
			var taken *store.UniqueError
			switch {
			case err == nil:
				mu.Lock()
				winners++
				mu.Unlock()
			case !errors.As(err, &taken):
				t.Errorf("Update: %v", err)
			}
		})
		if winners != 1 {
			t.Errorf("%d winners", winners)
		}
	}
	view(t, s, func(tx store.Tx) error {
		return people.Check(tx, func(p string) { t.Error(p) })
	})
}

// Writers move an amount between keys, some fail half-way, and every reader must
// see the same sum.
func testInvariant(t *testing.T, e Engine) {
	s := e.open(t)
	const accounts, amount = 8, 100
	key := func(i int) []byte { return fmt.Appendf(nil, "account/%d", i%accounts) }
	update(t, s, func(tx store.Tx) error {
		for i := range accounts {
			if err := tx.Put(key(i), []byte(strconv.Itoa(amount))); err != nil {
				return err
			}
		}
		return nil
	})
	read := func(tx store.Tx, k []byte) (int, error) {
		v, err := tx.Get(k)
		if err != nil {
			return 0, err
		}
		return strconv.Atoi(string(v))
	}
	together(16, func(i int) {
		for round := range 10 {
			if i%4 == 3 {
				sum := 0
				err := s.View(context.Background(), func(tx store.Tx) error {
					pairs, err := tx.Scan([]byte("account/"), nil, 100)
					for _, p := range pairs {
						n, _ := strconv.Atoi(string(p.Value))
						sum += n
					}
					return err
				})
				if err != nil || sum != accounts*amount {
					t.Errorf("the sum is %d, %v", sum, err)
				}
				continue
			}
			err := s.Update(context.Background(), func(tx store.Tx) error {
				from, to := key(i+round), key(i+round+1)
				a, err := read(tx, from)
				if err != nil {
					return err
				}
				if err := tx.Put(from, []byte(strconv.Itoa(a-7))); err != nil {
					return err
				}
				if (i+round)%3 == 0 {
					return errRefused
				}
				b, err := read(tx, to)
				if err != nil {
					return err
				}
				return tx.Put(to, []byte(strconv.Itoa(b+7)))
			})
			if err != nil && !errors.Is(err, errRefused) {
				t.Errorf("Update: %v", err)
			}
		}
	})
}

// receive returns the next event, or fails the test when none comes.
func receive(t *testing.T, events <-chan store.Event) (store.Event, bool) {
	t.Helper()
	select {
	case e, ok := <-events:
		return e, ok
	case <-time.After(10 * time.Second):
		t.Fatal("no event comes")
		return store.Event{}, false
	}
}

func testWatch(t *testing.T, e Engine) {
	s := e.open(t)
	events, err := s.Watch(t.Context(), []byte("w/"))
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, "w/1", "a", "x/1", "a")
	_ = s.Update(t.Context(), func(tx store.Tx) error {
		return errors.Join(tx.Put([]byte("w/never"), nil), errRefused)
	})
	update(t, s, func(tx store.Tx) error { return tx.Delete([]byte("w/1")) })
	put(t, s, "w/1", "b")
	for i, deleted := range []bool{false, true, false} {
		if got, _ := receive(t, events); string(got.Key) != "w/1" || got.Deleted != deleted {
			t.Errorf("event %d is %q, deleted %v", i, got.Key, got.Deleted)
		}
	}
}

func testWatchOverflow(t *testing.T, e Engine) {
	s := e.open(t)
	events, err := s.Watch(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for page := range 10 { // far more than anybody buffers, and nobody waits
		update(t, s, func(tx store.Tx) error {
			for i := range 1000 {
				if err := tx.Put(fmt.Appendf(nil, "key/%d/%d", page, i), nil); err != nil {
					return err
				}
			}
			return nil
		})
	}
	last := ""
	for n := 0; ; n++ {
		got, ok := receive(t, events)
		if !ok || n > 10_000 {
			t.Fatalf("no event with a nil key after %d, %v", n, ok)
		}
		if got.Key == nil {
			break
		}
		if string(got.Key) <= last {
			t.Errorf("%q comes after %q", got.Key, last)
		}
		last = string(got.Key)
	}
	put(t, s, "z", "")
	if got, _ := receive(t, events); string(got.Key) != "z" {
		t.Errorf("after the loss: %q", got.Key)
	}
}

func testWatchEnds(t *testing.T, e Engine) {
	s := e.open(t)
	ctx, cancel := context.WithCancel(t.Context())
	events, err := s.Watch(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, ok := receive(t, events); ok {
		t.Error("an event comes from nowhere")
	}
	put(t, s, "a", "1") // and nobody is sent to
}
