package cmd

import (
	"encoding/json"
	"strings"
	"testing"

	"postern/core"
)

func TestTheOverviewIsAVerb(t *testing.T) {
	t.Parallel()
	h := settled(t)
	out, errw, code := h.run("overview")
	if code != exitOK || errw != "" || !strings.Contains(out, "! No backup has been made.") || !strings.Contains(out, "3 active") {
		t.Errorf("exit %d\n%s%s", code, out, errw)
	}
	out, _, code = h.run("overview", "--span", "week", "--json")
	var o overviewShape
	if err := json.Unmarshal([]byte(out), &o); err != nil || code != exitOK {
		t.Fatalf("exit %d, %v\n%s", code, err, out)
	}
	if o.Span != core.OverviewWeek || len(o.Bars) != 12 || o.Accounts != 3 || o.States[core.StateActive] != 3 || len(o.Warnings) == 0 {
		t.Errorf("%+v", o)
	}
	if _, errw, code = h.run("overview", "--span", "year"); code != exitUsage || !strings.Contains(errw, "hour, day, week") {
		t.Errorf("exit %d, %s", code, errw)
	}
	if _, _, code = h.run("backup", h.dir+"/now.bak"); code != exitOK {
		t.Fatal("no backup")
	}
	if out, _, _ = h.run("overview"); strings.Contains(out, "No backup") {
		t.Errorf("after a backup:\n%s", out)
	}
}
