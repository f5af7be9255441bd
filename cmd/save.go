// Files that the local door writes for the person who sits at it.

package cmd

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// saveHere writes a new file into the directory that the program was started in,
// readable by its owner alone, and returns its path. What is there already, a
// link too, is left as it is: the error is then fs.ErrExist. A file that could
// not be written in full is removed again.
func saveHere(name string, content []byte) (path string, err error) {
	path = name
	if filepath.Base(name) != name || !filepath.IsLocal(name) {
		return path, &fs.PathError{Op: "save", Path: name, Err: fs.ErrInvalid}
	}
	if whole, err := filepath.Abs(name); err == nil {
		path = whole
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return path, err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(path)
	}
	return path, err
}
