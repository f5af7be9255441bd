package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"postern/store"
)

// backUp writes a backup of s and returns its path.
func backUp(t *testing.T, s *Store) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "backup")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Backup(t.Context(), f), f.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// A backup made while others write is consistent, and can be restored.
func TestBackupUnderLoad(t *testing.T) {
	s := openTest(t, dataDir(t))
	defer s.Close()
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				err := s.Update(context.Background(), func(tx store.Tx) error {
					value := fmt.Appendf(nil, "%d %s", n, make([]byte, 500))
					return errors.Join(tx.Put(fmt.Appendf(nil, "a/%d/%d", w, n%50), value), tx.Put(fmt.Appendf(nil, "b/%d/%d", w, n%50), value))
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 3 {
		path := backUp(t, s)
		info, err := VerifyBackup(t.Context(), path, s.Keys())
		if err != nil {
			t.Fatal(err)
		}
		if info.ID != s.ID() || info.Keyset != s.Keys().Fingerprint() {
			t.Errorf("the backup says %+v", info)
		}
		dir := dataDir(t)
		if _, err := Restore(t.Context(), path, dir, s.Keys()); err != nil {
			t.Fatal(err)
		}
		restored := openTest(t, dir)
		all := snapshotOf(t, restored)
		restored.Close()
		if len(all) != info.Pairs {
			t.Errorf("%d pairs, the verification found %d", len(all), info.Pairs)
		}
		for key, value := range all {
			if key[0] == 'a' && all["b"+key[1:]] != value {
				t.Errorf("%s is half in the backup", key)
			}
		}
	}
	stop()
	wg.Wait()
}

// A backup from before a rotation is restored with the keyset of today.
func TestRestoreAfterRotation(t *testing.T) {
	dir := filled(t)
	s := openTest(t, dir)
	defer s.Close()
	before := snapshotOf(t, s)
	path := backUp(t, s)
	if err := s.Rotate(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(snapshotOf(t, s), before) {
		t.Error("rotation changed data")
	}
	to := dataDir(t)
	if _, err := Restore(t.Context(), path, to, s.Keys()); err != nil {
		t.Fatal(err)
	}
	restored := openTest(t, to)
	defer restored.Close()
	if !maps.Equal(snapshotOf(t, restored), before) {
		t.Error("the restored data differs")
	}
}

// Nothing that is there is ever replaced, in use or not.
func TestRestoreNeverReplaces(t *testing.T) {
	dir := filled(t)
	s := openTest(t, dir)
	path := backUp(t, s)
	wantCode := func(dir string, code Code) {
		t.Helper()
		before := listing(t, dir)
		if _, err := Restore(t.Context(), path, dir, s.Keys()); !errors.Is(err, &OpenError{Code: code}) {
			t.Errorf("Restore: %v, want %s", err, code)
		}
		if listing(t, dir) != before {
			t.Error("the refusal changed the directory")
		}
	}
	wantCode(dir, CodeLocked)
	s.Close()
	wantCode(dir, CodeExists)
	if err := os.Remove(filepath.Join(dir, DatabaseFile)); err != nil {
		t.Fatal(err)
	}
	wantCode(dir, CodeExists) // the marker alone
	if err := os.Remove(filepath.Join(dir, MarkerFile)); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), path, dir, s.Keys()); err != nil { // its keyset may be there
		t.Error(err)
	}
	other := filled(t)
	for _, name := range []string{DatabaseFile, MarkerFile} {
		if err := os.Remove(filepath.Join(other, name)); err != nil {
			t.Fatal(err)
		}
	}
	wantCode(other, CodeExists) // another keyset
}

// The weakness: what lay where a restore works for a moment was followed and
// written into, and its place and mode became the database's.
func TestRestoreFollowsNothing(t *testing.T) {
	s := openTest(t, filled(t))
	path := backUp(t, s)
	bystander := filepath.Join(t.TempDir(), "bystander")
	if err := os.WriteFile(bystander, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	for what, lay := range map[string]func(at string) error{
		"a symbolic link": func(at string) error { return os.Symlink(bystander, at) },
		"a hard link":     func(at string) error { return os.Link(bystander, at) },
		"a file for all":  func(at string) error { return errors.Join(os.WriteFile(at, nil, 0o600), os.Chmod(at, 0o666)) },
	} {
		dir := filepath.Join(t.TempDir(), "data")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := lay(filepath.Join(dir, DatabaseFile+".restore")); err != nil {
			t.Fatal(err)
		}
		if _, err := Restore(t.Context(), path, dir, s.Keys()); err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		info, err := os.Lstat(filepath.Join(dir, DatabaseFile))
		if err != nil || !info.Mode().IsRegular() || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: the database is %v, %v", what, info.Mode(), err)
		}
		if b, err := os.ReadFile(bystander); err != nil || string(b) != "mine" {
			t.Errorf("%s: the bystander now holds %d bytes, %v", what, len(b), err)
		}
	}
}

// A backup of which anything is missing or changed is refused.
func TestDamagedBackup(t *testing.T) {
	s := openTest(t, filled(t))
	defer s.Close()
	path := backUp(t, s)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := store.NewKeyset(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := VerifyBackup(t.Context(), path, wrong); !errors.Is(err, &OpenError{Code: CodeWrongKeyset}) {
		t.Errorf("another keyset: %v", err)
	}
	r := newRand()
	damaged := map[string][]byte{
		"empty": nil, "text": []byte("not a backup\n"), "no trailer": whole[:len(whole)-40],
		"one byte short": whole[:len(whole)-1], "one byte more": append(bytes.Clone(whole), 0), "half": whole[:len(whole)/2],
		"head only": whole[:40],
	}
	for i := range 60 {
		b := bytes.Clone(whole)
		b[r.IntN(len(b))] ^= 1 << r.IntN(8)
		damaged[fmt.Sprintf("flipped %d", i)] = b
	}
	for name, b := range damaged {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		var refusal *OpenError
		if _, err := VerifyBackup(t.Context(), path, s.Keys()); !errors.As(err, &refusal) {
			t.Errorf("%s: VerifyBackup: %v", name, err)
		}
		dir := dataDir(t)
		if _, err := Restore(t.Context(), path, dir, s.Keys()); !errors.As(err, &refusal) {
			t.Errorf("%s: Restore: %v", name, err)
		}
		if left := listing(t, dir); left != "" {
			t.Errorf("%s: a refused restore leaves %s", name, left)
		}
	}
}

// A backup that cannot be written, or is cancelled, says so.
func TestBackupFails(t *testing.T) {
	s := openTest(t, filled(t))
	defer s.Close()
	full := errors.New("disk full")
	if err := s.Backup(t.Context(), failing{full}); !errors.Is(err, full) {
		t.Errorf("Backup: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Backup(ctx, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("Backup: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// Check finds a record that was changed with bbolt alone, behind the seals.
func TestCheckFindsForgery(t *testing.T) {
	dir := filled(t)
	path := filepath.Join(dir, DatabaseFile)
	s := openTest(t, dir)
	if err := s.Check(t.Context(), func(p string) { t.Error(p) }); err != nil {
		t.Fatal(err)
	}
	s.Close()
	swapTwoValues(t, path)
	refused(t, Options{Dir: dir}, CodeDamaged)
	s, err := Open(t.Context(), Options{Dir: dir, VerifyUpTo: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	problems := 0
	if err := s.Check(t.Context(), func(string) { problems++ }); err != nil || problems != 2 {
		t.Errorf("Check finds %d problems, %v", problems, err)
	}
	if _, err := scanOf(s); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("reading: %v", err)
	}
}
