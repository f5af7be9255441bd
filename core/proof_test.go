package core_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"postern/core"
	"postern/core/coretest"
	"postern/core/signature"
	"postern/store"
)

// proved is an export with its proof.
type proved struct{ file, proof []byte }

// export exports with a proof beside the file.
func export(t testing.TB, p *coretest.Place, q core.AuditQuery, format string) proved {
	t.Helper()
	var file, proof bytes.Buffer
	must(p.Audit.ExportProved(ctx, coretest.Console(), q, format, &file, &proof, nil))(t)
	return proved{file.Bytes(), proof.Bytes()}
}

// verify says what is found of it, with the key of the portal.
func (x proved) verify(t testing.TB, noted string) core.ExportReport {
	t.Helper()
	return must(core.VerifyExport(core.ExportToVerify{
		File: bytes.NewReader(x.file), Proof: bytes.NewReader(x.proof), Key: coretest.HostKey(t).PublicKey(), Noted: noted,
	}))(t)
}

// holds fails the test unless nothing is found of an export.
func (x proved) holds(t testing.TB, noted string) core.ExportReport {
	t.Helper()
	r := x.verify(t, noted)
	if r.Found != 0 || !r.Signed || !r.Given || r.Lines != r.Sealed+r.Open {
		t.Errorf("%+v", r)
	}
	return r
}

// lines are those of a file, each with its end.
func lines(b []byte) []string {
	l := strings.SplitAfter(string(b), "\n")
	return l[:len(l)-1]
}

// another is a key that is not the portal's.
func another(t testing.TB) *signature.Signer {
	t.Helper()
	return signature.New(must(ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))))(t))
}

// described is a portal whose trail has all kinds of entries: about people, about
// none, refused, of an app with an owner.
func described(t testing.TB, options ...coretest.Option) *coretest.Place {
	t.Helper()
	p, _ := chained(t, options...)
	must(p.Apps.Create(ctx, p.Owner, core.AppInput{Name: "Lights", Owner: "mara"}))(t)
	_, _ = p.TrySignIn(coretest.From("192.0.2.7"), "mara", "wrong")
	p.SignIn("mara")
	ok(t, p.Accounts.Suspend(ctx, p.Owner, "mara", "=rent, \"=1\""))
	ok(t, p.Accounts.Resume(ctx, p.Owner, "mara"))
	return p
}

// What the portal has exported holds, in either format, whole or of a choice, and
// with the proof among its lines. ASVS 16.4.2
func TestAnHonestExportHolds(t *testing.T) {
	p := described(t, coretest.OnDisk())
	must(p.Audit.SealNow(ctx))(t)
	noted := must(p.Audit.Head(ctx, p.Owner))(t)
	middle := p.Clock.Now().Add(-time.Minute)
	for name, q := range map[string]core.AuditQuery{
		"all": {}, "since": {From: middle}, "until": {To: middle}, "a span": {From: middle.Add(-30 * time.Second), To: middle}, "nothing": {To: coretest.Start.Add(-day)},
		"an account": {Account: "mara"}, "an act": {Action: core.ActSuspend}, "an address": {Address: "192.0.2.7"}, "a word": {Target: "mara"},
		"refused": {Outcome: core.OutcomeRefused}, "nobody": {Actor: core.ActorSystem, From: middle},
	} {
		for _, format := range core.AuditFormats() {
			t.Run(name+" "+format, func(t *testing.T) {
				var plain bytes.Buffer
				x := export(t, p, q, format)
				q.To = later(q.To, p.Clock.Now()) // the exports themselves are in the trail
				must(p.Audit.Export(ctx, coretest.Console(), q, format, &plain, nil))(t)
				if !bytes.HasSuffix(plain.Bytes(), x.file) && format == core.AuditJSONL {
					t.Error("with a proof the lines are others")
				}
				r := x.holds(t, noted.Short())
				whole := slices.Contains([]string{"all", "since", "until", "a span", "nothing"}, name)
				if r.Whole != whole || r.Portal != "Lanterns" || r.Fingerprint != coretest.HostKey(t).Fingerprint() || r.Open != 0 {
					t.Errorf("%+v", r)
				}
				if name == "all" && r.Noted != core.NotedHeld {
					t.Errorf("the head that was noted is %q", r.Noted)
				}
			})
			p.Clock.Advance(time.Second)
		}
	}
	var one bytes.Buffer
	must(p.Audit.ExportProved(ctx, p.Owner, core.AuditQuery{}, core.AuditJSONL, &one, nil, nil))(t)
	r := must(core.VerifyExport(core.ExportToVerify{File: bytes.NewReader(one.Bytes()), Proof: bytes.NewReader(one.Bytes()), Among: true}))(t)
	if r.Found != 0 || !r.Signed || r.Given || r.Lines < 100 {
		t.Errorf("among the lines: %+v", r)
	}
	if e := newest(t, p, core.ActAuditExport); e.Target != "jsonl proof" {
		t.Errorf("the entry is %+v", e)
	}
	_, err := p.Audit.ExportProved(ctx, p.Owner, core.AuditQuery{}, core.AuditCSV, &one, nil, nil)
	refused(t, err, core.CodeFormat, "proof")
	_, err = p.Audit.ExportProved(ctx, p.SignUp("noor"), core.AuditQuery{}, core.AuditJSONL, &one, nil, nil)
	refused(t, err, core.CodeDenied, "")
}

func later(to, now time.Time) time.Time {
	if to.IsZero() {
		return now.Add(time.Hour)
	}
	return to
}

// A head that was noted is looked for in the proof, as far as that reaches.
func TestAnExportAndANotedHead(t *testing.T) {
	p, me := chained(t)
	old := must(p.Audit.Head(ctx, p.Owner))(t)
	acts(t, p, me, 10)
	x := export(t, p, core.AuditQuery{}, core.AuditJSONL)
	if r := x.holds(t, old.Short()); r.Noted != core.NotedHeld {
		t.Errorf("an older head: %+v", r)
	}
	late := export(t, p, core.AuditQuery{From: p.Clock.Now()}, core.AuditJSONL)
	if r := late.holds(t, "1-0123456789abcdef"); r.Noted != core.NotedAbsent {
		t.Errorf("a head before the span: %+v", r)
	}
	old.Hash = strings.Repeat("0", 64)
	if r := x.verify(t, old.String()); r.Noted != "" || r.Found != 1 || r.Findings[0].Kind != core.FoundRewritten {
		t.Errorf("a head of another chain: %+v", r)
	}
	if r := x.verify(t, "99-0123456789abcdef"); r.Found != 1 || r.Findings[0].Kind != core.FoundCutTail {
		t.Errorf("a head of later: %+v", r)
	}
}

// An export from before a change of the host key verifies with that key, one from
// after it with the new one, however old its entries are.
func TestAnExportAfterAChangeOfTheHostKey(t *testing.T) {
	p, _ := chained(t)
	before := export(t, p, core.AuditQuery{}, core.AuditJSONL)
	later := coretest.New(t, coretest.WithStore(p.DB), coretest.WithClock(p.Clock), func(t testing.TB, c *core.Config) { c.Signer = another(t) })
	must(later.Audit.Adopt(ctx, coretest.Console(), coretest.HostKey(t).Fingerprint()))(t)
	for name, q := range map[string]core.AuditQuery{"whole": {}, "a choice": {Action: core.ActSignUp}} {
		x := export(t, later, q, core.AuditJSONL)
		r := must(core.VerifyExport(core.ExportToVerify{File: bytes.NewReader(x.file), Proof: bytes.NewReader(x.proof), Key: another(t).PublicKey() + " root@host\n"}))(t)
		if r.Found != 0 || !r.Signed || r.Fingerprint != another(t).Fingerprint() {
			t.Errorf("%s: %+v", name, r)
		}
		if r := x.verify(t, ""); r.Found == 0 {
			t.Errorf("%s with the old key: %+v", name, r)
		}
	}
	before.holds(t, "")
}

// Who was deleted is not in an export, and it verifies; so does one whose entries
// were taken out, and one of which retention has cut the beginning.
func TestAnExportWithoutWhatIsGone(t *testing.T) {
	for _, how := range []string{"keep", "remove"} {
		t.Run(how, func(t *testing.T) {
			p, me := chained(t)
			if how == "remove" {
				p.Set("deletion.trail", how)
			}
			atOnce(t, p, "0")
			asksDeletion(t, p, me, "mara")
			must(core.ForgetTrails(p.Portal))(t)
			for _, format := range core.AuditFormats() {
				x := export(t, p, core.AuditQuery{}, format)
				if bytes.Contains(x.file, []byte("mara")) || bytes.Contains(x.proof, []byte("mara")) {
					t.Error("the name is in it")
				}
				if r := x.holds(t, ""); (how == "keep") != (r.Erased > 100) || (how == "remove") != (r.Gone > 100) {
					t.Errorf("%+v", r)
				}
			}
		})
	}
	t.Run("retention", func(t *testing.T) {
		p, me := chained(t)
		old := must(p.Audit.Head(ctx, p.Owner))(t)
		p.Clock.Advance(200 * day)
		acts(t, p, me, 10)
		must(p.Audit.SealNow(ctx))(t)
		must(core.CutTrail(p.Portal, p.Clock.Now().Add(-180*day)))(t)
		x := export(t, p, core.AuditQuery{}, core.AuditJSONL)
		if r := x.holds(t, old.String()); r.CutUntil.IsZero() || r.Noted != core.NotedHeld || r.Lines != 10 {
			t.Errorf("%+v", r)
		}
		ok(t, core.Tamper(p.Portal, func(tx store.Tx) error { return core.EditCut(tx, 3) }))
		if r := export(t, p, core.AuditQuery{}, core.AuditJSONL).verify(t, ""); r.Found == 0 {
			t.Errorf("a stub that was changed: %+v", r)
		}
	})
}

// Late entries, those that no block has yet, and those that come while the export
// runs are no findings; neither is what retention takes away meanwhile.
func TestAnExportWhileOthersWrite(t *testing.T) {
	p, me := chained(t, coretest.OnDisk())
	late := must(core.NewEntryID(p.Portal))(t)
	waits := must(core.NewEntryID(p.Portal))(t)
	acts(t, p, me, 10)
	must(p.Audit.SealNow(ctx))(t)
	entry := core.Entry{At: p.Clock.Now(), Action: core.ActSignOut, Outcome: core.OutcomeDone, Door: core.DoorLocal}
	entry.ID = late
	ok(t, core.WriteLate(p.Portal, entry))
	for _, q := range []core.AuditQuery{{}, {Action: core.ActSignOut}, {To: p.Clock.Now().Add(-5 * time.Second)}} {
		export(t, p, q, core.AuditJSONL).holds(t, "")
	}
	// One that is written while the export runs, with an id that was passed.
	var file, proof bytes.Buffer
	entry.ID = waits
	first := &onWrite{w: &file, do: func() {
		ok(t, core.WriteLate(p.Portal, entry))
		must(core.CutTrail(p.Portal, p.Clock.Now().Add(-100*time.Second)))(t)
	}}
	must(p.Audit.ExportProved(ctx, coretest.Console(), core.AuditQuery{}, core.AuditJSONL, first, &proof, nil))(t)
	proved{file.Bytes(), proof.Bytes()}.holds(t, "")

	sealing, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { p.Audit.Seal(sealing) })
	for i := range 3 {
		who := p.SignUp(fmt.Sprint("crew", i))
		running.Go(func() {
			for n := 0; sealing.Err() == nil; n++ {
				_ = p.Accounts.SetPreferences(ctx, who, core.Preferences{Language: []string{"en", "es"}[n%2]})
			}
		})
	}
	running.Go(func() {
		for n := 0; sealing.Err() == nil; n++ {
			p.Clock.Advance(time.Second)
			_, _ = p.Audit.SealNow(ctx)
			if n%10 == 0 {
				_, _ = core.CutTrail(p.Portal, p.Clock.Now().Add(-60*time.Second))
			}
		}
	})
	for i := range 12 {
		q := []core.AuditQuery{{}, {Account: "crew1"}, {From: p.Clock.Now().Add(-20 * time.Second)}}[i%3]
		export(t, p, q, core.AuditFormats()[i%2]).holds(t, "")
	}
	stop()
	running.Wait()
}

// onWrite does something at the first byte.
type onWrite struct {
	w  *bytes.Buffer
	do func()
}

func (o *onWrite) Write(b []byte) (int, error) {
	if o.do != nil {
		o.do()
		o.do = nil
	}
	return o.w.Write(b)
}

// What is no proof, no key and no head is refused, with the field.
func TestWhatCannotBeVerified(t *testing.T) {
	p := coretest.Open(t)
	x := export(t, p, core.AuditQuery{}, core.AuditJSONL)
	for name, c := range map[string]struct {
		in    core.ExportToVerify
		field string
	}{
		"a file without its proof": {core.ExportToVerify{Proof: bytes.NewReader(x.file)}, "proof"},
		"an empty proof":           {core.ExportToVerify{Proof: strings.NewReader("")}, "proof"},
		"a proof of tomorrow":      {core.ExportToVerify{Proof: strings.NewReader(`{"proof":{"begin":{"version":2}}}`)}, "version"},
		"no key":                   {core.ExportToVerify{Proof: bytes.NewReader(x.proof), Key: "x"}, "key"},
		"two keys":                 {core.ExportToVerify{Proof: bytes.NewReader(x.proof), Key: another(t).PublicKey() + "\n" + another(t).PublicKey()}, "key"},
		"a key that was revoked":   {core.ExportToVerify{Proof: bytes.NewReader(x.proof), Key: "@revoked host " + another(t).PublicKey()}, "key"},
		"no head":                  {core.ExportToVerify{Proof: bytes.NewReader(x.proof), Noted: "1"}, "head"},
	} {
		c.in.File = bytes.NewReader(x.file)
		_, err := core.VerifyExport(c.in)
		if t.Run(name, func(t *testing.T) { refused(t, err, core.CodeFormat, c.field) }); t.Failed() {
			continue
		}
	}
	for _, line := range []string{"lab.example " + coretest.HostKey(t).PublicKey(), "[lab.example]:2222,192.0.2.1 " + coretest.HostKey(t).PublicKey(), coretest.HostKey(t).PublicKey() + " root@lab\n\n"} {
		r := must(core.VerifyExport(core.ExportToVerify{File: bytes.NewReader(x.file), Proof: bytes.NewReader(x.proof), Key: line}))(t)
		if r.Found != 0 || !r.Given {
			t.Errorf("with %q: %+v", line, r)
		}
	}
}

// ASVS 16.5.2: a proof that cannot be written is a refusal.
func TestAProofToAFullDisk(t *testing.T) {
	p := coretest.Open(t)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("this system has no /dev/full")
	}
	defer full.Close()
	var file bytes.Buffer
	_, err = p.Audit.ExportProved(ctx, p.Owner, core.AuditQuery{}, core.AuditJSONL, &file, full, nil)
	refused(t, err, core.CodeNotWritten, "")
}

// Whatever is in a file and its proof, verifying ends and finds something, unless
// it is as it was exported.
func FuzzVerifyExport(f *testing.F) {
	p := described(f)
	for _, format := range core.AuditFormats() {
		x := export(f, p, core.AuditQuery{Account: "mara", From: p.Clock.Now().Add(-2 * time.Second)}, format)
		f.Add(x.file, x.proof)
		f.Add(x.proof, x.file)
		f.Add(x.file[:len(x.file)/2], x.proof[:len(x.proof)/2])
	}
	f.Fuzz(func(t *testing.T, file, proof []byte) {
		for _, among := range []bool{false, true} {
			r, err := core.VerifyExport(core.ExportToVerify{File: bytes.NewReader(file), Proof: bytes.NewReader(proof), Among: among, Key: another(t).PublicKey()})
			if err == nil && r.Found == 0 { // by that key nothing is signed
				t.Errorf("%+v", r)
			}
		}
	})
}
