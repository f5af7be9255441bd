// Legal contacts: whom people write to about their data and about security.
// Everybody may read them, before signing in too; the law wants some of them to be
// there, so those who look after the portal are told while one is missing.

package core

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"time"

	"postern/core/names"
	"postern/store"
)

// ContactKind says what a contact is for.
type ContactKind string

// The contacts.
const (
	ContactDPO      ContactKind = "dpo"      // data protection officer (GDPR Art. 13(1)(b), 37 to 39)
	ContactEEA      ContactKind = "eea"      // representative in the European Economic Area (GDPR Art. 13(1)(a), 27)
	ContactSecurity ContactKind = "security" // whom to tell of a weakness (RFC 9116 §2.5.3)
)

// ContactKinds returns every kind of contact, in the order of the screens.
func ContactKinds() []ContactKind {
	return []ContactKind{ContactDPO, ContactEEA, ContactSecurity}
}

// Bounds of contacts, in characters.
const (
	MaxContactName    = 64
	MaxContactPhone   = 32
	MaxContactAddress = 200
)

// Contact is one contact. It has a name and at least one way to reach it.
type Contact struct {
	Kind    ContactKind `json:"kind"`
	Name    string      `json:"name"`
	Email   string      `json:"email,omitempty"`
	Phone   string      `json:"phone,omitempty"`
	Address string      `json:"address,omitempty"` // where letters go, or a link
	Changed time.Time   `json:"changed"`
}

// contacts is keyed by kind.
var contacts = store.NewTable[Contact]("contact", 1)

// phoneForm is loose: an extension, or how to dial from abroad, belongs there too.
var phoneForm = regexp.MustCompile(`^[0-9+][0-9 +()./#x-]*[0-9]$`)

// clean validates what was typed.
func (c Contact) clean() (out Contact, err error) {
	out.Kind = c.Kind
	if out.Name, err = cleanText("name", c.Name, MaxContactName, true); err != nil {
		return out, err
	}
	if out.Email, err = cleanEmail(c.Email, false); err != nil {
		return out, err
	}
	if out.Phone, err = cleanText("phone", c.Phone, MaxContactPhone, false); err != nil {
		return out, err
	}
	if out.Phone != "" && !phoneForm.MatchString(out.Phone) {
		return out, refuseField(CodeFormat, "phone")
	}
	if out.Address, err = cleanText("address", c.Address, MaxContactAddress, false); err != nil {
		return out, err
	}
	if out.Email == "" && out.Phone == "" && out.Address == "" {
		return out, refuseField(CodeRequired, "email") // a contact that nobody can reach is none
	}
	return out, nil
}

// described is what the trail says of a contact.
func (c Contact) described() map[string]string {
	m := map[string]string{}
	for key, v := range map[string]string{"name": c.Name, "email": c.Email, "phone": c.Phone, "address": c.Address} {
		if v != "" {
			m[key] = v
		}
	}
	return m
}

// Contacts keeps the legal contacts.
type Contacts struct{ *base }

// List returns the contacts that are there, in the order of ContactKinds.
// Everybody may read them.
func (s *Contacts) List(ctx context.Context) ([]Contact, error) {
	var list []Contact
	err := s.read(ctx, Actor{}, func(t *txn) (err error) {
		list, err = t.contacts()
		return err
	})
	return list, err
}

// Missing returns the kinds of contacts that are not there, for warnings. It
// tells nothing that List does not.
func (s *Contacts) Missing(ctx context.Context) ([]ContactKind, error) {
	var missing []ContactKind
	err := s.read(ctx, Actor{}, func(t *txn) (err error) {
		missing, err = t.missingContacts()
		return err
	})
	return missing, err
}

func (t *txn) contacts() ([]Contact, error) {
	var list []Contact
	for _, kind := range ContactKinds() {
		c, err := contacts.Get(t, string(kind))
		if errors.Is(err, store.ErrNotFound) {
			continue
		} else if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

func (t *txn) missingContacts() ([]ContactKind, error) {
	list, err := t.contacts()
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(ContactKinds(), func(k ContactKind) bool {
		return slices.ContainsFunc(list, func(c Contact) bool { return c.Kind == k })
	}), nil
}

// Set puts a contact in the place of the one of its kind. CodeDenied, CodeStepUp,
// CodeNotFound for a kind that there is not (field "kind"); with the fields
// "name", "email", "phone" and "address" CodeRequired, CodeFormat, CodeTooLong,
// CodeCharacter, CodeEncoding; CodeRequired about "email" when there is no way to
// reach it.
func (s *Contacts) Set(ctx context.Context, actor Actor, kind ContactKind, in Contact) (Contact, error) {
	in.Kind = kind
	set, problem := in.clean()
	err := s.change(ctx, actor, ActContactSet, kind, problem, func(t *txn, old Contact) error {
		set.Changed = t.now
		t.entry.Before, t.entry.After = changes(old.described(), set.described())
		return contacts.Put(t, string(kind), set)
	})
	if err != nil {
		return Contact{}, err
	}
	return set, nil
}

// Clear takes a contact away. CodeDenied, CodeStepUp, CodeNotFound when there is none.
func (s *Contacts) Clear(ctx context.Context, actor Actor, kind ContactKind) error {
	return s.change(ctx, actor, ActContactClear, kind, nil, func(t *txn, old Contact) error {
		if old.Kind == "" {
			return refuseField(CodeNotFound, "kind")
		}
		t.entry.Before = old.described()
		return contacts.Delete(t, string(kind))
	})
}

// change is one act on the contact of a kind; old is the zero Contact when there
// is none. problem is what is wrong with what was typed: it is said before a proof
// is asked for, which would be in vain.
func (s *Contacts) change(ctx context.Context, actor Actor, action Action, kind ContactKind, problem error, fn func(t *txn, old Contact) error) error {
	return s.do(ctx, actor, action, "", func(t *txn) error {
		if err := t.may(OpContacts, ""); err != nil {
			return err
		}
		if !slices.Contains(ContactKinds(), kind) {
			return refuseField(CodeNotFound, "kind")
		}
		t.entry.Target = string(kind)
		if problem != nil {
			return problem
		}
		if err := t.requireFresh(); err != nil {
			return err
		}
		old, err := contacts.Get(t, string(kind))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return fn(t, old)
	})
}

// MaxContactEmail is how long an address of a contact may be, in characters.
const MaxContactEmail = names.MaxEmail
