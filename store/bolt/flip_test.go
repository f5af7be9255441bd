package bolt

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"postern/store"
)

// Of random flipped bits none changes data silently: the database is refused, or
// it reads exactly as before. Where it is not verified when it is opened, as a
// large one is not, every value still proves itself, and Check finds what reading
// alone could miss: a key that is not found any more.
func TestFlippedBits(t *testing.T) {
	if path := os.Getenv("POSTERN_TEST_FLIP"); path != "" {
		countFlips(t, path)
		return
	}
	dir := filled(t)
	// In a process of its own, since a fault that cannot be survived ends it.
	if out, err := child(t, "POSTERN_TEST_FLIP="+dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	} else {
		t.Logf("%s", out)
	}
}

func countFlips(t *testing.T, dir string) {
	path := filepath.Join(dir, DatabaseFile)
	s := openTest(t, dir)
	wanted := snapshotOf(t, s)
	s.Close()
	h, err := inspect(path, false)
	if err != nil {
		t.Fatal(err)
	}
	used := int64(h.pages) * int64(h.pageSize)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := rand.New(rand.NewPCG(5, uint64(time.Now().UnixNano())))
	counts := make(map[string]int)
	for range 400 {
		at, bit := r.Int64N(used), byte(1)<<r.IntN(8)
		flip := func() {
			b := make([]byte, 1)
			if _, err := f.ReadAt(b, at); err != nil {
				t.Fatal(err)
			}
			b[0] ^= bit
			if _, err := f.WriteAt(b, at); err != nil {
				t.Fatal(err)
			}
		}
		flip()
		verified := readFlipped(t, dir, 0, wanted)
		unverified := readFlipped(t, dir, -1, wanted)
		counts["verified: "+verified]++
		counts["unverified: "+unverified]++
		if verified == silent || unverified == silent {
			t.Errorf("bit %08b of byte %d (page %d) changes data silently", bit, at, at/pageSize)
		}
		flip()
	}
	for what, n := range counts {
		t.Logf("%3d %s", n, what)
	}
}

const silent = "changed silently"

// readFlipped opens a damaged database and says how it went.
func readFlipped(t *testing.T, dir string, verify int64, wanted map[string]string) string {
	s, err := Open(t.Context(), Options{Dir: dir, VerifyUpTo: verify})
	var refusal *OpenError
	if errors.As(err, &refusal) {
		return "refused when opened"
	}
	if err != nil {
		t.Errorf("Open: %v", err)
		return "an error without a code"
	}
	defer s.Close()
	noticed, differs := false, false
	err = s.View(t.Context(), func(tx store.Tx) error {
		for key, value := range wanted {
			got, err := tx.Get([]byte(key))
			noticed = noticed || errors.Is(err, store.ErrCorrupt)
			differs = differs || errors.Is(err, store.ErrNotFound) || err == nil && string(got) != value
		}
		return nil
	})
	noticed = noticed || err != nil
	got, err := scanOf(s)
	switch {
	case err != nil:
		noticed = true
	case len(got) != len(wanted):
		differs = true
	}
	problems := 0
	if err := s.Check(t.Context(), func(string) { problems++ }); err != nil {
		problems++
	}
	switch {
	case noticed:
		return "refused when read"
	case differs && problems > 0:
		return "found by the check"
	case differs:
		return silent
	case problems > 0:
		return "reads as before, found by the check"
	}
	return "reads as before"
}

// scanOf reads all pairs.
func scanOf(s store.Store) (map[string]string, error) {
	all := make(map[string]string)
	err := s.View(context.Background(), func(tx store.Tx) error {
		pairs, err := tx.Scan(nil, nil, 1_000_000)
		for _, p := range pairs {
			all[string(p.Key)] = string(p.Value)
		}
		return err
	})
	return all, err
}

func snapshotOf(t *testing.T, s store.Store) map[string]string {
	t.Helper()
	all, err := scanOf(s)
	if err != nil {
		t.Fatal(err)
	}
	return all
}
