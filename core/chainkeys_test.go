package core_test

import (
	"bytes"
	"crypto/ed25519"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"postern/core"
	"postern/core/coretest"
	"postern/core/signature"
	"postern/store"
	"postern/store/storetest"
)

// third is one more key that is not the portal's.
func third(t testing.TB) *signature.Signer {
	t.Helper()
	return signature.New(must(ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, ed25519.SeedSize))))(t))
}

// hostKey opens the portal with another host key.
func hostKey(key *signature.Signer) coretest.Option {
	return func(_ testing.TB, c *core.Config) { c.Signer = key }
}

// again starts the program anew on the same data.
func again(t testing.TB, p *coretest.Place, options ...coretest.Option) *coretest.Place {
	t.Helper()
	later := coretest.New(t, append([]coretest.Option{coretest.WithStore(p.DB), coretest.WithClock(p.Clock)}, options...)...)
	later.Owner = p.Owner
	return later
}

// forgeries are what somebody does who has the file and its keyset, and a key of
// their own.
func forgeries() []forgery {
	return []forgery{
		{"an entry dropped", core.FoundForeignGone, core.FoundDropped, func(f core.Forger, all []core.Entry) error { return f.Gone(all[30].ID) }},
		{"blocks cut", core.FoundForeign, core.FoundKey, func(f core.Forger, _ []core.Entry) error { return f.Cut(3) }},
		{"all blocks cut but one", core.FoundForeign, core.FoundKey, func(f core.Forger, _ []core.Entry) error { return f.Cut(5) }},
		{"a checkpoint", core.FoundForeign, "", func(f core.Forger, _ []core.Entry) error { return f.Point(4) }},
		{"the end", core.FoundForeign, core.FoundKey, func(f core.Forger, _ []core.Entry) error { return f.Head() }},
	}
}

type forgery struct {
	name   string
	kind   core.FindingKind // what verifying finds
	proof  core.FindingKind // and what it finds of an export; "": nothing, since a proof has no use for it
	change func(f core.Forger, all []core.Entry) error
}

// Nobody shortens the trail with a key of their own, whatever keys the file says
// have signed, whether or not a head was noted, and whatever the portal does next:
// it vouches for none of it. ASVS 16.4.2, 16.4.3
func TestAForeignKeyDoesNotShortenTheTrail(t *testing.T) {
	for _, c := range forgeries() {
		t.Run(c.name, func(t *testing.T) {
			p, me := chained(t)
			acts(t, p, me, 5)
			must(p.Audit.SealNow(ctx))(t)
			noted := must(p.Audit.Head(ctx, p.Owner))(t).String()
			ok(t, core.Tamper(p.Portal, func(tx store.Tx) error {
				f := core.Forger{Tx: tx, By: another(t)}
				if err := f.Known(); err != nil {
					return err
				}
				return c.change(f, p.Trail())
			}))
			p = again(t, p)
			foreign := func(what string) {
				t.Helper()
				r := verify(t, p, noted)
				finds(t, r, c.kind, "")
				if !slices.ContainsFunc(r.Findings, func(f core.Finding) bool { return f.Key == another(t).Fingerprint() }) {
					t.Errorf("%s: whose key it is was not said: %+v", what, r)
				}
				x := export(t, p, core.AuditQuery{}, core.AuditJSONL).verify(t, noted)
				if kind := c.proof; kind != "" && !slices.ContainsFunc(x.Findings, func(f core.ExportFinding) bool { return f.Kind == kind || f.Kind == core.FoundForeign }) {
					t.Errorf("%s: %s was not found of an export: %+v", what, kind, x)
				}
			}
			foreign("at once")
			acts(t, p, me, 5)
			must(p.Audit.SealNow(ctx))(t)
			foreign("after more was sealed")
			all := p.Trail()
			must(core.CutTrail(p.Portal, all[len(all)/2].At))(t)
			if c.name != "a checkpoint" { // which the portal itself may cut, with its block
				foreign("after some was cut")
			}
		})
	}
}

// Nor does it help to sign the end as well, so that it seems as if the host key had
// been changed since: who changed it has to say so.
func TestAChangeOfTheHostKeyIsNotBelieved(t *testing.T) {
	for _, c := range forgeries() {
		t.Run(c.name, func(t *testing.T) {
			var log bytes.Buffer
			p, me := chained(t)
			noted := must(p.Audit.Head(ctx, p.Owner))(t).String()
			ok(t, core.Tamper(p.Portal, func(tx store.Tx) error {
				f := core.Forger{Tx: tx, By: another(t)}
				if err := c.change(f, p.Trail()); err != nil {
					return err
				}
				if err := f.Known(); err != nil {
					return err
				}
				return f.Head()
			}))
			p = again(t, p, coretest.WithLog(slog.New(slog.NewTextHandler(&log, nil))))
			if !strings.Contains(log.String(), another(t).Fingerprint()) {
				t.Errorf("the operator was not told: %s", &log)
			}
			for range 3 {
				r := verify(t, p, noted)
				finds(t, r, core.FoundForeign, "")
				if c.kind == core.FoundForeignGone {
					finds(t, r, c.kind, "")
				}
				if x := export(t, p, core.AuditQuery{}, core.AuditJSONL).verify(t, noted); x.Found == 0 {
					t.Errorf("nothing was found of an export: %+v", x)
				}
				acts(t, p, me, 5)
				must(p.Audit.SealNow(ctx))(t)
			}
		})
	}
}

// So it is when the end is not signed at all: what is sealed after it says so.
func TestWhatIsSealedOverAnUnsignedEndSaysSo(t *testing.T) {
	p, me := chained(t)
	ok(t, core.Tamper(p.Portal, func(tx store.Tx) error {
		return core.EditHead(tx, func(_ []byte, s *string) { *s = "" })
	}))
	acts(t, p, me, 5)
	must(p.Audit.SealNow(ctx))(t)
	r := verify(t, p, "")
	finds(t, r, core.FoundSignature, "")
	if !r.Signed || r.Found != 1 || r.Findings[0].Block != 6 {
		t.Errorf("%+v", r)
	}
	if x := export(t, p, core.AuditQuery{}, core.AuditJSONL).verify(t, ""); x.Found != 1 || x.Findings[0].Kind != core.FoundSignature {
		t.Errorf("an export: %+v", x)
	}
}

// A stub that was changed is not made good by the next that retention leaves.
func TestWhatIsCutOverAForgedStubSaysSo(t *testing.T) {
	p, me := chained(t)
	ok(t, core.Tamper(p.Portal, func(tx store.Tx) error {
		if err := (core.Forger{Tx: tx, By: another(t)}).Cut(2); err != nil {
			return err
		}
		return core.EditCut(tx, 3)
	}))
	p.Clock.Advance(200 * day)
	acts(t, p, me, 5)
	must(p.Audit.SealNow(ctx))(t)
	for range 2 {
		if r := verify(t, p, ""); r.Found != 1 || r.Findings[0].Kind != core.FoundSignature {
			t.Errorf("%+v", r)
		}
		if x := export(t, p, core.AuditQuery{}, core.AuditJSONL).verify(t, ""); x.Found == 0 {
			t.Errorf("an export: %+v", x)
		}
		if n := must(core.CutTrail(p.Portal, p.Clock.Now().Add(-180*day)))(t); n == 0 {
			return
		}
	}
	t.Error("it was cut without end")
}

// Retention does not sign that a block went by its age which is not the one that
// was sealed.
func TestAForgedBlockIsNotCut(t *testing.T) {
	p, _ := chained(t)
	ok(t, core.Tamper(p.Portal, func(tx store.Tx) error {
		for _, seq := range []uint64{1, 2, 3} {
			if err := core.Age(tx, seq); err != nil {
				return err
			}
		}
		return nil
	}))
	if n := must(core.CutTrail(p.Portal, p.Clock.Now().Add(-180*day)))(t); n != 0 {
		t.Errorf("%d entries were cut", n)
	}
	finds(t, verify(t, p, ""), core.FoundBlock, "")
}

// A batch that was taken out by the rules accounts for no other entry.
func TestABatchAccountsForWhatItNames(t *testing.T) {
	p, _ := chained(t)
	p.Set("deletion.trail", "remove")
	atOnce(t, p, "0")
	noor := p.SignUp("noor")
	acts(t, p, noor, 5)
	asksDeletion(t, p, noor, "noor")
	must(core.ForgetTrails(p.Portal))(t)
	must(p.Audit.SealNow(ctx))(t)
	id := p.Trail()[60].ID
	ok(t, core.Tamper(p.Portal, func(tx store.Tx) error { return core.StealGone(tx, id) }))
	finds(t, verify(t, p, ""), core.FoundDropped, id)
}

// rotated is a portal with all that a key signs: checkpoints, a stub, and what was
// taken out of the trail.
func rotated(t *testing.T) (*coretest.Place, core.Actor) {
	t.Helper()
	p, me := chained(t)
	p.Set("deletion.trail", "remove")
	atOnce(t, p, "0")
	noor := p.SignUp("noor")
	acts(t, p, noor, 20)
	asksDeletion(t, p, noor, "noor")
	must(core.ForgetTrails(p.Portal))(t)
	must(p.Audit.SealNow(ctx))(t)
	all := p.Trail()
	if n := must(core.CutTrail(p.Portal, all[len(all)-50].At))(t); n == 0 {
		t.Fatal("nothing was cut")
	}
	if r := verify(t, p, ""); r.Found != 0 || r.Removed < 20 || r.Cut == 0 {
		t.Fatalf("%+v", r)
	}
	return p, me
}

// holdsWith fails the test unless the trail, and exports of it, hold with a key.
func holdsWith(t *testing.T, p *coretest.Place, key *signature.Signer, noted string, former ...*signature.Signer) {
	t.Helper()
	r := verify(t, p, noted)
	if r.Found != 0 || !r.Signed || r.Fingerprint != key.Fingerprint() || r.Removed < 20 || r.Cut == 0 || r.Noted != core.NotedHeld || len(r.Former) != len(former) {
		t.Errorf("%+v", r)
	}
	for _, k := range former {
		if !slices.ContainsFunc(r.Former, func(f core.FormerKey) bool { return f.Fingerprint == k.Fingerprint() && f.Block > 0 && !f.At.IsZero() }) {
			t.Errorf("%s is not among the former keys: %+v", k.Fingerprint(), r.Former)
		}
	}
	for name, q := range map[string]core.AuditQuery{"whole": {}, "a choice": {Action: core.ActSignUp}} {
		x := export(t, p, q, core.AuditJSONL)
		r := must(core.VerifyExport(core.ExportToVerify{File: bytes.NewReader(x.file), Proof: bytes.NewReader(x.proof), Key: key.PublicKey()}))(t)
		if r.Found != 0 || !r.Signed {
			t.Errorf("%s: %+v", name, r)
		}
	}
	whole(t, p)
}

// A host key that was changed, once and again, is the operator's to say: then all
// that the former one has signed holds, and is signed by the one of today.
func TestAFormerKeyIsAdopted(t *testing.T) {
	first, second, last := coretest.HostKey(t), another(t), third(t)
	for _, when := range []string{"at once", "after more was sealed and cut"} {
		t.Run(when, func(t *testing.T) {
			p, me := rotated(t)
			noted := must(p.Audit.Head(ctx, p.Owner))(t).String()
			acts(t, p, me, 5)
			must(p.Audit.SealNow(ctx))(t)
			change := func(to, from *signature.Signer) {
				t.Helper()
				p = again(t, p, hostKey(to))
				if when != "at once" {
					acts(t, p, me, 5)
					must(p.Audit.SealNow(ctx))(t)
					all := p.Trail()
					must(core.CutTrail(p.Portal, all[len(all)-3].At))(t)
					acts(t, p, me, 5)
					must(p.Audit.SealNow(ctx))(t)
				}
				r := verify(t, p, noted)
				finds(t, r, core.FoundForeign, "")
				finds(t, r, core.FoundForeignGone, "")
				out := must(p.Audit.Adopt(ctx, coretest.Console(), " "+from.Fingerprint()+"\n"))(t)
				if out.Fingerprint != from.Fingerprint() || out.Block == 0 || out.Signed < 3 {
					t.Errorf("%+v", out)
				}
				if e := newest(t, p, core.ActTrailAdopt); e.Target != from.Fingerprint() || e.After["block"] != itoa(int(out.Block)) || e.Actor != core.ActorConsole {
					t.Errorf("the entry is %+v", e)
				}
			}
			change(second, first)
			holdsWith(t, p, second, noted, first)
			acts(t, p, me, 5)
			must(p.Audit.SealNow(ctx))(t)
			holdsWith(t, p, second, noted, first)
			change(last, second)
			holdsWith(t, p, last, noted, first, second)
		})
	}
	t.Run("twice, and then both", func(t *testing.T) {
		p, me := rotated(t)
		noted := must(p.Audit.Head(ctx, p.Owner))(t).String()
		for _, key := range []*signature.Signer{second, last} {
			p = again(t, p, hostKey(key))
			acts(t, p, me, 5)
			must(p.Audit.SealNow(ctx))(t)
		}
		must(p.Audit.Adopt(ctx, coretest.Console(), first.Fingerprint()))(t)
		finds(t, verify(t, p, noted), core.FoundForeign, "")
		must(p.Audit.Adopt(ctx, coretest.Console(), second.Fingerprint()))(t)
		holdsWith(t, p, last, noted, first, second)
	})
}

// What a former key signs after it was adopted counts no more: it may have been
// changed because it was stolen.
func TestAFormerKeyCountsNoMore(t *testing.T) {
	for _, c := range forgeries() {
		t.Run(c.name, func(t *testing.T) {
			p, me := chained(t)
			noted := must(p.Audit.Head(ctx, p.Owner))(t).String()
			p = again(t, p, hostKey(another(t)))
			must(p.Audit.Adopt(ctx, coretest.Console(), coretest.HostKey(t).Fingerprint()))(t)
			acts(t, p, me, 5)
			must(p.Audit.SealNow(ctx))(t)
			if r := verify(t, p, noted); r.Found != 0 {
				t.Fatalf("%+v", r)
			}
			ok(t, core.Tamper(p.Portal, func(tx store.Tx) error {
				return c.change(core.Forger{Tx: tx, By: coretest.HostKey(t)}, p.Trail())
			}))
			finds(t, verify(t, p, noted), c.kind, "")
			acts(t, p, me, 5)
			must(p.Audit.SealNow(ctx))(t)
			all := p.Trail()
			must(core.CutTrail(p.Portal, all[len(all)/2].At))(t)
			if r := verify(t, p, noted); r.Found == 0 && c.name != "a checkpoint" {
				t.Errorf("it was made good: %+v", r)
			}
		})
	}
}

// Data of an earlier program holds as it did where the host key was not changed;
// where it was, the former key is adopted like any other.
func TestTheChainOfAnEarlierProgram(t *testing.T) {
	p, _ := rotated(t)
	noted := must(p.Audit.Head(ctx, p.Owner))(t).String()
	ok(t, core.Tamper(p.Portal, func(tx store.Tx) error { return core.KeepLegacyKey(tx, coretest.HostKey(t).PublicKey()) }))
	p = again(t, p)
	holdsWith(t, p, coretest.HostKey(t), noted)

	ok(t, core.Tamper(p.Portal, func(tx store.Tx) error { // as one did which signed on with another key
		f := core.Forger{Tx: tx, By: another(t)}
		if err := f.Gone(p.Trail()[20].ID); err != nil {
			return err
		}
		if err := f.Point(4); err != nil {
			return err
		}
		return core.KeepLegacyKey(tx, another(t).PublicKey())
	}))
	r := verify(t, p, noted)
	finds(t, r, core.FoundForeign, "")
	finds(t, r, core.FoundForeignGone, "")
	must(p.Audit.Adopt(ctx, coretest.Console(), another(t).Fingerprint()))(t)
	holdsWith(t, p, coretest.HostKey(t), noted, another(t))
}

// Only the machine's own operator says which keys there were.
func TestWhoAdoptsAKey(t *testing.T) {
	p, me := chained(t)
	p = again(t, p, hostKey(another(t)))
	former := coretest.HostKey(t).Fingerprint()
	for _, who := range []core.Actor{me, p.Owner, {}, coretest.From("192.0.2.1")} {
		_, err := p.Audit.Adopt(ctx, who, former)
		refused(t, err, core.CodeDenied, "")
	}
	for _, bad := range []string{"", "SHA256:", strings.TrimPrefix(former, "SHA256:"), former + "A", former[:49] + "!", coretest.HostKey(t).PublicKey(), strings.Repeat("A", 10_000)} {
		_, err := p.Audit.Adopt(ctx, coretest.Console(), bad)
		refused(t, err, core.CodeFormat, "fingerprint")
	}
	_, err := p.Audit.Adopt(ctx, coretest.Console(), another(t).Fingerprint())
	refused(t, err, core.CodeKeyCurrent, "")
	_, err = p.Audit.Adopt(ctx, coretest.Console(), third(t).Fingerprint())
	refused(t, err, core.CodeNotFound, "fingerprint")
	finds(t, verify(t, p, ""), core.FoundForeign, "")
	must(p.Audit.Adopt(ctx, coretest.Console(), former))(t)
	if r := verify(t, p, ""); r.Found != 0 {
		t.Errorf("%+v", r)
	}
}

// Whichever call of the store fails while a key is adopted, nothing counts before it
// is in the trail that it does, and saying it again ends it.
func TestAnAdoptionThatBreaksOffIsFinished(t *testing.T) {
	p, _ := rotated(t)
	faulty := storetest.NewFaulty(p.DB)
	for n := 1; ; n += 3 {
		p = again(t, p, hostKey([]*signature.Signer{another(t), third(t)}[n%2]), func(_ testing.TB, c *core.Config) { c.Store = faulty })
		former := must(p.Audit.Verify(ctx, coretest.Console(), "", nil))(t).Findings[0].Key
		said := adoptions(p, former)
		faulty.FailAt(n)
		_, err := p.Audit.Adopt(ctx, coretest.Console(), former)
		calls := faulty.Calls()
		faulty.FailAt(0)
		if n > calls {
			ok(t, err)
			if n < 20 {
				t.Errorf("it makes only %d calls", calls)
			}
			return
		}
		refused(t, err, core.CodeInternal, "")
		if r := verify(t, p, ""); adoptions(p, former) == said && (r.Found == 0 || r.Removed > 0) {
			t.Fatalf("call %d: %+v", n, r)
		}
		must(p.Audit.Adopt(ctx, coretest.Console(), former))(t)
		if r := verify(t, p, ""); r.Found != 0 || r.Removed < 20 {
			t.Fatalf("call %d: %+v", n, r)
		}
	}
}

// adoptions counts how often a key was adopted.
func adoptions(p *coretest.Place, key string) (n int) {
	for _, e := range p.Trail() {
		if e.Action == core.ActTrailAdopt && e.Outcome == core.OutcomeDone && e.Target == key {
			n++
		}
	}
	return n
}

// Adopting a key makes nothing good that it has not signed.
func TestAnAdoptionTakesWhatTheKeyHasSigned(t *testing.T) {
	p, _ := rotated(t)
	id := p.Trail()[20].ID
	ok(t, core.Tamper(p.Portal, func(tx store.Tx) error {
		if err := (core.Forger{Tx: tx, By: third(t)}).Gone(id); err != nil {
			return err
		}
		if err := core.Claim(tx, id, coretest.HostKey(t).PublicKey()); err != nil {
			return err
		}
		return core.EditCut(tx, 3)
	}))
	p = again(t, p, hostKey(another(t)))
	must(p.Audit.Adopt(ctx, coretest.Console(), coretest.HostKey(t).Fingerprint()))(t)
	r := verify(t, p, "")
	finds(t, r, core.FoundDropped, id)
	finds(t, r, core.FoundSignature, "")
}
