// One line of an import as an account.

package core

import (
	"strings"
	"time"

	"postern/core/password"
)

// importRow is a line that was looked at as far as that needs no store: an
// account, or a refusal.
type importRow struct {
	line      int
	account   Account
	cred      Credential
	fields    map[string]string // as they stand there; the policy decides about them
	confirmed bool
	err       *Error
}

// row validates a line as sign-up does, and gives the account what it needs to be
// written. Its error is none of the line.
func (r *importRun) row(line int, in importInput) (importRow, error) {
	row := importRow{line: line, fields: in.fields}
	if err := row.read(in.columns, r.clock.Now(), r.zone); err != nil {
		row.err, _ = err.(*Error)
		if row.err == nil {
			return row, err
		}
		return row, nil
	}
	var err error
	if row.account.ID, err = r.ids.new(r.clock.Now()); err != nil {
		return row, err
	}
	row.cred.Trail, err = r.newTrailKey()
	return row, err
}

// read fills the account from its columns.
func (row *importRow) read(in map[string]string, now time.Time, zone func(string) bool) (err error) {
	a := &row.account
	if a.UserName, err = cleanUserName(in[colUserName]); err != nil {
		return err
	}
	if a.DisplayName, err = cleanDisplayName(in[colDisplayName], a.UserName); err != nil {
		return err
	}
	if a.Email, err = cleanEmail(in[colEmail], false); err != nil {
		return err
	}
	if row.confirmed, err = truth(colEmailConfirmed, in[colEmailConfirmed]); err != nil {
		return err
	}
	if row.confirmed && a.Email == "" {
		return refuseField(CodeRequired, colEmail)
	}
	switch a.State = State(in[colState]); a.State {
	case "":
		a.State = StateActive
	case StateActive, StateSuspended, StatePending:
	default:
		return refuseField(CodeFormat, colState)
	}
	if a.Created, err = importTime(in[colCreated], now); err != nil {
		return err
	}
	if a.Language = in[colLanguage]; !validLanguage.MatchString(a.Language) {
		return refuseField(CodeFormat, colLanguage)
	}
	if a.TimeZone = in[colTimeZone]; !zone(a.TimeZone) {
		return refuseField(CodeFormat, colTimeZone)
	}
	if row.cred.Hash, err = importHash(in[colHash]); err != nil {
		return err
	}
	row.cred.Expired, err = truth(colExpired, in[colExpired])
	return err
}

// zone says whether a time zone is one. Looking it up reads a file; a million lines
// have few of them.
func (r *importRun) zone(name string) bool {
	if !r.zones[name] && validZone(name) {
		r.zones[name] = true
	}
	return r.zones[name]
}

// importHash accepts the hash of a password that another program made, or none.
func importHash(stored string) (string, error) {
	if stored == "" {
		return "", nil
	}
	if strings.ContainsFunc(stored, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", refuseField(CodeFormat, colHash)
	}
	if _, err := password.Scheme(stored); err != nil {
		return "", refuseField(CodeFormat, colHash)
	}
	return stored, nil
}

// importTime reads when an account was made; it may be left out.
func importTime(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, s)
	if err != nil || at.Year() < 1970 || at.After(now) {
		return time.Time{}, refuseField(CodeFormat, colCreated)
	}
	return at.UTC(), nil
}

// truth reads a yes or no; left out it is no.
func truth(field, s string) (bool, error) {
	switch strings.ToLower(s) {
	case "true", "yes", "1":
		return true, nil
	case "false", "no", "0", "":
		return false, nil
	}
	return false, refuseField(CodeFormat, field)
}
