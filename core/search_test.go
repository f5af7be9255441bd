// The search for people: each is found once by whatever is known of them, and no
// page looks at more than its share.
package core_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

// search returns the user names on all pages of a search, and how many pages it took.
func search(t *testing.T, p *coretest.Place, q core.PeopleQuery) (names []string, pages int) {
	t.Helper()
	for pages = 1; ; pages++ {
		page := must(p.Accounts.Search(ctx, p.Owner, q))(t)
		for _, a := range page.Accounts {
			names = append(names, a.UserName)
		}
		if len(page.Accounts) > max(q.N, 1) {
			t.Fatalf("%d on a page of %d", len(page.Accounts), q.N)
		}
		if page.Looked > core.SearchMost {
			t.Fatalf("a page looked at %d", page.Looked)
		}
		if q.After = page.Next; q.After == "" {
			return names, pages
		}
		if pages > 10_000 {
			t.Fatal("the search does not end")
		}
	}
}

func TestPeopleAreFoundByWhatIsKnownOfThem(t *testing.T) {
	p := coretest.Open(t)
	day := func(n int) time.Time { return coretest.Start.AddDate(0, 0, n) }
	ids := map[string]string{}
	ok(t, core.FillPeople(p.Portal, 9, func(i int, a *core.Account) {
		a.UserName = []string{"ada", "adam", "bea", "carl", "dora", "emil", "fay", "gus", "hal"}[i]
		a.DisplayName = []string{"Ada Lovelace", "Adam", "Bea", "Carl Adams", "Dora", "Emil", "Fay", "Gus", "Hal"}[i]
		a.Email = []string{"love@example.org", "adam@example.org", "", "carl@example.org", "Adora@Example.org", "e@example.org", "f@example.org", "g@example.org", "h@example.org"}[i]
		a.State = []core.State{core.StateActive, core.StateActive, core.StatePending, core.StateSuspended, core.StateActive, core.StateActive, core.StatePending, core.StateRejected, core.StateActive}[i]
		if i < 6 {
			a.LastSignIn = day(-i)
		}
		ids[a.UserName] = a.ID
	}))
	ok(t, core.PutFactor(p.Portal, ids["adam"], core.FactorApp))
	ok(t, core.PutFactor(p.Portal, ids["adam"], core.FactorApp))
	ok(t, core.PutFactor(p.Portal, ids["adam"], core.FactorSMS))
	ok(t, core.PutFactor(p.Portal, ids["carl"], core.FactorApp))
	must(p.Keys.AddTo(ctx, coretest.Console(), "dora", edLine(t), ""))(t)
	grant(t, p, ids["emil"], core.RoleAdmin)
	ok(t, core.GrantRole(p.Portal, ids["emil"], core.RoleAdmin, p.Clock.Now().Add(time.Hour)))
	ok(t, core.GrantRole(p.Portal, ids["hal"], core.RoleAdmin, p.Clock.Now().Add(-time.Hour)))

	for _, c := range []struct {
		what string
		q    core.PeopleQuery
		want string
	}{
		{"everybody, by name", core.PeopleQuery{}, "ada adam bea carl dora emil fay gus hal lin"},
		{"the oldest first", core.PeopleQuery{Sort: core.SortCreated}, "lin ada adam bea carl dora emil fay gus hal"},
		{"how a name, an address or part of a display name is", core.PeopleQuery{Text: " Ada "}, "ada adam carl"},
		{"how an address begins", core.PeopleQuery{Text: "adora@ex"}, "dora"},
		{"part of a display name", core.PeopleQuery{Text: "lovelace"}, "ada"},
		{"nobody", core.PeopleQuery{Text: "zz"}, ""},
		{"a state", core.PeopleQuery{State: core.StatePending}, "bea fay"},
		{"a state and a text", core.PeopleQuery{State: core.StatePending, Text: "f"}, "fay"},
		{"the active", core.PeopleQuery{State: core.StateActive}, "ada adam dora emil hal lin"},
		{"an app", core.PeopleQuery{Factor: core.FactorApp}, "adam carl"},
		{"an app, and active", core.PeopleQuery{Factor: core.FactorApp, State: core.StateActive}, "adam"},
		{"a phone", core.PeopleQuery{Factor: core.FactorSMS}, "adam"},
		{"a key", core.PeopleQuery{Factor: core.FactorKey}, "dora"},
		{"nothing", core.PeopleQuery{Factor: core.FactorNone}, "ada bea emil fay gus hal lin"},
		{"a role that is held now", core.PeopleQuery{Role: core.RoleAdmin}, "emil"},
		{"any role that is held now", core.PeopleQuery{Role: core.RoleAny}, "emil lin"},
		{"a role and a text", core.PeopleQuery{Role: core.RoleAdmin, Text: "x"}, ""},
		{"who came lately", core.PeopleQuery{SeenAfter: day(-2)}, "ada adam bea lin"},
		{"who has not come for long, or never", core.PeopleQuery{SeenBefore: day(-3), State: core.StateActive}, "dora emil hal"},
		{"a range", core.PeopleQuery{SeenAfter: day(-3), SeenBefore: day(-1)}, "bea carl"},
	} {
		for _, n := range []int{1, 2, 100} {
			c.q.N = n
			names, _ := search(t, p, c.q)
			if got := strings.Join(names, " "); got != c.want {
				t.Errorf("%s, %d a page: %q, want %q", c.what, n, got, c.want)
			}
		}
	}
}

// However many there are, a page costs the same, and the pages together miss nobody.
func TestAPageOfASearchLooksAtItsShare(t *testing.T) {
	p := coretest.Open(t)
	const n = 3 * core.SearchMost
	ok(t, core.FillPeople(p.Portal, n, func(i int, a *core.Account) {
		if i%1000 == 999 {
			a.DisplayName = "Needle"
		}
	}))
	names, pages := search(t, p, core.PeopleQuery{Text: "needle", N: 100})
	if len(names) != n/1000 || pages != 4 {
		t.Errorf("%d on %d pages, want %d on 4", len(names), pages, n/1000)
	}
	// What an index finds comes alone, before everybody is looked at.
	page := must(p.Accounts.Search(ctx, p.Owner, core.PeopleQuery{Text: "p000000", N: 100}))(t)
	if len(page.Accounts) != 10 || page.Looked > 20 || page.Next == "" {
		t.Errorf("%d found among %d, and then %q", len(page.Accounts), page.Looked, page.Next)
	}
	all, _ := search(t, p, core.PeopleQuery{N: core.MaxPage})
	if len(all) != n+1 || !slices.IsSorted(all) {
		t.Errorf("%d of %d in order %t", len(all), n+1, slices.IsSorted(all))
	}
}

// Bad input is refused with the field and the rule. ASVS 2.2.1
func TestASearchIsCheckedBeforeItIsDone(t *testing.T) {
	p := coretest.Open(t)
	for _, c := range []struct {
		q     core.PeopleQuery
		code  core.Code
		field string
	}{
		{core.PeopleQuery{Text: strings.Repeat("a", 10<<10)}, core.CodeTooLong, "search"},
		{core.PeopleQuery{Text: "a\x1b[31mb"}, core.CodeCharacter, "search"},
		{core.PeopleQuery{Text: "a\x00"}, core.CodeCharacter, "search"},
		{core.PeopleQuery{Text: "\xff"}, core.CodeEncoding, "search"},
		{core.PeopleQuery{State: "gone"}, core.CodeFormat, "state"},
		{core.PeopleQuery{Factor: "dice"}, core.CodeFormat, "factor"},
		{core.PeopleQuery{Role: "king"}, core.CodeFormat, "role"},
		{core.PeopleQuery{Sort: "age"}, core.CodeFormat, "sort"},
		{core.PeopleQuery{After: "7:x"}, core.CodeFormat, "after"},
		{core.PeopleQuery{After: "0:???"}, core.CodeFormat, "after"},
		{core.PeopleQuery{SeenAfter: coretest.Start, SeenBefore: coretest.Start}, core.CodeFormat, "seen"},
	} {
		_, err := p.Accounts.Search(ctx, p.Owner, c.q)
		refused(t, err, c.code, c.field)
	}
	var e *core.Error
	_, err := p.Accounts.Search(ctx, p.Owner, core.PeopleQuery{Text: strings.Repeat("a", 10<<10)})
	if e, _ = err.(*core.Error); e == nil || e.N != core.MaxSearch {
		t.Errorf("the bound is not named: %v", err)
	}
	me := p.SignUp("mara")
	_, err = p.Accounts.Search(ctx, me, core.PeopleQuery{})
	refused(t, err, core.CodeDenied, "")
}

// What was found while others come and go is neither found twice nor missed.
func TestASearchGoesOnWhilePeopleComeAndGo(t *testing.T) {
	p := coretest.Open(t)
	ok(t, core.FillPeople(p.Portal, 30, nil))
	seen := map[string]int{}
	q := core.PeopleQuery{N: 7}
	for i := 0; ; i++ {
		page := must(p.Accounts.Search(ctx, p.Owner, q))(t)
		for _, a := range page.Accounts {
			seen[a.UserName]++
		}
		if q.After = page.Next; q.After == "" {
			break
		}
		p.SignUp(fmt.Sprint("a", i)) // sorts before
	}
	for i := range 30 {
		if name := fmt.Sprintf("p%07d", i); seen[name] != 1 {
			t.Errorf("%s was seen %d times", name, seen[name])
		}
	}
}
