// When something ends, as people write it.

package core

import (
	"strings"
	"time"
)

// EndNever is what stands for no end.
const EndNever = "never"

// ParseEnd reads when something ends: nothing or EndNever for good, a day
// (2026-12-31), which counts to its end, a minute of it (2026-12-31 14:00), or a
// moment as RFC 3339 §5.6 writes it. Days and minutes are those of zone. It asks
// no clock: that an end is past is for the act itself. CodeFormat (field "until").
func ParseEnd(s string, zone *time.Location) (time.Time, error) {
	s = strings.TrimSpace(s)
	if s == "" || strings.EqualFold(s, EndNever) {
		return time.Time{}, nil
	}
	bad := refuseField(CodeFormat, "until")
	if len(s) > maxSpanText {
		return time.Time{}, bad
	}
	if at, err := time.ParseInLocation(time.DateOnly, s, zone); err == nil {
		return sensible(at.AddDate(0, 0, 1), bad)
	}
	for _, layout := range []string{"2006-01-02 15:04", "2006-01-02T15:04"} {
		if at, err := time.ParseInLocation(layout, s, zone); err == nil {
			return sensible(at, bad)
		}
	}
	if at, err := time.Parse(time.RFC3339, strings.ToUpper(s)); err == nil {
		return sensible(at, bad)
	}
	return time.Time{}, bad
}

// FormatEnd writes an end so that ParseEnd reads it; for good is "".
func FormatEnd(end time.Time, zone *time.Location) string {
	if end.IsZero() {
		return ""
	}
	at := end.In(zone)
	if at.Second() != 0 {
		return at.Format(time.RFC3339)
	}
	if before := at.AddDate(0, 0, -1); at.Hour() == 0 && at.Minute() == 0 {
		return before.Format(time.DateOnly)
	}
	return at.Format("2006-01-02 15:04")
}
