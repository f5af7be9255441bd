// What this machine remembers of a sign-in: one file for each data directory,
// readable by its owner alone, under XDG_STATE_HOME. The core decides how long
// what is in it is worth anything.

package cmd

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// maxToken bounds what is read from a file; a token has 43 characters.
const maxToken = 256

// tokenFile keeps a session's secret for the next start.
type tokenFile struct{ name string }

// newTokenFile finds the file of a data directory. Its name holds the place and
// the identity of the data, so that neither a moved nor an exchanged portal is
// offered another one's secret.
func newTokenFile(h *holding) tokenFile {
	sum := sha256.Sum256([]byte(h.dir + "\x00" + h.data.ID()))
	return tokenFile{hex.EncodeToString(sum[:16])}
}

func (t tokenFile) path() string { return filepath.Join(stateDir(), "sessions", t.name) }

// read returns the secret, or "" when there is none that can be trusted.
func (t tokenFile) read() string {
	f, err := os.Open(t.path())
	if err != nil {
		return ""
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 {
		return "" // others may have read or written it
	}
	b, err := io.ReadAll(io.LimitReader(f, maxToken))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// remember keeps a secret in place of the one before, whole or not at all; ""
// forgets it.
func (t tokenFile) remember(token string) error {
	if token == "" {
		if err := os.Remove(t.path()); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	dir, err := makeStateDir("sessions")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".new-*") // made with mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails, as it should, once it was renamed
	if _, err := f.WriteString(token + "\n"); err != nil {
		_ = f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), t.path())
}
