package cmd

import (
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

func TestAppsByVerbs(t *testing.T) {
	p := coretest.Open(t)
	p.Set("session.idle_minutes", "0")
	mara := p.SignUp("mara")
	p.SignUp("noor")
	console := coretest.Console()
	a := document[appShape](t, p.Portal, console, "app", "create", "Archive", "password.min_length=20", "--owner", "mara", "--note", "old maps",
		"--role", "reader:view", "--role", "editor:view,edit")
	if a.Owner != "mara" || a.Note != "old maps" || a.Policy["password.min_length"] != "20" || core.FormatRoles(a.Roles) != "reader: view, editor: view edit" {
		t.Errorf("%+v", a)
	}
	s := document[shareShape](t, p.Portal, console, "app", "share", "archive", "noor", "reader", "--until", "2026-03-04")
	if s.App != "Archive" || s.User != "noor" || s.State != core.ShareEnding || !s.Until.Equal(time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", s)
	}
	out, _, _ := asks(t, p.Portal, console, "", "app", "shares", "archive")
	for _, want := range []string{s.ID, "mara", "noor", "reader", "ends soon", "for good"} {
		if !strings.Contains(out, want) {
			t.Errorf("the list does not say %q:\n%s", want, out)
		}
	}
	// Whose it is, and whom it is shared with, see why a rule is stricter.
	d := document[userShape](t, p.Portal, console, "user", "show", "noor")
	if len(d.Shares) != 1 || d.Shares[0].ID != s.ID || len(d.Rules) != 1 || d.Rules[0] != (ruleShape{"password.min_length", "20", "Archive", "12"}) {
		t.Errorf("noor is shown as %+v, %+v", d.Shares, d.Rules)
	}
	shown, _, _ := asks(t, p.Portal, console, "", "user", "show", "noor")
	for _, want := range []string{s.ID, "Archive", "reader", "ends soon", "password.min_length", "20"} {
		if !strings.Contains(shown, want) {
			t.Errorf("noor's account does not say %q:\n%s", want, shown)
		}
	}
	if d := document[userShape](t, p.Portal, console, "user", "show", "lin"); len(d.Grants) != 1 || d.Grants[0].Role != core.RoleOwner || d.Rules != nil {
		t.Errorf("lin is shown as %+v, %+v", d.Grants, d.Rules)
	}
	// The app's own owner asks the same without a role.
	if list := document[sharesShape](t, p.Portal, mara, "app", "shares"); len(list.Shares) != 1 || list.Shares[0].Role != core.RoleAppOwner {
		t.Errorf("%+v", list)
	}
	if list := document[sharesShape](t, p.Portal, mara, "app", "shares", "archive", "--state", "ending"); len(list.Shares) != 1 {
		t.Errorf("%+v", list)
	}
	if list := document[sharesShape](t, p.Portal, console, "app", "shares", "--user", "noor"); len(list.Shares) != 1 || list.Shares[0].ID != s.ID {
		t.Errorf("%+v", list)
	}
	if got := document[shareShape](t, p.Portal, console, "app", "set-end", s.ID, "never"); !got.Until.IsZero() {
		t.Errorf("%+v", got)
	}
	if got := document[appShape](t, p.Portal, console, "app", "set", "archive", "password.min_length=", "session.lifetime=2 hours", "--name", "Maps"); got.Name != "Maps" || got.Policy["password.min_length"] != "" || got.Policy["session.lifetime"] != "2 hours" || got.Note != "old maps" {
		t.Errorf("%+v", got)
	}
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"app", "show", "maps"}, "reader: view, editor: view edit"},
		{[]string{"app", "list", "--prefix", "ma"}, "Maps"},
		{[]string{"app", "revoke", s.ID}, "no longer shared"},
		{[]string{"app", "transfer", "maps", "noor"}, "belongs to noor"},
		{[]string{"app", "share", "maps", "mara", "editor", "--from", "2027-01-01"}, "mara has Maps"},
		{[]string{"app", "retire", "maps"}, "1 role has ended"},
		{[]string{"app", "list"}, "retired"},
	} {
		if out, errw, code := asks(t, p.Portal, console, "", c.args...); code != exitOK || !strings.Contains(out, c.says) {
			t.Errorf("%v: exit %d\n%s%s", c.args, code, out, errw)
		}
	}
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"app", "show", "nothing"}, "There is no such app"},
		{[]string{"app", "revoke", s.ID}, "no such sharing"},
		{[]string{"app", "create", "Board", "--owner", "nobody"}, "There is no account"},
		{[]string{"app", "create", "Board", "--owner", "mara", "password.min_length=8"}, "An app may only be stricter"},
		{[]string{"app", "create", "Board", "--owner", "mara", "sign_up.mode=open"}, "sign_up.mode"},
	} {
		if out, errw, code := asks(t, p.Portal, console, "", c.args...); code != exitRefused || out != "" || !strings.Contains(errw, c.says) {
			t.Errorf("%v: exit %d\n%s%s", c.args, code, out, errw)
		}
	}
	if _, _, code := asks(t, p.Portal, mara, "", "app", "list"); code != exitNoAccess {
		t.Errorf("exit %d", code)
	}
}
