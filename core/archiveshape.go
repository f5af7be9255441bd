// What an archive says, as a promise to those who read it: docs/my-data.schema.json
// describes these shapes, and a test holds them to it. They are no records of the
// core, so that nothing comes into an archive by being added to one; a secret or a
// hash is in none of them.

package core

import (
	"maps"
	"slices"
	"strings"
	"time"

	"postern/core/password"
	"postern/core/script"
)

type archivedAccount struct {
	ID             string          `json:"id"`
	UserName       string          `json:"user_name"`
	DisplayName    string          `json:"display_name"`
	Email          string          `json:"email,omitempty"`
	EmailConfirmed time.Time       `json:"email_confirmed,omitzero"`
	State          State           `json:"state"`
	Why            string          `json:"why,omitempty"` // of a suspension
	Created        time.Time       `json:"created"`
	LastSignIn     time.Time       `json:"last_sign_in,omitzero"`
	Language       string          `json:"language,omitempty"`
	Theme          string          `json:"theme,omitempty"`
	TimeZone       string          `json:"time_zone,omitempty"`
	Invite         string          `json:"invite,omitempty"`
	Imported       time.Time       `json:"imported,omitzero"`
	Muted          []string        `json:"muted,omitempty"`
	Fields         []archivedField `json:"fields"`
	SetUpPortal    bool            `json:"set_up_portal,omitempty"` // it was its first owner
}

// archivedField is a custom field. Hidden says that its person is not shown it on
// the screens: the portal's people filled it in, or it is defined no more.
type archivedField struct {
	Key    string `json:"key"`
	Label  string `json:"label,omitempty"`
	Value  string `json:"value"`
	Hidden bool   `json:"hidden"`
}

func (p SignUpPolicy) archivedFields(values map[string]string) []archivedField {
	out := []archivedField{}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		f := archivedField{Key: key, Value: values[key], Hidden: !p.shows(key)}
		if i := slices.IndexFunc(p.Fields, func(d Field) bool { return d.Key == key }); i >= 0 {
			f.Label = p.Fields[i].Label
		}
		out = append(out, f)
	}
	return out
}

type archivedPassword struct {
	Set        bool        `json:"set"`
	Form       string      `json:"form,omitempty"` // of the hash: "argon2id"
	Changed    time.Time   `json:"changed"`
	MustChange bool        `json:"must_change,omitempty"`
	Failures   int         `json:"failures,omitempty"`    // in a row
	CodeUntil  time.Time   `json:"code_until,omitzero"`   // a one-time code was issued, valid until then
	CodeTries  int         `json:"code_tries,omitempty"`  // wrong ones
	Replaced   []time.Time `json:"replaced_at,omitempty"` // when older ones, which may not come back, were replaced
}

func (c Credential) archived() archivedPassword {
	p := archivedPassword{Set: c.Hash != "", Changed: c.Changed, MustChange: c.Expired, Failures: c.Failures,
		CodeUntil: c.CodeUntil, CodeTries: c.CodeTries}
	p.Form, _ = password.Scheme(c.Hash)
	for _, h := range c.History {
		p.Replaced = append(p.Replaced, h.Until)
	}
	return p
}

type archivedFactor struct {
	ID       string     `json:"id"`
	Kind     FactorKind `json:"kind"`
	Label    string     `json:"label"`
	Address  string     `json:"address,omitempty"`
	Default  bool       `json:"default,omitempty"`
	Created  time.Time  `json:"created"`
	LastUsed time.Time  `json:"last_used,omitzero"`
	Failures int        `json:"failures,omitempty"`
	Disabled time.Time  `json:"disabled,omitzero"`
}

func (f Factor) archived() archivedFactor {
	return archivedFactor{ID: f.ID, Kind: f.Kind, Label: f.Label, Address: f.Address, Default: f.Default, Created: f.Created,
		LastUsed: f.LastUsed, Failures: f.Failures, Disabled: f.Disabled}
}

type archivedKey struct {
	Fingerprint string    `json:"fingerprint"`
	Line        string    `json:"line"`
	Label       string    `json:"label,omitempty"`
	Created     time.Time `json:"created"`
	LastUsed    time.Time `json:"last_used,omitzero"`
	Until       time.Time `json:"until,omitzero"`
	Ended       time.Time `json:"ended,omitzero"`
	Warned      time.Time `json:"warned,omitzero"` // its person was told that it ends soon
}

func (k LinkedKey) archived() archivedKey {
	return archivedKey{Fingerprint: k.Fingerprint, Line: k.Line, Label: k.Label, Created: k.Created, LastUsed: k.LastUsed,
		Until: k.Until, Ended: k.Ended, Warned: k.Warned}
}

type archivedRecovery struct {
	Left         int       `json:"left"`
	Made         time.Time `json:"made,omitzero"`
	Waiting      int       `json:"waiting,omitempty"` // shown, and not yet called saved
	WaitingUntil time.Time `json:"waiting_until,omitzero"`
}

type archivedEnrolment struct {
	Kind    FactorKind `json:"kind"`
	Address string     `json:"address,omitempty"`
	Ends    time.Time  `json:"ends"`
	Until   time.Time  `json:"until,omitzero"` // of the code that was sent
	Tries   int        `json:"tries,omitempty"`
}

type archivedCode struct {
	Factor string    `json:"factor"` // the id of the factor it was sent to
	Until  time.Time `json:"until"`
	Tries  int       `json:"tries,omitempty"`
}

type archivedAttempt struct {
	Method string     `json:"method"`
	Factor FactorKind `json:"factor,omitempty"`
	Later  bool       `json:"later,omitempty"` // enrolling a factor was put off
	Until  time.Time  `json:"until"`
	Door   Door       `json:"door"`
	Remote string     `json:"remote,omitempty"`
}

type archivedSession struct {
	ID        string     `json:"id"`
	Door      Door       `json:"door"`
	Remote    string     `json:"remote,omitempty"`
	Client    string     `json:"client,omitempty"`
	Key       string     `json:"key,omitempty"`
	Method    string     `json:"method"`
	Factor    FactorKind `json:"factor,omitempty"`
	Created   time.Time  `json:"created"`
	LastSeen  time.Time  `json:"last_seen"`
	Proved    time.Time  `json:"proved,omitzero"`
	Ended     time.Time  `json:"ended,omitzero"`
	EndReason EndReason  `json:"end_reason,omitempty"`
}

func (s Session) archived() archivedSession {
	return archivedSession{ID: s.ID, Door: s.Door, Remote: s.Remote, Client: s.Client, Key: s.Key, Method: s.Method, Factor: s.Factor,
		Created: s.Created, LastSeen: s.LastSeen, Proved: s.Proved, Ended: s.Ended, EndReason: s.EndReason}
}

type archivedDevice struct {
	Place string    `json:"place"`
	Last  time.Time `json:"last"`
}

// archivedTries is a count of failures: of passwords ("login", "session"), one-time
// codes ("code"), factors ("factor") and recovery codes ("recovery"), or of codes
// that were sent ("send").
type archivedTries struct {
	Of       string    `json:"of"`
	Failures int       `json:"failures"`
	Last     time.Time `json:"last"`
	Until    time.Time `json:"until,omitzero"` // no try before
}

type archivedGrant struct {
	ID      string    `json:"id"`
	App     string    `json:"app"` // AppPostern: a role on the portal; else the app's id
	AppName string    `json:"app_name,omitempty"`
	Role    Role      `json:"role"`
	By      string    `json:"by,omitempty"`
	Created time.Time `json:"created"`
	From    time.Time `json:"from,omitzero"`
	Until   time.Time `json:"until,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
}

func (g Grant) archived() archivedGrant {
	return archivedGrant{ID: g.ID, App: g.App, Role: g.Role, By: g.By, Created: g.Created, From: g.From, Until: g.Until, Ended: g.Ended}
}

type archivedApp struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Note    string    `json:"note,omitempty"`
	Created time.Time `json:"created"`
	State   AppState  `json:"state"`
	Roles   []AppRole `json:"roles"`
}

type archivedInvite struct {
	ID        string    `json:"id"`
	Note      string    `json:"note,omitempty"`
	Created   time.Time `json:"created"`
	Until     time.Time `json:"until"`
	Uses      int       `json:"uses"`
	Of        int       `json:"of,omitempty"`
	Role      Role      `json:"role,omitempty"`
	RoleUntil time.Time `json:"role_until,omitzero"`
}

type archivedAnswer struct {
	Agreement string    `json:"agreement"`
	Version   int       `json:"version"`
	Name      string    `json:"name"`
	Accepted  bool      `json:"accepted"`
	At        time.Time `json:"at"`
	Door      Door      `json:"door"`
	Remote    string    `json:"remote,omitempty"`
	Client    string    `json:"client,omitempty"`
}

type archivedNotice struct {
	ID   string            `json:"id"`
	Kind NoticeKind        `json:"kind"`
	At   time.Time         `json:"at"`
	Read time.Time         `json:"read,omitzero"`
	Args map[string]string `json:"args,omitempty"`
}

type archivedMessage struct {
	ID       string            `json:"id"`
	Service  Service           `json:"service"`
	To       string            `json:"to"`
	Kind     MessageKind       `json:"kind"`
	Language string            `json:"language,omitempty"`
	Zone     string            `json:"zone,omitempty"`
	Args     map[string]string `json:"args,omitempty"`
	State    MessageState      `json:"state"`
	Created  time.Time         `json:"created"`
	Until    time.Time         `json:"until,omitzero"` // not worth sending after this
	Done     time.Time         `json:"done,omitzero"`
	Tries    int               `json:"tries,omitempty"`
	Problem  string            `json:"problem,omitempty"`
}

func (m Message) archived() archivedMessage {
	return archivedMessage{ID: m.ID, Service: m.Service, To: m.To, Kind: m.Kind, Language: m.Language, Zone: m.Zone, Args: m.Args,
		State: m.State, Created: m.Created, Until: m.Until, Done: m.Done, Tries: m.Tries, Problem: m.Problem}
}

// archivedNaming is a notice or a message of somebody else that names the account.
type archivedNaming struct {
	In   string     `json:"in"` // "notice" or "message"
	Kind NoticeKind `json:"kind"`
	At   time.Time  `json:"at"`
}

type archivedRequest struct {
	ID      string          `json:"id"`
	Process DeletionProcess `json:"process"`
	Script  string          `json:"script,omitempty"`
	Run     string          `json:"run,omitempty"` // the id of its analysis
	Own     bool            `json:"own"`           // asked for by the account itself
	State   RequestState    `json:"state"`
	Created time.Time       `json:"created"`
	Due     time.Time       `json:"due,omitzero"`
	History []archivedStep  `json:"history"`
}

type archivedStep struct {
	At     time.Time    `json:"at"`
	State  RequestState `json:"state"`
	Own    bool         `json:"own"` // done by the account itself
	Why    HeldWhy      `json:"why,omitempty"`
	Reason string       `json:"reason,omitempty"`
}

func (r Request) archived() archivedRequest {
	out := archivedRequest{ID: r.ID, Process: r.Process, Script: r.Script, Run: r.Run, Own: r.By == r.Account, State: r.State,
		Created: r.Created, Due: r.Due, History: []archivedStep{}}
	for _, h := range r.History {
		out.History = append(out.History, archivedStep{At: h.At, State: h.State, Own: h.By == r.Account, Why: h.Why, Reason: h.Reason})
	}
	return out
}

// archivedRun is a run of a script about the account. Who let it run is not the
// account's own.
type archivedRun struct {
	ID      string         `json:"id"`
	Script  string         `json:"script"`
	Version int            `json:"version"` // 0: a text that was not saved
	Dry     bool           `json:"dry"`     // nothing of what it asked for was done
	Request string         `json:"request,omitempty"`
	State   RunState       `json:"state"`
	Outcome script.Outcome `json:"outcome,omitempty"`
	Verdict script.Verdict `json:"verdict,omitempty"`
	Reason  string         `json:"reason,omitempty"`
	User    string         `json:"user"`             // the user name at that time
	Detail  string         `json:"detail,omitempty"` // what went wrong, in English
	Line    int            `json:"line,omitempty"`   // where

	Log      string           `json:"log,omitempty"`
	Effects  []archivedEffect `json:"effects,omitempty"`
	Began    time.Time        `json:"began"`
	Ended    time.Time        `json:"ended,omitzero"`
	Resolved time.Time        `json:"resolved,omitzero"` // somebody said what a run that is unknown meant
}

// archivedEffect is something that a run asked for.
type archivedEffect struct {
	Kind script.EffectKind `json:"kind"`
	To   string            `json:"to,omitempty"`
	Text string            `json:"text,omitempty"`
	URL  string            `json:"url,omitempty"`
	Body string            `json:"body,omitempty"`
}

func (r Run) archived() archivedRun {
	out := archivedRun{ID: r.ID, Script: r.Script, Version: r.Version, Dry: r.Dry, Request: r.Request, State: r.State, Outcome: r.Outcome,
		Verdict: r.Verdict, Reason: r.Reason, User: r.User, Detail: r.Detail, Line: r.Line, Log: r.Log, Began: r.Began, Ended: r.Ended,
		Resolved: r.Resolved}
	for _, e := range r.Effects {
		out.Effects = append(out.Effects, archivedEffect(e))
	}
	return out
}

// archivedPost is what such a run told another system.
type archivedPost struct {
	ID      string    `json:"id"`
	Run     string    `json:"run"`
	URL     string    `json:"url"`
	Body    string    `json:"body"`
	State   PostState `json:"state"`
	Created time.Time `json:"created"`
	Done    time.Time `json:"done,omitzero"`
	Tries   int       `json:"tries,omitempty"`
	Problem string    `json:"problem,omitempty"`
	Status  int       `json:"status,omitempty"` // of an answer that was none of success
}

func (p Post) archived() archivedPost {
	return archivedPost{ID: p.ID, Run: p.Run, URL: p.URL, Body: p.Body, State: p.State, Created: p.Created, Done: p.Done, Tries: p.Tries,
		Problem: p.Problem, Status: p.Status}
}

type archivedHold struct {
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
	Until  time.Time `json:"until,omitzero"`
}

type archivedInactive struct {
	At    time.Time `json:"at"`
	Until time.Time `json:"until"` // the account goes then, unless its person signs in
}

type archivedDraft struct {
	Base   int               `json:"base"`
	Values map[string]string `json:"values"`
	Reason string            `json:"reason,omitempty"`
	Saved  time.Time         `json:"saved"`
}

type archivedExport struct {
	At time.Time `json:"at"`
	Receipt
}

// archivedGuard says what a guard counts, without the hash that it is kept under.
func archivedGuard(k guardKey, r guardRecord) archivedTries {
	of, _, _ := strings.Cut(k.id, "/")
	return archivedTries{Of: of, Failures: r.Failures, Last: r.Last, Until: r.Until}
}
