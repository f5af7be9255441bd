// Versions of the policy, drafts, and two people who change it at once.

package core_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

func TestVersionsOfThePolicy(t *testing.T) {
	p := coretest.Open(t) // version 2: open to everybody
	must(p.Policy.Set(ctx, p.Owner, core.PolicyChange{Values: values("password.min_length=14 session.max=3"), Reason: "finding 14"}))(t)
	p.Set("session.max", "4")
	list := must(p.Policy.Versions(ctx, p.Owner, 0, 10))(t)
	if len(list) != 4 || list[0].Version != 4 || list[3].Version != 1 || list[3].Changes != nil {
		t.Fatalf("got %+v", list)
	}
	v := list[1]
	want := []core.SettingChange{{Path: "password.min_length", Old: "12", New: "14"}, {Path: "session.max", Old: "0", New: "3"}}
	if v.Name != "lin" || v.Reason != "finding 14" || !slices.Equal(v.Changes, want) {
		t.Errorf("version 3 is %+v", v)
	}
	if list[0].By != core.ActorConsole || list[0].Name != "" {
		t.Errorf("version 4 is by %q (%q)", list[0].By, list[0].Name)
	}
	if rest := must(p.Policy.Versions(ctx, p.Owner, 3, 1))(t); len(rest) != 1 || rest[0].Version != 2 {
		t.Errorf("after version 3 comes %+v", rest)
	}
	got := must(p.Policy.Diff(ctx, p.Owner, 4, 2))(t)
	if want := []core.SettingChange{{Path: "password.min_length", Old: "14", New: "12"}, {Path: "session.max", Old: "4", New: "0"}}; !slices.Equal(got, want) {
		t.Errorf("from 4 to 2: %v", got)
	}
	for _, n := range []int{0, -1, 5} {
		_, err := p.Policy.Version(ctx, p.Owner, n)
		refused(t, err, core.CodeNotFound, "version")
		_, err = p.Policy.Diff(ctx, p.Owner, 1, n)
		refused(t, err, core.CodeNotFound, "version")
	}
	_, err := p.Policy.Versions(ctx, p.SignUp("mara"), 0, 10)
	refused(t, err, core.CodeDenied, "")
}

func TestAVersionIsPutBackAsANewOne(t *testing.T) {
	p := coretest.Open(t)
	p.Set("password.min_length", "14", "sign_up.fields", "badge:text:required:Badge")
	p.Set("session.max", "4")
	pol := must(p.Policy.Revert(ctx, p.Owner, 2, core.PolicyChange{Reason: "too much"}))(t)
	if pol.Version != 5 || pol.Reason != "too much" {
		t.Fatalf("got %+v", pol)
	}
	if left := must(p.Policy.Diff(ctx, p.Owner, 2, 5))(t); left != nil {
		t.Errorf("not put back: %v", left)
	}
	_, err := p.Policy.Revert(ctx, p.Owner, 9, core.PolicyChange{})
	refused(t, err, core.CodeNotFound, "version")
	_, err = p.Policy.Revert(ctx, p.Owner, 2, core.PolicyChange{Version: 4})
	refused(t, err, core.CodeConflict, "")
}

func TestADraftIsOnesOwn(t *testing.T) {
	p := coretest.Open(t)
	if _, found, err := p.Policy.Draft(ctx, p.Owner); found || err != nil {
		t.Fatalf("found %t, %v", found, err)
	}
	d := core.PolicyDraft{Base: 2, Values: values("password.min_length=99"), Reason: "not yet"} // out of bounds: it need not be finished
	ok(t, p.Policy.SaveDraft(ctx, p.Owner, d))
	got, found, err := p.Policy.Draft(ctx, p.SignIn("lin")) // from elsewhere, later
	if ok(t, err); !found || got.Base != 2 || got.Reason != "not yet" || !maps.Equal(got.Values, d.Values) {
		t.Errorf("got %+v", got)
	}
	if _, found, _ := p.Policy.Draft(ctx, coretest.Console()); found {
		t.Error("the console finds the draft of somebody else")
	}
	refused(t, p.Policy.SaveDraft(ctx, p.Owner, core.PolicyDraft{Base: 2, Values: values("password.colour=red")}), core.CodeNotFound, "password.colour")
	refused(t, p.Policy.SaveDraft(ctx, p.Owner, core.PolicyDraft{Base: 9}), core.CodeNotFound, "version")
	refused(t, p.Policy.SaveDraft(ctx, p.SignUp("mara"), d), core.CodeDenied, "")

	must(p.Policy.Set(ctx, p.Owner, core.PolicyChange{Values: values("password.min_length=15")}))(t)
	if _, found, _ := p.Policy.Draft(ctx, p.Owner); found {
		t.Error("the draft is there after it was put in force")
	}
	refused(t, p.Policy.DropDraft(ctx, p.Owner), core.CodeNotFound, "draft")
	d.Base = 3
	ok(t, p.Policy.SaveDraft(ctx, p.Owner, d))
	ok(t, p.Policy.DropDraft(ctx, p.Owner))
}

func TestTwoChangesAtOnceAreMerged(t *testing.T) {
	p := coretest.Open(t)
	base := must(p.Policy.Current(ctx, p.Owner))(t).Version
	must(p.Policy.Set(ctx, p.Owner, core.PolicyChange{Version: base, Values: values("password.min_length=14 session.max=3 lockout.failures=9"), Reason: "first"}))(t)
	mine := values("password.min_length=16 session.idle_minutes=10 session.max=3")
	_, err := p.Policy.Set(ctx, coretest.Console(), core.PolicyChange{Version: base, Values: mine})
	refused(t, err, core.CodeConflict, "")
	m := must(p.Policy.Merge(ctx, coretest.Console(), base, mine))(t)
	if m.Version != base+1 || m.By != "lin" || m.Reason != "first" || len(m.Theirs) != 3 {
		t.Errorf("got %+v", m)
	}
	if want := []core.SettingChange{{Path: "session.idle_minutes", Old: "30", New: "10"}}; !slices.Equal(m.Mine, want) {
		t.Errorf("mine alone: %v", m.Mine)
	}
	if want := []core.Clash{{Path: "password.min_length", Base: "12", Theirs: "14", Mine: "16"}}; !slices.Equal(m.Both, want) {
		t.Errorf("both: %v", m.Both)
	}
	_, err = p.Policy.Merge(ctx, p.Owner, base, values("password.colour=red"))
	refused(t, err, core.CodeNotFound, "password.colour")
}

func TestOfTwoAdminsAtOnceOneChangesThePolicy(t *testing.T) {
	p := coretest.Open(t)
	base := must(p.Policy.Current(ctx, p.Owner))(t).Version
	won := make([]bool, 8)
	parallel(len(won), func(i int) {
		_, err := p.Policy.Set(ctx, coretest.Console(), core.PolicyChange{Version: base, Values: values("session.max=" + string(rune('1'+i)))})
		if won[i] = err == nil; err != nil && core.CodeOf(err) != core.CodeConflict {
			t.Error(err)
		}
	})
	n := 0
	for _, w := range won {
		if w {
			n++
		}
	}
	if now := must(p.Policy.Current(ctx, p.Owner))(t).Version; n != 1 || now != base+1 {
		t.Errorf("%d of them won, and version %d is in force after %d", n, now, base)
	}
}

func TestAPresetAsADifference(t *testing.T) {
	p := coretest.Open(t)
	p.Set("sign_up.fields", "badge:text:required:Badge", "sign_up.quota", "50")
	got := must(p.Policy.PresetValues(ctx, p.Owner, "notificare"))(t)
	if got["password.rotate_days"] != "45" || got["password.history_days"] != "135" || got["sign_up.mode"] != "invite" {
		t.Errorf("got %v", got)
	}
	for _, path := range []string{"sign_up.fields", "sign_up.quota", "password.min_length"} { // the portal's own, and what is so already
		if v, named := got[path]; named {
			t.Errorf("it changes %s to %q", path, v)
		}
	}
	must(p.Policy.Set(ctx, p.Owner, core.PolicyChange{Values: got}))(t)
	if left := must(p.Policy.PresetValues(ctx, p.Owner, "notificare"))(t); len(left) != 0 {
		t.Errorf("it was taken, and changes %v", left)
	}
	_, err := p.Policy.PresetValues(ctx, p.Owner, "acme")
	refused(t, err, core.CodeNotFound, "preset")
}

// A change that changes nothing makes no version and no entry, and is refused for
// all that a change is refused for.
func TestAChangeThatChangesNothing(t *testing.T) {
	p := coretest.Open(t)
	p.Set("session.max", "5")
	before := p.Dump()
	set := func(actor core.Actor, c core.PolicyChange) error {
		c.Values = map[string]string{"session.max": "5"}
		_, err := p.Policy.Set(ctx, actor, c)
		return err
	}
	refused(t, set(coretest.Console(), core.PolicyChange{}), core.CodeUnchanged, "policy")
	refused(t, set(p.Owner, core.PolicyChange{Accept: true, Reason: "again"}), core.CodeUnchanged, "policy")
	same(t, before, p.Dump())
	refused(t, set(p.SignUp("mara"), core.PolicyChange{}), core.CodeDenied, "")
	refused(t, set(p.Owner, core.PolicyChange{Version: 1}), core.CodeConflict, "")
	p.Clock.Advance(core.StepUpFor + time.Second)
	refused(t, set(p.Owner, core.PolicyChange{}), core.CodeStepUp, "")
}
