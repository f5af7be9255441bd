package core

import (
	"context"

	"postern/store"
)

// LeaveBehind makes of the requests and runs of an account what an older program
// would have left of them after its deletion: they say something.
func LeaveBehind(p *Portal, account, said string) error {
	const before = 11 // the version that forgets only the request that was carried out
	return p.base.db.Update(context.Background(), func(tx store.Tx) error {
		rows, err := requests.PageEq(tx, "account", account, "", MaxPage)
		if err != nil {
			return err
		}
		for _, r := range rows {
			r.Value.Reason, r.Value.History[0].Reason = said, said
			if err := requests.Put(tx, r.ID, r.Value); err != nil {
				return err
			}
		}
		for _, dry := range []bool{true, false} {
			id, err := p.base.ids.new(p.base.clock.Now())
			if err != nil {
				return err
			}
			if err := runs.Insert(tx, invert(id), Run{ID: id, Account: account, User: said, State: RunDone, Dry: dry, Log: said}); err != nil {
				return err
			}
		}
		return schemas.Put(tx, schemaID, schemaRecord{Version: before})
	})
}

// UnsealTrail makes the trail what an older program would have left: entries in
// the clear, accounts without keys, and the schema of that time.
func UnsealTrail(p *Portal) error {
	const before = 5 // the version that knows no keys
	err := p.base.db.Update(context.Background(), func(tx store.Tx) error {
		t := &txn{Tx: tx, base: p.base}
		for after := ""; ; {
			rows, err := trail.Page(tx, after, MaxPage)
			if err != nil {
				return err
			}
			for _, r := range rows {
				e, err := t.reader().open(r.Value)
				if err != nil {
					return err
				}
				if err := trail.Put(tx, r.ID, storedEntry{Entry: e}); err != nil {
					return err
				}
			}
			if len(rows) < MaxPage {
				break
			}
			after = rows[len(rows)-1].Cursor
		}
		rows, err := credentials.Page(tx, "", MaxPage)
		if err != nil {
			return err
		}
		for _, r := range rows {
			r.Value.Trail = nil
			if err := credentials.Put(tx, r.ID, r.Value); err != nil {
				return err
			}
		}
		return schemas.Put(tx, schemaID, schemaRecord{Version: before})
	})
	return err
}
