// The policy: one document that says what the portal demands. Everything in it
// is data; each setting has a path, bounds and a default (settings.go), so that
// screens, verbs and checks are made from one table.

package core

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"postern/core/password"
)

// Policy is the document in force. It takes effect for everybody at once: no
// deadline or rule is copied out of it into records.
type Policy struct {
	Version int       `json:"version"` // counts the changes; 1 is the first
	Changed time.Time `json:"changed"`
	By      string    `json:"by"` // account id, "console", or "" for the setup
	Reason  string    `json:"reason,omitempty"`
	Preset  string    `json:"preset"` // the preset it began as

	Password PasswordPolicy `json:"password"`
	Session  SessionPolicy  `json:"session"`
	Lockout  LockoutPolicy  `json:"lockout"`
	SignUp   SignUpPolicy   `json:"sign_up"`
	Captcha  CaptchaPolicy  `json:"captcha"`

	Factors   FactorPolicy    `json:"factors"`
	Messages  MessagePolicy   `json:"messages"`
	Retention RetentionPolicy `json:"retention"`
	Deletion  DeletionPolicy  `json:"deletion"`
	Analysis  AnalysisPolicy  `json:"analysis"`
}

// UnmarshalJSON reads a policy. Sections that an older program did not know
// begin as a new portal's do, since nothing at all would be out of bounds.
func (p *Policy) UnmarshalJSON(b []byte) error {
	type plain Policy
	fresh := plain(freshSections())
	if err := json.Unmarshal(b, &fresh); err != nil {
		return err
	}
	*p = Policy(fresh)
	return nil
}

// PasswordPolicy says what a password must be, and how long it may stay.
type PasswordPolicy struct {
	UpperLower     bool `json:"upper_lower"`
	LettersDigits  bool `json:"letters_digits"`
	Special        bool `json:"special"`
	MinLength      int  `json:"min_length"` // characters after NFC
	MinScore       int  `json:"min_score"`  // zxcvbn, 0 to 4
	RefuseCommon   bool `json:"refuse_common"`
	RefusePersonal bool `json:"refuse_personal"`
	RotateDays     int  `json:"rotate_days"`  // 0: never forced
	HistoryDays    int  `json:"history_days"` // 0: no such rule
	HistoryLast    int  `json:"history_last"` // 0: no such rule
}

// Rules returns the part that can be judged from the password alone.
func (p PasswordPolicy) Rules() password.Rules {
	return password.Rules{
		UpperLower: p.UpperLower, LettersDigits: p.LettersDigits, Special: p.Special,
		MinLength: p.MinLength, MinScore: p.MinScore,
		RefuseCommon: p.RefuseCommon, RefusePersonal: p.RefusePersonal,
	}
}

// SessionPolicy says when a session ends by itself.
type SessionPolicy struct {
	Lifetime    Span `json:"lifetime"`
	IdleMinutes int  `json:"idle_minutes"` // 0: no idle limit
	Max         int  `json:"max"`          // sessions of one account at once; 0: any number
}

// Ends returns when a session that began and was last seen at these times ends.
func (p SessionPolicy) Ends(created, lastSeen time.Time) (time.Time, EndReason) {
	end, why := p.Lifetime.After(created), EndExpired
	if p.IdleMinutes > 0 {
		if idle := lastSeen.Add(time.Duration(p.IdleMinutes) * time.Minute); idle.Before(end) {
			end, why = idle, EndIdle
		}
	}
	return end, why
}

// LockoutPolicy bounds guessing.
type LockoutPolicy struct {
	Failures        int `json:"failures"`         // tries of one login before the first wait
	AddressFailures int `json:"address_failures"` // tries from one address before the first wait
	WaitSeconds     int `json:"wait_seconds"`     // the first wait; each further failure doubles it
	MaxWaitMinutes  int `json:"max_wait_minutes"`
}

// MaxCredentialFailures is the number of failures in a row after which a
// password no longer counts and must be re-established with a one-time code
// (NIST SP 800-63B-4 §3.2.2).
const MaxCredentialFailures = 100

// SignUpMode says who may make an account.
type SignUpMode string

// The modes of sign-up.
const (
	SignUpOpen     SignUpMode = "open"
	SignUpInvite   SignUpMode = "invite"
	SignUpApproval SignUpMode = "approval"
	SignUpClosed   SignUpMode = "closed"
)

// SignUpPolicy says who may make an account, and what they must tell.
type SignUpPolicy struct {
	Mode          SignUpMode `json:"mode"`
	Quota         int        `json:"quota"` // accounts; 0: any number
	EmailRequired bool       `json:"email_required"`
	Fields        []Field    `json:"fields,omitempty"`
}

// SpanUnit is a unit of Span.
type SpanUnit string

// The units of a span. Months are calendar months.
const (
	Hours  SpanUnit = "hours"
	Days   SpanUnit = "days"
	Weeks  SpanUnit = "weeks"
	Months SpanUnit = "months"
)

// Span is a length of time in the words of a person: 12 hours, 3 months.
type Span struct {
	N    int
	Unit SpanUnit
}

// After returns the time one span after t. A month after 31 January is the last
// day of February, as people count, and not the 2nd or 3rd of March.
func (s Span) After(t time.Time) time.Time {
	switch s.Unit {
	case Hours:
		return t.Add(time.Duration(s.N) * time.Hour)
	case Weeks:
		return t.AddDate(0, 0, 7*s.N)
	case Months:
		first := time.Date(t.Year(), t.Month(), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), t.Location()).AddDate(0, s.N, 0)
		last := first.AddDate(0, 1, -1).Day()
		return first.AddDate(0, 0, min(t.Day(), last)-1)
	default:
		return t.AddDate(0, 0, s.N)
	}
}

// MarshalText writes "12 hours".
func (s Span) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (s *Span) UnmarshalText(b []byte) error {
	v, err := ParseSpan(string(b))
	if err != nil {
		return err
	}
	*s = v
	return nil
}

// String returns "12 hours" or "1 week", for files and verbs; screens say it by
// the dictionary.
func (s Span) String() string {
	if s.N == 1 {
		return "1 " + strings.TrimSuffix(string(s.Unit), "s")
	}
	return fmt.Sprintf("%d %s", s.N, s.Unit)
}
