// The forms about an app: making and changing it, its rules, handing it over,
// sharing it, and when sharing ends.

package screens

import (
	"context"
	"errors"
	"strings"

	"postern/core"
	"postern/core/text"
	"postern/tui"
)

// maxRoleText is how long the roles of an app may be as they are typed.
const maxRoleText = 1000

// newAppForm asks for a new app, or with app for what changes about it.
func newAppForm(env *Env, app *core.AppDetail) tui.Screen {
	var name, note, owner, roles string
	roles = string(core.RoleMember)
	title := "apps.new_title"
	if app != nil {
		name, note, roles, title = app.Name, app.Note, core.FormatRoles(app.Roles), "apps.edit_title"
	}
	apps, actor := env.Portal.Apps, env.Actor()
	s := &deedForm{env: env, why: "apps.why_proof", title: func() string { return env.T(title) }, refusal: env.appRefusal}
	s.do = func() func(context.Context) (any, error) {
		name, note, owner, roles := name, note, owner, core.ParseRoles(roles)
		return func(ctx context.Context) (any, error) {
			if app == nil {
				return apps.Create(ctx, actor, core.AppInput{Name: name, Note: note, Owner: owner, Roles: roles})
			}
			if roles == nil {
				roles = []core.AppRole{}
			}
			return apps.Update(ctx, actor, app.ID, core.AppChange{Name: &name, Note: &note, Roles: roles, Version: app.Version})
		}
	}
	return newDeedForm(s, func() tui.FormSpec {
		fields := []tui.Field{
			tui.Text{Key: "name", Label: env.T("apps.name"), Value: &name, Limit: core.MaxAppName},
			tui.Text{Key: "note", Label: env.T("apps.note"), Value: &note, Limit: core.MaxAppNote, Optional: true, Hint: env.T("apps.note_hint")},
		}
		if app == nil {
			fields = append(fields, tui.Text{Key: "owner", Label: env.T("apps.owner"), Value: &owner, Optional: true, Hint: env.T("apps.owner_hint")})
		}
		fields = append(fields, tui.Text{Key: "roles", Label: env.T("apps.roles"), Value: &roles, Limit: maxRoleText,
			Below: func(width int) string { return env.Theme.Muted.Render(tui.Wrap(env.T("apps.roles_help"), width)) }})
		return tui.FormSpec{Pages: []tui.Page{{Fields: fields}}, Submit: env.T("apps.save"), Busy: env.T("apps.busy")}
	})
}

// newAppRules asks for an app's own rules.
func newAppRules(env *Env, app core.AppDetail) tui.Screen {
	values := map[string]*string{}
	for _, set := range core.AppSettings() {
		v := set.Get(app.Policy)
		values[set.Path] = &v
	}
	apps, actor := env.Portal.Apps, env.Actor()
	s := &deedForm{env: env, why: "apps.why_proof", title: func() string { return env.T("apps.rules_title") }, refusal: env.appRefusal}
	s.do = func() func(context.Context) (any, error) {
		changed := map[string]string{}
		for _, set := range core.AppSettings() {
			if v := strings.TrimSpace(*values[set.Path]); v != set.Get(app.Policy) {
				changed[set.Path] = v
			}
		}
		return func(ctx context.Context) (any, error) {
			return apps.Update(ctx, actor, app.ID, core.AppChange{Policy: changed, Version: app.Version})
		}
	}
	return newDeedForm(s, func() tui.FormSpec {
		var fields []tui.Field
		for _, set := range core.AppSettings() {
			setting := settingByPath(set.Path)
			label, portal := env.ruleTitle(set.Path), env.settingValue(setting, setting.Get(app.Portal))
			if setting.Kind == core.KindChoice {
				fields = append(fields, tui.Choice{Key: set.Path, Label: label, Value: values[set.Path], Options: []tui.Option{
					{Value: "", Label: env.T("apps.rule_portal", "Value", portal)},
					{Value: string(core.EnforceEverybody), Label: env.T("apps.rule_factor")},
				}})
				continue
			}
			fields = append(fields, tui.Text{Key: set.Path, Label: label, Value: values[set.Path], Limit: 20, Optional: true,
				Hint: env.T("apps.rule_portal", "Value", portal)})
		}
		return tui.FormSpec{Pages: []tui.Page{{Text: env.T("apps.rules_text"), Fields: fields}}, Submit: env.T("apps.save"), Busy: env.T("apps.busy")}
	})
}

// newAppMove asks for another owner.
func newAppMove(env *Env, app core.AppDetail) tui.Screen {
	var owner string
	apps, actor := env.Portal.Apps, env.Actor()
	s := &deedForm{env: env, why: "apps.why_proof", title: func() string { return env.T("apps.move_title") }, refusal: env.appRefusal}
	s.do = func() func(context.Context) (any, error) {
		to := owner
		return func(ctx context.Context) (any, error) { return movedApp{to}, apps.Transfer(ctx, actor, app.ID, to) }
	}
	return newDeedForm(s, func() tui.FormSpec {
		return tui.FormSpec{
			Pages: []tui.Page{{Text: env.T("apps.move_text", "App", text.Escape(app.Name)), Fields: []tui.Field{
				tui.Text{Key: "owner", Label: env.T("apps.owner"), Value: &owner, Hint: env.T("apps.user_hint")},
			}}},
			Submit: env.T("apps.move_submit"), Busy: env.T("apps.busy"),
		}
	})
}

// newShare asks with whom an app is to be shared.
func newShare(env *Env, app core.AppDetail) tui.Screen {
	var user, role, from, until string
	apps, actor, zone := env.Portal.Apps, env.Actor(), env.Dict.Zone()
	s := &deedForm{env: env, why: "apps.why_proof", title: func() string { return env.T("apps.share_title") }, refusal: env.appRefusal}
	s.do = func() func(context.Context) (any, error) {
		in, from, until := core.ShareInput{User: user, Role: core.Role(role)}, from, until
		return func(ctx context.Context) (any, error) {
			var err error
			if in.From, err = core.ParseBegin(from, zone); err != nil {
				return nil, err
			}
			if in.Until, err = core.ParseEnd(until, zone); err != nil {
				return nil, err
			}
			return apps.Share(ctx, actor, app.ID, in)
		}
	}
	return newDeedForm(s, func() tui.FormSpec {
		roles := make([]tui.Option, len(app.Roles))
		for i, r := range app.Roles {
			roles[i] = tui.Option{Value: string(r.Name), Label: text.Escape(string(r.Name)), Note: text.Escape(strings.Join(r.Permissions, " "))}
		}
		return tui.FormSpec{
			Pages: []tui.Page{{Text: env.T("apps.share_text", "App", text.Escape(app.Name)), Fields: []tui.Field{
				tui.Text{Key: "user", Label: env.T("apps.user"), Value: &user, Hint: env.T("apps.user_hint")},
				tui.Choice{Key: "role", Label: env.T("apps.role"), Value: &role, Options: roles},
				tui.Text{Key: "from", Label: env.T("apps.from"), Value: &from, Optional: true, Limit: 40, Hint: env.T("apps.from_hint")},
				env.endField(&until),
			}}},
			Submit: env.T("apps.share_submit"), Busy: env.T("apps.busy"),
		}
	})
}

// endedAt is a share whose end was changed.
type endedAt struct{ core.Share }

// newShareEnd asks until when an app stays shared.
func newShareEnd(env *Env, share core.Share) tui.Screen {
	zone := env.Dict.Zone()
	until := core.FormatEnd(share.Until, zone)
	apps, actor := env.Portal.Apps, env.Actor()
	s := &deedForm{env: env, why: "apps.why_proof", title: func() string { return env.T("apps.end_title") }, refusal: env.appRefusal}
	s.do = func() func(context.Context) (any, error) {
		typed := until
		return func(ctx context.Context) (any, error) {
			at, err := core.ParseEnd(typed, zone)
			if err != nil {
				return nil, err
			}
			sh, err := apps.SetEnd(ctx, actor, share.ID, at)
			return endedAt{sh}, err
		}
	}
	return newDeedForm(s, func() tui.FormSpec {
		return tui.FormSpec{
			Pages: []tui.Page{{
				Text:   env.T("apps.end_text", "App", text.Escape(share.AppName), "User", text.Escape(share.UserName), "Role", text.Escape(string(share.Role))),
				Fields: []tui.Field{env.endField(&until)},
			}},
			Submit: env.T("apps.save"), Busy: env.T("apps.busy"),
		}
	})
}

// appRefusal says why an act on an app was refused: some refusals mean something
// else here than where they were first put into words.
func (e *Env) appRefusal(err error) tui.Refusal {
	r := refusalOf(e, err)
	var refusal *core.Error
	if !errors.As(err, &refusal) {
		return r
	}
	say := func(key string, args ...any) { r.Text = e.T(key, args...) }
	set := settingByPath(refusal.Field)
	switch {
	case refusal.Code == core.CodeWeaker:
		say("apps.weaker", "Portal", e.settingValue(set, refusal.Rule))
	case set.Kind != "" && (refusal.Code == core.CodeRange || refusal.Code == core.CodeFormat):
		if b := e.settingBounds(set); b != "" {
			r.Text = b
		}
	case refusal.Field == "until" && refusal.Code == core.CodeRange:
		say("apps.ends_first")
	case refusal.Field == "from" && refusal.Code == core.CodeFormat, refusal.Field == "until" && refusal.Code == core.CodeFormat:
		say("roles.end_format")
	case refusal.Field == "roles" && refusal.Code != core.CodeRoleInUse:
		say("apps.roles_refused", "Max", core.MaxAppRoles, "Permissions", core.MaxPermissions)
	case (refusal.Field == "user" || refusal.Field == "owner") && refusal.Code == core.CodeNotFound:
		say("apps.nobody")
	case refusal.Field == "owner" && refusal.Code == core.CodeConflict:
		say("apps.owner_refused")
	case refusal.Code == core.CodeCharacter:
		say("profile.character")
	}
	return r
}
