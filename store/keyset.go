package store

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/aead/xchacha20poly1305"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/insecuresecretdataaccess"
	"github.com/tink-crypto/tink-go/v2/key"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/mac"
	"github.com/tink-crypto/tink-go/v2/mac/aescmac"
	"github.com/tink-crypto/tink-go/v2/secretdata"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// Keyset is the secret that Seal works with: two Tink keysets, one that
// encrypts and authenticates values (XChaCha20-Poly1305, whose random nonces
// never run out) and one that authenticates keys whose value is empty (AES-CMAC,
// 128 bits). Each has a primary key, which seals, and may have older ones, which
// only open. A Keyset is safe for concurrent use.
type Keyset struct {
	id string // 128 random bits in hex, the same through every rotation

	rotating sync.Mutex
	path     string // where the keyset is kept, when it is; guarded by rotating
	state    atomic.Pointer[keyState]
}

// keyState is what one rotation replaces as a whole.
type keyState struct {
	values, names           *keyset.Handle
	aead                    tink.AEAD
	mac                     tink.MAC
	valuePrefix, namePrefix []byte // what primary keys begin their output with
}

// keysetFile is the form in which a keyset is kept.
type keysetFile struct {
	About   string          `json:"about"`
	Version int             `json:"version"`
	ID      string          `json:"id"`
	Values  json.RawMessage `json:"values"`
	Names   json.RawMessage `json:"names"`
}

const (
	keysetAbout   = "Postern keyset. Secret: whoever has it can read the database. Without it nobody can. Keep a copy apart from the database."
	keysetVersion = 1
)

// NewKeyset makes a keyset from random, or from the system's source when random is nil.
func NewKeyset(random io.Reader) (*Keyset, error) {
	if random == nil {
		random = rand.Reader
	}
	id := make([]byte, 16)
	if _, err := io.ReadFull(random, id); err != nil {
		return nil, fmt.Errorf("store: make keyset: %w", err)
	}
	values, err := addKey(keyset.NewManager(), random, newValueKey)
	if err != nil {
		return nil, err
	}
	names, err := addKey(keyset.NewManager(), random, newNameKey)
	if err != nil {
		return nil, err
	}
	state, err := newKeyState(values, names)
	if err != nil {
		return nil, err
	}
	k := &Keyset{id: hex.EncodeToString(id)}
	k.state.Store(state)
	return k, nil
}

// Fingerprint names the keyset, and stays the same through rotations. It is not secret.
func (k *Keyset) Fingerprint() string { return k.id }

// Rotate adds new primary keys and keeps the old ones for opening. A keyset that
// was loaded or saved is saved anew before the new keys come into use, so that
// nothing is ever sealed with a key that a crash could take away. Reseal then
// brings what is stored over to the new keys.
func (k *Keyset) Rotate() error {
	k.rotating.Lock()
	defer k.rotating.Unlock()
	old := k.state.Load()
	values, err := addKey(keyset.NewManagerFromHandle(old.values), rand.Reader, newValueKey)
	if err != nil {
		return err
	}
	names, err := addKey(keyset.NewManagerFromHandle(old.names), rand.Reader, newNameKey)
	if err != nil {
		return err
	}
	state, err := newKeyState(values, names)
	if err != nil {
		return err
	}
	if k.path != "" {
		if err := k.write(k.path, state); err != nil {
			return err
		}
	}
	k.state.Store(state)
	return nil
}

// Tag authenticates a message with the primary key for names: a backup's checksum, for one.
func (k *Keyset) Tag(message []byte) ([]byte, error) {
	return k.state.Load().mac.ComputeMAC(message)
}

// Verify checks a tag that Tag made with this keyset, before or after a
// rotation. It returns ErrCorrupt for any other.
func (k *Keyset) Verify(tag, message []byte) error {
	if err := k.state.Load().mac.VerifyMAC(tag, message); err != nil {
		return fmt.Errorf("%w: the tag is not of this keyset", ErrCorrupt)
	}
	return nil
}

// seal encrypts value for the place key.
func (k *Keyset) seal(value, key []byte) ([]byte, error) {
	s := k.state.Load()
	if len(value) == 0 {
		return s.mac.ComputeMAC(key)
	}
	return s.aead.Encrypt(value, key)
}

// open is the inverse of seal. It returns ErrCorrupt when the value was not
// sealed with this keyset for this place. The two forms cannot be confused: a
// tag is shorter than any encrypted value.
func (k *Keyset) open(sealed, key []byte) ([]byte, error) {
	s := k.state.Load()
	if len(sealed) == sealedEmpty {
		if err := s.mac.VerifyMAC(sealed, key); err != nil {
			return nil, fmt.Errorf("%w: a seal does not open", ErrCorrupt)
		}
		return []byte{}, nil
	}
	value, err := s.aead.Decrypt(sealed, key)
	if err != nil {
		return nil, fmt.Errorf("%w: a seal does not open", ErrCorrupt)
	}
	return value, nil
}

// Opens returns nil when sealed is a value that was sealed with this keyset for
// the place key, and ErrCorrupt when it is not.
func (k *Keyset) Opens(sealed, key []byte) error {
	_, err := k.open(sealed, key)
	return err
}

// current says whether the value was sealed with a primary key.
func (k *Keyset) current(sealed []byte) bool {
	s := k.state.Load()
	if len(sealed) == sealedEmpty {
		return bytes.HasPrefix(sealed, s.namePrefix)
	}
	return bytes.HasPrefix(sealed, s.valuePrefix)
}

// sealedEmpty is the length of a sealed empty value: Tink's prefix of 5 bytes and the tag.
const sealedEmpty = 5 + 16

// newKeyState builds the primitives of two keysets.
func newKeyState(values, names *keyset.Handle) (*keyState, error) {
	s := &keyState{values: values, names: names}
	var err error
	if s.aead, err = aead.New(values); err != nil {
		return nil, fmt.Errorf("store: keyset: %w", err)
	}
	if s.mac, err = mac.New(names); err != nil {
		return nil, fmt.Errorf("store: keyset: %w", err)
	}
	if s.valuePrefix, err = primaryPrefix(values); err != nil {
		return nil, err
	}
	if s.namePrefix, err = primaryPrefix(names); err != nil {
		return nil, err
	}
	return s, nil
}

// primaryPrefix returns what the primary key begins its output with.
func primaryPrefix(h *keyset.Handle) ([]byte, error) {
	e, err := h.Primary()
	if err != nil {
		return nil, fmt.Errorf("store: keyset: %w", err)
	}
	p, ok := e.Key().(interface{ OutputPrefix() []byte })
	if !ok || len(p.OutputPrefix()) != 5 {
		return nil, fmt.Errorf("store: keyset: the primary key has no prefix")
	}
	return p.OutputPrefix(), nil
}

// addKey adds a primary key made by create from 32 random bytes.
func addKey(m *keyset.Manager, random io.Reader, create func(secretdata.Bytes, uint32) (key.Key, error)) (*keyset.Handle, error) {
	b := make([]byte, 36)
	if _, err := io.ReadFull(random, b); err != nil {
		return nil, fmt.Errorf("store: make key: %w", err)
	}
	k, err := create(secretdata.NewBytesFromData(b[:32], insecuresecretdataaccess.Token{}), binary.BigEndian.Uint32(b[32:])|1)
	if err != nil {
		return nil, fmt.Errorf("store: make key: %w", err)
	}
	id, err := m.AddKey(k)
	if err != nil {
		return nil, fmt.Errorf("store: make key: %w", err)
	}
	if err := m.SetPrimary(id); err != nil {
		return nil, fmt.Errorf("store: make key: %w", err)
	}
	return m.Handle()
}

func newValueKey(b secretdata.Bytes, id uint32) (key.Key, error) {
	params, err := xchacha20poly1305.NewParameters(xchacha20poly1305.VariantTink)
	if err != nil {
		return nil, err
	}
	return xchacha20poly1305.NewKey(b, id, params)
}

func newNameKey(b secretdata.Bytes, id uint32) (key.Key, error) {
	params, err := aescmac.NewParameters(aescmac.ParametersOpts{
		KeySizeInBytes: 32, TagSizeInBytes: 16, Variant: aescmac.VariantTink,
	})
	if err != nil {
		return nil, err
	}
	return aescmac.NewKey(b, params, id)
}

// marshal writes the keyset in the form it is kept in.
func (k *Keyset) marshal(s *keyState) ([]byte, error) {
	var values, names bytes.Buffer
	if err := insecurecleartextkeyset.Write(s.values, keyset.NewJSONWriter(&values)); err != nil {
		return nil, fmt.Errorf("store: write keyset: %w", err)
	}
	if err := insecurecleartextkeyset.Write(s.names, keyset.NewJSONWriter(&names)); err != nil {
		return nil, fmt.Errorf("store: write keyset: %w", err)
	}
	b, err := json.MarshalIndent(keysetFile{
		About: keysetAbout, Version: keysetVersion, ID: k.id,
		Values: values.Bytes(), Names: names.Bytes(),
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("store: write keyset: %w", err)
	}
	return append(b, '\n'), nil
}

// unmarshalKeyset reads what marshal wrote. Its errors never quote the bytes.
func unmarshalKeyset(b []byte) (*Keyset, error) {
	var f keysetFile
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, fmt.Errorf("%w: it is not the JSON of a keyset", ErrKeysetDamaged)
	}
	if f.Version > keysetVersion {
		return nil, fmt.Errorf("%w: it is of version %d, this program knows %d", ErrKeysetDamaged, f.Version, keysetVersion)
	}
	if id, err := hex.DecodeString(f.ID); err != nil || len(id) != 16 || f.Version < 1 {
		return nil, fmt.Errorf("%w: it has no id or version", ErrKeysetDamaged)
	}
	values, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(f.Values)))
	if err != nil {
		return nil, fmt.Errorf("%w: its keys for values cannot be read", ErrKeysetDamaged)
	}
	names, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(f.Names)))
	if err != nil {
		return nil, fmt.Errorf("%w: its keys for names cannot be read", ErrKeysetDamaged)
	}
	state, err := newKeyState(values, names)
	if err != nil {
		return nil, fmt.Errorf("%w: its keys cannot be used", ErrKeysetDamaged)
	}
	k := &Keyset{id: f.ID}
	k.state.Store(state)
	return k, nil
}
