// Data of an older program is brought up to date when it is opened: a table may
// have got an index that its records are not in yet. It is done in small
// transactions, from where an earlier start has stopped.

package core

import (
	"context"
	"errors"
	"log/slog"

	"postern/store"
)

// schemaRecord says how far the data has come.
type schemaRecord struct {
	Version int    `json:"version"`
	After   string `json:"after,omitempty"` // within the step to Version+1
}

var schemas = store.NewTable[schemaRecord]("schema", 1)

const schemaID = "now"

// migration is a step from one version of the data to the next. It does a part of
// its work, after a cursor, and returns where to go on; "" when it is done.
type migration struct {
	why  string // for the log
	part func(tx store.Tx, after string) (next string, err error)
}

// migratePart is how many records one transaction of a step looks at.
const migratePart = 500

// migrations lead from version 1, which is what a portal without a schema record
// has, to the present. A step is never changed, only others come after it.
func migrations() []migration {
	return []migration{
		reindex("grants are found by their end", grants),
		{"accounts and factors are counted", countAll},
		{"what the trail says is counted", countFromNow},
		reindex("the trail is found by action and address", trail),
		{"accounts have keys for the trail", giveTrailKeys},
		{"what the trail says of people is sealed", sealTrail},
		reindex("ended sessions are found by their account", sessions),
		{"the trail is to be sealed into a chain", markTrail},
		reindex("keys are found by their end", linkedKeys),
		reindex("ended grants are found by their account", grants),
		forgetLeft("requests forget people who were deleted", requests, func(r Request) string { return r.Account }, forgetRequest),
		forgetLeft("runs forget people who were deleted", runs, func(r Run) string { return r.Account }, forgetRun),
	}
}

// reindex is the step for a table that has got an index.
func reindex[T any](why string, table *store.Table[T]) migration {
	return migration{why, func(tx store.Tx, after string) (string, error) { return table.Reindex(tx, after, migratePart) }}
}

// schemaNow is the version of the data that this program writes.
func schemaNow() int { return len(migrations()) + 1 }

// migrate brings the data up to date.
func (b *base) migrate(ctx context.Context) error {
	now := schemaRecord{Version: 1}
	setUp := false
	err := b.db.View(ctx, func(tx store.Tx) error {
		if _, err := sites.Get(tx, siteID); errors.Is(err, store.ErrNotFound) {
			return nil // nothing is there yet: SetUp writes the version
		} else if err != nil {
			return err
		}
		setUp = true
		found, err := schemas.Get(tx, schemaID)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		now = found
		return err
	})
	if err != nil || !setUp {
		return err
	}
	if now.Version > schemaNow() {
		return store.ErrNewer
	}
	for _, step := range migrations()[now.Version-1:] {
		b.log.Info("bringing the data up to date", slog.String("why", step.why), slog.Int("version", now.Version+1))
		for done := false; !done; {
			err := b.db.Update(ctx, func(tx store.Tx) error {
				next, err := step.part(tx, now.After)
				if err != nil {
					return err
				}
				to := schemaRecord{Version: now.Version, After: next}
				if done = next == ""; done {
					to.Version++
				}
				return schemas.Put(tx, schemaID, to)
			})
			if err != nil {
				return err
			}
			if err := b.db.View(ctx, func(tx store.Tx) (err error) { now, err = schemas.Get(tx, schemaID); return err }); err != nil {
				return err
			}
		}
	}
	return nil
}
