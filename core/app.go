// Apps: what accounts are shared with beside the portal itself. An app has an
// owner, roles with what they permit, and rules of its own that are stricter than
// the portal's (inherit.go). Its owner is one of its people: the grant of the role
// "owner" on it. The built-in app "postern" is not among them.

package core

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"postern/core/names"
	"postern/core/text"
	"postern/store"
)

// Bounds of apps.
const (
	MaxAppName     = 32
	MaxAppNote     = 200
	MaxAppRoles    = 16
	MaxPermissions = 32
)

// RoleAppOwner is the role of an app's own owner on it. No other role is called so.
const RoleAppOwner Role = "owner"

// RoleMember is the role of an app that was made without any.
const RoleMember Role = "member"

// AppState says whether an app is in use.
type AppState string

// The states of an app.
const (
	AppActive  AppState = "active"
	AppRetired AppState = "retired" // for good: nobody has a role on it, and its name stays taken
)

// AppRole is a role on an app. What its permissions mean is the app's business.
type AppRole struct {
	Name        Role     `json:"name"`
	Permissions []string `json:"permissions,omitempty"`
}

// App is something that accounts are shared with.
type App struct {
	ID      string    `json:"id"` // ULID
	Name    string    `json:"name"`
	Note    string    `json:"note,omitempty"`
	Owner   string    `json:"owner"` // account id
	Created time.Time `json:"created"`
	Roles   []AppRole `json:"roles"`
	Policy  AppPolicy `json:"policy,omitzero"`
	State   AppState  `json:"state"`
	Version int       `json:"version"` // counts the changes, for those made at the same time

	// OwnerName is computed when it is read.
	OwnerName string `json:"owner_name,omitempty"`
}

// role finds a role of the app.
func (a App) role(name Role) bool {
	return slices.ContainsFunc(a.Roles, func(r AppRole) bool { return r.Name == name })
}

func appKey(name string) string { return names.Fold(name) }

var apps = store.NewTable("app", 1,
	store.Index[App]{Name: "name", Keys: func(a App) []string { return []string{appKey(a.Name)} }},
	store.Index[App]{Name: "skeleton", Unique: true, Keys: func(a App) []string { return []string{names.Skeleton(a.Name)} }})

// Apps makes, changes and shares apps.
type Apps struct{ *base }

// AppPage is a page of apps by name; Next continues it.
type AppPage struct {
	Apps []App
	Next string
}

// AppInput is what an app is made of. Owner is an account (user name, e-mail
// address or id); "" is whoever makes it.
type AppInput struct {
	Name, Note, Owner string
	Roles             []AppRole // none: one called RoleMember, without permissions
	Policy            map[string]string
}

// AppChange is what changes about an app; what is nil stays. Version is the one it
// was made from, 0 whichever there is.
type AppChange struct {
	Name, Note *string
	Roles      []AppRole
	Policy     map[string]string // settings by their paths; "" leaves one to the portal
	Version    int
}

// List returns a page of all apps, retired ones too, of which the name begins with
// prefix. CodeDenied.
func (s *Apps) List(ctx context.Context, actor Actor, prefix, after string, n int) (AppPage, error) {
	var page AppPage
	err := s.read(ctx, actor, func(t *txn) error {
		if err := t.may(OpReadApps, ""); err != nil {
			return err
		}
		n := pageSize(n)
		if len(prefix) > 4*MaxAppName {
			return nil // longer than any name
		}
		rows, err := apps.PageBy(t, "name", appKey(strings.TrimSpace(prefix)), after, n)
		for _, r := range rows {
			page.Apps = append(page.Apps, r.Value)
		}
		if err != nil {
			return err
		}
		if len(rows) == n {
			page.Next = rows[n-1].Cursor
		}
		return t.nameOwners(page.Apps)
	})
	return page, err
}

// nameOwners fills in who owns apps.
func (t *txn) nameOwners(list []App) error {
	for i := range list {
		o, err := accounts.Get(t, list[i].Owner)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		list[i].OwnerName = o.UserName
	}
	return nil
}

// AppDetail is one app, and who would lose it.
type AppDetail struct {
	App
	Portal Policy    // the portal's own rules, to see what is stricter
	Mine   bool      // the actor owns it
	Loses  AppLosing // by retiring it
}

// AppLosing is who loses a role on an app.
type AppLosing struct {
	Count int      // grants of it, the owner's not among them
	Names []string // user names, the first MaxLosing of them
}

// Show returns one app (ref: name or id), to those who may read apps and to its
// owner. CodeDenied, CodeNotFound.
func (s *Apps) Show(ctx context.Context, actor Actor, ref string) (AppDetail, error) {
	var d AppDetail
	err := s.read(ctx, actor, func(t *txn) (err error) {
		if d.App, err = t.appFor(OpReadApps, ref); err != nil {
			return err
		}
		list := []App{d.App}
		if err := t.nameOwners(list); err != nil {
			return err
		}
		d.App, d.Mine = list[0], d.Owner == actor.Account
		d.Portal = t.policy
		return t.eachShare(d.ID, func(g Grant) error {
			if g.Role == RoleAppOwner || g.over(t.now) {
				return nil
			}
			if d.Loses.Count++; len(d.Loses.Names) < MaxLosing {
				a, err := accounts.Get(t, g.Account)
				if err != nil {
					return err
				}
				if !slices.Contains(d.Loses.Names, a.UserName) {
					d.Loses.Names = append(d.Loses.Names, a.UserName)
				}
			}
			return nil
		})
	})
	return d, err
}

// app finds an app by name or id.
func (t *txn) app(ref string) (App, error) {
	a, err := apps.Get(t, ref)
	if err == nil || !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrTooLarge) {
		return a, err
	}
	if len(ref) > 4*MaxAppName {
		return App{}, refuseField(CodeNotFound, "app")
	}
	ref = strings.TrimSpace(ref)
	_, a, err = apps.Find(t, "skeleton", names.Skeleton(ref))
	if err != nil || appKey(a.Name) != appKey(ref) {
		return App{}, notFound(err, "app") // one that only looks alike is another
	}
	return a, nil
}

// appFor finds an app for an act on it. Whoever may not do op on it learns nothing
// of which apps there are: CodeDenied.
func (t *txn) appFor(op Operation, ref string) (App, error) {
	a, err := t.app(ref)
	if CodeOf(err) == CodeNotFound {
		if may := t.may(op, ""); may != nil {
			return App{}, may
		}
		return App{}, err
	} else if err != nil {
		return App{}, err
	}
	return a, t.mayApp(op, a)
}

// Create makes an app. CodeDenied, CodeStepUp; CodeNotFound (field "user") for the
// owner; CodeEmpty, CodeTooLong, CodeCharacter, CodeEncoding, CodeReserved,
// CodeTaken (field "name"); CodeFormat, CodeRange (field "roles"); the refusals of
// AppChange's policy.
func (s *Apps) Create(ctx context.Context, actor Actor, in AppInput) (App, error) {
	id, err := s.ids.new(s.clock.Now())
	if err != nil {
		return App{}, asError(err)
	}
	grant, err := s.ids.new(s.clock.Now())
	if err != nil {
		return App{}, asError(err)
	}
	var a App
	err = s.do(ctx, actor, ActAppCreate, "", func(t *txn) (err error) {
		if err := t.may(OpApps, ""); err != nil {
			return err
		}
		if err := t.requireFresh(); err != nil {
			return err
		}
		a = App{ID: id, Created: t.now, State: AppActive, Version: 1}
		if a.Name, err = cleanAppName(in.Name); err != nil {
			return err
		}
		t.entry.Target = a.Name
		if a.Note, err = cleanText("note", in.Note, MaxAppNote, false); err != nil {
			return err
		}
		if len(in.Roles) == 0 {
			in.Roles = []AppRole{{Name: RoleMember}}
		}
		if a.Roles, err = cleanRoles(in.Roles); err != nil {
			return err
		}
		owner, err := t.appOwner(in.Owner)
		if err != nil {
			return err
		}
		a.Owner = owner.ID
		if a.Policy, err = a.Policy.with(t.policy, in.Policy, t.now); err != nil {
			return err
		}
		if err := apps.Insert(t, a.ID, a); err != nil {
			return appNameError(err)
		}
		t.entry.About = owner.ID
		t.entry.After = a.described(owner.UserName)
		g := Grant{ID: grant, App: a.ID, Account: owner.ID, Role: RoleAppOwner, By: t.entry.Actor, Created: t.now}
		if err := t.insertShare(g); err != nil {
			return err
		}
		a.OwnerName = owner.UserName
		return t.tellShare(a, g)
	})
	if err != nil {
		return App{}, err
	}
	return a, nil
}

// appOwner finds who is to own an app: an active account.
func (t *txn) appOwner(ref string) (Account, error) {
	if ref == "" {
		ref = t.actor.Account
	}
	if ref == "" {
		return Account{}, refuseField(CodeRequired, "owner")
	}
	a, err := t.sharedWith(ref)
	if CodeOf(err) == CodeNotFound {
		err = refuseField(CodeNotFound, "owner")
	}
	if err == nil && a.State != StateActive {
		err = refuseField(CodeConflict, "owner")
	}
	return a, err
}

// change runs an act on an app.
func (s *Apps) change(ctx context.Context, actor Actor, action Action, ref string, fn func(*txn, App) error) error {
	return s.do(ctx, actor, action, "", func(t *txn) error {
		a, err := t.appFor(OpApps, ref)
		if err != nil {
			return err
		}
		t.entry.Target = a.Name
		if err := t.requireFresh(); err != nil {
			return err
		}
		if a.State != AppActive {
			return refuseField(CodeConflict, "app")
		}
		return fn(t, a)
	})
}

// Update changes an app: its owner may, and who manages apps. A role that somebody
// holds stays: CodeRoleInUse (field "roles") with the role and how many hold it.
// CodeConflict for another version or a retired app; the refusals of Create;
// CodeWeaker with the setting for a rule that is weaker than the portal's.
func (s *Apps) Update(ctx context.Context, actor Actor, ref string, c AppChange) (App, error) {
	var a App
	err := s.change(ctx, actor, ActAppChange, ref, func(t *txn, old App) (err error) {
		a = old
		if c.Version != 0 && c.Version != a.Version {
			return refuse(CodeConflict)
		}
		if c.Name != nil {
			if a.Name, err = cleanAppName(*c.Name); err != nil {
				return err
			}
		}
		if c.Note != nil {
			if a.Note, err = cleanText("note", *c.Note, MaxAppNote, false); err != nil {
				return err
			}
		}
		if c.Roles != nil {
			if a.Roles, err = cleanRoles(c.Roles); err != nil {
				return err
			}
			if err := t.requireUnused(old, a); err != nil {
				return err
			}
		}
		if a.Policy, err = a.Policy.with(t.policy, c.Policy, t.now); err != nil {
			return err
		}
		a.Version++
		t.entry.Before, t.entry.After = changes(old.described(""), a.described(""))
		if err := apps.Put(t, a.ID, a); err != nil {
			return appNameError(err)
		}
		t.rulesChanged()
		list := []App{a}
		err = t.nameOwners(list)
		a = list[0]
		return err
	})
	if err != nil {
		return App{}, err
	}
	return a, nil
}

// requireUnused refuses to take away a role that is held.
func (t *txn) requireUnused(old, next App) error {
	held := map[Role]int{}
	err := t.eachShare(old.ID, func(g Grant) error {
		if !g.over(t.now) {
			held[g.Role]++
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, r := range old.Roles {
		if n := held[r.Name]; n > 0 && !next.role(r.Name) {
			return &Error{Code: CodeRoleInUse, Field: "roles", Rule: string(r.Name), N: n}
		}
	}
	return nil
}

// Transfer makes another account the app's owner (ref: user name, e-mail address or
// id). The one before keeps no role by it. Both are told. CodeConflict when it is
// that account's already, or that account is not active (field "owner");
// CodeNotFound (field "owner").
func (s *Apps) Transfer(ctx context.Context, actor Actor, ref, to string) error {
	id, err := s.ids.new(s.clock.Now())
	if err != nil {
		return asError(err)
	}
	return s.change(ctx, actor, ActAppTransfer, ref, func(t *txn, a App) error {
		if strings.TrimSpace(to) == "" {
			return refuseField(CodeRequired, "owner")
		}
		next, err := t.appOwner(to)
		if err != nil {
			return err
		}
		if next.ID == a.Owner {
			return refuseField(CodeConflict, "owner")
		}
		list := []App{a}
		if err := t.nameOwners(list); err != nil {
			return err
		}
		t.entry.About = next.ID
		t.entry.Before = map[string]string{"owner": list[0].OwnerName}
		t.entry.After = map[string]string{"owner": next.UserName}
		var gone []Grant
		err = t.eachShare(a.ID, func(g Grant) error {
			if g.Role == RoleAppOwner {
				gone = append(gone, g)
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, g := range gone {
			if err := t.endShare(a, g); err != nil {
				return err
			}
		}
		a.Owner = next.ID
		a.Version++
		if err := apps.Put(t, a.ID, a); err != nil {
			return err
		}
		g := Grant{ID: id, App: a.ID, Account: next.ID, Role: RoleAppOwner, By: t.entry.Actor, Created: t.now}
		if err := t.insertShare(g); err != nil {
			return err
		}
		return t.tellShare(a, g)
	})
}

// Retire ends an app for good, with every role on it, in one transaction; everybody
// who loses one is told. It says how many grants ended.
func (s *Apps) Retire(ctx context.Context, actor Actor, ref string) (int, error) {
	n := 0
	err := s.change(ctx, actor, ActAppRetire, ref, func(t *txn, a App) error {
		n = 0
		var all []Grant
		if err := t.eachShare(a.ID, func(g Grant) error { all = append(all, g); return nil }); err != nil {
			return err
		}
		for _, g := range all {
			if err := t.endShare(a, g); err != nil {
				return err
			}
			if g.Role != RoleAppOwner && !g.over(t.now) {
				n++
			}
		}
		a.State = AppRetired
		a.Version++
		t.entry.About = a.Owner
		t.entry.Before = map[string]string{"state": string(AppActive)}
		t.entry.After = map[string]string{"state": string(AppRetired), "shares_ended": itoa(n)}
		return apps.Put(t, a.ID, a)
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// described is what the trail says of an app.
func (a App) described(owner string) map[string]string {
	m := map[string]string{"name": a.Name}
	for k, v := range map[string]string{"note": a.Note, "owner": owner} {
		if v != "" {
			m[k] = v
		}
	}
	for _, r := range a.Roles {
		m["role."+string(r.Name)] = strings.Join(r.Permissions, " ")
	}
	a.Policy.described(m)
	return m
}

// appNameError says that a name is taken.
func appNameError(err error) error {
	var u *store.UniqueError
	if errors.As(err, &u) {
		return refuseField(CodeTaken, "name")
	}
	return err
}

// cleanAppName validates the name of an app. It is not the portal's own, and none
// that looks like it.
func cleanAppName(s string) (string, error) {
	name, err := text.Clean(s, MaxAppName)
	if err != nil {
		return "", fieldError("name", MaxAppName, err)
	}
	switch {
	case name == "":
		return "", refuseField(CodeRequired, "name")
	case names.Skeleton(name) == names.Skeleton(AppPostern):
		return "", refuseField(CodeReserved, "name")
	}
	return name, nil
}

var (
	validRole       = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)
	validPermission = regexp.MustCompile(`^[a-z][a-z0-9_.:-]{0,31}$`)
)

// cleanRoles validates the roles of an app: CodeRange for too few or too many,
// CodeFormat for one that is not a lower-case word, CodeReserved for the owner's,
// CodeTaken for one that is there twice (field "roles").
func cleanRoles(in []AppRole) ([]AppRole, error) {
	if len(in) < 1 || len(in) > MaxAppRoles {
		return nil, &Error{Code: CodeRange, Field: "roles", Rule: "1-" + itoa(MaxAppRoles)}
	}
	var out []AppRole
	for _, r := range in {
		switch {
		case !validRole.MatchString(string(r.Name)):
			return nil, &Error{Code: CodeFormat, Field: "roles", Rule: "a-z"}
		case r.Name == RoleAppOwner:
			return nil, &Error{Code: CodeReserved, Field: "roles", Rule: string(r.Name)}
		case len(r.Permissions) > MaxPermissions:
			return nil, &Error{Code: CodeRange, Field: "roles", Rule: "0-" + itoa(MaxPermissions)}
		case slices.ContainsFunc(out, func(o AppRole) bool { return o.Name == r.Name }):
			return nil, &Error{Code: CodeTaken, Field: "roles", Rule: string(r.Name)}
		}
		kept := AppRole{Name: r.Name}
		for _, p := range r.Permissions {
			if !validPermission.MatchString(p) {
				return nil, &Error{Code: CodeFormat, Field: "roles", Rule: "a-z"}
			}
			if !slices.Contains(kept.Permissions, p) {
				kept.Permissions = append(kept.Permissions, p)
			}
		}
		out = append(out, kept)
	}
	return out, nil
}

// ParseRoles reads roles as people type them: "reader: view export, editor: edit".
// They stand behind commas or on lines of their own; permissions behind a colon.
func ParseRoles(s string) []AppRole {
	var out []AppRole
	for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ',' || r == '\n' || r == ';' }) {
		name, permissions, _ := strings.Cut(part, ":")
		if name = strings.TrimSpace(name); name == "" && permissions == "" {
			continue
		}
		out = append(out, AppRole{Name: Role(name), Permissions: strings.Fields(permissions)})
	}
	return out
}

// FormatRoles writes what ParseRoles reads.
func FormatRoles(list []AppRole) string {
	parts := make([]string, len(list))
	for i, r := range list {
		parts[i] = string(r.Name)
		if len(r.Permissions) > 0 {
			parts[i] += ": " + strings.Join(r.Permissions, " ")
		}
	}
	return strings.Join(parts, ", ")
}
