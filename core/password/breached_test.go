package password

import (
	"crypto/sha1"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// writeBreached writes a list of the passwords and returns its path.
func writeBreached(t testing.TB, end string, pws ...string) string {
	t.Helper()
	var lines []string
	for i, pw := range pws {
		lines = append(lines, fmt.Sprintf("%X:%d", sha1.Sum([]byte(pw)), i*i*i+1))
	}
	slices.Sort(lines)
	return writeFile(t, strings.Join(lines, end)+end)
}

func writeFile(t testing.TB, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "breached.txt")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t testing.TB, path string) *Breached {
	t.Helper()
	b, err := OpenBreached(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// ASVS 6.2.12.
func TestBreachedPasswordsAreFoundAndNoOthers(t *testing.T) {
	for _, n := range []int{1, 2, 3, 10, 2000} {
		var in []string
		for i := range n {
			in = append(in, fmt.Sprintf("breached %d", i))
		}
		for _, end := range []string{"\r\n", "\n"} {
			b := open(t, writeBreached(t, end, in...))
			for i, pw := range in {
				if found, err := b.Contains(pw); !found || err != nil {
					t.Fatalf("%d lines: Contains(%q) = %v, %v", n, pw, found, err)
				}
				other := fmt.Sprintf("other %d", i)
				if found, err := b.Contains(other); found || err != nil {
					t.Fatalf("%d lines: Contains(%q) = %v, %v", n, other, found, err)
				}
			}
		}
	}
}

func TestLinesMayLackCountsAndTheLastItsEnd(t *testing.T) {
	path := writeBreached(t, "\n", "one", "two", "three")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ToLower(strings.TrimSpace(string(raw)))
	for i := range 10 {
		text = strings.ReplaceAll(text, fmt.Sprintf(":%d\n", i), "\n")
	}
	b := open(t, writeFile(t, text))
	for _, pw := range []string{"one", "two", "three"} {
		if found, err := b.Contains(pw); !found || err != nil {
			t.Errorf("Contains(%q) = %v, %v", pw, found, err)
		}
	}
}

func TestWhatIsNoListIsRefused(t *testing.T) {
	line := func(pw string) string { return fmt.Sprintf("%X:1\r\n", sha1.Sum([]byte(pw))) }
	ordered := []string{line("a"), line("b")}
	slices.Sort(ordered)
	for name, content := range map[string]string{
		"empty":            "",
		"text":             "correct horse battery staple\n",
		"NTLM":             "8846F7EAEE8FB117AD06BDD830B7586C:1\r\n",
		"not hexadecimal":  strings.Repeat("Z", 40) + ":1\r\n",
		"no number":        strings.Repeat("A", 40) + ":many\r\n",
		"ordered by count": ordered[1] + ordered[0],
		"one long line":    strings.Repeat("A", 10_000),
		"bad end":          ordered[0] + "#",
	} {
		if _, err := OpenBreached(writeFile(t, content)); !errors.Is(err, ErrBreachedFile) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := OpenBreached(t.TempDir()); !errors.Is(err, ErrBreachedFile) {
		t.Errorf("a directory: %v", err)
	}
	if _, err := OpenBreached(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func TestDamageOnTheWayIsSaid(t *testing.T) {
	first, last := strings.Repeat("0", 40)+":1\n", strings.Repeat("F", 40)+":1\n"
	b := open(t, writeFile(t, first+strings.Repeat("#", 5000)+"\n"+last))
	if found, err := b.Contains("correct horse"); found || !errors.Is(err, ErrBreachedFile) {
		t.Errorf("Contains = %v, %v", found, err)
	}
	if _, err := b.Contains("\xff"); !errors.Is(err, ErrInvalidUTF8) {
		t.Errorf("invalid UTF-8: %v", err)
	}
}

func FuzzBreachedFile(f *testing.F) {
	f.Add([]byte("0000000000000000000000000000000000000000:1\r\nFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF:9\r\n"), "password")
	f.Add([]byte("\n\n\n"), "")
	path := filepath.Join(f.TempDir(), "breached.txt")
	f.Fuzz(func(t *testing.T, content []byte, pw string) {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		b, err := OpenBreached(path)
		if err != nil {
			return
		}
		defer b.Close()
		if found, _ := b.Contains(pw); found && len(content) < hashLen {
			t.Fatal("found in nothing")
		}
	})
}

func BenchmarkBreachedContains(b *testing.B) {
	var in []string
	for i := range 100_000 {
		in = append(in, fmt.Sprintf("breached %d", i))
	}
	list := open(b, writeBreached(b, "\r\n", in...))
	for b.Loop() {
		if _, err := list.Contains("correct horse battery staple"); err != nil {
			b.Fatal(err)
		}
	}
}
