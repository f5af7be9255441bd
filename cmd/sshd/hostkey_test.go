package sshd

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// ASVS 13.3.1, 11.3: the host key is made once, for its owner's eyes only.
func TestTheHostKeyIsMadeOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "host_key")
	var mu sync.Mutex
	var group sync.WaitGroup
	keys := map[string]bool{}
	for range 8 {
		group.Go(func() {
			s, err := New(Config{HostKeyPath: path}, &testHandler{})
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			keys[string(s.HostKey().Marshal())] = true
		})
	}
	group.Wait()
	if len(keys) != 1 {
		t.Errorf("eight starts at once made %d keys", len(keys))
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %04o", info.Mode().Perm())
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

func TestABadHostKeyIsRefused(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good")
	if _, err := New(Config{HostKeyPath: good}, &testHandler{}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	file := func(name string, text []byte, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, test := range []struct{ name, path, want string }{
		{"no path", "", "no path"},
		{"relative", "id_ed25519", "relative"},
		{"readable by others", file("open", text, 0o644), "chmod 600"},
		{"writable by the group", file("group", text, 0o620), "chmod 600"},
		{"empty", file("empty", nil, 0o600), "damaged"},
		{"damaged", file("damaged", bytes.Replace(text, []byte("A"), []byte("B"), 20), 0o600), "damaged"},
		{"huge", file("huge", bytes.Repeat(text, 1000), 0o600), "not a key"},
		{"a directory", dir, "regular file"},
	} {
		_, err := New(Config{HostKeyPath: test.path}, &testHandler{})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
		if err != nil && strings.Contains(err.Error(), "BEGIN") {
			t.Errorf("%s: the error quotes the key", test.name)
		}
	}
	if after, err := os.ReadFile(good); err != nil || !bytes.Equal(after, text) {
		t.Errorf("the key was changed: %v", err)
	}
}
