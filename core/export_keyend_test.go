package core

import (
	"context"
	"time"
)

// SweepKeys is the part of a sweep that looks at linked keys.
func SweepKeys(ctx context.Context, p *Portal, now time.Time) (int, error) {
	return p.base.sweepKeys(ctx, now)
}
