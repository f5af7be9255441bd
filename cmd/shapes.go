// What --json says. These shapes are a promise to scripts: a field may come, and
// none changes its meaning or goes away. Times are RFC 3339 in UTC; what does
// not apply is left out.

package cmd

import (
	"time"

	"postern/core"
)

// accountShape is an account in a list.
type accountShape struct {
	ID          string            `json:"id"`
	UserName    string            `json:"user_name"`
	DisplayName string            `json:"display_name"`
	Email       string            `json:"email,omitempty"`
	State       core.State        `json:"state"`
	Why         string            `json:"why,omitempty"`
	Created     time.Time         `json:"created"`
	LastSignIn  time.Time         `json:"last_sign_in,omitzero"`
	Fields      map[string]string `json:"fields,omitempty"`

	EmailConfirmed time.Time `json:"email_confirmed,omitzero"` // when a code showed that the address is its person's
}

func shapeAccount(a core.Account) accountShape {
	return accountShape{
		ID: a.ID, UserName: a.UserName, DisplayName: a.DisplayName, Email: a.Email, State: a.State, Why: a.Why,
		Created: a.Created, LastSignIn: a.LastSignIn, Fields: a.Fields, EmailConfirmed: a.EmailConfirmed,
	}
}

// usersShape is a page of accounts; Next is for --after.
type usersShape struct {
	Users  []accountShape `json:"users"`
	Next   string         `json:"next,omitempty"`
	Looked int            `json:"looked,omitempty"` // accounts that were looked at for it
}

// userShape is one account.
type userShape struct {
	accountShape
	Roles           []core.Role   `json:"roles"`
	PasswordChanged time.Time     `json:"password_changed,omitzero"`
	PasswordDue     time.Time     `json:"password_due,omitzero"`
	Failures        int           `json:"failures"`
	Locked          bool          `json:"locked"`
	Sessions        int           `json:"sessions"`
	Keys            []keyShape    `json:"keys"`
	Factors         []factorShape `json:"factors"`
	RecoveryCodes   int           `json:"recovery_codes"` // that are left

	Grants []grantShape `json:"grants,omitempty"` // roles on the portal, for those who may read roles
	Shares []shareShape `json:"shares,omitempty"` // and on apps, for those who may read apps
	Rules  []ruleShape  `json:"rules,omitempty"`  // in which apps are stricter than the portal
}

// ruleShape is a rule that somebody lives under because of an app.
type ruleShape struct {
	Setting string `json:"setting"`
	Value   string `json:"value"`
	App     string `json:"app"`
	Portal  string `json:"portal"` // what the portal itself says
}

func shapeRules(list []core.RuleSource) (out []ruleShape) {
	for _, r := range list {
		if r.From != "" {
			out = append(out, ruleShape{Setting: r.Path, Value: r.Value, App: r.From, Portal: r.Portal})
		}
	}
	return out
}

// whoShape is who asks: an account, or the machine's own operator.
type whoShape struct {
	Console  bool          `json:"console"`
	Operator string        `json:"operator,omitempty"` // the system's user name, at the console
	Account  *accountShape `json:"account,omitempty"`
	Roles    []core.Role   `json:"roles,omitempty"`
	Key      string        `json:"key,omitempty"` // the fingerprint that was recognised

	SecondFactor *protectionShape `json:"second_factor,omitempty"`
	AuditHead    string           `json:"audit_head,omitempty"` // the end of the trail's chain, for those who may read it
}

// sessionShape is one live session.
type sessionShape struct {
	ID       string    `json:"id"`
	Account  string    `json:"account"`
	Door     core.Door `json:"door"`
	Remote   string    `json:"remote,omitempty"`
	Client   string    `json:"client,omitempty"`
	Key      string    `json:"key,omitempty"`
	Method   string    `json:"method"`
	Created  time.Time `json:"created"`
	LastSeen time.Time `json:"last_seen"`
	Ends     time.Time `json:"ends"`
}

type sessionsShape struct {
	Sessions []sessionShape `json:"sessions"`
}

func shapeSessions(list []core.Session) sessionsShape {
	out := sessionsShape{Sessions: make([]sessionShape, len(list))}
	for i, s := range list {
		out.Sessions[i] = sessionShape{
			ID: s.ID, Account: s.Account, Door: s.Door, Remote: s.Remote, Client: s.Client, Key: s.Key,
			Method: s.Method, Created: s.Created, LastSeen: s.LastSeen, Ends: s.Ends,
		}
	}
	return out
}

// policyShape is the policy in force; values are as `policy set` takes them.
type policyShape struct {
	Version  int               `json:"version"`
	Changed  time.Time         `json:"changed"`
	By       string            `json:"by,omitempty"`
	Reason   string            `json:"reason,omitempty"`
	Settings map[string]string `json:"settings"`

	// Unchanged says of a change that everything was so already.
	Unchanged bool `json:"unchanged,omitempty"`
}

// auditShape is a page of the trail, newest first; Next is for --after.
type auditShape struct {
	Entries []core.Entry `json:"entries"`
	Next    string       `json:"next,omitempty"`
}

// inviteShape is an invitation. Code is there only when it has just been made.
type inviteShape struct {
	ID      string    `json:"id"`
	Code    string    `json:"code,omitempty"`
	Note    string    `json:"note,omitempty"`
	By      string    `json:"by,omitempty"`
	Created time.Time `json:"created"`
	Until   time.Time `json:"until"`
	Uses    int       `json:"uses"`         // that are left
	Of      int       `json:"of,omitempty"` // that it was made for

	Role      core.Role `json:"role,omitempty"` // of whoever comes by it
	RoleUntil time.Time `json:"role_until,omitzero"`
	ByName    string    `json:"by_name,omitempty"` // user name of By, in a list
}

func shapeInvite(i core.Invite, code string) inviteShape {
	return inviteShape{
		ID: i.ID, Code: code, Note: i.Note, By: i.By, Created: i.Created, Until: i.Until, Uses: i.Uses, Of: i.Of,
		Role: i.Role, RoleUntil: i.RoleUntil, ByName: i.ByName,
	}
}

type invitesShape struct {
	Invites []inviteShape `json:"invites"`
	Next    string        `json:"next,omitempty"`
}

// doneShape is the answer of a verb that did something to somebody.
type doneShape struct {
	Done string `json:"done"` // the verb: "user suspend"
	User string `json:"user,omitempty"`
	ID   string `json:"id,omitempty"` // of what it was done to, when that is no account
}

// resetShape is how much of somebody's proof was removed.
type resetShape struct {
	doneShape
	Removed int `json:"removed"` // factors, keys and, as one, recovery codes
}

// codeShape is a one-time code that was issued.
type codeShape struct {
	User  string    `json:"user"`
	Code  string    `json:"code"`
	Until time.Time `json:"until"`
}

// endedShape is how many sessions were ended.
type endedShape struct {
	Ended int `json:"ended"`
}

// checkShape is what a check found.
type checkShape struct {
	OK       bool     `json:"ok"`
	Problems []string `json:"problems"`
	More     int      `json:"more,omitempty"` // further problems that are not listed
}

// backupShape is a backup that was written, or restored.
type backupShape struct {
	File     string    `json:"file"`
	Database string    `json:"database"`
	Keyset   string    `json:"keyset"` // the fingerprint of the keyset that opens it
	Created  time.Time `json:"created"`
	Size     int64     `json:"size"`
	Records  int       `json:"records,omitempty"` // read back and proved
}

// compactShape is what compact did; sizes are in bytes.
type compactShape struct {
	File    string `json:"file"`
	Before  int64  `json:"before"`
	After   int64  `json:"after"`
	Records int    `json:"records"`
}
