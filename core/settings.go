// The settings of the policy as a table: path, kind, bounds. Verbs, screens and
// validation are made from it, so a new setting is one line here, one field in
// policy.go and two sentences in the dictionary ("policy." + path).

package core

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// SettingKind says how a setting is written.
type SettingKind string

// The kinds of settings.
const (
	KindBool   SettingKind = "bool"
	KindNumber SettingKind = "number"
	KindSpan   SettingKind = "span"
	KindChoice SettingKind = "choice"
	KindFields SettingKind = "fields"
	KindText   SettingKind = "text" // one line, at most Max bytes
	KindURLs   SettingKind = "urls" // prefixes, parted by spaces
)

// Setting is one line of the policy.
type Setting struct {
	Path     string // "password.min_length"
	Kind     SettingKind
	Min, Max int      // bounds of a number
	Choices  []string // of a choice
	get      func(*Policy) string
	set      func(*Policy, string) error
}

// Get returns the setting's value as text.
func (s Setting) Get(p Policy) string { return s.get(&p) }

// Bounds of spans and of what a person types as a number of days.
const (
	maxSessionYears = 1
	maxDays         = 730
	maxAllowance    = 10_000_000 // messages of one service in a month
)

// Settings returns every setting of the policy, in the order of the screens.
func Settings() []Setting {
	list := []Setting{
		boolean("password.upper_lower", func(p *Policy) *bool { return &p.Password.UpperLower }),
		boolean("password.letters_digits", func(p *Policy) *bool { return &p.Password.LettersDigits }),
		boolean("password.special", func(p *Policy) *bool { return &p.Password.Special }),
		number("password.min_length", 8, 64, func(p *Policy) *int { return &p.Password.MinLength }),
		number("password.min_score", 0, 4, func(p *Policy) *int { return &p.Password.MinScore }),
		boolean("password.refuse_common", func(p *Policy) *bool { return &p.Password.RefuseCommon }),
		boolean("password.refuse_personal", func(p *Policy) *bool { return &p.Password.RefusePersonal }),
		number("password.rotate_days", 0, maxDays, func(p *Policy) *int { return &p.Password.RotateDays }),
		number("password.history_days", 0, maxDays, func(p *Policy) *int { return &p.Password.HistoryDays }),
		number("password.history_last", 0, 50, func(p *Policy) *int { return &p.Password.HistoryLast }),
		span("session.lifetime", func(p *Policy) *Span { return &p.Session.Lifetime }),
		number("session.idle_minutes", 0, 24*60, func(p *Policy) *int { return &p.Session.IdleMinutes }),
		number("session.max", 0, 1000, func(p *Policy) *int { return &p.Session.Max }),
		choice("captcha.sign_in", []string{string(CaptchaOff), string(CaptchaAfterFailures), string(CaptchaAlways)},
			func(p *Policy) *CaptchaWhen { return &p.Captcha.SignIn }),
		choice("captcha.sign_up", []string{string(CaptchaOff), string(CaptchaAlways)},
			func(p *Policy) *CaptchaWhen { return &p.Captcha.SignUp }),
		number("lockout.failures", 1, 50, func(p *Policy) *int { return &p.Lockout.Failures }),
		number("lockout.address_failures", 1, 10000, func(p *Policy) *int { return &p.Lockout.AddressFailures }),
		number("lockout.wait_seconds", 1, 3600, func(p *Policy) *int { return &p.Lockout.WaitSeconds }),
		number("lockout.max_wait_minutes", 1, 24*60, func(p *Policy) *int { return &p.Lockout.MaxWaitMinutes }),
		choice("sign_up.mode", []string{string(SignUpOpen), string(SignUpInvite), string(SignUpApproval), string(SignUpClosed)},
			func(p *Policy) *SignUpMode { return &p.SignUp.Mode }),
		number("sign_up.quota", 0, 1_000_000_000, func(p *Policy) *int { return &p.SignUp.Quota }),
		boolean("sign_up.email_required", func(p *Policy) *bool { return &p.SignUp.EmailRequired }),
		{Path: "sign_up.fields", Kind: KindFields,
			get: func(p *Policy) string { return formatFields(p.SignUp.Fields) },
			set: func(p *Policy, s string) (err error) { p.SignUp.Fields, err = parseFields(s); return err }},
		boolean("factors.app", func(p *Policy) *bool { return &p.Factors.App }),
		boolean("factors.key", func(p *Policy) *bool { return &p.Factors.Key }),
		boolean("factors.sms", func(p *Policy) *bool { return &p.Factors.SMS }),
		boolean("factors.email", func(p *Policy) *bool { return &p.Factors.Email }),
		choice("factors.key_stands", []string{string(KeyStandsForNothing), string(KeyStandsForFactor), string(KeyStandsForPassword)},
			func(p *Policy) *KeyStanding { return &p.Factors.KeyStands }),
		choice("factors.enforce", []string{string(EnforceNobody), string(EnforceAdmins), string(EnforceEverybody)},
			func(p *Policy) *Enforcement { return &p.Factors.Enforce }),
		number("factors.days", 0, 365, func(p *Policy) *int { return &p.Factors.Days }),
		number("messages.mail_allowance", 0, maxAllowance, func(p *Policy) *int { return &p.Messages.MailAllowance }),
		number("messages.sms_allowance", 0, maxAllowance, func(p *Policy) *int { return &p.Messages.SMSAllowance }),
	}
	return slices.Concat(list, retentionSettings(), deletionSettings(), analysisSettings())
}

var validPath = regexp.MustCompile(`^[a-z][a-z_]{0,31}\.[a-z][a-z_]{0,31}$`)

// settingByPath finds a setting, or refuses with CodeNotFound.
func settingByPath(path string) (Setting, error) {
	for _, s := range Settings() {
		if s.Path == path {
			return s, nil
		}
	}
	if !validPath.MatchString(path) {
		path = "policy" // an error repeats nothing that was typed at random
	}
	return Setting{}, &Error{Code: CodeNotFound, Field: path, Rule: "setting"}
}

func boolean(path string, at func(*Policy) *bool) Setting {
	return Setting{Path: path, Kind: KindBool,
		get: func(p *Policy) string { return onOff(*at(p)) },
		set: func(p *Policy, s string) error {
			switch strings.ToLower(s) {
			case "on", "true", "yes", "1":
				*at(p) = true
			case "off", "false", "no", "0":
				*at(p) = false
			default:
				return &Error{Code: CodeFormat, Field: path, Rule: "on|off"}
			}
			return nil
		}}
}

func number(path string, low, high int, at func(*Policy) *int) Setting {
	return Setting{Path: path, Kind: KindNumber, Min: low, Max: high,
		get: func(p *Policy) string { return strconv.Itoa(*at(p)) },
		set: func(p *Policy, s string) error {
			n, err := strconv.Atoi(s)
			if err != nil {
				return &Error{Code: CodeFormat, Field: path, Rule: "number"}
			}
			if n < low || n > high {
				return &Error{Code: CodeRange, Field: path, Rule: fmt.Sprintf("%d-%d", low, high)}
			}
			*at(p) = n
			return nil
		}}
}

func span(path string, at func(*Policy) *Span) Setting {
	return Setting{Path: path, Kind: KindSpan,
		get: func(p *Policy) string { return at(p).String() },
		set: func(p *Policy, s string) error {
			v, err := ParseSpan(s)
			if err != nil {
				return &Error{Code: CodeOf(err), Field: path, Rule: "N hours|days|weeks|months"}
			}
			*at(p) = v
			return nil
		}}
}

func choice[T ~string](path string, choices []string, at func(*Policy) *T) Setting {
	return Setting{Path: path, Kind: KindChoice, Choices: choices,
		get: func(p *Policy) string { return string(*at(p)) },
		set: func(p *Policy, s string) error {
			for _, c := range choices {
				if s == c {
					*at(p) = T(s)
					return nil
				}
			}
			return &Error{Code: CodeFormat, Field: path, Rule: strings.Join(choices, "|")}
		}}
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}

// ParseSpan reads "12 hours", "1 month" or "2weeks"; CodeFormat or CodeRange otherwise. A
// span is at least one hour and at most one year.
func ParseSpan(s string) (Span, error) {
	s = strings.TrimSpace(s)
	word := strings.TrimLeft(s, "0123456789")
	n, err := strconv.Atoi(s[:len(s)-len(word)])
	if err != nil {
		return Span{}, refuse(CodeFormat)
	}
	word = strings.ToLower(strings.TrimSpace(word))
	limits := map[SpanUnit]int{Hours: 366 * 24 * maxSessionYears, Days: 366 * maxSessionYears, Weeks: 52 * maxSessionYears, Months: 12 * maxSessionYears}
	for unit, most := range limits {
		if word == string(unit) || word == strings.TrimSuffix(string(unit), "s") {
			if n < 1 || n > most {
				return Span{}, refuse(CodeRange)
			}
			return Span{N: n, Unit: unit}, nil
		}
	}
	return Span{}, refuse(CodeFormat)
}
