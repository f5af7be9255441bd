package password

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The bounds of Rules.MinLength and the highest Rules.MinScore.
const (
	LeastMinLength = 8  // ASVS 6.2.1
	MostMinLength  = 64 // ASVS 6.2.9
	MaxScore       = 4
)

// ErrRules says that a number in Rules is out of its bounds.
var ErrRules = errors.New("password: rules out of bounds")

// Rules are what a policy asks of a new password. The zero value asks for
// LeastMinLength characters and nothing more.
type Rules struct {
	UpperLower     bool // upper and lower case letters
	LettersDigits  bool // letters and digits
	Special        bool // something that is neither letter nor digit; a space is
	MinLength      int  // in characters, LeastMinLength to MostMinLength
	MinScore       int  // 1 to MaxScore, see Score; 0 asks for none
	RefuseCommon   bool // not one that everybody tries first
	RefusePersonal bool // not made of what is known about the person
}

// Validate returns ErrRules when a number is out of its bounds.
func (r Rules) Validate() error {
	if r.MinLength < LeastMinLength || r.MinLength > MostMinLength || r.MinScore < 0 || r.MinScore > MaxScore {
		return ErrRules
	}
	return nil
}

// Rule is a stable identifier of one thing that is asked of a password.
type Rule string

const (
	RuleEncoding      Rule = "encoding"       // valid UTF-8
	RuleMaxBytes      Rule = "max_bytes"      // at most N bytes
	RuleControl       Rule = "control"        // no control characters
	RuleMinLength     Rule = "min_length"     // at least N characters
	RuleUpperLower    Rule = "upper_lower"    // see Rules.UpperLower
	RuleLettersDigits Rule = "letters_digits" // see Rules.LettersDigits
	RuleSpecial       Rule = "special"        // see Rules.Special
	RuleCommon        Rule = "common"         // see Rules.RefuseCommon
	RulePersonal      Rule = "personal"       // see Rules.RefusePersonal
	RuleMinScore      Rule = "min_score"      // a Score of at least N

	// These two need a database or a file; whoever holds it adds their Checks.
	RuleBreached Rule = "breached" // not in a list of breached passwords
	RuleHistory  Rule = "history"  // not one of the last N
)

// State says how a Check stands.
type State int

const (
	Pending State = iota // Not known yet; the password is not to be accepted.
	Pass                 // The rule holds.
	Fail                 // The rule is broken.
)

// Check is one line of the checklist beside a password field.
type Check struct {
	Rule  Rule
	State State
	N     int // the number in the rule's sentence, 0 when it has none
}

// Input is what Rules are evaluated on.
type Input struct {
	Password string
	// Personal holds what is known about the person and the place: user name,
	// display name, e-mail address, name of the portal.
	Personal []string
	// Score is the estimate for this very password, or nil while it is being
	// made: RuleMinScore is then Pending.
	Score *Score
}

// Evaluate returns a Check for every rule that is on, always in the same order.
// What is asked of every password (encoding, MaxBytes, no controls) appears, in
// front, only when it fails. Evaluate is pure, takes some microseconds for any
// input, and is meant to be called at every key press. MinLength and MinScore
// out of bounds count as the nearest bound.
func (r Rules) Evaluate(in Input) []Check {
	checks := make([]Check, 0, 8)
	add := func(rule Rule, n int, state State) {
		checks = append(checks, Check{Rule: rule, State: state, N: n})
	}
	pw, err := Normalize(in.Password)
	switch err {
	case ErrInvalidUTF8:
		add(RuleEncoding, 0, Fail)
	case ErrTooLong:
		add(RuleMaxBytes, MaxBytes, Fail)
	case ErrControl:
		add(RuleControl, 0, Fail)
	}
	if err != nil {
		// It is refused already; the other lines tell about its beginning, so
		// that they do not all change at the last key.
		pw = beginning(in.Password)
	}

	least := min(max(r.MinLength, LeastMinLength), MostMinLength)
	add(RuleMinLength, least, passIf(utf8.RuneCountInString(pw) >= least))
	has := kinds(pw)
	if r.UpperLower {
		add(RuleUpperLower, 0, passIf(has.upper && has.lower))
	}
	if r.LettersDigits {
		add(RuleLettersDigits, 0, passIf(has.letter && has.digit))
	}
	if r.Special {
		add(RuleSpecial, 0, passIf(has.special))
	}
	// An empty field has not avoided anything yet.
	folded := Fold(pw)
	if r.RefuseCommon {
		add(RuleCommon, 0, unless(pw == "", func() bool { return !common(folded) }))
	}
	if r.RefusePersonal {
		add(RulePersonal, 0, unless(pw == "", func() bool { return !personal(folded, in.Personal) }))
	}
	if score := min(r.MinScore, MaxScore); score > 0 {
		add(RuleMinScore, score, unless(in.Score == nil, func() bool { return in.Score.Value >= score }))
	}
	return checks
}

// Passed says whether every check passed: a pending one has not.
func Passed(checks []Check) bool {
	for _, c := range checks {
		if c.State != Pass {
			return false
		}
	}
	return true
}

func passIf(ok bool) State {
	if ok {
		return Pass
	}
	return Fail
}

// unless returns Pending, or else whether ok holds.
func unless(pending bool, ok func() bool) State {
	if pending {
		return Pending
	}
	return passIf(ok())
}

// beginning returns the beginning of a refused password, as valid UTF-8.
func beginning(pw string) string {
	if len(pw) > MaxBytes {
		pw = pw[:MaxBytes]
	}
	return norm.NFC.String(strings.ToValidUTF8(pw, ""))
}

type kindSet struct{ upper, lower, letter, digit, special bool }

func kinds(pw string) (has kindSet) {
	for _, r := range pw {
		switch {
		case unicode.IsLetter(r):
			has.letter = true
			has.upper = has.upper || unicode.IsUpper(r) || unicode.IsTitle(r)
			has.lower = has.lower || unicode.IsLower(r)
		case unicode.IsDigit(r):
			has.digit = true
		case !unicode.IsMark(r):
			has.special = true
		}
	}
	return has
}
