package core_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

// staff are people who hold each role, and one who holds none.
func staff(t testing.TB, p *coretest.Place) map[core.Role]core.Actor {
	t.Helper()
	p.Set("session.idle_minutes", "0")
	actors := map[core.Role]core.Actor{"": p.SignUp("visitor")}
	for _, role := range core.Roles() {
		a := p.SignUp("the-" + string(role))
		grant(t, p, a.Account, role)
		actors[role] = a
	}
	return actors
}

// mayDo is what each role may do, written down a second time: owner, admin,
// support, auditor, and nobody in particular.
var mayDo = map[core.Operation]string{
	core.OpReadAccounts:   "oasu-",
	core.OpManageAccounts: "oas--",
	core.OpReadPolicy:     "oa-u-",
	core.OpChangePolicy:   "oa---",
	core.OpReadAudit:      "oa-u-",
	core.OpInvite:         "oa---",
	core.OpMessages:       "oa---",
	core.OpSystem:         "o----",
	core.OpReadRoles:      "oa-u-",
	core.OpManageRoles:    "oa---",
	core.OpContacts:       "oa---",
	core.OpAgreements:     "oa---",
	core.OpOverview:       "oasu-",
	core.OpReadApps:       "oa-u-",
	core.OpApps:           "oa---",
	core.OpReadRequests:   "oa-u-",
	core.OpRequests:       "oa---",
	core.OpRetention:      "oa---",
	core.OpReadAnalysis:   "oa-u-",
	core.OpAnalysis:       "oa---",
	core.OpImport:         "oa---",
}

// Every role and every operation: what the core decides, what screens are told,
// and what the page says. ASVS 8.2.1, 8.3.1
func TestWhatEachRoleMayDo(t *testing.T) {
	p := coretest.Open(t)
	actors := staff(t, p)
	everybody := append(core.Roles(), "")
	for _, op := range core.Operations() {
		if op == core.OpSelf {
			continue
		}
		want, known := mayDo[op]
		if !known {
			t.Errorf("nothing is written down about %q", op)
			continue
		}
		for i, role := range everybody {
			allowed := want[i] != '-'
			if got := core.May(p.Portal, actors[role], op, "") == nil; got != allowed {
				t.Errorf("%s for %q: %v, want %v", op, role, got, allowed)
			}
			if got := core.RoleMay(role, op); got != allowed {
				t.Errorf("%s for %q: screens are told %v", op, role, got)
			}
		}
		refused(t, core.May(p.Portal, coretest.From("192.0.2.1"), op, ""), core.CodeDenied, "")
		ok(t, core.May(p.Portal, coretest.Console(), op, ""))
	}
	if n := len(core.Operations()) - 1; n != len(mayDo) {
		t.Errorf("%d operations are written down, and there are %d", len(mayDo), n)
	}
}

// Oneself is whoever is signed in, and nobody else: no role is needed, and none helps.
func TestEverybodyActsForThemselvesOnly(t *testing.T) {
	p := coretest.Open(t)
	actors := staff(t, p)
	for role, actor := range actors {
		for other, target := range actors {
			err := core.May(p.Portal, actor, core.OpSelf, target.Account)
			if role == other {
				ok(t, err)
			} else {
				refused(t, err, core.CodeDenied, "")
			}
		}
	}
	refused(t, core.May(p.Portal, coretest.Console(), core.OpSelf, actors[""].Account), core.CodeDenied, "")
}

// Whom each role may act on: nobody above, and support on nobody who holds a
// role. ASVS 8.2.2, 8.3.1
func TestNobodyActsOnSomebodyAbove(t *testing.T) {
	p := coretest.Open(t)
	actors := staff(t, p)
	second := map[core.Role]string{"": p.SignUp("second-visitor").Account}
	for _, role := range core.Roles() {
		a := p.SignUp("second-" + string(role))
		grant(t, p, a.Account, role)
		second[role] = a.Account
	}
	rows := append(core.Roles(), "")
	for op, may := range map[core.Operation]map[core.Role]string{ // on owner, admin, support, auditor, nobody in particular
		core.OpManageAccounts: {core.RoleOwner: "oasu-", core.RoleAdmin: " asu-", core.RoleSupport: "    -", core.RoleAuditor: "     ", "": "     "},
		core.OpManageRoles:    {core.RoleOwner: "oasu-", core.RoleAdmin: " asu-", core.RoleSupport: "     ", core.RoleAuditor: "     ", "": "     "},
	} {
		for _, role := range rows {
			for i, target := range rows {
				err := core.May(p.Portal, actors[role], op, second[target])
				if allowed := may[role][i] != ' '; allowed != (err == nil) {
					t.Errorf("%s by %q on %q: %v", op, role, target, err)
				}
			}
		}
	}
	// A role that has ended puts nobody above any more.
	ended := p.SignUp("ended")
	ok(t, core.GrantRole(p.Portal, ended.Account, core.RoleOwner, p.Clock.Now().Add(time.Minute)))
	refused(t, core.May(p.Portal, actors[core.RoleSupport], core.OpManageAccounts, ended.Account), core.CodeDenied, "")
	p.Clock.Advance(time.Minute)
	ok(t, core.May(p.Portal, actors[core.RoleSupport], core.OpManageAccounts, ended.Account))
}

// docs/roles.md says the same as the program.
func TestThePageOfRoles(t *testing.T) {
	b := must(os.ReadFile("../docs/roles.md"))(t)
	_, after, _ := strings.Cut(string(b), "<!-- operations: ")
	table, _, found := strings.Cut(after, "<!-- /operations -->")
	if !found {
		t.Fatal("there is no table of operations")
	}
	var rows []string
	for line := range strings.Lines(table) {
		if strings.HasPrefix(line, "| `") {
			rows = append(rows, strings.TrimSpace(line))
		}
	}
	var ops []core.Operation
	for _, row := range rows {
		cells := strings.Split(row, "|")
		if len(cells) != 8 || strings.TrimSpace(cells[2]) == "" {
			t.Fatalf("this is no row: %s", row)
		}
		op := core.Operation(strings.Trim(cells[1], " `"))
		ops = append(ops, op)
		for i, role := range core.Roles() {
			if said := strings.TrimSpace(cells[3+i]) == "yes"; said != core.RoleMay(role, op) {
				t.Errorf("%s for %s: the page says %v", op, role, said)
			}
		}
	}
	for _, op := range core.Operations() {
		if !slices.Contains(ops, op) {
			t.Errorf("the page does not tell of %q", op)
		}
	}
	if len(ops) != len(core.Operations()) {
		t.Errorf("%d rows for %d operations", len(ops), len(core.Operations()))
	}
}
