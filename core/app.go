// Apps: what accounts are shared with beside the portal itself. An app has an
// owner, roles with what they permit, and rules of its own that are stricter than
// the portal's (inherit.go). Its owner is one of its people: the grant of the role
// "owner" on it. The built-in app "postern" is not among them.

package core

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"postern/core/names"
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
		t.entry.After = a.described(reference(owner.ID))
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
