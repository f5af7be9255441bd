// A Dict says things in one person's language: sentences by key, numbers, dates
// and spans of time.

package tui

import (
	"strconv"
	"strings"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// Dict is one language, in one time zone. It does not change.
type Dict struct {
	catalog *Catalog
	tag     language.Tag
	own     *words // of this language
	english *words // for what that lacks
	loc     *i18n.Localizer
	foreign *i18n.Localizer
	num     *message.Printer
	zone    *time.Location
}

// Dict returns the words of the language closest to tag, with times in UTC.
func (c *Catalog) Dict(tag string) *Dict {
	want := c.Closest(tag)
	d := &Dict{catalog: c, zone: time.UTC, english: c.words(0)}
	for i, t := range c.tags {
		if t.String() == want {
			d.own, d.tag = c.words(i), t
		}
	}
	d.loc = i18n.NewLocalizer(d.own.bundle, d.tag.String())
	d.foreign = i18n.NewLocalizer(d.english.bundle, c.tags[0].String())
	d.num = message.NewPrinter(d.tag)
	return d
}

// In returns the same words with times shown in zone.
func (d *Dict) In(zone *time.Location) *Dict {
	if zone == nil {
		zone = time.UTC
	}
	copied := *d
	copied.zone = zone
	return &copied
}

// Tag returns the language as BCP 47 writes it.
func (d *Dict) Tag() string { return d.tag.String() }

// Zone returns the time zone that dates are shown in.
func (d *Dict) Zone() *time.Location { return d.zone }

// Has says whether English has key.
func (d *Dict) Has(key string) bool {
	_, ok := d.english.all[key]
	return ok
}

// T returns the sentence for key. args alternate a placeholder's name and its
// value: T("sessions.ended", "Count", 3). "Count" chooses the plural form; whole
// numbers are written as the language does. A key that this language lacks is
// said in English, one that English lacks stands out as ⟦key⟧.
func (d *Dict) T(key string, args ...any) string {
	if len(args) == 0 {
		if s, ok := d.own.plain[key]; ok {
			return s
		}
	}
	loc := d.loc
	if d.own.all[key] == nil {
		if d.catalog.Strict {
			return "⟦" + key + "⟧"
		}
		loc = d.foreign
	}
	data := make(map[string]any, len(args)/2+1)
	var count any
	for i := 0; i+1 < len(args); i += 2 {
		name, _ := args[i].(string)
		if name == "Count" {
			count = args[i+1]
		}
		data[name] = d.value(args[i+1])
	}
	s, err := loc.Localize(&i18n.LocalizeConfig{MessageID: key, TemplateData: data, PluralCount: count})
	if err != nil && s == "" {
		return "⟦" + key + "⟧"
	}
	return s
}

// value writes whole numbers as the language does and leaves the rest alone.
func (d *Dict) value(v any) any {
	switch n := v.(type) {
	case int:
		return d.Number(int64(n))
	case int64:
		return d.Number(n)
	case uint64:
		return d.num.Sprint(n)
	default:
		return v
	}
}

// Number writes n with the language's separators.
func (d *Dict) Number(n int64) string {
	if n > -1000 && n < 1000 {
		return strconv.FormatInt(n, 10)
	}
	return d.num.Sprint(n)
}

// List joins items as the language does: "a, b and c".
func (d *Dict) List(items []string) string {
	switch n := len(items); n {
	case 0:
		return ""
	case 1:
		return items[0]
	default:
		return d.T("list.last", "Head", strings.Join(items[:n-1], ", "), "Last", items[n-1])
	}
}

// Date writes the day of t.
func (d *Dict) Date(t time.Time) string { return t.In(d.zone).Format(d.T("date.day")) }

// DateTime writes t to the minute, with the zone's abbreviation: the exact time
// that goes with a relative one.
func (d *Dict) DateTime(t time.Time) string { return t.In(d.zone).Format(d.T("date.minute")) }

// span is a unit of time, from when on it is used, and the word for it.
type span struct {
	unit, from time.Duration
	name       string
}

// spans go from the largest to the smallest unit. Months begin late: "in 89
// days" can be planned with, "in 2 months" cannot.
func spans() []span {
	const day = 24 * time.Hour
	return []span{
		{365 * day, 365 * day, "year"}, {30 * day, 120 * day, "month"}, {day, day, "day"},
		{time.Hour, time.Hour, "hour"}, {time.Minute, time.Minute, "minute"}, {time.Second, time.Second, "second"},
	}
}

// split returns the largest unit that fits into dur, and how many of it.
func split(dur time.Duration) (int, string) {
	for _, s := range spans() {
		if dur >= s.from {
			return int(dur / s.unit), s.name
		}
	}
	return 0, "second"
}

// Relative says when t is, seen from now: "2 h ago", "in 9 h", "just now".
func (d *Dict) Relative(t, now time.Time) string {
	dur := t.Sub(now)
	ago := dur < 0
	if ago {
		dur = -dur
	}
	if dur < 10*time.Second {
		return d.T("time.now")
	}
	n, unit := split(dur)
	if ago {
		return d.T("time.ago", "Span", d.T("time."+unit, "Count", n))
	}
	return d.T("time.in", "Span", d.T("time."+unit, "Count", n))
}

// Duration says how long dur is in its largest unit: "12 h", "30 min".
func (d *Dict) Duration(dur time.Duration) string {
	n, unit := split(max(dur, 0))
	return d.T("time."+unit, "Count", n)
}

// Guess says how long it takes to guess something: "about 3 years". seconds may
// be anything a strength meter comes up with, infinity too.
func (d *Dict) Guess(seconds float64) string {
	const century = 100 * 365 * 24 * 3600
	switch {
	case !(seconds >= 1): // NaN too
		return d.T("guess.now")
	case seconds >= century:
		return d.T("guess.centuries")
	}
	n, unit := split(time.Duration(seconds) * time.Second)
	return d.T("guess."+unit, "Count", n)
}
