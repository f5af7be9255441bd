// The overview: how the portal fares, in numbers that counters.go keeps, and what
// is to be mended (overviewwarn.go). It reads a few hundred small records,
// however many accounts there are.

package core

import (
	"context"
	"errors"
	"slices"
	"time"

	"postern/store"
)

// OverviewSpan is what one bar of a plot stands for.
type OverviewSpan string

// The spans, and how many of each an overview shows. Days are days of UTC, weeks
// begin on Monday (ISO 8601).
const (
	OverviewHour OverviewSpan = "hour" // 24
	OverviewDay  OverviewSpan = "day"  // 14
	OverviewWeek OverviewSpan = "week" // 12
)

// OverviewSpans returns every span, the shortest first.
func OverviewSpans() []OverviewSpan {
	return []OverviewSpan{OverviewHour, OverviewDay, OverviewWeek}
}

// begin is the beginning of the first bar, and step how many hours one has.
func (s OverviewSpan) begin(now time.Time) (begin time.Time, bars int, step time.Duration) {
	day := now.UTC().Truncate(24 * time.Hour)
	switch s {
	case OverviewDay:
		return day.AddDate(0, 0, -13), 14, 24 * time.Hour
	case OverviewWeek:
		monday := day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
		return monday.AddDate(0, 0, -7*11), 12, 7 * 24 * time.Hour
	}
	return now.UTC().Truncate(time.Hour).Add(-23 * time.Hour), 24, time.Hour
}

// Bar is what happened in one hour, day or week from Begin on.
type Bar struct {
	Begin time.Time
	Counts
}

// FactorUse is how many factors of a kind can be used.
type FactorUse struct {
	Kind FactorKind
	N    int
}

// Ending is a grant or a linked key that ends soon.
type Ending struct {
	Grant
	Key      LinkedKey // with a fingerprint: it is this that ends, and there is no grant
	UserName string
	AppName  string // of an app; "" for a role on the portal
}

// Ends is when it ends.
func (e Ending) Ends() time.Time {
	if e.Key.Fingerprint != "" {
		return e.Key.Until
	}
	return e.Until
}

// Bounds of what is about to end.
const (
	EndingWithin = 14 * 24 * time.Hour
	MaxEnding    = 20
)

// Overview is how the portal fares.
type Overview struct {
	Now        time.Time
	Span       OverviewSpan
	Bars       []Bar     // the oldest first; the last one is not over
	Since      time.Time // from when on it is counted; zero: from the beginning
	Accounts   int
	States     map[State]int
	Factors    []FactorUse // that can be used, the strongest first
	FactorsOff int         // disabled by failures in a row
	Ending     []Ending    // grants and keys that end within EndingWithin, the next first
	MoreEnding bool        // there are more than MaxEnding
	Dead       int         // messages that were given up, at most MaxPage
	Uses       []Use       // this month's allowances
	Backup     time.Time   // the last one; zero: none is known
	Requests   int         // to be deleted, that are open; at most MaxPage
	Warnings   []Warning   // the gravest first
}

// Overviews tells how the portal fares.
type Overviews struct{ *base }

// Show returns the overview, for everybody who holds a role. CodeDenied;
// CodeFormat for an unknown span (field "span").
func (s *Overviews) Show(ctx context.Context, actor Actor, span OverviewSpan) (Overview, error) {
	var o Overview
	err := s.read(ctx, actor, func(t *txn) error {
		o = Overview{Now: t.now, Span: span}
		if err := t.may(OpOverview, ""); err != nil {
			return err
		}
		switch span {
		case OverviewHour, OverviewDay, OverviewWeek:
		default:
			return refuseField(CodeFormat, "span")
		}
		for _, part := range []func(*Overview) error{
			t.overviewBars, t.overviewPeople, t.overviewEnding, t.overviewMessages, t.overviewWarnings,
		} {
			if err := part(&o); err != nil {
				return err
			}
		}
		return nil
	})
	return o, err
}

// overviewBars adds the plots up.
func (t *txn) overviewBars(o *Overview) error {
	begin, n, step := o.Span.begin(t.now)
	var counts map[time.Time]Counts
	var err error
	if o.Span == OverviewHour {
		counts, err = t.hoursFrom(begin)
	} else {
		counts, err = t.daysFrom(begin)
	}
	if err != nil {
		return err
	}
	o.Bars = make([]Bar, n)
	for i := range o.Bars {
		o.Bars[i].Begin = begin.Add(time.Duration(i) * step)
	}
	for at, c := range counts {
		if i := int(at.Sub(begin) / step); !at.Before(begin) && i < n {
			o.Bars[i].Counts = o.Bars[i].plus(c)
		}
	}
	o.Since, err = t.mark(markCount)
	return err
}

// hoursFrom returns the counts of the hours from begin on.
func (t *txn) hoursFrom(begin time.Time) (map[time.Time]Counts, error) {
	out := map[time.Time]Counts{}
	for at := begin.Add(-time.Hour); ; {
		rows, err := hourCounts.Page(t, at.Format(hourForm), MaxPage)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			if at, err = hourOf(r.ID); err != nil {
				return nil, err
			}
			out[at] = out[at].plus(r.Value)
		}
		if len(rows) < MaxPage {
			break
		}
	}
	return out, t.eachFresh(func(hour time.Time, c Counts) error { out[hour] = out[hour].plus(c); return nil })
}

// daysFrom returns the counts of the days from begin on.
func (t *txn) daysFrom(begin time.Time) (map[time.Time]Counts, error) {
	out := map[time.Time]Counts{}
	rows, err := dayCounts.Page(t, begin.AddDate(0, 0, -1).Format(dayForm), MaxPage)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		at, err := time.Parse(dayForm, r.ID)
		if err != nil {
			return nil, store.ErrCorrupt
		}
		out[at] = out[at].plus(r.Value)
	}
	return out, t.eachFresh(func(hour time.Time, c Counts) error {
		day := hour.Truncate(24 * time.Hour)
		out[day] = out[day].plus(c)
		return nil
	})
}

// overviewPeople adds accounts and factors.
func (t *txn) overviewPeople(o *Overview) error {
	n, err := t.tally()
	if err != nil {
		return err
	}
	o.Accounts, o.States = n.Accounts, n.States
	sum, err := t.factorTotals()
	if err != nil {
		return err
	}
	for _, k := range []FactorKind{FactorKey, FactorApp, FactorSMS, FactorEmail} {
		o.Factors = append(o.Factors, FactorUse{k, sum.In[k]})
	}
	o.FactorsOff = sum.Off
	return nil
}

// overviewEnding looks for grants and keys that end soon, a day of them at a time:
// those that have ended long ago stand before them in the index, and are not read.
func (t *txn) overviewEnding(o *Overview) error {
	last := t.now.Add(EndingWithin)
	for day := t.now.UTC().Truncate(24 * time.Hour); !day.After(last) && !o.MoreEnding; day = day.AddDate(0, 0, 1) {
		var found []Ending
		for _, part := range []func(string, func(Ending) bool) error{t.grantsEnding, t.keysEnding} {
			n := 0
			err := part(day.Format(time.DateOnly), func(e Ending) bool {
				if !e.Ends().After(last) {
					found, n = append(found, e), n+1
				}
				return len(o.Ending)+n <= MaxEnding
			})
			if err != nil {
				return err
			}
		}
		slices.SortStableFunc(found, func(a, b Ending) int { return a.Ends().Compare(b.Ends()) })
		o.Ending = append(o.Ending, found...)
		if o.MoreEnding = len(o.Ending) > MaxEnding; o.MoreEnding {
			o.Ending = o.Ending[:MaxEnding]
		}
	}
	return nil
}

// grantsEnding hands over the grants that count now and end on a day, the next
// first, until take has enough of them.
func (t *txn) grantsEnding(day string, take func(Ending) bool) error {
	more := true
	return eachRow(func(after string) ([]store.Row[Grant], error) {
		if !more {
			return nil, nil
		}
		return grants.PageBy(t, "until", day, after, MaxPage)
	}, func(g Grant) error {
		if !more || !g.active(t.now) {
			return nil
		}
		a, err := accounts.Get(t, g.Account)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
		e := Ending{Grant: g, UserName: a.UserName}
		if g.App != AppPostern {
			app, err := apps.Get(t, g.App)
			if err != nil {
				return err
			}
			e.AppName = app.Name
		}
		more = take(e)
		return nil
	})
}

// keysEnding hands over the linked keys that end on a day.
func (t *txn) keysEnding(day string, take func(Ending) bool) error {
	more := true
	return eachRow(func(after string) ([]store.Row[LinkedKey], error) {
		if !more {
			return nil, nil
		}
		return linkedKeys.PageBy(t, "until", day, after, MaxPage)
	}, func(k LinkedKey) error {
		if !more || k.over(t.now) {
			return nil
		}
		a, err := accounts.Get(t, k.Account)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
		more = take(Ending{Key: k, UserName: a.UserName})
		return nil
	})
}

// overviewMessages adds how messages and backups fare.
func (t *txn) overviewMessages(o *Overview) error {
	dead, err := messages.PageBy(t, "dead", "", "", MaxPage)
	if err != nil {
		return err
	}
	o.Dead = len(dead)
	for _, service := range Services() {
		u, err := t.usage(service, monthOf(t.now))
		if err != nil {
			return err
		}
		o.Uses = append(o.Uses, Use{Service: service, Month: monthOf(t.now), Allowance: t.policy.Messages.allowance(service),
			Sent: u.Sent, Queued: u.Queued, Provider: t.base.carries(service)})
	}
	o.Backup, err = t.mark(markBackup)
	return err
}
