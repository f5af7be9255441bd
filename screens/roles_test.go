package screens

import (
	"context"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/tui/tuitest"
)

// appoint gives somebody a role from the console; until may be zero.
func (p *place) appoint(t testing.TB, user string, role core.Role, until time.Time) core.Grant {
	t.Helper()
	g, err := p.Access.Grant(context.Background(), core.ConsoleActor("root"), user, role, until)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// crew is a place where several people look after the portal.
func crew(t testing.TB) *place {
	t.Helper()
	p := newPlace(t)
	p.set(t, "session.idle_minutes", "0", "session.lifetime", "12 months")
	now := p.clock.Now()
	for _, c := range []struct {
		name string
		role core.Role
		days int
	}{{"grace", core.RoleOwner, 0}, {"ada", core.RoleAdmin, 90}, {"mara", core.RoleSupport, 6}, {"noor", core.RoleAuditor, 0}} {
		p.signUp(t, c.name, otherPassword)
		until := time.Time{}
		if c.days > 0 {
			until = now.AddDate(0, 0, c.days)
		}
		p.appoint(t, c.name, c.role, until)
	}
	if err := p.Accounts.Suspend(context.Background(), core.ConsoleActor("root"), "noor", "away"); err != nil {
		t.Fatal(err)
	}
	p.clock.Advance(time.Hour)
	return p
}

// justIn is a session of an account that has just proved who it is.
func (p *place) justIn(t testing.TB, name, pw string) core.SignedIn {
	t.Helper()
	r, err := p.SignIn.Password(context.Background(), core.Actor{Door: core.DoorSSH, Remote: "192.0.2.9"}, name, pw)
	if err != nil {
		t.Fatal(err)
	}
	return r.SignedIn
}

func TestTheListSaysWhoHoldsWhat(t *testing.T) {
	t.Parallel()
	p := crew(t)
	v := p.at(t, p.env(t), p.owner, NewRoles).WaitFor("5 roles. That is all.")
	for _, want := range []string{
		"grace owner for good", "lin owner for good", "ada admin 20 Feb 2027", "mara support ! in 5 days", "noor (suspended) auditor for good",
	} {
		if !strings.Contains(flat(v.Text()), want) {
			t.Errorf("it does not say %q:\n%s", want, v.Text())
		}
	}
	v.Press("f").WaitFor("1 role. That is all.").Contains("mara", "● ending within 30 days").Lacks("ada")
	v.Press("f").WaitFor("5 roles.").Press("end", "enter").WaitFor("› Role").Contains("looking at everything")
	v.Press("esc").WaitFor("5 roles.").Press("esc").WaitFor("Security check-up")
}

func TestARoleIsGivenOnTheScreen(t *testing.T) {
	t.Parallel()
	p := crew(t)
	p.signUp(t, "otis", otherPassword)
	v := p.at(t, p.env(t), p.justIn(t, "lin", goodPassword), NewRoles).WaitFor("5 roles.")
	v.Press("n").WaitFor("› Give a role").Type("nobody").Press("tab", "tab").Type("2020-01-01").Press("enter")
	waitToRead(v, "There is no account of that name or address.")
	v.Press("ctrl+u").Type("otis").Press("tab", "tab", "enter").WaitFor("The end must lie in the future.")
	v.Press("ctrl+u").Type("tomorrow").Press("enter")
	waitToRead(v, "Write a day like 2026-12-31")
	v.Press("ctrl+u").Type("2026-12-31").Press("enter").WaitFor("otis is auditor now.").WaitFor("6 roles.")
	got, err := p.Access.List(context.Background(), core.ConsoleActor("root"), core.GrantQuery{User: "otis", N: 9})
	if err != nil || len(got.Grants) != 1 || !got.Grants[0].Until.Equal(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Fatalf("%+v, %v", got, err)
	}
	v.Contains("31 Dec 2026") // the whole of that day
}

// A sign-in that is not fresh proves who it is first, and then what was wanted is done.
func TestTheEndOfARoleIsChanged(t *testing.T) {
	t.Parallel()
	p := crew(t)
	v := p.at(t, p.env(t), p.owner, NewRoles).WaitFor("5 roles.")
	v.Press("f").WaitFor("1 role.").Press("c").WaitFor("mara is support. Until when?").Contains("2026-11-28 12:00")
	v.Press("ctrl+u").Type("never").Press("enter", "enter").WaitFor("Roles decide who runs this portal").
		Type(goodPassword).Press("enter").WaitFor("The end was changed.")
	waitToRead(v, "Nobody holds such a role.")
	v.Press("f").WaitFor("5 roles.")
	if line := lineOf(t, v, "mara"); !strings.Contains(line, "for good") {
		t.Errorf("%q", line)
	}
	// esc at the step-up: nothing happened, and the form is there again.
	p.clock.Advance(core.StepUpFor + time.Second)
	v.Press("down", "down", "down", "c").WaitFor("Until when?").Press("ctrl+u").Type("2027-01-01").Press("enter", "enter").
		WaitFor("Roles decide").Press("esc").WaitFor("Until when?").Press("esc").WaitFor("5 roles.")
}

func TestARoleIsEndedOnTheScreen(t *testing.T) {
	t.Parallel()
	p := crew(t)
	v := p.at(t, p.env(t), p.owner, NewRoles).WaitFor("5 roles.")
	v.Press("f").WaitFor("1 role.").Press("x").WaitFor("End a role")
	waitToRead(v, "mara is no longer support, and loses at once")
	v.Type("mara").Press("enter").WaitFor("Roles decide").Type(goodPassword).Press("enter").WaitFor("The role has ended.")
	v.Press("f").WaitFor("4 roles.").Lacks("mara")

	v.Press("f").WaitFor("Nobody holds").Press("f").WaitFor("4 roles.")
	v.Press("down", "x") // lin's own, or grace's: whichever stands second
	v.WaitFor("End a role").Press("esc").WaitFor("4 roles.")
}

// Of one's own role it is said what that means; the last owner's stays.
func TestOnesOwnRoleIsEnded(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v := p.enter(t, p.env(t), p.justIn(t, "lin", goodPassword)).WaitFor("Administration").Press("d").WaitFor("as owner").Press("r").WaitFor("1 role.")
	v.Press("x").WaitFor("End a role")
	waitToRead(v, "This is your own role as owner.")
	v.Type("lin").Press("enter").WaitFor("No other permanent owner can sign in.").Press("esc").WaitFor("1 role.")
	p.signUp(t, "grace", otherPassword)
	p.appoint(t, "grace", core.RoleOwner, time.Time{})
	v.Press("r").WaitFor("2 roles.").Press("home")
	if !strings.Contains(v.Text(), "▸ lin") && !strings.Contains(v.Text(), "● lin") {
		v.Press("down")
	}
	v.Press("x").WaitFor("End a role")
	waitToRead(v, "This is your own role as owner.")
	v.Type("lin").Press("enter").WaitFor("Security check-up").WaitFor("Your role has ended: owner.").Lacks("Administration")
}

// Whose role does not reach sees the list and no keys that would do nothing.
func TestWhoSeesAndChangesRoles(t *testing.T) {
	t.Parallel()
	p := crew(t)
	ada := p.justIn(t, "ada", otherPassword)
	v := p.at(t, p.env(t), ada, NewRoles).WaitFor("5 roles.")
	v.Press("x").WaitFor("This role stands above yours").Press("c").WaitFor("This role stands above yours")
	v.Press("n").WaitFor("Give a role").Lacks("owner").Press("esc").WaitFor("5 roles.")
	mara := p.justIn(t, "mara", otherPassword)
	waitToRead(p.at(t, p.env(t), mara, NewRoles), "This is not yours to do.")
	e := p.env(t)
	w := p.enter(t, e, mara).WaitFor("Administration").Press("d").WaitFor("You look after this portal as support.")
	w.Lacks("Roles")
}

// Whatever screen of administration is open, it closes when the role ends that it
// was open by; the session lives on. ASVS 8.3.2
func TestARoleThatEndsTakesItsScreensWithIt(t *testing.T) {
	t.Parallel()
	for _, way := range adminWays() {
		t.Run(way.key, func(t *testing.T) {
			p := crew(t)
			g := p.appoint(t, "mara", core.RoleOwner, time.Time{})
			v := p.enter(t, p.env(t), p.justIn(t, "mara", otherPassword)).WaitFor("Administration")
			v.Press("d").WaitFor("You look after this portal").Press(way.key).
				WaitUntil("it is open", func(string) bool { return v.Router().Depth() == 3 })
			if err := p.Access.End(context.Background(), core.ConsoleActor("root"), g.ID, ""); err != nil {
				t.Fatal(err)
			}
			if core.RoleMay(core.RoleSupport, way.op) {
				v.WaitFor("Your role has ended: owner.")
				if v.Router().Depth() != 3 {
					t.Errorf("what another role allows was closed too:\n%s", v.Text())
				}
				return
			}
			v.WaitFor("Security check-up").WaitFor("Your role has ended: owner.")
			v.Press("d").WaitFor("You look after this portal as support.")
		})
	}
}

// A role that runs out in the middle of a session, on every screen of its person,
// and one that is given.
func TestARoleRunsOutWhileItsScreensAreOpen(t *testing.T) {
	t.Parallel()
	p := crew(t)
	ada := p.justIn(t, "ada", otherPassword)
	deep := p.enter(t, p.env(t), ada).WaitFor("Administration").Press("d").WaitFor("as admin").Press("r").WaitFor("5 roles.").
		Press("n").WaitFor("Give a role").Type("half a na")
	menu := p.enter(t, p.env(t), ada).WaitFor("Administration").Press("d").WaitFor("as admin")
	box := p.enter(t, p.env(t), ada).WaitFor("Administration").Press("d").WaitFor("as admin").Press("m").WaitFor("● all")
	own := p.enter(t, p.env(t), ada).WaitFor("Administration").Press("p").WaitFor("Shown as")
	p.clock.Advance(90 * 24 * time.Hour)
	for _, v := range []*tuitest.Terminal{deep, menu, box} {
		v.WaitFor("Security check-up").WaitFor("Your role has ended: admin.").WaitUntil("the way is gone", func(s string) bool { return !strings.Contains(s, "Administration") })
	}
	own.WaitFor("Your role has ended: admin.").Contains("Shown as") // what is one's own stays open
	p.appoint(t, "ada", core.RoleAuditor, time.Time{})
	deep.WaitFor("You look after this portal now as auditor.").WaitFor("Administration")
}

// The list, a new role and the end of one, line by line, and a role that ends there.
func TestRolesInLines(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "es", "pt-BR"} {
		p := crew(t)
		p.signUp(t, "otis", otherPassword)
		d, l := p.linesAt(t, p.justIn(t, "lin", goodPassword), NewRoles, tuitest.Lang(lang))
		l.Hears(d.T("roles.shown", "What", d.T("roles.show_all")), "4 mara "+d.T("role.support"), d.T("roles.all", "Count", 5))
		l.Answer("f").Hears(d.T("roles.shown", "What", d.T("roles.show_soon", "Days", roleSoon)), "1 mara", d.T("roles.all", "Count", 1))
		l.Answer("n").Hears(d.T("roles.give_title"), d.T("roles.user")).Answer("otis").Hears(d.T("roles.role"))
		l.Answer("").Hears(d.T("roles.until"))
		undrawn(t, l)
	}
}

// Administration is a list of ways that fits every size, for every role.
func TestAdministrationFitsEverySize(t *testing.T) {
	t.Parallel()
	p := crew(t)
	for name, pw := range map[string]string{"lin": goodPassword, "mara": otherPassword} {
		v := p.enter(t, p.env(t), p.justIn(t, name, pw)).WaitFor("Administration").Press("d").WaitFor("You look after this portal")
		v.Sizes()
	}
}

// No two ways of administration have the same key, and each has its words.
func TestTheWaysOfAdministration(t *testing.T) {
	t.Parallel()
	e := newPlace(t).env(t)
	seen := map[string]bool{}
	for _, w := range adminWays() {
		if len(w.key) != 1 || seen[w.key] || strings.Contains("jkq", w.key) {
			t.Errorf("the key %q cannot be pressed for %s", w.key, w.title)
		}
		seen[w.key] = true
		if !e.Dict.Has(w.title) || !e.Dict.Has(w.note) {
			t.Errorf("%q has no words", w.title)
		}
		if !core.RoleMay(core.RoleOwner, w.op) {
			t.Errorf("an owner may not go %s", w.title)
		}
	}
}
