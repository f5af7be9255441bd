package bolt

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"postern/store"
)

// filled makes a data directory with some records and returns its path.
func filled(t *testing.T) string {
	t.Helper()
	dir := dataDir(t)
	s := openTest(t, dir)
	people := accountTable()
	for range 4 {
		err := s.Update(t.Context(), func(tx store.Tx) error {
			for i := range 50 {
				id, a := makeAccount(newRand(), i)
				if err := people.Put(tx, id, a); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// refused opens dir and wants a refusal with the code that says what to do.
func refused(t *testing.T, o Options, code Code) *OpenError {
	t.Helper()
	s, err := Open(t.Context(), o)
	if err == nil {
		s.Close()
		t.Fatalf("Open accepts what should be refused as %s", code)
	}
	var refusal *OpenError
	if !errors.As(err, &refusal) || refusal.Code != code {
		t.Fatalf("Open: %v, want %s", err, code)
	}
	if !errors.Is(err, &OpenError{Code: code}) {
		t.Errorf("errors.Is does not find the code %s", code)
	}
	if refusal.Fix == "" || !strings.Contains(err.Error(), refusal.Fix) || !strings.Contains(err.Error(), refusal.Path) {
		t.Errorf("the refusal does not say what to do: %v", err)
	}
	return refusal
}

// Everything that can be wrong with a data directory is refused with its own
// code, changes nothing, and is cured by undoing the damage.
func TestOpenRefuses(t *testing.T) {
	write := func(name string, b []byte) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	remove := func(names ...string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			for _, name := range names {
				if err := os.Remove(filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	truncate := func(size func(used int64) int64) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			path := filepath.Join(dir, DatabaseFile)
			h, err := inspect(path, false)
			if err == nil {
				err = os.Truncate(path, size(int64(h.pages)*int64(h.pageSize)))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	chmod := func(name string, mode os.FileMode) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		name   string
		damage func(t *testing.T, dir string)
		code   Code
	}{
		{"database emptied", write(DatabaseFile, nil), CodeEmptied},
		{"database zeroed", write(DatabaseFile, make([]byte, 1<<16)), CodeEmptied},
		{"database emptied and marker gone", func(t *testing.T, dir string) {
			write(DatabaseFile, nil)(t, dir)
			remove(MarkerFile)(t, dir)
		}, CodeEmptied},
		{"database truncated", truncate(func(n int64) int64 { return n / 2 }), CodeTruncated},
		{"database short of a byte", truncate(func(n int64) int64 { return n - 1 }), CodeTruncated},
		{"database cut after the headers", truncate(func(int64) int64 { return 2 * pageSize }), CodeTruncated},
		{"database cut in the second header", truncate(func(int64) int64 { return pageSize + 20 }), CodeTruncated},
		{"database of ten bytes", truncate(func(int64) int64 { return 10 }), CodeForeign},
		{"a text file", write(DatabaseFile, []byte(strings.Repeat("not a database\n", 1000))), CodeForeign},
		{"an SQLite file", write(DatabaseFile, append([]byte("SQLite format 3\x00"), make([]byte, 1<<14)...)), CodeForeign},
		{"another program's bbolt file", foreignBolt, CodeForeign},
		{"another portal's database", otherDatabase, CodeReplaced},
		{"database gone", remove(DatabaseFile), CodeMissing},
		{"database and marker gone", remove(DatabaseFile, MarkerFile), CodeMissing},
		{"keyset gone", remove(KeysetFile), CodeMissingKeyset},
		{"keyset and marker gone", remove(KeysetFile, MarkerFile), CodeMissingKeyset},
		{"keyset emptied", write(KeysetFile, nil), CodeDamagedKeyset},
		{"keyset of another format", write(KeysetFile, []byte(`{"version":1,"id":"00"}`)), CodeDamagedKeyset},
		{"keyset of another portal", otherKeyset, CodeWrongKeyset},
		{"an old copy of the keyset", oldKeyset, CodeWrongKeyset},
		{"marker damaged", write(MarkerFile, []byte("{")), CodeDamaged},
		{"a newer format", newerFormat, CodeNewer},
		{"one header damaged", flipAt(pageHeader + 50), CodeDamaged},
		{"directory open to the group", chmod(".", 0o750), CodeExposed},
		{"directory open to others", chmod(".", 0o701), CodeExposed},
		{"database open to the group", chmod(DatabaseFile, 0o640), CodeExposed},
		{"keyset open to others", chmod(KeysetFile, 0o604), CodeExposed},
		{"marker open to others", chmod(MarkerFile, 0o666), CodeExposed},
		{"a file instead of the directory", func(t *testing.T, dir string) {
			if err := errors.Join(os.RemoveAll(dir), os.WriteFile(dir, nil, 0o600)); err != nil {
				t.Fatal(err)
			}
		}, CodeNoDirectory},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filled(t)
			c.damage(t, dir)
			before := listing(t, dir)
			refusal := refused(t, Options{Dir: dir}, c.code)
			if refusal.Code == CodeExposed && !strings.Contains(refusal.Fix, "chmod") {
				t.Errorf("no chmod in %q", refusal.Fix)
			}
			if after := listing(t, dir); after != before {
				t.Errorf("the refusal changed the directory from\n%sto\n%s", before, after)
			}
			refused(t, Options{Dir: dir}, c.code) // and it holds, in the same process too
		})
	}
}

// With Salvage the older header counts: what the last change made is gone, what
// was before it is there.
func TestSalvage(t *testing.T) {
	dir := dataDir(t)
	s := openTest(t, dir)
	for _, key := range []string{"first", "last"} {
		if err := s.Update(t.Context(), func(tx store.Tx) error { return tx.Put([]byte(key), nil) }); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	flipAt(pageHeader+50)(t, dir)
	refused(t, Options{Dir: dir}, CodeDamaged)
	s, err := Open(t.Context(), Options{Dir: dir, Salvage: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.View(t.Context(), func(tx store.Tx) error {
		if _, err := tx.Get([]byte("last")); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the last change: %v", err)
		}
		_, err := tx.Get([]byte("first"))
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// A first run that was cut short at any file is begun again.
func TestFirstRunCutShort(t *testing.T) {
	for _, left := range [][]string{
		{MarkerFile}, {MarkerFile, KeysetFile}, {MarkerFile, KeysetFile, DatabaseFile},
	} {
		dir := filled(t)
		m, err := readMarker(filepath.Join(dir, MarkerFile))
		if err != nil {
			t.Fatal(err)
		}
		m.State = stateCreating
		if err := writeMarker(filepath.Join(dir, MarkerFile), *m); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{KeysetFile, DatabaseFile} {
			if !strings.Contains(strings.Join(left, " "), name) {
				if err := os.Remove(filepath.Join(dir, name)); err != nil {
					t.Fatal(err)
				}
			}
		}
		s := openTest(t, dir)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		openTest(t, dir).Close()
	}
}

// A database whose marker was lost is taken on, since it and its keyset prove
// each other.
func TestMarkerIsWrittenAnew(t *testing.T) {
	dir := filled(t)
	if err := os.Remove(filepath.Join(dir, MarkerFile)); err != nil {
		t.Fatal(err)
	}
	openTest(t, dir).Close()
	if m, err := readMarker(filepath.Join(dir, MarkerFile)); err != nil || m == nil || m.State != stateReady {
		t.Errorf("the marker is %+v, %v", m, err)
	}
}

func TestMustExist(t *testing.T) {
	dir := dataDir(t)
	refused(t, Options{Dir: dir, MustExist: true}, CodeMissing)
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory was made: %v", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	refused(t, Options{Dir: dir, MustExist: true}, CodeMissing)
	openTest(t, dir).Close()
	s, err := Open(t.Context(), Options{Dir: dir, MustExist: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}

// Files are the owner's alone, whatever the umask.
func TestFilesArePrivate(t *testing.T) {
	dir := filled(t)
	for _, name := range []string{".", DatabaseFile, KeysetFile, MarkerFile, LockFile} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
}

// A second opener learns who has the data; a crashed holder is not taken for one.
func TestLocked(t *testing.T) {
	dir := dataDir(t)
	s, err := Open(t.Context(), Options{Dir: dir, Command: "serve"})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	refusal := refused(t, Options{Dir: dir, Timeout: 50 * time.Millisecond}, CodeLocked)
	if h := refusal.Holder; h == nil || h.PID != os.Getpid() || h.Command != "serve" || h.Since.After(start) {
		t.Errorf("the holder is %+v", refusal.Holder)
	}
	if !strings.Contains(refusal.Error(), "(serve, since ") {
		t.Errorf("the refusal does not say who: %v", refusal)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, Options{Dir: dir, Timeout: time.Hour}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled Open: %v", err)
	}
	// It waits for a holder that is about to leave.
	go func() {
		time.Sleep(100 * time.Millisecond)
		s.Close()
	}()
	second, err := Open(t.Context(), Options{Dir: dir, Command: "check", Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	second.Close()

	// What a crashed holder wrote stays in the file, and is never shown.
	stale := []byte(`{"pid":1,"command":"crashed","since":"2020-01-01T00:00:00Z"}`)
	if err := os.WriteFile(filepath.Join(dir, LockFile), stale, 0o600); err != nil {
		t.Fatal(err)
	}
	third, err := Open(t.Context(), Options{Dir: dir, Command: "serve"})
	if err != nil {
		t.Fatal(err)
	}
	defer third.Close()
	if h := refused(t, Options{Dir: dir, Timeout: time.Millisecond}, CodeLocked).Holder; h == nil || h.Command != "serve" {
		t.Errorf("the holder is %+v", h)
	}
}

// A database that another program has open is refused, though nobody says who.
func TestLockedByBbolt(t *testing.T) {
	dir := filled(t)
	db, err := bbolt.Open(filepath.Join(dir, DatabaseFile), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if h := refused(t, Options{Dir: dir}, CodeLocked).Holder; h != nil {
		t.Errorf("the holder is %+v", h)
	}
}

// An unwritable directory is refused. Root may write everywhere, so as root the
// test runs itself again as somebody else.
func TestUnwritable(t *testing.T) {
	if dir := os.Getenv("POSTERN_TEST_UNWRITABLE"); dir != "" {
		refused(t, Options{Dir: dir}, CodeUnwritable)
		refused(t, Options{Dir: filepath.Join(dir, "below")}, CodeUnwritable)
		return
	}
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() != 0 {
		refused(t, Options{Dir: dir}, CodeUnwritable)
		return
	}
	runAsNobody(t, dir)
}
