//go:build unix

package core_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postern/core/coretest"
	"postern/store/bolt"
)

// dirEnv and nameEnv tell a child which data to open and whom to delete.
const (
	dirEnv  = "POSTERN_TEST_DELETE_DIR"
	nameEnv = "POSTERN_TEST_DELETE_NAME"
)

// Killed at a random moment of a deletion, the account is whole or absent: 500
// rounds in the long run, a few else.
func TestKilledWhileDeleting(t *testing.T) {
	if dir := os.Getenv(dirEnv); dir != "" {
		deleteInChild(t, dir, os.Getenv(nameEnv))
		return
	}
	t.Parallel()
	rounds := 20
	switch {
	case os.Getenv("POSTERN_LONG") == "":
	case raceDetector: // children with it in them take a second to start, and die all the same
		rounds = 100
	default:
		rounds = 500
	}
	dir := filepath.Join(t.TempDir(), "data")
	db := openDir(t, dir)
	p := coretest.Open(t, coretest.WithStore(db))
	p.LetIn()
	ids := make([]string, rounds)
	for i := range rounds {
		me := p.SignUp(fmt.Sprintf("quux%d", i))
		ids[i] = me.Account
		ok(t, p.Keys.Link(ctx, withKey(me, fmt.Sprintf("SHA256:quux%dkey", i)), "laptop"))
		enrolApp(t, p, me, "phone")
	}
	atOnce(t, p, "0")
	p.Close()
	ok(t, db.Close())

	whole, absent := 0, 0
	for i := range rounds {
		name := fmt.Sprintf("quux%d", i)
		acknowledged := killWhileDeleting(t, dir, name)
		db := openDir(t, dir)
		p := coretest.New(t, coretest.WithStore(db))
		var faults []string
		if i%20 == 0 || i == rounds-1 { // it reads everything
			ok(t, p.Check(ctx, func(s string) { faults = append(faults, s) }))
		}
		names := naming(p.Dump(), []string{name + "@", name + "key", `"` + name + `"`})
		there := !gone(t, p, ids[i])
		if len(faults) > 0 || there == (len(names) == 0) || acknowledged && there {
			t.Fatalf("round %d: there %t, acknowledged %t, named by %v, the check finds %v", i, there, acknowledged, names, faults)
		}
		if there {
			whole++
		} else {
			absent++
		}
		p.Close()
		ok(t, db.Close())
	}
	t.Logf("whole %d, absent %d", whole, absent)
}

func openDir(t *testing.T, dir string) *bolt.Store {
	t.Helper()
	db, err := bolt.Open(ctx, bolt.Options{Dir: dir, Command: "test"})
	ok(t, err)
	return db
}

// killWhileDeleting says whether the child had told that it was done.
func killWhileDeleting(t *testing.T, dir, name string) (acknowledged bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledWhileDeleting$")
	cmd.Env = append(os.Environ(), dirEnv+"="+dir, nameEnv+"="+name)
	out, err := cmd.StdoutPipe()
	ok(t, err)
	ok(t, cmd.Start())
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		switch line := lines.Text(); {
		case line == "begin":
			time.AfterFunc(time.Duration(rand.IntN(6000))*time.Microsecond, func() { _ = cmd.Process.Kill() })
		case line == "done":
			acknowledged = true
		case strings.HasPrefix(line, "---"), strings.HasPrefix(line, "panic"):
			t.Fatalf("the child: %s", line)
		}
	}
	_ = cmd.Wait()
	return acknowledged
}

func deleteInChild(t *testing.T, dir, name string) {
	p := coretest.New(t, coretest.WithStore(openDir(t, dir)))
	fmt.Println("begin")
	_, err := p.Requests.MakeFor(ctx, coretest.Console(), name, "", name)
	ok(t, err)
	fmt.Println("done")
	select {} // until it is killed
}
