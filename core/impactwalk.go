// The walk over all who hold a factor, a key or a grant, and what of it lets them in
// under one policy and another.

package core

import (
	"slices"

	"postern/store"
)

// holding is what an account can prove itself with beside its password.
type holding struct {
	account string
	factors []factorRecord
	keys    int // that have not ended
}

// protects says whether a second factor of it counts under a policy.
func (h holding) protects(p FactorPolicy) bool {
	return h.keys > 0 && p.on(FactorKey) || slices.ContainsFunc(h.factors, func(f factorRecord) bool { return f.countsUnder(p) })
}

// guards says whether a sign-in is asked for a second factor; see guarded.
func (h holding) guards(p FactorPolicy) bool {
	return h.keys > 0 && p.on(FactorKey) || slices.ContainsFunc(h.factors, func(f factorRecord) bool { return p.on(f.Kind) })
}

// holdingOf reads what one account holds.
func (t *txn) holdingOf(account string) (holding, error) {
	h := holding{account: account}
	var err error
	if h.factors, err = t.factorsOf(account); err != nil {
		return h, err
	}
	keys, err := t.liveKeysOf(account)
	h.keys = len(keys)
	return h, err
}

// entryWalk steps through the entries of an index, a page at a time.
type entryWalk struct {
	page  func(t *txn, after store.Entry) ([]store.Entry, error)
	after store.Entry // where the next page begins
	held  []store.Entry
	at    int
	last  bool
}

// peek returns the entry it stands at; ok is false at the end.
func (w *entryWalk) peek(t *txn) (e store.Entry, ok bool, err error) {
	if w.at == len(w.held) && !w.last {
		if w.held, err = w.page(t, w.after); err != nil {
			return e, false, err
		}
		if w.at, w.last = 0, len(w.held) < MaxPage; len(w.held) > 0 {
			w.after = w.held[len(w.held)-1]
		}
	}
	if w.at == len(w.held) {
		return e, false, nil
	}
	return w.held[w.at], true, nil
}

// pass passes over entries as long as over says so, and returns the one after them.
func (w *entryWalk) pass(t *txn, over func(store.Entry) bool) (e store.Entry, ok bool, err error) {
	for {
		if e, ok, err = w.peek(t); err != nil || !ok || !over(e) {
			return e, ok, err
		}
		w.at++
	}
}

// cursor walks what accounts hold of one table, by its index "account". A record is
// read only when it is taken: of whom it is says its entry.
type cursor[T any] struct {
	entryWalk
	table *store.Table[T]
}

// cursorFrom begins a walk with an account, or with whichever comes after it.
func cursorFrom[T any](table *store.Table[T], account string) cursor[T] {
	page := func(t *txn, after store.Entry) ([]store.Entry, error) {
		return table.Entries(t, "account", after, MaxPage)
	}
	return cursor[T]{entryWalk{page: page, after: store.Entry{Value: account}}, table}
}

// pass passes over what the accounts before this one hold, and returns whose
// record comes then; "" at the end.
func (c *cursor[T]) pass(t *txn, account string) (next string, err error) {
	e, _, err := c.entryWalk.pass(t, func(e store.Entry) bool { return e.Value < account })
	return e.Value, err
}

// take hands every record of one account to fn, and passes over those of the
// accounts before it.
func (c *cursor[T]) take(t *txn, account string, fn func(T)) error {
	for {
		next, err := c.pass(t, account)
		if err != nil || next != account {
			return err
		}
		v, err := c.table.At(t, "account", c.held[c.at])
		if err != nil {
			return err
		}
		fn(v)
		c.at++
	}
}

// possessions walks what accounts hold, beside each other and by their accounts.
type possessions struct {
	factors cursor[factorGlimpse]
	keys    cursor[keyGlimpse]
	grants  cursor[grantGlimpse]
}

// possessionsFrom begins such a walk at an account; "" is the first.
func possessionsFrom(account string) *possessions {
	return &possessions{cursorFrom(factorGlimpses, account), cursorFrom(keyGlimpses, account), cursorFrom(grantGlimpses, account)}
}

// next returns who comes after an account ("": the first of all) of those who hold a
// factor or a key, or when they are asked for a grant; "" at the end.
func (b *possessions) next(t *txn, after string, granted bool) (account string, err error) {
	from := after + "\x00" // the least that is greater
	first := func(next string, err error) error {
		if next != "" && (account == "" || next < account) {
			account = next
		}
		return err
	}
	if err := first(b.factors.pass(t, from)); err != nil {
		return "", err
	}
	if err := first(b.keys.pass(t, from)); err != nil || !granted {
		return account, err
	}
	return account, first(b.grants.pass(t, from))
}

// of returns what an account holds. Accounts are asked for as they ascend.
func (b *possessions) of(t *txn, account string) (holding, error) {
	h := holding{account: account}
	err := b.factors.take(t, account, func(f factorGlimpse) { h.factors = append(h.factors, factorRecord(f)) })
	if err == nil {
		err = b.keys.take(t, account, func(k keyGlimpse) {
			if !LinkedKey(k).over(t.now) {
				h.keys++
			}
		})
	}
	return h, err
}

// granted returns the grants of an account that have not ended. It is asked as of
// is, where somebody's grants matter at all: they are most of what there is to read.
func (b *possessions) granted(t *txn, account string) (list []Grant, err error) {
	err = b.grants.take(t, account, func(g grantGlimpse) { list = append(list, Grant(g)) })
	return list, err
}

// shut says of accounts, which are asked for as they ascend, whether they cannot
// sign in. Those who cannot are few, and are listed by their state: nobody's record
// is read to know it of everybody.
type shut []*entryWalk

func (c *counter) newShut() (s shut) {
	for _, state := range closedStates() {
		s = append(s, &entryWalk{after: store.Entry{Value: string(state)}, page: func(t *txn, after store.Entry) ([]store.Entry, error) {
			if err := c.ctx.Err(); err != nil {
				return nil, err
			}
			entries, err := accounts.Entries(t, "state", after, MaxPage)
			others := slices.IndexFunc(entries, func(e store.Entry) bool { return e.Value != string(state) })
			if others >= 0 {
				entries = entries[:others]
			}
			return entries, err
		}})
	}
	return s
}

// has says whether an account is one of them.
func (s shut) has(t *txn, account string) (bool, error) {
	for _, w := range s {
		e, ok, err := w.pass(t, func(e store.Entry) bool { return e.ID < account })
		if err != nil || ok && e.ID == account {
			return err == nil, err
		}
	}
	return false, nil
}

// count passes over all of them.
func (s shut) count(t *txn) (n int, err error) {
	for _, w := range s {
		if _, _, err := w.pass(t, func(store.Entry) bool { n++; return true }); err != nil {
			return n, err
		}
	}
	return n, nil
}

// holders calls fn for everybody who can sign in and holds a factor or a key, or when
// they are asked for a grant, in the order of their ids. It is handed the walk, for
// the grants of that account.
func (c *counter) holders(granted bool, fn func(holding, *possessions) error) error {
	b, shut, looked := possessionsFrom(""), c.newShut(), 0
	for account := ""; ; {
		var err error
		if account, err = b.next(c.txn, account, granted); err != nil || account == "" {
			return err
		}
		if looked++; looked%MaxPage == 0 {
			if err := c.looked(MaxPage); err != nil {
				return err
			}
		}
		if cannot, err := shut.has(c.txn, account); err != nil {
			return err
		} else if cannot {
			continue
		}
		h, err := b.of(c.txn, account)
		if err == nil {
			err = fn(h, b)
		}
		if err != nil {
			return err
		}
	}
}

// help says whether somebody else may lend a hand: codes that no provider carries
// stay in the outbox, where those who run the portal can read them to a person.
// They themselves are helped by nobody.
type help bool

const (
	alone  help = false
	helped help = true
)

// reaches says whether codes of a method come to the person.
func (b *base) reaches(k FactorKind, by help) bool {
	switch k {
	case FactorSMS:
		return b.texter != nil || b.openOutbox || bool(by)
	case FactorEmail:
		return b.mailer != nil || b.openOutbox || bool(by)
	}
	return true
}

// enrollable returns the methods that somebody without a factor can enrol.
func (b *base) enrollable(p FactorPolicy, by help) (out []FactorKind) {
	for _, k := range []FactorKind{FactorKey, FactorApp, FactorSMS, FactorEmail} {
		if p.on(k) && b.reaches(k, by) {
			out = append(out, k)
		}
	}
	return out
}

// mayEnter says whether an account could sign in under a policy: by a password or
// a key, with a second factor that can be proved where one is asked for, and one
// that can be enrolled where it must be. A password that is expired is still a
// way in.
func (t *txn) mayEnter(p Policy, a Account, h holding, by help) (bool, error) {
	if a.State != StateActive {
		return false, nil
	}
	if h.keys == 0 || !p.Factors.keyStandsFor(KeyStandsForPassword) {
		c, err := credentials.Get(t, a.ID)
		if err != nil || c.Hash == "" || c.disabled() {
			return false, err
		}
	}
	if h.guards(p.Factors) {
		if t.proves(p.Factors, h, by) {
			return true, nil
		}
		set, err := t.recoverySet(h.account)
		return len(set.Hashes) > 0, err
	}
	if _, must, err := t.demandedUnder(p.Factors, a); err != nil || !must {
		return true, err
	}
	return len(t.base.enrollable(p.Factors, by)) > 0, nil
}

// proves says whether a second factor of an account works under a policy.
func (t *txn) proves(p FactorPolicy, h holding, by help) bool {
	return h.keys > 0 && p.on(FactorKey) ||
		slices.ContainsFunc(h.factors, func(f factorRecord) bool { return f.countsUnder(p) && t.base.reaches(f.Kind, by) })
}
