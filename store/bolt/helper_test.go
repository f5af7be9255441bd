package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc64"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"go.etcd.io/bbolt"
)

func newRand() *rand.Rand { return rand.New(rand.NewPCG(1, 1)) }

func crcOf(b []byte) uint64 { return crc64.Checksum(b, crc64.MakeTable(crc64.ISO)) }

// nobody is the user that owns nothing, on every system we know.
const nobody = 65534

// runAsNobody runs the test again as a user without rights, who owns dir.
func runAsNobody(t *testing.T, dir string) {
	t.Helper()
	for path := dir; path != os.TempDir() && path != "/"; path = filepath.Dir(path) {
		if path != dir {
			if err := os.Chmod(path, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Skip(err)
	}
	// The test binary may lie where others cannot reach it.
	cmd := child(t, "POSTERN_TEST_UNWRITABLE="+dir)
	copied := filepath.Join(filepath.Dir(dir), "test.bin")
	if err := copyFile(cmd.Path, copied); err != nil {
		t.Fatal(err)
	}
	cmd.Path, cmd.Dir = copied, "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// swapTwoValues exchanges the values of two records, seals and all.
func swapTwoValues(t *testing.T, path string) {
	change(t, path, func(tx *bbolt.Tx) error {
		b := tx.Bucket(dataBucket)
		c := b.Cursor()
		k1, v1 := c.First()
		k2, v2 := c.Next()
		k1, v1, k2, v2 = bytes.Clone(k1), bytes.Clone(v1), bytes.Clone(k2), bytes.Clone(v2)
		return errors.Join(b.Put(k1, v2), b.Put(k2, v1))
	})
}

// checksum abbreviates the content of a file.
func checksum(b []byte) string { return fmt.Sprintf("%d %016x", len(b), crcOf(b)) }

// child runs one test of this binary in a process of its own.
func child(t *testing.T, env ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run", "^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), env...)
	return cmd
}
