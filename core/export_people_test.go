package core

import (
	"context"
	"fmt"
	"time"

	"postern/store"
)

// FillPeople writes n invented accounts, "p0000000" and on, in transactions of a
// thousand, and counts them. change may make each another than it is.
func FillPeople(p *Portal, n int, change func(i int, a *Account)) error {
	b := p.base
	const batch = 1000
	for from := 0; from < n; from += batch {
		var list []Account
		for i := from; i < min(from+batch, n); i++ {
			id, err := b.ids.new(b.clock.Now())
			if err != nil {
				return err
			}
			name := fmt.Sprintf("p%07d", i)
			a := Account{ID: id, UserName: name, DisplayName: "Person " + name, Email: name + "@example.org", State: StateActive, Created: b.clock.Now()}
			if change != nil {
				change(i, &a)
			}
			list = append(list, a)
		}
		err := b.db.Update(context.Background(), func(tx store.Tx) error {
			for _, a := range list {
				if err := accounts.Insert(tx, a.ID, a); err != nil {
					return err
				}
				if err := credentials.Insert(tx, a.ID, Credential{Hash: "$argon2id$none", Changed: a.Created, Trail: testTrailKey}); err != nil {
					return err
				}
			}
			t := &txn{Tx: tx, base: b}
			count, err := t.tally()
			if err != nil {
				return err
			}
			count.Accounts += len(list)
			return tallies.Put(tx, tallyID, count)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// PutFactor gives an account a factor that was never enrolled.
func PutFactor(p *Portal, account string, kind FactorKind) error {
	id, err := p.base.ids.new(p.base.clock.Now())
	if err != nil {
		return err
	}
	f := factorRecord{Factor: Factor{ID: id, Account: account, Kind: kind, Label: string(kind), Created: p.base.clock.Now()}, Secret: []byte("secret")}
	return p.base.db.Update(context.Background(), func(tx store.Tx) error { return factors.Insert(tx, id, f) })
}

// SearchMost is how many accounts a page of a search looks at.
const SearchMost = searchMost

// SignedInAt says of an account when it last signed in.
func SignedInAt(p *Portal, id string, at time.Time) error {
	return p.base.db.Update(context.Background(), func(tx store.Tx) error {
		a, err := accounts.Get(tx, id)
		if err != nil {
			return err
		}
		a.LastSignIn = at
		return accounts.Put(tx, id, a)
	})
}
