package bolt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"go.etcd.io/bbolt"
)

// Compacted says what Compact did.
type Compacted struct {
	Before, After int64 // size of the file, in bytes
	Pairs         int   // keys that were copied
}

// compactTx is how many bytes one transaction of the copy writes, about.
const compactTx = 4 << 20

// compactSuffix is what the name of the new file ends with until it is whole.
const compactSuffix = ".compact"

// Compact writes the database of a directory anew with only what is in it, and
// puts that in the place of the old file: what was deleted is then no longer in
// the file, and the room it took is free. The new file is proved, every seal of
// it, before it takes the place; a crash leaves the old file or the new one. Nobody
// may have the directory open: CodeLocked. A disk without the room for both files
// is an error that leaves everything as it was.
//
// What the old file had on the disk is the file system's to write over.
func Compact(ctx context.Context, dir, keyset string) (done Compacted, err error) {
	d := layout(dir, keyset)
	if err := d.prepare(true); err != nil {
		return done, err
	}
	l, err := acquire(ctx, d.lock, Holder{PID: os.Getpid(), Command: "compact", Since: time.Now().UTC()}, defaultTimeout)
	if err != nil {
		return done, err
	}
	defer l.release()
	if _, err := d.find(true); err != nil {
		return done, err
	}
	temp := d.db + compactSuffix
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) { // what a crash has left
		return done, unwritable(temp, err)
	}
	s, err := d.open(ctx, Options{})
	if err != nil {
		return done, err
	}
	id := s.id
	info, err := os.Stat(d.db)
	if err != nil {
		_ = s.engine.Close()
		return done, unreadable(d.db, err)
	}
	done.Before = info.Size()
	defer func() {
		if err != nil {
			_ = os.Remove(temp)
		}
	}()
	want, err := s.engine.copyTo(ctx, temp)
	if closing := s.engine.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return done, err
	}
	if done.Pairs, err = proveDatabase(ctx, temp, BackupInfo{ID: id}, s.keys); err != nil {
		return done, err
	}
	if done.Pairs != want {
		return done, damaged(d.db, fmt.Errorf("%d keys were copied of %d", done.Pairs, want))
	}
	if info, err = os.Stat(temp); err != nil {
		return done, unreadable(temp, err)
	}
	done.After = info.Size()
	if err := ctx.Err(); err != nil {
		return done, err
	}
	if err := place(temp, d.db); err != nil {
		return done, unwritable(d.db, err)
	}
	return done, nil
}

// copyTo copies what is in the database into a new file, and says how many keys
// of ours there were.
func (e *engine) copyTo(ctx context.Context, path string) (pairs int, err error) {
	to, err := openBolt(path)
	if err != nil {
		return 0, unwritable(path, err)
	}
	err = guard(func() error { return bbolt.Compact(to, e.db, compactTx) })
	if err == nil {
		err = to.Sync()
	}
	if closing := to.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return 0, unwritable(path, err)
	}
	err = e.db.View(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{dataBucket, entryBucket} {
			c := tx.Bucket(name).Cursor()
			for k, _ := c.First(); k != nil; k, _ = c.Next() {
				if pairs++; pairs%10_000 == 0 && ctx.Err() != nil {
					return ctx.Err()
				}
			}
		}
		return nil
	})
	return pairs, err
}
