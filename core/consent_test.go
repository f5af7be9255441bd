package core_test

import (
	"slices"
	"testing"

	"postern/core"
	"postern/core/coretest"
)

// Wherever somebody's act deletes an account there and then, its name is typed
// first; for many, how many they are. Elsewhere nothing has to be typed.
func TestWhatCannotBeTakenBackIsTypedOut(t *testing.T) {
	console := coretest.Console()
	acts := map[string]func(t *testing.T, p *coretest.Place, r core.Request, typed string) error{
		"a request for somebody": func(_ *testing.T, p *coretest.Place, _ core.Request, typed string) error {
			_, err := p.Requests.MakeFor(ctx, console, "noor", "", typed)
			return err
		},
		"a request that is moved": func(_ *testing.T, p *coretest.Place, r core.Request, typed string) error {
			_, err := p.Requests.Move(ctx, console, r.ID, typed)
			return err
		},
		"an approval": func(_ *testing.T, p *coretest.Place, r core.Request, typed string) error {
			_, err := p.Requests.Approve(ctx, console, r.ID, "", typed)
			return err
		},
		"the same act for one": func(t *testing.T, p *coretest.Place, _ core.Request, typed string) error {
			got := must(p.Accounts.Each(ctx, console, core.BulkAct{Kind: core.BulkDelete, Confirm: typed}, []string{"noor", "noor"}, nil))(t)
			if len(got.Refused) > 0 {
				return &core.Error{Code: got.Refused[0].Code, Field: "user_name"}
			}
			return nil
		},
	}
	for name, act := range acts {
		t.Run(name, func(t *testing.T) {
			p := coretest.Open(t)
			long(p)
			mara, noor := p.SignUp("mara"), p.SignUp("noor")
			r := asksDeletion(t, p, mara, "mara")
			account, user := mara, "mara"
			if slices.Contains([]string{"a request for somebody", "the same act for one"}, name) {
				account, user = noor, "noor"
			}
			atOnce(t, p, "0")
			for _, typed := range []string{"", "lin"} {
				refused(t, act(t, p, r, typed), core.CodeConfirm, "user_name")
			}
			if gone(t, p, account.Account) {
				t.Fatal("deleted without its name")
			}
			ok(t, act(t, p, r, " "+user))
			if !gone(t, p, account.Account) {
				t.Error("still there")
			}
			whole(t, p)
		})
	}
	t.Run("with days of grace", func(t *testing.T) {
		p := coretest.Open(t)
		long(p)
		mara := p.SignUp("mara")
		p.SignUp("noor")
		r := asksDeletion(t, p, mara, "mara")
		atOnce(t, p, "7")
		must(p.Requests.Move(ctx, console, r.ID, ""))(t)
		must(p.Requests.MakeFor(ctx, console, "noor", "", ""))(t)
	})
}

// For several, how many they are is typed; before that nobody is touched.
func TestManyAreNotDeletedByTheWay(t *testing.T) {
	p := coretest.Open(t)
	var ids []string
	for _, name := range []string{"mara", "noor", "ida"} {
		ids = append(ids, p.SignUp(name).Account)
	}
	atOnce(t, p, "0")
	act := core.BulkAct{Kind: core.BulkDelete}
	for _, typed := range []string{"", "2", "mara", "all"} {
		act.Confirm = typed
		got, err := p.Accounts.Each(ctx, coretest.Console(), act, ids, nil)
		refused(t, err, core.CodeConfirm, "users")
		if got.Done != 0 || gone(t, p, ids[0]) {
			t.Fatalf("%q: %+v", typed, got)
		}
	}
	act.Confirm = "3"
	if got := must(p.Accounts.Each(ctx, coretest.Console(), act, ids, nil))(t); got.Done != 3 || !gone(t, p, ids[2]) {
		t.Errorf("%+v", got)
	}
}

// The consent of a person is to what they were shown: when the policy says otherwise
// by then, they are asked anew.
func TestConsentIsToWhatWasShown(t *testing.T) {
	p := coretest.Open(t)
	long(p)
	mara := p.SignUp("mara")
	shown := must(p.Requests.Plan(ctx, mara))(t).DeletionTerms
	atOnce(t, p, "0")
	fresh(t, p, mara)
	_, err := p.Requests.MakeAsShown(ctx, mara, "mara", shown)
	refused(t, err, core.CodeConflict, "process")
	if gone(t, p, mara.Account) || len(must(p.Requests.Mine(ctx, mara))(t)) != 0 {
		t.Fatal("done all the same")
	}
	shown = must(p.Requests.Plan(ctx, mara))(t).DeletionTerms
	if r := must(p.Requests.MakeAsShown(ctx, mara, "mara", shown))(t); r.State != core.RequestDeleted {
		t.Errorf("%+v", r)
	}
}

// When the owner who decides asks to be deleted, another one is told, who may.
func TestNobodyIsToldAloneOfTheirOwnRequest(t *testing.T) {
	p := coretest.Open(t)
	long(p)
	mara := p.SignUp("mara")
	give(t, p, coretest.Console(), "mara", core.RoleOwner)
	p.Set("deletion.owner", "lin")
	fresh(t, p, p.Owner)
	must(p.Requests.Make(ctx, p.Owner, "lin"))(t)
	wasTold(t, p, mara, core.NoticeRequestMade)
	if told := toldOf(t, p, p.Owner); slices.Contains(told, core.NoticeRequestMade) {
		t.Errorf("lin is to decide about herself: %v", told)
	}
}

// A request that is moved to another process is told to its person.
func TestAMoveIsTold(t *testing.T) {
	p := coretest.Open(t, coretest.WithAnalysis(nil, nil))
	long(p)
	mara := p.SignUp("mara")
	r := asksDeletion(t, p, mara, "mara")
	must(p.Requests.Hold(ctx, coretest.Console(), r.ID, "to be looked at"))(t)
	decides(t, p, "hold('later')")
	before := len(toldOf(t, p, mara))
	must(p.Requests.Move(ctx, coretest.Console(), r.ID, ""))(t)
	if n := len(toldOf(t, p, mara)) - before; n != 1 {
		t.Errorf("told %d times", n)
	}
	wasTold(t, p, mara, core.NoticeDeleteAsked)
}
