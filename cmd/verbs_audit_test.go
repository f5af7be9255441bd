package cmd

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
	"postern/tui"
)

// stream is what a verb writes while it is read.
type stream struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *stream) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(b)
}

func (s *stream) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

// New entries come as they are written, each a line, until the caller goes.
func TestTheTrailIsFollowedByAVerb(t *testing.T) {
	p := coretest.Open(t)
	catalog, err := tui.LoadCatalog()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var out stream
	done := make(chan int)
	go func() {
		c := &Call{Portal: p.Portal, Actor: coretest.Console(), Out: &out, Err: &out, Dict: catalog.Dict("en")}
		done <- carryOut(ctx, c, true, []string{"audit", "follow", "--json", "--action", "account.signup"})
	}()
	names := []string{"mara", "noor", "ilse"}
	for i := 0; strings.Count(out.String(), "\n") < 2; i++ {
		if i == 200 {
			t.Fatalf("nothing comes: %q", out.String())
		}
		if i < len(names) {
			p.SignUp(names[i])
			p.Clock.Advance(time.Second)
		}
		time.Sleep(100 * time.Millisecond)
	}
	cancel()
	if code := <-done; code != exitOK {
		t.Errorf("it ends with %d", code)
	}
	for line := range strings.Lines(out.String()) {
		if !strings.HasPrefix(line, `{"id":"`) || !strings.Contains(line, "account.signup") {
			t.Errorf("the line %q", line)
		}
	}
}

// ASVS 8.2.1: without the right there is nothing to follow or to take along.
func TestTheTrailIsNotForEverybody(t *testing.T) {
	p := coretest.Open(t)
	me := p.SignUp("mara")
	catalog, err := tui.LoadCatalog()
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"follow", "export"} {
		var out, errs stream
		c := &Call{Portal: p.Portal, Actor: me, Out: &out, Err: &errs, Dict: catalog.Dict("en")}
		if code := carryOut(t.Context(), c, true, []string{"audit", verb}); code != exitNoAccess || out.String() != "" {
			t.Errorf("%s: %d, %q, %q", verb, code, out.String(), errs.String())
		}
	}
}

// A file is there whole or not at all, and takes nobody's name.
func TestAFileThatIsWrittenBitByBit(t *testing.T) {
	t.Chdir(t.TempDir())
	there := func() []string {
		entries, err := os.ReadDir(".")
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}
	f, err := createHere("trail.csv")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("half")); err != nil {
		t.Fatal(err)
	}
	f.Drop()
	if names := there(); len(names) != 0 {
		t.Errorf("what was dropped left %v", names)
	}
	if f, err = createHere("trail.csv"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("whole")); err != nil {
		t.Fatal(err)
	}
	path, err := f.Keep()
	f.Drop()
	if err != nil || filepath.Base(path) != "trail.csv" || len(there()) != 1 {
		t.Errorf("%q, %v, %v", path, err, there())
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 || info.Size() != 5 {
		t.Errorf("%v, %v", info, err)
	}
	if _, err := createHere("trail.csv"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a name in use: %v", err)
	}
	late, err := createHere("late.csv")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("elsewhere", "late.csv"); err != nil {
		t.Fatal(err)
	}
	if _, err := late.Keep(); !errors.Is(err, fs.ErrExist) || len(there()) != 2 {
		t.Errorf("a name that was taken meanwhile: %v, %v", err, there())
	}
	for _, name := range []string{"", ".", "..", "../x", "/tmp/x", "a/b"} {
		if _, err := createHere(name); err == nil {
			t.Errorf("the name %q is taken", name)
		}
	}
}

// ASVS 16.5.2: an export to a full disk is a refusal with its code, by any way.
func TestAnExportToAFullDiskIsRefused(t *testing.T) {
	p := coretest.Open(t)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("this system has no /dev/full")
	}
	defer full.Close()
	catalog, err := tui.LoadCatalog()
	if err != nil {
		t.Fatal(err)
	}
	var errs stream
	c := &Call{Portal: p.Portal, Actor: coretest.Console(), Out: full, Err: &errs, Dict: catalog.Dict("en")}
	if code := carryOut(t.Context(), c, true, []string{"audit", "export"}); code != exitRefused || !strings.Contains(errs.String(), "could not be written in full") {
		t.Errorf("%d, %q", code, errs.String())
	}
	if e := p.Trail()[0]; e.Action != core.ActAuditExport || e.Code != core.CodeNotWritten {
		t.Errorf("the trail says %+v", e)
	}
}

// An account that is no more is called that, by the id that --actor takes.
func TestTheTrailNamesTheDeletedByTheirIDs(t *testing.T) {
	p := coretest.Open(t)
	me := p.SignUp("mara")
	if _, err := p.Policy.Set(t.Context(), coretest.Console(), core.PolicyChange{
		Values: map[string]string{"deletion.process": "once", "deletion.grace_days": "0"}, Confirm: core.ConfirmOnce}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Requests.Make(t.Context(), me, "mara"); err != nil {
		t.Fatal(err)
	}
	out, _, code := asks(t, p.Portal, coretest.Console(), "", "audit", "list", "--actor", me.Account)
	if code != exitOK || strings.Count(out, "deleted account "+me.Account+"  ") != strings.Count(out, "\n")-1 || !strings.Contains(out, "account deleted") {
		t.Errorf("exit %d\n%s", code, out)
	}
}
