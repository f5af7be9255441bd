package cmd

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

func TestADryRunSaysWhomAChangeTouchesAndChangesNothing(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	console := coretest.Console()
	args := []string{"policy", "set", "factors.enforce=everybody", "factors.days=3", "--dry-run"}
	got := document[core.Impact](t, p.Portal, console, args...)
	if got.Asked.Count != 2 || !slices.Contains(got.Asked.Names, "mara") || got.Version != 2 || len(got.Changes) != 2 || got.Accounts != 2 {
		t.Errorf("%+v", got)
	}
	out, errw, code := asks(t, p.Portal, console, "", args...)
	if code != exitOK {
		t.Fatalf("exit %d\n%s%s", code, out, errw)
	}
	for _, want := range []string{"factors.enforce", "nobody", "->", "everybody", "2 people are asked for a second factor, by 5 Mar 2026", "mara", "2 accounts that can sign in were counted"} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
	if v := document[policyShape](t, p.Portal, console, "policy", "show").Version; v != 2 {
		t.Errorf("version %d is in force after a dry run", v)
	}
	for _, bad := range []string{"password.min_length=3", "password.colour=red", "factors.sms=on"} {
		if _, _, code := asks(t, p.Portal, console, "", "policy", "set", bad, "--dry-run"); code != exitRefused {
			t.Errorf("%s: exit %d", bad, code)
		}
	}
}

// Whoever sets what is so already has what they want: a script may do it every night.
func TestSettingWhatIsSoAlreadyChangesNothing(t *testing.T) {
	p := coretest.Open(t)
	console := coretest.Console()
	set := []string{"policy", "set", "session.max=5", "factors.days=9", "--reason", "nightly"}
	first := document[policyShape](t, p.Portal, console, set...)
	if first.Unchanged {
		t.Errorf("%+v", first)
	}
	entries := len(p.Trail())
	p.Clock.Advance(time.Hour)
	for _, args := range [][]string{set, {"policy", "set", "session.max=5", "--yes"}, {"policy", "revert", strconv.Itoa(first.Version)}} {
		again := document[policyShape](t, p.Portal, console, args...)
		if !again.Unchanged || again.Version != first.Version || !again.Changed.Equal(first.Changed) || again.Settings["session.max"] != "5" {
			t.Errorf("%v: %+v", args, again)
		}
		if out, errw, code := asks(t, p.Portal, console, "", args...); code != exitOK || errw != "" || !strings.Contains(out, "nothing was changed") {
			t.Errorf("%v: exit %d\n%s%s", args, code, out, errw)
		}
	}
	if n := len(p.Trail()); n != entries {
		t.Errorf("%d entries came of it", n-entries)
	}
	if _, _, code := asks(t, p.Portal, console, "", "policy", "set", "session.max=5", "--if-version", "1"); code != exitRefused {
		t.Errorf("made from an older version: exit %d", code)
	}
}

func TestVersionsOfThePolicyByVerbs(t *testing.T) {
	p := coretest.Open(t)
	console := coretest.Console()
	p.Set("password.min_length", "14")
	log := document[versionsShape](t, p.Portal, console, "policy", "log", "--limit", "2")
	if len(log.Versions) != 2 || log.Versions[0].Version != 3 || log.Next != "2" {
		t.Errorf("%+v", log)
	}
	if rest := document[versionsShape](t, p.Portal, console, "policy", "log", "--after", log.Next); len(rest.Versions) != 1 || rest.Next != "" {
		t.Errorf("%+v", rest)
	}
	d := document[diffShape](t, p.Portal, console, "policy", "diff", "2", "3")
	if want := []core.SettingChange{{Path: "password.min_length", Old: "12", New: "14"}}; !slices.Equal(d.Changes, want) {
		t.Errorf("%+v", d)
	}
	if out, _, _ := asks(t, p.Portal, console, "", "policy", "diff", "3", "3"); !strings.Contains(out, "There is no difference.") {
		t.Errorf("%s", out)
	}
	if out, errw, code := asks(t, p.Portal, console, "", "policy", "revert", "2", "--reason", "too long"); code != exitOK || !strings.Contains(out, "password.min_length  12") {
		t.Errorf("exit %d\n%s%s", code, out, errw)
	}
	if now := document[policyShape](t, p.Portal, console, "policy", "show"); now.Version != 4 || now.Reason != "too long" || now.Settings["password.min_length"] != "12" {
		t.Errorf("%+v", now)
	}
	if got := document[core.Impact](t, p.Portal, console, "policy", "preset", "notificare", "--dry-run"); len(got.Changes) != 6 {
		t.Errorf("the preset changes %+v", got.Changes)
	}
	if _, _, code := asks(t, p.Portal, console, "", "policy", "preset", "tagorun"); code != exitOK {
		t.Errorf("exit %d", code)
	}
	for _, c := range []struct {
		args []string
		says string
		exit int
	}{
		{[]string{"policy", "revert", "99"}, "There is no such version", exitRefused},
		{[]string{"policy", "diff", "1", "99"}, "There is no such version", exitRefused},
		{[]string{"policy", "diff", "one", "2"}, "", exitUsage},
		{[]string{"policy", "log", "--after", "x"}, "", exitUsage},
		{[]string{"policy", "preset", "acme"}, "There is no such preset", exitRefused},
	} {
		if _, errw, code := asks(t, p.Portal, console, "", c.args...); code != c.exit || !strings.Contains(errw, c.says) {
			t.Errorf("%v: exit %d, %q", c.args, code, errw)
		}
	}
	me := p.SignUp("mara")
	for _, args := range [][]string{{"policy", "log"}, {"policy", "diff", "1", "2"}, {"policy", "revert", "1"}, {"policy", "preset", "nist", "--dry-run"}} {
		if _, _, code := asks(t, p.Portal, me, "", args...); code != exitNoAccess {
			t.Errorf("%v by somebody without a role: exit %d", args, code)
		}
	}
}
