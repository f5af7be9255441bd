// What --json says of legal contacts and agreements.

package cmd

import (
	"time"

	"postern/core"
)

// contactShape is one legal contact.
type contactShape struct {
	Kind    core.ContactKind `json:"kind"`
	Name    string           `json:"name"`
	Email   string           `json:"email,omitempty"`
	Phone   string           `json:"phone,omitempty"`
	Address string           `json:"address,omitempty"`
	Changed time.Time        `json:"changed"`
}

func shapeContact(c core.Contact) contactShape {
	return contactShape{Kind: c.Kind, Name: c.Name, Email: c.Email, Phone: c.Phone, Address: c.Address, Changed: c.Changed}
}

type contactsShape struct {
	Contacts []contactShape     `json:"contacts"`
	Missing  []core.ContactKind `json:"missing"`
}

// agreementShape is an agreement in its newest version. Accepted and Refused count
// the answers to that; they are left out where it was just published.
type agreementShape struct {
	ID        string    `json:"id"`
	Version   int       `json:"version"`
	Name      string    `json:"name"`
	Link      string    `json:"link,omitempty"`
	Text      string    `json:"text,omitempty"` // left out of lists
	Mandatory bool      `json:"mandatory"`
	Published time.Time `json:"published"`
	Withdrawn time.Time `json:"withdrawn,omitzero"`
	Accepted  int       `json:"accepted"`
	Refused   int       `json:"refused"`
}

func shapeAgreement(a core.AgreementStatus) agreementShape {
	return agreementShape{
		ID: a.ID, Version: a.Version, Name: a.Name, Link: a.Link, Text: a.Text, Mandatory: a.Mandatory,
		Published: a.Published, Withdrawn: a.Withdrawn, Accepted: a.Accepted, Refused: a.Refused,
	}
}

// agreementsShape is a page of agreements, the oldest first; Next is for --after.
type agreementsShape struct {
	Agreements []agreementShape `json:"agreements"`
	Next       string           `json:"next,omitempty"`
}

// acceptanceShape is what somebody has answered to a version.
type acceptanceShape struct {
	Agreement string    `json:"agreement"` // its id
	Version   int       `json:"version"`
	Name      string    `json:"name"`
	Accepted  bool      `json:"accepted"`
	At        time.Time `json:"at"`
	Door      core.Door `json:"door"`
	Remote    string    `json:"remote,omitempty"`
	Client    string    `json:"client,omitempty"`
}

type acceptancesShape struct {
	Answers []acceptanceShape `json:"answers"` // the newest first
}
