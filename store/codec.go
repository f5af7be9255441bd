package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// ErrNewer says that a record was written by a newer version of the program,
// whose fields this one does not know. It is refused rather than read in part
// and written back without them.
var ErrNewer = errors.New("store: record is of a newer version")

// A record is kept as {"v":VERSION,"r":RECORD}. The frame is always written so,
// byte for byte, and is read by comparison: a second JSON pass would double the
// cost of a read.
const (
	frameVersion = `{"v":`
	frameRecord  = `,"r":`
	frameEnd     = `}`
)

// PartReader is a record, by its pointer, that takes what it needs out of its JSON
// itself: where a million are read for a few of their fields, to read all of each
// is most of the work. A table of such records is for reading only, beside the one
// that writes them whole.
type PartReader interface {
	// ReadPart reads from the JSON that the table wrote, which it must not keep.
	ReadPart(record []byte) error
}

// encode writes v in the frame of the version.
func encode(version int, v any) ([]byte, error) {
	record, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("store: encode record: %w", err)
	}
	b := make([]byte, 0, len(record)+24)
	b = append(b, frameVersion...)
	b = strconv.AppendInt(b, int64(version), 10)
	b = append(b, frameRecord...)
	b = append(b, record...)
	return append(b, frameEnd...), nil
}

// decode reads what encode wrote into v. It returns ErrNewer for a version
// above the given one and ErrCorrupt for anything that is no record.
func decode(version int, b []byte, v any) error {
	rest, ok := bytes.CutPrefix(b, []byte(frameVersion))
	if !ok {
		return fmt.Errorf("%w: no record frame", ErrCorrupt)
	}
	digits, rest, ok := bytes.Cut(rest, []byte(frameRecord))
	if !ok || len(digits) > 9 {
		return fmt.Errorf("%w: no record frame", ErrCorrupt)
	}
	rest, ok = bytes.CutSuffix(rest, []byte(frameEnd))
	if !ok {
		return fmt.Errorf("%w: no record frame", ErrCorrupt)
	}
	found, err := strconv.Atoi(string(digits))
	if err != nil || found < 1 {
		return fmt.Errorf("%w: no record version", ErrCorrupt)
	}
	if found > version {
		return fmt.Errorf("%w: %d, this program knows %d", ErrNewer, found, version)
	}
	if part, ok := v.(PartReader); ok {
		if err := part.ReadPart(rest); err != nil {
			return fmt.Errorf("%w: record is not of its type", ErrCorrupt)
		}
		return nil
	}
	if err := json.Unmarshal(rest, v); err != nil {
		// The decoder's own message may quote the record, which may hold secrets.
		return fmt.Errorf("%w: record is not valid JSON of its type", ErrCorrupt)
	}
	return nil
}
