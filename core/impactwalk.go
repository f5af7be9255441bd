// The walks over the data that count the impact of a change: those who hold a
// factor or a key, everybody's password, the live sessions.

package core

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"postern/store"
)

// holding is what an account can prove itself with beside its password.
type holding struct {
	account string
	factors []factorRecord
	keys    int
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
	keys, err := t.keysOf(account)
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
}

// peek returns the record it stands at; ok is false at the end.
func (c *cursor[T]) peek(t *txn) (v T, ok bool, err error) {
	if c.at == len(c.rows) && !c.last {
		after := ""
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

// take hands every record of one account to fn.
func (c *cursor[T]) take(t *txn, account string, fn func(T)) error {
	for {
		v, ok, err := c.peek(t)
		if err != nil || !ok || c.account(v) != account {
			return err
		}
		fn(v)
		c.at++
	}
}

// holders calls fn for everybody who holds a factor or a key, in the order of
// their ids.
func (t *txn) holders(fn func(holding) error) error {
	f := cursor[factorRecord]{table: factors, account: func(f factorRecord) string { return f.Account }}
	k := cursor[LinkedKey]{table: linkedKeys, account: func(k LinkedKey) string { return k.Account }}
	for {
		one, factored, err := f.peek(t)
		if err != nil {
			return err
		}
		other, keyed, err := k.peek(t)
		if err != nil {
			return err
		}
		var h holding
		switch {
		case !factored && !keyed:
			return nil
		case factored && (!keyed || one.Account <= other.Account):
			h.account = one.Account
		default:
			h.account = other.Account
		}
		if err := f.take(t, h.account, func(v factorRecord) { h.factors = append(h.factors, v) }); err != nil {
			return err
		}
		if err := k.take(t, h.account, func(LinkedKey) { h.keys++ }); err != nil {
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

// factors counts who is asked for a factor, who loses the last one and who could
// not sign in any more.
func (c *counter) factors() error {
	var has int // of those who can sign in, who have a factor that counts under the new policy
	methods := c.old.Factors
	methods.Enforce, methods.Days = c.next.Factors.Enforce, c.next.Factors.Days
	if !sameMethods(methods, c.next.Factors) || c.next.Factors.Enforce == EnforceEverybody {
		var err error
		if has, err = c.protections(); err != nil {
			return err
		}
	}
	var err error
	switch c.next.Factors.Enforce {
	case EnforceAdmins:
		err = c.askAdmins()
	case EnforceEverybody:
		err = c.askEverybody(has)
	}
	if err != nil {
		return err
	}
	if c.out.Asked.Count > 0 && !slices.ContainsFunc(c.base.enrollable(c.next.Factors, alone), func(k FactorKind) bool { return k != FactorKey }) {
		c.out.NoWay = c.out.Asked
	}
	return c.owners()
}

// protections walks everybody who holds a factor or a key, and returns how many
// of them have one that counts under the new policy. Whoever cannot sign in is
// taken off afterwards, since they are few: an account is read only for its name.
func (c *counter) protections() (has int, err error) {
	old, next := c.old.Factors, c.next.Factors
	loses := func(h holding) bool { return h.protects(old) && !h.protects(next) }
	looked := 0
	err = c.holders(func(h holding) error {
		if looked++; looked%MaxPage == 0 {
			if err := c.looked(MaxPage); err != nil {
				return err
			}
		}
		if h.protects(next) {
			has++
		}
		if loses(h) {
			if err := c.touchedActive(&c.out.Losing, h.account); err != nil {
				return err
			}
		}
		shut := h.keys > 0 && old.keyStandsFor(KeyStandsForPassword) && !next.keyStandsFor(KeyStandsForPassword)
		if !shut && (!h.guards(next) || c.proves(next, h, helped)) {
			return nil
		}
		a, err := accounts.Get(c, h.account)
		if err != nil || a.State != StateActive {
			return err
		}
		return c.shutOut(a, h)
	})
	if err != nil {
		return has, err
	}
	return has, c.eachClosed(func(a Account) error {
		h, err := c.holdingOf(a.ID)
		if h.protects(next) {
			has--
		}
		if loses(h) {
			c.out.Losing.Count--
		}
		return err
	})
}

// touchedActive counts an account as touched, and names it if it is one of the
// first and can sign in; whoever cannot is taken off later.
func (c *counter) touchedActive(a *Affected, account string) error {
	a.Count++
	if len(a.Names) >= MaxNames {
		return nil
	}
	of, err := accounts.Get(c, account)
	if err == nil && of.State == StateActive {
		a.Names = append(a.Names, of.UserName)
	}
	return err
}

// shutOut counts an account that can sign in now, if it could not any more.
func (c *counter) shutOut(a Account, h holding) error {
	could, err := c.mayEnter(c.old, a, h, helped)
	if err != nil || !could {
		return err
	}
	can, err := c.mayEnter(c.next, a, h, helped)
	if err == nil && !can {
		c.out.LockedOut.add(a.UserName)
	}
	return err
}

// askAdmins counts those who hold a role on the portal.
func (c *counter) askAdmins() error {
	c.out.AskBy = c.next.Factors.AdminsSince.AddDate(0, 0, c.next.Factors.Days)
	return c.eachAdmin(func(a Account, h holding) error {
		by, _, err := c.demandedUnder(c.next.Factors, a)
		if err != nil || h.protects(c.next.Factors) {
			return err
		}
		before, must, err := c.demandedUnder(c.old.Factors, a)
		switch {
		case err != nil:
			return err
		case !must || h.protects(c.old.Factors):
			c.out.Asked.add(a.UserName)
		case by.Before(before):
			c.out.Sooner++
		}
		return nil
	})
}

// askEverybody counts those without a factor. That is everybody but those who
// hold one, so that nobody else has to be read.
func (c *counter) askEverybody(has int) error {
	old, next := c.old.Factors, c.next.Factors
	c.out.AskBy = next.EverybodySince.AddDate(0, 0, next.Days)
	without := c.out.Accounts - has
	switch old.Enforce {
	case EnforceEverybody:
		c.out.Asked = c.out.Losing
		if before := old.EverybodySince.AddDate(0, 0, old.Days); before.After(c.now) && c.out.AskBy.Before(before) {
			c.out.Sooner = without - c.out.Asked.Count
		}
	default:
		asked, err := c.askedAlready()
		if err != nil {
			return err
		}
		c.out.Asked.Count = max(without-len(asked), 0)
		if c.out.Asked.Count > 0 {
			if c.out.Asked.Names, err = c.firstWithout(next, asked); err != nil {
				return err
			}
		}
	}
	return nil
}

// askedAlready finds the administrators who are asked for a factor now, and have
// none either way. They are few: those who run the portal.
func (c *counter) askedAlready() (map[string]bool, error) {
	asked := map[string]bool{}
	if c.old.Factors.Enforce != EnforceAdmins {
		return asked, nil
	}
	err := c.eachAdmin(func(a Account, h holding) error {
		if !h.protects(c.old.Factors) && !h.protects(c.next.Factors) {
			asked[a.ID] = true
		}
		return nil
	})
	return asked, err
}

// eachAdmin calls fn once for everybody who holds a role on the portal and can
// sign in.
func (c *counter) eachAdmin(fn func(Account, holding) error) error {
	seen := map[string]bool{}
	return eachRow(func(after string) ([]store.Row[Grant], error) {
		return grants.PageBy(c, "role", AppPostern+"/", after, MaxPage)
	}, func(g Grant) error {
		if seen[g.Account] || !g.active(c.now) {
			return c.ctx.Err()
		}
		seen[g.Account] = true
		a, err := accounts.Get(c, g.Account)
		if err != nil || a.State != StateActive {
			return err
		}
		h, err := c.holdingOf(a.ID)
		if err != nil {
			return err
		}
		return fn(a, h)
	})
}

// nameSearch bounds how many accounts are looked at for the names of those who
// have no factor: where nearly everybody has one, fewer are named.
const nameSearch = 10 * MaxPage

// firstWithout names the first who have no factor that counts, but for some.
func (c *counter) firstWithout(p FactorPolicy, but map[string]bool) ([]string, error) {
	var names []string
	after := ""
	for seen := 0; seen < nameSearch && len(names) < MaxNames; {
		if err := c.ctx.Err(); err != nil {
			return nil, err
		}
		rows, err := accounts.Page(c, after, MaxNames)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			if r.Value.State != StateActive || but[r.ID] || len(names) == MaxNames {
				continue
			}
			h, err := c.holdingOf(r.ID)
			if err != nil {
				return nil, err
			}
			if !h.protects(p) {
				names = append(names, r.Value.UserName)
			}
		}
		if len(rows) < MaxNames {
			break
		}
		seen, after = seen+len(rows), rows[len(rows)-1].Cursor
	}
	return names, nil
}

// owners looks whether the change would leave the portal without an owner who
// can sign in by themselves, where there is one now.
func (c *counter) owners() error {
	var could, can bool
	err := eachRow(func(after string) ([]store.Row[Grant], error) {
		return grants.PageEq(c, "role", AppPostern+"/"+string(RoleOwner), after, MaxPage)
	}, func(g Grant) error {
		if !g.active(c.now) {
			return nil
		}
		a, err := accounts.Get(c, g.Account)
		if err != nil {
			return err
		}
		h, err := c.holdingOf(a.ID)
		if err != nil {
			return err
		}
		was, err := c.mayEnter(c.old, a, h, alone)
		if err != nil || !was {
			return err
		}
		could = true
		is, err := c.mayEnter(c.next, a, h, alone)
		if err != nil || is {
			can = can || is
			return err
		}
		// Whoever could not even with help was counted already.
		if is, err = c.mayEnter(c.next, a, h, helped); is {
			c.out.LockedOut.add(a.UserName)
		}
		return err
	})
	c.out.EveryOwner = could && !can
	return err
}

// passwordDates is what of a credential says when its password is due: reading a
// million of them, what is left out counts.
type passwordDates struct {
	Changed time.Time `json:"changed"`
	Expired bool      `json:"expired"`
}

// UnmarshalJSON finds the two where a credential has them. Nothing of what stands
// before or between them (hashes in base64, numbers) can look like them.
func (d *passwordDates) UnmarshalJSON(b []byte) error {
	const changed = `"changed":"`
	_, rest, found := bytes.Cut(b, []byte(changed))
	stamp, _, ended := bytes.Cut(rest, []byte(`"`))
	if !found || !ended {
		return errors.New("core: credential without a date")
	}
	d.Expired = bytes.Contains(b, []byte(`"expired":true`))
	return d.Changed.UnmarshalText(stamp)
}

// credentialDates reads the table of credentials; nothing is ever written by it.
var credentialDates = store.NewTable[passwordDates]("credential", 1)

// passwords counts whose password becomes due.
func (c *counter) passwords() error {
	some, err := apps.Page(c, "", 1)
	if err != nil {
		return err
	}
	rotates := func(account string, d passwordDates) (bool, error) {
		cred := Credential{Changed: d.Changed, Expired: d.Expired}
		due := cred.due(c.next.Password, c.now) && !cred.due(c.old.Password, c.now)
		if !due || len(some) == 0 {
			return due, nil
		}
		was, err := c.under(account, c.old) // a stricter app may have asked already
		return !cred.due(was.Password, c.now), err
	}
	for after := ""; ; {
		rows, err := credentialDates.Page(c, after, MaxPage)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if due, err := rotates(r.ID, r.Value); err != nil {
				return err
			} else if !due {
				continue
			}
			if err := c.touchedActive(&c.out.Password, r.ID); err != nil {
				return err
			}
		}
		if err := c.looked(len(rows)); err != nil {
			return err
		}
		if len(rows) < MaxPage {
			break
		}
		after = rows[len(rows)-1].Cursor
	}
	return c.eachClosed(func(a Account) error {
		d, err := credentialDates.Get(c, a.ID)
		if err != nil {
			return err
		}
		due, err := rotates(a.ID, d)
		if due && err == nil {
			c.out.Password.Count--
		}
		return err
	})
}

// sessions counts the live sessions that a change ends.
func (c *counter) sessions() error {
	old, next := c.old.Session, c.next.Session
	account, live := "", 0
	named := ""
	cut := func() error {
		if more := live - next.Max; account != "" && next.Max > 0 && more > 0 && (old.Max == 0 || next.Max < old.Max) {
			return c.touched(&c.out.SessionsCut, more, account)
		}
		return nil
	}
	err := eachRow(func(after string) ([]store.Row[sessionRecord], error) {
		if err := c.ctx.Err(); err != nil {
			return nil, err
		}
		return sessions.PageBy(c, "live", "", after, MaxPage)
	}, func(s sessionRecord) error {
		if s.Account != account {
			if err := cut(); err != nil {
				return err
			}
			account, live = s.Account, 0
			if err := c.looked(1); err != nil {
				return err
			}
		}
		if over, err := c.over(s); err != nil || over {
			return err
		}
		lives, err := c.under(account, c.next) // with the apps that are shared with it
		if err != nil {
			return err
		}
		s.LastSeen = c.base.live.lastSeen(s.ID, s.LastSeen)
		if s.ID == c.actor.Session {
			s.LastSeen = c.now // it acts at this moment
		}
		if !s.ended(lives.Session, c.now) {
			live++
			return nil
		}
		who := account
		if who == named {
			who = ""
		}
		named = account
		return c.touched(&c.out.SessionsEnd, 1, who)
	})
	if err != nil {
		return err
	}
	return cut()
}

// touched adds n to what is touched, and the name of an account ("": of nobody).
func (c *counter) touched(a *Affected, n int, account string) error {
	a.Count += n
	if account == "" || len(a.Names) >= MaxNames {
		return nil
	}
	of, err := accounts.Get(c, account)
	if err == nil {
		a.Names = append(a.Names, of.UserName)
	}
	return err
}
