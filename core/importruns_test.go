// Files of many lines: what is refused, what is left by an import that is stopped,
// and whatever else a file may hold.
package core_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"postern/core"
	"postern/core/coretest"
)

// lined is a file of n lines of which some are bad, and which.
func lined(rng *rand.Rand, n int, bad float64) (file string, wrong []int) {
	var b strings.Builder
	var names []string
	for i := 1; i <= n; i++ {
		name := fmt.Sprintf("person%05d", i)
		doc := map[string]any{"user_name": name, "email": name + "@example.org"}
		if rng.Float64() < 0.5 {
			doc["password_hash"] = hashes["scrypt"]
		}
		if rng.Float64() < bad {
			wrong = append(wrong, i)
			switch k := rng.IntN(7); {
			case k == 0 && len(names) > 0:
				doc["user_name"] = strings.ToUpper(names[rng.IntN(len(names))]) // there already
			case k == 1 && len(names) > 0:
				doc["email"] = names[rng.IntN(len(names))] + "@EXAMPLE.org"
			case k == 2:
				doc["shoe_size"] = 43
			case k == 3:
				doc["password_hash"] = "hunter2"
			case k == 4:
				doc["state"] = "dead"
			case k == 5:
				b.WriteString("{\"user_name\": \x00\n")
				continue
			default:
				doc["user_name"] = name + " \x1b[2J"
			}
		} else {
			names = append(names, name)
		}
		line, _ := json.Marshal(doc)
		b.Write(append(line, '\n'))
	}
	return b.String(), wrong
}

// Of a thousand lines exactly the bad ones are refused, and a dry run says the
// same before and leaves no trace.
func TestExactlyTheBadLinesAreRefused(t *testing.T) {
	for seed := range uint64(3) {
		p := coretest.Open(t)
		file, wrong := lined(rand.New(rand.NewPCG(seed, 1)), 1000, 0.1)
		before := p.Dump()
		dry, found := imported(t, p, p.Owner, file, core.ImportOptions{Format: core.ImportJSONL, Dry: true})
		same(t, before, p.Dump())
		trail := len(p.Trail())
		got, problems := imported(t, p, p.Owner, file, jsonl)
		var lines []int
		for _, p := range problems {
			lines = append(lines, p.Line)
		}
		if !slices.Equal(lines, wrong) || got.Imported != 1000-len(wrong) {
			t.Errorf("refused %v, want %v; %+v", lines, wrong, got)
		}
		if !slices.Equal(said(found), said(problems)) || dry.Imported != got.Imported || dry.Refused != got.Refused || dry.NoPassword != got.NoPassword {
			t.Errorf("the dry run said %+v, then came %+v", dry, got)
		}
		// One entry for each batch of 200 lines, with how many came by it.
		entries := p.Trail()
		if n := len(entries) - trail; n != 5 {
			t.Errorf("%d entries", n)
		}
		sum := 0
		for _, e := range entries[:5] {
			var n int
			_, err := fmt.Sscan(e.After["imported"], &n)
			ok(t, err)
			sum += n
			if e.Action != core.ActImport || e.Target != got.ID.Short() || e.About != "" {
				t.Errorf("%+v", e)
			}
		}
		if sum != got.Imported {
			t.Errorf("the trail says %d", sum)
		}
		whole(t, p)
		again, _ := imported(t, p, p.Owner, file, jsonl)
		if again.Skipped != 1000 || again.Imported+again.Refused != 0 || len(p.Trail()) != trail+5 {
			t.Errorf("the same file once more: %+v", again)
		}
	}
}

// Whatever the lines hold, no line is lost: each is imported or refused, and the
// data holds together.
func TestEveryLineHasItsAnswer(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := coretest.Open(t)
		defer p.Close()
		lines := rapid.SliceOfN(rapid.OneOf(
			rapid.StringMatching(`\{"user_name":"[a-c]{1,2}"\}`),
			rapid.StringMatching(`\{"(user_name|email|state|fields)":["\[{]?[a-z@.]{0,4}["\]}]?\}`),
			rapid.StringMatching(`[^\n\r]{1,30}`),
		), 1, 12).Draw(rt, "lines")
		want := 0
		for _, l := range lines {
			if strings.TrimSpace(l) != "" {
				want++
			}
		}
		got, _ := imported(t, p, p.Owner, strings.Join(lines, "\n"), jsonl)
		if got.Imported+got.Refused != want {
			rt.Errorf("%d lines, %+v", want, got)
		}
		whole(t, p)
	})
}

// allOf is who is there, without what differs between any two runs: ids, times
// and random keys.
func allOf(t *testing.T, p *coretest.Place) map[string]string {
	t.Helper()
	out := map[string]string{}
	for after := ""; ; {
		page := must(p.Accounts.List(ctx, coretest.Console(), core.AccountQuery{After: after, N: core.MaxPage}))(t)
		for _, a := range page.Accounts {
			out[a.UserName] = fmt.Sprint(a.DisplayName, a.Email, a.State, a.Fields)
		}
		if after = page.Next; after == "" {
			return out
		}
	}
}

// Stopped after some batches and begun again, an import has done what one run
// does, and each line once.
func TestAStoppedImportGoesOn(t *testing.T) {
	file, wrong := lined(rand.New(rand.NewPCG(7, 7)), 1000, 0.1)
	complete := coretest.Open(t)
	once, problems := imported(t, complete, complete.Owner, file, jsonl)
	for stop := 1; stop <= 4; stop++ {
		p := coretest.Open(t)
		var reported []core.ImportProblem
		report := func(p core.ImportProblem) { reported = append(reported, p) }
		stopping, cancel := context.WithCancel(ctx)
		batches := 0
		first, err := p.Imports.Import(stopping, p.Owner, strings.NewReader(file), jsonl, report, func(done, total int64) {
			if total != int64(len(file)) || done > total {
				t.Errorf("%d of %d bytes", done, total)
			}
			if batches++; batches == stop {
				cancel()
			}
		})
		refused(t, err, core.CodeUnavailable, "")
		if first.Line != stop*200 || first.Complete {
			t.Fatalf("stopped at line %d: %+v", first.Line, first)
		}
		rest, err := p.Imports.Import(ctx, p.Owner, strings.NewReader(file), jsonl, report, nil)
		ok(t, err)
		if rest.Skipped != stop*200 || first.Imported+rest.Imported != once.Imported || first.Refused+rest.Refused != len(wrong) {
			t.Errorf("%+v and then %+v", first, rest)
		}
		if !slices.Equal(said(reported), said(problems)) || !maps.Equal(allOf(t, p), allOf(t, complete)) {
			t.Error("in two runs came something else than in one")
		}
		whole(t, p)
		cancel()
	}
}

// importFlows are imports of a few lines.
func importFlows() []flow {
	file := "user_name,email,password_hash\nnoor,noor@example.org," + hashes["django"] + "\nbad name,,\nzoe,,\n"
	return []flow{
		{name: "import", prepare: func(_ *testing.T, p *coretest.Place) func() error {
			return func() error {
				got, err := p.Imports.Import(ctx, p.Owner, strings.NewReader(file), asCSV, nil, nil)
				if err == nil && (got.Imported != 2 || got.Refused != 1) {
					return fmt.Errorf("%+v", got)
				}
				return err
			}
		}},
		{name: "import, not allowed", denied: true, prepare: func(_ *testing.T, p *coretest.Place) func() error {
			me := p.SignIn("mara")
			return func() error {
				_, err := p.Imports.Import(ctx, me, strings.NewReader(file), asCSV, nil, nil)
				return err
			}
		}},
	}
}

// Whatever a file holds, an import ends, and answers for every line.
func FuzzImport(f *testing.F) {
	f.Add("user_name,email\na,b\n", true)
	f.Add("user_name;field.x\n\"a\";\"b\n", true)
	f.Add(`{"user_name":"a","fields":{"x":1}}`, false)
	f.Add("{\"user_name\":\"a\\u0000\"}\r\n\r\n[[[[", false)
	p := coretest.Open(f)
	f.Fuzz(func(t *testing.T, file string, titled bool) {
		opt := core.ImportOptions{Format: core.ImportJSONL, Dry: true}
		if titled {
			opt.Format = core.ImportCSV
		}
		got, err := p.Imports.Import(ctx, coretest.Console(), strings.NewReader(file), opt, nil, nil)
		if core.CodeOf(err) == core.CodeInternal || err == nil && !got.Complete {
			t.Fatalf("%+v, %v", got, err)
		}
	})
}
