package bolt

import "fmt"

// Code says why a database was not opened.
type Code string

// The codes of an OpenError.
const (
	CodeLocked         Code = "locked"          // another process holds the data; see OpenError.Holder
	CodeMissing        Code = "missing"         // there was a database, or must be one, and the file is not there
	CodeEmptied        Code = "emptied"         // the file is there and has nothing in it
	CodeTruncated      Code = "truncated"       // the file is shorter than its own header says
	CodeForeign        Code = "foreign"         // the file is something else
	CodeReplaced       Code = "replaced"        // the file is a database, but not the one the marker names
	CodeDamaged        Code = "damaged"         // what was read is not what was written
	CodeNewer          Code = "newer"           // written by a newer version of the program
	CodeMissingKeyset  Code = "missing_keyset"  // the keyset file is not there
	CodeDamagedKeyset  Code = "damaged_keyset"  // the keyset file cannot be read
	CodeWrongKeyset    Code = "wrong_keyset"    // the keyset does not open this database
	CodeExposed        Code = "exposed"         // others than the owner may read the directory or a file in it
	CodeUnwritable     Code = "unwritable"      // the directory or a file in it cannot be written
	CodeExists         Code = "exists"          // Restore found data where it was to put some
	CodeNoDirectory    Code = "no_directory"    // the path of the directory is something else
	CodeDamagedBackup  Code = "damaged_backup"  // the backup is not whole, or not a backup
	CodeUnreadableFile Code = "unreadable_file" // the file system refused to read a file
)

// OpenError is a refusal to open, restore or verify. Nothing was changed.
type OpenError struct {
	Code   Code
	Path   string
	Detail string  // what was found, in a sentence without its full stop
	Fix    string  // what to do about it, likewise
	Holder *Holder // with CodeLocked, when the holder has said who it is
	Err    error   // the error below, if any
}

// Error implements error.
func (e *OpenError) Error() string {
	s := fmt.Sprintf("%s: %s", e.Path, e.Detail)
	if e.Fix != "" {
		s += "; " + e.Fix
	}
	return s
}

// Unwrap returns the error below.
func (e *OpenError) Unwrap() error { return e.Err }

// Is makes errors.Is find any OpenError of the same code.
func (e *OpenError) Is(target error) bool {
	t, ok := target.(*OpenError)
	return ok && t.Path == "" && t.Code == e.Code
}
