// What is typed for an app: its name and its roles, as they are kept and as they
// are written.

package core

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"postern/core/names"
	"postern/core/text"
	"postern/store"
)

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
