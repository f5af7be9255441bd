// Frames and messages: the whole of what crosses the socket.

package control

import (
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
const Version = 1

// Bounds of what is read from the other side.
const (
	MaxFrame = 64 << 10 // bytes of one frame's payload
	MaxArgs  = 64       // arguments of a request
	MaxArg   = 8 << 10  // bytes of one argument
)

// ErrProtocol says that the other side does not speak this protocol, or another version of it.
var ErrProtocol = errors.New("control: not this protocol")

// kind is what a frame holds.
type kind byte

const (
	kindGreeting kind = 'g' // server first: Greeting as JSON
	kindRequest  kind = 'q' // client, once: Request as JSON
	kindOut      kind = 'o' // server: bytes for standard output
	kindErr      kind = 'e' // server: bytes for standard error
	kindExit     kind = 'x' // server, last: the exit code, one byte
)

func (k kind) known() bool {
	switch k {
	case kindGreeting, kindRequest, kindOut, kindErr, kindExit:
		return true
	}
	return false
}

// Greeting says who holds the data.
type Greeting struct {
	Version int       `json:"version"`
	PID     int       `json:"pid"`
	Command string    `json:"command"` // the verb that the process runs: "serve"
	Since   time.Time `json:"since"`
	SSH     string    `json:"ssh,omitempty"` // the address of its SSH door
}

// Request is one verb to be carried out.
type Request struct {
	Version  int      `json:"version"`
	Args     []string `json:"args"`     // without the program's name
	Dir      string   `json:"dir"`      // what relative paths are relative to; absolute
	Language string   `json:"language"` // BCP 47
	Zone     string   `json:"zone"`     // IANA name of the time zone, "" when it has none
}

// frameHeader is a kind and the length of the payload, big-endian.
const frameHeader = 5

// writeFrame writes one frame.
func writeFrame(w io.Writer, k kind, payload []byte) error {
	if len(payload) > MaxFrame {
		return fmt.Errorf("%w: a frame of %d bytes", ErrProtocol, len(payload))
	}
	frame := make([]byte, frameHeader, frameHeader+len(payload))
	frame[0] = byte(k)
	binary.BigEndian.PutUint32(frame[1:], uint32(len(payload)))
	_, err := w.Write(append(frame, payload...))
	return err
}

// readFrame reads one frame. It never holds more than MaxFrame. io.EOF means
// that the other side ended between two frames.
func readFrame(r io.Reader) (kind, []byte, error) {
	var header [frameHeader]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return 0, nil, err
	}
	k, n := kind(header[0]), binary.BigEndian.Uint32(header[1:])
	if !k.known() || n > MaxFrame {
		return 0, nil, fmt.Errorf("%w: a frame of kind %q with %d bytes", ErrProtocol, header[0], n)
	}
	payload := make([]byte, n)
	if _, err := io.ReadFull(r, payload); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return 0, nil, err
	}
	return k, payload, nil
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

// Validate refuses with ErrProtocol what no client of this version sends.
func (q Request) Validate() error {
	switch {
	case q.Version != Version:
		return fmt.Errorf("%w: version %d, not %d", ErrProtocol, q.Version, Version)
	case len(q.Args) > MaxArgs:
		return fmt.Errorf("%w: %d arguments", ErrProtocol, len(q.Args))
	case !filepath.IsAbs(q.Dir) || !line(q.Dir):
		return fmt.Errorf("%w: the directory is not absolute", ErrProtocol)
	case !line(q.Language) || !line(q.Zone):
		return fmt.Errorf("%w: language or zone", ErrProtocol)
	}
	for _, a := range q.Args {
		if len(a) > MaxArg || strings.ContainsRune(a, 0) {
			return fmt.Errorf("%w: an argument", ErrProtocol)
		}
	}
	return nil
}

// line says whether s is a bounded line of UTF-8.
func line(s string) bool {
	return len(s) <= MaxArg && utf8.ValidString(s) && !strings.ContainsAny(s, "\x00\n\r")
}

// readRequest reads and checks a request.
func readRequest(r io.Reader) (Request, error) {
	var q Request
	if err := readJSON(r, kindRequest, &q); err != nil {
		return Request{}, err
	}
	return q, q.Validate()
}
