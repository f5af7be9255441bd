package core_test

import (
	"testing"
	"time"

	"postern/core/coretest"
)

// What is late rings without the portal's clock going on: else a clock that is set
// just before the alarm is would let everything wait for its next move.
func TestAnAlarmRings(t *testing.T) {
	p := coretest.Open(t)
	rung := func(c <-chan struct{}) bool {
		select {
		case <-c:
			return true
		default:
			return false
		}
	}
	for _, late := range []time.Duration{0, time.Nanosecond, time.Hour} {
		rings := p.Portal.Alarm(p.Clock.Now().Add(-late))
		eventually(t, "an alarm that is late", func() bool { return rung(rings) })
	}
	never, soon := p.Portal.Alarm(time.Time{}), p.Portal.Alarm(p.Clock.Now().Add(time.Minute))
	p.Clock.Advance(time.Minute - 1)
	if rung(soon) || rung(never) {
		t.Fatal("rings before its time")
	}
	p.Clock.Advance(1)
	eventually(t, "the alarm", func() bool { return rung(soon) })
	if rung(never) {
		t.Error("rings without a time")
	}
}
