// What a door does by itself while it holds the data.

package cmd

import (
	"context"
	"log/slog"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"postern/core"
)

// sweepEvery is how often what only time makes obsolete is cleared away.
const sweepEvery = time.Hour

// keepHouse delivers messages, works on requests, seals the trail, and sweeps at once and then every hour, until the
// returned function is called, which waits for what is under way.
func keepHouse(ctx context.Context, portal *core.Portal, log *slog.Logger) (stop func()) {
	// A limit on the size of files then fails the write, which is refused and
	// rolled back, in place of ending the process.
	signal.Ignore(syscall.SIGXFSZ)
	ctx, cancel := context.WithCancel(ctx)
	delivered, worked, sealed := deliver(ctx, portal), during(ctx, portal.Requests.Work), during(ctx, portal.Audit.Seal)
	posted := during(ctx, portal.Analysis.Deliver)
	var working sync.WaitGroup
	working.Go(func() {
		next := time.NewTicker(sweepEvery)
		defer next.Stop()
		for {
			swept, err := portal.Sweep(ctx, time.Now())
			switch {
			case ctx.Err() != nil:
				return
			case err != nil:
				log.Error("sweep", slog.Any("error", err))
			case swept != (core.Swept{}):
				log.Info("swept", slog.Int("sessions", swept.Sessions), slog.Int("attempts", swept.Attempts), slog.Int("guards", swept.Guards),
					slog.Int("grants", swept.Grants), slog.Int("keys", swept.Keys), slog.Int("codes", swept.Codes), slog.Int("notices", swept.Notices),
					slog.Int("runs", swept.Runs), slog.Int("counts", swept.Counts))
			}
			keepRetention(ctx, portal, log)
			select {
			case <-next.C:
			case <-ctx.Done():
				return
			}
		}
	})
	return func() {
		cancel()
		working.Wait()
		worked()
		posted()
		delivered()
		sealed()
	}
}

// keepRetention removes what the policy keeps no longer, once a day.
func keepRetention(ctx context.Context, portal *core.Portal, log *slog.Logger) {
	ran, gone, err := portal.Retention.Daily(ctx)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		log.Error("retention", slog.Any("error", err))
	case ran && !gone.Nothing():
		log.Info("retention", slog.Int("entries", gone.Entries), slog.Int("sessions", gone.Sessions), slog.Int("messages", gone.Messages),
			slog.Int("warned", gone.Warned), slog.Int("accounts", gone.Accounts), slog.Int("held", gone.Held))
	}
}

// deliver hands messages over until the returned function is called, which waits
// until what was sent is written down.
func deliver(ctx context.Context, portal *core.Portal) (stop func()) {
	return during(ctx, portal.Messages.Deliver)
}

// during runs work until the returned function is called, which waits for its end.
func during(ctx context.Context, work func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		work(ctx)
	}()
	return func() { cancel(); <-done }
}
