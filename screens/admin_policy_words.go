// Settings of the policy in words: their names, what they are set to, what is
// allowed, and why a change was refused.

package screens

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"postern/core"
	"postern/core/text"
	"postern/tui"
)

// settingTitle names a setting.
func (e *Env) settingTitle(path string) string {
	if key := "policy." + path; e.Dict.Has(key) {
		return e.T(key)
	}
	return text.Escape(path)
}

// settingByPath finds a setting; the zero one for a path that is none.
func settingByPath(path string) core.Setting {
	all := core.Settings()
	if i := slices.IndexFunc(all, func(s core.Setting) bool { return s.Path == path }); i >= 0 {
		return all[i]
	}
	return core.Setting{Path: path}
}

// settingValue says what a setting is set to.
func (e *Env) settingValue(s core.Setting, v string) string {
	switch s.Kind {
	case core.KindBool:
		if v == "on" {
			return e.T("policy.on")
		}
		return e.T("policy.off")
	case core.KindChoice:
		if key := "policy.choice." + v; e.Dict.Has(key) {
			return e.T(key)
		}
	case core.KindNumber:
		n, err := strconv.ParseInt(v, 10, 64)
		if key := "policy.zero." + s.Path; err == nil && n == 0 && e.Dict.Has(key) {
			return e.T(key)
		}
		if err == nil {
			return e.Dict.Number(n)
		}
	case core.KindSpan:
		if span, err := core.ParseSpan(v); err == nil {
			return e.T("policy.span."+strings.TrimSuffix(string(span.Unit), "s"), "Count", span.N)
		}
	case core.KindText, core.KindURLs:
		if key := "policy.zero." + s.Path; v == "" && e.Dict.Has(key) {
			return e.T(key)
		}
	case core.KindFields:
		if n := strings.Count(v, ";") + 1; v != "" {
			return e.T("policy.fields", "Count", n)
		}
		return e.T("policy.no_fields")
	}
	return text.Escape(v)
}

// settingBounds says what may be typed, or "" where that is chosen.
func (e *Env) settingBounds(s core.Setting) string {
	switch s.Kind {
	case core.KindNumber:
		said := e.T("policy.bounds", "Min", s.Min, "Max", s.Max)
		if key := "policy.zero." + s.Path; s.Min == 0 && e.Dict.Has(key) {
			said += " " + e.T("policy.zero_is", "Word", e.T(key))
		}
		return said
	case core.KindSpan:
		return e.T("policy.span_bounds")
	}
	return ""
}

// usual is what a setting is in the recommended policy.
func usual(s core.Setting) string { return s.Get(core.Presets()[0].Policy) }

// settingHelp is what is said of a setting: what it does, what may be typed and
// what is usual.
func (e *Env) settingHelp(s core.Setting, width int) string {
	th := e.Theme
	parts := []string{tui.Wrap(e.T("policy."+s.Path+".help"), width)}
	said := e.T("policy.usual", "Value", e.settingValue(s, usual(s)))
	if b := e.settingBounds(s); b != "" {
		said = b + " " + said
	}
	return strings.Join(append(parts, th.Muted.Render(tui.Wrap(said, width))), "\n")
}

// changeLine says one change: "Minimum length  8 → 12".
func (e *Env) changeLine(c core.SettingChange) string {
	s := settingByPath(c.Path)
	return e.settingValue(s, c.Old) + " " + e.Theme.Signs.Arrow + " " + e.settingValue(s, c.New)
}

// changeLines sets changes into a column of names and one of values.
func (e *Env) changeLines(list []core.SettingChange, width int) []string {
	th := e.Theme
	wide := min(width/2, 34)
	out := make([]string, len(list))
	for i, c := range list {
		out[i] = th.Text.Render(th.Pad(e.settingTitle(c.Path), wide)) + "  " + th.Accent.Render(th.Pad(e.changeLine(c), width-wide-2))
	}
	return out
}

// policyRefusal says why a change was refused, with the name of the setting.
func (e *Env) policyRefusal(err error) string {
	var refusal *core.Error
	if !errors.As(err, &refusal) || !e.Dict.Has("policy."+refusal.Field) {
		return e.Sentence(err)
	}
	said := e.Sentence(err)
	switch {
	case refusal.Code == core.CodeRange && strings.HasPrefix(refusal.Rule, "≥ "):
		said = e.T("policy.at_least", "Setting", e.settingTitle(strings.TrimPrefix(refusal.Rule, "≥ ")))
	case refusal.Code == core.CodeNoAllowance:
		said = e.T("policy.needs", "Setting", e.settingTitle(refusal.Rule))
	case refusal.Code == core.CodeRange, refusal.Code == core.CodeFormat:
		if b := e.settingBounds(settingByPath(refusal.Field)); b != "" {
			said = b
		}
	}
	return e.settingTitle(refusal.Field) + ": " + said
}

// changesOf lists what a change under way would change.
func (w *policyWork) changesOf() []core.SettingChange {
	var out []core.SettingChange
	for _, s := range core.Settings() {
		if v, changed := w.values[s.Path]; changed {
			out = append(out, core.SettingChange{Path: s.Path, Old: s.Get(w.base), New: v})
		}
	}
	return out
}

// diffText is changes as lines to read, compare and copy: paths and values as
// verbs take them.
func diffText(e *Env, list []core.SettingChange) string {
	th := e.Theme
	var lines []string
	for _, c := range list {
		lines = append(lines, th.Bad.Render("- "+c.Path+"="+text.Escape(c.Old)), th.Good.Render("+ "+c.Path+"="+text.Escape(c.New)))
	}
	return strings.Join(lines, "\n")
}

// newPolicyDiff returns the page that shows the change under way as text.
func newPolicyDiff(w *policyWork) tui.Screen {
	return &page{
		env:   w.env,
		title: func() string { return w.env.T("policy.diff") },
		body:  func(int) string { return diffText(w.env, w.changesOf()) },
	}
}

// ruleOf returns the rule that a refusal names, or "".
func ruleOf(err error) string {
	var refusal *core.Error
	if errors.As(err, &refusal) {
		return refusal.Rule
	}
	return ""
}
