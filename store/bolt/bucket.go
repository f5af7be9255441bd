package bolt

import (
	"bytes"
	"fmt"
	"runtime/debug"

	"go.etcd.io/bbolt"

	"postern/store"
	"postern/store/internal/overlay"
)

// The pairs lie in two buckets, because bbolt is told for a whole bucket how full
// to leave the pages that it splits. Records come mostly in the order of their
// ids and are packed; index entries come in no order, and a packed page would be
// split again at once. With one bucket a million accounts take 2.8 to 3.6 times
// their payload, with two under 2.5. metaBucket holds what the engine knows
// about itself.
var (
	dataBucket  = []byte("data")
	entryBucket = []byte("entries")
	metaBucket  = []byte("postern")
)

const (
	dataFill  = 0.95
	entryFill = 0.7
)

// isEntry says which bucket a key belongs to: store.Table writes 0x01 behind the
// name of the table in the key of an index entry, and 0x00 in that of a record.
// It holds for any key that it is in one bucket only; known is false for a prefix
// of keys that may be in both.
func isEntry(key []byte) (entry, known bool) {
	i := bytes.IndexAny(key, "\x00\x01")
	return i >= 0 && key[i] == 1, i >= 0
}

// buckets reads the pairs for an overlay. It survives damaged pages: bbolt then
// panics or touches memory outside of the file, and both become ErrCorrupt.
type buckets struct {
	data, entries *bbolt.Bucket
}

var _ overlay.Base = buckets{}

// bucketsOf returns the buckets with the pairs.
func bucketsOf(tx *bbolt.Tx) (b buckets, err error) {
	err = guard(func() error {
		b.data, b.entries = tx.Bucket(dataBucket), tx.Bucket(entryBucket)
		if b.data == nil || b.entries == nil {
			return fmt.Errorf("%w: the database lacks a bucket", store.ErrCorrupt)
		}
		return nil
	})
	return b, err
}

// createBuckets makes the buckets with the pairs.
func createBuckets(tx *bbolt.Tx) error {
	for _, name := range [][]byte{dataBucket, entryBucket} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	return nil
}

// of returns the bucket of a key.
func (b buckets) of(key []byte) *bbolt.Bucket {
	if entry, _ := isEntry(key); entry {
		return b.entries
	}
	return b.data
}

// apply makes the changes in key order, which keeps neighbours on the same page.
func (b buckets) apply(changes overlay.Map) error {
	b.data.FillPercent, b.entries.FillPercent = dataFill, entryFill
	for k, c := range changes.From("") {
		var err error
		key := []byte(k)
		if c.Deleted {
			err = b.of(key).Delete(key)
		} else {
			err = b.of(key).Put(key, c.Value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Get implements overlay.Base.
func (b buckets) Get(key []byte) (value []byte, found bool, err error) {
	if len(key) == 0 {
		return nil, false, nil
	}
	err = guard(func() error {
		k, v := b.of(key).Cursor().Seek(key)
		if !bytes.Equal(k, key) {
			return nil
		}
		if err := sane(k, v); err != nil {
			return err
		}
		value, found = append([]byte{}, v...), true
		return nil
	})
	return value, found, err
}

// Seek implements overlay.Base.
func (b buckets) Seek(prefix, start string, yield func(key, value []byte) bool) error {
	return guard(func() error {
		entry, known := isEntry([]byte(prefix))
		var data, entries cursor
		var err error
		if !entry {
			data.c = b.data.Cursor()
			err = data.seek(start)
		}
		if err == nil && (entry || !known) {
			entries.c = b.entries.Cursor()
			err = entries.seek(start)
		}
		for err == nil {
			least := &data
			if data.key == nil || entries.key != nil && bytes.Compare(entries.key, data.key) < 0 {
				least = &entries
			}
			if least.key == nil || !bytes.HasPrefix(least.key, []byte(prefix)) || !yield(least.key, least.value) {
				return nil
			}
			err = least.next()
		}
		return err
	})
}

// cursor walks one bucket and refuses what a sound one cannot have.
type cursor struct {
	c          *bbolt.Cursor
	key, value []byte // nil at the end
}

func (c *cursor) seek(start string) error {
	c.key, c.value = c.c.Seek([]byte(start))
	return sane(c.key, c.value)
}

func (c *cursor) next() error {
	last := c.key
	c.key, c.value = c.c.Next()
	if c.key != nil && bytes.Compare(last, c.key) >= 0 {
		return fmt.Errorf("%w: keys are out of order", store.ErrCorrupt)
	}
	return sane(c.key, c.value)
}

// sane refuses lengths that nobody can have put, before anything is copied.
func sane(key, value []byte) error {
	if len(key) > store.MaxKey || len(value) > store.MaxValue+store.SealOverhead {
		return fmt.Errorf("%w: impossible length", store.ErrCorrupt)
	}
	return nil
}

// guard turns a panic of bbolt, or a fault in the mapped file, into ErrCorrupt:
// a damaged page may send bbolt outside of the file. Whoever reads pages does it
// in here, since a fault panics only in a goroutine that asked for it.
func guard(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", store.ErrCorrupt, p)
		}
	}()
	return fn()
}
