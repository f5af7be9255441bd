package core_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"postern/core"
	"postern/core/coretest"
	"postern/core/signature"
	"postern/store"
)

// Whoever changes the file or its proof afterwards, without the key of the portal,
// is found out, and mostly with the line. ASVS 16.4.2, 16.4.3
func TestAChangedExportIsFound(t *testing.T) {
	p := described(t, coretest.OnDisk())
	x := export(t, p, core.AuditQuery{}, core.AuditJSONL)
	sheet := export(t, p, core.AuditQuery{To: p.Clock.Now()}, core.AuditCSV)
	some := export(t, p, core.AuditQuery{Account: "mara"}, core.AuditJSONL)
	file := func(change func(l []string) []string) func(testing.TB, proved) proved {
		return func(_ testing.TB, x proved) proved {
			return proved{[]byte(strings.Join(change(lines(x.file)), "")), x.proof}
		}
	}
	proof := func(change func(l []string) []string) func(testing.TB, proved) proved {
		return func(_ testing.TB, x proved) proved {
			return proved{x.file, []byte(strings.Join(change(lines(x.proof)), ""))}
		}
	}
	edited := file(func(l []string) []string { l[9] = strings.Replace(l[9], "account", "Account", 1); return l })
	forge := func(with *signature.Signer, edit func(testing.TB, proved) proved, change func(map[string]any)) func(testing.TB, proved) proved {
		return func(t testing.TB, x proved) proved {
			if edit != nil {
				x = edit(t, x)
			}
			return proved{x.file, must(core.Forge(x.file, x.proof, with, change))(t)}
		}
	}
	part := func(name string, nth int, change func(part map[string]any)) func(map[string]any) {
		seen := 0
		return func(row map[string]any) {
			if p, is := row[name].(map[string]any); is {
				if seen++; seen == nth {
					change(p)
				}
			}
		}
	}
	for _, c := range []struct {
		name   string
		of     proved
		change func(testing.TB, proved) proved
		kind   core.FindingKind
		line   int
	}{
		{"a field", x, edited, core.FoundEdited, 10},
		{"a field of the last line", x, file(func(l []string) []string { n := len(l) - 1; l[n] = strings.Replace(l[n], "done", "Done", 1); return l }), core.FoundEdited, len(lines(x.file))},
		{"a space", x, file(func(l []string) []string { l[9] = strings.Replace(l[9], ":", ": ", 1); return l }), core.FoundEdited, 10},
		{"an id", x, file(func(l []string) []string { l[9] = l[9][:30] + "ZZZ" + l[9][33:]; return l }), core.FoundInserted, 10},
		{"no entry", x, file(func(l []string) []string { l[9] = "x\n"; return l }), core.FoundUnreadable, 10},
		{"a line dropped", x, file(func(l []string) []string { return slices.Delete(l, 9, 10) }), core.FoundDropped, 9},
		{"the first dropped", x, file(func(l []string) []string { return l[1:] }), core.FoundDropped, 0},
		{"lines dropped", x, file(func(l []string) []string { return slices.Delete(l, 9, 60) }), core.FoundDropped, 9},
		{"put in once more", x, file(func(l []string) []string { return slices.Insert(l, 9, l[8]) }), core.FoundInserted, 10},
		{"put in", x, file(func(l []string) []string { return slices.Insert(l, 9, l[8][:30]+"ZZZ"+l[8][33:]) }), core.FoundInserted, 10},
		{"an old one put in", x, file(func(l []string) []string { return slices.Insert(l, 9, l[50]) }), core.FoundInserted, 10},
		{"put in at the end", x, file(func(l []string) []string { return append(l, l[8][:10]+"0000"+l[8][14:]) }), core.FoundInserted, len(lines(x.file)) + 1},
		{"swapped", x, file(func(l []string) []string { l[9], l[10] = l[10], l[9]; return l }), core.FoundMoved, 10},
		{"moved down", x, file(func(l []string) []string { return slices.Insert(slices.Delete(slices.Clone(l), 9, 10), 30, l[9]) }), core.FoundMoved, 31},
		{"moved up", x, file(func(l []string) []string { return slices.Insert(slices.Delete(slices.Clone(l), 30, 31), 9, l[30]) }), core.FoundMoved, 10},
		{"the tail", x, file(func(l []string) []string { return l[:40] }), core.FoundEnds, 40},
		{"half a line", x, file(func(l []string) []string { l[39] = l[39][:50]; return l[:40] }), core.FoundEdited, 40},
		{"the last line's end", x, file(func(l []string) []string { n := len(l) - 1; l[n] = strings.TrimSpace(l[n]); return l }), core.FoundEdited, len(lines(x.file))},
		{"everything", x, file(func([]string) []string { return nil }), core.FoundEnds, 0},

		{"a cell", sheet, edited, core.FoundEdited, 10},
		{"a title", sheet, file(func(l []string) []string { l[0] = strings.Replace(l[0], "actor", "who", 1); return l }), core.FoundEdited, 1},
		{"the titles", sheet, file(func(l []string) []string { return l[1:] }), core.FoundEdited, 1},
		{"a row", sheet, file(func(l []string) []string { return slices.Delete(l, 9, 10) }), core.FoundDropped, 9},
		{"all but the titles", sheet, file(func(l []string) []string { return l[:1] }), core.FoundEnds, 1},
		{"a line of a choice", some, edited, core.FoundEdited, 10},
		{"a line of a choice dropped", some, file(func(l []string) []string { return slices.Delete(l, 9, 10) }), core.FoundDropped, 9},
		{"of another export", some, func(testing.TB, proved) proved { return proved{x.file, some.proof} }, core.FoundInserted, 0},

		{"the end of the proof", x, proof(func(l []string) []string { return l[:len(l)-1] }), core.FoundCutShort, 0},
		{"half of the proof", x, proof(func(l []string) []string { return l[:60] }), core.FoundCutShort, 0},
		{"half a row", x, proof(func(l []string) []string { l[59] = l[59][:20]; return l[:60] }), core.FoundProof, 60},
		{"more after the end", x, proof(func(l []string) []string { return append(l, l[5]) }), core.FoundProof, len(lines(x.proof)) + 1},
		{"a row taken out", x, proof(func(l []string) []string { return slices.Delete(l, 40, 41) }), core.FoundAltered, 0},
		{"two proofs mixed", x, proof(func(l []string) []string { return append(l[:len(l)-1], lines(sheet.proof)[len(lines(sheet.proof))-1]) }), core.FoundAltered, 0},

		{"signed by another key", x, forge(another(t), nil, nil), core.FoundKey, 0},
		{"edited and signed by another key", x, forge(another(t), edited, nil), core.FoundKey, 0},
		{"not signed", x, forge(nil, nil, nil), core.FoundUnsigned, 0},
		{"a record", x, forge(another(t), nil, part("entry", 10, func(e map[string]any) { e["record"] = "e30=" })), core.FoundEdited, 10},
		{"a record of another", x, forge(another(t), nil, func() func(map[string]any) {
			var other any
			change := part("entry", 9, func(e map[string]any) { other = e["record"] })
			next := part("entry", 10, func(e map[string]any) { e["record"] = other })
			return func(row map[string]any) { change(row); next(row) }
		}()), core.FoundEdited, 10},
		{"a key of an entry", x, forge(another(t), nil, part("entry", 10, func(e map[string]any) { e["key"] = nil })), core.FoundEdited, 10},
		{"a name", x, forge(another(t), nil, part("entry", 10, func(e map[string]any) { e["name"] = "noor" })), core.FoundEdited, 10},
		{"a block's hash", x, forge(another(t), nil, part("block", 2, func(b map[string]any) { b["prev"] = "AAAA" })), core.FoundBlock, 0},
		{"a block's entries", x, forge(another(t), nil, part("block", 2, func(b map[string]any) { b["entries"] = "AAAA" })), core.FoundBlock, 0},
		{"an entry that no block has", x, forge(another(t), nil, part("block", 1, func(b map[string]any) { b["entries"] = "" })), core.FoundStray, 1},
		{"a head", x, forge(another(t), nil, part("head", 1, func(h map[string]any) { h["hash"] = "AAAA" })), core.FoundBlock, 0},
		{"how many", x, proof(func(l []string) []string {
			n := len(l) - 1
			l[n] = strings.Replace(l[n], `"lines":`, `"lines":1`, 1)
			return l
		}), core.FoundTotal, 0},
		{"a signature's time", x, proof(func(l []string) []string {
			n := len(l) - 1
			l[n] = strings.Replace(l[n], `"at":"2026`, `"at":"2025`, 1)
			return l
		}), core.FoundSignature, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.of.holds(t, "")
			r := c.change(t, c.of).verify(t, "")
			if r.Signed != (c.kind == core.FoundProof && c.line > 100) { // then all that was signed is there
				t.Errorf("signed: %v", r.Signed)
			}
			if !slices.ContainsFunc(r.Findings, func(f core.ExportFinding) bool { return f.Kind == c.kind && (f.Line == c.line || c.line == 0) }) {
				t.Errorf("%s in line %d was not found: %+v", c.kind, c.line, r)
			}
		})
	}
}

// What is wrong is said once where one thing is wrong.
func TestOneChangeIsOneFinding(t *testing.T) {
	p := described(t)
	x := export(t, p, core.AuditQuery{}, core.AuditJSONL)
	for name, change := range map[string]func(l []string) []string{
		"edited":     func(l []string) []string { l[9] = strings.Replace(l[9], "done", "Done", 1); return l },
		"dropped":    func(l []string) []string { return slices.Delete(l, 9, 10) },
		"put in":     func(l []string) []string { return slices.Insert(l, 9, l[9][:30]+"ZZZ"+l[9][33:]) },
		"swapped":    func(l []string) []string { l[9], l[10] = l[10], l[9]; return l },
		"moved up":   func(l []string) []string { return slices.Insert(slices.Delete(slices.Clone(l), 30, 31), 9, l[30]) },
		"moved down": func(l []string) []string { return slices.Insert(slices.Delete(slices.Clone(l), 9, 10), 30, l[9]) },
		"the tail":   func(l []string) []string { return l[:20] },
	} {
		y := proved{[]byte(strings.Join(change(lines(x.file)), "")), x.proof}
		if r := y.verify(t, ""); r.Found != 1 || r.Signed {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// A trail that was changed under the portal is found in what it exports then, by
// whoever has nothing but the export.
func TestAnExportOfAChangedTrailIsFound(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(tx store.Tx, all []core.Entry) error
		kind   core.FindingKind
	}{
		{"edited", func(tx store.Tx, all []core.Entry) error {
			return core.EditEntry(tx, all[30].ID, func(e *core.Entry) { e.Remote = "192.0.2.66" })
		}, core.FoundEdited},
		{"dropped", func(tx store.Tx, all []core.Entry) error { return core.DropEntry(tx, all[30].ID) }, core.FoundDropped},
		{"the oldest dropped", func(tx store.Tx, all []core.Entry) error { return core.DropEntry(tx, all[len(all)-1].ID) }, core.FoundDropped},
		{"put in", func(tx store.Tx, all []core.Entry) error {
			e := all[40]
			e.ID = e.ID[:20] + "AAAAAA"
			return core.InsertEntry(tx, e)
		}, core.FoundStray},
		{"a block", func(tx store.Tx, _ []core.Entry) error {
			return core.EditBlock(tx, 3, func(e, p []byte) ([]byte, []byte) { e[40] ^= 1; return e, p })
		}, core.FoundBlock},
		{"a block is gone", func(tx store.Tx, _ []core.Entry) error { return core.DropBlock(tx, 4) }, core.FoundBlock},
		{"the first block is gone", func(tx store.Tx, _ []core.Entry) error { return core.DropBlock(tx, 1) }, core.FoundBlock},
		{"the head", func(tx store.Tx, _ []core.Entry) error {
			return core.EditHead(tx, func(hash []byte, _ *string) { hash[3] ^= 1 })
		}, core.FoundSignature},
		{"the signature is gone", func(tx store.Tx, _ []core.Entry) error {
			return core.EditHead(tx, func(_ []byte, s *string) { *s = "" })
		}, core.FoundUnsigned},
		{"a tail that is cut", func(tx store.Tx, _ []core.Entry) error { return core.CutTail(tx, 4) }, core.FoundCutTail},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, _ := chained(t)
			noted := must(p.Audit.Head(ctx, p.Owner))(t).Short()
			all := p.Trail()
			ok(t, core.Tamper(p.Portal, func(tx store.Tx) error { return c.change(tx, all) }))
			r := export(t, p, core.AuditQuery{}, core.AuditJSONL).verify(t, noted)
			if !slices.ContainsFunc(r.Findings, func(f core.ExportFinding) bool { return f.Kind == c.kind }) {
				t.Errorf("%s was not found: %+v", c.kind, r)
			}
		})
	}
}

// Whichever byte of a file, or of the rows that are signed, is another, it is found;
// so is wherever either ends too early.
func TestAnyByteOfAnExportIsHeld(t *testing.T) {
	p := described(t)
	var of []proved
	for _, format := range core.AuditFormats() {
		of = append(of, export(t, p, core.AuditQuery{}, format), export(t, p, core.AuditQuery{Account: "mara"}, format))
	}
	rapid.Check(t, func(rt *rapid.T) {
		x := rapid.SampledFrom(of).Draw(rt, "export")
		x = proved{bytes.Clone(x.file), bytes.Clone(x.proof)}
		part, n := &x.file, len(x.file)
		if rapid.Bool().Draw(rt, "the proof") {
			part, n = &x.proof, bytes.LastIndex(x.proof, []byte(`{"proof":{"end"`))
		}
		at := rapid.IntRange(0, n-1).Draw(rt, "at")
		if rapid.Bool().Draw(rt, "cut") {
			*part = (*part)[:at]
		} else {
			(*part)[at] ^= byte(rapid.IntRange(1, 255).Draw(rt, "bits"))
		}
		r, err := core.VerifyExport(core.ExportToVerify{File: bytes.NewReader(x.file), Proof: bytes.NewReader(x.proof), Key: coretest.HostKey(t).PublicKey()})
		if err == nil && (r.Found == 0 || r.Signed) {
			rt.Fatalf("%+v", r)
		}
	})
}
