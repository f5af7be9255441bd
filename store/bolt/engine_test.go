package bolt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"postern/store"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// hold keeps the writer busy, so that the updates begun meanwhile share the next
// commit, until the function it returns is called.
func hold(t *testing.T, s store.Store) (release func()) {
	t.Helper()
	inside, leave, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		if err := s.Update(context.Background(), func(tx store.Tx) error {
			close(inside)
			<-leave
			return tx.Put([]byte("held"), nil)
		}); err != nil {
			t.Errorf("Update: %v", err)
		}
	}()
	<-inside
	return func() { close(leave); <-done }
}

// queued waits until n updates wait for the writer.
func queued(s *Store, n int) {
	for len(s.engine.queue) < n {
		time.Sleep(50 * time.Microsecond)
	}
}

// In one commit each function is whole or absent by itself: those that fail,
// panic or end take nothing from their neighbours, and each sees what came before it.
func TestSharedCommit(t *testing.T) {
	s := openTest(t, dataDir(t))
	defer s.Close()
	before := s.commits(t)
	release := hold(t, s)
	const n = 40
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			defer func() {
				if p := recover(); (p != nil) != (i%4 == 1) {
					t.Errorf("update %d panics with %v", i, p)
				}
			}()
			err := s.Update(context.Background(), func(tx store.Tx) error {
				v, err := tx.Get([]byte("count"))
				if err != nil && !errors.Is(err, store.ErrNotFound) {
					return err
				}
				if err := tx.Put([]byte("count"), append(v, 'x')); err != nil {
					return err
				}
				if err := tx.Put(fmt.Appendf(nil, "done/%d", i), nil); err != nil {
					return err
				}
				switch i % 4 {
				case 1:
					panic("mistake")
				case 2:
					return errors.New("refused")
				}
				return nil
			})
			if (err != nil) != (i%4 == 2) {
				t.Errorf("update %d returns %v", i, err)
			}
		})
		queued(s, i+1)
	}
	release()
	wg.Wait()
	all := snapshotOf(t, s)
	if got := len(all["count"]); got != n/2 || len(all) != n/2+2 {
		t.Errorf("%d counted, %d keys; want %d", got, len(all), n/2)
	}
	for i := range n {
		if _, ok := all[fmt.Sprintf("done/%d", i)]; ok != (i%4 == 0 || i%4 == 3) {
			t.Errorf("update %d is there: %v", i, ok)
		}
	}
	if got := s.commits(t) - before; got != 1 {
		t.Errorf("they took %d commits", got)
	}
}

// commits returns how many commits the database has had.
func (s *Store) commits(t *testing.T) int {
	t.Helper()
	id, err := s.engine.lastID()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// An update that changes nothing is no commit.
func TestNoCommitWithoutChange(t *testing.T) {
	s := openTest(t, dataDir(t))
	defer s.Close()
	before := s.commits(t)
	err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Delete([]byte("absent")) })
	if err != nil || s.commits(t) != before {
		t.Errorf("%d commits, %v", s.commits(t)-before, err)
	}
}

// Whoever waits behind a cancelled update is not held up by it, and the
// cancelled one is never run.
func TestCancelledInQueue(t *testing.T) {
	s := openTest(t, dataDir(t))
	defer s.Close()
	release := hold(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	cancelled := make(chan error)
	go func() {
		cancelled <- s.Update(ctx, func(store.Tx) error { t.Error("it runs"); return nil })
	}()
	queued(s, 1)
	behind := make(chan error)
	go func() {
		behind <- s.Update(context.Background(), func(tx store.Tx) error { return tx.Put([]byte("behind"), nil) })
	}()
	queued(s, 2)
	cancel()
	if err := <-cancelled; !errors.Is(err, context.Canceled) {
		t.Errorf("the cancelled one: %v", err)
	}
	release()
	if err := <-behind; err != nil {
		t.Errorf("the one behind: %v", err)
	}
}

// Close lets those that wait finish.
func TestCloseWaits(t *testing.T) {
	dir := dataDir(t)
	s := openTest(t, dir)
	release := hold(t, s)
	waiting := make(chan error)
	go func() {
		waiting <- s.Update(context.Background(), func(tx store.Tx) error { return tx.Put([]byte("waited"), nil) })
	}()
	queued(s, 1)
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	release()
	if err := <-waiting; err != nil {
		t.Errorf("the waiting one: %v", err)
	}
	if err := <-closed; err != nil {
		t.Errorf("Close: %v", err)
	}
	s = openTest(t, dir)
	defer s.Close()
	if _, ok := snapshotOf(t, s)["waited"]; !ok {
		t.Error("what was acknowledged is lost")
	}
}

// The file grows with what is put into it, values of the largest size too.
func TestGrowth(t *testing.T) {
	dir := dataDir(t)
	s := openTest(t, dir)
	defer s.Close()
	for i := range 8 {
		err := s.Update(t.Context(), func(tx store.Tx) error {
			return tx.Put(fmt.Append(nil, i), make([]byte, store.MaxValue))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	size, err := s.Size(t.Context())
	if err != nil || size < 8*store.MaxValue {
		t.Errorf("the size is %d, %v", size, err)
	}
	info, err := os.Stat(filepath.Join(dir, DatabaseFile))
	if err != nil || info.Size() < size {
		t.Errorf("the file has %d bytes of %d, %v", info.Size(), size, err)
	}
}

// The walker and the parser of headers take any bytes without a panic, and find
// nothing wrong with a database that is whole.
func FuzzWalk(f *testing.F) {
	dir := dataDir(f)
	s := openTest(f, dir)
	for i := range 100 {
		err := s.Update(f.Context(), func(tx store.Tx) error {
			return errors.Join(tx.Put(fmt.Appendf(nil, "t\x00%d", i), make([]byte, 300)), tx.Put(fmt.Appendf(nil, "t\x01x\x00%d", i*7%100), nil))
		})
		if err != nil {
			f.Fatal(err)
		}
	}
	s.Close()
	whole, err := os.ReadFile(filepath.Join(dir, DatabaseFile))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint32(0), byte(0), uint32(0), byte(0))
	f.Add(uint32(4096*3+8), byte(1), uint32(4096*4+20), byte(255))
	f.Add(uint32(16), byte(1), uint32(4096+16), byte(1))
	f.Fuzz(func(t *testing.T, at1 uint32, x1 byte, at2 uint32, x2 byte) {
		b := append([]byte(nil), whole...)
		b[int(at1)%len(b)] ^= x1
		b[int(at2)%len(b)] ^= x2
		found, _, code := readHeaders(readerAt(b), int64(len(b)))
		if code != "" {
			return
		}
		problems := 0
		if err := walk(readerAt(b), found[0], func(string) { problems++ }); err != nil {
			t.Error(err)
		}
		if x1 == 0 && x2 == 0 && problems > 0 {
			t.Errorf("%d problems in a whole file", problems)
		}
	})
}

// FuzzHeaders takes any bytes for a file.
func FuzzHeaders(f *testing.F) {
	f.Add([]byte{})
	f.Add(make([]byte, 8192))
	f.Fuzz(func(t *testing.T, b []byte) {
		found, _, code := readHeaders(readerAt(b), int64(len(b)))
		if (code == "") != (len(found) > 0) {
			t.Errorf("%d headers, code %q", len(found), code)
		}
	})
}

// readerAt reads from memory.
type readerAt []byte

func (r readerAt) ReadAt(p []byte, at int64) (int, error) {
	if at < 0 || at >= int64(len(r)) {
		return 0, errors.New("outside of the file")
	}
	n := copy(p, r[at:])
	if n < len(p) {
		return n, errors.New("outside of the file")
	}
	return n, nil
}
