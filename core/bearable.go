// What a change of methods does to people, before it is put in force: counted on a
// snapshot, outside of the transaction that writes, which only looks whether the
// count still holds. Over a million accounts it takes seconds, and nobody else could
// write meanwhile.

package core

import (
	"context"
	"errors"
)

// foreseeTries is how often it is counted anew when factors change meanwhile.
const foreseeTries = 3

// errAgain ends an act that has to look at something anew, outside of its
// transaction, before it is tried again. It is no refusal, and is in no trail.
var errAgain = errors.New("core: to be looked at anew")

// foreseen is whom a change touches, and of which state of the data that is true.
type foreseen struct {
	counted           bool // somebody was looked for; false: the change touches nobody
	lockedOut, losing int
	version           int // of the policy
	turns             factorTurns
}

// factorTurns says how often something happened that can make a change of methods
// touch more people, or fewer. The same turns mean that nobody's factors are others.
type factorTurns struct {
	moved int // factors that went, were disabled or ended; holders who may sign in no more, or again
	came  int // factors of the kinds that the change switches on or off
}

// turns are those that matter to a change.
func (c *counter) turns() (factorTurns, error) {
	sum, err := c.factorTotals()
	t := factorTurns{moved: sum.Moved}
	for _, k := range heldKinds() {
		// What comes of another kind takes nothing from anybody.
		if c.old.Factors.on(k) != c.next.Factors.on(k) || k == FactorKey && c.old.Factors.KeyStands != c.next.Factors.KeyStands {
			t.came += sum.Came[k]
		}
	}
	return t, err
}

// foresee looks whom a change would leave without a factor or lock out. A change
// that is refused for something else is not looked at: that is said where it is
// tried.
func (s *Policies) foresee(ctx context.Context, actor Actor, change PolicyChange) (seen foreseen, err error) {
	if change.Accept {
		return seen, nil
	}
	_, err = s.look(ctx, actor, func(t *txn) error {
		seen = foreseen{version: t.policy.Version}
		next, _, err := t.change(change)
		if refusal := (*Error)(nil); errors.As(err, &refusal) {
			return nil
		} else if err != nil {
			return err
		}
		c := &counter{txn: t, ctx: ctx, old: t.policy, next: next}
		if sameMethods(c.old.Factors, next.Factors) || !c.losesMethods() {
			return nil
		}
		seen.counted = true
		if seen.turns, err = c.turns(); err != nil {
			return err
		}
		_, err = c.protections()
		seen.lockedOut, seen.losing = c.out.LockedOut.Count, c.out.Losing.Count
		return err
	})
	if CodeOf(err) == CodeSessionEnded || CodeOf(err) == CodeDenied {
		return seen, nil // as above
	}
	return seen, err
}

// bearable refuses a change that would leave people without a factor, or lock
// them out, unless that was accepted; and one that would lock out every owner in
// any case. errAgain when that was foreseen of other data, unless it is the last
// try: then who was seen counts, and nobody is a conflict.
func (t *txn) bearable(ctx context.Context, next Policy, accepted bool, seen foreseen, last bool) error {
	c := &counter{txn: t, ctx: ctx, old: t.policy, next: next}
	if sameMethods(t.policy.Factors, next.Factors) {
		return nil
	}
	if err := c.owners(); err != nil {
		return err
	}
	if c.out.EveryOwner {
		return refuseField(CodeLockout, "factors")
	}
	if accepted {
		return nil
	}
	stale := false
	if c.losesMethods() {
		turns, err := c.turns()
		if err != nil {
			return err
		}
		stale = !seen.counted || seen.version != t.policy.Version || turns != seen.turns
	}
	if stale && !last {
		return errAgain
	}
	switch lockedOut := c.out.LockedOut.Count + seen.lockedOut; {
	case lockedOut > 0:
		return &Error{Code: CodeLocksOut, Field: "factors", N: lockedOut}
	case seen.losing > 0:
		return &Error{Code: CodeLosesFactor, Field: "factors", N: seen.losing}
	case stale:
		return refuseField(CodeConflict, "factors")
	}
	return nil
}
