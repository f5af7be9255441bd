package bolt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"postern/store"
	"postern/store/internal/durable"
)

// What metaBucket holds.
var (
	keyFormat  = []byte("format")
	keyID      = []byte("id")
	keyKeyset  = []byte("keyset")
	keyCanary  = []byte("canary")
	canaryText = []byte("The keyset opens this database.")
)

// format is the version of the layout of the file. It rises when an older
// program must no longer open it.
const format = 1

const (
	pageSize = 4096
	// mapSize is the address space, not memory, set aside for the file: 16 GiB, or
	// 1 GiB where addresses have 32 bits. A file that grows beyond it is mapped
	// anew, for which everybody waits until the longest reader, a backup perhaps,
	// is done.
	mapSize = 1 << 30 << (^uint(0) >> 63 * 4)
	// growth is by how much the file grows at a time.
	growth = 1 << 20
)

// boltOptions are those of every file we open. The list of free pages is kept in
// the file, since without it opening would read the whole of it, and in a map,
// since an array is searched from its beginning at every allocation.
func boltOptions(file **os.File) *bbolt.Options {
	return &bbolt.Options{
		Timeout:         250 * time.Millisecond, // our own lock is held already
		FreelistType:    bbolt.FreelistMapType,
		PageSize:        pageSize,
		InitialMmapSize: mapSize,
		NoStatistics:    true,
		OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
			f, err := os.OpenFile(name, flag, mode)
			*file = f
			return f, err
		},
	}
}

// openBolt opens a file with bbolt. When bbolt panics in the middle, the file is
// closed, and with it the lock on it given up.
func openBolt(path string) (*bbolt.DB, error) {
	var db *bbolt.DB
	var file *os.File
	err := guard(func() (err error) {
		db, err = bbolt.Open(path, 0o600, boltOptions(&file))
		return err
	})
	if err != nil {
		if file != nil {
			_ = file.Close()
		}
		return nil, err
	}
	db.AllocSize = growth
	return db, nil
}

// createDatabase makes an empty database.
func createDatabase(path, id string, keys *store.Keyset) error {
	db, err := openBolt(path)
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		if err := createBuckets(tx); err != nil {
			return err
		}
		b, err := tx.CreateBucket(metaBucket)
		if err != nil {
			return err
		}
		if err := b.Put(keyFormat, []byte(strconv.Itoa(format))); err != nil {
			return err
		}
		if err := b.Put(keyID, []byte(id)); err != nil {
			return err
		}
		if err := b.Put(keyKeyset, []byte(keys.Fingerprint())); err != nil {
			return err
		}
		return putCanary(tx, keys, id)
	})
	return errors.Join(err, db.Close())
}

// putCanary keeps a tag of the id made with the primary key, so that a keyset
// without that key is found out when the database is opened.
func putCanary(tx *bbolt.Tx, keys *store.Keyset, id string) error {
	tag, err := keys.Tag(canaryMessage(id))
	if err != nil {
		return err
	}
	return tx.Bucket(metaBucket).Put(keyCanary, tag)
}

func canaryMessage(id string) []byte {
	return fmt.Appendf(nil, "%s %s", canaryText, id)
}

// identity is what a database says about itself.
type identity struct {
	id, keyset string
	format     int
	canary     []byte
}

// identify reads the identity of a database.
func identify(tx *bbolt.Tx) (i identity, err error) {
	err = guard(func() error {
		b := tx.Bucket(metaBucket)
		if b == nil || tx.Bucket(dataBucket) == nil || tx.Bucket(entryBucket) == nil {
			return errors.New("it has not the buckets of a Postern database")
		}
		i.id, i.keyset = string(b.Get(keyID)), string(b.Get(keyKeyset))
		i.canary = append(i.canary, b.Get(keyCanary)...)
		n, err := strconv.Atoi(string(b.Get(keyFormat)))
		if err != nil || n < 1 || i.id == "" {
			return errors.New("it does not say what it is")
		}
		i.format = n
		return nil
	})
	return i, err
}

// accept refuses a database that this program or keyset cannot work with.
func (i identity) accept(path string, keys *store.Keyset) error {
	if i.format > format {
		return &OpenError{
			Code: CodeNewer, Path: path,
			Detail: fmt.Sprintf("the database has format %d, this program knows %d", i.format, format),
			Fix:    "use the newer version of postern that wrote it",
		}
	}
	if i.keyset != keys.Fingerprint() || keys.Verify(i.canary, canaryMessage(i.id)) != nil {
		return &OpenError{
			Code: CodeWrongKeyset, Path: path,
			Detail: "the keyset is not that of this database, or an old copy of it",
			Fix:    "put the newest copy of the right keyset back",
		}
	}
	return nil
}

// open opens the files, which are there, and proves that they belong together.
func (d directory) open(ctx context.Context, o Options) (_ *Store, err error) {
	for _, path := range []string{d.db, d.marker} {
		if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o077 != 0 {
			return nil, exposed(path, info, "600")
		}
	}
	keys, err := loadKeyset(d.keyset)
	if err != nil {
		return nil, err
	}
	h, err := inspect(d.db, o.Salvage)
	if err != nil {
		return nil, err
	}
	small := int64(h.pages)*int64(h.pageSize) <= o.VerifyUpTo
	if small {
		if err := verifyPages(d.db, h); err != nil {
			return nil, err
		}
	}
	db, err := openBolt(d.db)
	if err != nil {
		return nil, d.refuse(err)
	}
	defer func() {
		if err != nil {
			_ = db.Close()
		}
	}()
	id, err := d.prove(db, keys)
	if err != nil {
		return nil, err
	}
	e := newEngine(db)
	s := &Store{Store: store.Seal(e, keys), engine: e, keys: keys, id: id, path: d.db}
	if small {
		if err := verifySeals(ctx, s.Store); err != nil {
			_ = e.Close()
			return nil, damaged(d.db, err)
		}
	}
	return s, nil
}

// prove compares database, keyset and marker, and writes a marker that is missing.
func (d directory) prove(db *bbolt.DB, keys *store.Keyset) (string, error) {
	var i identity
	err := db.View(func(tx *bbolt.Tx) (err error) {
		i, err = identify(tx)
		return err
	})
	if err != nil {
		return "", &OpenError{Code: CodeForeign, Path: d.db, Err: err,
			Detail: "this is a bbolt file, but not a Postern database (" + err.Error() + ")", Fix: fixes[CodeForeign]}
	}
	m, err := readMarker(d.marker)
	if err != nil {
		return "", err
	}
	if m != nil && m.ID != i.id {
		return "", &OpenError{
			Code: CodeReplaced, Path: d.db,
			Detail: "this is another database than the one that belongs to this directory",
			Fix:    "put the right file back, or, if this one is meant, remove " + filepath.Base(d.marker),
		}
	}
	if err := i.accept(d.db, keys); err != nil {
		return "", err
	}
	if m == nil {
		err = writeMarker(d.marker, marker{ID: i.id, Keyset: i.keyset, State: stateReady})
	}
	return i.id, err
}

// refuse gives an error of bbolt its code.
func (d directory) refuse(err error) error {
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return locked(d.db, nil)
	case errors.Is(err, os.ErrPermission):
		return unwritable(d.db, err)
	case errors.Is(err, store.ErrCorrupt), errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrChecksum), errors.Is(err, berrors.ErrVersionMismatch):
		return damaged(d.db, err)
	}
	return unreadable(d.db, err)
}

// damaged is the refusal of a database that is not what was written.
func damaged(path string, err error) *OpenError {
	return &OpenError{
		Code: CodeDamaged, Path: path, Err: err,
		Detail: "the database is damaged (" + err.Error() + ")", Fix: fixes[CodeDamaged],
	}
}

// place moves a finished file to its name, durably.
func place(temp, path string) error {
	if err := os.Rename(temp, path); err != nil {
		return err
	}
	return durable.SyncDir(filepath.Dir(path))
}
