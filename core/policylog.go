// The versions of the policy: who changed what, when and why; the difference
// between two of them; one put back; and two changes made at the same time
// brought together.

package core

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"postern/store"
)

// PolicyVersion is one change of the policy.
type PolicyVersion struct {
	Version int             `json:"version"`
	Changed time.Time       `json:"changed"`
	By      string          `json:"by"`             // account id, "console", or "" for the setup
	Name    string          `json:"name,omitempty"` // user name, of an account that is there
	Reason  string          `json:"reason,omitempty"`
	Changes []SettingChange `json:"changes"` // from the version before; none for the first
}

// Versions lists at most n versions, newest first, that are older than the
// version after (0: from the newest). CodeDenied.
func (s *Policies) Versions(ctx context.Context, actor Actor, after, n int) ([]PolicyVersion, error) {
	var list []PolicyVersion
	err := s.read(ctx, actor, func(t *txn) error {
		list = nil
		if err := t.may(OpReadPolicy, ""); err != nil {
			return err
		}
		from := t.policy.Version
		if after > 0 {
			from = min(after-1, from)
		}
		if from < 1 {
			return nil
		}
		p, err := t.version(from)
		if err != nil {
			return err
		}
		for v := from; v >= 1 && len(list) < pageSize(n); v-- {
			var before Policy
			item := PolicyVersion{Version: v, Changed: p.Changed, By: p.By, Reason: p.Reason}
			if v > 1 {
				if before, err = t.version(v - 1); err != nil {
					return err
				}
				item.Changes = diff(before, p)
				if err := t.nameSettings(item.Changes); err != nil {
					return err
				}
			}
			if item.Name, err = t.nameOf(p.By); err != nil {
				return err
			}
			list = append(list, item)
			p = before
		}
		return nil
	})
	return list, err
}

// nameOf is the user name of whoever did something; "" for who is no account, or
// is no more.
func (t *txn) nameOf(by string) (string, error) {
	if by == "" || by == ActorConsole || by == ActorSystem {
		return "", nil
	}
	a, err := accounts.Get(t, by)
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	return a.UserName, err
}

// version reads a version of the policy; CodeNotFound (field "version").
func (t *txn) version(n int) (Policy, error) {
	if n < 1 || n > t.policy.Version {
		return Policy{}, refuseField(CodeNotFound, "version")
	}
	p, err := policies.Get(t, policyVersion(n))
	if err != nil {
		return p, notFound(err, "version")
	}
	return p, nil
}

// Version returns the policy as it was in a version. CodeDenied, CodeNotFound.
func (s *Policies) Version(ctx context.Context, actor Actor, n int) (Policy, error) {
	var p Policy
	err := s.read(ctx, actor, func(t *txn) (err error) {
		if err := t.may(OpReadPolicy, ""); err != nil {
			return err
		}
		if p, err = t.version(n); err == nil {
			p, err = t.named(p)
		}
		return err
	})
	return p, err
}

// Diff lists the settings that differ from version a to version b, in the order
// of the screens. CodeDenied, CodeNotFound.
func (s *Policies) Diff(ctx context.Context, actor Actor, a, b int) ([]SettingChange, error) {
	var out []SettingChange
	err := s.read(ctx, actor, func(t *txn) error {
		if err := t.may(OpReadPolicy, ""); err != nil {
			return err
		}
		from, err := t.version(a)
		if err != nil {
			return err
		}
		to, err := t.version(b)
		if err != nil {
			return err
		}
		out = diff(from, to)
		return t.nameSettings(out)
	})
	return out, err
}

// RevertValues returns what has to be changed to have every setting as it was in
// a version: for Impact, and for a person to look at. CodeDenied, CodeNotFound.
func (s *Policies) RevertValues(ctx context.Context, actor Actor, version int) (map[string]string, error) {
	values := map[string]string{}
	err := s.read(ctx, actor, func(t *txn) error {
		if err := t.may(OpReadPolicy, ""); err != nil {
			return err
		}
		p, err := t.version(version)
		values = settingsOf(diff(t.policy, p))
		return err
	})
	return values, err
}

func settingsOf(changes []SettingChange) map[string]string {
	values := map[string]string{}
	for _, c := range changes {
		values[c.Path] = c.New
	}
	return values
}

// Revert puts every setting back as it was in a version, as a new version with a
// reason of its own; its Values are not used. What Set and RevertValues refuse with.
func (s *Policies) Revert(ctx context.Context, actor Actor, version int, c PolicyChange) (Policy, error) {
	values, err := s.RevertValues(ctx, actor, version)
	if err != nil {
		return Policy{}, err
	}
	c.Values = values
	return s.Set(ctx, actor, c)
}

// PresetValues returns what has to be changed to have the rules of a preset for
// passwords, sessions, guessing and sign-up. What else the portal was told (its
// fields, quota, factors, messages and retention) stays. CodeDenied, CodeNotFound.
func (s *Policies) PresetValues(ctx context.Context, actor Actor, id string) (map[string]string, error) {
	values := map[string]string{}
	err := s.read(ctx, actor, func(t *txn) error {
		if err := t.may(OpReadPolicy, ""); err != nil {
			return err
		}
		p, err := presetByID(id)
		if err != nil || id == "" {
			return refuseField(CodeNotFound, "preset")
		}
		next := t.policy
		next.Password, next.Session, next.Lockout, next.SignUp.Mode = p.Password, p.Session, p.Lockout, p.SignUp.Mode
		values = settingsOf(diff(t.policy, next))
		return nil
	})
	return values, err
}

// Clash is a setting that two people changed at the same time, to different values.
type Clash struct {
	Path               string
	Base, Theirs, Mine string
}

// Merge is two changes from the same version brought together, setting by setting.
type Merge struct {
	Version int             // the one in force, which holds theirs
	By      string          // user name of whoever changed it last, or "console"
	Reason  string          // why
	Theirs  []SettingChange // from the base to what is in force
	Mine    []SettingChange // from what is in force to what is wanted, where that is no matter of both
	Both    []Clash
}

// Merge compares what somebody made from the version base (path to value) with
// what has been put in force since. CodeDenied, CodeNotFound for the version or a
// path.
func (s *Policies) Merge(ctx context.Context, actor Actor, base int, mine map[string]string) (Merge, error) {
	var m Merge
	err := s.read(ctx, actor, func(t *txn) error {
		m = Merge{Version: t.policy.Version, Reason: t.policy.Reason}
		if err := t.may(OpChangePolicy, ""); err != nil {
			return err
		}
		from, err := t.version(base)
		if err != nil {
			return err
		}
		if m.By, err = t.nameOf(t.policy.By); err != nil {
			return err
		}
		if m.By == "" {
			m.By = t.policy.By
		}
		m.Theirs = diff(from, t.policy)
		was, now := from.described(), t.policy.described()
		for _, path := range slices.Sorted(maps.Keys(mine)) {
			if _, err := settingByPath(path); err != nil {
				return err
			}
		}
		for _, set := range Settings() {
			want, named := mine[set.Path]
			switch {
			case !named, want == now[set.Path], want == was[set.Path]:
				// Not changed here, or both of one mind.
			case now[set.Path] == was[set.Path]:
				m.Mine = append(m.Mine, SettingChange{set.Path, now[set.Path], want})
			default:
				m.Both = append(m.Both, Clash{set.Path, was[set.Path], now[set.Path], want})
			}
		}
		return nil
	})
	return m, err
}

// Changes wakes the receiver when a policy is put in force, until ctx is done. A
// screen that shows rules reads them again.
func (s *Policies) Changes(ctx context.Context) (<-chan struct{}, error) {
	events, err := s.db.Watch(ctx, policies.Prefix())
	if err != nil {
		return nil, asError(err)
	}
	woken := make(chan struct{}, 1)
	go func() {
		defer close(woken)
		for range events {
			select {
			case woken <- struct{}{}:
			default:
			}
		}
	}()
	return woken, nil
}

// With returns the policy with settings changed, checked as a whole, as Set would
// have it: for screens that show at once what would be refused.
func (p Policy) With(values map[string]string) (Policy, error) { return p.with(values) }

// FormatFields writes custom fields as the setting sign_up.fields holds them.
func FormatFields(fields []Field) string { return formatFields(fields) }
