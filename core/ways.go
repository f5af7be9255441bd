// The ways that a person has to prove who they are, at sign-in and at step-up,
// and what keeps one from being gone.

package core

import (
	"errors"
	"slices"

	"postern/store"
)

// Way is one way to prove who one is.
type Way struct {
	Kind    FactorKind
	ID      string // of the factor; "" for keys, recovery codes and the password
	Label   string
	Hint    string // the masked address that a code goes to
	Default bool
	// Blocked says why the way cannot be gone now: CodeFactorOff, CodeAllowance
	// (no messages left), CodeNoKey (this connection did not bring the key). "" when it can.
	Blocked Code
}

// sentCode is a code that was sent to a factor's address, for one sign-in or
// session: it is of no use in another (ASVS 6.6.2).
type sentCode struct {
	awaited
	Account string `json:"account"`
	Factor  string `json:"factor"`
}

// sentCodes is keyed by whom the code is for: an attempt or a session.
var sentCodes = store.NewTable("sentcode", 1,
	store.Index[sentCode]{Name: "account", Keys: func(c sentCode) []string { return []string{c.Account} }})

// factorGuard counts wrong codes for the factors of an account. Only who has
// proved the password gets there.
func factorGuard(account string) guardKey {
	return guardKey{id: string(guardFactor) + "/" + account, kind: guardFactor}
}

// recoveryGuard counts wrong recovery codes apart, so that their owner gets in
// while others hammer the factors.
func recoveryGuard(account string) guardKey {
	return guardKey{id: string(guardRecovery) + "/" + account, kind: guardRecovery}
}

// guarded says whether a sign-in of the account asks for a second factor: it has
// one whose method is on. One that failed too often still guards: else failing
// would be a way in.
func (t *txn) guarded(account string) (bool, error) {
	list, err := t.factorsOf(account)
	if err != nil {
		return false, err
	}
	if slices.ContainsFunc(list, func(f factorRecord) bool { return t.policy.Factors.on(f.Kind) }) {
		return true, nil
	}
	if !t.policy.Factors.on(FactorKey) {
		return false, nil
	}
	keys, err := t.liveKeysOf(account)
	return len(keys) > 0, err
}

// broughtKey says whether the key that this connection proved is linked to the
// account and has not ended.
func (t *txn) broughtKey(account string) (bool, error) {
	if t.actor.Key == "" {
		return false, nil
	}
	k, err := linkedKeys.Get(t, t.actor.Key)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrTooLarge) {
		return false, nil
	}
	return err == nil && k.Account == account && !k.over(t.now), err
}

// factorWays are the factors that can be asked for, the default first.
func (t *txn) factorWays(account string) ([]Way, error) {
	list, err := t.factorsOf(account)
	if err != nil {
		return nil, err
	}
	var ways []Way
	for _, f := range list {
		if !t.policy.Factors.on(f.Kind) {
			continue
		}
		w := Way{Kind: f.Kind, ID: f.ID, Label: f.Label, Hint: f.hint(), Default: f.Default}
		if !f.Disabled.IsZero() {
			w.Blocked = CodeFactorOff
		} else if service := serviceOf(f.Kind); service != "" {
			u, err := t.usage(service, monthOf(t.now))
			if err != nil {
				return nil, err
			}
			if u.Queued+u.Sent >= t.policy.Messages.allowance(service) {
				w.Blocked = CodeAllowance
			}
		}
		ways = append(ways, w)
	}
	slices.SortStableFunc(ways, func(a, b Way) int {
		if a.Default != b.Default {
			if a.Default {
				return -1
			}
			return 1
		}
		return b.Kind.strength() - a.Kind.strength()
	})
	return ways, nil
}

// signInWays are all ways to go on at StepFactor.
func (t *txn) signInWays(account string) ([]Way, error) {
	ways, err := t.factorWays(account)
	if err != nil {
		return nil, err
	}
	if t.policy.Factors.on(FactorKey) {
		keys, err := t.liveKeysOf(account)
		if err != nil {
			return nil, err
		}
		if len(keys) > 0 { // had it been brought, nothing would be asked
			ways = append(ways, Way{Kind: FactorKey, Label: keys[0].Label, Blocked: CodeNoKey})
		}
	}
	return t.addRecovery(account, ways)
}

func (t *txn) addRecovery(account string, ways []Way) ([]Way, error) {
	r, err := t.recoveryState(account)
	if err == nil && r.Left > 0 {
		ways = append(ways, Way{Kind: FactorRecovery})
	}
	return ways, err
}

// stepUpWays are the ways to prove oneself again, the strongest first. Whoever
// has a factor that is stronger than the password is asked for that, and for a
// recovery code when the factor failed too often: else failing would be a way to
// get by with the password alone.
func (t *txn) stepUpWays(account string) ([]Way, error) {
	ways, err := t.factorWays(account)
	if err != nil {
		return nil, err
	}
	ways = slices.DeleteFunc(ways, func(w Way) bool { return w.Kind.strength() < FactorPassword.strength() })
	slices.SortStableFunc(ways, func(a, b Way) int { return b.Kind.strength() - a.Kind.strength() })
	if !slices.ContainsFunc(ways, func(w Way) bool { return w.Blocked == "" || w.Blocked == CodeFactorOff }) {
		return append([]Way{{Kind: FactorPassword}}, ways...), nil
	}
	return t.addRecovery(account, ways)
}

// signInProves says whether a sign-in is as good as a step-up at once: by what it
// proved, a step-up would be done. It is not where it was by less than the
// strongest that can be asked for, else "another way" would lead around that. Nor
// does a key count, as at step-up: it was proved to the connection, whenever that
// began. A recovery code always does. Its person may have nothing else any more,
// and has to be able to remove what they lost.
func (t *txn) signInProves(account, method string, factor FactorKind) (bool, error) {
	if factor == FactorRecovery {
		return true, nil
	}
	ways, err := t.stepUpWays(account)
	if err != nil {
		return false, err
	}
	asked := slices.IndexFunc(ways, func(w Way) bool { return w.Blocked == "" })
	if asked < 0 { // what there is failed too often
		return false, nil
	}
	reached := -1
	if method != "key" {
		reached = FactorPassword.strength()
	}
	if factor != "" && factor != FactorKey {
		reached = max(reached, factor.strength())
	}
	return ways[asked].Kind != FactorRecovery && reached >= ways[asked].Kind.strength(), nil
}

// passwordProves says whether the password is enough at step-up: nothing
// stronger can be asked for.
func (t *txn) passwordProves(account string) (bool, error) {
	ways, err := t.stepUpWays(account)
	return err == nil && ways[0].Kind == FactorPassword, err
}
