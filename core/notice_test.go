// Notices: each is told by its act, to whom and where it is wanted.

package core_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

// confirm confirms the account's own address.
func confirm(t testing.TB, p *coretest.Place, a core.Actor) {
	t.Helper()
	e := must(p.Factors.BeginAddress(ctx, a))(t)
	must(p.Factors.Confirm(ctx, a, "", e.ID, codeTo(t, p, e.Address), ""))(t)
}

// Each kind of notice is told by the act that it is about, in the inbox and by
// mail. ASVS 6.3.5, 6.3.7
func TestEveryNoticeIsToldByItsAct(t *testing.T) {
	p := coretest.Open(t)
	long(p)
	p.Set("lockout.failures", "50", "lockout.wait_seconds", "1", "lockout.max_wait_minutes", "1", "lockout.address_failures", "10000")
	me := p.SignUp("mara")
	confirm(t, p, me)
	confirm(t, p, p.Owner)
	var a app
	var codes []string
	var request core.Request
	const key = "SHA256:mara"
	acts := []struct {
		kind core.NoticeKind
		args map[string]string // some of what it says
		act  func()
	}{
		{core.NoticeFactorAdded, map[string]string{"Kind": "app", "Label": "phone", "User": "mara", "Door": "local"}, func() { a = enrolApp(t, p, me, "phone") }},
		{core.NoticeKeyAdded, map[string]string{"Key": key, "Label": "laptop"}, func() { ok(t, p.Keys.Link(ctx, withKey(me, key), "laptop")) }},
		{core.NoticeKeyTerm, map[string]string{"Key": key, "Label": "laptop", "KeyUntil": p.Clock.Now().Add(30 * day).Format(time.RFC3339)}, func() {
			must(p.Keys.SetEndOf(ctx, coretest.Console(), "mara", key, p.Clock.Now().Add(30*day)))(t)
		}},
		{core.NoticeKeyRemoved, map[string]string{"Key": key, "Label": "laptop"}, func() { ok(t, p.Keys.Remove(ctx, me, key, true)) }},
		{core.NoticeRecoveryMade, nil, func() { codes = save(t, p, me) }},
		{core.NoticeNewDevice, map[string]string{"Remote": here.Remote, "Door": "ssh", "Client": here.Client}, func() { signsIn(t, p, here, "mara", a) }},
		{core.NoticeRecoveryUsed, map[string]string{"Left": "9"}, func() { ok(t, recovers(t, p, here, codes[0])) }},
		{core.NoticeFactorDisabled, map[string]string{"Kind": "app", "Label": "phone"}, func() {
			for range core.MaxCredentialFailures {
				p.Clock.Advance(2 * time.Minute)
				_ = tries(t, p, here, "mara", a.ID, a.wrong(p))
			}
		}},
		{core.NoticeFactorRemoved, map[string]string{"Kind": "app", "Label": "phone"}, func() {
			must(p.Portal.SignIn.StepUpRecovery(ctx, me, codes[1]))(t)
			ok(t, p.Factors.Remove(ctx, me, a.ID))
		}},
		{core.NoticePasswordChanged, nil, func() { must(p.Accounts.ChangePassword(ctx, me, coretest.Password, strong, false))(t) }},
		{core.NoticeFactorsReset, nil, func() { must(p.Accounts.ResetFactors(ctx, coretest.Console(), "mara"))(t) }},
		{core.NoticeAccountLocked, map[string]string{"User": "mara"}, func() {
			for range core.MaxCredentialFailures {
				p.Clock.Advance(2 * time.Minute)
				_, _ = p.TrySignIn(here, "mara", "Not-The-Password-42-Elm")
			}
		}},
		{core.NoticeRoleGiven, map[string]string{"PortalRole": "support", "RoleUntil": ""}, func() { give(t, p, coretest.Console(), "mara", core.RoleSupport) }},
		{core.NoticeRoleEnded, map[string]string{"PortalRole": "support", "RoleReason": "enough"}, func() {
			ok(t, p.Access.End(ctx, coretest.Console(), grantOf(t, p, "mara", core.RoleSupport).ID, "enough"))
		}},
		{core.NoticeAccessGiven, map[string]string{"App": "Archive", "AppRole": "member", "AppUntil": ""}, func() {
			must(p.Apps.Create(ctx, coretest.Console(), core.AppInput{Name: "Archive", Owner: "lin"}))(t)
			must(p.Apps.Share(ctx, coretest.Console(), "archive", core.ShareInput{User: "mara", Role: core.RoleMember}))(t)
		}},
		{core.NoticeAccessEnded, map[string]string{"App": "Archive", "AppRole": "member"}, func() {
			ok(t, p.Apps.Revoke(ctx, coretest.Console(), must(p.Apps.Of(ctx, coretest.Console(), "mara"))(t)[0].ID))
		}},
		{core.NoticeDeleteAsked, map[string]string{"Process": "mail"}, func() { request = must(p.Requests.MakeFor(ctx, coretest.Console(), "mara", "", ""))(t) }},
		{core.NoticeRequestMade, map[string]string{"Who": "mara"}, func() {
			must(p.Requests.Cancel(ctx, coretest.Console(), request.ID, ""))(t)
			must(p.Requests.MakeFor(ctx, coretest.Console(), "mara", "", ""))(t)
			request = must(p.Requests.List(ctx, coretest.Console(), core.StateOpen, "", 1))(t).Requests[0]
		}},
		{core.NoticeDeleteApproved, nil, func() { must(p.Requests.Approve(ctx, coretest.Console(), request.ID, "", ""))(t) }},
		{core.NoticeDeleteHeld, nil, func() { must(p.Requests.Hold(ctx, coretest.Console(), request.ID, "wait"))(t) }},
		{core.NoticeDeleteRefused, map[string]string{"Reason": "no"}, func() { must(p.Requests.Refuse(ctx, coretest.Console(), request.ID, "no"))(t) }},
		{core.NoticeDeleteCancelled, nil, func() {
			r := must(p.Requests.MakeFor(ctx, coretest.Console(), "mara", "", ""))(t)
			must(p.Requests.Cancel(ctx, coretest.Console(), r.ID, ""))(t)
		}},
		{core.NoticeRequestGone, map[string]string{"Who": "mara"}, func() {
			r := must(p.Requests.MakeFor(ctx, coretest.Console(), "mara", "", ""))(t)
			must(p.Requests.Cancel(ctx, coretest.Console(), r.ID, ""))(t)
		}},
		{core.NoticeEmailChanged, nil, func() {
			must(p.Portal.SignIn.StepUp(ctx, p.Owner, coretest.Password))(t)
			must(p.Accounts.UpdateProfile(ctx, p.Owner, core.ProfileInput{Email: "lin@new.example"}))(t)
		}},
	}
	seen := map[core.NoticeKind]bool{
		core.NoticeAllowance: true, core.NoticeRequestHeld: true, core.NoticeInactive: true, // in the test below, those of the last owner and of retention,
		core.NoticeScript: true, core.NoticeScriptOwner: true, // and of analysis,
		core.NoticeKeyEnding: true, core.NoticeKeyEnded: true, // and those of keyend_test.go
	}
	for _, c := range acts {
		who, to := me, "mara@example.org"
		switch c.kind {
		case core.NoticeEmailChanged, core.NoticeRequestMade, core.NoticeRequestGone:
			who, to = p.Owner, "lin@example.org"
		}
		before := len(outbox(t, p, to))
		c.act()
		wasTold(t, p, who, c.kind)
		n := must(p.Notices.Mine(ctx, who, "", "", "", 1))(t).Notices[0]
		for k, v := range c.args {
			if n.Args[k] != v {
				t.Errorf("%s says %s=%q, want %q", c.kind, k, n.Args[k], v)
			}
		}
		if !n.At.Equal(p.Clock.Now()) || n.Account != who.Account || !n.Notice.Read.IsZero() {
			t.Errorf("%s: %+v", c.kind, n.Notice)
		}
		list := outbox(t, p, to)
		if len(list) <= before || list[0].Kind != c.kind || !maps.Equal(list[0].Args, n.Args) {
			t.Errorf("%s: the mail is %+v", c.kind, list[:min(1, len(list))])
		}
		seen[c.kind] = true
	}
	for _, n := range core.NoticeTypes() {
		if !seen[n.Kind] {
			t.Errorf("no act tells %s", n.Kind)
		}
	}
}

// Owners are warned once at 80 % and once when it is used up.
func TestOwnersAreWarnedOfAnAllowanceThatEnds(t *testing.T) {
	p := coretest.Open(t)
	p.Set("factors.sms", "on", "messages.sms_allowance", "5")
	for i := range 5 {
		a := p.SignUp(fmt.Sprint("crew", i))
		must(p.Factors.Begin(ctx, a, "", core.FactorSMS, fmt.Sprintf("+55115555001%02d", i)))(t)
		if list := told(t, p, a); len(list) != 0 {
			t.Errorf("a person is told %v", list)
		}
	}
	var percents []string
	for _, n := range must(p.Notices.Mine(ctx, p.Owner, "", "", "", 10))(t).Notices {
		if n.Kind != core.NoticeAllowance || n.Args["Service"] != "sms" || n.Args["Allowance"] != "5" {
			t.Errorf("told %+v", n.Notice)
		}
		percents = append(percents, n.Args["Percent"])
	}
	if got := strings.Join(percents, " "); got != "100 80" {
		t.Errorf("warned at %s", got)
	}
}

// warnings are what an owner was told of allowances, oldest first: "80 of 5".
func warnings(t testing.TB, p *coretest.Place) (list []string) {
	t.Helper()
	for _, n := range must(p.Notices.Mine(ctx, p.Owner, "", "", "", core.MaxPage))(t).Notices {
		if n.Kind == core.NoticeAllowance {
			list = append(list, n.Args["Percent"]+" of "+n.Args["Allowance"])
		}
	}
	slices.Reverse(list)
	return list
}

// The weakness: who had been warned of one allowance was not warned of the next one
// in the same month.
func TestAnAllowanceThatIsChangedIsWarnedOfAnew(t *testing.T) {
	p := coretest.Open(t)
	p.Set("messages.sms_allowance", "5")
	text := func(n int) {
		t.Helper()
		for i := range n {
			must(p.Messages.Test(ctx, coretest.Console(), core.ServiceSMS, fmt.Sprintf("+55115555002%02d", i)))(t)
		}
	}
	for _, c := range []struct {
		allowance string
		texts     int
		warned    string
	}{
		{"5", 5, "80 of 5, 100 of 5"},
		{"20", 10, ""}, // 15 of 20
		{"20", 5, "80 of 20, 100 of 20"},
		{"24", 0, "80 of 24"}, // 20 of them are used: said at once
		{"24", 3, ""},
		{"24", 1, "100 of 24"},
		{"10", 0, "100 of 10"}, // below what is used
		{"100", 0, ""},
		{"100", 55, ""},
		{"100", 1, "80 of 100"},
		{"24", 0, "100 of 24"}, // an allowance that was there before
		{"0", 0, ""},           // switched off
		{"90", 0, "80 of 90"},
	} {
		before := len(warnings(t, p))
		p.Set("messages.sms_allowance", c.allowance)
		text(c.texts)
		if got := strings.Join(warnings(t, p)[before:], ", "); got != c.warned {
			t.Errorf("%d texts of %s: warned %q, want %q", c.texts, c.allowance, got, c.warned)
		}
	}
	// A change of something else, and another service's, warn of nothing.
	before := len(warnings(t, p))
	p.Set("messages.mail_allowance", "7", "password.min_length", "14")
	if got := warnings(t, p)[before:]; len(got) != 0 {
		t.Errorf("warned %q", got)
	}
}

// Security notices always come; the others as each person wants, by channel.
// ASVS 6.3.7
func TestWhatCanBeMuted(t *testing.T) {
	p := coretest.Open(t)
	me := p.SignUp("mara")
	confirm(t, p, me)
	wishes := must(p.Notices.Wishes(ctx, me))(t)
	owners := 0
	for _, n := range core.NoticeTypes() {
		if n.Owners {
			owners++
		}
	}
	if len(wishes) != len(core.NoticeTypes())-owners || slices.ContainsFunc(wishes, func(w core.Wish) bool { return w.Owners || !w.Inbox || !w.Mail }) {
		t.Errorf("a person's wishes begin as %+v", wishes)
	}
	if n := len(must(p.Notices.Wishes(ctx, p.Owner))(t)); n != len(core.NoticeTypes()) {
		t.Errorf("an owner has %d", n)
	}
	for _, n := range core.NoticeTypes() {
		for _, c := range []core.Channel{core.ChannelInbox, core.ChannelMail} {
			err := p.Notices.SetWish(ctx, me, n.Kind, c, false)
			if !n.Security {
				ok(t, err)
				continue
			}
			refused(t, err, core.CodeDenied, "notice")
			ok(t, p.Notices.SetWish(ctx, me, n.Kind, c, true))
		}
	}
	refused(t, p.Notices.SetWish(ctx, me, "rain", core.ChannelInbox, false), core.CodeNotFound, "notice")
	refused(t, p.Notices.SetWish(ctx, me, core.NoticeNewDevice, "pigeon", false), core.CodeNotFound, "notice")
	refused(t, p.Notices.SetWish(ctx, here, core.NoticeNewDevice, core.ChannelMail, false), core.CodeDenied, "")

	// What a door of its own tells, by channel. Each is a new place.
	for i, c := range []struct{ inbox, mail bool }{{false, false}, {true, false}, {false, true}, {true, true}} {
		ok(t, p.Notices.SetWish(ctx, me, core.NoticeNewDevice, core.ChannelInbox, c.inbox))
		ok(t, p.Notices.SetWish(ctx, me, core.NoticeNewDevice, core.ChannelMail, c.mail))
		inbox, mails := len(told(t, p, me)), len(outbox(t, p, "mara@example.org"))
		_, err := p.TrySignIn(coretest.From(fmt.Sprintf("198.51.100.%d", i)), "mara", coretest.Password)
		ok(t, err)
		if got := len(told(t, p, me)) > inbox; got != c.inbox {
			t.Errorf("%+v: in the inbox: %v", c, got)
		}
		if got := len(outbox(t, p, "mara@example.org")) > mails; got != c.mail {
			t.Errorf("%+v: by mail: %v", c, got)
		}
	}
}

// Mail goes to an address that its person has shown to be theirs, and to no other.
func TestMailGoesToAConfirmedAddressOnly(t *testing.T) {
	p := coretest.Open(t)
	me := p.SignUp("mara")
	enrolApp(t, p, me, "phone")
	wasTold(t, p, me, core.NoticeFactorAdded)
	if list := outbox(t, p, "mara@example.org"); len(list) != 0 {
		t.Errorf("an address that may be anybody's was sent %+v", list)
	}
	confirm(t, p, me)
	enrolApp(t, p, me, "tablet")
	if list := outbox(t, p, "mara@example.org"); list[0].Kind != core.NoticeFactorAdded || list[0].Args["Label"] != "tablet" {
		t.Errorf("sent %+v", list[0])
	}
	// An allowance that is used up stops the mail, not the act nor the inbox.
	p.Set("messages.mail_allowance", "0")
	enrolApp(t, p, me, "watch")
	wasTold(t, p, me, core.NoticeFactorAdded)
	if list := outbox(t, p, "mara@example.org"); list[0].Args["Label"] != "tablet" {
		t.Errorf("sent %+v", list[0])
	}
}

func TestAnInboxIsReadAndMarked(t *testing.T) {
	p := coretest.Open(t)
	me, noor := p.SignUp("mara"), p.SignUp("noor")
	for i := range 5 {
		p.Clock.Advance(time.Second)
		enrolApp(t, p, me, fmt.Sprint("app ", i))
	}
	enrolApp(t, p, noor, "hers")
	page := must(p.Notices.Mine(ctx, me, "", "", "", 2))(t)
	if len(page.Notices) != 2 || page.Unread != 5 || page.Next == "" || page.Notices[0].Args["Label"] != "app 4" || page.Notices[0].Subject != "factor_added" {
		t.Fatalf("the inbox is %+v", page)
	}
	theirs := must(p.Notices.Mine(ctx, noor, "", "", "", 9))(t).Notices[0]
	entries := len(p.Trail())
	ok(t, p.Notices.MarkRead(ctx, me, page.Notices[1].ID, theirs.ID, "x"))
	second := must(p.Notices.Mine(ctx, me, "", "", page.Next, 9))(t)
	if second.Unread != 4 || len(second.Notices) != 3 || second.Next != "" {
		t.Errorf("then %+v", second)
	}
	if n := must(p.Notices.Mine(ctx, noor, "", "", "", 9))(t); n.Unread != 1 {
		t.Error("another's was marked")
	}
	ok(t, p.Notices.MarkRead(ctx, me))
	page = must(p.Notices.Mine(ctx, me, "", "", "", 9))(t)
	if page.Unread != 0 || len(page.Notices) != 5 || page.Notices[0].Notice.Read.IsZero() || must(p.Accounts.CheckUp(ctx, me))(t).Unread != 0 {
		t.Errorf("then %+v", page)
	}
	if n := len(p.Trail()) - entries; n != 0 {
		t.Errorf("reading one's own inbox wrote %d entries", n)
	}
	for _, who := range []core.Actor{here, coretest.Console()} {
		_, err := p.Notices.Mine(ctx, who, "", "", "", 9)
		refused(t, err, core.CodeDenied, "")
		refused(t, p.Notices.MarkRead(ctx, who), core.CodeDenied, "")
	}
	ok(t, p.Sessions.End(ctx, noor, noor.Session))
	refused(t, p.Notices.MarkRead(ctx, noor), core.CodeSessionEnded, "")
}

// The weakness: of an inbox that held more than a page, the rest stayed unread.
func TestAFullInboxIsMarkedToo(t *testing.T) {
	p := coretest.Open(t)
	me := p.SignUp("mara")
	for range core.MaxPage + 5 {
		save(t, p, me)
	}
	page := must(p.Notices.Mine(ctx, me, "", "", "", core.MaxPage))(t)
	oldest := must(p.Notices.Mine(ctx, me, "", "", page.Next, core.MaxPage))(t).Notices[4]
	if page.Unread != core.MaxPage {
		t.Errorf("%d are unread", page.Unread)
	}
	ok(t, p.Notices.MarkRead(ctx, me, oldest.ID))
	if n := must(p.Notices.Mine(ctx, me, "", "", page.Next, core.MaxPage))(t).Notices[4]; n.Notice.Read.IsZero() {
		t.Error("the oldest is unread")
	}
	ok(t, p.Notices.MarkRead(ctx, me))
	if n := must(p.Notices.Mine(ctx, me, "", "", "", 1))(t).Unread; n != 0 {
		t.Errorf("%d are unread", n)
	}
}

// What was read goes after half a year, what was not after a whole one.
func TestOldNoticesAreSwept(t *testing.T) {
	p := coretest.Open(t)
	me := p.SignUp("mara")
	save(t, p, me)
	save(t, p, me)
	ok(t, p.Notices.MarkRead(ctx, me, must(p.Notices.Mine(ctx, me, "", "", "", 1))(t).Notices[0].ID))
	for _, c := range []struct {
		after time.Duration
		left  int
	}{{180 * day, 2}, {180*day + time.Second, 1}, {360 * day, 1}, {360*day + time.Second, 0}} {
		must(p.Sweep(ctx, coretest.Start.Add(c.after)))(t)
		if n := records(p.Dump(), "notice"); n != c.left {
			t.Errorf("after %v %d are left, want %d", c.after, n, c.left)
		}
	}
}
