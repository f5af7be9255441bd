package core_test

import (
	"context"
	"errors"
	"testing"

	"postern/core/coretest"
	"postern/store"
	"postern/store/memory"
)

// retrying is an engine that meets a conflict in every Update: the function has
// run to its end, its changes are thrown away, and it runs again.
type retrying struct{ store.Store }

var errConflict = errors.New("conflict")

func (s retrying) Update(ctx context.Context, fn func(store.Tx) error) error {
	err := s.Store.Update(ctx, func(tx store.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		return errConflict
	})
	if err != nil && !errors.Is(err, errConflict) {
		return err
	}
	return s.Store.Update(ctx, fn)
}

// Every act is the same when the engine runs it twice, and is in the trail once.
func TestAnActMayRunTwice(t *testing.T) {
	for _, f := range flows() {
		t.Run(f.name, func(t *testing.T) {
			db := memory.New()
			t.Cleanup(func() { _ = db.Close() })
			p := coretest.New(t, coretest.WithStore(retrying{db}))
			if !f.fresh {
				p.SetUp("lin")
				p.LetIn()
				p.SignUp("mara")
			}
			run := f.prepare(t, p)
			before := 0
			if !f.fresh {
				before = len(p.Trail())
			}
			err := run()
			if f.denied == (err == nil) {
				t.Fatalf("got %v", err)
			}
			written := len(p.Trail()) - before
			switch f.name {
			case "recognise a key", "resume", "sign-in, to wait", // no acts of their own
				"a session that an app ends", "offer a key", "the ways to step up", "mark as read", "the inbox", "the overview", "one's own protection", "who loses":
				if written != 0 {
					t.Errorf("%d entries", written)
				}
			case "be deleted at once": // the request, and what is left of the account
				if written != 2 {
					t.Errorf("%d entries", written)
				}
			default:
				if written != 1 {
					t.Errorf("%d entries, want 1: %+v", written, p.Trail()[:max(written, 0)])
				}
			}
			var faults []string
			ok(t, p.Check(ctx, func(s string) { faults = append(faults, s) }))
			if len(faults) > 0 {
				t.Errorf("the check finds %v", faults)
			}
		})
	}
}
