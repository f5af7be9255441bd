package core

import (
	"context"
	"fmt"

	"postern/store"
)

// ManyAccounts makes n accounts, as their sign-up leaves them, in transactions of
// a hundred.
func ManyAccounts(p *Portal, n int) error {
	b := p.base
	for done := 0; done < n; done += 100 {
		err := b.db.Update(context.Background(), func(tx store.Tx) error {
			t := &txn{Tx: tx, base: b, now: b.clock.Now()}
			for i := done; i < min(done+100, n); i++ {
				id, err := b.ids.new(t.now)
				if err != nil {
					return err
				}
				name := fmt.Sprintf("p%07d", i)
				a := Account{ID: id, UserName: name, DisplayName: name, Email: name + "@example.org", State: StateActive, Created: t.now}
				if err := t.insertAccount(a, Credential{Hash: "x", Changed: t.now, Trail: testTrailKey}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
