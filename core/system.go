// What is done to the portal's data as a whole, by those who run it.

package core

import (
	"context"
	"strconv"
)

// BackUp runs write, which makes a backup, for an actor who may, and records it.
// target names the backup for the trail. CodeDenied, and the error of write as
// CodeInternal.
func (s *Site) BackUp(ctx context.Context, actor Actor, target string, write func() error) error {
	target, err := cleanText("file", target, MaxTarget, true)
	if err != nil {
		return err
	}
	if _, err := s.look(ctx, actor, (*txn).mayMaintain); err != nil {
		return s.refused(ctx, actor, ActBackup, "", err)
	}
	if err := write(); err != nil {
		return s.refused(ctx, actor, ActBackup, "", asError(err))
	}
	return s.do(ctx, actor, ActBackup, "", func(t *txn) error {
		t.entry.Target = target
		return t.mayMaintain()
	})
}

// Compacted records that the file of the data was written anew, with its size in
// bytes before and after. CodeDenied.
func (s *Site) Compacted(ctx context.Context, actor Actor, before, after int64) error {
	return s.do(ctx, actor, ActCompact, "", func(t *txn) error {
		t.entry.Before = map[string]string{"bytes": strconv.FormatInt(before, 10)}
		t.entry.After = map[string]string{"bytes": strconv.FormatInt(after, 10)}
		return t.mayMaintain()
	})
}

// MaxTarget bounds the name of a file in the trail, in characters.
const MaxTarget = 4096

// MayMaintain says whether the actor may back the portal up and check it.
// CodeDenied. The machine's own operator may even before the portal is set up.
func (s *Site) MayMaintain(ctx context.Context, actor Actor) error {
	return s.read(ctx, actor, (*txn).mayMaintain)
}

func (t *txn) mayMaintain() error {
	if t.actor.Console && !t.site.SetUp() {
		return nil
	}
	return t.may(OpSystem, "")
}
