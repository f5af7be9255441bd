package screens

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"postern/core"
)

func TestActivityTellsWhatHappened(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, e, in := p.ada(t)
	if _, err := p.SignIn.Password(t.Context(), elsewhere("203.0.113.66"), "ada", "wrong"); core.CodeOf(err) != core.CodeCredentials {
		t.Fatal(err)
	}
	if _, err := p.Accounts.UpdateProfile(t.Context(), as(in), core.ProfileInput{DisplayName: "Ada L", Email: "ada@example.org"}); err != nil {
		t.Fatal(err)
	}
	p.clock.Advance(2 * time.Minute)
	v.Press("a").WaitFor("That is all.")
	v.Contains(e.T("action.account.profile"), e.T("action.account.signup"), "✗ refused", "203.0.113.66", "2 min ago", "somebody", "That is all.")
	v.Press("enter").WaitFor("› " + e.T("action.account.profile"))
	v.Contains("✓ done", "Shown as", "ada → Ada L", "22 Nov 2026, 12:00 UTC", "you").Press("esc").WaitFor("That is all.")
	v.Press("down", "enter").WaitFor("› " + e.T("action.signin.password"))
	v.Contains("✗ refused", "Why not", "the name or the password was not right").Press("esc").WaitFor("That is all.")
	marked(t, v, "203.0.113.66")
	v.Press("esc").WaitFor("Security check-up")
}

// Every act has words, and so has every reason for a refusal.
func TestEveryActHasItsWords(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	_, e, _ := p.ada(t)
	s := &activity{env: e}
	for _, a := range core.Actions() {
		if words := s.action(core.Entry{Action: a}); words == string(a) || strings.Contains(words, "⟦") {
			t.Errorf("%s is said as %q", a, words)
		}
	}
	for _, c := range []core.Code{
		core.CodeInternal, core.CodeUnavailable, core.CodeDenied, core.CodeStepUp, core.CodeSessionEnded, core.CodeNotFound,
		core.CodeConflict, core.CodeEmpty, core.CodeTooLong, core.CodeTooShort, core.CodeCharacter, core.CodeEncoding,
		core.CodeMixedScripts, core.CodeReserved, core.CodeTaken, core.CodeFormat, core.CodeRange, core.CodeRequired,
		core.CodePassword, core.CodeReused, core.CodeSame, core.CodeCredentials, core.CodeWait, core.CodeTicket,
		core.CodeOutOfOrder, core.CodeClosed, core.CodeFull, core.CodeInvite, core.CodeSetupCode, core.CodeSetUp,
		core.CodeNotSetUp, core.CodeLastOwner, core.CodeKeyInUse, core.CodeNoKey,
	} {
		if words := s.reason(core.Entry{Code: c}); words == string(c) || strings.ContainsAny(words, "⟦<") {
			t.Errorf("%s is said as %q", c, words)
		}
	}
	if got := s.action(core.Entry{Action: "future.act\x1b"}); got != "future.act␛" {
		t.Errorf("an act without words is said as %q", got)
	}
}

// A long trail is read page by page, as far as one goes.
func TestActivityReadsOnAtItsEnd(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, e, in := p.ada(t)
	for i := range 240 {
		if err := p.Accounts.SetPreferences(t.Context(), as(in), core.Preferences{TimeZone: []string{"UTC", "Asia/Tokyo"}[i%2]}); err != nil {
			t.Fatal(err)
		}
	}
	v.Press("a").WaitFor("The newest 100 entries.")
	v.Press("end").WaitFor("The newest 200 entries.")
	v.Press("end").WaitFor("That is all.")
	v.Press("end").Contains(e.T("action.account.signup"))

	// What is new stands before the rest, and the mark stays.
	marked(t, v, e.T("action.account.signup"))
	p.signIn(t, elsewhere("203.0.113.9"), "ada", otherPassword)
	v.Press("r").WaitFor("242 entries")
	marked(t, v, e.T("action.account.signup"))
	v.Press("home").Contains("203.0.113.9")
}

// A filter looks through what has not been read yet as well.
func TestActivityFilterLooksFurther(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	v, e, in := p.ada(t)
	for i := range 150 {
		if err := p.Accounts.SetPreferences(t.Context(), as(in), core.Preferences{TimeZone: []string{"UTC", "Asia/Tokyo"}[i%2]}); err != nil {
			t.Fatal(err)
		}
	}
	v.Press("a").WaitFor("The newest 100 entries.")
	v.Press("/").Paste(e.T("action.account.signup")).WaitFor(fmt.Sprintf("1 of %d", 151))
	walk(t, v, "esc", "entries", "esc", "Security check-up")
}

func TestActivityOfAnEndedSessionIsRefused(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	_, e, in := p.ada(t)
	if err := p.Sessions.End(t.Context(), core.ConsoleActor("test"), in.Session); err != nil {
		t.Fatal(err)
	}
	s := NewActivity(e).(*activity)
	s.SetSize(76, 20)
	page, err := p.Audit.Mine(t.Context(), e.Actor().With(in), "", 10)
	s.take(activityRead{page: page, err: err})
	if got := plainText(s.View()); !strings.Contains(got, "Your session has ended.") || !strings.Contains(got, "Press r") {
		t.Errorf("says %q", got)
	}
}
