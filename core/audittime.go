// Spans of time as people write them, for searching the trail.

package core

import (
	"strconv"
	"strings"
	"time"
)

// maxSpanText bounds what is read as a time, in bytes.
const maxSpanText = 64

// ParseAuditSpan reads when a span begins and ends. Each is empty for an open end, a
// day (2026-03-02), a minute of it (2026-03-02 14:30), a moment as RFC 3339
// §5.6 writes it, or how long ago: 30m, 24h, 7d, 2w. A day that ends a span is
// in it whole. Days and minutes are those of zone. CodeFormat and CodeRange with
// the field "from" or "to".
func ParseAuditSpan(from, to string, now time.Time, zone *time.Location) (begin, end time.Time, err error) {
	if begin, err = parseMoment("from", from, now, zone, false); err != nil {
		return time.Time{}, time.Time{}, err
	}
	if end, err = parseMoment("to", to, now, zone, true); err != nil {
		return time.Time{}, time.Time{}, err
	}
	if !begin.IsZero() && !end.IsZero() && !begin.Before(end) {
		return time.Time{}, time.Time{}, refuseField(CodeRange, "to")
	}
	return begin, end, nil
}

// parseMoment reads one of them. whole says that a day or a minute counts to its end.
func parseMoment(field, s string, now time.Time, zone *time.Location, whole bool) (time.Time, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return time.Time{}, nil
	}
	bad := refuseField(CodeFormat, field)
	if len(s) > maxSpanText {
		return time.Time{}, bad
	}
	if ago, ok := parseAgo(s); ok {
		return now.Add(-ago).UTC(), nil
	}
	at, err := time.ParseInLocation(time.DateOnly, s, zone)
	if err == nil {
		if whole {
			at = at.AddDate(0, 0, 1)
		}
		return sensible(at, bad)
	}
	for _, layout := range []string{"2006-01-02 15:04", "2006-01-02T15:04"} {
		if at, err := time.ParseInLocation(layout, s, zone); err == nil {
			if whole {
				at = at.Add(time.Minute)
			}
			return sensible(at, bad)
		}
	}
	if at, err := time.Parse(time.RFC3339Nano, strings.ToUpper(s)); err == nil {
		return sensible(at, bad)
	}
	return time.Time{}, bad
}

// sensible refuses a moment that no entry can have: the year 0 would pass for an
// open end.
func sensible(at time.Time, bad error) (time.Time, error) {
	if at.Year() < 1970 || at.Year() > 9999 {
		return time.Time{}, bad
	}
	return at.UTC(), nil
}

// parseAgo reads how long ago: a number and m, h, d or w.
func parseAgo(s string) (time.Duration, bool) {
	units := map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	unit, ok := units[s[len(s)-1]]
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(s[:len(s)-1], 10, 16)
	if err != nil || n == 0 {
		return 0, false
	}
	return time.Duration(n) * unit, true
}
