package password

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"

	"github.com/alexedwards/argon2id"
	"golang.org/x/crypto/argon2"
	"golang.org/x/sync/semaphore"
)

// memoryBudget bounds what the default number of slots may take together, in KiB.
const memoryBudget = 512 << 10

// Hasher makes and verifies password hashes, at most slots of them at once: more
// at once than there are cores finish no earlier, and each one takes
// Params.Memory. Whoever comes while all slots are taken waits in the order of
// arrival for as long as its context lives, and holds no memory meanwhile. A
// stored hash that needs more memory than Params takes several slots, so that
// the sum stays bounded. A Hasher is safe for concurrent use.
type Hasher struct {
	params  argon2id.Params
	memory  int64 // KiB, all slots together
	slots   *semaphore.Weighted
	waiting atomic.Int64
	nobody  string // a hash that no password has
}

// NewHasher returns a Hasher, or ErrParams when p.Validate refuses p. With
// slots < 1 there are as many as processors, but no more than fit into 512 MiB.
// Salts come from crypto/rand.
func NewHasher(p Params, slots int) (*Hasher, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	return newHasher(p, slots), nil
}

// NewInsecureHasher is NewHasher without the minimum. It is for throw-away data
// and tests: with CheapParams a portal opens at once, and so does every password.
func NewInsecureHasher(p Params, slots int) (*Hasher, error) {
	if err := p.bounded(); err != nil {
		return nil, err
	}
	return newHasher(p, slots), nil
}

func newHasher(p Params, slots int) *Hasher {
	if slots < 1 {
		slots = min(runtime.GOMAXPROCS(0)/int(p.Parallelism), int(memoryBudget/p.Memory))
	}
	memory := int64(p.Memory) * int64(max(slots, 1))
	h := &Hasher{
		params: argon2id.Params{
			Memory: p.Memory, Iterations: p.Time, Parallelism: p.Parallelism,
			SaltLength: p.SaltLen, KeyLength: p.KeyLen,
		},
		memory: memory,
		slots:  semaphore.NewWeighted(memory),
	}
	// A random key is the hash of no password that anyone could find.
	random := make([]byte, p.SaltLen+p.KeyLen)
	_, _ = rand.Read(random) // It never fails: the program ends when there is no randomness.
	h.nobody = encode(&h.params, random[:p.SaltLen], random[p.SaltLen:])
	return h
}

// Hash returns the PHC string of the normalized password under a new random
// salt. A password that Normalize refuses is refused with the same error; when
// ctx ends while the call waits, its error is returned.
func (h *Hasher) Hash(ctx context.Context, pw string) (phc string, err error) {
	if pw, err = Normalize(pw); err != nil {
		return "", err
	}
	err = h.do(ctx, h.params.Memory, func() (err error) {
		phc, err = argon2id.CreateHash(pw, &h.params)
		return err
	})
	return phc, err
}

// Verify says whether phc is the hash of pw, comparing in constant time, and
// whether phc costs less in any respect than what Hash makes now and should be
// replaced while the password is at hand, as every hash of another form is (see
// Scheme). A password that cannot be normalized is wrong at the same cost. ErrHash
// says that phc is no hash of a form that is known, or beyond its bounds; when ctx
// ends while the call waits, its error is returned.
func (h *Hasher) Verify(ctx context.Context, pw, phc string) (ok, weaker bool, err error) {
	if !strings.HasPrefix(phc, "$argon2id$") {
		return h.verifyForeign(ctx, pw, phc)
	}
	p, err := decode(phc)
	if err != nil {
		return false, false, err
	}
	pw, invalid := Normalize(pw)
	err = h.do(ctx, p.Memory, func() (err error) {
		ok, err = argon2id.ComparePasswordAndHash(pw, phc)
		return err
	})
	if err != nil {
		return false, false, err
	}
	return ok && invalid == nil, !p.covers(h.costs()), nil
}

// verifyForeign is Verify for a hash that another program made. It waits for its
// turn and its memory like every other.
func (h *Hasher) verifyForeign(ctx context.Context, pw, stored string) (ok, weaker bool, err error) {
	f, err := parseForeign(stored)
	if err != nil {
		return false, false, err
	}
	pw, invalid := Normalize(pw)
	if err := h.do(ctx, f.memory, func() error { ok = f.same(pw); return nil }); err != nil {
		return false, false, err
	}
	return ok && invalid == nil, true, nil
}

// Burn takes as long as Verify does for a hash made now. It is for accounts that
// do not exist or must not sign in: their answer comes no sooner (ASVS 6.3.8).
func (h *Hasher) Burn(ctx context.Context, pw string) error {
	_, _, err := h.Verify(ctx, pw, h.nobody)
	return err
}

// MatchesAny says whether one of the hashes is that of pw, as for a history of
// passwords that must not come back. It takes a new place in the queue for each.
func (h *Hasher) MatchesAny(ctx context.Context, pw string, phcs []string) (bool, error) {
	for _, phc := range phcs {
		if ok, _, err := h.Verify(ctx, pw, phc); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// Waiting returns how many calls wait for a slot now.
func (h *Hasher) Waiting() int { return int(h.waiting.Load()) }

func (h *Hasher) costs() Params {
	return Params{
		Memory: h.params.Memory, Time: h.params.Iterations, Parallelism: h.params.Parallelism,
		SaltLen: h.params.SaltLength, KeyLen: h.params.KeyLength,
	}
}

// do runs fn, which needs that much memory in KiB, when its turn comes. A hash
// that has begun is not interrupted.
func (h *Hasher) do(ctx context.Context, memory uint32, fn func() error) error {
	// A cheaper hash keeps a core busy all the same; a dearer one than all
	// slots together runs alone.
	n := min(max(int64(memory), int64(h.params.Memory)), h.memory)
	h.waiting.Add(1)
	err := h.slots.Acquire(ctx, n)
	h.waiting.Add(-1)
	if err != nil {
		return err
	}
	defer h.slots.Release(n)
	return fn()
}

// maxPHC is longer than any PHC string within MaxParams.
const maxPHC = 256

// decode returns the parameters of a stored hash, or ErrHash. It accepts only
// the one spelling that Hash makes: the parser beneath lets trailing garbage
// pass, an empty key equals every other, and no passes at all is a panic.
func decode(phc string) (Params, error) {
	if len(phc) > maxPHC {
		return Params{}, ErrHash
	}
	stored, salt, key, err := argon2id.DecodeHash(phc)
	if err != nil {
		return Params{}, ErrHash
	}
	p := Params{
		Memory: stored.Memory, Time: stored.Iterations, Parallelism: stored.Parallelism,
		SaltLen: stored.SaltLength, KeyLen: stored.KeyLength,
	}
	if p.bounded() != nil || encode(stored, salt, key) != phc {
		return Params{}, ErrHash
	}
	return p, nil
}

// encode spells a hash as a PHC string.
func encode(p *argon2id.Params, salt, key []byte) string {
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, p.Memory, p.Iterations, p.Parallelism, b64(salt), b64(key))
}
