package bolt

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

// listing names the files of a directory, their sizes and modes, but not the lock.
func listing(t *testing.T, dir string) string {
	t.Helper()
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !info.IsDir() {
		return "a file\n"
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range entries {
		if e.Name() == LockFile {
			continue
		}
		content, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(e.Name() + " " + e.Type().String() + " " + checksum(content) + "\n")
	}
	return b.String()
}

// change opens the file with bbolt alone and changes it.
func change(t *testing.T, path string, fn func(tx *bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(fn), db.Close()); err != nil {
		t.Fatal(err)
	}
}

func foreignBolt(t *testing.T, dir string) {
	path := filepath.Join(dir, DatabaseFile)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	change(t, path, func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket([]byte("somebody else's"))
		return err
	})
}

func newerFormat(t *testing.T, dir string) {
	change(t, filepath.Join(dir, DatabaseFile), func(tx *bbolt.Tx) error {
		return tx.Bucket(metaBucket).Put(keyFormat, []byte("2"))
	})
}

// otherDatabase puts the database and the keyset of another directory in place.
func otherDatabase(t *testing.T, dir string) {
	other := filled(t)
	for _, name := range []string{DatabaseFile, KeysetFile} {
		if err := os.Rename(filepath.Join(other, name), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}

func otherKeyset(t *testing.T, dir string) {
	if err := os.Rename(filepath.Join(filled(t), KeysetFile), filepath.Join(dir, KeysetFile)); err != nil {
		t.Fatal(err)
	}
}

// oldKeyset rotates, and puts the copy from before back.
func oldKeyset(t *testing.T, dir string) {
	path := filepath.Join(dir, KeysetFile)
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s := openTest(t, dir)
	if err := errors.Join(s.Rotate(t.Context(), nil), s.Close(), os.WriteFile(path, old, 0o600)); err != nil {
		t.Fatal(err)
	}
}

// flipAt flips a bit of the newest header, at an offset in its page.
func flipAt(offset int64) func(t *testing.T, dir string) {
	return func(t *testing.T, dir string) {
		f, err := os.OpenFile(filepath.Join(dir, DatabaseFile), os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		found, _, _ := readHeaders(f, 1<<40)
		if len(found) != 2 {
			t.Fatal("no two headers")
		}
		at := offset + int64(found[0].txid%2)*pageSize
		b := make([]byte, 1)
		if _, err := f.ReadAt(b, at); err != nil {
			t.Fatal(err)
		}
		b[0] ^= 1
		if _, err := f.WriteAt(b, at); err != nil {
			t.Fatal(err)
		}
	}
}
