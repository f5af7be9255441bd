package core_test

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
	"postern/store/memory"
)

// give is Grant for good, which must be allowed.
func give(t testing.TB, p *coretest.Place, actor core.Actor, user string, role core.Role) core.Grant {
	t.Helper()
	return must(p.Access.Grant(ctx, actor, user, role, time.Time{}))(t)
}

// rolesOf are the roles that an account holds.
func rolesOf(t testing.TB, p *coretest.Place, user string) []core.Role {
	t.Helper()
	return must(p.Accounts.Show(ctx, coretest.Console(), user))(t).Roles
}

// grantOf is the grant of a role that an account holds.
func grantOf(t testing.TB, p *coretest.Place, user string, role core.Role) core.HeldGrant {
	t.Helper()
	for _, g := range must(p.Access.List(ctx, coretest.Console(), core.GrantQuery{User: user, N: core.MaxPage}))(t).Grants {
		if g.Role == role {
			return g
		}
	}
	t.Fatalf("%s does not hold %s", user, role)
	return core.HeldGrant{}
}

// newest is the newest entry of an act in the trail.
func newest(t testing.TB, p *coretest.Place, action core.Action) core.Entry {
	t.Helper()
	all := p.Trail()
	i := slices.IndexFunc(all, func(e core.Entry) bool { return e.Action == action })
	if i < 0 {
		t.Fatalf("the trail has no %s", action)
	}
	return all[i]
}

// toldOf are the kinds of an account's notices, newest first.
func toldOf(t testing.TB, p *coretest.Place, actor core.Actor) []core.NoticeKind {
	t.Helper()
	var list []core.NoticeKind
	for _, n := range must(p.Notices.Mine(ctx, actor, "en", "", "", core.MaxPage))(t).Notices {
		list = append(list, n.Kind)
	}
	return list
}

func TestARoleIsGivenChangedAndEnded(t *testing.T) {
	p := coretest.Open(t)
	mara := p.SignUp("mara")
	until := p.Clock.Now().Add(48 * time.Hour)
	g := must(p.Access.Grant(ctx, p.Owner, "mara@example.org", core.RoleSupport, until))(t)
	if g.Account != mara.Account || g.By != p.Owner.Account || !g.Until.Equal(until) || g.App != core.AppPostern {
		t.Errorf("%+v", g)
	}
	if e := newest(t, p, core.ActGrant); e.Target != "mara" || e.About != mara.Account || e.After["role"] != "support" || e.After["until"] != until.Format(time.RFC3339) {
		t.Errorf("%+v", e)
	}
	mine := must(p.Access.Mine(ctx, mara))(t)
	if len(mine) != 1 || mine[0].ID != g.ID {
		t.Errorf("%+v", mine)
	}

	later := until.Add(24 * time.Hour)
	if g := must(p.Access.SetEnd(ctx, p.Owner, g.ID, later))(t); !g.Until.Equal(later) {
		t.Errorf("%+v", g)
	}
	if e := newest(t, p, core.ActGrantChange); e.Before["until"] != until.Format(time.RFC3339) || e.After["until"] != later.Format(time.RFC3339) || len(e.Before) != 1 {
		t.Errorf("%+v", e)
	}
	_, err := p.Access.SetEnd(ctx, p.Owner, g.ID, later)
	refused(t, err, core.CodeSameEnd, "until")
	must(p.Access.SetEnd(ctx, p.Owner, g.ID, time.Time{}))(t)

	ok(t, p.Access.End(ctx, p.Owner, g.ID, "the summer is over"))
	if e := newest(t, p, core.ActGrantEnd); e.Reason != "the summer is over" || e.Before["role"] != "support" || e.After["ended"] == "" || e.About != mara.Account {
		t.Errorf("%+v", e)
	}
	if held := rolesOf(t, p, "mara"); len(held) != 0 {
		t.Errorf("mara still holds %v", held)
	}
	refused(t, p.Access.End(ctx, p.Owner, g.ID, ""), core.CodeNotFound, "grant")
	_, err = p.Access.SetEnd(ctx, p.Owner, g.ID, time.Time{})
	refused(t, err, core.CodeNotFound, "grant")
	if got := toldOf(t, p, mara); !slices.Equal(got[:4], []core.NoticeKind{core.NoticeRoleEnded, core.NoticeRoleGiven, core.NoticeRoleGiven, core.NoticeRoleGiven}) {
		t.Errorf("mara was told %v", got)
	}
	give(t, p, p.Owner, "mara", core.RoleSupport) // anew
}

func TestWhatIsNoRole(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	now := p.Clock.Now()
	for _, c := range []struct {
		user  string
		role  core.Role
		until time.Time
		code  core.Code
		field string
	}{
		{"mara", core.RoleSupport, now, core.CodeEndPast, "until"},
		{"mara", core.RoleSupport, now.Add(-time.Hour), core.CodeEndPast, "until"}, // it would end before it begins
		{"mara", core.RoleSupport, now.AddDate(0, 0, core.MaxGrantDays+1), core.CodeEndFar, "until"},
		{"mara", "emperor", time.Time{}, core.CodeFormat, "role"},
		{"mara", "", time.Time{}, core.CodeFormat, "role"},
		{"nobody", core.RoleSupport, time.Time{}, core.CodeNotFound, "user"},
		{strings.Repeat("x", 10_000), core.RoleSupport, time.Time{}, core.CodeNotFound, "user"},
		{"\x1b[2J", core.RoleSupport, time.Time{}, core.CodeNotFound, "user"},
		{"lin", core.RoleAdmin, time.Time{}, core.CodeOwnRole, "user"},
	} {
		_, err := p.Access.Grant(ctx, p.Owner, c.user, c.role, c.until)
		refused(t, err, c.code, c.field)
	}
	give(t, p, p.Owner, "mara", core.RoleSupport)
	_, err := p.Access.Grant(ctx, p.Owner, "mara", core.RoleSupport, now.Add(time.Hour))
	refused(t, err, core.CodeHasRole, "role")
	p.SignUp("noor")
	ok(t, p.Accounts.Suspend(ctx, p.Owner, "noor", ""))
	_, err = p.Access.Grant(ctx, p.Owner, "noor", core.RoleSupport, time.Time{})
	refused(t, err, core.CodeNotActive, "user")
	refused(t, p.Access.End(ctx, p.Owner, grantOf(t, p, "mara", core.RoleSupport).ID, strings.Repeat("y", 10_000)), core.CodeTooLong, "reason")
	for _, id := range []string{"", "x", strings.Repeat("z", 10_000)} {
		refused(t, p.Access.End(ctx, p.Owner, id, ""), core.CodeNotFound, "grant")
	}
}

// Who gives which role, to whom, and takes it: nobody above themselves, and
// nobody to themselves. ASVS 8.2.2
func TestWhoGivesWhichRole(t *testing.T) {
	p := coretest.Open(t)
	actors := staff(t, p)
	gives := map[core.Role]string{core.RoleOwner: "oasu", core.RoleAdmin: "  su", core.RoleSupport: "    ", core.RoleAuditor: "    ", "": "    "}
	for giver, actor := range actors {
		for i, role := range core.Roles() {
			allowed := gives[giver][i] != ' '
			name := "to-" + string(giver) + "-" + string(role)
			p.SignUp(name)
			_, err := p.Access.Grant(ctx, actor, name, role, time.Time{})
			if allowed != (err == nil) || err != nil && core.CodeOf(err) != core.CodeDenied {
				t.Errorf("%q gives %s: %v", giver, role, err)
			}
			if core.RoleGives(giver, role) != allowed {
				t.Errorf("screens are told otherwise of %q and %s", giver, role)
			}
			g := must(p.Access.Grant(ctx, coretest.Console(), spare(t, p), role, time.Time{}))(t)
			_, err = p.Access.SetEnd(ctx, actor, g.ID, p.Clock.Now().Add(time.Hour))
			if allowed != (err == nil) || err != nil && core.CodeOf(err) != core.CodeDenied {
				t.Errorf("%q changes the end of %s: %v", giver, role, err)
			}
			if err = p.Access.End(ctx, actor, g.ID, ""); allowed != (err == nil) || err != nil && core.CodeOf(err) != core.CodeDenied {
				t.Errorf("%q ends %s: %v", giver, role, err)
			}
		}
	}
}

var spares atomic.Int32

// spare signs up one more account that nothing is known of.
func spare(t testing.TB, p *coretest.Place) (name string) {
	t.Helper()
	name = "spare-" + strconv.Itoa(int(spares.Add(1)))
	p.SignUp(name)
	return name
}

// An admin does not touch the lesser role of somebody who is an owner too.
func TestALesserRoleOfSomebodyAbove(t *testing.T) {
	p := coretest.Open(t)
	actors := staff(t, p)
	g := must(p.Access.Grant(ctx, coretest.Console(), "the-owner", core.RoleAuditor, time.Time{}))(t)
	refused(t, p.Access.End(ctx, actors[core.RoleAdmin], g.ID, ""), core.CodeDenied, "")
	_, err := p.Access.Grant(ctx, actors[core.RoleAdmin], "the-owner", core.RoleSupport, time.Time{})
	refused(t, err, core.CodeDenied, "")
	ok(t, p.Access.End(ctx, p.Owner, g.ID, ""))
}

// Nobody keeps a role for longer by their own hand, nor by somebody's whom they
// have given one that outlasts theirs.
func TestARoleForATimeDoesNotOutlastItself(t *testing.T) {
	p := coretest.Open(t)
	p.Set("session.idle_minutes", "0")
	mara := p.SignUp("mara")
	p.SignUp("noor")
	friday := p.Clock.Now().Add(72 * time.Hour)
	g := must(p.Access.Grant(ctx, p.Owner, "mara", core.RoleOwner, friday))(t)
	for _, until := range []time.Time{{}, friday.Add(time.Second)} {
		_, err := p.Access.SetEnd(ctx, mara, g.ID, until)
		refused(t, err, core.CodeOwnRole, "until")
		_, err = p.Access.Grant(ctx, mara, "noor", core.RoleAdmin, until)
		refused(t, err, core.CodeEndBeyond, "until")
	}
	theirs := must(p.Access.Grant(ctx, mara, "noor", core.RoleAdmin, friday))(t)
	_, err := p.Access.SetEnd(ctx, mara, theirs.ID, time.Time{})
	refused(t, err, core.CodeEndBeyond, "until")
	// What ends sooner by it may end whenever it is.
	must(p.Access.SetEnd(ctx, p.Owner, theirs.ID, time.Time{}))(t)
	must(p.Access.SetEnd(ctx, mara, theirs.ID, friday.Add(time.Hour)))(t)
	must(p.Access.SetEnd(ctx, mara, g.ID, friday.Add(-time.Hour)))(t)
	ok(t, p.Access.End(ctx, mara, g.ID, "")) // everybody ends their own
	if held := rolesOf(t, p, "mara"); len(held) != 0 {
		t.Errorf("mara still holds %v", held)
	}
}

func TestARoleIsGivenAfterAFreshProofOnly(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	g := give(t, p, p.Owner, "mara", core.RoleSupport)
	p.Clock.Advance(core.StepUpFor + time.Second)
	p.SignUp("noor")
	_, err := p.Access.Grant(ctx, p.Owner, "noor", core.RoleSupport, time.Time{})
	refused(t, err, core.CodeStepUp, "")
	_, err = p.Access.SetEnd(ctx, p.Owner, g.ID, p.Clock.Now().Add(time.Hour))
	refused(t, err, core.CodeStepUp, "")
	refused(t, p.Access.End(ctx, p.Owner, g.ID, ""), core.CodeStepUp, "")
	must(p.Access.Grant(ctx, coretest.Console(), "noor", core.RoleAuditor, time.Time{}))(t)
	if e := newest(t, p, core.ActGrant); e.Actor != core.ActorConsole || e.Name != "root" {
		t.Errorf("%+v", e)
	}
	if g := grantOf(t, p, "noor", core.RoleAuditor); g.ByName != core.ActorConsole {
		t.Errorf("%+v", g)
	}
}

// The last owner is not ended and given no end: not by themselves, not by another
// whose own time ends, and not at the console.
func TestTheLastOwnerKeepsTheRole(t *testing.T) {
	p := coretest.Open(t)
	p.Set("session.idle_minutes", "0")
	mara := p.SignUp("mara")
	mine := grantOf(t, p, "lin", core.RoleOwner)
	must(p.Access.Grant(ctx, p.Owner, "mara", core.RoleOwner, p.Clock.Now().Add(time.Hour)))(t)
	for name, actor := range map[string]core.Actor{"lin": p.Owner, "mara": mara, "the console": coretest.Console()} {
		if err := p.Access.End(ctx, actor, mine.ID, ""); core.CodeOf(err) != core.CodeLastOwner {
			t.Errorf("%s ends it: %v", name, err)
		}
		if _, err := p.Access.SetEnd(ctx, actor, mine.ID, p.Clock.Now().Add(2*time.Hour)); core.CodeOf(err) != core.CodeLastOwner {
			t.Errorf("%s lets it end: %v", name, err)
		}
	}
	// A permanent owner who cannot sign in is no owner who remains.
	p.SignUp("noor")
	give(t, p, p.Owner, "noor", core.RoleOwner)
	ok(t, p.Accounts.Suspend(ctx, p.Owner, "noor", ""))
	refused(t, p.Access.End(ctx, p.Owner, mine.ID, ""), core.CodeLastOwner, "")
	ok(t, p.Accounts.Resume(ctx, p.Owner, "noor"))
	ok(t, p.Access.End(ctx, p.Owner, mine.ID, ""))
	refused(t, p.Access.End(ctx, coretest.Console(), grantOf(t, p, "noor", core.RoleOwner).ID, ""), core.CodeLastOwner, "")
	if held := rolesOf(t, p, "lin"); len(held) != 0 {
		t.Errorf("lin still holds %v", held)
	}
}

// An owner whose password counts no more is not one who remains, whichever way the
// other one goes; a key that stands for the password makes one of them again.
func TestAnOwnerWhoCannotSignInIsNotTheOneWhoRemains(t *testing.T) {
	p := coretest.Open(t)
	atOnce(t, p, "7")
	mara := p.SignUp("mara")
	ok(t, p.Keys.Link(ctx, withKey(mara, "SHA256:mara"), ""))
	give(t, p, p.Owner, "mara", core.RoleOwner)
	core.GiveUpPassword(t, p.Portal, mara.Account)
	mine := grantOf(t, p, "lin", core.RoleOwner)
	goes := map[string]func(core.Actor) error{
		"the role ends": func(a core.Actor) error { return p.Access.End(ctx, a, mine.ID, "") },
		"the role is given an end": func(a core.Actor) error {
			_, err := p.Access.SetEnd(ctx, a, mine.ID, p.Clock.Now().Add(time.Hour))
			return err
		},
		"suspended": func(a core.Actor) error { return p.Accounts.Suspend(ctx, a, "lin", "") },
		"deleted": func(core.Actor) error {
			_, err := p.Requests.Make(ctx, p.Owner, "lin") // one's own, whoever else may
			return err
		},
		"suspended with others": func(a core.Actor) error {
			got, err := p.Accounts.Each(ctx, a, core.BulkAct{Kind: core.BulkSuspend}, []string{"lin"}, nil)
			if err == nil && len(got.Refused) == 1 {
				err = &core.Error{Code: got.Refused[0].Code}
			}
			return err
		},
	}
	for name, act := range goes {
		for _, by := range []core.Actor{p.Owner, coretest.Console()} {
			if err := act(by); core.CodeOf(err) != core.CodeLastOwner {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	nothingFound(t, p)
	ok(t, p.Access.End(ctx, coretest.Console(), grantOf(t, p, "mara", core.RoleOwner).ID, "")) // she does not keep the portal
	give(t, p, p.Owner, "mara", core.RoleOwner)
	ok(t, change(p, true, "factors.key_stands", "password"))
	ok(t, p.Access.End(ctx, p.Owner, mine.ID, ""))
}

// Two owners who do it to each other at the same moment leave one, whichever way
// they take, also where the engine runs everything twice.
func TestTwoOwnersRemoveEachOther(t *testing.T) {
	t.Parallel()
	rounds := 1000
	if testing.Short() {
		rounds = 60
	}
	for name, retries := range map[string]bool{"at once": false, "run twice": true} {
		t.Run(name, func(t *testing.T) {
			db := memory.New()
			t.Cleanup(func() { _ = db.Close() })
			option := coretest.WithStore(db)
			if retries {
				option = coretest.WithStore(retrying{db})
			}
			p := coretest.Open(t, option)
			p.Set("session.idle_minutes", "0")
			actors := [2]core.Actor{p.Owner, p.SignUp("mara")}
			names := [2]string{"lin", "mara"}
			grant(t, p, actors[1].Account, core.RoleOwner)
			for round := range rounds {
				held := [2]core.HeldGrant{grantOf(t, p, "lin", core.RoleOwner), grantOf(t, p, "mara", core.RoleOwner)}
				var won atomic.Int32
				var loser atomic.Int32
				parallel(2, func(i int) {
					other := 1 - i
					var err error
					switch {
					case round%3 == 2:
						err = p.Access.End(ctx, actors[i], held[i].ID, "") // each goes by themselves
						other = i
					case (round+i)%2 == 0:
						err = p.Access.End(ctx, actors[i], held[other].ID, "")
					default:
						_, err = p.Access.SetEnd(ctx, actors[i], held[other].ID, p.Clock.Now().Add(time.Hour))
					}
					if err == nil {
						won.Add(1)
						loser.Store(int32(other))
					}
				})
				if won.Load() != 1 {
					t.Fatalf("round %d: %d of two succeeded", round, won.Load())
				}
				var permanent []string
				for _, g := range must(p.Access.List(ctx, coretest.Console(), core.GrantQuery{Role: core.RoleOwner, N: 10}))(t).Grants {
					if g.Until.IsZero() {
						permanent = append(permanent, g.UserName)
					}
				}
				if len(permanent) != 1 || permanent[0] == names[loser.Load()] {
					t.Fatalf("round %d: the permanent owners are %v", round, permanent)
				}
				if rest := rolesOf(t, p, names[loser.Load()]); len(rest) > 0 { // it was given an end: now it is ended
					ok(t, p.Access.End(ctx, coretest.Console(), grantOf(t, p, names[loser.Load()], core.RoleOwner).ID, ""))
				}
				give(t, p, coretest.Console(), names[loser.Load()], core.RoleOwner)
			}
		})
	}
}

// One owner is suspended and the other loses the role, at the same moment.
func TestAnOwnerGoesWhileTheOtherIsSuspended(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	give(t, p, p.Owner, "mara", core.RoleOwner)
	console := coretest.Console()
	for range 100 {
		lin := grantOf(t, p, "lin", core.RoleOwner)
		var won [2]error
		parallel(2, func(i int) {
			if i == 0 {
				won[i] = p.Accounts.Suspend(ctx, console, "mara", "")
			} else {
				won[i] = p.Access.End(ctx, console, lin.ID, "")
			}
		})
		if (won[0] == nil) == (won[1] == nil) {
			t.Fatalf("suspended: %v, ended: %v", won[0], won[1])
		}
		if won[0] == nil {
			ok(t, p.Accounts.Resume(ctx, console, "mara"))
		} else {
			give(t, p, console, "lin", core.RoleOwner)
		}
	}
}

func TestTheListOfRoles(t *testing.T) {
	p := coretest.Open(t)
	p.Set("session.lifetime", "12 months")
	actors := staff(t, p)
	now := p.Clock.Now()
	for days, name := range map[int]string{1: "soon", 5: "later", 40: "much-later"} {
		p.SignUp(name)
		must(p.Access.Grant(ctx, p.Owner, name, core.RoleSupport, now.AddDate(0, 0, days)))(t)
	}
	list := func(q core.GrantQuery) (names []string) {
		t.Helper()
		for turns := 0; ; turns++ {
			page := must(p.Access.List(ctx, actors[core.RoleAuditor], q))(t)
			if len(page.Grants) > q.N {
				t.Fatalf("%d in a page of %d", len(page.Grants), q.N)
			}
			for _, g := range page.Grants {
				names = append(names, g.UserName)
			}
			if q.After = page.Next; q.After == "" || turns > 100 {
				return names
			}
		}
	}
	for _, n := range []int{1, 2, 3, 500} {
		all := list(core.GrantQuery{N: n})
		if want := []string{"lin", "the-owner", "the-admin", "the-support"}; len(all) != 8 || !slices.Equal(all[:4], want) || all[7] != "the-auditor" {
			t.Errorf("by %d: %v", n, all)
		}
		for days, want := range map[int][]string{1: {"soon"}, 7: {"soon", "later"}, 100: {"soon", "later", "much-later"}} {
			if got := list(core.GrantQuery{N: n, Days: days}); !slices.Equal(got, want) {
				t.Errorf("by %d within %d days: %v", n, days, got)
			}
		}
		if got := list(core.GrantQuery{N: n, Role: core.RoleSupport}); len(got) != 4 {
			t.Errorf("by %d of one role: %v", n, got)
		}
		if got := list(core.GrantQuery{N: n, User: "later"}); !slices.Equal(got, []string{"later"}) {
			t.Errorf("by %d of one account: %v", n, got)
		}
	}
	if got := list(core.GrantQuery{N: 9, User: "later", Days: 2}); len(got) != 0 {
		t.Errorf("%v", got)
	}
	p.Clock.Advance(24 * time.Hour) // whether or not it was swept
	if got := list(core.GrantQuery{N: 9, Days: 7}); !slices.Equal(got, []string{"later"}) {
		t.Errorf("%v", got)
	}

	for q, want := range map[core.GrantQuery]string{
		{Role: "emperor"}: "role", {Days: -1}: "days", {Days: 1 << 20}: "days", {User: "nobody"}: "user",
		{After: "x"}: "after", {After: "owner.?"}: "after", {Days: 1, After: "?"}: "after", {User: "lin", After: "?"}: "after",
	} {
		_, err := p.Access.List(ctx, p.Owner, q)
		if e := new(core.Error); !errors.As(err, &e) || e.Field != want || e.Code == core.CodeInternal {
			t.Errorf("%+v: %v", q, err)
		}
	}
	for _, role := range []core.Role{core.RoleSupport, ""} {
		_, err := p.Access.List(ctx, actors[role], core.GrantQuery{})
		refused(t, err, core.CodeDenied, "")
	}
}

// What has lapsed counts for nothing at once, and is written down once, whoever
// does it first.
func TestAnEndIsWrittenDownOnce(t *testing.T) {
	p := coretest.Open(t)
	p.Set("session.idle_minutes", "0")
	mara := p.SignUp("mara")
	until := p.Clock.Now().Add(time.Hour)
	g := must(p.Access.Grant(ctx, p.Owner, "mara", core.RoleAdmin, until))(t)
	p.Clock.Advance(time.Hour)
	if held := rolesOf(t, p, "mara"); len(held) != 0 {
		t.Errorf("mara still holds %v", held)
	}
	refused(t, p.Access.End(ctx, coretest.Console(), g.ID, ""), core.CodeNotFound, "grant")
	parallel(4, func(int) { _, _ = p.Sweep(ctx, p.Clock.Now()) })
	n := 0
	for _, e := range p.Trail() {
		if e.Action == core.ActGrantLapsed {
			n++
			if e.Actor != core.ActorSystem || e.About != mara.Account || e.Target != "mara" || e.Before["role"] != "admin" || e.Before["until"] != until.Format(time.RFC3339) {
				t.Errorf("%+v", e)
			}
		}
	}
	if n != 1 {
		t.Errorf("it was written down %d times", n)
	}
	if told := toldOf(t, p, mara); !slices.Equal(told[:2], []core.NoticeKind{core.NoticeRoleEnded, core.NoticeRoleGiven}) {
		t.Errorf("mara was told %v", told)
	}
	if s := must(p.Sweep(ctx, p.Clock.Now()))(t); s.Grants != 0 {
		t.Errorf("%+v", s)
	}
	has := func() bool {
		for k := range maps.Keys(p.Dump()) {
			if strings.Contains(k, g.ID) && strings.HasPrefix(k, "grant") {
				return true
			}
		}
		return false
	}
	if !has() {
		t.Error("an ended grant is forgotten at once")
	}
	p.Clock.Advance(91 * 24 * time.Hour)
	must(p.Sweep(ctx, p.Clock.Now()))(t)
	if has() {
		t.Error("an ended grant is kept for ever")
	}
	var faults []string
	ok(t, p.Check(ctx, func(s string) { faults = append(faults, s) }))
	if len(faults) > 0 {
		t.Errorf("the check finds %v", faults)
	}
}

// stirred waits until an open screen was told that its person's roles changed.
func stirred(t testing.TB, live *core.Live) {
	t.Helper()
	select {
	case <-live.RolesChanged():
	case why := <-live.Ended():
		t.Fatalf("the session ended: %s", why)
	case <-time.After(20 * time.Second):
		t.Fatal("the screen was not told")
	}
}

// A screen follows the roles of its person, whoever changes them, and its session
// lives on.
func TestAScreenFollowsItsRoles(t *testing.T) {
	p := coretest.Open(t)
	p.Set("session.idle_minutes", "0", "session.lifetime", "12 months")
	mara := p.SignUp("mara")
	live, other := must(p.Sessions.Attach(ctx, mara))(t), must(p.Sessions.Attach(ctx, p.Owner))(t)
	g := give(t, p, coretest.Console(), "mara", core.RoleSupport)
	stirred(t, live)
	select { // the owner's grant of the set-up may have been told late; by now it was
	case <-other.RolesChanged():
	default:
	}
	must(p.Access.SetEnd(ctx, coretest.Console(), g.ID, p.Clock.Now().Add(time.Hour)))(t)
	stirred(t, live)
	p.Clock.Advance(time.Hour)
	stirred(t, live)
	if held := must(p.Access.Mine(ctx, mara))(t); len(held) != 0 {
		t.Errorf("told, and still %v", held)
	}
	eventually(t, "the end is in the trail", func() bool {
		return slices.ContainsFunc(p.Trail(), func(e core.Entry) bool { return e.Action == core.ActGrantLapsed })
	})
	g = give(t, p, coretest.Console(), "mara", core.RoleAuditor)
	stirred(t, live)
	ok(t, p.Access.End(ctx, coretest.Console(), g.ID, ""))
	stirred(t, live)
	lives(t, live)
	select {
	case <-other.RolesChanged():
		t.Error("another's screen was told")
	default:
	}
	live.Close()
	other.Close()
	give(t, p, coretest.Console(), "mara", core.RoleAuditor)
	must(p.Accounts.Profile(ctx, mara))(t)
}

// Of several ends each is told, also one that was there before the screen opened.
func TestEveryEndIsTold(t *testing.T) {
	p := coretest.Open(t)
	p.Set("session.idle_minutes", "0", "session.lifetime", "12 months")
	mara := p.SignUp("mara")
	now := p.Clock.Now()
	for i, role := range []core.Role{core.RoleAuditor, core.RoleSupport, core.RoleAdmin} {
		must(p.Access.Grant(ctx, p.Owner, "mara", role, now.Add(time.Duration(i+1)*time.Hour)))(t)
	}
	live := must(p.Sessions.Attach(ctx, mara))(t)
	defer live.Close()
	for left := 2; left >= 0; left-- {
		p.Clock.Advance(time.Hour)
		stirred(t, live)
		eventually(t, "it is written down", func() bool {
			n := 0
			for _, e := range p.Trail() {
				if e.Action == core.ActGrantLapsed {
					n++
				}
			}
			return n == 3-left
		})
		if held := must(p.Access.Mine(ctx, mara))(t); len(held) != left {
			t.Fatalf("%d are left: %v", left, held)
		}
	}
}

// grantFlows are the acts of this file, for a store that fails and one that runs
// everything twice.
func grantFlows() []flow {
	return []flow{
		{name: "give a role", prepare: func(_ *testing.T, p *coretest.Place) func() error {
			return func() error {
				_, err := p.Access.Grant(ctx, p.Owner, "mara", core.RoleAdmin, p.Clock.Now().Add(time.Hour))
				return err
			}
		}},
		{name: "change the end of a role", prepare: func(t *testing.T, p *coretest.Place) func() error {
			g := give(t, p, p.Owner, "mara", core.RoleOwner)
			return func() error {
				_, err := p.Access.SetEnd(ctx, p.Owner, g.ID, p.Clock.Now().Add(time.Hour))
				return err
			}
		}},
		{name: "end a role", prepare: func(t *testing.T, p *coretest.Place) func() error {
			g := give(t, p, p.Owner, "mara", core.RoleOwner)
			return func() error { return p.Access.End(ctx, p.Owner, g.ID, "enough") }
		}},
		{name: "give a role, not allowed", denied: true, prepare: func(t *testing.T, p *coretest.Place) func() error {
			me := p.SignIn("mara")
			return func() error { _, err := p.Access.Grant(ctx, me, "lin", core.RoleAuditor, time.Time{}); return err }
		}},
		{name: "end the last owner's role", denied: true, prepare: func(t *testing.T, p *coretest.Place) func() error {
			g := grantOf(t, p, "lin", core.RoleOwner)
			return func() error { return p.Access.End(ctx, p.Owner, g.ID, "") }
		}},
	}
}
