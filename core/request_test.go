package core_test

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
	"postern/core/signature"
)

// atOnce switches on that accounts are deleted without anybody looking.
func atOnce(t testing.TB, p *coretest.Place, grace string) {
	t.Helper()
	must(p.Policy.Set(ctx, coretest.Console(), core.PolicyChange{
		Values: map[string]string{"deletion.process": "once", "deletion.grace_days": grace}, Confirm: core.ConfirmOnce}))(t)
}

// fresh proves anew who somebody is, by the password.
func fresh(t testing.TB, p *coretest.Place, a core.Actor) {
	t.Helper()
	must(p.Portal.SignIn.StepUp(ctx, a, coretest.Password))(t)
}

// asksDeletion makes a request for somebody's own account.
func asksDeletion(t testing.TB, p *coretest.Place, a core.Actor, name string) core.Request {
	t.Helper()
	return must(p.Requests.Make(ctx, a, name))(t)
}

// gone says whether an account is no more.
func gone(t testing.TB, p *coretest.Place, id string) bool {
	t.Helper()
	_, err := p.Accounts.Show(ctx, coretest.Console(), id)
	if err == nil {
		return false
	}
	refused(t, err, core.CodeNotFound, "user")
	return true
}

// whole shows that the check finds nothing.
func whole(t testing.TB, p *coretest.Place) {
	t.Helper()
	var faults []string
	ok(t, p.Check(ctx, func(s string) { faults = append(faults, s) }))
	if len(faults) > 0 {
		t.Fatalf("the check finds %v", faults)
	}
}

// wentThrough are the states that a request went through.
func wentThrough(r core.Request) (list []core.RequestState) {
	for _, s := range r.History {
		list = append(list, s.State)
	}
	return list
}

// The owner's way: asked, told, approved, put off for a week, deleted.
func TestTheOwnerDecides(t *testing.T) {
	p := coretest.Open(t)
	long(p)
	mara := p.SignUp("mara")
	r := asksDeletion(t, p, mara, " Mara ")
	if r.State != core.RequestMade || r.Process != core.ProcessMail || r.UserName != "mara" {
		t.Fatalf("the request is %+v", r)
	}
	wasTold(t, p, mara, core.NoticeDeleteAsked)
	wasTold(t, p, p.Owner, core.NoticeRequestMade)
	if _, err := p.Requests.RunDue(ctx); err != nil || gone(t, p, mara.Account) {
		t.Fatalf("%v: deleted without a decision", err)
	}
	_, err := p.Requests.Make(ctx, mara, "mara")
	refused(t, err, core.CodeRequestOpen, "")

	p.Clock.Advance(core.StepUpFor + time.Second)
	_, err = p.Requests.Approve(ctx, p.Owner, r.ID, "", "")
	refused(t, err, core.CodeStepUp, "")
	fresh(t, p, p.Owner)
	r = must(p.Requests.Approve(ctx, p.Owner, r.ID, "as asked", ""))(t)
	if r.State != core.RequestApproved || !r.Due.Equal(p.Clock.Now().Add(7*day)) {
		t.Fatalf("approved: %+v", r)
	}
	wasTold(t, p, mara, core.NoticeDeleteApproved)
	p.Clock.Advance(7*day - time.Second)
	next := must(p.Requests.RunDue(ctx))(t)
	if !next.Equal(r.Due) || gone(t, p, mara.Account) {
		t.Fatalf("too early: %v", next)
	}
	p.Clock.Advance(time.Second)
	must(p.Requests.RunDue(ctx))(t)
	if !gone(t, p, mara.Account) {
		t.Fatal("not deleted")
	}
	d := must(p.Requests.Get(ctx, coretest.Console(), r.ID))(t)
	want := []core.RequestState{core.RequestMade, core.RequestApproved, core.RequestDeleted}
	if !slices.Equal(wentThrough(d.Request), want) || d.Request.State.Open() || d.UserName != "" || d.Reason != "" || d.History[1].Reason != "" {
		t.Errorf("what is left: %+v", d)
	}
	var doc struct {
		Kind, Account, Request, Process string
		Approved, Deleted               time.Time
	}
	ok(t, json.Unmarshal([]byte(d.Receipt.Document), &doc))
	if doc.Kind != "deletion" || doc.Account != mara.Account || doc.Request != r.ID || doc.Process != "mail" || doc.Deleted.Sub(doc.Approved) != 7*day {
		t.Errorf("the receipt says %s", d.Receipt.Document)
	}
	ok(t, signature.Verify(coretest.HostKey(t).PublicKey(), signature.Receipt, []byte(d.Receipt.Document), d.Receipt.Signature))
	e := newest(t, p, core.ActAccountDelete)
	if e.Actor != core.ActorSystem || e.About != mara.Account || e.Target != mara.Account || e.After["request"] != r.ID || e.After["sessions"] != "1" {
		t.Errorf("the entry is %+v", e)
	}
	whole(t, p)
}

// Deleting at once must be typed out when it is switched on, and then leaves its
// person the days of grace, or none.
func TestDeletingAtOnceIsConsentedTo(t *testing.T) {
	p := coretest.Open(t)
	long(p)
	for _, typed := range []string{"", "yes", "delete  at onc"} {
		_, err := p.Policy.Set(ctx, coretest.Console(), core.PolicyChange{Values: map[string]string{"deletion.process": "once"}, Confirm: typed})
		refused(t, err, core.CodeConfirm, "deletion.process")
	}
	mara := p.SignUp("mara")
	if r := asksDeletion(t, p, mara, "mara"); r.Process != core.ProcessMail {
		t.Fatalf("under a policy that nobody confirmed: %+v", r)
	}
	atOnce(t, p, "3")
	// The open request keeps its process until somebody moves it.
	r := must(p.Requests.Mine(ctx, mara))(t)[0]
	if r.Process != core.ProcessMail || r.State != core.RequestMade {
		t.Errorf("a change of the policy has moved it: %+v", r)
	}
	fresh(t, p, p.Owner)
	r = must(p.Requests.Move(ctx, p.Owner, r.ID, ""))(t)
	if r.Process != core.ProcessOnce || r.State != core.RequestApproved || !r.Due.Equal(p.Clock.Now().Add(3*day)) {
		t.Errorf("moved: %+v", r)
	}
	_, err := p.Requests.Move(ctx, p.Owner, r.ID, "")
	refused(t, err, core.CodeConflict, "")
	// Changing anything else later asks for nothing.
	must(p.Policy.Set(ctx, coretest.Console(), core.PolicyChange{Values: map[string]string{"deletion.grace_days": "0"}}))(t)

	noor := p.SignUp("noor")
	live := must(p.Sessions.Attach(ctx, noor))(t)
	defer live.Close()
	r = asksDeletion(t, p, noor, "noor")
	if r.State != core.RequestDeleted || r.Receipt == nil || !gone(t, p, noor.Account) {
		t.Errorf("with no days of grace: %+v", r)
	}
	ends(t, live, core.EndDeleted)
	_, err = p.TrySignIn(coretest.Local(), "noor", coretest.Password)
	refused(t, err, core.CodeCredentials, "")
	whole(t, p)
}

// What is typed is the user name and nothing else, and the proof is fresh.
func TestADeletionIsConfirmed(t *testing.T) {
	p := coretest.Open(t)
	long(p)
	mara := p.SignUp("mara")
	for _, typed := range []string{"", "lin", "mara@example.org", strings.Repeat("mara", 3000), "mara\x00", "\xff"} {
		_, err := p.Requests.Make(ctx, mara, typed)
		refused(t, err, core.CodeConfirm, "user_name")
	}
	p.Clock.Advance(core.StepUpFor + time.Second)
	_, err := p.Requests.Make(ctx, mara, "mara")
	refused(t, err, core.CodeStepUp, "")
	_, err = p.Requests.Make(ctx, core.Actor{Door: core.DoorSSH}, "")
	refused(t, err, core.CodeDenied, "")
	// A verb by a linked key has just proved it.
	ok(t, p.Keys.Link(ctx, withKey(p.SignIn("mara"), "SHA256:mara"), "laptop"))
	asksDeletion(t, p, core.Actor{Account: mara.Account, Door: core.DoorVerb, Key: "SHA256:mara", Remote: "192.0.2.1"}, "mara")
}

// Until the account is deleted its person takes the request back, and may ask again.
func TestARequestIsTakenBack(t *testing.T) {
	p := coretest.Open(t)
	long(p)
	atOnce(t, p, "7")
	mara, noor := p.SignUp("mara"), p.SignUp("noor")
	r := asksDeletion(t, p, mara, "mara")
	_, err := p.Requests.Cancel(ctx, noor, r.ID, "")
	refused(t, err, core.CodeDenied, "")
	_, err = p.Requests.Cancel(ctx, noor, "01ARZ3NDEKTSV4RRFFQ69G5FAV", "")
	refused(t, err, core.CodeDenied, "") // whether there is one is not theirs to know
	p.Clock.Advance(7*day - time.Second)
	again := p.SignIn("mara") // signs in during the days of grace
	r = must(p.Requests.Cancel(ctx, again, r.ID, ""))(t)
	if r.State != core.RequestCancelled || !r.Due.IsZero() {
		t.Errorf("%+v", r)
	}
	wasTold(t, p, mara, core.NoticeDeleteCancelled)
	p.Clock.Advance(day)
	must(p.Requests.RunDue(ctx))(t)
	if gone(t, p, mara.Account) {
		t.Fatal("deleted all the same")
	}
	_, err = p.Requests.Cancel(ctx, again, r.ID, "")
	refused(t, err, core.CodeRequestOver, "")
	fresh(t, p, again)
	p.Clock.Advance(time.Second)
	second := asksDeletion(t, p, again, "mara")
	if second.ID == r.ID || len(must(p.Requests.Mine(ctx, again))(t)) != 2 {
		t.Errorf("asked again: %+v", second)
	}
	whole(t, p)
}

func TestARequestIsRefusedOrPutAside(t *testing.T) {
	p := coretest.Open(t)
	long(p)
	mara := p.SignUp("mara")
	r := asksDeletion(t, p, mara, "mara")
	fresh(t, p, p.Owner)
	_, err := p.Requests.Refuse(ctx, p.Owner, r.ID, "  ")
	refused(t, err, core.CodeRequired, "reason")
	_, err = p.Requests.Refuse(ctx, p.Owner, r.ID, strings.Repeat("x", 10_000))
	refused(t, err, core.CodeTooLong, "reason")
	r = must(p.Requests.Hold(ctx, p.Owner, r.ID, "books are out"))(t)
	if r.State != core.RequestHeld || r.Why != core.HeldByHand {
		t.Errorf("%+v", r)
	}
	wasTold(t, p, mara, core.NoticeDeleteHeld)
	must(p.Requests.Approve(ctx, p.Owner, r.ID, "", ""))(t)
	must(p.Requests.Hold(ctx, p.Owner, r.ID, "one more"))(t) // a decided one is put off
	p.Clock.Advance(30 * day)
	must(p.Requests.RunDue(ctx))(t)
	if gone(t, p, mara.Account) {
		t.Fatal("deleted though it was put aside")
	}
	fresh(t, p, p.Owner)
	r = must(p.Requests.Refuse(ctx, p.Owner, r.ID, "the books are still out"))(t)
	wasTold(t, p, mara, core.NoticeDeleteRefused)
	n := must(p.Notices.Mine(ctx, mara, "", "", "", 1))(t).Notices[0]
	if r.State != core.RequestRefused || n.Args["Reason"] != "the books are still out" {
		t.Errorf("%+v %v", r, n.Args)
	}
	mine := must(p.Requests.Mine(ctx, mara))(t)[0]
	for _, h := range mine.History {
		if h.By != mara.Account && h.ByName != "" {
			t.Errorf("who of the staff decided is told: %+v", h)
		}
	}
	if mine.Reason != "the books are still out" {
		t.Errorf("the reason of the refusal is not told: %+v", mine)
	}
}

// What those who decide write for each other does not reach the person, nor who of
// them it was, by whichever way the person looks; the reason of a refusal does.
// ASVS 8.2.3
func TestThePersonIsNotToldWhatTheStaffTellEachOther(t *testing.T) {
	p := coretest.Open(t)
	long(p)
	mara := p.SignUp("mara")
	told := func(where string, list ...core.Request) {
		t.Helper()
		said := string(must(json.Marshal(list))(t))
		for _, secret := range []string{"a fraud case", "as the lawyers said", "lin", p.Owner.Account} {
			if strings.Contains(said, secret) {
				t.Errorf("%s tells %q: %s", where, secret, said)
			}
		}
	}
	r := asksDeletion(t, p, mara, "mara")
	must(p.Requests.Hold(ctx, p.Owner, r.ID, "a fraud case"))(t)
	told("Mine, held,", must(p.Requests.Mine(ctx, mara))(t)...)
	must(p.Requests.Approve(ctx, p.Owner, r.ID, "as the lawyers said", ""))(t)
	told("Mine", must(p.Requests.Mine(ctx, mara))(t)...)
	told("Plan", must(p.Requests.Plan(ctx, mara))(t).Requests...)
	r = must(p.Requests.Cancel(ctx, mara, r.ID, "I stay"))(t)
	told("Cancel", r)
	if r.Reason != "I stay" || r.By != mara.Account {
		t.Errorf("one's own words are gone: %+v", r)
	}
	if d := must(p.Requests.Get(ctx, p.Owner, r.ID))(t); d.History[1].Reason != "a fraud case" || d.History[1].ByName != "lin" {
		t.Errorf("those who decide are not told: %+v", d.History[1])
	}
	r = must(p.Requests.MakeFor(ctx, p.Owner, "mara", "a fraud case", ""))(t)
	told("Mine, made by others,", must(p.Requests.Mine(ctx, mara))(t)...)
	must(p.Requests.Refuse(ctx, p.Owner, r.ID, "the books are out"))(t)
	if got := must(p.Requests.Mine(ctx, mara))(t)[0]; got.Reason != "the books are out" || got.History[1].Reason != got.Reason {
		t.Errorf("the reason of the refusal is not told: %+v", got)
	}
}

// Nobody decides about themselves, about somebody above them, or without the role.
// ASVS 8.2.1
func TestWhoDecidesAboutRequests(t *testing.T) {
	p := coretest.Open(t)
	long(p)
	mara, noor, ida := p.SignUp("mara"), p.SignUp("noor"), p.SignUp("ida")
	give(t, p, coretest.Console(), "mara", core.RoleAdmin)
	give(t, p, coretest.Console(), "noor", core.RoleOwner)
	give(t, p, coretest.Console(), "ida", core.RoleSupport)
	own := asksDeletion(t, p, mara, "mara")
	above := asksDeletion(t, p, noor, "noor")
	for _, c := range []struct {
		actor core.Actor
		id    string
	}{{mara, own.ID}, {mara, above.ID}, {ida, own.ID}, {core.Actor{Door: core.DoorSSH, Remote: "192.0.2.9"}, own.ID}} {
		for name, act := range map[string]func() (core.Request, error){
			"approve": func() (core.Request, error) { return p.Requests.Approve(ctx, c.actor, c.id, "", "") },
			"refuse":  func() (core.Request, error) { return p.Requests.Refuse(ctx, c.actor, c.id, "no") },
			"hold":    func() (core.Request, error) { return p.Requests.Hold(ctx, c.actor, c.id, "no") },
			"move":    func() (core.Request, error) { return p.Requests.Move(ctx, c.actor, c.id, "") },
		} {
			if _, err := act(); core.CodeOf(err) != core.CodeDenied {
				t.Errorf("%s by %s: %v", name, c.actor.Account, err)
			}
		}
	}
	_, err := p.Requests.MakeFor(ctx, ida, "mara", "", "")
	refused(t, err, core.CodeDenied, "")
	_, err = p.Requests.MakeFor(ctx, mara, "lin", "", "")
	refused(t, err, core.CodeDenied, "")
	_, err = p.Requests.List(ctx, ida, "", "", 10)
	refused(t, err, core.CodeDenied, "")
	fresh(t, p, mara)
	r := must(p.Requests.MakeFor(ctx, p.Owner, "ida", "left the club", ""))(t)
	if r.Account != ida.Account || r.By != p.Owner.Account || r.ByName != "lin" || r.Reason != "left the club" {
		t.Errorf("%+v", r)
	}
	if n := len(must(p.Requests.List(ctx, mara, core.StateOpen, "", 10))(t).Requests); n != 3 {
		t.Errorf("%d open requests", n)
	}
	_, err = p.Requests.List(ctx, mara, "nonsense", "", 10)
	refused(t, err, core.CodeFormat, "state")
}

// The last owner is not deleted, however it is tried, also when the other one has
// gone in the days of grace.
func TestTheLastOwnerIsNotDeleted(t *testing.T) {
	p := coretest.Open(t)
	long(p)
	atOnce(t, p, "7")
	_, err := p.Requests.Make(ctx, p.Owner, "lin")
	refused(t, err, core.CodeLastOwner, "")
	mara := p.SignUp("mara")
	held := give(t, p, coretest.Console(), "mara", core.RoleOwner)
	fresh(t, p, p.Owner)
	r := asksDeletion(t, p, p.Owner, "lin")
	ok(t, p.Access.End(ctx, coretest.Console(), held.ID, ""))
	p.Clock.Advance(8 * day)
	must(p.Requests.RunDue(ctx))(t)
	r = must(p.Requests.Get(ctx, coretest.Console(), r.ID))(t).Request
	if gone(t, p, p.Owner.Account) || r.State != core.RequestHeld || r.Why != core.HeldLastOwner {
		t.Fatalf("%+v", r)
	}
	wasTold(t, p, p.Owner, core.NoticeRequestHeld)
	// With another owner the founder goes, and the portal is that one's.
	give(t, p, coretest.Console(), "mara", core.RoleOwner)
	must(p.Policy.Set(ctx, coretest.Console(), core.PolicyChange{Values: map[string]string{"deletion.grace_days": "0"}}))(t)
	_, err = p.Requests.Approve(ctx, coretest.Console(), r.ID, "", "mara")
	refused(t, err, core.CodeConfirm, "user_name") // nothing can be taken back
	must(p.Requests.Approve(ctx, coretest.Console(), r.ID, "", "lin"))(t)
	if !gone(t, p, p.Owner.Account) || gone(t, p, mara.Account) {
		t.Error("the founder is still there")
	}
	whole(t, p)
}

// Two owners who delete each other at the same moment: one stays.
func TestTwoOwnersDeleteEachOther(t *testing.T) {
	for range 20 {
		p := coretest.Open(t)
		atOnce(t, p, "0")
		mara := p.SignUp("mara")
		give(t, p, coretest.Console(), "mara", core.RoleOwner)
		both, names := []core.Actor{p.Owner, mara}, []string{"mara", "lin"}
		parallel(2, func(i int) { _, _ = p.Requests.MakeFor(ctx, both[i], names[i], "", names[i]) })
		if gone(t, p, p.Owner.Account) == gone(t, p, mara.Account) {
			t.Fatal("both are there, or neither is")
		}
		whole(t, p)
	}
}

// Of those who decide at the same moment one has decided.
func TestTwoDecideAtOnce(t *testing.T) {
	p := coretest.Open(t)
	long(p)
	mara := p.SignUp("mara")
	r := asksDeletion(t, p, mara, "mara")
	var mu sync.Mutex
	var codes []core.Code
	parallel(9, func(i int) {
		var err error
		switch i % 3 {
		case 0:
			_, err = p.Requests.Approve(ctx, coretest.Console(), r.ID, "", "")
		case 1:
			_, err = p.Requests.Refuse(ctx, coretest.Console(), r.ID, "no")
		default:
			_, err = p.Requests.Cancel(ctx, mara, r.ID, "")
		}
		mu.Lock()
		defer mu.Unlock()
		codes = append(codes, core.CodeOf(err))
	})
	d := must(p.Requests.Get(ctx, coretest.Console(), r.ID))(t)
	over := 0
	for _, s := range d.History {
		if !s.State.Open() {
			over++
		}
	}
	if d.Request.State.Open() || over != 1 {
		t.Errorf("%v %v", codes, wentThrough(d.Request))
	}
	for _, c := range codes {
		if c != "" && c != core.CodeRequestOver && c != core.CodeConflict {
			t.Errorf("refused with %s", c)
		}
	}
}

// Who decides can be named in the policy; it must be an owner, and when that one
// is no more, every owner is asked.
func TestTheDeciderIsNamed(t *testing.T) {
	p := coretest.Open(t)
	long(p)
	mara, noor := p.SignUp("mara"), p.SignUp("noor")
	set := func(name string) error {
		_, err := p.Policy.Set(ctx, coretest.Console(), core.PolicyChange{Values: map[string]string{"deletion.owner": name}})
		return err
	}
	refused(t, set("nobody"), core.CodeNotFound, "deletion.owner")
	refused(t, set("mara"), core.CodeNotOwner, "deletion.owner")
	give(t, p, coretest.Console(), "mara", core.RoleOwner)
	ok(t, set("mara"))
	for _, s := range core.Settings() {
		if s.Path == "deletion.owner" && s.Get(must(p.Policy.Current(ctx, p.Owner))(t)) != "mara" {
			t.Error("the policy does not say the name")
		}
	}
	asked := func(who core.Actor) (n int) {
		for _, k := range told(t, p, who) {
			if k == core.NoticeRequestMade {
				n++
			}
		}
		return n
	}
	r := asksDeletion(t, p, noor, "noor")
	if asked(mara) != 1 || asked(p.Owner) != 0 {
		t.Errorf("asked: %d and %d", asked(mara), asked(p.Owner))
	}
	must(p.Requests.Cancel(ctx, noor, r.ID, ""))(t)
	wasTold(t, p, mara, core.NoticeRequestGone)
	atOnce(t, p, "0")
	must(p.Requests.MakeFor(ctx, coretest.Console(), "mara", "", "mara"))(t)
	must(p.Policy.Set(ctx, coretest.Console(), core.PolicyChange{Values: map[string]string{"deletion.process": "mail"}}))(t)
	asksDeletion(t, p, noor, "noor")
	if asked(p.Owner) != 1 {
		t.Error("nobody was asked")
	}
	for _, v := range must(p.Policy.Versions(ctx, p.Owner, 0, 50))(t) {
		for _, c := range v.Changes {
			if c.Old == "mara" || c.New == "mara" {
				t.Errorf("version %d names the deleted: %+v", v.Version, c)
			}
		}
	}
}

// Work deletes when the time has come, and stops when it is told to.
func TestRequestsAreWorkedOn(t *testing.T) {
	p := coretest.Open(t)
	long(p)
	atOnce(t, p, "1")
	mara := p.SignUp("mara")
	stop := worksOn(t, p)
	asksDeletion(t, p, mara, "mara")
	eventually(t, "the account is deleted", func() bool {
		p.Clock.Advance(time.Hour)
		return gone(t, p, mara.Account)
	})
	stop()
	whole(t, p)
}

func requestFlows() []flow {
	return []flow{
		{name: "ask to be deleted", prepare: func(_ *testing.T, p *coretest.Place) func() error {
			me := p.SignIn("mara")
			return func() error { _, err := p.Requests.Make(ctx, me, "mara"); return err }
		}},
		{name: "be deleted at once", prepare: func(t *testing.T, p *coretest.Place) func() error {
			atOnce(t, p, "0")
			me := p.SignIn("mara")
			return func() error { _, err := p.Requests.Make(ctx, me, "mara"); return err }
		}},
		{name: "approve a request", prepare: func(t *testing.T, p *coretest.Place) func() error {
			r := asksDeletion(t, p, p.SignIn("mara"), "mara")
			return func() error { _, err := p.Requests.Approve(ctx, p.Owner, r.ID, "fine", ""); return err }
		}},
		{name: "refuse a request", prepare: func(t *testing.T, p *coretest.Place) func() error {
			r := asksDeletion(t, p, p.SignIn("mara"), "mara")
			return func() error { _, err := p.Requests.Refuse(ctx, p.Owner, r.ID, "no"); return err }
		}},
		{name: "put a request aside", prepare: func(t *testing.T, p *coretest.Place) func() error {
			r := asksDeletion(t, p, p.SignIn("mara"), "mara")
			return func() error { _, err := p.Requests.Hold(ctx, p.Owner, r.ID, "wait"); return err }
		}},
		{name: "take a request back", prepare: func(t *testing.T, p *coretest.Place) func() error {
			me := p.SignIn("mara")
			r := asksDeletion(t, p, me, "mara")
			return func() error { _, err := p.Requests.Cancel(ctx, me, r.ID, ""); return err }
		}},
		{name: "move a request", prepare: func(t *testing.T, p *coretest.Place) func() error {
			r := asksDeletion(t, p, p.SignIn("mara"), "mara")
			atOnce(t, p, "2")
			return func() error { _, err := p.Requests.Move(ctx, p.Owner, r.ID, ""); return err }
		}},
		{name: "ask for somebody to be deleted, not allowed", denied: true, prepare: func(_ *testing.T, p *coretest.Place) func() error {
			me := p.SignIn("mara")
			return func() error { _, err := p.Requests.MakeFor(ctx, me, "lin", "", ""); return err }
		}},
	}
}
