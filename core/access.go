// Who may do what. Administration is a grant on the built-in app "postern"; one
// function, may, decides for everybody.

package core

import (
	"slices"
	"time"

	"postern/store"
)

// AppPostern is the built-in app whose grants are the portal's administration.
const AppPostern = "postern"

// Role is what a grant on the portal allows.
type Role string

// The roles, the highest first.
const (
	RoleOwner   Role = "owner"   // everything
	RoleAdmin   Role = "admin"   // people and policy
	RoleSupport Role = "support" // people who hold no role
	RoleAuditor Role = "auditor" // reads
)

var roleRank = map[Role]int{RoleOwner: 4, RoleAdmin: 3, RoleSupport: 2, RoleAuditor: 1}

// Grant gives an account a role on an app, permanently or until a date.
type Grant struct {
	ID      string    `json:"id"`
	App     string    `json:"app"`
	Account string    `json:"account"`
	Role    Role      `json:"role"`
	By      string    `json:"by"`
	Created time.Time `json:"created"`
	From    time.Time `json:"from,omitzero"`  // zero: from when it was created; only shares of apps begin later
	Until   time.Time `json:"until,omitzero"` // zero: permanent

	// Ended is when it was ended or its end was written down. An ended grant is in
	// one index only, that of what has ended: whoever looks for what somebody holds
	// never meets it.
	Ended time.Time `json:"ended,omitzero"`
}

// active says whether the grant counts. One whose time has come does not, whether
// or not that was written down.
func (g Grant) active(now time.Time) bool {
	return g.Ended.IsZero() && !g.From.After(now) && (g.Until.IsZero() || now.Before(g.Until))
}

// ifHeld is what an index has of a grant: nothing once it has ended.
func (g Grant) ifHeld(key string) []string {
	if !g.Ended.IsZero() {
		return nil
	}
	return []string{key}
}

var grants = store.NewTable("grant", 1,
	store.Index[Grant]{Name: "account", Keys: func(g Grant) []string { return g.ifHeld(g.Account) }},
	store.Index[Grant]{Name: "role", Keys: func(g Grant) []string { return g.ifHeld(g.App + "/" + string(g.Role)) }},
	store.Index[Grant]{Name: "until", Keys: func(g Grant) []string {
		if g.Until.IsZero() {
			return nil
		}
		return g.ifHeld(g.Until.UTC().Format(time.RFC3339))
	}},
	store.Index[Grant]{Name: "ended", Keys: func(g Grant) []string {
		if g.Ended.IsZero() {
			return nil
		}
		return []string{g.Account}
	}})

// Operation is a kind of act, for the decision who may do it.
type Operation string

// The operations.
const (
	OpSelf           Operation = "self"            // acts on one's own account
	OpReadAccounts   Operation = "read_accounts"   // lists and shows accounts and their sessions
	OpManageAccounts Operation = "manage_accounts" // suspends, unlocks, issues codes, ends sessions
	OpReadPolicy     Operation = "read_policy"
	OpChangePolicy   Operation = "change_policy"
	OpReadAudit      Operation = "read_audit"
	OpInvite         Operation = "invite"
	OpMessages       Operation = "messages" // reads the outbox, retries, tests
	OpSystem         Operation = "system"   // backup, check
	OpReadRoles      Operation = "read_roles"
	OpContacts       Operation = "contacts"      // sets the legal contacts
	OpAgreements     Operation = "agreements"    // publishes and withdraws agreements
	OpManageRoles    Operation = "manage_roles"  // gives and ends roles, never above one's own
	OpOverview       Operation = "overview"      // what happens, in numbers, and what is to be mended
	OpReadApps       Operation = "read_apps"     // lists apps and with whom they are shared
	OpApps           Operation = "apps"          // makes, changes, shares and retires apps; of its own app, the owner may too
	OpReadRequests   Operation = "read_requests" // lists requests to delete accounts
	OpRequests       Operation = "requests"      // decides about them
	OpRetention      Operation = "retention"     // counts and removes what is kept no longer, and holds accounts
	OpReadAnalysis   Operation = "read_analysis" // reads scripts, their runs and what they printed
	OpAnalysis       Operation = "analysis"      // writes and tries scripts, resolves runs
	OpImport         Operation = "import"        // makes accounts of a file, with hashes of passwords
)

// Operations returns every operation, in the order of the table in the docs.
func Operations() []Operation {
	return []Operation{OpSelf, OpReadAccounts, OpManageAccounts, OpReadPolicy, OpChangePolicy, OpReadAudit,
		OpInvite, OpMessages, OpSystem, OpReadRoles, OpContacts, OpAgreements, OpManageRoles, OpOverview,
		OpReadApps, OpApps, OpReadRequests, OpRequests, OpRetention, OpReadAnalysis, OpAnalysis, OpImport}
}

// Roles returns every role, the highest first.
func Roles() []Role { return []Role{RoleOwner, RoleAdmin, RoleSupport, RoleAuditor} }

// RoleMay says whether role allows op at all. What more the core asks (that the
// account is not one above, that a sign-in is recent) it asks at the act itself.
func RoleMay(role Role, op Operation) bool {
	return op == OpSelf || slices.Contains(roleMay[op], role)
}

// roleMay is the whole decision for roles, as a table.
var roleMay = map[Operation][]Role{
	OpReadAccounts:   {RoleOwner, RoleAdmin, RoleSupport, RoleAuditor},
	OpManageAccounts: {RoleOwner, RoleAdmin, RoleSupport},
	OpReadPolicy:     {RoleOwner, RoleAdmin, RoleAuditor},
	OpChangePolicy:   {RoleOwner, RoleAdmin},
	OpReadAudit:      {RoleOwner, RoleAdmin, RoleAuditor},
	OpInvite:         {RoleOwner, RoleAdmin},
	OpMessages:       {RoleOwner, RoleAdmin},
	OpSystem:         {RoleOwner},
	OpReadRoles:      {RoleOwner, RoleAdmin, RoleAuditor},
	OpContacts:       {RoleOwner, RoleAdmin},
	OpAgreements:     {RoleOwner, RoleAdmin},
	OpManageRoles:    {RoleOwner, RoleAdmin},
	OpOverview:       {RoleOwner, RoleAdmin, RoleSupport, RoleAuditor},
	OpReadApps:       {RoleOwner, RoleAdmin, RoleAuditor},
	OpApps:           {RoleOwner, RoleAdmin},
	OpReadRequests:   {RoleOwner, RoleAdmin, RoleAuditor},
	OpRequests:       {RoleOwner, RoleAdmin},
	OpRetention:      {RoleOwner, RoleAdmin},
	OpReadAnalysis:   {RoleOwner, RoleAdmin, RoleAuditor},
	OpAnalysis:       {RoleOwner, RoleAdmin},
	OpImport:         {RoleOwner, RoleAdmin},
}

// roleGives says which roles the holder of a role gives, changes and ends.
var roleGives = map[Role][]Role{
	RoleOwner: {RoleOwner, RoleAdmin, RoleSupport, RoleAuditor},
	RoleAdmin: {RoleSupport, RoleAuditor},
}

// RoleGives says whether the holder of a role gives another one, changes its end
// and ends it.
func RoleGives(holder, given Role) bool { return slices.Contains(roleGives[holder], given) }

// may decides whether the actor may do op on the account target ("" when it is
// about none). CodeDenied otherwise; CodeNotSetUp before there is an owner.
func (t *txn) may(op Operation, target string) error {
	err := t.decide(op, target)
	if CodeOf(err) == CodeDenied {
		t.denied = op
	}
	return err
}

// allows says whether the actor may do op at all, for what is left out where they
// may not: that is no refusal.
func (t *txn) allows(op Operation) (bool, error) {
	err := t.decide(op, "")
	if CodeOf(err) == CodeDenied {
		return false, nil
	}
	return err == nil, err
}

func (t *txn) decide(op Operation, target string) error {
	if !t.site.SetUp() {
		return refuse(CodeNotSetUp)
	}
	if op == OpSelf {
		if t.actor.Account == "" || t.actor.Account != target {
			return refuse(CodeDenied)
		}
		return nil
	}
	if t.actor.Console {
		return nil
	}
	if t.actor.Account == "" {
		return refuse(CodeDenied)
	}
	mine, err := t.rank(t.actor.Account)
	if err != nil {
		return err
	}
	allowed := false
	for _, r := range roleMay[op] {
		allowed = allowed || mine.roles[r]
	}
	if !allowed {
		return refuse(CodeDenied)
	}
	if (op == OpManageAccounts || op == OpManageRoles) && target != "" && target != t.actor.Account {
		theirs, err := t.rank(target)
		if err != nil {
			return err
		}
		// Nobody acts on somebody above, and support on nobody who holds a role:
		// else a lesser role would be a way to a higher one.
		if theirs.top > mine.top || (mine.top <= roleRank[RoleSupport] && theirs.top > 0) {
			return refuse(CodeDenied)
		}
	}
	return nil
}

// mayApp decides whether the actor may do op on an app: what a role allows, and on
// its own app the owner too, who need not hold one.
func (t *txn) mayApp(op Operation, a App) error {
	if t.actor.Account != "" && t.actor.Account == a.Owner && t.site.SetUp() && (op == OpApps || op == OpReadApps) {
		return nil
	}
	return t.may(op, "")
}

// standing is what an account holds on the portal.
type standing struct {
	roles map[Role]bool
	top   int
	since time.Time // since when it holds any of them
}

func (t *txn) rank(account string) (standing, error) {
	s := standing{roles: map[Role]bool{}}
	err := eachRow(func(after string) ([]store.Row[Grant], error) {
		return grants.PageEq(t, "account", account, after, MaxPage)
	}, func(g Grant) error {
		if g.App == AppPostern && g.active(t.now) {
			s.add(g)
		}
		return nil
	})
	return s, err
}

// add counts a grant on the portal.
func (s *standing) add(g Grant) {
	s.roles[g.Role] = true
	s.top = max(s.top, roleRank[g.Role])
	if s.since.IsZero() || g.Created.Before(s.since) {
		s.since = g.Created
	}
}

// requireOtherOwner refuses with CodeLastOwner when nobody but this account is an
// owner for good who can sign in by themselves: a grant that ends, and an owner
// whose password counts no more, would leave the portal to its console.
func (t *txn) requireOtherOwner(account string) error {
	found, err := t.otherOwner(account, func(a Account) (bool, error) {
		h, err := t.holdingOf(a.ID)
		if err != nil {
			return false, err
		}
		return t.mayEnter(t.policy, a, h, alone)
	})
	if err == nil && !found {
		return refuse(CodeLastOwner)
	}
	return err
}

// otherOwner says whether one of those who are owners for good, but for this
// account, is one of whom ask says so.
func (t *txn) otherOwner(account string, ask func(Account) (bool, error)) (found bool, err error) {
	err = eachRow(func(after string) ([]store.Row[Grant], error) {
		return grants.PageEq(t, "role", AppPostern+"/"+string(RoleOwner), after, MaxPage)
	}, func(g Grant) error {
		if found || g.Account == account || !g.Until.IsZero() {
			return nil
		}
		a, err := accounts.Get(t, g.Account)
		if err == nil {
			found, err = ask(a)
		}
		return err
	})
	return found, err
}

// eachRow walks all pages of a listing.
func eachRow[T any](page func(after string) ([]store.Row[T], error), fn func(T) error) error {
	for after := ""; ; {
		rows, err := page(after)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := fn(r.Value); err != nil {
				return err
			}
		}
		if len(rows) < MaxPage {
			return nil
		}
		after = rows[len(rows)-1].Cursor
	}
}
