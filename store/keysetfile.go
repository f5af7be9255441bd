package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"postern/store/internal/durable"
)

var (
	// ErrKeysetMissing says that there is no keyset file.
	ErrKeysetMissing = errors.New("store: keyset file is missing")
	// ErrKeysetDamaged says that the keyset file cannot be read as one.
	ErrKeysetDamaged = errors.New("store: keyset file is damaged")
	// ErrKeysetExposed says that others than the owner may read the keyset file.
	ErrKeysetExposed = errors.New("store: keyset file is open to others")
	// ErrKeysetExists says that saving would have replaced another keyset.
	ErrKeysetExists = errors.New("store: another keyset is there")
)

// maxKeysetFile bounds what LoadKeyset reads; a key takes about 300 bytes.
const maxKeysetFile = 1 << 20

// LoadKeyset reads a keyset file. It returns ErrKeysetMissing, ErrKeysetDamaged,
// ErrKeysetExposed (group or others may read or write it: chmod 600), or the
// error of the file system.
func LoadKeyset(path string) (*Keyset, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s", ErrKeysetMissing, path)
	}
	if err != nil {
		return nil, fmt.Errorf("store: read keyset: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("store: read keyset: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s is not a file", ErrKeysetDamaged, path)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%w: run chmod 600 %s", ErrKeysetExposed, path)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxKeysetFile))
	if err != nil {
		return nil, fmt.Errorf("store: read keyset: %w", err)
	}
	k, err := unmarshalKeyset(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, path)
	}
	k.path = path
	return k, nil
}

// Save writes the keyset to path with mode 0600, whole or not at all, and
// remembers the path for Rotate. It returns ErrKeysetExists rather than replace
// a file that is not this keyset.
func (k *Keyset) Save(path string) error {
	k.rotating.Lock()
	defer k.rotating.Unlock()
	if err := k.export(path); err != nil {
		return err
	}
	k.path = path
	return nil
}

// Export writes a copy of the keyset, as Save does, without remembering the path.
func (k *Keyset) Export(path string) error {
	k.rotating.Lock()
	defer k.rotating.Unlock()
	return k.export(path)
}

// export writes the keyset where there is none or an older copy of it.
func (k *Keyset) export(path string) error {
	switch there, err := os.ReadFile(path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf("store: save keyset: %w", err)
	default:
		other, err := unmarshalKeyset(there)
		if err != nil || other.id != k.id {
			return fmt.Errorf("%w: %s", ErrKeysetExists, path)
		}
	}
	return k.write(path, k.state.Load())
}

// write puts the state into the file at path.
func (k *Keyset) write(path string, s *keyState) error {
	b, err := k.marshal(s)
	if err != nil {
		return err
	}
	if err := durable.WriteFile(path, bytes.NewReader(b)); err != nil {
		return fmt.Errorf("store: save keyset: %w", err)
	}
	return nil
}
