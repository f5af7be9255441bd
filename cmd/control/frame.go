// Frames and messages: the whole of what crosses the socket.

package control

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"
)

// Version is the version of the protocol. Both sides are nearly always the same
// binary; where they are not, an unequal version is refused rather than guessed at.
const Version = 2

// Bounds of what is read from the other side.
const (
	// MaxFrame is how long the payload of a frame may be, in bytes; a request's may be longer.
	MaxFrame = 64 << 10
	// MaxRequest is how much a request may hold: the bytes of its arguments and its
	// directory, with argCost for each argument. It is what Linux passes to a program
	// on its command line where nobody has raised that.
	MaxRequest = 2 << 20

	argCost = 9       // bytes: an end and a pointer, as Linux counts
	maxWord = 1 << 10 // bytes of a language or zone
	// maxRequestFrame bounds the payload of a request: it is JSON with base64 in it.
	maxRequestFrame = MaxRequest/3*4 + MaxFrame
)

// Errors of the protocol.
var (
	// ErrProtocol says that the other side does not speak this protocol, or another version of it.
	ErrProtocol = errors.New("control: not this protocol")
	// ErrTooMuch says that a request holds more than MaxRequest. Nothing was sent.
	ErrTooMuch = errors.New("control: more than a request may hold")
)

// kind is what a frame holds.
type kind byte

const (
	kindGreeting kind = 'g' // server first: Greeting as JSON
	kindRequest  kind = 'q' // client, once: Request as JSON
	kindOut      kind = 'o' // server: bytes for standard output
	kindErr      kind = 'e' // server: bytes for standard error
	kindAlive    kind = 'a' // server, now and then: empty
	kindExit     kind = 'x' // server, last: the exit code, one byte
)

func (k kind) known() bool {
	switch k {
	case kindGreeting, kindRequest, kindOut, kindErr, kindAlive, kindExit:
		return true
	}
	return false
}

// most is how long the payload of a frame may be.
func (k kind) most() int {
	if k == kindRequest {
		return maxRequestFrame
	}
	return MaxFrame
}

// Greeting says who holds the data.
type Greeting struct {
	Version int       `json:"version"`
	PID     int       `json:"pid"`
	Command string    `json:"command"` // the verb that the process runs: "serve"
	Since   time.Time `json:"since"`
	SSH     string    `json:"ssh,omitempty"`  // the address of its SSH door
	Busy    bool      `json:"busy,omitempty"` // it takes no request now, and says no more than that
}

// Request is one verb to be carried out. What was typed, and where, need not be
// UTF-8: file names are not.
type Request struct {
	Version  int
	Args     []string // without the program's name
	Dir      string   // what relative paths are relative to; absolute
	Language string   // BCP 47
	Zone     string   // IANA name of the time zone, "" when it has none
}

// wireRequest is a Request on its way. JSON would replace what is not UTF-8.
type wireRequest struct {
	Version  int    `json:"version"`
	Args     []byte `json:"args"` // each with its length, a uvarint, before it
	Dir      []byte `json:"dir"`
	Language string `json:"language"`
	Zone     string `json:"zone"`
}

// MarshalJSON writes the request as it is sent.
func (q Request) MarshalJSON() ([]byte, error) {
	var args []byte
	for _, a := range q.Args {
		args = append(binary.AppendUvarint(args, uint64(len(a))), a...)
	}
	return json.Marshal(wireRequest{Version: q.Version, Args: args, Dir: []byte(q.Dir), Language: q.Language, Zone: q.Zone})
}

// UnmarshalJSON reads what MarshalJSON writes. It gives up with ErrProtocol before
// it holds more arguments than a request may.
func (q *Request) UnmarshalJSON(b []byte) error {
	var w wireRequest
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	*q = Request{Version: w.Version, Dir: string(w.Dir), Language: w.Language, Zone: w.Zone}
	for rest, held := w.Args, 0; len(rest) > 0; {
		n, width := binary.Uvarint(rest)
		if width <= 0 || n > uint64(len(rest)-width) {
			return fmt.Errorf("%w: the length of an argument", ErrProtocol)
		}
		rest = rest[width:]
		if held += int(n) + argCost; held > MaxRequest {
			return fmt.Errorf("%w: too many arguments", ErrProtocol)
		}
		q.Args, rest = append(q.Args, string(rest[:n])), rest[n:]
	}
	return nil
}

// size is what MaxRequest bounds.
func (q Request) size() int {
	n := len(q.Dir)
	for _, a := range q.Args {
		n += len(a) + argCost
	}
	return n
}

// frameHeader is a kind and the length of the payload, big-endian.
const frameHeader = 5

// writeFrame writes one frame.
func writeFrame(w io.Writer, k kind, payload []byte) error {
	if len(payload) > k.most() {
		return fmt.Errorf("%w: a frame of %d bytes", ErrProtocol, len(payload))
	}
	frame := make([]byte, frameHeader, frameHeader+len(payload))
	frame[0] = byte(k)
	binary.BigEndian.PutUint32(frame[1:], uint32(len(payload)))
	_, err := w.Write(append(frame, payload...))
	return err
}

// readFrame reads one frame. It never holds much more than has come, nor more than
// a frame of the kind may be long. io.EOF means that the other side ended between
// two frames.
func readFrame(r io.Reader) (kind, []byte, error) {
	var header [frameHeader]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return 0, nil, err
	}
	k, n := kind(header[0]), binary.BigEndian.Uint32(header[1:])
	if !k.known() || n > uint32(k.most()) {
		return 0, nil, fmt.Errorf("%w: a frame of kind %q with %d bytes", ErrProtocol, header[0], n)
	}
	payload := bytes.NewBuffer(make([]byte, 0, min(n, MaxFrame)))
	if _, err := io.CopyN(payload, r, int64(n)); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return 0, nil, err
	}
	return k, payload.Bytes(), nil
}

// readJSON reads a frame of one kind into v.
func readJSON(r io.Reader, want kind, v any) error {
	k, payload, err := readFrame(r)
	if err != nil {
		return err
	}
	if k != want {
		return fmt.Errorf("%w: a frame of kind %q where %q belongs", ErrProtocol, byte(k), byte(want))
	}
	if err := json.Unmarshal(payload, v); err != nil {
		return fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	return nil
}

// writeJSON writes v as one frame.
func writeJSON(w io.Writer, k kind, v any) error {
	payload, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	return writeFrame(w, k, payload)
}

// Validate refuses with ErrProtocol what no client of this version sends, and with
// ErrTooMuch what is more than MaxRequest.
func (q Request) Validate() error {
	switch {
	case q.Version != Version:
		return fmt.Errorf("%w: version %d, not %d", ErrProtocol, q.Version, Version)
	case q.size() > MaxRequest:
		return fmt.Errorf("%w: %d bytes", ErrTooMuch, q.size())
	case !filepath.IsAbs(q.Dir) || strings.ContainsRune(q.Dir, 0):
		return fmt.Errorf("%w: the directory is not absolute", ErrProtocol)
	case !word(q.Language) || !word(q.Zone):
		return fmt.Errorf("%w: language or zone", ErrProtocol)
	}
	return nil
}

// word says whether s is a short line of UTF-8.
func word(s string) bool {
	return len(s) <= maxWord && utf8.ValidString(s) && !strings.ContainsAny(s, "\x00\n\r")
}

// readRequest reads and checks a request.
func readRequest(r io.Reader) (Request, error) {
	var q Request
	if err := readJSON(r, kindRequest, &q); err != nil {
		return Request{}, err
	}
	return q, q.Validate()
}
