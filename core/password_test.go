package core_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

// The core applies the rules whether or not the screen did: at sign-up, at a
// change and at the forced step. ASVS 2.2.2, 6.2.1
func TestTheRulesHoldOnEveryWay(t *testing.T) {
	p := coretest.Open(t)
	me := p.SignUp("mara")
	p.Set("password.upper_lower", "on", "password.letters_digits", "on", "password.special", "on", "password.min_length", "16")
	code := issue(t, p, "mara")
	step := must(p.Portal.SignIn.Code(ctx, coretest.Local(), "mara", code))(t)
	for pw, rule := range map[string]string{
		"Short-1": "min_length", "walnut-harbour-73-quilt": "upper_lower", "Walnut-Harbour-Quilt": "letters_digits",
		"WalnutHarbour73Quilt": "special", "Mara-Harbour-mara-73": "personal",
	} {
		t.Run(rule, func(t *testing.T) {
			in := coretest.Input("mara2")
			in.DisplayName, in.Password = "Mara", pw
			check := func(err error) {
				t.Helper()
				refused(t, err, core.CodePassword, "password")
				var e *core.Error
				if errors.As(err, &e) && e.Rule != rule {
					t.Errorf("the rule is %s, want %s", e.Rule, rule)
				}
			}
			_, err := p.Accounts.SignUp(ctx, coretest.Local(), in)
			check(err)
			_, err = p.Accounts.ChangePassword(ctx, me, coretest.Password, pw, false)
			check(err)
			_, err = p.Portal.SignIn.ChangePassword(ctx, coretest.Local(), step.Ticket, pw)
			check(err)
		})
	}
	guide := must(p.Accounts.Guide(ctx))(t)
	if guide.Rules.MinLength != 16 || !guide.Rules.Special {
		t.Errorf("the guide says %+v", guide.Rules)
	}
}

func TestHistoryByNumber(t *testing.T) {
	p := coretest.Open(t)
	p.Set("password.history_last", "3")
	me := p.SignUp("mara")
	now := coretest.Password
	to := func(next string) error {
		_, err := p.Accounts.ChangePassword(ctx, me, now, next, false)
		if err == nil {
			now = next
		}
		return err
	}
	name := func(i int) string { return fmt.Sprintf("Walnut-Harbour-%d-Quilt", i) }
	refused(t, to(coretest.Password), core.CodeSame, "password")
	ok(t, to(name(1)))
	refused(t, to(coretest.Password), core.CodeReused, "password")
	ok(t, to(name(2)))
	refused(t, to(coretest.Password), core.CodeReused, "password")
	refused(t, to(name(1)), core.CodeReused, "password")
	ok(t, to(name(3)))
	ok(t, to(coretest.Password)) // three others lie between
	for i := range 10 {
		ok(t, to(name(10+i)))
	}
	if n := len(must(core.CredentialOf(p.Portal, me.Account))(t).History); n > 3 {
		t.Errorf("%d old hashes are kept, though only the last 3 are asked for", n)
	}
}

func TestHistoryByDays(t *testing.T) {
	p := coretest.Open(t)
	p.Set("password.history_days", "135", "session.lifetime", "12 months", "session.idle_minutes", "0")
	me := p.SignUp("mara")
	must(p.Accounts.ChangePassword(ctx, me, coretest.Password, strong, false))(t)
	p.Clock.Advance(135*24*time.Hour - time.Second)
	_, err := p.Accounts.ChangePassword(ctx, me, strong, coretest.Password, false)
	refused(t, err, core.CodeReused, "password")
	p.Clock.Advance(time.Second)
	must(p.Accounts.ChangePassword(ctx, me, strong, coretest.Password, false))(t)
}

func TestWithoutHistoryNoOldHashIsKept(t *testing.T) {
	p := coretest.Open(t)
	me := p.SignUp("mara")
	must(p.Accounts.ChangePassword(ctx, me, coretest.Password, strong, false))(t)
	if c := must(core.CredentialOf(p.Portal, me.Account))(t); len(c.History) != 0 {
		t.Errorf("%d old hashes are kept", len(c.History))
	}
}

func TestChangePassword(t *testing.T) {
	p := coretest.Open(t)
	me, phone, other := p.SignUp("mara"), p.SignIn("mara"), p.SignUp("noor")
	screen := must(p.Sessions.Attach(ctx, phone))(t)
	before := substance(p.Dump())
	_, err := p.Accounts.ChangePassword(ctx, me, strong, "Another-Lantern-84-Fig", true)
	refused(t, err, core.CodeCredentials, "current")
	_, err = p.Accounts.ChangePassword(ctx, core.Actor{}, coretest.Password, strong, true)
	refused(t, err, core.CodeDenied, "")
	_, err = p.Accounts.ChangePassword(ctx, core.Actor{Account: other.Account, Session: me.Session}, coretest.Password, strong, true)
	refused(t, err, core.CodeSessionEnded, "")
	after := substance(p.Dump())
	for k := range before { // a failure is counted in the credential
		if before[k] != after[k] && !strings.HasPrefix(k, "credential") {
			t.Errorf("%q changed", k)
		}
	}
	out := must(p.Accounts.ChangePassword(ctx, me, coretest.Password, strong, true))(t)
	ends(t, screen, core.EndPassword)
	if out.Token == "" {
		t.Fatal("the session has no new secret")
	}
	if in := must(p.Portal.SignIn.Resume(ctx, coretest.Local(), out.Token))(t); in.Session != me.Session {
		t.Errorf("the new secret opens %s", in.Session)
	}
	must(p.Accounts.Profile(ctx, other))(t)
	if n := len(must(p.Sessions.Mine(ctx, me))(t)); n != 1 {
		t.Errorf("%d sessions are left", n)
	}
}

// Two changes at once, from two screens: one wins, the other one is told.
func TestTwoChangesAtOnce(t *testing.T) {
	for range 10 {
		p := coretest.Open(t)
		a, b := p.SignUp("mara"), p.SignIn("mara")
		var errs [2]error
		parallel(2, func(i int) {
			actor := []core.Actor{a, b}[i]
			_, errs[i] = p.Accounts.ChangePassword(ctx, actor, coretest.Password, fmt.Sprintf("Walnut-Harbour-7%d-Quilt", i), false)
		})
		won := 0
		for i, err := range errs {
			switch core.CodeOf(err) {
			case "":
				won++
				if _, err := p.TrySignIn(coretest.Local(), "mara", fmt.Sprintf("Walnut-Harbour-7%d-Quilt", i)); err != nil {
					t.Errorf("the password that won does not sign in: %v", err)
				}
			case core.CodeConflict, core.CodeCredentials:
			default:
				t.Errorf("refused as %v", err)
			}
		}
		if won != 1 {
			t.Fatalf("%d changes won: %v", won, errs)
		}
	}
}

// A rise of privilege gives the session a new secret, and the old one is dead.
// ASVS 7.2.4, 7.5.1
func TestStepUp(t *testing.T) {
	p := coretest.Open(t)
	in, err := p.TrySignIn(coretest.Local(), "lin", coretest.Password)
	ok(t, err)
	me := coretest.Local().With(in)
	length := 15
	change := func() error {
		length-- // another each time, for what is so already is no change
		_, err := p.Policy.Set(ctx, me, core.PolicyChange{Values: map[string]string{"password.min_length": fmt.Sprint(length)}})
		return err
	}
	p.Clock.Advance(core.StepUpFor)
	ok(t, change())
	p.Clock.Advance(time.Nanosecond)
	refused(t, change(), core.CodeStepUp, "")
	_, _, err = p.Accounts.IssueCode(ctx, me, "lin")
	refused(t, err, core.CodeStepUp, "")
	_, err = p.Accounts.UpdateProfile(ctx, me, core.ProfileInput{DisplayName: "lin", Email: "new@example.org"})
	refused(t, err, core.CodeStepUp, "")
	must(p.Accounts.UpdateProfile(ctx, me, core.ProfileInput{DisplayName: "Lin Ahn", Email: "lin@example.org"}))(t)

	_, err = p.Portal.SignIn.StepUp(ctx, me, strong)
	refused(t, err, core.CodeCredentials, "password")
	refused(t, change(), core.CodeStepUp, "")
	up := must(p.Portal.SignIn.StepUp(ctx, me, coretest.Password))(t)
	ok(t, change())
	_, err = p.Portal.SignIn.Resume(ctx, coretest.Local(), in.Token)
	refused(t, err, core.CodeSessionEnded, "")
	must(p.Portal.SignIn.Resume(ctx, coretest.Local(), up.Token))(t)
}

// Guessing from an open screen waits by the session, and counts against the
// password; nobody else's session waits for it.
func TestGuessingFromAnOpenScreen(t *testing.T) {
	p := coretest.Open(t)
	stolen, mine := p.SignUp("mara"), p.SignIn("mara")
	for range 5 {
		_, err := p.Portal.SignIn.StepUp(ctx, stolen, strong)
		refused(t, err, core.CodeCredentials, "password")
	}
	_, err := p.Portal.SignIn.StepUp(ctx, stolen, coretest.Password)
	refused(t, err, core.CodeWait, "")
	if c := must(core.CredentialOf(p.Portal, mine.Account))(t); c.Failures != 5 {
		t.Errorf("%d failures are counted against the password", c.Failures)
	}
	must(p.Portal.SignIn.StepUp(ctx, mine, coretest.Password))(t)
	if c := must(core.CredentialOf(p.Portal, mine.Account))(t); c.Failures != 0 {
		t.Errorf("%d failures in a row are left", c.Failures)
	}
	p.SignIn("mara")
}
