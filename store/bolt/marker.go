package bolt

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"

	"postern/store/internal/durable"
)

// marker is the file that says that a directory has a database, and which. It
// keeps an emptied, removed or replaced database from passing for a first run.
type marker struct {
	About  string `json:"about"`
	ID     string `json:"id"`     // the database's own id
	Keyset string `json:"keyset"` // the fingerprint of its keyset
	State  string `json:"state"`
}

const (
	markerAbout = "Postern keeps its database in this directory. Leave this file here: without it a lost database could be mistaken for a first start."
	// stateCreating says that a first run has begun and nothing was promised to anybody yet.
	stateCreating = "creating"
	stateReady    = "ready"
)

// readMarker returns the marker, nil when there is none, or an OpenError.
func readMarker(path string) (*marker, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, unreadable(path, err)
	}
	var m marker
	if json.Unmarshal(b, &m) != nil || m.ID == "" || (m.State != stateCreating && m.State != stateReady) {
		return nil, &OpenError{
			Code: CodeDamaged, Path: path, Detail: "the marker is damaged",
			Fix: "if the database beside it is yours, remove the marker; it is written anew",
		}
	}
	return &m, nil
}

// writeMarker replaces the marker durably.
func writeMarker(path string, m marker) error {
	m.About = markerAbout
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	if err := durable.WriteFile(path, bytes.NewReader(append(b, '\n'))); err != nil {
		return unwritable(path, err)
	}
	return nil
}

// unreadable is the refusal of the file system to read.
func unreadable(path string, err error) *OpenError {
	return &OpenError{
		Code: CodeUnreadableFile, Path: path, Err: err,
		Detail: "it cannot be read (" + cause(err) + ")",
		Fix:    "give this user the right to read it, and look at the disk",
	}
}
