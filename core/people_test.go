package core_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

// Who may do what, as one table. ASVS 8.2.1, 8.2.2, 8.3.1
func TestRolesAndOperations(t *testing.T) {
	p := coretest.Open(t)
	actors := map[string]core.Actor{"stranger": coretest.Local(), "console": coretest.Console(), "owner": p.Owner}
	for _, name := range []string{"admin", "support", "auditor", "person"} {
		actors[name] = p.SignUp("the-" + name)
	}
	grant(t, p, actors["admin"].Account, core.RoleAdmin)
	grant(t, p, actors["support"].Account, core.RoleSupport)
	grant(t, p, actors["auditor"].Account, core.RoleAuditor)
	for _, target := range []string{"plain", "staff", "boss"} {
		a := p.SignUp("target-" + target)
		switch target {
		case "staff":
			grant(t, p, a.Account, core.RoleAuditor)
		case "boss":
			grant(t, p, a.Account, core.RoleOwner)
		}
	}
	manage := func(target string) func(core.Actor) error {
		return func(a core.Actor) error { return p.Accounts.ExpirePassword(ctx, a, "target-"+target) }
	}
	length := 30 // of passwords: another each time, for what is so already is no change
	for _, c := range []struct {
		operation string
		try       func(core.Actor) error
		allowed   string
	}{
		{"list accounts", func(a core.Actor) error {
			_, err := p.Accounts.List(ctx, a, core.AccountQuery{N: 5})
			return err
		}, "console owner admin support auditor"},
		{"show an account", func(a core.Actor) error { _, err := p.Accounts.Show(ctx, a, "target-plain"); return err }, "console owner admin support auditor"},
		{"list sessions", func(a core.Actor) error { _, err := p.Sessions.List(ctx, a, "target-plain"); return err }, "console owner admin support auditor"},
		{"manage somebody without a role", manage("plain"), "console owner admin support"},
		{"manage an auditor", manage("staff"), "console owner admin"},
		{"manage an owner", manage("boss"), "console owner"},
		{"issue a code", func(a core.Actor) error { _, _, err := p.Accounts.IssueCode(ctx, a, "target-plain"); return err }, "console owner admin support"},
		{"issue an owner a code", func(a core.Actor) error { _, _, err := p.Accounts.IssueCode(ctx, a, "target-boss"); return err }, "console owner"},
		{"read the policy", func(a core.Actor) error { _, err := p.Policy.Current(ctx, a); return err }, "console owner admin auditor"},
		{"change the policy", func(a core.Actor) error {
			length++
			_, err := p.Policy.Set(ctx, a, core.PolicyChange{Values: map[string]string{"password.min_length": fmt.Sprint(length)}})
			return err
		}, "console owner admin"},
		{"read the trail", func(a core.Actor) error { _, err := p.Audit.List(ctx, a, "", "", 5); return err }, "console owner admin auditor"},
		{"invite", func(a core.Actor) error { _, _, err := p.Invites.Create(ctx, a, 1, 1, ""); return err }, "console owner admin"},
		{"list invitations", func(a core.Actor) error { _, err := p.Invites.List(ctx, a, "", 5); return err }, "console owner admin"},
		{"back up", func(a core.Actor) error { return p.Site.MayMaintain(ctx, a) }, "console owner"},
		{"see one's own profile", func(a core.Actor) error { _, err := p.Accounts.Profile(ctx, a); return err }, "owner admin support auditor person"},
		{"see one's own trail", func(a core.Actor) error { _, err := p.Audit.Mine(ctx, a, "", 5); return err }, "owner admin support auditor person"},
	} {
		for who, actor := range actors {
			err := c.try(actor)
			if allowed := strings.Contains(" "+c.allowed+" ", " "+who+" "); allowed && err != nil {
				t.Errorf("%s: %s is refused: %v", c.operation, who, err)
			} else if !allowed && core.CodeOf(err) != core.CodeDenied {
				t.Errorf("%s: %s got %v, want %s", c.operation, who, err, core.CodeDenied)
			}
		}
	}
	// Nobody learns of others' sessions by trying to end them.
	theirs := must(p.Sessions.List(ctx, coretest.Console(), "target-boss"))(t)[0].ID
	for _, who := range []string{"person", "auditor", "support", "admin", "stranger"} {
		refused(t, p.Sessions.End(ctx, actors[who], theirs), core.CodeNotFound, "session")
	}
	ok(t, p.Sessions.End(ctx, actors["owner"], theirs))
}

func TestAGrantEnds(t *testing.T) {
	p := coretest.Open(t)
	me := p.SignUp("mara")
	ok(t, core.GrantRole(p.Portal, me.Account, core.RoleAdmin, p.Clock.Now().Add(10*time.Minute)))
	must(p.Policy.Current(ctx, me))(t)
	p.Clock.Advance(10 * time.Minute)
	_, err := p.Policy.Current(ctx, me)
	refused(t, err, core.CodeDenied, "")
}

func TestTheLastOwnerStays(t *testing.T) {
	p := coretest.Open(t)
	second := p.SignUp("mara")
	refused(t, p.Accounts.Suspend(ctx, p.Owner, "lin", ""), core.CodeLastOwner, "")
	refused(t, p.Accounts.Suspend(ctx, coretest.Console(), "lin", ""), core.CodeLastOwner, "")
	// One whose time ends does not count: he would leave the portal without any.
	ok(t, core.GrantRole(p.Portal, second.Account, core.RoleOwner, p.Clock.Now().Add(time.Hour)))
	refused(t, p.Accounts.Suspend(ctx, second, "lin", ""), core.CodeLastOwner, "")
	grant(t, p, second.Account, core.RoleOwner)
	ok(t, p.Accounts.Suspend(ctx, second, "lin", ""))
	refused(t, p.Accounts.Suspend(ctx, second, "mara", ""), core.CodeLastOwner, "")
	refused(t, p.Accounts.Suspend(ctx, second, "lin", ""), core.CodeState, "")
	ok(t, p.Accounts.Resume(ctx, second, "lin"))
	refused(t, p.Accounts.Resume(ctx, second, "lin"), core.CodeState, "")
}

// Two owners who suspend each other at the same moment leave one.
func TestTwoOwnersSuspendEachOther(t *testing.T) {
	t.Parallel()
	p := coretest.Open(t)
	p.SignUp("mara")
	grant(t, p, must(p.Accounts.Show(ctx, coretest.Console(), "mara"))(t).ID, core.RoleOwner)
	rounds := 1000
	if testing.Short() {
		rounds = 100
	}
	p.Set("session.idle_minutes", "0")
	lin, mara := p.SignIn("lin"), p.SignIn("mara")
	for range rounds {
		var won atomic.Int32
		var loser string
		var mu sync.Mutex
		parallel(2, func(i int) {
			actor, target := lin, "mara"
			if i == 1 {
				actor, target = mara, "lin"
			}
			if p.Accounts.Suspend(ctx, actor, target, "") == nil {
				won.Add(1)
				mu.Lock()
				loser = target
				mu.Unlock()
			}
		})
		if won.Load() != 1 {
			t.Fatalf("%d suspensions were done", won.Load())
		}
		ok(t, p.Accounts.Resume(ctx, coretest.Console(), loser))
		if loser == "lin" {
			lin = p.SignIn("lin")
		} else {
			mara = p.SignIn("mara")
		}
	}
}

func TestSuspending(t *testing.T) {
	p := coretest.Open(t)
	me := p.SignUp("mara")
	for _, why := range []string{strings.Repeat("x", core.MaxReason+1), "a\x1bb", "a\xffb"} {
		err := p.Accounts.Suspend(ctx, p.Owner, "mara", why)
		var e *core.Error
		if !errors.As(err, &e) || e.Field != "reason" {
			t.Errorf("a reason of that kind: %v", err)
		}
	}
	refused(t, p.Accounts.Suspend(ctx, p.Owner, "nobody", ""), core.CodeNotFound, "user")
	refused(t, p.Accounts.Suspend(ctx, p.Owner, strings.Repeat("x", 1<<16), ""), core.CodeNotFound, "user")
	refused(t, p.Accounts.Approve(ctx, p.Owner, "mara"), core.CodeState, "")
	ok(t, p.Accounts.Suspend(ctx, p.Owner, "MARA@example.org", "left the club"))
	refused(t, p.Accounts.SetPreferences(ctx, me, core.Preferences{}), core.CodeSessionEnded, "")
	d := must(p.Accounts.Show(ctx, p.Owner, me.Account))(t)
	if d.State != core.StateSuspended || d.Why != "left the club" || d.Sessions != 0 {
		t.Errorf("shows %+v", d)
	}
}

func TestListingAccounts(t *testing.T) {
	p := coretest.Open(t)
	for i := range 12 {
		p.SignUp(fmt.Sprintf("crew%02d", i))
	}
	for i := range 3 {
		ok(t, p.Accounts.Suspend(ctx, p.Owner, fmt.Sprintf("crew%02d", i), ""))
	}
	all := func(q core.AccountQuery) (names []string) {
		for {
			page := must(p.Accounts.List(ctx, p.Owner, q))(t)
			for _, a := range page.Accounts {
				names = append(names, a.UserName)
			}
			if q.After = page.Next; q.After == "" {
				return names
			}
		}
	}
	for _, c := range []struct {
		q    core.AccountQuery
		want int
	}{
		{core.AccountQuery{N: 5}, 13}, {core.AccountQuery{N: 5, Prefix: "CREW"}, 12}, {core.AccountQuery{N: 5, Prefix: "crew0"}, 10},
		{core.AccountQuery{N: 5, State: core.StateActive}, 10}, {core.AccountQuery{N: 2, State: core.StateSuspended}, 3},
		{core.AccountQuery{N: 2, State: core.StateSuspended, Prefix: "crew01"}, 1}, {core.AccountQuery{N: 2, Prefix: "zz"}, 0},
		{core.AccountQuery{N: 2, State: core.StatePending}, 0},
	} {
		if got := all(c.q); len(got) != c.want {
			t.Errorf("%+v lists %v, want %d", c.q, got, c.want)
		}
	}
	_, err := p.Accounts.List(ctx, p.Owner, core.AccountQuery{State: "asleep"})
	refused(t, err, core.CodeFormat, "state")
	_, err = p.Accounts.List(ctx, p.Owner, core.AccountQuery{After: "!!"})
	refused(t, err, core.CodeFormat, "after")
}

func TestPreferencesAreChecked(t *testing.T) {
	p := coretest.Open(t)
	for field, list := range map[string][]core.Preferences{
		"language":  {{Language: "en\x1b"}, {Language: strings.Repeat("x", 36)}, {Language: "e\xffn"}, {Language: "pt_BR"}},
		"theme":     {{Theme: "pink"}, {Theme: "dark\x00"}},
		"time_zone": {{TimeZone: "../../etc/passwd"}, {TimeZone: "Local"}, {TimeZone: "Mars/Olympus"}, {TimeZone: strings.Repeat("x", 1<<16)}},
	} {
		for _, pref := range list {
			before := substance(p.Dump())
			refused(t, p.Accounts.SetPreferences(ctx, p.Owner, pref), core.CodeFormat, field)
			same(t, before, substance(p.Dump()))
		}
	}
	ok(t, p.Accounts.SetPreferences(ctx, p.Owner, core.Preferences{Language: "pt-BR", Theme: "contrast", TimeZone: "UTC"}))
}

func withKey(a core.Actor, key string) core.Actor {
	a.Key, a.KeyLine = key, "ssh-ed25519 AAAA"+key
	return a
}

func TestKeys(t *testing.T) {
	p := coretest.Open(t)
	p.Set("factors.key_stands", "nothing") // keys for verbs; factor_test.go has the rest
	me := withKey(p.SignUp("mara"), "SHA256:mara")
	visitor := withKey(coretest.From("192.0.2.1"), "SHA256:mara")
	_, err := p.Keys.Recognise(ctx, visitor)
	refused(t, err, core.CodeDenied, "")
	_, err = p.Keys.Recognise(ctx, coretest.From("192.0.2.1"))
	refused(t, err, core.CodeDenied, "")
	refused(t, p.Keys.Link(ctx, p.Owner, ""), core.CodeNoKey, "")
	ok(t, p.Keys.Link(ctx, me, ""))
	refused(t, p.Keys.Link(ctx, withKey(p.Owner, "SHA256:mara"), ""), core.CodeKeyInUse, "")

	p.Clock.Advance(time.Minute)
	verb := must(p.Keys.Recognise(ctx, visitor))(t)
	if verb.Account != me.Account || verb.Session != "" || verb.Console {
		t.Fatalf("recognised as %+v", verb)
	}
	must(p.Accounts.Profile(ctx, verb))(t)
	if k := must(p.Keys.Mine(ctx, me))(t); len(k) != 1 || !k[0].LastUsed.Equal(p.Clock.Now()) {
		t.Errorf("keys %+v", k)
	}
	// A key alone is no step-up, and nobody acts for an account without its key.
	_, err = p.Accounts.UpdateProfile(ctx, verb, core.ProfileInput{Email: "x@example.org"})
	refused(t, err, core.CodeStepUp, "")
	_, err = p.Accounts.Profile(ctx, core.Actor{Account: me.Account})
	refused(t, err, core.CodeSessionEnded, "")
	_, err = p.Accounts.Profile(ctx, withKey(core.Actor{Account: p.Owner.Account}, "SHA256:mara"))
	refused(t, err, core.CodeSessionEnded, "")

	ok(t, p.Accounts.Suspend(ctx, p.Owner, "mara", ""))
	_, err = p.Keys.Recognise(ctx, visitor)
	refused(t, err, core.CodeDenied, "")
	_, err = p.Accounts.Profile(ctx, verb) // it was recognised before
	refused(t, err, core.CodeSessionEnded, "")
	ok(t, p.Accounts.Resume(ctx, p.Owner, "mara"))

	me = withKey(p.SignIn("mara"), "SHA256:mara")
	refused(t, p.Keys.Remove(ctx, p.Owner, "SHA256:mara", false), core.CodeNotFound, "key")
	refused(t, p.Keys.Remove(ctx, me, "SHA256:other", false), core.CodeNotFound, "key")
	p.Clock.Advance(core.StepUpFor + 1)
	refused(t, p.Keys.Remove(ctx, me, "SHA256:mara", false), core.CodeStepUp, "")
	must(p.Portal.SignIn.StepUp(ctx, me, coretest.Password))(t)
	refused(t, p.Keys.Remove(ctx, me, "SHA256:mara", false), core.CodeKeyPresent, "key")
	ok(t, p.Keys.Remove(ctx, me, "SHA256:mara", true))
	_, err = p.Accounts.Profile(ctx, verb)
	refused(t, err, core.CodeSessionEnded, "")
	for i := range core.MaxKeys {
		ok(t, p.Keys.Link(ctx, withKey(me, fmt.Sprint("SHA256:", i)), ""))
	}
	refused(t, p.Keys.Link(ctx, withKey(me, "SHA256:more"), ""), core.CodeRange, "key")
}

// ASVS 13.1.1 aside: the portal is set up once, by whoever is at the machine or
// holds the code that serve printed.
func TestSetUp(t *testing.T) {
	input := func() core.SetUpInput { return core.SetUpInput{Portal: "Lanterns", Owner: coretest.Input("lin")} }
	t.Run("a code over SSH", func(t *testing.T) {
		p := coretest.New(t)
		in, far := input(), coretest.From("192.0.2.1")
		_, err := p.Site.SetUp(ctx, far, in)
		refused(t, err, core.CodeSetupCode, "setup_code")
		_, err = p.Site.SetUp(ctx, core.Actor{}, in)
		refused(t, err, core.CodeSetupCode, "setup_code")
		old := must(p.Site.SetupCode())(t)
		code := must(p.Site.SetupCode())(t)
		in.Code = old
		_, err = p.Site.SetUp(ctx, far, in)
		refused(t, err, core.CodeSetupCode, "setup_code")
		in.Code, in.Owner.Password = strings.ToLower(code), "short"
		_, err = p.Site.SetUp(ctx, far, in)
		refused(t, err, core.CodePassword, "password")
		in.Owner.Password = coretest.Password
		out := must(p.Site.SetUp(ctx, far, in))(t)
		_, err = p.Site.SetUp(ctx, far, in)
		refused(t, err, core.CodeSetUp, "")
		roles := must(p.Accounts.Profile(ctx, far.With(out)))(t).Roles
		if len(roles) != 1 || roles[0] != core.RoleOwner {
			t.Errorf("the first account is %v", roles)
		}
	})
	t.Run("guessing waits", func(t *testing.T) {
		p := coretest.New(t)
		must(p.Site.SetupCode())(t)
		in := input()
		in.Code = "AAAA-BBBB-CCCC-DDDD"
		var err error
		for range 25 {
			_, err = p.Site.SetUp(ctx, coretest.From("192.0.2.1"), in)
		}
		refused(t, err, core.CodeWait, "")
		p.SetUp("lin")
	})
	t.Run("two at once", func(t *testing.T) {
		for range 20 {
			p := coretest.New(t)
			var won atomic.Int32
			parallel(8, func(i int) {
				in := input()
				in.Owner = coretest.Input(fmt.Sprintf("owner%d", i))
				if _, err := p.Site.SetUp(ctx, coretest.Local(), in); err == nil {
					won.Add(1)
				} else if core.CodeOf(err) != core.CodeSetUp {
					t.Errorf("refused as %v", err)
				}
			})
			page := must(p.Accounts.List(ctx, coretest.Console(), core.AccountQuery{N: 10}))(t)
			if won.Load() != 1 || len(page.Accounts) != 1 {
				t.Fatalf("%d portals, %d accounts", won.Load(), len(page.Accounts))
			}
		}
	})
	t.Run("bad input", func(t *testing.T) {
		for field, change := range map[string]func(*core.SetUpInput){
			"portal":    func(in *core.SetUpInput) { in.Portal = " " },
			"preset":    func(in *core.SetUpInput) { in.Preset = "wild" },
			"user_name": func(in *core.SetUpInput) { in.Owner.UserName = "admin" },
			"email":     func(in *core.SetUpInput) { in.Owner.Email = "nowhere" },
			"password":  func(in *core.SetUpInput) { in.Owner.Password = "lanterns-lanterns" },
			"field.x":   func(in *core.SetUpInput) { in.Owner.Fields = map[string]string{"x": "y"} },
		} {
			p := coretest.New(t)
			in := input()
			change(&in)
			before := substance(p.Dump())
			_, err := p.Site.SetUp(ctx, coretest.Local(), in)
			var e *core.Error
			if !errors.As(err, &e) || e.Field != field {
				t.Errorf("%s: %v", field, err)
			}
			same(t, before, substance(p.Dump()))
		}
	})
}

func TestPolicyIsCheckedAsAWhole(t *testing.T) {
	p := coretest.Open(t)
	for _, c := range []struct {
		values map[string]string
		code   core.Code
		field  string
	}{
		{map[string]string{"password.min_length": "7"}, core.CodeRange, "password.min_length"},
		{map[string]string{"password.min_length": "65"}, core.CodeRange, "password.min_length"},
		{map[string]string{"password.min_length": "12x"}, core.CodeFormat, "password.min_length"},
		{map[string]string{"password.special": "maybe"}, core.CodeFormat, "password.special"},
		{map[string]string{"sign_up.mode": "ajar"}, core.CodeFormat, "sign_up.mode"},
		{map[string]string{"session.lifetime": "0 hours"}, core.CodeRange, "session.lifetime"},
		{map[string]string{"session.lifetime": "13 months"}, core.CodeRange, "session.lifetime"},
		{map[string]string{"session.lifetime": "for ever"}, core.CodeFormat, "session.lifetime"},
		{map[string]string{"lockout.wait_seconds": "3600", "lockout.max_wait_minutes": "1"}, core.CodeRange, "lockout.max_wait_minutes"},
		{map[string]string{"password.rotate_days": "45", "password.history_days": "30"}, core.CodeRange, "password.history_days"},
		{map[string]string{"sign_up.fields": "a:hidden:required:A"}, core.CodeFormat, "sign_up.fields"},
		{map[string]string{"sign_up.fields": "a:text::A;a:text::B"}, core.CodeFormat, "sign_up.fields"},
		{map[string]string{"no.such": "1"}, core.CodeNotFound, "no.such"},
		{map[string]string{"\x1b[2J": "1"}, core.CodeNotFound, "policy"},
		{map[string]string{"password.special": "on", "password.min_length": "999"}, core.CodeRange, "password.min_length"},
	} {
		before := substance(p.Dump())
		_, err := p.Policy.Set(ctx, p.Owner, core.PolicyChange{Values: c.values})
		refused(t, err, c.code, c.field)
		same(t, before, substance(p.Dump()))
	}
	now := must(p.Policy.Current(ctx, p.Owner))(t)
	next := must(p.Policy.Set(ctx, p.Owner, core.PolicyChange{Values: map[string]string{"password.min_length": "14"}, Version: now.Version, Reason: "longer"}))(t)
	if next.Version != now.Version+1 || next.By != p.Owner.Account || next.Reason != "longer" || next.Password.MinLength != 14 {
		t.Errorf("in force is %+v", next)
	}
	_, err := p.Policy.Set(ctx, p.Owner, core.PolicyChange{Values: map[string]string{"password.min_length": "15"}, Version: now.Version})
	refused(t, err, core.CodeConflict, "") // made from an older one
	for _, preset := range core.Presets() {
		ok(t, preset.Policy.Validate())
	}
}

// What is demanded may change while a password is hashed: then nothing is made.
func TestThePolicyChangesMeanwhile(t *testing.T) {
	one := slowHasher(t)
	p := coretest.Open(t, coretest.WithHasher(one))
	me := p.SignUp("mara")
	hold, release := context.WithCancel(ctx)
	held := make(chan struct{})
	go func() {
		defer close(held)
		for hold.Err() == nil {
			_, _ = one.Hash(hold, strong)
		}
	}()
	results := make(chan error, 1)
	eventually(t, "the slot is taken", func() bool { return one.Waiting() == 0 })
	go func() {
		_, err := p.Accounts.SignUp(ctx, coretest.Local(), coretest.Input("noor"))
		results <- err
	}()
	time.Sleep(20 * time.Millisecond)
	p.Set("password.min_length", "60")
	release()
	<-held
	// Whether it had looked at the policy before or after, it never gets in.
	if err := <-results; core.CodeOf(err) != core.CodeConflict && core.CodeOf(err) != core.CodePassword {
		t.Errorf("a sign-up under the old policy: %v", err)
	}
	must(p.Accounts.Profile(ctx, me))(t)
}
