package core

import (
	"context"
	"fmt"
	"time"

	"postern/store"
)

// WriteTrail puts n entries into the trail, evenly over span up to the time end;
// make says what each holds. It writes them as they come, the oldest first.
func WriteTrail(ctx context.Context, p *Portal, n int, end time.Time, span time.Duration, make func(i int) Entry) error {
	const at = 2000
	for i := 0; i < n; i += at {
		err := p.base.db.Update(ctx, func(tx store.Tx) error {
			for j := i; j < min(i+at, n); j++ {
				e := make(j)
				e.At = end.Add(-span / time.Duration(n) * time.Duration(n-j)) // span times n would not fit
				id, err := p.base.ids.new(e.At)
				if err != nil {
					return err
				}
				e.ID = id
				kept, err := sealPerson(tx, e)
				if err != nil {
					return err
				}
				if err := trail.Insert(tx, invert(id), kept); err != nil {
					return fmt.Errorf("entry %d: %w", j, err)
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

// DropTrail takes n entries out of the trail, at of them a transaction,
// as the engine alone does: with their indexes, and without a proof.
func DropTrail(ctx context.Context, p *Portal, n, at int) error {
	for n > 0 {
		err := p.base.db.Update(ctx, func(tx store.Tx) error {
			rows, err := trail.Page(tx, "", min(n, at))
			if err != nil {
				return err
			}
			for _, r := range rows {
				if err := trail.Delete(tx, r.ID); err != nil {
					return err
				}
			}
			n -= len(rows)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// TrailListeners says how many follow the trail.
func TrailListeners(p *Portal) int {
	p.base.trails.mu.Lock()
	defer p.base.trails.mu.Unlock()
	return len(p.base.trails.listeners)
}
