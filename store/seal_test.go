package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postern/store"
	"postern/store/memory"
)

func newKeyset(t testing.TB) *store.Keyset {
	t.Helper()
	k, err := store.NewKeyset(nil)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// raw returns the pairs as the engine has them.
func raw(t *testing.T, s store.Store) []store.Pair {
	t.Helper()
	var pairs []store.Pair
	err := s.View(t.Context(), func(tx store.Tx) (err error) {
		pairs, err = tx.Scan(nil, nil, 1000)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return pairs
}

// Values are not in what the engine keeps, and the same value looks different
// each time. ASVS 11.3.2, 14.2.4
func TestSealHidesValues(t *testing.T) {
	engine := memory.New()
	defer engine.Close()
	s := store.Seal(engine, newKeyset(t))
	secret := []byte("the secret of the portal")
	update(t, s, func(tx store.Tx) error {
		return errors.Join(tx.Put([]byte("a"), secret), tx.Put([]byte("b"), secret), tx.Put([]byte("c"), nil))
	})
	pairs := raw(t, engine)
	for _, p := range pairs {
		if bytes.Contains(p.Value, secret[:8]) || len(p.Value) == 0 || len(p.Value) > len(secret)+store.SealOverhead {
			t.Errorf("%s is kept as %q", p.Key, p.Value)
		}
	}
	if bytes.Equal(pairs[0].Value, pairs[1].Value) {
		t.Error("equal values look equal")
	}
}

// Whatever is changed, moved or made up below the seal is refused: every bit of
// every value, another key's value, a value of another keyset. ASVS 11.3.3
func TestSealRefusesForgery(t *testing.T) {
	engine := memory.New()
	defer engine.Close()
	s := store.Seal(engine, newKeyset(t))
	other := memory.New()
	defer other.Close()
	fill := func(s store.Store) {
		update(t, s, func(tx store.Tx) error {
			return errors.Join(tx.Put([]byte("a"), []byte("value")), tx.Put([]byte("b"), []byte("other")), tx.Put([]byte("empty"), nil), tx.Put([]byte("empty2"), nil))
		})
	}
	fill(s)
	fill(store.Seal(other, newKeyset(t)))
	pairs, foreign := raw(t, engine), raw(t, other)
	try := func(what string, key, value []byte) {
		t.Helper()
		update(t, engine, func(tx store.Tx) error { return tx.Put(key, value) })
		err := s.View(t.Context(), func(tx store.Tx) error {
			if _, err := tx.Scan(nil, nil, 10); !errors.Is(err, store.ErrCorrupt) {
				t.Errorf("%s: Scan: %v", what, err)
			}
			_, err := tx.Get(key)
			return err
		})
		if !errors.Is(err, store.ErrCorrupt) {
			t.Errorf("%s: Get: %v", what, err)
		}
		for _, p := range pairs {
			update(t, engine, func(tx store.Tx) error { return tx.Put(p.Key, p.Value) })
		}
	}
	back := ""
	for _, p := range raw(t, s) {
		back += fmt.Sprintf("%s=%s ", p.Key, p.Value)
	}
	want(t, "unchanged", back, "a=value b=other empty= empty2= ")
	for i, p := range pairs {
		for bit := range 8 * len(p.Value) {
			changed := bytes.Clone(p.Value)
			changed[bit/8] ^= 1 << (bit % 8)
			try(fmt.Sprintf("%s, bit %d", p.Key, bit), p.Key, changed)
		}
		try("another key's value", p.Key, pairs[i^1].Value)
		try("another keyset's value", p.Key, foreign[i].Value)
		try("nothing", p.Key, nil)
		try("a part", p.Key, p.Value[:len(p.Value)-1])
	}
}

// After a rotation everything still opens; after Reseal nothing needs the old keys.
func TestRotateAndReseal(t *testing.T) {
	engine := memory.New()
	defer engine.Close()
	path := filepath.Join(t.TempDir(), "keyset.json")
	keys := newKeyset(t)
	if err := keys.Save(path); err != nil {
		t.Fatal(err)
	}
	old, err := store.LoadKeyset(path)
	if err != nil {
		t.Fatal(err)
	}
	s := store.Seal(engine, keys)
	const n = 450
	update(t, s, func(tx store.Tx) error {
		for i := range n {
			if err := errors.Join(tx.Put(fmt.Appendf(nil, "v%04d", i), fmt.Append(nil, i)), tx.Put(fmt.Appendf(nil, "e%04d", i), nil)); err != nil {
				return err
			}
		}
		return nil
	})
	fingerprint := keys.Fingerprint()
	if err := keys.Rotate(); err != nil {
		t.Fatal(err)
	}
	if keys.Fingerprint() != fingerprint {
		t.Error("the fingerprint changed")
	}
	opens := func(k *store.Keyset) (opened int) {
		for _, p := range raw(t, engine) {
			if k.Opens(p.Value, p.Key) == nil {
				opened++
			}
		}
		return opened
	}
	if got := opens(keys); got != 2*n {
		t.Errorf("after the rotation %d open", got)
	}
	last := 0
	if err := store.Reseal(t.Context(), s, func(done int) { last = done }); err != nil {
		t.Fatal(err)
	}
	if last != 2*n {
		t.Errorf("progress ends at %d", last)
	}
	if now, before := opens(keys), opens(old); now != 2*n || before != 0 {
		t.Errorf("after Reseal the new keyset opens %d, the old one %d", now, before)
	}
	saved, err := store.LoadKeyset(path)
	if err != nil || opens(saved) != 2*n {
		t.Errorf("the saved keyset opens %d, %v", opens(saved), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := store.Reseal(ctx, s, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled Reseal: %v", err)
	}
	if err := store.Reseal(t.Context(), engine, nil); err == nil {
		t.Error("a store without seals is resealed")
	}
}

// A rotation that cannot be saved does not take place.
func TestRotateNeedsItsFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gone")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	keys := newKeyset(t)
	if err := keys.Save(filepath.Join(dir, "keyset.json")); err != nil {
		t.Fatal(err)
	}
	before, err := keys.Tag([]byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := keys.Rotate(); err == nil {
		t.Error("Rotate succeeds")
	}
	if after, err := keys.Tag([]byte("x")); err != nil || !bytes.Equal(before, after) {
		t.Errorf("new keys are in use, %v", err)
	}
}

func TestKeysetFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "keyset.json")
	keys := newKeyset(t)
	if err := keys.Save(path); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the mode is %v, %v", info.Mode(), err)
	}
	loaded, err := store.LoadKeyset(path)
	if err != nil || loaded.Fingerprint() != keys.Fingerprint() {
		t.Fatalf("LoadKeyset: %v", err)
	}
	tag, err := keys.Tag([]byte("message"))
	if err != nil || loaded.Verify(tag, []byte("message")) != nil || loaded.Verify(tag, []byte("massage")) == nil {
		t.Errorf("the loaded keyset is another one: %v", err)
	}
	if err := keys.Save(path); err != nil {
		t.Errorf("saving over its own copy: %v", err)
	}
	if err := newKeyset(t).Save(path); !errors.Is(err, store.ErrKeysetExists) {
		t.Errorf("saving over another one: %v", err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	entries, _ := os.ReadDir(dir)
	if len(entries) != 1 {
		t.Errorf("temporary files stay: %v", entries)
	}
	for what, b := range map[string][]byte{
		"empty": nil, "cut off": whole[:len(whole)/2], "not JSON": []byte("keyset"), "of a newer version": bytes.Replace(whole, []byte(`"version": 1`), []byte(`"version": 9`), 1),
		"without keys": []byte(`{"version":1,"id":"00112233445566778899aabbccddeeff"}`),
	} {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := store.LoadKeyset(path); !errors.Is(err, store.ErrKeysetDamaged) {
			t.Errorf("%s: %v", what, err)
		} else if strings.Contains(err.Error(), "primaryKeyId") {
			t.Errorf("%s: the error quotes the keyset: %v", what, err)
		}
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o666} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := store.LoadKeyset(path); !errors.Is(err, store.ErrKeysetExposed) || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
	if _, err := store.LoadKeyset(filepath.Join(dir, "none")); !errors.Is(err, store.ErrKeysetMissing) {
		t.Errorf("missing: %v", err)
	}
	if _, err := store.LoadKeyset(dir); err == nil {
		t.Error("a directory is a keyset")
	}
}

// The same random bytes make the same keyset, and a source that fails makes none.
func TestKeysetFromRandom(t *testing.T) {
	random := func() *strings.Reader { return strings.NewReader(strings.Repeat("0123456789abcdef", 10)) }
	a, err := store.NewKeyset(random())
	if err != nil {
		t.Fatal(err)
	}
	b, err := store.NewKeyset(random())
	if err != nil {
		t.Fatal(err)
	}
	tag, err := a.Tag([]byte("x"))
	if err != nil || b.Verify(tag, []byte("x")) != nil || a.Fingerprint() != b.Fingerprint() {
		t.Errorf("they differ: %v", err)
	}
	for n := range 88 {
		if _, err := store.NewKeyset(strings.NewReader(strings.Repeat("x", n))); err == nil {
			t.Errorf("%d bytes make a keyset", n)
		}
	}
}

// BenchmarkSeal measures one value of 500 bytes, sealed and opened, and one empty one.
func BenchmarkSeal(b *testing.B) {
	for name, value := range map[string][]byte{"500": make([]byte, 500), "empty": nil} {
		s := sealed(b)
		key := []byte("session\x0001JGB000000000000000000001")
		b.Run("put-"+name, func(b *testing.B) {
			update(b, s, func(tx store.Tx) error {
				for b.Loop() {
					if err := tx.Put(key, value); err != nil {
						return err
					}
				}
				return nil
			})
		})
		b.Run("get-"+name, func(b *testing.B) {
			update(b, s, func(tx store.Tx) error {
				if err := tx.Put(key, value); err != nil {
					return err
				}
				for b.Loop() {
					if _, err := tx.Get(key); err != nil {
						return err
					}
				}
				return nil
			})
		})
	}
}
