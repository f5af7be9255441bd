package core_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"postern/core"
	"postern/core/coretest"
)

// What an entry says of a person is not to be read where it is kept; who may read
// the trail reads it whole. ASVS 14.2.4
func TestWhatTheTrailSaysIsSealed(t *testing.T) {
	p := coretest.Open(t)
	me := p.SignUp("mara")
	must(p.Accounts.UpdateProfile(ctx, me, core.ProfileInput{DisplayName: "Mara Quux", Email: "mara@example.org"}))(t)
	for k, v := range p.Dump() {
		if strings.HasPrefix(k, "audit") && (strings.Contains(v, "Quux") || strings.Contains(v, "mara")) {
			t.Errorf("%q: %s", k, v)
		}
	}
	e := newest(t, p, core.ActProfile)
	if e.Name != "mara" || e.Target != "mara" || e.Before["display_name"] != "mara" || e.After["display_name"] != "Mara Quux" || e.Erased {
		t.Errorf("the entry is %+v", e)
	}
	found := must(p.Audit.Search(ctx, coretest.Console(), core.AuditQuery{Target: "MAR", N: 50}))(t).Entries
	if len(found) == 0 || found[0].Target != "mara" {
		t.Errorf("found by what it says: %+v", found)
	}
}

// The trail of an older program is sealed when it is opened, and reads as before.
func TestAnOlderTrailIsSealed(t *testing.T) {
	p := coretest.Open(t, coretest.OnDisk())
	me := p.SignUp("mara")
	must(p.Accounts.UpdateProfile(ctx, me, core.ProfileInput{DisplayName: "Mara Quux", Email: "mara@example.org"}))(t)
	for i := range 1200 { // more than one part
		p.Clock.Advance(1)
		must(p.Accounts.UpdateProfile(ctx, me, core.ProfileInput{DisplayName: "Mara " + itoa(i), Email: "mara@example.org"}))(t)
	}
	want := p.Trail()
	ok(t, core.UnsealTrail(p.Portal))
	if d := p.Dump(); !strings.Contains(strings.Join(slices.Collect(maps.Values(d)), ""), "Mara Quux") {
		t.Fatal("it is sealed already")
	}
	again := coretest.New(t, coretest.WithStore(p.DB), coretest.WithClock(p.Clock))
	got := again.Trail()
	if len(got) != len(want) {
		t.Fatalf("%d entries, and %d before", len(got), len(want))
	}
	for i := range want {
		if got[i].Target != want[i].Target || got[i].After["display_name"] != want[i].After["display_name"] || got[i].Name != want[i].Name {
			t.Fatalf("entry %d is %+v, and was %+v", i, got[i], want[i])
		}
	}
	for k, v := range again.Dump() {
		if strings.HasPrefix(k, "audit") && strings.Contains(v, "Mara") {
			t.Fatalf("%q: %s", k, v)
		}
	}
	whole(t, again)
}
