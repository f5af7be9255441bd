package core_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"postern/core"
	"postern/core/coretest"
	"postern/core/script"
)

// decides has requests decided by a script, with no days of grace.
func decides(t testing.TB, p *coretest.Place, source string) {
	t.Helper()
	must(p.Analysis.Save(ctx, coretest.Console(), core.ScriptInput{Name: "leavers", Source: source, Reason: "test"}))(t)
	must(p.Policy.Set(ctx, coretest.Console(), core.PolicyChange{Values: map[string]string{
		"deletion.process": "analysis", "deletion.script": "leavers", "deletion.grace_days": "0"}}))(t)
}

// What a script decides becomes of the request, and whatever goes wrong holds it.
func TestAScriptDecides(t *testing.T) {
	for _, c := range []struct {
		name, source string
		state        core.RequestState
		why          core.HeldWhy
		reason       string
	}{
		{"approve", `approve()`, core.RequestDeleted, "", ""},
		{"approve by the account", `approve() if account.user_name == "mara" else hold("who?")`, core.RequestDeleted, "", ""},
		{"reject", `reject("the books are out")`, core.RequestRefused, "", "the books are out"},
		{"hold", `hold("ask lin")`, core.RequestHeld, core.HeldByScript, "ask lin"},
		{"no decision", `print("hm")`, core.RequestHeld, core.HeldFailed, ""},
		{"an error", `approve(1 // 0)`, core.RequestHeld, core.HeldFailed, ""},
		{"two decisions", "approve()\nreject('no')", core.RequestHeld, core.HeldFailed, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := coretest.Open(t)
			long(p)
			mara := p.SignUp("mara")
			decides(t, p, c.source)
			r := asksDeletion(t, p, mara, "mara")
			if r.State != core.RequestMade || r.Script != "leavers" {
				t.Fatalf("%+v", r)
			}
			must(p.Requests.RunDue(ctx))(t)
			r = must(p.Requests.Get(ctx, coretest.Console(), r.ID))(t).Request
			if r.State != c.state || r.Why != c.why || r.Reason != c.reason || gone(t, p, mara.Account) != (c.state == core.RequestDeleted) {
				t.Errorf("%+v", r)
			}
			run := must(p.Analysis.Show(ctx, coretest.Console(), r.Run))(t)
			if run.Request != r.ID || run.State != core.RunDone || c.state == core.RequestDeleted && (run.User != "" || run.Log != "") {
				t.Errorf("%+v", run)
			}
			must(p.Requests.RunDue(ctx))(t)
			if n := len(must(p.Analysis.Runs(ctx, coretest.Console(), "", "", 10))(t).Runs); n != 1 {
				t.Errorf("%d runs", n)
			}
			whole(t, p)
		})
	}
}

// A policy names a script that there is, and one that it names is not retired.
func TestTheScriptOfThePolicyIsThere(t *testing.T) {
	p := coretest.Open(t)
	_, err := p.Policy.Set(ctx, coretest.Console(), core.PolicyChange{Values: map[string]string{"deletion.process": "analysis"}})
	refused(t, err, core.CodeRequired, "deletion.script")
	_, err = p.Policy.Set(ctx, coretest.Console(), core.PolicyChange{Values: map[string]string{"deletion.process": "analysis", "deletion.script": "none"}})
	refused(t, err, core.CodeNotFound, "deletion.script")
	decides(t, p, "approve()")
	refused(t, p.Analysis.Retire(ctx, coretest.Console(), "leavers"), core.CodeScriptInUse, "script")
}

// crashing is an analyst whose process dies in the middle of a run: nothing is
// written down any more.
type crashing struct{ stop context.CancelFunc }

func (c crashing) Run(context.Context, script.Input, script.Limits) script.Result {
	c.stop()
	panic("the process dies")
}

// A crash in the middle of a run leaves it unknown and the request held: it is not
// run again, and goes on as a person says, with nothing done that the script may
// have asked for.
func TestACrashInTheMiddleOfAnAnalysis(t *testing.T) {
	for verdict, state := range map[script.Verdict]core.RequestState{
		script.Approve: core.RequestDeleted, script.Reject: core.RequestRefused, script.Hold: core.RequestHeld,
	} {
		t.Run(string(verdict), func(t *testing.T) {
			dying, stop := context.WithCancel(ctx)
			p := coretest.Open(t, coretest.WithAnalysis(crashing{stop}, nil))
			long(p)
			mara := p.SignUp("mara")
			decides(t, p, "approve()")
			r := asksDeletion(t, p, mara, "mara")
			func() {
				defer func() { _ = recover() }()
				_, _ = p.Requests.RunDue(dying)
			}()
			p.Close()
			again := coretest.New(t, coretest.WithStore(p.DB), coretest.WithClock(p.Clock))
			must(again.Requests.RunDue(ctx))(t)
			r = must(again.Requests.Get(ctx, coretest.Console(), r.ID))(t).Request
			if r.State != core.RequestHeld || r.Why != core.HeldUnknown || gone(t, again, mara.Account) {
				t.Fatalf("%+v", r)
			}
			unknown := must(again.Analysis.Runs(ctx, coretest.Console(), core.RunUnknown, "", 10))(t).Runs
			if len(unknown) != 1 || unknown[0].ID != r.Run {
				t.Fatalf("%+v", unknown)
			}
			if verdict == script.Approve { // which deletes: no way round the name
				_, err := again.Analysis.Resolve(ctx, coretest.Console(), r.Run, verdict, "looked at the log", "")
				refused(t, err, core.CodeConfirm, "user_name")
			}
			must(again.Analysis.Resolve(ctx, coretest.Console(), r.Run, verdict, "looked at the log", "mara"))(t)
			r = must(again.Requests.Get(ctx, coretest.Console(), r.ID))(t).Request
			if r.State != state {
				t.Errorf("%+v", r)
			}
			whole(t, again)
		})
	}
}

// A request that is taken back while the script runs stays taken back.
func TestTakenBackWhileTheScriptRuns(t *testing.T) {
	var p *coretest.Place
	var id string
	p = coretest.Open(t, coretest.WithAnalysis(meanwhile(func() {
		_, err := p.Requests.Cancel(ctx, coretest.Console(), id, "")
		ok(t, err)
	}), nil))
	long(p)
	mara := p.SignUp("mara")
	decides(t, p, "approve()")
	id = asksDeletion(t, p, mara, "mara").ID
	must(p.Requests.RunDue(ctx))(t)
	r := must(p.Requests.Get(ctx, coretest.Console(), id))(t).Request
	run := must(p.Analysis.Show(ctx, coretest.Console(), r.Run))(t)
	if r.State != core.RequestCancelled || gone(t, p, mara.Account) || run.Outcome != core.OutcomeOvertaken {
		t.Errorf("%+v %+v", r, run)
	}
	whole(t, p)
}

// An account that is deleted while a script looks at it stays deleted: what is
// written down of the run afterwards names nobody, and a dry run is not kept at all.
func TestDeletedWhileTheScriptRuns(t *testing.T) {
	for _, dry := range []bool{false, true} {
		t.Run(fmt.Sprint("dry ", dry), func(t *testing.T) {
			var p *coretest.Place
			var id string
			p = coretest.Open(t, coretest.WithAnalysis(meanwhile(func() {
				must(p.Requests.Approve(ctx, coretest.Console(), id, "", "mara"))(t)
			}), nil))
			long(p)
			mara := p.SignUp("mara")
			source := "print(account.email)\nnotify('owner', account.user_name)\nhold(account.user_name)"
			if dry {
				saved(t, p, "leavers", source)
				p.Set("deletion.grace_days", "0")
			} else {
				decides(t, p, source)
			}
			id = asksDeletion(t, p, mara, "mara").ID
			if dry {
				refused(t, only(p.Analysis.DryRun(ctx, coretest.Console(), core.DryInput{Name: "leavers", User: "mara"})), core.CodeNotFound, "user")
			} else {
				must(p.Requests.RunDue(ctx))(t)
			}
			if !gone(t, p, mara.Account) {
				t.Fatal("not deleted")
			}
			if left := naming(p.Dump(), []string{"mara"}); len(left) > 0 {
				t.Errorf("names the deleted: %v", left)
			}
			kept := must(p.Analysis.Runs(ctx, coretest.Console(), "", "", 10))(t).Runs
			if dry && len(kept) != 0 || !dry && (len(kept) != 1 || kept[0].Outcome != core.OutcomeOvertaken) {
				t.Errorf("kept are %+v", kept)
			}
			whole(t, p)
		})
	}
}

// What somebody says of an unknown run of a deleted account is not kept either.
func TestAnUnknownRunOfTheDeletedIsResolved(t *testing.T) {
	p := coretest.Open(t)
	long(p)
	mara := p.SignUp("mara")
	r := unknownRun(t, p)
	atOnce(t, p, "0")
	asksDeletion(t, p, mara, "mara")
	got := must(p.Analysis.Resolve(ctx, p.Owner, r.ID, script.Reject, "mara has left", ""))(t)
	if got.State != core.RunDone || got.Reason != "" {
		t.Errorf("it is %+v", got)
	}
	if left := naming(p.Dump(), []string{"mara"}); len(left) > 0 {
		t.Errorf("names the deleted: %v", left)
	}
	whole(t, p)
}

// meanwhile is an analyst during whose run something happens.
type meanwhile func()

func (m meanwhile) Run(c context.Context, in script.Input, l script.Limits) script.Result {
	m()
	return coretest.InProcess{}.Run(c, in, l)
}

// What a script posts about a deletion is sent after it, and then forgotten.
func TestAPostOutlivesTheAccount(t *testing.T) {
	sent := &postbox{}
	p := coretest.Open(t, coretest.WithAnalysis(nil, sent))
	long(p)
	p.Set("analysis.urls", "https://hooks.example/")
	mara := p.SignUp("mara")
	decides(t, p, `
post("https://hooks.example/left/" + account.user_name, {"user": account.user_name})
approve()
`)
	asksDeletion(t, p, mara, "mara")
	must(p.Requests.RunDue(ctx))(t)
	if !gone(t, p, mara.Account) {
		t.Fatal("not deleted")
	}
	ok(t, core.SendPosts(ctx, p.Portal))
	if len(sent.bodies) != 1 || !strings.Contains(sent.bodies[0], "mara") {
		t.Errorf("sent %q", sent.bodies)
	}
	if left := naming(p.Dump(), []string{"mara"}); len(left) > 0 {
		t.Errorf("names the deleted: %v", left)
	}
	whole(t, p)
}

// postbox takes everything.
type postbox struct{ bodies []string }

func (b *postbox) Post(_ context.Context, _ string, _ []string, _ string, body []byte) error {
	b.bodies = append(b.bodies, string(body))
	return nil
}
