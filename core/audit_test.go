package core_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
	"postern/store/memory"
)

// Every act writes exactly one entry, done or refused, with who did it, by which
// session and door, from where, and about whom. ASVS 16.2.1, 16.3.1, 16.3.2
func TestEveryActIsInTheTrail(t *testing.T) {
	var log bytes.Buffer
	p := coretest.New(t, coretest.WithLog(slog.New(slog.NewTextHandler(&log, nil))))
	here := coretest.From("192.0.2.1")
	seen := 0
	// step expects one new entry and returns it.
	step := func(what string, action core.Action, code core.Code, err error) core.Entry {
		t.Helper()
		if core.CodeOf(err) != code {
			t.Fatalf("%s: got %v, want %q", what, err, code)
		}
		all := p.Trail()
		if len(all) != seen+1 {
			t.Fatalf("%s: %d new entries, want 1: %+v", what, len(all)-seen, all[:len(all)-seen])
		}
		seen++
		e := all[0]
		outcome := core.OutcomeDone
		if err != nil {
			outcome = core.OutcomeRefused
			if len(e.Before)+len(e.After) > 0 {
				t.Errorf("%s: refused, and yet %v became %v", what, e.Before, e.After)
			}
		}
		if e.Action != action || e.Outcome != outcome || e.Code != code || !e.At.Equal(p.Clock.Now()) {
			t.Errorf("%s: the entry is %+v", what, e)
		}
		return e
	}
	by := func(e core.Entry, a core.Actor, name string) {
		t.Helper()
		if e.Actor != a.Account || e.Name != name || e.Session != a.Session || e.Door != a.Door || e.Remote != a.Remote || e.Client != a.Client {
			t.Errorf("%s was done by %+v, the trail says %+v", e.Action, a, e)
		}
	}

	code := must(p.Site.SetupCode())(t)
	out, err := p.Site.SetUp(ctx, here, core.SetUpInput{Portal: "Lanterns", Code: code, Owner: coretest.Input("lin")})
	owner := here.With(out)
	if e := step("set up", core.ActSetUp, "", err); e.After["owner"] != "lin" {
		t.Errorf("set up: %+v", e)
	} else {
		by(e, owner, "lin")
	}
	_, err = p.Site.SetUp(ctx, here, core.SetUpInput{Portal: "Lanterns", Code: code, Owner: coretest.Input("lin")})
	by(step("set up again", core.ActSetUp, core.CodeSetUp, err), here, "")

	_, err = p.Policy.Set(ctx, owner, core.PolicyChange{Values: map[string]string{
		"sign_up.mode": "open", "captcha.sign_in": "off", "captcha.sign_up": "off"}, Reason: "come in"})
	if e := step("open", core.ActPolicy, "", err); e.Before["sign_up.mode"] != "invite" || e.After["sign_up.mode"] != "open" || e.Reason != "come in" || len(e.After) != 3 {
		t.Errorf("policy: %+v", e)
	} else {
		by(e, owner, "lin")
	}
	_, err = p.Policy.Set(ctx, owner, core.PolicyChange{Values: map[string]string{"sign_up.mode": "ajar"}})
	by(step("open wrongly", core.ActPolicy, core.CodeFormat, err), owner, "lin")

	up, err := p.Accounts.SignUp(ctx, here, coretest.Input("mara"))
	me := here.With(up.SignedIn)
	if e := step("sign up", core.ActSignUp, "", err); e.About != me.Account || e.After["user_name"] != "mara" {
		t.Errorf("sign-up: %+v", e)
	} else {
		by(e, me, "mara")
	}
	_, err = p.Accounts.SignUp(ctx, here, coretest.Input("mara"))
	if e := step("sign up twice", core.ActSignUp, core.CodeTaken, err); e.About != "" {
		t.Errorf("about %q", e.About)
	} else {
		by(e, here, "")
	}
	_, err = p.Captchas.Solve(ctx, here, "none", "ACDEF")
	by(step("a captcha that there is not", core.ActCaptcha, core.CodeCaptcha, err), here, "")
	in, err := p.TrySignIn(here, "mara", coretest.Password)
	by(step("sign in", core.ActSignIn, "", err), here.With(in), "mara")
	_, err = p.TrySignIn(here, "mara", strong)
	if e := step("sign in wrongly", core.ActSignIn, core.CodeCredentials, err); e.About != me.Account || e.Actor != "" {
		t.Errorf("a wrong password: %+v", e)
	}
	_, err = p.TrySignIn(here, "mara", "\xff")
	step("sign in with noise", core.ActSignIn, core.CodePassword, err)
	_, err = p.TrySignIn(here, "nobody", strong)
	if e := step("sign in as nobody", core.ActSignIn, core.CodeCredentials, err); e.About != "" || e.Target != "" {
		t.Errorf("an unknown name: %+v", e) // it may have been a password
	}
	_, err = p.Portal.SignIn.StepUp(ctx, me, coretest.Password)
	by(step("step up", core.ActStepUp, "", err), me, "mara")
	_, err = p.Portal.SignIn.StepUp(ctx, me, strong)
	step("step up wrongly", core.ActStepUp, core.CodeCredentials, err)
	_, err = p.Portal.SignIn.StepUp(ctx, me, strings.Repeat("x", 999))
	step("step up with too much", core.ActStepUp, core.CodePassword, err)
	_, err = p.Accounts.UpdateProfile(ctx, me, core.ProfileInput{DisplayName: "Mara K", Email: "mara@example.org"})
	if e := step("profile", core.ActProfile, "", err); e.Before["display_name"] != "mara" || e.After["display_name"] != "Mara K" {
		t.Errorf("profile: %+v", e)
	} else {
		by(e, me, "mara")
	}
	_, err = p.Accounts.UpdateProfile(ctx, me, core.ProfileInput{Email: "lin@example.org"})
	step("another's address", core.ActProfile, core.CodeTaken, err)
	step("preferences", core.ActProfile, "", p.Accounts.SetPreferences(ctx, me, core.Preferences{Theme: "dark"}))
	step("bad preferences", core.ActProfile, core.CodeFormat, p.Accounts.SetPreferences(ctx, me, core.Preferences{Theme: "pink"}))
	_, err = p.Accounts.ChangePassword(ctx, me, coretest.Password, strong, true)
	if e := step("change", core.ActPassword, "", err); e.After["sessions_ended"] != "1" || e.About != me.Account {
		t.Errorf("change: %+v", e)
	}
	_, err = p.Accounts.ChangePassword(ctx, me, strong, "short", true)
	step("change to a short one", core.ActPassword, core.CodePassword, err)
	_, err = p.Accounts.ChangePassword(ctx, me, coretest.Password, strong, true)
	step("change with a wrong one", core.ActPassword, core.CodeCredentials, err)
	me = withKey(me, "SHA256:mara")
	step("link a key", core.ActKeyLink, "", p.Keys.Link(ctx, me, ""))
	step("link it twice", core.ActKeyLink, core.CodeKeyInUse, p.Keys.Link(ctx, me, ""))
	step("remove it", core.ActKeyRemove, "", p.Keys.Remove(ctx, me, "SHA256:mara", true))
	step("remove it twice", core.ActKeyRemove, core.CodeNotFound, p.Keys.Remove(ctx, me, "SHA256:mara", false))

	phone, err := p.TrySignIn(here, "mara", strong)
	step("sign in", core.ActSignIn, "", err)
	if e := step("end it", core.ActSessionEnd, "", p.Sessions.End(ctx, me, phone.Session)); e.Target != phone.Session || e.About != me.Account || e.Before["remote"] != "192.0.2.1" {
		t.Errorf("end: %+v", e)
	}
	step("end it twice", core.ActSessionEnd, core.CodeNotFound, p.Sessions.End(ctx, me, phone.Session))
	if e := step("act with what has ended", core.ActProfile, core.CodeSessionEnded, p.Accounts.SetPreferences(ctx, here.With(phone), core.Preferences{})); e.Session != phone.Session {
		t.Errorf("by session %q", e.Session)
	}
	_, err = p.Sessions.EndOthers(ctx, me)
	step("end others", core.ActSessionEndAll, "", err)

	var issued string
	for _, c := range []struct {
		action core.Action
		code   core.Code
		act    func(core.Actor) error
	}{
		{core.ActCodeIssued, "", func(a core.Actor) (err error) { issued, _, err = p.Accounts.IssueCode(ctx, a, "mara"); return err }},
		{core.ActPasswordExpire, "", func(a core.Actor) error { return p.Accounts.ExpirePassword(ctx, a, "mara") }},
		{core.ActProfile, "", func(a core.Actor) error { return p.Accounts.SetFields(ctx, a, "mara", nil) }},
		{core.ActUnlock, "", func(a core.Actor) error { return p.Accounts.Unlock(ctx, a, "mara") }},
		{core.ActApprove, core.CodeState, func(a core.Actor) error { return p.Accounts.Approve(ctx, a, "mara") }},
		{core.ActReject, core.CodeState, func(a core.Actor) error { return p.Accounts.Reject(ctx, a, "mara", "") }},
		{core.ActSuspend, "", func(a core.Actor) error { return p.Accounts.Suspend(ctx, a, "mara", "for now") }},
		{core.ActSuspend, core.CodeState, func(a core.Actor) error { return p.Accounts.Suspend(ctx, a, "mara", "again") }},
		{core.ActResume, "", func(a core.Actor) error { return p.Accounts.Resume(ctx, a, "mara") }},
		{core.ActResume, core.CodeState, func(a core.Actor) error { return p.Accounts.Resume(ctx, a, "mara") }},
		{core.ActCodeIssued, "", func(core.Actor) (err error) { issued, _, err = p.Accounts.IssueCode(ctx, owner, "mara"); return err }},
	} {
		e := step(string(c.action), c.action, c.code, c.act(owner))
		by(e, owner, "lin")
		if e.About != me.Account || e.Target != "mara" {
			t.Errorf("%s: %+v", c.action, e)
		}
	}
	e := step("the console", core.ActUnlock, "", p.Accounts.Unlock(ctx, coretest.Console(), "mara"))
	if e.Actor != core.ActorConsole || e.Name != "root" || e.Door != core.DoorConsole {
		t.Errorf("the console: %+v", e)
	}
	e = step("a stranger", core.ActUnlock, core.CodeDenied, p.Accounts.Unlock(ctx, here, "mara"))
	if e.About != "" || e.Target != "" {
		t.Errorf("a stranger: %+v", e)
	}

	_, err = p.Portal.SignIn.Code(ctx, here, "mara", "AAAA-BBBB-CCCC-DDDD")
	step("a wrong code", core.ActSignInCode, core.CodeCredentials, err)
	progress, err := p.Portal.SignIn.Code(ctx, here, "mara", issued)
	if e := step("the code", core.ActSignInCode, "", err); e.After["next"] != string(core.StepChangePassword) || e.Actor != me.Account {
		t.Errorf("the code: %+v", e)
	}
	_, err = p.Portal.SignIn.ChangePassword(ctx, here, "no ticket", strong)
	step("no ticket", core.ActSignInStep, core.CodeTicket, err)
	_, err = p.Portal.SignIn.ChangePassword(ctx, here, progress.Ticket, strong)
	step("the same", core.ActPassword, core.CodeSame, err)
	done, err := p.Portal.SignIn.ChangePassword(ctx, here, progress.Ticket, "Another-Lantern-84-Fig")
	if e := step("the step", core.ActPassword, "", err); e.Session != done.SignedIn.Session || e.Actor != me.Account {
		t.Errorf("the step: %+v", e)
	}
	step("sign out", core.ActSignOut, "", p.Portal.SignIn.Out(ctx, here.With(done.SignedIn)))

	inv, _, err := p.Invites.Create(ctx, owner, 1, 1, "")
	step("invite", core.ActInvite, "", err)
	_, _, err = p.Invites.Create(ctx, owner, 0, 1, "")
	step("invite nobody", core.ActInvite, core.CodeRange, err)
	step("revoke", core.ActInviteRevoke, "", p.Invites.Revoke(ctx, owner, inv.ID))
	step("revoke again", core.ActInviteRevoke, core.CodeNotFound, p.Invites.Revoke(ctx, owner, inv.ID))

	// One's own trail is what one did and what was done to one's account.
	mine := must(p.Audit.Mine(ctx, owner, "", core.MaxPage))(t)
	for _, e := range mine.Entries {
		if e.Actor != owner.Account && e.About != owner.Account {
			t.Errorf("not the owner's: %+v", e)
		}
	}
	if n := len(mine.Entries); n != 18 {
		t.Errorf("the owner's trail has %d entries", n)
	}
	if log.Len() > 0 {
		t.Errorf("the operator's log, though nothing failed:\n%s", log.String())
	}
}

// No password, token or code is stored or logged in clear, wherever it was
// typed. ASVS 11.4.2, 14.2.1, 16.2.5
func TestNoSecretIsKept(t *testing.T) {
	var log bytes.Buffer
	db := memory.New() // not sealed
	t.Cleanup(func() { _ = db.Close() })
	p := coretest.New(t, coretest.WithStore(db), coretest.WithLog(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	secrets := []string{coretest.Password, strong, "Another-Lantern-84-Fig", "Wrong-Secret-11-Typed"}
	keep := func(s string) string {
		if len(s) < 8 {
			t.Fatalf("%q is no secret", s)
		}
		secrets = append(secrets, s, strings.ReplaceAll(s, "-", ""))
		return s
	}
	here := coretest.From("192.0.2.1")
	in := core.SetUpInput{Portal: "Lanterns", Code: keep(must(p.Site.SetupCode())(t)), Owner: coretest.Input("lin")}
	out := must(p.Site.SetUp(ctx, here, in))(t)
	keep(out.Token)
	owner := here.With(out)
	p.Set("captcha.sign_in", "off", "captcha.sign_up", "off")
	_, invite, err := p.Invites.Create(ctx, owner, 2, 2, "")
	ok(t, err)
	join := coretest.Input("mara")
	join.Invite = keep(invite)
	up := must(p.Accounts.SignUp(ctx, here, join))(t)
	keep(up.SignedIn.Token)
	me := here.With(up.SignedIn)
	_, err = p.TrySignIn(here, "Wrong-Secret-11-Typed", "x") // into the wrong field
	refused(t, err, core.CodeCredentials, "")
	_, _ = p.TrySignIn(here, "mara", "Wrong-Secret-11-Typed")
	_, _ = p.Portal.SignIn.Code(ctx, here, "mara", "Wrong-Secret-11-Typed")
	_, _ = p.Portal.SignIn.StepUp(ctx, me, "Wrong-Secret-11-Typed")
	join = coretest.Input("noor")
	join.UserName, join.Invite = "Wrong-Secret-11-Typed!", "Wrong-Secret-11-Typed"
	_, _ = p.Accounts.SignUp(ctx, here, join)
	_, _ = p.Portal.SignIn.Resume(ctx, here, "Wrong-Secret-11-Typed")
	_, _ = p.Portal.SignIn.ChangePassword(ctx, here, "Wrong-Secret-11-Typed", strong)
	refused(t, p.Sessions.End(ctx, me, "Wrong-Secret-11-Typed"), core.CodeNotFound, "session")
	refused(t, p.Accounts.Suspend(ctx, owner, "Wrong-Secret-11-Typed", ""), core.CodeNotFound, "user")
	keep(must(p.Portal.SignIn.StepUp(ctx, me, coretest.Password))(t).Token)
	keep(must(p.Accounts.ChangePassword(ctx, me, coretest.Password, strong, true))(t).Token)
	code, _, err := p.Accounts.IssueCode(ctx, owner, "mara")
	ok(t, err)
	progress := must(p.Portal.SignIn.Code(ctx, here, "mara", keep(code)))(t)
	done := must(p.Portal.SignIn.ChangePassword(ctx, here, keep(progress.Ticket), "Another-Lantern-84-Fig"))(t)
	keep(done.SignedIn.Token)

	records := p.Dump()
	records["the log"] = log.String()
	if len(records) < 60 {
		t.Fatalf("only %d records", len(records))
	}
	for k, v := range records {
		for _, s := range secrets {
			if strings.Contains(strings.ToLower(k+"\x00"+v), strings.ToLower(s)) {
				t.Errorf("%q holds the secret %q: %s", k, s, v)
			}
		}
	}
}

func TestTheTrailIsPagedNewestFirst(t *testing.T) {
	p := coretest.Open(t)
	for range 7 {
		p.Clock.Advance(time.Second)
		p.SignIn("lin")
	}
	whole := p.Trail()
	var paged []core.Entry
	for after := ""; ; {
		page := must(p.Audit.List(ctx, coretest.Console(), "lin", after, 3))(t)
		paged = append(paged, page.Entries...)
		if after = page.Next; after == "" {
			break
		}
	}
	last := time.Now().AddDate(1000, 0, 0)
	for i, e := range paged {
		if e.At.After(last) {
			t.Errorf("entry %d is newer than the one before", i)
		}
		last = e.At
	}
	if len(paged) != len(whole)-1 { // opening the portal to all was the console's act
		t.Errorf("lin's trail has %d entries, the whole one %d", len(paged), len(whole))
	}
	for _, ref := range []string{"nobody", "\x00"} {
		_, err := p.Audit.List(ctx, coretest.Console(), ref, "", 3)
		refused(t, err, core.CodeNotFound, "user")
	}
}
