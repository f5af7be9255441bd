package cmd

import (
	"strings"
	"testing"
	"time"

	"postern/core/coretest"
)

// A key that has ended is on the list as such, carries no verb and is no factor;
// one that will is in the overview.
func TestVerbsAboutAKeyThatEnds(t *testing.T) {
	p := coretest.Open(t)
	ada, _ := withKey(t, p, "ada")
	until := p.Clock.Now().Add(48 * time.Hour)
	mine := sessionless(ada)
	if _, _, code := asks(t, p.Portal, mine, "", "key", "set-end", ada.Key, "never"); code != exitNoAccess {
		t.Errorf("without a fresh proof: exit %d", code)
	}
	if out, errw, code := asks(t, p.Portal, ada, "", "key", "set-end", ada.Key, until.Format(time.RFC3339)); code != exitOK || !strings.Contains(out, "now counts until") {
		t.Fatalf("exit %d: %s%s", code, out, errw)
	}
	o := document[overviewShape](t, p.Portal, coretest.Console(), "overview")
	if len(o.Ending) != 0 || len(o.EndingKeys) != 1 || o.EndingKeys[0].User != "ada" || o.EndingKeys[0].Fingerprint != ada.Key || !o.EndingKeys[0].Until.Equal(until) {
		t.Errorf("%+v, %+v", o.Ending, o.EndingKeys)
	}
	if out, _, _ := asks(t, p.Portal, coretest.Console(), "", "overview"); !strings.Contains(out, "The SSH key Laptop of ada ends in 2 days.") {
		t.Errorf("%s", out)
	}
	if out, _, code := asks(t, p.Portal, mine, "", "whoami"); code != exitOK || !strings.Contains(out, "SSH key") {
		t.Errorf("exit %d: %s", code, out)
	}
	p.Clock.Advance(48 * time.Hour)
	if _, _, code := asks(t, p.Portal, mine, "", "whoami"); code != exitNoAccess {
		t.Errorf("a key that has ended carries a verb: exit %d", code)
	}
	console := coretest.Console()
	if k := document[keysShape](t, p.Portal, console, "key", "list", "ada").Keys; len(k) != 1 || !k[0].Until.Equal(until) || !k[0].Ended.Equal(until) {
		t.Errorf("%+v", k)
	}
	if out, _, _ := asks(t, p.Portal, console, "", "key", "list", "ada"); !strings.Contains(out, "· ended") {
		t.Errorf("%s", out)
	}
	if f := document[factorsShape](t, p.Portal, console, "factor", "list", "ada"); f.Protected || len(f.Kinds) != 0 {
		t.Errorf("%+v", f)
	}
	if o := document[overviewShape](t, p.Portal, console, "overview"); len(o.EndingKeys) != 0 {
		t.Errorf("%+v", o.EndingKeys)
	}
}
