// Custom fields of an account, defined by the policy: what a club or a lab wants
// to know that Postern does not.

package core

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"postern/core/text"
)

// FieldKind is how a custom field is filled in.
type FieldKind string

// The kinds of custom fields. A hidden field is not shown to the person: the
// portal's own people fill it in.
const (
	FieldText   FieldKind = "text"
	FieldNumber FieldKind = "number"
	FieldHidden FieldKind = "hidden"
)

// Bounds of custom fields.
const (
	MaxFields     = 12
	MaxFieldLabel = 32
	MaxFieldValue = 200
)

// Field is one custom field. Its label is the admin's own word and is shown as
// it is in every language.
type Field struct {
	Key      string    `json:"key"` // lower-case letters, digits, "_"
	Label    string    `json:"label"`
	Kind     FieldKind `json:"kind"`
	Required bool      `json:"required"`
}

// FieldName is the Error.Field of a custom field.
func FieldName(key string) string { return "field." + key }

// shows says whether a field is shown to the person it is about. One that is
// defined no more may have been hidden.
func (p SignUpPolicy) shows(key string) bool {
	return slices.ContainsFunc(p.Fields, func(d Field) bool { return d.Key == key && d.Kind != FieldHidden })
}

// withoutHidden returns what an entry says of an account as its person may see it.
func (p SignUpPolicy) withoutHidden(described map[string]string) map[string]string {
	var out map[string]string
	for k, v := range described {
		if key, isField := strings.CutPrefix(k, FieldName("")); isField && !p.shows(key) {
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		out[k] = v
	}
	return out
}

// checkFields validates what was typed for the custom fields and returns what
// to keep. byStaff also allows hidden fields.
func checkFields(defs []Field, in map[string]string, byStaff bool) (map[string]string, error) {
	out := map[string]string{}
	known := map[string]bool{}
	for _, d := range defs {
		known[d.Key] = true
		if d.Kind == FieldHidden && !byStaff {
			if in[d.Key] != "" {
				return nil, refuseField(CodeDenied, FieldName(d.Key))
			}
			continue
		}
		v, err := text.Clean(in[d.Key], MaxFieldValue)
		if err != nil {
			return nil, fieldError(FieldName(d.Key), MaxFieldValue, err)
		}
		if v == "" {
			if d.Required {
				return nil, refuseField(CodeRequired, FieldName(d.Key))
			}
			continue
		}
		if d.Kind == FieldNumber {
			if _, err := strconv.ParseInt(v, 10, 64); err != nil {
				return nil, refuseField(CodeFormat, FieldName(d.Key))
			}
		}
		out[d.Key] = v
	}
	for _, key := range slices.Sorted(maps.Keys(in)) {
		if known[key] || in[key] == "" {
			continue
		}
		if !validKey(key) {
			key = "unknown" // an error repeats nothing that was typed
		}
		return nil, refuseField(CodeNotFound, FieldName(key))
	}
	return out, nil
}

// SetFields fills in custom fields of an account for those who manage accounts,
// hidden ones too; "" empties one. Fields that are not named stay as they are.
// CodeDenied, CodeNotFound, and with the field: CodeNotFound, CodeRequired,
// CodeFormat, CodeTooLong, CodeCharacter, CodeEncoding.
func (s *Accounts) SetFields(ctx context.Context, actor Actor, ref string, values map[string]string) error {
	return s.manage(ctx, actor, ActProfile, ref, func(t *txn, a Account) error {
		var named []Field
		for _, d := range t.policy.SignUp.Fields {
			if _, ok := values[d.Key]; ok {
				named = append(named, d)
			}
		}
		filled, err := checkFields(named, values, true)
		if err != nil {
			return err
		}
		old := a
		a.Fields = maps.Clone(old.Fields)
		if a.Fields == nil {
			a.Fields = map[string]string{}
		}
		for _, d := range named {
			delete(a.Fields, d.Key)
		}
		maps.Copy(a.Fields, filled)
		return t.putAccount(old, a)
	})
}

// formatFields writes the definitions as one line:
// "room:text:required:Room number; desk:number::Desk".
func formatFields(fields []Field) string {
	parts := make([]string, len(fields))
	for i, f := range fields {
		required := ""
		if f.Required {
			required = "required"
		}
		parts[i] = strings.Join([]string{f.Key, string(f.Kind), required, f.Label}, ":")
	}
	return strings.Join(parts, "; ")
}

// parseFields reads what formatFields writes.
func parseFields(s string) ([]Field, error) {
	const setting, form = "sign_up.fields", "key:text|number|hidden:required|:Label; …"
	bad := &Error{Code: CodeFormat, Field: setting, Rule: form}
	var fields []Field
	seen := map[string]bool{}
	for _, part := range strings.Split(s, ";") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		p := strings.SplitN(strings.TrimSpace(part), ":", 4)
		if len(p) != 4 || (p[2] != "" && p[2] != "required") || !validKey(p[0]) || seen[p[0]] {
			return nil, bad
		}
		f := Field{Key: p[0], Kind: FieldKind(p[1]), Required: p[2] != ""}
		switch f.Kind {
		case FieldText, FieldNumber, FieldHidden:
		default:
			return nil, bad
		}
		if f.Kind == FieldHidden && f.Required {
			return nil, bad // nobody who signs up could fill it in
		}
		label, err := text.Clean(p[3], MaxFieldLabel)
		if err != nil || label == "" {
			return nil, bad
		}
		f.Label = label
		seen[f.Key] = true
		fields = append(fields, f)
	}
	if len(fields) > MaxFields {
		return nil, &Error{Code: CodeRange, Field: setting, Rule: "0-" + strconv.Itoa(MaxFields)}
	}
	return fields, nil
}

func validKey(s string) bool {
	if s == "" || len(s) > 24 {
		return false
	}
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' {
			return false
		}
	}
	return true
}
