// What the policy says of deleting accounts: who decides about a request, how
// long it can be taken back, and what the trail keeps.

package core

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"postern/store"
)

// DeletionProcess says what becomes of a request to delete an account.
type DeletionProcess string

// The processes.
const (
	ProcessMail     DeletionProcess = "mail"     // the owner gets a mail and decides
	ProcessOnce     DeletionProcess = "once"     // the account is deleted after the days of grace
	ProcessAnalysis DeletionProcess = "analysis" // a script decides
)

// TrailOfDeleted says what the trail keeps of a deleted account.
type TrailOfDeleted string

// What is kept: what was done under the id that the account had, or nothing.
const (
	TrailPseudonym TrailOfDeleted = "pseudonym"
	TrailRemove    TrailOfDeleted = "remove"
)

// MaxGraceDays bounds how long a deletion can be put off.
const MaxGraceDays = 90

// ConfirmOnce is what must be typed to switch on that accounts are deleted
// without anybody looking at the request.
const ConfirmOnce = "delete at once"

// DeletionPolicy says how accounts are deleted.
type DeletionPolicy struct {
	Process   DeletionProcess `json:"process"`
	GraceDays int             `json:"grace_days"`       // 0: deleted as soon as it is decided
	Owner     string          `json:"owner,omitempty"`  // id of the owner who decides; "": every owner
	Script    string          `json:"script,omitempty"` // that decides
	Trail     TrailOfDeleted  `json:"trail"`

	ownerName string // in place of the id, where people read it
}

// due is when an account is deleted whose deletion was decided at a time.
func (p DeletionPolicy) due(decided time.Time) time.Time {
	return decided.Add(time.Duration(p.GraceDays) * 24 * time.Hour)
}

// shownOwner is the setting's text.
func (p DeletionPolicy) shownOwner() string {
	if p.ownerName != "" {
		return p.ownerName
	}
	return p.Owner
}

var validScriptName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// deletionSettings are the settings of the section.
func deletionSettings() []Setting {
	return []Setting{
		choice("deletion.process", []string{string(ProcessMail), string(ProcessOnce), string(ProcessAnalysis)},
			func(p *Policy) *DeletionProcess { return &p.Deletion.Process }),
		number("deletion.grace_days", 0, MaxGraceDays, func(p *Policy) *int { return &p.Deletion.GraceDays }),
		{Path: ownerSetting, Kind: KindText, Max: MaxLogin,
			get: func(p *Policy) string { return p.Deletion.shownOwner() },
			set: func(p *Policy, s string) error {
				if len(s) > MaxLogin {
					return &Error{Code: CodeTooLong, Field: ownerSetting, N: MaxLogin}
				}
				p.Deletion.Owner, p.Deletion.ownerName = strings.TrimSpace(s), ""
				return nil
			}},
		{Path: scriptSetting, Kind: KindText, Max: 32,
			get: func(p *Policy) string { return p.Deletion.Script },
			set: func(p *Policy, s string) error {
				if s = strings.TrimSpace(s); s != "" && !validScriptName.MatchString(s) {
					return &Error{Code: CodeFormat, Field: scriptSetting, Rule: "a-z 0-9 -"}
				}
				p.Deletion.Script = s
				return nil
			}},
		choice("deletion.trail", []string{string(TrailPseudonym), string(TrailRemove)},
			func(p *Policy) *TrailOfDeleted { return &p.Deletion.Trail }),
	}
}

const (
	ownerSetting  = "deletion.owner"
	scriptSetting = "deletion.script"
)

// validateDeletion is the rule between its settings.
func (p Policy) validateDeletion() error {
	if p.Deletion.Process == ProcessAnalysis && p.Deletion.Script == "" {
		return refuseField(CodeRequired, scriptSetting)
	}
	return nil
}

// changed returns the policy in force with settings changed. Where a setting
// names an account, the account's id takes the name's place: names go when
// accounts do, and policies are kept.
func (t *txn) changed(values map[string]string) (Policy, error) {
	next, err := t.policy.with(values)
	if err != nil || next.Deletion.Owner == "" || next.Deletion.Owner == t.policy.Deletion.Owner {
		return next, err
	}
	a, err := t.account(next.Deletion.Owner)
	if CodeOf(err) == CodeNotFound {
		return next, refuseField(CodeNotFound, ownerSetting)
	} else if err != nil {
		return next, err
	}
	held, err := t.rank(a.ID)
	if err == nil && !held.roles[RoleOwner] {
		err = refuseField(CodeNotOwner, ownerSetting)
	}
	next.Deletion.Owner = a.ID
	return next, err
}

// consented refuses to let accounts be deleted without anybody looking at the
// request, unless that was typed out.
func (t *txn) consented(next Policy, confirm string) error {
	if err := t.requireScript(next); err != nil {
		return err
	}
	if next.Deletion.Process == ProcessOnce && t.policy.Deletion.Process != ProcessOnce &&
		!strings.EqualFold(strings.Join(strings.Fields(confirm), " "), ConfirmOnce) {
		return &Error{Code: CodeConfirm, Field: "deletion.process", Rule: ConfirmOnce}
	}
	return nil
}

// named puts the owner's name in the place of the id, for people to read.
func (t *txn) named(p Policy) (Policy, error) {
	name, err := t.nameOf(p.Deletion.Owner)
	p.Deletion.ownerName = name
	return p, err
}

// nameSettings does the same in a list of changes.
func (t *txn) nameSettings(list []SettingChange) error {
	for i, c := range list {
		if c.Path != ownerSetting {
			continue
		}
		for _, value := range []*string{&list[i].Old, &list[i].New} {
			name, err := t.nameOf(*value)
			if err != nil && !errors.Is(err, store.ErrTooLarge) {
				return err
			}
			if name != "" {
				*value = name
			}
		}
	}
	return nil
}

// deciders are the accounts that decide about the request of an account: the owner
// that the policy names, while that one is an active owner, or else every owner.
// Nobody decides about their own; the last owner is told of it all the same, who can
// find another one.
func (t *txn) deciders(about string) ([]string, error) {
	all, err := t.activeOwners()
	if err != nil {
		return nil, err
	}
	if others := slices.DeleteFunc(slices.Clone(all), func(id string) bool { return id == about }); len(others) > 0 {
		all = others
	}
	if named := t.policy.Deletion.Owner; slices.Contains(all, named) {
		return []string{named}, nil
	}
	return all, nil
}
