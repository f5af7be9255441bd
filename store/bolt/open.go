package bolt

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"postern/store"
	"postern/store/internal/durable"
)

// Options say what to open and how.
type Options struct {
	// Dir is the data directory. It is made, with mode 0700, when it is not there.
	Dir string
	// Keyset is the path of the keyset file; empty means KeysetFile in Dir.
	Keyset string
	// Command is what this process tells others who find the data locked: its verb.
	Command string
	// Timeout bounds the wait for a lock that another process has; zero means 1.5 s.
	Timeout time.Duration
	// MustExist refuses a directory without a database, where a first run would make one.
	MustExist bool
	// VerifyUpTo is the size in bytes up to which the whole database is verified
	// before it is used; zero means 16 MiB (some 30 ms), a negative number never.
	// A larger one is verified by Check, and every value when it is read.
	VerifyUpTo int64
	// Salvage opens a database one of whose two headers is damaged, on the other
	// one. The last change may then be missing.
	Salvage bool
}

const (
	defaultTimeout = 1500 * time.Millisecond
	defaultVerify  = 16 << 20
)

// directory is a data directory while it is being opened.
type directory struct {
	dir, db, keyset, marker, lock string
}

func layout(dir, keyset string) directory {
	if keyset == "" {
		keyset = filepath.Join(dir, KeysetFile)
	}
	return directory{
		dir: dir, db: filepath.Join(dir, DatabaseFile), keyset: keyset,
		marker: filepath.Join(dir, MarkerFile), lock: filepath.Join(dir, LockFile),
	}
}

// Open opens the database of a data directory, and makes it on a first run: when
// the directory has neither database nor marker nor keyset. Everything else that
// is not in order is refused with an *OpenError.
func Open(ctx context.Context, o Options) (_ *Store, err error) {
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if o.VerifyUpTo == 0 {
		o.VerifyUpTo = defaultVerify
	}
	d := layout(o.Dir, o.Keyset)
	if err := d.prepare(o.MustExist); err != nil {
		return nil, err
	}
	self := Holder{PID: os.Getpid(), Command: o.Command, Since: time.Now().UTC()}
	l, err := acquire(ctx, d.lock, self, o.Timeout)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			l.release()
		}
	}()
	m, err := d.find(o.MustExist)
	if err != nil {
		return nil, err
	}
	if m != nil && m.State == stateCreating {
		if err := d.create(*m); err != nil {
			return nil, err
		}
	}
	s, err := d.open(ctx, o)
	if err != nil {
		return nil, err
	}
	s.lock = l
	return s, nil
}

// prepare makes the directory and looks at its permissions.
func (d directory) prepare(mustExist bool) error {
	info, err := os.Stat(d.dir)
	if errors.Is(err, fs.ErrNotExist) {
		if mustExist {
			return missing(d.dir, "there is no data directory", "run postern once to set the portal up, or choose another with --data")
		}
		if err := os.MkdirAll(d.dir, 0o700); err != nil {
			return unwritable(d.dir, err)
		}
		info, err = os.Stat(d.dir)
	}
	if err != nil {
		return unreadable(d.dir, err)
	}
	if !info.IsDir() {
		return &OpenError{Code: CodeNoDirectory, Path: d.dir, Detail: "it is not a directory", Fix: "choose another with --data"}
	}
	if info.Mode().Perm()&0o077 != 0 {
		return exposed(d.dir, info, "700")
	}
	return nil
}

// exposed is the refusal of a file or directory that others may read or write.
func exposed(path string, info fs.FileInfo, mode string) *OpenError {
	return &OpenError{
		Code: CodeExposed, Path: path,
		Detail: fmt.Sprintf("others than its owner have rights to it (mode %04o)", info.Mode().Perm()),
		Fix:    "run chmod " + mode + " " + path,
	}
}

func missing(path, detail, fix string) *OpenError {
	return &OpenError{Code: CodeMissing, Path: path, Detail: detail, Fix: fix}
}

// find decides from the files that are there what is to be opened. A marker in
// the state of creating means a first run, or one that was cut short before
// anything was promised; a nil one means a database whose marker is to be made.
func (d directory) find(mustExist bool) (*marker, error) {
	m, err := readMarker(d.marker)
	if err != nil {
		return nil, err
	}
	hasDB, err := exists(d.db)
	if err != nil {
		return nil, err
	}
	hasKeys, err := exists(d.keyset)
	if err != nil {
		return nil, err
	}
	switch {
	case m != nil && m.State == stateCreating:
		return m, nil
	case hasDB && !hasKeys:
		return nil, &OpenError{
			Code: CodeMissingKeyset, Path: d.keyset, Detail: "the keyset of the database is missing",
			Fix: "put it back from its copy; without it the database cannot be read",
		}
	case hasDB:
		return m, nil
	case m != nil:
		return nil, missing(d.db, "the database of this directory is missing", "put it back, or remove the marker and restore a backup")
	case hasKeys:
		return nil, missing(d.db, "there is a keyset and no database", "put the database back or restore a backup; to begin anew, move the keyset away")
	case mustExist:
		return nil, missing(d.db, "there is no database yet", "run postern once to set the portal up, or choose another with --data")
	}
	id := make([]byte, 16)
	if _, err := rand.Read(id); err != nil {
		return nil, fmt.Errorf("bolt: make id: %w", err)
	}
	return &marker{ID: hex.EncodeToString(id), State: stateCreating}, nil
}

// exists says whether there is a file, of any kind, with that name.
func exists(path string) (bool, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, unreadable(path, err)
	}
	return true, nil
}

// create makes keyset, database and marker of a first run. The marker comes
// first and says so, and last says that the rest is there: a crash in between
// is a first run begun again.
func (d directory) create(m marker) error {
	hasKeys, err := exists(d.keyset)
	if err != nil {
		return err
	}
	var keys *store.Keyset
	if hasKeys { // of an earlier try
		if keys, err = loadKeyset(d.keyset); err != nil {
			return err
		}
	} else if keys, err = store.NewKeyset(nil); err != nil {
		return err
	}
	m.Keyset = keys.Fingerprint()
	if err := writeMarker(d.marker, m); err != nil {
		return err
	}
	if !hasKeys {
		if err := keys.Save(d.keyset); err != nil {
			return unwritable(d.keyset, err)
		}
	}
	temp := d.db + ".new"
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return unwritable(temp, err)
	}
	if err := createDatabase(temp, m.ID, keys); err != nil {
		return unwritable(temp, err)
	}
	if err := os.Rename(temp, d.db); err != nil {
		return unwritable(d.db, err)
	}
	if err := durable.SyncDir(d.dir); err != nil {
		return unwritable(d.dir, err)
	}
	m.State = stateReady
	return writeMarker(d.marker, m)
}

// loadKeyset reads the keyset file and gives the refusals their codes.
func loadKeyset(path string) (*store.Keyset, error) {
	keys, err := store.LoadKeyset(path)
	switch {
	case err == nil:
		return keys, nil
	case errors.Is(err, store.ErrKeysetMissing):
		return nil, &OpenError{Code: CodeMissingKeyset, Path: path, Err: err,
			Detail: "the keyset is missing", Fix: "put it back from its copy; without it the data cannot be read"}
	case errors.Is(err, store.ErrKeysetExposed):
		return nil, &OpenError{Code: CodeExposed, Path: path, Err: err,
			Detail: "others than its owner have rights to the keyset", Fix: "run chmod 600 " + path}
	case errors.Is(err, store.ErrKeysetDamaged):
		return nil, &OpenError{Code: CodeDamagedKeyset, Path: path, Err: err,
			Detail: "the keyset is damaged", Fix: "put it back from its copy; without it the data cannot be read"}
	}
	return nil, unreadable(path, err)
}
