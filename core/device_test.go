// A sign-in from somewhere new is told to its person, once.

package core_test

import (
	"fmt"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

// newDevices counts what an account was told of new places.
func newDevices(t testing.TB, p *coretest.Place, a core.Actor) (n int) {
	t.Helper()
	for _, k := range told(t, p, a) {
		if k == core.NoticeNewDevice {
			n++
		}
	}
	return n
}

// ASVS 6.3.5
func TestANewPlaceIsToldOnce(t *testing.T) {
	for what, c := range map[string]struct {
		first, second core.Actor
		news          int
	}{
		"the same address":                    {here, here, 0},
		"another address":                     {here, coretest.From("192.0.2.2"), 1},
		"the same address, mapped":            {here, coretest.From("::ffff:192.0.2.1"), 0},
		"the same /64":                        {coretest.From("2001:db8:1:2::1"), coretest.From("2001:db8:1:2:ffff::9"), 0},
		"another /64":                         {coretest.From("2001:db8:1:2::1"), coretest.From("2001:db8:1:3::1"), 1},
		"the same address by another zone":    {coretest.From("fe80::1%eth0"), coretest.From("fe80::1%eth1"), 0},
		"the machine itself":                  {here, coretest.Local(), 1},
		"the machine itself, twice":           {coretest.Local(), coretest.Local(), 0},
		"the same key from elsewhere":         {withKey(here, "SHA256:1"), withKey(coretest.From("198.51.100.7"), "SHA256:1"), 0},
		"another key from the same address":   {withKey(here, "SHA256:1"), withKey(here, "SHA256:2"), 1},
		"no key where there was one":          {withKey(here, "SHA256:1"), here, 1},
		"another client at the same address":  {here, core.Actor{Door: core.DoorSSH, Remote: here.Remote, Client: "other"}, 0},
		"the same address by another door":    {here, core.Actor{Door: core.DoorLocal, Remote: here.Remote}, 0},
		"an address that is none, like local": {coretest.Local(), coretest.From("not an address"), 0},
	} {
		p := coretest.Open(t)
		out := must(p.Accounts.SignUp(ctx, c.first, coretest.Input("mara")))(t)
		me := c.first.With(out.SignedIn)
		if n := newDevices(t, p, me); n != 0 {
			t.Errorf("%s: the first place of all is news", what)
		}
		for range 3 { // and only once
			begin(t, p, c.second, "mara", core.StepDone)
			begin(t, p, c.first, "mara", core.StepDone)
		}
		if n := newDevices(t, p, me); n != c.news {
			t.Errorf("%s: told %d times, want %d", what, n, c.news)
		}
	}
}

// A try that does not come to its end is no sign-in.
func TestAPlaceIsKnownOnceSomebodyIsIn(t *testing.T) {
	p := coretest.Open(t)
	me := p.SignUp("mara")
	a := enrolApp(t, p, me, "phone")
	progress := begin(t, p, here, "mara", core.StepFactor)
	if n := newDevices(t, p, me); n != 0 {
		t.Fatalf("told %d times, though nobody is in", n)
	}
	must(p.Portal.SignIn.Factor(ctx, here, progress.Ticket, a.ID, a.next(p)))(t)
	if n := newDevices(t, p, me); n != 1 {
		t.Errorf("told %d times", n)
	}
}

// The place that was used longest ago is forgotten first.
func TestPlacesAreForgotten(t *testing.T) {
	p := coretest.Open(t)
	long(p)
	me := p.SignUp("mara")
	from := func(i int) core.Actor { return coretest.From(fmt.Sprintf("192.0.2.%d", i)) }
	for i := range 40 {
		p.Clock.Advance(25 * time.Hour)
		begin(t, p, from(i), "mara", core.StepDone)
		begin(t, p, from(0), "mara", core.StepDone) // used all the time
	}
	before := newDevices(t, p, me)
	begin(t, p, from(0), "mara", core.StepDone)
	begin(t, p, from(39), "mara", core.StepDone)
	if n := newDevices(t, p, me); n != before || before != 40 {
		t.Errorf("told %d times, then %d", before, n)
	}
	begin(t, p, from(1), "mara", core.StepDone)
	if n := newDevices(t, p, me); n != before+1 {
		t.Error("the oldest is still known")
	}
}
