// The walk over all who hold a factor or a key, and what of it lets them in under
// one policy and another.

package core

import (
	"slices"

	"postern/store"
)

// holding is what an account can prove itself with beside its password.
type holding struct {
	account string
	factors []factorRecord
	keys    int     // that have not ended
	grants  []Grant // that have not ended, where they are asked for
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

// cursor walks the records of a table by their account.
type cursor[T any] struct {
	table   *store.Table[T]
	account func(T) string
	rows    []store.Row[T]
	at      int
	last    bool
	begin   string // where in the index it begins; "": with the first
}

// from lets the walk begin with an account, or with whichever comes after it.
func (c *cursor[T]) from(account string) { c.begin = c.table.CursorEq(account, "") }

// peek returns the record it stands at; ok is false at the end.
func (c *cursor[T]) peek(t *txn) (v T, ok bool, err error) {
	if c.at == len(c.rows) && !c.last {
		after := c.begin
		if c.at > 0 {
			after = c.rows[c.at-1].Cursor
		}
		if c.rows, err = c.table.PageBy(t, "account", "", after, MaxPage); err != nil {
			return v, false, err
		}
		c.at, c.last = 0, len(c.rows) < MaxPage
	}
	if c.at == len(c.rows) {
		return v, false, nil
	}
	return c.rows[c.at].Value, true, nil
}

// take hands every record of one account to fn, and passes over those of the
// accounts before it.
func (c *cursor[T]) take(t *txn, account string, fn func(T)) error {
	for {
		v, ok, err := c.peek(t)
		if err != nil || !ok || c.account(v) > account {
			return err
		}
		if c.account(v) == account {
			fn(v)
		}
		c.at++
	}
}

// possessions walks what accounts hold, beside each other and by their accounts.
type possessions struct {
	factors cursor[factorRecord]
	keys    cursor[LinkedKey]
	grants  *cursor[Grant] // nil: they are not asked for
}

// possessionsFrom begins such a walk at an account; "" is the first.
func possessionsFrom(account string, granted bool) *possessions {
	b := &possessions{
		factors: cursor[factorRecord]{table: factors, account: func(f factorRecord) string { return f.Account }},
		keys:    cursor[LinkedKey]{table: linkedKeys, account: func(k LinkedKey) string { return k.Account }},
	}
	if granted {
		b.grants = &cursor[Grant]{table: grants, account: func(g Grant) string { return g.Account }}
	}
	if account != "" {
		b.factors.from(account)
		b.keys.from(account)
		if granted {
			b.grants.from(account)
		}
	}
	return b
}

// next returns the account of which something comes next, "" at the end.
func (b *possessions) next(t *txn) (account string, err error) {
	first := func(of string, ok bool, err error) error {
		if ok && (account == "" || of < account) {
			account = of
		}
		return err
	}
	f, ok, err := b.factors.peek(t)
	if err := first(f.Account, ok, err); err != nil {
		return "", err
	}
	k, ok, err := b.keys.peek(t)
	if err := first(k.Account, ok, err); err != nil || b.grants == nil {
		return account, err
	}
	g, ok, err := b.grants.peek(t)
	return account, first(g.Account, ok, err)
}

// of returns what an account holds. Accounts are asked for as they ascend.
func (b *possessions) of(t *txn, account string) (holding, error) {
	h := holding{account: account}
	err := b.factors.take(t, account, func(f factorRecord) { h.factors = append(h.factors, f) })
	if err == nil {
		err = b.keys.take(t, account, func(k LinkedKey) {
			if !k.over(t.now) {
				h.keys++
			}
		})
	}
	if err == nil && b.grants != nil {
		err = b.grants.take(t, account, func(g Grant) { h.grants = append(h.grants, g) })
	}
	return h, err
}

// holders calls fn for everybody who holds a factor or a key, or when they are
// asked for a grant, in the order of their ids.
func (t *txn) holders(granted bool, fn func(holding) error) error {
	for b := possessionsFrom("", granted); ; {
		account, err := b.next(t)
		if err != nil || account == "" {
			return err
		}
		h, err := b.of(t, account)
		if err != nil {
			return err
		}
		if err := fn(h); err != nil {
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
