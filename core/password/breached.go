package password

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // The format of the list, not a protection.
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
)

// ErrBreachedFile says that a file is not a list of breached passwords in the
// order of their hashes.
var ErrBreachedFile = errors.New("password: not a list of SHA-1 hashes ordered by hash")

// Breached is a list of breached passwords on disk, as Have I Been Pwned offers
// it: lines "HASH:COUNT", CRLF or LF, ordered by the SHA-1 in hexadecimal. Only
// what is looked at is read, and no password leaves the machine (ASVS 6.2.12).
// It is safe for concurrent use.
type Breached struct {
	file *os.File
	size int64
}

const (
	hashLen = 2 * sha1.Size
	// maxLine is the most that one line takes: a hash, a colon, a count of
	// 64 bits and CRLF.
	maxLine = hashLen + 1 + 20 + 2
)

// OpenBreached opens the list at path. It returns ErrBreachedFile when the first
// and the last line are not what they should be; a list of gigabytes is not read
// through. The caller closes it.
func OpenBreached(path string) (*Breached, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	b := &Breached{file: file}
	if err := b.inspect(); err != nil {
		_ = file.Close() // Nothing was written.
		return nil, err
	}
	return b, nil
}

func (b *Breached) inspect() error {
	info, err := b.file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return ErrBreachedFile
	}
	b.size = info.Size()
	first, _, err := b.line(0)
	if err != nil {
		return err
	}
	at, err := b.begin(b.size-1, 0)
	if err != nil {
		return err
	}
	last, _, err := b.line(at)
	if err != nil {
		return err
	}
	if bytes.Compare(first[:], last[:]) > 0 {
		return ErrBreachedFile
	}
	return nil
}

// Close closes the file.
func (b *Breached) Close() error { return b.file.Close() }

// Contains says whether the normalized password is in the list. What Normalize
// refuses is refused with the same error; ErrBreachedFile says that a line
// on the way is no hash.
func (b *Breached) Contains(pw string) (bool, error) {
	pw, err := Normalize(pw)
	if err != nil {
		return false, err
	}
	sum := sha1.Sum([]byte(pw)) //nolint:gosec // See above.
	// Lines that begin before low sort before sum, lines that begin at high or
	// later after it. Both are always the beginning of a line.
	for low, high := int64(0), b.size; low < high; {
		middle := low + (high-low)/2
		at, err := b.begin(middle, low)
		if err != nil {
			return false, err
		}
		hash, next, err := b.line(at)
		if err != nil {
			return false, err
		}
		switch c := bytes.Compare(hash[:], sum[:]); {
		case c == 0:
			return true, nil
		case c < 0:
			low = next
		default:
			high = at
		}
	}
	return false, nil
}

// line reads the line that begins at the byte at, and returns its hash and
// where the next line begins.
func (b *Breached) line(at int64) (hash [sha1.Size]byte, next int64, err error) {
	var buf [maxLine]byte
	n, err := b.file.ReadAt(buf[:], at)
	if err != nil && err != io.EOF {
		return hash, 0, err
	}
	line, _, ended := bytes.Cut(buf[:n], []byte("\n"))
	next = at + int64(len(line)) + 1
	if !ended && next <= b.size {
		return hash, 0, badLine(at)
	}
	digest, count, counted := bytes.Cut(bytes.TrimSuffix(line, []byte("\r")), []byte(":"))
	if len(digest) != hashLen || counted && !number(count) {
		return hash, 0, badLine(at)
	}
	if _, err := hex.Decode(hash[:], digest); err != nil {
		return hash, 0, badLine(at)
	}
	return hash, next, nil
}

// begin returns where the line begins that the byte at belongs to. low is the
// beginning of that line or of one before it.
func (b *Breached) begin(at, low int64) (int64, error) {
	var buf [maxLine]byte
	from := max(low, at-maxLine)
	n, err := b.file.ReadAt(buf[:at-from], from)
	if err != nil && err != io.EOF {
		return 0, err
	}
	if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
		return from + int64(i) + 1, nil
	}
	if from > low {
		return 0, badLine(from)
	}
	return low, nil
}

func badLine(at int64) error { return fmt.Errorf("%w (byte %d)", ErrBreachedFile, at) }

func number(digits []byte) bool {
	for _, d := range digits {
		if d < '0' || d > '9' {
			return false
		}
	}
	return len(digits) > 0
}
