// The lines of a file that is imported, and what stands on them.

package core

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// Columns of an import, as titles of CSV and keys of JSON. Custom fields are
// columns "field.KEY" in CSV, and an object "fields" in JSON.
const (
	colUserName       = "user_name"
	colDisplayName    = "display_name"
	colEmail          = "email"
	colEmailConfirmed = "email_confirmed"
	colState          = "state"
	colCreated        = "created"
	colLanguage       = "language"
	colTimeZone       = "time_zone"
	colFields         = "fields"
	colHash           = "password_hash"
	colExpired        = "password_expired"
)

// ImportColumns returns every column but those of custom fields.
func ImportColumns() []string {
	return []string{colUserName, colDisplayName, colEmail, colEmailConfirmed, colState, colCreated, colLanguage, colTimeZone, colHash, colExpired}
}

// importInput is what a line says, by column; fields by their keys.
type importInput struct {
	columns map[string]string
	fields  map[string]string
}

// importReader reads a file line by line. It holds one line.
type importReader struct {
	lines  *bufio.Reader
	sum    hash.Hash // of what was read
	line   int       // the number of the last one
	read   int64     // bytes until its end
	length int       // bytes of it
	past   int       // lines up to this one are not looked at

	titles []string // of a CSV file
	cells  *csv.Reader
	feed   *oneLine
}

// oneLine gives its line to a csv.Reader, and then says that there is no more.
type oneLine struct{ left []byte }

// Read reads on in the line.
func (o *oneLine) Read(p []byte) (int, error) {
	if len(o.left) == 0 {
		return 0, io.EOF
	}
	n := copy(p, o.left)
	o.left = o.left[n:]
	return n, nil
}

var _ io.Reader = (*oneLine)(nil)

// newImportReader begins a file. Of CSV it reads the titles; see Import for how
// they are refused.
func newImportReader(from io.Reader, format string) (*importReader, error) {
	r := &importReader{sum: sha256.New(), feed: &oneLine{}}
	r.lines = bufio.NewReaderSize(io.TeeReader(from, r.sum), MaxImportLine+2)
	if format != ImportCSV {
		return r, nil
	}
	line, err := r.nextLine()
	if errors.Is(err, io.EOF) {
		return nil, refuseField(CodeRequired, colUserName)
	} else if err != nil {
		return nil, err
	}
	r.cells = csv.NewReader(r.feed)
	r.cells.FieldsPerRecord, r.cells.ReuseRecord = -1, true
	if !bytes.ContainsRune(line, ',') && bytes.ContainsRune(line, ';') {
		r.cells.Comma = ';' // as spreadsheets write it where the comma is in numbers
	}
	titles, err := r.split(line)
	if err != nil {
		return nil, err
	}
	for _, title := range titles {
		title = strings.TrimSpace(title)
		key, field := strings.CutPrefix(title, FieldName(""))
		if !slices.Contains(ImportColumns(), title) && !(field && validKey(key)) {
			return nil, unknownColumn(title)
		}
		if slices.Contains(r.titles, title) {
			return nil, refuseField(CodeSame, title)
		}
		r.titles = append(r.titles, title)
	}
	if !slices.Contains(r.titles, colUserName) {
		return nil, refuseField(CodeRequired, colUserName)
	}
	return r, nil
}

// unknownColumn names what there is no column for, if it can be one's name.
func unknownColumn(name string) *Error {
	if len(name) > 40 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") != "" || name == "" {
		name = "unknown" // an error repeats nothing that was typed
	}
	return &Error{Code: CodeNotFound, Field: name, Rule: "column"}
}

// unknownField makes the refusal of a custom field that there is not one of a column.
func unknownField(err error) error {
	var refusal *Error
	if errors.As(err, &refusal) && refusal.Code == CodeNotFound {
		return unknownColumn(refusal.Field)
	}
	return err
}

// next returns the next line that holds something, with its number. A *Error says
// what is wrong with this line alone; every other error ends the file.
func (r *importReader) next() (line int, in importInput, err error) {
	for {
		raw, err := r.nextLine()
		if err == nil && blankLine(raw) {
			continue
		}
		if err != nil || r.line <= r.past {
			return r.line, in, err
		}
		if r.cells == nil {
			in, err = readObject(raw)
		} else {
			in, err = r.record(raw)
		}
		return r.line, in, err
	}
}

// nextLine returns the next line without its end. CodeTooLong and CodeEncoding are
// about this one alone.
func (r *importReader) nextLine() ([]byte, error) {
	raw, err := r.lines.ReadSlice('\n')
	n := len(raw)
	long := errors.Is(err, bufio.ErrBufferFull)
	for errors.Is(err, bufio.ErrBufferFull) {
		var rest []byte
		rest, err = r.lines.ReadSlice('\n')
		n += len(rest)
	}
	if n == 0 || err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	r.line, r.read = r.line+1, r.read+int64(n)
	raw = bytes.TrimSuffix(bytes.TrimSuffix(raw, []byte("\n")), []byte("\r"))
	if r.line == 1 {
		raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf")) // some programs begin UTF-8 with a mark
	}
	r.length = len(raw)
	switch {
	case long || len(raw) > MaxImportLine:
		return nil, &Error{Code: CodeTooLong, Field: "line", N: MaxImportLine}
	case !utf8.Valid(raw):
		return nil, refuseField(CodeEncoding, "line")
	}
	return raw, nil
}

// record reads a line of CSV.
func (r *importReader) record(line []byte) (in importInput, err error) {
	cells, err := r.split(line)
	if err != nil {
		return in, err
	}
	if len(cells) != len(r.titles) {
		return in, &Error{Code: CodeFormat, Field: "columns", N: len(r.titles)}
	}
	in = importInput{columns: make(map[string]string, len(cells))}
	for i, title := range r.titles {
		if key, field := strings.CutPrefix(title, FieldName("")); field {
			if in.fields == nil {
				in.fields = map[string]string{}
			}
			in.fields[key] = cells[i]
			continue
		}
		in.columns[title] = cells[i]
	}
	return in, nil
}

// split cuts a line of CSV at its commas. A quotation mark that is left open, or
// stands where none may, is the fault of this line only.
func (r *importReader) split(line []byte) ([]string, error) {
	r.feed.left = line
	cells, err := r.cells.Read()
	if err != nil {
		_, _ = r.cells.Read() // what is left of it
		r.feed.left = nil
		return nil, refuseField(CodeFormat, "quotes")
	}
	return cells, nil
}

// readObject reads a line of JSON: one object, each key once, text in it.
func readObject(line []byte) (in importInput, err error) {
	bad := refuseField(CodeFormat, "json")
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return in, bad
	}
	in.columns = map[string]string{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return in, bad
		}
		name, _ := key.(string)
		var raw any
		if err := d.Decode(&raw); err != nil {
			return in, bad
		}
		if name == colFields {
			if in.fields != nil {
				return in, refuseField(CodeSame, colFields)
			}
			if in.fields, err = readFields(raw); err != nil {
				return in, err
			}
			continue
		}
		if !slices.Contains(ImportColumns(), name) {
			return in, unknownColumn(name)
		}
		if _, twice := in.columns[name]; twice {
			return in, refuseField(CodeSame, name)
		}
		value, ok := scalar(raw, name == colEmailConfirmed || name == colExpired, false)
		if !ok {
			return in, refuseField(CodeFormat, name)
		}
		in.columns[name] = value
	}
	if _, err := d.Token(); err != nil {
		return in, bad
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return in, bad
	}
	return in, nil
}

// readFields reads the object of custom fields. Of a key that is there twice the
// last one counts, as for every reader of JSON.
func readFields(raw any) (map[string]string, error) {
	object, ok := raw.(map[string]any)
	if !ok && raw != nil {
		return nil, refuseField(CodeFormat, colFields)
	}
	fields := make(map[string]string, len(object))
	for key, v := range object {
		value, ok := scalar(v, false, true)
		if !ok {
			if !validKey(key) {
				return nil, unknownColumn(FieldName(key))
			}
			return nil, refuseField(CodeFormat, FieldName(key))
		}
		fields[key] = value
	}
	return fields, nil
}

// scalar returns a value as CSV would have it; null is left out.
func scalar(raw any, truth, number bool) (string, bool) {
	switch v := raw.(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case bool:
		if v {
			return "true", truth
		}
		return "false", truth
	case json.Number:
		return v.String(), number
	}
	return "", false
}
