// Agreements: what people accept before they come in, by name and version. A new
// version is asked for at the next sign-in; what was accepted, when and from
// where stays for good.

package core

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"postern/core/text"
	"postern/store"
)

// Bounds of agreements.
const (
	MaxAgreements     = 10 // that are in force at once
	MaxAgreementName  = 64
	MaxAgreementLink  = 300
	MaxAgreementText  = 16 << 10 // bytes
	MaxAgreementLine  = 2000     // characters
	agreementKeyspace = "%s.%08d"
)

// Agreement is one version of an agreement.
type Agreement struct {
	ID      string `json:"id"`      // all versions share it
	Version int    `json:"version"` // from 1
	Name    string `json:"name"`
	Link    string `json:"link,omitempty"` // where it can be read
	// Text is the agreement itself, in lines, where it is kept here. It is left out
	// of listings.
	Text string `json:"text,omitempty"`
	// Mandatory says that nobody comes in without it. Another one is asked for as
	// well, and whoever does not want it is not asked again until it changes.
	Mandatory bool      `json:"mandatory,omitempty"`
	Published time.Time `json:"published"`
	By        string    `json:"by"`
	Withdrawn time.Time `json:"withdrawn,omitzero"` // since when it is asked of nobody
}

// Ref names this very version: it is what somebody accepts.
func (a Agreement) Ref() string { return agreementRef(a.ID, a.Version) }

func agreementRef(id string, version int) string { return fmt.Sprintf(agreementKeyspace, id, version) }

// AgreementField is the Error.Field of an agreement that was not accepted.
func AgreementField(id string) string { return "agreement." + id }

func (a Agreement) current() bool { return a.Withdrawn.IsZero() }

// withoutText is an agreement for a listing.
func (a Agreement) withoutText() Agreement {
	a.Text = ""
	return a
}

// label is what the trail calls a version.
func (a Agreement) label() string { return a.Name + " " + itoa(a.Version) }

func (a Agreement) described() map[string]string {
	m := map[string]string{"name": a.Name, "version": itoa(a.Version), "mandatory": onOff(a.Mandatory)}
	if a.Link != "" {
		m["link"] = a.Link
	}
	if a.Text != "" {
		m["text"] = itoa(len(a.Text)) // how long it is; the versions hold it
	}
	return m
}

// agreements holds the newest version of each without its text, since every
// sign-in looks at them; agreementVersions holds every version, by its Ref.
var (
	agreements = store.NewTable("agreement", 1,
		store.Index[Agreement]{Name: "current", Keys: func(a Agreement) []string {
			if !a.current() {
				return nil
			}
			return []string{"yes"}
		}},
		store.Index[Agreement]{Name: "name", Keys: func(a Agreement) []string { return []string{strings.ToLower(a.Name)} }})
	agreementVersions = store.NewTable[Agreement]("agreement_version", 1)
)

// agreementCount counts the answers to one version, by its Ref.
type agreementCount struct {
	Accepted int `json:"accepted"`
	Refused  int `json:"refused"` // of one that is not mandatory
}

var agreementCounts = store.NewTable[agreementCount]("agreement_count", 1)

// Acceptance is what somebody answered to one version of an agreement.
type Acceptance struct {
	Account   string    `json:"account"`
	Agreement string    `json:"agreement"` // its id
	Version   int       `json:"version"`
	Name      string    `json:"name"`              // as it was called
	Refused   bool      `json:"refused,omitempty"` // of one that is not mandatory
	At        time.Time `json:"at"`
	Door      Door      `json:"door"`
	Remote    string    `json:"remote,omitempty"`
	Client    string    `json:"client,omitempty"`
}

// acceptances is keyed by the account and the version. It is only ever added to.
var acceptances = store.NewTable("acceptance", 1,
	store.Index[Acceptance]{Name: "account", Keys: func(a Acceptance) []string { return []string{a.Account} }})

func acceptanceID(account string, a Agreement) string { return account + "/" + a.Ref() }

// Agreements publishes agreements and tells what was accepted.
type Agreements struct{ *base }

// AgreementInput is what somebody publishes.
type AgreementInput struct {
	// ID is the agreement of which this is a new version. With "" it is a new one,
	// or a new version of the one that is called the same.
	ID   string
	From int // the version that the new one was made from; 0: whichever is the newest
	// New says that it is to be an agreement of its own, and no new version of one that
	// is called the same. ID is "".
	New  bool
	Name string
	Link string
	Text string // in lines
	// Mandatory says that nobody comes in without it.
	Mandatory bool
}

func (in AgreementInput) clean() (out AgreementInput, err error) {
	out = in
	if out.Name, err = cleanText("name", in.Name, MaxAgreementName, true); err != nil {
		return out, err
	}
	if out.Link, err = cleanText("link", in.Link, MaxAgreementLink, false); err != nil {
		return out, err
	}
	if out.Text, err = cleanLines("text", in.Text, MaxAgreementText); err != nil {
		return out, err
	}
	if out.Link == "" && out.Text == "" {
		return out, refuseField(CodeRequired, "link") // there would be nothing to agree to
	}
	return out, nil
}

// CheckAgreementText says what Publish would refuse a text with, so that it can be
// mended where it is written. line is the one that it is about, from 1, or 0 for the
// text as a whole.
func CheckAgreementText(s string) (line int, err error) {
	_, line, err = lines("text", s, MaxAgreementText)
	return line, err
}

// cleanLines validates a text of several lines, of at most so many bytes. Lines
// keep what they are indented by.
func cleanLines(field, s string, most int) (string, error) {
	out, _, err := lines(field, s, most)
	return out, err
}

// lines is cleanLines; at is the line that was refused, from 1, or 0.
func lines(field, s string, most int) (out string, at int, err error) {
	if len(s) > 4*most { // not worth walking through
		return "", 0, &Error{Code: CodeTooLong, Field: field, N: most}
	}
	s = strings.TrimPrefix(s, "\ufeff")
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\t", "    ", "\f", "\n").Replace(s)
	var kept []string
	for line := range strings.SplitSeq(s, "\n") {
		rest := strings.TrimLeft(line, " ")
		clean, err := text.Clean(rest, MaxAgreementLine)
		if err != nil {
			return "", len(kept) + 1, fieldError(field, MaxAgreementLine, err)
		}
		if clean != "" {
			clean = strings.Repeat(" ", len(line)-len(rest)) + clean
		}
		kept = append(kept, clean)
	}
	out = strings.Trim(strings.Join(kept, "\n"), "\n")
	if len(out) > most {
		return "", 0, &Error{Code: CodeTooLong, Field: field, N: most}
	}
	return out, 0, nil
}

// Publish puts an agreement in force, as a new version where there is one of it
// already: everybody is asked at the next sign-in. CodeDenied, CodeStepUp;
// CodeNotFound for an unknown ID; CodeConflict when another version than From is
// the newest; CodeTaken (field "name") for a New one when there is one of that name,
// also one that was withdrawn, and for one that comes to be called as another that is
// in force; CodeRange when MaxAgreements are in force; with the fields "name",
// "link" and "text" CodeRequired, CodeTooLong, CodeCharacter, CodeEncoding.
func (s *Agreements) Publish(ctx context.Context, actor Actor, in AgreementInput) (Agreement, error) {
	id, err := s.ids.new(s.clock.Now())
	if err != nil {
		return Agreement{}, asError(err)
	}
	clean, problem := in.clean()
	var next Agreement
	err = s.do(ctx, actor, ActAgreementPublish, "", func(t *txn) error {
		if err := t.may(OpAgreements, ""); err != nil {
			return err
		}
		if problem != nil { // said before a proof is asked for, which would be in vain
			return problem
		}
		if err := t.requireFresh(); err != nil {
			return err
		}
		old, err := t.agreementBefore(clean)
		if err != nil {
			return err
		}
		if in.New && old.ID != "" {
			return refuseField(CodeTaken, "name")
		}
		if in.From != 0 && in.From != old.Version {
			return refuse(CodeConflict)
		}
		if err := t.requireOwnName(old, clean.Name); err != nil {
			return err
		}
		next = Agreement{
			ID: old.ID, Version: old.Version + 1, Name: clean.Name, Link: clean.Link, Text: clean.Text, Mandatory: clean.Mandatory,
			Published: t.now, By: t.entry.Actor,
		}
		if next.ID == "" {
			next.ID = id
		}
		t.entry.Target = next.label()
		if old.ID == "" || !old.current() {
			now, err := t.currentAgreements()
			if err != nil {
				return err
			}
			if len(now) >= MaxAgreements {
				return &Error{Code: CodeRange, Field: "name", Rule: "0-" + itoa(MaxAgreements)}
			}
		}
		t.entry.After = next.described()
		if old.ID != "" {
			t.entry.Before, t.entry.After = changes(old.described(), next.described())
		}
		if err := agreementVersions.Insert(t, next.Ref(), next); err != nil {
			return err
		}
		return agreements.Put(t, next.ID, next.withoutText())
	})
	if err != nil {
		return Agreement{}, err
	}
	return next, nil
}

// requireOwnName refuses a new version that comes to be called as another agreement
// that is in force: who publishes by name could not say which is meant.
func (t *txn) requireOwnName(old Agreement, name string) error {
	if old.ID == "" || strings.EqualFold(old.Name, name) {
		return nil
	}
	rows, err := agreements.PageEq(t, "name", strings.ToLower(name), "", MaxPage)
	if err == nil && slices.ContainsFunc(rows, func(r store.Row[Agreement]) bool { return r.Value.ID != old.ID && r.Value.current() }) {
		err = refuseField(CodeTaken, "name")
	}
	return err
}

// agreementBefore finds the newest version of what is published anew, in full;
// the zero Agreement when it is new.
func (t *txn) agreementBefore(in AgreementInput) (Agreement, error) {
	if in.ID == "" {
		rows, err := agreements.PageEq(t, "name", strings.ToLower(in.Name), "", MaxPage)
		if err != nil || len(rows) == 0 {
			return Agreement{}, err
		}
		at := max(slices.IndexFunc(rows, func(r store.Row[Agreement]) bool { return r.Value.current() }), 0)
		in.ID = rows[at].ID
	}
	a, err := agreements.Get(t, in.ID)
	if err != nil {
		return Agreement{}, notFound(err, "agreement")
	}
	full, err := agreementVersions.Get(t, a.Ref())
	full.Withdrawn = a.Withdrawn
	return full, err
}

// Withdraw has an agreement asked of nobody any more. What was accepted stays.
// CodeDenied, CodeStepUp, CodeNotFound; CodeConflict when that was done already.
func (s *Agreements) Withdraw(ctx context.Context, actor Actor, id string) error {
	return s.do(ctx, actor, ActAgreementWithdraw, "", func(t *txn) error {
		if err := t.may(OpAgreements, ""); err != nil {
			return err
		}
		if err := t.requireFresh(); err != nil {
			return err
		}
		a, err := agreements.Get(t, id)
		if err != nil {
			return notFound(err, "agreement")
		}
		t.entry.Target = a.label()
		if !a.current() {
			return refuse(CodeConflict)
		}
		t.entry.Before = a.described()
		a.Withdrawn = t.now
		return agreements.Put(t, a.ID, a)
	})
}

// currentAgreements are those in force, the oldest first, without their texts.
func (t *txn) currentAgreements() ([]Agreement, error) {
	rows, err := agreements.PageEq(t, "current", "yes", "", MaxAgreements)
	list := make([]Agreement, len(rows))
	for i, r := range rows {
		list[i] = r.Value
	}
	return list, err
}

// withTexts reads agreements in full.
func (t *txn) withTexts(list []Agreement) ([]Agreement, error) {
	full := make([]Agreement, len(list))
	for i, a := range list {
		v, err := agreementVersions.Get(t, a.Ref())
		if err != nil {
			return nil, err
		}
		full[i] = v
	}
	return full, nil
}

// Current returns what is in force, with the texts. Everybody may read it: it is
// what a stranger agrees to by signing up.
func (s *Agreements) Current(ctx context.Context) ([]Agreement, error) {
	var list []Agreement
	err := s.read(ctx, Actor{}, func(t *txn) error {
		now, err := t.currentAgreements()
		if err != nil {
			return err
		}
		list, err = t.withTexts(now)
		return err
	})
	return list, err
}

// AgreementStatus is an agreement with the number of answers to its newest version.
type AgreementStatus struct {
	Agreement
	Accepted int // people
	Refused  int // people who did not want one that is not mandatory
}

func (t *txn) agreementStatus(a Agreement) (AgreementStatus, error) {
	n, err := agreementCounts.Get(t, a.Ref())
	if errors.Is(err, store.ErrNotFound) {
		err = nil
	}
	return AgreementStatus{Agreement: a, Accepted: n.Accepted, Refused: n.Refused}, err
}

// List returns a page of all agreements, those that were withdrawn too, the
// oldest first and without their texts; next continues it, "" when there is no
// more. CodeDenied; CodeFormat for a cursor of another listing.
func (s *Agreements) List(ctx context.Context, actor Actor, after string, n int) (list []AgreementStatus, next string, err error) {
	err = s.read(ctx, actor, func(t *txn) error {
		list, next = nil, ""
		if err := t.may(OpReadPolicy, ""); err != nil {
			return err
		}
		n := pageSize(n)
		rows, err := agreements.Page(t, after, n)
		if err != nil {
			return err
		}
		for _, r := range rows {
			status, err := t.agreementStatus(r.Value)
			if err != nil {
				return err
			}
			list = append(list, status)
		}
		if len(rows) == n {
			next = rows[n-1].Cursor
		}
		return nil
	})
	return list, next, err
}

// Status returns the newest version of an agreement, with its text, and how many
// have accepted it: a number that is kept as they do. CodeDenied, CodeNotFound.
func (s *Agreements) Status(ctx context.Context, actor Actor, id string) (AgreementStatus, error) {
	var status AgreementStatus
	err := s.read(ctx, actor, func(t *txn) error {
		if err := t.may(OpReadPolicy, ""); err != nil {
			return err
		}
		a, err := agreements.Get(t, id)
		if err != nil {
			return notFound(err, "agreement")
		}
		full, err := agreementVersions.Get(t, a.Ref())
		if err != nil {
			return err
		}
		full.Withdrawn = a.Withdrawn
		status, err = t.agreementStatus(full)
		return err
	})
	return status, err
}
