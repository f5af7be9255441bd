// Counters of the factors that are held, kept in the transaction that adds or
// removes one.

package core

import (
	"errors"
	"slices"

	"postern/store"
)

// factorCount counts factors, spread over a few records by account.
type factorCount struct {
	In  map[FactorKind]int `json:"in,omitempty"`  // that can be used, by kind; linked keys too
	Off int                `json:"off,omitempty"` // that failures have disabled
	// Held counts the active accounts by the kinds they hold, a bit each, so that
	// it is known of any policy how many have no factor under it.
	Held map[uint8]int `json:"held,omitempty"`

	// Came and Moved only grow: they say whether anything has happened to factors
	// since somebody looked. Came counts those that came, by kind; Moved those that
	// went, were disabled or ended, and holders whose account may sign in no more or
	// may again.
	Came  map[FactorKind]int `json:"came,omitempty"`
	Moved int                `json:"moved,omitempty"`
}

var factorCounts = store.NewTable[factorCount]("count_factor", 1)

// heldKinds are the kinds of Held, each with its bit.
func heldKinds() []FactorKind {
	return []FactorKind{FactorApp, FactorSMS, FactorEmail, FactorKey}
}

// addTo changes a count in place; one that comes to nothing goes away.
func addTo[K comparable](m *map[K]int, k K, by int) {
	if *m == nil {
		*m = map[K]int{}
	}
	if (*m)[k] += by; (*m)[k] == 0 {
		delete(*m, k)
	}
}

// changeFactorCount changes the counts that an account belongs to.
func (t *txn) changeFactorCount(account string, change func(*factorCount)) error {
	id := shardOf(account)
	c, err := factorCounts.Get(t, id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	change(&c)
	return factorCounts.Put(t, id, c)
}

// factorTotals adds all factor counts up.
func (t *txn) factorTotals() (sum factorCount, err error) {
	rows, err := factorCounts.Page(t, "", countShards)
	for _, r := range rows {
		for k, n := range r.Value.In {
			addTo(&sum.In, k, n)
		}
		for k, n := range r.Value.Held {
			addTo(&sum.Held, k, n)
		}
		sum.Off += r.Value.Off
		for k, n := range r.Value.Came {
			addTo(&sum.Came, k, n)
		}
		sum.Moved += r.Value.Moved
	}
	return sum, err
}

// heldBits returns the kinds that an account can use, as bits of factorCount.Held.
func (t *txn) heldBits(account string) (bits uint8, err error) {
	list, err := t.factorsOf(account)
	if err != nil {
		return 0, err
	}
	for _, f := range list {
		if i := slices.Index(heldKinds(), f.Kind); i >= 0 && f.Disabled.IsZero() {
			bits |= 1 << i
		}
	}
	keys, err := t.keysOf(account)
	if slices.ContainsFunc(keys, func(k LinkedKey) bool { return k.Ended.IsZero() }) {
		bits |= 1 << slices.Index(heldKinds(), FactorKey)
	}
	return bits, err
}

// counted runs act, which changes what factors an account has, and counts what
// it changed.
func (t *txn) counted(account string, change func(*factorCount), act func() error) error {
	before, err := t.heldBits(account)
	if err != nil {
		return err
	}
	if err := act(); err != nil {
		return err
	}
	after, err := t.heldBits(account)
	if err != nil {
		return err
	}
	active := false
	if before != after {
		a, err := accounts.Get(t, account)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		active = a.State == StateActive
	}
	return t.changeFactorCount(account, func(c *factorCount) {
		change(c)
		if active {
			moveHeld(c, before, after)
		}
	})
}

func moveHeld(c *factorCount, before, after uint8) {
	if before != 0 {
		addTo(&c.Held, before, -1)
	}
	if after != 0 {
		addTo(&c.Held, after, 1)
	}
}

// The only ways in which factors and keys come, go and are disabled.

func (t *txn) insertFactor(f factorRecord) error {
	return t.counted(f.Account, func(c *factorCount) { c.addFactor(f, 1); addTo(&c.Came, f.Kind, 1) },
		func() error { return factors.Insert(t, f.ID, f) })
}

func (t *txn) deleteFactor(f factorRecord) error {
	return t.counted(f.Account, func(c *factorCount) { c.addFactor(f, -1); c.Moved++ },
		func() error { return factors.Delete(t, f.ID) })
}

func (t *txn) disableFactor(f factorRecord) error {
	old := f
	f.Disabled = t.now
	return t.counted(f.Account, func(c *factorCount) { c.addFactor(old, -1); c.addFactor(f, 1); c.Moved++ },
		func() error { return factors.Put(t, f.ID, f) })
}

func (t *txn) insertKey(k LinkedKey) error {
	return t.counted(k.Account, func(c *factorCount) { c.addKey(k, 1); addTo(&c.Came, FactorKey, 1) },
		func() error { return linkedKeys.Insert(t, k.Fingerprint, k) })
}

func (t *txn) deleteKey(k LinkedKey) error {
	return t.counted(k.Account, func(c *factorCount) { c.addKey(k, -1); c.Moved++ },
		func() error { return linkedKeys.Delete(t, k.Fingerprint) })
}

// endKey writes down that a key has ended: it is counted until then.
func (t *txn) endKey(k LinkedKey) error {
	old := k
	k.Ended = t.now
	return t.counted(k.Account, func(c *factorCount) { c.addKey(old, -1); c.Moved++ },
		func() error { return linkedKeys.Put(t, k.Fingerprint, k) })
}

// addKey counts a key, unless its end was written down.
func (c *factorCount) addKey(k LinkedKey, by int) {
	if k.Ended.IsZero() {
		addTo(&c.In, FactorKey, by)
	}
}

func (c *factorCount) addFactor(f factorRecord, by int) {
	if f.Disabled.IsZero() {
		addTo(&c.In, f.Kind, by)
	} else {
		c.Off += by
	}
}
