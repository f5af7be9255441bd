package bolt

import (
	"path/filepath"
	"testing"

	"postern/store"
	"postern/store/storetest"
)

// openTest opens the data directory dir, or fails the test.
func openTest(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(t.Context(), Options{Dir: dir, Command: "test"})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return s
}

// dataDir returns the path of a directory that Open will make.
func dataDir(t testing.TB) string { return filepath.Join(t.TempDir(), "data") }

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		return openTest(t, dataDir(t))
	}, func(t *testing.T, s store.Store) store.Store {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		return openTest(t, filepath.Dir(s.(*Store).Path()))
	})
}

// The engine below the seals keeps the contract too.
func TestContractUnsealed(t *testing.T) {
	open := func(t *testing.T, path string) store.Store {
		db, err := openBolt(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Update(createBuckets); err != nil {
			t.Fatal(err)
		}
		return newEngine(db)
	}
	storetest.Run(t, func(t *testing.T) store.Store {
		return open(t, filepath.Join(t.TempDir(), DatabaseFile))
	}, func(t *testing.T, s store.Store) store.Store {
		path := s.(*engine).db.Path()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		return open(t, path)
	})
}
