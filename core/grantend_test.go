package core_test

import (
	"strings"
	"testing"
	"time"

	"postern/core"
)

func TestEndsAsPeopleWriteThem(t *testing.T) {
	zone := time.FixedZone("", 2*60*60)
	at := func(s string) time.Time { return must(time.Parse(time.RFC3339, s))(t) }
	for typed, want := range map[string]time.Time{
		"": {}, " never ": {}, "NEVER": {},
		"2026-12-31":                at("2027-01-01T00:00:00+02:00"), // the whole day
		"2026-12-31 14:00":          at("2026-12-31T14:00:00+02:00"),
		"2026-12-31T14:00":          at("2026-12-31T14:00:00+02:00"),
		"2026-12-31T14:00:00Z":      at("2026-12-31T14:00:00Z"),
		"2026-12-31t14:00:05+05:00": at("2026-12-31T14:00:05+05:00"),
	} {
		got := must(core.ParseEnd(typed, zone))(t)
		if !got.Equal(want) {
			t.Errorf("%q is %v, want %v", typed, got, want)
		}
		if back := must(core.ParseEnd(core.FormatEnd(got, zone), zone))(t); !back.Equal(got) {
			t.Errorf("%q is written %q", typed, core.FormatEnd(got, zone))
		}
	}
	for _, typed := range []string{"tomorrow", "31.12.2026", "2026-13-01", "2026-02-30", "0000-01-01", "-", strings.Repeat("9", 10_000), "\x1b[2J"} {
		_, err := core.ParseEnd(typed, zone)
		refused(t, err, core.CodeFormat, "until")
	}
}

// Whatever is typed is an end that is written as it was read, or none.
func FuzzAnEndIsReadAsItIsWritten(f *testing.F) {
	for _, s := range []string{"", "never", "2026-12-31", "2026-12-31 14:00", "2026-12-31T14:00:05Z", "9999-12-31"} {
		f.Add(s)
	}
	zone := time.FixedZone("", -3*60*60)
	f.Fuzz(func(t *testing.T, typed string) {
		end, err := core.ParseEnd(typed, zone)
		if err != nil {
			refused(t, err, core.CodeFormat, "until")
			return
		}
		end = end.Truncate(time.Second) // what is kept
		back, err := core.ParseEnd(core.FormatEnd(end, zone), zone)
		if err != nil || !back.Equal(end) {
			t.Errorf("%q is %v, written %q", typed, end, core.FormatEnd(end, zone))
		}
	})
}
