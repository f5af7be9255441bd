package bolt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"go.etcd.io/bbolt"

	"postern/store"
)

// Check reads the whole database, as it is at one moment and while others go on
// working, and calls problem, with a sentence, for all that is wrong: with the
// structure of the file, and with seals that do not open. Its error says why it
// could not read on. Tables have their own Check for records and indexes.
func (s *Store) Check(ctx context.Context, problem func(string)) error {
	f, err := os.Open(s.path)
	if err != nil {
		return err
	}
	defer f.Close()
	err = s.snapshot(ctx, func(tx *bbolt.Tx) error {
		h, err := headerOf(tx, f)
		if err != nil {
			problem(err.Error())
			return nil
		}
		found := false
		if err := walk(f, h, func(p string) { found = true; problem(p) }); err != nil {
			return err
		}
		if found { // bbolt's own check, and reading, may fault on a structure that is damaged
			return nil
		}
		for err := range tx.Check() {
			problem(err.Error())
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, err = checkSeals(ctx, s.engine, s.keys, problem)
	return err
}

// headerOf returns the header that the snapshot is under. A writer may replace
// it meanwhile, in which case what the snapshot knows of it must do; the pages
// themselves stay.
func headerOf(tx *bbolt.Tx, f *os.File) (header, error) {
	info, err := f.Stat()
	if err != nil {
		return header{}, err
	}
	found, _, _ := readHeaders(f, info.Size())
	for _, h := range found {
		if h.txid == uint64(tx.ID()) {
			return h, nil
		}
	}
	return header{}, errors.New("the header of the database is damaged or was replaced twice while it was being read; check again")
}

// verifyPages refuses a file whose structure is damaged.
func verifyPages(path string, h header) error {
	f, err := os.Open(path)
	if err != nil {
		return unreadable(path, err)
	}
	defer f.Close()
	var first error
	err = walk(io.ReaderAt(f), h, func(p string) {
		if first == nil {
			first = errors.New(p)
		}
	})
	if err != nil {
		return unreadable(path, err)
	}
	if first != nil {
		return damaged(path, first)
	}
	return nil
}

// sealPage is how many pairs are read at a time.
const sealPage = 1000

// verifySeals opens every value and returns the first error.
func verifySeals(ctx context.Context, s store.Store) error {
	return s.View(ctx, func(tx store.Tx) error {
		var after []byte
		for {
			pairs, err := tx.Scan(nil, after, sealPage)
			if err != nil {
				return err
			}
			if len(pairs) < sealPage {
				return nil
			}
			after = pairs[len(pairs)-1].Key
		}
	})
}

// checkSeals opens every value, tells of each that does not open, and returns
// how many there are.
func checkSeals(ctx context.Context, e *engine, keys *store.Keyset, problem func(string)) (pairs int, err error) {
	err = e.View(ctx, func(raw store.Tx) error {
		var after []byte
		for {
			if err := ctx.Err(); err != nil {
				return err
			}
			page, err := raw.Scan(nil, after, sealPage)
			if errors.Is(err, store.ErrCorrupt) {
				problem(err.Error())
				return nil
			}
			if err != nil {
				return err
			}
			for _, p := range page {
				if err := keys.Opens(p.Value, p.Key); err != nil {
					problem(fmt.Sprintf("key %q: %v", p.Key, err))
				}
			}
			pairs += len(page)
			if len(page) < sealPage {
				return nil
			}
			after = page[len(page)-1].Key
		}
	})
	return pairs, err
}
