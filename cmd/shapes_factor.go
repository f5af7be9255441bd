// What --json says of keys, second factors and messages; shapes.go has the rest,
// and the promise.

package cmd

import (
	"time"

	"postern/core"
)

// keyShape is a linked SSH key.
type keyShape struct {
	Fingerprint string    `json:"fingerprint"`
	Label       string    `json:"label,omitempty"`
	Type        string    `json:"type"`     // the algorithm: "ssh-ed25519"
	Hardware    bool      `json:"hardware"` // it lives in a hardware token (FIDO)
	Line        string    `json:"line"`
	Created     time.Time `json:"created"`
	LastUsed    time.Time `json:"last_used,omitzero"`
	Until       time.Time `json:"until,omitzero"` // without it: no end
	Ended       time.Time `json:"ended,omitzero"` // it stands for nothing since then
}

type keysShape struct {
	Keys []keyShape `json:"keys"`
}

func shapeKey(k core.LinkedKey) keyShape {
	return keyShape{
		Fingerprint: k.Fingerprint, Label: k.Label, Type: k.Type(), Hardware: k.Hardware(), Line: k.Line,
		Created: k.Created, LastUsed: k.LastUsed, Until: k.Until, Ended: k.Ended,
	}
}

func shapeKeys(list []core.LinkedKey) []keyShape {
	out := make([]keyShape, len(list))
	for i, k := range list {
		out[i] = shapeKey(k)
	}
	return out
}

// factorShape is a second factor: an app, a phone or an address. Others' numbers
// and addresses are masked.
type factorShape struct {
	ID       string          `json:"id"`
	Kind     core.FactorKind `json:"kind"`
	Label    string          `json:"label"`
	Address  string          `json:"address,omitempty"`
	Default  bool            `json:"default"` // it is asked for first
	Created  time.Time       `json:"created"`
	LastUsed time.Time       `json:"last_used,omitzero"`
	Failures int             `json:"failures"`
	Disabled time.Time       `json:"disabled,omitzero"` // it counts no more since then
}

func shapeFactors(list []core.Factor) []factorShape {
	out := make([]factorShape, len(list))
	for i, f := range list {
		out[i] = factorShape{
			ID: f.ID, Kind: f.Kind, Label: f.Label, Address: f.Address, Default: f.Default, Created: f.Created,
			LastUsed: f.LastUsed, Failures: f.Failures, Disabled: f.Disabled,
		}
	}
	return out
}

// protectionShape says whether an account has a second factor, and whether it must.
type protectionShape struct {
	Protected     bool              `json:"protected"` // there is one that counts
	Kinds         []core.FactorKind `json:"kinds"`     // of those that count, linked keys among them
	Demanded      bool              `json:"demanded"`  // the policy demands one
	DemandedBy    time.Time         `json:"demanded_by,omitzero"`
	RecoveryCodes int               `json:"recovery_codes"` // that are left
}

func shapeProtection(p core.Protection) protectionShape {
	return protectionShape{
		Protected: p.Enough, Kinds: append([]core.FactorKind{}, counting(p)...), Demanded: p.Must, DemandedBy: p.By,
		RecoveryCodes: p.Recovery.Left,
	}
}

// factorsShape is how one account is protected.
type factorsShape struct {
	protectionShape
	Factors []factorShape `json:"factors"`
}

// recoveryShape are recovery codes that are being saved.
type recoveryShape struct {
	Codes []string `json:"codes"`
}

// messageShape is a message of the outbox, without its words.
type messageShape struct {
	ID      string            `json:"id"`
	Account string            `json:"account,omitempty"`
	Service core.Service      `json:"service"`
	To      string            `json:"to"`
	Kind    core.MessageKind  `json:"kind"`
	State   core.MessageState `json:"state"`
	Created time.Time         `json:"created"`
	Until   time.Time         `json:"until,omitzero"` // not worth sending after this
	Next    time.Time         `json:"next,omitzero"`  // the next try, not before
	Done    time.Time         `json:"done,omitzero"`  // when it was sent or given up
	Tries   int               `json:"tries"`
	Problem string            `json:"problem,omitempty"` // of the last try
}

func shapeMessage(m core.Message) messageShape {
	return messageShape{
		ID: m.ID, Account: m.Account, Service: m.Service, To: m.To, Kind: m.Kind, State: m.State, Created: m.Created,
		Until: m.Until, Next: m.Next, Done: m.Done, Tries: m.Tries, Problem: m.Problem,
	}
}

// messagesShape is a page of the outbox, newest first; Next is for --after.
type messagesShape struct {
	Messages []messageShape `json:"messages"`
	Next     string         `json:"next,omitempty"`
}

// readingShape is a message in words.
type readingShape struct {
	messageShape
	Subject string `json:"subject,omitempty"`
	Text    string `json:"text"`
	Hidden  bool   `json:"hidden"` // its code is left out, since a provider carries it
}
