package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"postern/store"
)

// secretValue is looked for in files.
var secretValue = []byte("the-Quux-that-was-deleted")

func fileHolds(t *testing.T, path string, what []byte) bool {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Contains(b, what)
}

// Without seals, what was deleted is still in the file, and not in the compacted one.
func TestDeletedBytesAreGone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plain.db")
	keys, err := store.NewKeyset(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := createDatabase(path, "id", keys); err != nil {
		t.Fatal(err)
	}
	db, err := openBolt(path)
	if err != nil {
		t.Fatal(err)
	}
	e := newEngine(db)
	change := func(fn func(tx store.Tx, key []byte) error) {
		t.Helper()
		for i := range 200 {
			if err := e.Update(t.Context(), func(tx store.Tx) error { return fn(tx, fmt.Appendf(nil, "row\x00%d", i)) }); err != nil {
				t.Fatal(err)
			}
		}
	}
	change(func(tx store.Tx, key []byte) error { return tx.Put(key, append(make([]byte, 300), secretValue...)) })
	if err := e.Update(t.Context(), func(tx store.Tx) error { return tx.Put([]byte("other\x001"), []byte("stays")) }); err != nil {
		t.Fatal(err)
	}
	change(func(tx store.Tx, key []byte) error { return tx.Delete(key) })
	to := path + ".new"
	pairs, err := e.copyTo(t.Context(), to)
	if err != nil || pairs != 1 {
		t.Fatal(pairs, err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if !fileHolds(t, path, secretValue) {
		t.Error("the old file has forgotten by itself: this test shows nothing")
	}
	if fileHolds(t, to, secretValue) || !fileHolds(t, to, []byte("stays")) {
		t.Error("the new file does not hold just what is there")
	}
}

// thinned makes a database from which much was deleted, and says what is left.
func thinned(t *testing.T, dir string) map[string]string {
	t.Helper()
	s := openTest(t, dir)
	left := map[string]string{}
	err := s.Update(t.Context(), func(tx store.Tx) error {
		for i := range 2000 {
			key, value := fmt.Sprintf("row\x00%05d", i), fmt.Sprintf("value %d %0500d", i, i)
			if err := tx.Put([]byte(key), []byte(value)); err != nil {
				return err
			}
			left[key] = value
		}
		return nil
	})
	if err == nil {
		err = s.Update(t.Context(), func(tx store.Tx) error {
			for i := range 2000 {
				if key := fmt.Sprintf("row\x00%05d", i); i%10 > 0 {
					delete(left, key)
					if err := tx.Delete([]byte(key)); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	if err = errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	return left
}

func wantPairs(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	s := openTest(t, dir)
	defer s.Close()
	err := s.View(t.Context(), func(tx store.Tx) error {
		pairs, err := tx.Scan(nil, nil, 10_000)
		if len(pairs) != len(want) {
			t.Errorf("%d pairs, want %d", len(pairs), len(want))
		}
		for _, p := range pairs {
			if want[string(p.Key)] != string(p.Value) {
				t.Errorf("%q is another", p.Key)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context(), func(p string) { t.Error(p) }); err != nil {
		t.Error(err)
	}
}

func TestCompact(t *testing.T) {
	dir := dataDir(t)
	left := thinned(t, dir)
	path := filepath.Join(dir, DatabaseFile)
	if err := os.WriteFile(path+compactSuffix, []byte("left by a crash"), 0o644); err != nil {
		t.Fatal(err)
	}
	done, err := Compact(t.Context(), dir, "")
	if err != nil || done.Pairs != len(left) || done.After >= done.Before {
		t.Fatalf("%+v %v", done, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 || info.Size() != done.After {
		t.Error(info.Mode(), info.Size(), err)
	}
	if there, _ := exists(path + compactSuffix); there {
		t.Error("the temporary file is still there")
	}
	wantPairs(t, dir, left)
	again, err := Compact(t.Context(), dir, "")
	if err != nil || again.Pairs != len(left) {
		t.Errorf("%+v %v", again, err)
	}
	wantPairs(t, dir, left)
}

func TestCompactIsRefused(t *testing.T) {
	dir := dataDir(t)
	left := thinned(t, dir)
	code := func(err error) Code {
		var e *OpenError
		errors.As(err, &e)
		if e == nil {
			return ""
		}
		return e.Code
	}
	s := openTest(t, dir)
	if _, err := Compact(t.Context(), dir, ""); code(err) != CodeLocked {
		t.Errorf("while it is open: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Compact(t.Context(), filepath.Join(t.TempDir(), "none"), ""); err == nil {
		t.Error("a directory that is not there is compacted")
	}
	if _, err := Compact(t.Context(), dir, filepath.Join(t.TempDir(), "none.json")); code(err) == "" {
		t.Errorf("without a keyset: %v", err)
	}
	wantPairs(t, dir, left)
}

// Killed at a random moment, the file is the old or the new one, and the next
// compaction clears up.
func TestKilledWhileCompacting(t *testing.T) {
	if dir := os.Getenv("POSTERN_TEST_COMPACT"); dir != "" {
		for {
			fmt.Println("begin")
			if _, err := Compact(t.Context(), dir, ""); err != nil {
				panic(err)
			}
		}
	}
	rounds := 3
	if os.Getenv("POSTERN_LONG") != "" {
		rounds = 100
	}
	dir := dataDir(t)
	left := thinned(t, dir)
	for range rounds {
		cmd := child(t, "POSTERN_TEST_COMPACT="+dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(20+rand.IntN(150)) * time.Millisecond)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		wantPairs(t, dir, left)
	}
	if _, err := Compact(t.Context(), dir, ""); err != nil {
		t.Fatal(err)
	}
	if there, _ := exists(filepath.Join(dir, DatabaseFile+compactSuffix)); there {
		t.Error("a temporary file is left")
	}
}

// Without room for the new file nothing changes. A limit on the size of files
// stands in for the disk.
func TestCompactOnAFullDisk(t *testing.T) {
	if dir := os.Getenv("POSTERN_TEST_COMPACT_FULL"); dir != "" {
		signal.Ignore(unix.SIGXFSZ) // the write then fails with EFBIG
		var old unix.Rlimit
		if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &old); err != nil {
			t.Fatal(err)
		}
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 64 << 10, Max: old.Max}); err != nil {
			t.Fatal(err)
		}
		if _, err := Compact(t.Context(), dir, ""); err == nil {
			t.Error("compacted without room")
		}
		return
	}
	dir := dataDir(t)
	left := thinned(t, dir)
	if out, err := child(t, "POSTERN_TEST_COMPACT_FULL="+dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if there, _ := exists(filepath.Join(dir, DatabaseFile+compactSuffix)); there {
		t.Error("half a file is left")
	}
	wantPairs(t, dir, left)
}
