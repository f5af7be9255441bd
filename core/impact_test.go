// The impact of a change, against portals in which it is known.

package core_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

// impact counts a change for an actor.
func impact(t testing.TB, p *coretest.Place, actor core.Actor, change string) core.Impact {
	t.Helper()
	return must(p.Policy.Impact(ctx, actor, values(change), nil))(t)
}

// touches fails unless so many are touched, and these first of them.
func touches(t testing.TB, what string, got core.Affected, n int, names ...string) {
	t.Helper()
	slices.Sort(got.Names)
	slices.Sort(names)
	if got.Count != n || !slices.Equal(got.Names, names) {
		t.Errorf("%s: %d (%v), want %d (%v)", what, got.Count, got.Names, n, names)
	}
}

func TestTheImpactOfRotation(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	p.SignUp("away")
	ok(t, p.Accounts.Suspend(ctx, p.Owner, "away", ""))
	p.SignUp("told")
	ok(t, p.Accounts.ExpirePassword(ctx, p.Owner, "told"))
	p.Clock.Advance(50 * 24 * time.Hour)
	p.SignUp("noor")
	me := p.SignIn("lin")
	got := impact(t, p, me, "password.rotate_days=45")
	touches(t, "passwords", got.Password, 2, "lin", "mara") // who is away does not sign in, who was told has to anyway
	if got.Accounts != 4 || got.Strength != 0 || !got.Me.Password || got.Version != must(p.Policy.Current(ctx, me))(t).Version {
		t.Errorf("got %+v", got)
	}
	if want := []core.SettingChange{{Path: "password.rotate_days", Old: "0", New: "45"}}; !slices.Equal(got.Changes, want) {
		t.Errorf("it changes %v", got.Changes)
	}
	// What was counted comes to be.
	p.Set("password.rotate_days", "45")
	for name, due := range map[string]bool{"lin": true, "mara": true, "noor": false} {
		if _, err := p.TrySignIn(coretest.Local(), name, coretest.Password); (err != nil) != due {
			t.Errorf("%s: %v", name, err)
		}
	}
	touches(t, "passwords, under the rule that is in force", impact(t, p, coretest.Console(), "").Password, 0)
}

func TestRulesOfStrengthAskNobodyNow(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	got := impact(t, p, p.Owner, "password.min_length=20 password.special=on")
	touches(t, "passwords", got.Password, 0)
	if got.Strength != 2 {
		t.Errorf("%d keep theirs, want 2", got.Strength)
	}
	if got := impact(t, p, p.Owner, "password.min_length=8"); got.Strength != 0 || !got.Quiet() {
		t.Errorf("a weaker rule touches somebody: %+v", got)
	}
}

func TestWhoIsAskedForASecondFactor(t *testing.T) {
	p := coretest.Open(t)
	mara := p.SignUp("mara")
	p.SignUp("noor")
	p.SignUp("away")
	ok(t, p.Accounts.Suspend(ctx, p.Owner, "away", ""))
	core.GiveFactor(t, p.Portal, mara.Account, core.FactorApp, core.Fresh)
	got := impact(t, p, p.Owner, "factors.enforce=everybody factors.days=3")
	touches(t, "asked", got.Asked, 2, "lin", "noor")
	if by := p.Clock.Now().AddDate(0, 0, 3); !got.AskBy.Equal(by) || !got.Me.Enrol || got.NoWay.Count != 0 || got.LockedOut.Count != 0 {
		t.Errorf("got %+v, want them asked by %v", got, by)
	}
	touches(t, "asked of admins", impact(t, p, p.Owner, "factors.enforce=admins").Asked, 1, "lin")
	got = impact(t, p, p.Owner, "factors.enforce=everybody factors.app=off")
	touches(t, "asked", got.Asked, 3, "lin", "mara", "noor")
	touches(t, "without a way yet", got.NoWay, 3, "lin", "mara", "noor")
	touches(t, "losing", got.Losing, 1, "mara")

	p.Set("factors.enforce", "everybody", "factors.days", "30")
	got = impact(t, p, p.Owner, "factors.days=1")
	if touches(t, "asked again", got.Asked, 0); got.Sooner != 2 {
		t.Errorf("%d must have one sooner, want 2", got.Sooner)
	}
	p.Set("factors.enforce", "admins")
	touches(t, "asked besides the admins", impact(t, p, p.Owner, "factors.enforce=everybody").Asked, 1, "noor")
}

func TestWhichSessionsAChangeEnds(t *testing.T) {
	p := coretest.Open(t)
	p.Set("session.lifetime", "3 days", "session.idle_minutes", "0")
	p.SignUp("mara")
	p.SignIn("mara")
	p.Clock.Advance(20 * time.Hour)
	p.SignIn("mara")
	me := p.SignIn("lin")
	got := impact(t, p, me, "session.lifetime=12hours")
	touches(t, "sessions", got.SessionsEnd, 3, "lin", "mara") // lin's from the set-up, two of mara's
	if got.Me.SessionEnds {
		t.Error("a session that has just begun ends")
	}
	if got := impact(t, p, p.Owner, "session.lifetime=12hours"); !got.Me.SessionEnds {
		t.Error("an old session does not end")
	}
	touches(t, "idle sessions", impact(t, p, me, "session.idle_minutes=60").SessionsEnd, 3, "lin", "mara")
	touches(t, "sessions above a limit", impact(t, p, me, "session.max=2").SessionsCut, 1, "mara")
	p.Set("session.lifetime", "12 hours")
	if n := len(must(p.Sessions.List(ctx, me, "mara"))(t)); n != 1 {
		t.Errorf("%d sessions of mara live on, want 1", n)
	}
}

func TestSignUpThatIsFullAtOnce(t *testing.T) {
	p := coretest.Open(t)
	p.SignUp("mara")
	got := impact(t, p, p.Owner, "sign_up.quota=2")
	if got.SignUpBefore != core.SignUpIsOpen || got.SignUpAfter != core.SignUpIsFull || got.Quiet() {
		t.Errorf("got %s, then %s", got.SignUpBefore, got.SignUpAfter)
	}
	if st := must(p.Site.State(ctx))(t); st.SignUp != core.SignUpIsOpen {
		t.Error("counting it changed it")
	}
}

func TestAPolicyThatLocksPeopleOut(t *testing.T) {
	p := coretest.Open(t) // nobody carries mail or text messages
	mara := p.SignUp("mara")
	only := "factors.enforce=everybody factors.app=off factors.key=off factors.email=on"
	got := impact(t, p, p.Owner, only)
	touches(t, "locked out", got.LockedOut, 1, "lin") // nobody is there to read codes from the outbox to them
	touches(t, "without a way", got.NoWay, 2, "lin", "mara")
	if !got.EveryOwner || !got.Me.LockedOut {
		t.Errorf("got %+v", got)
	}
	before := substance(p.Dump())
	for _, sure := range []bool{false, true} { // not even by somebody who is sure
		refused(t, change(p, sure, pairs(only)...), core.CodeLockout, "factors")
	}
	same(t, before, substance(p.Dump()))
	if got := impact(t, p, p.Owner, "factors.enforce=everybody factors.key=off factors.email=on"); got.EveryOwner || got.LockedOut.Count != 0 {
		t.Errorf("an app can be enrolled: %+v", got)
	}

	// A factor that failed too often guards again when its method comes back.
	p.Set("factors.app", "off")
	core.GiveFactor(t, p.Portal, mara.Account, core.FactorApp, core.Spent)
	if _, err := p.TrySignIn(coretest.Local(), "mara", coretest.Password); err != nil {
		t.Fatal(err)
	}
	touches(t, "locked out", impact(t, p, p.Owner, "factors.app=on").LockedOut, 1, "mara")
	refused(t, change(p, false, "factors.app", "on"), core.CodeLocksOut, "factors")
	ok(t, change(p, true, "factors.app", "on"))
	if _, err := p.TrySignIn(coretest.Local(), "mara", coretest.Password); err == nil {
		t.Error("mara was said to be locked out, and came in")
	}
}

// The machine's own console is not asked whether an owner can come in: whoever
// has lost the last way in there still has to mend it.
func TestAnOwnerWhoIsOutAlreadyHindersNothing(t *testing.T) {
	p := coretest.Open(t)
	core.GiveUpPassword(t, p.Portal, p.Owner.Account)
	ok(t, change(p, false, "factors.key_stands", "password"))
	ok(t, change(p, false, "factors.enforce", "everybody"))
}

func TestAKeyThatNoLongerStandsForThePassword(t *testing.T) {
	p := coretest.Open(t)
	p.Set("factors.key_stands", "password")
	mara := p.SignUp("mara")
	ok(t, p.Keys.Link(ctx, withKey(mara, "SHA256:mara"), ""))
	core.GiveUpPassword(t, p.Portal, mara.Account)
	touches(t, "locked out", impact(t, p, p.Owner, "factors.key_stands=nothing").LockedOut, 1, "mara")
	touches(t, "locked out by another", impact(t, p, p.Owner, "factors.days=3").LockedOut, 0)
}

func TestImpactIsForThoseWhoChangeThePolicy(t *testing.T) {
	p := coretest.Open(t)
	_, err := p.Policy.Impact(ctx, p.SignUp("mara"), nil, nil)
	refused(t, err, core.CodeDenied, "")
	_, err = p.Policy.Impact(ctx, p.Owner, values("password.min_length=4"), nil)
	refused(t, err, core.CodeRange, "password.min_length")
}

func TestACountIsToldAndCanBeLeft(t *testing.T) {
	p := coretest.Open(t)
	for i := range 30 {
		p.SignUp(fmt.Sprint("p", i))
	}
	last := 0
	must(p.Policy.Impact(ctx, p.Owner, values("password.rotate_days=1 session.max=1"), func(done, total int) {
		if done < last || done > total {
			t.Errorf("%d of %d after %d", done, total, last)
		}
		last = done
	}))(t)
	if last != 62 {
		t.Errorf("it ended at %d, want two passes of 31", last)
	}
	gone, cancel := context.WithCancel(ctx)
	_, err := p.Policy.Impact(gone, p.Owner, values("password.rotate_days=1"), func(int, int) { cancel() })
	refused(t, err, core.CodeUnavailable, "")
}

// What a shorter retention lets go is counted before it is saved, and then goes.
func TestTheImpactOfRetention(t *testing.T) {
	p, _, _ := yearLater(t)
	p.Set("retention.audit_days", "700", "retention.session_days", "700", "retention.outbox_days", "700", "retention.inactive_days", "0")
	if got := must(p.Retention.Preview(ctx, coretest.Console(), nil))(t); !got.Nothing() {
		t.Fatalf("goes anyway: %+v", got)
	}
	const change = "retention.audit_days=180 retention.inactive_days=300"
	got := impact(t, p, coretest.Console(), change)
	if n := got.Retention; n.Entries == 0 || n.Warned != 1 || n.Sessions != 0 || n.Accounts != 0 || got.Quiet() {
		t.Fatalf("%+v", got)
	}
	if got := impact(t, p, coretest.Console(), "retention.audit_days=701"); !got.Retention.Nothing() || !got.Quiet() {
		t.Errorf("what keeps longer lets go: %+v", got.Retention)
	}
	p.Set("retention.audit_days", "180", "retention.inactive_days", "300")
	gone := must(p.Retention.Run(ctx, coretest.Console(), nil))(t)
	if gone.Entries != got.Retention.Entries || gone.Warned != got.Retention.Warned {
		t.Errorf("said %+v, went %+v", got.Retention, gone)
	}
	wasTold(t, p, p.SignIn("mara"), core.NoticeInactive)
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	_, err := p.Policy.Impact(ctx, coretest.Console(), values("retention.session_days=1"), nil)
	refused(t, err, core.CodeUnavailable, "")
}
