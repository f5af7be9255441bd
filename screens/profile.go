// The profile: what others see of a person, and how the portal speaks and looks
// to them. Language and theme are shown as soon as they are chosen; esc puts
// everything back as it was.

package screens

import (
	"context"
	"maps"
	"time"

	tea "charm.land/bubbletea/v2"

	"postern/core"
	"postern/core/text"
	"postern/tui"
)

// profile shows and changes the account that is signed in.
type profile struct {
	env  *Env
	form *tui.Form
	busy tui.Busy
	w    int

	ready  bool
	err    error // why the profile could not be read
	kept   core.Profile
	fields []core.Field

	// What is typed.
	name, email, language, theme, zone string
	custom                             map[string]*string

	zones tui.Latest[zoneTime]
	local zoneTime
}

// profileRead is the profile with the custom fields that the policy asks for now.
type profileRead struct {
	profile core.Profile
	site    core.SiteState
}

// profileSaved is what a save reached: the account as it is now.
type profileSaved struct {
	profile core.Profile
	prefs   core.Preferences
}

// zoneTime is the time in a zone, or that there is no such zone.
type zoneTime struct {
	zone  string
	known bool
	now   time.Time
}

// maxZone is longer than any name in the time zone database.
const maxZone = 64

var (
	_ tui.Screen   = (*profile)(nil)
	_ tui.Titled   = (*profile)(nil)
	_ tui.Helper   = (*profile)(nil)
	_ tui.Typer    = (*profile)(nil)
	_ tui.Cursored = (*profile)(nil)
	_ tui.Asking   = (*profile)(nil)
)

// NewProfile returns the screen.
func NewProfile(env *Env) tui.Screen {
	s := &profile{env: env}
	s.form = tui.NewForm(env.Session, s.ask)
	return s
}

// Init reads the profile.
func (s *profile) Init() tea.Cmd {
	accounts, site, actor := s.env.Portal.Accounts, s.env.Portal.Site, s.env.Actor()
	return tea.Batch(s.busy.Start(s.env.Session, s.env.T("page.reading")),
		call(s.env.Ctx, func(ctx context.Context) (profileRead, error) {
			p, err := accounts.Profile(ctx, actor)
			if err != nil {
				return profileRead{}, err
			}
			st, err := site.State(ctx)
			return profileRead{p, st}, err
		}))
}

// begin fills the form with what is kept.
func (s *profile) begin(m profileRead) tea.Cmd {
	s.ready, s.kept, s.fields = true, m.profile, m.site.Fields
	s.name, s.email = m.profile.DisplayName, m.profile.Email
	s.language, s.theme, s.zone = m.profile.Language, orAuto(m.profile.Theme), m.profile.TimeZone
	s.custom = map[string]*string{}
	for _, f := range s.fields {
		v := m.profile.Fields[f.Key]
		s.custom[f.Key] = &v
	}
	return tea.Batch(s.form.Init(), s.askZone())
}

// orAuto is the theme that "" stands for.
func orAuto(theme string) string {
	if theme == "" {
		return string(tui.ThemeAuto)
	}
	return theme
}

func (s *profile) ask() tui.FormSpec {
	e := s.env
	fields := []tui.Field{
		tui.Note{Show: s.heading},
		tui.Text{Key: "display_name", Label: e.T("profile.name"), Value: &s.name, Limit: core.MaxDisplayName, Optional: true, Hint: text.Escape(s.kept.UserName)},
		tui.Text{Key: "email", Label: e.T("profile.email"), Value: &s.email, Optional: !e.Site().EmailRequired},
	}
	for _, f := range s.fields {
		fields = append(fields, s.customField(f))
	}
	fields = append(fields, tui.Note{},
		tui.Choice{Key: "language", Label: e.T("welcome.language"), Value: &s.language, Options: s.languages()},
		tui.Choice{Key: "theme", Label: e.T("welcome.colours"), Value: &s.theme, Options: s.themes()},
		tui.Text{Key: "time_zone", Label: e.T("profile.zone"), Value: &s.zone, Limit: maxZone, Optional: true, Hint: e.T("profile.zone_hint"), Aside: s.zoneAside},
	)
	return tui.FormSpec{
		Pages:  []tui.Page{{Fields: fields}},
		Submit: e.T("profile.submit"), Busy: e.T("profile.busy"), Do: s.save, Changed: s.changed, Leave: s.leave,
	}
}

// heading is what a person cannot change: the user name and since when.
func (s *profile) heading(width int) string {
	e := s.env
	who := e.T("profile.heading", "Name", text.Escape(s.kept.UserName), "Date", e.Dict.Date(s.kept.Created))
	if len(s.kept.Roles) > 0 {
		who += " " + e.T("profile.roles", "Roles", e.roleWords(s.kept.Roles))
	}
	return e.Theme.Muted.Render(tui.Wrap(who, width)) + "\n"
}

// customField is one that the policy defines. Its label is the admins' own word.
func (s *profile) customField(f core.Field) tui.Field {
	t := tui.Text{
		Key: core.FieldName(f.Key), Label: text.Escape(f.Label), Value: s.custom[f.Key],
		Limit: core.MaxFieldValue, Optional: !f.Required,
	}
	if f.Kind == core.FieldNumber {
		t.Filter = func(r rune) rune {
			if r >= '0' && r <= '9' || r == '-' {
				return r
			}
			return -1
		}
	}
	return t
}

// languages are the dictionary's, in their own tongues, and the visitor's.
func (s *profile) languages() []tui.Option {
	out := []tui.Option{{Value: "", Label: s.env.T("profile.as_terminal")}}
	for _, l := range s.env.Catalog().Languages() {
		out = append(out, tui.Option{Value: l.Tag, Label: l.Name})
	}
	return out
}

func (s *profile) themes() []tui.Option {
	var out []tui.Option
	for _, name := range tui.ThemeNames() {
		out = append(out, tui.Option{Value: string(name), Label: s.env.T("welcome.theme." + string(name))})
	}
	return out
}

// changed shows at once what a choice means.
func (s *profile) changed(field string) tea.Cmd {
	switch field {
	case "language":
		return s.env.SetLanguage(s.tongue(s.language))
	case "theme":
		return s.env.SetTheme(tui.ThemeName(s.theme))
	case "time_zone":
		return s.askZone()
	}
	return nil
}

// tongue is the language to speak: the terminal's own when none is chosen.
func (s *profile) tongue(language string) string {
	if language == "" {
		return s.env.visitor
	}
	return language
}

// askZone returns the command that looks the zone up.
func (s *profile) askZone() tea.Cmd {
	zone, clock := s.zone, s.env.Clock
	return s.zones.Ask(func() zoneTime {
		loc, err := location(zone)
		if err != nil {
			return zoneTime{zone: zone}
		}
		return zoneTime{zone, true, clock().In(loc)}
	})
}

// location finds a zone by its name; "" is UTC. The machine's own zone says
// nothing to somebody who is elsewhere.
func location(zone string) (*time.Location, error) {
	if zone == "Local" || len(zone) > maxZone {
		return nil, &core.Error{Code: core.CodeFormat, Field: "time_zone"}
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return nil, &core.Error{Code: core.CodeFormat, Field: "time_zone"}
	}
	return loc, nil
}

// zoneAside is the time in the zone that is typed, once it is one.
func (s *profile) zoneAside() string {
	if s.local.zone != s.zone || s.zones.Pending() {
		return ""
	}
	if !s.local.known {
		return s.env.T("profile.zone_unknown")
	}
	return s.local.now.Format("15:04 MST")
}

// leave puts language and theme back.
func (s *profile) leave() tea.Cmd {
	var cmds []tea.Cmd
	if s.ready && s.language != s.kept.Language {
		cmds = append(cmds, s.env.SetLanguage(s.tongue(s.kept.Language)))
	}
	if s.ready && s.theme != orAuto(s.kept.Theme) {
		cmds = append(cmds, s.env.SetTheme(tui.ThemeName(orAuto(s.kept.Theme))))
	}
	return tea.Sequence(append(cmds, tui.Pop())...)
}

// save returns the command that saves what was changed. What can be refused
// comes first, so that a refusal leaves everything as it was.
func (s *profile) save() tea.Cmd {
	accounts, actor, kept := s.env.Portal.Accounts, s.env.Actor(), s.kept
	in := core.ProfileInput{DisplayName: s.name, Email: s.email, Fields: map[string]string{}}
	was := map[string]string{}
	for _, f := range s.fields {
		if v := *s.custom[f.Key]; v != "" {
			in.Fields[f.Key] = v
		}
		if v := kept.Fields[f.Key]; v != "" {
			was[f.Key] = v
		}
	}
	prefs := core.Preferences{Language: s.language, Theme: s.theme, TimeZone: s.zone}
	if prefs.Theme == orAuto(kept.Theme) {
		prefs.Theme = kept.Theme
	}
	samePerson := in.DisplayName == kept.DisplayName && in.Email == kept.Email && maps.Equal(in.Fields, was)
	samePrefs := prefs == core.Preferences{Language: kept.Language, Theme: kept.Theme, TimeZone: kept.TimeZone}
	return call(s.env.Ctx, func(ctx context.Context) (profileSaved, error) {
		out := profileSaved{profile: kept, prefs: prefs}
		if _, err := location(prefs.TimeZone); err != nil {
			return out, err
		}
		if !samePerson {
			p, err := accounts.UpdateProfile(ctx, actor, in)
			if err != nil {
				return out, err
			}
			out.profile = p
		}
		if samePrefs {
			return out, nil
		}
		err := accounts.SetPreferences(ctx, actor, prefs)
		if err == nil {
			out.profile.Language, out.profile.Theme, out.profile.TimeZone = prefs.Language, prefs.Theme, prefs.TimeZone
		}
		return out, err
	})
}
