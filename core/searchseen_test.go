// People by their last sign-in: an order without an index, found by one walk.
package core_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"postern/core"
	"postern/core/coretest"
)

// bySeen is the model: everybody whom keep wants, in an order by last sign-in.
func bySeen(all []core.Account, sort core.PeopleSort, keep func(core.Account) bool) []string {
	list := slices.Clone(all)
	slices.SortFunc(list, func(a, b core.Account) int {
		c := a.LastSignIn.Compare(b.LastSignIn)
		if sort == core.SortSeen {
			c = -c
		}
		if c == 0 {
			c = strings.Compare(a.ID, b.ID)
		}
		return c
	})
	var names []string
	for _, a := range list {
		if keep(a) {
			names = append(names, a.UserName)
		}
	}
	return names
}

// everybody reads all accounts there are.
func everybody(t testing.TB, p *coretest.Place) (all []core.Account) {
	t.Helper()
	q := core.PeopleQuery{N: core.MaxPage}
	for {
		page := must(p.Accounts.Search(ctx, p.Owner, q))(t)
		all = append(all, page.Accounts...)
		if q.After = page.Next; q.After == "" {
			return all
		}
	}
}

// All pages joined are everybody who is looked for, sorted, whatever the filters,
// the size of the pages, and however many signed in at the same moment.
func TestPagesByLastSignInJoinToEverybodySorted(t *testing.T) {
	p := coretest.Open(t)
	ok(t, core.FillPeople(p.Portal, 40, func(i int, a *core.Account) {
		a.State = []core.State{core.StateActive, core.StateActive, core.StateSuspended, core.StatePending}[i%4]
	}))
	factored, ruling := map[string]bool{}, map[string]bool{}
	for i, a := range everybody(t, p) {
		if i%3 == 0 {
			ok(t, core.PutFactor(p.Portal, a.ID, core.FactorApp))
			factored[a.ID] = true
		}
		if i%5 == 1 {
			ok(t, core.GrantRole(p.Portal, a.ID, core.RoleSupport, time.Time{}))
			ruling[a.ID] = true
		}
	}
	rapid.Check(t, func(r *rapid.T) {
		for _, a := range everybody(t, p) {
			at := time.Time{}
			if n := rapid.IntRange(0, 6).Draw(r, "day"); n > 0 {
				at = coretest.Start.AddDate(0, 0, -n).Add(time.Duration(n))
			}
			ok(t, core.SignedInAt(p.Portal, a.ID, at))
		}
		q := core.PeopleQuery{
			Sort:   rapid.SampledFrom([]core.PeopleSort{core.SortSeen, core.SortUnseen}).Draw(r, "order"),
			State:  rapid.SampledFrom([]core.State{"", "", core.StateActive, core.StateSuspended}).Draw(r, "state"),
			Factor: rapid.SampledFrom([]core.FactorKind{"", "", core.FactorApp, core.FactorNone}).Draw(r, "factor"),
			Role:   rapid.SampledFrom([]core.Role{"", "", core.RoleSupport}).Draw(r, "role"),
			Text:   rapid.SampledFrom([]string{"", "", "p00000", "person p000001", "nobody"}).Draw(r, "text"),
			N:      rapid.IntRange(1, 50).Draw(r, "n"),
		}
		if rapid.Bool().Draw(r, "a span") {
			q.SeenAfter = coretest.Start.AddDate(0, 0, -4)
		}
		want := bySeen(everybody(t, p), q.Sort, func(a core.Account) bool {
			return (q.State == "" || a.State == q.State) && (q.Role == "" || ruling[a.ID]) &&
				(q.Factor == "" || factored[a.ID] == (q.Factor == core.FactorApp)) &&
				(q.Text == "" || strings.HasPrefix(a.UserName, q.Text) || strings.Contains(strings.ToLower(a.DisplayName), q.Text)) &&
				!a.LastSignIn.Before(q.SeenAfter)
		})
		var got []string
		for pages := 1; ; pages++ {
			page, err := p.Accounts.Search(ctx, p.Owner, q)
			if err != nil {
				r.Fatal(err)
			}
			if len(page.Accounts) > q.N || page.Next != "" && len(page.Accounts) < q.N || page.Sort != q.Sort || pages > 50 {
				r.Fatalf("%d on a page of %d, in the order %q, page %d", len(page.Accounts), q.N, page.Sort, pages)
			}
			for _, a := range page.Accounts {
				got = append(got, a.UserName)
			}
			if q.After = page.Next; q.After == "" {
				break
			}
		}
		if !slices.Equal(got, want) {
			r.Fatalf("%+v: %v, want %v", q, got, want)
		}
	})
}

// While people sign in, between pages and in the middle of a walk, nobody comes
// twice with the same sign-in, and whoever did nothing comes once.
func TestAnOrderByLastSignInWhilePeopleSignIn(t *testing.T) {
	for _, sort := range []core.PeopleSort{core.SortSeen, core.SortUnseen} {
		p := coretest.Open(t)
		const n = 2*core.SearchMost + 300
		ok(t, core.FillPeople(p.Portal, n, func(i int, a *core.Account) {
			a.LastSignIn = coretest.Start.AddDate(0, 0, -i%50)
		}))
		all := everybody(t, p)
		moved, seen := map[string]bool{}, map[string]int{}
		turn := 0
		comes := func(int, int) {
			// One of the first, one of the last, as the walk goes.
			for _, i := range []int{turn % n, n - 1 - turn%n} {
				ok(t, core.SignedInAt(p.Portal, all[i].ID, coretest.Start.Add(time.Duration(turn)*time.Minute)))
				moved[all[i].ID] = true
			}
			turn++
		}
		q := core.PeopleQuery{Sort: sort, N: 400}
		last := map[string]int{}
		for {
			page := must(p.Accounts.SearchWatched(ctx, p.Owner, q, comes))(t)
			for _, a := range page.Accounts {
				if seen[a.ID+a.LastSignIn.String()]++; seen[a.ID+a.LastSignIn.String()] > 1 {
					t.Errorf("%s: %s comes twice with the same sign-in", sort, a.UserName)
				}
				last[a.ID]++
			}
			if q.After = page.Next; q.After == "" {
				break
			}
		}
		if turn < 15 {
			t.Fatalf("only %d looks", turn)
		}
		for _, a := range all {
			if !moved[a.ID] && last[a.ID] != 1 {
				t.Errorf("%s: %s did nothing and comes %d times", sort, a.UserName, last[a.ID])
			}
		}
	}
}

// A walk says how far it is, can be given up, and ends with the right to it.
func TestAWalkByLastSignIn(t *testing.T) {
	p := coretest.Open(t)
	ok(t, core.FillPeople(p.Portal, core.SearchMost+10, nil))
	q := core.PeopleQuery{Sort: core.SortUnseen, N: 10}
	var told []string
	page := must(p.Accounts.SearchWatched(ctx, p.Owner, q, func(looked, of int) { told = append(told, fmt.Sprintf("%d/%d", looked, of)) }))(t)
	if got := strings.Join(told, " "); got != "1000/1011 1011/1011" || page.Looked != 1011 {
		t.Errorf("told %q, looked at %d", got, page.Looked)
	}
	gone, cancel := context.WithCancel(ctx)
	looks := 0
	_, err := p.Accounts.SearchWatched(gone, p.Owner, q, func(int, int) { looks++; cancel() })
	refused(t, err, core.CodeUnavailable, "")
	if looks != 1 {
		t.Errorf("given up, it looked %d times", looks)
	}

	p.SignUp("mara")
	ok(t, core.GrantRole(p.Portal, must(p.Accounts.Show(ctx, p.Owner, "mara"))(t).ID, core.RoleAuditor, p.Clock.Now().Add(time.Minute)))
	mara := p.SignIn("mara")
	_, err = p.Accounts.SearchWatched(ctx, mara, q, func(int, int) { p.Clock.Advance(time.Minute) })
	refused(t, err, core.CodeDenied, "")

	for _, after := range []string{"0:x", "seen@" + coretest.Start.Format(time.RFC3339) + "/x", "unseen@", "unseen@x/y", "unseen@" + coretest.Start.Format(time.RFC3339) + "/"} {
		_, err := p.Accounts.Search(ctx, p.Owner, core.PeopleQuery{Sort: core.SortUnseen, After: after})
		refused(t, err, core.CodeFormat, "after")
	}
	_, err = p.Accounts.Search(ctx, p.Owner, core.PeopleQuery{After: page.Next})
	refused(t, err, core.CodeFormat, "after")
}
