// Package script runs the analysis of a delete request: a program in Starlark,
// written by an admin, that looks at an account and decides. It runs in a process
// of its own (run.go, child.go, confine*.go) that has no environment, opens no
// file and no connection, starts no process, and is ended when it takes too much
// time, memory or output. What it may say and ask for is the kit (kit.go, and
// docs/analysis.md for whoever writes a script). It does nothing itself: what it
// asks for is handed back, and done or not by whoever has run it. post.go is how
// something is posted to a URL.
//
// It imports nothing of ours.
package script

import (
	"time"
)

// Bounds of a script and of what it asks for.
const (
	MaxSource  = 64 << 10 // bytes of a script
	MaxReason  = 200      // characters of a reason
	MaxText    = 500      // characters of a notification
	MaxURL     = 2000     // bytes of a URL
	MaxBody    = 16 << 10 // bytes of what is posted
	MaxEffects = 10       // notifications and posts of one run together
	MaxDetail  = 300      // characters of what went wrong
)

// Verdict is what a script decides about a request.
type Verdict string

// The verdicts. Hold leaves the request to a person.
const (
	Approve Verdict = "approve"
	Reject  Verdict = "reject"
	Hold    Verdict = "hold"
)

// Verdicts returns all of them.
func Verdicts() []Verdict { return []Verdict{Approve, Reject, Hold} }

// Outcome says how a run came to its end. Values are stable.
type Outcome string

// The outcomes. Whatever is not Decided holds the request, and nothing of what
// the script has asked for is done.
const (
	Decided   Outcome = "decided"   // it has decided, once
	Undecided Outcome = "undecided" // it came to its end without deciding
	Failed    Outcome = "failed"    // an error of the script, at Line
	TooLong   Outcome = "time"      // it took longer than it may
	TooBig    Outcome = "memory"    // it wanted more memory than it may have
	TooLoud   Outcome = "output"    // it printed more than is kept
	Crashed   Outcome = "crashed"   // its process was ended by something else
	Stopped   Outcome = "stopped"   // the portal was closing
	NotRun    Outcome = "not_run"   // its process could not be started
)

// Outcomes returns all of them.
func Outcomes() []Outcome {
	return []Outcome{Decided, Undecided, Failed, TooLong, TooBig, TooLoud, Crashed, Stopped, NotRun}
}

// Input is what a script is given. Times are RFC 3339 in UTC, "" for never; see
// Time.
type Input struct {
	Name     string    `json:"name"` // of the script
	Source   string    `json:"source"`
	Now      string    `json:"now"`
	Dry      bool      `json:"dry"` // nothing that it asks for will be done
	Request  Request   `json:"request"`
	Account  Account   `json:"account"`
	Sessions []Session `json:"sessions"`
	Grants   []Grant   `json:"grants"`
	URLs     []string  `json:"urls"` // what post may be given begins with one of these
}

// Request is the delete request.
type Request struct {
	ID    string `json:"id"`
	Asked string `json:"asked"` // when
	Due   string `json:"due"`   // when its days of grace are over
	Note  string `json:"note"`  // what the person wrote
}

// Account is the account that is to be deleted. It holds no secret.
type Account struct {
	ID             string            `json:"id"`
	UserName       string            `json:"user_name"`
	DisplayName    string            `json:"display_name"`
	Email          string            `json:"email"`
	EmailConfirmed bool              `json:"email_confirmed"`
	State          string            `json:"state"`
	Created        string            `json:"created"`
	LastSignIn     string            `json:"last_sign_in"`
	Language       string            `json:"language"`
	TimeZone       string            `json:"time_zone"`
	Fields         map[string]string `json:"fields"`
	Roles          []string          `json:"roles"`   // on the portal itself
	Factors        []string          `json:"factors"` // kinds of second factors
	Keys           int               `json:"keys"`    // linked SSH keys
}

// Session is a session of the account that has not ended.
type Session struct {
	ID       string `json:"id"`
	Door     string `json:"door"`
	Remote   string `json:"remote"`
	Client   string `json:"client"`
	Method   string `json:"method"`
	Factor   string `json:"factor"`
	Created  string `json:"created"`
	LastSeen string `json:"last_seen"`
}

// Grant is what the account holds on an app, or on the portal ("postern").
type Grant struct {
	App     string `json:"app"` // its name
	Role    string `json:"role"`
	Created string `json:"created"`
	Since   string `json:"since"` // from when it counts
	Until   string `json:"until"`
}

// Time writes a time as scripts read it: whole seconds, UTC, "" for the zero time.
func Time(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Truncate(time.Second).Format(time.RFC3339)
}

// EffectKind says what a script asks for.
type EffectKind string

// The kinds of effects.
const (
	EffectNotify EffectKind = "notify"
	EffectPost   EffectKind = "post"
)

// Effect is something that a script asks for.
type Effect struct {
	Kind EffectKind `json:"kind"`
	To   string     `json:"to,omitempty"`   // of a notification: ToPerson or ToOwner
	Text string     `json:"text,omitempty"` // of a notification, one line
	URL  string     `json:"url,omitempty"`  // of a post
	Body string     `json:"body,omitempty"` // of a post, JSON
}

// Whom a script notifies.
const (
	ToPerson = "person" // whoever asked for the deletion
	ToOwner  = "owner"  // the owners of the portal
)

// Result is what became of a run.
type Result struct {
	Outcome Outcome       `json:"outcome"`
	Verdict Verdict       `json:"verdict"`
	Reason  string        `json:"reason"`           // of the verdict, in the script's words
	Detail  string        `json:"detail,omitempty"` // what went wrong, in English
	Line    int           `json:"line,omitempty"`   // where, from 1; 0: nowhere in particular
	Effects []Effect      `json:"effects,omitempty"`
	Log     string        `json:"log,omitempty"` // what was printed, in lines
	Took    time.Duration `json:"took"`
}

// held is a run that ended in another way than by a decision.
func held(o Outcome, detail string, line int) Result {
	return Result{Outcome: o, Verdict: Hold, Detail: clip(detail, MaxDetail), Line: line}
}

// Limits bound a run. A zero field has its default.
type Limits struct {
	Wall   time.Duration `json:"wall"`   // how long it may take; 10 s
	Memory int64         `json:"memory"` // bytes beyond what the program needs by itself; 256 MiB
	Steps  uint64        `json:"steps"`  // of the interpreter; 500 million
	Log    int           `json:"log"`    // bytes printed; 64 KiB
}

// DefaultLimits are the limits of a run for which nothing else was said.
func DefaultLimits() Limits {
	return Limits{Wall: 10 * time.Second, Memory: 256 << 20, Steps: 500_000_000, Log: 64 << 10}
}

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	if l.Wall <= 0 {
		l.Wall = d.Wall
	}
	if l.Memory <= 0 {
		l.Memory = d.Memory
	}
	if l.Steps == 0 {
		l.Steps = d.Steps
	}
	if l.Log <= 0 {
		l.Log = d.Log
	}
	return l
}
