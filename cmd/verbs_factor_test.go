package cmd

import (
	"context"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"postern/core"
	"postern/core/coretest"
	"postern/core/otp"
	"postern/core/password"
	"postern/store/bolt"
	"postern/tui"
)

// asks carries out a verb as somebody, and returns what it says.
func asks(t testing.TB, p *core.Portal, actor core.Actor, input string, args ...string) (out, errw string, code int) {
	t.Helper()
	catalog, err := tui.LoadCatalog()
	if err != nil {
		t.Fatal(err)
	}
	catalog.Strict = true
	var o, e strings.Builder
	c := &Call{Portal: p, Actor: actor, Out: &o, Err: &e, Dict: catalog.Dict("en"), Dir: "/", In: strings.NewReader(input)}
	code = carryOut(context.Background(), c, !actor.Console, args)
	if said := o.String() + e.String(); strings.Contains(said, "⟦") || strings.Contains(said, "no value") {
		t.Errorf("%v: words are missing: %s", args, said)
	}
	return o.String(), e.String(), code
}

// document is the answer of a verb with --json.
func document[T any](t testing.TB, p *core.Portal, actor core.Actor, args ...string) T {
	t.Helper()
	out, errw, code := asks(t, p, actor, "", append(args, "--json")...)
	var v T
	d := json.NewDecoder(strings.NewReader(out))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil || code != exitOK || errw != "" {
		t.Fatalf("%v: exit %d, %v\n%s%s", args, code, err, out, errw)
	}
	return v
}

// withKey signs somebody up who comes by SSH with a key, and links it.
func withKey(t testing.TB, p *coretest.Place, name string) (actor core.Actor, line string) {
	t.Helper()
	_, line, fingerprint := newKey(t)
	door := coretest.From("203.0.113.9")
	door.Key, door.KeyLine = fingerprint, line
	made, err := p.Accounts.SignUp(context.Background(), door, coretest.Input(name))
	if err != nil {
		t.Fatal(err)
	}
	actor = door.With(made.SignedIn)
	if err := p.Keys.Link(context.Background(), actor, "Laptop"); err != nil {
		t.Fatal(err)
	}
	return actor, line
}

// sessionless is the actor of `ssh host VERB`.
func sessionless(a core.Actor) core.Actor {
	a.Session, a.Door = "", core.DoorVerb
	return a
}

// withApp enrols an app for somebody who is signed in.
func withApp(t testing.TB, p *coretest.Place, actor core.Actor) core.Factor {
	t.Helper()
	ctx := context.Background()
	e, err := p.Factors.Begin(ctx, actor, "", core.FactorApp, "")
	if err != nil {
		t.Fatal(err)
	}
	key, err := base32.StdEncoding.DecodeString(strings.ReplaceAll(e.Secret, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	done, err := p.Factors.Confirm(ctx, actor, "", e.ID, otp.Code(key, otp.Step(p.Clock.Now())), "Phone")
	if err != nil {
		t.Fatal(err)
	}
	return done.Factor
}

// A verb brings no session, so nobody has shown since when it is them: what needs
// a fresh proof is refused with where to give it.
func TestAVerbDoesNotChangeWhatProvesItsOwnPerson(t *testing.T) {
	p := coretest.Open(t)
	ada, _ := withKey(t, p, "ada")
	f := withApp(t, p, ada)
	_, another, _ := newKey(t)
	for _, args := range [][]string{{"key", "add", another}, {"key", "remove", ada.Key, "--yes"}, {"factor", "remove", f.ID}} {
		out, errw, code := asks(t, p.Portal, sessionless(ada), "", args...)
		if code != exitNoAccess || out != "" || !strings.Contains(errw, "ssh -t") {
			t.Errorf("%v: exit %d\n%s%s", args, code, out, errw)
		}
	}
	if keys := document[keysShape](t, p.Portal, sessionless(ada), "key", "list"); len(keys.Keys) != 1 {
		t.Errorf("%+v", keys)
	}
}

func TestTheKeyThatOneCameWithIsNotRemovedUnasked(t *testing.T) {
	p := coretest.Open(t)
	ada, _ := withKey(t, p, "ada")
	out, errw, code := asks(t, p.Portal, ada, "", "key", "remove", ada.Key)
	if code != exitRefused || out != "" || !strings.Contains(errw, "--yes") {
		t.Errorf("exit %d\n%s%s", code, out, errw)
	}
	_, second, _ := newKey(t)
	if out, errw, code := asks(t, p.Portal, ada, second, "key", "add", "--label", "Desk"); code != exitOK || !strings.Contains(out, "is linked now") {
		t.Errorf("exit %d\n%s%s", code, out, errw)
	}
	if _, errw, code := asks(t, p.Portal, ada, "", "key", "remove", ada.Key, "--yes"); code != exitOK {
		t.Errorf("exit %d, %s", code, errw)
	}
	if keys := document[keysShape](t, p.Portal, ada, "key", "list"); len(keys.Keys) != 1 || keys.Keys[0].Label != "Desk" || keys.Keys[0].Line != second {
		t.Errorf("%+v", keys)
	}
}

func TestWhatProtectsAnAccountIsSaidInShort(t *testing.T) {
	p := coretest.Open(t)
	bob := p.SignUp("bob")
	if out, _, _ := asks(t, p.Portal, bob, "", "whoami"); !strings.Contains(out, "Second factor  none\n") || strings.Contains(out, "Trail ends with") {
		t.Error(out)
	}
	if e := p.Trail()[0]; e.Outcome == core.OutcomeRefused {
		t.Errorf("who asks for themselves is refused %s", e.Action)
	}
	p.Set("factors.enforce", "everybody", "factors.days", "10")
	if out, _, _ := asks(t, p.Portal, bob, "", "whoami"); !strings.Contains(out, "none, and one is needed by 12 Mar 2026") {
		t.Error(out)
	}
	f := withApp(t, p, bob)
	sheet, err := p.Factors.BeginRecovery(context.Background(), bob)
	if err == nil {
		err = p.Factors.SaveRecovery(context.Background(), bob, sheet.Seed)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"whoami"}, {"factor", "list"}} {
		if out, _, _ := asks(t, p.Portal, bob, "", args...); !strings.Contains(out, "Authenticator app") {
			t.Errorf("%v: %s", args, out)
		}
	}
	who := document[whoShape](t, p.Portal, bob, "whoami")
	if s := who.SecondFactor; s == nil || !s.Protected || !s.Demanded || s.DemandedBy.IsZero() || s.RecoveryCodes != 10 || !slices.Equal(s.Kinds, []core.FactorKind{core.FactorApp}) {
		t.Errorf("%+v", who.SecondFactor)
	}
	mine := document[factorsShape](t, p.Portal, bob, "factor", "list")
	if len(mine.Factors) != 1 || mine.Factors[0].ID != f.ID || !mine.Factors[0].Default || mine.Factors[0].Label != "Phone" {
		t.Errorf("%+v", mine)
	}
	shown := document[userShape](t, p.Portal, coretest.Console(), "user", "show", "bob")
	if len(shown.Factors) != 1 || shown.RecoveryCodes != 10 || !shown.EmailConfirmed.IsZero() {
		t.Errorf("%+v", shown)
	}
	out, _, _ := asks(t, p.Portal, coretest.Console(), "", "user", "show", "bob")
	for _, want := range []string{"bob@example.org · not confirmed", "Authenticator app Phone", "Recovery codes"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
	// The last factor that is demanded stays, unless somebody else takes it away.
	if _, errw, code := asks(t, p.Portal, bob, "", "factor", "remove", f.ID); code != exitRefused || !strings.Contains(errw, "this is your last") {
		t.Errorf("exit %d, %s", code, errw)
	}
	if _, errw, code := asks(t, p.Portal, coretest.Console(), "", "factor", "remove", "--user", "bob", f.ID); code != exitOK {
		t.Errorf("exit %d, %s", code, errw)
	}
}

// Numbers and addresses of others are masked; one's own are not.
func TestOthersSeeNoNumbers(t *testing.T) {
	p := coretest.Open(t)
	p.Set("factors.sms", "on", "messages.sms_allowance", "9")
	bob := p.SignUp("bob")
	ctx := context.Background()
	e, err := p.Factors.Begin(ctx, bob, "", core.FactorSMS, "+447700900123")
	if err != nil {
		t.Fatal(err)
	}
	page, err := p.Messages.List(ctx, coretest.Console(), "", "", 1)
	if err != nil {
		t.Fatal(err)
	}
	m, err := p.Messages.Read(ctx, coretest.Console(), page.Messages[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Factors.Confirm(ctx, bob, "", e.ID, m.Body, ""); err != nil {
		t.Fatal(err)
	}
	if out, _, _ := asks(t, p.Portal, bob, "", "factor", "list"); !strings.Contains(out, "+447700900123") {
		t.Error(out)
	}
	for _, args := range [][]string{{"factor", "list", "bob"}, {"factor", "list", "bob", "--json"}, {"user", "show", "bob"}, {"user", "show", "bob", "--json"}} {
		if out, _, code := asks(t, p.Portal, coretest.Console(), "", args...); code != exitOK || strings.Contains(out, "7700900") {
			t.Errorf("%v: exit %d\n%s", args, code, out)
		}
	}
	ada, _ := withKey(t, p, "ada")
	for _, args := range [][]string{{"factor", "list", "bob"}, {"key", "add", "--user", "bob", "x"}, {"key", "remove", "--user", "bob", "x"},
		{"factor", "remove", "--user", "bob", "x"}, {"user", "reset-factors", "bob"}, {"message", "list"}, {"message", "show", m.ID},
		{"message", "retry", m.ID}, {"message", "test", "--mail", "a@example.org"}} {
		if out, _, code := asks(t, p.Portal, sessionless(ada), "", args...); code != exitNoAccess || out != "" {
			t.Errorf("%v: exit %d, %s", args, code, out)
		}
	}
}

// A change of policy that locks people out says whom, before it is made.
func TestAPolicyNamesWhoLosesTheirFactor(t *testing.T) {
	p := coretest.Open(t)
	for i := range core.MaxLosing + 2 {
		withKey(t, p, fmt.Sprintf("user%02d", i))
	}
	line := []string{"policy", "set", "factors.key=off"}
	out, errw, code := asks(t, p.Portal, coretest.Console(), "", line...)
	if code != exitRefused || out != "" || !strings.HasPrefix(errw, "22 people would be left without a second factor: user00, user01, ") ||
		!strings.Contains(errw, "user19 and 2 more. ") || !strings.Contains(errw, "--yes") {
		t.Errorf("exit %d\n%s%s", code, out, errw)
	}
	out, _, code = asks(t, p.Portal, coretest.Console(), "", append(line, "--json")...)
	var refused struct{ Error errorShape }
	if err := json.Unmarshal([]byte(out), &refused); err != nil {
		t.Fatal(err)
	}
	if e := refused.Error; code != exitRefused || e.Code != "loses_factor" || e.N != 22 || len(e.Names) != core.MaxLosing || e.Names[0] != "user00" {
		t.Errorf("%+v", e)
	}
	if pol := document[policyShape](t, p.Portal, coretest.Console(), append(line, "--yes")...); pol.Settings["factors.key"] != "off" {
		t.Errorf("%v", pol.Settings)
	}
}

// Over a real door: a sheet that stands on the screen is fetched into a file, by
// its own person and nobody else, until it is called saved.
func TestRecoveryCodesAreFetchedOverSSH(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	signer, line, fingerprint := newKey(t)
	if err := settle(h.data(), line, fingerprint); err != nil {
		t.Fatal(err)
	}
	var sheet core.RecoverySheet
	within(t, h.data(), func(p *core.Portal) {
		door := core.Actor{Door: core.DoorSSH, Remote: "203.0.113.9", Client: "OpenSSH_10.0", Key: fingerprint, KeyLine: line}
		in, err := p.SignIn.Password(context.Background(), door, "ada", goodPassword)
		if err == nil {
			sheet, err = p.Factors.BeginRecovery(context.Background(), door.With(in.SignedIn))
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	s := h.serve()
	// Somebody else's key, linked at the console of the machine that serves.
	bobs, bobLine, _ := newKey(t)
	add := h.command("key", "add", "--user", "bob")
	add.Stdin = strings.NewReader(bobLine + "\n")
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ada, bob := s.dial(signer), s.dial(bobs)
	for range 2 {
		out, errw, code := verb(t, ada, "factor codes "+strings.ToLower(sheet.Seed))
		if code != exitOK || out != strings.Join(sheet.Codes, "\n")+"\n" || len(sheet.Codes) != 10 {
			t.Errorf("exit %d\n%s%s", code, out, errw)
		}
	}
	if out, _, code := verb(t, bob, "factor codes "+sheet.Seed); code != exitRefused || out != "" {
		t.Errorf("another's: exit %d, %s", code, out)
	}
	if out, errw, code := verb(t, ada, "factor codes 0000-0000-0000-0000"); code != exitRefused || out != "" || !strings.Contains(errw, "no such codes") {
		t.Errorf("exit %d, %s%s", code, out, errw)
	}
	for _, tt := range []struct {
		line, says string
		code       int
	}{
		{"key list --json", `"label": "Laptop"`, 0}, {"factor list", "SSH key", 0}, {"whoami", "SSH key", 0}, {"factor codes", "codes SEED", 2},
		{"key add", "ssh -t", 3}, {"key remove " + fingerprint, "ssh -t", 3}, {"factor remove x", "ssh -t", 3}, {"factor", "Say what: factor list, remove, codes", 2},
		{"message test --mail a@example.org", "not yours", 3}, {"user reset-factors bob", "not yours", 3},
	} {
		out, errw, code := verb(t, ada, tt.line)
		if code != tt.code || !strings.Contains(out+errw, tt.says) {
			t.Errorf("%s: exit %d\n%s%s", tt.line, code, out, errw)
		}
	}
	if strings.Contains(s.said(), sheet.Codes[0]) {
		t.Error("a recovery code is in the log")
	}
}

// within opens the data of a home that nobody holds.
func within(t testing.TB, dir string, do func(p *core.Portal)) {
	t.Helper()
	hasher, err := password.NewInsecureHasher(password.CheapParams(), 0)
	if err != nil {
		t.Fatal(err)
	}
	data, err := bolt.Open(context.Background(), bolt.Options{Dir: dir, Command: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	p, err := core.New(context.Background(), core.Config{Store: data, Hasher: hasher, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	do(p)
}

// A key is read where the verb was typed, and not by the process that serves.
func TestAKeyIsPipedInWhileThePortalServes(t *testing.T) {
	t.Parallel()
	s, _ := served(t)
	signer, line, _ := newKey(t)
	for _, args := range [][]string{{"key", "add", "--user", "lin", "-"}, {"key", "add", "--user", "lin"}} {
		add := s.h.command(args...)
		add.Stdin = strings.NewReader(line + " lin@desk\n")
		out, err := add.CombinedOutput()
		if first := args[len(args)-1] == "-"; first != (err == nil) {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	out, _, code := verb(t, s.dial(signer), "whoami --json")
	if code != exitOK || !strings.Contains(out, `"lin"`) {
		t.Errorf("exit %d, %s", code, out)
	}
	x := startIn(t, s.h.command("key", "add", "--user", "lin")) // a terminal, and nothing piped in
	if code := x.ends(); code != exitUsage {
		t.Errorf("exit %d: %s", code, x.bytes())
	}
}
