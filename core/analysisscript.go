// Scripts by name and version. What was saved is never changed: a new version
// stands beside it, so that a run can always be read with what it ran.

package core

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"postern/core/script"
	"postern/store"
)

// MaxScriptName is how long the name of a script may be, in characters.
const MaxScriptName = 32

// MaxScripts is how many scripts there may be, those that were retired too.
const MaxScripts = 100

// Script is one version of a script.
type Script struct {
	Name    string    `json:"name"`
	Version int       `json:"version"`          // from 1
	Source  string    `json:"source,omitempty"` // left out of listings
	Saved   time.Time `json:"saved"`
	By      string    `json:"by"` // account id or "console"
	Reason  string    `json:"reason,omitempty"`
	Retired time.Time `json:"retired,omitzero"` // since when it can be chosen no more

	// ByName and InUse are computed when it is read: who saved it, by name, and
	// whether the policy names it.
	ByName string `json:"by_name,omitempty"`
	InUse  bool   `json:"in_use,omitempty"`
}

// label is what the trail calls a version.
func (s Script) label() string { return scriptLabel(s.Name, s.Version) }

func scriptLabel(name string, version int) string {
	if version == 0 {
		return name
	}
	return name + " " + itoa(version)
}

// scripts holds the newest version of each by its name, without the source;
// scriptVersions holds every version.
var (
	scripts        = store.NewTable[Script]("script", 1)
	scriptVersions = store.NewTable[Script]("script_version", 1)
)

func scriptVersionID(name string, version int) string { return fmt.Sprintf("%s.%08d", name, version) }

// cleanScriptName validates a name: small letters, digits and hyphens, which are
// the same in every list, file name and command line.
func cleanScriptName(name string) (string, error) {
	switch {
	case name == "":
		return "", refuseField(CodeRequired, "name")
	case len(name) > MaxScriptName:
		return "", &Error{Code: CodeTooLong, Field: "name", N: MaxScriptName}
	case strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "", name[0] == '-':
		return "", &Error{Code: CodeCharacter, Field: "name", Rule: "a-z 0-9 -"}
	}
	return name, nil
}

// scriptVersion reads a version of a script that is in use, 0: the newest.
// CodeNotFound (field "script").
func (t *txn) scriptVersion(name string, version int) (Script, error) {
	clean, err := cleanScriptName(name)
	if err != nil {
		return Script{}, refuseField(CodeNotFound, "script")
	}
	head, err := scripts.Get(t, clean)
	if err != nil {
		return Script{}, notFound(err, "script")
	}
	if !head.Retired.IsZero() {
		return Script{}, refuseField(CodeNotFound, "script")
	}
	if version == 0 {
		version = head.Version
	}
	return t.anyScriptVersion(clean, version)
}

func (t *txn) anyScriptVersion(name string, version int) (Script, error) {
	if version < 1 {
		return Script{}, refuseField(CodeNotFound, "script")
	}
	s, err := scriptVersions.Get(t, scriptVersionID(name, version))
	if err != nil {
		return Script{}, notFound(err, "script")
	}
	return s, nil
}

// scriptsInUse are the names of the scripts that the policy names: those that
// cannot be retired.
func (p Policy) scriptsInUse() []string { return keyIf(p.Deletion.Script) }

// Analysis keeps scripts, runs them and tells of their runs.
type Analysis struct{ *base }

// ScriptInput is what somebody saves.
type ScriptInput struct {
	Name   string
	Source string
	Reason string
	From   int // the version that it was made from; 0: whichever is the newest, or none
	// New says that it is to be a script of its own, and no new version of one that is
	// called the same.
	New bool
}

// Save keeps a script, or a new version of the one that is called the same; one
// that was retired is in use again. CodeDenied, CodeStepUp; CodeConflict when
// another version was saved meanwhile; CodeTaken (field "name") for a New one when
// there is one of that name, also one that was retired; CodeRequired, CodeTooLong
// and CodeCharacter with the field "name"; CodeScript (field "source") for what
// cannot be run, with the line (N) and what is wrong (Rule); CodeUnchanged when it is
// the newest version already; CodeRange when there are too many.
func (s *Analysis) Save(ctx context.Context, actor Actor, in ScriptInput) (Script, error) {
	source := script.Normal(in.Source)
	problems := script.Check(source)
	var next Script
	err := s.do(ctx, actor, ActAnalysisSave, "", func(t *txn) error {
		if err := t.may(OpAnalysis, ""); err != nil {
			return err
		}
		if err := t.requireFresh(); err != nil {
			return err
		}
		name, err := cleanScriptName(in.Name)
		if err != nil {
			return err
		}
		reason, err := cleanText("reason", in.Reason, MaxReason, false)
		if err != nil {
			return err
		}
		t.entry.Target, t.entry.Reason = name, reason
		if strings.TrimSpace(source) == "" {
			return refuseField(CodeRequired, "source")
		}
		if len(problems) > 0 {
			return &Error{Code: CodeScript, Field: "source", N: problems[0].Line, Rule: problems[0].Message}
		}
		old, err := scripts.Get(t, name)
		if errors.Is(err, store.ErrNotFound) {
			if err := t.requireRoomForScript(); err != nil {
				return err
			}
		} else if err != nil {
			return err
		}
		switch {
		case in.New && old.Version > 0:
			return refuseField(CodeTaken, "name")
		case in.From != 0 && in.From != old.Version:
			return refuse(CodeConflict)
		}
		next = Script{Name: name, Version: old.Version + 1, Source: source, Saved: t.now, By: t.entry.Actor, Reason: reason}
		if old.Version > 0 {
			full, err := t.anyScriptVersion(name, old.Version)
			if err != nil {
				return err
			}
			if full.Source == source && old.Retired.IsZero() {
				return refuseField(CodeUnchanged, "source")
			}
		}
		t.entry.Target = next.label()
		t.entry.After = map[string]string{"script": name, "version": itoa(next.Version), "bytes": itoa(len(source))}
		if err := scriptVersions.Insert(t, scriptVersionID(name, next.Version), next); err != nil {
			return err
		}
		head := next
		head.Source = ""
		return scripts.Put(t, name, head)
	})
	if err != nil {
		return Script{}, err
	}
	return next, nil
}

func (t *txn) requireRoomForScript() error {
	rows, err := scripts.Page(t, "", MaxScripts)
	if err == nil && len(rows) >= MaxScripts {
		err = &Error{Code: CodeRange, Field: "name", Rule: "0-" + itoa(MaxScripts)}
	}
	return err
}

// Retire takes a script out of use; its versions stay, for the runs that they
// had. CodeDenied, CodeStepUp, CodeNotFound; CodeScriptInUse when the policy
// names it; CodeConflict when it is retired already.
func (s *Analysis) Retire(ctx context.Context, actor Actor, name string) error {
	return s.do(ctx, actor, ActAnalysisRetire, "", func(t *txn) error {
		if err := t.may(OpAnalysis, ""); err != nil {
			return err
		}
		if err := t.requireFresh(); err != nil {
			return err
		}
		clean, err := cleanScriptName(name)
		if err != nil {
			return refuseField(CodeNotFound, "script")
		}
		old, err := scripts.Get(t, clean)
		if err != nil {
			return notFound(err, "script")
		}
		t.entry.Target = old.label()
		if !old.Retired.IsZero() {
			return refuse(CodeConflict)
		}
		if slices.Contains(t.policy.scriptsInUse(), clean) {
			return refuseField(CodeScriptInUse, "script")
		}
		old.Retired = t.now
		return scripts.Put(t, clean, old)
	})
}

// List returns every script by its name, in its newest version and without the
// source, those that were retired too. CodeDenied.
func (s *Analysis) List(ctx context.Context, actor Actor) ([]Script, error) {
	var list []Script
	err := s.read(ctx, actor, func(t *txn) error {
		list = nil
		if err := t.may(OpReadAnalysis, ""); err != nil {
			return err
		}
		return eachRow(func(after string) ([]store.Row[Script], error) {
			return scripts.Page(t, after, MaxPage)
		}, func(v Script) (err error) {
			v.InUse = slices.Contains(t.policy.scriptsInUse(), v.Name)
			v.ByName, err = t.nameOf(v.By)
			list = append(list, v)
			return err
		})
	})
	return list, err
}

// Get returns a version of a script with its source, 0: the newest. Versions of a
// script that was retired can be read too. CodeDenied, CodeNotFound (field
// "script").
func (s *Analysis) Get(ctx context.Context, actor Actor, name string, version int) (Script, error) {
	var v Script
	err := s.read(ctx, actor, func(t *txn) error {
		if err := t.may(OpReadAnalysis, ""); err != nil {
			return err
		}
		clean, err := cleanScriptName(name)
		if err != nil {
			return refuseField(CodeNotFound, "script")
		}
		head, err := scripts.Get(t, clean)
		if err != nil {
			return notFound(err, "script")
		}
		if version == 0 {
			version = head.Version
		}
		if v, err = t.anyScriptVersion(clean, version); err != nil {
			return err
		}
		v.Retired, v.InUse = head.Retired, slices.Contains(t.policy.scriptsInUse(), clean)
		v.ByName, err = t.nameOf(v.By)
		return err
	})
	return v, err
}

// Versions returns the versions of a script without their sources, the newest
// first, at most MaxPage. CodeDenied, CodeNotFound.
func (s *Analysis) Versions(ctx context.Context, actor Actor, name string) ([]Script, error) {
	var list []Script
	err := s.read(ctx, actor, func(t *txn) error {
		list = nil
		if err := t.may(OpReadAnalysis, ""); err != nil {
			return err
		}
		clean, err := cleanScriptName(name)
		if err != nil {
			return refuseField(CodeNotFound, "script")
		}
		head, err := scripts.Get(t, clean)
		if err != nil {
			return notFound(err, "script")
		}
		for n := head.Version; n > 0 && len(list) < MaxPage; n-- {
			v, err := t.anyScriptVersion(clean, n)
			if err != nil {
				return err
			}
			if v.ByName, err = t.nameOf(v.By); err != nil {
				return err
			}
			v.Source = ""
			list = append(list, v)
		}
		return nil
	})
	return list, err
}
