// The direction of imports is law: this test holds it. See CONTRIBUTING.md for
// what the rooms are.

package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// rooms says what each room may import of ours. A room's own folders are
// allowed, unless the room is a leaf.
var rooms = []struct {
	room  string   // a folder and everything below it; the first that fits counts
	ours  []string // rooms it may import
	leaf  bool     // imports nothing of ours at all
	never []string // libraries that have no business there
}{
	{room: "core/mail", leaf: true},
	{room: "core/names", leaf: true},
	{room: "core/otp", leaf: true},
	{room: "core/password", leaf: true},
	{room: "core/script", leaf: true},
	{room: "core/secret", leaf: true},
	{room: "core/sms", leaf: true},
	{room: "core/signature", leaf: true},
	{room: "core/text", leaf: true},
	{room: "core", ours: []string{"store"}, never: []string{
		"charm.land/", "github.com/charmbracelet/", "go.etcd.io/bbolt", "github.com/spf13/", "postern/store/bolt", "postern/store/memory"}},
	{room: "store", never: []string{"charm.land/", "github.com/charmbracelet/", "github.com/spf13/"}},
	{room: "tui", never: []string{"go.etcd.io/bbolt", "charm.land/wish", "charm.land/ssh"}},
	{room: "screens", ours: []string{"tui", "core"}, never: []string{"go.etcd.io/bbolt", "charm.land/wish", "charm.land/ssh"}},
	{room: "cmd/sshd", leaf: true},
	{room: "cmd/sshload", ours: []string{"cmd/sshd"}},
	{room: "cmd", ours: []string{"screens", "tui", "core", "store"}},
	{room: "docs/gallery", ours: []string{"tui"}}, // its scenes are tests
	{room: ".", ours: []string{"cmd"}},
}

func TestImportsKeepTheirDirection(t *testing.T) {
	seen := map[string]bool{}
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); file != "." && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules") {
				return filepath.SkipDir
			}
			return nil
		}
		// Tests stand outside: they may bring an engine or a terminal with them,
		// and so may the packages that exist for tests.
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") || strings.HasSuffix(path.Dir(filepath.ToSlash(file)), "test") {
			return nil
		}
		dir := path.Dir(filepath.ToSlash(file))
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, r := range rooms {
			if r.room != "." && dir != r.room && !strings.HasPrefix(dir, r.room+"/") {
				continue
			}
			seen[r.room] = true
			for _, imp := range parsed.Imports {
				to, err := strconv.Unquote(imp.Path.Value)
				if err != nil {
					return err
				}
				for _, n := range r.never {
					if strings.HasPrefix(to, n) {
						t.Errorf("%s imports %s, which has no business in %s/", file, to, r.room)
					}
				}
				if ours, ok := strings.CutPrefix(to, "postern/"); ok && !allowed(r.room, r.leaf, r.ours, ours) {
					t.Errorf("%s imports %s: not a direction that %s/ may look", file, to, r.room)
				}
			}
			return nil
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rooms {
		if !seen[r.room] {
			t.Errorf("no Go file in %s/: the table is out of date", r.room)
		}
	}
}

func allowed(room string, leaf bool, rooms []string, to string) bool {
	if leaf {
		return to == room || strings.HasPrefix(to, room+"/")
	}
	for _, r := range append([]string{room}, rooms...) {
		if to == r || strings.HasPrefix(to, r+"/") {
			return true
		}
	}
	return false
}
