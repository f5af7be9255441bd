//go:build unix

package bolt

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Holder is the process that holds a data directory, in its own words.
type Holder struct {
	PID     int       `json:"pid"`
	Command string    `json:"command"` // the verb it runs, "serve" for one
	Since   time.Time `json:"since"`
}

// String returns a phrase such as "process 4711 (serve, since 2026-01-02 15:04:05 UTC)".
func (h *Holder) String() string {
	return fmt.Sprintf("process %d (%s, since %s)", h.PID, h.Command, h.Since.UTC().Format("2006-01-02 15:04:05 UTC"))
}

// lock is the lock on a data directory: an advisory lock on a file in which the
// holder writes who it is. The kernel drops the lock with the process, so what a
// crashed holder wrote is never taken for a living one: it is only read while
// somebody has the lock.
type lock struct {
	f *os.File
}

const lockPoll = 20 * time.Millisecond

// acquire takes the lock within the timeout, or returns an OpenError with
// CodeLocked, CodeUnwritable, or the context's error.
func acquire(ctx context.Context, path string, self Holder, timeout time.Duration) (*lock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, unwritable(path, err)
	}
	deadline := time.Now().Add(timeout)
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			break
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			f.Close()
			return nil, unwritable(path, err)
		}
		if time.Now().After(deadline) {
			defer f.Close()
			return nil, locked(path, readHolder(f))
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		case <-time.After(lockPoll):
		}
	}
	l := &lock{f: f}
	if err := l.write(self); err != nil {
		l.release()
		return nil, unwritable(path, err)
	}
	return l, nil
}

// locked is the refusal when somebody else has the data.
func locked(path string, h *Holder) *OpenError {
	who := "another process"
	if h != nil {
		who = h.String()
	}
	return &OpenError{
		Code: CodeLocked, Path: path, Holder: h,
		Detail: "the data is in use by " + who,
		Fix:    "use that one, or stop it first",
	}
}

// unwritable is the refusal of the file system to write.
func unwritable(path string, err error) *OpenError {
	return &OpenError{
		Code: CodeUnwritable, Path: path, Err: err,
		Detail: "it cannot be written (" + cause(err) + ")",
		Fix:    "make the directory writable for this user, or choose another with --data",
	}
}

// cause returns the error of the system alone, since the path is said already.
func cause(err error) string {
	var errno unix.Errno
	if errors.As(err, &errno) {
		return errno.Error()
	}
	return err.Error()
}

// write says who holds the lock.
func (l *lock) write(h Holder) error {
	b, err := json.Marshal(h)
	if err != nil {
		return err
	}
	if err := l.f.Truncate(0); err != nil {
		return err
	}
	_, err = l.f.WriteAt(append(b, '\n'), 0)
	return err
}

// readHolder returns what the holder wrote, or nil when it cannot be read.
func readHolder(f *os.File) *Holder {
	b, err := io.ReadAll(io.NewSectionReader(f, 0, 4096))
	if err != nil {
		return nil
	}
	var h Holder
	if json.Unmarshal(b, &h) != nil || h.PID <= 0 {
		return nil
	}
	return &h
}

// release gives the lock up. The file stays: removing it would let two
// processes lock two files of the same name.
func (l *lock) release() {
	_ = l.f.Truncate(0) // only what we wrote about ourselves; the lock itself goes with Close
	_ = l.f.Close()
}
