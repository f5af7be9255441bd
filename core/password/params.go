package password

import "errors"

// Params are the costs of Argon2id (RFC 9106).
type Params struct {
	Memory      uint32 // KiB
	Time        uint32 // passes over the memory
	Parallelism uint8  // lanes
	SaltLen     uint32 // bytes
	KeyLen      uint32 // bytes
}

var (
	// ErrParams says that parameters are weaker than the minimum or beyond the maximum.
	ErrParams = errors.New("password: argon2id parameters out of bounds")
	// ErrHash says that a stored hash is of no form that is known (see Scheme), or
	// beyond its bounds. It is refused before anything is computed.
	ErrHash = errors.New("password: stored hash is not valid")
)

// DefaultParams are what RFC 9106 calls the second recommended option, with one
// lane, since a portal's cores have other sign-ins to serve.
func DefaultParams() Params {
	return Params{Memory: 64 << 10, Time: 3, Parallelism: 1, SaltLen: 16, KeyLen: 32}
}

// MinParams are the least that OWASP's password storage cheat sheet accepts.
func MinParams() Params {
	return Params{Memory: 19 << 10, Time: 2, Parallelism: 1, SaltLen: 16, KeyLen: 16}
}

// MaxParams bound both settings and stored hashes: a tampered record must not
// be able to eat the memory or the time of the whole portal.
func MaxParams() Params {
	return Params{Memory: 256 << 10, Time: 10, Parallelism: 16, SaltLen: 64, KeyLen: 64}
}

// CheapParams cost next to nothing. They are for demonstrations with invented
// people and for tests, and only NewInsecureHasher takes them.
func CheapParams() Params {
	return Params{Memory: 8, Time: 1, Parallelism: 1, SaltLen: 16, KeyLen: 16}
}

// Validate returns ErrParams unless p lies between MinParams and MaxParams.
// Less memory than the minimum is not made up for by more passes.
func (p Params) Validate() error {
	if !p.covers(MinParams()) {
		return ErrParams
	}
	return p.bounded()
}

// bounded returns ErrParams unless Argon2 is defined for p and p is within MaxParams.
func (p Params) bounded() error {
	if !MaxParams().covers(p) || p.Time < 1 || p.Parallelism < 1 ||
		p.Memory < 8*uint32(p.Parallelism) || p.SaltLen < 8 || p.KeyLen < 16 {
		return ErrParams
	}
	return nil
}

// covers says whether every cost of p is at least that of q.
func (p Params) covers(q Params) bool {
	return p.Memory >= q.Memory && p.Time >= q.Time && p.Parallelism >= q.Parallelism &&
		p.SaltLen >= q.SaltLen && p.KeyLen >= q.KeyLen
}
