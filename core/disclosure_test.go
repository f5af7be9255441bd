// What people may not see, and that asking for it is written down.

package core_test

import (
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

// The weakness: whoever tried out what a role may read left no trace.
// ASVS 16.3.2
func TestAQuestionThatIsNotAnsweredIsInTheTrail(t *testing.T) {
	p := coretest.Open(t)
	me := p.SignUp("mara")
	for op, ask := range map[core.Operation]func(core.Actor) error{
		core.OpReadAccounts: func(a core.Actor) error { _, err := p.Accounts.Show(ctx, a, "lin"); return err },
		core.OpReadPolicy:   func(a core.Actor) error { _, err := p.Policy.Current(ctx, a); return err },
		core.OpReadAudit:    func(a core.Actor) error { _, err := p.Audit.List(ctx, a, "", "", 10); return err },
		core.OpInvite:       func(a core.Actor) error { _, err := p.Invites.List(ctx, a, "", 10); return err },
		core.OpSystem:       func(a core.Actor) error { return p.Site.MayMaintain(ctx, a) },
	} {
		before := len(p.Trail())
		refused(t, ask(me), core.CodeDenied, "")
		trail := p.Trail()
		if len(trail) != before+1 {
			t.Fatalf("%s: %d entries were written, want 1", op, len(trail)-before)
		}
		e := trail[0]
		if e.Action != core.ActDenied || e.Outcome != core.OutcomeRefused || e.Code != core.CodeDenied ||
			e.Target != string(op) || e.Actor != me.Account || e.Name != "mara" || e.Session != me.Session {
			t.Errorf("%s: %+v", op, e)
		}
		// A stranger has nothing to lose and could fill the trail.
		refused(t, ask(coretest.From("192.0.2.1")), core.CodeDenied, "")
		if n := len(p.Trail()); n != before+1 {
			t.Errorf("%s: a stranger wrote %d entries", op, n-before-1)
		}
	}
	before := len(p.Trail())
	if err := p.Site.BackUp(ctx, me, "b", func() error { return nil }); core.CodeOf(err) != core.CodeDenied {
		t.Errorf("a backup by anybody: %v", err)
	}
	if trail := p.Trail(); len(trail) != before+1 || trail[0].Action != core.ActBackup {
		t.Errorf("an act that is refused has its own entry, and only that: %+v", trail[0])
	}
	must(p.Accounts.CheckUp(ctx, me))(t) // it looks what one may, and asks for nothing
	if n := len(p.Trail()); n != before+1 {
		t.Errorf("the check-up wrote %d entries", n-before-1)
	}
}

// The weakness: the key of a suspended account could knock unseen; and once
// seen, it could have filled the trail. ASVS 16.3.2
func TestTheKeyOfASuspendedAccountIsSeenAndFillsNoTrail(t *testing.T) {
	p := coretest.Open(t)
	me := withKey(p.SignUp("mara"), "SHA256:mara")
	ok(t, p.Keys.Link(ctx, me, ""))
	ok(t, p.Accounts.Suspend(ctx, p.Owner, "mara", ""))
	p.Set("lockout.address_failures", "1")
	visitor := withKey(coretest.From("192.0.2.1"), "SHA256:mara")
	before := len(p.Trail())
	for range 30 {
		_, err := p.Keys.Recognise(ctx, visitor)
		refused(t, err, core.CodeDenied, "")
	}
	trail := p.Trail()
	if n := len(trail) - before; n < 1 || n > 10 {
		t.Errorf("%d entries of 30 tries", n)
	}
	if e := trail[0]; e.Action != core.ActDenied || e.About != me.Account || e.Target != "SHA256:mara" || e.Actor != "" || e.Remote != "192.0.2.1" {
		t.Errorf("%+v", e)
	}
	before = len(p.Trail())
	_, err := p.Keys.Recognise(ctx, withKey(coretest.From("198.51.100.7"), "SHA256:nobody"))
	refused(t, err, core.CodeDenied, "")
	if n := len(p.Trail()); n != before {
		t.Error("a key that nobody has linked is in the trail")
	}
}

// The weakness: whoever stole a support account's open session or linked key
// unlocked it after every ninety-nine guesses of its password. ASVS 6.3.1
func TestNobodyUnlocksThemselves(t *testing.T) {
	p := coretest.Open(t)
	for range core.MaxCredentialFailures {
		_, _ = p.TrySignIn(coretest.Local(), "lin", strong)
		p.Clock.Advance(25 * time.Hour)
	}
	owner := p.Owner
	p.Set("session.idle_minutes", "0", "session.lifetime", "12 months")
	refused(t, p.Accounts.Unlock(ctx, owner, "lin"), core.CodeDenied, "")
	if d := must(p.Accounts.Show(ctx, coretest.Console(), "lin"))(t); !d.Locked {
		t.Error("it is unlocked")
	}
	ok(t, p.Accounts.Unlock(ctx, coretest.Console(), "lin")) // the machine's operator may
}

// The weakness: a field that the portal's people fill in and nobody else is to
// see was in its person's profile and trail.
func TestHiddenFieldsStayHidden(t *testing.T) {
	p := coretest.Open(t)
	p.Set("sign_up.fields", "room:text::Room; risk:text::Risk")
	in := coretest.Input("mara")
	in.Fields = map[string]string{"room": "4b", "risk": "secret-to-mara"}
	me := coretest.Local().With(must(p.Accounts.SignUp(ctx, coretest.Local(), in))(t).SignedIn)
	for what, fields := range map[string]string{"hidden": "room:text::Room; risk:hidden::Risk", "taken away": "room:text::Room"} {
		p.Set("sign_up.fields", fields)
		own := must(p.Accounts.Profile(ctx, me))(t)
		if own.Fields["room"] != "4b" || own.Fields["risk"] != "" {
			t.Errorf("%s: own profile %v", what, own.Fields)
		}
		for _, e := range must(p.Audit.Mine(ctx, me, "", 100))(t).Entries {
			for _, m := range []map[string]string{e.Before, e.After} {
				for k, v := range m {
					if strings.Contains(k+v, "risk") || strings.Contains(v, "secret-to-mara") {
						t.Errorf("%s: own trail says %s=%s", what, k, v)
					}
				}
			}
		}
		if d := must(p.Accounts.Show(ctx, p.Owner, "mara"))(t); d.Fields["risk"] != "secret-to-mara" {
			t.Errorf("%s: the portal's people see %v", what, d.Fields)
		}
	}
	p.Set("sign_up.fields", "room:text::Room; risk:hidden::Risk")
	own := must(p.Accounts.UpdateProfile(ctx, me, core.ProfileInput{DisplayName: "Mara", Email: "mara@example.org", Fields: map[string]string{"room": "5"}}))(t)
	if own.Fields["risk"] != "" {
		t.Errorf("a change of profile answers with %v", own.Fields)
	}
	if d := must(p.Accounts.Show(ctx, p.Owner, "mara"))(t); d.Fields["risk"] != "secret-to-mara" || d.Fields["room"] != "5" {
		t.Errorf("after a change: %v", d.Fields)
	}
}
