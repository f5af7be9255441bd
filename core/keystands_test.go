// What a linked key stands for at sign-in, and that whose key it is comes from the
// connection alone.

package core_test

import (
	"testing"

	"postern/core"
	"postern/core/coretest"
)

// ASVS 6.3.4
func TestWhatALinkedKeyStandsFor(t *testing.T) {
	const mine, another = "SHA256:mara", "SHA256:noor"
	for _, c := range []struct {
		stands, brings string
		app            bool
		step           core.Step // after the password
		ways           string
		factor         core.FactorKind // of the session
		alone          core.Step       // after the key and no password; "" when it opens nothing
	}{
		{"nothing", mine, false, core.StepDone, "", "", ""},
		{"nothing", mine, true, core.StepFactor, "app", "", ""},
		{"nothing", "", false, core.StepDone, "", "", ""},
		{"factor", mine, false, core.StepDone, "", core.FactorKey, ""},
		{"factor", mine, true, core.StepDone, "", core.FactorKey, ""},
		{"factor", another, false, core.StepFactor, "key(no_key)", "", ""},
		{"factor", "", false, core.StepFactor, "key(no_key)", "", ""},
		{"factor", "", true, core.StepFactor, "app key(no_key)", "", ""},
		{"factor", "SHA256:eve", true, core.StepFactor, "app key(no_key)", "", ""},
		{"password", mine, false, core.StepDone, "", "", core.StepDone},
		{"password", mine, true, core.StepFactor, "app", "", core.StepFactor},
		{"password", "", false, core.StepDone, "", "", ""},
		{"password", another, true, core.StepFactor, "app", "", ""},
	} {
		p := coretest.Open(t)
		p.Set("factors.key_stands", c.stands)
		me := p.SignUp("mara")
		ok(t, p.Keys.Link(ctx, withKey(me, mine), "laptop"))
		ok(t, p.Keys.Link(ctx, withKey(p.SignUp("noor"), another), ""))
		if c.app {
			enrolApp(t, p, me, "phone")
		}
		actor := withKey(here, c.brings)
		progress := begin(t, p, actor, "mara", c.step)
		if got := kinds(progress.Ways); got != c.ways {
			t.Errorf("%+v: the ways are %s", c, got)
		}
		if c.step == core.StepDone {
			s := must(p.Sessions.Mine(ctx, actor.With(progress.SignedIn)))(t)[0]
			if s.Factor != c.factor || s.Method != "password" || s.Key != c.brings {
				t.Errorf("%+v: the session is %+v", c, s)
			}
		}
		offer := must(p.Portal.SignIn.Offer(ctx, actor))(t)
		progress, err := p.Portal.SignIn.Key(ctx, actor)
		whose := "mara"
		if c.stands != "password" || c.brings == "" || c.brings == "SHA256:eve" {
			whose = ""
		} else if c.brings == another {
			whose = "noor" // it opens its own account, whatever was typed before
		}
		if offer.UserName != whose {
			t.Errorf("%+v: it is offered to sign in as %q, want %q", c, offer.UserName, whose)
		}
		switch {
		case whose == "":
			says(t, err, core.Error{Code: core.CodeCredentials})
		case whose == "noor":
			if ok(t, err); progress.SignedIn.UserName != "noor" {
				t.Errorf("%+v: the key opens %+v", c, progress)
			}
		default:
			ok(t, err)
			if stands(t, progress, c.alone); c.alone == core.StepDone {
				if s := must(p.Sessions.Mine(ctx, actor.With(progress.SignedIn)))(t)[0]; s.Method != "key" || s.Factor != "" {
					t.Errorf("%+v: the session is %+v", c, s)
				}
			}
		}
	}
}

// The weakness this guards against: an offered key, a line, a name. Only the
// fingerprint that the finished handshake proved counts. ASVS 6.3.4
func TestIdentityComesFromTheProvedKeyAlone(t *testing.T) {
	p := coretest.Open(t)
	me := p.SignUp("mara")
	p.Set("factors.key_stands", "password")
	ok(t, p.Keys.Link(ctx, withKey(me, "SHA256:mara"), ""))
	line := withKey(here, "SHA256:mara").KeyLine
	for what, actor := range map[string]core.Actor{
		"no key": here, "a line and no key": {Door: core.DoorSSH, Remote: here.Remote, KeyLine: line},
		"an account and no key": {Door: core.DoorSSH, Remote: here.Remote, Account: me.Account},
		"another key":           withKey(here, "SHA256:eve"), "noise": withKey(here, string(make([]byte, 1<<12))),
	} {
		if o, err := p.Portal.SignIn.Offer(ctx, actor); err != nil || o.UserName != "" {
			t.Errorf("%s: offered %+v, %v", what, o, err)
		}
		if progress, err := p.Portal.SignIn.Key(ctx, actor); core.CodeOf(err) != core.CodeCredentials || progress.Step != "" {
			t.Errorf("%s: %+v, %v", what, progress, err)
		}
	}
	p.Set("factors.key_stands", "factor")
	begin(t, p, core.Actor{Door: core.DoorSSH, Remote: here.Remote, KeyLine: line}, "mara", core.StepFactor)
}

func TestAKeyOpensNoClosedAccount(t *testing.T) {
	p := coretest.Open(t)
	me := withKey(p.SignUp("mara"), "SHA256:mara")
	p.Set("factors.key_stands", "password")
	ok(t, p.Keys.Link(ctx, me, ""))
	actor := withKey(here, "SHA256:mara")
	closed := func(why string) {
		t.Helper()
		if o := must(p.Portal.SignIn.Offer(ctx, actor))(t); o.UserName != "" {
			t.Errorf("%s: it is offered to sign in as %q", why, o.UserName)
		}
		_, err := p.Portal.SignIn.Key(ctx, actor)
		says(t, err, core.Error{Code: core.CodeCredentials})
	}
	ok(t, p.Accounts.Suspend(ctx, p.Owner, "mara", ""))
	closed("suspended")
	ok(t, p.Accounts.Resume(ctx, p.Owner, "mara"))
	stands(t, must(p.Portal.SignIn.Key(ctx, actor))(t), core.StepDone)

	p.Set("factors.key", "off")
	closed("switched off")
	_, err := p.Keys.Recognise(ctx, actor)
	refused(t, err, core.CodeDenied, "")
	refused(t, p.Keys.Link(ctx, withKey(p.Owner, "SHA256:lin"), ""), core.CodeMethodOff, "key")
	p.Set("factors.key", "on")

	me = p.SignIn("mara")
	ok(t, p.Accounts.ExpirePassword(ctx, p.Owner, "mara")) // the forced steps come all the same
	stands(t, must(p.Portal.SignIn.Key(ctx, actor))(t), core.StepChangePassword)
	refused(t, p.Keys.Remove(ctx, me, "SHA256:eve", true), core.CodeNotFound, "key")
	ok(t, p.Keys.Remove(ctx, me, "SHA256:mara", false)) // it is not the one she came with
	closed("removed")
}

// Its owner still gets in while others hammer the password. ASVS 6.3.1
func TestAKeyWorksWhileOthersHammer(t *testing.T) {
	p := coretest.Open(t)
	p.Set("factors.key_stands", "password")
	ok(t, p.Keys.Link(ctx, withKey(p.SignUp("mara"), "SHA256:mara"), ""))
	for range 20 {
		_, _ = p.TrySignIn(coretest.From("192.0.2.66"), "mara", strong)
	}
	_, err := p.TrySignIn(here, "mara", coretest.Password)
	refused(t, err, core.CodeWait, "")
	stands(t, must(p.Portal.SignIn.Key(ctx, withKey(here, "SHA256:mara")))(t), core.StepDone)
}

// A key that stood for the password when the sign-in began is no second factor of
// the same sign-in when the policy changes meanwhile.
func TestOneKeyIsNotBoth(t *testing.T) {
	p := coretest.Open(t)
	me := withKey(p.SignUp("mara"), "SHA256:mara")
	ok(t, p.Keys.Link(ctx, me, ""))
	enrolApp(t, p, me, "phone")
	p.Set("factors.key_stands", "password")
	ok(t, p.Accounts.ExpirePassword(ctx, p.Owner, "mara"))
	actor := withKey(here, "SHA256:mara")
	progress := must(p.Portal.SignIn.Key(ctx, actor))(t)
	stands(t, progress, core.StepFactor)
	p.Set("factors.key_stands", "factor")
	_, err := p.Portal.SignIn.ChangePassword(ctx, actor, progress.Ticket, strong)
	refused(t, err, core.CodeOutOfOrder, "")
	_, err = p.Portal.SignIn.Later(ctx, actor, progress.Ticket)
	refused(t, err, core.CodeOutOfOrder, "")
}
