package bolt

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"

	"postern/store"
)

// VerifyBackup reads a whole backup and proves it: its checksum and tag, the
// structure of the database in it, and every seal. It works on a copy in the
// directory for temporary files, and returns an *OpenError for what is wrong.
func VerifyBackup(ctx context.Context, path string, keys *store.Keyset) (BackupInfo, error) {
	dir, err := os.MkdirTemp("", "postern-verify-*")
	if err != nil {
		return BackupInfo{}, unwritable(os.TempDir(), err)
	}
	defer os.RemoveAll(dir)
	return extract(ctx, path, filepath.Join(dir, DatabaseFile), keys)
}

// Restore puts the database of a backup into a directory that has none, after
// proving all of it as VerifyBackup does, and with it the keyset, unless that is
// there already. It never replaces anything: a directory with a database or a
// marker, open or not, is refused with CodeExists. A crash leaves the directory
// without a database, or with all of it.
func Restore(ctx context.Context, backup, dir string, keys *store.Keyset) (info BackupInfo, err error) {
	d := layout(dir, "")
	if err := d.prepare(false); err != nil {
		return info, err
	}
	l, err := acquire(ctx, d.lock, Holder{PID: os.Getpid(), Command: "restore", Since: time.Now().UTC()}, defaultTimeout)
	if err != nil {
		return info, err
	}
	defer l.release()
	for _, path := range []string{d.db, d.marker} {
		there, err := exists(path)
		if err != nil {
			return info, err
		}
		if there {
			return info, &OpenError{Code: CodeExists, Path: path, Detail: "there is data already",
				Fix: "restore into another directory, or move the files away first"}
		}
	}
	hasKeys, err := exists(d.keyset)
	if err != nil {
		return info, err
	}
	if hasKeys {
		there, err := loadKeyset(d.keyset)
		if err != nil {
			return info, err
		}
		if there.Fingerprint() != keys.Fingerprint() {
			return info, &OpenError{Code: CodeExists, Path: d.keyset, Detail: "there is another keyset already",
				Fix: "move it away first"}
		}
		keys = there // which may be a newer copy
	}
	temp := d.db + ".restore"
	defer os.Remove(temp)
	if info, err = extract(ctx, backup, temp, keys); err != nil {
		return info, err
	}
	if !hasKeys {
		if err := keys.Export(d.keyset); err != nil {
			return info, unwritable(d.keyset, err)
		}
	}
	if err := place(temp, d.db); err != nil {
		return info, unwritable(d.db, err)
	}
	return info, writeMarker(d.marker, marker{ID: info.ID, Keyset: info.Keyset, State: stateReady})
}

// extract writes the database of a backup to path, synced, and proves it.
func extract(ctx context.Context, backup, path string, keys *store.Keyset) (BackupInfo, error) {
	// What a crash left behind, or somebody laid there, is neither followed nor
	// written into: its mode and its place would become the database's.
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return BackupInfo{}, unwritable(path, err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return BackupInfo{}, unwritable(path, err)
	}
	info, err := readBackup(ctx, backup, keys, f)
	if err != nil {
		f.Close()
		return info, err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return info, unwritable(path, err)
	}
	info.Pairs, err = proveDatabase(ctx, path, info, keys)
	if err != nil {
		var refusal *OpenError
		if !errors.As(err, &refusal) {
			return info, err
		}
		refusal.Path = backup
	}
	return info, err
}

// proveDatabase verifies the structure, identity and seals of a database file,
// and returns the number of its keys.
func proveDatabase(ctx context.Context, path string, info BackupInfo, keys *store.Keyset) (pairs int, err error) {
	h, err := inspect(path, false)
	if err != nil {
		return 0, err
	}
	if err := verifyPages(path, h); err != nil {
		return 0, err
	}
	db, err := openBolt(path)
	if err != nil {
		return 0, damaged(path, err)
	}
	e := newEngine(db)
	defer e.Close()
	err = db.View(func(tx *bbolt.Tx) error {
		i, err := identify(tx)
		if err != nil {
			return damaged(path, err)
		}
		if i.id != info.ID {
			return damaged(path, errors.New("it is another database than the backup says"))
		}
		if err := i.accept(path, keys); err != nil {
			return err
		}
		var found error
		for err := range tx.Check() { // to the end, or its goroutine would stay
			found = errors.Join(found, err)
		}
		if found != nil {
			return damaged(path, found)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	var first error
	pairs, err = checkSeals(ctx, e, keys, func(p string) {
		if first == nil {
			first = errors.New(p)
		}
	})
	if err == nil && first != nil {
		err = damaged(path, first)
	}
	return pairs, err
}
