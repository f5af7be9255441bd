package core_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"postern/core"
	"postern/core/coretest"
	"postern/store"
)

// acts writes n entries into the trail, a second apart.
func acts(t testing.TB, p *coretest.Place, who core.Actor, n int) {
	t.Helper()
	for i := range n {
		p.Clock.Advance(time.Second)
		ok(t, p.Accounts.SetPreferences(ctx, who, core.Preferences{Language: []string{"en", "es"}[i%2]}))
	}
}

// chained is a portal whose trail is sealed in several blocks.
func chained(t testing.TB, options ...coretest.Option) (*coretest.Place, core.Actor) {
	t.Helper()
	p := coretest.Open(t, options...)
	long(p)
	me := p.SignUp("mara")
	for range 6 {
		acts(t, p, me, 20)
		must(p.Audit.SealNow(ctx))(t)
	}
	return p, me
}

func verify(t testing.TB, p *coretest.Place, noted string) core.VerifyReport {
	t.Helper()
	return must(p.Audit.Verify(ctx, coretest.Console(), noted, nil))(t)
}

// finds fails the test unless a kind of finding is among the report's.
func finds(t testing.TB, r core.VerifyReport, kind core.FindingKind, entry string) {
	t.Helper()
	for _, f := range r.Findings {
		if f.Kind == kind && (entry == "" || f.Entry == entry) {
			return
		}
	}
	t.Errorf("%s %s was not found: %+v", kind, entry, r)
}

// An honest trail holds, whether or not all of it is sealed. ASVS 16.4.2
func TestAnHonestTrailHolds(t *testing.T) {
	p, me := chained(t)
	acts(t, p, me, 3)
	var last, total int
	r := must(p.Audit.Verify(ctx, p.Owner, "", func(done, all int) { last, total = done, all }))(t)
	if r.Found != 0 || r.Blocks != 6 || r.Unsealed != 3 || r.Entries+r.Unsealed != len(p.Trail())-1 || !r.Signed || r.Key != coretest.HostKey(t).PublicKey() {
		t.Errorf("%+v", r)
	}
	if last != total || total != r.Entries {
		t.Errorf("told %d of %d", last, total)
	}
	e := newest(t, p, core.ActAuditVerify)
	if e.After["head"] != r.Head || e.After["found"] != "0" || e.Outcome != core.OutcomeDone {
		t.Errorf("the entry is %+v", e)
	}
	head := must(p.Audit.Head(ctx, p.Owner))(t)
	if head.String() != r.Head || len(head.Short()) >= len(r.Head) {
		t.Errorf("the head is %s", head)
	}
	for _, noted := range []string{head.String(), head.Short(), " " + strings.ToUpper(head.Short()) + "\n"} {
		if v := verify(t, p, noted); v.Noted != core.NotedHeld || v.Found != 0 {
			t.Errorf("with the head %q: %+v", noted, v)
		}
	}
	acts(t, p, me, 50)
	must(p.Audit.SealNow(ctx))(t)
	if v := verify(t, p, head.Short()); v.Noted != core.NotedHeld || v.Found != 0 {
		t.Errorf("after more was sealed: %+v", v)
	}
	_, err := p.Audit.Verify(ctx, me, "", nil)
	refused(t, err, core.CodeDenied, "")
	_, err = p.Audit.Head(ctx, me)
	refused(t, err, core.CodeDenied, "")
	for _, bad := range []string{"1", "1-", "x-0123456789abcdef", "0-0123456789abcdef", "1-0123456789abcde", "1-" + strings.Repeat("a", 65), "1-0123456789abcdeg", strings.Repeat("9", 10_000)} {
		_, err := p.Audit.Verify(ctx, p.Owner, bad, nil)
		refused(t, err, core.CodeFormat, "head")
	}
	whole(t, p)
}

// Whoever has the file and its keys, but not the host's, is found out: an entry
// that is edited, dropped, swapped, put in; a block; the head; a tail that is cut
// when the head was noted. ASVS 16.4.2, 16.4.3
func TestTamperingIsFound(t *testing.T) {
	edit := func(at int, change func(*core.Entry)) func(store.Tx, []core.Entry) (string, error) {
		return func(tx store.Tx, all []core.Entry) (string, error) {
			return all[at].ID, core.EditEntry(tx, all[at].ID, change)
		}
	}
	drop := func(at int) func(store.Tx, []core.Entry) (string, error) {
		return func(tx store.Tx, all []core.Entry) (string, error) {
			id := all[(at+len(all))%len(all)].ID
			return id, core.DropEntry(tx, id)
		}
	}
	insert := func(id func(string) string) func(store.Tx, []core.Entry) (string, error) {
		return func(tx store.Tx, all []core.Entry) (string, error) {
			e := all[40]
			e.ID = id(e.ID)
			return e.ID, core.InsertEntry(tx, e)
		}
	}
	chain := func(change func(tx store.Tx) error) func(store.Tx, []core.Entry) (string, error) {
		return func(tx store.Tx, _ []core.Entry) (string, error) { return "", change(tx) }
	}
	for _, c := range []struct {
		name   string
		change func(tx store.Tx, all []core.Entry) (string, error)
		kind   core.FindingKind
		noted  bool
	}{
		{"edited", edit(30, func(e *core.Entry) { e.Remote = "192.0.2.66" }), core.FoundEdited, false},
		{"another time", edit(30, func(e *core.Entry) { e.At = e.At.Add(time.Millisecond) }), core.FoundEdited, false},
		{"the newest edited", edit(0, func(e *core.Entry) { e.Client = "x" }), core.FoundEdited, false},
		{"dropped", drop(30), core.FoundDropped, false},
		{"the newest dropped", drop(0), core.FoundDropped, false},
		{"the oldest dropped", drop(-1), core.FoundDropped, false},
		{"swapped", func(tx store.Tx, all []core.Entry) (string, error) {
			return all[70].ID, core.SwapEntries(tx, all[30].ID, all[70].ID)
		}, core.FoundEdited, false},
		{"put in", insert(func(id string) string { return id[:20] + "AAAAAA" }), core.FoundInserted, false},
		{"put in at the end", insert(func(id string) string { return "7ZZZZZZZZZ" + id[10:] }), core.FoundInserted, false},
		{"put in before the first", insert(func(id string) string { return "0000000000" + id[10:] }), core.FoundInserted, false},
		{"a block's entry", chain(func(tx store.Tx) error {
			return core.EditBlock(tx, 3, func(e, p []byte) ([]byte, []byte) { e[40] ^= 1; return e, p })
		}), core.FoundBlock, false},
		{"a block's link", chain(func(tx store.Tx) error {
			return core.EditBlock(tx, 3, func(e, p []byte) ([]byte, []byte) { p[0] ^= 1; return e, p })
		}), core.FoundBlock, false},
		{"a block that cannot be read", chain(func(tx store.Tx) error {
			return core.EditBlock(tx, 3, func(e, p []byte) ([]byte, []byte) { return e[:50], p })
		}), core.FoundBlock, false},
		{"a block is gone", chain(func(tx store.Tx) error { return core.DropBlock(tx, 4) }), core.FoundBlock, false},
		{"the first block is gone", chain(func(tx store.Tx) error { return core.DropBlock(tx, 1) }), core.FoundBlock, false},
		{"the newest block is gone", chain(func(tx store.Tx) error { return core.DropBlock(tx, 6) }), core.FoundBlock, false},
		{"the head", chain(func(tx store.Tx) error {
			return core.EditHead(tx, func(hash []byte, _ *string) { hash[3] ^= 1 })
		}), core.FoundSignature, false},
		{"the signature is gone", chain(func(tx store.Tx) error {
			return core.EditHead(tx, func(_ []byte, s *string) { *s = "" })
		}), core.FoundSignature, false},
		{"a tail that is cut", chain(func(tx store.Tx) error { return core.CutTail(tx, 4) }), core.FoundCutTail, true},
		{"a tail that is cut to a signed place", chain(func(tx store.Tx) error { return core.CutTail(tx, 1) }), core.FoundCutTail, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, _ := chained(t)
			noted := ""
			if c.noted {
				noted = must(p.Audit.Head(ctx, p.Owner))(t).Short()
			}
			all, entry := p.Trail(), ""
			ok(t, core.Tamper(p.Portal, func(tx store.Tx) (err error) { entry, err = c.change(tx, all); return err }))
			finds(t, verify(t, p, noted), c.kind, entry)
		})
	}
}

// Only a noted head tells a chain that was cut at a signed place, or one of
// another portal, from the true one.
func TestAnotherChainIsNotTheNoted(t *testing.T) {
	p, _ := chained(t)
	h := must(p.Audit.Head(ctx, p.Owner))(t)
	h.Hash = strings.Repeat("0", 64)
	finds(t, verify(t, p, h.String()), core.FoundRewritten, "")
}

// Entries of transactions that came late are sealed and verified like others.
func TestLateEntriesAreSealed(t *testing.T) {
	p, me := chained(t)
	id := must(core.NewEntryID(p.Portal))(t)
	acts(t, p, me, 10)
	must(p.Audit.SealNow(ctx))(t)
	ok(t, core.WriteLate(p.Portal, core.Entry{ID: id, At: p.Clock.Now(), Action: core.ActSignOut, Outcome: core.OutcomeDone, Door: core.DoorLocal}))
	if r := verify(t, p, ""); r.Found != 0 || r.Unsealed == 0 {
		t.Errorf("before it is sealed: %+v", r)
	}
	must(p.Audit.SealNow(ctx))(t)
	if r := verify(t, p, ""); r.Found != 0 {
		t.Errorf("after: %+v", r)
	}
	ok(t, core.Tamper(p.Portal, func(tx store.Tx) error { return core.EditEntry(tx, id, func(e *core.Entry) { e.Remote = "x" }) }))
	finds(t, verify(t, p, ""), core.FoundEdited, id)
	ok(t, core.Tamper(p.Portal, func(tx store.Tx) error { return core.DropEntry(tx, id) }))
	finds(t, verify(t, p, ""), core.FoundDropped, id)
}

// What retention cuts leaves a signed stub, from which the rest is verified.
func TestWhatRetentionCutsLeavesAStub(t *testing.T) {
	p, me := chained(t)
	before := len(p.Trail())
	old := must(p.Audit.Head(ctx, p.Owner))(t)
	p.Clock.Advance(200 * day)
	acts(t, p, me, 10)
	must(p.Audit.SealNow(ctx))(t)
	n := must(core.CutTrail(p.Portal, p.Clock.Now().Add(-180*day)))(t)
	if n != before {
		t.Errorf("cut %d of %d", n, before)
	}
	r := verify(t, p, "")
	if r.Found != 0 || r.Cut != uint64(n) || r.Blocks != 1 || r.CutUntil.IsZero() {
		t.Errorf("%+v", r)
	}
	if v := verify(t, p, old.String()); v.Noted != core.NotedHeld || v.Found != 0 { // its block is the stub
		t.Errorf("the head of before: %+v", v)
	}
	whole(t, p)
	ok(t, core.Tamper(p.Portal, func(tx store.Tx) error { return core.EditCut(tx, 3) }))
	finds(t, verify(t, p, ""), core.FoundSignature, "")
	if n := must(core.CutTrail(p.Portal, p.Clock.Now().Add(-180*day)))(t); n != 0 {
		t.Errorf("cut %d that are too young", n)
	}
}

// The entries about a deleted account go when the policy says so, and the chain
// holds without them.
func TestTheTrailOfTheDeletedIsRemoved(t *testing.T) {
	p, me := chained(t)
	p.Set("deletion.trail", "remove")
	atOnce(t, p, "0")
	give(t, p, coretest.Console(), "mara", core.RoleAdmin)
	noor := p.SignUp("noor")
	ok(t, p.Accounts.Suspend(ctx, me, "noor", "rent"))
	asksDeletion(t, p, me, "mara")
	n := must(core.ForgetTrails(p.Portal))(t)
	about := 0
	for _, e := range p.Trail() {
		if e.About == me.Account {
			about++
			if e.Action != core.ActAccountDelete && e.Action != core.ActTrailForget {
				t.Errorf("still there: %+v", e)
			}
		}
	}
	if n < 120 || about != 2 {
		t.Errorf("%d were taken out, %d are left", n, about)
	}
	if e := newest(t, p, core.ActTrailForget); e.After["entries"] != itoa(n) || e.Actor != core.ActorSystem {
		t.Errorf("the entry is %+v", e)
	}
	if e := newest(t, p, core.ActSuspend); e.Actor != me.Account || e.About != noor.Account {
		t.Error("what it did to others is gone as well")
	}
	r := verify(t, p, "")
	if r.Found != 0 || r.Removed != n {
		t.Errorf("%+v", r)
	}
	whole(t, p)
}

// While many write and the sealer runs, verifying finds nothing.
func TestVerifyingWhileOthersWrite(t *testing.T) {
	p, _ := chained(t)
	sealing, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { p.Audit.Seal(sealing) })
	for i := range 4 {
		who := p.SignUp(fmt.Sprint("crew", i))
		running.Go(func() {
			for n := 0; sealing.Err() == nil; n++ {
				_ = p.Accounts.SetPreferences(ctx, who, core.Preferences{Language: []string{"en", "es"}[n%2]})
			}
		})
	}
	running.Go(func() {
		for sealing.Err() == nil {
			p.Clock.Advance(time.Second)
			_, _ = p.Audit.SealNow(ctx)
		}
	})
	for range 20 {
		if r := verify(t, p, ""); r.Found != 0 {
			t.Errorf("%+v", r)
			break
		}
	}
	stop()
	running.Wait()
	must(p.Audit.SealNow(ctx))(t)
	if r := verify(t, p, ""); r.Found != 0 || r.Unsealed != 0 {
		t.Errorf("at the end: %+v", r)
	}
	whole(t, p)
}

// Any single change of a random trail is found, and none is found without one.
func TestAnyChangeIsFound(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := coretest.Open(t)
		long(p)
		me := p.SignUp("mara")
		var spare []string
		for range rapid.IntRange(1, 5).Draw(rt, "blocks") {
			acts(t, p, me, rapid.IntRange(0, 8).Draw(rt, "entries"))
			if rapid.Bool().Draw(rt, "keep an id") {
				spare = append(spare, must(core.NewEntryID(p.Portal))(t))
			}
			if len(spare) > 0 && rapid.Bool().Draw(rt, "write late") {
				ok(t, core.WriteLate(p.Portal, core.Entry{ID: spare[0], At: p.Clock.Now(), Action: core.ActSignOut, Outcome: core.OutcomeDone}))
				spare = spare[1:]
			}
			must(p.Audit.SealNow(ctx))(t)
			if rapid.IntRange(0, 3).Draw(rt, "cut") == 0 {
				must(core.CutTrail(p.Portal, p.Clock.Now().Add(-time.Duration(rapid.IntRange(0, 30).Draw(rt, "seconds"))*time.Second)))(t)
			}
		}
		if r := verify(t, p, ""); r.Found != 0 {
			rt.Fatalf("without a change: %+v", r)
		}
		var sealed []core.Entry
		for _, e := range p.Trail() {
			if e.Action != core.ActAuditVerify {
				sealed = append(sealed, e)
			}
		}
		if len(sealed) == 0 {
			return
		}
		must(p.Audit.SealNow(ctx))(t)
		e := rapid.SampledFrom(sealed).Draw(rt, "entry")
		ok(t, core.Tamper(p.Portal, func(tx store.Tx) error {
			switch rapid.IntRange(0, 2).Draw(rt, "change") {
			case 0:
				return core.EditEntry(tx, e.ID, func(e *core.Entry) { e.Client += "x" })
			case 1:
				return core.DropEntry(tx, e.ID)
			default:
				e.ID = e.ID[:22] + "ZZZZ"
				return core.InsertEntry(tx, e)
			}
		}))
		if r := verify(t, p, ""); r.Found == 0 {
			rt.Fatalf("a change was not found: %+v", r)
		}
	})
}

func FuzzParseChainHead(f *testing.F) {
	f.Add("12-0123456789abcdef")
	f.Fuzz(func(t *testing.T, s string) {
		h, err := core.ParseChainHead(s)
		if err != nil {
			refused(t, err, core.CodeFormat, "head")
			return
		}
		again := must(core.ParseChainHead(h.String()))(t)
		if again != h {
			t.Errorf("%q is read as %v and then %v", s, h, again)
		}
	})
}
