package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"text/tabwriter"
	"time"
)

// figures are what one server reached. Times are in milliseconds, sizes in
// bytes; -1 says that it could not be measured.
type figures struct {
	Name          string  `json:"name"`
	FirstFrame    float64 `json:"first_frame_ms"`
	KeyP50        float64 `json:"key_to_frame_p50_ms"`
	KeyP99        float64 `json:"key_to_frame_p99_ms"`
	Keys          int     `json:"keys"`
	IdleMemory    float64 `json:"memory_per_idle_session_bytes"`
	IdleCores     float64 `json:"idle_cores"`
	IdleSentBytes float64 `json:"idle_sent_bytes_per_second"`
}

// report is the outcome of a run.
type report struct {
	Sessions int                `json:"sessions"`
	Idle     int                `json:"idle"`
	Size     string             `json:"size"`
	Bare     figures            `json:"bare"`
	Measured figures            `json:"measured"`
	Ratios   map[string]float64 `json:"ratios"`
}

// measure lets the two servers take turns at everything.
func measure(ctx context.Context, o options, bare, other *server) (*report, error) {
	servers := []*server{bare, other}
	got := []figures{{Name: "bare"}, {Name: other.name}}
	firsts, keys := make([][]time.Duration, 2), make([][]time.Duration, 2)
	// The idle ones come first, while neither process has grown for another reason.
	for i, s := range servers {
		got[i].IdleMemory, got[i].IdleCores, got[i].IdleSentBytes = -1, -1, -1
		if o.idle > 0 {
			if err := idling(ctx, s, o, &got[i]); err != nil {
				return nil, fmt.Errorf("%s: idle: %w", s.name, err)
			}
		}
	}
	for range o.firsts {
		for i, s := range servers {
			d, err := firstFrame(ctx, s, o)
			if err != nil {
				return nil, fmt.Errorf("%s: first frame: %w", s.name, err)
			}
			firsts[i] = append(firsts[i], d)
		}
	}
	for range o.rounds {
		for i, s := range servers {
			times, err := typing(ctx, s, o)
			if err != nil {
				return nil, fmt.Errorf("%s: typing: %w", s.name, err)
			}
			keys[i] = append(keys[i], times...)
		}
	}
	for i := range servers {
		got[i].FirstFrame = milliseconds(percentile(firsts[i], 50))
		got[i].KeyP50 = milliseconds(percentile(keys[i], 50))
		got[i].KeyP99 = milliseconds(percentile(keys[i], 99))
		got[i].Keys = len(keys[i])
	}
	r := &report{Sessions: o.sessions, Idle: o.idle, Size: fmt.Sprintf("%dx%d", o.width, o.height), Bare: got[0], Measured: got[1]}
	r.Ratios = map[string]float64{}
	for _, row := range r.rows() {
		if a, b := row.of(r.Bare), row.of(r.Measured); a > 0 && b >= 0 {
			r.Ratios[row.key] = b / a
		}
	}
	return r, nil
}

// firstFrame is the time from the end of authentication to a screen that is complete.
func firstFrame(ctx context.Context, s *server, o options) (time.Duration, error) {
	v, err := visitServer(ctx, s, o.width, o.height)
	if err != nil {
		return 0, err
	}
	defer v.leave()
	at, err := v.settled(ctx)
	return at.Sub(v.began), err
}

// typing lets many sessions type at once and returns the time of every key. A
// character and a backspace take turns, so that the field stays short.
func typing(ctx context.Context, s *server, o options) ([]time.Duration, error) {
	visits, err := crowd(ctx, s, o.sessions, o.width, o.height)
	if err != nil {
		return nil, err
	}
	defer disperse(visits)
	errs := make([]error, len(visits))
	times := make([][]time.Duration, len(visits))
	var group sync.WaitGroup
	each := func(f func(i int, v *visit) error) {
		for i, v := range visits {
			group.Go(func() {
				if errs[i] == nil {
					errs[i] = f(i, v)
				}
			})
		}
		group.Wait()
	}
	each(func(_ int, v *visit) error {
		if _, err := v.settled(ctx); err != nil {
			return err
		}
		return v.lead(ctx, s.leadIn)
	})
	end := time.Now().Add(o.typing)
	each(func(i int, v *visit) error {
		for n := 0; time.Now().Before(end); n++ {
			// Keys come at all times, not in step with anybody's clock.
			pause := o.interval/2 + rand.N(o.interval)
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				return ctx.Err()
			}
			d, err := v.typeKey(ctx, []string{"a", "\x7f"}[n%2])
			if err != nil {
				return err
			}
			times[i] = append(times[i], d)
		}
		return nil
	})
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return slices.Concat(times...), nil
}

// idling opens many sessions, lets them rest and watches what they use.
func idling(ctx context.Context, s *server, o options, f *figures) error {
	before, known := usageOf(s.pid)
	visits, err := crowd(ctx, s, o.idle, o.width, o.height)
	if err != nil {
		return err
	}
	defer disperse(visits)
	pause := func(d time.Duration) error {
		select {
		case <-time.After(d):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := pause(o.settle); err != nil {
		return err
	}
	sent := func() (n int64) {
		for _, v := range visits {
			n += v.bytes.Load()
		}
		return n
	}
	resting, _ := usageOf(s.pid)
	sentBefore, began := sent(), time.Now()
	if err := pause(o.watch); err != nil {
		return err
	}
	after, _ := usageOf(s.pid)
	seconds := time.Since(began).Seconds()
	f.IdleSentBytes = float64(sent()-sentBefore) / seconds
	if known {
		f.IdleMemory = float64(resting.resident-before.resident) / float64(o.idle)
		f.IdleCores = (after.processor - resting.processor).Seconds() / seconds
	}
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// percentile is the smallest of the times that so many percent do not exceed.
func percentile(times []time.Duration, percent int) time.Duration {
	if len(times) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(times))
	return sorted[max(0, (len(sorted)*percent+99)/100-1)]
}

type row struct {
	title, key, format string
	of                 func(figures) float64
}

func (r *report) rows() []row {
	return []row{
		{"first frame", "first_frame", "%.1f ms", func(f figures) float64 { return f.FirstFrame }},
		{"key to frame, p50", "key_p50", "%.1f ms", func(f figures) float64 { return f.KeyP50 }},
		{"key to frame, p99", "key_p99", "%.1f ms", func(f figures) float64 { return f.KeyP99 }},
		{"memory per idle session", "memory", "%.0f kB", func(f figures) float64 { return f.IdleMemory / 1000 }},
		{"cores while idle", "cores", "%.3f", func(f figures) float64 { return f.IdleCores }},
		{"bytes a second sent while idle", "sent", "%.0f", func(f figures) float64 { return f.IdleSentBytes }},
	}
}

// table prints the report for people.
func (r *report) table(w io.Writer) error {
	_, _ = fmt.Fprintf(w, "%s, %d sessions typing (%d and %d keys), %d idle\n\n", r.Size, r.Sessions, r.Bare.Keys, r.Measured.Keys, r.Idle)
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintf(t, "\t%s\t%s\tratio\t\n", r.Bare.Name, r.Measured.Name)
	for _, row := range r.rows() {
		cell := func(f figures) string {
			if v := row.of(f); v >= 0 {
				return fmt.Sprintf(row.format, v)
			}
			return "unknown"
		}
		ratio := "-"
		if v, ok := r.Ratios[row.key]; ok {
			ratio = fmt.Sprintf("%.2f", v)
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\t\n", row.title, cell(r.Bare), cell(r.Measured), ratio)
	}
	return t.Flush()
}
