package core_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
	"postern/core/text"
)

// nasty are entries whose every foreign string wants to be more than a string.
func nasty(t testing.TB, p *coretest.Place) {
	t.Helper()
	bad := []string{"=1+1", "+1", "-1", "@SUM(A1)", "\x1b[2J", "\u009b2J", "\u202eevil", "a,\"b\"\nc", "\x7f", "ok"}
	ok(t, core.WriteTrail(ctx, p.Portal, len(bad), p.Clock.Now(), time.Minute, func(i int) core.Entry {
		s := bad[i]
		return core.Entry{Action: core.ActProfile, Outcome: core.OutcomeDone, Actor: core.ActorConsole, Name: s, Session: s, Remote: "192.0.2.1",
			Client: s, Target: s, Reason: s, Before: map[string]string{s: s}, After: map[string]string{"display_name": s}}
	}))
}

// ASVS 1.2.10, 1.1.2: no cell is a formula, and nothing in a file steers the
// terminal that it is looked at in.
func TestAnExportIsHarmless(t *testing.T) {
	p := coretest.Open(t)
	nasty(t, p)
	harmless := func(s string) {
		t.Helper()
		for _, r := range s {
			if !text.Visible(r) && r != '\n' {
				t.Errorf("%U is in the file", r)
			}
		}
	}
	var sheet bytes.Buffer
	all := len(p.Trail())
	if n := must(p.Audit.Export(ctx, p.Owner, core.AuditQuery{}, core.AuditCSV, &sheet, nil))(t); n != all {
		t.Errorf("%d of %d entries", n, all)
	}
	harmless(sheet.String())
	rows := must(csv.NewReader(&sheet).ReadAll())(t)
	if len(rows) != all+1 || rows[0][0] != "id" {
		t.Errorf("%d rows of %d", len(rows), all)
	}
	for _, row := range rows {
		for i, cell := range row {
			if strings.IndexAny(strings.TrimSpace(cell), "=+-@") == 0 {
				t.Errorf("the cell %s is %q", rows[0][i], cell)
			}
		}
	}
	var lines bytes.Buffer
	before := p.Trail()
	must(p.Audit.Export(ctx, p.Owner, core.AuditQuery{}, core.AuditJSONL, &lines, nil))(t)
	harmless(lines.String())
	for i, line := range strings.Split(strings.TrimSpace(lines.String()), "\n") {
		var e core.Entry
		ok(t, json.Unmarshal([]byte(line), &e))
		if want := before[i]; e.ID != want.ID || e.Target != want.Target || e.Name != want.Name || e.After["display_name"] != want.After["display_name"] {
			t.Errorf("line %d says %+v, the trail %+v", i, e, want)
		}
	}
}

// An export is in the trail with what was asked for and how much it was; so is
// one that was refused or broke off, with what had been written by then.
func TestAnExportIsInTheTrail(t *testing.T) {
	p := coretest.Open(t)
	newest := func() core.Entry { return p.Trail()[0] }
	q := core.AuditQuery{Actor: core.ActorConsole, Action: core.ActPolicy, Target: "sign"}
	n := must(p.Audit.Export(ctx, p.Owner, q, core.AuditCSV, io.Discard, nil))(t)
	if e := newest(); e.Action != core.ActAuditExport || e.After["entries"] != itoa(n) || e.Target != "csv actor=console action=policy.change target=sign" || e.Name != "lin" {
		t.Errorf("the entry is %+v", e)
	}
	me := p.SignUp("mara")
	before := len(p.Trail())
	_, err := p.Audit.Export(ctx, me, core.AuditQuery{Target: "written by mara"}, core.AuditCSV, io.Discard, nil)
	refused(t, err, core.CodeDenied, "")
	if e := newest(); e.Outcome != core.OutcomeRefused || e.Target != "" || e.Name != "mara" || len(p.Trail()) != before+1 {
		t.Errorf("the entry is %+v", e)
	}
	_, err = p.Audit.Export(ctx, p.Owner, core.AuditQuery{}, "xlsx", io.Discard, nil)
	refused(t, err, core.CodeFormat, "format")
	_, err = p.Audit.Export(ctx, p.Owner, core.AuditQuery{Target: "\x1b"}, core.AuditCSV, io.Discard, nil)
	refused(t, err, core.CodeCharacter, "target")
	if e := newest(); e.Code != core.CodeCharacter || e.Target != "csv target=?" {
		t.Errorf("the entry is %+v", e)
	}

	ok(t, core.WriteTrail(ctx, p.Portal, 2*core.AuditLook, p.Clock.Now(), time.Hour, func(int) core.Entry {
		return core.Entry{Action: core.ActSignIn, Outcome: core.OutcomeDone}
	}))
	p.Clock.Advance(time.Millisecond) // ids ascend within one of them only as long as none before it is made
	stopped, cancel := context.WithCancel(ctx)
	n, err = p.Audit.Export(stopped, p.Owner, core.AuditQuery{}, core.AuditJSONL, io.Discard, func(int, float64) { cancel() })
	refused(t, err, core.CodeUnavailable, "")
	if e := newest(); n != core.MaxPage || e.Outcome != core.OutcomeRefused || e.Reason != "entries written: "+itoa(n) || e.Target != "jsonl" {
		t.Errorf("%d written, the entry is %+v", n, e)
	}
}

func itoa(n int) string { return string(must(json.Marshal(n))(noTest{})) }

// noTest is for what cannot fail.
type noTest struct{ testing.TB }

func (noTest) Helper()           {}
func (noTest) Fatal(args ...any) { panic(args) }

// ASVS 7.5.3: taking the trail along asks for a proof that is fresh. A verb by a
// linked key has just given one.
func TestAnExportAsksForAProof(t *testing.T) {
	p := coretest.Open(t)
	keyed := withKey(p.Owner, "SHA256:lin")
	ok(t, p.Keys.Link(ctx, keyed, ""))
	p.Clock.Advance(core.StepUpFor + time.Minute)
	_, err := p.Audit.Export(ctx, p.Owner, core.AuditQuery{}, core.AuditCSV, io.Discard, nil)
	refused(t, err, core.CodeStepUp, "")
	must(p.Portal.SignIn.StepUp(ctx, p.Owner, coretest.Password))(t)
	must(p.Audit.Export(ctx, p.Owner, core.AuditQuery{}, core.AuditCSV, io.Discard, nil))(t)

	stranger := withKey(core.Actor{Door: core.DoorVerb, Remote: "192.0.2.1"}, "SHA256:lin")
	verb := must(p.Keys.Recognise(ctx, stranger))(t)
	must(p.Audit.Export(ctx, verb, core.AuditQuery{}, core.AuditCSV, io.Discard, nil))(t)
	verb.Door = core.DoorSSH
	_, err = p.Audit.Export(ctx, verb, core.AuditQuery{}, core.AuditCSV, io.Discard, nil)
	refused(t, err, core.CodeStepUp, "")
}

// ASVS 16.5.2: a disk without room is a refusal that says so.
func TestAnExportToAFullDisk(t *testing.T) {
	p := coretest.Open(t)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("this system has no /dev/full")
	}
	defer full.Close()
	for _, format := range core.AuditFormats() {
		p.Clock.Advance(time.Millisecond)
		_, err = p.Audit.Export(ctx, p.Owner, core.AuditQuery{}, format, full, nil)
		refused(t, err, core.CodeNotWritten, "")
		if e := p.Trail()[0]; e.Action != core.ActAuditExport || e.Code != core.CodeNotWritten {
			t.Errorf("the entry is %+v", e)
		}
	}
}

// However much it is, an export holds a page of it, and says how far it is.
func TestAnExportHoldsAPageAtATime(t *testing.T) {
	p := coretest.Open(t)
	const all = 20 * core.MaxPage
	ok(t, core.WriteTrail(ctx, p.Portal, all, p.Clock.Now().Add(time.Hour), time.Hour, func(int) core.Entry {
		return core.Entry{Action: core.ActSignIn, Outcome: core.OutcomeDone, Client: strings.Repeat("x", 500)}
	}))
	p.Clock.Advance(time.Hour)
	p.Owner = p.SignIn("lin")
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	begin, peak, told, last := m.HeapAlloc, uint64(0), 0, -1.0
	n := must(p.Audit.Export(ctx, p.Owner, core.AuditQuery{}, core.AuditJSONL, io.Discard, func(done int, share float64) {
		runtime.GC()
		runtime.ReadMemStats(&m)
		peak = max(peak, m.HeapAlloc)
		if done < told || share < last || share > 1 {
			t.Errorf("%d and %f after %d and %f", done, share, told, last)
		}
		told, last = done, share
	}))(t)
	if n < all || told != n || last != 1 {
		t.Errorf("%d written, told %d, %f", n, told, last)
	}
	if grown := int64(peak) - int64(begin); grown > 4<<20 { // the whole is over 8 MB
		t.Errorf("it holds %d kB", grown>>10)
	}
}

// failingAfter fails once so many bytes were taken.
type failingAfter int

var errFull = errors.New("no space left")

func (w *failingAfter) Write(b []byte) (int, error) {
	if *w -= failingAfter(len(b)); *w < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestAnExportThatBreaksOffSaysSo(t *testing.T) {
	p := coretest.Open(t)
	ok(t, core.WriteTrail(ctx, p.Portal, 4*core.MaxPage, p.Clock.Now(), time.Hour, func(int) core.Entry {
		return core.Entry{Action: core.ActSignIn, Outcome: core.OutcomeDone}
	}))
	room := failingAfter(200 << 10)
	n, err := p.Audit.Export(ctx, p.Owner, core.AuditQuery{}, core.AuditJSONL, &room, nil)
	refused(t, err, core.CodeNotWritten, "")
	if !errors.Is(err, errFull) || n == 0 {
		t.Errorf("%d, %v", n, err)
	}
}
