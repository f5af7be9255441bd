package cmd

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestAFileIsSavedForItsOwnerAlone(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	path, err := saveHere("codes.txt", []byte("1  AAAA\n"))
	if err != nil {
		t.Fatal(err)
	}
	if want, _ := filepath.EvalSymlinks(filepath.Join(dir, "codes.txt")); path != filepath.Join(dir, "codes.txt") && path != want {
		t.Errorf("saved to %s", path)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if b, _ := os.ReadFile(path); string(b) != "1  AAAA\n" {
		t.Errorf("content %q", b)
	}
}

func TestNothingIsWrittenOver(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.WriteFile("codes.txt", []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	if err := os.Symlink(elsewhere, "link.txt"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"codes.txt", "link.txt"} {
		path, err := saveHere(name, []byte("new"))
		if !errors.Is(err, fs.ErrExist) || filepath.Base(path) != name {
			t.Errorf("%s: %q, %v", name, path, err)
		}
	}
	if b, _ := os.ReadFile("codes.txt"); string(b) != "mine" {
		t.Errorf("written over: %q", b)
	}
	if _, err := os.Stat(elsewhere); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a link was followed")
	}
}

// A name cannot lead out of the directory, whatever somebody is called.
func TestANameIsNoPath(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "in"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Join(dir, "in"))
	for _, name := range []string{"", ".", "..", "../codes.txt", "/tmp/postern-codes.txt", "a/b", "a\x00b"} {
		if _, err := saveHere(name, []byte("x")); err == nil {
			t.Errorf("%q was saved", name)
		}
	}
	if list, _ := os.ReadDir(dir); len(list) != 1 {
		t.Errorf("there is %v now", list)
	}
}
