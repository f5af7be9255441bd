// The search for people, by those who look after them. It walks the index that
// leads to the fewest and looks at what it finds there; how many accounts one page
// may look at is bounded, so a page costs the same among a million as among ten.

package core

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"postern/core/names"
	"postern/store"
)

// Bounds of a search.
const (
	MaxSearch  = 128   // characters of its text
	searchMost = 1_000 // accounts that one page looks at
	// factorMost is searchMost for pages that ask for the factors of every account.
	factorMost = 500
	searchStep = 200 // of them at a time
)

// What stands in a search for a factor.
const (
	FactorNone     FactorKind = "none"     // none is enrolled
	FactorMissing  FactorKind = "missing"  // none that the policy lets count
	FactorDisabled FactorKind = "disabled" // one that failures in a row have disabled
)

// RoleAny stands in a search for accounts that hold a role on the portal, whichever.
const RoleAny Role = "any"

// PeopleSort is an order of people.
type PeopleSort string

// The orders. Those by last sign-in have no index: a page of them costs a walk
// through everybody, and is whole, however many are looked at.
const (
	SortName    PeopleSort = "name"
	SortCreated PeopleSort = "created" // the oldest first
	SortSeen    PeopleSort = "seen"    // who signed in last first, who never did last
	SortUnseen  PeopleSort = "unseen"  // who never signed in first, then the longest ago
)

// PeopleSorts returns every order, as they are offered.
func PeopleSorts() []PeopleSort { return []PeopleSort{SortName, SortCreated, SortSeen, SortUnseen} }

// PeopleQuery says who is looked for. What is left empty asks for nothing; all
// that is asked for must hold.
type PeopleQuery struct {
	// Text is how a user name or an address begins, or part of a display name.
	Text   string
	State  State
	Factor FactorKind // one that is enrolled, or FactorNone, FactorMissing, FactorDisabled
	Role   Role       // one that is held on the portal now, or RoleAny
	// SeenAfter and SeenBefore are a range of the last sign-in, its beginning in
	// it. Who never signed in was last seen before everything.
	SeenAfter, SeenBefore time.Time
	Sort                  PeopleSort // "" is SortName
	After                 string
	N                     int
}

// PeoplePage is a page of people. It may be shorter than was asked for, and even
// empty, though there is more: then so many were looked at that the rest is left
// to the next. Next continues it; "" when there is no more.
type PeoplePage struct {
	Accounts []Account
	Next     string
	Looked   int // accounts that were looked at for this page
	// Sort is the order they come in: that of the index which was walked may be
	// another than what was asked for.
	Sort PeopleSort
}

// Search returns a page of the people that q describes. CodeDenied; CodeTooLong,
// CodeCharacter and CodeEncoding with the field "search"; CodeFormat for a state,
// factor, role, order or cursor that there is not (fields "state", "factor",
// "role", "sort", "after") and for a range that ends before it begins ("seen").
func (s *Accounts) Search(ctx context.Context, actor Actor, q PeopleQuery) (PeoplePage, error) {
	if q.Sort.seen() {
		return s.SearchWatched(ctx, actor, q, nil)
	}
	var page PeoplePage
	err := s.read(ctx, actor, func(t *txn) error {
		if err := t.may(OpReadAccounts, ""); err != nil {
			return err
		}
		f, err := q.clean()
		if err != nil {
			return err
		}
		page, err = t.search(ctx, f)
		return err
	})
	return page, err
}

// finder is a query that was checked.
type finder struct {
	PeopleQuery
	name, email, display string // forms of Text
}

func (q PeopleQuery) clean() (finder, error) {
	text, err := cleanText("search", q.Text, MaxSearch, false)
	if err != nil {
		return finder{}, err
	}
	q.Text, q.N = text, pageSize(q.N)
	f := finder{PeopleQuery: q, display: strings.ToLower(text), email: strings.ToLower(text), name: strings.ToLower(text)}
	if name, err := names.Lookup(text); err == nil {
		f.name = name
	}
	if f.Sort == "" {
		f.Sort = SortName
	}
	switch {
	case !slices.Contains([]State{"", StateActive, StatePending, StateSuspended, StateRejected}, q.State):
		return f, refuseField(CodeFormat, "state")
	case !slices.Contains([]FactorKind{"", FactorNone, FactorMissing, FactorDisabled, FactorApp, FactorSMS, FactorEmail, FactorKey}, q.Factor):
		return f, refuseField(CodeFormat, "factor")
	case q.Role != "" && q.Role != RoleAny && roleRank[q.Role] == 0:
		return f, knownRole(q.Role)
	case !slices.Contains(PeopleSorts(), f.Sort):
		return f, refuseField(CodeFormat, "sort")
	case !q.SeenAfter.IsZero() && !q.SeenBefore.IsZero() && !q.SeenAfter.Before(q.SeenBefore):
		return f, refuseField(CodeFormat, "seen")
	}
	return f, nil
}

// walk is one way through accounts. A search goes several, one after the other,
// when its text may be the beginning of one thing or of another.
type walk struct {
	sort PeopleSort
	// page reads on after a cursor; a row without an account is passed over.
	page func(t *txn, after string, n int) ([]store.Row[Account], error)
	text func(a Account) bool // whether the text of the search holds; nil: it does by itself
	scan bool                 // it goes through everybody
}

// everybody is the way through all accounts, the oldest first.
func (f finder) everybody() walk {
	return walk{sort: SortCreated, scan: true, text: f.anyText, page: func(t *txn, after string, n int) ([]store.Row[Account], error) {
		return accounts.Page(t, after, n)
	}}
}

// walks are the ways that find everybody whom the query can mean, each once, by
// the index that leads to the fewest.
func (f finder) walks() []walk {
	all := f.everybody()
	byIndex := func(index, prefix string) func(t *txn, after string, n int) ([]store.Row[Account], error) {
		return func(t *txn, after string, n int) ([]store.Row[Account], error) {
			return accounts.PageBy(t, index, prefix, after, n)
		}
	}
	switch {
	case f.Role != "":
		return []walk{{sort: SortCreated, text: f.anyText, page: f.pageRole}}
	case f.State != "" && f.State != StateActive:
		return []walk{{sort: SortCreated, text: f.anyText, page: func(t *txn, after string, n int) ([]store.Row[Account], error) {
			return accounts.PageEq(t, "state", string(f.State), after, n)
		}}}
	case f.Text != "":
		display := all
		display.text = func(a Account) bool { return f.anyText(a) && !f.named(a) && !f.mailed(a) }
		return []walk{
			{sort: SortName, page: byIndex("name", f.name)},
			{sort: SortName, page: byIndex("email", f.email), text: func(a Account) bool { return !f.named(a) }},
			display,
		}
	case f.Factor == FactorKey:
		return []walk{{sort: SortCreated, page: pageKeys}}
	case f.Factor != "" && f.Factor != FactorNone && f.Factor != FactorMissing:
		return []walk{{sort: SortCreated, page: f.pageFactors}}
	case f.Sort == SortName:
		return []walk{{sort: SortName, scan: true, page: byIndex("name", "")}}
	}
	return []walk{all}
}

// search goes the ways until the page is full, or enough was looked at.
func (t *txn) search(ctx context.Context, f finder) (PeoplePage, error) {
	ways := f.walks()
	page := PeoplePage{Sort: ways[0].sort}
	at, after, err := f.cursor(len(ways))
	if err != nil {
		return page, err
	}
	most := searchMost
	if f.Factor != "" {
		most = factorMost
	}
	for ; at < len(ways); at, after = at+1, "" {
		w := ways[at]
		if w.scan && at > 0 && after == "" && len(page.Accounts) > 0 {
			// What was found by an index is shown before everybody is looked at.
			page.Next = strconv.Itoa(at) + ":"
			return page, nil
		}
		for {
			if err := ctx.Err(); err != nil {
				return page, err
			}
			n := min(max(f.N-len(page.Accounts), searchStep), most-page.Looked)
			if f.sure(w) {
				n = min(f.N-len(page.Accounts), most-page.Looked)
			}
			rows, err := w.page(t, after, n)
			if err != nil {
				return page, err
			}
			for i, r := range rows {
				after = r.Cursor
				page.Looked++
				if r.Value.ID == "" {
					continue
				}
				found, err := t.finds(f, w, r.Value)
				if err != nil {
					return page, err
				}
				if found {
					page.Accounts = append(page.Accounts, r.Value)
				}
				if last := i == len(rows)-1 && len(rows) < n && at == len(ways)-1; len(page.Accounts) == f.N && !last {
					page.Next = strconv.Itoa(at) + ":" + after
					return page, nil
				}
			}
			if len(rows) < n {
				break
			}
			if page.Looked >= most {
				page.Next = strconv.Itoa(at) + ":" + after
				return page, nil
			}
		}
	}
	return page, nil
}

// cursor reads where to go on: the way and the place on it.
func (f finder) cursor(ways int) (at int, after string, err error) {
	if f.After == "" {
		return 0, "", nil
	}
	way, after, ok := strings.Cut(f.After, ":")
	at, bad := strconv.Atoi(way)
	if !ok || bad != nil || at < 0 || at >= ways || len(after) > store.MaxKey {
		return 0, "", store.ErrCursor
	}
	return at, after, nil
}

// sure says that every account on a way is one that is looked for, so that no
// more need be read than the page holds.
func (f finder) sure(w walk) bool {
	return f.Factor == "" && f.Role == "" && f.State != StateActive && f.SeenAfter.IsZero() && f.SeenBefore.IsZero() &&
		(f.Text == "" || w.text == nil)
}

// named and mailed say whether the text is how the user name or the address begins.
func (f finder) named(a Account) bool { return strings.HasPrefix(a.UserName, f.name) }
func (f finder) mailed(a Account) bool {
	return a.Email != "" && strings.HasPrefix(names.EmailKey(a.Email), f.email)
}

// anyText says whether the text holds in any way.
func (f finder) anyText(a Account) bool {
	return f.Text == "" || f.named(a) || f.mailed(a) || strings.Contains(strings.ToLower(a.DisplayName), f.display)
}

// finds decides about one account; what costs most is asked for last.
func (t *txn) finds(f finder, w walk, a Account) (bool, error) {
	switch {
	case w.text != nil && !w.text(a),
		f.State != "" && a.State != f.State,
		!f.SeenAfter.IsZero() && a.LastSignIn.Before(f.SeenAfter),
		!f.SeenBefore.IsZero() && !a.LastSignIn.Before(f.SeenBefore):
		return false, nil
	}
	if f.Role != "" {
		held, err := t.rank(a.ID)
		if err != nil || !held.roles[f.Role] && (f.Role != RoleAny || held.top == 0) {
			return false, err
		}
	}
	return t.hasFactor(a.ID, f.Factor)
}

// hasFactor says whether an account has a factor of a kind, "" being none in
// particular.
func (t *txn) hasFactor(account string, k FactorKind) (bool, error) {
	if k == "" {
		return true, nil
	}
	if k == FactorMissing {
		guarded, err := t.protected(account)
		return !guarded, err
	}
	if k == FactorKey || k == FactorNone {
		keys, err := t.liveKeysOf(account)
		if err != nil || k == FactorKey || len(keys) > 0 {
			return k == FactorKey && len(keys) > 0, err
		}
	}
	list, err := t.factorsOf(account)
	if k == FactorNone {
		return len(list) == 0, err
	}
	return slices.ContainsFunc(list, func(o factorRecord) bool { return o.is(k) }), err
}

// is says whether a factor is one that is looked for.
func (r factorRecord) is(k FactorKind) bool {
	return r.Kind == k || k == FactorDisabled && !r.Disabled.IsZero()
}

// pageOf turns rows about accounts into rows of accounts: the first that concerns
// an account brings it, the others are empty.
func pageOf[T any](t *txn, rows []store.Row[T], account func(T) string, first func(T) (bool, error)) ([]store.Row[Account], error) {
	out := make([]store.Row[Account], len(rows))
	for i, r := range rows {
		out[i].Cursor = r.Cursor
		is, err := first(r.Value)
		if err != nil {
			return nil, err
		}
		if !is {
			continue
		}
		if out[i].Value, err = accounts.Get(t, account(r.Value)); err != nil {
			return nil, err
		}
		out[i].ID = out[i].Value.ID
	}
	return out, nil
}

// pageRole walks the grants of the role, or of every role.
func (f finder) pageRole(t *txn, after string, n int) ([]store.Row[Account], error) {
	page, key := grants.PageEq, AppPostern+"/"+string(f.Role)
	if f.Role == RoleAny {
		page, key = grants.PageBy, AppPostern+"/"
	}
	rows, err := page(t, "role", key, after, n)
	if err != nil {
		return nil, err
	}
	return pageOf(t, rows, func(g Grant) string { return g.Account }, func(g Grant) (bool, error) {
		if !g.active(t.now) {
			return false, nil
		}
		is := true
		err := eachRow(func(after string) ([]store.Row[Grant], error) {
			return grants.PageEq(t, "account", g.Account, after, MaxPage)
		}, func(o Grant) error {
			if o.App == g.App && (o.Role == g.Role || f.Role == RoleAny) && o.active(t.now) && o.ID < g.ID {
				is = false
			}
			return nil
		})
		return is, err
	})
}

// pageFactors walks the factors, account by account.
func (f finder) pageFactors(t *txn, after string, n int) ([]store.Row[Account], error) {
	rows, err := factors.PageBy(t, "account", "", after, n)
	if err != nil {
		return nil, err
	}
	return pageOf(t, rows, func(r factorRecord) string { return r.Account }, func(r factorRecord) (bool, error) {
		if !r.is(f.Factor) {
			return false, nil
		}
		list, err := t.factorsOf(r.Account)
		i := slices.IndexFunc(list, func(o factorRecord) bool { return o.is(f.Factor) })
		return i >= 0 && list[i].ID == r.ID, err
	})
}

// pageKeys walks the linked keys, account by account.
func pageKeys(t *txn, after string, n int) ([]store.Row[Account], error) {
	rows, err := linkedKeys.PageBy(t, "account", "", after, n)
	if err != nil {
		return nil, err
	}
	return pageOf(t, rows, func(k LinkedKey) string { return k.Account }, func(k LinkedKey) (bool, error) {
		list, err := t.liveKeysOf(k.Account)
		return len(list) > 0 && list[0].Fingerprint == k.Fingerprint, err
	})
}
