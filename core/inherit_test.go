package core

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// randomPolicy is any policy that a portal may have, in what apps can be stricter about.
func randomPolicy(r *rand.Rand) Policy {
	p, _ := presetByID("")
	p.Password.MinLength = 8 + r.IntN(57)
	p.Password.MinScore = r.IntN(5)
	p.Password.RotateDays = r.IntN(3) * r.IntN(maxDays)
	p.Password.HistoryDays = r.IntN(maxDays)
	p.Password.HistoryLast = r.IntN(51)
	p.Session.Lifetime = randomSpan(r)
	p.Session.IdleMinutes = r.IntN(3) * r.IntN(600)
	p.Factors.Enforce = []Enforcement{EnforceNobody, EnforceAdmins, EnforceEverybody}[r.IntN(3)]
	return p
}

func randomSpan(r *rand.Rand) Span {
	switch r.IntN(4) {
	case 0:
		return Span{1 + r.IntN(366*24), Hours}
	case 1:
		return Span{1 + r.IntN(366), Days}
	case 2:
		return Span{1 + r.IntN(52), Weeks}
	}
	return Span{1 + r.IntN(12), Months}
}

func randomApp(r *rand.Rand) AppPolicy {
	var a AppPolicy
	p := randomPolicy(r)
	for _, s := range AppSettings() {
		if r.IntN(2) == 0 {
			s.set(&a, p)
		}
	}
	return a
}

// byItself is what an app demands where the portal demands nothing.
func byItself(a AppPolicy) Policy {
	p := strictest(Policy{Session: SessionPolicy{Lifetime: Span{12, Months}}, Factors: FactorPolicy{Enforce: EnforceNobody}}, a)
	if a.Lifetime.N > 0 {
		p.Session.Lifetime = a.Lifetime
	}
	return p
}

// What somebody lives under is never weaker than the portal's policy, nor than
// that of any app, whenever a session begins; it does not matter in which order
// they come, nor whether one comes twice.
func TestTheStrictestIsNeverWeakerThanAny(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	for range 20_000 {
		portal := randomPolicy(r)
		list := make([]AppPolicy, r.IntN(5))
		for i := range list {
			list[i] = randomApp(r)
		}
		got := strictest(portal, list...)
		for i, p := range append([]Policy{portal}, eachByItself(list)...) {
			for _, s := range AppSettings() {
				if i > 0 && s.Path == "session.lifetime" && list[i-1].Lifetime.N == 0 {
					continue
				}
				setting, err := settingByPath(s.Path)
				if err != nil {
					t.Fatal(err)
				}
				if weakerThan(s.Path, got, p) {
					t.Fatalf("%s: %s is weaker than %s", s.Path, setting.Get(got), setting.Get(p))
				}
			}
			begun := time.Date(2026, 1, 1+r.IntN(365*4), r.IntN(24), 0, 0, 0, time.UTC)
			if a, b := got.Session.Lifetime, p.Session.Lifetime; (i == 0 || list[i-1].Lifetime.N > 0) && a.After(begun).After(b.After(begun)) {
				t.Fatalf("begun on %v, %s lasts longer than %s", begun, a, b)
			}
		}
		shuffled := slices.Clone(list)
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if a := strictest(portal, shuffled...); !samePolicy(a, got) {
			t.Fatalf("in another order: %+v and %+v", a, got)
		}
		if a := strictest(portal, append(list, list...)...); !samePolicy(a, got) {
			t.Fatalf("twice the same: %+v and %+v", a, got)
		}
		if a := strictest(got, list...); !samePolicy(a, got) {
			t.Fatalf("applied again: %+v and %+v", a, got)
		}
	}
}

// weakerThan compares in its own words, so that it cannot repeat a mistake of the
// table.
func weakerThan(path string, a, b Policy) bool {
	none := func(n int) int { // no bound is the longest
		if n == 0 {
			return 1 << 30
		}
		return n
	}
	switch path {
	case "password.min_length":
		return a.Password.MinLength < b.Password.MinLength
	case "password.min_score":
		return a.Password.MinScore < b.Password.MinScore
	case "password.rotate_days":
		return none(a.Password.RotateDays) > none(b.Password.RotateDays)
	case "password.history_days":
		return a.Password.HistoryDays < b.Password.HistoryDays
	case "password.history_last":
		return a.Password.HistoryLast < b.Password.HistoryLast
	case "session.idle_minutes":
		return none(a.Session.IdleMinutes) > none(b.Session.IdleMinutes)
	case "factors.enforce":
		return b.Factors.Enforce == EnforceEverybody && a.Factors.Enforce != EnforceEverybody ||
			b.Factors.Enforce == EnforceAdmins && a.Factors.Enforce == EnforceNobody
	}
	return false // a lifetime is compared by when it ends
}

func eachByItself(list []AppPolicy) []Policy {
	out := make([]Policy, len(list))
	for i, a := range list {
		out[i] = byItself(a)
	}
	return out
}

func samePolicy(a, b Policy) bool {
	return a.Password == b.Password && a.Session == b.Session && a.Factors == b.Factors
}

// Calendar months differ in length; the table of what they last is right.
func TestHowLongMonthsLast(t *testing.T) {
	for n := 1; n <= 12; n++ {
		least, most := 1000, 0
		for day := range 366 * 5 {
			begun := time.Date(2027, 1, 1+day, 0, 0, 0, 0, time.UTC)
			days := int(Span{n, Months}.After(begun).Sub(begun).Hours() / 24)
			least, most = min(least, days), max(most, days)
		}
		if monthDays[n] != [2]int{least, most} {
			t.Errorf("%d months last %d to %d days, and the table says %v", n, least, most, monthDays[n])
		}
	}
}

// Thirty days and a month cannot be told apart: it is what is shorter in any case.
func TestSpansThatCannotBeToldApart(t *testing.T) {
	for _, c := range []struct {
		a, b, want Span
	}{
		{Span{30, Days}, Span{1, Months}, Span{28, Days}},
		{Span{27, Days}, Span{1, Months}, Span{27, Days}},
		{Span{31, Days}, Span{1, Months}, Span{1, Months}},
		{Span{1, Weeks}, Span{7, Days}, Span{7, Days}},
		{Span{12, Hours}, Span{3, Months}, Span{12, Hours}},
	} {
		got, back := shortest([]Span{c.a, c.b}), shortest([]Span{c.b, c.a})
		if got.least() != c.want.least() || got.most() != c.want.most() || back.least() != got.least() || back.most() != got.most() {
			t.Errorf("of %s and %s: %s and %s, want %s", c.a, c.b, got, back, c.want)
		}
	}
}

// An app takes back nothing of what the portal demands.
func TestAnAppIsNotWeaker(t *testing.T) {
	portal, _ := presetByID("notificare") // 12 characters, 45 days, 135 days, 12 hours, 30 minutes
	portal.Factors.Enforce = EnforceEverybody
	for path, value := range map[string]string{
		"password.min_length": "11", "password.min_score": "2", "password.rotate_days": "46", "password.history_days": "134",
		"session.lifetime": "13 hours", "session.idle_minutes": "31", "factors.enforce": "nobody",
	} {
		_, err := AppPolicy{}.with(portal, map[string]string{path: value}, time.Time{})
		if e, _ := err.(*Error); e == nil || e.Code != CodeWeaker || e.Field != path || e.Rule == "" {
			t.Errorf("%s = %s: %v", path, value, err)
		}
		if path != "factors.enforce" && path != "session.lifetime" && path != "password.min_length" && path != "password.min_score" {
			if _, err := (AppPolicy{}).with(portal, map[string]string{path: "0"}, time.Time{}); CodeOf(err) != CodeWeaker {
				t.Errorf("%s = 0: %v", path, err)
			}
		}
	}
	p, err := AppPolicy{}.with(portal, map[string]string{"password.min_length": "16", "password.rotate_days": "30", "session.lifetime": "8 hours"}, time.Time{})
	if err != nil || p.MinLength != 16 || p.RotateDays != 30 || p.Lifetime != (Span{8, Hours}) {
		t.Errorf("%+v, %v", p, err)
	}
	if p, err = p.with(portal, map[string]string{"password.min_length": ""}, time.Time{}); err != nil || p.MinLength != 0 || p.RotateDays != 30 {
		t.Errorf("taken back: %+v, %v", p, err)
	}
	for path, code := range map[string]Code{"lockout.failures": CodeNotFound, "x": CodeNotFound} {
		if _, err := p.with(portal, map[string]string{path: "1"}, time.Time{}); CodeOf(err) != code {
			t.Errorf("%s: %v", path, err)
		}
	}
	for path, value := range map[string]string{"password.min_length": "x", "session.lifetime": "soon", "factors.enforce": "admins"} {
		if _, err := p.with(portal, map[string]string{path: value}, time.Time{}); CodeOf(err) != CodeFormat {
			t.Errorf("%s = %s: %v", path, value, err)
		}
	}
	if _, err := p.with(portal, map[string]string{"password.min_length": "65"}, time.Time{}); CodeOf(err) != CodeRange {
		t.Error(err)
	}
	portal.Factors = FactorPolicy{Enforce: EnforceNobody}
	if _, err := p.with(portal, map[string]string{"factors.enforce": "everybody"}, time.Time{}); CodeOf(err) != CodeNoMethod {
		t.Error(err)
	}
}
