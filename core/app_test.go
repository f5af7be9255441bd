// Apps: what makes one, who may change it, and what its end takes along.

package core_test

import (
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

// archive makes an app that mara owns, with the roles reader and editor.
func archive(t testing.TB, p *coretest.Place, policy ...string) core.App {
	t.Helper()
	values := map[string]string{}
	for i := 0; i+1 < len(policy); i += 2 {
		values[policy[i]] = policy[i+1]
	}
	return must(p.Apps.Create(ctx, p.Owner, core.AppInput{
		Name: "Archive", Note: "old maps", Owner: "mara", Policy: values,
		Roles: core.ParseRoles("reader: view, editor: view edit"),
	}))(t)
}

// withArchive is a portal with the app Archive, which mara owns, and noor.
func withArchive(t testing.TB, policy ...string) (p *coretest.Place, mara, noor core.Actor, a core.App) {
	t.Helper()
	p = coretest.Open(t)
	mara, noor = p.SignUp("mara"), p.SignUp("noor")
	return p, mara, noor, archive(t, p, policy...)
}

func share(t testing.TB, p *coretest.Place, by core.Actor, user string, role core.Role, until time.Time) core.Share {
	t.Helper()
	return must(p.Apps.Share(ctx, by, "archive", core.ShareInput{User: user, Role: role, Until: until}))(t)
}

func TestMakingAnApp(t *testing.T) {
	p, mara, noor, a := withArchive(t)
	if a.OwnerName != "mara" || a.State != core.AppActive || core.FormatRoles(a.Roles) != "reader: view, editor: view edit" {
		t.Errorf("made %+v", a)
	}
	if e := p.Trail()[0]; e.Action != core.ActAppCreate || e.Target != "Archive" || e.About != mara.Account || e.After["role.editor"] != "view edit" {
		t.Errorf("the trail says %+v", e)
	}
	wasTold(t, p, mara, core.NoticeAccessGiven)
	mine := must(p.Apps.Mine(ctx, mara))(t)
	if len(mine) != 1 || mine[0].Role != core.RoleAppOwner || !mine[0].Mine || mine[0].AppName != "Archive" {
		t.Errorf("hers are %+v", mine)
	}
	if list := must(p.Apps.List(ctx, p.Owner, "ARCH", "", 10))(t); len(list.Apps) != 1 || list.Apps[0].OwnerName != "mara" {
		t.Errorf("listed are %+v", list)
	}
	for _, ref := range []string{"archive", " Archive ", a.ID} {
		if d := must(p.Apps.Show(ctx, p.Owner, ref))(t); d.ID != a.ID || d.Mine {
			t.Errorf("%q is %+v", ref, d)
		}
	}
	before := substance(p.Dump())
	for _, c := range []struct {
		in    core.AppInput
		code  core.Code
		field string
	}{
		{core.AppInput{Name: ""}, core.CodeRequired, "name"},
		{core.AppInput{Name: strings.Repeat("n", 33)}, core.CodeTooLong, "name"},
		{core.AppInput{Name: "a\x1b[2J"}, core.CodeCharacter, "name"},
		{core.AppInput{Name: "ARCHIVE"}, core.CodeTaken, "name"},
		{core.AppInput{Name: "Arсhive"}, core.CodeTaken, "name"}, // with a Cyrillic letter: it looks the same
		{core.AppInput{Name: "Postern"}, core.CodeReserved, "name"},
		{core.AppInput{Name: "x", Note: strings.Repeat("n", 201)}, core.CodeTooLong, "note"},
		{core.AppInput{Name: "x", Owner: "nobody"}, core.CodeNotFound, "owner"},
		{core.AppInput{Name: "x", Roles: core.ParseRoles("Reader")}, core.CodeFormat, "roles"},
		{core.AppInput{Name: "x", Roles: core.ParseRoles("owner")}, core.CodeReserved, "roles"},
		{core.AppInput{Name: "x", Roles: core.ParseRoles("a, a")}, core.CodeTaken, "roles"},
		{core.AppInput{Name: "x", Roles: core.ParseRoles("a: =cmd()")}, core.CodeFormat, "roles"},
		{core.AppInput{Name: "x", Roles: core.ParseRoles("a:" + strings.Repeat(" p", 33))}, core.CodeRange, "roles"},
		{core.AppInput{Name: "x", Roles: core.ParseRoles("a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q")}, core.CodeRange, "roles"},
		{core.AppInput{Name: "x", Policy: map[string]string{"password.min_length": "8"}}, core.CodeWeaker, "password.min_length"},
	} {
		_, err := p.Apps.Create(ctx, p.Owner, c.in)
		refused(t, err, c.code, c.field)
	}
	for _, who := range []core.Actor{mara, noor, coretest.Local()} {
		_, err := p.Apps.Create(ctx, who, core.AppInput{Name: "Mine"})
		refused(t, err, core.CodeDenied, "")
	}
	same(t, before, substance(p.Dump()))
	_, err := p.Apps.List(ctx, mara, "", "", 10)
	refused(t, err, core.CodeDenied, "")
	_, err = p.Apps.Show(ctx, noor, "archive")
	refused(t, err, core.CodeDenied, "")
	_, err = p.Apps.Show(ctx, noor, "no such app") // and learns nothing of which there are
	refused(t, err, core.CodeDenied, "")
	_, err = p.Apps.Show(ctx, p.Owner, "no such app")
	refused(t, err, core.CodeNotFound, "app")
}

// The owner of an app changes its roles, its rules and its sharing without a role
// on the portal, and nobody else does. Each act asks for a fresh proof. ASVS 8.2.1, 8.2.2
func TestAnAppsOwnerLooksAfterIt(t *testing.T) {
	p, mara, noor, a := withArchive(t)
	s := share(t, p, mara, "noor", "reader", time.Time{})
	note := "maps"
	for what, act := range map[string]func(core.Actor) error{
		"change": func(by core.Actor) error {
			return only(p.Apps.Update(ctx, by, "archive", core.AppChange{Note: &note, Policy: map[string]string{"session.idle_minutes": "10"}}))
		},
		"share": func(by core.Actor) error {
			s, err := p.Apps.Share(ctx, by, "archive", core.ShareInput{User: "noor", Role: "editor"})
			if err == nil {
				err = p.Apps.Revoke(ctx, by, s.ID)
			}
			return err
		},
		"set an end": func(by core.Actor) error {
			err := only(p.Apps.SetEnd(ctx, by, s.ID, p.Clock.Now().Add(time.Hour)))
			if err == nil {
				err = only(p.Apps.SetEnd(ctx, by, s.ID, time.Time{}))
			}
			return err
		},
		"list": func(by core.Actor) error { return only(p.Apps.Shares(ctx, by, a.ID, "", "", 10)) },
	} {
		if err := act(mara); err != nil {
			t.Errorf("%s, the app's owner: %v", what, err)
		}
		if err := act(p.Owner); err != nil {
			t.Errorf("%s, an owner: %v", what, err)
		}
		for _, who := range []core.Actor{noor, coretest.Local()} {
			if err := act(who); core.CodeOf(err) != core.CodeDenied {
				t.Errorf("%s, somebody else: %v", what, err)
			}
		}
	}
	support := p.SignUp("ivo")
	grant(t, p, support.Account, core.RoleSupport)
	_, err := p.Apps.Update(ctx, support, "archive", core.AppChange{Note: &note})
	refused(t, err, core.CodeDenied, "")
	p.Clock.Advance(core.StepUpFor + time.Second) // ASVS 7.5.3
	_, err = p.Apps.Update(ctx, mara, "archive", core.AppChange{Note: &note})
	refused(t, err, core.CodeStepUp, "")
	refused(t, p.Apps.Revoke(ctx, mara, s.ID), core.CodeStepUp, "")
}

func TestChangingAnApp(t *testing.T) {
	p, mara, noor, a := withArchive(t)
	share(t, p, mara, "noor", "reader", time.Time{})
	_, err := p.Apps.Update(ctx, mara, "archive", core.AppChange{Roles: core.ParseRoles("editor")})
	refused(t, err, core.CodeRoleInUse, "roles")
	if e := details(t, err); e.Rule != "reader" || e.N != 1 {
		t.Errorf("it says %+v", e)
	}
	// Two at once: the second one looks at it again.
	name := "Maps"
	got := must(p.Apps.Update(ctx, mara, "archive", core.AppChange{Name: &name, Version: a.Version, Roles: core.ParseRoles("reader: view export")}))(t)
	if got.Name != "Maps" || core.FormatRoles(got.Roles) != "reader: view export" {
		t.Errorf("changed to %+v", got)
	}
	_, err = p.Apps.Update(ctx, p.Owner, "maps", core.AppChange{Name: &name, Version: a.Version})
	refused(t, err, core.CodeConflict, "")
	e := p.Trail()[1]
	if e.Action != core.ActAppChange || e.Before["name"] != "Archive" || e.After["name"] != "Maps" || e.Before["role.editor"] != "view edit" {
		t.Errorf("the trail says %+v", e)
	}
	if list := must(p.Apps.Mine(ctx, noor))(t); list[0].AppName != "Maps" || list[0].Permissions[1] != "export" {
		t.Errorf("noor sees %+v", list)
	}
}

func TestAnAppChangesHands(t *testing.T) {
	p, mara, noor, a := withArchive(t)
	for ref, code := range map[string]core.Code{"nobody": core.CodeNotFound, "mara": core.CodeConflict, "": core.CodeRequired} {
		refused(t, p.Apps.Transfer(ctx, mara, "archive", ref), code, "owner")
	}
	ok(t, p.Apps.Transfer(ctx, mara, "archive", "noor"))
	wasTold(t, p, mara, core.NoticeAccessEnded)
	wasTold(t, p, noor, core.NoticeAccessGiven)
	if e := p.Trail()[0]; e.Action != core.ActAppTransfer || e.Before["owner"] != "mara" || e.After["owner"] != "noor" {
		t.Errorf("the trail says %+v", e)
	}
	refused(t, p.Apps.Transfer(ctx, mara, a.ID, "mara"), core.CodeDenied, "")
	if d := must(p.Apps.Show(ctx, noor, a.ID))(t); !d.Mine || d.OwnerName != "noor" {
		t.Errorf("it is %+v", d)
	}
	if list := must(p.Apps.Mine(ctx, mara))(t); len(list) != 0 {
		t.Errorf("mara keeps %+v", list)
	}
	clean(t, p)
}

// clean fails the test when the check finds anything.
func clean(t testing.TB, p *coretest.Place) {
	t.Helper()
	ok(t, p.Check(ctx, func(s string) { t.Errorf("the check finds %s", s) }))
}

func TestRetiringAnApp(t *testing.T) {
	p, mara, noor, a := withArchive(t, "password.min_length", "20")
	share(t, p, mara, "noor", "reader", time.Time{})
	share(t, p, mara, "lin", "editor", p.Clock.Now().Add(time.Hour))
	d := must(p.Apps.Show(ctx, mara, "archive"))(t)
	if d.Loses.Count != 2 || len(d.Loses.Names) != 2 {
		t.Errorf("it says that %+v lose it", d.Loses)
	}
	if n := must(p.Apps.Retire(ctx, mara, "archive"))(t); n != 2 {
		t.Errorf("%d roles ended", n)
	}
	for _, who := range []core.Actor{mara, noor, p.Owner} {
		wasTold(t, p, who, core.NoticeAccessEnded)
		if list := must(p.Apps.Mine(ctx, who))(t); len(list) != 0 {
			t.Errorf("still there: %+v", list)
		}
	}
	if g := must(p.Accounts.MyGuide(ctx, noor))(t); g.Rules.MinLength != 12 {
		t.Errorf("its rules hold on: %+v", g.Rules)
	}
	_, err := p.Apps.Retire(ctx, p.Owner, a.ID)
	refused(t, err, core.CodeRetired, "app")
	_, err = p.Apps.Share(ctx, p.Owner, a.ID, core.ShareInput{User: "noor", Role: "reader"})
	refused(t, err, core.CodeRetired, "app")
	_, err = p.Apps.Create(ctx, p.Owner, core.AppInput{Name: "archive"})
	refused(t, err, core.CodeTaken, "name")
	clean(t, p)
}

func FuzzRoles(f *testing.F) {
	for _, s := range []string{"", "reader", "reader: view, editor: view edit", ":", "a:b:c;d\n\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := core.FormatRoles(core.ParseRoles(s))
		if again := core.FormatRoles(core.ParseRoles(once)); again != once {
			t.Errorf("%q is read as %q, and that as %q", s, once, again)
		}
	})
}
