package core_test

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"

	"postern/core"
	"postern/core/coretest"
	"postern/store"
	"postern/store/memory"
)

// checked runs the check and returns what it reported.
func checked(t *testing.T, p *core.Portal) (problems []string) {
	t.Helper()
	ok(t, p.Check(ctx, func(problem string) { problems = append(problems, problem) }))
	return problems
}

// recordKey is where the first record of a table lies.
func recordKey(t *testing.T, tx store.Tx, table string) []byte {
	t.Helper()
	pairs, err := tx.Scan([]byte(table+"\x00"), nil, 1)
	ok(t, err)
	if len(pairs) == 0 {
		t.Fatalf("no record of %s", table)
	}
	return pairs[0].Key
}

// replace changes the first record of a table behind everybody's back.
func replace(t *testing.T, tx store.Tx, table, old, with string) {
	t.Helper()
	key := recordKey(t, tx, table)
	v, err := tx.Get(key)
	ok(t, err)
	if !bytes.Contains(v, []byte(old)) {
		t.Fatalf("no %s in %s", old, v)
	}
	ok(t, tx.Put(key, bytes.Replace(v, []byte(old), []byte(with), 1)))
}

func TestCheckFindsWhatTransactionsNeverLeave(t *testing.T) {
	remove := func(table string) func(*testing.T, store.Tx) {
		return func(t *testing.T, tx store.Tx) { ok(t, tx.Delete(recordKey(t, tx, table))) }
	}
	for name, tt := range map[string]struct {
		damage func(*testing.T, store.Tx)
		want   string
	}{
		"an account without a credential": {remove("credential"), "has no credential"},
		"a lost account":                  {remove("account"), "which is not there"},
		"a lost count":                    {remove("tally"), "are counted"},
		"a grant without its record":      {remove("grant"), "index grant.role"},
		"no owner any more": {func(t *testing.T, tx store.Tx) {
			replace(t, tx, "grant", `"app"`, `"until":"2000-01-01T00:00:00Z","app"`)
		}, "no active account is an owner"},
		"the portal's own record": {remove("portal"), "the portal's own record is not there"},
		"the policy in force": {func(t *testing.T, tx store.Tx) {
			ok(t, tx.Delete([]byte("policy\x00now")))
		}, "no policy in force"},
		"a version of the policy": {func(t *testing.T, tx store.Tx) {
			pairs, err := tx.Scan([]byte("policy\x00v"), nil, 10)
			ok(t, err)
			ok(t, tx.Delete(pairs[len(pairs)-1].Key))
		}, "was not kept"},
		"a session under another id": {func(t *testing.T, tx store.Tx) {
			v, err := tx.Get(recordKey(t, tx, "session"))
			ok(t, err)
			ok(t, tx.Put([]byte("session\x00another"), v))
		}, `session "another" says that its id is`},
		"a record that cannot be read": {func(t *testing.T, tx store.Tx) {
			ok(t, tx.Put(recordKey(t, tx, "account"), []byte("{")))
		}, "record "},
		"a state that does not exist": {func(t *testing.T, tx store.Tx) {
			replace(t, tx, "account", `"active"`, `"asleep"`)
		}, "is in no known state"},
	} {
		t.Run(name, func(t *testing.T) {
			db := memory.New()
			place := coretest.Open(t, coretest.WithStore(db))
			if problems := checked(t, place.Portal); len(problems) > 0 {
				t.Fatalf("before: %q", problems)
			}
			ok(t, db.Update(ctx, func(tx store.Tx) error { tt.damage(t, tx); return nil }))
			problems := checked(t, place.Portal)
			if !strings.Contains(strings.Join(problems, "\n"), tt.want) {
				t.Errorf("no %q in %q", tt.want, problems)
			}
			for _, p := range problems {
				if strings.Contains(p, "argon2id") || strings.Contains(p, "@") {
					t.Errorf("a report quotes a record: %q", p)
				}
			}
		})
	}
}

func TestCheckFindsDamagedFactors(t *testing.T) {
	rewrite := func(table, pattern, with string) func(*testing.T, store.Tx) {
		return func(t *testing.T, tx store.Tx) {
			key := recordKey(t, tx, table)
			v, err := tx.Get(key)
			ok(t, err)
			re := regexp.MustCompile(pattern)
			if !re.Match(v) {
				t.Fatalf("no %s in %s", pattern, v)
			}
			ok(t, tx.Put(key, re.ReplaceAll(v, []byte(with))))
		}
	}
	move := func(table string) func(*testing.T, store.Tx) { // to an id that nobody has
		return func(t *testing.T, tx store.Tx) {
			key := recordKey(t, tx, table)
			v, err := tx.Get(key)
			ok(t, err)
			ok(t, tx.Delete(key))
			ok(t, tx.Put([]byte(table+"\x00nobody"), v))
		}
	}
	for name, tt := range map[string]struct {
		damage func(*testing.T, store.Tx)
		want   string
	}{
		"a factor of no account":         {rewrite("factor", `"account":"[^"]*"`, `"account":"nobody"`), `belongs to account "nobody", which is not there`},
		"an app without a secret":        {rewrite("factor", `"secret":"[^"]*"`, `"last_step":1`), "is an app and has no secret"},
		"a factor under another id":      {move("factor"), `factor "nobody" says that its id is`},
		"recovery codes of no account":   {move("recovery"), `recovery set "nobody" belongs to account "nobody"`},
		"a notice to no account":         {rewrite("notice", `"account":"[^"]*"`, `"account":"nobody"`), `belongs to account "nobody", which is not there`},
		"a factor that cannot be read":   {rewrite("factor", `^.*$`, `{`), "record "},
		"no key of codes":                {func(t *testing.T, tx store.Tx) { ok(t, tx.Delete(recordKey(t, tx, "codekey"))) }, "the key of codes is not there"},
		"a factor without its index":     {func(t *testing.T, tx store.Tx) { ok(t, tx.Delete(indexKey(t, tx, "factor"))) }, "lacks an index entry"},
		"a policy that demands too much": {rewrite("policy", `"enforce":"nobody"`, `"enforce":"all"`), "out of its bounds"},
	} {
		t.Run(name, func(t *testing.T) {
			db := memory.New()
			place := coretest.Open(t, coretest.WithStore(db))
			enrolApp(t, place, place.Owner, "phone")
			save(t, place, place.Owner)
			if problems := checked(t, place.Portal); len(problems) > 0 {
				t.Fatalf("before: %q", problems)
			}
			ok(t, db.Update(ctx, func(tx store.Tx) error { tt.damage(t, tx); return nil }))
			if problems := checked(t, place.Portal); !strings.Contains(strings.Join(problems, "\n"), tt.want) {
				t.Errorf("no %q in %q", tt.want, problems)
			}
		})
	}
}

// indexKey is where the first entry of a table's first index lies.
func indexKey(t *testing.T, tx store.Tx, table string) []byte {
	t.Helper()
	pairs, err := tx.Scan([]byte(table+"\x01"), nil, 1)
	ok(t, err)
	if len(pairs) == 0 {
		t.Fatalf("no index of %s", table)
	}
	return pairs[0].Key
}

// Without its key no code is accepted, and none that was is found again.
func TestWithoutTheKeyOfCodesNoCodeIsTaken(t *testing.T) {
	db := memory.New()
	p := coretest.Open(t, coretest.WithStore(db))
	_, _, codes := guardedWithCodes(t, p)
	ok(t, db.Update(ctx, func(tx store.Tx) error { return tx.Delete(recordKey(t, tx, "codekey")) }))
	refused(t, recovers(t, p, here, codes[0]), core.CodeInternal, "")
	// A portal that is opened again makes no other: then the old codes would be
	// dead, and nobody would be told.
	again := coretest.New(t, coretest.WithStore(db), coretest.WithClock(p.Clock))
	refused(t, recovers(t, again, here, codes[0]), core.CodeInternal, "")
	if problems := checked(t, again.Portal); len(problems) != 1 || !strings.Contains(problems[0], "key of codes") {
		t.Errorf("%q", problems)
	}
}

func TestCheckOfAnEmptyPortalFindsNothing(t *testing.T) {
	place := coretest.New(t)
	if problems := checked(t, place.Portal); len(problems) > 0 {
		t.Errorf("%q", problems)
	}
}

func TestCheckStopsWhenNobodyWaitsForIt(t *testing.T) {
	place := coretest.Open(t)
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if err := place.Portal.Check(gone, func(string) {}); core.CodeOf(err) != core.CodeUnavailable {
		t.Errorf("%v", err)
	}
}

func TestBackUpIsForThoseWhoRunThePortal(t *testing.T) {
	place := coretest.Open(t)
	called := 0
	write := func() error { called++; return nil }
	refused(t, place.Portal.Site.BackUp(ctx, core.Actor{}, "x.backup", write), core.CodeDenied, "")
	if called != 0 {
		t.Error("it was written all the same")
	}
	ok(t, place.Portal.Site.BackUp(ctx, coretest.Console(), "x.backup", write))
	full := errors.New("disk full")
	if err := place.Portal.Site.BackUp(ctx, coretest.Console(), "y.backup", func() error { return full }); !errors.Is(err, full) {
		t.Errorf("%v", err)
	}
	page, err := place.Portal.Audit.List(ctx, coretest.Console(), "", "", 3)
	ok(t, err)
	var got []string
	for _, e := range page.Entries {
		got = append(got, string(e.Action)+" "+string(e.Outcome)+" "+e.Target)
	}
	want := "portal.backup refused ,portal.backup done x.backup,portal.backup refused "
	if strings.Join(got, ",") != want {
		t.Errorf("the trail says %q, want %q", strings.Join(got, ","), want)
	}
}
