package core_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
	"postern/core/password"
)

func TestSignInByNameOrAddress(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	for _, login := range []string{"mara", "MARA", " mara ", "mara@example.org", "Mara@Example.ORG"} {
		in, err := p.TrySignIn(coretest.From("192.0.2.1"), login, coretest.Password)
		if err != nil || in.UserName != "mara" {
			t.Errorf("by %q: %+v, %v", login, in, err)
		}
	}
}

// Unknown, wrong, suspended, waiting, turned away and locked get one answer at
// one cost. ASVS 6.3.8
func TestOneAnswerAtOneCost(t *testing.T) {
	p := coretest.Open(t)
	hashes := p.CountHashes()
	for _, name := range []string{"wrong", "suspended", "locked"} {
		p.SignUp(name)
	}
	ok(t, p.Accounts.Suspend(ctx, p.Owner, "suspended", ""))
	p.Set("sign_up.mode", "approval", "lockout.failures", "50", "lockout.wait_seconds", "1")
	p.SignUp("pending")
	p.SignUp("turned")
	ok(t, p.Accounts.Reject(ctx, p.Owner, "turned", ""))
	for range core.MaxCredentialFailures {
		_, err := p.TrySignIn(coretest.Local(), "locked", strong)
		refused(t, err, core.CodeCredentials, "")
		p.Clock.Advance(time.Hour)
	}
	d := must(p.Accounts.Show(ctx, coretest.Console(), "locked"))(t)
	if !d.Locked || d.Failures != core.MaxCredentialFailures {
		t.Fatalf("after %d failures: locked %v", d.Failures, d.Locked)
	}
	hashes.Taken()
	for _, c := range []struct{ login, pw string }{
		{"nobody", coretest.Password}, {"nobody@example.org", coretest.Password}, {"", coretest.Password}, {"\xff\x00", coretest.Password},
		{strings.Repeat("x", 1<<16), coretest.Password}, {"mаra", coretest.Password},
		{"wrong", strong}, {"wrong", ""}, {"suspended", coretest.Password}, {"suspended", strong},
		{"pending", coretest.Password}, {"turned", coretest.Password}, {"locked", coretest.Password}, {"locked", strong},
	} {
		var e *core.Error
		p.Clock.Advance(time.Hour) // nobody waits
		_, err := p.TrySignIn(coretest.Local(), c.login, c.pw)
		if !errors.As(err, &e) || *e != (core.Error{Code: core.CodeCredentials}) {
			t.Errorf("%.20q: %v, want nothing but %s", c.login, err, core.CodeCredentials)
		}
		if n := hashes.Taken(); n != 1 {
			t.Errorf("%.20q cost %d hashes, want 1", c.login, n)
		}
	}
}

func TestWhatCannotBeAPasswordIsSaidSo(t *testing.T) {
	p := coretest.Open(t)
	_, err := p.TrySignIn(coretest.From("192.0.2.1"), "lin", strings.Repeat("x", 1000))
	forbidden(t, err, "password", "max_bytes", password.MaxBytes)
	_, err = p.TrySignIn(coretest.From("192.0.2.1"), "lin", "a\xffb")
	forbidden(t, err, "password", "encoding", 0)
	_, err = p.TrySignIn(coretest.From("192.0.2.1"), "lin", "a\x00b")
	forbidden(t, err, "password", "control", 0)
	lin := p.SignIn("lin")
	_, err = p.Accounts.ChangePassword(ctx, lin, coretest.Password, strings.Repeat("é", 129), false)
	forbidden(t, err, "password", "max_bytes", password.MaxBytes)
	_, err = p.Accounts.ChangePassword(ctx, lin, strings.Repeat("x", 257), strong, false)
	forbidden(t, err, "current", "max_bytes", password.MaxBytes)
	p.SignIn("lin") // and counts as no failure of the login
}

// Waits double per login, known or not, in whatever spelling. ASVS 6.3.1
func TestWaitsDoubleByLogin(t *testing.T) {
	for what, logins := range map[string][]string{
		"a known name": {"mara"}, "an unknown name": {"nobody"},
		"many spellings": {"mara", "MARA", " Mara", "ｍａｒａ", "mARA  "}, "an address": {"mara@example.org", "MARA@example.org"},
	} {
		t.Run(what, func(t *testing.T) {
			p := coretest.Open(t)
			p.SignUp("mara")
			n := 0
			guess := func() error {
				n++
				_, err := p.TrySignIn(coretest.From(fmt.Sprintf("192.0.2.%d", n)), logins[n%len(logins)], strong)
				return err
			}
			for range 5 {
				refused(t, guess(), core.CodeCredentials, "")
			}
			for _, wait := range []time.Duration{30, 60, 120, 240, 480, 900, 900} {
				wait *= time.Second
				var e *core.Error
				if err := guess(); !errors.As(err, &e) || e.Code != core.CodeWait || e.Wait != wait {
					t.Fatalf("told %v (%v), want to wait %v", err, e.Wait, wait)
				}
				p.Clock.Advance(wait - 1)
				refused(t, guess(), core.CodeWait, "")
				p.Clock.Advance(1)
				refused(t, guess(), core.CodeCredentials, "")
			}
			p.Clock.Advance(24*time.Hour + 1) // forgotten
			for range 5 {
				refused(t, guess(), core.CodeCredentials, "")
			}
		})
	}
}

func TestTheRightPasswordForgetsTheFailures(t *testing.T) {
	p := coretest.Open(t)
	for range 3 {
		for range 4 {
			_, err := p.TrySignIn(coretest.Local(), "lin", strong)
			refused(t, err, core.CodeCredentials, "")
		}
		p.SignIn("lin")
	}
	if c := must(core.CredentialOf(p.Portal, p.Owner.Account))(t); c.Failures != 0 {
		t.Errorf("%d failures in a row are left", c.Failures)
	}
}

// An address waits too, whatever it guesses; IPv6 counts by its /64, and a
// mapped IPv4 address is the IPv4 address.
func TestWaitsByAddress(t *testing.T) {
	for what, addresses := range map[string][2]string{
		"IPv4": {"192.0.2.1", "192.0.2.1"}, "mapped": {"192.0.2.1", "::ffff:192.0.2.1"},
		"/64": {"2001:db8:1:2::1", "2001:db8:1:2:ffff::9"}, "zone": {"fe80::1%eth0", "fe80::1%eth1"},
	} {
		t.Run(what, func(t *testing.T) {
			p := coretest.Open(t)
			p.Set("lockout.address_failures", "6")
			for i := range 6 {
				_, err := p.TrySignIn(coretest.From(addresses[i%2]), fmt.Sprintf("guess%d", i), strong)
				refused(t, err, core.CodeCredentials, "")
			}
			for _, from := range addresses {
				_, err := p.TrySignIn(coretest.From(from), "lin", coretest.Password)
				refused(t, err, core.CodeWait, "")
			}
			for _, other := range []string{"192.0.2.2", "2001:db8:1:3::1", "", "not an address"} {
				if _, err := p.TrySignIn(coretest.From(other), "lin", coretest.Password); err != nil {
					t.Errorf("%q must wait too: %v", other, err)
				}
			}
			// One's own account is no way to go on guessing others.
			p.Clock.Advance(30 * time.Second)
			_, err := p.TrySignIn(coretest.From(addresses[0]), "lin", coretest.Password)
			ok(t, err)
			_, err = p.TrySignIn(coretest.From(addresses[0]), "guess", strong)
			refused(t, err, core.CodeCredentials, "")
			_, err = p.TrySignIn(coretest.From(addresses[0]), "guess", strong)
			refused(t, err, core.CodeWait, "")
		})
	}
}

func TestABusyAddressIsNotCountedForEver(t *testing.T) {
	p := coretest.Open(t)
	for i := range 60 { // a school whose people mistype once an hour and a half, day and night
		_, err := p.TrySignIn(coretest.From("192.0.2.1"), fmt.Sprintf("pupil%d", i), strong)
		refused(t, err, core.CodeCredentials, "")
		p.Clock.Advance(90 * time.Minute)
	}
}

// Of a hundred guesses at once only as many are looked at as one after the other.
func TestParallelGuessesAreBounded(t *testing.T) {
	p := coretest.Open(t)
	hashes := p.CountHashes()
	p.Set("lockout.address_failures", "10000")
	for round := range 5 {
		login := fmt.Sprintf("lin%d", round)
		p.SignUp(login)
		hashes.Taken()
		var looked, waited atomic.Int32
		parallel(100, func(i int) {
			_, err := p.TrySignIn(coretest.From(fmt.Sprintf("2001:db8:%x::1", i)), login, strong)
			switch core.CodeOf(err) {
			case core.CodeCredentials:
				looked.Add(1)
			case core.CodeWait:
				waited.Add(1)
			default:
				t.Errorf("answered %v", err)
			}
		})
		if n := hashes.Taken(); n > 5 || n < 1 || int(looked.Load()) != n || looked.Load()+waited.Load() != 100 {
			t.Errorf("%d hashed, %d looked at, %d told to wait", n, looked.Load(), waited.Load())
		}
	}
	if n := p.UnderWay(); n != 0 {
		t.Errorf("%d tries are still counted as under way", n)
	}
}

// After 100 failures in a row a password counts no more, and a one-time code
// re-establishes it. ASVS 6.3.1; NIST SP 800-63B-4 §3.2.2
func TestHundredFailuresDisableThePassword(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	guess := func() { // a day between, so that nobody waits
		_, err := p.TrySignIn(coretest.Local(), "mara", strong)
		refused(t, err, core.CodeCredentials, "")
		p.Clock.Advance(25 * time.Hour)
	}
	for range core.MaxCredentialFailures - 1 {
		guess()
	}
	p.SignIn("mara")
	for range core.MaxCredentialFailures {
		guess()
	}
	_, err := p.TrySignIn(coretest.Local(), "mara", coretest.Password)
	refused(t, err, core.CodeCredentials, "")

	code, _, err := p.Accounts.IssueCode(ctx, coretest.Console(), "mara")
	ok(t, err)
	progress := must(p.Portal.SignIn.Code(ctx, coretest.Local(), "mara", code))(t)
	_, err = p.TrySignIn(coretest.Local(), "mara", coretest.Password)
	refused(t, err, core.CodeCredentials, "") // not before the new one is there
	progress = must(p.Portal.SignIn.ChangePassword(ctx, coretest.Local(), progress.Ticket, strong))(t)
	if progress.Step != core.StepDone {
		t.Fatalf("next is %s", progress.Step)
	}
	_, err = p.TrySignIn(coretest.Local(), "mara", strong)
	ok(t, err)
}

func TestUnlock(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	for range 6 {
		_, _ = p.TrySignIn(coretest.Local(), "mara", strong)
	}
	_, err := p.TrySignIn(coretest.Local(), "mara", coretest.Password)
	refused(t, err, core.CodeWait, "")
	ok(t, p.Accounts.Unlock(ctx, p.Owner, "mara"))
	p.SignIn("mara")

	// A disabled password is good for one more sign-in, which must change it.
	for range core.MaxCredentialFailures {
		_, _ = p.TrySignIn(coretest.Local(), "mara", strong)
		p.Clock.Advance(25 * time.Hour)
	}
	ok(t, p.Accounts.Unlock(ctx, coretest.Console(), "mara"))
	_, err = p.TrySignIn(coretest.Local(), "mara", coretest.Password)
	if !errors.Is(err, coretest.ErrStep) {
		t.Errorf("got %v, want a forced change", err)
	}
}

func TestAWeakerHashIsReplacedAtSignIn(t *testing.T) {
	stronger := password.CheapParams()
	stronger.Time++
	p := coretest.Open(t, coretest.WithHasher(must(password.NewInsecureHasher(stronger, 1))(t)))
	weak := must(password.NewInsecureHasher(password.CheapParams(), 1))(t)
	phc := must(weak.Hash(ctx, coretest.Password))(t)
	strongHash := must(core.CredentialOf(p.Portal, p.Owner.Account))(t).Hash
	if phc[:25] == strongHash[:25] {
		t.Fatal("the weaker hash is as strong")
	}
	ok(t, core.SetHash(p.Portal, p.Owner.Account, phc))
	p.SignIn("lin")
	now := must(core.CredentialOf(p.Portal, p.Owner.Account))(t)
	if now.Hash == phc || now.Hash[:25] != strongHash[:25] {
		t.Errorf("the hash is %s", now.Hash)
	}
	p.SignIn("lin")
	if again := must(core.CredentialOf(p.Portal, p.Owner.Account))(t); again.Hash != now.Hash {
		t.Error("it was replaced again")
	}
	n := 0
	for _, e := range p.Trail() {
		if e.Action == core.ActRehash {
			n++
			if e.Actor != p.Owner.Account || e.Name != "lin" {
				t.Errorf("by %q %q", e.Actor, e.Name)
			}
		}
	}
	if n != 1 {
		t.Errorf("%d entries say so", n)
	}
}

func TestBeforeSetUpNobodyComesIn(t *testing.T) {
	p := coretest.New(t)
	_, err := p.TrySignIn(coretest.Local(), "lin", coretest.Password)
	refused(t, err, core.CodeNotSetUp, "")
	_, err = p.Portal.SignIn.Code(ctx, coretest.Local(), "lin", "AAAA-BBBB-CCCC-DDDD")
	refused(t, err, core.CodeNotSetUp, "")
	_, err = p.Accounts.SignUp(ctx, coretest.Local(), coretest.Input("lin"))
	refused(t, err, core.CodeNotSetUp, "")
	_, err = p.Portal.SignIn.Resume(ctx, coretest.Local(), "token")
	refused(t, err, core.CodeSessionEnded, "")
	_, err = p.Accounts.List(ctx, coretest.Console(), core.AccountQuery{N: 1})
	refused(t, err, core.CodeNotSetUp, "")
}

// Whoever hangs up while waiting for the hasher changes nothing.
func TestHangingUpInTheQueue(t *testing.T) {
	one := slowHasher(t)
	p := coretest.Open(t, coretest.WithHasher(one))
	before := substance(p.Dump())
	busy, release := context.WithCancel(ctx)
	defer release()
	held := make(chan struct{})
	go func() { // keeps the only slot busy
		defer close(held)
		for busy.Err() == nil {
			_, _ = one.Hash(busy, strong)
		}
	}()
	for _, flow := range map[string]func(context.Context) error{
		"sign-in": func(ctx context.Context) error {
			_, err := p.Portal.SignIn.Password(ctx, coretest.Local(), "lin", coretest.Password)
			return err
		},
		"sign-up": func(ctx context.Context) error {
			_, err := p.Accounts.SignUp(ctx, coretest.Local(), coretest.Input("mara"))
			return err
		},
		"step-up": func(ctx context.Context) error {
			_, err := p.Portal.SignIn.StepUp(ctx, p.Owner, coretest.Password)
			return err
		},
		"change": func(ctx context.Context) error {
			_, err := p.Accounts.ChangePassword(ctx, p.Owner, coretest.Password, strong, true)
			return err
		},
	} {
		gone, cancel := context.WithTimeout(ctx, 5*time.Millisecond)
		refused(t, flow(gone), core.CodeUnavailable, "")
		cancel()
	}
	release()
	<-held
	same(t, before, substance(p.Dump()))
	if n := p.UnderWay(); n != 0 {
		t.Errorf("%d tries are still counted as under way", n)
	}
	p.SignIn("lin")
}
