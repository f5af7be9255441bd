package cmd

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

// names are the user names that `user list` answers with.
func names(t *testing.T, p *coretest.Place, args ...string) string {
	t.Helper()
	var out []string
	for _, u := range document[usersShape](t, p.Portal, coretest.Console(), append([]string{"user", "list"}, args...)...).Users {
		out = append(out, u.UserName)
	}
	return strings.Join(out, " ")
}

func TestPeopleAreFoundByVerb(t *testing.T) {
	p := coretest.Open(t)
	for _, name := range []string{"ada", "adam", "bea"} {
		p.Clock.Advance(time.Minute)
		p.SignUp(name)
	}
	console := coretest.Console()
	if err := p.Accounts.Suspend(t.Context(), console, "adam", ""); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"":                                     "ada adam bea lin",
		"--search ad":                          "ada adam",
		"--search bea@":                        "bea",
		"--state suspended":                    "adam",
		"--role owner":                         "lin",
		"--factor none":                        "ada adam bea lin",
		"--factor app":                         "",
		"--factor missing":                     "ada adam bea lin",
		"--factor disabled":                    "",
		"--role any":                           "lin",
		"--seen-before 2020-01-01":             "",
		"--seen-after 2020-01-01 --search ada": "ada adam",
		"--sort created":                       "lin ada adam bea",
		"--sort seen":                          "bea adam ada lin",
		"--sort unseen --limit 2":              "lin ada",
		"--sort seen --state active":           "bea ada lin",
		"--prefix ad":                          "ada adam",
	} {
		if got := names(t, p, strings.Fields(args)...); got != want {
			t.Errorf("%s: %q, want %q", args, got, want)
		}
	}
	for _, args := range [][]string{{"--sort", "age"}, {"--factor", "dice"}, {"--role", "king"}, {"--seen-after", "soon"}, {"--prefix", "a", "--search", "b"}} {
		if _, _, code := asks(t, p.Portal, console, "", append([]string{"user", "list"}, args...)...); code != exitUsage {
			t.Errorf("%v: exit %d", args, code)
		}
	}
	for _, text := range []string{strings.Repeat("a", 10<<10), "a\x1bb"} {
		if _, errw, code := asks(t, p.Portal, console, "", "user", "list", "--search", text); code != exitRefused || !strings.Contains(errw, "search") || len(errw) > 500 {
			t.Errorf("exit %d: %s", code, errw)
		}
	}
}

// Several people in one act: a summary, what was refused, and exit code 1.
func TestAVerbForSeveral(t *testing.T) {
	p := coretest.Open(t)
	for _, name := range []string{"ada", "bea"} {
		p.SignUp(name)
	}
	console := coretest.Console()
	out, errw, code := asks(t, p.Portal, console, "", "user", "suspend", "ada", "bea", "lin", "nobody", "--reason", "end of term", "--json")
	var got bulkShape
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != exitRefused || errw != "" {
		t.Fatalf("exit %d, %v: %s%s", code, err, out, errw)
	}
	want := []core.BulkRefusal{{User: "lin", Code: core.CodeLastOwner}, {User: "nobody", Code: core.CodeNotFound}}
	if got.Done != "user suspend" || got.Count != 2 || !slices.Equal(got.Refused, want) {
		t.Errorf("got %+v", got)
	}
	if d := document[userShape](t, p.Portal, console, "user", "show", "ada"); d.State != core.StateSuspended || d.Why != "end of term" {
		t.Errorf("ada is %s: %q", d.State, d.Why)
	}
	if all := document[bulkShape](t, p.Portal, console, "user", "resume", "ada", "bea"); all.Count != 2 || len(all.Refused) != 0 {
		t.Errorf("got %+v", all)
	}
	out, _, code = asks(t, p.Portal, console, "", "user", "reset-factors", "ada", "bea")
	if code != exitRefused || !strings.Contains(out, "2 were refused") || !strings.Contains(out, "has none") {
		t.Errorf("exit %d: %s", code, out)
	}
	for _, verb := range []string{"unlock", "expire", "end-sessions"} {
		if _, errw, code := asks(t, p.Portal, console, "", "user", verb, "ada", "bea"); code != exitOK {
			t.Errorf("%s: exit %d: %s", verb, code, errw)
		}
		if _, errw, code := asks(t, p.Portal, console, "", "user", verb, "ada"); code != exitOK {
			t.Errorf("%s of one: exit %d: %s", verb, code, errw)
		}
	}
	// Who may do it to nobody is told so, and nothing else.
	me := sessionless(p.SignUp("mara"))
	if _, _, code := asks(t, p.Portal, me, "", "user", "suspend", "ada", "bea"); code != exitNoAccess {
		t.Errorf("exit %d", code)
	}
}

func TestAnInvitationWithARoleByVerb(t *testing.T) {
	p := coretest.Open(t)
	console := coretest.Console()
	made := document[inviteShape](t, p.Portal, console, "invite", "create", "--role", "support", "--role-until", "2030-12-31", "--uses", "2")
	if made.Role != core.RoleSupport || made.RoleUntil.IsZero() || made.Of != 2 || made.Code == "" {
		t.Errorf("got %+v", made)
	}
	if list := document[invitesShape](t, p.Portal, console, "invite", "list"); len(list.Invites) != 1 || list.Invites[0].Role != core.RoleSupport || list.Invites[0].Code != "" {
		t.Errorf("got %+v", list)
	}
	for _, args := range [][]string{{"--role", "king"}, {"--role", "support", "--role-until", "2001-01-01"}, {"--role-until", "2030-01-01"}, {"--role", "support", "--role-until", "soon"}} {
		if _, errw, code := asks(t, p.Portal, console, "", append([]string{"invite", "create"}, args...)...); code != exitRefused || errw == "" {
			t.Errorf("%v: exit %d: %s", args, code, errw)
		}
	}
}
