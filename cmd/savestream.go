// Files that are too long to be held in memory before they are written.

package cmd

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"postern/screens"
)

// saving is a new file, under another name until it is whole.
type saving struct {
	file *os.File
	path string
	once sync.Once
}

var _ screens.Saving = (*saving)(nil)

// createHere begins a new file in the directory that the program was started in,
// readable by its owner alone. Like saveHere it never takes a name that is in
// use, a link's too: the error is then fs.ErrExist.
func createHere(name string) (screens.Saving, error) {
	if filepath.Base(name) != name || !filepath.IsLocal(name) {
		return nil, &fs.PathError{Op: "save", Path: name, Err: fs.ErrInvalid}
	}
	s, err := beginFile(name)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// beginFile begins a new file at a path.
func beginFile(path string) (*saving, error) {
	if whole, err := filepath.Abs(path); err == nil {
		path = whole
	}
	if _, err := os.Lstat(path); err == nil { // found out before anything is written
		return nil, &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".postern-*.part") // mode 0600
	if err != nil {
		return nil, err
	}
	return &saving{file: f, path: path}, nil
}

// Write writes on.
func (s *saving) Write(b []byte) (int, error) { return s.file.Write(b) }

// Keep makes the file whole and durable, and gives it its name.
func (s *saving) Keep() (string, error) {
	defer s.Drop()
	if err := errors.Join(s.file.Sync(), s.file.Close()); err != nil {
		return s.path, err
	}
	// A hard link takes no name that is in use, whoever was quicker; where there
	// are none, looking before has to do.
	if err := os.Link(s.file.Name(), s.path); errors.Is(err, fs.ErrExist) {
		return s.path, &fs.PathError{Op: "create", Path: s.path, Err: fs.ErrExist}
	} else if err != nil {
		if _, err := os.Lstat(s.path); err == nil {
			return s.path, &fs.PathError{Op: "create", Path: s.path, Err: fs.ErrExist}
		}
		if err := os.Rename(s.file.Name(), s.path); err != nil {
			return s.path, err
		}
	}
	return s.path, syncDir(filepath.Dir(s.path))
}

// Drop removes what is not kept.
func (s *saving) Drop() {
	s.once.Do(func() {
		_ = s.file.Close() // Keep has closed it already
		_ = os.Remove(s.file.Name())
	})
}
