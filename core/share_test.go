// Sharing apps, and the rules that come along.

package core_test

import (
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

func TestSharingAnApp(t *testing.T) {
	p, mara, noor, _ := withArchive(t)
	until := p.Clock.Now().Add(20 * day)
	s := share(t, p, mara, "noor", "editor", until)
	if s.UserName != "noor" || s.ByName != "mara" || s.State != core.ShareEnding || len(s.Permissions) != 2 || !s.Until.Equal(until) {
		t.Errorf("shared %+v", s)
	}
	wasTold(t, p, noor, core.NoticeAccessGiven)
	if e := p.Trail()[0]; e.Action != core.ActShare || e.About != noor.Account || e.Target != "Archive" ||
		e.After["role"] != "editor" || e.After["until"] != until.Format(time.RFC3339) {
		t.Errorf("the trail says %+v", e)
	}
	if c := must(p.Accounts.CheckUp(ctx, noor))(t); c.Apps != 1 {
		t.Errorf("the check-up counts %d", c.Apps)
	}
	now := p.Clock.Now()
	for _, c := range []struct {
		in    core.ShareInput
		code  core.Code
		field string
		rule  string
	}{
		{core.ShareInput{User: "noor", Role: "editor"}, core.CodeHasRole, "role", ""},
		{core.ShareInput{User: "noor", Role: "admin"}, core.CodeNotFound, "role", ""},
		{core.ShareInput{User: "noor", Role: core.RoleAppOwner}, core.CodeNotFound, "role", ""},
		{core.ShareInput{User: "nobody", Role: "reader"}, core.CodeNotFound, "user", ""},
		{core.ShareInput{User: "", Role: "reader"}, core.CodeRequired, "user", ""},
		{core.ShareInput{User: "noor@example.org", Role: "reader"}, core.CodeNotFound, "user", ""}, // mara may not ask whose it is
		{core.ShareInput{User: "noor", Role: "reader", From: now.Add(2 * day), Until: now.Add(day)}, core.CodeRange, "until", "> from"},
		{core.ShareInput{User: "noor", Role: "reader", From: now.Add(day), Until: now.Add(day)}, core.CodeRange, "until", "> from"},
		{core.ShareInput{User: "noor", Role: "reader", Until: now}, core.CodeEndPast, "until", ""},
		{core.ShareInput{User: "noor", Role: "reader", Until: now.Add(4000 * day)}, core.CodeEndFar, "until", ""},
		{core.ShareInput{User: "noor", Role: "reader", From: now.Add(4000 * day)}, core.CodeEndFar, "from", ""},
	} {
		_, err := p.Apps.Share(ctx, mara, "archive", c.in)
		refused(t, err, c.code, c.field)
		if e := details(t, err); e.Rule != c.rule {
			t.Errorf("%+v: the rule is %q", c.in, e.Rule)
		}
	}
	must(p.Apps.Share(ctx, p.Owner, "archive", core.ShareInput{User: "noor@example.org", Role: "reader"}))(t) // a second role
	ok(t, p.Accounts.Suspend(ctx, p.Owner, "noor", ""))
	_, err := p.Apps.Share(ctx, p.Owner, "archive", core.ShareInput{User: "noor", Role: "reader"})
	refused(t, err, core.CodeNotActive, "user")
	clean(t, p)
}

func TestSharesBeginAndEndByThemselves(t *testing.T) {
	p, mara, noor, a := withArchive(t)
	long(p)
	begins, ends := p.Clock.Now().Add(2*day), p.Clock.Now().Add(40*day)
	s := must(p.Apps.Share(ctx, mara, a.ID, core.ShareInput{User: "noor", Role: "reader", From: begins, Until: ends}))(t)
	states := func(want string, at ...core.ShareState) {
		t.Helper()
		list := must(p.Apps.Shares(ctx, p.Owner, a.ID, "", "", 10))(t).Shares
		if got := string(list[len(list)-1].State); got != want && want != "" || want == "" && len(list) != 1 {
			t.Errorf("it is %q, want %q: %+v", got, want, list)
		}
		for _, state := range []core.ShareState{core.SharePending, core.ShareActive, core.ShareEnding} {
			found := 0
			for _, s := range must(p.Apps.Shares(ctx, p.Owner, a.ID, state, "", 10))(t).Shares {
				if s.Role == "reader" {
					found++
				}
			}
			if (string(state) == want) != (found == 1) {
				t.Errorf("among the %s ones are %d", state, found)
			}
		}
	}
	states("pending")
	p.Clock.Set(begins)
	states("active")
	p.Clock.Set(ends.Add(-core.ShareEndsSoon))
	states("ending")
	p.Clock.Set(ends)
	states("")
	if list := must(p.Apps.Mine(ctx, noor))(t); len(list) != 0 {
		t.Errorf("noor still has %+v", list)
	}
	refused(t, p.Apps.Revoke(ctx, coretest.Console(), s.ID), core.CodeNotFound, "share")
	// The sweep writes it down, once.
	for range 2 {
		must(p.Sweep(ctx, p.Clock.Now()))(t)
	}
	wasTold(t, p, noor, core.NoticeAccessEnded)
	lapsed := 0
	for _, e := range p.Trail() {
		if e.Action == core.ActGrantLapsed && e.Target == "Archive" && e.About == noor.Account {
			lapsed++
		}
	}
	if lapsed != 1 {
		t.Errorf("%d entries", lapsed)
	}
	must(p.Apps.Share(ctx, coretest.Console(), a.ID, core.ShareInput{User: "noor", Role: "reader"}))(t) // it may begin anew
	clean(t, p)
}

func TestEndingAShare(t *testing.T) {
	p, mara, noor, a := withArchive(t)
	s := share(t, p, mara, "noor", "reader", time.Time{})
	until := p.Clock.Now().Add(day)
	if got := must(p.Apps.SetEnd(ctx, mara, s.ID, until))(t); !got.Until.Equal(until) || got.State != core.ShareEnding {
		t.Errorf("set to %+v", got)
	}
	if e := p.Trail()[0]; e.Action != core.ActShareChange || e.Before["until"] != "" || e.After["until"] == "" {
		t.Errorf("the trail says %+v", e)
	}
	_, err := p.Apps.SetEnd(ctx, mara, s.ID, until)
	refused(t, err, core.CodeSameEnd, "until")
	_, err = p.Apps.SetEnd(ctx, mara, s.ID, p.Clock.Now())
	refused(t, err, core.CodeEndPast, "until")
	refused(t, p.Apps.Revoke(ctx, noor, s.ID), core.CodeDenied, "")
	ok(t, p.Apps.Revoke(ctx, mara, s.ID))
	if e := p.Trail()[0]; e.Action != core.ActShareEnd || e.Before["role"] != "reader" || e.About != noor.Account {
		t.Errorf("the trail says %+v", e)
	}
	wasTold(t, p, noor, core.NoticeAccessEnded)
	refused(t, p.Apps.Revoke(ctx, p.Owner, s.ID), core.CodeNotFound, "share")
	refused(t, p.Apps.Revoke(ctx, noor, "nothing"), core.CodeDenied, "")
	// An app always has its owner, and a role on the portal is no share.
	owners := must(p.Apps.Shares(ctx, p.Owner, a.ID, "", "", 10))(t).Shares[0]
	refused(t, p.Apps.Revoke(ctx, mara, owners.ID), core.CodeReserved, "role")
	portal := must(p.Access.Mine(ctx, p.Owner))(t)[0]
	refused(t, p.Apps.Revoke(ctx, p.Owner, portal.ID), core.CodeNotFound, "share")
}

// The rules of an app that is shared are its people's, and say where they come from.
func TestAnAppsRulesComeAlong(t *testing.T) {
	p, mara, noor, a := withArchive(t, "password.min_length", "20", "password.rotate_days", "30", "session.lifetime", "2 hours")
	rule := func(who core.Actor, path string) core.RuleSource {
		t.Helper()
		for _, r := range must(p.Accounts.Rules(ctx, who))(t) {
			if r.Path == path {
				return r
			}
		}
		t.Fatalf("there is no rule %s", path)
		return core.RuleSource{}
	}
	if r := rule(noor, "password.min_length"); r.Value != "12" || r.From != "" {
		t.Errorf("before it is shared: %+v", r)
	}
	if r := rule(mara, "password.min_length"); r.Value != "20" || r.From != "Archive" { // its owner is one of its people
		t.Errorf("its owner: %+v", r)
	}
	s := share(t, p, mara, "noor", "reader", time.Time{})
	if r := rule(noor, "password.rotate_days"); r.Value != "30" || r.From != "Archive" {
		t.Errorf("when it is shared: %+v", r)
	}
	if r := rule(noor, "session.idle_minutes"); r.Value != "30" || r.From != "" {
		t.Errorf("where it says nothing: %+v", r)
	}
	if g := must(p.Accounts.MyGuide(ctx, noor))(t); g.Rules.MinLength != 20 {
		t.Errorf("the guide says %+v", g.Rules)
	}
	_, err := p.Accounts.ChangePassword(ctx, noor, coretest.Password, "Walnut-Quilt-7x", false)
	forbidden(t, err, "password", "min_length", 20)
	must(p.Accounts.ChangePassword(ctx, noor, coretest.Password, strong, false))(t)
	if list := must(p.Sessions.Mine(ctx, noor))(t); !list[0].Ends.Equal(list[0].LastSeen.Add(30 * time.Minute)) {
		t.Errorf("the session is %+v", list[0])
	}
	p.Set("session.idle_minutes", "0")
	if list := must(p.Sessions.Mine(ctx, noor))(t); !list[0].Ends.Equal(list[0].Created.Add(2 * time.Hour)) {
		t.Errorf("the session is %+v", list[0])
	}
	// The portal becomes stricter: then it is the portal's rule again.
	p.Set("password.min_length", "22", "session.lifetime", "1 hour")
	if r := rule(noor, "password.min_length"); r.Value != "22" || r.From != "" {
		t.Errorf("a stricter portal: %+v", r)
	}
	ok(t, p.Apps.Revoke(ctx, mara, s.ID))
	if r := rule(noor, "password.rotate_days"); r.Value != "0" || r.From != "" {
		t.Errorf("after it has ended: %+v", r)
	}
	if of := must(p.Accounts.RulesOf(ctx, p.Owner, "mara"))(t); of[2].Value != "30" || of[2].From != a.Name {
		t.Errorf("of mara: %+v", of)
	}
	_, err = p.Accounts.RulesOf(ctx, noor, "mara")
	refused(t, err, core.CodeDenied, "")
}

// A password that an app's rule makes too old is asked for anew, by that rule.
func TestAnAppsRotationForcesAChange(t *testing.T) {
	p, mara, _, _ := withArchive(t, "password.min_length", "20", "password.rotate_days", "30")
	share(t, p, mara, "noor", "reader", time.Time{})
	p.Clock.Advance(30 * day)
	progress := begin(t, p, here, "noor", core.StepChangePassword)
	if progress.Why != "rotation" {
		t.Errorf("asked because of %q", progress.Why)
	}
	if g := must(p.Portal.SignIn.Guide(ctx, here, progress.Ticket))(t); g.Rules.MinLength != 20 {
		t.Errorf("the guide says %+v", g.Rules)
	}
	_, err := p.Portal.SignIn.ChangePassword(ctx, here, progress.Ticket, "Walnut-Quilt-7x")
	forbidden(t, err, "password", "min_length", 20)
	stands(t, must(p.Portal.SignIn.ChangePassword(ctx, here, progress.Ticket, strong))(t), core.StepDone)
	_, err = p.Portal.SignIn.Guide(ctx, here, progress.Ticket)
	refused(t, err, core.CodeTicket, "")
	if _, err := p.TrySignIn(here, "lin", coretest.Password); err != nil {
		t.Errorf("somebody else: %v", err)
	}
}

// An open screen obeys an app's rules as they come and go. ASVS 7.3.2, 7.4.1
func TestAnAppsRulesReachOpenScreens(t *testing.T) {
	p, mara, noor, a := withArchive(t, "session.lifetime", "1 hour")
	p.Set("session.idle_minutes", "0")
	live := must(p.Sessions.Attach(ctx, noor))(t)
	defer live.Close()
	begins := p.Clock.Now().Add(2 * time.Hour)
	must(p.Apps.Share(ctx, mara, a.ID, core.ShareInput{User: "noor", Role: "reader", From: begins}))(t)
	eventually(t, "the screen waits for it", func() bool { return p.Clock.Timers() > 0 })
	p.Clock.Advance(90 * time.Minute)
	lives(t, live) // it does not begin before it begins
	p.Clock.Set(begins)
	eventually(t, "the session ends", func() bool {
		p.Clock.Advance(time.Second) // a timer that was just set may lie a moment ahead
		select {
		case why := <-live.Ended():
			return why == core.EndExpired
		case <-time.After(20 * time.Millisecond):
			return false
		}
	})
	other := p.SignIn("noor")
	live = must(p.Sessions.Attach(ctx, other))(t)
	defer live.Close()
	p.Clock.Advance(30 * time.Minute)
	_, err := p.Apps.Update(ctx, coretest.Console(), a.ID, core.AppChange{Policy: map[string]string{"session.lifetime": "", "session.idle_minutes": "20"}})
	ok(t, err)
	ends(t, live, core.EndIdle)
}

// An app demands a factor of its people, and of nobody else.
func TestAnAppDemandsAFactor(t *testing.T) {
	p, mara, noor, a := withArchive(t)
	long(p)
	set := func(v string) {
		must(p.Apps.Update(ctx, coretest.Console(), a.ID, core.AppChange{Policy: map[string]string{"factors.enforce": v}}))(t)
	}
	must(p.Apps.Share(ctx, coretest.Console(), a.ID, core.ShareInput{User: "noor", Role: "reader"}))(t)
	if _, must := demanded(t, p, noor); must {
		t.Error("it is demanded before it is")
	}
	p.Clock.Advance(10 * day)
	set("everybody")
	if by, must := demanded(t, p, noor); !must || !by.Equal(p.Clock.Now().Add(7*day)) {
		t.Errorf("demanded by %v, %v", by, must)
	}
	p.Clock.Advance(3 * day)
	young := p.SignUp("young")
	must(p.Apps.Share(ctx, coretest.Console(), a.ID, core.ShareInput{User: "young", Role: "reader"}))(t)
	if by, must := demanded(t, p, young); !must || !by.Equal(p.Clock.Now().Add(7*day)) {
		t.Errorf("shared later: demanded by %v, %v", by, must)
	}
	if _, must := demanded(t, p, p.Owner); must {
		t.Error("it is demanded of somebody whom it is not shared with")
	}
	p.Clock.Advance(10 * day)
	if progress := begin(t, p, here, "noor", core.StepEnrol); progress.Why != "due" {
		t.Errorf("asked because of %q", progress.Why)
	}
	p.Set("factors.app", "off", "factors.key", "off") // nobody can have one: nobody is locked out
	if _, must := demanded(t, p, noor); must {
		t.Error("what nobody can have is demanded")
	}
	_ = mara
}

// appFlows are the acts on apps, for the tests in which the store fails at any call
// and in which an act runs twice.
func appFlows() []flow {
	of := func(t *testing.T, p *coretest.Place) (core.App, core.Actor) {
		me := p.SignIn("mara")
		return archive(t, p, "password.min_length", "14"), me
	}
	return []flow{
		{name: "make an app", prepare: func(_ *testing.T, p *coretest.Place) func() error {
			return func() error {
				return only(p.Apps.Create(ctx, p.Owner, core.AppInput{Name: "Archive", Owner: "mara", Policy: map[string]string{"password.min_length": "14"}}))
			}
		}},
		{name: "change an app", prepare: func(t *testing.T, p *coretest.Place) func() error {
			a, me := of(t, p)
			return func() error {
				return only(p.Apps.Update(ctx, me, a.ID, core.AppChange{Roles: core.ParseRoles("reader")}))
			}
		}},
		{name: "hand an app over", prepare: func(t *testing.T, p *coretest.Place) func() error {
			a, me := of(t, p)
			return func() error { return p.Apps.Transfer(ctx, me, a.ID, "lin") }
		}},
		{name: "share an app", prepare: func(t *testing.T, p *coretest.Place) func() error {
			a, me := of(t, p)
			return func() error {
				return only(p.Apps.Share(ctx, me, a.ID, core.ShareInput{User: "lin", Role: "reader", From: p.Clock.Now().Add(time.Hour)}))
			}
		}},
		{name: "end a share", prepare: func(t *testing.T, p *coretest.Place) func() error {
			_, me := of(t, p)
			s := share(t, p, me, "lin", "reader", time.Time{})
			return func() error { return p.Apps.Revoke(ctx, me, s.ID) }
		}},
		{name: "set the end of a share", prepare: func(t *testing.T, p *coretest.Place) func() error {
			_, me := of(t, p)
			s := share(t, p, me, "lin", "reader", time.Time{})
			return func() error { return only(p.Apps.SetEnd(ctx, me, s.ID, p.Clock.Now().Add(time.Hour))) }
		}},
		{name: "retire an app", prepare: func(t *testing.T, p *coretest.Place) func() error {
			a, me := of(t, p)
			share(t, p, me, "lin", "reader", time.Time{})
			return func() error { return only(p.Apps.Retire(ctx, me, a.ID)) }
		}},
		{name: "change a password under an app", prepare: func(t *testing.T, p *coretest.Place) func() error {
			_, me := of(t, p)
			return func() error { return only(p.Accounts.ChangePassword(ctx, me, coretest.Password, strong, true)) }
		}},
		{name: "share an app, not allowed", denied: true, prepare: func(t *testing.T, p *coretest.Place) func() error {
			a := must(p.Apps.Create(ctx, p.Owner, core.AppInput{Name: "Archive"}))(t)
			me := p.SignIn("mara")
			return func() error { return only(p.Apps.Share(ctx, me, a.ID, core.ShareInput{User: "mara", Role: "member"})) }
		}},
		{name: "a session that an app ends", denied: true, prepare: func(t *testing.T, p *coretest.Place) func() error {
			archive(t, p, "session.lifetime", "1 hour")
			p.Set("session.idle_minutes", "0")
			me := p.SignIn("mara")
			p.Clock.Advance(time.Hour)
			return func() error { return only(p.Accounts.Profile(ctx, me)) }
		}},
	}
}

// What a change of the policy would come to is counted with the apps: it asks
// nothing of somebody whose app has asked already.
func TestAnImpactCountsWithApps(t *testing.T) {
	p, mara, _, _ := withArchive(t, "password.rotate_days", "30", "session.lifetime", "1 hour")
	p.Set("session.idle_minutes", "0")
	share(t, p, mara, "noor", "reader", time.Time{})
	p.Clock.Advance(40 * day)
	got := must(p.Policy.Impact(ctx, coretest.Console(), map[string]string{"password.rotate_days": "35"}, nil))(t)
	if got.Password.Count != 1 || got.Password.Names[0] != "lin" {
		t.Errorf("it touches %+v", got.Password)
	}
}
