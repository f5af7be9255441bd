package password

import (
	"crypto/pbkdf2"
	"crypto/sha1" //nolint:gosec // PBKDF2 with HMAC-SHA-1 is what some bring along; nothing here is made with it.
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"hash"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/scrypt"
)

// Bounds of hashes that were made elsewhere. One of them is as much work as the
// dearest of our own, or less: a line of an import must not be able to keep a
// portal busy at every guess.
const (
	maxBcryptCost   = 14        // 2^14 rounds
	maxScryptWork   = 256 << 20 // bytes that are filled: 128·N·r·p
	maxPBKDF2Blocks = 5_000_000 // iterations, times the blocks of the key; of SHA-512, which is slower, 2,000,000
	minSalt         = 4         // bytes; what others made is not ours to wish for
	maxSalt         = 64
	minKey          = 16
	maxKey          = 64
)

// foreign is a hash that was made by another program.
type foreign struct {
	scheme string
	memory uint32               // KiB that it takes
	same   func(pw string) bool // compares in constant time
}

// Schemes are the forms of hashes that Verify knows beside argon2id. The names
// are those of the forms: PHC strings, those of crypt and passlib, and Django's.
var schemes = []struct {
	prefix string
	parse  func(parts []string) (foreign, bool)
}{
	{"$2", parseBcrypt},
	{"$argon2i$", parseArgon2i},
	{"$scrypt$", parseScrypt},
	{"$pbkdf2$", passlibPBKDF2(sha1.New, sha1.Size)},
	{"$pbkdf2-sha256$", passlibPBKDF2(sha256.New, sha256.Size)},
	{"$pbkdf2-sha512$", passlibPBKDF2(sha512.New, sha512.Size)},
	{"pbkdf2_sha1$", djangoPBKDF2(sha1.New, sha1.Size)},
	{"pbkdf2_sha256$", djangoPBKDF2(sha256.New, sha256.Size)},
}

// Scheme names the form of a stored hash that Verify can check: "argon2id",
// "argon2i", "bcrypt", "scrypt", "pbkdf2", "pbkdf2-sha256" and so on. It computes
// nothing. ErrHash for every other, and for one beyond the bounds.
//
// Checked are argon2id and argon2i (PHC strings of version 19), bcrypt ($2a$,
// $2b$, $2y$), scrypt and PBKDF2 as passlib writes them ($scrypt$ln=…,r=…,p=…$,
// $pbkdf2$, $pbkdf2-sha256$, $pbkdf2-sha512$) and PBKDF2 as Django does
// (pbkdf2_sha256$…). All but argon2id are replaced when they have been verified.
func Scheme(stored string) (string, error) {
	if strings.HasPrefix(stored, "$argon2id$") {
		_, err := decode(stored)
		return "argon2id", err
	}
	f, err := parseForeign(stored)
	return f.scheme, err
}

// parseForeign reads a hash of another program; ErrHash.
func parseForeign(stored string) (foreign, error) {
	if len(stored) > maxPHC {
		return foreign{}, ErrHash
	}
	for _, s := range schemes {
		if !strings.HasPrefix(stored, s.prefix) {
			continue
		}
		f, ok := s.parse(strings.Split(stored, "$"))
		if !ok {
			return foreign{}, ErrHash
		}
		if f.scheme == "" {
			f.scheme = strings.ReplaceAll(strings.Trim(s.prefix, "$"), "_", "-")
		}
		return f, nil
	}
	return foreign{}, ErrHash
}

// parseBcrypt reads $2b$12$ and 53 characters. Of a password bcrypt sees the first
// 72 bytes; what comes after them counted for nothing where it was made, and does
// not here.
func parseBcrypt(parts []string) (foreign, bool) {
	if len(parts) != 4 || len(parts[3]) != 53 || len(parts[2]) != 2 {
		return foreign{}, false
	}
	if v := parts[1]; v != "2a" && v != "2b" && v != "2y" {
		return foreign{}, false
	}
	stored := strings.Join(parts, "$")
	for _, c := range []byte(parts[3]) {
		if c != '.' && c != '/' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return foreign{}, false
		}
	}
	cost, ok := decimal(parts[2], bcrypt.MinCost, maxBcryptCost)
	if !ok && parts[2][0] == '0' {
		cost, ok = decimal(parts[2][1:], bcrypt.MinCost, maxBcryptCost)
	}
	if real, err := bcrypt.Cost([]byte(stored)); !ok || err != nil || real != cost {
		return foreign{}, false
	}
	return foreign{scheme: "bcrypt", memory: 4, same: func(pw string) bool {
		return bcrypt.CompareHashAndPassword([]byte(stored), []byte(pw)) == nil
	}}, true
}

// parseArgon2i reads $argon2i$v=19$m=…,t=…,p=…$salt$key.
func parseArgon2i(parts []string) (foreign, bool) {
	if len(parts) != 6 || parts[2] != "v="+strconv.Itoa(argon2.Version) {
		return foreign{}, false
	}
	costs, ok := parameters(parts[3], "m", "t", "p")
	salt, saltOK := unpadded(base64.RawStdEncoding, parts[4], minSalt, maxSalt)
	key, keyOK := unpadded(base64.RawStdEncoding, parts[5], minKey, maxKey)
	most := MaxParams()
	if !ok || !saltOK || !keyOK || costs[0] > int(most.Memory) || costs[1] > int(most.Time) || costs[2] > int(most.Parallelism) {
		return foreign{}, false
	}
	p := Params{Memory: uint32(costs[0]), Time: uint32(costs[1]), Parallelism: uint8(costs[2]), SaltLen: 8, KeyLen: uint32(len(key))}
	if p.bounded() != nil {
		return foreign{}, false
	}
	return foreign{memory: p.Memory, same: func(pw string) bool {
		return equal(argon2.Key([]byte(pw), salt, p.Time, p.Memory, p.Parallelism, p.KeyLen), key)
	}}, true
}

// parseScrypt reads $scrypt$ln=…,r=…,p=…$salt$key (RFC 7914; ln is log2 N).
func parseScrypt(parts []string) (foreign, bool) {
	if len(parts) != 5 {
		return foreign{}, false
	}
	costs, ok := parameters(parts[2], "ln", "r", "p")
	salt, saltOK := unpadded(base64.RawStdEncoding, parts[3], minSalt, maxSalt)
	key, keyOK := unpadded(base64.RawStdEncoding, parts[4], minKey, maxKey)
	if !ok || !saltOK || !keyOK || costs[0] > 21 || costs[1] > 64 || costs[2] > 64 {
		return foreign{}, false
	}
	n, r, p := 1<<costs[0], costs[1], costs[2]
	if 128*n*r*p > maxScryptWork {
		return foreign{}, false
	}
	return foreign{memory: uint32(max(128*n*r>>10, 1)), same: func(pw string) bool {
		got, err := scrypt.Key([]byte(pw), salt, n, r, p, len(key))
		return err == nil && equal(got, key)
	}}, true
}

// passlibPBKDF2 reads $pbkdf2-…$iterations$salt$key, in passlib's base 64, which
// has a dot for the plus.
func passlibPBKDF2(h func() hash.Hash, size int) func([]string) (foreign, bool) {
	return func(parts []string) (foreign, bool) {
		if len(parts) != 5 || strings.Contains(parts[3]+parts[4], "+") {
			return foreign{}, false
		}
		adapted := strings.NewReplacer(".", "+")
		salt, saltOK := unpadded(base64.RawStdEncoding, adapted.Replace(parts[3]), minSalt, maxSalt)
		key, keyOK := unpadded(base64.RawStdEncoding, adapted.Replace(parts[4]), minKey, maxKey)
		if !saltOK || !keyOK {
			return foreign{}, false
		}
		return newPBKDF2(h, size, parts[2], salt, key)
	}
}

// djangoPBKDF2 reads pbkdf2_…$iterations$salt$key; the salt is used as it stands.
func djangoPBKDF2(h func() hash.Hash, size int) func([]string) (foreign, bool) {
	return func(parts []string) (foreign, bool) {
		if len(parts) != 4 || len(parts[2]) < minSalt || len(parts[2]) > maxSalt {
			return foreign{}, false
		}
		key, ok := unpadded(base64.StdEncoding, parts[3], minKey, maxKey)
		if !ok {
			return foreign{}, false
		}
		return newPBKDF2(h, size, parts[1], []byte(parts[2]), key)
	}
}

func newPBKDF2(h func() hash.Hash, size int, iterations string, salt, key []byte) (foreign, bool) {
	most := maxPBKDF2Blocks
	if size == sha512.Size {
		most = most * 2 / 5
	}
	n, ok := decimal(iterations, 1, most)
	if blocks := (len(key) + size - 1) / size; !ok || n*blocks > most {
		return foreign{}, false
	}
	return foreign{memory: 1, same: func(pw string) bool {
		got, err := pbkdf2.Key(h, pw, salt, n, len(key))
		return err == nil && equal(got, key)
	}}, true
}

func equal(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }

// parameters reads "m=65536,t=3,p=1": these names in this order.
func parameters(s string, names ...string) ([]int, bool) {
	parts := strings.Split(s, ",")
	if len(parts) != len(names) {
		return nil, false
	}
	values := make([]int, len(names))
	for i, part := range parts {
		v, found := strings.CutPrefix(part, names[i]+"=")
		n, ok := decimal(v, 1, 1<<30)
		if !found || !ok {
			return nil, false
		}
		values[i] = n
	}
	return values, true
}

// decimal reads a number in its only spelling.
func decimal(s string, least, most int) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && strconv.Itoa(n) == s && n >= least && n <= most
}

// unpadded decodes base 64 of so many bytes, in its only spelling.
func unpadded(enc *base64.Encoding, s string, least, most int) ([]byte, bool) {
	b, err := enc.Strict().DecodeString(s)
	return b, err == nil && !strings.ContainsAny(s, "\r\n") && len(b) >= least && len(b) <= most
}
