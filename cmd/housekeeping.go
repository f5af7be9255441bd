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

// keepHouse delivers messages, and sweeps at once and then every hour, until the
// returned function is called, which waits for what is under way.
func keepHouse(ctx context.Context, portal *core.Portal, log *slog.Logger) (stop func()) {
	// A limit on the size of files then fails the write, which is refused and
	// rolled back, in place of ending the process.
	signal.Ignore(syscall.SIGXFSZ)
	ctx, cancel := context.WithCancel(ctx)
	delivered := deliver(ctx, portal)
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
					slog.Int("grants", swept.Grants), slog.Int("keys", swept.Keys), slog.Int("codes", swept.Codes), slog.Int("messages", swept.Messages), slog.Int("notices", swept.Notices),
					slog.Int("counts", swept.Counts))
			}
			select {
			case <-next.C:
			case <-ctx.Done():
				return
			}
		}
	})
	return func() { cancel(); working.Wait(); delivered() }
}

// deliver hands messages over until the returned function is called, which waits
// until what was sent is written down.
func deliver(ctx context.Context, portal *core.Portal) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		portal.Messages.Deliver(ctx)
	}()
	return func() { cancel(); <-done }
}
