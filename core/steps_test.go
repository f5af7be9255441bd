package core_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

func issue(t testing.TB, p *coretest.Place, name string) string {
	t.Helper()
	code, until, err := p.Accounts.IssueCode(ctx, coretest.Console(), name)
	ok(t, err)
	if want := p.Clock.Now().Add(core.CodeFor); !until.Equal(want) {
		t.Fatalf("the code holds until %v, want %v", until, want)
	}
	return code
}

func TestACodeForALostPassword(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	code := issue(t, p, "mara")
	progress := must(p.Portal.SignIn.Code(ctx, coretest.From("192.0.2.1"), "mara@example.org", code))(t)
	if progress.Step != core.StepChangePassword || progress.Why != "code" || progress.SignedIn.Session != "" {
		t.Fatalf("a code leads to %+v", progress)
	}
	_, err := p.Portal.SignIn.Code(ctx, coretest.From("192.0.2.1"), "mara", code)
	refused(t, err, core.CodeCredentials, "") // once
	_, err = p.Portal.SignIn.ChangePassword(ctx, coretest.From("192.0.2.1"), progress.Ticket, "short")
	refused(t, err, core.CodePassword, "password") // and may be tried again
	_, err = p.Portal.SignIn.ChangePassword(ctx, coretest.From("192.0.2.1"), progress.Ticket, coretest.Password)
	refused(t, err, core.CodeSame, "password")
	done := must(p.Portal.SignIn.ChangePassword(ctx, coretest.From("192.0.2.1"), progress.Ticket, strong))(t)
	if done.Step != core.StepDone || done.SignedIn.UserName != "mara" {
		t.Fatalf("then %+v", done)
	}
	_, err = p.Portal.SignIn.ChangePassword(ctx, coretest.From("192.0.2.1"), progress.Ticket, "Another-Lantern-84-Fig")
	refused(t, err, core.CodeTicket, "") // a ticket is used once
	_, err = p.TrySignIn(coretest.Local(), "mara", coretest.Password)
	refused(t, err, core.CodeCredentials, "")
}

// ASVS 6.5.1, 6.5.5
func TestCodesEnd(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	t.Run("by time", func(t *testing.T) {
		code := issue(t, p, "mara")
		p.Clock.Advance(core.CodeFor)
		_, err := p.Portal.SignIn.Code(ctx, coretest.Local(), "mara", code)
		refused(t, err, core.CodeCredentials, "")
	})
	t.Run("by another code", func(t *testing.T) {
		old := issue(t, p, "mara")
		issue(t, p, "mara")
		_, err := p.Portal.SignIn.Code(ctx, coretest.Local(), "mara", old)
		refused(t, err, core.CodeCredentials, "")
	})
	t.Run("by a new password", func(t *testing.T) {
		code := issue(t, p, "mara")
		me := p.SignIn("mara")
		must(p.Accounts.ChangePassword(ctx, me, coretest.Password, strong, false))(t)
		_, err := p.Portal.SignIn.Code(ctx, coretest.Local(), "mara", code)
		refused(t, err, core.CodeCredentials, "")
		p.Clock.Advance(25 * time.Hour)
	})
	t.Run("by five tries", func(t *testing.T) {
		p.Set("lockout.failures", "50")
		code := issue(t, p, "mara")
		for range core.MaxCodeTries {
			_, err := p.Portal.SignIn.Code(ctx, coretest.Local(), "mara", "AAAA-AAAA-AAAA-AAAA")
			refused(t, err, core.CodeCredentials, "")
		}
		_, err := p.Portal.SignIn.Code(ctx, coretest.Local(), "mara", code)
		refused(t, err, core.CodeCredentials, "")
	})
	t.Run("with the account", func(t *testing.T) {
		code := issue(t, p, "mara")
		ok(t, p.Accounts.Suspend(ctx, coretest.Console(), "mara", ""))
		_, err := p.Portal.SignIn.Code(ctx, coretest.Local(), "mara", code)
		refused(t, err, core.CodeCredentials, "")
		_, _, err = p.Accounts.IssueCode(ctx, coretest.Console(), "mara")
		refused(t, err, core.CodeState, "")
	})
}

// Of any number of racers with one code exactly one wins.
func TestHundredRacersForOneCodeHaveOneWinner(t *testing.T) {
	p := coretest.Open(t)
	p.Set("lockout.failures", "50", "lockout.address_failures", "1000")
	p.SignUp("mara")
	for range 5 {
		code := issue(t, p, "mara")
		var won atomic.Int32
		parallel(100, func(int) {
			progress, err := p.Portal.SignIn.Code(ctx, coretest.Local(), "mara", code)
			if err == nil && progress.Ticket != "" {
				won.Add(1)
			}
		})
		if won.Load() != 1 {
			t.Fatalf("%d racers won", won.Load())
		}
		p.Clock.Advance(25 * time.Hour)
	}
}

// The owner of a code gets in while others hammer the password.
func TestACodeWorksWhileOthersHammer(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	for range 20 {
		_, _ = p.TrySignIn(coretest.From("192.0.2.66"), "mara", strong)
	}
	_, err := p.TrySignIn(coretest.From("192.0.2.1"), "mara", coretest.Password)
	refused(t, err, core.CodeWait, "")
	must(p.Portal.SignIn.Code(ctx, coretest.From("192.0.2.1"), "mara", issue(t, p, "mara")))(t)
}

// Steps cannot be called out of order, with a ticket that is not one's own, that
// is over, or from elsewhere. ASVS 2.3.1
func TestStepsInOrderOnly(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	p.SignUp("noor")
	here := coretest.From("192.0.2.1")
	begin := func(name string) string {
		t.Helper()
		progress := must(p.Portal.SignIn.Code(ctx, here, name, issue(t, p, name)))(t)
		return progress.Ticket
	}
	step := func(actor core.Actor, ticket string) error {
		_, err := p.Portal.SignIn.ChangePassword(ctx, actor, ticket, strong)
		return err
	}
	for _, ticket := range []string{"", "x", p.Owner.Session, string(make([]byte, 4096))} {
		refused(t, step(here, ticket), core.CodeTicket, "")
	}
	ticket := begin("mara")
	refused(t, step(coretest.From("192.0.2.2"), ticket), core.CodeTicket, "")
	refused(t, step(core.Actor{Door: core.DoorLocal, Remote: "192.0.2.1"}, ticket), core.CodeTicket, "")
	p.Clock.Advance(core.AttemptFor)
	refused(t, step(here, ticket), core.CodeTicket, "")

	ticket = begin("mara") // suspended between
	ok(t, p.Accounts.Suspend(ctx, coretest.Console(), "mara", ""))
	refused(t, step(here, ticket), core.CodeTicket, "")
	ok(t, p.Accounts.Resume(ctx, coretest.Console(), "mara"))
	refused(t, step(here, ticket), core.CodeTicket, "")

	ticket = begin("mara") // a newer code takes its place
	code := issue(t, p, "mara")
	refused(t, step(here, ticket), core.CodeTicket, "")
	progress := must(p.Portal.SignIn.Code(ctx, here, "mara", code))(t)

	// The password was chosen by another sign-in meanwhile.
	p.Clock.Advance(core.AttemptFor / 2)
	ticket = progress.Ticket
	again, err := p.TrySignIn(here, "mara", coretest.Password)
	if !errors.Is(err, coretest.ErrStep) || again.Session != "" {
		t.Fatalf("an expired password leads to %v", err)
	}
	ok(t, step(here, ticket))
	refused(t, step(here, ticket), core.CodeTicket, "")

	// One ticket used many times at once.
	ticket = begin("noor")
	var won atomic.Int32
	parallel(20, func(int) {
		if step(here, ticket) == nil {
			won.Add(1)
		}
	})
	if won.Load() != 1 {
		t.Errorf("a ticket was used %d times", won.Load())
	}
}

// Rotation asks for the change at the next sign-in, and only then.
func TestRotation(t *testing.T) {
	p := coretest.Open(t)
	me := p.SignUp("mara")
	p.Set("password.rotate_days", "45", "password.history_days", "135", "session.lifetime", "12 months", "session.idle_minutes", "0")
	if due := must(p.Accounts.Profile(ctx, me))(t).PasswordDue; !due.Equal(coretest.Start.AddDate(0, 0, 45)) {
		t.Errorf("due %v", due)
	}
	p.Clock.Advance(45*24*time.Hour - 1)
	p.SignIn("mara")
	p.Clock.Advance(1)
	progress := must(p.Portal.SignIn.Password(ctx, coretest.Local(), "mara", coretest.Password))(t)
	if progress.Step != core.StepChangePassword || progress.Why != "rotation" {
		t.Fatalf("leads to %+v", progress)
	}
	live := must(p.Sessions.Attach(ctx, me))(t)
	must(p.Portal.SignIn.ChangePassword(ctx, coretest.Local(), progress.Ticket, strong))(t)
	ends(t, live, core.EndPassword) // the forced change ends all others
	_, err := p.Accounts.Profile(ctx, me)
	refused(t, err, core.CodeSessionEnded, "")
	now, err := p.TrySignIn(coretest.Local(), "mara", strong)
	ok(t, err)
	_, err = p.Accounts.ChangePassword(ctx, coretest.Local().With(now), strong, coretest.Password, false)
	refused(t, err, core.CodeReused, "password")
}

func TestExpiredByAnAdmin(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	ok(t, p.Accounts.ExpirePassword(ctx, p.Owner, "mara"))
	progress := must(p.Portal.SignIn.Password(ctx, coretest.Local(), "mara", coretest.Password))(t)
	if progress.Step != core.StepChangePassword || progress.Why != "expired" || progress.Person.UserName != "mara" {
		t.Fatalf("leads to %+v", progress)
	}
	must(p.Portal.SignIn.ChangePassword(ctx, coretest.Local(), progress.Ticket, strong))(t)
	_, err := p.TrySignIn(coretest.Local(), "mara", strong)
	ok(t, err)
}

// Whoever began with a password that an admin then gives up may not go on.
func TestAGivenUpPasswordOpensNothing(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	ok(t, p.Accounts.ExpirePassword(ctx, p.Owner, "mara"))
	thief := must(p.Portal.SignIn.Password(ctx, coretest.Local(), "mara", coretest.Password))(t)
	issue(t, p, "mara")
	_, err := p.Portal.SignIn.ChangePassword(ctx, coretest.Local(), thief.Ticket, strong)
	refused(t, err, core.CodeTicket, "")
}
