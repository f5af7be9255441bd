// What an entry of the trail says of a person is sealed with a key of that
// person's own, which goes when the account is deleted: from then on the entry
// says that somebody did something, and no longer who (decision 040). Nothing of
// the entry is rewritten for that, so that the chain over the trail still holds.

package core

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"

	"postern/store"
)

// trailKeySize is the size of a person's key for the trail, in bytes.
const trailKeySize = 16

// newTrailKey makes the key of a new account.
func (b *base) newTrailKey() ([]byte, error) {
	key := make([]byte, trailKeySize)
	_, err := io.ReadFull(b.random, key)
	return key, err
}

// storedEntry is an entry as it is kept: what concerns an account is in Person,
// sealed, and the name of an account that acted is looked up when it is read.
type storedEntry struct {
	Entry
	Person []byte `json:"person,omitempty"`
}

// personPart is what an entry says of the person it is about.
type personPart struct {
	Target string            `json:"target,omitempty"`
	Before map[string]string `json:"before,omitempty"`
	After  map[string]string `json:"after,omitempty"`
	Reason string            `json:"reason,omitempty"`
}

func (p personPart) empty() bool {
	return p.Target == "" && len(p.Before) == 0 && len(p.After) == 0 && p.Reason == ""
}

func (e Entry) part() personPart { return personPart{e.Target, e.Before, e.After, e.Reason} }

func (e Entry) with(p personPart) Entry {
	e.Target, e.Before, e.After, e.Reason = p.Target, p.Before, p.After, p.Reason
	return e
}

// byAccount says that an account acted, and neither a stranger nor the machine.
func (e Entry) byAccount() bool {
	return e.Actor != "" && e.Actor != ActorConsole && e.Actor != ActorSystem
}

// ByDeleted says that an account acted that is no more: only its id is left.
func (e Entry) ByDeleted() bool { return e.byAccount() && e.Name == "" }

// entryKey is the key of one entry: of a person's own, and the entry's id. Who
// has it can open this entry and no other, which is what a proof hands out.
func entryKey(trailKey []byte, id string) []byte {
	mac := hmac.New(sha256.New, trailKey)
	_, _ = mac.Write([]byte("postern trail 1\x00" + id))
	return mac.Sum(nil)
}

// sealPerson makes an entry ready to be kept. An entry about an account that has
// no key any more keeps nothing of what it says of it.
func sealPerson(tx store.Tx, e Entry) (storedEntry, error) {
	if e.byAccount() {
		e.Name = ""
	}
	part := e.part()
	if e.About == "" || part.empty() || e.Action == ActAccountDelete || e.Action == ActTrailForget { // which name nobody
		return storedEntry{Entry: e}, nil
	}
	key, err := trailKeyOf(tx, e.About)
	if err != nil {
		return storedEntry{}, err
	}
	out := storedEntry{Entry: e.with(personPart{})}
	if key == nil {
		return out, nil
	}
	out.Person, err = sealPart(entryKey(key, e.ID), e.ID, part)
	return out, err
}

// sealPart seals with a nonce made of what is sealed: a transaction that runs
// twice never seals two things with one nonce.
func sealPart(key []byte, id string, part personPart) ([]byte, error) {
	plain, err := json.Marshal(part)
	if err != nil {
		return nil, err
	}
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write(plain)
	nonce := mac.Sum(nil)[:chacha20poly1305.NonceSizeX]
	return aead.Seal(nonce, nonce, plain, []byte(id)), nil
}

// openPart opens what sealPart has sealed; store.ErrCorrupt when it is not that.
func openPart(key []byte, id string, sealed []byte) (part personPart, err error) {
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return part, err
	}
	if len(sealed) < chacha20poly1305.NonceSizeX {
		return part, fmt.Errorf("%w: entry %q", store.ErrCorrupt, id)
	}
	nonce, box := sealed[:chacha20poly1305.NonceSizeX], sealed[chacha20poly1305.NonceSizeX:]
	plain, err := aead.Open(nil, nonce, box, []byte(id))
	if err == nil {
		err = json.Unmarshal(plain, &part)
	}
	if err != nil {
		return part, fmt.Errorf("%w: entry %q", store.ErrCorrupt, id)
	}
	return part, nil
}

// trailKeyOf returns an account's key for the trail; nil of one that is deleted.
func trailKeyOf(tx store.Tx, account string) ([]byte, error) {
	c, err := credentials.Get(tx, account)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrTooLarge) {
		return nil, nil
	}
	return c.Trail, err
}

// trailReader opens entries, and remembers what it had to look up for it.
type trailReader struct {
	tx    store.Tx
	keys  map[string][]byte
	names map[string]string
}

// reader returns the transaction's reader of the trail.
func (t *txn) reader() *trailReader {
	if t.opened == nil {
		t.opened = &trailReader{tx: t, keys: map[string][]byte{}, names: map[string]string{}}
	}
	return t.opened
}

// maxRemembered bounds what a reader remembers of a long walk.
const maxRemembered = 4 * MaxPage

// referenceMark begins a value that stands for another account than the one an
// entry is about, whose name would outlive it there.
const referenceMark = "@"

// reference is what an entry says instead of an account's name.
func reference(account string) string { return referenceMark + account }

// named puts names in the place of references; one to a deleted account stays.
func (r *trailReader) named(m map[string]string) error {
	id, is := strings.CutPrefix(m["owner"], referenceMark)
	if !is {
		return nil
	}
	name, err := r.name(id)
	if name != "" {
		m["owner"] = name
	}
	return err
}

// open returns an entry as it is to be read. Of a deleted account it has neither
// the name nor what was said of it, and says so.
func (r *trailReader) open(s storedEntry) (Entry, error) {
	e := s.Entry
	if e.byAccount() {
		name, err := r.name(e.Actor)
		if err != nil {
			return e, err
		}
		e.Name = name
	}
	if len(s.Person) == 0 {
		return e, errors.Join(r.named(e.Before), r.named(e.After))
	}
	key, err := r.key(e.About)
	if err != nil {
		return e, err
	}
	if key == nil {
		e.Erased = true
		return e, nil
	}
	part, err := openPart(entryKey(key, e.ID), e.ID, s.Person)
	return e.with(part), errors.Join(err, r.named(part.Before), r.named(part.After))
}

func (r *trailReader) key(account string) ([]byte, error) {
	if key, known := r.keys[account]; known {
		return key, nil
	}
	key, err := trailKeyOf(r.tx, account)
	if err == nil {
		if len(r.keys) >= maxRemembered {
			clear(r.keys)
		}
		r.keys[account] = key
	}
	return key, err
}

func (r *trailReader) name(account string) (string, error) {
	if name, known := r.names[account]; known {
		return name, nil
	}
	a, err := accounts.Get(r.tx, account)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrTooLarge) {
		err = nil
	}
	if err == nil {
		if len(r.names) >= maxRemembered {
			clear(r.names)
		}
		r.names[account] = a.UserName
	}
	return a.UserName, err
}

// openRows opens a page.
func (t *txn) openRows(rows []store.Row[storedEntry]) ([]Entry, error) {
	list := make([]Entry, len(rows))
	for i, r := range rows {
		e, err := t.reader().open(r.Value)
		if err != nil {
			return nil, err
		}
		list[i] = e
	}
	return list, nil
}

// giveTrailKeys is the step that gives every account a key of its own.
func giveTrailKeys(tx store.Tx, after string) (next string, err error) {
	rows, err := credentials.Page(tx, after, migratePart)
	if err != nil {
		return "", err
	}
	for _, r := range rows {
		c := r.Value
		if len(c.Trail) > 0 {
			continue
		}
		c.Trail = make([]byte, trailKeySize)
		if _, err := rand.Read(c.Trail); err != nil {
			return "", err
		}
		if err := credentials.Put(tx, r.ID, c); err != nil {
			return "", err
		}
	}
	if len(rows) < migratePart {
		return "", nil
	}
	return rows[len(rows)-1].Cursor, nil
}

// sealTrail is the step that seals what the entries of an older program say of people.
func sealTrail(tx store.Tx, after string) (next string, err error) {
	rows, err := trail.Page(tx, after, migratePart)
	if err != nil {
		return "", err
	}
	for _, r := range rows {
		if len(r.Value.Person) > 0 {
			continue
		}
		sealed, err := sealPerson(tx, r.Value.Entry)
		if err != nil {
			return "", err
		}
		if err := trail.Put(tx, r.ID, sealed); err != nil {
			return "", err
		}
	}
	if len(rows) < migratePart {
		return "", nil
	}
	return rows[len(rows)-1].Cursor, nil
}
