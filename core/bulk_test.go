// The same act for many: each is done or refused by itself, and the result says
// exactly which.
package core_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
	"postern/store/memory"
	"postern/store/storetest"
)

// people signs up n, and returns their names.
func people(t *testing.T, p *coretest.Place, n int) []string {
	t.Helper()
	ok(t, core.FillPeople(p.Portal, n, nil))
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("p%07d", i)
	}
	return names
}

func TestManyAreSuspendedAtOnce(t *testing.T) {
	p := coretest.Open(t)
	names := people(t, p, 200)
	mara := p.SignUp("mara")
	live := must(p.Sessions.Attach(ctx, mara))(t)
	ok(t, p.Accounts.Suspend(ctx, p.Owner, names[3], ""))
	before := len(p.Trail())
	refs := append(slices.Clone(names), "mara", "lin", "nobody", names[0])
	var told []int
	got := must(p.Accounts.Each(ctx, p.Owner, core.BulkAct{Kind: core.BulkSuspend, Reason: "end of term"}, refs, func(done, total int) {
		if total != 203 {
			t.Errorf("of %d", total)
		}
		told = append(told, done)
	}))(t)
	if got.Done != 200 || got.Left != 0 {
		t.Errorf("done %d, left %d", got.Done, got.Left)
	}
	want := []core.BulkRefusal{{User: names[3], Code: core.CodeState}, {User: "lin", Code: core.CodeOwnAccount}, {User: "nobody", Code: core.CodeNotFound}}
	if !slices.Equal(got.Refused, want) {
		t.Errorf("refused %v, want %v", got.Refused, want)
	}
	if len(told) != 203 || !slices.IsSorted(told) || told[202] != 203 {
		t.Errorf("told %d times, at last %v", len(told), told[len(told)-1])
	}
	ends(t, live, core.EndSuspended)
	// Each is an act of its own, those that were refused too. ASVS 16.2.1
	entries := p.Trail()
	if n := len(entries) - before; n != 203 {
		t.Errorf("%d entries", n)
	}
	for _, e := range entries[:203] {
		if e.Action != core.ActSuspend || e.Outcome == core.OutcomeDone && e.Reason != "end of term" {
			t.Fatalf("the entry %+v", e)
		}
	}
}

func TestEveryActCanBeDoneToMany(t *testing.T) {
	p := coretest.Open(t)
	people(t, p, 3)
	in := p.SignUp("mara")
	live := must(p.Sessions.Attach(ctx, in))(t)
	ok(t, core.PutFactor(p.Portal, in.Account, core.FactorApp))
	each := func(kind core.BulkKind, refs ...string) core.BulkResult {
		t.Helper()
		return must(p.Accounts.Each(ctx, p.Owner, core.BulkAct{Kind: kind}, refs, nil))(t)
	}
	two := []string{"mara", "p0000000"}
	state := func(name string) core.State { return must(p.Accounts.Show(ctx, p.Owner, name))(t).State }
	if got := each(core.BulkEndSessions, two...); got.Done != 2 {
		t.Errorf("end sessions: %+v", got)
	}
	ends(t, live, core.EndByAdmin)
	if got := each(core.BulkResetFactors, two...); got.Done != 1 || got.Refused[0] != (core.BulkRefusal{User: "p0000000", Code: core.CodeNoFactor}) {
		t.Errorf("reset factors: %+v", got)
	}
	for _, kind := range []core.BulkKind{core.BulkExpire, core.BulkUnlock, core.BulkSuspend} {
		if got := each(kind, two...); got.Done != 2 {
			t.Errorf("%s: %+v", kind, got)
		}
	}
	if state("mara") != core.StateSuspended {
		t.Error("not suspended")
	}
	if got := each(core.BulkResume, two...); got.Done != 2 || state("mara") != core.StateActive {
		t.Errorf("resume: %+v", got)
	}
	p.Set("sign_up.mode", "approval")
	p.SignUp("noor")
	p.SignUp("otto")
	if got := each(core.BulkApprove, "noor"); got.Done != 1 || state("noor") != core.StateActive {
		t.Errorf("approve: %+v", got)
	}
	if got := each(core.BulkReject, "noor", "otto"); got.Done != 1 || state("otto") != core.StateRejected {
		t.Errorf("reject: %+v", got)
	}
	for _, k := range core.BulkKinds() {
		if _, err := p.Accounts.Each(ctx, p.Owner, core.BulkAct{Kind: k}, nil, nil); err != nil {
			t.Errorf("%s of nobody: %v", k, err)
		}
	}
}

// Whoever does something to many is not shut out by it themselves, by whatever
// name they are among them: it goes on to its end, and says that they were left out.
func TestAnActOnManyDoesNotShutOutItsActor(t *testing.T) {
	p := coretest.Open(t)
	names := people(t, p, 200)
	mara := p.SignUp("mara")
	grant(t, p, mara.Account, core.RoleOwner) // so that lin is not the last one
	ok(t, core.PutFactor(p.Portal, p.Owner.Account, core.FactorApp))
	ok(t, core.PutFactor(p.Portal, mara.Account, core.FactorApp))
	for _, kind := range []core.BulkKind{core.BulkResetFactors, core.BulkSuspend, core.BulkDelete} {
		refs := append([]string{"LIN", p.Owner.Account, "lin@example.org"}, append(slices.Clone(names), "mara")...)
		got := must(p.Accounts.Each(ctx, p.Owner, core.BulkAct{Kind: kind}, refs, nil))(t)
		if got.Left != 0 || got.Done+len(got.Refused) != 204 || got.Done == 0 {
			t.Errorf("%s: done %d, refused %d, left %d", kind, got.Done, len(got.Refused), got.Left)
		}
		for _, r := range got.Refused[:3] {
			if r.Code != core.CodeOwnAccount {
				t.Errorf("%s: of oneself it says %+v", kind, r)
			}
		}
	}
	// What leaves the way in is done to oneself, too: one's own session stays.
	for _, kind := range []core.BulkKind{core.BulkEndSessions, core.BulkExpire} {
		if got := must(p.Accounts.Each(ctx, p.Owner, core.BulkAct{Kind: kind}, []string{"lin", "mara"}, nil))(t); got.Done != 2 {
			t.Errorf("%s: %+v", kind, got)
		}
	}
	// The console is nobody's account.
	got := must(p.Accounts.Each(ctx, coretest.Console(), core.BulkAct{Kind: core.BulkSuspend}, []string{"lin", "nobody"}, nil))(t)
	if got.Refused[0].Code != core.CodeLastOwner {
		t.Errorf("the console is told %+v", got)
	}
	// Alone it is what it is without others, for those who mean themselves.
	ok(t, p.Accounts.Resume(ctx, p.Owner, "mara"))
	if got := must(p.Accounts.Each(ctx, p.Owner, core.BulkAct{Kind: core.BulkSuspend}, []string{"lin"}, nil))(t); got.Done != 1 {
		t.Errorf("of oneself alone: %+v", got)
	}
}

// Who may do it to nobody is told so once, and support never reaches those with a
// role. ASVS 8.2.2
func TestAnActOnManyIsAllowedForEach(t *testing.T) {
	p := coretest.Open(t)
	names := people(t, p, 3)
	mara, noor := p.SignUp("mara"), p.SignUp("noor")
	before := len(p.Trail())
	_, err := p.Accounts.Each(ctx, mara, core.BulkAct{Kind: core.BulkSuspend}, names, nil)
	refused(t, err, core.CodeDenied, "")
	if n := len(p.Trail()) - before; n != 1 {
		t.Errorf("%d entries for one refusal", n)
	}
	grant(t, p, mara.Account, core.RoleSupport)
	grant(t, p, noor.Account, core.RoleAuditor)
	got := must(p.Accounts.Each(ctx, mara, core.BulkAct{Kind: core.BulkExpire}, append(names, "noor", "lin"), nil))(t)
	if got.Done != 3 || len(got.Refused) != 2 || got.Refused[0].Code != core.CodeDenied || got.Refused[1].Code != core.CodeDenied {
		t.Errorf("support got %+v", got)
	}
	p.Clock.Advance(core.StepUpFor + time.Second)
	_, err = p.Accounts.Each(ctx, mara, core.BulkAct{Kind: core.BulkResetFactors}, names, nil)
	refused(t, err, core.CodeStepUp, "")
	_, err = p.Accounts.Each(ctx, mara, core.BulkAct{Kind: "hug"}, names, nil)
	refused(t, err, core.CodeNotFound, "act")
	_, err = p.Accounts.Each(ctx, mara, core.BulkAct{Kind: core.BulkSuspend, Reason: "a\x1b"}, names, nil)
	refused(t, err, core.CodeCharacter, "reason")
	_, err = p.Accounts.Each(ctx, mara, core.BulkAct{Kind: core.BulkSuspend}, make([]string, core.MaxBulk+1), nil)
	refused(t, err, core.CodeRange, "users")
}

// Stopped on the way, it says what was done, and the rest is as it was.
func TestAnActOnManyCanBeStopped(t *testing.T) {
	p := coretest.Open(t)
	names := people(t, p, 500)
	stop, cancel := context.WithCancel(ctx)
	defer cancel()
	got := must(p.Accounts.Each(stop, p.Owner, core.BulkAct{Kind: core.BulkSuspend}, names, func(done, _ int) {
		if done == 100 {
			cancel()
		}
	}))(t)
	suspended, _ := search(t, p, core.PeopleQuery{State: core.StateSuspended, N: core.MaxPage})
	if got.Done < 100 || got.Left == 0 || got.Done+got.Left != 500 || len(suspended) != got.Done {
		t.Errorf("%+v, and %d are suspended", got, len(suspended))
	}
}

// An admin who is suspended while it goes on gets no further.
func TestAnActOnManyEndsWithItsActor(t *testing.T) {
	p := coretest.Open(t)
	names := people(t, p, 500)
	mara := p.SignUp("mara")
	grant(t, p, mara.Account, core.RoleAdmin)
	got, err := p.Accounts.Each(ctx, mara, core.BulkAct{Kind: core.BulkSuspend}, names, func(done, _ int) {
		if done == 100 {
			ok(t, p.Accounts.Suspend(ctx, p.Owner, "mara", ""))
		}
	})
	refused(t, err, core.CodeSessionEnded, "")
	suspended, _ := search(t, p, core.PeopleQuery{State: core.StateSuspended, N: core.MaxPage})
	if got.Left == 0 || len(suspended) != got.Done+1 {
		t.Errorf("%d done, %d left, and %d are suspended", got.Done, got.Left, len(suspended))
	}
}

// A store that fails in the middle leaves each account done or not, as it says.
func TestAnActOnManyMeetsAFailingStore(t *testing.T) {
	db := memory.New()
	t.Cleanup(func() { _ = db.Close() })
	faulty := storetest.NewFaulty(db)
	p := coretest.New(t, coretest.WithStore(faulty))
	p.SetUp("lin")
	names := people(t, p, 50)
	faulty.FailAt(200)
	got, err := p.Accounts.Each(ctx, p.Owner, core.BulkAct{Kind: core.BulkSuspend}, names, nil)
	faulty.FailAt(0)
	if core.CodeOf(err) != core.CodeInternal {
		t.Fatalf("got %v", err)
	}
	suspended, _ := search(t, p, core.PeopleQuery{State: core.StateSuspended, N: 100})
	if len(suspended) != got.Done || got.Done+len(got.Refused)+got.Left != 50 {
		t.Errorf("%+v, and %d are suspended", got, len(suspended))
	}
}
