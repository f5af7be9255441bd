package e2e

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The way of a portal from its first minute: set up over SSH with the printed
// code, opened to everybody by a verb while it serves, a stranger signs up,
// signs in from a second client, ends the first session from there; everything
// is in the trail.
func TestTheWholeWayOverSSH(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "portal")
	s := serve(t, data)
	owner := setUp(t, s)

	// The policy takes effect for everybody at once, through the running server.
	mustVerb(t, data, "policy", "set", "sign_up.mode=open")

	ada := visit(t, s.addr, nil, 80, 24)
	ada.signUp("ada", "Ada Byron", userPassword)

	again := visit(t, s.addr, newKey(t), 120, 40)
	again.signIn("ADA@Example.org", userPassword, "Ada Byron")
	again.choose("Sessions")
	again.WaitFor("here, ssh", "127.0.0.1")

	// The list lives: a third sign-in appears by itself.
	third := visit(t, s.addr, nil, 80, 24)
	third.signIn("ada", userPassword, "Ada Byron")
	again.WaitFor("new")

	// Ending all others closes their screens, and says why.
	again.Press("X")
	again.WaitFor("End all other sessions")
	again.Press("tab", "enter")
	again.WaitFor("2 sessions have ended.")
	ended := time.Now()
	for _, v := range []*visitor{ada, third} {
		v.WaitFor("This session was ended from another one of yours.")
		<-v.Closed()
	}
	// ASVS 7.4.3: within a second; measured here, and said when it is not.
	if d := time.Since(ended); d > time.Second {
		t.Logf("screens closed only after %s; this machine is busy, or something is slow", d)
	}

	// The owner's own screen is untouched, and its trail begins with the setup.
	owner.choose("Activity")
	owner.WaitFor("set-up of the portal")

	var audit struct {
		Entries []struct {
			Action, Outcome, Door string
		}
	}
	out := mustVerb(t, data, "audit", "list", "--json")
	if err := json.Unmarshal([]byte(out), &audit); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	count := map[string]int{}
	for _, e := range audit.Entries {
		count[e.Action+" "+e.Outcome+" "+e.Door]++
	}
	for want, n := range map[string]int{
		"portal.setup done ssh": 1, "policy.change done console": 1, "account.signup done ssh": 1,
		"signin.password done ssh": 2, "session.end_others done ssh": 1,
	} {
		if count[want] != n {
			t.Errorf("the trail has %d of %q, want %d: %v", count[want], want, n, count)
		}
	}
	for _, secret := range []string{ownerPassword, userPassword} {
		if strings.Contains(out, secret) || strings.Contains(s.output(), secret) {
			t.Error("a password stands in the trail or in the log")
		}
	}
}

// Nothing that a person was told is lost by kill -9, and nothing is half done:
// whoever saw their home signs in again afterwards; whoever was killed half way
// has an account or has none.
func TestKilledBetweenTwoScreens(t *testing.T) {
	t.Parallel()
	rounds := 3
	if long() {
		rounds = 100
	}
	data := filepath.Join(t.TempDir(), "portal")
	s := serve(t, data)
	setUp(t, s).leave()
	mustVerb(t, data, "policy", "set", "sign_up.mode=open", "captcha.sign_up=off", "lockout.address_failures=10000")

	for round := range rounds {
		name := fmt.Sprintf("user%d", round)
		v := visit(t, s.addr, nil, 80, 24)
		v.signUp(name, "User "+name, userPassword) // acknowledged

		half := visit(t, s.addr, nil, 80, 24)
		half.choose("Create an account")
		half.WaitFor("User name")
		half.fill("half"+name, "Half", "half"+name+"@example.org")
		half.WaitFor("Again")
		half.fill(userPassword, userPassword)
		// Not always at the same moment: before, while and after it is written.
		time.Sleep(time.Duration(round%10) * 25 * time.Millisecond)
		s.kill()

		s = serve(t, data)
		back := visit(t, s.addr, nil, 80, 24)
		back.signIn(name, userPassword, "User "+name)
		back.leave()
		out, exit := verb(t, data, "user", "show", "half"+name, "--json")
		switch exit {
		case 0:
			whole := visit(t, s.addr, nil, 80, 24)
			whole.signIn("half"+name, userPassword, "Half")
			whole.leave()
		case 1: // absent, wholly
		default:
			t.Fatalf("round %d: exit %d\n%s", round, exit, out)
		}
	}
	if out, exit := verb(t, data, "check"); exit != 0 {
		t.Fatalf("check after %d kills: exit %d\n%s", rounds, exit, out)
	}
}

// A backup made while the portal serves and people sign in is whole: restored
// elsewhere, it passes the check and lets the same people in.
func TestBackupUnderLoadRestoredElsewhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := filepath.Join(dir, "portal")
	s := serve(t, data)
	setUp(t, s).leave()
	mustVerb(t, data, "policy", "set", "sign_up.mode=open")
	v := visit(t, s.addr, nil, 80, 24)
	v.signUp("ada", "Ada Byron", userPassword)

	stop, busy := make(chan struct{}), make(chan error, 1)
	go func() {
		defer close(busy)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			if out, exit := verb(t, data, "invite", "create", "--note", fmt.Sprint(i)); exit != 0 {
				busy <- fmt.Errorf("invite create: exit %d\n%s", exit, out)
				return
			}
		}
	}()
	file := filepath.Join(dir, "portal.backup")
	mustVerb(t, data, "backup", file)
	close(stop)
	if err := <-busy; err != nil {
		t.Fatal(err)
	}

	// Never over a live one.
	if out, exit := verb(t, data, "restore", file); exit != 1 {
		t.Fatalf("restore over a portal that is served: exit %d\n%s", exit, out)
	}
	s.kill()
	elsewhere := filepath.Join(dir, "elsewhere")
	keys := filepath.Join(data, "keyset.json")
	mustVerb(t, elsewhere, "restore", file, "--keyset", keys)
	mustVerb(t, elsewhere, "check")
	s = serve(t, elsewhere)
	visit(t, s.addr, nil, 80, 24).signIn("ada", userPassword, "Ada Byron")
}

// A linked key speaks for its account on the command line, and for nothing else.
func TestVerbsOverSSHWithALinkedKey(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "portal")
	s := serve(t, data)
	setUp(t, s).leave()
	mustVerb(t, data, "policy", "set", "sign_up.mode=open")
	key := newKey(t)

	if out, exit := remote(t, s.addr, key, "whoami"); exit != 3 {
		t.Errorf("whoami with a key that nobody linked: exit %d, want 3\n%s", exit, out)
	}
	v := visit(t, s.addr, key, 80, 24)
	v.signUp("ada", "Ada Byron", userPassword)
	v.choose("Link your SSH key")
	v.WaitFor("From now on a sign-in asks for a linked key")
	v.press("Link it")
	v.WaitFor("Your key is linked.")

	out, exit := remote(t, s.addr, key, "whoami --json")
	if exit != 0 || !strings.Contains(out, `"ada"`) {
		t.Errorf("whoami: exit %d\n%s", exit, out)
	}
	if out, exit := remote(t, s.addr, key, "user list"); exit != 3 {
		t.Errorf("a person without a role lists accounts: exit %d, want 3\n%s", exit, out)
	}
	if out, exit := remote(t, s.addr, key, "policy set sign_up.mode=closed"); exit != 3 {
		t.Errorf("a person without a role changes the policy: exit %d, want 3\n%s", exit, out)
	}
	if out, exit := remote(t, s.addr, newKey(t), "whoami"); exit != 3 {
		t.Errorf("another key speaks for ada: exit %d\n%s", exit, out)
	}
	if out, exit := remote(t, s.addr, nil, "/bin/sh"); exit != 2 && exit != 3 {
		t.Errorf("a shell: exit %d\n%s", exit, out)
	}
}

// A lost password: the console issues a code, the person signs in with it once
// and chooses a new password on the way.
func TestLostPassword(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "portal")
	s := serve(t, data)
	setUp(t, s).leave()
	out := mustVerb(t, data, "user", "code", "lin", "--json")
	code := setupCode.FindString(out)
	if code == "" {
		t.Fatalf("no code in %s", out)
	}
	v := visit(t, s.addr, nil, 80, 24)
	v.choose("Lost password")
	v.WaitFor("Your password is lost?")
	v.fill("lin", strings.ToLower(strings.ReplaceAll(code, "-", " ")))
	v.WaitFor("Choose a new password")
	v.fill(ownerPassword, ownerPassword)
	v.WaitFor("This is the password you have now")
	v.fill(nextPassword, nextPassword)
	v.WaitFor("Hello, Lin Ahn")

	second := visit(t, s.addr, nil, 80, 24)
	second.choose("Lost password")
	second.WaitFor("Your password is lost?")
	second.fill("lin", code)
	second.WaitFor("That did not work")
}
