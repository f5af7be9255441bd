package core_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"postern/core"
	"postern/core/coretest"
	"postern/core/mail/mailtest"
	"postern/store/bolt"
)

// worksOn lets requests be worked on until the test ends, or until stop.
func worksOn(t testing.TB, p *coretest.Place) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); p.Requests.Work(ctx) }()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(stop)
	return stop
}

// livedIn is somebody who has used everything that there is, and what names them.
func livedIn(t testing.TB, p *coretest.Place) (me core.Actor, names []string) {
	t.Helper()
	long(p)
	p.Set("factors.sms", "on", "factors.email", "on", "messages.sms_allowance", "100",
		"sign_up.fields", "badge:text::Badge; born:hidden::Born")
	rules := must(p.Agreements.Publish(ctx, coretest.Console(), core.AgreementInput{Name: "Rules of the house", Link: "https://example.org/rules"}))(t)
	in := coretest.Input("zephyrine")
	in.Agreed = []string{rules.Ref()}
	in.DisplayName, in.Email = "Zephyrine Quux", "zq@quux.example"
	in.Fields = map[string]string{"badge": "BADGE-7788"}
	s := must(p.Accounts.SignUp(ctx, coretest.From("198.51.100.77"), in))(t)
	me = coretest.From("198.51.100.77").With(s.SignedIn)
	confirm(t, p, me)
	must(p.Accounts.UpdateProfile(ctx, me, core.ProfileInput{DisplayName: "Zephyrine Quuxley", Email: "zephyrine@quux.example", Fields: in.Fields}))(t)
	confirm(t, p, me)
	a := enrolApp(t, p, me, "quux-phone")
	enrolAddress(t, p, me, core.FactorSMS, "+4915112345678")
	save(t, p, me)
	ok(t, p.Keys.Link(ctx, withKey(me, "SHA256:quuxkey"), "quux laptop"))
	ok(t, p.Access.End(ctx, coretest.Console(), give(t, p, coretest.Console(), "zephyrine", core.RoleAuditor).ID, "quux is no auditor"))
	give(t, p, coretest.Console(), "zephyrine", core.RoleAdmin)
	must(p.Apps.Create(ctx, coretest.Console(), core.AppInput{Name: "Archive", Owner: "zephyrine"}))(t)
	must(p.Apps.Create(ctx, coretest.Console(), core.AppInput{Name: "Kiln", Owner: "lin"}))(t)
	must(p.Apps.Share(ctx, coretest.Console(), "kiln", core.ShareInput{User: "zephyrine", Role: core.RoleMember}))(t)
	other := signsIn(t, p, coretest.From("203.0.113.5"), "zephyrine", a)
	ok(t, p.Portal.Sessions.End(ctx, other, other.Session))
	_, _ = p.TrySignIn(coretest.From("203.0.113.6"), "zephyrine", "Wrong-Password-77-Elm")
	must(p.Accounts.ChangePassword(ctx, me, coretest.Password, strong, false))(t)
	ok(t, p.Policy.SaveDraft(ctx, me, core.PolicyDraft{Base: must(p.Policy.Current(ctx, p.Owner))(t).Version, Values: map[string]string{"session.max": "3"}, Reason: "quux"}))
	// Two requests that came to nothing say why, and so does the one that is open.
	r := must(p.Requests.Make(ctx, me, "zephyrine"))(t)
	must(p.Requests.Hold(ctx, coretest.Console(), r.ID, "Quuxley has a microscope"))(t)
	must(p.Requests.Refuse(ctx, coretest.Console(), r.ID, "Quuxley owes us a microscope"))(t)
	r = must(p.Requests.MakeFor(ctx, coretest.Console(), "zephyrine", "the quux has left", ""))(t)
	must(p.Requests.Cancel(ctx, me, r.ID, "quux is back"))(t)
	must(p.Requests.Make(ctx, me, "zephyrine"))(t)
	return me, []string{"zephyrine", "Zephyrine", "Quux", "quux", "BADGE-7788", "4915112345678"}
}

// naming lists the keys of what names somebody, in the key or in the value.
func naming(dump map[string]string, names []string) (keys []string) {
	for k, v := range dump {
		if slices.ContainsFunc(names, func(n string) bool { return strings.Contains(k, n) || strings.Contains(v, n) }) {
			keys = append(keys, fmt.Sprintf("%q: %.200s", k, v))
		}
	}
	slices.Sort(keys)
	return keys
}

// After a deletion nothing in the store names the person, in no table, in no
// index, in no entry of the trail, in nobody else's inbox; the trail keeps what
// was done, under the id, and everybody else's is as it was.
func TestNothingNamesTheDeleted(t *testing.T) {
	p := coretest.Open(t)
	me, names := livedIn(t, p)
	if len(naming(p.Dump(), names)) < 15 {
		t.Fatal("the person has hardly been there")
	}
	acted := 0
	for _, e := range p.Trail() {
		if e.Actor == me.Account || e.About == me.Account {
			acted++
		}
	}
	p.Set("deletion.grace_days", "0")
	r := must(p.Requests.Mine(ctx, me))(t)[0]
	expect := must(p.Requests.Get(ctx, coretest.Console(), r.ID))(t).Losses
	r = must(p.Requests.Approve(ctx, coretest.Console(), r.ID, "zephyrine asked for it", "zephyrine"))(t)
	if *r.Lost != expect {
		t.Errorf("announced was %+v, lost is %+v", expect, *r.Lost)
	}
	for _, k := range naming(p.Dump(), names) {
		t.Errorf("names the deleted: %s", k)
	}
	for k, v := range p.Dump() {
		table := k[:strings.IndexFunc(k, func(r rune) bool { return (r < 'a' || r > 'z') && r != '_' })]
		if strings.Contains(k+v, me.Account) && !slices.Contains([]string{"audit", "request", "policy", "forget"}, table) {
			t.Errorf("%q still knows the deleted by their id: %.200s", k, v)
		}
	}
	left := 0
	for _, e := range p.Trail() {
		if e.About == me.Account && e.Action != core.ActAccountDelete && !e.Erased && e.Target != "" {
			t.Errorf("says something of the deleted: %+v", e)
		}
		if e.Actor == me.Account && e.Name != "" {
			t.Errorf("names the deleted: %+v", e)
		}
		if e.Actor == me.Account || e.About == me.Account {
			left++
		}
	}
	if left < acted+2 {
		t.Errorf("the trail had %d entries and has %d", acted, left)
	}
	// The app has another owner, and the share is over.
	for _, a := range must(p.Apps.List(ctx, coretest.Console(), "", "", 10))(t).Apps {
		if a.OwnerName != "lin" {
			t.Errorf("app %s is owned by %q", a.Name, a.OwnerName)
		}
	}
	whole(t, p)
}

// What an older program has left of the deleted in requests and runs is forgotten
// when its data is opened; what is said of those who are there stays.
func TestLeftoversAreForgottenWhenDataIsOpened(t *testing.T) {
	p := coretest.Open(t)
	noor := p.SignUp("noor")
	asksDeletion(t, p, noor, "noor")
	atOnce(t, p, "0")
	mara := p.SignUp("mara")
	asksDeletion(t, p, mara, "mara")
	ok(t, core.LeaveBehind(p.Portal, noor.Account, "noor stays"))
	ok(t, core.LeaveBehind(p.Portal, mara.Account, "mara left"))
	p.Close()
	again := coretest.New(t, coretest.WithStore(p.DB), coretest.WithClock(p.Clock))
	if left := naming(again.Dump(), []string{"mara left"}); len(left) > 0 {
		t.Errorf("names the deleted: %v", left)
	}
	if n := len(naming(again.Dump(), []string{"noor stays"})); n != 3 {
		t.Errorf("%d records say something of who is there", n)
	}
	whole(t, again)
}

// The name of somebody who was deleted, and its twins, are not given again; the
// address may be.
func TestNamesAreNotGivenAgain(t *testing.T) {
	p := coretest.Open(t)
	atOnce(t, p, "0")
	asksDeletion(t, p, p.SignUp("mara"), "mara")
	for _, name := range []string{"mara", "Mara", "rnara"} {
		in := coretest.Input(name)
		in.Email = ""
		_, err := p.Accounts.SignUp(ctx, coretest.Local(), in)
		refused(t, err, core.CodeTaken, "user_name")
		refused(t, p.Accounts.NameFree(ctx, coretest.Local(), name), core.CodeTaken, "user_name")
	}
	in := coretest.Input("noor")
	in.Email = coretest.Input("mara").Email
	must(p.Accounts.SignUp(ctx, coretest.Local(), in))(t)
	whole(t, p)
}

// The receipt goes to the address that the account had, and then the address goes.
func TestTheFarewellIsForgotten(t *testing.T) {
	office := withMail(t, mailtest.Options{})
	p := office.Place
	long(p)
	atOnce(t, p, "0")
	mara := p.SignUp("mara")
	p.ConfirmEmail(mara)
	office.deliver(t)
	asksDeletion(t, p, mara, "mara")
	eventually(t, "the address is forgotten", func() bool { return len(naming(p.Dump(), []string{"mara"})) == 0 })
	office.stop()
	last := office.server.Messages()
	if m := last[len(last)-1]; m.To != "mara@example.org" || m.Subject != string(core.MessageFarewell) {
		t.Errorf("the last mail went to %q: %v", m.To, m)
	}
	whole(t, p)
}

// In the file itself a deleted person's names stand in old pages, as keys of
// indexes, until it is compacted. (That values which are not sealed go as well
// is shown beside bolt.Compact.)
func TestTheFileForgetsWhenItIsCompacted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	db := must(bolt.Open(ctx, bolt.Options{Dir: dir, Command: "test"}))(t)
	p := coretest.Open(t, coretest.WithStore(db))
	me, _ := livedIn(t, p)
	p.Set("deletion.grace_days", "0")
	r := must(p.Requests.Mine(ctx, me))(t)[0]
	must(p.Requests.Approve(ctx, coretest.Console(), r.ID, "", "zephyrine"))(t)
	p.Close()
	ok(t, db.Close())
	names := []string{"zephyrine", "quux.example", "quuxkey"}
	held := func() (list []string) {
		file := must(os.ReadFile(filepath.Join(dir, bolt.DatabaseFile)))(t)
		for _, n := range names {
			if bytes.Contains(file, []byte(n)) {
				list = append(list, n)
			}
		}
		return list
	}
	if len(held()) == 0 {
		t.Error("the file has forgotten by itself: this test shows nothing")
	}
	must(bolt.Compact(ctx, dir, ""))(t)
	if list := held(); len(list) > 0 {
		t.Errorf("the compacted file names %v", list)
	}
	db = must(bolt.Open(ctx, bolt.Options{Dir: dir, Command: "test"}))(t)
	defer db.Close()
	again := coretest.New(t, coretest.WithStore(db), coretest.WithClock(p.Clock))
	whole(t, again)
	again.Close()
}
