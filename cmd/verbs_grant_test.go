package cmd

import (
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

func TestRolesByVerbs(t *testing.T) {
	p := coretest.Open(t)
	p.Set("session.idle_minutes", "0")
	mara := p.SignUp("mara")
	console := coretest.Console()
	if out, errw, code := asks(t, p.Portal, console, "", "grant", "give", "mara", "support", "--until", "2026-03-04"); code != exitOK || !strings.Contains(out, "mara is support now") {
		t.Fatalf("exit %d\n%s%s", code, out, errw)
	}
	list := document[grantsShape](t, p.Portal, console, "grant", "list", "--user", "mara")
	if len(list.Grants) != 1 {
		t.Fatalf("%+v", list)
	}
	g := list.Grants[0]
	if g.User != "mara" || g.Account != mara.Account || g.Role != core.RoleSupport || g.By != core.ActorConsole || !g.Until.Equal(time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", g)
	}
	for _, c := range []struct {
		args []string
		n    int
	}{{nil, 2}, {[]string{"--ending", "7"}, 1}, {[]string{"--ending", "1"}, 0}, {[]string{"--role", "owner"}, 1}} {
		if list := document[grantsShape](t, p.Portal, console, append([]string{"grant", "list"}, c.args...)...); len(list.Grants) != c.n {
			t.Errorf("%v: %+v", c.args, list)
		}
	}
	out, _, _ := asks(t, p.Portal, console, "", "grant", "list")
	for _, want := range []string{g.ID, "mara", "support", "the console", "lin", "owner", "for good", "the portal"} {
		if !strings.Contains(out, want) {
			t.Errorf("the list does not say %q:\n%s", want, out)
		}
	}
	if set := document[grantShape](t, p.Portal, console, "grant", "set-end", g.ID, "never"); !set.Until.IsZero() {
		t.Errorf("%+v", set)
	}
	if out, errw, code := asks(t, p.Portal, console, "", "grant", "end", g.ID, "--reason", "moved on"); code != exitOK || !strings.Contains(out, "has ended") {
		t.Errorf("exit %d\n%s%s", code, out, errw)
	}
	if out, _, _ := asks(t, p.Portal, console, "", "grant", "list", "--user", "mara"); !strings.Contains(out, "Nobody holds") {
		t.Errorf("%s", out)
	}
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"grant", "end", g.ID}, "There is no such role"},
		{[]string{"grant", "give", "nobody", "support"}, "There is no account"},
		{[]string{"grant", "give", "mara", "emperor"}, "owner, admin, support, auditor"},
		{[]string{"grant", "give", "mara", "support", "--until", "tomorrow"}, "Write a day"},
		{[]string{"grant", "give", "mara", "support", "--until", "2001-01-01"}, "must lie in the future"},
		{[]string{"grant", "list", "--role", "emperor"}, "owner, admin, support, auditor"},
		{[]string{"grant", "list", "--ending", "-1"}, "1-3650"},
	} {
		if out, errw, code := asks(t, p.Portal, console, "", c.args...); code != exitRefused || out != "" || !strings.Contains(errw, c.says) {
			t.Errorf("%v: exit %d\n%s%s", c.args, code, out, errw)
		}
	}
}

// The last owner stays, also for the machine's own console, which may do all else.
func TestTheConsoleLeavesAnOwner(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	console := coretest.Console()
	lin := document[grantsShape](t, p.Portal, console, "grant", "list", "--role", "owner").Grants[0].ID
	for _, args := range [][]string{{"grant", "end", lin}, {"grant", "set-end", lin, "2027-01-01"}} {
		if out, errw, code := asks(t, p.Portal, console, "", args...); code != exitRefused || !strings.Contains(errw, "No other permanent owner can sign in") {
			t.Errorf("%v: exit %d\n%s%s", args, code, out, errw)
		}
	}
	document[grantShape](t, p.Portal, console, "grant", "give", "mara", "owner")
	if _, errw, code := asks(t, p.Portal, console, "", "grant", "end", lin); code != exitOK {
		t.Errorf("exit %d, %s", code, errw)
	}
}

// A verb by `ssh host` brings no session: it reads roles and changes none.
func TestAVerbByKeyChangesNoRole(t *testing.T) {
	p := coretest.Open(t)
	ada, _ := withKey(t, p, "ada")
	document[grantShape](t, p.Portal, coretest.Console(), "grant", "give", "ada", "owner")
	if list := document[grantsShape](t, p.Portal, sessionless(ada), "grant", "list"); len(list.Grants) != 2 {
		t.Errorf("%+v", list)
	}
	p.SignUp("mara")
	if out, errw, code := asks(t, p.Portal, sessionless(ada), "", "grant", "give", "mara", "support"); code != exitNoAccess || out != "" || !strings.Contains(errw, "ssh -t") {
		t.Errorf("exit %d\n%s%s", code, out, errw)
	}
	mara, _ := withKey(t, p, "otis")
	if _, _, code := asks(t, p.Portal, sessionless(mara), "", "grant", "list"); code != exitNoAccess {
		t.Errorf("exit %d", code)
	}
}
